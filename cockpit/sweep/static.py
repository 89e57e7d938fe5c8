"""Static analysis of Python for security: bandit, and semgrep with the repository's own rules where it is installed."""

import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cockpit.paths import state_dir
from cockpit.plain_text import plain_text
from cockpit.programs import find_program
from cockpit.sweep.cancel import Cancel
from cockpit.sweep.pool import Progress
from skills.gates.model import Status
from skills.gates.tool_output import parse_output
from skills.workflow.sweep import SweepCheck, SweepFinding
from skills.workflow.sweep_reports import read_semgrep

SECONDS = 600.0
_BATCH = 120
_COUNTED = ("MEDIUM", "HIGH", "CRITICAL")
_RULES = (".semgrep.yml", ".semgrep.yaml", "semgrep.yml", "semgrep.yaml", ".semgrep")


def static_analysis(root: Path, names: Sequence[str], cancel: Cancel, progress: Progress | None) -> SweepCheck:
    """What bandit finds of medium and high severity in the Python files `names`, and semgrep of severity ERROR."""
    sources = [name for name in names if name.endswith(".py")]
    if not sources:
        return SweepCheck("sast", "not_applicable", reason="there is no Python file")
    found, low, reasons = _bandit(root, sources, cancel, progress)
    tools = ["bandit"]
    rules = next((root / name for name in _RULES if (root / name).exists()), None)
    program = find_program(root, "semgrep", trusted=False) if rules is not None and not cancel.cancelled else ""
    if program:
        tools.append("semgrep")
        more, why = _semgrep(program, rules or root, root, cancel)
        found += more
        reasons += why
    if cancel.cancelled:
        reasons = ["cancelled"]
    status: Status = "fail" if found else "not_run" if reasons else "pass"
    if low:
        reasons = [*reasons, f"{low} of low severity not counted"]
    ordered = sorted(found, key=lambda one: (one.path, one.line or 0, one.message))
    return SweepCheck("sast", status, tuple(ordered), "; ".join(reasons) or None, ", ".join(tools))


def _bandit(
    root: Path, sources: list[str], cancel: Cancel, progress: Progress | None
) -> tuple[list[SweepFinding], int, list[str]]:
    from importlib.util import find_spec

    if find_spec("bandit") is None:
        return [], 0, ["bandit is not installed"]
    batches = [sources[start : start + _BATCH] for start in range(0, len(sources), _BATCH)]
    found: list[SweepFinding] = []
    reasons: list[str] = []
    low = done = 0
    with ThreadPoolExecutor(2) as pool:
        answers = pool.map(lambda batch: _bandit_batch(root, batch, cancel), batches)
        for batch, (rows, minor, why) in zip(batches, answers, strict=True):
            found += rows
            low += minor
            reasons += [why] if why and why not in reasons else []
            done += len(batch)
            if progress is not None:
                progress(done, len(sources))
    return found, low, reasons


def _bandit_batch(root: Path, batch: list[str], cancel: Cancel) -> tuple[list[SweepFinding], int, str]:
    words = [sys.executable, "-E", "-P", "-m", "bandit", "-f", "json", "-q", "--exit-zero", "--"]
    own = {"XDG_CACHE_HOME": str(state_dir() / "tools" / "cache")}  # it keeps a list of its plugins
    ran = cancel.run([*words, *(f"./{name}" for name in batch)], root, SECONDS, own)
    if ran.why:
        return [], 0, f"bandit: {ran.why}"
    try:
        problems = parse_output("bandit-json", ran.out)
    except ValueError as problem:
        return [], 0, f"bandit: {plain_text(problem, 120)} {ran.last_line}"
    unread = [row for row in json.loads(ran.out).get("errors") or () if isinstance(row, dict)]
    first = os.path.normpath(str(unread[0].get("filename", "?"))) if unread else ""
    why = f"bandit could not judge {plain_text(first, 120)}" if unread else ""
    problems = [one for one in problems if one.code != "error"]  # the same files once more
    counted = [
        SweepFinding(
            plain_text(os.path.normpath(one.path), 400),
            one.line,
            f"{plain_text(one.message, 200)} ({plain_text(one.code, 20)})",
            severity=one.severity.lower(),
        )
        for one in problems
        if one.severity in _COUNTED
    ]
    return counted, len(problems) - len(counted), why


def _semgrep(program: str, rules: Path, root: Path, cancel: Cancel) -> tuple[list[SweepFinding], list[str]]:
    from cockpit.temporary import temporary_folder

    with temporary_folder("sweep") as folder:
        own = {"SEMGREP_SETTINGS_FILE": f"{folder}/settings.yml", "SEMGREP_SEND_METRICS": "off"}
        told = ["--config", str(rules), "--metrics=off", "--disable-version-check", "--json", "--quiet", "."]
        ran = cancel.run([program, "scan", *told], root, SECONDS, own)
    if ran.why:
        return [], [f"semgrep: {ran.why}"]
    try:
        found, errors = read_semgrep(ran.out)
    except ValueError as problem:
        return [], [f"semgrep: {plain_text(problem, 120)}"]
    found = [_plain(one) for one in found]
    if ran.code not in (0, 1):
        return found, [f"semgrep ended with {ran.code}: {ran.last_line}"]
    return found, [f"semgrep could not judge: {plain_text(errors[0], 80)}"] if errors else []


def _plain(finding: SweepFinding) -> SweepFinding:
    return SweepFinding(
        plain_text(finding.path, 400), finding.line, plain_text(finding.message, 200), severity=finding.severity
    )

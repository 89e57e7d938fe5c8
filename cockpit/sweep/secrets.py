"""Are there secrets: gitleaks where it is installed, else the detectors of detect-secrets."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from cockpit.files import read_regular
from cockpit.plain_text import plain_text
from cockpit.programs import find_program
from cockpit.sweep.cancel import Cancel
from cockpit.sweep.pool import Progress, SecretPool
from cockpit.sweep.secret_lines import BASELINE
from cockpit.temporary import temporary_folder
from skills.gates.model import Status
from skills.workflow.sweep import SweepCheck, SweepFinding
from skills.workflow.sweep_reports import read_gitleaks

GITLEAKS_SECONDS = 900.0
_NAMED = 3
_LARGEST_REPORT = 20_000_000


def secrets_of_files(root: Path, names: Sequence[str], cancel: Cancel, progress: Progress | None) -> SweepCheck:
    """Secrets in the files of the work tree that git does not ignore."""
    if not names:
        return SweepCheck("secrets", "not_applicable", reason="there is no file")
    program = find_program(root, "gitleaks", trusted=False)
    if program:
        return _gitleaks(program, ["dir", "."], root, cancel, frozenset(names))
    return _built_in(root, names, cancel, progress)


def secrets_of_lines(root: Path, lines: Iterable[tuple[str, int, str]], cancel: Cancel, *, staged: bool) -> SweepCheck:
    """Secrets in added lines: (file, line, text). Of what is staged, gitleaks where it is installed."""
    held = list(lines)
    if not held:
        return SweepCheck("secrets", "pass", reason="no line is added")
    program = find_program(root, "gitleaks", trusted=False) if staged else ""
    if program:
        return _gitleaks(program, ["git", ".", "--staged"], root, cancel, None)
    try:
        from cockpit.sweep.secret_lines import SecretLines

        detectors = SecretLines()
    except ImportError as problem:
        return SweepCheck("secrets", "not_run", reason=f"neither gitleaks nor detect-secrets is installed ({problem})")
    by_file: dict[str, list[tuple[int, str]]] = {}
    for name, number, text in held:
        by_file.setdefault(name, []).append((number, text))
    rows = [
        (name, *one)
        for name, numbered in by_file.items()
        if not detectors.skips(name)
        for one in detectors.look(name, numbered, _beside(root, name, numbered))
    ]
    return _answer(rows, root, "")


def _beside(root: Path, name: str, lines: list[tuple[int, str]]) -> str:
    """The file as it is now, where lines of it carry fingerprints: the paths that prove them may not be among them."""
    if not any("fingerprint" in text or "cockpit/v1" in text for _, text in lines):
        return ""
    try:
        return read_regular(root / name, _LARGEST_REPORT).decode("utf-8", "replace")
    except OSError:
        return ""


def _built_in(root: Path, names: Sequence[str], cancel: Cancel, progress: Progress | None) -> SweepCheck:
    from importlib.util import find_spec

    if find_spec("detect_secrets") is None:
        return SweepCheck("secrets", "not_run", reason="neither gitleaks nor detect-secrets is installed")
    rows = SecretPool(root, cancel).look(names, progress)
    if cancel.cancelled:
        return SweepCheck("secrets", "not_run", reason="cancelled", tool="detect-secrets")
    found = [(row["name"], *one) for row in sorted(rows, key=lambda row: str(row["name"])) for one in row["found"]]
    unread = [f"{plain_text(row['name'], 120)} ({row['unread']})" for row in rows if row["unread"]]
    return _answer(found, root, _list(unread))


def _answer(rows: list[tuple[str, int, str, str, str]], root: Path, unread: str) -> SweepCheck:
    known = _known(root)
    kept = tuple(
        SweepFinding(plain_text(name, 400), line, plain_text(kind, 120), shown)
        for name, line, kind, shown, digest in rows
        if (name, digest) not in known
    )
    said = [f"{len(rows) - len(kept)} known in .secrets.baseline"] if len(kept) != len(rows) else []
    said += [f"not looked at: {unread}"] if unread else []
    status: Status = "fail" if kept else "not_run" if unread else "pass"
    return SweepCheck("secrets", status, kept, "; ".join(said) or None, "detect-secrets")


def _known(root: Path) -> frozenset[tuple[str, str]]:
    """(file, SHA-1) of what a baseline of detect-secrets in the repository's root lists as known."""
    try:
        results = json.loads(read_regular(root / BASELINE, 8_000_000))["results"]
        return frozenset((str(name), str(row["hashed_secret"])) for name, rows in results.items() for row in rows)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return frozenset()


def _gitleaks(program: str, words: list[str], root: Path, cancel: Cancel, names: frozenset[str] | None) -> SweepCheck:
    """Its exit code and its report must agree; with `names`, what git ignores is left out."""
    with temporary_folder("sweep") as folder:
        report = Path(folder) / "report.json"
        told = ["--no-banner", "--report-format", "json", "--report-path", str(report)]
        ran = cancel.run([program, *words, *told], root, GITLEAKS_SECONDS)
        if ran.why:
            return SweepCheck("secrets", "not_run", reason=f"gitleaks: {ran.why}", tool="gitleaks")
        try:
            leaks = read_gitleaks(read_regular(report).decode("utf-8", "replace"))
        except (OSError, ValueError) as problem:
            why = "it wrote no report" if isinstance(problem, OSError) else str(problem)
            return SweepCheck("secrets", "not_run", reason=f"gitleaks: {plain_text(why, 120)}", tool="gitleaks")
    if ran.code not in (0, 1) or (ran.code == 1 and not leaks):
        reason = f"gitleaks ended with {ran.code} and reported {len(leaks)} leaks: {ran.last_line}"
        return SweepCheck("secrets", "not_run", reason=reason, tool="gitleaks")
    found = []
    for file, line, kind, shown in leaks:
        name = file.removeprefix(f"{root}/").removeprefix("./")
        if names is None or name in names:
            found.append(SweepFinding(plain_text(name, 400), line, plain_text(kind, 200), shown))
    left_out = len(leaks) - len(found)
    said = f"{left_out} in files that git ignores" if left_out else None
    return SweepCheck("secrets", "fail" if found else "pass", tuple(found), said, "gitleaks")


def _list(items: list[str]) -> str:
    more = f" and {len(items) - _NAMED} more" if len(items) > _NAMED else ""
    return ", ".join(items[:_NAMED]) + more

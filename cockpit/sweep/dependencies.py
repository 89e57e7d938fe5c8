"""Known vulnerabilities of the versions in use: every ecosystem of the repository, none of its code is run.

Versions come from lock files and pinned requirements, else from the project's own virtual environment. A service that
gives no answer makes the check not run, never passed.
"""

import json
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from cockpit.files import read_regular
from cockpit.paths import state_dir
from cockpit.plain_text import plain_text
from cockpit.programs import Ran, find_program
from cockpit.sweep.cancel import Cancel
from cockpit.temporary import temporary_folder
from skills.gates.model import Status
from skills.workflow.sweep import SweepCheck, SweepFinding
from skills.workflow.sweep_reports import pinned_lock, pinned_requirements, read_npm_audit, read_pip_audit

SECONDS = 180.0
_MOST_MANIFESTS = 20
_LOCKS = ("uv.lock", "poetry.lock", "pylock.toml", "Pipfile.lock")
_OTHERS = {
    "Cargo.lock": "Rust", "go.sum": "Go", "Gemfile.lock": "Ruby", "composer.lock": "PHP", "yarn.lock": "Yarn",
    "pnpm-lock.yaml": "pnpm", "bun.lock": "Bun",
}  # fmt: skip

_Part = tuple[Status, list[SweepFinding], str]


def dependencies(root: Path, names: Iterable[str], cancel: Cancel) -> SweepCheck:
    """Ask about every manifest below `root`; `names` are the files that git does not ignore."""
    listed = sorted(names, key=lambda name: (name.count("/"), name))
    parts: list[_Part] = []
    for name in _asked([name for name in listed if _is_python(name)], parts):
        parts.append(_python(root, name, cancel))
    if not parts and any(name.rpartition("/")[2] in ("pyproject.toml", "setup.py", "setup.cfg") for name in listed):
        parts.append(_environment(root, cancel))
    for name in _asked([name for name in listed if name.rpartition("/")[2] == "package-lock.json"], parts):
        parts.append(_npm(root, name, cancel))
    if any(name == "package.json" for name in listed) and not any(
        name.rpartition("/")[2] in ("package-lock.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock") for name in listed
    ):
        parts.append(("not_run", [], "package.json has no lock file that says which versions are in use"))
    for file, ecosystem in _OTHERS.items():
        if any(name.rpartition("/")[2] == file for name in listed):
            parts.append(("not_run", [], f"{file}: there is no auditor for {ecosystem} here"))
    return _together(parts)


def _asked(manifests: list[str], parts: list[_Part]) -> list[str]:
    """Those that are asked about; that there are more is said in `parts`, since a check of some is none of all."""
    if (more := len(manifests) - _MOST_MANIFESTS) > 0:
        file = manifests[_MOST_MANIFESTS]
        named = plain_text(file, 80) + (f" and {more - 1} more" if more > 1 else "")
        parts.append(("not_run", [], f"only {_MOST_MANIFESTS} manifests are asked about: not {named}"))
    return manifests[:_MOST_MANIFESTS]


def _together(parts: list[_Part]) -> SweepCheck:
    if not parts:
        return SweepCheck("dependencies", "not_applicable", reason="no manifest names dependencies")
    found = tuple(finding for _, findings, _ in parts for finding in findings)
    statuses = {status for status, _, _ in parts}
    status: Status = "fail" if found else "not_run" if "not_run" in statuses else "pass"
    if statuses == {"not_applicable"}:
        status = "not_applicable"
    reasons = list(dict.fromkeys(reason for _, _, reason in parts if reason))
    tools = "pip-audit, npm audit" if len(parts) > 1 else ""
    return SweepCheck("dependencies", status, found, "; ".join(reasons) or None, tools)


def _is_python(name: str) -> bool:
    last = name.rpartition("/")[2]
    in_folder = name.rpartition("/")[0].rpartition("/")[2] == "requirements"
    return last in _LOCKS or (last.endswith(".txt") and (last.startswith("requirements") or in_folder))


def _python(root: Path, name: str, cancel: Cancel) -> _Part:
    """One lock file or requirements file."""
    try:
        text = read_regular(root / name, 20_000_000).decode("utf-8", "replace")
        if name.endswith(".txt"):
            pins, loose = pinned_requirements(text)
        else:
            document: Any = json.loads(text) if name.endswith("Pipfile.lock") else tomllib.loads(text)
            if not isinstance(document, dict):
                raise ValueError("it is no table")
            pins, loose = pinned_lock(document), 0
    except (OSError, ValueError, RecursionError) as problem:
        return "not_run", [], f"{name}: cannot be read ({plain_text(problem, 80)})"
    unpinned = f"{name}: {loose} without a pinned version" if loose else ""
    if not pins:
        return ("not_run" if loose else "not_applicable"), [], unpinned or f"{name} names no package"
    lines = "".join(f"{package}=={version}\n" for package, version in sorted(pins.items()))
    with temporary_folder("sweep") as folder:
        given = Path(folder) / "requirements.txt"
        given.write_text(lines, "utf-8")
        status, found, reason = _pip_audit(["--no-deps", "--disable-pip", "-r", str(given)], Path(folder), cancel, name)
    if unpinned and status == "pass":
        status = "not_run"
    return status, found, "; ".join(said for said in (reason, unpinned) if said)


def _environment(root: Path, cancel: Cancel) -> _Part:
    """What is installed in the project's own virtual environment."""
    places = [path for folder in (".venv", "venv") for path in (root / folder / "lib").glob("python3*/site-packages")]
    if not places:
        return "not_run", [], "no lock file, no pinned requirements and no .venv say which versions are in use"
    with temporary_folder("sweep") as folder:
        status, found, reason = _pip_audit(["--path", str(places[0])], Path(folder), cancel, ".venv")
    if status == "not_applicable" and _asks_for_packages(root):
        return "not_run", found, "the virtual environment holds no package: install what the project asks for"
    return status, found, reason


def _asks_for_packages(root: Path) -> bool:
    """False only where pyproject.toml says what the project depends on, and that is nothing."""
    try:
        table = tomllib.loads(read_regular(root / "pyproject.toml", 1_000_000).decode("utf-8", "replace"))
    except (OSError, ValueError, RecursionError):
        return True
    project = table.get("project")
    if not isinstance(project, dict) or "dependencies" in str(project.get("dynamic", "")):
        return True
    return bool(project.get("dependencies") or project.get("optional-dependencies") or table.get("dependency-groups"))


def _pip_audit(words: list[str], folder: Path, cancel: Cancel, name: str) -> _Part:
    from importlib.util import find_spec

    if find_spec("pip_audit") is None:
        return "not_run", [], "pip-audit is not installed"
    cache = state_dir() / "tools" / "pip-audit"
    command = [sys.executable, "-E", "-P", "-m", "pip_audit", "-f", "json", "--progress-spinner", "off"]
    ran = cancel.run([*command, "--cache-dir", str(cache), *words], folder, SECONDS)
    return _read_pip(ran, name)


def _read_pip(ran: Ran, name: str) -> _Part:
    if ran.why:
        return "not_run", [], f"pip-audit: {ran.why}"
    try:
        found, skipped, seen = read_pip_audit(ran.out)
    except ValueError as problem:
        return "not_run", [], f"{name}: pip-audit gave no answer ({ran.last_line or problem})"
    found = [replace(one, path=name, message=plain_text(one.message, 200)) for one in found]
    if skipped:
        shown = ", ".join(plain_text(one, 60) for one in skipped[:3])
        more = f" and {len(skipped) - 3} more" if len(skipped) > 3 else ""
        return ("fail" if found else "not_run"), found, f"{name}: not looked up: {shown}{more}"
    if not seen:
        return "not_applicable", found, f"{name} names no package"
    return ("fail" if found else "pass"), found, ""


def _npm(root: Path, name: str, cancel: Cancel) -> _Part:
    program = find_program(root, "npm", trusted=False)
    if not program:
        return "not_run", [], f"{name}: npm is not installed"
    above = (root / name).parent
    with temporary_folder("sweep") as folder:
        try:  # copies: npm would also read settings of the repository, and write beside them
            for file in ("package.json", "package-lock.json"):
                (Path(folder) / file).write_bytes(read_regular(above / file, 50_000_000))
        except OSError as problem:
            return "not_run", [], f"{name}: cannot be read ({problem.strerror})"
        own = {"npm_config_cache": str(state_dir() / "tools" / "npm"), "npm_config_update_notifier": "false"}
        words = [program, "audit", "--json", "--package-lock-only", "--logs-max=0", "--fetch-retries=1"]
        ran = cancel.run(words, Path(folder), SECONDS, own)
    if ran.why:
        return "not_run", [], f"npm audit: {ran.why}"
    try:
        found = read_npm_audit(ran.out)
    except ValueError as problem:
        return "not_run", [], f"{name}: npm audit gave no answer ({plain_text(problem, 120)})"
    found = [replace(one, path=name, message=plain_text(one.message, 200)) for one in found]
    return ("fail" if found else "pass"), found, ""

"""Ruff, where the project uses it: its own configuration, read through its JSON. It fixes nothing, and what it knows of
unchanged files it keeps in our state folder, never in the repository.

The program comes from beside the running interpreter or from PATH, never from inside the repository under view.
"""

import contextlib
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec

from cockpit.files import read_regular
from cockpit.plain_text import plain_text
from skills.gates.engine.fingerprints import fingerprint, without_layout
from skills.gates.engine.patterns import lazy
from skills.gates.model import Check, Finding, GateOptions
from skills.record import record

RULE = "ruff"
_P1 = lazy(r"(E9|F63|F7|F82|S)\d")
_SECONDS = 120.0
_MOST_ARGUMENTS = 400
_FLAGS = ("check", "--output-format", "json", "--force-exclude", "--no-fix", "--exit-zero", "--quiet")


@record
class RuffAnswer:
    """What ruff said. `findings` by path; `check` is the row of the answer (its count is set where it is shown)."""

    check: Check
    findings: dict[str, tuple[Finding, ...]]


def find_ruff(root: Path) -> str | None:
    """The ruff to run: beside the interpreter, else on PATH; entries of PATH inside `root` are passed over."""
    beside = Path(sys.executable).parent / "ruff"
    if os.access(beside, os.X_OK):
        return str(beside)
    inside = os.path.realpath(root) + os.sep
    for entry in os.environ.get("PATH", "").split(os.pathsep):
        program = Path(entry) / "ruff"
        if (
            entry.startswith("/")
            and not (os.path.realpath(program) + os.sep).startswith(inside)
            and os.access(program, os.X_OK)
        ):
            return str(program)
    return None


def not_asked(root: Path, options: GateOptions, choice: str, used: str) -> Check | None:
    """Why ruff does not run here, None where it does. `used` is what says that the project uses it."""
    reason = ""
    if choice == "off":
        reason = "turned off in the configuration"
    elif options.isolated:
        reason = "--isolated ignores configuration files, ruff's own included"
    elif not used and choice != "on":
        reason = "the project does not use ruff"
    elif options.select and not any(
        name == RULE or name.startswith("ruff/") or name in ("P1", "P2") for name in options.select
    ):
        reason = "not selected"
    elif RULE in options.ignore:
        reason = "ignored"
    if reason:
        return Check(RULE, "not_applicable", 0, reason)
    if find_ruff(root) is None:
        why = f"{used} asks for it" if used else "the configuration asks for it"
        return Check(RULE, "not_run", 0, f"ruff is not installed ({why}): uv tool install ruff")
    return None


def wanted(finding: Finding, options: GateOptions) -> bool:
    """Whether a finding of ruff was selected and not ignored."""
    names = (RULE, finding.rule, finding.gate)
    chosen = not options.select or any(name in names or finding.rule.startswith(name) for name in options.select)
    dropped = any(
        name in names or (name.startswith("ruff/") and finding.rule.startswith(name)) for name in options.ignore
    )
    return chosen and not dropped


def kept_for(folder: Path, files: Iterable[str]) -> Path:
    """Where below `folder` ruff keeps what it knows while these are the Python files of a project.

    Which imports are the project's own hangs on the modules that are there, in newer versions on each one's whole path;
    ruff looks for them when it reads a file, and believes itself as long as that file is unchanged.
    """
    names = "\0".join(sorted(files))  # a folder is there while a file in it is
    return folder / blake2b(names.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()


class RuffRun:
    """One run of ruff that can be cancelled from another thread. In the folder `kept` ruff keeps what it knows of
    unchanged files; None: nowhere."""

    def __init__(self, root: Path, kept: Path | None = None) -> None:
        self.root = root
        self.kept = kept
        self._process: subprocess.Popen[bytes] | None = None
        self._begun: list[str] = []
        self._cancelled = False
        self._lock = threading.Lock()

    def cancel(self) -> None:
        """End the run: what it would say is outdated."""
        with self._lock:
            self._cancelled = True
            if self._process is not None and self._process.poll() is None:
                self._process.kill()

    def begin(self, names: Iterable[str] | None = None) -> None:
        """Start to ask about files while the caller does something else: `answer`, for the same names, waits for it."""
        program = find_ruff(self.root)
        arguments = _arguments(names)
        if program is not None and arguments:
            command = [program, *_FLAGS, *self._cache_flags(), *arguments]
            with contextlib.suppress(OSError):  # `answer` tries again, and says so
                self._start(command, None)
                self._begun = command

    def answer(self, names: Iterable[str] | None = None, sources: dict[str, bytes] | None = None) -> RuffAnswer:
        """Run ruff on the files `names` (None: the whole tree), or on `sources` (name → content) through stdin."""
        program = find_ruff(self.root)
        if program is None:
            return RuffAnswer(Check(RULE, "not_run", 0, "ruff is not installed"), {})
        files = _arguments(names)
        runs: list[tuple[list[str], bytes | None]] = [(files, None)] if files else []
        runs += [(["--stdin-filename", name, "-"], source) for name, source in sorted((sources or {}).items())]
        found: list[dict[str, Any]] = []
        for arguments, source in runs:
            rows, why = self._run([program, *_FLAGS, *self._cache_flags(), *arguments], source)
            if why and self.kept is not None:
                self.kept = None  # it may have been the folder: full, or not ours to write
                rows, why = self._run([program, *_FLAGS, *self._cache_flags(), *arguments], source)
            if why:
                return RuffAnswer(Check(RULE, "not_run", 0, why), {})
            found += rows
        return RuffAnswer(Check(RULE, "pass"), self._findings(found, sources or {}))

    def _cache_flags(self) -> list[str]:
        return ["--no-cache"] if self.kept is None else ["--cache-dir", str(self.kept)]

    def _start(self, command: list[str], source: bytes | None) -> "subprocess.Popen[bytes] | None":
        """The process; None where the run was cancelled before. Raises `OSError`."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("RUFF_")}
        with self._lock:
            if self._cancelled:
                return None
            self._process = subprocess.Popen(
                command,
                cwd=self.root,
                env=environment,
                stdin=subprocess.PIPE if source is not None else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            return self._process

    def _run(self, command: list[str], source: bytes | None) -> tuple[list[dict[str, Any]], str]:
        try:
            begun, self._begun = self._begun, []
            process = self._process if begun == command else self._start(command, source)
            if process is None:
                return [], "cancelled"
            out, err = process.communicate(source, timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            self.cancel()
            return [], f"ruff took longer than {_SECONDS:.0f} s"
        except OSError as problem:
            return [], f"ruff could not be started ({problem.strerror})"
        if process.returncode:
            said = [line for line in err.decode("utf-8", "replace").splitlines() if line.strip()]
            return [], "cancelled" if self._cancelled else f"ruff failed: {plain_text(' '.join(said)[-200:], 200)}"
        try:
            rows = msgspec.json.decode(out or b"[]")
        except msgspec.DecodeError:
            return [], "ruff printed no JSON"
        return (rows, "") if isinstance(rows, list) else ([], "ruff printed no list")

    def _findings(self, rows: list[dict[str, Any]], sources: dict[str, bytes]) -> dict[str, tuple[Finding, ...]]:
        real = os.path.realpath(self.root)
        by_path: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            name = str(row.get("filename") or "")
            code = row.get("code")
            if not code or code in ("invalid-syntax", "E999"):
                continue  # a syntax error is our own entry in the list of problems
            by_path.setdefault(_relative(name, str(self.root), real), []).append(row)
        return {
            path: tuple(
                _finding(path, row, text, ordinal)
                for row, text, ordinal in _with_text(group, self._lines(path, sources))
            )
            for path, group in by_path.items()
        }

    def _lines(self, path: str, sources: dict[str, bytes]) -> list[bytes]:
        try:
            source = sources[path] if path in sources else read_regular(self.root / path)
        except OSError:
            return []
        return source.splitlines()


def _arguments(names: Iterable[str] | None) -> list[str]:
    """What ruff is called with for these files: nothing for none, the whole tree for all or very many."""
    given = None if names is None else sorted(names)
    if given is None or len(given) > _MOST_ARGUMENTS:
        return ["--", "."]
    return ["--", *given] if given else []


def _relative(name: str, root: str, real: str) -> str:
    for place in (root, real):
        if name.startswith(place + os.sep):
            return name[len(place) + 1 :].replace(os.sep, "/")
    return name


def _with_text(rows: list[dict[str, Any]], lines: list[bytes]) -> Iterable[tuple[dict[str, Any], str, int]]:
    """Each row with the text of its line without layout, and its ordinal among equals."""
    seen: Counter[tuple[str, str]] = Counter()
    for row in sorted(rows, key=lambda row: (row["location"]["row"], row["location"]["column"], row["code"])):
        number = int(row["location"]["row"])
        text = without_layout(lines[number - 1].decode("utf-8", "replace")) if 0 < number <= len(lines) else ""
        yield row, text, seen[row["code"], text]
        seen[row["code"], text] += 1


def _finding(path: str, row: dict[str, Any], text: str, ordinal: int) -> Finding:
    code = str(row["code"])
    urgent = _P1.match(code) is not None
    start, end = row["location"], row.get("end_location") or row["location"]
    fix = row.get("fix")
    advice = str((fix or {}).get("message") or "") or str(row.get("url") or "")
    return Finding(
        rule=f"ruff/{code}",
        gate="P1" if urgent else "P2",
        severity="HIGH" if urgent else "LOW",
        skill=RULE,
        path=path,
        line=int(start["row"]),
        column=int(start["column"]),
        end_line=int(end["row"]),
        end_column=int(end["column"]),
        symbol="",
        message=plain_text(row.get("message") or code, 300),
        help=plain_text(advice, 300),
        confidence="likely" if code.startswith("S") else "confirmed",
        fixable=fix is not None,
        fingerprint=fingerprint(path, f"ruff/{code}", "", text, ordinal),
    )

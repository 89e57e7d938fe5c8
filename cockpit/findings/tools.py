"""Other people's tools as checks: mypy, pyright, bandit, pytest with coverage, and what `[checks.NAME]` names.

One at a time, in order, in a process group of its own that ends with the run; limited in time and in what it prints.
Nothing is written into the repository: caches and reports go into the state folder. Programs and code of the
repository run only where it is trusted.
"""

import contextlib
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from cockpit.config import BUILT_IN_TOOLS, Config, ToolConfig
from cockpit.files import read_regular, source_lines
from cockpit.findings.coverage import own_report
from cockpit.findings.parts import OutsideAnswer
from cockpit.findings.pattern import by_pattern
from cockpit.plain_text import plain_text
from cockpit.programs import Programs, Ran, find_program, own_environment, without_own_code
from cockpit.trust import Trust
from skills.gates.engine.fingerprints import fingerprint, without_layout
from skills.gates.model import Check, Finding, Gate
from skills.gates.tool_output import MOST, Problem, parse_output
from skills.record import record

_CODE_IN_CONFIG = re.compile(r"^\s*\"?(plugins|python_executable|venv|venvPath|pythonPath)\"?\s*[=:]", re.MULTILINE)
_ERROR = re.compile(r"\b(?:error|fatal)\b", re.IGNORECASE)
_CONFIGS = ("pyproject.toml", "mypy.ini", ".mypy.ini", "setup.cfg", "pyrightconfig.json")
_NOT_FOR_BANDIT = (".venv", "venv", ".git", ".tox", "node_modules", "site-packages", "tests", "migrations")
_PARSERS = {"mypy": "mypy", "pyright": "pyright-json", "bandit": "bandit-json", "pytest": "pytest"}
_QUIET_EXITS: Mapping[str, tuple[int, ...]] = {"bandit": (1,), "mypy": (1,), "pyright": (1,), "pytest": (1,)}


@record
class Tool:
    """One tool that can be asked. `config` is how; `built_in` says that cockpit knows the command itself."""

    name: str
    config: ToolConfig
    built_in: bool


def known_tools(config: Config) -> dict[str, Tool]:
    """Every tool by name: the built-in ones, then those of the configuration."""
    found = {
        name: Tool(name, config.checks.tools.get(name, ToolConfig(on="key", timeout=900.0)), built_in=True)
        for name in BUILT_IN_TOOLS
    }
    for name, own in config.checks.tools.items():
        found[name] = Tool(name, own, built_in=not own.command)
    return found


def used_tools(config: Config, dependencies: Mapping[str, str]) -> list[Tool]:
    """The tools of a project: those that it depends on or configures."""
    return [
        tool
        for name, tool in known_tools(config).items()
        if name in config.checks.tools or name in dependencies or (name == "pytest" and "pytest-cov" in dependencies)
    ]


class ToolRun:
    """Runs tools below one root, one at a time. `cancel`, from another thread, ends what runs and what would follow."""

    def __init__(self, root: Path, trust: Trust, dependencies: Mapping[str, str]) -> None:
        self.root = root
        self.trust = trust
        self.dependencies = dependencies
        self.programs = Programs()

    @property
    def cancelled(self) -> bool:
        """Whether somebody ended the run."""
        return self.programs.cancelled

    def cancel(self) -> None:
        """End the run: what it would say is outdated."""
        self.programs.cancel()

    def ran(
        self,
        tool: Tool,
        words: Sequence[str] = (),
        variables: Mapping[str, str] | None = None,
        heard: Callable[[str], None] | None = None,
    ) -> Ran:
        """Run one tool to its end, without a look at what it says; `words` and `variables` are added to its own,
        `heard` is told what it printed so far."""
        refused = self._refused(tool)
        command = [] if refused else self._command(tool)
        if not refused and not command:
            refused = f"{tool.config.command[0] if tool.config.command else tool.name} is not installed"
        if refused:
            return Ran(why=refused)
        report = own_report(self.root)
        try:
            report.parent.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            return Ran(why=f"{plain_text(report.parent, 200)} cannot be made ({problem.strerror})")
        environment = {"COVERAGE_FILE": str(report.with_suffix(".data"))}
        environment |= own_environment(self.root) if self.trust.trusted else without_own_code(self.root)
        environment |= variables or {}
        return self.programs.run([*command, *words], self.root, tool.config.timeout, environment, heard)

    def answer(self, tool: Tool) -> OutsideAnswer:
        """Run one tool to its end and read what it says."""
        return self.read(tool, self.ran(tool))

    def read(self, tool: Tool, ran: Ran) -> OutsideAnswer:
        """What a run of a tool says: its findings, or why there is no answer."""
        gates: tuple[Gate, ...] = (tool.config.gate,)
        if ran.why:
            return OutsideAnswer(Check(tool.name, "not_run", 0, ran.why), gates)
        try:
            parser = tool.config.parser or _PARSERS[tool.name]
            problems = (by_pattern if parser.startswith("regex:") else parse_output)(parser, ran.out)
        except ValueError as problem:
            said = _telling(ran)
            reason = f"{plain_text(problem, 120)}{f': {said}' if said else ''}"
            return OutsideAnswer(Check(tool.name, "not_run", 0, reason), gates)
        if ran.code and not problems and ran.code not in _QUIET_EXITS.get(tool.name if tool.built_in else "", ()):
            said = _telling(ran) or "without a word"
            return OutsideAnswer(Check(tool.name, "not_run", 0, f"exit {ran.code}: {said}"), gates)
        findings = self._findings(tool, problems)
        count = sum(map(len, findings.values()))
        check = Check(tool.name, "fail" if count else "pass", count, _lacking(tool, ran, problems))
        return OutsideAnswer(check, gates, findings)

    def _refused(self, tool: Tool) -> str:
        """Why a tool may not run here, "" where it may."""
        if self.trust.trusted:
            return ""
        if tool.config.from_repository and not tool.built_in:
            return self.trust.reason
        if tool.built_in and tool.name == "pytest":
            return f"it runs the repository's code; {self.trust.reason}"
        if tool.built_in and tool.name in ("mypy", "pyright"):
            for name in _CONFIGS:
                with contextlib.suppress(OSError):
                    text = read_regular(self.root / name).decode("utf-8", "replace")
                    section = (
                        text if name in ("mypy.ini", ".mypy.ini", "pyrightconfig.json") else _about(text, tool.name)
                    )
                    if found := _CODE_IN_CONFIG.search(section):
                        return f"{name} names {found[1]}, which is code to run; {self.trust.reason}"
        return ""

    def _command(self, tool: Tool) -> list[str]:
        if not tool.built_in:
            first, *rest = tool.config.command
            program = first if os.sep in first else self._find(first)
            return [program, *rest] if program else []
        program = self._find(tool.name)
        if not program:
            return []
        caches = own_report(self.root).parent.parent / "tools" / own_report(self.root).stem
        return [program, *self._arguments(tool.name, caches)]

    def _arguments(self, name: str, caches: Path) -> list[str]:
        if name == "mypy":
            shown = ["--show-column-numbers", "--show-error-end", "--no-pretty", "--no-error-summary"]
            configured = any(_names_files(self.root / config) for config in _CONFIGS)
            return [*shown, "--show-error-codes", f"--cache-dir={caches / 'mypy'}", *([] if configured else ["."])]
        if name == "pyright":
            return ["--outputjson"]
        if name == "bandit":
            return ["-r", ".", "-f", "json", "-q", "-x", ",".join(f"*/{name}/*" for name in _NOT_FOR_BANDIT)]
        words = ["-q", "--tb=short", "-rfE", "--color=no", "-o", f"cache_dir={caches / 'pytest'}"]
        if "pytest-cov" in self.dependencies:
            words += ["--cov", "--cov-report=", f"--cov-report=json:{own_report(self.root)}"]
        return words

    def _find(self, name: str) -> str:
        return find_program(self.root, name, trusted=self.trust.trusted)

    def _findings(self, tool: Tool, problems: Iterable[Problem]) -> dict[str, tuple[Finding, ...]]:
        found: dict[str, list[Finding]] = {}
        lines: dict[str, list[str]] = {}
        seen: Counter[tuple[str, str, str]] = Counter()
        for problem in problems:
            path = _inside(problem.path, self.root)
            if path is None:
                continue
            if path not in lines:
                try:
                    lines[path] = source_lines(read_regular(self.root / path))
                except (OSError, ValueError):
                    continue  # it names a file that is not there, or no file can be called so
            rule = f"{tool.name}/{plain_text(problem.code, 60)}" if problem.code else f"{tool.name}/problem"
            text = lines[path][problem.line - 1] if 0 < problem.line <= len(lines[path]) else ""
            text = without_layout(text)
            ordinal = seen[path, rule, text]
            seen[path, rule, text] += 1
            found.setdefault(path, []).append(
                _finding(tool, problem, path, rule, fingerprint(path, rule, "", text, ordinal))
            )
        return {path: tuple(rows) for path, rows in found.items()}


def _finding(tool: Tool, problem: Problem, path: str, rule: str, key: str) -> Finding:
    minor = tool.built_in and tool.name == "bandit" and problem.severity == "LOW"
    return Finding(
        rule=rule,
        gate="P2" if minor else tool.config.gate,
        severity=problem.severity,
        skill=tool.name,
        path=path,
        line=max(1, problem.line),
        column=max(1, problem.column),
        end_line=max(1, problem.line, problem.end_line),
        end_column=max(1, problem.end_column, problem.column if problem.end_line <= problem.line else 1),
        symbol="",
        message=plain_text(problem.message, 300) or rule,
        help=plain_text(problem.url, 300),
        confidence="confirmed",
        fixable=False,
        fingerprint=key,
    )


def _lacking(tool: Tool, ran: Ran, problems: Sequence[Problem]) -> str | None:
    """Why a tool may have more to say than the problems that were read, None where it has not."""
    if len(problems) >= MOST:
        return f"only its first {MOST} problems are read"
    if ran.code < 0:
        return f"signal {-ran.code} ended it before it was done"
    if tool.built_in and ran.code and ran.code not in _QUIET_EXITS[tool.name]:
        return f"exit {ran.code}: {_telling(ran) or 'it did not look at everything'}"
    return None


def _telling(ran: Ran) -> str:
    """The last line that names an error, of stderr before stdout, else the last that says anything."""
    for text in (ran.err, ran.out):
        if lines := [line for line in text.splitlines() if _ERROR.search(line)]:
            return plain_text(lines[-1], 160)
    return ran.last_line


def _inside(name: str, root: Path) -> str | None:
    """A path as the tool prints it, relative to the root; None for what lies outside."""
    real = os.path.realpath(root)
    path = os.path.normpath(os.path.join(real, name))  # noqa: PTH118 - text that a tool printed
    for place in (str(root), real):
        if path.startswith(place + os.sep):
            return path[len(place) + 1 :].replace(os.sep, "/")
    return None


def _about(text: str, tool: str) -> str:
    """The sections of a shared configuration file that are a tool's own."""
    sections = re.split(r"(?m)^(?=\[)", text)
    return "".join(section for section in sections if re.match(rf"\[+(tool\.)?{tool}\b", section))


def _names_files(path: Path) -> bool:
    """Whether a configuration of mypy says what to check."""
    try:
        text = read_regular(path).decode("utf-8", "replace")
    except OSError:
        return False
    return re.search(r"^\s*(files|packages|modules)\s*=", _about(text, "mypy"), re.MULTILINE) is not None

"""What other tools print, read into problems: ruff's JSON, SARIF, mypy, pyright, bandit, pytest, any regular
expression. Pure parsers: text in, problems out, `ValueError` where the text is not what was promised."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from skills.gates.engine.patterns import lazy
from skills.gates.model import Severity
from skills.gates.security.secret_values import without_literals
from skills.record import record

MOST = 5000
"""The most problems that are read of one tool."""


@record
class Problem:
    """One problem that a tool names. `path` is as the tool prints it; lines and columns start at 1."""

    path: str
    line: int
    message: str
    code: str = ""
    column: int = 1
    end_line: int = 0
    end_column: int = 0
    severity: Severity = "HIGH"
    url: str = ""


def parse_output(parser: str, text: str) -> list[Problem]:
    """The problems in `text`. `parser` is a name of `PARSERS`, or `regex:` and a pattern with the named groups path,
    line and message (column and code where there are any). What colours the output is passed over. Raises
    `ValueError`."""
    text = _COLOUR.sub("", text)
    kind, colon, pattern = parser.partition(":")
    if colon and kind == "regex":
        return list(_by_pattern(_pattern(pattern), text))
    read = PARSERS.get(parser)
    if read is None:
        raise ValueError(f"there is no parser {parser}")
    try:
        found: list[Problem] = []
        for problem in read(text):
            found.append(problem)
            if len(found) >= MOST:
                break
        return found
    except json.JSONDecodeError as problem:
        place = f"line {problem.lineno}, column {problem.colno}"
        raise ValueError(f"its output is no JSON ({place})" if text.strip() else "it printed nothing") from None
    except (KeyError, TypeError, AttributeError, IndexError, RecursionError) as problem:
        raise ValueError(f"its output is not {parser} ({type(problem).__name__})") from None


_COLOUR = lazy(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\))")


def parser_problem(parser: str) -> str:
    """What is wrong with the name of a parser, "" where nothing is."""
    kind, colon, pattern = parser.partition(":")
    if colon and kind == "regex":
        try:
            _pattern(pattern)
        except ValueError as problem:
            return str(problem)
        return ""
    return "" if parser in PARSERS else f"use {', '.join(PARSERS)} or regex:PATTERN"


def _pattern(pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern, re.MULTILINE)
    except (re.error, OverflowError, RecursionError) as problem:
        raise ValueError(f"not a regular expression: {problem}") from None
    lacking = [name for name in ("path", "line", "message") if name not in compiled.groupindex]
    if lacking:
        raise ValueError(f"the pattern has no group {', '.join(f'(?P<{name}>…)' for name in lacking)}")
    return compiled


def _by_pattern(pattern: re.Pattern[str], text: str) -> Iterator[Problem]:
    for number, match in enumerate(pattern.finditer(text)):
        if number >= MOST:
            return
        groups = match.groupdict()
        yield Problem(
            path=(groups["path"] or "").strip(),
            line=_number(groups["line"]),
            message=(groups["message"] or "").strip(),
            code=(groups.get("code") or "").strip(),
            column=_number(groups.get("column")),
        )


def _number(value: object) -> int:
    try:
        return max(1, int(str(value)))
    except ValueError:
        return 1


def _ruff_json(text: str) -> Iterator[Problem]:
    for row in _list(json.loads(text or "[]")):
        start, end = row["location"], row.get("end_location") or row["location"]
        yield Problem(
            path=str(row["filename"]),
            line=_number(start["row"]),
            message=str(row["message"]),
            code=str(row.get("code") or ""),
            column=_number(start["column"]),
            end_line=_number(end["row"]),
            end_column=_number(end["column"]),
            url=str(row.get("url") or ""),
        )


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("its output is no list")
    return value


_LEVELS: Mapping[str, Severity] = {"error": "HIGH", "warning": "MEDIUM", "note": "LOW", "none": "INFO"}


def _sarif(text: str) -> Iterator[Problem]:
    for run in _list(json.loads(text)["runs"]):
        for result in _list(run.get("results") or []):
            if result.get("suppressions"):
                continue
            places = result.get("locations") or [{}]
            physical = places[0].get("physicalLocation", {})
            region = physical.get("region", {})
            line = _number(region.get("startLine"))
            uri = str(physical.get("artifactLocation", {}).get("uri") or "")
            yield Problem(
                path=uri.removeprefix("file://"),
                line=line,
                message=str(result["message"].get("text") or result["message"].get("markdown") or ""),
                code=str(result.get("ruleId") or ""),
                column=_number(region.get("startColumn")),
                end_line=_number(region.get("endLine", line)),
                end_column=_number(region.get("endColumn")),
                severity=_LEVELS.get(str(result.get("level", "warning")), "MEDIUM"),
            )


_MYPY = lazy(
    r"^(?P<path>.+?):(?P<line>\d+):(?:(?P<column>\d+):)?(?:(?P<last>\d+):(?P<end>\d+):)? error: "
    r"(?P<message>.*?)(?:  \[(?P<code>[a-z0-9-]+)\])?$",
    re.MULTILINE,
)


def _mypy(text: str) -> Iterator[Problem]:
    for match in _MYPY.finditer(text.replace("\r\n", "\n")):
        yield Problem(
            path=match["path"],
            line=_number(match["line"]),
            message=match["message"],
            code=match["code"] or "misc",
            column=_number(match["column"] or 1),
            end_line=_number(match["last"] or match["line"]),
            end_column=_number(match["end"] or 0) + 1,  # mypy counts the last character, the others what is behind it
        )


def _pyright(text: str) -> Iterator[Problem]:
    for row in _list(json.loads(text)["generalDiagnostics"]):
        start, end = row["range"]["start"], row["range"]["end"]
        if row["severity"] in ("error", "warning"):
            yield Problem(
                path=str(row["file"]),
                line=int(start["line"]) + 1,
                message=str(row["message"]),
                code=str(row.get("rule") or "error"),
                column=int(start["character"]) + 1,
                end_line=int(end["line"]) + 1,
                end_column=int(end["character"]) + 1,
                severity=_LEVELS[row["severity"]],
            )


_BANDIT: Mapping[str, Severity] = {"HIGH": "HIGH", "MEDIUM": "MEDIUM", "LOW": "LOW"}


_BANDIT_SECRETS = frozenset({"B105", "B106", "B107"})


def _bandit(text: str) -> Iterator[Problem]:
    document = json.loads(text)
    for row in _list(document["results"]):
        code, said = str(row["test_id"]), str(row["issue_text"])
        column = int(row.get("col_offset") or 0) + 1
        line = _number(row["line_number"])
        lines = row.get("line_range") or [line]
        last = max(line, *map(_number, lines))
        yield Problem(
            path=str(row["filename"]),
            line=line,
            message=without_literals(said) if code in _BANDIT_SECRETS else said,
            code=code,
            column=column,
            end_line=last,
            end_column=int(row.get("end_col_offset") or 0) + 1 if last == _number(lines[-1]) else 0,
            severity=_BANDIT.get(str(row["issue_severity"]).upper(), "LOW"),
            url=str(row.get("more_info") or ""),
        )
    for row in _list(document.get("errors") or []):
        yield Problem(
            path=str(row["filename"]), line=1, message=f"not judged: {row['reason']}", code="error", severity="MEDIUM"
        )


_TEST = lazy(r"^(?P<how>FAILED|ERROR) (?P<path>[^\s:]+\.py)(?:::(?P<name>\S+))?(?: - (?P<message>.*))?$")
_SECTION = lazy(r"^_{3,} (?:ERROR (?:at (?:setup|teardown) of|collecting) )?(?P<name>.+?) _{3,}$")
_PLACE = lazy(r"^(?P<path>[^\s:]+\.py):(?P<line>\d+): ")
_RAISED = lazy(r"^E {3}(?P<what>[\w.]*(?:Error|Exception|Warning)\b.*)")


def _pytest(text: str) -> Iterator[Problem]:
    places: dict[tuple[str, str], int] = {}
    raised: dict[str, str] = {}
    section = ""
    for line in text.splitlines():
        if title := _SECTION.match(line):
            section = title["name"]
        elif error := _RAISED.match(line):
            raised[section] = error["what"]
        elif place := _PLACE.match(line):
            places[section, place["path"]] = int(place["line"])
        elif found := _TEST.match(line):
            name = found["name"] or ""
            title_of = name.replace("::", ".") or found["path"]
            code = "failed" if found["how"] == "FAILED" else "error"
            yield Problem(
                path=found["path"],
                line=places.get((title_of, found["path"]), 1),
                message=f"{name or found['path']}: {found['message'] or raised.get(title_of, code)}",
                code=code,
            )


PARSERS: Mapping[str, Callable[[str], Iterator[Problem]]] = {
    "ruff-json": _ruff_json,
    "sarif": _sarif,
    "mypy": _mypy,
    "pytest": _pytest,
    "pyright-json": _pyright,
    "bandit-json": _bandit,
}

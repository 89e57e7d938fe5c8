"""What a security sweep looks at, how its tools' reports are read, and what it blocks.

Source: workflow orchestrator, end day (security sweep) and its decisions on exit codes. Secrets are redacted before
they enter a value: nothing here holds one.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from skills.gates.model import GLYPHS, Status
from skills.gates.security.secret_values import known_format, redacted
from skills.record import record

CheckName = Literal["secrets", "history", "dependencies", "env-files", "permissions", "sast"]
BlockAt = Literal["any", "fixable", "high", "critical"]

CHECKS: tuple[CheckName, ...] = ("secrets", "history", "dependencies", "env-files", "permissions", "sast")
HISTORY_COMMITS = 10
ALWAYS_BLOCK = frozenset(("secrets", "history", "env-files"))
RANDOM = 3.5  # bits a character from which a value counts as random; the threshold of gitleaks' generic rule
MANUAL_CHECKLIST = (
    "no credential is written into code",
    "settings that differ between machines come from the environment",
    "connection strings hold no password",
    "logs show no secret and no personal data",
    "every new endpoint asks who calls and whether they may",
    "input is validated where it enters",
    "SQL has parameters, never pasted values",
    "output is escaped where a browser reads it",
    "other origins are named one by one",
    "uploads are limited in size and kind",
)

_ASSIGNS = re.compile(r"(password|secret|api[_-]?key|token)\s*=\s*(['\"])(.*?)(?:\2|$)", re.IGNORECASE)
_ALLOWED = re.compile(r"pragma:\s*(?:allow|white)list[ -]secret|gitleaks:allow")
_HOLLOW = re.compile(r"^(?:\s*|<[^<>]*>|\{\{?[\w. ]*\}?\}|\$\{?\w+\}?|\*{3,}|\.{3}|…|x{3,}|changeme)$", re.IGNORECASE)
_EXAMPLE_ENV = re.compile(r"[._-](?:example|sample|template|dist|tpl)(?=[._-]|$)")
_TESTS = re.compile(r"(?:^|/)(?:tests?|testing)/|(?:^|/)(?:test_[^/]*|[^/]*_test|conftest)\.py$")
_SEVERITIES = ("info", "low", "moderate", "medium", "high", "critical")


@record
class SweepFinding:
    """One thing found. `line` is None where a whole file or package is meant; `redacted` is the beginning of a secret,
    four characters at most. `severity` is in small letters, "" where the tool gives none; `fixable`: a newer version
    mends it."""

    path: str
    line: int | None
    message: str
    redacted: str | None = None
    severity: str = ""
    fixable: bool = False

    def row(self) -> dict[str, Any]:
        """The finding as JSON."""
        return {"path": self.path, "line": self.line, "message": self.message, "redacted": self.redacted}


@record
class SweepCheck:
    """The answer of one check. `blocking`: anything but a pass stops a commit, a push and the day's verdict."""

    check: CheckName
    status: Status
    findings: tuple[SweepFinding, ...] = ()
    reason: str | None = None
    tool: str = ""
    blocking: bool = False

    @property
    def blocks(self) -> bool:
        """Whether this answer, as it is, stops a commit, a push and the day's verdict."""
        return self.blocking and self.status in ("fail", "not_run")

    def row(self) -> dict[str, Any]:
        """The answer as JSON."""
        return {
            "check": self.check,
            "status": self.status,
            "count": len(self.findings),
            "blocking": self.blocking,
            "reason": self.reason,
            "tool": self.tool or None,
            "findings": [finding.row() for finding in self.findings],
        }


def judged(check: SweepCheck, *, block_at: BlockAt = "any", strict: bool = False) -> SweepCheck:
    """The answer with what it blocks: secrets, history and env files always; dependencies and static analysis where
    they fail at `block_at`, or where nobody could look and `strict` is set; permissions never."""
    return SweepCheck(
        check.check,
        check.status,
        check.findings,
        check.reason,
        check.tool,
        _blocking(check, block_at, strict),
    )


def _blocking(check: SweepCheck, block_at: BlockAt, strict: bool) -> bool:
    if check.check in ALWAYS_BLOCK:
        return True
    if check.check == "permissions":
        return False
    if check.status == "fail":
        return any(_reaches(finding, check.check, block_at) for finding in check.findings)
    return strict or check.status != "not_run"


def _reaches(finding: SweepFinding, check: str, block_at: BlockAt) -> bool:
    if block_at == "any":
        return True
    if block_at == "fixable":
        return finding.fixable or check == "sast"
    wanted = _SEVERITIES.index(block_at)
    return finding.severity in _SEVERITIES and _SEVERITIES.index(finding.severity) >= wanted


def exit_code(checks: Iterable[SweepCheck]) -> int:
    """1 where a check fails, 2 where one could not look, 0 where all looked and none fails."""
    found = {check.status for check in checks}
    return 1 if "fail" in found else 2 if "not_run" in found else 0


# -- lines of text --


def assigned_secret(text: str) -> str | None:
    """The redacted value that a line gives to a password, secret, API key or token; None where it gives none.

    An empty string and a placeholder are no secret, and a line may say that it is allowed in the words of
    detect-secrets or gitleaks.
    """
    if len(text) > 4000:
        text = text[:4000]
    for match in _ASSIGNS.finditer(text):
        if not _HOLLOW.match(match[3]) and not _ALLOWED.search(text):
            return redacted(match[3])
    return None


def without_secrets(text: str) -> str:
    """A text with the secrets in it redacted: known keys, and values that are given to a password, key or token."""
    for _ in range(10):
        found = known_format(text)
        if found is None or found[1] not in text:
            break
        text = text.replace(found[1], redacted(found[1]))
    return _ASSIGNS.sub(lambda found: found[0].replace(found[3], redacted(found[3])) if found[3] else found[0], text)


def added_lines(diff: str) -> Iterator[tuple[str, int, str, str]]:
    """(path, line, text, short commit) of every line that a diff without context adds.

    Commits are told by lines that begin with NUL and the word `commit`; paths come after the prefix `b/`.
    """
    path, number, commit, left = "", 0, "", 0
    for line in diff.split("\n"):
        if left > 0 and line[:1] in "+-":
            if line.startswith("+"):
                yield path, number, line[1:].removesuffix("\r"), commit
                number += 1
            left -= 1
        elif line.startswith("\0commit "):
            commit, left = line[8:20], 0
        elif line.startswith("+++ "):
            path = _unquoted(line[4:].split("\t")[0])
        elif hunk := re.match(r"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", line):
            number = int(hunk[2])
            left = int(hunk[1] or 1) + int(hunk[3] or 1)


def _unquoted(name: str) -> str:
    if name.startswith('"') and name.endswith('"'):
        raw = re.sub(
            rb"\\([0-7]{3}|.)",
            lambda found: bytes([int(found[1], 8)]) if len(found[1]) == 3 else _escape(found[1]),
            name[1:-1].encode("utf-8", "surrogateescape"),
        )
        name = raw.decode("utf-8", "surrogateescape")
    return name.removeprefix("b/") if name != "/dev/null" else ""


def _escape(sign: bytes) -> bytes:
    return {b"t": b"\t", b"n": b"\n", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}.get(sign, sign)


def is_test_file(path: str) -> bool:
    """Whether a path is a test, or something in a folder of tests."""
    return _TESTS.search(path) is not None


def entropy(text: str) -> float:
    """How random a text looks, in bits a character (Shannon)."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)


def is_env_file(path: str, allowed: Iterable[str] = ()) -> bool:
    """Whether a path is an environment file that must stay out of git: `.env*` but no example of one."""
    name = path.rpartition("/")[2]
    return name.startswith(".env") and not _EXAMPLE_ENV.search(name) and name not in allowed and path not in allowed


# -- the report --

_TITLES: dict[str, str] = {
    "secrets": "Secrets",
    "history": "History",
    "dependencies": "Dependencies",
    "env-files": "Env files",
    "permissions": "Permissions",
    "sast": "Static analysis",
}


def title_of(check: str) -> str:
    """What a person reads for a check."""
    return _TITLES.get(check, check)


def said_of(check: SweepCheck) -> str:
    """The answer in words: what was found, or why nobody looked."""
    count = len(check.findings)
    words = {
        "pass": "nothing found",
        "fail": f"{count} found",
        "not_run": "not run",
        "not_applicable": "nothing to look at",
    }[check.status]
    if check.status == "fail" and not check.blocks:
        words += ", blocks nothing"
    if check.status == "not_run" and check.blocks:
        words += ", which blocks"
    return f"{words}: {check.reason}" if check.reason else words


def sweep_lines(checks: Iterable[SweepCheck], most: int = 20) -> list[str]:
    """The answers as lines of text, each with at most `most` of its findings."""
    lines = []
    for check in checks:
        by = f"  [{check.tool}]" if check.tool else ""
        lines.append(f"{GLYPHS[check.status]} {title_of(check.check):<16} {said_of(check)}{by}")
        for finding in check.findings[:most]:
            place = finding.path + (f":{finding.line}" if finding.line else "")
            shown = f"  {finding.redacted}" if finding.redacted else ""
            lines.append(f"    {place + '  ' if place else ''}{finding.message}{shown}")
        if len(check.findings) > most:
            lines.append(f"    and {len(check.findings) - most} more (--json lists all)")
    return lines

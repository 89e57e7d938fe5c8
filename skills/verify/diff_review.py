"""Phase 12: what a change adds that should not be deployed, and guardrail 6: changes of scope that nobody stated.

Only added lines count. The source's own patterns also hit removed lines and lower-case words; these do not.
"""

import re
from collections.abc import Iterable, Mapping

from skills.gates.engine.roles import is_test_path
from skills.record import record

_PATTERNS: tuple[tuple[str, re.Pattern[str], bool], ...] = (
    ("a debugger", re.compile(r"\bbreakpoint\(\)|\bi?pdb\.set_trace\(|^\s*import (?:i?pdb|pudb)\b"), True),
    ("DEBUG = True", re.compile(r"^\s*DEBUG\s*(?::\s*bool\s*)?=\s*True\b"), True),
    ("a note to come back", re.compile(r"#.*\b(?:TODO|FIXME|HACK|XXX)\b"), False),
    ("print(", re.compile(r"(?<![\w.])print\("), False),
)
_SCRIPTS = re.compile(r"(?:^|/)(?:scripts?|bin|management/commands|tools|examples?|notebooks?|migrations)/|manage\.py$")
_AWAY = re.compile(r"(?:^|/)(?:dev|development|local|test|tests|testing)(?:_settings)?\.py$")


@record
class AddedLine:
    """One added line of a change. `line` starts at 1; `path` is relative to the root."""

    path: str
    line: int
    text: str


@record
class Mark:
    """Something that a change adds. `critical` blocks."""

    what: str
    added: AddedLine
    critical: bool


def review(lines: Iterable[AddedLine]) -> list[Mark]:
    """What the added Python lines hold that should not be deployed."""
    found: list[Mark] = []
    for added in lines:
        if not added.path.endswith(".py") or is_test_path(added.path):
            continue
        for what, pattern, critical in _PATTERNS:
            if not pattern.search(added.text):
                continue
            if what == "print(" and _SCRIPTS.search(added.path):
                continue
            if what == "DEBUG = True" and _AWAY.search(added.path):
                continue
            found.append(Mark(what, added, critical))
            break
    return found


def unmigrated(paths: Iterable[str], lines: Iterable[AddedLine]) -> list[AddedLine]:
    """Added lines that define a model's field in a change that adds no migration to the same application."""
    migrated = {path.rpartition("/migrations/")[0] for path in paths if "/migrations/" in f"/{path}"}
    found = []
    for added in lines:
        if not _MODELS.search(added.path) or not _FIELD.search(added.text):
            continue
        application = re.sub(r"/?models(?:\.py|/.*)$", "", added.path)
        if application not in migrated:
            found.append(added)
    return found


_MODELS = re.compile(r"(?:^|/)models(?:\.py$|/[^/]+\.py$)")
_FIELD = re.compile(r"^\s+\w+\s*(?::[^=]+)?=\s*(?:models|fields)\.\w*(?:Field|Key)\(")

# What a reader of the change would want to be told: the word for it, the added line, the words that state it.
_SCOPE: tuple[tuple[str, re.Pattern[str], str], ...] = (
    (
        "an outbound call",
        re.compile(r"^\s*(?:import|from)\s+(?:httpx|requests|aiohttp|urllib3|boto3|smtplib|paramiko|ftplib)\b"),
        r"httpx|requests?|aiohttp|urllib3|boto3|s3|aws|smtp|mail|paramiko|ftp|outbound|external|http|api|call",
    ),
    ("AllowAny", re.compile(r"\bAllowAny\b"), r"allow_?any|public|permissions?|anonymous|open|unauthenticated"),
    (
        "no permission or authentication classes",
        re.compile(r"\b(?:authentication|permission)_classes\s*(?::[^=]+)?=\s*(?:\[\s*\]|\(\s*\))"),
        r"authentication|permissions?|public|anonymous|unauthenticated",
    ),
    ("csrf_exempt", re.compile(r"\bcsrf_exempt\b"), r"csrf"),
    (
        "CORS widened",
        re.compile(r"CORS_(?:ALLOW_ALL_ORIGINS|ORIGIN_ALLOW_ALL)\s*=\s*True|allow_origins\s*=\s*\[\s*[\"']\*[\"']"),
        r"cors|origins?",
    ),
    (
        "a gate skipped",
        re.compile(r"--no-verify|-k\s+[\"']?not\b|#\s*noqa:?\s*S\d|#\s*nosec\b|pytest\.mark\.skip\b"),
        r"noqa|nosec|skip|no-verify|suppress|false positive|ignore",
    ),
)
_DEPENDENCY_FILES = re.compile(r"(?:^|/)(?:requirements[^/]*\.txt|pyproject\.toml|Pipfile|setup\.cfg)$")
_REQUIREMENT = re.compile(r"^\s*[\"']?([A-Za-z][A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*(?:[<>=~!]=|[\"'],?\s*$|=\s*[\"'{])")
_KEYS = frozenset(
    {"name", "version", "description", "readme", "python", "license", "authors", "build-backend", "requires-python",
     "line-length", "target-version", "select", "ignore", "addopts", "testpaths", "include", "exclude", "packages",
     "source", "omit", "keywords", "classifiers", "homepage", "repository", "asyncio_mode", "strict"}
)  # fmt: skip


def unstated(lines: Iterable[AddedLine], removed: Mapping[str, str], said: str) -> list[Mark]:
    """Changes of scope of which the message says nothing (guardrail 6).

    `removed` holds, by path, the removed lines of the change, so that a moved line is no change; `said` is the text
    of the commits, the request and the agent's last message together.
    """
    message = said.lower()
    found: dict[tuple[str, str], Mark] = {}
    for added in lines:
        if is_test_path(added.path):
            continue
        for what, pattern, words in _SCOPE:
            hit = pattern.search(added.text)
            if not hit or hit.group().strip() in removed.get(added.path, ""):
                continue
            if not re.search(rf"\b(?:{words})", message):
                found.setdefault((what, added.path), Mark(what, added, True))
        for _, package in new_dependencies((added,), removed):
            if package not in message and "dependenc" not in message:
                found.setdefault((package, added.path), Mark(f"the dependency {package}", added, True))
    return list(found.values())


def new_dependencies(lines: Iterable[AddedLine], removed: Mapping[str, str]) -> list[tuple[AddedLine, str]]:
    """The packages (in small letters) that added lines of a manifest ask for and removed ones did not."""
    found = []
    for added in lines:
        if not _DEPENDENCY_FILES.search(added.path) or not (name := _REQUIREMENT.match(added.text)):
            continue
        package = name[1].lower()
        if package not in _KEYS and package not in removed.get(added.path, "").lower():
            found.append((added, package))
    return found

"""What a project depends on, from its manifests, with the line that says it. Nothing runs: setup.py is only parsed."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.errors import reason_of
from cockpit.files import read_regular
from cockpit.findings.discovery import is_api_schema, is_sql_file, is_start_file
from cockpit.plain_text import plain_text
from skills.gates.engine.patterns import lazy
from skills.gates.model import ApiSchema, Evidence, Fact, ProjectEvidence
from skills.record import record

if TYPE_CHECKING:
    from configparser import RawConfigParser

_NAME = lazy(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_FACTOR = lazy(r"^[\w,{}!.*-]+\s*:\s+")
_LARGEST = 1_000_000
_LARGEST_SCHEMA = 8_000_000
_BESIDE = frozenset(
    ("test", "tests", "testing", "ci", "github", "dev", "tools", "tooling", "scripts", "script", "docker", "build",
     "deploy", "deployment", "deps", "dependencies", "pip", "requirements", "docs", "doc", "etc", "config", "conf")
)  # fmt: skip
_NO_DEPENDENCIES = frozenset(("ruff.toml", ".ruff.toml", ".pre-commit-config.yaml"))
_SETUP_WORDS = frozenset(("install_requires", "tests_require", "extras_require", "setup_requires"))


@record
class Manifests:
    """A project's dependencies, what says that it uses ruff ("" where nothing does), and files that cannot be read."""

    evidence: ProjectEvidence
    ruff: str = ""
    problems: tuple[tuple[str, str], ...] = ()


def read_manifests(root: Path, names: Iterable[str], sources: Mapping[str, bytes] | None = None) -> Manifests:
    """Read the manifests `names` (relative to `root`; what `sources` hold is not looked for there). A broken one is a
    problem, and the others are still read."""

    def text_of(name: str, largest: int = _LARGEST) -> str:
        return _text(root / name, largest, (sources or {}).get(name))

    names = list(names)
    found: dict[str, str] = {}
    asked: list[tuple[str, str]] = []
    problems: list[tuple[str, str]] = []
    schemas: list[ApiSchema] = []
    started: list[Evidence] = []
    told: dict[str, tuple[Fact, ...]] = {}
    ruff = ""
    for name in sorted(names, key=lambda name: (name.count("/"), name)):
        if is_api_schema(name):
            schemas += _schema(name, text_of)
            continue
        if is_sql_file(name):
            if facts := _sql(name, text_of):
                told[plain_text(name, 200)] = facts
            continue
        if is_start_file(name):
            started += _started(name, text_of)
            continue
        try:
            text = text_of(name)
            dependencies, says_ruff = _read(name, text)
        except (OSError, ValueError, RecursionError) as problem:
            problems.append((plain_text(name, 200), f"cannot be read: {plain_text(reason_of(problem), 120)}"))
            continue
        for dependency, line in dependencies:
            found.setdefault(normalised(dependency), f"{plain_text(name, 200)}:{line}")
            asked.append((name, normalised(dependency)))
        ruff = ruff or (plain_text(name, 200) if says_ruff else "")
    unread = next((f"{name} {why}" for name, why in problems if "/" not in name and name not in _NO_DEPENDENCIES), "")
    evidence = ProjectEvidence(
        found,
        schemas=tuple(schemas),
        packages=_packages(names, asked),
        started=tuple(started),
        unread=unread,
        told=told,
    )
    return Manifests(evidence, ruff or found.get("ruff", ""), tuple(problems))


def _packages(names: Iterable[str], asked: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """What each package of a repository of several asks for, by its folder; what no folder has counts for the root.

    `asked` are pairs of a manifest and a dependency. Requirements that lie beside tests or tools are those of the
    folder around them."""
    folders = {folder for name in names if (folder := _package_of(name))}
    if not folders:
        return {}
    found: dict[str, dict[str, None]] = {folder: {} for folder in ("", *sorted(folders))}
    for name, dependency in asked:
        folder = name.rpartition("/")[0]
        while folder and folder not in folders:
            folder = folder.rpartition("/")[0]
        found[folder][dependency] = None
    return {folder: tuple(of) for folder, of in found.items()}


def _package_of(name: str) -> str:
    """The folder of the package that a manifest makes, "" for the root and where it makes none."""
    folder, _, last = name.rpartition("/")
    if last in ("pyproject.toml", "setup.py", "setup.cfg", "Pipfile"):
        return folder
    if last.endswith((".txt", ".in")):
        if folder.rpartition("/")[2] == "requirements":
            folder = folder.rpartition("/")[0]
        return "" if folder.rpartition("/")[2].strip("._").lower() in _BESIDE else folder
    return ""


def normalised(name: str) -> str:
    """A package name as the index compares it: lower case, runs of `-_.` as one hyphen (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def requirement_name(line: str) -> str:
    """The package that a requirement names, "" for options, comments, paths and addresses."""
    entry = line.split("#", 1)[0].strip()
    if not entry or entry.startswith(("-", ".", "/")) or re.match(r"[a-z+]+://|git\+", entry):
        return ""
    found = _NAME.match(entry)
    return found.group(1) if found else ""


def _schema(name: str, text_of: Callable[[str, int], str]) -> list[ApiSchema]:
    """The schema that a file is: none where it is only named like one (a workflow of CI, the models of dbt)."""
    from skills.gates.fastapi.openapi_schema import is_schema, parse_schema  # few projects have one

    shown = plain_text(name, 200)
    try:
        text = text_of(name, _LARGEST_SCHEMA)
    except (OSError, ValueError) as problem:
        return [ApiSchema(shown, problem=f"{shown} cannot be read: {plain_text(reason_of(problem), 120)}")]
    return [parse_schema(shown, text)] if is_schema(shown, text) else []


def _sql(name: str, text_of: Callable[[str], str]) -> tuple[Fact, ...]:
    """What a file of SQL tells of triggers and channels. What cannot be read tells nothing."""
    try:
        text = text_of(name)
    except (OSError, ValueError):
        return ()
    upper = text.upper()
    if "TRIGGER" not in upper and "NOTIFY" not in upper:
        return ()
    from skills.gates.persistence.sql_texts import file_facts  # few projects have one

    return tuple(
        Fact(one.kind, plain_text(one.name, 200), plain_text(one.detail, 200), one.line) for one in file_facts(text)
    )


def _started(name: str, text_of: Callable[[str], str]) -> list[Evidence]:
    """The commands of a file that start a worker with its scheduler. What cannot be read starts none."""
    try:
        text = text_of(name)
    except (OSError, ValueError):
        return []
    if "celery" not in text:
        return []
    from skills.gates.celery.start_files import workers_with_beat  # few projects start one

    return [
        Evidence(found.path, found.line, plain_text(found.text, 120))
        for found in workers_with_beat(plain_text(name, 200), text)
    ]


def _text(path: Path, largest: int, source: bytes | None) -> str:
    raw = read_regular(path, largest + 1) if source is None else source
    if len(raw) > largest:
        raise ValueError(f"larger than {largest // 1_000_000} MB")
    return raw.decode("utf-8-sig", "replace")


def _toml(text: str) -> dict[str, Any]:
    import tomllib  # not every project has one, and the hook feels each import

    return tomllib.loads(text)


def _read(name: str, text: str) -> tuple[list[tuple[str, int]], bool]:
    last = name.rpartition("/")[2]
    if last == "pyproject.toml":
        document = _toml(text)
        tool = document.get("tool")
        return _numbered(text, _pyproject(document)), isinstance(tool, dict) and "ruff" in tool
    if last in ("ruff.toml", ".ruff.toml"):
        return [], True
    if last == ".pre-commit-config.yaml":
        return [], re.search(r"^\s*(-\s*)?(repo:.*ruff-pre-commit|id:\s*['\"]?ruff)", text, re.MULTILINE) is not None
    if last == "Pipfile":
        document = _toml(text)
        groups = [document.get(key) for key in ("packages", "dev-packages")]
        return _numbered(text, [key for group in groups if isinstance(group, dict) for key in group]), False
    if last == "setup.cfg":
        return _numbered(text, _setup_cfg(text)), False
    if last == "setup.py":
        return _setup_py(text), False
    if last == "tox.ini":
        return _numbered(text, _tox(text)), False
    return [
        (package, number) for number, line in enumerate(text.splitlines(), 1) if (package := requirement_name(line))
    ], False


def _pyproject(document: dict[str, Any]) -> list[str]:
    project = _table(document, "project")
    groups: list[Any] = [project.get("dependencies")]
    groups += _table(project, "optional-dependencies").values()
    groups += _table(document, "dependency-groups").values()
    groups += _table(document, "tool", "pdm", "dev-dependencies").values()
    groups += [_table(document, "tool", name).get("dev-dependencies") for name in ("uv", "rye")]
    for environment in _table(document, "tool", "hatch", "envs").values():
        groups += [_table(environment).get(key) for key in ("dependencies", "extra-dependencies")]
    for environment in _table(document, "tool", "tox", "env").values():
        groups.append(_table(environment).get("deps"))
    found = [requirement_name(entry) for group in groups for entry in _strings(group)]
    poetry = _table(document, "tool", "poetry")
    tables = [_table(poetry, "dependencies"), _table(poetry, "dev-dependencies")]
    tables += [_table(group, "dependencies") for group in _table(poetry, "group").values() if isinstance(group, dict)]
    found += [name for table in tables for name in table if name != "python"]
    legacy = _table(document, "tool", "tox").get("legacy_tox_ini")
    found += _tox(legacy) if isinstance(legacy, str) else []
    return [name for name in found if name]


def _ini(text: str) -> "RawConfigParser":
    import configparser

    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error as problem:
        raise ValueError(str(problem)) from None
    return parser


def _tox(text: str) -> list[str]:
    """What the environments of tox install, whatever factor a line is for (`py311: pytest-mock`)."""
    parser = _ini(text)
    lines = [line for section in parser.sections() for line in parser.get(section, "deps", fallback="").splitlines()]
    return [name for line in lines if (name := requirement_name(_FACTOR.sub("", line.strip())))]


def _setup_py(text: str) -> list[tuple[str, int]]:
    """What the call of `setup` spells out, in itself or in lists that the file binds to names."""
    import ast

    from skills.gates.engine.walk import parse

    tree, problem = parse(text.encode())
    if tree is None:
        raise ValueError(f"line {problem.line}: {problem.message}" if problem else "")
    bound = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    found: dict[str, int] = {}
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    left: list[ast.AST] = [word.value for call in calls for word in call.keywords if word.arg in _SETUP_WORDS]
    while left:
        # The keys of `extras_require` are names of extras.
        node = left.pop()
        if isinstance(node, ast.Dict):
            left += node.values
        elif isinstance(node, ast.Name):
            left += [value] if (value := bound.pop(node.id, None)) is not None else []
        elif isinstance(node, ast.Constant):
            if isinstance(node.value, str) and (name := requirement_name(node.value)):
                found.setdefault(name, node.lineno)
        else:
            left += ast.iter_child_nodes(node)
    return list(found.items())


def _setup_cfg(text: str) -> list[str]:
    parser = _ini(text)
    entries: list[str] = []
    if parser.has_section("options"):
        for key in ("install_requires", "tests_require", "setup_requires"):
            entries += parser.get("options", key, fallback="").splitlines()
    if parser.has_section("options.extras_require"):
        for _, value in parser.items("options.extras_require"):
            entries += value.splitlines()
    return [name for entry in entries if (name := requirement_name(entry))]


# What says what a project is, not what it needs, in TOML and in setup.cfg.
_ABOUT = re.compile(
    r"^(?:keywords|classifiers|name|description)[ \t]*=[ \t]*(?:\[[^\]]*\]|[^\n]*(?:\n[ \t]+[^\n]*)*)", re.MULTILINE
)


def _numbered(text: str, names: list[str]) -> list[tuple[str, int]]:
    """Each name with the first line that holds it as a word, those left out that are about the project itself."""
    lines = _ABOUT.sub(lambda found: "\n" * found[0].count("\n"), text).splitlines()
    found: list[tuple[str, int]] = []
    for name in dict.fromkeys(names):
        word = re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w-])")
        at = next((number for number, line in enumerate(lines, 1) if word.search(line.split(" #", 1)[0])), 1)
        found.append((name, at))
    return found


def _table(value: Any, *keys: str) -> dict[str, Any]:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        yield from (entry for entry in value if isinstance(entry, str))

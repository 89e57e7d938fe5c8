"""Which files are in scope: git's own list of what is tracked or not ignored, minus vendored and generated code."""

import os
import re
import stat
from collections.abc import Container, Iterable
from dataclasses import field
from pathlib import Path

from cockpit.files import read_regular
from cockpit.git_command import GitFailed, RunningGit, git
from skills.gates.engine.patterns import lazy
from skills.record import record

LARGEST = 2_000_000
TOO_LARGE = "larger than 2 MB"
_LIST = ("--literal-pathspecs", "ls-files", "-z", "-co", "--exclude-standard")

_FOREIGN = frozenset(("site-packages", "dist-packages", "node_modules", "bower_components", "__pypackages__"))
_FOREIGN |= {
    "third_party",
    "third-party",
    "thirdparty",
    "3rdparty",
    "_vendor",
    "_vendored",
    "vendored",
    ".venv",
    "venv",
    ".tox",
    ".nox",
    ".eggs",
}
_FOREIGN |= {".git", ".hg", "__pycache__", ".mypy_cache", ".ruff_cache"}
_BUILT = frozenset(("dist", "build"))
_PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg", "package.json")
_MANIFESTS = frozenset(("pyproject.toml", "setup.cfg", "setup.py", "Pipfile", "tox.ini", "ruff.toml", ".ruff.toml"))
_MANIFESTS |= {".pre-commit-config.yaml"}
_MANIFEST_KINDS = frozenset(["toml", "cfg", "ini", "txt", "in", "yaml", "yml", "json", "sh", "service", "conf", "sql"])
_APP_FILES = ("apps.py", "models.py", "urls.py", "views.py")
_GENERATED_NAME = lazy(r"_pb2(_grpc)?\.pyi?$|_pb2_grpc\.py$")
_SQL_PLACE = lazy(
    r"(^|/)\w*(migrat|alembic|versions|sql|schema|trigger|database|postgres|initdb)[\w.-]*/|"
    r"(^|/)(db|ddl)/|(schema|trigger|notify|init)\w*\.sql$", re.I,
)  # fmt: skip
_SUBMODULE = lazy(r"^[ \t]*path[ \t]*=[ \t]*\"?([^\"\r\n]*[^\"\s])", re.MULTILINE)
_HEADER = lazy(rb"^[ \t]*#.*$", re.MULTILINE)
_MADE = lazy(
    rb"^\W*th(?:is|e) (?:file|code|module|client) (?:is|was|has been) auto(?:matically)?[- ]?generated\b", re.I | re.M
)
_PLAIN_ORDER = lazy(rb"^\W*do not edit( this file)?( manually| by hand| directly)?\W*$", re.IGNORECASE | re.MULTILINE)


@record
class FileMark:
    """What tells one version of a file from the next without reading it."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


NOT_SEEN = FileMark(0, 0, 0, 0)
"""The mark of a file that was not looked at, or cannot be."""


@record
class Scope:
    """The Python files to judge, and what was left out.

    `files` are POSIX paths relative to the root, sorted; undecodable bytes are surrogate escapes. `skipped` counts what
    was left out by reason. `folders` are all folders that hold files git does not ignore, "" for the root. `manifests`
    are files that name dependencies. `by_git` is False where git could not list the files and the folders were walked.
    """

    files: dict[str, FileMark] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    folders: frozenset[str] = frozenset()
    manifests: tuple[str, ...] = ()
    by_git: bool = True


class Listing:
    """Git's list of the files below `root` that it does not ignore, made while the caller does something else."""

    def __init__(self, root: Path) -> None:
        self._running = RunningGit(root, *_LIST)

    def names(self) -> set[str]:
        """The list, once it is there. Raises `GitFailed` where git could not make it."""
        return _split(self._running.answer().decode("utf-8", "surrogateescape"))


def discover(
    root: Path,
    exclude: tuple[str, ...] = (),
    only: tuple[str, ...] | None = None,
    listed: Iterable[str] | Listing | None = None,
) -> Scope:
    """The files in scope below `root`.

    `exclude` are glob patterns from the configuration; a folder's pattern takes out everything below it. `only` limits
    the look to these relative paths (files or folders), which are looked at again. `listed` is git's list where it is
    already known or on its way. Raises nothing.
    """
    try:
        if isinstance(listed, Listing):
            names = listed.names()
        else:
            names = set(listed) if listed is not None else _git_files(root, only)
        by_git = True
    except GitFailed:
        names, by_git = _walked(root, only), False
    foreign = _Foreign(names, exclude)
    files: dict[str, FileMark] = {}
    skipped: dict[str, str] = {}
    others = {name for name in names if name.endswith("/")}
    names -= others
    if ".gitmodules" in names:
        others |= names & _submodules(root)
    skipped |= dict.fromkeys(others, "repository of its own")
    for name in sorted(names):
        if not name.endswith(".py") or name in others:
            continue
        reason, mark = foreign.reason(name), None
        if not reason:
            mark, reason = look(root, name)
        if mark is not None:
            files[name] = mark
        elif reason:
            skipped[name] = reason
    return Scope(files, skipped, _folders(names, foreign), _manifests(names, foreign), by_git)


def scope_of_index(names: Iterable[str], exclude: tuple[str, ...] = ()) -> Scope:
    """The files in scope of git's index, which need not be in the work tree: their mark is `NOT_SEEN`. The folders are
    not told."""
    names = sorted(names)
    foreign = _Foreign(frozenset(names), exclude)
    files: dict[str, FileMark] = {}
    skipped: dict[str, str] = {}
    for name in names:
        if name.endswith(".py"):
            if reason := foreign.reason(name):
                skipped[name] = reason
            else:
                files[name] = NOT_SEEN
    return Scope(files, skipped, manifests=_manifests(names, foreign))


def _manifests(names: Iterable[str], foreign: "_Foreign") -> tuple[str, ...]:
    return tuple(sorted(name for name in names if is_manifest(name) and not foreign.reason(name)))


def left_out(name: str, names: Container[str], exclude: tuple[str, ...]) -> str:
    """Why a file that is, or would be, among `names` is not the project's own code, "" where it is."""
    return _Foreign(_With(names, name), exclude).reason(name)


class _With(Container[str]):
    """Names and one more."""

    def __init__(self, names: Container[str], more: str) -> None:
        self._names, self._more = names, more

    def __contains__(self, name: object) -> bool:
        return name == self._more or name in self._names


def look(root: Path, name: str) -> tuple[FileMark | None, str]:
    """The mark of one file, or why it is left out ("" where it is gone, or a folder now).

    One in a folder that may not be entered has an empty mark: reading it will say why it cannot be judged.
    """
    try:
        found = os.lstat(os.path.join(root, name))  # noqa: PTH118 - a thousand Path objects cost more than the call
    except (FileNotFoundError, NotADirectoryError):
        return None, ""
    except OSError:
        return NOT_SEEN, ""
    if stat.S_ISLNK(found.st_mode):
        return None, "link"  # what it points at is judged under its own name
    if not stat.S_ISREG(found.st_mode):
        return None, "" if stat.S_ISDIR(found.st_mode) else "not a regular file"
    if found.st_size > LARGEST:
        return None, TOO_LARGE
    return FileMark(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino), ""


def is_manifest(name: str) -> bool:
    """Whether a file names the project's dependencies, its linter, the operations of its API, its processes, or the
    triggers of its database."""
    folder, _, last = name.rpartition("/")
    if last.endswith(".py"):
        return last == "setup.py"
    lower = last.lower()
    kind = lower.rpartition(".")[2]
    if kind not in _MANIFEST_KINDS and "dockerfile" not in lower and "procfile" not in lower and last != "Pipfile":
        return False  # soon told, of thousands
    if last in _MANIFESTS:
        return True
    in_folder = folder.rpartition("/")[2] == "requirements"
    if last.endswith((".txt", ".in")):
        return "requirements" in last or in_folder
    return is_api_schema(last) or is_start_file(last) or is_sql_file(name)


def is_start_file(name: str) -> bool:
    """Whether a file is named as one that starts processes: Procfile, compose.yml, Dockerfile, worker.sh, …"""
    last = name.rpartition("/")[2].lower()
    if last.startswith(("procfile", "dockerfile")) or last.endswith((".sh", ".service")):
        return True
    named = last.startswith(("docker-compose", "compose")) or "celery" in last or "worker" in last
    return (named and last.endswith((".yml", ".yaml"))) or (
        last.endswith((".conf", ".ini")) and ("celery" in last or "supervisor" in last)
    )


def is_sql_file(name: str) -> bool:
    """Whether a file of SQL lies where a database is set up or migrated."""
    return name.lower().endswith(".sql") and _SQL_PLACE.search(name) is not None


def is_api_schema(name: str) -> bool:
    """Whether a file is named as the schema of an API: openapi.yaml, docs/swagger-v1.json, schema.yml."""
    last = name.rpartition("/")[2].lower()
    if not last.endswith((".yaml", ".yml", ".json")):
        return False
    stem = last.rpartition(".")[0]
    return stem.startswith(("openapi", "swagger")) or last in ("schema.yml", "schema.yaml")


def is_generated(source: bytes) -> bool:
    """Whether the first comments of a file say that a program wrote it and that nobody should edit it."""
    head = source[:2000]
    lower = head.lower()
    if b"generated" not in lower and b"do not edit" not in lower:
        return False
    head = b"\n".join(_HEADER.findall(head))
    lower = head.lower()
    if b"@generated" in lower or _MADE.search(head) is not None:
        return True
    if b"do not edit" not in lower:
        return False
    return b"generated" in lower or _PLAIN_ORDER.search(head) is not None


class _Foreign:
    """Tells vendored and excluded paths from a project's own. Answers are kept by folder."""

    def __init__(self, names: Container[str], exclude: tuple[str, ...]) -> None:
        self.names = names
        self.exclude = [pattern.removeprefix("./").rstrip("/") for pattern in exclude]
        self.known: dict[str, str] = {"": ""}

    def reason(self, name: str) -> str:
        folder = name.rpartition("/")[0]
        found = self.known.get(folder)
        if found is None:
            found = self.folder(folder)
        if not found and "_pb2" in name and _GENERATED_NAME.search(name):
            found = "generated"
        if not found and self.exclude and self._excluded(name):
            found = "excluded"
        return found

    def folder(self, folder: str) -> str:
        if folder not in self.known:
            above, _, last = folder.rpartition("/")
            self.known[folder] = self.folder(above) or self._own(folder, above, last)
        return self.known[folder]

    def _own(self, folder: str, above: str, last: str) -> str:
        if last in _FOREIGN:
            return "vendored"
        if f"{folder}/pyvenv.cfg" in self.names:
            return "vendored"  # an environment, whatever it is called
        if last == "vendor" and not any(f"{folder}/{name}" in self.names for name in _APP_FILES):
            return "vendored"
        beside = f"{above}/" if above else ""
        if last in _BUILT and (not above or any(beside + name in self.names for name in _PROJECT_FILES)):
            return "build output"
        return "excluded" if self._excluded(folder) else ""

    def _excluded(self, name: str) -> bool:
        if not self.exclude:
            return False
        import fnmatch

        last = name.rpartition("/")[2]
        return any(
            fnmatch.fnmatchcase(name, pattern) or ("/" not in pattern and fnmatch.fnmatchcase(last, pattern))
            for pattern in self.exclude
        )


def _git_files(root: Path, only: tuple[str, ...] | None) -> set[str]:
    if only is None or len(only) > 100:
        names = Listing(root).names()
        return names if only is None else {name for name in names if _below(name, only)}
    return _split(git(root, *_LIST, "--", *(name or "." for name in only))) if only else set()


def _submodules(root: Path) -> frozenset[str]:
    """The folders that `.gitmodules` names; git lists them as if they were files."""
    try:
        text = read_regular(root / ".gitmodules", 1_000_000).decode("utf-8", "surrogateescape")
    except OSError:
        return frozenset()
    return frozenset(_SUBMODULE.findall(text))


def _split(listed: str) -> set[str]:
    return {name for name in listed.split("\0") if name}


def _below(name: str, only: tuple[str, ...]) -> bool:
    return any(name == path or path == "" or name.startswith(path + "/") for path in only)


def _walked(root: Path, only: tuple[str, ...] | None) -> set[str]:
    names = {name for name in only or () if (root / name).is_file()}
    for start in [""] if only is None else [name for name in only if name not in names]:
        for folder, folders, files in os.walk(root / start, followlinks=False):
            folders[:] = [name for name in folders if name not in _FOREIGN]
            below = os.path.relpath(folder, root).replace(os.sep, "/")
            names.update(name if below == "." else f"{below}/{name}" for name in files)
    return names


def _folders(names: set[str], foreign: _Foreign) -> frozenset[str]:
    found = {""}
    for name in names:
        folder = name.rpartition("/")[0]
        while folder and folder not in found:
            if foreign.folder(folder) != "vendored":
                found.add(folder)
            folder = folder.rpartition("/")[0]
    return frozenset(found)

"""What was added: the content of git's index, and the lines that a change adds."""

import os
import re
from collections.abc import Container, Iterable, Mapping
from pathlib import Path

from cockpit.errors import CannotAnswer
from cockpit.findings.discovery import LARGEST, is_api_schema, is_start_file
from cockpit.git_command import GitFailed, RunningGit, git, git_bytes
from cockpit.plain_text import plain_text
from cockpit.quoted_paths import unquoted
from cockpit.repository import find_repository
from skills.gates.engine.patterns import lazy
from skills.record import record

Lines = dict[str, frozenset[int] | None]

_HUNK = re.compile(rb"^@@ -\S+ \+(\d+)(?:,(\d+))? @@")
_DIFF = (
    "diff",
    "--no-ext-diff",
    "--no-textconv",
    "--text",  # whatever an attribute says (*.py -diff): a file whose change git does not show is judged as well
    "--no-color",
    "-U0",
    "--inter-hunk-context=0",
    "--find-renames",  # whatever diff.renames says: a file that moved adds nothing
    "--ignore-cr-at-eol",  # other ends of lines add nothing either
    "--relative",
    "--src-prefix=a/",
    "--dst-prefix=b/",
)
# files in which rules find something: Python, and what `_is_spoken_of` picks of others
_FILES = (
    "*.py",
    *(f":(icase)*{name}*" for name in ("procfile", "dockerfile", "compose", "celery", "worker", "supervisor")),
    *(f":(icase)*{name}" for name in (".sh", ".service", "openapi*", "swagger*", "schema.yml", "schema.yaml")),
)
_COMMIT = lazy(r"[0-9a-f]{40,64}")
# how `git ls-files -t -s` begins the row of a regular file, of one that is left out of the work tree, and of a conflict
_REGULAR, _SPARSE, _UNMERGED = "H 100", "S 100", "M "
_ID = len("H 100644 ")


@record
class Staged:
    """The index: the names of its regular files in its order, what git calls the content of the Python ones (in
    hexadecimal digits), the lines added to HEAD, the rows of git's list of all."""

    names: list[str]
    ids: dict[str, str]
    added: Lines
    rows: list[str]

    def ids_of(self, names: Container[str]) -> dict[str, str]:
        """What git calls the content of some regular files, whatever their kind."""
        rows = ((row[at:], row[_ID : at - 3]) for row in self.rows if (at := row.find("\t") + 1))
        return {name: blob for name, blob in rows if name in names}


class StagedReading:
    """The index of the repository at `root`, read by two git processes while the caller does something else.

    In a hook this is the index that git named (`git commit -a`).
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        environment = index_of_hook()
        self._files = RunningGit(root, "ls-files", "-s", "-t", "-z", environment=environment)
        # What a merge brings was judged where it was written: only lines that none of its parents has are added.
        self._diffs = [
            RunningGit(root, *_DIFF, "--cached", *parent, "--", *_FILES, environment=environment)
            for parent in ((), *((head,) for head in _merged(root)))
        ]

    def answer(self) -> Staged:
        """What the index holds. Raises `CannotAnswer` where git cannot read it."""
        try:
            listed = self._files.answer()
            added = _common(_added(diff.answer()) for diff in self._diffs)
            rows = os.fsdecode(listed).split("\0")
            names, ids = self._listed(rows, added)
        except GitFailed as problem:
            raise CannotAnswer(f"the index cannot be read: {problem.line}") from None
        told = {name: lines for name, lines in added.items() if name in ids or not name.endswith(".py")}
        return Staged(names, ids, told, rows)

    def _listed(self, rows: list[str], added: Container[str]) -> tuple[list[str], dict[str, str]]:
        """The names in the rows of `ls-files`, and the ids of the Python ones; each step is felt in a large project."""
        at = rows[0].find("\t") + 1
        names = [row[at:] for row in rows if row.startswith(_REGULAR)]
        ids = {row[at:]: row[_ID : at - 3] for row in rows if row.endswith(".py") and row.startswith(_REGULAR)}
        for row in [row for row in rows if row.startswith((_UNMERGED, _SPARSE))]:
            name = row[at:]
            if row.startswith(_UNMERGED) and row.endswith(".py"):
                raise CannotAnswer(
                    f"{plain_text(name, 200)} has a conflict that is not resolved", "resolve it and stage it: git add"
                )
            here = os.path.join(self.root, name)  # noqa: PTH118 - it is felt
            if row.startswith(_SPARSE) and (name in added or os.path.lexists(here)):
                names.append(name)
                if name.endswith(".py"):
                    ids[name] = row[_ID : at - 3]
        return names, ids


def contents_of(root: Path, ids: Mapping[str, str]) -> dict[str, bytes | None]:
    """What git holds under each of these ids, by name; None for what is beyond the size limit. What a partial clone
    has not got is left out. Raises `CannotAnswer` where git cannot tell."""
    if not ids:
        return {}
    names = sorted(ids)
    try:
        asked = "".join(ids[name] + "\n" for name in names).encode()
        answer = RunningGit(root, "cat-file", "--batch").answer(asked)
    except GitFailed as problem:
        raise CannotAnswer(f"the index cannot be read: {problem.line}") from None
    found: dict[str, bytes | None] = {}
    at = 0
    for name in names:
        end = answer.index(b"\n", at)
        words = answer[at:end].split(b" ")
        size = int(words[2]) if len(words) == 3 else -1
        if size >= 0:
            found[name] = answer[end + 1 : end + 1 + size] if size <= LARGEST else None
        at = end + 1 + (size + 1 if size >= 0 else 0)
    return found


def python_differs(root: Path) -> bool:
    """Whether the work tree has another content of a Python file than the index, or lacks one. Raises `CannotAnswer`
    where git cannot tell."""
    try:
        return bool(RunningGit(root, "ls-files", "-m", "-z", "--", "*.py", environment=index_of_hook()).answer())
    except GitFailed as problem:
        raise CannotAnswer(f"the index cannot be read: {problem.line}") from None


def _merged(root: Path) -> list[str]:
    """The commits that a merge in progress brings to HEAD."""
    try:
        said = (find_repository(root).git_dir / "MERGE_HEAD").read_text(encoding="ascii", errors="replace")
    except (OSError, CannotAnswer):
        return []
    return [word for word in said.split() if _COMMIT.fullmatch(word)]


def added_since(root: Path, revision: str) -> Lines:
    """The lines added to files in which rules find something since the work left `revision`, that is since the newest
    commit that both have: what `revision` got meanwhile is nobody's here. Untracked files whole.

    Raises `CannotAnswer` where there is no such revision.
    """
    try:
        commit = git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}").strip()
    except GitFailed:
        raise CannotAnswer(f"{plain_text(revision, 80)!r} is not a revision of this repository") from None
    try:
        parents = (_left_at(root, commit), *_merged(root))  # what a merge in progress brings is nobody's here either
        added = _common(_added(git_bytes(root, *_DIFF, parent, "--", *_FILES)) for parent in parents)
        untracked = git(root, "ls-files", "-z", "-o", "--exclude-standard", "--", *_FILES)
    except GitFailed as problem:
        raise CannotAnswer(f"the change since {plain_text(revision, 80)} cannot be read: {problem.line}") from None
    return {**added, **{name: None for name in untracked.split("\0") if name and _is_spoken_of(name)}}


def _left_at(root: Path, commit: str) -> str:
    """The newest commit that HEAD and another one have in common; that one itself where there is none (a shallow clone,
    another history)."""
    try:
        return git(root, "merge-base", commit, "HEAD").strip() or commit
    except GitFailed:
        return commit


def index_of_hook() -> dict[str, str]:
    """The variable that names the index of a commit in progress, where git called us from a hook. It is handed on as it
    is: a relative name is one below the root of the work tree, whatever folder the hook goes to."""
    index = os.environ.get("GIT_INDEX_FILE")
    return {"GIT_INDEX_FILE": index} if index else {}


def _common(changes: Iterable[Lines]) -> Lines:
    """The files that each of some changes touches, with the lines that all of them add."""
    common, *others = map(dict, changes)
    for other in others:
        common = {name: _both(lines, other[name]) for name, lines in common.items() if name in other}
    return common


def _both(some: frozenset[int] | None, others: frozenset[int] | None) -> frozenset[int] | None:
    return others if some is None else some if others is None else some & others


def _added(diff: bytes) -> Lines:
    """The added lines of each file of a diff without context; all where one of them is several for the parser, which
    ends lines at a carriage return alone too."""
    found: dict[str, set[int]] = {}
    odd: set[str] = set()
    name, left = "", 0
    for line in diff.split(b"\n"):
        if left and line.startswith((b"+", b"\\")):
            left -= line.startswith(b"+")
            if b"\r" in line and b"\r" in line[:-1]:
                odd.add(name)
            continue
        if line.startswith(b"diff --git "):
            name = ""
        elif line.startswith(b"+++ "):
            name = _path(line[4:].rstrip(b"\r\t"))
        elif name and (hunk := _HUNK.match(line)):
            first, left = int(hunk[1]), int(hunk[2] or 1)
            found.setdefault(name, set()).update(range(first, first + left))
    return {name: None if name in odd else frozenset(found[name]) for name in found if _is_spoken_of(name)}


def _is_spoken_of(name: str) -> bool:
    """Whether rules find something in files of such a name."""
    return name.endswith(".py") or is_api_schema(name) or is_start_file(name)


def _path(name: bytes) -> str:
    """The path of a `+++` line, "" for a deletion."""
    return "" if name == b"/dev/null" else os.fsdecode(unquoted(name).removeprefix(b"b/"))

"""What was added: the content of git's index, and the lines that a change adds."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from cockpit.errors import CannotAnswer
from cockpit.findings.discovery import LARGEST
from cockpit.git_command import GitFailed, git, git_bytes
from cockpit.plain_text import plain_text

Lines = dict[str, frozenset[int] | None]

_HUNK = re.compile(rb"^@@ -\S+ \+(\d+)(?:,(\d+))? @@")
_DIFF = (
    "diff",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "-U0",
    "--inter-hunk-context=0",
    "--relative",
    "--src-prefix=a/",
    "--dst-prefix=b/",
)
_REGULAR = ("100644", "100755")
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


@dataclass(frozen=True, slots=True)
class Staged:
    """The index: its Python files, the content of those that differ from the work tree, the lines added to HEAD."""

    names: frozenset[str]
    sources: dict[str, bytes]
    added: Lines


def read_staged(root: Path) -> Staged:
    """The index of the repository at `root`. In a hook this is the index that git named (`git commit -a`).

    Raises `CannotAnswer` where git cannot read it.
    """
    environment = _index_of_hook()
    try:
        listed = git(root, "ls-files", "-s", "-z", "--", "*.py", environment=environment)
        rows = [row for row in listed.split("\0") if row]
        ids = {row.partition("\t")[2]: row.split(" ", 2)[1] for row in rows if row.startswith(_REGULAR)}
        differ = git(root, "diff-files", "--name-only", "--relative", "-z", environment=environment).split("\0")
        wanted = {name: ids[name] for name in differ if name in ids}
        sources = _blobs(root, wanted)
        head = "HEAD" if _has_commits(root) else EMPTY_TREE
        added = _added(git_bytes(root, *_DIFF, "--cached", head, "--", "*.py", environment=environment))
    except GitFailed as problem:
        raise CannotAnswer(f"the index cannot be read: {problem.line}") from None
    return Staged(frozenset(ids), sources, {name: lines for name, lines in added.items() if name in ids})


def added_since(root: Path, revision: str) -> Lines:
    """The lines of each Python file of the work tree that `revision` does not have; untracked files whole.

    Raises `CannotAnswer` where there is no such revision.
    """
    try:
        commit = git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}").strip()
    except GitFailed:
        raise CannotAnswer(f"{plain_text(revision, 80)!r} is not a revision of this repository") from None
    try:
        added = _added(git_bytes(root, *_DIFF, commit, "--", "*.py"))
        untracked = git(root, "ls-files", "-z", "-o", "--exclude-standard", "--", "*.py")
    except GitFailed as problem:
        raise CannotAnswer(f"the change since {plain_text(revision, 80)} cannot be read: {problem.line}") from None
    return {**added, **{name: None for name in untracked.split("\0") if name}}


def _index_of_hook() -> dict[str, str]:
    index = os.environ.get("GIT_INDEX_FILE")
    return {"GIT_INDEX_FILE": str(Path(index).absolute())} if index else {}


def _has_commits(root: Path) -> bool:
    try:
        git(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    except GitFailed:
        return False
    return True


def _blobs(root: Path, wanted: dict[str, str]) -> dict[str, bytes]:
    """The content of each blob; files beyond the size limit are left out."""
    if not wanted:
        return {}
    found: dict[str, bytes] = {}
    for name, blob in sorted(wanted.items()):
        if int(git(root, "cat-file", "-s", blob)) <= LARGEST:
            found[name] = git_bytes(root, "cat-file", "blob", blob)
    return found


def _added(diff: bytes) -> Lines:
    """The added lines of each file of a diff without context."""
    found: dict[str, set[int]] = {}
    name, left = "", 0
    for line in diff.split(b"\n"):
        if left and line.startswith((b"+", b"\\")):
            left -= line.startswith(b"+")
            continue
        if line.startswith(b"diff --git "):
            name = ""
        elif line.startswith(b"+++ "):
            name = _unquoted(line[4:].rstrip(b"\r\t"))
        elif name and (hunk := _HUNK.match(line)):
            first, left = int(hunk[1]), int(hunk[2] or 1)
            found.setdefault(name, set()).update(range(first, first + left))
    return {name: frozenset(lines) for name, lines in found.items()}


def _unquoted(name: bytes) -> str:
    """The path of a `+++` line, "" for a deletion."""
    if name == b"/dev/null":
        return ""
    if name.startswith(b'"') and name.endswith(b'"'):
        plain = name[1:-1]
        plain = re.sub(rb"\\([0-7]{3}|.)", _unescaped, plain)
    else:
        plain = name
    return os.fsdecode(plain.removeprefix(b"b/"))


def _unescaped(found: re.Match[bytes]) -> bytes:
    code = found[1]
    if len(code) == 3:
        return bytes([int(code, 8)])
    return {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}.get(code, code)

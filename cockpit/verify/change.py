"""The change that is verified: what was added since the branch left its base, committed or not, and what was said."""

import os
import re

from cockpit.files import read_regular, source_lines
from cockpit.findings.discovery import LARGEST
from cockpit.git_command import GitFailed, git
from cockpit.plain_text import plain_text
from cockpit.quoted_paths import unquoted
from cockpit.repository import Repository
from cockpit.worktrees.cheap import read_cheap
from skills.record import record
from skills.verify.diff_review import AddedLine

_HUNK = re.compile(r"^@@ -\S+ \+(\d+)")
_MOST = 200_000
_PLAIN = ("--no-ext-diff", "--no-textconv", "--no-color", "-U0", "--no-prefix")


@record
class Change:
    """The added lines of a change, its files, its removed lines by file, and the messages of its commits. `why` says
    why it could not be read, "" where it could; `about` says what it was compared with."""

    added: tuple[AddedLine, ...] = ()
    paths: tuple[str, ...] = ()
    removed: dict[str, str] | None = None
    said: str = ""
    about: str = ""
    why: str = ""


def read_change(repository: Repository, base: str | None) -> Change:
    """The change since the merge base with `base` (the default branch where it is None), uncommitted lines included."""
    root = repository.root
    try:
        against = base or read_cheap(repository, None).default_branch
        start = git(root, "merge-base", "HEAD", against).strip() if against else ""
        if not start:
            start = git(root, "rev-list", "--max-parents=0", "HEAD").split()[0]
        head = git(root, "rev-parse", "HEAD").strip()
        about = "against the last commit" if start == head else f"since {against or start[:9]}"
        diff = git(root, "diff", *_PLAIN, start, "--")
        said = git(root, "log", "--format=%B", f"{start}..HEAD")
        untracked = [name for name in git(root, "ls-files", "-z", "-o", "--exclude-standard").split("\0") if name]
    except (GitFailed, IndexError) as problem:
        return Change(why=f"the change cannot be read: {plain_text(problem, 120)}")
    added, removed = parse_diff(diff)
    for name in untracked:
        if name.endswith(".py") and len(added) < _MOST:
            try:
                lines = source_lines(read_regular(root / name, LARGEST))
            except OSError:
                continue
            added += [AddedLine(name, number, line) for number, line in enumerate(lines, 1)]
    paths = tuple(dict.fromkeys([*removed, *(line.path for line in added), *untracked]))
    return Change(tuple(added), paths, removed, said, plain_text(about, 80))


def parse_diff(diff: str) -> tuple[list[AddedLine], dict[str, str]]:
    """The added lines of a diff without context, and the removed lines by file."""
    added: list[AddedLine] = []
    removed: dict[str, list[str]] = {}
    path, old, number = "", "", 0
    in_header = False
    for line in diff.split("\n"):
        if line.startswith("diff --git "):
            path, in_header = "", True
        elif in_header and line.startswith("--- "):
            old = _path(line[4:])
        elif in_header and line.startswith("+++ "):
            name = _path(line[4:])
            path = old if name == "/dev/null" else name
            removed.setdefault(path, [])
        elif hunk := _HUNK.match(line):
            number, in_header = int(hunk[1]), False
        elif line.startswith("+") and path:
            if len(added) < _MOST:
                added.append(AddedLine(path, number, line[1:].removesuffix("\r")))
            number += 1
        elif line.startswith("-") and path:
            removed[path].append(line[1:].removesuffix("\r"))
    return added, {path: "\n".join(lines) for path, lines in removed.items()}


def _path(name: str) -> str:
    return os.fsdecode(unquoted(os.fsencode(name.rstrip("\r").removesuffix("\t"))))

"""The rescue ref of a removed worktree: HEAD, the index as a tree, and every commit that only its git folder names."""

import os
import re
import tempfile
from pathlib import Path

from cockpit.files import read_regular
from cockpit.git_command import OWN_IDENTITY, GitFailed
from cockpit.worktrees.room import Room

TRASH_REFS = "refs/cockpit/trash/"
_SHA = re.compile(r"\b[0-9a-f]{40}(?:[0-9a-f]{24})?\b")
_MOST_PARENTS = 200
_LARGEST = 4 << 20


def write_rescue(room: Room, name: str, admin: Path, head: str | None) -> str:
    """Make `refs/cockpit/trash/NAME`: a commit of the index, with HEAD and the commits in reach of nothing else as
    parents. Answers its id. Raises `GitFailed`, also where the index cannot be read.
    """
    tree = _index_tree(room, admin)
    parents = [head] if head else []
    parents += [sha for sha in _commits_named(room, admin) if sha != head][:_MOST_PARENTS]
    words = [word for sha in parents for word in ("-p", sha)]
    message = f"cockpit: {name}, removed from {admin.name}"
    commit = room.git("commit-tree", tree, *words, "-m", message, environment=OWN_IDENTITY).strip()
    room.git("update-ref", f"{TRASH_REFS}{name}", commit, "")
    return commit


def _index_tree(room: Room, admin: Path) -> str:
    """The index as a tree. What is in conflict lies under `.conflict/STAGE/`, as one tree holds a path only once."""
    listed = room.git(f"--git-dir={admin}", "ls-files", "--stage", "-z", folder=admin)
    lines = []
    for record in listed.split("\0"):
        facts, _, path = record.partition("\t")
        if path:
            mode, sha, stage = facts.split(" ")
            lines.append(f"{mode} {sha}\t{path if stage == '0' else f'.conflict/{stage}/{path}'}\0")
    with tempfile.TemporaryDirectory(prefix="index-", dir=room.folder) as folder:
        own = {
            "GIT_INDEX_FILE": f"{folder}/index",
            "GIT_DIR": str(room.common_dir),
            "GIT_WORK_TREE": folder,
        }
        given = "".join(lines).encode("utf-8", "surrogateescape")
        room.git("update-index", "-z", "--index-info", folder=room.common_dir, given=given, environment=own)
        return room.git("write-tree", "--missing-ok", folder=room.common_dir, environment=own).strip()


def _commits_named(room: Room, admin: Path) -> list[str]:
    """Commits whose ids stand in the worktree's own git folder: reflog, a rebase in progress, its own refs."""
    named: dict[str, None] = {}
    for folder, folders, files in os.walk(admin):
        folders[:] = [one for one in folders if one != "modules"]
        for file in sorted(files):
            if file == "index" or file.startswith("sharedindex."):
                continue
            try:
                text = read_regular(Path(folder, file), _LARGEST).decode("latin-1")
            except OSError:
                continue
            named.update(dict.fromkeys(_SHA.findall(text)))
    if not named:
        return []
    given = "".join(f"{sha}^{{commit}}\n" for sha in reversed(named)).encode()
    try:
        found = room.git("cat-file", "--batch-check=%(objecttype) %(objectname)", given=given)
    except GitFailed:
        return []
    commits = [line.split(" ")[1] for line in found.splitlines() if line.startswith("commit ")]
    return list(dict.fromkeys(commits))

"""What the day reports ask of git: the state of the work tree, recent commits, today's commits of this author."""

from datetime import datetime
from pathlib import Path

from cockpit.clock import at_seconds
from cockpit.git_command import GitFailed, git
from cockpit.plain_text import plain_text
from cockpit.worktrees.cheap import STATUS
from skills.ages import age
from skills.workflow.day import GitState

RECENT = 5
_LONGEST = 120


def read_git_state(root: Path, default_branch: str | None, now: datetime) -> GitState:
    """The state of the work tree at `root`. Raises `GitFailed`."""
    head, counts = _status(git(root, *STATUS))
    recent = read_commits(root, now, f"-{RECENT}", "HEAD") if head.get("oid") != "(initial)" else ()
    branch = head.get("head")
    ahead, behind = _apart(root, head.get("ab", ""))
    return GitState(
        branch=None if branch in (None, "(detached)") else plain_text(branch, _LONGEST),
        default_branch=default_branch,
        staged=counts["staged"],
        unstaged=counts["unstaged"],
        untracked=counts["untracked"],
        conflicts=counts["conflicts"],
        upstream=plain_text(head["upstream"], _LONGEST) if "upstream" in head else None,
        ahead=ahead,
        behind=behind,
        last=recent[0] if recent else None,
        recent=recent,
    )


def read_commits(root: Path, now: datetime, *selection: str) -> tuple[str, ...]:
    """Commits, newest first, one line each: short id, subject, age. Raises `GitFailed`."""
    told = git(root, "log", "--no-show-signature", "--format=%h%x00%ct%x00%s", *selection, "--")
    found = []
    for line in told.split("\n")[:-1]:  # a subject may hold what else `str.splitlines` cuts at
        short, at, subject = line.split("\0", 2)
        found.append(f"{short} {plain_text(subject, _LONGEST)} ({age(at_seconds(int(at)), now) or '?'} ago)")
    return tuple(found)


def read_author(root: Path) -> str | None:
    """The e-mail address that commits here would carry; None where none is configured."""
    import os

    try:
        return os.environ.get("GIT_AUTHOR_EMAIL") or git(root, "config", "user.email").strip() or None
    except GitFailed:
        return None


def commits_since(root: Path, since: datetime, author: str | None, now: datetime) -> tuple[str, ...]:
    """Commits on any branch since that moment, of `author` where one is given. Raises `GitFailed`."""
    who = ["--fixed-strings", f"--author=<{author}>"] if author else []
    return read_commits(root, now, "--no-merges", f"--since={int(since.timestamp())}", *who, "--branches")


def only_here(folder: str) -> int:
    """Commits of HEAD in `folder` that its upstream lacks (without one: no remote has). Raises `GitFailed`."""
    try:
        return int(git(folder, "rev-list", "--count", "@{upstream}..HEAD", "--"))
    except GitFailed:
        return int(git(folder, "rev-list", "--count", "HEAD", "--not", "--remotes", "--"))


def has_remote(folder: Path) -> bool:
    """Whether a remote is configured. False also where git does not tell."""
    try:
        return bool(git(folder, "remote").strip())
    except GitFailed:
        return False


def _status(output: str) -> tuple[dict[str, str], dict[str, int]]:
    head: dict[str, str] = {}
    counts = dict.fromkeys(("staged", "unstaged", "untracked", "conflicts"), 0)
    fields = iter(output.split("\0"))
    for entry in fields:
        kind = entry[:1]
        if kind == "#":
            name, _, value = entry.removeprefix("# branch.").partition(" ")
            head[name] = value
        elif kind in "12" and kind:
            counts["staged"] += entry[2] != "."
            counts["unstaged"] += entry[3] != "."
            if kind == "2":
                next(fields, None)
        elif kind == "u":
            counts["conflicts"] += 1
        elif kind == "?":
            counts["untracked"] += 1
    return head, counts


def _apart(root: Path, told: str) -> tuple[int | None, int | None]:
    """Commits ahead of and behind the upstream. A status says "+0 -0" where it is no other, "+? -?" where they were not
    counted, and nothing where there is none."""
    if "?" in told:
        ahead, behind = git(root, "rev-list", "--left-right", "--count", "HEAD...@{upstream}", "--").split()
        return int(ahead), int(behind)
    return _count(told, "+"), _count(told, "-")


def _count(text: str, sign: str) -> int | None:
    return next((int(word[1:]) for word in text.split() if word.startswith(sign)), None)

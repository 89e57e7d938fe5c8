"""What the sweep looks at in git and in the file system: names, added lines, env files, permissions."""

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from cockpit.findings.revisions import index_of_hook
from cockpit.git_command import GitFailed, RunningGit, git
from cockpit.plain_text import plain_text
from skills.workflow.sweep import HISTORY_COMMITS, SweepCheck, SweepFinding, added_lines, assigned_secret, is_env_file

_DIFF = ("--no-color", "--no-ext-diff", "--no-textconv", "-U0", "--inter-hunk-context=0", "--no-renames",
         "--src-prefix=a/", "--dst-prefix=b/")  # fmt: skip
_FORMAT = ("-c", "log.showRoot=true", "log", "-p", "--no-show-signature", "--format=%x00commit %H")

Added = tuple[str, int, str]


def listed_names(root: Path) -> list[str]:
    """Files that are tracked or not ignored, sorted. Raises `GitFailed`."""
    listed = git(root, "ls-files", "-z", "-co", "--exclude-standard")
    return sorted({name for name in listed.split("\0") if name and not name.endswith("/")})


def staged_lines(root: Path) -> list[Added]:
    """The lines that the index adds to HEAD. Raises `GitFailed`."""
    diff = _quick(root, "diff", "--cached", *_DIFF, "--")
    return [(name, line, text) for name, line, text, _ in added_lines(diff) if name]


def staged_names(root: Path) -> list[str]:
    """Files that the index adds or changes. Raises `GitFailed`."""
    names = _quick(root, "diff", "--cached", "--name-only", "-z", "--no-renames", "--diff-filter=d")
    return [name for name in names.split("\0") if name]


def _quick(root: Path, *words: str) -> str:
    """Git in the index that its hook has, started the quick way."""
    return RunningGit(root, *words, environment=index_of_hook()).answer().decode("utf-8", "surrogateescape")


def pushed_lines(root: Path, updates: Iterable[tuple[str, str]]) -> tuple[list[Added], list[str]]:
    """(added lines, env files in what is pushed) of the commits that no remote has: (what is sent, what is there).

    Raises `GitFailed`.
    """
    sent = [new for new, _ in updates if new.strip("0")]
    if not sent:
        return [], []
    there = [f"^{old}" for _, old in updates if old.strip("0") and _is_known(root, old)]
    log = git(root, *_FORMAT, *_DIFF, *sent, *there, "--not", "--remotes", "--", timeout=600.0)
    tracked = {name for new in sent for name in git(root, "ls-tree", "-r", "--name-only", "-z", new).split("\0")}
    return [(name, line, text) for name, line, text, _ in added_lines(log) if name], sorted(tracked - {""})


def _is_known(root: Path, commit: str) -> bool:
    try:
        git(root, "cat-file", "-e", f"{commit}^{{commit}}")
    except GitFailed:
        return False
    return True


def history(root: Path) -> SweepCheck:
    """Lines of the last ten commits that give a value to a password, secret, API key or token."""
    try:
        git(root, "rev-parse", "--verify", "--quiet", "HEAD")
    except GitFailed:
        return SweepCheck("history", "not_applicable", reason="there is no commit yet")
    try:
        log = git(root, *_FORMAT, *_DIFF, f"-{HISTORY_COMMITS}", "HEAD", "--", timeout=120.0)
    except GitFailed as problem:
        return SweepCheck("history", "not_run", reason=f"git: {plain_text(problem.line, 160)}")
    found = _assigned((name, line, text, f" in commit {commit[:8]}") for name, line, text, commit in added_lines(log))
    return SweepCheck("history", "fail" if found else "pass", found, tool="git log")


def assigned_in(lines: Sequence[Added]) -> SweepCheck:
    """The same look at lines that are about to become history."""
    found = _assigned((name, line, text, "") for name, line, text in lines)
    return SweepCheck("history", "fail" if found else "pass", found, tool="git diff")


def _assigned(lines: Iterable[tuple[str, int, str, str]]) -> tuple[SweepFinding, ...]:
    return tuple(
        SweepFinding(plain_text(name, 400), line, f"a secret is given in plain text{where}", shown)
        for name, line, text, where in lines
        if (shown := assigned_secret(text)) is not None
    )


def env_files(root: Path, allowed: Sequence[str]) -> SweepCheck:
    """Env files must be ignored and untracked. Raises `GitFailed`."""
    tracked = _env(git(root, "ls-files", "-z"), allowed)
    visible = _env(git(root, "ls-files", "-z", "-o", "--exclude-standard"), allowed)
    found = [SweepFinding(name, None, "is tracked by git: git rm --cached, then ignore it") for name in tracked]
    found += [SweepFinding(name, None, "is not ignored: add it to .gitignore") for name in visible]
    return SweepCheck("env-files", "fail" if found else "pass", tuple(found), tool="git ls-files")


def env_names(names: Iterable[str], allowed: Sequence[str], what: str) -> SweepCheck:
    """Env files among files that would enter the history."""
    found = [SweepFinding(plain_text(name, 400), None, what) for name in names if is_env_file(name, allowed)]
    return SweepCheck("env-files", "fail" if found else "pass", tuple(found), tool="git diff")


def _env(listed: str, allowed: Sequence[str]) -> Iterator[str]:
    return (plain_text(name, 400) for name in sorted(set(listed.split("\0"))) if is_env_file(name, allowed))


def permissions(root: Path, names: Iterable[str]) -> SweepCheck:
    """Files that anybody on this machine may write."""
    found, seen = [], 0
    for name in names:
        try:
            status = os.lstat(os.path.join(root, name))  # noqa: PTH118 - thousands of names
        except OSError:
            continue
        seen += 1
        if stat.S_ISREG(status.st_mode) and status.st_mode & stat.S_IWOTH:
            found.append(SweepFinding(plain_text(name, 400), None, "anybody may write it: chmod o-w"))
    if not seen:
        return SweepCheck("permissions", "not_applicable", reason="there is no file")
    return SweepCheck("permissions", "fail" if found else "pass", tuple(found))

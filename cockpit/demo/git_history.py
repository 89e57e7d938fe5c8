"""The demo's git: history, remote and worktrees, made by real git in a few processes."""

import os
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

from cockpit.demo.project import Branch, Commit, branches, main_history, overlay
from cockpit.errors import CannotAnswer
from cockpit.worktrees.setup_files import exclude
from skills.workflow.worktree_setup import TASK_FILE, TaskSheet, task_sheet

AUTHOR = ("Robin Acme", "robin@acme.example")
PUSHED = 10  # commits of main that the remote has


def build(folder: Path, now: datetime) -> Path:
    """Make the repository `folder/acme-api`, its bare remote and its worktrees. Returns its path.

    Raises `CannotAnswer` where git is missing or says no.
    """
    root = folder / "acme-api"
    remote = folder / "remotes" / "acme-api.git"
    _git(folder, "init", "-q", "--template=", "-b", "main", str(root))
    _git(folder, "init", "-q", "--bare", "--template=", "-b", "main", str(remote))
    _configure(root, remote)
    _git(root, "fast-import", "--quiet", "--force", stdin=_stream(now))
    _git(root, "reset", "-q", "--hard", "main")
    _fill(remote, root)
    _git(root, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    for branch in branches():
        place = worktree_path(folder, branch.folder)
        _git(root, "worktree", "add", "-q", str(place), branch.name)
        (place / TASK_FILE).write_text(_sheet(branch), "utf-8")
    exclude(root / ".git")
    for path, content in overlay("feature-api-edits").items():
        (worktree_path(folder, "feature-api") / path).write_text(content, "utf-8")
    _remember_commits(root)
    _git(worktree_path(folder, "docs"), "rebase", "-q", "main", may_fail=True, at=now - timedelta(minutes=95))
    return root


def _fill(remote: Path, root: Path) -> None:
    """Give the remote what `root` knows of it. The objects are shared: a push would start seven processes."""
    (remote / "objects" / "info" / "alternates").write_text(f"{root / '.git' / 'objects'}\n", "utf-8")
    told = _git(root, "for-each-ref", "--format=create refs/heads/%(refname:lstrip=3) %(objectname)", "refs/remotes")
    _git(remote, "update-ref", "--stdin", stdin=told.encode())


def _remember_commits(root: Path) -> None:
    """Let each work tree's log say what was committed there, as it does where people work: an import leaves none."""
    name, email = AUTHOR
    logs = {"main": root / ".git" / "logs" / "HEAD"}
    logs |= {f"main..{one.name}": root / ".git" / "worktrees" / one.folder / "logs" / "HEAD" for one in branches()}
    for commits, log in logs.items():
        told = _git(root, "log", "--reverse", "--format=%P%x09%H%x09%ct%x09%s", commits)
        rows = [row.split("\t") for row in told.splitlines()]
        lines = [
            f"{parent or '0' * 40} {made} {name} <{email}> {seconds} +0000\tcommit: {subject}\n"
            for parent, made, seconds, subject in rows
        ]
        after = log.read_text("utf-8").splitlines(keepends=True)
        log.write_text("".join([*lines, *after]), "utf-8")


def _sheet(branch: Branch) -> str:
    """The task sheet of a worktree, with its commits as boxes that are ticked."""
    sheet = task_sheet(TaskSheet(branch.name, "main", "acme-api", branch.ports, branch.task))
    done = "".join(f"- [x] {commit.message}\n" for commit in branch.commits)
    return sheet.replace(f"- [ ] {branch.task}\n", f"{done}- [ ] {branch.task}\n")


def worktree_path(folder: Path, name: str) -> Path:
    """Where the demo's worktree `name` lies."""
    return folder / "worktrees" / "acme-api" / name


def _configure(root: Path, remote: Path) -> None:
    name, email = AUTHOR
    with (root / ".git" / "config").open("a", encoding="utf-8") as config:
        config.write(
            f"[user]\n\tname = {name}\n\temail = {email}\n[commit]\n\tgpgsign = false\n"
            f'[remote "origin"]\n\turl = {remote}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n'
            '[branch "main"]\n\tremote = origin\n\tmerge = refs/heads/main\n'
            '[branch "feature/api"]\n\tremote = origin\n\tmerge = refs/heads/feature/api\n'
        )


def _stream(now: datetime) -> bytes:
    """The whole history as one `git fast-import` stream; commit n of main has the mark n."""
    parts: list[bytes] = []
    for mark, commit in enumerate(main_history(), 1):
        parts.append(_commit("refs/heads/main", mark, commit, now, parent=mark - 1))
    parts.append(b"reset refs/remotes/origin/main\nfrom :%d\n\n" % PUSHED)
    for number, branch in enumerate(branches(), 1):
        parts += _branch(branch, number * 100, now)
    return b"".join(parts)


def _branch(branch: Branch, first: int, now: datetime) -> list[bytes]:
    parts = []
    for offset, commit in enumerate(branch.commits):
        parent = first + offset - 1 if offset else branch.forked_from
        parts.append(_commit(f"refs/heads/{branch.name}", first + offset, commit, now, parent=parent))
    if branch.name == "feature/api":
        parts.append(b"reset refs/remotes/origin/feature/api\nfrom :%d\n\n" % (first + 1))
    return parts


def _commit(ref: str, mark: int, commit: Commit, now: datetime, *, parent: int) -> bytes:
    name, email = AUTHOR
    seconds = int((now - timedelta(hours=commit.hours_ago)).timestamp())
    message = commit.message.encode() + b"\n"
    lines = [
        f"commit {ref}\nmark :{mark}\n".encode(),
        f"author {name} <{email}> {seconds} +0000\ncommitter {name} <{email}> {seconds} +0000\n".encode(),
        b"data %d\n%s" % (len(message), message),
    ]
    if parent:
        lines.append(b"from :%d\n" % parent)
    for path, text in sorted(commit.files.items()):
        content = text.encode()
        mode = "100755" if path == "manage.py" else "100644"
        lines.append(f"M {mode} inline {path}\n".encode() + b"data %d\n%s\n" % (len(content), content))
    return b"".join(lines) + b"\n"


def _git(
    folder: Path, *args: str, stdin: bytes | None = None, may_fail: bool = False, at: datetime | None = None
) -> str:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment |= {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
    }
    if at is not None:
        environment |= {"GIT_COMMITTER_DATE": f"{int(at.timestamp())} +0000", "GIT_EDITOR": "true"}
    try:
        done = subprocess.run(
            ["git", *args], cwd=folder, input=stdin, capture_output=True, env=environment, check=False
        )
    except FileNotFoundError:
        raise CannotAnswer("git was not found", "install git 2.36 or newer") from None
    if done.returncode and not may_fail:
        first = next(iter(done.stderr.decode("utf-8", "replace").splitlines()), f"exit {done.returncode}")
        raise CannotAnswer(f"the demo could not be made: git {args[0]}: {first}")
    return done.stdout.decode("utf-8", "replace")

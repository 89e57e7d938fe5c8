"""Stage one: what the files under `.git` tell of every worktree, in about a millisecond and without a git
process.

Only a repository whose refs are a reftable needs git for it (its HEAD files say nothing).
"""

import os
from pathlib import Path

from cockpit.errors import CannotAnswer
from cockpit.git_command import GitFailed, git
from cockpit.repository import Repository, is_bare
from cockpit.worktrees.refs import SHA, Refs
from skills.record import record

STATUS = ("status", "--porcelain=v2", "--branch", "--no-ahead-behind", "--untracked-files=normal", "-z")
"""The words of git that tell what is changed in a work tree."""

Stamp = tuple[int, int, int]


@record
class Place:
    """One worktree as its files describe it. Names are raw: they are shown only after `plain_text`.

    `ref` is the full name of the branch that is checked out (None: detached), `rebasing` the branch that a
    rebase or bisection will come back to, `head` its commit (None: no commit yet, or unknown). `index` is the index
    file's (mtime_ns, size, inode): git's own sign that something was staged.
    """

    name: str
    path: str
    git_dir: Path
    main: bool
    ref: str | None
    head: str | None
    operation: str | None
    locked: bool
    lock_reason: str | None
    missing: bool
    index: Stamp | None
    problem: str | None = None
    rebasing: str | None = None

    @property
    def branch(self) -> str | None:
        """The branch that is checked out, None where HEAD is detached."""
        return self.ref.removeprefix("refs/heads/") if self.ref else None

    @property
    def label(self) -> str:
        """What a person calls it: its branch, also the one that it comes back to, else its folder."""
        return self.branch or self.rebasing or self.name

    @property
    def key(self) -> tuple[object, ...]:
        """What a status depends on, as far as git's own files can tell."""
        return (self.ref, self.head, self.index, self.operation, self.missing)


@record
class Base:
    """A branch that worktrees are counted against: its short name, its full ref and its commit."""

    name: str
    ref: str
    sha: str


@record
class Cheap:
    """Stage one of a whole repository.

    `bases` holds the base branch and, where it has one, its counterpart on the remote (measured later: the
    one that contains the other counts). `upstreams` resolves what a branch follows. `note` tells what a
    person should know.
    """

    places: tuple[Place, ...]
    bases: tuple[Base, ...]
    default_branch: str | None
    refs: Refs | None = None
    refs_stamp: tuple[object, ...] = ()
    remotes_stamp: tuple[object, ...] | None = None
    note: str = ""


def read_cheap(repository: Repository, configured_base: str | None) -> Cheap:
    """Every worktree of the repository, the main one first. A worktree that cannot be read has a
    `problem`.
    """
    common = repository.common_dir
    try:
        refs = Refs(repository.root, common)
        listed = _heads_by_git(repository) if refs.reftable else {}
    except (GitFailed, CannotAnswer) as problem:
        return Cheap((), (), None, note=str(problem))
    places = []
    main = repository.main_root
    if main != common and not is_bare(common):
        places.append(_place(main.name or "main", main, common, refs, listed, main=True))
    for git_dir, folder in linked_work_trees(common):
        places.append(_place(git_dir.name, folder, git_dir, refs, listed, main=False))
    bases, default, note = _bases(refs, configured_base, places[0].branch if places and places[0].main else None)
    remotes = refs.stamp("refs/remotes") if refs.has_remote() else None
    return Cheap(tuple(places), bases, default, refs, refs.stamp(), remotes, note)


def linked_work_trees(common: Path) -> list[tuple[Path, Path]]:
    """The git folder and the work tree of every worktree but the main one."""
    linked = common / "worktrees"
    found = ((linked / name, _work_tree_of(linked / name)) for name in _folders_in(linked))
    return [(git_dir, folder) for git_dir, folder in found if folder is not None]


def _folders_in(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir())
    except OSError:
        return []


def _work_tree_of(git_dir: Path) -> Path | None:
    text = _text(git_dir / "gitdir")
    if not text:
        return None
    return Path(os.path.normpath(git_dir / text)).parent


def _place(name: str, folder: Path, git_dir: Path, refs: Refs, listed: dict[str, str], *, main: bool) -> Place:
    head_text = listed.get(os.path.realpath(folder)) if refs.reftable else _text(git_dir / "HEAD")
    ref, head, problem = _head(head_text, refs)
    locked = not main and (git_dir / "locked").exists()
    missing = not (folder.is_dir() if main else (folder / ".git").exists())
    return Place(
        name=name,
        path=str(folder),
        git_dir=git_dir,
        main=main,
        ref=ref,
        head=head,
        operation=operation_in(git_dir),
        locked=locked,
        lock_reason=(_text(git_dir / "locked") or None) if locked else None,
        missing=missing,
        index=_stamp(git_dir / "index"),
        rebasing=_comes_back_to(git_dir, refs) if ref is None else None,
        problem=None if missing else problem,
    )


def _head(text: str | None, refs: Refs) -> tuple[str | None, str | None, str | None]:
    if text is None or not text:
        return None, None, "HEAD cannot be read"
    if text.startswith("ref:"):
        ref = text.removeprefix("ref:").strip()
        return ref, refs.sha(ref), None
    if SHA.fullmatch(text):
        return None, text, None
    return None, None, "HEAD is damaged"


def operation_in(git_dir: Path) -> str | None:
    """The operation that git has begun there and not ended, e.g. "rebase 2/5"; None where there is none."""
    rebase = git_dir / "rebase-merge"
    if rebase.is_dir():
        return "rebase" + _steps(rebase / "msgnum", rebase / "end")
    mail = git_dir / "rebase-apply"
    if mail.is_dir():
        return ("am" if (mail / "applying").exists() else "rebase") + _steps(mail / "next", mail / "last")
    for file, operation in (
        ("MERGE_HEAD", "merge"),
        ("CHERRY_PICK_HEAD", "cherry-pick"),
        ("REVERT_HEAD", "revert"),
    ):
        if (git_dir / file).exists():
            return operation
    todo = _text(git_dir / "sequencer" / "todo")
    if todo:
        return "revert" if todo.startswith("revert") else "cherry-pick"
    return "bisect" if (git_dir / "BISECT_LOG").exists() else None


def _comes_back_to(git_dir: Path, refs: Refs) -> str | None:
    """The branch that a rebase or bisection in progress will come back to: HEAD is detached meanwhile."""
    name = _text(git_dir / "rebase-merge" / "head-name") or _text(git_dir / "rebase-apply" / "head-name")
    if name:
        return name.removeprefix("refs/heads/") if name.startswith("refs/heads/") else None
    began = _text(git_dir / "BISECT_START")
    return began if began and refs.sha(f"refs/heads/{began}") else None


def _steps(done: Path, total: Path) -> str:
    at, of = _text(done), _text(total)
    return f" {int(at)}/{int(of)}" if at and of and at.isdecimal() and of.isdecimal() else ""


def _bases(refs: Refs, configured: str | None, main_branch: str | None) -> tuple[tuple[Base, ...], str | None, str]:
    note = ""
    if configured:
        if found := _found(refs, configured):
            return found, configured, ""
        note = f"base {configured!r} was not found"
    remote_head = refs.target("refs/remotes/origin/HEAD")
    candidates = [remote_head.removeprefix("refs/remotes/origin/")] if remote_head else []
    for name in (*candidates, "main", "master", main_branch):
        if name and (found := _found(refs, name)):
            return found, name, f"{note}: using {name}" if note else ""
    return (), main_branch, note


def named_base(cheap: Cheap, name: str) -> Base | None:
    """The branch, remote branch or tag of that name."""
    found = _found(cheap.refs, name) if cheap.refs is not None else ()
    return found[0] if found else None


def _found(refs: Refs, name: str) -> tuple[Base, ...]:
    """The local branch and its remote counterpart; else the one ref of that name."""
    ordered = (
        (name, f"refs/heads/{name}"),
        (f"origin/{name}", f"refs/remotes/origin/{name}"),
        (name, f"refs/remotes/{name}"),
        (name, f"refs/tags/{name}"),
        (name, name),
    )
    known = [Base(shown, ref, sha) for shown, ref in ordered if (sha := refs.sha(ref))]
    if known and known[0].ref.startswith("refs/heads/"):
        return tuple(base for base in known[:2] if base.ref in (known[0].ref, f"refs/remotes/origin/{name}"))
    if not known and SHA.fullmatch(name):
        return (Base(name[:10], name, name),)
    return tuple(known[:1])


def _heads_by_git(repository: Repository) -> dict[str, str]:
    """HEAD of every worktree in the words of a HEAD file, by real path."""
    heads: dict[str, str] = {}
    for listed in git(repository.root, "worktree", "list", "--porcelain", "-z").split("\0\0"):
        fields = dict(line.partition(" ")[::2] for line in listed.split("\0") if line)
        if "worktree" in fields:
            text = f"ref: {fields['branch']}" if "branch" in fields else fields.get("HEAD", "")
            heads[os.path.realpath(fields["worktree"])] = text
    return heads


def _text(path: Path) -> str | None:
    try:
        return path.read_bytes()[:65536].decode("utf-8", "surrogateescape").strip()
    except OSError:
        return None


def _stamp(path: Path) -> Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)

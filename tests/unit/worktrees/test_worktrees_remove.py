"""Removing loses nothing and undo gives it back byte for byte, in every state that git can leave a worktree in."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cockpit.config import Config
from cockpit.errors import CannotAnswer
from cockpit.repository import find_repository
from cockpit.worktrees import trash as trash_module
from cockpit.worktrees.feed import read_worktrees
from cockpit.worktrees.models import Worktree
from cockpit.worktrees.new import make_new
from cockpit.worktrees.refused import Refused
from cockpit.worktrees.registry import changed_registry, new_entry, read_registry_file, registry_path
from cockpit.worktrees.remove import empty_trash, remove_worktree
from cockpit.worktrees.trash import read_trash
from cockpit.worktrees.undo import undo_last
from tests.unit.trees import commit, git, make_repository, print_of


@pytest.fixture
def tree(repo: Path) -> Path:
    made = make_new(find_repository(repo), Config(), "feature/api")
    commit(made.path, "b.txt", "b\n")
    return made.path


def remove(repo: Path, name: str = "feature/api", *, force: bool = False) -> trash_module.Trashed:
    return remove_worktree(find_repository(repo), Config(), name, force=force)


def undo(repo: Path, name: str | None = None) -> tuple[str, ...]:
    return undo_last(find_repository(repo), name).notes


def row(repo: Path, name: str) -> Worktree:
    return next(
        one for one in read_worktrees(find_repository(repo), Config()).worktrees if name in (one.name, one.path)
    )


def whole(repo: Path, tree: Path) -> tuple[object, ...]:
    """Everything of a worktree: its files, git's folder of it with index, HEAD and rebase, and what git says."""
    admin = Path(git(tree, "rev-parse", "--absolute-git-dir"))
    mine = print_of(tree), print_of(admin)
    return (*mine, git(tree, "status", "--porcelain", "--ignored"), git(tree, "ls-files", "-s"), git(repo, "show-ref"))


# -- states --


def dirty(repo: Path, tree: Path) -> None:
    (tree / "a.txt").write_text("changed\n")
    (tree / "b.txt").write_text("staged\n")
    git(tree, "add", "b.txt")
    (tree / "b.txt").write_text("and changed again\n")


def untracked(repo: Path, tree: Path) -> None:
    (tree / "new").mkdir()
    (tree / "new" / "näme with space").write_text("x")
    (tree / "link").symlink_to("nowhere")
    (tree / "run.sh").write_text("#!/bin/sh\n")
    (tree / "run.sh").chmod(0o755)


def ignored_only(repo: Path, tree: Path) -> None:
    (tree / ".env").write_text("SECRET=1\n")
    (tree / ".venv" / "lib").mkdir(parents=True)
    (tree / ".venv" / "lib" / "x.pyc").write_bytes(b"\0")


def unpushed(repo: Path, tree: Path) -> None:
    remote = repo.parent / "remote.git"
    git(repo.parent, "clone", "-q", "--bare", str(repo), str(remote))
    git(repo, "remote", "add", "origin", str(remote))
    git(repo, "fetch", "-q", "origin")
    commit(tree, "c.txt", "never pushed\n")


def detached(repo: Path, tree: Path) -> None:
    git(tree, "checkout", "-q", "--detach")
    commit(tree, "c.txt", "on no branch\n")


def locked(repo: Path, tree: Path) -> None:
    git(repo, "worktree", "lock", "--reason", "on a stick", str(tree))


def mid_rebase(repo: Path, tree: Path) -> None:
    commit(tree, "a.txt", "theirs\n")
    commit(repo, "a.txt", "ours\n")
    git(tree, "rebase", "main", check=False)
    assert "rebase" in git(tree, "status")


def submodule(repo: Path, tree: Path) -> None:
    other = make_repository(repo.parent / "library")
    git(tree, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "lib")
    git(tree, "commit", "-qm", "with a library")
    (tree / "lib" / "a.txt").write_text("changed in the library\n")


def sparse(repo: Path, tree: Path) -> None:
    commit(tree, "deep/inside/x.txt", "x")
    commit(tree, "other/y.txt", "y")
    git(tree, "sparse-checkout", "set", "--cone", "deep")
    assert not (tree / "other").exists()


STATES = [dirty, untracked, ignored_only, unpushed, detached, locked, mid_rebase, submodule, sparse]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
@pytest.mark.parametrize("copied", [False, True], ids=["renamed", "copied"])
def test_remove_and_undo_give_the_same_tree(
    repo: Path,
    tree: Path,
    state: Callable[[Path, Path], None],
    copied: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    state(repo, tree)
    before, listed = whole(repo, tree), registry_path().read_text()
    if copied:  # as where the worktree lies on another file system
        real = Path.rename

        def rename(self: Path, target: Path) -> Path:
            across = (self == tree, Path(target) == tree)
            if any(across) and not (self.name.startswith(".") or Path(target).name.startswith(".")):
                raise OSError(18, "Invalid cross-device link")
            return real(self, target)

        monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(Refused) as refused:
        remove(repo)
    assert refused.value.forceable
    assert whole(repo, tree) == before
    remove(repo, force=True)
    assert not tree.exists()
    assert "feature-api" not in git(repo, "worktree", "list")
    assert git(repo, "rev-parse", "--verify", "refs/cockpit/trash/feature-api")
    assert read_registry_file().entries == []
    git(repo, "gc", "-q", "--prune=now")
    git(repo, "worktree", "prune")
    undo(repo)
    assert whole(repo, tree) == before
    assert registry_path().read_text() == listed
    assert read_trash(repo / ".git") == []
    assert git(repo, "for-each-ref", "refs/cockpit") == ""
    git(repo, "fsck", "--no-dangling")


def test_the_rescue_commit_holds_head_and_index(repo: Path, tree: Path) -> None:
    dirty(repo, tree)
    head = git(tree, "rev-parse", "HEAD")
    remove(repo, force=True)
    rescue = git(repo, "rev-parse", "refs/cockpit/trash/feature-api")
    assert git(repo, "rev-parse", f"{rescue}^1") == head
    assert git(repo, "show", f"{rescue}:b.txt") == "staged"


def test_commits_that_only_a_rebase_knows_survive_garbage_collection(repo: Path, tree: Path) -> None:
    mid_rebase(repo, tree)
    onto = git(tree, "rev-parse", "REBASE_HEAD")
    git(repo, "branch", "-f", "other", "main")
    remove(repo, force=True)
    git(repo, "update-ref", "-d", "refs/heads/feature/api")
    git(repo, "reflog", "expire", "--expire=now", "--all")
    git(repo, "gc", "-q", "--prune=now")
    assert git(repo, "cat-file", "-t", onto) == "commit"
    assert undo(repo) == ()
    git(tree, "rebase", "--abort")
    assert git(repo, "rev-parse", "feature/api") == onto


def test_a_branch_that_was_deleted_meanwhile_comes_back_too(repo: Path, tree: Path) -> None:
    head = git(tree, "rev-parse", "HEAD")
    remove(repo, force=True)
    git(repo, "branch", "-q", "-D", "feature/api")
    assert undo(repo) == ("the branch feature/api was gone: it is back too",)
    assert git(tree, "rev-parse", "feature/api") == head


# -- what is safe --


def test_a_branch_without_commits_is_kept(repo: Path) -> None:
    make_new(find_repository(repo), Config(), "fresh")
    commit(repo, "later.txt", "x\n")

    with pytest.raises(Refused, match="no commits of its own"):
        remove(repo, "fresh")


def test_a_merged_branch_whose_worktree_is_dirty_is_kept(repo: Path) -> None:
    dirty_one = make_new(find_repository(repo), Config(), "dirty").path
    commit(dirty_one, "d.txt", "d\n")
    git(repo, "merge", "-q", "--no-ff", "-m", "merged", "dirty")
    (dirty_one / "d.txt").write_text("more\n")

    with pytest.raises(Refused, match="1 changed"):
        remove(repo, "dirty")


def test_a_squashed_branch_goes(repo: Path) -> None:
    squashed = make_new(find_repository(repo), Config(), "squashed").path
    commit(squashed, "s.txt", "s\n")
    git(repo, "merge", "-q", "--squash", "squashed")
    git(repo, "commit", "-qm", "squashed")
    commit(repo, "later.txt", "x\n")

    assert remove(repo, "squashed").why == "clean, merged (squash)"


def test_ignored_files_of_its_own_are_a_reason_copies_and_caches_are_none(repo: Path) -> None:
    (repo / ".env").write_text("PORT=3000\nKEY=1\n")
    tree = make_new(find_repository(repo), Config(), "feature/api").path
    commit(tree, "b.txt", "b\n")
    git(repo, "merge", "-q", "--no-ff", "-m", "merged", "feature/api")
    (tree / ".venv").mkdir()
    (tree / ".venv" / "x.pyc").write_text("")
    assert row(repo, str(tree)).safe_to_remove
    (tree / "only here.log").write_text("x")
    assert row(repo, str(tree)).why == "1 ignored file only here: only here.log"
    with pytest.raises(Refused, match="only here"):
        remove(repo)


def test_the_main_work_tree_stays_whatever_is_asked(repo: Path) -> None:
    with pytest.raises(Refused, match="main work tree") as refused:
        remove(repo, "main", force=True)
    assert not refused.value.forceable


def test_a_living_process_there_forbids_it(repo: Path, tree: Path) -> None:
    (tree / "deep").mkdir()
    process = subprocess.Popen(["sleep", "60"], cwd=tree / "deep")
    try:
        with pytest.raises(Refused, match=rf"sleep \({process.pid}\) works there"):
            remove(repo, force=True)
    finally:
        process.kill()
        process.wait()
    assert remove(repo, force=True)


def test_a_living_agent_session_forbids_it(repo: Path, tree: Path, own_home: Path) -> None:
    sessions = own_home / "claude" / "sessions"
    sessions.mkdir(parents=True)
    entry = {"pid": os.getpid(), "sessionId": "5e55", "cwd": str(tree), "status": "busy", "startedAt": 1}
    (sessions / f"{os.getpid()}.json").write_text(json.dumps(entry))
    project = own_home / "claude" / "projects" / "x"
    project.mkdir(parents=True)
    line = {"type": "user", "sessionId": "5e55", "cwd": str(tree), "timestamp": "2026-11-20T10:00:00Z", "uuid": "u"}
    (project / "5e55.jsonl").write_text(json.dumps({**line, "message": {"role": "user", "content": "go"}}) + "\n")
    with pytest.raises(Refused, match="claude is busy there"):
        remove(repo, force=True)


def test_any_error_of_git_forbids_it(repo: Path, tree: Path) -> None:
    admin = Path(git(tree, "rev-parse", "--absolute-git-dir"))
    (admin / "index").write_bytes(b"broken")
    with pytest.raises(Refused, match="git cannot tell"):
        remove(repo, force=True)
    assert tree.exists()


def test_a_folder_deleted_by_hand_is_taken_out_and_can_come_back(repo: Path, tree: Path) -> None:
    shutil.rmtree(tree)
    with pytest.raises(Refused, match="folder is gone"):
        remove(repo)
    remove(repo, force=True)
    assert "feature" not in git(repo, "worktree", "list")
    undo(repo)
    assert "prunable" in git(repo, "worktree", "list", "--porcelain")


# -- undo --


def test_undo_refuses_where_something_else_is_now_and_can_be_asked_again(repo: Path, tree: Path) -> None:
    remove(repo, force=True)
    tree.mkdir()

    with pytest.raises(Refused, match="is there again"):
        undo(repo)

    tree.rmdir()
    assert undo(repo) == ()


def test_undo_refuses_where_the_branch_is_checked_out_and_can_be_asked_again(repo: Path, tree: Path) -> None:
    remove(repo, force=True)
    git(repo, "checkout", "-q", "feature/api")

    with pytest.raises(Refused, match="checked out in"):
        undo(repo)

    git(repo, "checkout", "-q", "main")
    assert undo(repo) == ()


def test_undo_takes_the_last_one_or_the_named_one(repo: Path) -> None:
    for name in ("one", "two", "three"):
        make_new(find_repository(repo), Config(), name)
        remove(repo, name, force=True)
    undo(repo, "one")
    assert [thing.branch for thing in read_trash(repo / ".git")] in (["three", "two"], ["two", "three"])
    with pytest.raises(CannotAnswer, match="holds no worktree"):
        undo(repo, "four")


def test_ports_that_were_given_out_meanwhile_are_said(repo: Path, tree: Path) -> None:
    remove(repo, force=True)
    with changed_registry() as registry:
        registry.add(new_entry("other", Path("/x"), "y", "y", Path("/x/y"), (8100, 8101)))
    assert undo(repo) == ("its ports 8100, 8101 were given out again meanwhile",)


def test_the_same_name_twice_gets_a_number(repo: Path, tree: Path) -> None:
    remove(repo, force=True)
    make_new(find_repository(repo), Config(), "feature/api")
    assert remove(repo, force=True).key == "feature-api-2"
    assert len(read_trash(repo / ".git")) == 2


def test_only_what_is_asked_for_is_deleted_for_good(repo: Path, tree: Path) -> None:
    remove(repo, force=True)
    empty_trash(find_repository(repo), ["other"])
    assert len(read_trash(repo / ".git")) == 1
    empty_trash(find_repository(repo), ["feature-api"])
    assert read_trash(repo / ".git") == []
    assert git(repo, "for-each-ref", "refs/cockpit") == ""


def test_a_failing_move_leaves_everything_where_it_was(repo: Path, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    untracked(repo, tree)
    before, listed = whole(repo, tree), registry_path().read_text()

    def full(source: Path, target: Path) -> bool:
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(trash_module, "_move", full)
    with pytest.raises(CannotAnswer, match="No space left on device"):
        remove(repo, force=True)
    assert (whole(repo, tree), registry_path().read_text()) == (before, listed)
    assert list((repo / ".git" / "cockpit" / "trash").iterdir()) == []


def test_a_second_cockpit_waits_for_the_first(repo: Path, tree: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from cockpit.repository import find_repository;"
        "from cockpit.worktrees.alone import alone\n"
        "with alone(find_repository(Path(sys.argv[1]))):\n print('held', flush=True); time.sleep(1)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(repo)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    holder.stdout.readline()
    remove(repo, force=True)
    assert holder.wait() == 0
    holder.stdout.close()

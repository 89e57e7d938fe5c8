"""A kill at any moment of new, merge, remove or undo leaves the old state or the new one, and the next run goes on.

`COCKPIT_KILLS` says how often (default 20).
"""

import json
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cockpit.config import Config
from cockpit.repository import find_repository
from cockpit.worktrees.alone import alone
from cockpit.worktrees.merge import merge_worktree
from cockpit.worktrees.new import make_new
from cockpit.worktrees.registry import OWN, read_registry_file, registry_path
from cockpit.worktrees.remove import remove_worktree
from cockpit.worktrees.trash import read_trash
from cockpit.worktrees.undo import undo_last
from tests.unit.trees import commit, git, make_repository, print_of

KILLS = int(os.environ.get("COCKPIT_KILLS", "20"))


def killed_after(seconds: float, deed: Callable[[], object]) -> bool:
    """Run `deed` in a process of its own and kill it after so long. Answers whether it was killed."""
    pid = os.fork()
    if not pid:
        try:
            deed()
        finally:
            os._exit(0)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if os.waitpid(pid, os.WNOHANG)[0]:
            return False
        time.sleep(0.001)
    os.kill(pid, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


class Story:
    """One worktree that comes, changes, is merged, goes and comes back; after each kill it must be in one state."""

    def __init__(self, repo: Path, tree: Path) -> None:
        self.repo, self.tree = repo, tree
        self.repository, self.config = find_repository(repo), Config(max_worktrees=99)
        self.whole: object = None
        self.took: dict[str, list[float]] = {}

    def deed(self) -> tuple[str, Callable[[], object]]:
        if read_trash(self.repo / ".git"):
            return "undo", lambda: undo_last(self.repository, "feature-x")
        if not self.tree.exists():
            return "new", lambda: make_new(self.repository, self.config, "feature/x")
        if not git(self.repo, "for-each-ref", "refs/heads/integration") and self.committed():
            return "merge", lambda: merge_worktree(self.repository, self.config, "feature/x")
        return "remove", lambda: remove_worktree(self.repository, self.config, "feature/x", force=True)

    def committed(self) -> bool:
        return git(self.tree, "status", "--porcelain") == ""

    def state(self) -> object:
        """Everything of the worktree where it is, None where it is not."""
        if not self.tree.exists():
            return None
        admin = Path(git(self.tree, "rev-parse", "--absolute-git-dir"))
        return print_of(self.tree), print_of(admin), git(self.tree, "status", "--porcelain", "--ignored")

    def check(self, name: str, before: object, merged: str) -> None:
        """After a kill: mended by the next who comes, then old or new, and the registry in step with git."""
        path = registry_path()
        if path.exists():
            json.loads(path.read_text())
        with alone(self.repository):
            pass
        assert not (self.repo / ".git" / "cockpit" / "journal.json").exists()
        after, trash = self.state(), read_trash(self.repo / ".git")
        listed = git(self.repo, "worktree", "list", "--porcelain").count("worktree ")
        assert "prunable" not in git(self.repo, "worktree", "list", "--porcelain")
        assert listed == (2 if after is not None else 1)
        entries = [entry for entry in read_registry_file().entries if entry["branch"] == "feature/x"]
        assert [entry["worktreePath"] for entry in entries] == ([str(self.tree)] if after is not None else [])
        assert all("state" not in entry.get(OWN, {}) for entry in entries)
        pool = read_registry_file().document["portPool"]["allocated"]
        assert pool == ([8100, 8101] if after is not None else [])
        if name == "new":
            assert after is None or (self.tree / ".env").read_text() == "PORT=8100\nKEY=1\n"
            assert bool(git(self.repo, "for-each-ref", "refs/heads/feature")) == (after is not None)
        elif name == "merge":
            assert after == before
            now = git(self.repo, "for-each-ref", "--format=%(objectname)", "refs/heads/integration")
            assert now == merged or len(git(self.repo, "rev-list", "--parents", "-1", now).split()) == 3
        elif name == "remove":
            assert (after == before and not trash) or (after is None and len(trash) == 1)
        else:
            assert (after == self.whole and not trash) or (after is None and len(trash) == 1)
        leftovers = list((self.repo / ".git" / "cockpit" / "trash").glob("*"))
        assert len(leftovers) == len(trash)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_kills_leave_old_or_new(tmp_path: Path, own_home: Path) -> None:
    repo = make_repository(tmp_path / "acme")
    (repo / ".env").write_text("PORT=3000\nKEY=1\n")
    for number in range(40):
        (repo / f"file{number}.txt").write_text(str(number) * 200)
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "files")
    tree = own_home / "tmp" / "worktrees" / "acme" / "feature-x"
    story, dice = Story(repo, tree), random.Random(20261129)
    killed: dict[str, int] = {}
    for _ in range(KILLS * 8):
        if sum(killed.values()) >= KILLS:
            break
        name, deed = story.deed()
        before = story.state()
        merged = git(repo, "for-each-ref", "--format=%(objectname)", "refs/heads/integration")
        if name == "remove":
            story.whole = before
        usual = max(story.took.get(name, [0.25]))
        started = time.monotonic()
        if killed_after(dice.uniform(0, usual * 1.1), deed):
            killed[name] = killed.get(name, 0) + 1
        else:
            story.took.setdefault(name, []).append(time.monotonic() - started)
        story.check(name, before, merged)
        if dice.random() < 0.5:  # half of the time the next run is that of the same deed, to its end
            again, deed = story.deed()
            if again == name:
                if name == "remove":
                    story.whole = story.state()
                deed()
        if tree.exists() and name == "new":
            commit(tree, "b.txt", f"{dice.random()}\n")
            (tree / "debug.log").write_text("ignored")
        if name == "undo" and dice.random() < 0.5 and tree.exists():  # begin again from nothing
            remove_worktree(story.repository, story.config, "feature/x", force=True)
            with alone(story.repository) as room:
                from cockpit.worktrees.trash import throw_away

                throw_away(room, read_trash(repo / ".git")[0])
            git(repo, "branch", "-q", "-D", "feature/x", check=False)
            git(repo, "branch", "-q", "-D", "integration/feature-x", check=False)
    assert sum(killed.values()) == KILLS
    git(repo, "fsck", "--no-dangling")

"""The live worktrees: what happens in real repositories arrives, and following them disturbs nobody."""

import asyncio
import errno
import itertools
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from cockpit.config import Config
from cockpit.repository import find_repository
from cockpit.worktrees import measure, watch
from cockpit.worktrees.feed import Hints, follow_worktrees
from cockpit.worktrees.models import Counts, Worktree, WorktreesSnapshot
from tests.git import git

PATIENCE = 30.0


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "acme-api"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "a.txt").write_text("one\n")
    git(folder, "add", "a.txt")
    git(folder, "commit", "-qm", "start")
    git(folder, "worktree", "add", "-q", str(tmp_path / "api"), "-b", "feature/api")
    return folder


class Followed:
    """A feed that runs, and what it has shown so far."""

    def __init__(self, folder: Path, hints: Hints | None = None) -> None:
        self.feed = follow_worktrees(find_repository(folder), Config(), hints=hints)
        self.seen: list[WorktreesSnapshot] = []

    async def until(self, holds: Callable[[WorktreesSnapshot], bool]) -> WorktreesSnapshot:
        async with asyncio.timeout(PATIENCE):
            if self.seen and holds(self.seen[-1]):
                return self.seen[-1]
            async for snapshot in self.feed:
                self.seen.append(snapshot)
                if holds(snapshot):
                    return snapshot
        raise AssertionError("the feed ended")

    async def settled(self) -> WorktreesSnapshot:
        return await self.until(
            lambda snapshot: all(
                tree.missing or (tree.counts is not None and not tree.stale) for tree in snapshot.worktrees
            )
        )

    async def close(self) -> None:
        await self.feed.aclose()  # type: ignore[attr-defined]


@pytest.fixture
async def follow() -> AsyncIterator[Callable[..., Followed]]:
    running: list[Followed] = []

    def start(folder: Path, hints: Hints | None = None) -> Followed:
        running.append(Followed(folder, hints))
        return running[-1]

    yield start
    for followed in running:
        await followed.close()


def named(snapshot: WorktreesSnapshot, name: str) -> Worktree | None:
    return next((tree for tree in snapshot.worktrees if tree.name == name), None)


def has(name: str, **facts: object) -> Callable[[WorktreesSnapshot], bool]:
    def holds(snapshot: WorktreesSnapshot) -> bool:
        tree = named(snapshot, name)
        return tree is not None and all(getattr(tree, key) == value for key, value in facts.items())

    return holds


Follow = Callable[..., Followed]


async def test_the_first_snapshot_needs_no_git(repo: Path, follow: Follow) -> None:
    followed = follow(repo)
    first = await followed.until(lambda _: True)
    assert [tree.branch for tree in first.worktrees] == ["main", "feature/api"]
    assert all(tree.counts is None and not tree.safe_to_remove for tree in first.worktrees)
    done = await followed.settled()
    assert all(tree.counts == Counts() for tree in done.worktrees)


async def test_a_commit_arrives(repo: Path, follow: Follow) -> None:
    followed = follow(repo)
    await followed.settled()
    (repo.parent / "api" / "b.txt").write_text("b")
    git(repo.parent / "api", "add", "b.txt")
    git(repo.parent / "api", "commit", "-qm", "b")
    head = git(repo.parent / "api", "rev-parse", "HEAD")
    found = await followed.until(has("api", head=head, ahead=1, counts=Counts(), stale=False))
    assert all(snapshot.note == "" for snapshot in followed.seen)
    assert named(found, "api") is not None


async def test_a_commit_in_the_base_reaches_the_other_rows(repo: Path, follow: Follow) -> None:
    followed = follow(repo)
    await followed.settled()
    git(repo, "commit", "-q", "--allow-empty", "-m", "more")
    await followed.until(has("api", behind=1, advice="rebase on main"))


async def test_a_hint_makes_a_plain_edit_visible(repo: Path, follow: Follow) -> None:
    hints = Hints()
    followed = follow(repo, hints)
    await followed.settled()
    edited = repo.parent / "api" / "a.txt"
    edited.write_text("edited\n")
    hints.touch(edited)
    await followed.until(has("api", counts=Counts(unstaged=1)))
    edited.write_text("one\n")
    await asyncio.to_thread(hints.touch, str(edited))
    await followed.until(has("api", counts=Counts()))


async def test_worktrees_come_and_go(repo: Path, follow: Follow) -> None:
    followed = follow(repo)
    await followed.settled()
    git(repo, "worktree", "add", "-q", str(repo.parent / "late"), "-b", "late")
    await followed.until(has("late", counts=Counts(), branch="late"))
    (repo.parent / "late" / "new").write_text("")
    git(repo.parent / "late", "add", "new")
    await followed.until(has("late", counts=Counts(staged=1)))
    git(repo, "worktree", "remove", "--force", str(repo.parent / "late"))
    await followed.until(lambda snapshot: named(snapshot, "late") is None)


async def test_a_folder_deleted_by_hand_is_noticed(repo: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cockpit.worktrees.feed.LOOK_EVERY", 0.5)
    followed = follow(repo)
    await followed.settled()
    shutil.rmtree(repo.parent / "api")
    found = await followed.until(has("api", missing=True, counts=None))
    assert named(found, "acme-api") is not None


async def test_a_branch_switched_and_packed_is_followed(repo: Path, follow: Follow) -> None:
    followed = follow(repo)
    await followed.settled()
    git(repo, "pack-refs", "--all")
    git(repo.parent / "api", "switch", "-q", "-c", "deep/er/name")
    await followed.until(has("api", branch="deep/er/name"))
    git(repo.parent / "api", "commit", "-q", "--allow-empty", "-m", "more")
    await followed.until(has("api", ahead=1))


async def test_nothing_new_is_not_repeated(repo: Path, follow: Follow) -> None:
    hints = Hints()
    followed = follow(repo, hints)
    await followed.settled()
    hints.touch(repo / "a.txt")  # nothing changed there
    (repo / ".git" / "FETCH_HEAD").write_text("")
    git(repo.parent / "api", "commit", "-q", "--allow-empty", "-m", "a sign of life")
    await followed.until(has("api", ahead=1, stale=False))
    kept = [[(tree.head, tree.counts, tree.ahead, tree.stale) for tree in shot.worktrees] for shot in followed.seen]
    assert all(one != next_one for one, next_one in pairwise(kept[1:]))


async def test_without_watches_it_polls_and_says_so(
    repo: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*_: object, **__: object) -> Iterable[Any]:
        raise OSError(errno.ENOSPC, "OS file watch limit reached")

    monkeypatch.setattr(watch, "watch_folders", exhausted)
    followed = follow(repo)
    said = await followed.until(lambda snapshot: bool(snapshot.note))
    assert said.note == "polling every 2 s: no inotify watches left; raise fs.inotify.max_user_watches"
    await followed.settled()
    git(repo.parent / "api", "commit", "-q", "--allow-empty", "-m", "more")
    await followed.until(has("api", ahead=1))


async def test_closing_leaves_no_task_behind(repo: Path) -> None:
    before = asyncio.all_tasks()
    followed = Followed(repo)
    await followed.settled()
    assert asyncio.all_tasks() - before
    await followed.close()
    assert asyncio.all_tasks() - before == set()


async def test_a_cancelled_reader_cleans_up(repo: Path) -> None:
    async def read() -> None:
        async for _ in follow_worktrees(repository, Config()):
            started.set()

    repository, started = find_repository(repo), asyncio.Event()
    before = asyncio.all_tasks()
    task = asyncio.create_task(read())
    await asyncio.wait_for(started.wait(), PATIENCE)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for _ in range(100):
        if asyncio.all_tasks() == before:
            break
        await asyncio.sleep(0.01)
    assert asyncio.all_tasks() - before == set()


async def test_following_never_takes_a_lock_from_git(repo: Path, follow: Follow) -> None:
    hints = Hints()
    followed = follow(repo, hints)
    await followed.settled()
    tree = repo.parent / "api"

    def work() -> list[str]:
        failures = []
        for number in range(60):
            (tree / "a.txt").write_text(f"{number}\n")
            hints.touch(tree / "a.txt")
            done = subprocess.run(["git", "add", "a.txt"], cwd=tree, capture_output=True, text=True, check=False)
            failures += [done.stderr] if done.returncode else []
        git(tree, "commit", "-qm", "done")
        return failures

    working = asyncio.create_task(asyncio.to_thread(work))
    await followed.until(has("api", ahead=1, counts=Counts(), stale=False))
    assert await working == []


async def test_a_plain_edit_in_a_quiet_worktree_arrives_without_a_poll(
    repo: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("COUNT_BUSY_EVERY", "COUNT_QUIET_EVERY", "LOOK_EVERY"):
        monkeypatch.setattr(f"cockpit.worktrees.feed.{name}", 3600.0)
    tree = repo.parent / "api"
    (tree / "deep" / "er").mkdir(parents=True)
    (tree / "deep" / "er" / "b.txt").write_text("b\n")
    git(tree, "add", ".")
    git(tree, "commit", "-qm", "deep")
    followed = follow(repo)
    await followed.settled()
    arrived = asyncio.create_task(followed.until(has("api", counts=Counts(unstaged=1))))
    for number in itertools.count():  # the watch stands at some time after the first counts
        (tree / "deep" / "er" / "b.txt").write_text(f"{number}\n")
        await asyncio.wait({arrived}, timeout=0.2)
        if arrived.done():
            break
    await arrived
    (tree / "c.txt").write_text("new\n")
    await followed.until(has("api", counts=Counts(unstaged=1, untracked=1)))


async def test_what_is_told_elsewhere_is_not_watched_twice(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    edits = watch.EditWatch(told.append)
    running = asyncio.create_task(edits.run())
    monkeypatch.setattr(watch, "LIST_EVERY", 0.05)
    monkeypatch.setattr(watch, "_most_folders", lambda: 1)
    edits.follow({str(repo): 1, str(repo.parent / "api"): 1})
    for number in range(60):
        for folder in (repo, repo.parent / "api"):
            (folder / "a.txt").write_text(f"{number}\n")
        await asyncio.sleep(0.1)
        if told:
            break
    assert set(told) == {str(repo)}, "as many as there may be, in order"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_file_that_is_written_in_vain_is_not_counted_all_the_time(
    repo: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = repo.parent / "api"
    (tree / ".gitignore").write_text("out.txt\n")
    counted = []
    asked = measure.status_counts

    def counting(folder: str, *rest: Any) -> tuple[Counts, tuple[str, ...]]:
        counted.append(str(folder))
        return asked(folder, *rest)

    monkeypatch.setattr(measure, "status_counts", counting)
    for name in ("COUNT_BUSY_EVERY", "COUNT_QUIET_EVERY", "LOOK_EVERY"):
        monkeypatch.setattr(f"cockpit.worktrees.feed.{name}", 3600.0)
    monkeypatch.setattr("cockpit.worktrees.feed.EDIT_GAP", 0.0)
    followed = follow(repo)
    await followed.settled()
    before = counted.count(str(tree))
    arrived = asyncio.create_task(followed.until(lambda snapshot: snapshot.worktrees[0].counts == Counts(unstaged=1)))
    for number in itertools.count():
        (tree / "out.txt").write_text(f"{number}\n")
        if counted.count(str(tree)) > before:  # in vain: git ignores it
            (repo / "a.txt").write_text(f"{number}\n")
        await asyncio.wait({arrived}, timeout=0.2)
        if arrived.done():
            break
    await arrived
    assert counted.count(str(tree)) == before + 1

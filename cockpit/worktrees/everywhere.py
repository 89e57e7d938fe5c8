"""The worktrees of every repository that the registry or the transcripts know, in one list grouped by repository."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing, closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from cockpit import clock
from cockpit.config import Config, load_config
from cockpit.errors import CannotAnswer
from cockpit.files import read_regular
from cockpit.git_command import GitFailed
from cockpit.plain_text import plain_text
from cockpit.repository import Repository, find_repository
from cockpit.stream import came
from cockpit.worktrees.feed import Hints, follow_worktrees
from cockpit.worktrees.models import WorktreesSnapshot
from cockpit.worktrees.ports import LARGEST_REGISTRY, entry_path, registry_files
from cockpit.worktrees.reader import read_worktrees

MOST = 24  # repositories that are followed: each has its own watches
_LOOK_EVERY = 60.0  # seconds between looks for new repositories
_AT_MOST_EVERY = 0.1
_RECENT = timedelta(days=30)  # a folder that is gone is worth a word for so long after its last session


@dataclass(frozen=True, slots=True)
class Known:
    """Repositories, the first one first and then by name, and the places that are named somewhere but gone."""

    repositories: tuple[Repository, ...]
    missing: tuple[str, ...] = ()
    left_out: int = 0

    @property
    def note(self) -> str:
        """What a person should know: what is gone, and what is too much."""
        parts = []
        if self.missing:
            more = f" and {len(self.missing) - 3} more" if len(self.missing) > 3 else ""
            parts.append(f"gone: {', '.join(map(plain_text, self.missing[:3]))}{more}")
        if self.left_out:
            parts.append(f"{self.left_out} more repositories are not shown")
        return "; ".join(parts)


def known_repositories(first: Repository, used: Mapping[str, datetime | None]) -> Known:
    """The repositories of the registry and of the folders that sessions `used` (with the last time of each)."""
    found: dict[Path, tuple[Repository, float]] = {first.common_dir.resolve(): (first, float("inf"))}
    missing: set[str] = set()
    recent = clock.now() - _RECENT
    for place, at, registered in (*_registered(), *((place, at, False) for place, at in used.items())):
        stamp = 0.0 if at is None else at.timestamp()
        repository = _repository_of(place)
        if repository is None:
            if registered or (at is not None and at >= recent and not Path(place).exists()):
                missing.add(place)
            continue
        key = repository.common_dir.resolve()
        known = found.get(key)
        found[key] = (known[0] if known else repository, max(stamp, known[1] if known else 0.0))
    latest = sorted(found.values(), key=lambda entry: -entry[1])[:MOST]
    chosen = sorted((one for one, _ in latest if one is not first), key=lambda one: (one.name, str(one.main_root)))
    roots = [one.main_root for one, _ in found.values()]
    gone = {place for place in missing if not any(Path(place).is_relative_to(root) for root in roots)}
    return Known((first, *chosen), tuple(sorted(gone)), len(found) - len(latest))


def _registered() -> Iterator[tuple[str, None, bool]]:
    """The repositories (else the worktrees) that entries of the registry name."""
    for path in registry_files():
        try:
            document = json.loads(read_regular(path, LARGEST_REGISTRY))
        except (OSError, ValueError, RecursionError):
            continue
        entries = document.get("worktrees") if isinstance(document, dict) else None
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict):
                place = entry.get("repoPath")
                place = place if isinstance(place, str) and place and "\0" not in place else entry_path(entry)
                if place:
                    yield str(Path(place).expanduser()), None, True


def _repository_of(place: str) -> Repository | None:
    """The repository of a folder, by its main work tree; of one that is gone, by what is left of its path."""
    path = Path(place)
    try:
        while not path.is_dir() and path != path.parent:
            path = path.parent
        found = find_repository(path)
        return find_repository(found.main_root) if found.root != found.main_root else found
    except (CannotAnswer, OSError, ValueError):
        return None


def folders_used(*, read: bool = False) -> dict[str, datetime | None]:
    """The folders of all sessions in the ledger with their last use; `read`: take in what is new before."""
    from cockpit.spend.opened import open_ledger

    with closing(open_ledger()) as ledger:
        if read:
            ledger.read()
        return ledger.folders()


def read_everywhere(first: Repository, config: Config) -> tuple[WorktreesSnapshot, Known]:
    """Every worktree of every known repository, measured now."""
    known = known_repositories(first, folders_used(read=True))
    snapshots: dict[Path, WorktreesSnapshot] = {}
    for repository in known.repositories:
        try:
            snapshots[repository.common_dir] = read_worktrees(repository, _config_of(repository, first, config))
        except (CannotAnswer, GitFailed, OSError) as problem:
            snapshots[repository.common_dir] = WorktreesSnapshot(note=f"{repository.name}: {plain_text(problem, 120)}")
    return _together(known, snapshots), known


async def follow_everywhere(first: Repository, config: Config, *, hints: Hints) -> AsyncIterator[WorktreesSnapshot]:
    """As `follow_worktrees`, of every known repository; new ones are looked for now and then."""
    known = await asyncio.to_thread(lambda: known_repositories(first, folders_used()))
    following = _Following(first, config)
    hints.listen(following.wake)
    try:
        following.follow(known)
        while True:
            if not await came(following.changed, _LOOK_EVERY):
                known = await asyncio.to_thread(lambda: known_repositories(first, folders_used()))
                following.follow(known)
            following.changed.clear()
            following.touch(hints.take())
            if following.snapshots:
                yield _together(known, following.snapshots)
            await asyncio.sleep(_AT_MOST_EVERY)
    finally:
        hints.listen(None)
        await following.close()


class _Following:
    """One feed for each repository, and the newest snapshot of each."""

    def __init__(self, first: Repository, config: Config) -> None:
        self.first, self.config = first, config
        self.snapshots: dict[Path, WorktreesSnapshot] = {}
        self.changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._hints: dict[Path, Hints] = {}
        self._tasks: dict[Path, asyncio.Task[None]] = {}

    def wake(self) -> None:
        """Something was hinted at; called from any thread."""
        self._loop.call_soon_threadsafe(self.changed.set)

    def follow(self, known: Known) -> None:
        """Follow what is new; what is no longer known is let go."""
        wanted = {repository.common_dir: repository for repository in known.repositories}
        for place in self._tasks.keys() - wanted.keys():
            self._tasks.pop(place).cancel()
            self._hints.pop(place, None)  # nobody would take what is put there
            self.snapshots.pop(place, None)
            self.changed.set()
        for place, repository in wanted.items():
            if place not in self._tasks:
                self._hints[place] = Hints()
                self._tasks[place] = asyncio.create_task(self._one(repository))

    def touch(self, paths: set[str]) -> None:
        """Something was written below `paths`: the repository that holds it counts it again."""
        for path in paths:
            for hints in self._hints.values():
                hints.touch(path)

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _one(self, repository: Repository) -> None:
        place = repository.common_dir
        try:
            config = await asyncio.to_thread(_config_of, repository, self.first, self.config)
            async with aclosing(follow_worktrees(repository, config, hints=self._hints[place], edits=False)) as feed:  # type: ignore[type-var]
                async for snapshot in feed:
                    self.snapshots[place] = snapshot
                    self.changed.set()
        except (CannotAnswer, GitFailed, OSError) as problem:
            self.snapshots[place] = WorktreesSnapshot(note=f"{repository.name}: {plain_text(problem, 120)}")
            self.changed.set()


def _config_of(repository: Repository, first: Repository, config: Config) -> Config:
    return config if repository is first else load_config(repository.root)


def _together(known: Known, snapshots: Mapping[Path, WorktreesSnapshot]) -> WorktreesSnapshot:
    parts = [(one, snapshots[one.common_dir]) for one in known.repositories if one.common_dir in snapshots]
    trees = [replace(tree, repository=str(one.main_root)) for one, part in parts for tree in part.worktrees]
    notes = dict.fromkeys(filter(None, (known.note, *(part.note for _, part in parts))))
    times = [part.at for _, part in parts if part.at is not None]
    return WorktreesSnapshot(
        tuple(trees),
        parts[0][1].default_branch if parts else None,
        max(times, default=None),
        "; ".join(notes),
    )

"""The live spend: a snapshot at once, then one whenever a transcript, the day or the last hour changes it."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from cockpit.config import Config
from cockpit.repository import Repository
from cockpit.spend.meter import Meter
from cockpit.spend.models import SpendSnapshot
from cockpit.watch_folders import watch_folders, why_not_watched

_TICK = 5.0  # seconds between looks for a new root and at the clock
_LOOK = 60.0  # seconds between looks at every file, for what a watch can miss
_ENDINGS = (".jsonl", ".jsonl.zst", ".json", ".db", ".db-wal")  # of files that the agents write
_POLL = 2.0  # seconds between looks where there is nothing to watch with


def read_spend(repository: Repository | None, config: Config, *, all_repos: bool = False) -> SpendSnapshot:
    """The spend of `repository` (or of everything) now, from all transcripts."""
    meter = Meter(repository, config, all_repos=all_repos)
    meter.read()
    return meter.snapshot()


async def follow_spend(
    repository: Repository, config: Config, *, all_repos: bool = False
) -> AsyncIterator[SpendSnapshot]:
    """Snapshots of the spend: `loading` ones while the first read runs, then one for each change.

    Reading happens in a thread, a slice at a time. Where files cannot be watched they are looked at every two
    seconds, which `note` says.
    """
    meter = await asyncio.to_thread(Meter, repository, config, all_repos=all_repos)
    yield meter.loading(0.0)
    slices = meter.read_slices()
    while (share := await asyncio.to_thread(next, slices, None)) is not None:
        yield meter.loading(share)
    shown = await asyncio.to_thread(meter.snapshot)
    yield shown
    looked = asked = time.monotonic()
    async with aclosing(_events(meter)) as events:
        async for paths, note in events:
            now = time.monotonic()
            if paths is None or now - looked >= _LOOK:
                looked = now
                changed = await asyncio.to_thread(meter.read)
            else:
                changed = bool(paths) and await asyncio.to_thread(meter.read, paths)
            if not changed and note == shown.note and now - asked < _LOOK and not _new_day(shown):
                continue
            asked = now
            latest = await asyncio.to_thread(meter.snapshot, note)
            if replace(latest, at=shown.at) != shown:
                shown = latest
                yield shown


def _new_day(shown: SpendSnapshot) -> bool:
    from cockpit import clock

    return shown.today is not None and shown.today.key != clock.now().astimezone().date().isoformat()


async def _events(meter: Meter) -> AsyncGenerator[tuple[list[str] | None, str], None]:
    """Changed transcripts with a note; None: look at all of them; an empty list: only time has passed."""
    note = ""
    while True:
        folders = await asyncio.to_thread(meter.folders)
        if not folders:
            await asyncio.sleep(_TICK)
            yield None if meter.folders() else [], note
            continue
        if note:
            await asyncio.sleep(_POLL)
            yield None, note
            continue
        try:
            async with aclosing(_watched(folders)) as batches:
                first = True  # what changed before the watch stood is only seen by looking
                async for batch in batches:
                    yield (None if first else batch), note
                    first = False
                    if batch == [] and meter.folders() != folders:
                        break
        except (OSError, RuntimeError) as problem:
            note = f"transcripts are polled: {why_not_watched(problem)}"
        else:
            yield None, note


async def _watched(folders: tuple[Path, ...]) -> AsyncGenerator[list[str] | None, None]:
    """Batches of changed transcripts; an empty one on each tick, None where a folder is new."""
    changes = watch_folders(*folders, matters=_matters, tick=_TICK)
    async with aclosing(changes) as batches:
        async for batch in batches:
            paths = [path.removesuffix("-wal") for path in batch]
            yield paths if all(path.endswith(_ENDINGS) for path in paths) else None


def _matters(path: str) -> bool:
    return path.endswith(_ENDINGS) or "." not in path.rpartition("/")[2]

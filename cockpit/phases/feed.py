"""The agent sessions of a repository and the phase that each is in: read once, or followed live."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import replace

from cockpit.agents.models import Forecast, Session, SessionsSnapshot
from cockpit.agents.registry import REGISTRY_FILE
from cockpit.clock import now
from cockpit.hooks.drain import make_log_folder
from cockpit.phases.store import DAY, SessionStore
from cockpit.repository import Repository
from cockpit.spend.models import ContextPace
from cockpit.stream import came
from cockpit.watch_folders import watch_folders, why_not_watched
from skills.spending.amount import Amount
from skills.spending.context_forecast import turns_left

ALIVE_EVERY = 5.0  # seconds between looks at the processes while one of them lives
AGE_EVERY = 60.0  # seconds until states are judged anew where nothing happens
POLL_EVERY = 1.0  # seconds between looks where the folders cannot be watched
SHORTEST = 0.1  # seconds between two snapshots
SETTLE = 0.1  # seconds until what came at once is read


def with_dollars(snapshot: SessionsSnapshot, by_session: Mapping[str, Amount]) -> SessionsSnapshot:
    """The snapshot with what each session cost, None where `by_session` does not name it."""
    unknown = (None, False)
    joined = []
    for session in snapshot.sessions:
        usd, floor = by_session.get(session.session, unknown)
        joined.append(replace(session, usd=usd, floor=floor))
    return replace(snapshot, sessions=tuple(joined))


def with_forecasts(snapshot: SessionsSnapshot, paces: Iterable[ContextPace]) -> SessionsSnapshot:
    """The snapshot with where each session's context leads, None where `paces` does not name it."""
    known = {pace.session: pace for pace in paces}
    joined = tuple(replace(session, forecast=_forecast(session, known)) for session in snapshot.sessions)
    return replace(snapshot, sessions=joined)


def _forecast(session: Session, known: Mapping[str, ContextPace]) -> Forecast | None:
    pace = known.get(session.session)
    if pace is None:
        return None
    context = session.context
    left = None if context is None else turns_left(context.used, context.window, pace.tokens_per_turn)
    return Forecast(pace.tokens_per_turn, left, pace.cache_until, pace.cache_kind, pace.next_usd, pace.next_usd_cold)


async def follow_sessions(repository: Repository, *, all_repos: bool = False) -> AsyncIterator[SessionsSnapshot]:
    """Yields the sessions at once, then whenever one of them changed, at most ten times a second.

    `note` says where the folders cannot be watched and are looked at every second instead.
    """
    await asyncio.to_thread(make_log_folder)
    store = SessionStore(repository, all_repos=all_repos)
    news = _News()
    watcher = asyncio.create_task(_watch(store, news))
    last: SessionsSnapshot | None = None
    try:
        while True:
            snapshot = await asyncio.to_thread(_look, store, news.take())
            snapshot = replace(snapshot, note=news.note)
            if last is None or replace(snapshot, at=last.at) != last:
                last = snapshot
                yield snapshot
            await asyncio.sleep(SHORTEST)
            await news.wait(ALIVE_EVERY if store.live else AGE_EVERY)
    finally:
        watcher.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watcher


class _News:
    """Which files changed since the last look: `None` for every file, an empty set for the processes alone."""

    def __init__(self) -> None:
        self.note = ""
        self._changed: set[str] | None = None
        self._event = asyncio.Event()

    def put(self, changed: set[str] | None) -> None:
        self._changed = None if changed is None or self._changed is None else self._changed | changed
        self._event.set()

    def take(self) -> set[str] | None:
        changed, self._changed = self._changed, set()
        self._event.clear()
        return changed

    async def wait(self, seconds: float) -> None:
        await came(self._event, seconds)


def _look(store: SessionStore, changed: set[str] | None) -> SessionsSnapshot:
    moment = now()
    since = moment - DAY
    if changed == set():
        store.relist()
    else:
        store.refresh(moment, since, changed)
    return store.snapshot(moment, since)


async def _watch(store: SessionStore, news: _News) -> None:
    """Puts what changes into `news`; starts again where a folder comes or goes; polls where it cannot watch."""
    while True:
        folders = store.watched()
        if not folders:
            await asyncio.sleep(ALIVE_EVERY)
            if store.watched():
                news.put(None)
            continue
        looked = time.monotonic()
        watching = watch_folders(*folders, matters=_matters, settle=SETTLE, tick=ALIVE_EVERY)
        try:
            async with contextlib.aclosing(watching):
                first = True  # what happened before the folders were watched was not told
                async for paths in watching:
                    if first or paths:
                        news.put(None if first else paths)
                    first = False
                    if time.monotonic() - looked >= ALIVE_EVERY:  # folders that are not there cannot be watched
                        looked = time.monotonic()
                        if store.watched() != folders:
                            break
        except (OSError, RuntimeError) as problem:
            news.note = f"transcripts are polled every second: {why_not_watched(problem)}"
            await _poll(news)
        news.put(None)


async def _poll(news: _News) -> None:
    """Every file is looked at (not read) once a second."""
    while True:
        news.put(None)
        await asyncio.sleep(POLL_EVERY)


def _matters(path: str) -> bool:
    name = path.rpartition("/")[2]
    if name.endswith(".jsonl"):
        return name != "journal.jsonl"
    if name.endswith((".db-wal", ".jsonl.zst")) or (name.endswith(".json") and "/chats/" in path):
        return True
    # a file may be written before its new folder is watched, so that only the folder is told
    return "." not in name or REGISTRY_FILE.fullmatch(name) is not None

"""The one way to have the system tell of changed files; who calls it falls back to polling where it cannot."""

import asyncio
import contextlib
import errno
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path

from cockpit.inotify import Inotify
from cockpit.plain_text import plain_text
from cockpit.stream import came

Matters = Callable[[str], bool]
_MOST_SETTLING = 0.15  # seconds for which a batch is held back while more comes
_STANDS_AFTER = 500  # milliseconds after which watchfiles surely watches
_NOISE = frozenset(("__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", "node_modules", ".git"))
_NOISE_ENDS = (".pyc", ".swp", ".swx", "~", ".log", ".sqlite3", "-journal", "-wal", "-shm", ".lock")


def is_noise(name: str) -> bool:
    """Whether what has this name is written along the way by programs: caches, logs, locks, swap files."""
    return name in _NOISE or name.endswith(_NOISE_ENDS)


async def watch_folders(
    *folders: Path | str,
    matters: Matters | None = None,
    settle: float = 0.1,
    stop: asyncio.Event | None = None,
    tick: float | None = None,
    recursive: bool = True,
) -> AsyncGenerator[set[str], None]:
    """Batches of the paths that changed below `folders`, until `stop` is set.

    The first batch is empty: from then on the folders are watched, and what happened before was not told. `matters`
    leaves paths out. A batch comes once nothing more has changed for `settle` seconds; after `tick` seconds of
    silence comes an empty one.

    Raises nothing but `OSError` and `RuntimeError` where the system cannot watch: no watches are left, a folder is
    gone.
    """
    stop = stop or asyncio.Event()
    watching = _told if sys.platform == "linux" else _asked
    batches = watching([str(folder) for folder in folders], matters or _all, settle, stop, tick, recursive)
    async with aclosing(batches):
        async for batch in batches:
            yield batch


def _all(path: str) -> bool:
    return True


async def _told(
    folders: list[str], matters: Matters, settle: float, stop: asyncio.Event, tick: float | None, recursive: bool
) -> AsyncGenerator[set[str], None]:
    """On Linux the event loop itself waits for the system's word, so that silence costs nothing."""
    loop = asyncio.get_running_loop()
    watch = Inotify(recursive=recursive)
    awake = asyncio.Event()
    stopping = asyncio.create_task(stop.wait())
    stopping.add_done_callback(lambda _: awake.set())

    def wake() -> None:
        loop.remove_reader(watch.fileno())  # heard: the rest is taken without being called
        awake.set()

    try:
        await asyncio.to_thread(watch.watch, folders)
        yield set()
        spoken = loop.time()
        while not stop.is_set():
            loop.add_reader(watch.fileno(), wake)
            changed: set[str] = set()
            if await came(awake, None if tick is None else spoken + tick - loop.time()):
                awake.clear()
                changed = set() if stop.is_set() else await _settled(watch, matters, settle)
            if changed or (tick is not None and loop.time() - spoken >= tick and not stop.is_set()):
                yield changed
                spoken = loop.time()
    finally:
        loop.remove_reader(watch.fileno())
        stopping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await stopping
        loop.run_in_executor(None, watch.close)  # the kernel takes its time over thousands of watches


async def _settled(watch: Inotify, matters: Matters, settle: float) -> set[str]:
    loop = asyncio.get_running_loop()
    until = loop.time() + _MOST_SETTLING
    found: set[str] = set()
    while True:
        await asyncio.sleep(settle)
        fresh = False
        while paths := watch.take():
            wanted = {path for path in paths if matters(path)}
            found |= wanted
            fresh = fresh or bool(wanted)
            await asyncio.sleep(0)  # a flood is taken in pieces
        if not fresh or loop.time() >= until:
            return found


async def _asked(
    folders: list[str], matters: Matters, settle: float, stop: asyncio.Event, tick: float | None, recursive: bool
) -> AsyncGenerator[set[str], None]:
    """Elsewhere watchfiles' thread asks the system, as often as `settle` says."""
    from watchfiles import awatch

    changes = awatch(
        *folders,
        watch_filter=lambda _, path: matters(path),
        debounce=int(_MOST_SETTLING * 1000),
        step=int(settle * 1000),
        stop_event=stop,
        rust_timeout=_STANDS_AFTER,
        yield_on_timeout=True,
        recursive=recursive,
    )
    loop = asyncio.get_running_loop()
    stands, spoken = False, loop.time()
    try:
        async with aclosing(changes) as batches:
            async for batch in batches:
                now = loop.time()
                if not stands:
                    stands, spoken = True, now
                    yield set()
                if batch or (tick is not None and now - spoken >= tick):
                    spoken = now
                    yield {path for _, path in batch}
    except ExceptionGroup as group:
        raise _reason(group) from None
    except UnicodeError:
        raise OSError(errno.EILSEQ, "the name of a folder is not UTF-8") from None


def _reason(group: "ExceptionGroup[Exception]") -> Exception:
    first = group.exceptions[0]
    if isinstance(first, ExceptionGroup):
        return _reason(first)
    if isinstance(first, OSError | RuntimeError):
        return RuntimeError("a file's name is not UTF-8") if "decode path" in str(first) else first
    return RuntimeError(str(first))


def why_not_watched(problem: BaseException) -> str:
    """Why the system does not watch, in words that say what to raise where its watches are used up."""
    text = str(problem).lower()
    if isinstance(problem, OSError) and problem.errno == errno.EMFILE:
        return "no inotify instances left; raise fs.inotify.max_user_instances"
    if "no space left" in text or "limit" in text or "too many" in text:
        return "no inotify watches left; raise fs.inotify.max_user_watches"
    return f"the folders cannot be watched ({plain_text(problem, 120)})"

"""All four feeds at once, without an app: for `cockpit watch` and `cockpit record`."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any

from cockpit.call import say
from cockpit.errors import CannotAnswer
from cockpit.plain_text import plain_text

if TYPE_CHECKING:
    from cockpit.config import Config
    from cockpit.repository import Repository

Take = Callable[[Any], None]
PANES = ("budget", "phase", "worktrees", "findings")
"""The feeds by the pane that they fill. Money comes first: sessions and worktrees carry its figures."""
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def follow_all(
    repository: "Repository", config: "Config", takes: Mapping[str, Take], *, everywhere: bool = False
) -> int:
    """Hand every value of every feed to the function of its pane, until a signal comes or the reader goes away (0), or
    every feed has ended by itself (2). `everywhere`: worktrees, sessions and money of all repositories."""
    from cockpit.findings.engine import Engine
    from cockpit.findings.feed import follow_findings
    from cockpit.phases.feed import follow_sessions
    from cockpit.spend.feed import follow_spend
    from cockpit.stream import newest
    from cockpit.worktrees.everywhere import follow_everywhere
    from cockpit.worktrees.feed import Hints, follow_worktrees

    hints, root = Hints(), repository.root
    hints.covered = str(root)
    follow_trees = follow_everywhere if everywhere else follow_worktrees

    def saved(names: frozenset[str]) -> None:
        for name in names:
            hints.touch(root / name)

    with Engine() as engine:
        feeds: dict[str, AsyncIterator[Any]] = {
            "budget": follow_spend(repository, config, all_repos=everywhere),
            "phase": follow_sessions(repository, all_repos=everywhere),
            "worktrees": follow_trees(repository, config, hints=hints),
            "findings": follow_findings(engine, repository, config, root=root, on_saved=saved),
        }
        tasks = [asyncio.create_task(_follow(name, newest(feeds[name]), takes[name])) for name in PANES]
        return await _until_stopped(tasks)


async def _follow(
    name: str,
    values: AsyncIterator[Any],
    take: Take,
) -> None:
    """Take each value of a feed; a feed that fails is named, and the others go on."""
    note = ""
    try:
        async for value in values:
            said = value.note if getattr(value, "phase", "ready") == "ready" else ""
            if said and said != note:
                say(f"cockpit: {name}: {said}")
                note = said
            take(value)
    except BrokenPipeError:
        raise
    except CannotAnswer as problem:
        say(f"cockpit: {name} cannot be watched: {problem}")
    except Exception as problem:
        say(f"cockpit: {name} is no longer watched: {type(problem).__name__}: {plain_text(problem, 200)}")
    finally:
        await values.aclose()  # type: ignore[attr-defined]


async def _until_stopped(tasks: list["asyncio.Task[None]"]) -> int:
    """0 once a signal comes or the reader goes away, 2 where every feed has ended by itself."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in _STOPPING:
        loop.add_signal_handler(number, stop.set)
    stopped = asyncio.create_task(stop.wait())
    everything = asyncio.gather(*tasks)
    try:
        first: set[asyncio.Future[Any]] = {stopped, everything}
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if stopped.done():
            return 0
        await everything
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    finally:
        stopped.cancel()
        for task in tasks:
            task.cancel()
        await asyncio.gather(stopped, *tasks, return_exceptions=True)
        with contextlib.suppress(asyncio.CancelledError, BrokenPipeError):
            await everything

"""`cockpit watch`: one line per event until interrupted, for pipes, scripts and screen readers."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from cockpit.call import Call

if TYPE_CHECKING:
    from cockpit.changes import Event, Row
    from cockpit.config import Config
    from cockpit.repository import Repository

EXAMPLES = """examples:
  cockpit watch                                   one plain line an event
  cockpit watch --json | jq -c 'select(.event == "session" and .data.state == "waiting")'
  cockpit watch --json | grep --line-buffered '"finding.added"'

First everything as it is now, then only what changes; ctrl+c ends it.
events: finding.added, finding.resolved, check.done, worktree, spend, phase, session
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--plain", action="store_true", help="one line of text an event (the default)")
    form.add_argument("--json", action="store_true", help='JSON Lines: {"event", "at", "data"}')


def run(call: Call) -> int:
    """Print events until interrupted: exit 0 then, also where the reader goes away; 2 where nothing can be watched."""
    from cockpit.changes import json_line, plain_line

    repository, config = call.repository(), call.config()
    line = json_line if call.args.json else plain_line
    try:
        return asyncio.run(_watch(repository, config, line, everywhere=bool(call.args.all_repos)))
    except KeyboardInterrupt:
        return 0


async def _watch(
    repository: "Repository", config: "Config", line: "Callable[[str, str, Row], str]", *, everywhere: bool
) -> int:
    from cockpit.changes import Changes
    from cockpit.clock import iso, now
    from cockpit.live import follow_all
    from cockpit.warm.keep import keep_warm
    from cockpit.warm.telling import Shown

    changes, shown = Changes(), Shown()

    def put(take: "Callable[[Any], Iterator[Event]]") -> Callable[[Any], None]:
        def taken(value: Any) -> None:
            for event, data in take(value):
                sys.stdout.write(line(event, iso(now()), data) + "\n")
            sys.stdout.flush()

        return taken

    takes = {
        "budget": put(shown.noting("spend", changes.spend)),
        "phase": put(shown.noting("sessions", changes.sessions)),
        "worktrees": put(shown.noting("trees", changes.worktrees)),
        "findings": put(shown.noting("found", changes.findings)),
    }
    warm = asyncio.create_task(keep_warm(repository, shown))
    try:
        return await follow_all(repository, config, takes, everywhere=everywhere)
    finally:
        warm.cancel()
        await asyncio.gather(warm, return_exceptions=True)

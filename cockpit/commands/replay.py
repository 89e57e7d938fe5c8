"""`cockpit replay FILE`: a recording back in the panes, or as the lines of `cockpit watch`."""

import argparse
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from cockpit.given_number import number
from skills.counted import counted

if TYPE_CHECKING:
    from cockpit.call import Call
    from cockpit.changes import Event
    from cockpit.recording.lines import Recording

EXAMPLES = """examples:
  cockpit replay day.jsonl                in the panes; a pause is never over two seconds
  cockpit replay --speed 10 day.jsonl     ten times as fast; 0: straight to the end
  cockpit replay --plain day.jsonl        the lines that cockpit watch would have printed
"""
_LONGEST = 2.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("file", metavar="FILE", help="a file that cockpit record wrote")
    parser.add_argument(
        "--speed", type=number(), default=1.0, metavar="N", help="times as fast (default 1; 0: at once)"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--plain", action="store_true", help="print the lines of cockpit watch --plain")
    form.add_argument("--json", action="store_true", help="print the lines of cockpit watch --json")


def run(call: "Call") -> int:
    """Replay. Exit 0; raises `CannotAnswer` where the file is no recording, or without a terminal."""
    import sys
    from pathlib import Path

    from cockpit.call import say
    from cockpit.errors import CannotAnswer
    from cockpit.recording.lines import read_recording

    recording = read_recording(Path(call.args.file))
    if recording.unread:
        say(f"cockpit: {counted(recording.unread, 'line')} could not be read")
    if call.args.plain or call.args.json:
        _print(recording, json=call.args.json)
        return 0
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CannotAnswer("a replay needs a terminal", "--plain and --json print it instead")
    from cockpit.app_parts.replay import open_replay

    return open_replay(call, recording, speed=max(0.0, call.args.speed), longest=_LONGEST)


def _print(recording: "Recording", *, json: bool) -> None:
    import sys

    from cockpit.changes import Changes, json_line, plain_line
    from cockpit.clock import iso

    changes = Changes()
    takes: dict[str, Callable[[Any], Iterator[Event]]] = {
        "budget": changes.spend,
        "phase": changes.sessions,
        "worktrees": changes.worktrees,
        "findings": changes.findings,
    }
    line = json_line if json else plain_line
    for event in recording.events:
        for name, data in takes[event.pane](event.snapshot):
            sys.stdout.write(line(name, iso(event.at), data) + "\n")

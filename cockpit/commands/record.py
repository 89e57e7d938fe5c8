"""`cockpit record FILE`: what the four panes would show, redacted, into a file, until interrupted."""

import argparse
import asyncio
from typing import IO, TYPE_CHECKING

from cockpit.given_number import number

if TYPE_CHECKING:
    from cockpit.call import Call
    from cockpit.recording.lines import Recorder

EXAMPLES = """examples:
  cockpit record day.jsonl           until ctrl+c; then: cockpit replay day.jsonl
  cockpit record --seconds 60 bug.jsonl
  cockpit record - | head            on standard output

Left out: home folders, mail addresses, secrets, and the words of prompts.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("file", metavar="FILE", help="a file that does not exist yet, or - for standard output")
    parser.add_argument("--seconds", type=number(), default=None, metavar="N", help="stop after so long")
    parser.add_argument("--json", action="store_true", help="also print each line as it is written")


def run(call: "Call") -> int:
    """Record until interrupted. Exit 0; 2 where nothing can be watched or the file exists."""
    import contextlib
    import sys
    from pathlib import Path

    from cockpit.call import say
    from cockpit.errors import CannotAnswer, cannot_write
    from cockpit.recording.lines import Recorder

    repository = call.repository()
    call.config()  # a wrong one is said before anything is written
    home, out = str(Path.home()), call.args.file == "-"
    with contextlib.ExitStack() as stack:
        if out:
            stream: IO[str] = sys.stdout
        else:
            try:
                stream = stack.enter_context(Path(call.args.file).open("x", encoding="utf-8"))
            except FileExistsError:
                raise CannotAnswer(f"{call.args.file} exists", "give a file that does not exist yet") from None
            except OSError as problem:
                raise cannot_write(call.args.file, problem) from None
        recorder = Recorder(stream, repository.name, repository.root, home)
        with contextlib.suppress(KeyboardInterrupt):
            code = asyncio.run(_record(call, recorder, echo=call.args.json and not out))
        if not out:
            say(f"cockpit: {recorder.written} snapshots in {call.args.file}")
    return code if recorder.written == 0 else 0


async def _record(call: "Call", recorder: "Recorder", *, echo: bool) -> int:
    import sys
    from functools import partial

    from cockpit.live import PANES, follow_all

    def take(pane: str, value: object) -> None:
        line = recorder.take(pane, value)
        if echo and line is not None:
            sys.stdout.write(line.decode() + "\n")
            sys.stdout.flush()

    takes = {pane: partial(take, pane) for pane in PANES}
    follow = follow_all(call.repository(), call.config(), takes, everywhere=bool(call.args.all_repos))
    try:
        async with asyncio.timeout(call.args.seconds):
            return await follow
    except TimeoutError:
        return 0

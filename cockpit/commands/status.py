"""`cockpit status`: one line for tmux, a prompt or an agent's status line."""

import argparse
import contextlib
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.call import Call, print_json
from cockpit.errors import CannotAnswer

if TYPE_CHECKING:
    from cockpit.config import Config
    from cockpit.repository import Repository
    from cockpit.status import Status

EXAMPLES = """examples:
  cockpit status                     main · 1 waits · ctx 78% · $4.12 · P0 2
  set -g status-right '#(cockpit --repo "#{pane_current_path}" status)'     in ~/.tmux.conf
  "statusLine": {"type": "command", "command": "cockpit status"}            in Claude Code's settings.json

branch · agents that wait · context used · dollars today · blocking findings; what is not known is left out.
While the app is open it answers at once; else the agents' files are read, and P0 is the last known, with its age.
From Claude Code it also keeps the size of the context window and the usage windows (cockpit limits).
"""
_COLORS = {"warn": "33", "bad": "31"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(call: Call) -> int:
    """Print the line. Exit code 0."""
    from cockpit.clock import now
    from cockpit.status import line_of, read_status

    said = _said()
    moment = now()
    if said:
        from cockpit.agents.status_line import note

        note(said, int(moment.timestamp() * 1000))
    repository, config = _place(call, said)
    status = read_status(repository, config, said)
    parts = line_of(status, moment)
    text = " · ".join(part for part, _ in parts)
    if call.args.json:
        print_json(_document(status, text))
        return 0
    if said and not os.environ.get("NO_COLOR"):
        text = " · ".join(f"\x1b[{_COLORS[loud]}m{part}\x1b[0m" if loud else part for part, loud in parts)
    sys.stdout.write(text + "\n")
    return 0


def _place(call: Call, said: dict[str, Any]) -> "tuple[Repository, Config]":
    """The work tree in question: the agent's own folder where it says one, unless `--repo` names another."""
    workspace = said.get("workspace")
    folder = workspace.get("current_dir") if isinstance(workspace, dict) else None
    if isinstance(folder, str) and not call.args.repo:
        from cockpit.config import load_config
        from cockpit.repository import find_repository

        with contextlib.suppress(CannotAnswer):
            repository = find_repository(Path(folder))
            return repository, load_config(repository.root)
    return call.repository(), call.config()


def _said() -> dict[str, Any]:
    """What an agent gave its status line; the entry point puts it into stdin where there is any."""
    stream = getattr(sys.stdin, "buffer", None)
    if not isinstance(stream, io.BytesIO):
        return {}
    import msgspec

    try:
        said = msgspec.json.decode(stream.read())
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _document(status: "Status", text: str) -> dict[str, Any]:
    context = None if status.percent is None else {"percent": round(status.percent, 1), "level": status.level}
    return {
        "branch": status.branch,
        "waiting": status.waiting,
        "busy": status.busy,
        "context": context and {"session": status.session, **context},
        "usd": None if status.usd is None else round(status.usd, 6),
        "floor": status.floor,
        "p0": status.p0,
        "p0_status": status.p0_status,
        "text": text,
        "meta": {"source": status.source, "at": status.at, "p0_at": status.p0_at},
    }

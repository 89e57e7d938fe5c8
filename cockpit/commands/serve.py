"""`cockpit serve`: the same app in a browser of this machine, behind a token."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cockpit.call import Call

EXAMPLES = """examples:
  cockpit serve                  prints the address with its token; ctrl+c ends it
  cockpit serve --port 8123
  cockpit serve --json           {"url": "http://127.0.0.1:…/?token=…"} as soon as it answers

It listens on 127.0.0.1 only. To look from another machine, tunnel the port: ssh -L 8123:127.0.0.1:8123 HOST
"""
_LAST_PORT = 65535


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("--port", type=_port, default=0, metavar="N", help="the port (default: a free one)")
    parser.add_argument("--json", action="store_true", help="the address as one JSON document on stdout")


def _port(given: str) -> int:
    if not given.isdecimal() or int(given) > _LAST_PORT:
        raise argparse.ArgumentTypeError(f"{given!r} is no port; use 1 to {_LAST_PORT}, or 0 for a free one")
    return int(given)


def run(call: "Call") -> int:
    """Serve until interrupted. Exit 0; raises `CannotAnswer` where the port cannot be had."""
    import shlex
    import sys

    from cockpit.call import print_json
    from cockpit.errors import CannotAnswer
    from cockpit.served.server import GuardedServer

    root, _ = call.repository().root, call.config()
    words = [sys.executable, "-P", "-m", "cockpit", "--repo", str(root)]
    for option, value in (("--theme", call.args.theme), ("--config", call.args.config)):
        words += [option, str(value)] if value else []
    if call.args.all_repos:
        words.append("--all-repos")

    def ready(address: str) -> None:
        if call.args.json:
            print_json({"url": address, "meta": {}})
        else:
            print(f"cockpit on {address}", flush=True)

    try:
        GuardedServer(shlex.join(words), _had(call.args.port), ready=ready).serve()
    except OSError as problem:
        raise CannotAnswer(f"port {call.args.port} cannot be had ({problem.strerror})", "choose another") from None
    return 0


def _had(port: int) -> int:
    """The port, or a free one for 0. Raises `OSError` where another has it: its answer would be taken for ours."""
    import socket

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        had: int = probe.getsockname()[1]
        return had

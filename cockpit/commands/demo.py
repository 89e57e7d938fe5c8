"""`cockpit demo`: the app on a small real repository, made in a temporary folder and removed at the end."""

import argparse
import contextlib
import os
import shlex
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.call import Call, print_json, say
from cockpit.errors import CannotAnswer

if TYPE_CHECKING:
    from cockpit.demo import Demo

EXAMPLES = """examples:
  cockpit demo                          make it, open the app on it, remove it at the end
  cockpit demo --path ~/acme            make it there and keep it
  eval "$(cockpit demo --print)"        make it, keep it, and step into it; then: cockpit, cockpit check, …
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("--path", metavar="DIR", help="make it in DIR (new or empty) and keep it")
    parser.add_argument(
        "--print", action="store_true", help="make it, keep it, and print the shell lines that lead to it"
    )
    parser.add_argument("--json", action="store_true", help="as --print, as one JSON document")


def run(call: Call) -> int:
    """Make the demo and open it, or say where it is. Raises `CannotAnswer` where it cannot be made."""
    only_print = call.args.print or call.args.json or not (sys.stdin.isatty() and sys.stdout.isatty())
    return _print(call) if only_print else _open(call)


def _open(call: Call) -> int:
    import tempfile

    from cockpit.app import open_app
    from cockpit.paths import tour_file

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    with contextlib.ExitStack() as stack:
        folder = _chosen(call) or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cockpit-demo-")))
        demo = _make(folder)
        stack.callback(demo.close)
        if not tour_file().exists():  # who has never seen the tour sees it here
            (demo.state_dir / "tour-shown").unlink(missing_ok=True)
        stack.enter_context(_environment(demo.env))
        call.args.repo = str(demo.root)
        return open_app(call)


def _leave(number: int, _frame: object) -> None:
    """End in the ordinary way, so that the folder and the processes go as well."""
    sys.exit(128 + number)


def _print(call: Call) -> int:
    import tempfile

    folder = _chosen(call) or Path(tempfile.mkdtemp(prefix="cockpit-demo-"))
    demo = _make(folder, outlive=_calling_shell())
    if call.args.json:
        print_json(
            {
                "folder": str(demo.folder),
                "root": str(demo.root),
                "env": demo.env,
                "pids": list(demo.pids),
                "meta": {},
            }
        )
        return 0
    for name, value in demo.env.items():
        print(f"export {name}={shlex.quote(value)}")
    print(f"cd {shlex.quote(str(demo.root))}")
    say(f"the demo is in {demo.folder}; its agents, three small processes, end with this shell or it")
    return 0


def _make(folder: Path, outlive: int | None = None) -> "Demo":
    from cockpit.clock import now
    from cockpit.demo import make_demo

    try:
        return make_demo(folder, now=now(), outlive=outlive)
    except OSError as problem:
        raise CannotAnswer(f"{folder}: {problem.strerror}", "give --path a folder that can be written") from None


def _chosen(call: Call) -> Path | None:
    if not call.args.path:
        return None
    folder = Path(call.args.path).expanduser()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CannotAnswer(f"{folder} is not empty", "give --path a new folder; nothing is ever overwritten")
    return folder


def _calling_shell() -> int:
    """The process whose end means that nobody looks: the terminal session's leader, else our parent."""
    for pid in (os.getsid(0), os.getppid()):
        with contextlib.suppress(OSError):
            if pid > 1:
                os.kill(pid, 0)
                return pid
    return os.getppid()


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

"""`cockpit sweep`: secrets, history, dependencies, env files, permissions, static analysis, before work is shared."""

import argparse
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from cockpit.call import Call, print_json, rewrite, say

if TYPE_CHECKING:
    from cockpit.sweep.run import Sweep
    from skills.workflow.sweep import SweepCheck

Answer = TypeVar("Answer")

EXAMPLES = """examples:
  cockpit sweep                  everything, with progress; ctrl+c ends it
  cockpit sweep --staged         only what is staged, as the pre-commit hook asks
  cockpit sweep --strict         what could not be looked at blocks as well
  cockpit sweep --write          also keep the full answers in .security/ (ignored by git)
  cockpit sweep --json | jq '.checks[] | select(.status != "pass")'

exit: 1 where a check fails, 2 where one could not look, 0 where all looked and none fails
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--staged", action="store_true", help="only what is staged: its added lines and env files")
    what.add_argument("--pushed", action="store_true", help="only what a push would send, as git's pre-push hook says")
    parser.add_argument("--strict", action="store_true", help="a check that could not look blocks")
    parser.add_argument("--write", action="store_true", help="keep the full answers in .security/")
    parser.add_argument("--checklist", action="store_true", help="also print what only a person can check")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(call: Call) -> int:
    """Sweep and print. Returns the exit code. Raises `CannotAnswer` where git does not tell its files."""
    from cockpit import clock
    from cockpit.columns import on_paper
    from cockpit.sweep.run import Sweep
    from skills.workflow.sweep import MANUAL_CHECKLIST, exit_code, sweep_lines

    args = call.args
    root = call.repository().root
    begun = time.monotonic()
    sweep = Sweep(root, call.config(), strict=args.strict, said=rewrite)
    try:
        checks = sweep.run_pushed(_updates()) if args.pushed else _answers(sweep, staged=args.staged)
    finally:
        rewrite("")
    files: list[str] = []
    unwritten = ""
    if args.write:
        from cockpit.errors import CannotAnswer
        from cockpit.sweep.reports import write_reports

        try:
            files = [path.relative_to(root).as_posix() for path in write_reports(root, checks, clock.now())]
        except CannotAnswer as problem:  # the answers count all the same
            unwritten = str(problem)
    if args.json:
        print_json(
            {
                "root": str(root),
                "staged": bool(args.staged),
                "checks": [check.row() for check in checks],
                "blocked": any(check.blocks for check in checks),
                "files": files,
                "meta": {"duration_ms": round((time.monotonic() - begun) * 1000)},
            }
        )
    else:
        lines = sweep_lines(check for check in checks if not _quiet(check, args))
        if args.checklist:
            lines += ["", "For a person to check:", *(f"  [ ] {line}" for line in MANUAL_CHECKLIST)]
        lines += [f"written: {name}" for name in files]
        sys.stdout.write(on_paper(lines) + "\n")
    if unwritten:
        say(f"cockpit: {unwritten}")
    return exit_code(checks) or (2 if unwritten else 0)


def _quiet(check: "SweepCheck", args: argparse.Namespace) -> bool:
    """What a hook need not say: checks that are not about what is staged or pushed."""
    return bool(args.staged or args.pushed) and check.status == "not_applicable"


def _answers(sweep: "Sweep", *, staged: bool) -> "tuple[SweepCheck, ...]":
    """The answers; ctrl+c ends what runs, its processes with it."""
    if staged:
        return sweep.run_staged()
    return run_cancellable(sweep.run, sweep.cancel.cancel, "cancelled: what had no answer is not run")


def run_cancellable(work: Callable[[], Answer], cancel: Callable[[], None], said: str) -> Answer:
    """The answer of long work in a thread; ctrl+c calls `cancel` and says so, and the work still ends by itself."""
    found: list[Answer] = []
    problems: list[BaseException] = []
    done = threading.Event()  # joining a thread after an interrupt may find it ended that is not

    def run_it() -> None:
        try:
            found.append(work())
        except BaseException as problem:
            problems.append(problem)
        finally:
            done.set()

    threading.Thread(target=run_it, daemon=True).start()
    while not done.is_set():
        try:
            done.wait(0.2)
        except KeyboardInterrupt:
            cancel()
            say(said)
    if problems:
        raise problems[0]
    return found[0]


def _updates() -> list[tuple[str, str]]:
    """(commit sent, commit there) of each line that git gives a pre-push hook."""
    rows = [line.split() for line in sys.stdin.read().splitlines()] if not sys.stdin.isatty() else []
    return [(row[1], row[3]) for row in rows if len(row) == 4]

"""`cockpit audit`: how code uses its database and its event loop, in four categories with scores and a verdict."""

import argparse
import gc
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.call import Call, print_json, rewrite, say
from cockpit.errors import CannotAnswer
from cockpit.plain_text import plain_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cockpit.audit.models import AuditProgress
    from skills.audit.model import AuditResult

EXAMPLES = """examples:
  cockpit audit                         the report, as Markdown where no terminal reads it; nothing is written
  cockpit audit server --format json    one folder; what its code refers to is still read
  cockpit audit --write                 report, workers' files and results log below docs/project
  cockpit audit --task                  also one task below docs/tasks, under Epic 0
  cockpit audit --linear                shows the request to Linear, and sends it after a yes (LINEAR_API_KEY)

exit: 0 PASS or CONCERNS · 1 FAIL, a critical issue · 2 BLOCKED, a worker could not answer
the same findings, one line each:  cockpit check --select audit
"""
_CODES = {"FAIL": 1, "BLOCKED": 2}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("path", nargs="?", metavar="PATH", help="a file or folder (default: the whole repository)")
    parser.add_argument("--format", choices=("markdown", "json"), help="default: lines in a terminal, else Markdown")
    parser.add_argument("--json", action="store_const", const="json", dest="format", help="as --format json")
    parser.add_argument("--write", action="store_true", help="write report, workers' files and results log")
    parser.add_argument("--task", action="store_true", help="write one task under Epic 0")
    parser.add_argument("--linear", action="store_true", help="show the issue for Linear, send it after a yes")
    parser.add_argument("--baseline", metavar="FILE", help="accepted findings (default: .cockpit/baseline.json)")
    parser.add_argument("--no-baseline", action="store_true", help="count accepted findings as well")
    parser.add_argument("--no-cache", action="store_true", help="judge every file anew and keep nothing")


def run(call: Call) -> int:
    """Audit and print. 0 for PASS and CONCERNS, 1 for FAIL, 2 for BLOCKED and where a file could not be written."""
    gc.disable()  # as in a check: it ends before its garbage matters
    from cockpit.audit.written import one_audit_at_a_time

    root, scope, in_git = _place(call)
    if not (call.args.write or call.args.task):
        return _run(call, root, scope, in_git)
    with one_audit_at_a_time(root):
        return _run(call, root, scope, in_git)


def _run(call: Call, root: Path, scope: str, in_git: bool) -> int:
    from cockpit.audit.run import AuditRequest, audit
    from cockpit.audit.written import report_text, task_path, write_report, write_task
    from cockpit.clock import now
    from cockpit.config import load_config

    started, moment, args = time.perf_counter(), now(), call.args
    config = load_config(root, Path(args.config) if args.config else None)
    baseline = None if args.no_baseline else str(Path(args.baseline).absolute()) if args.baseline else ""
    request = AuditRequest(scope, not in_git and bool(scope), baseline, not args.no_cache)
    result = audit(root, config, request, tell=_teller())
    task = task_path(result, moment) if args.task else ""
    problem = None
    paths: list[str] = []
    try:
        if args.task:
            paths.append(write_task(root, result, moment))
        if args.write:
            paths += write_report(root, result, moment, task)
    except CannotAnswer as refused:
        problem = refused
    report = report_text(result, moment, task if problem is None else "")
    if args.format == "json":
        print_json(_document(result, root, paths, moment, started))
    else:
        _print(result, report, as_lines=args.format is None)
    for path in paths:
        say(f"written: {path}")
    if problem is not None:
        raise problem
    if args.linear:
        _linear(result, root, moment, report)
    return _CODES.get(result.verdict, 0)


def _print(result: "AuditResult", report: str, as_lines: bool) -> None:
    """Print the report: as lines that fit where somebody reads them in a terminal, else as Markdown."""
    from cockpit.findings.report_text import Terminal

    terminal = Terminal.of_output() if as_lines else None
    if terminal is not None:
        from cockpit.audit.report_text import text_lines

        sys.stdout.write("".join(line + "\n" for line in text_lines(result, terminal)))
    else:
        sys.stdout.write(plain_text(report, multiline=True))
    sys.stdout.flush()


def _place(call: Call) -> tuple[Path, str, bool]:
    """The root, the part below it that is judged, and whether git knows the root."""
    if not call.args.path:
        return call.repository().root, "", True
    from cockpit.repository import find_repository

    given = Path(os.path.realpath(call.args.path))
    if not given.exists():
        raise CannotAnswer(f"{plain_text(call.args.path, 200)}: no such file or folder")
    folder = given if given.is_dir() else given.parent
    try:
        root = find_repository(folder).root
    except CannotAnswer:
        return folder, "" if given.is_dir() else given.name, False
    real = Path(os.path.realpath(root))
    name = given.relative_to(real).as_posix()
    return root, "" if name == "." else name, True


def _teller() -> "Callable[[AuditProgress], None]":
    """Progress on stderr, where that is a terminal: how much is read, then each worker as it ends."""
    from skills.spending.amount import percent

    if not sys.stderr.isatty():
        return lambda progress: None
    told: set[str] = set()
    shown = [0.0]

    def tell(progress: "AuditProgress") -> None:
        if progress.read < 1 and time.monotonic() - shown[0] > 0.2:
            shown[0] = time.monotonic()
            rewrite(f"reading {percent(progress.read)}")
        for one in progress.workers:
            if one.stage not in ("waiting", "running") and one.worker.id not in told:
                told.add(one.worker.id)
                score = f"{one.score:.1f}" if one.score is not None else one.stage.replace("_", " ")
                say(f"{one.worker.category}: {score}")

    return tell


def _document(
    result: "AuditResult", root: Path, paths: list[str], moment: "datetime", started: float
) -> dict[str, Any]:
    from cockpit.clock import iso
    from skills.audit.documents import audit_document

    meta = {"at": iso(moment), "duration_ms": round((time.perf_counter() - started) * 1000)}
    return {
        **audit_document(result),
        "root": plain_text(root),
        "files": result.files,
        "commit": result.commit or None,
        "written": paths,
        "meta": meta,
    }


def _linear(result: "AuditResult", root: Path, moment: "datetime", report: str) -> None:
    """Show the request; send it where a person at a terminal says yes."""
    import json

    from cockpit.audit.linear import ADDRESS, payload_of, send
    from cockpit.audit.sources import BOARD, read_text
    from skills.audit.report import team_of

    payload = payload_of(result, f"{moment:%Y-%m-%d}", team_of(read_text(root / BOARD)), report)
    say(f"the request to {ADDRESS}:")
    print(json.dumps(payload, indent=1), file=sys.stderr)
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        say("not sent: this is no terminal in which somebody could say yes")
        return
    print("Send it? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        say("not sent")
        return
    say(f"created: {send(payload)}")

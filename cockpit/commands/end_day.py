"""`cockpit end-day`: the context saved, backed up and verified, the sweep, costs, learnings, and what could go."""

import argparse
import json
import sys
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from cockpit.call import Call, print_json, rewrite, say
from cockpit.plain_text import plain_text

if TYPE_CHECKING:
    from cockpit.day.finish import EndDay, Ended

EXAMPLES = """examples:
  cockpit end-day --dry-run                       what would be written and found; nothing is written at all
  cockpit end-day --decision "Keyset pagination"  with a decision for the record
  cockpit end-day --tomorrow "Ship the endpoint" --blocker "Waits for the sandbox key"
  cockpit end-day --send                          also one message to the webhook in your own configuration
  cockpit end-day --json | jq '.steps[] | select(.status != "pass")'

exit: 1 where a step failed or the sweep blocks, 2 where nobody could look for secrets; context and backup are written
all the same
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("--dry-run", action="store_true", help="write nothing at all")
    for name, what in (
        ("decision", "a decision that was made"),
        ("blocker", "something that blocks"),
        ("tomorrow", "a priority for tomorrow, before the others"),
    ):
        parser.add_argument(f"--{name}", action="append", default=[], metavar="TEXT", help=f"{what} (may be repeated)")
    parser.add_argument("--strict", action="store_true", help="a check that could not look blocks")
    parser.add_argument("--send", action="store_true", help="send a summary to [webhook] url; it is printed first")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(call: Call) -> int:
    """End the day. Returns the exit code. Raises `CannotAnswer` where another end of day is running."""
    from cockpit.day.scratch import scratch_state

    with scratch_state() if call.args.dry_run else nullcontext():
        return _run(call)


def _run(call: Call) -> int:
    from cockpit.columns import on_paper
    from cockpit.commands.start_day import show_step
    from cockpit.commands.sweep import run_cancellable
    from cockpit.day.draft import edited, read_draft
    from cockpit.day.finish import EndDay
    from skills.workflow.day_text import end_text

    args = call.args
    begun = time.monotonic()
    repository, config = call.repository(), call.config()
    draft = read_draft(repository, config)
    old = draft.handover
    edited(
        draft,
        decisions=(*old.decisions, *args.decision),
        blockers=(*old.blockers, *args.blocker),
        tomorrow=(*args.tomorrow, *old.tomorrow),
    )
    end = EndDay(repository, config, draft, said=rewrite, write=not args.dry_run)
    if sys.stderr.isatty():
        end.tell = show_step
    end.sweep.strict = args.strict
    result = run_cancellable(end.run, end.sweep.cancel.cancel, "the sweep is cancelled; the rest is written")
    rewrite("")
    sent = _send(call, result) if args.send else None
    if args.json:
        ms = round((time.monotonic() - begun) * 1000)
        print_json({**_document(call, end, result), "sent": sent, "report": end_text(result.report),
                    "meta": {"duration_ms": ms}})  # fmt: skip
    else:
        text = plain_text(end_text(result.report), multiline=True)
        sys.stdout.write(on_paper(text.split("\n")))
    return result.exit_code


def _document(call: Call, end: "EndDay", result: "Ended") -> dict[str, Any]:
    root, draft = call.repository().root, end.draft
    files = [str(path.relative_to(root)) if path.is_relative_to(root) else str(path) for path in result.files]
    return {
        "steps": [step.row() for step in result.steps],
        "files": files,
        "dry_run": bool(call.args.dry_run),
        "blocked": result.blocked,
        "checks": [check.row() for check in result.sweep],
        "context": _context(end),
        "compressed": {"tokens": result.compressed.tokens, "dropped": list(result.compressed.dropped)},
        "learnings": [
            {"id": one.id, "kind": one.kind, "text": one.text, "source": one.source} for one in draft.learnings
        ],
        "proposals": [{"worktree": name, "why": why} for name, why in draft.proposals],
    }


def _context(end: "EndDay") -> dict[str, Any]:
    from skills.workflow.handover import as_json

    return as_json(end.draft.handover)


def _send(call: Call, result: "Ended") -> str | None:
    """Print the message and send it. Returns where it went, or why it did not; None where there is no address."""
    from cockpit.day.notify import summary_message
    from cockpit.errors import CannotAnswer
    from cockpit.spend.webhook import send, shown, webhook_url

    try:
        url = webhook_url()
    except CannotAnswer as problem:  # the day has ended all the same
        say(f"the message was not sent: {problem}")
        return str(problem)
    if not url:
        say("nothing is sent: your own configuration names no [webhook] url")
        return None
    message = summary_message(url, result)
    sys.stderr.write(f"to {shown(url)}:\n{json.dumps(message, indent=1)}\n")
    if call.args.dry_run:
        return "dry run"
    why = send(url, message)
    if why:
        say(f"the message was not sent: {why}")
    return why or shown(url)

"""`cockpit limits`: how much of the vendors' usage windows is gone, who says so, and how old that is."""

import argparse
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cockpit.call import Call, print_json, say

if TYPE_CHECKING:
    from cockpit.spend.models import UsageLimit

EXAMPLES = """examples:
  cockpit limits           the 5-hour and weekly windows of your accounts
  cockpit limits --json    for scripts

A window that no vendor has stated is computed from the responses and marked so: it has no percentage.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(call: Call) -> int:
    """Print the windows of the vendors' plans, with the age of each figure. Returns the exit code."""
    from cockpit import clock
    from cockpit.spend.limits import read_limits
    from cockpit.spend.opened import open_ledger

    now = clock.now()
    ledger = open_ledger()
    ledger.read()
    limits = read_limits(ledger, now)
    if call.args.json:
        print_json({"limits": [_row(limit, now) for limit in limits], "meta": {"at": clock.iso(now)}})
        return 0
    from cockpit.columns import aligned, hanging, output_width

    width = output_width()
    for lead, limit in zip(aligned([_cells(one) for one in limits], right={2}), limits, strict=True):
        print("\n".join(hanging(f"{lead}  ", f"({_said(limit, now)})", width)))
    if not limits:
        say("no agent has left a usage window that is still running, and none was used in the last 5 hours")
    return 0


def _row(limit: "UsageLimit", now: datetime) -> dict[str, Any]:
    from cockpit import clock

    return {
        "agent": limit.agent,
        "window": limit.window,
        "model": limit.model,
        "percent": limit.percent,
        "resets_at": clock.iso(limit.resets_at),
        "basis": limit.basis,
        "source": limit.source,
        "at": clock.iso(limit.at),
        "age_seconds": max(0, int((now - limit.at).total_seconds())),
        "usd": limit.usd,
        "tokens": limit.tokens,
    }


def _cells(limit: "UsageLimit") -> tuple[str, ...]:
    from skills.spending.amount import dollars

    name = limit.window + (f" {limit.model}" if limit.model else "")
    used = f"{limit.percent:.1f} %" if limit.percent is not None else dollars(limit.usd or 0)
    return limit.agent, name, used, f"resets {limit.resets_at.astimezone():%a %d %b %H:%M}"


def _said(limit: "UsageLimit", now: datetime) -> str:
    from skills.ages import age

    return f"{limit.basis}, {age(limit.at, now)} ago" if limit.basis == "vendor" else limit.source

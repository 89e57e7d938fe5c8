"""`cockpit sessions`: the agent sessions of this repository and the phase that each is in."""

import argparse
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.call import Call, print_json, say
from cockpit.errors import CannotAnswer

if TYPE_CHECKING:
    from cockpit.agents.models import Session, SessionsSnapshot
    from cockpit.config import Config
    from skills.orchestrator.checklist import ChecklistItem

EXAMPLES = """examples:
  cockpit sessions                 live sessions and those of the last 24 hours
  cockpit sessions --since 7d      those of the last 7 days
  cockpit sessions --gates --json  with the checklist of each change answered by the gates
  cockpit sessions --json          phases with their evidence and auto-checks
"""

_AGE = re.compile(r"(\d{1,6})\s*([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("--since", metavar="D", help="from then on: 90m, 24h, 7d, 2w, or an ISO date or time")
    parser.add_argument(
        "--gates", action="store_true", help="ask the gates in each session's worktree for its checklist"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(call: Call) -> int:
    """Print the sessions. Exit code 0, also where there is none."""
    from cockpit.clock import iso, now
    from cockpit.phases.day_track import read_day_track
    from cockpit.phases.feed import with_dollars, with_forecasts
    from cockpit.phases.membership import Membership
    from cockpit.phases.store import read_sessions
    from cockpit.phases.told import forecast_row, session_row
    from cockpit.spend.feed import read_spend

    moment = now()
    since = parse_since(call.args.since, moment) if call.args.since else None
    repository, config, everywhere = call.repository(), call.config(), bool(call.args.all_repos)
    snapshot = read_sessions(repository, since=since, all_repos=everywhere)
    if snapshot.sessions:
        spent = read_spend(repository, config, all_repos=everywhere)
        snapshot = with_forecasts(with_dollars(snapshot, dict(spent.by_session)), spent.paces)
    for problem in snapshot.problems:
        say(problem)
    if call.args.json:
        roots = [Path(root) for root in Membership(repository).roots if Path(root).is_dir()]
        lists = _lists(snapshot, roots, config, asked=call.args.gates)
        sessions = [
            {
                **session_row(session),
                "forecast": forecast_row(session, moment),
                "checklist": [_item(one) for one in lists[session.session]],
            }
            for session in snapshot.sessions
        ]
        track = read_day_track(repository, roots, snapshot.sessions, moment)
        day = [
            {"step": one.name, "status": one.status, "evidence": one.evidence, "at": iso(one.at) if one.at else None}
            for one in track
        ]
        print_json(
            {
                "sessions": sessions,
                "day": day,
                "meta": {"at": iso(moment), "problems": list(snapshot.problems), "unknown": snapshot.unknown},
            }
        )
    else:
        print("\n".join(_lines(snapshot, moment)))
    return 0


def _lists(
    snapshot: "SessionsSnapshot", roots: list[Path], config: "Config", *, asked: bool
) -> "dict[str, tuple[ChecklistItem, ...]]":
    """The checklist of each session; the gates answer where they are asked."""
    from cockpit.phases.checklist import checked_lists, session_checklist

    if asked:
        return checked_lists(snapshot.sessions, roots, config)
    why = "the gates were not asked: --gates"
    return {one.session: session_checklist(one, "", None, why_not=why) for one in snapshot.sessions}


def _item(one: "ChecklistItem") -> dict[str, Any]:
    return {"id": one.id, "gate": one.gate, "check": one.text, "holds": one.holds, "evidence": one.evidence}


def parse_since(text: str, moment: datetime) -> datetime:
    """The time that `--since` names. Raises `CannotAnswer` where it is neither an age nor an ISO date."""
    if age := _AGE.fullmatch(text.strip()):
        try:
            return moment - timedelta(**{_UNITS[age[2]]: int(age[1])})
        except OverflowError:
            raise CannotAnswer(f"--since {text}: too long ago") from None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise CannotAnswer(f"--since {text!r} is no time", "e.g. 24h, 7d or 2026-11-20") from None
    return found.astimezone(moment.tzinfo)


def _lines(snapshot: "SessionsSnapshot", moment: datetime) -> list[str]:
    if not snapshot.sessions:
        return ["no agent session of this repository is live or was active in this time"]
    from cockpit.columns import aligned, output_width

    rows = [_columns(session, moment) for session in snapshot.sessions]
    return aligned(rows, right={1, 4}, width=output_width())


def _columns(session: "Session", moment: datetime) -> list[str]:
    from cockpit.plain_text import plain_text
    from skills.ages import age
    from skills.spending.amount import dollars

    context = f"{session.context.percent:.0f} % {session.context.level}" if session.context else "-"
    place = session.branch or Path(session.cwd).name or "-"
    told = session.waiting_for if session.state == "waiting" else session.prompt
    return [
        session.state,
        age(session.since, moment) or "-",
        f"{session.phase} {session.phase_name}",
        context,
        dollars(session.usd, floor=session.floor) if session.usd is not None else "-",
        plain_text(place, 30),
        plain_text(told or "", 60),
    ]

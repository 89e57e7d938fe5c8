"""`cockpit habits`: habits of agents that cost time and money, with what each cost and where it happened."""

import argparse
from typing import TYPE_CHECKING, Any

from cockpit.call import Call, print_json, rewrite, say, tell_checked
from skills.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cockpit.phases.habits import HabitsReading
    from skills.orchestrator.habit_models import HabitRow, Violation, Week
    from skills.orchestrator.measures import Measure

EXAMPLES = """examples:
  cockpit habits                     every session of this repository
  cockpit habits --since 7d          the last 7 days
  cockpit habits --session 5e55      one session, by its id or the beginning of it
  cockpit habits --measures          with the ten measures, each with its denominator and basis
  cockpit habits --json | jq '.patterns[] | select(.status == "fail")'
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("--session", metavar="ID", help="only this session, by its id or the beginning of it")
    parser.add_argument("--since", metavar="D", help="from then on: 90m, 24h, 7d, 2w, or an ISO date or time")
    parser.add_argument("--measures", action="store_true", help="the ten measures too: gates, costs, context, skills")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(call: Call) -> int:
    """Print the habits. Exit code 0, also where there are some: they advise and block nothing."""
    from cockpit.clock import iso, now
    from cockpit.commands.sessions import parse_since
    from cockpit.phases.habits import read_habits
    from skills.orchestrator.habits import habit_rows, weekly_trend

    moment = now()
    since = parse_since(call.args.since, moment) if call.args.since else None
    everywhere = bool(call.args.all_repos)
    repository = None if everywhere else call.repository()
    reading = read_habits(repository, session=call.args.session, since=since, all_repos=everywhere, tell=_tell_read)
    rewrite("")
    for problem in reading.problems:
        say(problem)
    rows = habit_rows(reading.looks)
    measures: tuple[Measure, ...] | None = None
    if call.args.measures:
        from cockpit.phases.measures import read_measures

        measures, unread = read_measures(call.repository(), call.config(), reading, moment, tell=tell_checked)
        rewrite("")
        for problem in unread:
            say(problem)
    if call.args.json:
        weeks = [_week(week) for week in weekly_trend(reading.looks)]
        meta = {"at": iso(moment), "problems": list(reading.problems), "agents": list(reading.agents)}
        patterns = [_document(row) for row in rows]
        taken = {} if measures is None else {"measures": [measure_row(one) for one in measures]}
        print_json({"patterns": patterns, "weeks": weeks, "sessions": reading.sessions, **taken, "meta": meta})
    else:
        print("\n".join([*_lines(rows, reading), *(_measure_lines(measures) if measures else [])]))
    return 0


def _tell_read(read: int) -> None:
    rewrite(f"reading transcripts: {read}")


def measure_row(one: "Measure") -> dict[str, Any]:
    """A measure as one JSON object."""
    return {
        "id": one.id,
        "title": one.title,
        "value": one.value,
        "floor": one.floor,
        "unit": one.unit,
        "of": one.of,
        "of_what": one.of_what,
        "basis": one.basis,
        "status": one.status,
        "detail": one.detail,
        "parts": [
            {"name": name, "value": value, "weeks": _course(one.courses.get(name, ()))} for name, value in one.rows
        ],
        "weeks": _course(one.weeks),
    }


def _course(weeks: "Iterable[tuple[str, float]]") -> list[dict[str, Any]]:
    return [{"week": week, "value": value} for week, value in weeks]


def _measure_lines(measures: "tuple[Measure, ...]") -> list[str]:
    from cockpit.columns import aligned, hanging, output_width
    from skills.orchestrator.measures import figure, share

    said = [(share(one), one.basis, one.detail) for one in measures]
    heads = [(one.title, figure(one)) for one in measures]
    if not (width := output_width()):
        return [
            "",
            "measures:",
            *aligned([(*head, *words) for head, words in zip(heads, said, strict=True)], right={1}),
        ]
    lines = ["", "measures:"]
    for head, words in zip(aligned(heads, right={1}), said, strict=True):
        lines += hanging(f"{head}  ", " · ".join(word for word in words if word), width)
    return lines


def _document(row: "HabitRow") -> dict[str, Any]:
    from skills.orchestrator.habit_models import BASIS

    return {
        "id": row.id,
        "count": row.count,
        "seconds": row.seconds,
        "tokens": row.tokens,
        "usd": row.usd,
        "floor": row.floor,
        "status": row.status,
        "basis": BASIS[row.id],
        "reason": row.why or None,
        "examples": [_example(one) for one in row.examples],
    }


def _week(week: "Week") -> dict[str, Any]:
    return {"week": week.week, "counts": dict(week.counts)}


def _example(one: "Violation") -> dict[str, Any]:
    return {
        "agent": one.agent,
        "session": one.session,
        "line": one.line,
        "text": one.text,
        "at": one.at.isoformat().replace("+00:00", "Z") if one.at else None,
        "seconds": None if one.seconds is None else round(one.seconds, 1),
        "tokens": one.tokens,
        "usd": None if one.usd is None else round(one.usd, 6),
        "floor": one.floor,
    }


def _lines(rows: "tuple[HabitRow, ...]", reading: "HabitsReading") -> list[str]:
    from cockpit.agents.models import named
    from cockpit.columns import hanging, output_width
    from skills.orchestrator.habit_models import PATTERN_NAMES
    from skills.spending.amount import dollars

    width = output_width()
    if not reading.sessions:
        return ["no session of an agent to look at in this time"]
    lines = [f"{'habit':<24} {'status':<15} {'count':>5} {'seconds':>9} {'tokens':>10} {'dollars':>11}"]
    for row in rows:
        cells = (
            _cell(row.seconds, "{:.1f}"),
            _cell(row.tokens, "{:,}"),
            "-" if row.usd is None else dollars(row.usd, floor=row.floor, digits=4),
        )
        name, status = PATTERN_NAMES[row.id], row.status.replace("_", " ")
        lines.append(f"{name:<24} {status:<15} {row.count:>5} {cells[0]:>9} {cells[1]:>10} {cells[2]:>11}".rstrip())
        lines += hanging("  ", row.why, width) if row.why else []
    for row in rows:
        if row.examples:
            lines += ["", f"{PATTERN_NAMES[row.id]}:"]
            for one in row.examples:
                lines += hanging(f"  {one.session[:8]}:{one.line}  ", one.text, width)
    many = counted(reading.sessions, "session")
    return [*lines, "", f"{many} of {named(reading.agents)}, measured from their transcripts"]


def _cell(value: float | None, form: str) -> str:
    return "-" if value is None else form.format(value)

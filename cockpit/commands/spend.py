"""`cockpit spend`: tokens and dollars from the agents' transcripts, and why they are what they are."""

import argparse
import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from cockpit.call import Call, print_json, say
from skills.counted import counted

if TYPE_CHECKING:
    from cockpit.spend.ledger import Ledger
    from cockpit.spend.models import SpendRow
    from cockpit.spend.sums import Scope
    from skills.spending.amount import Amount

EXAMPLES = """examples:
  cockpit spend                          this repository, a row for each day
  cockpit spend --by model --since 7d    the last seven days by model
  cockpit spend --by session --json      for scripts
  cockpit spend --all-repos --by repo --since 2026-11-01 --until 2026-11-30
  cockpit spend --tree --since 7d        each session with its sub-agents
  cockpit spend --by commit              what each commit cost
  cockpit spend --export costs           files for other tools: daily-*.json, mtd.json, by-feature.jsonl, reports
  cockpit spend add compute 12.50 --on 2026-11-20 --feature feature/api --note "staging"
  cockpit spend suggest                  what could be cheaper, and what it would have saved
  cockpit spend report                   today, week, month, projection, dearest requests, anomalies, trends
  cockpit spend suggest --feature feature/api --revenue 500 --users 120
  cockpit spend estimate --dev-hours 8 --test-hours 3 --feature feature/api
  cockpit spend explain                  lines merged, dropped, unpriced, and why

--since and --until take a day (2026-11-20, whole days, both included), an ISO time or an age (24h, 7d, 2w).
"""
GROUPS = (
    *("total", "hour", "day", "week", "month", "model", "agent", "session"),
    *("branch", "feature", "task", "commit", "category", "repo"),
)
_ANSWERS = ("suggest", "report", "estimate")  # each is a module of cockpit.spend.answers
_ADVISED_DAYS = 30
_DETAILS = (2, 4)  # columns of the table that a narrow terminal goes without: input, cache write
_AGES = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument(
        "what",
        nargs="?",
        choices=("explain", "add", *_ANSWERS),
        help="what was merged, dropped and unpriced; add a cost; what could be cheaper",
    )
    parser.add_argument("entry", nargs="*", metavar="CATEGORY USD", help="add: compute, storage or api, and dollars")
    parser.add_argument(
        "--by",
        choices=GROUPS,
        default="day",
        metavar="KEY",
        help=f"one row for each (default: day): {', '.join(GROUPS)}",
    )
    parser.add_argument("--since", metavar="D", help="only from this day, time or age on")
    parser.add_argument("--until", metavar="D", help="only up to this day (included), time or age")
    parser.add_argument(
        "--tree", action="store_true", help="each session with its sub-agents: tokens, dollars, duration"
    )
    parser.add_argument("--export", metavar="DIR", help="write files by day, month and feature into DIR")
    _add_entry_arguments(parser)
    _add_advice_arguments(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document")


def _add_entry_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--on", metavar="D", help="add: the day or time of the cost (default: now)")
    parser.add_argument("--feature", default="", help="add, suggest, estimate: the branch or feature")
    parser.add_argument("--task", default="", help="add: the task that it was for")
    parser.add_argument("--note", default="", help="add: a word about it")


def _add_advice_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--complexity",
        choices=("high", "medium", "low"),
        default="medium",
        help="suggest: how hard the tasks are for which it names a tier (default: medium)",
    )
    parser.add_argument(
        "--quality",
        choices=("critical", "high", "medium", "low"),
        default="high",
        help="suggest: how good their outcome has to be (default: high)",
    )
    parser.add_argument(
        "--urgency",
        choices=("high", "normal"),
        default="normal",
        help="suggest: high where they cannot wait (default: normal)",
    )
    parser.add_argument("--revenue", type=_amount, metavar="X", help="suggest: what the work brought in, in dollars")
    parser.add_argument("--users", type=_amount, metavar="N", help="suggest: how many people use it")
    parser.add_argument("--dev-hours", type=_amount, metavar="H", help="estimate: hours of development")
    parser.add_argument("--test-hours", type=_amount, metavar="H", help="estimate: hours of tests")


def _amount(given: str) -> float:
    """A figure that a person gave: finite, not below zero."""
    try:
        amount = float(given.removeprefix("$").replace(",", ""))
    except ValueError:
        amount = -1.0
    if not 0 <= amount <= 1e12:
        raise argparse.ArgumentTypeError(f"{given[:40]!r} is no amount")
    return amount


def run(call: Call) -> int:
    """Print the spend in the form that was asked for. Returns the exit code. Raises `CannotAnswer` for wrong words."""
    import gc

    gc.set_threshold(1_000_000)  # what is read stays until the answer is there, and then the process ends
    from cockpit.errors import CannotAnswer
    from cockpit.spend.opened import open_ledger
    from cockpit.spend.places import Places
    from cockpit.spend.sums import Scope

    if call.args.what == "add":
        return _add(call)
    if call.args.entry:
        raise CannotAnswer(f"{call.args.entry[0][:40]!r} means nothing here", "see cockpit spend --help")
    if call.args.what == "explain" and (call.args.since or call.args.until):
        raise CannotAnswer("explain counts lines of all times", "leave out --since and --until")
    if call.args.what in _ANSWERS:
        return _answer(call)
    places = Places(None if call.args.all_repos else call.repository())
    scope = Scope(places, _moment(call.args.since, "--since"), _moment(call.args.until, "--until", end=True))
    ledger = open_ledger()
    try:
        ledger.read()
        if ledger.store.notice:
            say(ledger.store.notice)
        if not ledger.agents():
            say(f"no transcripts found; looked in {_looked()}")
        return _told(call, ledger, scope)
    finally:
        ledger.leave()


def _told(call: Call, ledger: "Ledger", scope: "Scope") -> int:
    if call.args.what == "explain":
        from cockpit.spend.answers.explain import run as explain

        return explain(call, ledger, scope)
    if call.args.export:
        return _export(call, ledger, scope)
    if call.args.tree:
        return _tree(call, ledger, scope)
    from cockpit.spend.rows import spend_rows

    rows, total = spend_rows(ledger, call.args.by, scope)
    if call.args.json:
        print_json(_document(call, ledger, rows, total))
    else:
        _print_rows(call, ledger, rows, total)
    return 0


def _answer(call: Call) -> int:
    """The answer of another module: for the last 30 days where nothing else is asked for (estimates: all times)."""
    import importlib

    from cockpit.spend.meter import Meter
    from cockpit.spend.sums import Scope

    meter = Meter(None if call.args.all_repos else call.repository(), call.config(), all_repos=call.args.all_repos)
    with closing(meter.ledger):
        meter.read()
        if meter.ledger.store.notice:
            say(meter.ledger.store.notice)
        everything = call.args.until or call.args.what == "estimate"
        since = call.args.since or ("" if everything else f"{_ADVISED_DAYS}d")
        scope = Scope(meter.places, _moment(since or None, "--since"), _moment(call.args.until, "--until", end=True))
        answer = importlib.import_module(f"cockpit.spend.answers.{call.args.what}")
        code: int = answer.run(call, meter, scope)
        return code


def _moment(given: str | None, option: str, *, end: bool = False) -> int | None:
    """Milliseconds since 1970 UTC. As an `end`, a day means the end of that day."""
    from cockpit import clock
    from cockpit.errors import CannotAnswer

    if given is None:
        return None
    age = re.fullmatch(r"(\d{1,6})([mhdw])", given.strip())
    try:
        if age:
            moment = clock.now() - timedelta(seconds=int(age[1]) * _AGES[age[2]])
        elif re.fullmatch(r"\d{4}-\d{2}-\d{2}", given.strip()):
            day = datetime.fromisoformat(given.strip()).date() + timedelta(days=int(end))
            moment = datetime.combine(day, time()).astimezone()
        else:
            moment = datetime.fromisoformat(given.strip()).astimezone()
        return int(moment.timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        raise CannotAnswer(
            f"{option} {given[:40]!r} is no day, time or age", "e.g. 2026-11-20, 2026-11-20T14:00 or 7d"
        ) from None


def _add(call: Call) -> int:
    from typing import cast

    from cockpit import clock
    from cockpit.errors import CannotAnswer
    from cockpit.spend.entries import CATEGORIES, MOST_USD, Category, add_entry
    from skills.spending.amount import dollars

    args = call.args
    try:
        category, given = args.entry
        usd = float(given.removeprefix("$"))
    except ValueError:
        category, usd = "", float("nan")
    if category not in CATEGORIES or not 0 < usd <= MOST_USD:
        raise CannotAnswer(
            f"say a category ({', '.join(CATEGORIES)}) and dollars", "e.g. cockpit spend add compute 12.50"
        )
    moment = _moment(args.on, "--on")
    at = clock.now() if moment is None else datetime.fromtimestamp(moment / 1000, UTC)
    root = None if args.all_repos else call.repository().main_root
    path = add_entry(cast(Category, category), usd, at, root, feature=args.feature, task=args.task, note=args.note)
    if args.json:
        print_json({"category": category, "usd": usd, "at": clock.iso(at), "path": str(path), "meta": {}})
    else:
        print(f"added {dollars(usd)} for {category} on {at.astimezone():%Y-%m-%d}")
    return 0


def _export(call: Call, ledger: "Ledger", scope: "Scope") -> int:
    from pathlib import Path

    from cockpit import clock
    from cockpit.spend.exports import export

    folder = Path(call.args.export)
    files = export(ledger, scope, folder, clock.now(), call.config().budget)
    if call.args.json:
        print_json({"files": [str(path) for path in files], "meta": {"at": clock.iso(clock.now())}})
    else:
        print(f"{counted(len(files), 'file')} in {folder}")
    return 0


def _tree(call: Call, ledger: "Ledger", scope: "Scope") -> int:
    from cockpit import clock
    from cockpit.columns import output_width
    from cockpit.spend.sums import rounded
    from cockpit.spend.tree import as_dicts, lines, session_trees
    from skills.spending.amount import dollars

    trees = session_trees(ledger, scope)
    wholes = [tree.whole() for tree in trees]
    usd, floor = rounded(sum(whole.pico for whole in wholes)) / 10**6, any(whole.floor for whole in wholes)
    if call.args.json:
        print_json({"sessions": as_dicts(trees), "usd": usd, "floor": floor, "meta": {"at": clock.iso(clock.now())}})
        return 0
    print("\n".join(lines(trees, output_width())))
    told = f"{counted(len(trees), 'session')}, {dollars(usd, floor=floor)}"
    print(f"{told}; duration is from the first response to the last")
    return 0


def _unattributed(by: str, rows: Sequence["SpendRow"]) -> "Amount | None":
    """What belongs to none of the groups; None where every response has one."""
    from cockpit.spend.calendar import TIME_GROUPS
    from cockpit.spend.groups import SHARED
    from skills.spending.amount import Amount

    if by not in (*SHARED, *TIME_GROUPS, "session"):
        return None
    none = "unknown" if by in TIME_GROUPS else "unattributed"
    return next((row.amount for row in rows if row.key == none), Amount(0.0))


def _share(part: "Amount", total: "SpendRow") -> float | None:
    return part.usd / total.usd if total.usd else None


def _looked() -> str:
    from cockpit.agents.readers import all_readers

    return ", ".join(str(root) for reader in all_readers() for root in reader.roots)


def _document(call: Call, ledger: "Ledger", rows: Sequence["SpendRow"], total: "SpendRow") -> dict[str, Any]:
    from cockpit import clock
    from cockpit.spend.sources import unread

    loose = _unattributed(call.args.by, rows)
    share = None if loose is None else _share(loose, total)
    return {
        "rows": [_row(row) for row in rows],
        "total": _row(total),
        "unattributed": None
        if loose is None
        else {"usd": loose.usd, "share": None if share is None else round(share, 4)},
        "agents": ledger.agents(),
        "unread": list(unread(ledger)),
        "meta": {
            "at": clock.iso(clock.now()),
            "by": call.args.by,
            "scope": "all" if call.args.all_repos else call.repository().name,
            "since": call.args.since,
            "until": call.args.until,
            "files": ledger.count_files(),
        },
    }


def _row(row: "SpendRow") -> dict[str, Any]:
    tokens = row.tokens
    return {
        "key": row.key,
        "requests": row.requests,
        "tokens": {
            "input": tokens.input,
            "output": tokens.output,
            "cache_write_5m": tokens.cache_write_5m,
            "cache_write_1h": tokens.cache_write_1h,
            "cache_read": tokens.cache_read,
            "total": tokens.total,
            "reasoning": tokens.reasoning,
        },
        "usd": row.usd,
        "basis": row.basis,
        "unpriced_tokens": row.unpriced_tokens,
        "floor": row.floor,
        "billed": None if row.billed is None else asdict(row.billed),
    }


def _print_rows(call: Call, ledger: "Ledger", rows: Sequence["SpendRow"], total: "SpendRow") -> None:
    from cockpit.columns import on_paper
    from cockpit.plain_text import plain_text
    from cockpit.spend.sources import unread
    from skills.spending.amount import dollars, percent

    if rows and call.args.by != "total":
        _print_table(call.args.by, [*rows, total])
    else:
        _print_table("", [total])
    said = []
    if total.billed is not None:
        billed = total.billed
        said.append(f"billed, says the agent: {dollars(billed.usd)} in {billed.sessions} of {billed.of} sessions")
    loose = _unattributed(call.args.by, rows)
    if loose is not None and (share := _share(loose, total)):
        said.append(f"unattributed: {loose}, {percent(share, 1)}")
    scope = "all repositories" if call.args.all_repos else f"{plain_text(call.repository().name)} and its worktrees"
    agents = ", ".join(ledger.agents()) or "no agent"
    said.append(f"computed from {counted(ledger.count_files(), 'file')} of {agents} and list prices, {scope}")
    if total.floor:
        said.append("≥ some sub-agent usage never became final: the real figure is higher")
    if total.unpriced_tokens:
        said.append("≥ no price is known for some models (cockpit spend explain): their dollars are not in the sums")
    print(on_paper(said))
    for line in unread(ledger):
        say(f"not counted: {line}")


def _print_table(by: str, rows: Sequence["SpendRow"]) -> None:
    from cockpit.columns import aligned, cell_width, output_width
    from cockpit.plain_text import plain_text

    head = (by, "requests", "input", "output", "cache write", "cache read", "dollars", "")
    lines: list[tuple[str, ...]] = [head]
    for row in rows:
        tokens = row.tokens
        writes = tokens.cache_write_5m + tokens.cache_write_1h
        unpriced = f"{row.unpriced_tokens:,} tokens unpriced" if row.unpriced_tokens else ""
        wholly = row.unpriced_tokens == tokens.total and tokens.total > 0 and row.usd == 0
        spent = "unpriced" if wholly else str(row.amount)
        counts = (row.requests, tokens.input, tokens.output, writes, tokens.cache_read)
        lines.append((plain_text(row.key, 60), *(f"{count:,}" for count in counts), spent, unpriced))
    width, right = output_width(), range(1, len(head) - 1)
    if width and max(map(cell_width, aligned(lines, right=right))) > width:  # what the app leaves out first, too
        lines = [tuple(cell for at, cell in enumerate(row) if at not in _DETAILS) for row in lines]
        right = range(1, len(head) - 1 - len(_DETAILS))
    print("\n".join(aligned(lines, right=right, width=width)))

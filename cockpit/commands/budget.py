"""`cockpit budget`: what is spent against the budgets, which alerts were given, and whether a request still fits."""

import argparse
from typing import TYPE_CHECKING, Any

from cockpit.call import Call, print_json, say
from cockpit.spend.budget_words import WINDOWS, dollars_of

if TYPE_CHECKING:
    from cockpit.spend.meter import Meter
    from cockpit.spend.models import BudgetWindow

EXAMPLES = """examples:
  cockpit budget                               each window against its budget; exit 1 only where one is blocked
  cockpit budget --strict                      past a hard limit is blocked, whatever the configuration says
  cockpit budget set month 100 --hard 150      into your own configuration file
  cockpit budget set day 5 --hard 7.5 --block  and refuse work past the hard limits
  cockpit budget check --cost 0.40             may a request of 40 cents be made?
  cockpit budget check --cost 3 --priority critical
  cockpit budget notify --dry-run              the message for your webhook, printed and not sent
"""
_PRIORITIES = ("critical", "high", "normal", "low")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("--strict", action="store_true", help="past a hard limit is blocked")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    actions = parser.add_subparsers(dest="action", metavar="set | check | notify")
    change = actions.add_parser("set", help="set the limits of a window, in dollars")
    change.add_argument("window", choices=WINDOWS)
    change.add_argument("soft", type=_dollars, metavar="DOLLARS", help="the budget")
    change.add_argument("--hard", type=_dollars, metavar="N", help="the limit past which work may be blocked")
    change.add_argument("--block", action="store_true", help="block past the hard limits")
    fit = actions.add_parser("check", help="whether a request still fits")
    fit.add_argument("--cost", type=_dollars, required=True, metavar="X", help="what the request will cost, in dollars")
    fit.add_argument("--priority", choices=_PRIORITIES, default="normal", help="critical goes past hard limits")
    notify = actions.add_parser("notify", help="send the alerts that are reached to your webhook")
    notify.add_argument("--dry-run", action="store_true", help="print what would be sent, send nothing")
    for action in (change, fit, notify):
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="one JSON document")


def _dollars(given: str) -> float:
    amount = dollars_of(given)
    if amount is None:
        raise argparse.ArgumentTypeError(f"{given[:40]!r} is no amount of dollars")
    return amount


def run(call: Call) -> int:
    """Print the budgets, set one, tell whether a request fits, or send the webhook. Returns the exit code.

    Raises `CannotAnswer` where the ledger or the configuration cannot be read.
    """
    if call.args.action == "set":
        return _set(call)
    from cockpit.spend.meter import Meter

    repository = None if call.args.all_repos else call.repository()
    meter = Meter(repository, call.config(), all_repos=call.args.all_repos)
    meter.read()
    answers = {"check": _check, "notify": _notify}
    return answers.get(call.args.action, _report)(call, meter)


def _set(call: Call) -> int:
    from cockpit.config import load_config
    from cockpit.spend.budget_file import set_budget
    from cockpit.spend.budget_words import BudgetWish, hard_of

    args = call.args
    wish = BudgetWish(args.window, args.soft, args.hard, args.block)
    hard = hard_of(wish, getattr(load_config(None).budget, args.window).hard)
    path = set_budget(wish)
    blocks = load_config(None).budget.block_on_limit
    if args.json:
        limit = {"soft": args.soft, "hard": hard, "block_on_limit": blocks}
        print_json({"window": args.window, **limit, "path": str(path), "meta": {}})
    else:
        past = "" if hard is None else f", hard ${hard:g}, {'blocks' if blocks else 'warns only'}"
        print(f"{args.window}: ${args.soft:g}{past} ({path})")
    return 0


def _report(call: Call, meter: "Meter") -> int:
    from cockpit import clock
    from cockpit.spend.alerts import as_dict, note_alerts
    from skills.spending.budget import worst

    now = clock.now()
    windows, periods = meter.budget(strict=call.args.strict)
    scope = "" if meter.places.repository is None else str(meter.places.repository.main_root)
    alerts, fresh = note_alerts(scope, windows, periods, now)
    level = worst([window.level for window in windows])
    if call.args.json:
        rows = [_row(window, meter) for window in windows]
        meta = {"at": clock.iso(now), "scope": meter.name, "periods": periods}
        print_json({"windows": rows, "alerts": [as_dict(alert) for alert in alerts], "level": level, "meta": meta})
    else:
        _print(windows, meter)
    for alert in fresh:
        say(f"{alert.window} {alert.period}: {alert.level}")
    if fresh:
        from cockpit.spend.webhook import announce

        if problem := announce(meter.name, fresh, windows):
            say(problem)
    if meter.ledger.store.notice:
        say(meter.ledger.store.notice)
    return 1 if level == "blocked" else 0


def _notify(call: Call, meter: "Meter") -> int:
    import json

    from cockpit import clock
    from cockpit.errors import CannotAnswer
    from cockpit.spend.alerts import note_alerts
    from cockpit.spend.webhook import payload, send, shown, webhook_url

    url = webhook_url()
    if not url and not call.args.dry_run:
        raise CannotAnswer("no webhook is set", 'in your own configuration: [webhook] url = "https://…"')
    windows, periods = meter.budget()
    scope = "" if meter.places.repository is None else str(meter.places.repository.main_root)
    alerts, _ = note_alerts(scope, windows, periods, clock.now())
    message = payload(url, meter.name, alerts, windows)
    why = send(url, message) if alerts and not call.args.dry_run else ""
    sent = bool(alerts) and not call.args.dry_run and not why
    if call.args.json:
        to = shown(url) if url else None
        print_json({"to": to, "payload": message, "sent": sent, "meta": {"at": clock.iso(clock.now())}})
    elif call.args.dry_run:
        print(json.dumps(message, indent=2))
        say(f"would go to {shown(url) if url else 'nowhere: no webhook is set'}")
    elif not alerts:
        print("nothing to send: no threshold is reached")
    elif sent:
        print(f"sent to {shown(url)}")
    if why:
        raise CannotAnswer(f"{shown(url)}: not sent: {why}")
    return 0


def _row(window: "BudgetWindow", meter: "Meter") -> dict[str, Any]:
    from cockpit import clock

    low, high = meter.range_of(window) or (None, None)
    return {
        "window": window.window,
        "spent": window.spent,
        "floor": window.floor,
        "soft": window.soft,
        "hard": window.hard,
        "percent": None if window.percent is None else round(window.percent, 2),
        "level": window.level,
        "projected": window.projected,
        "projected_low": low,
        "projected_high": high,
        "breach_at": None if window.breach_at is None else clock.iso(window.breach_at),
        "burning": meter.burns_too_fast(window),
    }


def _print(windows: tuple["BudgetWindow", ...], meter: "Meter") -> None:
    from skills.spending.amount import dollars

    for window in windows:
        limit = "no budget" if window.counted is None else f"of {dollars(window.counted)}"
        hard = "" if window.hard is None or window.soft is None else f"  hard {dollars(window.hard)}"
        percent = "" if window.percent is None else f"{window.percent:6.1f} %  {window.level}"
        spent = dollars(window.spent, floor=window.floor)
        print(f"{window.window:<8} {spent:>13}  {limit:<14}{percent}{hard}".rstrip())
        low_high = meter.range_of(window)
        if low_high is not None:
            breach = "" if window.breach_at is None else f", past the next limit on {window.breach_at:%a %d %b %H:%M}"
            print(f"{'':<8} heading for {dollars(low_high[0])} to {dollars(low_high[1])}{breach}")
        if meter.burns_too_fast(window):
            print(f"{'':<8} burning too fast for the part of the {window.window} that has passed")


def _check(call: Call, meter: "Meter") -> int:
    from cockpit import clock
    from skills.spending.amount import dollars
    from skills.spending.budget import fits

    windows, _ = meter.budget()
    answers = {
        window.window: fits(call.args.cost, window.spent, window.limits, call.args.priority) for window in windows
    }
    refused = [name for name, answer in answers.items() if answer == "no"]
    warned = [name for name, answer in answers.items() if answer == "warn"]
    if call.args.json:
        given = {"cost": call.args.cost, "priority": call.args.priority}
        print_json(
            {"fits": not refused, **given, "refused": refused, "warned": warned, "meta": {"at": clock.iso(clock.now())}}
        )
    elif refused:
        print(f"no: {dollars(call.args.cost)} goes past the hard limit of the {' and the '.join(refused)}")
    else:
        print("yes" if not warned else f"yes, but past the limit of the {' and the '.join(warned)}")
    return 1 if refused else 0

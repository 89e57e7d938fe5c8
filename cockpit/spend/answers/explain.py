"""`cockpit spend explain`: the lines that were merged, dropped and unpriced, and why."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from cockpit import clock
from cockpit.call import Call, print_json, say
from cockpit.plain_text import plain_text
from cockpit.spend.explain import Explained, Explanation, explain
from cockpit.spend.sources import unread
from skills.counted import counted

if TYPE_CHECKING:
    from cockpit.spend.ledger import Ledger
    from cockpit.spend.sums import Scope


def run(call: Call, ledger: "Ledger", scope: "Scope") -> int:
    """Print why the sums of `scope` are what they are. Returns the exit code."""
    found = explain(ledger, scope)
    missing = unread(ledger)
    if call.args.json:
        print_json({**asdict(found), "unread": list(missing), "meta": {"at": clock.iso(clock.now())}})
        return 0
    from cockpit.columns import hanging, output_width

    width = output_width()
    for lead, words in _explanation(found):
        print("\n".join(hanging(lead, words, width)))
    for line in missing:
        say(f"not counted: {line}")
    return 0


def _explanation(found: Explanation) -> list[tuple[str, str]]:
    """What stands before each line's words, and its words."""
    read = f"{counted(found.lines, 'usage line')} in {counted(found.files, 'transcript')}"
    lines = [
        ("", f"{read} → {counted(found.requests, 'response')}"),
        (f"merged    {found.merged:>10,}  ", found.why_merged),
    ]
    lines += [_line("dropped", part) for part in found.dropped]
    lines += [_line("unpriced", part) for part in found.unpriced]
    lines += [_line("own price", part) for part in found.own_prices]
    if found.floors:
        count = sum(part.count for part in found.floors)
        why = f"in {counted(len(found.floors), 'session')}: {found.floors[0].why}"
        lines.append((f"floor     {count:>10,}  ", why))
    lines += [_line("noted", part) for part in (found.odd, found.without_time) if part.count]
    return lines


def _line(kind: str, part: Explained) -> tuple[str, str]:
    tokens = f", {part.tokens:,} tokens" if part.tokens is not None else ""
    return f"{kind:<10}{part.count:>10,}  ", f"{plain_text(part.name, 60)}{tokens}: {part.why}"

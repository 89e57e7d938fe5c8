"""Lines of the transcript viewer: one item each, the important left, seconds, tokens and dollars right."""

from cockpit.agents.transcript_models import Item, Transcript
from skills.counted import counted
from widgets.lines import Line, Span, fit, line, pad, spread, width_of
from widgets.words import money, tokens

_TIMED = 72
_GROUP = {"": "  ", "first": "┌ ", "middle": "│ ", "last": "└ "}
_STATUS = {"ok": ("✓", "good"), "failed": ("✖", "bad"), "running": ("●", "accent"), "": (" ", "text")}
_ROLE = {"change": "accent", "check": "info", "agent": "warn", "ask": "warn", "plan": "strong", "skill": "warn"}


def item_row(item: Item, width: int, *, hit: bool) -> Line:
    """One item in `width` cells; `hit`: the search found it."""
    parts: list[Span] = []
    if width >= _TIMED:
        parts.append((f"{item.at.astimezone():%H:%M:%S}  " if item.at else " " * 10, "faint"))
    parts.append(("▌" if hit else " ", "accent"))
    parts.append(("  " * item.depth, "text"))
    right = figures(item, width)
    return spread((*parts, *_body(item, width - width_of(parts) - width_of(right) - 1)), right, width)


def _body(item: Item, room: int) -> Line:
    if item.kind == "prompt":
        return (("❯ ", "accent"), (item.text, "strong"))
    if item.kind == "text":
        return (("  ", "text"), (item.text, "text"))
    if item.kind == "thought":
        return (("∴ ", "faint"), (item.text or "thinking", "faint"))
    if item.kind == "compaction":
        return ((f"── {item.text} ", "warn"), ("─" * max(0, room - len(item.text) - 4), "faint"))
    if item.kind in ("end", "unread"):
        return (("✖ " if item.kind == "end" else "? ", "warn"), (item.text, "warn"))
    if item.kind == "agent":
        return (("◇ ", "warn"), (item.text, "warn"))
    return _call(item, room)


def _call(item: Item, room: int) -> Line:
    """Group, status, tool, its input; the answer where it failed or where there is room for it."""
    glyph, token = _STATUS[item.status]
    head: Line = ((_GROUP[item.group], "faint"), (f"{glyph} ", token), (item.name, _ROLE.get(item.role, "muted")))
    room -= width_of(head) + 1
    failed = item.status == "failed"
    answer = "no answer yet" if item.status == "running" else item.result
    share = room // 2 if failed else room // 3
    if not answer or room < 24 or (room < 70 and not failed):
        return (*head, (f" {item.text}", "text"))
    target = fit(line((item.text, "text")), max(12, room - min(share, len(answer)) - 3))
    return (*head, (" ", "text"), *target, ("  → ", "faint"), (answer, "bad" if failed else "faint"))


def figures(item: Item, width: int) -> Line:
    """Seconds, tokens and dollars; on a narrow terminal dollars alone."""
    cost = money(item.usd, floor=item.floor) if item.tokens is not None else ""
    if width < _TIMED:
        return ((f" {cost}", "muted"),) if cost else ()
    took = f"{item.seconds:.1f}s" if item.seconds is not None and item.seconds >= 0.05 else ""
    spent = tokens(item.tokens) if item.tokens is not None else ""
    if not (took or spent or cost):
        return ()
    return (
        (pad(took, 8, right=True), "muted"),
        (pad(spent, 8, right=True), "faint"),
        (pad(cost, 10, right=True), "muted"),
    )


def summary_line(transcript: Transcript, width: int) -> Line:
    """What the whole session took, and what could not be read; counts leave before a figure would be cut."""
    parts = [
        counted(transcript.prompts, "prompt"),
        counted(transcript.steps, "step"),
        counted(transcript.calls, "call"),
    ]
    parts.append(f"{tokens(transcript.tokens)} tokens")
    usd = money(transcript.usd, floor=transcript.floor or transcript.unpriced)
    parts.append(f"{usd} computed" + (", some unpriced" if transcript.unpriced else ""))
    notes: list[Span] = []
    if transcript.problem:
        notes.append((f" · {transcript.problem}", "bad"))
    if transcript.unread:
        notes.append((f" · {counted(transcript.unread, 'line')} not read", "warn"))
    if transcript.unknown:
        notes.append((f" · {transcript.unknown} of an unknown kind", "warn"))
    forms = (parts, [parts[0], *parts[3:]], parts[3:], parts[4:])
    said = [line((" · ".join(kept), "muted"), *notes) for kept in forms]
    return fit(next((one for one in said if width_of(one) <= width), said[-1]), width)

"""What stands below a short table of costs: the beginnings of the other tables, side by side, with their keys."""

from collections.abc import Sequence

from cockpit.spend.dashboard_models import CostTable, SpendDashboard
from widgets.lines import Line, fit, line, pad, width_of
from widgets.spend_lines import DIGITS, dollars, name_of, share_words

_BLOCK = 54  # cells that a beginning wants
_GAP = 4
_LEAST = 4  # lines of one: a gap, its heading, two rows
_WHOLE = 8  # lines from which a second row of beginnings has enough of its own
_PERCENT = 6


def more_lines(board: SpendDashboard, active: int, width: int, room: int) -> list[Line]:
    """The beginnings of the tables after the active one, as many as `room` lines of `width` cells hold."""
    others = [(place, table) for place, table in enumerate(board.tables) if place != active and table.rows]
    others = [one for one in others if one[0] > active] + [one for one in others if one[0] < active]
    if room < _LEAST or not others:
        return []
    across = max(1, min(len(others), (width + _GAP) // (_BLOCK + _GAP)))
    down = min(max(1, room // _WHOLE), -(-len(others) // across))
    size = (width - _GAP * (across - 1)) // across
    lines: list[Line] = []
    for number in range(down):
        band = others[number * across : (number + 1) * across]
        most = (room - len(lines)) // (down - number) - 2  # what one band does not need is the next one's
        blocks = [_block(table, place, size, most) for place, table in band]
        lines.append(())
        lines += [_beside(blocks, row, size) for row in range(max(len(block) for block in blocks))]
    return lines


def _block(table: CostTable, place: int, width: int, most: int) -> list[Line]:
    """The heading of a table, with its key and how much of it is shown, and its first rows."""
    rows = table.rows[:most]
    shown = f" · {len(rows)} of {len(table.rows)}" if len(rows) < len(table.rows) else ""
    lines = [line((f"{DIGITS[place]} ", "key"), (table.name, "strong"), (shown, "faint"))]
    usd = max(len(dollars(cost.row)[0]) for cost in rows)
    branch = min(24, max(len(cost.branch) for cost in rows))
    name = max(8, width - usd - 2 - _PERCENT)
    for cost in rows:
        text, token = dollars(cost.row)
        lines.append(
            line(
                (pad(name_of(table, cost, branch, name), name), "muted"),
                (f"  {pad(text, usd, right=True)}", token if token == "bad" else "text"),
                (pad(share_words(cost.row, table), _PERCENT, right=True), "faint"),
            )
        )
    return lines


def _beside(blocks: Sequence[Sequence[Line]], row: int, width: int) -> Line:
    """One line of blocks that stand side by side."""
    spans: Line = ()
    for place, block in enumerate(blocks):
        part = fit(block[row], width) if row < len(block) else ()
        spans += (*part, (" " * (width - width_of(part) + (_GAP if place < len(blocks) - 1 else 0)), "text"))
    return spans

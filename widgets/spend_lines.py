"""The spend screen's lines: windows against budgets, the tabs, tables of costs, what a person should know."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from rich.cells import cell_len

from cockpit.plain_text import plain_text
from cockpit.spend.dashboard_models import Cost, CostTable, SpendDashboard, Trend
from cockpit.spend.models import BudgetWindow, SpendRow
from skills.counted import counted
from skills.spending.amount import percent
from widgets.budget_pane import LEVEL_TOKEN, level_in, of_limit, pressing, short_model, short_models, window_row
from widgets.lines import Line, Span, fit, gauge, join, line, pad, width_of
from widgets.words import money, tokens

TRENDS = "trends"
PERIOD_WORDS = {
    "30 days": "the last 30 days",
    "today": "today",
    "week": "this week",
    "month": "this month",
    "all": "all time",
}
DIGITS = "1234567890"
_NAME = 30  # cells that a name keeps before numbers take their columns
_NARROW = 46  # below: no gauges, short names of windows


# -- today, week, month, projected --


def window_lines(dashboard: SpendDashboard, width: int, most: int) -> list[Line]:
    """A line for each budget window and one for where the month goes; calm ones leave first where there is no room."""
    lines = []
    for window in pressing(dashboard.windows, max(1, most - 1)):
        lines.append(window_row(window, width) if width >= _NARROW else _short_window(window, width))
    return [*lines, projection(dashboard, width)][:most]


def _short_window(window: BudgetWindow, width: int) -> Line:
    spent = money(window.spent, floor=window.floor)
    head: Line = ((pad(window.window, 6), "muted"), (pad(spent, 11, right=True), "strong"))
    if window.counted is None or window.percent is None:
        return (*head, ("  no budget", "faint"))
    head = (*head, (f"{of_limit(window.counted)} ", "muted"))
    return (*head, (level_in(window.percent, window.level, width - width_of(head)), LEVEL_TOKEN[window.level]))


def projection(dashboard: SpendDashboard, width: int) -> Line:
    """What the month may come to, estimated, with its range and when it crosses the budget."""
    month = next((window for window in dashboard.windows if window.window == "month"), None)
    if month is not None and not month.spent:
        return line(("→ nothing was spent this month", "faint"))
    if month is None or month.projected is None:
        return line(("→ too early in the month to project", "faint"))
    parts: list[Line] = [(("→ ", "accent"), (f"${month.projected:,.0f}", "strong"), (" by month's end", "muted"))]
    extra: list[Line] = []
    if dashboard.month_range is not None:
        low, high = dashboard.month_range
        extra.append((("estimated ", "muted"), (f"${low:,.0f}–${high:,.0f}", "text")))
    if month.breach_at is not None:
        local = month.breach_at.astimezone()
        extra.append(((f"past the budget on {local.day} {local:%b}", "warn"),))
    if dashboard.burns_too_fast:
        extra.append((("burns too fast", "warn"),))
    for part in extra:
        if width_of(join([*parts, part], " · ")) <= width:
            parts.append(part)
    return join(parts, " · ")


def day_lines(dashboard: SpendDashboard) -> list[Line]:
    """The 30 days in words: their sum, their mean, the dearest, and those past the day's budget."""
    days = dashboard.daily
    whole, floor = sum(amount.usd for _, amount in days), any(amount.floor for _, amount in days)
    if not whole:
        return []
    label, dearest = max(days, key=lambda day: day[1].usd)
    day = date.fromisoformat(label)
    limit = next((window.counted for window in dashboard.windows if window.window == "day"), None)
    rows: list[tuple[str, Span, str]] = [
        (f"{len(days)} days", (money(whole, floor=floor), "strong"), f"{money(whole / len(days), floor=floor)} a day"),
        ("dearest", (str(dearest), "text"), f"on {day.day} {day:%b}"),
    ]
    if limit is not None:
        over = sum(1 for _, amount in days if amount.usd > limit)
        rows.append(("over budget", (counted(over, "day"), "warn" if over else "muted"), f"past ${limit:,.2f}"))
    return [
        line((pad(name, 11), "muted"), (pad(text, 10, right=True), token), (f" {more}", "muted"))
        for name, (text, token), more in rows
    ]


# -- tabs --


def tab_line(names: Sequence[str], active: int, width: int) -> Line:
    """The names of the tables with their digits; where not all fit, those around the active one."""
    cells = [f"{DIGITS[place]} {name}" if place < len(DIGITS) else name for place, name in enumerate(names)]
    first, last = active, active
    size = len(cells[active])
    while True:
        grown = False
        for place in (last + 1, first - 1):
            if 0 <= place < len(cells) and size + len(cells[place]) + 2 <= width - 4:
                size += len(cells[place]) + 2
                first, last, grown = min(first, place), max(last, place), True
        if not grown:
            break
    spans: list[Span] = [("‹ " if first else "", "faint")]
    for place in range(first, last + 1):
        digit, _, name = cells[place].rpartition(" ")
        token = "accent" if place == active else "tab"
        spans += [(f"{digit} " if digit else "", "accent" if place == active else "key"), (name, token)]
        spans.append(("  " if place < last else "", "text"))
    spans.append((" ›" if last + 1 < len(cells) else "", "faint"))
    return tuple(spans)


# -- tables --


@dataclass(frozen=True, slots=True)
class Column:
    """A column of numbers: its heading, its cells, and what stands in it. It is shown from `least` cells on."""

    head: str
    least: int
    cell: Callable[[SpendRow], str]


def dollars(row: SpendRow) -> Span:
    """The dollars of a row; where none of its tokens has a price, that."""
    if row.unpriced_tokens and not row.usd:
        return "unpriced", "bad"
    return money(row.usd, floor=row.amount.floor), "strong"


def _billed(row: SpendRow) -> str:
    if row.billed is None:
        return ""
    part = "" if row.billed.sessions == row.billed.of else f" {row.billed.sessions}/{row.billed.of}"
    return f"${row.billed.usd:,.2f}{part}"


_COLUMNS = (
    Column("requests", 50, lambda row: f"{row.requests:,}"),
    Column("input", 130, lambda row: tokens(row.tokens.input)),
    Column("output", 130, lambda row: tokens(row.tokens.output)),
    Column("cache write", 130, lambda row: tokens(row.tokens.cache_write_5m + row.tokens.cache_write_1h)),
    Column("cache read", 130, lambda row: tokens(row.tokens.cache_read)),
    Column("tokens", 44, lambda row: tokens(row.tokens.total)),
    Column("unpriced", 60, lambda row: tokens(row.unpriced_tokens) if row.unpriced_tokens else ""),
    Column("billed", 64, _billed),
    Column("basis", 88, lambda row: row.basis),
)
_OPTIONAL = ("unpriced", "billed")  # only where some row has one


@dataclass(frozen=True, slots=True)
class Layout:
    """Cells of the name, the share bar (0: none), the numbers and the dollars of a table in a certain width."""

    name: int
    bar: int
    columns: tuple[tuple[Column, int], ...]
    usd: int
    percent: int
    branch: int


def layout_of(table: CostTable, width: int) -> Layout:
    """The columns that fit in `width` cells, each as wide as its widest cell; the bar takes what is left."""
    rows = [*(cost.row for cost in table.rows), table.total]
    usd = max(7, *(len(dollars(row)[0]) for row in rows))
    percent = 6 if width >= 30 else 0
    branch = min(24, max([0, *(cell_len(plain_text(cost.branch, 60)) for cost in table.rows)]))
    wanted = max([8, *(cell_len(name_of(table, cost, branch)) for cost in table.rows)])
    room = width - usd - 2 - percent - min(wanted, _NAME)
    sizes: dict[str, int] = {}
    for column in sorted(_COLUMNS, key=lambda column: column.least):
        cells = [column.cell(row) for row in rows]
        size = max(len(cell) for cell in (*cells, column.head))
        if width >= column.least and room >= size + 2 and _needed(table, column, cells[:-1]):
            sizes[column.head] = size
            room -= size + 2
    name = max(8, min(wanted, room + min(wanted, _NAME)))
    bar = min(60, room + min(wanted, _NAME) - name - 2)
    columns = tuple((column, sizes[column.head]) for column in _COLUMNS if column.head in sizes)
    return Layout(name, bar if bar >= 6 and table.name != "top" else 0, columns, usd, percent, branch)


def _needed(table: CostTable, column: Column, cells: Sequence[str]) -> bool:
    """Whether the column says something about the rows: a single request is one request."""
    if column.head == "requests":
        return table.name != "top"
    return column.head not in _OPTIONAL or any(cells)


def name_of(table: CostTable, cost: Cost, branch: int = 0, room: int = 0) -> str:
    """What a row is called: a session with its last use and branch, a request with its time, session, branch and model.

    `branch` is how many cells branches take; the model is left out where all does not fit into `room` cells (0: any).
    """
    where = pad(plain_text(cost.branch, 60), branch)
    if table.name == "session":
        return "  ".join((_when(cost.at, "%d %b"), plain_text(cost.row.key, 80)[:8], where)).rstrip()
    if table.name == "top":
        parts = (_when(cost.at, "%d %b %H:%M"), plain_text(cost.session, 80)[:8], where, short_model(cost.model))
        whole = "  ".join(parts).rstrip()
        return whole if not room or cell_len(whole) <= room else "  ".join(parts[:-1]).rstrip()
    if table.name == "model":
        names = [row.row.key for row in table.rows]
        return short_models(names)[names.index(cost.row.key)] if cost.row.key in names else short_model(cost.row.key)
    return plain_text(cost.row.key, 80)


def _when(at: datetime | None, form: str) -> str:
    return at.strftime(form) if at else pad("unknown", len(datetime.min.strftime(form)))


def table_head(table: CostTable, layout: Layout, width: int) -> Line:
    """The names of the columns."""
    spans: list[Span] = [(pad(_heading(table), layout.name), "faint")]
    spans += [(f"  {pad(column.head, size, right=True)}", "faint") for column, size in layout.columns]
    spans.append((f"  {pad('dollars', layout.usd, right=True)}", "faint"))
    spans.append((pad("share", layout.percent, right=True), "faint"))
    return fit(tuple(spans), width)


def _heading(table: CostTable) -> str:
    return {"top": "dearest requests", "session": "last used, session"}.get(table.name, table.name)


def cost_row(table: CostTable, cost: Cost | None, layout: Layout, width: int) -> Line:
    """One row of the table in `width` cells, or its total (None)."""
    row = table.total if cost is None else cost.row
    label = "total" if cost is None else name_of(table, cost, layout.branch, layout.name)
    loose = cost is not None and row.key == "unattributed"
    spans: list[Span] = [(pad(label, layout.name), "warn" if loose else "text" if cost else "muted")]
    for column, size in layout.columns:
        spans.append((f"  {pad(column.cell(row), size, right=True)}", "bad" if column.head == "unpriced" else "muted"))
    text, token = dollars(row)
    spans.append((f"  {pad(text, layout.usd, right=True)}", token))
    if cost is not None and table.total.usd:
        spans.append((pad(share_words(row, table), layout.percent, right=True), "muted"))
        if layout.bar:
            spans += [("  ", "text"), *gauge(row.usd / table.total.usd, layout.bar, "accent")]
    return fit(tuple(spans), width)


def share_words(row: SpendRow, table: CostTable) -> str:
    """What part of the table's dollars a row has; empty where there are none."""
    share = row.usd / table.total.usd if table.total.usd else 0.0
    return "<1 %" if 0 < share < 0.005 else percent(share) if table.total.usd else ""


# -- trends --

_TREND_HEADS = ("this week", "last by now", "change", "last whole")


def trend_head(width: int) -> Line:
    """The names of the columns of the trends: each week's dollars stand against the same part of the week before."""
    return fit(_trend_spans("model", "faint", [(head, "faint") for head in _TREND_HEADS], width), width)


def trend_row(trend: Trend, width: int) -> Line:
    """A model's dollars this week, last week up to the same moment, the change, and the whole of last week."""
    cells = [
        (str(trend.week), "strong"),
        (str(trend.before), "text"),
        change(trend),
        (str(trend.whole), "muted"),
    ]
    return fit(_trend_spans(short_model(trend.key), "text", cells, width), width)


def change(trend: Trend) -> Span:
    """`+23 %`, `−4 %`, `new` or nothing to compare."""
    week, before = trend.week.usd, trend.before.usd
    if before <= 0:
        return ("new", "info") if week > 0 and trend.whole.usd <= 0 else ("–", "faint")
    percent = (week / before - 1) * 100
    if abs(percent) < 0.5:
        return "same", "muted"
    return f"{'+' if percent > 0 else '−'}{abs(percent):,.0f} %", "warn" if percent > 0 else "good"


def _trend_spans(name: str, token: str, cells: Sequence[Span], width: int) -> Line:
    sizes = (11, 13, 9, 12) if width >= 70 else (10, 0, 9, 0) if width < 44 else (11, 13, 9, 0)
    spans: list[Span] = [(pad(name, max(8, min(36, width - sum(sizes)))), token)]
    spans += [(pad(text, size, right=True), kind) for (text, kind), size in zip(cells, sizes, strict=True) if size]
    return tuple(spans)


# -- what a person should know --


def warnings(dashboard: SpendDashboard, width: int = 200) -> list[Line]:
    """What the sums leave out, the most pressing first, in words that `width` cells hold."""
    total = dashboard.total
    lines: list[Line] = []
    if total.unpriced_tokens:
        names = ", ".join(short_model(name) for name in dashboard.unpriced[:3])
        lines.append(
            line((f"≥ unpriced: {tokens(total.unpriced_tokens)} tokens of {names}, not in the dollars", "bad"))
        )
    if total.floor:
        whole, brief = "≥ some usage never became final: the truth is higher", "≥ some usage never became final"
        lines.append(line((whole if len(whole) <= width else brief, "warn")))
    lines += [line((f"! not counted: {plain_text(text, 200)}", "warn")) for text in dashboard.unread]
    if dashboard.notice:
        lines.append(line((f"! {plain_text(dashboard.notice, 200)}", "warn")))
    return lines


def notes(dashboard: SpendDashboard, table: CostTable | None, width: int) -> list[Line]:
    """What the figures are: billed, unattributed, their basis, and the command that says the same."""
    total = dashboard.total
    parts: list[Line] = []
    if total.billed is not None:
        billed = total.billed
        told = line(
            (f"billed {money(billed.usd)}", "text"),
            (f" in {billed.sessions} of {counted(billed.of, 'session')}", "muted"),
        )
        whole = (*told, (", say the agents", "muted"))
        parts.append(whole if width_of(whole) <= width else told)
    loose = table.unattributed if table is not None else None
    if loose is not None and loose.usd:
        share = loose.usd / total.usd if total.usd else 0.0
        parts.append(((f"{loose} unattributed ({percent(share, 1)})", "warn"),))
    agents = ", ".join(plain_text(name, 20) for name in dashboard.agents) or "no agent"
    basis = "billed" if total.basis == "billed" else "computed at list prices"
    read = f"{basis}, {counted(dashboard.files, 'file')} of {agents}"
    parts.append(((read if len(read) <= width else basis, "muted"),))
    command = f"= cockpit spend --by {table.by}{dashboard.options}" if table is not None and table.by else ""
    if command and len(command) <= width:  # half a command is none
        parts.append(((command, "faint"),))
    return _wrapped(parts, width)


def _wrapped(parts: Sequence[Line], width: int) -> list[Line]:
    """The parts in as few lines as hold them."""
    lines: list[Line] = []
    for part in parts:
        longer = join([lines[-1], part], " · ") if lines else part
        if lines and width_of(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(fit(part, width))
    return lines


def empty_lines(dashboard: SpendDashboard) -> list[Line]:
    """Why there is nothing to show, and the one thing to do."""
    if dashboard.ever:
        return [
            line((f"Nothing was spent: {PERIOD_WORDS[dashboard.period]}.", "muted")),
            line(("{spend-period}", "key"), (" shows another period.", "muted")),
        ]
    where = plain_text(dashboard.scope, 40)
    lines = [line((f"No usage in {where} yet: no agent's transcript names it.", "muted"))]
    if not dashboard.agents:
        lines = [line(("No transcripts were found, of any agent.", "muted"))]
    return [*lines, line(("cockpit doctor", "key"), (" says where it looks.", "muted"))]

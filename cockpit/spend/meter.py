"""The spend of one repository (or all) as a snapshot: the same ledger that `cockpit spend` answers from."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from cockpit import clock
from cockpit.config import BudgetConfig, Config
from cockpit.repository import Repository
from cockpit.spend.calendar import QUARTER_MS
from cockpit.spend.limits import read_limits
from cockpit.spend.models import BudgetWindow, SpendSnapshot
from cockpit.spend.opened import open_ledger
from cockpit.spend.pace import read_paces
from cockpit.spend.places import UNATTRIBUTED, Places
from cockpit.spend.price_table import PICO
from cockpit.spend.sources import unread
from cockpit.spend.sums import Cell, Scope, Sum, rounded, rows_of
from skills.spending.amount import Amount
from skills.spending.budget import (
    bounds,
    burn_per_hour,
    burns_too_fast,
    projected_range,
    windows,
)
from skills.spending.limits import Limits, WindowName

_SLICE = 8 << 20
_DAYS_SHOWN = 14
_BURN_MINUTES = 60
_DAY_MS = 86_400_000

Group = tuple[str, str, str, str, str]  # day, week, model, session, branch


class _Sums:
    """What a snapshot shows: `models` and `branches` of this month, `days` in picodollars, `unpriced` models."""

    def __init__(self) -> None:
        self.windows: dict[WindowName, Sum] = {"day": Sum(), "week": Sum(), "month": Sum()}
        self.models: dict[str, Sum] = {}
        self.branches: dict[str, Sum] = {}
        self.sessions: dict[str, Sum] = {}
        self.days: dict[str, int] = {}
        self.unpriced: set[str] = set()


class Meter:
    """Reads the agents' files and makes snapshots. Not for several threads at once."""

    def __init__(self, repository: Repository | None, config: Config, *, all_repos: bool = False) -> None:
        self.config = config
        self.places = Places(None if all_repos else repository)
        self.ledger = open_ledger()
        self.scope = Scope(self.places)
        self.name = "all repositories" if all_repos or repository is None else repository.name
        self._groups: dict[Group, Sum] | None = None
        self._others = 0  # what others had written when it was last read

    def folders(self) -> tuple[Path, ...]:
        """The folders that hold the agents' files now."""
        return tuple(folder for reader in self.ledger.readers for folder in reader.folders())

    def read_slices(self) -> Iterator[float]:
        """Read everything that is new, a few megabytes a step; yields the share that is read."""
        pending = self.ledger.pending()
        whole = sum(size for _, size in pending) or 1
        done = held = 0
        paths: list[str] = []
        for path, size in pending:
            paths.append(path)
            held += size
            if held >= _SLICE:
                self.read(paths)
                done, held, paths = done + held, 0, []
                yield done / whole
        self.read(paths)

    def read(self, paths: list[str] | None = None) -> bool:
        """Read what is new in `paths` (default: everywhere). True where a figure may have changed, also because another
        cockpit was first to read it."""
        changed = bool(self.ledger.read(paths)) or self.ledger.others != self._others
        self._others = self.ledger.others
        if paths is None:
            changed = self.places.refresh() or changed
        if changed:
            self._groups = None
        return changed

    def loading(self, share: float) -> SpendSnapshot:
        """What there is to show while the first read runs."""
        return SpendSnapshot(scope=self.name, at=clock.now(), loading=min(1.0, share))

    def snapshot(self, note: str = "") -> SpendSnapshot:
        """Today, this month, the budgets, models, days and sessions, as of now."""
        now = clock.now()
        labels = self.ledger.calendar.labels(int(now.timestamp() * 1000))
        sums = self._summed(labels.day, labels.week, labels.month, now)
        spent: dict[WindowName, Amount] = {name: part.amount for name, part in sums.windows.items()}
        periods = {"day": labels.day, "week": labels.week, "month": labels.month}
        if self.config.budget.session != Limits():
            periods["session"], spent["session"] = self.dearest_session(labels.day)
        return SpendSnapshot(
            today=sums.windows["day"].row(labels.day),
            month=sums.windows["month"].row(labels.month),
            windows=budget_windows(spent, self.config.budget, now.astimezone()),
            by_model=tuple(rows_of(sums.models)),
            daily=_daily(sums.days, now.astimezone()),
            burn_per_hour=self._burn(now),
            by_session=_priced(sums.sessions),
            by_branch=_priced(sums.branches),
            scope=self.name,
            at=now,
            unread=unread(self.ledger),
            unpriced_models=tuple(sorted(sums.unpriced)),
            note="; ".join(filter(None, (note, self.ledger.store.notice))),
            limits=tuple(limit for limit in read_limits(self.ledger, now) if limit.basis == "vendor"),
            paces=read_paces(self.ledger, self._recent(now)),
            periods=tuple(periods.items()),
        )

    def _summed(self, today: str, week: str, month: str, now: datetime) -> _Sums:
        """The groups as a snapshot shows them; `today`, `week` and `month` are the labels of now."""
        found = _Sums()
        of_today, of_week, of_month = found.windows.values()
        first_day = (now.astimezone().date() - timedelta(days=_DAYS_SHOWN - 1)).isoformat()
        for (day, its_week, model, session, branch), part in self._grouped().items():
            found.sessions.setdefault(session, Sum()).add(part)
            if day == today:
                of_today.add(part)
            if its_week == week:
                of_week.add(part)
            if day[:7] == month:
                of_month.add(part)
                found.models.setdefault(model, Sum()).add(part)
                found.branches.setdefault(branch, Sum()).add(part)
            if first_day <= day <= today:
                found.days[day] = found.days.get(day, 0) + part.pico
            if part.unpriced_tokens and (day >= first_day or day[:7] == month):
                found.unpriced.add(model)
        return found

    def _recent(self, now: datetime) -> list[str]:
        """The sessions that were at work in the last day, the latest first."""
        since = int(now.timestamp() * 1000) - _DAY_MS
        last: dict[str, int] = {}
        for cell in self.ledger.cells(replace(self.scope, since=since // QUARTER_MS * QUARTER_MS)):
            if cell.quarter is not None and cell.origin.session and not cell.origin.sidechain:
                last[cell.origin.session] = max(cell.quarter, last.get(cell.origin.session, cell.quarter))
        return sorted(last, key=lambda session: (-last[session], session))

    def budget(self, *, strict: bool = False) -> tuple[tuple[BudgetWindow, ...], dict[str, str]]:
        """Every window against its budget now, and the period that each stands for.

        The session is the dearest of those that were at work today. `strict`: past a hard limit is blocked.
        """
        now = clock.now()
        labels = self.ledger.calendar.labels(int(now.timestamp() * 1000))
        sums = self._summed(labels.day, labels.week, labels.month, now)
        spent: dict[WindowName, Amount] = {name: part.amount for name, part in sums.windows.items()}
        session, spent["session"] = self.dearest_session(labels.day)
        periods = {"day": labels.day, "week": labels.week, "month": labels.month, "session": session}
        return budget_windows(spent, self.config.budget, now.astimezone(), strict=strict), periods

    def range_of(self, window: BudgetWindow) -> tuple[float, float] | None:
        """What the week or month may come to, low and high dollars; None for other windows and while it is noise."""
        if window.projected is None:
            return None
        now = clock.now().astimezone()
        days = self.ledger.sums(self.scope, lambda cell: self.ledger.calendar.of_quarter(cell.quarter).day)
        daily = _daily({day: part.pico for day, part in days.items()}, now)
        start, end = bounds(window.window, now)
        found = projected_range(window.spent, [usd for _, usd in daily[:-1]], start, now, end)
        return None if found is None else (round(found[0], 6), round(found[1], 6))

    def burns_too_fast(self, window: BudgetWindow) -> bool:
        """Whether the month's share is more than 1.5 times the share of its days."""
        now = clock.now().astimezone()
        start, end = bounds(window.window, now)
        return window.window == "month" and burns_too_fast(window.spent, window.limits, start, now, end)

    def dearest_session(self, day: str) -> tuple[str, Amount]:
        """Of the sessions that were at work on the day with that label: the dearest, and its dollars of all days."""
        groups = self._grouped()
        totals = {session: Sum() for of, _, _, session, _ in groups if of == day}
        for (_, _, _, session, _), part in groups.items():
            if session in totals and session != UNATTRIBUTED:
                totals[session].add(part)
        name = max(totals, key=lambda session: (totals[session].pico, session), default="")
        return name, totals.get(name, Sum()).amount

    def _grouped(self) -> dict[Group, Sum]:
        if self._groups is None:
            self._groups = self.ledger.sums(self.scope, self._group)
        return self._groups

    def _group(self, cell: Cell) -> Group:
        labels = self.ledger.calendar.of_quarter(cell.quarter)
        return (labels.day, labels.week, cell.origin.model, cell.origin.session or UNATTRIBUTED, cell.origin.branch)

    def _burn(self, now: datetime) -> float | None:
        end = int(now.timestamp() * 1000) + 1
        recent = replace(self.scope, since=end - _BURN_MINUTES * 60_000, until=end)
        spent = self.ledger.sums(recent, lambda _cell: "")
        return burn_per_hour(spent[""].pico / PICO, _BURN_MINUTES) if spent else None


def budget_windows(
    spent: dict[WindowName, Amount], budget: BudgetConfig, now: datetime, *, strict: bool = False
) -> tuple[BudgetWindow, ...]:
    """Each amount of `spent` against its configured budget, at the local time `now`."""
    limits: dict[WindowName, Limits] = {
        "day": budget.day,
        "week": budget.week,
        "month": budget.month,
        "session": budget.session,
    }
    return tuple(
        BudgetWindow(
            window.name,
            round(window.spent, 6),
            window.limit.soft,
            window.limit.hard,
            window.percent,
            window.level,
            None if window.projected is None else round(window.projected, 6),
            window.breach_at,
            spent[window.name].floor,
        )
        for window in windows(
            {name: part.usd for name, part in spent.items()}, limits, now, block=strict or budget.block_on_limit
        )
    )


def _priced(parts: dict[str, Sum]) -> tuple[tuple[str, Amount], ...]:
    """Dollars by name, without what used only models that have no price."""
    return tuple(
        (row.key, row.amount)
        for row in sorted(rows_of(parts), key=lambda row: row.key)
        if parts[row.key].pico or not row.unpriced_tokens
    )


def _daily(days: dict[str, int], now: datetime) -> tuple[tuple[str, float], ...]:
    labels = [(now.date() - timedelta(days=back)).isoformat() for back in reversed(range(_DAYS_SHOWN))]
    return tuple((label, rounded(days.get(label, 0)) / 10**6) for label in labels)

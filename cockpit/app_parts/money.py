"""What the keys do about money: the spend screen and its export."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit import clock
from cockpit.actions import BY_ID, keys_of
from cockpit.app_parts.deeds import Deeds
from cockpit.errors import CannotAnswer
from cockpit.paths import state_dir
from cockpit.spend.models import SpendSnapshot
from skills.counted import counted
from widgets.budget_pane import words
from widgets.screens.ask import AskScreen

if TYPE_CHECKING:
    from textual.notifications import SeverityLevel

    from cockpit.config import BudgetConfig
    from cockpit.spend.dashboard_models import Period, SpendDashboard
    from skills.spending.limits import Limits
    from widgets.screens.spend import SpendScreen


_SEVERITY: dict[str, "SeverityLevel"] = {"info": "information", "warn": "warning"}
_WORSE: tuple["SeverityLevel", ...] = ("information", "warning", "error")
_TOLD_FOR = 12  # seconds


def _budget_judged(own: "BudgetConfig", where: str, text: str) -> tuple[str, bool]:
    """What a line of a budget will write, or what is wrong with it."""
    from cockpit.spend.budget_words import hard_of, wish_of

    try:
        wish = wish_of(text)
        hard_of(wish, getattr(own, wish.window).hard)
    except CannotAnswer as problem:
        return str(problem), False
    return f"writes into {where}: {wish.lines}", True


class MoneyDeeds(Deeds):
    """The spend screen, whose figures are read when it asks for them, and the budgets' alerts."""

    told: frozenset[tuple[str, str, str]] = frozenset()  # windows, levels and periods that were looked at

    def note_budget(self, snapshot: SpendSnapshot) -> None:
        """Tell a budget's new rung, once for each period, also across cockpits and `cockpit budget`."""
        periods = dict(snapshot.periods)
        reached = {(window.window, window.level, periods.get(window.window, "")) for window in snapshot.windows}
        if snapshot.today is not None and not reached <= self.told:
            self.told |= reached
            self.run_worker(self._tell_budget(snapshot), group="budget alerts", exit_on_error=False)

    async def _tell_budget(self, snapshot: SpendSnapshot) -> None:
        from cockpit.spend.alerts import note_alerts
        from cockpit.spend.webhook import announce

        scope = "" if self.everywhere else str(self.repository.main_root)
        note = partial(note_alerts, scope, snapshot.windows, dict(snapshot.periods), snapshot.at or clock.now())
        _, fresh = await asyncio.to_thread(note)
        reached = {alert.window for alert in fresh}
        windows = [window for window in snapshot.windows if window.window in reached]
        if windows:  # one notice for all of them
            worst = max((_SEVERITY.get(alert.level, "error") for alert in fresh), key=_WORSE.index)
            self.tell(words(windows, self.labels["spend"]), severity=worst, seconds=_TOLD_FOR)
        if fresh and (problem := await asyncio.to_thread(announce, snapshot.scope, fresh, snapshot.windows)):
            self.tell(problem, bad=True)

    def do_spend(self) -> None:
        """The spend screen; its figures are read when it asks for them."""
        from widgets.screens.spend import SpendScreen

        self.push_screen(SpendScreen(keys_of(BY_ID["spend"], self.settings.keys)))

    def do_budget_spend(self) -> None:
        self.do_spend()

    def on_spend_screen_wanted(self, message: "SpendScreen.Wanted") -> None:
        """Read the figures of a period."""
        self.run_worker(
            self._read_spend(message.screen, message.period), exclusive=True, group="spend", exit_on_error=False
        )

    async def _read_spend(self, screen: "SpendScreen", period: "Period") -> None:
        from cockpit.spend.dashboard import read_dashboard

        def tell(share: float) -> None:
            loop.call_soon_threadsafe(screen.progress, share)

        loop = asyncio.get_running_loop()
        read = partial(read_dashboard, all_repos=self.everywhere, period=period, tell=tell)
        try:
            screen.show(await asyncio.to_thread(read, self.repository, self.settings))
        except (CannotAnswer, OSError) as problem:
            screen.fail(str(problem))

    def do_set_budget(self, then: Callable[[], None] = lambda: None) -> None:
        """Ask for a budget, in the words of `cockpit budget set`, and write it."""
        self.open_once(partial(self._ask_budget, then), "budget")

    def on_spend_screen_budget(self, message: "SpendScreen.Budget") -> None:
        self.do_set_budget(message.screen.action_again)

    async def _ask_budget(self, then: Callable[[], None]) -> None:
        from cockpit.app_parts.worktree_lines import short_path
        from cockpit.config import load_config
        from cockpit.paths import user_config_file
        from cockpit.spend.budget_file import set_budget
        from cockpit.spend.budget_words import wish_of, words_of

        try:
            own = (await asyncio.to_thread(load_config, None)).budget
        except CannotAnswer as problem:
            self.tell(problem, bad=True)
            return
        where = short_path(user_config_file())
        ask = AskScreen(
            "Set a budget, as `cockpit budget set` does",
            words_of("day", own.day),
            edit=True,
            judge=partial(_budget_judged, own, where),
        )
        answer = await self.push_screen_wait(ask)
        if not answer or not answer.strip():
            return
        wish = wish_of(answer)
        try:
            await asyncio.to_thread(set_budget, wish)
            await self.read_settings()
        except CannotAnswer as problem:
            self.tell(problem, bad=True)
            return
        here: Limits = getattr(self.settings.budget, wish.window)
        rules = here.soft == wish.soft and wish.hard in (None, here.hard)
        but = "" if rules else f" · here the project's own configuration says {words_of(wish.window, here)}"
        self.tell(f"Written into {where}: {wish.lines}{but}", severity="information" if rules else "warning")
        self.restart_spend()
        then()

    def on_spend_screen_export(self, message: "SpendScreen.Export") -> None:
        """Ask for a folder and write what is shown into it."""

        def answered(folder: str | None) -> None:
            if not folder or not folder.strip():
                return
            try:
                path = Path(folder.strip()).expanduser().absolute()
            except RuntimeError as problem:  # ~name of nobody
                self.tell(problem, bad=True)
                return
            self.run_worker(self._write_spend(message.dashboard, path), exit_on_error=False)

        note = "CSV and JSON of this screen; daily-*.json, mtd.json, by-feature.jsonl and reports of all days"
        self.push_screen(AskScreen("Write the costs into", str(state_dir() / "costs"), note=note), answered)

    async def _write_spend(self, dashboard: "SpendDashboard", folder: Path) -> None:
        from cockpit.spend.dashboard_files import write_dashboard
        from cockpit.spend.exports import export_now

        days = partial(export_now, self.repository, self.settings, folder, all_repos=self.everywhere)
        try:
            written = await asyncio.to_thread(write_dashboard, dashboard, folder)
            written += await asyncio.to_thread(days)
        except (CannotAnswer, ValueError) as problem:
            self.tell(problem, bad=True)
            return
        self.tell(f"{counted(len(written), 'file')} in {folder}")

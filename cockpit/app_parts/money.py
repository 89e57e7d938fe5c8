"""What the keys do about money: the spend screen and its export."""

import asyncio
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.actions import BY_ID, keys_of
from cockpit.app_parts.deeds import Deeds
from cockpit.errors import CannotAnswer
from cockpit.paths import state_dir
from widgets.screens.ask import AskScreen

if TYPE_CHECKING:
    from cockpit.spend.dashboard_models import Period, SpendDashboard
    from widgets.screens.spend import SpendScreen


class MoneyDeeds(Deeds):
    """The spend screen: figures are read when it asks for them."""

    def do_spend(self) -> None:
        """The spend screen; its figures are read when it asks for them."""
        from widgets.screens.spend import SpendScreen

        self.push_screen(SpendScreen(keys_of(BY_ID["spend"], self.settings.keys)))

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

        note = "one CSV for each table, and spend.json; the folder is made where it is missing"
        self.push_screen(AskScreen("Write the costs into", str(state_dir() / "costs"), note=note), answered)

    async def _write_spend(self, dashboard: "SpendDashboard", folder: Path) -> None:
        from cockpit.spend.dashboard_files import write_dashboard

        try:
            written = await asyncio.to_thread(write_dashboard, dashboard, folder)
        except (CannotAnswer, ValueError) as problem:
            self.tell(problem, bad=True)
            return
        self.tell(f"{len(written)} files in {folder}")

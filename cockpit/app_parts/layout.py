"""Panes put away, in another order, zoomed: what a person arranged comes back with the repository."""

import asyncio
from functools import partial

from cockpit.actions import BY_ID
from cockpit.app_parts.deeds import Deeds
from cockpit.layouts import Layout, read_layout, write_layout
from widgets.panes import PANES, Arrangement


class LayoutDeeds(Deeds):
    """Arranges the panes, and keeps the arrangement for each repository."""

    _layout = Layout()

    def restore_layout(self) -> None:
        """Arrange the panes as they were left; the findings have the focus where nothing else is said."""
        kept = self._layout = read_layout(self.repository.common_dir, PANES)
        arrangement = Arrangement(kept.order or PANES, frozenset(kept.hidden))
        self.panes.arrangement = arrangement
        shown = arrangement.shown()
        self.do_pane(kept.zoomed or ("findings" if "findings" in shown else shown[0]))
        self.panes.zoomed = bool(kept.zoomed)

    def remember_layout(self) -> None:
        """Save the arrangement where it is another than the saved one."""
        panes = self.panes
        order = () if panes.arrangement.order == PANES else panes.arrangement.order
        theme = self.theme if self.theme_by_key else self._layout.theme
        now = Layout(order, tuple(sorted(panes.arrangement.hidden)), panes.active if panes.zoomed else "", theme)
        if now != self._layout:
            self._layout = now
            self.run_only(partial(self._save, now), "layout")

    async def _save(self, layout: Layout) -> None:
        try:
            await asyncio.to_thread(write_layout, self.repository.common_dir, layout)
        except OSError as problem:
            self.tell(f"the layout could not be saved ({problem.strerror})", bad=True)

    def do_hide_pane(self) -> None:
        """Put the pane with the focus away; in one that was put away and is only looked at: keep it again."""
        panes, name = self.panes, self.panes.active
        panes.arrangement = panes.arrangement.without(name)
        if name not in panes.arrangement.hidden:
            return
        panes.zoomed = False
        place = PANES.index(name) + 1
        self.do_pane(panes.arrangement.shown()[-1])
        self.tell(
            f"{BY_ID[f'pane-{place}'].title} is put away: {self.labels[f'pane-{place}']} looks at it, "
            f"{self.labels['hide-pane']} there keeps it."
        )

    def do_pane_earlier(self, by: int = -1) -> None:
        self.panes.arrangement = self.panes.arrangement.moved(self.panes.active, by)

    def do_pane_later(self) -> None:
        self.do_pane_earlier(1)

    def do_usual_panes(self) -> None:
        """All panes, where they usually are."""
        self.panes.arrangement, self.panes.zoomed = Arrangement(), False

    def do_next_pane(self, by: int = 1) -> None:
        shown = self.panes.arrangement.shown(self.panes.active)
        self.do_pane(shown[(shown.index(self.panes.active) + by) % len(shown)])

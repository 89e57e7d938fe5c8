"""The Textual door: the panes, what happens around them, and keys to actions. No logic lives here."""

import asyncio
import gc
import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.worker import Worker, WorkerState

import widgets
from cockpit.actions import BY_ID, chosen_keys
from cockpit.agents.models import SessionsSnapshot
from cockpit.app_parts.feeds import Feeds
from cockpit.call import Call
from cockpit.findings.models import FindingsSnapshot
from cockpit.spend.models import SpendSnapshot
from cockpit.worktrees.models import WorktreesSnapshot
from widgets.bars import Attention, KeyBar, Tabs, TopLine
from widgets.bindings import app_bindings
from widgets.budget_pane import BudgetPane
from widgets.code_view import CodeView
from widgets.finding_words import FindingWords
from widgets.findings_pane import FindingsPane
from widgets.panes import PANES, Panes
from widgets.phase_pane import PhasePane
from widgets.virtual_list import VirtualList
from widgets.worktrees_pane import WorktreesPane

_STYLES = Path(widgets.__file__).parent
_MOVES = {"down", "up", "page-down", "page-up", "top", "bottom"}
_ENTER = {"worktrees": "check-worktree", "budget": "budget-spend", "phase": "phase-detail", "findings": "open"}
_TICK_SECONDS = 20.0


class CockpitApp(Feeds):
    """Four live panes on one repository."""

    TITLE = "cockpit"
    CSS_PATH: ClassVar[list[Any]] = [
        _STYLES / "line_view.tcss",
        _STYLES / "panes.tcss",
        _STYLES / "bars.tcss",
        _STYLES / "screens" / "screens.tcss",
    ]
    BINDINGS: ClassVar[list[BindingType]] = app_bindings()
    AUTO_FOCUS = None
    COMMAND_PALETTE_BINDING = "alt+x"  # the registry has the palette's other keys

    def __init__(self, call: Call, *, shade: str = "") -> None:
        # Textual would answer NO_COLOR with greys; the mono theme has no colour at all
        no_color = os.environ.pop("NO_COLOR", "")
        super().__init__()
        if no_color:
            os.environ["NO_COLOR"] = no_color
        self.call = call
        self.repository = call.repository()
        config = call.config()
        self.settings = replace(config, keys=chosen_keys(config.keys))
        self.watched = self.repository.root
        self.everywhere = bool(call.args.all_repos)
        self.extra_config = Path(call.args.config) if call.args.config else None
        self.trees, self.spend = WorktreesSnapshot(), SpendSnapshot()
        self.sessions, self.found = SessionsSnapshot(), FindingsSnapshot()
        self.news = asyncio.Event()
        self.use_themes(call, shade=shade, no_colors=bool(no_color))

    def compose(self) -> ComposeResult:
        yield TopLine(id="top")
        yield Tabs(id="tabs")
        with Panes():
            yield WorktreesPane(id="worktrees")
            yield BudgetPane(id="budget")
            yield PhasePane(id="phase")
            yield FindingsPane(id="findings")
            preview = CodeView(id="preview")
            preview.can_focus = False
            yield preview
            yield FindingWords(id="words")
        yield Attention(id="attention")
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        gc.set_threshold(50_000, 20, 100)  # a whole collection is a pause that a hand on the keys feels
        self.use_keys()
        self.restore_layout()
        self.tick()
        self.set_interval(_TICK_SECONDS, self.tick)
        # who was stopped and set going again finds an empty terminal
        self.app_resume_signal.subscribe(self, lambda _: self.refresh(layout=True))
        for number in (signal.SIGTERM, signal.SIGHUP):  # the terminal is given back as it was
            asyncio.get_running_loop().add_signal_handler(number, self.leave, 128 + number)
        self.call_after_refresh(self.restart_feeds)
        self.call_after_refresh(self.watch_looks)
        self.call_after_refresh(self.offer_tour)

    async def on_unmount(self) -> None:
        self.give_title_back()
        await self.end_feeds()

    # -- what happens around the panes --

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A part that failed says so in one line; the others go on."""
        if event.state is WorkerState.ERROR:
            self.log.error(event.worker.error)
            what = f"{event.worker.name or 'worker'} stopped: {event.worker.error!r}"
            why = f"{what} · {self.labels['recheck']} starts it again"
            self.tell(why, bad=True)
            if event.worker.name in PANES and self.standing:
                self.pane(event.worker.name).fail(why)

    @on(events.DescendantFocus)
    def _focused(self) -> None:
        focused = self.screen_stack[0].focused if self.is_running else None
        if focused is not None and focused.id in PANES:
            self.panes.active = focused.id
            self.refresh_chrome()

    @on(Panes.Resized)
    def _resized(self) -> None:
        self.refresh_chrome()
        self.show_row_costs()
        self.call_after_refresh(self.show_code)

    @on(VirtualList.Highlighted)
    async def _moved(self, message: VirtualList.Highlighted) -> None:
        self.show_keys()
        if message.view.id == "findings":
            self.show_row_costs()
            await self.show_code()

    def on_click(self, event: events.Click) -> None:
        """A second click in a pane is as good as enter there."""
        name = event.widget.id if event.widget is not None and event.chain == 2 else None
        if name in _ENTER and self.screen is self.screen_stack[0]:
            self.action_do(_ENTER[name])

    # -- keys → actions --

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """An action of a pane runs only where that pane has the focus."""
        if action != "do":
            return super().check_action(action, parameters)
        known = BY_ID.get(str(parameters[0]))
        places = ("app", "list", self.panes.active if self.standing else "")  # keys come before the panes, and after
        return known is not None and known.place in places

    def on_key(self, event: events.Key) -> None:
        if self.standing and self.findings_pane.jumping and event.key.isdigit():
            event.prevent_default().stop()
            self.findings_pane.jump(False)
            self.findings_pane.move_to(int(event.key) - 1)
            self.refresh_chrome()

    def action_do(self, name: str) -> None:
        """Run an action of the registry by its id."""
        self.acted_at = time.monotonic()
        jumping = self.standing and self.findings_pane.jumping
        if jumping and name.startswith("pane-"):
            self.findings_pane.jump(False)
            self.findings_pane.move_to(int(name[-1]) - 1)
        elif name in _MOVES:
            self.pane(self.panes.active).move(name)
        elif not self.refused(BY_ID[name].place, name):
            if jumping and name != "back":  # another key is no jump
                self.findings_pane.jump(False)
            getattr(self, f"do_{name.replace('-', '_')}")()
        self.remember_layout()
        self.refresh_chrome()


def open_app(call: Call, shade: str = "") -> int:
    """Open the app on the repository of this call; `shade` is what the terminal said of its background. Returns its
    exit code."""
    app = CockpitApp(call, shade=shade)
    code = app.run()
    return (2 if app.return_code else 0) if code is None else code

"""What the keys do: one method for each action of the registry that needs more than a pane."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from textual.app import App
from textual.worker import Worker

from cockpit.actions import BY_ID, key_label, keys_of, labels_of
from cockpit.agents.models import Session, SessionsSnapshot
from cockpit.config import Config
from cockpit.errors import CannotAnswer
from cockpit.findings.models import FindingsSnapshot
from cockpit.plain_text import plain_text
from cockpit.repository import Repository
from cockpit.spend.models import SpendSnapshot
from cockpit.worktrees.models import WorktreesSnapshot
from widgets.bindings import filled
from widgets.budget_pane import BudgetPane
from widgets.findings_pane import FindingsPane
from widgets.line_view import LineView
from widgets.lines import Line
from widgets.panes import PANES, Panes
from widgets.phase_pane import PhasePane
from widgets.worktrees_pane import WorktreesPane, waiting

if TYPE_CHECKING:
    from cockpit.findings.engine import Engine

_LAST_WORDS = 3.0  # seconds

Severity = Literal["information", "warning", "error"]


class Notice(NamedTuple):
    """A notice on screen, until a time of the monotonic clock in seconds."""

    text: str
    severity: Severity
    until: float
    about: str


class Deeds(App[int]):
    """The state that the panes show, and the actions on it."""

    repository: Repository
    settings: Config
    watched: Path
    extra_config: Path | None = None
    trees: WorktreesSnapshot
    spend: SpendSnapshot
    sessions: SessionsSnapshot
    found: FindingsSnapshot
    news: asyncio.Event
    no_colors: bool
    everywhere: bool
    engine: "Engine | None" = None  # what judges files, once the feeds have begun
    theme_by_key = False
    _standing: Sequence[Notice] = ()
    _opening: "dict[tuple[object, ...], Worker[Any]] | None" = None

    def pane(self, name: str) -> LineView:
        """A pane by its name."""
        return self.query_one(f"#{name}", LineView)

    @property
    def standing(self) -> bool:
        """Whether all panes are there: where the app closes, they go one by one."""
        return bool(self.screen_stack) and all(self.query(f"#{name}") for name in PANES)

    @property
    def worktrees_pane(self) -> WorktreesPane:
        return self.query_one("#worktrees", WorktreesPane)

    @property
    def findings_pane(self) -> FindingsPane:
        return self.query_one("#findings", FindingsPane)

    @property
    def phase_pane(self) -> PhasePane:
        return self.query_one("#phase", PhasePane)

    @property
    def budget_pane(self) -> BudgetPane:
        return self.query_one("#budget", BudgetPane)

    @property
    def panes(self) -> Panes:
        return self.query_one(Panes)

    def run_only(self, work: Callable[[], Coroutine[Any, Any, None]], group: str) -> None:
        """Run `work` in the background as the only one of its group: what ran before is cancelled. It is handed over
        uncalled, so that one which is cancelled before it begins leaves no coroutine behind."""
        self.run_worker(work, name=group, group=group, exclusive=True, exit_on_error=False)  # type: ignore[arg-type]

    def open_once(self, work: Callable[[], Coroutine[Any, Any, None]], *wish: object) -> None:
        """Run `work`, which opens a screen when it has read what is in it. The same `wish` again, by a key that was
        pressed before the screen was there, is no second one."""
        known = self._opening or {}
        self._opening = {each: worker for each, worker in known.items() if not worker.is_finished}
        if wish not in self._opening:
            self._opening[wish] = self.run_worker(work, exit_on_error=False)

    def opens(self, *kinds: str) -> bool:
        """Whether a wish of one of these kinds is being worked on."""
        return any(wish[0] in kinds and not worker.is_finished for wish, worker in (self._opening or {}).items())

    def tell(
        self,
        message: object,
        *,
        bad: bool = False,
        severity: Severity = "information",
        seconds: float = 6.0,
        about: str = "",
    ) -> None:
        """A short notice; text from outside is shown as it is, never as markup. One `about` something takes the place
        of the one before about the same."""
        now = time.monotonic()
        notice = Notice(plain_text(message, 300), "error" if bad else severity, now + seconds, about)
        standing = [one for one in self._standing if now < one.until]
        fresh = [notice]
        if about and any(one.about == about for one in standing):
            standing = [one for one in standing if one.about != about]
            self.clear_notifications()
            fresh = [*standing, notice]
        self._standing = (*standing, notice)
        for one in fresh:
            self.notify(one.text, severity=one.severity, markup=False, timeout=one.until - now)

    def watch_folder(self, root: Path) -> None:
        """Show the findings and the phase of this worktree from now on."""

    def front_changed(self) -> None:
        """Another repository is in front: what was made for the one before is forgotten."""

    def restart_feeds(self) -> None:
        """Read everything anew."""

    def restart_spend(self) -> None:
        """Count what was spent anew, against the budgets as they are now."""

    async def read_settings(self) -> None:
        """Take what the configuration says now; keys stay as they are bound. Raises `CannotAnswer`."""
        from cockpit.config import load_config

        read = partial(load_config, self.repository.root, self.extra_config)
        self.settings = replace(await asyncio.to_thread(read), keys=self.settings.keys)

    @cached_property
    def labels(self) -> dict[str, str]:
        """How the first key of each action is written, as this person has it."""
        return labels_of(self.settings.keys)

    def with_labels(self, rows: Sequence[Line]) -> list[Line]:
        """Lines with this person's keys in them."""
        return [filled(row, self.labels) for row in rows]

    # -- panes --

    def do_pane(self, name: str) -> None:
        """Give a pane the focus; on a narrow terminal it comes to the front."""
        self.panes.active = name
        self.call_after_refresh(self.pane(name).focus)

    def do_pane_1(self) -> None:
        self.do_pane("worktrees")

    def do_pane_2(self) -> None:
        self.do_pane("budget")

    def do_pane_3(self) -> None:
        self.do_pane("phase")

    def do_pane_4(self) -> None:
        self.do_pane("findings")

    def do_next_pane(self, by: int = 1) -> None:
        """The next of the panes that are shown."""

    def do_previous_pane(self) -> None:
        self.do_next_pane(-1)

    def do_zoom(self) -> None:
        self.panes.zoomed = not self.panes.zoomed

    def do_back(self) -> None:
        pane = self.findings_pane
        if pane.jumping:
            pane.jump(False)
        elif pane.filters and self.panes.active == "findings":
            pane.filter(type(pane.filters)())
        elif self.panes.zoomed:
            self.panes.zoomed = False

    def do_next_waiting(self) -> None:
        """Go to the worktree whose agent waits longest; again for the next one."""
        held = waiting(self.trees.worktrees)
        if not held:
            self.tell("No agent waits for you.")
            return
        current = self.worktrees_pane.current
        paths = [tree.path for tree in held]
        place = (paths.index(current.path) + 1) % len(paths) if current and current.path in paths else 0
        self.do_pane("worktrees")
        self.worktrees_pane.find(lambda tree: tree.path == paths[place])
        chosen = held[place]
        if chosen.agent is not None:
            self.phase_pane.choose(chosen.agent.session)

    def do_check_worktree(self) -> None:
        tree = self.worktrees_pane.current
        if tree is None or tree.missing:
            return
        self.watch_folder(Path(tree.path))
        if tree.agent is not None:
            self.phase_pane.choose(tree.agent.session)

    # -- screens --

    def leave(self, code: int) -> None:
        """End by a signal. Where the terminal is gone the last words to it would be waited for without end."""
        timer = threading.Timer(_LAST_WORDS, os._exit, (code,))
        timer.daemon = True
        timer.start()
        self.exit(code)

    def do_quit(self) -> None:
        self.exit(0)

    def action_help_quit(self) -> None:
        """ctrl+c copies in most terminals, so that it only says how to leave."""
        self.tell(f"{' '.join(key_label(key) for key in keys_of(BY_ID['quit'], self.settings.keys))} quits.")

    def action_press(self, key: str) -> None:
        """A key that is named in a border was clicked."""
        self.call_later(self.simulate_key, key)  # from here: sent by the frame, it would end at the frame

    def do_recheck(self) -> None:
        """Read everything anew, the configuration too."""
        self.run_only(self._recheck, "recheck")

    async def _recheck(self) -> None:
        try:
            await self.read_settings()
        except CannotAnswer as problem:
            self.tell(problem, bad=True)
        self.restart_feeds()

    def do_previous_session(self) -> None:
        self.phase_pane.step(-1)

    def do_next_session(self) -> None:
        self.phase_pane.step(1)

    def live_sessions(self) -> list[Session]:
        """The sessions that are not over."""
        return [session for session in self.sessions.sessions if session.state != "ended"]

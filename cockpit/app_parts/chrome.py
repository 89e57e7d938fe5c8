"""The lines around the panes: the top line, the tabs and who waits on a narrow terminal, the key bar."""

from functools import cache

from cockpit import clock
from cockpit.actions import ACTIONS, Action
from cockpit.app_parts.deeds import Deeds
from cockpit.findings.models import Finding
from cockpit.worktrees.models import Worktree
from widgets.bars import Attention, KeyBar, Tabs, TopLine, agents_line, place_line
from widgets.budget_pane import headline, level_of_tightest
from widgets.finding_lines import worst
from widgets.lines import Line, line
from widgets.panes import PANES, Panes, Wishes, shape_of
from widgets.phase_pane import summary
from widgets.worktrees_pane import waiting

_OF_A_FINDING = ("blame", "fix", "hide", "ignore")  # what a check that did not run has not


class Chrome(Deeds):
    """Keeps what stands around the panes in step with them."""

    def tick(self) -> None:
        """Ages and the clock move on, three times a minute."""
        now = clock.now()
        for name in PANES:
            self.pane(name).tick(now)
        self.refresh_chrome()

    def refresh_chrome(self) -> None:
        """The lines around the panes, and how much room each pane wants."""
        if not self.is_running or not self.screen_stack:
            return
        screen = self.screen_stack[0]
        now = clock.now()
        panes = screen.query_one(Panes)
        panes.wishes = Wishes(max(3, len(self.trees.worktrees)), self.budget_pane.wish, self.phase_pane.wish)
        shape = shape_of(panes.size.width, panes.size.height)
        tabbed = shape == "tabs" and not panes.zoomed
        if tabbed != panes.has_class("-tabs"):  # frames come or go, of which no pane is told
            panes.set_class(tabbed, "-tabs")
            self.call_after_refresh(self.tick)
        left = place_line(self.repository.name, self.trees, str(self.watched))
        parts = [
            headline(self.spend),
            summary(self.phase_pane.current),
            line((now.astimezone().strftime("%H:%M"), "muted")),
        ]
        agents = agents_line(self.live_sessions(), now)
        told = [parts[0], agents] if shape == "tabs" else [agents, *parts]
        screen.query_one(TopLine).show(left, told, headline(self.spend, brief=True))
        tabs = screen.query_one(Tabs)
        tabs.set_class(shape == "tabs", "-on")
        if shape == "tabs":
            tabs.show(self._tabs(), PANES.index(panes.active) + 1)
        held = waiting(self.trees.worktrees)
        attention = screen.query_one(Attention)
        attention.set_class(shape == "tabs" and bool(held), "-on")
        attention.show(held, now)
        self.show_keys()

    def show_keys(self) -> None:
        """The next useful keys, of the pane that has the focus and of what is under its cursor."""
        if self.standing:
            self.screen_stack[0].query_one(KeyBar).show(self._bar_actions(), self.settings.keys, self._prompt())

    def on_key_bar_pressed(self, message: KeyBar.Pressed) -> None:
        """A key of the bar was clicked."""
        self.run_worker(self.run_action(f"do('{message.action}')"), exit_on_error=False)

    def on_tabs_pressed(self, message: Tabs.Pressed) -> None:
        """A tab was clicked."""
        self.do_pane(PANES[message.number - 1])
        self.refresh_chrome()

    def _tabs(self) -> list[Line]:
        percent, token = level_of_tightest(self.spend)
        session = self.phase_pane.current
        return [
            line(f"Tree {len(self.trees.worktrees)}"),
            line("$ ", (percent, token)),
            line(f"Phase {session.phase}" if session else "Phase"),
            worst(self.found),
        ]

    def _bar_actions(self) -> tuple[Action, ...]:
        active = self.panes.active
        about = {
            "worktrees": self.worktrees_pane.current,
            "phase": self.phase_pane.current,
            "findings": self.findings_pane.current,
        }
        shown = "" if about.get(active, active) is None else active  # no key where nothing is that it is about
        return _bar_of(shown, self._idle())

    def _idle(self) -> frozenset[str]:
        """The actions that can do nothing now, or to what is under the cursor."""
        idle = idle_keys(self.worktrees_pane.current, self.findings_pane.finding)
        if not waiting(self.trees.worktrees):
            idle |= {"next-waiting"}
        if len(self.phase_pane.sessions) < 2:
            idle |= {"next-session", "previous-session"}
        panes = self.panes
        if shape_of(panes.size.width, panes.size.height) == "tabs" and not panes.zoomed:  # it is alone as it is
            idle |= {"zoom"}
        return idle

    def _prompt(self) -> Line:
        if self.findings_pane.jumping:
            return line(("jump to a finding: 1–9 · esc", "accent"))
        return ()


def idle_keys(tree: Worktree | None, finding: Finding | None) -> frozenset[str]:
    """The actions that can do nothing to a worktree or a finding: what ruff mends, ruff mends itself."""
    idle = set(_OF_A_FINDING) if finding is None else set()
    if finding is not None and (not finding.fixable or finding.rule.startswith("ruff/")):
        idle.add("fix")
    if tree is not None and tree.main:
        idle.add("remove-worktree")
    if tree is not None and (tree.own_base or tree.head is None):
        idle.add("merge-worktree")
    return frozenset(idle)


@cache
def _bar_of(pane: str, idle: frozenset[str]) -> tuple[Action, ...]:
    shown = [action for action in ACTIONS if action.bar and action.place in ("app", pane) and action.id not in idle]
    shown = [action for action in shown if (pane, action.id) != ("budget", "spend")]  # enter opens the same
    return tuple(sorted(shown, key=lambda action: action.bar))

"""The feeds: each is followed in a worker of its own, and what it yields goes to its pane."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.css.query import NoMatches

from cockpit.agents.models import SessionsSnapshot
from cockpit.app_parts.joined import Parts
from cockpit.errors import CannotAnswer
from cockpit.findings.models import FindingsSnapshot
from cockpit.spend.models import SpendSnapshot
from cockpit.stream import newest
from cockpit.worktrees.models import WorktreesSnapshot

if TYPE_CHECKING:
    from cockpit.worktrees.feed import Hints


class Feeds(Parts):
    """Feeds → panes."""

    _hints: "Hints | None" = None

    def restart_feeds(self) -> None:
        """Begin every feed anew, with the settings as they are."""
        from cockpit.key_clashes import clashes

        for problem in clashes(self.settings.keys):
            self.tell(problem, bad=True)
        self.run_only(self._start, "start")

    async def _start(self) -> None:
        """Imports what the feeds need in a thread, so that the first paint never waits for it."""
        await asyncio.to_thread(_import_feeds)
        from cockpit.findings.engine import Engine
        from cockpit.findings.hidden import HiddenFindings
        from cockpit.findings.tool_feed import ToolKey
        from cockpit.phases.feed import follow_sessions
        from cockpit.worktrees.feed import Hints

        if self.engine is None or self._hints is None:
            self.engine, self._hints, self.tool_key = Engine(), Hints(), ToolKey(self.tools_ended)
            self.hidden = await asyncio.to_thread(HiddenFindings, self.repository.common_dir)
        repository = self.repository
        self._hints.covered = str(self.watched)
        self._feed("worktrees", partial(self.follow_trees, self._hints), self.show_worktrees)
        self._feed("findings", self._follow_findings, self.show_findings)
        everywhere = self.everywhere
        self._feed("phase", partial(follow_sessions, repository, all_repos=everywhere), self.show_sessions)
        self.restart_spend()
        self.keep_warm()

    def restart_spend(self) -> None:
        """Begin the feed of the dollars anew."""
        from cockpit.spend.feed import follow_spend

        follow = partial(follow_spend, self.repository, self.settings, all_repos=self.everywhere)
        self._feed("budget", follow, self.show_spend)

    def _follow_findings(self) -> AsyncIterator[FindingsSnapshot]:
        from cockpit.findings.feed import follow_findings

        engine, root, tools = self.engine, self.watched, self.tool_key
        assert engine is not None
        return follow_findings(engine, self.repository, self.settings, root=root, on_saved=self._saved, tools=tools)

    def _saved(self, names: frozenset[str]) -> None:
        """Files below the watched worktree changed: its row is counted again at once."""
        if self._hints is not None:
            self._hints.touch(self.watched)

    def _feed(self, name: str, make: Callable[[], AsyncIterator[Any]], show: Callable[[Any], None]) -> None:
        async def follow() -> None:
            try:
                async for value in newest(make()):
                    self.pane(name).fail("")
                    show(value)
            except NoMatches:
                if self.standing:
                    raise
            except (CannotAnswer, OSError) as problem:
                self.pane(name).fail(f"{name} stopped: {problem} · {self.labels['recheck']} tries again")

        self.run_only(follow, name)

    def show_worktrees(self, snapshot: WorktreesSnapshot) -> None:
        """Take new worktrees, joined with the agents that work in them."""
        from cockpit.worktrees.judgement import with_last, with_presence

        self.trees = with_presence(with_last(snapshot, self.trees), self.sessions)
        self.news.set()
        costs = None if self.spend.today is None else dict(self.spend.by_branch)
        if self.everywhere:  # a branch's name is one repository's
            costs = {}
        self.worktrees_pane.show(self.trees, str(self.watched), costs)
        self.refresh_chrome()
        there = [Path(tree.path) for tree in self.trees.worktrees if not tree.missing]
        if there and not self.watched.is_dir():
            self.go_home(there)

    def go_home(self, there: list[Path]) -> None:
        """The worktree that was watched is gone: watch the repository's own, or the first that is left."""
        home = self.repository.root if self.repository.root in there else there[0]
        self.tell(f"{self.watched.name} is gone: back to {home.name}")
        self.watch_folder(home)

    def show_sessions(self, snapshot: SessionsSnapshot) -> None:
        """Take new sessions, with their dollars; the worktrees tell of them too."""
        from cockpit.phases.feed import with_dollars, with_forecasts

        self.sessions = with_forecasts(with_dollars(snapshot, dict(self.spend.by_session)), self.spend.paces)
        self.phase_pane.show(self.sessions.sessions, self.sessions.note)
        self.budget_pane.show(self.spend, self.live_sessions())
        self.show_worktrees(self.trees)
        self.announce()

    def show_spend(self, snapshot: SpendSnapshot) -> None:
        """Take new figures; while they are read anew the old ones stay."""
        if snapshot.loading is not None and self.spend.today is not None and snapshot.scope == self.spend.scope:
            return  # read anew: the figures stay until the new ones are there
        self.spend = snapshot
        self.news.set()
        self.note_budget(snapshot)
        self.budget_pane.show(snapshot, self.live_sessions())
        if snapshot.by_session and self.phase_pane.read:
            self.show_sessions(self.sessions)  # and the worktrees, with their costs
        self.refresh_chrome()

    def show_findings(self, snapshot: FindingsSnapshot) -> None:
        """Take new findings; of a flood while it is checked the last ones count."""
        checking = self.found.progress is not None and snapshot.progress is not None
        if checking and self.hold_back(snapshot):
            return
        self.found, self.held = snapshot, None
        self.news.set()
        self.show_hidden()
        if not checking:  # the checklist waits for the end anyway
            self.show_row_costs()
            self.show_checklist()
        self.refresh_chrome()

    def watch_folder(self, root: Path) -> None:
        if root != self.watched:
            self.watched = root
            if self._hints is not None:
                self._hints.covered = str(root)
            self.show_worktrees(self.trees)
            self._feed("findings", self._follow_findings, self.show_findings)

    async def end_feeds(self) -> None:
        """Close what judges files; the feeds themselves end with their workers."""
        if self.engine is not None:
            await asyncio.to_thread(self.engine.close)


def _import_feeds() -> None:
    """Imported once, off the event loop."""
    import cockpit.findings.feed
    import cockpit.phases.feed
    import cockpit.spend.feed
    import cockpit.worktrees.feed  # noqa: F401

"""What the keys do about sessions: the transcript, who waits, habits and measures, who wrote a finding."""

import asyncio
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit import clock
from cockpit.actions import BY_ID, keys_of
from cockpit.agents.models import Agent
from cockpit.app_parts.deeds import Deeds
from cockpit.errors import CannotAnswer
from cockpit.plain_text import plain_text
from widgets.lines import Line
from widgets.screens.report import ReportScreen, report_room

if TYPE_CHECKING:
    from cockpit.agents.transcript import TranscriptReader
    from cockpit.phases.attention import Announcer, Held
    from skills.orchestrator.checklist import ChecklistItem
    from skills.workflow.track import TrackStep
    from widgets.screens.attention import AttentionScreen
    from widgets.screens.habits import HabitsScreen
    from widgets.screens.transcript import TranscriptScreen


_DAY_EVERY = 15.0  # seconds between looks where the day stands


class InsightDeeds(Deeds):
    """Screens about agent sessions; what they show is read off the event loop."""

    _announcer: "Announcer | None" = None
    _titled = ""

    # -- who waits --

    def do_waiting(self) -> None:
        """Everybody who waits for a person, and why."""
        from widgets.screens.attention import AttentionScreen

        self.push_screen(AttentionScreen(self._held(), clock.now()), self._go_to)

    def _held(self) -> "tuple[Held, ...]":
        from cockpit.phases.attention import attention

        return attention(self.live_sessions(), self.trees.worktrees)

    def _go_to(self, held: "Held | None") -> None:
        if held is None:
            return
        self.phase_pane.choose(held.session.session)
        if held.path and self.worktrees_pane.find(lambda tree: tree.path == held.path):
            self.watch_folder(Path(held.path))
        self.do_pane("phase")

    def on_attention_screen_read(self, message: "AttentionScreen.Read") -> None:
        """Open the transcript of a session of the queue."""
        session = message.held.session
        self.open_transcript(session.agent, session.session, live=True)

    def announce(self) -> None:
        """Sessions changed: the open queue shows it, and outside the panes title and bell where they are wanted."""
        from cockpit.phases.attention import Announcer, title

        for screen in self.screen_stack[1:]:
            if type(screen).__name__ == "AttentionScreen":
                screen.show(self._held(), clock.now())  # type: ignore[attr-defined]
        self.read_day()
        self._announcer = self._announcer or Announcer()
        new = self._announcer.fresh(self.sessions.sessions)
        if new and self.settings.attention.bell:
            self.bell()
        if self.settings.attention.title:
            words = title(self.repository.name, self.sessions.sessions)
            if words != self._titled:
                write_title(words, first=not self._titled)
                self._titled = words

    def give_title_back(self) -> None:
        """The terminal has its own title again."""
        if self._titled:
            write_title("", last=True)

    # -- phases in detail, and the day --

    _day_read = 0.0
    _track: "tuple[TrackStep, ...]" = ()
    _phases_screen: ReportScreen | None = None

    def do_phase_detail(self) -> None:
        """Every phase with its checks, the checklist of the change, the day's own track."""
        self._phases_screen = ReportScreen("Phases, checklist and day", self._phases_lines())
        self.push_screen(self._phases_screen)
        self.read_day()

    def _phases_lines(self) -> list[Line]:
        from widgets.phase_detail import detail_lines

        width = report_room(self.size.width)
        return detail_lines(self.phase_pane.current, self._checklist(), self._track, width, clock.now())

    def _checklist(self) -> "tuple[ChecklistItem, ...]":
        """The list of the session that is shown, by the gates of the worktree that is watched."""
        from cockpit.phases.checklist import session_checklist

        session, found, root = self.phase_pane.current, self.found, str(self.watched)
        if session is None:
            return ()
        here = session.cwd == root or session.cwd.startswith(f"{root}/")
        ready = here and found.phase == "ready" and found.progress is None
        why = "still being checked" if here else f"{self.labels['check-worktree']} on its worktree asks the gates there"
        return session_checklist(session, root, found.checks if ready else None, found.findings, why_not=why)

    def show_checklist(self) -> None:
        """Room below the phases is filled with the checklist of the change."""
        from widgets.phase_detail import checklist_lines

        self.phase_pane.show_more(
            lambda width, room: checklist_lines(self._checklist(), width, room) if room > 5 else []
        )

    def read_day(self) -> None:
        """Look where the day stands, not more often than every few seconds; nothing waits for it."""
        shown = self._phases_screen is not None and self._phases_screen in self.screen_stack
        if time.monotonic() - self._day_read < (1.0 if shown else _DAY_EVERY) and self._track:
            return
        self._day_read = time.monotonic()
        self.run_only(self._read_day, "day-track")

    async def _read_day(self) -> None:
        from cockpit.phases.day_track import read_day_track
        from widgets.phase_detail import day_line

        roots = [Path(tree.path) for tree in self.trees.worktrees if not tree.missing]
        track = await asyncio.to_thread(read_day_track, self.repository, roots, self.sessions.sessions, clock.now())
        if track != self._track:
            self._track = track
            self.phase_pane.show_day(partial(day_line, track))
        if self._phases_screen is not None and self._phases_screen in self.screen_stack:
            self._phases_screen.replace(self._phases_lines())

    # -- habits and measures --

    def do_habits(self) -> None:
        """Habits and measures; they are read when the screen asks for them."""
        from widgets.screens.habits import HabitsScreen

        self.push_screen(HabitsScreen(keys_of(BY_ID["habits"], self.settings.keys)))

    def on_habits_screen_wanted(self, message: "HabitsScreen.Wanted") -> None:
        """Read habits, then measures."""
        self.run_worker(self._read_habits(message.screen), group="habits", exclusive=True, exit_on_error=False)

    async def _read_habits(self, screen: "HabitsScreen") -> None:
        from cockpit.findings.models import FindingsSnapshot
        from cockpit.phases.habits import read_habits
        from cockpit.phases.habits_models import HabitsView
        from cockpit.phases.measures import gate_figures, read_measures
        from skills.orchestrator.habits import habit_rows, weekly_trend

        def tell(read: int) -> None:
            loop.call_soon_threadsafe(screen.progress, read)

        loop, repository = asyncio.get_running_loop(), None if self.everywhere else self.repository
        try:
            reading = await asyncio.to_thread(read_habits, repository, all_repos=self.everywhere, tell=tell)
            rows, weeks = habit_rows(reading.looks), weekly_trend(reading.looks)
            view = HabitsView(rows, weeks, reading.sessions, reading.problems, agents=reading.agents)
            screen.show(view)
            found: FindingsSnapshot = self.found
            ready = found.phase == "ready" and found.progress is None and self.watched == self.repository.root
            gates = gate_figures(found.findings, found.checks, found.trend) if ready else None
            measured = partial(read_measures, self.repository, self.settings, reading, clock.now(), gates=gates)
            measures, unread = await asyncio.to_thread(measured)
            screen.show(replace(view, problems=(*reading.problems, *unread), measures=measures))
        except (CannotAnswer, OSError) as problem:
            screen.fail(str(problem))

    def on_habits_screen_opened(self, message: "HabitsScreen.Opened") -> None:
        """The transcript at the line of a case."""
        self.open_transcript(message.case.agent, message.case.session, line=message.case.line)

    # -- the transcript --

    def do_transcript(self) -> None:
        """The transcript of the session that the phase pane shows."""
        session = self.phase_pane.current
        if session is None:
            self.tell("There is no session to read.")
            return
        self.open_transcript(session.agent, session.session, live=session.state != "ended")

    def open_transcript(self, agent: Agent, session: str, *, line: int = 0, live: bool = False) -> None:
        """Open the viewer, at a line of the session's own file or at its end."""
        from widgets.screens.transcript import TranscriptScreen

        known = next((one for one in self.sessions.sessions if one.session == session), None)
        where = f" · {plain_text(known.branch, 40)}" if known and known.branch else ""
        screen = TranscriptScreen(f"Transcript · {agent}{where} · {plain_text(session)[:8]}", line=line, follow=live)
        self.push_screen(screen)
        self.run_worker(self._follow(screen, agent, session), group="transcript", exclusive=True, exit_on_error=False)

    async def _follow(self, screen: "TranscriptScreen", agent: Agent, session: str) -> None:
        from cockpit.agents.transcript_feed import follow_transcript, open_transcript

        try:
            self._reader = await asyncio.to_thread(open_transcript, agent, session)
            async for transcript in follow_transcript(self._reader):
                if screen.standing and not screen.is_attached:
                    return
                screen.show(transcript)
        except (CannotAnswer, OSError) as problem:
            screen.fail(str(problem))

    _reader: "TranscriptReader | None" = None

    def on_transcript_screen_wanted(self, message: "TranscriptScreen.Wanted") -> None:
        """Read the full text of an item."""
        self.run_worker(self._full_text(message), group="full-text", exclusive=True, exit_on_error=False)

    async def _full_text(self, message: "TranscriptScreen.Wanted") -> None:
        from cockpit.agents.transcript_feed import full_text
        from widgets.screens.transcript import full_screen

        if self._reader is not None:
            text = await asyncio.to_thread(full_text, self._reader.files, message.item)
            self.push_screen(full_screen(message.item, text, report_room(self.size.width)))

    def on_transcript_screen_search(self, message: "TranscriptScreen.Search") -> None:
        """Search the whole files."""
        self.run_worker(self._search(message), group="search", exclusive=True, exit_on_error=False)

    async def _search(self, message: "TranscriptScreen.Search") -> None:
        from cockpit.agents.transcript_feed import search

        if self._reader is not None:
            hits = await asyncio.to_thread(search, self._reader.files, message.text)
            message.screen.found(message.text, hits)


def write_title(words: str, *, first: bool = False, last: bool = False) -> None:
    """Set the terminal's title; the one before is kept at the first time and comes back at the last."""
    terminal = sys.__stderr__  # where Textual draws
    if terminal is None or not terminal.isatty():
        return
    text = "\x1b[22;2t" if first else ""
    text += "\x1b[23;2t" if last else f"\x1b]2;{plain_text(words, 80)}\x07"
    terminal.write(text)
    terminal.flush()

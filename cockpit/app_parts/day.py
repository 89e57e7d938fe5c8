"""What the keys do about the day: start day and end day, each read and written in threads while its screen shows it."""

import asyncio
import re
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from cockpit.actions import BY_ID, keys_of
from cockpit.app_parts.deeds import Deeds
from cockpit.app_parts.editor import open_in_editor
from cockpit.app_parts.findings import read_lines
from cockpit.errors import CannotAnswer
from cockpit.findings.outcome import NOTHING
from cockpit.plain_text import plain_text
from widgets.lines import Line, line
from widgets.screens.ask import AskScreen
from widgets.screens.confirm import ConfirmScreen

if TYPE_CHECKING:
    from cockpit.day.draft import Draft
    from cockpit.day.finish import EndDay, Ended
    from cockpit.sweep.cancel import Cancel
    from skills.workflow.steps import Step
    from widgets.screens.day import DayScreen
    from widgets.screens.end_day import EndDayScreen
    from widgets.screens.start_day import StartDayScreen

_PROGRESS_EVERY = 0.2


class DayDeeds(Deeds):
    """The two ends of the day."""

    scanning: "Cancel | None" = None
    ending: "EndDay | None" = None
    day_ended: "Ended | None" = None
    day_draft: "Draft | None" = None

    # -- start --

    def do_start_day(self) -> None:
        """Read everything side by side; quick scans follow."""
        from cockpit.sweep.cancel import Cancel
        from widgets.screens.start_day import StartDayScreen

        screen = StartDayScreen(keys_of(BY_ID["start-day"], self.settings.keys))
        self.push_screen(screen)
        self.scanning = Cancel()
        self.run_worker(self._start_day(screen, self.scanning), group="day", exclusive=True, exit_on_error=False)

    async def _start_day(self, screen: "StartDayScreen", cancel: "Cancel") -> None:
        from cockpit.day.scans import quick_scans
        from cockpit.day.start import start_day

        loop = asyncio.get_running_loop()

        def tell(step: "Step") -> None:
            loop.call_soon_threadsafe(screen.step, step)

        try:
            started = await asyncio.to_thread(start_day, self.repository, self.settings, tell=tell)
        except (CannotAnswer, OSError) as problem:
            screen.fail(str(problem))
            return
        screen.show(started.report, self._gates())
        scans = quick_scans(self.repository.root, self.settings, cancel)
        while (check := await asyncio.to_thread(next, scans, None)) is not None:
            screen.scanned(check)
        screen.scanned(None)

    def _gates(self) -> Line:
        """What the gates say now, as the findings pane does."""
        told = [(gate.gate, gate.count) for gate in self.found.gates]
        if not told:
            return line(("  ▶ ", "accent"), ("Gates           ", "text"), ("the first check runs…", "muted"))
        if all(gate.status == "not_applicable" for gate in self.found.gates):
            return line(("  – ", "faint"), ("Gates           ", "text"), (NOTHING, "muted"))
        bad = any(gate == "P0" and count for gate, count in told)
        said = " · ".join(f"{count} {gate}" for gate, count in told if count) or "nothing found"
        token = "bad" if bad else "good"
        return line(("  ✖ " if bad else "  ✓ ", token), ("Gates           ", "text"), (said, token))

    def on_start_day_screen_worktree(self, message: "StartDayScreen.Worktree") -> None:
        """Ask for the branch, then make a worktree for the task."""
        task = message.task
        slug = re.sub(r"[^a-z0-9]+", "-", task.casefold()).strip("-")[:40].rstrip("-")

        def answered(branch: str | None) -> None:
            if branch and branch.strip():
                self.run_worker(self._new_worktree(branch.strip(), task), exit_on_error=False)

        note = "a new branch or one that exists; ports, env files and a task file come with it"
        self.push_screen(AskScreen("Worktree on branch", f"feature/{slug or 'task'}", note=note, edit=True), answered)

    async def _new_worktree(self, branch: str, task: str) -> None:
        from cockpit.worktrees.new import make_new
        from cockpit.worktrees.refused import Refused

        make = partial(make_new, self.repository, self.settings, branch, task=task)
        try:
            made = await asyncio.to_thread(make)
        except (CannotAnswer, Refused, OSError) as problem:
            self.tell(problem, bad=True)
            return
        ports = "–".join(str(port) for port in made.ports)
        self.tell(f"{made.name} in {made.path}" + (f", ports {ports}" if ports else ""))

    def on_day_screen_opened(self, message: "DayScreen.Opened") -> None:
        """Open a file in the editor; a task without files is looked up in TASK.md."""
        if message.place.startswith("?"):
            self.run_worker(self._open_task(message.place[1:]), exit_on_error=False)
            return
        name, _, number = message.place.rpartition(":")
        if not name or not number.isdecimal():
            name, number = message.place, "1"
        open_in_editor(self, self.repository.root / name, int(number))

    async def _open_task(self, task: str) -> None:
        path = self.repository.root / "TASK.md"
        lines, problem = await asyncio.to_thread(read_lines, path)
        if problem:
            self.tell(problem, bad=True)
            return
        open_in_editor(self, path, next((number for number, row in enumerate(lines, 1) if task in row), 1))

    def on_day_screen_left(self) -> None:
        """What still looks is not wanted any more; what is saved stays."""
        if self.scanning is not None:
            self.scanning.cancel()
        if self.ending is not None:
            self.ending.sweep.cancel.cancel()

    # -- end --

    def do_end_day(self) -> None:
        """Read the draft; the person edits it before it is written."""
        from widgets.screens.end_day import EndDayScreen

        screen = EndDayScreen(keys_of(BY_ID["end-day"], self.settings.keys))
        self.push_screen(screen)
        self.run_worker(self._draft_day(screen), group="day", exclusive=True, exit_on_error=False)

    async def _draft_day(self, screen: "EndDayScreen") -> None:
        from cockpit.day.draft import read_draft

        found = self.found.findings if self.found.phase == "ready" else None
        try:
            draft = await asyncio.to_thread(read_draft, self.repository, self.settings, findings=found)
        except (CannotAnswer, OSError) as problem:
            screen.fail(str(problem))
            return
        self.day_draft, self.day_ended = draft, None
        screen.show_draft(draft.handover, draft.learnings, draft.notes, draft.report)

    def on_end_day_screen_write(self, message: "EndDayScreen.Write") -> None:
        """Write what the person agreed to."""
        if self.day_draft is None:
            return
        self.day_draft.handover, self.day_draft.confirmed = message.handover, message.confirmed
        self.day_draft.learnings = tuple(one for one in message.screen.learnings if one.id not in message.dropped)
        self.run_worker(
            self._end_day(message.screen, message.dropped), group="end", exclusive=True, exit_on_error=False
        )

    async def _end_day(self, screen: "EndDayScreen", dropped: set[str]) -> None:
        from cockpit.day.finish import EndDay, drop

        assert self.day_draft is not None
        loop = asyncio.get_running_loop()
        shown = [0.0]

        def tell(step: "Step") -> None:
            loop.call_soon_threadsafe(screen.step, step)

        def said(text: str) -> None:
            if time.monotonic() - shown[0] >= _PROGRESS_EVERY:
                shown[0] = time.monotonic()
                loop.call_soon_threadsafe(screen.progress, text)

        self.ending = EndDay(self.repository, self.settings, self.day_draft, tell=tell, said=said)
        try:
            if dropped:
                await asyncio.to_thread(drop, self.repository, dropped)
            ended = await asyncio.to_thread(self.ending.run)
        except (CannotAnswer, OSError) as problem:
            screen.fail(str(problem))
            return
        finally:
            self.ending = None
        self.day_ended = ended
        screen.finish(ended.sweep, _verdict(ended), ended.report)
        if not screen.is_attached:
            self.tell(f"The day is saved: {_verdict(ended)[0][0]}", bad=ended.blocked)

    def on_end_day_screen_send(self) -> None:
        """The message as it would go out, and where to; it goes when the person agrees."""
        from cockpit.day.notify import summary_message
        from cockpit.spend.webhook import shown, webhook_url

        try:
            url = webhook_url()
        except CannotAnswer as problem:
            self.tell(problem, bad=True)
            return
        if not url or self.day_ended is None:
            self.tell("Nothing is sent: your own configuration names no [webhook] url.")
            return
        message = summary_message(url, self.day_ended)

        def answered(yes: bool | None) -> None:
            if yes:
                self.run_worker(self._send(url, message), exit_on_error=False)

        self.push_screen(ConfirmScreen(f"Send to {shown(url)}", _payload_lines(message)), answered)

    async def _send(self, url: str, message: dict[str, Any]) -> None:
        from cockpit.spend.webhook import send

        why = await asyncio.to_thread(send, url, message)
        self.tell(f"Not sent: {why}" if why else "The summary is sent.", bad=bool(why))


def _verdict(ended: "Ended") -> Line:
    if ended.exit_code == 0:
        return line(("Saved, backed up and verified; nothing blocks commit and push.", "good"))
    saved = all(step.status != "fail" for step in ended.steps if step.step in ("context", "backup", "verify-backup"))
    said = "Saved, backed up and verified" if saved else "Not everything could be saved"
    return line((f"{said}; " + ("the sweep blocks commit and push." if ended.blocked else "see below."), "bad"))


def _payload_lines(message: dict[str, Any]) -> list[Line]:
    import json

    return [
        line((plain_text(row, 400), "text")) for row in json.dumps(message, indent=1, ensure_ascii=False).splitlines()
    ]

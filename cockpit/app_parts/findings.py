"""What the keys do to findings: open, look at the code, filter, hide, ignore with a reason."""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.app_parts.deeds import Deeds
from cockpit.app_parts.editor import open_in_editor
from cockpit.errors import CannotAnswer
from cockpit.files import read_regular, source_lines
from cockpit.findings.models import Check, CheckProblem, Finding, FindingsSnapshot
from cockpit.plain_text import plain_text
from skills.counted import counted
from widgets.code_view import CodeView, above_in, code_lines, explanation, rule_lines, wrapped
from widgets.finding_words import FindingWords
from widgets.lines import crop, crop_path, line, pad
from widgets.screens.ask import AskScreen
from widgets.screens.confirm import ConfirmScreen, diff_lines
from widgets.screens.pick import PickScreen
from widgets.screens.report import ReportScreen, report_room, report_title

if TYPE_CHECKING:  # what the first paint need not wait for
    from cockpit.findings.hidden import HiddenFindings
    from cockpit.findings.patch import Patch
    from cockpit.findings.tool_feed import ToolKey

_NO_TOOLS = (
    "No tools: the project neither depends on mypy, pyright, bandit or pytest nor names its own in [checks.NAME]."
)
# seconds
_SHOWN_EVERY = 0.25
_SHOWN_AMONG_KEYS = 0.75
_AMONG_KEYS = 0.3


class FindingDeeds(Deeds):
    """The actions of the findings pane. `hidden` is None until it has been read."""

    hidden: "HiddenFindings | None" = None
    held: FindingsSnapshot | None = None
    """The newest snapshot of a running check that is not shown yet."""
    acted_at = -math.inf
    """When a key last did something, in seconds of the monotonic clock."""
    _shown_at = 0.0
    tool_key: "ToolKey | None" = None

    def do_open(self) -> None:
        """Open the finding, or what could not be judged, in the editor: in this terminal, or in its own window."""
        row = self.findings_pane.current
        if self.opens("fix", "ignore"):  # the key was for its diff, which nobody has seen yet
            self.tell("The diff is on its way: press enter when it is here.", about="diff")
            return
        if isinstance(row, Check):
            self.do_view()
        if row is None or isinstance(row, Check):
            return
        open_in_editor(self, self.watched / row.path, row.line, row.column if isinstance(row, Finding) else 1)

    def do_view(self) -> None:
        self.open_once(self._view, "view", self.findings_pane.cursor)

    async def _view(self) -> None:
        row = self.findings_pane.current
        if row is None:
            return
        width = report_room(self.size.width)
        if isinstance(row, Check):
            title, rows = (
                f"{row.rule} · not run",
                [line(("? ", "warn"), (text, "text")) for text in wrapped(row.reason or "no reason was given", width)],
            )
        else:
            source, note = await asyncio.to_thread(read_lines, self.watched / row.path)
            about = row.rule if isinstance(row, Finding) else "not judged"
            title = report_title(f"{plain_text(row.path)}:{row.line}", about, self.size.width)
            above = above_in(self.size.height)
            rows = code_lines(row, source, above, 12, width) if source else [line((note, "warn"))]
            rows += [(), *explanation(row, width)]
        if not isinstance(row, CheckProblem):
            document = await asyncio.to_thread(document_of, row.rule)
            rows += [(), *rule_lines(document, width)]
        self.push_screen(ReportScreen(title, rows))

    def do_filter(self) -> None:
        filters = self.findings_pane.filters

        def answered(text: str | None) -> None:
            kept = filters if text is None else replace(filters, text=text.strip())
            self.findings_pane.filter(kept)

        self.push_screen(AskScreen("Show findings with", filters.text, note="path, rule, message or symbol"), answered)

    def do_next_hit(self, by: int = 1) -> None:
        pane = self.findings_pane
        if pane.items:
            pane.move_to((pane.cursor + by) % len(pane.items))

    def do_previous_hit(self) -> None:
        self.do_next_hit(-1)

    def do_filter_gate(self) -> None:
        self.findings_pane.cycle_gate()

    def do_filter_rule(self) -> None:
        self.findings_pane.toggle_rule()

    def do_filter_file(self) -> None:
        self.findings_pane.toggle_file()

    def do_hide(self) -> None:
        """Hide the finding until it changes."""
        finding, hidden = self.findings_pane.finding, self.hidden
        if finding is not None and hidden is not None:
            said = f"Hidden until it changes: {finding.rule} in {finding.path} · {self.labels['undo']} brings it back"
            self.run_worker(self._change_hidden(partial(hidden.hide, finding), said), exit_on_error=False)

    def do_undo(self) -> None:
        """Bring back what was hidden last."""
        if self.hidden is not None:
            self.run_worker(
                self._change_hidden(self.hidden.undo, "The finding that was hidden last is back."), exit_on_error=False
            )

    async def _change_hidden(self, change: Callable[[], object], said: str) -> None:
        try:
            changed = await asyncio.to_thread(change)
        except CannotAnswer as problem:
            self.tell(problem, bad=True)
            return
        self.tell("Nothing to undo." if changed is None and not said.startswith("Hidden") else said, about="hidden")
        self.show_hidden()

    def do_hidden(self) -> None:
        """List what is hidden; the one picked comes back."""
        kept = self.hidden.rows if self.hidden is not None else ()
        size = max(12, min(40, report_room(self.size.width) // 2))
        rows = [
            (
                row.fingerprint,
                line(
                    (pad(crop_path(plain_text(row.path), size), size), "text"),
                    (f" {row.rule}  ", "warn"),
                    (plain_text(row.message), "muted"),
                ),
            )
            for row in kept
        ]
        self.push_screen(
            PickScreen(
                "Hidden findings", rows, hint="{pick} brings it back · {close} close", empty="Nothing is hidden."
            ),
            self._unhide,
        )

    def _unhide(self, fingerprint: str | None) -> None:
        if fingerprint is not None and self.hidden is not None:
            self.run_worker(
                self._change_hidden(partial(self.hidden.unhide, fingerprint), "It is back."), exit_on_error=False
            )

    def hold_back(self, snapshot: FindingsSnapshot) -> bool:
        """Whether this one of a running check waits, the newest for all before it: four times a second are enough for
        the eye. While keys come they are fewer, because a key that comes right after a frame waits for the next."""
        now = time.monotonic()
        wait = self._shown_at + (_SHOWN_AMONG_KEYS if now - self.acted_at < _AMONG_KEYS else _SHOWN_EVERY) - now
        if wait <= 0:
            self._shown_at = now
            return False
        if self.held is None:
            self.set_timer(wait, self._show_held)
        self.held = snapshot
        return True

    def _show_held(self) -> None:
        self._shown_at = 0.0
        if self.held is not None and self.standing:
            self.show_findings(self.held)

    def show_findings(self, snapshot: FindingsSnapshot) -> None:
        """Show what the check found."""

    def show_hidden(self) -> None:
        """Show the findings again, without those that are hidden now."""
        self.findings_pane.show(self.found, self.hidden.fingerprints if self.hidden is not None else frozenset())

    def do_ignore(self) -> None:
        """Ask for the reason, show the diff, write the comment."""
        finding = self.findings_pane.finding
        if finding is None:
            return

        def reasoned(reason: str | None) -> None:
            if reason and reason.strip():
                plan = self._comment_of(finding, reason.strip())
                self.open_once(partial(self._propose, "Ignore", finding, plan), "ignore", finding.fingerprint)
            elif reason is not None:
                self.tell("A reason is required: nothing was written.")

        self.push_screen(
            AskScreen(
                f"Ignore {finding.rule} because",
                note="a comment with this reason goes into the code; the diff comes first",
            ),
            reasoned,
        )

    def do_fix(self) -> None:
        """Show what the fix changes, then change it."""
        finding = self.findings_pane.finding
        if finding is not None:
            self.open_once(partial(self._propose, "Fix", finding, self._fix_of(finding)), "fix", finding.fingerprint)

    def _fix_of(self, finding: Finding) -> "Callable[[], Patch]":
        from cockpit.findings.fix import plan_fix

        return partial(plan_fix, self.watched, finding)

    def _comment_of(self, finding: Finding, reason: str) -> "Callable[[], Patch]":
        from cockpit.findings.ignore import plan_ignore

        return partial(plan_ignore, self.watched, finding, reason, self.settings.tenancy.fields)

    async def _propose(self, verb: str, finding: Finding, plan: "Callable[[], Patch]") -> None:
        """Plan in a thread, show the diff, write on enter."""
        from cockpit.findings.patch import apply_patch

        try:
            patch = await asyncio.to_thread(plan)
        except (CannotAnswer, OSError) as problem:
            self.tell(problem, bad=True)
            return
        diff = without_secrets(finding, patch.diff)
        if await self.push_screen_wait(ConfirmScreen(f"{verb} {finding.rule}", diff_lines(diff))):
            try:
                await asyncio.to_thread(apply_patch, patch)
            except (CannotAnswer, OSError) as problem:
                self.tell(problem, bad=True)

    def do_tools(self) -> None:
        """Run the tools that the project uses; their findings join the others."""
        started = self.tool_key is not None and self.tool_key.ask()
        said = "The project's tools run: their findings join the list." if started else "Not yet: the first check runs."
        self.tell(said, about="tools")

    def tools_ended(self, checks: Sequence[Check]) -> None:
        """Say what each of the project's tools came to."""
        said = " · ".join(_ended(check) for check in checks)
        good = all(check.status == "pass" for check in checks)
        self.tell(said or _NO_TOOLS, severity="information" if good else "warning", seconds=12, about="tools")

    def do_jump(self) -> None:
        self.findings_pane.jump(True)

    async def show_code(self) -> None:
        """The finding under the cursor: in the preview of a wide terminal, in words in a narrow one."""
        if self.is_running and self.panes.shown("words"):
            self.query_one("#words", FindingWords).say(self.findings_pane.current)
        if not self.is_running or not self.panes.shown("preview"):
            return
        finding = self.findings_pane.finding
        source: list[str] = []
        note = ""
        if finding is not None:
            source, note = await asyncio.to_thread(read_lines, self.watched / finding.path)
        if self.is_running:  # while the file was read the app may have been left
            self.query_one("#preview", CodeView).show(finding, source, note=note)


def _ended(check: Check) -> str:
    """`mypy: 3 findings`, `pytest: not run, it is not installed`."""
    if check.status == "not_run":
        return f"{check.rule}: not run, {crop(plain_text(check.reason or 'no reason was given'), 120)}"
    return f"{check.rule}: {counted(check.count, 'finding') if check.count else 'nothing found'}"


def read_lines(path: Path) -> tuple[list[str], str]:
    """The lines of a file, or none and a line that says why."""
    try:
        return source_lines(read_regular(path)), ""
    except OSError as problem:
        return [], f"{plain_text(path.name)} cannot be read: {problem.strerror}"


def without_secrets(finding: Finding, text: str) -> str:
    """Lines of code around a finding; where it is about a secret, no string in them is shown whole."""
    from skills.gates.security.secret_values import shows_secret, without_literals

    return "\n".join(map(without_literals, text.split("\n"))) if shows_secret(finding.rule, finding.also) else text


def document_of(rule: str) -> dict[str, object]:
    """What the rule's documentation says; empty for the rules of other tools."""
    from skills.gates import RULES, rule_document

    return dict(rule_document(rule)) if rule in RULES else {}

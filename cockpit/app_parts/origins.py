"""What the keys do about who wrote a line: the origin of a finding, the findings of a session, costs at the rows."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit import clock
from cockpit.app_parts.findings import without_secrets
from cockpit.app_parts.insight import InsightDeeds
from cockpit.errors import CannotAnswer
from cockpit.findings.models import Finding
from cockpit.plain_text import plain_text
from widgets.lines import Line, line
from widgets.screens.confirm import ConfirmScreen
from widgets.screens.report import ReportScreen, report_title
from widgets.words import money

if TYPE_CHECKING:
    from cockpit.phases.blame import Origin
    from cockpit.phases.edits import EditIndex

_CHEAP = 32 << 20  # bytes of transcripts that are read unasked, so that rows can say what they cost


class OriginDeeds(InsightDeeds):
    """Edits of all agents are read in a thread, when they are first wanted."""

    _edits: "EditIndex | None" = None
    _costs: "dict[str, str] | None" = None
    _costs_of = ""

    def front_changed(self) -> None:
        """Another folder is in front: what was known of its edits and costs is forgotten."""
        self._edits = self._costs = None
        super().front_changed()

    def do_blame(self) -> None:
        """Which session, prompt and step wrote the line of the finding."""
        finding = self.findings_pane.finding
        if finding is not None:
            self.run_only(partial(self._blame, finding), "blame")

    async def _blame(self, finding: Finding) -> None:
        self.tell("Looking through the transcripts…")
        try:
            found = await asyncio.to_thread(self._origin, finding)
        except (CannotAnswer, OSError) as problem:
            self.tell(problem, bad=True)
            return
        self.clear_notifications()
        found = replace(found, text=without_secrets(finding, found.text))
        title = report_title(f"{plain_text(finding.path)}:{finding.line}", finding.rule, self.size.width)
        if found.basis == "none":
            self.push_screen(ReportScreen(title, origin_lines(found), compact=True))
            return
        hint = "{yes} its transcript · {no} close"
        if await self.push_screen_wait(ConfirmScreen(title, origin_lines(found), hint=hint)) and found.agent:
            self.open_transcript(found.agent, found.session, line=0 if found.helper else found.transcript_line)

    def _origin(self, finding: Finding) -> "Origin":
        from cockpit.phases.blame import blame

        return blame(self._index(), self.watched, finding.path, finding.line)

    def _index(self) -> "EditIndex":
        """The edits as they are now. Called in a thread."""
        from cockpit.agents.transcript_feed import dollars
        from cockpit.phases.edits import EditIndex

        repository = self.repository
        index = self._edits or EditIndex(repository, dollars())
        index.refresh(clock.now(), [Path(tree.path) for tree in self.trees.worktrees])
        if self.repository is repository:  # else another one was put in front meanwhile
            self._edits = index
        return index

    def do_session_findings(self) -> None:
        """Only the findings in lines that the session of the phase pane wrote."""
        session = self.phase_pane.current
        if session is not None:
            self.run_worker(
                self._only_session(session.session), group="session-findings", exclusive=True, exit_on_error=False
            )

    async def _only_session(self, session: str) -> None:
        findings = self.found.findings
        self.tell("Looking through the transcripts…")
        origins = await asyncio.to_thread(self._origins, findings)
        self.clear_notifications()
        wanted = frozenset(mark for mark, found in origins.items() if found.session == session)
        filters = self.findings_pane.filters
        self.findings_pane.filter(type(filters)(only=wanted, only_name=f"written by {plain_text(session)[:8]}"))
        self.do_pane("findings")

    def _origins(self, findings: Sequence[Finding], *, read: bool = True) -> "dict[str, Origin]":
        """Where findings come from, by fingerprint; those that no edit explains are left out. Called in a thread."""
        from cockpit.phases.blame import from_edits, read_source

        index = self._index() if read or self._edits is None else self._edits
        found: dict[str, Origin] = {}
        sources: dict[str, list[str]] = {}
        for finding in findings:
            if not index.of_file(finding.path, root=self.watched):
                continue
            if finding.path not in sources:
                try:
                    sources[finding.path] = read_source(self.watched, finding.path)
                except CannotAnswer:
                    sources[finding.path] = []
            lines = sources[finding.path]
            if 1 <= finding.line <= len(lines):
                origin = from_edits(index, self.watched, finding.path, finding.line, lines)
                if origin is not None:
                    found[finding.fingerprint] = origin
        return found

    def show_row_costs(self) -> None:
        """Say at the rows on screen what the step that wrote each cost, where that is known without much reading."""
        if self.found.root != self._costs_of:  # another worktree: the same finding may stand in another line
            self._costs_of, self._costs = self.found.root, None
        if self.found.phase == "ready" and self.found.progress is None:
            self.run_only(self._row_costs, "row-costs")

    async def _row_costs(self) -> None:
        await asyncio.sleep(0.3)  # rows that only pass by are not looked up
        visible = self.findings_pane.on_screen()
        known = self._costs or {}
        wanted = [finding for finding in visible if finding.fingerprint not in known]
        if not wanted or not await asyncio.to_thread(self._cheap):
            return
        origins = await asyncio.to_thread(self._origins, wanted, read=False)
        for finding in wanted:
            origin = origins.get(finding.fingerprint)
            priced = origin is not None and origin.tokens is not None
            known[finding.fingerprint] = money(origin.usd, floor=origin.floor) if origin and priced else ""
        self._costs = known
        self.findings_pane.show_costs(dict(known))

    @property
    def costs_shown(self) -> bool:
        """Whether every row on screen was looked up."""
        return all(one.fingerprint in (self._costs or {}) for one in self.findings_pane.on_screen())

    def _cheap(self) -> bool:
        """Whether the edits are read already, or the transcripts of the repository are small."""
        from cockpit.phases.edits import transcript_bytes

        return self._edits is not None or transcript_bytes(self.repository, clock.now()) <= _CHEAP


def origin_lines(found: "Origin") -> list[Line]:
    """An origin as lines of a screen."""
    rows: list[Line] = [line((plain_text(found.text, 200), "strong")), ()]
    if found.basis == "none":
        rows.append(line(("Not found in any transcript. ", "warn"), (found.why.partition("; ")[2], "text")))
        if found.commit is not None:
            rows.append(line((f"“{found.commit.subject}”", "muted")))
        return rows

    def row(name: str, text: str, token: str = "text") -> Line:
        return line((f"{name:<10}", "faint"), (text, token))

    when = f" · {found.at.astimezone():%d %b %H:%M}" if found.at else ""
    rows.append(row("session", f"{found.agent} · {plain_text(found.session)[:8]}{when}"))
    if found.helper:
        rows.append(row("sub-agent", found.helper))
    rows.append(row("prompt", plain_text(found.prompt, 300) or "none before it", "strong"))
    if found.basis == "commit":
        return [*rows, row("why", found.why, "warn")]
    calls = f"{found.calls} calls at once" if found.calls > 1 else "one call"
    rows.append(row("step", f"{found.tool} · line {found.transcript_line} of its transcript · {calls}"))
    rows.append(row("model", found.model))
    rows.append(row("cost", found.cost_words, "accent"))
    if not found.sure:
        rows += [(), line(("The same line stands in other places too: this is the likely step.", "warn"))]
    return rows

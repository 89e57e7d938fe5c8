"""Snapshots of the feeds as events: what `cockpit watch` prints, live or from a recording."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.plain_text import plain_text
from skills.counted import counted
from skills.spending.amount import dollars

if TYPE_CHECKING:
    from cockpit.agents.models import SessionsSnapshot
    from cockpit.findings.models import FindingsSnapshot
    from cockpit.spend.models import ContextPace, SpendSnapshot
    from cockpit.worktrees.models import WorktreesSnapshot
    from skills.spending.amount import Amount

Row = dict[str, Any]
Event = tuple[str, Row]


class Changes:
    """Turns the snapshots of the feeds into events: the whole first state, then only what differs from it.

    Sessions wait for the first sums of money and worktrees for the first sessions, so that nothing comes twice.
    """

    def __init__(self) -> None:
        self._findings: dict[str, Row] | None = None
        self._judged: object = None
        self._saves = 0
        self._worktrees: dict[str, Row] = {}
        self._sessions: dict[str, Row] = {}
        self._phases: dict[str, tuple[int, str]] = {}
        self._money: Row | None = None
        self._last_sessions: SessionsSnapshot | None = None
        self._last_worktrees: WorktreesSnapshot | None = None
        self._by_session: dict[str, Amount] | None = None
        self._paces: tuple[ContextPace, ...] = ()

    def findings(self, snapshot: "FindingsSnapshot") -> Iterator[Event]:
        """Findings that came and went, then the check that found that; no event where a save says the same again:
        a tool has begun."""
        if snapshot.phase != "ready":
            return
        from cockpit.findings.formats import finding_row

        now = {finding.fingerprint: finding_row(finding) for finding in snapshot.findings}
        before, self._findings = self._findings or {}, now
        judged = (snapshot.gates, snapshot.problems)
        saved = bool(snapshot.saved) and snapshot.saves != self._saves
        added = [row for key, row in now.items() if key not in before]
        resolved = [row for key, row in before.items() if key not in now]
        yield from (("finding.added", row) for row in added)
        yield from (("finding.resolved", row) for row in resolved)
        if added or resolved or saved or judged != self._judged:
            self._judged, self._saves = judged, snapshot.saves
            yield "check.done", _check_row(snapshot, len(added), len(resolved))

    def spend(self, snapshot: "SpendSnapshot") -> Iterator[Event]:
        """Today's and this month's dollars; the sessions too, where their dollars were waited for."""
        if snapshot.loading is not None or snapshot.today is None or snapshot.month is None:
            return
        row = {
            "today": snapshot.today.usd,
            "month": snapshot.month.usd,
            "floor": snapshot.today.floor or snapshot.month.floor,
            "unpriced_tokens": snapshot.month.unpriced_tokens,
            "levels": {window.window: window.level for window in snapshot.windows},
            "scope": snapshot.scope,
        }
        if row != self._money:
            self._money = row
            yield "spend", {**row, "burn_per_hour": snapshot.burn_per_hour}
        waited = self._by_session is None
        self._by_session, self._paces = dict(snapshot.by_session), snapshot.paces
        if waited and self._last_sessions is not None:
            yield from self.sessions(self._last_sessions)

    def sessions(self, snapshot: "SessionsSnapshot") -> Iterator[Event]:
        """Sessions whose row changed (their dollars alone are no event), and those that entered another phase."""
        from cockpit.clock import now
        from cockpit.phases.feed import with_dollars, with_forecasts
        from cockpit.phases.told import forecast_row, session_row

        self._last_sessions = snapshot
        if self._by_session is None:
            return
        moment = now()
        rows = {
            f"{session.agent} {session.session}": {**session_row(session), "forecast": forecast_row(session, moment)}
            for session in with_forecasts(with_dollars(snapshot, self._by_session), self._paces).sessions
        }
        for key, row in rows.items():
            if _without_money(row) != _without_money(self._sessions.get(key, {})):
                yield "session", row
            phase = (row["phase"], row["phase_name"])
            if self._phases.get(key, phase) != phase:
                yield (
                    "phase",
                    {name: row[name] for name in ("agent", "session", "branch", "phase", "phase_name", "phases")},
                )
            self._phases[key] = phase
        for key in self._sessions.keys() - rows.keys():
            if self._sessions[key]["state"] != "ended":
                yield "session", {**self._sessions[key], "state": "ended", "waiting_for": None}
        self._sessions = rows
        if self._last_worktrees is not None:
            yield from self.worktrees(self._last_worktrees)

    def worktrees(self, snapshot: "WorktreesSnapshot") -> Iterator[Event]:
        """Worktrees whose row changed; one that is not counted yet waits until it is."""
        from cockpit.worktrees.feed import with_presence
        from cockpit.worktrees.told import worktree_row

        self._last_worktrees = snapshot
        if self._last_sessions is None or self._by_session is None:
            return
        present = {tree.path for tree in snapshot.worktrees}
        for tree in with_presence(snapshot, self._last_sessions).worktrees:
            if tree.counts is None and not (tree.missing or tree.problem) and tree.path not in self._worktrees:
                continue
            row = worktree_row(tree)
            if row != self._worktrees.get(tree.path):
                self._worktrees[tree.path] = row
                yield "worktree", row
        for path in self._worktrees.keys() - present:
            yield "worktree", {**self._worktrees.pop(path), "removed": True}


def _check_row(snapshot: "FindingsSnapshot", added: int, resolved: int) -> Row:
    files = snapshot.files
    return {
        "files": {"seen": files.seen, "parsed": files.parsed, "cached": files.cached, "skipped": files.skipped},
        "gates": [{"gate": gate.gate, "status": gate.status, "count": gate.count} for gate in snapshot.gates],
        "saved": list(snapshot.saved),
        "added": added,
        "resolved": resolved,
        "errors": [{"path": at.path, "line": at.line, "message": at.message} for at in snapshot.problems],
        "duration_ms": snapshot.duration_ms,
    }


def _without_money(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in ("usd", "floor", "forecast")}


def json_line(event: str, at: str, data: Row) -> str:
    """An event as one line of JSON, in ASCII: nothing from outside reaches a terminal raw."""
    import json

    return json.dumps({"event": event, "at": at, "data": data}, separators=(",", ":"))


def plain_line(event: str, at: str, data: Row) -> str:
    """One sentence that a screen reader can speak."""
    return plain_text(f"{at[11:19]} {event}: {_SENTENCES[event](data)}", 400)


def _finding_words(row: Row) -> str:
    return f"{row['gate']} {row['rule']} at {row['path']}:{row['line']}: {row['message']}"


def _check_words(row: Row) -> str:
    gates = ", ".join(f"{gate['count']} {gate['gate']} {gate['status']}" for gate in row["gates"])
    errors = f", {counted(len(row['errors']), 'file')} could not be judged" if row["errors"] else ""
    return f"{counted(row['files']['seen'], 'file')}, {row['added']} added, {row['resolved']} resolved; {gates}{errors}"


def _worktree_words(row: Row) -> str:
    kinds = (("conflicts", "in conflict"), ("staged", "staged"), ("unstaged", "changed"), ("untracked", "new"))
    words = [row["operation"]] if row["operation"] else []
    if row.get("removed"):
        words.append("removed")
    elif row["unstaged"] is None:
        words.append("changes unknown")
    else:
        words += [f"{row[name]} {word}" for name, word in kinds if row[name]] or ["clean"]
    words += [f"{row[name]} {name}" for name in ("ahead", "behind") if row[name]]
    words += ["merged"] if row["merged"] in ("ancestor", "squash") else []
    if agent := row["agent"]:
        words.append(
            f"{agent['agent']} {agent['state']}" + (f" for {agent['waiting_for']}" if agent["waiting_for"] else "")
        )
    return f"{row['branch'] or row['name']}: {', '.join(words)}"


def _spend_words(row: Row) -> str:
    sign = "at least " if row["floor"] else ""
    level = row["levels"].get("day", "ok")
    return f"{sign}{dollars(row['today'])} today, {sign}{dollars(row['month'])} this month, day budget {level}"


def _phase_words(row: Row) -> str:
    return f"{row['branch'] or row['session']}: {row['phase']} {row['phase_name']}"


def _session_words(row: Row) -> str:
    place = row["branch"] or Path(row["cwd"]).name or row["session"]
    wants = f" for {row['waiting_for']}" if row["waiting_for"] else ""
    context = f", context {row['context']['percent']:.0f} %" if row["context"] else ""
    return f"{place}: {row['agent']} {row['state']}{wants}, phase {row['phase']} {row['phase_name']}{context}"


_SENTENCES: dict[str, Callable[[Row], str]] = {
    "finding.added": _finding_words,
    "finding.resolved": _finding_words,
    "check.done": _check_words,
    "worktree": _worktree_words,
    "spend": _spend_words,
    "phase": _phase_words,
    "session": _session_words,
}

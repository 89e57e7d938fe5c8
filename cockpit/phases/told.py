"""Agent sessions as the JSON objects that commands and `watch` give."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from cockpit.clock import iso

if TYPE_CHECKING:
    from cockpit.agents.models import Session


def session_row(session: "Session") -> dict[str, Any]:
    """A session as one JSON object."""
    context = session.context
    full = context and {
        "used": context.used,
        "window": context.window,
        "percent": round(context.percent, 1),
        "level": context.level,
        "window_source": context.window_source,
    }
    phases = [
        {
            "phase": phase.number,
            "name": phase.name,
            "status": phase.status,
            "evidence": phase.evidence,
            "checks": [
                {"check": check.text, "holds": check.holds, "evidence": check.evidence} for check in phase.checks
            ],
        }
        for phase in session.phases
    ]
    return {
        "agent": session.agent,
        "session": session.session,
        "cwd": session.cwd,
        "branch": session.branch,
        "state": session.state,
        "waiting_for": session.waiting_for,
        "since": iso(session.since) if session.since else None,
        "phase": session.phase,
        "phase_name": session.phase_name,
        "context": full,
        "usd": round(session.usd, 6) if session.usd is not None else None,
        "floor": session.floor,
        "evidence": session.evidence,
        "prompt": session.prompt,
        "model": session.model,
        "pid": session.pid,
        "last_event_at": iso(session.last_event_at) if session.last_event_at else None,
        "subagents": session.subagents,
        "subagents_active": session.subagents_active,
        "summary": session.summary,
        "phases": phases,
    }


def forecast_row(session: "Session", moment: datetime) -> dict[str, Any] | None:
    """Where the session's context leads, as one JSON object: computed, None where nothing is known."""
    found = session.forecast
    if found is None:
        return None
    left = None if found.cache_until is None else max(0, int((found.cache_until - moment).total_seconds()))
    return {
        "tokens_per_turn": found.tokens_per_turn,
        "turns_left": found.turns_left,
        "cache": found.cache_kind,
        "cache_until": iso(found.cache_until) if found.cache_until else None,
        "cache_seconds_left": left,
        "next_usd": found.next_usd_cold if left == 0 else found.next_usd,
        "next_usd_cached": found.next_usd,
        "next_usd_cold": found.next_usd_cold,
        "basis": "computed",
    }

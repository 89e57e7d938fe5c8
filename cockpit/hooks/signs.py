"""What hook events say of the state of a session."""

from collections.abc import Iterator
from datetime import datetime

from cockpit.agents.models import State
from cockpit.clock import at_seconds
from cockpit.files import Tail
from cockpit.hooks.drain import HookEvent, log_events, log_path
from cockpit.phases.state import Sign, StateReading

_STATES: dict[str, State] = {
    "SessionStart": "idle",
    "UserPromptSubmit": "busy",
    "PreToolUse": "busy",
    "PostToolUse": "busy",
    "PostToolUseFailure": "busy",
    "SubagentStart": "busy",
    "SubagentStop": "busy",
    "PreCompact": "busy",
    "PreCompress": "busy",
    "AfterTool": "busy",
    "PermissionRequest": "waiting",
    "Stop": "idle",
    "Interrupt": "idle",
    "SessionEnd": "ended",
}
_ASKING = ("permission", "needs_input", "elicitation")


class HookSigns:
    """The newest event of each session, read incrementally from the log."""

    def __init__(self) -> None:
        self._tail = Tail(log_path(), counting=False)
        self._last: dict[str, HookEvent] = {}

    def refresh(self) -> bool:
        """Read what is new. Returns whether there was anything; never raises."""
        try:
            if not self._tail.changed():
                return False
            for event in log_events(self._tail.blocks()):
                known = self._last.get(event.session)
                if _state(event) is not None and (known is None or event.at >= known.at):
                    self._last[event.session] = event
        except OSError:
            return False
        return True

    def of(self, session: str) -> Iterator[Sign]:
        """The signs of one session."""
        event = self._last.get(session)
        state = _state(event) if event is not None else None
        if event is None or state is None:
            return
        at = at_seconds(event.at)
        if at is None:
            return
        waits = (event.about or "an answer") if state == "waiting" else None
        told = f"hook: {event.event}{f' ({event.kind})' if event.kind else ''}"
        yield Sign(at, StateReading(state, at, waits, told))

    def seen(self, agent: str) -> datetime | None:
        """When the last event of an agent came."""
        times = [event.at for event in self._last.values() if event.agent == agent]
        return at_seconds(max(times)) if times else None


def _state(event: HookEvent) -> State | None:
    if event.event == "Notification":
        kind = event.kind.lower()
        if any(word in kind for word in _ASKING) or (not kind and "permission" in event.about.lower()):
            return "waiting"
        return "idle" if "idle" in kind else None
    return _STATES.get(event.event)

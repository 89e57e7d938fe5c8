"""How full the context window of a session is, and where its size is known from."""

from functools import lru_cache

from cockpit.agents.claude import ClaudeSession
from cockpit.agents.models import ContextUse
from cockpit.agents.status_line import told_window
from cockpit.agents.told_session import ToldSession
from skills.orchestrator.context import context_level, context_window, needs_lookup


def read_context(transcript: ClaudeSession | ToldSession) -> ContextUse | None:
    """How full the context window of a session is, None where no request says it."""
    if transcript.used is None:
        return None
    model = transcript.model
    known = model_window(model) if model and needs_lookup(model, transcript.largest) else None
    window, source = context_window(model, transcript.largest, known)
    told = told_window(transcript.session) if transcript.agent == "claude" else None
    if told:
        window, source = told, "what the agent told its status line"
    elif transcript.window:
        window, source = transcript.window, "what the agent says"
    used = transcript.used
    return ContextUse(used, window, used * 100 / window, context_level(used, window), source)


@lru_cache(maxsize=256)
def model_window(model: str) -> int | None:
    """The context window that the price table knows for a model."""
    from cockpit.spend.usual_rates import window_of

    return window_of(model)


def thousands(tokens: int) -> str:
    """A size in a few characters, e.g. `200K`."""
    return f"{tokens // 1_000_000}M" if tokens % 1_000_000 == 0 else f"{tokens // 1000}K"

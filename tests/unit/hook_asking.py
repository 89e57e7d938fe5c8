"""An agent that calls `cockpit-hook`, for tests."""

import io
import json
import sys
from typing import Any

from cockpit.hooks import answer


def ask(event: str, *words: str, raw: bytes | None = None, **said: object) -> tuple[dict[str, Any], str]:
    """The answer as JSON ({} where nothing was said), and what was said on stderr."""
    out, err = io.StringIO(), io.StringIO()
    document = {"session_id": "s1", "hook_event_name": event, **said}
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = out, err
    try:
        assert answer.main([event, *words], json.dumps(document).encode() if raw is None else raw) == 0
    finally:
        sys.stdout, sys.stderr = before
    return (json.loads(out.getvalue()) if out.getvalue() else {}), err.getvalue()


def reason(answered: tuple[dict[str, Any], str]) -> str:
    said, err = answered
    assert err == ""
    if not said:
        return ""
    assert said["hookSpecificOutput"]["permissionDecision"] == "deny"
    return str(said["hookSpecificOutput"]["permissionDecisionReason"])

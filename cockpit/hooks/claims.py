"""Whether the last words of a turn claim that a check passes which has not run since the last edit."""

import time
from dataclasses import replace
from pathlib import Path

from cockpit.agents.claude import EventParser
from cockpit.agents.models import Agent
from cockpit.files import Tail
from cockpit.plain_text import plain_text
from skills.orchestrator.claims import HELD_BACK, Claim, find_claims
from skills.orchestrator.events import Event, Text
from skills.orchestrator.habit_models import SessionRecord
from skills.orchestrator.habits import session_habits

TRIES = 5
WAIT_SECONDS = 0.1  # a transcript is written behind the agent's back: its last lines may come a moment later


def unbacked(
    transcript: str | None, said: str | None, agent: Agent = "claude", session: str = "", root: str = ""
) -> str:
    """Why the claims of the last message are not backed, "" where they are or where that cannot be known.

    Without the path of a transcript the agent's own files are looked at for `session`. `root` is the project's folder.
    """
    if said is not None and not find_claims(said):
        return ""
    tries = range(TRIES)
    for attempt in tries:
        events = told_events(transcript, agent, session)
        if events is None:
            return ""
        why = _why(events, find_claims(said) if said is not None else None, root)
        if not why or attempt == tries[-1]:
            return why
        time.sleep(WAIT_SECONDS)
    return ""


def _why(events: list[tuple[int, Event]], claims: tuple[Claim, ...] | None, root: str) -> str:
    last = next((at for at in reversed(range(len(events))) if isinstance(events[at][1], Text)), None)
    kept: list[tuple[int, Event]] = []
    for at, (line, event) in enumerate(events):
        if isinstance(event, Text) and (claims is not None or at != last):
            event = replace(event, claims=())  # only the last words count: earlier ones may have been mended
        kept.append((line, event))
    if claims is not None:
        kept.append(((events[-1][0] if events else 0) + 1, Text(None, claims)))
    look = session_habits(SessionRecord("", tuple(kept), root=root))["unbacked-claim"]
    if not look.violations:
        return ""
    told = "; ".join(dict.fromkeys(plain_text(one.text, 240) for one in look.violations))
    return f"{HELD_BACK} {told}. Run the check and report what it says, or take the claim back."


def told_events(transcript: str | None, agent: Agent, session: str) -> list[tuple[int, Event]] | None:
    """Everything that the transcript tells, None where there is none that can be read."""
    if agent == "claude":
        return _claude_events(Path(transcript)) if transcript else None
    from cockpit.agents.transcript_files import file_at, files_of
    from cockpit.agents.whole_transcript import read_told

    try:
        named = file_at(agent, Path(transcript), session) if transcript else None
        file = named or next(iter(files_of(agent, session)), None)
        found = read_told(file) if file is not None else None
    except OSError:
        return None
    return found.events if found is not None else None


def _claude_events(path: Path) -> list[tuple[int, Event]] | None:
    parser, tail = EventParser(), Tail(path, counting=False)
    found: list[tuple[int, Event]] = []
    line = 0
    try:
        for block in tail.blocks():
            for raw in block.split(b"\n")[:-1]:
                line += 1
                found += [(line, event) for event in parser.events(raw)]
    except OSError:
        return None
    return found

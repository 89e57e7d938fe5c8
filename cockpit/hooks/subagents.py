"""How many sub-agents of a session run, where the person chose how many may."""

from typing import TYPE_CHECKING

from cockpit.config import Config
from cockpit.files import read_regular
from cockpit.hooks import spool
from cockpit.hooks.asked import Asked
from cockpit.hooks.memory import moment, remembered

if TYPE_CHECKING:
    from cockpit.hooks.memory import Memory

STARTING_SECONDS = 10.0  # within which Codex CLI has made the file of one that was let start
WAKING = ("followup_task", "send_input")  # what gives one that has ended another turn
COUNTED_SECONDS = 3600.0  # a sub-agent whose end nobody told is not counted for longer


def too_many(asked: Asked, config: Config) -> str:
    """Why one more may not start, "" where it may; it is counted then."""
    most = config.hooks.max_subagents
    if most is None or not asked.session:
        return ""
    with remembered(asked.session) as memory:
        running = _of_codex(memory, asked) if asked.agent == "codex" else _running(memory, asked, most)
        if running >= most:
            memory.refused = [*memory.refused[-200:], moment()]
            return f"{running} sub-agents run already; at most {most} at a time are allowed here. Wait for one to end."
        if asked.tool not in WAKING:
            memory.delegated = [*memory.delegated[-200:], moment()]
    return ""


def _of_codex(memory: "Memory", asked: Asked) -> int:
    """How many others run by their own files, with those that were just let start."""
    from cockpit.agents.codex_subagents import codex_subagents

    found = codex_subagents(asked.session)
    if asked.tool in WAKING:
        target = asked.given.get("target")
        if not isinstance(target, str) or any(one.running and one.is_called(target) for one in found):
            return 0  # it has its turn already: none more by this call
    starting = [at for at in memory.delegated if at > moment() - STARTING_SECONDS]
    came = sum(one.born >= min(starting) for one in found) if starting else 0
    return sum(one.running for one in found) + max(0, len(starting) - came)


def _running(memory: "Memory", asked: "Asked", most: int) -> int:
    """How many were let start and have not ended: the events tell of ends while cockpit is on, but not of a call that
    failed, the transcript not of those that go on in the background. It may be long, and is read last."""
    since = moment() - COUNTED_SECONDS
    started = sorted(at for at in memory.delegated if at >= since)
    left = len(started)
    if left >= most and spool.spool_folder().is_dir():
        left = _open(started, _told_ends(asked.session, since))
    return left if left < most else min(left, _open(started, _written_ends(asked, since, memory.refused)))


def _open(started: list[float], ended: list[float]) -> int:
    left = list(started)
    for at in sorted(ended):
        begun = next((one for one in left if one <= at), None)
        if begun is not None:
            left.remove(begun)
    return len(left)


def _written_ends(asked: Asked, since: float, refused: list[float]) -> list[float]:
    """When sub-agents of a session answered, or could not start, from its transcript, without those refused here."""
    from cockpit.hooks.claims import told_events
    from skills.orchestrator.events import Step, ToolResult
    from skills.orchestrator.tools import role

    transcript = asked.said.get("transcript_path")
    path = transcript if isinstance(transcript, str) else None
    launched: set[str] = set()
    found: list[float] = []
    failed: list[float] = []
    for _, event in told_events(path, asked.agent, asked.session) or ():
        if isinstance(event, Step):
            launched.update(call.id for call in event.tools if role(call) == "agent")
        elif isinstance(event, ToolResult) and event.tool_use_id in launched and event.at is not None:
            goes_on = event.delegation is not None and event.delegation.seconds is None
            if not goes_on and event.at.timestamp() >= since:
                (failed if event.failed else found).append(event.at.timestamp())
    for at in refused:
        answer = next((one for one in failed if one >= at), None)
        if answer is not None:
            failed.remove(answer)
    return found + failed


def _told_ends(session: str, since: float) -> list[float]:
    from cockpit.hooks.drain import drain, log_events, log_path

    found: list[float] = []
    try:
        drain()
        raw = read_regular(log_path())
    except OSError:
        return []
    for event in log_events([raw]):
        if event.session == session and event.event == "SubagentStop" and event.at >= since:
            found.append(event.at)
    return found

"""Which agents run here, and in which folder each was started; Linux tells it in `/proc`."""

import os
import re
from pathlib import Path

from cockpit.agents.models import Agent
from skills.record import record

_PROC = Path("/proc")
_PROGRAMS: dict[str, Agent] = {"codex": "codex", "gemini": "gemini", "opencode": "opencode", "claude": "claude"}
_SCRIPT = re.compile(r"/(?:@openai/)?(codex|gemini(?:-cli)?|opencode)(?:/|\.js|$)")
_RUNTIMES = re.compile(r"(?:node|bun|deno|MainThread)$")


@record
class Running:
    """A process of an agent."""

    agent: Agent
    pid: int
    cwd: str


def running_agents() -> tuple[Running, ...] | None:
    """The processes of agents that this person may look at; None where the system does not tell."""
    try:
        names = [entry.name for entry in os.scandir(_PROC) if entry.name.isdigit()]
    except OSError:
        return None
    found: list[Running] = []
    for name in names:
        try:
            words = (_PROC / name / "cmdline").read_bytes()[:4096].split(b"\0")
            agent = _agent_of([word.decode("utf-8", "replace") for word in words[:3]])
            if agent is not None:
                found.append(Running(agent, int(name), str((_PROC / name / "cwd").readlink())))
        except OSError:
            continue
    return tuple(found)


def _agent_of(words: list[str]) -> Agent | None:
    program = words[0].rpartition("/")[2] if words else ""
    if program in _PROGRAMS:
        return _PROGRAMS[program]
    if _RUNTIMES.search(program) and len(words) > 1:
        script = _SCRIPT.search(words[1]) or _SCRIPT.search(words[2] if words[1].startswith("-") else "")
        return _PROGRAMS[script[1].removesuffix("-cli")] if script else None
    return None

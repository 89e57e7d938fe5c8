"""A transcript as the viewer shows it."""

from datetime import datetime
from typing import Literal

from cockpit.agents.models import Agent
from skills.orchestrator.tools import Role
from skills.record import record

ItemKind = Literal["prompt", "text", "thought", "call", "compaction", "end", "agent", "unread"]
Group = Literal["", "first", "middle", "last"]
Status = Literal["", "running", "ok", "failed"]


@record
class Place:
    """Where something stands: the line of its file (from 1), and the bytes of that line (0 where unknown)."""

    line: int
    offset: int = 0
    size: int = 0


@record
class Item:
    """One line of the viewer. `source` is the file (0: the session's own), `place` where it stands in it.

    `tokens` and `usd` are those of the whole step and stand at its first item; `floor`: the usage never became
    final. `seconds` are from a call to its answer, `result` is the beginning of that.
    """

    kind: ItemKind
    source: int
    place: Place
    at: datetime | None
    text: str
    step: str = ""
    name: str = ""
    role: Role = "other"
    group: Group = ""
    status: Status = ""
    seconds: float | None = None
    result: str = ""
    result_place: Place | None = None
    tokens: int | None = None
    usd: float | None = None
    floor: bool = False
    id: str = ""
    child: str = ""
    model: str = ""

    @property
    def depth(self) -> int:
        """Sub-agents stand one step to the right."""
        return 1 if self.source else 0


@record
class Transcript:
    """What was read so far. `items` may grow while it is shown; `done` says that its end was reached.

    `unread` lines could not be read, `unknown` ones are of a kind that is not known.
    """

    agent: Agent
    session: str
    items: list[Item]
    done: bool = False
    share: float = 0.0
    tokens: int = 0
    usd: float = 0.0
    prompts: int = 0
    steps: int = 0
    calls: int = 0
    unpriced: bool = False
    floor: bool = False
    unread: int = 0
    unknown: int = 0
    problem: str = ""

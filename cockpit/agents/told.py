"""What a transcript of any agent tells, one thing at a time.

The viewer, blame and the sessions of the other agents read these; texts are raw: `plain_text` comes before a screen.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Any, Literal

from cockpit.agents.lenient import document
from cockpit.agents.record import Record
from skills.record import record

Kind = Literal["prompt", "text", "thought", "call", "result", "usage", "compaction", "end", "place"]


@record
class Told:
    """One thing. `step` is the response that it belongs to, `id` the call (of a call and of its result).

    `name` is the agent's own name of a tool, `common` and `given` the common ones. `text` is what was said, what a
    result holds, why a turn ended (`end_turn`, `interrupted`, `error`), or the folder (`place`). `before` and `after`
    are tokens of a compaction, `window` those that the context window holds, where the agent says it. `child` is the
    sub-agent that a result names. `final`: the usage is complete.
    """

    kind: Kind
    at: datetime | None = None
    text: str = ""
    step: str = ""
    id: str = ""
    name: str = ""
    common: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)
    failed: bool = False
    record: Record | None = None
    final: bool = True
    child: str = ""
    before: int | None = None
    after: int | None = None
    branch: str = ""
    model: str = ""
    uuid: str = ""
    window: int | None = None


class Telling:
    """What reads one file of a session. `unknown` counts what is of a kind that is not known, `unread` what is no JSON
    object.
    """

    unknown = 0
    unread = 0


class LineTelling(Telling, ABC):
    """Lines → what they tell."""

    def told(self, line: bytes) -> list[Told]:
        """What one complete line tells."""
        if not line.strip():
            return []
        value = document(line)
        if value is None:
            self.unread += 1
            return []
        return self._tell(value, line)

    @abstractmethod
    def _tell(self, value: dict[str, Any], line: bytes) -> list[Told]:
        """What an object tells; `line` is the text that it was read from."""

"""What happens in an agent session, as typed values: every reader of a transcript speaks in these.

`at` is None where the transcript gives no time. Texts are already safe to show.
"""

from datetime import datetime

from skills.orchestrator.claims import Claim
from skills.record import record


@record
class Prompt:
    """A person asked for something: a task starts here."""

    at: datetime | None
    text: str


@record
class Command:
    """A slash command or skill that the person called by name, without its slash."""

    at: datetime | None
    name: str


@record
class Thought:
    """The agent reasoned."""

    at: datetime | None


@record
class Text:
    """The agent said something. `claims` are what it said to pass."""

    at: datetime | None
    claims: tuple[Claim, ...] = ()


@record
class ToolCall:
    """One tool call. `target` is its main argument in one line, `command` the whole line of a shell call.

    `chained` is True where its input names something that only a result of the same run of reads told, or
    where that cannot be ruled out: such a call could not have been made earlier.
    """

    id: str
    name: str
    target: str
    command: str = ""
    background: bool = False
    chained: bool = False


@record
class Step:
    """Tool calls of one response. Steps of the same `message_id` are one step: its calls ran in parallel."""

    at: datetime | None
    message_id: str
    tools: tuple[ToolCall, ...]


@record
class Delegation:
    """What a sub-agent says that it took; None where it does not say (it goes on in the background)."""

    agent: str
    seconds: float | None = None
    tools: int | None = None
    tokens: int | None = None


@record
class ToolResult:
    """The answer to a tool call. `size` is in characters; `delegation` where a sub-agent answered."""

    tool_use_id: str
    at: datetime | None
    failed: bool
    size: int
    delegation: Delegation | None = None


@record
class Compaction:
    """The context was compacted to `post` tokens, None where it is not said."""

    at: datetime | None
    post: int | None


@record
class TurnEnd:
    """The agent stopped: `end_turn`, `interrupted`, `error` or whatever reason the transcript names."""

    at: datetime | None
    stop_reason: str


@record
class SessionExit:
    """The agent's program was left (it may be resumed later)."""

    at: datetime | None


@record
class ContextPoint:
    """Tokens in the context window of one request (input, cache writes and cache reads)."""

    at: datetime | None
    used: int
    model: str | None
    message_id: str = ""


Event = Prompt | Command | Thought | Text | Step | ToolResult | Compaction | TurnEnd | SessionExit | ContextPoint

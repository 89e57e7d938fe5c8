"""Tool calls with what came of them, by response, and runs of reads that could have gone side by side."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from skills.orchestrator.events import ToolCall, ToolResult
from skills.orchestrator.tools import Role
from skills.record import record

LEAST_RUN = 3


@dataclass(slots=True)
class ToolUse:
    """One tool call with its answer. `order` counts the calls from 0, `prompt` the prompts up to it from 1, `line` is
    that of the transcript which tells it; both are 0 where nobody asked for them."""

    call: ToolCall
    role: Role
    message_id: str
    at: datetime | None
    order: int
    line: int = 0
    prompt: int = 0
    result: ToolResult | None = None

    @property
    def seconds(self) -> float | None:
        """From the call to its answer, None where a time is missing."""
        if self.result is None or self.result.at is None or self.at is None:
            return None
        return max(0.0, (self.result.at - self.at).total_seconds())

    @property
    def changes(self) -> bool:
        """Whether it changed files: an edit that failed or was refused did not, a shell line may have all the same."""
        refused = self.result is not None and self.result.failed and self.call.name != "Bash"
        return self.role == "change" and not refused


@record
class SerialRun:
    """Three or more reads in a row, none of which needed what another one found."""

    uses: tuple[ToolUse, ...]

    @property
    def wasted(self) -> float | None:
        """The seconds that side by side would have saved, None where times are missing."""
        known = [seconds for use in self.uses if (seconds := use.seconds) is not None]
        return sum(known) - max(known) if len(known) == len(self.uses) else None


def steps_of(uses: Iterable[ToolUse]) -> list[list[ToolUse]]:
    """The calls by response: what stands in one list ran in parallel."""
    grouped: dict[str, list[ToolUse]] = {}
    for use in uses:
        grouped.setdefault(use.message_id, []).append(use)
    return list(grouped.values())


def serial_runs(uses: Iterable[ToolUse]) -> Iterator[SerialRun]:
    """The runs of three or more responses with one read each, for one prompt."""
    held: list[ToolUse] = []
    for step in [*steps_of(uses), []]:
        single = len(step) == 1 and step[0].role == "read" and step[0].result is not None
        if single and (not held or (not step[0].call.chained and step[0].prompt == held[0].prompt)):
            held.append(step[0])
            continue
        if len(held) >= LEAST_RUN:
            yield SerialRun(tuple(held))
        held = [step[0]] if single else []

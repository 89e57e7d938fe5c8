"""The six phases of a task and their auto-checks (performance orchestrator, phases)."""

from typing import Literal

from skills.record import record

PhaseStatus = Literal["done", "current", "skipped", "pending"]

PHASE_NAMES = (
    "Pre-Analysis",
    "Request Analysis",
    "Workflow Planning",
    "Skill Coordination",
    "Tool Optimization",
    "Quality Assurance",
)


@record
class Check:
    """One auto-check of a phase: it holds, it does not, or None: it cannot be known (`[x] [ ] [?]`)."""

    text: str
    holds: bool | None
    evidence: str = ""


@record
class Phase:
    """One of the six phases of a task and what proves it. `brief` is what fits behind its name, such as `72 light`."""

    number: int
    name: str
    status: PhaseStatus
    evidence: str = ""
    checks: tuple[Check, ...] = ()
    brief: str = ""

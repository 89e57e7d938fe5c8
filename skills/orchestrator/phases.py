"""From the events of a task to the six phases (performance orchestrator, phases read from a transcript).

An event lights the phase that it proves; the current phase is that of the newest event. A phase that can no
longer be proved in this task is skipped, never done.
"""

from collections.abc import Iterable

from skills.counted import counted
from skills.orchestrator.checks import ContextReading, phase_checks
from skills.orchestrator.events import Event
from skills.orchestrator.model import PHASE_NAMES, Phase, PhaseStatus
from skills.orchestrator.planning import Plan, plan_prompt
from skills.orchestrator.summary import summarize, tested
from skills.orchestrator.task import TaskFacts, gather_facts
from skills.record import record


@record
class TaskReading:
    """The six phases of a task, the number of the current one and one line on how it went."""

    phases: tuple[Phase, ...]
    current: int
    summary: str
    facts: TaskFacts
    plan: Plan | None


def read_phases(
    events: Iterable[Event],
    *,
    model: str | None = None,
    context: ContextReading | None = None,
    plan: Plan | None = None,
) -> TaskReading:
    """Read the task that the last prompt among `events` started.

    `plan` is what `plan_prompt` said of that prompt, where the caller keeps it; without it it is computed.
    """
    facts = gather_facts(events)
    if plan is None and facts.prompt is not None:
        plan = plan_prompt(facts.prompt)
    statuses = _statuses(facts, plan)
    checks = phase_checks(facts, plan, model, context)
    phases = tuple(
        Phase(
            number,
            name,
            statuses[number],
            _evidence(number, statuses[number], facts, plan),
            checks[number],
            _brief(number, plan),
        )
        for number, name in enumerate(PHASE_NAMES)
    )
    current = next((phase.number for phase in phases if phase.status == "current"), 0)
    return TaskReading(phases, current, summarize(facts), facts, plan)


def _statuses(facts: TaskFacts, plan: Plan | None) -> list[PhaseStatus]:
    return [_status(number, facts, plan) for number in range(len(PHASE_NAMES))]


def _status(number: int, facts: TaskFacts, plan: Plan | None) -> PhaseStatus:
    skips_analysis = plan is not None and plan.score.band == "skip"
    if number == 1 and skips_analysis:
        return "skipped"
    if number == (0 if facts.current == 1 and skips_analysis else facts.current):
        return "current"
    if number in facts.lit:
        return "done"
    return "skipped" if _passed_over(number, facts, plan) else "pending"


def _passed_over(number: int, facts: TaskFacts, plan: Plan | None) -> bool:
    """Whether a phase that was not lit is not needed, or can no longer be lit in this task."""
    if facts.current is None:
        return False
    if facts.turn_end is not None:
        return True
    if number == 1:
        return bool(facts.made)
    if number == 2:
        return facts.first_change is not None
    return number == 3 and plan is not None and not plan.skills


def _brief(number: int, plan: Plan | None) -> str:
    """What was computed of the prompt, in a word or two."""
    if plan is None or number not in (1, 2):
        return ""
    return f"{plan.score.score} {plan.score.band}" if number == 1 else f"{plan.complexity}·{plan.thinking_tokens}"


def _evidence(number: int, status: PhaseStatus, facts: TaskFacts, plan: Plan | None) -> str:
    seen = facts.lit.get(number, "")
    if number <= 2:
        return _planned(number, status, seen, facts, plan)
    if number == 3:
        return _coordinated(status, facts, plan)
    if number == 4:
        steps = len(facts.steps)
        return counted(steps, "step") if steps else ""
    if facts.first_change is None:
        return "nothing was changed" if facts.made or facts.turn_end else ""
    return tested(facts)


def _planned(number: int, status: PhaseStatus, seen: str, facts: TaskFacts, plan: Plan | None) -> str:
    if plan is None:
        return ""
    if number == 0:
        keyword = f" ({plan.risk.leading})" if plan.risk.leading else ""
        return f"{plan.score.score} {plan.score.band} · risk {plan.risk.level}{keyword} · {plan.task}"
    if number == 1:
        scored = f"{plan.score.score} {plan.score.band}"
        if status == "skipped":
            return f"{scored} · not needed" if plan.score.band == "skip" else f"{scored} · started without a word"
        return f"{scored} · {seen}" if seen else scored
    estimate = f"{plan.complexity} · {plan.tier}·{plan.thinking_tokens}"
    if seen:
        return f"{estimate} · {seen}"
    return f"{estimate} · no plan before the first change" if facts.first_change is not None else estimate


def _coordinated(status: PhaseStatus, facts: TaskFacts, plan: Plan | None) -> str:
    if facts.loaded:
        return ", ".join(dict.fromkeys(facts.loaded))
    wanted = ", ".join(skill.name for skill in plan.skills) if plan else ""
    if wanted:
        return f"called for: {wanted}" + (" · none loaded" if status == "skipped" else "")
    return "no skill called for" if plan else ""

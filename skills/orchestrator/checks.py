"""The 19 auto-checks of the six phases, held against the transcript (performance orchestrator)."""

from skills.orchestrator.context import ContextLevel
from skills.orchestrator.model import Check
from skills.orchestrator.planning import Plan, tier_of_model
from skills.orchestrator.shell import CheckKind
from skills.orchestrator.summary import reads_in_a_row, reads_in_parallel
from skills.orchestrator.task import CheckRun, TaskFacts
from skills.orchestrator.tool_use import ToolUse
from skills.record import record
from skills.spending.amount import percent

LONG_DELEGATION = 300.0


@record
class ContextReading:
    """How full the context window is, e.g. `78 % of 200K`."""

    level: ContextLevel
    words: str


def phase_checks(
    facts: TaskFacts, plan: Plan | None, model: str | None, context: ContextReading | None
) -> tuple[tuple[Check, ...], ...]:
    """The auto-checks of phases 0 to 5 (3, 3, 4, 3, 3 and 3 of them)."""
    return (
        _pre_analysis(plan),
        _request_analysis(facts, plan),
        _workflow_planning(plan, model),
        _skill_coordination(facts, plan),
        _tool_optimization(facts, context),
        _quality_assurance(facts),
    )


def _pre_analysis(plan: Plan | None) -> tuple[Check, ...]:
    known = True if plan else None
    risk = ""
    if plan:
        words = ", ".join(found.keyword for found in plan.risk.keywords)
        risk = f"{plan.risk.level}: {words}" if words else "NONE: no keyword"
    return (
        Check("the prompt has a score", known, f"{plan.score.score} of 100" if plan else "no prompt was seen"),
        Check("risk keywords were looked for", known, risk),
        Check(
            "complexity and risk give a model tier",
            known,
            f"{plan.tier}, {plan.thinking_tokens} thinking tokens" if plan else "",
        ),
    )


def _request_analysis(facts: TaskFacts, plan: Plan | None) -> tuple[Check, ...]:
    if plan is None:
        return (
            Check("the score counts the project's bonuses", None),
            Check("an unclear request was clarified before the work", None),
            Check("the enhanced prompt scores 20 points more", None),
        )
    return (
        Check("the score counts the project's bonuses", True, f"{plan.score.bonus} of 25"),
        _clarified(facts, plan),
        Check(
            "the enhanced prompt scores 20 points more",
            None,
            "not needed" if plan.score.band == "skip" else "no enhanced prompt was made",
        ),
    )


def _clarified(facts: TaskFacts, plan: Plan) -> Check:
    """Below 40: a question or plan before the first change; below 90: a word before the first tool."""
    text = "an unclear request was clarified before the work"
    band = plan.score.band
    if band == "skip":
        return Check(text, True, f"not needed at {plan.score.score}")
    asked = any(made.role in ("ask", "plan") for made in facts.made[: facts.first_change])
    if band == "enhanced":
        if asked:
            return Check(text, True, "asked or planned first")
        return Check(text, None if facts.first_change is None else False, "no question and no plan so far")
    if facts.spoke_first or asked:
        return Check(text, True, "asked first" if facts.asked_first else "thought or wrote first")
    return Check(text, False if facts.made else None, "no word before the first tool" if facts.made else "")


def _workflow_planning(plan: Plan | None, model: str | None) -> tuple[Check, ...]:
    classified = plan is not None and bool(plan.task_word)
    wanted = [skill.name for skill in plan.skills] if plan else []
    named = f"called for: {', '.join(wanted)}" if wanted else "nothing called for"
    return (
        Check(
            "the task has a class",
            True if classified else None,
            f"{plan.task} ({plan.task_word})" if plan and classified else "no word of the prompt tells",
        ),
        Check(
            "complexity is estimated, with a confidence",
            True if plan else None,
            f"{plan.complexity} ({plan.complexity_why}), {percent(plan.confidence)}" if plan else "",
        ),
        _model_fit(plan, model),
        Check("skills, agents and commands are named", True if plan else None, named if plan else ""),
    )


def _model_fit(plan: Plan | None, model: str | None) -> Check:
    text = "the model fits complexity and risk"
    tier = tier_of_model(model)
    if plan is None or tier is None:
        return Check(text, None, f"{model} is in no known tier" if model else "no model was seen")
    if tier == plan.tier:
        return Check(text, True, f"{model} is {tier}")
    return Check(text, False, f"{model} is {tier}, {plan.tier} fits")


def _skill_coordination(facts: TaskFacts, plan: Plan | None) -> tuple[Check, ...]:
    critical = [skill.name for skill in plan.skills if skill.priority == "P0"] if plan else []
    others = [skill.name for skill in plan.skills if skill.priority != "P0"] if plan else []
    loaded = " ".join(facts.loaded)
    absent = [name for name in critical if name not in loaded]
    return (
        Check(
            "P0 skills that the prompt calls for are loaded",
            None if plan is None else not absent,
            f"not loaded: {', '.join(absent)}" if absent else ", ".join(critical) or "none called for",
        ),
        Check(
            "P1 to P3 skills are suggested",
            True if plan else None,
            ", ".join(others) or "none called for",
        ),
        _delegation(facts),
    )


def _delegation(facts: TaskFacts) -> Check:
    """A sub-agent pays from five minutes on, or beside at least one other."""
    text = "work given to sub-agents is worth it"
    groups = [[made for made in step if made.role == "agent"] for step in facts.steps]
    alone = [group[0] for group in groups if len(group) == 1]
    launched = sum(len(group) for group in groups)
    if not launched:
        return Check(text, True, "nothing delegated")
    short = [made for made in alone if _short(made)]
    if short:
        return Check(text, False, f"{len(short)} of {launched} alone and under 5 min")
    if any(made.seconds is None or made.call.background for made in alone):
        return Check(text, None, f"{launched} launched, not all have ended")
    return Check(text, True, f"{launched} launched, in parallel or 5 min and longer")


def _short(made: ToolUse) -> bool:
    return made.seconds is not None and not made.call.background and made.seconds < LONG_DELEGATION


def _tool_optimization(facts: TaskFacts, context: ContextReading | None) -> tuple[Check, ...]:
    serial, parallel = reads_in_a_row(facts), reads_in_parallel(facts)
    together = f"{parallel} reads in parallel" if parallel else "no independent reads in a row"
    return (
        _docs_first(facts),
        Check(
            "independent reads run in parallel",
            None if not facts.made else not serial,
            serial or (together if facts.made else "no tool used yet"),
        ),
        Check(
            "the context window is watched",
            None if context is None else context.level in ("safe", "warn") or facts.compacted,
            context.words if context else "its use is not known",
        ),
    )


def _docs_first(facts: TaskFacts) -> Check:
    text = "documentation servers come before the web"
    web = next((made.order for made in facts.made if made.call.name == "WebSearch"), None)
    if web is None:
        return Check(text, True if facts.made else None, "no web search")
    server = facts.docs_server
    if server is None:
        return Check(text, None, "web search; no documentation server was seen in this task")
    return Check(text, server < web, "server first" if server < web else "web search first")


def _quality_assurance(facts: TaskFacts) -> tuple[Check, ...]:
    return (
        _gate(facts, "P0 gates were checked after the last edit", ("gate",)),
        _gate(facts, "tests and types were checked after the last edit", ("test", "types")),
        _gate(facts, "style was checked after the last edit", ("lint", "gate")),
    )


def _gate(facts: TaskFacts, text: str, kinds: tuple[CheckKind, ...]) -> Check:
    if facts.last_change is None:
        return Check(text, None, "nothing changed yet")
    runs = [run for run in facts.checks_since_change() if run.kind in kinds]
    if not runs:
        return Check(text, None, "not run since the last edit")
    latest: dict[str, CheckRun] = {run.command: run for run in runs}
    if failed := next((run for run in latest.values() if run.passed is False), None):
        return Check(text, False, f"failed: {_short_command(failed)}")
    if unknown := next((run for run in latest.values() if run.passed is None), None):
        state = "its status was not kept" if unknown.finished else "running"
        return Check(text, None, f"{_short_command(unknown)}: {state}")
    return Check(text, True, ", ".join(_short_command(run) for run in latest.values()))


def _short_command(run: CheckRun) -> str:
    line = " ".join(run.command.split())
    return line if len(line) <= 40 else line[:39] + "…"

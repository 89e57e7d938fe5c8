"""The few lines that hooks add to a prompt or to the start of a session: at most 500 tokens, counted."""

from cockpit.config import Config
from cockpit.plain_text import plain_text
from cockpit.repository import Repository

MOST_TOKENS = 500
_BYTES_A_TOKEN = 3  # English has about four: the count errs on the side of too many


def tokens(context: str) -> int:
    """Tokens of a text, estimated: one for three bytes."""
    return -(-len(context.encode("utf-8", "replace")) // _BYTES_A_TOKEN)


def within(lines: list[str], most: int = MOST_TOKENS) -> str:
    """The first lines that together stay within `most` tokens."""
    kept: list[str] = []
    for line in lines:
        if tokens("\n".join([*kept, line])) > most:
            break
        kept.append(line)
    return "\n".join(kept)


def prompt_hints(prompt: str, told: str = "") -> str:
    """Risk, skills and missing parts of a prompt, one line each, and what there is to tell besides."""
    from skills.orchestrator.planning import plan_prompt

    if not prompt.strip() or prompt.lstrip().startswith("/"):
        return within(told.splitlines())
    plan = plan_prompt(plain_text(prompt, 20_000, multiline=True))
    lines = []
    if plan.risk.level != "NONE":
        words = ", ".join(dict.fromkeys(plain_text(found.keyword, 40) for found in plan.risk.keywords))
        lines.append(f"cockpit risk: {plan.risk.level} ({words}): the gates for this are checked on every edit")
    if plan.skills:
        lines.append("cockpit skills: " + ", ".join(f"{skill.name} ({skill.priority})" for skill in plan.skills[:6]))
    if plan.score.missing and plan.score.band != "skip":
        lines.append("cockpit missing in the prompt: " + ", ".join(plan.score.missing[:6]))
    return within([plain_text(line, 600) for line in lines] + told.splitlines())


def day_digest(repository: Repository, config: Config) -> str:
    """The start-day report, as much of it as fits."""
    from cockpit.day.start import start_day
    from skills.workflow.day_text import start_text

    report = start_day(repository, config, write=False).report
    lines = [plain_text(line, 300) for line in start_text(report).splitlines()]
    return within([line for line in lines if line.strip()])

"""`cockpit analyze`: how complete and risky a prompt is, what it calls for, and the prompt with its gaps filled."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from cockpit.call import Call, print_json
from cockpit.errors import CannotAnswer
from skills.counted import counted

if TYPE_CHECKING:
    from skills.orchestrator.analysis import Analysis
    from skills.orchestrator.enhance import ProjectFacts

EXAMPLES = """examples:
  cockpit analyze "fix the user thing"           score, risk, plan and the enhanced prompt
  cockpit analyze --json "Add an endpoint"       with the points of each part
  cockpit analyze - < prompt.md                  from a file
"""

LONGEST = 200_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("prompt", nargs="?", metavar="PROMPT", help="the prompt; - or nothing: read it from stdin")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(call: Call) -> int:
    """Print the analysis. Exit code 0; raises `CannotAnswer` where there is no prompt."""
    from skills.orchestrator.analysis import analyze_prompt

    text = read_words(call.args.prompt, "a prompt")
    analysis = analyze_prompt(text, _project(call))
    if call.args.json:
        print_json(document(analysis))
    else:
        print("\n".join(_lines(analysis)))
    return 0


def read_words(given: str | None, what: str) -> str:
    """The text of an argument, or of stdin for `-` and nothing. Raises `CannotAnswer` where it is empty."""
    from cockpit.plain_text import plain_text

    if given is None and sys.stdin.isatty():
        raise CannotAnswer(f"{what} is missing", "give it in quotes, or - to read it from stdin")
    text: str | bytes = sys.stdin.buffer.read(LONGEST * 4) if given in (None, "-") else str(given)
    said = plain_text(text, LONGEST, multiline=True)
    if not said.strip():
        raise CannotAnswer(f"{what} is empty", "give it in quotes, or - to read it from stdin")
    return said


def _project(call: Call) -> "ProjectFacts":
    """What the repository tells; nothing outside of one, unless `--repo` asks for it."""
    from cockpit.phases.vocabulary import read_project
    from skills.orchestrator.enhance import ProjectFacts

    try:
        return read_project(call.repository())
    except CannotAnswer:
        if call.args.repo:
            raise
        return ProjectFacts()


def document(analysis: "Analysis") -> dict[str, Any]:
    """The analysis as one JSON object."""
    plan = analysis.plan
    return {
        "score": plan.score.score,
        "raw": plan.score.raw,
        "band": plan.score.band,
        "breakdown": [
            {
                "item": item.item,
                "points": item.points,
                "max": item.most,
                "why": item.why,
                "dimension": item.dimension,
            }
            for item in plan.score.items
        ],
        "missing": list(plan.score.missing),
        "risk": {
            "level": plan.risk.level,
            "keywords": [
                {"keyword": found.keyword, "level": found.level, "offset": found.offset} for found in plan.risk.keywords
            ],
        },
        "task": plan.task,
        "complexity": plan.complexity,
        "model": {"tier": plan.tier, "id": analysis.model, "thinking_tokens": plan.thinking_tokens},
        "skills": [{"name": skill.name, "priority": skill.priority} for skill in plan.skills],
        "agents": list(analysis.agents),
        "commands": list(analysis.commands),
        "pattern": analysis.pattern,
        "enhanced": analysis.enhanced.text,
        "enhanced_score": analysis.enhanced.score,
        "flow": list(plan.flow),
        "confidence": plan.confidence,
        "estimate": {"files": analysis.estimate.files, "minutes": analysis.estimate.minutes},
        "tools": [
            {"need": tool.need, "first": tool.first, "fallback": tool.fallback, "available": tool.available}
            for tool in analysis.tools
        ],
        "questions": list(analysis.enhanced.questions),
        "complexity_why": plan.complexity_why,
        "task_why": plan.task_word,
        "meta": {},
    }


def _lines(analysis: "Analysis") -> list[str]:
    from cockpit.columns import hanging, output_width
    from skills.spending.amount import percent

    plan, score = analysis.plan, analysis.plan.score
    keywords = ", ".join(found.keyword for found in plan.risk.keywords)
    rows = [
        ("score", f"{score.score} of 100, {score.band} ({analysis.pattern})"),
        ("risk", plan.risk.level + (f": {keywords}" if keywords else "")),
        ("task", f"{plan.task}: {', '.join(plan.flow)}"),
        ("plan", f"{plan.complexity} ({plan.complexity_why}), {percent(plan.confidence)} sure"),
        ("estimate", f"{counted(analysis.estimate.files, 'file')}, {analysis.estimate.minutes} min"),
        ("model", f"{plan.tier}: {analysis.model}, {plan.thinking_tokens} thinking tokens"),
        ("skills", ", ".join(f"{skill.name} {skill.priority}" for skill in plan.skills)),
        ("agents", ", ".join(analysis.agents)),
        ("commands", ", ".join(analysis.commands)),
        ("tools", "; ".join(_tool(tool.need, tool.first, tool.fallback, tool.available) for tool in analysis.tools)),
        ("missing", ", ".join(score.missing)),
    ]
    width = output_width()
    lines = [line for name, value in rows if value for line in hanging(f"{name:<9} ", value, width)]
    if analysis.pattern == "none":
        return lines
    return [*lines, "", f"enhanced, {analysis.enhanced.score} of 100:", "", analysis.enhanced.text]


def _tool(need: str, first: str, fallback: str, available: bool | None) -> str:
    state = {True: first, False: f"{fallback} ({first} is not set up)", None: f"{first}, else {fallback}"}[available]
    return f"{need}: {state}"

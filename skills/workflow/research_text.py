"""Research as text: the files that people read, checklists, what to search for (workflow orchestrator, research)."""

from decimal import Decimal

from skills.spending.amount import dollars
from skills.workflow.process import GLYPHS, Gate
from skills.workflow.research import (
    CRITERIA,
    FACTORS,
    Approach,
    Study,
    decision_score,
    is_approved,
    passed,
    projection,
)

MANDATORY = (
    "a technology is taken in that was not used before",
    "a decision about architecture",
    "a choice that costs money",
    "build it or buy it",
)
CHECKLISTS: dict[str, tuple[str, ...]] = {
    "framework": (
        "look through the lists of what exists around it",
        "how alive it is: releases, open issues, who answers",
        "who runs it in production, and what they report",
        "tools and libraries around it",
        "can people who know it be found",
        "how upgrades and leaving it work",
    ),
    "api": (
        "prices now and at ten times the use",
        "limits of rate and volume",
        "latency from where the users are",
        "quality of its libraries, in the languages that are used",
        "its errors, and what may be tried again",
        "how long it keeps what is sent",
    ),
    "infrastructure": (
        "several regions",
        "how far it scales, and at what price",
        "certificates that the law or customers ask for",
        "how it comes back after a disaster",
        "how hard it is to leave",
        "how hard it is to move in",
    ),
}
HIDDEN_COSTS = (
    "learning: days until the team is as fast as before",
    "upkeep: upgrades, patches, somebody who knows it",
    "leaving: what a change away from it would take",
    "running: monitoring, backups, on-call",
)


def queries(term: str, year: int) -> list[str]:
    """What to search for."""
    return [
        f"{term} comparison {year}",
        f"{term} pricing calculator",
        f"{term} vs alternatives",
        f"{term} production experience",
        f"{term} scaling issues",
    ]


def recommendation(study: Study) -> str:
    """GO only with gate 2 passed and a person's approval; otherwise what holds it back."""
    second = study.gates.get("gate2")
    first = study.gates.get("gate1")
    if is_approved(study):
        return "GO"
    if passed(study, "gate2"):
        return "GO by its score, not approved yet"
    if any(gate is not None and gate.status == "fail" for gate in (first, second)):
        return "NO-GO"
    return "open"


def template(study: Study) -> str:
    """RESEARCH.md as it begins: headings for a person to fill, and the blocks that cockpit keeps up to date."""
    return f"""# Research: {study.term}

## Executive summary

**One-liner:**

## Decision factors

1. **Critical:**
2. **Important:**
3. **Nice to have:**

## Risks

- Technical:
- Business:
- What is done about them:

## Implementation estimate

- Time to a proof of concept:
- Time to production:
- People:

## Open questions

1.

## Decision

**Recommended:**
**Why:**
**Next steps:**
"""


def figures(study: Study) -> str:
    """The block of RESEARCH.md that cockpit keeps: recommendation, options, matrix, costs, gates."""
    sure = f"{study.confidence}/10" if study.confidence is not None else "not said"
    lines = ["## Where it stands", "", f"- Begun: {study.begun}", f"- Recommendation: {recommendation(study)}",
             f"- Confidence: {sure}", "", "## Options", ""]  # fmt: skip
    for number, one in enumerate(study.options, 1):
        lines.append(f"{number}. **{one.name}**" + (f": {one.about}" if one.about else ""))
        lines += [f"   - for: {text}" for text in one.pros] + [f"   - against: {text}" for text in one.cons]
    lines += ["", *matrix(study), "", *cost_table(study), "", "## Gates", ""]
    for gate in study.gates.values():
        lines += gate_lines(gate, "- ")
    for made in study.overrides:
        lines.append(f"- {made.gate} overridden by {made.who}, {made.at}: {made.reason}")
    if study.approval and is_approved(study):
        lines.append(f"- approved by {study.approval.who}, {study.approval.at} {study.approval.note}".rstrip())
    return "\n".join(lines)


def gate_lines(gate: Gate, lead: str = "") -> list[str]:
    """A gate and its conditions, failed ones by name."""
    words = {"pass": "pass", "fail": "NO-GO", "not_run": "not run", "not_applicable": "not applicable"}
    lines = [f"{lead}{gate.name}: {words[gate.status]} ({gate.at})"]
    return lines + [f"  {GLYPHS[one.status]} {one.id}: {one.title}: {one.detail}".rstrip(": ") for one in gate.checks]


def matrix(study: Study) -> list[str]:
    """The evaluation matrix as a table; a column lacks its total while a cell is empty."""
    head = ["Criterion", "Weight", *(cell(one.name) for one in study.options)]
    rows = [
        [title, f"{weight} %", *(one.cells.get(name, "") for one in study.options)] for name, title, weight in CRITERIA
    ]
    rows.append(["**Total**", "100 %", *(_total(one) for one in study.options)])
    return ["## Matrix", "", *table(head, rows)]


def cost_table(study: Study) -> list[str]:
    """Computed costs of the options whose use is known."""
    rows = []
    for one in study.options:
        if one.usage:
            costs = projection(one.usage)
            month, year = costs["1x"]
            rows.append([cell(one.name), dollars(month), dollars(year), dollars(costs["10x"][0])])
    if not rows:
        return ["## Costs", "", "Not projected yet."]
    return ["## Costs (computed)", "", *table(["Option", "Monthly", "Yearly", "Monthly at 10x"], rows)]


def findings(study: Study) -> str:
    """FINDINGS.md: the short version for whoever plans the work."""
    score = decision_score(study)
    lines = [
        "## Where it stands",
        "",
        f"- Decision: {recommendation(study)}",
        f"- Score of gate 2: {'not judged' if score is None else format(score.normalize(), 'f')}",
        f"- Confidence: {study.confidence or 'not said'}" + ("/10" if study.confidence else ""),
    ]
    if study.approval and is_approved(study):
        lines.append(f"- Approved by: {study.approval.who}, {study.approval.at}")
    best = max(study.options, key=lambda one: one.total or Decimal(-1), default=None)
    if best is not None and best.total is not None:
        lines.append(f"- First in the matrix: {best.name} ({best.total.normalize():f})")
    lines += ["", f"Details: {study.place}" + (f", {study.adr}" if study.adr else "")]
    return "\n".join(lines)


def findings_template(study: Study) -> str:
    """FINDINGS.md as it begins."""
    return f"# Findings: {study.term}\n\n## Summary\n\n## Dependencies\n\n## Open questions\n\n"


def adr(study: Study, number: int, title: str) -> str:
    """A record of the decision, its status by the gates."""
    third = study.gates.get("gate3")
    status = "Accepted" if is_approved(study) and (third is None or third.status == "pass") else "Proposed"
    options = [f"- {one.name}: {_total(one) or 'not scored'}" for one in study.options]
    weights = [f"- {name} ({weight} %): {study.factors.get(key, '')}" for key, name, weight in FACTORS]
    return "\n".join(
        [
            f"# ADR-{number:03d}: {title}",
            "",
            "## Status",
            "",
            status,
            "",
            "## Context",
            "",
            f"Research on {study.term}, begun {study.begun}; details in {study.place}.",
            "",
            *options,
            "",
            "## Decision",
            "",
            f"{title}. {recommendation(study)}.",
            "",
            *weights,
            "",
            "## Consequences",
            "",
            "- ",
            "",
        ]
    )


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """A Markdown table."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return lines + [f"| {' | '.join(row)} |" for row in rows]


def cell(text: str) -> str:
    """A text that fits into a cell."""
    return " ".join(text.split()).replace("|", "\\|")


def _total(one: Approach) -> str:
    return "" if one.total is None else f"{one.total.normalize():f}"

"""The state of the work in as many tokens as an agent's context can spare, with what was left out listed.

Source: workflow orchestrator, context compression. Tokens are estimated as a quarter of the characters.
"""

from skills.record import record
from skills.workflow.handover import Handover

BUDGET = 2000
SUMMARISED_FROM = 0.7
LEAST = 50


@record
class Compressed:
    """The text, its estimated tokens, and what is not in it, each as a sentence."""

    text: str
    tokens: int
    dropped: tuple[str, ...] = ()


def tokens_of(text: str) -> int:
    """Estimated tokens of a text."""
    return (len(text) + 3) // 4


def compress(handover: Handover, budget: int) -> Compressed:
    """The parts by their weight: whole where they fit; from 0.7 on shortened to what is left, if that is 50 tokens or
    more; else dropped. The whole never exceeds the budget."""
    metrics = handover.metrics
    known = (
        ("commits", metrics.commits),
        ("files changed", metrics.files_changed),
        ("tests added", metrics.tests_added),
    )
    counted = [f"{name}: {value}" for name, value in known if value is not None]
    if metrics.coverage is not None:
        counted.append(f"coverage: {metrics.coverage:g} %")
    rows = [" · ".join(filter(None, (row.task, row.branch, row.status, row.blockers))) for row in handover.in_progress]
    parts = (
        ("Blockers", 1.0, list(handover.blockers)),
        ("In progress", 0.9, rows),
        ("Decisions", 0.8, list(handover.decisions)),
        ("Tomorrow", 0.7, list(handover.tomorrow)),
        ("Completed", 0.5, list(handover.completed)),
        ("Metrics", 0.3, counted),
    )
    kept: list[str] = []
    dropped: list[str] = []
    for title, weight, lines in parts:
        if not lines:
            continue
        left = budget - tokens_of("\n".join(kept) + "\n" if kept else "")
        text = "\n".join([f"{title}:", *(f"- {line}" for line in lines)])
        if tokens_of(text) <= left:
            kept.append(text)
        elif weight >= SUMMARISED_FROM and left >= LEAST:
            fitting, missing = _shortened(title, lines, left)
            kept += [fitting] if fitting else []
            dropped += [f"{title}: {line}" for line in missing]
        else:
            dropped += [f"{title}: {line}" for line in lines]
    whole = "\n".join(kept)
    return Compressed(whole, tokens_of(whole), tuple(dropped))


def _shortened(title: str, lines: list[str], left: int) -> tuple[str, list[str]]:
    """As many of the first entries as fit, and the others."""
    count = len(lines)
    while count:
        more = f"\n- and {len(lines) - count} more" if count < len(lines) else ""
        text = "\n".join([f"{title}:", *(f"- {line}" for line in lines[:count])]) + more
        if tokens_of(text) <= left:
            return text, lines[count:]
        count -= 1
    return "", lines

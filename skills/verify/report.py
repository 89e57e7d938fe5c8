"""The verification report, as text (Python backend orchestrator, verification gate: report)."""

from collections.abc import Iterable, Sequence

from skills.gates.model import GLYPHS
from skills.verify.model import PHASES, Answer, Verification, next_steps, phase_answers, recommendation, worst
from skills.verify.predeploy import Item

NAMES = {"django": "DJANGO", "fastapi": "FASTAPI", "ml": "ML", "foundation": "PYTHON"}


def report_text(verification: Verification, predeploy: Sequence[Item]) -> str:
    """The report: phases with their ticks, guardrails, predeploy list, recommendation, next steps."""
    steps = next_steps(verification)
    first = [f"next: {steps[0]}"] if steps else []
    lines = [f"{NAMES[verification.lane]} VERIFICATION REPORT", *first, ""]
    for number, title in enumerate(PHASES, 1):
        answers = phase_answers(verification, number)
        if answers:
            lines += _part(f"Phase {number}: {title}", answers)
    if own := phase_answers(verification, len(PHASES) + 1):
        lines += _part("Promotion", own)
    if verification.guardrails:
        lines += _part("Guardrails", verification.guardrails)
    if predeploy:
        lines += ["Predeploy list"]
        lines += [f"  {GLYPHS[item.status]} {item.title}" + (f" ({item.by})" if item.by else "") for item in predeploy]
        lines += [""]
    lines += ["RECOMMENDATION", f"  {recommendation(verification)}", ""]
    if steps:
        lines += ["NEXT STEPS", *(f"  {place}. {step}" for place, step in enumerate(steps, 1)), ""]
    return "\n".join(lines)


def _part(title: str, answers: Iterable[Answer]) -> list[str]:
    known = list(answers)
    rows = [f"{GLYPHS[worst(known)]} {title}"]
    for answer in known:
        note = "" if answer.required or answer.status != "fail" else " (shown, does not block)"
        detail = f": {answer.detail}" if answer.detail else ""
        rows.append(f"  {GLYPHS[answer.status]} {answer.title}{detail}{note}")
        rows += [f"      {place}" for place in answer.places[:5]]
        if len(answer.places) > 5:
            rows.append(f"      and {len(answer.places) - 5} more")
    return [*rows, ""]

"""The seven guardrails that all lanes share, from what the gates found (Python backend orchestrator, guardrails)."""

from collections.abc import Iterable

from skills.gates.model import Check
from skills.verify.model import Answer

GUARDRAILS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("G1", "Adapters are thin", ("logic-in-view", "logic-in-serializer", "logic-in-router")),
    (
        "G2",
        "Data is validated at the boundary",
        ("unvalidated-input", "mass-assignment", "untyped-body", "missing-response-model", "serializer-all-fields"),
    ),
    ("G3", "No raw models or secrets in answers", ("orm-in-response", "secret-in-response", "serializer-all-fields")),
    ("G4", "What is not tested is not finished", ("untested-function", "test-without-assertion", "missing-coverage")),
    ("G5", "Production settings are clean", ("insecure-settings", "hardcoded-secret", "drf-open-defaults")),
    ("G6", "Changes of scope are stated", ()),
    ("G7", "One framework a service", ("mixed-frameworks",)),
)
"""(id, title, rules). Guardrail 6 is judged from the change and its message."""
_ONLY_SHOWN = frozenset({"untested-function", "missing-coverage", "serializer-all-fields", "test-without-assertion"})
PHASE = 0


def guardrail_answers(checks: Iterable[Check]) -> list[Answer]:
    """The answers of the guardrails that rules decide."""
    known = {check.rule: check for check in checks}
    answers = []
    for name, title, rules in GUARDRAILS:
        if not rules:
            continue
        asked = [known[rule] for rule in rules if rule in known]
        counts = {check.rule: check.count for check in asked}
        failing = [rule for rule, count in counts.items() if count]
        total = sum(counts.values())
        if failing:
            detail = ", ".join(f"{rule} {counts[rule]}" for rule in failing)
            required = any(rule not in _ONLY_SHOWN for rule in failing)
            answers.append(Answer(PHASE, name, title, "fail", detail, total, required))
        elif any(check.status == "not_run" and check.rule not in _ONLY_SHOWN for check in asked):
            blind = next(check for check in asked if check.status == "not_run" and check.rule not in _ONLY_SHOWN)
            answers.append(Answer(PHASE, name, title, "not_run", f"{blind.rule}: {blind.reason}"))
        elif any(check.status == "pass" for check in asked):
            answers.append(Answer(PHASE, name, title, "pass"))
        else:
            answers.append(Answer(PHASE, name, title, "not_applicable", asked[0].reason or "" if asked else ""))
    return answers

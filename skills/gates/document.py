"""The documentation of a rule, as data."""

from typing import Any

from skills.gates.fixes.registry import FIXES
from skills.gates.registry import RULES
from skills.gates.rule import Example


def document(name: str) -> dict[str, Any]:
    """Name, gate, severity, skill, source ids, what, why, fix, when, whether there is an automatic fix, and one bad and
    one good example.
    KeyError if unknown.

    An example is a list of {"path", "source"}: the files of a small project.
    """
    rule = RULES[name]
    return {
        "name": rule.name,
        "gate": rule.gate,
        "severity": rule.severity,
        "skill": rule.skill,
        "sources": list(rule.sources),
        "catches": rule.catches,
        "why": rule.why,
        "bad": _files(rule.bad[0]),
        "good": _files(rule.good[0]),
        "help": rule.fix,
        "when": rule.when,
        "fixable": name in FIXES,
    }


def _files(example: Example) -> list[dict[str, str]]:
    files = [{"path": path, "source": source} for path, source in example.files.items()]
    others = (("coverage.json", example.coverage), ("openapi.yaml", example.schema))
    return [*files, *({"path": path, "source": source} for path, source in others if source)]

"""Promotion of a model: `promotion.toml` with thresholds, the record of the run and the way back.

It fails closed: what is missing, not a number, not finite or not named says no (Python backend orchestrator, MLE
workflow: promotion gates).
"""

import math
from collections.abc import Mapping
from typing import Any

from skills.verify.model import Answer

FILE = "promotion.toml"
_RECORD = (
    ("dataset", "the version of the data"),
    ("code_sha", "the commit of the code"),
    ("config_hash", "the hash of the configuration"),
    ("seed", "the seed"),
    ("artifact", "where the model lies"),
)
PHASE = 13


def promotion_answers(document: Mapping[str, Any], before: Mapping[str, Any] | None) -> list[Answer]:
    """The answers about a promotion file. `before` is the file as it was at the run's commit, None where unknown."""
    thresholds, run = _table(document, "thresholds"), _table(document, "run")
    metrics = _table(run, "metrics")
    answers = [_declared(thresholds, before), *(_threshold(name, thresholds[name], metrics) for name in thresholds)]
    lacking = [what for key, what in _RECORD if run.get(key) in (None, "")]
    answers.append(_answer("run-record", "The run is recorded", not lacking, "lacks " + ", ".join(lacking)))
    way_back = str(_table(document, "rollback").get("artifact") or "")
    answers.append(
        _answer("rollback-artifact", "The model to go back to is named", bool(way_back), "[rollback] artifact")
    )
    return answers


def _declared(thresholds: Mapping[str, Any], before: Mapping[str, Any] | None) -> Answer:
    title = "Thresholds are declared before training"
    if not thresholds:
        return Answer(PHASE, "thresholds", title, "fail", "[thresholds] is empty: nothing decides")
    if before is None:
        return Answer(PHASE, "thresholds", title, "not_run", "the run's commit has no promotion.toml that can be read")
    moved = [name for name in thresholds if _table(before, "thresholds").get(name) != thresholds[name]]
    return _answer("thresholds", title, not moved, "changed since the run's commit: " + ", ".join(moved))


def _threshold(name: str, limit: Any, metrics: Mapping[str, Any]) -> Answer:
    value = metrics.get(name)
    check, title = f"metric-{name}", f"{name} meets its threshold"
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return Answer(PHASE, check, title, "fail", f"the run says {value!r}, which is no measure")
    lowest, highest = (limit.get("min"), limit.get("max")) if isinstance(limit, Mapping) else (limit, None)
    bounds = [bound for bound in (lowest, highest) if bound is not None]
    sound = [bound for bound in bounds if not isinstance(bound, bool) and isinstance(bound, int | float)]
    if not bounds or len(sound) != len(bounds) or not all(math.isfinite(bound) for bound in sound):
        return Answer(PHASE, check, title, "fail", f"its threshold {limit!r} is no number")
    if lowest is not None and value < lowest:
        return Answer(PHASE, check, title, "fail", f"{value:g} is below {lowest:g}")
    if highest is not None and value > highest:
        return Answer(PHASE, check, title, "fail", f"{value:g} is above {highest:g}")
    return Answer(PHASE, check, title, "pass", f"{value:g}")


def _answer(check: str, title: str, holds: bool, why_not: str) -> Answer:
    return Answer(PHASE, check, title, "pass" if holds else "fail", "" if holds else why_not)


def _table(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document.get(key)
    return value if isinstance(value, Mapping) else {}

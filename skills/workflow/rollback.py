"""When to roll back, whether it worked, how ready a project is for it (workflow orchestrator, rollback and recovery).

Pure rules: metrics in, triggers out; answers of verifications in, a verdict out. Nothing here touches a repository.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Literal

from skills.gates.model import Status
from skills.record import record

Severity = Literal["CRITICAL", "HIGH", "MEDIUM"]
Action = Literal["immediate", "gradual", "scheduled"]
Kind = Literal["revert", "files", "branch"]
Verdict = Literal["success", "failed", "pending", "partial"]

TARGET_MTTR_SECONDS = 300.0
TARGET_SUCCESS, TARGET_AUTOMATED, TARGET_LOSS = 0.99, 0.80, 0


@record
class Trigger:
    """A reason to roll back. `missing` names the figures without which it cannot be judged."""

    name: str
    severity: Severity
    action: Action
    status: Status
    why: str


METRICS: Mapping[str, str] = {
    "test_pass_rate": "share of tests that pass, 0 to 1",
    "critical_vulnerabilities": "critical vulnerabilities found",
    "response_ms": "response time now",
    "baseline_response_ms": "response time before",
    "error_rate": "errors now, per request",
    "baseline_error_rate": "errors before, per request",
    "memory_growth_per_hour": "growth of memory an hour, 0.1 is 10 %",
}
"""The figures that triggers are judged from, and what each means."""


def triggers(metrics: Mapping[str, float]) -> list[Trigger]:
    """All five triggers, judged. A figure that is not given, or is no finite number, is never a pass."""
    return [
        _trigger(
            "tests-fail", "HIGH", "immediate", metrics, ("test_pass_rate",), lambda rate: rate < 0.95, "below 95 %"
        ),
        _trigger(
            "critical-vulnerability",
            "CRITICAL",
            "immediate",
            metrics,
            ("critical_vulnerabilities",),
            lambda count: count > 0,
            "more than none",
        ),
        _trigger(
            "slower",
            "HIGH",
            "gradual",
            metrics,
            ("response_ms", "baseline_response_ms"),
            lambda now, before: now > 1.5 * before,
            "more than 1.5 times the baseline",
        ),
        _trigger(
            "errors",
            "HIGH",
            "immediate",
            metrics,
            ("error_rate", "baseline_error_rate"),
            lambda now, before: now > 3 * before,
            "more than 3 times the baseline",
        ),
        _trigger(
            "memory",
            "MEDIUM",
            "scheduled",
            metrics,
            ("memory_growth_per_hour",),
            lambda growth: growth > 0.1,
            "more than 10 % an hour",
        ),
    ]


def _trigger(
    name: str,
    severity: Severity,
    action: Action,
    metrics: Mapping[str, float],
    wanted: tuple[str, ...],
    fires: Callable[..., bool],
    limit: str,
) -> Trigger:
    values = [metrics.get(key) for key in wanted]
    known = [value for value in values if value is not None and math.isfinite(value)]
    if len(known) < len(wanted):
        missing = ", ".join(key for key, value in zip(wanted, values, strict=True) if value is None) or wanted[0]
        return Trigger(name, severity, action, "not_run", f"not given: {missing}")
    said = " against ".join(f"{value:g}" for value in known)
    if fires(*known):
        return Trigger(name, severity, action, "fail", f"{said}: {limit}")
    return Trigger(name, severity, action, "pass", said)


MATRIX: tuple[tuple[str, str, str, str], ...] = (
    ("tests fail after a fix", "did the fix meet the cause?", "yes", "find the cause before the next fix"),
    ("new security warnings", "are they real?", "yes", "patch at once"),
    ("slower", "profile and measure", "maybe", "mend the slow part"),
    ("behaves unexpectedly", "compare with what was asked", "maybe", "switch its flag off"),
    ("people complain", "how many, how badly?", "maybe", "a small fix forward"),
    ("data may be corrupted", "check the data", "yes", "act at once"),
)
"""Symptom, what to look at, whether to roll back, what else could be done."""

VERIFICATIONS: tuple[tuple[str, str], ...] = (
    ("version", "The version that should run is there"),
    ("smoke", "The critical paths work"),
    ("data", "The data is whole"),
    ("performance", "It is as fast as before"),
    ("security", "The security checks pass"),
    ("integrations", "The systems around it answer"),
)
DECISIVE = frozenset({"smoke", "data", "security"})
"""Where one of these fails the rollback failed, however many others pass."""


def verdict(answers: Mapping[str, Status]) -> Verdict:
    """What the six verifications say together: `pending` while one that decides has no answer."""
    if any(answers.get(name) == "fail" for name in DECISIVE):
        return "failed"
    known = [answers.get(name, "not_run") for name, _ in VERIFICATIONS]
    if all(status in ("pass", "not_applicable") for status in known):
        return "success"
    if any(status == "not_run" for status in known):
        return "pending"
    return "partial"


@record
class Done:
    """One rollback that was carried out: how long from its beginning to its verdict, and what was lost."""

    verdict: Verdict
    seconds: float | None
    automated: bool
    lost: int = 0


@record
class Measures:
    """How rollbacks went, each with what it is measured on; None where there is nothing to measure on."""

    count: int
    mttr_seconds: float | None
    success: float | None
    automated: float | None
    lost: int


def measures(history: Iterable[Done]) -> Measures:
    """The four measures over the rollbacks that reached a verdict."""
    over = [one for one in history if one.verdict != "pending"]
    good = [one.seconds for one in over if one.verdict == "success" and one.seconds is not None]
    count = len(over)
    return Measures(
        count,
        sum(good) / len(good) if good else None,
        sum(1 for one in over if one.verdict == "success") / count if count else None,
        sum(1 for one in over if one.automated) / count if count else None,
        sum(one.lost for one in over),
    )


@record
class ReadinessItem:
    """One item of the readiness list. `not_run` where only a person knows."""

    id: str
    title: str
    status: Status
    detail: str = ""


_SEMVER = re.compile(r"^v?\d+\.\d+\.\d+")
_ONE_WAY = re.compile(r"migrations\.RunPython\(\s*[\w.]+\s*\)|migrations\.RunSQL\(\s*(?:[\"'][^\"']*[\"']|\w+)\s*\)")
_HEALTH = re.compile(r"[\"'/]health(?:z|check)?[/\"']|/(?:live|ready)z?[\"'/]")
_FOR_A_PERSON: tuple[tuple[str, str], ...] = (
    ("scripts", "Rolling back is scripted, and was tried"),
    ("backups", "The database is backed up every hour and kept 30 days"),
    ("flags", "New features are behind flags"),
    ("two-versions", "Two versions can run side by side"),
    ("alerts", "Somebody is told when a trigger fires"),
)


def readiness(tags: Iterable[str], migrations: Mapping[str, str], sources: Iterable[str]) -> list[ReadinessItem]:
    """The readiness list: from tags, from migrations (path → source), from the text of views and urls; the rest is for
    a person to say."""
    known = list(tags)
    semver = [tag for tag in known if _SEMVER.match(tag)]
    stable = [tag for tag in known if tag.startswith("stable-")]
    one_way = [path for path, text in sorted(migrations.items()) if _ONE_WAY.search(text)]
    health = any(_HEALTH.search(text) for text in sources)
    reversible: Status = "not_applicable" if not migrations else "fail" if one_way else "pass"
    return [
        ReadinessItem("semver", "Releases are tagged by version", "pass" if semver else "fail", f"{len(semver)} tags"),
        ReadinessItem(
            "stable",
            "A commit is known to be good",
            "pass" if stable else "fail",
            max(stable, default="no stable- tag"),
        ),
        ReadinessItem("migrations", "Every migration has a way back", reversible, ", ".join(one_way[:5])),
        ReadinessItem("health", "There is a health endpoint", "pass" if health else "fail"),
        *(ReadinessItem(name, title, "not_run", "for a person to say") for name, title in _FOR_A_PERSON),
    ]

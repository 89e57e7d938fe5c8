"""Research before a decision: a matrix, costs at scale, three gates and one person's approval (workflow orchestrator,
research and its decision gates).

Pure: a study goes in, what is missing and what comes next comes out. Whatever a gate was judged by may change only
together with the gate: a new answer of an earlier gate takes the later ones back.
"""

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from skills.record import record
from skills.workflow.process import Check, Gate, Override, is_open, number_of, score_of, together, weighted

Outcome = Literal["Proceed", "Iterate", "Pivot", "Abandon"]

CRITERIA: tuple[tuple[str, str, int], ...] = (
    ("performance", "Performance", 25),
    ("cost", "Cost", 30),
    ("learning_curve", "Learning curve", 15),
    ("community", "Community", 10),
    ("maintenance", "Maintenance", 20),
)
"""Columns of the matrix with their weights in percent; every cell is a number from 0 to 10, 10 the best."""
FACTORS: tuple[tuple[str, str, int], ...] = (
    ("cost_efficiency", "Cost efficiency", 30),
    ("technical_fit", "Technical fit", 25),
    ("scalability", "Scalability", 20),
    ("maintenance", "Maintenance", 15),
    ("team_comfort", "Team comfort", 10),
)
"""What gate 2 weighs, in percent."""
VIABILITY: tuple[tuple[str, str], ...] = (
    ("monthly_cost", "dollars a month"),
    ("budget", "dollars a month in all"),
    ("complexity", "0 to 10"),
    ("team_capability", "0 to 10"),
    ("implementation_time", "days"),
    ("deadline", "days until then"),
    ("strategic_fit", "0 to 10"),
)
"""The figures that gate 1 is judged by."""
RATINGS: Mapping[str, tuple[str, ...]] = {
    "performance": ("Meets", "Exceeds", "Below"),
    "integration": ("Easy", "Medium", "Hard"),
    "feedback": ("Positive", "Mixed", "Negative"),
}
OUTCOMES: tuple[Outcome, ...] = ("Proceed", "Iterate", "Pivot", "Abandon")
GO = Decimal(7)
TIME_BOX_MINUTES = 120
GOOD_ENOUGH = 8
"""A confidence, of 10, at which more research is not worth its time."""
CACHE_DAYS: Mapping[str, int | None] = {"embeddings": 30, "llm": 7, "search": 1, "static": None}
"""How long kept research of a kind holds, in days; None is for ever."""


@record
class Approach:
    """One option. `cells` are the matrix, by criterion, as exact texts; `monthly` is dollars a month as computed."""

    name: str
    about: str = ""
    pros: tuple[str, ...] = ()
    cons: tuple[str, ...] = ()
    cells: dict[str, str] = field(default_factory=dict)
    usage: dict[str, str] = field(default_factory=dict)

    @property
    def total(self) -> Decimal | None:
        """The weighted score, None while a cell is empty."""
        if any(name not in self.cells for name, _, _ in CRITERIA):
            return None
        return weighted((score_of(self.cells[name]), weight) for name, _, weight in CRITERIA)


@record
class Approval:
    """Who approved the decision of gate 2, when; `stamp` is that of the gate."""

    who: str
    at: str
    stamp: str
    note: str = ""


@record
class Study:
    """One piece of research. `place` and `findings` are its files, relative to `home`, the work tree that it began
    in."""

    id: str
    term: str
    begun: str
    place: str = "RESEARCH.md"
    findings: str = "FINDINGS.md"
    home: str = ""
    kind: str = "framework"
    scanned: str = ""
    options: tuple[Approach, ...] = ()
    viability: dict[str, str] = field(default_factory=dict)
    factors: dict[str, str] = field(default_factory=dict)
    gates: dict[str, Gate] = field(default_factory=dict)
    approval: Approval | None = None
    review: dict[str, str] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()
    ticked: dict[str, str] = field(default_factory=dict)
    confidence: int | None = None
    adr: str = ""
    ended: str = ""
    abandoned: bool = False

    @property
    def title(self) -> str:
        """What it is called: its term."""
        return self.term


def key_of(term: str) -> str:
    """The name under which research on a term is kept: the SHA-256 of the term without case and surplus space."""
    plain = " ".join(unicodedata.normalize("NFKC", term).casefold().split())
    return hashlib.sha256(plain.encode()).hexdigest()


def is_fresh(kind: str, age: timedelta) -> bool:
    """Whether kept research of that kind still holds. An unknown kind holds for a day."""
    days = CACHE_DAYS.get(kind, 1)
    return days is None or age < timedelta(days=days)


def judge_viability(figures: Mapping[str, str], at: str) -> Gate:
    """Gate 1: all four conditions. What is not given, or no number, is not run and never passes."""
    known: dict[str, Decimal] = {}
    for name, unit in VIABILITY:
        try:
            text = figures.get(name, "")
            known[name] = score_of(text) if unit == "0 to 10" else number_of(text)
        except ValueError:
            continue

    def condition(name: str, title: str, wanted: tuple[str, ...], holds: bool, said: str) -> Check:
        lacks = [one for one in wanted if one not in known]
        if lacks:
            return Check(name, title, "not_run", f"not given: {', '.join(lacks)}")
        return Check(name, title, "pass" if holds else "fail", said)

    def of(name: str) -> Decimal:
        return known.get(name, Decimal(0))

    checks = (
        condition("cost_reasonable", "Costs less than a fifth of the budget", ("monthly_cost", "budget"),
                  of("monthly_cost") * 5 < of("budget"), f"${of('monthly_cost'):f} of ${of('budget'):f} a month"),
        condition("technically_feasible", "No more complex than the team can do", ("complexity", "team_capability"),
                  of("complexity") <= of("team_capability"), f"{of('complexity'):f} against {of('team_capability'):f}"),
        condition("time_available", "Done before the deadline", ("implementation_time", "deadline"),
                  of("implementation_time") < of("deadline"),
                  f"{of('implementation_time'):f} of {of('deadline'):f} days"),
        condition("aligns_with_strategy", "Fits the strategy: above 7 of 10", ("strategic_fit",),
                  of("strategic_fit") > 7, f"{of('strategic_fit'):f}"),
    )  # fmt: skip
    return Gate("gate1", together(checks), at, _stamp(figures), checks)


def judge_decision(factors: Mapping[str, str], at: str) -> Gate:
    """Gate 2: the weighted sum of five factors, GO from 7.0. No confidence is derived from it."""
    lacks, known = [], []
    for name, _, weight in FACTORS:
        try:
            known.append((score_of(factors.get(name, "")), weight))
        except ValueError:
            lacks.append(name)
    if lacks:
        check = Check("score", "The weighted score is 7 or more", "not_run", f"not given: {', '.join(lacks)}")
    else:
        score = weighted(known)
        check = Check(
            "score", "The weighted score is 7 or more", "pass" if score >= GO else "fail", f"{score.normalize():f}"
        )
    return Gate("gate2", check.status, at, _stamp(factors), (check,))


def decision_score(study: Study) -> Decimal | None:
    """The score of gate 2, None where it was not judged."""
    try:
        return weighted((score_of(study.factors.get(name, "")), weight) for name, _, weight in FACTORS)
    except ValueError:
        return None


def with_gate1(study: Study, figures: Mapping[str, str], at: str) -> Study:
    """The study with gate 1 judged anew; gate 2, the approval and gate 3 are taken back."""
    merged = {**study.viability, **figures}
    gate = judge_viability(merged, at)
    return replace(study, viability=merged, gates={"gate1": gate}, approval=None, review={})


def with_gate2(study: Study, factors: Mapping[str, str], at: str) -> Study:
    """The study with gate 2 judged anew; the approval and gate 3 are taken back. Raises `ValueError` where gate 1
    holds it back."""
    if not passed(study, "gate1"):
        raise ValueError("gate 1 comes first" if "gate1" not in study.gates else "gate 1 says NO-GO")
    merged = {**study.factors, **factors}
    kept = {name: gate for name, gate in study.gates.items() if name == "gate1"}
    gates = {**kept, "gate2": judge_decision(merged, at)}
    return replace(study, factors=merged, gates=gates, approval=None, review={})


def approved(study: Study, who: str, at: str, note: str) -> Study:
    """The study with a person's approval of gate 2 as it stands. Raises `ValueError` where there is nothing to
    approve."""
    if not passed(study, "gate2"):
        raise ValueError("gate 2 comes first" if "gate2" not in study.gates else "gate 2 does not say GO")
    return replace(study, approval=Approval(who, at, study.gates["gate2"].stamp, note))


def is_approved(study: Study) -> bool:
    """Whether a person approved gate 2 as it is now."""
    gate = study.gates.get("gate2")
    return passed(study, "gate2") and study.approval is not None and gate is not None and (
        study.approval.stamp == gate.stamp and bool(study.approval.who.strip())
    )  # fmt: skip


def with_gate3(study: Study, review: Mapping[str, str], at: str) -> Study:
    """The study with the review after a proof of concept. Raises `ValueError` without an approval, and for words that
    are none of the gate's."""
    if not is_approved(study):
        raise ValueError("a person approves gate 2 first")
    for name, words in (*RATINGS.items(), ("outcome", OUTCOMES)):
        if review.get(name) not in words:
            raise ValueError(f"{name} is one of {', '.join(words)}")
    for name in ("cost_actual", "cost_projected"):
        number_of(review.get(name, ""))
    checks = tuple(
        Check(name, title, "pass" if review[name] != bad else "fail", review[name])
        for name, title, bad in (
            ("performance", "Performance as expected", "Below"),
            ("integration", "Integrated with bearable effort", "Hard"),
            ("feedback", "The team's feedback", "Negative"),
        )
    )
    over = number_of(review["cost_actual"]) > number_of(review["cost_projected"])
    said = f"${review['cost_actual']} against ${review['cost_projected']} projected"
    checks += (Check("cost", "Costs no more than projected", "fail" if over else "pass", said),)
    status: Literal["pass", "fail"] = "pass" if review["outcome"] == "Proceed" else "fail"
    gate = Gate("gate3", status, at, _stamp(review), checks)
    return replace(study, review=dict(review), gates={**study.gates, "gate3": gate})


def overridden(study: Study, gate: str, reason: str, who: str, at: str) -> Study:
    """The study with a NO-GO passed for a reason. Raises `ValueError` without one, and where the gate said no NO-GO:
    neither what did not run nor the approval can be passed that way."""
    found = study.gates.get(gate)
    if gate not in ("gate1", "gate2") or found is None or found.status != "fail":
        raise ValueError(f"{gate} said no NO-GO: there is nothing to override")
    if not reason.strip():
        raise ValueError("an override needs a reason")
    made = Override(gate, reason, who, at, found.stamp)
    return replace(study, overrides=(*study.overrides, made))


def passed(study: Study, gate: str) -> bool:
    """Whether the way past a gate is free, the gates before it included."""
    found = study.gates.get(gate)
    free = found is not None and is_open(found, study.overrides, found.stamp)
    if gate == "gate2":
        return free and passed(study, "gate1")
    if gate == "gate3":
        return free and is_approved(study)
    return free


def next_step(study: Study) -> str:
    """What to do next, with the command."""
    if study.abandoned or study.ended:
        return "nothing: the research is closed"
    for step in (_gathering, _judging):
        if said := step(study):
            return said
    if not study.adr:
        return "write the decision down (cockpit research adr TITLE)"
    return "close it (cockpit research close)"


def _gathering(study: Study) -> str:
    if "gate1" not in study.gates:
        if not study.scanned:
            return "look at what is there already (cockpit research scan)"
        if len(study.options) < 2:
            return "name two options at least (cockpit research option NAME --about … --pro … --con …)"
        for one in study.options:
            if lacks := [name for name, _, _ in CRITERIA if name not in one.cells]:
                return f"score {one.name}: {', '.join(lacks)} (cockpit research score NAME CRITERION=0–10 …)"
    return ""


def _judging(study: Study) -> str:
    first, second = study.gates.get("gate1"), study.gates.get("gate2")
    if first is None or first.status == "not_run":
        return "gate 1 (cockpit research gate1 " + " ".join(f"{name}=…" for name, _ in VIABILITY) + ")"
    if not passed(study, "gate1"):
        names = ", ".join(check.id for check in first.checks if check.status == "fail")
        return f"gate 1 says NO-GO: {names}; abandon it, change what fails, or gate1 --override REASON"
    if second is None or second.status == "not_run":
        return "gate 2 (cockpit research gate2 " + " ".join(f"{name}=…" for name, _, _ in FACTORS) + ")"
    if not passed(study, "gate2"):
        return f"gate 2 says NO-GO at {second.checks[0].detail}; abandon it, or gate2 --override REASON"
    if not is_approved(study):
        return "a person approves the decision (cockpit research approve)"
    third = study.gates.get("gate3")
    if third is None:
        return "build the proof of concept, then review it (cockpit research gate3 performance=… outcome=…)"
    return {
        "Iterate": "work on the proof of concept, then gate3 again",
        "Pivot": "take another option through the gates (cockpit research gate1 …)",
        "Abandon": "abandon it (cockpit research abandon)",
    }.get(study.review.get("outcome", ""), "")


def projection(usage: Mapping[str, str]) -> dict[str, tuple[Decimal, Decimal]]:
    """Dollars (a month, a year) at 1, 10, 100 and 1000 times the usage (workflow orchestrator, cost projection).

    A day costs tokens × price per 1,000 / 1,000, hours × rate, and gigabytes × their monthly price / 30; a month has
    30 of them. What is fixed a month stays fixed. Raises `ValueError` for what is no number.
    """
    known = {name: number_of(usage.get(name, "0")) for name in USAGE}
    day = (
        known["tokens"] * known["price_per_1k"] / 1000
        + known["hours"] * known["rate"]
        + known["gb"] * known["gb_monthly"] / 30
    )
    found = {}
    for scale in (1, 10, 100, 1000):
        month = day * 30 * scale + known["fixed"]
        found[f"{scale}x"] = (month, month * 12)
    return found


USAGE: Mapping[str, str] = {
    "tokens": "tokens a day",
    "price_per_1k": "dollars for 1,000 tokens",
    "hours": "hours of compute a day",
    "rate": "dollars an hour",
    "gb": "gigabytes kept",
    "gb_monthly": "dollars for a gigabyte and month",
    "fixed": "dollars a month whatever the use",
}
"""What a projection is made from, and each unit."""


def _stamp(values: Mapping[str, str]) -> str:
    text = "\0".join(f"{name}={values[name]}" for name in sorted(values))
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]

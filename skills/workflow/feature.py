"""A feature in five phases with six gates (workflow orchestrator, feature development).

Pure: a feature and the state of the work (`stamps`: one for each gate) go in, the phase and the next step come out. A
gate counts for the state that it was judged at; when that changes, it has not run.
"""

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from typing import Literal

from skills.gates.model import Status
from skills.record import record
from skills.workflow.feature_plan import PlannedTask
from skills.workflow.observers import Alert, State
from skills.workflow.process import Check, Gate, Override, is_open, together

GateName = Literal["contract", "schema", "parallel", "security", "quality", "ship"]
GATES: tuple[GateName, ...] = ("contract", "schema", "parallel", "security", "quality", "ship")
PHASES: tuple[tuple[str, tuple[GateName, ...]], ...] = (
    ("plan", ("contract",)),
    ("setup and schema", ("schema",)),
    ("parallel work", ("parallel",)),
    ("security and quality", ("security", "quality")),
    ("ship", ("ship",)),
)
Stamps = Mapping[str, str]


@record
class Confirmed:
    """A person's word on an item: who, when, for which state of the gate. `why` is needed where it does not apply."""

    status: Status
    who: str
    at: str
    stamp: str
    why: str = ""


@record
class MadeWorktree:
    """A worktree of the feature."""

    task: str
    branch: str
    path: str
    ports: tuple[int, ...] = ()
    agent: str = ""


@record
class Noted:
    """An alert of an observer as it is kept. `by` is the worktree, `closed` why it is RESOLVED."""

    alert: Alert
    by: str
    at: str
    state: State = "OPEN"
    closed: str = ""


@record
class Feature:
    """One feature. `id` is its slug; `brief` and `contract` are its files, relative to `home`, the work tree that it
    began in; `start` is the commit that was there then."""

    id: str
    title: str
    begun: str
    brief: str = "BRIEF.md"
    contract: str = ".claude/CONTRACT.md"
    home: str = ""
    start: str = ""
    priority: str = "P1"
    estimate_usd: float | None = None
    tasks: tuple[PlannedTask, ...] = ()
    worktrees: tuple[MadeWorktree, ...] = ()
    gates: dict[str, Gate] = field(default_factory=dict)
    confirmed: dict[str, Confirmed] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()
    alerts: tuple[Noted, ...] = ()
    observed: str = ""
    tags: tuple[str, ...] = ()
    ended: str = ""
    abandoned: bool = False


def passed(feature: Feature, gate: str, stamps: Stamps) -> bool:
    """Whether the way past a gate is free now, with every gate before it."""
    for name in GATES[: GATES.index(gate) + 1]:
        if not is_open(feature.gates.get(name), feature.overrides, stamps.get(name, "")):
            return False
    return True


def phase(feature: Feature, stamps: Stamps) -> int:
    """0 to 4; 5 where everything is passed."""
    for number, (_, gates) in enumerate(PHASES):
        if not passed(feature, gates[-1], stamps):
            return number
    return len(PHASES)


def held_back(feature: Feature, gate: str, stamps: Stamps) -> str:
    """The first gate before `gate` that is not passed, "" where none holds it back."""
    return next((name for name in GATES[: GATES.index(gate)] if not passed(feature, name, stamps)), "")


def with_gate(feature: Feature, gate: str, checks: Iterable[Check], at: str, stamps: Stamps) -> Feature:
    """The feature with a gate judged. Raises `ValueError` where an earlier one holds it back: none is judged ahead."""
    if name := held_back(feature, gate, stamps):
        raise ValueError(f"the gate {name} comes first")
    known = tuple(checks)
    made = Gate(gate, together(known), at, stamps.get(gate, ""), known)
    return replace(feature, gates={**feature.gates, gate: made})


def overridden(feature: Feature, gate: str, reason: str, who: str, at: str, stamps: Stamps) -> Feature:
    """The feature with a failed gate passed for a reason, for the state that it was judged at only.

    Raises `ValueError` without a reason, where the gate did not run or did not fail, and for the last one.
    """
    found = feature.gates.get(gate)
    if found is None or found.stamp != stamps.get(gate, "") or found.status != "fail":
        raise ValueError(f"the gate {gate} did not fail at what is here: there is nothing to override")
    if gate == "ship":
        raise ValueError("the last gate is not overridden: confirm what is missing, or say why it does not apply")
    if not reason.strip():
        raise ValueError("an override needs a reason")
    if name := held_back(feature, gate, stamps):
        raise ValueError(f"the gate {name} comes first")
    made = Override(gate, reason, who, at, found.stamp)
    return replace(feature, overrides=(*feature.overrides, made))


def confirmed(feature: Feature, item: str, word: Confirmed) -> Feature:
    """The feature with a person's word. Raises `ValueError` for "does not apply" without a reason."""
    if word.status == "not_applicable" and not word.why.strip():
        raise ValueError(f"say why {item} does not apply")
    return replace(feature, confirmed={**feature.confirmed, item: word})


def answers(feature: Feature, items: Iterable[tuple[str, str]], stamp: str) -> list[Check]:
    """The items that a person answers, for the state `stamp`; an answer for another state has to be given again."""
    found = []
    for name, title in items:
        word = feature.confirmed.get(name)
        if word is None or word.stamp != stamp:
            detail = "for a person to say" if word is None else f"confirmed for an earlier state ({word.at})"
            found.append(Check(name, title, "not_run", detail))
        else:
            found.append(Check(name, title, word.status, word.why, f"{word.who}, {word.at}"))
    return found


def noted(feature: Feature, by: str, alerts: Iterable[Alert], at: str) -> Feature:
    """The feature after an observation of one worktree: new alerts are open, those that are gone are resolved, and one
    that a person closed stays closed."""
    known = {one.alert.key: one for one in feature.alerts if one.by == by}
    now = {alert.key: alert for alert in alerts}
    kept = [one for one in feature.alerts if one.by != by]
    for key, one in known.items():
        if key in now:
            stays = one.state == "OPEN" or bool(one.closed and one.closed != GONE)
            kept.append(replace(one, alert=now[key]) if stays else Noted(now[key], by, at))
        elif one.state == "OPEN":
            kept.append(replace(one, state="RESOLVED", closed=GONE))
        else:
            kept.append(one)
    kept += [Noted(alert, by, at) for key, alert in now.items() if key not in known]
    return replace(feature, alerts=tuple(kept))


GONE = "gone from the change"


def open_blockers(feature: Feature) -> list[Noted]:
    """What stops the way from the parallel work to the gates."""
    return [one for one in feature.alerts if one.state == "OPEN" and one.alert.severity == "BLOCKER"]


def next_step(feature: Feature, stamps: Stamps) -> str:
    """What to do next, with the command."""
    if feature.abandoned or feature.ended:
        return "nothing: the feature is closed"
    number = phase(feature, stamps)
    if number == len(PHASES):
        tagged = "close it (cockpit feature close)"
        return tagged if feature.tags else "tag it (cockpit feature ship --stable, and --tag v…)"
    name = next(one for one in PHASES[number][1] if not passed(feature, one, stamps))
    gate = feature.gates.get(name)
    command = "cockpit feature ship-check" if name == "ship" else f"cockpit feature gate {name}"
    if gate is None or gate.stamp != stamps.get(name, ""):
        again = "judge it again, the work changed since" if gate is not None else "judge it"
        if number == 0 and not feature.tasks and gate is None:
            return f"fill in {feature.brief} and {feature.contract}, then cockpit feature plan"
        if name == "parallel" and feature.tasks and not feature.worktrees and gate is None:
            return "make the worktrees (cockpit feature plan --make), or work here; then cockpit feature observe"
        return f"the gate {name}: {again} ({command})"
    if name == "parallel" and (blockers := open_blockers(feature)):
        return f"{len(blockers)} open blockers: {blockers[0].alert.text()}"
    short = [check.id for check in gate.checks if check.status in ("fail", "not_run")]
    return f"the gate {name} is held by {', '.join(short[:4])}{' …' if len(short) > 4 else ''} ({command})"

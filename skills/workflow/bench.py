"""Every process of the workbench in one shape: what it is, where it stands, its next step first."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from skills.gates.model import Status
from skills.record import record
from skills.workflow import debug, feature, research
from skills.workflow.playbooks import BY_NAME
from skills.workflow.process import Gate
from skills.workflow.research_text import recommendation
from skills.workflow.rollback import VERIFICATIONS

Kind = Literal["research", "feature", "debug", "rollback", "playbook"]
State = Literal["open", "done", "abandoned"]
KINDS: tuple[tuple[Kind, str], ...] = (
    ("research", "a decision: options, costs, three gates, a person's approval"),
    ("feature", "from a brief to a tag: worktrees, observers, six gates"),
    ("debug", "a case: evidence, hypotheses, one test at a time"),
    ("rollback", "back to a commit known to be good: what that would undo"),
    ("playbook", "a guided checklist that records what was done"),
)


@record
class Line:
    """One line of a process: a gate, an item, a piece of evidence. `status` is "" for plain text."""

    text: str
    status: Status | Literal[""] = ""
    detail: str = ""


@record
class Part:
    """A heading and what stands under it."""

    title: str
    lines: tuple[Line, ...]


@record
class Process:
    """One process. `step` is what to do next; `commands` are those that go on with it."""

    kind: Kind
    id: str
    title: str
    state: State
    step: str
    begun: str
    where: str = ""
    parts: tuple[Part, ...] = ()
    commands: tuple[str, ...] = ()


def of_study(study: research.Study) -> Process:
    """A piece of research."""
    gates = Part("Gates", tuple(one for name in ("gate1", "gate2") for one in _gate(name, study.gates.get(name))))
    word = study.approval
    approved = research.is_approved(study)
    said = f"{word.who}, {word.at}" if word is not None and approved else ""
    approval = Line("a person's approval", "pass" if approved else "not_run", said)
    options = Part("Options", tuple(
        Line(one.name, "", "not scored" if one.total is None else f"{one.total.normalize():f}") for one in study.options
    ))  # fmt: skip
    last = Part("Approval and review", (approval, *_gate("gate3", study.gates.get("gate3"))))
    overrides = _overrides(study.overrides)
    files = _files(study.place, study.adr)
    where = recommendation(study)
    return Process("research", study.id, study.term, _state(study.ended, study.abandoned), research.next_step(study),
                   study.begun, where, _kept(options, gates, last, overrides, files),
                   (f"cockpit research --on {study.id}",))  # fmt: skip


def of_feature(one: feature.Feature, stamps: Mapping[str, str]) -> Process:
    """A feature, at the state of the work now."""
    number = feature.phase(one, stamps)
    parts = []
    for place, (title, names) in enumerate(feature.PHASES):
        lines = []
        for name in names:
            gate = one.gates.get(name)
            stale = gate is not None and gate.stamp != stamps.get(name, "")
            if stale:
                lines.append(Line(f"gate {name}", "not_run", "the work changed since it was judged"))
            else:
                free = feature.passed(one, name, stamps)
                lines += _gate(name, gate, overridden=free and gate is not None and gate.status == "fail")
        parts.append(Part(f"{'▶ ' if place == number else ''}{place} {title}", tuple(lines)))
    alerts = [alert for alert in one.alerts if alert.state == "OPEN"]
    watching = Part("Observers", tuple(
        Line(note.alert.text(), "fail" if note.alert.severity == "BLOCKER" else "", note.by) for note in alerts
    ))  # fmt: skip
    trees = Part("Worktrees", tuple(
        Line(tree.branch, "", f"{', '.join(map(str, tree.ports))}  {tree.agent}".strip()) for tree in one.worktrees
    ))  # fmt: skip
    where = f"phase {number}, {feature.PHASES[number][0]}" if number < len(feature.PHASES) else "every gate is green"
    return Process("feature", one.id, one.title, _state(one.ended, one.abandoned), feature.next_step(one, stamps),
                   one.begun, where, _kept(*parts, watching, trees, _overrides(one.overrides),
                                           _files(one.brief, one.contract)),
                   (f"cockpit feature --on {one.id}",))  # fmt: skip


def of_case(case: debug.Case) -> Process:
    """A debugging case."""
    marks: dict[str, Status] = {"confirmed": "pass", "rejected": "fail", "open": "not_run"}
    evidence = Part("Evidence", tuple(
        Line(title, "pass" if case.evidence.get(name) else "not_run", case.evidence.get(name, "")[:160])
        for name, title in debug.EVIDENCE
    ))  # fmt: skip
    causes = Part("Hypotheses", tuple(
        Line(f"{number}. {one.text}", marks[one.result], f"score {one.score}, {one.result}")
        for number, one in debug.ordered(case)
    ))  # fmt: skip
    whys = Part("Why", tuple(Line(f"{level}. {why.answer}") for level, why in enumerate(case.whys, 1)))
    held = debug.why_no_fix(case)
    return Process("debug", case.id, case.title, _state(case.ended, case.abandoned), debug.next_step(case), case.begun,
                   f"no fix yet: {held}" if held else "a fix is in order", _kept(evidence, causes, whys),
                   ("cockpit debug",))  # fmt: skip


def of_rollback(row: Mapping[str, Any]) -> Process:
    """A rollback, from its record."""
    verdict, state = str(row.get("verdict", "pending")), str(row.get("state", ""))
    answers = row.get("answers")
    known: Mapping[str, Status] = answers if isinstance(answers, dict) else {}
    checks = Part("Verification", tuple(Line(title, known.get(name, "not_run")) for name, title in VERIFICATIONS))
    target = str(row.get("to", ""))[:9]
    title = f"{row.get('kind', '')} to {target}" + (f": {row['reason']}" if row.get("reason") else "")
    if state == "running":
        step, now = f"interrupted: what was checked out before is {row.get('rescue', '')}", "open"
    elif state == "refused":
        step, now = f"nothing: it was refused ({row.get('problem', '')})", "abandoned"
    elif verdict == "pending":
        step, now = "verify it (cockpit rollback verify --auto, then --answer CHECK=pass|fail)", "open"
    else:
        step, now = f"nothing: {verdict}", "done"
    before = Part("Kept", (Line("what was checked out before", "", str(row.get("rescue", ""))),))
    return Process("rollback", str(row.get("id", "")), title, now, step, str(row.get("begun", "")), verdict,  # type: ignore[arg-type]
                   _kept(checks, before), ("cockpit rollback",))  # fmt: skip


def of_playbook(name: str, row: Mapping[str, Any]) -> Process | None:
    """A playbook that was begun; None for one that there is no more."""
    book, done = BY_NAME.get(name), row.get("done")
    if book is None or not isinstance(done, dict):
        return None
    lines, ahead = [], 0
    for number, step in enumerate(book.steps, 1):
        made = done.get(str(number))
        ahead = ahead or (0 if made else number)
        said = f"{made.get('who', '')}, {made.get('at', '')} {made.get('note', '')}".strip() if made else step.command
        lines.append(Line(f"{number}. {step.text}", "pass" if made else "not_run", said))
    gone = bool(row.get("abandoned"))
    ahead_text = "nothing: every step is done"
    if ahead:
        ahead_text = f"{book.steps[ahead - 1].text} (cockpit rollback playbook {name} --done {ahead})"
    return Process("playbook", name, f"{name}: {book.when}", _state(str(row.get("ended", "")), gone),
                   "nothing: it was abandoned" if gone else ahead_text, str(row.get("begun", "")),
                   f"{len(done)} of {len(book.steps)} steps", (Part("Steps", tuple(lines)),),
                   (f"cockpit rollback playbook {name}",))  # fmt: skip


def ordered(processes: Iterable[Process]) -> list[Process]:
    """What is open first, then the newest."""
    newest = sorted(processes, key=lambda one: one.begun, reverse=True)
    return sorted(newest, key=lambda one: one.state != "open")


def _gate(name: str, gate: Gate | None, *, overridden: bool = False) -> list[Line]:
    if gate is None:
        return [Line(f"gate {name.removeprefix('gate')}", "not_run")]
    when = gate.at[:16].replace("T", " ")
    said = f"overridden, {when}" if overridden else when
    lines = [Line(f"gate {name.removeprefix('gate')}", gate.status, said)]
    return lines + [
        Line(f"  {one.title}", one.status, " ".join(filter(None, (one.detail, f"({one.by})" if one.by else ""))))
        for one in gate.checks
    ]


def _overrides(overrides: Iterable[Any]) -> Part:
    return Part("Overrides", tuple(Line(f"{one.gate}: {one.reason}", "", f"{one.who}, {one.at}") for one in overrides))


def _files(*names: str) -> Part:
    return Part("Files", tuple(Line(name) for name in names if name))


def _kept(*parts: Part) -> tuple[Part, ...]:
    return tuple(part for part in parts if part.lines)


def _state(ended: str, abandoned: bool) -> State:
    return "abandoned" if abandoned else "done" if ended else "open"

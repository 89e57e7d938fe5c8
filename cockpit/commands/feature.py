"""`cockpit feature`: from a brief to a tag through six gates, with worktrees side by side and observers on each."""

import argparse
from typing import TYPE_CHECKING, Any

from cockpit.given_number import LONGEST_DAYS, number
from skills.counted import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from cockpit.call import Call
    from skills.workflow.feature import Feature, Stamps

EXAMPLES = """examples:
  cockpit feature                            the feature of this work tree, its phase and its next step
  cockpit feature new "Invoice API"          BRIEF.md and .claude/CONTRACT.md, to be filled in
  cockpit feature plan                       tasks of the brief → groups side by side, with branches, ports, agents
  cockpit feature plan --make                make the worktrees of the next group
  cockpit feature gate contract              then schema, parallel, security, quality: each only after the one before
  cockpit feature gate schema --confirm naming --confirm indexes --not-applicable rls --reason "no SQL tables"
  cockpit feature observe                    the seven observers on every worktree's change
  cockpit feature resolve 1 --reason "agreed with Ada, the contract follows"
  cockpit feature ship-check                 the twenty items; runs cockpit verify
  cockpit feature ship --stable --tag v1.4.0
exit: 0 done, or the gate is passed · 1 the gate is held (status: by what), an alert is open · 2 cannot answer
"""
_DEEDS = ("status", "new", "plan", "gate", "observe", "resolve", "ship-check", "ship", "cost", "close", "abandon",
          "list")  # fmt: skip
_Answer = tuple[int, dict[str, Any], list[str]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("deed", nargs="?", default="status", choices=_DEEDS, metavar="DEED", help=", ".join(_DEEDS))
    parser.add_argument("words", nargs="*", metavar="WORD", help="a title, a gate, the number of an alert")
    parser.add_argument("--on", default="", metavar="ID", help="which feature (default: the one of this work tree)")
    parser.add_argument("--priority", default="P1", choices=["P0", "P1", "P2"], help="new: how urgent")
    parser.add_argument("--issue", default="", metavar="LINK", help="new: where it was asked for")
    parser.add_argument("--days", type=number(LONGEST_DAYS), metavar="N", help="new: estimated effort")
    parser.add_argument("--make", action="store_true", help="plan: make the worktrees of the next group")
    parser.add_argument("--confirm", action="append", default=[], metavar="ITEM", help="gate, ship-check: it is so")
    parser.add_argument("--not-applicable", action="append", default=[], metavar="ITEM", help="it does not apply here")
    parser.add_argument("--reason", default="", metavar="TEXT", help="why: not applicable, resolve")
    parser.add_argument("--override", default="", metavar="REASON", help="gate: pass one that failed; recorded")
    parser.add_argument("--estimate", type=number(), metavar="USD", help="cost: what it may cost")
    parser.add_argument("--stable", action="store_true", help="ship: tag stable-DATE")
    parser.add_argument("--tag", default="", metavar="NAME", help="ship: a release tag")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(call: "Call") -> int:
    """Do one thing about a feature. Raises `CannotAnswer`."""
    deeds: dict[str, Callable[[Call], _Answer]] = {
        "status": _status,
        "new": _new,
        "plan": _plan,
        "gate": _gate,
        "observe": _observe,
        "resolve": _resolve,
        "ship-check": _ship_check,
        "ship": _ship,
        "cost": _cost,
        "close": _close,
        "abandon": _close,
        "list": _list,
    }
    code, document, lines = deeds[call.args.deed](call)
    return call.told(code, document, lines)


def feature_lines(feature: "Feature", stamps: "Stamps") -> list[str]:
    """A feature as lines, its next step first."""
    from skills.workflow.feature import GATES, PHASES, next_step, open_blockers, passed, phase

    number = phase(feature, stamps)
    where = PHASES[number][0] if number < len(PHASES) else "every gate is green"
    lines = [f"next: {next_step(feature, stamps)}", f"{feature.title}  ({feature.id}, since {feature.begun})",
             f"phase {min(number, len(PHASES) - 1)}: {where}"]  # fmt: skip
    for name in GATES:
        gate = feature.gates.get(name)
        stale = gate is not None and gate.stamp != stamps.get(name, "")
        if gate is None or stale:
            lines.append(f"  [ ] {name}: not run" + (", the work changed since" if stale else ""))
            continue
        free = passed(feature, name, stamps)
        mark = "[x]" if gate.status == "pass" else "[~]" if free else "[!]" if gate.status == "fail" else "[ ]"
        word = "pass" if gate.status == "pass" else "overridden" if free else gate.status.replace("_", " ")
        lines.append(f"  {mark} {name}: {word} ({gate.at})")
    lines += [f"  overridden: {one.gate} by {one.who}, {one.at}: {one.reason}" for one in feature.overrides]
    lines += [f"  worktree {one.branch}  {', '.join(map(str, one.ports))}  {one.agent}" for one in feature.worktrees]
    blockers = open_blockers(feature)
    return lines + ([f"  {len(blockers)} open blockers"] if blockers else [])


def feature_document(feature: "Feature", stamps: "Stamps") -> dict[str, Any]:
    """A feature as JSON: its record, its phase, and the gates as they count now."""
    import msgspec

    from skills.workflow.feature import GATES, passed, phase

    row: dict[str, Any] = msgspec.to_builtins(feature)
    gates = []
    for name in GATES:
        gate = feature.gates.get(name)
        now = gate is not None and gate.stamp == stamps.get(name, "")
        checks = row["gates"][name]["checks"] if name in row["gates"] else []
        status = gate.status if gate is not None and now else "not_run"
        gates.append({"gate": name, "status": status, "passed": passed(feature, name, stamps), "checks": checks})
    return {**row, "phase": phase(feature, stamps), "gates": gates}


def _told(call: "Call", feature: "Feature", code: int = 0, more: "list[str] | None" = None) -> _Answer:
    from cockpit.bench.feature import stamps
    from skills.workflow.feature import next_step

    known = stamps(call.repository(), feature)
    document = {"feature": feature_document(feature, known), "next": next_step(feature, known)}
    return code, document, [*feature_lines(feature, known), *(more or [])]


def _next(call: "Call", feature: "Feature") -> str:
    from cockpit.bench.feature import stamps
    from skills.workflow.feature import next_step

    return next_step(feature, stamps(call.repository(), feature))


def _status(call: "Call") -> _Answer:
    from cockpit.bench.feature import open_feature, stamps

    feature = open_feature(call.repository(), call.args.on)
    known = stamps(call.repository(), feature)
    held = any(gate.status == "fail" and gate.stamp == known.get(name) for name, gate in feature.gates.items())
    return _told(call, feature, 1 if held else 0)


def _new(call: "Call") -> _Answer:
    from cockpit.bench.feature import new_feature
    from cockpit.errors import CannotAnswer
    from cockpit.plain_text import plain_text

    title = plain_text(" ".join(call.args.words).strip(), 120)
    if not title:
        raise CannotAnswer("say what it is called", "cockpit feature new TITLE")
    link = plain_text(call.args.issue, 200)
    feature = new_feature(
        call.repository(), title, priority=call.args.priority, link=link, days=call.args.days
    )  # fmt: skip
    return _told(call, feature, 0, [f"written: {feature.brief}, {feature.contract}"])


def _plan(call: "Call") -> _Answer:
    from cockpit.bench.feature import make, plan, proposals
    from cockpit.call import say
    from skills.workflow.feature_plan import hours_of
    from skills.workflow.feature_text import plan_lines

    repository = call.repository()
    feature, groups = plan(repository, call.args.on)
    proposed = proposals(repository, feature, groups)
    if call.args.make:
        feature = make(repository, call.config(), feature, proposed, lambda line: say(f"cockpit: {line}"))
        proposed = proposals(repository, feature, groups)
    side, after, unknown = hours_of(groups)
    lines = [*plan_lines(groups), f"{side:g} h side by side, {after:g} h one after the other"
             + (f"; {unknown} not estimated" if unknown else "")]  # fmt: skip
    for one in proposed:
        state = "there" if one.there else "proposed"
        agent = one.agent + ("" if one.installed else " (not installed)")
        lines.append(f"  {state:<8} {one.branch}  ports {', '.join(map(str, one.ports)) or 'none'}  {agent}")
    if any(not one.there for one in proposed):
        lines.append("cockpit feature plan --make makes them")
    rows = [{"hours": group.hours, "parallel": group.parallel, "worktrees": len(group.tasks),
             "tasks": [{"id": t.id, "text": t.text, "hours": t.hours, "role": t.role, "depends": list(t.depends),
                        "done": t.done} for t in group.tasks]} for group in groups]  # fmt: skip
    worktrees = [{"task": one.task.id, "branch": one.branch, "ports": list(one.ports), "agent": one.agent,
                  "installed": one.installed, "there": one.there} for one in proposed]  # fmt: skip
    lines.insert(0, f"next: {_next(call, feature)}")
    document = {"feature": feature.id, "groups": rows, "worktrees": worktrees,
                "hours": {"parallel": side, "sequential": after, "not_estimated": unknown}}  # fmt: skip
    return 0, document, lines


def _gate(call: "Call") -> _Answer:
    from cockpit.errors import CannotAnswer
    from cockpit.plain_text import plain_text
    from skills.workflow.feature import GATES

    name = call.args.words[0] if call.args.words else ""
    if name not in GATES:
        what = f"there is no gate {plain_text(name, 40)!r}" if name else "say which gate"
        raise CannotAnswer(what, "use " + ", ".join(GATES))
    return _judged(call, name)


def _ship_check(call: "Call") -> _Answer:
    return _judged(call, "ship")


def _judged(call: "Call", name: str) -> _Answer:
    from cockpit.bench.feature import change, open_feature, stamps
    from cockpit.bench.feature_gates import judge
    from cockpit.bench.shared import only_a_person, person
    from cockpit.clock import iso, now
    from cockpit.errors import CannotAnswer
    from skills.workflow.feature import Feature, held_back, overridden, passed, with_gate
    from skills.workflow.process import GLYPHS

    repository, at = call.repository(), iso(now())
    feature = open_feature(repository, call.args.on)
    if held := held_back(feature, name, stamps(repository, feature)):
        raise CannotAnswer(f"{feature.title}: the gate {held} comes first", f"cockpit feature gate {held}")
    if call.args.override:
        only_a_person("an override")
        who = person(repository.root)

        def pass_it(one: Feature) -> Feature:
            return overridden(one, name, call.args.override, who, at, stamps(repository, one))

        feature = change(repository, feature.id, pass_it)
    else:
        feature = _confirmed(call, feature, name)
        before = stamps(repository, feature)
        checks = judge(repository, call.config(), feature, name)

        def judged(one: Feature) -> Feature:
            known = stamps(repository, one)
            if known[name] != before[name]:
                raise ValueError("the work changed while the gate was judged: judge it again")
            return with_gate(one, name, checks, at, known)

        feature = change(repository, feature.id, judged)
    free = passed(feature, name, stamps(repository, feature))
    rows = [f"  {GLYPHS[one.status]} {one.id:<14} {one.title}" + (f": {one.detail}" if one.detail else "")
            + (f"  ({one.by})" if one.by else "") for one in feature.gates[name].checks]  # fmt: skip
    if name == "ship" and free:
        rows.append("every gate is green: cockpit feature ship --stable, and --tag v… for a release")
    code, document, lines = _told(call, feature, 0 if free else 1, rows)
    return code, {"gate": name, "passed": free, **document}, lines


def _confirmed(call: "Call", feature: "Feature", gate: str) -> "Feature":
    """The feature with what a person says on the command line about the gate's items. Raises `CannotAnswer`."""
    from cockpit.bench.feature import change, stamps
    from cockpit.bench.feature_gates import items_of
    from cockpit.bench.shared import only_a_person, person
    from cockpit.clock import iso, now
    from cockpit.errors import CannotAnswer
    from cockpit.plain_text import plain_text
    from skills.workflow.feature import Confirmed, Feature, confirmed

    said = [(item, "pass") for item in call.args.confirm]
    said += [(item, "not_applicable") for item in call.args.not_applicable]
    if not said:
        return feature
    known = items_of(gate)
    if unknown := [item for item, _ in said if item not in known]:
        hint = "use " + ", ".join(known) if known else f"nothing of the gate {gate} is a person's to confirm"
        raise CannotAnswer(f"{plain_text(unknown[0], 40)!r} is not confirmed by a person", hint)
    only_a_person("a confirmation")
    repository = call.repository()
    who, why = person(repository.root), plain_text(call.args.reason, 200)

    def step(one: Feature) -> Feature:
        stamp = stamps(repository, one)[gate]
        for item, status in said:
            word = Confirmed("pass" if status == "pass" else "not_applicable", who, iso(now()), stamp, why)
            one = confirmed(one, item, word)
        return one

    return change(repository, feature.id, step)


def _observe(call: "Call") -> _Answer:
    import msgspec

    from cockpit.bench.observe import observe_all
    from skills.workflow.feature_text import open_first

    feature, asked = observe_all(call.repository(), call.args.on)
    listed = open_first(feature.alerts)
    lines = [f"{n:>3} {one.state:<8} {one.alert.text()}  ({one.by})" for n, one in enumerate(listed, 1)]
    lines += [f"asked: {name} ({where}): {question}" for name, where, question in asked]
    rows = [{**msgspec.to_builtins(one.alert), "worktree": one.by, "at": one.at, "state": one.state,
             "closed": one.closed or None} for one in listed]  # fmt: skip
    opened = sum(1 for one in listed if one.state == "OPEN" and one.alert.severity == "BLOCKER")
    doubts = [{"occasion": name, "where": where, "question": question} for name, where, question in asked]
    lines.insert(0, f"next: {_next(call, feature)}")
    lines.append(f"{opened} open blockers; written: .claude/OBSERVER_ALERTS.md, _QUALITY.md, _ARCH.md")
    return 1 if opened else 0, {"alerts": rows, "open_blockers": opened, "advocate": doubts}, lines


def _resolve(call: "Call") -> _Answer:
    from cockpit.bench.observe import resolve
    from cockpit.bench.shared import only_a_person, person
    from cockpit.errors import CannotAnswer

    word = call.args.words[0] if call.args.words else ""
    if not word.isdecimal():
        raise CannotAnswer("say which alert", "cockpit feature resolve N --reason TEXT; observe numbers them")
    only_a_person("closing an alert")
    who = person(call.repository().root)
    return _told(call, resolve(call.repository(), call.args.on, int(word), call.args.reason, who))


def _ship(call: "Call") -> _Answer:
    from dataclasses import replace

    from cockpit.bench.feature import change, open_feature
    from cockpit.bench.feature_gates import tag
    from cockpit.clock import now
    from cockpit.errors import CannotAnswer

    repository = call.repository()
    feature = open_feature(repository, call.args.on)
    names = [*(["stable"] if call.args.stable else []), *([call.args.tag] if call.args.tag else [])]
    if not names:
        raise CannotAnswer("say which tag", "cockpit feature ship --stable, or --tag v1.4.0, or both")
    made = tag(repository, feature, names, now().astimezone().date())
    feature = change(
        repository, feature.id, lambda one: replace(one, tags=tuple(dict.fromkeys((*one.tags, *made))))
    )  # fmt: skip
    code, document, lines = _told(call, feature)
    pushed = f"git push origin {' '.join(made)} sends them"
    return code, {"tags": made, **document}, [*lines, f"tagged: {', '.join(made)}; {pushed}"]


def _cost(call: "Call") -> _Answer:
    """What the feature cost against its estimate, by the branches that are its own."""
    from dataclasses import replace

    from cockpit.bench.feature import change, open_feature
    from cockpit.bench.feature_cost import feature_cost
    from cockpit.bench.feature_gates import branches_of
    from skills.spending.amount import dollars

    repository, given = call.repository(), call.args.estimate
    if given is not None:
        feature = change(repository, call.args.on, lambda one: replace(one, estimate_usd=given))
    else:
        feature = open_feature(repository, call.args.on)
    cost = feature_cost(repository, call.config(), feature)
    expected, basis, (usd, floor), calls = cost.expected, cost.basis, cost.spent, cost.calls
    share = f", {usd / expected * 100:.0f} % of it" if expected > 0 else ""
    lines = [
        f"next: {_next(call, feature)}",
        f"estimate  {dollars(expected)} ({basis})",
        f"actual    {dollars(usd, floor=floor)} in {counted(calls, 'call')} (computed){share}",
    ]
    document = {"estimate": round(expected, 6), "estimate_basis": basis,
                "actual": round(usd, 6), "floor": floor, "calls": calls,
                "basis": "computed", "branches": sorted(branches_of(repository, feature))}  # fmt: skip
    return 0, document, lines


def _close(call: "Call") -> _Answer:
    from dataclasses import replace

    from cockpit.bench.feature import change
    from cockpit.clock import iso, now

    gone = call.args.deed == "abandon"
    feature = change(call.repository(), call.args.on, lambda one: replace(one, ended=iso(now()), abandoned=gone))
    return _told(call, feature)


def _list(call: "Call") -> _Answer:
    from cockpit.bench.feature import features

    known = features(call.repository())
    states = ["abandoned" if one.abandoned else "closed" if one.ended else "open" for one in known]
    lines = [f"{one.id:<24}  {state:<9}  {one.title}" for one, state in zip(known, states, strict=True)]
    rows = [{"id": one.id, "title": one.title, "state": state, "begun": one.begun}
            for one, state in zip(known, states, strict=True)]  # fmt: skip
    return 0, {"features": rows}, lines or ["No feature yet: cockpit feature new TITLE"]

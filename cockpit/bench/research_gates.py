"""The three gates of research, the person's approval between them, and their checklists."""

from typing import TYPE_CHECKING

from cockpit.bench.research_words import Answer, pairs, told

if TYPE_CHECKING:
    from cockpit.call import Call


def _gate(call: "Call", number: int) -> Answer:
    from cockpit.bench.research import change
    from cockpit.bench.shared import only_a_person, person
    from cockpit.clock import iso, now
    from skills.workflow.research import FACTORS, VIABILITY, Study, overridden, passed, with_gate1, with_gate2

    repository, name, at = call.repository(), f"gate{number}", iso(now())
    if call.args.override:
        only_a_person("an override")
        who = person(repository.root)
        study = change(repository, call.args.on,
                       lambda one: overridden(one, name, call.args.override, who, at))  # fmt: skip
    else:
        known = [row[0] for row in (VIABILITY if number == 1 else FACTORS)]
        given = pairs(call.args.words, known)
        soft = call.config().budget.month.soft
        usual = {"budget": f"{soft:g}"} if number == 1 and soft is not None else {}

        def step(one: Study) -> Study:
            if number == 2:
                return with_gate2(one, given, at)
            return with_gate1(one, {**({} if "budget" in one.viability else usual), **given}, at)

        study = change(repository, call.args.on, step)
    gate = study.gates[name]
    code, document, lines = told(study)
    words = {"pass": "PROCEED" if number == 1 else "GO", "fail": "NO-GO", "not_run": "not run"}
    verdict = words.get(gate.status, gate.status)
    failed = [check.id for check in gate.checks if check.status != "pass"]
    document |= {"gate": name, "decision": verdict, "failed": failed, "passed": passed(study, name)}
    code = 0 if passed(study, name) else 1
    return code, document, [f"gate {number}: {verdict}" + (f" ({', '.join(failed)})" if failed else ""), *lines]


def gate1(call: "Call") -> Answer:
    """`cockpit research gate1`: exit 1 where the study is not viable. Raises `CannotAnswer`."""
    return _gate(call, 1)


def gate2(call: "Call") -> Answer:
    """`cockpit research gate2`: exit 1 where the decision is no GO. Raises `CannotAnswer`."""
    return _gate(call, 2)


def approve(call: "Call") -> Answer:
    """The human checkpoint. Raises `CannotAnswer`, also where no person asks."""
    from cockpit.bench.research import change
    from cockpit.bench.shared import only_a_person, person
    from cockpit.clock import iso, now
    from cockpit.plain_text import plain_text
    from skills.workflow.research import approved

    only_a_person("the approval")
    repository, note = call.repository(), plain_text(call.args.note, 200)
    who = person(repository.root)
    study = change(repository, call.args.on, lambda one: approved(one, who, iso(now()), note))
    return told(study)


def gate3(call: "Call") -> Answer:
    """`cockpit research gate3`: the review afterwards; exit 1 where it fails. Raises `CannotAnswer`."""
    from cockpit.bench.research import change
    from cockpit.clock import iso, now
    from skills.workflow.research import RATINGS, passed, with_gate3

    given = pairs(call.args.words, [*RATINGS, "cost_actual", "cost_projected", "outcome"])
    proper = {name: value.capitalize() if value.isalpha() else value for name, value in given.items()}
    study = change(call.repository(), call.args.on, lambda one: with_gate3(one, proper, iso(now())))
    return told(study, 0 if passed(study, "gate3") else 1)


def checklist(call: "Call") -> Answer:
    """A checklist with what is done, or one of its items ticked off. Raises `CannotAnswer`."""
    from dataclasses import replace

    from cockpit.bench.research import change, open_study
    from cockpit.bench.shared import person
    from cockpit.clock import iso, now
    from cockpit.errors import CannotAnswer
    from cockpit.plain_text import plain_text
    from skills.workflow.research import Study
    from skills.workflow.research_text import CHECKLISTS, HIDDEN_COSTS, MANDATORY

    lists = {**CHECKLISTS, "hidden-costs": HIDDEN_COSTS, "mandatory": MANDATORY}
    name = call.args.words[0] if call.args.words else open_study(call.repository(), call.args.on).kind
    if name not in lists:
        raise CannotAnswer(f"there is no checklist {plain_text(name, 40)!r}", "use " + ", ".join(lists))
    ticked: dict[str, str] = {}
    if call.args.done is not None:
        if not 1 <= call.args.done <= len(lists[name]):
            raise CannotAnswer(f"{name} has items 1 to {len(lists[name])}")
        said = f"{person(call.repository().root)}, {iso(now())} {plain_text(call.args.note, 200)}".strip()

        def step(study: Study) -> Study:
            return replace(study, ticked={**study.ticked, f"{name}.{call.args.done}": said})

        ticked = change(call.repository(), call.args.on, step).ticked
    else:
        try:
            ticked = open_study(call.repository(), call.args.on).ticked
        except CannotAnswer:
            ticked = {}
    rows = [{"item": n, "text": text, "done": ticked.get(f"{name}.{n}")} for n, text in enumerate(lists[name], 1)]
    lines = [f"{'[x]' if row['done'] else '[ ]'} {row['item']}. {row['text']}"
             + (f"  ({row['done']})" if row["done"] else "") for row in rows]  # fmt: skip
    return 0, {"checklist": name, "items": rows}, lines

"""`cockpit route`: which lane, stage, specialists and agent a task needs; Django or FastAPI where none is chosen."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.call import Call, print_json
from cockpit.errors import CannotAnswer

if TYPE_CHECKING:
    from skills.routing.agents import Candidate, Record, Selection
    from skills.routing.decide import Decision
    from skills.routing.lanes import LaneEvidence
    from skills.routing.route import Route

EXAMPLES = """examples:
  cockpit route "add a users endpoint with tests"      lane, stage, specialists, agent
  cockpit route --json "deploy the API"
  cockpit route --map                                  lanes by stages, agents by role, the decision trees
  cockpit route --decide                               Django or FastAPI, eight questions
  cockpit route --decide --yes json,async --no admin,pages,relational,celery,own-stack,concurrency
  cockpit route --decide --adr docs/decisions/ADR-001-framework.md
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("task", nargs="?", metavar="TASK", help="the task in words; -: read it from stdin")
    parser.add_argument("--map", action="store_true", help="both maps and the decision trees, with what is lit here")
    parser.add_argument("--decide", action="store_true", help="Django or FastAPI: asks eight questions")
    parser.add_argument("--yes", metavar="A,B", default="", help="decide: the questions answered with yes")
    parser.add_argument("--no", metavar="A,B", default="", help="decide: the questions answered with no")
    parser.add_argument(
        "--adr", metavar="FILE", help="decide: write the decision there (a file that does not exist yet)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(call: Call) -> int:
    """Print the route, or decide. Exit code 0; 1 where a decision stays open."""
    if call.args.decide:
        return _decide(call)
    if call.args.adr or call.args.yes or call.args.no:
        raise CannotAnswer("--yes, --no and --adr belong to --decide")
    if call.args.map:
        return _map(call)
    from cockpit.agents.installed import installed_agents
    from cockpit.commands.analyze import read_words
    from skills.routing.agents import select_agent
    from skills.routing.route import route_task

    task = read_words(call.args.task, "a task")
    root, evidence = _repository(call)
    route = route_task(task, evidence)
    selection = select_agent(task, route.lane, installed_agents(root), _history(call, root))
    if call.args.json:
        print_json(document(route, selection))
    else:
        print("\n".join(_lines(route, selection)))
    return 0


def _map(call: Call) -> int:
    from cockpit.agents.installed import installed_agents
    from skills.routing.agents import agent_rows
    from skills.routing.catalogue import LEAVES
    from skills.routing.lanes import LANES
    from skills.routing.route import STAGES, spokes_at

    root, evidence = _repository(call)
    rows = agent_rows(installed_agents(root), _history(call, root))
    lanes = {lane: {stage: list(spokes_at(lane, stage)) for stage in STAGES} for lane in LANES}
    if call.args.json:
        lit = [{"lane": one.lane, "folder": one.folder, "why": one.why, "firm": one.firm} for one in evidence]
        agents = [
            {
                "name": row.name,
                "category": row.category,
                "specialty": row.specialty,
                "installed": row.instance,
                "derived": row.derived,
                "history": _record(row.record),
            }
            for row in rows
        ]
        trees = [{"tree": leaf.tree, "question": leaf.question, "agent": leaf.role} for leaf in LEAVES]
        print_json({"lanes": lanes, "evidence": lit, "agents": agents, "trees": trees, "meta": {}})
        return 0
    shown = {one.lane for one in evidence}
    for lane in LANES:
        print(f"{lane}{' *' if lane in shown else ''}")
        for stage in STAGES:
            names = ", ".join(lanes[lane][stage]) or "ruff's S rules, bandit, pip-audit"
            print(f"  {'ship' if stage == 'verify' else stage:<10} {names}")
    for category in dict.fromkeys(row.category for row in rows):
        print(f"\n{category}")
        for row in rows:
            if row.category == category:
                runs = f"  {row.record.successes} of {row.record.runs} runs good" if row.record else ""
                print(f"  {row.name:<26} {row.instance or '-'}{runs}")
    for tree in dict.fromkeys(leaf.tree for leaf in LEAVES):
        print(f"\n{tree}: the first yes decides")
        for leaf in LEAVES:
            if leaf.tree == tree:
                print(f"  {leaf.question:<30} {leaf.role}")
    print("\n* shown by this repository" if shown else "\nno framework in this repository")
    return 0


def _repository(call: Call) -> "tuple[Path | None, tuple[LaneEvidence, ...]]":
    """The root and what it shows; nothing outside of a repository, unless `--repo` asks for one."""
    from cockpit.phases.lanes import lane_evidence

    try:
        repository = call.repository()
    except CannotAnswer:
        if call.args.repo:
            raise
        return None, ()
    return repository.root, lane_evidence(repository)


def _history(call: Call, root: Path | None) -> "dict[str, Record]":
    """How agents did so far in this repository."""
    if root is None:
        return {}
    from cockpit.agents.runs import agent_runs
    from cockpit.clock import now

    return agent_runs(call.repository(), now())


def document(route: "Route", selection: "Selection") -> dict[str, Any]:
    """The route and the agent as one JSON object."""
    best = selection.best
    return {
        "lane": route.lane,
        "stage": route.stage,
        "spokes": list(route.spokes),
        "core": route.core,
        "test_implications": list(route.test_implications),
        "security_implications": list(route.security_implications),
        "next_action": route.next_action,
        "reasons": list(route.reasons),
        "agent": {
            **_candidate(best),
            "confidence": round(selection.confidence, 1),
            "alternatives": [_candidate(one) for one in selection.alternatives],
            "fallback": selection.fallback,
            "task_type": selection.task_type,
            "leaf": selection.leaf or None,
        },
        "stages": list(route.stages),
        "ambiguous": list(route.ambiguous),
        "meta": {},
    }


def _record(record: "Record | None") -> dict[str, Any] | None:
    """How the runs of an agent went here; measured."""
    if record is None:
        return None
    return {
        "runs": record.runs,
        "successes": record.successes,
        "seconds": record.seconds,
        "tokens": record.tokens,
        "tasks": list(record.tasks),
    }


def _candidate(one: "Candidate") -> dict[str, Any]:
    return {
        "name": one.name,
        "score": one.score,
        "installed": one.instance,
        "derived": one.derived,
        "history": _record(one.record),
        "terms": [{"why": why, "points": points} for why, points in one.terms],
    }


def _lines(route: "Route", selection: "Selection") -> list[str]:
    from cockpit.columns import hanging, output_width

    best = selection.best
    agent = f"{best.name}, {best.score:g} points, {selection.confidence:g} ahead"
    if best.instance and best.instance != best.name:
        agent += f", as {best.instance}"
    elif best.instance is None:
        agent += f", not installed: use {selection.fallback}"
    others = ", ".join(f"{one.name} {one.score:g}" for one in selection.alternatives)
    rows = [
        ("lane", route.lane + (f" (or {' or '.join(route.ambiguous)})" if route.ambiguous else "")),
        ("stage", " → ".join("ship" if stage == "verify" else stage for stage in route.stages)),
        ("spokes", " → ".join(route.spokes) or "none: ruff's S rules, bandit and pip-audit answer"),
        ("core", "yes: framework, boundary, persistence or gate" if route.core else "no"),
        ("agent", agent),
        ("others", others),
        *(("test", text) for text in route.test_implications),
        *(("security", text) for text in route.security_implications),
        *(("because", reason) for reason in route.reasons),
        ("next", route.next_action),
    ]
    width = output_width()
    return [line for name, value in rows if value for line in hanging(f"{name:<9} ", value, width)]


def _decide(call: Call) -> int:
    from skills.routing.decide import QUESTIONS, decide, words_answers

    answers = {**words_answers(call.args.task or ""), **_given(call.args.yes, True), **_given(call.args.no, False)}
    open_questions = [question for question in QUESTIONS if question.id not in answers]
    if open_questions and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise CannotAnswer(
            f"not answered: {', '.join(question.id for question in open_questions)}",
            "give each to --yes or --no, or run it in a terminal",
        )
    target = _new_file(call.args.adr)
    for question in open_questions:
        answers[question.id] = _ask(question.text)
    decision = decide(answers, {one.lane for one in _repository(call)[1] if one.firm})
    if target is not None:
        from cockpit.agents.framework_record import write_record

        write_record(target, decision)
    if call.args.json:
        print_json(_decision(decision, target))
    else:
        print("\n".join(_decision_lines(decision, target)))
    return 0 if decision.framework else 1


def _given(names: str, answer: bool) -> dict[str, bool]:
    from skills.routing.decide import QUESTIONS

    known = [question.id for question in QUESTIONS]
    found = [name.strip() for name in names.split(",") if name.strip()]
    for name in found:
        if name not in known:
            raise CannotAnswer(f"there is no question {name[:40]!r}", f"they are {', '.join(known)}")
    return dict.fromkeys(found, answer)


def _ask(text: str) -> bool:
    while True:
        print(f"{text} [y/n] ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            raise CannotAnswer("the questions were not answered to the end")
        if (said := line.strip().lower()) in ("y", "yes", "s", "sí", "si", "n", "no"):
            return said[0] in "ys"


def _new_file(name: str | None) -> Path | None:
    if name is None:
        return None
    path = Path(name)
    if path.exists() or path.is_symlink():
        raise CannotAnswer(f"{name} exists", "a decision is never overwritten: choose another name")
    return path


def _decision(decision: "Decision", target: Path | None) -> dict[str, Any]:
    from skills.routing.decide import QUESTIONS

    return {
        "framework": decision.framework,
        "points": dict(decision.points),
        "why": decision.why,
        "questions": [
            {
                "id": question.id,
                "side": question.side,
                "question": question.text,
                "answer": decision.answers[question.id],
            }
            for question in QUESTIONS
        ],
        "adr": str(target) if target else None,
        "meta": {},
    }


def _decision_lines(decision: "Decision", target: Path | None) -> list[str]:
    from skills.routing.decide import QUESTIONS

    names, said = {"django": "Django", "fastapi": "FastAPI"}, {True: "yes", False: "no"}
    rows = [
        f"{question.id:<12} {said[decision.answers[question.id]]:<4} {names[question.side]:<8} {question.text}"
        for question in QUESTIONS
    ]
    chosen = names[decision.framework] if decision.framework else "undecided"
    written = [f"written: {target}"] if target else []
    return [*rows, "", f"{chosen}: {decision.why}", *written]

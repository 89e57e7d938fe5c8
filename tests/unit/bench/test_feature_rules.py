"""The rules of a feature: tasks and groups, the order of gates, alerts, measures."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skills.workflow.feature import (
    GATES,
    PHASES,
    Confirmed,
    Feature,
    confirmed,
    next_step,
    noted,
    open_blockers,
    overridden,
    passed,
    phase,
    with_gate,
)
from skills.workflow.feature_plan import PlannedTask, agent_for, groups, hours_of, planned
from skills.workflow.feature_text import SHIP
from skills.workflow.observers import Alert
from skills.workflow.process import Check, together
from skills.workflow.quality import complexities, duplication, measure, typed_share

FEATURE = Feature("f", "Invoices", "2026-11-20T10:00:00Z")
BRIEF = """# Feature: Invoice API
## Problem
Nobody can send invoices.
## Success criteria
- [ ] it works
## In scope
- invoices
## Out of scope
- refunds
## Technical approach
One endpoint.
## Tasks
- [ ] Schema of invoices #db (2h) @database
- [ ] Endpoints #api (3h) depends: #db
- [ ] The form #ui (5h) @frontend depends: #db
- [ ] End to end #e2e (1h) @testing depends: #api, #ui
"""
NOW = dict.fromkeys(GATES, "s1")
GOOD = (Check("a", "A", "pass"),)


def test_tasks_are_read_with_hours_roles_and_dependencies() -> None:
    tasks = planned(BRIEF)
    assert [(one.id, one.hours, one.role) for one in tasks] == [
        ("db", 2.0, "database"),
        ("api", 3.0, "backend"),
        ("ui", 5.0, "frontend"),
        ("e2e", 1.0, "testing"),
    ]
    found = groups(tasks)
    assert [[one.id for one in group.tasks] for group in found] == [["db"], ["api", "ui"], ["e2e"]]
    assert [group.hours for group in found] == [2.0, 5.0, 1.0] and hours_of(found) == (8.0, 11.0, 0)
    assert agent_for("database", []) == ("database-design:database-architect", False)
    assert agent_for("database", ["database-design:sql-pro"]) == ("database-design:sql-pro", True)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("- [ ] a #a depends: #c\n- [ ] b #b depends: #a\n- [ ] c #c depends: #b", "wait for each other"),
        ("- [ ] a #a depends: #a", "#a → #a"),
        ("- [ ] a #a depends: #gone", "no task here"),
        ("- [ ] a #a\n- [ ] b #a", "two tasks"),
    ],
)
def test_a_cycle_and_what_is_missing_are_refused(lines: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        groups(planned(f"## Tasks\n{lines}\n"))


@given(st.dictionaries(st.sampled_from("abcdef"), st.frozensets(st.sampled_from("abcdef"), max_size=3), max_size=6))
def test_groups_keep_every_dependency_or_name_why_not(graph: dict[str, frozenset[str]]) -> None:
    tasks = [PlannedTask(name, name, depends=tuple(sorted(depends))) for name, depends in graph.items()]
    try:
        found = groups(tasks)
    except ValueError:
        whole = all(depends <= graph.keys() for depends in graph.values())
        left = dict(graph)
        while free := [name for name, depends in left.items() if not depends & left.keys()]:
            for name in free:
                del left[name]
        assert not whole or left
        return
    place = {one.id: number for number, group in enumerate(found) for one in group.tasks}
    assert len(place) == len(tasks) and all(place[d] < place[t.id] for t in tasks for d in t.depends)


@given(st.lists(st.tuples(st.sampled_from(["pass", "fail", "override", "move", "hollow"]), st.sampled_from(GATES)),
                max_size=25))  # fmt: skip
def test_no_path_around_a_gate(steps: list[tuple[str, str]]) -> None:
    feature, now, free = FEATURE, dict(NOW), dict.fromkeys(GATES, "")
    for step, gate in steps:
        before = all(free[name] for name in GATES[: GATES.index(gate)])  # type: ignore[arg-type]
        try:
            if step in ("pass", "fail"):
                feature = with_gate(feature, gate, [Check("a", "A", step)], "t", now)  # type: ignore[arg-type]
                forgiven = any(one.gate == gate and one.stamp == now[gate] for one in feature.overrides)
                assert before
                free[gate] = "yes" if step == "pass" or forgiven else ""
            elif step == "move":
                now[gate] += "+"
                free[gate] = ""
            else:
                feature = overridden(feature, gate, " " if step == "hollow" else "because", "Ada", "t", now)
                assert before and step == "override" and gate != "ship"
                free[gate] = "yes"
        except ValueError:
            continue
    for number, gate in enumerate(GATES):
        assert passed(feature, gate, now) == all(free[name] for name in GATES[: number + 1])
    assert (phase(feature, now) == len(PHASES)) == all(free.values())


def test_a_gate_counts_for_the_state_that_it_was_judged_at() -> None:
    feature = with_gate(FEATURE, "contract", GOOD, "t", NOW)
    assert passed(feature, "contract", NOW) and phase(feature, NOW) == 1
    moved = {**NOW, "contract": "s2"}
    assert not passed(feature, "contract", moved) and "the work changed since" in next_step(feature, moved)
    assert together([]) == "not_run" and together([Check("a", "A", "not_applicable")]) == "pass"
    with pytest.raises(ValueError, match="say why"):
        confirmed(feature, "rls", Confirmed("not_applicable", "Ada", "t", "s1", " "))


def test_alerts_open_resolve_and_come_back() -> None:
    alert = Alert("O-1", "BLOCKER", "x.py", 1, "is out of scope", "take it back")
    feature = noted(FEATURE, "tree", [alert], "t1")
    assert len(open_blockers(feature)) == 1
    moved = noted(feature, "tree", [replace(alert, line=9)], "t2")
    assert [(one.at, one.alert.line) for one in moved.alerts] == [("t1", 9)]
    gone = noted(moved, "tree", [], "t3")
    assert not open_blockers(gone) and gone.alerts[0].state == "RESOLVED"
    assert len(open_blockers(noted(gone, "tree", [alert], "t4"))) == 1
    other = noted(feature, "other", [], "t2")
    assert len(open_blockers(other)) == 1


def test_measures_are_judged_at_their_limits_and_not_run_without_a_number() -> None:
    import ast

    tree = ast.parse(
        "def f(a: int, b) -> int:\n    if a and b or a:\n        return 1\n    return [x for x in a if x]\n"
    )
    assert complexities(tree) == [(1 + 1 + 2 + 1, 1, "f")] and typed_share([tree]) == pytest.approx(200 / 3)
    assert typed_share([ast.parse("x = 1")]) is None
    block = "\n".join(f"value_{n} = compute({n})" for n in range(8))
    assert duplication({"a.py": block, "b.py": block})[0] == 100.0
    assert duplication({"a.py": block, "b.py": "y = 1\n"})[0] == 0.0
    assert measure("c", "C", 79.99, 80, least=True).status == "fail"
    assert measure("c", "C", 80.0, 80, least=True).status == measure("d", "D", 5.0, 5, least=False).status == "pass"
    assert measure("c", "C", None, 80, least=True).status == "not_run"
    assert measure("c", "C", float("nan"), 80, least=True).status == "not_run" and len(SHIP) == 20

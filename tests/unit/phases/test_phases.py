"""From events to the six phases: what lights a phase, what skips it, what the checks and the summary say."""

from collections.abc import Iterable
from datetime import timedelta

import pytest

from cockpit.agents.claude import EventParser
from skills.orchestrator.checks import ContextReading
from skills.orchestrator.context import context_level, context_window
from skills.orchestrator.events import Event
from skills.orchestrator.model import PHASE_NAMES
from skills.orchestrator.phases import TaskReading, read_phases
from tests.unit.claude_lines import Talk, text, thinking


def events_of(talk: Talk) -> Iterable[Event]:
    parser = EventParser()
    return [event for line in talk.data().splitlines() for event in parser.events(line)]


def read(talk: Talk, model: str | None = "claude-sonnet-4-5") -> TaskReading:
    return read_phases(events_of(talk), model=model, context=ContextReading("safe", "10 % of 200K"))


def statuses(talk: Talk) -> list[str]:
    return [phase.status for phase in read(talk).phases]


def started(prompt: str = "Add a users endpoint with tests") -> Talk:
    talk = Talk()
    talk.prompt(prompt)
    return talk


def check(talk: Talk, phase: int, number: int) -> bool | None:
    return read(talk).phases[phase].checks[number].holds


def test_nothing_happened_yet() -> None:
    reading = read_phases(())

    assert [phase.status for phase in reading.phases] == ["pending"] * 6
    assert [phase.name for phase in reading.phases] == list(PHASE_NAMES)
    assert sum(len(phase.checks) for phase in reading.phases) == 19
    assert reading.summary == ""


def test_a_prompt_lights_pre_analysis_with_score_risk_and_class() -> None:
    reading = read(started("Fix UserViewSet in apps/users/views.py"))

    assert reading.current == 0
    assert reading.phases[0].status == "current"
    assert reading.phases[0].evidence.endswith("risk HIGH (ViewSet) · bug")
    assert reading.phases[2].evidence.startswith("medium · standard·4096")


def test_the_first_thought_lights_request_analysis() -> None:
    talk = started()
    talk.says(thinking())

    assert statuses(talk) == ["done", "current", "pending", "pending", "pending", "pending"]


def test_a_word_after_the_first_tool_lights_nothing() -> None:
    talk = started()
    talk.does("Read", file_path="a.py")
    talk.says(text("I see."))

    assert statuses(talk)[1] == "skipped"
    assert read(talk).current == 4


def test_a_question_back_before_any_tool_is_request_analysis() -> None:
    talk = started()
    talk.says(talk.call("AskUserQuestion", questions=[{"question": "Which field?"}]), stop="tool_use")

    assert read(talk).current == 1


def test_todos_before_the_first_change_are_the_plan_and_later_ones_are_not() -> None:
    talk = started()
    talk.says(thinking())
    talk.does("Read", file_path="a.py")
    talk.does("TodoWrite", todos=[{"content": "one"}, {"content": "two"}])
    assert read(talk).current == 2
    assert read(talk).phases[2].evidence.endswith("2 todos")

    late = started()
    late.does("Edit", file_path="a.py")
    late.does("TodoWrite", todos=[])
    assert statuses(late)[2] == "skipped"
    assert read(late).current == 4


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("Skill", {"skill": "django-testing-patterns"}),
        ("Task", {"subagent_type": "Explore", "description": "look"}),
        ("Agent", {"subagent_type": "Explore", "description": "look"}),
    ],
)
def test_skills_and_sub_agents_light_skill_coordination(tool: str, arguments: dict[str, str]) -> None:
    talk = started()
    talk.does(tool, **arguments)

    assert read(talk).current == 3


def test_a_slash_command_starts_a_task_and_counts_as_a_skill() -> None:
    talk = Talk()
    talk.prompt(
        "<command-message>check-tenant</command-message><command-name>/check-tenant</command-name>"
        "<command-args>apps/users</command-args>"
    )
    reading = read(talk)

    assert reading.facts.prompt == "/check-tenant apps/users"
    assert reading.current == 3
    assert reading.phases[3].evidence == "check-tenant"


def test_no_skill_called_for_skips_coordination() -> None:
    talk = started("Add a users endpoint")
    talk.does("Read", file_path="a.py")

    assert statuses(talk)[3] == "skipped"


@pytest.mark.parametrize(("ends", "status"), [(False, "pending"), (True, "skipped")])
def test_a_skill_called_for_stays_pending_until_the_turn_ends(ends: bool, status: str) -> None:
    talk = started("Add tests")
    talk.does("Read", file_path="a.py")
    if ends:
        talk.ends()

    assert statuses(talk)[3] == status


def test_a_complete_prompt_skips_request_analysis_even_when_the_agent_thinks() -> None:
    talk = started(
        "<task>Add pagination to `UserViewSet` in apps/users/views.py, Django 5</task>\n"
        "<context>Currently it returns 500 "
        'with "KeyError: page" for an empty page; multi-tenant</context>\n1. service\n2. tests\n```python\nx\n```\n'
        "Expected: 200 as JSON. Don't touch the serializer. Done when pytest passes and all tests must pass."
    )
    talk.says(thinking())

    assert statuses(talk)[:2] == ["current", "skipped"]
    assert read(talk).phases[1].evidence == "100 skip · not needed"


def test_tests_before_any_change_are_no_quality_assurance() -> None:
    talk = started()
    talk.does("Bash", command="pytest -q")

    assert read(talk).current == 4


def test_tests_after_a_change_are_quality_assurance() -> None:
    talk = started()
    talk.does("Edit", file_path="a.py")
    talk.does("Bash", command="pytest -q")

    assert read(talk).current == 5
    assert read(talk).summary == "2 steps · tests passed after the last edit"


def test_the_end_of_the_turn_is_quality_assurance_only_after_a_change() -> None:
    asked, changed = started(), started()
    asked.does("Read", file_path="a.py")
    asked.ends()
    changed.does("Write", file_path="a.py")
    changed.ends()

    assert (read(asked).current, statuses(asked)[5]) == (4, "skipped")
    assert (read(changed).current, statuses(changed)[5]) == (5, "current")
    assert read(changed).phases[5].evidence == "no test run since the last edit"


def test_an_interruption_is_no_end_that_assures_anything() -> None:
    talk = started()
    talk.does("Edit", file_path="a.py")
    talk.prompt([text("[Request interrupted by user for tool use]")])

    assert read(talk).current == 4
    assert read(talk).facts.turn_end is not None


def test_a_new_prompt_starts_a_new_task() -> None:
    talk = started()
    talk.does("Edit", file_path="a.py")
    talk.does("Bash", command="pytest")
    talk.prompt("Now rename it")

    assert statuses(talk)[0] == "current"
    assert read(talk).facts.made == []


@pytest.mark.parametrize(
    ("command", "failed", "says"),
    [
        ("pytest", False, "tests passed after the last edit"),
        ("pytest", True, "tests failed after the last edit"),
        ("pytest | tail", False, "tests ran after the last edit, their status was not kept"),
        ("ruff check .", False, "no test run since the last edit (lint ran)"),
    ],
)
def test_what_the_last_check_says(command: str, failed: bool, says: str) -> None:
    talk = started()
    talk.does("Edit", file_path="a.py")
    talk.does("Bash", failed=failed, command=command)

    assert read(talk).summary.endswith(says)


def test_gates_that_ran_before_the_last_edit_are_unknown() -> None:
    talk = started()
    talk.does("Bash", command="cockpit check")
    talk.does("Edit", file_path="a.py")

    assert [check(talk, 5, number) for number in range(3)] == [None, None, None]


def test_gates_that_ran_after_the_last_edit_are_known() -> None:
    talk = started()
    talk.does("Edit", file_path="a.py")
    talk.does("Bash", command="cockpit check")
    talk.does("Bash", failed=True, command="mypy .")
    assert [check(talk, 5, number) for number in range(3)] == [True, False, True]


def test_three_reads_in_one_message_are_parallel() -> None:
    talk = started()
    calls = [talk.call("Read", file_path=f"apps/{name}.py") for name in ("users", "books", "loans")]
    talk.says(*calls, stop="tool_use")
    for call in calls:
        talk.result(call)

    assert read(talk).summary == "1 step, 3 reads in parallel"
    assert check(talk, 4, 1) is True


def test_three_independent_reads_in_a_row_could_have_been_parallel() -> None:
    talk = started()
    for name in ("users", "books", "loans"):
        talk.does("Read", "class Thing", took=4, file_path=f"apps/{name}.py")

    assert read(talk).summary == "3 steps, 3 in a row that could have been (8 s)"
    assert check(talk, 4, 1) is False


def test_a_read_that_follows_from_the_result_before_it_is_no_fault() -> None:
    talk = started()
    talk.does("Read", "nothing here", file_path="apps/users.py")
    talk.does("Grep", "apps/hidden_loans.py:3: def lend", pattern="lend")
    talk.does("Read", "def lend", file_path="apps/hidden_loans.py")

    assert "in a row" not in read(talk).summary
    assert check(talk, 4, 1) is True


def test_an_edit_between_reads_breaks_the_run() -> None:
    talk = started()
    talk.does("Read", file_path="apps/users.py")
    talk.does("Read", file_path="apps/books.py")
    talk.does("Edit", file_path="apps/books.py")
    talk.does("Read", file_path="apps/loans.py")

    assert "in a row" not in read(talk).summary


def test_reads_too_large_to_hold_are_never_called_independent() -> None:
    talk = started()
    for name in ("users", "books", "loans", "fines"):
        talk.does("Read", "x " * 150_000, file_path=f"apps/{name}.py")

    assert "in a row" not in read(talk).summary


def test_a_lone_short_sub_agent_is_not_worth_it_and_two_at_once_are() -> None:
    lone, pair = started(), started()
    lone.does("Task", took=40, subagent_type="Explore", description="look")
    calls = [pair.call("Task", subagent_type="Explore", description=words) for words in ("one", "two")]
    pair.says(*calls, stop="tool_use")
    for call in calls:
        pair.result(call)

    assert (check(lone, 3, 2), check(pair, 3, 2)) == (False, True)


def test_a_p0_skill_that_the_prompt_calls_for_must_be_loaded() -> None:
    talk = started("Filter by tenant_id in the users view")
    assert check(talk, 3, 0) is False

    talk.does("Skill", skill="multi-tenant-guardian")
    assert check(talk, 3, 0) is True


def test_a_vague_prompt_wants_a_question_before_the_first_change() -> None:
    talk = started("fix the user thing")
    assert check(talk, 1, 1) is None
    talk.does("Edit", file_path="a.py")
    assert check(talk, 1, 1) is False


def test_web_search_is_not_judged_where_no_documentation_server_was_seen() -> None:
    talk = started()
    talk.does("WebSearch", query="django select_related")

    assert check(talk, 4, 0) is None


@pytest.mark.parametrize("server", ["mcp__context7__get-library-docs", "context7_get-library-docs", "query-docs"])
def test_web_search_is_judged_where_a_documentation_server_was_seen(server: str) -> None:
    talk = started()
    talk.does("WebSearch", query="django select_related")
    talk.does(server, library="django")
    assert check(talk, 4, 0) is False


def test_times_that_are_missing_leave_the_seconds_out() -> None:
    talk = started()
    for name in ("users", "books", "loans"):
        talk.does("Read", file_path=f"apps/{name}.py")
    for line in talk.lines:
        line["timestamp"] = 12345678901234567890

    assert read(talk).summary == "3 steps, 3 in a row that could have been"


@pytest.mark.parametrize(
    ("used", "window", "level"),
    [
        (149_999, 200_000, "safe"),
        (150_000, 200_000, "warn"),
        (174_999, 200_000, "warn"),
        (175_000, 200_000, "alert"),
        (190_000, 200_000, "critical"),
        (175_000, 1_000_000, "safe"),
    ],
)
def test_levels_of_the_context_window(used: int, window: int, level: str) -> None:
    assert context_level(used, window) == level


@pytest.mark.parametrize(
    ("model", "largest", "known", "window"),
    [
        ("claude-sonnet-4-5[1m]", 10, 200_000, 1_000_000),
        ("claude-sonnet-4-5", 200_001, 200_000, 1_000_000),
        ("claude-sonnet-4-5", 200_000, 200_000, 200_000),
        ("claude-opus-5", 10, 1_000_000, 1_000_000),
        ("unheard-of", 10, None, 200_000),
    ],
)
def test_window_of_the_context(model: str, largest: int, known: int | None, window: int) -> None:
    found, source = context_window(model, largest, known)

    assert found == window
    assert source


def test_a_long_task_is_read_in_steps_of_its_own() -> None:
    talk = started()
    talk.at += timedelta(hours=2)
    for number in range(50):
        talk.does("Edit", file_path=f"a{number}.py")

    assert read(talk).phases[4].evidence == "50 steps"

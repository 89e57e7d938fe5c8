"""How often the detectors are right: planted sessions, each habit beside its near misses, counted as a whole."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from cockpit.phases.habits import read_habits
from cockpit.repository import find_repository
from skills.orchestrator.habit_models import PATTERNS
from skills.orchestrator.habits import habit_rows
from tests.unit.claude_lines import Talk
from tests.unit.other_talk import write_as_codex, write_as_gemini, write_as_opencode
from tests.unit.phases.test_habits import (
    project,
)
from tests.unit.planted_talks import (
    CLEAR,
    PLANTS,
    delegate,
    page_of_a_docs_host_with_a_server_listed,
    says,
    vague_prompt_after_clear,
)

__all__ = ["project"]

Plant = Callable[[Talk], None]
SERIAL, WEB, VAGUE, FULL, NEEDLESS, CLAIM = PATTERNS


def reads(tool: str, key: str, *values: str, answer: str = "nothing here") -> Plant:
    def plant(talk: Talk) -> None:
        for value in values:
            talk.does(tool, answer, **{key: value})

    return plant


def chain(talk: Talk) -> None:
    talk.does("Grep", "users/handlers_v2.py:3", pattern="def create")
    talk.does("Read", "from payments_core import charge", file_path="users/handlers_v2.py")
    talk.does("Read", "nothing", file_path="payments_core.py")


def mixed(talk: Talk) -> None:
    talk.does("Read", "x", file_path="alpha.py")
    talk.does("Grep", "y", pattern="bravo")
    talk.does("Glob", "z", pattern="**/charlie*.py")


def between(name: str, **given: object) -> Plant:
    def plant(talk: Talk) -> None:
        reads("Read", "file_path", "alpha.py", "bravo.py")(talk)
        talk.does(name, **given)
        reads("Read", "file_path", "charlie.py", "delta.py")(talk)

    return plant


def pairs_at_once(talk: Talk) -> None:
    for pair in (("alpha.py", "bravo.py"), ("charlie.py",), ("delta.py", "echo.py")):
        calls = [talk.call("Read", file_path=name) for name in pair]
        talk.says(*calls, stop="tool_use")
        for call in calls:
            talk.result(call)


def web(name: str, **given: str) -> Plant:
    def plant(talk: Talk) -> None:
        talk.does("mcp__context7__get-library-docs", "x" * 400, library="django")
        talk.does(name, "y" * 4000, **given)

    return plant


def vague(words: str, *steps: Plant) -> Plant:
    def plant(talk: Talk) -> None:
        talk.prompt(words, after=7200)
        for step in steps:
            step(talk)

    return plant


def does(name: str, *, failed: bool = False, **given: object) -> Plant:
    return lambda talk: talk.does(name, failed=failed, **given)


def growing(*sizes: int, model: str = "claude-sonnet-4-5", compact: bool = False) -> Plant:
    def plant(talk: Talk) -> None:
        for number, size in enumerate(sizes):
            if number and compact:
                told = {"preTokens": sizes[number - 1], "postTokens": 9_000}
                talk.line("system", subtype="compact_boundary", compactMetadata=told)
            call = talk.call("Bash", command=f"cat part{number}.log")
            talk.says(call, stop="tool_use", used=size, model=model)
            talk.result(call, "x")

    return plant


def agent(**usage: object) -> Plant:
    return lambda talk: delegate(talk, **usage)  # type: ignore[arg-type]


def edited(*steps: Plant, claim: str) -> Plant:
    def plant(talk: Talk) -> None:
        talk.does("Edit", file_path="apps/users/views.py")
        for step in steps:
            step(talk)
        says(talk, claim)

    return plant


def ran(command: str, *, failed: bool = False) -> Plant:
    return does("Bash", command=command, failed=failed)


def a_good_task(talk: Talk) -> None:
    pairs_at_once(talk)
    edited(ran("uv run pytest -q"), claim="The endpoint is there and all 42 tests pass.")(talk)


def only_an_answer(talk: Talk) -> None:
    says(talk, "The middleware sets the tenant; the manager filters by it.")


EDIT = does("Edit", file_path="a.py")
READ = does("Read", file_path="a.py")

MORE: list[tuple[str | None, Plant]] = [
    (SERIAL, reads("Grep", "pattern", "alpha", "bravo", "charlie", "delta", "echo")),
    (SERIAL, reads("Glob", "pattern", "**/models.py", "**/urls.py", "**/admin.py")),
    (SERIAL, reads("mcp__db__query", "table", "users", "invoices", "tenants")),
    (SERIAL, mixed),
    (SERIAL, reads("Read", "file_path", "alpha.py", "bravo.py", "charlie.py", "delta.py", answer="import zulu")),
    (None, reads("Read", "file_path", "alpha.py", "bravo.py")),
    (None, chain),
    (None, between("Bash", command="git status")),
    (None, between("AskUserQuestion", questions=[{"question": "Which one?"}])),
    (None, between("mcp__tracker__create_issue", title="x")),
    (None, pairs_at_once),
    (WEB, web("WebFetch", url="https://docs.celeryq.dev/en/stable/userguide/tasks.html")),
    (WEB, web("WebSearch", query="celery retry backoff documentation")),
    (WEB, web("WebSearch", query="Django prefetch_related example")),
    (None, web("WebSearch", query="django 6 release date")),
    (None, web("WebSearch", query="postal code formats of Spain")),
    (None, web("WebSearch", query="flask blueprint tutorial")),
    (None, web("WebFetch", url="https://example.com/blog/how-we-moved-offices")),
    (None, reads("WebFetch", "url", "https://docs.djangoproject.com/en/5.1/")),
    (VAGUE, vague("make it better", does("Write", file_path="a.py"))),
    (VAGUE, vague("arregla la cosa esa", EDIT)),
    (VAGUE, vague("fix it", READ, EDIT)),
    (VAGUE, vague("do the thing we said", ran("sed -i s/a/b/ a.py"))),
    (None, vague("make it better", does("TodoWrite", todos=[{"content": "x"}]), EDIT)),
    (None, vague("make it better", does("ExitPlanMode", plan="first this"), EDIT)),
    (None, vague("fix it", READ, does("Grep", pattern="x"), EDIT)),
    (None, vague("fix it", ran("git log -3"), ran("cat a.py"), EDIT)),
    (None, vague("make it better", only_an_answer)),
    (None, vague("yes", EDIT)),
    (None, vague("commit it", EDIT)),
    (None, vague(CLEAR, EDIT)),
    (None, vague("fix it", ran("pytest -q", failed=True), READ, EDIT)),
    (FULL, growing(150_000, 192_000)),
    (FULL, growing(178_000, 189_500)),
    (FULL, growing(880_000, 945_000, model="claude-sonnet-4-5[1m]")),
    (None, growing(120_000, 160_000)),
    (None, growing(880_000, 886_000, model="claude-sonnet-4-5[1m]")),
    (None, growing(176_000, 60_000, compact=True)),
    (None, growing(170_000, 179_000)),
    (NEEDLESS, agent(totalDurationMs=100_000, totalToolUseCount=3, totalTokens=50_000)),
    (NEEDLESS, agent(totalDurationMs=299_000, totalToolUseCount=1, totalTokens=10_001)),
    (None, agent(totalTokens=10_000)),
    (None, agent(totalDurationMs=300_000)),
    (None, agent(totalToolUseCount=4)),
    (None, agent(status="async_launched")),
    (CLAIM, edited(claim="All 42 tests pass now.")),
    (CLAIM, edited(claim="Done: ruff is clean.")),
    (CLAIM, edited(claim="Listo. Los tests pasan.")),
    (CLAIM, edited(ran("pytest -q"), ran("sed -i s/a/b/ apps/users/views.py"), claim="All tests pass.")),
    (CLAIM, edited(claim="- ✅ tests pass\n- endpoint added")),
    (CLAIM, edited(ran("ruff check ."), claim="Everything is done and all tests are passing.")),
    (CLAIM, edited(ran("mypy ."), EDIT, claim="Types: mypy is clean.")),
    (None, edited(claim="If the tests pass, merge it.")),
    (None, edited(claim="Please run pytest to see whether the tests pass.")),
    (None, edited(claim="The log said:\n```\n42 passed\nall tests pass\n```")),
    (None, edited(claim="All tests pass except test_login, which fails.")),
    (None, edited(claim="The tests do not pass yet.")),
    (None, edited(ran("make test"), claim="All tests pass.")),
    (None, edited(ran("docker compose exec web pytest"), claim="All tests pass.")),
    (None, edited(ran("npm test"), claim="The test suite passes.")),
    (None, edited(ran("cockpit verify"), claim="ruff is clean.")),
    (None, edited(ran("cd api && uv run pytest tests/test_users.py -q"), claim="Tests pass.")),
    (None, edited(claim="Do the tests pass on your machine?")),
    (None, edited(ran("pytest -q"), does("Edit", file_path="docs/api.md"), claim="All tests pass.")),
    (None, a_good_task),
    (None, only_an_answer),
]


# what a format does not hold: what a sub-agent took, which servers there were, that the context was cleared
UNTOLD: dict[str, set[str]] = {
    "codex": {NEEDLESS, "listed", "cleared"},
    "gemini": {NEEDLESS, "listed", "cleared"},
    "opencode": {"listed", "cleared"},
}
WRITERS: dict[str, Callable[[Talk, Path], Path]] = {
    "claude": lambda talk, home: talk.write(home / "claude"),
    "codex": write_as_codex,
    "gemini": write_as_gemini,
    "opencode": write_as_opencode,
}


def session_name(number: int) -> str:
    return f"0199c0de-0000-7000-8000-{number:012}"


def told_by(agent: str, habit: str | None, plant: Plant) -> bool:
    """Whether the agent's transcripts can tell this case."""
    untold = UNTOLD.get(agent, set())
    if plant is page_of_a_docs_host_with_a_server_listed and "listed" in untold:
        return False
    if plant is vague_prompt_after_clear and "cleared" in untold:
        return False
    return habit not in untold


@pytest.mark.parametrize("agent", WRITERS)
def test_precision_and_recall_on_planted_sessions(
    agent: str, project: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    cases = [(habit, plant) for habit, plant in [*PLANTS, *MORE] if told_by(agent, habit, plant)]
    assert len(cases) >= 85
    for number, (_, plant) in enumerate(cases):
        talk = Talk(session_name(number), str(project))
        talk.prompt(CLEAR)
        plant(talk)
        for line in talk.lines:
            line["uuid"] = f"{talk.session}-{line['uuid']}"
            if "id" in line.get("message", {}):
                line["message"]["id"] = f"{talk.session}-{line['message']['id']}"
        WRITERS[agent](talk, own_home)
    reading = read_habits(find_repository(project))
    assert reading.agents == (agent,) and reading.sessions == len(cases) and not reading.problems
    found: dict[str, set[str]] = {session_name(number): set() for number in range(len(cases))}
    for look in reading.looks:
        for pattern, one in look.items():
            for violation in one.violations:
                assert violation.agent == agent
                found[violation.session].add(pattern)
    right, missed, wrong = Counter[str](), Counter[str](), Counter[str]()
    others: list[tuple[int, str | None, set[str]]] = []
    for number, (habit, _) in enumerate(cases):
        told = found[session_name(number)]
        right.update(told & {habit})
        missed.update({habit} - told - {None})
        wrong.update(told - {habit})
        if told != {habit} - {None}:
            others.append((number, habit, told))
    for pattern in PATTERNS:
        precision = right[pattern] / max(1, right[pattern] + wrong[pattern])
        recall = right[pattern] / max(1, right[pattern] + missed[pattern])
        if pattern not in UNTOLD.get(agent, set()):
            assert precision >= 0.9 and recall >= 0.9, (pattern, precision, recall, others)


@pytest.mark.parametrize("agent", ["codex", "gemini"])
def test_what_a_format_does_not_tell_was_not_judged_and_says_why(
    agent: str, project: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = Talk("5e55", str(project))
    talk.prompt(CLEAR)
    delegate(talk)
    talk.does("WebSearch", query="Django QuerySet select_related documentation")
    if agent == "gemini":  # its sub-agents are tools of their own names
        talk.lines = [line for line in talk.lines if "toolUseResult" not in line]
    WRITERS[agent](talk, own_home)
    rows = {row.id: row for row in habit_rows(read_habits(find_repository(project)).looks)}
    assert rows[WEB].status == "not_run" and "which servers" in rows[WEB].why
    if agent == "codex":
        assert rows[NEEDLESS].status == "not_run" and "what they took" in rows[NEEDLESS].why

"""Which agent does a task: the catalogue of roles, what is installed, how its runs went."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.agents.installed import installed_agents
from cockpit.agents.runs import agent_runs
from cockpit.cli import main
from cockpit.clock import now
from cockpit.repository import find_repository
from skills.routing.agents import Installed, Record, agent_rows, select_agent, task_type
from skills.routing.catalogue import LEAVES, ROLES, TASK_TYPES
from tests.git import repository_of
from tests.unit.claude_lines import Talk
from tests.unit.other_talk import write_as_opencode


def test_the_catalogue_holds_each_role_once() -> None:
    assert len(ROLES) == 48
    assert sum(len(role.plugins) for role in ROLES.values()) == 75
    assert [len(words) for words in TASK_TYPES.values()] == [10, 9, 10, 10, 10, 10, 10]
    assert [sum(leaf.tree == tree for leaf in LEAVES) for tree in ("debugging", "development")] == [5, 10]
    assert all(leaf.role in ROLES for leaf in LEAVES)


@pytest.mark.parametrize(
    ("task", "lane", "role"),
    [
        ("Deploy the API", None, "deployment-engineer"),
        ("Despliega la API", "django", "deployment-engineer"),
        ("get latest rapid capital report", None, "general-purpose"),
        ("get latest rapid capital report", "django", "general-purpose"),
        ("Fix the failing test", "django", "debugger"),
        ("The dashboard is slow", "django", "performance-engineer"),
        ("slow query in the report", "django", "database-optimizer"),
        ("Review the PR", "fastapi", "code-reviewer"),
        ("Add an endpoint for users", "fastapi", "fastapi-pro"),
        ("Add an endpoint for users", "django", "django-pro"),
        ("Security audit of the login", "django", "security-auditor"),
        ("the latest contest", None, "general-purpose"),
        ("Design the billing service", "foundation", "backend-architect"),
        ("Add an endpoint to the API", "foundation", "backend-architect"),
        ("GraphQL API", "foundation", "graphql-architect"),
        ("close the issue", "foundation", "general-purpose"),
    ],
)
def test_a_task_goes_to_the_agent_of_its_role(task: str, lane: Any, role: str) -> None:
    assert select_agent(task, lane).best.name == role


def test_only_what_is_installed_is_named_as_installed() -> None:
    absent = select_agent("Deploy the API", None)
    assert (absent.best.instance, absent.fallback) == (None, "general-purpose")

    many = [
        Installed("zeta:deployment-engineer", "plugin"),
        Installed("cicd-automation:deployment-engineer", "plugin"),
        Installed("deployment-engineer", "user"),
    ]
    assert select_agent("Deploy the API", None, many).best.instance == "deployment-engineer"
    assert select_agent("Deploy the API", None, many[:2]).best.instance == "cicd-automation:deployment-engineer"
    assert select_agent("Deploy the API", None, many).fallback is None


def test_the_fallback_is_the_best_that_is_installed() -> None:
    found = select_agent("Deploy to kubernetes", None, [Installed("deployment-engineer", "project")])

    assert found.best.name == "kubernetes-architect"
    assert found.fallback == "deployment-engineer"


def test_agents_of_ones_own_are_known_by_their_description() -> None:
    mine = Installed("invoice-keeper", "project", "Keeps invoices, ledger and payouts in order")
    found = select_agent("Fix ledger payouts of the invoice", None, [mine])

    assert found.best.name == "invoice-keeper"
    assert found.best.derived


def test_three_runs_count_and_two_do_not() -> None:
    few = select_agent("Deploy the API", None, (), {"deployment-engineer": Record(2, 0)})
    many = select_agent("Deploy the API", None, (), {"deployment-engineer": Record(8, 8)})

    assert dict(few.best.terms)["past"] == 10
    assert dict(many.best.terms)["past"] == 18


def test_weak_words_count_half() -> None:
    assert task_type("the api and its design, a bug") == "debugging"
    assert dict(select_agent("api", None).best.terms)["keywords"] == 5


@given(st.text(max_size=120), st.sampled_from([None, "foundation", "django", "fastapi", "ml"]))
def test_scores_stay_in_their_range(task: str, lane: Any) -> None:
    found = select_agent(task, lane)

    assert 0 <= found.best.score <= 100
    assert found.best.score == 0 or found.best.score >= 40
    assert found.confidence >= 0


def test_installed_agents_of_project_person_and_plugins(tmp_path: Path, own_home: Path) -> None:
    plugin = tmp_path / "cache" / "cicd"
    for path, text in (
        (tmp_path / "p/.claude/agents/mine.md", "---\nname: my-own\ndescription: does it\n---\nbody"),
        (tmp_path / "p/.claude/agents/deep/plain.md", "no front matter \x1b[31m"),
        (own_home / "claude/agents/debugger.md", "---\r\nname: debugger\r\n---\r\n"),
        (plugin / "agents/deployment-engineer.md", "---\nname: deployment-engineer\n---\n"),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    listed = {"version": 2, "plugins": {"cicd-automation@market": [{"installPath": str(plugin)}], "odd": 3}}
    (own_home / "claude/plugins").mkdir()
    (own_home / "claude/plugins/installed_plugins.json").write_text(json.dumps(listed))

    assert installed_agents(tmp_path / "p") == (
        Installed("my-own", "project", "does it"),
        Installed("plain", "project"),
        Installed("debugger", "user"),
        Installed("cicd-automation:deployment-engineer", "plugin"),
    )


def test_runs_are_counted_from_transcripts_each_once(
    tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COCKPIT_NOW", "2026-11-20T18:00:00Z")
    root = repository_of(tmp_path / "p", {"a.py": ""})
    talk = Talk("5e55", cwd=str(root))
    for number in range(5):
        talk.does("Task", subagent_type="cicd:deployment-engineer", description="x", failed=number == 0)
    talk.says(talk.call("Agent", subagent_type="debugger"), stop="tool_use")
    talk.write(own_home / "claude")
    fork = Talk("f0f0", cwd=str(root))
    fork.lines = talk.lines
    path = fork.write(own_home / "claude")
    path.write_bytes(path.read_bytes() + b'{"subagent_type" torn\n{"message":{"content":["subagent_type"]}}\n')

    assert agent_runs(find_repository(root), now()) == {"deployment-engineer": Record(5, 4)}
    assert main(["route", "--repo", str(root), "Deploy the API"]) == 0


def test_what_agents_took_is_measured_from_their_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = repository_of(tmp_path / "shop", {})
    folder = Path(os.environ["CLAUDE_CONFIG_DIR"]) / "projects" / "p"
    folder.mkdir(parents=True)
    monkeypatch.setenv("COCKPIT_NOW", "2026-11-20T12:00:00Z")
    lines = []
    for number, (seconds, tokens) in enumerate([(30, 9000), (90, 11000), (None, None)]):
        call = {"subagent_type": "unit-testing:debugger", "description": "Fix the failing login test", "prompt": "p"}
        use = {"type": "tool_use", "id": f"t{number}", "name": "Agent", "input": call}
        answer = {"type": "tool_result", "tool_use_id": f"t{number}", "content": "done", "is_error": number == 1}
        said = {"totalDurationMs": seconds * 1000, "totalTokens": tokens} if seconds else {"status": "async_launched"}
        lines += [
            {"type": "assistant", "cwd": str(root), "message": {"id": f"m{number}", "content": [use]}},
            {"type": "user", "cwd": str(root), "message": {"content": [answer]}, "toolUseResult": said},
        ]
    (folder / "s.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    record = agent_runs(find_repository(root), now())["debugger"]
    assert (record.runs, record.successes, record.seconds, record.tokens) == (3, 2, 60.0, 20000)
    assert record.tasks == ("debugging",)
    rows = {row.name: row for row in agent_rows((), {"debugger": record})}
    assert rows["debugger"].record == record and rows["debugger"].instance is None
    assert rows["Explore"].instance == "Explore" and len(rows) >= 44


def test_runs_in_sessions_of_other_agents_count(
    tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    root = repository_of(tmp_path / "shop", {})
    talk = Talk("ses_1", str(root))
    talk.prompt("Fix the login")
    talk.does("Task", "done", took=20.0, subagent_type="debugger", description="Fix the failing login test")
    write_as_opencode(talk, own_home)
    record = agent_runs(find_repository(root), talk.at)["debugger"]
    assert (record.runs, record.successes, record.seconds, record.tokens) == (1, 1, 20.0, None)
    other = repository_of(tmp_path / "other", {})
    assert agent_runs(find_repository(other), talk.at) == {}

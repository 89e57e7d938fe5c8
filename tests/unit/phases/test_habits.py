"""`cockpit habits` on planted transcripts: each habit is found where it is, and nowhere else."""

import json
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cockpit.cli import main
from skills.orchestrator.habit_models import PATTERNS
from skills.orchestrator.shell import only_formats, reads_files
from tests.unit.claude_lines import Talk, text
from tests.unit.planted_talks import (
    PLANTS,
    begun,
    delegate,
    needless_sub_agent,
    says,
    three_reads_in_a_row,
    vague_prompt_then_edit,
    web_search_beside_a_docs_server,
    web_search_without_a_docs_server,
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    (root / "requirements.txt").write_text("Django==5.1\ncelery\nrequests\n")
    return root


def habits(project: Path, home: Path, capsys: pytest.CaptureFixture[str], *talks: Talk, words: Any = ()) -> Any:
    """The patterns by id after the sessions were written below Claude's root."""
    for talk in talks:
        for line in talk.lines:
            line["cwd"] = str(project)
        talk.write(home / "claude")
    assert main(["habits", "--json", "--repo", str(project), *words]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["id"] for row in document["patterns"]] == list(PATTERNS)
    return {row["id"]: row for row in document["patterns"]}


# the plants: (habit or None, what happens)


@pytest.mark.parametrize(("habit", "plant"), PLANTS, ids=lambda one: getattr(one, "__name__", None))
def test_a_planted_habit_is_found_and_no_other(
    habit: str | None, plant: Callable[[Talk], None], project: Path, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    talk = begun()
    plant(talk)
    rows = habits(project, own_home, capsys, talk)

    assert {name: row["count"] for name, row in rows.items() if row["count"]} == ({habit: 1} if habit else {})
    if habit:
        assert rows[habit]["status"] == "fail"
        (example,) = rows[habit]["examples"]
        assert example["session"] == "5e55"
        assert 1 <= example["line"] <= len(talk.lines)
        assert example["text"]


def test_reads_in_a_row_cost_waiting_and_round_trips(
    project: Path, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    talk = begun()
    three_reads_in_a_row(talk)
    row = habits(project, own_home, capsys, talk)["sequential-tools"]

    assert row["seconds"] == 6.0  # three answers of 2 s each less the longest, and two round-trips of 1 s
    assert row["tokens"] == 2 * 9_910  # input and cache reads of the two later requests
    assert 0.005 < row["usd"] < 0.01
    assert row["examples"][0]["line"] == 2
    assert "4.0 s of waiting; 2.0 s of round-trips" in row["examples"][0]["text"]


def test_a_web_search_is_compared_with_the_server(
    project: Path, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    talk = begun()
    web_search_beside_a_docs_server(talk)
    row = habits(project, own_home, capsys, talk)["web-search-for-docs"]

    assert (row["seconds"], row["tokens"]) == (8.0, 1900)
    assert "the server's median is 1.0 s" in row["examples"][0]["text"]


def test_without_a_documentation_server_web_searches_are_not_applicable(
    project: Path, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    talk = begun()
    web_search_without_a_docs_server(talk)

    row = habits(project, own_home, capsys, talk)["web-search-for-docs"]
    assert (row["status"], row["count"], row["seconds"], row["usd"]) == ("not_applicable", 0, None, None)


def test_an_edit_that_was_undone_says_so(project: Path, own_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    talk = begun()
    vague_prompt_then_edit(talk)
    (example,) = habits(project, own_home, capsys, talk)["no-analysis"]["examples"]

    assert example["text"].endswith("undone later")
    assert example["tokens"] > 0


def test_a_sub_agent_in_the_background_was_not_judged(
    project: Path, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    talk = begun()
    call = talk.call("Agent", subagent_type="Explore", description="look")
    talk.says(call, stop="tool_use")
    block = {"type": "tool_result", "tool_use_id": call["id"], "content": "launched"}
    talk.prompt([block], toolUseResult={"agentId": "a1", "status": "async_launched", "isAsync": True})

    assert habits(project, own_home, capsys, talk)["over-delegation"]["status"] == "not_run"


@pytest.mark.parametrize(
    ("usage", "count"),
    [
        ({"totalTokens": 10_001}, 1),
        ({"totalTokens": 10_000}, 0),
        ({"totalDurationMs": 299_999}, 1),
        ({"totalDurationMs": 300_000}, 0),
        ({"totalToolUseCount": 3}, 1),
        ({"totalToolUseCount": 4}, 0),
    ],
)
def test_a_sub_agent_is_needless_between_its_limits(
    usage: dict[str, int], count: int, project: Path, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    talk = begun()
    delegate(talk, **usage)

    assert habits(project, own_home, capsys, talk)["over-delegation"]["count"] == count


@pytest.mark.parametrize(("minutes", "count"), [(30, 0), (30.02, 1)])
def test_a_prompt_starts_a_task_of_its_own_after_more_than_half_an_hour(
    minutes: float, count: int, project: Path, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    talk = begun()
    talk.prompt("fix the user thing", after=minutes * 60)
    talk.does("Edit", file_path="a.py")

    assert habits(project, own_home, capsys, talk)["no-analysis"]["count"] == count


def test_a_sub_agents_own_transcript_tells_what_it_cost(
    project: Path, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    talk = begun()
    needless_sub_agent(talk)
    inner = Talk("agent-a1")
    inner.says(text("look"), used=20_000)
    path = own_home / "claude/projects/-p/5e55/subagents/agent-a1.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(inner.data())
    row = habits(project, own_home, capsys, talk)["over-delegation"]

    assert (row["seconds"], row["tokens"]) == (9.0, 20_000)
    assert 0 < row["usd"] < 0.1


def test_the_threshold_is_that_of_the_models_own_window(
    project: Path, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    talk = begun()
    talk.says(text("a"), used=176_000, model="claude-sonnet-4-5[1m]")
    talk.does("Read", "x" * 60_000, file_path="big.py")
    talk.says(text("b"), used=199_000, model="claude-sonnet-4-5[1m]")

    assert habits(project, own_home, capsys, talk)["budget-ignored"]["status"] == "pass"


def test_lines_that_a_fork_copied_count_once(project: Path, own_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    talk, fork = begun(), Talk("f0f0")
    three_reads_in_a_row(talk)
    fork.lines = [{**line, "sessionId": "f0f0"} for line in talk.lines]

    assert habits(project, own_home, capsys, talk, fork)["sequential-tools"]["count"] == 1


def test_sessions_and_times_can_be_chosen(project: Path, own_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = begun(session="01d"), begun(session="2ew")
    three_reads_in_a_row(old)
    new.at = new.at.replace(hour=15)
    three_reads_in_a_row(new)
    everything = habits(project, own_home, capsys, old, new)
    assert everything["sequential-tools"]["count"] == 2

    one = habits(project, own_home, capsys, words=["--session", "2e"])["sequential-tools"]
    assert [example["session"] for example in one["examples"]] == ["2ew"]
    late = habits(project, own_home, capsys, words=["--since", "2026-11-20T12:00:00Z"])["sequential-tools"]
    assert late["count"] == 1
    assert main(["habits", "--repo", str(project), "--session", "nobody"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_another_repositorys_sessions_do_not_count(
    project: Path, own_home: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    talk = begun()
    three_reads_in_a_row(talk)
    for line in talk.lines:
        line["cwd"] = str(tmp_path / "elsewhere")
    talk.write(own_home / "claude")

    assert main(["habits", "--repo", str(project)]) == 0
    assert "no session" in capsys.readouterr().out
    rows = habits(project, own_home, capsys).values()
    assert {(row["status"], row["reason"]) for row in rows} == {
        ("not_run", "there is no session of an agent to look at")
    }
    assert main(["habits", "--repo", str(project), "--all-repos"]) == 0
    assert "reads one by one         fail" in capsys.readouterr().out


def test_torn_and_foreign_lines_cost_one_note(
    project: Path, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    talk = begun()
    three_reads_in_a_row(talk)
    for line in talk.lines:
        line["cwd"] = str(project)
    path = talk.write(own_home / "claude")
    path.write_bytes(path.read_bytes() + b'nonsense\n{"type":"assistant","message":{"content":[[]]}}\n{"torn')

    assert main(["habits", "--json", "--repo", str(project)]) == 0
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert document["patterns"][0]["count"] == 1
    assert document["weeks"] == [{"week": "2026-W47", "counts": {**dict.fromkeys(PATTERNS, 0), "sequential-tools": 1}}]
    assert err.splitlines() == ["5e55: 1 line could not be read"]


def test_the_same_transcripts_give_the_same_bytes(
    project: Path, own_home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COCKPIT_NOW", "2026-11-20T18:00:00Z")
    talk = begun()
    for _, plant in PLANTS[:12]:
        plant(talk)
    first = habits(project, own_home, capsys, talk)

    assert first == habits(project, own_home, capsys)


@pytest.mark.parametrize(
    ("line", "reads", "formats"),
    [
        ("cat a.py", True, False),
        ("git log -p a.py | head", True, False),
        ("git commit -m x", False, False),
        ("ruff format . && git add .", False, True),
        ("black .; sed -i s/a/b/ x.py", False, False),
        ("ruff check --fix .", False, False),
        ("echo hi > a.py", False, False),
        ("", False, False),
    ],
)
def test_what_shell_lines_read_and_format(line: str, reads: bool, formats: bool) -> None:
    assert (reads_files(line), only_formats(line)) == (reads, formats)


@pytest.mark.parametrize("inside", [True, False])
def test_a_project_below_the_folder_for_temporary_files_is_no_scratch(
    inside: bool, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        root = Path(folder) / "shop"
        subprocess.run(["git", "init", "-q", str(root)], check=True)
        talk = begun()
        talk.does("Bash", "1 passed", command="pytest -q")
        path = (root / "views.py") if inside else (Path(folder) / "notes.py")
        talk.does("Edit", file_path=str(path), old_string="a", new_string="b")
        says(talk, "Fixed. All tests pass.")
        found = habits(root, own_home, capsys, talk)
    assert found["unbacked-claim"]["count"] == inside


@pytest.mark.parametrize("command", ["bin/test", "script/test", "./run_tests", "hatch run test"])
def test_a_projects_own_script_may_have_run_the_tests(
    command: str, project: Path, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    talk = begun()
    talk.does("Edit", file_path="apps/users/views.py", old_string="a", new_string="b")
    talk.does("Bash", "ok", command=command)
    says(talk, "All tests pass.")
    assert habits(project, own_home, capsys, talk)["unbacked-claim"]["count"] == 0

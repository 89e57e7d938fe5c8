"""`cockpit habits` on planted transcripts: each habit is found where it is, and nowhere else."""

import json
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.cli import main
from skills.orchestrator.claims import find_claims
from skills.orchestrator.habit_models import PATTERNS
from skills.orchestrator.shell import only_formats, reads_files
from tests.unit.claude_lines import Talk, text

CLEAR = "Add a users endpoint to apps/users/views.py in Django; return 404 for missing users; done when pytest passes"


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


def begun(prompt: str = CLEAR, session: str = "5e55") -> Talk:
    talk = Talk(session)
    talk.prompt(prompt)
    return talk


def says(talk: Talk, words: str) -> None:
    talk.says(text(words), stop="end_turn")


# the plants: (habit or None, what happens)


def three_reads_in_a_row(talk: Talk) -> None:
    for name in ("alpha.py", "bravo.py", "charlie.py"):
        talk.does("Read", "nothing", file_path=name, took=2.0)


def three_reads_at_once(talk: Talk) -> None:
    calls = [talk.call("Read", file_path=name) for name in ("alpha.py", "bravo.py", "charlie.py")]
    talk.says(*calls, stop="tool_use")
    for call in calls:
        talk.result(call)


def a_read_that_needed_the_one_before(talk: Talk) -> None:
    talk.does("Read", "import bravo", file_path="alpha.py")
    talk.does("Read", "from deltamodule import x", file_path="bravo.py")
    talk.does("Read", "nothing", file_path="deltamodule.py")


def reads_with_an_edit_between(talk: Talk) -> None:
    talk.does("Read", file_path="alpha.py")
    talk.does("Read", file_path="bravo.py")
    talk.does("Edit", file_path="bravo.py")
    talk.does("Read", file_path="charlie.py")
    talk.does("Read", file_path="delta.py")


def reads_across_a_prompt(talk: Talk) -> None:
    talk.does("Read", file_path="alpha.py")
    talk.does("Read", file_path="bravo.py")
    talk.prompt("now the others please")
    talk.does("Read", file_path="charlie.py")
    talk.does("Read", file_path="delta.py")


def web_search_beside_a_docs_server(talk: Talk) -> None:
    talk.does("mcp__context7__get-library-docs", "x" * 400, library="django", took=1.0)
    talk.does("WebSearch", "y" * 8000, query="Django QuerySet select_related documentation", took=9.0)


def web_search_without_a_docs_server(talk: Talk) -> None:
    talk.does("WebSearch", query="Django QuerySet select_related documentation")


def web_search_for_a_vulnerability(talk: Talk) -> None:
    talk.does("mcp__context7__get-library-docs", library="django")
    talk.does("WebSearch", query="Django CVE-2025-1234 vulnerability")
    talk.does("WebSearch", query="how many requests per second is normal")


def page_of_a_docs_host_with_a_server_listed(talk: Talk) -> None:
    talk.line(
        "attachment", attachment={"type": "deferred_tools_delta", "addedNames": ["mcp__context7__get-library-docs"]}
    )
    talk.does("WebFetch", url="https://docs.djangoproject.com/en/5.1/ref/models/querysets/")


def vague_prompt_then_edit(talk: Talk) -> None:
    talk.prompt("fix the user thing", after=3600)
    talk.does("Edit", file_path="a.py")
    talk.does("Bash", command="git checkout -- a.py")


def vague_prompt_then_reads(talk: Talk) -> None:
    talk.prompt("fix the user thing", after=3600)
    talk.does("Read", file_path="a.py")
    talk.does("Bash", command="git log -3")
    talk.does("Edit", file_path="a.py")


def vague_prompt_then_question(talk: Talk) -> None:
    talk.prompt("fix the user thing", after=3600)
    talk.does("AskUserQuestion", questions=[{"question": "Which?"}])
    talk.does("Edit", file_path="a.py")


def vague_follow_up(talk: Talk) -> None:
    talk.does("Read", file_path="a.py")
    talk.prompt("and the other thing", after=60)
    talk.does("Edit", file_path="a.py")


def going_on_after_lunch(talk: Talk) -> None:
    talk.prompt("continue", after=7200)
    talk.does("Edit", file_path="a.py")


def vague_prompt_after_clear(talk: Talk) -> None:
    talk.prompt("<command-name>/clear</command-name><command-args></command-args>")
    talk.prompt("fix the user thing")
    talk.does("Write", file_path="a.py")


def large_result_in_a_full_context(talk: Talk) -> None:
    talk.says(talk.call("Read", file_path="big.py"), stop="tool_use", used=176_000)
    talk.result({"id": "toolu_1"}, "x" * 60_000)
    talk.says(text("Hm."), used=188_000)


def small_result_in_a_full_context(talk: Talk) -> None:
    talk.says(talk.call("Read", file_path="small.py"), stop="tool_use", used=176_000)
    talk.result({"id": "toolu_1"})
    talk.says(text("Hm."), used=177_000)


def large_result_after_compaction(talk: Talk) -> None:
    talk.says(text("Hm."), used=176_000)
    talk.line("system", subtype="compact_boundary", compactMetadata={"preTokens": 176_000, "postTokens": 9_000})
    talk.does("Read", file_path="big.py")
    talk.says(text("Hm."), used=60_000)


def context_that_passes_95_percent(talk: Talk) -> None:
    talk.says(text("a"), used=189_000)
    talk.says(text("b"), used=191_000)


def delegate(talk: Talk, result: str = "found it", **usage: Any) -> None:
    call = talk.call("Task", subagent_type="Explore", description="look")
    talk.says(call, stop="tool_use")
    block = {"type": "tool_result", "tool_use_id": call["id"], "content": result}
    told = {
        "agentId": "a1",
        "status": "completed",
        "totalTokens": 20_000,
        "totalToolUseCount": 2,
        "totalDurationMs": 9000,
    }
    talk.prompt([block], toolUseResult={**told, **usage})


def needless_sub_agent(talk: Talk) -> None:
    delegate(talk)


def long_sub_agent(talk: Talk) -> None:
    delegate(talk, totalDurationMs=400_000)


def sub_agent_of_many_calls(talk: Talk) -> None:
    delegate(talk, totalToolUseCount=12)


def sub_agent_with_a_long_answer(talk: Talk) -> None:
    delegate(talk, "x" * 9000)


def two_sub_agents_at_once(talk: Talk) -> None:
    calls = [talk.call("Agent", subagent_type="Explore", description=what) for what in ("a", "b")]
    talk.says(*calls, stop="tool_use")
    for call in calls:
        told = {"agentId": "a1", "totalTokens": 20_000, "totalToolUseCount": 2, "totalDurationMs": 9000}
        talk.prompt([{"type": "tool_result", "tool_use_id": call["id"], "content": "x"}], toolUseResult=told)


def claim_after_a_later_edit(talk: Talk) -> None:
    talk.does("Bash", command="pytest -q")
    talk.does("Edit", file_path="a.py")
    says(talk, "Done. All tests pass.")


def claim_after_a_run(talk: Talk) -> None:
    talk.does("Edit", file_path="a.py")
    talk.does("Bash", command="uv run pytest -q")
    says(talk, "Done. All tests pass.")


def claim_after_a_failed_run(talk: Talk) -> None:
    talk.does("Edit", file_path="a.py")
    talk.does("Bash", "1 failed", command="pytest -q", failed=True)
    says(talk, "Todas las pruebas pasan.")


def claim_after_a_refused_edit(talk: Talk) -> None:
    talk.does("Edit", file_path="a.py")
    talk.does("Bash", command="pytest -q")
    talk.does("Edit", "blocked", file_path="b.py", failed=True)
    says(talk, "All tests pass.")


def vague_prompt_then_a_refused_edit(talk: Talk) -> None:
    talk.prompt("fix the user thing", after=3600)
    talk.does("Edit", "blocked", file_path="a.py", failed=True)
    says(talk, "I was not allowed to.")


def claim_without_any_run(talk: Talk) -> None:
    talk.does("Write", file_path="a.py")
    says(talk, "Implemented, and the test suite is green.")


def claim_after_a_run_whose_status_is_hidden(talk: Talk) -> None:
    talk.does("Edit", file_path="a.py")
    talk.does("Bash", command="pytest -q | tail -5")
    says(talk, "All tests pass.")


def claim_after_prose_and_formatting(talk: Talk) -> None:
    talk.does("Edit", file_path="a.py")
    talk.does("Bash", command="pytest -q")
    talk.does("Bash", command="ruff format .")
    talk.does("Edit", file_path="README.md")
    says(talk, "All tests pass.")


def claim_after_a_sub_agent(talk: Talk) -> None:
    talk.does("Edit", file_path="a.py")
    delegate(talk, totalDurationMs=400_000)
    says(talk, "All tests pass.")


def an_intention_is_no_claim(talk: Talk) -> None:
    talk.does("Edit", file_path="a.py")
    says(talk, "Next I will make sure that all tests pass.")


def claim_of_types_without_a_run(talk: Talk) -> None:
    talk.does("Edit", file_path="a.py")
    says(talk, "mypy passes.")


PLANTS: list[tuple[str | None, Callable[[Talk], None]]] = [
    ("sequential-tools", three_reads_in_a_row),
    (None, three_reads_at_once),
    (None, a_read_that_needed_the_one_before),
    (None, reads_with_an_edit_between),
    (None, reads_across_a_prompt),
    ("web-search-for-docs", web_search_beside_a_docs_server),
    ("web-search-for-docs", page_of_a_docs_host_with_a_server_listed),
    (None, web_search_without_a_docs_server),
    (None, web_search_for_a_vulnerability),
    ("no-analysis", vague_prompt_then_edit),
    ("no-analysis", vague_prompt_after_clear),
    (None, vague_prompt_then_reads),
    (None, vague_prompt_then_question),
    (None, vague_follow_up),
    (None, going_on_after_lunch),
    ("budget-ignored", large_result_in_a_full_context),
    ("budget-ignored", context_that_passes_95_percent),
    (None, small_result_in_a_full_context),
    (None, large_result_after_compaction),
    ("over-delegation", needless_sub_agent),
    (None, long_sub_agent),
    (None, sub_agent_of_many_calls),
    (None, sub_agent_with_a_long_answer),
    (None, two_sub_agents_at_once),
    ("unbacked-claim", claim_after_a_later_edit),
    ("unbacked-claim", claim_after_a_failed_run),
    ("unbacked-claim", claim_without_any_run),
    ("unbacked-claim", claim_of_types_without_a_run),
    (None, claim_after_a_run),
    (None, claim_after_a_refused_edit),
    (None, vague_prompt_then_a_refused_edit),
    (None, claim_after_a_run_whose_status_is_hidden),
    (None, claim_after_prose_and_formatting),
    (None, claim_after_a_sub_agent),
    (None, an_intention_is_no_claim),
]


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
    "said",
    [
        "All tests pass.",
        "Fixed the bug; tests pass",
        "All 45 tests pass with no failures.",
        "✅ All tests passing",
        "I have verified that **all tests pass**",
        "After the fix, all 12 tests now pass.",
        "Implemented. 12 passed.",
        "Todas las pruebas pasan.",
        "Los tests ya están en verde",
        "ruff is clean",
        "no type errors",
    ],
)
def test_statements_are_claims(said: str) -> None:
    assert len(find_claims(said)) == 1


@pytest.mark.parametrize(
    "said",
    [
        "Run the tests until they pass.",
        "If tests pass, I will commit.",
        "Tests should pass now",
        "All tests pass except two",
        "las pruebas no pasan",
        "Do all tests pass?",
        "```\nall tests pass\n```",
        "> all tests pass",
        "The test passes a mock to the service",
        "All tests passed before my change",
        "voy a comprobar que las pruebas pasan",
        "3 tests fail",
    ],
)
def test_conditions_intentions_and_quotations_are_no_claims(said: str) -> None:
    assert find_claims(said) == ()


@given(st.text(max_size=300))
def test_any_text_has_claims_or_none(said: str) -> None:
    assert len(find_claims(said)) <= 3


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


def test_an_order_to_make_tests_pass_is_no_claim() -> None:
    assert not find_claims("Next: make the tests pass.") and not find_claims("Keep all tests green.")
    assert find_claims("I made the fix and all tests pass.")

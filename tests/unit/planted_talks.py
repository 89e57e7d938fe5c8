"""Talks with one planted habit each, and talks that only look like one."""

from collections.abc import Callable
from typing import Any

from tests.unit.claude_lines import Talk, text

CLEAR = "Add a users endpoint to apps/users/views.py in Django; return 404 for missing users; done when pytest passes"


def begun(prompt: str = CLEAR, session: str = "5e55") -> Talk:
    talk = Talk(session)
    talk.prompt(prompt)
    return talk


def says(talk: Talk, words: str) -> None:
    talk.says(text(words), stop="end_turn")


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

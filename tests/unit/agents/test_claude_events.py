"""Claude Code's transcripts as events: whose words a line holds, odd lines, and reading in pieces."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.agents.claude import ClaudeSession, EventParser
from skills.orchestrator.events import (
    Command,
    Compaction,
    ContextPoint,
    Event,
    Prompt,
    SessionExit,
    Step,
    Text,
    Thought,
    ToolResult,
    TurnEnd,
)
from tests.unit.claude_lines import Talk, text, thinking


def parse(*lines: object) -> list[Event]:
    parser = EventParser()
    raw = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    return [event for line in raw for event in parser.events(line)]


def user(content: object, **more: Any) -> dict[str, Any]:
    return {
        "type": "user",
        "timestamp": "2026-11-20T09:00:00Z",
        "message": {"role": "user", "content": content},
        **more,
    }


def long_talk() -> Talk:
    talk = Talk()
    talk.prompt("Añade un endpoint ✓")
    talk.says(thinking(), text("Well."), talk.call("Read", file_path="a.py"), stop="tool_use", used=20_000)
    talk.result({"id": "toolu_1"}, [{"type": "text", "text": "class A"}])
    talk.line(
        "system",
        subtype="compact_boundary",
        compactMetadata={"trigger": "auto", "preTokens": 150_000, "postTokens": 9_000},
    )
    talk.prompt("This session is being continued", isCompactSummary=True)
    talk.does("Bash", command="pytest", failed=True)
    talk.ends()
    talk.prompt("Next")
    talk.ends()
    return talk


def test_one_line_of_each_kind() -> None:
    kinds = [type(event) for event in parse(*long_talk().lines)]

    assert kinds == [
        Prompt,
        *(ContextPoint, Thought, Text, Step, ToolResult),
        Compaction,
        *(ContextPoint, Step, ToolResult),
        *(Text, TurnEnd),
        Prompt,
        *(Text, TurnEnd),
    ]


@pytest.mark.parametrize(
    "line",
    [
        user("hello", isMeta=True),
        user("hello", isSidechain=True),
        user("hello", isCompactSummary=True),
        user("<local-command-stdout>ok</local-command-stdout>"),
        user("<system-reminder>be good</system-reminder>"),
        user("<bash-input>ls</bash-input>"),
        user("<task-notification>done"),
        user("<command-name>/clear</command-name><command-args></command-args>"),
        user("  "),
        user("done", origin={"kind": "task-notification"}),
        user([{"type": "tool_result", "tool_use_id": 7, "content": "x"}]),
        user(None),
        {"type": "user", "message": "no dictionary"},
        {"type": "summary", "summary": "what was"},
        {
            "type": "attachment",
            "attachment": {"type": "queued_command", "prompt": "x", "commandMode": "task-notification"},
        },
    ],
)
def test_what_no_person_said_is_no_prompt(line: dict[str, Any]) -> None:
    assert parse(line) == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (user("hello"), "hello"),
        (user([text("hello"), {"type": "image"}]), "hello"),
        (user([{"type": "image"}]), "(image)"),
        (user("<system-reminder>x</system-reminder>hello"), "hello"),
        (user("use <div> and <task>this</task>"), "use <div> and <task>this</task>"),
        (user("two\nlines\x1b[31m", origin={"kind": "human"}), "two\nlines"),
        ({"type": "attachment", "attachment": {"type": "queued_command", "prompt": "also this"}}, "also this"),
    ],
)
def test_what_a_person_said_is_a_prompt(line: dict[str, Any], said: str) -> None:
    (prompt,) = parse(line)

    assert isinstance(prompt, Prompt)
    assert prompt.text == said


def test_a_slash_command_of_the_project_is_a_prompt_and_a_command() -> None:
    events = parse(user("<command-name>/fix-issue</command-name>\n<command-args>123</command-args>"))

    assert [type(event) for event in events] == [Prompt, Command]
    assert events[0].text == "/fix-issue 123"  # type: ignore[union-attr]


def test_results_come_before_the_interruption_that_they_stand_with() -> None:
    call = {"type": "tool_result", "tool_use_id": "t1", "content": "no", "is_error": True}
    result, end = parse(user([call, text("[Request interrupted by user for tool use]")]))

    assert result == ToolResult("t1", result.at, True, 2)
    assert isinstance(end, TurnEnd)
    assert end.stop_reason == "interrupted"


def test_an_error_of_the_service_ends_the_turn_and_synthetic_lines_say_nothing() -> None:
    usage = {"input_tokens": 5}
    error = {"type": "assistant", "isApiErrorMessage": True, "message": {"model": "<synthetic>", "usage": usage}}
    synthetic = {"type": "assistant", "message": {"model": "<synthetic>", "usage": usage, "content": "No response"}}

    assert [type(event) for event in parse(error, synthetic)] == [TurnEnd]


def left(folder: Path) -> Path:
    """The transcript of a session whose program has ended."""
    path = long_talk().write(folder)
    with path.open("ab") as stream:
        stream.write(b'{"type":"cost-state","sessionId":"5e55","totalCostUSD":1.5}\n')
    return path


def test_the_programs_exit_is_seen(tmp_path: Path) -> None:
    session = ClaudeSession(left(tmp_path))
    session.read()
    assert session.exited
    assert isinstance(session.task[-1], SessionExit)


def test_a_resumed_session_goes_on(tmp_path: Path) -> None:
    path = left(tmp_path)
    session = ClaudeSession(path)
    session.read()
    with path.open("ab") as stream:
        stream.write(json.dumps(user("go on")).encode() + b"\n")
    session.read()
    assert not session.exited


@pytest.mark.parametrize(
    ("name", "given", "target"),
    [
        ("Read", {"file_path": "a\x1b[2J.py"}, "a.py"),
        ("Bash", {"command": "git push\n--force", "description": "x"}, "git push --force"),
        ("Task", {"subagent_type": "Explore", "description": "look", "prompt": "…"}, "Explore: look"),
        ("TodoWrite", {"todos": [{}, {}]}, "2 todos"),
        ("AskUserQuestion", {"questions": [{"question": "Which?"}]}, "Which?"),
        ("mcp__db__query", {"limit": 5, "sql": "select 1"}, "select 1"),
        ("Read", ["odd"], ""),
        ("Read", {"file_path": 5}, ""),
    ],
)
def test_target_of_a_call(name: str, given: object, target: str) -> None:
    block = {"type": "tool_use", "id": "t", "name": name, "input": given}
    (step,) = parse({"type": "assistant", "message": {"id": "m", "model": "x", "content": [block]}})

    assert isinstance(step, Step)
    assert step.tools[0].target == target


def test_context_is_that_of_the_newest_main_request(tmp_path: Path) -> None:
    talk = long_talk()
    talk.says(text("side"), used=150_000, isSidechain=True)
    session = ClaudeSession(talk.write(tmp_path))
    session.read()

    assert (session.used, session.largest, session.model) == (10_000, 20_000, "claude-sonnet-4-5")


def test_after_a_compaction_its_own_number_counts(tmp_path: Path) -> None:
    talk = Talk()
    talk.says(text("x"), used=190_000)
    talk.line("system", subtype="compact_boundary", compactMetadata={"postTokens": 14_129})
    session = ClaudeSession(talk.write(tmp_path))
    session.read()

    assert (session.used, session.largest) == (14_129, 190_000)


def test_broken_lines_are_counted_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = long_talk().write(tmp_path)
    torn = b'{"parentUuid":"torn","type":"assistant","message":{"content":[' + b'{"type":"text"},' * 100
    with path.open("ab") as stream:
        stream.write(b'nonsense\n[1,2]\n\xff\xfe\n{"type":"user","message":{"content":"caf\xe9 \\ud800"}}\n')
        stream.write(torn + json.dumps({"parentUuid": "x", **user("after the torn line")}).encode() + b"\n" + torn)
    session = ClaudeSession(path)
    session.read()

    assert session.parser.malformed == 3
    assert session.problem == "5e55: 3 lines could not be read"
    assert [event.text for event in session.task if isinstance(event, Prompt)] == ["after the torn line"]


def test_a_huge_line_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(
        json.dumps(user("first")).encode()
        + b'\n{"type":"user","message":{"content":"'
        + b"x" * (50 << 20)
        + b'"}}\n'
        + json.dumps(user("last")).encode()
        + b"\n"
    )
    session = ClaudeSession(path)
    session.read()

    assert session.problem == "s: 1 line could not be read"
    assert [event.text for event in session.task if isinstance(event, Prompt)] == ["last"]


def test_a_rewritten_transcript_is_read_from_its_start(tmp_path: Path) -> None:
    talk = long_talk()
    path = talk.write(tmp_path)
    session = ClaudeSession(path)
    session.read()
    shorter = Talk()
    shorter.prompt("Only this")
    shorter.write(tmp_path / "other").replace(path)
    session.read()

    assert [event.text for event in session.task if isinstance(event, Prompt)] == ["Only this"]
    assert session.used is None


def test_deep_nesting_is_one_broken_line() -> None:
    assert parse(b"[" * 100_000, b'{"type":"user","message":' + b'{"a":' * 100_000) == []


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "text", "id", "name", "input", "content", "usage", "tool_use_id"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
_KEYS = ["message", "timestamp", "cwd", "gitBranch", "attachment", "subtype", "compactMetadata", "origin", "isMeta"]


@given(
    st.sampled_from(["assistant", "user", "system", "attachment", "cost-state"]),
    st.dictionaries(st.sampled_from(_KEYS), _JSON),
)
def test_odd_types_never_raise(kind: str, rest: dict[str, object]) -> None:
    parser = EventParser()
    events = parser.events(json.dumps({"type": kind, **rest}).encode())

    assert isinstance(events, list)
    assert parser.malformed in (0, 1)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(min_value=1, max_value=len(long_talk().data())), max_size=8))
def test_pieces_give_the_events_of_the_whole(tmp_path_factory: pytest.TempPathFactory, cuts: list[int]) -> None:
    data = long_talk().data()
    folder = tmp_path_factory.mktemp("pieces")
    path, whole = folder / "a.jsonl", folder / "b.jsonl"
    path.write_bytes(b"")
    whole.write_bytes(data)
    session, once = ClaudeSession(path), ClaudeSession(whole)
    once.read()
    places = [0, *sorted(set(cuts)), len(data)]
    for start, end in pairwise(places):
        with path.open("ab") as stream:
            stream.write(data[start:end])
        session.read()

    assert session.task == once.task
    assert (session.used, session.largest, session.parser.cwd) == (once.used, once.largest, once.parser.cwd)

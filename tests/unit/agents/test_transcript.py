"""A session as the viewer shows it: the same for every agent, whatever its files hold."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.agents.claude_told import ClaudeTelling
from cockpit.agents.codex_told import CodexTelling
from cockpit.agents.gemini_told import GeminiTelling
from cockpit.agents.transcript_feed import full_text, open_transcript, search
from cockpit.agents.transcript_models import Item, Transcript
from cockpit.errors import CannotAnswer
from cockpit.files import LONGEST_LINE
from tests.unit.agent_lines import PROMPT, write_codex, write_gemini, write_opencode
from tests.unit.claude_lines import Talk, text, thinking
from widgets.lines import plain, width_of
from widgets.screens.transcript import full_screen
from widgets.transcript_lines import item_row, summary_line


def read(agent: Any, session: str) -> Transcript:
    reader = open_transcript(agent, session)
    more = True
    while more:
        transcript, more = reader.read(3)
    return transcript


def claude_session(home: Path, cwd: str) -> str:
    talk = Talk(cwd=cwd)
    talk.prompt(PROMPT)
    calls = [talk.call("Read", file_path=f"{cwd}/app/{name}.py") for name in ("views", "urls")]
    talk.says(thinking(), *calls, stop="tool_use")
    for call in calls:
        talk.result(call, "def users(): ...")
    talk.does("Edit", file_path=f"{cwd}/app/views.py", old_string="return None", new_string="return listed_users()")
    talk.does("Bash", "1 failed", command="pytest -q", failed=True)
    talk.says(text("One test fails."), stop="end_turn")
    talk.write(home / "claude")
    return talk.session


WRITERS = {
    "claude": claude_session,
    "codex": lambda home, cwd: write_codex(home, cwd)[1],
    "gemini": lambda home, cwd: write_gemini(home, cwd)[1],
    "opencode": lambda home, cwd: write_opencode(home, cwd)[1],
}


@pytest.mark.parametrize("agent", WRITERS)
def test_every_agents_session_reads_the_same(agent: str, own_home: Path, tmp_path: Path) -> None:
    session = WRITERS[agent](own_home, str(tmp_path))
    found = read(agent, session)
    assert found.done and not found.unread and not found.unknown
    shown = [item for item in found.items if item.kind != "thought"]
    assert [item.kind for item in shown] == ["prompt", "call", "call", "call", "call", "text"]
    assert shown[0].text == PROMPT
    views, urls, edit, run = shown[1:5]
    assert (views.group, urls.group, edit.group) == ("first", "last", "")
    assert "app/views.py" in views.text and str(tmp_path) not in views.text
    assert edit.role == "change" and "app/views.py" in edit.text
    assert run.status == "failed" and run.role == "check" and "1 failed" in run.result
    assert [item.status for item in shown[1:4]] == ["ok"] * 3
    steps = [item for item in found.items if item.tokens is not None]
    assert len(steps) >= 2 and all(item.usd is not None and item.usd > 0 for item in steps)
    assert found.usd == pytest.approx(sum(item.usd or 0 for item in steps))
    assert found.prompts == 1 and found.calls == 4


@pytest.mark.parametrize("agent", WRITERS)
def test_the_whole_of_an_item_and_the_search_reach_beyond_its_row(agent: str, own_home: Path, tmp_path: Path) -> None:
    session = WRITERS[agent](own_home, str(tmp_path))
    reader = open_transcript(agent, session)  # type: ignore[arg-type]
    found, _ = reader.read()
    edit = next(item for item in found.items if item.role == "change")
    whole = full_text(reader.files, edit)
    assert "listed_users()" in whole and "return None" in whole
    assert "listed_users" not in edit.text
    assert edit.place.line in {line for _, line in search(reader.files, "LISTED_users")}
    assert search(reader.files, "nobody says this") == set()


def test_a_running_session_is_read_on_and_a_rewritten_one_again(own_home: Path, tmp_path: Path) -> None:
    talk = Talk(cwd=str(tmp_path))
    talk.prompt("first")
    path = talk.write(own_home / "claude")
    reader = open_transcript("claude", talk.session)
    assert [item.text for item in reader.read()[0].items] == ["first"]
    assert not reader.files[0].changed()
    call = talk.call("Bash", command="sleep 9")
    talk.says(call)
    talk.write(own_home / "claude")
    running = reader.read()[0].items
    assert running[-1].status == "running"
    talk.result(call)
    talk.write(own_home / "claude")
    assert [item.status for item in reader.read()[0].items] == ["", "ok"]
    path.write_bytes(Talk(cwd=str(tmp_path)).data())
    again = Talk(cwd=str(tmp_path))
    again.prompt("anew")
    path.write_bytes(again.data())
    assert [item.text for item in reader.read()[0].items] == ["anew"]


def test_sub_agents_stand_below_their_call(own_home: Path, tmp_path: Path) -> None:
    talk = Talk(cwd=str(tmp_path))
    talk.prompt("explore")
    call = talk.call("Task", subagent_type="Explore", description="who calls it")
    talk.says(call, stop="tool_use")
    talk.result(call, "three places")
    talk.lines[-1]["toolUseResult"] = {"agentId": "a1", "totalTokens": 5, "totalToolUseCount": 1, "totalDurationMs": 9}
    talk.says(text("Three."), stop="end_turn")
    path = talk.write(own_home / "claude")
    helper = Talk(cwd=str(tmp_path))
    helper.prompt("explore")
    helper.does("Grep", pattern="users")
    for line in helper.lines:
        line.update(isSidechain=True, agentId="a1")
        if line["type"] == "assistant":
            line["message"]["id"] = "msg_helper"
            line["message"]["stop_reason"] = None
    folder = path.with_suffix("") / "subagents"
    folder.mkdir(parents=True)
    (folder / "agent-a1.jsonl").write_bytes(helper.data())
    (folder / "agent-a1.meta.json").write_text(json.dumps({"agentType": "Explore", "description": "who\x1b[31m"}))
    found = read("claude", talk.session)
    assert [(item.kind, item.depth) for item in found.items] == [
        ("prompt", 0),
        ("call", 0),
        ("agent", 1),
        ("prompt", 1),
        ("call", 1),
        ("text", 0),
    ]
    assert found.items[2].text == "sub-agent Explore: who · 1 call"
    assert found.items[2].floor and "≥" in plain(item_row(found.items[2], 120, hit=False))


def test_a_line_of_fifty_megabytes_is_passed_over_and_said(own_home: Path, tmp_path: Path) -> None:
    talk = Talk(cwd=str(tmp_path))
    talk.prompt("before")
    talk.prompt("x" * (LONGEST_LINE + 9))
    talk.prompt("after")
    talk.write(own_home / "claude")
    found = read("claude", talk.session)
    assert [(item.kind, item.place.line) for item in found.items] == [("prompt", 1), ("unread", 2), ("prompt", 3)]
    assert found.items[1].text == "a line of 16 MB was passed over" and found.unread == 1


def test_interruptions_errors_and_compactions_are_told(own_home: Path, tmp_path: Path) -> None:
    talk = Talk(cwd=str(tmp_path))
    talk.prompt("go")
    talk.line("system", subtype="compact_boundary", compactMetadata={"preTokens": 139_314, "postTokens": 14_129})
    talk.prompt([{"type": "text", "text": "[Request interrupted by user]"}])
    talk.line("assistant", isApiErrorMessage=True, message={"content": [{"type": "text", "text": "API \x1b[31merror"}]})
    talk.line("hologram")
    talk.write(own_home / "claude")
    found = read("claude", talk.session)
    assert [item.text for item in found.items[1:]] == [
        "context compacted 139K → 14K",
        "interrupted by the person",
        "the turn ended with an error: API error",
    ]
    assert found.unknown == 1


@pytest.mark.parametrize("session", ["../../etc/passwd", "*", "..", "", "nobody"])
def test_a_session_that_is_none_is_one_line(session: str) -> None:
    with pytest.raises(CannotAnswer):
        open_transcript("claude", session)


def test_hostile_text_stays_text(own_home: Path, tmp_path: Path) -> None:
    talk = Talk(cwd=str(tmp_path))
    talk.prompt("[@click=app.quit]x[/] \x1b]0;owned\x07 \u202e evil")
    talk.does("Bash", "\x1b[2J gone", command="echo '\x1b[31m[/x]'")
    talk.write(own_home / "claude")
    found = read("claude", talk.session)
    for item in found.items:
        for width in (24, 40, 80, 120, 200):
            row = item_row(item, width, hit=True)
            assert width_of(row) == width and "\x1b" not in plain(row) and "\u202e" not in plain(row)
    assert "[@click=app.quit]x[/]" in found.items[0].text
    reader = open_transcript("claude", talk.session)
    screen = full_screen(found.items[1], full_text(reader.files, found.items[1]), 40)
    assert all("\x1b" not in plain(one) and width_of(one) <= 40 for one in screen.shown)
    assert width_of(summary_line(found, 40)) <= 40


def test_counts_leave_the_summary_before_a_figure_is_cut() -> None:
    found = Transcript("claude", "s", [], prompts=1, steps=8, calls=10, tokens=784_000, usd=0.56)
    assert plain(summary_line(found, 60)) == "1 prompt · 8 steps · 10 calls · 784K tokens · $0.56 computed"
    assert plain(summary_line(found, 40)).strip() == "1 prompt · 784K tokens · $0.56 computed"
    assert plain(summary_line(found, 30)).strip() == "784K tokens · $0.56 computed"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "message",
                    "content",
                    "payload",
                    "id",
                    "text",
                    "role",
                    "usage",
                    "toolCalls",
                    "args",
                    "name",
                    "input",
                    "arguments",
                    "tokens",
                    "info",
                    "messages",
                    "call_id",
                    "output",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(JSON, st.sampled_from(["assistant", "user", "response_item", "event_msg", "gemini", "system", "attachment"]))
def test_no_shape_stops_a_reader(value: Any, kind: str) -> None:
    line = json.dumps(
        {
            "type": kind,
            "message": value,
            "payload": value,
            "content": value,
            "toolCalls": value,
            "attachment": value,
            "tokens": value,
            "id": value,
        }
    ).encode()
    for telling in (ClaudeTelling("s"), CodexTelling("s"), GeminiTelling("s")):
        for one in telling.told(line):
            assert isinstance(one.text, str)


def test_rows_of_every_width_hold_the_name_first() -> None:
    item = Item(
        "call",
        0,
        place=read_place(),
        at=None,
        text="app/views.py",
        name="Read",
        status="ok",
        seconds=1.24,
        result="ok",
        tokens=12_345,
        usd=0.1234,
        floor=True,
    )
    assert "Read app/views.py" in plain(item_row(item, 40, hit=False))
    wide = plain(item_row(item, 120, hit=False))
    assert "1.2s" in wide and "12.3K" in wide and "≥ $0.12" in wide


def read_place() -> Any:
    from cockpit.agents.transcript_models import Place

    return Place(7)

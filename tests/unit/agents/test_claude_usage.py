"""Usage of Claude Code: each response once, whatever the order of lines, files and reads; nothing odd is fatal."""

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cockpit.agents.claude_line import MOST, Record, read_line
from cockpit.agents.claude_usage import ClaudeReader
from cockpit.spend.sources import unread
from tests.unit.ledgers import Usage

NOON = "2026-11-20T12:00:00.000Z"


def line(
    message: str | None = "msg_1",
    output: Any = 10,
    *,
    session: str = "s1",
    at: Any = NOON,
    usage: dict[str, Any] | None = None,
    stop: str | None = "end_turn",
    model: str | None = "claude-opus-5",
    **more: Any,
) -> str:
    document = {
        "type": "assistant",
        "uuid": "u-" + str(message),
        "sessionId": session,
        "cwd": "/p",
        "gitBranch": "main",
        "timestamp": at,
        "message": {
            "id": message,
            "model": model,
            "content": [{"type": "text", "text": "x"}],
            "stop_reason": stop,
            "usage": {"input_tokens": 1, "output_tokens": output, **(usage or {})},
        },
        **more,
    }
    return json.dumps(document)


def reader(tmp_path: Path, **files: list[str] | str) -> Usage:
    for name, lines in files.items():
        path = tmp_path / "projects" / "-p" / (name.replace("__", "/") + ".jsonl")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(lines if isinstance(lines, str) else "".join(text + "\n" for text in lines))
    usage = Usage(ClaudeReader([tmp_path]))
    usage.read_all()
    return usage


def test_blocks_of_one_response_count_once_and_the_most_output_wins(tmp_path: Path) -> None:
    usage = reader(tmp_path, s1=[line(output=3, stop=None), line(output=40), line(output=7, stop=None)])
    assert {key: record.output for key, record in usage.records.items()} == {"msg_1": 40}
    assert usage.files[str(tmp_path / "projects/-p/s1.jsonl")].records["/p"] == 3


def test_a_response_without_a_message_id_is_known_by_its_uuid_or_its_content(tmp_path: Path) -> None:
    nameless = line(message=None, uuid=None)
    usage = reader(tmp_path, s1=[line(message=None), line(message=None), nameless], s2=[nameless])
    assert sorted(key.partition(":")[0] for key in usage.records) == ["line", "u-None"]


def test_a_replay_by_a_sidechain_belongs_to_the_main_conversation(tmp_path: Path) -> None:
    replay = line(isSidechain=True, requestId="req_2", stop=None)
    usage = reader(tmp_path, s1=[line(requestId="req_1")], s1__subagents__agent_aside=[replay])
    assert usage.records["msg_1"].sidechain is False
    assert "msg_1" in usage.final


def test_a_fork_is_attributed_to_the_session_that_went_its_own_way_first(tmp_path: Path) -> None:
    shared = ["msg_1", "msg_2"]
    original = [line(name, session="zz") for name in shared] + [line("own", session="zz", at="2026-11-20T12:01:00Z")]
    fork = [line(name, session="aa") for name in shared] + [line("late", session="aa", at="2026-11-20T13:00:00Z")]
    usage = reader(tmp_path, aa=fork, zz=original)
    assert [usage.records[name].session for name in shared] == ["zz", "zz"]
    assert usage.records["late"].session == "aa"


def test_an_original_that_was_copied_whole_keeps_its_responses(tmp_path: Path) -> None:
    fork = [line(session="aa"), line("late", session="aa")]
    usage = reader(tmp_path, aa=fork, zz=[line(session="zz")])
    assert usage.records["msg_1"].session == "zz"


def test_a_copy_that_names_its_original_is_attributed_to_it(tmp_path: Path) -> None:
    usage = reader(tmp_path, aa=[line(session="aa", forkedFrom={"sessionId": "origin", "messageUuid": "u"})])
    assert usage.records["msg_1"].session == "origin"


def test_synthetic_and_failed_responses_are_dropped_and_counted(tmp_path: Path) -> None:
    usage = reader(
        tmp_path,
        s1=[line("a", model="<synthetic>"), line("b", isApiErrorMessage=True), line("c")],
    )
    assert list(usage.records) == ["c"]
    dropped = usage.files[str(tmp_path / "projects/-p/s1.jsonl")].dropped
    assert dropped == {("synthetic", "/p"): 1, ("api-error", "/p"): 1}


def test_cache_writes_are_split_and_thinking_stays_inside_output() -> None:
    usage = {
        "cache_creation_input_tokens": 100,
        "cache_read_input_tokens": 7,
        "cache_creation": {"ephemeral_1h_input_tokens": 60, "ephemeral_5m_input_tokens": 40},
        "output_tokens_details": {"thinking_tokens": 4},
        "server_tool_use": {"web_search_requests": 2},
        "speed": "fast",
    }
    record = read_line(line(usage=usage).encode(), "s").record
    assert record is not None
    assert (record.cache_write_5m, record.cache_write_1h, record.cache_read) == (40, 60, 7)
    assert (record.output, record.reasoning, record.web_searches, record.fast) == (10, 4, 2, True)


def test_advisors_are_kept_under_their_own_model_and_other_iterations_are_not() -> None:
    entries = [
        {"type": "message", "model": "claude-opus-5", "input_tokens": 9, "output_tokens": 9},
        {"type": "advisor_message", "model": "claude-haiku-4-5", "input_tokens": 5, "output_tokens": 6},
    ]
    record = read_line(line(usage={"iterations": entries}).encode(), "s").record
    assert record is not None
    assert record.advisors == (("claude-haiku-4-5", 5, 6, 0, 0, 0),)


@pytest.mark.parametrize(
    ("given", "counted"),
    [(None, 0), ("25", 25), (-4, 0), (10**18, 0), (10**30, 0), ("x", 0), ([1], 0), (True, 0), (12.0, 12), (MOST, MOST)],
)
def test_odd_counts_are_mended(given: Any, counted: int) -> None:
    record = read_line(line(output=given).encode(), "s").record
    assert record is not None
    assert (record.output, record.input) == (counted, 1)


@pytest.mark.parametrize("field", ["cwd", "gitBranch", "timestamp", "sessionId", "isSidechain", "forkedFrom", "uuid"])
@pytest.mark.parametrize("value", [None, 5, "\ud83d", [], {"a": 1}])
def test_odd_fields_do_not_lose_the_usage(field: str, value: Any) -> None:
    record = read_line(line(**{field: value}).encode(), "fallback").record
    assert record is not None
    assert record.output == 10


def test_bytes_that_are_not_utf8_do_not_lose_the_usage() -> None:
    raw = line().encode().replace(b'"/p"', b'"/p\xff"')
    record = read_line(raw, "s").record
    assert record is not None
    assert record.cwd == "/p\ufffd"


@given(raw=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))))
def test_no_line_raises(raw: bytes) -> None:
    read_line(raw, "s")
    cut = line().encode()
    read_line(cut[: len(raw)] + raw, "s")


def test_deeply_nested_lines_are_malformed_not_fatal() -> None:
    assert read_line(b'{"usage":' + b"[" * 100_000, "s").dropped == "malformed"


def test_a_torn_last_line_waits_and_damaged_lines_are_counted(tmp_path: Path) -> None:
    whole = line("msg_2")
    usage = reader(tmp_path, s1=line() + "\n" + '{"torn": tru\n{"output_tokens" oops}\n' + whole[:80])
    transcript = usage.files[str(tmp_path / "projects/-p/s1.jsonl")]
    assert (list(usage.records), transcript.dropped["malformed", ""]) == (["msg_1"], 2)
    with (tmp_path / "projects/-p/s1.jsonl").open("a") as stream:
        stream.write(whole[80:] + "\n")
    assert usage.read_all() == {"msg_2"}


def test_a_response_appended_to_a_torn_line_is_found(tmp_path: Path) -> None:
    usage = reader(tmp_path, s1=[line()[:150] + line("msg_2")])
    assert list(usage.records) == ["msg_2"]


def test_responses_stay_when_their_file_is_rewritten_or_goes(tmp_path: Path) -> None:
    usage = reader(tmp_path, s1=[line("a"), line("b")], s2=[line("c")])
    path = tmp_path / "projects/-p/s1.jsonl"
    path.write_text(line("b") + "\n")
    (tmp_path / "projects/-p/s2.jsonl").unlink()
    assert usage.read_all() == set()
    other = tmp_path / "new"
    other.write_text(line("b") + "\n" + line("d") + "\n")
    other.replace(path)
    assert usage.read_all() == {"d"}
    assert sorted(usage.records) == ["a", "b", "c", "d"]
    assert usage.files[str(path)].records["/p"] == 2


def test_a_sidechain_that_never_stopped_is_not_final(tmp_path: Path) -> None:
    side = {"isSidechain": True}
    usage = reader(
        tmp_path,
        s1=[line("main", stop=None)],
        s1__subagents__agent_1=[line("open", 2, stop=None, **side), line("done", 1, stop=None, **side)],
        s1__subagents__workflows__wf_1__agent_2=[line("done", 50, **side)],
    )
    assert set(usage.records) - usage.final == {"open"}


def test_a_line_above_the_limit_is_counted_and_the_rest_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cockpit.files.CHUNK", 1000)
    monkeypatch.setattr("cockpit.files.LONGEST_LINE", 5000)
    usage = reader(tmp_path, s1=[line("a"), line("b", text="x" * 9000), line("c")])
    assert sorted(usage.records) == ["a", "c"]
    assert usage.files[str(tmp_path / "projects/-p/s1.jsonl")].tail.too_long == 1


def test_what_is_a_transcript(tmp_path: Path) -> None:
    usage = reader(
        tmp_path,
        s1=[line("a")],
        s1__subagents__journal=[line("journal")],
        s1__subagents__agent_x=[line("b", sessionId=None)],
    )
    (tmp_path / "projects/-p/notes.txt").write_text(line("text") + "\n")
    (tmp_path / "projects/-p/loop").symlink_to(tmp_path / "projects")
    (tmp_path / "projects/-p/folder.jsonl").mkdir()
    os.mkfifo(tmp_path / "projects/-p/pipe.jsonl")
    usage.read_all()
    assert sorted(usage.records) == ["a", "b"]
    assert usage.records["b"].session == "s1"
    others = ["elsewhere.jsonl", "projects/-p/gone.jsonl", "projects/-p/pipe.jsonl", "projects/-p/folder.jsonl"]
    assert usage.read([str(tmp_path / name) for name in others]) == set()
    assert usage.unreadable == {}


def test_a_file_whose_name_is_no_text_is_named_and_stops_nothing(tmp_path: Path) -> None:
    good, bad = (tmp_path / "projects" / os.fsdecode(name) / "s.jsonl" for name in (b"-p", b"-\xfe"))
    for path, text in ((good, line("good")), (bad, line("bad"))):
        path.parent.mkdir(parents=True)
        path.write_text(text + "\n")
    usage = Usage(ClaudeReader([tmp_path]))
    usage.read_all()
    assert list(usage.records) == ["good"]
    assert usage.unreadable == {str(bad): "its name is no text"}
    assert not usage.read([str(bad)])
    assert "its name is no text" in unread(usage.ledger)[0]


def test_no_folder_is_no_usage(tmp_path: Path) -> None:
    assert reader(tmp_path / "nothing").records == {}


def test_billing_is_the_last_statement_and_what_came_after_it(tmp_path: Path) -> None:
    def bill(usd: Any) -> str:
        return json.dumps({"type": "cost-state", "sessionId": "s1", "totalCostUSD": usd})

    usage = reader(tmp_path, s1=[line("a"), bill(1.5), line("b"), bill(2.5), line("b"), line("c"), bill("x")])
    transcript = usage.files[str(tmp_path / "projects/-p/s1.jsonl")]
    assert (transcript.billed, list(transcript.after), transcript.before) == (2.5, ["c"], {"a", "b"})


lines = st.builds(
    line,
    message=st.sampled_from(["m1", "m2", "m3", "m4", None]),
    output=st.sampled_from([1, 5, 5, 9]),
    session=st.sampled_from(["s1", "s2", "s3"]),
    at=st.sampled_from([NOON, "2026-11-20T12:00:01Z", "2026-11-21T00:00:00+01:00", None]),
    usage=st.sampled_from([{}, {"cache_read_input_tokens": 3}, {"speed": "fast"}, {"input_tokens": "7"}]),
    stop=st.sampled_from([None, "end_turn"]),
    isSidechain=st.booleans(),
    agentId=st.sampled_from(["x", "y"]),
    cwd=st.sampled_from(["/p", "/q"]),
    forkedFrom=st.sampled_from([None, {"sessionId": "s1"}]),
)


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(given=st.lists(lines, max_size=14), seed=st.integers(0, 2**32))
def test_no_split_order_or_repetition_changes_what_is_counted(
    tmp_path_factory: pytest.TempPathFactory, given: list[str], seed: int
) -> None:
    def counted(usage: Usage) -> tuple[dict[str, Record], set[str]]:
        return usage.records, usage.final

    together = reader(tmp_path_factory.mktemp("one"), s=given)
    chance = random.Random(seed)
    root = tmp_path_factory.mktemp("many")
    shuffled = given + chance.choices(given, k=3) if given else []
    chance.shuffle(shuffled)
    apart = Usage(ClaudeReader([root]))
    for text in shuffled:
        path = root / "projects" / "-p" / chance.choice(["a.jsonl", "b.jsonl", "s/subagents/agent-1.jsonl"])
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as stream:
            stream.write(text + "\n")
        if chance.random() < 0.4:
            apart.read_all()
    apart.read_all()
    assert counted(apart) == counted(together)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    cut=st.integers(0, 900),
    noise=st.binary(max_size=30),
    value=st.sampled_from([None, -5, 2**70, "12", "x", 1.5, True, [], {}, [None]]),
)
def test_a_transcript_cut_anywhere_with_any_values_is_read_and_goes_on(
    tmp_path_factory: pytest.TempPathFactory, cut: int, noise: bytes, value: Any
) -> None:
    root = tmp_path_factory.mktemp("claude")
    path = root / "projects" / "-p" / "s.jsonl"
    path.parent.mkdir(parents=True)
    whole = "\n".join(
        [line(), line(usage={"input_tokens": value}), line(message="m2", output=value), json.dumps({"type": value})]
    )
    path.write_bytes(whole.encode()[:cut] + noise.replace(b"\n", b""))
    usage = Usage(ClaudeReader([root]))
    usage.read_all()
    with path.open("a") as stream:
        stream.write("\n" + line(message="last", output=3) + "\n")
    usage.read_all()
    assert usage.records["last"].output == 3
    assert all(0 <= record.tokens <= 5 * MOST for record in usage.records.values())

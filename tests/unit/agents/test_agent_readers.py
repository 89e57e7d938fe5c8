"""Codex, Gemini and OpenCode: each response once, whatever the order of files and reads; nothing odd is fatal."""

import json
import random
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cockpit.agents.claude import EventParser
from cockpit.agents.claude_told import ClaudeTelling
from cockpit.agents.claude_usage import ClaudeReader
from cockpit.agents.codex import CodexReader
from cockpit.agents.codex_told import CodexTelling
from cockpit.agents.gemini import GeminiReader
from cockpit.agents.gemini_told import GeminiTelling
from cockpit.agents.opencode import OpenCodeReader
from cockpit.agents.opencode_told import OpenCodeTelling
from cockpit.agents.record import MOST
from cockpit.agents.source import Reader
from cockpit.spend.limits import read_limits
from cockpit.spend.pace import read_paces
from cockpit.spend.rows import spend_rows
from tests.unit.ledgers import Usage

PARENT, CHILD = "aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"
ODD: list[Any] = [None, -1, 10**30, "12", "x", [], {}, True, 1.5]


def entry(kind: str, **payload: Any) -> str:
    return json.dumps({"timestamp": "2026-11-20T12:00:00.000Z", "type": kind, "payload": payload})


def meta(thread: str, parent: str | None = None) -> str:
    return entry("session_meta", id=thread, cwd="/p", git={"branch": "main"}, forked_from_id=parent)


def turn(model: str) -> str:
    return entry("turn_context", model=model)


def used(fresh: int, cached: int, output: int) -> dict[str, int]:
    counts = {"input_tokens": fresh + cached, "cached_input_tokens": cached, "output_tokens": output}
    return {**counts, "reasoning_output_tokens": output // 2, "total_tokens": fresh + cached + output}


def total_of(*turns: dict[str, int]) -> dict[str, int]:
    return {kind: sum(each[kind] for each in turns) for kind in turns[0]}


def counted(turns: list[dict[str, int]], *, last: bool = True) -> list[str]:
    lines = []
    for number in range(1, len(turns) + 1):
        info = {"total_token_usage": total_of(*turns[:number])}
        if last:
            info["last_token_usage"] = turns[number - 1]
        lines.append(entry("event_msg", type="token_count", info=info))
    return lines


def rollout(root: Path, thread: str, lines: list[str], folder: str = "sessions/2026/11/20") -> Path:
    path = root / folder / f"rollout-2026-11-20T12-00-00-{thread}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(line + "\n" for line in lines))
    return path


def usage_of(reader: Reader) -> Usage:
    usage = Usage(reader)
    usage.read_all()
    return usage


def sums(usage: Usage) -> tuple[int, int, int, int, int]:
    records = usage.records.values()
    kinds = ("input", "cache_read", "output", "reasoning")
    return (len(records), *(sum(getattr(record, kind) for record in records) for kind in kinds))  # type: ignore[return-value]


@pytest.mark.parametrize("last", [True, False])
def test_codex_counts_each_turn_once_by_its_usage_or_the_growth_of_the_total(tmp_path: Path, last: bool) -> None:
    turns = [used(100, 0, 10), used(20, 100, 30)]
    lines = counted(turns, last=last)
    empty = entry("event_msg", type="token_count", info=None)
    rollout(tmp_path, PARENT, [meta(PARENT), turn("gpt-5.4"), empty, lines[0], lines[0], lines[1], lines[1]])
    assert sums(usage_of(CodexReader([tmp_path]))) == (2, 120, 100, 40, 20)


def test_codex_counts_a_turn_under_the_model_that_was_in_force(tmp_path: Path) -> None:
    lines = counted([used(1, 0, 1), used(2, 0, 2)])
    again = [turn("gpt-5.3-codex"), lines[0]]
    rollout(tmp_path, PARENT, [meta(PARENT), turn("gpt-5.4"), lines[0], *again, lines[1]])
    models = {record.output: record.model for record in usage_of(CodexReader([tmp_path])).records.values()}
    assert models == {1: "gpt-5.4", 2: "gpt-5.3-codex"}


def test_codex_counts_by_response_where_the_file_tells(tmp_path: Path) -> None:
    turns = [used(100, 0, 10), used(20, 100, 30)]
    by_response = [
        entry("token_usage_record", thread_id=PARENT, response_id=f"r{n}", usage=u) for n, u in enumerate(turns)
    ]
    both = [line for pair in zip(counted(turns), by_response, strict=True) for line in pair]
    rollout(tmp_path, PARENT, [meta(PARENT), turn("gpt-5.4"), *both, by_response[0]])
    rollout(tmp_path, CHILD, [meta(CHILD, PARENT), turn("gpt-5.4"), *by_response])
    assert sums(usage_of(CodexReader([tmp_path]))) == (2, 120, 100, 40, 20)


@pytest.mark.parametrize("parent_first", [True, False, None])
def test_a_codex_fork_repeats_only_its_parents_beginning(tmp_path: Path, parent_first: bool | None) -> None:
    shared, later, own = [used(5, 0, 1), used(7, 5, 2)], [used(9, 12, 3)], [used(4, 12, 5)]
    old = [meta(PARENT), turn("gpt-5.4"), *counted([*shared, *later])]
    new = [meta(CHILD, PARENT), meta(PARENT), *counted(shared), turn("gpt-5.4"), *counted([*shared, *own])[2:]]
    usage = Usage(CodexReader([tmp_path]))
    files = [(PARENT, old), (CHILD, new)]
    for thread, lines in files if parent_first else reversed(files):
        rollout(tmp_path, thread, lines)
        if parent_first is not None:
            usage.read_all()
    usage.read_all()
    assert sums(usage) == (4, 5 + 7 + 9 + 4, 0 + 5 + 12 + 12, 1 + 2 + 3 + 5, 0 + 1 + 1 + 2)
    assert {record.session for record in usage.records.values()} == {PARENT, CHILD}


def test_a_packed_rollout_counts_and_the_plain_one_holds_against_it(tmp_path: Path) -> None:
    lines = [meta(PARENT), turn("gpt-5.4"), *counted([used(1, 0, 1), used(2, 0, 2)])]
    plain = rollout(tmp_path, PARENT, lines)
    packed = plain.with_name(plain.name + ".zst")
    packed.write_bytes(zstandard.compress(plain.read_bytes()))
    usage = usage_of(CodexReader([tmp_path]))
    assert list(usage.files) == [str(plain)]
    plain.unlink()
    assert usage.read_all() == set()
    assert str(packed) in usage.files
    other = tmp_path / "archived_sessions" / f"rollout-2026-11-19T12-00-00-{CHILD}.jsonl.zst"
    other.parent.mkdir()
    whole = zstandard.compress("\n".join([meta(CHILD), *counted([used(3, 0, 3)]), ""]).encode())
    other.write_bytes(whole + b"damage" * 9)
    usage.read_all()
    assert len(usage.records) == 3
    assert usage.files[str(other)].dropped["malformed", ""] == 1


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 6), shared=st.integers(0, 6), own=st.integers(0, 3))
def test_no_order_of_codex_files_and_reads_changes_the_sums(
    tmp_path_factory: pytest.TempPathFactory, seed: int, count: int, shared: int, own: int
) -> None:
    chance = random.Random(seed)
    turns = [used(chance.randint(0, 50), chance.randint(0, 50), chance.randint(1, 50)) for _ in range(count)]
    mine = [used(1000 + number, 0, 1000) for number in range(own)]
    kept = turns[: min(shared, count)]
    old = [meta(PARENT), turn("gpt-5.4"), *counted(turns)]
    new = [meta(CHILD, PARENT), turn("gpt-5.4"), *counted([*kept, *mine])]
    root = tmp_path_factory.mktemp("codex")
    usage = Usage(CodexReader([root]))
    waiting = {PARENT: old, CHILD: new}
    written: dict[str, list[str]] = {PARENT: [], CHILD: []}
    while any(waiting.values()):
        thread = chance.choice([name for name, lines in waiting.items() if lines])
        written[thread].append(waiting[thread].pop(0))
        rollout(root, thread, written[thread])
        if chance.random() < 0.4:
            usage.read_all()
    usage.read_all()
    assert sums(usage)[0] == count + own
    assert sum(record.output for record in usage.records.values()) == sum(
        each["output_tokens"] for each in [*turns, *mine]
    )


def said(name: str, **tokens: Any) -> dict[str, Any]:
    counts = {"input": 1000, "output": 50, "cached": 200, "thoughts": 30, "tool": 7, **tokens}
    more = {"timestamp": "2026-11-20T12:00:00Z", "model": "gemini-2.5-pro"}
    return {"id": name, "type": "gemini", **more, "tokens": counts}


def chat(root: Path, name: str, *documents: Any) -> Path:
    path = root / "tmp" / "proj" / "chats" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        stream.write("".join(json.dumps(each) + "\n" for each in documents))
    return path


def test_gemini_counts_the_last_form_of_a_message_and_what_was_rewound(tmp_path: Path) -> None:
    chat(tmp_path, "session-1.jsonl", {"sessionId": "s1"}, said("m1", output=1), said("m1"), said("m2"))
    usage = usage_of(GeminiReader([tmp_path]))
    (tmp_path / "tmp/proj/.project_root").write_text("/p\n")
    chat(tmp_path, "session-1.jsonl", {"$rewindTo": "m1"}, said("m2", output=5), {"$set": {"messages": [said("m3")]}})
    chat(tmp_path, "session-2.json", {"sessionId": "s2", "messages": [said("m1"), {"id": "u", "type": "user"}]})
    chat(tmp_path, "s1/sub.jsonl", {"sessionId": "sub"}, said("m1", output=9))
    usage.read_all()
    records = usage.records
    assert {key: record.output for key, record in records.items()} == {
        "gemini:s1:m1": 80,
        "gemini:s1:m2": 35,
        "gemini:s1:m3": 80,
        "gemini:s2:m1": 80,
        "gemini:sub:m1": 39,
    }
    first, sub = records["gemini:s2:m1"], records["gemini:sub:m1"]
    assert (first.input, first.cache_read, first.reasoning, first.cwd) == (807, 200, 30, "/p")
    assert (sub.session, sub.sidechain, first.sidechain) == ("s1", True, False)


def test_a_gemini_document_that_is_torn_waits_for_its_next_form(tmp_path: Path) -> None:
    path = chat(tmp_path, "session-2.json", {"sessionId": "s2", "messages": [said("m1")]})
    whole = path.read_text()
    path.write_text(whole[:60])
    usage = usage_of(GeminiReader([tmp_path]))
    assert (usage.records, usage.files[str(path)].dropped["malformed", ""]) == ({}, 1)
    path.write_text(whole)
    assert usage.read_all() == {"gemini:s2:m1"}


def message(**more: Any) -> dict[str, Any]:
    tokens = {"input": 1000, "output": 500, "reasoning": 20, "cache": {"read": 100, "write": 50}}
    base = {"role": "assistant", "providerID": "anthropic", "modelID": "claude-sonnet-4-6", "tokens": tokens}
    return {**base, "sessionID": "ses", "time": {"created": 1738663200000}, "cost": 0.05, **more}


def database(root: Path, rows: dict[str, dict[str, Any]]) -> None:
    root.mkdir(exist_ok=True)
    with sqlite3.connect(root / "opencode.db") as made:
        made.execute("CREATE TABLE IF NOT EXISTS session (id TEXT PRIMARY KEY, parent_id TEXT, directory TEXT)")
        made.execute("CREATE TABLE IF NOT EXISTS message (id TEXT PRIMARY KEY, session_id TEXT, data TEXT)")
        made.execute("INSERT OR IGNORE INTO session VALUES ('ses', NULL, '/p'), ('sub', 'ses', '/p')")
        for name, data in rows.items():
            made.execute("INSERT OR REPLACE INTO message VALUES (?, ?, ?)", (name, data["sessionID"], json.dumps(data)))


def test_opencode_reads_its_database_and_older_files_and_says_what_was_billed(tmp_path: Path) -> None:
    root = tmp_path / "opencode"
    database(root, {"m1": message(), "m2": message(sessionID="sub", cost=0), "u": message(role="user")})
    older = root / "storage" / "message" / "old" / "m0.json"
    older.parent.mkdir(parents=True)
    older.write_text(json.dumps(message(id="m0", sessionID="old")))
    (older.parent / "m1.json").write_text(json.dumps(message(id="m1", cost=9.0)))
    (root / "storage/session/x").mkdir(parents=True)
    (root / "storage/session/x/old.json").write_text(json.dumps({"id": "old", "directory": "/q", "parentID": "s"}))
    usage = usage_of(OpenCodeReader([root]))
    found = {key: (record.usd, record.sidechain, record.cwd) for key, record in usage.records.items()}
    assert found == {
        "opencode:m0": (0.05, True, "/q"),
        "opencode:m1": (0.05, False, "/p"),
        "opencode:m2": (None, True, "/p"),
    }
    first = usage.records["opencode:m1"]
    assert (first.input, first.output, first.cache_write_5m, first.cache_read) == (1000, 520, 50, 100)
    database(root, {"m1": message(cost=0.5)})
    assert usage.read_all() == {"opencode:m1"}
    assert usage.records["opencode:m1"].usd == 0.5


def test_what_an_agent_says_it_billed_is_summed_as_billed_only_where_nothing_else_is(tmp_path: Path) -> None:
    from cockpit.spend.places import Places
    from cockpit.spend.sums import Scope

    root = tmp_path / "opencode"
    database(root, {"m1": message(), "m2": message(sessionID="sub", cost=0)})
    rows, total = spend_rows(usage_of(OpenCodeReader([root])).ledger, "session", Scope(Places(None)))
    assert {row.key: row.basis for row in rows} == {"ses": "billed", "sub": "computed"}
    assert total.basis == "computed"
    assert next(row.usd for row in rows if row.key == "ses") == 0.05


@pytest.mark.parametrize("value", ODD)
def test_odd_values_never_stop_a_reader(tmp_path: Path, value: Any) -> None:
    broken = dict.fromkeys(used(1, 1, 1), value)
    info = {"total_token_usage": broken, "last_token_usage": broken}
    odd = [entry("event_msg", type="token_count", info=info, rate_limits=value), entry("turn_context", model=value)]
    odd += [entry("event_msg", type="token_count", info=value), entry("token_usage_record", usage=value)]
    rollout(
        tmp_path, PARENT, [json.dumps({"type": "session_meta", "payload": value}), *odd, *counted([used(1, 0, 77)])]
    )
    rollout(tmp_path, CHILD, [meta(CHILD), *odd[:2], *counted([used(1, 0, 77)])])
    chat(tmp_path, "session-1.jsonl", said("m1", input=value), {"$set": value}, {"tokens": value, "id": value})
    chat(tmp_path, "session-2.json", {"messages": value})
    database(tmp_path / "oc", {"m": message(time=value, cost=value, path=value), "n": message(tokens=value)})
    readers = (CodexReader([tmp_path]), GeminiReader([tmp_path]), OpenCodeReader([tmp_path / "oc"]))
    for reader in readers:
        usage = usage_of(reader)
        assert usage.unreadable == {}
        assert usage.records
        assert all(0 <= record.tokens <= 5 * MOST for record in usage.records.values())


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(cut=st.integers(0, 700), noise=st.binary(max_size=40))
def test_files_cut_anywhere_are_no_trouble(tmp_path_factory: pytest.TempPathFactory, cut: int, noise: bytes) -> None:
    root = tmp_path_factory.mktemp("agents")
    turns = [used(1, 0, 1), used(2, 0, 2)]
    plain = rollout(root, PARENT, [meta(PARENT), turn("gpt-5.4"), *counted(turns)])
    packed = plain.with_name(f"rollout-x-{CHILD}.jsonl.zst")
    packed.write_bytes(zstandard.compress(plain.read_bytes()))
    chats = chat(root, "session-1.jsonl", {"sessionId": "s"}, said("a"), said("b"))
    whole = chat(root, "session-2.json", {"sessionId": "t", "messages": [said("a")]})
    database(root / "oc", {"m": message()})
    for path in (plain, packed, chats, whole, root / "oc" / "opencode.db"):
        path.write_bytes(path.read_bytes()[:cut] + noise)
    for reader in (CodexReader([root]), GeminiReader([root]), OpenCodeReader([root / "oc"])):
        assert len(usage_of(reader).records) <= 4


@pytest.mark.parametrize("value", [*ODD, float("inf")])
def test_odd_limits_of_codex_are_left_out_and_stop_nothing(tmp_path: Path, value: Any) -> None:
    window = {"used_percent": value, "window_minutes": 300, "resets_at": 1_795_190_000}
    said = {"primary": {**window, "more": value}, "secondary": value, "plan": value}
    info = {"last_token_usage": used(1, 2, 3)}
    rollout(tmp_path, PARENT, [meta(PARENT), entry("event_msg", type="token_count", info=info, rate_limits=said)])
    usage = Usage(CodexReader([tmp_path]))
    usage.read_all()
    assert len(usage.records) == 1
    shown = [limit.percent for limit in read_limits(usage.ledger, datetime(2026, 11, 20, 12, tzinfo=UTC))]
    assert shown == ([float(value)] if value in ("12", 1.5) and value is not True else [])


def test_a_request_of_the_last_hour_of_all_calendars_has_a_pace_without_an_end(tmp_path: Path) -> None:
    usage = {"input_tokens": 1, "output_tokens": 1, "cache_creation_input_tokens": 9}
    message = {"id": "m", "model": "claude-opus-4-7", "usage": usage, "stop_reason": "end_turn"}
    line = {"type": "assistant", "sessionId": "s", "timestamp": "9999-12-31T23:59:59Z", "message": message}
    path = tmp_path / "projects" / "-p" / "s.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(line) + "\n")
    found = Usage(ClaudeReader([tmp_path]))
    found.read_all()
    (pace,) = read_paces(found.ledger, ["s"])
    assert (pace.cache_kind, pace.cache_until) == ("5m", None)


@pytest.mark.parametrize("value", ODD)
def test_a_line_whose_type_is_no_word_tells_nothing(value: Any) -> None:
    raw = json.dumps({"type": value, "payload": {"type": value}, "message": {"content": [{"type": value}]}}).encode()
    assert not [told for told in ClaudeTelling("s").told(raw) if told.kind != "place"]
    assert not CodexTelling("s").told(raw)
    assert not CodexTelling("s").told(json.dumps({"type": "response_item", "payload": {"type": value}}).encode())
    assert not CodexTelling("s").told(json.dumps({"type": "event_msg", "payload": {"type": value}}).encode())
    assert not GeminiTelling("s").told(raw)
    assert not list(OpenCodeTelling("s", "").told("m", {"role": "assistant"}, [{"type": value}]))
    assert EventParser().events(raw) == []

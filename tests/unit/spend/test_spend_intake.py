"""A second process that reads a part of the files: the ledger is the same, also where that process fails."""

import os
import random
from pathlib import Path
from typing import Any

import pytest

from cockpit.agents.claude_usage import ClaudeReader
from cockpit.agents.codex import CodexReader
from cockpit.agents.gemini import GeminiReader
from cockpit.agents.source import Reader
from cockpit.spend import book, intake, reading_process
from cockpit.spend.ledger import Ledger
from cockpit.spend.shelf import row_of
from tests.unit.agents.test_agent_readers import counted, meta, rollout, turn, used
from tests.unit.agents.test_claude_usage import line

DIES = "raise SystemExit(1)"
DIES_LATER = """import os, sys; sys.path.insert(0, sys.argv[1]); from cockpit.spend.reading_process import answered
for number, data in enumerate(answered(sys.stdin.buffer)):
    if number == 5:
        os.write(1, len(data).to_bytes(4, "big") + data[:9]); os._exit(1)
    os.write(1, len(data).to_bytes(4, "big") + data)
"""


def everything(ledger: Ledger) -> dict[str, list[Any]]:
    """All that the ledger holds, by table; numbers that it gave out itself are replaced by what they stand for."""
    words = {
        "responses": """SELECT key, part, at, input, output, cache_write_5m, cache_write_1h, cache_read, reasoning,
            web_searches, contested, dollars, pico, advisors, usd, session, cwd, branch, model, provider, fast,
            sidechain, forked, open, billed, subagent FROM responses JOIN origins ON origins.id = origin""",
        "cells": """SELECT session, cwd, branch, model, open, sidechain, subagent, quarter, requests, input, output,
            cache_write_5m, cache_write_1h, cache_read, reasoning, dollars, pico, unpriced
            FROM cells JOIN origins ON origins.id = origin""",
        "rivals": "SELECT key, session, record FROM rivals",
        "subagents": "SELECT session, name, kind, about, workflow FROM subagents",
    }
    found = {name: sorted(ledger.store.connection.execute(sql), key=repr) for name, sql in words.items()}
    return {**found, "files": [row_of(source) for source in ledger.files()]}


def read(reader: Reader, monkeypatch: pytest.MonkeyPatch, *, much: int = intake._MUCH) -> dict[str, list[Any]]:
    monkeypatch.setattr(intake, "_MUCH", much)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    ledger = Ledger([reader])
    ledger.read()
    assert not ledger.read()
    return everything(ledger)


@pytest.fixture
def claude(tmp_path: Path) -> Path:
    """Thirty transcripts that share responses: forks, replays, sub-agents, odd and damaged lines."""
    chance = random.Random(5)
    for number in range(30):
        name = f"s{number % 20}/subagents/agent-{number}" if number % 3 == 0 else f"s{number}"
        lines = [
            line(
                f"m{message}",
                chance.choice([1, 9, 9, "12", -3]),
                session=f"s{number}",
                at=f"2026-11-20T12:{10 + message % 50}:00Z",
                stop=chance.choice([None, "end_turn"]),
                isSidechain=number % 3 == 0,
            )
            for message in chance.choices(range(160), k=12)
        ]
        path = tmp_path / "projects" / "-p" / f"{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([*lines, '{"torn": "output_tokens"', lines[0]]) + "\n" + lines[1][:40])
    return tmp_path


@pytest.mark.parametrize("start", [reading_process._START, DIES, DIES_LATER], ids=["lives", "dies", "later"])
def test_two_processes_make_the_ledger_of_one(claude: Path, monkeypatch: pytest.MonkeyPatch, start: str) -> None:
    alone = read(ClaudeReader([claude]), monkeypatch)
    monkeypatch.setattr(reading_process, "_START", start)
    assert read(ClaudeReader([claude]), monkeypatch, much=1) == alone
    assert len(alone["responses"]) > 100
    assert alone["rivals"]


def test_the_parts_of_a_fork_meet_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = [used(100 + number, 10, 5) for number in range(9)]
    for number in range(6):
        parent = f"{number}aaaaaaa-0000-4000-8000-000000000001"
        child = f"{number}bbbbbbb-0000-4000-8000-000000000002"
        rollout(tmp_path, parent, [meta(parent), turn("gpt-5.4"), *counted(turns[:6])])
        rollout(tmp_path, child, [meta(child, parent), turn("gpt-5.4"), *counted([*turns[:4], *turns[6:]])])
    alone = read(CodexReader([tmp_path]), monkeypatch)
    assert read(CodexReader([tmp_path]), monkeypatch, much=1) == alone
    assert len(alone["responses"]) == 6 * 9


def test_what_the_other_process_cannot_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chats = tmp_path / "tmp" / "p" / "chats"
    chats.mkdir(parents=True)
    for number in range(4):
        (chats / f"session-{number}.json").write_text("{}")
        os.truncate(chats / f"session-{number}.json", 300 << 20)  # takes no room on the disk
    reader = GeminiReader([tmp_path])
    ledger = Ledger([reader])
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    ledger.read()
    assert reader.unreadable == {str(path): "larger than a chat can be" for path in chats.iterdir()}


def test_what_was_written_before_is_asked_for_only_where_it_is_there(
    claude: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a long first read asks the ledger about every response, in vain."""
    asked: list[str] = []
    alone = read(ClaudeReader([claude]), monkeypatch)
    monkeypatch.setattr(intake, "_MOST_HELD", 20)
    monkeypatch.setattr(book, "_READ", book._READ + " -- asked")
    ledger = Ledger([ClaudeReader([claude])])
    ledger.store.connection.set_trace_callback(lambda sql: asked.append(sql) if sql.endswith("-- asked") else None)
    ledger.read()
    ledger.store.connection.set_trace_callback(None)
    assert everything(ledger) == alone
    found = [sql for sql in asked if ledger.store.connection.execute(sql).fetchone() is None]
    assert asked
    assert found == []

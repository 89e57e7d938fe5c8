"""The ledger's file: only what is new is read, history stays, and no damage, kill or second cockpit loses anything."""

import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cockpit.agents.claude_usage import ClaudeReader
from cockpit.agents.record import Record
from cockpit.errors import CannotAnswer
from cockpit.files import locked
from cockpit.spend.ledger import Ledger
from cockpit.spend.models import SpendRow
from cockpit.spend.places import Places
from cockpit.spend.rows import spend_rows
from cockpit.spend.store import NAME, Store
from cockpit.spend.sums import Scope
from tests.unit.ledgers import Usage

HOME = Path(__file__).resolve().parents[3]
ALL = Scope(Places(None))


def said(message: str, output: int = 7, session: str = "s", **more: Any) -> str:
    usage = {"input_tokens": 3, "output_tokens": output}
    body = {"id": message, "model": "claude-haiku-4-5", "stop_reason": more.pop("stop", "end_turn"), "usage": usage}
    at = more.pop("at", "2026-11-20T12:00:00Z")
    return json.dumps(
        {"type": "assistant", "sessionId": session, "cwd": "/p", "timestamp": at, "message": body, **more}
    )


def write(root: Path, *lines: str, name: str = "s.jsonl") -> Path:
    path = root / "projects" / "-p" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        stream.write("".join(line + "\n" for line in lines))
    return path


def opened(root: Path, state: Path) -> Ledger:
    ledger = Ledger([ClaudeReader([root])], Store.open(state))
    ledger.read()
    return ledger


def total(ledger: Ledger) -> SpendRow:
    return spend_rows(ledger, "total", ALL)[1]


def test_a_second_start_reads_only_what_is_new(tmp_path: Path) -> None:
    write(tmp_path, said("a"))
    other = write(tmp_path, said("b", session="t"), name="t.jsonl")
    first = total(opened(tmp_path, tmp_path / "state"))
    again = Ledger([ClaudeReader([tmp_path])], Store.open(tmp_path / "state"))
    assert (again.pending(), total(again)) == ([], first)
    line = said("c", session="t")
    write(tmp_path, line, name="t.jsonl")
    assert again.pending() == [(str(other), len(line) + 1)]
    assert again.read() == {"c"}
    assert total(again).requests == 3


def test_a_ledger_in_which_nothing_has_a_price_is_sound(tmp_path: Path) -> None:
    """While one cockpit holds it open, the next one looks it through: no dollars are no damage."""
    write(tmp_path, said("a").replace("claude-haiku-4-5", "a-model-of-ones-own"))
    first = opened(tmp_path, tmp_path / "state")
    second = opened(tmp_path, tmp_path / "state")
    assert (second.store.notice, total(second).requests, total(first).requests) == ("", 1, 1)


def test_history_stays_when_the_agent_deletes_its_files(tmp_path: Path) -> None:
    path = write(tmp_path, said("a"), said("b"))
    before = total(opened(tmp_path, tmp_path / "state"))
    path.unlink()
    assert total(opened(tmp_path, tmp_path / "state")) == before


def test_other_data_roots_are_another_ledger(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write(tmp_path / name, said("same"), said(name))
    counts = [total(opened(tmp_path / name, tmp_path / "state")).requests for name in ("one", "two", "one")]
    assert counts == [2, 2, 2]
    both = Ledger([ClaudeReader([tmp_path / "one", tmp_path / "two"])], Store.open(tmp_path / "state"))
    both.read()
    assert total(both).requests == 3


@pytest.mark.parametrize("damage", ["head", "middle", "empty-header", "text", "value"])
def test_a_damaged_file_is_moved_aside_and_built_anew(tmp_path: Path, damage: str) -> None:
    write(tmp_path, *(said(f"m{number}", number) for number in range(400)))
    ledger = opened(tmp_path, tmp_path / "state")
    before = total(ledger)
    ledger.store.close()
    path = tmp_path / "state" / NAME
    raw = bytearray(path.read_bytes())
    if damage == "head":
        raw[:200] = b"\xff" * 200
    elif damage == "middle":
        raw[4096:] = os.urandom(len(raw) - 4096)
    elif damage == "empty-header":
        raw[:100] = bytes(100)
    elif damage == "value":  # of one response: the file is sound in every other respect
        database = sqlite3.connect(path)
        database.execute("UPDATE responses SET output = output + 1 WHERE key = 'm7'")
        database.commit()
        database.close()
        raw = bytearray(path.read_bytes())
    else:
        raw[:] = b"this is no database\n" * 50
    path.write_bytes(raw)
    mended = opened(tmp_path, tmp_path / "state")
    assert "was damaged" in mended.store.notice
    assert total(mended) == before
    aside = [entry.name for entry in (tmp_path / "state").iterdir() if "damaged" in entry.name]
    assert any(name.endswith(".db") for name in aside)
    assert opened(tmp_path, tmp_path / "state").store.notice == ""


def test_who_ends_at_once_leaves_a_short_log_that_the_next_one_reads(tmp_path: Path) -> None:
    write(tmp_path, *(said(f"m{number}", number) for number in range(40)))
    opened(tmp_path, tmp_path / "state").leave()
    path = tmp_path / "state" / NAME
    log = path.with_name(f"{NAME}-wal")
    assert not log.exists()  # the first time all of it comes into the file
    before = path.read_bytes()
    script = f"""import os, sys; sys.path.insert(0, {str(Path(__file__).parents[3])!r})
from pathlib import Path
from cockpit.agents.claude_usage import ClaudeReader
from cockpit.spend.ledger import Ledger
from cockpit.spend.store import Store
def command():
    ledger = Ledger([ClaudeReader([Path({str(tmp_path)!r})])], Store.open(Path({str(path.parent)!r})))
    print(bool(ledger.read()), ledger.store.notice, flush=True); ledger.leave()
command(); os._exit(0)"""
    for number in range(3):
        write(tmp_path, said(f"late{number}"), name=f"late{number}.jsonl")
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert (done.stdout, done.stderr) == ("True \n", "")
        assert path.read_bytes() == before
    assert log.stat().st_size > 0
    after = opened(tmp_path, tmp_path / "state")
    assert (total(after).requests, after.store.notice) == (43, "")
    after.close()
    assert not log.exists()


def test_a_ledger_of_a_newer_cockpit_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path, said("a"))
    opened(tmp_path, tmp_path / "state").store.close()
    with sqlite3.connect(tmp_path / "state" / NAME) as database:
        database.execute("PRAGMA user_version = 99")
    newer = opened(tmp_path, tmp_path / "state")
    assert (newer.store.path, total(newer).requests) == (None, 1)
    assert "newer cockpit" in newer.store.notice


@pytest.mark.parametrize("form", [b"\x91\x01", b"[1, 2]", b"[", b"\x00", b'{"a": 1}'])
def test_a_ledger_with_rows_of_another_version_is_left_alone(tmp_path: Path, form: bytes) -> None:
    write(tmp_path, said("a"))
    opened(tmp_path, tmp_path / "state").store.close()
    path = tmp_path / "state" / NAME
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("UPDATE files SET state = ?", (form,))
    other = opened(tmp_path, tmp_path / "state")
    with pytest.raises(CannotAnswer, match="written by another version"):
        next(shelf for _, _, shelf in other.shelves()).newest(1)
    assert len(list(other.files())) == 1
    write(tmp_path, said("b"))
    other.read()
    assert (other.store.path, total(other).requests) == (None, 2)
    assert other.store.notice == "the ledger was written by another version of cockpit: this one works without it"
    with contextlib.closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT DISTINCT state FROM files").fetchall() == [(form,)]


def test_a_state_folder_that_cannot_be_used_means_memory_and_a_notice(tmp_path: Path) -> None:
    write(tmp_path, said("a"))
    (tmp_path / "state").write_text("a file, not a folder")
    ledger = opened(tmp_path, tmp_path / "state")
    assert "kept in memory" in ledger.store.notice
    write(tmp_path, said("b"))
    assert ledger.read()
    assert total(ledger).requests == 2


def test_a_full_disk_means_memory_and_loses_nothing(tmp_path: Path) -> None:
    write(tmp_path, said("a"))
    ledger = opened(tmp_path, tmp_path / "state")
    pages = ledger.store.connection.execute("PRAGMA page_count").fetchone()[0]
    ledger.store.connection.execute(f"PRAGMA max_page_count = {pages}")
    write(tmp_path, *(said(f"m{number}", number) for number in range(2000)))
    assert ledger.read()
    assert total(ledger).requests == 2001
    assert "full" in ledger.store.notice
    assert total(opened(tmp_path, tmp_path / "state")).requests == 2001


def test_a_ledger_that_another_cockpit_is_writing_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cockpit.spend.store._WAIT", 0.05)
    write(tmp_path, said("a"))
    first = opened(tmp_path, tmp_path / "state")
    write(tmp_path, said("b"))
    with locked(tmp_path / "state" / "ledger.lock"):
        second = opened(tmp_path, tmp_path / "state")
        assert (second.store.path, total(second).requests) == (None, 2)
        assert first.read()
        assert (first.store.path, total(first).requests) == (None, 2)


def test_two_cockpits_see_what_the_other_wrote(tmp_path: Path) -> None:
    write(tmp_path, said("a"))
    first, second = opened(tmp_path, tmp_path / "state"), opened(tmp_path, tmp_path / "state")
    for number in range(4):
        write(tmp_path, said(f"m{number}", number))
        reading, other = (first, second) if number % 2 else (second, first)
        assert reading.read()
        assert total(other) == total(reading)
        assert not other.read()
    assert total(first).requests == 5


def test_a_new_price_table_prices_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, said("a", 10**6))
    before = total(opened(tmp_path, tmp_path / "state"))
    with sqlite3.connect(tmp_path / "state" / NAME) as database:
        database.execute("UPDATE responses SET dollars = 999")
        database.execute("UPDATE cells SET dollars = 999")
    assert total(opened(tmp_path, tmp_path / "state")).usd > 900
    monkeypatch.setattr("cockpit.spend.prices.table_version", lambda: "another")
    assert total(opened(tmp_path, tmp_path / "state")) == before


_READ = """
import sys
from pathlib import Path
from cockpit.agents.claude_usage import ClaudeReader
from cockpit.spend.ledger import Ledger
from cockpit.spend.store import Store
print("started", flush=True)
Ledger([ClaudeReader([Path(sys.argv[1])])], Store.open(Path(sys.argv[2]))).read()
"""


@pytest.mark.parametrize("after", [0.0, 0.01, 0.03, 0.06, 0.1, 0.2])
def test_a_writer_that_is_killed_leaves_a_sound_ledger(tmp_path: Path, after: float) -> None:
    for name in range(20):
        write(tmp_path, *(said(f"m{name}-{number}", number) for number in range(150)), name=f"{name}.jsonl")
    words = [sys.executable, "-c", _READ, str(tmp_path), str(tmp_path / "state")]
    writer = subprocess.Popen(words, stdout=subprocess.PIPE, cwd=HOME, env={**os.environ, "PYTHONPATH": str(HOME)})
    assert writer.stdout is not None
    writer.stdout.readline()
    time.sleep(after)  # cockpit: ignore[sleep-in-test] the moment of the kill is what is tried
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    ledger = opened(tmp_path, tmp_path / "state")
    assert (ledger.store.notice, total(ledger).requests) == ("", 3000)


lines = st.builds(
    said,
    message=st.sampled_from(["m1", "m2", "m3", "m4", "m5"]),
    output=st.sampled_from([1, 5, 9]),
    session=st.sampled_from(["s1", "s2", "s3"]),
    at=st.sampled_from(["2026-11-20T12:00:00Z", "2026-11-20T12:00:01Z", "1969-12-31T23:59:00Z", None]),
    stop=st.sampled_from([None, "end_turn"]),
    isSidechain=st.booleans(),
    agentId=st.sampled_from(["x", "y"]),
)


def held(ledger: Ledger) -> tuple[dict[str, Record], set[str], list[list[SpendRow]]]:
    usage = Usage(ledger.readers[0], ledger.store)
    groups = [sorted(spend_rows(ledger, by, ALL)[0], key=lambda row: row.key) for by in ("session", "day", "model")]
    return usage.records, usage.final, groups


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(given=st.lists(lines, max_size=14), seed=st.integers(0, 2**32))
def test_no_split_over_files_reads_and_restarts_changes_the_ledger(
    tmp_path_factory: pytest.TempPathFactory, given: list[str], seed: int
) -> None:
    chance = random.Random(seed)
    one, many = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("many")
    write(one, *given)
    together = opened(one, one / "state")
    ledger = opened(many, many / "state")
    for line in chance.sample(given, len(given)):
        write(many, line, name=chance.choice(["a.jsonl", "b.jsonl", "s/subagents/agent-1.jsonl"]))
        choice = chance.random()
        if choice < 0.3:
            ledger.read()
        elif choice < 0.5:
            ledger.store.close()
            ledger = opened(many, many / "state")
    ledger.read()
    assert held(ledger) == held(together)
    ledger.store.close()
    together.store.close()

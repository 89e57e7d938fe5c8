"""Lines that are read without msgspec: as the decoder reads them, or not at all."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.agents.claude_line import reading_of
from cockpit.agents.claude_plain import plain_line
from cockpit.agents.claude_typed import decoded
from cockpit.agents.claude_usage import ClaudeReader
from cockpit.spend.store import Store
from tests.unit.agents.test_claude_usage import line

counts = st.one_of(
    st.integers(-2, 3000), st.none(), st.just(2**70), st.just(1.5), st.just(2.0), st.just("7"), st.booleans()
)
words = st.one_of(st.sampled_from(["", "main", "é", "advisor_message", "fast", "\ud800"]), st.none(), st.just(3))
times = st.sampled_from(
    [
        *("2026-11-20T12:00:00.000Z", "2026-11-20T12:00:00Z", "2026-11-20T12:00:00.1234567Z", "2026-11-20 12:00:00Z"),
        *("2026-11-20T12:00:00+02:00", "2026-13-20T12:00:00Z", "2026-11-20T12:00:60Z", "2026-11-20T12:00:00"),
        *("", None, 5),
    ]
)
split = st.fixed_dictionaries(
    {}, optional={"ephemeral_5m_input_tokens": counts, "ephemeral_1h_input_tokens": counts, "other": words}
)
shared = {
    **dict.fromkeys(
        ("input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"), counts
    ),
    "cache_creation": st.one_of(split, st.none(), st.just([])),
}
iterations = st.one_of(
    st.lists(st.one_of(st.fixed_dictionaries({}, optional={"type": words, "model": words, **shared}), st.none())),
    st.none(),
    words,
)
usages = st.fixed_dictionaries(
    {},
    optional={
        **shared,
        "output_tokens_details": st.one_of(st.fixed_dictionaries({"thinking_tokens": counts}), st.none(), words),
        "server_tool_use": st.one_of(st.fixed_dictionaries({"web_search_requests": counts}), st.none()),
        "speed": words,
        "iterations": iterations,
    },
)
messages = st.fixed_dictionaries(
    {}, optional={"id": words, "model": words, "stop_reason": words, "usage": st.one_of(usages, st.none(), words)}
)
lines = st.fixed_dictionaries(
    {"type": st.sampled_from(["assistant", "user", "cost-state", 5, None])},
    optional={
        **dict.fromkeys(("uuid", "sessionId", "cwd", "gitBranch", "agentId", "unknown"), words),
        **dict.fromkeys(("isSidechain", "isApiErrorMessage"), st.one_of(st.booleans(), st.none(), st.just(1))),
        "timestamp": times,
        "forkedFrom": st.one_of(st.fixed_dictionaries({"sessionId": words}), st.none(), words),
        "message": st.one_of(messages, st.none(), words),
        "totalCostUSD": st.one_of(st.floats(), st.integers(-1, 5), st.none(), words),
    },
)


@settings(max_examples=300, deadline=None)
@given(document=lines)
def test_a_plain_line_says_what_the_decoder_says(document: dict[str, Any]) -> None:
    raw = json.dumps(document).encode()
    plain, typed = plain_line(raw), decoded(raw)
    if plain is not None:
        assert typed is not None
        assert reading_of(plain, raw, "s") == reading_of(typed, raw, "s")


def test_what_is_as_it_should_be_is_plain() -> None:
    usage = {"cache_creation": {"ephemeral_5m_input_tokens": 3}, "iterations": [{"type": "message", "input_tokens": 1}]}
    raw = line(usage=usage, isSidechain=True, agentId="a1", forkedFrom={"sessionId": "s0"}).encode()
    plain, typed = plain_line(raw), decoded(raw)
    assert plain is not None and typed is not None
    assert reading_of(plain, raw, "s") == reading_of(typed, raw, "s")


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"null", b"[]", b"[" * 100_000, b'{"a": NaN}', b'{"cwd": "\xff"}', b'{"a": "\xff"}'),
        *(b'{"cwd": "\\ud800"}', b'\xef\xbb\xbf{"type": "user"}', b'{"totalCostUSD": 1}'),
        b'{"message": {"usage": {"iterations": [null]}}}',
    ],
)
def test_of_what_is_not_plain_nothing_is_said(raw: bytes) -> None:
    assert plain_line(raw) is None


def test_a_few_new_lines_are_read_without_msgspec_and_many_with_it(tmp_path: Path) -> None:
    script = f"""import sys; sys.path.insert(0, {str(Path(__file__).parents[3])!r})
from pathlib import Path
from cockpit.agents.claude_usage import ClaudeReader
from cockpit.spend.ledger import Ledger
from cockpit.spend.places import Places
from cockpit.spend.store import Store
from cockpit.spend.sums import Scope
ledger = Ledger([ClaudeReader([Path({str(tmp_path)!r})])], Store.open(Path({str(tmp_path / "state")!r})))
ledger.read(); total = ledger.total(Scope(Places(None)))
print(total.requests, total.tokens.output, "msgspec" in sys.modules)"""

    def told() -> list[str]:
        return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()

    transcript = tmp_path / "projects" / "-p" / "s1.jsonl"
    transcript.parent.mkdir(parents=True)
    transcript.write_text(line("m1", 5) + "\n" + line("m1", 10) + "\n" + line("m2", 7, at="odd") + "\n")
    assert told() == ["2", "17", "True"]  # a time that is none is not plain
    with transcript.open("a") as stream:
        stream.write(line("m3", 20) + "\n" + line("m3", 20) + "\n")
    assert told() == ["3", "37", "False"]
    with transcript.open("a") as stream:
        stream.writelines(line(f"n{number}", 1) + "\n" for number in range(1000))
    assert told() == ["1003", "1037", "True"]


def test_what_an_earlier_version_kept_of_a_file_is_understood(tmp_path: Path) -> None:
    """It kept MessagePack; JSON is kept now."""
    from cockpit.spend.shelf import row_of, source_of

    transcript = tmp_path / "projects" / "-p" / "s1.jsonl"
    transcript.parent.mkdir(parents=True)
    transcript.write_text(line("m1", 5) + "\n" + line("m\u00e9", 6, usage={"input_tokens": "x"}) + "\nbroken\n")
    from cockpit.spend.ledger import Ledger

    ledger = Ledger([ClaudeReader([tmp_path])], Store.open(None))
    ledger.read()
    (source,) = ledger.files()
    kept = row_of(source)
    tail = source.tail
    dropped = [(reason, cwd, count) for (reason, cwd), count in source.dropped.items()]
    before = (tail.offset, tail.ending, source.main, dict(source.records), dropped, source.odd, sorted(source.before))
    old = (*kept[:-1], msgspec.msgpack.encode((*before, source.after, source.notes)))
    assert kept[-1][:1] == b"[" and old[-1][:1] != b"["
    assert row_of(source_of(old)) == row_of(source_of(kept)) == kept
    assert source_of(old).tail.ending == tail.ending

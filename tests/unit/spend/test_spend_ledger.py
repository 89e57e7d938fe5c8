"""Places and the ledger: exact sums that agree, whichever way they are grouped."""

import json
import subprocess
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cockpit.agents.claude_usage import ClaudeReader
from cockpit.commands.spend import GROUPS
from cockpit.config import Config
from cockpit.repository import find_repository
from cockpit.spend.calendar import TIME_GROUPS
from cockpit.spend.groups import key_of
from cockpit.spend.ledger import Ledger
from cockpit.spend.meter import Meter
from cockpit.spend.places import Places
from cockpit.spend.rows import spend_rows
from cockpit.spend.sums import Scope
from cockpit.spend.tree import as_dicts, session_trees

BY_CELL = tuple(by for by in GROUPS if by != "commit")  # which commit a response belongs to, git says
NOON = 1_795_176_000_000  # 2026-11-20T12:00:00Z


def ledger(root: Path, lines: list[dict[str, Any]], name: str = "s.jsonl") -> Ledger:
    path = root / "projects" / "-p" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(entry) + "\n" for entry in lines))
    made = Ledger([ClaudeReader([root])])
    made.read()
    return made


def said(message: str, **more: Any) -> dict[str, Any]:
    usage = {"input_tokens": 3, "output_tokens": 7, "cache_read_input_tokens": 11, **more.pop("usage", {})}
    model = more.pop("model", "claude-haiku-4-5")
    stop = more.pop("stop", "end_turn")
    return {
        "type": "assistant",
        "sessionId": "s",
        "cwd": "/p",
        "gitBranch": "main",
        "timestamp": "2026-11-20T12:00:00Z",
        "message": {"id": message, "model": model, "stop_reason": stop, "usage": usage},
        **more,
    }


def test_a_response_without_a_price_is_unpriced_and_not_free(tmp_path: Path) -> None:
    made = ledger(tmp_path, [said("a"), said("b", model="mystery-9")])
    rows, total = spend_rows(made, "model", Scope(Places(None)))
    assert {row.key: row.unpriced_tokens for row in rows} == {"claude-haiku-4-5": 0, "mystery-9": 21}
    assert (total.unpriced_tokens, total.tokens.total, total.requests) == (21, 42, 2)


def test_an_advisor_is_counted_under_its_own_model(tmp_path: Path) -> None:
    advice = {"type": "advisor_message", "model": "claude-opus-5", "input_tokens": 10**6, "output_tokens": 2}
    made = ledger(tmp_path, [said("a", usage={"iterations": [advice]})])
    rows, total = spend_rows(made, "model", Scope(Places(None)))
    assert [(row.key, row.requests, row.tokens.input) for row in rows] == [
        ("claude-opus-5", 0, 10**6),
        ("claude-haiku-4-5", 1, 3),
    ]
    assert total.usd == pytest.approx(5.00005 + 3e-6 + 35e-6 + 1.1e-6, abs=1e-6)


def test_time_groups_are_local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        late, timeless = said("a", timestamp="2026-11-30T16:30:00Z"), said("b", timestamp="never")
        made = ledger(tmp_path, [timeless, late])
        keys = {
            by: [row.key for row in spend_rows(made, by, Scope(Places(None)))[0]]
            for by in ("hour", "day", "week", "month")
        }
    finally:
        monkeypatch.undo()
        time.tzset()
    assert keys == {
        "hour": ["2026-12-01T01:00", "unknown"],
        "day": ["2026-12-01", "unknown"],
        "week": ["2026-W49", "unknown"],
        "month": ["2026-12", "unknown"],
    }


def test_since_and_until_leave_out_what_has_no_time(tmp_path: Path) -> None:
    lines = [said("a"), said("b", timestamp=None), said("c", timestamp="2026-11-21T12:00:00Z")]
    made = ledger(tmp_path, lines)
    counts = [
        spend_rows(made, "total", Scope(Places(None), since, until))[1].requests
        for since, until in ((None, None), (NOON, None), (NOON + 1, None), (None, NOON), (NOON, NOON + 1))
    ]
    assert counts == [3, 2, 1, 0, 1]


MANY = st.lists(
    st.builds(
        said,
        message=st.uuids().map(str),
        model=st.sampled_from(["claude-haiku-4-5", "claude-opus-4-7", "claude-sonnet-4-5", "mystery"]),
        usage=st.fixed_dictionaries({"cache_read_input_tokens": st.integers(0, 300_000)}),
        stop=st.sampled_from([None, "end_turn"]),
        isSidechain=st.booleans(),
        sessionId=st.sampled_from(["s1", "s2", "s3"]),
        gitBranch=st.sampled_from(["main", "x", None]),
        cwd=st.sampled_from(["/p", "/p/q", "/r"]),
        timestamp=st.sampled_from(["2026-11-20T12:00:00Z", "2026-11-19T23:59:59Z", "2025-01-01T00:00:00Z", ""]),
    ),
    max_size=25,
)
"""Responses of every kind, some of which nothing is known of."""


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(entries=MANY)
def test_every_grouping_sums_to_the_same_total(
    tmp_path_factory: pytest.TempPathFactory, entries: list[dict[str, Any]]
) -> None:
    made = ledger(tmp_path_factory.mktemp("claude"), entries)
    totals = []
    for by in BY_CELL:
        rows, total = spend_rows(made, by, Scope(Places(None)))
        totals.append(total)
        assert sum(round(row.usd * 10**6) for row in rows) == round(total.usd * 10**6)
        for field in ("input", "output", "cache_write_5m", "cache_write_1h", "cache_read", "reasoning", "total"):
            assert sum(getattr(row.tokens, field) for row in rows) == getattr(total.tokens, field)
        assert sum(row.requests for row in rows) == total.requests == len(entries)
        assert sum(row.unpriced_tokens for row in rows) == total.unpriced_tokens
        assert any(row.floor for row in rows) == total.floor
    assert len(set(totals)) == 1


@settings(max_examples=40)
@given(entries=MANY)
def test_every_view_sums_to_the_same_total(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, entries: list[dict[str, Any]]
) -> None:
    monkeypatch.setenv("COCKPIT_NOW", "2026-11-20T13:00:00Z")
    made = ledger(tmp_path_factory.mktemp("claude"), entries)
    meter = Meter(None, Config(), all_repos=True)
    meter.ledger = made
    shown, scope = meter.snapshot(), Scope(Places(None))
    rows, total = spend_rows(made, "session", scope)
    trees = as_dicts(session_trees(made, scope))
    assert dict(shown.by_session).items() <= {row.key: row.amount for row in rows}.items()
    assert micros(usd for _, (usd, _) in shown.by_session) == micros([total.usd])
    assert micros(tree["usd"] for tree in trees) == micros([total.usd])
    assert all(micros([tree["usd"]]) == micros(own_parts(tree)) for tree in trees)
    assert shown.month is not None
    for parts in ((row.usd for row in shown.by_model), (usd for _, (usd, _) in shown.by_branch)):
        assert micros(parts) == micros([shown.month.usd])


def micros(dollars: Iterable[float]) -> int:
    return sum(round(usd * 10**6) for usd in dollars)


def own_parts(tree: dict[str, Any]) -> Iterator[float]:
    yield tree["own_usd"]
    for child in tree["children"]:
        yield from own_parts(child)


def test_billed_stands_beside_the_sums_with_what_came_later(tmp_path: Path) -> None:
    bill = {"type": "cost-state", "sessionId": "s", "totalCostUSD": 2.0}
    million = {"usage": {"output_tokens": 10**6}}
    side = {"isSidechain": True, **million}
    main = [said("a"), bill, said("b", timestamp="2026-11-20T13:00:00Z", **million)]
    ledger(
        tmp_path,
        [
            said("early", timestamp="2026-11-20T12:59:00Z", **side),
            said("late", timestamp="2026-11-20T13:01:00Z", **side),
        ],
        "s/subagents/agent-1.jsonl",
    )
    ledger(tmp_path, [said("other", sessionId="t", timestamp="2026-11-20T13:02:00Z")], "t.jsonl")
    made = ledger(tmp_path, main)
    rows, total = spend_rows(made, "session", Scope(Places(None)))
    assert total.billed is not None
    assert (total.billed.sessions, total.billed.of) == (1, 2)
    assert total.billed.usd == pytest.approx(2.0 + 2 * 5.0, abs=0.001)
    assert {row.key: row.billed and row.billed.sessions for row in rows} == {"s": 1, "t": None}
    assert all(row.billed is None for row in spend_rows(made, "day", Scope(Places(None)))[0])
    partly = spend_rows(made, "total", Scope(Places(None), since=NOON + 1))[1]
    assert partly.billed is None


def test_places_are_the_work_trees_and_what_lies_below_them(tmp_path: Path) -> None:
    root = tmp_path / "app"
    for words in (
        ["init", "-q", "-b", "main", str(root)],
        ["-C", str(root), "commit", "-q", "--allow-empty", "-m", "x"],
        ["-C", str(root), "worktree", "add", "-q", str(tmp_path / "tree"), "-b", "side"],
    ):
        subprocess.run(["git", *words], check=True, capture_output=True)
    (tmp_path / "link").symlink_to(root)
    (root / "src").mkdir()
    for view in (root, tmp_path / "tree"):
        places = Places(find_repository(view))
        inside = [root, root / "src", root / "gone", tmp_path / "tree" / "x", tmp_path / "link" / "src"]
        assert [places.inside(str(path)) for path in inside] == [True] * 5
        outside = ["", "/", str(tmp_path), f"{root}-2", str(tmp_path / "tree2"), f"{root}/../other", f"{root}/\0"]
        assert [places.inside(path) for path in outside] == [False] * 7
        assert places.name_of("/nowhere/\0") == "/nowhere/\0"
        names = [places.name_of(str(path)) for path in (tmp_path / "tree" / "x", root / "src", "/nowhere/at/all", "")]
        assert names == [str(root), str(root), "/nowhere/at/all", "unattributed"]
    subprocess.run(["git", "init", "-q", str(root / "vendored")], check=True)
    assert not Places(find_repository(root)).inside(str(root / "vendored" / "gone"))  # a repository of its own
    later = Places(find_repository(root))
    assert not later.inside(str(tmp_path / "more"))
    subprocess.run(["git", "-C", str(root), "worktree", "add", "-q", str(tmp_path / "more"), "-b", "m"], check=True)
    assert later.refresh()
    assert later.inside(str(tmp_path / "more"))
    assert not later.refresh()


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    given=st.lists(
        st.builds(
            said,
            message=st.sampled_from([f"m{number}" for number in range(9)]),
            cwd=st.sampled_from(["/p", "/q", ""]),
            gitBranch=st.sampled_from(["main", "fix/x", "feature/y", "HEAD", ""]),
            sessionId=st.sampled_from(["s", "t", ""]),
            timestamp=st.sampled_from(
                [
                    "2026-11-20T12:00:00Z",
                    "2026-11-20T23:59:59.999Z",
                    "2026-10-25T01:30:00Z",
                    "1969-12-31T23:59:00Z",
                    None,
                ]
            ),
            isSidechain=st.booleans(),
            stop=st.sampled_from(["end_turn", None]),
            model=st.sampled_from(["claude-haiku-4-5", "mystery-9"]),
        ),
        max_size=12,
    ),
    since=st.sampled_from([None, NOON, NOON - 3_600_000]),
    until=st.sampled_from([None, NOON + 900_000]),
)
def test_sums_in_the_database_are_those_of_the_cells(
    tmp_path_factory: pytest.TempPathFactory, given: list[dict[str, Any]], since: int | None, until: int | None
) -> None:
    made = ledger(tmp_path_factory.mktemp("one"), given)
    scope = Scope(Places(None), since, until)
    totals = set()
    for by in BY_CELL:
        there, here = made.sums_by(by, scope), made.sums(scope, key_of(by, made.calendar, scope.places))
        assert {key: part.row(key) for key, part in there.items()} == {key: part.row(key) for key, part in here.items()}
        totals.add(spend_rows(made, by, scope)[1])
    assert len(totals) == 1
    counted = made.requests(scope)
    assert sum(counted.values()) == made.total(scope).requests


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
def test_days_and_hours_are_those_of_the_local_clock_whatever_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        start = datetime(2026, 3, 1, tzinfo=UTC)
        times = [(start + timedelta(hours=5.25 * number)).isoformat() for number in range(1500)]
        changes = ["2026-10-24T15:10:00Z", "2026-10-25T00:50:00Z", "2026-10-25T01:10:00Z", "2026-11-01T05:59:00Z"]
        made = ledger(tmp_path, [said(f"m{at}", timestamp=at) for at in [*times, *changes]])
        for by in TIME_GROUPS:
            scope = Scope(Places(None))
            there, here = made.sums_by(by, scope), made.sums(scope, key_of(by, made.calendar, scope.places))
            assert {key: part.requests for key, part in there.items()} == {
                key: part.requests for key, part in here.items()
            }
        (before, first), *later = made.calendar.ahead(*_quarters(*times[:: len(times) - 1])) or [(0, 0)]
        assert [shift - first for _, shift in later] == {
            "Europe/Berlin": [4, 0],
            "America/New_York": [4, 0],
            "Australia/Lord_Howe": [-2, 0],
        }.get(zone, [])
        assert before < NOON // 900_000
        assert made.calendar.ahead(-(10**9), 10**9) is None
    finally:
        monkeypatch.undo()
        time.tzset()


def _quarters(*times: str) -> tuple[int, int]:
    first, last = (int(datetime.fromisoformat(at).timestamp()) // 900 for at in times)
    return first, last

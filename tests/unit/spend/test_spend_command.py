"""`cockpit spend` and the live feed: the contract's document, the same figures, and no transcript too odd."""

import json
import subprocess
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cockpit.cli import main
from cockpit.config import BudgetConfig, Config
from cockpit.repository import Repository, find_repository
from cockpit.spend.feed import follow_spend, read_spend
from cockpit.spend.meter import Meter
from skills.spending.limits import Limits
from tests.unit.feeds import first_that, no_space

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.setenv("COCKPIT_NOW", NOW.isoformat())
    subprocess.run(["git", "init", "-q", "-b", "main", str(tmp_path / "app")], check=True)
    return find_repository(tmp_path / "app")


def said(repository: Repository, message: str, output: int = 1000, ago: timedelta = timedelta(), **more: Any) -> str:
    model = more.pop("model", "claude-opus-4-7")
    stop = more.pop("stop", "end_turn")
    return json.dumps(
        {
            "type": "assistant",
            "sessionId": "s1",
            "cwd": str(repository.root),
            "gitBranch": "main",
            "timestamp": (NOW - ago).isoformat(),
            "message": {
                "id": message,
                "model": model,
                "stop_reason": stop,
                "usage": {"input_tokens": 10, "output_tokens": output},
            },
            **more,
        }
    )


def write(home: Path, *lines: str, name: str = "s1.jsonl") -> Path:
    path = home / "claude" / "projects" / "-app" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        stream.write("".join(text + "\n" for text in lines))
    return path


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(list(words)) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_the_document_has_the_days_of_this_repository_and_their_total(
    own_home: Path, repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    write(own_home, said(repository, "a"), said(repository, "b", ago=timedelta(days=1)))
    write(own_home, said(repository, "elsewhere", cwd="/other", sessionId="s2"), name="s2.jsonl")
    document = answer(capsys, "--repo", str(repository.root), "spend", "--json")
    assert list(document) == ["version", "rows", "total", "unattributed", "agents", "unread", "meta"]
    assert [(row["key"], row["usd"]) for row in document["rows"]] == [
        ((NOW - timedelta(days=1)).astimezone().date().isoformat(), 0.02505),
        (NOW.astimezone().date().isoformat(), 0.02505),
    ]
    assert document["total"] == {
        "key": "total",
        "requests": 2,
        "tokens": {
            "input": 20,
            "output": 2000,
            "cache_write_5m": 0,
            "cache_write_1h": 0,
            "cache_read": 0,
            "total": 2020,
            "reasoning": 0,
        },
        "usd": 0.0501,
        "basis": "computed",
        "unpriced_tokens": 0,
        "floor": False,
        "billed": None,
    }
    everything = answer(capsys, "spend", "--all-repos", "--by", "repo", "--json")
    assert {row["key"] for row in everything["rows"]} == {str(repository.root), "/other"}
    assert (everything["agents"], everything["unread"]) == (["claude"], [])


@pytest.mark.parametrize(
    ("words", "requests"),
    [
        (["--since", "24h"], 1),
        (["--since", "2w"], 2),
        (["--until", "2026-11-13"], 1),
        (["--since", "2026-11-20", "--until", "2026-11-20"], 1),
        (["--since", "2026-11-20T12:00:01+00:00"], 0),
    ],
)
def test_since_and_until_bound_what_is_summed(
    own_home: Path, repository: Repository, capsys: pytest.CaptureFixture[str], words: list[str], requests: int
) -> None:
    write(own_home, said(repository, "a"), said(repository, "b", ago=timedelta(days=7)))
    document = answer(capsys, "--repo", str(repository.root), "spend", "--json", *words)
    assert document["total"]["requests"] == requests


def test_the_table_says_what_is_not_in_it(
    own_home: Path, repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    side = said(repository, "side", isSidechain=True, stop=None, gitBranch="\x1b[31mred")
    write(own_home, side, said(repository, "b", model="mystery", gitBranch="x"))
    assert main(["--repo", str(repository.root), "spend", "--by", "branch"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "≥ $0.03" in out
    assert "1,010 tokens unpriced" in out
    assert [line.split()[0] for line in out.splitlines()[:4]] == ["branch", "red", "x", "total"]


def test_explain_says_what_was_merged_dropped_and_unpriced(
    own_home: Path, repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [said(repository, "a"), said(repository, "a"), said(repository, "b", model="mystery")]
    lines += [said(repository, "c", model="<synthetic>"), "{torn", said(repository, "d", isSidechain=True, stop=None)]
    write(own_home, *lines)
    document = answer(capsys, "--repo", str(repository.root), "spend", "explain", "--json")
    assert (document["lines"], document["requests"], document["merged"]) == (4, 3, 1)
    assert {part["name"]: part["count"] for part in document["dropped"]} == {"synthetic": 1, "malformed": 1}
    assert [(part["name"], part["tokens"]) for part in document["unpriced"]] == [("mystery", 1010)]
    assert [(part["name"], part["count"]) for part in document["floors"]] == [("s1", 1)]
    assert main(["--repo", str(repository.root), "spend", "explain"]) == 0
    assert "mystery" in capsys.readouterr().out
    assert main(["--repo", str(repository.root), "spend", "explain", "--since", "7d"]) == 2


def test_no_transcripts_is_zero_and_says_where_it_looked(
    own_home: Path, repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--repo", str(repository.root), "spend", "--json"]) == 0
    shown = capsys.readouterr()
    document = json.loads(shown.out)
    assert (document["rows"], document["total"]["usd"], document["agents"]) == ([], 0.0, [])
    assert str(own_home / "claude") in shown.err


def test_outside_of_a_repository(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--repo", str(tmp_path), "spend"]) == 2
    assert main(["--repo", str(tmp_path), "spend", "--all-repos"]) == 0
    assert main(["--repo", str(tmp_path), "spend", "--all-repos", "--since", "soon"]) == 2
    assert "soon" in capsys.readouterr().err


def test_a_database_that_cannot_be_read_is_named(
    own_home: Path, repository: Repository, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(own_home / "data"))
    (own_home / "data" / "opencode").mkdir(parents=True)
    (own_home / "data" / "opencode" / "opencode.db").write_bytes(b"no database at all" * 100)
    unread = answer(capsys, "--repo", str(repository.root), "spend", "--json")["unread"]
    assert [line.partition(":")[0] for line in unread] == ["opencode"]
    assert "opencode.db" in unread[0]


def test_the_snapshot_says_what_the_command_says(
    own_home: Path, repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    write(own_home, said(repository, "a", 3333), said(repository, "b", 70, timedelta(minutes=30)))
    write(own_home, said(repository, "c", 4444, timedelta(days=2), model="claude-haiku-4-5", sessionId="s2"))
    write(own_home, said(repository, "d", 5555, timedelta(days=1), model="mystery", sessionId="s3"))
    write(own_home, said(repository, "e", 6666, timedelta(days=40)), name="s3.jsonl")
    config = Config(budget=BudgetConfig(day=Limits(0.1, None)))
    shown = read_spend(repository, config)
    words = ("--repo", str(repository.root), "spend", "--json", "--by")
    days = {row["key"]: row["usd"] for row in answer(capsys, *words, "day")["rows"]}
    months = {row["key"]: row["usd"] for row in answer(capsys, *words, "month")["rows"]}
    sessions = {row["key"]: row["usd"] for row in answer(capsys, *words, "session")["rows"]}
    assert shown.today is not None
    assert shown.month is not None
    assert (shown.today.usd, shown.month.usd) == (days[shown.today.key], months["2026-11"])
    assert dict(shown.by_session) == {key: (usd, False) for key, usd in sessions.items() if key != "s3"}
    assert [row.key for row in shown.by_model] == ["claude-opus-4-7", "claude-haiku-4-5", "mystery"]
    assert (len(shown.daily), shown.daily[-1]) == (14, (shown.today.key, shown.today.usd))
    assert shown.burn_per_hour == pytest.approx(shown.today.usd)
    assert [(window.window, window.level) for window in shown.windows] == [
        ("day", "warn"),
        ("week", "ok"),
        ("month", "ok"),
    ]
    assert (shown.unpriced_models, shown.loading, shown.scope) == (("mystery",), None, "app")
    assert read_spend(repository, config, all_repos=True).scope == "all repositories"


async def test_the_feed_follows_what_is_written(own_home: Path, repository: Repository) -> None:
    write(own_home, said(repository, "a"))
    async with aclosing(follow_spend(repository, Config())) as feed:
        assert (await anext(feed)).loading == 0.0
        first = await first_that(feed, lambda shown: shown.loading is None)
        assert first.today is not None
        write(own_home, said(repository, "a"), said(repository, "b", sessionId="s2"), name="s2/subagents/agent-1.jsonl")
        second = await first_that(feed, lambda shown: shown.today.requests == 2)
        assert second.today is not None
        assert second.today.usd == pytest.approx(2 * first.today.usd)
        assert replace(second, at=None) == replace(read_spend(repository, Config()), at=None)


def test_what_another_cockpit_read_first_is_in_the_figures(own_home: Path, repository: Repository) -> None:
    """Two apps side by side share a ledger: what the one takes in, the other finds there, and must show as well."""
    path = write(own_home, said(repository, "a"))
    one, other = Meter(repository, Config()), Meter(repository, Config())
    one.read(), other.read()
    for number in range(3):
        write(own_home, said(repository, f"b{number}"))
        assert one.read([str(path)])
        assert other.read([str(path)])
        shown = other.snapshot()
        assert shown.today is not None and shown.today.requests == number + 2
        assert shown == one.snapshot() == read_spend(repository, Config())
    write(own_home, said(repository, "c"))
    read_spend(repository, Config())  # as a command does
    assert one.read() and other.read()
    assert not one.read() and not other.read()


async def test_a_root_that_appears_later_is_followed(
    own_home: Path, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cockpit.spend.feed._TICK", 0.1)
    (own_home / "claude").rmdir()
    async with aclosing(follow_spend(repository, Config())) as feed:
        empty = await first_that(feed, lambda shown: shown.loading is None)
        assert empty.today is not None
        assert empty.today.requests == 0
        write(own_home, said(repository, "a"))
        assert (await first_that(feed, lambda shown: shown.today.requests == 1)).today is not None


async def test_without_a_watch_transcripts_are_polled_and_it_says_so(
    own_home: Path, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cockpit.inotify.Inotify.watch", no_space)
    monkeypatch.setattr("cockpit.spend.feed._POLL", 0.1)
    write(own_home, said(repository, "a"))
    async with aclosing(follow_spend(repository, Config())) as feed:
        noted = await first_that(feed, lambda shown: shown.note)
        assert "no inotify watches left" in noted.note
        write(own_home, said(repository, "b"))
        assert (await first_that(feed, lambda shown: shown.today.requests == 2)).note == noted.note

"""What each commit, feature and category cost, amounts that a person adds, and the files for other tools."""

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cockpit.cli import main
from cockpit.repository import find_repository
from cockpit.spend.commits import commit_costs
from cockpit.spend.entries import read_entries
from cockpit.spend.opened import open_ledger
from tests.answers import answer
from tests.git import git
from tests.unit.session_places import NOW


def spends(home: Path, cwd: Path, name: str, usd: float, before: int, branch: str = "main") -> None:
    """`usd` dollars, `before` minutes ago."""
    usage = {"input_tokens": 0, "output_tokens": round(usd * 40_000)}
    body = {"id": name, "model": "claude-opus-4-7", "stop_reason": "end_turn", "usage": usage}
    at = (NOW - timedelta(minutes=before)).isoformat()
    where = {"sessionId": "s1", "cwd": str(cwd), "gitBranch": branch, "timestamp": at}
    path = home / "claude" / "projects" / "-app" / "s1.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        stream.write(json.dumps({"type": "assistant", **where, "message": body}) + "\n")


def dollars(document: dict[str, Any]) -> dict[str, float]:
    return {row["key"]: row["usd"] for row in document["rows"]}


def commit(folder: Path, subject: str, before: int, *words: str) -> str:
    git(folder, "commit", "-q", "--allow-empty", "-m", subject, *words, at=NOW - timedelta(minutes=before))
    return git(folder, "rev-parse", "HEAD")[:12]


def test_each_commit_has_the_responses_of_its_work_tree_since_the_one_before(
    own_home: Path, app: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spends(own_home, app, "a", 1, 100)
    first = commit(app, "first", 90)
    spends(own_home, app / "src" / "gone", "lost", 64, 85)
    (app / "src").mkdir()
    spends(own_home, app / "src", "b", 2, 80)
    commit(app, "second, too early", 70)
    spends(own_home, app, "c", 4, 60)
    second = commit(app, "second", 50, "--amend")
    git(app, "worktree", "add", "-q", str(tmp_path / "tree"), "-b", "side")
    spends(own_home, tmp_path / "tree", "d", 8, 45, "side")
    third = commit(tmp_path / "tree", "third", 40)
    spends(own_home, app, "e", 16, 30)
    spends(own_home, tmp_path / "tree", "f", 32, 20, "side")
    document = answer(capsys, app, "spend", "--by", "commit")
    assert dollars(document) == {
        f"{first} first": 1,
        f"{second} second": 6,
        f"{third} third": 8,
        "not committed: app": 16,
        "not committed: tree": 32,
        "unattributed": 64,
    }
    assert document["unattributed"] == {"usd": 64.0, "share": round(64 / 127, 4)}
    assert document["total"]["usd"] == answer(capsys, app, "spend", "--by", "feature")["total"]["usd"] == 127
    ledger = open_ledger()
    here, there = (commit_costs(ledger, find_repository(tree), str(tree)) for tree in (app, tmp_path / "tree"))
    assert [(row.key, row.usd) for row in here] == [
        ("not committed", 16),
        (f"{second} second", 6),
        (f"{first} first", 1),
    ]
    assert [(row.key, row.usd) for row in there] == [("not committed", 32), (f"{third} third", 8)]
    assert commit_costs(ledger, find_repository(app), "/") == []


def test_features_are_branches_and_the_rest_is_shown(
    own_home: Path, app: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, branch in enumerate(["feature/api", "HEAD", ""]):
        spends(own_home, app, f"m{number}", 1 << number, 10, branch)
    document = answer(capsys, app, "spend", "--by", "feature")
    assert (dollars(document), document["unattributed"]["usd"]) == ({"feature/api": 1, "unattributed": 6}, 6)
    assert answer(capsys, app, "spend", "--by", "model")["unattributed"] is None


def test_what_a_person_adds_is_summed_with_the_rest(
    own_home: Path, app: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spends(own_home, app, "a", 2, 10)
    answer(
        capsys,
        app,
        "spend",
        "add",
        "compute",
        "12.50",
        "--on",
        "2026-11-19",
        "--feature",
        "feature/api",
        "--task",
        "T1",
    )
    answer(capsys, app, "spend", "add", "storage", "$0.10")
    by = {
        group: dollars(answer(capsys, app, "spend", "--by", group))
        for group in ("category", "task", "agent", "feature", "day")
    }
    assert by == {
        "category": {"compute": 12.5, "llm": 2, "storage": 0.1},
        "task": {"T1": 12.5, "unattributed": 2.1},
        "agent": {"person": 12.6, "claude": 2},
        "feature": {"feature/api": 12.5, "main": 2, "unattributed": 0.1},
        "day": {"2026-11-19": 12.5, "2026-11-20": 2.1},
    }
    rows = answer(capsys, app, "spend", "--by", "category")["rows"]
    assert {row["key"]: row["basis"] for row in rows} == {"compute": "billed", "llm": "computed", "storage": "billed"}
    assert dollars(answer(capsys, app, "spend", "--by", "total", "--since", "2026-11-20")) == {"total": 2.1}


def test_an_entry_of_another_repository_does_not_count_here(
    own_home: Path, app: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other").mkdir()
    git(tmp_path / "other", "init", "-q")
    answer(capsys, tmp_path / "other", "spend", "add", "api", "3")
    assert dollars(answer(capsys, app, "spend", "--by", "total")) == {}
    assert dollars(answer(capsys, app, "spend", "--by", "total", "--all-repos")) == {"total": 3}


@pytest.mark.parametrize(
    "words", [["compute"], ["llm", "3"], ["api", "x"], ["api", "-1"], ["api", "nan"], ["api", "1", "2"]]
)
def test_entries_that_mean_nothing_are_refused(app: Path, words: list[str]) -> None:
    assert main(["--repo", str(app), "spend", "add", *words]) == 2
    assert read_entries() == ()


def test_a_damaged_list_of_entries_loses_only_what_is_damaged(
    own_home: Path, app: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(capsys, app, "spend", "add", "api", "1")
    with (own_home / "state" / "entries.jsonl").open("a") as stream:
        stream.write('[1]\n{"category": "api", "usd": 1e99}\n{"category": "api", "usd": null}\n{"torn')
    answer(capsys, app, "spend", "add", "api", "2")
    assert dollars(answer(capsys, app, "spend", "--by", "category")) == {"api": 3}


def test_the_exported_files_say_the_same(
    own_home: Path, app: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spends(own_home, app, "a", 2, 10, "feature/a|b")
    spends(own_home, app, "b", 1, 24 * 60)
    answer(capsys, app, "spend", "add", "compute", "4", "--feature", "feature/a|b")
    folder = tmp_path / "costs"
    files = answer(capsys, app, "spend", "--export", str(folder))["files"]
    assert sorted(os.path.relpath(path, folder) for path in files) == [
        "by-feature.jsonl",
        "daily-2026-11-19.json",
        "daily-2026-11-20.json",
        "mtd.json",
        "reports/daily-2026-11-19.md",
        "reports/daily-2026-11-20.md",
    ]
    assert json.loads((folder / "daily-2026-11-20.json").read_text()) == {
        "date": "2026-11-20",
        "sessions": 1,
        "by_category": {"llm": 2.0, "compute": 4.0, "storage": 0.0, "api": 0.0},
        "by_model": {"claude-opus-4-7": 2.0},
        "total": 6.0,
        "last_updated": "2026-11-20T12:00:00Z",
    }
    month = json.loads((folder / "mtd.json").read_text())
    assert (month["total"], month["budget"], month["remaining"], month["percent_used"]) == (7.0, 100.0, 93.0, 7.0)
    rows = [json.loads(line) for line in (folder / "by-feature.jsonl").read_text().splitlines()]
    assert [(row["date"], row["feature"], row["costs"]["total"]) for row in rows] == [
        ("2026-11-19", "main", 1.0),
        ("2026-11-20", "feature/a|b", 6.0),
    ]
    report = (folder / "reports/daily-2026-11-20.md").read_text()
    assert "| feature/a/b | 6.00 |" in report
    assert [line[3:] for line in report.splitlines() if line.startswith("## ")] == [
        *("Summary", "Cost by hour", "Model usage", "Task types", "Categories", "Features", "Sessions"),
        *("Anomalies", "Tomorrow's budget"),
    ]
    assert "not judged: too few days" in report and "$5.00, of which this day took 120 %" in report
    (tmp_path / "file").write_text("")
    capsys.readouterr()
    assert main(["--repo", str(app), "spend", "--export", str(tmp_path / "file")]) == 2
    assert (
        capsys.readouterr().err.rstrip().endswith("(File exists); something else stands in its place: move that away")
    )

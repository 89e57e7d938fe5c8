"""The live feed: the first check streams, a save is judged at once, floods end in what a cold check says."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import pytest

from cockpit.config import Config
from cockpit.findings.engine import CheckRequest, Engine, check_now, fingerprints
from cockpit.findings.feed import OnSaved, follow_findings
from cockpit.findings.models import FindingsSnapshot
from cockpit.repository import find_repository
from tests.git import git
from tests.unit.feeds import first_that

BAD = "from unittest.mock import Mock\n\n\ndef test_a():\n    assert Mock()\n"
GOOD = "def test_a():\n    assert 1 == 1\n"

Feed = AsyncGenerator[FindingsSnapshot, None]


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    (root / "tests").mkdir(parents=True)
    (root / "pyproject.toml").write_text('[project]\ndependencies = ["pytest-mock"]\n')
    (root / ".gitignore").write_text("ignored/\n")
    for number in range(4):
        (root / "tests" / f"test_{number}.py").write_text(GOOD)
    git(tmp_path, "init", "-q", "-b", "main", str(root))
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "start")
    return root


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    with Engine() as one:
        yield one


def follow(engine: Engine, root: Path, on_saved: OnSaved | None = None) -> Feed:
    return follow_findings(engine, find_repository(root), Config(), root=root, on_saved=on_saved)


def ready(snapshot: FindingsSnapshot) -> bool:
    return snapshot.phase == "ready"


def cold(root: Path) -> frozenset[str]:
    outcome, _ = check_now(root, Config(), CheckRequest(use_cache=False))
    return frozenset(finding.fingerprint for finding in outcome.open)


async def test_the_first_check_streams_and_ends_ready(engine: Engine, repo: Path) -> None:
    feed = follow(engine, repo)
    seen = []
    async for snapshot in feed:
        seen.append(snapshot)
        if snapshot.phase == "ready":
            break
    assert [snapshot.progress for snapshot in seen][-1] is None
    assert all(0 <= (snapshot.progress or 0) <= 1 for snapshot in seen)
    assert seen[-1].files.seen == 4 and seen[-1].new == frozenset()
    await feed.aclose()


async def test_a_save_brings_findings_and_the_next_takes_them(engine: Engine, repo: Path) -> None:
    saved: list[frozenset[str]] = []
    feed = follow(engine, repo, on_saved=saved.append)
    await first_that(feed, ready)
    (repo / "tests/test_1.py").write_text(BAD)
    told = await first_that(feed, lambda snapshot: bool(snapshot.new))
    assert told.saved == ("tests/test_1.py",)
    assert {finding.rule for finding in told.findings if finding.fingerprint in told.new} == {"bare-mock"}
    assert told.gates[0].status == "fail"
    other = repo / "tests/.test_1.py.tmp"
    other.write_text(GOOD)
    other.replace(repo / "tests/test_1.py")
    mended = await first_that(feed, lambda snapshot: snapshot.resolved > 0)
    assert mended.findings == () and mended.gates[0].status == "pass"
    assert {"tests/test_1.py"} <= {name for names in saved for name in names}
    await feed.aclose()


async def test_deleted_and_renamed_files_leave(engine: Engine, repo: Path) -> None:
    (repo / "tests/test_1.py").write_text(BAD)
    feed = follow(engine, repo)
    await first_that(feed, ready)
    (repo / "tests/test_1.py").rename(repo / "tests/test_9.py")
    moved = await first_that(
        feed, lambda snapshot: {finding.path for finding in snapshot.findings} == {"tests/test_9.py"}
    )
    assert moved.files.seen == 4
    (repo / "tests/test_9.py").unlink()
    assert (await first_that(feed, lambda snapshot: not snapshot.findings)).files.seen == 3
    await feed.aclose()


async def test_new_folders_are_watched_and_ignored_ones_are_not(engine: Engine, repo: Path) -> None:
    feed = follow(engine, repo)
    await first_that(feed, ready)
    (repo / "ignored").mkdir()
    (repo / "ignored/test_x.py").write_text(BAD)
    (repo / "apps/shop/tests").mkdir(parents=True)
    (repo / "apps/shop/tests/test_deep.py").write_text(BAD)
    found = await first_that(feed, lambda snapshot: bool(snapshot.findings))
    assert {finding.path for finding in found.findings} == {"apps/shop/tests/test_deep.py"}
    (repo / "apps/shop/tests/test_deep.py").write_text(GOOD)
    await first_that(feed, lambda snapshot: not snapshot.findings)
    await feed.aclose()


async def test_a_checkout_of_many_files_converges_to_a_cold_check(engine: Engine, repo: Path) -> None:
    git(repo, "checkout", "-q", "-b", "other")
    for number in range(600):
        path = repo / f"apps/app{number % 40}/tests/test_{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(BAD if number % 3 else GOOD)
    (repo / "tests/test_0.py").unlink()
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "many")
    git(repo, "checkout", "-q", "main")
    feed = follow(engine, repo)
    assert (await first_that(feed, ready)).findings == ()
    git(repo, "checkout", "-q", "other")
    expected = cold(repo)
    assert len(expected) >= 400
    there = await first_that(feed, lambda snapshot: ready(snapshot) and fingerprints(snapshot) == expected, 40)
    assert there.new == expected and not there.resolved  # all that came in one go, in however many looks
    git(repo, "checkout", "-q", "main")
    back = await first_that(feed, lambda snapshot: ready(snapshot) and not snapshot.findings, 40)
    assert not back.new
    await feed.aclose()


async def test_a_manifest_that_changes_changes_what_applies(engine: Engine, repo: Path) -> None:
    (repo / "tests/test_1.py").write_text(BAD)
    feed = follow(engine, repo)
    assert (await first_that(feed, ready)).findings
    (repo / "pyproject.toml").write_text("[project]\ndependencies = []\n")
    told = await first_that(feed, lambda snapshot: not snapshot.findings)
    assert {check.status for check in told.checks if check.rule == "bare-mock"} == {"not_applicable"}
    await feed.aclose()


@pytest.mark.parametrize("folder_is_new", [False, True])
async def test_a_baseline_that_appears_makes_findings_known(engine: Engine, repo: Path, folder_is_new: bool) -> None:
    (repo / "tests/test_1.py").write_text(BAD)
    if not folder_is_new:
        (repo / ".cockpit").mkdir()
        (repo / ".cockpit/keep").write_text("")
    feed = follow(engine, repo)
    first = await first_that(feed, ready)
    assert first.gates[0].status == "fail"
    rows = [
        {"fingerprint": finding.fingerprint, "rule": finding.rule, "path": finding.path} for finding in first.findings
    ]
    (repo / ".cockpit").mkdir(exist_ok=True)
    (repo / ".cockpit/baseline.json").write_text(json.dumps({"version": 1, "findings": rows}))
    told = await first_that(feed, lambda snapshot: snapshot.gates[0].status == "pass")
    assert {finding.baseline for finding in told.findings} == {"known"}
    await feed.aclose()


async def test_a_syntax_error_is_a_problem_until_it_is_mended(engine: Engine, repo: Path) -> None:
    feed = follow(engine, repo)
    await first_that(feed, ready)
    (repo / "tests/test_1.py").write_text("def test_a(:\n")
    broken = await first_that(feed, lambda snapshot: bool(snapshot.problems))
    assert broken.problems[0].path == "tests/test_1.py"
    assert broken.gates[0].status == "not_run"
    (repo / "tests/test_1.py").write_text(GOOD)
    assert (await first_that(feed, lambda snapshot: not snapshot.problems)).gates[0].status == "pass"
    await feed.aclose()


@pytest.mark.usefixtures("nothing_watched")
async def test_polling_says_so_and_sees_saves(engine: Engine, repo: Path) -> None:
    feed = follow(engine, repo)
    assert "polled" in (await first_that(feed, ready)).note
    (repo / "tests/test_1.py").write_text(BAD)
    (repo / "tests/test_new.py").write_text(BAD)
    found = await first_that(feed, lambda snapshot: len({finding.path for finding in snapshot.findings}) == 2)
    assert found.files.seen == 5
    await feed.aclose()


async def test_outside_git_saves_are_seen_too(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("pytest-mock\n")
    (tmp_path / "test_a.py").write_text(GOOD)
    feed = follow_findings(engine, None, Config(), root=tmp_path)
    await first_that(feed, ready)
    (tmp_path / "test_a.py").write_text(BAD)
    assert (await first_that(feed, lambda snapshot: bool(snapshot.findings))).saved == ("test_a.py",)
    await feed.aclose()


async def test_a_feed_that_is_given_up_ends_at_once(engine: Engine, repo: Path) -> None:
    async def drain() -> None:
        async for _ in follow(engine, repo):
            began.set()

    began = asyncio.Event()
    task = asyncio.create_task(drain())
    await began.wait()
    task.cancel()
    async with asyncio.timeout(10):
        with pytest.raises(asyncio.CancelledError):
            await task
    feed = follow(engine, repo)
    assert (await first_that(feed, ready)).files.seen == 4
    await feed.aclose()


async def test_a_new_module_has_ruff_look_at_who_imports_it(repo: Path, engine: Engine) -> None:
    (repo / "pyproject.toml").write_text('[tool.ruff]\nlint.select = ["I"]\n')
    (repo / "main.py").write_text("import requests\nimport shop\n\nprint(requests, shop)\n")
    feed = follow(engine, repo)
    await first_that(feed, ready)

    (repo / "shop.py").write_text("x = 1\n")

    told = await first_that(feed, lambda snapshot: any(one.rule == "ruff/I001" for one in snapshot.findings))
    assert [one.path for one in told.findings if one.rule == "ruff/I001"] == ["main.py"]
    (repo / "shop.py").unlink()
    await first_that(feed, lambda snapshot: not any(one.rule == "ruff/I001" for one in snapshot.findings))
    await feed.aclose()

"""Tools in the live feed: on a save unasked, the others on a key, outdated answers dropped."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import pytest

from cockpit.config import ChecksConfig, Config, ToolConfig
from cockpit.findings.engine import Engine
from cockpit.findings.feed import follow_findings
from cockpit.findings.models import FindingsSnapshot
from cockpit.findings.tool_feed import ToolKey
from cockpit.repository import find_repository
from tests.processes import alive

LINES = r"regex:^(?P<path>\S+):(?P<line>\d+) (?P<message>.+)$"
SAYS = "import sys; text = open('a.py').read(); print('a.py:1 saw ' + text.split()[-1])"
SLOW = "import os, time; open('started', 'w').write(str(os.getpid())); time.sleep(60)"


def tool(text: str, on: str) -> ToolConfig:
    return ToolConfig((sys.executable, "-c", text), LINES, on=on)  # type: ignore[arg-type]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    root.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    (root / ".gitignore").write_text("started\n")
    (root / "a.py").write_text("A = 1\n")
    return root


async def until(feed: AsyncGenerator[FindingsSnapshot, None], wanted: str) -> FindingsSnapshot:
    """The first snapshot with a finding of a tool that says `wanted`."""

    async def look() -> FindingsSnapshot:
        async for snapshot in feed:
            if any(wanted in finding.message or wanted in finding.rule for finding in snapshot.findings):
                return snapshot
        raise AssertionError("the feed ended")

    return await asyncio.wait_for(look(), 30)


async def first(feed: AsyncGenerator[FindingsSnapshot, None]) -> FindingsSnapshot:
    async for snapshot in feed:
        if snapshot.phase == "ready":
            return snapshot
    raise AssertionError("the feed ended")


async def test_a_tool_of_a_save_runs_after_each_save(root: Path) -> None:
    config = Config(checks=ChecksConfig(tools={"says": tool(SAYS, "save"), "never": tool(SAYS, "key")}))
    with Engine() as engine:
        async with aclosing(follow_findings(engine, find_repository(root), config, root=root)) as feed:
            await first(feed)
            for value in ("2", "3"):
                (root / "a.py").write_text(f"A = {value}\n")
                snapshot = await until(feed, f"saw {value}")
                assert {check.rule for check in snapshot.checks} & {"says", "never"} == {"says"}


async def test_a_key_runs_what_it_names_and_a_save_marks_it_outdated(root: Path) -> None:
    config = Config(checks=ChecksConfig(tools={"says": tool(SAYS, "key")}))
    key = ToolKey()
    assert not key.ask()
    with Engine() as engine:
        async with aclosing(follow_findings(engine, find_repository(root), config, root=root, tools=key)) as feed:
            await first(feed)
            assert key.ask(("says", "unknown"))
            snapshot = await until(feed, "saw 1")
            assert "files changed" not in snapshot.note
            (root / "a.py").write_text("A = 4\n")
            while "files changed since says ran" not in (await anext(feed)).note:
                pass
    assert not key.ask()


async def test_a_key_is_told_what_its_tools_came_to_and_that_there_are_none(root: Path) -> None:
    came: asyncio.Queue[list[tuple[str, str, int]]] = asyncio.Queue()
    key = ToolKey(lambda checks: came.put_nowait([(one.rule, one.status, one.count) for one in checks]))
    with Engine() as engine:
        for tools, told in (
            ({"says": tool(SAYS, "key"), "saves": tool(SAYS, "save")}, [("says", "fail", 1), ("saves", "fail", 1)]),
            ({}, []),
        ):
            config = Config(checks=ChecksConfig(tools=tools))
            async with aclosing(follow_findings(engine, find_repository(root), config, root=root, tools=key)) as feed:
                await first(feed)
                key.ask()
                assert await asyncio.wait_for(came.get(), 20) == told


async def test_what_a_key_brought_stays_when_everything_is_read_anew_until_it_is_outdated(root: Path) -> None:
    config = Config(checks=ChecksConfig(tools={"says": tool(SAYS, "key"), "other": tool(SAYS, "key")}))
    key = ToolKey()
    notes: list[tuple[set[str], bool]] = []

    async def begun(config: Config, after: str = "") -> None:
        async with aclosing(follow_findings(engine, find_repository(root), config, root=root, tools=key)) as feed:
            told = await first(feed)
            said = {found.message for found in told.findings if found.rule == "says/problem"}
            notes.append((said, "files changed since says ran" in told.note))
            if after:
                key.ask((after,))
                await until(feed, "saw 1")

    with Engine() as engine:
        await begun(config, "says")
        await begun(config)
        (root / "a.py").write_text("A = 5\n")
        await begun(config)
        await begun(Config(checks=ChecksConfig(tools={"says": tool("print(2)", "key")})))

    assert notes == [(set(), False), ({"saw 1"}, False), ({"saw 1"}, True), (set(), False)]


async def test_a_tool_that_writes_into_the_tree_does_not_run_for_ever(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cockpit.findings.tool_feed._OWN_SECONDS", 3600.0)
    writes = "open('ran', 'a').write('x'); open('a.py', 'a').write('A = 2\\n'); print('a.py:1 wrote')"
    (root / ".gitignore").write_text("ran\n")
    config = Config(checks=ChecksConfig(tools={"writes": tool(writes, "save")}))
    with Engine() as engine:
        async with aclosing(follow_findings(engine, find_repository(root), config, root=root)) as feed:
            while "writes: again in 2 s, as files change whenever it runs" not in (told := await anext(feed)).note:
                pass
            ran = len((root / "ran").read_text())

    assert ran <= 6 and "writes/problem" in {found.rule for found in told.findings}


async def test_closing_the_feed_ends_what_runs(root: Path) -> None:
    config = Config(checks=ChecksConfig(tools={"slow": tool(SLOW, "key")}))
    key = ToolKey()
    with Engine() as engine:
        async with aclosing(follow_findings(engine, find_repository(root), config, root=root, tools=key)) as feed:
            await first(feed)
            key.ask()
            while "slow runs" not in (await anext(feed)).note:
                pass
            while not (root / "started").exists() or not (root / "started").read_text():
                await asyncio.sleep(0.02)
    with pytest.raises(ProcessLookupError):
        os.kill(int((root / "started").read_text()), 0)


def two_branches(root: Path) -> None:
    """Everything is committed, and on the branch `other` a.py says 7."""
    for command in (["add", "-A"], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "one"]):
        subprocess.run(["git", *command], cwd=root, check=True)
    subprocess.run(["git", "checkout", "-q", "-b", "other"], cwd=root, check=True)
    (root / "a.py").write_text("A = 7\n")
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qam", "seven"], cwd=root, check=True
    )
    subprocess.run(["git", "checkout", "-q", "-"], cwd=root, check=True)


COUNTS = "import pathlib; print('a.py:1 saw', sorted(map(str, pathlib.Path('.').rglob('*.py'))), open('a.py').read())"


async def test_a_switch_a_new_folder_and_one_that_goes_are_saves_too(root: Path) -> None:
    two_branches(root)
    config = Config(checks=ChecksConfig(tools={"says": tool(COUNTS, "save")}))
    with Engine() as engine:
        async with aclosing(follow_findings(engine, find_repository(root), config, root=root)) as feed:
            told = await until(feed, "saw ['a.py'] A = 1")  # at the start too: as `cockpit check` does
            assert not told.new, "nothing was saved"
            subprocess.run(["git", "checkout", "-q", "other"], cwd=root, check=True)
            told = await until(feed, "saw ['a.py'] A = 7")
            assert len(told.new) == 1
            (root / "new").mkdir()
            (root / "new" / "b.py").write_text("B = 1\n")
            await until(feed, "saw ['a.py', 'new/b.py']")
            (root / "new" / "b.py").unlink()
            (root / "new").rmdir()
            await until(feed, "saw ['a.py'] A = 7")


async def test_a_switch_ends_what_runs_and_tells_that_a_key_is_to_be_pressed_again(root: Path) -> None:
    two_branches(root)
    tools = {"slow": tool(SLOW, "save"), "says": tool(SAYS, "key")}
    key = ToolKey()
    with Engine() as engine:
        config = Config(checks=ChecksConfig(tools=tools))
        async with aclosing(follow_findings(engine, find_repository(root), config, root=root, tools=key)) as feed:
            await first(feed)
            assert key.ask(("says",))
            await until(feed, "saw 1")
            while not (root / "started").exists() or not (root / "started").read_text():
                await asyncio.sleep(0.02)
            running = int((root / "started").read_text())
            subprocess.run(["git", "checkout", "-q", "other"], cwd=root, check=True)
            told = False
            async with asyncio.timeout(30):  # sooner than the program would end by itself
                while not told or alive(running):
                    told |= "files changed since says ran" in (await anext(feed)).note


def test_a_feed_that_ends_late_does_not_take_the_key_from_its_follower() -> None:
    heard: list[tuple[str, ...]] = []
    before, after, key = heard.append, (lambda names: heard.append(names)), ToolKey()
    key.connect(before)
    key.connect(after)

    key.disconnect(before)
    taken = key.ask(("mypy",))
    key.disconnect(after)

    assert taken and heard == [("mypy",)]
    assert not key.ask()


async def test_what_a_save_brought_and_resolved_stays_when_a_tool_has_told(root: Path) -> None:
    (root / "tests").mkdir()
    (root / "pyproject.toml").write_text('[project]\ndependencies = ["pytest-mock"]\n')
    says = "import pathlib; print('a.py:1 saw', len(pathlib.Path('tests/test_b.py').read_text()))"
    config = Config(checks=ChecksConfig(tools={"says": tool(says, "save")}))
    mock = "from unittest.mock import Mock\n"
    (root / "tests" / "test_b.py").write_text("")
    with Engine() as engine:
        async with aclosing(follow_findings(engine, find_repository(root), config, root=root)) as feed:
            await until(feed, "saw 0")
            (root / "tests" / "test_b.py").write_text(mock)
            told = await until(feed, f"saw {len(mock)}")
            assert {one.rule for one in told.findings if one.fingerprint in told.new} == {"bare-mock"}
            (root / "tests" / "test_b.py").write_text("X = 1\n")
            told = await until(feed, "saw 6")
            assert told.resolved == 1 and told.saved == ("tests/test_b.py",)

"""Sessions followed live: new lines, states, processes and files that end."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from cockpit.phases.feed import follow_sessions
from cockpit.repository import Repository
from tests.unit.feeds import first_that, no_space
from tests.unit.session_places import register, talk_at


async def test_the_feed_follows_new_sessions_lines_and_states(claude: Path, repository: Repository) -> None:
    (claude / "projects").mkdir()
    (claude / "sessions").mkdir()
    feed = follow_sessions(repository)
    first = await anext(feed)
    assert first.sessions == ()

    talk = talk_at(repository, 1)
    talk.says(talk.call("Bash", command="pytest"), stop="tool_use")
    path = talk.write(claude)
    busy = await first_that(feed, lambda now: bool(now.sessions))
    assert busy.sessions[0].state == "busy"

    entry = register(claude, "5e55", os.getpid(), status="waiting", waitingFor="permission prompt")
    waiting = await first_that(feed, lambda now: now.sessions[0].state == "waiting")
    assert waiting.sessions[0].waiting_for == 'run "pytest"?'

    entry.unlink()
    talk.result({"id": "toolu_1"})
    talk.ends()
    path.write_bytes(talk.data())
    idle = await first_that(feed, lambda now: now.sessions[0].state == "idle")
    assert idle.sessions[0].summary == "1 step"
    await feed.aclose()


async def test_the_feed_sees_a_process_end(
    claude: Path, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cockpit.phases.feed.ALIVE_EVERY", 0.2)
    talk_at(repository, 1).write(claude)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE)
    register(claude, "5e55", process.pid, status="busy", cwd=str(repository.root))
    feed = follow_sessions(repository)
    assert (await anext(feed)).sessions[0].state == "busy"

    await process.communicate(b"\n")
    assert (await first_that(feed, lambda now: now.sessions[0].state == "ended")).sessions[0].pid is None
    await feed.aclose()


async def test_a_transcript_that_is_deleted_takes_its_session_with_it(claude: Path, repository: Repository) -> None:
    path = talk_at(repository, 1).write(claude)
    feed = follow_sessions(repository)
    await first_that(feed, lambda now: len(now.sessions) == 1)
    path.unlink()
    await first_that(feed, lambda now: not now.sessions)
    await feed.aclose()


async def test_the_feed_polls_and_says_so_where_it_cannot_watch(
    claude: Path, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    (claude / "projects").mkdir()
    monkeypatch.setattr("cockpit.inotify.Inotify.watch", no_space)
    feed = follow_sessions(repository)
    await anext(feed)
    talk_at(repository, 1).write(claude)
    found = await first_that(feed, lambda now: bool(now.sessions))

    assert "polled every second" in found.note
    await feed.aclose()

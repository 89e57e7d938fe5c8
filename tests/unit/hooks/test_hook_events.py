"""Events that hooks left: drained whole, bounded and once; and what they say of a session's state."""

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.agents.models import Session
from cockpit.hooks import drain as draining
from cockpit.hooks import spool
from cockpit.hooks.drain import drain, log_events, log_path, open_spool, read_event, spool_opened
from cockpit.phases.feed import follow_sessions
from cockpit.phases.store import read_sessions
from cockpit.repository import Repository, find_repository
from tests.unit.claude_lines import Talk

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def event(name: str, session: str = "5e55", **more: object) -> bytes:
    return json.dumps({"session_id": session, "hook_event_name": name, **more}).encode()


def logged() -> list[str]:
    return [one.event for one in log_events([log_path().read_bytes()])] if log_path().exists() else []


@pytest.fixture
def folder() -> Path:
    return open_spool()


def put(folder: Path, name: str, raw: bytes, at: float | None = None) -> Path:
    path = folder / name
    path.write_bytes(raw)
    if at is not None:
        os.utime(path, (at, at))
    return path


def test_events_come_in_their_order_and_once(folder: Path) -> None:
    now = time.time()
    put(folder, "claude.3", event("Stop"), now - 1)
    put(folder, "codex.1", event("Interrupt"), now - 3)
    put(folder, "claude.2", event("Notification", notification_type="permission_prompt"), now - 2)
    assert drain() == draining.Drained(3)
    assert logged() == ["Interrupt", "Notification", "Stop"]
    assert list(folder.iterdir()) == [] and drain() == draining.Drained()
    (first, *_) = log_events([log_path().read_bytes()])
    assert (first.agent, round(now - 3, 3)) == ("codex", first.at)


def test_torn_and_foreign_files_are_counted_and_go(folder: Path) -> None:
    put(folder, "claude.1", event("Stop")[:-9])
    put(folder, "claude.2", b"\xff\0garbage")
    put(folder, "claude.3", b"[]")
    put(folder, "claude.4", json.dumps({"hook_event_name": "rm -rf", "session_id": "s"}).encode())
    put(folder, "claude.5", event("Stop"))
    half = put(folder, ".claude.6", b"being written")
    old = put(folder, ".claude.7", b"its writer was killed", time.time() - 300)
    found = drain()
    assert (found.taken, found.garbage, found.dropped) == (1, 4, 1)
    assert half.exists() and not old.exists() and logged() == ["Stop"]
    put(folder, "claude.8", b"no event")
    drain()
    assert (draining.lost_so_far().garbage, draining.lost_so_far().dropped) == (5, 1)


def test_what_is_too_much_or_too_old_goes_counted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draining, "MOST_WAITING", 5)
    monkeypatch.setattr(draining, "MOST_AT_ONCE", 3)
    now = time.time()
    put(folder, "claude.old", event("Stop"), now - 5 * 86_400)
    for number in range(8):
        put(folder, f"claude.{number}", event("Stop", f"s{number}"), now - 20 + number)
    found = drain()
    assert (found.taken, found.dropped) == (3, 4)
    assert drain().taken == 2


def test_the_log_stays_small(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draining, "LOG_BYTES", 2000)
    for number in range(60):
        put(folder, "claude.1", event("Stop", f"session-{number}"))
        drain()
    assert log_path().stat().st_size <= 2000
    assert [one.session for one in log_events([log_path().read_bytes()])][-1] == "session-59"


def test_prompts_and_contents_are_not_kept(folder: Path) -> None:
    put(folder, "claude.1", event("UserPromptSubmit", prompt="a secret plan"))
    put(folder, "claude.2", event("PostToolUse", tool_name="Write", tool_input={"file_path": "a", "content": "sk-key"}))
    drain()
    kept = log_path().read_text()
    assert "secret" not in kept and "sk-key" not in kept and log_path().stat().st_mode & 0o777 == 0o600


def test_the_folder_goes_with_the_last_who_wants_it() -> None:
    with spool_opened():
        with spool_opened():
            spool.put("claude", event("Stop"))
        assert spool.spool_folder().is_dir()
    assert not spool.spool_folder().exists() and logged() == ["Stop"]


def test_where_nobody_wants_it_an_event_makes_no_folder() -> None:
    spool.put("claude", event("Stop"))
    assert not spool.spool_folder().exists()


def test_a_thousand_writers_lose_nothing(folder: Path) -> None:
    def write(name: int) -> None:
        for _ in range(40):
            spool.put("claude", event("Stop", f"s{name}"))

    writers = [threading.Thread(target=write, args=(name,)) for name in range(8)]
    taken = 0
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        taken += drain().taken
    for writer in writers:
        writer.join()
    while more := drain().taken:
        taken += more
    assert taken == len(logged()) == 8 * 40


_LOOP = "from cockpit.hooks.drain import drain\nprint('ready', flush=True)\nwhile True: drain()"


def test_a_killed_drainer_loses_no_event(folder: Path) -> None:
    home = str(Path(__file__).parents[3])
    for attempt in range(4):
        drainer = subprocess.Popen(
            [sys.executable, "-c", _LOOP], env={**os.environ, "PYTHONPATH": home}, stdout=subprocess.PIPE
        )
        assert drainer.stdout is not None and drainer.stdout.readline() == b"ready\n"
        for number in range(30):
            spool.put("claude", event("Stop", f"{attempt}-{number}"))
        time.sleep(0.003 * attempt)  # cockpit: ignore[sleep-in-test] the moment of the kill is what is tried
        drainer.kill()
        drainer.wait()
        drainer.stdout.close()
    while drain().taken:
        pass
    seen = {one.session for one in log_events([log_path().read_bytes()])}
    assert seen == {f"{attempt}-{number}" for attempt in range(4) for number in range(30)}


@given(
    st.binary(max_size=80)
    | st.dictionaries(st.text(max_size=5), st.text(max_size=5)).map(lambda d: json.dumps(d).encode())
)
def test_no_file_raises(raw: bytes) -> None:
    assert read_event("claude", raw, 0.0) is None or isinstance(read_event("claude", raw, 0.0), draining.HookEvent)


# what they say


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    root = tmp_path / "acme"
    root.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    return find_repository(root)


def talked(claude: Path, repository: Repository) -> Talk:
    talk = Talk("5e55", str(repository.root), at=NOW - timedelta(minutes=2))
    talk.prompt("Add a users endpoint")
    talk.says(talk.call("Bash", command="git push"), stop="tool_use")
    talk.write(claude)
    return talk


def tell(*events: bytes, seconds_ago: float = 1.0) -> None:
    for number, raw in enumerate(events):
        put(open_spool(), f"claude.{number}", raw, NOW.timestamp() - seconds_ago + number / 1000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draining, "OLDEST_SECONDS", 1e12)
        drain()


def only(repository: Repository) -> Session:
    (session,) = read_sessions(repository).sessions
    return session


_ASKS = event("PermissionRequest", tool_name="Bash", tool_input={"command": "git push"})


@pytest.mark.parametrize(
    ("raw", "state", "waits"),
    [
        (_ASKS, "waiting", 'run "git push"?'),
        (event("Notification", notification_type="permission_prompt", message="May I?"), "waiting", "May I?"),
        (event("Notification", notification_type="ToolPermission"), "waiting", "an answer"),
        (event("Notification", notification_type="idle_prompt"), "idle", None),
        (event("Stop"), "idle", None),
        (event("AfterAgent"), "idle", None),
        (event("Interrupt"), "idle", None),
        (event("PostToolUse", tool_name="Bash"), "busy", None),
        (event("SessionEnd", reason="logout"), "ended", None),
    ],
)
def test_an_event_tells_the_state(
    claude: Path, repository: Repository, raw: bytes, state: str, waits: str | None
) -> None:
    talked(claude, repository)
    assert only(repository).state == "busy"
    tell(raw)
    session = only(repository)
    assert (session.state, session.waiting_for) == (state, waits) and "hook: " in session.evidence


def test_the_newest_says_it_and_a_later_line_says_more(claude: Path, repository: Repository) -> None:
    talk = talked(claude, repository)
    tell(_ASKS, event("PostToolUse", tool_name="Bash"))
    assert only(repository).state == "busy"
    tell(_ASKS, seconds_ago=0.5)
    assert only(repository).state == "waiting"
    talk.at = NOW
    talk.prompt("stop that")
    talk.write(claude)
    assert only(repository).state == "busy" and "transcript" in only(repository).evidence


def test_events_of_unknown_sessions_change_nothing(claude: Path, repository: Repository) -> None:
    talked(claude, repository)
    tell(event("Stop", "another"))
    assert only(repository).state == "busy"


async def test_the_feed_sees_an_event_within_a_second(claude: Path, repository: Repository) -> None:
    talked(claude, repository)
    feed = follow_sessions(repository)
    first = await anext(feed)
    assert first.sessions[0].state == "busy"
    await asyncio.sleep(1.2)  # cockpit: ignore[sleep-in-test] nothing tells that the folders are watched
    started = time.monotonic()
    tell(_ASKS)

    async def waiting() -> Any:
        async for snapshot in feed:
            if snapshot.sessions and snapshot.sessions[0].state == "waiting":
                return snapshot
        return None

    assert await asyncio.wait_for(waiting(), 10) is not None
    assert time.monotonic() - started < 5  # a second on a machine that does nothing else
    await feed.aclose()  # type: ignore[attr-defined]

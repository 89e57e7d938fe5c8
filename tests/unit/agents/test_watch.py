"""`cockpit watch`: the first state once, then only changes, in a real process on a real repository."""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from msgspec import structs

from cockpit.agents.models import Session, SessionsSnapshot
from cockpit.changes import Changes, plain_line
from cockpit.demo import Demo, make_demo
from cockpit.findings.models import FileCounts, Finding, FindingsSnapshot, GateResult
from cockpit.spend.models import SpendRow, SpendSnapshot, Tokens
from cockpit.worktrees.models import Counts, Worktree, WorktreesSnapshot
from skills.spending.amount import Amount

NOW = datetime(2026, 11, 20, 14, 32, tzinfo=UTC)
SECONDS = 30.0
BAD = "\n\ndef of_company(request):\n    return User.objects.filter(company_id=request.company.id)\n"


@pytest.fixture
def demo(tmp_path) -> Iterator[Demo]:
    made = make_demo(tmp_path / "demo", now=datetime.now(UTC))
    yield made
    made.close()


class Watching:
    """A running `cockpit watch`, read with a deadline."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.rest = b""
        self.ended = time.monotonic() + SECONDS

    def line(self) -> str:
        assert self.process.stdout is not None
        while b"\n" not in self.rest:
            left = self.ended - time.monotonic()
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, left))
            assert ready, "no event came in time"
            chunk = os.read(self.process.stdout.fileno(), 65536)
            assert chunk, "watch ended"
            self.rest += chunk
        line, _, self.rest = self.rest.partition(b"\n")
        return line.decode()

    def until(self, wanted: Callable[[dict], bool]) -> list[dict]:
        """Events up to the first wanted one, which is the last of the list."""
        events = []
        while not events or not wanted(events[-1]):
            events.append(json.loads(self.line()))
        return events


@contextmanager
def watching(demo: Demo, *options: str, within: tuple[str, ...] = ()) -> Iterator[Watching]:
    command = [*within, sys.executable, "-m", "cockpit", "--repo", str(demo.root), "watch", *options]
    process = subprocess.Popen(
        command, env={**os.environ, **demo.env}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=demo.folder
    )
    try:
        yield Watching(process)
    finally:
        process.kill()
        process.communicate()


def done(event: dict) -> bool:
    return event["event"] == "check.done"


def test_a_save_is_told_and_so_is_its_end(demo):
    with watching(demo, "--json") as live:
        names: list[str] = []
        while names.count("worktree") < 5 or names.count("session") < 3 or "check.done" not in names:
            event = json.loads(live.line())
            names.append(event["event"])
            assert set(event) == {"event", "at", "data"}
        assert names.count("spend") == 1
        assert names.count("check.done") == 1
        assert names.index("finding.added") < names.index("check.done")
        path = demo.root / "accounts" / "services.py"
        good = path.read_text()

        path.write_text(good + BAD)
        added = live.until(lambda event: done(event) and event["data"]["added"] > 0)
        path.write_text(good)
        resolved = live.until(lambda event: done(event) and event["data"]["resolved"] > 0)

        found = [event["data"] for event in added if event["event"] == "finding.added"]
        assert ("manual-tenant-filter", "accounts/services.py") in [(row["rule"], row["path"]) for row in found]
        gone = [event["data"]["fingerprint"] for event in resolved if event["event"] == "finding.resolved"]
        assert {row["fingerprint"] for row in found} == set(gone)
        live.process.send_signal(signal.SIGINT)
        assert live.process.wait(SECONDS) == 0
        assert live.process.stderr is not None
        assert b"Traceback" not in live.process.stderr.read()


@pytest.mark.parametrize("limit", ["watches", "instances"])
def test_without_inotify_every_feed_says_what_to_raise_and_a_save_is_told(demo, limit):
    lower = f'echo 0 > /proc/sys/user/max_inotify_{limit} && exec "$@"'
    limited = ("unshare", "-Ur", "sh", "-c", lower, "sh")
    if not shutil.which("unshare") or subprocess.run([*limited, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system does not let a user lower his own inotify limit (unshare -U)")
    with watching(demo, "--json", within=limited) as live:
        live.until(done)
        path = demo.root / "accounts" / "services.py"
        path.write_text(path.read_text() + BAD)
        live.until(lambda event: done(event) and event["data"]["added"] > 0)
        time.sleep(4)  # cockpit: ignore[sleep-in-test] money is looked at every two seconds, and must not tell again
        live.process.send_signal(signal.SIGINT)
        assert live.process.wait(SECONDS) == 0
        assert live.process.stderr is not None
        told = live.process.stderr.read().decode()
    polled = [line for line in told.splitlines() if f"raise fs.inotify.max_user_{limit}" in line]
    assert len(polled) == 4, told


def test_a_transcript_that_grows_is_told(demo):
    registry = [json.loads(path.read_text()) for path in (demo.claude_root / "sessions").glob("*.json")]
    session = next(entry["sessionId"] for entry in registry if entry["status"] == "idle")
    transcript = next((demo.claude_root / "projects").rglob(f"{session}.jsonl"))
    last = json.loads(transcript.read_text().splitlines()[-1])
    with watching(demo, "--json") as live:
        sessions = 0
        while sessions < 3:
            sessions += json.loads(live.line())["event"] == "session"

        message = {"role": "user", "content": "Now explain why the sum needs an output field."}
        prompt = {**last, "type": "user", "uuid": "new", "parentUuid": last["uuid"], "message": message}
        prompt["timestamp"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        with transcript.open("a") as stream:
            stream.write(json.dumps(prompt) + "\n")
        events = live.until(lambda event: event["event"] == "phase")

        told = events[-1]["data"]
        assert told["session"] == session
        assert told["phase"] < 5
        live.process.send_signal(signal.SIGTERM)
        assert live.process.wait(SECONDS) == 0


def test_plain_lines_and_a_reader_that_goes_away(demo):
    with watching(demo) as live:
        line = live.line()
        assert line[8:].startswith((" spend: $", " worktree: ", " session: ", " finding.added: "))
        assert live.process.stdout is not None
        live.process.stdout.close()
        (demo.root / "new.py").write_text("import os\n")
        assert live.process.wait(SECONDS) == 0


def test_not_a_repository_is_exit_2(tmp_path):
    command = [sys.executable, "-m", "cockpit", "--repo", str(tmp_path), "watch"]

    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1


def finding(mark: str, line: int = 1) -> Finding:
    return Finding(
        "bare-mock", "P0", "CRITICAL", "s", "a.py", line, 1, line, 2, "f", "m", "h", "confirmed", False, mark
    )


def spent(usd: float, **sessions: float) -> SpendSnapshot:
    row = SpendRow("k", 1, Tokens(), usd, "computed", 0, False, None)
    return SpendSnapshot(
        today=row, month=row, by_session=tuple((name, Amount(cost)) for name, cost in sessions.items())
    )


def session(state: str = "busy", phase: int = 4) -> Session:
    return Session("claude", "s1", "/p", "main", state, None, NOW, phase, "x", (), None, None, "", "")  # type: ignore[arg-type]


def names(events: Iterator[tuple[str, dict]]) -> list[str]:
    return [name for name, _ in events]


def test_findings_are_told_once_and_moved_lines_are_no_event():
    changes = Changes()
    ready = FindingsSnapshot(phase="ready", findings=(finding("a"), finding("b")), files=FileCounts(seen=2))

    assert names(changes.findings(replace(ready, phase="checking"))) == []
    assert names(changes.findings(ready)) == ["finding.added", "finding.added", "check.done"]
    assert names(changes.findings(replace(ready, findings=(finding("a", 9), finding("b"))))) == []
    save = replace(ready, saved=("a.py",), saves=1)
    assert names(changes.findings(save)) == ["check.done"]
    assert names(changes.findings(replace(save, note="mypy runs"))) == []
    failed = replace(save, gates=(GateResult("P1", "not_run", 0),))
    assert names(changes.findings(failed)) == ["check.done"]
    assert names(changes.findings(replace(failed, saves=2))) == ["check.done"]
    assert names(changes.findings(replace(ready, findings=(finding("b"),)))) == ["finding.resolved", "check.done"]


def test_rows_wait_for_what_belongs_to_them_and_come_once():
    changes = Changes()
    tree = Worktree("w", "/p", "main", "0" * 40)
    counted = WorktreesSnapshot((replace(tree, counts=Counts()),))

    assert names(changes.worktrees(WorktreesSnapshot((tree,)))) == []
    assert names(changes.sessions(SessionsSnapshot((session(),)))) == []
    assert names(changes.spend(SpendSnapshot(loading=0.5))) == []
    assert names(changes.spend(spent(1.0, s1=0.5))) == ["spend", "session"]
    assert names(changes.worktrees(counted)) == ["worktree"]
    assert names(changes.worktrees(counted)) == []
    assert names(changes.spend(spent(1.0, s1=0.7))) == []
    assert names(changes.sessions(SessionsSnapshot((session(),)))) == []
    waiting = list(changes.sessions(SessionsSnapshot((session("waiting", 5),))))
    assert [name for name, _ in waiting] == ["session", "phase", "worktree"]
    assert waiting[0][1]["usd"] == 0.7
    assert waiting[0][1]["forecast"] is None  # no pace is known
    assert [row["state"] for name, row in changes.sessions(SessionsSnapshot()) if name == "session"] == ["ended"]
    (removed,) = changes.worktrees(WorktreesSnapshot())
    assert removed[1]["removed"] is True


def test_no_line_carries_an_escape():
    changes = Changes()
    changes.findings(FindingsSnapshot(phase="ready"))
    hostile = structs.replace(finding("a"), path="[/x]\x1b[31m\u202e.py")

    lines = [
        plain_line(name, "2026-11-20T14:32:00Z", row)
        for name, row in changes.findings(FindingsSnapshot(phase="ready", findings=(hostile,)))
    ]

    assert lines[0].startswith("14:32:00 finding.added: P0 bare-mock at [/x]")
    assert not any("\x1b" in line or "\u202e" in line for line in lines)

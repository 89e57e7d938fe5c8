"""The checklist of a change and the day's own track: what proves each line, and `[?]` where nobody looked."""

import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.cli import main
from cockpit.phases.checklist import rule_readings
from cockpit.phases.day_track import read_day_track
from cockpit.repository import Repository, find_repository
from skills.gates.model import Check, Finding
from skills.orchestrator.checklist import RuleReading, checklist
from skills.orchestrator.phases import read_phases
from skills.workflow.track import STEPS, Sign, day_track
from tests.git import git
from tests.unit.claude_lines import Talk
from widgets.lines import plain, width_of
from widgets.phase_detail import day_line, detail_lines

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.setenv("COCKPIT_NOW", NOW.isoformat())
    monkeypatch.setenv("TZ", "UTC")
    root = tmp_path / "acme"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    git(root, "commit", "-q", "--allow-empty", "-m", "start", at=NOW - timedelta(days=3))
    return find_repository(root)


# -- the checklist


def test_the_list_has_three_five_and_four_lines_and_knows_nothing_unasked() -> None:
    items = checklist(read_phases(()).phases, None)
    assert [sum(1 for item in items if item.gate == gate) for gate in ("P0", "P1", "P2")] == [3, 5, 4]
    assert {item.holds for item in items} <= {None, True}
    assert all(item.holds is None for item in items if item.id not in ("S10", "S11", "S12"))


@pytest.mark.parametrize(
    ("reading", "holds", "words"),
    [
        (RuleReading("pass"), True, "bare-mock: nothing found"),
        (RuleReading("fail", 2, 0, "tests/test_a.py:3"), False, "tests/test_a.py:3 bare-mock and 1 more"),
        (RuleReading("fail", 0, 4), True, "bare-mock: nothing found here, 4 in files it did not touch"),
        (RuleReading("not_run", reason="a.py: syntax"), None, "bare-mock was not run: a.py: syntax"),
        (RuleReading("not_applicable", reason="no pytest-mock"), None, "not applicable: no pytest-mock"),
    ],
)
def test_a_gate_answers_with_the_line_that_proves_it(reading: RuleReading, holds: bool | None, words: str) -> None:
    item = next(one for one in checklist(read_phases(()).phases, {"bare-mock": reading}) if one.id == "S3")
    assert (item.holds, item.evidence) == (holds, words)


@given(st.dictionaries(st.sampled_from(["bare-mock", "n-plus-one", "logic-in-view", "openapi-drift"]),
                       st.sampled_from(["pass", "fail", "not_run", "not_applicable"])))  # fmt: skip
def test_what_was_not_run_is_never_ticked(statuses: dict[str, str]) -> None:
    rules = {name: RuleReading(status, 1 if status == "fail" else 0) for name, status in statuses.items()}  # type: ignore[arg-type]
    items = {item.id: item for item in checklist(read_phases(()).phases, rules)}
    for name, line in (("bare-mock", "S3"), ("logic-in-view", "S2"), ("n-plus-one", "S5"), ("openapi-drift", "S9")):
        assert items[line].holds is {"pass": True, "fail": False}.get(statuses.get(name, ""))


def test_only_the_files_of_the_change_count() -> None:
    def finding(path: str, line: int, suppressed: str | None = None) -> Finding:
        made = Finding("bare-mock", "P0", "HIGH", "s", path, line, 1, line, 2, "f", "m", "h", "confirmed", False, path)  # type: ignore[arg-type]
        return made if suppressed is None else made.__class__(**{**_fields(made), "suppressed": suppressed})

    checks = [Check("bare-mock", "fail", 2)]
    findings = [finding("a.py", 3), finding("b.py", 9), finding("a.py", 1, "a reason")]
    assert rule_readings(checks, findings, {"b.py"})["bare-mock"] == RuleReading("fail", 1, 1, "b.py:9")
    assert rule_readings(checks, findings, ())["bare-mock"].here == 2


def _fields(made: Finding) -> dict[str, object]:
    return {name: getattr(made, name) for name in made.__struct_fields__}


# -- the day


def steps(repository: Repository) -> dict[str, tuple[str, str]]:
    return {one.name: (one.status, one.evidence) for one in read_day_track(repository, [], (), NOW)}


def test_no_step_is_taken_to_be_done_without_its_sign(repository: Repository) -> None:
    assert {status for status, _ in steps(repository).values()} == {"pending"}


def test_each_step_has_its_own_sign(repository: Repository, own_home: Path) -> None:
    root = repository.root
    for name, hour in (("RESEARCH.md", 8), ("TASK.md", 9), (".security/gitleaks-2026-11-20.json", 11)):
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
        stamp = NOW.replace(hour=hour).timestamp()
        os.utime(path, (stamp, stamp))
    old = root / "docs" / "decisions"
    old.mkdir(parents=True)
    (old / "ADR-001.md").write_text("x")
    os.utime(old / "ADR-001.md", (1_700_000_000, 1_700_000_000))
    git(root, "commit", "-q", "--allow-empty", "-m", "build it", at=NOW.replace(hour=10))
    git(root, "tag", "-a", "v1", "-m", "v1", at=NOW.replace(hour=11, minute=30))
    found = steps(repository)
    assert found["research"] == ("done", "RESEARCH.md") and found["plan"] == ("done", "TASK.md")
    assert found["build"] == ("done", "commit: build it")
    assert found["secure"] == ("done", ".security/gitleaks-2026-11-20.json")
    assert found["ship"] == ("current", "tag v1")
    assert found["start"][0] == found["end"][0] == "pending"


def test_the_day_begins_at_its_own_midnight_when_the_clocks_change(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        noon = datetime(2026, 3, 29, 12, tzinfo=UTC)  # the clocks went from 2 to 3 this night
        git(repository.root, "tag", "-a", "v1", "-m", "v1", at=datetime(2026, 3, 28, 22, 30, tzinfo=UTC))
        track = {one.name: one.status for one in read_day_track(repository, [], (), noon)}
        assert track["ship"] == "pending", "half past eleven was the day before"
        git(repository.root, "tag", "-a", "v2", "-m", "v2", at=datetime(2026, 3, 28, 23, 30, tzinfo=UTC))
        track = {one.name: one.status for one in read_day_track(repository, [], (), noon)}
        assert track["ship"] != "pending"
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()


def test_a_push_ships(repository: Repository, tmp_path: Path) -> None:
    git(repository.root, "init", "-q", "--bare", str(tmp_path / "origin.git"))
    git(repository.root, "remote", "add", "origin", str(tmp_path / "origin.git"))
    git(repository.root, "push", "-q", "-u", "origin", "main")
    assert steps(repository)["ship"] == ("current", "push to origin/main")


def test_the_start_of_the_day_is_its_command(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["start-day", "--json", "--repo", str(repository.root)]) == 0
    capsys.readouterr()
    assert steps(repository)["start"] == ("current", "start-day")


@given(st.dictionaries(st.sampled_from(STEPS), st.integers(0, 86_399)))
def test_there_is_one_current_step_and_it_is_the_newest(times: dict[str, int]) -> None:
    start = NOW.replace(hour=0)
    track = day_track({name: Sign(start + timedelta(seconds=at), name) for name, at in times.items()})  # type: ignore[misc]
    assert [one.name for one in track] == list(STEPS)
    current = [one for one in track if one.status == "current"]
    assert len(current) == (1 if times else 0)
    assert all(one.at is not None and current[0].at is not None and one.at <= current[0].at for one in track if one.at)
    for width in (12, 40, 80):
        assert not times or "▶" in plain(day_line(track, width))


# -- where they are shown


def test_the_command_answers_list_and_day(
    repository: Repository, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = repository.root
    (root / "requirements.txt").write_text("pytest-mock\n")
    (root / "test_a.py").write_text("from unittest.mock import Mock\n\n\ndef test_it():\n    assert Mock()\n")
    talk = Talk(cwd=str(root), at=NOW - timedelta(minutes=30))
    talk.prompt("Add a test for the users endpoint")
    talk.does("Write", file_path=f"{root}/test_a.py", content="x")
    talk.ends()
    talk.write(own_home / "claude")
    assert main(["sessions", "--json", "--repo", str(root)]) == 0
    document = json.loads(capsys.readouterr().out)
    lines = {one["id"]: one for one in document["sessions"][0]["checklist"]}
    assert lines["S3"]["holds"] is None and "--gates" in lines["S3"]["evidence"]
    assert [one["step"] for one in document["day"]] == list(STEPS)
    assert next(one for one in document["day"] if one["step"] == "build")["status"] == "current"
    assert sum(len(phase["checks"]) for phase in document["sessions"][0]["phases"]) == 19
    assert main(["sessions", "--gates", "--json", "--repo", str(root)]) == 0
    lines = {one["id"]: one for one in json.loads(capsys.readouterr().out)["sessions"][0]["checklist"]}
    assert lines["S3"]["holds"] is False and lines["S3"]["evidence"].startswith("test_a.py:1 bare-mock")


@pytest.mark.parametrize("width", [36, 76, 116])
def test_the_detail_fits_and_is_safe(width: int, repository: Repository, own_home: Path) -> None:
    from cockpit.phases.store import read_sessions

    talk = Talk(cwd=str(repository.root), at=NOW - timedelta(minutes=30))
    talk.prompt("fix [@click=app.quit]\x1b[31m the thing")
    talk.does("Bash", command="pytest \x1b[2J -q")
    talk.write(own_home / "claude")
    (session,) = read_sessions(repository).sessions
    items = checklist(session.phases, None)
    rows = detail_lines(session, items, day_track({}), width, NOW)
    shown = "\n".join(plain(row) for row in rows)
    assert "…" not in shown or width < 76  # what has no room beside its evidence stands above it
    told = [row for row in rows if plain(row).lstrip().startswith("[")]
    assert width < 76 or max(map(width_of, told)) <= width, "evidence that is longer than its room stands below"
    assert "\x1b" not in shown and shown.count("[?]") >= 9 and "no sign of it today" in shown
    assert width_of(day_line(day_track({"start": Sign(NOW, "x")}), width)) <= width

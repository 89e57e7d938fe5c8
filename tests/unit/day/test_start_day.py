"""The start of the day: its JSON, its record, to-dos where somebody wants them, and what goes wrong."""

import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.cli import main
from cockpit.clock import local_midnight
from cockpit.config import Config, DayConfig
from cockpit.day import record as records
from cockpit.day.record import DayRecord, begun, one_end_at_a_time, read_record, write_record
from cockpit.day.start import start_day
from cockpit.day.todos import write_todos
from cockpit.errors import CannotAnswer
from cockpit.paths import agents_were_here
from cockpit.repository import Repository, find_repository
from cockpit.worktrees.models import WorktreesSnapshot
from skills.workflow.day import named_files, todos
from skills.workflow.day_text import start_text
from skills.workflow.tasks import Scored, Task
from tests.git import git
from tests.unit.claude_lines import Talk
from tests.unit.feeds import no_space

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "repo"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    (root / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = ["django"]\n')
    (root / "package.json").write_text("{}")
    (root / "TASK.md").write_text(
        "- [ ] Fix the failing login in auth/views.py (P0) #login\n- [ ] Write the docs (P2)\n"
    )
    (root / "auth").mkdir()
    (root / "auth" / "views.py").write_text("x = 1\n")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "start")
    monkeypatch.setenv("COCKPIT_NOW", NOW.isoformat())
    return root


def answered(root: Path, capsys: pytest.CaptureFixture[str], *words: str) -> dict:
    assert main(["--repo", str(root), "start-day", "--json", *words]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_document_holds_what_the_report_shows(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = answered(repo, capsys)
    assert (found["version"], found["project"], found["types"]) == (1, "repo", ["node", "python"])
    first = found["queue"][0]
    assert first["task"].startswith("Fix the failing login") and first["files"] == ["auth/views.py"]
    assert first["score"] == sum(term["points"] for term in first["terms"]) == 5
    assert first["agent"] and first["priority"] == "medium"
    assert (found["git"]["branch"], found["git"]["ahead"], found["spend"]["today"]["usd"]) == ("main", 0, 0)
    assert found["preflight"] == ["Run npm install"]
    assert {step["step"]: step["status"] for step in found["steps"]}["session"] == "pass"
    headings = [line for line in found["report"].splitlines() if line.startswith("#")]
    wanted = [
        "## Session Start: repo",
        "### Git Status",
        "### Completed (Last Session)",
        "### In Progress",
        "### Blockers",
        "### Today's Priority Queue",
        "### Cost Context",
        "### Available Resources",
        "### Observer Status",
    ]
    assert [heading for heading in headings if heading in wanted] == wanted
    assert f"1. [AGENT: {first['agent']}] Fix the failing login" in found["report"]


def test_entries_that_are_no_tasks_are_said(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "TASK.md").write_text("- [ ] one\n- two\n\nA sentence.\n\n## Done\n\n- three\n")
    found = answered(repo, capsys)
    assert [row["task"] for row in found["queue"]] == ["one"]
    assert "TASK.md: 1 entry without a box beside those with one: not in the queue" in found["notes"]


def test_a_malformed_registry_is_said(repo: Path, own_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (own_home / "claude" / "worktree-registry.json").write_text("{")
    assert "worktree-registry.json ignored: not valid JSON" in answered(repo, capsys)["notes"]
    assert main(["--repo", str(repo), "end-day", "--dry-run"]) in (0, 2)
    assert "worktree-registry.json ignored: not valid JSON" in capsys.readouterr().out


def test_the_next_ports_are_those_that_a_new_worktree_gets(
    repo: Path, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pool = {"start": 8140, "end": 8159, "allocated": [8140]}
    (own_home / "claude" / "worktree-registry.json").write_text(json.dumps({"worktrees": [], "portPool": pool}))
    foreseen = answered(repo, capsys)["resources"]["ports"]
    assert main(["--repo", str(repo), "worktree", "new", "one", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["worktree"]["ports"] == foreseen == [8142, 8143]


def test_nothing_is_written_into_the_repository_unless_asked(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answered(repo, capsys)
    status = subprocess.run(["git", "status", "--porcelain"], cwd=repo, capture_output=True, text=True, check=True)
    assert status.stdout == ""
    (repo / "cockpit.toml").write_text('[day]\ntodos = ".claude/todos.json"\n')
    found = answered(repo, capsys)
    rows = json.loads((repo / ".claude" / "todos.json").read_text())
    assert [(row["id"], row["status"], row["priority"]) for row in rows] == [
        ("day-1", "pending", "medium"), ("day-2", "pending", "low"),
    ]  # fmt: skip
    assert any(name.endswith("todos.json") for name in found["files"])
    before = (repo / ".claude" / "todos.json").read_bytes()
    answered(repo, capsys)
    assert (repo / ".claude" / "todos.json").read_bytes() == before


def test_to_dos_of_others_stay_and_a_broken_list_is_left_alone(repo: Path) -> None:
    queue = (_scored("Fix it", 9.0),)
    path = repo / "todos.json"
    path.write_text('{"todos": [{"id": "mine", "content": "call Ada", "status": "pending"}], "by": "me"}')
    write_todos(repo, "todos.json", queue)
    document = json.loads(path.read_text())
    assert document["by"] == "me" and [row["id"] for row in document["todos"]] == ["mine", "day-1"]
    assert document["todos"][1]["priority"] == "high"
    for broken in ("{", "3", '["text"]'):
        path.write_text(broken)
        with pytest.raises(CannotAnswer, match="left as it is"):
            write_todos(repo, "todos.json", queue)
        assert path.read_text() == broken
    path.write_text('[{"id": "mine", "content": "half a letter: \\ud83d"}]')
    write_todos(repo, "todos.json", queue)
    assert json.loads(path.read_text())[0]["content"] == "half a letter: \ud83d"
    (repo / "out").symlink_to("/tmp")
    for outside in ("/etc/todos.json", "../todos.json", "out/todos.json"):
        with pytest.raises(CannotAnswer, match="does not lie in the repository"):
            write_todos(repo, outside, queue)


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "id": st.sampled_from(["day-1", "day-7", "mine", ""]),
                "content": st.sampled_from(["a", "b", "c"]),
                "status": st.sampled_from(["pending", "completed", "in_progress"]),
            }
        ),
        max_size=6,
    ),
    st.lists(st.sampled_from(["a", "b", "x"]), unique=True, max_size=3),
)
def test_a_to_do_list_drops_nothing_of_others_and_settles(rows: list[dict], texts: list[str]) -> None:
    queue = tuple(_scored(text, 5.0) for text in texts)
    once = todos(queue, rows)
    assert todos(queue, once) == once
    assert [row for row in rows if not row["id"].startswith("day-")] == [
        {key: value for key, value in row.items() if key != "priority"}
        for row in once
        if not row["id"].startswith("day-")
    ]
    assert all(row in once for row in rows if row["status"] != "pending")
    assert {row["content"] for row in once} >= set(texts)


def test_a_session_goes_on_until_it_ends_or_the_day_does(repo: Path) -> None:
    repository = find_repository(repo)
    first = begun(DayRecord(), NOW, "abc")
    write_record(repository, first)
    assert read_record(repository, NOW) == first
    assert begun(first, NOW + timedelta(hours=3), "def") == first
    tomorrow = begun(first, NOW + timedelta(days=1), "def")
    assert (tomorrow.started, tomorrow.before) == (NOW + timedelta(days=1), NOW)
    over = records.ended(first, NOW + timedelta(hours=8))
    assert begun(over, NOW + timedelta(hours=9), "x").before == NOW + timedelta(hours=8)


def test_a_clock_that_was_set_back_and_a_broken_record_are_said(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    repository = find_repository(repo)
    path = write_record(repository, DayRecord(started=NOW + timedelta(days=3)))
    assert "set back" in " ".join(answered(repo, capsys)["notes"])
    path.write_text("{")
    found = answered(repo, capsys)
    assert "begins anew" in " ".join(found["notes"]) and found["since"]["at"] == "2026-11-19T09:00:00Z"
    path.write_text('{"started": "0001-01-01T00:00:00+14:00", "ended": "9999-12-31T23:59:59-12:00", "before": "2026"}')
    assert answered(repo, capsys)["since"]["at"] == "2026-11-19T09:00:00Z"


def test_the_day_begins_at_midnight_also_when_the_clocks_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        assert local_midnight(datetime(2026, 3, 29, 12, tzinfo=UTC)).astimezone(UTC).hour == 23
        assert local_midnight(datetime(2026, 10, 25, 12, tzinfo=UTC)).astimezone(UTC).hour == 22
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()


def test_a_second_end_of_day_says_so(repo: Path) -> None:
    repository: Repository = find_repository(repo)
    with (
        one_end_at_a_time(repository),
        pytest.raises(CannotAnswer, match="is running"),
        one_end_at_a_time(repository),
    ):
        pass
    with one_end_at_a_time(repository):
        pass


def test_a_full_disk_is_a_note_and_the_report_is_there(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "write_atomically", no_space)
    monkeypatch.setattr("cockpit.day.todos.write_atomically", no_space)
    started = start_day(find_repository(repo), Config(day=DayConfig(todos="todos.json")))
    statuses = {step.step: step.status for step in started.steps}
    assert (statuses["todos"], statuses["session"]) == ("not_run", "not_run")
    assert "No space left" in start_text(started.report) and not (repo / "todos.json").exists()


def test_worktrees_that_cannot_be_read_are_not_counted_as_none(repo: Path) -> None:
    unread: Future[WorktreesSnapshot] = Future()
    unread.set_exception(OSError(28, "No space left on device"))
    started = start_day(find_repository(repo), Config(), reading=unread)
    steps = {step.step: (step.status, step.detail) for step in started.steps}
    assert steps["worktrees"][0] == "not_run"
    assert steps["resources"] == ("not_run", "the worktrees could not be read")
    assert "Worktrees: unknown" in start_text(started.report)


def test_no_author_no_commit_no_remote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        for what in ("NAME", "EMAIL"):
            monkeypatch.delenv(f"GIT_{role}_{what}")
    git(tmp_path, "init", "-q")
    found = answered(tmp_path, capsys)
    assert found["git"]["last"] is None and found["queue"] == [] and "None." in found["report"]


def test_quick_scans_follow_the_report(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "leak.py").write_text('KEY = "AKIAIOSFODNN7EXAMPLE"\n')
    git(repo, "add", "leak.py")
    assert main(["--repo", str(repo), "start-day", "--scan"]) == 0
    report, _, scans = capsys.readouterr().out.partition("### Quick Scans")
    assert report.startswith("## Session Start: repo") and "Secrets" in scans and "AKIA…" in scans
    assert "✓ Findings         none in lines changed since" in scans


def test_a_scan_that_could_not_judge_a_file_says_so(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "broken.py").write_text("def (:\n")
    found = answered(repo, capsys, "--scan")
    assert found["findings"][0].startswith("? Findings         none") and "; 1 file could" in found["findings"][0]
    assert [answered(repo, capsys)[key] for key in ("scans", "findings")] == [None, None]


def test_git_looks_at_every_worktree_once_and_before_the_report_is_imported(repo: Path, tmp_path: Path) -> None:
    for name in ("one", "two", "gone"):
        git(repo, "worktree", "add", "-q", "-b", name, str(tmp_path / "trees" / name))
    shutil.rmtree(tmp_path / "trees" / "gone")
    log, real = tmp_path / "asked", shutil.which("git")
    script = tmp_path / "bin" / "git"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\necho "$PWD $*" >> {log}\nexec {real} "$@"\n')
    script.chmod(0o755)
    house = str(Path(__file__).parents[3])
    environment = {**os.environ, "PATH": f"{script.parent}:{os.environ['PATH']}", "PYTHONPATH": house}
    words = [sys.executable, "-m", "cockpit", "--repo", str(repo), "start-day"]
    told = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    assert "folder is gone" in told.stdout and "| one " in told.stdout
    asked = log.read_text().splitlines()
    looks = sorted(line.split(" ", 1)[0] for line in asked if "--no-ahead-behind" in line)
    assert looks == sorted(map(str, (repo, tmp_path / "trees" / "one", tmp_path / "trees" / "two")))
    assert "--no-ahead-behind" in asked[0]


def test_a_session_that_ran_brings_no_prices_and_no_phases_into_the_morning(repo: Path, own_home: Path) -> None:
    talk = Talk(cwd=str(repo), at=datetime.now(UTC) - timedelta(minutes=20))
    talk.prompt("count")
    talk.says({"type": "text", "text": "done"}, stop="end_turn")
    folder = own_home / "claude" / "projects" / "repo"
    folder.mkdir(parents=True)
    (folder / "5e55.jsonl").write_text("".join(json.dumps(line) + "\n" for line in talk.lines))
    code = (
        "import sys; from cockpit.cli import main; main(sys.argv[1:]); "
        "heavy = 'pydantic genai_prices textual git libcst skills.orchestrator.phases skills.orchestrator.score';"
        "print([name for name in (*heavy.split(), 'statistics', '_hashlib') if name in sys.modules])"
    )
    words = [sys.executable, "-c", code, "--repo", str(repo), "start-day"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    told = subprocess.run(words, env=environment, capture_output=True, text=True, check=True).stdout
    assert "- Agent sessions: 1" in told and told.splitlines()[-1] == "[]"


def test_what_cockpit_keeps_in_an_agents_folder_is_no_trace_of_the_agent(repo: Path, own_home: Path) -> None:
    assert main(["--repo", str(repo), "worktree", "new", "one"]) == 0
    assert main(["--repo", str(repo), "end-day"]) == 0
    assert {path.name for path in (own_home / "claude").iterdir()} >= {"context-backups", "worktree-registry.json"}
    assert not agents_were_here()
    (own_home / "claude" / "projects").mkdir()
    assert agents_were_here()


def test_files_that_a_task_names() -> None:
    names = frozenset({"a/b.py", "c.md"})
    assert named_files("See `a/b.py`, then (./c.md) and d.py.", names) == ("a/b.py", "c.md")


def _scored(text: str, score: float) -> Scored:
    return Scored(Task(text), score, ())


def test_free_memory_is_told_in_whole_gigabytes() -> None:
    """So that two reports of the same minute are the same bytes."""
    from skills.workflow.day import Resources
    from skills.workflow.day_text import _resources

    assert "Memory: 5 GB free, below 6 GB" in _resources(Resources(1, 4, (8100, 8101), 5.97))

"""The end of the day: what is saved, in which order, and what happens when something is wrong or the power goes."""

import json
import os
import subprocess
import sys
import tarfile
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.cli import main
from cockpit.config import Config
from cockpit.day import backup as backups
from cockpit.day import finish
from cockpit.day.backup import backup_folder, prune_backups, verify_backup, write_backup
from cockpit.day.draft import read_draft
from cockpit.day.finish import STEPS, EndDay
from cockpit.day.learned import candidates, kept
from cockpit.day.record import DayRecord, one_end_at_a_time, write_record
from cockpit.day.talk import read_talk
from cockpit.repository import find_repository
from skills.workflow.day_text import end_text
from skills.workflow.handover import read_markdown
from skills.workflow.learnings import (
    KINDS,
    Learning,
    added,
    from_commits,
    from_talk,
    marked_promoted,
    promoted,
    read_file,
)
from skills.workflow.sweep import without_secrets
from tests.git import git
from tests.unit.feeds import no_space

AWS = "AKIAIOSFODNN7EXAMPLE"  # pragma: allowlist secret


def commit(root: Path, message: str) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-q", "--allow-empty", "-m", message)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    (root / "app.py").write_text("x = 1\n")
    (root / "TASK.md").write_text("- [x] Old and done\n- [ ] Pagination (P0)\n- [ ] Docs\n")
    (root / ".gitignore").write_text("context.json*\n")
    git(root, "add", "-A")
    long_ago = {"GIT_AUTHOR_DATE": "2026-01-01T10:00:00Z", "GIT_COMMITTER_DATE": "2026-01-01T10:00:00Z"}
    subprocess.run(["git", "commit", "-qm", "start"], cwd=root, check=True, env={**os.environ, **long_ago})
    return root


def ended(root: Path, capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> dict:
    assert main(["--repo", str(root), "end-day", "--json", *words]) == code
    return json.loads(capsys.readouterr().out)


def everything(*roots: Path) -> dict[str, str]:
    found = {}
    for root in roots:
        for path in sorted(root.rglob("*")):
            if path.is_file():
                found[str(path)] = sha256(path.read_bytes()).hexdigest()
    return found


def test_the_steps_come_in_order_and_the_context_is_one_value_in_two_files(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--repo", str(repo), "start-day"])
    (repo / "test_app.py").write_text("def test_x():\n    assert 1\n")
    (repo / "TASK.md").write_text("- [x] Old and done\n- [x] Pagination (P0)\n- [ ] Docs\n")
    commit(repo, "Paginate by key\n\nDecision: keyset pagination instead of offsets")
    capsys.readouterr()
    found = ended(repo, capsys, "--decision", "One queue", "--tomorrow", "Ship it", "--blocker", "Sandbox key")
    assert [step["step"] for step in found["steps"]] == list(STEPS)
    statuses = {step["step"]: step["status"] for step in found["steps"]}
    assert all(statuses[name] == "pass" for name in ("context", "backup", "verify-backup", "sweep", "cost", "summary"))
    said = read_markdown((repo / "PROJECT_CONTEXT.md").read_text())
    assert said.completed == ("Paginate by key", "Pagination")
    assert (said.decisions, said.blockers, said.tomorrow) == (("One queue",), ("Sandbox key",), ("Ship it", "Docs"))
    assert (said.metrics.commits, said.metrics.files_changed, said.metrics.tests_added) == (1, 2, 1)
    document = json.loads((repo / ".claude" / "context.json").read_text())
    assert document["completed_tasks"] == list(said.completed) and document["compressed"]["tokens"] > 0
    assert [one["kind"] for one in found["learnings"]] == ["decisions"]
    assert "## End of Day: repo" in found["report"] and "### Tomorrow's Priorities" in found["report"]
    assert any(name.startswith(".security/") for name in found["files"])


def test_an_address_that_nothing_is_sent_to_takes_no_report_away(
    repo: Path, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (own_home / "config" / "config.toml").write_text('[webhook]\nurl = "http://chat.example.invalid/x"\n')
    assert main(["--repo", str(repo), "end-day", "--send"]) == 0
    told = capsys.readouterr()
    assert "## End of Day: repo" in told.out and "not sent: webhook.url: only https" in told.err


def test_how_long_a_session_took_says_where_nobody_noted_its_beginning(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ended(repo, capsys)
    assert read_markdown((repo / "PROJECT_CONTEXT.md").read_text()).duration.endswith(" min since midnight")
    ended(repo, capsys)
    assert read_markdown((repo / "PROJECT_CONTEXT.md").read_text()).duration.endswith(" min since midnight")
    now = datetime.now(UTC)
    write_record(find_repository(repo), DayRecord(now - timedelta(hours=34), now - timedelta(hours=25)))
    ended(repo, capsys)
    assert read_markdown((repo / "PROJECT_CONTEXT.md").read_text()).duration.endswith(" min since midnight")
    write_record(find_repository(repo), DayRecord(datetime.now(UTC) - timedelta(minutes=15)))
    ended(repo, capsys)
    assert read_markdown((repo / "PROJECT_CONTEXT.md").read_text()).duration == "15 min"


def test_a_day_of_very_many_commits_leaves_a_context_that_can_be_read(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = "".join(
        f"commit refs/heads/main\ncommitter Ada <ada@example.invalid> {int(time.time()) - 200 + number} +0000\n"
        f"data {len(f'step {number}')}\nstep {number}\n" + ("from refs/heads/main^0\n" if not number else "")
        for number in range(130)
    )
    subprocess.run(["git", "fast-import", "--quiet"], cwd=repo, input=made.encode(), check=True)
    write_record(find_repository(repo), DayRecord(datetime.now(UTC) - timedelta(minutes=15)))
    found = ended(repo, capsys)
    completed = json.loads((repo / ".claude" / "context.json").read_text())["completed_tasks"]
    assert (len(completed), completed[0], completed[-1]) == (100, "step 30", "step 129")
    assert "30 earlier commits of the session are not listed" in found["report"]


def test_a_planted_secret_fails_the_end_after_everything_is_saved(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repo / "settings.py").write_text(f'KEY = "{AWS}"\n')
    assert main(["--repo", str(repo), "end-day"]) == 1
    out = capsys.readouterr().out
    assert "sweep: fail, blocks commit and push" in out and AWS not in out
    assert (repo / "PROJECT_CONTEXT.md").exists()
    archive = next(backup_folder(find_repository(repo)).glob("*.tar.gz"))
    with tarfile.open(archive) as held:
        assert {"PROJECT_CONTEXT.md", "TASK.md", ".claude/context.json"} <= set(held.getnames())


def test_a_dry_run_writes_nothing_at_all(repo: Path, own_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--repo", str(repo), "start-day"])
    capsys.readouterr()
    before = everything(repo, own_home)
    found = ended(repo, capsys, "--dry-run")
    assert everything(repo, own_home) == before
    assert found["files"] == [] and found["steps"][0]["status"] == "pass"


def test_what_was_there_before_is_in_the_backup(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = "# Project Context\n\n## Decisions Made\n\n- Rows, not schemas\n\n## Mine\n\nKeep *this*.\n"
    (repo / "PROJECT_CONTEXT.md").write_text(old)
    ended(repo, capsys)
    text = (repo / "PROJECT_CONTEXT.md").read_text()
    assert "## Mine\n\nKeep *this*.\n" in text and read_markdown(text).decisions == ("Rows, not schemas",)
    with tarfile.open(next(backup_folder(find_repository(repo)).glob("*.tar.gz"))) as held:
        stream = held.extractfile("previous/PROJECT_CONTEXT.md")
        assert stream is not None and stream.read().decode() == old


def test_a_context_that_is_no_json_is_kept_aside(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / ".claude").mkdir()
    (repo / ".claude" / "context.json").write_text("{broken")
    found = ended(repo, capsys)
    aside = [name for name in found["files"] if ".broken-" in name]
    assert len(aside) == 1 and (repo / aside[0]).read_text() == "{broken"
    assert "kept aside" in found["report"] and json.loads((repo / ".claude" / "context.json").read_text())


def test_a_context_larger_than_is_read_stays_as_it_is(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "# Notes\n" + "x" * 80 * 50_001
    (repo / "PROJECT_CONTEXT.md").write_text(text)
    assert main(["--repo", str(repo), "end-day"]) == 2
    assert "larger than 4 MB" in capsys.readouterr().err
    assert (repo / "PROJECT_CONTEXT.md").read_text() == text


@pytest.mark.parametrize("cut", ["\f", "\x0b", "\x85", "\u2028"])
def test_a_subject_and_a_task_may_hold_what_python_takes_for_a_line_end(
    repo: Path, cut: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (repo / "TASK.md").write_text(f"- [ ] Pagination{cut}author-time none\n")
    commit(repo, f"Mend the{cut}feed")
    assert main(["--repo", str(repo), "start-day"]) == 0
    assert "Mend the" in capsys.readouterr().out
    commit(repo, f"Add{cut}more")
    assert any("more" in text for text in ended(repo, capsys)["context"]["completed_tasks"])


def test_a_second_end_at_the_same_time_says_so(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with one_end_at_a_time(find_repository(repo)):
        assert main(["--repo", str(repo), "end-day"]) == 2
    assert "another end of day" in capsys.readouterr().err
    assert not (repo / "PROJECT_CONTEXT.md").exists()


def test_a_second_end_of_the_same_day_adds_to_the_first(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--repo", str(repo), "start-day"])
    commit(repo, "First thing")
    capsys.readouterr()
    ended(repo, capsys)
    commit(repo, "Second thing")
    assert ended(repo, capsys)["context"]["completed_tasks"][:2] == ["First thing", "Second thing"]


@pytest.mark.parametrize("what", ["unborn", "no author", "no remote, detached"])
def test_the_day_ends_whatever_git_is_like(
    tmp_path: Path, repo: Path, what: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = repo
    if what == "unborn":
        root = tmp_path / "new"
        root.mkdir()
        git(root, "init", "-q")
    elif what == "no author":
        for role in ("AUTHOR", "COMMITTER"):
            for name in ("NAME", "EMAIL"):
                monkeypatch.delenv(f"GIT_{role}_{name}")
    else:
        git(root, "checkout", "-q", "--detach")
    assert ended(root, capsys)["steps"][0]["status"] == "pass"


def test_a_full_disk_leaves_the_old_files_and_says_so(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repo / "PROJECT_CONTEXT.md").write_text("## Blockers\n\n- one\n")
    repository = find_repository(repo)
    draft = read_draft(repository, Config())

    monkeypatch.setattr(finish, "write_atomically", no_space)
    monkeypatch.setattr(backups, "write_atomically", no_space)
    result = EndDay(repository, Config(), draft).run()
    statuses = {step.step: step.status for step in result.steps}
    assert (statuses["context"], statuses["backup"], statuses["verify-backup"]) == ("fail", "fail", "not_run")
    assert "No space left" in end_text(result.report) and result.exit_code == 1
    assert (repo / "PROJECT_CONTEXT.md").read_text() == "## Blockers\n\n- one\n"


def test_backups_are_compared_and_kept_for_a_week_and_at_least_three(repo: Path) -> None:
    repository = find_repository(repo)
    now = datetime(2026, 11, 20, 18, tzinfo=UTC)
    for days in (30, 20, 10, 9):
        write_backup(repository, {"a": b"1"}, now - timedelta(days=days))
    path = write_backup(repository, {"a": b"1"}, now)
    assert write_backup(repository, {"a": b"1"}, now) != path
    assert verify_backup(path, {"a": b"1"}) == "" and "does not hold" in verify_backup(path, {"a": b"2"})
    strange = path.with_name("context_99999999_999999.tar.gz")
    strange.write_bytes(b"no archive of ours")
    gone = prune_backups(path.parent, now)
    assert strange.read_bytes() == b"no archive of ours"
    strange.unlink()
    assert len(gone) == 3 and len(list(path.parent.glob("*.tar.gz"))) == 3
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])
    assert "cannot be opened" in verify_backup(path, {"a": b"1"})


def test_another_repository_of_the_same_name_keeps_its_backups(repo: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / "repo"
    other.mkdir(parents=True)
    git(other, "init", "-q")
    write_backup(find_repository(repo), {"a": b"1"}, datetime.now(UTC))
    assert backup_folder(find_repository(other)) != backup_folder(find_repository(repo))


def test_to_dos_of_agents_and_corrections_are_read_from_transcripts(repo: Path, own_home: Path) -> None:
    def assistant(*parts: dict) -> dict:
        return {"type": "assistant", "message": {"id": "m", "role": "assistant", "content": list(parts)}}

    def user(content: object) -> dict:
        return {"type": "user", "message": {"role": "user", "content": content}}

    lines = [user(f"Never write password = '{AWS}' into a test")]
    todos = [{"content": "Filters", "status": "completed"}, {"content": "Docs", "status": "pending"}]
    lines.append(assistant({"type": "tool_use", "id": "t1", "name": "TodoWrite", "input": {"todos": todos}}))
    lines.append(assistant({"type": "tool_use", "id": "t2", "name": "TaskCreate", "input": {"subject": "Roles"}}))
    change = {"taskId": "1", "status": "completed"}
    lines.append(assistant({"type": "tool_use", "id": "t3", "name": "TaskUpdate", "input": change}))
    for number in range(3):
        lines.append(
            assistant({"type": "tool_use", "id": f"b{number}", "name": "Bash", "input": {"command": "make it"}})
        )
        lines.append(user([{"type": "tool_result", "tool_use_id": f"b{number}", "is_error": True, "content": "no"}]))
    place = own_home / "claude" / "projects" / "-p" / "s.jsonl"
    place.parent.mkdir(parents=True)
    stamp = {"timestamp": datetime.now(UTC).isoformat(), "cwd": str(repo), "sessionId": "s"}
    place.write_text("".join(json.dumps({**stamp, **line}) + "\n" for line in lines) + "{torn")
    talk = read_talk(find_repository(repo), datetime.now(UTC) - timedelta(hours=1))
    assert talk.completed == ["Roles", "Filters"] and talk.failures == {"make it": 3}
    assert len(talk.corrections) == 1 and AWS not in talk.corrections[0]
    found = from_talk(talk.corrections, talk.failures.items())
    assert [one.kind for one in found] == ["patterns", "mistakes"]


def test_learnings_are_proposed_once_and_kept_only_when_asked(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commit(repo, "Fix the login that crashed\n\nDecision: sessions expire after an hour")
    ended(repo, capsys)
    written = [name for name in ("docs", "CLAUDE.md") if (repo / name).exists()]
    first, second = candidates(find_repository(repo))
    run = ["--repo", str(repo), "learnings"]
    codes = main([*run, "keep", first.id[:6]]), main([*run, "drop", second.id])
    texts = [one.text for _, rows in kept(repo) for one in rows]
    capsys.readouterr()
    ended(repo, capsys)

    assert written == []
    assert {first.kind, second.kind} == {"decisions", "mistakes"}
    assert codes == (0, 0) and texts == [first.text]
    assert candidates(find_repository(repo)) == ()


def test_what_was_kept_is_promoted_only_when_asked(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commit(repo, "Fix the login that crashed\n\nDecision: sessions expire after an hour")
    ended(repo, capsys)
    first = candidates(find_repository(repo))[0]
    run = ["--repo", str(repo), "learnings"]
    assert main([*run, "keep", first.id[:6]]) == 0
    capsys.readouterr()

    code = main([*run, "promote", first.id])

    assert code == 0 and not (repo / "CLAUDE.md").exists()
    assert first.text in capsys.readouterr().out
    assert main([*run, "promote", first.id, "--write"]) == 0
    assert first.text in (repo / "CLAUDE.md").read_text()
    assert kept(repo)[0][1][0].promoted and main([*run, "keep", "nonsense"]) == 2


words = st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=1, max_size=20)


@given(st.lists(st.builds(Learning, st.sampled_from(KINDS), words.map(lambda text: f"a{text}z")), max_size=6))
def test_learnings_are_read_as_they_were_written(rows: list[Learning]) -> None:
    distinct = list({one.id: one for one in rows}.values())
    text = added("", distinct, "2026-11-20")
    assert {one.id for one in read_file(text)} == {one.id for one in distinct}
    assert added(text, distinct, "2026-11-20") == text
    marked = marked_promoted(text, [one.id for one in distinct])
    assert (
        all(one.promoted for one in read_file(marked)) and marked_promoted(marked, [one.id for one in rows]) == marked
    )


def test_a_persons_claude_file_keeps_every_line() -> None:
    before = "# Rules\n\nBe brief.\n\n## Learnings\n\n- one\n\n## After\n\nx\n"
    after = promoted(before, [Learning("patterns", "two"), Learning("patterns", "one")])
    assert after == before.replace("- one\n", "- one\n- two\n")
    assert from_commits([("1", "Tidy", "")]) == ()
    key = "AKIA" + "Q3EGRZ5LXKJ7TP2M"
    assert without_secrets(f"curl {key} password='hunter22x'") == "curl AKIA… password='hun…'"


def test_a_writer_that_was_killed_leaves_nothing_for_long(tmp_path: Path) -> None:
    from cockpit.files import clear_leftovers

    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    path = tmp_path / "file.json"
    left = tmp_path / f".file.json.{dead.pid}-0123456789ab.tmp"
    mine = tmp_path / f".file.json.{os.getpid()}-0123456789ab.tmp"
    other = tmp_path / ".file.json.notes.tmp"
    for one in (left, mine, other):
        one.write_text("x")
    clear_leftovers(path)
    assert (left.exists(), mine.exists(), other.exists()) == (False, True, True)

"""Sessions of a repository: which belong to it, in which state they are, in which order, once and live."""

import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cockpit.agents.registry import process_lives, read_registry
from cockpit.phases.feed import with_dollars
from cockpit.phases.store import read_sessions
from cockpit.repository import Repository
from skills.spending.amount import Amount
from tests.unit.claude_lines import text
from tests.unit.session_places import NOW, dead_pid, git, made, only, register, talk_at

# ---- the state, from the transcript alone


def test_a_call_without_a_result_is_busy(claude: Path, repository: Repository) -> None:
    talk = talk_at(repository, 5)
    talk.says(talk.call("Bash", command="sleep 500"), stop="tool_use")
    talk.write(claude)
    session = only(repository)

    assert (session.state, session.waiting_for) == ("busy", None)
    assert session.evidence == "transcript: Bash has no result yet"
    assert session.since == NOW - timedelta(minutes=5) + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("tool", "arguments", "waits"),
    [
        ("AskUserQuestion", {"questions": [{"question": "Which field?"}]}, "Which field?"),
        ("ExitPlanMode", {"plan": "first this"}, "approve the plan?"),
    ],
)
def test_a_question_without_an_answer_waits(
    claude: Path, repository: Repository, tool: str, arguments: dict[str, Any], waits: str
) -> None:
    talk = talk_at(repository, 5)
    talk.says(talk.call(tool, **arguments), stop="tool_use")
    talk.write(claude)

    assert (only(repository).state, only(repository).waiting_for) == ("waiting", waits)


def test_the_end_of_a_turn_is_idle_since_then(claude: Path, repository: Repository) -> None:
    talk = talk_at(repository, 5)
    talk.ends()
    talk.write(claude)
    session = only(repository)

    assert (session.state, session.since, session.evidence) == ("idle", talk.at, "transcript: the turn ended")


def test_an_interruption_is_idle(claude: Path, repository: Repository) -> None:
    talk = talk_at(repository, 5)
    talk.says(talk.call("Bash", command="sleep 500"), stop="tool_use")
    talk.prompt([text("[Request interrupted by user]")])
    talk.write(claude)

    assert (only(repository).state, only(repository).evidence) == ("idle", "transcript: the turn was interrupted")


def test_nothing_for_half_an_hour_is_idle_and_for_a_day_is_ended(claude: Path, repository: Repository) -> None:
    talk_at(repository, 45, "quiet").write(claude)
    talk_at(repository, 3000, "old").write(claude)

    assert [one.session for one in read_sessions(repository).sessions] == ["quiet"]
    far = read_sessions(repository, since=NOW - timedelta(days=9)).sessions
    assert [(one.session, one.state) for one in far] == [("quiet", "idle"), ("old", "ended")]
    assert far[1].evidence == "transcript: nothing for 2 days"


def test_a_program_that_wrote_its_cost_was_left(claude: Path, repository: Repository) -> None:
    talk = talk_at(repository, 5)
    talk.ends()
    path = talk.write(claude)
    with path.open("ab") as stream:
        stream.write(b'{"type":"cost-state","sessionId":"5e55","totalCostUSD":1}\n')

    assert only(repository).state == "ended"


# ---- the registry


def test_the_registry_says_more_than_the_transcript(claude: Path, repository: Repository) -> None:
    talk = talk_at(repository, 5)
    talk.says(talk.call("Bash", command="git push"), stop="tool_use")
    talk.write(claude)
    changed = int((NOW - timedelta(minutes=3)).timestamp() * 1000)
    register(claude, "5e55", os.getpid(), status="waiting", waitingFor="permission prompt", statusUpdatedAt=changed)
    session = only(repository)

    assert (session.state, session.waiting_for) == ("waiting", 'run "git push"?')
    assert session.since == NOW - timedelta(minutes=3)
    assert session.evidence == f"session registry: waiting, process {os.getpid()}"
    assert session.pid == os.getpid()


def test_the_registrys_own_words_are_kept_where_they_say_something(claude: Path, repository: Repository) -> None:
    talk_at(repository, 5).write(claude)
    register(claude, "5e55", os.getpid(), status="waiting", waitingFor="which \x1b[31mfield?")

    assert only(repository).waiting_for == "which field?"


@pytest.mark.parametrize(("status", "state"), [("busy", "busy"), ("shell", "busy"), ("idle", "idle"), ("odd", "busy")])
def test_states_of_the_registry(claude: Path, repository: Repository, status: str, state: str) -> None:
    talk = talk_at(repository, 1)
    talk.says(talk.call("Read", file_path="a.py"), stop="tool_use")
    talk.write(claude)
    register(claude, "5e55", os.getpid(), status=status)

    assert only(repository).state == state


def test_a_process_that_is_gone_has_ended(claude: Path, repository: Repository) -> None:
    talk_at(repository, 1).write(claude)
    pid = dead_pid()
    register(claude, "5e55", pid, status="busy")

    assert (only(repository).state, only(repository).evidence) == ("ended", f"session registry: process {pid} is gone")
    assert only(repository).pid is None


def test_a_process_id_that_was_used_again_is_another_process() -> None:
    ticks = Path(f"/proc/{os.getpid()}/stat").read_text().rpartition(")")[2].split()[19]

    assert process_lives(os.getpid(), ticks)
    assert not process_lives(os.getpid(), str(int(ticks) + 1))
    assert process_lives(os.getpid(), "Fri Nov 20 09:00:00 2026")
    assert not process_lives(dead_pid())


def test_where_a_registry_is_kept_a_quiet_session_without_a_process_has_ended(
    claude: Path, repository: Repository
) -> None:
    talk_at(repository, 45, "quiet").write(claude)
    talk_at(repository, 1, "new").write(claude)
    register(claude, "another", os.getpid(), status="idle", cwd="/elsewhere")

    assert {one.session: one.state for one in read_sessions(repository).sessions} == {
        "new": "busy",
        "quiet": "ended",
    }


def test_a_session_without_a_transcript_is_shown_while_it_lives(claude: Path, repository: Repository) -> None:
    register(claude, "fresh", os.getpid(), status="idle", cwd=str(repository.root))
    session = only(repository)

    assert (session.session, session.state, session.context) == ("fresh", "idle", None)
    assert [phase.status for phase in session.phases] == ["pending"] * 6


def test_an_old_session_is_shown_while_it_lives(claude: Path, repository: Repository) -> None:
    path = talk_at(repository, 5000).write(claude)
    os.utime(path, (0, 0))
    register(claude, "5e55", os.getpid(), status="idle")

    assert only(repository).state == "idle"


def test_odd_registry_files_are_passed_over_and_keys_never_read(claude: Path) -> None:
    folder = claude / "sessions"
    folder.mkdir()
    for name, content in (
        ("1.json", b"{"),
        ("2.json", b"[]"),
        ("3.json", b'{"sessionId":5}'),
        ("4.json", b"\xff" * 100_000),
        ("x.json", b'{"sessionId":"x"}'),
        ("5.key", b'{"sessionId":"secret"}'),
        ("6.json", b'{"sessionId":"six","status":["busy"],"statusUpdatedAt":1e400,"waitingFor":{}}'),
    ):
        (folder / name).write_bytes(content)
    (folder / "5.key").chmod(0)
    (folder / "7.json").mkdir()
    found = read_registry([claude])

    assert list(found) == ["six"]
    assert (found["six"].status, found["six"].status_since, found["six"].waiting_for) == (None, None, None)


def test_of_two_processes_of_a_session_the_living_one_counts(claude: Path) -> None:
    register(claude, "s", dead_pid(), status="waiting")
    register(claude, "s", os.getpid(), status="idle")

    assert read_registry([claude])["s"].pid == os.getpid()


# ---- which sessions


def test_worktrees_count_and_other_repositories_do_not(claude: Path, repository: Repository, tmp_path: Path) -> None:
    git(repository.root, "worktree", "add", "-q", "-b", "feature/api", str(tmp_path / "far" / "api"))
    made(tmp_path / "other")
    made(repository.root / "vendored")
    (repository.root / "src").mkdir()
    places = {
        "main": repository.root,
        "below": repository.root / "src",
        "worktree": tmp_path / "far" / "api",
        "gone": repository.root / "no" / "more",
        "other": tmp_path / "other",
        "nested": repository.root / "vendored",
        "nowhere": tmp_path,
        "beside": tmp_path / "acme-two",
    }
    for name, place in places.items():
        talk_at(repository, 1, name, place).write(claude, slug="-one-slug")

    assert {one.session for one in read_sessions(repository).sessions} == {
        "main",
        "below",
        "worktree",
        "gone",
    }
    assert len(read_sessions(repository, all_repos=True).sessions) == len(places)


def test_the_folder_is_read_from_the_lines_wherever_it_first_stands(claude: Path, repository: Repository) -> None:
    talk = talk_at(repository, 1)
    talk.lines = [{"type": "file-history-snapshot", "snapshot": {"x": "y" * 300_000}}, *talk.lines]
    talk.write(claude)

    assert only(repository).cwd == str(repository.root)


def test_sub_agents_are_counted_and_are_no_sessions(claude: Path, repository: Repository) -> None:
    path = talk_at(repository, 1).write(claude)
    helpers = path.with_suffix("") / "subagents"
    (helpers / "workflows" / "wf_1").mkdir(parents=True)
    for place in ("agent-a.jsonl", "agent-a.meta.json", "agent-b.jsonl", "workflows/wf_1/agent-c.jsonl"):
        (helpers / place).write_text("{}\n")
        os.utime(helpers / place, (NOW.timestamp() - (500 if "b" in place else 5),) * 2)
    session = only(repository)

    assert (session.subagents, session.subagents_active) == (3, 2)
    assert session.last_event_at == NOW - timedelta(seconds=5)


def test_those_that_need_a_person_come_first(claude: Path, repository: Repository) -> None:
    for name, minutes in (("a-idle", 1.0), ("b-idle", 3.0)):
        talk = talk_at(repository, minutes, name)
        talk.ends()
        talk.write(claude)
    for name, minutes, tool in (
        ("busy", 9.0, "Bash"),
        ("late", 20.0, "AskUserQuestion"),
        ("early", 2.0, "ExitPlanMode"),
    ):
        talk = talk_at(repository, minutes, name)
        talk.says(talk.call(tool, command="x"), stop="tool_use")
        talk.write(claude)

    order = [one.session for one in read_sessions(repository).sessions]
    assert order == ["early", "late", "busy", "a-idle", "b-idle"]


def test_two_hundred_sessions_and_unreadable_ones(claude: Path, repository: Repository) -> None:
    for number in range(200):
        talk_at(repository, 1 + number, f"s{number:03}").write(claude, slug=f"-p{number % 7}")
    (claude / "projects" / "-p0" / "broken.jsonl").symlink_to(claude / "nowhere")
    (claude / "projects" / "-p0" / "folder.jsonl").mkdir()
    snapshot = read_sessions(repository)

    assert len(snapshot.sessions) == 200
    assert snapshot.problems == ()


def test_no_roots_at_all_is_no_session(repository: Repository, own_home: Path) -> None:
    (own_home / "claude").rmdir()

    assert read_sessions(repository).sessions == ()


def test_broken_lines_are_told(claude: Path, repository: Repository) -> None:
    path = talk_at(repository, 1).write(claude)
    with path.open("ab") as stream:
        stream.write(b"nonsense\n")

    assert read_sessions(repository).problems == ("5e55: 1 line could not be read",)


@pytest.mark.skipif(os.geteuid() == 0 and shutil.which("setpriv") is None, reason="root may read everything")
def test_a_transcript_that_may_not_be_read_is_told_whosever_it_is(claude: Path, repository: Repository) -> None:
    path = talk_at(repository, 1).write(claude)
    path.chmod(0)
    unprivileged = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    words = [*unprivileged, sys.executable, "-m", "cockpit", "--repo", str(repository.root), "sessions"]
    answered = subprocess.run(words, capture_output=True, text=True, check=True)
    assert f"{path.name[:8]}: Permission denied" in answered.stderr


def test_context_says_where_its_window_comes_from(claude: Path, repository: Repository) -> None:
    talk = talk_at(repository, 1)
    talk.says(text("x"), used=174_999, model="claude-sonnet-4-5")
    talk.write(claude)
    context = only(repository).context

    assert context is not None
    assert (context.used, context.window, context.level) == (174_999, 200_000, "warn")
    assert f"{context.percent:.0f}" == "87"  # of 87.4995: to a tenth first, it would be 88
    assert context.window_source == "the model's window (genai-prices)"


def test_dollars_are_joined_and_unknown_ones_stay_unknown(claude: Path, repository: Repository) -> None:
    talk_at(repository, 1, "a").write(claude)
    talk_at(repository, 2, "b").write(claude)
    joined = with_dollars(read_sessions(repository), {"a": Amount(1.25, floor=True)})

    told = [(one.session, one.usd, one.floor) for one in joined.sessions]
    assert told == [("a", 1.25, True), ("b", None, False)]

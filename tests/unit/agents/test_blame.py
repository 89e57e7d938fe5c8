"""Which session, prompt and step brought a line: by the edits of every agent, else by the commit, else said so."""

import json
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.agents.tool_names import Edit, common_call, edits_of
from cockpit.cli import main
from cockpit.clock import now
from cockpit.phases.edits import EditIndex
from cockpit.repository import find_repository
from skills.orchestrator.introduced import Change, introduced_by
from tests.git import git
from tests.unit.agent_lines import PROMPT, write_codex, write_gemini, write_opencode
from tests.unit.agents.test_transcript import claude_session
from tests.unit.claude_lines import Talk

NOW = "2026-11-20T10:00:00+00:00"
SOURCE = "def users():\n    return listed_users()\n\n\ndef untouched():\n    return 1\n"
WRITERS = {
    "claude": claude_session,
    "codex": lambda home, cwd: write_codex(home, cwd)[1],
    "gemini": lambda home, cwd: write_gemini(home, cwd)[1],
    "opencode": lambda home, cwd: write_opencode(home, cwd)[1],
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COCKPIT_NOW", NOW)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    folder = tmp_path / "repo"
    (folder / "app").mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    (folder / "app" / "views.py").write_text(SOURCE)
    return folder


def blame(root: Path, place: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, object]]:
    code = main(["blame", "--json", "--repo", str(root), place])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("agent", WRITERS)
def test_the_step_of_every_agent_is_found(
    agent: str, root: Path, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session = WRITERS[agent](own_home, str(root))
    code, found = blame(root, "app/views.py:2", capsys)
    assert code == 0 and found["basis"] == "edit" and found["sure"] is True
    assert (found["agent"], found["session"], found["prompt"]) == (agent, session, PROMPT)
    assert isinstance(found["usd"], float) and found["usd"] > 0 and found["tokens"] and found["calls"] == 1
    assert found["cost_basis"] == "computed" and isinstance(found["transcript_line"], int)
    code, found = blame(root, "app/views.py:6", capsys)
    assert code == 1 and found["basis"] == "none" and "not found in any transcript" in str(found["why"])


def test_who_asks_while_another_thread_reads_waits_for_all_of_it(root: Path, own_home: Path) -> None:
    claude_session(own_home, str(root))
    seen: list[int] = []
    asking = threading.Thread(target=lambda: seen.append(len(index.of_file("app/views.py", root=root))))

    def cost(record: object) -> None:
        """Called in the middle of a reading."""
        if asking.ident is None:
            asking.start()
            asking.join(0.3)

    index = EditIndex(find_repository(root), cost)
    index.refresh(now())
    asking.join()
    assert seen == [1]


def edit(talk: Talk, root: Path, old: str, new: str, *, failed: bool = False) -> None:
    talk.does("Edit", "ok", failed=failed, file_path=f"{root}/app/views.py", old_string=old, new_string=new)


def test_the_edit_that_brought_it_counts_and_not_one_that_only_had_it(
    root: Path, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = Talk("first", str(root))
    first.prompt("write it")
    edit(first, root, "pass", "    return listed_users()")
    edit(first, root, "x", "    return listed_users()  # never", failed=True)
    first.prompt("only the line above")
    edit(first, root, "a\n    return listed_users()", "def users():\n    return listed_users()")
    first.write(own_home / "claude")
    other = Talk("other", str(root.parent / "elsewhere"), at=first.at)
    other.prompt("not here")
    edit(other, root.parent / "elsewhere", "", "    return listed_users()")
    other.write(own_home / "claude", slug="-other")
    _, found = blame(root, "app/views.py:2", capsys)
    assert (found["session"], found["prompt"]) == ("first", "write it")
    _, found = blame(root, "app/views.py:1", capsys)
    assert found["prompt"] == "only the line above"


def test_a_line_that_went_and_came_again_is_the_last_ones(
    root: Path, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    talk = Talk(cwd=str(root))
    talk.prompt("one")
    edit(talk, root, "pass", "return listed_users()")
    talk.prompt("two")
    edit(talk, root, "return listed_users()", "return None")
    talk.prompt("three")
    edit(talk, root, "return None", "return listed_users()")
    talk.write(own_home / "claude")
    assert blame(root, "app/views.py:2", capsys)[1]["prompt"] == "three"


def test_what_was_committed_before_or_stands_elsewhere_is_not_its_work(
    root: Path, own_home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-11-20T08:00:00Z")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "by hand, before")
    git(root, "worktree", "add", "-q", str(root.parent / "tree"), "-b", "side")
    talk = Talk(cwd=str(root.parent / "tree"))
    talk.prompt("write it again")
    edit(talk, root.parent / "tree", "pass", "    return listed_users()\n    return new()")
    talk.write(own_home / "claude")
    assert blame(root, "app/views.py:2", capsys)[1]["basis"] == "none"
    (root / "app" / "views.py").write_text(SOURCE + "    return new()\n")
    assert blame(root, "app/views.py:7", capsys)[1]["basis"] == "none"  # not committed, and written elsewhere
    (root.parent / "tree" / "app" / "views.py").write_text(SOURCE + "    return new()\n")
    assert blame(root.parent / "tree", "app/views.py:7", capsys)[1]["prompt"] == "write it again"


def test_a_commit_that_a_session_ran_is_the_fallback(
    root: Path, own_home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = Talk("committer", str(root), at=datetime(2026, 11, 20, 9, 0, tzinfo=UTC))
    talk.prompt("generate and commit")
    talk.does("Bash", command="./generate && git commit -qam done")
    talk.write(own_home / "claude")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-11-20T09:00:30Z")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "done")
    code, found = blame(root, "app/views.py:6", capsys)
    assert code == 0 and found["basis"] == "commit" and found["session"] == "committer" and found["sure"] is False
    assert found["usd"] is None and isinstance(found["commit"], dict) and found["commit"]["subject"] == "done"


def test_a_person_wrote_it(
    root: Path, own_home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-qm", "by hand")
    assert main(["blame", "--repo", str(root), "app/views.py:6"]) == 1
    said = capsys.readouterr().out
    assert "not found in any transcript" in said and "Ada Example" in said and "by hand" in said


@pytest.mark.parametrize(
    "place",
    ["app/views.py", "app/views.py:0", "app/views.py:x", "gone.py:1", "../x:1", "app/views.py:99", ":3", "app:1"],
)
def test_what_is_no_line_is_exit_2_in_one_line(place: str, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["blame", "--repo", str(root), place]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_patches_tell_each_hunk() -> None:
    hunks = ("*** Add File: new.py", "+a = 1", "*** Update File: old.py", "@@ one", "-b", "+c", " d", "@@ two", "+e")
    patch = "\n".join(("*** Begin Patch", *hunks, "*** End Patch"))
    name, given = common_call("shell", {"command": ["bash", "-lc", f"apply_patch <<'EOF'\n{patch}\nEOF"]})
    assert name == "Edit"
    assert list(edits_of(name, given)) == [
        Edit("new.py", None, "a = 1"), Edit("old.py", "b\nd", "c\nd"), Edit("old.py", "", "e"),
    ]  # fmt: skip


LINES = st.lists(st.sampled_from(["alpha = 1", "beta = 2", "return", ")", "gamma()", ""]), max_size=5).map("\n".join)


@given(st.sampled_from(["alpha = 1", ")", "gamma()"]), st.lists(st.tuples(LINES | st.none(), LINES), max_size=6))
def test_whoever_is_named_put_the_line_there(line: str, edits: list[tuple[str | None, str]]) -> None:
    changes = [Change(number, old, new) for number, (old, new) in enumerate(edits)]
    found = introduced_by(line, ["beta = 2"], changes)
    if found is not None:
        chosen = changes[found.key]
        assert line in chosen.new.split("\n")
        assert chosen.old is None or line not in chosen.old.split("\n")
        for one in changes[found.key + 1 :]:
            assert one.old is None or line not in one.old.split("\n") or line in one.new.split("\n")

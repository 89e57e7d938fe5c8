"""Clean, adopt, reconcile, sync, stale: what can go is said first, and other projects are never touched."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from cockpit.agents.models import SessionsSnapshot
from cockpit.cli import main
from cockpit.config import Config
from cockpit.errors import CannotAnswer
from cockpit.repository import find_repository
from cockpit.worktrees.feed import read_worktrees
from cockpit.worktrees.new import make_new
from cockpit.worktrees.progress import read_progress
from cockpit.worktrees.refused import Refused
from cockpit.worktrees.registry import changed_registry, new_entry, registry_path
from cockpit.worktrees.tidy import adopt, clean, plan_clean, reconcile
from cockpit.worktrees.undo import undo_last
from tests.unit.trees import commit, git, make_repository


def add(repo: Path, branch: str, *, merged: bool = False) -> Path:
    tree = make_new(find_repository(repo), Config(max_worktrees=99), branch).path
    if merged:
        commit(tree, f"{branch}.txt", "x\n")
        git(repo, "merge", "-q", "--no-ff", "-m", f"merge {branch}", branch)
    return tree


def entries() -> list[dict]:
    return json.loads(registry_path().read_text())["worktrees"]


def test_a_clean_says_first_and_does_only_what_is_safe(repo: Path) -> None:
    done, fresh, dirty = add(repo, "done", merged=True), add(repo, "fresh"), add(repo, "dirty", merged=True)
    (dirty / "new.txt").write_text("x")
    repository = find_repository(repo)
    plan = plan_clean(repository, Config())
    assert [(tree.branch, why) for tree, why in plan.remove] == [("done", "clean, merged")]
    assert {tree.branch: why for tree, why in plan.keep} == {
        "fresh": "new: no commits of its own yet",
        "dirty": "1 untracked",
    }
    assert done.exists()
    cleaned = clean(repository, Config())
    assert [thing.branch for thing in cleaned.removed] == ["done"]
    assert (done.exists(), fresh.exists(), dirty.exists()) == (False, True, True)
    undo_last(repository)
    assert done.exists()


def test_a_clean_of_nothing_says_so(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--repo", str(repo), "worktree", "clean"]) == 0
    assert capsys.readouterr().out == "there is no worktree but the main one, and nothing to forget\n"


def test_a_clean_keeps_where_a_process_works(repo: Path) -> None:
    done = add(repo, "done", merged=True)
    process = subprocess.Popen(["sleep", "60"], cwd=done)
    try:
        plan = plan_clean(find_repository(repo), Config())
    finally:
        process.kill()
        process.wait()
    assert plan.remove == ()
    assert "works there" in plan.keep[0][1]


def test_a_clean_forgets_entries_of_this_project_only(repo: Path, tmp_path: Path) -> None:
    other = make_repository(tmp_path / "other")
    with changed_registry() as registry:
        registry.add(new_entry("acme-api", repo, "gone", "gone", tmp_path / "gone", (8100, 8101)))
        registry.add(new_entry("other", other, "gone", "gone", tmp_path / "theirs", (8102, 8103)))
        registry.add(new_entry("nowhere", tmp_path / "nowhere", "x", "x", tmp_path / "x", (8104, 8105)))
    theirs = entries()[1:]
    repository = find_repository(repo)
    assert len(plan_clean(repository, Config()).forget) == 1
    assert clean(repository, Config()).forgotten == 1
    assert entries() == theirs
    assert json.loads(registry_path().read_text())["portPool"]["allocated"] == [8102, 8103, 8104, 8105]


def test_a_worktree_made_elsewhere_is_adopted_with_its_port(repo: Path, tmp_path: Path) -> None:
    git(repo, "worktree", "add", "-q", str(tmp_path / "own"), "-b", "own")
    (tmp_path / "own" / ".env").write_text("PORT=8110\n")
    repository = find_repository(repo)

    entry, new = adopt(repository, Config(), str(tmp_path / "own"), task="Mine")

    assert new
    assert (entry["branch"], entry["ports"], entry["task"]) == ("own", [8110, 8111], "Mine")
    assert git(repo, "config", "branch.own.cockpit-base") == "main"
    assert adopt(repository, Config(), "own") == (entry, False)


def test_neither_the_main_work_tree_nor_a_folder_of_no_worktree_is_adopted(repo: Path, tmp_path: Path) -> None:
    repository = find_repository(repo)

    for place, error, said in (
        (repo, Refused, "main work tree"),
        (tmp_path, CannotAnswer, "is no worktree of acme-api"),
    ):
        with pytest.raises(error, match=said):
            adopt(repository, Config(), str(place))


def test_reconcile_marks_what_is_gone_and_offers_what_is_not_registered(repo: Path, tmp_path: Path) -> None:
    tree, repository = add(repo, "feature/api"), find_repository(repo)
    git(repo, "worktree", "add", "-q", str(tmp_path / "own"), "-b", "own")
    with changed_registry() as registry:
        registry.add(new_entry("lost", tmp_path / "lost", "x", "x", tmp_path / "x", (8100, 8101)))
    lost = entries()[-1]
    shutil.move(tree, tmp_path / "away")
    found = reconcile(repository, Config())
    assert [(row.branch, row.status) for row in found.rows] == [("feature/api", "missing"), ("x", "orphaned")]
    assert [place.branch for place in found.unregistered] == ["own"]
    assert "feature/api: its folder is gone" in found.notes
    assert any("port 8100 is given out twice" in note for note in found.notes)
    assert entries()[-1] == lost
    shutil.move(tmp_path / "away", tree)
    git(tree, "checkout", "-q", "-b", "renamed")
    again = reconcile(repository, Config(), adopt_all=True)
    assert {"feature/api: its folder is back", "feature/api: holds renamed now"} <= set(again.notes)
    assert again.adopted == ("own",)
    assert again.unregistered == ()


def test_reconcile_mends_a_malformed_registry_and_says_so(repo: Path) -> None:
    add(repo, "feature/api")
    registry_path().write_text("not json")
    found = reconcile(find_repository(repo), Config())
    assert "malformed" in found.notes[0]
    assert [entry["branch"] for entry in entries()] == ["feature/api"]


def test_progress_reads_boxes_and_blockers(repo: Path) -> None:
    tree = add(repo, "feature/api")
    sheet = (tree / "WORKTREE_TASK.md").read_text()
    sheet = sheet.replace("## Blockers\n", "- [x] one\n- [ ] two\n- [ ] three\n\n## Blockers\n\n- the key is missing\n")
    (tree / "WORKTREE_TASK.md").write_text(sheet)
    commit(tree, "b.txt", "b\n")
    (tree / "c.txt").write_text("x")
    trees = read_worktrees(find_repository(repo), Config()).worktrees
    row = read_progress(trees, SessionsSnapshot())[str(tree)]
    assert (row.commits, row.changes, row.tests) == (1, 1, "not_run")
    assert (row.sheet.todos, row.sheet.done, row.sheet.total) == (33, 1, 3)
    assert row.blockers == ("the key is missing",)


def test_the_commands_answer_in_json(repo: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    add(repo, "done", merged=True)

    def answer(*words: str) -> tuple[int, dict]:
        code = main(["--repo", str(repo), "worktree", *words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    code, document = answer("clean")
    assert (code, document["applied"], document["remove"][0]["branch"]) == (0, False, "done")
    assert answer("sync")[1]["worktrees"][1]["commits"] == 0
    assert answer("list")[1]["worktrees"][1]["progress"]["tests"] == "not_run"
    assert answer("reconcile")[1]["entries"][0]["status"] == "merged"
    assert answer("stale") == (0, {"version": 1, "worktrees": [], "meta": {}})
    code, document = answer("clean", "--apply")
    assert (code, document["removed"]) == (0, ["done"])
    assert answer("trash")[1]["trash"][0]["branch"] == "done"
    assert answer("undo", "done")[1]["restored"]["branch"] == "done"
    assert answer("trash")[1]["trash"] == []


def test_a_commit_of_ten_minutes_ago_is_not_stale(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree = add(repo, "old")
    environment = {**os.environ, "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z"}
    words = ["git", "commit", "-q", "--allow-empty", "-m", "old"]
    subprocess.run(words, cwd=tree, env=environment, check=True)
    add(repo, "young")
    assert main(["--repo", str(repo), "worktree", "stale"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("old ")
    assert "archive or remove" in said or "review" in said
    assert "young" not in said

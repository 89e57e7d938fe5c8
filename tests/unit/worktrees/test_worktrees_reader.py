"""Worktrees of real repositories, in every state that git can leave them in."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cockpit.repository import find_repository
from cockpit.worktrees import measure
from cockpit.worktrees.cheap import read_cheap
from cockpit.worktrees.models import Counts
from cockpit.worktrees.reader import Reader
from tests.unit.trees import add, commit, git, read, row, squash


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "acme-api"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    commit(folder, "a.txt", "one\ntwo\nthree\n")
    return folder


def test_every_kind_of_change_is_counted(repo: Path) -> None:
    tree = add(repo, "api")
    commit(tree, "b.txt", "b\n")
    (tree / "a.txt").write_text("changed\n")
    (tree / "staged.txt").write_text("new\n")
    git(tree, "add", "staged.txt")
    (tree / "staged.txt").write_text("new, and changed again\n")
    git(tree, "mv", "b.txt", "renamed.txt")
    (tree / "one new").write_text("")
    (tree / "two new").write_text("")
    found = row(repo, "api")
    assert found.counts == Counts(staged=2, unstaged=2, untracked=2, conflicts=0)
    assert (found.branch, found.base, found.ahead, found.behind) == ("feature/api", "main", 1, 0)
    assert found.advice == "commit or stash"
    assert not found.safe_to_remove


def test_the_main_one_comes_first_and_its_folder_names_it(repo: Path) -> None:
    add(repo, "aaa")
    snapshot = read(repo)
    assert [(tree.name, tree.main) for tree in snapshot.worktrees] == [("acme-api", True), ("aaa", False)]
    assert snapshot.default_branch == "main"
    assert snapshot.worktrees[0].path == str(repo)


def test_the_same_is_seen_from_every_worktree(repo: Path) -> None:
    tree = add(repo, "api")
    assert [one.path for one in read(repo).worktrees] == [one.path for one in read(tree / ".").worktrees]


def everything_below(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Content of every file, and its time but for git's objects: meeting one again freshens it."""
    return {
        str(path.relative_to(folder)): (0 if "objects" in path.parts else path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_looking_leaves_no_trace_in_the_repository(repo: Path) -> None:
    tree = add(repo, "api")
    commit(tree, "a.txt", "theirs\n")
    commit(tree, "b.txt", "theirs\n")
    commit(repo, "a.txt", "ours\n")
    squashed = add(repo, "squashed")
    commit(squashed, "c.txt", "c")
    squash(repo, "feature/squashed")
    os.utime(tree / "b.txt", (1, 1))
    before = everything_below(repo.parent)
    assert [one.merged for one in read(repo).worktrees] == ["no", "no", "squash"]
    assert everything_below(repo.parent) == before


def test_a_conflict_in_a_rebase_is_shown_with_its_step(repo: Path) -> None:
    tree = add(repo, "api")
    commit(tree, "b.txt", "b")
    commit(tree, "a.txt", "theirs\n")
    commit(repo, "a.txt", "ours\n")
    git(tree, "rebase", "main", check=False)
    found = row(repo, "api")
    assert (found.operation, found.branch, found.rebasing) == ("rebase 2/2", None, "feature/api")
    assert found.counts == Counts(conflicts=1)
    assert found.advice == "resolve 1 conflict"
    assert not found.safe_to_remove


@pytest.mark.parametrize(
    ("command", "operation"),
    [
        (("merge", "other"), "merge"),
        (("cherry-pick", "other"), "cherry-pick"),
        (("revert", "--no-edit", "HEAD~1"), "revert"),
        (("rebase", "--apply", "other"), "rebase 1/2"),
    ],
)
def test_operations_that_stopped_half_way(repo: Path, command: tuple[str, ...], operation: str) -> None:
    git(repo, "branch", "other")
    tree = add(repo, "api")
    commit(tree, "a.txt", "mine\n")
    commit(tree, "a.txt", "mine again\n")
    git(repo, "switch", "-q", "other")
    commit(repo, "a.txt", "other\n")
    git(tree, *command, check=False)
    found = row(repo, "api")
    assert found.operation == operation
    assert found.advice.startswith(("resolve", "finish"))
    assert f"{operation} in progress" in found.why


def test_a_bisect_is_an_operation(repo: Path) -> None:
    git(repo, "bisect", "start")
    assert row(repo, "acme-api").operation == "bisect"


def test_a_bisect_that_has_left_its_branch_names_it(repo: Path) -> None:
    tree = add(repo, "api")
    for text in ("one\n", "two\n", "three\n", "four\n"):
        commit(tree, "a.txt", text)
    git(tree, "bisect", "start", "HEAD", "HEAD~3")
    found = row(repo, "api")
    assert found.branch is None and found.operation == "bisect"
    assert found.rebasing == found.label == git(tree, "rev-parse", "--abbrev-ref", "@{-1}").strip()


def test_a_detached_head_with_commits_of_its_own_is_kept(repo: Path) -> None:
    tree = add(repo, "spike", "--detach")
    assert row(repo, "spike").safe_to_remove
    head = commit(tree, "b.txt", "b")
    found = row(repo, "spike")
    assert (found.branch, found.head, found.unpushed) == (None, head, 1)
    assert not found.safe_to_remove
    git(tree, "branch", "keep")
    assert row(repo, "spike").safe_to_remove


def test_a_lock_is_shown_with_its_reason(repo: Path) -> None:
    tree = add(repo, "api")
    git(repo, "worktree", "lock", "--reason", "on a \x1b[31mstick", str(tree))
    found = row(repo, "api")
    assert found.locked
    assert found.lock_reason == "on a stick"
    assert found.why == "locked: on a stick"


def test_a_folder_deleted_by_hand_is_missing_and_the_rest_goes_on(repo: Path) -> None:
    shutil.rmtree(add(repo, "gone"))
    tree = add(repo, "here")
    (tree / "new").write_text("")
    gone, here = row(repo, "gone"), row(repo, "here")
    assert gone.missing
    assert gone.counts is None
    assert not gone.safe_to_remove
    assert here.counts == Counts(untracked=1)


def test_counts_work_before_the_first_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "trunk", "new")
    (tmp_path / "new" / "a").write_text("")
    git(tmp_path / "new", "add", "a")
    (found,) = read(tmp_path / "new").worktrees
    assert (found.branch, found.head, found.stale_days, found.ahead) == ("trunk", None, None, None)
    assert found.counts == Counts(staged=1)
    assert found.problem is None


def test_packed_refs_are_read(repo: Path) -> None:
    tree = add(repo, "api")
    head = commit(tree, "b.txt", "b")
    git(repo, "pack-refs", "--all")
    assert not (repo / ".git" / "refs" / "heads" / "feature").exists()
    found = row(repo, "api")
    assert (found.head, found.ahead) == (head, 1)


def test_a_worktree_inside_the_main_one_is_no_change_of_it(repo: Path) -> None:
    git(repo, "worktree", "add", "-q", ".worktrees/one", "-b", "one")
    git(repo, "worktree", "add", "-q", "two", "-b", "two")
    assert row(repo, "acme-api").counts == Counts()
    (repo / ".worktrees" / "notes.txt").write_text("mine")
    assert row(repo, "acme-api").counts == Counts(untracked=1)


def test_names_with_spaces_accents_and_escapes(repo: Path) -> None:
    place = repo.parent / "a b\x1b[31m\u202e[/x]\n☃"
    git(repo, "worktree", "add", "-q", str(place), "-b", "fix/ä@click]\u202e")
    (place / "né\x1b").write_text("")
    tree = next(one for one in read(repo).worktrees if not one.main)
    assert tree.path == str(place)
    assert tree.counts == Counts(untracked=1)
    for text in (tree.name, tree.branch, tree.why, tree.advice):
        assert text is not None
        assert not any(sign in text for sign in "\x1b\u202e\n")


def test_bytes_that_are_no_text_survive(repo: Path) -> None:
    place = Path(os.fsdecode(os.fsencode(repo.parent) + b"/caf\xe9"))
    git(repo, "worktree", "add", "-q", str(place), "-b", "latin")
    (place / os.fsdecode(b"\xff.txt")).write_text("")
    tree = next(one for one in read(repo).worktrees if not one.main)
    assert tree.counts == Counts(untracked=1)
    tree.name.encode("utf-8")


def test_worktrees_of_a_bare_repository(repo: Path) -> None:
    bare = repo.parent / "bare.git"
    git(repo.parent, "clone", "-q", "--bare", str(repo), str(bare))
    for name in ("main", "other"):
        more = () if name == "main" else ("-b", name)
        git(bare, "worktree", "add", "-q", str(repo.parent / "trees" / name), *more)
    snapshot = read(repo.parent / "trees" / "other")
    assert [tree.name for tree in snapshot.worktrees] == ["main", "other"]
    assert [tree.own_base for tree in snapshot.worktrees] == [True, False]
    assert not any(tree.main or tree.safe_to_remove for tree in snapshot.worktrees)
    assert all(tree.counts == Counts() for tree in snapshot.worktrees)


def test_days_are_counted_from_the_commit(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-03-01T12:00:00+0100")
    tree = add(repo, "api")
    commit(tree, "b.txt", "b")
    for moment, days in (("2026-03-01T11:10:00Z", 0), ("2026-03-31T10:59:59Z", 29), ("2026-03-31T11:00:00Z", 30)):
        monkeypatch.setenv("COCKPIT_NOW", moment)
        assert row(repo, "api").stale_days == days
    assert row(repo, "api").advice == "archive or remove"
    monkeypatch.setenv("COCKPIT_NOW", "2026-02-01T00:00:00Z")
    assert row(repo, "api").stale_days == 0


@pytest.mark.parametrize("damage", [b"", b"rubbish\n", b"ref: ../../etc/passwd\n", b"0" * 40 + b"\n"])
def test_a_damaged_worktree_is_a_problem_of_its_own_row(repo: Path, damage: bytes) -> None:
    add(repo, "bad")
    tree = add(repo, "good")
    commit(tree, "b.txt", "b")
    (repo / ".git" / "worktrees" / "bad" / "HEAD").write_bytes(damage)
    bad, good = row(repo, "bad"), row(repo, "good")
    assert bad.problem
    assert not bad.safe_to_remove
    assert good.problem is None
    assert (good.ahead, good.stale_days) == (1, 0)


def test_a_branch_that_points_nowhere_does_not_hide_the_others(repo: Path) -> None:
    add(repo, "bad")
    add(repo, "good")
    (repo / ".git" / "refs" / "heads" / "feature" / "bad").write_text("1" * 40 + "\n")
    bad, good = row(repo, "bad"), row(repo, "good")
    assert bad.problem
    assert good.problem is None
    assert good.committed_at is not None


def test_stage_one_knows_what_files_tell(repo: Path) -> None:
    tree = add(repo, "api")
    head = commit(tree, "b.txt", "b")
    cheap = read_cheap(find_repository(tree), None)
    assert [(place.branch, place.head) for place in cheap.places][1] == ("feature/api", head)
    assert cheap.places[0].main
    assert cheap.bases[0].name == "main"
    assert cheap.places[1].index is not None


Registry = Callable[[object], None]


@pytest.fixture
def registry(own_home: Path) -> Registry:
    def write(document: object) -> None:
        text = document if isinstance(document, str) else json.dumps(document)
        (own_home / "claude" / "worktree-registry.json").write_text(text)

    return write


def test_ports_come_from_the_registry(repo: Path, registry: Registry) -> None:
    tree, other = add(repo, "api"), add(repo, "other")
    registry(
        {
            "worktrees": [
                {"worktreePath": str(tree), "ports": [8100, 8101, "x", True, 99999999]},
                {"path": str(other), "ports": [{"service": "web", "port": 8102, "protocol": "http"}]},
                {"worktreePath": 5, "ports": None},
                "rubbish",
            ]
        }
    )
    assert row(repo, "api").ports == (8100, 8101)
    assert row(repo, "other").ports == (8102,)
    assert row(repo, "acme-api").ports == ()


def test_worktrees_made_from_one_commit_ask_git_once_whether_it_was_merged(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two", "three"):
        git(repo, "worktree", "add", "-q", "-b", name, str(tmp_path / name))
        (repo / ".git" / "logs" / "refs" / "heads" / name).unlink()  # nothing but the history can tell
    commit(repo, "later.txt", "x")
    asked: list[tuple[str, ...]] = []
    run = measure._run

    def counted(folder: Path | str, *args: str, **more: object) -> str:
        asked.append(args)
        return run(folder, *args, **more)

    monkeypatch.setattr(measure, "_run", counted)
    assert {row(repo, name).merged for name in ("one", "two", "three")} == {"no"}
    assert sum("--first-parent" in args for args in asked) == 1


@pytest.mark.parametrize("content", ["{", "[]", '{"worktrees": 5}', "[" * 100_000])
def test_a_malformed_registry_is_ignored_and_said(repo: Path, registry: Registry, content: str) -> None:
    registry(content)
    snapshot = read(repo)
    assert snapshot.worktrees[0].ports == ()
    assert "worktree-registry.json ignored" in snapshot.note


def test_status_is_asked_the_same_whatever_the_person_configured(repo: Path) -> None:
    git(repo, "config", "status.showUntrackedFiles", "no")
    (repo / "new").write_text("")
    assert row(repo, "acme-api").counts == Counts(untracked=1)


def test_no_program_named_in_the_repository_is_run(repo: Path) -> None:
    program = repo.parent / "monitor"
    program.write_text(f"#!/bin/sh\ntouch '{repo.parent}/was-run'\n")
    program.chmod(0o755)
    git(repo, "config", "core.fsmonitor", str(program))
    read(repo)
    assert not (repo.parent / "was-run").exists()


def test_without_room_for_git_to_compare_the_worktrees_are_still_told(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(add(repo, "work"), "new.py", "x = 1\n")

    def full(*_: object, **__: object) -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr("tempfile.mkdtemp", full)
    told = row(repo, "work")
    assert told.ahead == 1 and told.counts is not None and told.problem is None
    assert told.merged is None and not told.safe_to_remove


def test_what_another_thread_clears_meanwhile_is_told_all_the_same() -> None:
    class Cleared(dict[str, int]):
        def __setitem__(self, key: str, value: int) -> None:
            self.clear()

    store = Cleared()
    assert Reader._kept(store, "a", lambda: 7) == 7


def test_a_commit_of_a_year_that_no_calendar_has_hides_nothing(repo: Path) -> None:
    tree = git(repo, "rev-parse", "HEAD^{tree}").strip()
    person = "a <a@example.org> 9999999999999 +0000"
    text = f"tree {tree}\nauthor {person}\ncommitter {person}\n\nodd\n"
    (repo / ".git" / "odd").write_text(text)
    odd = git(repo, "hash-object", "-t", "commit", "-w", ".git/odd").strip()
    git(repo, "update-ref", "refs/heads/main", odd)
    found = read(repo).worktrees[0]
    assert found.head == odd and found.committed_at is None and found.counts is not None

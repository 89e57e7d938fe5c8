"""Cockpit beside other people's work: their git never meets a lock of ours, a full disk leaves nothing half done, and
two cockpits at once take turns.

`COCKPIT_COMMITS` says how many commits are made beside it (default 60).
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.unit.trees import commit, git, make_repository

HERE = Path(__file__).parents[2]
COMMITS = int(os.environ.get("COCKPIT_COMMITS", "60"))


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "acme")


def cockpit(
    repo: Path, *words: str, limit: int | None = None, before: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Run the command; `limit` is the most bytes that any file may grow to, as on a full disk, and `before` the words
    that run it.
    """
    start = "import runpy,sys;sys.argv[0]='cockpit';runpy.run_module('cockpit',run_name='__main__')"
    if limit is not None:
        start = f"import resource;resource.setrlimit(resource.RLIMIT_FSIZE,({limit},{limit}));{start}"
    return subprocess.run(
        [*before, sys.executable, "-c", start, "--repo", str(repo), "worktree", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=HERE,
    )


def entries(home: Path) -> list[dict]:
    path = home / "claude" / "worktree-registry.json"
    return json.loads(path.read_text())["worktrees"] if path.exists() else []


def test_commits_beside_a_running_cockpit_never_meet_a_lock(repo: Path, own_home: Path) -> None:
    assert cockpit(repo, "new", "one").returncode == 0
    assert cockpit(repo, "new", "two").returncode == 0
    trees = [repo, *(own_home / "tmp" / "worktrees" / "acme" / name for name in ("one", "two"))]
    words = [sys.executable, "-m", "cockpit", "--repo", str(repo), "watch", "--json"]
    with (own_home / "watch.txt").open("wb") as out:
        watching = subprocess.Popen(words, stdout=out, stderr=subprocess.STDOUT, cwd=HERE)
        try:
            for _ in range(200):
                if b'"worktree"' in (own_home / "watch.txt").read_bytes():
                    break
                time.sleep(0.1)
            failed = []
            for number in range(COMMITS):
                tree = trees[number % len(trees)]
                (tree / f"file{number % 10}.py").write_text(f"value = {number}\n")
                for step in (("add", "-A"), ("commit", "-q", "-m", str(number))):
                    done = subprocess.run(["git", *step], cwd=tree, capture_output=True, text=True, check=False)
                    if done.returncode:
                        failed.append(done.stderr)
            assert watching.poll() is None
        finally:
            watching.terminate()
            watching.wait()
    assert failed == []
    assert (own_home / "watch.txt").read_bytes().count(b"\n") > 3


@pytest.mark.parametrize("limit", [0, 40, 400, 4000])
def test_a_full_disk_leaves_nothing_half_made(repo: Path, own_home: Path, limit: int) -> None:
    commit(repo, "large.txt", "x" * 6000)
    refs = git(repo, "for-each-ref")
    done = cockpit(repo, "new", "feature/x", limit=limit)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    again = cockpit(repo, "list", "--json")
    assert [row["branch"] for row in json.loads(again.stdout)["worktrees"]] == ["main"]
    after = cockpit(repo, "reconcile")
    assert after.returncode == 0, after.stderr
    assert git(repo, "for-each-ref") == refs
    assert entries(own_home) == []
    assert not (own_home / "tmp" / "worktrees" / "acme" / "feature-x").exists()
    assert cockpit(repo, "new", "feature/x").returncode == 0


@pytest.mark.parametrize("limit", [0, 40, 300])
def test_a_full_disk_does_not_lose_what_is_removed(repo: Path, own_home: Path, limit: int) -> None:
    cockpit(repo, "new", "feature/x")
    tree = own_home / "tmp" / "worktrees" / "acme" / "feature-x"
    (tree / "new.txt").write_text("mine")
    done = cockpit(repo, "remove", "feature/x", "--force", limit=limit)
    assert done.returncode == 2
    assert (tree / "new.txt").read_text() == "mine"
    assert git(tree, "status", "--porcelain") == "?? new.txt"
    assert [entry["branch"] for entry in entries(own_home)] == ["feature/x"]
    assert cockpit(repo, "remove", "feature/x", "--force").returncode == 0
    assert cockpit(repo, "undo").returncode == 0
    assert (tree / "new.txt").read_text() == "mine"


def test_two_cockpits_at_once_take_turns(repo: Path, own_home: Path) -> None:
    words = [sys.executable, "-m", "cockpit", "--repo", str(repo), "worktree", "new"]
    running = [subprocess.Popen([*words, f"b{n}"], cwd=HERE, stdout=subprocess.DEVNULL) for n in range(3)]
    assert [process.wait() for process in running] == [0, 0, 0]
    ports = [port for entry in entries(own_home) for port in entry["ports"]]
    assert sorted(ports) == [8100, 8101, 8102, 8103, 8104, 8105]
    assert git(repo, "worktree", "list").count("\n") == 3


def test_a_read_only_repository_is_one_line(repo: Path, obeying: list[str]) -> None:
    (repo / ".git").chmod(0o555)
    try:
        done = cockpit(repo, "new", "feature/x", before=obeying)
    finally:
        (repo / ".git").chmod(0o755)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "cannot be written" in done.stderr


def test_a_bare_repository_with_worktrees_works(repo: Path, own_home: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(repo), "acme-bare.git")
    bare = tmp_path / "acme-bare.git"
    git(bare, "worktree", "add", "-q", str(tmp_path / "main"), "main")
    assert cockpit(tmp_path / "main", "new", "feature/x").returncode == 0
    done = cockpit(tmp_path / "main", "remove", "feature/x", "--force")
    assert done.returncode == 0, done.stderr
    assert cockpit(tmp_path / "main", "undo").returncode == 0
    assert "feature/x" in git(bare, "worktree", "list")

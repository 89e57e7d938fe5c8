"""`cockpit worktree list`, in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.git import git

KEYS = {
    *("name", "path", "branch", "head", "base", "ahead", "behind", "staged", "unstaged", "untracked", "conflicts"),
    *("ports", "merged", "stale_days", "operation", "locked", "agent", "advice", "safe_to_remove", "why"),
}


def cockpit(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cockpit", "--repo", str(folder), "worktree", *args],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "acme-api"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    git(folder, "commit", "-q", "--allow-empty", "-m", "start")
    git(folder, "worktree", "add", "-q", str(tmp_path / "a\x1b[31m[/x]\n\u202eb"), "-b", "feature/api")
    (tmp_path / "a\x1b[31m[/x]\n\u202eb" / "new").write_text("")
    return folder


def test_json_has_every_key_of_the_contract(repo: Path) -> None:
    done = cockpit(repo, "list", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert document["version"] == 1
    assert "meta" in document
    main, tree = document["worktrees"]
    assert set(main) >= KEYS
    assert (main["name"], main["path"], main["branch"], main["base"], main["ahead"]) == (
        "acme-api",
        str(repo),
        "main",
        None,
        None,
    )
    assert (tree["branch"], tree["base"], tree["ahead"], tree["untracked"]) == ("feature/api", "main", 0, 1)
    assert (tree["merged"], tree["agent"], tree["ports"], tree["safe_to_remove"]) == ("no", None, [], False)


def test_the_same_input_gives_the_same_bytes_but_for_meta(repo: Path) -> None:
    first, second = (json.loads(cockpit(repo, "list", "--json").stdout) for _ in range(2))
    assert {**first, "meta": 0} == {**second, "meta": 0}


def test_the_table_has_one_plain_line_a_worktree(repo: Path) -> None:
    done = cockpit(repo, "list")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout
    assert "commit or stash" in lines[1]
    assert lines[0].index("main") == lines[1].index("feature/api")


def test_not_a_repository_is_one_line_and_exit_2(tmp_path: Path) -> None:
    done = cockpit(tmp_path, "list")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "not in a git repository" in done.stderr


@pytest.mark.parametrize("words", [(), ("remove", "x"), ("list", "--jso")])
def test_what_is_not_offered_is_wrong_usage(repo: Path, words: tuple[str, ...]) -> None:
    done = cockpit(repo, *words)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_global_options_may_come_last(repo: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cockpit", "worktree", "list", "--json", "--repo", str(repo)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert json.loads(done.stdout)["worktrees"][0]["path"] == str(repo)

"""The command runner: read-only, in the folder that was asked for and in no other."""

import subprocess
from pathlib import Path

import pytest

from cockpit import git_command
from cockpit.errors import CannotAnswer
from cockpit.git_command import GitFailed, git, git_bytes


@pytest.fixture(autouse=True, params=[False, True], ids=["gitpython", "quickly"])
def both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git is started in two ways; nobody must be able to tell which."""
    monkeypatch.setattr(git_command, "_quick", request.param)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)
    return folder


def test_output_is_whole_and_bytes_that_are_no_text_survive(repo: Path) -> None:
    (repo / "caf\udce9").write_text("")
    assert git(repo, "status", "--porcelain", "-z") == "?? caf\udce9\0"
    assert git_bytes(repo, "status", "--porcelain", "-z") == b"?? caf\xe9\0"
    assert git(repo, "symbolic-ref", "HEAD") == "refs/heads/main\n"


def test_a_refusal_carries_status_and_first_line(repo: Path) -> None:
    with pytest.raises(GitFailed, match="git rev-parse: fatal: ") as caught:
        git(repo, "rev-parse", "--verify", "no-such-thing")
    assert caught.value.status == 128
    assert "\n" not in caught.value.line


def test_a_refusal_keeps_what_was_printed_all_the_same(repo: Path) -> None:
    (repo / "a").write_text("1\n")
    with pytest.raises(GitFailed) as caught:
        git(repo, "diff", "--no-index", "--name-only", "/dev/null", "a")
    assert caught.value.status == 1 and caught.value.out == b"a\n"


def test_a_folder_that_is_gone_is_never_answered_from_another(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo)
    for gone in (repo / "gone", repo / ".git" / "config"):
        with pytest.raises(GitFailed, match="not a folder"):
            git(gone, "status")


def test_what_a_hook_leaves_in_the_environment_is_ignored(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "init", "-q", "-b", "other", str(tmp_path / "other")], check=True)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "other" / ".git" / "index"))
    assert git(repo, "symbolic-ref", "HEAD") == "refs/heads/main\n"
    given = {"GIT_DIR": str(tmp_path / "other" / ".git")}
    assert git(repo, "symbolic-ref", "HEAD", environment=given) == "refs/heads/other\n"


@pytest.mark.parametrize("hooked", [False, True])
def test_without_git_it_says_so(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hooked: bool) -> None:
    git(repo, "version")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "env").symlink_to("/usr/bin/env")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    if hooked:
        monkeypatch.setenv("GIT_DIR", "somewhere")
    with pytest.raises(CannotAnswer, match="git was not found"):
        git(repo, "version")


def test_reading_never_writes_the_index(repo: Path) -> None:
    (repo / "a").write_text("a")
    subprocess.run(["git", "add", "a"], cwd=repo, check=True)
    (repo / "a").touch()
    before = (repo / ".git" / "index").stat().st_mtime_ns
    git(repo, "status")
    assert (repo / ".git" / "index").stat().st_mtime_ns == before


def test_what_takes_too_long_is_ended(repo: Path) -> None:
    with pytest.raises(GitFailed, match="no answer within"):
        git(repo, "-c", "alias.wait=!sleep 60", "wait", timeout=0.2)


class _Passing(list[git_command._Asked]):
    """A list that another thread empties between a look at it and what is taken from it."""

    def __bool__(self) -> bool:
        return True


def test_what_another_thread_took_is_asked_again(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("symbolic-ref", "HEAD")
    monkeypatch.setattr(git_command, "_ahead", {(str(repo), words): _Passing()})

    assert git(repo, *words) == "refs/heads/main\n"


def test_what_was_asked_ahead_is_taken_once_and_a_refusal_stays_one(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_command, "_quick", True)
    words, odd, gone = ("symbolic-ref", "HEAD"), ("rev-parse", "HEAD^9"), repo / "gone"
    git_command.ask_ahead([(str(repo), words), (str(gone), words), (str(repo), odd)])
    (repo / ".git" / "other").write_text("ref: refs/heads/other\n")
    (repo / ".git" / "other").replace(repo / ".git" / "HEAD")  # whole at once: git may read it now

    first, second = git(repo, *words), git(repo, *words)

    assert first in ("refs/heads/main\n", "refs/heads/other\n") and second == "refs/heads/other\n"
    for folder, asked, said in ((gone, words, "not a folder"), (repo, odd, "git rev-parse: fatal: ")):
        with pytest.raises(GitFailed, match=said):
            git(folder, *asked)
    assert not any(git_command._ahead.values())


def test_what_was_asked_ahead_twice_is_taken_twice(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git_command, "_quick", True)
    words = ("rev-parse", "--is-bare-repository")
    git_command.ask_ahead([(str(repo), ("symbolic-ref", "HEAD"))])
    git(repo, "symbolic-ref", "HEAD")

    git_command.ask_ahead([(str(repo), words)] * 2)

    assert len(git_command._ahead) == 1
    assert [git(repo, *words) for _ in range(3)] == ["false\n"] * 3

"""Trust: for a repository as it is, shared by its worktrees, taken back by a changed command."""

import json
import subprocess
from pathlib import Path

import pytest

from cockpit.cli import main
from cockpit.paths import state_dir
from cockpit.trust import NOT_TRUSTED, read_trust, revoke, trust

TABLE = '[tool.cockpit.checks.style]\ncommand = ["true"]\nparser = "mypy"\n'


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    root.mkdir()
    for words in (["init", "-q", "-b", "main"], ["commit", "-q", "--allow-empty", "-m", "start"]):
        subprocess.run(["git", *words], cwd=root, check=True, capture_output=True)
    (root / "pyproject.toml").write_text(TABLE)
    return root


def test_nobody_is_trusted_unasked(repo: Path) -> None:
    now = read_trust(repo, repo / ".git")
    assert (now.trusted, now.reason) == (False, NOT_TRUSTED)
    assert now.programs == (("pyproject.toml: checks.style", "true"),)


@pytest.mark.parametrize(
    "change",
    [
        TABLE.replace("true", "false"),
        TABLE + 'timeout = 3\n[tool.cockpit.checks.other]\ncommand = ["x"]\nparser = "mypy"\n',
        TABLE + '[tool.cockpit]\neditor = "evil"\n',
    ],
)
def test_a_changed_table_asks_again(repo: Path, change: str) -> None:
    assert trust(repo, repo / ".git").trusted
    (repo / "pyproject.toml").write_text(change)
    now = read_trust(repo, repo / ".git")
    assert not now.trusted and "changed since" in now.reason
    assert trust(repo, repo / ".git").trusted
    (repo / "pyproject.toml").write_text(TABLE)
    assert read_trust(repo, repo / ".git").trusted, "tables that were trusted before still are"


def test_other_changes_do_not(repo: Path) -> None:
    trust(repo, repo / ".git")
    (repo / "pyproject.toml").write_text("# a comment\n" + TABLE + '[tool.cockpit.checks]\nselect = ["P0"]\n')
    assert read_trust(repo, repo / ".git").trusted


def test_worktrees_share_it_and_another_repository_does_not(repo: Path, tmp_path: Path) -> None:
    trust(repo, repo / ".git")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "pyproject.toml").write_text(TABLE)
    assert read_trust(tmp_path / "tree", repo / ".git").trusted
    assert not read_trust(tmp_path / "tree").trusted


def test_it_can_be_taken_back(repo: Path) -> None:
    trust(repo, repo / ".git")
    assert revoke(repo, repo / ".git") and not revoke(repo, repo / ".git")
    assert not read_trust(repo, repo / ".git").trusted


@pytest.mark.parametrize("text", ["", "[]", '{"repositories": []}', '{"repositories": {"x": 3}}', "\x00"])
def test_broken_state_trusts_nobody(repo: Path, text: str) -> None:
    trust(repo, repo / ".git")
    (state_dir() / "trust.json").write_text(text)
    assert not read_trust(repo, repo / ".git").trusted


def test_the_command_trusts_tells_and_takes_it_back(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--repo", str(repo), "trust", "--status"]) == 1
    assert main(["--repo", str(repo), "trust"]) == 0
    capsys.readouterr()
    assert main(["--repo", str(repo), "trust", "--status", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["trusted"] is True and document["programs"][0]["command"] == "true"
    assert main(["--repo", str(repo), "trust", "--revoke"]) == 0
    assert main(["--repo", str(repo), "trust", "--status"]) == 1

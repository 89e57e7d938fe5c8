"""The pre-commit hook: it checks what is staged, keeps what was there, and goes without a trace."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from cockpit.cli import main
from cockpit.errors import CannotAnswer
from cockpit.hooks.git import apply, hook_status, plan_install, plan_uninstall
from cockpit.repository import Repository, find_repository

BAD = "from unittest.mock import Mock\n\n\ndef test_total():\n    assert Mock()\n"
GOOD = "def test_total():\n    assert 1 + 1 == 2\n"
KEPT = "pre-commit.before-cockpit"
OLD = b"#!/bin/sh\necho old >> ../called\ntest ! -e stop\n"


def git(folder: Path, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode != 0) == bool(code), done.stderr
    return done


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    (root / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = ["pytest-mock"]\n')
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "start")
    return root


def repository(root: Path) -> Repository:
    return find_repository(root)


def old_hook(root: Path, mode: int = 0o755) -> Path:
    path = root / ".git" / "hooks" / "pre-commit"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(OLD)
    path.chmod(mode)
    return path


def test_a_commit_with_a_blocking_finding_is_stopped_and_a_mended_one_is_not(repo: Path) -> None:
    assert main(["--repo", str(repo), "hooks", "install", "--git"]) == 0
    (repo / "test_a.py").write_text(BAD)
    git(repo, "add", "-A")
    stopped = git(repo, "commit", "-m", "bad", code=1)
    assert "bare-mock" in stopped.stderr and "stopped by a P0" in stopped.stderr
    (repo / "test_a.py").write_text(GOOD)
    git(repo, "add", "-A")
    git(repo, "commit", "-m", "good")


def test_a_commit_that_cannot_be_judged_says_so(repo: Path) -> None:
    apply(plan_install(repository(repo)))
    (repo / "test_a.py").write_text("def test_a(:\n")
    git(repo, "add", "-A")
    assert "could not be judged" in git(repo, "commit", "-m", "broken", code=1).stderr


def test_packages_of_the_repository_are_not_run_instead(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trap = "open('ran', 'a').write(__name__)\nraise SystemExit(0)\n"
    for name in ("cockpit", "skills"):
        (repo / name).mkdir()
        (repo / name / "__init__.py").write_text(trap)
    (repo / "sitecustomize.py").write_text(trap)
    monkeypatch.setenv("PYTHONPATH", ".")
    apply(plan_install(repository(repo)))
    (repo / "test_a.py").write_text(BAD)
    git(repo, "add", "-A")
    git(repo, "commit", "-m", "bad", code=1)
    assert not (repo / "ran").exists()


def test_an_existing_hook_is_called_first_and_can_stop_the_commit(repo: Path, tmp_path: Path) -> None:
    old_hook(repo)
    apply(plan_install(repository(repo)))
    (repo / "test_a.py").write_text(GOOD)
    git(repo, "add", "-A")
    git(repo, "commit", "-m", "one")
    assert (tmp_path / "called").read_text() == "old\n"
    (repo / "stop").touch()
    (repo / "test_b.py").write_text(GOOD)
    git(repo, "add", "test_b.py")
    stopped = git(repo, "commit", "-m", "two", code=1)
    assert "gates" not in stopped.stderr


@pytest.mark.parametrize("mode", [0o755, 0o644, 0o700])
def test_uninstalling_restores_byte_for_byte(repo: Path, mode: int) -> None:
    path = old_hook(repo, mode)
    before = path.stat()
    apply(plan_install(repository(repo)))
    assert path.read_bytes() != OLD and os.access(path, os.X_OK)
    apply(plan_uninstall(repository(repo)))
    after = path.stat()
    assert path.read_bytes() == OLD
    assert (after.st_mode, after.st_mtime_ns, after.st_ino) == (before.st_mode, before.st_mtime_ns, before.st_ino)
    assert not (path.parent / KEPT).exists()


def test_a_linked_hook_stays_a_link(repo: Path) -> None:
    (repo / "hook.sh").write_bytes(OLD)
    (repo / "hook.sh").chmod(0o755)
    path = repo / ".git" / "hooks" / "pre-commit"
    path.parent.mkdir(exist_ok=True)
    path.symlink_to("../../hook.sh")
    apply(plan_install(repository(repo)))
    assert not path.is_symlink() and (repo / "hook.sh").read_bytes() == OLD
    apply(plan_uninstall(repository(repo)))
    assert path.is_symlink() and path.read_bytes() == OLD


def test_uninstalling_leaves_nothing_where_there_was_nothing(repo: Path) -> None:
    folder = repo / ".git" / "hooks"
    before = sorted(folder.iterdir()) if folder.exists() else []
    apply(plan_install(repository(repo)))
    assert hook_status(repository(repo)).state == "installed"
    apply(plan_uninstall(repository(repo)))
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("kept", [False, True])
def test_what_others_wrote_into_the_file_stays(repo: Path, kept: bool) -> None:
    path = old_hook(repo) if kept else repo / ".git" / "hooks" / "pre-commit"
    apply(plan_install(repository(repo)))
    path.write_bytes(path.read_bytes() + b"echo mine\n")
    assert hook_status(repository(repo)).state == "changed"
    apply(plan_uninstall(repository(repo)))
    left = path.read_bytes()
    assert left.endswith(b"echo mine\n") and b"check --staged" not in left
    assert (KEPT.encode() in left) == kept == (path.parent / KEPT).exists()


def test_installing_twice_changes_nothing(repo: Path) -> None:
    old_hook(repo)
    apply(plan_install(repository(repo)))
    again = plan_install(repository(repo))
    assert not again.changes and again.diff == ""


def test_a_file_in_the_way_is_never_overwritten(repo: Path) -> None:
    path = old_hook(repo)
    (path.parent / KEPT).write_text("precious")
    with pytest.raises(CannotAnswer, match="in the way"):
        plan_install(repository(repo))
    assert path.read_bytes() == OLD


def test_a_hook_that_changed_after_the_plan_is_left_alone(repo: Path) -> None:
    path = old_hook(repo)
    plan = plan_install(repository(repo))
    path.write_bytes(OLD + b"# newer\n")
    with pytest.raises(CannotAnswer, match="changed since"):
        apply(plan)
    assert path.read_bytes() == OLD + b"# newer\n"


def test_worktrees_share_the_hook_and_hooks_path_is_respected(repo: Path, tmp_path: Path) -> None:
    git(repo, "worktree", "add", "-q", str(tmp_path / "tree"), "-b", "side")
    apply(plan_install(repository(tmp_path / "tree")))
    assert (repo / ".git" / "hooks" / "pre-commit").exists()
    (tmp_path / "tree" / "test_a.py").write_text(BAD)
    git(tmp_path / "tree", "add", "-A")
    git(tmp_path / "tree", "commit", "-m", "bad", code=1)
    git(repo, "config", "core.hooksPath", str(tmp_path / "shared hooks"))
    assert hook_status(repository(repo)).state == "absent"
    assert "shared with other repositories" in hook_status(repository(repo)).note
    apply(plan_install(repository(repo)))
    assert os.access(tmp_path / "shared hooks" / "pre-commit", os.X_OK)


def test_the_command_shows_a_diff_and_a_dry_run_writes_nothing(
    repo: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = old_hook(repo)
    assert main(["--repo", str(repo), "hooks", "install", "--git", "--dry-run"]) == 0
    assert "+++" in capsys.readouterr().out and path.read_bytes() == OLD
    assert main(["--repo", str(repo), "hooks", "install", "--git", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)["hooks"][0]
    assert (row["state"], row["changed"]) == ("installed", True) and row["kept"].endswith(KEPT)
    assert main(["--repo", str(repo), "hooks", "status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["hooks"][0]["state"] == "installed"
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(repo / "nowhere"))  # no agent is here
    assert main(["--repo", str(repo), "hooks", "install"]) == 2
    assert "--git" in capsys.readouterr().err


def test_a_staged_secret_or_env_file_stops_the_commit(repo: Path) -> None:
    assert main(["--repo", str(repo), "hooks", "install", "--git"]) == 0
    (repo / "app.py").write_text('KEY = "AKIAIOSFODNN7EXAMPLE"\n')
    git(repo, "add", "app.py")
    stopped = git(repo, "commit", "-m", "secret", code=1).stderr
    assert "stopped by the sweep" in stopped and "AKIA…" in stopped and "AKIAIOSFODNN7EXAMPLE" not in stopped
    (repo / "app.py").write_text('import os\n\nKEY = os.environ["KEY"]\n')
    (repo / ".env").write_text("A=1\n")
    git(repo, "add", "-A")
    assert ".env" in git(repo, "commit", "-m", "env", code=1).stderr
    git(repo, "rm", "-q", "--cached", ".env")
    git(repo, "commit", "-m", "good")


@pytest.mark.parametrize("kept", [False, True])
def test_a_push_of_a_secret_is_stopped_and_a_hook_that_was_there_sees_the_same_refs(
    repo: Path, tmp_path: Path, kept: bool
) -> None:
    git(tmp_path, "init", "-q", "--bare", "there")
    git(repo, "remote", "add", "origin", str(tmp_path / "there"))
    if kept:
        old = repo / ".git" / "hooks" / "pre-push"
        old.parent.mkdir(exist_ok=True)
        old.write_text("#!/bin/sh\ncat > ../refs\n")
        old.chmod(0o755)
    apply(plan_install(repository(repo), "pre-push"))
    git(repo, "push", "-q", "origin", "main")
    assert not kept or "refs/heads/main" in (tmp_path / "refs").read_text()
    (repo / "app.py").write_text('KEY = "AKIAIOSFODNN7EXAMPLE"\n')
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "secret")
    (repo / "app.py").write_text("KEY = None\n")
    git(repo, "commit", "-q", "-am", "taken out again, but the history keeps it")
    assert "the push is stopped by the sweep" in git(repo, "push", "origin", "main", code=1).stderr
    git(repo, "reset", "-q", "--hard", "origin/main")
    git(repo, "commit", "-q", "--allow-empty", "-m", "good")
    git(repo, "push", "-q", "origin", "main")
    apply(plan_uninstall(repository(repo), "pre-push"))
    assert (repo / ".git" / "hooks" / "pre-push").exists() == kept


@pytest.mark.parametrize("shebang", ["#!/usr/bin/env sh", "#!/bin/bash -e", "#!/bin/sh"])
def test_a_hook_that_tells_by_its_own_name_what_it_is_still_can(repo: Path, shebang: str) -> None:
    folder = repo / ".husky" / "_"
    folder.mkdir(parents=True)
    git(repo, "config", "core.hooksPath", ".husky/_")
    (folder / "h").write_text(
        'n=$(basename "$0")\ns=$(dirname "$(dirname "$0")")/$n\n[ ! -f "$s" ] && exit 0\nsh -e "$s" "$@"\nexit $?\n'
    )
    for hook in ("pre-commit", "pre-push"):
        (folder / hook).write_text(f'{shebang}\n. "$(dirname "$0")/h"\n')
        (folder / hook).chmod(0o755)
        (repo / ".husky" / hook).write_text(f"echo {hook} >> ran\ntest ! -e stop\n")
        apply(plan_install(repository(repo), hook))  # type: ignore[arg-type]

    git(repo, "commit", "-q", "--allow-empty", "-m", "more")
    assert (repo / "ran").read_text() == "pre-commit\n"
    (repo / "stop").touch()
    git(repo, "commit", "--allow-empty", "-m", "stopped", code=1)
    assert "husky writes this folder anew" in hook_status(repository(repo)).note

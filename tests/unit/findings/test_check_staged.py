"""Git's index is judged by the ids of its contents: what the work tree was judged for is not judged again."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from cockpit.cli import main
from cockpit.findings.cache import ReportsOnDemand
from cockpit.findings.digest import digest_of, hash_quickly
from cockpit.findings.discovery import discover, scope_of_index
from tests.git import git

MOCK = (
    "from unittest.mock import Mock\n\n\ndef test_a():\n    value = Mock()\n\n    value()\n\n    assert value.called\n"
)
MODEL = "from django.db import models\n\n\nclass Item(models.Model):\n    name = models.TextField()\n"


def made(root: Path, *words: str) -> Path:
    (root / "tests").mkdir(parents=True)
    (root / "pyproject.toml").write_text('[project]\ndependencies = ["pytest-mock"]\n')
    for number in range(8):
        (root / f"tests/test_{number}.py").write_text(f"def test_it_{number}() -> None:\n    assert {number} + 1\n")
    git(root.parent, "init", "-q", *words, str(root))
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "x")
    return root


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = made(tmp_path / "repo")
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def asked(capsys: pytest.CaptureFixture[str]) -> Any:
    """The JSON document that `cockpit check WORDS` prints."""

    def ask(*words: str) -> Any:
        main(["check", *words, "--json"])
        return json.loads(capsys.readouterr().out)

    return ask


def mocks(document: Any) -> list[str]:
    return sorted({row["path"] for row in document["findings"] if row["rule"] == "bare-mock"})


def test_what_the_work_tree_was_judged_for_is_known_when_it_is_staged(repo: Path, asked: Any) -> None:
    (repo / "tests/test_new.py").write_text(MOCK)
    asked()
    git(repo, "add", "-A")
    os.utime(repo / "tests/test_new.py", ns=(1, 1))  # its content says who it is, not its times
    document = asked("--staged")
    assert mocks(document) == ["tests/test_new.py"]
    assert (document["files"]["parsed"], document["files"]["cached"]) == (0, 1)


def test_what_was_judged_as_staged_is_known_to_a_check_of_the_work_tree(repo: Path, asked: Any) -> None:
    (repo / "tests/test_new.py").write_text(MOCK)
    git(repo, "add", "-A")
    assert asked("--staged")["files"]["parsed"] == 1  # and all others, which are more than a few: they are kept
    again = asked()["files"]
    assert (again["seen"], again["parsed"], again["cached"]) == (9, 0, 9)


@pytest.mark.parametrize("how", ["gone", "changed", "link"])
def test_the_content_of_the_index_counts_whatever_the_work_tree_has(repo: Path, asked: Any, how: str) -> None:
    path = repo / "tests/test_new.py"
    path.write_text(MOCK)
    git(repo, "add", "-A")
    path.unlink()
    if how == "changed":
        path.write_text("")
    elif how == "link":
        path.symlink_to("test_1.py")
    assert mocks(asked("--staged")) == mocks(asked("--staged", "--no-cache")) == ["tests/test_new.py"]
    assert mocks(asked()) == []


def test_facts_come_from_the_index_too(repo: Path, asked: Any) -> None:
    words = ("--staged", "--select", "unordered-queryset")
    (repo / "pyproject.toml").write_text('[project]\ndependencies = ["django"]\n')
    (repo / "models.py").write_text(MODEL)
    git(repo, "add", "-A")
    page = "\n\ndef {0}(offset):\n    return Item.objects.all()[offset : offset + 50]\n"
    (repo / "views.py").write_text("from models import Item\n" + page.format("pages"))
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "y")
    with (repo / "views.py").open("a") as file:
        file.write(page.format("others"))
    git(repo, "add", "-A")
    (repo / "models.py").unlink()
    before = asked(*words, "--no-cache")["findings"]
    assert [row["path"] for row in before] == ["views.py"]
    assert asked(*words)["findings"] == asked(*words)["findings"] == before


def test_ends_of_lines_that_git_changes_are_no_other_content(repo: Path, asked: Any) -> None:
    git(repo, "config", "core.autocrlf", "true")
    (repo / "tests/test_new.py").write_bytes(MOCK.replace("\n", "\r\n").encode())
    git(repo, "add", "-A")
    assert mocks(asked("--staged")) == ["tests/test_new.py"]
    document = asked("--staged")
    assert (mocks(document), document["files"]["parsed"]) == (["tests/test_new.py"], 0)


def test_a_repository_with_other_ids_is_judged_all_the_same(tmp_path: Path, asked: Any, monkeypatch: Any) -> None:
    root = made(tmp_path / "other", "--object-format=sha256")
    monkeypatch.chdir(root)
    (root / "tests/test_new.py").write_text(MOCK)
    git(root, "add", "-A")
    assert asked("--staged")["files"]["parsed"] == 1
    document = asked("--staged")
    assert (mocks(document), document["files"]["parsed"]) == (["tests/test_new.py"], 0)


def test_what_a_sparse_checkout_leaves_out_is_not_asked_for(repo: Path, asked: Any) -> None:
    (repo / "tests/test_new.py").write_text(MOCK)
    git(repo, "add", "-A")
    git(repo, "update-index", "--skip-worktree", "tests/test_1.py")
    (repo / "tests/test_1.py").unlink()
    asked("--staged")
    kept = ReportsOnDemand(repo)
    assert b"tests/test_0.py" in kept.files
    assert b"tests/test_1.py" not in {*kept.files, *kept.staged}


def test_what_neither_git_nor_the_work_tree_has_is_left_out(repo: Path, asked: Any) -> None:
    (repo / "tests/test_new.py").write_text(MOCK)
    git(repo, "add", "-A")
    blob = git(repo, "rev-parse", "HEAD:tests/test_1.py")
    (repo / "tests/test_1.py").unlink()
    (repo / f".git/objects/{blob[:2]}/{blob[2:]}").unlink()  # as in a partial clone
    document = asked("--staged")
    assert mocks(document) == ["tests/test_new.py"] and document["files"]["seen"] == 1


@pytest.mark.parametrize("there", [True, False])
def test_a_file_that_is_too_large_is_skipped(repo: Path, asked: Any, there: bool) -> None:
    path = repo / "tests/test_large.py"
    path.write_text(MOCK + "# more\n" * 300_000)
    git(repo, "add", "-A")
    if not there:
        path.unlink()
    document = asked("--staged")
    assert (document["files"]["skipped"], document["skipped"]) == (1, {"larger than 2 MB": 1})


def test_an_index_has_the_scope_of_its_files(repo: Path) -> None:
    for name in ("vendor/a.py", "dist/setup.py", "lib/x_pb2.py", "setup.py", "Dockerfile", "worker.YML", "a/Pipfile"):
        path = repo / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x = 1\n")
    git(repo, "add", "-A")
    names = git(repo, "ls-files", "-z").split("\0")[:-1]
    seen, told = discover(repo, ("tests/test_1.py",)), scope_of_index(reversed(names), ("tests/test_1.py",))
    assert list(told.files) == list(seen.files) and told.skipped == seen.skipped and len(seen.skipped) == 4
    assert told.manifests == seen.manifests == ("Dockerfile", "a/Pipfile", "pyproject.toml", "setup.py", "worker.YML")


def test_a_digest_is_what_git_calls_a_content(repo: Path) -> None:
    known = git(repo, "rev-parse", "HEAD:tests/test_1.py")
    source = (repo / "tests/test_1.py").read_bytes()
    assert digest_of(source).hex() == known
    hash_quickly()
    assert digest_of(source).hex() == known


def test_what_holds_no_python_file_passes_nothing(repo: Path, asked: Any) -> None:
    (repo / "notes.md").write_text("a note\n")
    git(repo, "add", "-A")

    document = asked("--staged")

    assert {gate["status"] for gate in document["gates"]} == {"not_applicable"}
    assert "pass" not in {check["status"] for check in document["checks"]}
    assert "there is no Python file to judge" in {check["reason"] for check in document["checks"]}

"""`cockpit check --staged` and `--since`: the lines that a change adds, with renames, hunks, merges and worktrees."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from cockpit.cli import main
from tests.git import git

IMPORT = "from unittest.mock import Mock\n"


def case(name: str) -> str:
    return f"\n\ndef test_{name}():\n    value = Mock()\n\n    value()\n\n    assert value.called\n"


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "repo"
    (root / "tests").mkdir(parents=True)
    (root / "pyproject.toml").write_text('[project]\ndependencies = ["pytest-mock"]\n')
    (root / "notes.txt").write_text("1\n")
    (root / "tests/test_a.py").write_text(IMPORT + case("one") + case("two") + case("three"))
    git(tmp_path, "init", "-q", "-b", "main", str(root))
    commit(root)
    monkeypatch.chdir(root)
    return root


def commit(root: Path, message: str = "x") -> None:
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", message)


@pytest.fixture
def found(capsys: pytest.CaptureFixture[str]) -> Any:
    """The lines with a P0 finding that `cockpit check WORDS` tells."""

    def asked(*words: str) -> list[tuple[str, int]]:
        main(["check", "--select", "bare-mock", *words, "--json"])
        return [(row["path"], row["line"]) for row in json.loads(capsys.readouterr().out)["findings"]]

    return asked


def test_a_file_that_moved_adds_nothing_whatever_git_is_told_about_renames(repo: Path, found: Any) -> None:
    git(repo, "config", "diff.renames", "false")
    git(repo, "mv", "tests/test_a.py", "tests/test_moved.py")
    assert found("--staged") == [] and found("--since", "HEAD") == []
    with (repo / "tests/test_moved.py").open("a") as file:
        file.write(case("more"))
    git(repo, "add", "-A")
    assert found("--staged") == [("tests/test_moved.py", 29)]


def test_one_hunk_of_a_file_is_judged_where_it_stands_in_the_index(repo: Path, found: Any) -> None:
    path = repo / "tests/test_a.py"
    before = path.read_text().removeprefix(IMPORT)
    path.write_text(IMPORT + case("early") + before + case("late"))
    git(repo, "add", "-p", said="n\ny\n")
    assert found("--staged") == [("tests/test_a.py", 29)]
    assert found("--since", "HEAD") == [("tests/test_a.py", 5), ("tests/test_a.py", 37)]


def test_a_copy_before_the_accepted_one_is_the_new_one(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, line = repo / "shop.py", "    keep(lambda a=[]: a)\n"
    path.write_text("def f() -> None:\n    start()\n" + line)
    main(["check", "--write-baseline"])
    commit(repo)
    path.write_text("def f() -> None:\n" + line + "    start()\n" + line)
    git(repo, "add", "-A")
    capsys.readouterr()

    main(["check", "--staged", "--select", "mutable-default", "--json"])

    told = json.loads(capsys.readouterr().out)["findings"]
    assert [(row["line"], row["baseline"]) for row in told] == [(2, "new")]


def test_since_a_branch_that_moved_on_only_what_this_one_adds_counts(repo: Path, found: Any) -> None:
    git(repo, "checkout", "-q", "-b", "feature")
    (repo / "tests/test_mine.py").write_text(IMPORT + case("mine"))
    commit(repo)
    git(repo, "checkout", "-q", "main")
    (repo / "tests/test_a.py").write_text("")
    (repo / "tests/test_theirs.py").write_text(IMPORT + case("theirs"))
    commit(repo)
    git(repo, "checkout", "-q", "feature")
    assert found("--since", "main") == [("tests/test_mine.py", 1), ("tests/test_mine.py", 5)]


def test_a_merge_is_judged_by_what_none_of_its_parents_has(repo: Path, found: Any) -> None:
    git(repo, "checkout", "-q", "-b", "feature")
    (repo / "tests/test_mine.py").write_text(IMPORT + case("mine"))
    (repo / "notes.txt").write_text("2\n")
    commit(repo)
    git(repo, "checkout", "-q", "main")
    (repo / "notes.txt").write_text("3\n")
    commit(repo)
    git(repo, "merge", "feature", check=False)
    (repo / "notes.txt").write_text("4\n")
    git(repo, "add", "-A")
    assert found("--staged") == []
    with (repo / "tests/test_mine.py").open("a") as file:
        file.write(case("in_the_merge"))
    git(repo, "add", "-A")
    assert found("--staged") == [("tests/test_mine.py", 13)]


def test_what_git_shows_no_change_of_is_judged_as_well(
    repo: Path, found: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    (repo / ".gitattributes").write_text("*.py -diff\n")
    (repo / "tests/test_b.py").write_text(IMPORT + case("one"))
    (repo / "tests/test_zero.py").write_bytes(b"x = 1\n\0\n")
    git(repo, "add", "-A")

    assert found("--staged") == found("--since", "HEAD") == [("tests/test_b.py", 1), ("tests/test_b.py", 5)]
    assert main(["check", "--select", "bare-mock", "--staged", "--json"]) == 1
    assert [row["path"] for row in json.loads(capsys.readouterr().out)["errors"]] == ["tests/test_zero.py"]


def test_a_file_outside_a_sparse_checkout_is_read_from_the_index(repo: Path, found: Any) -> None:
    path = repo / "tests/test_b.py"
    path.write_text(IMPORT + case("one"))
    git(repo, "add", "-A")
    git(repo, "update-index", "--skip-worktree", "tests/test_b.py")
    path.unlink()

    assert found("--staged") == [("tests/test_b.py", 1), ("tests/test_b.py", 5)]


def test_a_conflict_cannot_be_judged(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = repo / "tests/test_a.py"
    git(repo, "checkout", "-q", "-b", "feature")
    path.write_text("x = 1\n")
    commit(repo)
    git(repo, "checkout", "-q", "main")
    path.write_text("x = 2\n")
    commit(repo)
    git(repo, "merge", "feature", check=False)
    assert main(["check", "--staged"]) == 2
    assert "tests/test_a.py has a conflict that is not resolved" in capsys.readouterr().err


def test_since_in_the_midst_of_a_merge_leaves_out_what_that_brings(repo: Path, found: Any) -> None:
    git(repo, "checkout", "-q", "-b", "feature")
    (repo / "notes.txt").write_text("2\n")
    commit(repo)
    git(repo, "checkout", "-q", "main")
    (repo / "tests/test_theirs.py").write_text(IMPORT + case("theirs"))
    (repo / "notes.txt").write_text("3\n")
    commit(repo)
    git(repo, "checkout", "-q", "feature")
    git(repo, "merge", "main", check=False)
    assert found("--since", "main") == []
    with (repo / "tests/test_theirs.py").open("a") as file:
        file.write(case("in_the_merge"))
    assert found("--since", "main") == [("tests/test_theirs.py", 13)]


def test_a_stop_in_a_rebase_is_judged_by_what_the_commit_at_hand_adds(
    repo: Path, found: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    path = repo / "tests/test_a.py"
    start = path.read_text()
    git(repo, "checkout", "-q", "-b", "feature")
    path.write_text(start.replace("def test_one", "def test_mine") + case("mine"))
    commit(repo)
    git(repo, "checkout", "-q", "main")
    path.write_text(start.replace("def test_one", "def test_theirs"))
    commit(repo)
    git(repo, "rebase", "main", "feature", check=False)

    assert main(["check", "--staged"]) == 2
    assert "tests/test_a.py has a conflict that is not resolved" in capsys.readouterr().err
    path.write_text(start.replace("def test_one", "def test_both") + case("mine"))
    git(repo, "add", "-A")

    assert found("--staged") == found("--since", "main") == [("tests/test_a.py", 29)]


def test_what_is_only_meant_to_be_added_is_no_part_of_the_commit(repo: Path, found: Any) -> None:
    (repo / "tests/test_later.py").write_text(IMPORT + case("later"))
    git(repo, "add", "-N", "tests/test_later.py")
    with (repo / "tests/test_a.py").open("a") as file:
        file.write(case("now"))
    git(repo, "add", "tests/test_a.py")

    assert found("--staged") == [("tests/test_a.py", 29)]
    assert found("--since", "HEAD") == [("tests/test_a.py", 29), ("tests/test_later.py", 1), ("tests/test_later.py", 5)]


def test_links_submodules_and_what_was_deleted_add_nothing(repo: Path, found: Any) -> None:
    inner = repo.parent / "inner"
    git(repo.parent, "clone", "-q", str(repo), str(inner))
    git(repo, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "inner.py")
    (repo / "tests/test_gone.py").write_text(IMPORT)
    commit(repo)
    (repo / "tests/test_gone.py").unlink()
    (repo / "tests/test_link.py").symlink_to("test_a.py")
    with (repo / "inner.py/tests/test_a.py").open("a") as file:
        file.write(case("inside"))
    commit(repo / "inner.py")
    git(repo, "add", "-A")

    assert found("--staged") == found("--since", "HEAD") == []
    (repo / "tests/test_link.py").unlink()
    (repo / "tests/test_link.py").write_text(IMPORT + case("real"))
    git(repo, "add", "-A")
    assert found("--staged") == [("tests/test_link.py", 1), ("tests/test_link.py", 5)]


def test_who_holds_the_lock_of_the_index_keeps_nobody_from_judging_it(repo: Path, found: Any) -> None:
    with (repo / "tests/test_a.py").open("a") as file:
        file.write(case("more"))
    git(repo, "add", "-A")
    lock = repo / ".git/index.lock"
    lock.touch()
    git(repo, "config", "core.quotePath", "true")

    assert found("--staged") == found("--since", "HEAD") == [("tests/test_a.py", 29)]
    assert lock.exists()


def test_the_index_of_a_hook_is_found_from_a_folder_below(
    repo: Path, found: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (repo / "tests/test_a.py").open("a") as file:
        file.write(case("more"))
    git(repo, "add", "-A")
    monkeypatch.chdir(repo / "tests")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")  # as git names it to a hook, which then went to a folder

    assert found("--staged") == [("tests/test_a.py", 29)]


def test_a_finding_belongs_to_the_change_of_any_line_it_speaks_of(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = repo / "shop.py"
    head = "from fastapi import APIRouter\n\nrouter = APIRouter()\n\n\ndef find(\n    order,\n    store: str,\n"
    rest = "):\n    return order\n\n\n"
    rest += "@router.post(\n    '/pay',\n)\nasync def pay(\n    body: dict[str, str],\n):\n    return body\n"
    (repo / "pyproject.toml").write_text('[project]\ndependencies = ["fastapi"]\n')
    shop.write_text(head + rest)
    commit(repo)

    def told(text: str) -> list[tuple[str, int]]:
        shop.write_text(text)
        git(repo, "add", "-A")
        capsys.readouterr()
        main(["check", "--select", "missing-type-hints,missing-response-model", "--staged", "--json"])
        return [(row["rule"], row["line"]) for row in json.loads(capsys.readouterr().out)["findings"]]

    hints, model = ("missing-type-hints", 6), ("missing-response-model", 16)
    assert told(head + "    amount,\n" + rest) == [hints]
    assert told(head + "    amount: int,\n" + rest) == []  # the old parameter is as it was
    assert told(head + rest.replace("):", ") :", 1)) == [hints]  # it still returns anything
    assert told(head + rest.replace("return order", "return [order]")) == []
    assert told(head + rest.replace("'/pay'", "'/paid'")) == [model]
    assert told(head + rest.replace("body: dict", "sent: dict")) == []  # what it takes is not what it answers
    assert told(head + rest.replace("return body", "return [body]")) == []


def test_a_line_in_a_block_does_not_tell_what_is_said_of_its_head(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    test = repo / "tests/test_shop.py"
    text = (
        "def test_pay(shop):\n    try:\n        shop.pay()\n    except ValueError:\n        log(shop)\n\n\n"
        "def test_close(shop):\n    shop.fill(3)\n    with shop.locked(\n        'till',\n    ):\n"
        "        done = shop.close()\n        shop.look()\n\n    assert done\n"
    )
    test.write_text(text)
    commit(repo)

    def told(old: str, new: str) -> list[tuple[str, int]]:
        test.write_text(text.replace(old, new))
        git(repo, "add", "-A")
        capsys.readouterr()
        main(["check", "--select", "try-in-test,test-not-aaa,bare-except", "--staged", "--json"])
        return [(row["rule"], row["line"]) for row in json.loads(capsys.readouterr().out)["findings"]]

    caught, silent, layout = ("try-in-test", 2), ("bare-except", 4), ("test-not-aaa", 10)
    assert told("shop.pay()", "shop.pay(3)") == told("log(shop)", "tell(shop)") == []
    assert told("ValueError", "OSError") == [caught]
    assert told("except ValueError:\n        log(shop)", "except Exception:\n        pass") == [caught, silent]
    assert told("shop.close()", "shop.shut()") == told("shop.look()", "shop.see()") == []
    assert told("'till'", "'desk'") == told("fill(3)", "fill(4)") == [layout]

    commit(repo)
    text = text.replace("except ValueError:\n        log(shop)", "except Exception:\n        log(shop)")
    test.write_text(text)
    commit(repo)
    assert told("log(shop)", "pass") == [silent]  # the head is as it was: its block makes it silent


def test_a_worktree_has_an_index_of_its_own(repo: Path, found: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    side = repo.parent / "side"
    git(repo, "worktree", "add", "-q", "-b", "side", str(side))
    with (side / "tests/test_a.py").open("a") as file:
        file.write(case("side"))
    git(side, "add", "-A")
    assert found("--staged") == []
    monkeypatch.chdir(side)
    assert found("--staged") == found("--since", "main") == [("tests/test_a.py", 29)]


def test_other_ends_of_lines_add_nothing(repo: Path, found: Any) -> None:
    path = repo / "tests/test_a.py"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    git(repo, "-c", "core.autocrlf=false", "add", "-A")
    assert found("--staged") == [] and found("--since", "HEAD") == []

    path.write_bytes(path.read_bytes() + case("more").replace("\n", "\r\n").encode())
    git(repo, "-c", "core.autocrlf=false", "add", "-A")
    assert found("--staged") == [("tests/test_a.py", 29)] == found("--since", "HEAD")


def test_a_name_that_is_no_utf_8_is_judged_like_any_other(repo: Path, found: Any) -> None:
    path = os.fsencode(repo / "tests") + b"/test_caf\xe9.py"
    with open(path, "w") as file:  # noqa: PTH123 - a name in bytes
        file.write(IMPORT + case("one"))
    said = [("tests/test_caf\ufffd.py", 1), ("tests/test_caf\ufffd.py", 5)]
    assert found("--since", "HEAD") == said
    git(repo, "add", "-A")
    assert found("--staged") == said

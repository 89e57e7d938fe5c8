"""What is asked of a part is answered as it is among everything."""

import os
import shutil
from pathlib import Path

import pytest

from cockpit.config import load_config
from cockpit.findings.baseline import DEFAULT, read_baseline, write_baseline
from cockpit.findings.once import CheckRequest, check_now
from cockpit.findings.outcome import narrowed
from cockpit.findings.parts import Narrow
from skills.gates import RULES, analyse, settle
from skills.gates.model import GateOptions, ProjectEvidence
from tests.git import git

MOCK = "from unittest.mock import Mock\n\n\ndef test_total():\n    assert Mock()\n"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    (root / "tests").mkdir(parents=True)
    git(root, "init", "-q")
    (root / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = ["pytest-mock"]\n')
    return root


def accept(root: Path) -> None:
    """Accept what is there, and commit it."""
    outcome, _ = check_now(root, load_config(root), CheckRequest(baseline=None))
    write_baseline(root / DEFAULT, outcome.findings, read_baseline(root / DEFAULT))
    git(root, "add", "-A")
    git(root, "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "-m", "all")
    check_now(root, load_config(root), CheckRequest())


def told(root: Path, name: str, **more: object) -> list[tuple[str, int, str]]:
    outcome, _ = check_now(root, load_config(root), CheckRequest(**more))  # type: ignore[arg-type]
    return [(one.rule, one.line, one.baseline) for one in outcome.findings if one.path == name]


def told_alike(root: Path, name: str) -> set[str]:
    """Whether what is found in a file is new or accepted, which is the same however it is asked for."""
    git(root, "add", "-A")
    whole = told(root, name)
    asked = ({"paths": (name,)}, {"staged": True}, {"staged": True, "paths": (name,)}, {"since": "HEAD"})
    assert [told(root, name, **one) for one in asked] == [whole] * len(asked)
    return {state for _, _, state in whole}


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_rule_asks_nothing_of_other_files_but_their_facts(name: str) -> None:
    for example in (*RULES[name].bad, *RULES[name].good):
        if len(example.files) < 2:
            continue
        evidence = ProjectEvidence(dict.fromkeys(example.dependencies, "pyproject.toml:1"))
        options = GateOptions(select=(name,), tenancy=example.tenancy)
        reports = {path: analyse(path, source.encode()) for path, source in example.files.items()}
        whole = settle(reports.values(), evidence, options)
        for path in reports:
            part = settle(narrowed(reports, Narrow((path,))).values(), evidence, options)
            found, among_all = ([one for one in said.findings if one.path == path] for said in (part, whole))
            assert found == among_all
            assert part.tenancy == whole.tenancy


def test_a_copy_of_what_is_accepted_in_another_file_is_new(repo: Path) -> None:
    (repo / "tests/test_a.py").write_text(MOCK)
    accept(repo)
    (repo / "tests/test_b.py").write_text(MOCK)
    assert told_alike(repo, "tests/test_b.py") == {"new"}


def test_a_copy_of_what_a_tool_found_in_another_file_is_new(repo: Path) -> None:
    with (repo / "pyproject.toml").open("a") as stream:
        stream.write('[tool.ruff]\nlint.select = ["F"]\n')
    (repo / "a.py").write_text("import os\n")
    accept(repo)
    (repo / "b.py").write_text("import os\n")
    assert told_alike(repo, "b.py") == {"new"}


def test_what_moved_to_one_file_and_was_copied_to_another_is_accepted_once(repo: Path) -> None:
    (repo / "tests/test_a.py").write_text(MOCK)
    accept(repo)
    (repo / "tests/test_a.py").rename(repo / "tests/test_b.py")
    shutil.copy(repo / "tests/test_b.py", repo / "tests/test_c.py")
    git(repo, "add", "-A")
    for name, state in (("tests/test_b.py", "known"), ("tests/test_c.py", "new")):
        for asked in ({}, {"paths": (name,)}, {"staged": True, "paths": (name,)}):
            assert {found[2] for found in told(repo, name, **asked)} <= {state}, (name, asked)
    assert {found[2] for found in told(repo, "tests/test_c.py", paths=("tests/test_c.py",))} == {"new"}


def test_what_the_next_commit_adds_to_files_other_than_pythons_is_told(repo: Path) -> None:
    (repo / "app.py").write_text("from celery import Celery\n\napp = Celery('shop')\n")
    accept(repo)
    (repo / "Procfile").write_text("worker: celery -A shop worker -B\n")
    assert told(repo, "Procfile", since="HEAD") == told(repo, "Procfile") != []
    assert told_alike(repo, "Procfile") == {"new"}


def test_the_index_is_judged_by_the_manifests_that_it_holds(repo: Path) -> None:
    (repo / "tests/test_a.py").write_text(MOCK)
    (repo / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = []\n')
    git(repo, "add", "-A")
    assert told(repo, "tests/test_a.py") == told(repo, "tests/test_a.py", staged=True)
    whole = told(repo, "tests/test_a.py")
    (repo / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = ["pytest-mock"]\n')
    assert told(repo, "tests/test_a.py") != whole == told(repo, "tests/test_a.py", staged=True)
    (repo / "pyproject.toml").unlink()
    assert told(repo, "tests/test_a.py", staged=True) == whole


def test_a_file_whose_name_is_no_utf8_is_found_by_its_path(repo: Path) -> None:
    name = os.fsdecode(b"tests/test_\xff.py")
    (repo / name).write_text(MOCK)
    accept(repo)
    outcome, _ = check_now(repo, load_config(repo), CheckRequest(paths=(name,)))
    assert [one.rule for one in outcome.findings] == ["bare-mock"] * 2


def test_lines_that_only_the_parser_tells_apart_are_all_added(repo: Path) -> None:
    accept(repo)
    (repo / "tests/test_a.py").write_bytes(MOCK.replace("\n", "\r").encode())
    git(repo, "add", "-A")
    assert len(told(repo, "tests/test_a.py", staged=True)) == len(told(repo, "tests/test_a.py", since="HEAD")) == 2

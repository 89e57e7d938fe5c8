"""`cockpit check` and `cockpit rules`: formats, exit codes, the index, revisions, baselines, ruff."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cockpit.cli import main
from tests.git import git
from tests.unit.check_places import BAD, GOOD


def p0(document: dict[str, Any]) -> list[tuple[str, int]]:
    return [(row["path"], row["line"]) for row in document["findings"] if row["gate"] == "P0" and not row["suppressed"]]


def test_a_clean_project_passes_with_every_key_of_the_contract(project: Path, ask: Any) -> None:
    code, document = ask()
    assert code == 0
    assert document["version"] == 1 and document["root"] == str(project) and document["profile"] == "default"
    assert document["files"] == {"seen": 2, "parsed": 2, "cached": 0, "skipped": 0}
    assert document["gates"][0] == {"gate": "P0", "status": "pass", "count": 0}
    assert {"rule": "bare-mock", "status": "pass", "count": 0, "reason": None} in document["checks"]
    assert document["errors"] == [] and document["findings"] == []


def test_a_p0_finding_is_exit_1_and_a_row_of_the_contract(project: Path, ask: Any) -> None:
    (project / "tests/test_a.py").write_text(BAD)
    code, document = ask()
    assert code == 1
    row = next(row for row in document["findings"] if row["rule"] == "bare-mock")
    assert row["path"] == "tests/test_a.py" and row["line"] == 1 and row["column"] == 1
    assert row["baseline"] == "new" and row["suppressed"] is None and row["fingerprint"]
    assert set(row) >= {
        "severity",
        "skill",
        "end_line",
        "end_column",
        "symbol",
        "message",
        "help",
        "confidence",
        "fixable",
        "also",
    }


def test_a_comment_with_a_reason_silences_and_is_listed(project: Path, ask: Any) -> None:
    (project / "tests/test_a.py").write_text(
        "from unittest.mock import Mock  # cockpit: ignore[bare-mock] legacy\n\n\ndef test_a():\n"
        "    assert Mock()  # cockpit: ignore[bare-mock] legacy\n"
    )
    code, document = ask()
    assert code == 0
    assert {row["suppressed"] for row in document["findings"] if row["rule"] == "bare-mock"} == {"legacy"}


def test_a_syntax_error_is_an_error_and_exit_2_unless_a_p0_fails(project: Path, ask: Any) -> None:
    (project / "tests/test_b.py").write_text("def test_b(:\n")
    code, document = ask()
    assert code == 2
    assert document["errors"][0]["path"] == "tests/test_b.py" and document["errors"][0]["line"] == 1
    assert document["gates"][0]["status"] == "not_run"
    (project / "tests/test_a.py").write_text(BAD)
    assert ask()[0] == 1
    (project / "cockpit.toml").write_text('[checks]\nexclude = ["tests/test_b.py"]\n')
    (project / "tests/test_a.py").write_text(GOOD)
    assert ask()[0] == 0


def test_paths_narrow_the_findings_but_not_the_facts(project: Path, ask: Any) -> None:
    (project / "tests/test_a.py").write_text(BAD)
    (project / "tests/test_b.py").write_text("def broken(:\n")
    (project / "src").mkdir()
    (project / "src/x.py").write_text("x = 1\n")
    code, document = ask("src")
    assert code == 0 and document["files"]["seen"] == 1 and document["errors"] == []
    code, document = ask("tests/test_a.py", "src")
    assert code == 1 and document["files"]["seen"] == 2


def test_the_index_is_judged_not_the_work_tree(project: Path, ask: Any) -> None:
    path = project / "tests/test_a.py"
    path.write_text(BAD)
    git(project, "add", "-A")
    path.write_text(GOOD)
    code, document = ask("--staged")
    assert code == 1 and p0(document)[0] == ("tests/test_a.py", 1)
    git(project, "add", "-A")
    path.write_text(BAD)
    code, document = ask("--staged")
    assert code == 0 and document["findings"] == []
    assert ask()[0] == 1


def test_only_added_lines_count(project: Path, ask: Any) -> None:
    (project / "tests/test_a.py").write_text(BAD)
    git(project, "commit", "-q", "-am", "old sin")
    (project / "tests/test_a.py").write_text(BAD + "\n\ndef test_more():\n    assert 2 == 2\n")
    git(project, "add", "-A")
    assert ask("--staged")[0] == 0
    assert ask("--since", "HEAD")[0] == 0
    assert ask("--since", "HEAD~1")[0] == 1
    (project / "tests/test_new.py").write_text(BAD)
    code, document = ask("--since", "HEAD")
    assert code == 1 and {path for path, _ in p0(document)} == {"tests/test_new.py"}


def test_staged_works_before_the_first_commit_and_for_odd_names(
    tmp_path: Path, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "-q", str(tmp_path))
    (tmp_path / "requirements.txt").write_text("pytest-mock\n")
    name = 'test_"ä\t[x].py'
    (tmp_path / name).write_text(BAD)
    git(tmp_path, "add", "-A")
    (tmp_path / name).unlink()
    monkeypatch.chdir(tmp_path)
    code, document = ask("--staged")
    assert code == 1
    assert {path for path, _ in p0(document)} == {name}


def test_in_a_hook_the_index_is_the_one_that_git_names(
    project: Path, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "tests/test_a.py").write_text(BAD)
    git(project, "add", "-A", GIT_INDEX_FILE=str(project / ".git/other-index"))
    assert ask("--staged")[0] == 0
    monkeypatch.setenv("GIT_INDEX_FILE", str(project / ".git/other-index"))
    assert ask("--staged")[0] == 1


@pytest.fixture
def baseline(project: Path, ask: Any) -> Path:
    """The baseline of a project with one file of findings, which it accepts."""
    (project / "tests/test_a.py").write_text(BAD)
    assert ask("--write-baseline")[0] == 0
    return project / ".cockpit/baseline.json"


def test_a_baseline_accepts_what_is_there(baseline: Path, ask: Any) -> None:
    code, document = ask()

    assert code == 0 and {row["baseline"] for row in document["findings"]} == {"known"}
    assert ask("--no-baseline")[0] == 1


def test_a_baseline_accepts_what_moved_and_nothing_new(project: Path, baseline: Path, ask: Any) -> None:
    (project / "tests/test_a.py").write_text("import os\n\n\n" + BAD)
    moved, _ = ask()
    (project / "tests/test_b.py").write_text(BAD)
    more, _ = ask()

    assert (moved, more) == (0, 1)


def test_a_baseline_only_grows_by_force(project: Path, baseline: Path, ask: Any) -> None:
    first = baseline.read_bytes()
    (project / "tests/test_b.py").write_text(BAD)

    refused, _ = ask("--write-baseline")

    assert refused == 1 and baseline.read_bytes() == first
    assert ask("--write-baseline", "--force")[0] == 0
    assert len(json.loads(baseline.read_bytes())["findings"]) == 2 * len(json.loads(first)["findings"])


def test_a_baseline_shrinks_by_what_was_mended(project: Path, baseline: Path, ask: Any) -> None:
    (project / "tests/test_b.py").write_text(BAD)
    assert ask("--write-baseline", "--force")[0] == 0
    (project / "tests/test_a.py").write_text(GOOD)

    code, _ = ask("--write-baseline")

    assert code == 0
    assert {row["path"] for row in json.loads(baseline.read_bytes())["findings"]} == {"tests/test_b.py"}


def test_a_baseline_keeps_what_rules_accepted_that_do_not_run_today(project: Path, ask: Any) -> None:
    (project / "tests/test_a.py").write_text('def test_a():\n    """A text."""\n    assert 1 + 1 == 2\n')
    ask("--profile", "binora", "--write-baseline")
    rows = json.loads((project / ".cockpit/baseline.json").read_bytes())["findings"]
    assert "test-docstring" in {row["rule"] for row in rows}

    ask("--write-baseline")

    assert "test-docstring" in {
        row["rule"] for row in json.loads((project / ".cockpit/baseline.json").read_bytes())["findings"]
    }


def test_a_named_or_broken_baseline(project: Path, ask: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--baseline", "none.json"]) == 2
    assert "no such baseline" in capsys.readouterr().err
    (project / ".cockpit").mkdir()
    (project / ".cockpit/baseline.json").write_text("{")
    assert main(["check"]) == 2
    assert "not a baseline" in capsys.readouterr().err
    assert ask("--no-baseline")[0] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--select", "bare-mok"], "did you mean bare-mock?"),
        (["--profile", "nope"], "no profile"),
        (["nowhere.py"], "no such file"),
        (["--since", "no-such-rev"], "not a revision"),
        (["--since", "--output=x"], "not a revision"),
        (["--write-baseline", "tests"], "whole project"),
        (["--no-baseline", "--baseline", "x"], "--no-baseline"),
        (["--force"], "--force"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(
    project: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    if words[-1].startswith("--output"):
        words = ["--since=--output=x"]
    assert main(["check", *words]) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1


def test_outside_git_a_path_is_checked_and_no_path_is_exit_2(
    tmp_path: Path, ask: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plain").mkdir()
    monkeypatch.chdir(tmp_path / "plain")
    (tmp_path / "plain/requirements.txt").write_text("pytest-mock\n")
    (tmp_path / "plain/test_a.py").write_text(BAD)
    (tmp_path / "plain/other.py").write_text("def (:\n")
    assert main(["check"]) == 2
    assert "not in a git repository" in capsys.readouterr().err
    code, document = ask(".")
    assert code == 1 and document["root"] == str(tmp_path / "plain") and len(document["errors"]) == 1
    code, document = ask("test_a.py")
    assert document["errors"] == [] and document["files"]["seen"] == 1


def test_select_and_ignore_say_which_rules_run(project: Path, ask: Any) -> None:
    (project / "tests/test_a.py").write_text(BAD)
    assert ask("--ignore", "bare-mock")[0] == 0
    code, document = ask("--select", "P0")
    assert code == 1 and {row["gate"] for row in document["findings"]} == {"P0"}
    assert {check["status"] for check in document["checks"] if check["rule"] == "ruff"} == {"not_applicable"}


def test_isolated_ignores_configuration_files(project: Path, ask: Any) -> None:
    (project / "tests/test_a.py").write_text(BAD)
    (project / "cockpit.toml").write_text('[checks]\nignore = ["bare-mock"]\nexclude = ["tests"]\n')
    assert ask()[0] == 0
    assert ask("--isolated")[0] == 1


def test_rules_lists_every_rule_and_explains_one(capsys: pytest.CaptureFixture[str]) -> None:
    from skills.gates import RULES
    from skills.gates.fixes import FIXES

    assert main(["rules", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rules"]
    assert {row["name"] for row in rows} == set(RULES)
    assert {row["name"] for row in rows if row["fixable"]} == set(FIXES)
    assert main(["rules", "bare-mock"]) == 0
    page = capsys.readouterr().out
    assert page.startswith("bare-mock  P0") and "bad:" in page and "good:" in page and "\nfix: automatic" in page
    assert main(["rules", "bare-mok"]) == 2
    assert "did you mean bare-mock?" in capsys.readouterr().err


def test_a_page_and_the_table_of_rules_fit_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cockpit.columns.output_width", lambda: 60)
    for words in ([], ["bare-mock"]):
        assert main(["rules", *words]) == 0
        said = capsys.readouterr().out.partition("\nfix:")[0].splitlines()
        assert max(map(len, said)) <= 60 and any("bare-mock" in line for line in said)


def test_what_may_not_be_read_is_named_and_the_rest_is_judged(project: Path, obeying: list[str]) -> None:
    (project / "inner").mkdir()
    for name in ("inner/shut.py", "closed.py"):
        (project / name).write_text("value = 1\n")
    git(project, "add", "-A")
    (project / "closed.py").chmod(0)
    (project / "inner").chmod(0)
    words = [*obeying, sys.executable, "-m", "cockpit", "--repo", str(project), "check", "--format", "json"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3])
    finally:
        (project / "inner").chmod(0o755)
    found = json.loads(done.stdout)
    assert [(one["path"], one["message"]) for one in found["errors"]] == [
        ("closed.py", "cannot be read (Permission denied)"),
        ("inner/shut.py", "cannot be read (Permission denied)"),
    ]
    assert (found["files"]["seen"], found["files"]["parsed"]) == (4, 2)
    assert done.returncode == 2

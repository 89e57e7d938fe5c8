"""`cockpit check` and `cockpit rules`: formats, exit codes, the index, revisions, baselines, ruff."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cockpit.cli import main

BAD = "from unittest.mock import Mock\n\n\ndef test_a():\n    assert Mock()\n"
GOOD = "def test_a():\n    assert 1 == 1\n"


def git(root: Path, *words: str, **environment: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(root), *words], check=True, capture_output=True, text=True, env={**os.environ, **environment}
    )
    return done.stdout


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "repo"
    (root / "tests").mkdir(parents=True)
    (root / "pyproject.toml").write_text('[project]\ndependencies = ["pytest-mock"]\n')
    (root / "tests/test_a.py").write_text(GOOD)
    (root / "tests/test_b.py").write_text(GOOD)
    git(tmp_path, "init", "-q", "-b", "main", str(root))
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "start")
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run `cockpit check WORDS --json`: (exit code, document)."""

    def asked(*words: str) -> tuple[int, dict[str, Any]]:
        code = main(["check", *words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return asked


def p0(document: dict[str, Any]) -> list[tuple[str, int]]:
    return [(row["path"], row["line"]) for row in document["findings"] if row["gate"] == "P0" and not row["suppressed"]]


def test_a_clean_project_passes_with_every_key_of_the_contract(repo: Path, ask: Any) -> None:
    code, document = ask()
    assert code == 0
    assert document["version"] == 1 and document["root"] == str(repo) and document["profile"] == "default"
    assert document["files"] == {"seen": 2, "parsed": 2, "cached": 0, "skipped": 0}
    assert document["gates"][0] == {"gate": "P0", "status": "pass", "count": 0}
    assert {"rule": "bare-mock", "status": "pass", "count": 0, "reason": None} in document["checks"]
    assert document["errors"] == [] and document["findings"] == []


def test_a_p0_finding_is_exit_1_and_a_row_of_the_contract(repo: Path, ask: Any) -> None:
    (repo / "tests/test_a.py").write_text(BAD)
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


def test_the_same_input_gives_the_same_bytes_but_for_counts_and_meta(repo: Path, ask: Any) -> None:
    (repo / "tests/test_a.py").write_text(BAD)
    answers = []
    for _ in range(2):
        _, document = ask("--no-cache")
        del document["meta"]
        answers.append(json.dumps(document))
    assert answers[0] == answers[1]


def test_a_comment_with_a_reason_silences_and_is_listed(repo: Path, ask: Any) -> None:
    (repo / "tests/test_a.py").write_text(
        "from unittest.mock import Mock  # cockpit: ignore[bare-mock] legacy\n\n\ndef test_a():\n"
        "    assert Mock()  # cockpit: ignore[bare-mock] legacy\n"
    )
    code, document = ask()
    assert code == 0
    assert {row["suppressed"] for row in document["findings"] if row["rule"] == "bare-mock"} == {"legacy"}


def test_a_syntax_error_is_an_error_and_exit_2_unless_a_p0_fails(repo: Path, ask: Any) -> None:
    (repo / "tests/test_b.py").write_text("def test_b(:\n")
    code, document = ask()
    assert code == 2
    assert document["errors"][0]["path"] == "tests/test_b.py" and document["errors"][0]["line"] == 1
    assert document["gates"][0]["status"] == "not_run"
    (repo / "tests/test_a.py").write_text(BAD)
    assert ask()[0] == 1
    (repo / "cockpit.toml").write_text('[checks]\nexclude = ["tests/test_b.py"]\n')
    (repo / "tests/test_a.py").write_text(GOOD)
    assert ask()[0] == 0


def test_paths_narrow_the_findings_but_not_the_facts(repo: Path, ask: Any) -> None:
    (repo / "tests/test_a.py").write_text(BAD)
    (repo / "tests/test_b.py").write_text("def broken(:\n")
    (repo / "src").mkdir()
    (repo / "src/x.py").write_text("x = 1\n")
    code, document = ask("src")
    assert code == 0 and document["files"]["seen"] == 1 and document["errors"] == []
    code, document = ask("tests/test_a.py", "src")
    assert code == 1 and document["files"]["seen"] == 2


def test_the_index_is_judged_not_the_work_tree(repo: Path, ask: Any) -> None:
    path = repo / "tests/test_a.py"
    path.write_text(BAD)
    git(repo, "add", "-A")
    path.write_text(GOOD)
    code, document = ask("--staged")
    assert code == 1 and p0(document)[0] == ("tests/test_a.py", 1)
    git(repo, "add", "-A")
    path.write_text(BAD)
    code, document = ask("--staged")
    assert code == 0 and document["findings"] == []
    assert ask()[0] == 1


def test_only_added_lines_count(repo: Path, ask: Any) -> None:
    (repo / "tests/test_a.py").write_text(BAD)
    git(repo, "commit", "-q", "-am", "old sin")
    (repo / "tests/test_a.py").write_text(BAD + "\n\ndef test_more():\n    assert 2 == 2\n")
    git(repo, "add", "-A")
    assert ask("--staged")[0] == 0
    assert ask("--since", "HEAD")[0] == 0
    assert ask("--since", "HEAD~1")[0] == 1
    (repo / "tests/test_new.py").write_text(BAD)
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


def test_in_a_hook_the_index_is_the_one_that_git_names(repo: Path, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (repo / "tests/test_a.py").write_text(BAD)
    git(repo, "add", "-A", GIT_INDEX_FILE=str(repo / ".git/other-index"))
    assert ask("--staged")[0] == 0
    monkeypatch.setenv("GIT_INDEX_FILE", str(repo / ".git/other-index"))
    assert ask("--staged")[0] == 1


def test_a_baseline_accepts_what_is_there_and_only_shrinks(
    repo: Path, ask: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    path = repo / "tests/test_a.py"
    path.write_text(BAD)
    assert ask("--write-baseline")[0] == 0
    file = repo / ".cockpit/baseline.json"
    first = file.read_bytes()
    code, document = ask()
    assert code == 0 and {row["baseline"] for row in document["findings"]} == {"known"}
    assert ask("--no-baseline")[0] == 1
    path.write_text("import os\n\n\n" + BAD)
    assert ask()[0] == 0
    (repo / "tests/test_b.py").write_text(BAD)
    assert ask()[0] == 1
    assert ask("--write-baseline")[0] == 1
    assert file.read_bytes() == first
    assert ask("--write-baseline", "--force")[0] == 0
    assert len(json.loads(file.read_bytes())["findings"]) == 2 * len(json.loads(first)["findings"])
    path.write_text(GOOD)
    assert ask("--write-baseline")[0] == 0
    assert {row["path"] for row in json.loads(file.read_bytes())["findings"]} == {"tests/test_b.py"}
    capsys.readouterr()


def test_a_named_or_broken_baseline(repo: Path, ask: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--baseline", "none.json"]) == 2
    assert "no such baseline" in capsys.readouterr().err
    (repo / ".cockpit").mkdir()
    (repo / ".cockpit/baseline.json").write_text("{")
    assert main(["check"]) == 2
    assert "not a baseline" in capsys.readouterr().err
    assert ask("--no-baseline")[0] == 0


def test_sarif_has_what_2_1_0_asks_for(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "tests/a b.py").write_text(BAD)
    (repo / "tests/test_b.py").write_text("def (:\n")
    (repo / "tests/a b.py").rename(repo / "tests/test_a b.py")
    assert main(["check", "--format", "sarif"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(rules) == len(set(rules))
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "tests/test_a%20b.py"
        assert place["region"]["startLine"] >= 1 and place["region"]["startColumn"] >= 1
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert len(notes) == 1


def test_github_annotations_are_escaped(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "tests/test_a,b%c.py").write_text(BAD)
    assert main(["check", "--format", "github"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("::error file=tests/test_a%2Cb%25c.py,line=1,endLine=1,")
    assert "title=P0 bare-mock::" in lines[0]


def test_text_shows_place_code_and_what_was_looked_at(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "tests/test_a.py").write_text(BAD)
    assert main(["check"]) == 1
    out = capsys.readouterr().out
    assert "  tests/test_a.py\n" in out
    assert "| from unittest.mock import Mock" in out
    assert "gates    P0 fail" in out and "files    2 seen" in out and "tenancy  " in out


def test_hostile_names_and_code_never_reach_the_terminal_raw(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "test_\x1b[31m\x9b\u202e[@click=app.quit].py"
    (repo / "tests" / name).write_text("from unittest.mock import Mock  # \x1b]0;owned\x07\n")
    (repo / "tests" / os.fsdecode(b"test_\xff.py")).write_text(BAD)
    for form in ("text", "github"):
        assert main(["check", "--format", form]) == 1
        out = capsys.readouterr().out
        assert not any(sign in out for sign in "\x1b\x9b\u202e\x07")
    assert main(["check", "--json"]) == 1
    assert "test_\ufffd.py" in {
        finding["path"].rpartition("/")[2] for finding in json.loads(capsys.readouterr().out)["findings"]
    }


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
    repo: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
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


def test_select_and_ignore(repo: Path, ask: Any) -> None:
    (repo / "tests/test_a.py").write_text(BAD)
    assert ask("--ignore", "bare-mock")[0] == 0
    code, document = ask("--select", "P0")
    assert code == 1 and {row["gate"] for row in document["findings"]} == {"P0"}
    assert {check["status"] for check in document["checks"] if check["rule"] == "ruff"} == {"not_applicable"}


def test_isolated_ignores_configuration_files(repo: Path, ask: Any) -> None:
    (repo / "tests/test_a.py").write_text(BAD)
    (repo / "cockpit.toml").write_text('[checks]\nignore = ["bare-mock"]\nexclude = ["tests"]\n')
    assert ask()[0] == 0
    assert ask("--isolated")[0] == 1


def test_ruff_runs_where_the_project_uses_it(repo: Path, ask: Any) -> None:
    (repo / "tests/test_a.py").write_text(
        "import os\nimport sys  # cockpit: ignore[ruff/F401] kept for re-export\n" + GOOD
    )
    (repo / "pyproject.toml").write_text(
        '[project]\ndependencies = ["pytest-mock"]\n[tool.ruff]\nfix = true\nlint.select = ["F"]\n'
    )
    before = (repo / "tests/test_a.py").read_bytes()
    code, document = ask()
    rows = {row["line"]: row for row in document["findings"] if row["rule"] == "ruff/F401"}
    assert code == 0 and set(rows) == {1, 2}
    assert rows[1]["gate"] == "P2" and rows[1]["fixable"] and rows[1]["skill"] == "ruff"
    assert rows[2]["suppressed"] == "kept for re-export"
    assert {"rule": "ruff", "status": "fail", "count": 1, "reason": None} in document["checks"]
    assert (repo / "tests/test_a.py").read_bytes() == before
    assert not (repo / ".ruff_cache").exists()
    fingerprint = rows[1]["fingerprint"]
    (repo / "tests/test_a.py").write_bytes(b"# a line more\n" + before)
    assert fingerprint in {row["fingerprint"] for row in ask()[1]["findings"]}


def test_ruff_on_the_index_reads_the_index(repo: Path, ask: Any) -> None:
    (repo / "pyproject.toml").write_text('[tool.ruff]\nlint.select = ["F"]\n')
    (repo / "tests/test_a.py").write_text("import os\n" + GOOD)
    git(repo, "add", "-A")
    (repo / "tests/test_a.py").write_text(GOOD)
    _, document = ask("--staged")
    assert [row["rule"] for row in document["findings"]] == ["ruff/F401"]


def test_ruff_with_a_broken_configuration_is_not_run_with_the_reason(repo: Path, ask: Any) -> None:
    (repo / "ruff.toml").write_text("no-such-key = 1\n")
    code, document = ask()
    row = next(check for check in document["checks"] if check["rule"] == "ruff")
    assert code == 0 and row["status"] == "not_run" and "ruff" in row["reason"]
    assert next(gate for gate in document["gates"] if gate["gate"] == "P2")["status"] in ("not_run", "fail")


def test_a_ruff_inside_the_repository_is_never_run(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cockpit.findings.ruff import find_ruff

    inside = repo / ".venv/bin"
    inside.mkdir(parents=True)
    (inside / "ruff").write_text("#!/bin/sh\ntouch owned\n")
    (inside / "ruff").chmod(0o755)
    monkeypatch.setenv("PATH", f"{inside}:.venv/bin")
    monkeypatch.setattr(sys, "executable", str(repo / "elsewhere/python"))
    assert find_ruff(repo) is None


def test_a_project_with_packages_of_our_names_is_judged_by_our_rules(repo: Path) -> None:
    for name in ("skills", "widgets", "themes", "cockpit", "json", "libcst"):
        (repo / name).mkdir()
        (repo / name / "__init__.py").write_text("raise RuntimeError('code of the repository was run')\n")
    for number in range(40):
        (repo / f"tests/test_n{number}.py").write_text(BAD)
    home = Path(__file__).resolve().parents[2]
    start = f"import sys; sys.path.insert(0, {str(home)!r}); from cockpit.cli import main"
    program = f"{start}; sys.exit(main(['check', '--json']))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        cwd=repo,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": "."},
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["files"]["parsed"] == 48


def test_rules_lists_every_rule_and_explains_one(capsys: pytest.CaptureFixture[str]) -> None:
    from skills.gates import RULES

    assert main(["rules", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rules"]
    assert {row["name"] for row in rows} == set(RULES)
    assert main(["rules", "bare-mock"]) == 0
    page = capsys.readouterr().out
    assert page.startswith("bare-mock  P0") and "bad:" in page and "good:" in page
    assert main(["rules", "bare-mok"]) == 2
    assert "did you mean bare-mock?" in capsys.readouterr().err


def test_isolated_gives_the_same_bytes_again(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "tests/test_a.py").write_text(BAD)
    documents = []
    for _ in range(2):
        main(["check", "--isolated", "--json"])
        document = json.loads(capsys.readouterr().out)
        del document["meta"]
        documents.append(document)

    assert documents[0] == documents[1]
    assert documents[1]["files"] == {"seen": 2, "parsed": 2, "cached": 0, "skipped": 0}


def test_letters_beyond_ascii_reach_json_escaped(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "tests/test_ä.py").write_text(BAD)

    main(["check", "--json"])
    printed = capsys.readouterr().out

    assert printed.isascii()
    assert any(row["path"] == "tests/test_ä.py" for row in json.loads(printed)["findings"])


def test_what_may_not_be_read_is_named_and_the_rest_is_judged(repo: Path, obeying: list[str]) -> None:
    (repo / "inner").mkdir()
    for name in ("inner/shut.py", "closed.py"):
        (repo / name).write_text("value = 1\n")
    git(repo, "add", "-A")
    (repo / "closed.py").chmod(0)
    (repo / "inner").chmod(0)
    words = [*obeying, sys.executable, "-m", "cockpit", "--repo", str(repo), "check", "--format", "json"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    finally:
        (repo / "inner").chmod(0o755)
    found = json.loads(done.stdout)
    assert [(one["path"], one["message"]) for one in found["errors"]] == [
        ("closed.py", "cannot be read (Permission denied)"),
        ("inner/shut.py", "cannot be read (Permission denied)"),
    ]
    assert (found["files"]["seen"], found["files"]["parsed"]) == (4, 2)
    assert done.returncode == 2

"""`cockpit check` where the project uses ruff, and in a project with packages of our names."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cockpit.paths import state_dir
from tests.git import git
from tests.unit.check_places import BAD, GOOD


def test_ruff_runs_where_the_project_uses_it(project: Path, ask: Any) -> None:
    (project / "tests/test_a.py").write_text(
        "import os\nimport sys  # cockpit: ignore[ruff/F401] kept for re-export\n" + GOOD
    )
    (project / "pyproject.toml").write_text(
        '[project]\ndependencies = ["pytest-mock"]\n[tool.ruff]\nfix = true\nlint.select = ["F"]\n'
    )
    before = (project / "tests/test_a.py").read_bytes()
    code, document = ask()
    rows = {row["line"]: row for row in document["findings"] if row["rule"] == "ruff/F401"}
    assert code == 0 and set(rows) == {1, 2}
    assert rows[1]["gate"] == "P2" and rows[1]["fixable"] and rows[1]["skill"] == "ruff"
    assert rows[2]["suppressed"] == "kept for re-export"
    assert {"rule": "ruff", "status": "fail", "count": 1, "reason": None} in document["checks"]
    assert (project / "tests/test_a.py").read_bytes() == before
    assert not (project / ".ruff_cache").exists()
    fingerprint = rows[1]["fingerprint"]
    (project / "tests/test_a.py").write_bytes(b"# a line more\n" + before)
    assert fingerprint in {row["fingerprint"] for row in ask()[1]["findings"]}


def _ruff_rows(document: Any) -> list[tuple[str, int]]:
    return [(row["path"], row["line"]) for row in document["findings"] if row["rule"] == "ruff/F401"]


def test_ruff_keeps_what_it_knows_in_our_folder_and_sees_an_edit(project: Path, ask: Any) -> None:
    (project / "pyproject.toml").write_text('[tool.ruff]\nlint.select = ["F"]\n')
    (project / "tests/test_a.py").write_text("import os\n" + GOOD)
    assert _ruff_rows(ask("--no-cache")[1]) == [("tests/test_a.py", 1)]
    folder = state_dir() / "findings/ruff"
    assert not folder.exists()
    assert _ruff_rows(ask()[1]) == _ruff_rows(ask()[1]) == [("tests/test_a.py", 1)]
    assert any(path.is_file() for path in folder.glob("*/*/*"))
    (project / "tests/test_a.py").write_text("import io\nimport os\n" + GOOD)
    assert _ruff_rows(ask()[1]) == [("tests/test_a.py", 1), ("tests/test_a.py", 2)]
    assert not (project / ".ruff_cache").exists()


def test_ruff_looks_again_at_what_imports_a_module_that_came_or_went(project: Path, ask: Any) -> None:
    def told() -> list[str]:
        return [row["path"] for row in ask()[1]["findings"] if row["rule"] == "ruff/I001"]

    (project / "pyproject.toml").write_text('[tool.ruff]\nlint.select = ["I"]\n')
    (project / "main.py").write_text("import requests\nimport shop\n\nprint(requests, shop)\n")
    assert told() == told() == []
    (project / "shop.py").write_text("x = 1\n")
    assert told() == told() == ["main.py"]  # an import of the project's own stands apart
    (project / "shop.py").unlink()
    assert told() == []


@pytest.mark.parametrize("size", [0, 2_000_000])  # the latter is too large for the rules
def test_a_module_of_a_package_that_goes_has_ruff_look_again_at_what_imports_it(
    project: Path, ask: Any, size: int
) -> None:
    def told() -> list[str]:
        return [row["path"] for row in ask()[1]["findings"] if row["rule"] == "ruff/I001"]

    (project / "pyproject.toml").write_text('[tool.ruff]\nlint.select = ["I"]\n')
    (project / "shop").mkdir()
    (project / "shop/__init__.py").write_text("")
    (project / "shop/models.py").write_text("Order = 1\n" + "#" * size)
    (project / "main.py").write_text("import requests\n\nfrom shop.models import Order\n\nprint(requests, Order)\n")
    assert told() == told() == []
    (project / "shop/models.py").unlink()
    assert told() == told() == ["main.py"]  # now it is of a package that is installed


def test_ruff_answers_where_its_folder_cannot_be_made(project: Path, ask: Any) -> None:
    (project / "pyproject.toml").write_text('[tool.ruff]\nlint.select = ["F"]\n')
    (project / "tests/test_a.py").write_text("import os\n" + GOOD)
    (state_dir() / "findings").mkdir(parents=True, exist_ok=True)
    (state_dir() / "findings/ruff").write_text("in the way")
    assert _ruff_rows(ask()[1]) == [("tests/test_a.py", 1)]


def test_ruff_on_the_index_reads_the_index(project: Path, ask: Any) -> None:
    (project / "pyproject.toml").write_text('[tool.ruff]\nlint.select = ["F"]\n')
    (project / "tests/test_a.py").write_text("import os\n" + GOOD)
    git(project, "add", "-A")
    (project / "tests/test_a.py").write_text(GOOD)
    _, document = ask("--staged")
    assert [row["rule"] for row in document["findings"]] == ["ruff/F401"]


def test_ruff_with_a_broken_configuration_is_not_run_with_the_reason(project: Path, ask: Any) -> None:
    (project / "ruff.toml").write_text("no-such-key = 1\n")
    code, document = ask()
    row = next(check for check in document["checks"] if check["rule"] == "ruff")
    assert code == 0 and row["status"] == "not_run" and "ruff" in row["reason"]
    assert next(gate for gate in document["gates"] if gate["gate"] == "P2")["status"] in ("not_run", "fail")


def test_a_ruff_inside_the_repository_is_never_run(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cockpit.findings.ruff import find_ruff

    inside = project / ".venv/bin"
    inside.mkdir(parents=True)
    (inside / "ruff").write_text("#!/bin/sh\ntouch owned\n")
    (inside / "ruff").chmod(0o755)
    monkeypatch.setenv("PATH", f"{inside}:.venv/bin")
    monkeypatch.setattr(sys, "executable", str(project / "elsewhere/python"))
    assert find_ruff(project) is None


def test_a_project_with_packages_of_our_names_is_judged_by_our_rules(project: Path) -> None:
    for name in ("skills", "widgets", "themes", "cockpit", "json", "libcst"):
        (project / name).mkdir()
        (project / name / "__init__.py").write_text("raise RuntimeError('code of the repository was run')\n")
    for number in range(40):
        (project / f"tests/test_n{number}.py").write_text(BAD)
    home = Path(__file__).resolve().parents[3]
    start = f"import sys; sys.path.insert(0, {str(home)!r}); from cockpit.cli import main"
    program = f"{start}; sys.exit(main(['check', '--json']))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        cwd=project,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": "."},
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["files"]["parsed"] == 48


def test_an_answer_takes_up_the_ruff_that_was_begun(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cockpit.findings.ruff import RuffRun

    (project / "ruff.toml").write_text('lint.select = ["F"]\n')
    (project / "tests/test_a.py").write_text("import os\n" + GOOD)
    starts: list[list[str]] = []

    class Counting(subprocess.Popen[bytes]):
        def __init__(self, command: list[str], **more: Any) -> None:
            starts.append(command)
            super().__init__(command, **more)

    monkeypatch.setattr("cockpit.findings.ruff.subprocess.Popen", Counting)
    run = RuffRun(project)

    run.begin(["tests/test_a.py"])

    assert len(starts) == 1
    assert [one.rule for one in run.answer(["tests/test_a.py"]).findings["tests/test_a.py"]] == ["ruff/F401"]
    assert len(starts) == 1
    assert not run.answer(["tests/__init__.py"]).findings and len(starts) == 2


def test_a_ruff_that_was_begun_can_be_cancelled(project: Path) -> None:
    from cockpit.findings.ruff import RuffRun

    (project / "ruff.toml").write_text('lint.select = ["F"]\n')
    run = RuffRun(project)
    run.begin()

    run.cancel()

    assert run.answer().check.reason == "cancelled"

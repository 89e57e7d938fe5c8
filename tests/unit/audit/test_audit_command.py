"""The command audit: its document, its files, what it cannot do."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cockpit.audit import written
from cockpit.audit.report_text import text_lines
from cockpit.audit.run import AuditRequest, audit
from cockpit.cli import main
from cockpit.config import Config
from cockpit.errors import CannotAnswer
from cockpit.findings.report_text import Terminal
from cockpit.paths import state_dir
from skills.audit.model import AuditContext, AuditResult, Category
from skills.audit.results_log import read_rows
from skills.audit.workers import WORKERS
from tests.unit.audit.test_audit import SSE, category, issue


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "shop"
    (root / "app").mkdir(parents=True)
    (root / "pyproject.toml").write_text('[project]\ndependencies = ["fastapi", "sqlalchemy", "asyncpg"]\n')
    (root / "app/api.py").write_text(SSE)
    (root / "app/db.py").write_text(
        "from sqlalchemy import create_engine\n\nengine = create_engine(URL, pool_size=5)\n"
    )
    subprocess.run(["git", "init", "-q", "-b", "main", str(root)], check=True)
    monkeypatch.chdir(root)
    monkeypatch.setenv("COCKPIT_NOW", "2026-11-20T12:00:00Z")
    return root


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Any:
    def asked(*words: str) -> tuple[int, Any]:
        code = main(["audit", *words, "--json"])
        out = capsys.readouterr()
        return code, json.loads(out.out) if out.out else out.err

    return asked


def test_a_folder_outside_git_is_audited_whole(tmp_path: Path, ask: Any) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/api.py").write_text("import time\n\n\nasync def wait():\n    time.sleep(1)\n")

    whole, part = ask(str(tmp_path))[1], ask(str(tmp_path / "app/api.py"))[1]

    assert [len(one["findings"]) for one in whole["categories"]] == [0, 0, 1, 0]
    assert [len(one["findings"]) for one in part["categories"]] == [0, 0, 1, 0] and part["files"] == 1


def test_the_document_has_the_keys_of_the_contract_and_the_same_bytes_twice(repo: Path, ask: Any) -> None:
    code, document = ask()
    again = ask()[1]

    assert code == 1 and document["verdict"] == "FAIL"
    assert {"verdict", "overall", "worst", "categories", "context", "trend", "version", "meta"} <= set(document)
    assert document["worst"] == {"category": "Resource Lifecycle", "score": 7.5}
    assert [one["category"] for one in document["categories"]] == [worker.category for worker in WORKERS]
    assert document["categories"][3]["severity_counts"] == {"critical": 1, "high": 0, "medium": 1, "low": 0, "info": 0}
    assert document["context"]["tech_stack"]["db"] == ["postgresql"]
    assert document["context"]["db_config"]["pool_size"] == "5"
    assert {**document, "meta": 0} == {**again, "meta": 0}


def test_without_a_database_three_workers_do_not_apply(repo: Path, ask: Any) -> None:
    (repo / "pyproject.toml").write_text('[project]\ndependencies = ["click"]\n')
    (repo / "app/db.py").write_text("x = 1\n")
    (repo / "app/api.py").write_text("import time\n\n\nasync def f():\n    time.sleep(1)\n")

    code, document = ask()

    assert [one["status"] for one in document["categories"]] == [
        "not_applicable", "not_applicable", "completed", "not_applicable",
    ]  # fmt: skip
    assert (code, document["verdict"], document["overall"]) == (0, "CONCERNS", 9.5)


def test_a_project_without_python_is_not_called_good(repo: Path, ask: Any) -> None:
    for name in ("api", "db"):
        (repo / f"app/{name}.py").unlink()

    code, document = ask()

    assert (code, document["overall"], document["worst"]) == (0, None, None)
    assert {one["status"] for one in document["categories"]} == {"not_applicable"}
    assert document["why"] == "nothing here is a matter of the audit"


def test_a_worker_that_raises_blocks_and_the_others_go_on(
    repo: Path, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cockpit.audit.run as run_module

    def run_worker(worker: Any, *args: Any, **values: Any) -> Category:
        if worker.number == 652:
            raise RuntimeError("boom")
        return category(WORKERS.index(worker), 10.0)

    monkeypatch.setattr(run_module, "run_worker", run_worker)

    code, document = ask()

    assert (code, document["verdict"]) == (2, "BLOCKED")
    assert [one["status"] for one in document["categories"]] == ["completed", "error", "completed", "completed"]
    assert document["categories"][1]["reason"] == "RuntimeError: boom" and document["overall"] == 10.0


def test_a_migration_that_cannot_be_read_is_named_it_may_hold_a_trigger(repo: Path, ask: Any) -> None:
    (repo / "billing/migrations").mkdir(parents=True, exist_ok=True)
    (repo / "billing/migrations/0007_tell.py").write_text("class Migration(\n    CREATE TRIGGER\n")

    _, document = ask()

    assert [one.partition(": ")[2].partition(":")[0] for one in document["questions"]] == [
        "billing/migrations/0007_tell.py"
    ]
    assert document["verdict"] != "PASS" and all(one["status"] != "error" for one in document["categories"])


def test_write_and_task_leave_whole_files_and_a_trend(repo: Path, ask: Any) -> None:
    (repo / "docs/tasks").mkdir(parents=True)
    (repo / "docs/tasks/kanban_board.md").write_text("Team: Payments\n")
    _, document = ask("--write", "--task")
    assert document["trend"] == "baseline"
    assert set(document["written"]) == {
        "docs/project/persistence_audit.md",
        "docs/project/.audit/results_log.md",
        "docs/tasks/epic-0-persistence-audit-2026-11-20.md",
        *(f"docs/project/.audit/{number}--global.{kind}" for number in (651, 652, 653, 654) for kind in ("md", "json")),
    }
    envelope = json.loads((repo / "docs/project/.audit/654--global.json").read_text())
    assert envelope["summary_kind"] == "audit-worker" and envelope["payload"]["status"] == "completed"
    assert "AUDIT-META" in (repo / "docs/project/.audit/654--global.md").read_text()
    assert "**Team:** Payments" in (repo / document["written"][0]).read_text()
    assert ask("--write", "--task")[1]["trend"] == "stable"  # and the same task is no other task
    (repo / "docs/project/.audit/results_log.md").unlink()
    ask("--write")

    (repo / "app/api.py").write_text("x = 1\n")
    _, document = ask("--write")

    assert document["trend"] == "improving"
    rows, _ = read_rows((repo / "docs/project/.audit/results_log.md").read_text())
    assert [row.status for row in rows] == ["baseline", "improving"]


def test_a_task_that_says_something_else_is_never_overwritten(repo: Path, ask: Any) -> None:
    task = repo / "docs/tasks/epic-0-persistence-audit-2026-11-20.md"
    task.parent.mkdir(parents=True)
    task.write_text("mine")

    code = main(["audit", "--task"])

    assert code == 2 and task.read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_one_line(repo: Path, obeying: list[str]) -> None:
    (repo / "docs").mkdir(mode=0o500)
    words = [*obeying, sys.executable, "-m", "cockpit", "--repo", str(repo), "audit", "--write"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3])
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1 and "cannot be written" in done.stderr


def test_a_report_place_that_is_a_file_is_one_line(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "docs").write_text("a file")

    assert main(["audit", "--write"]) == 2
    out = capsys.readouterr()
    assert "cannot be written" in out.err and "### Executive Summary" in out.out


def test_a_state_that_cannot_be_written_is_one_line(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state_dir().mkdir(parents=True, exist_ok=True)
    (state_dir() / "audit").write_text("a file")
    assert main(["audit", "--write"]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_two_audits_do_not_write_at_once(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with written.one_audit_at_a_time(repo):
        assert main(["audit", "--write"]) == 2
    assert "another audit" in capsys.readouterr().err
    assert not (repo / "docs").exists()


def test_a_path_narrows_the_answer_and_migrations_that_cannot_be_parsed_stop_nothing(repo: Path, ask: Any) -> None:
    (repo / "app/migrations").mkdir()
    (repo / "app/migrations/0001_x.py").write_text("def broken(:\n")

    code, document = ask("app/db.py")

    assert (code, document["verdict"]) == (0, "CONCERNS")
    assert document["context"]["domain_mode"] == "domain-aware" and document["questions"] == []
    assert document["files"] == 1


def test_files_of_the_product_that_cannot_be_judged_are_open_questions(repo: Path, ask: Any) -> None:
    for name in ("api", "db"):
        (repo / f"app/{name}.py").unlink()
    (repo / "app/bad.py").write_text("def broken(:\n")

    _, document = ask()

    assert document["verdict"] == "CONCERNS" and "app/bad.py:1" in document["questions"][0]


def test_progress_is_told_for_each_worker_and_a_cancelled_audit_ends(repo: Path) -> None:
    told: list[Any] = []
    audit(repo, Config(), AuditRequest(use_cache=False), tell=told.append)

    assert told[-1].read == 1.0 and {one.stage for one in told[-1].workers} == {"completed"}
    assert any(one.stage == "running" for progress in told for one in progress.workers)
    with pytest.raises(CannotAnswer, match="cancelled"):
        audit(repo, Config(), AuditRequest(use_cache=False), cancelled=lambda: True)


def test_comments_and_the_baseline_take_the_weight_away(repo: Path, ask: Any) -> None:
    source = SSE.replace("get_db)):", "get_db)):  # cockpit: ignore[streaming-resource-holding] measured")
    (repo / "app/api.py").write_text(source)

    document = ask()[1]

    assert document["categories"][3]["severity_counts"]["critical"] == 0
    assert document["categories"][3]["advisories"][0]["advisory"] == "[Waived: measured]"


def test_a_terminal_is_shown_lines_that_fit_and_no_markdown() -> None:
    told = issue(
        "n-update-delete-loop", "HIGH", message="`save()` sends one UPDATE in every iteration", help="One statement"
    )
    result = AuditResult("CONCERNS", 9.5, None, (category(0, 8.0, told, told),), AuditContext(), "baseline", "2 high")

    lines = list(text_lines(result, Terminal(width=60)))

    assert lines[0] == "CONCERNS  9.5 of 10, low priority"
    assert all(len(line) <= 60 and not line.startswith(("#", "|")) for line in lines)
    assert sum("One statement (S)" in line for line in lines) == 1
    assert any(line.split() == ["5", "HIGH", "n-update-delete-loop"] for line in lines)


def test_what_stands_in_a_terminal_is_plain() -> None:
    told = issue(path="app/\x1b[31ma.py", message="m\x1b]0;x\x07")
    result = AuditResult("CONCERNS", 9.0, None, (category(0, 9.0, told),), AuditContext(), "baseline", "1 high")

    assert not any("\x1b" in line or "\x07" in line for line in text_lines(result, Terminal(width=80)))


def test_only_a_terminal_that_asks_for_no_format_is_shown_lines(
    repo: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = []
    monkeypatch.setattr(Terminal, "of_output", classmethod(lambda cls: cls(80)))
    for words in ([], ["--format", "markdown"]):
        main(["audit", *words])
        said.append(capsys.readouterr().out)

    assert "## Persistence" not in said[0] and said[1].startswith("## Persistence & Performance Audit Report")

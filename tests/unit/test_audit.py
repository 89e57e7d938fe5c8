"""The audit: formulas, root causes, the second look, reports and files, and the command to its end."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cockpit.audit import linear, written
from cockpit.audit.run import AuditRequest, audit
from cockpit.cli import main
from cockpit.config import Config
from cockpit.errors import CannotAnswer
from skills.audit.context_filter import Decision, judged
from skills.audit.dedupe import merged
from skills.audit.model import AuditContext, AuditResult, Category, Issue, LogRow
from skills.audit.report import audit_report, task_file, team_of
from skills.audit.results_log import read_rows
from skills.audit.results_log import written as log_text
from skills.audit.scoring import band_of, overall_of, score_of, trend_of, verdict_of, worst_of
from skills.audit.workers import WORKERS
from skills.gates import RULES, analyse, settle
from skills.gates.model import Evidence, Finding, GateOptions, ProjectEvidence, Severity

HEADINGS = [
    "## Persistence & Performance Audit Report - 2026-11-20",
    "### Executive Summary",
    "### Compliance Score",
    "### Severity Summary",
    "### Findings by Category",
    "#### 1. Query Efficiency",
    "#### 2. Transaction Correctness",
    "#### 3. Runtime Performance",
    "#### 4. Resource Lifecycle",
    "### Recommended Actions (Priority-Sorted)",
    "### Sources Consulted",
]
SSE = (
    "from fastapi import APIRouter, Depends\n\nrouter = APIRouter()\n\n\n@router.get('/events')\n"
    "async def events(db: AsyncSession = Depends(get_db)):\n"
    "    return EventSourceResponse(feed(db))\n"
)


def finding(rule: str = "scope-too-wide", severity: Severity = "HIGH", **values: Any) -> Finding:
    given = {
        "rule": rule, "gate": "none", "severity": severity, "skill": "s", "path": "app/a.py", "line": 5, "column": 1,
        "end_line": 5, "end_column": 9, "symbol": "f", "message": "m", "help": "h", "confidence": "confirmed",
        "fixable": False, "fingerprint": "x",
    }  # fmt: skip
    return Finding(**{**given, **values})


def issue(rule: str = "scope-too-wide", severity: Severity = "HIGH", **values: Any) -> Issue:
    return Issue(finding(rule, severity, **values), severity, "S")


def category(place: int, score: float | None, *issues: Issue, status: Any = "completed") -> Category:
    return Category(WORKERS[place], status, score, issues)


def settled(source: str, path: str = "app/api.py") -> list[Finding]:
    verdict = settle([analyse(path, source.encode())], ProjectEvidence(), GateOptions(select=("audit",)))
    return list(verdict.findings)


# -- formulas --


def test_one_critical_two_high_three_medium_two_low_score_4_1() -> None:
    severities: list[Severity] = ["CRITICAL", "HIGH", "HIGH", "MEDIUM", "MEDIUM", "MEDIUM", "LOW", "LOW"]

    assert score_of(severities) == 4.1
    assert score_of(["CRITICAL"] * 6) == 0.0 and score_of(["INFO"] * 9) == 10.0


def test_a_critical_issue_fails_however_good_the_mean_is() -> None:
    categories = [category(n, 10.0) for n in range(3)] + [category(3, 0.0, issue(severity="CRITICAL"))]

    assert overall_of(categories) == 7.5
    assert worst_of(categories) is categories[3]
    assert verdict_of(categories)[0] == "FAIL"


def test_verdicts() -> None:
    assert verdict_of([category(0, 10.0)])[0] == "PASS"
    assert verdict_of([category(0, 9.8, issue(severity="LOW"))])[0] == "PASS"
    assert verdict_of([category(0, 9.5, issue(severity="MEDIUM"))])[0] == "CONCERNS"
    assert verdict_of([category(0, 10.0)], unjudged=1)[0] == "CONCERNS"
    waiting = issue(severity="CRITICAL", confidence="needs_context")
    assert verdict_of([category(0, 8.0, waiting)])[0] == "CONCERNS"
    both = [category(0, 8.0, issue(severity="CRITICAL")), category(1, None, status="error")]
    assert verdict_of(both)[0] == "BLOCKED"
    advised = replace(issue(severity="CRITICAL"), advisory="[Planned: ADR-1]")
    assert verdict_of([category(0, 10.0, advised)])[0] == "PASS"


def test_bands_are_half_open_and_categories_without_score_are_left_out() -> None:
    bands = [band_of(score) for score in (10.0, 9.5, 8.0, 7.9, 6.0, 5.9, 4.0, 3.9, 0.0)]

    assert bands == [
        "none needed",
        *["low priority"] * 2,
        *["next sprint"] * 2,
        *["prioritise"] * 2,
        *["immediate"] * 2,
    ]
    assert overall_of([category(0, 6.0), category(1, None, status="not_applicable")]) == 6.0
    assert overall_of([category(0, None)]) is None


def test_trend_turns_beyond_three_tenths() -> None:
    assert trend_of(7.0, None) == ("baseline", "N/A")
    assert [trend_of(score, 7.0)[0] for score in (7.3, 7.4, 6.7, 6.6)] == ["stable", "improving", "stable", "declining"]


def test_every_audit_rule_has_its_worker() -> None:
    assert {rule for worker in WORKERS for rule in worker.rules} == {
        name for name, rule in RULES.items() if rule.gate == "none"
    }


# -- root causes and the second look --


def test_one_session_of_a_stream_is_one_issue_that_weighs_once() -> None:
    found = settled(SSE)

    assert [(one.rule, one.severity) for one in found] == [("streaming-resource-holding", "CRITICAL")]
    assert set(found[0].also) == {"resource-scope-mismatch", "factory-vs-injection"}
    assert score_of([one.severity for one in found]) == 8.0


def test_findings_of_one_cause_become_one_with_the_highest_severity() -> None:
    wide, held = issue("scope-too-wide", "HIGH"), issue("long-held-transaction", "MEDIUM")
    elsewhere = issue("long-held-transaction", "MEDIUM", line=40, end_line=40)
    injected = issue("factory-vs-injection", "HIGH", line=9, end_line=9)
    stream = issue("streaming-resource-holding", "CRITICAL")

    kept = merged([held, wide, elsewhere, injected, stream])

    assert [(one.finding.rule, one.finding.line) for one in kept] == [
        ("streaming-resource-holding", 5),
        ("scope-too-wide", 5),
        ("long-held-transaction", 40),
    ]
    assert "long-held-transaction" in kept[1].finding.also and kept[1].merged == ("app/a.py:5 long-held-transaction",)


def test_add_in_a_loop_is_a_remark_and_with_flush_an_issue() -> None:
    loop = "def load(session, rows):\n    for row in rows:\n        session.add(Item(row))\n{}    session.commit()\n"

    plain = [one.severity for one in settled(loop.format("")) if one.rule == "missing-bulk-ops"]
    flushed = settled(loop.format("        session.flush()\n"))

    assert plain == ["INFO"]
    assert [one.severity for one in flushed if one.rule == "missing-bulk-ops"] == ["MEDIUM"]


def test_pool_defaults_are_a_limit_and_minus_one_is_none() -> None:
    head = "from sqlalchemy import create_engine\n\nengine = create_engine(URL{})\n"

    assert "HIGH" not in [one.severity for one in settled(head.format(""))]
    assert [one.severity for one in settled(head.format(", max_overflow=-1, pool_pre_ping=True"))] == ["HIGH"]


def test_a_timeout_lowers_once_and_the_reason_is_shown() -> None:
    lines = ["", "", "", "", "requests.post(url, timeout=5)"]

    lowered = judged(finding(), (), lambda path: lines)
    again = judged(lowered.finding, (), lambda path: [])

    assert (lowered.was, lowered.finding.severity) == ("HIGH", "MEDIUM")
    assert lowered.steps == ("lowered from HIGH to MEDIUM: a timeout limits it",)
    assert lowered.finding.evidence[-1].text == lowered.steps[0]
    assert again.finding.severity == "MEDIUM"


def test_a_reason_that_the_rule_has_used_lowers_nothing_again() -> None:
    job = finding(path="app/jobs/a.py", severity="MEDIUM", evidence=(Evidence("app/jobs/a.py", 1, "background"),))

    assert judged(job, (), lambda path: []).finding.severity == "MEDIUM"
    assert judged(finding("missing-rollback"), (), lambda path: ["timeout=1"] * 9).finding.severity == "HIGH"


def test_three_reasons_and_decisions_make_an_issue_advisory() -> None:
    often = finding("blocking-io-in-async", "MEDIUM", path="app/jobs/a.py")
    lines = ["", "", "", "", "open(p).read(10); timeout=1"]
    setup = replace(often, evidence=(Evidence("app/jobs/a.py", 1, "`setup` runs once"),))
    planned = Decision("ADR-007", "we accept scope-too-wide in app/a.py until june")

    assert judged(setup, (), lambda path: lines).advisory.startswith("[Advisory: ")
    assert judged(finding(), (planned,), lambda path: []).advisory == "[Planned: ADR-007]"
    assert judged(finding(path="app/b.py", symbol="g"), (planned,), lambda path: []).advisory == ""
    assert judged(finding(suppressed="known"), (), lambda path: []).advisory == "[Waived: known]"


# -- texts --


def result(*issues: Issue, **values: Any) -> AuditResult:
    categories = (category(0, 10.0), category(1, 9.0, *issues), category(2, 10.0), category(3, 10.0))
    given: dict[str, Any] = {
        "verdict": "CONCERNS", "overall": 9.8, "worst": categories[1], "categories": categories,
        "context": AuditContext(), "trend": "baseline", "why": "1 high", "files": 3,
    }  # fmt: skip
    return AuditResult(**{**given, **values})


def test_the_report_has_the_headings_in_their_order_and_ends_with_ten_lines() -> None:
    text = audit_report(result(issue()), "2026-11-20")
    lines = text.splitlines()

    assert [line for line in lines if line in HEADINGS] == HEADINGS
    assert all(line.startswith("- [") for line in lines[-10:]) and not lines[-11].startswith("- [")
    assert "| HIGH | Transaction Correctness | app/a.py:5 | scope-too-wide: m | h | S |" in lines


def test_cells_cannot_break_a_table() -> None:
    text = audit_report(result(issue(message="a | b\nc")), "2026-11-20")

    assert "scope-too-wide: a \\| b c" in text


def test_the_task_stands_under_epic_0_with_the_boards_team() -> None:
    text = task_file(result(issue()), "2026-11-20", team_of("# Board\n\n**Team ID:** BACK\n"), "report")

    assert text.startswith("# Persistence & Performance Audit: [2026-11-20]\n\n**Epic:** 0\n**Team:** BACK\n")
    assert "**Priority:** high" in text and "- [ ] HIGH app/a.py:5" in text
    assert team_of("| Team | Payments |\n") == "Payments" and team_of("no board") == ""


def test_the_log_keeps_fifty_rows_and_those_of_others() -> None:
    rows = [LogRow(f"2026-01-{n:02}", 5.0, "stable", "+0.0", "a | b", "abc") for n in range(60)]

    own, others = read_rows(log_text(rows, ["| 2026-01-01 | other | x | 0-10 | 3 | stable | 0 | k | c |"]))

    assert len(own) == 50 and own[-1].date == "2026-01-59" and own[0].key_finding == "a / b"
    assert len(others) == 1 and own[0].score == 5.0


def test_linear_wants_a_team_a_token_and_says_what_went_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    payload = linear.payload_of(result(issue()), "2026-11-20", "team-1", "report")
    assert payload["variables"]["input"]["teamId"] == "team-1" and payload["variables"]["input"]["priority"] == 2
    assert linear.ADDRESS.startswith("https://")
    with pytest.raises(CannotAnswer, match="no team"):
        linear.payload_of(result(), "2026-11-20", "", "report")
    monkeypatch.delenv(linear.TOKEN, raising=False)
    with pytest.raises(CannotAnswer, match="is not set"):
        linear.send(payload)
    monkeypatch.setenv(linear.TOKEN, "lin_api_secret")

    def refuse(request: Any, timeout: float) -> Any:
        raise OSError("lin_api_secret was refused")

    with pytest.raises(CannotAnswer) as refused:
        linear.send(payload, refuse)
    assert "lin_api_secret" not in str(refused.value)


# -- the command --


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
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1 and "cannot be written" in done.stderr


def test_a_report_place_that_is_a_file_is_one_line(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "docs").write_text("a file")

    assert main(["audit", "--write"]) == 2
    out = capsys.readouterr()
    assert "cannot be written" in out.err and "### Executive Summary" in out.out


def test_two_audits_do_not_write_at_once(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with written.only_one(repo):
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

"""The audit: formulas, root causes, the second look, reports and files, and the command to its end."""

from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from cockpit.audit import linear
from cockpit.errors import CannotAnswer
from skills.audit.context_filter import Decision, judged
from skills.audit.dedupe import merged
from skills.audit.model import AuditContext, AuditResult, Category, Issue, LogRow
from skills.audit.report import audit_report, task_file, team_of
from skills.audit.results_log import read_rows
from skills.audit.results_log import written as log_text
from skills.audit.scoring import band_of, next_step, overall_of, score_of, trend_of, verdict_of, worst_of
from skills.audit.workers import WORKERS
from skills.gates import RULES, analyse, settle
from skills.gates.model import Evidence, Finding, GateOptions, ProjectEvidence, Severity
from widgets.audit_lines import _score_line
from widgets.lines import plain

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


def test_the_verdict_is_that_of_the_worst_issue_which_weighs() -> None:
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


def test_where_nothing_was_judged_no_report_is_proposed() -> None:
    known = category(0, 10.0)
    judged_all = AuditResult("PASS", 10.0, known, (known,), AuditContext(), "baseline", "why")
    nothing = replace(judged_all, overall=None, worst=None)

    assert "--write" in next_step(judged_all) and "--write" not in next_step(nothing)


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


@pytest.mark.parametrize(
    ("heavy", "light"),
    [("unnecessary-resolve", "over-fetching"), ("unnecessary-list-allocation", "redundant-data-copies")],
)
def test_two_words_about_one_query_or_one_copy_weigh_once(heavy: str, light: str) -> None:
    kept = merged([issue(light, "LOW"), issue(heavy, "MEDIUM"), issue(light, "LOW", line=40, end_line=40)])

    assert [(one.finding.rule, one.finding.line) for one in kept] == [(heavy, 5), (light, 40)]


def test_every_event_of_a_connection_is_answered_while_it_waits() -> None:
    source = (
        "import time\n\nfrom channels.generic.websocket import {0}\n\n\n"
        "class Room({0}):\n    async def room_message(self, event):\n        time.sleep(1)\n"
    )

    socket = settled(source.format("AsyncJsonWebsocketConsumer"))
    queue = settled(source.format("KafkaConsumer"))

    assert [one.severity for one in (*socket, *queue) if one.rule == "sync-sleep-in-async"] == ["HIGH", "MEDIUM"]


def test_add_in_a_loop_is_a_remark_and_with_flush_an_issue() -> None:
    loop = "def load(session, rows):\n    for row in rows:\n        session.add(Item(row))\n{}    session.commit()\n"

    plain = [one.severity for one in settled(loop.format("")) if one.rule == "missing-bulk-ops"]
    flushed = settled(loop.format("        session.flush()\n"))

    assert plain == ["INFO"]
    assert [one.severity for one in flushed if one.rule == "missing-bulk-ops"] == ["MEDIUM"]


def test_a_loop_over_a_few_written_out_keys_weighs_less() -> None:
    loop = (
        "KINDS = {}\n\n\ndef close(day):\n    for kind, state in KINDS.items():\n"
        "        Order.objects.filter(kind=kind).update(state=state)\n"
    )

    few = settled(loop.format({"a": 1, "b": 2}))
    unknown = settled(loop.format("read()"))

    assert [one.severity for one in few if one.rule == "n-update-delete-loop"] == ["MEDIUM"]
    assert [one.severity for one in unknown if one.rule == "n-update-delete-loop"] == ["HIGH"]


def test_a_loop_that_saves_its_rows_in_two_ways_is_one_finding() -> None:
    source = (
        "from django.db import models\n\n\nclass Berth(models.Model):\n    def free(self):\n        self.save()\n\n\n"
        "def empty(all_of_them):\n    for berth in Berth.objects.all():\n        berth.free()\n{}"
    )

    own = settled(source.format(""))
    both = settled(source.format("        berth.save()\n"))

    assert [one.line for one in own if one.rule == "n-update-delete-loop"] == [11]
    assert [one.line for one in both if one.rule == "n-update-delete-loop"] == [12]


def test_calls_of_one_resource_in_one_function_weigh_once() -> None:
    source = (
        "from pathlib import Path\n\nimport requests\n\n\nasync def keep(name, data):\n    target = Path(name)\n"
        "    target.write_bytes(data)\n    target.read_bytes()\n    requests.get(name)\n    requests.get(data)\n\n\n"
        "async def again(name):\n    target = Path(name)\n    target.read_bytes()\n"
    )
    issues = [judged(one, [], lambda path: ()) for one in settled(source) if one.rule == "blocking-io-in-async"]

    kept = merged(issues)

    assert [one.finding.line for one in issues] == [8, 9, 10, 11, 16]
    assert [one.finding.line for one in kept] == [8, 10, 11, 16]
    assert kept[0].merged == ("app/api.py:9 blocking-io-in-async",)


def test_what_a_seed_commits_apart_weighs_little() -> None:
    torn = (
        "def {}(db):\n    team = Team()\n    db.add(team)\n    db.commit()\n"
        "    db.add(User(team_id=team.id))\n    db.commit()\n"
    )

    assert [one.severity for one in settled(torn.format("seed")) if one.rule == "scope-too-narrow"] == ["LOW"]
    assert [one.severity for one in settled(torn.format("join")) if one.rule == "scope-too-narrow"] == ["HIGH"]


def test_what_only_the_usual_way_closes_weighs_as_much_as_what_nobody_does() -> None:
    source = (
        "from fastapi import APIRouter\n\nfrom app.db import SessionLocal\n\nrouter = APIRouter()\n\n\n{}def load():\n"
        "    db = SessionLocal()\n    rows = db.query(Order).all()\n    db.close()\n    return rows\n"
    )

    weights = [
        [one.severity for one in settled(source.format(head)) if one.rule == "missing-cleanup"]
        for head in ("@router.get('/')\n", "")
    ]

    assert weights == [["HIGH"], ["HIGH"]]


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
    setup = structs.replace(often, evidence=(Evidence("app/jobs/a.py", 1, "`setup` runs once"),))
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


def test_the_counts_of_a_category_are_those_of_its_issues() -> None:
    issues = (issue(severity="LOW"), issue(severity="INFO"), issue(severity="INFO"))
    text = audit_report(result(*issues), "2026-11-20")

    assert "1 low, 2 info;" in text and "| Info | 2 |" in text.splitlines()
    assert "Info" not in audit_report(result(issue()), "2026-11-20").partition("### Findings")[0]
    assert "1 low 2 info" in plain(_score_line(category(1, 9.8, *issues), False, 120))


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


def test_linear_is_sent_an_issue_of_the_team() -> None:
    payload = linear.payload_of(result(issue()), "2026-11-20", "team-1", "report")

    assert payload["variables"]["input"]["teamId"] == "team-1" and payload["variables"]["input"]["priority"] == 2
    assert linear.ADDRESS.startswith("https://")


def test_linear_wants_a_team() -> None:
    with pytest.raises(CannotAnswer, match="no team"):
        linear.payload_of(result(), "2026-11-20", "", "report")


def test_linear_wants_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    payload = linear.payload_of(result(issue()), "2026-11-20", "team-1", "report")
    monkeypatch.delenv(linear.TOKEN, raising=False)

    with pytest.raises(CannotAnswer, match="is not set"):
        linear.send(payload)


def test_what_linear_refused_is_said_without_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    payload = linear.payload_of(result(issue()), "2026-11-20", "team-1", "report")
    monkeypatch.setenv(linear.TOKEN, "lin_api_secret")

    def refuse(*_: object, **__: object) -> bytes:
        raise OSError("lin_api_secret was refused")

    with pytest.raises(CannotAnswer) as refused:
        linear.send(payload, refuse)

    assert "lin_api_secret" not in str(refused.value)

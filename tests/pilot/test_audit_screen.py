"""The audit screen: progress of the workers, scores and issues, the editor, the task, and leaving."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cockpit.app import CockpitApp
from cockpit.audit.models import AuditProgress, WorkerProgress
from skills.audit.model import AuditContext, AuditResult, Category, Issue, LogRow
from skills.audit.workers import WORKERS
from skills.gates.model import Evidence, Finding
from tests.pilot.conftest import until
from widgets.audit_lines import head_lines, issue_details, progress_lines, row_line, rows_of
from widgets.lines import plain, width_of
from widgets.screens.audit import AuditRows, AuditScreen
from widgets.screens.report import ReportScreen

BAD = (
    "import requests\nfrom django.db import transaction\n\n\n@transaction.atomic\ndef pay(order):\n"
    "    requests.post('https://psp.example', timeout=3)\n"
)


def issue(message: str = "waits for another service", **values: Any) -> Issue:
    given: dict[str, Any] = {
        "rule": "scope-too-wide", "gate": "none", "severity": "MEDIUM", "skill": "s", "path": "app/pay.py", "line": 7,
        "column": 5, "end_line": 7, "end_column": 9, "symbol": "pay", "message": message, "help": "h",
        "confidence": "confirmed", "fixable": False, "fingerprint": "x", "also": ("long-held-transaction",),
        "evidence": (Evidence("app/pay.py", 5, "the transaction begins"),),
    }  # fmt: skip
    step = "lowered from HIGH to MEDIUM: a timeout limits it"
    return Issue(Finding(**{**given, **values}), "HIGH", "M", (step,))


def result(*issues: Issue) -> AuditResult:
    categories = (
        Category(WORKERS[0], "not_applicable", None, reason="no database layer was found"),
        Category(WORKERS[1], "completed", 9.5, issues),
        Category(WORKERS[2], "error", None, reason="RuntimeError: boom"),
        Category(WORKERS[3], "completed", 10.0),
    )
    before = LogRow("2026-11-01", 9.0, "stable", "+0.0", "none", "abc")
    return AuditResult("BLOCKED", 9.8, categories[1], categories, AuditContext(), "improving", "why", before=before)


def test_every_width_holds_its_lines_and_says_the_same() -> None:
    shown = result(issue("[@click=app.quit] \x1b[31m"))
    for width in (34, 60, 76, 115, 195):
        rows = [*head_lines(shown, width), *(row_line(row, width) for row in rows_of(shown, width))]
        text = "\n".join(plain(row) for row in rows)
        assert max(width_of(row) for row in rows) <= width
        assert "BLOCKED" in text and "error" in text and "pay.py:7" in text and "\x1b" not in text
        assert "scope-too-wide" in text
    assert "↑ improving from 9.0 since 2026-11-01" in plain(head_lines(shown, 115)[0])
    assert plain(head_lines(shown, 115)[1]) == "next → find out why Runtime Performance failed: RuntimeError: boom"
    whole = replace(shown, categories=shown.categories[:2])
    assert plain(head_lines(whole, 115)[1]).startswith("next → scope-too-wide at app/pay.py:7: ")
    assert "app/pay.py:7" in "".join(plain(row).strip() for row in head_lines(whole, 34)[1:3]), "where is not cut off"
    assert "◂ worst" in plain(head_lines(shown, 115)[3])
    first = replace(shown, before=None)
    assert "first audit on record" in plain(head_lines(first, 115)[0]) and "first audit" in plain(
        head_lines(first, 76)[0]
    )
    wide = plain(row_line(rows_of(shown)[1], 195))
    assert "medium" in wide and "↓ was high" in wide and "[@click=app.quit]" in wide


def test_where_it_is_narrow_issues_stand_whole_under_their_rule() -> None:
    places = (("one", "payments/models.py"), ("two", "payments/services.py"), ("one", "payments/refunds/tasks.py"))
    shown = result(*(issue(rule=rule, path=path) for rule, path in places))

    rows = [plain(row_line(row, 35)).split() for row in rows_of(shown, 35)]

    assert rows[1:] == [
        ["one", "2"],
        ["•", "payments/models.py:7"],
        ["•", "payments/refunds/tasks.py:7"],
        ["two", "1"],
        ["•", "payments/services.py:7"],
    ]


def test_why_an_issue_weighs_what_it_does_is_shown() -> None:
    text = "\n".join(plain(row) for row in issue_details(issue()))

    assert "lowered from HIGH to MEDIUM: a timeout limits it" in text and "one root cause" in text


def test_each_worker_shows_how_far_it_is() -> None:
    stages = ("completed", "running", "error", "waiting")
    workers = tuple(
        WorkerProgress(w, s, 2, 9.5 if s == "completed" else None) for w, s in zip(WORKERS, stages, strict=True)
    )  # type: ignore[arg-type]

    text = "\n".join(plain(row) for row in progress_lines(AuditProgress(0.4, workers), 80))

    assert "Reading the code" in text and "40 %" in text
    assert "▶ Transaction Correctness" in text and "2/8" in text and "9.5" in text and "waits" in text


async def test_the_audit_runs_opens_the_editor_and_writes_the_task(
    app: CockpitApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[Path, int]] = []
    monkeypatch.setattr(
        "cockpit.app_parts.audit.open_in_editor", lambda _, path, line, column: opened.append((path, line))
    )
    async with app.run_test(size=(120, 40)) as pilot:
        (app.watched / "payments.py").write_text(BAD)
        await pilot.press("a")
        await until(lambda: isinstance(app.screen, AuditScreen), "the screen")
        screen = app.screen
        assert isinstance(screen, AuditScreen)
        await until(lambda: screen.result is not None, "its end", 60)
        assert screen.result is not None and screen.result.verdict == "CONCERNS"
        rows = screen.query_one(AuditRows)
        assert rows.current is not None and rows.current.issue is not None, "enter opens what the cursor stands on"
        assert rows.find(lambda row: row.issue is not None and row.issue.finding.path == "payments.py")
        await pilot.press("enter")
        await until(lambda: bool(opened), "the editor")
        assert opened == [(app.watched / "payments.py", 7)]
        await pilot.press("space")
        await until(lambda: isinstance(app.screen, ReportScreen), "the code")
        assert "lowered from HIGH to MEDIUM" in "\n".join(plain(row) for row in app.screen.shown)  # type: ignore[attr-defined]
        await pilot.press("escape", "t")
        folder = app.watched / "docs/tasks"
        await until(lambda: folder.is_dir() and any(folder.iterdir()), "the task")
        await pilot.press("x")
        await until(lambda: (app.watched / "docs/project/persistence_audit.md").exists(), "the report")
        await pilot.press("a")
        await until(lambda: not isinstance(app.screen, AuditScreen), "leaving")
        assert app.auditing is not None and app.auditing.cancelled


async def test_where_nothing_weighs_the_screen_names_its_own_key(
    app: CockpitApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        screen = AuditScreen("acme", ("a",))
        monkeypatch.setattr(screen, "ask", lambda wanted: None)  # an audit that ends later would take its place
        await app.push_screen(screen)
        screen.finish(replace(result(), categories=result().categories[:2], questions=()))
        await pilot.pause()
        head = screen.query_one("#audit-head")
        assert plain(head.line_at(1, 95)).startswith("next → nothing weighs: x keeps the report")  # type: ignore[attr-defined]
        hint = str(screen.query_one("#frame").border_subtitle)
        assert " report" in hint and " open" not in hint  # no row that a key could open

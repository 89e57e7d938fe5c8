"""The ten measures: each with its denominator and basis, and `not_run` where nobody could look."""

import json
import subprocess
from datetime import date
from pathlib import Path

import pytest

from cockpit.audit.sources import LOG
from cockpit.cli import main
from cockpit.findings.models import Check, Finding, TrendPoint
from cockpit.phases.habits_models import HabitsView
from cockpit.phases.measures import gate_figures
from skills.audit.model import LogRow
from skills.audit.results_log import written
from skills.orchestrator.habit_models import PATTERN_NAMES, HabitRow, Look, Violation
from skills.orchestrator.habits import habit_rows
from skills.orchestrator.measures import Figures, Measure, ScoreFigures, SpendFigures, figure, share, take_measures
from skills.spending.amount import Amount
from tests.unit.claude_lines import Talk, text
from widgets.habit_lines import (
    Note,
    entry_row,
    example_row,
    habit_entries,
    habit_head,
    habit_row,
    measure_entries,
    measure_row,
)
from widgets.lines import plain, width_of

IDS = [
    "rule-compliance", "gate-outcomes", "unbacked-claims", "serial-seconds", "spend", "context", "over-delegation",
    "skills", "persistence-score", "estimate-accuracy",
]  # fmt: skip


@pytest.fixture
def project(tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COCKPIT_NOW", "2026-11-20T12:00:00+00:00")
    root = tmp_path / "project"
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    (root / "app.py").write_text("def one():\n    return 1\n\n\ndef two() -> int:\n    return 2\n")
    talk = Talk(cwd=str(root))
    talk.prompt("Add a users endpoint to app.py and to urls.py; done when pytest passes")
    for name in ("alpha.py", "bravo.py", "charlie.py"):
        talk.does("Read", "nothing", file_path=name, took=2.0)
    talk.does("Edit", file_path="app.py")
    talk.does("Bash", "1 failed", command="pytest -q", failed=True)
    talk.says(text("All tests pass."), stop="end_turn", used=100_000)
    talk.write(own_home / "claude")
    return root


def test_the_command_takes_all_ten(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["habits", "--measures", "--json", "--repo", str(project)]) == 0
    document = json.loads(capsys.readouterr().out)
    rows = {row["id"]: row for row in document["measures"]}
    assert list(rows) == IDS
    assert all(row["basis"] in ("measured", "computed", "estimated") and row["of_what"] for row in rows.values())
    assert all((row["value"] is None) == (row["status"] != "known") for row in rows.values())
    assert rows["rule-compliance"]["of"] == 3 and rows["rule-compliance"]["value"] == pytest.approx(66.7)
    parts = {part["name"]: part["value"] for part in rows["rule-compliance"]["parts"]}
    assert parts == {"missing-type-hints": "66.7 %, 1 of 3 do not"}
    assert "0 passed, 1 failed" in rows["gate-outcomes"]["detail"]
    assert (rows["unbacked-claims"]["value"], rows["unbacked-claims"]["of"]) == (1, 1)
    assert rows["serial-seconds"]["value"] == 6.0 and rows["serial-seconds"]["of"] == 14.0
    assert rows["serial-seconds"]["weeks"] == [{"week": "2026-W47", "value": 1.0}]
    assert rows["spend"]["value"] > 0 and rows["spend"]["basis"] == "computed"
    assert rows["context"]["value"] == 50.0 and rows["context"]["of"] == 1
    assert rows["persistence-score"]["status"] == "not_run" and "cockpit audit" in rows["persistence-score"]["detail"]
    assert rows["estimate-accuracy"]["of"] == 1 and "files 1 against 2 estimated" in rows["estimate-accuracy"]["detail"]
    assert "estimated by" in {part["name"]: part["value"] for part in rows["estimate-accuracy"]["parts"]}["dollars"]
    week = [{"week": "2026-W47", "value": pytest.approx(66.7)}]
    assert [part["weeks"] for part in rows["rule-compliance"]["parts"]] == [week]
    assert all(pattern["basis"] for pattern in document["patterns"])


def test_without_the_flag_nothing_else_is_answered(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["habits", "--json", "--repo", str(project)]) == 0
    assert "measures" not in json.loads(capsys.readouterr().out)
    assert main(["habits", "--measures", "--repo", str(project)]) == 0
    said = capsys.readouterr().out
    assert "measures:" in said and "of 1 claims that a check passes" in said


def test_what_nobody_could_look_at_is_never_zero() -> None:
    measures = take_measures(Figures())
    assert [one.id for one in measures] == IDS
    assert {one.status for one in measures} == {"not_run"} and {one.value for one in measures} == {None}
    assert all(one.detail and figure(one) == "?" and share(one) == "" for one in measures)


@pytest.mark.parametrize(("last", "course"), [(7.8, "better"), (7.2, "steady"), (6.4, "worse")])
def test_a_score_moves_beyond_a_third_of_a_point(last: float, course: str) -> None:
    scores = tuple((date(2026, 11, day), score, "query 5.0") for day, score in ((1, 7.0), (9, last)))
    measure = take_measures(Figures(audits=ScoreFigures(scores)))[8]
    assert measure.value == last and measure.detail.startswith(course) and len(measure.weeks) == 2


def test_the_scores_are_those_of_the_audits_own_log(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = project / LOG
    log.parent.mkdir(parents=True)
    rows = [
        LogRow("2026-11-06", 6.5, "CONCERNS", "", "n+1 in lists", "a"),
        LogRow("2026-11-13", 7.4, "PASS", "", "x", "b"),
    ]
    log.write_text(written(rows))
    assert main(["habits", "--measures", "--json", "--repo", str(project)]) == 0
    row = json.loads(capsys.readouterr().out)["measures"][8]
    assert (row["id"], row["value"], row["of"]) == ("persistence-score", 7.4, 2)
    assert row["detail"].startswith("better (+0.9") and row["weeks"][0] == {"week": "2026-W45", "value": 6.5}


def test_a_rule_counts_once_a_place() -> None:
    def found(rule: str, line: int, symbol: str, gate: str = "P1") -> Finding:
        return Finding(
            rule, gate, "HIGH", "s", "a.py", line, 1, line, 2, symbol, "m", "h", "confirmed", False, f"{rule}{line}"
        )  # type: ignore[arg-type]

    places = (("n-plus-one", 1, "f"), ("n-plus-one", 2, "f"), ("n-plus-one", 9, "g"))
    findings = [*(found(*place) for place in places), found("x", 1, "f", "P2")]
    checks = [Check(rule="n-plus-one", status="fail", count=3), Check(rule="y", status="pass", count=0)]
    trend = [
        TrendPoint(date(2026, 11, 2), 10, 9),
        TrendPoint(date(2026, 11, 9), 10, 9, {"n-plus-one": 4, "bare-mock": 1}),
        TrendPoint(date(2026, 11, 18), 10, 9, {"n-plus-one": 1}),
        TrendPoint(date(2026, 11, 20), 10, 8, {"n-plus-one": 2}),
    ]
    figures = gate_figures(findings, checks, trend)
    assert figures.broken == {"n-plus-one": 2} and (figures.places, figures.holding) == (10, 8)
    assert figures.trend == (("2026-W45", 0.9), ("2026-W46", 0.9), ("2026-W47", 0.8))
    compliance = take_measures(Figures(gates=figures))[0]
    assert compliance.courses["n-plus-one"] == (("2026-W46", 60.0), ("2026-W47", 80.0))
    assert compliance.courses["bare-mock"][-1] == ("2026-W47", 100.0)
    assert [name for name, _ in compliance.rows] == ["n-plus-one", "bare-mock"]
    entries = measure_entries(HabitsView((), (), 0, measures=(compliance,)))
    assert any("+20.0" in plain(one.right) for one in entries if isinstance(one, Note))
    assert take_measures(Figures(gates=figures))[1].value == 50.0


@pytest.mark.parametrize("width", [20, 36, 60, 92, 116, 196])
def test_every_line_of_the_screen_fits(width: int) -> None:
    view = HabitsView(habit_rows([]), (), 0, ("one", "two"), take_measures(Figures()))
    for entry in [*habit_entries(view), *measure_entries(view)]:
        row = entry_row(entry, view, width)
        assert width_of(row) <= width and "\x1b" not in plain(row)
    assert width_of(habit_head(width)) <= width


def test_dollars_that_some_calls_are_missing_from_are_at_least_so_many() -> None:
    def spent(unpriced: int, *, floor: bool = False) -> Measure:
        dearest = (("model", "m", Amount(4.0, unpriced > 0)),)
        return take_measures(Figures(spend=SpendFigures(12.5, 1_000, unpriced, None, floor, dearest)))[4]

    assert figure(spent(0)) == "$12.50" and spent(0).rows == (("model m", "$4.00"),)
    assert figure(spent(10)) == figure(spent(0, floor=True)) == "≥ $12.50"
    assert spent(10).rows == (("model m", "≥ $4.00"),)
    assert "≥ $12.50" in plain(measure_row(spent(10), 100)) and "≥ $12.50" in plain(measure_row(spent(10), 40))


def test_a_habit_of_which_not_every_case_has_a_price_cost_at_least_so_much() -> None:
    def row(*prices: float | None, floor: bool = False) -> HabitRow:
        found = tuple(
            Violation("no-analysis", "s", line, None, "vague", usd=usd, floor=floor) for line, usd in enumerate(prices)
        )
        return habit_rows([{pattern: Look("fail", found) for pattern in PATTERN_NAMES}])[0]

    assert [row(1.0, 2.0).floor, row(1.0, None).floor, row(None).floor, row(1.0, floor=True).floor] == [
        False, True, False, True,
    ]  # fmt: skip
    assert "≥ $1.00" in plain(habit_row(row(1.0, None), (), 100))


def test_a_case_names_its_session_at_every_width() -> None:
    case = Violation("no-analysis", "64481a81-8040-3b86", 12, None, "vague", usd=1.5)
    for width in (35, 60, 100):
        row = example_row(case, width)
        assert "64481a81:12" in plain(row) and "$1.50" in plain(row) and width_of(row) <= width
    rows = habit_rows([{pattern: Look("fail", (case,)) for pattern in PATTERN_NAMES}])
    assert [PATTERN_NAMES[row.id] in plain(habit_row(row, (), 36)) for row in rows] == [True] * len(rows)

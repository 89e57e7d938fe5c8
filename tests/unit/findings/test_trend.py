"""The trend of P1: what counts as a place, one row a day, and nothing lost by a broken file."""

import subprocess
from datetime import date
from pathlib import Path

import pytest

from cockpit.cli import main
from cockpit.findings.models import FindingsSnapshot, TrendPoint
from cockpit.findings.trend import compliance, read_trend, with_today, write_trend
from cockpit.paths import state_dir
from cockpit.repository import find_repository
from skills.gates import RULES, analyse, settle
from skills.gates.model import GateOptions, ProjectEvidence
from widgets.finding_lines import compliance as said

UNTYPED = "class Basket:\n    def add(self, item):\n        pass\n\n    def size(self) -> int:\n        return 0\n"


def test_a_place_is_a_module_a_class_or_a_function() -> None:
    assert analyse("a.py", b"").places == 1
    assert analyse("a.py", UNTYPED.encode()).places == 4
    assert analyse("a.py", b"async  def f(): pass\n# def g(): pass\nclassy = 1\ndefault = 2\n").places == 2


def test_a_place_with_a_finding_does_not_hold() -> None:
    reports = {"a.py": analyse("a.py", UNTYPED.encode()), "b.py": analyse("b.py", b"def f(:\n")}
    verdict = settle(reports.values(), ProjectEvidence(), GateOptions(select=("missing-type-hints",), profile="binora"))
    assert [finding.symbol for finding in verdict.findings] == ["Basket.add"]
    assert compliance(reports, verdict.findings, RULES) == (4, 3, {"missing-type-hints": 1})
    assert compliance(reports, (), RULES) == (4, 4, {})
    assert compliance(reports, verdict.findings, ()) == (4, 4, {})


def test_a_rise_of_few_points_is_seen() -> None:
    shares = (740, 750, 760, 780)
    trend = tuple(TrendPoint(date(2026, 3, day), 1000, held) for day, held in enumerate(shares, 1))

    words, _, bars = said(FindingsSnapshot(trend=trend)).rpartition(" ")

    assert words == "P1 holds 78 %, goal 95 %" and sorted(bars) == list(bars) and len(set(bars)) == 4


def test_one_row_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points: tuple[TrendPoint, ...] = ()
    for day, held in (("2026-03-01", 5), ("2026-03-01", 7), ("2026-03-02", 8)):
        monkeypatch.setenv("COCKPIT_NOW", f"{day}T12:00:00Z")
        points = with_today(points, 10, held)
    assert points == (TrendPoint(date(2026, 3, 1), 10, 7), TrendPoint(date(2026, 3, 2), 10, 8))
    assert points[-1].share == 0.8
    assert with_today(points, 0, 0) == points
    write_trend(tmp_path, points)
    assert read_trend(tmp_path) == points
    assert read_trend(tmp_path / "other") == ()


def test_old_rows_go_and_a_broken_file_is_an_empty_trend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COCKPIT_NOW", "2026-03-01T12:00:00Z")
    many = tuple(TrendPoint(date.fromordinal(730_000 + number), 1, 1) for number in range(400))
    write_trend(tmp_path, with_today(many, 1, 1))
    assert len(read_trend(tmp_path)) == 400 and read_trend(tmp_path)[0] == many[1]
    path = next((state_dir() / "trend").glob("*.json"))
    path.write_text('{"days": {"2026-13-01": [1, 2], "2026-02-01": [3, 2], "2026-02-02": 7}}')
    assert read_trend(tmp_path) == (TrendPoint(date(2026, 2, 1), 3, 2),)
    for damage in (b"{", b"[" * 100_000, b'{"days": 3}', b"\xff"):
        path.write_bytes(damage)
        assert read_trend(tmp_path) == ()
        assert write_trend(tmp_path, (TrendPoint(date(2026, 3, 1), 1, 1),)) == read_trend(tmp_path)
        assert path.with_suffix(".broken").read_bytes() == damage


def test_rows_that_another_process_wrote_meanwhile_stay(tmp_path: Path) -> None:
    first, second, third = (TrendPoint(date(2026, 3, day), 10, day) for day in (1, 2, 3))
    write_trend(tmp_path, (first,))
    write_trend(tmp_path, (first, second))  # by another

    assert write_trend(tmp_path, (first, third)) == read_trend(tmp_path) == (first, second, third)


def test_the_configured_rules_make_a_row_and_those_of_a_flag_do_not(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    root.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    (root / "a.py").write_text(UNTYPED)
    (root / "cockpit.toml").write_text('[checks]\nignore = ["print-in-test"]\n')

    assert main(["--repo", str(root), "check", "--profile", "fastapi"]) == 0
    assert read_trend(find_repository(root)) == ()
    assert main(["--repo", str(root), "check"]) == 0
    assert [point.places for point in read_trend(find_repository(root))] == [4]
    (root / "cockpit.toml").write_text('[checks]\nselect = ["P0"]\n')
    (root / "b.py").write_text(UNTYPED)
    assert main(["--repo", str(root), "check"]) == 0
    assert [point.places for point in read_trend(find_repository(root))] == [4]


def test_only_a_complete_check_makes_a_row(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    root.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    (root / "a.py").write_text(UNTYPED)
    for words in (["--select", "P1"], ["--staged"], [str(root / "a.py")]):
        assert main(["--repo", str(root), "check", *words]) == 0
    assert read_trend(find_repository(root)) == ()
    assert main(["--repo", str(root), "check"]) == 0
    assert [point.places for point in read_trend(find_repository(root))] == [4]

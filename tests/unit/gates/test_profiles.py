"""Profiles by evidence, coverage by profile, presets; and what people live with: comments and baselines."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from cockpit.cli import main
from cockpit.config import Config
from cockpit.findings.coverage import own_report
from cockpit.findings.once import CheckRequest, check_now
from cockpit.findings.options import options_of
from skills.gates import RULES, analyse, known_words, settle
from skills.gates.engine.noqa import CODES, rules_of
from skills.gates.model import CoverageReport, GateOptions, ProjectEvidence, Verdict
from skills.gates.presets import PRESETS, preset_words
from skills.gates.profiles import PROFILES, choose_profile, component_of
from skills.gates.testing.coverage import parse_coverage
from tests.git import git

PLAIN = "def first(x: int) -> int:\n    return x\n"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    (root / "tests").mkdir(parents=True)
    git(root, "init", "-q", "-b", "main")
    (root / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = ["pytest-mock"]\n')
    return root


def answer(root: Path, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    capsys.readouterr()
    main(["--repo", str(root), "check", "--json", *words])
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def rules_of_findings(document: dict[str, Any], baseline: str = "new") -> list[str]:
    return [row["rule"] for row in document["findings"] if row["baseline"] == baseline and row["suppressed"] is None]


def test_the_profile_follows_the_dependencies() -> None:
    assert choose_profile({}) == ("default", "")
    assert choose_profile({"fastapi": "a:1", "torch": "a:2"}) == ("fastapi", "a:1 names fastapi")
    assert choose_profile({"torch": "a:2"})[0] == "ml"
    assert choose_profile({"django": "a:1", "fastapi": "a:2"})[0] == "django"
    assert "binora" not in {choose_profile({name: "x"})[0] for name in ("django", "fastapi", "torch")}


FASTAPI = '[project]\nname = "x"\ndependencies = ["fastapi"]\n'


def test_the_rules_of_a_framework_do_not_apply_without_it(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "api.py").write_text(PLAIN)

    def status(rule: str) -> tuple[str, str | None]:
        document = answer(repo, capsys)
        return next((row["status"], row["reason"]) for row in document["checks"] if row["rule"] == rule)

    (repo / "pyproject.toml").write_text(FASTAPI)
    assert status("csrf-exempt") == ("not_applicable", "the project does not depend on Django")
    assert status("view-without-permissions") == (
        "not_applicable",
        "the project does not depend on Django REST framework",
    )
    assert status("logic-in-router") == ("pass", None)
    assert status("query-in-loop") == ("pass", None)
    assert [gate["status"] for gate in answer(repo, capsys)["gates"]] == ["not_applicable", "pass", "pass"]

    (repo / "jobs.py").write_text("import os\n\nfrom django.db import connection\n")
    assert status("csrf-exempt") == ("pass", None)
    assert status("torch-load-unsafe")[0] == "not_applicable"


def test_where_no_dependency_is_named_no_framework_is_ruled_out(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "pyproject.toml").unlink()
    (repo / "api.py").write_text(PLAIN)
    checks = answer(repo, capsys)["checks"]
    assert {row["rule"]: row["status"] for row in checks}["csrf-exempt"] == "pass"


def test_what_a_rule_finds_is_told_whatever_the_manifests_say(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "pyproject.toml").write_text(FASTAPI)
    (repo / "api.py").write_text("def pay(task):\n    import torch\n\n    return torch.load(task)\n")
    document = answer(repo, capsys, "--select", "torch-load-unsafe")
    assert ("torch-load-unsafe", "fail", 1) in [
        (row["rule"], row["status"], row["count"]) for row in document["checks"]
    ]


DJANGO = '[project]\nname = "x"\ndependencies = [\n  "Django>=5",\n]\n'


def test_the_choice_is_said(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "pyproject.toml").write_text(DJANGO)
    document = answer(repo, capsys)
    assert document["profile"] == "django"
    assert "profile django: pyproject.toml:4 names django" in document["notes"]


def test_a_person_wins(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "pyproject.toml").write_text(DJANGO)
    (repo / "cockpit.toml").write_text('profile = "fastapi"\n')
    document = answer(repo, capsys)
    assert document["profile"] == "fastapi" and document["notes"] == []
    assert answer(repo, capsys, "--profile", "ml")["profile"] == "ml"


def test_an_unknown_profile_is_refused(repo: Path) -> None:
    (repo / "cockpit.toml").write_text('profile = "nope"\n')
    assert main(["--repo", str(repo), "check"]) == 2


COVERED = {
    "a/models.py": (10, 8),
    "a/views.py": (10, 9),
    "a/utils.py": (100, 95),
    "a/tests/test_x.py": (10, 0),
}
SOURCES = {
    "a/models.py": "from django.db import models\n\n\nclass A(models.Model):\n    pass\n",
    "a/views.py": "from rest_framework.views import APIView\n\n\nclass V(APIView):\n    pass\n",
    "a/utils.py": PLAIN,
    "a/tests/test_x.py": "def test_x():\n    assert 1\n",
}


def coverage_json(covered: dict[str, tuple[int, int]] = COVERED) -> str:
    rows = {
        name: {
            "summary": {"num_statements": total, "covered_lines": run},
            "missing_lines": list(range(3, 3 + total - run)),
        }
        for name, (total, run) in covered.items()
    }
    return json.dumps({"meta": {}, "files": rows})


def judged(profile: str, coverage: CoverageReport | None) -> Verdict:
    reports = [analyse(name, source.encode()) for name, source in SOURCES.items()]
    return settle(reports, ProjectEvidence({}, coverage), GateOptions(profile=profile, select=("missing-coverage",)))


def test_a_report_that_measured_nothing_is_no_answer() -> None:
    nothing = '{"files": {"a.py": {"summary": {"num_statements": 0, "covered_lines": 0}}}}'
    for text in ('{"files": {}}', nothing):
        (check,) = judged("default", parse_coverage(text)).checks
        assert (check.status, "measured no statement" in (check.reason or "")) == ("not_run", True)


@pytest.mark.parametrize(
    ("profile", "places"),
    [
        ("default", []),
        ("django", [("a/models.py", "models")]),
        ("binora", [("a/models.py", "file"), ("a/utils.py", "file"), ("a/views.py", "file")]),
    ],
)
def test_each_profile_asks_for_its_own_coverage(profile: str, places: list[tuple[str, str]]) -> None:
    found = judged(profile, parse_coverage(coverage_json())).findings
    assert [(one.path, one.message.split(" % of ")[1].split(",")[0].removeprefix("the ")) for one in found] == places
    assert all(one.line == 3 for one in found)


def test_the_whole_project_counts_without_its_tests() -> None:
    poor = {**COVERED, "a/utils.py": (100, 70)}
    (found,) = judged("fastapi", parse_coverage(coverage_json(poor))).findings
    assert found.path == "a/utils.py" and found.message.startswith("tests cover 72.5 % of the project, 80 %")
    nearly = {"a/utils.py": (10_000, 7_999)}
    assert "79.9 %" in judged("fastapi", parse_coverage(coverage_json(nearly))).findings[0].message


def test_without_a_report_it_is_not_run_and_blocks_nothing(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "tests" / "test_a.py").write_text("def test_a():\n    assert 1 == 1\n")
    (repo / "a.py").write_text(PLAIN)
    document = answer(repo, capsys)
    (check,) = [row for row in document["checks"] if row["rule"] == "missing-coverage"]
    assert check["status"] == "not_run" and "no coverage.json" in check["reason"]
    assert {row["gate"]: row["status"] for row in document["gates"]}["P1"] == "pass"


def test_a_report_older_than_a_source_is_not_believed(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "tests" / "test_a.py").write_text("def test_a():\n    assert 1\n")
    (repo / "a.py").write_text(PLAIN)
    (repo / "coverage.json").write_text(coverage_json({str(repo / "a.py"): (2, 1)}))
    assert "missing-coverage" in rules_of_findings(answer(repo, capsys))
    stat = (repo / "a.py").stat()
    os.utime(repo / "a.py", ns=(stat.st_atime_ns, stat.st_mtime_ns + 10**10))
    (check,) = [row for row in answer(repo, capsys)["checks"] if row["rule"] == "missing-coverage"]
    assert (check["status"], check["reason"]) == ("not_run", "coverage.json is older than a.py: run the tests again")
    for name in ("b.py", "c.py"):
        (repo / name).write_text(PLAIN)
    (repo / "coverage.json").unlink()
    own = own_report(repo)
    own.parent.mkdir(parents=True)
    own.write_text(coverage_json({str(repo / name): (2, 1) for name in ("a.py", "b.py")}))
    os.utime(own, (0, 0))
    (check,) = [row for row in answer(repo, capsys)["checks"] if row["rule"] == "missing-coverage"]
    assert check["reason"] == "the last run of the tests is older than a.py and 1 more file: run the tests again"
    own.unlink()
    (repo / "coverage.json").write_text("{")
    (check,) = [row for row in answer(repo, capsys)["checks"] if row["rule"] == "missing-coverage"]
    assert check["status"] == "not_run" and "cannot be read" in check["reason"]


def test_components_by_role_and_name() -> None:
    assert component_of("a/x.py", "model") == "models" and component_of("a/helpers/x.py", "module") == "utilities"
    assert component_of("a/x.py", "module") is None
    assert set(PROFILES) == {"default", "django", "fastapi", "ml", "binora"}


def test_presets_name_what_exists(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert set(PRESETS) == {"quick-audit", "check-tenant", "check-contract", "query-analysis", "coverage"}
    assert preset_words("check-tenant", known_words()) == ("multi-tenant-guardian",)
    (repo / "a.py").write_text(PLAIN)
    checks = {row["rule"] for row in answer(repo, capsys, "--preset", "check-tenant")["checks"]} - {"ruff"}
    assert checks == {name for name, rule in RULES.items() if rule.skill == "multi-tenant-guardian"}
    assert main(["--repo", str(repo), "check", "--preset", "nope"]) == 2
    assert main(["--repo", str(repo), "check", "--preset", "coverage", "--select", "P0"]) == 2


SECRET = 'PASSWORD = "hunter2-and-more-9x"'


@pytest.mark.parametrize(
    ("comment", "silent"),
    [
        ("# noqa", True),
        ("# noqa: S105", True),
        ("# NOQA:E501,S105", True),
        ("# nosec", True),
        ("# nosec B105", True),
        ("# noqa: E501", False),
        ("# nosecret", False),
    ],
)
def test_comments_for_other_linters_count_for_mapped_rules(comment: str, silent: bool) -> None:
    report = analyse("shop/mail.py", f"{SECRET}  {comment}\n".encode())
    verdict = settle([report], ProjectEvidence(), GateOptions(select=("hardcoded-secret", "unused-suppression")))
    assert [(found.rule, found.suppressed is not None) for found in verdict.findings] == [("hardcoded-secret", silent)]


def test_the_table_never_silences_what_blocks() -> None:
    assert {RULES[name].gate for name in CODES if name in RULES} <= {"P1", "P2", "none"}
    assert rules_of(("B608",)) == ("raw-sql-interpolation",) and rules_of(()) == tuple(CODES)


def test_comments_are_judged_in_the_part_that_is_asked_for(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "a.py").write_text("A = 1  # cockpit: ignore[hardcoded-secret] old\n")
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "start")
    (repo / "a.py").write_text(
        "A = 1  # cockpit: ignore[hardcoded-secret] old\n"
        f"{SECRET}  # cockpit: ignore[hardcoded-secret] a sample\n"
        "B = 2  # cockpit: ignore[bare-mock]\n"
    )
    git(repo, "add", "-A")
    assert rules_of_findings(answer(repo, capsys, "--staged")) == ["suppression-without-reason"]
    assert sorted(rules_of_findings(answer(repo, capsys))) == ["suppression-without-reason", "unused-suppression"]


MOCKED = "from unittest.mock import Mock\n\n\ndef test_a():\n    assert Mock()\n"


def accept(root: Path) -> list[str]:
    assert main(["--repo", str(root), "check", "--write-baseline"]) == 0
    rows = json.loads((root / ".cockpit" / "baseline.json").read_text())["findings"]
    return [row["fingerprint"] for row in rows]


@pytest.mark.parametrize("change", ["lines", "function", "file", "folder"])
def test_a_baseline_follows_what_moves(repo: Path, capsys: pytest.CaptureFixture[str], change: str) -> None:
    path = repo / "tests" / "test_a.py"
    path.write_text(MOCKED)
    assert accept(repo)
    known = rules_of_findings(answer(repo, capsys), "known")
    if change == "lines":
        path.write_text(MOCKED.replace("\n\n\ndef", "\n\nLIMIT = 3\n\n\ndef"))
    elif change == "function":
        path.write_text(MOCKED.replace("\n\n\n", "\n\n\ndef test_0():\n    assert 1\n\n\n"))
    elif change == "file":
        path.rename(path.with_name("test_renamed.py"))
    else:
        (repo / "more" / "tests").mkdir(parents=True)
        path.rename(repo / "more" / "tests" / "test_a.py")
    document = answer(repo, capsys)
    assert known and rules_of_findings(document, "known") == known and "bare-mock" not in rules_of_findings(document)


def test_a_copy_is_new(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "tests" / "test_a.py").write_text(MOCKED)
    accept(repo)
    (repo / "tests" / "test_b.py").write_text(MOCKED)
    document = answer(repo, capsys)
    new = [row["path"] for row in document["findings"] if row["baseline"] == "new" and row["gate"] == "P0"]
    assert set(new) == {"tests/test_b.py"}
    (repo / "tests" / "test_a.py").unlink()
    assert [row for row in answer(repo, capsys)["findings"] if row["baseline"] == "new"] == []


def test_a_baseline_only_shrinks(repo: Path) -> None:
    path = repo / "tests" / "test_a.py"
    path.write_text(MOCKED)
    first = accept(repo)
    path.write_text(MOCKED + "\n\ndef test_b():\n    from unittest.mock import patch\n\n    assert patch\n")
    main(["--repo", str(repo), "check", "--write-baseline"])
    assert [row["fingerprint"] for row in _rows(repo)] == first
    path.rename(path.with_name("test_renamed.py"))
    main(["--repo", str(repo), "check", "--write-baseline"])
    assert {row["path"] for row in _rows(repo)} == {"tests/test_renamed.py"} and len(_rows(repo)) == len(first)
    main(["--repo", str(repo), "check", "--write-baseline", "--force"])
    assert len(_rows(repo)) > len(first)
    path.with_name("test_renamed.py").write_text("def test_a():\n    assert 1\n")
    main(["--repo", str(repo), "check", "--write-baseline"])
    assert _rows(repo) == []


def _rows(root: Path) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = json.loads((root / ".cockpit" / "baseline.json").read_text())["findings"]
    return rows


def test_a_file_that_cannot_be_read_hides_behind_no_known_finding(repo: Path) -> None:
    (repo / "tests" / "test_a.py").write_text(MOCKED)
    accept(repo)
    (repo / "tests" / "test_b.py").write_text("def test_b(:\n")
    outcome, _ = check_now(repo, Config(), CheckRequest(options=options_of(Config(), select=("bare-mock",))))
    assert [check.status for check in outcome.checks if check.rule == "bare-mock"] == ["not_run"]
    assert outcome.exit_code == 2

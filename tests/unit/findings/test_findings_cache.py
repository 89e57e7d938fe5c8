"""Reports are kept by content and rule set, and never trusted beyond that."""

import os
import subprocess
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from cockpit.config import Config
from cockpit.findings import cache
from cockpit.findings.cache import Entry, ReportCache, ReportsOnDemand, keep_loaded
from cockpit.findings.discovery import FileMark
from cockpit.findings.engine import CheckRequest, check_now
from cockpit.findings.outcome import Outcome
from cockpit.findings.pool import Pool
from cockpit.findings.worker import Task, encode_judged, judge
from skills.gates.model import FileReport, GateOptions

MOCK = "from unittest.mock import Mock\n\n\ndef test_a():\n    assert Mock()\n"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    root.mkdir()
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    (root / "pyproject.toml").write_text('[project]\ndependencies = ["pytest-mock"]\n')
    (root / "tests").mkdir()
    for number in range(5):
        (root / "tests" / f"test_{number}.py").write_text(MOCK)
    return root


def check(root: Path, **more: object) -> Outcome:
    return check_now(root, Config(), CheckRequest(**more))[0]  # type: ignore[arg-type]


def test_a_second_check_takes_everything_from_the_cache(repo: Path) -> None:
    first, second = check(repo), check(repo)
    assert (first.files.parsed, first.files.cached) == (5, 0)
    assert (second.files.parsed, second.files.cached) == (0, 5)
    assert second.findings == first.findings
    assert len(first.findings) >= 5


def test_a_change_of_the_same_length_in_the_same_moment_is_seen(repo: Path) -> None:
    path = repo / "tests" / "test_0.py"
    check(repo)
    found = path.stat()
    path.write_text(MOCK.replace("Mock", "Task"))
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    second = check(repo)
    assert second.files.parsed == 1
    assert not [finding for finding in second.findings if finding.path == "tests/test_0.py"]


def test_an_old_mark_is_believed_and_a_racy_one_is_not() -> None:
    old = FileMark(10, 1_000, 1_000, 7)
    far = Entry(b"d", None, old, 1_000 + cache.RACY_NS + 1)
    near = Entry(b"d", None, old, 1_000 + cache.RACY_NS - 1)
    assert far.holds_for(old)
    assert not near.holds_for(old)
    assert not far.holds_for(FileMark(10, 1_000, 1_001, 7))


def test_what_did_not_change_for_long_is_not_read_again(repo: Path) -> None:
    mark = judge(os.fsencode(repo), Task(b"tests/test_0.py", 1)).mark
    assert mark is not None
    kept = ReportCache(repo)
    kept.files[b"tests/test_0.py"] = Entry(b"kept", FileReport("tests/test_0.py"), mark, mark.ctime_ns + 3 * 10**9)
    kept.changed = True
    kept.save()
    outcome = check(repo)
    assert (outcome.files.parsed, outcome.files.cached) == (4, 1)
    assert not [finding for finding in outcome.findings if finding.path == "tests/test_0.py"]


@pytest.mark.parametrize("damage", [b"", b"not msgpack", b"\x93\xa1x\x80"])
def test_a_damaged_cache_is_ignored_and_rebuilt(repo: Path, damage: bytes) -> None:
    first = check(repo)
    path = ReportCache(repo).path
    path.write_bytes(damage)
    again = check(repo)
    assert again.findings == first.findings
    assert again.files.parsed == 5
    assert check(repo).files.cached == 5


def test_another_rule_set_makes_the_cache_worthless(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check(repo)
    monkeypatch.setattr(cache, "_ruleset", "another")
    assert ReportCache(repo).files == {}


def test_other_names_of_the_tenant_make_the_cache_worthless(repo: Path) -> None:
    views = "def mine(request):\n    return Note.objects.filter(firm=request.firm)\n"
    (repo / "views.py").write_text(views)

    def found(*fields: str) -> list[str]:
        options = GateOptions(tenancy="transparent", tenant_fields=fields, select=("manual-tenant-filter",))
        return [finding.path for finding in check(repo, options=options).findings]

    assert [found("company"), found("firm"), found("firm"), found("company")] == [[], ["views.py"], ["views.py"], []]


def test_a_state_folder_that_cannot_be_written_is_said(
    repo: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("COCKPIT_STATE_DIR", str(blocked))
    outcome = check(repo)
    assert outcome.files.parsed == 5
    assert any("cached" in note or "cache" in note for note in outcome.notes)


def test_without_a_cache_nothing_is_written(repo: Path) -> None:
    check(repo, use_cache=False)
    assert not ReportCache(repo).path.exists()


def test_the_cache_forgets_files_that_are_gone(repo: Path) -> None:
    check(repo)
    (repo / "tests" / "test_0.py").unlink()
    check(repo)
    assert b"tests/test_0.py" not in ReportCache(repo).files


@pytest.mark.parametrize(("workers", "start"), [(2, "fork"), (2, "spawn"), (5, "fork")])
def test_workers_give_every_file_exactly_one_answer(repo: Path, workers: int, start: str) -> None:
    names = [f"tests/test_{number}.py".encode() for number in range(5)] + [b"gone.py"]
    pool = Pool(workers, start)  # type: ignore[arg-type]
    try:
        tasks = [Task(name, 100) for name in names]
        answers = [answer for batch in pool.run(repo, tasks) for answer in batch]
        again = [answer for batch in pool.run(repo, tasks[:1]) for answer in batch]
    finally:
        pool.close()
    assert sorted(answer.name for answer in answers) == sorted(names)
    assert [answer.gone for answer in answers if answer.name == b"gone.py"] == [True]
    assert again[0].report == next(answer.report for answer in answers if answer.name == names[0])


def test_a_worker_that_dies_costs_nothing_but_its_batch(repo: Path) -> None:
    pool = Pool(1)
    try:
        pool.warm()
        process = pool._idle[0].process
        assert not isinstance(process, int)
        process.kill()
        process.wait()
        answers = [answer for batch in pool.run(repo, [Task(b"tests/test_0.py", 1)]) for answer in batch]
    finally:
        pool.close()
    assert answers[0].report is not None and answers[0].report.candidates


def test_a_run_that_is_given_up_leaves_the_pool_usable(repo: Path) -> None:
    pool = Pool(2)
    tasks = [Task(f"tests/test_{number}.py".encode(), 100) for number in range(5)]
    try:
        run = pool.run(repo, tasks)
        next(run)
        beside = [answer for batch in pool.run(repo, tasks) for answer in batch]
        run.close()  # type: ignore[attr-defined]
        after = [answer for batch in pool.run(repo, tasks) for answer in batch]
    finally:
        pool.close()
    assert len(beside) == len(after) == 5


def test_lone_surrogates_in_a_report_reach_the_parent_replaced() -> None:
    judged = judge(b"/", Task(b"x.py", 1, b"", b"x = 1\n"))
    broken = msgspec.structs.replace(judged, report=FileReport("x\ud800.py"))
    assert b"x?.py" in encode_judged([broken])


def test_an_unreadable_file_is_a_problem_and_the_rest_is_judged(repo: Path) -> None:
    (repo / "tests" / "test_bad.py").write_text("def broken(:\n")
    (repo / "tests" / "test_bytes.py").write_bytes(b"x = '\xff'\n")
    outcome = check(repo)
    assert {problem.path for problem in outcome.problems} == {"tests/test_bad.py", "tests/test_bytes.py"}
    assert outcome.files.seen == 7
    assert outcome.exit_code == 1


def test_reports_on_demand_are_the_kept_ones_and_are_written_as_they_were(repo: Path) -> None:
    check(repo)
    whole, few = ReportCache(repo), ReportsOnDemand(repo)
    assert len(whole.files) == 5 and {**few.files} == whole.files and few.manifests == whole.manifests
    before = whole.path.read_bytes()
    few.changed = True
    few.save()
    assert whole.path.read_bytes() == before


def test_an_outline_is_what_a_report_tells_of_the_project(repo: Path) -> None:
    (repo / "models.py").write_text("from django.db import models\n\n\nclass Item(models.Model):\n    pass\n")
    check(repo)
    key = b"models.py"
    whole, few = ReportCache(repo), ReportsOnDemand(repo)
    report, outline = whole.files[key].report, few.outline(key)
    assert report is not None and report.facts and report.candidates
    facts = replace(report, candidates=(), suppressions=(), problem=None, crashed=())
    assert outline is not None and outline.report == facts and outline.digest == whole.files[key].digest
    assert whole.outline(key) == outline
    keep_loaded([repo])
    try:
        assert ReportsOnDemand(repo).outline(key) == outline
    finally:
        keep_loaded([])


@pytest.mark.parametrize("damage", [b"", b"\xff", b"\x94\xa1x\x80\x80\xc0"])
def test_reports_on_demand_are_none_where_the_cache_is_damaged_or_gone(repo: Path, damage: bytes) -> None:
    assert not ReportsOnDemand(repo).files
    check(repo)
    ReportCache(repo).path.write_bytes(damage)
    assert not ReportsOnDemand(repo).files and ReportsOnDemand(repo).manifests is None

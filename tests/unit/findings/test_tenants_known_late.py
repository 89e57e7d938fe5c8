"""What is about rows of tenants is asked only once a model belongs to one, and then of every file."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from cockpit.config import Config
from cockpit.findings import project as judging
from cockpit.findings.once import CheckRequest, check_now, make_project
from cockpit.findings.outcome import outcome_of
from cockpit.findings.pool import Pool
from cockpit.findings.project import Project
from cockpit.hooks.judge import judge_edits
from skills.gates import RULES, analyse
from skills.gates.model import GateOptions

VIEW = """\
from django.contrib.auth.decorators import login_required

from shop.models import Invoice


@login_required
def show(request, pk):
    return render(request, "one.html", {"invoice": Invoice.objects.get(pk=pk)})
"""
PLAIN = "from django.db import models\n\n\nclass Invoice(models.Model):\n    number = models.CharField(max_length=9)\n"
OWNED = PLAIN + '    company = models.ForeignKey("Company", on_delete=models.CASCADE)\n'
RULE = "unscoped-tenant-query"
OPTIONS = GateOptions(select=(RULE,), tenancy="explicit")
ALL_FILES = {"shop/views.py", "shop/models.py"}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    (root / "shop").mkdir(parents=True)
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    (root / "pyproject.toml").write_text('[project]\ndependencies = ["django"]\n')
    (root / "shop" / "views.py").write_text(VIEW)
    (root / "shop" / "models.py").write_text(PLAIN)
    return root


def check(root: Path, **more: object) -> tuple[list[tuple[str, int]], Project]:
    outcome, project = check_now(root, Config(), CheckRequest(options=OPTIONS, **more))  # type: ignore[arg-type]
    return [(one.path, one.line) for one in outcome.findings], project


def test_without_tenants_a_query_is_left_for_later() -> None:
    later = analyse("shop/views.py", VIEW.encode(), tenants=False)
    now = analyse("shop/views.py", VIEW.encode())
    assert (later.deferred, now.deferred) == (True, False)
    assert [one.rule for one in now.candidates if one not in later.candidates] == [RULE]
    assert not analyse("shop/models.py", OWNED.encode(), tenants=False).deferred


def test_only_rules_about_rows_of_tenants_wait_for_one() -> None:
    waiting = {rule.name for rule in RULES.values() if any(watch.tenants for watch in rule.watches)}
    assert waiting == {RULE}


def test_a_model_that_is_read_after_the_view_has_it_asked_again(repo: Path) -> None:
    (repo / "shop" / "models.py").rename(repo / "shop" / "zones.py")  # not where models are looked for first
    (repo / "shop" / "zones.py").write_text(OWNED)
    found, project = check(repo)
    assert found == [("shop/views.py", 8)]
    assert not any(report.deferred for report in project.reports.values())
    assert check(repo)[0] == found


def test_in_worker_processes_too(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "FEW_FILES", 0)
    (repo / "shop" / "models.py").write_text(OWNED)
    found, project = check(repo)
    assert found == [("shop/views.py", 8)]
    assert not any(report.deferred for report in project.reports.values())


def test_what_was_judged_too_early_is_judged_again_by_the_workers(repo: Path) -> None:
    (repo / "shop" / "zones.py").write_text(OWNED)
    project = make_project(repo, Config(), CheckRequest(options=OPTIONS), Pool(), in_process=True)
    tasks = [project.asked(name, size) for name, size in ((b"shop/views.py", 900), (b"shop/zones.py", 1))]
    known: list[str] = []  # of every file, in the order of the answers
    pool = Pool(1, "fork")
    try:
        for answers in pool.run(repo, tasks, lambda: "zones deferred=False" in known):
            known.extend(f"{one.name.decode()[5:-3]} deferred={one.report.deferred}" for one in answers if one.report)
    finally:
        pool.close()
    assert known == ["views deferred=True", "zones deferred=False", "views deferred=False"]


def test_a_first_tenant_in_a_saved_file_is_felt_in_all_others(repo: Path) -> None:
    with_pool = Pool()
    try:
        project = make_project(repo, Config(), CheckRequest(options=OPTIONS), with_pool, in_process=True)
        for _ in project.scan():
            pass
        assert project.reports["shop/views.py"].deferred
        assert not outcome_of(project).findings
        (repo / "shop" / "models.py").write_text(OWNED)
        assert project.update(["shop/models.py"]) == ALL_FILES
        assert [one.path for one in outcome_of(project).findings] == ["shop/views.py"]
    finally:
        with_pool.close()


def test_a_kept_report_that_deferred_is_not_believed_once_there_are_tenants(repo: Path) -> None:
    assert check(repo)[0] == []
    (repo / "shop" / "models.py").write_text(OWNED)
    found, project = check(repo)
    assert found == [("shop/views.py", 8)]
    assert project.counter.parsed == ALL_FILES


def test_the_index_is_judged_with_the_tenants_that_it_has(repo: Path) -> None:
    check(repo)  # what is kept is of a time without tenants
    (repo / "shop" / "models.py").write_text(OWNED)
    subprocess.run(["git", "-C", str(repo), "add", "-A"], check=True)
    assert check(repo, staged=True)[0] == [("shop/views.py", 8)]
    (repo / "shop" / "views.py").write_text(VIEW.replace("show", "other"))  # not what the index holds
    assert check(repo, staged=True)[0] == [("shop/views.py", 8)]


def test_a_report_says_the_same_whether_it_waited_or_not(repo: Path) -> None:
    (repo / "shop" / "models.py").write_text(OWNED)
    _, project = check(repo)
    for name in ALL_FILES:
        at_once = analyse(name, (repo / name).read_bytes(), every=project.every)
        assert project.reports[name] == at_once


def test_a_part_is_judged_by_how_the_whole_project_keeps_its_tenants_apart(repo: Path) -> None:
    scoped = "\n\n\n".join(
        f"def list_{number}(request):\n    return Invoice.objects.filter(company=request.user.company)"
        for number in range(12)
    )
    (repo / "shop" / "models.py").write_text(OWNED)
    (repo / "shop" / "views.py").write_text("")
    (repo / "shop" / "lists.py").write_text(f"from shop.models import Invoice\n\n\n{scoped}\n")
    subprocess.run(["git", "-C", str(repo), "add", "-A"], check=True)
    detected = CheckRequest(options=GateOptions(select=(RULE,)))
    check_now(repo, Config(), CheckRequest())
    introduced = judge_edits(repo, Config(), {"shop/views.py": VIEW.encode()}).introduced
    assert [one.path for one in introduced if one.rule == RULE] == ["shop/views.py"]
    (repo / "shop" / "views.py").write_text(VIEW)
    subprocess.run(["git", "-C", str(repo), "add", "-A"], check=True)
    for request in (detected, replace(detected, staged=True), replace(detected, paths=("shop/views.py",))):
        outcome = check_now(repo, Config(), request)[0]
        assert outcome.tenancy.mode == "explicit"
        assert [(one.path, one.line) for one in outcome.findings] == [("shop/views.py", 8)]

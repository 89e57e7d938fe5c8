"""Features: a plan without cycles, no way past a gate, real worktrees, tags that rollback finds."""

import json
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from cockpit.bench.blockers import open_blockers as every_blocker
from cockpit.bench.feature import (
    Proposal,
    change,
    features,
    make,
    new_feature,
    open_feature,
    plan,
    proposals,
    stamps,
    state_of,
)
from cockpit.bench.feature_gates import judge, tag
from cockpit.bench.observe import observe_all, resolve
from cockpit.bench.rollback import points
from cockpit.config import Config, load_config
from cockpit.errors import CannotAnswer
from cockpit.repository import Repository, find_repository
from cockpit.worktrees.merge import plan_merge
from skills.workflow.feature import (
    GATES,
    Feature,
    open_blockers,
    overridden,
    passed,
    phase,
    with_gate,
)
from skills.workflow.process import Check
from tests.unit.bench.test_feature_rules import BRIEF, GOOD
from tests.unit.bench.test_rollback import commit, git
from tests.unit.conftest import Said

AGREED = """# Feature contract
## Interfaces
- none
## In scope
- `billing/**`
## Out of scope
- `accounts/**`
## Success criteria
- coverage of 80 % or more
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    root = tmp_path / "acme"
    monkeypatch.setenv("COCKPIT_WORKTREES_ROOT", str(tmp_path / "trees"))
    subprocess.run(["git", "init", "-q", "-b", "main", str(root)], check=True)
    commit(root, "Begin", a="1\n")
    return find_repository(root)


def begun(repository: Repository) -> Feature:
    feature = new_feature(repository, "Invoice API", priority="P1", link="", days=2)
    (repository.root / feature.brief).write_text(BRIEF)
    (repository.root / feature.contract).write_text(AGREED)
    return feature


def gate(repository: Repository, name: str) -> Feature:
    checks = judge(repository, Config(), open_feature(repository), name)
    return change(repository, "", lambda one: with_gate(one, name, checks, "t", stamps(repository, one)))


def test_a_contract_has_to_say_something(repository: Repository) -> None:
    feature = new_feature(repository, "Invoice API", priority="P1", link="", days=None)
    blank = judge(repository, Config(), feature, "contract")
    assert {check.id for check in blank if check.status == "fail"} >= {"problem", "interfaces", "boundary", "tasks"}
    (repository.root / feature.brief).write_text(BRIEF)
    (repository.root / feature.contract).write_text(AGREED)
    judged = gate(repository, "contract")
    assert phase(judged, stamps(repository, judged)) == 1
    (repository.root / feature.brief).write_text(BRIEF.replace("- [ ] Schema", "- [x] Schema"))
    assert passed(judged, "contract", stamps(repository, judged))
    (repository.root / feature.contract).write_text(AGREED.replace("billing", "shop"))
    assert not passed(judged, "contract", stamps(repository, judged))


@pytest.fixture
def planned(repository: Repository) -> tuple[Feature, list[Proposal]]:
    """A feature whose contract is written, and the worktrees that its plan proposes for the next group."""
    begun(repository)
    (repository.root / "BRIEF.md").write_text(BRIEF.replace("- [ ] Schema", "- [x] Schema"))
    git(repository.root, "add", "-A")
    git(repository.root, "commit", "-qm", "Contract")
    feature, found = plan(repository, "")
    return feature, proposals(repository, feature, found)


@pytest.fixture
def made(repository: Repository, planned: tuple[Feature, list[Proposal]]) -> Feature:
    """The same feature with its worktrees."""
    return make(repository, load_config(repository.root), *planned, lambda _: None)


def test_a_group_is_proposed_with_ports_of_its_own(planned: tuple[Feature, list[Proposal]]) -> None:
    _, proposed = planned

    assert [one.task.id for one in proposed] == ["api", "ui"]
    assert len({port for one in proposed for port in one.ports}) == 4


def test_worktrees_of_a_group_have_agents_and_sheets(made: Feature) -> None:
    sheet = (Path(made.worktrees[1].path) / "WORKTREE_TASK.md").read_text()

    assert [one.branch for one in made.worktrees] == ["feature/invoice-api-api", "feature/invoice-api-ui"]
    assert "(dev server)" in sheet and "frontend-developer" in sheet and "The form" in sheet
    assert open_feature(find_repository(Path(made.worktrees[0].path))).id == made.id


def test_worktrees_that_are_there_are_not_made_again(repository: Repository, made: Feature) -> None:
    again = proposals(repository, made, plan(repository, "")[1])

    assert [one.there for one in again] == [True, True]
    assert make(repository, load_config(repository.root), made, again, lambda _: None).worktrees == made.worktrees


def test_what_is_written_out_of_scope_blocks_until_it_is_gone(repository: Repository, made: Feature) -> None:
    config, tree = load_config(repository.root), Path(made.worktrees[0].path)
    (tree / "accounts").mkdir()
    (tree / "accounts" / "models.py").write_text("x = 1\n")
    observed, _ = observe_all(repository, "")
    assert [one.alert.observer for one in open_blockers(observed)] == ["O-1"]
    alerts = (repository.root / ".claude/OBSERVER_ALERTS.md").read_text()
    assert "Found by: feature/invoice-api-api" in alerts and "Status: OPEN" in alerts
    checks = {one.id: one for one in judge(repository, config, observed, "parallel")}
    assert checks["blockers"].status == "fail" and checks["committed"].status == "fail"
    assert checks["tasks"].status == "fail" and checks["merged"].status == "pass"
    git(repository.root, "branch", "release")
    refused = plan_merge(repository, config, made.worktrees[0].branch, "release").refusal
    assert "changed" in refused or "there would be left out" in refused
    assert len(every_blocker(repository.common_dir)) == len(
        every_blocker(repository.common_dir, "integration/invoice-api")
    )
    assert not every_blocker(repository.common_dir, "feature/invoice-api-ui")
    commit(tree, "Accounts", b="1\n")
    observe_all(repository, "")
    assert "1 open blockers" in plan_merge(repository, config, made.worktrees[0].branch, "release").refusal
    assert not plan_merge(repository, config, made.worktrees[0].branch).refusal
    (tree / "accounts" / "models.py").unlink()
    observed, _ = observe_all(repository, "")
    assert not open_blockers(observed)
    assert "Status: RESOLVED" in (repository.root / ".claude/OBSERVER_ALERTS.md").read_text()
    commit(tree, "Billing", billing="x = 1\n")
    assert {one.id: one.status for one in judge(repository, config, observed, "parallel")}["merged"] == "fail"


def agreed_and_committed(repository: Repository, brief: str = BRIEF) -> Config:
    begun(repository)
    (repository.root / "BRIEF.md").write_text(brief)
    for folder in ("billing", "tests"):
        (repository.root / folder).mkdir()
        (repository.root / folder / "__init__.py").touch()
    git(repository.root, "add", "-A")
    git(repository.root, "commit", "-qm", "Contract")
    return load_config(repository.root)


def made_next(repository: Repository, config: Config) -> list[Path]:
    """Make the worktrees of the next group; the folders of all so far."""
    feature, found = plan(repository, "")
    feature = make(repository, config, feature, proposals(repository, feature, found), lambda _: None)
    return [Path(one.path) for one in feature.worktrees]


def test_a_later_group_begins_with_the_work_of_the_earlier_one(repository: Repository) -> None:
    config = agreed_and_committed(repository)
    (first,) = made_next(repository, config)
    commit(first, "Schema", billing__schema="x = 1\n")
    observe_all(repository, "")
    git(repository.root, "checkout", "-qb", "integration/invoice-api")
    git(repository.root, "merge", "-q", "--no-ff", "-m", "Schema", "feature/invoice-api-db")
    (repository.root / "BRIEF.md").write_text(BRIEF.replace("- [ ] Schema", "- [x] Schema"))
    _, api, ui = made_next(repository, config)
    assert (api / "billing/schema").is_file() and (ui / "billing/schema").is_file()
    assert "made from `integration/invoice-api`" in (api / "WORKTREE_TASK.md").read_text()
    # the observers' reports belong to no worktree and to no commit
    assert (repository.root / ".claude/OBSERVER_ALERTS.md").is_file()
    assert not (api / ".claude/OBSERVER_ALERTS.md").exists()
    assert "OBSERVER" not in git(repository.root, "status", "--porcelain", "-uall")
    # what both began with is no point where two agents meet; what both change is
    _, asked = observe_all(repository, "")
    assert not [where for name, where, _ in asked if "two agents" in name]
    (api / "billing/schema").write_text("x = 2\n")
    _, asked = observe_all(repository, "")
    assert {where for name, where, _ in asked if "two agents" in name} == {"billing/schema"}


def test_a_test_may_stand_in_another_worktree(repository: Repository) -> None:
    config = agreed_and_committed(repository, BRIEF.replace("- [ ] Schema", "- [x] Schema"))
    api, ui = made_next(repository, config)

    def opened() -> list[str]:
        return [one.alert.observer for one in observe_all(repository, "")[0].alerts if one.state == "OPEN"]

    (api / "billing/late.py").write_text("def late() -> int:\n    return 1\n")
    assert opened() == ["O-3"]
    (ui / "tests/test_late.py").write_text("def test_it():\n    assert late() == 1\n")
    assert opened() == []


def test_what_the_linter_finds_holds_the_gate(repository: Repository) -> None:
    config = agreed_and_committed(repository)
    (repository.root / "pyproject.toml").write_text("[tool.ruff.lint]\nselect = ['F']\n")

    def lint() -> Check:
        checks = judge(repository, config, open_feature(repository), "quality")
        return next(one for one in checks if one.id == "lint")

    (repository.root / "billing/a.py").write_text("import os\n")
    assert (lint().status, lint().detail) == ("fail", "1, ≤ 0 is asked")
    (repository.root / "billing/a.py").write_text("x = 1\n")
    assert lint().status == "pass"


def test_a_source_with_a_byte_order_mark_can_be_read(repository: Repository) -> None:
    config = agreed_and_committed(repository)
    (repository.root / "billing/marked.py").write_text("def late(x: int) -> int:\n    return x\n", "utf-8-sig")
    checks = {one.id: one for one in judge(repository, config, open_feature(repository), "quality")}
    assert (checks["types"].status, checks["complexity"].status) == ("pass", "pass")


def test_an_alert_is_closed_for_a_reason_only(repository: Repository) -> None:
    begun(repository)
    (repository.root / "accounts").mkdir()
    (repository.root / "accounts" / "a.py").write_text("x = 1\n")
    observe_all(repository, "")
    with pytest.raises(CannotAnswer, match="for a reason"):
        resolve(repository, "", 1, " ", "Ada")
    resolve(repository, "", 1, "agreed", "Ada")
    observed, _ = observe_all(repository, "")
    assert not open_blockers(observed) and "Ada" in observed.alerts[0].closed


def test_the_state_moves_with_every_change_but_not_with_the_files_of_the_process(repository: Repository) -> None:
    before = state_of(repository.root)
    begun(repository)
    assert state_of(repository.root) == before
    (repository.root / "a").write_text("2\n")
    changed = state_of(repository.root)
    (repository.root / "new.py").write_text("x = 1\n")
    assert len({before, changed, state_of(repository.root)}) == 3


def test_schema_files_need_a_persons_word_and_tables_their_security(repository: Repository) -> None:
    feature = begun(repository)
    assert [one.status for one in judge(repository, Config(), feature, "schema")] == ["not_applicable"]
    (repository.root / "migrations").mkdir()
    path = repository.root / "migrations" / "1.sql"
    path.write_text("CREATE TABLE invoices (id int);\n")
    git(repository.root, "add", "-A")
    rows = {one.id: one for one in judge(repository, Config(), feature, "schema")}
    assert rows["rls"].status == "fail" and rows["naming"].status == "not_run" and len(rows) == 7
    path.write_text(path.read_text() + "ALTER TABLE invoices ENABLE ROW LEVEL SECURITY;\n")
    assert {one.id: one for one in judge(repository, Config(), feature, "schema")}["rls"].status == "not_run"


def test_a_migration_without_a_way_back_fails_that_question_alone(repository: Repository) -> None:
    feature = begun(repository)
    folder = repository.root / "shop" / "migrations"
    folder.mkdir(parents=True)
    operation = "class Migration(migrations.Migration):\n    operations = [migrations.RunPython(fill)]\n"
    (folder / "0001_fill.py").write_text("from django.db import migrations\n\n\n" + operation)
    git(repository.root, "add", "-A")
    rows = {one.id: one.status for one in judge(repository, Config(), feature, "schema")}
    assert {name for name, status in rows.items() if status == "fail"} == {"way-back"}


DAY = date(2026, 11, 29)


def green(repository: Repository) -> Feature:
    """The open feature with every gate passed on what is there now."""

    def passing(one: Feature) -> Feature:
        for name in GATES:
            one = with_gate(one, name, GOOD, "t", stamps(repository, one))
        return one

    return change(repository, "", passing)


def test_no_tag_before_every_gate_is_green(repository: Repository) -> None:
    begun(repository)

    with pytest.raises(CannotAnswer, match="before every gate is green"):
        tag(repository, open_feature(repository), ["stable"], DAY)


def test_rollback_finds_the_tags_of_a_feature(repository: Repository) -> None:
    begun(repository)

    tags = tag(repository, green(repository), ["stable", "v1.0.0"], DAY)

    assert tags == ["stable-2026-11-29", "v1.0.0"]
    assert points(repository)[0].name == "stable-2026-11-29"


def test_what_changed_after_a_tag_is_tagged_when_its_gates_are_green_again(repository: Repository) -> None:
    begun(repository)
    feature = green(repository)
    tag(repository, feature, ["stable", "v1.0.0"], DAY)
    (repository.root / "a").write_text("2\n")

    with pytest.raises(CannotAnswer, match="before every gate is green"):
        tag(repository, feature, ["stable"], DAY)

    git(repository.root, "commit", "-qam", "More")
    assert tag(repository, green(repository), ["stable"], DAY) == ["stable-2026-11-29-2"]


def test_two_features_at_once_keep_their_files_and_their_changes(repository: Repository) -> None:
    first = new_feature(repository, "One", priority="P1", link="", days=None)
    second = new_feature(repository, "Two", priority="P1", link="", days=None)
    assert first.brief == "BRIEF.md" and second.brief == "docs/features/two/BRIEF.md"

    def add(number: int) -> None:
        change(repository, "one", lambda one: replace(one, tags=(*one.tags, str(number))))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(10)))
    assert len(open_feature(repository, "one").tags) == 10 and len(features(repository)) == 2


def test_the_command_refuses_what_comes_too_early(repository: Repository, in_process: Callable[..., Said]) -> None:
    cockpit = partial(in_process, "--repo", str(repository.root), "feature")
    assert cockpit().returncode == 2 and cockpit("new", "Invoice", "API").returncode == 0
    assert cockpit("gate", "contract").returncode == 1
    early = cockpit("gate", "quality")
    assert early.returncode == 2 and "the gate contract comes first" in early.stderr
    agent = cockpit("gate", "contract", "--override", "hurry", CLAUDECODE="1")
    assert agent.returncode == 2 and "for a person" in agent.stderr
    (repository.root / "BRIEF.md").write_text(BRIEF)
    (repository.root / ".claude/CONTRACT.md").write_text(AGREED)
    assert cockpit("gate", "contract").returncode == 0
    document = json.loads(cockpit("gate", "schema", "--json").stdout)
    assert document["passed"] and document["feature"]["phase"] == 2
    planned_ = json.loads(cockpit("plan", "--json").stdout)
    assert planned_["hours"] == {"parallel": 8.0, "sequential": 11.0, "not_estimated": 0}
    assert cockpit("ship", "--stable").returncode == 2
    wrong = cockpit("gate", "parallel", "--confirm", "blockers")
    assert wrong.returncode == 2 and "not confirmed by a person" in wrong.stderr
    cost = json.loads(cockpit("cost", "--estimate", "5", "--json").stdout)
    assert cost["estimate"] == 5 and cost["actual"] == 0
    assert cockpit("abandon").returncode == 0 and cockpit().returncode == 2


def test_passed_gates_stand_in_the_track_of_the_day(repository: Repository) -> None:
    from cockpit.clock import iso, now
    from cockpit.phases.day_track import read_day_track

    begun(repository)

    def judged(one: Feature) -> Feature:
        known = stamps(repository, one)
        one = with_gate(with_gate(one, "contract", GOOD, iso(now()), known), "schema", GOOD, iso(now()), known)
        one = with_gate(one, "parallel", GOOD, iso(now()), known)
        one = with_gate(one, "security", GOOD, iso(now()), known)
        one = with_gate(one, "quality", [Check("a", "A", "fail")], iso(now()), known)
        return overridden(one, "quality", "later", "Ada", iso(now()), known)

    change(repository, "", judged)
    track = {step.name: step for step in read_day_track(repository, [], (), now())}
    assert track["secure"].evidence == "gate security passed: Invoice API"
    assert track["plan"].status != "pending" and track["ship"].status == "pending"

"""Rolling back on real git: planned first, never over somebody's changes, nothing lost, verified by what decides."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.bench.records import write_record
from cockpit.bench.rollback import (
    answer,
    answered_by,
    automatic_answers,
    history,
    last_rollback,
    measured,
    note_gate,
    plan_rollback,
    points,
    run_rollback,
)
from cockpit.errors import CannotAnswer
from cockpit.repository import Repository, find_repository
from skills.gates.model import Status
from skills.workflow.playbooks import PLAYBOOKS
from skills.workflow.rollback import DECISIVE, VERIFICATIONS, Done, measures, readiness, triggers, verdict
from tests.git import git
from tests.unit.conftest import Said


def commit(root: Path, message: str, **files: str) -> str:
    for name, text in files.items():
        (root / name.replace("__", "/")).write_text(text)
    git(root, "add", "-A")
    git(root, "commit", "-qm", message)
    return git(root, "rev-parse", "HEAD")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "acme"
    subprocess.run(["git", "init", "-q", "-b", "main", str(root)], check=True)
    commit(root, "Begin", a="1\n", b="1\n")
    git(root, "tag", "stable-2026-11-20")
    commit(root, "Break a", a="2\n", c="new\n")
    commit(root, "Improve b", b="2\n")
    return root


@pytest.fixture
def repository(root: Path) -> Repository:
    return find_repository(root)


def files(root: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in root.iterdir() if path.is_file()}


def test_points_are_tags_and_green_gates_but_no_words(root: Path, repository: Repository) -> None:
    second = git(root, "rev-parse", "HEAD~1")
    note_gate(repository.common_dir, second, "cockpit verify")
    note_gate(repository.common_dir, "0" * 40, "a commit that is gone")
    commit(root, "stable: they said", a="3\n")
    assert {point.why for point in points(repository)} == {"tag stable-2026-11-20", "cockpit verify passed"}


def test_a_tag_may_hold_what_python_takes_for_a_line_end(root: Path, repository: Repository) -> None:
    git(root, "tag", "stable-\u2028x")
    assert len(points(repository)) == 2
    git(root, "config", "core.quotePath", "false")
    commit(root, "A name", **{"a\u2028b": "1\n"})
    assert plan_rollback(repository, "revert", None).undone


def test_a_plan_changes_nothing(root: Path, repository: Repository) -> None:
    before = files(root), git(root, "rev-parse", "HEAD"), git(root, "for-each-ref")
    plan = plan_rollback(repository, "revert", "stable-2026-11-20")
    assert not plan.refusal and len(plan.undone) == 2 and set(plan.files) == {"a", "b", "c"}
    assert (files(root), git(root, "rev-parse", "HEAD"), git(root, "for-each-ref")) == before


def test_revert_goes_back_with_one_commit_and_keeps_history(root: Path, repository: Repository) -> None:
    head = git(root, "rev-parse", "HEAD")
    row = run_rollback(repository, plan_rollback(repository, "revert", None))
    assert files(root) == {"a": "1\n", "b": "1\n"}
    assert git(root, "rev-parse", "HEAD~1") == head == git(root, "rev-parse", row["rescue"])
    assert git(root, "status", "--porcelain") == "" and git(root, "branch", "--show-current") == "main"


def test_files_go_back_alone(root: Path, repository: Repository) -> None:
    run_rollback(repository, plan_rollback(repository, "files", "stable-2026-11-20", files=["a", "c"]))
    assert files(root) == {"a": "1\n", "b": "2\n"}
    assert git(root, "status", "--porcelain") == ""


def test_a_folder_goes_back_with_the_files_that_were_renamed_in_it(root: Path, repository: Repository) -> None:
    (root / "lib").mkdir()
    good = commit(root, "A library", lib__old="one\ntwo\nthree\n")
    git(root, "mv", "lib/old", "lib/new")
    git(root, "commit", "-qm", "Another name")
    plan = plan_rollback(repository, "files", good, files=["lib"])
    assert plan.files == ("lib/new", "lib/old")
    run_rollback(repository, plan)
    assert [path.name for path in (root / "lib").iterdir()] == ["old"]


def test_a_branch_is_not_judged_by_what_else_is_checked_out(root: Path, repository: Repository) -> None:
    row = run_rollback(repository, plan_rollback(repository, "branch", "stable-2026-11-20"))
    found = automatic_answers(repository, row, lambda: "pass", lambda: "pass")
    assert found == {"version": "pass", "smoke": "not_run", "security": "not_run"}
    git(root, "switch", "-q", f"rollback/{row['id']}")
    assert set(automatic_answers(repository, row, lambda: "pass", lambda: "pass").values()) == {"pass"}


def test_recovered_is_when_it_succeeded(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    row = run_rollback(repository, plan_rollback(repository, "revert", None))
    begun = datetime.fromisoformat(row["begun"])
    everything: dict[str, Status] = {name: "pass" for name, _ in VERIFICATIONS}
    for seconds, said in ((60, {"smoke": "fail"}), (240, everything), (900, {"data": "pass"})):
        monkeypatch.setattr("cockpit.bench.rollback.now", lambda s=seconds: begun + timedelta(seconds=s))
        answer(repository, row, said, automated=False)  # type: ignore[arg-type]
    assert measured(repository).mttr_seconds == 240


def test_a_file_that_git_ignores_is_never_written_over(root: Path, repository: Repository) -> None:
    good = commit(root, "Settings", local="theirs\n")
    git(root, "rm", "-q", "--cached", "local")
    commit(root, "Not here", **{".gitignore": "local\n"})
    (root / "local").write_text("mine\n")
    plan = plan_rollback(repository, "revert", good)
    assert "local is here, ignored by git" in plan.refusal
    for one in (plan, replace(plan, refusal="")):  # also where it came after the plan
        with pytest.raises(CannotAnswer, match="not rolled back"):
            run_rollback(repository, one, stash="mine")
    assert (root / "local").read_text() == "mine\n" and git(root, "status", "--porcelain") == ""
    (root / "local").unlink()
    row = run_rollback(repository, plan_rollback(repository, "revert", good), stash="mine")
    assert row["stash"] is None and (root / "local").read_text() == "theirs\n"


def test_what_was_stashed_for_a_refused_rollback_is_put_back(root: Path, repository: Repository) -> None:
    later = commit(root, "Break a again", a="3\n")
    (root / "b").write_text("mine\n")
    git(root, "add", "b")
    (root / "new").write_text("mine too\n")
    before = git(root, "status", "--porcelain")
    with pytest.raises(CannotAnswer, match="conflicts"):
        plan = plan_rollback(repository, "branch", "stable-2026-11-20", keep=[later])
        run_rollback(repository, plan, stash="mine")
    assert git(root, "status", "--porcelain") == before and git(root, "stash", "list") == ""


def test_nobody_talks_past_what_was_measured_without_a_reason(repository: Repository) -> None:
    row = run_rollback(repository, plan_rollback(repository, "revert", None))
    with pytest.raises(CannotAnswer, match="smoke was measured and failed"):
        answered_by(repository, row, {"smoke": "fail"}, {"smoke": "pass"}, " ")
    answered_by(repository, row, {"smoke": "fail"}, {"smoke": "pass", "data": "pass"}, "one test needs the network")
    assert [(one["check"], one["why"]) for one in row["against"]] == [("smoke", "one test needs the network")]
    answered_by(repository, row, {"smoke": "pass"}, {"smoke": "pass"}, "")
    assert row["against"] == []


def test_a_branch_keeps_what_is_worth_keeping(root: Path, repository: Repository) -> None:
    kept = git(root, "rev-parse", "HEAD")
    row = run_rollback(repository, plan_rollback(repository, "branch", "stable-2026-11-20", keep=[kept]))
    name = f"rollback/{row['id']}"
    assert git(root, "show", f"{name}:a") == "1" and git(root, "show", f"{name}:b") == "2"
    assert git(root, "log", "-1", "--format=%s", name) == "Improve b"
    assert git(root, "branch", "--show-current") == "main" and files(root)["a"] == "2\n"


def test_what_conflicts_is_not_kept_and_nothing_is_made(root: Path, repository: Repository) -> None:
    later = commit(root, "Break a again", a="3\n")
    with pytest.raises(CannotAnswer, match="conflicts"):
        run_rollback(repository, plan_rollback(repository, "branch", "stable-2026-11-20", keep=[later]))
    assert "rollback/" not in git(root, "branch", "--list", "rollback/*")


@pytest.mark.parametrize("dirt", ["a", "fresh"])
def test_a_dirty_tree_is_refused_unless_it_is_stashed_by_name(root: Path, repository: Repository, dirt: str) -> None:
    (root / dirt).write_text("mine\n")
    plan = plan_rollback(repository, "revert", None)
    assert "--stash" in plan.refusal
    with pytest.raises(CannotAnswer, match="not rolled back"):
        run_rollback(repository, plan)
    assert (root / dirt).read_text() == "mine\n"
    run_rollback(repository, plan, stash="before the rollback")
    assert "before the rollback" in git(root, "stash", "list")
    shown = ["show", "stash@{0}:a"] if dirt == "a" else ["show", "stash@{0}^3:fresh"]
    assert git(root, *shown) == "mine"


def test_a_plan_is_void_once_something_was_committed(root: Path, repository: Repository) -> None:
    plan = plan_rollback(repository, "revert", None)
    commit(root, "Meanwhile", d="1\n")
    with pytest.raises(CannotAnswer, match="since the plan"):
        run_rollback(repository, plan)


def test_a_point_must_lie_in_the_past(root: Path, repository: Repository) -> None:
    git(root, "switch", "-qc", "elsewhere", "HEAD~2")
    other = commit(root, "Elsewhere", z="1\n")
    git(root, "switch", "-q", "main")
    with pytest.raises(CannotAnswer, match="not in the history"):
        plan_rollback(repository, "revert", other)


def test_a_point_must_be_a_commit(repository: Repository) -> None:
    with pytest.raises(CannotAnswer, match="no commit"):
        plan_rollback(repository, "revert", "nonsense")


def test_nothing_to_undo_is_refused(repository: Repository) -> None:
    assert "nothing differs" in plan_rollback(repository, "revert", "HEAD").refusal


def test_nobody_is_said_so(root: Path, repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "")
    with pytest.raises(CannotAnswer, match="not rolled back"):
        run_rollback(repository, plan_rollback(repository, "revert", None))
    assert files(root)["a"] == "2\n"


def test_one_decisive_answer_that_fails_ends_the_verification(repository: Repository) -> None:
    row = run_rollback(repository, plan_rollback(repository, "revert", None))
    assert answer(repository, row, {"version": "pass", "smoke": "pass"}, automated=True) == "pending"
    assert answer(repository, row, {"data": "fail"}, automated=False) == "failed"
    again = last_rollback(repository)
    assert again is not None and again["verdict"] == "failed" and "ended" in again
    assert [one.verdict for one in history(repository)] == ["failed"]
    with pytest.raises(CannotAnswer, match="no verification"):
        answer(repository, row, {"mood": "pass"}, automated=True)


@given(
    st.dictionaries(st.sampled_from([name for name, _ in VERIFICATIONS]), st.sampled_from(["pass", "fail", "not_run"]))
)
def test_no_way_to_success_past_smoke_data_and_security(answers: dict[str, str]) -> None:
    said = verdict(answers)  # type: ignore[arg-type]
    if any(answers.get(name) == "fail" for name in DECISIVE):
        assert said == "failed"
    if said == "success":
        assert all(answers.get(name) == "pass" for name, _ in VERIFICATIONS)


@pytest.mark.parametrize(
    ("metrics", "fires"),
    [
        ({"test_pass_rate": 0.949}, "tests-fail"),
        ({"critical_vulnerabilities": 1}, "critical-vulnerability"),
        ({"response_ms": 151, "baseline_response_ms": 100}, "slower"),
        ({"error_rate": 0.031, "baseline_error_rate": 0.01}, "errors"),
        ({"memory_growth_per_hour": 0.11}, "memory"),
    ],
)
def test_each_trigger_fires_alone(metrics: dict[str, float], fires: str) -> None:
    found = {one.name: one.status for one in triggers(metrics)}
    assert found.pop(fires) == "fail" and set(found.values()) == {"not_run"}


def test_at_the_limit_nothing_fires_and_nothing_given_is_no_pass() -> None:
    limit = {
        "test_pass_rate": 0.95,
        "critical_vulnerabilities": 0,
        "response_ms": 150,
        "baseline_response_ms": 100,
        "error_rate": 0.03,
        "baseline_error_rate": 0.01,
        "memory_growth_per_hour": 0.1,
    }
    assert {one.status for one in triggers(limit)} == {"pass"}
    assert {one.status for one in triggers({**limit, "test_pass_rate": float("nan")})} == {"pass", "not_run"}


def test_measures_say_what_they_are_measured_on() -> None:
    assert measures([Done("pending", None, True)]).mttr_seconds is None
    found = measures([Done("success", 100, True), Done("success", 300, False), Done("failed", 50, True, 2)])
    assert (found.count, found.mttr_seconds, found.lost) == (3, 200, 2) and found.success == pytest.approx(2 / 3)


def test_readiness_reads_tags_migrations_and_routes() -> None:
    one_way = "migrations.RunPython(forwards)"
    items = {
        i.id: i.status for i in readiness(["v1.2.0"], {"a/migrations/0002_x.py": one_way}, ["path('healthz/', x)"])
    }
    assert items["semver"] == items["health"] == "pass" and items["stable"] == items["migrations"] == "fail"
    both = "migrations.RunPython(forwards, backwards)"
    assert {i.id: i.status for i in readiness([], {"a/migrations/0002_x.py": both}, [])}["migrations"] == "pass"


def test_a_playbook_records_and_runs_nothing(root: Path) -> None:
    assert len(PLAYBOOKS) == 10
    cockpit = [sys.executable, "-m", "cockpit", "--repo", str(root), "rollback"]
    words = ["playbook", "database", "--done", "1", "--note", "workers stopped"]
    shown = subprocess.run([*cockpit, *words], capture_output=True, text=True, check=True).stdout
    assert "[x] 1." in shown and "workers stopped" in shown and "[>] 2." in shown
    wrong = subprocess.run(
        [*cockpit, "playbook", "database", "--done", "99"], capture_output=True, text=True, check=False
    )
    assert wrong.returncode == 2


def test_the_command_plans_refuses_and_runs(root: Path, in_process: Callable[..., Said]) -> None:
    cockpit = partial(in_process, "--repo", str(root), "rollback")
    assert json.loads(cockpit("plan", "revert", "--json").stdout)["refusal"] is None
    (root / "a").write_text("mine\n")
    assert cockpit("run", "revert").returncode == 1
    git(root, "checkout", "-q", "a")
    assert cockpit("run", "revert", "--reason", "a is broken").returncode == 0
    assert "verify --auto" in cockpit().stdout
    agent = cockpit("verify", "--answer", "smoke=pass", CLAUDECODE="1")
    assert agent.returncode == 2 and "for a person" in agent.stderr
    assert cockpit("verify", "--answer", "smoke=fail").returncode == 1
    done = last_rollback(find_repository(root))
    assert done is not None
    cut = {**done, "id": "20200101T000000Z-0000000", "state": "running"}
    write_record(find_repository(root).common_dir, "rollback", cut["id"], cut)
    assert "interrupted" not in cockpit().stdout  # by one that came later
    write_record(find_repository(root).common_dir, "rollback", "2999", {**cut, "id": "2999"})
    assert "interrupted" in cockpit().stdout
    assert cockpit("run", "files", "--to", "HEAD~1", "a").returncode == 0  # an option between words
    assert cockpit("triggers", "test_pass_rate=nan").returncode == 2
    assert json.loads(cockpit("metrics", "--json").stdout)["count"] == 1


def test_a_submodule_that_moved_is_named_with_the_command_that_moves_it_back(
    root: Path, repository: Repository, tmp_path: Path
) -> None:
    inner = git(root, "rev-parse", "HEAD~1")
    git(root, "update-index", "--add", "--cacheinfo", f"160000,{inner},part")
    git(root, "commit", "-qm", "a part")
    assert plan_rollback(repository, "revert", "stable-2026-11-20").commands[-1] == "git submodule update --init"
    assert "submodule" not in " ".join(plan_rollback(repository, "branch", "stable-2026-11-20").commands)

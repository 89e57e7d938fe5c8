"""Research as a process: exact gates, no way past them, a person's word, files that keep what a person wrote."""

import json
import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.bench.records import records_folder
from cockpit.bench.research import change, new_study, open_study, read_cache, scan, studies, write_adr, write_cache
from cockpit.bench.shared import one_writer
from cockpit.cli import main
from cockpit.errors import CannotAnswer
from cockpit.repository import Repository, find_repository
from skills.workflow.process import score_of, weighted, with_block
from skills.workflow.research import (
    CRITERIA,
    FACTORS,
    Approach,
    Study,
    approved,
    is_approved,
    is_fresh,
    judge_decision,
    judge_viability,
    key_of,
    next_step,
    overridden,
    passed,
    projection,
    with_gate1,
    with_gate2,
    with_gate3,
)
from skills.workflow.research_text import CHECKLISTS, adr, queries, recommendation
from tests.unit.bench.test_rollback import commit, git
from tests.unit.conftest import Said

GOOD = {
    "monthly_cost": "25",
    "budget": "300",
    "complexity": "4",
    "team_capability": "6",
    "implementation_time": "5",
    "deadline": "20",
    "strategic_fit": "8",
}
SEVEN = {name: "7" for name, _, _ in FACTORS}
REVIEW = {
    "performance": "Meets",
    "integration": "Easy",
    "feedback": "Positive",
    "cost_actual": "20",
    "cost_projected": "25",
    "outcome": "Proceed",
}
STUDY = Study("s1", "vector database", "2026-11-20T10:00:00Z")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    root = tmp_path / "acme"
    subprocess.run(["git", "init", "-q", "-b", "main", str(root)], check=True)
    commit(root, "Begin", a="1\n")
    return find_repository(root)


@pytest.mark.parametrize("text", ["0", "10", "6.99", "7.0", " 5 ", "1e0"])
def test_a_cell_is_a_number_from_0_to_10(text: str) -> None:
    assert 0 <= score_of(text) <= 10


@pytest.mark.parametrize(
    "text", ["$5/mo", "Low", "8/10", "-1", "10.01", "nan", "inf", "", "1_0", "1e999999999", "sNaN", "7,5"]
)
def test_anything_else_in_a_cell_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"number|between"):
        score_of(text)


def test_the_matrix_weighs_25_30_15_10_20() -> None:
    cells = dict(zip((name for name, _, _ in CRITERIA), ("8", "10", "6", "9", "9"), strict=True))
    assert Approach("A", cells=cells).total == Decimal("8.6")
    assert Approach("A", cells={"cost": "9"}).total is None
    assert sum(weight for _, _, weight in CRITERIA) == sum(weight for _, _, weight in FACTORS) == 100


def test_gate_1_needs_all_four_and_names_those_that_fail() -> None:
    assert judge_viability(GOOD, "t").status == "pass"
    bad = {"monthly_cost": "60", "team_capability": "3.9", "deadline": "5", "strategic_fit": "7"}
    gate = judge_viability({**GOOD, **bad}, "t")
    assert gate.status == "fail"
    names = ["cost_reasonable", "technically_feasible", "time_available", "aligns_with_strategy"]
    assert [check.id for check in gate.checks if check.status == "fail"] == names
    assert judge_viability({**GOOD, "monthly_cost": "59.99"}, "t").status == "pass"
    assert judge_viability({**GOOD, "complexity": "6"}, "t").status == "pass"


@given(st.sets(st.sampled_from(sorted(GOOD)), min_size=1), st.sampled_from(["", "nan", "cheap", "-1", "11x"]))
def test_what_is_not_given_never_passes_gate_1(names: set[str], value: str) -> None:
    assert judge_viability({**GOOD, **dict.fromkeys(names, value)}, "t").status in ("not_run", "fail")


@pytest.mark.parametrize(("value", "status"), [("7", "pass"), ("7.0", "pass"), ("6.99", "fail"), ("6.999999", "fail")])
def test_gate_2_says_go_from_7_exactly(value: str, status: str) -> None:
    assert judge_decision(dict.fromkeys(SEVEN, value), "t").status == status


@given(st.lists(st.decimals(0, 10, places=2), min_size=5, max_size=5))
def test_gate_2_weighs_exactly(values: list[Decimal]) -> None:
    given_ = {name: str(value) for (name, _, _), value in zip(FACTORS, values, strict=True)}
    cents = sum(int(value * 100) * weight for (_, _, weight), value in zip(FACTORS, values, strict=True))
    assert judge_decision(given_, "t").status == ("pass" if cents >= 70000 else "fail")
    assert weighted([(value, weight) for (_, _, weight), value in zip(FACTORS, values, strict=True)]) * 10000 == cents


STEPS = st.lists(
    st.sampled_from(["gate1", "bad1", "gate2", "bad2", "approve", "gate3", "override1", "override2", "hollow"]),
    max_size=12,
)


@given(STEPS)
def test_no_path_around_a_gate(steps: list[str]) -> None:
    study, said_no, said_yes = STUDY, set[str](), set[str]()
    for step in steps:
        try:
            if step in ("gate1", "bad1"):
                study = with_gate1(study, {**GOOD, "strategic_fit": "8" if step == "gate1" else "2"}, "t")
                said_yes = {"gate1"} if step == "gate1" or "override1" in said_no else set()
            elif step in ("gate2", "bad2"):
                study = with_gate2(study, dict.fromkeys(SEVEN, "8" if step == "gate2" else "6.99"), "t")
                said_yes = {"gate1"} | ({"gate2"} if step == "gate2" or "override2" in said_no else set())
            elif step == "approve":
                study = approved(study, "Ada", "t", "")
                said_yes.add("approve")
            elif step == "gate3":
                study = with_gate3(study, REVIEW, "t")
                said_yes.add("gate3")
            elif step == "hollow":
                study = overridden(study, "gate1", "  ", "Ada", "t")
            else:
                gate = f"gate{step[-1]}"
                study = overridden(study, gate, "the board wants it", "Ada", "t")
                said_no.add(step)
                said_yes.add(gate)
        except ValueError:
            continue
    assert passed(study, "gate1") == ("gate1" in said_yes)
    assert passed(study, "gate2") == ({"gate1", "gate2"} <= said_yes)
    assert is_approved(study) == ({"gate1", "gate2", "approve"} <= said_yes)
    assert passed(study, "gate3") == ({"gate1", "gate2", "approve", "gate3"} <= said_yes)


def test_another_answer_of_gate_2_takes_the_approval_back() -> None:
    study = approved(with_gate2(with_gate1(STUDY, GOOD, "t"), SEVEN, "t"), "Ada", "t", "")
    assert recommendation(study) == "GO" and "proof of concept" in next_step(study)
    again = with_gate2(study, {"scalability": "9"}, "t")
    assert not is_approved(again) and "a person approves" in next_step(again)
    forged = replace(again, approval=study.approval)
    assert not is_approved(forged)
    with pytest.raises(ValueError, match="a person approves gate 2 first"):
        with_gate3(forged, REVIEW, "t")


@pytest.mark.parametrize("name", ["performance", "integration", "feedback", "outcome", "cost_actual"])
def test_gate_3_takes_its_own_words_only(name: str) -> None:
    study = approved(with_gate2(with_gate1(STUDY, GOOD, "t"), SEVEN, "t"), "Ada", "t", "")
    with pytest.raises(ValueError, match=f"{name}|number"):
        with_gate3(study, {**REVIEW, name: "whatever"}, "t")
    for outcome in ("Iterate", "Pivot", "Abandon"):
        assert not passed(with_gate3(study, {**REVIEW, "outcome": outcome}, "t"), "gate3")


def test_costs_grow_with_the_use_and_what_is_fixed_stays() -> None:
    usage = {"tokens": "1000000", "price_per_1k": "0.002", "hours": "2", "rate": "0.5", "gb": "30", "gb_monthly": "1"}
    costs = projection({**usage, "fixed": "25"})
    assert costs["1x"] == (Decimal("145"), Decimal("1740"))  # (2 + 1 + 1) a day × 30 + 25
    assert costs["1000x"][0] == Decimal("120025")


def test_kept_research_holds_as_long_as_its_kind() -> None:
    assert key_of("  Vector   DATABASE ") == key_of("vector database") != key_of("vector databases")
    assert is_fresh("static", timedelta(days=9999))
    for kind, days in (("embeddings", 30), ("llm", 7), ("search", 1), ("made up", 1)):
        assert is_fresh(kind, timedelta(days=days, seconds=-1)) and not is_fresh(kind, timedelta(days=days))


def test_the_cache_keeps_and_ages(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_cache("qdrant") is None
    path = write_cache("Qdrant", "llm", "fast\n")
    kept = read_cache(" qdrant ")
    assert kept is not None and kept.fresh and kept.text == "fast\n" and len(path.stem) == 64
    monkeypatch.setenv("COCKPIT_NOW", "2099-01-01T00:00:00Z")
    old = read_cache("qdrant")
    assert old is not None and not old.fresh
    with pytest.raises(CannotAnswer, match="no kind"):
        write_cache("qdrant", "gossip", "x")
    path.write_text('<!-- cockpit: {"kind": "llm", "term": "qdrant", "at": "2026-11-20T10:00:00"} -->\nby hand\n')
    other = read_cache("qdrant")  # a time without its zone is none: the file's own counts
    assert other is not None and other.text == "by hand\n" and other.at.tzinfo is not None


def test_the_scan_finds_guides_first_and_passes_over_packages(tmp_path: Path) -> None:
    (tmp_path / "node_modules" / "x").mkdir(parents=True)
    (tmp_path / "node_modules" / "x" / "README.md").write_text("qdrant\n")
    (tmp_path / "app.py").write_text("\n".join(f"# Qdrant {n}" for n in range(40)))
    (tmp_path / "README.md").write_text("\n".join(f"line {n}" if n != 10 else "we use QDRANT" for n in range(30)))
    (tmp_path / "binary.bin").write_text("qdrant")
    (tmp_path / "keys.ts").write_text('const qdrant = 1; const api_key = "sk-verysecretvalue123"\n')
    hits, troubles, more = scan([tmp_path, tmp_path / "gone"], "qdrant")
    assert len(hits) == 20 and more and "gone" in troubles[0]
    assert hits[0].path.endswith("README.md") and hits[0].lines[0] == "line 5" and hits[0].lines[-1] == "line 15"
    secret, _, _ = scan([tmp_path], "api_key")
    assert secret and "verysecret" not in secret[0].text
    assert not any("node_modules" in hit.path for hit in hits)
    (tmp_path / "paged.py").write_text("first\n\fmilvus\n")
    assert [hit.line for hit in scan([tmp_path], "milvus")[0]] == [2]
    others, _, _ = scan([tmp_path], "qdrant", {os.path.realpath(tmp_path / "README.md")})
    assert not any(hit.path.endswith("README.md") for hit in others)


def test_a_block_is_replaced_and_the_rest_is_kept() -> None:
    once = with_block("# Mine\n\nmy words\n", "s1", "first")
    text = once.replace("# Mine", "# Changed") + "\nafter\n"
    again = with_block(text, "s1", "second --> <!-- /cockpit:s1 --> x")
    assert again.startswith("# Changed\n\nmy words\n") and again.endswith("\nafter\n") and "first" not in again
    assert with_block(again, "s1", "second --> <!-- /cockpit:s1 --> x") == again


def test_a_scan_is_noted_in_the_study_of_its_term(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    for term in ("qdrant", "redis"):
        new_study(repository, term, "framework")
    assert main(["--repo", str(repository.root), "research", "scan", "qdrant"]) == 0
    assert {one.term: bool(one.scanned) for one in studies(repository)} == {"qdrant": True, "redis": False}
    capsys.readouterr()


def test_a_file_longer_than_is_read_is_not_written_anew(repository: Repository) -> None:
    study = new_study(repository, "qdrant", "framework")
    place = repository.root / study.place
    text = place.read_text() + "x" * 4_000_000
    place.write_text(text)
    with pytest.raises(CannotAnswer, match="larger than 4 MB"):
        change(repository, "", lambda one: replace(one, confidence=7))
    assert place.read_text() == text


def test_what_goes_wrong_in_a_change_is_no_lock_that_cannot_be_written(repository: Repository) -> None:
    with pytest.raises(OSError, match="the disk"), one_writer(repository, "research"):
        raise OSError(5, "the disk")


def test_what_a_person_wrote_into_research_md_stays(repository: Repository) -> None:
    (repository.root / "RESEARCH.md").write_text("# My own notes\n")
    study = new_study(repository, "Vector database", "api")
    assert (repository.root / "RESEARCH.md").read_text() == "# My own notes\n"
    place = repository.root / study.place
    place.write_text(place.read_text().replace("**One-liner:**", "**One-liner:** take it"))
    change(repository, "", lambda one: with_gate1(one, GOOD, "t"))
    text = place.read_text()
    assert "take it" in text and "gate1: pass" in text and text.count("## Where it stands") == 1


def test_another_worktree_goes_on_with_the_same_files(repository: Repository, tmp_path: Path) -> None:
    study = new_study(repository, "Queue", "api")
    git(repository.root, "worktree", "add", "-q", str(tmp_path / "other"), "-b", "other")
    other = find_repository(tmp_path / "other")
    change(other, "", lambda one: with_gate1(one, GOOD, "t"))
    assert "gate1: pass" in (repository.root / study.place).read_text() and not (other.root / study.place).exists()


def test_a_folder_that_cannot_be_written_says_so_and_nothing_is_half_done(repository: Repository) -> None:
    study = new_study(repository, "Queue", "api")
    (repository.root / study.place).unlink()
    (repository.root / study.place).mkdir()
    with pytest.raises(CannotAnswer, match="cannot be"):
        change(repository, "", lambda one: with_gate1(one, GOOD, "t"))
    broken = records_folder(repository.common_dir, "research") / "broken.json"
    broken.write_text('{"id": 1, "gates": [')
    assert [one.id for one in studies(repository)] == [study.id] and broken.exists()


def test_two_at_once_keep_both_and_number_their_decisions_apart(repository: Repository) -> None:
    first, second = new_study(repository, "Cache", "api"), new_study(repository, "Queue", "api")
    assert first.place != second.place and open_study(repository, "cache").id == first.id

    def add(number: int) -> None:
        name = f"option {number}"
        change(repository, first.id, lambda one: replace(one, options=(*one.options, Approach(name))))

    def decide(name: str) -> Study:
        return change(repository, name, lambda one: replace(one, adr=write_adr(repository, one, "Use it")))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(12)))
        names = [one.adr for one in pool.map(decide, (first.id, second.id))]
    assert len(open_study(repository, first.id).options) == 12
    assert len({Path(name).name[:7] for name in names}) == 2
    (repository.root / "docs/decisions/ADR-041-old.md").write_text("old")
    assert "ADR-042" in write_adr(repository, first, "Next one")


def test_the_status_of_a_decision_record_follows_the_gates() -> None:
    assert "Proposed" in adr(STUDY, 1, "Use it")
    study = approved(with_gate2(with_gate1(STUDY, GOOD, "t"), SEVEN, "t"), "Ada", "t", "")
    assert "Accepted" in adr(study, 1, "Use it")
    assert "Proposed" in adr(with_gate3(study, {**REVIEW, "outcome": "Pivot"}, "t"), 1, "Use it")
    assert [len(items) for items in CHECKLISTS.values()] == [6, 6, 6] and len(queries("x", 2026)) == 5


def test_the_command_walks_from_term_to_decision(repository: Repository, in_process: Callable[..., Said]) -> None:
    cockpit = partial(in_process, "--repo", str(repository.root), "research")
    git(repository.root, "config", "user.name", "Ada")
    assert cockpit().returncode == 2
    assert cockpit("new", "Vector", "database").returncode == 0
    assert cockpit("scan").returncode == 0 and open_study(repository).scanned
    for name in ("Qdrant", "pgvector"):
        cockpit("option", name, "--pro", "fast")
        refused = cockpit("score", name, "cost=$5/mo")
        assert refused.returncode == 2 and "a cell is a number from 0 to 10" in refused.stderr
        assert cockpit("score", name, *(f"{key}=7" for key, _, _ in CRITERIA)).returncode == 0
    assert cockpit("gate2", *(f"{key}=9" for key in SEVEN)).returncode == 2
    assert cockpit("gate3", *(f"{key}={value}" for key, value in REVIEW.items())).returncode == 2
    assert cockpit("gate1", *(f"{key}={value}" for key, value in GOOD.items())).returncode == 0
    assert cockpit("approve").returncode == 2
    assert cockpit("gate2", *(f"{key}=6.99" for key in SEVEN)).returncode == 1
    agent = cockpit("gate2", "--override", "hurry", CLAUDECODE="1")
    assert agent.returncode == 2 and "for a person" in agent.stderr
    assert cockpit("gate2", *(f"{key}=7.0" for key in SEVEN)).returncode == 0
    agent = cockpit("approve", CLAUDECODE="1")
    assert agent.returncode == 2 and "for a person" in agent.stderr
    document = json.loads(cockpit("approve", "--json").stdout)
    assert document["research"]["approval"]["who"] and document["research"]["recommendation"] == "GO"
    assert cockpit("gate3", *(f"{key}={value}" for key, value in REVIEW.items())).returncode == 0
    over = cockpit("project", "Qdrant", "tokens=2000000", "price_per_1k=0.002", "--json")
    assert over.returncode == 1 and json.loads(over.stdout)["review"] == ["1x", "10x", "100x", "1000x"]
    assert cockpit("adr", "Qdrant", "it", "is").returncode == 0
    assert "GO" in (repository.root / "FINDINGS.md").read_text()
    assert cockpit("close").returncode == 0 and studies(repository)[0].ended
    assert cockpit("gate1", "strategic_fit=1").returncode == 2

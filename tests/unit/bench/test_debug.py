"""Debugging as a process: no fix before its time, honest counts, a bisection that touches nobody's work tree."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.bench import debug
from cockpit.bench.debug import bisect, cases, context_lines, edits_too_early, new_case, open_case, patterns, save
from cockpit.errors import CannotAnswer
from cockpit.repository import Repository, find_repository
from skills.workflow.debug import (
    EVIDENCE,
    Case,
    Hypothesis,
    Why,
    count_patterns,
    next_step,
    ordered,
    why_no_fix,
)
from skills.workflow.debug_text import fishbone, report
from tests.unit.bench.test_rollback import commit, git
from tests.unit.conftest import Said

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FULL = {name: "seen" for name, _ in EVIDENCE}
THREE = tuple(Hypothesis(f"cause {n}") for n in range(3))


def case(**more: object) -> Case:
    return replace(Case("c1", "It breaks", "2026-11-20T10:00:00Z"), **more)  # type: ignore[arg-type]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    root = tmp_path / "acme"
    subprocess.run(["git", "init", "-q", "-b", "main", str(root)], check=True)
    for number in range(9):
        commit(root, f"Step {number}", a=f"{number}\n")
    return find_repository(root)


@pytest.mark.parametrize(
    ("hypothesis", "score"),
    [
        (Hypothesis("x"), 10 + 10 + 10),
        (Hypothesis("x", ("a", "b"), minutes=14, users="subset"), 25 + 20 + 20),
        (Hypothesis("x", ("a", "b", "c"), minutes=4.9, users="all"), 100),
        (Hypothesis("x", ("a",), minutes=5, users="one"), 10 + 20 + 10),
        (Hypothesis("x", ("a",), minutes=15, users="one"), 10 + 10 + 10),
    ],
)
def test_a_hypothesis_is_scored(hypothesis: Hypothesis, score: int) -> None:
    assert hypothesis.score == score


def test_the_most_promising_comes_first_and_ties_keep_their_order() -> None:
    known = (Hypothesis("a"), Hypothesis("b", ("1", "2", "3"), minutes=1, users="all"), Hypothesis("c"))
    assert [number for number, _ in ordered(case(hypotheses=known))] == [2, 1, 3]


def test_each_step_names_what_is_missing() -> None:
    assert "the exact error" in next_step(case())
    assert "3 more hypotheses" in next_step(case(evidence=FULL))
    assert "test hypothesis 1, alone" in next_step(case(evidence=FULL, hypotheses=THREE))
    rejected = tuple(replace(one, result="rejected") for one in THREE)
    assert "every hypothesis is rejected" in next_step(case(evidence=FULL, hypotheses=rejected))
    confirmed = (*THREE[:2], replace(THREE[2], result="confirmed"))
    assert "ask why" in next_step(case(evidence=FULL, hypotheses=confirmed))
    found = case(evidence=FULL, hypotheses=confirmed, whys=(Why("a"), Why("b")))
    assert "mend it" in next_step(found)


EVIDENCES = st.dictionaries(st.sampled_from([name for name, _ in EVIDENCE]), st.sampled_from(["", " ", "seen"]))
HYPOTHESES = st.lists(st.builds(Hypothesis, st.just("x"), result=st.sampled_from(["open", "confirmed", "rejected"])))


@given(EVIDENCES, HYPOTHESES)
def test_no_way_to_a_fix_past_evidence_three_hypotheses_and_a_confirmation(
    evidence: dict[str, str], hypotheses: list[Hypothesis]
) -> None:
    held = why_no_fix(case(evidence=evidence, hypotheses=tuple(hypotheses)))
    complete = all(evidence.get(name, "").strip() for name, _ in EVIDENCE)
    confirmed = any(one.result == "confirmed" for one in hypotheses)
    assert (held == "") == (complete and len(hypotheses) >= 3 and confirmed)


def test_errors_are_counted_by_class_within_a_day() -> None:
    lines = [
        "2026-11-20T11:00:00Z ERROR request timed out",
        "2026-11-20 11:01:00,123 ERROR connection refused by the database",
        "AttributeError: 'NoneType' object has no attribute 'total'  error",
        "2026-11-20T11:02:00Z INFO database connection established",
        "2026-11-18T11:00:00Z ERROR out of memory",
        "2026-11-20T11:03:00+00:00 ERROR 401 unauthorized",
    ]
    found, undated = count_patterns(["no time here", *lines], NOW)
    assert undated == 1
    assert dict(found) == {"timeout": 1, "connection": 1, "database": 1, "null_reference": 1, "auth": 1}


@given(st.lists(st.text()))
def test_no_log_breaks_the_counting(lines: list[str]) -> None:
    found, undated = count_patterns(lines, NOW)
    assert 0 <= undated <= len(lines) and all(count <= len(lines) - undated for count in found.values())


def test_the_fishbone_and_the_report_hold_what_was_found() -> None:
    one = case(
        evidence=FULL,
        hypotheses=(replace(THREE[0], result="confirmed", users="all"), replace(THREE[1], result="rejected")),
        whys=(Why("a value is missing", "log"), Why("the form drops it")),
        factors={"Technology": ("new serializer",), "Methods": ("no test",)},
        solution="keep it",
    )
    drawn = "\n".join(fishbone(one))
    assert "Technology" in drawn and "· new serializer" in drawn and "> It breaks" in drawn
    text = report(one, 5400.0)
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert " ".join(line[3:] for line in headings) == (
        "Summary Description Impact Root cause Evidence trail Solution Prevention Lessons Related"
    )
    assert (
        "1 h 30 min" in text and "the form drops it" in text and "CONFIRMED" in text and "it was not: cause 1" in text
    )


def test_a_case_survives_and_only_one_is_open(repository: Repository) -> None:
    first = new_case(repository, "It breaks")
    with pytest.raises(CannotAnswer, match="is open"):
        new_case(repository, "Another")
    save(repository, replace(first, evidence=FULL, hypotheses=THREE))
    assert open_case(repository).hypotheses == THREE
    save(repository, replace(first, abandoned=True))
    with pytest.raises(CannotAnswer, match="no case is open"):
        open_case(repository)
    assert len(cases(repository)) == 1


def test_bisect_finds_the_commit_and_touches_no_work_tree(repository: Repository) -> None:
    root = repository.root
    (root / "a").write_text("mine, not committed\n")
    before = git(root, "for-each-ref"), git(root, "status", "--porcelain"), git(root, "worktree", "list")
    told: list[str] = []
    command = [sys.executable, "-c", "import sys; sys.exit(int(open('a').read()) >= 6)"]
    found = bisect(repository, "HEAD~8", "HEAD", command, tell=told.append)
    assert git(root, "log", "-1", "--format=%s", found) == "Step 6"
    assert told and (root / "a").read_text() == "mine, not committed\n"
    assert (git(root, "for-each-ref"), git(root, "status", "--porcelain"), git(root, "worktree", "list")) == before


def test_bisect_judges_files_that_an_archive_leaves_out(repository: Repository) -> None:
    root = repository.root
    (root / ".git" / "info" / "attributes").write_text("a export-ignore\n")
    commit(root, "Attributes", **{".gitattributes": "a export-ignore\n"})
    command = [sys.executable, "-c", "import sys; sys.exit(int(open('a').read()) >= 6)"]
    found = bisect(repository, "HEAD~9", "HEAD", command, tell=lambda line: None)
    assert git(root, "log", "-1", "--format=%s", found) == "Step 6"


def test_the_end_of_a_very_long_log_is_read(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COCKPIT_NOW", NOW.isoformat())
    monkeypatch.setattr(debug, "_LARGEST_LOG", 4096)
    log = repository.root / "error.log"
    with log.open("wb") as stream:
        stream.write(b"2026-11-20 11:58:00 ERROR TimeoutError: timeout, long ago\n" + bytes(30_000))
        stream.write(b"\n2026-11-20 11:59:00 ERROR TimeoutError: timeout, the last one\n")
    assert context_lines(repository)[-1].endswith("the last one")
    found, _ = patterns([log], 1.0)
    assert sum(found.values()) == 1


def test_bisect_passes_over_what_cannot_be_judged(repository: Repository) -> None:
    script = "import sys; n = int(open('a').read()); sys.exit(125 if n in (3, 4) else n >= 6)"
    found = bisect(repository, "HEAD~8", "HEAD", [sys.executable, "-c", script], tell=lambda line: None)
    assert git(repository.root, "log", "-1", "--format=%s", found) == "Step 6"
    blind = "import sys; n = int(open('a').read()); sys.exit(125 if 0 < n < 8 else n >= 6)"
    with pytest.raises(CannotAnswer, match="it is one of"):
        bisect(repository, "HEAD~8", "HEAD", [sys.executable, "-c", blind], tell=lambda line: None)


@pytest.mark.parametrize(("script", "why"), [("1", "fails at"), ("0", "passes at")])
def test_bisect_says_when_its_ends_do_not_differ(repository: Repository, script: str, why: str) -> None:
    with pytest.raises(CannotAnswer, match=why):
        bisect(
            repository, "HEAD~3", "HEAD", [sys.executable, "-c", f"raise SystemExit({script})"], tell=lambda line: None
        )


def test_an_edit_before_its_time_is_named(repository: Repository) -> None:
    started = new_case(repository, "It breaks")
    place, edited = str(repository.root), {"old_string": "8", "new_string": "9"}
    tool = {"type": "tool_use", "id": "t1", "name": "Edit", "input": {"file_path": f"{place}/a", **edited}}
    said = {"id": "m1", "model": "claude-opus-4-5", "content": [tool], "usage": {"input_tokens": 1, "output_tokens": 1}}
    row = {"type": "assistant", "uuid": "u1", "sessionId": "s1", "cwd": place, "message": said}
    folder = Path(os.environ["CLAUDE_CONFIG_DIR"]) / "projects" / "acme"
    folder.mkdir(parents=True)
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    (folder / "s1.jsonl").write_text(json.dumps({**row, "timestamp": later}) + "\n")
    early = edits_too_early(repository, open_case(repository))
    assert early and early[0].startswith("a (claude")
    ready = replace(started, evidence=FULL, hypotheses=(replace(THREE[0], result="confirmed"), *THREE[1:]))
    assert edits_too_early(repository, ready) == []


def test_the_command_walks_from_evidence_to_report(repository: Repository, in_process: Callable[..., Said]) -> None:
    cockpit = partial(in_process, "--repo", str(repository.root), "debug")
    assert cockpit().returncode == 2
    assert cockpit("new", "It", "breaks").returncode == 0
    assert cockpit("report", "--solution", "guess").returncode == 2
    seen = [word for name, _ in EVIDENCE if name != "environment" for word in (f"--{name}", "seen")]
    assert cockpit("evidence", *seen, "--environment", "auto").returncode == 0
    for number in range(3):
        cockpit("hypothesis", f"cause {number}", "--evidence", "e", "--minutes", "3")
    assert cockpit().returncode == 1
    assert cockpit("test", "2", "--confirmed", "--seen", "yes").returncode == 0
    assert cockpit().returncode == 0
    written = cockpit("report", "--solution", "mended", "--write", "--json")
    document = json.loads(written.stdout)
    assert (repository.root / document["files"][0]).read_text() == document["report"]
    held = cockpit("bisect", "--good", "HEAD~3", "--", "sh", "-c", "true")
    assert held.returncode == 2 and "not trusted" in held.stderr

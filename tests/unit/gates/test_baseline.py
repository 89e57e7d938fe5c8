"""The baseline knows each finding once: what moved stays known, and a copy of it is new."""

import re
from pathlib import Path

import pytest

from cockpit.errors import CannotAnswer
from cockpit.findings.baseline import Baseline, read_baseline
from cockpit.hooks.judge import _new
from skills.gates import analyse, settle
from skills.gates.engine.fingerprints import content_of, fingerprint, without_layout
from skills.gates.model import Finding, GateOptions, ProjectEvidence

STATEMENT = "pay = Mock()"


def found(path: str) -> Finding:
    """The same finding in a file."""
    key = fingerprint(path, "bare-mock", "test_a", STATEMENT)
    return Finding(
        "bare-mock", "P0", "CRITICAL", "django-testing-patterns", path, 1, 1, 1, 9, "test_a", "m", "h", "confirmed",
        False, key,
    )  # fmt: skip


def test_a_moved_finding_stays_known_and_its_copy_is_new() -> None:
    old, moved, copy = found("a.py"), found("b.py"), found("c.py")
    assert content_of(old.fingerprint) == content_of(moved.fingerprint) != old.fingerprint
    known = Baseline(None, {old.fingerprint: {"rule": "bare-mock", "path": "a.py"}})

    assert [one.baseline for one in known.marked((moved, copy), lambda path: set())] == ["known", "new"]
    assert [one.baseline for one in known.marked((moved,), lambda path: {old.fingerprint})] == ["new"]


def test_an_edit_that_moves_a_finding_brings_none_and_one_that_copies_it_does() -> None:
    lines = {path: [STATEMENT] for path in ("a.py", "b.py", "c.py")}
    old, moved, copy = found("a.py"), found("b.py"), found("c.py")

    assert _new((old,), lines, (moved,), lines) == ()
    assert _new((old,), lines, (moved, copy), lines) == (copy,)
    assert _new((old,), lines, (old, copy), lines) == (copy,)


def judged(path: str, source: str) -> tuple[Finding, ...]:
    """What missing-type-hints finds in a file."""
    options = GateOptions(select=("missing-type-hints",), isolated=True)
    return settle([analyse(path, source.encode())], ProjectEvidence({}), options).findings


def baseline_of(findings: tuple[Finding, ...]) -> Baseline:
    return Baseline(None, {one.fingerprint: {"rule": one.rule, "path": one.path} for one in findings})


def test_what_a_class_holds_stays_known_when_the_class_gets_another_name() -> None:
    source = "class Old:\n    def pay(self, a):\n        return a\n\n    def get(self, a):\n        return a\n"
    renamed = judged("a.py", source.replace("Old", "New"))
    both = judged("a.py", source + source.replace("Old", "New"))
    elsewhere = judged("b.py", source.replace("Old", "New"))
    known = baseline_of(judged("a.py", source))

    assert [one.baseline for one in known.marked(renamed, lambda path: {one.fingerprint for one in renamed})] == [
        "known",
        "known",
    ]
    seen = {one.fingerprint for one in both}
    assert [one.symbol for one in known.marked(both, lambda path: seen) if one.baseline == "new"] == [
        "New.pay",
        "New.get",
    ]
    assert {one.baseline for one in known.marked(elsewhere, lambda path: set())} == {"new"}


def test_a_row_of_a_long_table_stays_known_when_another_row_changes() -> None:
    rows = "".join(f"    'key_{number}': {number},\n" for number in range(20))
    options = GateOptions(select=("hardcoded-secret",), isolated=True)

    def found(rows: str) -> list[str]:
        source = "CONF = {\n" + rows + "    'password': 'hunter2hunter2x',\n}\n"
        return [
            one.fingerprint
            for one in settle([analyse("p/settings.py", source.encode())], ProjectEvidence({}), options).findings
        ]

    assert found(rows) == found(rows + "    'one_more': 1,\n") != []


def test_of_equal_statements_the_added_one_is_new() -> None:
    one, two = "    x = make(lambda a=[]: a)\n", "    x = make(lambda a=[]: a)\n"
    options = GateOptions(select=("mutable-default",), isolated=True)

    def found(source: str) -> tuple[Finding, ...]:
        return settle([analyse("a.py", source.encode())], ProjectEvidence({}), options).findings

    known = baseline_of(found("def f() -> None:\n" + two))
    now = found("def f() -> None:\n" + one + two)

    def new(added: int) -> list[int]:
        told = known.marked(now, lambda path: {row.fingerprint for row in now}, lambda row: row.line == added)
        return [row.line for row in told if row.baseline == "new"]

    assert (new(2), new(3)) == ([2], [3])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"version": 2, "findings": []}', "another version of cockpit (2)"),
        ('{"version": 1, "findings": [\n<<<<<<< HEAD\n=======\n>>>>>>> theirs\n]}', "a merge left a conflict"),
        ("[]", "not a baseline"),
        ('{"version": 1}', "not a baseline"),
        ('{"version": 1, "findings": [1]}', "not a baseline"),
        ("[" * 100_000, "not a baseline"),
    ],
)
def test_what_is_no_baseline_says_why(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "baseline.json").write_text(text)

    with pytest.raises(CannotAnswer, match=re.escape(words)):
        read_baseline(tmp_path / "baseline.json")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("self.a, b = make(1, 2)", "(\n    self.a,\n    b,\n) = make(\n    1,\n    2,\n)"),
        ("x = a + \\\n    make('b')", 'x = a + make(\n    "b"\n)'),
        ("x = make(1)", "x = make(1)  # type: ignore"),
        ("x = make(  # why\n    1)", "# as told\nx = make(1)"),
        ("x = 'it\\'s #1'", 'x = "it\'s #1"'),
        ("if (a\n        and b):", "if a and b:"),
    ],
)
def test_layout_and_comments_are_no_part_of_a_statement(before: str, after: str) -> None:
    assert without_layout(before) == without_layout(after)


def test_what_is_told_apart() -> None:
    texts = ("x = '#1'", "x = '#2'", "# x = 1", "# x = 2", "x = make(1)", "x = make(12)")
    assert len({without_layout(text) for text in texts}) == len(texts)


def test_a_body_on_the_line_of_its_head_may_get_its_own() -> None:
    one, two = (
        analyse("a.py", source.encode()).candidates
        for source in ("def f(x, y=[]): return y\n", "def f(x, y=[]):\n    return y\n")
    )
    assert [found.fingerprint for found in one] == [found.fingerprint for found in two] != []


def test_statements_on_one_line_may_get_a_line_each() -> None:
    one, two = (
        analyse("a.py", source.encode()).candidates
        for source in (
            "for x in y: use(x == None); z = type(x) == 'ü'\na = b == None; c = 3\n",
            "for x in y:\n    use(x == None)\n    z = type(x) == 'ü'\na = b == None\nc = 3\n",
        )
    )
    assert len(one) == 3 and [found.fingerprint for found in one] == [found.fingerprint for found in two]


def test_of_equal_statements_that_a_change_adds_together_the_accepted_one_stays_known() -> None:
    pair = judged("a.py", "def f(a): return a\n\n\ndef f(a): return a\n")
    known = baseline_of(pair[1:])
    whole = known.marked(pair, lambda path: set())

    assert [one.baseline for one in whole] == ["new", "known"]
    assert known.marked(pair, lambda path: set(), lambda one: True) == whole

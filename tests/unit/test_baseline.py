"""The baseline knows each finding once: what moved stays known, and a copy of it is new."""

import pytest

from cockpit.findings.baseline import Baseline
from cockpit.hooks.judge import _new
from skills.gates import analyse
from skills.gates.engine.fingerprints import content_of, fingerprint, without_layout
from skills.gates.model import Finding

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

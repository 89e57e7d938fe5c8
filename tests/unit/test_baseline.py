"""The baseline knows each finding once: what moved stays known, and a copy of it is new."""

from cockpit.findings.baseline import Baseline
from cockpit.hooks.judge import _new
from skills.gates.fingerprints import content_of, fingerprint
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

"""What git says of a work tree, read from any output."""

from hypothesis import given
from hypothesis import strategies as some

from cockpit.worktrees.measure import parse_status
from cockpit.worktrees.models import Counts

_name = some.binary(min_size=1, max_size=12).filter(lambda name: b"\0" not in name and not name.endswith(b"/"))


@given(some.binary(max_size=300))
def test_any_output_can_be_parsed(output: bytes) -> None:
    counts, folders = parse_status(output)
    assert min(counts.staged, counts.unstaged, counts.untracked, counts.conflicts) >= 0
    assert len(folders) <= counts.untracked


@given(
    some.lists(some.tuples(some.sampled_from([b"M.", b".M", b"MM", b"R.", b"??", b"UU"]), _name, _name), max_size=20)
)
def test_records_are_counted_whatever_their_names_look_like(entries: list[tuple[bytes, bytes, bytes]]) -> None:
    output = b"# branch.oid (initial)\0"
    for state, name, old in entries:
        if state == b"??":
            output += b"? " + name + b"\0"
        elif state == b"UU":
            output += b"u UU N... 100644 100644 100644 100644 1 2 3 " + name + b"\0"
        elif state == b"R.":
            output += b"2 R. N... 100644 100644 100644 1 2 R100 " + name + b"\0" + old + b"\0"
        else:
            output += b"1 " + state + b" N... 100644 100644 100644 1 2 " + name + b"\0"
    states = [state for state, _, _ in entries]
    expected = Counts(
        staged=sum(state in (b"M.", b"MM", b"R.") for state in states),
        unstaged=sum(state in (b".M", b"MM") for state in states),
        untracked=states.count(b"??"),
        conflicts=states.count(b"UU"),
    )
    assert parse_status(output) == (expected, [])

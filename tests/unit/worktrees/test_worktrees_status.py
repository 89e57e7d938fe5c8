"""What git says of a work tree, read from any output."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from cockpit.worktrees.measure import parse_status
from cockpit.worktrees.models import Counts
from tests.unit.trees import commit, git

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


@pytest.mark.skipif(os.geteuid() == 0 and shutil.which("setpriv") is None, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_told_and_hides_no_count(tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    repo.mkdir()
    git(repo, "init", "-q", "-b", "main")
    commit(repo, "a.txt", "a\n")
    (repo / "data").mkdir()
    (repo / "data" / "new.txt").write_text("kept\n")
    (repo / "data").chmod(0)
    unprivileged = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    (repo / "b.txt").write_text("b\n")
    words = [*unprivileged, sys.executable, "-m", "cockpit", "--repo", str(repo), "worktree", "list"]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    (repo / "data").chmod(0o700)
    assert "1 new" in told and "data may not be read: what is new there is not counted" in told

"""Files that survive a kill at any moment."""

import random
import signal
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from cockpit.files import locked, source_lines, write_atomically

HOME = Path(__file__).parents[3]


def test_a_kill_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    target = tmp_path / "state.json"
    old, new = b"old" * 200_000, b"new" * 200_000
    target.write_bytes(old)
    program = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from cockpit.files import write_atomically
        contents = (b"new" * 200_000, b"old" * 200_000)
        print("ready", flush=True)
        while True:
            for content in contents:
                write_atomically(Path(sys.argv[1]), content)
        """
    )
    chance = random.Random(7)
    seen = set()
    for _ in range(25):
        writer = subprocess.Popen(
            [sys.executable, "-c", program, str(target)], cwd=HOME, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        try:
            writer.wait(chance.uniform(0.0, 0.02))
        except subprocess.TimeoutExpired:
            writer.send_signal(signal.SIGKILL)
        assert writer.wait() == -signal.SIGKILL
        writer.stdout.close()
        found = target.read_bytes()
        assert found in (old, new)
        seen.add(found)
    write_atomically(target, b"after")
    assert target.read_bytes() == b"after"
    assert seen


@pytest.mark.parametrize(("mode", "kept"), [(None, 0o754), (0o600, 0o600)])
def test_permissions_of_the_old_file_are_kept_where_none_are_asked_for(
    tmp_path: Path, mode: int | None, kept: int
) -> None:
    old = tmp_path / "old"
    old.write_text("x")
    old.chmod(0o754)

    write_atomically(old, "y", mode=mode)

    assert stat.S_IMODE(old.stat().st_mode) == kept


def test_a_new_file_is_private(tmp_path: Path) -> None:
    write_atomically(tmp_path / "new" / "file", "z")

    assert stat.S_IMODE((tmp_path / "new" / "file").stat().st_mode) == 0o600


def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    write_atomically(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_atomically(tmp_path / "folder", "content")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_lock_is_held_by_one_process(tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from cockpit.files import locked
        with locked(Path(sys.argv[1])) as mine:
            print(mine, flush=True)
        """
    )

    def other() -> bytes:
        done = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "lock")], cwd=HOME, capture_output=True, check=True
        )
        return done.stdout.strip()

    with locked(tmp_path / "lock") as mine:
        assert mine
        assert other() == b"False"
    assert other() == b"True"


def test_the_lines_of_a_source_are_those_that_python_counts() -> None:
    source = "a = 1\r\n\x0c\nb = '\u2028 \x85 \x1c'\rc = 3\n".encode() + b"# \xff"
    assert source_lines(source) == ["a = 1", "\x0c", "b = '\u2028 \x85 \x1c'", "c = 3", "# \ufffd"]

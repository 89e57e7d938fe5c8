"""Temporary folders: closed with their use, and what a killed process left goes with the next one."""

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from cockpit import temporary
from cockpit.temporary import temporary_folder

HOLD = (
    "import time; from cockpit.temporary import temporary_folder; f = temporary_folder('held');"
    "print(f.name, flush=True); time.sleep(60)"
)


@pytest.fixture(autouse=True)
def own_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(temporary, "_swept", False)


def test_what_a_killed_process_left_goes_with_the_next(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        left = Path(holder.stdout.readline().strip())
        with temporary_folder("mine") as mine:
            assert left.is_dir() and Path(mine).is_dir()  # its owner lives
        holder.send_signal(signal.SIGKILL)
    assert left.is_dir() and not Path(mine).exists()
    temporary._swept = False
    foreign = tmp_path / "cockpit-notes"
    foreign.mkdir()
    temporary_folder("other").cleanup()
    assert not left.exists() and foreign.is_dir()


def test_a_link_is_never_followed(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("mine")
    (tmp_path / "cockpit-objects-999999-abc").symlink_to(kept)
    temporary_folder("other").cleanup()
    assert (kept / "file").read_text() == "mine"

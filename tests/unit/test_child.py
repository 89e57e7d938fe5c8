"""A program that is given bytes and answers: whole, however much is said, and ended where it takes too long."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from cockpit.child import Child


def python(script: str) -> Child:
    return Child([sys.executable, "-c", script], dict(os.environ))


def test_much_is_said_both_ways_at_once() -> None:
    child = python(
        "import sys; d = sys.stdin.buffer.read(); sys.stderr.write('e' * 300_000); sys.stdout.buffer.write(d)"
    )
    given = bytes(range(256)) * 20_000
    assert child.answer(given, 60.0) == (given, b"e" * 300_000)
    assert child.status == 0


def test_who_does_not_read_what_it_is_given_answers_all_the_same() -> None:
    child = python("import os, sys; os.close(0); print('done'); sys.exit(3)")
    assert child.answer(b"x" * 5_000_000, 60.0) == (b"done\n", b"")
    assert child.status == 3


def test_without_something_given_its_input_ends_at_once() -> None:
    assert python("import sys; print(sys.stdin.read() + 'end')").answer() == (b"end\n", b"")


def test_a_signal_is_a_negative_status_and_a_broken_pipe_ends_it_as_it_ends_others() -> None:
    child = python("import os; os.kill(os.getpid(), 9)")
    assert child.answer() == (b"", b"")
    assert child.status == -signal.SIGKILL
    child = Child(["sh", "-c", "kill -PIPE $$; echo lives"], dict(os.environ))  # Python ignores it, a child must not
    assert child.answer() == (b"", b"")
    assert child.status == -signal.SIGPIPE


def test_what_takes_too_long_is_ended_with_its_helpers(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    child = Child(["sh", "-c", f"sleep 60 & echo $! > {told}; wait"], dict(os.environ))
    with pytest.raises(TimeoutError):
        child.answer(timeout=0.5)
    child.end()
    helper = int(told.read_text())
    until = time.monotonic() + 10
    while _runs(helper) and time.monotonic() < until:
        time.sleep(0.01)
    assert child.status == -signal.SIGKILL and not _runs(helper)


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_it_has_a_session_of_its_own_and_the_environment_that_it_is_given() -> None:
    script = "import os; print(os.getsid(0) == os.getpid(), sorted(os.environ)[:1])"
    out, err = Child([sys.executable, "-S", "-c", script], {"ONLY": "this"}).answer()
    assert out.startswith(b"True ") and b"PATH" not in out, err


def test_nothing_stays_open(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for number in range(5):
        Child(["true"], {}).answer(b"given" * number)
        Child(["sleep", "60"], {}).end()
        with pytest.raises(FileNotFoundError):
            Child([str(tmp_path / "nothing")], {})
    assert len(list(Path("/proc/self/fd").iterdir())) == before

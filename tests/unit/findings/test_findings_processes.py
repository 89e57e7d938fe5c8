"""What the system does to us: no inotify watches left, a parent that is killed, a file that kills its worker."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cockpit.findings.discovery import look
from cockpit.findings.pool import _batches
from cockpit.findings.worker import Judged, Task, judge
from tests.processes import alive, gone

HOME = Path(__file__).resolve().parents[3]

EXHAUSTED = """
import asyncio, sys
from pathlib import Path
from cockpit.findings.watching import TreeWatch

async def main(root):
    folders = [f"d{number}" for number in range(20)]
    watch = TreeWatch(root, None)
    await watch.set_folders(["", *folders], [f"{name}/a.py" for name in folders])
    assert await watch.wait() == {""}
    (root / "d7/a.py").write_text("changed")
    print(watch.note)
    print(*sorted(await watch.wait()))
    await watch.close()

asyncio.run(asyncio.wait_for(main(Path(sys.argv[1])), 20))
"""

WARM = """
import json, sys, time
from cockpit.findings.pool import Pool

pool = Pool(2)
pool.warm()
print(json.dumps([worker.process.pid for worker in pool._idle]), flush=True)
time.sleep(60)
"""


def python(program: str, *words: str) -> list[str]:
    return [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(HOME)!r})\n{program}", *words]


def test_without_inotify_watches_it_polls_and_says_so(tmp_path: Path) -> None:
    limited = ["unshare", "-Ur", "sh", "-c", 'echo 3 > /proc/sys/user/max_inotify_watches && exec "$@"', "sh"]
    if not shutil.which("unshare") or subprocess.run([*limited, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system does not let a user lower his own inotify limit (unshare -U)")
    for number in range(20):
        (tmp_path / f"d{number}").mkdir()
        (tmp_path / f"d{number}/a.py").write_text("x")
    done = subprocess.run([*limited, *python(EXHAUSTED, str(tmp_path))], capture_output=True, text=True, check=False)
    note, changed = done.stdout.splitlines()
    assert "polled" in note and "max_user_watches" in note
    assert "d7/a.py" in changed.split()


def test_workers_end_when_their_parent_is_killed() -> None:
    parent = subprocess.Popen(python(WARM), stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    workers = json.loads(parent.stdout.readline())
    assert all(alive(pid) for pid in workers)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert gone(workers)


def test_a_worker_needs_neither_libcst_nor_textual() -> None:
    program = (
        "import sys\nfrom cockpit.findings.worker import Task, judge\n"
        "assert judge(b'/', Task(b'x.py', 1, b'', b'x = 1')).report is not None\n"
        "print(sorted({'libcst', 'textual', 'rich', 'pydantic', 'git'} & sys.modules.keys()))"
    )
    done = subprocess.run(python(program), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


REPLACES = """
import os, sys, time
path, whole = sys.argv[1], open(sys.argv[1]).read()
print("writes", flush=True)
until = time.monotonic() + 20
while time.monotonic() < until:
    with open(path + ".new", "w") as new:
        new.write(whole[: len(whole) // 2]); new.flush(); new.write(whole[len(whole) // 2 :])
    os.replace(path + ".new", path)
"""


def _judged_while(path: Path, write: Callable[[], object]) -> Judged:
    """The answer about a file that is written in the moment between its reading and the look at what was read."""

    def meanwhile(_: object, event: str, called: object) -> None:
        if event == "c_return" and getattr(called, "__name__", "") == "readall":
            write()

    sys.setprofile(meanwhile)
    try:
        return judge(os.fsencode(path.parent), Task(os.fsencode(path.name), 1))
    finally:
        sys.setprofile(None)


def test_half_of_a_file_that_is_being_written_is_not_judged(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("x = (1,\n")
    rest = iter(["     2)\n"])

    def write() -> None:
        with path.open("a") as file:
            file.write(next(rest, ""))

    report = _judged_while(path, write).report
    assert report is not None and report.problem is None


def test_a_file_that_does_not_come_to_rest_is_not_judged_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("x = 1\n")

    def write() -> None:
        with path.open("a") as file:
            file.write("#")

    report = _judged_while(path, write).report
    assert report is not None and report.problem is not None
    assert report.problem.message == "cannot be read (it changes while it is read)"


def test_a_file_that_is_replaced_again_and_again_is_always_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("x = (\n" + "    1 +\n" * 2_000 + "    1\n)\n")
    with subprocess.Popen(python(REPLACES, str(path)), stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None and writer.stdout.readline()
        for _ in range(50):
            report = judge(os.fsencode(tmp_path), Task(b"a.py", 1)).report
            assert report is not None and report.problem is None
        writer.kill()


def test_a_file_may_become_anything_before_it_is_read(tmp_path: Path) -> None:
    root, path = os.fsencode(tmp_path), tmp_path / "a.py"
    assert judge(root, Task(b"a.py", 1)).gone
    os.mkfifo(path)
    pipe = judge(root, Task(b"a.py", 1)).report
    assert pipe is not None and pipe.problem is not None and "not a regular file" in pipe.problem.message
    assert look(tmp_path, "a.py") == (None, "not a regular file")
    path.unlink()
    path.symlink_to("a.py")
    loop = judge(root, Task(b"a.py", 1)).report
    assert loop is not None and loop.problem is not None and "cannot be read" in loop.problem.message
    path.unlink()
    path.write_bytes(b"#" * 2_000_001)
    large = judge(root, Task(b"a.py", 1)).report
    assert large is not None and large.problem is not None and "larger than 2 MB" in large.problem.message


def test_models_are_judged_first_and_in_small_batches() -> None:
    sizes = {f"shop/models/m{number}.py": 30_000 for number in range(6)} | {
        f"shop/views/v{number}.py": 90_000 for number in range(6)
    }
    batches = [
        [task.name for task in batch]
        for batch in _batches([Task(name.encode(), size) for name, size in sizes.items()], 2)
    ]
    assert sorted(name for batch in batches for name in batch) == sorted(name.encode() for name in sizes)
    of_models = [all(b"model" in name for name in batch) for batch in batches]
    assert of_models == [True] * 3 + [False] * (len(batches) - 3)
    assert [len(batch) for batch in batches[:3]] == [2, 2, 2]

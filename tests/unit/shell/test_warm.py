"""The warm process: the same answers as without it, and no harm where it is gone, stale, slow or another version."""

import asyncio
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.findings.models import FindingsSnapshot
from cockpit.hooks.drain import log_path, spool_opened
from cockpit.hooks.spool import put
from cockpit.paths import state_dir
from cockpit.repository import find_repository
from cockpit.warm import client
from cockpit.warm.host import WarmProcess
from cockpit.warm.keep import keep_warm
from cockpit.warm.snapshot import read_snapshot
from cockpit.warm.telling import Shown
from skills.gates.engine.patterns import compile_all, lazy
from tests.git import git

BAD = "from unittest.mock import Mock\n\n\ndef test_total():\n    assert Mock()\n"


@pytest.fixture(autouse=True)
def switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COCKPIT_WARM")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    (root / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = ["pytest-mock"]\n')
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "start")
    (root / "test_a.py").write_text(BAD)
    git(root, "add", "-A")
    return root


@pytest.fixture
def warm(repo: Path) -> Iterator[WarmProcess]:
    process = WarmProcess(find_repository(repo))
    process.start()
    try:
        _until(lambda: answers(repo))
        yield process
    finally:
        process.close()


def _until(holds, seconds: float = 30.0) -> None:  # type: ignore[no-untyped-def]
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)


def answers(folder: Path) -> bool:
    return client.ask("command", ["--version"], folder=str(folder)) is not None


def place(repo: Path) -> Path:
    return Path(client.socket_path(str(repo / ".git")))


def cockpit(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "cockpit", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), **variables},
        capture_output=True,
        check=False,
    )


def counted(folder: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, bytes, bytes] | None:
    monkeypatch.chdir(folder)
    return client.ask("command", list(words))


@pytest.mark.parametrize("form", ["text", "sarif", "github"])
def test_the_answer_is_the_same_byte_for_byte(
    repo: Path, warm: WarmProcess, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("check", "--staged", "--format", form)
    cockpit(repo, *words, COCKPIT_WARM="0")  # both find the cache filled
    alone = cockpit(repo, *words, COCKPIT_WARM="0")
    asked = counted(repo, monkeypatch, *words)
    assert asked is not None
    code, out, err = asked
    assert alone.returncode == code == 1 and b"bare-mock" in out
    assert _timeless(alone.stdout) == _timeless(out)
    assert alone.stderr == err
    through = cockpit(repo, *words)
    assert (through.returncode, _timeless(through.stdout)) == (1, _timeless(out))


def _timeless(said: bytes) -> list[bytes]:
    return [line.rpartition(" · ".encode())[0] if line.startswith(b"files ") else line for line in said.split(b"\n")]


def test_a_reader_that_leaves_early_does_not_turn_a_no_into_a_yes(repo: Path, warm: WarmProcess) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "cockpit", "check", "--staged"],
            cwd=repo,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
            stdout=writing,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


def test_errors_are_the_same(repo: Path, warm: WarmProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    for words in (("check", "--staged", "--select", "nonsense"), ("check", "--staged", "--wrong")):
        alone = cockpit(repo, *words, COCKPIT_WARM="0")
        assert counted(repo, monkeypatch, *words) == (alone.returncode, alone.stdout, alone.stderr)


def test_the_folder_is_that_of_who_asks(
    repo: Path, warm: WarmProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(repo, "worktree", "add", "-q", str(tmp_path / "tree"), "-b", "side")
    (tmp_path / "tree" / "test_b.py").write_text(BAD)
    git(tmp_path / "tree", "add", "-A")

    asked = counted(tmp_path / "tree", monkeypatch, "check", "--staged")

    assert asked is not None and b"test_b.py" in asked[1] and b"test_a.py" not in asked[1]


def test_the_environment_is_that_of_who_asks(repo: Path, warm: WarmProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COCKPIT_PROFILE", "nowhere")

    asked = counted(repo, monkeypatch, "check", "--staged")

    assert asked is not None and asked[0] == 2 and b"nowhere" in asked[2]


def test_a_commit_is_stopped_through_the_warm_process(repo: Path, warm: WarmProcess) -> None:
    from cockpit.hooks.git import apply, plan_install

    apply(plan_install(find_repository(repo)))
    done = subprocess.run(["git", "commit", "-m", "x"], cwd=repo, capture_output=True, text=True, check=False)
    assert done.returncode and "bare-mock" in done.stderr


def test_the_socket_is_for_its_person_alone_and_goes_with_the_process(repo: Path, warm: WarmProcess) -> None:
    path = place(repo)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    warm.close()
    assert not path.exists() and not answers(repo)


def test_a_second_process_waits_and_a_dead_one_is_replaced(
    repo: Path, warm: WarmProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    inode = place(repo).stat().st_ino
    second = WarmProcess(find_repository(repo))
    second.start()
    try:
        time.sleep(0.5)  # cockpit: ignore[sleep-in-test] that nothing happens has no event
        assert place(repo).stat().st_ino == inode and answers(repo)
        assert warm._process is not None
        os.kill(warm._process.pid, signal.SIGKILL)
        _until(lambda: place(repo).stat().st_ino != inode and answers(repo))
    finally:
        second.close()


def test_a_stale_socket_is_replaced(repo: Path) -> None:
    path = place(repo)
    path.parent.mkdir(parents=True)
    dead = socket.socket(socket.AF_UNIX)
    with client.Address(str(path)) as address:
        dead.bind(address)
    dead.close()
    assert path.exists() and not answers(repo)
    process = WarmProcess(find_repository(repo))
    process.start()
    try:
        _until(lambda: answers(repo))
    finally:
        process.close()


def test_it_ends_with_its_parent_however_that_ends(repo: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from cockpit.repository import find_repository;"
        "from cockpit.warm.host import WarmProcess; w = WarmProcess(find_repository(Path(sys.argv[1]))); w.start();"
        "time.sleep(60)"
    )
    home = str(Path(__file__).parents[3])
    parent = subprocess.Popen([sys.executable, "-c", program, str(repo)], env={**os.environ, "PYTHONPATH": home})
    try:
        _until(lambda: answers(repo))
    finally:
        parent.kill()
        parent.wait()
    _until(lambda: not place(repo).exists())


@pytest.mark.parametrize("manner", ["silent", "garbage", "closing", "half"])
def test_who_gets_no_answer_does_the_work(repo: Path, manner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = place(repo)
    path.parent.mkdir(parents=True)
    listener = socket.socket(socket.AF_UNIX)
    with client.Address(str(path)) as address:
        listener.bind(address)
    listener.listen()
    monkeypatch.setattr(client, "READY_SECONDS", 0.1)
    done = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            if manner == "garbage":
                connection.sendall(b"\xff" * 40)
            if manner == "half":
                connection.sendall(b"\0\0\0\1" + client.READY + b"\0\0\0\x50\xdd")
            if manner != "closing":
                done.wait(5)

    server = threading.Thread(target=serve)
    server.start()
    try:
        monkeypatch.chdir(repo)
        assert client.ask("command", ["--version"], seconds=0.2) is None
    finally:
        done.set()
        server.join()
        listener.close()


def test_another_version_is_not_believed(repo: Path, warm: WarmProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "version", lambda: b"0")
    assert counted(repo, monkeypatch, "--version") is None


def test_requests_that_are_no_requests_leave_it_alive(repo: Path, warm: WarmProcess) -> None:
    for data in (b"", b"\0", b"\xff\xff\xff\xff", b"\0\0\0\4abcd", b"\0\0\0\5\xdd\0\0\0\1"):
        with socket.socket(socket.AF_UNIX) as connection, client.Address(str(place(repo))) as address:
            connection.connect(address)
            connection.sendall(data)
    assert answers(repo)


def test_the_folders_are_those_that_everybody_else_finds(repo: Path, tmp_path: Path) -> None:
    git(repo, "worktree", "add", "-q", str(tmp_path / "tree"), "-b", "side")
    (repo / "deep" / "er").mkdir(parents=True)
    assert client.state_folder() == str(state_dir())
    for folder in (repo, repo / "deep" / "er", tmp_path / "tree"):
        common = client.common_folder(str(folder))
        assert common == os.path.realpath(find_repository(folder).common_dir)
    assert client.common_folder("/") is None


def test_the_client_imports_nothing_heavy(repo: Path) -> None:
    program = (
        "import os, sys; before = set(sys.modules); from cockpit.warm.client import ask; ask('command', []);"
        "print(*sorted(set(sys.modules) - before))"
    )
    home = str(Path(__file__).parents[3])
    place(repo).parent.mkdir(parents=True)
    place(repo).touch()  # no socket: connecting fails, after everything was imported
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        cwd=repo,
        env={**os.environ, "PYTHONPATH": home},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.split()) <= {"cockpit", "cockpit.warm", "cockpit.warm.client", "_blake2", "_socket"}


_PARTS = st.binary(max_size=40) | st.integers(-(2**31), 2**31 - 1) | st.lists(st.binary(max_size=9))


@given(st.lists(_PARTS))
def test_what_is_packed_comes_back(parts: list[client.Part]) -> None:
    import msgspec

    assert client.unpacked(client.pack(parts)) == parts
    assert msgspec.msgpack.decode(client.pack(parts)) == parts


@given(st.binary(max_size=60))
def test_unpacking_garbage_raises_one_kind_of_error(data: bytes) -> None:
    try:
        parts = client.unpacked(data)
    except (ValueError, IndexError):
        return
    assert client.pack(parts)


async def test_what_hooks_leave_is_taken_up_at_once_and_what_is_shown_is_written(repo: Path) -> None:
    repository, shown = find_repository(repo), Shown()
    keeping = asyncio.create_task(keep_warm(repository, shown))

    async def until(holds: Callable[[], object]) -> None:
        async with asyncio.timeout(30):
            while not holds():
                await asyncio.sleep(0.02)

    with spool_opened():
        for number in range(3):
            put(
                "claude", json.dumps({"hook_event_name": "Stop", "session_id": f"s{number}", "cwd": str(repo)}).encode()
            )
            await until(lambda number=number: f"s{number}" in _log())  # type: ignore[misc]
        await until(lambda: read_snapshot(repository.common_dir) is not None)
        shown.noting("found", lambda _: None)(FindingsSnapshot(phase="ready", root=repo))
        await until(lambda: (told := read_snapshot(repository.common_dir)) is not None and told.p0 == 0)
        await until(lambda: answers(repo))
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
    assert not answers(repo)


def _log() -> str:
    return log_path().read_text() if log_path().exists() else ""


def test_patterns_are_compiled_before_the_first_fork() -> None:
    one = lazy("a+")
    assert "compiled" not in vars(one)
    compile_all()
    assert vars(one)["compiled"] is re.compile("a+") and one.search("ba") is not None

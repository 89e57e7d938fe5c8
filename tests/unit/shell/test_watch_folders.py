"""What the system tells of changed files: at once, nothing forgotten, and nothing at all while nothing happens."""

import asyncio
import errno
import os
import resource
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from cockpit.inotify import Inotify
from cockpit.watch_folders import watch_folders, why_not_watched

linux = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")


async def told(feed: AsyncGenerator[set[str], None], happens: Callable[[], object], *paths: Path | str) -> set[str]:
    """What is told, until every one of `paths` was."""
    happens()
    wanted, found = {str(path) for path in paths}, set[str]()
    async with asyncio.timeout(20):
        while not wanted <= found:
            found |= await anext(feed)
    return found


async def begun(*folders: Path, **options: Any) -> AsyncGenerator[set[str], None]:
    """A feed whose folders are watched by now."""
    feed = watch_folders(*folders, settle=0.02, **options)
    async with asyncio.timeout(20):
        assert await anext(feed) == set()
    return feed


async def test_a_file_that_comes_changes_moves_or_goes_is_told(tmp_path: Path) -> None:
    async with aclosing(await begun(tmp_path)) as feed:
        one, two = tmp_path / "one", tmp_path / "two"
        await told(feed, lambda: one.write_text("a"), one)
        await told(feed, lambda: one.write_text("ab"), one)
        await told(feed, lambda: one.rename(two), one, two)
        await told(feed, lambda: two.chmod(0o600), two)
        await told(feed, lambda: two.unlink(), two)


async def test_new_folders_are_watched_with_what_they_hold_by_then(tmp_path: Path) -> None:
    async with aclosing(await begun(tmp_path)) as feed:
        deep = tmp_path / "a" / "b" / "c"

        def made() -> None:
            deep.mkdir(parents=True)
            (deep / "first").write_text("")

        await told(feed, made, deep / "first")
        await told(feed, lambda: (deep / "second").write_text(""), deep / "second")


@linux
async def test_a_folder_that_moves_is_told_by_its_new_name(tmp_path: Path) -> None:
    (tmp_path / "old" / "below").mkdir(parents=True)
    async with aclosing(await begun(tmp_path)) as feed:
        new = tmp_path / "new"
        await told(feed, lambda: (tmp_path / "old").rename(new), new)
        found = await told(feed, lambda: (new / "below" / "x").write_text(""), new / "below" / "x")
        assert not any(path.startswith(str(tmp_path / "old")) for path in found)


@linux
async def test_links_that_lead_round_in_a_circle_end_somewhere(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "round").symlink_to(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    async with aclosing(await begun(tmp_path)) as feed:
        await told(feed, lambda: (tmp_path / "real" / "x").write_text(""), tmp_path / "real" / "x")


async def test_without_recursion_what_is_deeper_is_not_told(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    async with aclosing(await begun(tmp_path, recursive=False)) as feed:
        (tmp_path / "deep" / "hidden").write_text("")
        found = await told(feed, lambda: (tmp_path / "seen").write_text(""), tmp_path / "seen")
        assert str(tmp_path / "deep" / "hidden") not in found


async def test_what_does_not_matter_is_left_out(tmp_path: Path) -> None:
    async with aclosing(await begun(tmp_path, matters=lambda path: path.endswith(".py"))) as feed:
        (tmp_path / "a.log").write_text("")
        assert await told(feed, lambda: (tmp_path / "a.py").write_text(""), tmp_path / "a.py") == {
            str(tmp_path / "a.py")
        }


@linux
async def test_a_name_that_is_no_text_is_told_like_any_other(tmp_path: Path) -> None:
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff")
    async with aclosing(await begun(tmp_path)) as feed:
        await told(feed, lambda: Path(odd).mkdir(), odd)
        await told(feed, lambda: Path(odd, "in").write_text(""), f"{odd}/in")


async def test_silence_is_told_where_that_is_asked_for_noise_or_not(tmp_path: Path) -> None:
    async with aclosing(await begun(tmp_path, matters=lambda path: False, tick=0.1)) as feed:
        (tmp_path / "noise").write_text("")
        async with asyncio.timeout(20):
            assert await anext(feed) == set()


async def test_it_ends_when_it_is_to_stop(tmp_path: Path) -> None:
    stop = asyncio.Event()
    feed = await begun(tmp_path, stop=stop)
    asyncio.get_running_loop().call_later(0.05, stop.set)
    async with asyncio.timeout(20):
        assert [batch async for batch in feed] == []


async def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await begun(tmp_path / "nowhere")


@linux
def test_what_the_system_had_to_drop_names_every_folder(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if most > 100_000:
        pytest.skip("this system queues too many events")
    watch = Inotify(recursive=False)
    watch.watch([str(tmp_path / "a"), str(tmp_path / "b")])
    one, two = tmp_path / "a" / "one", tmp_path / "a" / "two"
    one.write_text("")
    for _ in range(most // 2 + 10):  # each takes two places in the queue
        one.rename(two)
        two.rename(one)
    found: set[str] = set()
    while paths := watch.take():
        found |= paths
    watch.close()
    assert {str(tmp_path / "a"), str(tmp_path / "b"), str(one)} <= found


@linux
async def test_waiting_costs_nothing(tmp_path: Path) -> None:
    program = """
import asyncio, resource, sys
from cockpit.watch_folders import watch_folders

async def main():
    feeds = [watch_folders(sys.argv[1]) for _ in range(4)]
    for feed in feeds:
        await anext(feed)
    waiting = [asyncio.create_task(anext(feed)) for feed in feeds]
    await asyncio.sleep(0.2)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw
    await asyncio.sleep(1)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw - before)
    for task in waiting:
        task.cancel()

asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert int(done.stdout) <= 3  # the clock's own, not one for every few milliseconds


@linux
async def test_no_descriptor_left_is_an_error_that_says_what_to_raise(tmp_path: Path) -> None:
    with _no_descriptors(), pytest.raises(OSError) as raised:
        await anext(watch_folders(tmp_path))
    assert raised.value.errno == errno.EMFILE
    assert "max_user_instances" in why_not_watched(raised.value)


@contextmanager
def _no_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = max(int(name) for name in os.listdir("/proc/self/fd"))  # noqa: PTH208
    taken = [os.open("/dev/null", os.O_RDONLY) for _ in range(used + 1 - len(os.listdir("/proc/self/fd")))]  # noqa: PTH208
    resource.setrlimit(resource.RLIMIT_NOFILE, (1, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for one in taken:
            os.close(one)


@linux
async def test_a_flood_is_told_whole(tmp_path: Path) -> None:
    names = [f"f{number}" for number in range(5000)]

    def flood() -> None:
        for name in names:
            (tmp_path / name).touch()

    async with aclosing(await begun(tmp_path)) as feed:
        started = time.monotonic()
        await told(feed, flood, *(tmp_path / name for name in names))
        assert time.monotonic() - started < 15

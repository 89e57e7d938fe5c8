"""From the write of a file to the snapshot that shows its finding, through the live feed with warm workers."""

import asyncio
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from bench_check import make_project

FILES = 600
SAVES = 30

VIOLATION = "from unittest.mock import Mock\n\n\ndef test_{n}():\n    stand_in = Mock()\n    assert stand_in\n"
CLEAN = "def test_{n}():\n    assert {n} >= 0\n"


def run() -> dict[str, float]:
    """`save_p95_ms` and `save_median_ms`, from write to snapshot, in a project of 600 files."""
    folder = Path(tempfile.mkdtemp(prefix="bench-save-"))
    before = os.environ.get("COCKPIT_STATE_DIR", "")
    os.environ["COCKPIT_STATE_DIR"] = str(folder / "state")
    try:
        make_project(folder / "shop", FILES)
        taken = sorted(asyncio.run(_saves(folder / "shop")))
    finally:
        os.environ["COCKPIT_STATE_DIR"] = before
        shutil.rmtree(folder, ignore_errors=True)
    return {
        "save_median_ms": round(statistics.median(taken), 1),
        "save_p95_ms": round(taken[int(len(taken) * 0.95)], 1),
    }


async def _saves(root: Path) -> list[float]:
    from cockpit.config import Config
    from cockpit.findings.engine import Engine
    from cockpit.findings.feed import follow_findings
    from cockpit.repository import find_repository

    taken: list[float] = []
    with Engine() as engine:
        feed = follow_findings(engine, find_repository(root), Config(), root=root)
        async for snapshot in feed:
            if snapshot.phase == "ready":
                break
        path = next((root / "apps").rglob("test_*.py"))
        name = path.relative_to(root).as_posix()
        for number in range(SAVES):
            await asyncio.sleep(0.2)  # a person saves, looks, saves again
            text = (CLEAN if number % 2 else VIOLATION).format(n=number)
            started = time.perf_counter()
            await asyncio.to_thread(_save, path, text, atomically=number % 3 == 0)
            while True:
                snapshot = await anext(feed)
                if bool(number % 2) != any(
                    found.rule == "bare-mock" and found.path == name for found in snapshot.findings
                ):
                    break
            taken.append((time.perf_counter() - started) * 1000)
        await feed.aclose()
    return taken


def _save(path: Path, text: str, *, atomically: bool) -> None:
    if not atomically:
        path.write_text(text)
        return
    other = path.with_suffix(".tmp")
    other.write_text(text)
    other.replace(path)


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:28} {value}")

"""Start-up and rest: `--help` against bare Python, first paint against a hello-world app, the cost of idling."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from cockpit.demo import make_demo
from tests.benchmarks.terminal import Terminal

HELLO = """
from textual.app import App, ComposeResult
from textual.widgets import Static

class Hello(App):
    def compose(self) -> ComposeResult:
        yield Static("hello, world")

Hello().run()
"""


_PAIRS = 7
_REST_SECONDS = 60


def _seconds(words: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begun


def _ratio(ours: list[float], theirs: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def run() -> dict[str, float]:
    """`help_ratio`, `paint_ratio`, `paint_ms`, `idle_cpu_percent`, `idle_memory_mb`; pairs are run in turn."""
    cockpit = [sys.executable, "-m", "cockpit"]
    bare, helped = [], []
    for _ in range(15):
        bare.append(_seconds([sys.executable, "-c", "pass"]))
        helped.append(_seconds([*cockpit, "--help"]))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        demo = make_demo(Path(folder), now=datetime.now(UTC))
        environment = {**os.environ, **demo.env}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # as it is installed: compiled once, by the first run
        with Terminal([*cockpit, "--repo", str(demo.root)], environment) as terminal:
            terminal.seconds_until(b"Findings")
        hello, paint = [], []
        for _ in range(_PAIRS):
            with Terminal([sys.executable, "-c", HELLO], environment) as terminal:
                hello.append(terminal.seconds_until(b"hello, world"))
            with Terminal([*cockpit, "--repo", str(demo.root)], environment) as terminal:
                paint.append(terminal.seconds_until(b"Findings"))
        with Terminal([*cockpit, "--repo", str(demo.root)], environment) as terminal:
            terminal.seconds_until(b"manual-tenant-filter")
            terminal.read(8)
            before = terminal.cpu_seconds()
            terminal.read(_REST_SECONDS)
            idle = (terminal.cpu_seconds() - before) / _REST_SECONDS * 100
            memory = terminal.memory_mb()
        demo.close()
    return {
        "help_ratio": _ratio(helped, bare),
        "paint_ratio": _ratio(paint, hello),
        "paint_ms": statistics.median(paint) * 1000,
        "idle_cpu_percent": idle,
        "idle_memory_mb": memory,
    }


if __name__ == "__main__":
    print(run())

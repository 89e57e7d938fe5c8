"""The price table in a process of its own: it is imported on another core while transcripts are read.

Importing it takes as long as reading fifty megabytes. Where the process fails, prices are looked up here.
"""

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from cockpit.spend.price_table import RateKey, Rates, Standing, look_up
from cockpit.spend.prices import Prices
from cockpit.spend.usual_rates import usual

_HOME = str(Path(__file__).resolve().parents[2])
_START = "import sys; sys.path.insert(0, sys.argv[1]); from cockpit.spend.price_process import serve; serve()"


@contextlib.contextmanager
def imported_meanwhile(prices: Prices) -> Iterator[None]:
    """Where nothing tells the usual prices without the table, it is imported on another core in this context."""
    if (os.cpu_count() or 1) < 2 or "genai_prices" in sys.modules or usual():
        yield
        return
    process = PriceProcess()
    here, prices.table = prices.table, process.look_up
    try:
        yield
    finally:
        prices.table = here
        process.close()


class PriceProcess:
    """Started at once; the first answer waits until the table is there."""

    def __init__(self) -> None:
        import subprocess

        words = [sys.executable, "-I", "-c", _START, _HOME]
        pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
        self._process = subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=nowhere, cwd=os.sep)

    def look_up(self, key: RateKey) -> Standing:
        """As `price_table.look_up`."""
        process = self._process
        try:
            if process.stdin is None or process.stdout is None:
                return look_up(key)
            process.stdin.write(json.dumps(key).encode() + b"\n")
            process.stdin.flush()
            first, tiers = json.loads(process.stdout.readline())
        except (OSError, ValueError):
            return look_up(key)
        return first, tuple(Rates(*tier) for tier in tiers)

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):  # a question that was never read
                    stream.close()
        self._process.wait()


def serve() -> None:
    """Answer keys from standard input, a line each, until it ends."""
    import genai_prices  # noqa: F401 - before the first question comes

    for line in sys.stdin.buffer:
        model, day, fast, provider = json.loads(line)
        sys.stdout.write(json.dumps(look_up((model, day, fast, provider))) + "\n")
        sys.stdout.flush()

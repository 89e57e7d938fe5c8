"""The price table in a process of its own: it is imported on another core while transcripts are read.

Importing it takes as long as reading fifty megabytes. Where the process fails, prices are looked up here.
"""

import contextlib
import json
import os
import sys
from collections.abc import Iterator

from cockpit.spend.own_process import OwnProcess
from cockpit.spend.price_table import RateKey, Rates, Standing, look_up
from cockpit.spend.prices import Prices
from cockpit.spend.usual_rates import usual

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


class PriceProcess(OwnProcess):
    """The first answer waits until the table is there."""

    def __init__(self) -> None:
        super().__init__(_START)

    def look_up(self, key: RateKey) -> Standing:
        """As `price_table.look_up`."""
        try:
            self.input.write(json.dumps(key).encode() + b"\n")
            self.input.flush()
            first, tiers = json.loads(self.output.readline())
        except (OSError, ValueError):
            return look_up(key)
        return first, tuple(Rates(*tier) for tier in tiers)


def serve() -> None:
    """Answer keys from standard input, a line each, until it ends."""
    import genai_prices  # noqa: F401 - before the first question comes

    for line in sys.stdin.buffer:
        model, day, fast, provider = json.loads(line)
        sys.stdout.write(json.dumps(look_up((model, day, fast, provider))) + "\n")
        sys.stdout.flush()

"""What one save costs a warm worker: a file of 500 lines, judged by every rule there is."""

import gc
import random
import statistics
import tempfile
import time
from pathlib import Path

from cockpit.findings.worker import Task, encode_judged, judge
from tests.benchmarks.bench_check import make_source

LINES = 500
ROUNDS = 30


def run() -> dict[str, float]:
    """`worker_ms`: processor time of reading, judging and encoding the answer: the median of the kind of file (views,
    serializers, services, models, tests) that takes longest."""
    gc.disable()
    worst = 0.0
    with tempfile.TemporaryDirectory(prefix="bench-worker-") as folder:
        for kind in ("models", "views", "serializers", "services", "tests/test_views"):
            path = Path(folder) / f"{kind}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(_of_length(path.stem))
            task = Task(f"{kind}.py".encode(), path.stat().st_size)
            taken = []
            for _ in range(ROUNDS):
                started = time.process_time()
                encode_judged([judge(folder.encode(), task)])
                taken.append((time.process_time() - started) * 1000)
            worst = max(worst, statistics.median(taken))
    gc.enable()
    return {"worker_ms": round(worst, 1)}


def _of_length(kind: str) -> str:
    chance, text = random.Random(7), ""
    while text.count("\n") < LINES:
        text += make_source(kind, chance) + "\n\n"
    return "\n".join(text.split("\n")[:LINES]).rpartition("\n\n\n")[0] + "\n"


if __name__ == "__main__":
    print(run())

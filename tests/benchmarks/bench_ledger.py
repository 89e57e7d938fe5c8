"""What a warm ledger adds to the first paint: the app with no history at all, and with 60 MB of it read before."""

import os
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from cockpit.demo import make_demo
from tests.benchmarks.bench_transcripts import write_transcripts
from tests.benchmarks.terminal import Terminal

MEGABYTES = 60
PAIRS = 11


def run(pairs: int = PAIRS) -> dict[str, float]:
    """What the history added, the median of pairs that are run in turn: `added_ms` until the first paint.

    `added_cpu_ms` is processor time of the app up to then, all its threads: what a busy machine can still tell.
    """
    cockpit = [sys.executable, "-m", "cockpit"]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        demo = make_demo(folder / "demo", now=datetime.now(UTC))
        places: dict[str, dict[str, str]] = {}
        for kind in ("empty", "warm"):
            home = folder / kind
            (home / "claude").mkdir(parents=True)
            own = {"HOME": home, "CLAUDE_CONFIG_DIR": home / "claude", "COCKPIT_STATE_DIR": home / "state"}
            own |= {"CODEX_HOME": home / "codex", "XDG_DATA_HOME": home / "data"}
            places[kind] = {**os.environ, **demo.env, **{key: str(path) for key, path in own.items()}}
        write_transcripts(folder / "warm" / "claude", MEGABYTES, cwd=str(demo.root))
        opened = [*cockpit, "--repo", str(demo.root)]
        subprocess.run([*opened, "spend", "--json"], env=places["warm"], stdout=subprocess.DEVNULL, check=True)
        paint: dict[str, list[float]] = {"empty": [], "warm": []}
        used: dict[str, list[float]] = {"empty": [], "warm": []}
        for number in range(pairs + 1):
            for kind in ("empty", "warm") if number % 2 else ("warm", "empty"):
                with Terminal(opened, places[kind]) as terminal:
                    seconds, cpu = terminal.seconds_until(b"Findings"), terminal.own_cpu_seconds()
                if number:  # the first fills what every later start finds
                    paint[kind].append(seconds)
                    used[kind].append(cpu)
        demo.close()
    return {
        "added_ms": _added(paint),
        "added_cpu_ms": _added(used),
        "empty_ms": statistics.median(paint["empty"]) * 1000,
        "warm_ms": statistics.median(paint["warm"]) * 1000,
    }


def _added(seconds: dict[str, list[float]]) -> float:
    differences = [warm - empty for warm, empty in zip(seconds["warm"], seconds["empty"], strict=True)]
    return statistics.median(differences) * 1000


if __name__ == "__main__":
    print(run())

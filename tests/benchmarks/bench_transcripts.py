"""How fast transcripts are read: 50 MB cold, then warm after an append, each in its own process, and the memory."""

import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HOME = Path(__file__).resolve().parents[2]
MEGABYTES = 50
_WORDS = ("return", "import", "value", "result", "error", "token", "session", "branch", "commit", "self")


def run(megabytes: float = MEGABYTES) -> dict[str, float]:
    """Measure. Seconds without the start of Python; milliseconds; megabytes; `warm_ratio` is warm by cold."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_transcripts(root, megabytes)
        cold = _measured("measure", root)
        path = next((root / "projects").glob("*/*.jsonl"))
        warm = []
        for number in range(3):
            with path.open("a") as stream:
                stream.write(json.dumps(response(f"msg_warm_{number}", "later", 1000, "x", 400)) + "\n")
            warm.append(_measured("measure_warm", root)["warm_s"])
        return {**cold, "warm_s": sorted(warm)[1], "warm_ratio": round(sorted(warm)[1] / cold["cold_s"], 3)}


def _measured(what: str, root: Path) -> dict[str, float]:
    words = [sys.executable, "-c", f"from bench_transcripts import {what}; {what}()", str(root)]
    places = {"PYTHONPATH": f"{HOME}:{Path(__file__).parent}", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(words, check=True, capture_output=True, text=True, env=places)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def measure_warm() -> None:
    """Open the ledger that is there, read what is new, and print the seconds that took."""
    wall = time.perf_counter()
    from cockpit.agents.claude_usage import ClaudeReader
    from cockpit.spend.ledger import Ledger
    from cockpit.spend.places import Places
    from cockpit.spend.rows import spend_rows
    from cockpit.spend.store import Store
    from cockpit.spend.sums import Scope

    root = Path(sys.argv[-1])
    ledger = Ledger([ClaudeReader([root])], Store.open(root / "state"))
    changed = ledger.read()
    spend_rows(ledger, "day", Scope(Places(None)))
    if len(changed) != 1:
        raise AssertionError(f"{len(changed)} responses were new instead of 1")
    print(json.dumps({"warm_s": round(time.perf_counter() - wall, 3)}))


def measure() -> None:
    """Read the transcripts below the folder that is the last argument, price them, append, and print the figures."""
    import resource

    wall, cpu = time.perf_counter(), time.process_time()
    from cockpit.agents.claude_usage import ClaudeReader
    from cockpit.spend.ledger import Ledger
    from cockpit.spend.places import Places
    from cockpit.spend.rows import spend_rows
    from cockpit.spend.store import Store
    from cockpit.spend.sums import Scope

    root = Path(sys.argv[-1])
    ledger, scope = Ledger([ClaudeReader([root])], Store.open(root / "state")), Scope(Places(None))
    ledger.read()
    _, total = spend_rows(ledger, "day", scope)
    cold, cpu = time.perf_counter() - wall, time.process_time() - cpu
    path = next((root / "projects").glob("*/*.jsonl"))
    appends = []
    for number in range(5):
        with path.open("a") as stream:
            stream.write(json.dumps(response(f"msg_append_{number}", "late", 1000, "x", 400)) + "\n")
        started = time.perf_counter()
        ledger.read()
        appends.append(time.perf_counter() - started)
    _, after = spend_rows(ledger, "total", scope)
    if after.requests != total.requests + 5:
        raise AssertionError(f"{after.requests - total.requests} of 5 appended responses were counted")
    figures = {
        "cold_s": round(cold, 3),
        "cpu_s": round(cpu, 3),
        "append_ms": round(sorted(appends)[2] * 1000, 2),
        "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }
    print(json.dumps(figures))


def write_transcripts(root: Path, megabytes: float, cwd: str = "/home/dev/app") -> None:
    """Sessions of plausible shape: several lines for a response, long tool results, sub-agents with partial usage."""
    chance = random.Random(11)
    text = " ".join(chance.choices(_WORDS, k=4000))
    written = session = 0
    while written < megabytes * 1e6:
        session += 1
        name = f"session-{session:05d}"
        main = root / "projects" / f"-home-dev-app-{session % 7}" / f"{name}.jsonl"
        for path in (main, main.with_suffix("") / "subagents" / "agent-1.jsonl"):
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("w") as stream:
                for turn in range(chance.randint(5, 60)):
                    for document in _turn(chance, text, f"msg_{path.stem}_{session}_{turn}", name, path is not main):
                        document["cwd"] = cwd
                        written += stream.write(json.dumps(document, separators=(",", ":")) + "\n")


def _turn(chance: random.Random, text: str, message: str, session: str, side: bool) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    blocks, final = chance.choice((1, 2, 2, 3)), chance.randint(100, 2000)
    for block in range(blocks):
        last = block == blocks - 1 and not (side and chance.random() < 0.2)
        content = text[: chance.randint(60, 1500)]
        said = response(message, session, final if last else 1, content, chance.randint(10_000, 150_000), side=side)
        result = {
            "type": "user",
            "sessionId": session,
            "cwd": "/home/dev/app",
            "timestamp": "2026-11-20T12:00:01.000Z",
            "message": {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "t", "content": text[: chance.randint(200, 8000)]}],
            },
        }
        lines += [said, result]
    return lines


def response(message: str, session: str, output: int, text: str, read: int, *, side: bool = False) -> dict[str, Any]:
    """One assistant line."""
    return {
        "parentUuid": message,
        "isSidechain": side,
        "cwd": "/home/dev/app",
        "sessionId": session,
        "version": "2.1.270",
        "gitBranch": "main",
        "type": "assistant",
        "uuid": f"{message}-{output}",
        "timestamp": "2026-11-20T12:00:00.000Z",
        "message": {
            "model": "claude-opus-4-7",
            "id": message,
            "role": "assistant",
            "content": [{"type": "text", "text": text}],
            "stop_reason": "end_turn" if output > 1 else None,
            "usage": {
                "input_tokens": 4,
                "cache_creation_input_tokens": 900,
                "cache_read_input_tokens": read,
                "cache_creation": {"ephemeral_5m_input_tokens": 900, "ephemeral_1h_input_tokens": 0},
                "output_tokens": output,
            },
        },
    }


if __name__ == "__main__":
    print(json.dumps(run()))

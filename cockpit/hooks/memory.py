"""What hooks remember of a session between two events: findings that it was told of, sub-agents, tokens of hints."""

import contextlib
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from time import time

import msgspec

from cockpit.files import locked, only_newest, read_regular, write_atomically
from cockpit.paths import state_dir

MOST_SESSIONS = 300
PATIENCE_SECONDS = 2.0  # an agent asks about calls that it makes in parallel at once, and each counts
_LARGEST = 1 << 20
_MOST_KNOWN = 2000


class Memory(msgspec.Struct):
    """`known` are fingerprints of P0 findings by work tree; `delegated` the times (seconds since 1970) at which
    sub-agents were let start, `refused` those at which one was not; `hints` and `hint_tokens` what was added to
    prompts."""

    known: dict[str, list[str]] = {}
    delegated: list[float] = []
    refused: list[float] = []
    hints: int = 0
    hint_tokens: int = 0


def memories() -> Path:
    """The folder that holds them."""
    return state_dir() / "hooks" / "sessions"


@contextlib.contextmanager
def remembered(session: str) -> Iterator[Memory]:
    """The memory of a session, to be changed and kept. Where it cannot be kept it is forgotten: never an error."""
    path = memories() / f"{blake2b(session.encode('utf-8', 'replace'), digest_size=10).hexdigest()}.json"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = locked(path.with_suffix(".lock"), PATIENCE_SECONDS)
        lock.__enter__()
    except OSError:
        yield Memory()
        return
    try:
        memory = read_memory(path)
        before = msgspec.json.encode(memory)
        yield memory
        memory.known = {root: known[-_MOST_KNOWN:] for root, known in memory.known.items()}
        data = msgspec.json.encode(memory)
        if data != before:
            with contextlib.suppress(OSError):
                fresh = not path.exists()
                write_atomically(path, data, mode=0o600)
                if fresh:
                    _prune(path.parent)
    finally:
        lock.__exit__(None, None, None)


def read_memory(path: Path) -> Memory:
    """One memory, an empty one where there is none that can be read."""
    try:
        return msgspec.json.decode(read_regular(path, _LARGEST), type=Memory)
    except (OSError, msgspec.MsgspecError, ValueError):
        return Memory()


def hints_counted() -> tuple[int, int]:
    """How many hints were added to prompts and how many tokens they took (estimated), over all kept sessions."""
    found = [read_memory(path) for path in sorted(memories().glob("*.json"))]
    return sum(one.hints for one in found), sum(one.hint_tokens for one in found)


def _prune(folder: Path) -> None:
    for path in only_newest(folder, "*.json", MOST_SESSIONS)[1]:
        path.with_suffix(".lock").unlink(missing_ok=True)


def moment() -> float:
    """The machine's own time, as the files of agents carry it."""
    return time()

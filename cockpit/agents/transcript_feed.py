"""A session's transcript, opened piece by piece and followed while it grows; what one item says in full; search."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from cockpit.agents.models import Agent
from cockpit.agents.record import Record
from cockpit.agents.told import Told
from cockpit.agents.transcript import Cost, TranscriptReader
from cockpit.agents.transcript_file import TranscriptFile
from cockpit.agents.transcript_files import LineFile, PackedFile, claude_helpers, files_of
from cockpit.agents.transcript_models import Item, Transcript
from cockpit.errors import CannotAnswer
from cockpit.plain_text import plain_text

FIRST = 400  # lines until something is on screen
EVERY = 0.5  # seconds between looks at the files
_LONGEST = 200_000  # characters of one item that are shown in full


def dollars() -> Cost:
    """What a response costs in dollars by the price table and the person's own prices; None: no known price."""
    from cockpit.spend.overrides import read_overrides
    from cockpit.spend.price_table import PICO
    from cockpit.spend.prices import Prices

    prices = Prices(overrides=read_overrides())

    def cost(record: Record) -> float | None:
        found = prices.cost(record)
        return None if found is None else found / PICO

    return cost


def open_transcript(agent: Agent, session: str) -> TranscriptReader:
    """The reader of a session. Raises `CannotAnswer` where the agent keeps no transcript of it."""
    files = files_of(agent, session)
    if not files:
        raise CannotAnswer(f"{agent} keeps no transcript of session {plain_text(session, 60)}")
    return TranscriptReader(agent, session, files, dollars())


async def follow_transcript(reader: TranscriptReader) -> AsyncIterator[Transcript]:
    """The transcript as far as it was read: first its beginning, then more, then whatever is new. Never ends."""
    most, shown = FIRST, None
    while True:
        transcript, more = await asyncio.to_thread(_look, reader, most)
        if transcript is not shown or more:
            shown = transcript
            yield transcript
        most = 4_000 if most == FIRST else 20_000
        await asyncio.sleep(0 if more else EVERY)


def _look(reader: TranscriptReader, most: int) -> tuple[Transcript, bool]:
    own = reader.files[0]
    if reader.agent == "claude":
        reader.join(claude_helpers(own.path))
    return reader.read(most)


def full_text(files: list[TranscriptFile], item: Item) -> str:
    """What an item says, with a call's arguments and its answer. Text from outside: not yet safe to show."""
    file = files[item.source]
    try:
        told = file.again(item.place)
        answer = file.again(item.result_place) if item.result_place else []
    except OSError as problem:
        return f"{file.path.name} cannot be read any more: {problem.strerror}"
    if item.kind == "call":
        call = next((one for one in told if one.kind == "call" and one.id == item.id), None)
        said = next((one.text for one in answer if one.kind == "result" and one.id == item.id), "")
        parts = [_arguments(call)] if call else []
        parts += ["", f"── answer ({item.status}) ──", said] if item.result_place else ["", "── no answer yet ──"]
        return _cut("\n".join(parts))
    return _cut("\n\n".join(one.text for one in told if one.kind == item.kind)) or item.text


def _arguments(call: Told) -> str:
    rows: list[str] = []
    for name, value in call.given.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
        rows += [f"{name}: {text}"] if "\n" not in text else [f"{name}:", text]
    return "\n".join(rows)


def _cut(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}\n… {len(text) - _LONGEST:,} more characters are not shown"


def search(files: list[TranscriptFile], query: str) -> set[tuple[int, int]]:
    """(file, line) of everything that says `query`, upper and lower case alike, also what stands beyond the first line
    of an item. Files that cannot be read any more are passed over."""
    found: set[tuple[int, int]] = set()
    wanted = query.lower()
    for number, file in enumerate(files):
        try:
            found.update((number, line) for line in _lines_with(file, wanted))
        except OSError:
            continue
    return found


def _lines_with(file: TranscriptFile, wanted: str) -> Iterator[int]:
    if not isinstance(file, LineFile) or isinstance(file, PackedFile):
        for place, told in file.fresh().read():
            if any(_says(one, wanted) for one in told):
                yield place.line
        return
    for line, raw in _raw_lines(file.path, wanted):
        if any(_says(one, wanted) for one in file.tell(raw)):
            yield line


def _raw_lines(path: Path, wanted: str) -> Iterator[tuple[int, bytes]]:
    """The lines in whose bytes something like `wanted` stands; anything that JSON may have written otherwise passes."""
    from cockpit.files import Tail

    mark = wanted.encode() if wanted.isascii() and json.dumps(wanted)[1:-1] == wanted else b""
    tail = Tail(path)
    for block in tail.blocks():
        lowered = block.lower()
        if mark not in lowered:
            continue
        first = tail.line + 1
        for number, (raw, low) in enumerate(zip(block.split(b"\n"), lowered.split(b"\n"), strict=True), first):
            if raw and mark in low:
                yield number, raw


def _says(told: Told, wanted: str) -> bool:
    if wanted in told.text.lower():
        return told.kind in ("prompt", "text", "thought", "result")
    return told.kind == "call" and (wanted in told.name.lower() or wanted in _arguments(told).lower())

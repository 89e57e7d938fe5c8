"""A planned change of one file: shown as a diff first, then written where the file is still the one it was planned
for."""

import difflib
import io
import os
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

from cockpit.errors import CannotAnswer, cannot_read, cannot_write
from cockpit.files import read_regular, write_atomically
from cockpit.plain_text import plain_text
from skills.record import record

_LINE = re.compile(r"[^\n]*\n|[^\n]+")  # as git counts lines


@record
class Patch:
    """A planned change of one file. `path` is relative to `root`, `line` is the first that changes, `diff` is
    unified."""

    root: Path
    path: str
    line: int
    before: bytes
    after: bytes
    diff: str


def apply_patch(patch: Patch) -> None:
    """Write the planned change. The file keeps its newlines, encoding and permissions.

    Raises `CannotAnswer` where the file is not the one that was planned for, or cannot be written.
    """
    if read_source(patch.root, patch.path) != patch.before:
        raise CannotAnswer(f"{plain_text(patch.path, 200)} changed since the change was planned", "plan it again")
    try:
        write_atomically(patch.root / patch.path, patch.after)
    except OSError as problem:
        raise cannot_write(patch.path, problem) from None


def read_source(root: Path, name: str) -> bytes:
    """The content of a file below the root. Raises `CannotAnswer` where it is elsewhere or cannot be read."""
    path = root / name
    real = os.path.realpath(path)
    if not real.startswith(os.path.realpath(root) + os.sep):
        raise CannotAnswer(f"{plain_text(name, 200)} is not below {root}")
    try:
        return read_regular(path)
    except OSError as problem:
        raise cannot_read(name, problem) from None


def encoding_of(source: bytes) -> str:
    """The encoding that a source declares; a byte order mark stays in its text as it is."""
    try:
        found, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
    except SyntaxError:
        return "utf-8"
    return "utf-8" if found == "utf-8-sig" else found


def physical_lines(text: str) -> list[str]:
    """Lines as Python counts them: only newlines end them, not form feeds or Unicode's separators."""
    return [line for line in re.split(r"(?<=\n)|(?<=\r)(?!\n)", text) if line]


def unified_diff(name: str, before: list[str], after: list[str]) -> str:
    """The change of a file's lines as `git apply` takes it: exact, so it passes `plain_text` where it is shown."""
    shown = plain_text(name)
    old, new = (_LINE.findall("".join(lines)) for lines in (before, after))
    lines = difflib.unified_diff(old, new, f"a/{shown}", f"b/{shown}", n=3, lineterm="")
    return "\n".join(part for line in lines for part in _shown(line))


def _shown(line: str) -> Iterator[str]:
    yield line.removesuffix("\n")
    if line[0] in " +-" and not line.startswith(("--- a/", "+++ b/")) and not line.endswith("\n"):
        yield "\\ No newline at end of file"

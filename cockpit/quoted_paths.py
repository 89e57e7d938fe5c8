"""Paths as git prints them where it does not end them with NUL: in quotes, with escapes, where they hold odd bytes."""

import re

from skills.gates.engine.patterns import lazy

_ESCAPE = lazy(rb"\\([0-7]{3}|.)", re.DOTALL)
_LETTERS = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}


def unquoted(name: bytes) -> bytes:
    """The path itself."""
    if len(name) > 1 and name.startswith(b'"') and name.endswith(b'"'):
        return _ESCAPE.sub(_unescaped, name[1:-1])
    return name


def _unescaped(found: re.Match[bytes]) -> bytes:
    code = found[1]
    return bytes([int(code, 8) & 0xFF]) if len(code) == 3 else _LETTERS.get(code, code)

"""f-strings of Python 3.12 (PEP 701), which may nest their own quotes, and t-strings of 3.14 (PEP 750), as text that
older Pythons read: what stands in the braces of a t-string is judged as in an f-string of the same text."""

import ast
import re

from skills.gates.engine.patterns import lazy

_CODE = lazy(rb"#[^\n]*|(?:\b([fFtT][rR]?|[rR][fFtT]))?('''|\"\"\"|'|\")|[\[({:})\]]")
_QUOTES = (b"'''", b'"""', b"'", b'"')
_REST = {quote: re.compile(rb"(?s)(?:\\.|[^\\])*?" + quote) for quote in _QUOTES}
_TEXT = {
    (raw, quote): re.compile((b"" if raw else rb"\\N\{[^}]*\}|") + rb"\\[^{}]|\{\{|\{|" + quote)
    for raw in (False, True)
    for quote in _QUOTES
}
_BRACE = lazy(rb"[{}]")
_AS_F = lazy(rb"[tT]")


def without_nested_quotes(source: bytes) -> bytes | None:
    """The source with each f-string that the running Python cannot read as an empty text of as many lines.

    Told by the text: right wherever `ast` can read the answer. None where a string does not end.
    """
    try:
        return _code(source, 0, in_field=False)[0]
    except (ValueError, RecursionError):
        return None


def tree_of(source: bytes | str) -> ast.Module | None:
    """What the running Python reads, None where it cannot."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _code(source: bytes, at: int, *, in_field: bool) -> tuple[bytes, int, bytes]:
    """(code, its end, what ended it) of a whole source, or of the part of a field before `:` or `}`, with that."""
    parts, done, depth = [], at, 0
    while match := _CODE.search(source, at):
        token, prefix, quote = match[0], match[1], match[2]
        at = match.end()
        if prefix:
            text, at = _string(source, at, prefix, quote)
            parts += [source[done : match.start()], text]
            done = at
        elif quote:
            at = _found(_REST[quote].match(source, at)).end()
        elif in_field and not depth and token in b":}":
            return b"".join([*parts, source[done:at]]), at, token
        else:
            depth += (token in b"([{") - (token in b")]}")
    if in_field:
        raise ValueError
    return b"".join([*parts, source[done:]]), len(source), b""


def _string(source: bytes, at: int, prefix: bytes, quote: bytes) -> tuple[bytes, int]:
    """(what stands for it, its end) of an f-string whose text begins at `at`."""
    prefix = _AS_F.sub(b"f", prefix)
    pattern = _TEXT[len(prefix) > 1, quote]
    parts, done = [prefix + quote], at
    while (match := _found(pattern.search(source, at)))[0] != quote:
        at = match.end()
        if match[0] == b"{":
            field, end = _field(source, at)
            parts += [source[done:at], field]
            at = done = end
    end = match.end()
    code = b"".join([*parts, source[done:end]])
    if tree_of(b"(%s\n)" % code):
        return code, end
    lines = code.count(b"\n")
    return (b'"""%s"""' if lines else b'"%s"') % (b"\n" * lines), end


def _field(source: bytes, at: int) -> tuple[bytes, int]:
    """(field, its end) of what stands in the braces of an f-string, with the closing one."""
    code, end, ended = _code(source, at, in_field=True)
    parts, done = [code], end
    while ended != b"}":
        match = _found(_BRACE.search(source, end))
        ended, end = match[0], match.end()
        if ended == b"{":
            field, end_of_field = _field(source, end)
            parts += [source[done:end], field]
            done = end = end_of_field
    return b"".join([*parts, source[done:end]]), end


def _found(match: "re.Match[bytes] | None") -> "re.Match[bytes]":
    if match is None:
        raise ValueError
    return match

"""`# noqa` comments: a code of another linter that a rule of ours answers for."""

import re

from skills.gates.context import FileContext

_NOQA = re.compile(r"#\s*noqa\b(?:\s*:\s*([A-Za-z]+\d*(?:[,\s]+[A-Za-z]+\d+)*))?", re.I)


def waived(context: FileContext, first: int, last: int, codes: tuple[str, ...]) -> bool:
    """True where a line from `first` to `last` says `noqa` alone or with a code that begins with one of `codes`."""
    if b"noqa" not in context.source and b"NOQA" not in context.source:
        return False
    for line in context.lines[first - 1 : last]:
        for match in _NOQA.finditer(line):
            named = match[1]
            if named is None or any(code.upper().startswith(codes) for code in re.split(r"[,\s]+", named)):
                return True
    return False

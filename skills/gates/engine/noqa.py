"""Comments for other linters, `# noqa: CODE` and `# nosec`: what a rule of ours answers for, they silence here too.

The one table of which code means which rule is `CODES`.
"""

import re
from collections.abc import Iterator, Mapping

from skills.gates.engine.context import FileContext
from skills.gates.engine.patterns import lazy
from skills.record import record

CODES: Mapping[str, tuple[str, ...]] = {
    "missing-type-hints": ("ANN",),
    "test-not-aaa": ("AAA",),
    "noisy-comment": ("ERA001", "E800"),
    "raw-sql-interpolation": ("S608", "S610", "S611", "B608", "B610", "B611"),
    "hardcoded-secret": ("S105", "S106", "S107", "B105", "B106", "B107"),
    "insecure-settings": ("S105", "B105", "S104", "B104"),
    "serializer-all-fields": ("DJ007",),
    "blocking-io-in-async": ("ASYNC210", "ASYNC212", "ASYNC220", "ASYNC221", "ASYNC222", "ASYNC230", "ASYNC240"),
    "sync-sleep-in-async": ("ASYNC251", "ASYNC101"),
    "unnecessary-list-allocation": ("C400", "C401", "C403", "C411", "C416", "C417", "C419", "RUF015", "PERF402"),
    "redundant-data-copies": ("C408", "C413", "C414", "C415", "C418", "PERF403"),
    "missing-cleanup": ("SIM115",),
    "unsafe-mark-safe": ("S308", "S703", "S704", "B308", "B703", "B704"),
    "bare-except": ("E722", "S110", "BLE001", "B001", "B110"),
    "star-import": ("F403",),
    "mutable-default": ("B006",),
    "type-comparison": ("E721",),
    "none-comparison": ("E711",),
    "raise-without-from": ("B904",),
    "open-without-with": ("SIM115",),
    "print-in-test": ("T201", "T203"),
    "unsafe-deserialisation": ("S301", "S302", "S506", "B301", "B302"),
    "torch-load-unsafe": ("S614", "B614"),
    "unvalidated-input": ("S102", "S307", "S310", "S602", "S605", "S607", "B102", "B307", "B310", "B602", "B605"),
}
"""Rule → codes, or beginnings of codes, of ruff, flake8 and its plugins (noqa) and bandit (nosec)."""

_BANDIT_NAMES: Mapping[str, str] = {
    "TRY_EXCEPT_PASS": "B110",
    "EXEC_USED": "B102",
    "HARDCODED_BIND_ALL_INTERFACES": "B104",
    "HARDCODED_PASSWORD_STRING": "B105",
    "HARDCODED_PASSWORD_FUNCARG": "B106",
    "HARDCODED_PASSWORD_DEFAULT": "B107",
    "SUBPROCESS_POPEN_WITH_SHELL_EQUALS_TRUE": "B602",
    "START_PROCESS_WITH_A_SHELL": "B605",
    "HARDCODED_SQL_EXPRESSIONS": "B608",
    "DJANGO_EXTRA_USED": "B610",
    "DJANGO_RAWSQL_USED": "B611",
    "PYTORCH_LOAD": "B614",
    "DJANGO_MARK_SAFE": "B703",
    "MARKUPSAFE_MARKUP_XSS": "B704",
}
"""What bandit calls its checks by name, as `nosec` may."""

_BANDIT = lazy(r"B[1-7][0-9][0-9]")
_CODE = rb"(?:[A-Z]+[0-9]+|[A-Z]+[0-9]*(?:_[A-Z0-9]+)+)\b"
_COMMENT = lazy(
    rb"#[ \t]*(?:(?P<file>ruff|flake8):[ \t]*)?(?P<kind>noqa|nosec)\b"
    rb"(?:[ \t]*:?[ \t]*(?P<codes>" + _CODE + rb"(?:[, \t]+" + _CODE + rb")*))?",
    re.IGNORECASE,
)
_NOQA = lazy(r"#\s*noqa\b(?:\s*:\s*([A-Za-z]+\d*(?:[,\s]+[A-Za-z]+\d+)*))?", re.I)
_STRING = lazy(rb"""\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'""")
_SEPARATOR = lazy(r"[,\s]+")


@record
class ForeignComment:
    """A comment for another linter that silences `rules` of ours on its line, or in the whole file. `column` counts
    bytes, from 0. `doubtful` where it may be part of a string."""

    line: int
    column: int
    doubtful: bool
    rules: tuple[str, ...]
    text: str
    whole_file: bool


def foreign_comments(source: bytes) -> Iterator[ForeignComment]:
    """Every such comment, and what looks like one in a string. One without codes silences every rule of the table that
    its linter knows. A comment for the whole file stands on a line of its own, as the linters want it."""
    line, before = 1, 0
    for match in _COMMENT.finditer(source):
        line += source.count(b"\n", before, match.start())
        before = match.start()
        begin = source.rfind(b"\n", 0, before) + 1
        alone = source[begin:before].lstrip()[:1] in (b"", b"#")
        if match["file"] is not None and not alone:
            continue
        kind = match["kind"].decode().lower()
        said = (match["codes"] or b"").decode().upper()
        codes = tuple(_BANDIT_NAMES.get(code, code) for code in _SEPARATOR.split(said)) if said else ()
        rules = rules_of(codes) if codes or kind == "noqa" else _of_bandit()
        if rules:
            yield ForeignComment(
                line=line,
                column=before - begin,
                doubtful=_may_be_text(source, begin, before),
                rules=rules,
                text=f"{kind}: {', '.join(codes)}" if codes else kind,
                whole_file=match["file"] is not None,
            )


def _may_be_text(source: bytes, begin: int, place: int) -> bool:
    """Whether a place on the line that starts at `begin` may lie in a string: where a quotation mark is open."""
    rest = _STRING.sub(b"", source[begin:place])
    if b'"' in rest or b"'" in rest:
        return True
    return any(source.count(mark, 0, begin) % 2 for mark in (b'"""', b"'''"))


def rules_of(codes: tuple[str, ...]) -> tuple[str, ...]:
    """The rules that these codes, or beginnings of codes, stand for; all of the table where there is none."""
    if not codes:
        return tuple(CODES)
    return tuple(
        name
        for name, known in CODES.items()
        if any(code.startswith(known) or any(one.startswith(code) for one in known) for code in codes)
    )


def _of_bandit() -> tuple[str, ...]:
    return tuple(name for name, known in CODES.items() if any(_BANDIT.fullmatch(code) for code in known))


def waived(context: FileContext, first: int, last: int, codes: tuple[str, ...]) -> bool:
    """True where a line from `first` to `last` says `noqa` alone or with a code that begins with one of `codes`."""
    some = context.memo.get("noqa")
    if some is None:
        some = context.memo["noqa"] = b"noqa" in context.source or b"NOQA" in context.source
    if not some:
        return False
    for line in context.lines[first - 1 : last]:
        if "noqa" not in line and "NOQA" not in line:
            continue
        for match in _NOQA.finditer(line):
            named = match[1]
            if named is None or any(code.upper().startswith(codes) for code in _SEPARATOR.split(named)):
                return True
    return False

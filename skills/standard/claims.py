"""What a skill says of itself, held against what it holds: counts against lists, thresholds, token costs."""

import re
from collections.abc import Iterator
from itertools import takewhile

from skills.standard.document import SkillDocument, prose_lines
from skills.standard.problem import Problem

TOLERANCE = 1.5
"""A claimed token cost may be off by this factor before it is called wrong."""

_NUMBERS = {
    word: value
    for value, words in enumerate(
        (
            *("two dos", "three tres", "four cuatro", "five cinco", "six seis", "seven siete", "eight ocho"),
            *("nine nueve", "ten diez", "eleven once", "twelve doce"),
        ),
        2,
    )
    for word in words.split()
}
_COUNTED = (
    r"skills?|agents?|commands?|phases?|steps?|checks?|rules?|gates?|items?|patterns?|anti-patterns?|workers?|"
    r"categories|stages?|questions?|principles|guardrails|spokes?|templates?|levels?|bands?|tools|reasons?|"
    r"fases|pasos|reglas|comandos|agentes|preguntas"
)
_CLAIM = re.compile(
    rf"(?<![\w.,~≈-])(\d{{1,3}}|{'|'.join(_NUMBERS)})\s+(?:\w+[ -]){{0,2}}?({_COUNTED})(?!\w)", re.IGNORECASE
)
_ITEM = re.compile(r"^(\s*)(?:[-*+]|\d{1,3}[.)])\s+\S")
_RULE = re.compile(r"^\s*\|?[\s|:-]*-[\s|:-]*$")
_RANGE = re.compile(r"(?<![\w.$-])(\d{1,4}(?:\.\d+)?)\s*(?:-|–|—|to|\.\.)\s*(\d{1,4}(?:\.\d+)?)(?![\w.]|\s*[-–—]\s*\d)")
_TOKENS = re.compile(r"(~|≈|about|around|only|under|<)?\s*(\d[\d,.]*)\s*(k)?\s*[- ]?tokens?(?!\w)", re.IGNORECASE)
_OWN = re.compile(
    r"(?<!\w)(?:this skill|skill\.md|the skill|itself|overhead|footprint|context cost|token cost|costs?|loads?|"
    r"always[- ]active|esta skill)(?!\w)",
    re.IGNORECASE,
)
_OTHERS = re.compile(
    r"(?<!\w)(?:limit|budget|window|thinking|threshold|prompt|response|at most|≤|max\w*)(?!\w)", re.IGNORECASE
)


def count_problems(document: SkillDocument) -> Iterator[Problem]:
    """Headings and introductions that count what follows and count wrong."""
    lines = list(prose_lines(document))
    for place, (line, text) in enumerate(lines):
        heading, introduces = text.lstrip().startswith("#"), text.rstrip().rstrip("*_").endswith(":")
        if not heading and not introduces:
            continue
        claims = _CLAIM.findall(text)
        if len(claims) != 1 or re.search(r"(?<!\w)(?:of|or|at least|up to|more|other)\s+(?:the\s+)?\d", text):
            continue
        said = int(claims[0][0]) if claims[0][0].isdigit() else _NUMBERS[claims[0][0].lower()]
        named = _named([text for _, text in lines[place + 1 :]], heading)
        if said > 1 and named[0] > 1 and said not in named:
            yield Problem("count", "warning", line, f"says {said} {claims[0][1]}, names {named[0]}")


def _named(lines: list[str], heading: bool) -> tuple[int, ...]:
    """How many items the list or table has that begins next, nested ones left out, included, and names in code.

    A single 0 where something else begins.
    """
    start = next((place for place, text in enumerate(lines[:4]) if text.strip()), None)
    if start is not None and heading and not _begins(lines[start]):
        after = next((place for place in range(start, min(len(lines), start + 6)) if not lines[place].strip()), None)
        start = start if after is None else next((p for p in range(after, len(lines)) if lines[p].strip()), None)
    if start is None or not _begins(lines[start]):
        return (0,)
    if lines[start].lstrip().startswith("|"):
        rows = list(takewhile(lambda text: text.lstrip().startswith("|"), lines[start:]))
        return (sum(not _RULE.match(text) for text in rows) - 1, _in_code(rows))
    first = _ITEM.match(lines[start])
    indent = len(first[1]) if first else 0
    rows = list(takewhile(_goes_on, lines[start:]))
    items = [len(item[1]) for item in map(_ITEM.match, rows) if item]
    top = sum(size <= indent for size in items)
    return (top, len(items), len(items) - top, _in_code(rows))


def _begins(text: str) -> bool:
    return bool(_ITEM.match(text)) or text.lstrip().startswith("|")


def _goes_on(text: str) -> bool:
    """Whether a line still belongs to a list."""
    return not text.strip() or bool(_ITEM.match(text)) or text.startswith((" ", "\t"))


def _in_code(rows: list[str]) -> int:
    return len(set(re.findall(r"`([^`]+)`", "\n".join(rows))))


def threshold_problems(document: SkillDocument) -> Iterator[Problem]:
    """Ranges in neighbouring rows that leave a gap, or put one value into two of them."""
    before: tuple[float, float] | None = None
    for line, text in prose_lines(document):
        row = text.lstrip().startswith("|") or bool(_ITEM.match(text))
        ranges = _RANGE.findall(text.split("|")[1] if text.lstrip().startswith("|") and text.count("|") > 1 else text)
        if not row or len(ranges) != 1:
            if not _RULE.match(text):
                before = None
            continue
        low, high = float(ranges[0][0]), float(ranges[0][1])
        if low > high:
            before = None
            continue
        if before is not None:
            yield from _between(before, (low, high), line, whole="." not in "".join(ranges[0]))
        before = (low, high)


def _between(first: tuple[float, float], second: tuple[float, float], line: int, *, whole: bool) -> Iterator[Problem]:
    lower, upper = sorted((first, second))
    if lower[0] == upper[0]:
        return  # points of a rubric: each row starts again
    if upper[0] > lower[1] + (1 if whole else 0.1):
        yield Problem(
            "threshold-gap", "warning", line, f"nothing is said of what lies between {lower[1]:g} and {upper[0]:g}"
        )
    elif lower[1] >= upper[0]:
        what = f"{upper[0]:g}" if upper[0] == lower[1] else f"{upper[0]:g} to {min(lower[1], upper[1]):g}"
        yield Problem("threshold-overlap", "warning", line, f"{what} is in two ranges")


def token_problems(document: SkillDocument, measured: int | None) -> Iterator[Problem]:
    """Token costs that the skill claims for itself, against what was measured or estimated."""
    actual = document.tokens if measured is None else measured
    basis = "estimated" if measured is None else "measured"
    if not actual:
        return
    head = [(one.line, one.value) for one in document.fields if isinstance(one.value, str)]
    for line, text in [*head, *prose_lines(document)]:
        if not _OWN.search(text) or _OTHERS.search(text):
            continue
        for _, digits, thousand in _TOKENS.findall(text):
            claimed = _amount(digits, thousand)
            if claimed and not actual / TOLERANCE <= claimed <= actual * TOLERANCE:
                yield Problem(
                    "token-claim", "warning", line, f"claims {claimed:,} tokens, the body takes {actual:,} ({basis})"
                )


def _amount(digits: str, thousand: str) -> int:
    try:
        value = float(digits.replace(",", "").rstrip("."))
    except ValueError:
        return 0
    return round(value * (1000 if thousand else 1))

"""What a skill says of itself, held against what it holds: thresholds, token costs."""

import re
from collections.abc import Iterator

from skills.standard.document import LIST_ITEM, TABLE_RULE, SkillDocument, prose_lines
from skills.standard.problem import Problem

TOLERANCE = 1.5
"""A claimed token cost may be off by this factor before it is called wrong."""

_RANGE = re.compile(
    r"[\s*_`]*(\d{1,4}(?:\.\d+)?)\s*%?\s*(?:-|–|—|to|\.\.)\s*(\d{1,4}(?:\.\d+)?)\s*(?:%|points?|puntos?|pts)?[\s*_`]*"
)
"""A band: a range and nothing beside it but its unit."""
_BEHIND = re.compile(r"\s*(?:[:=→]|->|=>|—|–|-\s)")
_TOKENS = re.compile(r"(~|≈|about|around|only|under|<)?\s*(\d[\d,.]*)\s*(k)?\s*[- ]?tokens?(?!\w)", re.IGNORECASE)
_OWN = re.compile(
    r"(?<!\w)(?:this skill|the skill|esta skill|skill\.md|(?:its|own|context) (?:footprint|overhead|cost)|"
    r"always[- ]active)(?!\w)",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_OTHERS = re.compile(
    r"(?<!\w)(?:limit|budget|window|thinking|threshold|prompt|response|at most|≤|max\w*)(?!\w)", re.IGNORECASE
)


def threshold_problems(document: SkillDocument) -> Iterator[Problem]:
    """Ranges in neighbouring rows that leave a gap, or put one value into two of them."""
    before: tuple[float, float] | None = None
    for line, text in prose_lines(document):
        found = _band(text)
        if found is None:
            if not TABLE_RULE.match(text):
                before = None
            continue
        low, high = float(found[0]), float(found[1])
        if low > high:
            before = None
            continue
        if before is not None:
            yield from _between(before, (low, high), line, whole="." not in "".join(found))
        before = (low, high)


def _band(text: str) -> tuple[str, str] | None:
    """The range that a row of a table, or an item of a list, is about."""
    if text.lstrip().startswith("|") and text.count("|") > 1:
        match = _RANGE.fullmatch(text.split("|")[1])
    else:
        item = LIST_ITEM.match(text)
        match = _RANGE.match(text, item.end() - 1) if item else None
        match = match if match and _BEHIND.match(text, match.end()) else None
    return (match[1], match[2]) if match else None


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
    said = [(line, one) for line, text in [*head, *prose_lines(document)] for one in _SENTENCE.split(text)]
    for line, text in said:
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

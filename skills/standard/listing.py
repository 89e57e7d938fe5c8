"""Skills together: what of them still stands in the list that every session pays for, and which say the same."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

WINDOW = 200_000
SHARE = 0.01
LONGEST_SHOWN = 1536
NEAR = 0.6
_SHINGLE = 4

Shown = Literal["full", "cut", "name only"]


@dataclass(frozen=True, slots=True)
class Listed:
    """A skill in the simulated list."""

    name: str
    shown: Shown


@dataclass(frozen=True, slots=True)
class Listing:
    """The simulated list of an agent: `budget` and `used` in characters of all descriptions."""

    budget: int
    used: int
    skills: tuple[Listed, ...]

    @property
    def lost(self) -> tuple[str, ...]:
        """Skills whose description no longer fits: an agent sees their bare name and cannot choose them."""
        return tuple(one.name for one in self.skills if one.shown == "name only")


@dataclass(frozen=True, slots=True)
class Twins:
    """Two skills that say nearly the same; `likeness` runs from 0 to 1."""

    first: str
    second: str
    likeness: float
    what: Literal["body", "description"]


def listing_budget(window: int) -> int:
    """Characters that all descriptions may take: four a token, one percent of the context window."""
    return round(window * 4 * SHARE)


def simulate_listing(skills: Iterable[tuple[str, str, int]], budget: int) -> Listing:
    """The list as Claude Code would show it. `skills` are name, description and how often it was used.

    A description is cut at 1,536 characters; while the sum does not fit, the least used lose theirs altogether.
    """
    kept: dict[str, tuple[str, int, bool]] = {}
    for name, description, used in skills:
        kept.setdefault(name, (description[:LONGEST_SHOWN], used, len(description) > LONGEST_SHOWN))
    total = sum(len(text) for text, _, _ in kept.values())
    lost: set[str] = set()
    for name in sorted(kept, key=lambda one: (kept[one][1], -len(kept[one][0]), one)):
        if total <= budget:
            break
        total -= len(kept[name][0])
        lost.add(name)
    listed = [
        Listed(name, "name only" if name in lost else "cut" if cut else "full") for name, (_, _, cut) in kept.items()
    ]
    return Listing(budget, total, tuple(listed))


def near_duplicates(skills: Sequence[tuple[str, str, str]]) -> tuple[Twins, ...]:
    """Pairs of skills (name, description, body) that are alike, the most alike first."""
    prints = [(name, _shingles(body), _content(described)) for name, described, body in skills]
    found: list[Twins] = []
    for place, (name, body, described) in enumerate(prints):
        for other, other_body, other_described in prints[place + 1 :]:
            bodies, words = _alike(body, other_body), _alike(described, other_described)
            if max(bodies, words) >= NEAR:
                what: Literal["body", "description"] = "body" if bodies >= words else "description"
                found.append(Twins(name, other, round(max(bodies, words), 2), what))
    return tuple(sorted(found, key=lambda one: (-one.likeness, one.first, one.second)))


def _shingles(text: str) -> frozenset[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return frozenset(tuple(words[place : place + _SHINGLE]) for place in range(len(words) - _SHINGLE + 1))


def _content(text: str) -> frozenset[str]:
    words = (word for word in re.findall(r"\w+", text.lower()) if len(word) > 3)
    return frozenset(word.removesuffix("s") for word in words)


def _alike(first: frozenset[object] | frozenset[str], second: frozenset[object] | frozenset[str]) -> float:
    """Shared among all; sets too small to judge are not alike."""
    if min(len(first), len(second)) < 5:
        return 0.0
    return len(first & second) / len(first | second)

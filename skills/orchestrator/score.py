"""Prompt completeness, 0-100, by a deterministic rubric (performance orchestrator, request analysis).

It scores form, not intent: whether a prompt names what to do, where, and how one knows that it is done. Every
point has a test and every item says why it got what it got.
"""

import re
from typing import Literal

from skills.orchestrator import words
from skills.record import record

Band = Literal["enhanced", "full", "light", "skip"]
Dimension = Literal["clarity", "context", "structure", "examples", "actionability", "bonus"]


@record
class Vocabulary:
    """What is known of a project: names (files, symbols), terms (models, apps, packages), its stack."""

    names: frozenset[str] = frozenset()
    terms: frozenset[str] = frozenset()
    stack: frozenset[str] = frozenset()


@record
class ScoreItem:
    """Points of one item of the rubric, out of `most`, and why."""

    dimension: Dimension
    item: str
    points: int
    most: int
    why: str


@record
class PromptScore:
    """`score` is `raw` (0-125, project bonuses included) cut at 100; `missing` are items without points."""

    score: int
    raw: int
    band: Band
    items: tuple[ScoreItem, ...]

    @property
    def bonus(self) -> int:
        """The points beyond what a prompt needs."""
        return sum(item.points for item in self.items if item.dimension == "bonus")

    @property
    def missing(self) -> tuple[str, ...]:
        """The parts that earned no points, a bonus left out."""
        return tuple(item.item for item in self.items if item.dimension != "bonus" and not item.points)


def band_of(score: int) -> Band:
    """How much analysis a prompt needs: below 40 enhanced, below 70 full, below 90 light, from 90 on none."""
    if score < 40:
        return "enhanced"
    if score < 70:
        return "full"
    return "light" if score < 90 else "skip"


def score_prompt(text: str, vocabulary: Vocabulary | None = None) -> PromptScore:
    """The completeness of a prompt.

    Without a vocabulary a path or symbol that is named gets its full points: whether it exists is not known. Questions
    that a template left open, in square brackets, earn nothing.
    """
    text = words.readable(text)
    text = words.OPEN.sub("", text) if "?]" in text else text
    items = (
        *_clarity(text, vocabulary),
        *_context(text, vocabulary),
        *_structure(text),
        *_examples(text),
        *_actionability(text),
        *_bonus(text),
    )
    raw = sum(item.points for item in items)
    score = min(100, raw)
    return PromptScore(score, raw, band_of(score), items)


def named_targets(text: str) -> tuple[str, ...]:
    """The distinct files and symbols that a prompt names, in its order."""
    text = words.readable(text)
    files = [found.group().removeprefix("./") for found in words.FILE.finditer(text)]
    rest = words.FILE.sub(" ", text)
    symbols = [next(group for group in found.groups() if group).strip() for found in words.SYMBOL.finditer(rest)]
    own = [symbol for symbol in symbols if symbol and symbol not in words.BUILT_IN and not _is_command(symbol)]
    return tuple(dict.fromkeys([*files, *own]))


def _is_command(quoted: str) -> bool:
    """Whether what stands in backticks is a command or an option rather than a name."""
    return quoted.startswith("-") or bool(re.search(r"\s", quoted.strip()))


def _clarity(text: str, vocabulary: Vocabulary | None) -> tuple[ScoreItem, ...]:
    first = [word.lower() for word in words.SPOKEN.findall(text)[:12]]
    verb = next((word for word in first if word in words.ACTION_VERBS), "")
    vague = [found.group().lower() for found in words.VAGUE.finditer(text)]
    named = named_targets(text)
    points, why = _existing(named, vocabulary)
    terms = _terms(text, vocabulary)
    return (
        ScoreItem("clarity", "action verb", 5 if verb else 0, 5, verb or "no verb of action in the first 12 words"),
        ScoreItem("clarity", "file or symbol", points, 5, why),
        _found("clarity", "quantity", 5, words.QUANTITY, text, "no number with a unit, no all or only"),
        ScoreItem(
            "clarity",
            "technical terms",
            5 if len(terms) >= 2 else 0,
            5,
            ", ".join(terms[:4]) or "no technical term",
        ),
        ScoreItem(
            "clarity",
            "no vague words",
            max(0, 5 - 2 * len(vague)) if text.strip() else 0,
            5,
            "vague: " + ", ".join(dict.fromkeys(vague)) if vague else "none",
        ),
    )


def _existing(named: tuple[str, ...], vocabulary: Vocabulary | None) -> tuple[int, str]:
    if not named:
        return 0, "no file and no symbol is named"
    if vocabulary is None:
        return 5, f"{named[0]} (not looked up)"
    known = next((name for name in named if _known(name, vocabulary)), "")
    return (5, known) if known else (2, f"{named[0]} is not in the repository")


def _known(name: str, vocabulary: Vocabulary) -> bool:
    bare = name.removesuffix("()")
    return bare in vocabulary.names or bare.rpartition(".")[2] in vocabulary.names


def _terms(text: str, vocabulary: Vocabulary | None) -> list[str]:
    found = [match.group().lower() for match in words.TECHNICAL.finditer(text)]
    if vocabulary is not None and vocabulary.terms:
        spoken = {word.lower() for word in re.findall(r"\w+", text)}
        found += sorted(term for term in vocabulary.terms if term.lower() in spoken)
    return list(dict.fromkeys(found))


def _context(text: str, vocabulary: Vocabulary | None) -> tuple[ScoreItem, ...]:
    stack = _found("context", "stack", 6, words.STACK, text, "no framework or library is named")
    if not stack.points and vocabulary is not None:
        spoken = {word.lower() for word in re.findall(r"[\w-]+", text)}
        own = sorted(name for name in vocabulary.stack if name.lower() in spoken)
        stack = ScoreItem("context", "stack", 6, 6, own[0]) if own else stack
    return (
        _found("context", "architecture", 5, words.ARCHITECTURE, text, "no layer or component is named"),
        stack,
        _found("context", "error text", 6, words.ERROR_TEXT, text, "no error text or traceback"),
        _found("context", "edge cases", 4, words.EDGE_CASES, text, "no edge case"),
        _found("context", "current state", 4, words.CURRENT_STATE, text, "nothing on how it is now"),
    )


def _structure(text: str) -> tuple[ScoreItem, ...]:
    return (
        _found("structure", "tags", 8, words.TAGS, text, "no <task> or <context>"),
        _found("structure", "steps", 6, words.STEPS, text, "no list of steps"),
        _found("structure", "output format", 6, words.OUTPUT_FORMAT, text, "no output format"),
    )


def _examples(text: str) -> tuple[ScoreItem, ...]:
    return (
        _found("examples", "code block", 8, words.FENCE, text, "no code block"),
        _found("examples", "expected result", 7, words.EXPECTED, text, "no input with its expected output"),
    )


def _actionability(text: str) -> tuple[ScoreItem, ...]:
    return (
        _found("actionability", "success criteria", 5, words.SUCCESS, text, "no word on when it is done"),
        _found("actionability", "verification", 5, words.VERIFY, text, "no command that verifies it"),
        _found("actionability", "constraints", 5, words.CONSTRAINTS, text, "no constraint or dependency"),
    )


def _bonus(text: str) -> tuple[ScoreItem, ...]:
    return (
        _found("bonus", "project files", 5, words.APP_FILE, text, "no file of an app"),
        _found("bonus", "framework terms", 5, words.DJANGO, text, "no Django or DRF term"),
        _found("bonus", "tenancy", 5, words.TENANCY, text, "nothing on tenants"),
        _found("bonus", "tests", 5, words.TESTING, text, "nothing on tests or coverage"),
        _found("bonus", "success criteria", 5, words.SUCCESS, text, "no word on when it is done"),
    )


def _found(
    dimension: Dimension, item: str, most: int, pattern: re.Pattern[str], text: str, otherwise: str
) -> ScoreItem:
    match = pattern.search(text)
    if not match:
        return ScoreItem(dimension, item, 0, most, otherwise)
    return ScoreItem(dimension, item, most, most, " ".join(match.group().split())[:60])

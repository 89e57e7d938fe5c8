"""The class of a task by how it is said: order, question, symptom or wish (performance orchestrator, planning)."""

import re
from itertools import takewhile
from typing import Literal

from skills.orchestrator import task_words as said_as
from skills.orchestrator import words

Task = Literal["bug", "feature", "refactor", "question"]
_Reading = tuple[Task, str]

_TAGS = re.compile(r"</?[a-z_]+>")
_PART = re.compile(r"[.?!;:]\s+|,\s*(?:so |but |please )*|\s[—–-]\s|\n+")
_ROUTE = re.compile(r"\b(?:GET|POST|PUT|PATCH|DELETE|HEAD)\s+/\S*")
_HYPHENED = re.compile(r"^(\w+)-(?=\w)")
_SUBJECT = re.compile(r"^`?\w+(?:\.\w+)+(?:\(\))?`?(?=\s)")
_PLACE = re.compile(r"^(?:in|inside|en|dentro de)\s+\S+(?:\s+\([^)]{0,80}\))?,?\s+", re.IGNORECASE)
_LONGEST = 6000

_Classes = tuple[tuple[Task, frozenset[str]], ...]
_ORDERS: _Classes = (
    ("bug", words.BUG_VERBS),
    ("refactor", words.REFACTOR_VERBS | said_as.TIDYING),
    ("feature", words.FEATURE_VERBS | said_as.BUILDING | words.OTHER_WRITE_VERBS),
)
_ANYWHERE: _Classes = (
    ("bug", words.BUG_VERBS),
    ("refactor", words.REFACTOR_VERBS),
    ("feature", words.FEATURE_VERBS),
)
_NOUNS: _Classes = (
    ("bug", words.BUG_NOUNS),
    ("refactor", words.REFACTOR_NOUNS),
    ("feature", words.FEATURE_NOUNS),
)


def classify_task(text: str) -> tuple[Task, str]:
    """The class of a task and the word that decided it, empty where nothing did.

    An order goes by its verb; a question is one unless it asks somebody to change something; a statement that tells
    what the program does wrong is a bug; a wish is a feature unless its verb says otherwise.
    """
    said = _TAGS.sub(" ", words.FENCE.sub(" ", text))[:_LONGEST]
    if label := said_as.LABEL.match(said):
        return _labelled(label[1].lower()), label[1].lower()
    said = _from_the_verb(said_as.POLITE.sub("", _ROUTE.sub("the route", said).strip()))
    spoken = _spoken(said)
    if not spoken:
        return "question", ""
    for read in (_wrong, _asked_to, _studied, _asked, _ordered, _told):
        if found := read(said, spoken):
            return found
    return "question", next((word for word in spoken[:12] if word in words.READ_VERBS), "")


def _spoken(said: str) -> list[str]:
    return [word.lower().replace("’", "'") for word in words.SPOKEN.findall(said)[:400]]


def _from_the_verb(said: str) -> str:
    """The text without the place that stands before an order; a first word that is no plain one still counts as one:
    `re-run` is an order, `requests.get` what a statement is about."""
    placed = _PLACE.match(said)
    if placed and (after := _spoken(said[placed.end() :])) and _is_order(after[0]) and not _is_statement(after):
        said = said[placed.end() :]
    return _SUBJECT.sub("it", _HYPHENED.sub(r"\1", said))


def _labelled(label: str) -> Task:
    if label in said_as.BUG_LABELS:
        return "bug"
    return "feature" if label.startswith("feat") else "refactor" if label == "refactor" else "question"


def _wrong(said: str, spoken: list[str]) -> _Reading | None:
    wrong = said_as.GOES_WRONG.match(said)
    return ("bug", wrong.group().lower()) if wrong else None


def _asked_to(said: str, spoken: list[str]) -> _Reading | None:
    """`can you fix …`: a question by its form, an order by what it wants."""
    for found in said_as.ASKED_TO.finditer(said):
        verb = (found[1] or found[2]).lower()
        if verb in words.READ_VERBS or verb in words.STUDY_VERBS:
            return "question", verb
        if task := _ordered_class(verb, said):
            return task, verb
    return None


def _studied(said: str, spoken: list[str]) -> _Reading | None:
    """A prompt that begins by studying something asks, unless it goes on to change it or names a failure."""
    if explained := said_as.EXPLAIN.match(said):
        return "question", explained.group().lower()
    if spoken[0] not in words.STUDY_VERBS or _is_statement(spoken):
        return None
    joins = ("and", "then", "y", "luego", "e")
    later = [word for at, word in enumerate(spoken) if at and spoken[at - 1] in joins]
    if changed := next((word for word in later if word in words.WRITE_VERBS), None):
        return _class_of(changed, _ORDERS) or "feature", changed
    return None if words.BUG_NOUNS.intersection(spoken) else ("question", spoken[0])


def _asked(said: str, spoken: list[str]) -> _Reading | None:
    first = spoken[0]
    if first in said_as.QUESTION or re.match(r"\W*¿", said):
        return _later_order(said, _ANYWHERE) or ("question", first)
    told_to = _class_of(first, _ORDERS) is not None and not _is_statement(spoken)
    if said.rstrip().endswith("?") and not told_to:
        return "question", "?"
    if first in said_as.READING and not _is_statement(spoken):
        changed = next((word for word in spoken[1:] if word in words.BUG_VERBS), None)
        return ("bug", changed) if changed else ("question", first)
    return None


def _ordered(said: str, spoken: list[str]) -> _Reading | None:
    """An order: its verb stands first."""
    first = spoken[0]
    if first in ("don't", "never", "no") and spoken[1:2] and not said_as.SYMPTOM.match(said.removeprefix("Don't")):
        _, _, rest = said.partition(",")
        if rest.strip() and (found := _later_order(said, _ORDERS)):
            return found
        return ("feature", first) if first != "no" else None
    if first in ("can't", "cannot") or _is_statement(spoken):
        return None
    if task := _ordered_class(first, said):
        return task, first
    silent = first in said_as.ANSWERS or first in words.READ_VERBS or first.endswith("ing")
    if silent or len(spoken) < 3 or said_as.SYMPTOM.search(said):
        return None
    return ("refactor" if said_as.BETTER.search(said) else "feature"), first  # no verb known, and nothing that it tells


def _told(said: str, spoken: list[str]) -> _Reading | None:
    """A statement: the order in a later part, what is wished, what goes wrong, else the verb or noun that it holds."""
    condition = spoken[0] in ("when", "if", "after", "before", "cuando", "si", "al", "whenever")
    if later := _later_order(said, _ORDERS if condition else _ANYWHERE):
        return later
    wish = said_as.WISH.search(said)
    if wish is None and (broken := said_as.SYMPTOM.search(said)):
        return "bug", " ".join(broken.group().lower().split())[:40]
    for word in spoken[:14]:
        if task := _class_of(word, _ANYWHERE):
            return task, word
    if better := said_as.BETTER.search(said):
        return "refactor", better.group().lower()
    if wish is not None:
        return "feature", wish.group().lower()
    if found := _by_noun(spoken):
        return found
    if len(spoken) > 3 and _is_statement(spoken):
        return "bug", spoken[0]  # nobody tells what the program does, except where it should not
    return next((("feature", word) for word in spoken[:12] if word in words.OTHER_WRITE_VERBS), None)


def _by_noun(spoken: list[str]) -> _Reading | None:
    for task, nouns in _NOUNS:
        if found := next((word for word in spoken if word in nouns), None):
            return task, found
    return None


def _later_order(said: str, classes: _Classes) -> _Reading | None:
    """The order that a later part of the text begins with."""
    for part in _PART.split(said)[1:]:
        spoken = [word.lower() for word in words.SPOKEN.findall(said_as.POLITE.sub("", part))[:8]]
        if spoken and (task := _class_of(spoken[0], classes)) and not _is_statement(spoken):
            return _ordered_class(spoken[0], said) or task, spoken[0]
    return None


def _is_statement(spoken: list[str]) -> bool:
    """Whether the first word is what a sentence is about, rather than an order: `search returns nothing`."""
    first, rest = spoken[0], spoken[1:7]
    if first in said_as.SUBJECTS:
        return True
    if first in said_as.ANSWERS or (first not in said_as.NOUNS_TOO and _is_order(first)):
        return False
    main = list(takewhile(lambda word: word not in said_as.SUBORDINATE, rest))
    if first in said_as.NOUNS_TOO:
        return bool(main) and main[0] not in said_as.OBJECTS and (main[0] == "of" or _finite(main[:3]))
    plural = first.endswith("s") and len(first) > 3 and not set(main[:1]) & said_as.OBJECTS
    return _finite(main) or plural


def _finite(following: list[str]) -> bool:
    return any(word in said_as.FINITE for word in following)


def _is_order(word: str) -> bool:
    return (
        _class_of(word, _ORDERS) is not None
        or word in words.ACTION_VERBS
        or word in said_as.READING
        or word in words.STUDY_VERBS
    )


def _ordered_class(verb: str, said: str) -> Task | None:
    """The class of an order: making something faster is no feature, nor is taking away what is not used."""
    if verb in words.REMOVING_VERBS:
        return "refactor" if said_as.UNUSED.search(said) else "feature"
    task = _class_of(verb, _ORDERS)
    reshapes = verb in ("make", "haz", "keep", "use", "get", "turn", "usa") or verb.startswith("deja")
    return "refactor" if task == "feature" and reshapes and said_as.BETTER.search(said) else task


def _class_of(word: str, classes: _Classes) -> Task | None:
    return next((task for task, verbs in classes if word in verbs), None)

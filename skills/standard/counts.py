"""Counts that a skill claims, held against what it names: in a sentence, in parentheses, in the list that follows.

Only claims of a whole are looked at ("the eleven spokes", "there are 3 rules"), and only names are counted: what may be
meant otherwise is passed over.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import takewhile

from skills.standard.document import LIST_ITEM, TABLE_RULE, SkillDocument, prose_lines
from skills.standard.problem import Problem

_ENGLISH = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen twenty"
)
_SPANISH = (
    "dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete dieciocho "
    "diecinueve veinte"
)
_VALUES = {word: value for words in (_ENGLISH, _SPANISH) for value, word in enumerate(words.split(), 2)}
_NOUNS = (
    r"skills?|agents?|sub-?agents|commands?|phases?|steps?|checks?|rules?|gates?|patterns?|anti-patterns?|workers?|"
    r"categories|stages?|questions?|principles|guardrails|spokes?|templates?|levels?|bands?|tools|reasons?|lanes?|"
    r"modes|layers|hooks|measures|sections|modules|roles"
)
_NOMBRES = (
    r"habilidades|agentes|comandos|fases|pasos|reglas|preguntas|patrones|niveles|etapas|herramientas|motivos|"
    r"comprobaciones|principios|plantillas|categorías|secciones"
)
_BETWEEN = r"(?!(?:of|or|and|to|more|other|additional|remaining|extra|further|out|times)\s)[\w-]+\s"
_CLAIM = re.compile(
    rf"(?<![\w.,~≈×/$–-])(?:"
    rf"(?P<number>\d{{1,3}}|{_ENGLISH.replace(' ', '|')})\s(?:{_BETWEEN}){{0,2}}?(?P<noun>{_NOUNS})(?![\w-])"
    rf"|(?P<cifra>\d{{1,3}}|{_SPANISH.replace(' ', '|')})\s(?P<nombre>{_NOMBRES})(?!\w))",
    re.IGNORECASE,
)
_ALL = re.compile(r"the|these|those|all|our|its|their|your|los|las|estos|estas|todos|todas|sus", re.IGNORECASE)
_WHOLE = re.compile(
    rf"{_ALL.pattern}|following|are|is|has|have|with|contains?|includes?|offers?|provides?|ships?|covers?|defines?|"
    r"holds?|lists?|uses?|runs?|installs?|loads?|apply|applies|follows?|through|into|in|en|hay|son|tienen?|con|contiene|incluye|ofrece|"
    r"siguientes",
    re.IGNORECASE,
)
"""The words before a number that counts all there are; another one ("at least", "every", a product's name) does not."""
_SETS = re.compile(
    r"(?:set|total|list|group|suite|family|collection|consists?|composed|conjunto|total|compone) (?:of|de)$"
)
_GAP = r"(?:\s(?:in|of|for|on|below|here|total|available|included|as|de|del|en|para|disponibles)(?:\s[\w`-]+){0,3})?"
_OPENS = re.compile(rf"{_GAP}\s*(?P<sign>:(?=\s)|\(|[—–](?=\s))\s*")
_ENDS = re.compile(rf"{_GAP}\s*(?:\([^()]*\))?\s*[):.]*$")
_OPEN_ENDED = re.compile(
    r"\betc\b|…|\.\.\.|\be\.g\.|\bsuch as\b|\bincluding\b|\band (?:more|others|so on)\b|\blike\b|\bfor example\b|"
    r"\bamong\b|\bpor ejemplo\b|\bcomo\b|\by (?:más|otr[oa]s)\b",
    re.IGNORECASE,
)
_NO_NAME = re.compile(
    r"(?:see|if|when|where|while|which|that|who|not|no|only|but|so|because|each|every|any|all|with|without|by|via|using|"
    r"from|for|to|in|on|at|as|per|default|optional|max|about|also|plus|this|it|they|you|we|both|either|more|less|under|"
    r"over|after|before|between|during|unless|until|is|are|was|ver|si|cuando|que|no|sin|con|por|para|cada|de|del|desde)\b"
    rf"|\d|(?:{_ENGLISH.replace(' ', '|')}|{_SPANISH.replace(' ', '|')})\b",
    re.IGNORECASE,
)
_RANGE = re.compile(r"\w\s*[–]\s*\w|\d\s*-\s*\w|\.\.")
_STRONG = re.compile(r"`[^`]+`|/?\w+(?:[-_:]\w+)+|/\w+|[A-ZÁÉÍÓÚÑ]\w*(?:\s\w+)*")
_JOIN = re.compile(r"\s(?:and|or|y|e|o|u|&)\s|\s&\s")
_LEAD = re.compile(r"^(?:and|or|then|finally|y|e|o|u|luego|&)\s+", re.IGNORECASE)
_LINK = re.compile(r"\[([^\[\]]*)\]\([^)]{0,1000}\)")
_MARKS = re.compile(r"\*+|(?<!\w)__?|__?(?!\w)")
_THERE = re.compile(
    r"(?:there (?:are|is)|hay|the following|las? siguientes|los? siguientes|these|"
    r"(?:this|the|it|este|esta|el|la)(?: [\w-]+){0,4} (?:has|have|contains?|includes?|offers?|provides?|ships|covers?|"
    r"defines?|tiene|contiene|incluye|ofrece))\b",
    re.IGNORECASE,
)
_LONGEST_NAME = 4

Line = tuple[int, str]


def count_problems(document: SkillDocument) -> Iterator[Problem]:
    """Headings, introductions and sentences that count what they name, or what follows, and count wrong."""
    for one in document.fields:
        if isinstance(one.value, str):
            yield from _in_sentences([(one.line, one.value)])
    lines = list(prose_lines(document))
    at = 0
    while at < len(lines):
        end = _paragraph_end(lines, at)
        paragraph = lines[at:end]
        if paragraph and not paragraph[0][1].lstrip().startswith("|"):
            yield from _in_sentences(paragraph)
            yield from _before_list(paragraph, [text for _, text in lines[end:]])
        at = max(end, at + 1)


def _paragraph_end(lines: Sequence[Line], at: int) -> int:
    """Where a heading, an item of a list or a paragraph ends."""
    if not lines[at][1].strip():
        return at
    end = at + 1
    if lines[at][1].lstrip().startswith("#"):
        return end
    while end < len(lines) and (text := lines[end][1]).strip():
        if text.lstrip().startswith(("#", "|", ">")) or LIST_ITEM.match(text):
            break
        end += 1
    return end


def _said(match: re.Match[str]) -> tuple[int, str]:
    number = (match["number"] or match["cifra"]).lower()
    return int(number) if number.isdecimal() else _VALUES[number], match["noun"] or match["nombre"]


def _of_a_whole(before: str) -> bool:
    """Whether a number that comes after these words counts all there are."""
    before = re.sub(r"^\s*(?:#+|[-*+>]|\d{1,3}[.)])?\s*(?:\d+(?:\.\d+)*\.?\s+)?", "", before).rstrip()
    if not before or before[-1] in '.;:(—–!?"“|':
        return True
    return _WHOLE.fullmatch(_last_word(before)) is not None or _SETS.search(before.lower()) is not None


def _plain(text: str) -> str:
    return _MARKS.sub("", _LINK.sub(r"\1", text))


def _in_sentences(paragraph: Sequence[Line]) -> Iterator[Problem]:
    """Claims with the names right behind them, in the same sentence."""
    text, starts = "", []
    for line, part in paragraph:
        starts.append((len(text), line))
        text += _plain(part).strip() + " "
    for match in _CLAIM.finditer(text):
        opened = _OPENS.match(text, match.end())
        if opened is None or not _of_a_whole(text[: match.start()]):
            continue
        said, noun = _said(match)
        every = _ALL.fullmatch(_last_word(text[: match.start()])) is not None
        counts = _names_in(text[opened.end() :], opened["sign"], plain=every)
        if said > 1 and counts and said not in counts:
            line = next(line for start, line in reversed(starts) if start <= match.start())
            yield Problem("count", "warning", line, f"says {said} {noun}, names {counts[0]}")


def _last_word(text: str) -> str:
    return text.rstrip().rpartition(" ")[2]


def _names_in(text: str, sign: str, *, plain: bool) -> tuple[int, ...]:
    """How many names stand there, in each way to count them; none where they may be no names, or not all. In
    parentheses words without a name's form are names only where they are `plain`ly all."""
    body = _enclosed(text) if sign == "(" else re.split(r"[.!?](?=\s|$)|\s[—–]\s|:\s", text, maxsplit=1)[0]
    if body is None or _OPEN_ENDED.search(body) or _RANGE.search(body):
        return ()
    body = re.sub(r"\([^()]*\)", "", body)
    separator = next((sign for sign in (";", "→", "·", ",") if sign in body), "")
    parts = [part.strip() for part in body.split(separator)] if separator else [body.strip()]
    if not all(parts):
        return ()
    names = [_LEAD.sub("", part) for part in parts]
    last = [one.strip() for one in _JOIN.split(names[-1])]
    split = [*names[:-1], *last]
    strong = all(_STRONG.fullmatch(one) for one in split)
    if len(split) < 2 or (sign == "(" and not strong and (not plain or len(split) < 3)):
        return ()
    if any(len(one.split()) > _LONGEST_NAME or _NO_NAME.match(one) for one in split):
        return ()
    every = sum(len(_JOIN.split(one)) for one in names)
    finer = sum(len(re.split(r"(?<=\w)[/+](?=\w)", one)) for one in split)
    return (len(split), len(names), every, finer)


def _enclosed(text: str) -> str | None:
    depth = 1
    for place, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if not depth:
            return text[:place]
    return None


def _before_list(paragraph: Sequence[Line], after: list[str]) -> Iterator[Problem]:
    """A heading, an introduction or a sentence whose claim is its end, with the list or table that follows."""
    line, text = paragraph[-1]
    heading = text.lstrip().startswith("#")
    text = _plain(text).rstrip()
    sentence = re.split(r"(?<=[.!?])\s", text.strip())[-1]
    if not heading and not text.endswith(":") and not (text.endswith(".") and _THERE.match(sentence)):
        return
    claims = list(_CLAIM.finditer(text))
    if len(claims) != 1 or not _of_a_whole(text[: claims[0].start()]) or not _ENDS.match(text, claims[0].end()):
        return
    said, noun = _said(claims[0])
    named = _named(after, heading)
    if said > 1 and named[0] > 1 and said not in named:
        yield Problem("count", "warning", line, f"says {said} {noun}, names {named[0]}")


def _named(lines: list[str], heading: bool) -> tuple[int, ...]:
    """How many items the list or table has that begins next: its own, nested ones included, these alone, names in code.

    A single 0 where something else begins.
    """
    start = next((place for place, text in enumerate(lines[:4]) if text.strip()), None)
    if start is not None and heading and not _begins(lines[start]) and not lines[start].lstrip().startswith(("*", "#")):
        after = next((place for place in range(start, min(len(lines), start + 6)) if not lines[place].strip()), None)
        start = start if after is None else next((p for p in range(after, len(lines)) if lines[p].strip()), None)
    if start is None or not _begins(lines[start]):
        return (0,)
    if lines[start].lstrip().startswith("|"):
        rows = list(takewhile(lambda text: text.lstrip().startswith("|"), lines[start:]))
        return (sum(not TABLE_RULE.match(text) for text in rows) - 1, _in_code(rows))
    first = LIST_ITEM.match(lines[start])
    indent = len(first[1]) if first else 0
    rows = list(_list_lines(lines[start:], indent))
    items = [len(item[1]) for item in map(LIST_ITEM.match, rows) if item]
    top = sum(size <= indent for size in items)
    return (top, len(items), len(items) - top, _in_code(rows))


def _list_lines(lines: list[str], indent: int) -> Iterator[str]:
    """The lines of a list whose items begin at `indent`."""
    paused = False
    for text in lines:
        if not text.strip():
            paused = True
            continue
        item, depth = LIST_ITEM.match(text), len(text) - len(text.lstrip())
        if depth < indent or (not item and depth <= indent and (paused or not depth)):
            return
        paused = False
        yield text


def _begins(text: str) -> bool:
    return bool(LIST_ITEM.match(text)) or text.lstrip().startswith("|")


def _in_code(rows: list[str]) -> int:
    return len(set(re.findall(r"`([^`]+)`", "\n".join(rows))))

"""Which watches can have something to say about a file, and on which of its lines: told from its bytes alone.

A file's words are looked up, each once, in a table that remembers what every word stands for: the words of code
recur from file to file, and most of them say nothing, so that most of the answer is two intersections of sets.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from keyword import iskeyword
from sys import byteorder

from skills.gates.engine.context import has_odd_ends, numbered
from skills.gates.engine.patterns import lazy
from skills.gates.rule import Watch, WordShape
from skills.record import record

MOST_WORDS, MOST_PLANS, MANY_WORDS = 200_000, 4096, 100
_BEGIN, _SHORT = 4, -1
_WORD = re.compile(rb"[\w\x80-\xff]+")
_WORDS_ONLY = bytes(code if _WORD.match(bytes([code])) else 32 for code in range(256))
_OTHER_NAME = lazy(rb"\w* as \w")


@record
class Look:
    """The watches that take part, as bits of their places, and the lines on which the words stand that their nodes
    have in themselves: in order, None for all of them."""

    chosen: int
    lines: list[int] | None


class _Words:
    """What words say of the watches, as bits (see `Prefilter`): nothing, most of those that are `known`. Threads may
    share one."""

    def __init__(self, pieces: dict[bytes, int], shapes: dict[WordShape, int]) -> None:
        self.pieces = pieces
        self.shapes = shapes
        self._whole = {piece[1:-1]: bits for piece, bits in pieces.items() if piece[0] == piece[-1] == 32}
        self._parts: dict[int, list[tuple[bytes, int]]] = {}  # by how they begin, short ones under nothing
        for piece, bits in pieces.items():
            if not piece[0] == piece[-1] == 32:
                begin = int.from_bytes(piece[:_BEGIN], byteorder) if len(piece) >= _BEGIN else _SHORT
                self._parts.setdefault(begin, []).append((piece, bits))
        self.known: set[bytes] = set()
        self.telling: set[bytes] = set()
        self.said: dict[bytes, int] = {}

    def learn(self, words: set[bytes]) -> None:
        """Take in words that are not known yet, all at once: a search through them together rules out most."""
        said = {word: self._whole[word] for word in words & self._whole.keys()}
        together = b" %s " % b" ".join(words)
        begun = {_SHORT}
        for first in range(_BEGIN):  # every four bytes, read as one number: much faster than cutting them out
            last = len(together) - (len(together) - first) % _BEGIN
            begun.update(memoryview(together)[first:last].cast("I"))
        for piece, bits in chain.from_iterable(self._parts[begin] for begin in begun & self._parts.keys()):
            for word in _words_from(together.find(piece), piece, together, together):
                said[word] = said.get(word, 0) | bits
        lower = together.lower()
        for shape, bits in self.shapes.items():
            for stem in shape.stems:
                at = lower.find(stem)
                if at >= 0:
                    for word in filter(shape.accepts, set(_words_from(at, stem, lower, together))):
                        said[word] = said.get(word, 0) | bits
        self.said.update(said)
        self.telling.update(said)
        self.known.update(words)


class Prefilter:
    """The watches of all rules, ready to be asked about files.

    What a word says has three bits for each watch: it may be one of the watch's triggers, it is one, it may be near
    to something. A trigger of more than a word is looked for by its longest word first, and has a bit of its own.
    """

    def __init__(self, watches: Sequence[Watch]) -> None:
        self._watches = watches
        self._count = count = len(watches)
        self._every = (1 << count) - 1
        self._any_line = anywhere = 0
        pieces: dict[bytes, int] = {}
        shapes: dict[WordShape, int] = {}
        places: dict[Callable[[str], bool], int] = {}
        own: dict[bytes, int] = {}
        for place, watch in enumerate(watches):
            bit = 1 << place
            if not watch.triggers:
                anywhere |= bit | bit << count
            for word in watch.triggers:
                piece = _piece(word)
                pieces[piece] = pieces.get(piece, 0) | bit
                if _WORD.fullmatch(word):
                    pieces[piece] |= bit << count
                else:
                    own.setdefault(word, 1 << 3 * count + len(own))
                    pieces[piece] |= own[word]
            if not (watch.near or watch.words):
                self._any_line |= bit << 2 * count
            for word in watch.near:
                piece = _piece(word)
                own.setdefault(word, 1 << 3 * count + len(own))
                pieces[piece] = pieces.get(piece, 0) | bit << 2 * count | own[word]
            if isinstance(watch.words, WordShape):
                shapes[watch.words] = shapes.get(watch.words, 0) | bit << 2 * count
            for word in watch.words if isinstance(watch.words, frozenset) else ():
                piece = b" %s " % word
                pieces[piece] = pieces.get(piece, 0) | bit << 2 * count
            if watch.where is not None:
                places[watch.where] = places.get(watch.where, 0) | bit
        self._always = anywhere | self._any_line | pieces.pop(b"", 0)
        self._looked_for = [tuple((word, own[word]) for word in watch.triggers if word in own) for watch in watches]
        self._words = _Words(pieces, shapes)
        self._whole = _union(1 << 2 * count + place for place, watch in enumerate(watches) if watch.words)
        self._places = list(places.items())
        self._near: dict[int, tuple[tuple[bytes, int], ...]] = {}
        self._own = own

    def look(self, path: str, source: bytes) -> Look:
        """What the path and the bytes of a file say."""
        words = set(source.translate(_WORDS_ONLY).split())
        known = self._words
        if len(known.known) > MOST_WORDS:
            known = self._words = _Words(known.pieces, known.shapes)
        if not words <= known.known:
            known.learn(words - known.known)
        telling = words & known.telling
        said = known.said
        bits = self._always
        for word in telling:
            bits |= said[word]
        count = self._count
        chosen = bits & bits >> 2 * count & self._every
        for where, mask in self._places:
            if chosen & mask and not where(path):
                chosen &= ~mask
        unsure = chosen & ~(bits >> count)
        found: dict[bytes, bool] = {}
        while unsure:
            bit = unsure & -unsure
            unsure ^= bit
            for word, own in self._looked_for[bit.bit_length() - 1]:
                if own & bits:
                    there = found.get(word)
                    if there is None:
                        there = found[word] = word in source
                    if there:
                        break
            else:
                chosen ^= bit
        close = chosen & ~(self._any_line >> 2 * count)
        return Look(chosen, self._lines(source, telling, said, close, bits, b"as" in words) if close else [])

    def _lines(
        self, source: bytes, telling: set[bytes], said: dict[bytes, int], close: int, bits: int, renames: bool
    ) -> list[int] | None:
        """The lines on which a word stands that is near to something of the watches `close`, in order; None where that
        cannot be said. `renames` is whether the word `as` stands in the source."""
        if has_odd_ends(source):
            return None
        places: set[int] = set()
        for word, own in self._near_words(close):
            at = source.find(word) if own & bits else -1
            while at >= 0:
                places.add(at)
                at += len(word)
                if renames and _OTHER_NAME.match(source, at):
                    return None  # an import gives it another name, which may stand anywhere
                at = source.find(word, at)
        whole = self._whole & close << 2 * self._count
        wanted = [word for word in telling if said[word] & whole] if whole else []
        if len(wanted) > MANY_WORDS:  # a table of names or secrets: one look at all words, not one for each
            sought = set(wanted)
            places.update(match.start() for match in _WORD.finditer(source) if match[0] in sought)
            wanted = []
        for word in wanted:
            at = source.find(word)
            while at >= 0:
                places.add(at)
                at = source.find(word, at + len(word))
        return numbered(source, places)

    def _near_words(self, close: int) -> tuple[tuple[bytes, int], ...]:
        known = self._near.get(close)
        if known is None:
            if len(self._near) > MOST_PLANS:
                self._near.clear()
            watches = [watch for place, watch in enumerate(self._watches) if close >> place & 1]
            known = self._near[close] = tuple(
                {word: self._own[word] for watch in watches for word in watch.near}.items()
            )
        return known


def _piece(text: bytes) -> bytes:
    """What stands among the words of a file wherever the text stands in the file: its longest word, with a space where
    it surely begins or ends there. Words of Python itself, which are everywhere, only where there is no other."""
    found = max(
        _WORD.finditer(text), key=lambda match: (not iskeyword(match[0].decode("latin-1")), len(match[0])), default=None
    )
    if found is None:
        return b""
    return b" " * (found.start() > 0) + found[0] + b" " * (found.end() < len(text))


def _words_from(at: int, piece: bytes, searched: bytes, words: bytes) -> Iterator[bytes]:
    """The words in which a piece begins, of words between single spaces; it is looked for in `searched`, which has
    them at the same places, and stands at `at` first."""
    begins = piece.startswith(b" ")
    while at >= 0:
        end = words.find(b" ", at + begins)
        yield words[words.rfind(b" ", 0, at + begins) + 1 : end]
        at = searched.find(piece, end)


def _union(masks: Iterable[int]) -> int:
    found = 0
    for mask in masks:
        found |= mask
    return found

"""What tells one finding from the next, whatever line it stands on.

A fingerprint has four parts: 8 hexadecimal digits of rule and normalised statement (what was found), 8 of these and the
qualified scope (in what), 8 of the path (where), and the ordinal among equals of the same file. The first part alone
follows a finding into a renamed function or class of its file, the first two into a renamed file.
"""

import re
from functools import lru_cache
from hashlib import blake2b

from skills.gates.engine.patterns import lazy
from skills.gates.model import Candidate, Confidence, Evidence

_STATEMENT = 8
_CONTENT = 16
_STEM = 24
_TEXTS = r"""(?:[^"'#\n]|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')*"""
_COMMENT = lazy(rf"^({_TEXTS})#.*$", re.MULTILINE)


def without_layout(text: str) -> str:
    """The text of a statement as any formatter would leave it: without blanks, comments, parentheses and trailing
    commas, and with one kind of quotes. What is a comment and nothing else stays."""
    if "#" in text:
        text = _COMMENT.sub(r"\1", text).strip() or text
    if "\\\n" in text:
        text = text.replace("\\\n", "")
    text = "".join(text.split()).replace("'", '"').replace('\\"', '"')
    if "," in text:
        text = text.replace(",)", ")").replace(",]", "]").replace(",}", "}")
    return text.replace("(", "").replace(")", "")


def fingerprint(path: str, rule: str, scope: str, text: str, ordinal: int = 0) -> str:
    """The fingerprint of the `ordinal`-th finding of `rule` in `scope` whose statement is `text`, layout taken out."""
    return f"{fingerprint_stem(path, rule, scope, text)}{ordinal:02x}"


def fingerprint_stem(path: str, rule: str, scope: str, text: str) -> str:
    """A fingerprint without its ordinal."""
    said = _hashed(f"{rule}\0{text}")
    statement = said.hexdigest()
    said.update(f"\0{scope}".encode("utf-8", "replace"))
    return statement + said.hexdigest() + place_of(path)


@lru_cache(maxsize=8)  # one file's findings come one after the other
def place_of(path: str) -> str:
    """The part that tells where: the 8 digits of the path."""
    return _hashed(path).hexdigest()


def _hashed(text: str) -> blake2b:
    return blake2b(text.encode("utf-8", "replace"), digest_size=4)


def statement_of(fingerprint: str) -> str:
    """The part that depends neither on the path nor on the scope."""
    return fingerprint[:_STATEMENT]


def content_of(fingerprint: str) -> str:
    """The part that does not depend on the path."""
    return fingerprint[:_CONTENT]


def stem_of(fingerprint: str) -> str:
    """What equal statements of one scope share: all but the ordinal."""
    return fingerprint[:_STEM]


def on_line(
    rule: str,
    path: str,
    line: int,
    message: str,
    *,
    text: str,
    scope: str = "",
    symbol: str = "",
    confidence: Confidence = "confirmed",
    evidence: tuple[Evidence, ...] = (),
) -> Candidate:
    """What a rule found on a line when all files had been read, with no node at hand. `text` in `scope` is what tells
    it from others of the rule; `scope` is the symbol where nothing else is said."""
    told = fingerprint(path, rule, scope or symbol, text)
    return Candidate(rule, line, 1, line, 1, symbol, message, told, confidence, evidence=evidence)

"""Comments that say what the line of code beneath them, or before them, says."""

import re
from collections.abc import Iterator

from skills.gates.engine.context import FileContext
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_test_path
from skills.gates.style.comments import comments, in_string
from skills.gates.style.languages import word_set

_LONGEST, _HEADED = 60, 3
_SAID = lazy(r"#+ *([A-Za-z][\w `'\"-]*?)[.!]? *$")
_BLOCKS_OF_A_TEST = lazy(
    r"#+ *(?:(?:arrange|act|assert|given|when|then)(?: *[&/+,] *| and |[:.]? *$))+$",
    re.I,
)
_WORD = lazy(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_ENDING = lazy(r"(?:ing|ed|es|s|e)$")
_COMPOUND = lazy(r"(?:async +)?(?:if|elif|for|while|with|try|except|def|class|return|raise|import|from)\b")
_RETURNS, _DEF = lazy(r"return +\S"), lazy(r"(?:async +)?def +(\w+)")
_DEFINED = lazy(r"(?:async +)?(?:def|class) +(?!__init__\b)(\w+)")

_LITTLE = word_set(
    "a an and are as at be by do does each every for from here in into is it its just new now of on our over s so that "
    "the their then than these this those to up we which with your all any current given"
)
_KINDS = word_set(
    "array attribute boolean class dict dictionary field flag function instance int integer list method object "
    "parameter set string tuple value var variable"
)
# What a verb or a word of the language looks like in code: stem → pattern. The first word of a comment is one of them.
_CALL, _BINDS, _TAKES = r"\w\(", r"(?<![=!<>])=(?!=)", r"(?<![=!<>])= *[^=].*[\w\])][.(\[]"
_SHAPES = {
    stem: lazy(pattern)
    for stems, pattern in (
        ("loop iterat go through walk travers", r"\b(?:for|while)\b"),
        ("return giv yield", r"^(?:return|yield)\b"),
        ("check if whether test", r"\b(?:if|elif|assert|while)\b|\bassert\w*\("),
        ("verify ensur validat", r"\bassert\b|\bassert\w*\("),
        ("set assign initializ initialis init defin declar creat reset stor sav", _BINDS),
        ("mak build instantiat get fetch retriev obtain load read comput calculat find prepar extract pars "
         "convert construct", _TAKES),
        ("increment increas add", r"\+=|\.(?:append|add|extend)\(|\+"),
        ("decrement decreas subtract", r"-=|-"),
        ("append push put insert", r"\.(?:append|extend|insert|push|put|add)\(|\+=|\] *="),
        ("updat chang", r"\.update\("),
        ("call invok run execut", _CALL),
        ("import", r"^(?:import|from)\b"),
        ("print log output display show", r"\b(?:print|log\w*)[(.]"),
        ("rais throw", r"^raise\b"),
        ("try attempt", r"^try\b"),
        ("catch handl exception error", r"^except\b"),
        ("delet remov drop", r"^del\b|\.(?:pop|remove|delete|discard)\("),
        ("els otherwis", r"^else\b"),
        ("constructor", r"^def __init__\b"),
        ("clos", r"\.close\("),
        ("open", r"\bopen\("),
        ("sort", r"\bsort(?:ed)?\("),
        ("continu skip", r"^continue\b"),
        ("break stop", r"^break\b"),
        ("empty", r"\bnot\b|\[\]|\{\}|\"\"|''|\(\)"),
        ("zero", r"\b0\b"),
        ("none null", r"\bNone\b"),
        ("not", r"\bnot\b|!="),
        ("equal", r"=="),
        ("greater more", r">"),
        ("less smaller", r"<"),
        ("number count length size", r"\blen\(|count"),
    )
    for stem in stems.split()
}  # fmt: skip
_NOT_FIRST = word_set("through exception error empty zero none null not equal greater more less number length size")


def restating(context: FileContext) -> Iterator[tuple[int, str]]:
    """(line, text) of every comment of which each word stands in the line of code that it is about."""
    test = is_test_path(context.path)
    for number, text, alone in comments(context):
        if len(text) > _LONGEST:
            continue
        if test and alone and _BLOCKS_OF_A_TEST.match(text):
            told = True
        else:
            said = _SAID.match(text)
            told = said is not None and _says_again(said[1], number, alone, context)
        if told and not in_string(number, context):
            yield number, text


def _says_again(said: str, number: int, alone: bool, context: FileContext) -> bool:
    words = said.replace("'s", "").replace("`", "").split()
    while len(words) > 1 and words[0].lower() in {"the", "a", "an", "now", "then"}:
        words = words[1:]
    first = _stem(words[0].lower())
    code = _code_below(number, context) if alone else context.lines[number - 1].partition("#")[0].strip()
    if said.isupper() or (alone and len(words) == 1 and first != "constructor") or (not alone and code.endswith(",")):
        return False  # headings, and the legend of an argument
    if alone and (first not in _SHAPES or first in _NOT_FIRST) and not re.search(rf"\b{first}\w*\(", code):
        return False
    if alone and _RETURNS.match(code):
        code = f"{code} {_function_around(number, context)}"  # what it returns is what it is called
    return bool(code) and _is_all_said(words, code, alone)


def _function_around(number: int, context: FileContext) -> str:
    """The name of the function that a line of its body stands in, "" outside of all."""
    lines = context.lines
    deep = len(lines[number - 1]) - len(lines[number - 1].lstrip())
    for line in reversed(lines[: number - 1]):
        text = line.lstrip()
        found = _DEF.match(text) if text and len(line) - len(text) < deep else None
        if found is not None:
            return found[1]
    return ""


def _code_below(number: int, context: FileContext) -> str:
    """The line that a comment of one line is about; "" where it goes on, stands over a blank line or heads a block."""
    lines = context.lines
    above = lines[number - 2].lstrip() if number > 1 else ""
    below = lines[number] if number < len(lines) else ""
    code = below.strip()
    if above.startswith("#") or not code or code.startswith(("#", "@", "'", '"')):
        return ""
    deep = len(below) - len(below.lstrip())
    if deep != len(lines[number - 1]) - len(lines[number - 1].lstrip()):
        return ""
    return code if _COMPOUND.match(code) or _statements_from(lines[number:], deep) < _HEADED else ""


def _statements_from(lines: list[str], deep: int) -> int:
    """How many statements of one depth stand together at the start of some lines, three being many."""
    found = 0
    for line in lines:
        text = line.lstrip()
        depth = len(line) - len(text)
        if not text or depth < deep or text.startswith("#") or found == _HEADED:
            break
        found += depth == deep and text[0] not in ")]}"
    return found


def _is_all_said(words: list[str], code: str, alone: bool) -> bool:
    """True where every word is a name, a number or the shape of the code, and at least one of them a name."""
    named = {_stem(word.lower()) for word in _WORD.findall(code)}
    plain = [part.lower() for word in words for part in word.replace("-", "_").split("_") if part]
    content = [word for word in plain if word not in _LITTLE]
    defined = _DEFINED.match(code)
    if defined is not None and not {_stem(word.lower()) for word in _WORD.findall(defined[1])} <= set(
        map(_stem, plain)
    ):
        return False  # a heading over several functions
    names = 0
    for position, word in enumerate(content):
        stem = _stem(word)
        shape = _SHAPES.get(stem)
        if stem in named or (len(stem) > 3 and any(name.startswith(stem) for name in named)):
            names += 1
        elif not (word in _KINDS and position) and not (shape is not None and shape.search(code)):
            return False
    return names > 0 or (alone and 0 < len(content) <= 2)


def _stem(word: str) -> str:
    """ "creat" for `creates` and `creating`: what the forms of a word have in common."""
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    short = _ENDING.sub("", word, count=1) if len(word) > 3 else word
    return short[:-1] if short[-2:] in {"tt", "nn", "pp", "gg", "dd", "rr"} and short != word else short

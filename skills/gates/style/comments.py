"""Comments as text: where they stand, and whether they are code that somebody switched off."""

import ast
import re
from collections.abc import Iterator

from skills.gates.engine.context import FileContext
from skills.gates.engine.newer_strings import tree_of
from skills.gates.engine.patterns import lazy
from skills.gates.engine.syntax import descendants

_KEYWORDS = (
    r"from|import|for|if|elif|while|with|def|class|return|raise|assert|yield|await|async|except|del|global|case|not"
)
_PROSE = lazy(rf"(?!(?:{_KEYWORDS})\b)[A-Za-z][\w'’-]*[,;:.]? +[A-Za-z][\w'’-]*[,;.]?(?: |$)")
_NAME = r"(?:[a-z_][\w.]*|\*\w+)"
_NAMES = lazy(rf"{_NAME}(?:, {_NAME})+ = \S|[a-z_]\w*: (?:int|str|float|bool|bytes|list|dict|set|tuple)\b[^=]*= \S")
_OLD_PRINT = lazy(r"print +[rub]*[\"'].*[\"'](?: *[%,] *[\w.(\[].*)?$")
_DECORATOR = lazy(r"@(?:property|staticmethod|classmethod|\w+(?:\.\w+)+|[\w.]+\(.*\))$")
_CODE_MARKS = lazy(r"[(\[{=:)\]}]|^(?:return|import|from|del|raise|continue|break|yield|await|assert)\b")
_TOOL = lazy(
    r"^[:%]|^(?:e\.g|i\.e|cf|vs|etc|ex)\.|^type:|^\w+ \(|^!|-\*-|^(?:en)?coding[:=]|^language=|^vim?:|^>>>|^\.\.\.(?: |$)|(?<![\"'])https?://\S+$"
)
_CLAUSE = lazy(r"^(?:else|try|finally|except(?: [^:]+)?|elif .+|case [^:]+) *:(?: *#.*)?$")
_CLAUSE_AND_BODY = lazy(r"^(?:else|try|finally|except(?: [\w.() ,]+)?) ?: *[^#\s]")
_BLOCK = lazy(r"^(?:async +)?(?:if|for|while|with|def|class)\b.+:(?: *#.*)?$")
_OPENER = lazy(r"^(?:[\w.]+(?:\[[^\]]*\])?(?::[\w.\[\], ]+| *)=(?!=)|return |@?[\w.]+(?=\())[^#]*[(\[{]$")
_CLOSER = lazy(r"^[)\]}][)\]} ]*[,;:]?(?: *#.*)?$")
_ITEM = lazy(r"^(?:\"[^\"]+\"|'[^']+') *:.+[,{\[(](?: *#.*)?$")
_ENTRY = lazy(r"\"[^\"]*\",|'[^']*',|\((?:\"[^\"]*\"|'[^']*'|[\w.]+)(?:, *(?:\"[^\"]*\"|'[^']*'|[\w.]+))+,?\),")
_TYPES = frozenset(
    {"int", "str", "float", "bool", "bytes", "list", "dict", "set", "tuple", "object", "None", "Any", "Optional",
     "List", "Dict", "Set", "Tuple", "Union", "Callable", "Iterable", "Sequence", "Mapping", "Literal", "Final",
     "ClassVar"}
)  # fmt: skip
_RULER = lazy(r"^#\s*[-=~*#]{4,}\s*$")
_SENTENCE, _GOES_ON = lazy(r"[A-Z]\w* +\w+ +\w+"), lazy(r"[a-z]+ +[a-z]+ +[a-z]")
_LONGEST = 40
_SCRIPT = lazy(r"^# /// ?(\S*)$")


def comments(context: FileContext) -> Iterator[tuple[int, str, bool]]:
    """(line, text from its `#` on, alone on its line) of every comment; one behind a quoted `#` may be left out.

    Lines inside of strings are among them: ask `in_string` about those that matter.
    """
    for number, line in enumerate(context.lines, 1):
        at = line.find("#")
        if at < 0:
            continue
        before = line[:at]
        alone = not before or before.isspace()
        if alone or not (before.count('"') % 2 or before.count("'") % 2):
            yield number, line[at:], alone


def in_string(line: int, context: FileContext) -> bool:
    """True where a line begins inside of a string of several lines."""
    return line in _string_lines(context)


def _string_lines(context: FileContext) -> frozenset[int]:
    known = context.memo.get("string-lines")
    if not isinstance(known, frozenset):
        found: set[int] = set()
        source = context.source
        may_go_on = b'"""' in source or b"'''" in source or b"\\\n" in source
        for node in descendants(context.tree) if may_go_on else ():
            if isinstance(node, (ast.Constant, ast.JoinedStr)) and node.end_lineno != node.lineno:
                found.update(range(node.lineno + 1, (node.end_lineno or node.lineno) + 1))
        known = context.memo["string-lines"] = frozenset(found)
    return known


def commented_code(context: FileContext) -> Iterator[tuple[int, str]]:
    """(line, text) of every comment alone on its line that is code."""
    alone = {number: text for number, text, own in comments(context) if own}
    other = _data_lines(alone) | (_metadata_lines(alone) if b"# ///" in context.source else frozenset())
    for number, text in alone.items():
        if number in other or not (is_code(text) or _is_part(number, text, context)):
            continue
        if not in_string(number, context):
            around = [alone.get(number - 1, ""), alone.get(number + 1, "")]
            if all(map(_RULER.match, around)) or _is_quoted(around):
                continue  # a heading between two lines, an example in a sentence
            if not _could_be_prose(text) or not any(word and not is_code(word) for word in around):
                yield number, text


def _is_part(number: int, text: str, context: FileContext) -> bool:
    """True for an entry of a list, and for a decorator above what it was to decorate: no statements by themselves."""
    if text[-1] == ",":
        return _is_entry(number, text, context)
    below = context.lines[number].lstrip() if "@" in text[:4] and number < len(context.lines) else ""
    return below.startswith(("def ", "async def ", "class ", "@")) and bool(_DECORATOR.match(text[1:].strip()))


def _is_entry(number: int, text: str, context: FileContext) -> bool:
    """True for `# "name",` and `# (1, "one"),` right beside an entry of the same kind: one of a list or a tuple."""
    entry = text[1:].lstrip()
    if not _ENTRY.fullmatch(entry):
        return False
    beside = (line.strip() for line in context.lines[max(number - 2, 0) : number + 1])
    return any(line[:1] == entry[0] and line.partition("  #")[0].endswith(",") for line in beside)


def _is_quoted(around: list[str]) -> bool:
    """True where the sentence above goes on below: `# If it were not so,`, `# pay(order)`, `# would ask twice.`"""
    above, below = (text.lstrip("# ") for text in around)
    goes_on = _SENTENCE.match(above) and not above.endswith((".", "!", "?", ":")) and _GOES_ON.match(below)
    return bool(goes_on) and not any(map(is_code, around))


def _data_lines(alone: dict[int, str]) -> frozenset[int]:
    """Lines of a bare `{…}` or `[…]`: an answer written down, which no code was."""
    found: set[int] = set()
    for number, text in alone.items():
        if number in found or text[1:].lstrip()[:1] not in {"{", "["}:
            continue
        shown: list[str] = []
        for line in range(number, number + _LONGEST):
            shown.append(alone.get(line, "").lstrip("#").strip())
            if not shown[-1]:
                break
            if shown[-1][-1] in "]}" and tree_of("\n".join(shown)) is not None:
                found.update(range(number, line + 1))
                break
    return frozenset(found)


def _metadata_lines(alone: dict[int, str]) -> frozenset[int]:
    """Lines of inline script metadata: from `# /// name` to the last `# ///` of the comment block."""
    found: set[int] = set()
    for number, text in alone.items():
        match = _SCRIPT.match(text)
        if number in found or match is None or not match[1]:
            continue
        last, line = 0, number + 1
        while line in alone:
            match = _SCRIPT.match(alone[line])
            if match is not None:
                if match[1]:
                    break
                last = line
            line += 1
        found.update(range(number, last + 1))
    return frozenset(found)


def _could_be_prose(text: str) -> bool:
    """`# return early`, `# import users`: two plain words that are a statement and a heading alike."""
    return bool(re.fullmatch(r"(?:return|import|raise|del|yield|await|assert|global) [a-z]+", text.lstrip("# \t")))


def is_code(comment: str) -> bool:
    """True where what stands behind `#` is Python that was switched off, a line of it included."""
    text = comment[1:].strip()
    if not text or text[0] == "#" or _TOOL.search(text):
        return False
    if _OLD_PRINT.match(text):
        return True
    if not _CODE_MARKS.search(text) or (_PROSE.match(text) and not _NAMES.match(text)):
        return False
    if _CLOSER.match(text) or _ITEM.match(text) or _CLAUSE.match(text) or _OPENER.match(text):
        return True
    if _CLAUSE_AND_BODY.match(text):
        return tree_of(_completed(text)) is not None
    if _BLOCK.match(text):
        return tree_of(f"{text.partition('  #')[0]} pass") is not None and not _only_words(text)
    tree = tree_of(text)
    return tree is not None and bool(tree.body) and all(map(_is_statement, tree.body)) and not _calls_a_value(tree)


def _calls_a_value(tree: ast.Module) -> bool:
    """`merge=False (default)`: a remark behind a value, which no code calls."""
    return any(isinstance(part, ast.Call) and isinstance(part.func, ast.Constant) for part in descendants(tree))


def _completed(text: str) -> str:
    keyword = text.partition(":")[0].split()[0]
    return {"try": f"{text}\nfinally: pass", "else": f"if x: pass\n{text}"}.get(keyword, f"try: pass\n{text}")


def _only_words(text: str) -> bool:
    """`# if needed:`, `# with this:`: a sentence that happens to parse."""
    return bool(re.fullmatch(r"(?:if|while|with|class)(?: (?:not )?[a-z]+)+ *:", text))


def _is_statement(node: ast.stmt) -> bool:
    """True for statements that nobody writes as prose."""
    if isinstance(node, ast.AnnAssign):
        root = node.annotation.value if isinstance(node.annotation, ast.Subscript) else node.annotation
        name = root.id if isinstance(root, ast.Name) else getattr(root, "attr", "")
        return name in _TYPES or (node.value is not None and name[:1].isupper() and isinstance(node.target, ast.Name))
    if isinstance(node, ast.Expr):
        value = node.value
        if isinstance(value, ast.Tuple) and len(value.elts) == 1:
            value = value.elts[0]
        return isinstance(value, (ast.Call, ast.Await, ast.Yield, ast.YieldFrom)) and not _is_sentence(value)
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
        return not isinstance(node.value, (ast.Constant, ast.UnaryOp))  # `NET, rate=-1`
    if isinstance(node, ast.Return) and isinstance(node.value, ast.Compare):
        words = [node.value.left, *node.value.comparators]  # `return value is ignored`
        return not (isinstance(node.value.ops[0], ast.Is) and all(isinstance(word, ast.Name) for word in words))
    return True


def _is_sentence(node: ast.expr) -> bool:
    """`Note(s)`, `user(s)`: a plural, not a call."""
    return (
        isinstance(node, ast.Call)
        and len(node.args) == 1
        and isinstance(node.args[0], ast.Name)
        and node.args[0].id == "s"
    )

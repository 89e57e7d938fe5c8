"""Strings that are put together: their fixed text, the parts that are filled in, and whether that is SQL."""

import ast
import re
from collections.abc import Callable, Sequence

from skills.gates.analysis.local_values import values_of
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.syntax import descendants
from skills.gates.security.sql_harmless import LAYOUT
from skills.gates.security.sql_names import by_key, grown
from skills.gates.security.sql_places import asks_for_number, is_frame, is_number_by_format, may_stand
from skills.gates.security.sql_values import harmless

HOLE = "\0"
_OWN = frozenset({"self", "cls"})
_READ = "sql-text: read"
_DEEPEST, _LONGEST = 40, 100_000
_START = r"^[\s(]*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*(?:explain\s+(?:analyze\s+)?)?"
_NAME = r"[\w.\"'`\[\]{}:$%\0]+"
_STATEMENT = lazy(
    _START + rf"""(?:
        select\b.*?\sfrom[\s\0(]
      | select\s.*\0
      | with\s+(?:recursive\s+)?{_NAME}\s*(?:\([^)]*\)\s*)?as\s*(?:not\s+)?(?:materialized\s*)?\(
      | insert\s+(?:ignore\s+|or\s+\w+\s+)?(?:into\s+)?{_NAME}\s*(?:\(.*?\)\s*)?(?:values\b|select\b|default\s+values)
      | insert\s+(?:ignore\s+|or\s+\w+\s+)?into\s
      | replace\s+(?:into\s+)?{_NAME}\s*(?:\(.*?\)\s*)?(?:values\b|select\b)
      | update\s+(?:only\s+|or\s+\w+\s+)?{_NAME}(?:\s+(?:as\s+)?\w+)?\s+set\s
      | delete\s+from\s
      | delete\s+{_NAME}\s+where\s
      | merge\s+into\s
    )""",
    re.I | re.S | re.X,
)  # fmt: skip
_BEGINNING = lazy(r"[\s(]*(?:select|with|insert|replace|update|delete|merge|explain|--|/\*|$)", re.I)
_DEFINITION = lazy(
    _START + r"(?:(?:create|alter|drop|truncate|rename)\s+(?:or\s+replace\s+|temp(?:orary)?\s+|unique\s+|unlogged\s+)*"
    r"(?:table|index|view|database|schema|user|role|type|function|trigger|sequence|extension|policy|column|materialized)"
    r"|(?:grant|revoke)\s.+\s(?:on|to|from)\s|(?:exec|execute|call)\s|set\s+\w|truncate\s|copy\s|vacuum|analyze\s"
    r"|cluster\s|reindex\s|comment\s+on\s|show\s|describe\s|pragma\s|use\s|notify\s|listen\s|refresh\s+materialized)",
    re.I | re.S,
)
_FRAGMENT = lazy(
    r"\b(?:where|from|and|or|order\s+by|group\s+by|limit|set|join|values|like|in)\b[^a-z]*\0|=\s*'?\0", re.I
)
_PLACEHOLDER = lazy(r"%s|%\(\w+\)s|\$[\d\0]|(?<![:\w]):[a-z_\0]|(?<=[\s(,=])\?(?=[\s,)]|$)", re.I)
_PERCENT = lazy(r"(?<!%)(?:%%)*%(?:\((\w+)\))?[-#0 +]*\d*(?:\.\d+)?([srdiufFeEgGxXoca])")
_FIELD = lazy(r"\{(\w*)(?:[.\[][^{}:!]*)?(?:![rsa])?(?::([^{}]*))?\}|\$\{?(\w+)\}?")
_OF_GRAPH = lazy(r"^\s*select\s+(?:distinct\s+)?\?\w", re.I)  # SPARQL, which has no parameters
_ENGLISH = lazy(r"^\s*(?:Select|Update|Delete|Insert|Replace|With|Merge)\b")


class Text:
    """A string that code puts together: `text` with a HOLE for each part that is filled in, those `parts`, and which of
    them stand where no value can: the `frame` of the statement."""

    def __init__(
        self, text: str = "", parts: tuple[ast.expr, ...] = (), built: bool = False, frame: tuple[ast.expr, ...] = ()
    ) -> None:
        self.text = text
        self.parts = parts
        self.built = built
        self.frame = frame

    def plus(self, other: "Text") -> "Text":
        """Both, one after the other."""
        frame = self.frame + other.frame
        return Text(self.text + other.text, self.parts + other.parts, self.built or other.built, frame)


def read_text(node: ast.expr, context: FileContext, depth: int = 0) -> Text | None:
    """The string that an expression makes by interpolation, literals included; None where that is not written there,
    and for more of it than anybody sends to a database.

    Each expression is read once a function: names that are made of each other, or of themselves, would be read again
    for every mention."""
    if isinstance(node, ast.Constant):
        return Text(node.value) if isinstance(node.value, str) else None
    if depth > _DEEPEST:
        return None
    known = context.memo.setdefault(_READ, {})
    assert isinstance(known, dict)
    key = (node, context.function)
    if key in known:
        found: Text | None = known[key]
        return found
    known[key] = None  # while it is read: of what is made of itself nothing more is known
    found = _read(node, context, depth)
    if found is not None and len(found.text) > _LONGEST:
        found = None
    known[key] = found
    return found


def _read(node: ast.expr, context: FileContext, depth: int) -> Text | None:
    if isinstance(node, ast.JoinedStr):
        return _of_f_string(node, context, depth)
    if isinstance(node, ast.BinOp):
        return _of_operator(node, context, depth)
    if isinstance(node, ast.Call):
        return _of_call(node, context, depth)
    if isinstance(node, ast.IfExp):
        return read_text(node.body, context, depth + 1) or read_text(node.orelse, context, depth + 1)
    return None


def _filled(part: ast.expr, context: FileContext, depth: int) -> Text:
    """A part of a string: its own text where it is one, else a hole."""
    inner = read_text(part, context, depth + 1)
    if inner is not None:
        return inner
    said = _said_by_name(part, context)
    if said is not None:
        return Text(said)
    return Text(HOLE, () if harmless(part, context) else (part,))


def _of_f_string(node: ast.JoinedStr, context: FileContext, depth: int) -> Text:
    found = Text(built=True)
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            whole = Text(HOLE) if is_number_by_format(part) else _at_place(found.text, part.value, context, depth)
        else:
            whole = _filled(part, context, depth)
        found = found.plus(whole)
    return found


def _at_place(before: str, part: ast.expr, context: FileContext, depth: int) -> Text:
    """A part of a string, which behind that text may be one that does no harm there."""
    filled = _filled(part, context, depth)
    if filled.parts != (part,):
        return filled
    if may_stand(part, before, context):
        return Text(HOLE)
    return Text(filled.text, filled.parts, filled.built, (part,) if is_frame(part, before, context) else ())


def _fill(
    template: Text, hole: re.Pattern[str], value_of: Callable[[re.Match[str]], ast.expr | None], context: FileContext,
    depth: int,
) -> Text:  # fmt: skip
    """A template with its holes filled in; a hole of which no value is known can hold nothing but a number."""
    found, at = Text(parts=template.parts, built=True), 0
    for match in hole.finditer(template.text):
        found = found.plus(Text(template.text[at : match.start()]))
        value = value_of(match)
        found = found.plus(Text(HOLE) if value is None else _at_place(found.text, value, context, depth))
        at = match.end()
    return found.plus(Text(template.text[at:]))


def _of_operator(node: ast.BinOp, context: FileContext, depth: int) -> Text | None:
    if isinstance(node.op, ast.Add):
        # Long sums lean to the left: they are taken apart without recursion.
        terms = [node.right]
        left = node.left
        while isinstance(left, ast.BinOp) and isinstance(left.op, ast.Add):
            terms.append(left.right)
            left = left.left
        terms.append(left)
        if not any(_names_text(term, context) or read_text(term, context, depth + 1) for term in terms):
            return None
        found = Text(built=True)
        for term in reversed(terms):
            found = found.plus(_at_place(found.text, term, context, depth))
        return found
    template = _template(node.left, context, depth) if isinstance(node.op, ast.Mod) else None
    if template is None:
        return None
    given = node.right
    keyed = by_key(given) if isinstance(given, ast.Dict) else {}
    values = iter(given.elts if isinstance(given, ast.Tuple) else [given])

    def value_of(match: re.Match[str]) -> ast.expr | None:
        value = keyed.get(match[1], given) if match[1] else next(values, given)
        return value if match[2] in "sra" else None

    return _fill(template, _PERCENT, value_of, context, depth)


def _template(node: ast.expr, context: FileContext, depth: int) -> Text | None:
    """The string that `%` or `.format` fills in; a name stands for the literal it is bound to."""
    found = read_text(node, context, depth + 1)
    if found is None and isinstance(node, ast.Name):
        for value in values_of(node.id, context):
            if isinstance(value, (ast.Constant, ast.BinOp, ast.JoinedStr)):
                return read_text(value, context, depth + 1)
    return found


def _said_by_name(node: ast.expr, context: FileContext) -> str | None:
    """The one text that a name is bound to, or an attribute of the object at hand by the body of its class."""
    if isinstance(node, ast.Name):
        return _only_text(values_of(node.id, context))
    said = _said_in_class(node, context)
    owner = context.class_scope
    return None if owner is None or said is None or _is_set(last_name(node), owner) else said


def _said_in_class(node: ast.expr, context: FileContext) -> str | None:
    """The text of `self.name` in the body of the class, whatever methods make of it."""
    own = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in _OWN
    owner = context.class_scope if own else None
    if owner is None:
        return None
    name = last_name(node)
    return _only_text(
        [part.value for part in owner.body if isinstance(part, ast.Assign) and last_name(part.targets[0]) == name]
    )


def _only_text(bound: Sequence[ast.expr | None]) -> str | None:
    first = bound[0] if len(bound) == 1 else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None


def _is_set(name: str, owner: ast.ClassDef) -> bool:
    """True where a method gives an attribute another value."""
    return any(
        isinstance(part, ast.Attribute) and part.attr == name and isinstance(part.ctx, ast.Store)
        for part in descendants(owner)
    )


def _names_text(node: ast.expr, context: FileContext) -> bool:
    if not isinstance(node, ast.Name):
        return _said_by_name(node, context) is not None
    bound = values_of(node.id, context)
    return any(isinstance(value, ast.Constant) and isinstance(value.value, str) for value in bound)


def _of_call(node: ast.Call, context: FileContext, depth: int) -> Text | None:
    function = node.func
    if not isinstance(function, ast.Attribute):
        if last_name(function) == "str" and len(node.args) == 1:
            return read_text(node.args[0], context, depth + 1)
        return None
    if function.attr in {"dedent", "cleandoc"} and len(node.args) == 1:
        return read_text(node.args[0], context, depth + 1)
    if function.attr in LAYOUT:
        return read_text(function.value, context, depth + 1)
    if function.attr == "join" and len(node.args) == 1:
        return _of_join(function.value, node.args[0], context, depth)
    if function.attr not in {"format", "format_map", "replace", "substitute", "safe_substitute"}:
        return None
    return _of_template(node, function, context, depth)


def _of_template(node: ast.Call, function: ast.Attribute, context: FileContext, depth: int) -> Text | None:
    """`"…".format(…)` and its kin."""
    pattern = function.value
    bound = values_of(pattern.id, context) if isinstance(pattern, ast.Name) else []
    if len(bound) == 1 and isinstance(bound[0], ast.Call):
        pattern = bound[0]
    if isinstance(pattern, ast.Call) and last_name(pattern.func) == "Template" and pattern.args:
        pattern = pattern.args[0]
    template = _template(pattern, context, depth)
    if template is None and function.attr in {"substitute", "safe_substitute"}:
        given = (*node.args, *(word.value for word in node.keywords))
        # The template stands in another file: nothing is known of its text.
        return Text(f"  {HOLE}", tuple(value for value in given if not harmless(value, context)), built=True)
    if template is None:
        return None
    if function.attr == "replace":
        parts = tuple(value for value in node.args[1:2] if not harmless(value, context))
        return Text(_FIELD.sub(HOLE, template.text) if parts else template.text, template.parts + parts, True)
    values = iter(node.args)
    keyed = {word.arg: word.value for word in node.keywords}
    if function.attr != "format":
        for one in node.args:
            keyed.update(by_key(one) if isinstance(one, ast.Dict) else {None: one})

    def value_of(match: re.Match[str]) -> ast.expr | None:
        named, spec = match[1] or match[3] or "", match[2] or ""
        if asks_for_number(spec):
            return None
        if named.isdigit():
            return node.args[int(named)] if int(named) < len(node.args) else None
        return keyed.get(named, keyed.get(None)) if named else next(values, None)

    return _fill(template, _FIELD, value_of, context, depth)


def _of_join(glue: ast.expr, joined: ast.expr, context: FileContext, depth: int) -> Text | None:
    if isinstance(joined, ast.Name):
        return _of_grown_list(joined.id, context, depth)
    if not isinstance(joined, (ast.List, ast.Tuple)):
        return None
    between = glue.value if isinstance(glue, ast.Constant) else " "
    found = Text(built=True)
    for number, part in enumerate(joined.elts):
        found = found.plus(Text(str(between) if number else "")).plus(_filled(part, context, depth))
    return found


def _of_grown_list(name: str, context: FileContext, depth: int) -> Text | None:
    """`parts = ["SELECT …"]`, then `parts.append(f"AND …")`, joined."""
    bound = values_of(name, context)
    first = bound[0] if len(bound) == 1 else None
    if not isinstance(first, ast.List) or not first.elts or not isinstance(first.elts[0], ast.Constant):
        return None
    found = Text(built=True)
    for part in (*first.elts, *grown(name, context.function or context.tree, context)):
        found = found.plus(_filled(part, context, depth)).plus(Text(" "))
    return found


def may_begin_sql(node: ast.expr, context: FileContext) -> bool:
    """A cheap test that every expression passes whose text, when it is put together, `is_sql`: by how it begins."""
    while True:
        if isinstance(node, ast.Constant):
            return isinstance(node.value, str) and _BEGINNING.match(node.value) is not None
        if isinstance(node, ast.JoinedStr) and node.values:
            node = node.values[0]
        elif isinstance(node, ast.FormattedValue):
            node = node.value
        elif isinstance(node, ast.BinOp):
            node = node.left
        else:
            # what no class says the text of is a hole, and no SQL begins with one
            said = _said_in_class(node, context)
            begins = said is not None and _BEGINNING.match(said) is not None
            return begins or not isinstance(node, (ast.Attribute, ast.Subscript))


def is_sql(text: str) -> bool:
    """True for text that begins as an SQL statement, and does not read as a sentence."""
    if _STATEMENT.search(text) is None:
        return False
    return _ENGLISH.search(text) is None and _OF_GRAPH.search(text) is None


def is_sql_like(text: str) -> bool:
    """True for text that is SQL where it is known to be executed: definitions and fragments count too."""
    return bool(_STATEMENT.search(text) or _DEFINITION.search(text) or _FRAGMENT.search(text))


def defines(text: str) -> bool:
    """True for a statement that changes the schema, the session or the rights, and no row."""
    return _STATEMENT.search(text) is None and _DEFINITION.search(text) is not None


def leaves_values_to_driver(text: str) -> bool:
    """True for a statement with placeholders: who writes those puts no value in as text."""
    return _PLACEHOLDER.search(text) is not None

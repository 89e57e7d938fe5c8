"""What a text of HTML is made of, and which of its parts can be trusted: literals, what is escaped or rendered,
numbers, and what the program itself decides."""

import ast
import re
from collections.abc import Iterator
from contextlib import contextmanager

from skills.gates.analysis.file_calls import argument_of
from skills.gates.analysis.local_values import is_literal, own_nodes, values_of
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.syntax import descendants
from skills.gates.security.outside_text import is_of_others, is_taken_from, looped_over
from skills.gates.security.trusted_formats import is_escaped_in_place, is_format, takes_numbers

_ESCAPES = lazy(
    r"(?<!un)escape|format_html|render|sanit|clean|bleach|nh3|linebreaks|urlize|striptags|truncat|markdown|safe|html_safe|flatatt"
    r"|to_html$|urlparams|icon|encode_json|json_html|filesize|format_(?:date|time|datetime|decimal|currency|percent|number)|^esc$|urlencode|slug|highlight|style_defs"
    r"|^(?:int|float|len|str_html|join|static|reverse|icon|gettext|ngettext|_|pgettext|make_table|make_file|intcomma|date|count|sum|round|abs|strftime|isoformat|dumps|json_dumps)$|media|as_\w+",
    re.I,
)
_TRIMS = frozenset({"strip", "lstrip", "rstrip", "lower", "upper", "title", "split", "splitlines", "getvalue"})
_PASSED_ON = frozenset({"str", "list", "tuple", "sorted", "set", "repr", "min", "max"})
_UNDOES = frozenset({"unescape", "unquote", "unquote_plus", "force_str", "smart_str", "force_text", "smart_text"})
_DEEP, _DEEP_OF_CALLS = 14, 9
_GROWS = frozenset({"append", "insert", "extend", "appendleft", "write"})
_OWN = lazy(r"nonce|csrf_?token|^rendered(?:_|$)", re.I)
_JUDGED = "trusted HTML: names that are being judged"
RAW = "trusted HTML: the part that is neither escaped nor rendered"
_POISONED = "trusted HTML: names of which what they were before is left aside"
_CALLED = "trusted HTML: the function that a call at hand runs"
_GIVEN = "trusted HTML: parameters that a call gives what can be trusted"
_TRANSLATES = frozenset({"_", "gettext", "ngettext", "pgettext", "npgettext", "ugettext", "_lazy", "gettext_lazy"})
# `json.dumps` leaves `</script>` as it is: what is written into its text afterwards, or by its encoder, does not.
_DUMPS = frozenset({"dumps", "json_dumps"})
# What holds a number, or the key of a row.
_COUNTS = lazy(r"^(?:id|pk|uuid|total)$|(?:^|_)(?:id|pk|count|counter|index)s?$", re.I)
_NO_TEXT = lazy(r"(?:Integer|Float|Decimal|Boolean|Auto|Date|DateTime|Time|Duration|UUID)Field$")
# They let tags through as the text has them.
_MARKUP = frozenset(
    {"markdown.markdown", "markdown2.markdown", "mistune.html", "mistune.markdown", "commonmark.commonmark"}
)


def is_trusted(value: ast.expr | None, context: FileContext, depth: int) -> bool:
    """True unless a part of a value is text that somebody else wrote, and is neither escaped nor rendered."""
    if value is None or depth > _DEEP:
        return value is not None
    if isinstance(value, ast.Name):
        return _is_trusted_name(value, context, depth)
    if is_literal(value, context) or _can_be_trusted(value) or _is_number_of_row(value, context):
        return True
    pieces: list[ast.expr | None]
    if isinstance(value, ast.Call):
        answered = _answers_safely(value, context, depth)
        made = answered or _of_call(value, context)
        if made is True or (answered is False and not made):
            return made is True
        pieces = made or []
    else:
        pieces = _pieces(value)
    if not pieces and is_of_others(value, context):
        context.memo[RAW] = value
        return False
    return all(is_trusted(piece, context, depth + 1) for piece in pieces)


def _is_trusted_name(value: ast.Name, context: FileContext, depth: int) -> bool:
    grown = _grown(value.id, context)
    if not grown and is_literal(value, context):
        return True
    if _OWN.search(value.id) or _COUNTS.search(value.id) or _is_name_of_field(value.id, context):
        return True
    if value.id in context.memo.get(_POISONED, ()):  # type: ignore[operator]
        return False
    judged = context.memo.setdefault(_JUDGED, set())
    assert isinstance(judged, set)
    key = (context.function, value.id)
    if key in judged:
        return True  # `link = f"<a>{link}</a>"`: what else it is bound to decides
    judged.add(key)
    try:
        return _is_bound_safely(value.id, grown, context, depth)
    finally:
        judged.discard(key)


def _is_bound_safely(name: str, grown: list[ast.expr | None], context: FileContext, depth: int) -> bool:
    pieces = [*values_of(name, context), *grown]
    made_safe = _made_safe(name, context, depth)
    if made_safe:
        pieces = [piece for piece in pieces if piece is not None and piece.lineno >= made_safe]
    if name in context.memo.get(_GIVEN, ()):  # type: ignore[operator]
        pieces = [piece for piece in pieces if piece is not None]
    if None in pieces:
        # A loop binds it to what it runs over; a parameter is what the callers give.
        runs = looped_over(name, context)
        if runs is None and not _is_function(name, context) and is_of_others(ast.Name(name), context):
            if context.function is context.memo.get(_CALLED):
                return False  # the call at hand gives something else
            given = _given_by_callers(name, context)
            if given is None:
                context.memo[RAW] = ast.Name(name)
            if not given:
                return False
        pieces = [*(piece for piece in pieces if piece is not None), *(runs or [])]
    return all(is_trusted(piece, context, depth + 1) for piece in pieces)


def _is_function(name: str, context: FileContext) -> bool:
    """True for what `pattern.sub(linked, text)` calls: what it answers is trusted, or reported, where it lies."""
    scope = context.function or context.tree
    return any(isinstance(part, FunctionNode) and part.name == name for part in own_nodes(scope, context))


def _made_safe(name: str, context: FileContext, depth: int) -> int:
    """The line on which a function binds a name, whatever it was before, to what can be trusted; 0 for none."""
    function = context.function
    poisoned = context.memo.setdefault(_POISONED, set())
    assert isinstance(poisoned, set)
    if function is None or name in poisoned or looped_over(name, context):
        return 0
    statement = context.statement
    below: int = statement.lineno if statement in own_nodes(function, context) else 0  # type: ignore[attr-defined]
    for part in reversed(function.body):
        if not isinstance(part, ast.Assign) or (below and part.lineno >= below):
            continue
        if any(isinstance(target, ast.Name) and target.id == name for target in part.targets):
            poisoned.add(name)
            try:
                return part.lineno if is_trusted(part.value, context, depth + 1) else 0
            finally:
                poisoned.discard(name)
    return 0


def _can_be_trusted(value: ast.expr) -> bool:
    """True for what is written as a number is, and for a part of something rendered or of a table of the module."""
    if isinstance(value, ast.FormattedValue):
        return _is_number_format(value.format_spec)
    if isinstance(value, ast.Subscript):
        held = last_name(value.value)
        return _OWN.search(held) is not None or (isinstance(value.value, ast.Name) and held.isupper())
    return False


def _is_number_of_row(value: ast.expr, context: FileContext) -> bool:
    """True for `self.stock` of a model whose column holds a number, a date or a key."""
    owner = context.class_scope
    if owner is None or not isinstance(value, ast.Attribute) or last_name(value.value) != "self":
        return False
    return any(
        isinstance(part, ast.Assign)
        and isinstance(part.value, ast.Call)
        and last_name(part.targets[0]) == value.attr
        and _NO_TEXT.search(last_name(part.value.func)) is not None
        for part in owner.body
    )


def _of_call(value: ast.Call, context: FileContext) -> list[ast.expr | None] | bool:
    """What a call makes its answer of; where that is not written there, whether it can be trusted."""
    function, name = value.func, last_name(value.func)
    if is_format(value) and isinstance(function, ast.Attribute):
        return _of_format(value, function, context)
    made = _of_argument(value, name, context)
    if made:
        return made
    if context.resolve(function) in _MARKUP:
        if any(_ESCAPES.search(last_name(part)) for word in value.keywords for part in descendants(word.value)):
            return True  # by an extension
        given = values_of(value.args[0].id, context) if value.args and isinstance(value.args[0], ast.Name) else []
        read = bool(given) and all(isinstance(one, ast.Call) for one in given)  # a page that lies in a file
        return read or [*value.args[:1]]
    fixed = isinstance(function, ast.Name) and value.args and all(is_literal(part, context) for part in value.args)
    return bool(fixed or _ESCAPES.search(name)) or name[:1].isupper() or name == "super"


def _of_argument(value: ast.Call, name: str, context: FileContext) -> list[ast.expr | None]:
    """What a call that only joins, trims, translates or writes down its argument makes its answer of; [] for others."""
    function = value.func
    owner = function.value if isinstance(function, ast.Attribute) else None
    if name in _TRIMS and owner is not None:
        return [owner]
    if name == "translate" and owner is not None:
        return [ast.Constant("")]  # by a table that leaves no tag
    given = [*value.args, *(word.value for word in value.keywords)]
    if name in _UNDOES or (name in _PASSED_ON and owner is None):
        return [*given]
    if not value.args:
        return []
    first = value.args[0]
    found: list[ast.expr | None] = []
    if name == "join":
        found = [first.elt] if isinstance(first, (ast.GeneratorExp, ast.ListComp)) else [first]
    elif name == "sub" and owner is not None:
        found = _of_sub(value, context)
    elif name == "get" and owner is not None and _is_table(owner, context):
        found = [owner, *value.args[1:]]
    elif (name in _TRANSLATES and _is_put_together(first)) or (
        name in _DUMPS and not any(_ESCAPES.search(ast.unparse(word.value)) for word in value.keywords)
    ):
        found = [first]
    return found


def _of_sub(value: ast.Call, context: FileContext) -> list[ast.expr | None]:
    """What `re.sub` and `pattern.sub` make their text of; nothing is left of tags where all but letters is cut out."""
    if context.resolve(value.func) != "re.sub":
        return [*value.args[:2]]
    pattern = value.args[0].value if isinstance(value.args[0], ast.Constant) else ""
    if isinstance(pattern, str) and pattern.startswith("[^") and "<" not in pattern and len(value.args) > 1:
        return [value.args[1]]
    return [*value.args[1:3]]


def _of_format(value: ast.Call, function: ast.Attribute, context: FileContext) -> list[ast.expr | None] | bool:
    """What `pattern.format(…)` and `text.replace(…)` make their text of."""
    first = value.args[0] if value.args else None
    if function.attr == "replace" and isinstance(first, ast.Constant) and str(first.value).startswith("<"):
        return True  # no tag is left in it
    given = [*value.args, *(keyword.value for keyword in value.keywords)]
    pattern = function.value.value if isinstance(function.value, ast.Constant) else None
    if function.attr == "format" and isinstance(pattern, str) and takes_numbers(pattern):
        return True
    if function.attr == "format" and given and all(is_escaped_in_place(one, context) for one in given):
        return True  # the pattern is the page's own where what is put into it is escaped
    return [function.value, *given]


def _is_name_of_field(name: str, context: FileContext) -> bool:
    """True for the `name` that a widget renders: of a field, as the form's source has it."""
    function = context.function
    return (
        name == "name"
        and function is not None
        and function.name == "render"
        and [argument.arg for argument in function.args.args[:2]] == ["self", "name"]
    )


def _is_put_together(value: ast.expr) -> bool:
    return isinstance(value, (ast.JoinedStr, ast.BinOp)) or is_format(value)


def _answers_safely(value: ast.Call, context: FileContext, depth: int) -> bool | None:
    """Whether every answer of a function of the module, or of a method of the class, can be trusted as this call fills
    its parameters; None for functions that lie elsewhere."""
    function, name = value.func, last_name(value.func)
    owner = context.class_scope if isinstance(function, ast.Attribute) else None
    if isinstance(function, ast.Attribute) and (owner is None or last_name(function.value) not in {"self", "cls"}):
        return None
    called = next(
        (part for part in (owner or context.tree).body if isinstance(part, FunctionNode) and part.name == name), None
    )
    nodes = own_nodes(called, context) if called is not None else []
    answers = [part.value for part in nodes if isinstance(part, (ast.Return, ast.Yield)) and part.value is not None]
    if called is None or not answers or depth > _DEEP_OF_CALLS:
        return None
    named = [*called.args.args, *called.args.kwonlyargs]
    given = frozenset(one.arg for one in named if is_trusted(argument_of(value, called, one.arg), context, depth + 1))
    with _as_seen([*([owner] if owner else []), called], called, given, context):
        return all(is_trusted(answer, context, depth + 1) for answer in answers)


@contextmanager
def _as_seen(
    scopes: list[ast.ClassDef | FunctionNode], called: FunctionNode | None, given: frozenset[str], context: FileContext
) -> Iterator[None]:
    """Names are looked up as those scopes see them, the parameters of `called` as a call gives them."""
    before = context.scopes, context.memo.get(_CALLED), context.memo.get(_GIVEN, frozenset())
    context.scopes, context.memo[_CALLED], context.memo[_GIVEN] = scopes, called, given
    try:
        yield
    finally:
        context.scopes, context.memo[_CALLED], context.memo[_GIVEN] = before


def _given_by_callers(name: str, context: FileContext) -> bool | None:
    """Whether every call that the module makes of the current function gives what can be trusted for a parameter; None
    where others may call it too, which the name of a function that is private to the module rules out."""
    function = context.function
    if function is None or function.decorator_list or not function.name.startswith("_") or function.name[1:2] == "_":
        return None
    calls = [
        (scopes, part)
        for scopes, nodes in _scopes_of(context)
        for part in nodes
        if isinstance(part, ast.Call) and last_name(part.func) == function.name
    ]
    if not calls:
        return None
    for scopes, call in calls:
        with _as_seen(scopes, None, frozenset(), context):
            if not is_trusted(argument_of(call, function, name), context, _DEEP_OF_CALLS):
                return False
    return True


def _scopes_of(context: FileContext) -> Iterator[tuple[list[ast.ClassDef | FunctionNode], list[ast.AST]]]:
    """(scopes as `FileContext.scopes` has them, what stands there) of the module, its functions, classes and
    methods."""
    yield [], own_nodes(context.tree, context)
    for part in context.tree.body:
        if isinstance(part, FunctionNode):
            yield [part], own_nodes(part, context)
        elif isinstance(part, ast.ClassDef):
            yield (
                [part],
                [one for field in part.body if not isinstance(field, FunctionNode) for one in descendants(field)],
            )
            for one in part.body:
                if isinstance(one, FunctionNode):
                    yield [part, one], own_nodes(one, context)


def _grown(name: str, context: FileContext) -> list[ast.expr | None]:
    """What is put into a list of that name after it was made."""
    return [
        part.args[-1]
        for part in own_nodes(context.function or context.tree, context)
        if isinstance(part, ast.Call)
        and isinstance(part.func, ast.Attribute)
        and part.func.attr in _GROWS
        and part.args
        and isinstance(part.func.value, ast.Name)
        and part.func.value.id == name
    ]


def _is_number_format(spec: ast.expr | None) -> bool:
    """True for `{count:02d}`: text cannot be written so."""
    last = spec.values[-1] if isinstance(spec, ast.JoinedStr) and spec.values else None
    return isinstance(last, ast.Constant) and str(last.value).endswith(tuple("dfeEgGxXob%n,"))


def _pieces(value: ast.expr) -> list[ast.expr | None]:
    """What a string is made of."""
    if isinstance(value, ast.BinOp):
        return _of_operation(value)
    found: list[ast.expr | None] = []
    if isinstance(value, (ast.JoinedStr, ast.BoolOp, ast.Dict)):
        found = [*value.values]
    elif isinstance(value, (ast.List, ast.Tuple)):
        found = [*value.elts]
    elif isinstance(value, ast.DictComp):
        found = [value.key, value.value]
    elif isinstance(value, ast.Subscript) and (
        _is_place(value.slice) or is_taken_from(value) or isinstance(value.value, ast.Dict)
    ):
        found = [value.value]  # a part of it
    elif isinstance(value, (ast.FormattedValue, ast.Await, ast.Starred)):
        found = [value.value]
    elif isinstance(value, (ast.ListComp, ast.GeneratorExp)):
        found = [value.elt]
    elif isinstance(value, ast.IfExp):
        found = [value.body, value.orelse]
    return found


def _is_place(key: ast.expr) -> bool:
    """True for `[0]`, `[-1]`, `[:3]`: no name of something that is held."""
    return isinstance(key, (ast.Slice, ast.UnaryOp)) or isinstance(getattr(key, "value", None), int)


def _is_table(node: ast.expr, context: FileContext) -> bool:
    """True for a constant, and for a name that is bound to dicts that are written out."""
    if is_literal(node, context):
        return True
    bound = values_of(node.id, context) if isinstance(node, ast.Name) else []
    return bool(bound) and all(isinstance(value, ast.Dict) for value in bound)


def _of_operation(value: ast.BinOp) -> list[ast.expr | None]:
    if isinstance(value.op, ast.Mult):
        return [value.left]
    if not isinstance(value.op, (ast.Add, ast.Mod)) or isinstance(getattr(value.right, "value", None), int):
        return []  # a number
    return [value.left, *(value.right.elts if isinstance(value.right, ast.Tuple) else [value.right])]

"""Which parts of a text the code shows to be written by somebody else: a column, a parameter, a part of a request. What
a function answers that lies elsewhere shows nothing."""

import ast
import re

from skills.gates.analysis.local_values import own_nodes
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import dotted, last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.syntax import mentions

# What is called so is decided by the program: how something looks, how many there are, when it was.
_DECIDED = (
    r"(?:^|_)(?:css|class(?:es)?|class_name|colou?r|style|width|height|size|attr|attribute|prefix|suffix|separator"
    r"|delimiter|lang|language|locale|help_?text|verbose_name(?:_plural)?|direction|align|id|pk|uuid|total|count|cnt"
    r"|counter|index|idx|number|num|year|month|day|date|time|datetime|timestamp|tz|time_?zone|percent|ratio|default|limit|offset|position|currency|currency_code|domain"
    r"|amount|price|minute|second|hour|at)s?$|^date_"
)
_DECIDED_NAME = lazy(
    rf"{_DECIDED}|^(?:html|svg|icon|markup)$|^(?:html|icon)_|(?<!user)_(?:html|svg|icon)$|nonce|^rendered(?:_|$)", re.I
)
# A column called so has one of a few values, or one that was checked when it was kept.
_DECIDED_COLUMN = lazy(
    rf"{_DECIDED}|html|icon|svg|_safe|css|template|nonce|^thumbnail|(?:^|_)errors$|(?:^|_)(?:label|legend|status|state|kind|type|level|mode|slug"
    r"|url|uri|href|permalink)s?$|path$",
    re.I,
)
_FILES = lazy(r"image|file|photo|picture|avatar|logo|thumb|attachment|document|scan$", re.I)
# Calls that answer with what somebody wrote.
_TEXTS = frozenset({
    "get_full_name", "get_short_name", "get_username", "get_text", "get_name", "get_title", "get_body", "get_content",
    "get_description", "get_comment", "get_message", "decode", "input", "getlist",
    "loads", "json", "get_json", "get_object_or_404", "fetchone", "fetchall", "values", "values_list", "first", "last",
    "all", "filter", "exclude", "get_object", "get_queryset", "latest", "namelist", "unescape",
})  # fmt: skip
_REQUEST = lazy(r"^(?:self\.)?request(?:\.(?:GET|POST|COOKIES|META|headers|data|query_params|body|args|form|FILES))?$")
_SETTINGS = lazy(r"settings$|config(?:uration)?$|^conf$|cache$", re.I)
_ROW = lazy(r"Model|Abstract|Base|Mixin|Document|Entity|Schema")
_THROUGH = frozenset({
    "items", "keys", "enumerate", "zip", "sorted", "reversed", "list", "set", "tuple", "dict", "iter", "filter", "map",
    "order_by", "distinct", "union", "groupby",
})  # fmt: skip


def is_taken_from(value: ast.Subscript) -> bool:
    """True for a field of which nothing is known but where it is taken from: `answer["note"]`."""
    return not _decides(value.slice) and isinstance(value.value, ast.Name) and not asks_request(value.value)


def is_of_others(value: ast.expr, context: FileContext) -> bool:
    """True for a part that is made of no others and that somebody else wrote, as far as the code shows."""
    if isinstance(value, ast.Name):
        return not _DECIDED_NAME.search(value.id)
    if isinstance(value, ast.Attribute):
        return not (
            "_meta" in (dotted(value) or "")  # how the source names its models
            or _DECIDED_COLUMN.search(value.attr)
            or _SETTINGS.search(last_name(value.value))  # whoever runs the site decides it
            or (value.attr == "url" and _FILES.search(last_name(value.value)))  # the storage quotes it
            or (last_name(value.value) in {"self", "cls"} and not _is_of_row(value.attr, context))
        )
    if isinstance(value, ast.Subscript):
        decided = isinstance(value.value, ast.Attribute) and _DECIDED_COLUMN.search(value.value.attr)
        return not (_decides(value.slice) or decided) or asks_request(value.value)
    if isinstance(value, ast.Call):
        return _answers_text(value)
    return False


def _answers_text(call: ast.Call) -> bool:
    name = last_name(call.func)
    if name == "read" and isinstance(call.func, ast.Attribute):
        return "request" in ast.unparse(call.func.value)  # else of a file of the program
    if name in _TEXTS:
        return name not in {"values", "values_list"} or not _only_decided(call)
    if name != "get" or not isinstance(call.func, ast.Attribute):
        return False
    held = call.func.value
    if asks_request(held):
        return True
    return not (_SETTINGS.search(last_name(held)) or (call.args and _decides(call.args[0])))


def _decides(key: ast.expr) -> bool:
    """True for the name of a field that has one of a few values: `row["status"]`."""
    return (
        isinstance(key, ast.Constant) and isinstance(key.value, str) and _DECIDED_COLUMN.search(key.value) is not None
    )


def _only_decided(call: ast.Call) -> bool:
    """True for `values_list("id", flat=True)`."""
    named = [part.value for part in call.args if isinstance(part, ast.Constant)]
    return bool(named) and len(named) == len(call.args) and all(_DECIDED_COLUMN.search(str(one)) for one in named)


def asks_request(node: ast.expr) -> bool:
    """True for the request and the parts of it that a client fills."""
    return _REQUEST.match(dotted(node) or "") is not None


def _is_of_row(name: str, context: FileContext) -> bool:
    """True for what an object reads from its own row; what a widget, a panel or a tag is made with comes from the
    program."""
    owner = context.class_scope
    if owner is None or any(map(_ROW.search, map(last_name, owner.bases))):
        return True
    return any(
        last_name(part.targets[0] if isinstance(part, ast.Assign) else part.target) == name
        for part in owner.body
        if isinstance(part, ast.AnnAssign) or (isinstance(part, ast.Assign) and isinstance(part.value, ast.Call))
    )


def looped_over(name: str, context: FileContext) -> list[ast.expr] | None:
    """What the loops run over that bind a name in the current function, or module, and the calls whose answer is taken
    apart into it; None where there are none."""
    found: list[ast.expr] = []
    for node in own_nodes(context.function or context.tree, context):
        if isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            if mentions(node.target, name):
                found.append(_source(node.iter))
        elif isinstance(node, ast.Assign) and any(
            isinstance(target, (ast.Tuple, ast.List)) and mentions(target, name) for target in node.targets
        ):
            found.append(_source(node.value))
    return found or None


def _source(node: ast.expr) -> ast.expr:
    """What `enumerate(rows)`, `rows.items()` and their like run over."""
    for _ in range(6):
        if not isinstance(node, ast.Call) or last_name(node.func) not in _THROUGH:
            break
        if isinstance(node.func, ast.Attribute):
            node = node.func.value
        elif node.args:
            node = node.args[-1] if last_name(node.func) in {"filter", "map"} else node.args[0]
        else:
            break
    return node

"""Which values a condition has looked at: behind it, what comes from a request counts as checked."""

import ast
import re
from collections.abc import Iterator

from skills.gates.analysis.local_values import own_nodes
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.syntax import descendants

_CHECKS = lazy(
    r"valid|check|clean|sanit|safe|allow|permit|verif|match|isdigit|isalnum|isalpha|isdecimal|isnumeric|identifier|accept"
    r"|startswith|endswith|supported|^is_|_is_|known|clean|relative_to|commonpath|commonprefix|parse|UUID|^int$|assert"
    r"|^is(?:sub|super)set$",
    re.I,
)
# A conversion, or whether there is such a file or row: that says nothing of the value.
_ASKS_ELSE = lazy(
    r"exist|^is_?(?:file|dir|link|mount|instance)$|access|^(?:bool|len|str|list|dict|set|any|all|get|strip|lower|loads|filter"
    r"|first|open|read|stat|join)$|get_|fetch|find|load|query|search"
)
_SESSION = lazy(r"session$|^db$|^s$", re.I)
_MEMBERSHIP = (ast.In, ast.NotIn)


def is_saved(node: ast.Call, context: FileContext) -> bool:
    """True for `order` of `order = Order(…)` and `order.save()` or `session.add(order)`, and for
    `session.add(Order(…))`: whatever lies elsewhere, that is a model."""
    if context.function is None:
        return False
    nodes = own_nodes(context.function, context)
    names = {last_name(part.targets[0]) for part in nodes if isinstance(part, ast.Assign) and part.value is node}
    for part in nodes:
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
            owner, name = part.func.value, part.func.attr
            if name in {"save", "asave"} and isinstance(owner, ast.Name) and owner.id in names:
                return True
            added = (
                part.args[0] if name in {"add", "merge"} and part.args and _SESSION.search(last_name(owner)) else None
            )
            if added is node or (isinstance(added, ast.Name) and added.id in names):
                return True
    return False


def checked_by(test: ast.expr) -> Iterator[ast.expr]:
    """What a condition compares with a list, each one or all of them, or gives to a function that checks."""
    for node in descendants(test):
        if isinstance(node, ast.Call):
            if _CHECKS.search(last_name(node.func)):
                yield from node.args
                yield from (keyword.value for keyword in node.keywords)
                if isinstance(node.func, ast.Attribute):
                    yield node.func.value
        elif isinstance(node, ast.Compare):
            if isinstance(node.ops[0], _MEMBERSHIP) or (isinstance(node.ops[0], ast.LtE) and _is_set(node.left)):
                yield node.left
        elif isinstance(node, ast.BinOp):
            if isinstance(node.op, ast.Sub) and _is_set(node.left):
                yield node.left
        elif isinstance(node, (ast.GeneratorExp, ast.ListComp)) and _asks_each(node):
            yield node.generators[0].iter


def known_unless(test: ast.expr) -> Iterator[ast.expr]:
    """What is known behind an `if` that leaves: `if token != settings.TOKEN: raise`, `if not shop.sells_in(land):
    raise`."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        for part in descendants(test.operand):
            if isinstance(part, ast.Call) and _ASKS_ELSE.search(last_name(part.func)) is None:
                yield from part.args
    elif isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.NotEq):
        other = test.comparators[0]
        if (isinstance(other, ast.Constant) and other.value) or "settings" in ast.unparse(other):
            yield test.left


def each_known_after(loop: ast.For | ast.AsyncFor) -> Iterator[ast.expr]:
    """What `for tag in tags: if tag not in TAGS: raise` goes over: behind it, each one is known; and the number in
    `for number, row in enumerate(rows)`."""
    first = loop.body[0]
    if isinstance(loop.iter, ast.Call) and last_name(loop.iter.func) == "enumerate":
        yield from loop.target.elts[:1] if isinstance(loop.target, ast.Tuple) else ()
    if (
        isinstance(first, ast.If)
        and isinstance(first.body[-1], (ast.Raise, ast.Return))
        and isinstance(first.test, ast.Compare)
        and isinstance(first.test.ops[0], ast.NotIn)
        and last_name(first.test.left) == last_name(loop.target)
    ):
        yield loop.iter


def names_literals(pattern: ast.pattern) -> bool:
    """True for `case "name" | "note":`, and for one that holds nothing else."""
    if isinstance(pattern, ast.MatchOr):
        return all(map(names_literals, pattern.patterns))
    return isinstance(pattern, ast.MatchValue) and isinstance(pattern.value, ast.Constant)


def _is_set(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and last_name(node.func) in {"set", "frozenset"}


def _asks_each(node: ast.GeneratorExp | ast.ListComp) -> bool:
    """True for `tag in TAGS for tag in tags` and `isinstance(pk, int) for pk in pks`."""
    test = node.elt.operand if isinstance(node.elt, ast.UnaryOp) else node.elt
    if isinstance(test, ast.Compare):
        return isinstance(test.ops[0], _MEMBERSHIP)
    if not isinstance(test, ast.Call):
        return False
    if last_name(test.func) == "isinstance" and len(test.args) > 1:
        return not any(last_name(part) in {"str", "dict", "list"} for part in descendants(test.args[1]))
    return _CHECKS.search(last_name(test.func)) is not None


def asked(value: ast.expr) -> Iterator[ast.expr]:
    """What a form or a serializer is given one by one, to be asked whether it is valid:
    `IdsSerializer(data={"ids": ids})`."""
    if isinstance(value, ast.Call) and last_name(value.func).endswith(("Serializer", "Form")):
        for given in (*value.args[:1], *(word.value for word in value.keywords if word.arg == "data")):
            if isinstance(given, ast.Dict):
                yield from given.values

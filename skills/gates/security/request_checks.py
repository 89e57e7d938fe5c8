"""Which values a condition has looked at, or what is made of them: behind it, what comes from a request counts as
checked."""

import ast
import re
from collections.abc import Iterator

from skills.gates.analysis.local_values import own_nodes, values_of
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.syntax import descendants

CHECKS = lazy(
    r"valid|check(?!_call$|_output$)|clean|sanit|safe|allow|permit|verif|match|isdigit|isalnum|isalpha|isdecimal|isnumeric|identifier|accept"
    r"|startswith|endswith|supported|^is_|_is_|known|clean|relative_to|commonpath|commonprefix|parse|UUID|^int$|assert"
    r"|^is(?:sub|super)set$|^has_(?:property|field|column)$",
    re.I,
)
# A conversion, or whether there is such a file or row: that says nothing of the value.
_ASKS_ELSE = lazy(
    r"exist|^is_?(?:file|dir|link|mount|instance)$|access|^(?:bool|len|str|list|dict|set|any|all|get|strip|lower|loads|filter"
    r"|first|open|read|stat|join)$|get_|fetch|find|load|query|search"
)
_SAYS_YES = lazy(
    r"valid|allow|safe|known|permit|support|accept|exist|has|match|^is(?:digit|alnum|alpha|decimal|numeric|identifier)$"
)
_FORBIDDEN = lazy(r"forbid|block|den(?:y|ied)|black|bad|reserved|exclu|danger|invalid|banned|disallow", re.I)
_MARKS = lazy(r"^[^\w\s]+$")
_VERDICT = lazy(r"^(?:is|has|check|validate|verify)_|^validate$|_(?:valid|check)$")
_CLEANS = lazy(r"\[\^|\\[WDS]")
_OF_SHAPE = frozenset({"ValueError", "TypeError", "ValidationError", "DataError", "Exception", "BaseException"})
_FAMILY = lazy(r"[a-z]\w+_(?:%s|\{\w*\}|$)")
_MEMBERSHIP = (ast.In, ast.NotIn)


def checked_by(test: ast.expr) -> Iterator[ast.expr]:
    """What a condition compares with a list, each one or all of them, or gives to a function that checks."""
    for node in descendants(test):
        if isinstance(node, ast.Call):
            if CHECKS.search(last_name(node.func)):
                yield from node.args
                yield from (keyword.value for keyword in node.keywords)
                if isinstance(node.func, ast.Attribute):
                    yield node.func.value
        elif isinstance(node, ast.Compare):
            if isinstance(node.ops[0], _MEMBERSHIP) or (isinstance(node.ops[0], ast.LtE) and _is_set(node.left)):
                yield node.left
                if isinstance(node.comparators[0], ast.Attribute) and node.comparators[0].attr == "parents":
                    yield node.comparators[0].value
            elif isinstance(node.left, ast.Call) and last_name(node.left.func) == "type":
                yield from node.left.args
        elif isinstance(node, ast.BinOp):
            if isinstance(node.op, ast.Sub) and _is_set(node.left):
                yield node.left
        elif isinstance(node, (ast.GeneratorExp, ast.ListComp)) and _asks_each(node):
            yield node.generators[0].iter


def conditions(statement: ast.If | ast.While | ast.Assert) -> list[ast.expr]:
    """The parts of a condition, as `and` and `or` join them."""
    return statement.test.values if isinstance(statement.test, ast.BoolOp) else [statement.test]


def refusals(statement: ast.stmt) -> list[ast.expr]:
    """The parts of a condition that turn away what they find: `if sort not in SORTS: return …` knows `sort` behind it,
    and not in what it answers."""
    if not isinstance(statement, ast.If) or not isinstance(statement.body[-1], (ast.Raise, ast.Return)):
        return []
    return [test for test in conditions(statement) if _says_no(test)]


def _says_no(test: ast.expr) -> bool:
    """True for `sort not in SORTS` and `not is_valid(sort)`; what is not among the forbidden, or begins with nothing
    that sends a visitor away, is as it should be."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return isinstance(test.operand, ast.Call) and _SAYS_YES.search(last_name(test.operand.func)) is not None
    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], (ast.NotIn, ast.NotEq)):
        return False
    return _FORBIDDEN.search(last_name(test.comparators[0])) is None


def measured(test: ast.expr) -> Iterator[str]:
    """The names whose length is compared with a number above 1: `len(name) > 80`."""
    for node in descendants(test):
        if isinstance(node, ast.Compare) and isinstance(node.left, ast.Call) and last_name(node.left.func) == "len":
            limit = node.comparators[0]
            unset = isinstance(limit, ast.Constant) and limit.value in {0, 1}
            yield from (part.id for part in node.left.args if isinstance(part, ast.Name) and not unset)


def missing(test: ast.expr) -> str:
    """The name that is asked whether it is there: `shop is None`, `not shop`."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return test.operand.id if isinstance(test.operand, ast.Name) else ""
    none = isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Is) and isinstance(test.left, ast.Name)
    return test.left.id if none else ""  # type: ignore[attr-defined]


def known_within(node: ast.stmt) -> list[str]:
    """The names that `if field in FIELDS:` knows as long as it lasts, and no longer: it neither leaves nor has an
    `else` that could, and binds none of them anew."""
    if not isinstance(node, ast.If):
        return []
    tests = node.test.values if isinstance(node.test, ast.BoolOp) and isinstance(node.test.op, ast.And) else [node.test]
    names = [
        test.left.id
        for test in tests
        if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.In) and isinstance(test.left, ast.Name)
    ]
    if not names or node.orelse or isinstance(node.body[-1], (ast.Raise, ast.Return, ast.Continue, ast.Break)):
        return []
    if any(isinstance(part, ast.Assign) and isinstance(part.value, ast.Constant) for part in node.body):
        return []  # a flag remembers it
    bound = {
        part.id
        for inner in node.body
        for part in descendants(inner)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    }
    return [name for name in names if name not in bound]


def tried(statement: ast.stmt) -> Iterator[ast.expr]:
    """What a `try` that leaves where it fails has given to functions for nothing but to see whether they fail:
    `try: read_image(scan)`."""
    if not isinstance(statement, ast.Try) or not statement.handlers:
        return
    if all(isinstance(handler.body[-1], (ast.Raise, ast.Return)) for handler in statement.handlers):
        for part in statement.body:
            if isinstance(part, ast.Expr) and isinstance(part.value, ast.Call):
                yield from part.value.args


def leaves_most(node: ast.Call, context: FileContext) -> bool:
    """True for `re.sub("^https?://", "", text)`, which cuts something off; not for `re.sub("[^a-z]", "", text)`, which
    is how text is cleaned."""
    if last_name(node.func) != "sub" or len(node.args) < 3 or context.resolve(node.func) != "re.sub":
        return False
    pattern = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
    return isinstance(pattern, str) and not pattern.startswith("[") and _CLEANS.search(pattern) is None


def known_unless(test: ast.expr) -> Iterator[ast.expr]:
    """What is known behind an `if` that leaves: `if token != settings.TOKEN: raise`, `if not shop.sells_in(land):
    raise`, `if not TYPES.get(kind): raise`, `if ".." in name: raise`."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        for part in descendants(test.operand):
            if isinstance(part, ast.Call) and (
                _ASKS_ELSE.search(last_name(part.func)) is None or _is_of_table(part.func)
            ):
                yield from part.args
    elif isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.NotEq):
        other = test.comparators[0]
        if (isinstance(other, ast.Constant) and other.value) or "settings" in ast.unparse(other):
            yield test.left
    elif isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.In) and _is_mark(test.left):
        yield test.comparators[0]


def _is_mark(node: ast.expr) -> bool:
    """True for what leads out of a folder, a tag or a command: `".."`, `"<"`, `";"`."""
    return isinstance(node, ast.Constant) and _MARKS.match(str(node.value)) is not None


def _is_of_table(function: ast.expr) -> bool:
    """True for `TYPES.get` and `self.allowed_types.get`: what has no entry there is turned away."""
    owner = last_name(function.value) if isinstance(function, ast.Attribute) and function.attr == "get" else ""
    return owner.isupper() or CHECKS.search(owner) is not None


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


def is_told(statement: ast.stmt) -> list[str]:
    """The names that `if kind == "note":` tells the text of as long as it lasts."""
    if not isinstance(statement, ast.If):
        return []
    test = statement.test
    parts = test.values if isinstance(test, ast.BoolOp) else [test]
    names = [
        part.left.id
        for part in parts
        if isinstance(part, ast.Compare)
        and isinstance(part.left, ast.Name)
        and isinstance(part.ops[0], ast.Eq)
        and isinstance(part.comparators[0], ast.Constant)
    ]
    either = isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or)
    return names if not either or (len(names) == len(parts) and len(set(names)) == 1) else []


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
    return CHECKS.search(last_name(test.func)) is not None


def asked(value: ast.expr) -> Iterator[ast.expr]:
    """What a form or a serializer is given one by one, to be asked whether it is valid:
    `IdsSerializer(data={"ids": ids})`; what is asked for more than is allowed: `unknown = data.keys() - FIELDS`; and
    what a function gives its verdict on: `known = validate_email(email)`."""
    if isinstance(value, ast.Call) and _VERDICT.search(last_name(value.func)):
        yield from value.args
    left = value.left if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Sub) else None
    if isinstance(left, ast.Call) and last_name(left.func) == "keys":
        yield left
    if isinstance(value, ast.Call) and last_name(value.func).endswith(("Serializer", "Form")):
        for given in (*value.args[:1], *(word.value for word in value.keywords if word.arg == "data")):
            if isinstance(given, ast.Dict):
                yield from given.values


def catches(statement: ast.stmt) -> bool:
    """True for a `try` or `with suppress(…)` that a key of the wrong shape does not get out of."""
    if isinstance(statement, ast.With):
        calls = [item.context_expr for item in statement.items if last_name(item.context_expr) == "suppress"]
        return any(last_name(one) in _OF_SHAPE for call in calls if isinstance(call, ast.Call) for one in call.args)
    return any(map(_catches_shape, getattr(statement, "handlers", ())))


def _catches_shape(handler: ast.ExceptHandler) -> bool:
    """True for a handler of what a query raises where a key has the wrong shape, and for one of everything."""
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(one is None or last_name(one) in _OF_SHAPE for one in caught)


def is_written_key(name: ast.expr, context: FileContext) -> bool:
    """True for a key of a dict that is written out: `for key, value in {"name": name}.items()`."""
    function = context.function
    if not isinstance(name, ast.Name) or function is None:
        return False
    for part in own_nodes(function, context):
        if isinstance(part, ast.For) and isinstance(part.iter, ast.Call) and last_name(part.iter.func) == "items":
            first = part.target.elts[0] if isinstance(part.target, ast.Tuple) else part.target
            over = part.iter.func.value if isinstance(part.iter.func, ast.Attribute) else None
            bound = values_of(over.id, context) if isinstance(over, ast.Name) else [over]
            written = bool(bound) and all(isinstance(one, ast.Dict) and None not in one.keys for one in bound)
            if isinstance(first, ast.Name) and first.id == name.id and written:
                return all(isinstance(key, ast.Constant) for one in bound for key in getattr(one, "keys", ()))
    return False


def is_of_family(name: ast.expr, context: FileContext) -> bool:
    """True for `f"do_{action}"` and a name that is bound to such: the beginning says which methods are meant."""
    if isinstance(name, ast.Name):
        made = values_of(name.id, context)
        return bool(made) and all(
            value is not None and not isinstance(value, ast.Name) and is_of_family(value, context) for value in made
        )
    first = name.left if isinstance(name, ast.BinOp) else name.values[0] if isinstance(name, ast.JoinedStr) else None
    if isinstance(name, ast.Call) and isinstance(name.func, ast.Attribute) and name.func.attr == "format":
        first = name.func.value
    text = first.value if isinstance(first, ast.Constant) else ""
    return isinstance(text, str) and _FAMILY.match(text) is not None

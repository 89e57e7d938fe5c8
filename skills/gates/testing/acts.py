"""Statements of a test as acts: what they bind, ask and work on, and whether two of them are two acts."""

import ast

from skills.gates.engine.context import FileContext
from skills.gates.engine.names import dotted, last_name, root_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.syntax import descendants
from skills.gates.testing.functions import WITHS, is_raising

_LOOKS_AGAIN = frozenset(
    {"refresh_from_db", "arefresh_from_db", "refresh", "reload", "reset_mock", "close", "flush", "seek", "commit",
     "clear", "expire_all", "expunge_all", "stop", "start", "wait", "join", "setattr", "delattr", "freeze",
     "move_to", "tick", "logout", "login", "force_login"}
)  # fmt: skip
_MAKING = lazy(r"[A-Z]\w*[a-z]|(make|create|build|new|given|a|an)(_|$)|\w+_(factory|builder|maker)$|factory$")
_LOOKS = frozenset({"get", "first", "last", "exists", "count", "latest", "aget", "afirst", "aexists", "acount"})
_COLLECTING = frozenset(
    {"list", "tuple", "set", "frozenset", "dict", "sorted", "reversed", "zip", "len", "sum", "min", "max"}
)
# What a test was handed to see what happened: reading it is a part of the assertions.
_RECORDS = frozenset(
    {"capsys", "capfd", "capsysbinary", "capfdbinary", "caplog", "recwarn", "mailoutbox", "outbox", "mail", "stdout",
     "stderr", "captured", "logs"}
)  # fmt: skip
_OF_TESTS = lazy(r"(?:^|\.|_)(?:tests?|conftest)(?:\.|_|$)")
_MANAGERS = frozenset({"objects", "_default_manager", "filter", "exclude", "all"})


def acts_alike(node: ast.stmt, act: ast.stmt, context: FileContext) -> bool:
    """True for a statement that does again what the act did: by the name it binds, by what it calls or works on."""
    if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None and looks(node.value):
        return False
    name, called = bound_name(act), _called(act)
    return bool(
        assigns_result(node)
        or (name and bound_name(node) == name)
        or (isinstance(node, ast.Expr) and _called_on(node) in _subjects(act))
        or (called and isinstance(node, ast.Assign) and _called(node) == called)
        or (name and bound_name(node) and _same_call(node, act))
        or _same_effect(node, act, context)
    )


def _same_effect(node: ast.stmt, act: ast.stmt, context: FileContext) -> bool:
    """True for `close(order, late=True)` where the act was `close(order)`: a function of the project that is called for
    what it does to the same thing. Helpers of the tests prepare what comes next as well."""
    one, other = call_of(node), call_of(act)
    if one is None or other is None or not isinstance(node, ast.Expr) or not isinstance(act, ast.Expr):
        return False
    if not isinstance(one.func, ast.Name) or ast.dump(one.func) != ast.dump(other.func) or prints(node):
        return False
    origin = context.imports.get(one.func.id)
    if origin is None or _OF_TESTS.search(origin) or one.func.id in _LOOKS_AGAIN:
        return False
    return not _subjects(node).isdisjoint(_subjects(act))


def works_on_the_same(node: ast.stmt, act: ast.stmt) -> bool:
    """True for `cart.add(3)` beside `cart.drop(3)`."""
    owner = _called_on(node)
    return bool(owner) and owner == _called_on(act)


def calls_the_same(node: ast.stmt, act: ast.stmt) -> bool:
    """True for `once = clean(rows)` beside `twice = clean(once)`."""
    one, other = call_of(node), call_of(act)
    return one is not None and other is not None and ast.dump(one.func) == ast.dump(other.func)


def _same_call(node: ast.stmt, act: ast.stmt) -> bool:
    """True for `second = cart.render()` where the act was `first = cart.render()`: to the letter, since another
    question to what was made is no act."""
    one, other = call_of(node), call_of(act)
    name = "" if one is None else last_name(one.func)
    if one is None or other is None or name != last_name(other.func) or name in _LOOKS or name in _LOOKS_AGAIN:
        return False
    return name[:1].islower() and ast.dump(one) == ast.dump(other)


def raises_alike(node: ast.stmt, act: ast.stmt, context: FileContext) -> bool:
    """True for a second `with pytest.raises(…)` that calls the same as the first one, which was the act, or asks the
    same object."""
    if not is_raising(act, context) or not isinstance(act, WITHS) or not isinstance(node, WITHS):
        return False
    first, second = act.body[-1], node.body[-1]
    asked, owner = _asked(first), _called_on(first)
    return (bool(asked) and asked == _asked(second)) or (bool(owner) and owner == _called_on(second))


def assigns_result(node: ast.stmt) -> bool:
    """True for `result = …`, the act by its name."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        target = node.target
    else:
        return False
    return isinstance(target, ast.Name) and target.id == "result"


def looks(value: ast.expr) -> bool:
    """True for a question to the database: `Row.objects.get(…)`, `order.lines.filter(…).exists()`."""
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Attribute) or value.func.attr not in _LOOKS:
        return False
    return any(isinstance(part, ast.Attribute) and part.attr in _MANAGERS for part in descendants(value))


def only_reads(value: ast.expr) -> bool:
    """True for `[event.name for event in log]`, `sorted(order.lines)` and `page.title`: nothing of the project is
    called."""
    if not isinstance(value, (ast.ListComp, ast.SetComp, ast.DictComp, ast.Attribute, ast.Subscript, ast.Call)):
        return False
    return all(
        isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id in _COLLECTING
        for part in descendants(value)
        if isinstance(part, (ast.Call, ast.Await))
    )


def looks_again(node: ast.stmt) -> bool:
    """True for `order.refresh_from_db()` and `await session.refresh(order)`."""
    call = call_of(node) if isinstance(node, ast.Expr) else None
    if call is None or not isinstance(call.func, ast.Attribute):
        return False
    named = call.func.attr in {"refresh_from_db", "arefresh_from_db"}
    return named or (call.func.attr == "refresh" and bool(call.args))


def target_name(node: ast.stmt) -> str:
    """The name that an assignment binds first, "" for what binds none."""
    target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
    return target.id if isinstance(target, ast.Name) else ""


def bound_name(node: ast.stmt) -> str:
    """The one name that a statement binds to what a call returns, "" for others."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        value = node.value.value if isinstance(node.value, ast.Await) else node.value
        return node.targets[0].id if isinstance(value, ast.Call) else ""
    return ""


def makes(node: ast.stmt) -> bool:
    """True for `cart = Cart()` and `order = make_order()`: a thing to test with, rather than what is tested."""
    call = call_of(node) if isinstance(node, ast.Assign) else None
    return call is not None and _MAKING.match(last_name(call.func)) is not None


def _asked(node: ast.stmt) -> str:
    """ "cart.pay" for `cart.pay(3)`, "items" for `items[3]`: what a statement asks, "" for what is neither."""
    call = call_of(node)
    if call is not None:
        return ast.unparse(call.func)
    return root_name(node.value) if isinstance(node, ast.Expr) else ""


def call_of(node: ast.stmt) -> ast.Call | None:
    """The call that a statement makes or binds, awaited or not; None where it does neither."""
    value = node.value if isinstance(node, (ast.Expr, ast.Assign)) else None
    call = value.value if isinstance(value, ast.Await) else value
    return call if isinstance(call, ast.Call) else None


def _called(node: ast.stmt) -> str:
    """ "client.get" for `response = client.get("/")`; "" for what is no request of a test client: reads of what the act
    gave are written in the same way."""
    call, owner = call_of(node), _called_on(node)
    return f"{owner}.{last_name(call.func)}" if call is not None and owner.endswith("client") else ""


def is_request(node: ast.stmt) -> bool:
    """True for `page = client.get("/")`."""
    return bool(_called(node))


def _called_on(node: ast.stmt) -> str:
    """ "cart" for `cart.add(3)` and `total = cart.add(3)`; "" for what asks nothing of it, and for `self`."""
    call = call_of(node)
    if call is None or not isinstance(call.func, ast.Attribute) or call.func.attr in _LOOKS_AGAIN:
        return ""
    owner = dotted(call.func.value) or ""
    return owner if owner not in {"self", "cls"} and owner[:1].islower() else ""


def _subjects(node: ast.stmt) -> set[str]:
    """What an act works on: the object that is called, or the names that a function is given; of a `with
    pytest.raises(…)`, what its last statement works on."""
    if isinstance(node, WITHS):
        return _subjects(node.body[-1])
    call = call_of(node)
    if call is None or not isinstance(call.func, ast.Name):
        return {owner} if (owner := _called_on(node)) else set()
    return {part.id for part in call.args if isinstance(part, ast.Name)}


def belongs_to_assertions(node: ast.stmt) -> bool:
    """True for `order.refresh_from_db()`, `expected = 3`, `out = capsys.readouterr().out` and `print(order)`."""
    if isinstance(node, (ast.For, ast.AsyncFor)):
        return all(map(looks_again, node.body))
    return looks_again(node) or is_given(node) or _reads_record(node) or prints(node)


def _reads_record(node: ast.stmt) -> bool:
    value = node.value if isinstance(node, (ast.Assign, ast.AnnAssign)) else None
    return value is not None and root_name(value) in _RECORDS


def prints(node: ast.stmt) -> bool:
    """True for `print(order)`."""
    call = node.value if isinstance(node, ast.Expr) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in {"print", "pprint"}


def is_given(node: ast.stmt) -> bool:
    """True for `expected = 3`: a value that stands in the source."""
    if not isinstance(node, (ast.Assign, ast.AnnAssign)) or not (node.value is None or _is_written(node.value)):
        return False
    return bool(target_name(node))


def _is_written(node: ast.expr) -> bool:
    if isinstance(node, (ast.Constant, ast.Name)):
        return True
    if isinstance(node, ast.Dict):
        return all(map(_is_written, [*filter(None, node.keys), *node.values]))
    return isinstance(node, (ast.List, ast.Tuple, ast.Set)) and all(map(_is_written, node.elts))

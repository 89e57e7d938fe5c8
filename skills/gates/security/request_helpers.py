"""Functions of the file that a view hands the request, or a part of it: which, and what they are given."""

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from skills.gates.analysis.call_targets import target_of
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.security.request_data import Origin, reads_request
from skills.record import record

_READERS = "request data: functions that read the request for others"
_NAMES = "request data: functions of the file"


@record
class Followed:
    """A function that a call runs, with what its parameters hold and which of them are the request."""

    function: ast.FunctionDef
    scopes: tuple[Any, ...]
    held: dict[str, Origin]
    requests: frozenset[str]

    @property
    def key(self) -> tuple[object, ...]:
        """The same for calls that hand over the same kinds of things."""
        return (self.function, frozenset((name, one.kind) for name, one in self.held.items()), self.requests)

    @contextmanager
    def entered(self, context: FileContext) -> Iterator[None]:
        """The file as it looks from inside the function."""
        scopes, statement = context.scopes, context.statement
        context.scopes = list(self.scopes)
        try:
            yield
        finally:
            context.scopes, context.statement = scopes, statement


def parameters_of(function: FunctionNode) -> list[str]:
    """The names of all parameters, in order."""
    arguments = function.args
    return [one.arg for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]


def arguments_of(node: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    """(place, value) of each argument: "0", "1" and so on, and keywords by their names."""
    for place, value in enumerate(node.args):
        yield str(place), value
    yield from ((word.arg, word.value) for word in node.keywords if word.arg)


def _functions(context: FileContext) -> dict[str, FunctionNode]:
    """Name → function or method of the file; of several of a name the last."""
    known = context.memo.get(_NAMES)
    if known is None:
        bodies = [context.tree.body, *(node.body for node in context.tree.body if isinstance(node, ast.ClassDef))]
        known = context.memo[_NAMES] = {
            node.name: node for body in bodies for node in body if isinstance(node, ast.FunctionDef)
        }
    assert isinstance(known, dict)
    return known


def readers(context: FileContext) -> frozenset[str]:
    """Functions of the file that read the request and give something back: `def wanted(request): return …`."""
    known = context.memo.get(_READERS)
    if known is None:
        known = context.memo[_READERS] = frozenset(
            name
            for name, node in _functions(context).items()
            if not node.decorator_list and reads_request(node, context)
        )
    assert isinstance(known, frozenset)
    return known


def may_follow(node: ast.Call, context: FileContext) -> bool:
    """A cheap test that every call of a function or of an own method of this file passes."""
    own = isinstance(node.func, ast.Name) or (
        isinstance(node.func, ast.Attribute) and last_name(node.func.value) in {"self", "cls"}
    )
    return own and last_name(node.func) in _functions(context)


def followed(node: ast.Call, held: dict[str, Origin], requests: set[str], context: FileContext) -> Followed | None:
    """What a call runs and hands over, None where nothing of a request comes in or is read there."""
    if not held and not requests and last_name(node.func) not in readers(context):
        return None
    target = target_of(node, context)
    if target is None or any(isinstance(one, ast.Starred) for one in node.args):
        return None
    function, scopes = target
    names = parameters_of(function)
    first = 1 if isinstance(node.func, ast.Attribute) and names[:1] in (["self"], ["cls"]) else 0
    places = {str(place): name for place, name in enumerate(names[first:])} | {name: name for name in names}
    return Followed(
        function=function,
        scopes=tuple(scopes),
        held={places[place]: one for place, one in held.items() if place in places},
        requests=frozenset(places[place] for place in requests if place in places),
    )

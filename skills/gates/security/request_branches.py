"""What the names of a function hold behind an `if`, a `match` or a `try`: what any of its ways leaves them with."""

import ast
from typing import Any

from skills.gates.analysis.local_values import local_values
from skills.gates.engine.context import FileContext
from skills.gates.security.request_data import Origin

_UNKNOWN = object()
_LEAVES = (ast.Raise, ast.Return, ast.Continue, ast.Break)
_JOINS = (ast.If, ast.Match, ast.Try)
_SUMS: dict[type, Any] = {
    ast.Add: lambda one, other: one + other,
    ast.Sub: lambda one, other: one - other,
    ast.Mult: lambda one, other: one * other,
}
_COMPARES: dict[type, Any] = {
    ast.Lt: lambda one, other: one < other,
    ast.LtE: lambda one, other: one <= other,
    ast.Gt: lambda one, other: one > other,
    ast.GtE: lambda one, other: one >= other,
    ast.Eq: lambda one, other: one == other,
    ast.NotEq: lambda one, other: one != other,
    ast.In: lambda one, other: one in other,
    ast.NotIn: lambda one, other: one not in other,
}


class Ways:
    """The ways through one statement, one after the other: what was bound anew on one of them is as it was on the
    others. What a condition or a call has looked at stays known, on whichever way it was."""

    def __init__(self, statement: ast.stmt, held: dict[str, Origin], replaced: dict[str, Origin]) -> None:
        """`held` and `replaced` are those of the function, which change while its statements are read."""
        self.joins = isinstance(statement, _JOINS)
        self.exhaustive = _is_exhaustive(statement)
        self.held, self.replaced = held, replaced
        self.before = dict(held) if self.joins else {}
        self.around = dict(replaced)  # what was bound anew before the statement
        self.lost: dict[str, Origin] = {}
        self.kept: set[str] = set()  # what only ways that leave have bound anew
        self.ends: list[dict[str, Origin]] = []

    def begin(self) -> None:
        """The next way begins with what was held before the statement."""
        if self.joins:
            self.replaced.clear()
            self._restore(self.lost.keys() & self.before.keys(), self.before)

    def end(self, block: list[Any]) -> None:
        """Takes down what a way has left, where it does not leave the function or the loop."""
        if not self.joins or not block:
            return
        lost = {name: origin for name, origin in self.replaced.items() if name not in self.held}
        if isinstance(block[-1], _LEAVES):
            self.kept.update(lost.keys() - self.lost.keys())
        else:
            self.kept.difference_update(lost)
            self.ends.append(dict(self.held))
        self.lost.update(lost)

    def join(self) -> None:
        """Behind the statement, a name holds what any of the ways has left in it."""
        if not self.joins:
            return
        for end in self.ends:
            self._restore(self.lost.keys() & end.keys(), end)
        again = self.kept if self.exhaustive else self.lost.keys()
        self._restore(again & self.before.keys(), self.before)
        self.replaced.clear()
        self.replaced.update(self.around)
        self.replaced.update({name: one for name, one in self.lost.items() if name not in self.held})

    def _restore(self, names: set[str], source: dict[str, Origin]) -> None:
        for name in names:
            self.held.setdefault(name, source[name])


def ways_of(statement: Any, context: FileContext) -> list[list[tuple[str, list[Any]]]]:
    """The ways through a statement that may be taken, each with its blocks and the fields that they stand in, without
    what runs at the end of all of them."""
    if isinstance(statement, ast.Match):
        return [[("cases", [case])] for case in _cases(statement, context)]
    if isinstance(statement, ast.If):
        told = told_by(statement.test, context)
        ways = [[("body", statement.body)]] if told is not False else []
        return [*ways, [("orelse", statement.orelse)]] if told is not True and statement.orelse else ways
    first = [(name, getattr(statement, name)) for name in ("body", "orelse") if getattr(statement, name, None)]
    return [first, *([("handlers", [handler])] for handler in getattr(statement, "handlers", ()))]


def told_by(test: ast.expr, context: FileContext) -> bool | None:
    """What a condition of literals always says, None for all others."""
    said = _value(test, context)
    return None if said is _UNKNOWN else bool(said)


def _is_exhaustive(statement: ast.stmt) -> bool:
    """True where one of the ways is always taken."""
    if isinstance(statement, ast.If):
        return bool(statement.orelse)
    if isinstance(statement, ast.Match):
        last = statement.cases[-1]
        return last.guard is None and isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None
    return True


def _cases(statement: ast.Match, context: FileContext) -> list[ast.match_case]:
    """The cases that a subject may come to: one, where the source says what it is."""
    said = _value(statement.subject, context)
    if said is not _UNKNOWN:
        for case in statement.cases:
            wanted = case.pattern.patterns if isinstance(case.pattern, ast.MatchOr) else [case.pattern]
            values = [_value(one.value, context) if isinstance(one, ast.MatchValue) else _UNKNOWN for one in wanted]
            if case.guard is None and said in values:
                return [case]
            if _UNKNOWN in values:
                break
    return statement.cases


def _value(node: ast.expr, context: FileContext, depth: int = 0) -> Any:
    """The value of an expression of numbers and texts, and of names that a function binds once to such."""
    if isinstance(node, ast.Constant):
        return node.value
    if depth > 4:
        return _UNKNOWN
    if isinstance(node, ast.Name):
        scope = context.function
        bound = local_values(scope, context).get(node.id, []) if scope is not None else []
        return _value(bound[0], context, depth + 1) if len(bound) == 1 and bound[0] is not None else _UNKNOWN
    if isinstance(node, ast.BinOp):
        return _made(_SUMS.get(node.op.__class__), (node.left, node.right), context, depth)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return _made(_COMPARES.get(node.ops[0].__class__), (node.left, node.comparators[0]), context, depth)
    if isinstance(node, ast.Subscript):
        return _made(lambda text, at: text[at], (node.value, node.slice), context, depth)
    return _UNKNOWN


def _made(make: Any, of: tuple[ast.expr, ast.expr], context: FileContext, depth: int) -> Any:
    if make is None:
        return _UNKNOWN
    values = [_value(part, context, depth + 1) for part in of]
    if _UNKNOWN in values:
        return _UNKNOWN
    try:
        return make(*values)
    except (TypeError, IndexError):
        return _UNKNOWN

"""Plans: what is to be done at which nodes of a file, for the watches that take part."""

import ast
from collections.abc import Sequence

from skills.gates.rule import Callback, Watch
from skills.gates.syntax import BLOCKS, CHILDREN, HEADERS
from skills.record import record

Callbacks = tuple[tuple[str, Callback], ...]
Step = tuple[int, Callbacks, Callbacks, tuple[str, ...], tuple[str, ...]]
Steps = dict[type, Step | None]
Expressions = dict[type, tuple[Callbacks, tuple[str, ...]] | None]

OUTER, SIMPLE, BLOCK, SCOPE, CASE, END = range(6)
_PLACES = {
    ast.Module: OUTER, ast.FunctionDef: SCOPE, ast.AsyncFunctionDef: SCOPE, ast.ClassDef: SCOPE, ast.match_case: CASE,
}  # fmt: skip


class Leave:
    """Stands on the stack where a scope ends."""


LEAVE = Leave()


@record
class Plan:
    """`steps` say for each type of statement its place, its callbacks, those where a near word stands, the fields of
    its blocks and those of its own expressions; `bare` the same for files in which no expression is looked into.
    `far` and `near` are the callbacks for expressions, None where there are none: `far` of those that know no near
    word, `near` of all."""

    steps: Steps
    bare: Steps
    far: Expressions | None
    near: Expressions | None


def make_plan(entries: Sequence[tuple[str, Watch]]) -> Plan:
    """The plan for watches, each with the name of its rule, in the order in which they are called."""
    every: dict[type, list[tuple[str, Callback]]] = {}
    far: dict[type, list[tuple[str, Callback]]] = {}
    for name, watch in entries:
        for kind in watch.nodes:
            every.setdefault(kind, []).append((name, watch.call))
            if not (watch.near or watch.words):
                far.setdefault(kind, []).append((name, watch.call))
    steps: Steps = {Leave: (END, (), (), (), ())}
    bare: Steps = {Leave: (END, (), (), (), ())}
    for kind, blocks in BLOCKS.items():
        callbacks, near_callbacks = tuple(far.get(kind, ())), tuple(every.get(kind, ()))
        place = _PLACES.get(kind, BLOCK if "body" in blocks else SIMPLE)
        steps[kind] = (place, callbacks, near_callbacks, blocks, HEADERS[kind])
        bare[kind] = (place, callbacks, callbacks, blocks, ()) if callbacks or blocks else None
    return Plan(steps, bare, _expressions(far), _expressions(every))


def _expressions(table: dict[type, list[tuple[str, Callback]]]) -> Expressions | None:
    if table.keys() <= BLOCKS.keys():
        return None
    return {
        kind: (tuple(table.get(kind, ())), fields) if fields or kind in table else None
        for kind, fields in CHILDREN.items()
        if kind not in BLOCKS
    }

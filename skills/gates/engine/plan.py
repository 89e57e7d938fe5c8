"""Plans: what is to be done at which nodes of a file, for the watches that take part."""

import ast
from collections.abc import Sequence

from skills.gates.engine.syntax import BLOCKS, CHILDREN, HEADERS
from skills.gates.rule import Callback, Watch
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


def _step(kind: type) -> Step:
    blocks = BLOCKS[kind]
    return _PLACES.get(kind, BLOCK if "body" in blocks else SIMPLE), (), (), blocks, HEADERS[kind]


# where nothing is to be done, which is nearly everywhere: each plan is one of these with its own callbacks
_END: Step = (END, (), (), (), ())
_STEPS: Steps = {Leave: _END, **{kind: _step(kind) for kind in BLOCKS}}
_BARE: Steps = {Leave: _END, **{kind: (*_step(kind)[:4], ()) if BLOCKS[kind] else None for kind in BLOCKS}}
_EXPRESSIONS: Expressions = {
    kind: ((), fields) if fields else None for kind, fields in CHILDREN.items() if kind not in BLOCKS
}


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
    steps, bare = _STEPS.copy(), _BARE.copy()
    for kind in every.keys() & BLOCKS.keys():
        callbacks, near_callbacks = tuple(far.get(kind, ())), tuple(every[kind])
        place, _, _, blocks, headers = _step(kind)
        steps[kind] = (place, callbacks, near_callbacks, blocks, headers)
        bare[kind] = (place, callbacks, callbacks, blocks, ()) if callbacks or blocks else None
    return Plan(steps, bare, _expressions(far), _expressions(every))


def _expressions(table: dict[type, list[tuple[str, Callback]]]) -> Expressions | None:
    if table.keys() <= BLOCKS.keys():
        return None
    found = _EXPRESSIONS.copy()
    found.update({kind: (tuple(table[kind]), CHILDREN[kind]) for kind in table.keys() - BLOCKS.keys()})
    return found

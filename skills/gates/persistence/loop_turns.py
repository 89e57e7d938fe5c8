"""Which loop a write stands in, and how often it turns."""

import ast
import re

from skills.gates.analysis.local_values import values_of
from skills.gates.analysis.loops import blocks, local_nodes, loops_around, turns
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.syntax import descendants, names_in
from skills.gates.persistence.row_writes import Turns

_PIECES = lazy(r"batch|chunk|page|slice|window|partition|group|block", re.I)
_ATTEMPTS = lazy(r"attempt|retr(y|ies)|tries", re.I)


def loop_around(node: ast.Call, context: FileContext) -> tuple[Turns | None, ast.AST | None]:
    """The innermost `for` around a call, a comprehension's included, and the node that marks its place."""
    above = context.parent(node)
    below: ast.AST = node
    while above is not None:
        if isinstance(above, (ast.ListComp, ast.SetComp, ast.GeneratorExp)) and below is above.elt:
            return above.generators[-1], above
        if isinstance(above, ast.Lambda):
            return None, None
        below, above = above, context.parent(above)
    loops = loops_around(context, node)
    if loops and not isinstance(loops[0], ast.While):
        return loops[0], loops[0]
    return None, None  # `while` works through batches, queues and attempts


def in_pieces(loop: Turns) -> bool:
    """True for loops over batches of many rows, and for attempts."""
    targets = " ".join(sorted(names_in(loop.target)))
    over = last_name(loop.iter.func) if isinstance(loop.iter, ast.Call) else last_name(loop.iter)
    if over == "range" and isinstance(loop.iter, ast.Call):
        if len(loop.iter.args) == 3 or _ATTEMPTS.search(targets + ast.unparse(loop.iter)):
            return True
        if not targets.strip("_") and not isinstance(loop, ast.comprehension):
            return any(isinstance(part, (ast.Try, ast.Break, ast.Return)) for part in local_nodes(loop))
    return bool(_PIECES.search(targets) or re.search(r"batch|chunk|paginat|slices", over, re.I))


def runs_once(loop: Turns, context: FileContext) -> bool:
    """True where what follows the call in its block leaves the loop."""
    if isinstance(loop, ast.comprehension):
        return False
    for block in blocks(loop.body):
        for place, statement in enumerate(block):
            if statement is context.statement:
                return any(isinstance(after, (ast.Break, ast.Return, ast.Raise)) for after in block[place:])
    return isinstance(context.statement, (ast.Return, ast.Raise))


def bound_by(loop: Turns) -> frozenset[str]:
    """The names that a turn of the loop gives a value: its target, and what its body assigns."""
    found = set(names_in(loop.target))
    if not isinstance(loop, ast.comprehension):
        for node in local_nodes(loop):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    found |= {
                        part.id
                        for part in descendants(target)
                        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
                    }
            elif isinstance(node, (ast.NamedExpr, ast.AnnAssign, ast.For, ast.AsyncFor)):
                found |= {part.id for part in descendants(node.target) if isinstance(part, ast.Name)}
    return frozenset(found)


def _written_out(over: ast.expr, context: FileContext) -> ast.expr:
    """The display behind the name of a constant, also in `NAMES.items()`."""
    function = over.func if isinstance(over, ast.Call) and not over.args else None
    if isinstance(function, ast.Attribute) and function.attr in ("items", "keys", "values"):
        over = function.value
    bound = values_of(over.id, context) if isinstance(over, ast.Name) and over.id.isupper() else []
    return bound[0] if len(bound) == 1 and bound[0] is not None else over


def few_turns(loop: Turns, context: FileContext) -> int | None:
    """At most so many turns, where the code says so."""
    if not isinstance(loop, ast.comprehension) and (said := turns(loop)) is not None:
        return said
    over = loop.iter
    if isinstance(over, ast.Call) and last_name(over.func) in ("enumerate", "list", "reversed", "sorted") and over.args:
        over = over.args[0]
    over = _written_out(over, context)
    if isinstance(over, ast.Dict) and None not in over.keys:
        return len(over.keys)
    if isinstance(over, (ast.List, ast.Tuple, ast.Set)) and not any(isinstance(one, ast.Starred) for one in over.elts):
        return len(over.elts)
    if isinstance(over, ast.Subscript) and isinstance(over.slice, ast.Slice):
        upper = over.slice.upper
        if isinstance(upper, ast.Constant) and isinstance(upper.value, int) and over.slice.lower is None:
            return upper.value
    for part in descendants(over):
        if isinstance(part, ast.Call) and last_name(part.func) in ("limit", "islice", "head") and part.args:
            last = part.args[-1]
            if isinstance(last, ast.Constant) and isinstance(last.value, int):
                return last.value
    return None

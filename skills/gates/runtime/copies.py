"""The rule of the skill runtime-performance-auditor about copies that nobody needs."""

import ast

from skills.gates.analysis.bindings import bindings
from skills.gates.analysis.loops import is_change, loops_around
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import descendants
from skills.gates.model import Evidence
from skills.gates.rule import Apart, Rule, Watch
from skills.gates.runtime.copied_loops import on_comprehension, on_loop
from skills.gates.runtime.copy_readers import reader_of
from skills.gates.runtime.copy_sources import (
    COPIES,
    SEQUENCES,
    gathered,
    is_constant,
    is_kind,
    is_looped_once,
    is_own_container,
    is_part,
    is_placed,
    is_shared,
    is_shown,
    is_view,
    known_container,
    report,
)
from skills.gates.runtime.copy_uses import (
    has_arrays,
    is_place,
    is_read_at_once,
    is_reading,
    leaves_alone,
    only_read,
    parents_of,
    region,
    stays_here,
    uses_of,
)
from skills.gates.runtime.fresh import COPIERS, MAKERS, Copied, builtin, copied, is_deeply_new, made

SKILL = "runtime-performance-auditor"


def _on_call(node: ast.Call, context: FileContext) -> None:
    """`list(xs).copy()`, `list(xs.copy())`, `deepcopy(json.loads(text))`: a copy of what nobody else holds."""
    found = copied(node, context)
    if found is None:
        return
    if found.kind in COPIERS and _is_plain_copy(found.source):
        report(node, f"`{found.kind}(…)` copies a copy", context)
        return
    _on_copy(node, found, context)


def _is_plain_copy(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr="copy"), args=[], keywords=[]):
            return True
    return False


def _on_slice(node: ast.Subscript, context: FileContext) -> None:
    """`text.split()[:]`: the same with a slice."""
    found = copied(node, context) if isinstance(node.ctx, ast.Load) else None
    if found is not None:
        _on_copy(node, found, context)


def _on_copy(node: ast.expr, found: Copied, context: FileContext) -> None:
    """A copy that is read where it stands, of what was made on the spot, or of what nobody asks for any more."""
    source = found.source
    reader = reader_of(node, found, context)
    if reader:
        report(node, f"`{reader}` only reads it: it needs no copy", context)
    elif isinstance(source, ast.Name):
        _on_last_use(node, source, found, context)
    elif _is_same(found, source, context):
        by_builtin = isinstance(source, ast.Call) and builtin(source.func, context, MAKERS)
        told = found.kind in MAKERS and (by_builtin or not isinstance(source, ast.Call))  # by another rule
        if not told or (found.kind == "dict" and by_builtin):
            report(node, f"{_shown(node)} of what was made on the spot and nobody else holds", context)
    elif has_arrays(context) and (not found.kind or _is_numpy_copy(node)) and is_read_at_once(node, context):
        report(node, f"{_shown(node)} is only read, where it stands: the original would do", context)


def _is_numpy_copy(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "copy"


def _is_same(found: Copied, source: ast.expr, context: FileContext) -> bool:
    """True where an expression makes a new thing of the kind that it is copied to."""
    kind = made(source, context)
    if found.deep:
        return is_deeply_new(source, context)
    if not found.kind:
        return kind not in ("", "bytes")
    if found.kind == "[:]":
        return kind in ("list", "tuple", "data", "bytes")
    return kind == found.kind


def _shown(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
        return f"`.{name}()`" if not node.args else f"`{name}(…)`"
    return "`[:]`" if isinstance(node, ast.Subscript) else "A copy"


def _on_last_use(node: ast.expr, source: ast.Name, found: Copied, context: FileContext) -> None:
    """`rows = [...]`, then `return list(rows)`: what was made here is given away once, as a copy."""
    function = context.function
    if function is None:
        return
    line = node.lineno
    before = [one for one in bindings(context, function).get(source.id, ()) if one.line < line]
    if len(before) != 1:
        return
    value = before[0].value
    given = gathered(before[0], context)  # `*args` and `**options` are the function's own
    if value is None or before[0].kind != "value":
        if not given or found.kind not in ("", given) or found.deep:
            return
    elif not _is_same(found, value, context) or isinstance(value, ast.Constant):
        return
    if [loop for loop in loops_around(context, node) if not loop.lineno < before[0].line]:
        return
    again = isinstance(context.statement, ast.Assign) and last_name(context.statement.targets[0]) == source.id
    if not again and any(
        isinstance(part, ast.Name) and part.id == source.id and part is not source and part.lineno >= line
        for part in descendants(function)
    ):
        return
    small = value is None or made(value, context) in MAKERS  # frames and arrays are worth a word
    changed = small and not again and _is_to_change(node, function, context)
    if changed or not stays_here(function, source.id, line, context) or _is_repeated(node, context):
        return
    if found.deep and any(is_change(part, source.id) for part in descendants(function)):
        return  # it is filled with what others may hold
    text = f"{_shown(node)} of `{source.id}`, which was made here and is not used again"
    report(node, text, context, (Evidence(context.path, before[0].line, f"`{source.id}` is made here"),))


def _is_to_change(node: ast.expr, function: FunctionNode, context: FileContext) -> bool:
    """True where a copy has a name of its own and is changed under it: the original stands for what it was."""
    statement = context.statement
    if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or statement.value is not node:
        return False
    target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
    return isinstance(target, ast.Name) and any(is_change(part, target.id) for part in descendants(function))


def _is_repeated(node: ast.expr, context: FileContext) -> bool:
    """True for what a comprehension or a lambda around it may do many times, and for a copy that is copied."""
    above = context.parent(node)
    if isinstance(above, ast.Attribute) and above.attr == "copy":
        return True
    while above is not None:
        if isinstance(above, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda)):
            return True
        above = context.parent(above)
    return False


def _on_assignment(node: ast.Assign | ast.AnnAssign, context: FileContext) -> None:
    """A copy that is only read, of a source that does not change after it."""
    function = context.function
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    if function is None or node.value is None or not isinstance(target, ast.Name):
        return
    found = copied(node.value, context)
    if found is None or len(bindings(context, function).get(target.id, ())) != 1:
        return
    if isinstance(node, ast.Assign) and len(node.targets) > 1:
        return
    if isinstance(found.source, ast.Name) and found.source.id in bindings(context, function):
        _of_local(node, node.value, target.id, found, found.source, function, context)
    else:
        _of_other(node, node.value, target.id, found, function, context)


def _of_local(
    node: ast.stmt, value: ast.expr, copy: str, found: Copied, source: ast.Name, function: FunctionNode,
    context: FileContext,
) -> None:  # fmt: skip
    known = known_container(source.id, node.lineno, context)
    if source.id == copy:
        return
    strict = found.deep
    if known is None:
        strict = True
        values = [one for one in bindings(context, function)[source.id] if one.line < node.lineno]
        if not values or any(one.value is None for one in values):
            return  # a parameter may be copied to be sure of it
        if any(not made(one.value, context) for one in values if one.value is not None) or found.kind == "[:]":
            if found.kind not in ("", "[:]", *SEQUENCES):
                return  # a conversion
            _of_unknown(node, value, copy, found, source, function, context)
            return
        said = Evidence(context.path, values[-1].line, f"`{source.id}` is made here")
    else:
        if found.kind not in ("", "[:]", known[0]):
            return
        said = Evidence(context.path, known[1].line, f"`{source.id}` is a {known[0]}")
    if only_read(function, copy, context, strict) and _left_alone(function, source.id, node, strict, context):
        message = f"`{copy}` is only read: `{source.id}` would do, nothing changes it afterwards"
        report(value, message, context, (said,))


def _of_other(
    node: ast.stmt, value: ast.expr, copy: str, found: Copied, function: FunctionNode, context: FileContext
) -> None:
    """`rooms = dict(self.rooms)`, `settings = DEFAULTS.copy()`, `cheap = frame[frame.price < 3].copy()`."""
    source = found.source
    if is_part(source) and not found.kind and has_arrays(context):
        if only_read(function, copy, context, strict=True):
            report(value, f"`{copy}` is only read: what it copies is made new already", context)
        return
    if isinstance(source, ast.Call) and is_view(source):
        if found.kind in SEQUENCES and not is_placed(function, copy, context) and not is_shown(function, copy, context):
            _of_unknown(node, value, copy, found, source.func.value, function, context)  # type: ignore[attr-defined]
    elif isinstance(source, ast.Call):
        if found.kind in SEQUENCES and is_looped_once(function, copy, context):
            owner = source.func.value if isinstance(source.func, ast.Attribute) else source.func
            _of_unknown(node, value, copy, found, owner, function, context)
    elif found.kind in ("", "[:]") or is_kind(source, found.kind, function, copy, context):
        if not isinstance(source, ast.Name) or is_constant(source, function, context):
            _of_unknown(node, value, copy, found, source, function, context)
    elif found.kind in SEQUENCES and is_looped_once(function, copy, context) and not isinstance(source, ast.Name):
        _of_unknown(node, value, copy, found, source, function, context)


def _of_unknown(
    node: ast.stmt, value: ast.expr, copy: str, found: Copied, source: ast.expr, function: FunctionNode,
    context: FileContext,
) -> None:  # fmt: skip
    """A copy of what the file does not tell, where it is only read and nothing that could change it runs meanwhile."""
    arrays = has_arrays(context) and not is_own_container(source, context)
    if not is_place(source) or is_shared(source, context) or loops_around(context, node):
        return
    if found.kind == "[:]" and arrays:
        return  # a mere view
    conversion = found.kind in SEQUENCES and isinstance(source, ast.Name) and not is_constant(source, function, context)
    if conversion and source is found.source and not is_looped_once(function, copy, context):
        return
    if not only_read(function, copy, context, found.deep or (arrays and found.kind not in COPIERS)):
        return
    if is_constant(source, function, context) or leaves_alone(
        region(function, node, uses_of(function, copy)), source, frozenset(), context
    ):
        message = f"`{copy}` is only read: {_said(found.source)} would do, nothing seen here changes it meanwhile"
        report(value, message, context, confidence="likely")


def _said(source: ast.expr) -> str:
    if isinstance(source, ast.Call) and not is_view(source):
        return f"what `{ast.unparse(source.func)}(…)` answers"
    return f"`{ast.unparse(source)}`"


def _left_alone(function: FunctionNode, source: str, copy: ast.stmt, strict: bool, context: FileContext) -> bool:
    """True where nothing can change the source once it was copied."""
    if loops_around(context, copy):
        return False
    if strict:
        return not any(
            isinstance(part, ast.Name) and part.id == source and part.lineno > copy.lineno
            for part in descendants(function)
        )
    parents = parents_of(function, context)
    return all(is_reading(use, parents) for use in uses_of(function, source) if use.lineno > copy.lineno) and not any(
        is_change(part, source) and part.lineno > copy.lineno  # type: ignore[attr-defined]
        for part in descendants(function)
    )


_COPIED = (b" in list(", b" in tuple(", b".copy()", b"[:]", b"enumerate(list(")
_ASSIGNED = (b"copy(", b"[:]", b"= list(", b"= tuple(", b"= dict(", b"= set(", b"[*", b"{**", b".clone()")
_CALLS = (b"copy(", b"list(", b"tuple(", b"dict(", b"set(", b"bytes(", b".clone()", b"array(", b"tensor(")

redundant_data_copies = Rule(
    name=COPIES,
    gate="none",
    severity="LOW",
    skill=SKILL,
    sources=("PA-653-6",),
    catches="Copies that are only read, or of what nobody else holds: `for x in list(xs)` where nothing changes `xs`, "
    "`list(xs.copy())`, `deepcopy(json.loads(text))`, `pd.read_csv(path).copy()`, `np.array(np.zeros(3))`, a copy of a "
    "local container or an attribute that is only looked into, `return list(rows)` of rows that were made here.",
    why="A copy takes memory and time for every element, and readers wonder what it protects.",
    fix="Use the original. Keep the copy where the original changes meanwhile.",
    when="In production code, where the file says what is copied and nothing between the copy and its last use could "
    "change that. Not for copies of parameters, state that threads share, snapshots that outlast an `await`, parts of "
    "frames that are changed afterwards, and conversions from one type to another.",
    watches=(
        Watch((ast.For, ast.AsyncFor), on_loop, (b"list", b"tuple", b"copy()", b"[:]", b" in ["), is_product_path),
        Watch((ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp), on_comprehension, _COPIED, is_product_path,
              near=_COPIED),
        Watch((ast.Call,), _on_call, _CALLS, is_product_path, near=_CALLS),
        Watch((ast.Subscript,), _on_slice, (b"[:]",), is_product_path, near=(b"[:]",)),
        Watch((ast.Assign, ast.AnnAssign), _on_assignment, _ASSIGNED, is_product_path, near=_ASSIGNED),
    ),
    bad=Apart("runtime.copy_examples.COPY_BAD"),
    good=Apart("runtime.copy_examples.COPY_GOOD"),
)  # fmt: skip

RULES: tuple[Rule, ...] = (redundant_data_copies,)

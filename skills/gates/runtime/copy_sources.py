"""What is copied, as far as one file says: containers, tables, parts of frames, and who else may change them."""

import ast

from skills.gates.analysis.bindings import Binding, bindings, lookup, origin
from skills.gates.analysis.execution import execution_of
from skills.gates.analysis.loops import changes, loops_around, scope_of
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import root_name
from skills.gates.engine.syntax import COMPREHENSIONS, descendants
from skills.gates.model import Confidence, Evidence, Severity
from skills.gates.runtime.copy_uses import parents_of, uses_of
from skills.gates.runtime.fresh import made

COPIES = "redundant-data-copies"
_CONTAINERS = frozenset({"list", "tuple", "set", "dict"})
SEQUENCES = frozenset({"list", "tuple"})
_VIEWS = frozenset({"items", "keys", "values"})
_THREADS = (b"threading", b"Thread", b"concurrent", b"Lock", b"multiprocessing")


def container(found: Binding, context: FileContext) -> str:
    """The container that a binding makes: "list", "tuple", "set", "dict", else ""."""
    value = found.value
    if value is None or found.kind not in ("value", "typed"):
        return gathered(found, context)
    kind = made(value, context)
    if kind in _CONTAINERS:
        return kind
    return _answered(value.func, context) if isinstance(value, ast.Call) else ""


def gathered(found: Binding, context: FileContext) -> str:
    """The container that Python makes of `*args` and `**options` for each call, "" for other parameters."""
    given = context.function.args if found.kind in ("opaque", "typed") and context.function is not None else None
    if given is None or found.node is None:
        return ""
    return "dict" if found.node is given.kwarg else "tuple" if found.node is given.vararg else ""


def _answered(function: ast.expr, context: FileContext) -> str:
    """The container that a function of this module says it answers."""
    found = lookup(context, function.id, function.lineno) if isinstance(function, ast.Name) else None
    node = found.node if found is not None and found.kind == "definition" else None
    return _hinted(node.returns) if isinstance(node, ast.FunctionDef) else ""


def _hinted(hint: ast.expr | None) -> str:
    """The container that an annotation names: "dict" of `dict[str, int]`, "list" of `List[str]`."""
    hint = hint.value if isinstance(hint, ast.Subscript) else hint
    name = hint.id.lower() if isinstance(hint, ast.Name) else ""
    return name if name in _CONTAINERS else ""


def known_container(name: str, line: int, context: FileContext) -> tuple[str, Binding] | None:
    """What a name of the current scope (or a tuple of the module) holds, with the binding that says so."""
    scope = scope_of(context)
    found = bindings(context, scope).get(name)
    if not found and not isinstance(scope, ast.Module):
        outer = bindings(context, context.tree).get(name, [])
        kinds = {container(one, context) for one in outer}
        return ("tuple", outer[-1]) if kinds == {"tuple"} else None
    before = [one for one in found or () if one.line < line]
    kinds = {container(one, context) for one in before}
    return (container(before[-1], context), before[-1]) if before and "" not in kinds else None


def is_view(call: ast.Call) -> bool:
    """True for `names.items()` and its kin."""
    return isinstance(call.func, ast.Attribute) and call.func.attr in _VIEWS and not call.args and not call.keywords


def is_shared(place: ast.expr, context: FileContext) -> bool:
    """True where other threads may change what stands at a place, or where a slice of it may be a mere view; and for an
    object of the module, which may be a cache that forgets meanwhile."""
    if isinstance(place, ast.Name) and not bindings(context, scope_of(context)).get(place.id):
        return any(isinstance(one.value, ast.Call) for one in bindings(context, context.tree).get(place.id, ()))
    return isinstance(place, ast.Attribute) and any(map(context.holds, _THREADS))


def is_constant(source: ast.expr, function: FunctionNode, context: FileContext) -> bool:
    """True for a table of the module or of another one, `SIZES`, and for the environment of the process."""
    if (origin(context, source) or "") == "os.environ":
        return True
    if not isinstance(source, ast.Name) or not source.id.isupper() or source.id in bindings(context, function):
        return False
    values = bindings(context, context.tree).get(source.id, [])
    filled = len(values) == 1 and isinstance(values[0].value, (ast.Dict, ast.List, ast.Set, ast.Tuple))
    imported = len(values) == 1 and values[0].kind == "import"
    return imported or ((filled and not _is_empty(values[0].value)) and not changes([context.tree], source.id))


def _is_empty(display: ast.expr | None) -> bool:
    return not (display.keys if isinstance(display, ast.Dict) else getattr(display, "elts", ()))


def is_part(source: ast.expr) -> bool:
    """True for `frame[frame.price > 0]`, `frame.dropna()`: a part of a frame that is made new."""
    match source:
        case ast.Subscript(value=ast.Attribute(attr="loc"), slice=ast.Tuple()):
            return True
        case ast.Subscript(slice=ast.Compare() | ast.List() | ast.BinOp(op=ast.BitAnd() | ast.BitOr())):
            return True
        case ast.Call(func=ast.Attribute(attr="dropna" | "drop_duplicates" | "query")):
            return True
    return False


def is_kind(source: ast.expr, kind: str, function: FunctionNode, copy: str, context: FileContext) -> bool:
    """True where what stands at a place is of a kind, or where its elements are only asked for one by one."""
    if (origin(context, source) or "") == "os.environ":
        return kind == "dict"
    if isinstance(source, ast.Name):
        values = bindings(context, context.tree).get(source.id, [])
        kinds = {container(one, context) for one in values}
        return kinds == {kind} or ((not values or "import" in {one.kind for one in values}) and kind == "dict")
    kinds = _own_kinds(source, context)
    if not kinds or "" in kinds:
        return False
    return kinds == {kind} or (kind in SEQUENCES and not is_placed(function, copy, context))


def is_looped_once(function: FunctionNode, copy: str, context: FileContext) -> bool:
    """True where a copy is used once, as what one loop runs over, once."""
    uses = uses_of(function, copy)
    if len(uses) != 1:
        return False
    parents = parents_of(function, context)
    above = parents.get(uses[0])
    if not isinstance(above, (ast.For, ast.comprehension)) or above.iter is not uses[0]:
        return False
    outer = parents.get(above)
    if isinstance(outer, COMPREHENSIONS):
        if outer.generators[0] is not above or isinstance(outer, ast.GeneratorExp):
            return False  # walked again, or later
        outer = parents.get(outer)
    while outer is not None and outer is not function:
        if isinstance(outer, (ast.For, ast.AsyncFor, ast.While, ast.Lambda, *COMPREHENSIONS)):
            return False
        outer = parents.get(outer)
    return True


def is_placed(function: FunctionNode, copy: str, context: FileContext) -> bool:
    """True where elements of a copy are asked for by their place."""
    parents = parents_of(function, context)
    return any(isinstance(parents.get(use), ast.Subscript) for use in uses_of(function, copy))


def is_shown(function: FunctionNode, copy: str, context: FileContext) -> bool:
    """True where a copy is put into a text: a view of a dict reads otherwise there."""
    parents = parents_of(function, context)
    return any(isinstance(parents.get(use), ast.FormattedValue) for use in uses_of(function, copy))


def is_own_container(source: ast.expr, context: FileContext) -> bool:
    """True for an attribute that its class only ever gives containers."""
    kinds = _own_kinds(source, context)
    return bool(kinds) and "" not in kinds


def _own_kinds(source: ast.expr, context: FileContext) -> set[str]:
    """The containers that a class gives an attribute of its own: `self.rooms = {}`."""
    owner = context.class_scope
    if owner is None or not isinstance(source, ast.Attribute) or root_name(source) != "self":
        return set()
    kinds = set()
    for part in descendants(owner):
        if not isinstance(part, (ast.Assign, ast.AnnAssign)):
            continue
        targets = part.targets if isinstance(part, ast.Assign) else [part.target]
        in_body = part in owner.body
        if any(ast.unparse(one) == (source.attr if in_body else f"self.{source.attr}") for one in targets):
            hint = part.annotation if isinstance(part, ast.AnnAssign) else None
            kind = (_hinted(hint) if hint is not None else "") or (made(part.value, context) if part.value else "")
            kinds.add(kind if kind in _CONTAINERS else "")
    return kinds


def report(
    node: ast.expr,
    message: str,
    context: FileContext,
    evidence: tuple[Evidence, ...] = (),
    confidence: Confidence = "confirmed",
) -> None:
    """Report a copy once, whichever way it was found."""
    reported = context.memo.setdefault(COPIES, set())
    assert isinstance(reported, set)
    if node in reported:
        return
    reported.add(node)
    kind, _ = execution_of(context)
    severity: Severity = "MEDIUM" if kind == "request_handler" and len(loops_around(context, node)) > 1 else "LOW"
    context.report(COPIES, node, message, severity=severity, evidence=evidence, confidence=confidence)

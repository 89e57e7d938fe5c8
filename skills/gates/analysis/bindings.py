"""What a name stands for at one place: the scopes around it, the last binding before it, and the type that a
constructor or an annotation gives it.

`FileContext.resolve` answers for the whole file; here a parameter, a nested function or an import inside a
function shadows what the module says.
"""

import ast
from collections.abc import Iterable
from typing import Any, Literal

from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import import_source
from skills.gates.engine.syntax import BLOCKS, COMPREHENSIONS, is_singleton
from skills.record import record

Kind = Literal["import", "value", "typed", "definition", "opaque", "global"]
_DEPTH = 6
_DEFINITIONS = frozenset({ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef})
_WRAPPERS = frozenset({"Optional", "Annotated", "Final", "ClassVar", "Union"})


@record
class Binding:
    """One place that gives a name a meaning. `name` is the dotted name of an import, `value` the expression
    assigned, `hint` its annotation, `node` a definition."""

    kind: Kind
    line: int
    name: str = ""
    value: ast.expr | None = None
    hint: ast.expr | None = None
    node: ast.AST | None = None


Table = dict[str, list[Binding]]


def bindings(context: FileContext, scope: ast.Module | FunctionNode) -> Table:
    """Every binding of the names of one scope, in source order; computed once a file and scope."""
    known = context.memo.setdefault("bindings", {})
    assert isinstance(known, dict)
    if scope not in known:
        known[scope] = _collect(scope, context)
    table: Table = known[scope]
    return table


def _collect(scope: ast.Module | FunctionNode, context: FileContext) -> Table:
    table: Table = {}
    if not isinstance(scope, ast.Module):
        _parameters(scope, table)
    walruses = b":=" in context.source
    stack: list[Any] = scope.body[::-1]
    while stack:
        node = stack.pop()
        _bind(node, table, context.path)
        if node.__class__ in _DEFINITIONS:
            continue
        for field in BLOCKS[node.__class__]:
            block = getattr(node, field)
            if block:
                stack += block[::-1]
        if walruses:
            _walruses(node, table)
    return table


def _walruses(statement: ast.AST, table: Table) -> None:
    """The names that the expressions of one statement bind."""
    stack = [node for node in ast.iter_child_nodes(statement) if not isinstance(node, ast.stmt)]
    while stack:
        part = stack.pop()
        if isinstance(part, ast.NamedExpr):
            _add(table, part.target.id, Binding("value", part.lineno, value=part.value))
        if not isinstance(part, (ast.Lambda, ast.ExceptHandler, ast.match_case)):
            stack += ast.iter_child_nodes(part)


def _parameters(scope: FunctionNode, table: Table) -> None:
    args = scope.args
    for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs):
        kind: Kind = "typed" if arg.annotation is not None else "opaque"
        _add(table, arg.arg, Binding(kind, arg.lineno, hint=arg.annotation, node=arg))
    for star in (args.vararg, args.kwarg):
        if star is not None:
            _add(table, star.arg, Binding("opaque", star.lineno, node=star))


def _add(table: Table, name: str, binding: Binding) -> None:
    table.setdefault(name, []).append(binding)


def _bind(node: ast.AST, table: Table, path: str) -> None:
    match node:
        case ast.Import() | ast.ImportFrom():
            _imports(node, table, path)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            _add(table, node.name, Binding("definition", node.lineno, node=node))
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                _target(target, value, table)
        case ast.AnnAssign(target=ast.Name(id=name), annotation=hint, value=assigned):
            _add(table, name, Binding("typed", node.lineno, value=assigned, hint=hint))
        case ast.For(target=target) | ast.AsyncFor(target=target):
            _target(target, None, table)
        case ast.With(items=items) | ast.AsyncWith(items=items):
            _context_managers(items, table)
        case ast.ExceptHandler(name=str(name)):
            _add(table, name, Binding("opaque", node.lineno))
        case ast.match_case(pattern=pattern):
            _captures(pattern, table)
        case ast.Global(names=names):
            table.update((name, [Binding("global", node.lineno)]) for name in names)


def _captures(pattern: ast.pattern, table: Table) -> None:
    for part in ast.walk(pattern):
        if isinstance(part, (ast.MatchAs, ast.MatchStar)) and part.name:
            _add(table, part.name, Binding("opaque", part.lineno))


def _context_managers(items: list[ast.withitem], table: Table) -> None:
    for item in items:
        if item.optional_vars is not None:
            _target(item.optional_vars, item.context_expr, table)


def _imports(node: ast.Import | ast.ImportFrom, table: Table, path: str) -> None:
    source = import_source(node, path) if isinstance(node, ast.ImportFrom) else ""
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            dotted = f"{source}.{alias.name}" if source else alias.name
            _add(table, alias.asname or alias.name, Binding("import", node.lineno, dotted))
        elif alias.asname:
            _add(table, alias.asname, Binding("import", node.lineno, alias.name))
        else:
            top = alias.name.partition(".")[0]
            _add(table, top, Binding("import", node.lineno, top))


def _target(target: ast.expr, value: ast.expr | None, table: Table) -> None:
    """Binds an assignment's target; displays of the same length are taken apart."""
    if isinstance(target, ast.Name):
        binding = Binding("opaque", target.lineno) if value is None else Binding("value", target.lineno, value=value)
        _add(table, target.id, binding)
    elif isinstance(target, ast.Starred):
        _target(target.value, None, table)
    elif isinstance(target, (ast.Tuple, ast.List)):
        parts: Iterable[ast.expr | None] = [None] * len(target.elts)
        if isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts):
            parts = value.elts
        for part, its_value in zip(target.elts, parts, strict=True):
            _target(part, its_value, table)


def lookup(context: FileContext, name: str, line: int) -> Binding | None:
    """The binding that a use of `name` on `line` reads, None for a free name (a builtin, say)."""
    innermost = True
    for scope in reversed(context.scopes):
        if isinstance(scope, ast.ClassDef):
            continue
        found = bindings(context, scope).get(name)
        if found and found[0].kind == "global":
            break
        if found:
            return _last(found, line if innermost else 1 << 30)
        innermost = False
    found = bindings(context, context.tree).get(name)
    return _last(found, line) if found else None


def _last(found: list[Binding], line: int) -> Binding:
    """The last binding before a line, else the first; `= None` only declares."""
    said = [one for one in found if not is_singleton(one.value, None)] or found
    before = [one for one in said if one.line <= line]
    return before[-1] if before else said[0]


def origin(context: FileContext, node: ast.AST, depth: int = _DEPTH) -> str | None:
    """The dotted name that a name or an attribute stands for: imports and aliases followed, shadowing
    respected. None where it is a parameter, a local definition or a computed value."""
    if isinstance(node, ast.Attribute):
        base = origin(context, node.value, depth)
        return None if base is None else f"{base}.{node.attr}"
    if not isinstance(node, ast.Name) or depth == 0:
        return None
    found = lookup(context, node.id, node.lineno)
    if found is None:
        return node.id
    if found.kind == "import":
        return found.name
    value = found.value
    if found.kind == "value" and isinstance(value, (ast.Name, ast.Attribute)):
        if isinstance(value, ast.Name) and value.id == node.id:
            return None
        return origin(context, value, depth - 1)
    return None


def in_comprehension(context: FileContext, node: ast.Name) -> bool:
    """True where a comprehension around a name binds that name."""
    above = context.parent(node)
    while above is not None:
        if isinstance(above, COMPREHENSIONS):
            for clause in above.generators:
                if any(isinstance(part, ast.Name) and part.id == node.id for part in ast.walk(clause.target)):
                    return True
        above = context.parent(above)
    return False


def annotated_type(context: FileContext, hint: ast.AST | None, depth: int = _DEPTH) -> str | None:
    """The dotted class of an annotation: `X | None`, `Optional[X]`, `Annotated[X, …]`, "X" and aliases of
    these are X."""
    if hint is None or depth == 0:
        return None
    if isinstance(hint, ast.Constant) and isinstance(hint.value, str):
        try:
            return annotated_type(context, _placed(hint), depth - 1)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
    if isinstance(hint, ast.BinOp):
        left = annotated_type(context, hint.left, depth - 1)
        return left or annotated_type(context, hint.right, depth - 1)
    if isinstance(hint, ast.Subscript):
        name = (origin(context, hint.value) or "").rpartition(".")[2]
        if name not in _WRAPPERS:
            return None
        parts = hint.slice.elts if isinstance(hint.slice, ast.Tuple) else [hint.slice]
        return annotated_type(context, parts[0], depth - 1) if parts else None
    if isinstance(hint, ast.Name):
        found = lookup(context, hint.id, hint.lineno)
        if found and found.kind in ("value", "typed") and isinstance(found.value, ast.Subscript):
            return annotated_type(context, found.value, depth - 1)
    return origin(context, hint)


def _placed(hint: ast.Constant) -> ast.expr:
    """A quoted annotation as an expression on the line where it stands."""
    parsed = ast.parse(str(hint.value), mode="eval").body
    for part in ast.walk(parsed):
        ast.copy_location(part, hint)
    return parsed

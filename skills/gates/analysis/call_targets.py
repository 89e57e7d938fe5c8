"""What a call runs: a plain function or method of its own file, or one of another file by its dotted name."""

import ast
import sys
from collections.abc import Iterator
from typing import Any

from skills.gates.analysis.bindings import lookup, origin
from skills.gates.engine.context import FileContext, FunctionNode, Words
from skills.gates.engine.names import last_name
from skills.gates.engine.syntax import is_singleton

Target = tuple[ast.FunctionDef, list[Any]]
"""A function of the file, and the scopes around its body, the function last."""
_LIBRARIES = frozenset({"fastapi", "starlette", "pydantic", "sqlalchemy", "django", "asyncio", "anyio", "aiohttp"})
_RUN_AT_ONCE = frozenset({"staticmethod", "classmethod", "override", "retry", "on_exception"})
"""Decorators that leave a call what it is: it runs here and now."""
_MAKERS = frozenset({"query", "cursor", "pipeline"})
"""What answers something that waits in its turn."""
_DEPTH = 4
_MEMO = "classes of attributes"


def runs_at_once(function: ast.FunctionDef) -> bool:
    """True where no decorator may make something else of a call, a task or a cached answer, say."""
    return all(last_name(decorator) in _RUN_AT_ONCE for decorator in function.decorator_list)


def is_context_manager(function: ast.FunctionDef) -> bool:
    """True for a generator that a `with` runs."""
    return [last_name(decorator) for decorator in function.decorator_list] == ["contextmanager"]


def is_entered(node: ast.Call, context: FileContext, kind: type[ast.With | ast.AsyncWith] = ast.With) -> bool:
    """True for what the current statement enters: `with node:`, or `async with node:`."""
    statement = context.statement
    return isinstance(statement, kind) and any(item.context_expr is node for item in statement.items)


def target_of(node: ast.Call, context: FileContext) -> Target | None:
    """The function of this file that a call runs here and now, None where the file has none."""
    function = node.func
    found: ast.AST | None = None
    scopes: list[Any] = []
    if isinstance(function, ast.Name):
        bound = lookup(context, function.id, function.lineno)
        found = bound.node if bound is not None and bound.kind == "definition" else None
        scopes = [] if found in context.tree.body else list(context.scopes)
    elif isinstance(function, ast.Attribute) and context.holds(b"def %s(" % function.attr.encode()):
        owner = _owner(function.value, context, _DEPTH)
        of_base = _is_super(function.value)
        named = _method(owner, function.attr, context, of_base=of_base) if isinstance(owner, ast.ClassDef) else None
        if isinstance(named, tuple):
            scopes, found = [named[0]], named[1]
    if not isinstance(found, ast.FunctionDef):
        return None
    entered = is_context_manager(found) and is_entered(node, context)
    return (found, [*scopes, found]) if entered or runs_at_once(found) else None


def names_elsewhere(node: ast.Call, context: FileContext) -> list[str]:
    """The dotted names that a call may run in other files of the project, by the imports of this one."""
    function = node.func
    if isinstance(function, ast.Name):
        name = origin(context, function) if function.id in context.imports else None
        found = [name] if name is not None else []
    elif isinstance(function, ast.Attribute):
        owner = _owner(function.value, context, _DEPTH) or _made_by(function.value, context)
        if owner is None and isinstance(function.value, ast.Attribute) and _is_inherited(function.value, context):
            found = [f"{base}.{function.value.attr}.{function.attr}" for base in _bases_elsewhere(context)]
        elif isinstance(owner, ast.ClassDef):
            named = _method(owner, function.attr, context, of_base=_is_super(function.value))
            found = [f"{base}.{function.attr}" for base in named] if isinstance(named, list) else []
        else:
            found = [f"{owner}.{function.attr}"] if owner else []
    else:
        return []
    return [name for name in found if _is_of_project(name)]


def class_of(node: ast.expr, context: FileContext) -> str:
    """The bare name of the class that a receiver is of, "" where the file does not say."""
    owner = _owner(node, context, _DEPTH)
    name = owner.name if isinstance(owner, ast.ClassDef) else (owner or "").rpartition(".")[2]
    return name if name[:1].isupper() else ""


def _is_of_project(name: str) -> bool:
    """True for what may be a function of the project: no library has it, and it is no class."""
    root, dot, _ = name.partition(".")
    is_class = name.rpartition(".")[2][:1].isupper()
    return bool(dot) and not is_class and root not in _LIBRARIES and root not in sys.stdlib_module_names


def _owner(node: ast.expr, context: FileContext, depth: int) -> ast.ClassDef | str | None:
    """The class of a receiver: its definition, or a dotted name of an import, which may be a module too."""
    match node:
        case ast.Name(id="self" | "cls"):
            return context.class_scope
        case ast.Name():
            return _of_name(node, context, depth)
        case ast.Call():
            return context.class_scope if _is_super(node) else _class_named(node.func, context)
        case ast.Attribute(value=ast.Name(id="self" | "cls")):
            return _kept(node.attr, context, depth)
        case ast.Attribute():
            return origin(context, node)
    return None


def _made_by(node: ast.expr, context: FileContext) -> str | None:
    """The dotted way to what `db.query(Order).filter(…)` answers, where an import says what `db` is."""
    names: list[str] = []
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        names.append(node.func.attr)
        node = node.func.value
    if not names or names[-1] not in _MAKERS or not isinstance(node, (ast.Name, ast.Attribute)):
        return None
    owner = _owner(node, context, _DEPTH)
    return ".".join((owner, *names[::-1])) if isinstance(owner, str) else None


def _is_inherited(node: ast.Attribute, context: FileContext) -> bool:
    """True for `self.http` that no line of its class gives a value or a type."""
    owner = context.class_scope
    if not isinstance(node.value, ast.Name) or node.value.id not in ("self", "cls") or owner is None:
        return False
    name = node.attr.encode()
    said = Words(b"self.%s =" % name, b"self.%s:" % name, b" %s: " % name, b" %s = " % name)
    return bool(owner.bases) and not context.mentions(said, owner)


def _bases_elsewhere(context: FileContext) -> list[str]:
    """The dotted names of the bases in other files that the class around has."""
    owner = context.class_scope
    named = _method(owner, "", context, of_base=True) if owner is not None and owner.bases else None
    return named if isinstance(named, list) else []


def _is_super(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


def _of_name(node: ast.Name, context: FileContext, depth: int) -> ast.ClassDef | str | None:
    found = lookup(context, node.id, node.lineno)
    if found is None or depth == 0:
        return None
    if found.kind == "import":
        return found.name
    if found.kind == "typed":
        return _class_named(found.hint, context)
    if isinstance(found.node, ast.ClassDef):
        return found.node
    return _owner(found.value, context, depth - 1) if isinstance(found.value, ast.Call) else None


def _class_named(node: ast.expr | None, context: FileContext) -> ast.ClassDef | str | None:
    """The class that an annotation or a call names, also in `X | None` and `Annotated[X, …]`."""
    if isinstance(node, ast.BinOp):
        node = node.left
    if isinstance(node, ast.Subscript) and last_name(node.value) in ("Annotated", "Optional"):
        node = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) and node.slice.elts else node.slice
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
        node = ast.copy_location(ast.Name(node.value, ast.Load()), node)
    if isinstance(node, ast.Name):
        found = lookup(context, node.id, node.lineno)
        if found is not None and found.kind == "definition":
            return found.node if isinstance(found.node, ast.ClassDef) else None
    name = origin(context, node) if isinstance(node, (ast.Name, ast.Attribute)) else None
    return name if name is not None and "." in name and name.rpartition(".")[2][:1].isupper() else None


def _kept(name: str, context: FileContext, depth: int) -> ast.ClassDef | str | None:
    """The class of an attribute that a class, or its `__init__`, gives a value or a type."""
    owner = context.class_scope
    if owner is None:
        return None
    known = context.memo.setdefault(_MEMO, {})
    assert isinstance(known, dict)
    if (owner, name) not in known:
        known[owner, name] = None  # whoever refers to itself says nothing
        before = context.scopes
        context.scopes = [owner]
        try:
            kinds = set(_kinds(owner, name, context, depth))
            known[owner, name] = kinds.pop() if len(kinds) == 1 else None
        finally:
            context.scopes = before
    answer: ast.ClassDef | str | None = known[owner, name]
    return answer


def _kinds(owner: ast.ClassDef, name: str, context: FileContext, depth: int) -> Iterator[ast.ClassDef | str | None]:
    for part in owner.body:
        if isinstance(part, ast.AnnAssign) and last_name(part.target) == name:
            yield _class_named(part.annotation, context)
        elif isinstance(part, ast.Assign) and last_name(part.targets[0]) == name:
            yield _owner(part.value, context, depth) if isinstance(part.value, ast.Call) else None
        elif isinstance(part, FunctionNode) and part.name == "__init__":
            context.scopes = [owner, part]
            for inner in part.body:
                target = inner.targets[0] if isinstance(inner, ast.Assign) else getattr(inner, "target", None)
                if isinstance(target, ast.Attribute) and target.attr == name and last_name(target.value) == "self":
                    value = getattr(inner, "value", None)
                    if isinstance(inner, ast.AnnAssign):
                        yield _class_named(inner.annotation, context)
                    elif not is_singleton(value, None):
                        yield _owner(value, context, depth) if isinstance(value, (ast.Name, ast.Call)) else None


def _method(
    owner: ast.ClassDef, name: str, context: FileContext, depth: int = _DEPTH, of_base: bool = False
) -> tuple[ast.ClassDef, FunctionNode] | list[str] | None:
    """A method of a class or of one it inherits from (`of_base`: only of those), with the class that has it; the dotted
    names of its bases in other files where none of this one has it."""
    named = [] if of_base else [part for part in owner.body if isinstance(part, FunctionNode) and part.name == name]
    if named:
        return owner, named[-1]
    elsewhere: list[str] = []
    for base in owner.bases if depth else ():
        kind = _class_named(base, context)
        found = _method(kind, name, context, depth - 1) if isinstance(kind, ast.ClassDef) else None
        if isinstance(found, tuple):
            return found
        elsewhere += found or ([kind] if isinstance(kind, str) else [])
    return elsewhere

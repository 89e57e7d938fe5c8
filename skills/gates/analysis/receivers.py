"""The class of an expression, as far as one file says: constructors, annotations, attributes of `self`."""

import ast
from collections.abc import Mapping

from skills.gates.analysis.bindings import annotated_type, in_comprehension, lookup, origin
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.syntax import descendants, is_singleton
from skills.gates.model import Evidence

_DEPTH = 8


class TypeReader:
    """Answers `type_of` by two tables: the classes that matter, and what functions and methods make."""

    def __init__(self, classes: frozenset[str], makes: Mapping[str, str], itself: frozenset[str]) -> None:
        self._classes, self._makes, self._itself = classes, makes, itself

    def type_of(self, context: FileContext, node: ast.AST, depth: int = _DEPTH) -> str | None:
        """The dotted class of an expression, None where the file does not say."""
        if depth == 0:
            return None
        match node:
            case ast.Name():
                return self._of_name(context, node, depth - 1)
            case ast.Call():
                return self._of_call(context, node, depth - 1)
            case ast.Attribute() | ast.Subscript():
                return self._of_part(context, node, depth - 1)
            case ast.BinOp(op=ast.Div(), left=left, right=right):
                for side in (left, right):
                    found = self.type_of(context, side, depth - 1)
                    if found and found.startswith("pathlib."):
                        return found
            case ast.IfExp(body=first, orelse=second) | ast.BoolOp(values=[first, second]):
                return self.type_of(context, first, depth - 1) or self.type_of(context, second, depth - 1)
            case ast.NamedExpr(value=value):
                return self.type_of(context, value, depth - 1)
        return None

    def said_by(self, context: FileContext, node: ast.AST) -> tuple[Evidence, ...]:
        """The line that gives a receiver its class, where it is not the expression itself."""
        while isinstance(node, (ast.Attribute, ast.Call, ast.Subscript)):
            node = node.func if isinstance(node, ast.Call) else node.value
        if not isinstance(node, ast.Name) or node.id in ("self", "cls"):
            return ()
        found = lookup(context, node.id, node.lineno)
        if found is None or found.kind not in ("value", "typed"):
            return ()
        text = context.lines[found.line - 1].strip()[:120] if found.line <= len(context.lines) else ""
        return (Evidence(context.path, found.line, text),)

    def _known(self, name: str | None) -> str | None:
        return name if name in self._classes else None

    def _of_name(self, context: FileContext, node: ast.Name, depth: int) -> str | None:
        found = lookup(context, node.id, node.lineno)
        kind = None
        if found is not None and found.kind == "typed":
            kind = self._known(annotated_type(context, found.hint)) or self._of_generic(context, found.hint)
            if kind is None and found.value is not None:
                kind = self.type_of(context, found.value, depth)
        elif found is not None and found.kind == "value" and found.value is not None:
            kind = self.type_of(context, found.value, depth)
        return None if kind is None or in_comprehension(context, node) else kind

    def _of_generic(self, context: FileContext, hint: ast.expr | None) -> str | None:
        """The class of `queue.Queue[str]`."""
        return self._known(origin(context, hint.value)) if isinstance(hint, ast.Subscript) else None

    def _of_call(self, context: FileContext, node: ast.Call, depth: int) -> str | None:
        function = node.func
        name = origin(context, function)
        if name is not None:
            return self._makes.get(name) or self._known(name)
        if isinstance(function, ast.Name):
            found = lookup(context, function.id, function.lineno)
            if found and isinstance(found.node, ast.FunctionDef):
                return self._known(annotated_type(context, found.node.returns))
            factory = found.value if found else None
            if isinstance(factory, ast.Call) and not any(word.arg == "class_" for word in factory.keywords):
                return self._known(self._makes.get(f"{origin(context, factory.func)}()"))
            return None
        if not isinstance(function, ast.Attribute):
            return None
        owner = self.type_of(context, function.value, depth)
        if owner is None:
            return None
        if function.attr in ("__enter__", "bind"):
            return owner
        return self._makes.get(f"{owner}.{function.attr}")

    def _of_part(self, context: FileContext, node: ast.Attribute | ast.Subscript, depth: int) -> str | None:
        value = node.value
        if isinstance(node, ast.Subscript):
            owner = self.type_of(context, value, depth)
            return owner if owner in self._itself else None
        if isinstance(value, ast.Name) and value.id in ("self", "cls") and context.class_scope is not None:
            return own_attributes(context, context.class_scope, self, depth).get(node.attr)
        owner = self.type_of(context, value, depth)
        if owner is None:
            return None
        if owner in self._itself:
            return owner
        return owner if owner.startswith("pathlib.") and node.attr == "parent" else None


def own_attributes(
    context: FileContext, owner: ast.ClassDef, reader: TypeReader, depth: int = _DEPTH
) -> dict[str, str]:
    """Attribute of `self` → class, from the class body and the assignments in its methods. One that is assigned
    different things has no class."""
    known = context.memo.setdefault("own-attributes", {})
    assert isinstance(known, dict)
    key = (owner, id(reader))
    if key in known:
        found: dict[str, str] = known[key]
        return found
    known[key] = {}
    said: dict[str, set[str | None]] = {}
    for statement in owner.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            said.setdefault(statement.target.id, set()).add(annotated_type(context, statement.annotation))
        elif isinstance(statement, ast.Assign):
            for target in statement.targets:
                if isinstance(target, ast.Name):
                    said.setdefault(target.id, set()).add(reader.type_of(context, statement.value, depth))
        elif isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            _assigned(context, statement, reader, said, depth)
    known[key] = {name: next(iter(types)) for name, types in said.items() if len(types) == 1 and None not in types}
    answer: dict[str, str] = known[key]
    return answer


def _assigned(
    context: FileContext,
    method: ast.FunctionDef | ast.AsyncFunctionDef,
    reader: TypeReader,
    said: dict[str, set[str | None]],
    depth: int,
) -> None:
    scopes = context.scopes
    context.scopes = [*scopes, method]
    try:
        for part in descendants(method):
            if isinstance(part, ast.Assign):
                targets, value, hint = part.targets, part.value, None
            elif isinstance(part, ast.AnnAssign) and part.value is not None:
                targets, value, hint = [part.target], part.value, part.annotation
            else:
                continue
            if is_singleton(value, None) and hint is None:
                continue
            for target in targets:
                if isinstance(target, ast.Attribute) and last_name(target.value) == "self":
                    kind = annotated_type(context, hint) if hint is not None else reader.type_of(context, value, depth)
                    said.setdefault(target.attr, set()).add(kind)
    finally:
        context.scopes = scopes

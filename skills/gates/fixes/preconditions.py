"""Cheap questions about a finding's node: is its fix worth a try? Asked with the check, on `ast`, without LibCST."""

import ast

from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.syntax import CHILDREN, is_singleton, string_of

_SCOPES = frozenset({ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef})
_ABSTRACT = ("abstractmethod", "abstractproperty", "property", "cached_property", "overload")


def whatever(node: ast.AST, context: FileContext, message: str) -> bool:
    """Every finding of the rule is worth a try."""
    return True


def is_replaceable_mock(node: ast.AST, context: FileContext, message: str) -> bool:
    """Not in files of `unittest.TestCase`, whose methods take no fixtures."""
    return b"TestCase" not in context.source and b" import *" not in context.source


def is_movable_call(node: ast.AST, context: FileContext, message: str) -> bool:
    """A call of a plain function or method whose answer does not wait in turn."""
    return isinstance(node, ast.Call) and any(
        phrase in message for phrase in (" file system inside", " through files inside", "another service inside",
                                         " the disk inside", " a process inside", " a person inside")
    )  # fmt: skip


def is_untyped_handler(node: ast.AST, context: FileContext, message: str) -> bool:
    """`except:` that does something about the error."""
    return isinstance(node, ast.ExceptHandler) and node.type is None and not isinstance(node.body[0], ast.Pass)


def is_asked_of_manager(node: ast.AST, context: FileContext, message: str) -> bool:
    """Not where a session asks, which has nothing like `get_or_create`."""
    return "looks for the row" in message


def is_no_element(node: ast.AST, context: FileContext, message: str) -> bool:
    """Not where a list is built for one element of it: without one the error would be another."""
    return isinstance(node, ast.Call) and "element" not in message


def needs_only_none(node: ast.AST, context: FileContext, message: str) -> bool:
    """A function of which only the return is undeclared, and that returns nothing."""
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or not message.endswith("for what it returns"):
        return False
    return why_not_none(node, bool(context.scopes) and isinstance(context.scopes[-1], ast.ClassDef)) is None


def why_not_none(node: ast.FunctionDef | ast.AsyncFunctionDef, is_method: bool) -> str | None:
    """Why a function cannot be declared to return None; None where it can."""
    for decorator in node.decorator_list:
        name = last_name(decorator)
        if name in _ABSTRACT:
            return f"a function under @{name} stands for a value"
    body = node.body[1:] if _is_docstring(node.body[0]) else node.body
    if not body or all(isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant) for part in body):
        return "the function is only declared here"
    if is_method and all(isinstance(part, ast.Pass) or _returns_none(part) for part in body):
        return "the method is there to be overridden"
    if isinstance(body[-1], ast.Raise):
        return "the function never returns"
    stack: list[ast.AST] = list(node.body)
    while stack:
        part = stack.pop()
        kind = part.__class__
        if kind is ast.Return and not _is_none(part.value):  # type: ignore[attr-defined]
            return "the function returns a value"
        if kind is ast.Yield or kind is ast.YieldFrom:
            return "the function is a generator"
        if isinstance(part, ast.While) and isinstance(part.test, ast.Constant) and part.test.value:
            return "the function may run for ever"
        if kind not in _SCOPES:
            stack += _children(part)
    return None


def _children(node: ast.AST) -> list[ast.AST]:
    found: list[ast.AST] = []
    for name in CHILDREN[node.__class__]:
        value = getattr(node, name)
        if value.__class__ is list:
            found += [part for part in value if isinstance(part, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and string_of(node.value) is not None


def _returns_none(node: ast.stmt) -> bool:
    return isinstance(node, ast.Return) and _is_none(node.value)


def _is_none(node: ast.expr | None) -> bool:
    return node is None or is_singleton(node, None)


def is_certain_copy(node: ast.AST, context: FileContext, message: str) -> bool:
    """Not where the original stands in an object that others may hold too."""
    return "seen here" not in message

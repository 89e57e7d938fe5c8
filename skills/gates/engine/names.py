"""Names: what an import binds, and which dotted name an expression stands for."""

import ast
from collections.abc import Callable, Container
from typing import Any

from skills.gates.engine.syntax import statements

_CHAINED = frozenset({ast.Attribute, ast.Subscript, ast.Call})


def module_name(path: str) -> str:
    """The dotted module of a relative POSIX path: "shop/api/views.py" → "shop.api.views"."""
    stem = path.removesuffix(".py").removesuffix(".pyi").removesuffix("/__init__")
    return stem.replace("/", ".")


def import_source(node: ast.ImportFrom, path: str) -> str:
    """The dotted module that a `from … import` reads, relative ones seen from `path`."""
    if not node.level:
        return node.module or ""
    package = path.split("/")[: -node.level]
    return ".".join([*package, *([node.module] if node.module else [])])


def imported_names(
    tree: ast.Module, path: str, may_import: Callable[[ast.stmt], bool] = lambda node: True
) -> dict[str, str]:
    """Bound name → dotted name for every import of the file, at any depth; the first binding of a name
    wins. `may_import` rules out statements at the top of the file that are or hold none."""
    found: dict[str, str] = {}
    for node in (inner for outer in tree.body if may_import(outer) for inner in statements(outer)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname:
                    found.setdefault(alias.asname, alias.name)
                else:
                    top = alias.name.partition(".")[0]
                    found.setdefault(top, top)
        elif isinstance(node, ast.ImportFrom):
            source = import_source(node, path)
            for alias in node.names:
                dotted = f"{source}.{alias.name}" if source else alias.name
                found.setdefault(alias.asname or alias.name, dotted)
    return found


def dotted(node: ast.AST) -> str | None:
    """ "a.b.c" for a chain of attributes on a name, else None."""
    parts: list[str] = []
    found: Any = node
    while found.__class__ is ast.Attribute:
        parts.append(found.attr)
        found = found.value
    if found.__class__ is not ast.Name:
        return None
    parts.append(found.id)
    return ".".join(reversed(parts))


def shortened(node: ast.AST, most: int) -> str:
    """An expression as a message shows it, its end left out where it has more than `most` characters."""
    text = ast.unparse(node)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def last_name(node: ast.AST) -> str:
    """The last name of an expression: `a.b.C[T]`, `C(…)` → "C"; "" where there is none."""
    found: Any = node
    while True:  # asked more often than anything else: by class, most frequent first
        kind = found.__class__
        if kind is ast.Name:
            return found.id  # type: ignore[no-any-return]
        if kind is ast.Attribute:
            return found.attr  # type: ignore[no-any-return]
        if kind is ast.Call:
            found = found.func
        elif kind is ast.Subscript:
            found = found.value
        else:
            return ""


def is_decorated(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, names: Container[str]) -> bool:
    """True where one of the decorators has one of these last names."""
    return bool(node.decorator_list) and any(last_name(decorator) in names for decorator in node.decorator_list)


def root_name(node: ast.AST) -> str:
    """The name at the root of a chain of attributes, calls and subscripts; "" where it is something else."""
    found: Any = node
    while (kind := found.__class__) in _CHAINED:
        found = found.func if kind is ast.Call else found.value
    return found.id if kind is ast.Name else ""

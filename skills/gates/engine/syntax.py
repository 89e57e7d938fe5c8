"""Walking over `ast` trees: which fields of a node hold nodes, and two fast walks.

`ast.walk` asks every field of every node; these tables know the fields, and that takes a fifth of the time.
"""

import ast
from collections.abc import Iterable, Iterator
from typing import Any

SCOPES = frozenset({ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef})
"""The statements that open a scope, to be asked of a node's class."""

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
LEAVING = (ast.Return, ast.Raise, ast.Continue, ast.Break)
"""The statements after which nothing of their block runs."""

_NO_CHILDREN = {
    "ctx", "op", "ops", "type_comment", "type_ignores", "kind", "id", "attr", "tag", "conversion", "is_async", "simple",
    "asname", "rest", "kwd_attrs", "str",
}  # fmt: skip
_LEAVES = (ast.Constant, ast.MatchSingleton, ast.Name, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal, ast.alias)
_BLOCK_NAMES = ("body", "handlers", "orelse", "finalbody", "cases")


def _child_fields() -> dict[type, tuple[str, ...]]:
    table: dict[type, tuple[str, ...]] = {str: (), int: (), type(None): ()}
    for kind in vars(ast).values():
        if isinstance(kind, type) and issubclass(kind, ast.AST):
            no_children = _NO_CHILDREN if kind.__name__ == "TypeAlias" else {*_NO_CHILDREN, "name"}
            table[kind] = tuple(name for name in reversed(kind._fields) if name not in no_children)
    table.update(dict.fromkeys(_LEAVES, ()))
    table[ast.keyword] = ("value",)
    table[ast.arg] = ("annotation",)
    # Decorators, parameters and bases come before the body, as they stand in the source.
    table[ast.FunctionDef] = table[ast.AsyncFunctionDef] = ("body", "returns", "args", "decorator_list")
    table[ast.ClassDef] = ("body", "keywords", "bases", "decorator_list")
    return table


CHILDREN = _child_fields()
"""Node type → the fields that hold child nodes, last first, because a stack turns them around."""

BLOCKS: dict[type, tuple[str, ...]] = {
    kind: tuple(name for name in reversed(_BLOCK_NAMES) if name in kind._fields)
    for kind in CHILDREN
    if issubclass(kind, ast.stmt | ast.mod | ast.ExceptHandler | ast.match_case)
}
"""Statement type → the fields that hold its blocks of statements, last first."""

_HOLDERS = frozenset(kind for kind in BLOCKS if not issubclass(kind, ast.stmt))  # of statements, and none themselves

HEADERS = {kind: tuple(name for name in CHILDREN[kind] if name not in BLOCKS[kind]) for kind in BLOCKS}
"""Statement type → the fields that hold its own expressions, last first."""


def descendants(node: ast.AST) -> Iterator[ast.AST]:
    """The node and everything below it in source order (contexts, operators and import aliases left out)."""
    stack: list[Any] = [node]
    pop, push, fields_of = stack.pop, stack.append, CHILDREN
    while stack:
        found = pop()
        if found is None:  # among the keys of a dict, or the defaults of parameters
            continue
        yield found
        for name in fields_of[found.__class__]:
            value = getattr(found, name)
            if value.__class__ is list:
                if value:
                    stack += value[::-1]
            elif value is not None:
                push(value)


def parents_in(root: ast.AST) -> dict[Any, ast.AST]:
    """What stands right above each node below `root`."""
    found: dict[Any, ast.AST] = {}
    for above in descendants(root):
        for name in CHILDREN[above.__class__]:
            value = getattr(above, name)
            if value.__class__ is list:
                found.update(dict.fromkeys(value, above))
            else:
                found[value] = above
    return found


def statements(tree: ast.AST) -> Iterator[ast.stmt]:
    """Every statement below `tree` in source order, without looking into expressions."""
    stack: list[Any] = [tree]
    while stack:
        node = stack.pop()
        kind = node.__class__
        if kind not in _HOLDERS:
            yield node
        for name in BLOCKS[kind]:
            block = getattr(node, name)
            if block:
                stack += block[::-1]


def header_of(node: Any, lines: list[str]) -> range:
    """The lines (from 1) of a statement down to its block, decorators included, comments above the block left out; of
    one without a block all its lines. `lines` are those of its file."""
    line: int = node.pattern.lineno if node.__class__ is ast.match_case else node.lineno
    below: Any = getattr(node, "body", None) or getattr(node, "cases", None)
    if below.__class__ is not list:
        last = getattr(node, "end_lineno", None) or line
    else:
        head = below[0].pattern if below[0].__class__ is ast.match_case else below[0]
        last = _first_line(head, head.lineno) - 1
        while last > line and (not (text := lines[last - 1].strip()) or text.startswith("#")):
            last -= 1
    return range(_first_line(node, line), max(line, last) + 1)


def _first_line(node: ast.AST, line: int) -> int:
    """The line of a statement, or of its first decorator."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return decorators[0].lineno if decorators else line


def mentions(node: ast.AST, name: str) -> bool:
    """True where a name stands anywhere below a node."""
    return any(isinstance(part, ast.Name) and part.id == name for part in descendants(node))


def is_singleton(node: ast.AST | None, value: bool | None) -> bool:
    """True where a node is `True`, `False` or `None` as it is written."""
    return isinstance(node, ast.Constant) and node.value is value


def is_falsy(node: ast.AST) -> bool:
    """True for a value that is written out and counts as false: `False`, `None`, `0`, `""`."""
    return isinstance(node, ast.Constant) and not node.value


def string_of(node: ast.AST | None) -> str | None:
    """The text of a string that is written out, None where a node is none."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def strings_in(node: ast.AST) -> Iterator[str]:
    """The strings that are written out below a node, in source order."""
    for part in descendants(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def keyword_of(call: ast.Call | ast.ClassDef, name: str) -> ast.expr | None:
    """What a call gives under a name, None where it gives nothing."""
    return next((word.value for word in call.keywords if word.arg == name), None)


def defaults_of(arguments: ast.arguments) -> list[tuple[ast.arg, ast.expr | None]]:
    """Each parameter with its default, None where it has none."""
    plain = [*arguments.posonlyargs, *arguments.args]
    defaults: dict[ast.arg, ast.expr | None] = dict(zip(reversed(plain), reversed(arguments.defaults), strict=False))
    defaults.update(zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True))
    return [(arg, defaults.get(arg)) for arg in (*plain, *arguments.kwonlyargs)]


def calls_in(block: Iterable[ast.stmt]) -> Iterator[ast.Call]:
    """The calls of a block of statements, at any depth, in source order."""
    for statement in block:
        yield from (part for part in descendants(statement) if isinstance(part, ast.Call))


def stands_in(block: list[ast.stmt], node: ast.expr | ast.stmt) -> bool:
    """True where a node stands on the lines of a block."""
    return bool(block) and block[0].lineno <= node.lineno <= (block[-1].end_lineno or 0)


def names_in(node: ast.AST) -> set[str]:
    """The names that an expression reads."""
    return {part.id for part in descendants(node) if isinstance(part, ast.Name)}

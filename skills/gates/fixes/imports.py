"""Imports that a fix needs, and those that it leaves without a use."""

import ast
import sys

import libcst as cst

from skills.gates.engine.syntax import descendants
from skills.gates.engine.walk import parse
from skills.gates.fixes.cst import chain, dotted, gone, holds_statements, is_docstring, walk
from skills.gates.fixes.model import CannotFix


class Imports:
    """What fixers ask of the imports of a file, applied to the changed tree at the end."""

    def __init__(self) -> None:
        self._needed: dict[tuple[str, str], None] = {}
        self._released: set[str] = set()

    def copy(self) -> "Imports":
        """The same asked of another."""
        other = Imports()
        other._needed, other._released = dict(self._needed), set(self._released)
        return other

    def need(self, module: str, name: str = "") -> None:
        """The file needs `import module`, or `from module import name`."""
        self._needed[module, name] = None

    def release(self, name: str) -> None:
        """A fix took away a use of a bound name: where none is left, its import goes."""
        self._released.add(name)

    def applied(self, module: cst.Module) -> cst.Module:
        """The tree with what is needed and without what is no longer used."""
        unused = self._released - _used(module) if self._released else set()
        for wanted, name in self._needed:
            if not _has(module, wanted, name):
                module = _with_import(module, wanted, name)
        return module.visit(_Remover(unused)) if unused else module


def _used(module: cst.Module) -> set[str]:
    """Names that stand anywhere but in an import, strings of `__all__` included."""
    tree, _ = parse(module.code.encode("utf-8", "replace"))
    if tree is None:
        raise CannotFix("the changed file would not parse")
    found: set[str] = set()
    for node in descendants(tree):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            found.add(node.value)  # a hint in quotes, or a name in `__all__`
        elif isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            found.update(node.names)
    return found


class _Remover(cst.CSTTransformer):
    def __init__(self, unused: set[str]) -> None:
        super().__init__()
        self.unused = unused

    def on_visit(self, node: cst.CSTNode) -> bool:
        return holds_statements(node)

    def leave_Import(self, original_node: cst.Import, updated_node: cst.Import) -> cst.BaseSmallStatement:  # noqa: N802
        return self._without(updated_node)

    def leave_ImportFrom(  # noqa: N802
        self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom
    ) -> cst.BaseSmallStatement:
        return updated_node if isinstance(updated_node.names, cst.ImportStar) else self._without(updated_node)

    def _without(self, node: cst.Import | cst.ImportFrom) -> cst.BaseSmallStatement:
        assert not isinstance(node.names, cst.ImportStar)
        names = list(node.names)
        kept = [alias for alias in names if _binds(alias) not in self.unused]
        if len(kept) == len(names):
            return node
        if not kept:
            return gone()
        if kept[-1] is names[-1]:
            return node.with_changes(names=kept)
        return _ended(node, kept, names[-1])


def _ended(
    node: cst.Import | cst.ImportFrom, kept: list[cst.ImportAlias], last: cst.ImportAlias
) -> cst.Import | cst.ImportFrom:
    """The import of what is kept, the last of it in the place of `last`, with its own comment."""
    own = kept[-1].comma.whitespace_after if isinstance(kept[-1].comma, cst.Comma) else None
    comma, bracket = last.comma, node.rpar if isinstance(node, cst.ImportFrom) else None
    if isinstance(own, cst.ParenthesizedWhitespace):
        if isinstance(comma, cst.Comma) and isinstance(comma.whitespace_after, cst.ParenthesizedWhitespace):
            end = comma.whitespace_after.with_changes(first_line=own.first_line)
            comma = comma.with_changes(whitespace_after=end)
        elif bracket is not None and isinstance(bracket.whitespace_before, cst.ParenthesizedWhitespace):
            end = bracket.whitespace_before.with_changes(first_line=own.first_line)
            node = node.with_changes(rpar=bracket.with_changes(whitespace_before=end))
    kept[-1] = kept[-1].with_changes(comma=comma)
    return node.with_changes(names=kept)


def _binds(alias: cst.ImportAlias) -> str:
    if alias.asname is not None and isinstance(alias.asname.name, cst.Name):
        return alias.asname.name.value
    return dotted(alias.name).partition(".")[0]


def _has(module: cst.Module, wanted: str, name: str) -> bool:
    """Whether the file imports it already, at its top level, under its own name."""
    for line in module.body:
        for node in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            if not isinstance(node, cst.Import | cst.ImportFrom) or isinstance(node.names, cst.ImportStar):
                continue
            fits = dotted(node.module) == wanted if isinstance(node, cst.ImportFrom) else not name
            plain = {alias.evaluated_name for alias in node.names if alias.asname is None}
            if fits and bool(name) == isinstance(node, cst.ImportFrom) and (name or wanted) in plain:
                return True
    return False


def _with_import(module: cst.Module, wanted: str, name: str) -> cst.Module:
    new: cst.Import | cst.ImportFrom = cst.Import([cst.ImportAlias(chain(wanted))])
    if name:
        new = cst.ImportFrom(chain(wanted), [cst.ImportAlias(cst.Name(name))])
    body = list(module.body)
    groups = _groups(body)
    standard = _is_standard(wanted)
    group = next((found for found in groups if _is_standard(_order(body[found[0]])[1]) == standard), [])
    if not group and (standard or not groups):
        return _first_import(module, new)
    if not group:  # others stand below the standard library, a blank line between them
        line = cst.SimpleStatementLine([new], leading_lines=[cst.EmptyLine(indent=False)])
        body.insert(groups[-1][-1] + 1, line)
        return module.with_changes(body=body)
    index = next((at for at in group if _order(body[at]) > (bool(name), wanted)), group[-1] + 1)
    line = cst.SimpleStatementLine([new])
    if index == group[0]:
        below_it = body[index]
        assert isinstance(below_it, cst.SimpleStatementLine)
        if any(empty.comment for empty in below_it.leading_lines):
            index += 1
        else:
            line = line.with_changes(leading_lines=below_it.leading_lines)
            body[index] = below_it.with_changes(leading_lines=())
    body.insert(index, line)
    return module.with_changes(body=body)


def _is_standard(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names


def _groups(body: list[cst.SimpleStatementLine | cst.BaseCompoundStatement]) -> list[list[int]]:
    """The positions of the imports of a module, in blocks that blank lines divide, without `__future__`."""
    groups: list[list[int]] = []
    for index, line in enumerate(body):
        if not isinstance(line, cst.SimpleStatementLine) or not _is_import(line):
            continue
        if _order(line)[1] == "__future__":
            continue
        if groups and groups[-1][-1] == index - 1 and not line.leading_lines:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


def _is_import(line: cst.CSTNode) -> bool:
    return (
        isinstance(line, cst.SimpleStatementLine)
        and len(line.body) == 1
        and isinstance(line.body[0], cst.Import | cst.ImportFrom)
    )


def _order(line: cst.CSTNode) -> tuple[bool, str]:
    """How an import is sorted: plain ones first, then by module."""
    assert isinstance(line, cst.SimpleStatementLine)
    node = line.body[0]
    if isinstance(node, cst.ImportFrom):
        return True, dotted(node.module) if not node.relative else "~"
    assert isinstance(node, cst.Import)
    return False, dotted(node.names[0].name)


def _first_import(module: cst.Module, new: cst.Import | cst.ImportFrom) -> cst.Module:
    """The module with a block of imports of its own below docstring and future imports."""
    body = list(module.body)
    index = 0
    while index < len(body) and (is_docstring(body[index]) if index == 0 else False):
        index += 1
    while index < len(body) and _is_import(body[index]) and _order(body[index])[1] == "__future__":
        index += 1
    blank = cst.EmptyLine(indent=False)
    line = cst.SimpleStatementLine([new], leading_lines=[blank] if index else [])
    if index < len(body):
        after = body[index]
        above = list(after.leading_lines)
        needed = 2 if isinstance(after, cst.FunctionDef | cst.ClassDef) else 1
        blanks = 0
        while blanks < len(above) and above[blanks].comment is None:
            blanks += 1
        body[index] = after.with_changes(leading_lines=[*[blank] * max(0, needed - blanks), *above])
    body.insert(index, line)
    return module.with_changes(body=body)


def bindings(module: cst.CSTNode) -> list[tuple[str, str]]:
    """(bound name, dotted name) of every absolute import below a node."""
    found: list[tuple[str, str]] = []
    for node in walk(module):
        if isinstance(node, cst.Import):
            for alias in node.names:
                found.append((_binds(alias), dotted(alias.name)))
        elif isinstance(node, cst.ImportFrom) and not node.relative:
            source = dotted(node.module)
            if isinstance(node.names, cst.ImportStar):
                found.append(("*", f"{source}.*"))
            else:
                found.extend((_binds(alias), f"{source}.{dotted(alias.name)}") for alias in node.names)
    return found

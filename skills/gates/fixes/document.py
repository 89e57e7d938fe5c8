"""One file while it is fixed: its tree with positions, the changes that fixers note, and the text that follows."""

import ast
import difflib
import re
import tokenize
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from functools import cached_property
from typing import TypeVar

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider, WhitespaceInclusivePositionProvider

from skills.gates.engine.names import imported_names
from skills.gates.engine.walk import parse
from skills.gates.fixes.cst import GONE, children, code, holds_statements, is_gone, walk
from skills.gates.fixes.imports import Imports
from skills.gates.fixes.model import CannotFix
from skills.gates.model import Finding

Node = TypeVar("Node", bound=cst.CSTNode)
Change = Callable[[cst.CSTNode], cst.CSTNode | cst.RemovalSentinel | cst.FlattenSentinel[cst.CSTNode]]
Place = tuple[str, int, int, int, int]
"""Rule, first and last place of a finding."""
Mark = tuple[dict[cst.CSTNode, int], Imports]
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_LOOPS_AND_CLAUSES = (cst.FunctionDef, cst.Lambda, cst.ClassDef)


def lines_of(text: str) -> list[str]:
    """Lines with their ends, as Python counts them: form feeds and Unicode's separators end none."""
    return _LINE.findall(text)


def encoded(text: str) -> bytes:
    """A source as its file holds it, by its coding cookie. Raises `CannotFix` where that cannot be."""
    try:
        encoding, _ = tokenize.detect_encoding(iter(text.encode("utf-8", "replace").splitlines(True)).__next__)
        return text.encode(encoding)
    except (SyntaxError, StopIteration, UnicodeEncodeError):
        raise CannotFix("the file holds bytes that are no text in its encoding") from None


class Document:
    """A parsed file. Fixers ask for nodes by the place of a finding and note changes; `text` applies them all.

    A change is a function of the node as the changes inside it left it, so changes may nest. `needs` are what each
    finding asks of the project, by its place.
    """

    def __init__(self, path: str, text: str, needs: Mapping[Place, tuple[tuple[str, str], ...]] | None = None) -> None:
        self.path = path
        self.needs = needs or {}
        self.original = text
        try:
            self.module = cst.parse_module(text)
        except Exception as problem:  # it has many ways to say so, and some are its own mistakes
            raise CannotFix(f"LibCST cannot parse the file ({type(problem).__name__})") from None
        self.memo: dict[str, object] = {}
        self.imports = Imports()
        self._changes: dict[cst.CSTNode, list[Change]] = {}

    def again(self) -> "Document":
        """The same parsed file with no change noted, and nothing that a fixer remembers."""
        known = {**self.__dict__, "_places": self._places, "parents": self.parents, "_code": self._code}
        other = Document.__new__(Document)
        other.__dict__.update(known)
        other.memo, other.imports, other._changes = {}, Imports(), {}
        return other

    @cached_property
    def quote(self) -> str:
        """The quotation mark that most short texts of the file stand in, the double one where none or both do."""
        marks = [node.quote for node in walk(self.module) if isinstance(node, cst.SimpleString)]
        return "'" if marks.count("'") > marks.count('"') else '"'

    @cached_property
    def tree(self) -> ast.Module:
        """The same file for `ast`, newer syntax lowered."""
        found, problem = parse(encoded(self.original))
        if found is None:
            raise CannotFix(problem.message if problem else "not parsed")
        return found

    @cached_property
    def names(self) -> dict[str, str]:
        """Bound name → dotted name of every import."""
        return imported_names(self.tree, self.path)

    @cached_property
    def _code(self) -> str:
        """LibCST's text of the unchanged file."""
        return self.module.code

    @cached_property
    def parents(self) -> dict[cst.CSTNode, cst.CSTNode]:
        """Node → the node around it."""
        return {child: node for node in walk(self.module) for child in children(node)}

    @cached_property
    def _places(self) -> dict[tuple[int, int], list[tuple[cst.CSTNode, tuple[int, int]]]]:
        """(line, column) → the nodes that start there with their ends, columns from 1."""
        found: dict[tuple[int, int], list[tuple[cst.CSTNode, tuple[int, int]]]] = {}
        ranges = MetadataWrapper(self.module, unsafe_skip_copy=True).resolve(PositionProvider)
        for node, place in ranges.items():
            start, end = place.start, place.end
            found.setdefault((start.line, start.column + 1), []).append((node, (end.line, end.column + 1)))
        return found

    def needs_of(self, finding: Finding) -> dict[str, str]:
        """What a finding asks of the project."""
        place = (finding.rule, finding.line, finding.column, finding.end_line, finding.end_column)
        return dict(self.needs.get(place, ()))

    def at(self, finding: Finding, *kinds: type[Node]) -> Node:
        """The node of one of `kinds` at the place of a finding. Raises `CannotFix` where there is none."""
        starting = [
            (node, end) for node, end in self._places.get((finding.line, finding.column), ()) if isinstance(node, kinds)
        ]
        exact = [node for node, end in starting if end == (finding.end_line, finding.end_column)]
        for node in exact or [node for node, _ in starting]:
            return node
        raise CannotFix("its place was not found in the file")

    def on_line(self, line: int, kind: type[Node]) -> list[Node]:
        """The nodes of a kind that end on a line of the statement that begins on `line` or is part of it."""
        found = [
            node
            for (first, _), starting in self._places.items()
            for node, (last, _) in starting
            if isinstance(node, kind) and first <= line <= last
        ]
        found.sort(key=lambda node: sum(1 for _ in self.around(node)))
        return list(dict.fromkeys(found))

    def comment_line(self, line: int) -> cst.EmptyLine:
        """The line of a comment that stands alone. Raises `CannotFix` where there is none."""
        known = self.memo.get("comment lines")
        if not isinstance(known, dict):
            ranges = MetadataWrapper(self.module, unsafe_skip_copy=True).resolve(WhitespaceInclusivePositionProvider)
            known = self.memo["comment lines"] = {
                place.start.line: node
                for node, place in ranges.items()
                if isinstance(node, cst.EmptyLine) and node.comment is not None
            }
        found = known.get(line)
        if not isinstance(found, cst.EmptyLine):
            raise CannotFix("its comment does not stand alone")
        return found

    def around(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """The nodes around a node, innermost first."""
        above = self.parents.get(node)
        while above is not None:
            yield above
            above = self.parents.get(above)

    def function(self, node: cst.CSTNode) -> cst.FunctionDef | None:
        """The innermost function around a node; None in a lambda, a class or at module level."""
        for above in self.around(node):
            if isinstance(above, _LOOPS_AND_CLAUSES):
                return above if isinstance(above, cst.FunctionDef) else None
        return None

    def change(self, node: Node, how: Callable[[Node], object]) -> None:
        """Note a change of a node: `how` gets it as changes inside left it."""
        self._changes.setdefault(node, []).append(how)  # type: ignore[arg-type]

    def mark(self) -> Mark:
        """The state of what was noted, for `take_back`."""
        return {node: len(noted) for node, noted in self._changes.items()}, self.imports.copy()

    def take_back(self, mark: Mark) -> None:
        """Forget what was noted since `mark`."""
        counts, self.imports = mark
        self._changes = {node: self._changes[node][:count] for node, count in counts.items()}

    def is_changed(self, node: cst.CSTNode) -> bool:
        """Whether a change of this very node was noted."""
        return node in self._changes

    def bound(self) -> frozenset[str]:
        """Every name that the file binds other than by an import."""
        known = self.memo.get("bound")
        if not isinstance(known, frozenset):
            known = self.memo["bound"] = frozenset(_bound(self.tree))
        return known

    def text(self) -> str:
        """The text with all changes, everything else byte for byte what it was."""
        touched: set[cst.CSTNode] = set(self._changes)
        for node in self._changes:
            for above in self.around(node):
                if above in touched:
                    break
                touched.add(above)
        changed = self.imports.applied(self.module.visit(_Changer(self._changes, touched)))
        after = changed.code
        if GONE in after:
            after = changed.visit(_Tidy()).code
        return spliced(self.original, self._code, after)


def _bound(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            yield node.name


def spliced(original: str, before: str, after: str) -> str:
    """`original` with the lines in which `after` differs from `before`.

    `before` is LibCST's text of the unchanged file: it may have lost form feeds, but no lines. Raises `CannotFix` where
    a line that changes would lose something.
    """
    if before == original:
        return after
    kept, old, new = lines_of(original), lines_of(before), lines_of(after)
    if len(kept) != len(old):
        raise CannotFix("LibCST does not keep the lines of the file")
    parts: list[str] = []
    for tag, first, last, start, end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            parts += kept[first:last]
            continue
        if kept[first:last] != old[first:last]:
            raise CannotFix("a line that would change holds a form feed")
        parts += new[start:end]
    return "".join(parts)


class _Changer(cst.CSTTransformer):
    """Applies the noted changes, inner ones first. Only what is `touched` holds any."""

    def __init__(self, changes: dict[cst.CSTNode, list[Change]], touched: Set[cst.CSTNode]) -> None:
        super().__init__()
        self.changes = changes
        self.touched = touched

    def on_visit(self, node: cst.CSTNode) -> bool:
        return node in self.touched

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> object:  # type: ignore[override]
        for how in self.changes.get(original_node, ()):
            updated_node = how(updated_node)  # type: ignore[assignment]
        if isinstance(updated_node, cst.FormattedStringExpression):
            return _unescaped(updated_node)
        return updated_node


def _unescaped(part: cst.FormattedStringExpression) -> cst.FormattedStringExpression:
    """What a string evaluates, with a space before a brace that it begins with: two braces are a text."""
    if code(part.whitespace_before_expression) or not code(part.expression).startswith("{"):
        return part
    return part.with_changes(whitespace_before_expression=cst.SimpleWhitespace(" "))


class _Tidy(cst.CSTTransformer):
    """Drops what is gone; the comments and blank lines above a line that went go to the next one."""

    def on_visit(self, node: cst.CSTNode) -> bool:
        return holds_statements(node)

    def leave_Module(self, original_node: cst.Module, updated_node: cst.Module) -> cst.Module:  # noqa: N802
        return _tidied(updated_node)

    def leave_IndentedBlock(  # noqa: N802
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.BaseSuite:
        return _tidied(updated_node)

    def leave_SimpleStatementLine(  # noqa: N802
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.SimpleStatementLine:
        return updated_node.with_changes(body=_kept(updated_node.body) or updated_node.body)

    def leave_SimpleStatementSuite(  # noqa: N802
        self, original_node: cst.SimpleStatementSuite, updated_node: cst.SimpleStatementSuite
    ) -> cst.SimpleStatementSuite:
        return updated_node.with_changes(body=_kept(updated_node.body) or [cst.Pass()])


def _kept(body: Sequence[cst.BaseSmallStatement]) -> list[cst.BaseSmallStatement]:
    """The small statements of a line that are not gone, without a semicolon that separates nothing."""
    kept = [part for part in body if not is_gone(part)]
    if kept and is_gone(body[-1]):
        kept[-1] = kept[-1].with_changes(semicolon=cst.MaybeSentinel.DEFAULT)
    return kept


Block = TypeVar("Block", cst.Module, cst.IndentedBlock)


def _is_gone(line: cst.CSTNode) -> bool:
    return isinstance(line, cst.SimpleStatementLine) and all(map(is_gone, line.body))


def _has_head(block: cst.Module | cst.IndentedBlock) -> bool:
    return isinstance(block, cst.Module) and any(empty.comment for empty in block.header)


def _risen(line: cst.CSTNode) -> cst.CSTNode:
    """A statement that is now the first of its block, without the blank lines above it."""
    above: list[cst.EmptyLine] = list(getattr(line, "leading_lines", ()))
    while above and above[0].comment is None:
        above.pop(0)
    return line.with_changes(leading_lines=above)


def _tidied(block: Block) -> Block:
    if not any(_is_gone(line) for line in block.body):
        return block
    kept: list[cst.CSTNode] = []
    pending: list[cst.EmptyLine] = []
    for line in block.body:
        above: list[cst.EmptyLine] = list(getattr(line, "leading_lines", ()))
        if _is_gone(line):
            if len(above) > len(pending) or any(empty.comment for empty in above):
                pending = above
            continue
        if pending and (len(pending) > len(above) or any(empty.comment for empty in pending)):
            comments = any(empty.comment for empty in above)
            kept.append(line.with_changes(leading_lines=[*pending, *above] if comments else pending))
        else:
            kept.append(line)
        pending = []
    if kept and _is_gone(block.body[0]) and not _has_head(block):
        kept[0] = _risen(kept[0])
    return block.with_changes(body=kept)

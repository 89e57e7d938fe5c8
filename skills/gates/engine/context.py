"""What a callback sees of the file that is walked: names, scopes, role, and the two doors out, `report` and
`fact`."""

import ast
from bisect import bisect_left
from collections.abc import Callable, Iterable
from functools import cached_property
from operator import attrgetter
from typing import Any

from skills.gates.engine.fingerprints import fingerprint_stem, without_layout
from skills.gates.engine.names import dotted, imported_names
from skills.gates.engine.roles import READ_AS, file_role, role_of_scope, why_of_scope
from skills.gates.engine.syntax import BLOCKS, SCOPES, header_of, parents_in
from skills.gates.model import Candidate, Confidence, Evidence, Fact, Severity

_TABLE = 12  # lines; a longer statement is a table

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
IsFixable = Callable[[str, ast.AST, "FileContext", str], bool]


def decode(source: bytes) -> str:
    """The text of a Python source, by its byte order mark or coding cookie; undecodable bytes are
    replaced."""
    if source.isascii():
        return source.decode("ascii")  # whatever a cookie says
    import tokenize  # nearly all sources are ASCII, and a hook feels the import

    try:
        first_lines = (line + b"\n" for line in source.split(b"\n", 2)[:2])  # a cookie stands in one of them
        encoding, _ = tokenize.detect_encoding(first_lines.__next__)
    except (SyntaxError, StopIteration):
        encoding = "utf-8"
    return source.decode(encoding, "replace").removeprefix("\ufeff")


def lines_in(source: bytes) -> list[str]:
    """The lines of a Python source, without their ends: a form feed or the like ends none, as for the parser."""
    text = decode(source)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.split("\n")


def has_odd_ends(source: bytes) -> bool:
    """True where a carriage return alone ends a line, as no editor writes it any more."""
    return b"\r" in source and source.count(b"\r") != source.count(b"\r\n")


def lines_of(source: bytes, words: Iterable[bytes]) -> list[int]:
    """The lines (from 1) on which one of the words begins, in order; not for sources with odd ends of lines."""
    places: set[int] = set()
    for word in words:
        at = source.find(word)
        while at >= 0:
            places.add(at)
            at = source.find(word, at + len(word))
    return numbered(source, places)


def numbered(source: bytes, places: Iterable[int]) -> list[int]:
    """The lines (from 1) of some places in a source, in order, each once."""
    lines: list[int] = []
    line, before = 1, 0
    for at in sorted(places):
        line += source.count(b"\n", before, at)
        before = at
        if not lines or lines[-1] != line:
            lines.append(line)
    return lines


class Words:
    """Words to look for on lines; with `lower` in a source that is read as if it were all in lower case."""

    __slots__ = ("lower", "words")

    def __init__(self, *words: bytes, lower: bool = False) -> None:
        self.words = words
        self.lower = lower


_IMPORT = Words(b"import")


class FileContext:
    """One file while it is walked. `scopes` are the classes and functions around the current node, outermost
    first; `is_fixable` says of a rule's finding at a node, with its message, whether a fix is worth a try;
    `tenant_fields` are what the relation of a row to its tenant is called."""

    def __init__(
        self, path: str, source: bytes, tree: ast.Module, is_fixable: IsFixable, tenant_fields: tuple[str, ...]
    ) -> None:
        self.path = path
        self.source = source
        self.tree = tree
        self._is_fixable = is_fixable
        self.tenant_fields = tenant_fields
        self.scopes: list[ast.ClassDef | FunctionNode] = []
        self.statement: ast.AST = tree
        self.memo: dict[str, object] = {}
        self._candidates: list[Candidate] = []
        self._facts: dict[tuple[str, str, str, int], int] = {}
        self._ordinals: dict[str, int] = {}
        self._texts: dict[tuple[int, int, int], str] = {}
        self._held: dict[bytes, bool] = {}
        self._roles: dict[ast.AST, tuple[Evidence, ...] | None] = {}
        self._is_ascii = source.isascii()
        self._mentioned: dict[Words, list[int]] = {}
        self._parents: tuple[ast.AST | None, dict[ast.AST, ast.AST]] = (None, {})

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the file, without their ends."""
        return lines_in(self.source)

    def mentions(self, words: "Words", node: ast.AST) -> bool:
        """True where one of `words` stands on the lines of a node; much faster than a look at what is below it."""
        return self.stand_on(words, node.lineno, node.end_lineno)  # type: ignore[attr-defined]

    def stand_on(self, words: "Words", first: int, last: int) -> bool:
        """True where one of `words` stands on one of the lines from `first` to `last`."""
        lines = self._mentioned.get(words)
        if lines is None:
            lines = self.lines_with(words)
        at = bisect_left(lines, first)
        return at < len(lines) and lines[at] <= last

    def lines_with(self, words: "Words") -> list[int]:
        """The lines on which one of `words` stands, in order."""
        lines = self._mentioned.get(words)
        if lines is None:
            source = self.source.lower() if words.lower else self.source
            lines = list(range(1, len(self.lines) + 1)) if has_odd_ends(source) else lines_of(source, words.words)
            self._mentioned[words] = lines
        return lines

    def holds(self, word: bytes) -> bool:
        """Whether a word stands anywhere in the file. Looked for once."""
        found = self._held.get(word)
        if found is None:
            found = self._held[word] = word in self.source
        return found

    @cached_property
    def imports(self) -> dict[str, str]:
        """Bound name → dotted name of every import of the file."""
        return imported_names(self.tree, self.path, lambda node: self.mentions(_IMPORT, node))

    @cached_property
    def packages(self) -> frozenset[str]:
        """The packages that the file imports, or imports from."""
        return frozenset(name.partition(".")[0] for name in self.imports.values())

    @cached_property
    def role_and_why(self) -> tuple[str, str]:
        """What the file is for, and what says so."""
        return file_role(self.tree, self.path)

    @property
    def role(self) -> str:
        """What the file is for."""
        return self.role_and_why[0]

    @property
    def function(self) -> FunctionNode | None:
        """The innermost function around the current node."""
        for scope in reversed(self.scopes):
            if scope.__class__ is not ast.ClassDef:
                return scope  # type: ignore[return-value]
        return None

    @property
    def class_scope(self) -> ast.ClassDef | None:
        """The innermost class around the current node."""
        for scope in reversed(self.scopes):
            if isinstance(scope, ast.ClassDef):
                return scope
        return None

    @property
    def symbol(self) -> str:
        """The qualified name around the current node: "OrderViewSet.create", "" at module level."""
        return ".".join(scope.name for scope in self.scopes)

    def symbol_of(self, name: str) -> str:
        """The qualified name of what is called `name` in the current node."""
        return f"{self.symbol}.{name}" if self.scopes else name

    def resolve(self, node: ast.AST) -> str | None:
        """The dotted name of an expression through the imports: `um.Mock` → "unittest.mock.Mock"; None for
        others."""
        name = dotted(node)
        if name is None:
            return None
        root, dot, rest = name.partition(".")
        return self.imports.get(root, root) + dot + rest

    def parent(self, node: ast.AST) -> ast.AST | None:
        """The parent of a node inside the current statement, None for the statement itself."""
        owner, parents = self._parents
        if owner is not self.statement:
            parents = parents_in(self.statement)
            self._parents = (self.statement, parents)
        return parents.get(node)

    def header(self, node: ast.ClassDef | FunctionNode) -> range:
        """The lines of a class or function down to its body, decorators included."""
        return header_of(node, self.lines)

    def frame(self, node: FunctionNode) -> list[int]:
        """The lines of a function's header around its parameters: of its decorators, and of what it returns."""
        header = self.header(node)
        return [*range(header[0], node.lineno), header[-1]]

    def column(self, line: int, offset: int) -> int:
        """The column (from 1, in characters) of a UTF-8 byte offset on a line."""
        if self._is_ascii or not 0 < line <= len(self.lines) or self.lines[line - 1].isascii():
            return offset + 1
        return len(self.lines[line - 1].encode()[:offset].decode("utf-8", "replace")) + 1

    def fact(self, kind: str, name: str, detail: str = "", line: int = 0) -> None:
        """Says one thing about the project. Equal facts are counted; `line` 0 leaves the place out."""
        said = (kind, name, detail, line)
        self._facts[said] = self._facts.get(said, 0) + 1

    def report(
        self,
        rule: str,
        node: ast.AST,
        message: str,
        *,
        confidence: Confidence = "confirmed",
        severity: Severity | None = None,
        needs: tuple[tuple[str, str], ...] = (),
        evidence: tuple[Evidence, ...] = (),
        fixable: bool = False,
        also: tuple[str, ...] = (),
        symbol: str | None = None,
        parts: Iterable[int] = (),
    ) -> None:
        """Adds a candidate at `node`. Of a class or function its first line is marked, of others with a block the head;
        `parts` are the other lines of which the rule speaks."""
        line, start = node.lineno, node.col_offset  # type: ignore[attr-defined]
        if BLOCKS.get(node.__class__):
            end_line = line if node.__class__ in SCOPES else header_of(node, self.lines)[-1]
            end = len(self.lines[end_line - 1].rstrip().encode())
        else:
            end_line, end = node.end_lineno, node.end_col_offset  # type: ignore[attr-defined]
        scope = self.symbol if symbol is None else symbol
        if not evidence or not any(said.text.startswith(READ_AS) for said in evidence):
            evidence += self._scope_evidence(node)
        self._candidates.append(
            Candidate(
                rule,
                line,
                start + 1 if self._is_ascii else self.column(line, start),
                end_line,
                end + 1 if self._is_ascii else self.column(end_line, end),
                scope,
                message,
                self._fingerprint(rule, scope, node),
                confidence,
                severity,
                needs,
                evidence,
                fixable or (confidence != "needs_context" and self._is_fixable(rule, node, self, message)),
                also,
                tuple(part for part in dict.fromkeys(parts) if not line <= part <= end_line) if parts else (),
            )
        )

    def _scope_evidence(self, node: ast.AST) -> tuple[Evidence, ...]:
        """Why the class or function around is read as something else than its file: an endpoint among middleware."""
        if self.role == "test":
            return ()
        scopes: list[Any] = [*self.scopes, node] if node.__class__ in SCOPES else self.scopes
        for scope in reversed(scopes):
            if scope not in self._roles:
                role = role_of_scope([scope], "")
                same = role == self.role
                said = () if same or not role else (Evidence(self.path, scope.lineno, why_of_scope(scope, role)),)
                self._roles[scope] = said if role else None
            known = self._roles[scope]
            if known is not None:
                return known
        return ()

    def candidates(self) -> tuple[Candidate, ...]:
        """What was reported, by place."""
        return tuple(sorted(self._candidates, key=attrgetter("line", "column", "rule")))

    def facts(self) -> tuple[Fact, ...]:
        """What was said, equal facts counted."""
        return tuple(Fact(*said, count) for said, count in self._facts.items())

    def _own_text(self, statement: ast.AST) -> str | None:
        """The text of a statement on whose line other code stands, `if x: return` or `a(); b()`, which a formatter
        gives a line; None for one that has its lines for itself."""
        start, end = statement.col_offset, statement.end_col_offset  # type: ignore[attr-defined]
        lines = self.lines[statement.lineno - 1 : statement.end_lineno]  # type: ignore[attr-defined]
        first, last = lines[0].encode(), lines[-1].encode()
        if not first[:start].strip() and last[end:].lstrip()[:1] != b";":
            return None
        if len(lines) == 1:
            return first[start:end].decode(errors="replace")
        return "\n".join((first[start:].decode(errors="replace"), *lines[1:-1], last[:end].decode(errors="replace")))

    def _fingerprint(self, rule: str, scope: str, node: ast.AST) -> str:
        """Of path, rule, scope, the statement's text without layout, and its ordinal among equals."""
        statement = self.statement
        if not hasattr(statement, "lineno"):
            statement = node
        first: int = statement.lineno  # type: ignore[attr-defined]
        body = getattr(statement, "body", None)
        head = body[0] if body.__class__ is list and body else None
        last = statement.end_lineno if head is None else head.lineno - 1  # type: ignore[attr-defined]
        last = max(first, last)
        is_row = head is None and last - first > _TABLE and isinstance(node, ast.expr)
        if is_row:  # a table of settings or routes changes row by row
            first, last = node.lineno, node.end_lineno  # type: ignore[attr-defined]
        place = (first, last, statement.col_offset)  # type: ignore[attr-defined]
        text = self._texts.get(place)
        if text is None:
            own = self._own_text(statement) if head is None and not is_row else None
            whole = own or "\n".join(self.lines[first - 1 : last])
            if head is not None and head.lineno == first:
                whole = whole.encode()[: head.col_offset].decode(errors="replace")
            text = self._texts[place] = without_layout(whole)
        key = fingerprint_stem(self.path, rule, scope, text)
        ordinal = self._ordinals.get(key, 0)
        self._ordinals[key] = ordinal + 1
        return f"{key}{ordinal:02x}"

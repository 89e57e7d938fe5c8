"""One parse and one walk per file for all rules.

The walk is a stack of its own over `ast` nodes, in source order, with a table node type → callbacks. Only
callbacks whose trigger words stand in the bytes of the file take part; where none does, the file is parsed
and not walked.
"""

import ast
import re
import warnings
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from skills.gates.context import FileContext
from skills.gates.model import FileReport, SyntaxProblem
from skills.gates.roles import is_test_path, path_role
from skills.gates.rule import Callback, Observer, Rule, Watch
from skills.gates.suppressions import FOREIGN_MARKS, MARK, find_foreign, find_suppressions
from skills.gates.syntax import BLOCKS, CHILDREN, STATEMENTS

_Entry = tuple[str, Watch]
_Callbacks = tuple[tuple[str, Callback], ...]
_Plan = dict[type, tuple[int, _Callbacks, tuple[str, ...]] | None]

_SCOPES = frozenset({ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef})
_EXPRESSION, _STATEMENT, _SCOPE, _END = range(4)


class _Leave:
    """Stands on the stack where a scope ends."""


_LEAVE = _Leave()


@lru_cache(maxsize=4096)
def _plan(entries: tuple[_Entry, ...]) -> _Plan:
    """Node type → what is to be done at such a node, None where that is nothing.

    Where no callback wants an expression, expressions are not looked into: they hold no statements.
    """
    table: dict[type, list[tuple[str, Callback]]] = {}
    for name, watch in entries:
        for kind in watch.nodes:
            table.setdefault(kind, []).append((name, watch.call))
    fields_of = BLOCKS if table.keys() <= BLOCKS.keys() else CHILDREN
    plan: _Plan = dict.fromkeys(CHILDREN)
    for kind, fields in fields_of.items():
        place = _SCOPE if kind in _SCOPES else _STATEMENT if kind in STATEMENTS else _EXPRESSION
        if fields or place or kind in table:
            plan[kind] = (place, tuple(table.get(kind, ())), fields)
    plan[_Leave] = (_END, (), ())
    return plan


class Analyser:
    """All rules and observers, ready to read files. It keeps nothing between files."""

    def __init__(self, rules: Iterable[Rule], observers: Iterable[Observer]) -> None:
        parts: list[Rule | Observer] = [*rules, *observers]
        self._entries = [(part.name, watch) for part in parts for watch in part.watches]
        triggers = {word for _, watch in self._entries for word in watch.triggers}
        # the longest word of each trigger: where that is not in the file, the trigger is not either
        self._piece = {word: max(_WORD.findall(word), key=len, default=b"") for word in triggers}

    def read(self, path: str, source: bytes) -> FileReport:
        """The report of one file. Never raises: what cannot be judged is its `problem`, a failing rule is in
        `crashed`."""
        tree, problem = parse(source)
        if tree is None:
            return FileReport(path, *_role_by_path(path), problem=problem, parsed=False)
        context = FileContext(path, source, tree)
        try:
            entries = self._wanted(path, source)
            crashed = _walk(tree, _plan(entries), context) if entries else ()
            facts, candidates = context.facts(), context.candidates()
            suppressions = find_suppressions(source, tree) if MARK in source else ()
            if candidates and any(word in source for word in FOREIGN_MARKS):
                suppressions += find_foreign(source, tree)
            role, why = context.role_and_why
        except (RecursionError, MemoryError):
            problem = SyntaxProblem(1, "too deeply nested to be judged")
            return FileReport(path, *_role_by_path(path), problem=problem, parsed=False)
        except Exception as error:  # one file that nobody foresaw must not stop the check of all others
            problem = SyntaxProblem(1, _one_line(f"could not be judged: {type(error).__name__}: {error}"))
            return FileReport(path, *_role_by_path(path), problem=problem, parsed=False)
        return FileReport(path, role, why, candidates, facts, suppressions, None, crashed, places=_places(source))

    def _wanted(self, path: str, source: bytes) -> tuple[_Entry, ...]:
        """The watches that can have something to say about this file."""
        present: dict[bytes, bool] = {}
        places: dict[object, bool] = {None: True}
        wanted: list[_Entry] = []
        # each word of the file once: a fifth of its bytes
        words = b" ".join(set(source.translate(_WORDS_ONLY).split()))
        for entry in self._entries:
            watch = entry[1]
            here = places.get(watch.where)
            if here is None and watch.where is not None:
                here = places[watch.where] = watch.where(path)
            if not here:
                continue
            for word in watch.triggers:
                seen = present.get(word)
                if seen is None:
                    piece = self._piece[word]
                    seen = present[word] = piece in words and (piece == word or word in source)
                if seen:
                    wanted.append(entry)
                    break
            else:
                if not watch.triggers:
                    wanted.append(entry)
        return tuple(wanted)


_WORD = re.compile(rb"\w+")
_WORDS_ONLY = bytes(code if chr(code).isalnum() or code == 95 or code > 127 else 32 for code in range(256))
_SCOPE_LINE = re.compile(rb"^[ \t]*(?:async[ \t]+def|def|class)[ \t]+\w", re.MULTILINE)


def _places(source: bytes) -> int:
    """Functions, classes and the module level. Counted by the line, which is a hundred times faster than a walk."""
    return 1 + len(_SCOPE_LINE.findall(source))


def _role_by_path(path: str) -> tuple[str, str]:
    return ("test" if is_test_path(path) else path_role(path) or "module"), "path"


def parse(source: bytes) -> tuple[ast.Module | None, SyntaxProblem | None]:
    """(tree, None), or (None, why not). Syntax newer than the running Python is lowered, lines kept."""
    try:
        return _parse(source), None
    except SyntaxError as error:
        if b"\0" in source:
            return None, _null_byte(source)
        problem = SyntaxProblem(max(1, error.lineno or 1), _one_line(f"syntax error: {error.msg}"))
        return _parse_newer(source), problem
    except (RecursionError, MemoryError):
        return None, SyntaxProblem(1, "too deeply nested to be parsed")
    except ValueError:
        return None, _null_byte(source)


def _null_byte(source: bytes) -> SyntaxProblem:
    return SyntaxProblem(source[: max(0, source.find(b"\0"))].count(b"\n") + 1, "not Python source: a null byte")


def _parse(source: bytes) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


def _parse_newer(source: bytes) -> ast.Module | None:
    from skills.gates.lowering import lower

    lowered = lower(source)
    if lowered is None:
        return None
    try:
        return _parse(lowered)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]


def _call(callbacks: _Callbacks, node: ast.AST, context: FileContext, crashed: dict[str, str]) -> None:
    for name, call in callbacks:
        if name not in crashed:
            try:
                call(node, context)
            except Exception as error:  # a rule's own mistake must not cost the answers of the others
                crashed[name] = _one_line(f"{type(error).__name__}: {error}")


def _walk(tree: ast.Module, plan: _Plan, context: FileContext) -> tuple[tuple[str, str], ...]:
    """Visits the tree once; answers the rules that raised, with the reason in one line."""
    stack: list[Any] = [tree]
    pop, push = stack.pop, stack.append
    scopes = context.scopes
    crashed: dict[str, str] = {}
    while stack:
        node = pop()
        step = plan[node.__class__]
        if step is None:
            continue
        place, callbacks, fields = step
        if place:
            if place == _END:
                scopes.pop()
                continue
            context.statement = node
        if callbacks:
            _call(callbacks, node, context, crashed)
        if place == _SCOPE:
            scopes.append(node)
            push(_LEAVE)
        for field in fields:
            value = getattr(node, field)
            if value.__class__ is list:
                if value:
                    stack += value[::-1]
            elif value is not None:
                push(value)
    return tuple(sorted(crashed.items()))

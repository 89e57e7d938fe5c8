"""One parse and one walk per file for all rules.

The walk is a stack of its own over the statements, in source order, with a table node type → callbacks. Only
callbacks whose words stand in the bytes of the file take part. Most rules about expressions also know words of which
one stands in every statement that they could report: expressions are looked into there, and nowhere else.
"""

import ast
import warnings
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, TypeVar

from skills.gates.engine.context import FileContext, IsFixable
from skills.gates.engine.plan import BLOCK, END, LEAVE, SCOPE, SIMPLE, Callbacks, Expressions, Plan, make_plan
from skills.gates.engine.prefilter import MOST_PLANS, Prefilter
from skills.gates.engine.roles import is_test_path, path_role
from skills.gates.engine.suppressions import find_foreign, find_suppressions, has_foreign_marks
from skills.gates.model import MARK, TENANT_FIELD, TENANT_FIELDS, FileReport, SyntaxProblem
from skills.gates.rule import Observer, Rule

_Read = TypeVar("_Read")
_NO_LINE = 1 << 60  # below the last one of every file


class Analyser:
    """All rules and observers, ready to read files. Of a file it keeps nothing but which words it knows."""

    def __init__(self, rules: Iterable[Rule], observers: Iterable[Observer]) -> None:
        parts: list[Rule | Observer] = [*rules, *observers]
        self._entries = [(part.name, watch) for part in parts for watch in part.watches]
        self._of_tenants = sum(1 << place for place, (_, watch) in enumerate(self._entries) if watch.tenants)
        self._prefilter = Prefilter([watch for _, watch in self._entries])
        self._plans: dict[int, Plan] = {}

    def read(
        self, path: str, source: bytes, tenant_fields: tuple[str, ...] = TENANT_FIELDS, *, tenants: bool = True
    ) -> FileReport:
        """The report of one file. Never raises: what cannot be judged is its `problem`, a failing rule is in
        `crashed`. What is about rows of tenants is deferred where there are no `tenants`."""
        tree, problem = parse(source)
        if tree is None:
            return FileReport(path, *_role_by_path(path), problem=problem, parsed=False)
        context = FileContext(path, source, tree, _is_fixable, tenant_fields)
        try:
            look = self._prefilter.look(path, source)
            deferred = 0 if tenants else look.chosen & self._of_tenants
            crashed, places = _walk(tree, self._plan(look.chosen & ~deferred), look.lines, context)
            facts, candidates = context.facts(), context.candidates()
            suppressions = find_suppressions(source, tree) if MARK in source else ()
            if candidates and has_foreign_marks(source):
                suppressions += find_foreign(source, tree)
            role, why = context.role_and_why
        except (RecursionError, MemoryError):
            problem = SyntaxProblem(1, "too deeply nested to be judged")
            return FileReport(path, *_role_by_path(path), problem=problem, parsed=False)
        except Exception as error:  # one file that nobody foresaw must not stop the check of all others
            problem = SyntaxProblem(1, _one_line(f"could not be judged: {type(error).__name__}: {error}"))
            return FileReport(path, *_role_by_path(path), problem=problem, parsed=False)
        has_tenants = any(fact.kind == TENANT_FIELD for fact in facts)
        return FileReport(
            path, role, why, candidates, facts, suppressions, None, crashed, True, places, has_tenants, bool(deferred)
        )

    def _plan(self, chosen: int) -> Plan:
        plan = self._plans.get(chosen)
        if plan is None:
            if len(self._plans) > MOST_PLANS:
                self._plans.clear()
            entries = [entry for place, entry in enumerate(self._entries) if chosen >> place & 1]
            plan = self._plans[chosen] = make_plan(entries)
        return plan


@cache
def _fixable() -> IsFixable:
    from skills.gates.fixes.registry import is_fixable  # most files have no findings

    return is_fixable


def _is_fixable(rule: str, node: ast.AST, context: FileContext, message: str) -> bool:
    return _fixable()(rule, node, context, message)


def _role_by_path(path: str) -> tuple[str, str]:
    return ("test" if is_test_path(path) else path_role(path) or "module"), "path"


def parse(source: bytes) -> tuple[ast.Module | None, SyntaxProblem | None]:
    """(tree, None), or (None, why not). Syntax newer than the running Python is lowered, lines kept."""
    try:
        return _quietly(ast.parse, source), None
    except SyntaxError as error:
        if b"\0" in source:
            return None, _null_byte(source)
        problem = SyntaxProblem(max(1, error.lineno or 1), _one_line(f"syntax error: {error.msg}"))
        from skills.gates.engine.lowering import lower

        return _quietly(lower, source), problem
    except (RecursionError, MemoryError):
        return None, SyntaxProblem(1, "too deeply nested to be parsed")
    except ValueError:
        return None, _null_byte(source)


def _null_byte(source: bytes) -> SyntaxProblem:
    return SyntaxProblem(source[: max(0, source.find(b"\0"))].count(b"\n") + 1, "not Python source: a null byte")


def _quietly(read: Callable[[bytes], _Read], source: bytes) -> _Read:
    """Without the warnings that parsing gives about the code."""
    if warnings.filters and warnings.filters[0][:3] == ("ignore", None, Warning):
        return read(source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read(source)


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]


def _walk(
    tree: ast.Module, plan: Plan, lines: list[int] | None, context: FileContext
) -> tuple[tuple[tuple[str, str], ...], int]:
    """Visits the tree once; answers the rules that raised, with the reason in one line, and how many functions and
    classes there are, the module level counted as one.

    `lines` are those on which words stand that are near to something (None: all lines).
    """
    stack: list[Any] = [tree]
    pop, push = stack.pop, stack.append
    scopes = context.scopes
    crashed: dict[str, str] = {}
    far, near = plan.far, plan.near
    steps = plan.steps if lines is None or lines or far is not None else plan.bare
    marked = iter([*(lines or ()), _NO_LINE])
    upcoming = next(marked)  # the first marked line that does not stand above the statement: they come in source order
    places = 1
    while stack:
        node = pop()
        step = steps[node.__class__]
        if step is None:
            continue
        place, callbacks, near_callbacks, blocks, headers = step
        table = far
        if place:
            if place == END:
                scopes.pop()
                continue
            context.statement = node
            first = node.lineno if place <= BLOCK else _first_line(node)
            while upcoming < first:
                upcoming = next(marked)
            if upcoming <= (node.end_lineno if place == SIMPLE else node.body[0].lineno) or lines is None:
                callbacks, table = near_callbacks, near
        if callbacks:
            _call(callbacks, node, context, crashed)
        if place == SCOPE:
            scopes.append(node)
            push(LEAVE)
            places += 1
        if table is not None and headers:
            _look_into(node, headers, table, context, crashed)
        for field in blocks:
            value = getattr(node, field)
            if value:
                stack += value[::-1]
    return tuple(sorted(crashed.items())), places


def _call(callbacks: Callbacks, node: ast.AST, context: FileContext, crashed: dict[str, str]) -> None:
    for name, call in callbacks:
        if crashed and name in crashed:
            continue
        try:
            call(node, context)
        except Exception as error:  # a rule's own mistake must not cost the answers of the others
            crashed[name] = _one_line(f"{type(error).__name__}: {error}")


def _first_line(node: Any) -> int:
    """The first line of a function, a class or a case."""
    if node.__class__ is ast.match_case:
        return node.pattern.lineno
    decorators = node.decorator_list
    return decorators[0].lineno if decorators else node.lineno  # type: ignore[no-any-return]


def _look_into(
    owner: ast.AST, headers: tuple[str, ...], table: Expressions, context: FileContext, crashed: dict[str, str]
) -> None:
    """Visits the expressions of one statement."""
    stack: list[Any] = []
    pop, push = stack.pop, stack.append
    node, fields = owner, headers
    callbacks: Callbacks = ()
    while True:
        if callbacks:
            _call(callbacks, node, context, crashed)
        for field in fields:
            value = getattr(node, field)
            if value.__class__ is list:
                if value:
                    stack += value[::-1]
            elif value is not None:
                push(value)
        step = None
        while step is None:
            if not stack:
                return
            node = pop()
            step = table[node.__class__]
        callbacks, fields = step

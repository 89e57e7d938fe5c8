"""What a coroutine waits for by way of plain functions and methods of its own file."""

import ast
import sys
from collections.abc import Callable, Iterator
from typing import Any

from msgspec.structs import replace

from skills.gates.bindings import lookup
from skills.gates.context import FileContext, FunctionNode
from skills.gates.model import Candidate, Evidence, FileReport
from skills.gates.names import module_name
from skills.gates.project import Project
from skills.gates.syntax import BLOCKS, HEADERS, descendants
from skills.record import record

WAITS = "waits"
PLAIN_WORDS = (
    b"requests.", b"httpx.", b"urlopen(", b"subprocess.", b"open(", b"sleep(", b"read_text(", b"write_text(",
    b"read_bytes(", b"write_bytes(", b"shutil.", b"smtplib.",
)  # fmt: skip
"""What stands beside the calls for which the functions of other files are known to wait."""
_LIBRARIES = frozenset({"fastapi", "starlette", "pydantic", "sqlalchemy", "django", "asyncio", "anyio", "aiohttp"})
_FURTHEST = 3
_MEMO = "blocking-hops"
_RUN_AT_ONCE = frozenset({"staticmethod", "classmethod"})
"""Decorators that leave a call what it is: it runs here and now."""


@record
class Wait:
    """A call that blocks: its line, its function as written, and what it waits for, in words."""

    line: int
    shown: str
    what: str
    sleeps: bool = False


Judge = Callable[[ast.Call, FileContext], Wait | None]


def may_be_local(function: ast.expr, context: FileContext) -> bool:
    """A cheap test that every call passes which `wait_behind` answers for."""
    if isinstance(function, ast.Attribute):
        owner = function.value
        name = function.attr if isinstance(owner, ast.Name) and owner.id in ("self", "cls") else ""
    else:
        name = function.id if isinstance(function, ast.Name) and function.id not in context.imports else ""
    return bool(name) and context.holds(b"def %s(" % name.encode())


def is_of_project(function: ast.expr, context: FileContext) -> bool:
    """A cheap test of what may be a plain function of another file of the project."""
    while isinstance(function, ast.Attribute):
        function = function.value
    name = context.imports.get(function.id) if isinstance(function, ast.Name) else None
    if name is None or "." not in name:
        return False
    root = name.partition(".")[0]
    return root not in _LIBRARIES and root not in sys.stdlib_module_names


def waits_elsewhere(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    """The candidate, with what the function of another file waits for; None where no such function waits."""
    if not candidate.needs:
        return candidate
    module, _, name = candidate.needs[0][1].rpartition(".")
    for path, fact in project.named(WAITS, name):
        if f".{module_name(path)}".endswith(f".{module}"):
            message = f"{candidate.message.removesuffix(' waits')} {fact.detail}, inside a coroutine: "
            message += "use `await asyncio.to_thread(…)`"
            said = Evidence(path, fact.line, f"`{name}` {fact.detail}")
            return replace(candidate, message=message, evidence=(said, *candidate.evidence))
    return None


def in_lambda(node: ast.AST, context: FileContext) -> bool:
    """True for what stands in a lambda of its statement."""
    above = context.parent(node)
    while above is not None:
        if isinstance(above, ast.Lambda):
            return True
        above = context.parent(above)
    return False


def yields(function: ast.FunctionDef) -> bool:
    """True for a generator: a call alone runs nothing of it."""
    return any(isinstance(part, (ast.Yield, ast.YieldFrom)) for _, part in _own_calls(function))


def wait_behind(node: ast.Call, context: FileContext, judge: Judge) -> tuple[Wait, tuple[Evidence, ...]] | None:
    """The first call that blocks in what a call runs, with the lines on the way to it; None where nothing does."""
    found = _target(node, context)
    if found is None:
        return None
    return _of_function(*found, context, judge, _FURTHEST)


def _target(node: ast.Call, context: FileContext) -> tuple[ast.FunctionDef, list[Any]] | None:
    """The plain function of this file that a call runs, and the scopes around its body."""
    function = node.func
    target: ast.AST | None = None
    scopes: list[Any] = []
    if isinstance(function, ast.Name):
        found = lookup(context, function.id, function.lineno)
        target = found.node if found is not None and found.kind == "definition" else None
        scopes = [] if target in context.tree.body else list(context.scopes)
    elif isinstance(function, ast.Attribute) and context.class_scope is not None:
        owner = context.class_scope
        named = [part for part in owner.body if isinstance(part, FunctionNode) and part.name == function.attr]
        target, scopes = (named[-1] if named else None), [owner]
    if not isinstance(target, ast.FunctionDef):
        return None
    if any(not isinstance(one, ast.Name) or one.id not in _RUN_AT_ONCE for one in target.decorator_list):
        return None
    return target, [*scopes, target]


def _of_function(
    function: ast.FunctionDef, scopes: list[Any], context: FileContext, judge: Judge, depth: int
) -> tuple[Wait, tuple[Evidence, ...]] | None:
    known = context.memo.setdefault(_MEMO, {})
    assert isinstance(known, dict)
    found: tuple[Wait, tuple[Evidence, ...]] | None = known.get(function)
    if function in known or depth == 0:
        return found
    known[function] = None  # whoever calls itself waits for nothing new
    before = context.scopes, context.statement
    context.scopes = scopes
    try:
        found = known[function] = _first(function, context, judge, depth)
    finally:
        context.scopes, context.statement = before
    return found


def _first(
    function: ast.FunctionDef, context: FileContext, judge: Judge, depth: int
) -> tuple[Wait, tuple[Evidence, ...]] | None:
    calls = list(_own_calls(function))
    if any(isinstance(part, (ast.Yield, ast.YieldFrom)) for _, part in calls):
        return None  # a generator: the call alone runs nothing of it
    for statement, call in calls:
        context.statement = statement
        assert isinstance(call, ast.Call)
        wait = judge(call, context)
        if wait is not None:
            return wait, (Evidence(context.path, wait.line, context.lines[wait.line - 1].strip()[:120]),)
        target = _target(call, context) if may_be_local(call.func, context) else None
        deeper = _of_function(*target, context, judge, depth - 1) if target is not None else None
        if deeper is not None:
            line = context.lines[call.lineno - 1].strip()[:120]
            return deeper[0], (Evidence(context.path, call.lineno, line), *deeper[1])
    return None


def _own_calls(function: ast.FunctionDef) -> Iterator[tuple[ast.stmt, ast.AST]]:
    """The calls and yields of a function with their statements, without those of lambdas and functions inside."""
    stack: list[Any] = function.body[::-1]
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        for field in HEADERS[node.__class__]:
            value = getattr(node, field)
            for part in value if isinstance(value, list) else [value] if value is not None else []:
                yield from ((node, inner) for inner in _expressions(part))
        for field in BLOCKS[node.__class__]:
            stack += (getattr(node, field) or [])[::-1]


def _expressions(node: ast.AST) -> Iterator[ast.AST]:
    lambdas = [part for part in descendants(node) if isinstance(part, ast.Lambda)]
    inside = {inner for part in lambdas for inner in descendants(part)}
    for part in descendants(node):
        if isinstance(part, (ast.Call, ast.Yield, ast.YieldFrom)) and part not in inside:
            yield part

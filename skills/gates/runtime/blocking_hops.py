"""What a coroutine waits for by way of plain functions and methods, of its own file or of another one."""

import ast
from collections.abc import Callable, Iterator
from typing import Any

from msgspec.structs import replace

from skills.gates.analysis.bindings import origin
from skills.gates.analysis.blocking_receivers import ITSELF, MAKES, RECEIVERS
from skills.gates.analysis.call_targets import Target, is_context_manager, runs_at_once, target_of
from skills.gates.analysis.receivers import TypeReader, own_attributes
from skills.gates.analysis.waits import Waits
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name, module_name
from skills.gates.engine.syntax import BLOCKS, HEADERS, descendants
from skills.gates.model import Candidate, Evidence, FileReport
from skills.gates.project import Place, Project
from skills.record import record

WAITS, ENTERS, HELD = "waits", "enters", "held-client"
SLEEPS = "sleeps"
TYPES = TypeReader(frozenset(RECEIVERS), MAKES, ITSELF)
PLAIN_WORDS = (
    b"requests.", b"httpx.", b"urlopen(", b"subprocess.", b"open(", b"sleep(", b"read_text(", b"write_text(",
    b"read_bytes(", b"write_bytes(", b"shutil.", b"smtplib.",
)  # fmt: skip
"""What stands beside the calls for which the functions of other files are known to wait."""
CLIENT_WORDS = (
    b"requests", b"httpx.Client", b"sqlalchemy.orm", b"sqlmodel", b"redis", b"psycopg", b"sqlite3", b"boto3",
    b"pymongo", b"OpenAI(", b"Anthropic(",
)  # fmt: skip
"""What stands in a file that works with a client of which the methods wait."""
CLIENT_CALLS = (
    b".get(", b".post(", b".put(", b".patch(", b".delete(", b".request(", b".execute(", b".query(", b".scalar(",
    b".scalars(", b".commit(", b".flush(", b".refresh(", b".exec(", b".create(", b".find_one(", b"_object(", b"_file(",
    b".set(", b".connect(",
)  # fmt: skip
_FURTHEST = 3
_MEMO, _NOTED, _CALLERS = "blocking-hops", "blocking-hops: noted", "blocking-hops: callers"


@record
class Wait:
    """A call that blocks: its line, its function as written, and what it waits for, in words."""

    line: int
    shown: str
    what: str

    @property
    def sleeps(self) -> bool:
        """True for `time.sleep`."""
        return self.what == SLEEPS


Judge = Callable[[ast.Call, FileContext], Wait | None]
Way = tuple[Wait, tuple[Evidence, ...]]


def waits_elsewhere(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    """The candidate, with what the function of another file waits for; None where no such function waits."""
    if not candidate.needs:
        return candidate
    for kind, name in candidate.needs:
        found = function_elsewhere(kind, name, project)
        client = _client_elsewhere(name, project) if found is None else None
        if client is not None:
            said, what = client
            message = f"{candidate.message.removesuffix(' waits')} {what} inside a coroutine: "
            message += "use its asynchronous client, or `await asyncio.to_thread(…)`"
            return replace(candidate, message=message, evidence=(said, *candidate.evidence))
        if found is not None:
            path, fact = found
            message = f"{candidate.message.removesuffix(' waits')} {fact.detail}, inside a coroutine: "
            message += "use `await asyncio.to_thread(…)`"
            said = Evidence(path, fact.line, f"`{fact.name}` {fact.detail}")
            also = ("sync-sleep-in-async",) if fact.detail.endswith(SLEEPS) else ()
            return replace(candidate, message=message, evidence=(said, *candidate.evidence), also=also)
    return None


def note_clients(_: ast.Module, context: FileContext) -> None:
    """Facts of the objects of a module, and of the attributes of its classes, of which the methods wait: a name, and
    the dotted class; of what makes sessions the class of those."""
    around = context.scopes
    for part in context.tree.body:
        if isinstance(part, (ast.Assign, ast.AnnAssign)) and isinstance(part.value, ast.Call):
            target = part.targets[0] if isinstance(part, ast.Assign) else part.target
            kind = TYPES.type_of(context, part.value)
            kind = MAKES.get(f"{kind or origin(context, part.value.func)}()", kind)
            if isinstance(target, ast.Name) and kind in RECEIVERS:
                context.fact(HELD, target.id, kind, part.lineno)
        elif isinstance(part, ast.ClassDef):
            context.scopes = [part]
            for name, kind in own_attributes(context, part, TYPES).items():
                if kind in RECEIVERS:
                    context.fact(HELD, f"{part.name}.{name}", kind, part.lineno)
            context.scopes = around


def _client_elsewhere(dotted: str, project: Project) -> tuple[Evidence, str] | None:
    """Where a module, or a class of it, holds the object that a method is called on, by way of its parts or of what its
    methods make, and what that waits for."""
    parts = dotted.split(".")
    for place in range(len(parts) - 2, 0, -1):
        for start in (place, place - 1):
            name, within = ".".join(parts[start : place + 1]), f".{'.'.join(parts[:start])}"
            for path, fact in project.named(HELD, name) if start else ():
                waits = _waits_for(fact.detail, parts[place + 1 :])
                if waits is not None and f".{module_name(path)}".endswith(within):
                    return Evidence(path, fact.line, f"`{name}` is a {fact.detail}"), waits.what
    return None


def _waits_for(kind: str | None, names: list[str]) -> Waits | None:
    """What the last of some names, each asked of what the one before answers, waits for; None where it does not."""
    for name in names[:-1]:
        kind = kind if kind in ITSELF else MAKES.get(f"{kind}.{name}")
    waits = RECEIVERS[kind].of(names[-1]) if kind in RECEIVERS else None
    return waits if waits is not None and not waits.minor else None


def function_elsewhere(kind: str, dotted: str, project: Project) -> Place | None:
    """The function, or the method of a class or of an object, that a dotted name is in the module that has it, else in
    the only module of a package that has one of this name and passes it on."""
    module, _, name = dotted.rpartition(".")
    outer, _, owner = module.rpartition(".")
    for within, called in ((module, name), (outer, f"{owner}.{name}")):
        places = project.named(kind, called) if within else []
        for path, fact in places:
            if f".{module_name(path)}".endswith(f".{within}"):
                return path, fact
        passed_on = [place for place in places if f".{within}." in f".{module_name(place[0])}"]
        if len(passed_on) == 1:
            return passed_on[0]
    return None


def in_lambda(node: ast.AST, context: FileContext) -> bool:
    """True for what stands in a lambda of its statement."""
    above = context.parent(node)
    while above is not None:
        if isinstance(above, ast.Lambda):
            return True
        above = context.parent(above)
    return False


def note_wait(wait: Wait, context: FileContext) -> None:
    """Says that the function around waits (fact "waits"; "enters" of a context manager), with those of the file that
    call it. `wait` was found at the current node."""
    scopes = context.scopes
    if len(scopes) > 2 or isinstance(scopes[0], ast.ClassDef) != (len(scopes) == 2):
        return
    function = scopes[-1]
    if isinstance(function, ast.FunctionDef):
        owner = scopes[0] if isinstance(scopes[0], ast.ClassDef) else None
        _note(function, owner, f"comes to `{wait.shown}(…)`, which {wait.what}", wait.line, context)


def _note(function: ast.FunctionDef, owner: ast.ClassDef | None, what: str, line: int, context: FileContext) -> None:
    noted = context.memo.setdefault(_NOTED, set())
    assert isinstance(noted, set)
    if function in noted:
        return
    noted.add(function)
    kind = WAITS if runs_at_once(function) and not _yields(function) else ""
    kind = ENTERS if is_context_manager(function) else kind
    for holder in _holders(owner, function.name, context) if kind else ():
        context.fact(kind, f"{holder}.{function.name}" if holder else function.name, what, line)
    if kind != WAITS or context.source.count(b"%s(" % function.name.encode()) < 2:
        return
    callers = context.memo.get(_CALLERS)
    if not isinstance(callers, dict):
        callers = context.memo[_CALLERS] = _callers(context)
    for caller, around, at in callers.get((function.name, owner), ()):
        _note(caller, around, what, at, context)


def _holders(owner: ast.ClassDef | None, name: str, context: FileContext) -> list[str]:
    """The names at which a module has a method: its class, classes that inherit it there, and objects of them."""
    if owner is None:
        return [""]
    held = [owner.name]
    for part in context.tree.body:
        if isinstance(part, ast.ClassDef):
            own = any(getattr(inner, "name", "") == name for inner in part.body)
            held += [part.name] if not own and any(last_name(base) in held for base in part.bases) else []
        elif isinstance(part, ast.Assign) and isinstance(part.value, ast.Call):
            target = part.targets[0]
            held += [target.id] if isinstance(target, ast.Name) and last_name(part.value.func) in held else []
    return held


def _callers(context: FileContext) -> dict[tuple[str, ast.ClassDef | None], list[Any]]:
    """(name, class or None) of a plain function → the plain functions of the file that call it, each with its class
    and the line of the call."""
    found: dict[tuple[str, ast.ClassDef | None], list[Any]] = {}
    for part in context.tree.body:
        owner = part if isinstance(part, ast.ClassDef) else None
        for function in owner.body if owner is not None else [part]:
            if not isinstance(function, ast.FunctionDef):
                continue
            for _, call in _own_calls(function):
                called = call.func if isinstance(call, ast.Call) else call
                if isinstance(called, ast.Name):
                    found.setdefault((called.id, None), []).append((function, owner, called.lineno))
                elif isinstance(called, ast.Attribute) and last_name(called.value) in ("self", "cls"):
                    found.setdefault((called.attr, owner), []).append((function, owner, called.lineno))
    return found


def _yields(function: ast.FunctionDef) -> bool:
    """True for a generator: a call alone runs nothing of it."""
    return any(isinstance(part, (ast.Yield, ast.YieldFrom)) for _, part in _own_calls(function))


def wait_behind(node: ast.Call, context: FileContext, judge: Judge) -> Way | None:
    """The first call that blocks in what a call runs, with the lines on the way to it; None where nothing does."""
    found = target_of(node, context)
    if found is None:
        return None
    return _of_function(found, context, judge, _FURTHEST)


def _of_function(target: Target, context: FileContext, judge: Judge, depth: int) -> Way | None:
    function, scopes = target
    known = context.memo.setdefault(_MEMO, {})
    assert isinstance(known, dict)
    asked = function, judge, depth  # what lies too deep for one caller may not for the next
    if asked in known or depth == 0:
        found: Way | None = known.get(asked)
        return found
    before = context.scopes, context.statement
    context.scopes = scopes
    try:
        found = known[asked] = _first(function, context, judge, depth)
    finally:
        context.scopes, context.statement = before
    return found


def _first(function: ast.FunctionDef, context: FileContext, judge: Judge, depth: int) -> Way | None:
    calls = list(_own_calls(function))
    if any(isinstance(part, (ast.Yield, ast.YieldFrom)) for _, part in calls) and not is_context_manager(function):
        return None  # a generator: the call alone runs nothing of it
    for statement, call in calls:
        context.statement = statement
        if not isinstance(call, ast.Call):
            continue
        wait = judge(call, context)
        if wait is not None:
            return wait, (Evidence(context.path, wait.line, context.lines[wait.line - 1].strip()[:120]),)
        target = target_of(call, context)
        deeper = _of_function(target, context, judge, depth - 1) if target is not None else None
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

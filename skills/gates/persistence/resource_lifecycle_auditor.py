"""Rules of the skill resource-lifecycle-auditor about pools, and about connections and sessions that nobody gives
back."""

import ast
import re

from msgspec.structs import replace

from skills.gates.analysis.bindings import bindings, lookup, origin
from skills.gates.analysis.execution import execution_of, one_less
from skills.gates.analysis.local_values import own_nodes
from skills.gates.analysis.transactions import shown_call
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import descendants, mentions, stands_in, strings_in
from skills.gates.model import Candidate, Confidence, Evidence, FileReport
from skills.gates.persistence.session_config import LAYER_WORDS, on_import
from skills.gates.persistence.session_config import on_call as tell_config
from skills.gates.persistence.taken_resources import (
    CLEANUP_RULE,
    SKILL,
    last_words,
    leak_of,
    made_elsewhere,
    made_name,
    releases,
    taken,
)
from skills.gates.project import Project
from skills.gates.rule import Apart, Rule, Watch

POOL_RULE = "pool-configuration"

_ENGINES = frozenset(
    {
        "sqlalchemy.create_engine", "sqlalchemy.engine.create_engine", "sqlmodel.create_engine",
        "sqlalchemy.ext.asyncio.create_async_engine",
    }
)  # fmt: skip
_TAKERS = frozenset({"closing", "aclosing", "enter_context", "enter_async_context", "callback",
                     "push_async_callback", "addCleanup", "finalize", "close", "push"})  # fmt: skip

_ENDS_TRANSACTION = frozenset({"psycopg2.connect", "sqlite3.connect"})
"""What makes a connection whose `with` commits or rolls back, and does not close it."""
_KEPT_ON = frozenset({"close", "begin", "execution_options", "__enter__", "__aenter__", "detach", "bind", "cursor"})
"""What is asked of a resource that is kept or given back by what answers."""

# Migrations, scripts and set-ups: the process ends before a connection grows old.
_ENDS_SOON = lazy(
    r"(?:^|/)(?:scripts|alembic|revisions|versions|\w*migrations?)/|(?:^|/)(?:env|init_\w+|\w+_init)\.py$"
)
_SHORT_LIVED = lazy(r"celery|worker|task|lambda|serverless|script|migrat|alembic|job|cli|command", re.I)

_BEHIND = lazy(r"lambda|serverless|pgbouncer|pooler|supavisor|proxy", re.I)
_WEB = ("fastapi", "starlette", "django", "flask", "litestar", "sanic", "aiohttp", "quart", "tornado", "falcon")


def _in_web(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    """A pool that keeps nothing costs the projects which answer requests."""
    if not candidate.needs:
        return candidate
    answers = any(project.depends(report.path, package) for package in _WEB)
    return replace(candidate, needs=()) if answers else None


def _on_engine(node: ast.Call, context: FileContext) -> None:
    if origin(context, node.func) not in _ENGINES:
        return
    words = {word.arg: word.value for word in node.keywords if word.arg is not None}
    unpacked = [_written_out(word.value, context) for word in node.keywords if word.arg is None]
    for options in unpacked:
        words = {**(options or {}), **words}
    for name, bad in (("max_overflow", -1), ("pool_size", 0)):
        value = words.get(name)
        if value is not None and _number(value) == bad:
            message = f"`{name}={bad}` sets no limit: every waiting request opens one more connection"
            context.report(POOL_RULE, value, message, severity="HIGH")
    pool = words.get("poolclass")
    if pool is not None and last_name(pool) == "NullPool" and not _is_short_lived(node, context):
        message = "`NullPool` opens a connection for each request: right behind a pooler or in serverless code only"
        context.report(
            POOL_RULE, pool, message, severity="LOW", confidence="needs_context", needs=(("depends", "web"),)
        )
    if context.role == "command" or _ENDS_SOON.search(context.path):
        return
    if None in unpacked or "poolclass" in words or "creator" in words or "pool" in words or _is_local(node):
        return
    if "pool_pre_ping" not in words and "pool_recycle" not in words:
        message = (
            "The engine has neither `pool_pre_ping` nor `pool_recycle`: a connection that the server dropped meanwhile "
            "fails the request that gets it"
        )
        context.report(POOL_RULE, node, message, severity="MEDIUM")


def _is_short_lived(node: ast.Call, context: FileContext) -> bool:
    """True where the process ends soon, where a switch decides whether connections are kept, and where the engine's
    name or a comment says what stands before the database."""
    said = context.lines[max(0, node.lineno - 2) : node.end_lineno]
    if any(_BEHIND.search(line) for line in said):
        return True
    if _SHORT_LIVED.search(context.path) or execution_of(context)[0] in ("cli", "background"):
        return True
    function = context.function
    return function is not None and any(
        isinstance(part, ast.If) and stands_in(part.body, node) for part in own_nodes(function, context)
    )


def _written_out(value: ast.expr, context: FileContext) -> dict[str, ast.expr] | None:
    """The options behind `**OPTIONS` where they are one display with names, None where they are not written out."""
    if isinstance(value, ast.Name):
        found = lookup(context, value.id, value.lineno)
        if any(f"{value.id}{more}".encode() in context.source for more in (".update(", "[", ".setdefault(")):
            return None  # filled further on
        known = bindings(context, context.function or context.tree).get(value.id) or ()
        value = found.value if found is not None and found.value is not None and len(known) < 2 else value
    if isinstance(value, ast.Call) and last_name(value.func) == "dict" and not value.args:
        named = {word.arg: word.value for word in value.keywords if word.arg is not None}
        return named if len(named) == len(value.keywords) else None
    if not isinstance(value, ast.Dict):
        return None
    options = {key.value: its for key, its in zip(value.keys, value.values, strict=True)
               if isinstance(key, ast.Constant) and isinstance(key.value, str)}  # fmt: skip
    return options if len(options) == len(value.keys) else None


def _number(node: ast.expr) -> object:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        return -node.operand.value if isinstance(node.operand.value, int) else None
    return node.value if isinstance(node, ast.Constant) and type(node.value) is int else None


def _is_local(node: ast.Call) -> bool:
    """True for an engine on a file or in memory."""
    return any(text.startswith("sqlite") for text in strings_in(node))


def _on_assignment(node: ast.Assign | ast.AnnAssign, context: FileContext) -> None:
    function = context.function
    target = made_name(node)
    if function is None or target is None:
        return
    value = node.value.value if isinstance(node.value, ast.Await) else node.value
    if not isinstance(value, ast.Call):
        return
    found = taken(value, context)
    if found is None:
        return
    what, severity, needs = found
    state = _fate(function, target.id, node, origin(context, value.func) in _ENDS_TRANSACTION, context)
    if state == "cared for":
        return
    if state == "closed" and leak_of(function, target.id, context) is not None:
        return  # said by error-path-leak
    message = (
        f"`{target.id}` is {what} that nobody closes: use `with`, or close it in `finally`"
        if state == "forgotten"
        else f"`{target.id}` is {what} that is closed only where nothing fails before: use `with`, or `finally`"
    )
    confidence: Confidence = "confirmed" if state == "forgotten" else "likely"
    kind, why = execution_of(context)
    weight = severity
    links: tuple[Evidence, ...] = (why,) if why is not None else ()
    if kind == "cli" and why is not None and weight != "LOW":  # the process ends, and gives everything back
        links += (Evidence(context.path, why.line, f"lowered from {weight} to {one_less(weight)}: the process ends"),)
        weight = one_less(weight)
    context.report(CLEANUP_RULE, node, message, severity=weight, confidence=confidence, needs=needs, evidence=links)


def _on_inline(node: ast.Call, context: FileContext) -> None:
    """`SessionLocal().query(…)`, `open(path).read()`: what is used where it is taken, and never given a name."""
    above = context.parent(node)
    if context.function is None or not isinstance(above, ast.Attribute) or above.attr in _KEPT_ON:
        return
    found = taken(node, context)
    if found is None or not isinstance(context.parent(above), ast.Call) or _is_entered(above, context):
        return
    what, severity, needs = found
    message = f"`{shown_call(node)}` is {what} that nobody can close: give it a name in a `with`"
    kind, why = execution_of(context)
    links: tuple[Evidence, ...] = (why,) if why is not None else ()
    if kind == "cli" and why is not None:
        links += (
            Evidence(context.path, why.line, f"lowered from {severity} to {one_less(severity)}: the process ends"),
        )
        severity = one_less(severity)
    context.report(CLEANUP_RULE, node, message, severity=severity, needs=needs, evidence=links)


def _is_entered(node: ast.AST | None, context: FileContext) -> bool:
    """True where a chain of calls ends in what a `with` enters, or goes on to somebody else."""
    while isinstance(node, (ast.Attribute, ast.Call, ast.Await)):
        node = context.parent(node)
    return isinstance(node, ast.withitem)


def _fate(function: FunctionNode, name: str, made: ast.stmt, stays_open: bool, context: FileContext) -> str:
    """What becomes of a resource: "cared for", "closed" where nothing fails, "forgotten". `stays_open` says that a
    block of it ends a transaction only."""
    others = [node for node in descendants(function) if node is not made]
    if any(_cares(node, name) and not (stays_open and _is_block_of(node, name)) for node in others):
        return "cared for"
    closes = [node.lineno for node in others if isinstance(node, ast.Call) and releases(node, name)]
    if not closes:
        return "forgotten"
    taken_at, closed_at = made.end_lineno or made.lineno, min(closes)
    between = any(
        isinstance(node, (ast.Call, ast.Await, ast.Raise)) and taken_at < node.lineno < closed_at
        for node in own_nodes(function, context)
    )
    return "closed" if between or closed_at <= taken_at else "cared for"


def _is_block_of(node: ast.AST, name: str) -> bool:
    """True for `with name:` and `with name.cursor():`."""
    return isinstance(node, (ast.With, ast.AsyncWith)) and all(
        not mentions(item.context_expr, name) or isinstance(item.context_expr, (ast.Name, ast.Call))
        for item in node.items
    )


def _cares(node: ast.AST, name: str) -> bool:
    """True where a statement or call closes a resource whatever happens, or hands it over."""
    match node:
        case ast.With(items=items) | ast.AsyncWith(items=items):
            return any(mentions(item.context_expr, name) and not _is_cursor_of(item.context_expr, name)
                       for item in items)  # fmt: skip
        case ast.Try():
            return any(mentions(statement, name) for statement in last_words(node))
        case ast.Return(value=ast.expr() as value) | ast.Yield(value=ast.expr() as value):
            return _hands_over(value, name)
        case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
            return _hands_over(value, name)
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            return name in names
    return isinstance(node, ast.Call) and _passes(node, name)


def _is_cursor_of(entered: ast.expr, name: str) -> bool:
    """True for `with connection.cursor() as cursor:`, which closes the cursor."""
    match entered:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr="cursor")):
            return owner == name
    return False


def _hands_over(value: ast.expr, name: str) -> bool:
    """True where the resource itself, alone or in a display, is what is handed over."""
    if isinstance(value, ast.Name):
        return value.id == name
    if isinstance(value, (ast.Tuple, ast.List, ast.Set)):
        return any(_hands_over(part, name) for part in value.elts)
    if isinstance(value, ast.Dict):
        return any(_hands_over(part, name) for part in value.values)
    return isinstance(value, (ast.Lambda, ast.IfExp, ast.NamedExpr, ast.BoolOp)) and mentions(value, name)


def _passes(call: ast.Call, name: str) -> bool:
    """True where the resource goes to something that closes or keeps it."""
    values = [*call.args, *(word.value for word in call.keywords)]
    if not any(
        _hands_over(value, name) or (isinstance(value, ast.Attribute) and mentions(value, name)) for value in values
    ):
        return False
    taker = last_name(call.func)
    return (
        taker in _TAKERS
        or taker[:1].isupper()
        or taker.startswith("wrap")
        or taker in ("append", "add", "put", "setattr", "partial", "submit")
    )


pool_configuration = Rule(
    name=POOL_RULE,
    gate="none",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PA-654-4",),
    catches="SQLAlchemy engines whose pool has no limit (`max_overflow=-1`, `pool_size=0`), and engines that neither "
    "test nor renew their connections.",
    why="Without a limit a busy moment takes every connection that the server has; without `pool_pre_ping` or "
    "`pool_recycle` the first requests after a restart or an idle time-out fail.",
    fix="`create_engine(url, pool_pre_ping=True, pool_recycle=1800, pool_size=…, max_overflow=…)`: replicas × workers "
    "× (pool_size + max_overflow) must stay below the server's limit.",
    when="In production code. HIGH without a limit, MEDIUM without a test, LOW for `NullPool` where a project answers "
    "requests. Not for SQLite, engines with another pool class and unpacked options. The defaults (5 and 10 more) are "
    "a limit.",
    watches=(
        Watch((ast.Call,), _on_engine, (b"create_engine", b"create_async_engine"), is_product_path),
        Watch((ast.Call,), tell_config, (b"create_engine", b"create_async_engine", b"sessionmaker", b"scoped_session"),
              is_product_path),
        Watch((ast.Import, ast.ImportFrom), on_import, LAYER_WORDS, is_product_path),
    ),
    holds=_in_web,
    bad=Apart("persistence.resource_examples.POOL_BAD"),
    good=Apart("persistence.resource_examples.POOL_GOOD"),
)  # fmt: skip

_TAKES = (
    b"open(",
    b"ession",
    b"connect(",
    b"acquire(",
    b"getconn(",
    b"socket",
    b"SMTP",
    b"FTP",
    b"Client(",
    b"cursor(",
)
_TAKES_INLINE = (b"open(", b"ession", b"connect(", b"SMTP", b"FTP", b"Client(")

missing_cleanup = Rule(
    name=CLEANUP_RULE,
    gate="none",
    severity="HIGH",
    skill=SKILL,
    sources=("PA-654-3",),
    catches="Sessions, connections, cursors and files that a function opens and neither closes for sure nor hands on.",
    why="Every error on the way leaves one open. The pool runs dry, or the process runs out of file descriptors, long "
    "after the cause.",
    fix="`with open(…) as f:`, `async with Session() as session:`, `contextlib.closing(…)`, or close in `finally`.",
    when="In functions of production code: HIGH for sessions and connections, MEDIUM for files and cursors; one "
    "step less in commands. Not where nothing stands between taking and closing it, nor where it is returned, "
    "yielded, stored, or given to what closes it.",
    watches=(
        Watch((ast.Assign, ast.AnnAssign), _on_assignment, _TAKES, is_product_path),
        Watch((ast.Call,), _on_inline, _TAKES, is_product_path, near=_TAKES_INLINE),
    ),
    holds=made_elsewhere,
    bad=Apart("persistence.resource_examples.CLEANUP_BAD"),
    good=Apart("persistence.resource_examples.CLEANUP_GOOD"),
)

RULES: tuple[Rule, ...] = (pool_configuration, missing_cleanup)

"""The rule wrong-caching-scope: a cache that lives as long as one request."""

import ast

from msgspec.structs import replace

from skills.gates.analysis.queries import MANAGERS
from skills.gates.analysis.sessions import is_connection, is_session, repository_of
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import defaults_of, descendants, statements
from skills.gates.model import Candidate, Evidence, FileReport, Severity
from skills.gates.project import Project
from skills.gates.rule import Apart, Rule, Watch

SKILL = "query-efficiency-auditor"
RULE = "wrong-caching-scope"

_CACHE = lazy(r"_?(\w+_)?(cache|cached|loaded|initiali[sz]ed|memo)(_\w+)?$")
_RUNS = frozenset({"execute", "scalars", "scalar", "query", "get", "exec", "fetch", "fetchall", "fetchrow", "stream"})
_EXPENSIVE = frozenset(
    {"join", "outerjoin", "joinedload", "selectinload", "subqueryload", "subquery", "group_by", "aggregate", "annotate",
     "prefetch_related", "select_related", "cte", "contains_eager"}
)  # fmt: skip
_KEEPS = frozenset({"lru_cache", "cache", "cached", "singleton"})


def _on_class(node: ast.ClassDef, context: FileContext) -> None:
    starts = _starts(node)
    if not starts:
        return
    shared = {
        last_name(target)
        for part in node.body
        if isinstance(part, ast.Assign) and not isinstance(part.value, ast.Constant)
        for target in part.targets
    }
    for name, assigned in starts.items():
        filled = _filled_by_query(node, name, context) if name not in shared else None
        if filled is None:
            continue
        method, expensive = filled
        statement = context.statement
        context.statement = assigned
        context.scopes.append(node)
        context.report(
            RULE,
            assigned,
            f"`{name}` of `{node.name}` lives for one request: each one fills it with a query of its own",
            severity="HIGH" if expensive else "MEDIUM",
            confidence="likely",
            needs=(("request-scoped", node.name),),
            evidence=(Evidence(context.path, method.lineno, f"`{method.name}` fills it from the database"),),
        )
        context.scopes.pop()
        context.statement = statement
        return


def _starts(node: ast.ClassDef) -> dict[str, ast.stmt]:
    """The attributes that look like a cache, with the line of `__init__` that makes them empty."""
    found: dict[str, ast.stmt] = {}
    for statement in node.body:  # `_loaded = False` of the class is what each object begins with
        if isinstance(statement, (ast.Assign, ast.AnnAssign)) and isinstance(statement.value, ast.Constant):
            target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
            if isinstance(target, ast.Name) and _CACHE.match(target.id) and not statement.value.value:
                found[target.id] = statement
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and method.name == "__init__":
            for part in descendants(method):
                targets = (
                    part.targets
                    if isinstance(part, ast.Assign)
                    else [part.target]
                    if isinstance(part, ast.AnnAssign)
                    else []
                )
                for target in targets:
                    if (
                        (
                            isinstance(target, ast.Attribute)
                            and last_name(target.value) == "self"
                            and _CACHE.match(target.attr)
                        )
                        and isinstance(part, (ast.Assign, ast.AnnAssign))
                        and _is_empty(part.value)
                    ):
                        found[target.attr] = part
    return found


def _is_empty(node: ast.expr | None) -> bool:
    if isinstance(node, ast.Constant):
        return not node.value
    if isinstance(node, (ast.Dict, ast.List, ast.Set)):
        return not (node.keys if isinstance(node, ast.Dict) else node.elts)
    return (
        isinstance(node, ast.Call)
        and last_name(node.func) in ("dict", "list", "set", "defaultdict")
        and len(node.args) < 2
    )


def _filled_by_query(node: ast.ClassDef, name: str, context: FileContext) -> tuple[FunctionNode, bool] | None:
    """The method that fills a cache from the database, and whether its query is expensive."""
    for method in node.body:
        if not isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)) or method.name == "__init__":
            continue
        parts = list(descendants(method))
        if any(_fills(part, name) for part in parts) and any(
            isinstance(part, ast.Call) and _asks(part, context) for part in parts
        ):
            calls = {last_name(part.func) for part in parts if isinstance(part, ast.Call)}
            text = " ".join(
                part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)
            )
            return method, bool(calls & _EXPENSIVE) or " JOIN " in text.upper()
    return None


def _fills(part: ast.AST, name: str) -> bool:
    """True where a node gives the cache under this name something to keep."""
    match part:
        case ast.Attribute(attr=attribute, ctx=ast.Store()):
            return attribute == name
        case ast.Subscript(value=owner, ctx=ast.Store()):
            return last_name(owner) == name
        case ast.Call(func=ast.Attribute(value=owner, attr="update" | "append" | "extend" | "add" | "setdefault")):
            return last_name(owner) == name
    return False


def _asks(call: ast.Call, context: FileContext) -> bool:
    """True for a call that reads from the database."""
    function = call.func
    if not isinstance(function, ast.Attribute):
        return False
    owner = function.value
    if function.attr in _RUNS and (is_session(owner, context) or is_connection(owner) or last_name(owner) == "pool"):
        return True
    if isinstance(owner, ast.Attribute) and owner.attr in MANAGERS:
        return True
    reads = function.attr.startswith(("get", "find", "list", "all", "load", "fetch"))
    return reads and bool(repository_of(owner, context))


def _on_depends(node: ast.Call, context: FileContext) -> None:
    """`Depends(Catalog)` and `Depends(get_catalog)`."""
    if last_name(node.func) in ("Depends", "Security") and node.args:
        context.fact("depends-on", last_name(node.args[0]))
    if last_name(node.func) in ("Depends", "Security") and not node.args:
        above = context.parent(node)
        if isinstance(above, ast.Tuple) and above.elts:  # Annotated[Catalog, Depends()]
            context.fact("depends-on", last_name(above.elts[0]))
        elif isinstance(above, ast.arguments):  # book: Catalog = Depends()
            hint = next((arg.annotation for arg, default in defaults_of(above) if default is node), None)
            if hint is not None and last_name(hint):
                context.fact("depends-on", last_name(hint))


def _on_provider(node: FunctionNode, context: FileContext) -> None:
    """What a function makes anew for each call: `return Catalog(session)`."""
    if any(last_name(one) in _KEEPS for one in node.decorator_list):
        return
    for part in statements(node):
        given = part.value if isinstance(part, (ast.Expr, ast.Assign, ast.AnnAssign)) else None
        leaves = part if isinstance(part, ast.Return) else given if isinstance(given, ast.Yield) else None
        value = leaves.value if leaves is not None else None
        if isinstance(value, ast.Name):
            value = _made(node, value.id)
        if isinstance(value, ast.Call) and last_name(value.func)[:1].isupper():
            context.fact("provides", last_name(value.func), node.name, node.lineno)


def _made(function: FunctionNode, name: str) -> ast.expr | None:
    """What a name of a function was bound to last, None where it is a name of the module."""
    made = None
    for part in statements(function):
        if isinstance(part, ast.Global):
            return None
        if isinstance(part, ast.Assign) and last_name(part.targets[0]) == name:
            made = part.value
    return made


def _holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    name = dict(candidate.needs)["request-scoped"]
    severity: Severity = candidate.severity or "MEDIUM"
    link = None
    if project.has("depends-on", name):
        path, _ = project.named("depends-on", name)[0]
        link = Evidence(path, 1, f"`Depends({name})` makes one for each request")
    for path, fact in project.named("provides", name):
        if project.has("depends-on", fact.detail):
            link = Evidence(path, fact.line, f"`{fact.detail}` makes a new `{name}` for each request")
            break
    if link is None:
        return None
    return replace(candidate, severity=severity, needs=(), evidence=(*candidate.evidence, link))


wrong_caching_scope = Rule(
    name=RULE,
    gate="none",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PA-651-6",),
    catches="A service with a cache of its own (`_cache`, `_loaded`, `_initialized`) that a dependency makes anew for "
    "each request.",
    why="The cache is empty at each request and thrown away after it: the query runs as often as without a cache.",
    fix="Keep the cache where it outlives requests: a module-level or `lru_cache`d object made at start-up, Redis, "
        "or a "
    "TTL cache; or leave the cache out.",
    when="Where the class is given by `Depends(Class)` or by a provider without `lru_cache` that makes it. HIGH "
         "where the "
    "query joins, groups or loads relations, MEDIUM for simple ones.",
    watches=(
        Watch((ast.ClassDef,), _on_class, (b"cache", b"_loaded", b"_initiali", b"memo"), is_product_path),
        Watch((ast.Call,), _on_depends, (b"Depends", b"Security"), is_product_path),
        Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_provider, (b"Depends", b"def get_", b"def provide"),
              is_product_path),
    ),
    holds=_holds,
    bad=Apart("persistence.over_fetching_examples.CACHES_BAD"),
    good=Apart("persistence.over_fetching_examples.CACHES_GOOD"),
)  # fmt: skip

RULES: tuple[Rule, ...] = (wrong_caching_scope,)

"""The rule unscoped-tenant-query of the skill multi-tenant-guardian."""

import ast
from collections.abc import Iterator

from msgspec.structs import replace

from skills.gates.context import FileContext, FunctionNode, Words
from skills.gates.model import Candidate, Evidence, FileReport
from skills.gates.multi_tenant_guardian import SKILL, implements_isolation, is_judged_path
from skills.gates.names import last_name, root_name
from skills.gates.patterns import lazy
from skills.gates.project import Project
from skills.gates.queries import MANAGER_WORDS, MANAGERS, Chain, chain_of, mentioned_names
from skills.gates.roles import path_role, role_of_scope
from skills.gates.rule import Rule, Watch
from skills.gates.syntax import descendants
from skills.gates.tenancy import UNSCOPED, is_scoped, needed, tenancy_of, tenant_models
from skills.gates.tenant_examples import UNSCOPED_BAD, UNSCOPED_GOOD

_JUDGED_ROLES = frozenset({"view", "service", "task", "router", "serializer"})
# What needs no scope: new rows bring their tenant, rows in hand were read before, `none()` reads nothing.
_HARMLESS = frozenset(
    {"create", "acreate", "bulk_create", "abulk_create", "bulk_update", "abulk_update", "create_user", "none", "raw"}
)
_QUERYSET = frozenset(
    {"all", "filter", "exclude", "get", "first", "last", "earliest", "latest", "count", "exists", "aggregate", "values",
     "values_list", "annotate", "order_by", "distinct", "select_related", "prefetch_related", "only", "defer", "using",
     "in_bulk", "iterator", "update", "delete", "get_or_create", "update_or_create", "select_for_update", "dates",
     "datetimes", "union", "extra", "reverse", "complex_filter", "get_queryset", "alias", "contains", "explain",
     "aget", "afirst", "alast", "acount", "aexists", "aaggregate", "aupdate", "adelete", "aiterator", "ain_bulk",
     "aget_or_create", "aupdate_or_create", "alatest", "aearliest"}
)  # fmt: skip
_KEYS = ("pk", "id", "pk__in", "id__in")
_SECRETS = lazy(r"(?:^|_)(?:token|secret|api_key|signature|session_key|otp|nonce)(?:_hash|_digest)?(?:__exact)?$")
_SHORTCUTS = frozenset({"get_object_or_404", "get_list_or_404", "aget_object_or_404", "aget_list_or_404"})
_CONDITIONS = frozenset({"filter", "get", "exclude", "aget", *_SHORTCUTS})
_OUTSIDE = frozenset(
    {"request", "kwargs", "data", "payload", "validated_data", "cleaned_data", "params", "query_params"}
)
_QUERIES = Words(*MANAGER_WORDS, b"_or_404")
_INNER = "unscoped-tenant-query: calls that a longer chain contains"
_LATER = "unscoped-tenant-query: what is said of a name"
_AROUND = "unscoped-tenant-query: what is said of a scope"


def _is_judged_path(path: str) -> bool:
    """The admin works for all tenants."""
    return is_judged_path(path) and path_role(path) != "admin"


def _on_call(node: ast.Call, context: FileContext) -> None:
    if not context.mentions(_QUERIES, node):
        return
    inner = context.memo.setdefault(_INNER, set())
    assert isinstance(inner, set)
    if node in inner:
        return
    if last_name(node.func) == "Prefetch":
        # Rows of a prefetch belong to the rows that were asked for.
        inner.update(part for part in descendants(node) if isinstance(part, ast.Call))
        return
    model, first = _queried(node, inner)
    if not model or first in _HARMLESS:
        return
    model = context.imports.get(model, model).rpartition(".")[2]
    isolates, role, said = _surroundings(context)
    if isolates:
        return
    names, keywords = {*mentioned_names(node), *said, *_said_later(context)}, set(_keywords(node))
    if role == "task":
        # A task has no tenant of its own: it works for whom it was given, and for all where it was given nothing.
        if not _parameters(context) or _is_given(node, context):
            return
        names.update(_of_rows(node, context))
    needs = (
        ("model", model),
        ("role", role),
        ("names", " ".join(sorted(names))),
        ("keywords", " ".join(sorted(keywords))),
    )
    context.report(UNSCOPED, node, f"{model} is queried", needs=needs, confidence="likely")


def _queried(node: ast.Call, inner: set[ast.Call]) -> tuple[str, str]:
    """(model, first method) of a query, ("", "") for all other calls. Notes the calls inside a chain as
    read."""
    if isinstance(node.func, ast.Attribute):
        chain = chain_of(node)
        inner.update(call for _, call in chain.calls[:-1])
        if chain.manager in MANAGERS and not _looks_up(chain):
            return chain.model, chain.calls[0][0]
    if last_name(node.func) in _SHORTCUTS and node.args and isinstance(node.args[0], (ast.Name, ast.Attribute)):
        name = last_name(node.args[0])
        return (name, "get") if name[:1].isupper() else ("", "")
    return "", ""


def _looks_up(chain: Chain) -> bool:
    """`Token.objects.verify(word)`: a method of the project's own that is asked for one thing says what it reads."""
    method, call = chain.calls[0]
    return len(chain.calls) == 1 and bool(call.args or call.keywords) and method not in _QUERYSET


def _parameters(context: FileContext) -> set[str]:
    """What the function around is given, but for itself."""
    if context.function is None:
        return set()
    arguments = context.function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    return {argument.arg for argument in every if argument is not None} - {"self", "cls"}


def _is_given(node: ast.Call, context: FileContext) -> bool:
    """True for the row whose key a task was given by whoever queued it."""
    given = _parameters(context)
    return any(
        (keyword.arg or "").endswith((*_KEYS, "uuid"))
        and isinstance(keyword.value, ast.Name)
        and keyword.value.id in given
        for call in descendants(node)
        if isinstance(call, ast.Call)
        for keyword in call.keywords
    )


def _of_rows(node: ast.Call, context: FileContext) -> Iterator[str]:
    """What a loop over the rows of a query reads of each: a task for all tenants asks each for its own."""
    statement = context.statement
    bound = statement.targets[0] if isinstance(statement, ast.Assign) else None
    name = bound.id if isinstance(bound, ast.Name) else ""
    for loop in descendants(context.function) if context.function is not None else ():
        if not isinstance(loop, (ast.For, ast.AsyncFor)) or not isinstance(loop.target, ast.Name):
            continue
        if node in descendants(loop.iter) or (name and root_name(loop.iter) == name):
            reads = (read for part in loop.body for read in descendants(part) if isinstance(read, ast.Attribute))
            yield from (read.attr for read in reads if root_name(read.value) == loop.target.id)


def _keywords(query: ast.Call) -> Iterator[str]:
    """Keywords of the conditions; "*" where a condition is not spelled out, or names the key of an object in
    hand."""
    for call in descendants(query):
        if not isinstance(call, ast.Call):
            continue
        for keyword in call.keywords:
            if keyword.arg is None or _SECRETS.search(keyword.arg) or _is_outer(keyword.value):
                yield "*"  # spelled out elsewhere, a secret of the tenant, or rows of the outer rows
            elif keyword.arg.endswith(_KEYS) and _in_hand(keyword.value):
                yield "*"
            else:
                yield keyword.arg
        if last_name(call.func) in _CONDITIONS:
            first = 1 if last_name(call.func) in _SHORTCUTS else 0
            if any(_is_opaque(argument) for argument in call.args[first:]):
                yield "*"


def _is_opaque(argument: ast.expr) -> bool:
    """True for a condition that stands elsewhere, e.g. `filter(allowed)`."""
    if isinstance(argument, ast.BinOp):
        return _is_opaque(argument.left) or _is_opaque(argument.right)
    if isinstance(argument, ast.UnaryOp):
        return _is_opaque(argument.operand)
    return not (isinstance(argument, ast.Call) and last_name(argument.func) in {"Q", "Exists", "F"})


def _is_outer(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and last_name(value.func) == "OuterRef"


def _in_hand(value: ast.expr) -> bool:
    """`invoice.pk`: the key of a row that was already read, not one that came with a request."""
    if not isinstance(value, ast.Attribute) or not value.attr.endswith(_KEYS):
        return False
    return _OUTSIDE.isdisjoint(mentioned_names(value))


def _surroundings(context: FileContext) -> tuple[bool, str, frozenset[str]]:
    """(whether they are the isolation themselves, their role, what the class says of queries) of the scopes around."""
    known = context.memo.setdefault(_AROUND, {})
    assert isinstance(known, dict)
    inmost = context.scopes[-1] if context.scopes else None
    found: tuple[bool, str, frozenset[str]] | None = known.get(inmost)
    if found is None:
        role = role_of_scope(context.scopes, context.role)
        found = known[inmost] = implements_isolation(context), role, frozenset(_said_by_class(context))
    return found


def _said_by_class(context: FileContext) -> Iterator[str]:
    """Bases of the class; for its own statements also what its `get_queryset` mentions."""
    owner = context.class_scope
    if owner is not None:
        yield from (last_name(base) for base in owner.bases)
        if context.function is None:
            for part in owner.body:
                if isinstance(part, FunctionNode) and part.name == "get_queryset":
                    yield from mentioned_names(part)


def _said_later(context: FileContext) -> Iterator[str]:
    """What the rest of the function says of the name that a query is bound to."""
    function, statement = context.function, context.statement
    if function is not None and isinstance(statement, (ast.Assign, ast.AnnAssign)):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for target in targets:
            if isinstance(target, ast.Name):
                yield from _later(function, target.id, context)


def _later(function: FunctionNode, name: str, context: FileContext) -> set[str]:
    """What calls on a name, calls with it and comparisons of it mention, in one function."""
    known = context.memo.setdefault(_LATER, {})
    assert isinstance(known, dict)
    uses: dict[str, list[ast.AST]] | None = known.get(function)
    if uses is None:
        uses = known[function] = _uses(function)
    return {word for part in uses.get(name, ()) for word in mentioned_names(part)}


def _uses(function: FunctionNode) -> dict[str, list[ast.AST]]:
    """Name → the calls on it, the calls with it and the comparisons of it."""
    uses: dict[str, list[ast.AST]] = {}
    for part in descendants(function):
        if isinstance(part, ast.Call):
            subjects = {root_name(part), *(argument.id for argument in part.args if isinstance(argument, ast.Name))}
        elif isinstance(part, ast.Compare):
            subjects = {root_name(part.left), *(root_name(other) for other in part.comparators)}
        else:
            continue
        for subject in subjects:
            uses.setdefault(subject, []).append(part)
    return uses


def _applies(project: Project) -> str | None:
    if tenancy_of(project).mode == "explicit":
        return None
    if tenancy_of(project).mode == "transparent":
        return f"tenants are kept apart without filters by hand: {tenancy_of(project).why}"
    return tenancy_of(project).why


def _holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    if needed(candidate, "role") not in _JUDGED_ROLES:
        return None
    model = needed(candidate, "model")
    place = tenant_models(project).get(model)
    if place is None or is_scoped(candidate, project):
        return None
    path, fact = place
    field = fact.name.partition(".")[2]
    message = (
        f"{model} belongs to a {field.removesuffix('_id')}, and this query reads every {field.removesuffix('_id')}'s"
    )
    evidence = Evidence(path, fact.line, f"{fact.name} is a {fact.detail}")
    return replace(candidate, message=message, evidence=(evidence,))


unscoped_tenant_query = Rule(
    name=UNSCOPED,
    gate="P0",
    severity="CRITICAL",
    skill=SKILL,
    sources=("X-BN-12",),
    catches="A query on a model with a tenant field, in a view, service, task, router or serializer, that names "
    "neither the tenant nor anything that belongs to one.",
    why="Where nothing scopes queries by itself, the one query without a filter shows every tenant's rows to whoever "
    "sends its request.",
    fix="Filter by the tenant, or start from it: `company.invoices.filter(…)`.",
    when="Where the tenancy is explicit: at least 10 queries on tenant models, 80 % of them scoped by hand, and "
    "nothing that scopes them by itself. Tasks that are given nothing work for all tenants; in others "
    "the row whose key was given, and loops that read the tenant of each row, are fine.",
    watches=(
        Watch(
            (ast.Call,),
            _on_call,
            (b".objects", b"_manager", b".all_objects", b"_or_404"),
            _is_judged_path,
            near=_QUERIES.words,
        ),
    ),
    bad=UNSCOPED_BAD,
    good=UNSCOPED_GOOD,
    applies=_applies,
    holds=_holds,
)

RULES: tuple[Rule, ...] = (unscoped_tenant_query,)

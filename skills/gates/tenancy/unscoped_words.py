"""What is said around a query of whose rows it reads: its conditions, its keys, and what is asked of its rows later."""

import ast
import re
from collections.abc import Iterable, Iterator

from skills.gates.analysis.queries import chain_of, mentioned_names
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.syntax import descendants
from skills.gates.tenancy.unscoped_function import SHORTCUTS, Uses, subject_of, uses_of

SCOPED = "*"
"""Stands for a condition that is not spelled out, or names an object in hand or a secret."""
NOTED = "+"
"""Stands for a row that is noted with a tenant: that asks nothing of it, but says that tenants are kept by hand."""
QUERYSET = frozenset(
    {"all", "filter", "exclude", "get", "first", "last", "earliest", "latest", "count", "exists", "aggregate", "values",
     "values_list", "annotate", "order_by", "distinct", "select_related", "prefetch_related", "only", "defer", "using",
     "in_bulk", "iterator", "update", "delete", "get_or_create", "update_or_create", "select_for_update", "dates",
     "datetimes", "union", "extra", "reverse", "complex_filter", "get_queryset", "alias", "contains", "explain",
     "aget", "afirst", "alast", "acount", "aexists", "aaggregate", "aupdate", "adelete", "aiterator", "ain_bulk",
     "aget_or_create", "aupdate_or_create", "alatest", "aearliest"}
)  # fmt: skip
_KEYS = ("pk", "id", "pk__in", "id__in", "uuid", "uuid__in")
SECRETS = lazy(
    r"(?:^|_)(?:token|secret|api_?key|signature|session_key|otp|nonce)(?:_hash|_digest)?(?:__exact)?$"
    r"|(?:^|_)(?:claim|delete|cancel|download|share|invite|invitation|verification|activation|confirmation|reset|access|auth)_(?:code|hash|key|link|slug)$"
)
_CONDITIONS = frozenset({"filter", "get", "exclude", "aget", *SHORTCUTS})
_RELATES = _CONDITIONS | {"create", "get_or_create", "update_or_create"}
_COLUMNS = frozenset({"values", "values_list", "only"})
_MAKES = frozenset(
    {"create", "acreate", "create_user", "get_or_create", "aget_or_create", "update_or_create", "aupdate_or_create",
     "render", "append"}
)  # fmt: skip
_TELLS = lazy(r"^_?(?:log|audit|notify|send|track|publish|emit|broadcast|info|debug|warning|error)(?:_|$)")
OUTSIDE = frozenset(
    {"request", "kwargs", "data", "payload", "validated_data", "cleaned_data", "params", "query_params", "initial_data",
     "args", "attrs", "GET", "POST", "body"}
)  # fmt: skip
SAID_BY_REQUEST = frozenset(
    {"GET", "POST", "DATA", "FILES", "data", "query_params", "body", "headers", "META", "COOKIES", "path_params",
     "json", "resolver_match", "parser_context", "method", "path"}
)  # fmt: skip
ASKERS = frozenset({"user", "profile", "member", "membership"})
ROWS = frozenset({"obj", "instance"})
CHECKS = lazy(
    r"perm|allow|authori[sz]|access|^_?can_|_can_|^_?check_|is_(?:\w+_)?(?:member|admin|owner)|belongs|^_?(?:ensure|require)_",
    re.I,
)


def names_tenant(words: Iterable[str], context: FileContext) -> bool:
    """True where one of some words names a tenant."""
    stems = {field.removesuffix("_id") for field in context.tenant_fields}
    return any(stem in word.lower() for word in words for stem in stems)


def keywords_of(query: ast.Call, context: FileContext) -> Iterator[str]:
    """Keywords of the conditions; `SCOPED` where a condition is not spelled out, or says whose rows are meant."""
    for call in descendants(query):
        if not isinstance(call, ast.Call):
            continue
        method = last_name(call.func)
        for keyword in call.keywords:
            if keyword.arg is None or _says_whose(keyword.arg, keyword.value, context):
                yield SCOPED
            else:
                yield keyword.arg
        if method in _CONDITIONS:
            first = 1 if method in SHORTCUTS else 0
            if any(_is_opaque(argument) for argument in call.args[first:]):
                yield SCOPED
        elif method in _COLUMNS:
            # Who reads the column of the tenant reads of whom each row is.
            yield from (arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str))
        elif isinstance(call.func, ast.Attribute) and method not in QUERYSET and names_asker(call):
            yield SCOPED  # `Shift.objects.of(request.user)`: a method of the project's own


def _says_whose(name: str, value: ast.expr, context: FileContext) -> bool:
    """True for a secret of the tenant, rows of other rows, the person who asks, and the key of an object in hand."""
    if isinstance(value, ast.Call):
        # `OuterRef("pk")`, `shown.values("pk")`: what these are of is said where they come from.
        method = last_name(value.func)
        of_others = name.endswith("__in") and method in _COLUMNS and not chain_of(value).model
        return method == "OuterRef" or of_others or bool(SECRETS.search(name))
    if isinstance(value, ast.Attribute):
        owner = value.value if value.attr in {"id", "pk"} else value
        if last_name(owner) in ASKERS or is_of_request(value) or (name.endswith(_KEYS) and _in_hand(value)):
            return True
    elif isinstance(value, ast.Name):
        if name.endswith((*_KEYS, "__in")):
            return _is_made_here(value.id, context)
        last = name.rpartition("__")[2]
        function = context.function
        if function is not None and "__" not in name and uses_of(function, context).is_row(value.id):
            return True
        return value.id in ROWS | ASKERS or ("__" in name and last.endswith(value.id)) or bool(SECRETS.search(name))
    elif isinstance(value, (ast.ListComp, ast.SetComp, ast.GeneratorExp)):
        return name.endswith(_KEYS) and isinstance(value.elt, ast.Attribute) and _in_hand(value.elt)
    return bool(SECRETS.search(name))


def _is_opaque(argument: ast.expr) -> bool:
    """True for a condition that stands elsewhere, e.g. `filter(allowed)`."""
    if isinstance(argument, ast.BinOp):
        return _is_opaque(argument.left) or _is_opaque(argument.right)
    if isinstance(argument, ast.UnaryOp):
        return _is_opaque(argument.operand)
    return not (isinstance(argument, ast.Call) and last_name(argument.func) in {"Q", "Exists", "F"})


def _in_hand(value: ast.Attribute) -> bool:
    """`invoice.pk`: the key of a row that was already read, not one that came with a request."""
    return value.attr.endswith(_KEYS) and OUTSIDE.isdisjoint(mentioned_names(value))


def names_asker(call: ast.Call) -> bool:
    """True where a call is given something of who asks: `request.user`, the user's company."""
    given = (*call.args, *(keyword.value for keyword in call.keywords))
    return any(not ASKERS.isdisjoint(mentioned_names(part)) for part in given)


def _is_made_here(name: str, context: FileContext) -> bool:
    """True for keys that the function itself gathers, of rows that it has read; not for what it is given."""
    words = origins(name, context)
    if not words:
        return False
    if words.isdisjoint(OUTSIDE) and words.isdisjoint(parameters(context)):
        return True
    return names_tenant(words, context)


def origins(name: str, context: FileContext) -> set[str]:
    """Every word that a name in the function around is made of, at first or second hand; none where it is not made
    there."""
    function = context.function
    if function is None:
        return set()
    made = uses_of(function, context).made_of
    words: set[str] = set()
    left = [name]
    while left:
        for word in made.get(left.pop(), ()):
            if word not in words:
                words.add(word)
                left.append(word)
    return words


def parameters(context: FileContext) -> set[str]:
    """What the function around is given, but for itself."""
    if context.function is None:
        return set()
    arguments = context.function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    return {argument.arg for argument in every if argument is not None} - {"self", "cls"}


def said_later(context: FileContext) -> Iterator[str]:
    """What the rest of the function says of the name that a query is bound to, and of what is read of it; `SCOPED`
    where it asks whether the row may be seen, or whether a secret of it is known."""
    function, statement = context.function, context.statement
    if function is None:
        return
    if isinstance(statement, (ast.Assign, ast.AnnAssign)):
        for target in statement.targets if isinstance(statement, ast.Assign) else [statement.target]:
            for name in uses_of(function, context).derived_from(subject_of(target)):
                yield from _later(function, name, context)
            if subject_of(target).startswith("self.") and is_asked_for_tenant(context):
                yield SCOPED
    elif isinstance(statement, ast.Return) and is_asked_for_tenant(context):
        yield SCOPED


def is_asked_for_tenant(context: FileContext) -> bool:
    """True for a method of whose row another method asks whose it is: `self.invoice.company`."""
    function = context.function
    if function is None or context.class_scope is None:
        return False
    ways = [f"self.{function.name}{call}.{field}" for field in context.tenant_fields for call in ("", "()")]
    return any(context.holds(way.encode()) for way in ways)


def _later(function: FunctionNode, name: str, context: FileContext) -> set[str]:
    """What calls on a name, calls with it and comparisons of it mention, in one function."""
    uses = uses_of(function, context)
    parts = uses.said.get(name, ())
    words: set[str] = set()
    for part in parts:
        said = set(mentioned_names(part))
        if not _only_uses(part, name):
            words |= said
        elif names_tenant(said, context):
            words.add(NOTED)
    row = name.rpartition(".")[2]
    for test in (part.test for part in uses.ifs):
        said = set(mentioned_names(test))
        if row not in said:
            continue
        others = said - {row}
        said |= {word for other in others for word in uses.read_of.get(other, ())}
        own = any(_is_own(value) for other in others for value in uses.bound.get(other, ()))
        if own or not ASKERS.isdisjoint(said) or names_tenant(said, context):
            words.add(SCOPED)  # `if not channel.members.filter(pk=request.user.pk).exists():`
    for part in parts:
        if isinstance(part, ast.Call):
            called = last_name(part.func)
            own = called in _CONDITIONS and subject_of(part) == name and _is_of_asker(part, uses)
            asked = own or CHECKS.search(called) or _asks_of_row(part, name)
            asked = asked or _relates_asker(part, name, function, context)
            if called == "Prefetch" or asked:
                words.add(SCOPED)
            words.update(_asked_in_callee(part, name, context))
        elif any(map(SECRETS.search, mentioned_names(part))) or _compares_whose(part, name):
            words.add(SCOPED)
    return words


def _is_of_asker(call: ast.Call, uses: Uses) -> bool:
    """`team.members.get(user=user)`, and `orders.filter(id__in=own)` of what was read of who asks."""
    return names_asker(call) or any(not ASKERS.isdisjoint(uses.read_of.get(word, ())) for word in mentioned_names(call))


def _only_uses(part: ast.Call | ast.Compare, name: str) -> bool:
    """True for a call that makes, shows or notes something with a row, `Line.objects.create(company=company,
    invoice=row)`: what else it is given says nothing of the row."""
    called = last_name(part.func) if isinstance(part, ast.Call) else ""
    return (
        bool(called)
        and subject_of(part) != name
        and (called[:1].isupper() or called in _MAKES or bool(_TELLS.search(called)))
    )


def _asks_of_row(call: ast.Call, name: str) -> bool:
    """`node.is_descendant_of(own_node)`: the row is asked how it stands to something else."""
    asks = isinstance(call.func, ast.Attribute) and call.func.attr.startswith(("is_", "has_", "can_", "belongs"))
    return asks and subject_of(call) == name and any(map(subject_of, call.args))


def _relates_asker(call: ast.Call, name: str, function: FunctionNode, context: FileContext) -> bool:
    """`Member.objects.filter(team=team, user=request.user)`: how who asks stands to the row is looked up; also
    `Saved.objects.create(job=job, reader=reader)` for a `reader` that was read as that of the user: no tenant's."""
    method = last_name(call.func)
    values = [word.value for word in call.keywords]
    if method not in _RELATES or name not in map(subject_of, values):
        return False
    others = [value for value in values if subject_of(value) != name]
    if method in _CONDITIONS and any(not ASKERS.isdisjoint(mentioned_names(value)) for value in others):
        return True
    bound = uses_of(function, context).bound
    return any(
        isinstance(made, ast.Call) and any(word.arg == "user" for word in made.keywords)
        for value in others
        for made in bound.get(subject_of(value), ())
    )


def _compares_whose(compare: ast.Compare, name: str) -> bool:
    """`invoice.owner_id != owner.id`, `invoice not in own`, `invoice.created_by == request.user`: whose row it is; not
    `invoice.status == wanted`."""
    sides = (compare.left, *compare.comparators)
    rows = [side for side in sides if subject_of(side) == name]
    others = [side for side in sides if subject_of(side) not in {name, ""} and subject_of(side)[:1].islower()]
    if any(map(is_of_request, (side for side in others if isinstance(side, ast.Attribute)))):
        return True
    said = {last_name(row) for row in rows}
    return bool(others) and any(
        word == name.rpartition(".")[2] or word.endswith(_KEYS) or word in {last_name(other) for other in others}
        for word in said
    )


def is_of_request(value: ast.Attribute) -> bool:
    """True for what a request was found to belong to, `request.team`; not for what it says."""
    names = set(mentioned_names(value))
    return "request" in names and names.isdisjoint(SAID_BY_REQUEST)


def _is_own(value: ast.AST) -> bool:
    """`request.desk` and `getattr(request, "desk", None)`."""
    if isinstance(value, ast.Call) and last_name(value.func) == "getattr" and value.args:
        return last_name(value.args[0]) == "request"
    return isinstance(value, ast.Attribute) and is_of_request(value)


def _asked_in_callee(call: ast.Call, name: str, context: FileContext) -> Iterator[str]:
    """What the function of the same file that a row is handed to compares it by."""
    if not isinstance(call.func, ast.Name):
        return
    place = next((at for at, given in enumerate(call.args) if isinstance(given, ast.Name) and given.id == name), None)
    if place is None:
        return
    for part in context.tree.body:
        if isinstance(part, FunctionNode) and part.name == call.func.id and place < len(part.args.args):
            row = part.args.args[place].arg
            for test in descendants(part):
                if isinstance(test, ast.Compare) and row in {subject_of(test.left), *map(subject_of, test.comparators)}:
                    yield from mentioned_names(test)

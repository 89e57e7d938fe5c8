"""What was asked of a key before a query reads by it: by permissions, decorators and views that others are built on,
and by other lines of the function."""

import ast
from collections.abc import Iterable, Iterator

from skills.gates.analysis.queries import chain_of, mentioned_names
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name, root_name
from skills.gates.engine.roles import outside_tests
from skills.gates.engine.syntax import descendants, is_singleton, strings_in
from skills.gates.project import Project
from skills.gates.rule import Observer, Watch
from skills.gates.tenancy.unscoped_function import READS_ONE, SHORTCUTS, Uses, is_manager, uses_of
from skills.gates.tenancy.unscoped_reach import conditions_of, is_key, is_published, uses_bound
from skills.gates.tenancy.unscoped_words import ASKERS, CHECKS, OUTSIDE, names_asker, names_tenant

OF_THE_ROW = ("pk", "id", "uuid")
"""What the key of the row of an address is called."""
_ASKS, _RANDOM = "asks-key", "random-column"
HOOKS = frozenset(
    {"has_permission", "has_object_permission", "dispatch", "initial", "setup", "test_func", "check_permissions",
     "initialize_request", "convert_args"}
)  # fmt: skip
_VALIDATES = "validate_"
_USED = frozenset({"filter_backends", "permission_classes"})
_PLAIN = frozenset({"", "object", "APIView", "View", "BasePermission", "IsAuthenticated", "AllowAny"})
_NO_KEYS = frozenset({"self", "cls", "request", "view", "get", *OUTSIDE, *ASKERS})
_VETTED = "unscoped-tenant-query: keys that were asked for"


def vetted_in(function: FunctionNode, context: FileContext, but: str = "") -> frozenset[str]:
    """The keys that a function asks for itself: one row is read of the tenant or of who asks by them, a check is given
    them, or a helper that also learns who asks; `but` is the function that itself is looked at."""
    known = context.memo.setdefault(_VETTED, {})
    assert isinstance(known, dict)
    if (function, but) not in known:
        calls = (call for call in uses_of(function, context).calls if not but or last_name(call.func) != but)
        asked = {word for call in calls for word in _asked_of(call, context)} - _NO_KEYS
        asked.update(_turned_away_by(uses_of(function, context)))
        asked.update(word for name in list(asked) for word in _read_by(name, function, context))
        known[function, but] = frozenset(asked) - _NO_KEYS
    words: frozenset[str] = known[function, but]
    return words


def _turned_away_by(uses: Uses) -> Iterator[str]:
    """What a test that turns somebody away hands on with who asks: `if not teaches(request.user, course): return`."""
    for part in uses.ifs:
        calls = (call for call in descendants(part.test) if isinstance(call, ast.Call) and names_asker(call))
        if isinstance(part.body[-1], (ast.Return, ast.Raise)):
            yield from (word for call in calls for value in call.args for word in words_of(value))


def _read_by(name: str, function: FunctionNode, context: FileContext) -> Iterator[str]:
    """What the key of a row is called, by which a function read it: `invoice = Invoice.objects.get(pk=pk)`, also in two
    steps, `invoices = Invoice.objects.filter(pk=pk)` and `invoice = invoices.first()`."""
    bound = uses_of(function, context).bound
    for row in bound.get(name, ()):
        if isinstance(row, ast.Call) and last_name(row.func) in READS_ONE:
            steps = (row, *(step for step in bound.get(root_name(row), ()) if isinstance(step, ast.Call)))
            read = (condition for step in steps for condition in conditions_of(step))
            yield from (word for lookup, value in read if is_key(lookup) for word in words_of(value))


def is_validated(words: frozenset[str], context: FileContext) -> bool:
    """True where a method of the class that validates what came reads one of some keys, and asks whose its row is."""
    for part in context.class_scope.body if context.class_scope is not None else ():
        if isinstance(part, FunctionNode) and part.name.startswith(("validate", "clean")):
            said = {*words_of(part), part.name.partition("_")[2]}  # `validate_invoice_id(self, value)`
            known = not ASKERS.isdisjoint(said) or names_tenant(said, context)
            if part is not context.function and known and not said.isdisjoint(words - _NO_KEYS):
                return True
    return False


def _asked_of(call: ast.Call, context: FileContext) -> Iterator[str]:
    name = last_name(call.func)
    chain = chain_of(call)
    if is_manager(chain.manager) or name in SHORTCUTS or any(method == "get_queryset" for method, _ in chain.calls):
        conditions = list(conditions_of(call))
        own = any(method == "get_queryset" for method, _ in chain.calls)
        said = {name for lookup, value in conditions for name in (*lookup.split("__"), *mentioned_names(value))}
        bound = uses_bound(context)
        for name in list(said):  # `owner = request.user`
            said.update(
                word for one in bound.get(name, ()) if isinstance(one, ast.Attribute) for word in mentioned_names(one)
            )
        if own or is_published(call) or not ASKERS.isdisjoint(said) or names_tenant(said, context):
            yield from (word for _, value in conditions for word in words_of(value))
    elif name == "get_object":
        yield from (*OF_THE_ROW, *(word for value in call.args for word in words_of(value)))
    elif not name[:1].isupper():
        given = [*call.args, *(word.value for word in call.keywords)]
        said = {name for value in given for name in mentioned_names(value)}
        finds = name.startswith(
            ("get_", "_get", "find", "_find", "fetch", "_fetch", "resolve", "_resolve", "load", "_load")
        )
        if CHECKS.search(name) or (finds and ("request" in said or names_tenant(said, context))):
            yield from (word for value in given for word in words_of(value))


def words_of(value: ast.AST) -> Iterator[str]:
    """The names that an expression mentions, also as strings."""
    yield from mentioned_names(value)
    yield from filter(str.isidentifier, strings_in(value))


def asked_by(askers: Iterable[str], project: Project) -> set[str]:
    """The keys of an address that permissions, decorators and base classes ask for, by their names."""
    return {word for name in _with_used(askers, project) for word in _keys_of(name, project)}


def _keys_of(name: str, project: Project) -> Iterator[str]:
    for _, fact in project.named(_ASKS, name):
        yield from fact.detail.partition("|")[0].split()


def narrows(names: Iterable[str], project: Project) -> bool:
    """True where one of some classes, or of what they are built on and use, narrows rows to those of who asks."""
    return any(project.has("narrows", name) for name in _with_used(names, project))


def _with_used(names: Iterable[str], project: Project) -> set[str]:
    """Names with those of the classes beneath them, of their permissions and of the backends that filter."""
    seen: set[str] = set()
    left = list(names)
    while left:
        name = left.pop()
        if name not in seen:
            seen.add(name)
            for _, fact in project.named(_ASKS, name):
                left.extend(fact.detail.partition("|")[2].split())
            for _, fact in project.named("view-class", name):
                left.extend(fact.detail.split())
    return seen


def random_columns(project: Project) -> frozenset[str]:
    """`Model.field` of the columns that are filled with a word nobody guesses."""
    known = project.memo.get(_RANDOM)
    if known is None:
        known = project.memo[_RANDOM] = frozenset(fact.name for _, fact in project.facts(_RANDOM))
    assert isinstance(known, frozenset)
    return known


def _on_columns(node: ast.ClassDef, context: FileContext) -> None:
    for part in node.body:
        call = part.value if isinstance(part, ast.Assign) else None
        if isinstance(call, ast.Call) and last_name(call.func).endswith("Field") and isinstance(part, ast.Assign):
            words = {word.arg: word.value for word in call.keywords}
            unique, default = words.get("unique"), words.get("default")
            name = last_name(part.targets[0])
            if is_singleton(unique, True) and isinstance(default, (ast.Name, ast.Attribute)) and not is_key(name):
                context.fact(_RANDOM, f"{node.name}.{name}")


def _on_class(node: ast.ClassDef, context: FileContext) -> None:
    words: set[str] = set()
    bases = {last_name(base) for base in node.bases} - _PLAIN
    for part in node.body:
        if isinstance(part, FunctionNode) and part.name in HOOKS and _asks(part):
            words.update(words_of(part))
            words.update(argument.arg for argument in (*part.args.args, *part.args.kwonlyargs))
            if any(word.endswith("_object") for word in words):
                words.update(OF_THE_ROW)  # it asks for the row of the address
        elif isinstance(part, FunctionNode) and part.name.startswith(_VALIDATES) and _asks_whose_key(part, context):
            words.add(part.name.removeprefix(_VALIDATES))  # `validate_invoice_id(self, value)`
        elif isinstance(part, ast.Assign) and last_name(part.targets[0]) in _USED:
            bases.update(mentioned_names(part.value))
    if words or bases:
        context.fact(_ASKS, node.name, f"{' '.join(sorted(words - _NO_KEYS))}|{' '.join(sorted(bases))}")


def _asks_whose_key(method: FunctionNode, context: FileContext) -> bool:
    words = set(mentioned_names(method))
    return not ASKERS.isdisjoint(words) or names_tenant(words, context)


def _asks(function: FunctionNode) -> bool:
    """True for what asks about someone: it reads who comes, or calls a check."""
    words = set(mentioned_names(function))
    return not ASKERS.isdisjoint(words) or any(map(CHECKS.search, words))


def _on_function(node: FunctionNode, context: FileContext) -> None:
    """Decorators: functions with a function in them that is handed the keys of the address."""
    if context.scopes and not all(isinstance(scope, FunctionNode) for scope in context.scopes):
        return
    for inner in descendants(node):
        if inner is not node and isinstance(inner, FunctionNode) and _asks(inner):
            words = set(words_of(inner)) | {argument.arg for argument in (*inner.args.args, *inner.args.kwonlyargs)}
            outer = context.scopes[0].name if context.scopes else node.name
            context.fact(_ASKS, outer, f"{' '.join(sorted(words - _NO_KEYS))}|")
            return


OBSERVERS: tuple[Observer, ...] = (
    Observer(
        "asked-keys",
        (
            Watch(
                (ast.ClassDef,),
                _on_class,
                (
                    b"filter_backends",
                    b"permission_classes",
                    b"def validate_",
                    *(f"def {name}".encode() for name in sorted(HOOKS)),
                ),
                outside_tests,
                tenants=True,
            ),
            Watch((ast.FunctionDef,), _on_function, (b"wraps(",), outside_tests, tenants=True),
            Watch((ast.ClassDef,), _on_columns, (b"unique=True",), outside_tests, tenants=True),
        ),
    ),
)
"""Kinds: asks-key (name: a permission, view, or decorator; detail: the words that it reads|what it is
built on and uses), random-column
(name: model and field; unique, and made up by a function)."""

"""What was asked of a key before a query reads by it: by permissions, decorators and views that others are built on,
and by other lines of the function."""

import ast
import re
from collections.abc import Iterable, Iterator

from skills.gates.analysis.queries import chain_of, mentioned_names
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import function_role, outside_tests
from skills.gates.engine.syntax import descendants
from skills.gates.project import Project
from skills.gates.rule import Observer, Watch
from skills.gates.tenancy.unscoped_function import SHORTCUTS, is_manager, uses_of
from skills.gates.tenancy.unscoped_reach import conditions_of, is_entry, is_key, is_published, uses_bound
from skills.gates.tenancy.unscoped_words import ASKERS, CHECKS, OUTSIDE, is_of_request

APART = lazy(
    r"(?:^|/)(?:\w+_)?(?:super_?admin|admin|back_?office|staff|internal|dev|development|debug|sandbox|mocks?|web_?hooks?)"
    r"(?:_\w+)?(?:/|\.py$)"
)
"""Paths of those who run the service, of those who develop it, and of other services that call it."""
PUBLIC = "public"
"""The need of a query that lists rows to everybody."""
_STAFF = lazy(
    r"staff|super_?user|super_?admin|platform|^internal|back_?office|(?:site|global|system|service)_?admin"
    r"|^(?:is_?)?admin(?:_?(?:user|only|required|permission|role))?s?$|^is_global$",
    re.I,
)
_BY_STAFF = lazy(
    r"^(?:Super|Platform|Site|System|Global)?Admin(?=[A-Z])|^admin_|_admin_|^(?:dev|debug|dummy|mock)_|Test(?:API)?View$"
)
_ASKS, _RANDOM = "asks-key", "random-column"
_HOOKS = frozenset(
    {"has_permission", "has_object_permission", "dispatch", "initial", "setup", "test_func", "check_permissions",
     "initialize_request", "convert_args"}
)  # fmt: skip
_USED = frozenset({"filter_backends", "permission_classes"})
_PLAIN = frozenset({"", "object", "APIView", "View", "BasePermission", "IsAuthenticated", "AllowAny"})
_NO_KEYS = frozenset({"self", "cls", "request", "view", "get", *OUTSIDE, *ASKERS})
_CALLED_BACK = lazy(r"web_?hook|call_?back", re.I)
_SIGNED_IN = frozenset({"IsAuthenticated", "LoginRequiredMixin", "login_required"})
_ROUTES = lazy(
    r"schema|swagger|^action$|api_view|^require_|cache|csrf|atomic|^(?:List|Create|Retrieve|Update|Destroy)Model"
)
_GENERIC = lazy(
    r"^(?:ReadOnly)?ModelViewSet$|^GenericViewSet$|^(?:Retrieve|List)\w*APIView$|^(?:List|Detail|Update|Delete)View$"
    r"|^(?:List|Create|Retrieve|Update|Destroy)ModelMixin$|^LoginRequiredMixin$"
)
_OWN_ROWS = frozenset({"get_queryset", "filter_queryset", "get_object", "list", "retrieve", "get"})
_NO_TENANT_YET = lazy(
    r"regist(?:er|rat)|sign_?(?:up|in(?!g))|log_?in|password|invit|activate|activation|o_?auth(?!or)|saml|oidc|unsubscri",
    re.I,
)
_SIGNED = lazy(
    r"unsign|compare_digest|constant_time|construct_event|check_token|make_token|hmac|jwt"
    r"|(?:verif|check|valid|read|decode|load|parse)\w*_(?:signature|token|webhook)",
    re.I,
)
# Without one of these a function asks for no signature, and compares nothing with a secret setting.
_SIGNED_STEMS = ("ign", "compare_digest", "constant_time", "construct_event", "oken", "hmac", "HMAC", "jwt",
                 "JWT", "ebhook", "settings", "config", "environ")  # fmt: skip
_SETTINGS = frozenset({"settings", "config", "environ"})
_SECRET_SETTING = lazy(r"(?:^|_)(?:key|secret|token|password)$", re.I)
_SIGNS_IN = lazy(
    r"login|auth|permission|user_passes|allow|_required|require[sd]?_(?!http|GET|POST|safe)|member|role", re.I
)
_PUBLIC = lazy(
    r"public|market_?place|anonymous|embed|storefront|^shared?_|^Shared?(?=[A-Z])|AuthenticatedOrReadOnly$", re.I
)
_SIGNATURES = "unscoped-tenant-query: asks for a signature"
_VETTED = "unscoped-tenant-query: keys that were asked for"


def vetted_in(function: FunctionNode, context: FileContext, but: str = "") -> frozenset[str]:
    """The keys that a function asks for itself: one row is read of the tenant or of who asks by them, a check is given
    them, or a helper that also learns who asks; `but` is the function that itself is looked at."""
    known = context.memo.setdefault(_VETTED, {})
    assert isinstance(known, dict)
    if (function, but) not in known:
        calls = (call for call in uses_of(function, context).calls if not but or last_name(call.func) != but)
        known[function, but] = frozenset(word for call in calls for word in _asked_of(call, context)) - _NO_KEYS
    words: frozenset[str] = known[function, but]
    return words


def is_validated(words: frozenset[str], context: FileContext) -> bool:
    """True where a method of the class that validates what came reads one of some keys, and asks whose its row is."""
    for part in context.class_scope.body if context.class_scope is not None else ():
        if isinstance(part, FunctionNode) and part.name.startswith(("validate", "clean")):
            said = {*_words(part), part.name.partition("_")[2]}  # `validate_invoice_id(self, value)`
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
            yield from (word for _, value in conditions for word in _words(value))
    elif name == "get_object":
        yield from ("pk", "id", "uuid", *(word for value in call.args for word in _words(value)))
    elif not name[:1].isupper():
        given = [*call.args, *(word.value for word in call.keywords)]
        said = {name for value in given for name in mentioned_names(value)}
        finds = name.startswith(
            ("get_", "_get", "find", "_find", "fetch", "_fetch", "resolve", "_resolve", "load", "_load")
        )
        if CHECKS.search(name) or (finds and ("request" in said or names_tenant(said, context))):
            yield from (word for value in given for word in _words(value))


def names_tenant(words: Iterable[str], context: FileContext) -> bool:
    """True where one of some words names a tenant."""
    stems = {field.removesuffix("_id") for field in context.tenant_fields}
    return any(stem in word.lower() for word in words for stem in stems)


def _words(value: ast.AST) -> Iterator[str]:
    yield from mentioned_names(value)
    for part in descendants(value):
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value.isidentifier():
            yield part.value


def askers_of(context: FileContext) -> set[str]:
    """What decides who comes to the scopes around: decorators, permissions, and what their classes are built on."""
    found: set[str] = set()
    for scope in context.scopes:
        for decorator in scope.decorator_list:
            found.update(mentioned_names(decorator))
        if isinstance(scope, ast.ClassDef):
            found.update(last_name(base) for base in scope.bases)
            found.add(scope.name)
            for part in scope.body:
                if isinstance(part, ast.Assign) and last_name(part.targets[0]) in {"permission_classes", "mixins"}:
                    found.update(mentioned_names(part.value))
                elif isinstance(part, FunctionNode) and part.name == "get_permissions":
                    found.update(mentioned_names(part))
    return found


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


def is_before_sign_in(context: FileContext) -> bool:
    """True where nobody is signed in yet, or a signature says what may be read."""
    known = context.memo.setdefault(_SIGNATURES, {})
    assert isinstance(known, dict)
    inmost = context.scopes[-1] if context.scopes else None
    if inmost not in known:
        names = [scope.name for scope in context.scopes]
        named = any(map(_NO_TENANT_YET.search, names)) or (
            any(map(_CALLED_BACK.search, names)) and _SIGNED_IN.isdisjoint(askers_of(context))
        )
        known[inmost] = named or _asks_for_signature(context)
    return bool(known[inmost])


def _asks_for_signature(context: FileContext) -> bool:
    function = context.function
    if function is None:
        return False
    text = "\n".join(context.lines[function.lineno - 1 : function.end_lineno])
    if not any(stem in text for stem in _SIGNED_STEMS):
        return False
    uses = uses_of(function, context)
    called = (name for call in uses.calls for name in _called(call.func))
    return any(map(_SIGNED.search, called)) or any(map(_is_with_secret, uses.compares))


def _is_with_secret(compare: ast.Compare) -> bool:
    """`key == settings.CALLBACK_KEY`."""
    words = set(mentioned_names(compare))
    return not _SETTINGS.isdisjoint(words) and any(map(_SECRET_SETTING.search, words))


def _called(function: ast.expr) -> Iterator[str]:
    while isinstance(function, ast.Attribute):
        yield function.attr
        function = function.value
    if isinstance(function, ast.Name):
        yield function.id


def is_for_staff(context: FileContext) -> bool:
    """True where only those who run or develop the service come: they see all tenants."""
    said: set[str] = set()
    for scope in context.scopes:
        if _BY_STAFF.search(scope.name):
            return True
        said.update(name for decorator in scope.decorator_list for name in _words(decorator))
        if isinstance(scope, ast.ClassDef):
            for part in (*scope.bases, *_settings(scope, "permission_classes")):
                said.update(mentioned_names(part))
    return any(_STAFF.search(name) for name in said)


def is_for_a_role(query: ast.Call, context: FileContext) -> bool:
    """True for a query in a branch for staff, and for one that comes after everybody else was turned away."""
    for part in uses_of(context.function, context).ifs if context.function is not None else ():
        if _asks_for_staff(part.test):
            end = part.end_lineno or part.lineno
            turns_away = isinstance(part.body[-1], (ast.Return, ast.Raise)) and end < query.lineno
            if turns_away or part.lineno <= query.lineno <= end:
                return True
    return False


def _asks_for_staff(test: ast.expr) -> bool:
    """True for `user.is_staff` and `role == "admin"`; not for a test in which other roles pass too."""
    roles = [part.value for part in descendants(test) if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return any(map(_STAFF.search, _words(test))) and all(map(_STAFF.search, roles))


def is_public(context: FileContext) -> bool:
    """True where everybody may come, who belongs to no tenant: what is read there is published by its address."""
    return says_public(context) or any(map(_looks_public, context.scopes)) or _is_open_view(context)


def says_public(context: FileContext) -> bool:
    """True where a permission says that everybody may come."""
    return any(map(_allows_any, context.scopes))


def _allows_any(scope: ast.ClassDef | FunctionNode) -> bool:
    if any("AllowAny" in mentioned_names(decorator) for decorator in scope.decorator_list):
        return True
    return any(set(_permissions(value)) <= {"AllowAny"} for value in _settings(scope, "permission_classes"))


def _looks_public(scope: ast.ClassDef | FunctionNode) -> bool:
    decorators = {name for one in scope.decorator_list for name in mentioned_names(one)}
    exempt = "csrf_exempt" in decorators and not any(map(_SIGNS_IN.search, decorators))
    permissions = {name for part in _settings(scope, "permission_classes") for name in _permissions(part)}
    return exempt or any(map(_PUBLIC.search, {scope.name, *decorators, *permissions}))


def _settings(scope: ast.ClassDef | FunctionNode, name: str) -> Iterator[ast.expr]:
    """What a class sets a name to."""
    for part in scope.body if isinstance(scope, ast.ClassDef) else ():
        if isinstance(part, ast.Assign) and last_name(part.targets[0]) == name:
            yield part.value


def _is_open_view(context: FileContext) -> bool:
    """True for a plain function of Django's that a request comes to, which asks for nobody and names no tenant."""
    function = context.function
    if function is None or context.class_scope is not None or not is_entry(context):
        return False
    decorators = {name for one in function.decorator_list for name in mentioned_names(one)}
    if function_role(function) == "router" or "api_view" in decorators or any(map(_SIGNS_IN.search, decorators)):
        return False
    names = {*mentioned_names(function), *(argument.arg for argument in function.args.args)}
    return ASKERS.isdisjoint(names) and not names_tenant(names, context)


def asks_whose(context: FileContext) -> bool:
    """True for a function that compares something with what the request was found to belong to, `request.user.org`."""
    function = context.function
    for compare in uses_of(function, context).compares if function is not None else ():
        sides = [side for side in (compare.left, *compare.comparators) if isinstance(side, (ast.Attribute, ast.Name))]
        own = [side for side in sides if isinstance(side, ast.Attribute) and is_of_request(side)]
        if own and len(sides) > len(own) and all(last_name(side)[:1].islower() for side in sides):
            return True
    return False


def shows_all(query: ast.Call, context: FileContext) -> bool:
    """True where a view shows every row of a query to whoever is signed in: as its `queryset`, what its `get_queryset`
    answers, or through a serializer of many."""
    if not _only_signs_in(context):
        return False
    function, owner, statement = context.function, context.class_scope, context.statement
    if function is None or function.name == "get_queryset":
        plain = owner is not None and all(map(_GENERIC.search, map(last_name, owner.bases)))
        if not plain or owner is None:
            return False
        if function is None:
            own = {part.name for part in owner.body if isinstance(part, FunctionNode)}
            target = statement.targets[0] if isinstance(statement, ast.Assign) else None
            return target is not None and last_name(target) == "queryset" and own.isdisjoint(_OWN_ROWS)
        return isinstance(statement, ast.Return)
    bound = statement.targets[0] if isinstance(statement, ast.Assign) else None
    for call in uses_of(function, context).calls:
        first = call.args[0] if call.args else None
        is_it = first is query or (isinstance(first, ast.Name) and isinstance(bound, ast.Name) and first.id == bound.id)
        if is_it and last_name(call.func).endswith("Serializer") and any(word.arg == "many" for word in call.keywords):
            return True
    return False


def _only_signs_in(context: FileContext) -> bool:
    """True where all that is asked of who comes is to be signed in."""
    asked: set[str] = set()
    for scope in context.scopes:
        asked.update(map(_name_of, scope.decorator_list))
        if isinstance(scope, ast.ClassDef):
            asked.update(last_name(base) for base in scope.bases if last_name(base).endswith("Mixin"))
            for part in scope.body:
                if isinstance(part, ast.Assign) and last_name(part.targets[0]) == "permission_classes":
                    asked.update(_permissions(part.value))
                elif isinstance(part, FunctionNode) and part.name in {"get_permissions", *_HOOKS}:
                    return False
    asked = {name for name in asked if not _ROUTES.search(name)}
    return bool(asked) and asked <= _SIGNED_IN


def _permissions(value: ast.expr) -> Iterator[str]:
    return map(last_name, value.elts if isinstance(value, (ast.Tuple, ast.List)) else [value])


def _name_of(decorator: ast.expr) -> str:
    return last_name(decorator.func if isinstance(decorator, ast.Call) else decorator)


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
            is_unique = isinstance(unique, ast.Constant) and unique.value is True
            name = last_name(part.targets[0])
            if is_unique and isinstance(default, (ast.Name, ast.Attribute)) and not is_key(name):
                context.fact(_RANDOM, f"{node.name}.{name}")


def _on_class(node: ast.ClassDef, context: FileContext) -> None:
    words: set[str] = set()
    bases = {last_name(base) for base in node.bases} - _PLAIN
    for part in node.body:
        if isinstance(part, FunctionNode) and part.name in _HOOKS and _asks(part):
            words.update(_words(part))
            words.update(argument.arg for argument in (*part.args.args, *part.args.kwonlyargs))
        elif isinstance(part, ast.Assign) and last_name(part.targets[0]) in _USED:
            bases.update(mentioned_names(part.value))
    if words or bases:
        context.fact(_ASKS, node.name, f"{' '.join(sorted(words - _NO_KEYS))}|{' '.join(sorted(bases))}")


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
            words = set(_words(inner)) | {argument.arg for argument in (*inner.args.args, *inner.args.kwonlyargs)}
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
                (b"filter_backends", b"permission_classes", *(f"def {name}".encode() for name in sorted(_HOOKS))),
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

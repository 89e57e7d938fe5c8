"""Who comes to a view: one of a tenant's people, everybody, staff, or somebody that has not signed in yet."""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from skills.gates.analysis.queries import chain_of, mentioned_names
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import function_role
from skills.gates.engine.syntax import descendants
from skills.gates.tenancy.unscoped_checks import OF_THE_ROW, words_of
from skills.gates.tenancy.unscoped_function import SHORTCUTS, Uses, uses_of
from skills.gates.tenancy.unscoped_reach import is_entry
from skills.gates.tenancy.unscoped_words import ASKERS, is_of_request, names_tenant

APART = lazy(
    r"(?:^|/)(?:\w+_)?(?:super_?admin|admin|back_?office|staff|internal|dev|development|debug|sandbox|mocks?|web_?hooks?)"
    r"(?:_\w+)?(?:/|\.py$)"
)
"""Paths of those who run the service, of those who develop it, and of other services that call it."""
_STAFF = lazy(
    r"staff|super_?user|super_?admin|platform|^internal|back_?office|(?:site|global|system|service)_?admin"
    r"|^(?:is_?)?admin(?:istra(?:tor|teur|dor))?(?:_?(?:user|only|required|permission|role))?s?(?:mixin)?$|^is_global$",
    re.I,
)
_SERVED = lazy(
    r"candidate|applicant|seeker|customer|patient|student|pupil|guardian|guest|visitor|buyer|shopper|donor", re.I
)
_BY_STAFF = lazy(
    r"^(?:Super|Platform|Site|System|Global)?Admin(?=[A-Z])|^admin_|_admin_|^(?:dev|debug|dummy|mock)_|Test(?:API)?View$"
)
_CALLED_BACK = lazy(r"web_?hook|call_?back", re.I)
SIGNED_IN = frozenset({"IsAuthenticated", "LoginRequiredMixin", "login_required"})
"""What asks of who comes nothing but to have signed in."""
_NO_TENANT_YET = lazy(
    r"regist(?:er|rat)|sign_?(?:up|in(?!g))|log_?in|password|invit|activate|activation|o_?auth(?!or)|saml|oidc|unsubscri",
    re.I,
)
_SIGNED = lazy(
    r"unsign|compare_digest|constant_time|construct_event|check_token|make_token|hmac|jwt"
    r"|(?:verif|check|valid|read|decode|load|parse)\w*_(?:signature|token|webhook)",
    re.I,
)
_SETTINGS = frozenset({"settings", "config", "environ"})
_SECRET_SETTING = lazy(r"(?:^|_)(?:key|secret|token|password)$", re.I)
_SIGNS_IN = lazy(
    r"login|auth|permission|user_passes|allow|_required|require[sd]?_(?!http|GET|POST|safe)|member|role", re.I
)
_PUBLIC = lazy(
    r"public|market_?place|anonymous|embed|storefront|^shared?_|^Shared?(?=[A-Z])|AuthenticatedOrReadOnly$", re.I
)
_SIGNATURES = "unscoped-tenant-query: asks for a signature"
# Without one of these a function asks for no signature, and compares nothing with a secret setting.
_SIGNED_STEMS = ("ign", "compare_digest", "constant_time", "construct_event", "oken", "hmac", "HMAC", "jwt",
                 "JWT", "ebhook", "settings", "config", "environ")  # fmt: skip
_OWN_MODELS, _ROLES = "unscoped-tenant-query: models of who asks", "unscoped-tenant-query: branches for a role"


def is_before_sign_in(context: FileContext) -> bool:
    """True where nobody is signed in yet, or a signature says what may be read."""
    known = context.memo.setdefault(_SIGNATURES, {})
    assert isinstance(known, dict)
    inmost = context.scopes[-1] if context.scopes else None
    if inmost not in known:
        names = [scope.name for scope in context.scopes]
        named = any(map(_NO_TENANT_YET.search, names)) or (
            any(map(_CALLED_BACK.search, names)) and SIGNED_IN.isdisjoint(askers_of(context))
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


def askers_of(context: FileContext) -> set[str]:
    """What decides who comes to the scopes around: decorators, permissions, and what their classes are built on."""
    found: set[str] = set()
    for scope in context.scopes:
        found |= _asked_at(scope)
        if isinstance(scope, ast.ClassDef):
            found.add(scope.name)
            own = (part for part in scope.body if isinstance(part, FunctionNode) and part.name == "get_permissions")
            found.update(word for part in (*_settings(scope, "mixins"), *own) for word in mentioned_names(part))
    return found


def _asked_at(scope: ast.ClassDef | FunctionNode) -> set[str]:
    parts = [*scope.decorator_list, *_settings(scope, "permission_classes")]
    parts += scope.bases if isinstance(scope, ast.ClassDef) else []
    return {word for part in parts for word in words_of(part)}


def is_for_staff(context: FileContext) -> bool:
    """True where only those who run or develop the service come: they see all tenants."""
    if any(_BY_STAFF.search(scope.name) for scope in context.scopes):
        return True
    return any(_STAFF.search(word) for scope in context.scopes for word in _asked_at(scope))


def lets_tenants_in(words: Iterable[str]) -> bool:
    """False for permissions, by the words that they read, that ask for the row itself or let only staff in."""
    return not any(word in OF_THE_ROW or word == "obj" or _STAFF.search(word) for word in words)


def is_for_served(context: FileContext) -> bool:
    """True where those come whom tenants serve: a decorator, a permission or a test of who asks names them."""
    gates = [
        part for scope in context.scopes for part in (*scope.decorator_list, *_settings(scope, "permission_classes"))
    ]
    function = context.function
    tests = [part.test for part in uses_of(function, context).ifs] if function is not None else []
    gates += [test for test in tests if not ASKERS.isdisjoint(words_of(test))]
    return any(_SERVED.search(word) for part in gates for word in words_of(part))


def own_models(context: FileContext) -> tuple[str, ...]:
    """The models in which the function around looks up who asks, `Player.objects.get(user=request.user)`: it is for
    those who have a row there."""
    models: tuple[str, ...] = _once(_OWN_MODELS, lambda around: tuple(_own_models(around)), context)
    return models


def _once(what: str, judge: Callable[[FileContext], Any], context: FileContext) -> Any:
    """What is said of the function around, looked for once however many queries it has."""
    known = context.memo.setdefault(what, {})
    assert isinstance(known, dict)
    if context.function not in known:
        known[context.function] = judge(context)
    return known[context.function]


def _own_models(context: FileContext) -> Iterator[str]:
    for call in uses_of(context.function, context).calls if context.function is not None else ():
        words = [word for word in call.keywords if word.arg != "defaults"]
        value = words[0].value if len(words) == 1 else None
        if (
            isinstance(value, ast.Attribute)
            and value.attr == "user"
            and words[0].arg == "user"
            and is_of_request(value)
        ):
            first = call.args[0] if call.args and last_name(call.func) in SHORTCUTS else None
            yield last_name(first) if first is not None else chain_of(call).model


def is_for_a_role(query: ast.Call, context: FileContext) -> bool:
    """True for a query in a branch for staff, and for one that comes after everybody else was turned away."""
    for part in _once(_ROLES, _branches_for_a_role, context):
        end = part.end_lineno or part.lineno
        turns_away = isinstance(part.body[-1], (ast.Return, ast.Raise)) and end < query.lineno
        if turns_away or part.lineno <= query.lineno <= end:
            return True
    return False


def _branches_for_a_role(context: FileContext) -> list[ast.If]:
    branches = uses_of(context.function, context).ifs if context.function is not None else []
    return [part for part in branches if _asks_for_staff(part.test) or _asks_elsewhere(part.test)]


def _asks_for_staff(test: ast.expr) -> bool:
    """True for `user.is_staff` and `role == "admin"`; not for a test in which other roles pass too."""
    roles = [part.value for part in descendants(test) if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return any(map(_STAFF.search, words_of(test))) and all(map(_STAFF.search, roles))


def _asks_elsewhere(test: ast.expr) -> bool:
    """True for `not is_auditor(request.user)`: a function knows of whom nothing but who he is, and so no tenant."""
    call = test.operand if isinstance(test, ast.UnaryOp) else test
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or len(call.args) != 1 or call.keywords:
        return False
    return last_name(call.args[0]) == "user"


def is_public(context: FileContext) -> bool:
    """True where everybody may come, who belongs to no tenant: what is read there is published by its address."""
    return says_public(context) or any(map(_looks_public, context.scopes)) or _is_open_view(context)


def says_public(context: FileContext) -> bool:
    """True where a permission says that everybody may come."""
    return any(map(_allows_any, context.scopes))


def _allows_any(scope: ast.ClassDef | FunctionNode) -> bool:
    if any("AllowAny" in mentioned_names(decorator) for decorator in scope.decorator_list):
        return True
    return any(set(permissions_in(value)) <= {"AllowAny"} for value in _settings(scope, "permission_classes"))


def _looks_public(scope: ast.ClassDef | FunctionNode) -> bool:
    decorators = {name for one in scope.decorator_list for name in mentioned_names(one)}
    exempt = "csrf_exempt" in decorators and not any(map(_SIGNS_IN.search, decorators))
    permissions = {name for part in _settings(scope, "permission_classes") for name in permissions_in(part)}
    return exempt or any(map(_PUBLIC.search, {scope.name, *decorators, *permissions}))


def _settings(scope: ast.ClassDef | FunctionNode, name: str) -> Iterator[ast.expr]:
    """What a class sets a name to."""
    for part in scope.body if isinstance(scope, ast.ClassDef) else ():
        if isinstance(part, ast.Assign) and last_name(part.targets[0]) == name:
            yield part.value


def _is_open_view(context: FileContext) -> bool:
    """True for a plain function of Django's that a request comes to, which asks for nobody, names no tenant, and
    changes no row that is there."""
    function = context.function
    if function is None or context.class_scope is not None or not is_entry(context):
        return False
    decorators = {name for one in function.decorator_list for name in mentioned_names(one)}
    if function_role(function) == "router" or "api_view" in decorators or any(map(_SIGNS_IN.search, decorators)):
        return False
    uses = uses_of(function, context)
    if any(_changes(call, uses) for call in uses.calls):
        return False
    names = {*mentioned_names(function), *(argument.arg for argument in function.args.args)}
    asked = {*_names_of_rows(function), *(argument.arg for argument in function.args.args)}
    return ASKERS.isdisjoint(names) and not names_tenant(asked, context)


def _names_of_rows(function: FunctionNode) -> Iterator[str]:
    """What a function mentions, but for what the address belongs to and what new rows are given: `request.company`,
    `letter.company = …`."""
    for part in descendants(function):
        if isinstance(part, ast.Attribute):
            of_address = isinstance(part.value, ast.Name) and part.value.id == "request"
            if not of_address and not isinstance(part.ctx, ast.Store):
                yield part.attr
        elif isinstance(part, ast.Name):
            yield part.id
        elif isinstance(part, ast.keyword) and part.arg:
            yield part.arg


def _changes(call: ast.Call, uses: Uses) -> bool:
    """`invoice.delete()`, `InvoiceForm(request.POST, instance=invoice)`, `invoice.save()` of one that is not new."""
    name = last_name(call.func)
    if name == "save" and isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
        made = uses.bound.get(call.func.value.id, ())
        return not made or not all(isinstance(value, ast.Call) and _makes_new(value) for value in made)
    return name == "delete" or any(word.arg == "instance" for word in call.keywords)


def _makes_new(call: ast.Call) -> bool:
    name = last_name(call.func)
    return name == "save" or name[:1].isupper()


def asks_whose(context: FileContext) -> bool:
    """True for a function that compares something with what the request was found to belong to, `request.user.org`."""
    function = context.function
    for compare in uses_of(function, context).compares if function is not None else ():
        sides = [side for side in (compare.left, *compare.comparators) if isinstance(side, (ast.Attribute, ast.Name))]
        own = [side for side in sides if isinstance(side, ast.Attribute) and is_of_request(side)]
        if own and len(sides) > len(own) and all(last_name(side)[:1].islower() for side in sides):
            return True
    return False


def permissions_in(value: ast.expr) -> Iterator[str]:
    """The names in what `permission_classes` is set to."""
    return map(last_name, value.elts if isinstance(value, (ast.Tuple, ast.List)) else [value])

"""What views of REST framework are built on in the project itself, and whether a class among it says who may come."""

import ast

from skills.gates.engine.context import FileContext, FunctionNode, Words
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import outside_tests
from skills.gates.engine.syntax import descendants
from skills.gates.project import Project
from skills.gates.rule import Watch

BUILT_ON = "built-on"
"""The need of a view whose bases stand in the project: no class above it may say who comes."""
SAYS_WHO = "view-says-who-may-come"
"""The fact of a class that says who may come."""
# What decides, in a class, who is let in: its permissions, or what runs before every answer.
_DECIDES = frozenset(
    {"permission_classes", "get_permissions", "check_permissions", "authentication_classes", "get_authenticators",
     "perform_authentication", "initial", "dispatch", "permission_required", "check_object_permissions"}
)  # fmt: skip
_TURNS_AWAY = frozenset({"is_authenticated", "has_perm", "has_perms", "is_staff", "is_superuser"})
_REFUSALS = frozenset(
    {"PermissionDenied", "NotAuthenticated", "AuthenticationFailed", "HTTP_401_UNAUTHORIZED", "HTTP_403_FORBIDDEN"}
)
_STATUS = tuple(f"{equals}{code}".encode() for equals in ("=", "= ") for code in (401, 403))
_MAY_DECIDE = "view bases: a class of the file may decide who comes"
_TURNING = Words(*(name.encode() for name in _TURNS_AWAY | _REFUSALS), *_STATUS)
_DECIDING = (*(name.encode() for name in sorted(_DECIDES)), *_TURNING.words)
HANDLERS = frozenset({"get", "post", "put", "patch", "delete", "list", "create", "retrieve", "update", "destroy"})
_OF_REST = lazy(
    r"^(?:APIView|Generic(?:APIView|ViewSet)|(?:ReadOnly)?ModelViewSet|ViewSet(?:Mixin)?"
    r"|(?:Create|List|Retrieve|Update|Destroy)(?:ModelMixin|\w*APIView))$"
)
_OF_LANGUAGE = frozenset({"object", "Generic", "ABC", "Protocol"})


def turns_away(function: FunctionNode) -> bool:
    """True where a function looks at who calls, or answers some of them that they may not."""
    for part in descendants(function):
        name = part.attr if isinstance(part, ast.Attribute) else part.id if isinstance(part, ast.Name) else ""
        if name in _TURNS_AWAY or name in _REFUSALS:
            return True
        if isinstance(part, ast.keyword) and part.arg == "status" and getattr(part.value, "value", None) in {401, 403}:
            return True
    return False


def _on_class(node: ast.ClassDef, context: FileContext) -> None:
    """Notes a class that says who may come, whatever it is."""
    decides = context.memo.get(_MAY_DECIDE)
    if decides is None:
        decides = context.memo[_MAY_DECIDE] = any(map(context.holds, _DECIDING))
    if not decides:
        return
    for part in node.body:
        if isinstance(part, FunctionNode):
            helps = part.name not in HANDLERS and context.mentions(_TURNING, part)
            says = part.name in _DECIDES or (helps and turns_away(part))
        else:
            targets = part.targets if isinstance(part, ast.Assign) else [getattr(part, "target", None)]
            says = any(last_name(target) in _DECIDES for target in targets if target is not None)
        if says:
            context.fact(SAYS_WHO, node.name)
            return


def is_open(names: list[str], project: Project) -> bool:
    """True where classes of the project lead to REST framework, and none of them says who may come; False also for
    one that the project does not define, of which nothing is known."""
    queue, seen = list(names), set[str]()
    while queue:
        name = queue.pop()
        if name in seen or name in _OF_LANGUAGE:
            continue
        seen.add(name)
        places = project.named("view-class", name)
        if project.has(SAYS_WHO, name) or not (places or _OF_REST.match(name)):
            return False
        queue += [base for _, fact in places for base in fact.detail.split()]
    return any(map(_OF_REST.match, seen))


WATCHES = (Watch((ast.ClassDef,), _on_class, (b"rest_framework", b"View)", b"ViewSet)", b"Mixin"), outside_tests),)

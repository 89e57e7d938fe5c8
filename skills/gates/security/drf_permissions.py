"""The rule view-without-permissions of the skill django-security: views that leave to the defaults who may come."""

import ast
import re

from msgspec.structs import replace

from skills.gates.analysis.local_values import values_of
from skills.gates.engine.context import FileContext, FunctionNode, Words
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import outside_tests
from skills.gates.engine.syntax import descendants
from skills.gates.model import Candidate, FileReport
from skills.gates.project import Project
from skills.gates.rule import Apart, Rule, Watch
from skills.gates.security.drf_open_defaults import PERMISSION, SKILL, guards, is_empty, written_out
from skills.gates.security.drf_view_bases import BUILT_ON, HANDLERS, SAYS_WHO, WATCHES, is_open, turns_away

NO_PERMISSION = "view-without-permissions"
_FACT = "drf-default-permission"
_OPEN, _NAMED, _DECIDED = "drf-open-by-default", "drf-permission-named", "drf-open-on-purpose"
_IS_BASE = "view-without-permissions: classes that others are built on"
_REST = (b"rest_framework", b"REST_FRAMEWORK")


def _on_default(node: ast.Dict | ast.Call | ast.Assign | ast.AugAssign, context: FileContext) -> None:
    """Notes a default permission that closes the views, whatever the dict is called that says it: settings are put
    together from several, and set by `setattr`."""
    pairs: list[tuple[ast.expr | None, ast.expr]]
    if isinstance(node, ast.Dict):
        pairs = list(zip(node.keys, node.values, strict=True))
    elif isinstance(node, ast.Call):
        pairs = [(ast.Constant(word.arg), word.value) for word in node.keywords]
    else:
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        pairs = [(target.slice, node.value)] if isinstance(target, ast.Subscript) else []
    for key, value in pairs:
        if isinstance(key, ast.Constant) and key.value == PERMISSION:
            said = ast.unparse(value)
            if "AllowAny" in said:
                context.fact(_DECIDED, "open", "", node.lineno)
            elif not is_empty(value):
                context.fact(_FACT, "restricted", said[:80], node.lineno)


def _on_project(node: ast.Assign | ast.AugAssign, context: FileContext) -> None:
    """Notes a middleware that asks every visitor who they are, and settings of which `drf-open-defaults` tells that
    they let everybody in."""
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    name = target.id if isinstance(target, ast.Name) else ""
    if name.startswith("MIDDLEWARE"):
        for part in descendants(node.value):
            if guards(part):
                context.fact(_FACT, "restricted", ast.unparse(part)[:80], node.lineno)
    elif name == "REST_FRAMEWORK" and (written := written_out(node.value)) is not None:
        said = written.get(PERMISSION)
        if said is None or is_empty(said) or "AllowAny" in ast.unparse(said):
            context.fact(_OPEN, name, "", node.lineno)


_ASKS = lazy(r"permission|auth|login|role|verif|protect|require|allowed|access|scope|staff|admin|member", re.I)
# Whoever asks for these has not signed in yet, or never does.
_FOR_STRANGERS = lazy(
    r"Log_?[Ii]n|Log_?[Oo]ut|Sign_?(?:[Ii]n|[Uu]p|[Oo]ut)|Captcha|Regist|(?:Reset|Forgot|Recover)\w*Password"
    r"|Password\w*(?:Reset|Forgot|Recover)|RePassword|Web_?[Hh]ook|Call_?back|[Hh]ealth|Ping|(?<![a-z])ping|O(?:TP|tp)|[a-z]_otp|Activation|(?:Activat|Confirm|Verif)\w*(?:Email|Account)|(?:Email|Account)\w*(?:Activat|Confirm|Verif)|Anonymous|Public|Guest|Embed|O[Aa]uth|S(?:AML|aml|SO|so)|O(?:IDC|idc)|C(?:SRF|srf)|Password(?:Rule|Polic)"
    r"|NewPassword|Verif\w*Code|^Api_?Root$"
    r"|(?:Obtain|Access|Refresh|Auth)_?Token|Token_?(?:Obtain|Refresh|Verify|Pair)"
)
_MAKES_VIEW = frozenset({"queryset", "serializer_class", "get_queryset", "get_serializer_class", "model"})
_SAYS_ROWS = _MAKES_VIEW | HANDLERS
_ANSWERS = frozenset(
    {"Response", "HttpResponse", "JsonResponse", "HttpResponseRedirect", "redirect", "reverse", "get", "items",
     "keys", "values", "dict", "list", "str", "sorted", "join", "format", "delete_cookie", "set_cookie", "_",
     "gettext", "now", "isoformat"}
)  # fmt: skip
_LOOKS_AT = lazy(
    r"signature|compare_digest|^hmac$|construct_event|^_?is_\w*(?:public|member|admin|owner|allowed|author|staff)"
    r"|has_perm|(?:check|verify|require|ensure)_(?:perm|auth|access|token|owner|member|role|user)",
    re.I,
)
# One of these stands in whatever it finds.
_LOOKS = Words(
    b"signature", b"compare_digest", b"hmac", b"construct_event", b"has_perm", b"public", b"member", b"admin", b"owner",
    b"allowed", b"author", b"staff", b"check", b"verify", b"require", b"ensure", lower=True,
)  # fmt: skip
# What they show is often meant for everybody.
_READERS = frozenset({"ReadOnlyModelViewSet", "RetrieveAPIView", "ListAPIView"})
_TELLS = lazy(
    r"\bpermission|\bpublic(?:ly)?\b|anonymous|unauthenticated|no auth|without (?:auth|log|sign)|any(?:one|body)"
    r"|not? (?:login|sign)|everyone|everybody",
    re.I,
)
_MISSPELT = lazy(r"^perm?is+ions?_?cl(?:as+e?s?|ases|ass)$")
_PLAIN = frozenset({"APIView", "ViewSet", "GenericAPIView", "GenericViewSet"})
_PERMITS = frozenset({"permission_classes", "get_permissions", "check_permissions"})


def _on_permission(node: ast.Assign, context: FileContext) -> None:
    if last_name(node.targets[0]) == "permission_classes":
        said = ast.unparse(node.value)
        if "AllowAny" not in said and said not in {"[]", "()"}:
            context.fact(_NAMED, "view")


def _on_view(node: ast.ClassDef, context: FileContext) -> None:
    bases = [context.resolve(base) or "" for base in node.bases]
    own = [base.rpartition(".")[2] for base in bases if not base.startswith("rest_framework.")]
    if node.name.startswith(("Base", "Abstract", "_")) or not (any(map(_is_rest_view, bases)) or _are_views(own)):
        return
    if "" in own or any("permission" in base.lower() or "auth" in base.lower() for base in bases):
        return
    members = _members(node)
    if not _PERMITS.isdisjoint(members) or (own and _SAYS_ROWS.isdisjoint(members)):
        return
    if {base.rpartition(".")[2] for base in bases} <= {"ViewSet", "GenericViewSet"}:
        methods = [part for part in members.values() if isinstance(part, FunctionNode)]
        if not methods or _each_action_says(node):
            return  # a set of views that answers nothing, or nothing but actions
    if _is_told(node, context) or _looks_at_caller(node, context) or _shows_settings(node, bases):
        return
    if _each_handler_asks(node, bases) or _signs_in_its_own_way(members.get("authentication_classes"), context):
        return
    if _is_for_strangers(node.name, context) or _answers_nothing(members, bases):
        return
    above = f", nor does {' or '.join(f'`{name}`' for name in own)} that it is built on" if own else ""
    message = f"{node.name} names no permission{above}, and nothing in the settings closes it"
    wrong = next((name for name in members if _MISSPELT.search(name)), "")
    if wrong:
        message = f"{node.name} is open: nothing reads `{wrong}`, the name is `permission_classes`"
    needs = (("misspelt", wrong),) if wrong else (("view", node.name), (BUILT_ON, " ".join(own)))
    only_reads = {base.rpartition(".")[2] for base in bases} <= _READERS
    context.report(NO_PERMISSION, node, message, symbol=context.symbol_of(node.name), parts=context.header(node),
                   needs=needs, confidence="confirmed" if wrong else "likely",
                   severity="LOW" if only_reads and not wrong else None)  # fmt: skip


def _are_views(own: list[str]) -> bool:
    """True where classes of the project may be views, by what they are called."""
    return any(name.endswith(("View", "ViewSet", "Viewset")) for name in own)


def _looks_at_caller(node: ast.ClassDef, context: FileContext) -> bool:
    """True where a class asks for a signature, or who may see what: `if is_public_viewer(request)`."""
    if not context.mentions(_LOOKS, node):
        return False
    lines = [line for part in node.body if isinstance(part, FunctionNode) for line in part.body]
    calls = (part for line in lines for part in descendants(line) if isinstance(part, ast.Call))
    return any(_LOOKS_AT.search(last_name(call.func)) for call in calls)


def _shows_settings(node: ast.ClassDef, bases: list[str]) -> bool:
    """True for a plain view that only answers GET, out of constants, settings and what the visitor sent."""
    handlers = [part for part in node.body if isinstance(part, FunctionNode)]
    if bases != ["rest_framework.views.APIView"] or [one.name for one in handlers] != ["get"]:
        return False
    parts = [part for line in handlers[0].body for part in descendants(line)]
    calls = [part for part in parts if isinstance(part, ast.Call)]
    rows = any(isinstance(part, ast.Attribute) and part.attr == "objects" for part in parts)
    return bool(calls) and not rows and all(last_name(call.func) in _ANSWERS for call in calls)


def _is_told(node: ast.ClassDef | FunctionNode, context: FileContext) -> bool:
    """True where a docstring or a comment of a view says who may come: somebody has decided it."""
    lines = context.lines[node.lineno - 1 : node.end_lineno] if context.holds(b"#") else ()
    comments = (line.partition("#")[2] for line in lines if "#" in line)
    return any(map(_TELLS.search, (ast.get_docstring(node, clean=False) or "", *comments)))


def _is_for_strangers(name: str, context: FileContext) -> bool:
    """True where its own name, or that of its module, says that who asks has not signed in."""
    stem = context.path.rpartition("/")[2].removesuffix(".py")
    module = "".join(word[:1].upper() + word[1:] for word in stem.split("_"))
    return any(map(_FOR_STRANGERS.search, (name, module)))


def _members(node: ast.ClassDef) -> dict[str, ast.stmt]:
    """What the body of a class binds, each name with the first statement that does, a class inside under its own."""
    found: dict[str, ast.stmt] = {}
    for part in node.body:
        if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.setdefault(part.name, part)
        elif isinstance(part, ast.Assign):
            for target in part.targets:
                found.setdefault(last_name(target), part)
        elif isinstance(part, ast.AnnAssign):
            found.setdefault(last_name(part.target), part)
    return found


def _answers_nothing(members: dict[str, ast.stmt], bases: list[str]) -> bool:
    """True for a plain view without a method that answers, which only holds other classes, and for a view set that
    says nothing of rows, serializers or actions: others are made of it."""
    methods = [part for part in members.values() if isinstance(part, FunctionNode)]
    says = not _SAYS_ROWS.isdisjoint(members) or any(method.decorator_list for method in methods)
    if not says and all(base.startswith(("rest_framework.viewsets.", "rest_framework.mixins.")) for base in bases):
        return True
    return (
        bases == ["rest_framework.views.APIView"]
        and not methods
        and any(isinstance(part, ast.ClassDef) for part in members.values())
    )


def _each_handler_asks(node: ast.ClassDef, bases: list[str]) -> bool:
    """True where each method that answers has a decorator of the project's own that asks who calls, or turns callers
    away itself; a base that answers by itself asks nobody."""
    handlers = [part for part in node.body if isinstance(part, FunctionNode) and part.name in HANDLERS]
    plain = all(base.rpartition(".")[2] in _PLAIN for base in bases)
    return bool(handlers) and all(
        any(map(_asks_who_calls, one.decorator_list)) or (plain and turns_away(one)) for one in handlers
    )


def _asks_who_calls(decorator: ast.expr) -> bool:
    return _ASKS.search(last_name(decorator)) is not None


def _signs_in_its_own_way(classes: ast.stmt | None, context: FileContext) -> bool:
    """True for `authentication_classes` of the project's own, which may turn away who has no token."""
    return _are_own(classes.value if isinstance(classes, ast.Assign) else None, context)


def _are_own(classes: ast.expr | None, context: FileContext) -> bool:
    listed = classes.elts if isinstance(classes, (ast.List, ast.Tuple)) else []
    names = [context.resolve(one) or "" for one in listed]
    return bool(names) and not any(name.startswith("rest_framework") for name in names)


def _each_action_says(node: ast.ClassDef) -> bool:
    """True for a view set that answers nothing but actions, each with permissions of its own."""
    methods = [part for part in node.body if isinstance(part, FunctionNode)]
    said = [
        any(
            "action" in (text := ast.unparse(decorator)) and "permission_classes" in text
            for decorator in one.decorator_list
        )
        for one in methods
        if not one.name.startswith("_")
    ]
    return bool(said) and all(said)


def _is_rest_view(base: str) -> bool:
    return base.startswith("rest_framework.") and base.endswith(("View", "ViewSet")) and not base.endswith("RootView")


def _on_function(node: FunctionNode, context: FileContext) -> None:
    names = {last_name(part) for part in node.decorator_list}
    if "permission_classes" in names:
        context.fact(_NAMED, "view")
    if "api_view" in names and not any(_ask(part, context) for part in node.decorator_list):
        if _is_for_strangers(node.name.title().replace("_", ""), context):
            return
        if turns_away(node) or _is_told(node, context):
            return
        message = f"{node.name} names no permission, and nothing in the settings closes it"
        context.report(NO_PERMISSION, node, message, symbol=context.symbol_of(node.name), parts=context.frame(node),
                       confidence="likely")  # fmt: skip


def _ask(decorator: ast.expr, context: FileContext) -> bool:
    """Whether a decorator asks who calls. Those who may sign in by REST framework's own classes may leave it, too."""
    if isinstance(decorator, ast.Call) and last_name(decorator.func) == "authentication_classes":
        return _are_own(decorator.args[0] if decorator.args else None, context)
    made = values_of(decorator.id, context) if isinstance(decorator, ast.Name) else []
    return any(map(_asks_who_calls, (decorator, *(value for value in made if isinstance(value, ast.Call)))))


def _holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    """Not where something closes the default, nor in an API that is open as a whole or on purpose, of which the
    settings are told, nor for a class that others are built on. A name that is misspelt meant to close the view."""
    needs = dict(candidate.needs)
    if project.facts(_FACT) or ("misspelt" not in needs and project.facts(_DECIDED)):
        return None
    if "misspelt" not in needs and project.facts(_OPEN) and not project.facts(_NAMED):
        return None
    view, own = needs.get("view", ""), needs.get(BUILT_ON, "").split()
    if (view and project.has(SAYS_WHO, view)) or (own and not is_open(own, project)):
        return None
    return None if needs.get("view") in _bases(project) else replace(candidate, needs=())


def _bases(project: Project) -> frozenset[str]:
    """The names of all classes that views of the project are built on."""
    known = project.memo.get(_IS_BASE)
    if known is None:
        named = (name for _, fact in project.facts("view-class") for name in fact.detail.split())
        known = project.memo[_IS_BASE] = frozenset(named)
    assert isinstance(known, frozenset)
    return known


view_without_permissions = Rule(
    name=NO_PERMISSION,
    gate="P1",
    severity="HIGH",
    skill=SKILL,
    sources=("PB-S11",),
    catches="Views of REST framework without `permission_classes` in projects whose default lets everybody in.",
    why="REST framework allows everybody unless it is told otherwise: the view is public without anybody having "
    "decided it.",
    fix="Write `permission_classes = [IsAuthenticated]` (or `[AllowAny]` where it is meant), and close the default.",
    when="For views that nobody else is built on and whose bases come from REST framework, or lead to it by classes of "
    "the project of which none says who may come, where no settings module sets a default permission and no middleware "
    "asks who calls. An API of which no view names a permission, or whose settings say `AllowAny`, is one finding of "
    "`drf-open-defaults`. Not where the view turns callers away itself, its name is of who has not signed in, or a "
    "comment or docstring says who may come, and not in tests.",
    watches=(
        Watch((ast.Dict, ast.Call, ast.Assign, ast.AugAssign), _on_default, (PERMISSION.encode(),), outside_tests),
        Watch((ast.Assign, ast.AugAssign), _on_project, (b"MIDDLEWARE", b"REST_FRAMEWORK"), outside_tests),
        Watch((ast.Assign,), _on_permission, (b"permission_classes",), outside_tests),
        Watch((ast.ClassDef,), _on_view, _REST, outside_tests),
        Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_function, _REST, outside_tests),
        *WATCHES,
    ),
    holds=_holds,
    bad=Apart("security.drf_permission_examples.VIEW_BAD"),
    good=Apart("security.drf_permission_examples.VIEW_GOOD"),
)

RULES: tuple[Rule, ...] = (view_without_permissions,)

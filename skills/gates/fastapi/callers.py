"""The rule write-without-auth: endpoints that change something, and ask nobody who calls."""

import ast
import re

from msgspec.structs import replace

from skills.gates.analysis.local_values import local_values
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import dotted, is_decorated, last_name, module_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import outside_tests
from skills.gates.engine.syntax import descendants
from skills.gates.fastapi.router_guards import (
    OTHER_REFUSALS,
    asking_apps,
    class_asks,
    covers,
    ends_guarded,
    guarded_routers,
    of_same_app,
)
from skills.gates.fastapi.routes import FASTAPI, WRITING, calls_of, endpoint_of, parameters
from skills.gates.fastapi.security import SKILL
from skills.gates.fastapi.strangers import is_for_strangers, is_question
from skills.gates.model import Candidate, Evidence, FileReport
from skills.gates.project import Place, Project
from skills.gates.rule import Apart, Rule, Watch

NO_AUTH = "write-without-auth"

_AUTH = lazy(
    r"auth|user|token|perm|admin|role|cred|api_?key|account|member|principal|identity|scope|require|verify|signature|secur"
    r"|licen[cs]e|subject|subscriber|owner|tenant|current_|login|session_id|protect|guard|access|allowed",
    re.I,
)

# What a function that turns strangers away says, and a docstring that says who may call.
_TURNS_AWAY = lazy(
    r"HTTP_40[13]|status_code\s*=\s*40[13]\b|HTTPException\(\s*40[13]\b|HTTPStatus\.(?:UNAUTHORIZED|FORBIDDEN)"
    r"|[\"'](?:Authorization|X-\w*(?:Key|Token|Signature)[\w-]*)[\"']|\w*(?:Unauthori[sz]ed|Forbidden|Unauthenticated)\w*\(",
    re.I,
)
# Of these, what asks who it is: a middleware that only forbids may look at the address of the caller, or the host.
_ASKS_WHO = lazy(r"401|UNAUTHORI|Authorization|[\"']X-\w*(?:Key|Token|Signature)", re.I)
_TURNING = (
    b"401", b"403", b"uthorization", b"UNAUTHORIZED", b"FORBIDDEN", b"nauthori", b"orbidden", b"nauthentic", b"X-",
)  # fmt: skip
_DECIDED = lazy(
    r"\bauth(?:entication|ori[sz]ation)?\b|\bpublic(?:ly)?\b|anonymous|unauthenticated|no login|by anyone"
    r"|logged in|log(?:ging)? in|\binternal\b",
    re.I,
)

_CHECKS = lazy(
    r"verify|requires?_|ensure_|authori[sz]e|authenticat|current_user|get_current|permission|signature|decode|protect"
    r"|compare_digest|check_(?:auth|access|token|user|role|owner|api)|has_(?:role|access)|is_(?:admin|allowed|owner)"
    r"|user_from",
    re.I,
)
# A secret that the caller sends, compared with the one that is kept: `Till.token == sent.token`.
_COMPARES = lazy(
    r"\.\w*(?:token|secret|api_?key|passcode)\s*==|==\s*\w+\.\w*(?:token|secret|api_?key|passcode)\b", re.I
)
# How an account of one's own comes to be.
_REGISTERS = lazy(r"regist|sign_?-?up", re.I)
_ADDS_ACCOUNT = lazy(r"(?:create|add|new|write|make|insert|post|save)_(?:new_)?(?:user|account|member|customer)$")
# Where a server runs for whoever works on it.
_AT_HOME = lazy(r"^(?!.*(?:\bnot\b|!=)).*(?<![a-z])(?:local|dev(?:elopment)?|debug|test(?:s|ing)?)(?![a-z])", re.I)
_SERVES = lazy(r"\b\w*(?:service|repo|store|manager|crud|dao|settings|config|client|factory|provider)\w*\b", re.I)
_FURTHEST = 4
_ONLY_ROUTER = frozenset({"router", "routes", "api_router", "api", "app"})  # of its module
_PLAIN = frozenset({"int", "str", "bool", "float", "Request", "Response", "UUID", "dict"})


def _guards(function: FunctionNode, context: FileContext) -> str:
    """What the parameters of an endpoint say about who may call it."""
    words = []
    for parameter, default in parameters(function):
        hint = ast.unparse(parameter.annotation) if parameter.annotation is not None else ""
        alias = local_values(context.tree, context).get(hint, [None])[-1] if hint else None
        if isinstance(alias, ast.Subscript) and last_name(alias) == "Annotated":
            hint = ast.unparse(alias)  # `User = Annotated[str, Depends(get_user)]` of this module
        given = ast.unparse(default) if default is not None else ""
        if re.search(r"Depends|Security|Header\(|Cookie\(", f"{hint} {given}"):
            words.append(f"{parameter.arg} {hint} {given}")
        elif re.search(r"(?:\wUser|Auth|Admin|Principal|Subject|Permissions?)$|auth\.\w+", hint):
            words.append(f"auth {hint}")
        elif re.search(r"Dep(?:end\w*)?$", hint):
            words.append(hint)
    return ", ".join(words)


def _asks(said: str) -> bool:
    """True for parameters of which one asks who calls: a service that is about users does not."""
    return any(_AUTH.search(_SERVES.sub("", part)) for part in said.split(", "))


def _on_writing(node: FunctionNode, context: FileContext) -> None:
    endpoint = endpoint_of(node, context)
    if endpoint is None:
        _on_helper(node, context)
        return
    if _REGISTERS.search(f"{endpoint.path} {node.name}"):
        context.fact("registers", endpoint.verb)
    key = _router_key(endpoint.decorator.func.value, context)  # type: ignore[attr-defined]
    dependencies = endpoint.keywords.get("dependencies")
    said = f"{_guards(node, context)}, {ast.unparse(dependencies) if dependencies is not None else ''}"
    guarded = _asks(said) or (dependencies is not None and not isinstance(dependencies, ast.List))
    others = " ".join(ast.unparse(item) for item in node.decorator_list if item is not endpoint.decorator)
    if guarded or _AUTH.search(others):
        context.fact("auth-dependency", endpoint.verb, key, 0)
        return
    for hint in {one.annotation.id for one, _ in parameters(node) if isinstance(one.annotation, ast.Name)} - _PLAIN:
        context.fact("endpoint-hint", hint, key)
    if endpoint.verb == "post" and is_question(endpoint.path, node.name):
        return
    if endpoint.verb not in WRITING or is_for_strangers(endpoint.path, node.name, _module(context.path)):
        return
    if any(_CHECKS.search(last_name(part.func))
           for part in descendants(ast.Module(node.body, [])) if isinstance(part, ast.Call)):  # fmt: skip
        return
    if _COMPARES.search(_body_of(node, context)):
        return
    if _turns_away(node, context) or _DECIDED.search(ast.get_docstring(node) or ""):
        return
    owner = context.scopes[-1] if context.scopes else None
    holder = owner.name if isinstance(owner, ast.ClassDef) else ""
    hints = " ".join(last_name(one.annotation) for one, _ in parameters(node) if one.annotation is not None)
    needs = (
        ("module", _module(context.path)), ("router", key), ("class", holder), ("depends", f"{said} {hints}".strip()),
        ("app", "own" if context.holds(b"= FastAPI(") else ""), ("handed", " ".join(sorted(_handed_request(node)))),
        ("adds", "account" if endpoint.verb == "post" and _ADDS_ACCOUNT.search(node.name) else ""),
    )  # fmt: skip
    message = f"the endpoint {node.name} changes something and does not ask who calls"
    symbol = context.symbol_of(node.name)
    header = context.header(node)
    context.report(NO_AUTH, node, message, needs=needs, symbol=symbol, confidence="likely", parts=header)


def _handed_request(node: FunctionNode) -> set[str]:
    """The functions that an endpoint hands the request to: one of them may ask who sends it."""
    sent = {
        one.arg for one, _ in parameters(node) if one.annotation is not None and last_name(one.annotation) == "Request"
    }
    return {
        last_name(part.func)
        for part in descendants(node) if isinstance(part, ast.Call)
        for given in part.args if isinstance(given, ast.Name) and given.id in sent
    }  # fmt: skip


def _turns_away(node: FunctionNode, context: FileContext) -> bool:
    """True for a function that refuses who may not call, or reads what says who it is from the headers."""
    if not any(map(context.holds, _TURNING)):
        return False
    return _TURNS_AWAY.search(_body_of(node, context)) is not None


def _asks_who(node: FunctionNode, context: FileContext) -> bool:
    return _ASKS_WHO.search(_body_of(node, context)) is not None


def _body_of(node: FunctionNode, context: FileContext) -> str:
    first = node.body[0].lineno if node.body else node.lineno
    return "\n".join(context.lines[first - 1 : node.end_lineno])


def _on_helper(node: FunctionNode, context: FileContext) -> None:
    """A middleware that asks who calls, and what endpoints may depend on that does so in turn."""
    if is_decorated(node, {"middleware"}):
        named = _AUTH.search(node.name) is not None
        if named or (not OTHER_REFUSALS.search(node.name) and _turns_away(node, context) and _asks_who(node, context)):
            context.fact("guarded-router", "*", _middle_of(node, context))
        return
    said = _guards(node, context)
    if (("Depends(" in said or "Security(" in said) and _asks(said)) or _turns_away(node, context):
        outermost = context.scopes[0] if context.scopes else node
        context.fact("asks-caller", outermost.name, "who" if _asks_who(node, context) else "")
    elif said:
        context.fact("dependency-alias", node.name, said)  # what it depends on may ask


def _middle_of(node: FunctionNode, context: FileContext) -> str:
    """The app that a function is a middleware of, as a dotted name."""
    owners = (item.func.value for item in node.decorator_list
              if isinstance(item, ast.Call) and isinstance(item.func, ast.Attribute))  # fmt: skip
    return next((_router_key(owner, context) for owner in owners), "")


def _module(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".py")


def _router_key(node: ast.expr, context: FileContext) -> str:
    """Where a router is made, as a dotted name: "shop.orders.router"."""
    name = dotted(node) or ""
    if name.partition(".")[0] in context.imports:
        return context.resolve(node) or name
    return f"{module_name(context.path)}.{name}"


def _on_router(node: ast.Call, context: FileContext) -> None:
    """Dependencies of a whole router or app, where it is made and where it is included."""
    name = last_name(node.func)
    if name not in {"APIRouter", "FastAPI", "include_router", "add_middleware"}:
        return
    given = {keyword.arg: keyword.value for keyword in node.keywords}
    depends = given.get("dependencies")
    guarded = depends is not None and (isinstance(depends, ast.Name) or _AUTH.search(ast.unparse(depends)) is not None)
    if name == "add_middleware" and node.args and isinstance(node.func, ast.Attribute):
        added, app = last_name(node.args[0]), _router_key(node.func.value, context)
        context.fact(*(("guarded-router", "*") if _AUTH.search(added) else ("adds-middleware", added)), app)
    elif name == "include_router":
        routed = node.args[0] if node.args else given.get("router")
        if routed is not None and isinstance(node.func, ast.Attribute):
            child = _router_key(routed, context)
            _on_dependencies(child, depends, context)
            context.fact("includes-router", child, _router_key(node.func.value, context))
            if guarded:
                context.fact("guarded-router", child)
                named = ast.unparse(routed) if last_name(routed) in _ONLY_ROUTER or isinstance(routed, ast.Name) else ""
                for word in re.findall(r"\w+", named):
                    context.fact("guarded-router", word)
    made = context.statement
    named = _router_key(made.targets[0], context) if isinstance(made, ast.Assign) else _module(context.path)
    if name == "FastAPI":
        context.fact("makes-app", context.path, named)
    if name in {"APIRouter", "FastAPI"}:
        _on_dependencies(named, depends, context)
    if guarded and name in {"APIRouter", "FastAPI"}:
        whole = name == "FastAPI" and context.source.count(b"FastAPI(") == 1  # beside others it speaks for itself alone
        context.fact("guarded-router", *(("*", named) if whole else (named,)))


def _on_dependencies(router: str, depends: ast.expr | None, context: FileContext) -> None:
    """Notes what a whole router depends on: one of it may turn strangers away."""
    asked = [last_name(call.args[0]) for call in calls_of(depends, "Depends", "Security") if call.args]
    if asked:
        context.fact("router-depends", router, " ".join(filter(None, asked)))


def _on_condition(node: ast.If, context: FileContext) -> None:
    """Routers that are included only where a developer runs the server: no stranger reaches them."""
    if _AT_HOME.search(ast.unparse(node.test)):
        for call in descendants(ast.Module(node.body, [])):
            if isinstance(call, ast.Call) and last_name(call.func) == "include_router" and call.args:
                context.fact("guarded-router", _router_key(call.args[0], context))


def _on_alias(node: ast.Assign, context: FileContext) -> None:
    """`Caller = Annotated[str, Depends(caller)]`: whoever takes it depends on what stands there."""
    if len(node.targets) == 1 and isinstance(node.targets[0], ast.Name) and last_name(node.value) == "Annotated":
        given = " ".join(ast.unparse(call.args[0]) for call in calls_of(node.value, "Depends", "Security") if call.args)
        if given:
            context.fact("dependency-alias", node.targets[0].id, given)


def _on_instance(node: ast.Assign, context: FileContext) -> None:
    """`owner = Allowed([Roles.OWNER])`: who depends on an object is asked by its class."""
    made = node.value.func if isinstance(node.value, ast.Call) else None
    if isinstance(made, ast.Name) and made.id[:1].isupper() and isinstance(node.targets[0], ast.Name):
        context.fact("dependency-alias", node.targets[0].id, made.id)


def _on_controller(node: ast.ClassDef, context: FileContext) -> None:
    """Classes of endpoints: what they depend on, each of their endpoints asks for."""
    asks = any(
        isinstance(part, ast.AnnAssign) and part.value is not None and last_name(part.value) in {"Depends", "Security"}
        and _AUTH.search(ast.unparse(part))
        for part in node.body
    )  # fmt: skip
    bases = " ".join(name for name in map(last_name, node.bases) if name)
    if asks or bases:
        context.fact("controller", node.name, f"{'asks' if asks else ''}|{bases}", node.lineno)


def _auth_holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    needs = dict(candidate.needs)
    if any(covers(path, report.path) for path, _ in asking_apps(project)):
        return None
    if needs["adds"] and not project.facts("registers"):
        return None  # an account of one's own comes to be somewhere
    known = project.facts("auth-dependency") or _aliased(project)
    apps = frozenset(fact.detail for _, fact in project.facts("makes-app"))
    if ends_guarded(needs["router"], apps):  # beside it in the folder may stand an app of its own
        known = [one for one in known if one[1].detail == needs["router"] or not ends_guarded(one[1].detail, apps)]
    if needs["app"]:  # another app of the repository says nothing about this one
        known = [place for place in known if covers(report.path, place[0])]
    known = of_same_app(known, report.path, project)
    folder = report.path.rpartition("/")[0].rpartition("/")[2]
    if not known or any(project.has("guarded-router", word) for word in (needs["module"], folder)):
        return None
    words, aliases = set(re.findall(r"\w+", needs["depends"])), list[str]()
    for _ in range(_FURTHEST):  # a name for `Depends(owner)`, `owner` for an object, what a function depends on itself
        aliases = [fact.detail for name in words for _, fact in project.named("dependency-alias", name)]
        words |= {word for detail in aliases for word in re.findall(r"\w+", detail)}
    words.update(needs["handed"].split())
    if any(map(_asks, aliases)) or any(project.has("asks-caller", word) for word in words):
        return None
    if class_asks(needs["class"], project) or ends_guarded(needs["router"], guarded_routers(project)):
        return None
    text = "endpoints of this project ask who calls"
    return replace(candidate, evidence=(Evidence(known[0][0], max(1, known[0][1].line), text),))


def _aliased(project: Project) -> list[Place]:
    """The endpoints that ask who calls by a name of another module: `me: CurrentMember`, be it by way of a function
    that turns strangers away."""
    return [
        (path, fact)
        for path, fact in project.facts("endpoint-hint")
        if any(_asks_in_turn(alias.detail, project) for _, alias in project.named("dependency-alias", fact.name))
    ]


def _asks_in_turn(said: str, project: Project) -> bool:
    """True for a dependency that asks who calls by what it is called, or by what it does."""
    return _asks(said) or any(project.has("asks-caller", word) for word in re.findall(r"\w+", said))


write_without_auth = Rule(
    name=NO_AUTH,
    gate="P1",
    severity="HIGH",
    skill=SKILL,
    sources=("PB-F10",),
    catches="POST, PUT, PATCH and DELETE endpoints without a dependency that says who calls.",
    why="Every other endpoint was thought through; this one is found by whoever reads the OpenAPI document.",
    fix="Take the current user as a dependency (`user: CurrentUser`), or give the router `dependencies=[Depends(…)]`.",
    when="In projects where other endpoints have such a dependency. Login, registration, webhooks, health and the like "
    "are left out, the one way to come to an account, and routers, apps and classes of endpoints that have "
    "dependencies or an authentication middleware as a whole.",
    watches=(
        Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_writing, (*FASTAPI, b"starlette"), outside_tests),
        Watch(
            (ast.Call,), _on_router, FASTAPI, outside_tests, near=(b"Router", b"FastAPI", b"_router", b"_middleware")
        ),
        Watch((ast.If,), _on_condition, (b".include_router(",), outside_tests),
        Watch((ast.Assign,), _on_alias, (b"Annotated[",), outside_tests, near=(b"Annotated[",)),
        Watch((ast.Assign,), _on_instance, (b"def __call__(",), outside_tests),
        Watch((ast.ClassDef,), _on_controller, (b"Depends(", b"Security(", b"APIRouter"), outside_tests),
    ),
    holds=_auth_holds,
    bad=Apart("fastapi.caller_examples.BAD"),
    good=Apart("fastapi.caller_examples.GOOD"),
)

RULES: tuple[Rule, ...] = (write_without_auth,)

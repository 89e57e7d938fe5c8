"""Rules of the skill django-architecture-enforcer: which layer does what."""

import ast

from skills.gates.analysis.effects import (
    EFFECTS,
    INSTANCE_WRITES,
    WRITES,
    is_atomic,
    not_a_row,
    on_instance,
    on_rows,
    outbound,
    shown_chain,
    shown_receiver,
)
from skills.gates.analysis.queries import chain_of
from skills.gates.django.relations import relations_of
from skills.gates.django.view_scopes import OF_VIEW, is_view, may_hold_views, view_around
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.model import Candidate, Confidence, FileReport
from skills.gates.project import Project
from skills.gates.rule import Apart, Rule, Watch

SKILL = "django-architecture-enforcer"
IN_VIEW = "logic-in-view"
_CREATES = frozenset({"create", "get_or_create", "update_or_create", "acreate", "aget_or_create", "aupdate_or_create"})
_RELATED = "related-name"
_LINKS = frozenset({"add", "remove", "set", "clear", "aadd", "aremove", "aset", "aclear"})
_REMOTES = ("bot", "api", "sdk", "gateway", "service", "llm", "ai", "openai", "twilio", "slack", "http", "conn")


def _on_call(node: ast.Call, context: FileContext) -> None:
    what = _effect(node, context)
    needs: tuple[tuple[str, str], ...] = ()
    if what is None:
        what = in_related_rows(node, context) or _in_links(node)
        needs = ((_RELATED, related_name(node)),)
    view = view_around(context) if what is not None else None
    if what is None or view is None:
        return
    text, confirmed = what
    confidence: Confidence = "confirmed" if confirmed else "likely"
    needs += view.needs
    evidence = (view.evidence(context.path),)
    context.report(IN_VIEW, node, f"{text} in {view.name}", confidence=confidence, evidence=evidence, needs=needs)


def related_name(node: ast.Call) -> str:
    """ "lines" of `order.lines.create(…)`, "" for what is called on no attribute."""
    owner = node.func.value if isinstance(node.func, ast.Attribute) else node.func
    return owner.attr if isinstance(owner, ast.Attribute) else ""


def in_related_rows(node: ast.Call, context: FileContext) -> tuple[str, bool] | None:
    """`order.lines.create(…)`: a write, where the project has a relation of that name. Clients of other services are
    written in the same way."""
    method = last_name(node.func)
    # A dict or a set is updated with what stands before the first keyword.
    updates = method in {"update", "aupdate"} and node.keywords and not node.args
    if not (updates or (method in _CREATES and (node.keywords or node.args))) or not related_name(node):
        return None
    owner = last_name(node.func.value.value)  # type: ignore[attr-defined]
    if not owner or not_a_row(owner) or owner.lower().endswith(_REMOTES) or owner in context.imports:
        return None
    return f"{shown_chain(chain_of(node))} writes", False


def _in_links(node: ast.Call) -> tuple[str, bool] | None:
    """`order.tags.add(tag)`, `.remove(…)`, `.set(…)`, `.clear()`: rows of the table between two models."""
    name = last_name(node.func)
    if name not in _LINKS or node.keywords or not related_name(node):
        return None
    if any(isinstance(given, ast.Constant) for given in node.args) or (name.endswith("set") and len(node.args) != 1):
        return None  # `user.config.set("size", 3)` keeps a value under a name
    owner = last_name(node.func.value.value)  # type: ignore[attr-defined]
    if owner in {"", "self", "cls"} or not_a_row(owner):
        return None
    return f"{shown_chain(chain_of(node))} writes", False


def _holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    """A related name must be one, and a class that is called no view must be built on one."""
    for kind, name in candidate.needs:
        if kind == _RELATED and name not in relations_of(project).managers:
            return None
        if kind == OF_VIEW and not any(is_view(base, project) for base in name.split()):
            return None
    return candidate


def _effect(node: ast.Call, context: FileContext) -> tuple[str, bool] | None:
    """(what a call does beyond request and response, whether that is certain), None for harmless calls."""
    function = node.func
    method = last_name(function)
    if isinstance(function, ast.Attribute) and (method in WRITES or method in INSTANCE_WRITES):
        chain = chain_of(node)
        if method in WRITES and on_rows(chain, context):
            return f"{shown_chain(chain)} writes", True
        if method in INSTANCE_WRITES and on_instance(node, chain, context):
            return f"`{shown_receiver(function.value)}.{method}()` writes", False
    return outbound(function, method, context)


def _on_function(node: FunctionNode, context: FileContext) -> None:
    """`@transaction.atomic` on a view."""
    for decorator in node.decorator_list:
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        if last_name(call) == "method_decorator" and isinstance(decorator, ast.Call) and decorator.args:
            call = decorator.args[0]
        if is_atomic(call, context):
            context.scopes.append(node)
            view = view_around(context)
            context.scopes.pop()
            if view is not None:
                message = f"`transaction.atomic` opens a transaction in {view.name}"
                evidence = (view.evidence(context.path),)
                context.report(IN_VIEW, decorator, message, symbol=view.name, evidence=evidence, needs=view.needs)


def _on_class(node: ast.ClassDef, context: FileContext) -> None:
    """`@method_decorator(transaction.atomic, name="dispatch")` on the class of a view."""
    for decorator in node.decorator_list:
        if not isinstance(decorator, ast.Call) or last_name(decorator.func) != "method_decorator":
            continue
        given = decorator.args[0] if decorator.args else None
        for part in given.elts if isinstance(given, (ast.List, ast.Tuple)) else [given]:
            if part is None or not is_atomic(part.func if isinstance(part, ast.Call) else part, context):
                continue
            context.scopes += [node, next((inner for inner in node.body if isinstance(inner, FunctionNode)), node)]
            view = view_around(context)
            del context.scopes[-2:]
            if view is not None:
                message = f"`transaction.atomic` opens a transaction in {node.name}"
                evidence = (view.evidence(context.path),)
                context.report(IN_VIEW, decorator, message, symbol=node.name, evidence=evidence, needs=view.needs)


logic_in_view = Rule(
    name=IN_VIEW,
    gate="P0",
    severity="CRITICAL",
    skill=SKILL,
    sources=("BN-S2", "PB-D1"),
    catches="Writes, transactions, mail and calls to other services inside views and viewsets.",
    why="What a view does can only be reached through a request: a task, a command or a second endpoint copies it, and "
    "the copies drift apart. It can only be tested with a client, and nobody sees where its transaction ends.",
    fix="Move it into a function or class of a service module that takes plain values; the view parses, calls and "
    "answers. `serializer.save()` and `form.save()` may stay.",
    when="In classes whose bases are views or viewsets (through other classes of the project too), in functions that "
    "are decorated as views or answer a `request` with a response of Django's or the REST framework's, and in modules "
    "of views: in their functions, mixins and classes that answer requests. Not in tests, migrations, the admin, "
    "middleware, commands and services. Reading is fine.",
    watches=(
        Watch(
            (ast.Call,),
            _on_call,
            (b"View", b"Mixin", b"(request", b"self, request", b"api_view"),
            may_hold_views,
            near=EFFECTS,
        ),
        Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_function, (b"atomic",), may_hold_views),
        Watch((ast.ClassDef,), _on_class, (b"method_decorator(",), may_hold_views),
    ),
    holds=_holds,
    bad=Apart("django.view_examples.VIEW_BAD"),
    good=Apart("django.view_examples.VIEW_GOOD"),
)  # fmt: skip

RULES: tuple[Rule, ...] = (logic_in_view,)

"""What the methods of serializers ask the database for each row of a list, reported where they ask."""

import ast
import re

from msgspec.structs import replace

from skills.gates.analysis.queries import MANAGERS, chain_of
from skills.gates.django.drf_serializer_patterns import is_serializer, meta_model
from skills.gates.django.relations import relations_of
from skills.gates.django.row_flow import Flow
from skills.gates.django.row_helpers import VAGUE, asked_anew, told
from skills.gates.django.row_run import Via
from skills.gates.django.row_values import Row
from skills.gates.django.serializer_rows import BY_METHOD, N_PLUS_ONE, READ, is_listed, missing_reads
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import descendants
from skills.gates.model import Candidate, Evidence, FileReport
from skills.gates.project import Project
from skills.gates.rule import Watch

_SHOWS = "to_representation"


def _on_serializer(node: ast.ClassDef, context: FileContext) -> None:
    """The methods behind `SerializerMethodField`, and `to_representation`: each is run for every row."""
    methods = [part for part in node.body if isinstance(part, FunctionNode) and len(part.args.args) == 2]
    if not methods or not is_serializer(node, context):
        return
    model, named = meta_model(node) or _inherited(node, context), _named(node)
    for method in methods:
        if method.name.startswith("get_") or method.name == _SHOWS or method.name in named:
            before = context.statement
            _reads(method, node.name, model, context)
            _queries(method, node.name, context)
            context.statement = before


def _inherited(node: ast.ClassDef, context: FileContext) -> str:
    """The model that a serializer of the same file says for those that are built on it."""
    bases = {last_name(base) for base in node.bases}
    above = [part for part in context.tree.body if isinstance(part, ast.ClassDef) and part.name in bases]
    return next((model for part in above if (model := meta_model(part))), "")


def _named(node: ast.ClassDef) -> set[str]:
    """The methods that `SerializerMethodField(method_name="total")` names."""
    calls = [part.value for part in node.body if isinstance(part, ast.Assign) and isinstance(part.value, ast.Call)]
    words = [word.value for call in calls for word in call.keywords if word.arg == "method_name"]
    return {str(value.value) for value in words if isinstance(value, ast.Constant)}


def _reads(method: FunctionNode, serializer: str, model: str, context: FileContext) -> None:
    """Relations that a method reads of its row: as facts for those that look at lists, and as candidates where the
    serializer says its model."""
    seen: set[str] = set()
    given = method.args.args[1].arg
    text = "\n".join(context.lines[method.lineno - 1 : method.end_lineno]) if context.holds(b"hasattr(") else ""
    asked = set(re.findall(rf"hasattr\(\s*{given},\s*['\"](\w+)", text))

    def on_access(part: ast.expr, statement: ast.AST, symbol: str, row: Row, attribute: str, via: Via | None) -> None:
        path = "__".join((*row.steps, attribute))
        if row.loop != -1 or row.origin != model or path in seen:
            return
        if asked and path.partition("__")[0] not in asked:
            return  # what is read where nobody loaded it otherwise
        seen.add(path)
        context.statement = statement
        anew = tuple(asked_anew(part, row, context))
        if not anew:
            context.fact(READ, serializer, f"{path} {BY_METHOD}", part.lineno)
        needs = (("method-of", serializer), ("origin", model), ("path", path), *anew)
        if model:
            _report(part, f"{serializer}.{method.name}", needs, context)

    flow = Flow(context, on_access)
    flow.function(method, {}, {given: Row(model, loop=-1)})


def _queries(method: FunctionNode, serializer: str, context: FileContext) -> None:
    """Queries of a method's own, about its row: `Payment.objects.filter(order=obj)`."""
    row = method.args.args[1].arg
    told: set[int] = set()
    for statement in method.body:
        for call in descendants(statement):
            chain = chain_of(call) if isinstance(call, ast.Call) else None
            if chain is None or chain.manager not in MANAGERS or not chain.model or call.lineno in told:  # type: ignore[attr-defined]
                continue
            if any(isinstance(part, ast.Name) and part.id == row for part in descendants(call)):
                told.add(call.lineno)  # type: ignore[attr-defined]
                context.statement = statement
                needs = (("method-of", serializer), ("query", chain.model))
                _report(call, f"{serializer}.{method.name}", needs, context)


def _report(node: ast.AST, symbol: str, needs: tuple[tuple[str, str], ...], context: FileContext) -> None:
    context.report(N_PLUS_ONE, node, "a serializer asks for each row", confidence="likely", needs=needs, symbol=symbol)


def holds_for_method(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    """What a method asks for each row of a list and the list does not bring along."""
    said = dict(candidate.needs)
    serializer = said["method-of"]
    if "query" in said:
        message = f"`{serializer}` asks `{said['query']}` once for each row of a list"
        return replace(candidate, message=message, needs=()) if is_listed(serializer, project) else None
    relations = relations_of(project)
    *steps, attribute = said["path"].split("__")
    reached = relations.reached(said["origin"], steps, report.path)
    found = relations.behind(reached[0], attribute) if reached is not None else None
    unknown = not steps and not project.named("model", said["origin"]) and said.get("narrowed", "get") not in VAGUE
    if unknown and is_listed(serializer, project):
        message = f"`{attribute}` of each `{said['origin']}` is a query of its own: `{said['narrowed']}()` asks anew"
        return replace(candidate, message=message, needs=())
    if reached is None or found is None:
        return None
    if "narrowed" in said:
        return told(candidate, attribute, reached[0], found) if is_listed(serializer, project) else None
    listed = missing_reads(project).get((report.path, candidate.line))
    if listed is None:
        return None
    evidence = Evidence(listed[0], listed[1].line, f"lists rows with `{serializer}`")
    return replace(told(candidate, attribute, reached[0], found), evidence=(evidence,))


METHODS = Watch((ast.ClassDef,), _on_serializer, (b"erializer",), is_product_path)

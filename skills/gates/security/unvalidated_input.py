"""The rule unvalidated-input: what comes from a request goes through a serializer, a form or a model first."""

import ast
import re
from collections.abc import Iterator

from skills.gates.analysis.local_values import values_of
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import dotted, last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import descendants
from skills.gates.model import Candidate, Evidence, FileReport
from skills.gates.project import Project
from skills.gates.rule import Apart, Rule, Watch
from skills.gates.security.mass_fields import ASKS, fields_given
from skills.gates.security.request_data import Origin, route_of
from skills.gates.security.request_flow import Flow
from skills.gates.security.request_passed import passed_on
from skills.gates.security.request_sinks import is_signed, redirect_origin, sink_of
from skills.gates.security.request_wholes import FIELD, TEXT_FIELDS, field_of, is_any_text, note_text_fields
from skills.gates.security.row_uses import is_cleaned, is_saved_as, is_stored_as

UNVALIDATED = "unvalidated-input"
MASS = "mass-assignment"
_MARKUP = "unvalidated-input: the file holds HTML"
_TAG = lazy(r"<\s*(?:/\s*)?[a-z!]", re.I)
_TEXT_COLUMN = lazy(r"(?:Char|Text|Slug|Email|URL|CI\w*)Field$")
_SAYS = frozenset({"add_message", "success", "info", "warning", "_", "gettext", "ngettext", "format"})
_NAVIGATION = lazy(r"^(?:next|action\S*|_\w*|submit\S*|save\S*|cancel|url|return\S*|redirect\S*|p|page|btn\S*)$")


def _on_function(node: FunctionNode, context: FileContext) -> None:
    flow = Flow(node, context)
    if not flow.is_fed():
        return
    statement = context.statement
    context.scopes.append(node)
    try:
        told: set[int] = set()
        for step in flow.steps():
            if isinstance(step, ast.Call):
                _on_call(step, flow, context, told)
            else:
                _on_statement(step, flow, context, told)
    finally:
        context.scopes.pop()
        context.statement = statement


def _tell(
    rule: str, node: ast.AST, origin: Origin, message: str, context: FileContext, told: set[int], **more: object
) -> None:
    line: int = node.lineno  # type: ignore[attr-defined]
    if line in told:
        return
    told.add(line)
    evidence = (Evidence(context.path, origin.line, f"{origin.text} comes with the request"),)
    context.report(rule, node, message, evidence=evidence, **more)  # type: ignore[arg-type]


def _on_call(node: ast.Call, flow: Flow, context: FileContext, told: set[int]) -> None:
    unpacked = fields_given(node, flow, context)
    if unpacked is not None:
        origin, needs = unpacked
        asked = last_name(node.func) in ASKS
        chosen = "what is asked, by any field and relation" if asked else "which fields are set"
        message = f"`{_short(node.func)}(**{origin.text})`: the client chooses {chosen}"
        _tell(MASS, node, origin, message, context, told, needs=needs, also=(UNVALIDATED,))
        return
    found = sink_of(node, flow, context)
    if found is not None:
        origin, what, severity, value = found
        message = f"`{origin.text}` {what} by `{_short(node.func)}()`"
        words = [
            one.arg for one in descendants(node) if isinstance(one, ast.keyword) and one.value is value and one.arg
        ]
        column, _, lookup = words[0].partition("__") if words and what.startswith("looks up") else ("", "", "")
        needs = (("unless-text", column),) if column and lookup in {"", "in", "exact"} else _of_field(origin)
        _tell(UNVALIDATED, node, origin, message, context, told, severity=severity, needs=needs)
        return
    passed = passed_on(node, flow, context)
    if passed is not None:
        origin, what, severity = passed
        _tell(
            UNVALIDATED,
            node,
            origin,
            f"`{origin.text}` {what} in `{_short(node.func)}()`",
            context,
            told,
            severity=severity,
            needs=_of_field(origin),
        )


def _of_field(origin: Origin) -> tuple[tuple[str, str], ...]:
    """What the project has to know of a field of a model: that it takes any text."""
    field = field_of(origin)
    return ((TEXT_FIELDS, field),) if field else ()


def _on_statement(node: ast.AST, flow: Flow, context: FileContext, told: set[int]) -> None:
    if isinstance(node, ast.Assign):
        for target, value in _bound(node):
            _on_attribute(target, value, flow, context, told)
            _on_location(target, value, flow, context, told)
    elif isinstance(node, ast.Return):
        _on_answer(node, flow, context, told)
    elif isinstance(node, ast.If):
        _on_form(node, flow, context, told)
    if _names_names(context) and isinstance(node, (ast.Assign, ast.Return, ast.Expr)):
        _on_names(node, flow, context, told)
    if (
        _writes_markup(context)
        and isinstance(node, (ast.Assign, ast.AugAssign, ast.Return, ast.Expr))
        and node.value is not None
    ):
        _on_markup(node.value, flow, context, told)


def _names_names(context: FileContext) -> bool:
    return context.holds(b"globals()[") or context.holds(b"locals()[") or context.holds(b"vars()[")


def _on_names(node: ast.AST, flow: Flow, context: FileContext, told: set[int]) -> None:
    """`globals()[request.GET["action"]]`: a function or a setting that the client names."""
    for part in descendants(node):
        if isinstance(part, ast.Subscript) and isinstance(part.value, ast.Call):
            origin = flow.origin(part.slice) if last_name(part.value.func) in {"globals", "locals", "vars"} else None
            if origin is not None:
                message = f"`{origin.text}` decides which name is used of `{_short(part.value)}`"
                _tell(UNVALIDATED, part, origin, message, context, told)


def _writes_markup(context: FileContext) -> bool:
    """A cheap test that every file with HTML in it passes, asked once a file."""
    known = context.memo.get(_MARKUP)
    if known is None:
        known = context.memo[_MARKUP] = any(mark in context.source for mark in (b"</", b"/>", b"<br"))
    return bool(known)


def _on_answer(node: ast.Return, flow: Flow, context: FileContext, told: set[int]) -> None:
    """A view of Flask that answers text: it is sent as HTML."""
    value = node.value
    if not isinstance(value, (ast.JoinedStr, ast.BinOp, ast.Name, ast.Call)) or route_of(flow.function) is None:
        return
    if b"flask" not in context.source.lower() or (isinstance(value, ast.Call) and not _formats(value)):
        return
    origin = flow.origin(value)
    if origin is not None:
        message = f"`{origin.text}` is sent back as part of a page, unescaped"
        _tell(UNVALIDATED, node, origin, message, context, told, severity="MEDIUM")


def _formats(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Attribute) and node.func.attr in {"format", "join"}


def _bound(node: ast.Assign) -> Iterator[tuple[ast.expr, ast.expr]]:
    """(target, value) of an assignment, of each part where both are written side by side."""
    target, value = node.targets[0], node.value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        yield from zip(target.elts, value.elts, strict=True)
    else:
        yield target, value


def _on_location(target: ast.expr, value: ast.expr, flow: Flow, context: FileContext, told: set[int]) -> None:
    """`response["Location"] = request.GET["next"]`: a redirect by hand."""
    named = isinstance(target, ast.Subscript) and getattr(target.slice, "value", None) == "Location"
    found = redirect_origin(value, flow, context) if named else None
    if found is not None:
        message = f"`{found.text}` decides where the visitor is sent by the header `Location`"
        _tell(UNVALIDATED, target, found, message, context, told, severity="MEDIUM")


def _on_attribute(target: ast.expr, value: ast.expr, flow: Flow, context: FileContext, told: set[int]) -> None:
    """`order.note = request.data["note"]` where `order.save()` follows."""
    owner = dotted(target.value) if isinstance(target, ast.Attribute) else None
    if owner is None or owner == "self" or owner.lower().endswith(("serializer", "form")):
        return
    origin = flow.origin(value)
    if origin is None or origin.kind != "body" or is_cleaned(context) or is_signed(context):
        return
    if is_saved_as(owner, context) or is_stored_as(owner, context):
        message = f"`{origin.text}` is stored unchecked in `{_short(target)}`"
        _tell(UNVALIDATED, target, origin, message, context, told, severity="MEDIUM")


def _on_markup(value: ast.expr, flow: Flow, context: FileContext, told: set[int]) -> None:
    """HTML that is put together with a value from the request."""
    for part in descendants(value):
        texts: list[ast.expr] = []
        if isinstance(part, ast.JoinedStr):
            texts = part.values
        elif isinstance(part, ast.BinOp) and isinstance(part.op, (ast.Add, ast.Mod)):
            texts = [part.left, part.right]
        elif isinstance(part, ast.Call) and _formats(part) and isinstance(part.func, ast.Attribute):
            texts = [part.func.value]
        if any(_is_markup(text, context) for text in texts):
            origin = flow.origin(part)
            if origin is not None and origin.kind != FIELD:
                message = f"`{origin.text}` is put into HTML, unescaped"
                _tell(UNVALIDATED, part, origin, message, context, told, severity="MEDIUM")
            return


def _is_markup(text: ast.expr, context: FileContext) -> bool:
    """True for a text with a tag in it, also by a name that stands for nothing else."""
    bound = values_of(text.id, context) if isinstance(text, ast.Name) else [text]
    return bool(bound) and all(isinstance(one, ast.Constant) and _TAG.search(str(one.value)) for one in bound)


def _on_form(node: ast.If, flow: Flow, context: FileContext, told: set[int]) -> None:
    """`request.POST["x"]` where the form that was just checked has the cleaned value."""
    if not (isinstance(node.test, ast.Call) and last_name(node.test.func) == "is_valid"):
        return
    owner = last_name(node.test.func.value).lower() if isinstance(node.test.func, ast.Attribute) else ""
    if not owner.endswith("form"):
        return
    for statement in node.body:
        if any(isinstance(part, ast.Call) and last_name(part.func) in _SAYS for part in descendants(statement)):
            continue  # what the visitor wrote is said to them
        for part in descendants(statement):
            key = _read_key(part, flow)
            if key and not _NAVIGATION.match(key) and not isinstance(statement, ast.If):
                origin = Origin("body", part, part.lineno)  # type: ignore[attr-defined]
                message = (
                    f"`{origin.text}` is read beside the form that checked it: `{owner}.cleaned_data` has the value"
                )
                _tell(UNVALIDATED, part, origin, message, context, told, severity="MEDIUM")


def _read_key(node: ast.AST, flow: Flow) -> str:
    """The key of `request.POST["key"]` and `request.POST.get("key")`."""
    key: ast.expr | None = None
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        source, key = node.value, node.slice
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get" and node.args:
        source, key = node.func.value, node.args[0]
    if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
        return ""
    posted = isinstance(source, ast.Attribute) and source.attr == "POST" and flow.is_request(source.value)
    return key.value if posted else ""


def _short(node: ast.AST) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 50 else f"{text[:24]}…{text[-24:]}"


def _columns(project: Project) -> dict[str, set[bool]]:
    """Column → whether it is one of text, for each model that has one of that name."""
    known = project.memo.get(UNVALIDATED)
    if isinstance(known, dict):
        return known
    found: dict[str, set[bool]] = {}
    for _, fact in project.facts("field"):
        found.setdefault(fact.name.rpartition(".")[2], set()).add(_TEXT_COLUMN.match(fact.detail) is not None)
    project.memo[UNVALIDATED] = found
    return found


def _holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    """None where the value is compared with a column of text: there is none that it could not be; and for a field of
    a model of which something looks at the text."""
    known = _columns(project)
    told = any(kind == "unless-text" and known.get(name) == {True} for kind, name in candidate.needs)
    judged = any(kind == TEXT_FIELDS and not is_any_text(name, project) for kind, name in candidate.needs)
    return None if told or judged else candidate


unvalidated_input = Rule(
    name=UNVALIDATED,
    gate="P1",
    severity="HIGH",
    skill="python-backend-orchestrator",
    sources=("PB-G2", "G2"),
    catches="A value from a request (body, query, form, file name, header, route) that reaches a query, a row, a "
    "file, a command, code, an address, a redirect or a page without being checked on the way.",
    why="Clients send what they like. What no serializer, form or model has looked at ends as a crash at best, and as "
    "somebody else's command at worst.",
    fix="Read it through a serializer (`validated_data`), a form (`cleaned_data`) or a Pydantic model, compare it with "
    "a list of what is allowed, or convert it (`int`, `UUID`) first; then use the checked value.",
    when="Inside one function and those of its file that it calls, outside of tests. Converted values, values "
    "compared with a list, and values that a function with a checking name has seen are taken as checked; so is a key "
    "where the error is caught. What a called function stores or looks up is its own business.",
    holds=_holds,
    watches=(
        Watch(
            (ast.FunctionDef, ast.AsyncFunctionDef),
            _on_function,
            (b"request.", b"Request", b"fastapi", b"req.", b".route(", b"(request, "),
            is_product_path,
        ),
        Watch((ast.ClassDef,), note_text_fields, (b"pydantic", b"SQLModel"), is_product_path),
    ),
    bad=Apart("security.request_examples.INPUT_BAD"),
    good=Apart("security.request_examples.INPUT_GOOD"),
)

mass_assignment = Rule(
    name=MASS,
    gate="P1",
    severity="HIGH",
    skill="python-backend-orchestrator",
    sources=("PB-G2", "G2"),
    catches="All fields of a request put into a model at once: `create(**request.data)`, `update(**…)`, `Model(**…)`, "
    "`setattr` in a loop over them.",
    why="The client chooses which fields are set: `is_staff`, `owner`, `price` too, and those that come next year.",
    fix="Name the fields: a serializer or form with a list of fields, a Pydantic model without extras, or keywords.",
    when="Inside one function, outside of tests; classes count where the project defines them as models.",
    watches=(),
    bad=Apart("security.request_examples.MASS_BAD"),
    good=Apart("security.request_examples.MASS_GOOD"),
)

RULES: tuple[Rule, ...] = (unvalidated_input, mass_assignment)

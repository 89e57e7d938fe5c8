"""What rows of a loop read elsewhere: functions of other files that are given them, and what their models do."""

import ast
from collections.abc import Iterator
from typing import TypeGuard

from msgspec.structs import replace

from skills.gates.django.relations import Relation, Relations
from skills.gates.django.row_calls import NARROWS, TAKES_FIRST, WRITES, without_all
from skills.gates.django.row_values import EACH, GIVEN, Row, covers
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import is_decorated, last_name, module_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import descendants
from skills.gates.model import Candidate, Evidence
from skills.gates.project import Place, Project
from skills.gates.rule import Watch

N_PLUS_ONE, UNORDERED = "n-plus-one", "unless-ordered"
_OF_CLASSES = frozenset({"classmethod", "staticmethod"})
_READS, _READS_EACH = "reads-behind", "reads-behind-each"
PICKS = NARROWS | TAKES_FIRST
VAGUE = frozenset({"get", "values", "reverse", "dates", "union", "using"})
"""Of what a manager is asked, what others are asked too."""
_BEHIND = lazy(r"[a-z]\w*\s*\.")
_NO_ROWS = frozenset({"self", "cls", "info", "args", "kwargs", "db"})
COLUMN = lazy(r"^(?:pk|id|_.*|.*_id|objects|[A-Z].*)$")
_Read = dict[str, list[tuple[int, str]]]
"""Function of a module → (place of a parameter, relation that is read of it)."""


def _on_module(node: ast.Module, context: FileContext) -> None:
    """What the functions of a module, and those of its classes, read behind attributes of their parameters:
    `row.courier.title` → courier; also by way of another function of the module."""
    read: _Read = {}
    functions = [part for part in node.body if isinstance(part, FunctionNode)]
    for part in functions:
        _reads_of(part, "", context, read)
    for part in functions if read else ():
        _hands_on(part, context, read)
    some = context.holds(b"@classmethod") or context.holds(b"@staticmethod")
    for owner in (part for part in node.body if some and isinstance(part, ast.ClassDef)):
        for inner in owner.body:
            if isinstance(inner, FunctionNode) and is_decorated(inner, _OF_CLASSES):
                _reads_of(inner, owner.name, context, {})


def _reads_of(function: FunctionNode, owner: str, context: FileContext, read: _Read) -> None:
    names = _rows_of(function, owner)
    text = _text_of(function, context) if any(names) else ""
    each = _each_of(function, names, text)
    if any(_is_read_behind(name, text) for name in (*filter(None, names), *each)):
        _tell(function, f"{owner}.{function.name}" if owner else function.name, names, each, context, read)


def _hands_on(function: FunctionNode, context: FileContext, read: _Read) -> None:
    """Facts of what functions of the module read of the rows that a function gives them: `label(order)`."""
    names = _rows_of(function, "")
    text = _text_of(function, context) if any(names) else ""
    if not any(f"{name}(" in text for name in read if name != function.name):
        return
    each = _each_of(function, names, text)
    for node in descendants(function):
        given = read.get(node.func.id, []) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else []
        for position, attribute in given:
            row = node.args[position] if position < len(node.args) else None  # type: ignore[attr-defined]
            if isinstance(row, ast.Name) and (row.id in names or row.id in each):
                kind, parameter = (_READS_EACH, each[row.id]) if row.id in each else (_READS, row.id)
                context.fact(kind, function.name, f"{names.index(parameter)} {parameter} {attribute}", node.lineno)  # type: ignore[attr-defined]


def _rows_of(function: FunctionNode, owner: str) -> list[str]:
    """The parameters of a function by their place, "" for those that are no rows."""
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    if owner and is_decorated(function, {"classmethod"}):
        names = names[1:]
    return [name if name not in _NO_ROWS else "" for name in names]


def _text_of(function: FunctionNode, context: FileContext) -> str:
    return "\n".join(context.lines[function.body[0].lineno - 1 : function.end_lineno])


def _each_of(function: FunctionNode, names: list[str], text: str) -> dict[str, str]:
    return _taken(function, names) if any(name and f" in {name}" in text for name in names) else {}


def _is_read_behind(name: str, text: str) -> bool:
    """True where something is read of what is read of a name: `order.user.email`."""
    at = text.find(f"{name}.")
    while at >= 0:
        if _BEHIND.match(text, at + len(name) + 1):
            return True
        at = text.find(f"{name}.", at + 1)
    return False


def _tell(
    function: FunctionNode, called: str, names: list[str], each: dict[str, str], context: FileContext, told_of: _Read
) -> None:
    read: dict[str, dict[str, int]] = {}
    for node in descendants(function):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.attr not in WRITES:
            row, attribute = node.value.value, node.value.attr
            if isinstance(row, ast.Name) and (row.id in names or row.id in each) and not COLUMN.match(attribute):
                read.setdefault(row.id, {}).setdefault(attribute, node.lineno)
    for name, attributes in read.items():
        kind, parameter = (_READS_EACH, each[name]) if name in each else (_READS, name)
        for attribute, line in attributes.items():
            context.fact(kind, called, f"{names.index(parameter)} {parameter} {attribute}", line)
            if kind == _READS:
                told_of.setdefault(called, []).append((names.index(parameter), attribute))


def _taken(function: FunctionNode, names: list[str]) -> dict[str, str]:
    """The names that loops over a parameter bind, each with the parameter: `for order in orders`. One that the
    function binds anew may stand for rows with more."""
    found: dict[str, str] = {}
    bound: list[str] = []
    for part in descendants(function):
        if isinstance(part, (ast.For, ast.comprehension)) and isinstance(part.target, ast.Name):
            source = without_all(part.iter)
            if isinstance(source, ast.Name) and source.id in names:
                found[part.target.id] = source.id
        elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            bound.append(part.id)
        elif isinstance(part, ast.Call) and last_name(part.func) == "prefetch_related_objects":
            return {}
    return {name: parameter for name, parameter in found.items() if parameter not in bound and name not in names}


def report_given(context: FileContext, node: ast.expr, symbol: str, row: Row, place: str) -> None:
    """A candidate: whether the function reads a relation is known once all files are read."""
    needs = (
        ("origin", row.origin), ("manager", row.manager), ("steps", "/".join(row.steps)), ("given", place),
        *(("loaded", name) for name in sorted(row.loaded)), *(("through", name) for name in row.through),
    )  # fmt: skip
    context.report(
        N_PLUS_ONE,
        node,
        "a row is given to a function",
        confidence="likely",
        needs=needs,
        evidence=(Evidence(context.path, row.loop, "takes the rows one by one"),),
        symbol=symbol,
    )


def holds_for_given(
    candidate: Candidate, model: Place, last: Relation | None, relations: Relations, project: Project
) -> Candidate | None:
    """The first relation that the function reads of what it is given, and that was not loaded."""
    dotted, place = dict(candidate.needs)["given"].rsplit(" ", 1)
    module, _, name = dotted.rpartition(".")
    if module.rpartition(".")[2][:1].isupper():
        module, _, owner = module.rpartition(".")
        name = f"{owner}.{name}"
    loaded = frozenset(value for kind, value in candidate.needs if kind == "loaded")
    for path, fact in project.named(_READS_EACH if place.startswith(EACH) else _READS, name):
        position, parameter, attribute = fact.detail.split(" ")
        if place.removeprefix(EACH) not in (position, parameter) or not f".{module_name(path)}".endswith(f".{module}"):
            continue
        found = relations.behind(model, attribute)
        if not costs(found, attribute, loaded, last):
            continue
        reads = Evidence(path, fact.line, f"{name} reads `{attribute}` of `{parameter}`")
        known = replace(candidate, evidence=(*candidate.evidence, reads), fixable=False)
        return told(known, attribute, model, found)
    return None


def costs(found: Relation | None, name: str, loaded: frozenset[str], last: Relation | None) -> TypeGuard[Relation]:
    """True for a relation that is neither loaded nor the way that led to the row."""
    return found is not None and bool(found.loader) and not covers(loaded, name) and (last is None or last.back != name)


def asked_anew(node: ast.expr, row: Row, context: FileContext) -> Iterator[tuple[str, str]]:
    """What a loaded relation would not spare: a query that is narrowed again, and rows that are streamed."""
    parent = context.parent(node)
    while isinstance(parent, ast.Attribute) and parent.attr == "all":
        call = context.parent(parent)
        parent = context.parent(call) if isinstance(call, ast.Call) else None
    if isinstance(parent, ast.Attribute) and parent.attr in PICKS:
        yield "narrowed", parent.attr
        if parent.attr in TAKES_FIRST and isinstance(node, ast.Attribute) and covers(row.loaded, node.attr):
            yield UNORDERED, node.attr
    if ".iterator()" in context.lines[max(row.loop, 1) - 1]:
        yield "streamed", ""


def told(candidate: Candidate, attribute: str, model: Place, found: Relation) -> Candidate:
    """The candidate with what it costs, and where the relation is declared."""
    path, fact = found.declared
    declared = Evidence(path, fact.line, f"{fact.name} relates {model[1].name} to {found.to}")
    said = dict(candidate.needs)
    message = f"`{attribute}` of each `{model[1].name}` is a query of its own: "
    # Rows under a name of their own are loaded by their own queryset, which a fix does not look for.
    fixable = candidate.fixable and said.get("manager") != GIVEN
    fixable = fixable and not any("=" in path for kind, path in candidate.needs if kind == "loaded")
    if found.many and "narrowed" in said:
        message += (
            f'`{said["narrowed"]}()` asks anew even of what is loaded; `Prefetch("{attribute}", queryset=…)` does not'
        )
        fixable = False
    else:
        mapped = found.loader == "selectinload"
        what = f"{model[1].name}.{attribute}" if mapped else f'"{attribute}"'
        message += f"the rows come without `{found.loader}({what})`"
        fixable = fixable and not mapped
        if found.many and "streamed" in said:
            message += ", which `iterator()` only heeds with a `chunk_size`"
            fixable = False
    return replace(candidate, message=message, needs=(), evidence=(*candidate.evidence, declared), fixable=fixable)


HELPERS = Watch((ast.Module,), _on_module, (b"def ",), is_product_path)
"""Kinds: reads-behind, reads-behind-each (name: the function, detail: position, parameter, attribute)."""

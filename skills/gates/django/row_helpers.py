"""What rows of a loop read elsewhere: functions of other files that are given them, and what their models do."""

import ast
from collections.abc import Iterator
from typing import TypeGuard

from msgspec.structs import replace

from skills.gates.django.relations import RELATION, Relation, Relations
from skills.gates.django.row_calls import NARROWS, TAKES_FIRST, WRITES
from skills.gates.django.row_values import Row, covers
from skills.gates.engine.context import FileContext, FunctionNode, Words
from skills.gates.engine.names import is_decorated, last_name, module_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import descendants
from skills.gates.model import Candidate, Evidence
from skills.gates.project import Place, Project
from skills.gates.rule import Watch
from skills.record import record

N_PLUS_ONE, UNORDERED = "n-plus-one", "unless-ordered"
_OF_DJANGO = frozenset({"save", "clean", "full_clean", "delete", "get_absolute_url", "validate_unique"})
_READS, _PROPERTY = "reads-behind", "property-behind"
_PICKS = NARROWS | TAKES_FIRST
_READS_OF = frozenset({ast.Attribute, ast.FormattedValue, ast.Call})
_COLUMN = lazy(r"^(?:pk|id|_.*|.*_id|objects|[A-Z].*)$")


def _on_module(node: ast.Module, context: FileContext) -> None:
    """What the functions of a module read behind attributes of their parameters: `row.courier.title` → courier."""
    for part in node.body:
        if isinstance(part, FunctionNode) and (part.args.args or part.args.posonlyargs):
            names = [argument.arg for argument in (*part.args.posonlyargs, *part.args.args)]
            text = "\n".join(context.lines[part.body[0].lineno - 1 : part.end_lineno])
            if any(f"{name}." in text for name in names):
                _tell(part, names, context)


def _tell(function: FunctionNode, names: list[str], context: FileContext) -> None:
    read: dict[str, dict[str, int]] = {}
    for node in descendants(function):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.attr not in WRITES:
            row, attribute = node.value.value, node.value.attr
            if isinstance(row, ast.Name) and row.id in names and not _COLUMN.match(attribute):
                read.setdefault(row.id, {}).setdefault(attribute, node.lineno)
    for name, attributes in read.items():
        for attribute, line in attributes.items():
            context.fact(_READS, function.name, f"{names.index(name)} {name} {attribute}", line)


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
    loaded = frozenset(value for kind, value in candidate.needs if kind == "loaded")
    for path, fact in project.named(_READS, name):
        position, parameter, attribute = fact.detail.split(" ")
        if place not in (position, parameter) or not f".{module_name(path)}".endswith(f".{module}"):
            continue
        found = relations.behind(model, attribute)
        if found is None or covers(loaded, attribute) or (last is not None and last.back == attribute):
            continue
        reads = Evidence(path, fact.line, f"{name} reads `{attribute}` of `{parameter}`")
        known = replace(candidate, evidence=(*candidate.evidence, reads), fixable=False)
        return told(known, attribute, model, found)
    return None


def asked_anew(node: ast.expr, row: Row, context: FileContext) -> Iterator[tuple[str, str]]:
    """What a loaded relation would not spare: a query that is narrowed again, and rows that are streamed."""
    parent = context.parent(node)
    while isinstance(parent, ast.Attribute) and parent.attr == "all":
        call = context.parent(parent)
        parent = context.parent(call) if isinstance(call, ast.Call) else None
    if isinstance(parent, ast.Attribute) and parent.attr in _PICKS:
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
    loader = "prefetch_related" if found.many else "select_related"
    message = f"`{attribute}` of each `{model[1].name}` is a query of its own: "
    # Rows under a name of their own are loaded by their own queryset, which a fix does not look for.
    fixable = candidate.fixable and not any("=" in path for kind, path in candidate.needs if kind == "loaded")
    if found.many and "narrowed" in said:
        message += (
            f'`{said["narrowed"]}()` asks anew even of what is loaded; `Prefetch("{attribute}", queryset=…)` does not'
        )
        fixable = False
    else:
        message += f'the rows come without `{loader}("{attribute}")`'
        if found.many and "streamed" in said:
            message += ", which `iterator()` only heeds with a `chunk_size`"
            fixable = False
    return replace(candidate, message=message, needs=(), evidence=(*candidate.evidence, declared), fixable=fixable)


def _on_model(node: ast.ClassDef, context: FileContext) -> None:
    """What properties and methods of a model read behind its relations: `self.company.name` → company."""
    declared = {
        last_name(target)
        for part in node.body
        if isinstance(part, ast.Assign) and isinstance(part.value, ast.Call) and RELATION.search(last_name(part.value))
        for target in part.targets
    }
    if not declared or not context.mentions(Words(*(f"self.{name}".encode() for name in declared)), node):
        return
    asked = {
        part.name: _asks(part) for part in node.body if isinstance(part, ast.FunctionDef) and _asked_of_a_row(part)
    }
    for name in asked:
        for part in _in_turn(name, asked):
            for behind, how in asked[part].reads:
                if behind.attr in declared:
                    context.fact(_PROPERTY, f"{node.name}.{name}", f"{behind.attr} {how}", behind.lineno)


@record
class _Asks:
    """What a property or method asks of its own row: the names, and those that something is read of, with how."""

    own: tuple[str, ...]
    reads: tuple[tuple[ast.Attribute, str], ...]


def _asks(method: ast.FunctionDef) -> _Asks:
    own: list[str] = []
    reads: list[tuple[ast.Attribute, str]] = []
    for part in descendants(method):
        kind = part.__class__
        if kind in _READS_OF:
            behind = _read_of(part)
            if _is_own(behind):
                reads.append((behind, part.attr if kind is ast.Attribute and part.attr in _PICKS else ""))  # type: ignore[attr-defined]
            elif _is_own(part):
                own.append(part.attr)
    return _Asks(tuple(own), tuple(reads))


def _is_own(node: ast.AST | None) -> TypeGuard[ast.Attribute]:
    """True for `self.company`."""
    return node.__class__ is ast.Attribute and getattr(node.value, "id", "") == "self"


def _in_turn(name: str, asked: dict[str, _Asks]) -> list[str]:
    """A property or method, and those of the same class that it asks in turn: `self.label` in `full_label`."""
    found = [name]
    for one in found:
        found += [other for other in dict.fromkeys(asked[one].own) if other in asked and other not in found]
    return found


def _read_of(node: ast.AST) -> ast.expr | None:
    """What an expression reads something of: `self.company` in `self.company.name`, and where it is shown whole, in
    `f"{self.company}"` and `str(self.company)`."""
    match node:
        case ast.Attribute(value=value, attr=attribute):
            return None if attribute in WRITES else value
        case ast.FormattedValue(value=value) | ast.Call(func=ast.Name(id="str"), args=[value]):
            return value
    return None


def _asked_of_a_row(method: ast.FunctionDef) -> bool:
    """True for properties, and for methods that nothing has to be given: `order.label()`."""
    if method.decorator_list:
        return is_decorated(method, {"property", "cached_property"})
    arguments = method.args
    required = len(arguments.posonlyargs) + len(arguments.args) - len(arguments.defaults)
    hidden = method.name.startswith("__") and method.name != "__str__"
    return required == 1 and not hidden and method.name not in _OF_DJANGO


def holds_for_property(
    candidate: Candidate, name: str, model: Place, last: Relation | None, relations: Relations, project: Project
) -> Candidate | None:
    """The first relation that a property of the row reads, and that was not loaded."""
    loaded = frozenset(value for kind, value in candidate.needs if kind == "loaded")
    for path, fact in project.named(_PROPERTY, f"{model[1].name}.{name}"):
        behind, _, narrowed = fact.detail.partition(" ")
        found = relations.behind(model, behind) if path == model[0] else None
        if found is None or covers(loaded, behind) or (last is not None and last.back == behind):
            continue
        reads = Evidence(path, fact.line, f"{fact.name} reads `{behind}` of the row")
        needs = (*candidate.needs, *((("narrowed", narrowed),) if narrowed else ()))
        known = replace(candidate, evidence=(*candidate.evidence, reads), needs=needs, fixable=False)
        return told(known, behind, model, found)
    return None


HELPERS = Watch((ast.Module,), _on_module, (b"def ",), is_product_path)
"""Kinds: reads-behind (name: the function, detail: position, parameter, attribute)."""

PROPERTIES = Watch((ast.ClassDef,), _on_model, (b"ForeignKey", b"OneToOneField"), is_product_path)
"""Kinds: property-behind (name: model and property, detail: relation)."""

"""What rows of a loop read elsewhere: functions of other files that are given them, and what their models do."""

import ast
import dataclasses
from collections.abc import Iterator
from typing import TypeGuard

from msgspec.structs import replace

from skills.gates.analysis.queries import MANAGERS, chain_of
from skills.gates.django.relations import RELATION, Relation, Relations
from skills.gates.django.row_calls import NARROWS, TAKES_FIRST, WRITES, without_all
from skills.gates.django.row_values import EACH, GIVEN, Row, covers
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
_OF_CLASSES = frozenset({"classmethod", "staticmethod"})
_OF_DJANGO = frozenset({"save", "clean", "full_clean", "delete", "validate_unique"})
_READS, _READS_EACH, _PROPERTY = "reads-behind", "reads-behind-each", "property-behind"
_PICKS = NARROWS | TAKES_FIRST
VAGUE = frozenset({"get", "values", "reverse", "dates", "union", "using"})
"""Of what a manager is asked, what others are asked too."""
_ASKED = _PICKS | {"all", "count", "exists"}
_BARE = "=bare"
"""Stands for what is read of a row behind another one where that row is read as a whole: `return self.company`."""
_ASKING = Words(
    b".all()", b".filter(", b".count()", b".exists()", b".order_by(", b".exclude(", b".objects", b".first()", b".last()"
)  # fmt: skip
_OWN = Words(b"self.")
_READS_OF = frozenset({ast.Attribute, ast.FormattedValue, ast.Call})
_BEHIND = lazy(r"[a-z]\w*\s*\.")
_NO_ROWS = frozenset({"self", "cls", "info", "args", "kwargs", "db"})
_COLUMN = lazy(r"^(?:pk|id|_.*|.*_id|objects|[A-Z].*)$")


def _on_module(node: ast.Module, context: FileContext) -> None:
    """What the functions of a module, and those of its classes, read behind attributes of their parameters:
    `row.courier.title` → courier."""
    for part in node.body:
        if isinstance(part, FunctionNode):
            _reads_of(part, "", context)
        elif isinstance(part, ast.ClassDef) and (context.holds(b"@classmethod") or context.holds(b"@staticmethod")):
            for inner in part.body:
                if isinstance(inner, FunctionNode) and is_decorated(inner, _OF_CLASSES):
                    _reads_of(inner, part.name, context)


def _reads_of(function: FunctionNode, owner: str, context: FileContext) -> None:
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    if owner and is_decorated(function, {"classmethod"}):
        names = names[1:]
    names = [name if name not in _NO_ROWS else "" for name in names]
    text = "\n".join(context.lines[function.body[0].lineno - 1 : function.end_lineno]) if any(names) else ""
    each = _taken(function, names) if any(name and f" in {name}" in text for name in names) else {}
    if any(_is_read_behind(name, text) for name in (*filter(None, names), *each)):
        _tell(function, f"{owner}.{function.name}" if owner else function.name, names, each, context)


def _is_read_behind(name: str, text: str) -> bool:
    """True where something is read of what is read of a name: `order.user.email`."""
    at = text.find(f"{name}.")
    while at >= 0:
        if _BEHIND.match(text, at + len(name) + 1):
            return True
        at = text.find(f"{name}.", at + 1)
    return False


def _tell(function: FunctionNode, called: str, names: list[str], each: dict[str, str], context: FileContext) -> None:
    read: dict[str, dict[str, int]] = {}
    for node in descendants(function):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.attr not in WRITES:
            row, attribute = node.value.value, node.value.attr
            if isinstance(row, ast.Name) and (row.id in names or row.id in each) and not _COLUMN.match(attribute):
                read.setdefault(row.id, {}).setdefault(attribute, node.lineno)
    for name, attributes in read.items():
        kind, parameter = (_READS_EACH, each[name]) if name in each else (_READS, name)
        for attribute, line in attributes.items():
            context.fact(kind, called, f"{names.index(parameter)} {parameter} {attribute}", line)


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
        if not _costs(found, attribute, loaded, last):
            continue
        reads = Evidence(path, fact.line, f"{name} reads `{attribute}` of `{parameter}`")
        known = replace(candidate, evidence=(*candidate.evidence, reads), fixable=False)
        return told(known, attribute, model, found)
    return None


def _costs(found: Relation | None, name: str, loaded: frozenset[str], last: Relation | None) -> TypeGuard[Relation]:
    """True for a relation that is neither loaded nor the way that led to the row."""
    return found is not None and bool(found.loader) and not covers(loaded, name) and (last is None or last.back != name)


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


def _on_model(node: ast.ClassDef, context: FileContext) -> None:
    """What properties and methods of a model read behind its relations: `self.company.name` → company."""
    asks = context.mentions(_ASKING, node)
    if not asks and not context.mentions(_OWN, node):
        return
    declared = {
        last_name(part.targets[0] if isinstance(part, ast.Assign) else part.target): last_name(part.value)
        for part in node.body
        if isinstance(part, (ast.Assign, ast.AnnAssign)) and isinstance(part.value, ast.Call)
        and (RELATION.search(last_name(part.value)) or last_name(part.value).lower() == "relationship")
    }  # fmt: skip
    own = Words(*(f"self.{name}".encode() for name in declared))
    if not asks and not (declared and context.mentions(own, node)):
        return
    asked = {
        part.name: _asks(part) for part in node.body if isinstance(part, ast.FunctionDef) and _asked_of_a_row(part)
    }
    for name in asked:
        for part in _in_turn(name, asked):
            for behind, how, line in asked[part].reads:
                if how == _BARE:
                    if not declared.get(behind, "Many").startswith(("Many", "Generic")):
                        context.fact(_PROPERTY, f"{node.name}.{name}", f"{behind} ", line)
                elif behind in declared or how in _ASKED or not behind or "__" in behind:
                    said = how if how in _PICKS or not behind else ""
                    context.fact(_PROPERTY, f"{node.name}.{name}", f"{behind} {said}", line)


@record
class _Asks:
    """What a property or method asks of its own row: the names, and (name, what is read of it, line) of those that
    something is read of; (\"\", model, line) of queries about the row."""

    own: tuple[str, ...]
    reads: tuple[tuple[str, str, int], ...]


def _asks(method: ast.FunctionDef) -> _Asks:
    own: list[str] = []
    reads: list[tuple[str, str, int]] = []
    spared = _spared(method)
    for part in descendants(method):
        kind = part.__class__
        if kind in _READS_OF and part not in spared:
            behind = _read_of(part)
            if _is_own(behind):
                reads.append((behind.attr, part.attr if kind is ast.Attribute else "", behind.lineno))  # type: ignore[attr-defined]
            elif _is_own(part):
                own.append(part.attr)
                if isinstance(part.ctx, ast.Load):
                    reads.append((part.attr, _BARE, part.lineno))
            elif isinstance(part, ast.Call) and (model := _query(part)):
                reads.append(("", model, part.lineno))
    for relation, row in _looped(method):
        for part in descendants(method):
            if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Attribute) and part.attr not in WRITES:
                one = part.value
                if isinstance(one.value, ast.Name) and one.value.id == row and not _COLUMN.match(one.attr):
                    reads.append((f"{relation}__{one.attr}", "", one.lineno))
    return _Asks(tuple(own), tuple(reads))


def _looped(method: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    """(relation, name) of loops over what stands behind the row: `for line in self.lines.all()`."""
    for part in descendants(method):
        if isinstance(part, (ast.For, ast.comprehension)) and isinstance(part.target, ast.Name):
            source = without_all(part.iter)
            if _is_own(source):
                yield source.attr, part.target.id


def _spared(method: ast.FunctionDef) -> frozenset[ast.AST]:
    """What a method does only where it was not given something: `name or self.company.name`."""
    arguments = [*method.args.posonlyargs, *method.args.args]
    pairs = [*zip(arguments[::-1], method.args.defaults[::-1], strict=False),
             *zip(method.args.kwonlyargs, method.args.kw_defaults, strict=True)]  # fmt: skip
    given = {one.arg for one, default in pairs if isinstance(default, ast.Constant) and default.value is None}
    found: set[ast.AST] = set()
    for part in descendants(method) if given else ():
        decides = part.values[0] if isinstance(part, ast.BoolOp) else getattr(part, "test", None)
        if decides is not None and any(isinstance(one, ast.Name) and one.id in given for one in descendants(decides)):
            found.update(descendants(part))
    return frozenset(found)


def _query(call: ast.Call) -> str:
    """The model of `Payment.objects.filter(order=self)`, "" for what is no query about the row."""
    chain = chain_of(call)
    about = any(
        (isinstance(given, ast.Name) and given.id == "self") or _is_own(given)
        for _, part in chain.calls for given in (*part.args, *(word.value for word in part.keywords))
    )  # fmt: skip
    reads = not any(name in WRITES for name, _ in chain.calls)
    return chain.model if chain.manager in MANAGERS and about and reads else ""


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
    """True for properties, and for methods of a row: `order.label()`, `order.holds("tea")`."""
    if method.decorator_list:
        return is_decorated(method, {"property", "cached_property"})
    hidden = method.name.startswith("__") and method.name != "__str__"
    return bool(method.args.args or method.args.posonlyargs) and not hidden and method.name not in _OF_DJANGO


def holds_for_property(
    candidate: Candidate, name: str, model: Place, last: Relation | None, relations: Relations, project: Project
) -> Candidate | None:
    """The first relation that a property of the row reads, and that was not loaded."""
    loaded = frozenset(value for kind, value in candidate.needs if kind == "loaded")
    for (path, fact), found, behind, how in asked_by(name, model, loaded, last, relations, project):
        said = f"reads `{behind}` of" if found is not None else f"asks `{how}` about"
        reads = Evidence(path, fact.line, f"{fact.name} {said} the row")
        known = replace(candidate, evidence=(*candidate.evidence, reads), fixable=False)
        if found is None:
            message = f"`{name}` of each `{model[1].name}` is a query of its own"
            return replace(known, message=message, needs=())
        needs = (*candidate.needs, *((("narrowed", how),) if how else ()))
        return told(replace(known, needs=needs), behind, model, found)
    return None


def asked_by(
    name: str, model: Place, loaded: frozenset[str], last: Relation | None, relations: Relations, project: Project
) -> Iterator[tuple[Place, Relation | None, str, str]]:
    """(where, the relation, its name, what narrows it) of what a property or method of a model asks the database for
    beyond what was loaded; a model in place of the last two where it asks for rows of that."""
    for place in project.named(_PROPERTY, f"{model[1].name}.{name}"):
        behind, _, how = place[1].detail.partition(" ")
        if "__" in behind:
            further = _further(behind, model, loaded, relations) if place[0] == model[0] else None
            if further is not None:
                yield place, further, behind, ""
            continue
        found = relations.behind(model, behind) if behind and place[0] == model[0] else None
        if _costs(found, behind, loaded if not how else frozenset(), last) or (not behind and place[0] == model[0]):
            yield place, found, behind, how


def _further(path: str, model: Place, loaded: frozenset[str], relations: Relations) -> Relation | None:
    """The relation of the rows behind a row, as what is to be loaded with the row; None where it costs nothing."""
    head, _, name = path.partition("__")
    first = relations.behind(model, head)
    found = relations.behind(first.target, name) if first is not None and first.target is not None else None
    if first is None or not _costs(found, path, loaded, None) or first.back == name or found.loader == "selectinload":
        return None
    return dataclasses.replace(found, loader="prefetch_related") if first.many else found


HELPERS = Watch((ast.Module,), _on_module, (b"def ",), is_product_path)
"""Kinds: reads-behind, reads-behind-each (name: the function, detail: position, parameter, attribute)."""

PROPERTIES = Watch((ast.ClassDef,), _on_model, (b"ForeignKey", b"OneToOneField", b"elationship("), is_product_path)
"""Kinds: property-behind (name: model and property, detail: relation and what narrows it, or "" and a model)."""

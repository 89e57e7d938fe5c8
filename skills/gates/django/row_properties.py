"""What properties and methods of models read behind their own row, and what that costs rows of a loop."""

import ast
import dataclasses
from collections.abc import Iterator
from typing import TypeGuard

from msgspec.structs import replace

from skills.gates.analysis.queries import MANAGERS, chain_of
from skills.gates.django.relations import RELATION, Relation, Relations
from skills.gates.django.row_calls import WRITES, without_all
from skills.gates.django.row_helpers import COLUMN, PICKS, costs, told
from skills.gates.engine.context import FileContext, Words
from skills.gates.engine.names import is_decorated, last_name
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import descendants
from skills.gates.model import Candidate, Evidence
from skills.gates.project import Place, Project
from skills.gates.rule import Watch
from skills.record import record

_PROPERTY = "property-behind"
_INHERITS, _OTHER = "inherits-properties", "=other"
_OF_DJANGO = frozenset({"save", "clean", "full_clean", "delete", "validate_unique"})
_ASKED = PICKS | {"all", "count", "exists"}
_BARE = "=bare"
"""Stands for what is read of a row behind another one where that row is read as a whole: `return self.company`."""
_ASKING = Words(
    b".all()", b".filter(", b".count()", b".exists()", b".order_by(", b".exclude(", b".objects", b".first()", b".last()"
)  # fmt: skip
_OWN = Words(b"self.")
_READS_OF = frozenset({ast.Attribute, ast.FormattedValue, ast.Call})
_ROOTS = frozenset({"Model", "object", "Base", "DeclarativeBase", "SQLModel"})


def _on_model(node: ast.ClassDef, context: FileContext) -> None:
    """What properties and methods of a model read behind its relations: `self.company.name` → company."""
    asks = context.mentions(_ASKING, node)
    inherits = node.name != "Meta" and any(last_name(base) not in _ROOTS for base in node.bases)
    if inherits:
        own_names = (part.name for part in node.body if isinstance(part, ast.FunctionDef))
        context.fact(_INHERITS, node.name, " ".join(own_names), node.lineno)
    if not asks and not context.mentions(_OWN, node):
        return
    declared = {
        last_name(part.targets[0] if isinstance(part, ast.Assign) else part.target): last_name(part.value)
        for part in node.body
        if isinstance(part, (ast.Assign, ast.AnnAssign)) and isinstance(part.value, ast.Call)
        and (RELATION.search(last_name(part.value)) or last_name(part.value).lower() == "relationship")
    }  # fmt: skip
    own = Words(*(f"self.{name}".encode() for name in declared))
    if not asks and not inherits and not (declared and context.mentions(own, node)):
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
                elif inherits or behind in declared or how in _ASKED or not behind or "__" in behind:
                    said = how if how in PICKS or not behind else ""
                    context.fact(_PROPERTY, f"{node.name}.{name}", f"{behind} {said}", line)
            for other in asked[part].own if inherits else ():
                if other not in asked and other not in declared:  # what the class inherits may read more
                    context.fact(_PROPERTY, f"{node.name}.{name}", f"{other} {_OTHER}", node.lineno)


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
            elif path := _behind_that(behind, part):
                reads.append((path, "", part.lineno))  # type: ignore[attr-defined]
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
                if isinstance(one.value, ast.Name) and one.value.id == row and not COLUMN.match(one.attr):
                    reads.append((f"{relation}__{one.attr}", "", one.lineno))
    return _Asks(tuple(own), tuple(reads))


def _behind_that(behind: ast.expr | None, part: ast.AST) -> str:
    """ "user__team" of `self.user.team.name`, "" for all else; what a manager is asked there is another matter."""
    if not isinstance(behind, ast.Attribute) or not _is_own(behind.value) or COLUMN.match(behind.attr):
        return ""
    return f"{behind.value.attr}__{behind.attr}" if getattr(part, "attr", "") not in _ASKED else ""


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
    for place in _said_of(name, model, relations, project, frozenset()):
        behind, _, how = place[1].detail.partition(" ")
        if "__" in behind:
            further = _further(behind, model, loaded, relations)
            if further is not None:
                yield place, further, behind, ""
            continue
        found = relations.behind(model, behind) if behind else None
        if costs(found, behind, loaded if not how else frozenset(), last) or not behind:
            yield place, found, behind, how


def _said_of(name: str, model: Place, relations: Relations, project: Project, seen: frozenset[str]) -> Iterator[Place]:
    """What a property or method of a model reads, its own or inherited, with what it asks of others in turn."""
    for owner in relations.line(model):
        places = [place for place in project.named(_PROPERTY, f"{owner[1].name}.{name}") if place[0] == owner[0]]
        for place in places:
            other, _, how = place[1].detail.partition(" ")
            if how != _OTHER:
                yield place
            elif other not in seen:
                yield from _said_of(other, model, relations, project, seen | {name, other})
        own = [fact for path, fact in project.named(_INHERITS, owner[1].name) if path == owner[0]]
        if places or not own or name in own[0].detail.split():
            return


def _further(path: str, model: Place, loaded: frozenset[str], relations: Relations) -> Relation | None:
    """The relation of the rows behind a row, as what is to be loaded with the row; None where it costs nothing."""
    head, _, name = path.partition("__")
    first = relations.behind(model, head)
    found = relations.behind(first.target, name) if first is not None and first.target is not None else None
    if first is None or not costs(found, path, loaded, None) or first.back == name or found.loader == "selectinload":
        return None
    return dataclasses.replace(found, loader="prefetch_related") if first.many else found


PROPERTIES = Watch((ast.ClassDef,), _on_model, (b"ForeignKey", b"OneToOneField", b"elationship("), is_product_path)
"""Kinds: property-behind (name: model and property, detail: relation and what narrows it, or "" and a model; or
a property or method of the classes above), inherits-properties (a class with classes above, detail: its methods)."""

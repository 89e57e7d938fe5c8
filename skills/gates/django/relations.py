"""The relations between the models of a project: what stands behind an attribute of a row."""

import ast
from collections.abc import Iterable
from functools import cached_property

from skills.gates.django.alchemy_rows import BETWEEN, EAGER, LAZY_MANY, LAZY_ONE, is_mapped, mapped_relation
from skills.gates.django.row_managers import does, loads_itself
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name, module_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import outside_tests
from skills.gates.engine.syntax import is_falsy
from skills.gates.model import Fact
from skills.gates.project import Place, Project
from skills.gates.rule import Observer, Watch
from skills.record import record

RELATION = lazy(r"(GenericForeignKey|GenericRelation|ForeignKey|OneToOneField|ManyToManyField|ParentalKey)$")
_MANY = "ManyToManyField"
_NULLABLE = "nullable"
_GENERIC = "GenericForeignKey"
_GENERIC_MANY = "GenericRelation"
_MANIES = frozenset({_MANY, _GENERIC, _GENERIC_MANY, LAZY_MANY, BETWEEN})
_RELATED_AT = {"ForeignKey": 2, "ParentalKey": 2, _MANY: 1}  # where the related name stands without its keyword
_MAPPED = frozenset({LAZY_ONE, LAZY_MANY, BETWEEN, EAGER})


@record
class Relation:
    """A step from a model to another. `loader` is what loads it with its rows, "" where it always comes with them;
    `back` is the attribute of the other model that leads back without a query, "" where none does. `target` is None
    where the project does not define the model."""

    target: Place | None
    to: str
    many: bool
    declared: Place
    loader: str
    back: str = ""


def _on_mapped(node: ast.ClassDef, context: FileContext) -> None:
    if is_mapped(node):
        context.fact("mapped", node.name, " ".join(filter(None, map(last_name, node.bases))), node.lineno)


def _on_class(node: ast.ClassDef, context: FileContext) -> None:
    for statement in node.body:
        if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or not isinstance(statement.value, ast.Call):
            continue
        value = statement.value
        kind = RELATION.search(last_name(value.func))
        target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
        if kind is None or not isinstance(target, ast.Name):
            if isinstance(target, ast.Name) and (detail := mapped_relation(statement, value)):
                context.fact("relation", f"{node.name}.{target.id}", detail, statement.lineno)
            continue
        to, related = ("object", "") if kind[1] == _GENERIC else _arguments(value)
        if to:
            detail = f"{kind[1]} {node.name if to == 'self' else to} {related}"
            if any(word.arg == "null" and not is_falsy(word.value) for word in value.keywords):
                context.fact(_NULLABLE, f"{node.name}.{target.id}")
            context.fact("relation", f"{node.name}.{target.id}", detail.strip(), statement.lineno)


def _arguments(call: ast.Call) -> tuple[str, str]:
    """(name of the related model, related name) of a relation, "" where it does not say; a related name that is worked
    out is "?"."""
    given = {word.arg: word.value for word in call.keywords}
    to = call.args[0] if call.args else given.get("to")
    place = _RELATED_AT.get(last_name(call.func), len(call.args))
    related = given.get("related_name") or next(iter(call.args[place:]), None)
    name = ""
    if isinstance(to, ast.Constant):
        name = str(to.value).rpartition(".")[2]
    elif to is not None:
        name = last_name(to)
    if name == "AUTH_USER_MODEL":
        name = "User"
    if related is None or isinstance(related, ast.Constant):
        return name, str(related.value) if related is not None and related.value else ""
    return name, "?"


class Relations:
    """All relations of a project. A model is a place, because two apps may have models of one name."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._unseen: dict[str, bool] = {}
        self._models: dict[str, list[Place]] = {}
        for place in (*project.facts("model"), *project.facts("mapped")):
            known = self._models.setdefault(place[1].name, [])
            if not any(path == place[0] for path, _ in known):
                known.append(place)
        self._own: dict[str, dict[str, list[Place]]] = {}
        self._towards: dict[str, list[Place]] = {}
        for place in project.facts("relation"):
            owner, _, name = place[1].name.partition(".")
            self._own.setdefault(owner, {}).setdefault(name, []).append(place)
            # The other side of a generic one is a generic key, which says so itself; mapped classes need not have one.
            if _kind(place[1]) != _GENERIC_MANY and (
                _kind(place[1]) not in _MAPPED or " " in place[1].detail.partition(" ")[2]
            ):
                self._towards.setdefault(_to(place[1]), []).append(place)

    def model(self, name: str, path: str) -> Place | None:
        """The model that a dotted name means in a file, None where that is not certain."""
        package, _, last = name.rpartition(".")
        places = self._models.get(last, [])
        if len(places) <= 1:
            return places[0] if places else None
        same = [place for place in places if place[0] == path]
        if not same and package:
            same = [place for place in places if f".{package}." in f".{module_name(place[0])}."]
        return same[0] if len({place[0] for place in same}) == 1 else None

    def means(self, dotted: str, path: str) -> bool:
        """True where a dotted name in a file is that of a model, and of nothing else that is named like one."""
        package, _, name = dotted.rpartition(".")
        place = self.model(name, path) if not package else self.model(dotted, path)
        if place is None:
            return False
        return f".{package}." in f".{module_name(place[0])}." if package else place[0] == path

    def behind(self, model: Place, name: str) -> Relation | None:
        """The relation behind an attribute of a model, declared there, inherited, or on the other side."""
        for ancestor in self.line(model):
            for place in self._own.get(ancestor[1].name, {}).get(name, []):
                if place[0] == ancestor[0]:
                    target = self.model(_to(place[1]), place[0])
                    kind = _kind(place[1])
                    back = _reverse_name(place[1]) if kind in _MAPPED - {BETWEEN} else ""
                    return Relation(target, _to(place[1]), kind in _MANIES, place, _loader(kind), back)
        for ancestor in self.line(model):
            for place in self._towards.get(ancestor[1].name, []):
                if _reverse_name(place[1]) == name and self.model(ancestor[1].name, place[0]) == ancestor:
                    owner, _, field = place[1].name.partition(".")
                    source = self.model(owner, place[0])
                    if source is not None:
                        kind = _kind(place[1])
                        loader = (
                            "select_related"
                            if kind == "OneToOneField"
                            else _loader(LAZY_MANY if kind in _MAPPED else _MANY)
                        )
                        back = "" if kind in {_MANY, BETWEEN} else field
                        return Relation(source, owner, kind != "OneToOneField", place, loader, back)
        return None

    def declared(self, model: Place) -> frozenset[str]:
        """The relations that a model, and what it inherits from, declare as fields of a table."""
        return frozenset(
            name
            for ancestor in self.line(model)
            for name, places in self._own.get(ancestor[1].name, {}).items()
            if any(path == ancestor[0] and _kind(fact) not in {_GENERIC, _GENERIC_MANY} for path, fact in places)
        )

    def joined(self, model: Place, columns: Iterable[str] = (), depth: int = 2) -> frozenset[str]:
        """The foreign keys that hold a row each time, and those behind them: what `select_related()` without a name
        loads. Given the columns of a list of the admin, only where one of them is a foreign key."""
        found: set[str] = set()
        known = {name: relation for name in self.declared(model) if (relation := self.behind(model, name)) is not None}
        keys = {name: relation for name, relation in known.items() if relation.loader == "select_related"}
        if columns and not keys.keys() & set(columns):
            return frozenset()
        for name, relation in keys.items():
            if not self._project.has(_NULLABLE, relation.declared[1].name):
                found.add(name)
                if depth and relation.target is not None:
                    found |= {f"{name}__{path}" for path in self.joined(relation.target, depth=depth - 1)}
        return frozenset(found)

    def reached(self, origin: str, steps: Iterable[str], path: str) -> "tuple[Place, Relation | None] | None":
        """(the model at the end of steps from rows of a model, the last step), None where that is not certain."""
        model = self.model(origin, path)
        if model is None:
            return None
        last: Relation | None = None
        for step in filter(None, steps):
            last = self.behind(model, step)
            if last is None or last.target is None:
                return None
            model = last.target
        return model, last

    def meant(self, name: str, relation: str) -> str:
        """The one model that a variable of that name means, by its name or by a relation that no other has; "" where
        that is not certain."""
        words = name.split("_")
        for start in range(len(words)):
            for model in self._spelled.get("".join(words[start:]), ()):
                places = self._models.get(model, [])
                if (
                    self.towards(model, relation)
                    if not places
                    else len(places) == 1 and self.behind(places[0], relation)
                ):
                    return model
        owners = self._owners.get(relation, set())
        return next(iter(owners)) if len(owners) == 1 else ""

    def towards(self, name: str, relation: str) -> tuple[str, str] | None:
        """(model, its field) behind a relation of a model that the project does not define: `user.orders`."""
        for path, fact in self._towards.get(name, []) if name not in self._models else []:
            owner, _, field = fact.name.partition(".")
            if _reverse_name(fact) == relation and self.model(owner, path) is not None:
                return owner, field
        return None

    def unseen_behind(self, origin: str, steps: list[str], path: str) -> str:
        """The model at the end of steps that the project does not define, "" for all else."""
        reached = self.reached(origin, steps[:-1], path)
        last = self.behind(reached[0], steps[-1]) if reached is not None and steps[-1] else None
        return last.to if last is not None and last.target is None and last.back == "" else ""

    def only_towards(self, dotted: str, steps: str) -> bool:
        """True for steps from a model of others, as Django's users, that begin with a relation of the project's own."""
        return bool(steps) and self.towards(dotted.rpartition(".")[2], steps.partition("/")[0]) is not None

    @cached_property
    def _spelled(self) -> dict[str, list[str]]:
        """The models as variables of them are spelled."""
        found: dict[str, list[str]] = {}
        for model in self._models.keys() | self._towards.keys():
            found.setdefault(model.lower(), []).append(model)
        return found

    @cached_property
    def _owners(self) -> dict[str, set[str]]:
        """The models that have a relation of a name, of their own or towards them."""
        found: dict[str, set[str]] = {}
        for owner, fields in self._own.items():
            for name in fields:
                found.setdefault(name, set()).add(owner)
        for target, places in self._towards.items():
            for _, fact in places:
                found.setdefault(_reverse_name(fact), set()).add(target)
        return found

    def out_of_sight(self, dotted: str) -> bool:
        """True for a model of the project's own whose module is not among the files: a part of a project is checked."""
        module, _, name = dotted.rpartition(".")
        if name in self._models or "model" not in module:
            return False
        if module not in self._unseen:
            places = [f".{module_name(report.path)}." for report in self._project.reports]
            head = module.partition(".")[0]
            own = any(f".{head}." in place for place in places)
            self._unseen[module] = own and not any(f".{module}." in place for place in places)
        return self._unseen[module]

    def turns_back(self, origin: str, steps: Iterable[str], path: str) -> bool:
        """True where steps go to rows of a row and back to it: in `for book in publisher.books.all()`,
        `book.publisher` is the one publisher, and what is read of it is read once."""
        model, back = self.model(origin, path), ""
        for step in filter(None, steps):
            found = self.behind(model, step) if model is not None else None
            if found is None:
                return False
            if back == step:
                return True
            model, back = found.target, found.back
        return False

    @cached_property
    def managers(self) -> frozenset[str]:
        """The names of managers on rows: those of the other side, and of many to many."""
        sides = {_reverse_name(place[1]) for places in self._towards.values() for place in places}
        many = {
            name
            for fields in self._own.values()
            for name, places in fields.items()
            if any(_kind(place[1]) in {_MANY, _GENERIC_MANY} for place in places)
        }
        return frozenset(sides | many)

    def leaves_order(self, model: Place, manager: str, methods: Iterable[str]) -> bool:
        """True where the project shows of each of the methods of a manager that it never orders."""
        line = self.line(model)
        found = [does(method, line, manager, self._project) for method in methods]
        return all(said is not None and "orders" not in said for said in found)

    def loads(self, model: Place, manager: str, methods: Iterable[str]) -> frozenset[str] | None:
        """The relations that a manager loads on its own and by its methods; None where the project does not show all
        that they do."""
        line = self.line(model)
        found = set(loads_itself(line, manager, self._project))
        for method in methods:
            said = does(method, line, manager, self._project)
            if said is None or "loads" in said:
                return None
            found |= {word.removeprefix("loads=") for word in said if word.startswith("loads=")}
        return frozenset(found)

    def narrows(self, model: Place, manager: str, methods: Iterable[str]) -> bool:
        """True where the project shows of each of the methods of a manager that it answers rows of the manager."""
        line = self.line(model)
        return all(does(method, line, manager, self._project) is not None for method in methods)

    def line(self, model: Place) -> list[Place]:
        """A model and what it inherits from, nearest first."""
        found, queue = [], [model]
        while queue:
            place = queue.pop(0)
            if place in found:
                continue
            found.append(place)
            for base in place[1].detail.split():
                above = self.model(base, place[0])
                if above is not None:
                    queue.append(above)
        return found


def _loader(kind: str) -> str:
    if kind in _MAPPED:
        return "" if kind == EAGER else "selectinload"
    return "prefetch_related" if kind in _MANIES else "select_related"


def _kind(fact: Fact) -> str:
    return fact.detail.partition(" ")[0]


def _to(fact: Fact) -> str:
    return fact.detail.split(" ")[1]


def _reverse_name(fact: Fact) -> str:
    kind, _, related = [*fact.detail.split(" "), ""][:3]
    owner = fact.name.partition(".")[0].lower()
    if related:
        return related.replace("%(class)s", owner)
    return owner if kind == "OneToOneField" else f"{owner}_set"


def relations_of(project: Project) -> Relations:
    """The relations of a project, built once a verdict."""
    known = project.memo.get("relations")
    if not isinstance(known, Relations):
        known = project.memo["relations"] = Relations(project)
    return known


OBSERVERS: tuple[Observer, ...] = (
    Observer(
        "relations",
        (
            Watch((ast.ClassDef,), _on_class, (b"ForeignKey", b"OneToOneField", b"ManyToManyField", b"ParentalKey",
                                               b"relationship(", b"Relationship("), outside_tests),
            Watch((ast.ClassDef,), _on_mapped, (b"__tablename__", b"table=True", b"relationship(", b"db.Column"),
                  outside_tests),
        ),
    ),
)  # fmt: skip
"""Kinds: relation (detail: kind, related model, related name), nullable (a foreign key),
mapped (a class of SQLAlchemy's, detail: bases)."""

"""Rows that functions and methods of other files answer: selectors, repositories, services."""

import ast
import sys

from skills.gates.django.row_values import NOWHERE, ORDERED, OWN, Fields, Rows, Value, below
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name, module_name
from skills.gates.engine.roles import is_product_path
from skills.gates.project import Place, Project
from skills.gates.rule import Watch

ANSWERS = "answers-rows"
_HOPS = 3
CLASS = "answers-class"
_ENDINGS = ("Repository", "Repo", "CRUD", "Crud", "CRUDBase", "DAO", "Service")
_MODEL = frozenset({"model", "_model", "model_class"})
Needs = tuple[tuple[str, str], ...]
_LIBRARIES = frozenset(
    {"django", "rest_framework", "sqlalchemy", "sqlmodel", "fastapi", "starlette", "pydantic", "celery", "requests",
     "httpx", "aiohttp", "numpy", "pandas", "pytest", "graphene", "strawberry", "flask", "attr", "attrs", "tqdm"}
)  # fmt: skip


def elsewhere(dotted: str | None, line: int) -> Rows | None:
    """What a call of a function, or of a class, of another file of the project answers: rows, if the project shows
    it."""
    root, dot, _ = (dotted or "").partition(".")
    if not dot or root in _LIBRARIES or root in sys.stdlib_module_names:
        return None
    return Rows(f"{NOWHERE}{dotted}", line=line, sure=False)


def is_elsewhere(value: Value) -> bool:
    """True for what a function of another file answers."""
    return isinstance(value, Rows) and value.origin.startswith(NOWHERE)


def of_object(rows: Rows, method: str) -> Rows | None:
    """What a method of an object of a class of another file answers; None where the rows are no such object."""
    made = is_elsewhere(rows) and not rows.steps and not rows.through and not rows.loaded
    if not made or not rows.origin.rpartition(".")[2][:1].isupper():
        return None
    return Rows(f"{rows.origin}.{method}", line=rows.line, sure=False)


def note(context: FileContext, symbols: list[str], line: int, value: Value) -> None:
    """A fact: the rows that a function of the file answers, by their keys where it answers a dict of them."""
    if isinstance(value, Fields):
        for key, rows in value.held:
            note(context, [*symbols[:-1], f"{symbols[-1]}[{key}]"], line, rows)
    if not isinstance(value, Rows) or not value.origin or len(symbols) > 2:
        return
    origin = value.origin
    if "." not in origin:
        origin = f"{module_name(context.path)}.{origin}"
    parts = (origin, value.manager, "/".join(value.steps), ",".join(sorted(value.loaded)), ",".join(value.through))
    context.fact(ANSWERS, ".".join(symbols), " ".join(part or "-" for part in parts), line)


def _on_class(node: ast.ClassDef, context: FileContext) -> None:
    """Facts of a class that says of which model its rows are: by an attribute, or by what its base is made for."""
    given = [part.value for part in node.body if isinstance(part, ast.Assign) and last_name(part.targets[0]) in _MODEL]
    for base in node.bases:
        if isinstance(base, ast.Subscript):
            given.append(base.slice.elts[0] if isinstance(base.slice, ast.Tuple) and base.slice.elts else base.slice)
    model = next((name for name in map(context.resolve, given) if name and name.rpartition(".")[2][:1].isupper()), "")
    bases = [last_name(base) for base in node.bases]
    if model or any(name.endswith(_ENDINGS) for name in bases):
        context.fact(CLASS, node.name, " ".join([model or "-", *filter(None, bases)]), node.lineno)


def resolved(needs: Needs, project: Project) -> Needs | None:
    """What a candidate needs, with the rows that a function of another file answers in place of the function's name;
    None where the project does not show them."""
    for _ in range(_HOPS):
        said = dict(needs)
        origin, through = said.get("origin", ""), [value for kind, value in needs if kind == "through"]
        of_class = bool(through) and through[0].endswith("()") and said.get("manager") == "objects"
        if not origin.startswith(NOWHERE) and not of_class:
            return needs
        name = f"{origin}.{through[0][:-2]}" if of_class else origin.removeprefix(NOWHERE)
        answer = _answer(name, project)
        if answer is None:
            return needs if of_class else None
        needs = _replaced(needs, answer, through[0] if of_class else "")
    return None


def unordered(dotted: str, project: Project) -> Needs | None:
    """The model, the manager and the methods passed of the rows of Django's that a function answers without an order of
    their own; None for all others."""
    origin, manager, steps, loaded, through = (_answer(dotted, project) or "- - - - -").split(" ")
    names = loaded.split(",")
    if origin == "-" or steps != "-" or ORDERED in names or manager in {"-", "select", "query"}:
        return None
    passed = tuple(("through", name) for name in through.split(",") if name != "-")
    return (("model", origin), ("manager", manager), *passed)


def _answer(name: str, project: Project) -> str | None:
    """What a function or method answers, with the model of its class where it asks for rows of `self.model`."""
    place = _answering(name, project)
    answer, model = (place[1].detail, "") if place is not None else _inherited(name, project) or ("", "")
    first, space, rest = answer.partition(" ")
    if first.startswith(OWN) and not model:  # the class of the method itself says it
        owners = project.named(CLASS, name.rpartition(".")[0].rpartition(".")[2])
        named = {fact.detail.partition(" ")[0] for path, fact in owners if place is not None and path == place[0]}
        model = named.pop() if len(named) == 1 and "-" not in named else ""
    if first.startswith(OWN):
        return f"{model}{space}{rest}" if model else None
    return answer or None


def _replaced(needs: Needs, answer: str, method: str) -> Needs:
    """The needs with an answer as the rows that its loop is over; `method` of their class is passed with it."""
    origin, manager, way, loaded, through = ("" if part == "-" else part for part in answer.split(" "))
    steps = dict(needs).get("steps", "")
    behind = frozenset(filter(None, loaded.split(",")))
    for step in filter(None, steps.split("/")):
        behind = below(behind, step)
    own = {"origin": origin, "manager": manager}
    left = [need for need in needs if need[0] != "steps" and need != ("through", method)]
    return (
        *((kind, own.get(kind, value)) for kind, value in left),
        ("steps", "/".join(filter(None, (way, steps)))),
        ("answered", ""),
        *(("loaded", name) for name in sorted(behind)),
        *(("through", name) for name in filter(None, through.split(","))),
    )


def _inherited(dotted: str, project: Project) -> tuple[str, str] | None:
    """(what a method of a class above answers, its model there) for `Boats.all` of `class Boats(Repository[Boat])`."""
    owner, _, method = dotted.rpartition(".")
    model, queue, seen = "", [owner.rpartition(".")[2]], set[str]()
    while queue:
        name = queue.pop(0)
        places = project.named(CLASS, name) if name not in seen else []
        seen.add(name)
        for _, fact in places[:1] if len(places) == 1 else ():
            named, *bases = fact.detail.split(" ")
            model = model or ("" if named == "-" else named)
            queue += bases
            answers = [place for base in bases for place in project.named(ANSWERS, f"{base}.{method}")]
            if len(answers) == 1:
                return answers[0][1].detail, model
    return None


def _answering(dotted: str, project: Project) -> Place | None:
    """The function or method of a dotted name, where the project has one that answers rows."""
    parts = dotted.split(".")
    for size in (1, 2):
        module = ".".join(parts[:-size])
        places = [
            place for place in project.named(ANSWERS, ".".join(parts[-size:]))
            if f".{module}." in f".{module_name(place[0])}."
        ]  # fmt: skip
        if len(places) == 1:
            return places[0]
    return None


CLASSES = Watch((ast.ClassDef,), _on_class, (b"Repositor", b"CRUD", b"Crud", b"DAO", b"Service"), is_product_path)
"""Kinds: answers-rows (name: a function, or class and method; detail: origin, manager, steps, what is loaded, methods
that were passed), answers-class (detail: its model, then its bases)."""

"""Rows that functions and methods of other files answer: selectors, repositories, services."""

import sys

from skills.gates.django.row_values import NOWHERE, Rows, Value, below
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import module_name
from skills.gates.project import Place, Project

ANSWERS = "answers-rows"
_HOPS = 3
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
    """A fact: the rows that a function of the file answers."""
    if not isinstance(value, Rows) or not value.origin or len(symbols) > 2:
        return
    origin = value.origin
    if "." not in origin:
        origin = f"{module_name(context.path)}.{origin}"
    parts = (origin, value.manager, "/".join(value.steps), ",".join(sorted(value.loaded)), ",".join(value.through))
    context.fact(ANSWERS, ".".join(symbols), " ".join(part or "-" for part in parts), line)


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
        place = _answering(name, project)
        if place is None:
            return needs if of_class else None
        needs = _replaced(needs, place[1].detail, through[0] if of_class else "")
    return None


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

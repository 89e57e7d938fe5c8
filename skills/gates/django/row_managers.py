"""Managers and querysets of a project: what their rows come with, and what their own methods do to rows."""

import ast
from collections.abc import Iterable, Iterator

from skills.gates.analysis.queries import MANAGER_WORDS, MANAGERS, chain_of, is_manager_class
from skills.gates.django.row_values import EVERYTHING
from skills.gates.engine.context import FileContext, FunctionNode, Words
from skills.gates.engine.names import is_decorated, last_name
from skills.gates.engine.roles import outside_tests
from skills.gates.engine.syntax import descendants
from skills.gates.project import Place, Project
from skills.gates.rule import Observer, Watch

LOADS = frozenset({"select_related", "prefetch_related"})
_ORDERS = frozenset({"order_by"})
_KEEPS = frozenset(
    {"all", "filter", "exclude", "annotate", "alias", "distinct", "only", "defer", "using", "get_queryset",
     "select_for_update", "none"}
)  # fmt: skip
_IMPLICIT = frozenset({"get_queryset", "get_query_set", "all", "__init__", "_clone", "_chain", "iterator", "filter"})
_LOADING, _ORDERING, _METHOD, _CLASS = "loading-manager", "ordering-manager", "rows-method", "rows-class"
_DOERS = "row-managers: doers"
_OF_MANAGERS = Words(*MANAGER_WORDS)
_NAMED = (ast.Name, ast.Attribute)
_ENDINGS = ("Manager", "QuerySet", "Queryset")


def _on_class(node: ast.ClassDef, context: FileContext) -> None:
    if not is_manager_class(node):
        return
    bases = {last_name(part) for base in node.bases for part in descendants(base) if isinstance(part, _NAMED)}
    # `return OrderQuerySet(self.model)`: the manager answers rows of that.
    bases |= {name for part in node.body if isinstance(part, FunctionNode) and part.name == "get_queryset"
              for name in _called(part)}  # fmt: skip
    context.fact(_CLASS, node.name, " ".join(sorted(base for base in bases if base.endswith(_ENDINGS))))
    doers = _doers(context)
    for method in node.body:
        if not isinstance(method, FunctionNode):
            continue
        called = _called(method)
        if method.name in _IMPLICIT:
            if called & _ORDERS or called & doers[_ORDERING]:
                context.fact(_ORDERING, node.name, "", method.lineno)
            if called & LOADS or called & doers[_LOADING]:
                names = [word.removeprefix("loads=") for word in _deeds(method) if word.startswith("loads")]
                known = not called & doers[_LOADING] - _IMPLICIT and "loads" not in names
                context.fact(_LOADING, node.name, " ".join(names) if known else EVERYTHING, method.lineno)
        elif _answers_rows(method):
            context.fact(_METHOD, f"{node.name}.{method.name}", " ".join(_deeds(method)), method.lineno)


def _on_model(node: ast.ClassDef, context: FileContext) -> None:
    """Methods of a model's class that answer rows of it: `Order.late()` with `return cls.objects.filter(…)`."""
    for method in node.body:
        if not isinstance(method, FunctionNode) or not context.mentions(_OF_MANAGERS, method):
            continue
        if is_decorated(method, {"classmethod", "staticmethod"}):
            returned = [part.value for part in descendants(method) if isinstance(part, ast.Return)]
            if returned and all(isinstance(value, ast.Call) and _asks_own(value, node.name) for value in returned):
                context.fact(_METHOD, f"{node.name}.{method.name}()", " ".join(_deeds(method)), method.lineno)


def _asks_own(value: ast.Call, model: str) -> bool:
    chain = chain_of(value)
    return chain.manager in MANAGERS and last_name(chain.root) in {"cls", model}


def _doers(context: FileContext) -> dict[str, set[str]]:
    """The methods of the file's managers that load relations, and those that order: others may call them."""
    known = context.memo.get(_DOERS)
    if isinstance(known, dict):
        return known
    found: dict[str, set[str]] = {_LOADING: set(), _ORDERING: set()}
    for owner in context.tree.body:
        if isinstance(owner, ast.ClassDef) and is_manager_class(owner):
            for method in owner.body:
                for kind, words in ((_LOADING, LOADS), (_ORDERING, _ORDERS)):
                    if isinstance(method, FunctionNode) and _called(method) & words:
                        found[kind].add(method.name)
    context.memo[_DOERS] = found
    return found


def _called(method: FunctionNode) -> set[str]:
    """The last names of what a method calls."""
    return {last_name(part.func) for part in descendants(method) if isinstance(part, ast.Call)}


def _answers_rows(method: FunctionNode) -> bool:
    """True for a method that only narrows, loads or orders its own rows: `return self.filter(…)`."""
    returned = [part.value for part in descendants(method) if isinstance(part, ast.Return)]
    return bool(returned) and all(isinstance(value, ast.Call) and _narrows_itself(value) for value in returned)


def _narrows_itself(value: ast.Call) -> bool:
    return last_name(chain_of(value).root) in {"self", "super"}


def _deeds(method: FunctionNode) -> list[str]:
    """What a method does to its rows: "orders", "loads=lines" ("loads" alone where it does not say what), and
    "via=paid" for each other method that its answer passes."""
    found: dict[str, None] = {}
    for part in descendants(method):
        if isinstance(part, ast.Call) and (name := last_name(part.func)) in LOADS:
            found.update(dict.fromkeys(_loaded(part)))
        elif isinstance(part, ast.Call) and name in _ORDERS:
            found["orders"] = None
        elif isinstance(part, ast.Return) and isinstance(part.value, ast.Call):
            passed = (name for name, _ in chain_of(part.value).calls if name not in _KEEPS | LOADS | _ORDERS)
            found.update(dict.fromkeys(f"via={name}" for name in passed))
    return list(found)


def _loaded(call: ast.Call) -> Iterator[str]:
    """The relations that a call of `select_related` or `prefetch_related` names."""
    if call.keywords or not call.args:
        yield "loads"
    for part in call.args:
        nested = isinstance(part, ast.Call) and last_name(part.func) == "Prefetch" and part.args
        named = part.args[0] if nested and isinstance(part, ast.Call) else part
        if not isinstance(named, ast.Constant) or not isinstance(named.value, str):
            yield "loads"
        else:
            yield f"loads={named.value}"
            if nested:
                yield f"loads={named.value}__{EVERYTHING}"  # its queryset may load more


def has_manager(model: Place, manager: str, project: Project) -> bool:
    """True where a model declares a manager of that name."""
    named = f"{model[1].name}.{manager}"
    return project.has("manager", named) or project.has("class-value", named)


def orders_itself(models: Iterable[Place], manager: str, project: Project) -> bool:
    """True where a manager of one of the models (a model and what it inherits from) orders without being asked."""
    return any(project.has(_ORDERING, name) for name in _classes(models, manager, project))


def loads_itself(models: Iterable[Place], manager: str, project: Project) -> frozenset[str]:
    """The relations that a manager of the models loads without being asked, `EVERYTHING` where nobody can tell."""
    names = _classes(models, manager, project)
    return frozenset(
        word for name in names for _, fact in project.named(_LOADING, name) for word in fact.detail.split()
    )


def does(method: str, models: Iterable[Place], manager: str, project: Project) -> frozenset[str] | None:
    """What a method of a manager does to its rows beyond narrowing them: "orders", "loads=lines", and "loads" where it
    does not say what; None where the project does not say."""
    line = list(models)
    names = [*_classes(line, manager, project), *(model.name for _, model in line if method.endswith("()"))]
    found: set[str] = set()
    queue, seen = [method], {method}
    while queue:
        method = queue.pop()
        said = [fact.detail for name in names for _, fact in project.named(_METHOD, f"{name}.{method}")]
        if not said:
            return None
        for word in " ".join(said).split():
            if not word.startswith("via="):
                found.add(word)
            elif (passed := word.removeprefix("via=")) not in seen:
                seen.add(passed)
                queue.append(passed)
    return frozenset(found)


def _classes(models: Iterable[Place], manager: str, project: Project) -> Iterator[str]:
    """The classes behind a manager of a model, with what they are built on."""
    for _, model in models:
        named = f"{model.name}.{manager}"
        places = [*project.named("manager", named), *project.named("class-value", named)]
        queue = [word for _, fact in places for word in fact.detail.split()]
        seen: set[str] = set()
        while queue:
            name = queue.pop()
            if name not in seen:
                seen.add(name)
                yield name
                queue += [word for _, fact in project.named(_CLASS, name) for word in fact.detail.split()]


OBSERVERS: tuple[Observer, ...] = (
    Observer(
        "row-managers",
        (
            Watch((ast.ClassDef,), _on_class, (b"Manager", b"QuerySet", b"Queryset"), outside_tests),
            Watch((ast.ClassDef,), _on_model, (b"@classmethod", b"@staticmethod"), outside_tests),
        ),
    ),
)
"""Kinds: loading-manager (a class, detail: what it loads), ordering-manager (a class),
rows-method (name: class and method, the latter with () where a model's class has it, detail: what it does),
rows-class (detail: bases)."""

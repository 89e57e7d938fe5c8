"""What `select_related` and `prefetch_related` load with rows, and what a `Prefetch` does."""

import ast
from collections.abc import Iterable
from dataclasses import replace

from skills.gates.analysis.queries import chain_of
from skills.gates.django.row_managers import LOADS
from skills.gates.django.row_run import Run
from skills.gates.django.row_values import EVERYTHING, LEFT_OUT, ONLY, Loading, Names, Row, Rows
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import is_singleton
from skills.gates.project import Project
from skills.gates.rule import Watch

_ANYWHERE, _ANY = "loaded-anywhere", "?"
_LOADERS = frozenset(
    {"select_related", "prefetch_related", "Prefetch", "prefetch_related_objects", "joinedload", "selectinload",
     "subqueryload", "contains_eager", "immediateload"}
)  # fmt: skip


def load_later(flow: Run, node: ast.Call, names: Names) -> None:
    """`prefetch_related_objects(orders, "lines")` loads behind rows that are there already."""
    first = node.args[0] if node.args else None
    loaded = _lookups(flow, node.args[1:], names) or frozenset({EVERYTHING})
    for part in first.elts if isinstance(first, (ast.List, ast.Tuple)) else [first]:
        rows = names.get(part.id) if isinstance(part, ast.Name) else None
        if isinstance(part, ast.Name) and isinstance(rows, Rows | Row):
            names[part.id] = replace(rows, loaded=rows.loaded | loaded)


def loaded(flow: Run, rows: Rows, node: ast.Call, names: Names) -> Rows:
    """The rows with what `select_related(…)` or `prefetch_related(…)` loads behind them."""
    if node.args and is_singleton(node.args[0], None):  # forgets what was loaded, of the one kind or of the other
        return rows if rows.loaded == frozenset({EVERYTHING}) else replace(rows, loaded=frozenset())
    if last_name(node.func) == "select_related" and not node.args:
        return rows.with_loaded(frozenset({EVERYTHING}))
    if node.keywords:
        return rows.with_loaded(frozenset({EVERYTHING}))
    lookups = _lookups(flow, node.args, names)
    return rows.with_loaded(lookups if lookups is not None else frozenset({EVERYTHING}))


def empty(node: ast.Call) -> frozenset[str]:
    """The relations that `filter(parent=None, team__isnull=True)` leaves nothing behind: to read them costs nothing."""
    found = set()
    for word in node.keywords if last_name(node.func) in {"filter", "complex_filter"} else ():
        value, name = getattr(word.value, "value", ...), word.arg or ""
        if (value is None and "__" not in name) or (value is True and name.endswith("__isnull")):
            found.add(name.removesuffix("__isnull").removesuffix("_id"))
    return frozenset(found)


def columns(rows: Rows, node: ast.Call) -> Rows:
    """The rows with the columns that `only(…)` keeps or `defer(…)` leaves out; those of before are forgotten where the
    call cannot be read."""
    first = last_name(node.func) == "only"
    texts = [part.value for part in node.args if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    before = {name for name in rows.loaded if name.startswith((ONLY, LEFT_OUT))}
    if first or len(texts) != len(node.args):
        rows = replace(rows, loaded=rows.loaded - before)
    if len(texts) != len(node.args):
        return rows
    return rows.with_loaded(frozenset(f"{ONLY if first else LEFT_OUT}{name}" for name in texts))


def _on_loader(node: ast.Call, context: FileContext) -> None:
    """A fact for each relation that is loaded with any rows: `Prefetch("lines")`, `joinedload(Post.author)`."""
    function = node.func
    name = function.attr if function.__class__ is ast.Attribute else getattr(function, "id", "")
    if name not in _LOADERS:
        return
    model = chain_of(node).model if name in LOADS else ""
    for part in node.args or [ast.Constant(EVERYTHING)]:
        match part:
            case ast.Constant(value=str(text)):
                first, *behind = text.split("__")
                context.fact(_ANYWHERE, model or _ANY, first)
                for step in behind:
                    context.fact(_ANYWHERE, _ANY, step)
            case ast.Attribute(value=ast.Name(id=mapped), attr=attribute):
                context.fact(_ANYWHERE, mapped, attribute)
            case ast.Name() | ast.Starred() if model:
                context.fact(_ANYWHERE, model, EVERYTHING)


def loaded_anywhere(models: Iterable[str], project: Project) -> frozenset[str]:
    """The relations that the project loads with any rows of a model, or with rows of which it does not say what they
    are."""
    return frozenset(fact.detail for name in (*models, _ANY) for _, fact in project.named(_ANYWHERE, name))


_LOAD_WORDS = (b"_related(", b"Prefetch(", b"joinedload(", b"selectinload(", b"subqueryload(", b"contains_eager(")
LOADERS = Watch((ast.Call,), _on_loader, _LOAD_WORDS, is_product_path, near=_LOAD_WORDS)
"""Kind: loaded-anywhere (a model or "?"; detail: a relation, or "*")."""


def _lookups(flow: Run, arguments: list[ast.expr], names: Names) -> frozenset[str] | None:
    """The relations that arguments of `prefetch_related` name, None where one of them cannot be read."""
    found: set[str] = set()
    for argument in arguments:
        value = flow.value(argument, names)
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            found.add(argument.value)
        elif isinstance(value, Loading):
            found |= value.names
        elif isinstance(argument, ast.Starred) and isinstance(argument.value, (ast.List, ast.Tuple)):
            inner = _lookups(flow, argument.value.elts, names)
            if inner is None:
                return None
            found |= inner
        else:
            return None
    return frozenset(found)


def prefetch(flow: Run, node: ast.Call, names: Names) -> frozenset[str] | None:
    """`Prefetch("lines", queryset=…, to_attr="…")`: the relation, and what its queryset loads behind it."""
    given = {word.arg: word.value for word in node.keywords}
    lookup = node.args[0] if node.args else given.get("lookup")
    queryset = node.args[1] if len(node.args) > 1 else given.get("queryset")
    to_attr = node.args[2] if len(node.args) > 2 else given.get("to_attr")
    if not isinstance(lookup, ast.Constant) or not isinstance(lookup.value, str):
        return None
    heads, alias = {lookup.value}, frozenset[str]()
    if isinstance(to_attr, ast.Constant) and isinstance(to_attr.value, str):
        # The relation itself stays unloaded: its rows stand under the other name alone, which says what they are.
        *way, last = lookup.value.split("__")
        heads = {"__".join([*way, to_attr.value])}
        alias = frozenset({f"{next(iter(heads))}={last}"})
    elif to_attr is not None:
        return None
    rows = flow.value(queryset, names) if queryset is not None else None
    if queryset is not None and not isinstance(rows, Rows):
        return alias | {*heads, *(f"{head}__{EVERYTHING}" for head in heads)}
    behind = rows.loaded if isinstance(rows, Rows) else frozenset()
    return alias | {*heads, *(f"{head}__{path}" for head in heads for path in behind)}

"""Queries: chains of calls on managers and querysets, read from the syntax alone."""

import ast
from collections.abc import Iterator

from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.syntax import descendants
from skills.record import record

MANAGERS = frozenset({"objects", "all_objects", "_default_manager", "_base_manager", "unscoped", "global_objects"})
MANAGER_WORDS = tuple(f".{name}".encode() for name in sorted(MANAGERS))
"""How a manager stands in the source."""
ATOMIC = frozenset({"django.db.transaction.atomic", "django.db.transaction.Atomic"})
OR_CREATE = frozenset({"get_or_create", "update_or_create", "aget_or_create", "aupdate_or_create"})
"""Methods that make a row where there is none, in a transaction of their own."""
_QUERYSET_METHODS = frozenset(
    {
        "filter", "exclude", "select_related", "prefetch_related", "annotate", "order_by", "distinct", "only",
        "defer", "select_for_update", "get_queryset", "filter_by", "alias", "using", "values", "values_list",
    }
)  # fmt: skip
_QUERYSET_NAMES = ("qs", "queryset", "query_set")


@record
class Chain:
    """`Invoice.objects.filter(…).order_by(…)` taken apart.

    `root` is what the first method is called on without its manager, `manager` the manager's name or "", and
    `calls` the (method, call) pairs, first one first.
    """

    root: ast.expr
    manager: str
    calls: tuple[tuple[str, ast.Call], ...]

    @property
    def model(self) -> str:
        """The class name before the manager, "" where it is not written there."""
        name = last_name(self.root) if self.manager and not isinstance(self.root, ast.Call) else ""
        return name if name[:1].isupper() else ""


def chain_of(call: ast.Call) -> Chain:
    """The chain that ends in `call`."""
    calls: list[tuple[str, ast.Call]] = []
    node: ast.expr = call
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        calls.append((node.func.attr, node))
        node = node.func.value
    calls.reverse()
    if isinstance(node, ast.Attribute) and (node.attr in MANAGERS or _is_manager(node)):
        return Chain(node.value, node.attr, tuple(calls))
    return Chain(node, "", tuple(calls))


def _is_manager(node: ast.Attribute) -> bool:
    """`Invoice.published`: an attribute of a class, in lower case."""
    return isinstance(node.value, ast.Name) and node.value.id[:1].isupper() and node.attr.islower()


def orm_evidence(chain: Chain, context: FileContext) -> bool:
    """True where the receiver of the chain is known to be a manager or a queryset."""
    if chain.manager in MANAGERS or any(name in _QUERYSET_METHODS for name, _ in chain.calls[:-1]):
        return True
    if chain.manager and chain.model and len(chain.calls) > 1:
        return True
    root = chain.root
    name = last_name(root).lower()
    if name.endswith(_QUERYSET_NAMES) or name.endswith("manager"):
        return True
    if isinstance(root, ast.Name) and root.id == "self":
        owner = context.class_scope
        return owner is not None and is_manager_class(owner)
    return isinstance(root, ast.Name) and root.id in queryset_names(context)


def is_manager_class(node: ast.ClassDef) -> bool:
    """True for classes that are managers or querysets by base or by name."""
    names = [node.name, *(last_name(base) for base in node.bases)]
    return any(name.endswith(("Manager", "QuerySet", "Queryset", "ManagerMixin", "QuerySetMixin")) for name in names)


def queryset_names(context: FileContext) -> frozenset[str]:
    """Names that the current function binds to queries."""
    function = context.function
    known = context.memo.setdefault("queryset-names", {})
    assert isinstance(known, dict)
    if function not in known:
        known[function] = frozenset(_bound_to_queries(function)) if function is not None else frozenset()
    names: frozenset[str] = known[function]
    return names


def _bound_to_queries(function: FunctionNode) -> Iterator[str]:
    for node in descendants(function):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            chain = chain_of(node.value)
            lazy = chain.calls and chain.calls[-1][0] in {*_QUERYSET_METHODS, "all", "none"}
            if lazy and (chain.manager in MANAGERS or any(name == "get_queryset" for name, _ in chain.calls)):
                yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def literal_keywords(call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    """(name, value) of every keyword of a call, those of unpacked dict displays included."""
    for keyword in call.keywords:
        if keyword.arg is not None:
            yield keyword.arg, keyword.value
        elif isinstance(keyword.value, ast.Dict):
            for key, value in zip(keyword.value.keys, keyword.value.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value, value


def mentioned_names(node: ast.AST) -> Iterator[str]:
    """Every name that an expression mentions: names, attributes, keywords and literal dict keys."""
    for part in descendants(node):
        if part.__class__ is ast.Name:
            yield part.id
        elif part.__class__ is ast.Attribute:
            yield part.attr
        elif isinstance(part, ast.keyword) and part.arg:
            yield part.arg
        elif isinstance(part, ast.Dict):
            yield from (key.value for key in part.keys if isinstance(key, ast.Constant) and isinstance(key.value, str))

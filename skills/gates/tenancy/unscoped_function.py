"""What a function does with its names, read once for all queries in it."""

import ast
from functools import cached_property

from skills.gates.analysis.queries import MANAGERS, chain_of, mentioned_names
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name, root_name
from skills.gates.engine.syntax import descendants

SHORTCUTS = frozenset({"get_object_or_404", "get_list_or_404", "aget_object_or_404", "aget_list_or_404"})
READS_ONE = frozenset({"get", "aget", "first", "afirst", *SHORTCUTS})
_NARROWS = frozenset({"filter", "exclude", "get", "Q"})
_GOES_ON = frozenset({"redirect", "reverse", "HttpResponseRedirect"})
_FILLS = frozenset({"append", "add", "extend", "update"})
_ONE = frozenset({"first", "last", "aget", "afirst", "create", "acreate", "latest", "earliest"})
_MEMO = "unscoped-tenant-query: functions"


def is_manager(name: str) -> bool:
    """True for `objects`, and for a manager of the project's own that is called after it, `open_objects`."""
    return name in MANAGERS or name.endswith("_objects")


def uses_of(function: FunctionNode, context: FileContext) -> "Uses":
    """What one function does with its names."""
    known = context.memo.setdefault(_MEMO, {})
    assert isinstance(known, dict)
    found: Uses | None = known.get(function)
    if found is None:
        found = known[function] = Uses(function)
    return found


class Uses:
    """The calls of a function, its names with what they are bound to, and what is said of them."""

    def __init__(self, function: FunctionNode) -> None:
        self.calls: list[ast.Call] = []
        self.compares: list[ast.Compare] = []
        self.ifs: list[ast.If] = []
        self._function = function
        self._binding: list[ast.AST] = []
        for part in descendants(function):
            kind = part.__class__
            if kind is ast.Call:
                self.calls.append(part)  # type: ignore[arg-type]
            elif kind is ast.Compare:
                self.compares.append(part)  # type: ignore[arg-type]
            elif kind is ast.If:
                self.ifs.append(part)  # type: ignore[arg-type]
            elif kind in _BINDING:
                self._binding.append(part)

    @cached_property
    def bound(self) -> dict[str, list[ast.AST]]:
        """Name → what it is bound to, looped over, or filled with."""
        bound: dict[str, list[ast.AST]] = {}
        for part in self._binding:
            if isinstance(part, ast.Assign):
                targets, value = part.targets, part.value
            elif isinstance(part, (ast.AnnAssign, ast.AugAssign, ast.NamedExpr)) and part.value is not None:
                targets, value = [part.target], part.value
            elif isinstance(part, (ast.For, ast.AsyncFor, ast.comprehension)):
                targets, value = [part.target], part.iter
            else:
                continue
            for target in targets:
                for name in target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]:
                    keys = [name.slice] if isinstance(name, ast.Subscript) else []
                    if not isinstance(name, ast.Attribute):
                        bound.setdefault(root_name(name), []).extend([value, *keys])
        for call in self.calls:
            filled = call.func.value if isinstance(call.func, ast.Attribute) and call.func.attr in _FILLS else None
            if isinstance(filled, ast.Name) and call.args:
                bound.setdefault(filled.id, []).append(call.args[0])
        return bound

    @cached_property
    def looped(self) -> frozenset[str]:
        """The names that stand for one after the other."""
        loops = (part for part in self._binding if isinstance(part, (ast.For, ast.AsyncFor, ast.comprehension)))
        return frozenset(part.target.id for part in loops if isinstance(part.target, ast.Name))

    @cached_property
    def made_of(self) -> dict[str, set[str]]:
        """Name → the words of what it is bound to."""
        return {
            name: {word for value in values for word in mentioned_names(value)} for name, values in self.bound.items()
        }

    @cached_property
    def read_of(self) -> dict[str, set[str]]:
        """As `made_of`, without forms and serializers: those hold what came with the request."""
        return {
            name: {word for value in values if not _is_form(value) for word in mentioned_names(value)}
            for name, values in self.bound.items()
        }

    @cached_property
    def _derived(self) -> dict[str, set[str]]:
        """What values begin with, or are given first → the names that they are bound to."""
        derived: dict[str, set[str]] = {}
        for part in self._binding:
            if isinstance(part, ast.Assign) and isinstance(part.targets[0], (ast.Name, ast.Attribute)):
                name, value = subject_of(part.targets[0]), part.value
            elif isinstance(part, (ast.For, ast.AsyncFor, ast.comprehension)):
                name, value = subject_of(part.target), part.iter
            else:
                continue
            values = value.elts if isinstance(value, (ast.List, ast.Tuple, ast.Set)) else [value]
            if isinstance(value, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
                values = [part.iter for part in value.generators]  # `{row.pk: row for row in rows}`
            if isinstance(value, ast.Call) and last_name(value.func) in SHORTCUTS:
                values = [value, *value.args[:1]]
            for one in values:
                derived.setdefault(subject_of(one), set()).add(name)
        return derived

    def is_row(self, name: str) -> bool:
        """True for a name that is bound to one row which was read, made or asked for."""
        return any(isinstance(value, ast.Call) and _is_one_row(value) for value in self.bound.get(name, ()))

    def only_narrows(self, name: str) -> bool:
        """True for a name that only decides: it stands in tests, in what a refusal says, in the address that one is
        sent to, and in the conditions of other queries."""
        deciding: set[ast.AST] = set()
        reads: list[ast.AST] = []
        for part in descendants(self._function):
            if isinstance(part, (ast.If, ast.IfExp, ast.While, ast.Assert)):
                deciding.update(descendants(part.test))
            elif isinstance(part, ast.Raise):
                deciding.update(descendants(part))
            elif isinstance(part, ast.Call) and last_name(part.func) in _NARROWS | _GOES_ON:
                deciding.update(inner for value in (*part.args, *part.keywords) for inner in descendants(value))
            elif isinstance(part, ast.Name) and part.id == name and isinstance(part.ctx, ast.Load):
                reads.append(part)
        return deciding.issuperset(reads)

    def keeps(self, name: str) -> bool:
        """True where what a name is bound to, or is read of it, is answered or kept elsewhere: `self.row = row`."""
        names = self.derived_from(name)
        for part in descendants(self._function):
            value = part.value if isinstance(part, ast.Return) else None
            if isinstance(part, ast.Assign) and isinstance(part.targets[0], (ast.Attribute, ast.Subscript)):
                value = part.value
            if value is not None and not names.isdisjoint(mentioned_names(value)):
                return True
        return False

    def statement_of(self, call: ast.Call) -> ast.AST:
        """The assignment of what a call answers, the call itself where nothing is bound to it."""
        return next((part for part in self._binding if getattr(part, "value", None) is call), call)

    def derived_from(self, name: str) -> set[str]:
        """A name with those that are read of it: `row = get_object_or_404(rows, …)`, `project = row.project`."""
        found = {name}
        left = [name] if name else []
        while left:
            for other in self._derived.get(left.pop(), ()):
                if other not in found:
                    found.add(other)
                    left.append(other)
        return found

    @cached_property
    def said(self) -> dict[str, list[ast.Call | ast.Compare]]:
        """Name → the calls on it, the calls with it and the comparisons of it."""
        said: dict[str, list[ast.Call | ast.Compare]] = {}
        for call in self.calls:
            given = (*call.args, *(keyword.value for keyword in call.keywords))
            whole = (value for value in given if isinstance(value, (ast.Name, ast.Attribute)))
            for subject in {subject_of(call), *map(subject_of, whole)}:
                said.setdefault(subject, []).append(call)
        for compare in self.compares:
            for subject in {subject_of(compare.left), *map(subject_of, compare.comparators)}:
                said.setdefault(subject, []).append(compare)
        return said


def _is_form(value: ast.AST) -> bool:
    return isinstance(value, ast.Call) and last_name(value.func).endswith(("Form", "FormSet", "Serializer"))


def _is_one_row(call: ast.Call) -> bool:
    name = last_name(call.func)
    if name == "get":
        return is_manager(chain_of(call).manager)
    return name in _ONE or name in SHORTCUTS or name.startswith(("get_object", "_get_object"))


_BINDING = frozenset(
    {ast.Assign, ast.AnnAssign, ast.AugAssign, ast.NamedExpr, ast.For, ast.AsyncFor, ast.comprehension}
)


def subject_of(node: ast.AST) -> str:
    """What an expression begins with: "invoice" of `invoice.lines`, "self.invoice" of `self.invoice.lines`."""
    while True:
        if isinstance(node, ast.Attribute):
            if isinstance(node.value, ast.Name) and node.value.id == "self":
                return f"self.{node.attr}"
            node = node.value
        elif isinstance(node, ast.Subscript):
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        else:
            return node.id if isinstance(node, ast.Name) else ""

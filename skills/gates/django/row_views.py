"""What the methods and properties of a class answer, and the rows that views of Django's hold."""

import ast

from skills.gates.django.row_loops import picked
from skills.gates.django.row_run import Run
from skills.gates.django.row_values import Names, Row, Rows, Value
from skills.gates.engine.context import FunctionNode
from skills.gates.engine.names import is_decorated, last_name

_LIST_VIEWS = frozenset({"ListView", "BaseListView", "LoginRequiredMixin", "PermissionRequiredMixin",
                         "UserPassesTestMixin"})  # fmt: skip
_ONE_VIEWS = frozenset({"DetailView", "UpdateView", "DeleteView"})
_LISTED = frozenset({"object_list", "page_obj"})


def own_method(flow: Run, method: FunctionNode, names: Names, given: Names | None = None) -> Value:
    """What a method answers, run once for each kind of what the object holds and the method is given."""
    own = {name: value for name, value in names.items() if name.startswith("self.")}
    known = [*own.items(), *(given or {}).items()]
    key = (method, tuple(sorted((name, value) for name, value in known if value is not None)))
    if key not in flow.entered:
        flow.entered[key] = None
        outer = flow.statement
        flow.entered[key] = flow.function(method, own, given or {})
        flow.statement = outer
    return flow.entered[key]


def held_by(flow: Run, name: str, names: Names) -> Value:
    """What an attribute of the object is: `self.orders`, `self.object`, `self.object_list`."""
    own = names.get(f"self.{name}") or (shown(flow) if name == "object" else None)
    own = own or computed(flow, name, names)
    return own or (listed(flow, names) if name == "object_list" else None)


def computed(flow: Run, name: str, names: Names) -> Value:
    """What a property of the class answers: `self.orders`."""
    method = flow.method(name)
    if method is None or not is_decorated(method, {"property", "cached_property"}):
        return None
    return own_method(flow, method, names)


def shown(flow: Run) -> Row | None:
    """`self.object` of a view of one row that names its `model` and nothing else."""
    owner = flow.owner
    if owner is None or not any(last_name(base) in _ONE_VIEWS for base in owner.bases):
        return None
    if flow.method("get_object") or flow.method("get_queryset") or given_in(owner, "queryset").__class__ is ast.Call:
        return None
    name = flow.context.resolve(given_in(owner, "model"))
    return Row(name, "objects", line=owner.lineno) if name else None


def listed(flow: Run, names: Names) -> Value:
    """`self.object_list` and `context["object_list"]` of a list view of Django's."""
    owner = flow.owner
    if owner is None or not any(last_name(base).endswith("ListView") for base in owner.bases):
        return None
    method = flow.method("get_queryset")
    return own_method(flow, method, names) if method else names.get("self.queryset") or of_model(flow)


def item_of(flow: Run, node: ast.Subscript, names: Names) -> Value:
    """`orders[0]`, `by_key[key]`, `context["object_list"]`."""
    if isinstance(node.slice, ast.Constant) and node.slice.value in _LISTED:
        return listed(flow, names)
    return picked(flow, node, names)


def of_model(flow: Run) -> Rows | None:
    """The rows of a list view of Django's that names its `model` and nothing else."""
    owner = flow.owner
    if owner is None or any(last_name(base) not in _LIST_VIEWS for base in owner.bases):
        return None
    model = given_in(owner, "model")
    name = flow.context.resolve(model) if last_name(model)[:1].isupper() else None
    return Rows(name, "objects", line=model.lineno) if name else None


def given_in(node: ast.ClassDef, name: str) -> ast.expr:
    """What a class says that an attribute is; a constant where it does not."""
    for part in node.body:
        if isinstance(part, ast.Assign) and last_name(part.targets[0]) == name:
            return part.value
    return ast.Constant(None)

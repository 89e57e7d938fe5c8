"""Whether the beginning of an address is the site's own, whatever a client adds to it."""

import ast
import re

from skills.gates.analysis.local_values import said_in, values_of
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.security.request_flow import Flow

_HOST = lazy(r"^[a-z][a-z0-9+.-]*://[^/\s{%]+[/?#]|^/[^/\\]", re.I)
_OWN_PATHS = frozenset(
    {"reverse", "reverse_lazy", "url_for", "url_path_for", "get_absolute_url", "get_full_path", "get_full_path_info"}
)


def own_beginning(value: ast.expr, flow: Flow) -> bool:
    """True for `f"{site}/reset/{token}"` where the client does not say what comes before the path."""
    if isinstance(value, ast.Name):
        assigned = [part.value for part in said_in(flow.function, flow.context).assigned.get(value.id, ())]
        return bool(assigned) and all(
            _is_own_path(one)
            or (isinstance(one, ast.JoinedStr) and own_beginning(one, flow))
            or (flow.origin(one) is None and not _is_open(one))
            for one in assigned  # of the last, what a client sends was only put behind it
        )
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "replace":
        return _is_own_path(value.func.value) or own_beginning(value.func.value, flow)
    if not isinstance(value, ast.JoinedStr) or len(value.values) < 2:
        return False
    first, then = value.values[:2]
    path = isinstance(then, ast.Constant) and str(then.value).startswith(("/", "?", "#"))
    return path and isinstance(first, ast.FormattedValue) and flow.origin(first.value) is None


def _is_open(value: ast.expr) -> bool:
    """True for `"https://"` and `""`: the host is what comes behind it."""
    return isinstance(value, ast.Constant) and isinstance(value.value, str) and not _HOST.match(value.value + "/")


def _is_own_path(value: ast.expr) -> bool:
    """True for `reverse("shop")`, and for `request.get_full_path()` and what is made of it."""
    while (
        isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and isinstance(value.func.value, ast.Call)
    ):
        value = value.func.value
    return isinstance(value, ast.Call) and last_name(value.func) in _OWN_PATHS


def fixed_host(value: ast.expr, context: FileContext) -> bool:
    """True where the beginning of an address is written in the source, host included."""
    if isinstance(value, ast.Name):
        made = [bound for bound in values_of(value.id, context) if bound is not None]
        built = all(isinstance(bound, (ast.JoinedStr, ast.BinOp, ast.Call)) for bound in made)
        return bool(made) and built and all(fixed_host(bound, context) for bound in made)
    while isinstance(value, ast.BinOp):
        value = value.left
    if isinstance(value, ast.Call) and last_name(value.func) in _OWN_PATHS:
        return True
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "format":
        value = value.func.value
    if isinstance(value, ast.JoinedStr) and value.values:
        value = value.values[0]
        if isinstance(value, ast.FormattedValue):
            value = value.value
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return bool(_HOST.match(value.value))
    # A constant by its name; `request.GET["next"]` is none, though `GET` is written like one.
    constant = isinstance(value, (ast.Name, ast.Attribute)) and last_name(value).isupper()
    return constant or "settings" in ast.unparse(value)


def begins_here(value: ast.expr) -> bool:
    """True for an address that begins with one of the site's own: `reverse("orders") + "#" + name`."""
    first: ast.expr | None = value
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mod):
        filled = value.right.elts[0] if isinstance(value.right, ast.Tuple) and value.right.elts else value.right
        starts = isinstance(value.left, ast.Constant) and str(value.left.value).startswith("%s")
        first = filled if starts else None
    elif isinstance(value, ast.BinOp):
        first = value.left
    elif isinstance(value, ast.JoinedStr) and isinstance(value.values[0], ast.FormattedValue):
        first = value.values[0].value
    return isinstance(first, ast.Call) and last_name(first.func) in {"reverse", "get_absolute_url", "url_for"}

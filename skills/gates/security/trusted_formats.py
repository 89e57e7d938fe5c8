"""Texts that are filled in: which calls do that, and where what they are given cannot hold a tag."""

import ast
import re

from skills.gates.analysis.local_values import own_nodes
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name

_ESCAPERS = frozenset({"escape", "conditional_escape", "force_escape"})


def is_format(value: ast.expr) -> bool:
    """True for `pattern.format(…)` and `text.replace(…)`."""
    return (
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Attribute)
        and value.func.attr in {"format", "replace"}
    )


def takes_numbers(pattern: str) -> bool:
    """True for `"<b>{:d}</b>"`, of which every place fails for a text."""
    places = re.findall(r"\{[^{}]*\}", pattern.replace("{{", "").replace("}}", ""))
    return bool(places) and all(re.search(r":[^}]*[bcdeEfFgGnoxX%]\}$", place) for place in places)


def is_escaped_in_place(value: ast.expr, context: FileContext) -> bool:
    """True for `*args` and `**names` of which the function escapes each one before: `names[key] = escape(value)`."""
    name = last_name(value.value if isinstance(value, ast.Starred) else value)
    for part in own_nodes(context.function or context.tree, context):
        if not isinstance(part, ast.Assign) or not isinstance(part.value, (ast.Call, ast.ListComp)):
            continue
        target = part.targets[0]
        kept = target.value if isinstance(target, ast.Subscript) else target
        made = part.value.elt if isinstance(part.value, ast.ListComp) else part.value
        if last_name(kept) == name and isinstance(made, ast.Call) and last_name(made.func) in _ESCAPERS:
            return True
    return False

"""What the text of functions says, where rows are followed through them."""

import ast

from skills.gates.django.row_values import Names
from skills.gates.engine.context import FunctionNode
from skills.gates.engine.names import last_name


def calls(source: str, name: str) -> bool:
    """Whether a call of that name stands in a source, by its text, which is much faster than a walk."""
    at = source.find(f"{name}(")
    while at >= 0:
        before = source[max(0, at - 4) : at]
        if before != "def " and not (before[-1:].isalnum() or before[-1:] == "_"):
            return True
        at = source.find(f"{name}(", at + 1)
    return False


def left_out(node: FunctionNode, given: Names) -> list[str]:
    """The parameters that may be left out, are None then, and are left out."""
    plain = [*node.args.posonlyargs, *node.args.args]
    pairs = [*zip(plain[len(plain) - len(node.args.defaults) :], node.args.defaults, strict=True),
             *zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)]  # fmt: skip
    return [
        argument.arg
        for argument, default in pairs
        if isinstance(default, ast.Constant) and default.value is None and given.get(argument.arg) is None
    ]


def counts(source: ast.expr) -> bool:
    """True for `range(len(orders))`."""
    if not isinstance(source, ast.Call) or last_name(source.func) != "range" or len(source.args) != 1:
        return False
    return isinstance(source.args[0], ast.Call) and last_name(source.args[0].func) == "len"

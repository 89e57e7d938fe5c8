"""`-> None` for functions that provably return nothing."""

import ast

import libcst as cst

from skills.gates.fixes.document import Document
from skills.gates.fixes.model import CannotFix, FixExample
from skills.gates.fixes.preconditions import why_not_none
from skills.gates.model import Finding


def fix_missing_type_hints(document: Document, finding: Finding) -> None:
    """Declare the return where nothing else is missing."""
    node = document.at(finding, cst.FunctionDef)
    if "for parameter" in finding.message:
        raise CannotFix("only a person can say the types of its parameters")
    found = _same(document.tree, finding.line, node.name.value)
    if found is None:
        raise CannotFix("its place was not found in the file")
    function, is_method = found
    why = why_not_none(function, is_method)
    if why is not None:
        raise CannotFix(why)
    document.change(node, lambda now: now.with_changes(returns=cst.Annotation(cst.Name("None"))))


def _same(tree: ast.Module, line: int, name: str) -> tuple[ast.FunctionDef | ast.AsyncFunctionDef, bool] | None:
    """The function on a line, and whether it is a method."""
    for above in ast.walk(tree):
        for node in ast.iter_child_nodes(above):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and (node.lineno, node.name) == (line, name):
                return node, isinstance(above, ast.ClassDef)
    return None


_RULE = "missing-type-hints"
EXAMPLES: tuple[FixExample, ...] = (
    FixExample(
        _RULE,
        "def ship(order: Order):  # by hand\n    order.send()\n",
        "def ship(order: Order) -> None:  # by hand\n    order.send()\n",
    ),
    FixExample(
        _RULE,
        "class Cart:\n\tasync def drop(\n\t\tself,\n\t\tkey: str,\n\t):\n\t\tif not key:\n\t\t\treturn\n"
        "\t\tfind = lambda: (yield)\n\t\tawait self.remove(key)\n",
        "class Cart:\n\tasync def drop(\n\t\tself,\n\t\tkey: str,\n\t) -> None:\n\t\tif not key:\n\t\t\treturn\n"
        "\t\tfind = lambda: (yield)\n\t\tawait self.remove(key)\n",
    ),
    FixExample(_RULE, "def total(order: Order):\n    return order.total\n", reason="returns a value"),
    FixExample(_RULE, "def total(order):\n    print(order)\n", reason="only a person"),
    FixExample(_RULE, "def each(n: int):\n    for k in range(n):\n        yield k\n", reason="generator"),
    FixExample(_RULE, "class Hook:\n    def on_save(self):\n        pass\n", reason="overridden"),
    FixExample(_RULE, "class Hook:\n    def owner(self):\n        return None\n", reason="overridden"),
    FixExample(_RULE, "def stop():\n    raise SystemExit(1)\n", reason="never returns"),
)

"""A test as parts in a row: its statements, with the `with` and the `try` that lead to its act taken apart."""

import ast
import re

from skills.gates.engine.context import FileContext, Words
from skills.gates.engine.patterns import lazy
from skills.gates.engine.syntax import SCOPES
from skills.gates.testing.acts import assigns_result, belongs_to_assertions
from skills.gates.testing.functions import WITHS, asserts, is_raising
from skills.record import record

NUMBER_SIGN = Words(b"#")
_ACT = lazy(r"#\s*(?::\s*)?act\b", re.I)


@record
class Part:
    """A statement of a test, or the header of a `with` that leads to its act, which itself asserts nothing."""

    node: ast.stmt
    first: int
    last: int
    asserts: bool = False
    header: bool = False


def parts_of(body: list[ast.stmt], context: FileContext) -> list[Part]:
    """The statements in order; a `with` that holds the act is its header and its own statements."""
    found: list[Part] = []
    for node in body:
        first = node.lineno
        if isinstance(node, WITHS) and not is_raising(node, context) and _leads_to_act(node.body, context):
            found.append(Part(node, first, header_end(node), header=True))
            found += parts_of(node.body, context)
            continue
        if isinstance(node, ast.Try) and not node.handlers and _leads_to_act(node.body, context):
            found.append(Part(node, first, first, header=True))
            found += parts_of(node.body, context)
            continue
        if node.__class__ in SCOPES and (decorators := node.decorator_list):  # type: ignore[attr-defined]
            first = decorators[0].lineno
        found.append(Part(node, first, node.end_lineno or node.lineno, asserts(node, context)))
    return found


def header_end(node: ast.With | ast.AsyncWith) -> int:
    """The last line of the header of a `with`."""
    item = node.items[-1]
    return (item.optional_vars or item.context_expr).end_lineno or node.lineno


def _leads_to_act(body: list[ast.stmt], context: FileContext) -> bool:
    if all(asserts(node, context) or belongs_to_assertions(node) for node in body):
        return False  # `with path.open() as file: assert file.read()` looks at what was done
    return any(
        is_act(node, context)
        or (isinstance(node, WITHS) and _leads_to_act(node.body, context))
        or isinstance(node, ast.Assert)
        for node in body
    )


def is_act(node: ast.stmt, context: FileContext) -> bool:
    """True for `result = …`, `with pytest.raises(…)` and a statement beside the comment `# act`."""
    named = is_raising(node, context) if isinstance(node, WITHS) else assigns_result(node)
    return named or is_marked(node, context)


def is_marked(node: ast.stmt, context: FileContext) -> bool:
    """True for a statement with the comment `# act` on its first or last line."""
    marked = commented(_ACT, context)
    return bool(marked) and (node.lineno in marked or node.end_lineno in marked)


def commented(words: re.Pattern[str], context: FileContext) -> list[int]:
    """The lines of the file, in order, whose comment says one of the words."""
    lines: list[int] | None = context.memo.get(words.pattern)  # type: ignore[assignment]
    if lines is None:
        lines = [number for number in context.lines_with(NUMBER_SIGN) if words.search(context.lines[number - 1])]
        context.memo[words.pattern] = lines
    return lines


def blank_between(above: Part, below: Part, context: FileContext) -> bool:
    """True where an empty line stands between two parts."""
    if below.first - 1 == above.last:
        return False
    between = context.lines[above.last : below.first - 1]
    return "" in between or any(not line.strip() for line in between)

"""Six measures of quality and their limits (workflow orchestrator, quality gates).

Complexity counts one for a function and one for each way to branch: if, loop, except, case, `and`, `or`, a condition in
an expression or a comprehension.
"""

import ast
from collections.abc import Iterable, Mapping

from skills.gates.engine.context import FunctionNode
from skills.workflow.process import Check

MIN_COVERAGE, MOST_DUPLICATION, MOST_COMPLEXITY, MOST_LINT, MIN_TYPED = 80.0, 5.0, 10, 0, 90.0
_WINDOW = 6
_FULL = 100.0


def complexities(tree: ast.AST) -> list[tuple[int, int, str]]:
    """(complexity, line, name) of every function; one inside another counts for itself."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, FunctionNode):
            found.append((1 + _branches(node.body), node.lineno, node.name))
    return found


def _branches(nodes: Iterable[ast.AST]) -> int:
    count = 0
    for node in nodes:
        if isinstance(node, FunctionNode | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(
            node, ast.If | ast.For | ast.AsyncFor | ast.While | ast.ExceptHandler | ast.IfExp | ast.match_case
        ):
            count += 1
        elif isinstance(node, ast.BoolOp):
            count += len(node.values) - 1
        elif isinstance(node, ast.comprehension):
            count += len(node.ifs)
        count += _branches(ast.iter_child_nodes(node))
    return count


def typed_share(trees: Iterable[ast.AST]) -> float | None:
    """The share of parameters and results of functions that have a type, in percent; None without any function."""
    typed = whole = 0
    for tree in trees:
        for node in ast.walk(tree):
            if not isinstance(node, FunctionNode):
                continue
            given = node.args
            known = [*given.posonlyargs, *given.args, *given.kwonlyargs, *filter(None, (given.vararg, given.kwarg))]
            slots = [one.annotation for one in known if one.arg not in ("self", "cls")] + [node.returns]
            whole += len(slots)
            typed += sum(1 for one in slots if one is not None)
    return typed / whole * _FULL if whole else None


def duplication(files: Mapping[str, str]) -> tuple[float | None, list[str]]:
    """(percent of lines that stand in two places, the places that have most): six lines or more that agree but for
    space; blank lines, comments and imports do not count."""
    lines = {path: _counted(text) for path, text in files.items()}
    seen: dict[tuple[str, ...], list[tuple[str, int]]] = {}
    for path, rows in lines.items():
        for start in range(len(rows) - _WINDOW + 1):
            seen.setdefault(tuple(text for _, text in rows[start : start + _WINDOW]), []).append((path, start))
    twice: dict[str, set[int]] = {}
    for places in seen.values():
        if len(places) > 1:
            for path, start in places:
                twice.setdefault(path, set()).update(range(start, start + _WINDOW))
    whole = sum(map(len, lines.values()))
    worst = sorted(twice, key=lambda path: (-len(twice[path]), path))
    named = [f"{path}:{lines[path][min(twice[path])][0]}" for path in worst[:5]]
    return (sum(map(len, twice.values())) / whole * _FULL if whole else None), named


def _counted(text: str) -> list[tuple[int, str]]:
    rows = ((number, " ".join(line.split())) for number, line in enumerate(text.splitlines(), 1))
    return [(number, row) for number, row in rows if row and not row.startswith(("#", "import ", "from "))]


def measure(name: str, title: str, value: float | None, limit: float, *, least: bool, why: str = "") -> Check:
    """A condition on a figure. One that is not known is not run, and no pass."""
    if value is None or value != value:
        return Check(name, title, "not_run", why or "not measured")
    holds = value >= limit if least else value <= limit
    shown = f"{value:.1f}".removesuffix(".0")
    sign = "≥" if least else "≤"
    return Check(
        name, title, "pass" if holds else "fail", f"{shown}, {sign} {limit:g} is asked{f': {why}' if why else ''}"
    )

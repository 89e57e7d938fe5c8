"""Lists that are built for one reader: all lines of a file that a loop goes through, a list in the statement before."""

import ast

from skills.gates.analysis.bindings import annotated_type, lookup
from skills.gates.analysis.local_values import said_in
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name, root_name
from skills.gates.engine.syntax import descendants

Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_MANY_TIMES = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda)
_FILES = frozenset({"typing.IO", "typing.TextIO", "typing.BinaryIO"})


def all_lines(over: ast.expr, after: list[ast.AST], context: FileContext) -> bool:
    """True for `file.readlines()` where it stands for the file itself: something was opened here, or is said to be a
    file, and what `after` does for each line asks nothing of it."""
    match over:
        case ast.Call(func=ast.Attribute(value=owner, attr="readlines"), args=[], keywords=[]):
            return _is_file(owner, context) and not _asked(root_name(owner), after, {*descendants(over)})
    return False


def _asked(name: str, after: list[ast.AST], own: set[ast.AST]) -> bool:
    return bool(name) and any(
        isinstance(part, ast.Name) and part.id == name and part not in own
        for node in after
        for part in descendants(node)
    )


def _is_file(node: ast.expr, context: FileContext) -> bool:
    if isinstance(node, ast.Call):
        return last_name(node.func) == "open"
    if not isinstance(node, ast.Name):
        return False
    found = lookup(context, node.id, node.lineno)
    if found is None:
        return False
    if found.kind == "typed":
        said = annotated_type(context, found.hint) or ""
        return said.startswith("io.") or said in _FILES
    return isinstance(found.value, ast.Call) and last_name(found.value.func) == "open"


def built_before(node: ast.Call, context: FileContext) -> ast.expr | None:
    """What the name in `any(name)` stands for where the statement right before binds it and nobody else reads it."""
    given, function, statement = node.args[0], context.function, context.statement
    if not isinstance(given, ast.Name) or function is None or not isinstance(statement, ast.stmt):
        return None
    last = statement.lineno - 1
    while last and (not (text := context.lines[last - 1].strip()) or text[0] == "#"):
        last -= 1
    if not last or text[-1] not in "])":  # text first: nearly every call ends here
        return None
    made = said_in(function, context).assigned.get(given.id, ())
    if len(made) != 1 or made[0].end_lineno != last or made[0].col_offset != statement.col_offset:
        return None
    names = sum(isinstance(part, ast.Name) and part.id == given.id for part in descendants(function))
    once = names == 2 and len(made[0].targets) == 1 and not isinstance(statement, ast.While)
    return made[0].value if once and not _runs_often(node, context) else None


def _runs_often(node: ast.expr, context: FileContext) -> bool:
    """True inside of a comprehension or a lambda, which may ask again and again."""
    above = context.parent(node)
    while above is not None:
        if isinstance(above, _MANY_TIMES):
            return True
        above = context.parent(above)
    return False

"""What becomes of the rows that a function makes or changes: read once a function, whatever is asked."""

import ast

from skills.gates.analysis.local_values import own_nodes, values_of
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import dotted, last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.syntax import descendants

_MEMO = "rows of a function"
_SESSION = lazy(r"session$|^db$|^s$", ast.literal_eval("2"))
_READ = lazy(r"\.query\b|(?:session|db)\.(?:get|query|scalars?|execute|merge)\(")
_CLEANS = frozenset({"full_clean", "clean_fields", "validated_save"})


class _Uses:
    """What a function does with rows. No dataclass: to define one loads `inspect`, which a short check does without."""

    def __init__(self) -> None:
        self.cleans = False  # a row checks itself before it is saved
        self.saved: set[str] = set()  # `order`, `request.user.profile`: what stands before `.save()`
        self.added: set[ast.AST | str] = set()  # what a session is given, by its name or as it is made
        self.names: dict[ast.AST, str] = {}  # value → the name that it is assigned to
        self.commits = False  # a session
        self.handed: set[str] = set()  # names that are returned, asked for something or given to a call


def _uses(context: FileContext) -> _Uses:
    known = context.memo.setdefault(_MEMO, {})
    assert isinstance(known, dict)
    scope = context.function or context.tree
    uses: _Uses | None = known.get(scope)
    if uses is None:
        uses = known[scope] = _Uses()
        for part in own_nodes(scope, context):
            _look_at(part, uses)
        for part in descendants(scope):
            if isinstance(part, ast.Call) and last_name(part.func) in {"save", "asave"}:
                uses.saved.add((dotted(part.func) or "").rpartition(".")[0])
    return uses


def _look_at(part: ast.AST, uses: _Uses) -> None:
    if isinstance(part, ast.Assign):
        uses.names[part.value] = last_name(part.targets[0])
    elif isinstance(part, ast.Return):
        uses.handed.add(part.value.id if isinstance(part.value, ast.Name) else "")
    elif isinstance(part, ast.Attribute):
        uses.cleans = uses.cleans or part.attr in _CLEANS
    elif isinstance(part, ast.Call):
        given = [*part.args, *(word.value for word in part.keywords)]
        owner = part.func.value if isinstance(part.func, ast.Attribute) else None
        uses.handed.update(one.id for one in (owner, *given) if isinstance(one, ast.Name))
        method = last_name(part.func)
        uses.commits = uses.commits or (method == "commit" and _SESSION.search(last_name(owner or part)) is not None)
        if owner is not None and method in {"add", "merge"} and _SESSION.search(last_name(owner)):
            uses.added.update(one.id if isinstance(one, ast.Name) else one for one in part.args[:1])


def is_cleaned(context: FileContext) -> bool:
    """True where the function has a row check itself before it is saved."""
    return _uses(context).cleans


def is_saved_as(owner: str, context: FileContext) -> bool:
    """True where `owner.save()` stands in the function, or in one inside it."""
    return owner in _uses(context).saved


def is_saved(node: ast.Call, context: FileContext) -> bool:
    """True for `order` of `order = Order(…)` and `order.save()` or `session.add(order)`, and for
    `session.add(Order(…))`: whatever lies elsewhere, that is a model."""
    if context.function is None:
        return False
    uses = _uses(context)
    name = uses.names.get(node)
    return node in uses.added or (name is not None and (name in uses.added or name in uses.saved))


def is_stored_as(owner: str, context: FileContext) -> bool:
    """True where a session is given the row by that name, or read it and commits what is changed of it."""
    uses = _uses(context)
    if owner in uses.added:
        return True
    read = any(value is not None and _READ.search(ast.unparse(value)) for value in values_of(owner, context))
    return read and uses.commits


def is_added(node: ast.Call, context: FileContext) -> bool:
    """True for a row that a session is given: `session.add(Order(…))`, or by its name."""
    uses = _uses(context)
    return node in uses.added or uses.names.get(node) in uses.added


def is_only_shown(node: ast.Call, context: FileContext) -> bool:
    """True for a row that gets a name, and that the function then neither saves nor hands on: a preview."""
    made = context.statement
    if not isinstance(made, ast.Assign) or made.value is not node or not isinstance(made.targets[0], ast.Name):
        return False
    return made.targets[0].id not in _uses(context).handed

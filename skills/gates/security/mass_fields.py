"""All fields of a request in one: where a dict or a loop of them becomes a row, and who decides its keys."""

import ast
import re

from skills.gates.analysis.local_values import own_nodes, values_of
from skills.gates.analysis.queries import OR_CREATE
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.syntax import descendants
from skills.gates.security.request_data import Origin
from skills.gates.security.request_flow import Flow
from skills.gates.security.row_uses import is_saved

_ROWS = lazy(r"objects|manager|query|\bqs\b|\bqset\b|filter\(|all\(|_set\b", re.I)
ASKS = frozenset({"filter", "get", "exclude", "filter_by"})
_MASS_METHODS = frozenset(
    {"create", "update", "get_or_create", "update_or_create", "acreate", "aupdate", "filter", "get", "exclude",
     "aget_or_create", "aupdate_or_create", "filter_by", "values", "insert", "create_user"}
)  # fmt: skip
_MODEL_OF = lazy(r"^(?:\w+_)?model(?:_class|_cls)?$")  # `self.model(**fields)`, `cls.order_model(**fields)`
_VALIDATES = ("Form", "Serializer", "Schema", "Input", "Request", "Validator", "DTO", "Params", "Payload", "Filter")


def fields_given(node: ast.Call, flow: Flow, context: FileContext) -> tuple[Origin, tuple[tuple[str, str], ...]] | None:
    """A model that is made or changed from all of a request's fields."""
    name = last_name(node.func)
    stars = [keyword.value for keyword in node.keywords if keyword.arg is None]
    if name == "setattr" and len(node.args) == 3 and isinstance(node.func, ast.Name):
        origin = flow.origin(node.args[1])
        return (origin, ()) if origin is not None and origin.kind == "body" else None
    if isinstance(node.func, ast.Attribute) and _takes_fields(name, node.func.value):
        stars += node.args
    if name in OR_CREATE:
        stars += [word.value for word in node.keywords if word.arg in {"defaults", "create_defaults"}]
    for star in stars:
        origin = flow.origin(star)
        if origin is None or origin.kind != "body" or _has_own_keys(star, flow, context):
            continue
        if isinstance(node.func, ast.Attribute) and name in _MASS_METHODS:
            return None if name in ASKS and not _ROWS.search(ast.unparse(node.func.value)) else (origin, ())
        if _MODEL_OF.search(name):
            return origin, ()
        if name[:1].isupper() and not name.endswith(_VALIDATES):
            known = _is_user_model(node.func, context) or is_saved(node, context)
            return origin, () if known else (("model", name),)
    return None


def _takes_fields(name: str, owner: ast.expr) -> bool:
    """True for methods whose one argument is a dict of fields: `row.__dict__.update(…)`, `vars(row).update(…)`,
    `session.query(User).update(…)`, `update(User).values(…)`."""
    if name == "update" and last_name(owner) in {"__dict__", "vars"}:
        return True
    called = {last_name(part.func) for part in descendants(owner) if isinstance(part, ast.Call)}
    return (name == "update" and "query" in called) or (name == "values" and bool(called & {"insert", "update"}))


def _is_user_model(node: ast.expr, context: FileContext) -> bool:
    """True for the user of Django, and for a name that `get_user_model()` was given."""
    if context.resolve(node) == "django.contrib.auth.models.User":
        return True
    made = values_of(node.id, context) if isinstance(node, ast.Name) else []
    return any(isinstance(value, ast.Call) and last_name(value.func) == "get_user_model" for value in made)


def _has_own_keys(star: ast.expr, flow: Flow, context: FileContext) -> bool:
    """True for a dict whose keys the source decides, one by one or by a list of them, and for a name that is bound to
    such only."""
    if isinstance(star, ast.Name):
        values = values_of(star.id, context)
        return bool(values) and all(
            isinstance(value, (ast.Dict, ast.DictComp, ast.IfExp)) and _has_own_keys(value, flow, context)
            for value in values
        )
    if isinstance(star, ast.IfExp):
        return _has_own_keys(star.body, flow, context) and _has_own_keys(star.orelse, flow, context)
    if isinstance(star, ast.DictComp):
        picked = any(
            isinstance(part, ast.Compare) and isinstance(part.ops[0], ast.In)
            for generator in star.generators
            for test in generator.ifs
            for part in descendants(test)
        )
        return picked or flow.origin(star.key) is None
    if isinstance(star, ast.Call) and isinstance(star.func, ast.Name) and star.func.id == "dict":
        return not star.args and all(word.arg for word in star.keywords)
    followed = flow.follow(star) if isinstance(star, ast.Call) else None
    if followed is not None:
        answers = [part.value for part in own_nodes(followed.function, context) if isinstance(part, ast.Return)]
        return bool(answers) and all(isinstance(one, ast.Dict) and None not in one.keys for one in answers)
    return isinstance(star, ast.Dict) and None not in star.keys

"""The rule cors-wildcard-credentials of the skill fastapi-patterns."""

import ast

from skills.gates.analysis.local_values import own_nodes, values_of
from skills.gates.analysis.settings_modules import assigned, for_developers, may_be_deployed
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.roles import outside_tests
from skills.gates.engine.syntax import is_singleton
from skills.gates.example_files import one_file
from skills.gates.rule import Rule, Watch

CORS = "cors-wildcard-credentials"


def _is_everyone(value: ast.expr | None, context: FileContext) -> bool:
    if isinstance(value, ast.Name):
        return any(_is_everyone(bound, context) for bound in values_of(value.id, context) if bound is not None)
    if isinstance(value, (ast.List, ast.Tuple, ast.Set)):
        return any(isinstance(part, ast.Constant) and part.value in {"*", ".*"} for part in value.elts)
    return isinstance(value, ast.Constant) and value.value in {"*", ".*", "https?://.*"}


def _class_name(node: ast.expr, context: FileContext) -> str:
    """The last name of a class, whatever an import calls it."""
    return (context.resolve(node) or "").rpartition(".")[2]


def _given(node: ast.Call, context: FileContext) -> dict[str, ast.expr]:
    """The named arguments of a call, with those of a dict that is written out and passed on with `**`."""
    found: dict[str, ast.expr] = {}
    for word in node.keywords:
        if word.arg is not None:
            found[word.arg] = word.value
            continue
        bound = values_of(word.value.id, context) if isinstance(word.value, ast.Name) else [word.value]
        spread = bound[-1] if bound else None
        if isinstance(spread, ast.Dict):
            found.update({str(key.value): value for key, value in zip(spread.keys, spread.values, strict=True)
                          if isinstance(key, ast.Constant)})  # fmt: skip
        elif isinstance(spread, ast.Call) and last_name(spread.func) == "dict":
            found.update({inner.arg: inner.value for inner in spread.keywords if inner.arg})
    return found


def _on_cors(node: ast.Call, context: FileContext) -> None:
    name = last_name(node.func)
    first = _class_name(node.args[0], context) if node.args else ""
    if isinstance(node.func, ast.Name) and name in context.imports:
        name = _class_name(node.func, context)
    given = _given(node, context)
    if name == "CORSMiddleware" or (name in {"add_middleware", "Middleware"} and first == "CORSMiddleware"):
        origins = given.get("allow_origins")
        wide = _is_everyone(origins, context) or _is_everyone(given.get("allow_origin_regex"), context)
        trusted = is_singleton(given.get("allow_credentials"), True)
    elif name in {"CORS", "cross_origin"}:
        wide = ("origins" not in given and "resources" not in given) or _is_everyone(given.get("origins"), context)
        trusted = is_singleton(given.get("supports_credentials"), True)
    else:
        return
    if wide and trusted and not _is_for_developers(node, context):
        context.report(CORS, node, "every origin may send requests with the visitor's cookies, and read the answers")


def _is_for_developers(node: ast.Call, context: FileContext) -> bool:
    """True in the block of an `if` that asks whether a developer runs the server."""
    return any(
        isinstance(part, ast.If)
        and part.body[0].lineno <= node.lineno <= (part.body[-1].end_lineno or 0)
        and for_developers(part.test)
        for part in own_nodes(context.function or context.tree, context)
    )


def _on_cors_settings(node: ast.Module, context: FileContext) -> None:
    last = {name: (value, statement) for name, value, statement in assigned(node.body)}
    credentials = last.get("CORS_ALLOW_CREDENTIALS")
    for name in ("CORS_ALLOW_ALL_ORIGINS", "CORS_ORIGIN_ALLOW_ALL"):
        if name in last and credentials and is_singleton(last[name][0], True) and is_singleton(credentials[0], True):
            context.statement = last[name][1]
            message = f"`{name}` with `CORS_ALLOW_CREDENTIALS`: every site may act as the visitor and read the answers"
            context.report(CORS, last[name][1], message, also=("insecure-settings",))
    context.statement = node


cors_wildcard_credentials = Rule(
    name=CORS,
    gate="P1",
    severity="HIGH",
    skill="fastapi-patterns",
    sources=("PB-F6",),
    catches="CORS that allows every origin and credentials at the same time (FastAPI, Starlette, Flask, Django).",
    why="Any page that a visitor opens can then send requests with the visitor's cookies and read what comes back.",
    fix="Name the origins of your own front ends, or leave credentials off.",
    when="Outside of tests, where both are written in one place.",
    watches=(
        Watch((ast.Call,), _on_cors, (b"CORS",), outside_tests, near=(b"CORS", b"cross_origin")),
        Watch((ast.Module,), _on_cors_settings, (), may_be_deployed),
    ),
    bad=one_file(
        "shop/app.py",
        'app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=True)\n',
        'origins = ["*"]\napp.add_middleware(CORSMiddleware, allow_origins=origins, allow_credentials=True)\n',
        "CORS(app, supports_credentials=True)\n",
        'if config.has_pages:\n    app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=True)\n',
        'options = {"allow_origins": ["*"], "allow_credentials": True}\n'
        "app.add_middleware(CORSMiddleware, **options)\n",
        "from fastapi.middleware.cors import CORSMiddleware as Cors\n\n"
        'app.add_middleware(Cors, allow_origins=["*"], allow_credentials=True)\n',
    )
    + one_file(
        "shop/settings.py",
        "CORS_ALLOW_ALL_ORIGINS = True\nCORS_ALLOW_CREDENTIALS = True\n",
    ),
    good=one_file(
        "shop/app.py",
        'app.add_middleware(CORSMiddleware, allow_origins=["*"])\n',
        'app.add_middleware(CORSMiddleware, allow_origins=["https://shop.example"], allow_credentials=True)\n',
        'CORS(app, supports_credentials=True, origins=["https://shop.example"])\n',
        "if config.is_development:\n"
        '    app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=True)\n',
    ),
)

RULES: tuple[Rule, ...] = (cors_wildcard_credentials,)

"""The rule insecure-settings of the skill django-security, for Django and Flask."""

import ast
from collections import Counter

from msgspec.structs import replace

from skills.gates.analysis.environment_defaults import default_by_name, default_of, names_section, with_scheme
from skills.gates.analysis.local_values import own_nodes
from skills.gates.analysis.settings_modules import (
    assigned,
    is_production_path,
    is_settings,
    is_shown_path,
    may_be_deployed,
    may_hold_settings,
    note_settings,
    refused_in_production,
    set_anywhere,
    set_in_production,
)
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import outside_tests
from skills.gates.example_files import one_file
from skills.gates.model import Candidate, FileReport
from skills.gates.project import Project
from skills.gates.rule import Example, Rule, Watch
from skills.gates.security.django_security import has_reason
from skills.gates.security.settings_values import OF_DJANGO, SETTINGS, VALIDATORS, hosts_weakness, told_by, weakness_of

INSECURE = "insecure-settings"
_REQUIRED = ("SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_HSTS_SECONDS")
_FRAMED = (b"wagtail", b'"cms"', b"'cms'")  # they show a page to its editor in a frame of the same site
_SETS = lazy(r"\.config\.|^django\.conf\.settings\.configure\.")


def _on_module(node: ast.Module, context: FileContext) -> None:
    """Every setting of a module of Django settings: the last value counts."""
    if not is_settings(context):
        return
    last: dict[str, tuple[ast.expr, ast.stmt]] = {}
    many = Counter(name for name, _, _ in assigned(node.body))
    for name, value, statement in assigned(node.body):
        if not isinstance(statement, ast.AugAssign) or (
            name == "ALLOWED_HOSTS" and hosts_weakness(value, None) is not None
        ):
            last[name] = (with_scheme(value, node.body), statement)
    credentials = last.get("CORS_ALLOW_CREDENTIALS")
    for name, (value, statement) in last.items():
        if name.startswith("CORS_") and (
            (credentials is not None and told_by(credentials[0]) is True) or "CORS_URLS_REGEX" in last
        ):
            continue  # cors-wildcard-credentials says it; or it is about the addresses that are meant for all
        if name == "ALLOWED_HOSTS" and isinstance(value, ast.List) and not value.elts and many[name] > 1:
            continue  # nobody, where the environment names nobody
        if name == "X_FRAME_OPTIONS" and (has_reason(statement, context) or any(map(context.holds, _FRAMED))):
            continue
        if name == "SECRET_KEY" and refused_in_production(name, str(told_by(default_of(value))), node.body):
            continue
        if name in SETTINGS and name != "TESTING" and name != "ENV":
            context.statement = statement
            _report(name, value, statement, context, (("unless-production-sets", name),))
    debug = last.get("DEBUG")
    if is_production_path(context.path) and debug is not None:
        missing = [name for name in _REQUIRED if name not in last]
        if missing:
            context.statement = debug[1]
            needs = (("unset", " ".join(missing)),)
            context.report(INSECURE, debug[1], "no HTTPS settings", needs=needs, severity="MEDIUM")
    context.statement = node


def _report(
    name: str, value: ast.expr, node: ast.AST, context: FileContext, needs: tuple[tuple[str, str], ...] = ()
) -> None:
    effective = default_of(value)
    if isinstance(value, ast.Call) and names_section(value, context.packages):
        return
    weakness = weakness_of(name, effective)
    if isinstance(effective, ast.List) and effective is not value and not effective.elts:
        weakness = None  # nobody is let in until the environment says who
    if weakness is None:
        return
    what, severity = weakness
    unset = " where the environment says nothing" if effective is not value else ""
    shown = "a literal" if name == "SECRET_KEY" else f"`{ast.unparse(effective)}`"
    shown = shown if len(shown) <= 42 else "as set here"
    also = ("hardcoded-secret",) if name == "SECRET_KEY" else ()
    message = f"`{name}` is {shown}{unset}: {what}"
    context.report(INSECURE, node, message, needs=needs, severity=severity, also=also)


def _asks_for_debug(node: ast.AST, context: FileContext) -> bool:
    """True in the block of an `if` that asks whether somebody wants to debug."""
    line: int = node.lineno  # type: ignore[attr-defined]
    return any(
        isinstance(part, ast.If)
        and part.body[0].lineno <= line <= (part.body[-1].end_lineno or 0)
        and "debug" in ast.unparse(part.test).lower()
        for part in own_nodes(context.function or context.tree, context)
    )


def _on_assign(node: ast.Assign, context: FileContext) -> None:
    """`app.debug = True`, `app.secret_key = "…"`, `app.config["DEBUG"] = True`."""
    for target in node.targets:
        if isinstance(target, ast.Subscript) and last_name(target.value) == "config":
            key = target.slice.value if isinstance(target.slice, ast.Constant) else None
            if isinstance(key, str) and key in SETTINGS:
                _report(key, node.value, node, context)
        elif isinstance(target, ast.Attribute) and last_name(target.value) in {"app", "application"}:
            name = target.attr.upper()
            if name in {"DEBUG", "TESTING", "SECRET_KEY"} and not _asks_for_debug(node, context):
                _report(name, node.value, node, context)


def _on_call(node: ast.Call, context: FileContext) -> None:
    """`app.run(debug=True)`, `app.config.update(DEBUG=True)`, `settings.configure(…)`, `FastAPI(debug=True)`."""
    function, name = node.func, last_name(node.func)
    if name == "run" and isinstance(function, ast.Attribute):
        if last_name(function.value) in {"uvicorn", "asyncio", "subprocess", "anyio", "trio"}:
            return
        for keyword in node.keywords:
            if keyword.arg in {"debug", "use_debugger"} and told_by(default_by_name(keyword.value, context)) is True:
                if _asks_for_debug(node, context):
                    return
                message = "the interactive debugger runs any code that a visitor types into an error page"
                context.report(INSECURE, node, f"`{keyword.arg}=True`: {message}", severity="HIGH")
                return
    elif name in {"update", "from_mapping", "configure"} and _SETS.search(f"{context.resolve(function)}."):
        given = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg in SETTINGS}
        if len(given) > 1 and "TESTING" in given and told_by(given["TESTING"]) is True:
            return  # all of it is said for tests
        for key, value in given.items():
            _report(key, value, node, context)
    elif name in {"FastAPI", "Starlette"}:
        for keyword in node.keywords:
            if keyword.arg == "debug" and told_by(default_by_name(keyword.value, context)) is True:
                context.report(INSECURE, node, "`debug=True`: errors show code to every visitor", severity="HIGH")


def _holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    for kind, name in candidate.needs:
        if kind == "unless-production-sets" and not is_production_path(report.path):
            if set_in_production(name, report.path, project):
                return None
        elif kind == "unset":
            missing = [word for word in name.split() if not set_anywhere(word, project)]
            if not missing:
                return None
            return replace(candidate, message=f"settings for production without {', '.join(missing)}")
    return candidate


def _run(path: str) -> bool:
    return outside_tests(path) and not is_shown_path(path)


_SETTINGS = "shop/settings.py"


def _named(validator: str, length: int | None = None) -> str:
    """The source of an entry of the setting, for the examples."""
    options = f', "OPTIONS": {{"min_length": {length}}}' if length and validator == "MinimumLength" else ""
    return f'{{"NAME": "{OF_DJANGO}{validator}Validator"{options}}}'


insecure_settings = Rule(
    name=INSECURE,
    gate="P1",
    severity="HIGH",
    skill="django-security",
    sources=("PB-S1", "PB-S2", "PB-S3", "PB-S4", "PB-S5"),
    catches="Settings that leave a deployed Django or Flask application open: `DEBUG`, a `SECRET_KEY` in the source, "
    "`ALLOWED_HOSTS` with `*` or empty, cookies and redirects without HTTPS, weak hashers, fewer than "
    "Django's four password validators or passwords of fewer than 12 characters; also where it is only the "
    "default of an environment variable.",
    why="None of this shows in daily use: the site answers as always, and gives its secrets to anyone who knows "
    "how to ask.",
    fix="Make the safe value the default, and let the environment of a developer's machine ask for the other one;"
    " a secret has no default at all.",
    when="In modules of settings, those for development and tests left out, and where an application is configured or "
    "run. A setting that a sibling module for production sets again is not reported, nor a frame of the same site "
    "beside a comment that says why.",
    watches=(
        Watch((ast.Module,), note_settings, (), may_hold_settings),
        Watch((ast.Module,), _on_module, (), may_be_deployed),
        Watch((ast.Assign,), _on_assign, (b"flask", b"Flask"), _run),
        Watch((ast.Call,), _on_call, (b"flask", b"Flask", b"fastapi", b"create_app(", b"settings.configure("), _run),
    ),
    holds=_holds,
    bad=(
        *one_file(
            _SETTINGS,
            "DEBUG = True\n",
            'DEBUG = os.environ.get("DEBUG", "True") == "True"\n',
            'SECRET_KEY = "django-insecure-4f8a"\n',
            'SECRET_KEY = env("KEY", "shop-key")\nif not SECRET_KEY:\n    raise Unsafe\n',
            'if PRODUCTION:\n    ALLOWED_HOSTS = ["*"]\n',
            'ALLOWED_HOSTS = ["*"]\n',
            'ALLOWED_HOSTS = os.environ.get("HOSTS", "").split(",")\n',
            "SESSION_COOKIE_SECURE = False\n",
            "SECURE_HSTS_SECONDS = 60\n",
            "AUTH_PASSWORD_VALIDATORS = []\n",
            f"AUTH_PASSWORD_VALIDATORS = [{_named('MinimumLength', 8)}, {_named('CommonPassword')}]\n",
            f"AUTH_PASSWORD_VALIDATORS = [{', '.join(map(_named, VALIDATORS))}]\n",
        ),
        Example({"shop/settings/production.py": "from .base import *\n\nDEBUG = False\n"}),
        *one_file(
            "shop/app.py",
            "from shop import create_app\n\napp = create_app()\napp.run(debug=True)\n",
            'from flask import Flask\n\napp = Flask(__name__)\napp.config["WTF_CSRF_ENABLED"] = False\n',
            'from flask import Flask\n\napp = Flask(__name__)\napp.config["SECRET_KEY"] = "shop"\n',
            'from flask import Flask\n\napp = Flask(__name__)\napp.secret_key = "your-secret-key-here"\n',
            "from flask import Flask\n\napp = Flask(__name__)\napp.config.update(WTF_CSRF_ENABLED=False)\n",
        ),
    ),
    good=(
        *one_file(
            _SETTINGS,
            'DEBUG = os.environ.get("DEBUG") == "1"\nSECRET_KEY = os.environ["SECRET_KEY"]\n',
            f"AUTH_PASSWORD_VALIDATORS = [{', '.join(_named(name, 12) for name in VALIDATORS)}]\n",
            f'AUTH_PASSWORD_VALIDATORS = [{_named("MinimumLength", 8)}, {{"NAME": "shop.passwords.Strength"}}]\n',
            'import configparser\n\nconf = configparser.ConfigParser()\nSECRET_KEY = conf.get("django", "secret")\n',
            'ALLOWED_HOSTS = ["shop.example"]\nSESSION_COOKIE_SECURE = not DEBUG\nSECURE_HSTS_SECONDS = 31536000\n',
            'DEBUG = False\nif ENVIRONMENT == "local":\n    DEBUG = True\n    ALLOWED_HOSTS = ["*"]\n',
            "DEBUG = False\nif not (PRODUCTION or STAGING):\n    DEBUG = True\n",
            "if PRODUCTION:\n    DEBUG = False\nelse:\n    DEBUG = True\n",
            'DEBUG = False\nif STAGE != "production":\n    DEBUG = True\n',
            'SECRET_KEY = env("KEY", "shop-key")\nif not DEBUG and SECRET_KEY == "shop-key":\n    raise Unsafe\n',
            'SECRET_KEY = env("KEY", "")\nif not SECRET_KEY:\n    if STAGE == "production":\n        raise Unsafe\n'
            '    SECRET_KEY = "shop-key"\n',
        ),
        *one_file("shop/settings/production.example.py", 'SECRET_KEY = "x"\nALLOWED_HOSTS = [""]\n'),
        *one_file("shop/settings/dev.py", 'DEBUG = True\nALLOWED_HOSTS = ["*"]\nSECRET_KEY = "dev"\n'),
        Example(
            {
                "shop/settings/base.py": "DEBUG = True\n",
                "shop/settings/production.py": "from .base import *\n\nDEBUG = False\nSECURE_SSL_REDIRECT = True\n"
                "SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True\nSECURE_HSTS_SECONDS = 63072000\n",
            }
        ),
        *one_file(
            "shop/app.py",
            'from flask import Flask\n\napp = Flask(__name__)\napp.config["SECRET_KEY"] = os.environ["SECRET_KEY"]\n',
            "from flask import Flask\n\napp = Flask(__name__)\napp.run(debug=False)\nrun(debug=True)\n",
            "from flask import Flask\n\napp = Flask(__name__)\nif options.debug:\n    app.run(debug=True)\n",
        ),
        *one_file("shop/view.py", "DEBUG = True\n"),
    ),
)

RULES: tuple[Rule, ...] = (insecure_settings,)

"""The rule drf-open-defaults of the skill django-security: what REST framework does where a view says nothing."""

import ast

from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import outside_tests
from skills.gates.engine.syntax import descendants
from skills.gates.example_files import one_file
from skills.gates.rule import Rule, Watch

SKILL = "django-security"
DEFAULTS = "drf-open-defaults"
PERMISSION = "DEFAULT_PERMISSION_CLASSES"
# Django's own is left out: the REST framework takes its views out of it.
_GUARDS = lazy(
    r"^(?!django\.).*\.\w*(?:Log_?[Ii]n_?[Rr]equired|[Rr]equire_?(?:[Ll]og_?[Ii]n|[Aa]uth)|[Aa]uth_?[Rr]equired|Authori[sz]ation|Permission|AccessControl|RBAC)\w*$"
)


def is_empty(value: ast.expr) -> bool:
    """True for `[]` and `()`."""
    return isinstance(value, (ast.List, ast.Tuple)) and not value.elts


def guards(part: ast.AST) -> bool:
    """True for the path of a middleware that asks every visitor who they are."""
    return isinstance(part, ast.Constant) and isinstance(part.value, str) and _GUARDS.search(part.value) is not None


def written_out(value: ast.expr) -> dict[str, ast.expr] | None:
    """Key → value of `{"A": 1}` and `dict(A=1)`, None for what takes over another dict and for all else."""
    if isinstance(value, ast.Dict) and None not in value.keys:
        pairs = zip(value.keys, value.values, strict=True)
        return {str(key.value): given for key, given in pairs if isinstance(key, ast.Constant)}
    if isinstance(value, ast.Call) and last_name(value.func) == "dict" and not value.args:
        named = {word.arg: word.value for word in value.keywords if word.arg}
        return named if len(named) == len(value.keywords) else None
    return None


def _on_settings(node: ast.Assign, context: FileContext) -> None:
    target = node.targets[0]
    if not isinstance(target, ast.Name) or target.id != "REST_FRAMEWORK":
        return
    written = written_out(node.value)
    if written is None:
        return
    given = {key: "" if is_empty(value) else ast.unparse(value) for key, value in written.items()}
    wrong = []
    permission = given.get(PERMISSION, "")
    if "AllowAny" in permission:
        wrong.append("everybody is allowed (`AllowAny`)")
    elif not permission and not any(map(guards, descendants(context.tree))):
        wrong.append("no permission is set, so that everybody is allowed")
    if "DEFAULT_THROTTLE_CLASSES" not in given:
        wrong.append("nothing is throttled")
    if wrong:
        severity = "HIGH" if len(wrong) == 2 or "allowed" in wrong[0] else "LOW"
        context.report(DEFAULTS, node, f"`REST_FRAMEWORK`: {', and '.join(wrong)}", severity=severity)  # type: ignore[arg-type]


drf_open_defaults = Rule(
    name=DEFAULTS,
    gate="P1",
    severity="HIGH",
    skill=SKILL,
    sources=("PB-S10",),
    catches="`REST_FRAMEWORK` settings that allow everybody, by `AllowAny` or by saying nothing, or throttle nothing.",
    why="The framework's own default is open: a view that forgets its permissions is public, and can be asked "
    "endlessly.",
    fix='Set `DEFAULT_PERMISSION_CLASSES` to `["rest_framework.permissions.IsAuthenticated"]`, add '
    "`DEFAULT_THROTTLE_CLASSES` with rates, and open single views on purpose.",
    when="Where the setting is a dict in the source, outside of tests.",
    watches=(Watch((ast.Assign,), _on_settings, (b"REST_FRAMEWORK",), outside_tests),),
    bad=one_file(
        "shop/settings.py",
        'REST_FRAMEWORK = {"PAGE_SIZE": 50}\n',
        "REST_FRAMEWORK = dict(PAGE_SIZE=50)\n",
        'REST_FRAMEWORK = {\n    "DEFAULT_PERMISSION_CLASSES": (),\n'
        '    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.UserRateThrottle"],\n}\n',
        'REST_FRAMEWORK = {\n    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],\n'
        '    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.UserRateThrottle"],\n}\n',
    ),
    good=one_file(
        "shop/settings.py",
        'MIDDLEWARE = ["shop.auth.LoginRequiredMiddleware"]\n'
        'REST_FRAMEWORK = {"DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.UserRateThrottle"]}\n',
        'REST_FRAMEWORK = {\n    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],\n'
        '    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.UserRateThrottle"],\n}\n',
    ),
)

RULES: tuple[Rule, ...] = (drf_open_defaults,)

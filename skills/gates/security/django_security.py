"""Rules of the skill django-security about forms of other sites: CSRF."""

import ast
import re

from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name, shortened
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import descendants
from skills.gates.example_files import one_file
from skills.gates.model import Candidate, FileReport
from skills.gates.project import Project
from skills.gates.rule import Example, Rule, Watch

SKILL = "django-security"
CSRF = "csrf-exempt"

_LIST, _LISTED = 4, "csrf-exempt: the list was told of"
_HANDLERS = frozenset({"get", "head", "options", "post", "put", "patch", "delete", "dispatch"})
_SENDERS = lazy(
    r"web-?hook|call-?back|csrf|(?:other|outside|remote|external|third[- ]part\w+) (?:server|service|site)"
    r"|sign(?:s|ed|ature)\b|shared secret|hmac|api[- ]key|federat|\bJWTs?\b|\bbearer\b"
    r"|\b(?:called|posted|sent) (?:from|by)\b|notification\w* \w* ?(?:from|by)\b",
    re.I,
)
# What another server posts to by a protocol that signs what it sends.
_ENTRANCES = lazy(
    r"web_?hook|(?:^|_)hooks?(?:_|$)|call_?back|post_?back|saml|(?:^|_)acs(?:_|$)|^ACS|oidc|oauth|(?:^|_)lti(?:_|$)|^LTI|csp|violation|inbound|iframe|embed|public|telemetry|metrics"
    r"|(?:^|_)ipn(?:_|$)|^IPN|beacon",
    re.I,
)
# Folders and modules where a sign-in by another site ends.
_SIGN_IN_ELSEWHERE = lazy(r"(?:^|[/_])(?:social_?auth|social|saml\d?|oauth\d?|oidc|sso|web_?hooks?)(?:[/_.]|$)")
_NO_COOKIE = lazy(r"Authorization|HTTP_X_\w*(?:KEY|TOKEN|SIGNATURE)|X-[\w-]*(?:Key|Token|Signature)", re.I)
_KEYED = lazy(
    r"\bauth_\w+|sign(?:ed|ature)|hmac|token|api_?key|web_?hook|basic_?auth|federation|bearer|oauth|jwt", re.I
)
# Functions that ask who sent the request, whatever cookies come with it.
_ASKS_SENDER = lazy(
    r"signature|compare_digest|construct_event"
    r"|(?:verif|check|valid|match|require|authenticat)\w*_(?:hmac|signed|token|api_?key|secret|web_?hook)",
    re.I,
)
_TELLS = lazy(r"health|ping|alive|ready|status|version|robots|time|index|home|about|csrf|token")
_KEEPER = lazy(r"Protected|Token|ApiKey|Signed|OAuth|Bearer")
_WITHOUT_COOKIE = "asks-without-cookie"
_TOKENS = lazy(r"(?:JWT|Token|Bearer|Api_?Key|Signature|Hmac)\w*Auth", re.I)
_ABOUT_ADDRESSES = frozenset(
    {"get", "get_full_path", "build_absolute_uri", "reverse", "replace", "format", "strip", "lstrip", "rstrip", "join",
     "urlencode", "quote", "debug", "info", "warning"}
)  # fmt: skip
_FORMS = lazy(r"Form|Create|Update|Delete|Edit|Login|Wizard")


def _on_exempt(node: FunctionNode | ast.ClassDef, context: FileContext) -> None:
    if _only_shows(node) if isinstance(node, ast.ClassDef) else _changes_nothing(node):
        return
    owner = node if isinstance(node, ast.ClassDef) else context.class_scope
    if owner is not None and any(last_name(base).endswith(("APIView", "ViewSet")) for base in owner.bases):
        return  # the REST framework takes the check away itself, and has its own for sessions
    if (
        _says_who_sends(node)
        or (owner is not None and _says_who_sends(owner))
        or _SIGN_IN_ELSEWHERE.search(context.path)
    ):
        return
    if any(map(_asks_sender, descendants(node))) or _says_so_inside(node, context):
        return
    if isinstance(node, ast.ClassDef) and _each_handler_is_keyed(node):
        return
    if owner is not None and (_only_shows(owner) or any(map(_KEEPER.search, map(last_name, owner.bases)))):
        return
    for decorator in node.decorator_list:
        text = ast.unparse(decorator)
        if "csrf_exempt" in text and not (has_reason(decorator, context) or _has_reason_above(node, context)):
            symbol = context.symbol_of(node.name)
            message = f"{node.name} accepts requests that other sites start, and nothing says why"
            asked = tuple(
                (_WITHOUT_COOKIE, name) for name in map(last_name, node.decorator_list) if name != "csrf_exempt"
            )
            context.report(CSRF, decorator, message, symbol=symbol, needs=asked)


def _asks_sender(part: ast.AST) -> bool:
    """True for the name of what no browser sends by itself, and for a call that looks at a signature or a token."""
    if isinstance(part, ast.Constant):
        return _NO_COOKIE.search(str(part.value)) is not None
    return isinstance(part, ast.Call) and _ASKS_SENDER.search(last_name(part.func)) is not None


def _says_so_inside(node: FunctionNode | ast.ClassDef, context: FileContext) -> bool:
    """True where a comment above the first statement says who sends the request."""
    above = context.lines[node.lineno - 1 : node.body[0].lineno - 1]
    return any(_SENDERS.search(line.partition("#")[2]) for line in above)


def _each_handler_is_keyed(node: ast.ClassDef) -> bool:
    """True where a decorator of each method that answers asks for a token or a key."""
    handlers = [part for part in node.body if isinstance(part, FunctionNode) and part.name in _HANDLERS]
    return bool(handlers) and all(
        any(_KEYED.search(ast.unparse(decorator)) for decorator in one.decorator_list) for one in handlers
    )


def _on_decorator(node: FunctionNode, context: FileContext) -> None:
    """Notes decorators that ask for what no browser sends by itself."""
    if context.scopes or not any(isinstance(part, FunctionNode) for part in node.body):
        return
    for part in descendants(node):
        name = part.id if isinstance(part, ast.Name) else ""
        said = str(part.value) if isinstance(part, ast.Constant) else ""
        if _NO_COOKIE.search(said) or _TOKENS.search(name):
            context.fact(_WITHOUT_COOKIE, node.name)
            return


def _csrf_holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    return None if any(project.has(kind, name) for kind, name in candidate.needs) else candidate


def _has_reason_above(node: FunctionNode | ast.ClassDef, context: FileContext) -> bool:
    """True where the comment over the decorators speaks of CSRF."""
    line = node.decorator_list[0].lineno - 1
    while line > 0 and not context.lines[line - 1].strip():
        line -= 1
    while line > 0 and context.lines[line - 1].lstrip().startswith("#"):
        if "csrf" in context.lines[line - 1].lower():
            return True
        line -= 1
    return False


def _says_who_sends(node: FunctionNode | ast.ClassDef) -> bool:
    """True where the name or docstring says that another server sends the request, or a decorator asks for what no
    browser adds by itself: a signature, a token, a key."""
    beside = " ".join(ast.unparse(decorator) for decorator in node.decorator_list)
    called = [node.name, *(last_name(base) for base in getattr(node, "bases", ()))]
    if any(map(_ENTRANCES.search, called)):
        return True
    return _SENDERS.search(ast.get_docstring(node) or "") is not None or _KEYED.search(beside) is not None


def _changes_nothing(node: FunctionNode) -> bool:
    """True for a view that answers only what Django never checks: GET, HEAD and OPTIONS; and for one of the REST
    framework, whose `api_view` takes the check away itself."""
    for decorator in node.decorator_list:
        name = last_name(decorator)
        methods = decorator.args[0] if isinstance(decorator, ast.Call) and decorator.args else None
        if name in {"require_GET", "require_safe", "api_view"} or (
            name == "require_http_methods" and methods is not None and _only_reads(methods)
        ):
            return True
    first = next((part for part in node.body if not isinstance(part, ast.Expr)), None)
    if isinstance(node.body[-1], ast.Return) and (all(map(_only_answers, node.body)) or _only_sends_on(node)):
        return True
    if (
        isinstance(first, ast.Return)
        and len(node.body) == 1
        and not re.search("request|super|kwargs", ast.unparse(first))
    ):
        return not _is_stub(first) or _TELLS.search(node.name) is not None
    if not isinstance(first, ast.If) or not isinstance(first.body[-1], (ast.Return, ast.Raise)):
        return False
    test = first.test
    return (
        isinstance(test, ast.Compare)
        and last_name(test.left) == "method"
        and isinstance(test.ops[0], (ast.NotEq, ast.NotIn))
        and _only_reads(test.comparators[0])
    )


def _only_sends_on(node: FunctionNode) -> bool:
    """True for a view that puts an address together and sends the visitor there: the view that answers asks."""
    made = node.body[-1].value if isinstance(node.body[-1], ast.Return) else None
    if not isinstance(made, ast.Call) or not last_name(made.func).lower().endswith("redirect"):
        return False
    calls = (part for line in node.body for part in descendants(line) if isinstance(part, ast.Call))
    return all(call is made or last_name(call.func) in _ABOUT_ADDRESSES for call in calls)


def _is_stub(answer: ast.Return) -> bool:
    """True for `return HttpResponse()` and `return HttpResponse("done")`: what the view is for does not show."""
    made = answer.value
    return isinstance(made, ast.Call) and all(isinstance(part, ast.Constant) for part in made.args)


def _only_answers(statement: ast.stmt) -> bool:
    """True for `return render(request, "order.html")` and its like, also where a condition chooses one of them."""
    if isinstance(statement, ast.If):
        return all(map(_only_answers, (*statement.body, *statement.orelse)))
    if isinstance(statement, ast.Return):
        made = statement.value
        fixed = isinstance(made, ast.Call) and all(isinstance(part, (ast.Constant, ast.Name)) for part in made.args)
        return fixed and last_name(made.func) in {"render", "redirect"} and not made.keywords  # type: ignore[union-attr]
    return isinstance(statement, (ast.Pass, ast.Expr)) and isinstance(getattr(statement, "value", None), ast.Constant)


def _only_shows(node: ast.ClassDef) -> bool:
    """True for a view that answers GET and nothing else, as far as it says; those of forms answer POST besides."""
    answers = {part.name for part in node.body if isinstance(part, FunctionNode)} & _HANDLERS
    forms = any(map(_FORMS.search, map(last_name, node.bases)))
    return not forms and "get" in answers and answers <= {"get", "head", "options", "dispatch"}


def _only_reads(methods: ast.expr) -> bool:
    """True for `"GET"` and for lists of nothing but methods that read."""
    listed = methods.elts if isinstance(methods, (ast.List, ast.Tuple, ast.Set)) else [methods]
    return all(isinstance(one, ast.Constant) and one.value in {"GET", "HEAD", "OPTIONS"} for one in listed)


def _on_exempt_call(node: ast.Call, context: FileContext) -> None:
    """`path("…", csrf_exempt(view))`; a list of many is one decision, and one finding."""
    if last_name(node.func) != "csrf_exempt" or not node.args or has_reason(node, context):
        return
    if any(_ENTRANCES.search(last_name(part)) for part in descendants(node.args[0])):
        return
    many = context.source.count(b"csrf_exempt(") - 1
    if many >= _LIST and context.memo.setdefault(_LISTED, node) is not node:
        return
    others = f" and {many} more" if many >= _LIST else ""
    verb = "accept" if others else "accepts"
    message = f"`{shortened(node.args[0], 40)}`{others} {verb} requests that other sites start, and nothing says why"
    context.report(CSRF, node, message)


def has_reason(node: ast.expr | ast.stmt, context: FileContext) -> bool:
    """True where a comment of three words or more stands on the line, or on the one above."""
    for line in context.lines[max(0, node.lineno - 2) : node.end_lineno]:
        comment = line.partition("#")[2]
        if len(comment.split()) >= 3 and not re.match(r"\s*(?:noqa|nosec|type:|pylint|fmt)", comment):
            return True
    return False


_KEYED_EXAMPLE = {
    "shop/keys.py": "def entered(view):\n    def asking(request):\n"
    "        if request.headers.get('X-Api-Key') != KEY:\n            return refuse()\n        return view(request)\n\n"
    "    return asking\n",
    "shop/views.py": "@csrf_exempt\n@entered\ndef pay(request):\n    pass\n",
}

csrf_exempt = Rule(
    name=CSRF,
    gate="P1",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PB-S8",),
    catches="`csrf_exempt` where neither a comment, the docstring, the name nor a decorator says who sends the request "
    "and what authenticates it.",
    why="A page anywhere can then send the form with the visitor's session. It is right for signed webhooks and token "
    "authentication only, and the next reader must be able to tell.",
    fix="Take it away, or say in a comment beside it what authenticates the request instead.",
    when="On functions, classes, `method_decorator` and in URL patterns, outside of tests.",
    watches=(
        Watch((ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef), _on_exempt, (b"csrf_exempt",), is_product_path),
        Watch((ast.Call,), _on_exempt_call, (b"csrf_exempt(",), is_product_path, near=(b"csrf_exempt(",)),
        Watch((ast.FunctionDef,), _on_decorator, (b"Authorization", b"HTTP_X_", b"X-", b"Auth"), is_product_path),
    ),
    holds=_csrf_holds,
    bad=one_file(
        "shop/views.py",
        "@csrf_exempt\ndef done(request):\n    return HttpResponse('Done')\n",
        "@csrf_exempt\ndef pay(request):\n    pass\n",
        "@csrf_exempt\ndef pay(request):\n    charge(request.user)\n    return redirect(request.get_full_path())\n",
        "def entered(view):\n    def asking(request):\n        return view(request) if request.user else refuse()\n\n"
        "    return asking\n\n\n@csrf_exempt\n@entered\ndef pay(request):\n    pass\n",
        '@method_decorator(csrf_exempt, name="dispatch")\nclass Pay(View):\n    pass\n',
        "@csrf_exempt\ndef pay(request):\n    if request.method == 'GET':\n        return ask()\n    charge()\n",
        '@csrf_exempt\n@login_required\ndef pay(request):\n    """Pay with the card that is stored."""\n',
        'urlpatterns = [path("pay", csrf_exempt(pay))]\n',
        "class Pay(Till):\n    @method_decorator(csrf_exempt)\n    def dispatch(self, *args, **kwargs):\n"
        "        return super().dispatch(*args, **kwargs)\n\n    def post(self, request):\n        pass\n",
    ),
    good=(
        Example(_KEYED_EXAMPLE),
        *one_file(
            "shop/views.py",
            '@method_decorator(csrf_exempt, name="dispatch")\nclass Move(View):\n'
            "    @method_decorator(_jwt_required)\n    def post(self, request):\n        pass\n",
            '@method_decorator(csrf_exempt, name="dispatch")\nclass Shown(ShopBase):\n'
            "    def get(self, request):\n        pass\n",
            '@method_decorator(csrf_exempt, name="dispatch")\nclass Invite(ClientProtectedMixin, View):\n'
            "    def post(self, request):\n        pass\n",
            "@csrf_exempt\ndef paid(request):\n    if not check_token(request):\n        raise PermissionDenied\n",
            "@csrf_exempt\ndef paid(request):\n    # The bank signs what it sends\n    note(request.body)\n",
            "@csrf_exempt\ndef moved(request, name):\n    path = request.get_full_path().replace(name, name + 's')\n"
            "    return HttpResponseRedirect(path)\n",
            "@csrf_exempt\n@auth_privileged\ndef submit(request):\n    pass\n",
            "@csrf_exempt\ndef lesson(request):\n    if request.user.is_anonymous:\n        return redirect('enter')\n"
            "    return render(request, 'lesson.html')\n",
            "@csrf_exempt\ndef version(request):\n    return HttpResponse(VERSION)\n",
            "class PaidCallbackView(View):\n    @method_decorator(csrf_exempt)\n    def dispatch(self, request):\n"
            "        pass\n",
            "@csrf_exempt\ndef sent(request):\n    if request.headers.get('x-api-key') != expected():\n"
            "        raise PermissionDenied\n    note()\n",
            "@csrf_exempt\ndef paid(request):\n    if request.headers.get('Authorization') != expected():\n"
            "        raise PermissionDenied\n    charge()\n",
            "# Other sites show the form: without csrf_exempt none of them could.\n\n\n@frames_allowed\n@csrf_exempt\n"
            "def ask(request):\n    pass\n",
            "# The payment service signs each request.\n@csrf_exempt\ndef paid(request):\n    pass\n",
            "@require_POST\ndef pay(request):\n    pass\n",
            "@method_decorator(csrf_exempt, name='dispatch')\nclass PaymentWebhookView(View):\n    pass\n",
            "@csrf_exempt\n@signature_required\ndef paid(request):\n    pass\n",
            '@csrf_exempt\ndef paid(request):\n    """The webhook of the payment service."""\n',
            'class Query(GraphQLView):\n    """Asks for a JWT."""\n\n    @method_decorator(csrf_exempt)\n'
            "    def dispatch(self, request):\n        return super().dispatch(request)\n",
            "@method_decorator(csrf_exempt, name='dispatch')\nclass Prices(View):\n    def get(self, request):\n"
            "        pass\n",
            "@csrf_exempt\n@require_GET\ndef prices(request):\n    pass\n",
            "@csrf_exempt\n@require_http_methods(['GET', 'HEAD'])\ndef prices(request):\n    pass\n",
            "@csrf_exempt\ndef prices(request):\n    if request.method != 'GET':\n        raise Http404\n    show()\n",
        ),
    ),
)


RULES: tuple[Rule, ...] = (csrf_exempt,)

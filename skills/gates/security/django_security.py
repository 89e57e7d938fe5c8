"""Rules of the skill django-security about forms: CSRF, uploads."""

import ast
import re

from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name, shortened
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import descendants
from skills.gates.example_files import one_file
from skills.gates.rule import Rule, Watch

SKILL = "django-security"
CSRF = "csrf-exempt"
UPLOAD = "upload-without-validation"

_LIST, _LISTED = 4, "csrf-exempt: the list was told of"
_READS = frozenset({"get", "getlist", "read", "save", "copyfileobj", "chunks"})
_HANDLERS = frozenset({"get", "head", "options", "post", "put", "patch", "delete", "dispatch"})
_SENDERS = lazy(
    r"web-?hook|call-?back|csrf|(?:other|outside|remote|external|third[- ]part\w+) (?:server|service|site)"
    r"|sign(?:ed|ature)\b|hmac|api[- ]key|federat"
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
_KEYED = lazy(r"\bauth_\w+|sign(?:ed|ature)|hmac|token|api_?key|web_?hook|basic_?auth|federation|bearer|oauth", re.I)
_KEEPER = lazy(r"Protected|Token|ApiKey|Signed|OAuth|Bearer")
_FORMS = lazy(r"Form|Create|Update|Delete|Edit|Login|Wizard")
_KEY = lazy(r"'\w+':")  # what an answer calls its parts is no check
_CHECKS = lazy(
    r"(?<!chunk_)(?<!buffer_)(?<!page_)(?<!re)size|content_type|valid|(?<![a-z])ext(?![a-z])|extension|mime|magic|suffix"
    r"|clean|check|allowed|limit|exceed|imghdr|splitext|Form\(|erializer[.(]|len\(\w+\) >",
    re.I,
)


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
    if any(isinstance(part, ast.Constant) and _NO_COOKIE.search(str(part.value)) for part in descendants(node)):
        return  # it reads what no browser sends by itself
    if owner is not None and (_only_shows(owner) or any(map(_KEEPER.search, map(last_name, owner.bases)))):
        return
    for decorator in node.decorator_list:
        text = ast.unparse(decorator)
        if "csrf_exempt" in text and not (has_reason(decorator, context) or _has_reason_above(node, context)):
            symbol = context.symbol_of(node.name)
            message = f"{node.name} accepts requests that other sites start, and nothing says why"
            context.report(CSRF, decorator, message, symbol=symbol)


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
        name = last_name(decorator.func if isinstance(decorator, ast.Call) else decorator)
        methods = decorator.args[0] if isinstance(decorator, ast.Call) and decorator.args else None
        if name in {"require_GET", "require_safe", "api_view"} or (
            name == "require_http_methods" and methods is not None and _only_reads(methods)
        ):
            return True
    first = next((part for part in node.body if not isinstance(part, ast.Expr)), None)
    if isinstance(node.body[-1], ast.Return) and all(map(_only_answers, node.body)):
        return True
    if (
        isinstance(first, ast.Return)
        and len(node.body) == 1
        and not re.search("request|super|kwargs", ast.unparse(first))
    ):
        return True
    if not isinstance(first, ast.If) or not isinstance(first.body[-1], (ast.Return, ast.Raise)):
        return False
    test = first.test
    return (
        isinstance(test, ast.Compare)
        and last_name(test.left) == "method"
        and isinstance(test.ops[0], (ast.NotEq, ast.NotIn))
        and _only_reads(test.comparators[0])
    )


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
    ),
    bad=one_file(
        "shop/views.py",
        "@csrf_exempt\ndef pay(request):\n    pass\n",
        '@method_decorator(csrf_exempt, name="dispatch")\nclass Pay(View):\n    pass\n',
        "@csrf_exempt\ndef pay(request):\n    if request.method == 'GET':\n        return ask()\n    charge()\n",
        '@csrf_exempt\n@login_required\ndef pay(request):\n    """Pay with the card that is stored."""\n',
        'urlpatterns = [path("pay", csrf_exempt(pay))]\n',
        "class Pay(Till):\n    @method_decorator(csrf_exempt)\n    def dispatch(self, *args, **kwargs):\n"
        "        return super().dispatch(*args, **kwargs)\n\n    def post(self, request):\n        pass\n",
    ),
    good=one_file(
        "shop/views.py",
        '@method_decorator(csrf_exempt, name="dispatch")\nclass Shown(ShopBase):\n'
        "    def get(self, request):\n        pass\n",
        '@method_decorator(csrf_exempt, name="dispatch")\nclass Invite(ClientProtectedMixin, View):\n'
        "    def post(self, request):\n        pass\n",
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
        "@method_decorator(csrf_exempt, name='dispatch')\nclass Prices(View):\n    def get(self, request):\n"
        "        pass\n",
        "@csrf_exempt\n@require_GET\ndef prices(request):\n    pass\n",
        "@csrf_exempt\n@require_http_methods(['GET', 'HEAD'])\ndef prices(request):\n    pass\n",
        "@csrf_exempt\ndef prices(request):\n    if request.method != 'GET':\n        raise Http404\n    show()\n",
    ),
)


def _on_upload(node: FunctionNode, context: FileContext) -> None:
    """A function that reads an uploaded file and looks at nothing but its content."""
    uploads = [
        part
        for part in descendants(node)
        if isinstance(part, ast.Attribute) and part.attr in {"FILES", "files"} and last_name(part.value) == "request"
    ]
    handed = _handed_to_form(node) | _handed_to_owner(node, context) if uploads else frozenset[ast.AST]()
    uploads = [part for part in uploads if part not in handed]
    arguments = [*node.args.args, *node.args.kwonlyargs]
    typed = [one for one in arguments if one.annotation is not None and "UploadFile" in ast.unparse(one.annotation)]
    whole = _given_whole(node) if not typed and node.decorator_list else []
    if not uploads and not (typed and node.decorator_list) and not whole:
        return
    typed = typed or whole
    if not (whole or _reads_file(node, frozenset(one.arg for one in typed))):
        return
    if _CHECKS.search(_KEY.sub("", ast.unparse(ast.Module(node.body, [])))):
        return
    place: ast.AST = uploads[0] if uploads else typed[0]
    symbol = context.symbol_of(node.name)
    message = f"{node.name} takes a file of any size and any kind"
    context.report(UPLOAD, place, message, symbol=symbol, confidence="likely")


def _handed_to_owner(node: FunctionNode, context: FileContext) -> frozenset[ast.AST]:
    """What a function of another module is given that is about files: it looks at them."""
    found: set[ast.AST] = set()
    for part in descendants(node):
        called = part.func.id if isinstance(part, ast.Call) and isinstance(part.func, ast.Name) else ""
        if called in context.imports and re.search(r"upload|attach|handle|process", called):
            found.update(descendants(part))
    return frozenset(found)


def _handed_to_form(node: FunctionNode) -> frozenset[ast.AST]:
    """What stands in `files=request.FILES` or `{"files": request.FILES}`: the form looks at it."""
    found: set[ast.AST] = set()
    for part in descendants(node):
        if isinstance(part, ast.keyword) and part.arg == "files":
            found.update(descendants(part.value))
        elif isinstance(part, ast.Dict):
            for key, value in zip(part.keys, part.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "files":
                    found.update(descendants(value))
    return frozenset(found)


def _given_whole(node: FunctionNode) -> list[ast.arg]:
    """The parameters that FastAPI fills with the content of a file: `file: bytes = File(…)`."""
    arguments = [*node.args.args, *node.args.kwonlyargs]
    defaults = [*node.args.defaults, *node.args.kw_defaults]
    if not any(isinstance(part, ast.Call) and last_name(part.func) == "File" for part in descendants(node.args)):
        return []
    by_default = any(isinstance(value, ast.Call) and last_name(value.func) == "File" for value in defaults)
    hints = [(one, ast.unparse(one.annotation)) for one in arguments if one.annotation is not None]
    return [one for one, hint in hints if "bytes" in hint and (by_default or "File(" in hint)]


def _reads_file(node: FunctionNode, typed: frozenset[str]) -> bool:
    """True where a file of the request is taken out, or something is read in a function that is given one."""
    for part in descendants(node):
        if isinstance(part, ast.Attribute) and part.attr == "file" and last_name(part.value) in typed:
            return True
        if isinstance(part, ast.Subscript) and last_name(part.value) in {"FILES", "files"}:
            return True
        if isinstance(part, ast.Call) and last_name(part.func) in _READS:
            owner = last_name(part.func.value) if isinstance(part.func, ast.Attribute) else ""
            if typed or owner in {"FILES", "files"}:
                return True
    return False


def is_false(node: ast.expr) -> bool:
    """True for `False` as it is written."""
    return isinstance(node, ast.Constant) and node.value is False


def _on_form_field(node: ast.ClassDef, context: FileContext) -> None:
    """`forms.FileField()` in a form that checks neither size nor type."""
    if "Swagger" in node.name:
        return  # it describes what another one takes
    methods = {part.name for part in node.body if isinstance(part, FunctionNode)}
    methods.update(last_name(part.targets[0]) for part in node.body if isinstance(part, ast.Assign))
    for statement in node.body:
        value = statement.value if isinstance(statement, ast.Assign) else None
        if isinstance(value, ast.Call) and last_name(value.func) == "ListField":
            value = next((word.value for word in value.keywords if word.arg == "child"), value)
        if (
            not isinstance(value, ast.Call)
            or not isinstance(value.func, ast.Attribute)
            or value.func.attr != "FileField"
        ):
            continue
        if last_name(value.func.value) not in {"forms", "serializers"} or not isinstance(statement, ast.Assign):
            continue
        if any(word.arg == "read_only" and not is_false(word.value) for word in value.keywords):
            continue  # it is only shown
        name = last_name(statement.targets[0])
        checks = {f"clean_{name}", f"validate_{name}", "clean", "validate"} & methods or any(
            re.match(rf"_?(?:check|clean|validate)_(?:file|upload|{name})", method) for method in methods
        )
        if not checks and not any(keyword.arg == "validators" for keyword in value.keywords):
            message = f"`{name}` takes a file of any size and any kind"
            context.report(UPLOAD, statement, message, symbol=context.symbol_of(node.name))


upload_without_validation = Rule(
    name=UPLOAD,
    gate="P1",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PB-S9",),
    catches="Views that store or read `request.FILES` or an `UploadFile`, and `FileField`s of forms and "
    "serializers, where "
    "neither size nor type is checked.",
    why="The disk fills up, and what is served again as HTML or SVG runs in the browser of the next visitor.",
    fix="Give the field `validators=[FileExtensionValidator(…)]` and a check of the size, and read it through "
    "the form.",
    when="Inside one function or class, outside of tests. Image fields check their content themselves.",
    watches=(
        Watch(
            (ast.FunctionDef, ast.AsyncFunctionDef),
            _on_upload,
            (b"request.FILES", b"request.files", b"UploadFile", b"File("),
            is_product_path,
        ),
        Watch((ast.ClassDef,), _on_form_field, (b"forms.FileField", b"serializers.FileField"), is_product_path),
    ),
    bad=one_file(
        "shop/views.py",
        'def upload(request):\n    file = request.FILES["file"]\n    storage.save(file.name, file)\n',
        "class Upload(forms.Form):\n    file = forms.FileField()\n",
        "@app.post('/files')\nasync def upload(file: UploadFile):\n    data = await file.read()\n    store(data)\n",
        "@app.post('/files')\nasync def upload(file: UploadFile):\n    return {'size': store(await file.read())}\n",
    ),
    good=one_file(
        "shop/views.py",
        "def upload(request):\n    form = UploadForm(request.POST, request.FILES)\n    if form.is_valid():\n"
        "        form.save()\n",
        "def form_of(request, kind):\n    cls = FORMS.get(kind)\n    return cls(request.POST, files=request.FILES)\n",
        'def upload(request):\n    file = request.FILES["file"]\n    if file.size > LIMIT:\n        raise TooLarge\n',
        'def upload(request):\n    file = request.FILES["file"]\n    if exceeding(file):\n        raise TooLarge\n',
        "class Upload(forms.Form):\n    file = forms.FileField(validators=[kind])\n    photo = forms.ImageField()\n",
        "class BillSwaggerSerializer(serializers.Serializer):\n    scan = serializers.FileField()\n",
        "class Bill(serializers.ModelSerializer):\n    scan = serializers.FileField(source='file', read_only=True)\n",
    ),
)

RULES: tuple[Rule, ...] = (csrf_exempt, upload_without_validation)

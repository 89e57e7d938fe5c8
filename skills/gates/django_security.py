"""Rules of the skill django-security about pages and forms: trusted HTML, CSRF, uploads."""

import ast
import re

from skills.gates.context import FileContext, FunctionNode
from skills.gates.example_files import one_file
from skills.gates.local_values import is_literal, values_of
from skills.gates.names import last_name
from skills.gates.roles import is_product_path
from skills.gates.rule import Rule, Watch
from skills.gates.syntax import descendants

SKILL = "django-security"
MARK_SAFE = "unsafe-mark-safe"
CSRF = "csrf-exempt"
UPLOAD = "upload-without-validation"

_TRUSTS = frozenset({"mark_safe", "SafeString", "SafeText", "Markup"})
_ESCAPES = re.compile(
    r"escape|format_html|render|sanit|clean|bleach|nh3|linebreaks|urlize|striptags|truncat|markdown|safe|html_safe|flatatt"
    r"|^esc$|urlencode|slug|highlight|style_defs"
    r"|^(?:int|float|len|str_html|join|static|reverse|dumps|icon|gettext|ngettext|_|pgettext|intcomma|date|count|sum|round|abs|strftime|isoformat)$|media|as_\w+",
    re.I,
)
_TRIMS = frozenset({"strip", "lstrip", "rstrip", "lower", "upper", "title"})
_TRUSTING = (b"mark_safe", b"SafeString", b"SafeText", b"Markup", b"format_html")
_READS = frozenset({"get", "getlist", "read", "save", "copyfileobj", "chunks"})
_CHECKS = re.compile(
    r"size|content_type|valid|ext|mime|magic|suffix|clean|check|allowed|imghdr|splitext|Form\(|erializer\("
)


def _on_trusted(node: ast.Call, context: FileContext) -> None:
    name = last_name(node.func)
    if name == "format_html" and node.args:
        first = node.args[0]
        dynamic = (isinstance(first, ast.JoinedStr | ast.BinOp) or _is_format(first)) and not is_literal(first, context)
        if dynamic and not _escaped(first, context, 0):
            message = "`format_html` is given a finished string: what stands in it is no longer escaped"
            context.report(MARK_SAFE, node, message)
        return
    if name not in _TRUSTS or len(node.args) != 1:
        return
    value = node.args[0]
    if is_literal(value, context) or _escaped(value, context, 0):
        return
    built = isinstance(value, ast.JoinedStr | ast.BinOp) or _is_format(value)
    text = ast.unparse(value)
    text = text if len(text) <= 40 else f"{text[:39]}…"
    message = f"`{name}({text})`: a value in it becomes HTML as it is"
    context.report(
        MARK_SAFE, node, message, severity=None if built else "MEDIUM", confidence="confirmed" if built else "likely"
    )


def _is_format(value: ast.expr) -> bool:
    return (
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Attribute)
        and value.func.attr in {"format", "replace"}
    )


def _escaped(value: ast.expr | None, context: FileContext, depth: int) -> bool:
    """True where each part of a value is literal, escaped, rendered or a number."""
    if value is None or depth > 6:
        return False
    if is_literal(value, context):
        return True
    if isinstance(value, ast.Attribute):
        return bool(re.search(r"html|icon|svg|_safe|css|template", value.attr, re.I))
    pieces: list[ast.expr | None] = []
    if isinstance(value, ast.Name):
        pieces = values_of(value.id, context)
    elif isinstance(value, ast.Call):
        name = last_name(value.func)
        if _is_format(value) and isinstance(value.func, ast.Attribute):
            pieces = [value.func.value, *value.args, *(keyword.value for keyword in value.keywords)]
        elif name == "join" and value.args:
            inner = value.args[0]
            pieces = [inner.elt] if isinstance(inner, ast.GeneratorExp | ast.ListComp) else [inner]
        elif name in _TRIMS and isinstance(value.func, ast.Attribute):
            pieces = [value.func.value]
        else:
            fixed = (
                isinstance(value.func, ast.Name)
                and value.args
                and all(is_literal(part, context) for part in value.args)
            )
            return bool(fixed or _ESCAPES.search(name)) or name[:1].isupper() or name == "super"
    else:
        pieces = _pieces(value)
    return bool(pieces) and all(_escaped(piece, context, depth + 1) for piece in pieces)


def _pieces(value: ast.expr) -> list[ast.expr | None]:
    """What a string is made of."""
    if isinstance(value, ast.BinOp):
        if isinstance(value.op, ast.Mult):
            return [value.left]
        return [value.left, *(value.right.elts if isinstance(value.right, ast.Tuple) else [value.right])]
    if isinstance(value, ast.JoinedStr | ast.BoolOp):
        return [*value.values]
    if isinstance(value, ast.List | ast.Tuple):
        return [*value.elts]
    if isinstance(value, ast.FormattedValue | ast.Await | ast.Starred):
        return [value.value]
    return [value.body, value.orelse] if isinstance(value, ast.IfExp) else []


unsafe_mark_safe = Rule(
    name=MARK_SAFE,
    gate="P1",
    severity="HIGH",
    skill=SKILL,
    sources=("PB-S7",),
    catches="`mark_safe`, `SafeString` and `Markup` around something that is not a literal, and `format_html` around a "
    "string that is already filled in.",
    why="It switches the escaping of templates off: a name with a script in it runs in the browser of whoever "
    "reads it.",
    fix='Write `format_html("<b>{}</b>", name)`; for several, `format_html_join`; for a whole block, a template.',
    when="Where no part of the value is a literal, a number, escaped or rendered in the same function.",
    watches=(Watch((ast.Call,), _on_trusted, _TRUSTING, is_product_path, near=_TRUSTING),),
    bad=one_file(
        "shop/tags.py",
        'def bold(name):\n    return mark_safe(f"<b>{name}</b>")\n',
        'def bold(name):\n    return mark_safe("<b>%s</b>" % name)\n',
        "def bold(order):\n    return mark_safe(order.note)\n",
        'def bold(name):\n    return format_html(f"<b>{name}</b>")\n',
    ),
    good=one_file(
        "shop/tags.py",
        'BR = mark_safe("<br>")\n',
        'def bold(name):\n    return format_html("<b>{}</b>", name)\n',
        'def bold(name):\n    return mark_safe("<b>%s</b>" % escape(name))\n',
        'def total(orders, spam):\n    n = orders.count() - spam.count()\n    return mark_safe(f"<b>{n}</b>")\n',
        'def link(query):\n    return mark_safe("?" + query.urlencode())\n',
        'def stars(n, title):\n    return icon * n + title\n\n\ndef best():\n    return mark_safe(stars(5, "A"))\n',
        'def page(order):\n    html = render_to_string("order.html", {"order": order})\n    return mark_safe(html)\n',
    ),
)


def _on_exempt(node: FunctionNode | ast.ClassDef, context: FileContext) -> None:
    if isinstance(node, FunctionNode) and _changes_nothing(node):
        return
    for decorator in node.decorator_list:
        text = ast.unparse(decorator)
        if "csrf_exempt" in text and not _has_reason(decorator, context):
            symbol = f"{context.symbol}.{node.name}".lstrip(".")
            message = f"{node.name} accepts requests that other sites start, and nothing says why"
            context.report(CSRF, decorator, message, symbol=symbol)


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
    if not isinstance(first, ast.If) or not isinstance(first.body[-1], ast.Return | ast.Raise):
        return False
    test = first.test
    return (
        isinstance(test, ast.Compare)
        and last_name(test.left) == "method"
        and isinstance(test.ops[0], ast.NotEq | ast.NotIn)
        and _only_reads(test.comparators[0])
    )


def _only_reads(methods: ast.expr) -> bool:
    """True for `"GET"` and for lists of nothing but methods that read."""
    listed = methods.elts if isinstance(methods, ast.List | ast.Tuple | ast.Set) else [methods]
    return all(isinstance(one, ast.Constant) and one.value in {"GET", "HEAD", "OPTIONS"} for one in listed)


def _on_exempt_call(node: ast.Call, context: FileContext) -> None:
    """`path("…", csrf_exempt(view))`."""
    if last_name(node.func) == "csrf_exempt" and node.args and not _has_reason(node, context):
        message = f"`{ast.unparse(node.args[0])[:40]}` accepts requests that other sites start, and nothing says why"
        context.report(CSRF, node, message)


def _has_reason(node: ast.expr, context: FileContext) -> bool:
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
    catches="`csrf_exempt` without a comment that gives the reason.",
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
        'urlpatterns = [path("pay", csrf_exempt(pay))]\n',
    ),
    good=one_file(
        "shop/views.py",
        "# The payment service signs each request.\n@csrf_exempt\ndef paid(request):\n    pass\n",
        "@require_POST\ndef pay(request):\n    pass\n",
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
    handed = _handed_to_form(node) if uploads else frozenset[ast.AST]()
    uploads = [part for part in uploads if part not in handed]
    arguments = [*node.args.args, *node.args.kwonlyargs]
    typed = [one for one in arguments if one.annotation is not None and "UploadFile" in ast.unparse(one.annotation)]
    if not uploads and not (typed and node.decorator_list):
        return
    if not _reads_file(node, bool(typed)) or _CHECKS.search(ast.unparse(ast.Module(node.body, []))):
        return
    place: ast.AST = uploads[0] if uploads else typed[0]
    symbol = f"{context.symbol}.{node.name}".lstrip(".")
    message = f"{node.name} takes a file of any size and any kind"
    context.report(UPLOAD, place, message, symbol=symbol, confidence="likely")


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


def _reads_file(node: FunctionNode, typed: bool) -> bool:
    """True where a file of the request is taken out, or something is read in a function that is given one."""
    for part in descendants(node):
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
    methods = {part.name for part in node.body if isinstance(part, FunctionNode)}
    for statement in node.body:
        value = statement.value if isinstance(statement, ast.Assign) else None
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
        checks = {f"clean_{name}", f"validate_{name}", "clean", "validate"} & methods
        if not checks and not any(keyword.arg == "validators" for keyword in value.keywords):
            message = f"`{name}` takes a file of any size and any kind"
            context.report(UPLOAD, statement, message, symbol=f"{context.symbol}.{node.name}".lstrip("."))


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
            (b"request.FILES", b"request.files", b"UploadFile"),
            is_product_path,
        ),
        Watch((ast.ClassDef,), _on_form_field, (b"forms.FileField", b"serializers.FileField"), is_product_path),
    ),
    bad=one_file(
        "shop/views.py",
        'def upload(request):\n    file = request.FILES["file"]\n    storage.save(file.name, file)\n',
        "class Upload(forms.Form):\n    file = forms.FileField()\n",
        "@app.post('/files')\nasync def upload(file: UploadFile):\n    data = await file.read()\n    store(data)\n",
    ),
    good=one_file(
        "shop/views.py",
        "def upload(request):\n    form = UploadForm(request.POST, request.FILES)\n    if form.is_valid():\n"
        "        form.save()\n",
        "def form_of(request, kind):\n    cls = FORMS.get(kind)\n    return cls(request.POST, files=request.FILES)\n",
        'def upload(request):\n    file = request.FILES["file"]\n    if file.size > LIMIT:\n        raise TooLarge\n',
        "class Upload(forms.Form):\n    file = forms.FileField(validators=[kind])\n    photo = forms.ImageField()\n",
        "class Bill(serializers.ModelSerializer):\n    scan = serializers.FileField(source='file', read_only=True)\n",
    ),
)

RULES: tuple[Rule, ...] = (unsafe_mark_safe, csrf_exempt, upload_without_validation)

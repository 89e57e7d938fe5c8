"""The rule upload-without-validation of the skill django-security."""

import ast
import re

from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import descendants, is_singleton, keyword_of, string_of
from skills.gates.example_files import one_file
from skills.gates.rule import Rule, Watch

UPLOAD = "upload-without-validation"
_READS = frozenset({"get", "getlist", "read", "save", "copyfileobj", "chunks"})
_PARSER = b"FileUploadParser"
_KEY = lazy(r"'\w+':")  # what an answer calls its parts is no check
_CHECKS = lazy(
    r"(?<!chunk_)(?<!buffer_)(?<!page_)(?<!re)size|content_type|valid|(?<![a-z])ext(?![a-z])|extension|mime|magic|suffix"
    r"|clean|check|allowed|limit|exceed|imghdr|splitext|Form\(|erializer[.(]|len\(\w+\) >"
    r"|name\.(?:lower\(\)\.)?endswith|name\.r?split\('\.'",
    re.I,
)


def _on_upload(node: FunctionNode, context: FileContext) -> None:
    """A function that reads an uploaded file and looks at nothing but its content."""
    uploads = [
        part
        for part in descendants(node)
        if isinstance(part, ast.Attribute) and part.attr in {"FILES", "files"} and last_name(part.value) == "request"
    ]
    parsed = _parsed_files(node, context)
    uploads += parsed
    handed = _handed_to_form(node) | _handed_to_owner(node, context) if uploads else frozenset[ast.AST]()
    uploads = [part for part in uploads if part not in handed]
    arguments = [*node.args.args, *node.args.kwonlyargs]
    typed = [one for one in arguments if one.annotation is not None and "UploadFile" in ast.unparse(one.annotation)]
    whole = _given_whole(node) if not typed and node.decorator_list else []
    if not uploads and not (typed and node.decorator_list) and not whole:
        return
    typed = typed or whole
    if not (whole or parsed or _reads_file(node, frozenset(one.arg for one in typed))):
        return
    if _CHECKS.search(_KEY.sub("", ast.unparse(ast.Module(node.body, [])))):
        return
    place: ast.AST = uploads[0] if uploads else typed[0]
    symbol = context.symbol_of(node.name)
    message = f"{node.name} takes a file of any size and any kind"
    context.report(UPLOAD, place, message, symbol=symbol, confidence="likely")


def _parsed_files(node: FunctionNode, context: FileContext) -> list[ast.Attribute]:
    """`request.data` where a view of REST framework takes the body as a file, and the function reads it by its key."""
    owner = context.class_scope
    if owner is None or not context.holds(_PARSER):
        return []
    parsers = [part.value for part in owner.body
               if isinstance(part, ast.Assign) and last_name(part.targets[0]) == "parser_classes"]  # fmt: skip
    if not any(last_name(part) == "FileUploadParser" for value in parsers for part in descendants(value)):
        return []
    return [
        part.value
        for part in descendants(node)
        if isinstance(part, ast.Subscript) and isinstance(part.value, ast.Attribute) and part.value.attr == "data"
        and last_name(part.value.value) == "request" and string_of(part.slice) == "file"
    ]  # fmt: skip


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


def _on_form_field(node: ast.ClassDef, context: FileContext) -> None:
    """`forms.FileField()` in a form that checks neither size nor type."""
    if "Swagger" in node.name:
        return  # it describes what another one takes
    methods = {part.name for part in node.body if isinstance(part, FunctionNode)}
    methods.update(last_name(part.targets[0]) for part in node.body if isinstance(part, ast.Assign))
    for statement in node.body:
        value = statement.value if isinstance(statement, ast.Assign) else None
        if isinstance(value, ast.Call) and last_name(value.func) == "ListField":
            value = keyword_of(value, "child") or value
        if (
            not isinstance(value, ast.Call)
            or not isinstance(value.func, ast.Attribute)
            or value.func.attr != "FileField"
        ):
            continue
        if last_name(value.func.value) not in {"forms", "serializers"} or not isinstance(statement, ast.Assign):
            continue
        read_only = keyword_of(value, "read_only")
        if read_only is not None and not is_singleton(read_only, False):
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
    skill="django-security",
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
            (b"request.FILES", b"request.files", b"UploadFile", b"File(", _PARSER),
            is_product_path,
        ),
        Watch((ast.ClassDef,), _on_form_field, (b"forms.FileField", b"serializers.FileField"), is_product_path),
    ),
    bad=one_file(
        "shop/views.py",
        'def upload(request):\n    file = request.FILES["file"]\n    storage.save(file.name, file)\n',
        "class Upload(forms.Form):\n    file = forms.FileField()\n",
        "class Bills(APIView):\n    parser_classes = [FileUploadParser]\n\n    def put(self, request):\n"
        '        bill.scan.save("bill", request.data["file"])\n',
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
        "@app.post('/files')\ndef upload(file: UploadFile):\n    if file.filename.split('.')[-1] != 'zip':\n"
        "        raise Wrong\n    store(file.file)\n",
        "@app.post('/files')\nasync def upload(file: UploadFile):\n    if not file.filename.endswith('.xlsx'):\n"
        "        raise Wrong\n    store(await file.read())\n",
        "class Bills(APIView):\n    parser_classes = [FileUploadParser]\n\n    def put(self, request):\n"
        '        bill.scan.save("bill", checked(request.data["file"]))\n',
        "class Bills(APIView):\n    parser_classes = [JSONParser]\n\n    def put(self, request):\n"
        '        read(request.data["file"])\n',
        "class Upload(forms.Form):\n    file = forms.FileField(validators=[kind])\n    photo = forms.ImageField()\n",
        "class BillSwaggerSerializer(serializers.Serializer):\n    scan = serializers.FileField()\n",
        "class Bill(serializers.ModelSerializer):\n    scan = serializers.FileField(source='file', read_only=True)\n",
    ),
)

RULES: tuple[Rule, ...] = (upload_without_validation,)

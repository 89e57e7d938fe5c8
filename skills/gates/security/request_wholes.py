"""Things of a request of which only single parts are a client's own text: an uploaded file with its name, and a model
of the body with its fields of plain text."""

import ast
from collections.abc import Iterator

from skills.gates.engine.context import FileContext, FunctionNode, Words
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.project import Project
from skills.gates.security.request_data import Origin, default_texts, route_of

UPLOAD, MODEL, FILE_NAME, FIELD = "upload", "model", "file name", "field"
WHOLE = frozenset({UPLOAD, MODEL})
TEXT_FIELDS = "text-fields"
_LAST = frozenset({"name", "stem", "suffix", "suffixes"})
_SPLITS = frozenset({"split", "rsplit", "partition", "rpartition"})
_FILES = lazy(r"^(?:Annotated\[)?(?:Optional\[)?(?:list\[|List\[|Sequence\[)?UploadFile\b")
_CLASS = lazy(r"^(?:Annotated\[)?([A-Z]\w+)\b(?!\[)")
_DEPENDS = lazy(r"(?:Depends|Security|Inject)\(")
_TEXT = lazy(r"^(?:str|str \| None|None \| str|Optional\[str\])$")
_PATTERN = lazy(r"\b(?:pattern|regex|enum)\b")
_ALL_OF_IT = lazy(r"model_validator|root_validator|validator\('\*'")
_NAMED = Words(b".filename")
# One of these stands in every function in which a text decides what is run, opened, fetched or shown.
_HARMS = Words(
    b"open(", b"subprocess", b"httpx", b"requests", b"aiohttp", b"os.", b"shutil", b"FileResponse", b"Path(", b"eval(",
    b"exec(", b"urlopen", b"import_module", b"Template(", b"yaml",
)  # fmt: skip


def whole_parameters(function: FunctionNode, context: FileContext) -> Iterator[tuple[str, Origin]]:
    """The parameters of an endpoint of FastAPI that are files, or models of the body, where something is done that a
    client should not decide about."""
    if route_of(function) is None:
        return
    files = context.mentions(_NAMED, function)
    models = context.holds(b"fastapi") and context.mentions(_HARMS, function)
    if not (files or models):
        return
    defaults = default_texts(function.args)
    for argument in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs):
        hint = ast.unparse(argument.annotation) if argument.annotation is not None else ""
        if _DEPENDS.search(hint) or _DEPENDS.search(defaults.get(argument.arg, "")):
            continue
        named = _CLASS.match(hint)
        if files and _FILES.match(hint):
            yield argument.arg, Origin(UPLOAD, argument, function.lineno)
        elif models and named is not None:
            yield argument.arg, Origin(MODEL, argument, function.lineno, model=named[1])


def part_of(whole: Origin, node: ast.Attribute) -> Origin | None:
    """The origin of a part that holds what a client likes: the name of a file, and maybe a field of a model."""
    if whole.kind == UPLOAD:
        return Origin(FILE_NAME, node, node.lineno) if node.attr == "filename" else None
    return Origin(FIELD, node, node.lineno, model=whole.model)


def field_of(origin: Origin) -> str:
    """`OrderIn.path` of what came from a field of a model of the body, "" for others."""
    known = origin.kind == FIELD and isinstance(origin.node, ast.Attribute)
    return f"{origin.model}.{origin.node.attr}" if known else ""  # type: ignore[attr-defined]


def note_text_fields(node: ast.ClassDef, context: FileContext) -> None:
    """Notes the fields of a model that hold any text: no pattern, no validator looks at it."""
    judged = " ".join(
        ast.unparse(decorator) for part in node.body if isinstance(part, FunctionNode)
        for decorator in part.decorator_list
    )  # fmt: skip
    if _ALL_OF_IT.search(judged) or not node.bases:
        return
    free = [
        part.target.id
        for part in node.body
        if isinstance(part, ast.AnnAssign)
        and isinstance(part.target, ast.Name)
        and _TEXT.match(ast.unparse(part.annotation))
        and not (part.value is not None and _PATTERN.search(ast.unparse(part.value)))
        and f"'{part.target.id}'" not in judged
    ]
    if free:
        context.fact(TEXT_FIELDS, node.name, " ".join(free), node.lineno)


def is_any_text(field: str, project: Project) -> bool:
    """True for `OrderIn.path` where every class of that name has the field, and it takes any text."""
    model, _, name = field.partition(".")
    places = project.named(TEXT_FIELDS, model)
    return bool(places) and all(name in fact.detail.split() for _, fact in places)


def is_led_by(node: ast.AST | None) -> bool:
    """True for `f"{key}_{file.filename}"`: no folder begins with what stands before, so that the name stays in it."""
    before: ast.expr | None = None
    if isinstance(node, ast.JoinedStr) and len(node.values) > 1:
        before = node.values[-2]
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        before = node.left.right if isinstance(node.left, ast.BinOp) else node.left
    if isinstance(before, ast.Constant):
        return not str(before.value).endswith(("/", "\\"))
    return isinstance(before, (ast.FormattedValue, ast.Call))


def is_split(node: ast.expr) -> bool:
    """True for `name.split(".")`, of which one part is what a file ends in."""
    return isinstance(node, ast.Call) and last_name(node.func) in _SPLITS


def is_last_part(node: ast.Attribute) -> bool:
    """True for `Path(name).name` and `Path(name).suffix`: no folder is left of it."""
    return node.attr in _LAST and isinstance(node.value, ast.Call) and last_name(node.value.func).endswith("Path")

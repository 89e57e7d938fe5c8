"""The rule orm-in-response: rows of the database are not the answer, a serializer's or model's output is."""

import ast
import re

from skills.gates.analysis.local_values import Values, local_values, values_of
from skills.gates.analysis.queries import MANAGERS, chain_of
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import dotted, last_name, root_name, shortened
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import descendants, is_singleton
from skills.gates.example_files import one_file
from skills.gates.fastapi.routes import FASTAPI, endpoint_of, session_names
from skills.gates.rule import Rule, Watch

ORM = "orm-in-response"
_ANSWERS = frozenset({"Response", "JsonResponse", "JSONResponse", "jsonify", "HttpResponse", "make_response"})
_LAST_STEPS = frozenset(
    {"get", "get_one", "first", "one", "one_or_none", "all", "scalar_one", "scalar_one_or_none", "scalar", "refresh"}
)


_DATA = frozenset({"Response", "JsonResponse", "JSONResponse", "jsonify"})
_ROW_STEPS = frozenset(
    {"get", "first", "last", "latest", "earliest", "create", "aget", "afirst", "alast", "acreate", "all", "filter",
     "exclude", "order_by", "distinct", "select_related", "prefetch_related", "annotate", "only", "defer"}
)  # fmt: skip


def _on_call(node: ast.Call, context: FileContext) -> None:
    if last_name(node.func) not in _ANSWERS or not node.args:
        return
    what = _raw(node.args[0], context, 0)
    if not what and last_name(node.func) in _DATA:
        what = _row(node.args[0], context, 0)
    if what:
        context.report(ORM, node, f"{what} is returned: every column goes out, and so will the next one")


def _bound(name: ast.Name, context: FileContext) -> ast.expr | None:
    """What a name was bound to last before it is used here, None where that is not written."""
    last = None
    for value in values_of(name.id, context):
        if value is not None and value.lineno > name.lineno:
            break
        last = value
    return last


def _raw(value: ast.expr, context: FileContext, depth: int) -> str:
    """What of a value comes from the database with all its columns, "" where nothing does."""
    if isinstance(value, ast.Name) and depth < 3:
        bound = _bound(value, context)
        return _raw(bound, context, depth + 1) if bound is not None else ""
    if isinstance(value, ast.Attribute):
        return f"`{ast.unparse(value)}`" if value.attr == "__dict__" else ""
    if isinstance(value, ast.Dict):
        return next((found for part in value.values if (found := _raw(part, context, depth + 1))), "")
    if isinstance(value, (ast.ListComp, ast.GeneratorExp)):
        return _raw(value.elt, context, depth + 1)
    return _raw_call(value, context, depth) if isinstance(value, ast.Call) else ""


def _row(value: ast.expr, context: FileContext, depth: int) -> str:
    """A row or rows of Django as they are, "" where there are none."""
    if isinstance(value, ast.Name) and depth < 3:
        bound = _bound(value, context)
        found = _row(bound, context, depth + 1) if bound is not None else ""
        return f"`{value.id}`, a row," if found else ""
    if isinstance(value, ast.Dict):
        return next((found for part in value.values if (found := _row(part, context, depth + 1))), "")
    if isinstance(value, ast.Await):
        return _row(value.value, context, depth)
    if not isinstance(value, ast.Call):
        return ""
    name = last_name(value.func)
    if name in {"list", "tuple"} and len(value.args) == 1:
        return _row(value.args[0], context, depth + 1)
    if name in {"get_object_or_404", "aget_object_or_404", "get_list_or_404"} and isinstance(value.func, ast.Name):
        return f"`{name}(…)`"
    chain = chain_of(value)
    steps = {step for step, _ in chain.calls}
    rows = chain.manager in MANAGERS and bool(chain.model) and bool(steps) and steps <= _ROW_STEPS
    return f"`{chain.model}.{chain.manager}…`" if rows else ""


def _raw_call(value: ast.Call, context: FileContext, depth: int) -> str:
    name = last_name(value.func)
    if name in {"list", "tuple", "dict"} and value.args:
        return _raw(value.args[0], context, depth + 1)
    if (context.resolve(value.func) or "").startswith("django.forms.") and _is_whole(value, context):
        return "`model_to_dict(…)` without fields"
    if name == "vars" and isinstance(value.func, ast.Name) and value.args:
        return "`vars(…)`"
    if name == "serialize" and (context.resolve(value.func) or "").startswith("django.core"):
        return "" if any(keyword.arg == "fields" for keyword in value.keywords) else "`serialize(…)` without fields"
    if name in {"values", "first"} and isinstance(value.func, ast.Attribute):
        chain = chain_of(value)
        steps = [step for step, _ in chain.calls]
        root = _bound(chain.root, context) if steps == ["values"] and isinstance(chain.root, ast.Name) else None
        if isinstance(root, ast.Call) and chain_of(root).manager in MANAGERS and not value.args and not value.keywords:
            return "`.values()` without fields"
        unlimited = [call for step, call in chain.calls if step == "values" and not call.args and not call.keywords]
        if unlimited and steps[-1] in {"values", "first"} and (chain.manager in MANAGERS or len(steps) > 1):
            return "`.values()` without fields"
    return ""


def _is_whole(call: ast.Call, context: FileContext) -> bool:
    """True for `model_to_dict(row)`, whatever it is imported as, without the fields that it is to hold."""
    named = (context.resolve(call.func) or "").endswith(".model_to_dict")
    return named and len(call.args) < 2 and not any(keyword.arg == "fields" for keyword in call.keywords)


def _on_endpoint(node: FunctionNode, context: FileContext) -> None:
    """An endpoint of FastAPI that returns what a session gave it, with no model around."""
    endpoint = endpoint_of(node, context)
    if endpoint is None or not (node.returns is None or _says_nothing(node.returns)):
        return
    model = endpoint.keywords.get("response_model")
    if model is not None and not is_singleton(model, None):
        return
    sessions = session_names(node)
    values = local_values(node, context)
    for part in descendants(ast.Module(node.body, [])):
        if not isinstance(part, ast.Return) or part.value is None:
            continue
        value = next((one for one in _answered(part.value) if _comes_raw(one, sessions, values)
                      or _is_stored(one, node, sessions, values)), None)  # fmt: skip
        if value is not None:
            context.statement = part
            text = shortened(value, 40)
            message = f"`{text}` comes from the database, and no model says what of it goes out"
            context.report(ORM, part, message, symbol=context.symbol_of(node.name))
            return


def _says_nothing(hint: ast.expr) -> bool:
    """True for a return type that lets everything through: `dict`, `dict[str, Any]`, `Any`."""
    return re.fullmatch(r"(?:\w+\.)?(?:[Aa]ny|object|(?:[Dd]ict|[Ll]ist)(?:\[.*\b(?:Any|object|dict)\b.*\])?)",
                        ast.unparse(hint)) is not None  # fmt: skip


def _answered(value: ast.expr) -> list[ast.expr]:
    """What is answered: the value, or each value of a dict that is written out."""
    return value.values if isinstance(value, ast.Dict) else [value]


def _is_stored(value: ast.expr, node: FunctionNode, sessions: frozenset[str], values: Values) -> bool:
    """True for `book` of `book = Book(…)` and `session.add(book)`."""
    made = values.get(value.id, [None])[-1] if isinstance(value, ast.Name) else None
    if not isinstance(value, ast.Name) or not isinstance(made, ast.Call) or not last_name(made.func)[:1].isupper():
        return False
    return any(
        isinstance(part, ast.Call)
        and isinstance(part.func, ast.Attribute)
        and part.func.attr in {"add", "merge", "refresh"}
        and dotted(part.func.value) in sessions
        and any(isinstance(given, ast.Name) and given.id == value.id for given in part.args)
        for part in descendants(node)
    )


def _comes_raw(value: ast.expr, sessions: frozenset[str], values: Values) -> bool:
    made = values.get(value.id, [None])[-1] if isinstance(value, ast.Name) else value
    return made is not None and _is_row(made, sessions, values)


def _is_row(value: ast.expr, sessions: frozenset[str], values: Values) -> bool:
    if isinstance(value, ast.Await):
        value = value.value
    if not isinstance(value, ast.Call) or last_name(value.func) not in _LAST_STEPS:
        return False
    if last_name(value.func) == "scalar" and _COUNTS.search(ast.unparse(value)):
        return False  # a number
    chain = chain_of(value)
    root = root_name(value)
    if not root and _awaited_root(value) in sessions:
        return True
    if root in sessions:
        return len(chain.calls) > 1 or last_name(value.func) in {"get", "get_one", "scalar"}
    made = values.get(root, [None])[-1]
    if isinstance(made, ast.Await):
        made = made.value
    from_session = isinstance(made, ast.Call) and (dotted(made.func) or "").partition(".")[0] in sessions
    return from_session or chain.manager in MANAGERS


_COUNTS = lazy(r"\bfunc\.(?:count|sum|avg|min|max|coalesce|round)\(|\bexists\(")


def _awaited_root(node: ast.expr) -> str:
    """The name at the root of `(await session.execute(…)).scalars().all()`."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call, ast.Await)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


orm_in_response = Rule(
    name=ORM,
    gate="P1",
    severity="HIGH",
    skill="python-backend-orchestrator",
    sources=("PB-G3", "PB-F2", "G3"),
    catches="Answers made of rows as they are, of `model_to_dict`, `.values()` without fields, `__dict__`, `vars` or "
    "Django's `serialize` without fields, and endpoints of FastAPI that return rows without a response model.",
    why="Every column goes out, hashes and internal notes included, and the next migration publishes one more.",
    fix='Name the fields: a serializer, a Pydantic model as `response_model` or return type, or `.values("id", …)`.',
    when="Where the data is given to a response in the same function. Not in tests and migrations.",
    watches=(
        Watch(
            (ast.Call,),
            _on_call,
            (b"Response", b"jsonify"),
            is_product_path,
            near=(b"Response", b"jsonify", b"make_response"),
        ),
        Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_endpoint, FASTAPI, is_product_path),
    ),
    bad=one_file(
        "shop/views.py",
        "from django.forms.models import model_to_dict\n\n\ndef one(request, order):\n"
        "    return JsonResponse(model_to_dict(order))\n",
        "class Orders(APIView):\n    def get(self, request):\n        return Response(Order.objects.all().values())\n",
        "def many(request):\n    rows = list(Order.objects.filter(paid=True).values())\n"
        '    return JsonResponse({"rows": rows})\n',
        "def me(request):\n    return JsonResponse(request.user.__dict__)\n",
        "def many(request):\n    orders = Order.objects.filter(paid=True)\n    return Response(orders.values())\n",
        "def one(request, pk):\n    order = get_object_or_404(Order, pk=pk)\n    return Response(order)\n",
        "def many(request):\n    return JsonResponse(list(Order.objects.filter(paid=True)), safe=False)\n",
        "def one(request, pk):\n    return Response({'order': Order.objects.get(pk=pk)})\n",
        "from django.forms.models import model_to_dict as plain\n\n\ndef one(request, order):\n"
        "    return JsonResponse(plain(order))\n",
        "from fastapi import Depends\n\n\n@router.get('/users/{id}')\n"
        "def user(id: int, db: Session = Depends(get_db)):\n    user = db.query(User).filter(User.id == id).first()\n"
        "    return user\n",
        "from fastapi import Depends\n\n\n@router.get('/users')\n"
        "async def users(db: AsyncSession = Depends(get_db)):\n"
        "    return (await db.execute(select(User))).scalars().all()\n",
        "from fastapi import Depends\n\n\n@router.post('/users')\n"
        "def add(body: UserIn, db: Session = Depends(get_db)):\n    user = User(name=body.name)\n    db.add(user)\n"
        "    db.commit()\n    return user\n",
        "from fastapi import Depends\n\n\n@router.get('/users/{id}', response_model=None)\n"
        "async def user(id: int, db: AsyncSession = Depends(get_db)) -> dict[str, Any]:\n"
        "    user = await db.get(User, id)\n    return {'user': user}\n",
    ),
    good=one_file(
        "shop/views.py",
        'class Orders(APIView):\n    def get(self, request):\n        return Response(Order.objects.values("id"))\n',
        "def one(request, order):\n    return JsonResponse(OrderSerializer(order).data)\n",
        "def one(request, pk):\n    order = get_object_or_404(Order, pk=pk)\n"
        "    return Response({'id': order.pk, 'count': Order.objects.count()})\n",
        "def one(request, pk):\n    return Response(Order.objects.get(pk=pk).as_dict())\n",
        "def names(request):\n    return JsonResponse({'names': list(Order.objects.values('name').order_by('pk'))})\n",
        "def totals(request):\n    return JsonResponse(list(by_day.values()), safe=False)\n",
        "def key(request):\n    if request.method == 'POST':\n        row, key = Key.make()\n"
        "        return Response({'key': key})\n    key = Key.objects.get(user=request.user)\n    key.delete()\n",
        "from fastapi import Depends\n\n\n@router.get('/users/{id}')\n"
        "async def user(id: int, db: AsyncSession = Depends(get_db)):\n"
        "    user = await db.get(User, id)\n    return {'name': user.name, 'found': user is not None}\n",
        "from fastapi import Depends\n\n\n@router.get('/users/count')\n"
        "def count(db: Session = Depends(get_db)):\n    total = db.query(func.count(User.id)).scalar()\n"
        "    return {'total': total}\n",
        "from fastapi import Depends\n\n\n@router.get('/users/{id}', response_model=UserOut)\n"
        "def user(id: int, db: Session = Depends(get_db)):\n    return db.get(User, id)\n",
    ),
)

RULES: tuple[Rule, ...] = (orm_in_response,)

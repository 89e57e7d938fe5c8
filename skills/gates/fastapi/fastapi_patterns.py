"""Rules of the skill fastapi-patterns about what an endpoint takes and answers."""

import ast
import re

from skills.gates.analysis.local_values import Values, local_values
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name, shortened
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import outside_tests
from skills.gates.engine.syntax import descendants, is_singleton
from skills.gates.example_files import one_file
from skills.gates.fastapi.routes import FASTAPI, Endpoint, calls_of, endpoint_of, parameters
from skills.gates.rule import Rule, Watch

SKILL = "fastapi-patterns"
NO_MODEL = "missing-response-model"
UNTYPED = "untyped-body"
UNPAGINATED = "unpaginated-list"

_RAW = frozenset(
    {"Response", "JSONResponse", "HTMLResponse", "RedirectResponse", "StreamingResponse", "FileResponse",
     "PlainTextResponse", "ORJSONResponse", "UJSONResponse", "EventSourceResponse", "TemplateResponse"}
)  # fmt: skip
_LISTS = lazy(r"^(?:list|List|Sequence|Iterable|tuple|set)\[", re.S)
_PAGES = lazy(
    r"limit|offset|page|skip|cursor|per_?page|size|pagina|first|after|before|take|top|count|max_|params|query|filter",
    re.I,
)
_ASKS_FOR_ALL = lazy(
    r"\.all\(|scalars|select\(|\.objects|find\(|\.list\w*\(|get_all|fetch|\b(?:list|find|all|search)_\w+\("
    r"|\bget_(?!access|\w*(?:settings|status|options|choices)\()\w+s\("
)
_SPAN = lazy(
    r"^(?:start|end|since|until|from|to|days|hours|date|day|month|year|period|window)(?:_|$)|_(?:from|to|date)$"
)
_FEW = lazy(r"enum|types?$|status(?:es)?$|options|choices|config|health|settings|categories|languages", re.I)
# What belongs to one thing is a few, but for what comes in day after day.
_OF_ONE = lazy(r"\{[^}]+\}")
_COMES_IN = lazy(
    r"(?:order|event|message|comment|log|payment|transaction|notification|invoice|e?mail|parcel|shipment|visit|post"
    r"|review|record|booking|ticket|job|run|upload|measurement|reading|alert)s(?:\W|_|$)|histor(?:y|ies)|activit(?:y|ies)|entries",
    re.I,
)
_RECEIPT = frozenset({"status", "message", "detail", "ok", "success", "result", "msg", "state", "error", "version"})
_PROBES = lazy(r"health|ping|live|ready|alive|probe|heartbeat|status|version", re.I)
_UNTYPED = lazy(
    r"['\"]?(?:(?:\w+\.)?(?:Annotated|Optional|Union|list|List|Sequence)\[)*(?:None \| )?"
    r"(?:\w+\.)?(?:dict|Dict|Any|Mapping|object|JSON\w*)\b"
)

# `dict[UUID, int]`: what it says of each value is checked
_TYPED_MAPPING = lazy(
    r"(?:dict|Dict|Mapping)\[\w+, (?:int|float|bool|Decimal|UUID|date|datetime|Literal\b.*|[A-Z]\w*(?<!Any))\]"
)


def _on_unmodelled(node: FunctionNode, context: FileContext) -> None:
    endpoint = endpoint_of(node, context)
    if endpoint is None or node.returns is not None or _has_model(endpoint):
        return
    returned = _returned(node)
    if returned and all(_is_raw(value, local_values(node, context)) for value in returned):
        return
    if not returned and isinstance(node.body[-1], ast.Raise):
        return
    if returned and _is_tiny(returned) and _PROBES.search(f"{endpoint.path} {node.name}"):
        return
    message = f"the endpoint {node.name} does not say what it returns"
    context.report(NO_MODEL, node, message, symbol=context.symbol_of(node.name), parts=context.frame(node))


def _has_model(endpoint: Endpoint) -> bool:
    keywords = endpoint.keywords
    if "response_model" in keywords or "response_class" in keywords:
        return True
    status = keywords.get("status_code")
    if is_singleton(keywords.get("include_in_schema"), False):
        return True
    return status is not None and "204" in ast.unparse(status)


def _returned(node: FunctionNode) -> list[ast.expr]:
    """The values that the function itself returns, `None` left out."""
    found: list[ast.expr] = []
    stack: list[ast.AST] = [*node.body]
    while stack:
        part = stack.pop()
        if isinstance(part, ast.Return) and part.value is not None:
            if not is_singleton(part.value, None):
                found.append(part.value)
        elif not isinstance(part, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.expr)):
            stack.extend(ast.iter_child_nodes(part))
    return found


def _is_raw(value: ast.expr, values: Values) -> bool:
    """True for a response that is finished already: `RedirectResponse(…)`, `await page.get_response()`."""
    if isinstance(value, ast.Await):
        value = value.value
    bound = values.get(value.id, []) if isinstance(value, ast.Name) else []
    if bound:
        return all(made is not None and not isinstance(made, ast.Name) and _is_raw(made, values) for made in bound)
    name = last_name(value.func) if isinstance(value, ast.Call) else ""
    return name in _RAW or name.endswith(("Response", "_response")) or name == "render"


def _is_tiny(returned: list[ast.expr]) -> bool:
    """`{"status": "ok"}`, which says no more to a probe than its status code does."""
    return all(
        isinstance(value, ast.Dict)
        and len(value.values) <= 2
        and all(isinstance(part, ast.Constant) for part in value.values)
        and all(isinstance(key, ast.Constant) and key.value in _RECEIPT for key in value.keys)
        and value.keys
        for value in returned
    )


missing_response_model = Rule(
    name=NO_MODEL,
    gate="P1",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PB-F1", "PB-G2"),
    catches="Endpoints without `response_model` and without a return annotation.",
    why="Whatever the function returns goes out, new columns included, and the OpenAPI document says nothing about it.",
    fix="Annotate the return type with a Pydantic model, or pass `response_model=…` in the decorator.",
    when="In functions with a decorator of a router or app; raw responses, answers to probes, 204 and hidden "
    "endpoints "
    "are left out.",
    watches=(Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_unmodelled, FASTAPI, outside_tests),),
    bad=one_file(
        "shop/routes.py",
        "from fastapi import APIRouter\n\n\n@router.get('/orders/{id}')\nasync def one(id: int):\n"
        "    return await orders.get(id)\n",
        "from fastapi import APIRouter\n\n\n@router.get('/defaults')\ndef defaults():\n    return {'size': 3}\n",
        "from fastapi import FastAPI\n\n\n@app.get('/')\ndef root():\n    return {'message': 'Hello'}\n",
        "from fastapi import FastAPI\n\n\n@app.delete('/orders/{id}')\ndef drop(id: int):\n    orders.drop(id)\n",
        "from fastapi import APIRouter\n\n\ndef build():\n    inner = APIRouter()\n\n    @inner.get('/orders/{id}')\n"
        "    def one(id: int):\n        return orders.get(id)\n\n    return inner\n",
        "from fastapi import APIRouter\n\n\ndef one(id: int):\n    return orders.get(id)\n\n\n"
        "router.add_api_route('/orders/{id}', one, methods=['GET'])\n",
        "from fastapi import APIRouter\n\n\ndef add_to(router):\n    def one(id: int):\n"
        "        return orders.get(id)\n\n    router.add_api_route('/orders/{id}', one)\n",
    ),
    good=one_file(
        "shop/routes.py",
        "from fastapi import APIRouter\n\n\n@router.get('/out')\nasync def leave(page: Page):\n"
        "    answer = RedirectResponse('/')\n    if page.wrong:\n        return await page.get_error_response()\n"
        "    return answer\n",
        "from fastapi import APIRouter\n\n\n@router.get('/orders/{id}')\nasync def one(id: int) -> OrderOut:\n"
        "    return await orders.get(id)\n\n\n@router.get('/x', response_model=X)\ndef x():\n    return y\n\n\n"
        "@router.get('/health')\ndef health():\n    return {'status': 'ok'}\n\n\n@router.get('/page')\ndef page():\n"
        "    return HTMLResponse(text)\n\n\n@router.delete('/y', status_code=204)\ndef y():\n    return gone()\n",
    ),
)


def _on_body(node: FunctionNode, context: FileContext) -> None:
    endpoint = endpoint_of(node, context)
    if endpoint is None:
        return
    requests = set()
    for parameter, default in parameters(node):
        hint = ast.unparse(parameter.annotation) if parameter.annotation is not None else ""
        if last_name(parameter.annotation or node) == "Request":
            requests.add(parameter.arg)
        if list(calls_of(default, "Depends", "Query", "Header", "Path", "Cookie", "Security")) or "Depends" in hint:
            continue
        body = bool(list(calls_of(default, "Body")) or "Body(" in hint)
        untyped = _UNTYPED.match(hint) and not _TYPED_MAPPING.search(hint)
        if untyped and (body or endpoint.verb != "get"):
            message = f"`{parameter.arg}: {hint}`: the body of {node.name} may be anything"
            context.report(UNTYPED, parameter, message, symbol=context.symbol_of(node.name))
            return
    if (
        endpoint.verb in {"post", "put", "patch"}
        and requests
        and "webhook" not in f"{node.name} {endpoint.path}".lower()
    ):
        _on_request_json(node, requests, context)


def _on_request_json(node: FunctionNode, requests: set[str], context: FileContext) -> None:
    for part in descendants(ast.Module(node.body, [])):
        if not isinstance(part, ast.Call):
            continue
        read = part.func
        if last_name(read) == "loads" and part.args and not _is_signed(node):  # `json.loads(await request.body())`
            given: ast.expr | None = part.args[0]
            if isinstance(given, ast.Name):
                given = local_values(node, context).get(given.id, [None])[-1]
            read = given.value.func if isinstance(given, ast.Await) and isinstance(given.value, ast.Call) else read
        if isinstance(read, ast.Attribute) and read.attr in ({"json"} if read is part.func else {"body", "json"}):
            owner = read.value
            if isinstance(owner, ast.Name) and owner.id in requests and not _validated(node):
                message = f"the body of {node.name} is read as `{shortened(part, 50)}`, past every model"
                context.report(UNTYPED, part, message, symbol=context.symbol_of(node.name))
                return


_VALIDATES = frozenset({"model_validate", "parse_obj", "validate_python", "TypeAdapter", "validate"})


def _validated(node: FunctionNode) -> bool:
    """True where the JSON is given to a model in the same function, by name or as `Order(**body)`."""
    return any(
        isinstance(part, ast.Call) and (_is_filled(part) or last_name(part.func) in _VALIDATES)
        for part in descendants(node)
    )


def _is_signed(node: FunctionNode) -> bool:
    """True where the bytes of the body are what a signature is of."""
    return any(
        isinstance(part, ast.Call)
        and re.search(r"verif|signature|hmac|compare_digest|hub_sign", ast.unparse(part.func), re.I)
        for part in descendants(node)
    )


def _is_filled(call: ast.Call) -> bool:
    return last_name(call.func)[:1].isupper() and any(word.arg is None for word in call.keywords)


untyped_body = Rule(
    name=UNTYPED,
    gate="P1",
    severity="HIGH",
    skill=SKILL,
    sources=("PB-F3", "PB-G2"),
    catches="Endpoints whose body is a `dict`, `Any` or `await request.json()`.",
    why="Nothing checks it, nothing documents it, and the first wrong key is an error 500.",
    fix="Write a Pydantic model of the body and annotate the parameter with it.",
    when="In functions with a decorator of a router or app; webhooks, whose body is signed as it is, may read "
    "the request.",
    watches=(Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_body, FASTAPI, outside_tests),),
    bad=one_file(
        "shop/routes.py",
        "from fastapi import APIRouter\n\n\n@router.post('/orders')\ndef place(order: dict) -> None:\n"
        "    save(order)\n",
        "from fastapi import APIRouter, Request\n\n\n@router.post('/orders')\n"
        "async def place(request: Request) -> None:\n    save(await request.json())\n",
        "from fastapi import APIRouter, Request\n\n\n@router.post('/orders')\n"
        "async def place(request: Request) -> None:\n    save(json.loads(await request.body()))\n",
        "from fastapi import APIRouter, Request\n\n\n@router.post('/orders')\n"
        "async def place(request: Request) -> None:\n    raw = await request.body()\n    save(json.loads(raw))\n",
        "from fastapi import FastAPI\n\n\n@app.post('/x')\ndef x(row: 'dict') -> None:\n    save(row)\n",
        "from fastapi import Body\n\n\n@app.put('/x')\ndef x(y: Any = Body(...)) -> None:\n    save(y)\n",
        "from fastapi import FastAPI\n\n\n@app.post('/x')\ndef x(row: Dict[str, Any]) -> None:\n    save(row)\n",
        "from fastapi import FastAPI\n\n\n@app.post('/x')\ndef x(rows: list[dict]) -> None:\n    save(rows)\n",
        "from fastapi import FastAPI\n\n\n@app.post('/x')\ndef x(row: Optional[dict] = None) -> None:\n    save(row)\n",
    ),
    good=one_file(
        "shop/routes.py",
        "from fastapi import APIRouter\n\n\n@router.post('/orders')\ndef place(order: OrderIn) -> None:\n"
        "    save(order)\n",
        "from fastapi import Depends\n\n\n@router.post('/orders')\n"
        "def place(order: OrderIn, user: dict = Depends(get_user)) -> None:\n    save(order)\n",
        "from fastapi import FastAPI\n\n\n@app.post('/x')\ndef x(places: dict[UUID, int]) -> None:\n    save(places)\n",
        "from fastapi import Request\n\n\n@router.post('/orders')\nasync def place(request: Request) -> None:\n"
        "    save(OrderIn(**await request.json()))\n",
        "from fastapi import Request\n\n\n@router.post('/pushed')\nasync def pushed(request: Request) -> None:\n"
        "    raw = await request.body()\n    verify_signature(raw, request.headers)\n    save(json.loads(raw))\n",
        "from fastapi import Request\n\n\n@router.post('/webhooks/pay')\nasync def paid(request: Request) -> None:\n"
        "    check(await request.json())\n",
    ),
)


def _on_list(node: FunctionNode, context: FileContext) -> None:
    endpoint = endpoint_of(node, context)
    if endpoint is None or endpoint.verb != "get":
        return
    model = endpoint.keywords.get("response_model") or node.returns
    listed = _returns_rows(node, context) if model is None else _LISTS.match(ast.unparse(model)) is not None
    if not listed or _FEW.search(endpoint.path):
        return
    listed_last = endpoint.path.rpartition("}")[2]
    if _OF_ONE.search(endpoint.path) and not _COMES_IN.search(f"{listed_last} {node.name}"):
        return
    text = " ".join(
        f"{parameter.arg} {ast.unparse(parameter.annotation) if parameter.annotation else ''} "
        f"{ast.unparse(default) if default is not None else ''}"
        for parameter, default in parameters(node)
    )
    body = ast.unparse(ast.Module(node.body, []))
    if _PAGES.search(text) or re.search(r"\blimit\b|paginat|\[:\d+\]|islice", body):
        return
    if re.search(r"\b(?:\w+_)?ids\b", text) or any(_SPAN.search(parameter.arg) for parameter, _ in parameters(node)):
        return  # as many as were asked for, or as a span of time has
    if not _ASKS_FOR_ALL.search(body):
        return
    message = f"the list of {node.name} has no limit: it grows with the table"
    symbol, header = context.symbol_of(node.name), context.header(node)
    context.report(UNPAGINATED, node, message, symbol=symbol, confidence="likely", parts=header)


def _returns_rows(node: FunctionNode, context: FileContext) -> bool:
    """True where an endpoint without a model returns all rows of a query: `db.query(Order).all()`."""
    values = local_values(node, context)
    for value in _returned(node):
        made = values.get(value.id, [None])[-1] if isinstance(value, ast.Name) else value
        made = made.value if isinstance(made, ast.Await) else made
        if isinstance(made, ast.Call) and last_name(made.func) in {"all", "fetchall", "fetch_all", "to_list"}:
            return True
    return False


unpaginated_list = Rule(
    name=UNPAGINATED,
    gate="P1",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PB-F7",),
    catches="GET endpoints that answer a list of rows and take neither limit, offset, page nor cursor.",
    why="It is fast with today's rows. Later one request reads the whole table into memory.",
    fix="Take `limit` (with a maximum) and `offset` or a cursor, and give them to the query.",
    when="Where the answer is a list, by its model or by the query that is returned, and the function asks for all "
    "rows; lists that belong to one row, but for orders, events and what else comes in day after day, and lists of "
    "kinds and settings are left out.",
    watches=(Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_list, FASTAPI, outside_tests),),
    bad=one_file(
        "shop/routes.py",
        "from fastapi import Depends\n\n\n@router.get('/orders', response_model=list[OrderOut])\n"
        "def orders(db: Session = Depends(get_db)):\n    return db.query(Order).all()\n",
        "from fastapi import Depends\n\n\n@router.get('/orders')\n"
        "async def orders(db: Session = Depends(get_db)) -> list[OrderOut]:\n    return await list_orders(db)\n",
        "from fastapi import Depends\n\n\n@router.get('/shops/{id}/orders')\n"
        "def orders(id: int, db: Session = Depends(get_db)) -> list[OrderOut]:\n"
        "    return db.query(Order).filter(Order.shop == id).all()\n",
        "from fastapi import Depends\n\n\n@router.get('/orders')\n"
        "def orders(db: Session = Depends(get_db)):\n    rows = db.query(Order).all()\n    return rows\n",
    ),
    good=one_file(
        "shop/routes.py",
        "from fastapi import Depends\n\n\n@router.get('/orders')\n"
        "def orders(limit: int = 50, db: Session = Depends(get_db)) -> list[OrderOut]:\n"
        "    return db.query(Order).limit(limit).all()\n\n\n@router.get('/some')\n"
        "def some(order_ids: list[int] = Query()) -> list[OrderOut]:\n"
        "    return db.query(Order).filter(Order.id.in_(order_ids)).all()\n\n\n@router.get('/sums')\n"
        "def sums(start: date, end: date) -> list[Sum]:\n    return fetch_sums(start, end)\n\n\n"
        "@router.get('/domains')\ndef domains() -> list[str]:\n    return get_mail_settings().domains\n\n\n"
        "@router.get('/orders/{id}/lines')\n"
        "def lines(id: int) -> list[LineOut]:\n    return lines_of(id).all()\n",
    ),
)


RULES: tuple[Rule, ...] = (missing_response_model, untyped_body, unpaginated_list)

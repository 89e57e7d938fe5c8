"""Rules of the skill fastapi-patterns about layers: what routers do, when a session commits, one framework."""

import ast
import re

from skills.gates.analysis.effects import on_rows, outbound, shown_chain
from skills.gates.analysis.local_values import Values, local_values, own_nodes
from skills.gates.analysis.queries import chain_of
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import dotted, last_name, root_name, shortened
from skills.gates.engine.roles import outside_tests
from skills.gates.engine.syntax import descendants, statements
from skills.gates.example_files import one_file
from skills.gates.fastapi.routes import FASTAPI, endpoint_of, session_names
from skills.gates.fastapi.statements import changed_row, from_session, writing_document, writing_statement
from skills.gates.rule import Rule, Watch

SKILL = "fastapi-patterns"
ROUTER = "logic-in-router"
COMMIT = "commit-after-yield"
MIXED = "mixed-frameworks"

_SESSION_WRITES = frozenset(
    {"add", "add_all", "delete", "merge", "bulk_save_objects", "bulk_insert_mappings", "bulk_update_mappings"}
)
_SESSION_READS = frozenset(
    {"execute", "exec", "scalar", "scalars", "query", "get", "get_one", "stream", "stream_scalars"}
)
_LARGE = frozenset(
    {"join", "outerjoin", "group_by", "having", "subquery", "union", "union_all", "with_for_update", "cte", "over",
     "case", "aliased", "select_from", "intersect", "except_"}
)  # fmt: skip
_ROW_WRITES = frozenset({"create", "update", "delete", "bulk_create", "get_or_create", "update_or_create", "acreate"})
_TRIVIAL_READS = 2


def _on_endpoint(node: FunctionNode, context: FileContext) -> None:
    endpoint = endpoint_of(node, context)
    if endpoint is None:
        return
    sessions = session_names(node)
    values = local_values(node, context)
    reads: list[ast.Call] = []
    effects: list[tuple[ast.Call | ast.stmt, str]] = []
    context.scopes.append(node)  # what its parameters are is asked below
    for part in descendants(ast.Module(node.body, [])):
        if isinstance(part, ast.Call):
            effect = _effect(part, sessions, values, context)
            if effect:
                effects.append((part, effect))
            elif _is_read(part, sessions):
                reads.append(part)
    context.scopes.pop()
    if not effects and (changed := changed_row(node, sessions, values)):
        effects.append(changed)
    large = next((name for call in reads if (name := _large(call, node))), "")
    large = large or (_large_chain(node, sessions, values) if reads else "")
    if not effects and reads and (len(reads) > _TRIVIAL_READS or large):
        what = f"a query with `{large}`" if large else f"{len(reads)} queries"
        effects.append((reads[0], what))
    if effects:
        call, what = effects[0]
        more = f", and {len(effects) - 1} more" if len(effects) > 1 else ""
        statement = context.statement
        context.statement = _statement_of(node, call)
        context.report(ROUTER, call, f"{what}{more} in the endpoint {node.name}", symbol=context.symbol_of(node.name))
        context.statement = statement


def _statement_of(function: FunctionNode, call: ast.Call | ast.stmt) -> ast.stmt:
    found: ast.stmt = function
    for statement in statements(function):
        if statement.lineno <= call.lineno <= (statement.end_lineno or statement.lineno):
            found = statement
    return found


def _effect(call: ast.Call, sessions: frozenset[str], values: Values, context: FileContext) -> str:
    """What a call of an endpoint writes or asks of others, "" for all else."""
    function, name = call.func, last_name(call.func)
    if isinstance(function, ast.Attribute):
        owner = dotted(function.value) or ""
        if owner in sessions and name in _SESSION_WRITES:
            return f"`{owner}.{name}(…)` writes"
        if written := writing_statement(call, values):
            return f"`{owner or '…'}.{name}({written})` writes"
        if writing_document(call):
            return f"`{shortened(function, 40)}(…)` writes"
        chain = chain_of(call)
        # `user_manager.create(…)` asks a service: without Django nothing else is called a manager.
        service = not chain.manager and last_name(chain.root).lower().endswith("manager")
        if name in _ROW_WRITES and not service and on_rows(chain, context):
            return f"{shown_chain(chain)} writes"
        if name in {"update", "delete"} and sessions and last_name(chain.root) in sessions and len(chain.calls) > 1:
            return f"{shown_chain(chain)} writes"
    other = outbound(function, name, context)
    return other[0] if other is not None else ""


def _is_read(call: ast.Call, sessions: frozenset[str]) -> bool:
    function = call.func
    return (
        isinstance(function, ast.Attribute) and function.attr in _SESSION_READS and dotted(function.value) in sessions
    )


def _large(call: ast.Call, function: FunctionNode) -> str:
    """The first word of a query that is more than a trivial one, the query's own name followed to where it is made."""
    asked = [*call.args]
    names = {part.id for part in call.args if isinstance(part, ast.Name)}
    for statement in statements(function) if names else ():
        if isinstance(statement, ast.Assign) and any(last_name(target) in names for target in statement.targets):
            asked.append(statement.value)
    for argument in asked:
        for part in descendants(argument):
            if isinstance(part, ast.Call) and last_name(part.func) in _LARGE:
                return last_name(part.func)
    return ""


def _large_chain(function: FunctionNode, sessions: frozenset[str], values: Values) -> str:
    """The same of what follows a query: `db.query(Order).join(Shop)`, also by way of a name."""
    for part in descendants(ast.Module(function.body, [])):
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr in _LARGE:
            root = root_name(part.func.value)
            if root in sessions or any(made and from_session(made, sessions) for made in values.get(root, ())):
                return part.func.attr
    return ""


logic_in_router = Rule(
    name=ROUTER,
    gate="P1",
    severity="HIGH",
    skill=SKILL,
    sources=("PB-F12", "BN-S2", "PB-G1"),
    catches="Endpoints of FastAPI that write to the database, call other services, or ask more than a trivial "
    "question.",
    why="What an endpoint does can only be reached through a request: a task or a second endpoint copies it, and "
    "it can only be tested with a client and a database.",
    fix="Move it into a function of a service or repository that takes the session and plain values; the endpoint "
    "parses, calls and answers.",
    when="In functions with a decorator of a router or app, once for each. Up to two plain reads are allowed.",
    watches=(Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_endpoint, FASTAPI, outside_tests),),
    bad=one_file(
        "shop/routes.py",
        "from fastapi import Depends\n\n\n@router.post('/orders')\n"
        "def place(order: OrderIn, db: Session = Depends(get_db)) -> Order:\n    row = Order(**order.dict())\n"
        "    db.add(row)\n    db.commit()\n    return row\n",
        "import httpx\nfrom fastapi import APIRouter\n\nrouter = APIRouter()\n\n\n@router.get('/rates')\n"
        "def rates() -> Rates:\n    return httpx.get('https://rates.example').json()\n",
        "import httpx\nfrom fastapi import APIRouter, Depends\n\nrouter = APIRouter()\n\n\n@router.get('/rates')\n"
        "async def rates(client: httpx.AsyncClient = Depends(get_client)) -> Rates:\n"
        "    return (await client.get('https://rates.example')).json()\n",
        "from fastapi import Depends\n\n\n@app.get('/top')\nasync def top(session: SessionDep) -> Top:\n"
        "    return await session.execute(select(Order).join(Shop).group_by(Shop.id))\n",
        "from fastapi import Depends\n\n\n@app.get('/top')\ndef top(db: Session = Depends(get_db)) -> Top:\n"
        "    return db.query(Order).join(Shop).group_by(Shop.id).all()\n",
        "from fastapi import Depends\n\n\n@app.get('/top')\ndef top(db: Session = Depends(get_db)) -> Top:\n"
        "    rows = db.query(Order).filter(Order.paid)\n    return rows.join(Shop).first()\n",
        "from fastapi import FastAPI\n\n\n@app.put('/orders/{id}')\nasync def pay(id: int, db: AsyncSession) -> Out:\n"
        "    order = await db.get(Order, id)\n    order.paid = True\n    await db.commit()\n    return order\n",
        "from fastapi import FastAPI\n\n\n@app.patch('/orders/{id}')\ndef change(id: int, new: In, db: Db) -> Out:\n"
        "    order = db.get(Order, id)\n    for key, value in new:\n        setattr(order, key, value)\n"
        "    db.commit()\n    return order\n",
        "from fastapi import FastAPI\n\n\n@app.post('/orders')\nasync def place(order: In) -> None:\n"
        "    await mongo.shop.orders.insert_one(order.model_dump())\n",
        "from fastapi import FastAPI\n\n\n@app.delete('/orders')\nasync def clear(db: AsyncSession) -> None:\n"
        "    await db.execute(delete(Order).where(Order.old))\n",
        "from fastapi import FastAPI\n\n\n@app.post('/orders')\nasync def place(order: In, db: AsyncSession) -> Out:\n"
        "    query = insert(Order).values(**order.dict()).returning(Order)\n    return await db.scalar(query)\n",
        "from fastapi import FastAPI\nfrom shop.db import database, orders\n\n\n@app.post('/orders')\n"
        "async def place(order: In) -> None:\n    await database.execute(query=orders.insert(), values=order.dict())\n",
        "from fastapi import FastAPI\n\n\n@app.put('/orders/{id}')\nasync def pay(id: int, db: AsyncSession) -> None:\n"
        "    await db.execute(text('UPDATE orders SET paid = true WHERE id = :id'), {'id': id})\n",
    ),
    good=one_file(
        "shop/routes.py",
        "from fastapi import Depends\n\n\n@router.post('/orders')\n"
        "def place(order: OrderIn, db: Session = Depends(get_db)) -> Order:\n    return orders.place(db, order)\n",
        "from fastapi import Depends\n\n\n@router.get('/orders/{id}')\n"
        "def one(id: int, db: Session = Depends(get_db)) -> Order:\n    return db.get(Order, id)\n",
        "from fastapi import Depends\n\n\n@router.put('/orders/{id}')\n"
        "def pay(id: int, db: Session = Depends(get_db)) -> Order:\n    order = orders.pay(db, id)\n    db.commit()\n"
        "    return order\n",
        "from fastapi import Depends\n\n\n@router.get('/orders')\n"
        "def some(page: int, db: Session = Depends(get_db)) -> Orders:\n    names = ', '.join(['a', 'b'])\n"
        "    return db.query(Order).filter(Order.name == names).order_by(Order.id).offset(page).all()\n",
        "from fastapi import Depends\n\n\ndef save(db: Session, row):\n    db.add(row)\n",
        "from fastapi import Depends\n\n\n@router.post('/users')\n"
        "async def join(user: UserIn, user_manager: UserManager = Depends(get_manager)) -> User:\n"
        "    return await user_manager.create(user)\n",
        "from fastapi import Depends\n\n\n@router.get('/orders/{id}')\n"
        "async def one(id: int, db: AsyncSession = Depends(get_db)) -> Order:\n"
        "    rows = await db.execute(text('SELECT * FROM orders WHERE id = :id'), {'id': id})\n"
        "    return Order.model_validate(rows.one())\n",
        "from fastapi import Depends\n\n\n@router.put('/orders')\nasync def put(new: In, db: Db) -> None:\n"
        "    await order_repo.update_one(new)\n    setattr(new, 'seen', True)\n    db.commit()\n",
        "import httpx\nfrom fastapi import APIRouter, Depends\n\nrouter = APIRouter()\n\n\n@router.get('/rates')\n"
        "async def rates(told: httpx.Headers = Depends(get_headers)) -> Rates:\n    return Rates(told.get('x'))\n",
        "from fastapi import Depends\n\n\n@router.get('/x')\ndef x(seen: set) -> None:\n    seen.add(1)\n",
        "from fastapi import Depends\n\n\n@router.get('/me')\ndef me(told: dict = Depends(active_session)) -> Me:\n"
        "    return Me(id=told.get('sub'), name=told.get('name'), role=told.get('role'))\n",
    ),
)


def _on_generator(node: FunctionNode, context: FileContext) -> None:
    names = " ".join(last_name(part) for part in node.decorator_list)
    if re.search(r"contextmanager|fixture", names):
        return
    own = list(own_nodes(node, context))  # a function inside hands out something of its own
    yielded = [part for part in own if isinstance(part, ast.Yield)]
    if len(yielded) != 1 or yielded[0].value is None:
        return
    owners = {dotted(yielded[0].value)}
    block = _begun(node, yielded[0])
    if block is not None:
        message = f"`{shortened(block, 40)}` commits after `yield`: the client has already read a success"
        context.report(COMMIT, block, message, symbol=context.symbol_of(node.name))
        return
    if not _is_dependency(node, context) and (owners == {None} or _is_looped(yielded[0], node)):
        return
    for part in own:
        if isinstance(part, ast.Call) and last_name(part.func) == "commit" and isinstance(part.func, ast.Attribute):
            owner = dotted(part.func.value)
            named = re.search("session|db|conn", owner or "", re.I) and _is_dependency(node, context)
            if part.lineno > yielded[0].lineno and (owner in owners or named):
                message = f"`{owner}.commit()` after `yield`: where it fails, the client has already read a success"
                context.report(COMMIT, part, message, symbol=context.symbol_of(node.name))
                return


def _begun(function: FunctionNode, handed_out: ast.Yield) -> ast.expr | None:
    """The `Session.begin()` of a `with` that commits when the `yield` in it is over, None without one."""
    for part in statements(function):
        if isinstance(part, (ast.With, ast.AsyncWith)) and part.lineno < handed_out.lineno <= (part.end_lineno or 0):
            for item in part.items:
                begun, given = item.context_expr, item.optional_vars
                if not (isinstance(begun, ast.Call) and isinstance(begun.func, ast.Attribute)):
                    continue
                session = begun.func.value if given is None else given
                if begun.func.attr == "begin" and ast.unparse(session) == ast.unparse(handed_out.value or begun):
                    return begun
    return None


def _is_looped(node: ast.Yield, function: FunctionNode) -> bool:
    return any(
        isinstance(part, (ast.For, ast.AsyncFor, ast.While))
        and part.lineno <= node.lineno <= (part.end_lineno or part.lineno)
        for part in statements(function)
    )


def _is_dependency(node: FunctionNode, context: FileContext) -> bool:
    """True for generators that hand out a session to endpoints."""
    if re.search(
        r"(?:^|_)(?:db|session|database|uow|unit_of_work|transaction|conn|connection)(?:_|$)", node.name, re.I
    ):
        return True
    return re.search(rb"Depends\(\s*%s\b" % node.name.encode(), context.source) is not None


commit_after_yield = Rule(
    name=COMMIT,
    gate="P1",
    severity="HIGH",
    skill=SKILL,
    sources=("PB-F13", "X-PB-6"),
    catches="Dependencies that commit after their `yield`.",
    why="What stands after `yield` runs once the answer is on its way: where the commit fails, nothing is stored and "
    "the client was told that it was.",
    fix="Commit in the service or the endpoint before it returns; after `yield` only roll back and close.",
    when="In generators without a decorator that hand out a session or connection, or what they commit; not in "
    "context managers, fixtures and tests.",
    watches=(
        Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_generator, (b".commit()", b".begin()"), outside_tests),
    ),
    bad=one_file(
        "shop/db.py",
        "def get_db():\n    db = SessionLocal()\n    try:\n        yield db\n        db.commit()\n    finally:\n"
        "        db.close()\n",
        "async def get_session():\n    async with maker() as session:\n        yield session\n"
        "        await session.commit()\n",
        "def provide():\n    work = UnitOfWork()\n    try:\n        yield work\n    except Exception:\n"
        "        work.rollback()\n        raise\n    else:\n        work.commit()\n",
        "async def get_session():\n    async with maker.begin() as session:\n        yield session\n",
        "async def get_session():\n    async with maker() as session, session.begin():\n        yield session\n",
    ),
    good=one_file(
        "shop/db.py",
        "def get_db():\n    db = SessionLocal()\n    try:\n        yield db\n    except Exception:\n"
        "        db.rollback()\n        raise\n    finally:\n        db.close()\n",
        "@contextmanager\ndef session_scope():\n    session = Session()\n    yield session\n    session.commit()\n",
        "def run():\n    @contextmanager\n    def scope():\n        session = Session()\n        yield session\n"
        "        session.commit()\n\n    with scope() as session:\n        work(session)\n",
        "def get_db_rows():\n    for row in rows:\n        yield row\n    log.commit()\n",
    ),
)

_MOUNTS = ("django.core.asgi", "django.core.wsgi", "django.core.handlers")


def _on_mixed(node: ast.Module, context: FileContext) -> None:
    imports: dict[str, ast.stmt] = {}
    hints = [part for part in statements(node) if isinstance(part, ast.If) and last_name(part.test) == "TYPE_CHECKING"]
    for statement in statements(node):
        if any(statement in part.body for part in hints):
            continue
        modules: list[str] = []
        if isinstance(statement, ast.ImportFrom) and not statement.level:
            modules = [statement.module or ""]
        elif isinstance(statement, ast.Import):
            modules = [alias.name for alias in statement.names]
        for module in modules:
            django = module.startswith(("django.", "rest_framework")) and not module.startswith(_MOUNTS)
            if django and not _is_setup(statement):
                imports.setdefault("django", statement)
            elif module.partition(".")[0] == "fastapi":
                imports.setdefault("fastapi", statement)
    if len(imports) < 2:
        return
    made = _makes(node, context)
    other = imports.get({"fastapi": "django", "django": "fastapi"}.get(made, ""))
    if other is not None:
        context.statement = other
        context.report(MIXED, other, f"`{shortened(other, 60)}` in a module of {made}: one service, two frameworks")
        context.statement = node


def _makes(tree: ast.Module, context: FileContext) -> str:
    """The framework whose app, router, views or URLs a module makes, "" for neither."""
    for part in descendants(tree):
        name = (context.resolve(part.func) or "") if isinstance(part, ast.Call) else ""
        if name.startswith("fastapi") and name.endswith((".APIRouter", ".FastAPI")):
            return "fastapi"
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and last_name(statement.targets[0]) == "urlpatterns":
            return "django"
        bases = statement.bases if isinstance(statement, ast.ClassDef) else []
        if any((context.resolve(base) or "").startswith(("django.", "rest_framework.")) for base in bases):
            return "django"
    return ""


def _is_setup(statement: ast.stmt) -> bool:
    """`from django.conf import settings`, `from django.apps import apps`: what a mount needs to begin."""
    return isinstance(statement, ast.ImportFrom) and statement.module in {"django.conf", "django.apps"}


mixed_frameworks = Rule(
    name=MIXED,
    gate="P1",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PB-G7",),
    catches="A module that makes a FastAPI app or router and works with Django or REST framework too, and the other "
    "way round.",
    why="Two request cycles, two ways to check input, two kinds of sessions: Django's ORM blocks FastAPI's event loop, "
    "its middleware and permissions do not run.",
    fix="Choose one framework for each service; let the other side call it over HTTP or as a plain function. Mounting "
    "Django's ASGI application next to FastAPI's is fine.",
    when="Where both are imported in one module, and it creates an app or router, views or URLs. Not in tests.",
    watches=(Watch((ast.Module,), _on_mixed, FASTAPI, outside_tests),),
    bad=one_file(
        "shop/api.py",
        "from django.contrib.auth.models import User\nfrom fastapi import APIRouter\n\nrouter = APIRouter()\n",
        "import fastapi\nfrom rest_framework.views import APIView\n\napp = fastapi.FastAPI()\n",
        "from django.views import View\nfrom fastapi import HTTPException\n\n\nclass Page(View):\n"
        "    def get(self, request):\n        raise HTTPException(404)\n",
    ),
    good=one_file(
        "shop/api.py",
        "from django.core.asgi import get_asgi_application\nfrom fastapi import FastAPI\n\napp = FastAPI()\n"
        "app.mount('/old', get_asgi_application())\n",
        "from django.db import models\n\n# fastapi was considered\n",
        "from typing import TYPE_CHECKING\n\nfrom fastapi import APIRouter\n\nif TYPE_CHECKING:\n"
        "    from django.http import HttpRequest\n\nrouter = APIRouter()\n",
    ),
)

RULES: tuple[Rule, ...] = (logic_in_router, commit_after_yield, mixed_frameworks)

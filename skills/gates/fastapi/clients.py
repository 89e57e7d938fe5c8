"""The rule client-per-request of the skill fastapi-patterns: what an endpoint connects with is made once."""

import ast
import re

from skills.gates.analysis.local_values import local_values, own_nodes, values_of
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import outside_tests
from skills.gates.engine.syntax import descendants
from skills.gates.example_files import one_file
from skills.gates.fastapi.fastapi_patterns import SKILL
from skills.gates.fastapi.routes import FASTAPI, endpoint_of
from skills.gates.rule import Rule, Watch

PER_REQUEST = "client-per-request"

_SESSIONS = lazy(r"Session_?(?:Local|Maker|Factory)$|(?-i:^[A-Z]\w*Sessions$)|^Async_?(?:Local|Session)\w*$", re.I)
_SESSION_MAKERS = lazy(r"sessionmaker|scoped_session")
_CLIENTS = frozenset(
    {"httpx.AsyncClient", "httpx.Client", "aiohttp.ClientSession", "requests.Session", "redis.Redis", "redis.from_url",
     "redis.asyncio.Redis", "redis.asyncio.from_url", "boto3.client", "boto3.resource", "boto3.session.Session",
     "sqlalchemy.create_engine", "sqlalchemy.ext.asyncio.create_async_engine", "pymongo.MongoClient",
     "motor.motor_asyncio.AsyncIOMotorClient", "openai.OpenAI", "openai.AsyncOpenAI", "anthropic.Anthropic",
     "anthropic.AsyncAnthropic", "elasticsearch.Elasticsearch",
     "elasticsearch.AsyncElasticsearch", "qdrant_client.QdrantClient", "qdrant_client.AsyncQdrantClient",
     "pymongo.AsyncMongoClient", "aioboto3.Session", "chromadb.HttpClient", "chromadb.PersistentClient",
     "confluent_kafka.Producer", "aiokafka.AIOKafkaProducer", "psycopg_pool.AsyncConnectionPool",
     "psycopg.AsyncConnection.connect", "aiosqlite.connect", "databases.Database",
     "asyncpg.create_pool", "asyncpg.connect",
     "psycopg2.connect", "psycopg.connect", "sqlite3.connect", "aiomysql.create_pool"}
)  # fmt: skip


def _on_client(node: FunctionNode, context: FileContext) -> None:
    endpoint = endpoint_of(node, context)
    if endpoint is None:
        return
    for part in descendants(ast.Module(node.body, [])):
        if isinstance(part, ast.Call) and (context.resolve(part.func) or "") in _CLIENTS:
            name = ast.unparse(part.func)
            if last_name(part.func) in local_values(node, context):
                continue
            message = f"`{name}(…)` in the endpoint {node.name}: every request opens connections of its own"
            context.report(PER_REQUEST, part, message, symbol=context.symbol_of(node.name))
            return
    for part in own_nodes(node, context):
        if isinstance(part, ast.Call) and _makes_session(part.func, node, context):
            name = ast.unparse(part.func)
            message = (
                f"`{name}(…)` in the endpoint {node.name}: nothing can hand in another session, a test least of all"
            )
            context.report(PER_REQUEST, part, message, symbol=context.symbol_of(node.name))
            return


def _makes_session(function: ast.expr, node: FunctionNode, context: FileContext) -> bool:
    """True for the class of a session, and for what `sessionmaker` answered."""
    name = last_name(function)
    if name in local_values(node, context):
        return False
    if name in {"Session", "AsyncSession"}:
        return (context.resolve(function) or "").startswith(("sqlalchemy.", "sqlmodel."))
    made = [value for value in values_of(name, context) if value is not None]
    if not made:
        return name in context.imports and _SESSIONS.search(name) is not None
    return all(isinstance(value, ast.Call) and _SESSION_MAKERS.search(last_name(value)) for value in made)


client_per_request = Rule(
    name=PER_REQUEST,
    gate="P1",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PB-F9",),
    catches="HTTP clients, database engines, sessions, connections and vendor clients that an endpoint makes for each "
    "request.",
    why="Every request pays for name lookup, TCP and TLS again, nothing limits how many are open, and tests cannot put "
    "another one in.",
    fix="Make it once in the lifespan of the app (`app.state`) and hand it out with `Depends`; a session comes from a "
    "dependency that closes it.",
    when="In functions with a decorator of a router or app. Generators of streams inside of them open sessions of "
    "their own, as they should.",
    watches=(Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_client, FASTAPI, outside_tests),),
    bad=one_file(
        "shop/routes.py",
        "import httpx\nfrom fastapi import APIRouter\n\n\n@router.get('/rates')\nasync def rates() -> Rates:\n"
        "    async with httpx.AsyncClient() as client:\n        return await rates_of(client)\n",
        "from fastapi import APIRouter\n\nfrom shop.db import SessionLocal\n\n\n@router.get('/rates')\n"
        "def rates() -> Rates:\n    with SessionLocal() as db:\n        return rates_of(db)\n",
        "from fastapi import APIRouter\n\nfrom shop.db import ReadSessions\n\n\n@router.get('/rates')\n"
        "def rates() -> Rates:\n    with ReadSessions() as db:\n        return rates_of(db)\n",
        "from fastapi import APIRouter\nfrom sqlmodel import Session\n\n\n@router.get('/rates')\n"
        "def rates() -> Rates:\n    with Session(engine) as db:\n        return rates_of(db)\n",
    ),
    good=one_file(
        "shop/routes.py",
        "import httpx\nfrom fastapi import Depends\n\n\ndef get_client():\n    return httpx.AsyncClient()\n\n\n"
        "@router.get('/rates')\nasync def rates(client: httpx.AsyncClient = Depends(get_client)) -> Rates:\n"
        "    return await rates_of(client)\n",
    ),
)

RULES: tuple[Rule, ...] = (client_per_request,)

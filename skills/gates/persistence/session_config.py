"""Facts about the database layer: its drivers, and how engines and sessions are configured; no rule of its own."""

import ast

from skills.gates.analysis.bindings import origin
from skills.gates.engine.context import FileContext

OPTIONS = frozenset(
    {"expire_on_commit", "autoflush", "pool_size", "max_overflow", "pool_pre_ping", "pool_recycle", "poolclass",
     "isolation_level"}
)  # fmt: skip
DRIVERS = {
    "psycopg": "postgresql", "psycopg2": "postgresql", "psycopg_pool": "postgresql", "asyncpg": "postgresql",
    "aiopg": "postgresql", "pg8000": "postgresql", "pymysql": "mysql", "aiomysql": "mysql", "asyncmy": "mysql",
    "MySQLdb": "mysql", "mariadb": "mysql", "sqlite3": "sqlite", "aiosqlite": "sqlite", "oracledb": "oracle",
    "cx_Oracle": "oracle", "pyodbc": "mssql", "pymssql": "mssql", "pymongo": "mongodb", "motor": "mongodb",
}  # fmt: skip
ORMS = {"sqlalchemy": "sqlalchemy", "sqlmodel": "sqlmodel", "flask_sqlalchemy": "sqlalchemy", "django.db": "django",
        "tortoise": "tortoise", "peewee": "peewee", "beanie": "beanie", "mongoengine": "mongoengine", "ormar": "ormar",
        "piccolo": "piccolo"}  # fmt: skip
LAYER_WORDS = tuple(name.encode() for name in (*DRIVERS, *ORMS))
FACTORIES = frozenset({"sessionmaker", "async_sessionmaker", "scoped_session"})
MAKERS = frozenset({"create_engine", "create_async_engine", *FACTORIES})


def on_call(node: ast.Call, context: FileContext) -> None:
    """A fact session-config (option; detail its value as written) for each literal option, "called" for the call;
    a fact session-factory for the name that a module gives a maker of sessions."""
    name = (origin(context, node.func) or "").rpartition(".")[2]
    if name not in MAKERS:
        return
    context.fact("session-config", name, "called", node.lineno)
    made = context.statement if not context.scopes else None
    target = made.targets[0] if isinstance(made, ast.Assign) and made.value is node else None
    if name in FACTORIES and isinstance(target, ast.Name):
        context.fact("session-factory", target.id, name, node.lineno)
    for word in node.keywords:
        if word.arg in OPTIONS and isinstance(word.value, (ast.Constant, ast.UnaryOp, ast.Name)):
            context.fact("session-config", word.arg, ast.unparse(word.value), word.value.lineno)


def on_import(node: ast.Import | ast.ImportFrom, context: FileContext) -> None:
    """A fact driver (its module; detail the database) for each database driver that is imported, and a fact orm."""
    if getattr(node, "level", 0):
        return
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    for name in names:
        root, _, rest = name.partition(".")
        known = ORMS.get(f"{root}.{rest.partition('.')[0]}") or ORMS.get(root)
        if root in DRIVERS:
            context.fact("driver", root, DRIVERS[root], node.lineno)
        elif known is not None:
            context.fact("orm", root, known, node.lineno)

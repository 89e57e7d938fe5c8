"""Facts about how engines and sessions are configured; no rule of its own."""

import ast

from skills.gates.bindings import origin
from skills.gates.context import FileContext

OPTIONS = frozenset(
    {"expire_on_commit", "autoflush", "pool_size", "max_overflow", "pool_pre_ping", "pool_recycle", "poolclass",
     "isolation_level"}
)  # fmt: skip
MAKERS = frozenset({"create_engine", "create_async_engine", "sessionmaker", "async_sessionmaker", "scoped_session"})


def on_call(node: ast.Call, context: FileContext) -> None:
    """A fact session-config (option; detail its value as written) for each literal option, "made" for the call."""
    name = (origin(context, node.func) or "").rpartition(".")[2]
    if name not in MAKERS:
        return
    context.fact("session-config", name, "called", node.lineno)
    for word in node.keywords:
        if word.arg in OPTIONS and isinstance(word.value, ast.Constant | ast.UnaryOp | ast.Name):
            context.fact("session-config", word.arg, ast.unparse(word.value), word.value.lineno)

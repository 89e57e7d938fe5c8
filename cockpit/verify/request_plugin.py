"""Counts what the database is asked during each request of a test run, as a plugin of pytest.

It stands alone: a copy in a scratch folder is loaded by the project's own interpreter, which knows nothing of cockpit.
Each request is one line of JSON in the file that COCKPIT_REQUESTS names.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar
from importlib import import_module
from typing import Any

_asked: ContextVar[list[str] | None] = ContextVar("asked", default=None)
_ASIDE = ("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO")


def pytest_configure(config: Any) -> None:
    """Called by pytest before it imports any test."""
    install()


def install() -> None:
    """Watch Django and Starlette (FastAPI too), where they are there."""
    for part in (_django, _starlette, _sqlalchemy):
        with contextlib.suppress(Exception):  # not installed, or of another shape: nothing is counted
            part()


def _note(statement: object) -> None:
    asked = _asked.get()
    if asked is not None and not str(statement).lstrip().upper().startswith(_ASIDE):
        asked.append(str(statement))


def _write(method: str, route: str, asked: list[str]) -> None:
    same = Counter(asked).most_common(1)
    statement, most = same[0] if same else ("", 0)
    row = {"method": method, "route": route[:200], "queries": len(asked), "most": most, "statement": statement[:200]}
    with contextlib.suppress(OSError, KeyError):
        file = os.open(os.environ["COCKPIT_REQUESTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, json.dumps(row).encode() + b"\n")
        finally:
            os.close(file)


def _django() -> None:
    wrapper = import_module("django.db.backends.utils").CursorWrapper
    handler = import_module("django.core.handlers.base").BaseHandler
    for name in ("execute", "executemany"):
        setattr(wrapper, name, _noting(getattr(wrapper, name)))
    plain, later = handler.get_response, handler.get_response_async

    def get_response(self: Any, request: Any) -> Any:
        token = _asked.set([])
        try:
            return plain(self, request)
        finally:
            _end(token, request.method, _route(request))

    async def get_response_async(self: Any, request: Any) -> Any:
        token = _asked.set([])
        try:
            return await later(self, request)
        finally:
            _end(token, request.method, _route(request))

    handler.get_response, handler.get_response_async = get_response, get_response_async


def _noting(execute: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(execute)
    def noted(self: Any, sql: Any, *rest: Any, **more: Any) -> Any:
        _note(sql)
        return execute(self, sql, *rest, **more)

    return noted


def _route(request: Any) -> str:
    match = getattr(request, "resolver_match", None)
    return str(getattr(match, "route", "") or request.path_info)


def _end(token: Any, method: object, route: str) -> None:
    asked = _asked.get() or []
    _asked.reset(token)
    _write(str(method), route, asked)


def _starlette() -> None:
    application = import_module("starlette.applications").Starlette
    plain = application.__call__

    async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or _asked.get() is not None:
            await plain(self, scope, receive, send)
            return
        token = _asked.set([])
        try:
            await plain(self, scope, receive, send)
        finally:
            _end(token, scope["method"], str(getattr(scope.get("route"), "path", "") or scope["path"]))

    application.__call__ = call


def _sqlalchemy() -> None:
    engine = import_module("sqlalchemy.engine").Engine

    def asked(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        _note(statement)

    import_module("sqlalchemy.event").listen(engine, "before_cursor_execute", asked)

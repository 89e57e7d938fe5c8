"""The server: what textual-serve does, for one browser that knows the token, from this machine only."""

import asyncio
import contextlib
import hmac
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web
from textual_serve.server import Server

_COOKIE = "cockpit-token"


class GuardedServer(Server):
    """Serves a command on loopback. The token comes once in the address, then in a cookie that scripts cannot read."""

    def __init__(self, command: str, port: int, *, ready: Callable[[str], None]) -> None:
        self.token = secrets.token_urlsafe(24)
        self._ready = ready
        super().__init__(command, "127.0.0.1", port, title="cockpit", templates_path=Path(__file__).parent)

    @property
    def address(self) -> str:
        """The address to open, with its token."""
        return f"{self.public_url}/?token={self.token}"

    def initialize_logging(self) -> None:
        """Nothing is logged: the address with its token would be."""

    async def on_startup(self, app: web.Application) -> None:
        """Say where it is, as soon as it answers there."""
        self._telling = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection(self.host, self.port)
                writer.close()
                self._ready(self.address)
                return
            await asyncio.sleep(0.02)

    async def handle_index(self, request: web.Request) -> Any:
        """The page, for who brings the token; it is put into a cookie so that the websocket brings it as well."""
        self._guard(request, request.query.get("token") or request.cookies.get(_COOKIE, ""))
        response: web.StreamResponse = await super().handle_index(request)
        response.set_cookie(_COOKIE, self.token, httponly=True, samesite="Strict")
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """The session itself, for who brings the cookie from our own page."""
        self._guard(request, request.cookies.get(_COOKIE, ""))
        if request.headers.get("Origin", self.public_url) != self.public_url:
            raise web.HTTPForbidden(text="cockpit: this page is not mine")
        return await super().handle_websocket(request)

    async def handle_download(self, request: web.Request) -> web.StreamResponse:
        """A file that the app offers, for who brings the cookie."""
        self._guard(request, request.cookies.get(_COOKIE, ""))
        return await super().handle_download(request)

    def _guard(self, request: web.Request, given: str) -> None:
        """A foreign name for this machine, or a wrong token, gets nothing."""
        if request.host != self.public_url.removeprefix("http://"):
            raise web.HTTPForbidden(text="cockpit: ask by the address that was printed")
        if not hmac.compare_digest(given.encode("utf-8", "replace"), self.token.encode()):
            raise web.HTTPForbidden(text="cockpit: the token is missing or wrong; open the address that was printed")

"""The app in a real browser: it opens with the token, shows the panes, takes a key, and lets nobody else in."""

import asyncio
import base64
import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from cockpit.demo import Demo

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync --window-size=1400,900 --remote-debugging-port=0"
)


class Browser:
    """A page of a headless Chromium, steered by its own protocol."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._number = socket, 0
        self.drawn = b""

    async def ask(self, method: str, **params: Any) -> None:
        """Ask for something and wait until it is done."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        message: dict[str, Any] = {}
        while message.get("id") != self._number:
            message = json.loads((await self._socket.receive(timeout=30)).data)
            self._take(message)

    async def until(self, text: bytes, seconds: float = 40.0) -> None:
        """Read what the app draws until `text` is in it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while text not in self.drawn:
                    self._take(json.loads((await self._socket.receive()).data))
        assert text in self.drawn, f"{text!r} was never drawn: {self.drawn[-300:]!r}"

    def _take(self, message: dict[str, Any]) -> None:
        if message.get("method") == "Network.webSocketFrameReceived":
            frame = message["params"]["response"]
            self.drawn += base64.b64decode(frame["payloadData"]) if frame["opcode"] == 2 else b""


@contextlib.asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[Browser]:
    assert CHROMIUM is not None
    process = subprocess.Popen(
        [CHROMIUM, *FLAGS.split(), f"--user-data-dir={folder}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "HOME": str(folder)},
    )
    try:
        port = folder / "DevToolsActivePort"
        for _ in range(600):
            if port.exists() and port.read_text().strip():
                break
            await asyncio.sleep(0.05)
        base = f"http://127.0.0.1:{port.read_text().splitlines()[0]}"
        async with aiohttp.ClientSession() as session:
            pages = await (await session.get(f"{base}/json")).json()
            page = next(page for page in pages if page["type"] == "page")
            async with session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                yield Browser(socket)
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def served(demo: Demo) -> Any:
    command = [sys.executable, "-m", "cockpit", "--repo", str(demo.root), "serve", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield json.loads(server.stdout.readline())["url"]
        finally:
            server.terminate()
            server.wait(timeout=20)


async def status_of(url: str, **headers: str) -> int:
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        return answer.status


async def test_only_who_brings_the_token_gets_in(demo: Demo) -> None:
    with served(demo) as url:
        plain = url.partition("?")[0]
        assert url.startswith("http://127.0.0.1:")
        assert await status_of(url) == 200
        assert [await status_of(f"{plain}{given}") for given in ("", "?token=guess", "?token=%C3%A9")] == [403] * 3
        assert await status_of(f"{plain}ws") == 403
        assert await status_of(url, Host="rebound.example") == 403


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: .ci/run installs Debian's")
async def test_the_app_opens_in_a_browser_and_takes_a_key(demo: Demo, tmp_path: Path) -> None:
    with served(demo) as url:
        async with browser(tmp_path / "profile") as page:
            await page.ask("Network.enable")
            await page.ask("Page.navigate", url=url)
            for pane in (b"Worktrees", b"Budget", b"Phase", b"Findings", b"manual-tenant-filter"):
                await page.until(pane)
            page.drawn = b""
            await page.ask("Runtime.evaluate", expression="document.querySelector('textarea').focus()")
            key = {"key": "?", "code": "Slash", "windowsVirtualKeyCode": 191, "modifiers": 8}
            await page.ask("Input.dispatchKeyEvent", type="keyDown", text="?", **key)
            await page.ask("Input.dispatchKeyEvent", type="keyUp", **key)
            await page.until(b"Start day")

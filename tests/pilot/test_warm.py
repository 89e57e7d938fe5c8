"""While the app is open, hooks are answered by its warm process."""

import asyncio

import pytest

from cockpit.app import CockpitApp
from cockpit.demo import Demo
from cockpit.warm import client
from cockpit.warm.snapshot import read_snapshot
from tests.pilot.conftest import until


async def test_a_staged_check_is_answered_while_the_app_is_open(
    demo: Demo, app: CockpitApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COCKPIT_WARM")
    monkeypatch.chdir(demo.root)
    found: list[tuple[int, bytes, bytes]] = []

    def asked() -> bool:
        answer = client.ask("command", ["check", "--staged"])
        found.extend([answer] if answer is not None else [])
        return answer is not None

    async with app.run_test(size=(100, 30)) as pilot:
        await until(lambda: app.found.phase == "ready", "the first check")
        for _ in range(300):
            await pilot.pause(0.1)
            if await asyncio.to_thread(asked):
                break

        def told() -> bool:
            snapshot = read_snapshot(app.repository.common_dir)
            return (
                snapshot is not None and snapshot.alive and None not in (snapshot.p0, snapshot.usd, snapshot.sessions)
            )

        await until(told, "what the app shows, in its file")
    assert found and b"gates" in found[0][1]
    await until(lambda: not asked(), "the end of the warm process with that of the app", 5.0)

"""The two screens of the day: the queue opens files and makes worktrees; the draft is edited before it is written."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from cockpit.app import CockpitApp
from cockpit.app_parts import day as part
from cockpit.day import draft
from cockpit.demo import Demo
from skills.workflow.day_text import end_text
from skills.workflow.handover import read_markdown
from tests.pilot.conftest import until
from widgets.lines import plain
from widgets.screens.ask import AskScreen
from widgets.screens.confirm import ConfirmScreen
from widgets.screens.day import DayScreen
from widgets.screens.end_day import EndDayScreen
from widgets.screens.start_day import StartDayScreen


def shown(screen: DayScreen) -> str:
    return "\n".join(plain(row.shown) for row in screen.view.items)


@pytest.mark.parametrize("width", [40, 120, 160])
async def test_the_day_starts_with_the_queue_and_its_reasons(app: CockpitApp, width: int) -> None:
    async with app.run_test(size=(width, 40)) as pilot:
        await pilot.press("s")
        await until(lambda: isinstance(app.screen, StartDayScreen), "the screen")
        screen = app.screen
        assert isinstance(screen, StartDayScreen)
        await until(lambda: screen.report is not None, "the report")
        await until(lambda: not screen.scanning, "the quick scans")
        text = " ".join(shown(screen).split())
        assert all(cell_len(plain(row.shown).rstrip()) <= screen.width for row in screen.view.items)
        assert text.index("Today's Priority Queue") < text.index("Users endpoint") < text.index("Git Status")
        assert "P1 +3 · unblocks others +3" in text and "Secrets" in text and "nothing found" in text
        assert screen.view.current is not None and screen.view.current.kind == "task"
        if width >= 120 and screen.report is not None:  # who does it stands at the right edge, on a wide terminal too
            first = plain(screen.view.items[1].shown)
            assert first.endswith(screen.report.agents[0]) and "…" not in first
            assert len(first) <= screen.view.scrollable_content_region.width
        await pilot.press("s")
        assert not isinstance(app.screen, DayScreen)


async def test_without_tasks_only_the_way_out_is_offered(app: CockpitApp, demo: Demo) -> None:
    for name in ("TASK.md", "PROJECT_CONTEXT.md"):
        (demo.root / name).unlink(missing_ok=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("s")
        await until(lambda: isinstance(app.screen, StartDayScreen) and app.screen.report is not None, "the report")
        screen = app.screen
        assert isinstance(screen, StartDayScreen) and screen.report is not None and not screen.report.queue
        assert "close" in str(screen.view.border_subtitle) and "open" not in str(screen.view.border_subtitle)


async def test_a_task_opens_its_file_and_makes_a_worktree(
    app: CockpitApp, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[Path, int]] = []
    monkeypatch.setattr(part, "open_in_editor", lambda _, path, line=1, column=1: opened.append((path, line)))
    monkeypatch.setenv("HOME", str(demo.root.parent))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("s")
        await until(lambda: isinstance(app.screen, StartDayScreen) and app.screen.report is not None, "the report")
        await pilot.press("enter")
        await until(lambda: bool(opened), "the editor")
        assert opened[0][0].name == "TASK.md"
        assert "Users endpoint" in (demo.root / "TASK.md").read_text().splitlines()[opened[0][1] - 1]
        await pilot.press("n")
        await until(lambda: isinstance(app.screen, AskScreen), "the branch")
        await pilot.press("enter")
        branch = demo.root / ".git" / "refs" / "heads" / "feature" / "users-endpoint-with-pagination"
        await until(branch.exists, "the branch of the worktree")


async def test_a_task_whose_file_went_meanwhile_is_a_notice(app: CockpitApp, demo: Demo) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("s")
        await until(lambda: isinstance(app.screen, StartDayScreen) and app.screen.report is not None, "the report")
        (demo.root / "TASK.md").unlink()
        await pilot.press("enter")
        await until(lambda: any("cannot be read" in str(one.message) for one in app._notifications), "the reason")


async def test_the_end_of_the_day_names_the_open_p0_findings(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 80)) as pilot:
        await until(lambda: app.found.phase == "ready", "the check")
        await pilot.press("e")
        await until(lambda: app.day_draft is not None, "the draft")
        draft = app.day_draft
        gravest = [found for found in app.found.findings if found.gate == "P0"]
        assert gravest and draft is not None and draft.report.open_p0 is not None
        assert [line.split()[0] for line in draft.report.open_p0] == [f"{one.path}:{one.line}" for one in gravest]
        assert "### Open P0 Findings" in end_text(draft.report)


async def test_the_draft_is_edited_in_place_and_then_written(
    app: CockpitApp, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GIT_AUTHOR_EMAIL")  # the demo's author is the one of its repository
    context = demo.root / "PROJECT_CONTEXT.md"
    before = context.read_text()
    async with app.run_test(size=(120, 50)) as pilot:
        await pilot.press("e")
        await until(lambda: isinstance(app.screen, EndDayScreen) and app.screen.handover is not None, "the draft")
        screen = app.screen
        assert isinstance(screen, EndDayScreen) and screen.handover is not None
        assert "Decisions Made" in shown(screen) and "nothing is written yet" in str(screen.view.border_title)
        await pilot.press("a", *"One queue", "enter")
        await until(lambda: "One queue" in shown(screen), "the decision")
        await pilot.press("enter", *" for all", "enter")
        await until(lambda: "One queue for all" in shown(screen), "the decision, edited")
        screen.view.find(lambda row: row.kind == "head" and row.value == "tomorrow")
        first = screen.handover.tomorrow[0]
        await pilot.press("j", "J")
        assert screen.handover.tomorrow[1] == first
        await pilot.press("x")
        assert first not in screen.handover.tomorrow
        wanted = screen.learnings[0]
        screen.view.find(lambda row: row.kind == "learning" and row.value == wanted.id)
        await pilot.press("space")
        assert context.read_text() == before
        await pilot.press("w")
        await until(lambda: screen.done, "the end", seconds=60)
        text = shown(screen)
        assert "Saved, backed up and verified" in text and "verify-backup" in text and "Security Sweep" in text
        await pilot.press("S")
        await pilot.press("escape")
        await until(lambda: not isinstance(app.screen, DayScreen), "its end")
    said = read_markdown(context.read_text())
    assert "One queue for all" in said.decisions and first not in said.tomorrow
    assert wanted.text in next((demo.root / "docs" / "learnings").glob("*.md")).read_text()
    assert json.loads((demo.root / ".claude" / "context.json").read_text())["decisions"] == list(said.decisions)


async def test_a_draft_that_comes_after_its_screen_was_left_is_for_nobody(
    app: CockpitApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    real = draft.read_draft

    def slowly(*words: Any, **named: Any) -> draft.Draft:
        assert go_on.wait(30)
        return real(*words, **named)

    monkeypatch.setattr(draft, "read_draft", slowly)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("e")
        await until(lambda: isinstance(app.screen, EndDayScreen), "the screen")
        await pilot.press("escape")
        go_on.set()
        await until(lambda: app.day_draft is not None, "the draft")
        await pilot.pause()
        assert not any("stopped" in one.message for one in app._notifications)


async def test_leaving_the_draft_writes_nothing(app: CockpitApp, demo: Demo) -> None:
    before = {path: path.read_bytes() for path in demo.root.rglob("*") if path.is_file() and ".git/" not in str(path)}
    async with app.run_test(size=(80, 30)) as pilot:
        await pilot.press("e")
        await until(lambda: isinstance(app.screen, EndDayScreen) and app.screen.handover is not None, "the draft")
        await pilot.press("x", "escape")
        assert not isinstance(app.screen, DayScreen)
    after = {path: path.read_bytes() for path in demo.root.rglob("*") if path.is_file() and ".git/" not in str(path)}
    assert after == before


async def test_a_message_is_shown_before_it_is_sent(
    app: CockpitApp, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[dict] = []

    def send(_: str, message: dict) -> str:
        sent.extend([message] if "End of day" in str(message) else [])  # budget alerts go there too
        return ""

    monkeypatch.setattr("cockpit.spend.webhook.send", send)
    monkeypatch.setattr("cockpit.spend.webhook.webhook_url", lambda: "https://chat.example/hook/secret")
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("e")
        await until(lambda: isinstance(app.screen, EndDayScreen) and app.screen.handover is not None, "the draft")
        screen = app.screen
        assert isinstance(screen, EndDayScreen)
        await pilot.press("w")
        await until(lambda: screen.done, "the end", seconds=60)
        await pilot.press("S")
        await until(lambda: isinstance(app.screen, ConfirmScreen), "the message")
        assert isinstance(app.screen, ConfirmScreen) and not sent
        assert "End of day: acme-api" in "\n".join(map(plain, app.screen.shown))
        await pilot.press("enter")
        await until(lambda: bool(sent), "the sending")

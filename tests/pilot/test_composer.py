"""The prompt composer on the demo repository."""

import json

import pytest
from textual import events

from cockpit.app import CockpitApp
from cockpit.cli import main
from cockpit.demo import Demo
from tests.pilot.conftest import until
from widgets.lines import plain
from widgets.screens.composer import ComposerScreen, PromptArea

TEXT = "Fix the missing tenant_id in the invoice export"


async def opened(app: CockpitApp) -> ComposerScreen:
    await until(lambda: isinstance(app.screen, ComposerScreen), "the composer")
    assert isinstance(app.screen, ComposerScreen)
    return app.screen


async def test_what_is_typed_is_judged_as_the_command_judges_it(
    app: CockpitApp, demo: Demo, capsys: pytest.CaptureFixture[str]
) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("P")
        screen = await opened(app)
        await pilot.press(*TEXT)
        await until(lambda: screen.analysis is not None and screen.text == TEXT == screen._analysed, "the analysis")
        assert screen.analysis is not None
        told = "\n".join(plain(row) for row in screen.query_one("#analysis")._lines)  # type: ignore[attr-defined]
        assert "CRITICAL" in told and "multi-tenant-guardian" in told
        before = screen.analysis.plan.score.score
        await pilot.press(*" in apps/billing/views.py; pytest must pass")
        text = screen.text
        await until(lambda: screen._analysed == text, "the new analysis")
        shown = screen.analysis
        assert shown.plan.score.score > before
    assert main(["--repo", str(demo.root), "analyze", "--json", text]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["score"], answer["enhanced"]) == (shown.plan.score.score, shown.enhanced.text)


async def test_copy_take_over_and_the_draft_that_stays(app: CockpitApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("TMUX", raising=False)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("P")
        screen = await opened(app)
        await pilot.press(*TEXT)
        await until(lambda: screen._analysed == TEXT, "the analysis")
        assert screen.analysis is not None
        enhanced = screen.analysis.enhanced.text
        await pilot.press("f2")
        await until(lambda: app.clipboard == enhanced, "the copy")
        await pilot.press("f3")
        assert screen.text == enhanced
        await pilot.press("ctrl+z")
        assert screen.text == TEXT
        await pilot.press("escape")
        await until(lambda: app.prompt_draft == TEXT and len(app.screen_stack) == 1, "the panes")
        await pilot.press("P")
        screen = await opened(app)
        assert screen.text == TEXT


async def test_pasted_text_cannot_speak_to_the_terminal(app: CockpitApp) -> None:
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("P")
        screen = await opened(app)
        screen.query_one(PromptArea).post_message(events.Paste("fix \x1b[31mred\x1b[0m\x07 [@click=app.quit]\u202ex"))
        await until(lambda: "fix" in screen.text, "the text")
        assert "\x1b" not in screen.query_one(PromptArea).text and "\u202e" not in screen.query_one(PromptArea).text
        await until(lambda: screen.analysis is not None, "the analysis")
        screen.query_one(PromptArea).select_all()
        screen.query_one(PromptArea).post_message(events.Paste("another text"))
        await until(lambda: screen.text == "another text", "the text in the place of what was selected")
        await pilot.press("tab", "j", "q")
        await until(lambda: len(app.screen_stack) == 1, "the panes")


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (200, 50)])
async def test_every_size_shows_score_and_text(app: CockpitApp, size: tuple[int, int]) -> None:
    app.prompt_draft = TEXT
    async with app.run_test(size=size) as pilot:
        await pilot.press("P")
        screen = await opened(app)
        await until(lambda: screen.analysis is not None, "the analysis")
        assert screen.query_one("#analysis").size.height >= 2 and screen.query_one(PromptArea).size.height >= 2

"""The verification screen: answers come one by one, what is open can be shown alone, leaving ends the run."""

from pathlib import Path

import pytest

from cockpit.app import CockpitApp
from skills.verify.model import Answer, Verification
from tests.pilot.conftest import until
from widgets.lines import plain
from widgets.screens.verify import VerifyScreen, rows_of


def shown(screen: VerifyScreen) -> str:
    return "\n".join(plain(row.shown) for row in screen.query_one("#report").items)  # type: ignore[attr-defined]


async def test_the_gate_runs_on_the_demo(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("v")
        await until(lambda: isinstance(app.screen, VerifyScreen), "the screen")
        screen = app.screen
        assert isinstance(screen, VerifyScreen)
        await until(lambda: screen.running is None, "its end", 60)
        text = shown(screen)
        assert "?  3 Migrations" in text and "cockpit trust" in text
        assert "Guardrails" in text and "Predeploy list" in text
        assert "pass" in str(screen.query_one("#report").border_title)
        await pilot.press("o")
        assert "✓ pass" not in shown(screen).partition("Predeploy")[0]
        await pilot.press("escape")
        assert not isinstance(app.screen, VerifyScreen)


async def test_leaving_ends_the_run(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("v")
        await until(lambda: isinstance(app.screen, VerifyScreen), "the screen")
        await pilot.press("escape")
        await until(lambda: app.verifying is not None and app.verifying.cancelled, "the switch")


async def test_a_run_that_ends_after_its_screen_was_left_says_nothing(app: CockpitApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = VerifyScreen("acme")
        await app.push_screen(screen)
        screen.add(Answer(2, "check", "Check", "pass"))
        await pilot.press("escape")
        await until(lambda: not screen.is_attached, "its end")
        screen.begin(3)
        screen.add(Answer(3, "late", "Late", "pass"))
        screen.finish(Verification("django", ()), [])


async def test_a_place_opens_in_the_editor(app: CockpitApp, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[tuple[Path, int]] = []
    monkeypatch.setattr("cockpit.app_parts.verify.open_in_editor", lambda _, path, line: opened.append((path, line)))
    async with app.run_test(size=(120, 40)) as pilot:
        screen = VerifyScreen("acme")
        await app.push_screen(screen)
        answer = Answer(12, "added-lines", "No debugger", "fail", "1", 1, places=("a.py:7 a debugger",))
        screen.finish(Verification("django", (answer,)), [])
        await pilot.press("j", "j", "j", "j", "enter")  # below the next step and its gap
        await until(lambda: bool(opened), "the place")
        assert opened == [(app.watched / "a.py", 7)]


def test_what_runs_is_marked_and_hostile_text_is_plain() -> None:
    answer = Answer(2, "ruff", "Lint \x1b[31m", "fail", "[@click=app.quit] \x9b", places=("[/x]:1",))
    rows = rows_of([answer], 4)
    text = "\n".join(plain(row.shown) for row in rows)
    assert "\x1b" not in text and "\x9b" not in text and "[@click=app.quit]" in text
    assert "▶  4 Tests and coverage  runs…" in text


def test_a_phase_that_takes_its_time_says_how_long() -> None:
    assert plain(rows_of([], 5)[0].shown) == "▶  5 Security  runs…"
    assert plain(rows_of([], 5, seconds=12)[0].shown) == "▶  5 Security  runs… 12 s"
    told = plain(rows_of([], 5, seconds=12, said="secrets 40/1,204")[0].shown)
    assert told == "▶  5 Security  runs… 12 s · secrets 40/1,204"


async def test_a_narrow_title_keeps_its_figures(app: CockpitApp) -> None:
    async with app.run_test(size=(40, 24)) as pilot:
        screen = VerifyScreen("a-repository-with-a-long-name")
        await app.push_screen(screen)
        for status in ("pass", "pass", "fail", "not_run"):
            screen.add(Answer(5, status, status, status))  # type: ignore[arg-type]
        screen.running = None
        screen.build()
        await pilot.pause()
        assert str(screen.query_one("#report").border_title) == "Verify · 2 ✓ 1 ✖ 1 ?"


async def test_the_phase_that_runs_is_in_sight_until_the_person_looks_elsewhere(app: CockpitApp) -> None:
    async with app.run_test(size=(80, 20)) as pilot:
        screen = VerifyScreen("acme")
        await app.push_screen(screen)
        view = screen.view

        async def run(phase: int) -> None:
            for number in range(12):
                screen.add(Answer(phase, f"check-{number}", f"Check {number}", "pass"))
            screen.begin(phase + 1)
            await pilot.pause()

        await run(1)
        await run(2)
        assert plain(view.current.shown) == "▶  3 Migrations  runs…"  # type: ignore[union-attr]
        assert view.scroll_offset.y <= view.cursor < view.scroll_offset.y + view.scrollable_content_region.height
        await pilot.press("g")
        await run(3)
        assert view.cursor == 0


async def test_who_followed_the_run_stands_before_its_outcome(app: CockpitApp) -> None:
    async with app.run_test(size=(80, 20)) as pilot:
        screen = VerifyScreen("acme")
        await app.push_screen(screen)
        answers = tuple(Answer(2, f"check-{number}", f"Check {number}", "fail") for number in range(40))
        for answer in answers:
            screen.add(answer)
        screen.begin(4)
        await pilot.pause()
        followed = screen.view.cursor
        screen.finish(Verification("django", answers), [])
        await pilot.pause()
        assert followed > 30
        assert screen.view.cursor == 0 and screen.view.scroll_offset.y == 0

"""The skills screen on the demo repository."""

import pytest

from cockpit.app import CockpitApp
from cockpit.demo import Demo
from tests.pilot.conftest import until
from widgets.lines import plain, width_of
from widgets.screens.confirm import ConfirmScreen
from widgets.screens.report import ReportScreen
from widgets.screens.skills import SkillsScreen, head_line, skill_line


async def opened(app: CockpitApp) -> SkillsScreen:
    await until(lambda: isinstance(app.screen, SkillsScreen) and app.screen.report is not None, "the skills")
    assert isinstance(app.screen, SkillsScreen)
    return app.screen


async def test_a_skill_is_installed_after_its_plan_was_seen(app: CockpitApp, demo: Demo) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("S")
        screen = await opened(app)
        assert screen.report is not None and screen.report.sessions > 0
        screen.rows.find(lambda row: row.name == "django-celery")
        await pilot.press("i")
        await until(lambda: isinstance(app.screen, ConfirmScreen), "the plan")
        file = demo.root / ".claude/skills/django-celery/SKILL.md"
        assert isinstance(app.screen, ConfirmScreen)
        assert str(file) in "\n".join(map(plain, app.screen.shown)) and not file.exists()
        await pilot.press("enter")
        await until(lambda: app.screen is screen and screen.rows.current is not None, "the list again")
        await until(lambda: file.exists() and any(r.installed for r in screen.report.rows), "the installed skill")  # type: ignore[union-attr]
        screen.rows.find(lambda row: row.name == "django-celery")
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, ReportScreen), "the skill's text")
        assert "Celery" in "\n".join(map(plain, app.screen.shown))  # type: ignore[attr-defined]
        await pilot.press("escape", "x")
        await until(lambda: isinstance(app.screen, ConfirmScreen), "the plan to take it out")
        await pilot.press("enter")
        await until(lambda: not file.exists(), "it is taken out")
        await pilot.press("S")
        await until(lambda: len(app.screen_stack) == 1, "the panes")


@pytest.mark.parametrize("width", [36, 60, 75, 95, 115, 195])
async def test_rows_and_head_stand_under_each_other(app: CockpitApp, width: int) -> None:
    from cockpit import clock
    from cockpit.catalogue.report import read_skills

    report = read_skills(None, clock.now())
    for row in report.rows:
        assert width_of(skill_line(row, width)) <= width
        if width < 130:
            assert width_of(skill_line(row, width)) == width_of(head_line(width))

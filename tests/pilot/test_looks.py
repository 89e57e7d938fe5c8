"""A person's own themes: there with the others, read again when they are saved, and named where they are wrong."""

import pytest
from textual.widgets._toast import Toast

from cockpit.app import CockpitApp
from cockpit.spend.models import SpendSnapshot
from cockpit.themes import user_folder
from skills.spending.amount import Amount
from tests.pilot.conftest import call_on, settled, until
from widgets.screens.pick import PickScreen

SEA = 'name = "sea"\n[colors]\nprimary = "{color}"\n[tokens]\ngood = "{color}"\n'


def notices(app: CockpitApp) -> str:
    return "\n".join(str(notice.message) for notice in app._notifications)


async def test_a_saved_theme_is_worn_at_once(demo, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    user_folder().mkdir(parents=True)
    file = user_folder() / "sea.toml"
    file.write_text(SEA.format(color="#00aacc"))
    app = CockpitApp(call_on(demo.root, theme="sea"))
    async with app.run_test(size=(100, 30)) as pilot:
        assert app.theme == "sea"
        await pilot.pause(0.5)
        file.write_text(SEA.format(color="#cc00aa"))
        await until(lambda: app.get_css_variables()["primary"].lower() == "#cc00aa", "the new colour")
        file.write_text(SEA.format(color="no-colour"))
        await until(lambda: "no colour" in notices(app), "the notice")
        assert app.get_css_variables()["primary"].lower() == "#cc00aa"


async def test_themes_gone_through_fast_leave_one_notice_and_take_no_other_away(app: CockpitApp) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        app.workers.cancel_all()
        await pilot.press("t", "t", "t")
        app.tell("something else")
        await pilot.press("t", "t")
        await pilot.pause()
        said = [line for line in notices(app).splitlines() if not line.startswith("Budget")]
        assert said == ["something else", f"Theme: {app.theme}"]


async def test_costs_that_come_first_do_not_say_that_there_is_no_session(app: CockpitApp) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        app.workers.cancel_all()
        await pilot.pause()
        app.phase_pane.read = False
        app.show_spend(SpendSnapshot(by_session=(("s", Amount(1.0)),)))
        read_with_costs = app.phase_pane.read
        app.show_sessions(app.sessions)

        assert (read_with_costs, app.phase_pane.read) == (False, True)


async def test_what_is_dim_can_be_read_under_a_reversed_cursor(app: CockpitApp) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        app.theme = "ansi"
        await pilot.pause()
        view = app.findings_pane
        view.focus()
        await pilot.pause()
        strip = view._strip((("dim words", "faint"),), 20, "cursor")
        assert all(segment.style and not (segment.style.dim and segment.style.reverse) for segment in strip)
        assert any(segment.style and segment.style.reverse for segment in strip)


async def test_digits_to_jump_leave_the_columns_where_they_are(app: CockpitApp) -> None:
    async with app.run_test(size=(100, 36)) as pilot:
        await settled(app)
        app.findings_pane.jump(True)
        await pilot.pause()
        rows = [app.findings_pane.text_at(y) for y in range(11)]
        assert rows[8].startswith("9 ") and rows[9].startswith("  ! P1") and rows[8][2:6] == "! P1"


async def test_nothing_to_pick_offers_no_key_that_picks(app: CockpitApp) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await app.push_screen(
            PickScreen("Take back", [], hint="{pick} takes it back · {close} leave", empty="Nothing.")
        )
        await pilot.pause()
        subtitle = app.screen.query_one("#report").border_subtitle or ""
        assert "takes" not in subtitle and "close" in subtitle


@pytest.mark.parametrize("length", range(102, 116, 2))
async def test_a_notice_that_just_wraps_stands_above_the_key_bar(app: CockpitApp, length: int) -> None:
    async with app.run_test(size=(120, 34), notifications=True) as pilot:
        app.tell("x" * (length - 14) + " [checks.NAME]")
        await until(lambda: any(one.size.width for one in app.screen.query(Toast)), "the notice")
        await pilot.pause()
        assert max(one.region.bottom for one in app.screen.query(Toast)) == 33

"""A person's own themes: there with the others, read again when they are saved, and named where they are wrong."""

from cockpit.app import CockpitApp
from cockpit.themes import user_folder
from tests.pilot.conftest import call_on, until

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

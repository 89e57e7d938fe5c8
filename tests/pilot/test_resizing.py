"""The terminal changes its size: what is built for a width is built again for the next."""

from cockpit.app import CockpitApp
from tests.pilot.conftest import settled, text_of


async def test_the_frame_that_comes_with_more_room_costs_no_words(app: CockpitApp) -> None:
    """Panes have no sides in a narrow terminal: when they get them, what they show is made that much shorter."""
    async with app.run_test(size=(120, 34)) as pilot:
        await settled(app)
        await pilot.pause()
        before = {name: text_of(app, name) for name in ("budget", "phase")}
        await pilot.resize_terminal(40, 24)
        await pilot.pause()
        await pilot.resize_terminal(120, 34)
        await pilot.pause()
        for name, text in before.items():
            assert text_of(app, name) == text

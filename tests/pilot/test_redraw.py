"""Only what changed is drawn again, and what stands on screen is always what a full drawing would show."""

import random
from collections.abc import Callable
from typing import Any

from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Button

from widgets.lines import Line, line
from widgets.virtual_list import VirtualList


class Words(VirtualList[str]):
    """Rows that count how often they are built."""

    DEFAULT_CSS = "Words { border: solid red; height: 12; scrollbar-size-vertical: 1; }"
    built = 0

    def row(self, item: str, index: int, width: int) -> Line:
        return line((f"{index} ", "muted"), (item, "text"))

    def _strip(self, *words: Any) -> Any:
        self.built += 1
        return super()._strip(*words)


class Shown(App[None]):
    """A list and something else that can have the focus."""

    def __init__(self) -> None:
        super().__init__()
        self.layouts = 0

    def compose(self) -> ComposeResult:
        yield Words(id="words")
        yield Button("other")

    def on_mount(self) -> None:
        self.screen.screen_layout_refresh_signal.subscribe(self, self._laid_out)

    def _laid_out(self, _: object) -> None:
        self.layouts += 1

    @property
    def words(self) -> Words:
        return self.query_one(Words)


def on_screen(app: App[Any]) -> list[str]:
    return ["".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()]


async def drawn(app: Shown, pilot: Pilot[None], change: Callable[[], object]) -> tuple[int, int]:
    """How many rows were built and how often the screen was laid out for a change."""
    layouts = -1
    while layouts != app.layouts:  # what came before is done with
        layouts = app.layouts
        await pilot.pause(0.1)
    built = app.words.built
    change()
    await pilot.pause(0.05)
    return app.words.built - built, app.layouts - layouts


async def test_a_change_draws_what_changed_and_lays_nothing_out() -> None:
    app = Shown()
    async with app.run_test(size=(40, 20)) as pilot:
        words = [f"word {n}" for n in range(100)]
        view = app.words
        view.show_items(words)
        assert await drawn(app, pilot, lambda: view.show_items([*words, "more"])) == (0, 0)
        assert await drawn(app, pilot, lambda: view.show_items([*words[:3], "other", *words[4:]])) == (1, 0)
        assert await drawn(app, pilot, lambda: view.set_title(line("A title"))) == (0, 0)
        assert "A title" in on_screen(app)[0]
        assert await drawn(app, pilot, lambda: view.move("down")) == (2, 0)
        assert await drawn(app, pilot, lambda: view.fail("it stopped")) == (0, 0)
        assert "it stopped" in on_screen(app)[0]


async def test_a_list_that_grew_can_be_scrolled_to_its_end_and_one_that_shrank_stays_in_range() -> None:
    app = Shown()
    async with app.run_test(size=(40, 20)) as pilot:
        view = app.words
        view.show_items([f"word {n}" for n in range(20)])
        await pilot.pause()
        view.show_items([f"word {n}" for n in range(5000)])
        view.move("bottom")
        await pilot.pause()
        grown = view.scroll_offset.y, on_screen(app)
        view.show_items([f"word {n}" for n in range(20)])
        await pilot.pause()
        shrunk = view.scroll_offset.y, on_screen(app)
        view.show_items(["one"])
        await pilot.pause()

        assert grown[0] == 4990 and any("4999 word 4999" in row for row in grown[1])
        assert shrunk[0] == 10 and any("19 word 19" in row for row in shrunk[1])
        assert view.scroll_offset.y == 0 and not view.show_vertical_scrollbar


async def test_whatever_happens_the_screen_is_what_a_full_drawing_shows() -> None:
    chance = random.Random(7)
    app = Shown()
    async with app.run_test(size=(40, 20)) as pilot:
        view = app.words
        for step in range(150):
            match chance.randrange(8):
                case 0 | 1:
                    view.show_items([chance.choice("abcdef") * 3 for _ in range(chance.choice([0, 3, 9, 10, 11, 40]))])
                case 2:
                    view.move(chance.choice(["down", "up", "page-down", "page-up", "top", "bottom"]))
                case 3:
                    view.move_to(chance.randrange(40))
                case 4:
                    view.set_title(line(f"title {step}"), line("below") if chance.random() < 0.5 else ())
                case 5:
                    (view if chance.random() < 0.5 else app.query_one(Button)).focus()
                case 6:
                    await pilot.resize_terminal(chance.choice([30, 40]), 20)
                case 7:
                    view.fail(chance.choice(["", "stopped"]))
            await pilot.pause()
            kept = app.screen._compositor.render_strips()
            view._rows.clear()
            view.refresh()
            await pilot.pause()
            assert app.screen._compositor.render_strips() == kept, step

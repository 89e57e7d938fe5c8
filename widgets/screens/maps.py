"""The routing maps: framework × lifecycle, agents by role, decision trees, and where a typed task goes in them."""

from collections.abc import Sequence
from typing import Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

from cockpit.agents.maps_models import RoutingMaps
from cockpit.plain_text import plain_text
from skills.routing.agents import Selection
from skills.routing.route import Route
from widgets.bindings import bind
from widgets.line_view import FixedLines, LineView
from widgets.lines import Line, Span, line
from widgets.map_lines import agent_lines, lifecycle_lines, route_lines, tree_lines
from widgets.screens.framed import FramedScreen

_TABS = ("lifecycle", "agents", "decision trees")
_ROOMY = 44  # cells that the whole names of the tabs take
_WAIT = 0.2  # seconds without a change until the task is routed
_HINTS = (
    "1 lifecycle 2 agents 3 trees · {maps-decide} Django or FastAPI · tab task · {recheck} again · {close} close",
    "1 2 3 · {maps-decide} decide · tab task · {recheck} again · {close} close",
    "1 2 3 · {maps-decide} decide · tab task · {close}",
)
_TYPING = (
    "type a task · enter or tab to the map and its keys · {close} close",
    "enter or tab to the map · {close} close",
    "tab map · {close}",
)


class MapsScreen(FramedScreen):
    """Shows `RoutingMaps`; asks by messages for them and for the route of what is typed."""

    CSS_PATH: ClassVar[Any] = ["framed.tcss", "maps.tcss"]

    class Wanted(Message):
        """The maps are to be read."""

        def __init__(self, screen: "MapsScreen") -> None:
            self.screen = screen
            super().__init__()

    class Asked(Message):
        """The route of a task is wanted; `number` counts the questions."""

        def __init__(self, screen: "MapsScreen", task: str, maps: RoutingMaps, number: int) -> None:
            self.screen, self.task, self.maps, self.number = screen, task, maps, number
            super().__init__()

    class Undecided(Message):
        """The eight questions are wanted, for the task that is typed."""

        def __init__(self, task: str, maps: RoutingMaps) -> None:
            self.task, self.maps = task, maps
            super().__init__()

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(place + 1), f"turn({place})", show=False) for place in range(len(_TABS))),
        bind("recheck", "again", "Read it again"),
        bind("maps-decide", "decide"),
        Binding("enter", "to_map", "To the map", show=False),
    ]

    def __init__(self, keys: Sequence[str]) -> None:
        super().__init__(keys)
        self.maps: RoutingMaps | None = None
        self.route: Route | None = None
        self.selection: Selection | None = None
        self.active, self.asked, self.routed = 0, 0, ""
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="frame"):
            yield Input(id="task", placeholder="a task in words, and where it goes", compact=True)
            yield FixedLines(id="maps-tabs", classes="fixed")
            yield FixedLines(id="map", classes="grows")

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self.action_again()

    @property
    def moving(self) -> LineView:
        return self.query_one("#map", FixedLines)

    # -- what is shown --

    def show(self, maps: RoutingMaps) -> None:
        """Show maps, and route what is typed in them."""
        self.maps, self.problem = maps, ""
        self.build()
        self._ask()

    def show_route(self, task: str, route: Route, selection: Selection, number: int) -> None:
        """Show where the task goes, unless a newer one is on its way."""
        if number == self.asked:
            self.routed, self.route, self.selection = task, route, selection
            self.build()

    def build(self) -> None:
        if not self.is_there:
            return
        width = self.row_width
        typing = self.focused is self.query_one(Input)  # then letters and digits are the task's
        self.entitle("Routing · " + _TABS[self.active], _TYPING if typing else _HINTS)
        spans: list[Span] = []
        for place, name in enumerate(_TABS if width >= _ROOMY else ("lifecycle", "agents", "trees")):
            here = place == self.active
            key = "accent" if here else "faint" if typing else "key"
            spans += [(f"{place + 1} ", key), (name, "strong" if here else "tab"), ("   ", "text")]
        self.fill("maps-tabs", [(), tuple(spans), ()] if self.size.height >= 20 else [tuple(spans)])
        self.query_one("#map", FixedLines).show_lines(self._lines(width))

    def _lines(self, width: int) -> list[Line]:
        if self.problem:
            return [line((self.problem, "bad")), self.again()]
        if self.maps is None:
            return [line(("Reading this repository, agents and transcripts…", "muted"))]
        if self.active == 1:
            return agent_lines(self.maps.agents, self.selection, width)
        if self.active == 2:
            return tree_lines(self.maps.agents, self.selection)
        rows = lifecycle_lines(self.maps.evidence, self.route, width)
        if self.route is None or self.selection is None:
            words = (" asks eight questions (from the map: tab)", "muted")
            return [
                *rows,
                (),
                line(("Django or FastAPI, still open? ", "muted"), (self.words("{maps-decide}"), "key"), words),
            ]
        found = route_lines(self.route, self.selection, width)
        return [*rows, (), *found] if width >= 96 else [*found, (), *rows]

    # -- what happens --

    @on(events.DescendantFocus)
    def _focused(self) -> None:
        self.build()

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(_WAIT, self._ask)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.moving.focus()

    def _ask(self) -> None:
        task = plain_text(self.query_one(Input).value, 2000)
        self.asked += 1
        if not task.strip():
            self.route = self.selection = None
            self.build()
        elif self.maps is not None:
            self.post_message(self.Asked(self, task, self.maps, self.asked))

    def action_turn(self, place: int) -> None:
        self.active = place
        self.moving.scroll_home(animate=False)
        self.build()

    @on(LineView.Tab)
    def _tab(self, message: LineView.Tab) -> None:
        self.action_turn(next(place for place, name in enumerate(_TABS) if name.endswith(message.name)))

    def action_again(self) -> None:
        self.ask(self.Wanted(self))

    def action_decide(self) -> None:
        """Ask the eight questions."""
        if self.maps is not None:
            self.post_message(self.Undecided(plain_text(self.query_one(Input).value, 2000), self.maps))

    def action_to_map(self) -> None:
        self.moving.focus()

"""Where the four panes (and the code preview) stand at every size: one pure function, and the container that obeys."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from textual.geometry import NULL_OFFSET, NULL_SPACING, Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

_FRAME = 2
_WIDE = 100  # cells from which the rows themselves say enough
PANES = ("worktrees", "budget", "phase", "findings")
Shape = Literal["tabs", "stack", "columns", "grid"]


@dataclass(frozen=True, slots=True)
class Wishes:
    """How many lines each pane would like to have, borders not counted."""

    worktrees: int = 4
    budget: int = 5
    phase: int = 3

    def of(self, name: str) -> int:
        """What a pane wishes; the findings take what they get."""
        return {"worktrees": self.worktrees, "budget": self.budget, "phase": self.phase}.get(name, 8)


def shape_of(width: int, height: int) -> Shape:
    """Tabs below 60 columns or 19 lines, a stack below 100, two columns below 140, then the grid."""
    if width < 60 or height < 19:
        return "tabs"
    if width < 100:
        return "stack"
    return "columns" if width < 140 or height < 22 else "grid"


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The panes in a person's own order, and those that are put away."""

    order: tuple[str, ...] = PANES
    hidden: frozenset[str] = frozenset()

    def shown(self, active: str = "") -> tuple[str, ...]:
        """The panes that have a place; the active one always has."""
        return tuple(name for name in self.order if name == active or name not in self.hidden)

    def without(self, name: str) -> "Arrangement":
        """The same with a pane put away, or brought back; the last one stays."""
        hidden = self.hidden ^ {name}
        return Arrangement(self.order, hidden) if len(hidden) < len(self.order) else self

    def moved(self, name: str, by: int) -> "Arrangement":
        """The same with a pane one place on (`by` 1) or back (-1) among those that are shown."""
        shown = self.shown(name)
        place = shown.index(name) + by
        if not 0 <= place < len(shown):
            return self
        swap = {name: shown[place], shown[place]: name}
        return Arrangement(tuple(swap.get(each, each) for each in self.order), self.hidden)


def regions(
    width: int,
    height: int,
    wishes: Wishes,
    active: str,
    *,
    zoomed: bool = False,
    arrangement: Arrangement = Arrangement(),
) -> dict[str, Region]:
    """The place of every pane that is shown in `width` × `height` cells. `active` is the one that has the focus.
    Below a list of findings that is too narrow for what they say come `words`."""
    shape = shape_of(width, height)
    shown = arrangement.shown(active)
    if zoomed or shape == "tabs" or len(shown) == 1:
        return _with_words({active: Region(0, 0, width, height)}, width)
    if shape == "stack":
        return _with_words(_rows([(name,) for name in shown], width, height, wishes), width)
    if shape == "columns" and len(shown) == 2:
        return _rows([(name,) for name in shown], width, height, wishes)
    if shape == "columns":
        return _rows([shown[:2], *((name,) for name in shown[2:])], width, height, wishes)
    return _grid(shown, width, height, wishes)


def _with_words(found: dict[str, Region], width: int) -> dict[str, Region]:
    """The places with a few lines taken from the foot of the findings, where they are narrow and high enough."""
    place = found.get("findings")
    if place is None or width >= _WIDE or place.height < 7:
        return found
    lines = 1 if place.height < 9 else 3 if width < 60 else 2
    rest = place.height - lines
    return {
        **found,
        "findings": Region(place.x, place.y, place.width, rest),
        "words": Region(place.x, place.y + rest, place.width, lines),
    }


def _elastic(shown: Sequence[str]) -> str:
    """The pane that takes what the others leave."""
    return "findings" if "findings" in shown else shown[-1]


def _rows(rows: Sequence[Sequence[str]], width: int, height: int, wishes: Wishes) -> dict[str, Region]:
    """Rows of one or two panes, as high as they wish within a share; the elastic one's row takes the rest."""
    elastic = _elastic([name for row in rows for name in row])
    pairs = any(len(row) > 1 for row in rows)
    most = max(4, height // 3) if pairs else max(4, height // 5 + 2)
    room = height - 3
    sizes = []
    for row in rows:
        fixed = [
            max(3, min(wishes.of(name) + _FRAME, most if len(row) > 1 else min(most, max(4, height // 5 + 1))))
            for name in row
        ]
        sizes.append(3 if elastic in row else min(max(fixed), max(1, room)))
        room -= 0 if elastic in row else sizes[-1]
    place = next(n for n, row in enumerate(rows) if elastic in row)
    sizes[place] = height - sum(size for n, size in enumerate(sizes) if n != place)
    found: dict[str, Region] = {}
    top = 0
    for row, size in zip(rows, sizes, strict=True):
        if len(row) == 1:
            found[row[0]] = Region(0, top, width, size)
        else:
            left = _split(row, width)
            found |= {row[0]: Region(0, top, left, size), row[1]: Region(left, top, width - left, size)}
        top += size
    return found


def _split(row: Sequence[str], width: int) -> int:
    """Where two panes side by side meet: figures need less than rows of words."""
    figures = max(48, min(60, width * 47 // 100))
    if row[1] == "budget":
        return width - figures
    return figures if row[0] == "budget" else width // 2


def _grid(shown: Sequence[str], width: int, height: int, wishes: Wishes) -> dict[str, Region]:
    """The elastic pane with the code below it on one side, the others above each other on the other."""
    elastic = _elastic(shown)
    others = [name for name in shown if name != elastic]
    narrow = min(96, width * 9 // 20)
    code = min(16, max(0, height // 3)) if height >= 28 and elastic == "findings" else 0
    first = shown[0] == elastic
    side, wide = (width - narrow, 0) if first else (0, narrow)
    found = {elastic: Region(wide, 0, width - narrow, height - code)}
    top = 0
    filling = "phase" if "phase" in others else others[-1]  # it has more to show where there is room
    sizes = {name: max(4, min(wishes.of(name) + _FRAME, height // 3)) for name in others if name != filling}
    sizes[filling] = height - sum(sizes.values())
    spare = sizes[filling] - wishes.of(filling) - _FRAME
    for name in others:  # what it does not need goes to those that had to stop at their third
        more = max(0, min(spare, wishes.of(name) + _FRAME - sizes[name])) if name != filling else 0
        sizes[name], sizes[filling], spare = sizes[name] + more, sizes[filling] - more, spare - more
    for name in others:
        found[name] = Region(side, top, narrow, sizes[name])
        top += sizes[name]
    if code:
        found["preview"] = Region(wide, height - code, width - narrow, code)
    return found


class _PanesLayout(Layout):
    name = "panes"

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True) -> ArrangeResult:
        assert isinstance(parent, Panes)
        places = parent.places(size)
        return [
            WidgetPlacement(places[child.id], NULL_OFFSET, NULL_SPACING, child)
            for child in children
            if child.id in places
        ]


class Panes(Widget):
    """Holds the panes. `active`, `zoomed`, `wishes` and `arrangement` move them."""

    class Resized(Message):
        """The panes have another size by now: later than the terminal itself tells it."""

    active: reactive[str] = reactive("findings")
    zoomed: reactive[bool] = reactive(False)
    wishes: reactive[Wishes] = reactive(Wishes())
    arrangement: reactive[Arrangement] = reactive(Arrangement())
    _panes_layout = _PanesLayout()

    @property
    def layout(self) -> Layout:
        return self._panes_layout

    def on_resize(self) -> None:
        self.post_message(self.Resized())

    def watch_active(self) -> None:
        self._arrange_again()

    def watch_zoomed(self) -> None:
        self._arrange_again()

    def watch_wishes(self) -> None:
        self._arrange_again()

    def watch_arrangement(self) -> None:
        self._arrange_again()

    def _arrange_again(self) -> None:
        # a child's refresh is what makes its parents forget the arrangement they remember
        for child in self.children[:1]:
            child.refresh(layout=True)

    def places(self, size: Size) -> dict[str, Region]:
        """Where every pane stands in this size."""
        return regions(
            size.width, size.height, self.wishes, self.active, zoomed=self.zoomed, arrangement=self.arrangement
        )

    def shown(self, name: str) -> bool:
        """Whether a pane has a place on screen now."""
        return name in self.places(self.size)

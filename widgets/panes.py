"""Where the four panes (and the code preview) stand at every size: one pure function, and the container that obeys."""

from dataclasses import dataclass
from typing import Literal

from textual.geometry import NULL_OFFSET, NULL_SPACING, Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.reactive import reactive
from textual.widget import Widget

PANES = ("worktrees", "budget", "phase", "findings")
Shape = Literal["tabs", "stack", "columns", "grid"]


@dataclass(frozen=True, slots=True)
class Wishes:
    """How many lines each pane would like to have, borders not counted."""

    worktrees: int = 4
    budget: int = 5
    phase: int = 3


def shape_of(width: int, height: int) -> Shape:
    """Tabs below 60 columns or 19 lines, a stack below 100, two columns below 140, then the grid."""
    if width < 60 or height < 19:
        return "tabs"
    if width < 100:
        return "stack"
    return "columns" if width < 140 or height < 22 else "grid"


def regions(width: int, height: int, wishes: Wishes, active: str, *, zoomed: bool = False) -> dict[str, Region]:
    """The place of every pane that is shown in `width` × `height` cells. `active` is the one that has the focus."""
    shape = shape_of(width, height)
    if zoomed or shape == "tabs":
        return {active: Region(0, 0, width, height)}
    if shape == "stack":
        return _stack(width, height, wishes)
    if shape == "columns":
        return _columns(width, height, wishes)
    return _grid(width, height, wishes)


def _stack(width: int, height: int, wishes: Wishes) -> dict[str, Region]:
    share = max(3, height // 5)
    trees = min(wishes.worktrees + 2, share + 2)
    budget = min(wishes.budget + 2, share + 1)
    phase = min(wishes.phase + 2, max(4, share))
    rest = max(4, height - trees - budget - phase)
    tops = (0, trees, trees + budget, trees + budget + phase)
    sizes = (trees, budget, phase, rest)
    return {name: Region(0, top, width, size) for name, top, size in zip(PANES, tops, sizes, strict=True)}


def _columns(width: int, height: int, wishes: Wishes) -> dict[str, Region]:
    top = max(4, min(max(wishes.worktrees, wishes.budget) + 2, height // 3))
    phase = min(wishes.phase + 2, max(4, height // 5))
    left = width - max(48, min(60, width * 9 // 20))
    return {
        "worktrees": Region(0, 0, left, top),
        "budget": Region(left, 0, width - left, top),
        "phase": Region(0, top, width, phase),
        "findings": Region(0, top + phase, width, max(3, height - top - phase)),
    }


def _grid(width: int, height: int, wishes: Wishes) -> dict[str, Region]:
    left = min(96, width * 9 // 20)
    trees = max(4, min(wishes.worktrees + 2, height // 3))
    budget = max(5, min(wishes.budget + 2, height // 3))
    code = min(16, max(0, height // 3)) if height >= 28 else 0
    found = {
        "worktrees": Region(0, 0, left, trees),
        "budget": Region(0, trees, left, budget),
        "phase": Region(0, trees + budget, left, height - trees - budget),
        "findings": Region(left, 0, width - left, height - code),
    }
    if code:
        found["preview"] = Region(left, height - code, width - left, code)
    return found


class _PanesLayout(Layout):
    name = "panes"

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True) -> ArrangeResult:
        assert isinstance(parent, Panes)
        places = regions(size.width, size.height, parent.wishes, parent.active, zoomed=parent.zoomed)
        return [
            WidgetPlacement(places[child.id], NULL_OFFSET, NULL_SPACING, child)
            for child in children
            if child.id in places
        ]


class Panes(Widget):
    """Holds the panes. `active`, `zoomed` and `wishes` move them."""

    active: reactive[str] = reactive("findings")
    zoomed: reactive[bool] = reactive(False)
    wishes: reactive[Wishes] = reactive(Wishes())
    _panes_layout = _PanesLayout()

    @property
    def layout(self) -> Layout:
        return self._panes_layout

    def watch_active(self) -> None:
        self._arrange_again()

    def watch_zoomed(self) -> None:
        self._arrange_again()

    def watch_wishes(self) -> None:
        self._arrange_again()

    def _arrange_again(self) -> None:
        # a child's refresh is what makes its parents forget the arrangement they remember
        for child in self.children[:1]:
            child.refresh(layout=True)

    def shown(self, name: str) -> bool:
        """Whether a pane has a place on screen now."""
        size = self.size
        return name in regions(size.width, size.height, self.wishes, self.active, zoomed=self.zoomed)

"""The lines around the panes: the top line, the tabs of a narrow terminal, the key bar."""

from collections.abc import Sequence
from datetime import datetime

from textual import events
from textual.message import Message

from cockpit.actions import Action, key_label, keys_of
from cockpit.agents.models import Session
from cockpit.plain_text import plain_text
from cockpit.worktrees.models import Worktree, WorktreesSnapshot
from skills.ages import age
from widgets.line_view import FixedLines
from widgets.lines import Line, Span, join, line, spread, width_of
from widgets.worktrees_pane import head_of, presence


def agents_line(sessions: Sequence[Session], now: datetime) -> Line:
    """`2 busy · 1 waits 3m`."""
    busy = sum(1 for session in sessions if session.state == "busy")
    held = [session for session in sessions if session.state == "waiting"]
    parts: list[Line] = []
    if busy:
        parts.append(line((f"{busy} busy", "good")))
    if held:
        longest = min((session.since for session in held if session.since), default=None)
        word = "waits" if len(held) == 1 else "wait"
        parts.append(line((f"{len(held)} {word} {age(longest, now)}".rstrip(), "warn")))
    return join(parts, " · ")


def place_line(name: str, trees: WorktreesSnapshot, watched: str) -> Line:
    """` acme-api · main ↑2`."""
    tree = next((tree for tree in trees.worktrees if tree.path == watched), None)
    parts: list[Span] = [(f" {plain_text(name, 30)}", "strong")]
    if tree is not None:
        parts += [(" · ", "faint"), (plain_text(tree.checked_out, 30), "accent")]
        if tree.ahead:
            parts.append((f" ↑{tree.ahead}", "accent"))
        if tree.behind:
            parts.append((f" ↓{tree.behind}", "warn"))
    return tuple(parts)


class TopLine(FixedLines):
    """Name, branch, agents, money, phase and time, in one line."""

    can_focus = False

    def show(self, left: Line, parts: Sequence[Line], least: Line = ()) -> None:
        """Show the parts; those on the right leave one by one, the last first, where the terminal is narrow. Where none
        has room there is what `least` says."""
        width = self.size.width
        kept = [part for part in parts if part]
        if least and (not kept or width_of(left) + width_of(kept[0]) + 3 > width):
            kept = [least]
        while kept and width_of(left) + width_of(join(kept)) + 3 > width:
            kept.pop()
        right = (*join(kept), (" ", "text"))
        self.show_lines([spread(left, right, width)])


class Tabs(FixedLines):
    """The panes of a narrow terminal: `1 Tree 5  2 $ 82%  3 Phase 4  4 ✖1 !6`."""

    can_focus = False
    picks = False

    class Pressed(Message):
        """A tab was clicked: the number of its pane."""

        def __init__(self, number: int) -> None:
            self.number = number
            super().__init__()

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._ends: list[int] = []

    def show(self, tabs: Sequence[Line], active: int) -> None:
        """Show the tabs, the active one strong."""
        spans: list[Span] = [(" ", "text")]
        self._ends = []
        gap = "  " if sum(width_of(tab) + 4 for tab in tabs) - 1 <= self.size.width else " "
        for place, tab in enumerate(tabs, 1):
            spans.append((str(place), "key" if place != active else "accent"))
            spans.append((" ", "text"))
            spans += [(text, "accent" if place == active and token == "text" else token) for text, token in tab]
            self._ends.append(width_of(spans) + len(gap))
            spans.append((gap if place < len(tabs) else "", "text"))
        self.show_lines([tuple(spans)])

    def on_click(self, event: events.Click) -> None:
        number = next((place for place, end in enumerate(self._ends, 1) if event.x < end), 0)
        if number:
            self.post_message(self.Pressed(number))


class Attention(FixedLines):
    """On a narrow terminal: the agent that waits longest, and for what."""

    can_focus = False

    def show(self, held: Sequence[Worktree], now: datetime) -> None:
        """Show the first of the worktrees whose agent waits."""
        if held:
            agent = presence(held[0].agent, now, 200)
            self.show_lines([line((f" {head_of(held[0])} ", "text"), *agent)])


class KeyBar(FixedLines):
    """The next useful keys; a click on one is as good as the key."""

    can_focus = False
    picks = False

    class Pressed(Message):
        """The id of the action that was clicked."""

        def __init__(self, action: str) -> None:
            self.action = action
            super().__init__()

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._ends: list[tuple[int, str]] = []
        self._asked: object = None

    def show(self, actions: Sequence[Action], overrides: dict[str, str], message: Line = ()) -> None:
        """Show as many actions as fit; a message takes the place of them all."""
        asked = (tuple(actions), overrides, message, self.size.width)
        if asked == self._asked:
            return
        self._asked, self._ends = asked, []
        if message:
            self.show_lines([((" ", "text"), *message)])
            return
        spans: list[Span] = [(" ", "text")]
        last = [action for action in actions if action.id in ("palette", "help")]  # these two always stay
        reserved = sum(len(key_label(keys_of(action, overrides)[0]) + action.short) + 3 for action in last)
        for action in actions:
            key = key_label(keys_of(action, overrides)[0])
            size = len(key) + len(action.short) + 3
            if action not in last and width_of(tuple(spans)) + size + reserved > self.size.width:
                continue
            spans += [(key, "key"), (f" {action.short}  ", "muted")]
            self._ends.append((width_of(spans), action.id))
        self.show_lines([tuple(spans)])

    def on_click(self, event: events.Click) -> None:
        action = next((name for end, name in self._ends if event.x < end), "")
        if action:
            self.post_message(self.Pressed(action))

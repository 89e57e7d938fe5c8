"""Pane 1: every worktree in one line — branch, changes, ahead and behind, age, the agent that works there."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.cells import cell_len

from cockpit.plain_text import plain_text
from cockpit.worktrees.models import Counts, Presence, Worktree, WorktreesSnapshot
from skills.ages import age
from skills.counted import counted
from skills.spending.amount import Amount
from widgets.lines import Line, Span, crop, crop_middle, fit, line, pad, width_of
from widgets.virtual_list import VirtualList

AGENT_GLYPH = {"busy": ("●", "good"), "waiting": ("◐", "warn"), "idle": ("○", "muted")}


STALE_SECONDS = 20
_GLYPH_BELOW = 6  # cells of a row that has no room for words
_STATE = 30  # cells that what stands out should have before counts and ages take theirs
_BEGINNING = 8  # cells that a reason begins with, so that it says something
_WORD = 8  # cells of a glyph and a word
_AGE, _GAPS = 5, 8
_COSTS_FROM = 80  # cells of a row that has room for costs
_FEW = 50  # cells of a row in which only what it holds has room
_CHANGES = len("1 changed 1 new"), len("2 changes")  # cells that are kept for them, where there is room
_REMARK, _COST = 16, 8  # cells that are kept for what is still being read
_PORT = 7


def changes_of(tree: Worktree, now: datetime, *, brief: bool = False) -> Line:
    """The counts; an older value that is being measured again says how old it is."""
    shown = changes(tree.counts, tree.stale, brief=brief)
    if tree.stale and tree.counted_at is not None and (now - tree.counted_at).total_seconds() >= STALE_SECONDS:
        return ((f"{shown[0][0]} ({age(tree.counted_at, now)} ago)", "faint"),)
    return shown


def changes(counts: Counts | None, stale: bool, *, brief: bool = False) -> Line:
    """`clean`, or the counts by kind (`brief`: all in one figure); `…` while they are unknown."""
    if counts is None:
        return (("…", "faint"),)
    if counts.clean:
        return (("clean", "faint" if stale else "muted"),)
    parts: list[str] = []
    token = "text"
    if brief:
        total = counts.staged + counts.unstaged + counts.untracked
        if counts.conflicts:
            return ((counted(counts.conflicts, "conflict"), "bad"),)
        return ((counted(total, "change"), "muted" if stale else "text"),)
    if counts.conflicts:
        parts.append(counted(counts.conflicts, "conflict"))
        token = "bad"
    if counts.staged:
        parts.append(f"{counts.staged} staged")
    if counts.unstaged:
        parts.append(f"{counts.unstaged} changed")
    if counts.untracked:
        parts.append(f"{counts.untracked} new")
    return ((" ".join(parts), "muted" if stale and token == "text" else token),)


def distance(tree: Worktree) -> Line:
    """`↑4 ↓1` against the base; empty where there is nothing to say."""
    parts: list[Span] = []
    if tree.ahead:
        parts.append((f"↑{tree.ahead}", "accent"))
    if tree.behind:
        parts.append((f"{' ' if parts else ''}↓{tree.behind}", "warn"))
    return tuple(parts)


def presence(agent: Presence | None, now: datetime, width: int) -> Line:
    """The agent's state as glyph and word, and what it waits for."""
    if agent is None:
        return ()
    glyph, token = AGENT_GLYPH[agent.state]
    since = age(agent.since, now)
    if agent.state == "waiting":
        reason = f": {plain_text(agent.waiting_for, 60)}" if agent.waiting_for else ""
        whole, brief = f"{glyph} waits {since}", f"{glyph} waits"
        if reason and width - cell_len(whole) < min(cell_len(reason), _BEGINNING):
            reason = ""  # of which nothing could be read
        return ((crop(f"{whole}{reason}" if cell_len(whole) <= width else brief, width), token),)
    return ((crop(_fitting(width, f"{glyph} {agent.state} {since}".rstrip(), f"{glyph} {agent.state}"), width), token),)


def remark(tree: Worktree, width: int = 200) -> Line:
    """What stands out about a worktree, the most pressing first; in fewer words where `width` asks for it."""
    if tree.missing:
        return (("✖ folder is gone", "bad"),)
    if tree.problem:
        return ((f"✖ {plain_text(tree.problem, 80)}", "bad"),)
    if tree.operation:
        doing = plain_text(tree.operation, 40)
        return ((_fitting(width, f"◆ {doing} in progress", f"◆ {doing}", f"◆ {doing.split(' ')[0]}"), "warn"),)
    if tree.locked:
        reason = f": {plain_text(tree.lock_reason, 40)}" if tree.lock_reason else ""
        return ((f"■ locked{reason}", "muted"),)
    if tree.head is None:
        return (("no commits yet", "muted"),)
    return _outlook(tree, width)


def _outlook(tree: Worktree, width: int) -> Line:
    """What would come of a worktree that is in order: its removal, its merge, its next step."""
    if tree.safe_to_remove:
        return (
            (_fitting(width, f"✓ {plain_text(tree.why or tree.advice, 60)}", "✓ safe to remove", "✓ can go"), "good"),
        )
    if tree.clashes:
        more = f" +{len(tree.clashes) - 1}" if len(tree.clashes) > 1 else ""
        clash = tree.clashes[0]
        short = f"≠ {plain_text(clash.other, 30)}, {counted(len(clash.files), 'file')}{more}"
        return ((_fitting(width, f"≠ {plain_text(clash.line, 60)}{more}", short), "warn"),)
    if tree.advice and not tree.main:
        return ((plain_text(tree.advice, 60), "muted"),)
    return ()


def _fitting(width: int, *words: str) -> str:
    """The first of them that fits, else the last."""
    return next((each for each in words if cell_len(each) <= width), words[-1])


@dataclass(frozen=True, slots=True)
class Columns:
    """Cells of the branch, the changes, the distance and (0: not shown) the costs, from what the rows hold."""

    name: int
    changes: int
    distance: int
    cost: int = 0
    brief: bool = False
    """Changes are one figure, so that the state has room."""
    aged: bool = True
    """The age of the last commit is shown."""


def columns(trees: Sequence[Worktree], now: datetime, width: int, costs: Mapping[str, Amount] | None = None) -> Columns:
    """Columns as wide as the longest content, the branch giving way first; `costs` only where there is room, None while
    they are read. None is narrower than what is usual in it, so that rows stay where they are while they are read."""
    if not trees:
        return Columns(0, 0, 0)
    name = max(cell_len(head_of(tree)) for tree in trees)
    far = max(0 if width < _FEW else 2 if width < _COSTS_FROM else 5, *(width_of(distance(tree)) for tree in trees))
    cost = 0 if width < _COSTS_FROM else _COST if costs is None else max(len(cost_of(tree, costs)) for tree in trees)
    reading = any(tree.counts is None and not (tree.missing or tree.problem) for tree in trees)
    wanted = min(_STATE, max(_REMARK if reading else 0, *(_state_width(tree, now) for tree in trees)))
    whole, least = _CHANGES if width >= _FEW else (0, 0)
    for kept, brief, aged in ((whole, False, True), (least, False, True), (least, True, True), (least, True, False)):
        changed = max(kept, *(width_of(changes_of(tree, now, brief=brief)) for tree in trees))
        room = width - min(changed, 24) - far - 12 - cost
        sized = max(8, min(name, 32, max(12, room // 2))), min(changed, max(5, width // 3))
        spare = width - sum(sized) - far - _GAPS - (_AGE if aged else 0) - (cost + 2 if cost else 0) - wanted
        if spare >= 0:  # the branch takes what nobody else needs
            ports = _PORT if any(tree.ports for tree in trees) else 0
            sized = min(name, sized[0] + max(0, spare - max(0, _REMARK - wanted) - ports)), sized[1]
            break
    if far and width - sum(sized) - far - _GAPS < _WORD:  # who works there, in a word, says more than how far it is
        far = 0
    return Columns(*sized, far, cost, brief, aged)


def _state_width(tree: Worktree, now: datetime) -> int:
    return width_of(presence(tree.agent, now, 200) or remark(tree, _STATE))


def cost_of(tree: Worktree, costs: Mapping[str, Amount] | None) -> str:
    """What the worktree's branch has cost this month; empty where nothing is known."""
    cost = (costs or {}).get(tree.branch) if tree.branch else None
    return "" if cost is None else str(cost)


def head_of(tree: Worktree) -> str:
    """What is checked out; where that is no branch, the folder before it: several may stand at one commit."""
    if tree.missing and not tree.head:
        return plain_text(tree.label)
    alone = tree.branch or tree.rebasing or not tree.head
    return plain_text(tree.checked_out if alone else f"{tree.name}, {tree.checked_out}")


def worktree_row(
    tree: Worktree,
    now: datetime,
    width: int,
    sizes: Columns,
    watched: bool,
    costs: Mapping[str, Amount] | None = None,
) -> Line:
    """One worktree in `width` cells: branch, changes, distance, age, month's costs, agent or remark, ports."""
    near = distance(tree) if sizes.distance else ()
    changed = changes_of(tree, now, brief=sizes.brief)[0]
    parts: list[Span] = [
        ("› " if watched else "  ", "accent"),
        (pad(crop_middle(head_of(tree), sizes.name), sizes.name), "strong" if watched else "text"),
        ("  ", "text"),
        (pad(changed[0], sizes.changes), changed[1]),
        ("  ", "text"),
        *near,
        (" " * (sizes.distance - width_of(near)), "text"),
    ]
    rest = width - width_of(parts) - 7
    cost = pad(cost_of(tree, costs), sizes.cost + 2, right=True) if sizes.cost else ""
    rest -= len(cost)
    if rest >= 14 and sizes.aged:
        parts.append((pad(age(tree.committed_at, now), 5, right=True), "muted"))
    else:
        rest += 5  # who works there says more than how old the last commit is
    parts += [(cost, "faint"), ("  ", "text")]
    said = presence(tree.agent, now, 200 if rest < _GLYPH_BELOW else rest) or remark(tree, rest)
    if rest < _GLYPH_BELOW:  # no room for words: the glyph alone says more than a cut word
        said = tuple((text[:1], token) for text, token in said[:1])
    tail = fit(said, rest)
    ports = f":{tree.ports[0]}" if tree.ports else ""
    if ports and rest > width_of(tail) + len(ports) + 2:
        gap = rest - width_of(tail) - len(ports)
        return (*parts, *tail, (" " * gap, "text"), (ports, "faint"))
    return (*parts, *tail)


_READING = ("Reading worktrees…", "muted")


class WorktreesPane(VirtualList[Worktree]):
    """The worktrees of the repository. `watched` is the path whose findings and phase the other panes show."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.snapshot = WorktreesSnapshot()
        self.watched = ""
        self.costs: Mapping[str, Amount] | None = None
        self._wanted = ""
        self.empty = (line(_READING),)
        self._head = line("1 Worktrees")
        self._say_head()

    def key(self, item: Worktree) -> Hashable:
        return item.path

    def row(self, item: Worktree, index: int, width: int) -> Line:
        group = self._group(item, index, width)
        width -= width_of(group)
        sizes = columns(self.items, self.now, width, self.costs)
        return (*group, *worktree_row(item, self.now, width, sizes, item.path == self.watched, self.costs))

    def _group(self, item: Worktree, index: int, width: int) -> Line:
        """The repository's name at its first worktree, where those of several are shown."""
        names = {tree.repository for tree in self.items if tree.repository}
        if len(names) < 2:
            return ()
        room = min(max(cell_len(name_of(name)) for name in names), max(6, width // 4))
        first = index == 0 or self.items[index - 1].repository != item.repository
        return ((" ", "text"), (pad(name_of(item.repository) if first else "", room), "accent"), (" ", "text"))

    def show(self, snapshot: WorktreesSnapshot, watched: str, costs: Mapping[str, Amount] | None = None) -> None:
        """Show a snapshot, with what each branch has cost this month; None while that is read."""
        self.snapshot, self.watched, self.costs = snapshot, watched, costs
        trees = snapshot.worktrees
        groups = len({tree.repository for tree in trees if tree.repository})
        of = f" in {groups} repositories" if groups > 1 else ""
        self._head = line(f"1 Worktrees · {len(trees)}{of}" if trees else "1 Worktrees")
        self._say_head()
        self.show_items(trees)
        if self._wanted:
            self.want(self._wanted)

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self._say_head()

    def _say_head(self) -> None:
        """The title; the key that adds one is named only where it does."""
        alone = self.has_focus and len(self.snapshot.worktrees) == 1 and not self.snapshot.note
        adds = f"{self.keys['new-worktree']} adds one" if alone else ""
        self.set_title(self._head, _note(self.snapshot.note), hint=adds)

    def troubled(self) -> None:
        if not self.snapshot.worktrees:
            self.empty = (line((f"Not read: {self.trouble}", "warn") if self.trouble else _READING),)
            self.lines_changed()

    def want(self, path: str) -> None:
        """Put the cursor on this worktree, now or as soon as it is there."""
        self._wanted = "" if self.find(lambda tree: tree.path == path) else path


def _note(note: str) -> Line:
    return line((plain_text(note, 70), "warn")) if note else ()


def name_of(repository: str) -> str:
    """The name of a repository by its main work tree."""
    return plain_text(repository.rstrip("/").rpartition("/")[2].removesuffix(".git") or repository, 40)


def waiting(trees: Sequence[Worktree]) -> list[Worktree]:
    """The worktrees whose agent waits for a person, the longest wait first."""
    held = [(tree.agent.since, tree) for tree in trees if tree.agent is not None and tree.agent.state == "waiting"]
    latest = datetime.max.replace(tzinfo=UTC)
    return [tree for _, tree in sorted(held, key=lambda pair: pair[0] or latest)]

"""Pane 1: every worktree in one line — branch, changes, ahead and behind, age, the agent that works there."""

from collections.abc import Hashable, Sequence
from datetime import UTC, datetime

from cockpit.plain_text import plain_text
from cockpit.worktrees.models import Counts, Presence, Worktree, WorktreesSnapshot
from widgets.lines import Line, Span, crop, line, pad
from widgets.virtual_list import VirtualList
from widgets.words import age

AGENT_GLYPH = {"busy": ("●", "good"), "waiting": ("◐", "warn"), "idle": ("○", "muted")}


def changes(counts: Counts | None, stale: bool) -> Line:
    """`clean`, or the counts by kind; `…` while they are unknown."""
    if counts is None:
        return (("…", "faint"),)
    if counts.clean:
        return (("clean", "faint" if stale else "muted"),)
    parts: list[str] = []
    token = "text"
    if counts.conflicts:
        parts.append(f"{counts.conflicts} conflict" + ("s" if counts.conflicts > 1 else ""))
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
        return ((crop(f"{glyph} waits {since}{reason}", width), token),)
    return ((crop(f"{glyph} {agent.state} {since}".rstrip(), width), token),)


def remark(tree: Worktree) -> Line:
    """What stands out about a worktree, the most pressing first."""
    if tree.missing:
        return (("✖ folder is gone", "bad"),)
    if tree.problem:
        return ((f"✖ {plain_text(tree.problem, 80)}", "bad"),)
    if tree.operation:
        return ((f"◆ {plain_text(tree.operation, 40)} in progress", "warn"),)
    if tree.locked:
        reason = f": {plain_text(tree.lock_reason, 40)}" if tree.lock_reason else ""
        return ((f"■ locked{reason}", "muted"),)
    if tree.safe_to_remove:
        return ((f"✓ {plain_text(tree.why or tree.advice, 60)}", "good"),)
    if tree.advice and not tree.main:
        return ((plain_text(tree.advice, 60), "muted"),)
    return ()


def worktree_row(tree: Worktree, now: datetime, width: int, watched: bool) -> Line:
    """One worktree in `width` cells: branch, changes, distance, age, agent or remark, ports."""
    name_width = max(10, min(28, width // 4)) if width >= 50 else max(8, width // 3)
    head = tree.branch or (f"detached {tree.head[:7]}" if tree.head else "no commits yet")
    parts: list[Span] = [
        ("› " if watched else "  ", "accent"),
        (pad(plain_text(head), name_width), "strong" if watched else "text"),
        (" ", "text"),
    ]
    change_width = 20 if width >= 70 else 14
    change_text, change_token = changes(tree.counts, tree.stale)[0]
    parts.append((pad(change_text, change_width), change_token))
    near = distance(tree)
    parts += [(" ", "text"), *near, (" " * max(1, 8 - sum(len(text) for text, _ in near)), "text")]
    parts.append((pad(age(tree.committed_at, now), 4), "muted"))
    rest = width - sum(len(text) for text, _ in parts) - 1
    tail = presence(tree.agent, now, rest) or remark(tree)
    ports = f":{tree.ports[0]}" if tree.ports else ""
    if ports and rest > sum(len(text) for text, _ in tail) + len(ports) + 2:
        gap = rest - sum(len(text) for text, _ in tail) - len(ports)
        return (*parts, *tail, (" " * gap, "text"), (ports, "faint"))
    return (*parts, *tail)


class WorktreesPane(VirtualList[Worktree]):
    """The worktrees of the repository. `watched` is the path whose findings and phase the other panes show."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.snapshot = WorktreesSnapshot()
        self.watched = ""
        self.empty = (line(("Reading worktrees…", "muted")),)
        self.set_title(line("1 Worktrees"))

    def key(self, item: Worktree) -> Hashable:
        return item.path

    def row(self, item: Worktree, index: int, width: int) -> Line:
        return worktree_row(item, self.now, width, item.path == self.watched)

    def show(self, snapshot: WorktreesSnapshot, watched: str) -> None:
        """Show a snapshot."""
        self.snapshot, self.watched = snapshot, watched
        trees = snapshot.worktrees
        self.set_title(line(f"1 Worktrees · {len(trees)}" if trees else "1 Worktrees"), _note(snapshot.note))
        self.show_items(trees)


def _note(note: str) -> Line:
    return line((plain_text(note, 70), "warn")) if note else ()


def waiting(trees: Sequence[Worktree]) -> list[Worktree]:
    """The worktrees whose agent waits for a person, the longest wait first."""
    held = [(tree.agent.since, tree) for tree in trees if tree.agent is not None and tree.agent.state == "waiting"]
    latest = datetime.max.replace(tzinfo=UTC)
    return [tree for _, tree in sorted(held, key=lambda pair: pair[0] or latest)]

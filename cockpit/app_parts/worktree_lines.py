"""What the screens about worktrees say: pure, from plans and rows to lines."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from cockpit.plain_text import plain_text
from cockpit.spend.models import SpendRow
from cockpit.worktrees.merge import Merged, MergePlan
from cockpit.worktrees.models import Worktree
from cockpit.worktrees.new import NewPlan
from cockpit.worktrees.progress import TreeProgress
from cockpit.worktrees.remove import RemovalPlan
from cockpit.worktrees.tidy import CleanPlan
from cockpit.worktrees.trash import Trashed
from skills.ages import age
from skills.counted import counted
from widgets.lines import Line, line, pad
from widgets.words import STATUS, money
from widgets.worktrees_pane import changes, distance, head_of, presence

_LABEL = 11
_MOST = 12


def fact(label: str, *parts: tuple[str, str]) -> Line:
    """`label      what`, the label quiet."""
    return line((pad(label, _LABEL), "muted"), *parts)


def short_path(path: Path | str) -> str:
    """A path with `~` for the home folder."""
    shown, home = plain_text(path), plain_text(Path.home())
    return "~" + shown[len(home) :] if shown.startswith(home + "/") else shown


def new_lines(plan: NewPlan) -> list[Line]:
    """What a new worktree will be."""
    source = "exists" if not plan.made_branch else f"follows {plan.remote}" if plan.remote else f"new, from {plan.base}"
    ports = f"{plan.ports[0]}–{plan.ports[-1]}" if plan.ports else "none is free"
    names = [".env (from .env.example)" if name == ".env.example" else plain_text(name, 40) for name in plan.files[:4]]
    copies = ", ".join(names) or "nothing"
    more = f" and {len(plan.files) - 4} more" if len(plan.files) > 4 else ""
    rows = [
        fact("branch", (plain_text(plan.branch), "strong"), (f"  {plain_text(source)}  {plan.start[:7]}", "muted")),
        fact("folder", (short_path(plan.path), "text")),
        fact("ports", (ports, "text" if plan.ports else "warn")),
        fact("copies", (copies + more, "text")),
    ]
    for command in plan.setup.commands:
        rows.append(
            fact("runs" if not plan.held_back else "runs not", (command, "muted" if plan.held_back else "text"))
        )
    return [*rows, (), *_warned(plan.warnings)] if plan.warnings else rows


def removal_lines(plan: RemovalPlan) -> list[Line]:
    """What removing will do, and what stands against it."""
    tree = plan.tree
    verdict = (
        line(("✓ safe: ", "good"), (plain_text(plan.why), "text"))
        if plan.safe
        else line(("! not safe: ", "warn"), (plain_text(plan.why), "text"))
    )
    return [
        verdict,
        (),
        fact("folder", (short_path(tree.path), "text"), ("  goes into the trash", "muted")),
        fact("branch", (plain_text(tree.checked_out), "text"), ("  stays", "muted")),
        *(
            [fact("ports", (", ".join(map(str, tree.ports)), "text"), ("  are free again", "muted"))]
            if tree.ports
            else []
        ),
        (),
        line(
            ("Nothing is deleted: ", "muted"), ("{undo-worktree}", "key"), (" brings it back byte for byte.", "muted")
        ),
    ]


def merge_lines(plan: MergePlan) -> list[Line]:
    """What a merge will bring."""
    made = "" if plan.old else f"  is made, from {plan.base}"
    return [
        fact("into", (plain_text(plan.into), "strong"), (plain_text(made), "muted")),
        fact("brings", (counted(plan.commits, "commit"), "text"), (f" in {counted(len(plan.files), 'file')}", "text")),
        fact("conflicts", ("none", "good")),
        *([fact("but", (plain_text(plan.tree.why), "warn"))] if plan.tree.merged == "squash" else []),
        (),
        *_names(plan.files, "muted"),
        (),
        line(("No work tree is touched; ", "muted"), ("{undo-worktree}", "key"), (" takes it back.", "muted")),
    ]


def conflict_lines(plan: MergePlan) -> list[Line]:
    """Why a merge is not done."""
    other = plain_text(plan.into if plan.old else plan.base)
    return [
        line((f"≠ would conflict with {other} in {counted(len(plan.conflicts), 'file')}", "warn")),
        (),
        *_names(plan.conflicts, "text"),
        (),
        line(
            ("Nothing was changed. Merge or rebase ", "muted"),
            (other, "text"),
            (" in that worktree, then again.", "muted"),
        ),
    ]


def clean_lines(plan: CleanPlan) -> list[Line]:
    """What a clean will do, and why the others stay."""
    trees = [*(tree for tree, _ in plan.remove), *(tree for tree, _ in plan.keep)]
    width = min(32, max((len(head_of(tree)) for tree in trees), default=8))
    rows: list[Line] = []
    for tree, why in plan.remove:
        rows.append(
            line(("✓ remove  ", "good"), (pad(head_of(tree), width), "text"), (f"  {plain_text(why)}", "muted"))
        )
    for entry in plan.forget:
        name = plain_text(entry.get("branch") or "?")
        rows.append(line(("✓ forget  ", "good"), (pad(name, width), "text"), ("  its folder is gone", "muted")))
    for tree, why in plan.keep:
        rows.append(
            line(("· keep    ", "muted"), (pad(head_of(tree), width), "text"), (f"  {plain_text(why)}", "muted"))
        )
    if plan.remove or plan.forget:
        rows += [
            (),
            line(
                ("What is removed goes into the trash: ", "muted"),
                ("{undo-worktree}", "key"),
                (" brings it back.", "muted"),
            ),
        ]
    return rows or [line(("There is no worktree besides the main one.", "muted"))]


def forecast_lines(trees: Sequence[Worktree]) -> list[Line]:
    """With what each worktree would be in conflict."""
    width = min(32, max((len(head_of(tree)) for tree in trees if tree.clashes), default=8))
    rows: list[Line] = []
    for tree in trees:
        for number, clash in enumerate(tree.clashes):
            name = head_of(tree) if not number else ""
            files = counted(len(clash.files), "file")
            rows.append(
                line(
                    (pad(name, width), "text"),
                    ("  ≠ ", "warn"),
                    (plain_text(clash.other, 60), "text"),
                    (f"  {files}", "muted"),
                )
            )
            rows += [line((" " * (width + 4), "text"), *each) for each in _names(clash.files, "muted")]
    if not rows:
        rows = [line(("✓ ", "good"), ("No conflicts are to be expected, with the base or with each other.", "text"))]
    return [*rows, (), line(("Only commits count: what is not committed yet is not in it.", "faint"))]


def detail_lines(
    tree: Worktree, progress: TreeProgress, now: datetime, width: int, costs: Sequence[SpendRow] = ()
) -> list[Line]:
    """Everything that is known of one worktree. `costs` are those of its commits, the newest first."""
    sign, word, token = STATUS[progress.tests]
    far = distance(tree)
    base = f" against {tree.base}" if tree.base else ""
    rows = [
        fact("folder", (short_path(tree.path), "text")),
        fact("branch", (head_of(tree), "strong"), (f"  {tree.head[:7]}" if tree.head and tree.branch else "", "muted")),
        fact("commits", *(far or (("none of its own", "muted"),)), (base, "muted")),
        fact("changes", *changes(tree.counts, tree.stale)),
        fact("tests", (f"{sign} {word}", token), (f"  {plain_text(progress.told)}", "muted")),
    ]
    sheet = progress.sheet
    if sheet.todos is not None:
        rows.append(fact("todos", (f"{sheet.done} of {sheet.total}", "text"), (f"  {sheet.todos} %", "muted")))
    if tree.committed_at is not None:
        rows.append(fact("last", (f"{age(tree.committed_at, now)} ago", "text")))
    if tree.ports:
        rows.append(fact("ports", (", ".join(map(str, tree.ports)), "text")))
    if tree.agent is not None:
        rows.append(fact("agent", (f"{tree.agent.agent} ", "text"), *presence(tree.agent, now, max(20, width - 20))))
    rows += [
        fact("blocked" if not number else "", (blocker, "warn")) for number, blocker in enumerate(progress.blockers)
    ]
    rows += [fact("conflicts" if not number else "", (clash.line, "warn")) for number, clash in enumerate(tree.clashes)]
    rows += _cost_lines(costs)
    safe = ("✓ safe: ", "good") if tree.safe_to_remove else ("no: ", "muted")
    rows += [fact("removal", safe, (plain_text(tree.why), "text"))]
    if tree.advice:
        rows.append(fact("next", (plain_text(tree.advice), "text")))
    return rows


def _cost_lines(costs: Sequence[SpendRow]) -> list[Line]:
    """What each commit cost."""
    amounts = ["unpriced" if row.unpriced_tokens and not row.usd else str(row.amount) for row in costs]
    wide = max(map(len, amounts[:_MOST]), default=0)
    rows = [
        fact("" if number else "cost", (pad(amount, wide, right=True), "text"), (f"  {plain_text(row.key)}", "muted"))
        for number, (amount, row) in enumerate(zip(amounts[:_MOST], costs, strict=False))
    ]
    if len(costs) > _MOST:
        rest = money(sum(row.usd for row in costs[_MOST:]), floor=any(row.amount.floor for row in costs[_MOST:]))
        rows.append(fact("", (pad(rest, wide, right=True), "text"), (f"  {len(costs) - _MOST} older", "muted")))
    return rows


def undo_rows(trash: Sequence[Trashed], merges: Sequence[Merged], now: datetime) -> list[tuple[str, Line]]:
    """What can be taken back, the last thing first; the key of each is what `undo_last` takes."""
    found: list[tuple[datetime | None, str, Line]] = []
    for thing in trash:
        name = pad(plain_text(thing.branch or thing.name), 30)
        row = line((pad(f"{age(thing.at, now)} ago", 10), "muted"), ("removed  ", "text"), (name, "strong"))
        found.append((thing.at, thing.key, (*row, (f"  {plain_text(thing.why)}", "muted"))))
    seen: set[str] = set()
    for merge in merges:
        if merge.into not in seen:  # one after the other: only the last merge of a branch can be taken back
            seen.add(merge.into)
            when = pad(f"{age(merge.at, now)} ago", 10)
            name = pad(plain_text(merge.branch), 30)
            row = line(
                (when, "muted"), ("merged   ", "text"), (name, "strong"), (f"  into {plain_text(merge.into)}", "muted")
            )
            found.append((merge.at, merge.into, row))
    found.sort(key=lambda one: one[0].timestamp() if one[0] else 0.0, reverse=True)
    return [(key, row) for _, key, row in found]


def _warned(warnings: Sequence[str]) -> list[Line]:
    return [line(("! ", "warn"), (plain_text(warning), "muted")) for warning in warnings]


def _names(names: Sequence[str], token: str) -> list[Line]:
    rows = [line((plain_text(name, 200), token)) for name in names[:_MOST]]
    return [*rows, line((f"and {len(names) - _MOST} more", "faint"))] if len(names) > _MOST else rows

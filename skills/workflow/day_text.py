"""The reports of a working day as Markdown.

Source: workflow orchestrator, start day and end day.
"""

from collections.abc import Iterable

from skills.counted import counted
from skills.spending.amount import dollars, percent
from skills.workflow.day import (
    MEMORY_WARN_GB,
    EndReport,
    GitState,
    ModelCost,
    Money,
    Resources,
    Since,
    StartReport,
    Waiting,
    WorktreeLine,
)
from skills.workflow.tasks import Item, Scored

_MOST_COMMITS = 8


def start_text(report: StartReport) -> str:
    """The start of the day as Markdown."""
    return "\n\n".join(part for part in _start_parts(report) if part) + "\n"


def end_text(report: EndReport) -> str:
    """The end of the day as Markdown."""
    return "\n\n".join(part for part in _end_parts(report) if part) + "\n"


def _start_parts(report: StartReport) -> list[str]:
    branch = (report.git.branch or "detached") if report.git else "unknown"
    kinds = ", ".join(report.types) or "unknown"
    started = report.started.strftime("%Y-%m-%d %H:%M")
    queued = [_queued(entry, agent) for entry, agent in zip(report.queue, _padded(report), strict=True)]
    no_context = "" if report.context_file else "No previous context found. Starting fresh session."
    return [
        f"## Session Start: {report.project}",
        f"*Branch: {branch} | Type: {kinds} | Started: {started}*",
        _preflight(report.preflight),
        _git(report.git),
        _waiting(report.waiting),
        _since(report.since),
        no_context,
        _listed("### Completed (Last Session)", [f"[x] {text}" for text in report.completed]),
        _in_progress(report.in_progress),
        _listed("### Blockers", [f"[ ] {text}" for text in report.blockers]),
        _list("### Planned for Today", list(report.planned), numbered=True),
        _listed("### Today's Priority Queue", queued, numbered=True),
        _worktrees(report.worktrees),
        _money("### Cost Context", report.money) if report.show_costs else "",
        _resources(report.resources),
        _observers(report.observers),
        _list("### Context Files", list(report.context_files)),
        _list("### Notes", list(report.notes)),
    ]


def _padded(report: StartReport) -> tuple[str, ...]:
    return (*report.agents, *[""] * (len(report.queue) - len(report.agents)))


def _since(since: Since | None) -> str:
    if since is None:
        return ""
    lines = []
    if since.commits is None:
        lines.append("Commits: the history could not be read")
    else:
        more = len(since.commits) - _MOST_COMMITS
        lines.append(f"Commits: {len(since.commits)}")
        lines += list(since.commits[:_MOST_COMMITS]) + ([f"and {more} more"] if more > 0 else [])
    if since.spent is not None:
        lines.append(f"Cost: {since.spent}")
    if since.sessions is not None:
        lines.append(f"Agent sessions: {since.sessions}")
    return _list(f"### Since {since.what}", lines)


def _observers(blockers: int | None) -> str:
    team = "Team: OFF" if blockers is None else f"Team: ACTIVE · Active blockers: {blockers}"
    return _list("### Observer Status", [team])


def _listed(title: str, lines: list[str], *, numbered: bool = False) -> str:
    """As `_list`, but a section that the report always has."""
    return _list(title, lines, numbered=numbered) or f"{title}\n\nNone."


def _end_parts(report: EndReport) -> list[str]:
    ended = report.ended.strftime("%Y-%m-%d %H:%M")
    by_model = [f"{cost.model}: {_cost(cost)}" for cost in report.costs or ()]
    p0 = None
    if report.open_p0 is not None:
        p0 = _list("### Open P0 Findings", list(report.open_p0)) or "### Open P0 Findings\n\nNone."
    return [
        f"## End of Day: {report.project}",
        f"*Branch: {report.branch} | {ended}*",
        _commits(report),
        _unsafe(report.unsafe, remote=report.remote),
        _waiting(report.waiting),
        p0 or "",
        _money("### Costs", report.money),
        _list("### Today by Model", by_model),
        *(_list(f"### {title}", list(lines)) for title, lines in report.sections),
        _list("### Notes", list(report.notes)),
    ]


def _cost(cost: ModelCost) -> str:
    if not cost.unpriced_tokens:
        return dollars(cost.usd, floor=cost.floor)
    known = f"{dollars(cost.usd, floor=True)}, " if cost.usd else ""
    return f"{known}{cost.unpriced_tokens:,} tokens unpriced"


def _git(git: GitState | None) -> str:
    if git is None:
        return "### Git Status\n\nLimited context available: git could not be read."
    current = git.branch or "detached HEAD"
    if git.upstream is None:
        relation = "no upstream"
    else:
        parts = [f"{count} {word}" for count, word in ((git.ahead, "ahead"), (git.behind, "behind")) if count]
        relation = ", ".join(parts) or "up to date"
    lines = [f"Current: {current} ({relation})"]
    if git.default_branch and git.default_branch != git.branch:
        lines.append(f"Default: {git.default_branch}")
    lines += [f"Unstaged: {counted(git.unstaged, 'file')}", f"Staged: {counted(git.staged, 'file')}"]
    lines += [
        f"{word}: {counted(count, 'file')}"
        for word, count in (("Untracked", git.untracked), ("Conflicts", git.conflicts))
        if count
    ]
    lines.append(f"Last commit: {git.last}" if git.last else "Last commit: none yet")
    lines += [f"Before: {commit}" for commit in git.recent[1:]]
    return _list("### Git Status", lines)


def _in_progress(items: tuple[Item, ...]) -> str:
    rows = []
    for item in items:
        known = [
            item.cell("task"),
            item.cell("branch", "branch/worktree", "worktree"),
            item.cell("status"),
            item.cell("blockers"),
        ]
        rest = [f"{name}: {value}" for name, value in item.cells if value and value not in known]
        rows.append((" · ".join([known[0], *rest]) if known[0] else item.text, *known[1:]))
    header = ("Task", "Branch/Worktree", "Status", "Blockers")
    return _table("### In Progress", header, rows) if rows else "### In Progress\n\nNone."


def _queued(entry: Scored, agent: str) -> str:
    terms = ", ".join(f"{term.why} {term.points:+g}" for term in entry.terms)
    who = f"[AGENT: {agent}] " if agent else ""
    return f"{who}{entry.task.text} — {entry.score:g} ({terms})"


def _worktrees(lines: tuple[WorktreeLine, ...] | None) -> str:
    if lines is None:
        return "### Worktrees\n\nThe worktrees could not be read."
    header = ("Worktree", "Branch", "State", "Ports", "Agent", "Advice")
    rows = [(line.name, line.branch, line.state, line.ports, line.agent, line.advice) for line in lines]
    return _table("### Worktrees", header, rows)


def _money(title: str, money: Money | None) -> str:
    if money is None:
        return f"{title}\n\nThe transcripts could not be read: costs are unknown."
    lines = [
        "Today: " + _of(money.today, money.day_limit, money.day_level, floor=money.floor),
        "Month to date: " + _of(money.month, money.month_limit, money.month_level, floor=money.floor),
    ]
    if money.month_limit is not None:
        left = money.month_limit - money.month
        lines.append(
            f"Remaining: {dollars(left, most=money.floor)}"
            if left >= 0
            else f"Over the month's limit by {dollars(-left, floor=money.floor)}"
        )
    if money.task_average is not None:
        lines.append(f"Avg cost/task: {dollars(money.task_average)}")
    if money.unpriced_tokens:
        lines.append(f"Unpriced: {money.unpriced_tokens:,} tokens of models without a known price")
    return _list(title, lines)


def _of(usd: float, limit: float | None, level: str, *, floor: bool) -> str:
    if not limit:
        return dollars(usd, floor=floor)
    word = "" if level == "ok" else f", {level}"
    return f"{dollars(usd, floor=floor)} / {dollars(limit)} ({percent(usd / limit)}{word})"


def _waiting(waiting: tuple[Waiting, ...]) -> str:
    lines = []
    for one in waiting:
        since = "" if one.minutes is None else f" (for {one.minutes} min)"
        lines.append(f"{one.where}: {one.what}{since}")
    return _list("### Waiting for You", lines)


def _resources(resources: Resources) -> str:
    count = "unknown" if resources.worktrees is None else f"{resources.worktrees}/{resources.max_worktrees}"
    ports = "none free" if resources.ports is None else "{}–{}".format(*resources.ports)
    if resources.free_gb is None:
        memory = "unknown"
    else:
        low = f", below {MEMORY_WARN_GB:g} GB" if resources.free_gb < MEMORY_WARN_GB else ""
        memory = f"{int(resources.free_gb)} GB free{low}"  # whole ones: the same report twice
    return _list("### Available Resources", [f"Worktrees: {count}", f"Ports: {ports}", f"Memory: {memory}"])


def _preflight(hints: tuple[str, ...]) -> str:
    return _list("### Before You Begin", list(hints))


def _commits(report: EndReport) -> str:
    if report.commits is None:
        return "### Commits Today\n\nThe history could not be read."
    who = f" by {report.author}" if report.author else ""
    listed = _list("### Commits Today", list(report.commits))
    return listed or f"### Commits Today\n\nNo commits{who} today."


def _unsafe(unsafe: tuple[tuple[str, str], ...] | None, *, remote: bool) -> str:
    title = "### Uncommitted or Unpushed"
    if unsafe is None:
        return f"{title}\n\nThe worktrees could not be read."
    none = "every worktree is committed and pushed" if remote else "every worktree is committed; no remote to push to"
    return _list(title, [f"{name}: {what}" for name, what in unsafe]) or f"{title}\n\nNothing: {none}."


def _table(title: str, header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table whose columns also line up as plain text."""
    cells = [[text.replace("\\", "\\\\").replace("|", "\\|") for text in row] for row in (header, *rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(header))]
    lines = [
        "| " + " | ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) + " |" for row in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join([title, "", *lines])


def _list(title: str, lines: list[str], *, numbered: bool = False) -> str:
    if not lines:
        return ""
    marks = [f"{number}." if numbered else "-" for number in range(1, len(lines) + 1)]
    return "\n".join([title, "", *(f"{mark} {line}" for mark, line in zip(marks, lines, strict=True))])

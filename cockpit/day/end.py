"""End of day, read-only: everything is looked at now, nothing is written.

Source: workflow orchestrator, end day.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from cockpit import clock
from cockpit.config import Config
from cockpit.day.gather import (
    Costs,
    everywhere,
    finding_line,
    guarded,
    money_of,
    result_of,
    spend_notes,
    unsafe_lines,
    waiting_of,
    with_agents,
)
from cockpit.day.git_state import commits_since, has_remote, read_author, read_git_state
from cockpit.findings.models import Finding
from cockpit.plain_text import plain_text
from cockpit.repository import Repository
from skills.workflow.day import EndReport


def end_report(repository: Repository, config: Config, *, findings: Iterable[Finding] | None = None) -> EndReport:
    """What the day left behind. `findings` are those of the last check, where there was one."""
    now = clock.now()
    midnight = clock.local_midnight(now)
    notes: list[str] = []
    with ThreadPoolExecutor(4) as pool:
        trees, sessions = everywhere(pool, repository, config)
        spend = pool.submit(Costs, repository, config)
        author = read_author(repository.root)
        commits = guarded(lambda: commits_since(repository.root, midnight, author, now), "history", notes)
        git = guarded(lambda: read_git_state(repository.root, None, now), "git", notes)
        joined = with_agents(result_of(trees, "worktrees", notes), result_of(sessions, "sessions", notes))
        notes += [joined.note] if joined is not None and joined.note else []
        live = result_of(sessions, "sessions", [])
        costs = result_of(spend, "costs", notes)
    by_model = costs.by_model(midnight) if costs else None
    if costs:
        costs.close()
    p0 = None if findings is None else tuple(finding_line(found) for found in findings if found.gate == "P0")
    return EndReport(
        project=plain_text(repository.name, 80),
        branch=(git.branch or "detached") if git else "unknown",
        ended=now.astimezone(),
        author=plain_text(author, 80) if author else None,
        commits=commits,
        unsafe=None if joined is None else tuple(unsafe_lines(joined)),
        waiting=waiting_of(live, now),
        money=money_of(costs.snapshot) if costs else None,
        costs=by_model,
        open_p0=p0,
        notes=(*notes, *(spend_notes(costs.snapshot) if costs else ())),
        remote=has_remote(repository.root),
        removable=()
        if joined is None
        else tuple((tree.name, tree.why) for tree in joined.worktrees if tree.safe_to_remove),
    )

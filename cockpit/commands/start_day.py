"""`cockpit start-day`: what is known when the day begins, and the queue of tasks with its reasons."""

import argparse
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cockpit.call import Call, print_json, rewrite

if TYPE_CHECKING:
    from cockpit.day.start import Started
    from skills.workflow.day import StartReport
    from skills.workflow.steps import Step

EXAMPLES = """examples:
  cockpit start-day              the report as Markdown; on a terminal quick scans follow it
  cockpit start-day --scan       with quick scans also where the output goes elsewhere
  cockpit start-day --json | jq '.queue[0]'

The session's beginning is noted in cockpit's own state. To-dos are written where the configuration says so:
  [day]
  todos = ".claude/todos.json"
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    scan = parser.add_mutually_exclusive_group()
    scan.add_argument(
        "--scan",
        action="store_true",
        help="quick scans after the report: staged secrets, dependencies, findings since the last session",
    )
    scan.add_argument("--no-scan", action="store_true", help="no quick scans")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(call: Call) -> int:
    """Print the report. Returns 0; what could not be read is named in the report."""
    from cockpit.git_command import start_quickly
    from cockpit.worktrees.ahead import ask_statuses, begin_reading

    start_quickly()
    args = call.args
    begun = time.monotonic()
    repository = call.repository()
    ask_statuses(repository)  # git looks while the rest is imported
    config = call.config()
    reading = begin_reading(repository, config)
    from cockpit.day.start import start_day

    tell = show_step if sys.stderr.isatty() else None
    started = start_day(repository, config, tell=tell, reading=reading, ending=True)
    rewrite("")
    if args.json:
        scans: list[dict[str, Any]] = []
        if args.scan:
            _scan(call, lambda row, _: scans.append(row))
        findings = _findings(call, started) if args.scan else None
        looked = {"scans": scans if args.scan else None, "findings": findings}
        print_json({**document(started), **looked, "meta": _meta(begun)})
        return 0
    from cockpit.columns import on_paper
    from skills.workflow.day_text import start_text

    sys.stdout.write(on_paper(start_text(started.report).split("\n")))
    sys.stdout.flush()
    if args.scan or (not args.no_scan and sys.stdout.isatty()):
        sys.stdout.write("\n### Quick Scans\n\n")
        _scan(call, _print_scan)
        _print_scan({}, _findings(call, started) or [])
    return 0


def document(started: "Started") -> dict[str, Any]:
    """The start of the day as JSON."""
    from skills.workflow.day_text import start_text

    report = started.report
    return {
        "project": report.project,
        "types": list(report.types),
        "git": git_row(report),
        "context": {"file": report.context_file, "files": list(report.context_files)},
        "completed": list(report.completed),
        "in_progress": [item.text for item in report.in_progress],
        "blockers": list(report.blockers),
        "planned": list(report.planned),
        "queue": _queue(report),
        "worktrees": _worktrees(report),
        "waiting": [{"where": one.where, "what": one.what, "minutes": one.minutes} for one in report.waiting],
        "since": _since(report),
        "spend": _spend(report),
        "resources": _resources(report),
        "preflight": list(report.preflight),
        "steps": [step.row() for step in started.steps],
        "files": [str(path) for path in started.files],
        "notes": list(report.notes),
        "report": start_text(report),
    }


def _queue(report: "StartReport") -> list[dict[str, Any]]:
    return [
        {
            "task": entry.task.text,
            "id": entry.task.id,
            "score": entry.score,
            "terms": [{"why": term.why, "points": term.points} for term in entry.terms],
            "agent": agent or None,
            "priority": entry.level,
            "blocked_by": list(entry.blocked_by),
            "files": list(files),
        }
        for entry, agent, files in zip(report.queue, report.agents, report.files, strict=True)
    ]


def _worktrees(report: "StartReport") -> list[dict[str, Any]] | None:
    if report.worktrees is None:
        return None
    return [
        {"name": line.name, "branch": line.branch, "state": line.state, "ports": line.ports, "advice": line.advice}
        for line in report.worktrees
    ]


def _resources(report: "StartReport") -> dict[str, Any]:
    resources = report.resources
    return {
        "worktrees": resources.worktrees,
        "max_worktrees": resources.max_worktrees,
        "ports": list(resources.ports) if resources.ports else None,
        "free_gb": None if resources.free_gb is None else int(resources.free_gb),
    }


def git_row(report: "StartReport") -> dict[str, Any] | None:
    """The state of the work tree as JSON, None where git could not be read."""
    git = report.git
    if git is None:
        return None
    return {
        "branch": git.branch,
        "default_branch": git.default_branch,
        "staged": git.staged,
        "unstaged": git.unstaged,
        "untracked": git.untracked,
        "conflicts": git.conflicts,
        "upstream": git.upstream,
        "ahead": git.ahead or 0,
        "behind": git.behind or 0,
        "last": git.last,
        "recent": list(git.recent),
    }


def _since(report: "StartReport") -> dict[str, Any] | None:
    from cockpit.clock import iso

    since = report.since
    if since is None:
        return None
    return {
        "at": iso(since.moment),
        "commits": None if since.commits is None else list(since.commits),
        "usd": None if since.spent is None else round(since.spent.usd, 6),
        "floor": since.spent is not None and since.spent.floor,
        "sessions": since.sessions,
    }


def _spend(report: "StartReport") -> dict[str, Any] | None:
    money = report.money
    if money is None:
        return None
    return {
        "today": {"usd": round(money.today, 6), "limit": money.day_limit, "level": money.day_level},
        "month": {"usd": round(money.month, 6), "limit": money.month_limit, "level": money.month_level},
        "remaining": None if money.month_limit is None else round(money.month_limit - money.month, 6),
        "task_average": None if money.task_average is None else round(money.task_average, 6),
        "floor": money.floor,
        "unpriced_tokens": money.unpriced_tokens,
    }


def _scan(call: Call, show: Callable[[dict[str, Any], list[str]], None]) -> None:
    from cockpit.day.scans import quick_scans
    from skills.workflow.sweep import sweep_lines

    for check in quick_scans(call.repository().root, call.config()):
        show(check.row(), sweep_lines([check], 5))


def _findings(call: Call, started: "Started") -> list[str] | None:
    """What the gates say of what changed since the last session, None where none is known."""
    from cockpit.day.scans import findings_since

    since = started.report.since
    return findings_since(call.repository().root, call.config(), since.moment) if since is not None else None


def _print_scan(_: dict[str, Any], lines: list[str]) -> None:
    if not lines:
        return
    from cockpit.columns import on_paper

    said = (f"- {line}" if at == 0 else f"  {line}" for at, line in enumerate(lines))
    sys.stdout.write(on_paper(said) + "\n")
    sys.stdout.flush()


def show_step(step: "Step") -> None:
    """One step on stderr, over the one before."""
    if step.status == "running":
        return
    rewrite(f"{step.step}: {step.status.replace('_', ' ')} {step.detail}")


def _meta(begun: float) -> dict[str, Any]:
    return {"duration_ms": round((time.monotonic() - begun) * 1000)}

"""`cockpit hooks`: into git and into the agents: what they do is checked before it is done."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from cockpit.call import Call, print_json
from cockpit.errors import CannotAnswer

if TYPE_CHECKING:
    from cockpit.agents.models import Agent
    from cockpit.hooks.agents import AgentHooks, Scope
    from cockpit.hooks.git import Hook, HookPlan
    from cockpit.repository import Repository

EXAMPLES = """examples:
  cockpit hooks install --git             check and sweep before every commit, sweep before every push;
                                          an existing hook is called first
  cockpit hooks install --agent claude    edits that bring a P0 finding are refused, events tell each session's state
  cockpit hooks install                   the agents that are found here (--user; --project: in this repository)
  cockpit hooks install --dry-run         show the change, make none
  cockpit hooks status
  cockpit hooks uninstall --agent claude  byte for byte what was there before, where nobody changed it since

What else the agents' hooks do is off unless the configuration says so:
  [hooks]
  hints = true          # at most 500 tokens with each prompt: risk, skills, missing parts
  digest = true         # at most 500 tokens at the start of a session: the start-day report
  strict = true         # hold back "tests pass" where none ran; refuse what cannot be judged
  max_subagents = 5     # refuse more at a time
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("action", choices=("install", "uninstall", "status"))
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--git", action="store_true", help="the pre-commit and pre-push hooks of this repository")
    which.add_argument("--agent", choices=("claude", "codex", "gemini", "opencode"), help="one agent's hooks")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--user", action="store_true", help="the agent's settings of this person (the default)")
    where.add_argument("--project", action="store_true", help="the agent's settings in this repository")
    parser.add_argument("--dry-run", action="store_true", help="show the change, make none")
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(call: Call) -> int:
    """Install, uninstall or show. Raises `CannotAnswer` where that cannot be done."""
    from cockpit.hooks.git import HOOKS

    args = call.args
    rows: list[dict[str, Any]] = []
    lines: list[str] = []
    wanted = _wanted(args)
    if args.git or (args.action == "status" and not args.agent and _in_repository(call)):
        for hook in HOOKS:
            row, said = _one(call.repository(), hook, args)
            rows.append(row)
            lines += said
    for agent, scope in wanted:
        row, said = _of_agent(call, agent, scope)
        rows.append(row)
        lines += said
    meta: dict[str, Any] = {}
    if args.action == "status":
        from cockpit.hooks.memory import hints_counted

        count, tokens = hints_counted()
        meta = {"hints": count, "hint_tokens": tokens, "basis": "estimated"}
        lines += [f"hints  {count} added to prompts, about {tokens:,} tokens"] if count else []
    if args.json:
        print_json({"hooks": rows, "meta": meta})
    else:
        sys.stdout.write("\n".join(_aligned(lines)) + "\n")
    return 0


def _aligned(lines: list[str]) -> list[str]:
    """Lines of a hook are `name<TAB>state<TAB>path`: these stand in columns, all others as they are."""
    from cockpit.columns import aligned

    hooks = iter(aligned([line.split("\t") for line in lines if line.count("\t") == 2]))
    return [next(hooks) if line.count("\t") == 2 else line for line in lines]


def _wanted(args: argparse.Namespace) -> "list[tuple[Agent, Scope]]":
    """Which agents' files are meant."""
    from cockpit.hooks.agents import AGENTS, found_agents

    scopes: list[Scope] = ["project"] if args.project else ["user"]
    if args.git:
        return []
    if args.action == "status" and not (args.user or args.project):
        scopes = ["user", "project"]
    agents = (args.agent,) if args.agent else AGENTS if args.action == "status" else found_agents()
    if not agents:
        raise CannotAnswer(
            "no agent was found here: say which hook", f"cockpit hooks {args.action} --agent claude, or --git"
        )
    return [(agent, scope) for scope in scopes for agent in agents]


def _in_repository(call: Call) -> bool:
    try:
        call.repository()
    except CannotAnswer:
        return False
    return True


def _of_agent(call: Call, agent: "Agent", scope: "Scope") -> tuple[dict[str, Any], list[str]]:
    """One agent's file: what was done with it as JSON, and as lines."""
    from cockpit.config import load_config
    from cockpit.hooks.agents import (
        agent_status,
        apply_agent,
        plan_agent_install,
        plan_agent_uninstall,
        settings_path,
    )

    args = call.args
    inside = _in_repository(call)
    root = call.repository().root if inside else None
    if scope == "project" and root is None and args.action == "status":
        return {"hook": agent, "scope": scope, "path": None, "state": "absent", "note": "no repository"}, []
    config = (call.config() if inside else load_config(None)).hooks
    plan = None
    if args.action != "status":
        install = args.action == "install"
        plan = plan_agent_install(agent, scope, root, config) if install else plan_agent_uninstall(agent, scope, root)
        if plan.changes and not args.dry_run:
            apply_agent(plan, installing=install)
    status = agent_status(agent, scope, root, config)
    note = status.note
    if plan is not None and args.action == "install" and agent == "codex":
        note = "Codex runs them once they are trusted: open /hooks in Codex"
    row = {
        "hook": agent,
        "scope": scope,
        "path": str(settings_path(agent, scope, root)),
        "state": status.state,
        "events": list(status.events),
        "answering": list(status.answering),
        "note": note or None,
        **({"changed": plan.changes and not args.dry_run, "what": plan.what, "diff": plan.diff} if plan else {}),
    }
    if args.action == "status" and scope == "project" and status.state == "absent":
        return row, []  # most people have none there
    lines = _lines(f"{agent} {scope}", plan, status, installing=args.action == "install", dry_run=args.dry_run)
    return row, [*lines, f"note  {note}"] if note else lines


def _lines(where: str, plan: "HookPlan | None", status: "AgentHooks", *, installing: bool, dry_run: bool) -> list[str]:
    """What was done, or would be done, with a file; without a plan what is there."""
    from cockpit.hooks.agents import shown
    from cockpit.hooks.backup import backup_path
    from cockpit.plain_text import plain_text

    place = plain_text(status.path, 200)
    if plan is None:
        return [f"{where}\t{', '.join(filter(None, (_STATES[status.state], shown(status))))}\t{place}"]
    lines = plan.diff.expandtabs(4).split("\n") if plan.changes and plan.diff else []
    lines.append(f"{where}\t{plan.what}{' (nothing was changed)' if dry_run else ''}\t{place}")
    if plan.changes and installing and not dry_run:
        lines.append(f"backup  {backup_path(status.path)}")
    return lines


_STATES = {
    "installed": "installed",
    "changed": "installed, not up to date",
    "absent": "not installed",
    "unreadable": "cannot be read",
}


def _one(repository: "Repository", hook: "Hook", args: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """One hook: what was done with it as JSON, and as lines."""
    from cockpit.hooks.git import apply, hook_status, plan_install, plan_uninstall
    from cockpit.plain_text import plain_text

    plan = None
    if args.action != "status":
        plan = plan_install(repository, hook) if args.action == "install" else plan_uninstall(repository, hook)
        if plan.changes and not args.dry_run:
            apply(plan)
    status = hook_status(repository, hook)
    done = plan is not None and plan.changes and not args.dry_run
    row = {
        "hook": f"git {hook}",
        "path": str(status.path),
        "state": status.state,
        "kept": str(status.kept) if status.kept else None,
        "note": status.note or None,
        **({"changed": done, "what": plan.what, "diff": plan.diff} if plan is not None else {}),
    }
    lines = plan.diff.expandtabs(4).split("\n") if plan is not None and plan.changes and plan.diff else []
    would = " (nothing was changed)" if args.dry_run else ""
    said = plan.what + would if plan is not None else _WORDS[status.state]
    lines.append(f"git {hook}\t{said}\t{plain_text(status.path, 200)}")
    lines += [f"note  {status.note}"] if status.note else []
    return row, lines


_WORDS = {
    "installed": "installed",
    "changed": "installed, and changed by somebody since",
    "absent": "not installed",
    "foreign": "not installed; there is another hook, which installing keeps and calls first",
}

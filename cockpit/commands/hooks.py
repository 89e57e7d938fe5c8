"""`cockpit hooks`: check every commit before it is made, sweep every push before it is sent."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from cockpit.call import Call, print_json
from cockpit.errors import CannotAnswer

if TYPE_CHECKING:
    from cockpit.hooks.git import Hook
    from cockpit.repository import Repository

EXAMPLES = """examples:
  cockpit hooks install --git             check and sweep before every commit, sweep before every push;
                                          an existing hook is called first
  cockpit hooks install --git --dry-run   show the change, make none
  cockpit hooks status
  cockpit hooks uninstall --git           byte for byte what was there before
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("action", choices=("install", "uninstall", "status"))
    parser.add_argument("--git", action="store_true", help="the pre-commit and pre-push hooks of this repository")
    parser.add_argument("--dry-run", action="store_true", help="show the change, make none")
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(call: Call) -> int:
    """Install, uninstall or show. Raises `CannotAnswer` where that cannot be done."""
    from cockpit.hooks.git import HOOKS

    args = call.args
    if args.action != "status" and not args.git:
        raise CannotAnswer("say which hook", f"cockpit hooks {args.action} --git")
    rows, lines = [], []
    for hook in HOOKS:
        row, said = _one(call.repository(), hook, args)
        rows.append(row)
        lines += said
    if args.json:
        print_json({"hooks": rows, "meta": {}})
    else:
        sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _one(repository: "Repository", hook: "Hook", args: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """One hook: what was done with it as JSON, and as lines."""
    from cockpit.hooks.git import apply, hook_status, plan_install, plan_uninstall

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
    lines = [plan.diff] if plan is not None and plan.changes and plan.diff else []
    would = " (nothing was changed)" if args.dry_run else ""
    said = plan.what + would if plan is not None else _WORDS[status.state]
    lines.append(f"git {hook}  {said}  {status.path}")
    lines += [f"note  {status.note}"] if status.note else []
    return row, lines


_WORDS = {
    "installed": "installed",
    "changed": "installed, and changed by somebody since",
    "absent": "not installed",
    "foreign": "not installed; there is another hook, which installing keeps and calls first",
}

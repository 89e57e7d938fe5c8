"""`cockpit hooks`: check every commit before it is made."""

import argparse
import sys

from cockpit.call import Call, print_json
from cockpit.errors import CannotAnswer

EXAMPLES = """examples:
  cockpit hooks install --git             cockpit check --staged before every commit; an existing hook is called first
  cockpit hooks install --git --dry-run   show the change, make none
  cockpit hooks status
  cockpit hooks uninstall --git           byte for byte what was there before
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("action", choices=("install", "uninstall", "status"))
    parser.add_argument("--git", action="store_true", help="the pre-commit hook of this repository")
    parser.add_argument("--dry-run", action="store_true", help="show the change, make none")
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(call: Call) -> int:
    """Install, uninstall or show. Raises `CannotAnswer` where that cannot be done."""
    from cockpit.hooks.git import apply, hook_status, plan_install, plan_uninstall

    args = call.args
    repository = call.repository()
    if args.action != "status" and not args.git:
        raise CannotAnswer("say which hook", f"cockpit hooks {args.action} --git")
    plan = None
    if args.action != "status":
        plan = plan_install(repository) if args.action == "install" else plan_uninstall(repository)
        if plan.changes and not args.dry_run:
            apply(plan)
    status = hook_status(repository)
    if args.json:
        row = {
            "hook": "git pre-commit",
            "path": str(status.path),
            "state": status.state,
            "kept": str(status.kept) if status.kept else None,
            "note": status.note or None,
        }
        done = plan is not None and plan.changes and not args.dry_run
        change = {"changed": done, "what": plan.what, "diff": plan.diff} if plan is not None else {}
        print_json({"hooks": [{**row, **change}], "meta": {}})
        return 0
    lines = [plan.diff] if plan is not None and plan.changes and plan.diff else []
    would = " (nothing was changed)" if args.dry_run else ""
    said = plan.what + would if plan is not None else _WORDS[status.state]
    lines.append(f"git pre-commit  {said}  {status.path}")
    lines += [f"note  {status.note}"] if status.note else []
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


_WORDS = {
    "installed": "installed",
    "changed": "installed, and changed by somebody since",
    "absent": "not installed",
    "foreign": "not installed; there is another hook, which installing keeps and calls first",
}

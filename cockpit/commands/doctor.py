"""`cockpit doctor`: what cockpit found, and what is missing."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.call import Call, print_json, rewrite, tell_checked

if TYPE_CHECKING:
    from cockpit.health import Check

EXAMPLES = """examples:
  cockpit doctor                what is there, what is missing, how to mend it
  cockpit doctor --full         also runs every rule once: tenancy with its evidence, which rules apply
  cockpit doctor --json | jq '.checks[] | select(.status == "fail")'

exit: 0 nothing that cockpit needs is missing · 1 something is
"""
_WORDS = {"pass": "ok", "fail": "FAIL", "not_run": "not run", "not_applicable": "n/a"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("--full", action="store_true", help="also run every rule over the repository")
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(call: Call) -> int:
    """Look at everything and print it; works outside a repository as well."""
    from cockpit.clock import iso, now
    from cockpit.doctor import examine
    from cockpit.health import healthy

    extra = Path(call.args.config) if call.args.config else None
    checks = examine(call.folder, extra, full=call.args.full, tell=tell_checked)
    rewrite("")
    if call.args.json:
        from dataclasses import asdict

        print_json({"checks": [asdict(check) for check in checks], "meta": {"at": iso(now())}})
    else:
        _print(checks)
    return 0 if healthy(checks) else 1


def _print(checks: list["Check"]) -> None:
    from cockpit.columns import hanging, output_width

    size, width = max(len(check.check) for check in checks), output_width()
    for check in checks:
        lines = hanging(f"{_WORDS[check.status]:<8} {check.check:<{size}}  ", check.detail, width)
        if check.fix:
            lines += hanging(f"{'':<{9 + size}}  → ", check.fix, width)
        print("\n".join(lines))
    sys.stdout.flush()

"""`cockpit trust`: allow this repository's own checks and scripts to run."""

import argparse
import sys

from cockpit.call import Call, print_json

EXAMPLES = """examples:
  cockpit trust             allow what is listed to run here; a changed command asks again
  cockpit trust --status    say what would run, and whether it may (exit 1: it may not)
  cockpit trust --revoke    take it back
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--revoke", action="store_true", help="take the trust back")
    what.add_argument("--status", action="store_true", help="change nothing")
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(call: Call) -> int:
    """Trust, look or revoke. Raises `CannotAnswer` where the state cannot be written."""
    from cockpit.plain_text import plain_text
    from cockpit.trust import read_trust, revoke, trust

    repository = call.repository()
    place = (repository.root, repository.common_dir)
    if call.args.revoke:
        had = revoke(*place)
        now = read_trust(*place)
        said = "no longer trusted" if had else "was not trusted"
    elif call.args.status:
        now = read_trust(*place)
        said = "trusted" if now.trusted else now.reason
    else:
        now = trust(*place)
        said = "trusted: its own code and the programs that it names may run"
    if call.args.json:
        programs = [{"place": where, "command": words} for where, words in now.programs]
        print_json({"root": str(repository.root), "trusted": now.trusted, "programs": programs, "meta": {}})
    else:
        wide = max((len(where) for where, _ in now.programs), default=0)
        rows = [f"  {where:<{wide}}  {words}" for where, words in now.programs]
        sys.stdout.write("\n".join([f"{plain_text(repository.name)}  {said}", *rows]) + "\n")
    return 1 if call.args.status and not now.trusted else 0

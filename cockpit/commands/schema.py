"""`cockpit schema`: the JSON Schema of the configuration and of every `--json` answer."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cockpit.call import Call

EXAMPLES = """examples:
  cockpit schema                    the names
  cockpit schema config             of cockpit.toml and of [tool.cockpit]
  cockpit schema spend              of what cockpit spend --json answers
  cockpit schema worktree-list      of a command's deed: with a hyphen, or as two words
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("name", nargs="*", metavar="NAME", help="config, a command, or a command and its deed")
    parser.add_argument("--json", action="store_true", help="the names as one JSON document")


def run(call: "Call") -> int:
    """Print a schema or the names. Raises `CannotAnswer` for a name that does not exist."""
    import json

    from cockpit.answers.schemas import NAMES, schema
    from cockpit.call import print_json
    from cockpit.errors import CannotAnswer
    from cockpit.plain_text import plain_text

    name = "-".join(call.args.name)
    if name in NAMES:
        print(json.dumps(schema(name), indent=1))
    elif name:
        import difflib

        close = difflib.get_close_matches(name, NAMES, 1)
        hint = f"did you mean {close[0]}?" if close else "cockpit schema lists them"
        raise CannotAnswer(f"there is no schema {plain_text(name, 40)!r}", hint)
    elif call.args.json:
        print_json({"schemas": list(NAMES), "meta": {}})
    else:
        print("\n".join(NAMES))
    return 0

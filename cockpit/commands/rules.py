"""`cockpit rules`: what each rule catches, why, and how to mend it."""

import argparse
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

from cockpit.call import Call, print_json
from cockpit.errors import CannotAnswer
from cockpit.plain_text import plain_text

EXAMPLES = """examples:
  cockpit rules                        every rule by gate
  cockpit rules manual-tenant-filter   what it catches, why, a bad and a good example
  cockpit rules --json
"""

_GATES = {"P0": 0, "P1": 1, "P2": 2, "none": 3}
_WIDE, _PAGE = 120, 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("rule", nargs="?", metavar="RULE", help="the name of a rule, or one of its source ids")
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(call: Call) -> int:
    """List the rules or show one. Raises `CannotAnswer` for a name that no rule has."""
    from skills.gates import RULES, rule_document

    wanted = call.args.rule
    if wanted is not None:
        document = rule_document(_named(wanted))
        if call.args.json:
            print_json({"rules": [document], "meta": {}})
        else:
            sys.stdout.write("".join(line + "\n" for line in _page(document)))
        return 0
    documents = [rule_document(name) for name in RULES]
    documents.sort(key=lambda rule: (_GATES[rule["gate"]], rule["name"]))
    if call.args.json:
        print_json({"rules": documents, "meta": {}})
        return 0
    sys.stdout.write("".join(line + "\n" for line in _table(documents)))
    return 0


def _named(wanted: str) -> str:
    import difflib

    from skills.gates import RULES

    if wanted in RULES:
        return wanted
    for name, rule in RULES.items():
        if wanted.upper() in rule.sources:
            return name
    close = difflib.get_close_matches(wanted, RULES, 1)
    raise CannotAnswer(
        f"there is no rule {plain_text(wanted, 60)!r}",
        f"did you mean {close[0]}?" if close else "cockpit rules lists them",
    )


def _table(documents: list[dict[str, Any]]) -> list[str]:
    from cockpit.columns import aligned, output_width

    gates, width = {"none": "audit"}, output_width()
    keys = ("name", "catches") if 0 < width < _WIDE else ("name", "skill", "catches")
    rows = [(gates.get(rule["gate"], rule["gate"]), *(rule[key] for key in keys)) for rule in documents]
    return aligned(rows, width=width)


def _page(rule: dict[str, Any]) -> Iterator[str]:
    from cockpit.columns import output_width

    width = min(_PAGE, output_width() or _PAGE)
    gate = "audit" if rule["gate"] == "none" else rule["gate"]
    sources = f"  [{', '.join(rule['sources'])}]" if rule["sources"] else ""
    yield f"{rule['name']}  {gate} {rule['severity']}  {rule['skill']}{sources}"
    for title, key in (("catches", "catches"), ("why", "why"), ("mend", "help"), ("when", "when")):
        if rule.get(key):
            yield ""
            yield from textwrap.wrap(f"{title}: {rule[key]}", width, subsequent_indent="  ")
    if rule["fixable"]:
        yield ""
        said = "fix: automatic where nothing else changes by it: cockpit check --fix --diff, f in the app"
        yield from textwrap.wrap(said, width, subsequent_indent="  ", break_on_hyphens=False)
    for kind in ("bad", "good"):
        for file in rule[kind]:
            yield ""
            yield f"{kind}: {file['path']}"
            yield from (f"    {line}".rstrip() for line in file["source"].strip("\n").splitlines())

"""`cockpit help`: pages about one topic each, and every key."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cockpit.call import Call

EXAMPLES = """examples:
  cockpit help              the topics
  cockpit help gates
  cockpit help keys         every key, with the id that [keys] takes
  cockpit help check        what `cockpit check --help` says
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("topic", nargs="?", default="", metavar="TOPIC", help="a topic or a command")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(call: "Call") -> int:
    """Print a page. Exit 0; raises `CannotAnswer` for a topic that does not exist."""
    from cockpit.cli import COMMANDS, main
    from cockpit.columns import output_width
    from cockpit.errors import CannotAnswer
    from cockpit.plain_text import plain_text

    topic, pages = call.args.topic, topics()
    if topic in COMMANDS and topic not in pages:
        return main([topic, "--help"])
    if topic == "keys":
        text = _keys(0 if call.args.json else output_width())
    elif not topic:
        text = "\n".join(["# Topics", "", *(f"    {name:<15} {_title(path)}" for name, path in pages.items())])
        text += f"\n    {'keys':<15} Every key, with its id\n\nAlso every command: cockpit help COMMAND\n"
    elif topic in pages:
        text = pages[topic].read_text("utf-8")
    else:
        import difflib

        close = difflib.get_close_matches(topic, [*pages, "keys", *COMMANDS], 1)
        hint = f"did you mean {close[0]}?" if close else "cockpit help lists them"
        raise CannotAnswer(f"there is no topic {plain_text(topic, 40)!r}", hint)
    if call.args.json:
        from cockpit.call import print_json

        print_json({"topic": topic or None, "topics": [*pages, "keys"], "text": text, "meta": {}})
    else:
        print("\n".join(rendered(text, _width())))
    return 0


def topics() -> "dict[str, Path]":
    """The pages by name, in the order of a first reading."""
    from pathlib import Path

    import cockpit

    folder = Path(cockpit.__file__).parent / "topics"
    first = ["start", "gates", "profiles", "money", "phases", "hooks", "worktrees", "day", "audit", "workbench"]
    found = {path.stem: path for path in folder.glob("*.md")}
    return {name: found[name] for name in [*first, *sorted(found.keys() - set(first))] if name in found}


def rendered(text: str, width: int) -> "Iterator[str]":
    """A page as lines of at most `width` cells: headings in capitals, paragraphs and lists filled, code as it is."""
    import re
    import textwrap

    paragraph: list[str] = []

    def filled() -> "Iterator[str]":
        if paragraph:
            whole = re.sub(r"[`*]+", "", " ".join(paragraph))
            later = "  " if whole.startswith("- ") else ""
            yield from textwrap.wrap(whole, width, subsequent_indent=later, break_on_hyphens=False)
            paragraph.clear()

    for line in text.splitlines():
        if line.startswith(("    ", "#", "- ")) or not line.strip():
            yield from filled()
        if line.startswith("#"):
            yield line.lstrip("# ").upper()
        elif line.startswith("    ") or not line.strip():
            yield line.rstrip()
        else:
            paragraph.append(line.strip())
    yield from filled()


def _title(path: "Path") -> str:
    return path.read_text("utf-8").partition("\n")[0].lstrip("# ")


def _keys(width: int) -> str:
    from cockpit.actions import ACTIONS, key_label
    from cockpit.columns import hanging
    from cockpit.screen_actions import SCREEN_ACTIONS

    lines = ["# Keys", ""]
    actions = (*ACTIONS, *SCREEN_ACTIONS)
    for group in dict.fromkeys(action.group for action in actions):
        lines += [group, ""]
        for action in actions:
            if action.group == group:
                keys = " ".join(key_label(key) for key in action.keys)
                lines += hanging(f"    {keys:<10} {action.id:<26} ", action.title, width)
        lines.append("")
    return "\n".join(lines)


def _width() -> int:
    import shutil

    return max(30, min(100, shutil.get_terminal_size((96, 24)).columns - 1))

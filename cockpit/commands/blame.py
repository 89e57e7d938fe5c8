"""`cockpit blame`: which agent session, prompt and step introduced a line, and what that step cost."""

import argparse
from typing import TYPE_CHECKING, Any

from cockpit.call import Call, print_json, say
from cockpit.errors import CannotAnswer
from skills.counted import counted

if TYPE_CHECKING:
    from cockpit.phases.blame import Origin

EXAMPLES = """examples:
  cockpit blame accounts/views.py:58         who wrote line 58, for which prompt, at what cost
  cockpit blame accounts/views.py:58 --json  the same as one JSON document
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("place", metavar="PATH:LINE", help="a line of a file, e.g. views.py:58")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(call: Call) -> int:
    """Print where the line comes from. Exit code 1 where it is in no transcript."""
    from cockpit.agents.transcript_feed import dollars
    from cockpit.clock import iso, now
    from cockpit.phases.blame import blame
    from cockpit.phases.edits import EditIndex

    repository = call.repository()
    path, line = _place(call)
    moment = now()
    index = EditIndex(repository, dollars())
    index.refresh(moment)
    for problem in index.problems:
        say(problem)
    found = blame(index, repository.root, path, line)
    if call.args.json:
        print_json({**origin_row(found), "meta": {"at": iso(moment), "problems": list(index.problems)}})
    else:
        print("\n".join(origin_words(found)))
    return 0 if found.basis != "none" else 1


def _place(call: Call) -> tuple[str, int]:
    """The file, relative to the repository's root, and the line. Raises `CannotAnswer` where the words name none."""
    import os
    from pathlib import Path

    from cockpit.plain_text import plain_text

    name, colon, number = str(call.args.place).rpartition(":")
    if not colon or not name or not number.isdecimal() or len(number) > 9 or int(number) < 1:
        raise CannotAnswer(f"{plain_text(call.args.place, 80)!r} is no PATH:LINE", "e.g. accounts/views.py:58")
    root = call.repository().root
    for base in (call.folder, root):
        whole = Path(os.path.normpath((base / name).absolute()))
        if whole.is_relative_to(root) and whole.is_file():
            return whole.relative_to(root).as_posix(), int(number)
    raise CannotAnswer(f"{plain_text(name, 120)}: no such file in {plain_text(root)}")


def origin_row(found: "Origin") -> dict[str, Any]:
    """An origin as one JSON object."""
    from cockpit.clock import iso

    commit = found.commit
    return {
        "path": found.path,
        "line": found.line,
        "text": found.text,
        "found": found.basis != "none",
        "basis": found.basis,
        "why": found.why,
        "sure": found.sure,
        "agent": found.agent,
        "session": found.session or None,
        "subagent": found.helper or None,
        "transcript_line": found.transcript_line or None,
        "prompt": found.prompt or None,
        "prompt_line": found.prompt_line or None,
        "step": found.step or None,
        "tool": found.tool or None,
        "model": found.model or None,
        "at": iso(found.at) if found.at else None,
        "tokens": found.tokens,
        "usd": None if found.usd is None else round(found.usd, 6),
        "floor": found.floor,
        "calls": found.calls,
        "cost_basis": "computed" if found.tokens is not None else None,
        "commit": commit
        and {
            "sha": commit.sha,
            "author": commit.author,
            "at": iso(commit.at) if commit.at else None,
            "subject": commit.subject,
        },
    }


def origin_words(found: "Origin") -> list[str]:
    """An origin in lines."""
    from cockpit.plain_text import plain_text

    lines = [f"{plain_text(found.path)}:{found.line}  {plain_text(found.text, 120)}"]
    if found.basis == "none":
        return [*lines, found.why, *([f"“{found.commit.subject}”"] if found.commit else [])]
    where = f"{found.agent} session {plain_text(found.session)}:{found.transcript_line}"
    lines.append(where + (f" · sub-agent {found.helper}" if found.helper else ""))
    if found.at:
        lines[-1] += f" · {found.at:%Y-%m-%d %H:%M} UTC"
    lines.append(f"prompt  {plain_text(found.prompt, 200) or 'none before it'}")
    if found.basis == "commit":
        return [*lines, found.why]
    lines.append(f"step    {found.tool}, {counted(found.calls or 1, 'call')} · {found.model}")
    lines.append(f"cost    {found.cost_words}")
    return lines if found.sure else [*lines, "the same line stands in other places too: this is the likely one"]

"""A person's own regular expression over what a tool printed, in a process of its own.

Some patterns take for ever on some texts (`(\\S+):(\\d+)` 40 s on 40,000 letters in a row), and while `re` looks, no
thread of this process does anything: the app would stand still. What takes too long is ended, and said.
"""

import subprocess
import sys

import msgspec

from cockpit.own_process import HOME, program_of
from skills.gates.tool_output import Problem, parse_output

SECONDS = 10.0


class _Answer(msgspec.Struct):
    problems: list[Problem] = []
    refused: str = ""


def by_pattern(parser: str, text: str) -> list[Problem]:
    """As `parse_output`. Raises `ValueError` also where the pattern takes longer than `SECONDS`."""
    try:
        ran = subprocess.run(
            [sys.executable, "-P", "-c", program_of("cockpit.findings.pattern")],
            input=msgspec.json.encode((parser, text)),
            capture_output=True,
            cwd=HOME,
            timeout=SECONDS,
            check=True,
        )
        answer = msgspec.json.decode(ran.stdout, type=_Answer)
    except subprocess.TimeoutExpired:
        raise ValueError(f"its pattern takes longer than {SECONDS:g} s on what it printed") from None
    except (OSError, subprocess.CalledProcessError, msgspec.MsgspecError) as problem:
        raise ValueError(f"its pattern could not be tried ({type(problem).__name__})") from None
    if answer.refused:
        raise ValueError(answer.refused)
    return answer.problems


def main() -> None:
    """Answer one question, asked on stdin."""
    parser, text = msgspec.json.decode(sys.stdin.buffer.read(), type=tuple[str, str])
    try:
        answer = _Answer(parse_output(parser, text))
    except ValueError as problem:
        answer = _Answer(refused=str(problem))
    sys.stdout.buffer.write(msgspec.json.encode(answer))

"""The door of the command `cockpit`: what a warm process can answer is asked there, all else is done in `cli`.

Nothing heavy is imported before that is clear: a git hook and a status line pay for every import.
"""

import os
import sys

from cockpit import own_folder_first

own_folder_first()

# the commands that a warm process answers, and for how long one waits for it before the work is done here
_SECONDS = {"check": 30.0, "sweep": 30.0}


def main() -> int:
    """Run cockpit. Returns the exit code: 0 yes, 1 the answer is no, 2 cannot answer."""
    words = sys.argv[1:]
    if words and words[0] in _SECONDS and _can_ask(words):
        from cockpit.warm.client import ask

        answer = ask("command", words, folder=_folder(words), seconds=_SECONDS[words[0]])
        if answer is not None:
            return said(*answer)
    from cockpit.cli import main as run

    return run()


def said(code: int, out: bytes, err: bytes) -> int:
    """Print what another process has answered, and return its exit code."""
    try:
        _write(2, err)
        _write(1, out)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    return code


def _write(handle: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _can_ask(words: list[str]) -> bool:
    """Whether the answer depends on nothing but words, folder and environment, and is expected at once."""
    return words[0] not in ("check", "sweep") or "--staged" in words


def _folder(words: list[str]) -> str:
    for at, word in enumerate(words):
        if word == "--repo" and at + 1 < len(words):
            return words[at + 1]
        if word.startswith("--repo="):
            return word[7:]
    return "."


if __name__ == "__main__":
    sys.exit(main())

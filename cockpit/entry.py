"""The door of the command `cockpit`: what a warm process can answer is asked there, all else is done in `cli`.

Nothing heavy is imported before that is clear: a git hook and a status line pay for every import.
"""

import _signal  # type: ignore[import-not-found]  # signal itself imports enum
import gc
import os
import sys

from cockpit import open_streams, own_folder_first

_interrupted = _signal.getsignal(_signal.SIGINT)
if _interrupted is _signal.default_int_handler:  # until a command can say what it leaves, ctrl+c just ends it
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
own_folder_first()

from cockpit.later import import_later  # noqa: E402

import_later()

_MOST = 1 << 20

# the commands that a warm process answers, and for how long one waits for it before the work is done here
_SECONDS = {"check": 30.0, "sweep": 30.0, "status": 3.0}

_LEAVING = ("check", "spend", "start-day", "sweep")  # they have closed what they opened


def main() -> int:
    """Run cockpit. Returns the exit code: 0 yes, 1 the answer is no, 2 cannot answer."""
    open_streams()
    gc.set_threshold(50_000)  # a short command ends before its garbage matters
    words = sys.argv[1:]
    command = _command(words)
    if command in _SECONDS and _can_ask(command, words):
        from cockpit.warm.client import ask

        given = _given() if command == "status" else b""
        answer = ask("command", words, folder=_folder(words), given=given, seconds=_SECONDS[command])
        if answer is not None:
            os._exit(said(*answer))  # there is nothing left to tidy up, and a hook feels it
        if given:
            import io

            sys.stdin = io.TextIOWrapper(io.BytesIO(given), encoding="utf-8")
    try:
        from cockpit.cli import main as run
    except EOFError as problem:
        from cockpit.torn import torn_byte_code

        sys.stderr.write(f"cockpit: {torn_byte_code(problem) or problem}\n")
        return 2
    try:
        _signal.signal(_signal.SIGINT, _interrupted)
        code = run()
    except KeyboardInterrupt:
        code = 130
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)  # to tidy up is no time for a traceback
    if command in _LEAVING:
        _leave(code)
    return code


def _leave(code: int) -> None:
    """End now, once everything is printed: to free what a command held can take longer than to write its answer."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # the reader has gone, or the stream was closed
            continue
    os._exit(code)


def said(code: int, out: bytes, err: bytes) -> int:
    """Print what another process has answered, and return its exit code; it stands where a reader left early."""
    for handle, data in ((2, err), (1, out)):
        try:
            _write(handle, data)
        except OSError:  # the reader has gone, or the stream was closed
            continue
    return code


def _write(handle: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _given() -> bytes:
    """What an agent writes to its status line, nothing where nobody writes: a pipe may stay silent for ever."""
    import select
    import stat

    try:
        mode = os.fstat(0).st_mode
        if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISREG(mode)):
            return b""
        found = b""
        while len(found) < _MOST and select.select([0], [], [], 0.2 if found else 0.05)[0]:
            part = os.read(0, 1 << 16)
            if not part:
                break
            found += part
        return found
    except OSError:
        return b""


def _command(words: list[str]) -> str:
    """The first word that is neither a global option nor the value of one."""
    skip = False
    for word in words:
        if skip or word.startswith("-"):
            skip = not skip and word in ("--repo", "--config", "--theme")
            continue
        return word
    return ""


def _can_ask(command: str, words: list[str]) -> bool:
    """Whether the answer depends on nothing but words, folder and environment, and is expected at once."""
    return command not in ("check", "sweep") or "--staged" in words


def _folder(words: list[str]) -> str:
    for at, word in enumerate(words):
        if word == "--repo" and at + 1 < len(words):
            return words[at + 1]
        if word.startswith("--repo="):
            return word[7:]
    return "."


if __name__ == "__main__":
    sys.exit(main())

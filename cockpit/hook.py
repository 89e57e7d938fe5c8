"""`cockpit-hook EVENT`: what agents call. Their JSON on stdin, their JSON on stdout, always exit 0."""

import os
import sys

from cockpit import open_streams, own_folder_first

own_folder_first()

from cockpit.later import import_later  # noqa: E402

import_later()

MOST = 16 << 20
SECONDS = 4.0


def main() -> int:
    """Answer one event: through the warm process, else here."""
    open_streams()
    try:
        given = _stdin()
        from cockpit.warm.client import ask

        answer = ask("hook", sys.argv[1:], given=given, seconds=SECONDS)
        if answer is not None:
            from cockpit.entry import said

            said(*answer)
            os._exit(0)  # there is nothing left to tidy up, and a hook feels it
        import gc

        gc.disable()  # it ends before its garbage matters
        from cockpit.hooks.answer import main as work

        work(sys.argv[1:], given)
        sys.stdout.flush()
    except Exception as problem:
        os.write(2, f"cockpit-hook: {type(problem).__name__}: {problem}\n".encode("utf-8", "replace"))
    return 0


def _stdin() -> bytes:
    parts = []
    size = 0
    while part := os.read(0, 1 << 20):
        parts.append(part)
        size += len(part)
        if size > MOST:
            break
    return b"".join(parts)


if __name__ == "__main__":
    sys.exit(main())

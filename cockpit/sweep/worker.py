"""A process that looks for secrets in files: a line of JSON names some, a line of JSON answers. Ends with its input.

What comes back is redacted already: a secret never leaves this process.
"""

import io
import json
import os
import stat
import sys
from typing import Any

from cockpit.sweep.secret_lines import SecretLines

LARGEST = 20_000_000
_HEAD = 8192
_WIDE = (b"\xff\xfe", b"\xfe\xff")


def main() -> None:
    """Answer until the input ends."""
    detectors = SecretLines()
    for request in sys.stdin.buffer:
        rows = [look(detectors, *place) for place in json.loads(request)]
        sys.stdout.buffer.write(json.dumps(rows).encode() + b"\n")
        sys.stdout.buffer.flush()


def look(detectors: SecretLines, name: str, path: str) -> dict[str, Any]:
    """What the file at `path` holds; `unread` says why it could not be looked at, "" where it could."""
    try:
        if detectors.skips(name):
            return {"name": name, "found": [], "unread": ""}
        if not stat.S_ISREG(os.lstat(path).st_mode):  # a link's aim has its own name, a submodule its own sweep
            return {"name": name, "found": [], "unread": ""}
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as stream:
            raw = stream.read(_HEAD)
            if _is_binary(raw):
                return {"name": name, "found": [], "unread": ""}
            if os.fstat(handle).st_size > LARGEST:
                return {"name": name, "found": [], "unread": "larger than 20 MB"}
            raw += stream.read()
    except FileNotFoundError:
        return {"name": name, "found": [], "unread": ""}
    except OSError as problem:
        return {"name": name, "found": [], "unread": problem.strerror or "cannot be read"}
    text = raw.decode("utf-16" if raw.startswith(_WIDE) else "utf-8", "replace")
    lines = (line.rstrip("\n") for line in io.StringIO(text, newline=None))  # as editors count them
    return {"name": name, "found": detectors.look(name, enumerate(lines, 1)), "unread": ""}


def _is_binary(head: bytes) -> bool:
    return b"\0" in head and not head.startswith(_WIDE)


if __name__ == "__main__":
    main()

"""Configuration that was validated before, kept in the state folder: pydantic loads longer than a hook may take.

It holds for the same files with the same content, and for this version of the code alone.
"""

import contextlib
import os
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cockpit.files import read_regular, write_atomically
from cockpit.paths import state_dir, user_config_file

if TYPE_CHECKING:
    from cockpit.config import Config

MOST_KEPT = 40
_LARGEST = 1_000_000

Sources = list[tuple[Path, bytes]]
"""Configuration files with their content, in the order in which they are read."""


class KeptConfig:
    """What `sources` said when they were read for the repository at `root` before."""

    def __init__(self, root: Path | None, sources: Sources) -> None:
        told = blake2b(digest_size=16)
        for part in (_version(), str(root), str(user_config_file())):
            told.update(part.encode("utf-8", "surrogateescape") + b"\0")
        for path, raw in sources:
            told.update(f"{path}\0{len(raw)}\0".encode("utf-8", "surrogateescape") + raw)
        self._digest = told.digest()
        places = "\0".join((str(root), *(str(path) for path, _ in sources)))
        name = blake2b(places.encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()
        self._path = state_dir() / "config" / f"{name}.msgpack"

    def read(self) -> "Config | None":
        """The configuration, None where these contents are not known."""
        from cockpit.config import Config

        with contextlib.suppress(OSError, msgspec.MsgspecError):
            raw = read_regular(self._path, _LARGEST)
            if raw.startswith(self._digest):
                return msgspec.msgpack.decode(raw[len(self._digest) :], type=Config)
        return None

    def write(self, config: "Config") -> None:
        """Keep a valid configuration; not one with an address that alone lets anybody post."""
        if config.webhook.url:
            return
        with contextlib.suppress(OSError, TypeError):
            data = self._digest + msgspec.msgpack.encode(config)
            if len(data) <= _LARGEST:
                write_atomically(self._path, data, mode=0o600, durable=False)
                kept = sorted(self._path.parent.glob("*.msgpack"), key=lambda path: path.stat().st_mtime)
                for path in kept[:-MOST_KEPT]:
                    path.unlink(missing_ok=True)


def _version() -> str:
    """What changes when the code that reads configuration does."""
    import cockpit.config
    from skills.gates import tool_output

    marks = (os.stat(str(module.__file__)) for module in (cockpit.config, tool_output))  # noqa: PTH116 - it is felt
    return ":".join(f"{mark.st_size}.{mark.st_mtime_ns}" for mark in marks)

"""Configuration that was validated before, kept in the state folder: pydantic loads longer than a hook may take.

It holds for the same files with the same content, and for this version of the code alone.
"""

import contextlib
import os
from hashlib import blake2b
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from cockpit.config_files import Sources
from cockpit.files import only_newest, read_regular, write_atomically
from cockpit.paths import state_dir, user_config_file

_Config = TypeVar("_Config")

MOST_KEPT = 40
_LARGEST = 1_000_000


class KeptConfig(Generic[_Config]):
    """What `sources` said when the code in the files `code` read them, as a `kind`, for the repository at `root`."""

    def __init__(self, kind: type[_Config], code: tuple[str, ...], root: Path | None, sources: Sources) -> None:
        self._kind = kind
        told = blake2b(digest_size=16)
        for part in (_version(code), str(root), str(user_config_file())):
            told.update(part.encode("utf-8", "surrogateescape") + b"\0")
        for path, raw in sources:
            told.update(f"{path}\0{len(raw)}\0".encode("utf-8", "surrogateescape") + raw)
        self._digest = told.digest()
        places = "\0".join((str(root), *(str(path) for path, _ in sources)))
        name = blake2b(places.encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()
        self._path = state_dir() / "config" / f"{name}.msgpack"

    def read(self) -> _Config | None:
        """The configuration, None where these contents are not known."""
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            raw = read_regular(self._path, _LARGEST)
            if raw.startswith(self._digest):
                return msgspec.msgpack.decode(raw[len(self._digest) :], type=self._kind)
        return None

    def write(self, config: _Config) -> None:
        """Keep a valid configuration, where the state folder can be written."""
        with contextlib.suppress(OSError, TypeError):
            data = self._digest + msgspec.msgpack.encode(config)
            if len(data) <= _LARGEST:
                write_atomically(self._path, data, mode=0o600, durable=False)
                only_newest(self._path.parent, "*.msgpack", MOST_KEPT)


def _version(code: tuple[str, ...]) -> str:
    """What changes when one of these files does."""
    marks = map(os.stat, code)
    return ":".join(f"{mark.st_size}.{mark.st_mtime_ns}" for mark in marks)

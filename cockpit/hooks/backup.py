"""What stood in a file before hooks were installed into it, kept so that uninstalling can put it back byte for byte."""

from hashlib import blake2b
from pathlib import Path

import msgspec

from cockpit.errors import cannot_write
from cockpit.files import digest_of, read_regular, write_atomically
from cockpit.paths import state_dir


class _Note(msgspec.Struct, frozen=True):
    path: str
    existed: bool
    before: str
    after: str


class Kept(msgspec.Struct, frozen=True):
    """A file as it was before (None: it was not there), and a digest of what was then written."""

    before: bytes | None
    after: str


def backup_path(path: Path) -> Path:
    """Where the copy of a file lies."""
    name = blake2b(str(path).encode("utf-8", "surrogateescape"), digest_size=10).hexdigest()
    return state_dir() / "hooks" / "backup" / f"{name}.before"


def keep(path: Path, before: bytes | None, after: bytes) -> None:
    """Keep what stands in `path` before `after` is written. Raises `CannotAnswer` where it cannot be kept.

    The note comes after the copy and names it by its digest, so that a kill between the two leaves none that is wrong.
    """
    place = backup_path(path)
    shown = str(path).encode("utf-8", "replace").decode()
    note = _Note(shown, before is not None, digest_of(before or b""), digest_of(after))
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(place, before or b"", mode=0o600)
        write_atomically(place.with_suffix(".json"), msgspec.json.encode(note), mode=0o600)
    except OSError as problem:
        raise cannot_write(place, problem) from None


def kept(path: Path) -> Kept | None:
    """The backup of a file, None where there is none that can be believed."""
    place = backup_path(path)
    try:
        note = msgspec.json.decode(read_regular(place.with_suffix(".json")), type=_Note)
        before = read_regular(place)
    except (OSError, msgspec.MsgspecError, ValueError):
        return None
    return Kept(before if note.existed else None, note.after) if digest_of(before) == note.before else None


def forget(path: Path) -> None:
    """Throw the backup of a file away."""
    backup_path(path).with_suffix(".json").unlink(missing_ok=True)
    backup_path(path).unlink(missing_ok=True)

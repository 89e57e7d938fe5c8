"""Asks the warm process, with nothing imported that Python has not loaded anyway: a hook pays for every import.

A frame is four bytes of length (big endian) and MessagePack. A request is
`[version, kind, [word…], folder, [NAME=value…], stdin, encoding]`, all binary; the answers to it are the frame `READY`
and then `[exit code, stdout, stderr]`. Who gets no answer in time does the work itself.
"""

import os
import sys

from cockpit import __version__

TYPE_CHECKING = False  # typing itself would cost a hook its import
if TYPE_CHECKING:
    from _socket import socket

READY = b"\x01"
READY_SECONDS = 0.5  # until a process that lives has said so
MOST = 64 << 20
_PATH_LIMIT = 100  # bytes of a socket's path that every system accepts

Part = bytes | int | list[bytes]


def version() -> bytes:
    """What both sides must be: the same cockpit, at the same place, as it is now, in the same Python."""
    home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    try:
        changed = os.stat(home + "/__init__.py").st_mtime_ns
    except OSError:
        changed = 0
    return os.fsencode(f"1 {__version__} {sys.version_info[:3]} {sys.prefix} {home} {changed}")


def state_folder() -> str:
    """As `paths.state_dir`, in words of `os` alone."""
    chosen = os.environ.get("COCKPIT_STATE_DIR")
    if chosen:
        return os.path.expanduser(chosen)
    if sys.platform != "linux":
        from cockpit.paths import state_dir

        return str(state_dir())
    base = os.environ.get("XDG_STATE_HOME", "").strip()
    return os.path.join(base or os.path.expanduser("~/.local/state"), "cockpit")


def common_folder(folder: str) -> str | None:
    """The git folder that all worktrees of the repository around `folder` share, None where there is none."""
    place = os.path.abspath(folder)
    while True:
        marker = place + "/.git"
        if os.path.isfile(marker + "/HEAD"):
            return _shared(marker)
        if os.path.isfile(marker):
            said = _first_line(marker)
            if not said.startswith("gitdir:"):
                return None
            return _shared(os.path.join(place, said[7:].strip()))
        above = os.path.dirname(place)
        if above == place:
            return None
        place = above


def _shared(git_dir: str) -> str:
    return os.path.realpath(os.path.join(git_dir, _first_line(git_dir + "/commondir") or "."))


def _first_line(path: str) -> str:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return ""
    try:
        return os.fsdecode(os.read(handle, 8192)).strip()
    except OSError:
        return ""
    finally:
        os.close(handle)


def socket_path(common: str) -> str:
    """Where the warm process of the repository with this shared git folder listens."""
    try:
        from _blake2 import blake2b
    except ImportError:
        from hashlib import blake2b
    name = blake2b(os.fsencode(os.path.realpath(common)), digest_size=8).hexdigest()
    return os.path.join(state_folder(), "warm", name + ".sock")


class Address:
    """A socket's path as the system takes it: one that is too long goes through its open folder. A context manager."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._folder = -1

    def __enter__(self) -> str:
        if len(os.fsencode(self.path)) <= _PATH_LIMIT or sys.platform != "linux":
            return self.path
        folder, name = os.path.split(self.path)
        self._folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return f"/proc/self/fd/{self._folder}/{name}"

    def __exit__(self, *_: object) -> None:
        if self._folder >= 0:
            os.close(self._folder)


def ask(
    kind: str, words: list[str], *, folder: str = ".", given: bytes = b"", seconds: float = 20.0
) -> tuple[int, bytes, bytes] | None:
    """Exit code, stdout and stderr as the warm process of the repository around `folder` answers them.

    None where there is none, where it is another version, or where it has not answered within `seconds`: never raises.
    """
    if os.environ.get("COCKPIT_WARM") == "0":
        return None
    try:
        common = common_folder(folder)
        if common is None or not os.path.exists(path := socket_path(common)):
            return None
        return _asked(path, _request(kind, words, given), seconds)
    except (OSError, ValueError, IndexError):  # a shell may stand in a folder that is gone
        return None


def _request(kind: str, words: list[str], given: bytes) -> bytes:
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    variables = [b"%s=%s" % (name, value) for name, value in os.environb.items()]
    asked = [os.fsencode(word) for word in words]
    place = os.fsencode(os.getcwd())
    return pack([version(), kind.encode(), asked, place, variables, given, encoding.encode()])


def _asked(path: str, request: bytes, seconds: float) -> tuple[int, bytes, bytes] | None:
    from _socket import AF_UNIX, SOCK_STREAM, socket

    connection = socket(AF_UNIX, SOCK_STREAM)
    try:
        connection.settimeout(READY_SECONDS)
        with Address(path) as address:
            connection.connect(address)
        connection.sendall(framed(request))
        if frame(connection) != READY:
            return None
        connection.settimeout(seconds)
        code, out, err = unpacked(frame(connection))
    finally:
        connection.close()
    if not isinstance(code, int) or not isinstance(out, bytes) or not isinstance(err, bytes):
        return None
    return code, out, err


def framed(data: bytes) -> bytes:
    """Data as a frame."""
    return len(data).to_bytes(4, "big") + data


def frame(connection: "socket") -> bytes:
    """What the next frame holds. Raises `ValueError` where it is too large or torn, and `OSError`."""
    size = int.from_bytes(_exactly(connection, 4), "big")
    if size > MOST:
        raise ValueError("the frame is too large")
    return _exactly(connection, size)


def _exactly(connection: "socket", count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        part = connection.recv(min(count - len(parts), 1 << 20))
        if not part:
            raise ValueError("the connection was closed")
        parts += part
    return bytes(parts)


def pack(parts: list[Part]) -> bytes:
    """MessagePack of an array of binaries, small numbers and arrays of binaries."""
    found = [b"\xdd" + len(parts).to_bytes(4, "big")]
    for part in parts:
        if isinstance(part, int):
            found.append(b"\xd2" + part.to_bytes(4, "big", signed=True))
        elif isinstance(part, list):
            found.append(pack(list(part)))
        else:
            found.append(b"\xc6" + len(part).to_bytes(4, "big") + part)
    return b"".join(found)


def unpacked(data: bytes) -> list[Part]:
    """What `pack` has packed. Raises `ValueError` where it is something else."""
    found, end = _array(data, 0)
    if end != len(data):
        raise ValueError("bytes after the end")
    return found


def _array(data: bytes, at: int) -> tuple[list[Part], int]:
    if data[at : at + 1] != b"\xdd":
        raise ValueError("no array")
    count, at = int.from_bytes(data[at + 1 : at + 5], "big"), at + 5
    found: list[Part] = []
    for _ in range(count):
        kind = data[at : at + 1]
        number = int.from_bytes(data[at + 1 : at + 5], "big", signed=kind == b"\xd2")
        if kind == b"\xd2":
            found.append(number)
            at += 5
        elif kind == b"\xc6" and at + 5 + number <= len(data):
            found.append(data[at + 5 : at + 5 + number])
            at += 5 + number
        elif kind == b"\xdd":
            inner, at = _array(data, at)
            found.append([one for one in inner if isinstance(one, bytes)])
        else:
            raise ValueError("nothing that is packed here")
    return found, at

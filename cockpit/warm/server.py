"""The warm process itself: it has everything loaded, forks a child for each request, and ends with its parent.

A child takes over the folder, the environment and the words of whoever asks, so that it answers what they would have
answered themselves. Of several processes for one repository one listens; the others wait until it has gone.
"""

import contextlib
import fcntl
import gc
import io
import os
import signal
import sys
import time
from pathlib import Path
from socket import AF_UNIX, SOCK_STREAM, socket

from cockpit import own_folder_first
from cockpit.hooks.drain import spool_opened
from cockpit.readable import readable
from cockpit.warm.client import READY, Address, Part, frame, framed, pack, socket_path, unpacked, version

MOST_CHILDREN = 16  # at a time; who comes then does the work itself
CHILD_SECONDS = 120
REHEARSED = 8  # files
LOCK_EVERY = 1.0  # seconds until a process that does not listen looks whether it may


class Place:
    """The socket of one repository. Held by a lock that ends with its process, so that a dead one is never believed."""

    def __init__(self, common: str) -> None:
        self.path = socket_path(common)
        self.listener: socket | None = None
        self._lock = -1
        self._inode = 0

    def take(self) -> bool:
        """Listen, where no other process does. Raises `OSError` where the folder cannot be used."""
        folder = Path(self.path).parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        lock = os.open(self.path + ".lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            return False
        listener = socket(AF_UNIX, SOCK_STREAM)
        fresh = f"{self.path}.{os.getpid()}"
        try:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(fresh)
            with Address(fresh) as address:
                listener.bind(address)
            os.chmod(fresh, 0o600)
            listener.listen(64)
            listener.setblocking(False)
            os.replace(fresh, self.path)  # a socket that nobody listens on any more gives way
            self._inode = os.stat(self.path).st_ino
        except OSError:
            listener.close()
            os.close(lock)
            raise
        self.listener, self._lock = listener, lock
        return True

    def leave(self) -> None:
        """Take the socket away, where it is still ours."""
        if self.listener is None:
            return
        self.listener.close()
        self.listener = None
        with contextlib.suppress(OSError):
            if os.stat(self.path).st_ino == self._inode:
                os.unlink(self.path)
        os.close(self._lock)

    def closed_in_child(self) -> None:
        """A child keeps neither the socket nor the lock."""
        if self.listener is not None:
            self.listener.close()
            os.close(self._lock)


class Server:
    """Waits for requests until `parent` (a descriptor) ends. `roots`: work trees whose reports are kept ready."""

    def __init__(self, common: str, root: str, parent: int) -> None:
        self.place = Place(common)
        self.parent = parent
        self.roots: list[str] = []
        self.first = root
        self.children: set[int] = set()
        self.version = b""
        self._told, self._tell = os.pipe()
        os.set_blocking(self._told, False)

    def serve(self) -> None:
        """Listen and answer. Raises `OSError` where the socket cannot be made."""
        try:
            while not self._parent_gone(0):
                if self.place.take():
                    self.version = version()
                    self._prepare()
                    self._answer_all()
                    return
                self._parent_gone(LOCK_EVERY)
        finally:
            self.place.leave()

    def _parent_gone(self, seconds: float) -> bool:
        return bool(readable([self.parent], seconds)) and not os.read(self.parent, 4096)

    def _answer_all(self) -> None:
        listener = self.place.listener
        assert listener is not None
        while True:
            ready = readable([listener.fileno(), self.parent, self._told], 0.2 if self.children else None)
            self._reap()
            if self.parent in ready and not os.read(self.parent, 4096):
                return
            if listener.fileno() in ready:
                self._accept(listener)
            elif self._told in ready:
                self._used(os.read(self._told, 65536))

    def _accept(self, listener: socket) -> None:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            connection.setblocking(True)
            if len(self.children) >= MOST_CHILDREN:
                return
            child = os.fork()
            if child:
                self.children.add(child)
                return
            code = 1
            try:
                signal.alarm(CHILD_SECONDS)
                signal.signal(signal.SIGINT, signal.SIG_DFL)
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                self.place.closed_in_child()
                os.close(self._told)
                _answer(connection, self.version, self._tell)
                code = 0
            finally:
                os._exit(code)

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while self.children:
                child, _ = os.waitpid(-1, os.WNOHANG)
                if not child:
                    return
                self.children.discard(child)

    def _used(self, told: bytes) -> None:
        """Work trees that were asked about are kept ready, the latest four."""
        for root in dict.fromkeys(told.decode("utf-8", "surrogateescape").split("\0")):
            if root:
                self._keep_ready(root)

    def _prepare(self) -> None:
        """Load everything that answers need, once, before the first fork."""
        import cockpit.agents.status_line
        import cockpit.cli
        import cockpit.commands.check
        import cockpit.commands.status
        import cockpit.commands.sweep
        import cockpit.findings.formats
        import cockpit.findings.once
        import cockpit.findings.report_text
        import cockpit.hooks.answer
        import cockpit.hooks.claims
        import cockpit.hooks.drain
        import cockpit.hooks.hints
        import cockpit.hooks.judge
        import cockpit.hooks.memory
        import cockpit.status
        import cockpit.sweep.secrets  # noqa: F401
        from cockpit.sweep.secret_lines import SecretLines
        from skills.gates import analyse
        from skills.gates.engine.patterns import compile_all
        from skills.gates.model import MARK

        os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
        import git  # noqa: F401

        gc.disable()
        analyse("", b"", every=False)
        analyse("", MARK)
        SecretLines()
        compile_all()
        self._keep_ready(self.first)
        gc.collect()
        gc.freeze()

    def _keep_ready(self, root: str) -> None:
        from cockpit.findings.cache import keep_loaded

        known = root in self.roots
        self.roots = [root, *(one for one in self.roots if one != root)][:4]
        keep_loaded([Path(one) for one in self.roots])
        if not known:
            with contextlib.suppress(Exception):  # a broken configuration is told to whoever asks
                _rehearse(Path(root))


_BAD = b"""

class Rehearsal(ModelViewSet):
    def create(self, request):
        return Rehearsal.objects.create(name=request.data["name"])
"""


def _rehearse(root: Path) -> None:
    """Judge a few files of the repository: what rules work out once is then worked out before a fork."""
    from cockpit.config import load_config
    from cockpit.findings.cache import ReportsOnDemand
    from cockpit.findings.options import options_of
    from cockpit.hooks.judge import judge_edits
    from skills.gates import analyse, needs_every

    config = load_config(root)
    every = needs_every(options_of(config))
    known = ReportsOnDemand(root, every=every, tenant_fields=config.tenancy.fields).files
    names = [name for key in known if (root / (name := os.fsdecode(key))).is_file()]
    for name in sorted(names, key=lambda name: -(root / name).stat().st_size)[:REHEARSED]:
        content = (root / name).read_bytes()
        analyse(name, content + _BAD, every=every, tenant_fields=config.tenancy.fields)
        judge_edits(root, config, {name: content})
        judge_edits(root, config, {name: content + _BAD})


def _answer(connection: socket, expected: bytes, tell: int) -> None:
    """In the child: read one request, answer it. A wrong version or a torn request is answered by closing."""
    connection.settimeout(5.0)
    connection.sendall(framed(READY))
    asked, kind, words, folder, variables, given, encoding = unpacked(frame(connection))
    if asked != expected:
        return
    assert isinstance(words, list) and isinstance(variables, list)
    assert isinstance(folder, bytes) and isinstance(given, bytes) and isinstance(encoding, bytes)
    _become(os.fsdecode(folder), variables)
    out, err = _streams(given, encoding.decode("ascii", "replace"))
    code = _run(kind, [os.fsdecode(word) for word in words], given)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    connection.settimeout(5.0)
    parts: list[Part] = [code, out.getvalue(), err.getvalue()]
    connection.sendall(framed(pack(parts)))
    with contextlib.suppress(OSError):
        os.write(tell, b"\0" + _root_of(os.fsdecode(folder)) + b"\0")


def _run(kind: Part, words: list[str], given: bytes) -> int:
    try:
        if kind == b"hook":
            from cockpit.hooks.answer import main as answer

            return answer(words, given)
        from cockpit.cli import main

        return main(words)
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else 2


def _become(folder: str, variables: list[bytes]) -> None:
    """Stand where the asker stands."""
    os.environ.clear()
    for variable in variables:
        name, _, value = variable.partition(b"=")
        os.environb[name] = value
    time.tzset()
    os.chdir(folder)


def _streams(given: bytes, encoding: str) -> tuple[io.BytesIO, io.BytesIO]:
    """The standard streams of a child: what was given, and two that are kept until the end."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for handle in (0, 1, 2):
        os.dup2(nowhere, handle)
    out, err = io.BytesIO(), io.BytesIO()
    sys.stdin = io.TextIOWrapper(io.BytesIO(given), encoding="utf-8")
    sys.stdout = io.TextIOWrapper(out, encoding=encoding, errors="backslashreplace")
    sys.stderr = io.TextIOWrapper(err, encoding=encoding, errors="backslashreplace", line_buffering=True)
    return out, err


def _root_of(folder: str) -> bytes:
    from cockpit.repository import find_repository

    try:
        return os.fsencode(find_repository(Path(folder)).root)
    except Exception:
        return b""


def main() -> None:
    """The entry point of the started process: `common root` as its words, its parent's end on stdin."""
    own_folder_first()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent's to answer; its end closes our input
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    parent = os.dup(0)
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    with contextlib.suppress(OSError), spool_opened():
        Server(sys.argv[1], sys.argv[2], parent).serve()

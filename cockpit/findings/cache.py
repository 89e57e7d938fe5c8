"""Reports of files by content and rule set, kept in cockpit's own state folder.

A report depends on the path and the content alone, so it holds as long as the content, the rules and the Python that
parsed it are the same. A file whose size, times and inode are what they were is not read again, unless it was written
so shortly before it was read that a later write could carry the same times.
"""

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Mapping, MutableMapping
from hashlib import blake2b
from pathlib import Path

import msgspec

from cockpit.files import only_newest, write_atomically
from cockpit.findings.discovery import FileMark, look
from cockpit.findings.manifests import Manifests, read_manifests
from cockpit.paths import state_dir
from skills.gates.model import TENANT_FIELDS, Fact, FileReport
from skills.record import record

RACY_NS = 2_000_000_000
LARGEST = 64_000_000
MOST_FILES = 40
MOST_OF_RUFF = 2  # of each root: the index may have other files than the work tree
FORMAT = 2


class Entry(msgspec.Struct, array_like=True):
    """What is known of one file's content. `report` is None where the file is left out, for the reason `skip`."""

    digest: bytes
    report: FileReport | None = None
    mark: FileMark | None = None
    read_ns: int = 0
    skip: str = ""

    def holds_for(self, mark: FileMark) -> bool:
        """Whether a file with this mark surely has the content that was judged."""
        return self.mark == mark and max(mark.mtime_ns, mark.ctime_ns) + RACY_NS < self.read_ns


class KnownManifests(msgspec.Struct, array_like=True):
    """What the manifests said when they had these marks, by name, and were read at `read_ns`."""

    marks: dict[str, FileMark]
    read_ns: int
    said: Manifests

    def hold_for(self, marks: dict[str, FileMark]) -> bool:
        """Whether manifests with these marks surely say the same."""
        newest = max((max(mark.mtime_ns, mark.ctime_ns) for mark in marks.values()), default=0)
        return self.marks == marks and newest + RACY_NS < self.read_ns


class _Stored(msgspec.Struct, array_like=True):
    version: str
    files: dict[bytes, Entry]
    staged: dict[bytes, Entry]
    manifests: KnownManifests | None = None


class _Undecoded(msgspec.Struct, array_like=True):
    version: str
    files: dict[bytes, msgspec.Raw]
    staged: dict[bytes, msgspec.Raw]
    manifests: KnownManifests | None = None


class _Facts(msgspec.Struct, array_like=True, gc=False):
    """A report as `_OutlinedEntry` reads it: only what it tells of the project is decoded."""

    path: str
    role: str
    role_why: str
    candidates: msgspec.Raw
    facts: tuple[Fact, ...]
    suppressions: msgspec.Raw
    problem: msgspec.Raw
    crashed: msgspec.Raw
    parsed: bool
    places: int
    tenants: bool
    deferred: bool


class _OutlinedEntry(msgspec.Struct, array_like=True, gc=False):
    digest: bytes
    report: _Facts | None
    mark: FileMark | None
    read_ns: int
    skip: str


class Kept(MutableMapping[bytes, Entry]):
    """Entries that are decoded each time they are asked for."""

    def __init__(self, raw: Mapping[bytes, msgspec.Raw]) -> None:
        self.raw: dict[bytes, msgspec.Raw | Entry] = {**raw}
        self._decoder = msgspec.msgpack.Decoder(Entry)
        self._outlines = msgspec.msgpack.Decoder(_OutlinedEntry)

    def outline(self, key: bytes) -> Entry | None:
        """The entry with its report reduced to what it tells of the project; a fifth of the work of decoding all."""
        found = self.raw.get(key)
        if found is None or isinstance(found, Entry):
            return found and outlined(found)
        one = self._outlines.decode(found)
        facts = None if one.report is None else _facts_of(one.report)
        return Entry(one.digest, facts, one.mark, one.read_ns, one.skip)

    def __getitem__(self, key: bytes) -> Entry:
        found = self.raw[key]
        return found if isinstance(found, Entry) else self._decoder.decode(found)

    def __setitem__(self, key: bytes, entry: Entry) -> None:
        self.raw[key] = entry

    def __delitem__(self, key: bytes) -> None:
        del self.raw[key]

    def __contains__(self, key: object) -> bool:
        return key in self.raw

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.raw)

    def __len__(self) -> int:
        return len(self.raw)


def outlined(entry: Entry) -> Entry:
    """An entry with its report reduced to what it tells of the project."""
    return entry if entry.report is None else msgspec.structs.replace(entry, report=_facts_of(entry.report))


def _facts_of(one: FileReport | _Facts) -> FileReport:
    return FileReport(
        one.path,
        one.role,
        one.role_why,
        facts=one.facts,
        parsed=one.parsed,
        places=one.places,
        tenants=one.tenants,
        deferred=one.deferred,
    )


class ReportCache:
    """The kept reports of one root. `files` are of the work tree, `staged` of git's index where that differs;
    `manifests` saves reading them again. Reports of every rule are kept apart from those of the rules that run unasked;
    those that were made for other names of the relation to a tenant do not hold.
    """

    def __init__(
        self,
        root: Path,
        *,
        enabled: bool = True,
        every: bool = False,
        tenant_fields: tuple[str, ...] = TENANT_FIELDS,
    ) -> None:
        name = blake2b(os.fsencode(os.path.realpath(root)), digest_size=12).hexdigest()
        self.path = state_dir() / "findings" / f"{name}{'-every' if every else ''}.msgpack"
        self.ruff = self.path.parent / "ruff" / name if enabled else None  # the folder of ruff's own cache
        self.enabled = enabled
        self.version = ":".join((ruleset(), *tenant_fields)) if enabled else ""
        self.files: MutableMapping[bytes, Entry] = {}
        self.staged: MutableMapping[bytes, Entry] = {}
        self.manifests: KnownManifests | None = None
        self.note = ""
        self.changed = False
        if enabled:
            self._load()

    def _load(self) -> None:
        try:
            raw = _bytes_of(self.path)
            stored = msgspec.msgpack.decode(raw, type=_Stored) if raw else None
        except FileNotFoundError:
            return
        except (OSError, msgspec.MsgspecError, ValueError) as problem:
            self.note = f"the cache of findings was rebuilt ({type(problem).__name__})"
            return
        if stored is not None and stored.version == self.version:
            self.files, self.staged, self.manifests = stored.files, stored.staged, stored.manifests

    def outline(self, key: bytes) -> Entry | None:
        """The entry of a file of the work tree, its report reduced to what it tells of the project."""
        found = self.files.get(key)
        return found and outlined(found)

    def said_by_manifests(
        self, root: Path, names: tuple[str, ...], sources: Mapping[str, bytes] | None = None
    ) -> Manifests:
        """What the manifests `names` say; read again only where they are not surely what they were, or where `sources`
        hold other contents than the work tree."""
        if sources:
            return read_manifests(root, names, sources)
        marks = {name: mark for name in names if name.isprintable() and (mark := look(root, name)[0]) is not None}
        known = self.manifests
        if known is not None and len(marks) == len(names) and known.hold_for(marks):
            return known.said
        read_ns = time.time_ns()
        said = read_manifests(root, names)
        if len(marks) == len(names):
            self.manifests, self.changed = KnownManifests(marks, read_ns, said), True
        return said

    def save(self) -> None:
        """Write what is known, where something changed. A state folder that cannot be written is said in `note`."""
        if not self.enabled or not self.changed:
            return
        data = msgspec.msgpack.encode((self.version, _stored(self.files), _stored(self.staged), self.manifests))
        if len(data) > LARGEST:
            self.note = "the cache of findings is larger than 64 MB and was not kept"
            return
        try:
            write_atomically(self.path, data, mode=0o600, durable=False)
        except OSError as problem:
            self.note = f"findings are not cached: {self.path.parent} cannot be written ({problem.strerror})"
            return
        self.changed = False
        self._prune()

    def _prune(self) -> None:
        import shutil  # most checks write nothing

        with contextlib.suppress(OSError):
            kept, _ = only_newest(self.path.parent, "*.msgpack", MOST_FILES)
            held = {path.stem.removesuffix("-every") for path in kept}
            for folder in self.path.parent.glob("ruff/*"):
                oldest = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)[:-MOST_OF_RUFF]
                for gone in oldest if folder.name in held else [folder]:
                    shutil.rmtree(gone, ignore_errors=True)


class ReportsOnDemand(ReportCache):
    """The kept reports for who needs few of them, as a hook does: each is decoded when it is asked for."""

    _outlines: Mapping[bytes, Entry] | None = None

    def _load(self) -> None:
        with contextlib.suppress(OSError, msgspec.MsgspecError, ValueError):
            mark = _mark(self.path)
            held = _loaded.get(self.path)
            if held is None or held.mark != mark:
                held = _Loaded(mark, *_undecoded(self.path))
            if held.version == self.version:
                self.files, self.staged, self.manifests = held.files, held.staged, held.manifests
                self._outlines = held.outlines

    def outline(self, key: bytes) -> Entry | None:
        """As of every cache, without decoding the rest."""
        if self._outlines is not None:
            return self._outlines.get(key)
        return self.files.outline(key) if isinstance(self.files, Kept) else super().outline(key)


@record
class _Loaded:
    """What one file of reports held that had the mark `mark` when it was read. `outlines` are those of `files`, where
    they were made for all: who is forked finds them close together and copies little."""

    mark: tuple[int, int, int]
    version: str
    files: Kept
    staged: Kept
    manifests: KnownManifests | None
    outlines: dict[bytes, Entry] | None = None


_loaded: dict[Path, _Loaded] = {}


def keep_loaded(roots: list[Path]) -> None:
    """Keep the reports of these roots in memory, for the children that a warm process forks (they own their copy)."""
    wanted = [ReportCache(root, enabled=False).path for root in roots]
    for gone in _loaded.keys() - set(wanted):
        del _loaded[gone]
    for path in wanted:
        with contextlib.suppress(OSError, msgspec.MsgspecError, ValueError):
            mark = _mark(path)  # taken before it is read: a newer file is read again
            if path not in _loaded or _loaded[path].mark != mark:
                version, files, staged, manifests = _undecoded(path)
                outlines = {key: outline for key in files if (outline := files.outline(key)) is not None}
                _loaded[path] = _Loaded(mark, version, files, staged, manifests, outlines)


def _undecoded(path: Path) -> tuple[str, Kept, Kept, KnownManifests | None]:
    raw = _bytes_of(path)
    one = msgspec.msgpack.decode(raw, type=_Undecoded)
    return one.version, Kept(one.files), Kept(one.staged), one.manifests


def _bytes_of(path: Path) -> bytes:
    """What a file of reports holds, nothing where it is too large to have been written."""
    return path.read_bytes() if path.stat().st_size <= LARGEST else b""


def _mark(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ino


def _stored(entries: Mapping[bytes, Entry]) -> Mapping[bytes, msgspec.Raw | Entry]:
    return entries.raw if isinstance(entries, Kept) else entries


def ruleset() -> str:
    """The version of the rules and of the Python that parses: another one makes every kept report worthless."""
    global _ruleset
    if not _ruleset:
        import skills.gates

        sources = blake2b(digest_size=16)
        for folder, _, names in sorted(os.walk(os.path.dirname(skills.gates.__file__))):  # noqa: PTH120 - it is felt
            for name in sorted(names):
                if name.endswith(".py"):
                    found = os.stat(f"{folder}/{name}")  # noqa: PTH116
                    sources.update(f"{name}\0{found.st_size}\0{found.st_mtime_ns}\0{found.st_ctime_ns}\0".encode())
        python = ".".join(str(part) for part in sys.version_info[:3])
        _ruleset = f"{FORMAT}:{skills.gates.RULESET_VERSION}:{sources.hexdigest()}:{python}"
    return _ruleset


_ruleset = ""

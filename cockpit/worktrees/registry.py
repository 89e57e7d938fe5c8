"""The worktree registry, `worktree-registry.json` in Claude's data roots: changed under a lock, replaced
atomically, and never in what belongs to another project or another tool.

Source: workflow orchestrator, port registry. Entries are written in the layout with `worktreePath` and plain port
numbers; what only cockpit knows lies under `x_cockpit`. Entries of the other layout stay as they are.
"""

import contextlib
import json
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cockpit.clock import iso, now
from cockpit.errors import CannotAnswer, cannot_read, cannot_write
from cockpit.files import clear_leftovers, locked, read_regular, readable_json, write_atomically
from cockpit.paths import claude_folders
from cockpit.worktrees.ports import LARGEST_REGISTRY, entry_path, entry_ports, registry_files
from skills.workflow.worktree_setup import FIRST_PORT, LAST_PORT, free_pairs

_WAIT = 10.0  # seconds for another process that changes the registry
OWN = "x_cockpit"

Entry = dict[str, Any]


@dataclass(slots=True)
class RegistryFile:
    """The registry while it is being changed. `note` says what was wrong with the file that was found."""

    path: Path
    document: dict[str, Any]
    note: str = ""
    broken: bool = False
    before: str = ""
    _gone: set[int] = field(default_factory=set)

    @property
    def entries(self) -> list[Entry]:
        """The entries that can be read; others stay in the file, untouched."""
        return [entry for entry in self.document["worktrees"] if isinstance(entry, dict) and entry_path(entry)]

    def of(self, common_dir: Path) -> list[Entry]:
        """The entries of one repository, by the git folder behind the path that they name."""
        return [entry for entry in self.entries if belongs_to(entry, common_dir)]

    def at(self, path: Path | str) -> Entry | None:
        """The entry of the worktree at `path`."""
        real = os.path.realpath(path)
        return next((entry for entry in self.entries if place_of(entry) == real), None)

    def by_id(self, identity: str) -> Entry | None:
        """The entry with this id."""
        return next((entry for entry in self.entries if entry.get("id") == identity), None)

    def taken(self) -> set[int]:
        """Every port that an entry or the pool says is given out."""
        found = {port for entry in self.entries for port in entry_ports(entry)}
        pool = self.document.get("portPool")
        listed = pool.get("allocated") if isinstance(pool, dict) else None
        found |= {port for port in listed or () if isinstance(port, int)} if isinstance(listed, list) else set()
        return found | set(_numbers(self.document.get("port_registry")))

    def pool(self) -> tuple[int, int]:
        """The first and last port that may be given out."""
        pool = self.document.get("portPool")
        first, last = (pool.get("start"), pool.get("end")) if isinstance(pool, dict) else (None, None)
        if isinstance(first, int) and isinstance(last, int) and 1024 <= first < last < 65536:
            return first, last
        return FIRST_PORT, LAST_PORT

    def next_ports(self, count: int = 2) -> tuple[int, ...]:
        """The lowest free run of ports that nobody listens on; empty where there is none."""
        first, last = self.pool()
        taken = self.taken()
        return next((ports for ports in free_pairs(taken, first, last, count) if all(map(is_free, ports))), ())

    def add(self, entry: Entry) -> None:
        """Add an entry, and its ports to the pool."""
        self.document["worktrees"].append(entry)
        self._allocate(entry_ports(entry))

    def remove(self, entry: Entry) -> None:
        """Take an entry out and give its ports back, unless another entry has them too."""
        self.document["worktrees"] = [one for one in self.document["worktrees"] if one is not entry]
        kept = {port for one in self.entries for port in entry_ports(one)}
        pool = self.document.get("portPool")
        if isinstance(pool, dict) and isinstance(pool.get("allocated"), list):
            freed = set(entry_ports(entry)) - kept
            pool["allocated"] = [port for port in pool["allocated"] if port not in freed]

    def _allocate(self, ports: tuple[int, ...]) -> None:
        pool = self.document.get("portPool")
        if not isinstance(pool, dict):
            pool = self.document["portPool"] = {"start": FIRST_PORT, "end": LAST_PORT, "allocated": []}
        listed = pool.get("allocated")
        known = [port for port in listed if isinstance(port, int)] if isinstance(listed, list) else []
        pool["allocated"] = sorted({*known, *ports})


def registry_path() -> Path:
    """The file that is written: the one that is there, else where Claude Code keeps its data."""
    files = registry_files()
    found = next((path for path in files if path.exists()), None)
    if found is not None:
        return found
    if os.environ.get("CLAUDE_CONFIG_DIR", "").strip():
        return claude_folders()[0] / files[0].name
    return Path.home() / ".claude" / files[0].name


def read_registry_file() -> RegistryFile:
    """The registry as it is, for a look. A file that cannot be read is an empty registry with a `note`."""
    return _read(registry_path())


@contextlib.contextmanager
def changed_registry(rebuild: Callable[[], list[Entry]] | None = None) -> Iterator[RegistryFile]:
    """The registry, for a change: written when the block ends well and something differs.

    A malformed file is kept beside the new one under another name, and the entries of `rebuild` take its place.
    Raises `CannotAnswer` where another process holds it or it cannot be written; what goes wrong in the block itself
    is not its matter and passes.
    """
    path = registry_path()
    inside = False
    try:
        with locked(path.with_name(path.name + ".lock"), _WAIT) as mine:
            if not mine:
                raise CannotAnswer(f"{path} is held by another process", "try again")
            clear_leftovers(path)
            registry = _read(path)
            if registry.broken:
                for entry in rebuild() if rebuild else ():
                    registry.add(entry)
            inside = True
            yield registry
            inside = False
            text = readable_json(registry.document, 2)
            if text != registry.before:
                if registry.broken:
                    _keep_aside(registry)
                write_atomically(path, text)
    except OSError as problem:
        if inside:
            raise
        raise cannot_write(path, problem) from None


def _read(path: Path) -> RegistryFile:
    empty = {"worktrees": [], "portPool": {"start": FIRST_PORT, "end": LAST_PORT, "allocated": []}}
    try:
        raw = read_regular(path, LARGEST_REGISTRY + 1)
    except FileNotFoundError:
        return RegistryFile(path, empty)
    except OSError as problem:
        raise cannot_read(path, problem) from None
    if len(raw) > LARGEST_REGISTRY:
        raise CannotAnswer(f"{path} is larger than 8 MB", "move it aside; cockpit makes a new one")
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or not isinstance(document.get("worktrees", []), list):
        return RegistryFile(path, empty, f"{path.name} was malformed", broken=True)
    document.setdefault("worktrees", [])
    return RegistryFile(path, document, before=raw.decode("utf-8", "replace"))


def _keep_aside(registry: RegistryFile) -> None:
    path = registry.path
    stamp = now().strftime("%Y%m%dT%H%M%S")
    aside = path.with_name(f"{path.name}.broken-{stamp}-{os.urandom(3).hex()}")
    os.link(path, aside)  # the old name stays until the new file replaces it
    registry.note = f"{path.name} was malformed: kept as {aside.name}, made anew from git's worktrees"


def new_entry(
    project: str, repository: Path, branch: str | None, slug: str, path: Path, ports: tuple[int, ...], **own: Any
) -> Entry:
    """An entry of the registry, as the tools that share it write it. `own` goes under `x_cockpit`."""
    import uuid  # only what writes an entry pays for it

    return {
        "id": str(uuid.uuid4()),
        "project": project,
        "repoPath": str(repository),
        "branch": branch or "",
        "branchSlug": slug,
        "worktreePath": str(path),
        "ports": list(ports),
        "createdAt": iso(now()),
        "validatedAt": None,
        "agentLaunchedAt": None,
        "task": own.pop("task", None),
        "prNumber": None,
        "status": "active",
        **({OWN: own} if own else {}),
    }


def place_of(entry: Entry) -> str:
    """The real path of an entry's worktree."""
    return os.path.realpath(os.path.expanduser(entry_path(entry) or ""))  # noqa: PTH111


def belongs_to(entry: Entry, common_dir: Path) -> bool:
    """Whether an entry is of the repository behind `common_dir`: only such an entry is ever changed."""
    named = entry.get("repoPath") or entry.get("repo_path") or entry.get("repository")
    if not isinstance(named, str) or not named or "\0" in named:
        return False
    root = Path(os.path.realpath(os.path.expanduser(named)))  # noqa: PTH111
    common = os.path.realpath(common_dir)
    return str(root) == common or os.path.realpath(root / ".git") == common or _common_of(root) == common


def _common_of(root: Path) -> str | None:
    """The shared git folder of a linked worktree, for an entry that names one as its repository."""
    marker = root / ".git"
    try:
        git_dir = Path(root, read_regular(marker, 4096).decode("utf-8", "surrogateescape").partition(":")[2].strip())
        common = read_regular(git_dir / "commondir", 4096).decode("utf-8", "surrogateescape").strip()
    except OSError:
        return None
    return os.path.realpath(git_dir / common)


def is_free(port: int) -> bool:
    """Whether nobody listens on this port: found out by binding it."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("", port))
        except OSError:
            return False
    return True


def _numbers(value: object, depth: int = 0) -> Iterator[int]:
    """Whole numbers anywhere in the other layout's table of ports, its keys included."""
    if isinstance(value, bool) or depth > 6:
        return
    if isinstance(value, int):
        yield value
    elif isinstance(value, str) and value.isdecimal() and len(value) < 6:
        yield int(value)
    elif isinstance(value, dict):
        for key, held in value.items():
            yield from _numbers(key, depth + 1)
            yield from _numbers(held, depth + 1)
    elif isinstance(value, list):
        for held in value:
            yield from _numbers(held, depth + 1)

"""Keeping worktrees and registry in step: clean, adopt, reconcile. Entries of other projects are only read."""

import os
from dataclasses import dataclass
from pathlib import Path

from cockpit.clock import iso, now
from cockpit.config import Config
from cockpit.errors import CannotAnswer
from cockpit.git_command import GitFailed
from cockpit.phases.store import read_sessions
from cockpit.plain_text import plain_text
from cockpit.repository import Repository
from cockpit.worktrees.alone import alone
from cockpit.worktrees.cheap import Place, read_cheap
from cockpit.worktrees.judgement import with_presence
from cockpit.worktrees.models import Worktree
from cockpit.worktrees.new import base_of, project_name, rebuilt_entries
from cockpit.worktrees.ports import entry_path, entry_ports
from cockpit.worktrees.processes import processes_in
from cockpit.worktrees.reader import read_worktrees
from cockpit.worktrees.refused import Refused
from cockpit.worktrees.registry import (
    OWN,
    Entry,
    RegistryFile,
    belongs_to,
    changed_registry,
    is_free,
    new_entry,
    place_of,
    read_registry_file,
)
from cockpit.worktrees.remove import find_worktree, remove_in
from cockpit.worktrees.setup_files import ports_in
from cockpit.worktrees.trash import Trashed
from skills.workflow.worktree_setup import slug_of


@dataclass(frozen=True, slots=True)
class CleanPlan:
    """What a clean would do: `remove` and `keep` with the reason for each, and `forget`, the entries of this project
    in the registry whose folder is gone.
    """

    remove: tuple[tuple[Worktree, str], ...]
    keep: tuple[tuple[Worktree, str], ...]
    forget: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What a clean did. `kept` says of those that were to go why they stayed."""

    removed: tuple[Trashed, ...]
    kept: tuple[tuple[str, str], ...]
    forgotten: int


@dataclass(frozen=True, slots=True)
class RegistryRow:
    """An entry as it is shown: `status` also knows `missing` (its folder is gone) and `orphaned` (its repository is);
    `listening` are those of its ports that somebody listens on.
    """

    project: str
    branch: str
    path: str
    ports: tuple[int, ...]
    listening: tuple[int, ...]
    pull_request: str
    status: str
    task: str
    ours: bool


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The registry beside git's worktrees: `unregistered` ones wait to be adopted, `notes` say what was put right."""

    rows: tuple[RegistryRow, ...]
    unregistered: tuple[Place, ...]
    adopted: tuple[str, ...]
    notes: tuple[str, ...]


def plan_clean(repository: Repository, config: Config) -> CleanPlan:
    """Which worktrees can go without any loss, and why the others stay. Nothing is changed."""
    snapshot = with_presence(read_worktrees(repository, config), read_sessions(repository))
    remove, keep = [], []
    for tree in snapshot.worktrees:
        if tree.main:
            continue
        living = processes_in(tree.path) if tree.safe_to_remove else []
        if living is None:
            keep.append((tree, "not known whether a process works there"))
        elif living:
            keep.append((tree, f"{living[0]} works there"))
        elif tree.safe_to_remove:
            remove.append((tree, tree.why))
        else:
            keep.append((tree, tree.why))
    known = {os.path.realpath(tree.path) for tree in snapshot.worktrees}
    gone = [entry for entry in read_registry_file().of(repository.common_dir) if _is_gone(entry, known)]
    return CleanPlan(tuple(remove), tuple(keep), tuple(gone))


def clean(repository: Repository, config: Config) -> Cleaned:
    """Remove what `plan_clean` says can go, each looked at again just before; all of it can be undone."""
    removed: list[Trashed] = []
    kept: list[tuple[str, str]] = []
    plan = plan_clean(repository, config)
    with alone(repository) as room:
        for tree, _ in plan.remove:
            try:
                removed.append(remove_in(room, config, tree.path, force=False))
            except (Refused, CannotAnswer) as problem:
                kept.append((tree.label, str(problem)))
        ids = {entry.get("id") for entry in plan.forget}
        if ids:
            with changed_registry(lambda: rebuilt_entries(repository)) as registry:
                for entry in registry.of(repository.common_dir):
                    if entry.get("id") in ids and not os.path.lexists(place_of(entry)):
                        registry.remove(entry)
    return Cleaned(tuple(removed), tuple(kept), len(ids))


def adopt(repository: Repository, config: Config, path: str, *, task: str | None = None) -> tuple[Entry, bool]:
    """Register a worktree that git knows and the registry does not. Answers its entry and whether it is new.

    Raises `Refused` for the main work tree, `CannotAnswer` where it is no worktree of this repository.
    """
    with alone(repository) as room:
        snapshot = read_worktrees(repository, config)
        try:
            tree = find_worktree(snapshot, path)
        except CannotAnswer:
            where = plain_text(path, 80)
            raise CannotAnswer(f"{where} is no worktree of {repository.name}", "git worktree list shows them") from None
        if tree.main:
            raise Refused("the main work tree needs no entry in the registry")
        if tree.missing:
            raise Refused(f"the folder of {tree.label} is gone: there is nothing to adopt")
        with changed_registry(lambda: rebuilt_entries(repository)) as registry:
            found = registry.at(tree.path)
            if found is not None:
                return found, False
            entry = _adopted(registry, repository, Path(tree.path), tree.branch, task)
        if tree.branch and not tree.own_base:
            cheap = read_cheap(repository, config.base)
            name, _ = base_of(room.home, cheap, None)
            try:
                room.git("config", "--get", f"branch.{tree.branch}.cockpit-base")
            except GitFailed:
                if name != tree.branch:
                    room.git("config", f"branch.{tree.branch}.cockpit-base", name)
        return entry, True


def unregistered(repository: Repository, config: Config) -> list[Place]:
    """The linked worktrees that the registry does not know."""
    registry = read_registry_file()
    places = read_cheap(repository, config.base).places
    return [place for place in places if not place.main and not place.missing and registry.at(place.path) is None]


def reconcile(repository: Repository, config: Config, *, adopt_all: bool = False) -> Reconciled:
    """Bring this project's entries in step with git, and say what is missing on either side.

    A malformed registry is kept aside and made anew. Raises `CannotAnswer` where it cannot be written.
    """
    notes: list[str] = []
    adopted: list[str] = []
    with alone(repository):
        snapshot = read_worktrees(repository, config)
        trees = {os.path.realpath(tree.path): tree for tree in snapshot.worktrees}
        with changed_registry(lambda: rebuilt_entries(repository)) as registry:
            for entry in registry.of(repository.common_dir):
                notes += _put_right(entry, trees.get(place_of(entry)))
            notes += _clashing_ports(registry)
            linked = [place for place in read_cheap(repository, config.base).places if not place.main]
            waiting = [place for place in linked if registry.at(place.path) is None and not place.missing]
            if adopt_all:
                for place in waiting:
                    _adopted(registry, repository, Path(place.path), place.branch, None)
                    adopted.append(plain_text(place.label))
                waiting = []
            rows = tuple(_row(entry, repository, trees) for entry in registry.entries)
        if registry.note:
            notes.insert(0, registry.note)
    return Reconciled(rows, tuple(waiting), tuple(adopted), tuple(notes))


def _is_gone(entry: Entry, known: set[str]) -> bool:
    place = place_of(entry)
    return place not in known and not os.path.lexists(place)


def _adopted(registry: RegistryFile, repository: Repository, path: Path, branch: str | None, task: str | None) -> Entry:
    ports = ports_in(path)
    if not ports or set(ports) & registry.taken():
        ports = registry.next_ports()
    slug = slug_of(branch or path.name)
    entry = new_entry(
        project_name(repository), repository.main_root, branch, slug, path, ports, task=task, adopted=iso(now())
    )
    registry.add(entry)
    return entry


def _put_right(entry: Entry, tree: Worktree | None) -> list[str]:
    """Update one entry of this project. Answers a line where something changed."""
    own = entry.get(OWN)
    own = dict(own) if isinstance(own, dict) else {}
    name = plain_text(entry.get("branch") or Path(entry_path(entry) or "?").name, 80)
    if tree is None or tree.missing:
        if own.get("state") == "missing":
            return []
        entry[OWN] = {**own, "state": "missing", "missingSince": iso(now())}
        return [f"{name}: its folder is gone"]
    said = []
    if own.get("state") == "missing":
        entry[OWN] = {key: value for key, value in own.items() if key not in ("state", "missingSince")}
        if not entry[OWN]:
            del entry[OWN]
        said.append(f"{name}: its folder is back")
    if tree.branch and "branch" in entry and entry["branch"] != tree.branch:
        entry["branch"] = tree.branch
        said.append(f"{name}: holds {tree.branch} now")
    status = "merged" if tree.merged in ("ancestor", "squash") else "active"
    if "status" in entry and entry["status"] != status:
        entry["status"] = status
        said.append(f"{name}: {status}")
    return said


def _clashing_ports(registry: RegistryFile) -> list[str]:
    held: dict[int, str] = {}
    lines = []
    for entry in registry.entries:
        name = f"{plain_text(entry.get('project'), 40)} {plain_text(entry.get('branch'), 60)}"
        for port in entry_ports(entry):
            if port in held and held[port] != name:
                lines.append(f"port {port} is given out twice: {held[port]} and {name}")
            held.setdefault(port, name)
    return lines


def _row(entry: Entry, repository: Repository, trees: dict[str, Worktree]) -> RegistryRow:
    place = place_of(entry)
    ours = belongs_to(entry, repository.common_dir)
    named = entry.get("repoPath") or entry.get("repository")
    gone = not os.path.isdir(place) if not ours else place not in trees or trees[place].missing  # noqa: PTH112
    status = str(entry.get("status") or "active")
    if isinstance(named, str) and named and not os.path.exists(os.path.expanduser(named)):  # noqa: PTH110, PTH111
        status = "orphaned"
    elif gone:
        status = "missing"
    ports = entry_ports(entry)
    number = entry.get("prNumber")
    return RegistryRow(
        project=plain_text(entry.get("project") or "?", 60),
        branch=plain_text(entry.get("branch") or "", 100),
        path=plain_text(entry_path(entry) or ""),
        ports=ports,
        listening=tuple(port for port in ports if not is_free(port)),
        pull_request=f"#{number}" if isinstance(number, int) else "",
        status=plain_text(status, 20),
        task=plain_text(entry.get("task") or "", 80),
        ours=ours,
    )

"""A new worktree: branch, folder, ports, environment, the project's own preparation, all or nothing."""

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from cockpit.config import Config
from cockpit.errors import CannotAnswer
from cockpit.files import write_atomically
from cockpit.git_command import GitFailed, git
from cockpit.machine import free_memory_gb
from cockpit.plain_text import plain_text
from cockpit.programs import Programs
from cockpit.repository import Repository, is_bare
from cockpit.trust import read_trust
from cockpit.worktrees.alone import alone
from cockpit.worktrees.cheap import Cheap, read_cheap
from cockpit.worktrees.given import note_given
from cockpit.worktrees.mend import admin_of, take_back
from cockpit.worktrees.project_hooks import NO_SETUP, HookFailed, ProjectSetup, read_setup, run_hook
from cockpit.worktrees.refused import Refused
from cockpit.worktrees.registry import OWN, changed_registry, new_entry, read_registry_file
from cockpit.worktrees.room import Room, sentence
from cockpit.worktrees.setup_files import copy_into, exclude, files_to_copy, ports_in
from skills.workflow.worktree_setup import TASK_FILE, TaskSheet, branch_name, project_of, slug_of, task_sheet

LOW_MEMORY_GB = 6
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class NewPlan:
    """What making a worktree would do. `ports` are those free now; `start` is the commit that it begins with.

    `files` come from the work tree `source`. `made_branch` says that the branch is made too, `remote` the ref that it
    follows, `commands` what the project wants to run and `held_back` why it does not.
    """

    branch: str
    base: str
    start: str
    path: Path
    slug: str
    project: str
    ports: tuple[int, ...]
    made_branch: bool
    remote: str | None = None
    task: str | None = None
    setup: ProjectSetup = NO_SETUP
    held_back: str = ""
    files: tuple[str, ...] = ()
    source: Path = Path()
    warnings: tuple[str, ...] = ()

    @property
    def commands(self) -> tuple[str, ...]:
        """The project's own commands that will run: none where it is not trusted."""
        return () if self.held_back else self.setup.commands


@dataclass(frozen=True, slots=True)
class NewWorktree:
    """What was made. `copied` holds paths relative to it."""

    plan: NewPlan
    name: str
    path: Path
    ports: tuple[int, ...]
    copied: tuple[str, ...]
    ran: tuple[str, ...]
    warnings: tuple[str, ...]


def plan_new(
    repository: Repository, config: Config, branch: str, *, base: str | None = None, task: str | None = None
) -> NewPlan:
    """What `make_new` would do; nothing is changed.

    Raises `Refused` where the branch is checked out already, `CannotAnswer` where there is no such start.
    """
    cheap = read_cheap(repository, config.base)
    named = branch_name(branch)
    home = repository.main_root if repository.main_root.is_dir() else repository.root
    # a bare repository has no files: those of the worktree that was asked come along
    source = repository.root if is_bare(repository.common_dir) else home
    _valid(home, named)
    held = next((place for place in cheap.places if place.ref == f"refs/heads/{named}"), None)
    if held is not None:
        raise Refused(f"{named} is checked out already, in {plain_text(held.path)}")
    if cheap.refs is None:
        raise CannotAnswer(cheap.note or "the branches cannot be read")
    own = cheap.refs.sha(f"refs/heads/{named}")
    remote = None if own else next((f"refs/remotes/{r}/{named}" for r in _remotes(home, cheap, named)), None)
    base_name, base_sha = base_of(home, cheap, base)
    start = own or (cheap.refs.sha(remote) if remote else None) or base_sha
    if start is None:
        raise CannotAnswer("the repository has no commits yet", "commit something first")
    project = project_name(repository)
    slug = slug_of(named)
    place = _free_place(worktrees_root(config) / project, slug)
    trust = read_trust(source, repository.common_dir)  # of the files that name the commands
    setup = read_setup(source)
    return NewPlan(
        branch=named,
        base=base_name,
        start=start,
        path=place,
        slug=slug,
        project=project,
        ports=read_registry_file().next_ports(setup.port_count),
        made_branch=own is None,
        remote=remote,
        task=plain_text(task, 300) if task else None,
        setup=setup,
        held_back=trust.reason if setup.commands else "",
        files=tuple(files_to_copy(source, setup)),
        source=source,
        warnings=_warnings(config, cheap, setup, trust.reason),
    )


def make_new(
    repository: Repository,
    config: Config,
    branch: str,
    *,
    base: str | None = None,
    task: str | None = None,
    tell: Tell = lambda _: None,
    programs: Programs | None = None,
) -> NewWorktree:
    """Make a worktree. `tell` hears each step as it begins; cancelling `programs` stops it.

    Raises `Refused` and `CannotAnswer`; then nothing of it is left.
    """
    with alone(repository) as room:
        plan = plan_new(repository, config, branch, base=base, task=task)
        making = _Making(room, plan, tell, programs or Programs())
        try:
            return making.run()
        except BaseException as problem:
            if (begun := room.noted()) is not None:
                take_back(room, begun, at_once=True)
                room.done()
            if isinstance(problem, GitFailed | OSError | HookFailed):
                raise CannotAnswer(f"{plan.branch}: {sentence(problem)}", "nothing of it is left") from None
            raise


def worktrees_root(config: Config) -> Path:
    """The folder that holds the worktrees of every project. Raises `CannotAnswer` for the home of nobody."""
    try:
        root = Path(config.worktrees.root).expanduser()
    except RuntimeError as problem:
        raise CannotAnswer(f"worktrees.root: {problem}") from None
    if not root.is_absolute():
        raise CannotAnswer(
            f"worktrees.root is {config.worktrees.root!r}", "give a whole path, or one that begins with ~"
        )
    return root


class _Making:
    def __init__(self, room: Room, plan: NewPlan, tell: Tell, programs: Programs) -> None:
        self.room, self.plan, self.tell, self.programs = room, plan, tell, programs
        self.ran: list[str] = []

    def run(self) -> NewWorktree:
        plan = self.plan
        plan.path.parent.mkdir(parents=True, exist_ok=True)
        ports, identity, note = self._reserve()
        begun = {
            "deed": "new",
            "path": str(plan.path),
            "branch": plan.branch,
            "made_branch": plan.made_branch,
            "start": plan.start,
            "entry": identity,
            "files": [*plan.files, ".env"],
        }
        self.room.note(begun)
        self._step("branch and folder")
        self._hook("preBranch", plan.source, ports)
        self._add()
        if plan.base != plan.branch:
            self.room.git("config", f"branch.{plan.branch}.cockpit-base", plan.base)
        self._step(f"files: {len(plan.files)} to copy" if plan.files else "files")
        copied = [*self._copied(ports), *self._task_file(ports)]
        self._hook("install", plan.path, ports)
        self._hook("postCreate", plan.path, ports)
        self._step("registry")
        with changed_registry() as registry:
            entry = registry.by_id(identity)
            if entry is None:
                raise CannotAnswer("the registry was changed meanwhile", "try again")
            entry[OWN] = {"base": plan.base, "baseOid": plan.start}
        self.room.done()
        warnings = tuple(filter(None, (*plan.warnings, note, "" if ports else "no free port pair is left")))
        return NewWorktree(
            replace(plan, ports=ports), plan.path.name, plan.path, ports, tuple(copied), tuple(self.ran), warnings
        )

    def _step(self, what: str) -> None:
        if self.programs.cancelled:
            raise CannotAnswer(f"{self.plan.branch}: stopped", "nothing of it is left")
        self.tell(what)

    def _reserve(self) -> tuple[tuple[int, ...], str, str]:
        """Ports and an entry of the registry, in one change of it."""
        plan = self.plan
        self._step("ports")
        with changed_registry(lambda: rebuilt_entries(self.room.repository)) as registry:
            ports = registry.next_ports(plan.setup.port_count)
            root = self.room.repository.main_root
            entry = new_entry(
                plan.project, root, plan.branch, plan.slug, plan.path, ports, task=plan.task, state="being made"
            )
            self.room.note({"deed": "new", "entry": entry["id"]})
            registry.add(entry)
        return ports, str(entry["id"]), registry.note

    def _add(self) -> None:
        plan = self.plan
        words: list[str] = ["worktree", "add", "-q", "--no-guess-remote"]
        if plan.remote:
            short = plan.remote.removeprefix("refs/remotes/")
            words += ["--track", "-b", plan.branch, str(plan.path), short]
        elif plan.made_branch:
            words += ["--no-track", "-b", plan.branch, str(plan.path), plan.start]
        else:
            words += [str(plan.path), plan.branch]
        self.room.git(*words)

    def _copied(self, ports: tuple[int, ...]) -> list[str]:
        plan = self.plan
        copied = copy_into(plan.source, plan.path, plan.files, ports)
        admin = admin_of(self.room.common_dir, plan.path)
        if admin is not None and copied:
            note_given(admin, plan.path, copied)
        return copied

    def _task_file(self, ports: tuple[int, ...]) -> list[str]:
        plan = self.plan
        target = plan.path / TASK_FILE
        if os.path.lexists(target):
            return []
        contract = next((name for name in (".claude/CONTRACT.md", "CONTRACT.md") if (plan.path / name).is_file()), None)
        sheet = TaskSheet(plan.branch, plan.base, plan.project, ports, plan.task, plan.setup.services, contract)
        exclude(self.room.common_dir)
        write_atomically(target, task_sheet(sheet), mode=0o644)
        return [TASK_FILE]

    def _hook(self, name: str, folder: Path, ports: tuple[int, ...]) -> None:
        command = self.plan.setup.command(name)
        if not command or self.plan.held_back:
            return
        self._step(f"{name}: {plain_text(command, 80)}")
        run_hook(self.programs, name, command, folder, self.plan.path, self.plan.branch, ports)
        self.ran.append(name)


def rebuilt_entries(repository: Repository) -> list[dict[str, object]]:
    """Entries for the worktrees that git knows, for a registry that was lost; their ports as they tell them."""
    project = project_name(repository)
    entries = []
    for place in read_cheap(repository, None).places:
        if place.main or place.missing:
            continue
        tree, slug = Path(place.path), slug_of(place.branch or place.name)
        entries.append(new_entry(project, repository.main_root, place.branch, slug, tree, ports_in(tree), rebuilt=True))
    return entries


def project_name(repository: Repository) -> str:
    """The project's name in paths and in the registry: that of its remote, else of its main folder."""
    home = repository.main_root if repository.main_root.is_dir() else repository.root
    return project_of(_remote_url(home), repository.name)


def _valid(home: Path, branch: str) -> None:
    try:
        git(home, "check-ref-format", f"refs/heads/{branch}")
        if branch.startswith(("-", "refs/")) or branch in ("HEAD", "@"):
            raise GitFailed(("check-ref-format",), 1, "")
    except GitFailed:
        raise CannotAnswer(f"{plain_text(branch, 80)!r} is no branch name", "use letters, digits, - and /") from None


def _remotes(home: Path, cheap: Cheap, branch: str) -> list[str]:
    if cheap.refs is None or not cheap.refs.has_remote():
        return []
    names = git(home, "remote").split("\n")
    return [name for name in names if name and cheap.refs.sha(f"refs/remotes/{name}/{branch}")]


def base_of(home: Path, cheap: Cheap, asked: str | None) -> tuple[str, str | None]:
    """The branch that a new one begins with and is counted against, and its commit (None: it has none)."""
    if asked:
        asked = asked.removeprefix("refs/heads/")
        try:
            return asked, git(
                home, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{asked}^{{commit}}"
            ).strip()
        except GitFailed:
            raise CannotAnswer(f"there is no branch or commit {plain_text(asked, 80)!r}") from None
    if not cheap.bases:
        return cheap.default_branch or "HEAD", next((place.head for place in cheap.places if place.main), None)
    local = cheap.bases[0]
    if len(cheap.bases) > 1 and cheap.bases[1].sha != local.sha:
        with contextlib.suppress(GitFailed):  # the remote's, where the local one only lags behind
            git(home, "merge-base", "--is-ancestor", local.sha, cheap.bases[1].sha)
            return local.name, cheap.bases[1].sha
    return local.name, local.sha


def _remote_url(home: Path) -> str | None:
    try:
        return git(home, "config", "--get", "remote.origin.url").strip() or None
    except GitFailed:
        return None


def _free_place(folder: Path, slug: str) -> Path:
    """The folder for a slug, with a number where another branch has the same one."""
    for number in range(1, 1000):
        place = folder / (slug if number == 1 else f"{slug}-{number}")
        if not os.path.lexists(place):
            return place
    raise CannotAnswer(f"{folder / slug} and 999 others are taken")


def _warnings(config: Config, cheap: Cheap, setup: ProjectSetup, reason: str) -> tuple[str, ...]:
    found = list(setup.problems)
    linked = sum(1 for place in cheap.places if not place.main and not place.missing)
    if linked >= config.max_worktrees:
        found.append(f"{linked} worktrees are there already; max_worktrees is {config.max_worktrees}")
    free = free_memory_gb()
    if free is not None and free < LOW_MEMORY_GB:
        found.append(f"{free:.1f} GB of memory are free; below {LOW_MEMORY_GB} another agent may be slow")
    if setup.commands and reason:
        found.append(f".claude/worktree.json: its commands do not run ({reason})")
    return tuple(found)

"""What the processes of the workbench share: one writer at a time, who did it, files that keep a person's own text."""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from cockpit.bench.records import read_records, records_folder, write_record
from cockpit.clock import read_iso
from cockpit.errors import CannotAnswer, cannot_read, cannot_write
from cockpit.files import create_atomically, only_one, read_regular, write_atomically
from cockpit.git_command import GitFailed, git
from cockpit.plain_text import plain_text
from cockpit.repository import Repository
from skills.spending.amount import Amount
from skills.workflow.process import with_block

if TYPE_CHECKING:
    from cockpit.config import Config
    from skills.workflow.feature import Feature
    from skills.workflow.research import Study

_LARGEST = 4_000_000
_PATIENCE_SECONDS = 10.0
_AGENTS = ("CLAUDECODE", "CODEX_SANDBOX", "GEMINI_CLI", "OPENCODE")
"""Set in the shells that coding agents run commands in."""


class Titled(Protocol):
    """What the records of research and features have in common."""

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def ended(self) -> str: ...
    @property
    def abandoned(self) -> bool: ...


_Shape = TypeVar("_Shape")
_Titled = TypeVar("_Titled", bound=Titled)


def stepped(process: _Titled, step: Callable[[_Titled], _Titled], *, closed: str, begin: str) -> _Titled:
    """A process after one step. Raises `CannotAnswer` where it has ended, or the step refuses with a `ValueError`."""
    if process.ended or process.abandoned:
        raise CannotAnswer(f"{process.title}: {closed}", begin)
    try:
        return step(process)
    except ValueError as problem:
        raise CannotAnswer(f"{process.title}: {plain_text(problem, 300)}") from None


@contextlib.contextmanager
def one_writer(repository: Repository, kind: str) -> Iterator[None]:
    """Hold the records of a kind, so that two changes at once are both kept. Raises `CannotAnswer` after 10 seconds."""
    lock = records_folder(repository.common_dir, kind).with_suffix(".lock")
    with only_one(lock, f"another process changes the {kind} records", patience=_PATIENCE_SECONDS):
        yield


def recorded(repository: Repository, kind: str, shape: type[_Shape]) -> list[_Shape]:
    """Every record of a kind that is whole, in the order of their names."""
    import msgspec

    found: list[_Shape] = []
    for row in read_records(repository.common_dir, kind).values():
        with contextlib.suppress(msgspec.ValidationError):
            found.append(msgspec.convert(row, shape))
    return found


def keep(repository: Repository, kind: str, process: Titled) -> None:
    """Write the record of a process. Raises `CannotAnswer` where the state folder cannot be written."""
    import msgspec

    write_record(repository.common_dir, kind, process.id, msgspec.to_builtins(process))


def named(known: Sequence[_Titled], name: str) -> list[_Titled]:
    """Those whose id is `name`, else those whose title holds it; the open ones where no name is given."""
    if not name:
        return [one for one in known if not (one.ended or one.abandoned)]
    return [one for one in known if name == one.id] or [one for one in known if name.lower() in one.title.lower()]


def home_of(repository: Repository, process: "Feature | Study") -> Path:
    """The work tree that holds the files of a process; the one that is asked where that is gone."""
    home = Path(process.home)
    return home if process.home and home.is_dir() else repository.root


def person(root: Path) -> str:
    """Who sits here, by git's name for them. Raises `CannotAnswer` where git does not know."""
    try:
        name = git(root, "var", "GIT_AUTHOR_IDENT").split("<")[0].strip()
    except GitFailed:
        name = ""
    if not name:
        raise CannotAnswer("git does not know who you are", "git config user.name NAME")
    return plain_text(name, 80)


def only_a_person(what: str) -> None:
    """Raise `CannotAnswer` in the shell of a coding agent: what is a person's to say is not the agent's."""
    agent = next((name for name in _AGENTS if os.environ.get(name)), None)
    if agent:
        raise CannotAnswer(f"{what} is for a person, and this is an agent's shell ({agent})", "do it in your terminal")


def text_of(root: Path, name: str) -> str:
    """The text of a file below the root, "" where there is none. Raises `CannotAnswer` where it cannot be read, and
    where it is larger than 4 MB: what is written again is never a part of it."""
    try:
        raw = read_regular(root / name, _LARGEST + 1)
    except FileNotFoundError:
        return ""
    except OSError as problem:
        raise cannot_read(name, problem) from None
    if len(raw) > _LARGEST:
        raise CannotAnswer(f"{name} is larger than {_LARGEST // 1_000_000} MB", "make it smaller first")
    return raw.decode("utf-8", "surrogateescape")


def keep_block(root: Path, name: str, block: str, body: str, template: str = "") -> bool:
    """Write `body` into the block of a file, made from `template` where it is new; the rest of it stays as it is.

    True where something changed. Raises `CannotAnswer` where it cannot be written.
    """
    known = text_of(root, name)
    text = with_block(known or template, block, plain_text(body, multiline=True))
    if text == known:
        return False
    try:
        write_atomically(root / name, text, mode=0o644)
    except OSError as problem:
        raise cannot_write(name, problem) from None
    return True


def create(root: Path, names: Iterable[str], text_for: Callable[[str], str]) -> str:
    """Write the first of `names` that does not exist yet; the name. Raises `CannotAnswer`."""
    for name in names:
        try:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            create_atomically(root / name, text_for(name))
        except FileExistsError:
            continue
        except OSError as problem:
            raise cannot_write(name, problem) from None
        return name
    raise CannotAnswer("every name for the file is taken")


def minutes_since(begun: str, now: datetime) -> int:
    """Whole minutes since a time as it is recorded; 0 where that is none."""
    moment = read_iso(begun)
    return max(0, int((now - moment).total_seconds() // 60)) if moment is not None else 0


def spent(
    repository: Repository, config: "Config", begun: str, branches: frozenset[str] | None = None
) -> tuple[Amount, int]:
    """(dollars, calls) of this repository since `begun`, of some branches only where they are named (computed)."""
    from cockpit.spend.meter import Meter
    from cockpit.spend.sums import Scope, Sum

    meter, moment = Meter(repository, config), read_iso(begun)
    since = int(moment.timestamp() * 1000) if moment is not None else None
    with closing(meter.ledger):
        meter.read()
        cells = [
            cell
            for cell in meter.ledger.responses(Scope(meter.scope.places, since))
            if branches is None or cell.origin.branch in branches
        ]
    whole = Sum.of(cells)
    return whole.amount, whole.requests

"""Context files of a repository: found by name, read with limits, parsed by the skills."""

import contextlib
from pathlib import Path

from cockpit.files import read_regular
from cockpit.plain_text import plain_text
from skills.record import record
from skills.workflow.day import CONTEXT_FILES
from skills.workflow.tasks import Item, Section, Task, section, sections, tasks, without_box

_LARGEST = 256 << 10
_LONGEST_LINE = 2000
_NOTHING = frozenset(("none", "no blockers", "n/a", "na", "nothing", "-", "–", "—"))


@record
class Context:
    """What the first context file says, the tasks of the repository, what is waited for and which files there are."""

    file: str | None = None
    parts: tuple[Section, ...] = ()
    tasks: tuple[Task, ...] = ()
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    blockers: tuple[str, ...] = ()

    def items(self, *names: str) -> tuple[Item, ...]:
        """What stands under headings that begin with one of `names`, without entries that say "none"."""
        return _said(self.parts, *names)


def open_blockers(*parts: tuple[Section, ...]) -> tuple[str, ...]:
    """What is open under the headings of blockers, each once."""
    found = (item for one in parts for item in _said(one, "blockers", "blocked"))
    return tuple(dict.fromkeys(item.text for item in found if item.mark != "done"))


def _said(parts: tuple[Section, ...], *names: str) -> tuple[Item, ...]:
    found = section(parts, *names)
    return tuple(item for item in found if item.text.casefold().strip(" .*_()") not in _NOTHING)


def read_context(root: Path) -> Context:
    """The first context file found, in the order of the workflow orchestrator, and the open tasks."""
    found = [(name, path) for name in CONTEXT_FILES if (path := _file(root, name)) is not None]
    notes: list[str] = []
    texts = {name: text for name, path in found if (text := _text(path, name, notes)) is not None}
    if not texts:
        return Context(notes=tuple(notes))
    first = next(iter(texts))
    planned = texts.get("TASK.md")
    if planned is not None and (plain := without_box(planned)):
        entries = f"{plain} entries" if plain > 1 else "1 entry"
        notes.append(f"TASK.md: {entries} without a box beside those with one: not in the queue")
    parts = sections(texts[first])
    return Context(
        first,
        parts,
        tasks(planned, own=True) if planned is not None else tasks(texts[first]),
        tuple(notes),
        tuple(texts),
        # what end day writes stands before TASK.md, and the blockers that a person wrote beside the tasks stay there
        open_blockers(parts, sections(planned or "")),
    )


def _file(root: Path, name: str) -> Path | None:
    path = root / name
    if path.is_file():
        return path
    with contextlib.suppress(OSError):
        for other in path.parent.iterdir():
            if other.name.casefold() == path.name.casefold() and other.is_file():
                return other
    return None


def _text(path: Path, name: str, notes: list[str]) -> str | None:
    try:
        raw = read_regular(path, _LARGEST + 1)
    except OSError as problem:
        notes.append(f"{name} could not be read: {problem.strerror}")
        return None
    if len(raw) > _LARGEST:
        notes.append(f"{name} is larger than 256 KB: only its beginning was read")
        raw = raw[:_LARGEST]
    lines = raw.decode("utf-8", "replace").splitlines()
    return "\n".join(plain_text(line, _LONGEST_LINE, multiline=True) for line in lines)

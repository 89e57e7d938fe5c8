"""How a new worktree is set up: the name of its folder, its ports, its environment file, its task sheet.

Source: workflow orchestrator, worktrees and port registry (rules WO-W-1 to WO-W-3).
"""

import re
import unicodedata
from collections.abc import Container, Iterator, Sequence

from skills.record import record

FIRST_PORT = 8100
LAST_PORT = 8199
TASK_FILE = "WORKTREE_TASK.md"
_LONGEST_SLUG = 60
_UNFIT = re.compile(r"[^\w.+-]+")
_SHEET_PORTS = re.compile(r"^- Ports: ([^\r\n]{1,400})$", re.MULTILINE)
_PORT = re.compile(rb"^PORT=[^\r\n]*", re.MULTILINE)
# what tools make again by themselves
_CACHES = frozenset(
    (
        *(
            "__pycache__",
            ".venv",
            "venv",
            "node_modules",
            ".mypy_cache",
            ".pytest_cache",
            ".ruff_cache",
            ".tox",
            ".nox",
        ),
        *(".hypothesis", "htmlcov", ".import_linter_cache", ".pyre", ".pytype", ".eggs", ".next", ".turbo", ".cache"),
        *(".DS_Store", "Thumbs.db", ".coverage", ".cockpit"),
    )
)


def slug_of(branch: str) -> str:
    """The folder name for a branch: `/` and whatever no folder should be named with become `-`.

    Letters of every alphabet stay. A name that is cut, or of which nothing is left, ends with a checksum.
    """
    text = unicodedata.normalize("NFC", branch.encode("utf-8", "replace").decode("utf-8"))
    slug = re.sub(r"-{2,}", "-", _UNFIT.sub("-", text)).strip("-.")
    slug = re.sub(r"\.{2,}", ".", slug)
    if slug.endswith(".lock"):
        slug = slug[:-5] + "-lock"
    if slug and len(slug.encode()) <= _LONGEST_SLUG:
        return slug
    import hashlib  # a report of worktrees needs none of it, and it takes three milliseconds

    sign = hashlib.sha256(text.encode()).hexdigest()[:8]
    kept = slug.encode()[: _LONGEST_SLUG - 9].decode("utf-8", "ignore").strip("-.")
    return f"{kept}-{sign}" if kept else sign


def branch_name(given: str) -> str:
    """What a person typed as a branch name, with spaces as `-`: git takes none. A whole ref is the name in it."""
    return re.sub(r"\s+", "-", unicodedata.normalize("NFC", given.strip())).removeprefix("refs/heads/")


def project_of(remote: str | None, folder: str) -> str:
    """The project's name: the last part of the remote's address without `.git`, else the name of the folder."""
    last = re.split(r"[/:\\]", (remote or "").rstrip("/\\"))[-1].removesuffix(".git")
    return slug_of(last) if last.strip(".-") else slug_of(folder)


def free_pairs(
    taken: Container[int], first: int = FIRST_PORT, last: int = LAST_PORT, count: int = 2
) -> Iterator[tuple[int, ...]]:
    """Runs of `count` ports (made even) that nobody has, beginning at even numbers, the lowest first."""
    size = max(2, count + count % 2)
    for start in range(first + first % 2, last - size + 2, 2):
        ports = tuple(range(start, start + size))
        if not any(port in taken for port in ports):
            yield ports


def with_port(content: bytes, port: int) -> bytes:
    """An environment file with its line `PORT=…` changed, and nothing else."""
    return _PORT.sub(b"PORT=%d" % port, content)


def without_port(content: bytes) -> bytes:
    """What two environment files that differ only in their port have in common."""
    return _PORT.sub(b"PORT=", content)


def is_cache(path: str) -> bool:
    """Whether an ignored path is one that tools make again: caches, byte code, installed packages."""
    parts = [part for part in path.split("/") if part]
    return any(part in _CACHES or part.endswith((".pyc", ".egg-info")) for part in parts)


@record
class TaskSheet:
    """What `WORKTREE_TASK.md` says. `services` name the ports in their order, as far as they are named."""

    branch: str
    base: str
    project: str
    ports: tuple[int, ...]
    task: str | None = None
    services: tuple[str, ...] = ()
    contract: str | None = None


def task_sheet(sheet: TaskSheet) -> str:
    """The Markdown of `WORKTREE_TASK.md`: what belongs here, what does not, and where to tick off what is done."""
    ports = [
        f"{port} ({sheet.services[place]})" if place < len(sheet.services) else str(port)
        for place, port in enumerate(sheet.ports)
    ]
    lines = [
        f"# {sheet.task or sheet.branch}",
        "",
        f"- Branch: `{sheet.branch}`, made from `{sheet.base}`",
        f"- Project: {sheet.project}",
        f"- Ports: {', '.join(ports) or 'none'}",
        *([f"- Contract: `{sheet.contract}`"] if sheet.contract else []),
        "",
        "## Scope",
        "",
        "Work on this branch and in this folder only. Other worktrees of the project belong to other tasks:",
        "what must change there goes under Blockers.",
        "",
        "## Tasks",
        "",
        f"- [ ] {sheet.task}" if sheet.task else "One box a step: what is ticked counts as done.",
        "",
        "## Blockers",
        "",
    ]
    return "\n".join(lines)


def sheet_ports(sheet: str) -> tuple[int, ...]:
    """The ports that a task sheet names, () where it names none."""
    line = _SHEET_PORTS.search(sheet)
    return tuple(int(port) for port in re.findall(r"\b\d{4,5}\b(?= \(|,|$)", line[1])) if line else ()


@record
class Progress:
    """How far the task of a worktree is. `todos` is the share done in percent, None where no list says so."""

    todos: int | None
    done: int
    total: int
    blockers: tuple[str, ...]


def progress_of(boxes: Sequence[tuple[str, bool]], blockers: Sequence[str]) -> Progress:
    """Progress from (text, ticked) boxes and from what the sheet lists as blocking."""
    done = sum(ticked for _, ticked in boxes)
    percent = round(100 * done / len(boxes)) if boxes else None
    return Progress(percent, done, len(boxes), tuple(blockers))

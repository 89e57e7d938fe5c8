"""The backup of the context files: one archive, opened again and compared before older ones go.

Source: workflow orchestrator, end day (backup): seven days are kept, and the last three whatever their age.
"""

import contextlib
import gzip
import io
import os
import re
import tarfile
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path

from cockpit.errors import CannotAnswer, cannot_read, cannot_write, reason_of
from cockpit.files import clear_leftovers, read_regular, write_atomically
from cockpit.repository import Repository

NAMES = (
    "PROJECT_CONTEXT.md",
    "CLAUDE.md",
    "TASK.md",
    "PLANNING.md",
    ".claude/context.json",
    ".claude/todos.json",
)
KEPT_DAYS = 7
KEPT_LEAST = 3
_LARGEST = 64 << 20
_NAME = re.compile(r"context_(\d{8}_\d{6})(?:_\d+)?\.tar\.gz")


def backup_folder(repository: Repository) -> Path:
    """Where the archives of this repository lie: in the agents' folder, by the project's name. Another repository of
    that name keeps its own."""
    chosen = os.environ.get("CLAUDE_CONFIG_DIR", "").split(",")[0].strip()
    home = Path(chosen).expanduser() if chosen else Path.home() / ".claude"
    name = re.sub(r"[^\w.-]+", "-", repository.name).strip(".-") or "repository"
    folder = home / "context-backups" / name
    owner = _owner(folder)
    if owner and owner != _place(repository):
        folder = folder.with_name(f"{name}-{blake2b(_place(repository).encode(), digest_size=3).hexdigest()}")
    return folder


def contents(root: Path, before: Mapping[str, bytes]) -> dict[str, bytes]:
    """What an archive holds, by its name there: the files as they are, and under `previous/` as they were before this
    end of day. Raises `CannotAnswer` where a file cannot be read."""
    found: dict[str, bytes] = {}
    for name in NAMES:
        try:
            found[name] = read_regular(root / name)
        except FileNotFoundError:
            continue
        except OSError as problem:
            raise cannot_read(root / name, problem) from None
    for name, old in before.items():
        if found.get(name) != old:
            found[f"previous/{name}"] = old
    if sum(map(len, found.values())) > _LARGEST:
        raise CannotAnswer("the context files are larger than 64 MB", "they are not backed up")
    return found


def write_backup(repository: Repository, held: Mapping[str, bytes], now: datetime) -> Path:
    """Write the archive. Raises `CannotAnswer` where that is not possible; no half archive is left."""
    folder = backup_folder(repository)
    stamp = now.astimezone(UTC).strftime("%Y%m%d_%H%M%S")
    path = folder / f"context_{stamp}.tar.gz"
    number = 1
    while path.exists():
        number += 1
        path = folder / f"context_{stamp}_{number}.tar.gz"
    try:
        if not _owner(folder):
            write_atomically(folder / ".repository", _place(repository) + "\n", mode=0o600)
        for left in folder.glob(".context_*.tmp"):
            clear_leftovers(folder / (left.name[1:].partition(".tar.gz")[0] + ".tar.gz"))
        write_atomically(path, _archive(held, now), mode=0o600)
    except OSError as problem:
        raise cannot_write(path, problem) from None
    return path


def verify_backup(path: Path, held: Mapping[str, bytes]) -> str:
    """Open the archive again and compare everything in it. Returns what is wrong, "" where nothing is."""
    try:
        with tarfile.open(path, "r:gz") as archive:
            found = {
                member.name: stream.read()
                for member in archive.getmembers()
                if (stream := archive.extractfile(member)) is not None
            }
    except (OSError, EOFError, tarfile.TarError, zlib.error) as problem:
        return f"{path.name} cannot be opened again ({reason_of(problem)})"
    return "" if found == dict(held) else f"{path.name} does not hold what was put into it"


def prune_backups(folder: Path, now: datetime) -> list[Path]:
    """Take away archives older than seven days, never the last three. Returns them."""
    archives = {path: made for path in folder.glob("context_*.tar.gz") if (made := _made(path)) is not None}
    oldest = now - timedelta(days=KEPT_DAYS)
    gone = []
    for path in sorted(archives, key=_order)[:-KEPT_LEAST]:
        if archives[path] < oldest:
            with contextlib.suppress(OSError):
                path.unlink()
                gone.append(path)
    return gone


def _made(path: Path) -> datetime | None:
    """When an archive was made, by its name; None for a file that is none of ours."""
    named = _NAME.fullmatch(path.name)
    try:
        return datetime.strptime(named[1], "%Y%m%d_%H%M%S").replace(tzinfo=UTC) if named else None
    except ValueError:
        return None


def _order(path: Path) -> tuple[str, int]:
    number = path.name.removesuffix(".tar.gz").split("_")[3:]
    return path.name[:23], int(number[0]) if number else 1


def _archive(held: Mapping[str, bytes], now: datetime) -> bytes:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        for name, content in held.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.mode = len(content), int(now.timestamp()), 0o600
            archive.addfile(member, io.BytesIO(content))
    return gzip.compress(plain.getvalue(), mtime=int(now.timestamp()))


def _owner(folder: Path) -> str:
    try:
        return read_regular(folder / ".repository", 8192).decode("utf-8", "surrogateescape").strip()
    except OSError:
        return ""


def _place(repository: Repository) -> str:
    return os.path.realpath(repository.common_dir)

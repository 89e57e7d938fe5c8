"""The record of the choice between Django and FastAPI: written once, never over another file."""

import re
from pathlib import Path

from cockpit.clock import now
from cockpit.errors import CannotAnswer, cannot_write
from cockpit.files import create_atomically
from skills.routing.decide import Decision, decision_record

_FOLDERS = ("docs/decisions", "docs/adr")
_NUMBER = re.compile(r"(?:adr-?)?(\d{1,5})", re.IGNORECASE)


def next_record(root: Path) -> Path:
    """The file that the next decision of a repository goes into: in the folder that holds the others."""
    folders = [root / name for name in _FOLDERS if (root / name).is_dir()]
    numbers = [
        int(found[1]) for folder in folders for path in folder.glob("*.md") if (found := _NUMBER.match(path.name))
    ]
    folder = folders[0] if folders else root / _FOLDERS[0]
    return folder / f"ADR-{max(numbers, default=0) + 1:03}-framework.md"


def write_record(path: Path, decision: Decision) -> None:
    """Write a decision. Raises `CannotAnswer` where the file exists or cannot be written."""
    title = path.stem.replace("-", " ").replace("_", " ") or "Framework of this service"
    text = decision_record(decision, title, now().astimezone().date().isoformat())
    try:
        create_atomically(path, text)
    except FileExistsError:
        raise CannotAnswer(f"{path} exists", "a decision is never overwritten: choose another name") from None
    except OSError as problem:
        raise cannot_write(path, problem) from None

"""How a person arranged the panes of a repository: order, what is put away, the zoom, the theme chosen by key."""

import os
from dataclasses import asdict, dataclass
from pathlib import Path

from cockpit.files import write_atomically
from cockpit.paths import state_dir

_LARGEST = 10_000


@dataclass(frozen=True, slots=True)
class Layout:
    """Names of panes in their order and of those put away; `zoomed` is the pane that fills all, "" where none does."""

    order: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    zoomed: str = ""
    theme: str = ""


def layout_file(place: Path) -> Path:
    """Where the layout of a repository lies (`place`: its shared git folder)."""
    try:  # the first paint feels the import of hashlib
        from _blake2 import blake2b
    except ImportError:
        from hashlib import blake2b
    name = blake2b(os.fsencode(os.path.realpath(place)), digest_size=12).hexdigest()
    return state_dir() / "layouts" / f"{name}.json"


def read_layout(place: Path, panes: tuple[str, ...]) -> Layout:
    """The saved layout; what does not name each of `panes` once, or cannot be read, is the usual one."""
    try:
        raw = layout_file(place).read_bytes()[:_LARGEST]
    except OSError:
        return Layout()
    import json

    try:
        held = json.loads(raw)
    except ValueError:
        return Layout()
    if not isinstance(held, dict):
        return Layout()
    order, hidden = _names(held.get("order")), _names(held.get("hidden"))
    if sorted(order) != sorted(panes):
        order = ()
    if not set(hidden) < set(panes):
        hidden = ()
    zoomed, theme = held.get("zoomed"), held.get("theme")
    return Layout(order, hidden, zoomed if zoomed in panes else "", theme if isinstance(theme, str) else "")


def write_layout(place: Path, layout: Layout) -> None:
    """Save a layout. Raises `OSError` where the state folder cannot be written."""
    import json

    path = layout_file(place)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(asdict(layout), indent=1) + "\n", mode=0o600)


def _names(value: object) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, list) and all(isinstance(name, str) for name in value) else ()

"""The sub-agents that exist here: the repository's, the person's, and those of installed plugins."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from cockpit import paths
from cockpit.files import read_regular
from cockpit.plain_text import plain_text
from skills.routing.agents import Installed, Origin

MOST = 500
_HEAD = 8192
_DEEPEST = 4
_NAME = re.compile(r"^name:\s*[\"']?([\w:. -]{1,80}?)[\"']?\s*$", re.MULTILINE)
_DESCRIPTION = re.compile(r"^description:\s*(.{1,400})", re.MULTILINE)
_FRONT = re.compile(r"\A---\s*\n(.*?)\n---", re.DOTALL)


def installed_agents(root: Path | None) -> tuple[Installed, ...]:
    """Every agent that a session at `root` could call. Files that cannot be read are passed over."""
    found: list[Installed] = []
    if root is not None:
        found += _of_folder(root / ".claude" / "agents", "project", "")
    for claude in _homes():
        found += _of_folder(claude / "agents", "user", "")
    for plugin, folder in plugin_folders():
        found += _of_folder(folder / "agents", "plugin", f"{plugin}:")
    return tuple(dict.fromkeys(found))


def plugin_folders() -> tuple[tuple[str, Path], ...]:
    """The plugins that are installed for Claude Code: name and folder."""
    return tuple(one for claude in _homes() for one in _plugins(claude / "plugins"))


def _homes() -> list[Path]:
    homes = [Path.home() / ".claude", *paths.claude_roots()]
    return list({os.path.realpath(home): home for home in homes if home.is_dir()}.values())


def _plugins(folder: Path) -> Iterator[tuple[str, Path]]:
    """Installed plugins with their folders, from the list that Claude Code keeps."""
    try:
        document = json.loads(read_regular(folder / "installed_plugins.json"))
    except (OSError, ValueError, RecursionError):
        return
    listed = document.get("plugins") if isinstance(document, dict) else None
    if not isinstance(listed, dict):
        return
    for name, entries in sorted(listed.items()):
        for entry in entries if isinstance(entries, list) else [entries]:
            place = entry.get("installPath") if isinstance(entry, dict) else None
            if isinstance(place, str) and "\0" not in place:
                yield plain_text(name.partition("@")[0], 60), Path(place)


def _of_folder(folder: Path, origin: Origin, prefix: str) -> list[Installed]:
    found: list[Installed] = []
    for path in _markdown(folder):
        try:
            text = read_regular(path, _HEAD).decode("utf-8", "replace")
        except OSError:
            continue
        front = _FRONT.search(text.replace("\r\n", "\n"))
        head = front[1] if front else ""
        name, described = _NAME.search(head), _DESCRIPTION.search(head)
        called = plain_text(name[1].strip() if name else path.stem, 80)
        found.append(
            Installed(prefix + called, origin, plain_text(described[1].strip("\"' "), 300) if described else "")
        )
        if len(found) >= MOST:
            break
    return found


def _markdown(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        folders.sort()
        if len(Path(place).relative_to(folder).parts) >= _DEEPEST:
            folders.clear()
        yield from (Path(place) / name for name in sorted(files) if name.endswith(".md") and name != "README.md")

"""Reads skills: cockpit's own catalogue, and what is installed in a repository, for a person and by plugins."""

import os
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from cockpit import paths
from cockpit.agents.installed import plugin_folders
from cockpit.catalogue.models import Origin, SkillFile
from cockpit.files import read_regular
from cockpit.plain_text import plain_text
from skills.standard.document import SkillDocument, parse_skill

LARGEST = 2 << 20
MOST = 2000
_DEEPEST = 4


def catalogue() -> dict[str, str]:
    """The skills that cockpit brings: name → text of the file."""
    return _packaged("catalog", nested=True)


def slash_commands() -> dict[str, str]:
    """The slash commands that cockpit brings: name → text of the file."""
    return _packaged("slash", nested=False)


def _packaged(folder: str, *, nested: bool) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in (resources.files("skills") / folder).iterdir():
        place = entry / "SKILL.md" if nested else entry
        if place.is_file() and place.name.endswith(".md"):
            found[entry.name.removesuffix(".md")] = place.read_text("utf-8")
    return dict(sorted(found.items()))


def installed_skills(root: Path | None) -> tuple[SkillFile, ...]:
    """Every skill that an agent at `root` could load. Files that cannot be read are passed over."""
    found: list[SkillFile] = []
    for agent, folder in project_folders(root) if root is not None else ():
        found += _of_folder(folder, "project", agent)
    for agent, folder in user_folders():
        found += _of_folder(folder, "user", agent)
    for plugin, folder in plugin_folders():
        found += [
            SkillFile(f"{plugin}:{one.name}", "plugin", "claude", one.place, one.description, one.text, one.body_tokens)
            for one in _of_folder(folder / "skills", "plugin", "claude")
        ]
    return tuple(found)


def project_folders(root: Path) -> tuple[tuple[str, Path], ...]:
    """Where each agent looks for the skills of a repository."""
    return (
        ("claude", root / ".claude" / "skills"),
        ("codex", root / ".agents" / "skills"),
        ("gemini", root / ".gemini" / "skills"),
        ("opencode", root / ".opencode" / "skills"),
    )


def user_folders() -> tuple[tuple[str, Path], ...]:
    """Where each agent looks for the skills of the person."""
    home = Path.home()
    claude = paths.claude_roots() or [paths.claude_folders()[-1]]
    return (
        *(("claude", root / "skills") for root in claude),
        ("codex", home / ".agents" / "skills"),
        ("codex", paths.codex_root() / "skills"),
        ("gemini", paths.gemini_root() / "skills"),
        ("opencode", paths.opencode_config() / "skills"),
    )


def skill_at(path: Path) -> tuple[SkillDocument, frozenset[str], dict[str, str]]:
    """A skill by its folder or file: itself, the files below its folder, the text of those. Raises `OSError`."""
    file = path / "SKILL.md" if path.is_dir() else path
    folder = file.absolute().parent
    text = read_regular(file, LARGEST).decode("utf-8", "replace")
    document = parse_skill(text, folder.name if file.name == "SKILL.md" else file.stem)
    if file.name != "SKILL.md":
        return document, frozenset(), {}
    names = frozenset(_below(folder))
    others: dict[str, str] = {}
    for name in sorted(names):
        if name.endswith(".md") and name != "SKILL.md":
            try:
                others[name] = read_regular(folder / name, LARGEST).decode("utf-8", "replace")
            except OSError:
                continue
    return document, names, others


def skill_folders(path: Path) -> tuple[Path, ...]:
    """The skills that a path stands for: itself, or those in it, at most four levels down."""
    if path.is_file() or (path / "SKILL.md").is_file():
        return (path,)
    found: list[Path] = []
    for place, folders, files in os.walk(path):
        folders.sort()
        if len(Path(place).relative_to(path).parts) >= _DEEPEST:
            folders.clear()
        folders[:] = [name for name in folders if name not in (".git", "node_modules")]
        if "SKILL.md" in files:
            found.append(Path(place))
            folders.clear()
        if len(found) >= MOST:
            break
    return tuple(sorted(found))


def _below(folder: Path) -> Iterator[str]:
    count = 0
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in (".git", "node_modules", "__pycache__"))
        for name in sorted(files):
            count += 1
            if count > MOST:
                return
            yield (Path(place) / name).relative_to(folder).as_posix()


def _of_folder(folder: Path, origin: Origin, agent: str) -> list[SkillFile]:
    found: list[SkillFile] = []
    try:
        entries = sorted(folder.iterdir())[:MOST]
    except OSError:
        return []
    for entry in entries:
        try:
            text = read_regular(entry / "SKILL.md", LARGEST).decode("utf-8", "replace")
        except OSError:
            continue
        document = parse_skill(text, entry.name)
        found.append(
            SkillFile(
                plain_text(entry.name, 80),
                origin,
                agent,
                plain_text(entry / "SKILL.md", 300),
                plain_text(document.words("description"), 1600),
                text,
                document.tokens,
            )
        )
    return found


def skill_text(name: str, root: Path | None) -> str:
    """The text of a skill or slash command by its name, what is installed before the catalogue; empty: not here."""
    there = next((one.text for one in installed_skills(root) if one.name == name), "")
    return there or catalogue().get(name, "") or slash_commands().get(name, "")

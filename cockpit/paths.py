"""Where things lie: cockpit's own state, its configuration, the agents' data roots."""

import os
from pathlib import Path


def state_dir() -> Path:
    """Cockpit's own state folder: `COCKPIT_STATE_DIR`, else the platform's. It may not exist yet."""
    chosen = os.environ.get("COCKPIT_STATE_DIR")
    if chosen:
        return Path(chosen).expanduser()
    if os.uname().sysname == "Linux":  # as platformdirs says, without its import, which a git hook feels
        return _xdg("XDG_STATE_HOME", ".local/state") / "cockpit"
    import platformdirs

    return Path(platformdirs.user_state_dir("cockpit", appauthor=False))


def tour_file() -> Path:
    """The file that says that the tour was shown."""
    return state_dir() / "tour-shown"


def user_config_file() -> Path:
    """The user's own configuration, `config.toml` in `COCKPIT_CONFIG_DIR` or the platform's configuration folder."""
    chosen = os.environ.get("COCKPIT_CONFIG_DIR")
    if chosen:
        return Path(chosen).expanduser() / "config.toml"
    if os.uname().sysname == "Linux":
        return _xdg("XDG_CONFIG_HOME", ".config") / "cockpit" / "config.toml"
    import platformdirs

    return Path(platformdirs.user_config_dir("cockpit", appauthor=False)) / "config.toml"


def _xdg(name: str, default: str) -> Path:
    chosen = os.environ.get(name, "").strip()
    return Path(chosen) if chosen else Path.home() / default


def claude_folders() -> list[Path]:
    """Claude Code's data roots, there or not: each entry of `CLAUDE_CONFIG_DIR`, else the two default folders."""
    chosen = os.environ.get("CLAUDE_CONFIG_DIR", "")
    entries = [entry.strip() for entry in chosen.split(",") if entry.strip()]
    folders = [Path(entry).expanduser() for entry in entries] or [
        Path.home() / ".config" / "claude",
        Path.home() / ".claude",
    ]
    seen: dict[str, Path] = {}
    for folder in folders:
        seen.setdefault(os.path.realpath(folder), folder)
    return list(seen.values())


def claude_roots() -> list[Path]:
    """Claude Code's data roots that exist."""
    return [folder for folder in claude_folders() if folder.is_dir()]


def codex_root() -> Path:
    """Codex CLI's data root: `CODEX_HOME`, else `~/.codex`. It may not exist."""
    chosen = os.environ.get("CODEX_HOME", "").strip()
    return Path(chosen).expanduser() if chosen else Path.home() / ".codex"


def gemini_root() -> Path:
    """Gemini CLI's data root, `~/.gemini`. It may not exist."""
    return Path.home() / ".gemini"


def opencode_root() -> Path:
    """OpenCode's data root: `opencode` in `XDG_DATA_HOME`, else in `~/.local/share`. It may not exist."""
    chosen = os.environ.get("XDG_DATA_HOME", "").strip()
    return (Path(chosen).expanduser() if chosen else Path.home() / ".local" / "share") / "opencode"


def agents_were_here() -> bool:
    """Whether any agent has left data; without it there is no session to read. Claude Code's folder alone says nothing:
    the worktree registry and the backups of the context lie there too."""
    places = [folder / name for folder in claude_folders() for name in ("projects", "sessions")]
    return any(place.is_dir() for place in (*places, codex_root(), gemini_root(), opencode_root()))


def opencode_config() -> Path:
    """OpenCode's configuration folder: `opencode` in `XDG_CONFIG_HOME`, else in `~/.config`. It may not exist."""
    return _xdg("XDG_CONFIG_HOME", ".config") / "opencode"

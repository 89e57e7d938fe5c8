"""What was found but could not be counted: transcripts that cannot be read, agents that have no reader yet."""

import os
from pathlib import Path

from cockpit.agents.claude_usage import ClaudeUsage
from cockpit.plain_text import plain_text


def unread(usage: ClaudeUsage) -> tuple[str, ...]:
    """One sentence for each source whose usage is missing from the sums."""
    found: list[str] = []
    if usage.unreadable:
        path, why = min(usage.unreadable.items())
        more = f" and {len(usage.unreadable) - 1} more" if len(usage.unreadable) > 1 else ""
        found.append(plain_text(f"claude: {path}{more} cannot be read ({why})", 300))
    too_long = sum(transcript.tail.too_long for transcript in usage.files.values())
    if too_long:
        found.append(f"claude: {too_long} line{'s' * (too_long > 1)} too long to read")
    found += [
        f"{agent}: its sessions are not read yet ({plain_text(folder, 200)})"
        for agent, folder in _others()
        if folder.is_dir()
    ]
    return tuple(found)


def _others() -> list[tuple[str, Path]]:
    home = Path.home()
    codex = os.environ.get("CODEX_HOME")
    return [
        ("codex", (Path(codex).expanduser() if codex else home / ".codex") / "sessions"),
        ("gemini", home / ".gemini" / "tmp"),
        ("opencode", home / ".local" / "share" / "opencode"),
    ]

"""The readers of all agents, at the data roots that the environment names."""

from cockpit import paths
from cockpit.agents.claude_usage import ClaudeReader
from cockpit.agents.codex import CodexReader
from cockpit.agents.gemini import GeminiReader
from cockpit.agents.opencode import OpenCodeReader
from cockpit.agents.source import Reader


def all_readers() -> list[Reader]:
    """One reader for each agent; its folders need not exist."""
    return [
        ClaudeReader(paths.claude_folders()),
        CodexReader([paths.codex_root()]),
        GeminiReader([paths.gemini_root()]),
        OpenCodeReader([paths.opencode_root()]),
    ]

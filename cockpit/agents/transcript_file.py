"""What every file of a session can do: tell what is new, and tell one line again."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

from cockpit.agents.models import Agent
from cockpit.agents.told import Telling, Told
from cockpit.agents.transcript_models import Place


class TranscriptFile(ABC):
    """One file. `restarted` is True where the last read began anew, so that what was told before no longer holds."""

    restarted = False
    _telling: Telling

    def __init__(self, path: Path, agent: Agent, session: str, label: str) -> None:
        self.path, self.agent, self.session, self.label = path, agent, session, label

    @property
    def key(self) -> str:
        """What tells this file from the others of the session."""
        return str(self.path)

    @abstractmethod
    def changed(self) -> bool:
        """Whether there is something new. Raises `OSError`."""

    @abstractmethod
    def read(self) -> Iterator[tuple[Place, list[Told]]]:
        """What is new, line by line; an empty list with a size where a line is too long. Raises `OSError`."""

    def raw(self, place: Place) -> bytes:
        """The line at a place as it is now; empty where it is gone or too long. Raises `OSError`."""
        return b""

    def again(self, place: Place) -> list[Told]:
        """What a line tells, read anew. Raises `OSError`."""
        for found, told in self.fresh().read():
            if found.line == place.line:
                return told
        return []

    @abstractmethod
    def fresh(self) -> "TranscriptFile":
        """The same file, unread."""

    @property
    def unread(self) -> int:
        """Lines that could not be read."""
        return self._telling.unread

    @property
    def unknown(self) -> int:
        """Lines of a kind that is not known."""
        return self._telling.unknown

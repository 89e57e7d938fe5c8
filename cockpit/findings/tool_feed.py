"""Other tools in the live feed: those of a save after each save, the others when a key asks for them."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cockpit.errors import CannotAnswer
from cockpit.findings.discovery import FileMark
from cockpit.findings.once import asked_unasked
from cockpit.findings.parts import OutsideAnswer
from cockpit.findings.project import Project
from cockpit.findings.tools import Tool, ToolRun, known_tools, used_tools
from cockpit.stream import came
from cockpit.trust import read_trust
from skills.gates.model import Check
from skills.record import record

_OWN_SECONDS = 1.0
"""What changes so soon after tools began or ended may be their own doing."""
_MOST_IN_A_ROW = 4
_LONGEST_PAUSE = 60.0


@record
class _Said:
    """What a tool answered, and the files in scope when it began."""

    tool: Tool
    answer: OutsideAnswer
    files: dict[str, FileMark]


@record
class _Run:
    """What runs: the tools, what ends their waiting, and the task that they run in."""

    tools: ToolRun
    outdated: asyncio.Event
    task: "asyncio.Task[None]"

    def cancel(self) -> None:
        self.tools.cancel()
        self.outdated.set()


class ToolKey:
    """The door for a key: `ask` makes the feed run tools, whatever it is doing; `told` is called with what each came to
    when all have ended. Belongs to the event loop. What tools said outlives the feed, by the root and their name: one
    that begins anew has not asked them."""

    def __init__(self, told: Callable[[Sequence[Check]], None] = lambda checks: None) -> None:
        self.told = told
        self._listener: Callable[[tuple[str, ...]], None] | None = None
        self.said: dict[tuple[Path, str], _Said] = {}

    def ask(self, names: tuple[str, ...] = ()) -> bool:
        """Run these tools, or all that the project uses. Answers whether a feed listens."""
        if self._listener is None:
            return False
        self._listener(names)
        return True

    def connect(self, listener: Callable[[tuple[str, ...]], None]) -> None:
        """Who is told from now on."""
        self._listener = listener

    def disconnect(self, listener: Callable[[tuple[str, ...]], None]) -> None:
        """This one is told no more; another that took its place meanwhile stays."""
        if self._listener == listener:
            self._listener = None


class ToolFeed:
    """Runs the tools of one project beside its feed. `news` is set whenever there is something to show; `key` keeps
    what they said."""

    def __init__(self, project: Project, common_dir: Path | None, key: ToolKey | None = None) -> None:
        self.project = project
        self.common_dir = common_dir
        self.key = key or ToolKey()
        self.news = asyncio.Event()
        self._runs: dict[str, _Run] = {}
        self._in_a_row = 0
        self._last = -_OWN_SECONDS

    def recall(self, files: Mapping[str, FileMark]) -> None:
        """Take over what the tools said to a feed before this one; it is outdated where `files` are others since."""
        known = known_tools(self.project.config)
        for (root, name), said in self.key.said.items():
            if root == self.project.root and known.get(name) == said.tool:
                self.project.tool_answers[name] = said.answer
                self.project.told_at[name] = self.project.saves - (said.files != files)

    def saved(self) -> None:
        """Files are others than before: the tools of a save run anew; what they would say is dropped."""
        tools = [
            tool for tool in known_tools(self.project.config).values() if asked_unasked(tool, self.project, ("save",))
        ]
        if tools:
            self._start("save", tools, self._pause())

    def asked(self, names: tuple[str, ...]) -> None:
        """A key was pressed: run these tools, or all that the project uses. Unknown names are passed over."""
        known = known_tools(self.project.config)
        dependencies = self.project.manifests.evidence.dependencies
        tools = (
            [known[name] for name in names if name in known] if names else used_tools(self.project.config, dependencies)
        )
        self._start("key", tools)

    async def close(self) -> None:
        """End what runs."""
        for run in self._runs.values():
            run.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(run.task)

    def _pause(self) -> float:
        """Seconds that the tools of a save wait: none, but where files changed each time they had just run, as they do
        where a tool writes into the tree and would run for ever."""
        own = time.monotonic() - self._last < _OWN_SECONDS
        self._in_a_row = self._in_a_row + 1 if own else 0
        return min(2.0 ** (self._in_a_row - _MOST_IN_A_ROW), _LONGEST_PAUSE) if self._in_a_row > _MOST_IN_A_ROW else 0.0

    def _start(self, kind: str, tools: list[Tool], pause: float = 0.0) -> None:
        before = self._runs.get(kind)
        if before is not None:
            before.cancel()
        try:
            trust = read_trust(self.project.root, self.common_dir)
        except CannotAnswer:
            return  # a configuration in the middle of a change: the next save asks again
        run = ToolRun(self.project.root, trust, self.project.manifests.evidence.dependencies)
        outdated = asyncio.Event()
        doing = self._run(run, tools, None if before is None else before.task, outdated, pause, by_key=kind == "key")
        self._runs[kind] = _Run(run, outdated, asyncio.create_task(doing))

    async def _run(
        self,
        run: ToolRun,
        tools: list[Tool],
        before: "asyncio.Task[None] | None",
        outdated: asyncio.Event,
        pause: float,
        *,
        by_key: bool,
    ) -> None:
        if before is not None:
            await asyncio.wait({before})
        if pause:
            names = ", ".join(tool.name for tool in tools)
            self.project.waiting = f"{names}: again in {pause:g} s, as files change whenever it runs"
            self.news.set()
            await came(outdated, pause)
            self.project.waiting = ""
        self._last = time.monotonic()
        answers: list[Check] = []
        for tool in tools:
            if run.cancelled:
                break
            self.project.running = tool.name
            self.news.set()
            files = dict(self.project.scope.files)
            try:
                await asyncio.to_thread(self.project.ask_tools, [tool], run)
            finally:
                self.project.running = ""
            answer = self.project.tool_answers.get(tool.name)
            if answer is not None and not run.cancelled:
                self.key.said[self.project.root, tool.name] = _Said(tool, answer, files)
                self._last = time.monotonic()
                answers.append(answer.check)
            self.news.set()
        if by_key and not run.cancelled:
            self.key.told(answers)

"""Other tools in the live feed: those of a save after each save, the others when a key asks for them."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

from cockpit.errors import CannotAnswer
from cockpit.findings.once import asked_unasked
from cockpit.findings.project import Project
from cockpit.findings.tools import Tool, ToolRun, known_tools, used_tools
from cockpit.trust import read_trust


class ToolKey:
    """The door for a key: `ask` makes the feed run tools, whatever it is doing. Belongs to the event loop."""

    def __init__(self) -> None:
        self._listener: Callable[[tuple[str, ...]], None] | None = None

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
    """Runs the tools of one project beside its feed. `news` is set whenever there is something to show."""

    def __init__(self, project: Project, common_dir: Path | None) -> None:
        self.project = project
        self.common_dir = common_dir
        self.news = asyncio.Event()
        self._runs: dict[str, tuple[ToolRun, asyncio.Task[None]]] = {}

    def saved(self) -> None:
        """Files are others than before: the tools of a save run anew; what they would say is dropped."""
        tools = [
            tool for tool in known_tools(self.project.config).values() if asked_unasked(tool, self.project, ("save",))
        ]
        if tools:
            self._start("save", tools)

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
        for run, task in self._runs.values():
            run.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(task)

    def _start(self, kind: str, tools: list[Tool]) -> None:
        before = self._runs.get(kind)
        if before is not None:
            before[0].cancel()
        try:
            trust = read_trust(self.project.root, self.common_dir)
        except CannotAnswer:
            return  # a configuration in the middle of a change: the next save asks again
        run = ToolRun(self.project.root, trust, self.project.manifests.evidence.dependencies)
        task = asyncio.create_task(self._run(run, tools, None if before is None else before[1]))
        self._runs[kind] = (run, task)

    async def _run(self, run: ToolRun, tools: list[Tool], before: "asyncio.Task[None] | None") -> None:
        if before is not None:
            await asyncio.wait({before})
        for tool in tools:
            if run.cancelled:
                break
            self.project.running = tool.name
            self.news.set()
            try:
                await asyncio.to_thread(self.project.ask_tools, [tool], run)
            finally:
                self.project.running = ""
            self.news.set()

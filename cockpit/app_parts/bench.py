"""What the keys do about the workbench: its processes are read in a thread, begun and abandoned after a question."""

import asyncio
from typing import TYPE_CHECKING

from cockpit.actions import BY_ID, keys_of
from cockpit.app_parts.deeds import Deeds
from cockpit.errors import CannotAnswer
from cockpit.plain_text import plain_text
from cockpit.repository import find_repository
from skills.counted import counted
from widgets.lines import line, pad
from widgets.screens.ask import AskScreen
from widgets.screens.confirm import ConfirmScreen
from widgets.screens.pick import PickScreen
from widgets.screens.report import ReportScreen, report_room

if TYPE_CHECKING:
    from skills.workflow.bench import Process
    from widgets.screens.bench import BenchScreen

_QUESTIONS = {
    "research": ("What is looked into?", "a technology, a provider, a decision: RESEARCH.md is begun"),
    "feature": ("What is the feature called?", "BRIEF.md and .claude/CONTRACT.md are begun"),
    "debug": ("What is wrong?", "the exact error in a few words; evidence comes next"),
}


class BenchDeeds(Deeds):
    """The workbench of the worktree that is watched."""

    def do_bench(self) -> None:
        """Open the workbench."""
        from widgets.screens.bench import BenchScreen

        self.push_screen(BenchScreen(self.watched.name, keys_of(BY_ID["bench"], self.settings.keys)))

    def on_bench_screen_wanted(self, message: "BenchScreen.Wanted") -> None:
        self.run_worker(self._read_bench(message.screen), group="bench", exclusive=True, exit_on_error=False)

    async def _read_bench(self, screen: "BenchScreen") -> None:
        from cockpit.bench.overview import processes

        try:
            screen.show(await asyncio.to_thread(lambda: processes(find_repository(self.watched))))
        except (CannotAnswer, OSError) as problem:
            screen.fail(str(problem))

    def on_bench_screen_chosen(self, message: "BenchScreen.Chosen") -> None:
        if message.deed == "abandon":
            self.run_worker(self._abandon(message.screen, message.process), exit_on_error=False)
            return
        from widgets.screens.bench import detail_lines

        one = message.process
        rows = detail_lines(one, report_room(self.size.width))
        self.push_screen(ReportScreen(f"{one.kind} · {plain_text(one.title, 80)}", rows))

    async def _abandon(self, screen: "BenchScreen", one: "Process") -> None:
        from cockpit.bench.overview import abandon

        if one.state != "open":
            self.tell(f"{one.title} is {one.state} already")
            return
        rows = [
            line((plain_text(one.title, 200), "strong")),
            line(("Its record and its files stay; nothing of the work is undone.", "muted")),
        ]
        if not await self.push_screen_wait(
            ConfirmScreen(f"Abandon this {one.kind}?", rows, hint="{yes} abandon it · {no} leave")
        ):
            return
        try:
            await asyncio.to_thread(lambda: abandon(find_repository(self.watched), one))
        except (CannotAnswer, OSError) as problem:
            self.tell(problem, bad=True)
            return
        self.tell(f"{one.title} is abandoned")
        await self._read_bench(screen)

    def on_bench_screen_begin(self, message: "BenchScreen.Begin") -> None:
        self.run_worker(self._begin(message.screen), exit_on_error=False)

    async def _begin(self, screen: "BenchScreen") -> None:
        from skills.workflow.bench import KINDS

        rows = [(kind, line((pad(kind, 10), "text"), (about, "muted"))) for kind, about in KINDS]
        kind = await self.push_screen_wait(PickScreen("Begin", rows, hint="{pick} begins it · {close} leave", empty=""))
        if kind == "rollback":
            await self._rollback_plan()
        elif kind == "playbook":
            from skills.workflow.playbooks import PLAYBOOKS

            books = [(book.name, line((pad(book.name, 15), "text"), (book.when, "muted"))) for book in PLAYBOOKS]
            picked = PickScreen("Playbook", books, hint="{pick} begins it · {close} leave", empty="")
            if name := await self.push_screen_wait(picked):
                await self._made(screen, kind, name)
        elif kind:
            question, note = _QUESTIONS[kind]
            title = await self.push_screen_wait(AskScreen(question, note=note))
            if title and title.strip():
                await self._made(screen, kind, title.strip())

    async def _made(self, screen: "BenchScreen", kind: str, title: str) -> None:
        from cockpit.bench.overview import begin

        try:
            said = await asyncio.to_thread(lambda: begin(find_repository(self.watched), kind, title))
        except (CannotAnswer, OSError) as problem:
            self.tell(problem, bad=True)
            return
        self.tell(said)
        await self._read_bench(screen)

    async def _rollback_plan(self) -> None:
        """What going back to the last commit known to be good would undo; nothing is run from here."""
        from cockpit.bench.rollback import plan_rollback

        try:
            plan = await asyncio.to_thread(lambda: plan_rollback(find_repository(self.watched), "revert", None))
        except (CannotAnswer, OSError) as problem:
            self.tell(problem, bad=True)
            return
        rows = [line((f"back to {plan.target[:9]}: {counted(len(plan.files), 'file')}", "strong"))]
        if plan.refusal:
            rows.append(line(("✖ ", "bad"), (plain_text(plan.refusal, 200), "text")))
        rows += [(), *(line(("  − ", "bad"), (plain_text(text, 160), "text")) for text in plan.undone)]
        rows += [(), line(("$ ", "faint"), (f"cockpit rollback run revert --to {plan.target[:9]}", "info"))]
        self.push_screen(ReportScreen("Rollback · what it would undo", rows))

"""What the keys do to worktrees: new, merge, remove, undo, clean, adopt, forecast, open. Each says first what it will
do, and what it did can be taken back.
"""

import asyncio
import os
import shutil
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rich.cells import cell_len
from textual.app import SuspendNotSupported

from cockpit import clock
from cockpit.agents.models import AGENT_NAMES
from cockpit.app_parts.deeds import Deeds
from cockpit.app_parts.editor import run_here, start_apart
from cockpit.editor import folder_command
from cockpit.errors import CannotAnswer
from cockpit.plain_text import plain_text
from cockpit.worktrees.models import Worktree
from widgets.lines import Line, crop_path, line, pad
from widgets.screens.ask import AskScreen
from widgets.screens.confirm import ConfirmScreen
from widgets.screens.pick import PickScreen
from widgets.screens.report import ReportScreen, report_room
from widgets.screens.steps import StepsScreen
from widgets.worktrees_pane import head_of

if TYPE_CHECKING:
    from cockpit.programs import Programs
    from cockpit.spend.models import SpendRow

Answer = TypeVar("Answer")
Job = Callable[[Callable[[str], None]], Answer]

_SHOWN_AFTER = 0.6  # seconds until work shows its steps


class WorktreeDeeds(Deeds):
    """The actions of the worktrees pane. Git and files are in threads; the event loop never waits for them."""

    _stoppable: "tuple[StepsScreen, Programs] | None" = None

    # -- new --

    def do_new_worktree(self) -> None:
        """Ask for the branch, show what will be made, make it."""
        note = "a new branch from the base, or one that exists; folder, ports and files are shown first"
        self.push_screen(AskScreen("Branch of the new worktree", note=note), self._new_asked)

    def _new_asked(self, branch: str | None) -> None:
        if branch and branch.strip():
            self.run_worker(self._new(branch.strip()), exit_on_error=False)

    async def _new(self, branch: str) -> None:
        from cockpit.app_parts.worktree_lines import new_lines, short_path
        from cockpit.programs import Programs
        from cockpit.worktrees.new import make_new, plan_new

        plan = await self._work("New worktree", lambda _: plan_new(self.repository, self.settings, branch))
        if plan is None:
            return
        screen = ConfirmScreen(f"New worktree {plan.branch}", new_lines(plan), hint="{yes} make it · {no} leave")
        if not await self.push_screen_wait(screen):
            return
        programs = Programs()

        def make(tell: Callable[[str], None]) -> "object":
            return make_new(self.repository, self.settings, branch, tell=tell, programs=programs)

        made = await self._work(f"New worktree {plan.branch}", make, programs)
        if made is not None:
            self.tell(
                f"{plan.branch} is ready in {short_path(plan.path)} · {self.labels['open-worktree']} opens it, "
                f"{self.labels['remove-worktree']} removes it"
            )
            self.worktrees_pane.want(str(plan.path))

    # -- merge --

    def do_merge_worktree(self) -> None:
        tree = self.worktrees_pane.current
        if tree is not None:
            self.open_once(partial(self._merge, tree), "merge", tree.path)

    async def _merge(self, tree: Worktree) -> None:
        from cockpit.app_parts.worktree_lines import conflict_lines, merge_lines
        from cockpit.worktrees.merge import merge_worktree, plan_merge

        name = head_of(tree)
        plan = await self._work(f"Merge {name}", lambda _: plan_merge(self.repository, self.settings, tree.path))
        if plan is None:
            return
        if plan.refusal or plan.nothing:
            why = plan.refusal or f"all of it is in {plan.into if plan.old else plan.base} already"
            self.tell(f"{name} is not merged: {why}", bad=bool(plan.refusal))
            return
        if plan.conflicts:
            self.push_screen(
                ReportScreen(f"{name} is not merged", conflict_lines(plan), hint="{close} close", compact=True)
            )
            return
        screen = ConfirmScreen(f"Merge {name}", self.with_labels(merge_lines(plan)), hint="{yes} merge · {no} leave")
        if await self.push_screen_wait(screen):
            job: Job[object] = lambda _: merge_worktree(self.repository, self.settings, tree.path)  # noqa: E731
            if await self._work(f"Merge {name}", job) is not None:
                self.tell(f"{name} is merged into {plan.into} · {self.labels['undo-worktree']} takes it back")

    # -- remove and undo --

    def do_remove_worktree(self) -> None:
        tree = self.worktrees_pane.current
        if tree is not None:
            self.open_once(partial(self._remove, tree), "remove", tree.path)

    async def _remove(self, tree: Worktree) -> None:
        from cockpit.app_parts.worktree_lines import removal_lines
        from cockpit.worktrees.remove import plan_removal, remove_worktree

        name = head_of(tree)
        plan = await self._work(f"Remove {name}", lambda _: plan_removal(self.repository, self.settings, tree.path))
        if plan is None:
            return
        if plan.forbidden:
            self.tell(f"{name} is not removed: {plan.forbidden}", bad=True)
            return
        hint = "{yes} remove · {no} leave" if plan.safe else "{yes} remove all the same · {no} leave"
        if not await self.push_screen_wait(
            ConfirmScreen(f"Remove {name}", self.with_labels(removal_lines(plan)), hint=hint)
        ):
            return
        force = not plan.safe
        job: Job[object] = lambda _: remove_worktree(self.repository, self.settings, tree.path, force=force)  # noqa: E731
        if await self._work(f"Remove {name}", job) is not None:
            self.tell(f"{name} is in the trash · {self.labels['undo-worktree']} brings it back", about="trash")

    def do_undo_worktree(self) -> None:
        """Pick the removal or merge to take back."""
        self.open_once(self._undo, "undo")

    async def _undo(self) -> None:
        from cockpit.app_parts.worktree_lines import undo_rows
        from cockpit.worktrees.merge import read_merges
        from cockpit.worktrees.trash import read_trash
        from cockpit.worktrees.undo import undo_last

        common = self.repository.common_dir
        trash = await asyncio.to_thread(read_trash, common)
        merges = await asyncio.to_thread(read_merges, common)
        rows = undo_rows(trash, merges, clock.now())
        empty = "Nothing was removed or merged here: there is nothing to take back."
        screen = PickScreen("Take back", rows, hint="{pick} takes it back · {close} leave", empty=empty)
        key = await self.push_screen_wait(screen)
        if key is None:
            return
        done = await self._work("Take back", lambda _: undo_last(self.repository, key))
        if done is not None:
            thing = done.removal
            said = f"{thing.branch or thing.name} is back" if thing else f"{key} is as it was before the merge"
            self.tell(" · ".join((said, *done.notes)), about="trash")
            if thing:
                self.worktrees_pane.want(thing.path)

    # -- all of them --

    def do_clean_worktrees(self) -> None:
        """Show what can go, then let it go."""
        self.open_once(self._clean, "clean")

    async def _clean(self) -> None:
        from cockpit.app_parts.worktree_lines import clean_lines
        from cockpit.worktrees.tidy import clean, plan_clean

        plan = await self._work("Clean", lambda _: plan_clean(self.repository, self.settings))
        if plan is None:
            return
        rows = self.with_labels(clean_lines(plan))
        if not (plan.remove or plan.forget):
            self.push_screen(ReportScreen("Clean: nothing can go", rows, hint="{close} close", compact=True))
            return
        title = f"Clean: {len(plan.remove)} of {len(plan.remove) + len(plan.keep)} can go"
        if await self.push_screen_wait(ConfirmScreen(title, rows, hint="{yes} do it · {no} leave")):
            done = await self._work("Clean", lambda _: clean(self.repository, self.settings))
            if done is not None:
                kept = f" · {done.kept[0][0]} stays: {done.kept[0][1]}" if done.kept else ""
                self.tell(f"{len(done.removed)} removed · {self.labels['undo-worktree']} brings them back{kept}")

    def do_adopt_worktree(self) -> None:
        """Pick a worktree that the registry does not know."""
        self.open_once(self._adopt, "adopt")

    async def _adopt(self) -> None:
        from cockpit.app_parts.worktree_lines import short_path
        from cockpit.worktrees.tidy import adopt, unregistered

        found = await self._work("Adopt", lambda _: unregistered(self.repository, self.settings))
        if found is None:
            return
        room = report_room(self.size.width)
        names = {place.path: plain_text(place.label) for place in found}
        size = min(32, room // 2, max((cell_len(name) for name in names.values()), default=0))
        rows = [
            (path, line((pad(name, size) + "  ", "text"), (crop_path(short_path(path), room - size - 2), "muted")))
            for path, name in names.items()
        ]
        empty = "Every worktree is in the registry."
        screen = PickScreen("Adopt into the registry", rows, hint="{pick} adopts it · {close} leave", empty=empty)
        path = await self.push_screen_wait(screen)
        if path is not None:
            done = await self._work("Adopt", lambda _: adopt(self.repository, self.settings, path))
            if done is not None:
                entry, _ = done
                ports = f"ports {entry['ports'][0]}–{entry['ports'][-1]}" if entry["ports"] else "no ports"
                self.tell(f"{entry['branch'] or path} is in the registry, {ports}")

    def do_forecast(self) -> None:
        """With what each worktree would be in conflict: what the pane knows already."""
        from cockpit.app_parts.worktree_lines import forecast_lines

        self.push_screen(
            ReportScreen(
                "Forecast of conflicts", forecast_lines(self.trees.worktrees), hint="{close} close", compact=True
            )
        )

    def do_worktree_detail(self) -> None:
        tree = self.worktrees_pane.current
        if tree is not None:
            self.open_once(partial(self._detail, tree), "detail", tree.path)

    async def _detail(self, tree: Worktree) -> None:
        from cockpit.app_parts.worktree_lines import detail_lines
        from cockpit.worktrees.progress import read_progress

        progress = await asyncio.to_thread(read_progress, [tree], self.sessions)
        costs = await asyncio.to_thread(self._commit_costs, tree)
        rows = detail_lines(tree, progress[tree.path], clock.now(), report_room(self.size.width), costs)
        self.push_screen(ReportScreen(head_of(tree), rows, hint="{close} close", compact=True))

    def _commit_costs(self, tree: Worktree) -> "list[SpendRow]":
        """What the commits made there cost; nothing where that cannot be told."""
        from cockpit.repository import find_repository
        from cockpit.spend.commits import commit_costs
        from cockpit.spend.opened import open_ledger

        try:
            with closing(open_ledger()) as ledger:
                ledger.read()
                return commit_costs(ledger, find_repository(Path(tree.path)), tree.path)
        except (CannotAnswer, OSError):
            return []

    # -- open --

    def do_open_worktree(self) -> None:
        """Pick what to open there: a shell, the editor, an agent that is installed."""
        tree = self.worktrees_pane.current
        if tree is None or tree.missing:
            return
        where = "in a new tmux window" if os.environ.get("TMUX") else "here; cockpit comes back when it ends"
        rows: list[tuple[str, Line]] = [("shell", line((pad("shell", 12), "text"), (where, "muted")))]
        rows.append(("editor", line((pad("editor", 12), "text"), ("$VISUAL or $EDITOR", "muted"))))
        rows += [(name, line((pad(name, 12), "text"), (where, "muted"))) for name in AGENT_NAMES if shutil.which(name)]
        screen = PickScreen(f"Open {head_of(tree)} in", rows, hint="{pick} opens it · {close} leave", empty="")
        self.push_screen(screen, partial(self._open_in, Path(tree.path)))

    def _open_in(self, folder: Path, what: str | None) -> None:
        if what is None:
            return
        windowed = False
        words: tuple[str, ...] = (os.environ.get("SHELL") or "/bin/sh",) if what == "shell" else (what,)
        try:
            if what == "editor":
                command = folder_command(folder, self.settings.editor)
                words, windowed = command.words, command.windowed
            if windowed:
                start_apart(words, folder)
            elif os.environ.get("TMUX") and shutil.which("tmux"):
                start_apart(("tmux", "new-window", "-c", str(folder), *(() if what == "shell" else words)), folder)
            else:
                failure = ""
                with self.suspend():
                    failure = run_here(words, folder)
                if failure:
                    self.tell(failure, bad=True)
        except SuspendNotSupported:
            self.tell("Nothing can be opened from here: this is not a terminal of its own.", bad=True)
        except (CannotAnswer, OSError) as problem:
            self.tell(problem, bad=True)

    # -- work --

    async def _work(self, title: str, job: "Job[Answer]", programs: "Programs | None" = None) -> "Answer | None":
        """Run `job` in a thread; what takes longer than a moment shows its steps. None where it was not done: then a
        notice says why.
        """
        from cockpit.worktrees.refused import Refused

        loop, steps = asyncio.get_running_loop(), ["looking"]
        hint = "{close} stops it" if programs is not None else "it comes to its end by itself"
        screen = StepsScreen(title, steps, hint=hint)

        def step(what: str) -> None:
            steps.append(what)
            screen.show(steps)

        def tell(what: str) -> None:
            loop.call_soon_threadsafe(step, what)

        task = asyncio.create_task(asyncio.to_thread(job, tell))
        shown = False
        try:
            if not (await asyncio.wait({task}, timeout=_SHOWN_AFTER))[0]:
                shown = True
                self._stoppable = (screen, programs) if programs is not None else None
                await self.push_screen(screen)
            return await task
        except Refused as problem:
            self.tell(problem.why, bad=True)
        except (CannotAnswer, OSError) as problem:
            self.tell(problem, bad=True)
        finally:
            self._stoppable = None
            if shown and screen in self.screen_stack:
                screen.pop_until_active()  # what was opened over it meanwhile goes first
                await screen.dismiss()
        return None

    def on_steps_screen_stop(self, message: StepsScreen.Stop) -> None:
        """Stop what can be stopped; what cannot comes to its end."""
        if self._stoppable is not None and self._stoppable[0] is message.screen:
            self._stoppable[1].cancel()

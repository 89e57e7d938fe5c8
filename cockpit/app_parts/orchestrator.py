"""What the keys do about the work with agents: the skills screen."""

import asyncio
from typing import TYPE_CHECKING

from cockpit import clock
from cockpit.actions import BY_ID, keys_of
from cockpit.app_parts.deeds import Deeds
from cockpit.errors import CannotAnswer
from widgets.lines import Line, line
from widgets.screens.confirm import ConfirmScreen, diff_lines
from widgets.screens.report import ReportScreen, markdown_lines

if TYPE_CHECKING:
    from cockpit.catalogue.models import Step
    from widgets.screens.skills import SkillsScreen


class OrchestratorDeeds(Deeds):
    """Screens about prompts, routes and skills; what they show is read or computed off the event loop."""

    def do_skills(self) -> None:
        """The skills screen; its rows are read when it asks for them."""
        from widgets.screens.skills import SkillsScreen

        self.push_screen(SkillsScreen(keys_of(BY_ID["skills"], self.settings.keys)))

    def on_skills_screen_wanted(self, message: "SkillsScreen.Wanted") -> None:
        """Read the skills and how they were used."""
        self.run_worker(self._read_skills(message.screen), exclusive=True, group="skills", exit_on_error=False)

    async def _read_skills(self, screen: "SkillsScreen") -> None:
        from cockpit.catalogue.report import read_skills

        try:
            screen.show(await asyncio.to_thread(read_skills, self.repository, clock.now()))
        except (CannotAnswer, OSError) as problem:
            screen.fail(str(problem))

    def on_skills_screen_chosen(self, message: "SkillsScreen.Chosen") -> None:
        """Show a skill, or the plan of installing it or of taking it out."""
        work = self._show_skill if message.deed == "show" else self._plan_skill
        self.run_worker(work(message.screen, message.name, message.deed), group="skill", exit_on_error=False)

    async def _show_skill(self, screen: "SkillsScreen", name: str, deed: str) -> None:
        from cockpit.catalogue.files import skill_text

        text = await asyncio.to_thread(skill_text, name, self.repository.root)
        lines = markdown_lines(text) if text else [line(("It is not here any more.", "warn"))]
        await self.push_screen(ReportScreen(name, lines))

    async def _plan_skill(self, screen: "SkillsScreen", name: str, deed: str) -> None:
        from cockpit.catalogue.install import agents_here, apply, plan_install

        def plan() -> "tuple[Step, ...]":
            return plan_install([name], agents_here(), "project", self.repository.root, remove=deed == "remove")

        try:
            steps = await asyncio.to_thread(plan)
        except CannotAnswer as problem:
            self.tell(problem, bad=True)
            return
        if not any(step.deed in ("create", "update", "remove") for step in steps):
            self.tell(" · ".join(dict.fromkeys(f"{step.agent}: {step.why}" for step in steps)) or "Nothing to do.")
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.run_worker(do(), group="skill", exit_on_error=False)

        async def do() -> None:
            try:
                await asyncio.to_thread(apply, steps)
            except CannotAnswer as problem:
                self.tell(problem, bad=True)
            screen.action_again()

        verb = "Take out" if deed == "remove" else "Install"
        self.push_screen(ConfirmScreen(f"{verb} {name} in this repository", _plan_lines(steps)), answered)


def _plan_lines(steps: "tuple[Step, ...]") -> list[Line]:
    """The plan: one line a file, and below what changes in it."""
    tokens = {"create": "good", "update": "info", "remove": "bad", "refuse": "warn"}
    rows: list[Line] = []
    for step in steps:
        token = tokens.get(step.deed, "muted")
        rows.append(
            line((f"{step.deed:<8}", token), (f"{step.agent:<10}", "muted"), step.path, (f"  {step.why}", "muted"))
        )
        if step.diff and step.deed != "remove":
            rows += diff_lines(step.diff)
        elif step.deed == "create" and step.after is not None:
            rows += [(), *markdown_lines(step.after.decode("utf-8", "replace")), ()]
    return rows

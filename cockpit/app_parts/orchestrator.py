"""What the keys do about the work with agents: composer, routing maps, skills."""

import asyncio
from typing import TYPE_CHECKING

from cockpit import clock
from cockpit.actions import BY_ID, keys_of
from cockpit.app_parts.copying import CopyDeeds
from cockpit.errors import CannotAnswer
from widgets.lines import Line, line
from widgets.markdown_lines import markdown_lines
from widgets.screens.confirm import ConfirmScreen, diff_lines
from widgets.screens.report import ReportScreen

if TYPE_CHECKING:
    from cockpit.catalogue.models import Step
    from skills.orchestrator.enhance import ProjectFacts
    from widgets.screens.composer import ComposerScreen
    from widgets.screens.decide import DecideScreen
    from widgets.screens.maps import MapsScreen
    from widgets.screens.skills import SkillsScreen


class OrchestratorDeeds(CopyDeeds):
    """Screens about prompts, routes and skills; what they show is read or computed off the event loop."""

    prompt_draft = ""
    _facts: "ProjectFacts | None" = None

    # -- the prompt composer --

    def do_composer(self) -> None:
        """The prompt composer, with the text that was left in it."""
        from widgets.screens.composer import ComposerScreen

        self._facts = None  # the project may have changed
        self.push_screen(ComposerScreen(keys_of(BY_ID["composer"], self.settings.keys), self.prompt_draft))

    def on_composer_screen_wanted(self, message: "ComposerScreen.Wanted") -> None:
        """Analyse a text; a newer one takes its place."""
        work = self._analyse(message.screen, message.text, message.number)
        self.run_worker(work, exclusive=True, group="composer", exit_on_error=False)

    async def _analyse(self, screen: "ComposerScreen", text: str, number: int) -> None:
        from cockpit.phases.vocabulary import read_project
        from skills.orchestrator.analysis import analyze_prompt

        try:
            if self._facts is None:
                self._facts = await asyncio.to_thread(read_project, self.repository)
            screen.show(await asyncio.to_thread(analyze_prompt, text, self._facts), number, text)
        except (CannotAnswer, OSError) as problem:
            screen.fail(str(problem))

    def on_composer_screen_left(self, message: "ComposerScreen.Left") -> None:
        """Keep the text for the next time."""
        self.prompt_draft = message.text

    def on_composer_screen_copy(self, message: "ComposerScreen.Copy") -> None:
        """Copy the enhanced prompt."""
        self.copy_out(message.text)

    # -- the routing maps --

    def do_maps(self) -> None:
        """The routing maps; they are read when the screen asks for them."""
        from widgets.screens.maps import MapsScreen

        self.push_screen(MapsScreen(keys_of(BY_ID["maps"], self.settings.keys)))

    def on_maps_screen_wanted(self, message: "MapsScreen.Wanted") -> None:
        """Read evidence, agents and their runs."""
        self.run_worker(self._read_maps(message.screen), exclusive=True, group="maps", exit_on_error=False)

    async def _read_maps(self, screen: "MapsScreen") -> None:
        from cockpit.agents.maps import read_maps

        try:
            screen.show(await asyncio.to_thread(read_maps, self.repository, clock.now()))
        except (CannotAnswer, OSError) as problem:
            screen.fail(str(problem))

    def on_maps_screen_asked(self, message: "MapsScreen.Asked") -> None:
        """Route a task; a newer one takes its place."""

        async def route() -> None:
            from cockpit.agents.maps import route_in

            found = await asyncio.to_thread(route_in, message.maps, message.task)
            message.screen.show_route(message.task, *found, message.number)

        self.run_worker(route(), exclusive=True, group="route", exit_on_error=False)

    def on_maps_screen_undecided(self, message: "MapsScreen.Undecided") -> None:
        """Ask the eight questions; what the words of the task say is answered already."""
        from skills.routing.decide import words_answers
        from widgets.screens.decide import DecideScreen

        present = {one.lane for one in message.maps.evidence if one.firm}
        self.push_screen(DecideScreen(words_answers(message.task), present))

    def on_decide_screen_recorded(self, message: "DecideScreen.Recorded") -> None:
        """Write the decision down as a file of its own."""

        async def write() -> None:
            from cockpit.agents.framework_record import next_record, write_record

            try:
                path = await asyncio.to_thread(next_record, self.repository.root)
                await asyncio.to_thread(write_record, path, message.decision)
            except (CannotAnswer, OSError) as problem:
                self.tell(problem, bad=True)
                return
            self.tell(f"Written: {path.relative_to(self.repository.root)}")

        self.run_worker(write(), exclusive=True, group="decision", exit_on_error=False)

    # -- skills --

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

"""Copying: the useful text of a row to where a person can paste it."""

import asyncio

from cockpit.app_parts.deeds import Deeds
from cockpit.findings.models import Check
from cockpit.plain_text import plain_text
from widgets.dragging import Dragging
from widgets.lines import plain
from widgets.screens.listing import Moving


class CopyDeeds(Deeds):
    """`y` in every pane."""

    def do_copy(self) -> None:
        """Copy what the row is known by: path:line, branch, session, the pane's lines."""
        text = self._useful()
        if not text:
            self.tell("There is nothing to copy here.")
            return
        self.copy_out(text)

    def _useful(self) -> str:
        active = self.panes.active
        if active == "findings":
            row = self.findings_pane.current
            if row is None or isinstance(row, Check):
                return f"{plain_text(row.rule)}: {plain_text(row.reason or '')}" if row else ""
            return f"{plain_text(row.path)}:{row.line}"
        if active == "worktrees":
            tree = self.worktrees_pane.current
            return plain_text(tree.branch or tree.path) if tree else ""
        if active == "phase":
            session = self.phase_pane.current
            return plain_text(session.session) if session else ""
        view = self.budget_pane
        return "\n".join(plain(view.line_at(y, view.size.width)).rstrip() for y in range(view.line_count()))

    def on_moving_copied(self, message: Moving.Copied) -> None:
        """A screen's row is to be copied."""
        self.copy_out(message.text)

    def on_dragging_picked(self, message: Dragging.Picked) -> None:
        """Text was marked with the mouse."""
        self.copy_out(message.text)

    def copy_to_clipboard(self, text: str) -> None:
        """What a field or a dialog copies goes the same way as everything else."""
        self.copy_out(text)

    def copy_out(self, text: str) -> None:
        """Copy a text to where the person can paste it, and say where that is."""

        async def copy() -> None:
            from cockpit.clipboard import copy_text

            emit = super(CopyDeeds, self).copy_to_clipboard
            try:
                done = await asyncio.to_thread(copy_text, text, lambda said: self.call_from_thread(emit, said))
            except OSError as problem:
                self.tell(f"it could not be copied ({problem.strerror})", bad=True)
                return
            first = text.partition("\n")[0]
            self.tell(f"{plain_text(first, 40)}: {done.said}" if len(text) <= 40 else done.said)

        self.run_worker(copy(), group="copy", exit_on_error=False)

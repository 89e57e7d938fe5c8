"""What the keys do about the verification gate: it runs in a thread, its answers come to the screen one by one."""

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from cockpit.app_parts.deeds import Deeds
from cockpit.app_parts.editor import open_in_editor
from cockpit.errors import CannotAnswer
from cockpit.repository import find_repository

if TYPE_CHECKING:
    from cockpit.sweep.cancel import Cancel
    from skills.verify.model import Answer
    from widgets.screens.verify import VerifyScreen


class VerifyDeeds(Deeds):
    """The verification of the worktree that is watched."""

    verifying: "Cancel | None" = None

    def do_verify(self) -> None:
        """Run the gate and show it."""
        from cockpit.sweep.cancel import Cancel
        from widgets.screens.verify import VerifyScreen

        screen = VerifyScreen(self.watched.name)
        self.push_screen(screen)
        self.verifying = Cancel()
        self.run_worker(self._verify(screen, self.verifying), group="verify", exclusive=True, exit_on_error=False)

    async def _verify(self, screen: "VerifyScreen", cancel: "Cancel") -> None:
        from cockpit.verify.run import verify

        loop = asyncio.get_running_loop()

        def tell(answer: "Answer") -> None:
            loop.call_soon_threadsafe(screen.add, answer)

        def begin(phase: int) -> None:
            loop.call_soon_threadsafe(screen.begin, phase)

        def said(text: str) -> None:
            screen.said = text  # the screen looks at it once a second

        run = partial(
            verify,
            find_repository(self.watched),
            self.settings,
            base=self.settings.base,
            tell=tell,
            begin=begin,
            said=said,
            cancel=cancel,
        )
        try:
            screen.finish(*await asyncio.to_thread(run))
        except (CannotAnswer, OSError) as problem:
            screen.fail(str(problem))

    def on_verify_screen_left(self) -> None:
        """What still runs is not wanted any more."""
        if self.verifying is not None:
            self.verifying.cancel()

    def on_verify_screen_opened(self, message: "VerifyScreen.Opened") -> None:
        """Open a place that an answer names."""
        path, _, rest = message.place.partition(":")
        number = rest.partition(" ")[0]
        open_in_editor(self, self.watched / path, int(number) if number.isdecimal() else 1)

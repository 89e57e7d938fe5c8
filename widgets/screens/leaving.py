"""What every screen over the panes shares: it is left once, and takes no other screen with it."""

from typing import TypeVar

from textual import events
from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

Answer = TypeVar("Answer")


class Leaving(ModalScreen[Answer]):
    """A screen that is dismissed only while it is the one in front.

    Keys that were typed faster than screens come and go reach a screen that has gone or stands behind another, where
    Textual would take away whatever is in front, and end the app where nothing is left.
    """

    def dismiss(self, result: Answer | None = None) -> AwaitComplete:
        return super().dismiss(result) if self.is_active else AwaitComplete()

    @property
    def is_there(self) -> bool:
        """Whether it is composed and was not left: what is read for a screen that has gone is for nobody."""
        return self.is_mounted and self.is_attached


class Toggled(Leaving[None]):
    """A screen that is left with the key that opened it, too: one of `keys`."""

    keys: tuple[str, ...] = ()

    def on_key(self, event: events.Key) -> None:
        """The key that opened the screen closes it."""
        if event.key in self.keys:
            event.prevent_default().stop()
            self.action_leave()

    def action_leave(self) -> None:
        """Close the screen."""
        self.dismiss(None)

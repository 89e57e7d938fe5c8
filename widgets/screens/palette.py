"""The command palette: every action by its name."""

from typing import Any, ClassVar

from textual.await_complete import AwaitComplete
from textual.binding import BindingType
from textual.command import CommandList, CommandPalette

from widgets.bindings import bind


class Palette(CommandPalette):
    """Textual's, where a page key before the first command is drawn ended the app, and a second escape too."""

    CSS_PATH: ClassVar[Any] = "palette.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("page-down", "page(1)"),
        bind("page-up", "page(-1)"),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing moves before there is a list to move in."""
        return super().check_action(action, parameters) if self.query(CommandList) else action == "escape"

    def action_page(self, by: int) -> None:
        """A page of commands further, or back."""
        commands = self.query_one(CommandList)
        if commands.option_count:
            page = max(1, commands.size.height - 1)
            place = (commands.highlighted or 0) + by * page
            commands.highlighted = max(0, min(commands.option_count - 1, place))

    def dismiss(self, result: None = None) -> AwaitComplete:
        """As in `Leaving`."""
        return super().dismiss(result) if self.is_active else AwaitComplete()

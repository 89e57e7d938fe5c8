"""Keys as this person has them: bound, told in the help, offered by the command palette."""

import os
import signal
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from textual import events
from textual.app import SystemCommand
from textual.driver import Driver
from textual.screen import Screen

from cockpit.actions import ACTIONS, BY_ID, Action, key_label, keys_of
from cockpit.app_parts.deeds import Deeds
from cockpit.app_parts.input_thread import sleepy
from widgets.bindings import keymap, own_keys
from widgets.lines import Line, line, pad
from widgets.panes import PANES
from widgets.screens.listing import Moving
from widgets.screens.report import ReportScreen

_NARROW = 60  # cells


Typed = events.Key | events.Paste


def anew(event: Typed) -> Typed:
    """The same input, as if it had just come."""
    return events.Paste(event.text) if isinstance(event, events.Paste) else events.Key(event.key, event.character)


class KeyDeeds(Deeds):
    """The registry's actions by key and by name."""

    _arriving: Screen[Any] | None = None
    """The screen that came to the front and is not drawn yet."""
    _returned: Sequence[Typed] = ()
    """What was given to the screen before, which did not take it: it came back behind the key that opened this one."""
    _typed: Sequence[Typed] = ()

    def get_driver_class(self) -> type[Driver]:
        return sleepy(super().get_driver_class())

    def use_keys(self) -> None:
        """Bind the person's own keys, and let the panes name them."""
        self.set_keymap(keymap(self.settings.keys))
        for name in PANES:
            self.pane(name).keys = self.labels
        self.screen_change_signal.subscribe(self, self._hold_keys, immediate=True)

    def _hold_keys(self, screen: Screen[Any]) -> None:
        """What is typed and pasted from now on is for this screen: it waits until that is drawn and has its focus."""
        self._arriving = screen if screen.call_after_refresh(self.call_later, self._give_keys, screen) else None

    async def _give_keys(self, screen: Screen[Any]) -> None:
        if screen is self._arriving:
            kept = (*self._returned, *self._typed)
            self._arriving, self._returned, self._typed = None, (), ()
            for event in kept:
                await self.on_event(event)

    async def on_event(self, event: events.Event) -> None:
        if self._arriving is None or not isinstance(event, events.Key | events.Paste):
            await super().on_event(event)
        elif event.is_forwarded:
            self._returned = (*self._returned, anew(event))
        else:
            self._typed = (*self._typed, event)

    def on_unreadable(self) -> None:
        """What was pasted or typed is no text."""
        self.tell("That was not text (UTF-8): nothing of it was taken.", bad=True, about="input")

    def do_suspend(self) -> None:
        """Into the background of the shell that started it, with all that it started itself."""
        jobs = os.getpgrp() != os.getsid(0)  # else no shell with jobs is there to bring it back
        if jobs and not self.is_web and not self.is_headless:
            os.kill(0, signal.SIGTSTP)
        else:
            self.tell("No shell is here that could bring it back.")

    def do_help(self) -> None:
        """Every key."""
        rows: list[Line] = []
        narrow = self.size.width < _NARROW  # only the first key, so that what it does has room
        for group in dict.fromkeys(action.group for action in ACTIONS):
            rows += [(), line((group, "strong"))]
            for action in ACTIONS:
                if action.group == group:
                    own = keys_of(action, self.settings.keys)[: 1 if narrow else None]
                    keys = " ".join(key_label(key) for key in own)
                    rows.append(line((pad(f"  {keys}", 8 if narrow else 16) + "  ", "key"), (action.title, "text")))
        self.push_screen(ReportScreen("Keys", rows[1:], is_help=True))

    def on_moving_keys_asked(self, message: Moving.KeysAsked) -> None:
        """The keys of a screen."""
        self.push_screen(ReportScreen("Keys here", message.rows, is_help=True, compact=True))

    def do_palette(self) -> None:
        """Any action by its name."""
        self.action_command_palette()

    def action_command_palette(self) -> None:
        """The palette, over the panes or over a screen."""
        from widgets.screens.palette import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every action of the registry with its key, a line each; over a screen those that work in it."""
        if screen is not self.screen_stack[0]:
            yield from self._commands_of(screen)
            return
        for action in ACTIONS:
            if action.place == "list" or action.id == "palette":
                continue
            keys = " ".join(key_label(key) for key in keys_of(action, self.settings.keys))
            named = f"{action.title} pane" if action.id.removeprefix("pane-").isdecimal() else action.title
            yield SystemCommand(f"{named} · {keys}", "", partial(self._from_palette, action))

    def _commands_of(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        known = {BY_ID["palette"].title, BY_ID["help"].title}
        for title, own in own_keys(screen).items():
            if title in known:
                continue
            shown = " ".join(key_label(key) for key in own)
            yield SystemCommand(f"{title} · {shown}", "", partial(self.call_later, self.simulate_key, own[0]))

    def _from_palette(self, action: Action) -> None:
        if action.place in PANES:
            self.do_pane(action.place)
        self.call_after_refresh(self.run_action, f"do('{action.id}')")

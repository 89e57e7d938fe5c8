"""Turns actions of the registry into Textual bindings, and their keys into the words of a hint."""

import re
from typing import Any

from textual.binding import Binding, BindingType
from textual.screen import Screen

from cockpit.actions import ACTIONS, BY_ID, key_label, keys_of
from cockpit.screen_actions import SCREEN_ACTIONS, SCREEN_IDS
from widgets.lines import Line

_PLACEHOLDER = re.compile(r"\{([a-z0-9-]+)\}")


def app_bindings() -> list[BindingType]:
    """One binding for each action; the app decides by the pane that has the focus which of a key's actions runs."""
    return [
        Binding(",".join(action.keys), f"do('{action.id}')", action.title, show=False, id=action.id)
        for action in sorted(ACTIONS, key=lambda action: action.place == "app")
    ]


def bind(name: str, call: str, title: str = "", *, priority: bool = False) -> Binding:
    """The binding of a screen for an action of the registry; `call` is what it runs there, `title` what that does where
    it is not the same as in the panes."""
    action = SCREEN_IDS.get(name) or BY_ID[name]
    return Binding(",".join(action.keys), call, title or action.title, show=False, priority=priority, id=name)


def keymap(overrides: dict[str, str]) -> dict[str, str]:
    """The person's own keys, for `App.set_keymap`."""
    return {
        action.id: ",".join(keys_of(action, overrides))
        for action in (*ACTIONS, *SCREEN_ACTIONS)
        if action.id in overrides
    }


def own_keys(screen: Screen[Any]) -> dict[str, list[str]]:
    """The keys of each action of the registry that the screen itself binds, by its title: none of the toolkit's own."""
    found: dict[str, list[str]] = {}
    for key, active in screen.active_bindings.items():
        binding = active.binding
        if active.node is screen and (binding.id in SCREEN_IDS or binding.id in BY_ID):
            found.setdefault(binding.description, []).append(key)
    return found


def labels(screen: Screen[Any]) -> dict[str, str]:
    """How the first key of each action that the screen binds is written, as this person has it."""
    found: dict[str, str] = {}
    for key, active in screen.active_bindings.items():
        if active.binding.id:
            found.setdefault(active.binding.id, key_label(key))
    return found


def with_keys(text: str, keys: dict[str, str]) -> str:
    """`{recheck} again` → `R again`."""
    return _PLACEHOLDER.sub(lambda found: keys.get(found[1], found[0]), text)


def filled(spans: Line, keys: dict[str, str]) -> Line:
    """A line with this person's keys in it: only what has the token `key` is looked through."""
    return tuple((with_keys(text, keys) if token == "key" else text, token) for text, token in spans)

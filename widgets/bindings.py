"""Turns actions of the registry into Textual bindings."""

from textual.binding import Binding, BindingType

from cockpit.actions import ACTIONS, keys_of


def app_bindings() -> list[BindingType]:
    """One binding for each action; the app decides by the pane that has the focus which of a key's actions runs."""
    return [
        Binding(",".join(action.keys), f"do('{action.id}')", action.title, show=False, id=action.id)
        for action in sorted(ACTIONS, key=lambda action: action.place == "app")
    ]


def keymap(overrides: dict[str, str]) -> dict[str, str]:
    """The person's own keys, for `App.set_keymap`."""
    return {action.id: ",".join(keys_of(action, overrides)) for action in ACTIONS if action.id in overrides}

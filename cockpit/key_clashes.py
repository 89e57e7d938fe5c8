"""Keys that two actions of one place want, and what in the configuration is no key or no action's id."""

from cockpit.actions import ACTIONS, BY_ID, PRESETS, Action, key_label, key_named, keys_of
from cockpit.screen_actions import SCREEN_ACTIONS, SCREEN_IDS

_IN_SCREENS = ("copy", "recheck", "palette", "help")


def clashes(overrides: dict[str, str]) -> list[str]:
    """Lines about keys that two actions of the same place want, and about keys and ids that do not exist."""
    known = {*BY_ID, *SCREEN_IDS, "preset"}
    lines = [f"keys.{name}: there is no such action" for name in overrides if name not in known]
    if "preset" in overrides:
        lines.append(f"keys.preset: there is none of that name: {', '.join(PRESETS)}")
    for action in (*ACTIONS, *SCREEN_ACTIONS):
        own = keys_of(action, overrides) if action.id in overrides else ()
        lines += [f"keys.{action.id}: there is no key {key!r}" for key in own if not key_named(key)]
    taken: dict[tuple[str, str], str] = {}
    for action in ACTIONS:
        for key in keys_of(action, overrides):
            other = taken.setdefault((_scope(action.place), key), action.id)
            if other != action.id:
                lines.append(f"keys: {key_label(key)} is both {other} and {action.id}")
    for action in ACTIONS:
        for key in keys_of(action, overrides) if _scope(action.place) != "everywhere" else ():
            if wide := taken.get(("everywhere", key)):
                lines.append(f"keys: {key_label(key)} is {wide} everywhere and {action.id} in a pane")
    shared = tuple(action for action in ACTIONS if action.place == "list" or action.id in _IN_SCREENS)
    return lines + _screen_clashes(overrides, shared)


def _scope(place: str) -> str:
    """Keys of lists work wherever those of the app do."""
    return "everywhere" if place in ("app", "list") else place


def _screen_clashes(overrides: dict[str, str], shared: tuple[Action, ...]) -> list[str]:
    """Lines about keys that two actions of one screen want; `shared` are those of the registry that work in each."""
    lines: list[str] = []
    everywhere = (*shared, *(action for action in SCREEN_ACTIONS if action.place == "screens"))
    for place in dict.fromkeys(action.place for action in SCREEN_ACTIONS):
        if place in ("screens", "questions", "decide"):  # questions have answers in the place of what is copied
            continue
        taken: dict[str, str] = {}
        for action in (*(one for one in SCREEN_ACTIONS if one.place == place), *everywhere):
            for key in keys_of(action, overrides):
                other = taken.setdefault(key, action.id)
                if other != action.id:
                    lines.append(f"keys: {key_label(key)} is both {other} and {action.id} in {place}")
    return lines

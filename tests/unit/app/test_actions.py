"""One registry of actions: keys do not clash, and the README's table is made from it."""

from pathlib import Path

from cockpit.actions import ACTIONS, BY_ID, PRESETS, chosen_keys, key_named, keys_of, labels_of, markdown_table
from cockpit.key_clashes import clashes
from cockpit.screen_actions import SCREEN_ACTIONS, SCREEN_IDS

README = Path(__file__).parents[3] / "README.md"
TAKEN = {"ctrl+b", "ctrl+s", "ctrl+q", "ctrl+j", "ctrl+h", "ctrl+m", "ctrl+p", "ctrl+space"}


def test_no_two_actions_of_a_place_share_a_key() -> None:
    assert clashes({}) == []


def test_a_pane_never_takes_a_key_that_works_everywhere() -> None:
    everywhere = {key for action in ACTIONS if action.place in ("app", "list") for key in action.keys}
    for action in ACTIONS:
        if action.place not in ("app", "list"):
            assert not everywhere & set(action.keys), action.id


def test_no_action_needs_a_key_that_terminals_take() -> None:
    for action in ACTIONS:
        assert set(action.keys) - TAKEN, action.id


def test_own_keys_that_clash_or_name_nothing_are_told() -> None:
    assert keys_of(BY_ID["filter"], {"filter": "/, esc,pgdn"}) == ("slash", "escape", "pagedown")
    assert any("/ is" in line for line in clashes({"start-day": "/"}))  # also where it is written as a sign
    assert clashes({"start-day": "ctl+x"}) == ["keys.start-day: there is no key 'ctl+x'"]
    assert clashes({"start-day": "$", "spend-export": "f12"}) == []
    assert labels_of({"spend": "dollar_sign"})["spend"] == labels_of({"spend": "$"})["spend"] == "$"
    told = clashes({"help": "q", "nothing": "x"})
    assert any("nothing" in line for line in told) and any("quit" in line and "help" in line for line in told)


def test_the_readme_shows_this_registry() -> None:
    assert markdown_table() in README.read_text("utf-8")


def test_screens_have_actions_of_their_own_that_clash_with_nothing_there() -> None:
    assert not BY_ID.keys() & SCREEN_IDS.keys() and len(SCREEN_IDS) == len(SCREEN_ACTIONS)
    told = clashes({"spend-export": "p"})
    assert told == ["keys: p is both spend-period and spend-export in spend"]
    assert clashes({"audit-task": "j"}) == ["keys: j is both audit-task and down in audit"]
    for preset in PRESETS:
        assert clashes(chosen_keys({"preset": preset})) == []


def test_every_action_of_a_screen_can_be_had_in_every_terminal() -> None:
    for action in SCREEN_ACTIONS:
        assert set(action.keys) - TAKEN, action.id


def test_a_written_key_is_known_again() -> None:
    for action in (*ACTIONS, *SCREEN_ACTIONS):
        for key in action.keys:
            assert key_named(labels_of({"help": key})["help"]) == key
    assert key_named("help") == "" and key_named("1–9") == "" and key_named("") == ""

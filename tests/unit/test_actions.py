"""One registry of actions: keys do not clash, and the README's table is made from it."""

from pathlib import Path

from cockpit.actions import ACTIONS, clashes, markdown_table

README = Path(__file__).parent.parent.parent / "README.md"
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
    told = clashes({"help": "q", "nothing": "x"})
    assert any("nothing" in line for line in told) and any("quit" in line and "help" in line for line in told)


def test_the_readme_shows_this_registry() -> None:
    assert markdown_table() in README.read_text("utf-8")

"""What is wrong with the words of a command, in the words that a person typed: argparse names its own variables."""

import argparse
import re
from collections.abc import Iterable
from difflib import get_close_matches

_ABOUT_ONE = re.compile(r"argument (?P<name>.+?): (?P<what>.*)", re.DOTALL)
_OTHER_WORDS = (
    (re.compile(r"expected (?:one|at least one) argument"), r"{name} needs a value"),
    (re.compile(r"not allowed with argument (?P<other>.+)"), r"{name} does not go with {other}"),
    (re.compile(r"ignored explicit argument (?P<other>.+)"), r"{name} takes no value, and has {other}"),
    (re.compile(r"invalid int value: (?P<other>.+)", re.DOTALL), r"{name}: {other} is no whole number"),
)
_MISSING = "the following arguments are required: "
_UNKNOWN = "unrecognized arguments: "


def reworded(parser: argparse.ArgumentParser, message: str) -> str:
    """A message of argparse as a person would say it; as it is where there is nothing to mend."""
    if message.startswith(_MISSING):
        return _missing(parser, message.removeprefix(_MISSING).split(", "))
    if message.startswith(_UNKNOWN):
        return _unknown(parser, message.removeprefix(_UNKNOWN))
    if about := _ABOUT_ONE.fullmatch(message):
        for theirs, ours in _OTHER_WORDS:
            if found := theirs.fullmatch(about["what"]):
                return ours.format(name=about["name"], **found.groupdict())
        return f"{about['name']}: {about['what']}"
    return message


def no_choice(action: argparse.Action, value: object) -> str:
    """That a word or a value of an option is none of those that may stand there, the nearest, and which may."""
    choices = _words(action)
    close = get_close_matches(str(value), choices, 1)
    named = f"{'/'.join(action.option_strings)} has" if action.option_strings else "there is"
    return f"{named} no {value!r}{_meant(close)}; use {_either(choices)}"


def _missing(parser: argparse.ArgumentParser, names: list[str]) -> str:
    told = []
    for action in parser._actions:  # argparse has no public way to ask what was declared
        name = "/".join(action.option_strings) or str(action.metavar or action.dest)
        if name not in names or action.nargs == argparse.ZERO_OR_MORE:
            continue
        if action.option_strings:
            told.append(f"{name} {action.metavar or ''}".rstrip())
        else:
            told.append(_either(_words(action)) if action.choices is not None else name)
    return f"say {', then '.join(told or names)}"


def _unknown(parser: argparse.ArgumentParser, words: str) -> str:
    if not words.startswith("-"):
        return f"{words!r} is too much"
    option = words.split()[0].partition("=")[0]
    known = [one for action in parser._actions for one in action.option_strings]
    close = get_close_matches(option, known, 1)
    return f"there is no option {option}{_meant(close)}"


def _meant(close: list[str]) -> str:
    return f" (did you mean {close[0]}?)" if close else ""


def _words(action: argparse.Action) -> list[str]:
    return [str(one) for one in action.choices or ()]


def _either(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last

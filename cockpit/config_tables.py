"""A table of a configuration file, checked by pydantic against the records that it sets; errors name file, line, key.

Loaded only where a table was not validated before.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from cockpit.errors import CannotAnswer
from cockpit.plain_text import plain_text


def validated(kind: type, table: dict[str, Any], path: Path, known: Iterable[str], place: tuple[str, ...] = ()) -> Any:
    """`table`, which stands in `path` below the keys `place`, as a checked twin of `kind`. Raises `CannotAnswer`, with
    the nearest of the `known` keys where one is misspelt."""
    from pydantic import ValidationError

    try:
        return checked_adapter(kind).validate_python(table)
    except ValidationError as problem:
        first = problem.errors()[0]
        location = (*place, *first["loc"])
        key = ".".join(str(part) for part in location)
        raise CannotAnswer(
            f"{path}:{line_of(path, location)}: {plain_text(key, 80)}: {_told(first)}",
            _nearest(first["type"], key, known),
        ) from None


@cache
def checked_adapter(kind: type) -> Any:
    """The pydantic adapter of a configuration class: what it refuses is an error."""
    from pydantic import ConfigDict, TypeAdapter
    from pydantic.dataclasses import dataclass as checked

    return TypeAdapter(_checked_type(kind, checked, ConfigDict(extra="forbid")))


def _checked_type(kind: type, checked: Any, settings: Any) -> Any:
    """A pydantic twin of a configuration dataclass, so that the plain one needs no pydantic."""
    import dataclasses
    import typing

    hints = typing.get_type_hints(kind)
    columns = []
    for column in fields(kind):
        hint = hints[column.name]
        if is_dataclass(hint):
            hint = _checked_type(hint, checked, settings)  # type: ignore[arg-type]
        default = (
            dataclasses.field(default=column.default)
            if column.default is not dataclasses.MISSING
            else dataclasses.field(default_factory=column.default_factory)
        )
        columns.append((column.name, hint, default))
    return checked(config=settings)(dataclasses.make_dataclass(kind.__name__, columns))


def with_changes(value: Any, table: dict[str, Any], checked: Any) -> Any:
    """`value` with what `table` sets, as `checked` read it: a number in quotes is that number."""
    changes: dict[str, Any] = {}
    for name, given in table.items():
        old = getattr(value, name)
        if is_dataclass(old) and isinstance(given, dict):
            changes[name] = with_changes(old, given, getattr(checked, name))
        elif isinstance(old, dict):
            changes[name] = {**old, **{key: _as_tuple(value) for key, value in given.items()}}
        else:
            changes[name] = _as_tuple(getattr(checked, name))
    return replace(value, **changes)


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def line_of(path: Path, location: tuple[int | str, ...]) -> int:
    """The line that sets a key of a configuration file, 1 where it is not found."""
    names = [re.escape(str(part)) for part in location if isinstance(part, str)]
    lines = path.read_text("utf-8", "replace").splitlines()
    for name in reversed(names):
        for number, line in enumerate(lines, 1):
            if re.match(rf"""\s*(?:\[.*\b{name}\b.*\]|["']?{name}["']?\s*=|.*\.{name}\s*=)""", line):
                return number
    return 1


def _told(error: Mapping[str, Any]) -> str:
    """What is wrong with a key, without words of the library that says so."""
    kind, given = error["type"], plain_text(repr(error["input"]), 60)
    if "unexpected" in kind or "extra" in kind:
        return "there is no such key"
    if kind.startswith(("float_", "int_")):
        return f"{given} is no number"
    return f"{given} is neither true nor false" if kind.startswith("bool_") else plain_text(error["msg"], 160)


def _nearest(problem: str, key: str, known: Iterable[str]) -> str:
    if "unexpected" not in problem and "extra" not in problem:
        return ""
    import difflib

    close = difflib.get_close_matches(key.rpartition(".")[2], known, 1)
    return f"did you mean {close[0]}?" if close else ""

"""What every answer has, and the words that several of them use."""

from typing import Any, Literal, TypeAlias

from typing_extensions import TypedDict

from skills.gates.model import Status

Object: TypeAlias = dict[str, Any]  # its keys follow from what it tells about
Basis: TypeAlias = Literal["billed", "measured", "computed", "estimated"]
MoneyBasis: TypeAlias = Literal["billed", "computed", "estimated"]


class Answer(TypedDict):
    """One JSON document. What depends on the clock or the machine alone stands in `meta`."""

    version: Literal[1]
    meta: Object


class Place(TypedDict):
    """A line of a file, counted from 1, its path relative to the root."""

    path: str
    line: int
    text: str


class Step(TypedDict):
    """One step of a command that has several."""

    step: str
    status: Status
    detail: str

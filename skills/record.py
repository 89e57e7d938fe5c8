"""Frozen records that cost little to define.

`dataclass(frozen=True, slots=True)` compiles six functions for each class, half a millisecond; a short command defines
sixty classes before it does anything. A record compiles one. It is a dataclass in every other respect (`replace`,
`fields`, equality, hash); that it is frozen is what type checkers hold, not the interpreter.
"""

from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

_Class = TypeVar("_Class")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[_Class]) -> type[_Class]:
    """Make a class a frozen dataclass with slots."""
    cls.__doc__ = cls.__doc__ or cls.__name__  # else its signature is worked out
    made: Any = dataclass(cls, slots=True, eq=False, repr=False)
    names = tuple(made.__dataclass_fields__)
    get = attrgetter(*names)

    def equal(self: Any, other: object) -> Any:
        return get(self) == get(other) if other.__class__ is self.__class__ else NotImplemented

    def hashed(self: Any) -> int:
        return hash(get(self))

    def shown(self: Any) -> str:
        return f"{made.__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    made.__eq__, made.__hash__, made.__repr__ = equal, hashed, shown
    result: type[_Class] = made
    return result

"""Frozen records that cost little to define.

`dataclass(frozen=True, slots=True)` compiles six functions for each class, half a millisecond; a short command defines
seventy classes before it does anything, and makes objects of half of them. A record compiles one, when its first object
is made. It is a dataclass in every other respect (`replace`, `fields`, equality, hash), worked out when that is asked
for; that it is frozen is what type checkers hold, not the interpreter.
"""

from _thread import RLock
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

_Class = TypeVar("_Class")
_alone = RLock()


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[_Class]) -> type[_Class]:
    """Make a class a frozen dataclass with slots."""
    own = tuple(cls.__annotations__)
    names = (*(name for name in getattr(cls, "__match_args__", ()) if name not in own), *own)
    defaults = {name: value for name, value in vars(cls).items() if name in own}
    plain = names == own and not hasattr(cls, "__post_init__") and not any(map(_is_odd, defaults.values()))
    get = attrgetter(*names)

    def first(self: Any, *given: Any, **named: Any) -> None:
        if made.__init__ is first:
            made.__init__ = _initializer(own, defaults) if plain else vars(_dataclass(cls, plain))["__init__"]
        made.__init__(self, *given, **named)

    def equal(self: Any, other: object) -> Any:
        return get(self) == get(other) if other.__class__ is self.__class__ else NotImplemented

    def hashed(self: Any) -> int:
        return hash(get(self))

    def shown(self: Any) -> str:
        return f"{made.__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    body = {name: value for name, value in vars(cls).items() if name not in (*own, "__dict__", "__weakref__")}
    body.update(__slots__=own, __match_args__=names, __qualname__=cls.__qualname__, __doc__=cls.__doc__ or cls.__name__)
    body.update(__init__=first, __eq__=equal, __hash__=hashed, __repr__=shown)
    body.update((name, _Said(name, cls, plain)) for name in ("__dataclass_fields__", "__dataclass_params__"))
    metaclass: Any = type(cls)
    made = metaclass(cls.__name__, cls.__bases__, body)
    result: type[_Class] = made
    return result


class _Said:
    """What a dataclass says of itself, worked out when it is first asked for."""

    def __init__(self, name: str, cls: type, plain: bool) -> None:
        self._name, self._cls, self._plain = name, cls, plain

    def __get__(self, _: object, owner: type) -> Any:
        said = vars(_dataclass(self._cls, self._plain))[self._name]
        made = next(kind for kind in owner.__mro__ if self._name in vars(kind))
        setattr(made, self._name, said)
        return said


def _dataclass(cls: type, plain: bool) -> type:
    """The class that a record was made of, as a dataclass; without an `__init__` where it is `plain`: that it has."""
    with _alone:  # its defaults are taken out of it: not twice
        if "__dataclass_fields__" not in vars(cls):
            cls.__doc__ = cls.__doc__ or cls.__name__  # else its signature is worked out
            dataclass(cls, init=not plain, eq=False, repr=False)
    return cls


def _is_odd(default: Any) -> bool:
    """True for a field that is not to be given as all others are."""
    return isinstance(default, Field) and (not default.init or default.kw_only is True)


def _initializer(names: tuple[str, ...], defaults: Mapping[str, Any]) -> Any:
    """The `__init__` of a dataclass with these fields."""
    known: dict[str, Any] = {"_missing": MISSING}
    head, body = ["self"], []
    for name in names:
        default, value = defaults.get(name, MISSING), name
        optional = default is not MISSING
        if isinstance(default, Field):
            made, default = default.default_factory, default.default
            optional = made is not MISSING or default is not MISSING
            if made is not MISSING:
                known[f"_made_{name}"], value = made, f"_made_{name}() if {name} is _missing else {name}"
        known[f"_default_{name}"] = default
        head.append(f"{name}=_default_{name}" if optional else name)
        body.append(f" self.{name} = {value}")
    exec(f"def __init__({', '.join(head)}):\n" + "\n".join(body), known)
    return known["__init__"]

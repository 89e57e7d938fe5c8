"""Regular expressions that are compiled when they are first used.

A check of one staged file needs few of them, and compiling all is a sixth of what its start takes.
"""

import re
from typing import Any, AnyStr, cast


class _Lazy:
    """Stands for a compiled pattern. What is asked of it once is kept beside it, so that it costs no more later."""

    def __init__(self, pattern: Any, flags: int) -> None:
        self._asked = (pattern, flags)
        _made.append(self)

    def __getattr__(self, name: str) -> Any:
        if name == "compiled":
            found: Any = re.compile(*self._asked)
        else:
            found = getattr(self.compiled, name)
        self.__dict__[name] = found
        return found


_made: list[_Lazy] = []


def lazy(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """As `re.compile`, later. A wrong pattern raises where it is first used."""
    return cast("re.Pattern[AnyStr]", _Lazy(pattern, flags))


def compile_all() -> None:
    """Compile every pattern of the modules that are loaded: for a process that others are forked from."""
    for one in _made:
        one.compiled  # noqa: B018 - it is kept

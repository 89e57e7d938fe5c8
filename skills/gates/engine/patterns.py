"""Regular expressions that are compiled when they are first used.

A check of one staged file needs few of them, and compiling all is a sixth of what its start takes.
"""

import re
from typing import Any, AnyStr, cast


class _Lazy:
    """Stands for a compiled pattern. What is asked of it once is kept beside it, so that it costs no more later."""

    def __init__(self, pattern: Any, flags: int) -> None:
        self._asked = (pattern, flags)

    def __getattr__(self, name: str) -> Any:
        found = getattr(re.compile(*self._asked), name)
        self.__dict__[name] = found
        return found


def lazy(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """As `re.compile`, later. A wrong pattern raises where it is first used."""
    return cast("re.Pattern[AnyStr]", _Lazy(pattern, flags))

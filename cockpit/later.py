"""Modules that others import and that are hardly ever used: loaded when something of them is.

`dataclasses` imports `inspect` for the docstring of a class that has none, `pathlib` imports `urllib.parse` for
`as_uri`, `argparse` imports `gettext` for translations that cockpit does not have, and `msgspec` asks
`typing_extensions` for what `typing` has as well. Together that takes as long as Python's own start, and a hook or a
status line pays for it each time.
"""

import sys
from _thread import allocate_lock
from types import ModuleType

_lock = allocate_lock()


class _Later(ModuleType):
    """Stands for a module. What is asked for and not set here is the module's own."""

    def __getattr__(self, name: str) -> object:
        if name == "__path__":  # asked by every `from … import`
            raise AttributeError(name)
        return getattr(_loaded(self.__name__), name)


class _TypingExtensions(_Later):
    """What `msgspec` asks of it is found in `typing`."""

    def __getattr__(self, name: str) -> object:
        if name in ("NotRequired", "Required", "get_type_hints"):
            import typing

            return getattr(typing, name)
        return super().__getattr__(name)


def import_later() -> None:
    """From now on import the modules above only where they are used. Called before anything else is imported."""
    import urllib

    gettext, parse = _Later("gettext"), _Later("urllib.parse")
    vars(gettext).update(gettext=str, ngettext=lambda one, many, count: one if count == 1 else many)
    vars(parse).update(quote_from_bytes=lambda *given, **more: _loaded("urllib.parse").quote_from_bytes(*given, **more))
    for stand_in in (_Later("inspect"), gettext, parse, _TypingExtensions("typing_extensions")):
        sys.modules.setdefault(stand_in.__name__, stand_in)
    vars(urllib).setdefault("parse", sys.modules["urllib.parse"])


def _loaded(name: str) -> ModuleType:
    """The module itself, in the place of what stands for it."""
    with _lock:  # not held during the import: what that waits for may wait for this
        if isinstance(sys.modules.get(name), _Later):
            del sys.modules[name]
    import importlib

    return importlib.import_module(name)

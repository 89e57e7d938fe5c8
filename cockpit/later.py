"""Modules that others import and that are hardly ever used: loaded when something of them is.

`dataclasses` imports `inspect` for the docstring of a class that has none, `pathlib` imports `urllib.parse` for
`as_uri`, `argparse` imports `gettext` for translations that cockpit does not have, `uuid` imports `platform` for the
name of the system, `shutil` imports `bz2` and `lzma` to know whether they are there, `hashlib` loads OpenSSL where only
BLAKE2 is wanted, and `msgspec` imports what writes JSON schemas and asks `typing_extensions` for what `typing` has as
well. Together that takes longer than Python's own start, and a hook or a status line pays for it each time.
"""

import os
import sys
from _collections_abc import Callable
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
    vars(parse).update(quote_from_bytes=_of("urllib.parse", "quote_from_bytes"))
    platform, schemas = _Later("platform"), _Later("msgspec._json_schema")
    vars(platform).update(system=lambda: os.uname().sysname)
    vars(schemas).update({name: _of(schemas.__name__, name) for name in ("schema", "schema_components")})
    asked_nothing = map(_Later, ("inspect", "bz2", "lzma", "msgspec.inspect"))
    stand_ins = [*asked_nothing, gettext, parse, platform, schemas, *_hashes()]
    for stand_in in (*stand_ins, _TypingExtensions("typing_extensions")):
        sys.modules.setdefault(stand_in.__name__, stand_in)
    vars(urllib).setdefault("parse", sys.modules["urllib.parse"])


def _of(module: str, name: str) -> Callable[..., object]:
    """A function of a module, which is loaded when it is called."""
    return lambda *given, **more: getattr(_loaded(module), name)(*given, **more)


def _hashes() -> list[ModuleType]:
    try:
        from _blake2 import blake2b
    except ImportError:
        return []
    hashes = _Later("hashlib")
    vars(hashes).update(blake2b=blake2b)
    return [hashes]


def _loaded(name: str) -> ModuleType:
    """The module itself, in the place of what stands for it."""
    with _lock:  # not held during the import: what that waits for may wait for this
        if isinstance(sys.modules.get(name), _Later):
            del sys.modules[name]
    import importlib

    return importlib.import_module(name)

"""Modules that others import and that are hardly ever used: loaded when something of them is.

Together they take 10 to 18 ms of a short command's processor time, and a hook or a status line pays for it each time.
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
    """From now on load the modules below only where they are used. Called before anything else is imported."""
    import urllib

    _stand_in("inspect", **_OF_INSPECT)  # `dataclasses`: for the docstring of a class that has none
    _stand_in("urllib.parse", quote_from_bytes=_of("urllib.parse", "quote_from_bytes"))  # `pathlib`: for `as_uri`
    _stand_in("gettext", gettext=str, ngettext=_plural)  # `argparse`: for translations that cockpit does not have
    _stand_in("platform", system=lambda: os.uname().sysname)  # `uuid`: for the name of the system
    _stand_in("locale")  # `subprocess`: for the encoding of text
    _stand_in("signal")  # `subprocess`: to end a process, or to say what ended it
    _stand_in("bz2")  # `shutil`: to know whether it is there
    _stand_in("lzma")
    schemas = "msgspec._json_schema"  # `msgspec`: for JSON schemas
    _stand_in(schemas, schema=_of(schemas, "schema"), schema_components=_of(schemas, "schema_components"))
    _stand_in("msgspec.inspect")
    sys.modules.setdefault("typing_extensions", _TypingExtensions("typing_extensions"))
    try:
        from _blake2 import blake2b
    except ImportError:
        pass
    else:
        _stand_in("hashlib", blake2b=blake2b)  # it loads OpenSSL where only BLAKE2 is wanted
    vars(urllib).setdefault("parse", sys.modules["urllib.parse"])


def _annotations(owner: object, **asked: object) -> object:
    """`inspect.get_annotations`, which `dataclasses` asks about every class from Python 3.13 on."""
    if asked or not isinstance(owner, type):
        return _of("inspect", "get_annotations")(owner, **asked)
    return dict(vars(owner).get("__annotations__") or ())


# from Python 3.14 on a class works its annotations out when it is asked for them, and `dataclasses` asks otherwise
_OF_INSPECT = {"get_annotations": _annotations} if sys.version_info < (3, 14) else {}


def _stand_in(name: str, **known: object) -> _Later:
    """Let something stand for a module that is not loaded yet; `known` are the names that it answers by itself."""
    later = _Later(name)
    vars(later).update(known)
    sys.modules.setdefault(name, later)
    return later


class LoadedLater:
    """What is imported inside of the block gets a module only where it uses that; who imports it afterwards gets the
    module itself. `known` are names that need no module."""

    def __init__(self, name: str, **known: object) -> None:
        self._name = name
        self._known = known

    def __enter__(self) -> None:
        self._later = _stand_in(self._name, **self._known)

    def __exit__(self, *_: object) -> None:
        if sys.modules.get(self._name) is self._later:
            del sys.modules[self._name]


def _plural(one: str, many: str, count: int) -> str:
    return one if count == 1 else many


def _of(module: str, name: str) -> Callable[..., object]:
    """A function of a module, which is loaded when it is called."""
    return lambda *given, **more: getattr(_loaded(module), name)(*given, **more)


def _loaded(name: str) -> ModuleType:
    """The module itself, in the place of what stands for it."""
    with _lock:  # not held during the import: what that waits for may wait for this
        if isinstance(sys.modules.get(name), _Later):
            del sys.modules[name]
    import importlib

    return importlib.import_module(name)

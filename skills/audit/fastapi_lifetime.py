"""When FastAPI ends what a dependency lends with `yield`: before the answer is sent, or after the last byte.

FastAPI 0.106 moved the end before the answer, 0.118 moved it back behind it (its release notes say so, and running
each shows it). Websockets hold a dependency until their function returns, in every release.
"""

import re
from collections.abc import Mapping

from skills.gates.engine.patterns import lazy
from skills.record import record

FROM, UNTIL = (0, 106), (0, 118)
"""The first release that ends dependencies before the answer, and the first that does not any more."""
_LOCKED = lazy(r"(?m)^name = \"fastapi\"\nversion = \"(\d+)\.(\d+)([\w.]*)")
_PIP = lazy(r"(?mi)^fastapi(?:\[[\w,\s-]*\])?\s*([=~<>!^][^;#\\\n]*)")
_QUOTED = lazy(r"(?mi)^[^#\n]*[\"']fastapi(?:\[[\w,\s-]*\])?\s*([=~<>!^][^;\"']*)[\"';]")
_TABLE = lazy(r"(?mi)^fastapi\s*=\s*(?:\{[^}\n]*version\s*=\s*)?[\"']([^\"']+)[\"']")
_BOUND = re.compile(r"(?:(===?|~=|!=|\^|~|>=|<=|>|<)\s*)?(\d+)(?:\.(\d+))?[\w.*+]*")
_Release = tuple[int, int]
_NONE, _ANY = (0, 0), (1 << 30, 0)


@record
class FastapiRelease:
    """Which releases of FastAPI a file allows: from `lowest`, below `highest`; as it says it, and where."""

    lowest: _Release
    highest: _Release
    said: str
    place: str

    @property
    def ends_early(self) -> bool:
        """True where every allowed release ends dependencies before the answer is sent."""
        return self.lowest >= FROM and self.highest <= UNTIL


def releases_of(texts: Mapping[str, str]) -> tuple[FastapiRelease, ...]:
    """What lock files and manifests (path → text) say of FastAPI; lock files first, then by path."""
    found = [one for path in sorted(texts, key=_order) if (one := _release(path, texts[path])) is not None]
    return tuple(found)


def release_for(path: str, releases: tuple[FastapiRelease, ...]) -> FastapiRelease | None:
    """What holds for a file: said in the nearest folder above it, else the first of all."""

    def near(one: FastapiRelease) -> int:
        folder = one.place.rpartition(":")[0].rpartition("/")[0]
        return len(folder) if not folder or path.startswith(folder + "/") else -1

    return max(releases, key=near, default=None)


def _order(path: str) -> tuple[bool, str]:
    return not path.endswith(".lock"), path


def _release(path: str, text: str) -> FastapiRelease | None:
    if path.endswith(".lock"):
        match = _LOCKED.search(text)
        if match is None:
            return None
        release = (int(match[1]), int(match[2]))
        return FastapiRelease(release, _next(release), f"{match[1]}.{match[2]}{match[3]}", _place(path, text, match))
    patterns = (_QUOTED, _TABLE) if path.endswith((".toml", "Pipfile")) else (_PIP,)
    match = next((found for pattern in patterns if (found := pattern.search(text)) is not None), None)
    if match is None:
        return None
    low, high = _NONE, _ANY
    for sign, major, minor in _BOUND.findall(match[1]):
        release = (int(major), int(minor or 0))
        if sign in (">=", ">"):
            low = max(low, release)
        elif sign in ("<", "<="):
            high = min(high, release if sign == "<" else _next(release))
        elif sign != "!=":  # pinned, or what may still be called compatible
            low, high = max(low, release), min(high, _next(release))
    return FastapiRelease(low, high, match[1].strip().lstrip("="), _place(path, text, match))


def _next(release: _Release) -> _Release:
    return release[0], release[1] + 1


def _place(path: str, text: str, match: re.Match[str]) -> str:
    return f"{path}:{text.count(chr(10), 0, match.start(1)) + 1}"

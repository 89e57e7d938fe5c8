"""What a repository shows of its frameworks: manifests, `manage.py`, application objects and imports, by folder."""

import re
from collections.abc import Iterator
from pathlib import Path

from cockpit.files import read_regular
from cockpit.findings.discovery import Scope, discover
from cockpit.findings.manifests import read_manifests
from cockpit.plain_text import plain_text
from cockpit.repository import Repository
from skills.routing.catalogue import PACKAGES, Lane
from skills.routing.lanes import LaneEvidence

MOST_BYTES = 24 << 20
LARGEST = 256 << 10
_IMPORT = re.compile(
    rb"^[ \t]*(?:import|from)[ \t]+(django|rest_framework|fastapi|torch|sklearn|lightgbm|xgboost)\b", re.M
)
_IMPORTED: dict[bytes, Lane] = {
    b"django": "django",
    b"rest_framework": "django",
    b"fastapi": "fastapi",
    **dict.fromkeys((b"torch", b"sklearn", b"lightgbm", b"xgboost"), "ml"),
}
_APPLICATION = re.compile(rb"^\w+\s*(?::[^=\n]+)?=\s*FastAPI\(", re.MULTILINE)


def lane_evidence(repository: Repository) -> tuple[LaneEvidence, ...]:
    """Every sign of a framework, the firm ones first. Raises nothing on what files hold.

    Where manifests name dependencies, an import speaks for its own file only: examples and tests import much.
    """
    scope = discover(repository.root)
    named: dict[str, str] = {}
    found: list[LaneEvidence] = []
    for name in scope.manifests:
        folder = name.rpartition("/")[0].removesuffix("requirements").rstrip("/")
        for package, place in read_manifests(repository.root, [name]).evidence.dependencies.items():
            named[package] = place
            if package in PACKAGES:
                found.append(LaneEvidence(PACKAGES[package], folder, f"{place} names {package}"))
    found += _files(repository.root, scope, frozenset(named))
    return tuple(sorted(found, key=lambda one: (not one.firm, one.folder.count("/"), one.folder, one.lane, one.why)))


def _files(root: Path, scope: Scope, named: frozenset[str]) -> Iterator[LaneEvidence]:
    left = MOST_BYTES
    for name, mark in scope.files.items():
        folder, _, last = name.rpartition("/")
        shown = plain_text(name, 200)
        if last == "manage.py":
            yield LaneEvidence("django", folder, f"{shown} is there", file=name)
        if mark.size > LARGEST or left < 0:
            continue
        left -= mark.size
        try:
            source = read_regular(root / name)
        except OSError:
            continue
        if _APPLICATION.search(source) and (not named or "fastapi" in named):
            yield LaneEvidence("fastapi", folder, f"{shown} makes a FastAPI application", file=name)
        for lane in dict.fromkeys(_IMPORTED[package] for package in _IMPORT.findall(source)):
            yield LaneEvidence(lane, folder, f"{shown} imports {_package(lane)}", firm=not named, file=name)


def _package(lane: Lane) -> str:
    return {"django": "Django", "fastapi": "FastAPI", "ml": "a learning library"}.get(lane, lane)

"""Phase 8: the build of static assets, run in a copy so that the work tree stays as it was."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from cockpit.git_command import GitFailed, git
from cockpit.verify.place import SECONDS, Place, answer_of, not_applicable, not_run
from skills.verify.model import Answer

_MANAGERS = {"pnpm-lock.yaml": "pnpm", "yarn.lock": "yarn", "bun.lock": "bun"}
_MOST_FILES, _MOST_BYTES = 20_000, 500_000_000


def assets(place: Place) -> Iterator[Answer]:
    """Whether static assets build, where there is something to build."""
    title = "Static assets build"
    try:
        package = json.loads(place.text("package.json") or "{}")
    except ValueError:
        yield not_run(8, "build", title, "package.json is no JSON")
        return
    if not _has_build(package):
        yield not_applicable(8, "build", title, "no build script in package.json")
        return
    manager = next((name for lock, name in _MANAGERS.items() if (place.root / lock).is_file()), "npm")
    program = place.program(manager)
    if place.refused:
        why = place.refused
    elif not program:
        why = f"{manager} is not installed"
    elif _depends(package) and not (place.root / "node_modules").is_dir():
        why = f"there is no node_modules: {manager} install"
    else:
        why = _copied(place)
    if why:
        yield not_run(8, "build", title, why, required=False)
        return
    ran = place.cancel.run([program, "run", "build"], _folder(place), SECONDS, {"CI": "1"})
    answer = answer_of(8, "build", title, ran, command=f"{manager} run build")
    yield replace(answer, detail=answer.detail or "built in a copy, which is gone", required=not ran.why)


def _has_build(package: object) -> bool:
    scripts = package.get("scripts") if isinstance(package, dict) else None
    return isinstance(scripts, dict) and isinstance(scripts.get("build"), str)


def _depends(package: dict[str, Any]) -> bool:
    return any(package.get(key) for key in ("dependencies", "devDependencies"))


def _folder(place: Place) -> Path:
    return place.scratch / "build"


def _copied(place: Place) -> str:
    """Copy what git knows or would take, and point at the packages one by one: what a build adds beside them stays in
    the copy. Answers why it cannot be done, "" where it is."""
    try:
        names = git(place.root, "ls-files", "-z", "-c", "-o", "--exclude-standard").split("\0")
    except GitFailed as problem:
        return f"git: {problem.line}"
    try:
        files = [name for name in names if name and (place.root / name).is_file()]
        size = sum((place.root / name).stat().st_size for name in files)
        if len(files) > _MOST_FILES or size > _MOST_BYTES:
            return f"{len(files)} files of {size // 1_000_000} MB are too many for a copy: run the build yourself"
        for name in files:
            target = _folder(place) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(place.root / name, target)
        _point(place.root / "node_modules", _folder(place) / "node_modules")
    except OSError as problem:
        return f"no copy could be made: {problem.strerror}"
    return ""


def _point(there: Path, here: Path) -> None:
    if not there.is_dir():
        return
    here.mkdir(exist_ok=True)
    for entry in there.iterdir():
        if entry.name == ".bin" or not entry.name.startswith("."):
            (here / entry.name).symlink_to(entry)

"""Git's index, judged: a file is known by the id that git gives its content, so that none is looked at to know it.

What is in the work tree all the same is read there; git is asked for the rest. Files in the part that is judged have
their whole reports, the others only what they tell of the project: that is a tenth of what is kept of them.
"""

import os
from collections.abc import Iterator

import msgspec

from cockpit.files import read_regular
from cockpit.findings.cache import Entry
from cockpit.findings.digest import digest_of
from cockpit.findings.discovery import LARGEST, TOO_LARGE, look, scope_of_index
from cockpit.findings.parts import Narrow
from cockpit.findings.project import Project
from cockpit.findings.revisions import Staged, contents_of

FEW = 4  # so few files are judged again sooner than all reports are written


def scan_index(project: Project, staged: Staged, narrow: Narrow) -> Iterator[None]:
    """Judge every file of the index, from the cache where its content is known. Yields once before, when it is known
    which files there are and what those of the part hold. Raises `CannotAnswer` where git cannot read one."""
    project.scope = scope_of_index(staged.names, project.config.checks.exclude)
    project.read_manifests(_manifests(project, staged))
    project.skipped = dict(project.scope.skipped)
    part = set(narrow.of(project.scope.files))
    differ = {name: staged.ids[name] for name in part if not _in_tree(project, name, staged.ids[name])}
    project.sources = _contents(project, differ)
    yield
    unknown = [name for name in project.scope.files if not _is_known(project, name, staged.ids[name], name in part)]
    judged = len(unknown)
    while unknown := unknown or project.deferred():
        _judge_sources(project, [name for name in unknown if name in project.sources], staged)
        left = _judge_tree(project, [name for name in unknown if name not in project.sources], staged)
        contents = _contents(project, {name: staged.ids[name] for name in left})
        project.sources |= contents
        _judge_sources(project, list(contents), staged)
        unknown = []
    if judged > FEW:
        _forget(project)
        project.cache.save()


def _manifests(project: Project, staged: Staged) -> dict[str, bytes]:
    """The manifests of which the work tree holds another content, as the index has them."""
    ids = staged.ids_of(frozenset(project.scope.manifests))
    differ = {name: blob for name, blob in ids.items() if not _in_tree(project, name, blob)}
    return {name: source for name, source in contents_of(project.root, differ).items() if source is not None}


def _in_tree(project: Project, name: str, blob: str) -> bool:
    """Whether the work tree holds this content, whatever its ends of lines."""
    try:
        source = read_regular(project.root / name, LARGEST)
    except OSError:
        return False
    if b"\r" in source and digest_of(source.replace(b"\r\n", b"\n")).hex() == blob:
        return True
    return digest_of(source).hex() == blob


def _is_known(project: Project, name: str, blob: str, whole: bool) -> bool:
    """Take the report of a file from the cache, where that has seen this content."""
    key, digest = os.fsencode(name), bytes.fromhex(blob)
    entry = project.cache.outline(key)
    if entry is not None and entry.digest == digest:
        project.take_known(name, project.cache.files[key] if whole else entry, outlined=not whole)
        return True
    entry = project.cache.staged.get(key)
    if entry is not None and entry.digest == digest:
        project.take_known(name, entry)
        return True
    return False


def _contents(project: Project, ids: dict[str, str]) -> dict[str, bytes]:
    """What git holds of these files; the others are out of scope, the too large ones among them skipped."""
    found = contents_of(project.root, ids)
    contents = {name: source for name, source in found.items() if source is not None}
    for name in ids.keys() - contents.keys():
        del project.scope.files[name]
        if name in found:
            project.skipped[name] = TOO_LARGE
    return contents


def _judge_tree(project: Project, names: list[str], staged: Staged) -> list[str]:
    """Judge files where they are; answers those that have another content there, or are not there."""
    tasks, left = [], []
    for name in names:
        mark, reason = look(project.root, name)
        if mark is not None:
            tasks.append(project.asked(os.fsencode(name), mark.size))
        elif reason == TOO_LARGE:
            del project.scope.files[name]
            project.skipped[name] = reason
        else:
            left.append(name)
    for answers in project.answers(tasks):
        for answer in answers:
            name = os.fsdecode(answer.name)
            if answer.digest.hex() == staged.ids[name]:
                project.take(answer)
            else:
                left.append(name)
    return left


def _judge_sources(project: Project, names: list[str], staged: Staged) -> None:
    sources = project.sources
    tasks = [project.asked(os.fsencode(name), len(sources[name]), source=sources[name]) for name in names]
    for answers in project.answers(tasks):
        for answer in answers:
            digest = bytes.fromhex(staged.ids[os.fsdecode(answer.name)])  # in whatever way git makes it
            project.take(msgspec.structs.replace(answer, digest=digest))


def _forget(project: Project) -> None:
    """Drop what is kept of contents that the index does not hold any more, or that the work tree holds as well."""
    kept = project.cache.staged
    here = {os.fsencode(name) for name in project.scope.files}
    for key in list(kept):
        same: Entry | None = project.cache.outline(key)
        if key not in here or (same is not None and same.digest == kept[key].digest):
            del kept[key]

"""One check to the end, in this thread: the way of the command line and of the git hook, without an event loop."""

from dataclasses import dataclass
from pathlib import Path

from cockpit.config import Config
from cockpit.findings.baseline import DEFAULT, Baseline, read_baseline
from cockpit.findings.discovery import discover
from cockpit.findings.outcome import Narrow, Outcome
from cockpit.findings.pool import Pool
from cockpit.findings.project import Project
from cockpit.findings.revisions import StagedReading, added_since
from skills.gates.model import GateOptions


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """What one check is asked. `paths` are relative to the root (empty: everything).

    With `only_paths` nothing else is read (outside git, where the root may be any folder).
    `baseline` is the file of accepted findings: a path, "" for the default (read where it exists), None for none.
    `reading` is the index where the caller has begun to read it.
    """

    options: GateOptions | None = None
    paths: tuple[str, ...] = ()
    only_paths: bool = False
    staged: bool = False
    since: str | None = None
    baseline: str | None = ""
    use_cache: bool = True
    reading: StagedReading | None = None


def check_now(root: Path, config: Config, request: CheckRequest) -> tuple[Outcome, Project]:
    """Check once. Workers, where there is much to judge, are forked and ended.

    Raises `CannotAnswer` (unknown revision, unreadable index or baseline).
    """
    pool = Pool(start="fork")
    try:
        project = make_project(root, config, request, pool, in_process=True)
        narrow = _prepared(project, request)
        for _ in project.scan(sources=project.sources, only_sources=request.staged):
            pass
    finally:
        pool.close()
    project.ask_ruff(None if narrow is None else [name for name in project.scope.files if narrow.covers(name)])
    return project.outcome(narrow), project


def make_project(root: Path, config: Config, request: CheckRequest, pool: Pool, *, in_process: bool) -> Project:
    project = Project(
        root,
        config,
        pool,
        options=request.options,
        use_cache=request.use_cache,
        in_process=in_process,
        only=request.paths if request.only_paths else None,
    )
    if request.baseline is not None:
        path = Path(request.baseline) if request.baseline else root / DEFAULT
        project.baseline = read_baseline(path, required=bool(request.baseline))
    else:
        project.baseline = Baseline()
    return project


def _prepared(project: Project, request: CheckRequest) -> Narrow | None:
    """The part of the project that the request names; for the index the files and sources are set as well."""
    paths = request.paths or None
    if request.staged:
        staged = (request.reading or StagedReading(project.root)).answer()
        project.sources = staged.sources
        project.scope = discover(
            project.root, project.config.checks.exclude, sources=staged.sources, listed=staged.names
        )
        return Narrow(paths, staged.added)
    if request.since is not None:
        return Narrow(paths, added_since(project.root, request.since))
    return None if paths is None else Narrow(paths)

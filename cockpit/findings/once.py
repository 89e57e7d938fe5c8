"""One check to the end, in this thread: the way of the command line and of the git hook, without an event loop."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.config import Config
from cockpit.errors import CannotAnswer
from cockpit.findings.baseline import DEFAULT, Baseline, read_baseline
from cockpit.findings.discovery import Listing
from cockpit.findings.outcome import Outcome, outcome_of
from cockpit.findings.parts import Narrow, OutsideAnswer, part_of
from cockpit.findings.pool import Pool, pool_of_check
from cockpit.findings.project import Project
from cockpit.findings.revisions import Staged, StagedReading, added_since, python_differs
from cockpit.findings.ruff import RULE as RUFF
from cockpit.findings.ruff import RuffRun
from cockpit.findings.staged import scan_index
from cockpit.plain_text import plain_text
from cockpit.repository import find_repository
from skills.gates import analyse
from skills.gates.model import Check, GateOptions
from skills.record import record

if TYPE_CHECKING:
    from cockpit.findings.tools import Tool


@record
class CheckRequest:
    """What one check is asked. `paths` are relative to the root (empty: everything).

    With `only_paths` nothing else is read (outside git, where the root may be any folder).
    `baseline` is the file of accepted findings: a path, "" for the default (read where it exists), None for none.
    `tools` are other tools to ask by name (empty: all that the project uses), None for those that every check asks.
    `reading` is the index where the caller has begun to read it, `listing` the list of files where it has begun that.
    """

    options: GateOptions | None = None
    paths: tuple[str, ...] = ()
    only_paths: bool = False
    staged: bool = False
    since: str | None = None
    baseline: str | None = ""
    use_cache: bool = True
    reading: StagedReading | None = None
    listing: Listing | None = None
    tools: tuple[str, ...] | None = None


def check_now(
    root: Path, config: Config, request: CheckRequest, tell: Callable[[float], None] | None = None
) -> tuple[Outcome, Project]:
    """Check once. Workers, where there is much to judge, are forked and ended. `tell` gets the share (0–1) of a work
    tree that is judged, now and then.

    Raises `CannotAnswer` (unknown revision, unreadable index or baseline).
    """
    pool = pool_of_check()
    project = make_project(root, config, request, pool, in_process=True)
    if request.listing is not None or request.reading is not None:
        analyse("", b"", every=project.every)  # the rules are loaded while git answers
    staged = (request.reading or StagedReading(root)).answer() if request.staged else None
    narrow = _part(project, request, staged)
    ruff = RuffRun(root)

    def asked() -> list[str] | None:
        return None if narrow is None else narrow.of(project.scope.files)

    scan: Iterator[object] = project.scan(request.listing)
    if staged is not None and narrow is not None:
        scan = scan_index(project, staged, narrow)
    try:
        for step, share in enumerate(scan):
            if tell is not None and isinstance(share, float):
                tell(share)
            if not step:  # what there is to judge is known, and nothing of it is judged
                project.begin_ruff(asked(), ruff)
        project.ask_ruff(asked(), ruff)
    finally:
        ruff.cancel()
        pool.close()
    if request.tools is not None or project.config.checks.tools:
        ask_tools(project, request)
    outcome = outcome_of(project, narrow)
    if narrow is None and not request.only_paths:
        project.record_trend(outcome.findings)
    return outcome, project


def asked_unasked(tool: "Tool", project: Project, moments: tuple[str, ...] = ("save", "check")) -> bool:
    """Whether a configured tool runs at such a moment, with the rules that were selected."""
    select, ignore = project.options.select, project.options.ignore
    if tool.name not in project.config.checks.tools or tool.config.on not in moments:
        return False
    return tool.name not in ignore and (not select or tool.name in select or tool.config.gate in select)


def ask_tools(project: Project, request: CheckRequest) -> None:
    """Ask the tools that the request and the configuration name. Raises `CannotAnswer` for an unknown one."""
    from cockpit.findings.tools import ToolRun, known_tools, used_tools
    from cockpit.trust import read_trust

    dependencies = project.manifests.evidence.dependencies
    known = known_tools(project.config)
    if request.tools is None:
        chosen = [tool for tool in known.values() if asked_unasked(tool, project)]
    elif request.tools:
        for name in request.tools:
            if name == RUFF and project.ruff_check.status == "not_applicable":
                raise CannotAnswer(f"ruff is not asked: {project.ruff_check.reason}", 'checks.ruff = "on" has it asked')
            if name not in known and name != RUFF:
                raise CannotAnswer(f"there is no tool {plain_text(name, 40)!r}", f"use {RUFF}, " + ", ".join(known))
        chosen = [known[name] for name in dict.fromkeys(request.tools) if name != RUFF]  # ruff was asked already
    else:
        chosen = used_tools(project.config, dependencies)
    if request.staged and python_differs(project.root):
        why = "it reads the work tree, which differs from the index"
        for tool in chosen:
            check = Check(tool.name, "not_run", 0, why)
            project.tool_answers[tool.name] = OutsideAnswer(check, (tool.config.gate,))
        return
    try:
        common = find_repository(project.root).common_dir
    except CannotAnswer:
        common = None
    project.ask_tools(chosen, ToolRun(project.root, read_trust(project.root, common), dependencies))


def make_project(root: Path, config: Config, request: CheckRequest, pool: Pool, *, in_process: bool) -> Project:
    project = Project(
        root,
        config,
        pool,
        options=request.options,
        use_cache=request.use_cache,
        in_process=in_process,
        only=request.paths if request.only_paths else None,
        on_demand=request.staged,
    )
    if request.baseline is not None:
        path = Path(request.baseline) if request.baseline else root / DEFAULT
        project.baseline = read_baseline(path, required=bool(request.baseline))
    else:
        project.baseline = Baseline()
    return project


def _part(project: Project, request: CheckRequest, staged: Staged | None) -> Narrow | None:
    """The part of the project that the request names."""
    if staged is not None:
        return part_of(request.paths, staged.added)
    if request.since is not None:
        return part_of(request.paths, added_since(project.root, request.since))
    return part_of(request.paths) if request.paths else None

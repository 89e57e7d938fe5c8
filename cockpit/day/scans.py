"""The quick scans that follow the morning's report: secrets in what is staged, known vulnerabilities."""

from collections.abc import Iterator
from pathlib import Path

from cockpit.config import Config
from cockpit.errors import CannotAnswer
from cockpit.git_command import GitFailed
from cockpit.plain_text import plain_text
from cockpit.sweep.cancel import Cancel
from skills.workflow.sweep import SweepCheck


def quick_scans(root: Path, config: Config, cancel: Cancel | None = None) -> Iterator[SweepCheck]:
    """Each answer as it comes. Raises nothing: what could not look is not run."""
    from cockpit.sweep.dependencies import dependencies
    from cockpit.sweep.look import listed_names
    from cockpit.sweep.run import Sweep

    try:
        found = {check.check: check for check in Sweep(root, config).run_staged()}
        yield found["secrets"]
        yield found["env-files"]
    except CannotAnswer as problem:
        yield SweepCheck("secrets", "not_run", reason=plain_text(problem, 160))
    try:
        yield dependencies(root, listed_names(root), cancel or Cancel())
    except (GitFailed, OSError) as problem:
        yield SweepCheck("dependencies", "not_run", reason=plain_text(problem, 160))

"""The quick scans that follow the morning's report: staged secrets, known vulnerabilities, findings since the last
session."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from cockpit.config import Config
from cockpit.errors import CannotAnswer
from cockpit.git_command import GitFailed, git
from cockpit.plain_text import plain_text
from cockpit.sweep.cancel import Cancel
from skills.counted import counted
from skills.gates.model import GLYPHS
from skills.workflow.sweep import SweepCheck

_MOST = 5


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


def findings_since(root: Path, config: Config, moment: datetime) -> list[str]:
    """What the gates say of the lines that changed since then, as lines of text: counts first, then the worst."""
    from cockpit.findings.once import CheckRequest, check_now

    try:
        before = git(root, "rev-list", "-1", f"--before={int(moment.timestamp())}", "HEAD", "--").strip()
        outcome, _ = check_now(root, config, CheckRequest(since=before or None))
    except (GitFailed, CannotAnswer, OSError) as problem:
        return [f"? Findings          not run: {plain_text(problem, 160)}"]
    fresh = [finding for finding in outcome.open if finding.baseline == "new"]
    counts = [(gate, sum(1 for one in fresh if one.gate == gate)) for gate in ("P0", "P1", "P2")]
    said = ", ".join(f"{count} {gate}" for gate, count in counts if count) or "none"
    sign = GLYPHS[next((gate.status for gate in outcome.gates if gate.gate == "P0"), "not_run")]
    if sign == GLYPHS["not_applicable"] and outcome.files.seen:
        sign = GLYPHS["pass"]  # no rule of P0 is about this project, others are
    blind = f"; {counted(len(outcome.problems), 'file')} could not be judged" if outcome.problems else ""
    where = f"{said} in lines changed" if outcome.files.seen else "no Python file was changed"
    lines = [f"{sign} Findings         {where} since {moment.astimezone():%Y-%m-%d %H:%M}{blind}"]
    worst = sorted(fresh, key=lambda one: (one.gate, one.path, one.line))[:_MOST]
    lines += [f"    {plain_text(one.path, 200)}:{one.line}  {one.rule}" for one in worst if one.gate in ("P0", "P1")]
    return lines

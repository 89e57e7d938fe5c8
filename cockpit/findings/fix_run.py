"""`cockpit check --fix`: every finding in scope that has a fix, planned, then written or shown."""

import sys
from pathlib import Path
from typing import Any

from cockpit.call import rewrite, say
from cockpit.errors import CannotAnswer
from cockpit.findings.fix import FixPlan, apply_patch, plan_fixes
from cockpit.findings.outcome import Outcome
from cockpit.plain_text import plain_text
from skills.counted import counted
from skills.gates.model import Finding
from skills.record import record

_REASONS_SHOWN = 20


@record
class Fixes:
    """What became of the fixes. `written` are the paths that were changed; `findings` are those that were to be
    fixed."""

    plan: FixPlan
    findings: tuple[Finding, ...]
    written: tuple[str, ...]

    @property
    def diff(self) -> str:
        """All changes as one unified diff."""
        return "".join(f"{patch.diff}\n" for patch in self.plan.patches)

    def row(self) -> dict[str, Any]:
        """The key `fix` of the JSON answer."""
        refused = self.plan.refused
        return {
            "written": bool(self.written),
            "fixed": sum(len(found) for found in self.plan.fixed.values()),
            "files": [
                {"path": patch.path, "fixed": len(self.plan.fixed[patch.path]), "diff": patch.diff}
                for patch in self.plan.patches
            ],
            "refused": [
                {"fingerprint": one.fingerprint, "rule": one.rule, "path": one.path, "line": one.line, "reason": why}
                for one in self.findings
                if (why := refused.get(one.fingerprint)) is not None
            ],
        }


def fix_now(root: Path, outcome: Outcome, *, write: bool) -> Fixes:
    """Plan the fixes of every open finding outside the baseline, and write them. Each file is replaced at once; one
    that changed meanwhile is left alone and said so on stderr, as is how many were fixed."""
    wanted = tuple(finding for finding in outcome.open if finding.fixable and finding.baseline == "new")
    plan = plan_fixes(root, wanted, _progress if sys.stderr.isatty() else None)
    written = []
    for patch in plan.patches if write else ():
        try:
            apply_patch(patch)
        except CannotAnswer as problem:
            say(problem)
        else:
            written.append(patch.path)
    done = [len(plan.fixed[path]) for path in (written if write else plan.fixed)]
    verb = "fixed" if write else "would be fixed"
    say(f"{counted(sum(done), 'finding')} {verb} in {counted(len(done), 'file')}" + _left(wanted, plan))
    for line in _reasons(wanted, plan):
        say(line)
    return Fixes(plan, wanted, tuple(written))


def _left(wanted: tuple[Finding, ...], plan: FixPlan) -> str:
    refused = [finding.rule.startswith("ruff/") for finding in wanted if finding.fingerprint in plan.refused]
    of_ruff = sum(refused)
    people = f", {len(refused) - of_ruff} left for a person" if len(refused) > of_ruff else ""
    return people + (f", {of_ruff} for ruff check --fix" if of_ruff else "")


def _reasons(wanted: tuple[Finding, ...], plan: FixPlan) -> list[str]:
    """Why a person has to mend what is left: a line for each finding, as many as one reads."""
    left = [one for one in wanted if one.fingerprint in plan.refused and not one.rule.startswith("ruff/")]
    lines = [
        f"  {plain_text(one.path, 200)}:{one.line} {one.rule}: {plan.refused[one.fingerprint]}"
        for one in left[:_REASONS_SHOWN]
    ]
    more = len(left) - len(lines)
    return [*lines, f"  and {more} more; check --fix --diff --json gives each reason"] if more else lines


def _progress(done: int, total: int) -> None:
    rewrite(f"fixing {done}/{total}" if done < total else "")

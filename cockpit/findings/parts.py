"""What an outcome is put together from: the part of a project that is judged, and what other tools said."""

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import field

from cockpit.findings.worker import shown
from skills.gates.model import Check, Finding, Gate
from skills.record import record


@record
class Narrow:
    """The part of a project that is judged; its facts still come from the whole.

    `paths` are files and folders relative to the root ("" is the root), None for all. `lines` holds, for each file that
    may have findings, the lines that were added (None: every line of it); files that it does not name have none.
    """

    paths: tuple[str, ...] | None = None
    lines: Mapping[str, frozenset[int] | None] | None = None

    def covers(self, name: str) -> bool:
        """Whether a file is in the part."""
        if self.lines is not None and name not in self.lines:
            return False
        return self.paths is None or any(not path or name == path or name.startswith(path + "/") for path in self.paths)

    def of(self, names: Collection[str]) -> list[str]:
        """Which of these files are in the part; of a change the few that it names are looked for, not the others."""
        return [name for name in (names if self.lines is None else self.lines) if name in names and self.covers(name)]

    def holds(self, finding: Finding) -> bool:
        """Whether a line of which a finding speaks is in the part."""
        if not self.covers(finding.path):
            return False
        added = None if self.lines is None else self.lines[finding.path]
        spoken = range(finding.line, max(finding.line, finding.end_line) + 1)
        return added is None or any(line in added for line in (*spoken, *finding.parts))


def part_of(paths: Iterable[str], lines: Mapping[str, frozenset[int] | None] | None = None) -> Narrow:
    """The part that `paths` (none: everywhere) and `lines` name, by the names of files and by what findings call those
    whose name is no UTF-8."""
    places = dict.fromkeys(called for path in paths for called in (path, shown(os.fsencode(path))))
    if lines is not None:
        lines = {**lines, **{shown(os.fsencode(name)): added for name, added in lines.items()}}
    return Narrow(tuple(places) or None, lines)


@record
class OutsideAnswer:
    """What another tool said. `check` is its row, `gates` are those that its findings may have, `findings` by path."""

    check: Check
    gates: tuple[Gate, ...] = ("P1",)
    findings: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)

"""Which findings the pane shows, and in which order: what a person wants to see, P0 first, the file at hand first."""

from collections.abc import Sequence
from dataclasses import dataclass

from cockpit.findings.models import Check, CheckProblem, Finding, FindingsSnapshot
from cockpit.plain_text import plain_text

Row = Finding | CheckProblem | Check
_GATES = ("P0", "P1", "P2", "none")


@dataclass(frozen=True, slots=True)
class Filters:
    """What a person wants to see; empty means all."""

    text: str = ""
    gate: str = ""
    rule: str = ""
    file: str = ""
    only: frozenset[str] | None = None
    """Fingerprints: what one session wrote, for example, which `only_name` says."""
    only_name: str = ""

    def __bool__(self) -> bool:
        return bool(self.text or self.gate or self.rule or self.file or self.only is not None)

    def accept(self, row: Row) -> bool:
        """Whether a row passes every filter."""
        if isinstance(row, Check):
            return not self
        if isinstance(row, CheckProblem):
            return (
                not (self.gate or self.rule or self.only is not None)
                and self.file in ("", row.path)
                and self._has(row.path, row.message)
            )
        return (
            (self.only is None or row.fingerprint in self.only)
            and self.gate in ("", row.gate)
            and self.rule in ("", row.rule)
            and self.file in ("", row.path)
            and self._has(row.path, row.rule, row.message, row.symbol)
        )

    def _has(self, *texts: str) -> bool:
        wanted = self.text.lower()
        return not wanted or any(wanted in text.lower() for text in texts)

    def words(self) -> str:
        """The filters in one line."""
        parts = [
            self.gate,
            self.rule,
            self.file.rpartition("/")[2],
            f"“{self.text}”" if self.text else "",
            self.only_name,
        ]
        return " ".join(plain_text(part, 40) for part in parts if part)


def ordered(snapshot: FindingsSnapshot, current: str) -> list[Row]:
    """P0, the files that could not be judged, P1, P2, the checks that did not run, or told a part only; the
    current file first in each."""
    findings = _current_first(snapshot.findings, current)
    over = snapshot.progress is None and not snapshot.problems  # while it runs, not yet is not unable
    unable: list[Row] = [
        check
        for check in snapshot.checks
        if over and (check.status == "not_run" or (check.status == "fail" and check.reason))
    ]
    split = next((place for place, finding in enumerate(findings) if finding.gate != "P0"), len(findings))
    return [*findings[:split], *snapshot.problems, *findings[split:], *unable]


def _current_first(found: Sequence[Finding], current: str) -> list[Finding]:
    """The findings, P0 first and by place as they come, those of the current file before the others of their gate."""
    parts: dict[str, tuple[list[Finding], list[Finding]]] = {gate: ([], []) for gate in _GATES}
    for finding in found:
        parts[finding.gate][finding.path != current].append(finding)
    return [finding for part in parts.values() for half in part for finding in half]

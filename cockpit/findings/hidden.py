"""Findings that a person has put aside until they change: by fingerprint, for each repository, in the state folder."""

import json
import os
from hashlib import blake2b
from pathlib import Path

from cockpit.clock import iso, now
from cockpit.errors import cannot_write
from cockpit.files import locked, write_atomically
from cockpit.paths import state_dir
from skills.gates.model import Finding
from skills.record import record

_KEYS = ("fingerprint", "rule", "path", "message", "at")
_PATIENCE = 2.0  # seconds


@record
class HiddenFinding:
    """One finding put aside. `at` is when, ISO 8601 UTC."""

    fingerprint: str
    rule: str
    path: str
    message: str
    at: str


class HiddenFindings:
    """The findings put aside in one repository (`place`: its shared git folder, or the root outside git).

    A finding whose statement changes gets another fingerprint and is shown again. Broken state counts as none, and
    `note` says so; it is kept beside the new one.
    """

    def __init__(self, place: Path) -> None:
        name = blake2b(os.fsencode(os.path.realpath(place)), digest_size=12).hexdigest()
        self.path = state_dir() / "hidden" / f"{name}.json"
        self.note = ""
        self.rows = self._read()

    @property
    def fingerprints(self) -> frozenset[str]:
        """The fingerprints of what is hidden."""
        return frozenset(row.fingerprint for row in self.rows)

    def hide(self, finding: Finding) -> None:
        """Put a finding aside. Raises `CannotAnswer` where the state cannot be written."""
        row = HiddenFinding(finding.fingerprint, finding.rule, finding.path, finding.message, iso(now()))
        self._change(row, finding.fingerprint)

    def unhide(self, fingerprint: str) -> bool:
        """Show a finding again. Answers whether it was put aside."""
        return self._change(None, fingerprint)

    def undo(self) -> HiddenFinding | None:
        """Show again what was put aside last, and answer it; None where nothing is."""
        if not self.rows:
            return None
        last = self.rows[-1]
        self._change(None, last.fingerprint)
        return last

    def _change(self, row: HiddenFinding | None, fingerprint: str) -> bool:
        """Read, change and write under a lock, so that two cockpits do not lose each other's rows."""
        try:
            with locked(self.path.with_suffix(".lock"), _PATIENCE):  # a lock that nobody gives back holds nobody up
                self.note = ""
                rows = self._read()
                if self.note:  # what could not be read is somebody's rows all the same
                    self.path.replace(self.path.with_suffix(".broken"))
                kept = [other for other in rows if other.fingerprint != fingerprint]
                self.rows = (*kept, row) if row is not None else tuple(kept)
                documents = [{key: getattr(one, key) for key in _KEYS} for one in self.rows]
                text = json.dumps({"version": 1, "hidden": documents}, ensure_ascii=False, indent=1) + "\n"
                write_atomically(self.path, text)
                return len(kept) < len(rows)
        except OSError as problem:
            raise cannot_write(self.path, problem) from None

    def _read(self) -> tuple[HiddenFinding, ...]:
        try:
            rows = json.loads(self.path.read_bytes())["hidden"]
            return tuple(HiddenFinding(*(str(row[key]) for key in _KEYS)) for row in rows)
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as problem:
            self.note = f"hidden findings cannot be read ({type(problem).__name__}): all are shown"
            return ()

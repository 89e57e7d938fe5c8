"""The findings that a project has accepted for now, by fingerprint. A baseline shrinks; it grows only when forced."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from cockpit.errors import CannotAnswer
from cockpit.files import write_atomically
from cockpit.plain_text import plain_text
from skills.gates.model import Finding

DEFAULT = ".cockpit/baseline.json"


@dataclass(frozen=True, slots=True)
class Baseline:
    """Known fingerprints with rule and path of each. `path` is the file that holds them, None where there is none."""

    path: Path | None = None
    rows: dict[str, dict[str, str]] = field(default_factory=dict)

    def marked(self, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        """The findings, the known ones marked so."""
        if not self.rows:
            return findings
        return tuple(
            replace(finding, baseline="known") if finding.fingerprint in self.rows else finding for finding in findings
        )


def read_baseline(path: Path, *, required: bool = False) -> Baseline:
    """The baseline in `path`; none where there is no such file and it is not required.

    Raises `CannotAnswer` where it cannot be read: a broken baseline never counts as an empty one.
    """
    try:
        document = json.loads(path.read_bytes())
        known = {
            str(row["fingerprint"]): {key: str(row.get(key, "")) for key in ("fingerprint", "rule", "path")}
            for row in document["findings"]
        }
    except FileNotFoundError:
        if required:
            raise CannotAnswer(f"{path}: no such baseline", "write one with cockpit check --write-baseline") from None
        return Baseline()
    except OSError as problem:
        raise CannotAnswer(f"{path}: cannot be read ({problem.strerror})") from None
    except (ValueError, KeyError, TypeError) as problem:
        raise CannotAnswer(
            f"{path}: not a baseline: {plain_text(problem, 100)}", "mend it or use --no-baseline"
        ) from None
    return Baseline(path, known)


def write_baseline(
    path: Path, findings: Iterable[Finding], known: Baseline, *, unjudged: Iterable[str] = (), force: bool = False
) -> tuple[int, int, int]:
    """Write the unsuppressed `findings` as the baseline. Answers how many it holds, lost and refused.

    A baseline that exists only shrinks, so new findings are refused, unless `force`. What it knows of files that could
    not be judged (`unjudged`) stays. Raises `CannotAnswer` where the file cannot be written.
    """
    out_of_sight = set(unjudged)
    found = [finding for finding in findings if finding.suppressed is None]
    kept = {key: row for key, row in known.rows.items() if row["path"] in out_of_sight}
    for finding in found:
        if force or known.path is None or finding.fingerprint in known.rows:
            kept[finding.fingerprint] = {
                "fingerprint": finding.fingerprint,
                "rule": finding.rule,
                "path": finding.path,
            }
    rows = sorted(kept.values(), key=lambda row: (row["path"], row["rule"], row["fingerprint"]))
    text = json.dumps({"version": 1, "findings": rows}, ensure_ascii=False, indent=1) + "\n"
    try:
        write_atomically(path, text, mode=0o644)
    except OSError as problem:
        raise CannotAnswer(f"{path}: cannot be written ({problem.strerror})") from None
    refused = sum(finding.fingerprint not in kept for finding in found)
    return len(kept), len(known.rows.keys() - kept.keys()), refused

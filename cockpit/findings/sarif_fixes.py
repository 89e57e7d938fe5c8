"""The fixes of findings as SARIF 2.1.0 (OASIS, section fix objects): which region of which file gives way to what."""

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cockpit.findings.patch import Patch, encoding_of, physical_lines
from skills.gates.model import Finding

MOST_FINDINGS = 200
MOST_BYTES = 500_000

_Key = tuple[str, str]


def sarif_fixes(root: Path, findings: Iterable[Finding]) -> dict[_Key, dict[str, Any]]:
    """(path, fingerprint) → fix object of each finding that has a fix.

    Each is planned alone, which takes as long as its file is long: only the first 200, and no more than 500 kB are read
    for them. Findings come by gate, so what blocks has its fix first.
    """
    fixable: list[Finding] = []
    left = MOST_BYTES
    for finding in findings:
        if finding.fixable and len(fixable) < MOST_FINDINGS and (left := left - _size(root, finding)) >= 0:
            fixable.append(finding)
    if not fixable:
        return {}
    from cockpit.findings.fix import plan_each

    planned = zip(fixable, plan_each(root, fixable), strict=True)
    return {
        (finding.path, finding.fingerprint): _fix(finding, patch) for finding, patch in planned if patch is not None
    }


def _size(root: Path, finding: Finding) -> int:
    try:
        return (root / finding.path).stat().st_size
    except OSError:
        return 0


def _fix(finding: Finding, patch: Patch) -> dict[str, Any]:
    encoding = encoding_of(patch.before)
    old, new = (physical_lines(text.decode(encoding)) for text in (patch.before, patch.after))
    return {
        "description": {"text": finding.help},
        "artifactChanges": [
            {
                "artifactLocation": {"uri": quote(patch.path, errors="replace"), "uriBaseId": "ROOT"},
                "replacements": list(_replacements(old, new)),
            }
        ],
    }


def _replacements(old: list[str], new: list[str]) -> Iterable[dict[str, Any]]:
    """Whole lines that give way to others; a region without an extent is a place to insert at."""
    for tag, first, last, start, end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            region = {"startLine": first + 1, "startColumn": 1, **_end(old, last)}
            yield {"deletedRegion": region, "insertedContent": {"text": "".join(new[start:end])}}


def _end(old: list[str], last: int) -> dict[str, int]:
    """Where a region of whole lines ends: before the next line, or behind the last character of the file."""
    if last < len(old) or not old or old[-1].endswith(("\n", "\r")):
        return {"endLine": last + 1, "endColumn": 1}
    return {"endLine": len(old), "endColumn": len(old[-1]) + 1}

"""The outcome of a check as JSON, SARIF 2.1.0 and GitHub annotations."""

import codecs
import json
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from cockpit import __version__
from cockpit.call import print_json
from cockpit.findings.models import FileCounts
from cockpit.findings.outcome import Outcome
from cockpit.plain_text import plain_text
from skills.gates import RULES
from skills.gates.model import Finding, Tenancy

_PIECE = 1 << 16
_LEVELS = {"P0": "error", "P1": "warning"}


def finding_row(finding: Finding) -> dict[str, Any]:
    """One finding as every JSON answer shows it."""
    return {
        "rule": finding.rule,
        "gate": finding.gate,
        "severity": finding.severity,
        "skill": finding.skill,
        "path": finding.path,
        "line": finding.line,
        "column": finding.column,
        "end_line": finding.end_line,
        "end_column": finding.end_column,
        "symbol": finding.symbol,
        "message": finding.message,
        "help": finding.help,
        "confidence": finding.confidence,
        "fixable": finding.fixable,
        "fingerprint": finding.fingerprint,
        "also": list(finding.also),
        "baseline": finding.baseline,
        "suppressed": finding.suppressed,
        "evidence": [{"path": link.path, "line": link.line, "text": link.text} for link in finding.evidence],
        "parts": list(finding.parts),
    }


def json_document(outcome: Outcome, root: Path, profile: str, duration_ms: float) -> dict[str, Any]:
    """The answer of `cockpit check --format json`, without `version`; findings are still values."""
    return {
        "root": str(root),
        "profile": profile,
        "files": _counts(outcome.files),
        "skipped": dict(outcome.skipped),
        "gates": [{"gate": gate.gate, "status": gate.status, "count": gate.count} for gate in outcome.gates],
        "checks": [
            {"rule": check.rule, "status": check.status, "count": check.count, "reason": check.reason}
            for check in outcome.checks
        ],
        "findings": outcome.findings,
        "errors": [
            {"path": problem.path, "line": problem.line, "message": problem.message} for problem in outcome.problems
        ],
        "tenancy": _tenancy(outcome.tenancy),
        "notes": list(outcome.notes),
        "meta": {"duration_ms": round(duration_ms)},
    }


def write_json(document: dict[str, Any]) -> None:
    """As `print_json`, five times as fast."""
    try:
        encoded = msgspec.json.encode({"version": 1, **document})
    except UnicodeEncodeError:  # the name of a file may hold what no UTF-8 can say
        print_json({**document, "findings": [finding_row(finding) for finding in document["findings"]]})
        return
    bare = getattr(sys.stdout, "buffer", None)
    if bare is None:
        sys.stdout.write(b"".join(_in_ascii(encoded)).decode("ascii") + "\n")
    else:  # many megabytes are not turned into text and back
        sys.stdout.flush()
        bare.writelines(_in_ascii(encoded))
        bare.write(b"\n")
    sys.stdout.flush()


def _in_ascii(encoded: bytes) -> Iterator[bytes]:
    """JSON in pieces, with escapes for what is no printable ASCII. Most pieces need none, and go out as they are."""
    at = 0
    while at < len(encoded):
        end = encoded.find(b",", at + _PIECE) + 1 or len(encoded)  # no character has a comma inside
        piece, at = encoded[at:end], end
        if not piece.isascii() or b"\x7f" in piece:
            piece = piece.decode().encode("ascii", _ESCAPED).replace(b"\x7f", b"\\u007f")
        yield piece


@lru_cache(maxsize=1024)  # the same few stand in the help of every finding of a rule
def _escapes(text: str) -> str:
    """Characters as JSON writes them in ASCII."""
    return json.dumps(text)[1:-1]


def _as_escapes(problem: UnicodeError) -> tuple[str, int]:
    assert isinstance(problem, UnicodeEncodeError)
    return _escapes(problem.object[problem.start : problem.end]), problem.end


_ESCAPED = "json-escapes"
codecs.register_error(_ESCAPED, _as_escapes)


def sarif_document(outcome: Outcome, root: Path) -> dict[str, Any]:
    """The answer as SARIF 2.1.0 (OASIS): one run, stable fingerprints, suppressions, baseline states, and the fixes of
    findings where these are few."""
    from cockpit.findings.sarif_fixes import sarif_fixes  # what compares texts, which JSON has no use for

    fixes = sarif_fixes(root, outcome.open)
    names = sorted({finding.rule for finding in outcome.findings} | {check.rule for check in outcome.checks})
    index = {name: number for number, name in enumerate(names)}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "cockpit",
                        "version": __version__,
                        "rules": [_sarif_rule(name) for name in names],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {
                    "ROOT": {"uri": "file://" + quote(str(root).rstrip("/"), errors="replace") + "/"}
                },
                "invocations": [
                    {
                        "executionSuccessful": outcome.exit_code != 2,
                        "exitCode": outcome.exit_code,
                        "toolExecutionNotifications": [
                            {
                                "level": "error",
                                "message": {"text": problem.message},
                                "locations": [_location(problem.path, {"startLine": max(1, problem.line)})],
                            }
                            for problem in outcome.problems
                        ],
                    }
                ],
                "results": [
                    _sarif_result(finding, index[finding.rule], fixes.get((finding.path, finding.fingerprint)))
                    for finding in outcome.findings
                ],
            }
        ],
    }


def github_lines(outcome: Outcome) -> Iterable[str]:
    """Workflow commands of GitHub Actions: one annotation for each finding that counts, and for each error."""
    for finding in outcome.open:
        if finding.baseline == "known":
            continue
        place = {
            "file": finding.path,
            "line": finding.line,
            "endLine": finding.end_line,
            "col": finding.column,
            "endColumn": finding.end_column,
            "title": f"{finding.gate} {finding.rule}" if finding.gate != "none" else finding.rule,
        }
        if finding.end_line != finding.line:
            del place["col"], place["endColumn"]  # columns of two lines are refused
        yield _annotation(_LEVELS.get(finding.gate, "notice"), place, finding.message)
    for problem in outcome.problems:
        yield _annotation(
            "error", {"file": problem.path, "line": problem.line, "title": "cannot be judged"}, problem.message
        )


def _annotation(level: str, place: dict[str, Any], message: str) -> str:
    words = ",".join(f"{key}={_escaped(plain_text(value), ':,')}" for key, value in place.items())
    return f"::{level} {words}::{_escaped(plain_text(message))}"


def _escaped(text: str, more: str = "") -> str:
    for sign in "%\r\n" + more:
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text


def _counts(files: FileCounts) -> dict[str, int]:
    return {"seen": files.seen, "parsed": files.parsed, "cached": files.cached, "skipped": files.skipped}


def _tenancy(tenancy: Tenancy) -> dict[str, Any]:
    return {
        "mode": tenancy.mode,
        "chosen": tenancy.chosen,
        "why": tenancy.why,
        "evidence": [{"path": link.path, "line": link.line, "text": link.text} for link in tenancy.evidence],
    }


def _sarif_rule(name: str) -> dict[str, Any]:
    rule = RULES.get(name)
    if rule is None:
        return {"id": name, "shortDescription": {"text": f"{name} of ruff" if name != "ruff" else "the linter ruff"}}
    return {
        "id": name,
        "shortDescription": {"text": rule.catches},
        "fullDescription": {"text": rule.why},
        "help": {"text": rule.help},
        "defaultConfiguration": {"level": _LEVELS.get(rule.gate, "note")},
        "properties": {"tags": [rule.gate, rule.skill, *rule.sources]},
    }


def _sarif_result(finding: Finding, index: int, fix: dict[str, Any] | None) -> dict[str, Any]:
    region = {
        "startLine": finding.line,
        "startColumn": max(1, finding.column),
        "endLine": max(finding.line, finding.end_line),
        "endColumn": max(1, finding.end_column),
    }
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVELS.get(finding.gate, "note"),
        "message": {"text": finding.message},
        "locations": [_location(finding.path, region)],
        "partialFingerprints": {"cockpit/v1": finding.fingerprint},
        "baselineState": "unchanged" if finding.baseline == "known" else "new",
        "properties": {"severity": finding.severity, "confidence": finding.confidence, "fixable": finding.fixable},
    }
    if fix is not None:
        result["fixes"] = [fix]
    if finding.evidence:
        result["relatedLocations"] = [
            {"id": number, **_location(link.path, {"startLine": max(1, link.line)}), "message": {"text": link.text}}
            for number, link in enumerate(finding.evidence)
        ]
    if finding.suppressed is not None:
        result["suppressions"] = [{"kind": "inSource", "justification": finding.suppressed}]
    return result


def _location(path: str, region: dict[str, int]) -> dict[str, Any]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(path, errors="replace"), "uriBaseId": "ROOT"},
            "region": region,
        }
    }

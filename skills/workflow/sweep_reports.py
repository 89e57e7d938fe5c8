"""What the tools of the sweep answer, and the versions that they are asked about: read, or refused.

Secrets are redacted before they enter a value: nothing here holds one.
"""

import json
import re
from typing import Any

from skills.gates.security.secret_values import redacted
from skills.workflow.sweep import SweepFinding

_PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*={2,3}\s*([\w.!+-]+)")


def read_gitleaks(text: str) -> list[tuple[str, int, str, str]]:
    """(file, line, rule, redacted secret) of each leak in a gitleaks report. Raises `ValueError`: no such report."""
    rows = _json(text)
    if rows is None:
        return []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("its report is no list of leaks")
    return [
        (
            str(row.get("File", "")),
            row["StartLine"] if isinstance(row.get("StartLine"), int) else 1,
            str(row.get("Description") or row.get("RuleID") or "a secret"),
            redacted(str(row.get("Secret") or "")),
        )
        for row in rows
    ]


def read_pip_audit(text: str) -> tuple[list[SweepFinding], list[str], int]:
    """(vulnerabilities, packages that were not looked up, packages looked up) of a pip-audit report.

    A package with a `skip_reason` was not looked up, whatever the tool says in words. Raises `ValueError`.
    """
    document = _json(text)
    rows = document.get("dependencies") if isinstance(document, dict) else None
    if not isinstance(rows, list):
        raise ValueError("its report names no dependencies")
    found, skipped, seen = [], [], 0
    for row in rows:
        if not isinstance(row, dict):
            raise ValueError("its report names no dependencies")
        name = f"{row.get('name', '?')} {row.get('version', '')}".strip()
        if row.get("skip_reason") or not isinstance(row.get("vulns"), list):
            skipped.append(name)
            continue
        seen += 1
        for vuln in row["vulns"]:
            fixes = [str(version) for version in vuln.get("fix_versions") or ()]
            mended = f", mended in {', '.join(fixes)}" if fixes else ", no version mends it yet"
            found.append(SweepFinding("", None, f"{name}: {vuln.get('id', '?')}{mended}", fixable=bool(fixes)))
    return found, skipped, seen


def read_npm_audit(text: str) -> list[SweepFinding]:
    """The vulnerable packages of an `npm audit --json` report. Raises `ValueError` where the service gave no answer."""
    document = _json(text)
    if not isinstance(document, dict):
        raise ValueError("its report is no object")
    if "error" in document or ("message" in document and "metadata" not in document):
        error = document.get("error")
        named = (error.get("summary") or error.get("code")) if isinstance(error, dict) else None
        raise ValueError(str(named or document.get("message") or "no answer from the audit service"))
    counts = document.get("metadata", {}).get("vulnerabilities")
    rows = document.get("vulnerabilities")
    if not isinstance(counts, dict) or not isinstance(rows, dict):
        raise ValueError("its report counts no vulnerabilities")
    found = [
        SweepFinding(
            "",
            None,
            f"{name} {row.get('range', '')}: {row.get('severity', '?')}".replace("  ", " "),
            severity=str(row.get("severity", "")).lower(),
            fixable=bool(row.get("fixAvailable")),
        )
        for name, row in rows.items()
        if isinstance(row, dict)
    ]
    total = counts.get("total")
    if isinstance(total, int) and total > 0 and not found:
        raise ValueError(f"it counts {total} vulnerabilities and names none")
    return found


def read_semgrep(text: str) -> tuple[list[SweepFinding], list[str]]:
    """(findings of severity ERROR, what it could not judge) of a semgrep report. Raises `ValueError`."""
    document = _json(text)
    rows = document.get("results") if isinstance(document, dict) else None
    if not isinstance(rows, list):
        raise ValueError("its report holds no results")
    found = []
    for row in rows:
        extra = row.get("extra", {})
        if str(extra.get("severity", "")).upper() != "ERROR":
            continue
        start = row.get("start", {}).get("line")
        message = f"{extra.get('message', '')} ({str(row.get('check_id', '')).rpartition('.')[2]})"
        found.append(SweepFinding(str(row.get("path", "")), start, message.strip(), severity="high"))
    errors = [str(error.get("type", "error")) for error in document.get("errors", ()) if isinstance(error, dict)]
    return found, errors


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("its report is no JSON") from None


def pinned_requirements(text: str) -> tuple[dict[str, str], int]:
    """(versions by package, lines that pin none) of a requirements file."""
    pins: dict[str, str] = {}
    loose = 0
    for line in text.replace("\\\n", " ").splitlines():
        bare = line.split(" #")[0].strip()
        if not bare or bare.startswith(("#", "-")):
            continue
        if found := _PIN.match(bare):
            pins[found[1]] = found[2]
        else:
            loose += 1
    return pins, loose


def pinned_lock(document: dict[str, Any]) -> dict[str, str]:
    """Versions by package of a lock file of uv, poetry or pip (their TOML, parsed) or of Pipenv (its JSON, parsed).

    Packages that lie in the repository itself have no advisories and are left out.
    """
    pins: dict[str, str] = {}
    rows = document.get("package") or document.get("packages")
    for row in rows if isinstance(rows, list) else ():
        source = row.get("source") if isinstance(row, dict) else None
        own = isinstance(source, dict) and any(key in source for key in ("virtual", "editable", "directory"))
        if isinstance(row, dict) and isinstance(row.get("version"), str) and row.get("name") and not own:
            pins[str(row["name"])] = row["version"]
    for group in ("default", "develop"):
        rows = document.get(group)
        for name, row in rows.items() if isinstance(rows, dict) else ():
            version = row.get("version") if isinstance(row, dict) else None
            if isinstance(version, str) and version.startswith("=="):
                pins[name] = version[2:]
    return pins

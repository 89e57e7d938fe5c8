"""The findings that a project has accepted for now, by fingerprint. A baseline shrinks; it grows only when forced."""

from collections.abc import Callable, Iterable
from dataclasses import field
from pathlib import Path

from msgspec import structs

from cockpit.errors import CannotAnswer, cannot_read, cannot_write
from cockpit.files import read_regular, write_atomically
from cockpit.plain_text import plain_text
from skills.gates.engine.fingerprints import content_of, statement_of, stem_of
from skills.gates.model import Finding
from skills.record import record

DEFAULT = ".cockpit/baseline.json"
VERSION = 1


@record
class Baseline:
    """Known fingerprints with rule and path of each. `path` is the file that holds them, None where there is none."""

    path: Path | None = None
    rows: dict[str, dict[str, str]] = field(default_factory=dict)

    def marked(
        self,
        findings: tuple[Finding, ...],
        still_there: Callable[[str], set[str]],
        added: Callable[[Finding], bool] | None = None,
    ) -> tuple[Finding, ...]:
        """The findings, the known ones marked so.

        A finding that moved to another path (a renamed file, a function that went elsewhere) stays known: it has the
        rule, scope and statement of a row whose own place shows it no more. So does one whose function or class got
        another name: it has the rule and statement of such a row of its own file. `still_there` answers the
        fingerprints that are seen in a file. Each row knows one finding, so that a copy is new; where `added` tells
        which findings stand on lines of a change, these are the copies.
        """
        if not self.rows:
            return findings
        known = {finding.fingerprint for finding in findings if finding.fingerprint in self.rows}
        unknown = [finding for finding in findings if finding.fingerprint not in known]
        if unknown:
            gone = self._gone(still_there, known, unknown)
            for key_of in (_content, _statement):
                left = self._by(key_of, gone)
                for finding in unknown:
                    rows = left.get(key_of(finding.fingerprint, finding.path))
                    if rows and finding.fingerprint not in known:
                        gone.discard(rows.pop())
                        known.add(finding.fingerprint)
        if added is not None and unknown:
            known = _with_copies_last(findings, known, added)
        return tuple(
            structs.replace(finding, baseline="known") if finding.fingerprint in known else finding
            for finding in findings
        )

    def of_tools(self, path: str) -> set[str]:
        """The fingerprints that are known of a file to tools other than the rules."""
        return {key.partition("-")[0] for key, row in self.rows.items() if row["path"] == path and "/" in row["rule"]}

    def _gone(self, still_there: Callable[[str], set[str]], known: set[str], unknown: Iterable[Finding]) -> set[str]:
        """The rows that are not found in their place any more and may be those of findings that are unknown so far."""
        wanted = {key_of(one.fingerprint, one.path) for one in unknown for key_of in (_content, _statement)}
        rows = {
            key: row["path"]
            for key, row in self.rows.items()
            if key not in known and not wanted.isdisjoint((_content(key, row["path"]), _statement(key, row["path"])))
        }
        seen = {path: still_there(path) for path in set(rows.values())}
        return {key for key, path in rows.items() if key.partition("-")[0] not in seen[path]}

    def _by(self, key_of: Callable[[str, str], str], keys: set[str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for key in sorted(keys):
            found.setdefault(key_of(key, self.rows[key]["path"]), []).append(key)
        return found


def _content(fingerprint: str, path: str) -> str:
    return content_of(fingerprint)


def _statement(fingerprint: str, path: str) -> str:
    return f"{statement_of(fingerprint)} {path}"


def _with_copies_last(findings: Iterable[Finding], known: set[str], added: Callable[[Finding], bool]) -> set[str]:
    """As many of each group of equal statements as before, those first that stand on no added line, of equal ones those
    that are known."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.path, stem_of(finding.fingerprint)), []).append(finding)
    chosen: set[str] = set()
    for group in groups.values():
        old = sum(finding.fingerprint in known for finding in group)
        if 0 < old < len(group):
            group.sort(key=lambda one: (added(one), one.fingerprint not in known))
        chosen.update(finding.fingerprint for finding in group[:old])
    return chosen


def read_baseline(path: Path, *, required: bool = False) -> Baseline:
    """The baseline in `path`; none where there is no such file and it is not required.

    Raises `CannotAnswer` where it cannot be read: a broken baseline never counts as an empty one.
    """
    try:
        raw = read_regular(path)
        import json  # most projects have no baseline, and a hook feels the import

        document = json.loads(raw)
        if document.get("version", VERSION) != VERSION:
            raise CannotAnswer(
                f"{path}: a baseline of another version of cockpit ({plain_text(document['version'], 40)})",
                "remove it, then write it anew: cockpit check --write-baseline",
            )
        known = {
            str(row["fingerprint"]): {key: str(row.get(key, "")) for key in ("fingerprint", "rule", "path")}
            for row in document["findings"]
        }
    except FileNotFoundError:
        if required:
            raise CannotAnswer(f"{path}: no such baseline", "write one with cockpit check --write-baseline") from None
        return Baseline()
    except OSError as problem:
        raise cannot_read(path, problem) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        if any(line.startswith((b"<<<<<<< ", b">>>>>>> ")) for line in raw.splitlines()):
            raise CannotAnswer(
                f"{path}: a merge left a conflict in it",
                "keep the rows of both sides: a row that finds nothing goes with the next --write-baseline",
            ) from None
        raise CannotAnswer(
            f"{path}: not a baseline: {plain_text(problem, 100)}", "mend it or use --no-baseline"
        ) from None
    return Baseline(path, known)


def write_baseline(
    path: Path,
    findings: Iterable[Finding],
    known: Baseline,
    *,
    unjudged: Iterable[str] = (),
    unasked: Callable[[str], bool] = lambda rule: False,
    force: bool = False,
) -> tuple[int, int, int]:
    """Write the unsuppressed `findings`, marked by `known`, as the baseline. Answers how many it holds, lost, refused.

    A baseline that exists only shrinks, so new findings are refused, unless `force`. What it knows of files that could
    not be judged (`unjudged`) and of rules that did not run (`unasked`) stays. Raises `CannotAnswer` where the file
    cannot be written.
    """
    import json

    out_of_sight = set(unjudged)
    found = [finding for finding in findings if finding.suppressed is None]
    kept = {key: row for key, row in known.rows.items() if row["path"] in out_of_sight or unasked(row["rule"])}
    still = len(kept)
    for finding in found:
        still += finding.baseline == "known" and finding.fingerprint not in kept
        if force or known.path is None or finding.baseline == "known":
            kept[finding.fingerprint] = {
                "fingerprint": finding.fingerprint,
                "rule": finding.rule,
                "path": finding.path,
            }
    rows = sorted(kept.values(), key=lambda row: (row["path"], row["rule"], row["fingerprint"]))
    text = json.dumps({"version": VERSION, "findings": rows}, ensure_ascii=False, indent=1) + "\n"
    try:
        write_atomically(path, text, mode=0o644)
    except OSError as problem:
        raise cannot_write(path, problem) from None
    refused = sum(finding.fingerprint not in kept for finding in found)
    return len(kept), max(0, len(known.rows) - still), refused

"""The audit rules on cases that none of their examples come from: recall, precision and severity of all together."""

import re
from collections.abc import Iterator
from pathlib import Path

from skills.gates import analyse, settle
from skills.gates.model import GateOptions, ProjectEvidence

CASES = [Path(__file__).parents[1] / "data" / name for name in ("audit_cases.txt", "audit_cases_more.txt")]
MARK = re.compile(r"# bad: ((?:[\w-]+ [A-Z]+ ?)+)$")


def cases() -> Iterator[tuple[str, dict[str, str]]]:
    text_of_all = "".join(path.read_text() for path in CASES)
    for part in re.split(r"^=== ", text_of_all, flags=re.MULTILINE)[1:]:
        title, _, text = part.partition("\n")
        files = re.split(r"^--- (\S+)\n", text, flags=re.MULTILINE)[1:]
        yield title, dict(zip(files[::2], files[1::2], strict=True))


def measured() -> tuple[float, float, float, list[str]]:
    """(recall, precision, share of right severities, what was wrong)."""
    hits = wanted = alarms = right = 0
    wrong: list[str] = []
    for title, files in cases():
        marks = {}
        for path, source in files.items():
            for number, text in enumerate(source.splitlines(), 1):
                words = match[1].split() if (match := MARK.search(text)) else []
                marks.update({(path, number, rule): said for rule, said in zip(words[::2], words[1::2], strict=True)})
        reports = [analyse(path, source.encode()) for path, source in files.items()]
        assert not any(report.crashed or report.problem for report in reports), title
        verdict = settle(reports, ProjectEvidence(), GateOptions(select=("audit",)))
        wanted += len(marks)
        for finding in verdict.findings:
            near = [(finding.path, finding.line + by, finding.rule) for by in (0, -1, 1)]
            key = next((one for one in near if one in marks), None)
            if key is None:
                alarms += 1
                wrong.append(f"{title}: {finding.path}:{finding.line} {finding.rule} {finding.severity} is not wanted")
                continue
            said = marks.pop(key)
            hits += 1
            right += said == finding.severity
            if said != finding.severity:
                wrong.append(f"{title}: {finding.rule} is {finding.severity}, wanted {said}")
        wrong += [f"{title}: {rule} at {path}:{line} was missed" for path, line, rule in marks]
    return hits / wanted, hits / (hits + alarms), right / hits, wrong


def test_audit_rules_find_what_is_there_and_little_else() -> None:
    recall, precision, severity, wrong = measured()

    assert (recall >= 0.9, precision >= 0.9, severity >= 0.85) == (True, True, True), wrong

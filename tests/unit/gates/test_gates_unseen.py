"""Every family of gates on code that none of their examples come from: recall and precision, family by family.

A case is a small project; `# bad: rule …` behind a line says what has to be found there, and every other finding of a
rule that its file is about is a false alarm. The marks are cut off before the rules look.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.config import Config
from cockpit.findings.options import options_of
from cockpit.findings.outcome import outcome_of
from cockpit.findings.project import Project

FAMILIES = sorted((Path(__file__).parents[1] / "data" / "gates").glob("*.txt"))
SECURITY = sorted((Path(__file__).parents[1] / "data" / "gates" / "security").glob("*.txt"))
MARK = re.compile(r"  # bad: ([\w -]+)$", re.MULTILINE)
WHOLE_FUNCTION = {"test-not-aaa", "missing-type-hints"}


def cases(family: Path) -> Iterator[tuple[str, dict[str, str]]]:
    for part in re.split(r"^=== ", family.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        title, _, text = part.partition("\n")
        files = re.split(r"^--- (\S+)\n", text, flags=re.MULTILINE)[1:]
        yield title, dict(zip(files[::2], files[1::2], strict=True))


def reach(source: str, path: str, line: int, rule: str) -> range:
    """The lines where a finding counts for a mark."""
    if rule in WHOLE_FUNCTION and path.endswith(".py"):
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.lineno <= line <= (
                node.end_lineno or 0
            ):
                return range(node.lineno, (node.end_lineno or 0) + 1)
    return range(line - 1, line + 2)


def measured(family: Path, place: Path) -> tuple[float, float, list[str]]:
    """(recall, precision, what was wrong)."""
    hits = alarms = 0
    wrong: list[str] = []
    about = {rule for said in MARK.findall(family.read_text("utf-8")) for rule in said.split()}
    for number, (title, files) in enumerate(cases(family)):
        root, marks = place / str(number), list[tuple[str, int, str, range]]()
        for path, source in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(bare := MARK.sub("", source), "utf-8")
            for line, text in enumerate(source.splitlines(), 1):
                for rule in (match[1] if (match := MARK.search(text)) else "").split():
                    marks.append((path, line, rule, reach(bare, path, line, rule)))
        project = Project(root, Config(), options=options_of(Config(), isolated=True), in_process=True)
        for _ in project.scan():
            pass
        outcome = outcome_of(project)
        assert not outcome.problems, (title, outcome.problems)
        rows = [
            (row.path, row.line, rule, rule == row.rule) for row in outcome.findings for rule in (row.rule, *row.also)
        ]
        for path, line, rule, lines in marks:
            found = any((at, name) == (path, rule) and where in lines for at, where, name, _ in rows)
            hits += found
            if not found:
                wrong.append(f"{title}: {rule} at {path}:{line} was missed")
        for at, where, name, own in rows:
            if own and name in about and not any((at, name) == mark[::2][:2] and where in mark[3] for mark in marks):
                alarms += 1
                wrong.append(f"{title}: {name} at {at}:{where} is a false alarm")
    wanted = hits + sum(text.endswith("missed") for text in wrong)
    return hits / wanted, hits / (hits + alarms), wrong


@pytest.mark.parametrize("family", FAMILIES, ids=lambda path: path.stem)
def test_a_family_of_gates_finds_what_is_there_and_nothing_else(family: Path, tmp_path: Path) -> None:
    recall, precision, wrong = measured(family, tmp_path)

    assert (recall >= 0.9, precision >= 0.95) == (True, True), wrong


@pytest.mark.parametrize("family", SECURITY, ids=lambda path: path.stem)
def test_what_is_said_about_security_is_true_line_by_line(family: Path, tmp_path: Path) -> None:
    _, _, wrong = measured(family, tmp_path)

    assert wrong == []

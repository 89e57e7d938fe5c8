"""Comments that silence, judged themselves: each needs a reason, and something to silence."""

from collections.abc import Iterator, Mapping

from skills.gates.engine.fingerprints import on_line
from skills.gates.example_files import one_file
from skills.gates.model import Candidate, FileReport, Suppression
from skills.gates.project import Project
from skills.gates.rule import Rule

UNUSED = "unused-suppression"
WITHOUT_REASON = "suppression-without-reason"


def _own(project: Project) -> Iterator[tuple[FileReport, Suppression]]:
    for report in project.reports:
        for comment in report.suppressions:
            if not comment.foreign:
                yield report, comment


def _without_reason(project: Project) -> Iterator[tuple[FileReport, Candidate]]:
    for report, comment in _own(project):
        if not comment.reason:
            words = f"ignore[{', '.join(comment.rules)}]"
            problem = "gives no reason" if comment.rules else "names no rule"
            yield report, _candidate(WITHOUT_REASON, report, comment, words, f"{words} {problem}: it silences nothing")


def _unused(project: Project, rules: Mapping[str, Rule]) -> Iterator[tuple[FileReport, Candidate]]:
    for report, comment in _own(project):
        for name in comment.rules if comment.reason else ():
            message = _idle(name, report, comment, project, rules)
            if message:
                yield report, _candidate(UNUSED, report, comment, name, message)


def _idle(name: str, report: FileReport, comment: Suppression, project: Project, rules: Mapping[str, Rule]) -> str:
    """Why a comment silences nothing by this name, "" where it does or nobody can tell."""
    if "/" in name or name in project.options.tools or name in (UNUSED, WITHOUT_REASON):
        return ""  # findings of other tools are not known here
    rule = rules.get(name)
    nearby = [found for found in report.candidates if comment.covers(found.line, *found.parts)]
    if rule is None and not any(name in found.also for found in nearby):
        import difflib  # seldom needed, and every start pays for an import

        close = difflib.get_close_matches(name, rules, 1)
        return f"no rule is called {name}" + (f"; did you mean {close[0]}?" if close else "")
    if any(name == crashed for crashed, _ in report.crashed):
        return ""
    if rule is not None and (rule.survey is not None or _out_of_force(rule, project)):
        return ""
    for found in nearby:
        if found.rule == name or name in found.also:
            of = rules[found.rule]
            if _out_of_force(of, project) or of.holds(found, report, project) is not None:
                return ""
    return f"ignore[{name}] silences nothing here"


def _out_of_force(rule: Rule, project: Project) -> bool:
    """True where a rule does not apply to the project or its profile: its comments may be for another day."""
    if rule.profiles is not None and project.options.profile not in rule.profiles and not project.options.isolated:
        return True
    return rule.applies(project) is not None


def _candidate(rule: str, report: FileReport, comment: Suppression, words: str, message: str) -> Candidate:
    return on_line(rule, report.path, comment.at or comment.line, message, text=f"{words}\0{comment.reason}")


_MOCKED = "def test_total(mocker):\n    assert mocker.Mock()\n"

RULES = (
    Rule(
        name=UNUSED,
        gate="P2",
        severity="LOW",
        skill="pre-commit-guardian",
        sources=("BN-S7",),
        catches="Ignore comments that silence nothing, or name a rule that does not exist.",
        why="It hides the next real finding on that line, and readers believe that something is wrong there.",
        fix="Remove the comment, or correct the name of the rule.",
        when="Always; rules that do not apply to the project leave their comments alone.",
        watches=(),
        bad=one_file(
            "apps/orders/clean.py",
            "TOTAL = 1  # cockpit: ignore[hardcoded-secret] it is no password\n",
            "TOTAL = 1  # cockpit: ignore[hardcoded-sekret] it is no password\n",
        ),
        good=one_file("apps/orders/plain.py", "TOTAL = 1\n", "TOTAL = 1  # cockpit: ignore[ruff/E501] a long table\n"),
        review=_unused,
    ),
    Rule(
        name=WITHOUT_REASON,
        gate="P2",
        severity="MEDIUM",
        skill="pre-commit-guardian",
        sources=("BN-S7",),
        catches="Ignore comments without a reason or without a rule: they silence nothing.",
        why="Whoever reads it next cannot tell an accepted exception from a shortcut.",
        fix="Write the reason after the bracket: # cockpit: ignore[rule] reason",
        when="Always.",
        watches=(),
        bad=one_file(
            "tests/test_total.py",
            _MOCKED.replace("()\n", "()  # cockpit: ignore[bare-mock]\n"),
            _MOCKED.replace("()\n", "()  # cockpit: ignore\n"),
            _MOCKED.replace("()\n", "()  # cockpit: ignore all of it\n"),
        ),
        good=one_file(
            "tests/test_total.py",
            _MOCKED.replace("()\n", "()  # cockpit: ignore[ruff/S101] a test\n"),
            _MOCKED.replace("()\n", "()  # what a cockpit: ignore comment says\n"),
        ),
        survey=_without_reason,
    ),
)

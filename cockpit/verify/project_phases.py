"""Phases that every lane has: environment, quality, tests and coverage, security, performance, assets, diff review."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from cockpit.findings.outcome import NOTHING, outcome_of
from cockpit.findings.parts import OutsideAnswer
from cockpit.findings.tools import known_tools
from cockpit.plain_text import plain_text
from cockpit.programs import Ran
from cockpit.verify.change import Change
from cockpit.verify.place import SECONDS, Place, answer_of, not_applicable, not_run
from cockpit.verify.requests import BOOT, PLUGIN, counting, request_counts
from skills.gates.model import Check, Status
from skills.verify.diff_review import review, unmigrated
from skills.verify.model import Answer
from skills.verify.pytest_output import collection_errors, how_far
from skills.workflow.sweep import judged, title_of

_ENV_NAME = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=", re.MULTILINE)
_PERFORMANCE = ("n-plus-one", "query-in-loop", "unordered-queryset", "filter-in-python", "unindexed-filter")
_SUMMARY = re.compile(r"\d+ (?:passed|failed|skipped|error)")


def environment(place: Place) -> Iterator[Answer]:
    """Phase 1: the interpreter, the virtual environment, the names that `.env.example` asks for."""
    asked = str(place.table("project").get("requires-python") or "")
    title = "The Python version fits"
    if not asked:
        yield not_applicable(1, "python", title, f"no requires-python; {place.python_version} is there")
    else:
        from packaging.specifiers import InvalidSpecifier, SpecifierSet

        try:
            fits = SpecifierSet(asked).contains(place.python_version)
            said = f"{place.python_version}, {plain_text(asked, 40)} is asked for"
            yield Answer(1, "python", title, "pass" if fits else "fail", said)
        except InvalidSpecifier:
            yield not_run(1, "python", title, f"requires-python {plain_text(asked, 40)!r} is no version specifier")
    title = "There is a virtual environment"
    if place.venv is not None:
        yield Answer(1, "venv", title, "pass", plain_text(place.venv.name, 60))
    else:
        yield Answer(1, "venv", title, "fail", "make one, e.g. python3 -m venv .venv", required=False)
    yield _env_names(place)


def _env_names(place: Place) -> Answer:
    import os

    title = "Every name of .env.example is set"
    example = place.text(".env.example")
    if not example:
        return not_applicable(1, "env-names", title, "no .env.example")
    asked = list(dict.fromkeys(_ENV_NAME.findall(example)))
    given = {*_ENV_NAME.findall(place.text(".env")), *os.environ}
    missing = [name for name in asked if name not in given]
    if missing:
        return Answer(1, "env-names", title, "fail", "missing " + ", ".join(missing[:8]), len(missing))
    return Answer(1, "env-names", title, "pass", f"{len(asked)} names")


def quality(place: Place) -> Iterator[Answer]:
    """Phase 2: types, lint, one formatter, import order where it is configured. Nothing is rewritten."""
    tool, ruff = place.table("tool"), place.outcome.check("ruff")
    if "mypy" in place.dependencies or "mypy" in tool or (place.root / "mypy.ini").is_file():
        yield tool_answer(place, 2, "mypy", "Types hold (mypy)")
    elif "pyright" in place.dependencies or "pyright" in tool:
        yield tool_answer(place, 2, "pyright", "Types hold (pyright)")
    else:
        yield not_applicable(2, "types", "Types hold", "no type checker is configured")
    yield _from_check(2, "ruff", "Lint passes (ruff check)", ruff)
    if "black" in place.dependencies or "black" in tool:
        yield _formatter(place, "black", ["--check", "--quiet", "."], "black --check .")
    elif ruff.status != "not_applicable":
        yield _formatter(place, "ruff", ["format", "--check", "--no-cache", "--quiet", "."], "ruff format --check .")
    else:
        yield not_applicable(2, "format", "The code is formatted", "no formatter is configured")
    if "isort" in tool or (place.root / ".isort.cfg").is_file():
        title, program = "Imports are sorted (isort)", place.program("isort")
        ran = _absent("isort")
        if program:
            ran = place.cancel.run([program, "--check-only", "-q", "."], place.root, SECONDS, place.python_path)
        yield answer_of(2, "isort", title, ran, detail="some are not", command="isort --check-only .")
    yield _gates(place)


def _formatter(place: Place, name: str, words: list[str], shown: str) -> Answer:
    title, program = f"The code is formatted ({name})", place.program(name)
    ran = place.cancel.run([program, *words], place.root, SECONDS, place.python_path) if program else _absent(name)
    return answer_of(2, "format", title, ran, detail=f"{shown} names what is not", command=shown)


def _absent(name: str) -> Ran:
    return Ran(why=f"{name} is not installed")


def _gates(place: Place) -> Answer:
    title = "The P0 gates hold"
    gate = next((gate for gate in place.outcome.gates if gate.gate == "P0"), None)
    if gate is None:
        return not_run(2, "gates", title, "the check did not answer")
    detail = f"{gate.count} found: cockpit check shows them" if gate.count else ""
    if gate.status == "not_run":
        blind = next(check for check in place.outcome.checks if check.status == "not_run")  # those of P0 stand first
        detail = f"{blind.rule}: {plain_text(blind.reason, 160)}"
    elif gate.status == "not_applicable":
        detail = "no rule of P0 applies" if place.outcome.files.seen else NOTHING
    return Answer(2, "gates", title, gate.status, detail, gate.count, command="cockpit check")


def tests(place: Place) -> Iterator[Answer]:
    """Phase 4: the tests, and what they cover against the profile's targets."""
    title = "All tests pass"
    has_tests = any(report.role == "test" for report in place.project.reports.values())
    if not has_tests:
        yield Answer(4, "tests", title, "fail", "the project has no tests")
    elif "pytest" in place.dependencies or _pytest_is_configured(place) or place.manage is None:
        yield _pytest(place, title)
    elif place.refused:
        yield not_run(4, "tests", title, place.refused)
    else:
        words = [place.python, "-c", BOOT, str(place.manage), "test", "--noinput"]
        ran = place.cancel.run(words, place.manage.parent, SECONDS, counting(place), _telling(place))
        place.tests_ran = re.search(r"^Ran \d+ tests?", ran.err, re.MULTILINE) is not None
        yield replace(answer_of(4, "tests", title, ran, command="manage.py test"), detail=ran.why or ran.last_line)
    yield from _coverage(place)


def _telling(place: Place) -> Callable[[str], None]:
    """Says how far the tests are, wherever what they printed tells."""

    def heard(text: str) -> None:
        if far := how_far(text):
            place.said(far)

    return heard


def _pytest_is_configured(place: Place) -> bool:
    return "pytest" in place.table("tool") or (place.root / "pytest.ini").is_file()


def _pytest(place: Place, title: str) -> Answer:
    tool = known_tools(place.config)["pytest"]
    with place.cancel.ended_by(place.tools.cancel):
        ran = place.tools.ran(tool, ("-p", PLUGIN), {} if place.refused else counting(place), _telling(place))
    if ran.why:
        return not_run(4, "tests", title, ran.why)
    lines = [line for line in ran.out.splitlines() if _SUMMARY.search(line)]
    said = plain_text(lines[-1].strip("= "), 120) if lines else ran.last_line
    place.tests_ran = ran.code in (0, 1)
    if ran.code not in (0, 1):
        errors = collection_errors(f"{ran.out}\n{ran.err}")
        said = (
            f"{len(errors)} files could not be read: {errors[0]}" if len(errors) > 1 else errors[0] if errors else said
        )
        answer = not_run(4, "tests", title, plain_text(f"exit {ran.code}: {said}", 240))
        return replace(answer, command="pytest", places=tuple(plain_text(one, 240) for one in errors))
    if "--nomigrations" in place.text("pytest.ini") + place.text("pyproject.toml") + place.text("setup.cfg"):
        said += " · migrations not exercised (--nomigrations)"
    found = place.tools.read(tool, ran)
    places = tuple(f"{f.path}:{f.line}" for row in found.findings.values() for f in row)
    return Answer(4, "tests", title, "fail" if ran.code else "pass", said, len(places), command="pytest", places=places)


def _coverage(place: Place) -> Iterator[Answer]:
    title = "Coverage meets its targets"
    place.project.read_manifests()
    outcome = outcome_of(place.project)
    check = next((check for check in outcome.checks if check.rule == "missing-coverage"), None)
    if check is None:
        yield not_run(4, "coverage", title, "the rule missing-coverage is switched off")
        return
    found = [f for f in outcome.findings if f.rule == "missing-coverage" and f.suppressed is None]
    detail = found[0].message if found else check.reason or ""
    yield Answer(4, "coverage", title, check.status, plain_text(detail, 160), check.count)


def security(place: Place) -> Iterator[Answer]:
    """Phase 5, the part of all lanes: the sweep. A vulnerability that nothing mends yet is shown and does not block."""
    from cockpit.sweep.run import Sweep

    sweep = Sweep(place.root, place.config, said=place.said)
    sweep.cancel = place.cancel
    for check in sweep.answers():
        check = judged(check, block_at="fixable")
        places = tuple(
            f"{finding.path}{f':{finding.line}' if finding.line else ''} {finding.message}"[:160]
            for finding in check.findings
        )
        detail = f"{len(places)} found" if places else check.reason or ""
        required = check.check != "permissions" and (check.status == "not_run" or check.blocking)
        title, count = title_of(check.check), len(places)
        yield Answer(5, check.check, title, check.status, plain_text(detail, 160), count, required, "", places)


def performance(place: Place) -> Iterator[Answer]:
    """Phase 7: queries in loops, lists without an order, filters without an index, from the code; and what the requests
    of the tests asked the database, measured."""
    known = {check.rule: check for check in place.outcome.checks}
    for rule in _PERFORMANCE:
        if rule in known:
            answer = _from_check(7, rule, f"No {rule}", known[rule])
            yield replace(answer, required=False)
    yield from request_counts(place, place.tests_ran)


def diff_review(place: Place, change: Change) -> Iterator[Answer]:
    """Phase 12: debuggers, notes, prints and DEBUG in the added lines; fields without their migration."""
    if change.why:
        yield not_run(12, "added-lines", "The added lines are clean", change.why)
        return
    if not change.added:
        yield not_applicable(12, "added-lines", "The added lines are clean", f"no line is added {change.about}")
        return
    marks = review(change.added)
    critical, minor = [m for m in marks if m.critical], [m for m in marks if not m.critical]
    for check, title, some, required in (
        ("added-lines", "No debugger, no DEBUG = True is added", critical, True),
        ("notes", "No note to come back, no print is added", minor, False),
    ):
        places = tuple(f"{plain_text(m.added.path)}:{m.added.line} {m.what}" for m in some)
        detail = f"{len(places)} in {len(change.added)} added lines" if places else change.about
        yield Answer(12, check, title, "fail" if places else "pass", detail, len(places), required, places=places)
    bare = unmigrated(change.paths, change.added)
    places = tuple(f"{plain_text(line.path)}:{line.line}" for line in bare)
    title, detail = "Every changed model brings its migration", "fields are added without one" if places else ""
    status: Status = "fail" if places else "pass"
    if place.lane == "django":
        yield Answer(12, "model-migrations", title, status, detail, len(places), required=False, places=places)


def tool_answer(place: Place, phase: int, name: str, title: str) -> Answer:
    """The answer of one of the built-in tools."""
    with place.cancel.ended_by(place.tools.cancel):
        answer: OutsideAnswer = place.tools.answer(known_tools(place.config)[name])
    if answer.check.status == "not_run":
        return not_run(phase, name, title, answer.check.reason or "")
    found = [f for rows in answer.findings.values() for f in rows]
    places = tuple(f"{f.path}:{f.line} {f.message}"[:160] for f in found)
    detail = f"{len(found)} found" if found else ""
    return Answer(phase, name, title, "fail" if found else "pass", detail, len(found), command=name, places=places)


def _from_check(phase: int, check: str, title: str, answer: Check) -> Answer:
    detail = f"{answer.count} found: cockpit check shows them" if answer.count else answer.reason or ""
    return Answer(phase, check, title, answer.status, plain_text(detail, 160), answer.count, command="cockpit check")

"""The six gates of a feature, judged by its files, its observers, the sweep, the checks, and a person's word."""

import ast
import json
import re
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

from cockpit.bench.feature import OWN, changes, own_change, plan, schema_paths, stamps, texts, trees
from cockpit.bench.observe import blockers_of, observe_all
from cockpit.bench.rollback import note_gate
from cockpit.bench.shared import home_of, text_of
from cockpit.config import Config
from cockpit.errors import CannotAnswer
from cockpit.files import read_regular
from cockpit.git_command import GitFailed, git
from cockpit.plain_text import plain_text
from cockpit.repository import Repository
from skills.gates.engine.roles import is_test_path
from skills.gates.engine.walk import parse
from skills.gates.model import Check as Answered
from skills.gates.model import Status
from skills.workflow.feature import Feature, answers, passed
from skills.workflow.feature_text import SCHEMA, SHIP, contract_checks
from skills.workflow.process import Check
from skills.workflow.quality import (
    MIN_COVERAGE,
    MIN_TYPED,
    MOST_COMPLEXITY,
    MOST_DUPLICATION,
    MOST_LINT,
    complexities,
    duplication,
    measure,
    typed_share,
)
from skills.workflow.rollback import readiness
from skills.workflow.sweep import judged, title_of

_TABLE = re.compile(r"create\s+table\s+(?:if\s+not\s+exists\s+)?[\"`]?([\w.]+)", re.IGNORECASE)
_DOCS = re.compile(r"(?:^|/)(?:README|CHANGELOG)\b|^docs/(?!features/|research/|costs/)", re.IGNORECASE)


def judge(repository: Repository, config: Config, feature: Feature, gate: str) -> list[Check]:
    """The conditions of a gate, each answered. Nothing is written. Raises `CannotAnswer`."""
    made: Mapping[str, Callable[[Repository, Config, Feature], list[Check]]] = {
        "contract": _contract,
        "schema": _schema,
        "parallel": _parallel,
        "security": _security,
        "quality": _quality,
        "ship": _ship,
    }
    return made[gate](repository, config, feature)


def items_of(gate: str) -> tuple[str, ...]:
    """The items of a gate that a person may answer."""
    if gate == "schema":
        return tuple(name for name, _ in SCHEMA)
    if gate == "ship":
        return tuple(name for name, _, _, _ in SHIP if name not in ("tests", "security"))
    return ("bundle",) if gate == "quality" else ()


def _contract(repository: Repository, config: Config, feature: Feature) -> list[Check]:
    said, agreed, contract = texts(repository, feature)
    try:
        tasks = len(plan(repository, feature.id)[0].tasks)
    except CannotAnswer as problem:
        rows = contract_checks(said, agreed, contract, 0)
        return [*rows[:-1], Check("tasks", rows[-1].title, "fail", plain_text(problem, 200))]
    return contract_checks(said, agreed, contract, tasks)


def _schema(repository: Repository, config: Config, feature: Feature) -> list[Check]:
    sources: dict[str, str] = {}
    for (_, place, _), change in zip(trees(repository, feature), changes(repository, feature).values(), strict=True):
        if change.why:
            return [Check("change", "The change can be read", "not_run", change.why)]
        for path in schema_paths(change.paths):
            sources[path] = text_of(place.root, path) if (place.root / path).is_file() else ""
    if not sources:
        return [Check("schema", "The change touches no schema", "not_applicable", "no migration, model or SQL file")]
    rows = answers(feature, SCHEMA, stamps(repository, feature)["schema"])
    bare = _tables_without_security(sources)
    ways = {path: text for path, text in sources.items() if "/migrations/" in f"/{path}" and path.endswith(".py")}
    back = next(item for item in readiness((), ways, ()) if item.id == "migrations")
    for number, row in enumerate(rows):
        if row.id == "rls" and bare:
            rows[number] = Check(row.id, row.title, "fail", f"without row level security: {', '.join(bare[:5])}")
        if row.id == "way-back" and back.status == "fail":
            rows[number] = Check(row.id, row.title, "fail", f"one way only: {back.detail}")
    return rows


def _tables_without_security(sources: Mapping[str, str]) -> list[str]:
    text = "\n".join(text for path, text in sources.items() if path.endswith(".sql"))
    return [
        name
        for name in dict.fromkeys(_TABLE.findall(text))
        if not re.search(
            rf"alter\s+table\s+(?:only\s+)?[\"`]?{re.escape(name)}[\"`]?\s+enable\s+row\s+level", text, re.I
        )
    ]


def _parallel(repository: Repository, config: Config, feature: Feature) -> list[Check]:
    feature, _ = observe_all(repository, feature.id)
    known = plan(repository, feature.id)[0]
    left = [f"#{one.id}" for one in known.tasks if not one.done]
    dirty, apart = [], []
    for name, place, _ in trees(repository, feature):
        if _changed(place.root):
            dirty.append(name)
    for made in feature.worktrees:
        ref = f"refs/heads/{made.branch}"
        there = _git(repository.root, "rev-parse", "--verify", "--quiet", ref).strip()
        if there and _git(repository.root, "rev-list", "--count", f"HEAD..{ref}").strip() != "0":
            apart.append(made.branch)
    held = blockers_of(feature)
    return [
        Check("blockers", "No observer's blocker is open", "fail" if held else "pass", held),
        _none("tasks", "Every task of the brief is ticked", left, "open: "),
        _none("committed", "Everything is committed", dirty, "changed: "),
        _none(
            "merged",
            "Every worktree's branch is in what is checked out",
            apart,
            f"cockpit worktree merge NAME --into integration/{feature.id}, then check that out: ",
        ),
    ]


def _none(name: str, title: str, found: list[str], lead: str) -> Check:
    return Check(name, title, "fail" if found else "pass", lead + ", ".join(found[:6]) if found else "")


def _security(repository: Repository, config: Config, feature: Feature) -> list[Check]:
    from cockpit.sweep.run import Sweep

    rows = []
    for check in Sweep(repository.root, config).run():
        if check.check == "permissions":
            continue
        known = judged(check, block_at=config.sweep.block_at, strict=True)
        status: Status = known.status if known.blocking or known.status != "fail" else "pass"
        found = [f"{one.path}:{one.line or ''} {one.message}".replace(": ", " ") for one in known.findings]
        detail = f"{len(found)} found, e.g. {found[0]}" if found else known.reason or ""
        rows.append(Check(known.check, title_of(known.check), status, plain_text(detail, 160)))
    feature, _ = observe_all(repository, feature.id)
    held = blockers_of(feature)
    rows.append(Check("observers", "No observer's blocker is open", "fail" if held else "pass", held))
    return [*rows, _coverage(repository)]


def _coverage(repository: Repository) -> Check:
    from cockpit.findings.coverage import read_coverage
    from cockpit.findings.discovery import discover

    report = read_coverage(repository.root, discover(repository.root, ()).files)
    why = "no coverage.json: cockpit check --tools pytest, or coverage run and coverage json"
    percent = None
    if report is not None:
        why = report.outdated
        whole = sum(one.statements for one in report.files.values())
        percent = sum(one.covered for one in report.files.values()) / whole * 100 if whole and not why else None
    return measure("coverage", "Coverage in percent", percent, MIN_COVERAGE, least=True, why=why)


def _quality(repository: Repository, config: Config, feature: Feature) -> list[Check]:
    from cockpit.findings.discovery import discover
    from cockpit.findings.once import CheckRequest, check_now

    root = repository.root
    outcome, _ = check_now(root, config, CheckRequest())
    names = [name for name in discover(root, config.checks.exclude).files if name.endswith(".py")]
    sources = {
        name: _source(root, name) for name in names if not is_test_path(name) and "/migrations/" not in f"/{name}"
    }
    change = own_change(repository, feature)
    touched = {path: sources[path] for path in change.paths if path in sources}
    lines = {(added.path, added.line) for added in change.added}
    twice, places = duplication(sources)
    rows = [_coverage(repository)]
    if not sources:
        rows.append(Check("duplication", "Duplicated lines in percent", "not_applicable", "no Python code"))
    else:
        rows.append(measure("duplication", "Duplicated lines in percent", twice or 0.0, MOST_DUPLICATION, least=False,
                            why=", ".join(places[:3])))  # fmt: skip
    rows += _shape(touched, lines, change.why)
    rows.append(_lint(outcome.check("ruff")))
    return [*rows, *_bundle(repository, feature)]


def _shape(touched: Mapping[str, str], lines: set[tuple[str, int]], why: str) -> list[Check]:
    """Complexity and types of the files that the change touches; complexity only of functions with added lines."""
    titles = (("complexity", "Highest complexity of a changed function"), ("types", "Types in changed files, percent"))
    if why or not touched:
        status: Status = "not_run" if why else "not_applicable"
        return [Check(name, title, status, why or "no Python code in the change") for name, title in titles]
    trees_, most, where = [], 0, ""
    for path, text in touched.items():
        tree, problem = parse(text.encode("utf-8", "replace"))
        if tree is None:
            why = f"{path} cannot be read: {problem.message if problem else ''}"
            return [Check(name, title, "not_run", why) for name, title in titles]
        trees_.append(tree)
        ends = {node.lineno: node.end_lineno or node.lineno for node in ast.walk(tree)
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}  # fmt: skip
        for value, line, name in complexities(tree):
            if value > most and any((path, at) in lines for at in range(line, ends[line] + 1)):
                most, where = value, f"{path}:{line} {name}"
    share = typed_share(trees_)
    typed = (
        Check("types", titles[1][1], "not_applicable", "no function in the changed files")
        if share is None
        else measure("types", titles[1][1], share, MIN_TYPED, least=True)
    )
    return [measure("complexity", titles[0][1], float(most), MOST_COMPLEXITY, least=False, why=where), typed]


def _lint(said: Answered) -> Check:
    if said.status in ("not_run", "not_applicable"):
        return Check("lint", "Errors of the linter", said.status, plain_text(said.reason or "", 160))
    return measure("lint", "Errors of the linter", float(said.count), MOST_LINT, least=False)


def _bundle(repository: Repository, feature: Feature) -> list[Check]:
    title = "The bundle grew by 5 % at most"
    try:
        package = json.loads(text_of(repository.root, "package.json") or "{}")
        scripts = package.get("scripts") if isinstance(package, dict) else None
    except ValueError:
        return [Check("bundle", title, "not_run", "package.json is no JSON")]
    if not isinstance(scripts, dict) or "build" not in scripts:
        return [Check("bundle", title, "not_applicable", "nothing is bundled here")]
    return answers(feature, [("bundle", title)], stamps(repository, feature)["quality"])


def _ship(repository: Repository, config: Config, feature: Feature) -> list[Check]:
    from cockpit.verify.run import verify

    known = stamps(repository, feature)
    verification, _ = verify(repository, config, base=config.base)
    by_check = {one.check: one for one in verification.answers}
    change = own_change(repository, feature)
    said = {row.id: row for row in answers(feature, [(name, title) for name, _, title, _ in SHIP], known["ship"])}
    rows = []
    for name, _, title, _ in SHIP:
        row = said[name]
        if name == "tests":
            found = by_check.get("tests")
            row = Check(name, title, found.status if found else "not_run", found.detail if found else "")
        elif name == "security":
            green = passed(feature, "security", known)
            row = Check(name, title, "pass" if green else "fail", "" if green else "cockpit feature gate security")
        elif row.status == "not_run":
            row = _worked_out(name, title, row, change.paths, verification.answers, texts(repository, feature)[2])
        rows.append(row)
    return rows


def _worked_out(name: str, title: str, row: Check, paths: tuple[str, ...], answered: tuple, contract: object) -> Check:  # type: ignore[type-arg]
    """An item that the change or the checks answer, where no person did; else as it was."""
    if name == "docs" and (found := [path for path in paths if _DOCS.search(path)]):
        return Check(name, title, "pass", ", ".join(found[:3]))
    if name == "queries":
        slow = [one.check for one in answered if one.phase == 7 and one.status == "fail"]
        looked = any(one.phase == 7 and one.status in ("pass", "fail") for one in answered)
        if slow or looked:
            return Check(name, title, "fail" if slow else "pass", ", ".join(slow))
        return Check(name, title, "not_applicable", "no database layer was found")
    if name == "database-back" and not schema_paths(paths):
        return Check(name, title, "not_applicable", "the change touches no schema")
    if name == "api-docs" and not getattr(contract, "interfaces", None):
        return Check(name, title, "not_applicable", "the contract has no interface")
    return row


def tag(repository: Repository, feature: Feature, names: list[str], today: date) -> list[str]:
    """Tag what is checked out, after every gate is green: `stable` stands for `stable-<date>`. The tags made.

    Raises `CannotAnswer` where a gate is not green for exactly this commit, or a tag exists elsewhere.
    """
    root, known = repository.root, stamps(repository, feature)
    if not passed(feature, "ship", known):
        raise CannotAnswer("nothing is tagged before every gate is green", "cockpit feature ship-check")
    if _changed(root):
        raise CannotAnswer("what is checked out is not committed", "a tag is of a commit: commit first")
    head, made = _git(root, "rev-parse", "HEAD").strip(), []
    for name in names:
        wanted = f"stable-{today.isoformat()}" if name == "stable" else name
        options = (wanted, *(f"{wanted}-{n}" for n in range(2, 100))) if name == "stable" else (wanted,)
        for option in options:
            there = _git(root, "rev-parse", "--verify", "--quiet", f"refs/tags/{option}^{{commit}}").strip()
            if there == head:
                made.append(option)
                break
            if not there:
                try:
                    git(root, "tag", "-a", "-m", f"{feature.title}: every gate was green", "--", option, head)
                except GitFailed as problem:
                    raise CannotAnswer(f"{plain_text(option, 60)}: {plain_text(problem.line, 160)}") from None
                made.append(option)
                break
        else:
            raise CannotAnswer(f"the tag {plain_text(wanted, 60)} is on another commit", "choose another name")
    note_gate(repository.common_dir, head, f"ship of {feature.title}")
    return made


def _changed(root: Path) -> bool:
    """Whether anything but the process's own files is changed or new. Raises `CannotAnswer`."""
    try:
        return bool(git(root, "status", "--porcelain", "--", ".", *OWN).strip())
    except GitFailed as problem:
        raise CannotAnswer(f"{plain_text(root, 120)}: {plain_text(problem.line, 120)}") from None


def branches_of(repository: Repository, feature: Feature) -> frozenset[str]:
    """The branches whose spend belongs to the feature: those of its worktrees, its own, and the one it is merged in."""
    names = {made.branch for made in feature.worktrees} | {f"feature/{feature.id}", f"integration/{feature.id}"}
    current = _git(home_of(repository, feature), "symbolic-ref", "--quiet", "--short", "HEAD").strip()
    if not feature.worktrees and current:
        names.add(current)
    return frozenset(names)


def _git(root: Path, *words: str) -> str:
    try:
        return git(root, *words)
    except GitFailed:
        return ""


def _source(root: Path, name: str) -> str:
    try:
        return read_regular(root / name).decode("utf-8-sig", "replace")  # Python takes a byte order mark, `ast` none
    except OSError:
        return ""

"""One verification from the first phase to the last, streamed. The work tree stays as it was, or that is said."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from hashlib import blake2b, file_digest
from pathlib import Path

from cockpit.config import Config
from cockpit.files import open_regular
from cockpit.findings.once import CheckRequest, check_now
from cockpit.git_command import GitFailed, git
from cockpit.phases.lanes import lane_evidence
from cockpit.plain_text import plain_text
from cockpit.repository import Repository
from cockpit.sweep.cancel import Cancel
from cockpit.trust import read_trust
from cockpit.verify import builds, django_phases, lane_phases, project_phases
from cockpit.verify.change import Change, read_change
from cockpit.verify.confirmations import read_confirmations
from cockpit.verify.place import Place
from skills.counted import counted
from skills.gates.model import Status
from skills.routing.catalogue import Lane
from skills.routing.lanes import choose_lane
from skills.spending.amount import percent
from skills.verify.diff_review import unstated
from skills.verify.guardrails import PHASE as GUARDRAIL
from skills.verify.guardrails import guardrail_answers
from skills.verify.model import PHASES, QUICK, Answer, Verification
from skills.verify.predeploy import Item, predeploy_items
from skills.workflow.sweep import CHECKS

Tell = Callable[[Answer], None]
_Phase = Callable[[], Iterator[Answer]]
_SWEEP: dict[str, int] = {name: place for place, name in enumerate(CHECKS)}


def verify(
    repository: Repository,
    config: Config,
    *,
    lane: Lane | None = None,
    quick: bool = False,
    base: str | None = None,
    tell: Tell = lambda answer: None,
    begin: Callable[[int], None] = lambda phase: None,
    said: Callable[[str], None] = lambda text: None,
    cancel: Cancel | None = None,
) -> tuple[Verification, list[Item]]:
    """Run the gate. `begin` is told each phase before it runs, `said` how far it is (from any thread, often), `tell`
    each answer as it comes; `cancel.cancel` from another thread ends what runs, and the rest answers not_run.

    Raises `CannotAnswer` where the repository cannot be checked at all.
    """
    begin(1)
    before = _fingerprint(repository.root)
    outcome, project = check_now(
        repository.root, config, CheckRequest(), lambda share: said(f"checked {percent(share)}")
    )
    trust = read_trust(repository.root, repository.common_dir)
    chosen = lane or choose_lane("", lane_evidence(repository)).lane
    place = Place(repository, config, trust, chosen, project, outcome, cancel or Cancel(), said)
    answers: list[Answer] = []
    try:
        change = read_change(repository, base)
        for phase, part in _parts(place, change, quick):
            begin(phase)
            for answer in map(_plain, part()):
                answers.append(answer)
                tell(answer)
    finally:
        place.close()
    for guardrail in (rails := list(map(_plain, _guardrails(place, change)))):
        tell(guardrail)
    if (moved := _fingerprint(repository.root)) != before:
        answers.append(_plain(_disturbed(before, moved)))
        tell(answers[-1])
    answers.sort(key=_order)
    head = _head(repository.root)
    items = [] if quick else predeploy_items(answers, read_confirmations(repository.root), head)
    return Verification(chosen, tuple(answers), quick, tuple(rails)), items


def _order(answer: Answer) -> tuple[int, int]:
    """By phase; the checks of the sweep, which answer side by side, in their own order before the others of theirs."""
    return answer.phase, _SWEEP.get(answer.check, len(_SWEEP))


def _plain(answer: Answer) -> Answer:
    """The answer with no control character in it: its words are those of tools, its places names of files."""
    places = tuple(plain_text(place) for place in answer.places)
    return replace(answer, title=plain_text(answer.title), detail=plain_text(answer.detail), places=places)


def _parts(place: Place, change: Change, quick: bool) -> Iterator[tuple[int, _Phase]]:
    """The phases that this lane has, in order."""
    django = place.lane == "django"
    parts: list[tuple[int, _Phase]] = [
        (1, partial(project_phases.environment, place)),
        (2, partial(project_phases.quality, place)),
        (4, partial(project_phases.tests, place)),
        (5, partial(project_phases.security, place)),
        (7, partial(project_phases.performance, place)),
        (8, partial(builds.assets, place)),
        (12, partial(project_phases.diff_review, place, change)),
    ]
    if django:
        parts += [
            (2, partial(django_phases.system_check, place)),
            (3, partial(django_phases.migrations, place)),
            (5, partial(django_phases.deployment, place)),
            (6, partial(django_phases.commands, place)),
            (9, partial(django_phases.configuration, place)),
            (11, partial(django_phases.schema, place)),
        ]
    if place.lane == "fastapi":
        parts.append((11, partial(lane_phases.openapi, place)))
    if place.lane == "ml" or place.text("promotion.toml"):
        parts.append((len(PHASES) + 1, partial(lane_phases.promotion, place)))
    for phase, part in sorted(parts, key=lambda pair: pair[0]):
        if not quick or phase in QUICK:
            yield phase, part


def _guardrails(place: Place, change: Change) -> list[Answer]:
    rails = guardrail_answers(place.outcome.checks)
    title = "Changes of scope are stated"
    if change.why:
        rails.append(Answer(GUARDRAIL, "G6", title, "not_run", change.why))
    elif not change.paths:
        rails.append(Answer(GUARDRAIL, "G6", title, "not_applicable", f"nothing is changed {change.about}"))
    else:
        marks = unstated(change.added, change.removed or {}, change.said)
        places = tuple(f"{mark.added.path}:{mark.added.line} {mark.what}" for mark in marks)
        what = ", ".join(dict.fromkeys(mark.what for mark in marks))
        detail = f"no commit message mentions: {what}" if marks else change.about
        status: Status = "fail" if marks else "pass"
        rails.append(Answer(GUARDRAIL, "G6", title, status, detail, len(marks), places=places))
    return sorted(rails, key=lambda answer: answer.check)


def _fingerprint(root: Path) -> dict[str, bytes]:
    """Every file that git knows or would take, with its content: what a check must leave as it was."""
    try:
        names = git(root, "ls-files", "-z", "-c", "-o", "--exclude-standard").split("\0")
    except GitFailed:
        return {}
    found: dict[str, bytes] = {}
    for name in names:
        path = root / name
        try:
            if name and path.is_file() and not path.is_symlink():
                with open_regular(path) as stream:
                    found[name] = file_digest(stream, lambda: blake2b(digest_size=16)).digest()
            elif name and path.is_symlink():
                found[name] = os.fsencode(path.readlink())
        except OSError:
            continue
    return found


def _disturbed(before: dict[str, bytes], after: dict[str, bytes]) -> Answer:
    names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    detail = f"the project's own checks or tests changed {counted(len(names), 'file')}, e.g. {names[0]}"
    return Answer(4, "tree", "The work tree is as it was", "fail", detail, len(names), places=tuple(names))


def _head(root: Path) -> str:
    try:
        return git(root, "rev-parse", "HEAD").strip()
    except GitFailed:
        return ""

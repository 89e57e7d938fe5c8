"""The draft of a day's end: what the session did, read from everywhere, for a person to edit before it is written.

Source: workflow orchestrator, end day (completed tasks, context).
"""

import json
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cockpit import clock
from cockpit.config import Config
from cockpit.day.context import open_blockers
from cockpit.day.end import end_report
from cockpit.day.gather import guarded
from cockpit.day.git_state import read_author
from cockpit.day.record import DayRecord, read_record
from cockpit.day.talk import Talk, read_talk
from cockpit.errors import CannotAnswer, cannot_read
from cockpit.files import read_regular
from cockpit.findings.models import Finding
from cockpit.git_command import GitFailed, git
from cockpit.plain_text import plain_text
from cockpit.repository import Repository
from skills.workflow.day import EndReport
from skills.workflow.handover import Handover, Metrics, Progress, entries, entry, read_json, read_markdown, tidy
from skills.workflow.learnings import Learning, from_commits, from_talk
from skills.workflow.sweep import without_secrets
from skills.workflow.tasks import Situation, queue, sections, tasks

CONTEXT = "PROJECT_CONTEXT.md"
CONTEXT_JSON = ".claude/context.json"
_LARGEST = 4_000_000
_MOST_DECISIONS = 20
_MOST_COMMITS = 100
_TOMORROW = 5
_TEST = re.compile(r"^\s*(?:async\s+)?def test_\w+|^\s*(?:it|test)\s*\(\s*['\"`]")


@dataclass(slots=True)
class Draft:
    """What would be written. `handover` and `learnings` may be changed; `confirmed` are the ids of learnings to keep.

    `before` holds the files as they are now, by name; `aside` names a context.json that is no JSON of ours.
    """

    report: EndReport
    handover: Handover
    began: datetime
    now: datetime
    record: DayRecord
    learnings: tuple[Learning, ...] = ()
    confirmed: set[str] = field(default_factory=set)
    before: dict[str, bytes] = field(default_factory=dict)
    others: dict[str, Any] = field(default_factory=dict)
    aside: bool = False
    notes: tuple[str, ...] = ()
    proposals: tuple[tuple[str, str], ...] = ()


def read_draft(repository: Repository, config: Config, *, findings: Iterable[Finding] | None = None) -> Draft:
    """Read what the session did. Raises `CannotAnswer` where the context files cannot be read at all."""
    now = clock.now()
    record = read_record(repository, now)
    notes: list[str] = [record.note] if record.note else []
    began, since = _began(record, now)
    root = repository.root
    before = _files(root)
    with ThreadPoolExecutor(4) as pool:
        report = pool.submit(end_report, repository, config, findings=findings)
        talk = pool.submit(read_talk, repository, began)
        found = guarded(lambda: _commits(root, began), "history", notes) or []
        said = guarded(talk.result, "transcripts", notes) or Talk()
        metrics = _metrics(root, found)
        told = report.result()
    old, others, aside = _old(before, notes)
    same_session = record.last is not None and bool(old.updated) and _is_after(old.updated, began)
    done = _completed(root, before, record, began, found[:_MOST_COMMITS], said, old, same_session=same_session)
    open_rows = tuple(row for row in old.in_progress if row.task not in done)
    handover = Handover(
        updated=now.astimezone().strftime("%Y-%m-%d %H:%M"),
        duration=_length(now - began) + since,
        completed=done,
        in_progress=(*open_rows, *_branches(told, open_rows)),
        blockers=old.blockers,
        decisions=old.decisions[-_MOST_DECISIONS:],
        tomorrow=_tomorrow(old, done, before, now),
        metrics=metrics,
    )
    if len(found) > _MOST_COMMITS:
        notes.append(f"{len(found) - _MOST_COMMITS} earlier commits of the session are not listed: git log tells them")
    if len(old.decisions) > _MOST_DECISIONS:
        notes.append(f"{len(old.decisions) - _MOST_DECISIONS} older decisions stay in the backup only")
    return Draft(
        report=told,
        handover=tidy(handover),
        began=began,
        now=now,
        record=record,
        learnings=_learnings(found, said),
        before=before,
        others=others,
        aside=aside,
        notes=tuple(notes),
        proposals=told.removable,
    )


@dataclass(frozen=True, slots=True)
class _Commit:
    id: str
    short: str
    subject: str
    body: str


def _learnings(commits: Iterable[_Commit], said: Talk) -> tuple[Learning, ...]:
    """What commits and talk teach; of commands that failed the most frequent first."""
    mistakes = sorted(said.failures.items(), key=lambda pair: (-pair[1], pair[0]))
    told = from_commits((one.short, one.subject, one.body) for one in commits)
    return (*told, *from_talk(said.corrections, mistakes))


def _began(record: DayRecord, now: datetime) -> tuple[datetime, str]:
    """When the session began, and what that is where nobody noted it. One that was ended today goes on: a second end
    of the day tells all of it."""
    midnight = clock.local_midnight(now)
    goes_on = record.ended is None or record.ended >= midnight
    if goes_on and record.started is not None and now - record.started < timedelta(hours=36):
        return record.started, ""
    return midnight, " since midnight"


def _files(root: Path) -> dict[str, bytes]:
    found = {}
    for name in (CONTEXT, CONTEXT_JSON, "TASK.md", ".claude/todos.json"):
        try:
            found[name] = read_regular(root / name, _LARGEST + 1)
        except FileNotFoundError:
            continue
        except OSError as problem:
            if name in (CONTEXT, CONTEXT_JSON):
                raise cannot_read(root / name, problem) from None
            continue
        if len(found[name]) > _LARGEST and name in (CONTEXT, CONTEXT_JSON):  # its end would be lost in the new one
            raise CannotAnswer(f"{root / name}: larger than {_LARGEST // 1_000_000} MB", "make it smaller first")
    return found


def _old(before: dict[str, bytes], notes: list[str]) -> tuple[Handover, dict[str, Any], bool]:
    """What the last session handed over, keys of others in its JSON, and whether that JSON goes aside."""
    text = before.get(CONTEXT, b"").decode("utf-8", "surrogateescape")
    old = read_markdown(text)
    raw = before.get(CONTEXT_JSON)
    if raw is None:
        return old, {}, False
    try:
        document = json.loads(raw)
        from_json = read_json(document)
    except (ValueError, RecursionError) as problem:
        notes.append(f"{CONTEXT_JSON} is kept aside and written anew ({plain_text(problem, 80)})")
        return old, {}, True
    return (old if text.strip() else from_json), document, False


def _commits(root: Path, since: datetime) -> list[_Commit]:
    """This author's commits since then, on any branch, newest first."""
    author = read_author(root)
    who = ["--fixed-strings", f"--author=<{author}>"] if author else []
    told = git(
        root, "log", "--no-show-signature", "--no-merges", f"--since={int(since.timestamp())}", *who, "--branches",
        "-z", "--format=%H%x01%h%x01%s%x01%b", "--",
    )  # fmt: skip
    rows = [row.split("\x01", 3) for row in told.split("\0") if row.count("\x01") >= 3]
    return [
        _Commit(whole, short, plain_text(without_secrets(subject), 200), without_secrets(body[:4000]))
        for whole, short, subject, body in rows
    ]


def _metrics(root: Path, found: list[_Commit]) -> Metrics:
    try:
        changed: set[str] = set()
        added = 0
        if found:
            ids = "".join(f"{one.id}\n" for one in found[:500])
            told = _show(root, ids)
            for line in told.split("\n"):
                if line.startswith("+++ ") and line != "+++ /dev/null":
                    changed.add(line[4:])
                elif line.startswith("+") and _TEST.match(line[1:]):
                    added += 1
        return Metrics(len(found), len(changed), added, _coverage(root))
    except GitFailed:
        return Metrics(len(found), None, None, _coverage(root))


def _show(root: Path, ids: str) -> str:
    from cockpit.git_command import RunningGit

    words = (
        "show",
        "--stdin",
        "--no-show-signature",
        "--format=",
        "-U0",
        "--no-color",
        "--no-ext-diff",
        "--no-textconv",
    )
    return RunningGit(root, *words, "--no-renames").answer(ids.encode(), timeout=60.0).decode("utf-8", "replace")


def _coverage(root: Path) -> float | None:
    """What the newest report of coverage says, in per cent; None where there is none."""
    from cockpit.findings.coverage import own_report

    found: list[tuple[Path, tuple[str, ...]]] = [
        (root / "coverage.json", ("totals", "percent_covered")),
        (own_report(root), ("totals", "percent_covered")),
        (root / "coverage" / "coverage-summary.json", ("total", "lines", "pct")),
    ]
    for path, keys in found:
        try:
            value: Any = json.loads(read_regular(path, 100_000_000))
            for key in keys:
                value = value[key]
            return round(float(value), 1)
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
    return None


def _completed(
    root: Path,
    before: dict[str, bytes],
    record: DayRecord,
    began: datetime,
    found: list[_Commit],
    said: Talk,
    old: Handover,
    *,
    same_session: bool,
) -> tuple[str, ...]:
    """Finished work of this session: own commits, checked tasks, to-dos of the repository and of the agents."""
    checked = _checked(before.get("TASK.md", b"")) - _checked(_at_start(root, record, began, "TASK.md"))
    listed = [*sorted(checked), *_finished_todos(before.get(".claude/todos.json", b""))]
    listed = [text for text in listed if same_session or text not in old.completed]
    kept = old.completed if same_session else ()
    return entries((*kept, *reversed([one.subject for one in found]), *listed, *said.completed))


def _checked(raw: bytes) -> set[str]:
    return {entry(task.text) for task in tasks(raw.decode("utf-8", "replace")) if task.done}


def _at_start(root: Path, record: DayRecord, began: datetime, name: str) -> bytes:
    """A file as it was committed when the session began; empty where nobody knows."""
    try:
        head = record.head
        if not re.fullmatch(r"[0-9a-f]{40,64}", head):
            head = git(root, "rev-list", "-1", f"--before={int(began.timestamp())}", "HEAD", "--").strip()
        if not head:
            return b""
        return git(root, "show", f"{head}:./{name}").encode("utf-8", "surrogateescape")
    except GitFailed:
        return b""


def _finished_todos(raw: bytes) -> list[str]:
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        return []
    rows = document.get("todos") if isinstance(document, dict) else document
    return [
        entry(plain_text(row.get("content", ""), 300))
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, dict) and row.get("status") == "completed"
    ]


def _branches(report: EndReport, rows: tuple[Progress, ...]) -> tuple[Progress, ...]:
    """Branches with work that is not safe yet and that no row names."""
    named = {row.branch for row in rows}
    found = []
    for branch, what in report.unsafe or ():
        if branch not in named and branch != report.branch:
            found.append(Progress(branch.replace("/", " ").replace("-", " "), branch, what))
    return tuple(found)


def _tomorrow(old: Handover, done: tuple[str, ...], before: dict[str, bytes], now: datetime) -> tuple[str, ...]:
    """What was planned and is still open, then the head of the queue, five in all at least as many as were planned."""
    planned = [text for text in old.tomorrow if text not in done]
    text = before.get("TASK.md", b"").decode("utf-8", "replace")
    blockers = (*old.blockers, *open_blockers(sections(text)))
    scored = queue(tasks(text), Situation(now.astimezone().date(), blockers))
    more = [one.task.text for one in scored if not one.blocked_by and one.task.text not in done]
    return entries((*planned, *(plain_text(text) for text in more)))[: max(_TOMORROW, len(planned))]


def _is_after(stamp: str, began: datetime) -> bool:
    """Whether a file was written in this session, by its own stamp in local time."""
    try:
        return datetime.strptime(stamp[:16], "%Y-%m-%d %H:%M").astimezone() >= began.astimezone() - timedelta(minutes=1)
    except (ValueError, OverflowError):
        return False


def _length(time: timedelta) -> str:
    minutes = max(0, int(time.total_seconds() // 60))
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def edited(draft: Draft, **changes: Iterable[str]) -> Draft:
    """The draft with lists of its handover replaced: `blockers`, `decisions`, `tomorrow`, `completed`."""
    lists: dict[str, Any] = {name: entries(texts) for name, texts in changes.items()}
    draft.handover = tidy(replace(draft.handover, **lists))
    return draft

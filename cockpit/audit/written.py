"""The files that an audit writes when it is asked to: report, workers' files, results log, task. Each appears whole."""

import json
import re
from contextlib import AbstractContextManager
from datetime import datetime
from hashlib import blake2b
from pathlib import Path

from cockpit.audit.sources import BOARD, LOG, read_text, rows_of
from cockpit.clock import iso
from cockpit.errors import CannotAnswer, cannot_write
from cockpit.files import create_atomically, only_one, write_atomically
from cockpit.paths import state_dir
from skills.audit.documents import domain_of, worker_document
from skills.audit.model import AuditResult, LogRow
from skills.audit.report import audit_report, task_file, team_of, worker_report
from skills.audit.results_log import written
from skills.audit.scoring import trend_of

REPORT = "docs/project/persistence_audit.md"
FOLDER = "docs/project/.audit"
TASKS = "docs/tasks"


def one_audit_at_a_time(root: Path) -> AbstractContextManager[None]:
    """Hold the right to write an audit of a project. Raises `CannotAnswer` where another one has it."""
    name = blake2b(str(root.resolve()).encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()
    lock = state_dir() / "audit" / f"{name}.lock"
    return only_one(lock, "another audit of this project is writing", "wait for it, or leave out --write and --task")


def task_path(result: AuditResult, moment: datetime) -> str:
    """Where the task of an audit belongs, relative to the root."""
    domain = domain_of(result)
    part = "" if domain == "global" else f"-{domain}"
    return f"{TASKS}/epic-0-persistence-audit{part}-{moment:%Y-%m-%d}.md"


def report_text(result: AuditResult, moment: datetime, task: str = "") -> str:
    """The report as Markdown. `task` is the path of the task where there is one."""
    return audit_report(result, f"{moment:%Y-%m-%d}", task)


def write_report(root: Path, result: AuditResult, moment: datetime, task: str = "") -> list[str]:
    """Write report, workers' files and the row of the results log; answers their paths. Raises `CannotAnswer`."""
    domain = domain_of(result)
    texts: dict[str, str] = {}
    for category in result.categories:
        stem = f"{FOLDER}/{category.worker.number}--{domain}"
        texts[f"{stem}.md"] = worker_report(category, result)
        document = worker_document(category, result, iso(moment), f"{stem}.md")
        texts[f"{stem}.json"] = json.dumps(document, indent=2) + "\n"
    main = REPORT if domain == "global" else REPORT.replace(".md", f"--{domain}.md")
    texts[main] = report_text(result, moment, task)
    if result.overall is not None and domain == "global":
        texts[LOG] = _log(root, result, moment)
    return [_put(root, name, text) for name, text in texts.items()]


def _log(root: Path, result: AuditResult, moment: datetime) -> str:
    rows, others = rows_of(root)
    before = rows[-1].score if rows else None
    assert result.overall is not None
    trend, delta = trend_of(result.overall, before)
    top = next(iter(result.weighing), None)
    key = f"{top.finding.rule} at {top.location}" if top is not None else "none"
    row = LogRow(f"{moment:%Y-%m-%d}", result.overall, trend, delta, key, result.commit or "work tree")
    return written([*rows, row], others)


def _but_trend(text: str) -> str:
    """A task without the sentence that the audit before it decides: the same findings are the same task."""
    return re.sub(r"(?m)^(Verdict: .*) Trend: .*$", r"\1", text)


def write_task(root: Path, result: AuditResult, moment: datetime) -> str:
    """Write the one task of this audit; answers its path. Raises `CannotAnswer` where it exists with other content."""
    name = task_path(result, moment)
    text = task_file(result, f"{moment:%Y-%m-%d}", team_of(read_text(root / BOARD)), report_text(result, moment, name))
    path = root / name
    if path.exists() or path.is_symlink():
        there = read_text(path, 4_000_000)
        if _but_trend(there) == _but_trend(text):
            return name
        raise CannotAnswer(f"{name} exists and says something else", "move it away, or work on the task that is there")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        create_atomically(path, text)
    except OSError as problem:
        raise cannot_write(name, problem) from None
    return name


def _put(root: Path, name: str, text: str) -> str:
    path = root / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text)
    except OSError as problem:
        raise cannot_write(name, problem) from None
    return name

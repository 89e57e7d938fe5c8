"""How far an audit is, as the screen and the command show it."""

from typing import Literal

from skills.audit.model import Worker
from skills.record import record

Stage = Literal["waiting", "running", "completed", "not_applicable", "error"]


@record
class WorkerProgress:
    """One worker: what it is at, how many of its checks are done, its score once it has one."""

    worker: Worker
    stage: Stage = "waiting"
    done: int = 0
    score: float | None = None
    note: str = ""


@record
class AuditProgress:
    """`read` is the share (0–1) of the code that was read; the workers begin when all of it was."""

    read: float
    workers: tuple[WorkerProgress, ...]

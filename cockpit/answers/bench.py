"""Answers of the workbench and of help: rollback, doctor, help, demo, serve."""

from typing import Literal

from typing_extensions import TypedDict

from cockpit.answers.base import Answer, Object
from skills.gates.model import Status
from skills.workflow.rollback import Action, Kind, Severity

_From = TypedDict("_From", {"from": str})


class Rollback(Answer):
    """`cockpit rollback --json`."""

    next: str
    rollbacks: list[Object]


class RollbackPoints(Answer):
    """`cockpit rollback points --json`."""

    points: list[Object]


class RollbackPlan(Answer, _From):
    """`cockpit rollback plan KIND --json`, and `run` where it is refused; `refusal` says why it is not done."""

    kind: Kind
    to: str
    undone: list[str]
    files: list[str]
    keep: list[str]
    commands: list[str]
    refusal: str | None


class RollbackRun(Answer):
    """`cockpit rollback run KIND --json`: the record of what was done."""

    rollback: Object


class RollbackVerify(Answer):
    """`cockpit rollback verify --json`: the six answers, and what they come to."""

    id: str
    answers: dict[str, Status]
    verdict: Literal["success", "partial", "failed", "pending"]


class RollbackGoals(TypedDict):
    """What the figures are held against."""

    mttr_seconds: float
    success: float
    automated: float
    lost: int


class RollbackMetrics(Answer):
    """`cockpit rollback metrics --json`: over those that reached a verdict; shares from 0 to 1."""

    count: int
    mttr_seconds: float | None
    success: float | None
    automated: float | None
    lost: int
    targets: RollbackGoals


class MatrixRow(TypedDict):
    """A symptom, and whether going back is the answer to it."""

    symptom: str
    look_at: str
    rollback: str
    otherwise: str


class RollbackMatrix(Answer):
    """`cockpit rollback matrix --json`."""

    matrix: list[MatrixRow]


class PlaybookRow(TypedDict):
    """A playbook that there is."""

    playbook: str
    when: str
    steps: int


class RollbackPlaybooks(Answer):
    """`cockpit rollback playbook --json` without a name."""

    playbooks: list[PlaybookRow]


class Trigger(TypedDict):
    """A measure that asks for a rollback, or not."""

    trigger: str
    severity: Severity
    action: Action
    status: Status
    why: str


class RollbackTriggers(Answer):
    """`cockpit rollback triggers NAME=VALUE … --json`."""

    triggers: list[Trigger]


class StepDone(TypedDict):
    """Who did a step, when, and what was seen."""

    who: str
    at: str
    note: str


class PlaybookStep(TypedDict):
    """A step of a checklist; nothing of it is run."""

    step: int
    text: str
    command: str | None
    done: StepDone | None


class RollbackPlaybook(Answer):
    """`cockpit rollback playbook NAME --json`."""

    playbook: str
    when: str
    steps: list[PlaybookStep]


class ReadinessItem(TypedDict):
    """Whether one could go back at all."""

    item: str
    title: str
    status: Status
    detail: str | None


class RollbackReadiness(Answer):
    """`cockpit rollback readiness --json`."""

    checks: list[ReadinessItem]


class DoctorCheck(TypedDict):
    """What was looked for, and how it is mended."""

    check: str
    status: Status
    detail: str
    fix: str
    required: bool


class Doctor(Answer):
    """`cockpit doctor --json`."""

    checks: list[DoctorCheck]


class Help(Answer):
    """`cockpit help [TOPIC] --json`."""

    topic: str | None
    topics: list[str]
    text: str


class Demo(Answer):
    """`cockpit demo --json`."""

    folder: str
    root: str
    env: dict[str, str]
    pids: list[int]


class Serve(Answer):
    """`cockpit serve --json`."""

    url: str


class SchemaList(Answer):
    """`cockpit schema --json` without a name."""

    schemas: list[str]

"""Answers about the code: check, rules, audit, sweep, verify, trust, hooks."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from cockpit.answers.base import Answer, Object, Place
from skills.audit.model import CheckStatus, VerdictName, WorkerStatus
from skills.gates.model import Confidence, Gate, Severity, Status, TenancyMode
from skills.routing.catalogue import Lane
from skills.workflow.sweep import CheckName


class FileCounts(TypedDict):
    """How many files were seen, and what was done with them."""

    seen: int
    parsed: int
    cached: int
    skipped: int


class GateRow(TypedDict):
    """A gate; only P0 blocks."""

    gate: Gate
    status: Status
    count: int


class RuleRow(TypedDict):
    """What one rule answered, and why where it could not."""

    rule: str
    status: Status
    count: int
    reason: str | None


class Finding(TypedDict):
    """One finding; lines and columns from 1. `also` names other rules at the same place; `parts` are lines of which it
    speaks beside those from `line` to `end_line`, a parameter or a decorator."""

    rule: str
    gate: Gate
    severity: Severity
    skill: str
    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    symbol: str
    message: str
    help: str
    confidence: Confidence
    fixable: bool
    fingerprint: str
    also: list[str]
    baseline: Literal["new", "known"]
    suppressed: str | None
    evidence: NotRequired[list[Place]]
    parts: NotRequired[list[int]]


class ParseError(TypedDict):
    """A file that could not be judged."""

    path: str
    line: int | None
    message: str


class Tenancy(TypedDict):
    """How the project keeps tenants apart, and what says so."""

    mode: TenancyMode
    chosen: bool
    why: str
    evidence: list[Place]


class Check(Answer):
    """`cockpit check --json`."""

    root: str
    profile: str
    files: FileCounts
    skipped: dict[str, int]
    gates: list[GateRow]
    checks: list[RuleRow]
    findings: list[Finding]
    errors: list[ParseError]
    tenancy: Tenancy | None
    notes: list[str]


class Example(TypedDict):
    """A file of a rule's example."""

    path: str
    source: str


class Rule(TypedDict):
    """A rule, as `cockpit rules RULE` tells it."""

    name: str
    gate: Gate
    severity: Severity
    skill: str
    sources: list[str]
    catches: str
    why: str
    bad: list[Example]
    good: list[Example]
    help: str
    when: str
    fixable: bool


class Rules(Answer):
    """`cockpit rules [RULE] --json`."""

    rules: list[Rule]


class WorstCategory(TypedDict):
    """The category with the lowest score."""

    category: str
    score: float


class AuditCheck(TypedDict):
    """One check of one worker."""

    id: str
    name: str
    status: CheckStatus
    details: str


class AuditCategory(TypedDict):
    """One worker's part; `score` is out of 10."""

    category: str
    worker: str
    score: float | None
    status: WorkerStatus
    reason: str | None
    severity_counts: dict[str, int]
    checks: list[AuditCheck]
    findings: list[Object]
    advisories: list[Object]


class Audit(Answer):
    """`cockpit audit --json`."""

    verdict: VerdictName
    overall: float | None
    worst: WorstCategory | None
    categories: list[AuditCategory]
    context: Object
    trend: str
    why: str
    next: str
    questions: list[str]
    root: str
    files: int
    commit: str | None
    written: list[str]


class SweepFinding(TypedDict):
    """What a check of the sweep found; of a secret at most the first four characters are shown."""

    path: str | None
    line: int | None
    message: str
    redacted: str | None


class SweepCheck(TypedDict):
    """One check of the sweep."""

    check: CheckName
    status: Status
    count: int
    blocking: bool
    reason: str | None
    tool: str | None
    findings: list[SweepFinding]


class Sweep(Answer):
    """`cockpit sweep --json`."""

    root: str
    staged: bool
    checks: list[SweepCheck]
    blocked: bool
    files: list[str]


class VerifyPhase(TypedDict):
    """One of the twelve phases."""

    phase: int
    title: str
    status: Status


class VerifyCheck(TypedDict):
    """One check of a phase; a guardrail has none."""

    check: str
    phase: int | None
    title: str
    status: Status
    count: int
    required: bool
    reason: str | None
    command: str | None
    places: list[str]


class PredeployItem(TypedDict):
    """An item of the predeploy list."""

    item: str
    title: str
    status: Status
    confirmed_by: str | None


class Verify(Answer):
    """`cockpit verify --json`."""

    lane: Lane
    quick: bool
    status: Status
    phases: list[VerifyPhase]
    checks: list[VerifyCheck]
    guardrails: list[VerifyCheck]
    predeploy: list[PredeployItem]
    recommendation: str
    next_steps: list[str]
    report: str


class Confirmed(TypedDict):
    """An item of the predeploy list that a person vouches for, at a commit."""

    item: str
    who: str
    at: str
    commit: str


class VerifyConfirm(Answer):
    """`cockpit verify --confirm ITEM --json`."""

    confirmed: Confirmed


class TrustedProgram(TypedDict):
    """A program of the repository, and the place of the configuration that names it."""

    place: str
    command: str


class Trust(Answer):
    """`cockpit trust --json`: what of the repository would run here."""

    root: str
    trusted: bool
    programs: list[TrustedProgram]


class Hook(TypedDict):
    """A hook of git or of an agent. With install and uninstall also what is done with it."""

    hook: str
    path: str | None
    state: NotRequired[str]
    note: NotRequired[str | None]
    kept: NotRequired[str | None]
    scope: NotRequired[str]
    events: NotRequired[list[str]]
    answering: NotRequired[list[str]]
    changed: NotRequired[bool]
    what: NotRequired[str]
    diff: NotRequired[str]


class Hooks(Answer):
    """`cockpit hooks install|uninstall|status --json`."""

    hooks: list[Hook]

"""The words that rules, engine and panes share: findings, checks, reports of one file, evidence of a
project.

What is said of one file is a struct, and so is a finding: there are tens of thousands of them, made in the worker
processes, sent, kept and shown.
"""

from dataclasses import field
from typing import Literal

from msgspec import Struct

from skills.record import record

Gate = Literal["P0", "P1", "P2", "none"]
Severity = Literal["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO"]
Status = Literal["pass", "fail", "not_run", "not_applicable"]
Confidence = Literal["confirmed", "likely", "needs_context"]
TenancyMode = Literal["transparent", "explicit", "off"]
GLYPHS: dict[Status, str] = {"pass": "✓", "fail": "✖", "not_run": "?", "not_applicable": "–"}
"""The sign of each status, wherever one stands."""
MARK = b"cockpit:"
"""What stands in every source with a comment of ours, and in few others."""
TENANT_FIELDS = ("tenant", "tenant_id", "company", "company_id")
TENANT_FIELD = "tenant-field"
"""What the relation of a row to its tenant is called, where nobody says otherwise."""


@record
class Evidence:
    """One link of the chain that led to a finding."""

    path: str
    line: int
    text: str


class Candidate(Struct, frozen=True, array_like=True, gc=False):
    """What a rule saw in one file, before the project's own facts decide whether it holds.

    `needs` are (key, value) pairs that `settle` compares with the project's facts, e.g. `("model",
    "Invoice")`. `fingerprint` is of rule, qualified scope, normalised statement and ordinal, never of a line
    number. `parts` are lines of which it speaks beside those from `line` to `end_line`: a decorator, a parameter.
    """

    rule: str
    line: int
    column: int
    end_line: int
    end_column: int
    symbol: str
    message: str
    fingerprint: str
    confidence: Confidence = "confirmed"
    severity: Severity | None = None
    needs: tuple[tuple[str, str], ...] = ()
    evidence: tuple[Evidence, ...] = ()
    fixable: bool = False
    also: tuple[str, ...] = ()
    parts: tuple[int, ...] = ()


class Suppression(Struct, frozen=True, array_like=True, gc=False):
    """`# cockpit: ignore[rules] reason`. It covers the statement that begins or ends on its line: `line` to
    `end_line`.

    `at` is the line of the comment itself. `foreign` marks a comment for another linter (noqa, nosec) that
    says the same: `rules` are those it stands for. `head` is one line more that it covers, 0 for none: that of the
    function or class in whose header it stands.
    """

    line: int
    end_line: int
    rules: tuple[str, ...]
    reason: str
    at: int = 0
    foreign: bool = False
    head: int = 0

    def covers(self, *lines: int) -> bool:
        """Whether a finding that speaks of these lines is covered: one of them is enough."""
        return any(self.line <= line <= self.end_line or line == self.head for line in lines)


class SyntaxProblem(Struct, frozen=True, array_like=True, gc=False):
    """Why a file could not be judged, and where."""

    line: int
    message: str


class Fact(Struct, frozen=True, array_like=True, gc=False):
    """One thing that a file tells about the project, e.g. kind "tenant-model", name "Invoice", detail
    "tenant"."""

    kind: str
    name: str
    detail: str = ""
    line: int = 0
    count: int = 1


class FileReport(Struct, frozen=True, array_like=True, gc=False):
    """Everything that one walk over one file gave. It depends on the path and the content alone, so it can
    be cached. `places` counts its functions and classes, and its module level as one. `tenants` says that a model of
    it belongs to a tenant, `deferred` that the rules about rows of tenants were not asked and may have something to
    say: they are of no interest until some file of the project has `tenants`."""

    path: str
    role: str = "module"
    role_why: str = ""
    candidates: tuple[Candidate, ...] = ()
    facts: tuple[Fact, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    problem: SyntaxProblem | None = None
    crashed: tuple[tuple[str, str], ...] = ()
    parsed: bool = True
    places: int = 1
    tenants: bool = False
    deferred: bool = False


@record
class FileCoverage:
    """How much of one file the tests ran: statements, those run, and the lines that were not."""

    statements: int
    covered: int
    missing: tuple[int, ...] = ()


@record
class CoverageReport:
    """A report of coverage: its own path, and by path what it says. `outdated` is why it may not be believed."""

    path: str
    files: dict[str, FileCoverage] = field(default_factory=dict)
    outdated: str = ""


@record
class ApiOperation:
    """One operation of an API's schema: method in lower case, path as written, its line, the codes it answers."""

    method: str
    path: str
    line: int
    codes: tuple[str, ...] = ()


@record
class ApiComponent:
    """A model of an API's schema that says its fields itself: name, line, the fields it requires, all of them."""

    name: str
    line: int
    required: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()


@record
class ApiSchema:
    """A committed OpenAPI document. `problem` is why its operations could not be read, "" where they were."""

    path: str
    operations: tuple[ApiOperation, ...] = ()
    problem: str = ""
    components: tuple[ApiComponent, ...] = ()


@record
class ProjectEvidence:
    """What the manifests of a project say, with the file that says it: package name (normalised) →
    path:line. `coverage` is the newest report of coverage, None where there is none; `schemas` are the API schemas
    that are committed. `packages` are what each folder with a pyproject.toml of its own asks for, "" being the root;
    empty where no folder below the root has one. `started` are the commands in files other than Python's that start a
    worker with the scheduler in it. `told` are the facts of files of SQL, by path. `unread` says which manifest of the
    root cannot be read, "" where all can: what `dependencies` lacks may stand there."""

    dependencies: dict[str, str] = field(default_factory=dict)
    coverage: CoverageReport | None = None
    schemas: tuple[ApiSchema, ...] = ()
    packages: dict[str, tuple[str, ...]] = field(default_factory=dict)
    started: tuple[Evidence, ...] = ()
    unread: str = ""
    told: dict[str, tuple[Fact, ...]] = field(default_factory=dict)


@record
class GateOptions:
    """What a person chose. `tenancy` is "auto" or a mode; `select` and `ignore` hold rule names, gates or
    skills.
    `tools` are other tools whose findings a comment may silence by name."""

    profile: str = "default"
    tenancy: str = "auto"
    tenant_fields: tuple[str, ...] = TENANT_FIELDS
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    isolated: bool = False
    tools: tuple[str, ...] = ("ruff",)


@record
class Tenancy:
    """How the project keeps tenants apart, and what says so."""

    mode: TenancyMode
    chosen: bool
    why: str
    evidence: tuple[Evidence, ...] = ()


class Finding(Struct, frozen=True, gc=False):
    """One finding as every view and format shows it. Lines and columns start at 1; `path` is relative to the
    root.

    `suppressed` is the reason of the comment that silences it, None where none does; `baseline` says whether
    it is new or known; `parts` are as in `Candidate`.
    """

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
    also: tuple[str, ...] = ()
    baseline: Literal["new", "known"] = "new"
    suppressed: str | None = None
    evidence: tuple[Evidence, ...] = ()
    parts: tuple[int, ...] = ()


@record
class Check:
    """The answer of one rule (or outside tool) over all files in scope."""

    rule: str
    status: Status
    count: int = 0
    reason: str | None = None


@record
class Verdict:
    """All findings (suppressed ones included, marked), the answer of each rule, and the tenancy that was
    assumed."""

    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]
    tenancy: Tenancy

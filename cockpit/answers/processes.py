"""Answers of the processes of the workbench: research, feature, debug."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from cockpit.answers.base import Answer, Object


class Research(Answer):
    """`cockpit research … --json`; with a gate also what it decided."""

    research: Object
    next: str
    gate: NotRequired[str]
    decision: NotRequired[str]
    failed: NotRequired[list[str]]
    passed: NotRequired[bool]
    files: NotRequired[list[str]]


class ScanHit(TypedDict):
    """Where it stands already."""

    path: str
    line: int
    text: str
    around: list[str]


class ResearchScan(Answer):
    """`cockpit research scan --json`; `research` is None where none is open about the term."""

    research: Object | None
    hits: list[ScanHit]
    kept: bool
    more: bool


class ResearchProject(Answer):
    """`cockpit research project OPTION NAME=NUMBER … --json`: dollars at 1 to 1,000 times the use."""

    option: str
    projection: dict[str, Object]
    basis: str
    threshold: float | None
    review: list[str]
    file: str


class Feature(Answer):
    """`cockpit feature [new|gate|ship|…] --json`; with a gate also whether it is passed."""

    feature: Object
    next: str
    gate: NotRequired[str]
    passed: NotRequired[bool]
    tags: NotRequired[list[str]]


class FeaturePlan(Answer):
    """`cockpit feature plan --json`."""

    feature: str
    groups: list[Object]
    worktrees: list[Object]
    hours: Object


class FeatureObserve(Answer):
    """`cockpit feature observe|resolve --json`."""

    alerts: list[Object]
    open_blockers: int
    advocate: list[Object]


class FeatureCost(Answer):
    """`cockpit feature cost --json`, in dollars."""

    estimate: float
    estimate_basis: str
    actual: float
    floor: bool
    calls: int
    basis: str
    branches: list[str]


class FeatureRow(TypedDict):
    """A feature of this repository."""

    id: str
    title: str
    state: str
    begun: str


class FeatureList(Answer):
    """`cockpit feature list --json`."""

    features: list[FeatureRow]


class Debug(Answer):
    """`cockpit debug … --json`; `no_fix` says why it is not yet time for a fix."""

    case: Object
    next: str
    no_fix: str | None
    edited_too_early: NotRequired[list[Object]]


class ResearchCache(Answer):
    """`cockpit research cache TERM --json`; with `--put` where it is kept."""

    kept: NotRequired[Object | None]
    path: NotRequired[str]


class ResearchQueries(Answer):
    """`cockpit research queries --json`."""

    queries: list[str]


class ResearchCost(Answer):
    """`cockpit research cost --json`: what the research itself took since it began."""

    usd: float
    floor: bool
    calls: int
    since: str
    basis: Literal["computed"]


class ResearchList(Answer):
    """`cockpit research list --json`."""

    research: list[Object]


class DebugPatterns(Answer):
    """`cockpit debug patterns --json`: error lines by class."""

    patterns: list[Object]
    undated: int
    logs: list[str]


class DebugContext(Answer):
    """`cockpit debug context --json`."""

    environment: str
    lines: list[str]


class DebugTemplates(Answer):
    """`cockpit debug hypothesis --json` without a text: where to begin."""

    templates: list[Object]


class DebugBisect(Answer):
    """`cockpit debug bisect --json`."""

    first_bad: str
    about: str


class DebugTools(Answer):
    """`cockpit debug tools --json`: commands at hand; none of them is run."""

    tools: list[Object]
    patterns: list[Object]


class DebugReport(Answer):
    """`cockpit debug report --json`."""

    case: Object
    report: str
    files: list[str]


class DebugList(Answer):
    """`cockpit debug list --json`."""

    cases: list[Object]

"""A feature as text: brief, contract, checklists, task sheets, alerts (workflow orchestrator, feature development)."""

import re

from skills.workflow.contract import Contract, without_notes
from skills.workflow.feature import Feature, Noted
from skills.workflow.feature_plan import PORTS, Group, PlannedTask
from skills.workflow.process import Check
from skills.workflow.tasks import section, sections

SCHEMA: tuple[tuple[str, str], ...] = (
    ("naming", "Names follow the conventions"),
    ("indexes", "Common queries have their indexes"),
    ("rls", "Row level security covers every table and every deed"),
    ("anti-patterns", "No anti-pattern of performance"),
    ("erd", "The entities and their relations are drawn"),
    ("way-back", "The migration has a way back, and it was tried"),
    ("test-data", "Test data can be made"),
)
SHIP: tuple[tuple[str, str, str, str], ...] = (
    ("tests", "Code quality", "All tests pass", "auto"),
    ("security", "Code quality", "The security gate is passed", "auto"),
    ("review", "Code quality", "A person reviewed the code", "person"),
    ("docs", "Code quality", "The documentation is up to date", "auto"),
    ("load", "Performance", "Tried under the load that is expected", "person"),
    ("queries", "Performance", "Database queries are in order", "auto"),
    ("caching", "Performance", "What can be cached is", "person"),
    ("cdn", "Performance", "Assets come from a CDN", "person"),
    ("metrics", "Monitoring", "It is measured", "person"),
    ("alerts", "Monitoring", "Somebody is told when it breaks", "person"),
    ("errors", "Monitoring", "Errors are tracked", "person"),
    ("logs", "Monitoring", "Logs are structured", "person"),
    ("flag", "Rollback", "It is behind a flag", "person"),
    ("database-back", "Rollback", "The way back of the database was tried", "auto"),
    ("canary", "Rollback", "A few users can have it first", "person"),
    ("incident", "Rollback", "It is written down who does what when it breaks", "person"),
    ("api-docs", "Documentation", "The API is documented", "auto"),
    ("user-docs", "Documentation", "Users can read about it", "person"),
    ("runbook", "Documentation", "The runbook is up to date", "person"),
    ("diagram", "Documentation", "The picture of the architecture is right", "person"),
)
"""The twenty items before a deployment: id, group, title, who answers."""
DOCUMENTS = ("TASK.md", "PLANNING.md", "CLAUDE.md", "README.md", "the API's documentation", "the architecture's")


def brief(title: str, priority: str, link: str, days: float | None) -> str:
    """BRIEF.md as it begins."""
    return f"""# Feature: {title}

**Issue:** {link}
**Priority:** {priority}
**Estimated effort:** {f"{days:g}" if days is not None else ""} days

## Problem

## Success criteria

- [ ] coverage of the change is 80 % or more

## In scope

## Out of scope

## Technical approach

## Dependencies

- External:
- Internal:

## Risks

1.

## Tasks

<!-- one line a task: - [ ] text #id (3h) @backend depends: #other; roles: planning, database, backend, frontend,
testing, security, deployment -->
"""


def contract(title: str) -> str:
    """CONTRACT.md as it begins."""
    return f"""# Feature contract: {title}

## Interfaces

<!-- one line an endpoint: - `POST /api/invoices` -> 201 {{id, total}}; "- none" where there is none -->

## In scope

<!-- one path a line: - `billing/**` -->

## Out of scope

## Success criteria

- coverage of the change is 80 % or more

## Observer checkpoints

- after each worktree's work, before the merge, before the end of the day
"""


def contract_checks(brief_text: str, contract_text: str, contract: Contract, tasks: int) -> list[Check]:
    """Whether brief and contract say what the work needs (gate of phase 0)."""
    parsed = sections(without_notes(brief_text))
    rows = [
        _said(name, f"BRIEF.md: {title}", any(_words(item.text) for item in section(parsed, title)))
        for name, title in (
            ("problem", "Problem"),
            ("criteria", "Success criteria"),
            ("in-scope", "In scope"),
            ("out-of-scope", "Out of scope"),
            ("approach", "Technical approach"),
        )
    ]
    agreed = sections(without_notes(contract_text))
    none = any(re.match(r"none\b", item.text, re.IGNORECASE) for item in section(agreed, "interfaces", "endpoints"))
    rows += [
        _said("interfaces", "CONTRACT.md: interfaces, or the word none", bool(contract.interfaces) or none),
        _said("boundary", "CONTRACT.md: paths that are in scope", bool(contract.inside)),
        _said("coverage", "CONTRACT.md: coverage of 80 % or more", any(_eighty(text) for text in contract.criteria)),
        _said("tasks", "BRIEF.md: tasks, planned without a cycle", tasks > 0),
    ]
    return rows


def _said(name: str, title: str, there: bool) -> Check:
    return Check(name, title, "pass" if there else "fail", "" if there else "not said")


def _words(text: str) -> bool:
    return bool(re.sub(r"[\W_]", "", text)) and not re.fullmatch(r"[\w ]+:\s*", text)


def _eighty(text: str) -> bool:
    found = re.search(r"coverage\D*(\d+(?:\.\d+)?)", text, re.IGNORECASE)
    return found is not None and float(found[1]) >= 80


def plan_lines(plan: tuple[Group, ...]) -> list[str]:
    """The groups, in order."""
    lines = []
    for number, group in enumerate(plan, 1):
        time = "not estimated" if group.hours is None else f"{group.hours:g} h"
        many = f"{len(group.tasks)} at once" if group.parallel else "alone"
        lines.append(f"group {number}: {many}, {time}")
        for one in group.tasks:
            hours = "?" if one.hours is None else f"{one.hours:g} h"
            waits = f"  after {', '.join('#' + name for name in one.depends)}" if one.depends else ""
            lines.append(f"  {'[x]' if one.done else '[ ]'} #{one.id} {one.text}  {hours}  {one.role}{waits}")
    return lines


def sheet(feature: Feature, task: PlannedTask, agent: str, ports: tuple[int, ...], inside: tuple[str, ...]) -> str:
    """The block of a worktree's task sheet: agent, ports by name, tasks, scope."""
    named = [f"{port} ({PORTS[task.role][place]})" if task.role in PORTS and place < 2 else str(port)
             for place, port in enumerate(ports)]  # fmt: skip
    lines = [f"## Feature: {feature.title}", "", f"- Task: {task.text}", f"- Agent: {agent}",
             f"- Ports: {', '.join(named) or 'none'}", f"- Contract: {feature.contract}"]  # fmt: skip
    if inside:
        lines.append(f"- In scope: {', '.join(inside)}")
    if task.role == "database":
        lines += ["", *(f"- [ ] {title}" for _, title in SCHEMA)]
    lines += ["", "Documents to look at before it is merged:", *(f"- [ ] {name}" for name in DOCUMENTS)]
    return "\n".join(lines)


def alerts_text(feature: Feature) -> str:
    """OBSERVER_ALERTS.md: the blockers, open ones first."""
    blockers = sorted((one for one in feature.alerts if one.alert.severity == "BLOCKER"), key=lambda one: one.state)
    lines = ["# Active blockers", ""]
    for one in blockers:
        lines += [
            f"## {one.alert.observer} {one.alert.path}:{one.alert.line}",
            "",
            f"- Found by: {one.by}",
            f"- Time: {one.at}",
            f"- File: {one.alert.path}:{one.alert.line}",
            f"- Issue: {one.alert.what}",
            f"- Required action: {one.alert.fix}",
            f"- Status: {one.state}" + (f" ({one.closed})" if one.closed else ""),
            "",
        ]
    return "\n".join(lines if blockers else [*lines, "None."])


def open_first(alerts: tuple[Noted, ...]) -> list[Noted]:
    """The alerts as they are listed: open before resolved, the worst first."""
    order = ("BLOCKER", "WARNING", "INFO")
    return sorted(alerts, key=lambda one: (one.state != "OPEN", order.index(one.alert.severity), one.alert.path))

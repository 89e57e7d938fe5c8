"""Agents, commands and tools that a prompt calls for (performance orchestrator, skills and tools).

An agent costs a context of its own: it is named only for work above five minutes; below that a command does.
"""

import re
from dataclasses import dataclass

from skills.orchestrator.planning import Plan

AGENT_MINUTES = 5


@dataclass(frozen=True, slots=True)
class ToolAdvice:
    """The tool to try first for a need, and what to use instead. `available` is None where nobody looked."""

    need: str
    first: str
    fallback: str
    available: bool | None


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{text})(?!\w)", re.IGNORECASE)


_AGENTS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, _pattern(words))
    for name, words in (
        ("feature-planner", r"features?|requirements|plan|roadmap|funcionalidad|requisitos|planifica\w*"),
        ("django-codebase-auditor", r"codebase|audit\w*|whole project|todo el (?:proyecto|código)"),
        ("performance-analyzer", r"slow|performance|latency|n\+1|optimi[sz]\w*|lent[oa]s?|rendimiento|optimiza\w*"),
        ("contract-compliance-validator", r"openapi|contracts?|schema|contrato|esquema"),
        ("django-test-generator", r"coverage|tests?|pytest|pruebas|cobertura"),
        ("service-layer-generator", r"services?(?: layer)?|business logic|servicios?|lógica de negocio"),
        ("multi-tenant-enforcer", r"multi-?tenan\w*|tenants?|tenant_id|company_id"),
        ("security-auditor", r"security|vulnerabilit\w+|auth\w*|permissions?|seguridad|permisos|autenticación"),
        ("pre-commit-guardian", r"pre-?commit|commits?"),
        ("deployment-checker", r"deploy\w*|release|ship|production|despliegue|desplegar|producción"),
    )
)
_COMMANDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, _pattern(words))
    for name, words in (
        ("/quick-audit", r"quick audit|audit|review|audita\w*|revisa\w*"),
        ("/check-tenant", r"multi-?tenan\w*|tenants?|tenant_id|company_id"),
        ("/check-contract", r"openapi|swagger|contracts?|contrato"),
        ("/query-analysis", r"quer(?:y|ies)|querysets?|n\+1|select_related|prefetch_related|consultas?"),
        ("/coverage", r"coverage|cobertura"),
        ("/setup-tenant", r"(?:new|create|set ?up|provision) (?:an? )?tenant|nuevo (?:tenant|inquilino)"),
        ("/create-pr", r"pull request|open a pr|create a pr|pr"),
    )
)
_NEEDS: tuple[tuple[str, re.Pattern[str], str, str], ...] = (
    (
        "library documentation",
        _pattern(r"docs?|documentation|documentación|api reference|how (?:do|does|to) .*(?:django|drf|fastapi|celery)"),
        "context7",
        "WebFetch of the official documentation, then WebSearch",
    ),
    (
        "database schema",
        _pattern(r"columns?|tables?|information_schema|db schema|database schema|columnas?|tablas?|migrations?"),
        "db",
        "reading models and migrations",
    ),
    (
        "history",
        _pattern(r"history|blame|who (?:added|changed|wrote)|when (?:was|did)|which commit|historial|quién"),
        "github",
        "git log -p",
    ),
    (
        "complex reasoning",
        _pattern(r"architecture|trade-?offs?|redesign|concurrency|deadlocks?|arquitectura|diseña\w*|rediseña\w*"),
        "sequential-thinking",
        "the model's own thinking",
    ),
)


def called_agents(text: str, plan: Plan, minutes: int) -> tuple[str, ...]:
    """The agents worth their context: work above five minutes in several parts, or coverage to be generated."""
    found = tuple(name for name, pattern in _AGENTS if pattern.search(text))
    if plan.complexity == "high" or (plan.complexity == "medium" and minutes > AGENT_MINUTES):
        return found
    generates = re.search(r"coverage|cobertura", text, re.IGNORECASE)
    return tuple(name for name in found if name == "django-test-generator" and generates)


def called_commands(text: str) -> tuple[str, ...]:
    """The commands that a prompt calls for: each answers in two minutes or less, or changes something on request."""
    return tuple(name for name, pattern in _COMMANDS if pattern.search(text))


def called_tools(text: str, servers: frozenset[str] | None) -> tuple[ToolAdvice, ...]:
    """The tools for what a prompt needs to know. `servers` are those that are set up, None where nobody looked."""
    return tuple(
        ToolAdvice(need, first, fallback, None if servers is None else _serves(first, servers))
        for need, pattern, first, fallback in _NEEDS
        if pattern.search(text)
    )


def _serves(wanted: str, servers: frozenset[str]) -> bool:
    names = {"db": ("db", "postgres", "sql", "database")}.get(wanted, (wanted,))
    return any(name in server.lower() for server in servers for name in names)

"""The agent catalogue by canonical role, task types and decision trees, as data (workflow orchestrator, agent routing).

Plugins ship many copies of one role; a role stands here once, with the plugins that have it. `derived` marks keywords
that the source does not give and that were taken from what the role is for.
"""

from dataclasses import dataclass
from typing import Literal

TaskType = Literal["debugging", "code_review", "testing", "performance", "security", "deployment", "architecture"]
Lane = Literal["foundation", "django", "fastapi", "ml"]
PACKAGES: dict[str, Lane] = {
    **dict.fromkeys(("django", "djangorestframework", "wagtail"), "django"),
    "fastapi": "fastapi",
    **dict.fromkeys(("torch", "scikit-learn", "sklearn", "lightgbm", "xgboost"), "ml"),
}
"""The packages that put a project into a lane, as manifests name them."""


@dataclass(frozen=True, slots=True)
class Role:
    """One role of the catalogue. `specialty` is the task type of its category; no plugins: built into the agent."""

    name: str
    category: str
    specialty: TaskType | None
    plugins: tuple[str, ...]
    keywords: tuple[str, ...]
    derived: bool
    lanes: tuple[Lane, ...] = ()


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf of a decision tree: whom a question leads to. All of its `words` lists must match one word."""

    tree: Literal["debugging", "development"]
    question: str
    words: tuple[tuple[str, ...], ...]
    role: str


CATEGORIES: dict[str, tuple[str, TaskType | None]] = {
    "debugging": ("Debugging & Error Handling", "debugging"),
    "review": ("Code Review & Quality", "code_review"),
    "docs": ("Documentation & Learning", None),
    "testing": ("Testing & TDD", "testing"),
    "performance": ("Performance & Optimization", "performance"),
    "security": ("Security & Compliance", "security"),
    "deployment": ("Deployment & Infrastructure", "deployment"),
    "tools": ("Development Tools & Workflows", None),
    "languages": ("Language-Specific Experts", None),
    "frontend": ("Frontend & Mobile", None),
    "backend": ("Backend & Architecture", "architecture"),
    "refactoring": ("Refactoring & Modernization", None),
    "ai": ("AI & LLM Development", None),
    "incidents": ("Incident Response & Troubleshooting", "debugging"),
    "context": ("Context & Memory Management", None),
    "exploration": ("Exploration & Planning", None),
    "sdk": ("Agent SDK Verification", None),
}

# category | role | plugins | keywords (a leading * marks derived ones) | lanes
_ROWS = """
debugging | debugger | debugging-toolkit error-debugging error-diagnostics unit-testing | error, bug, debug, trace, investigate, fix |
debugging | error-detective | error-debugging error-diagnostics distributed-debugging | logs, patterns, correlation, search, analyze |
debugging | devops-troubleshooter | distributed-debugging incident-response cicd-automation | incident, production, distributed, microservices, outage |
review | code-reviewer | code-documentation comprehensive-review feature-dev git-pr-workflows tdd-workflows code-refactoring codebase-cleanup superpowers | review, security, vulnerability, quality, audit, pr, pull request, git, merge, branch |
review | architect-review | code-review-ai comprehensive-review | architecture, design, patterns, structure, scalability |
docs | docs-architect | documentation-generation code-documentation | documentation, architecture, guide, manual, readme |
docs | tutorial-engineer | documentation-generation code-documentation | tutorial, guide, howto, onboarding, walkthrough |
docs | api-documenter | documentation-generation | api, openapi, swagger, rest, graphql, endpoints |
docs | reference-builder | documentation-generation | * reference, configuration, guide |
docs | mermaid-expert | documentation-generation | * flowchart, diagram, mermaid, visual |
testing | test-automator | unit-testing full-stack-orchestration performance-testing-review codebase-cleanup | test, unit, coverage, pytest, jest, mock, performance, load, stress, benchmark, latency |
testing | tdd-orchestrator | tdd-workflows backend-development | tdd, red-green-refactor, test-first |
performance | performance-engineer | full-stack-orchestration observability-monitoring performance-testing-review | performance, apm, monitoring, metrics, optimization |
performance | database-optimizer | observability-monitoring | database, query, index, performance, sql |
performance | network-engineer | observability-monitoring | * network, connectivity, dns |
performance | observability-engineer | observability-monitoring | * monitoring, observability, sli, slo |
security | security-auditor | full-stack-orchestration comprehensive-review | security, audit, compliance, vulnerability, pentest |
security | backend-security-coder | data-validation-suite | validation, sanitization, security, auth, encryption |
deployment | deployment-engineer | full-stack-orchestration deployment-strategies cicd-automation | deploy, ci/cd, pipeline, automation, release |
deployment | terraform-specialist | deployment-strategies cicd-automation | terraform, iac, infrastructure, aws, cloud |
deployment | cloud-architect | cicd-automation deployment-validation | * cloud, multi-cloud, finops |
deployment | kubernetes-architect | cicd-automation | kubernetes, k8s, gitops, helm, cluster |
tools | dx-optimizer | debugging-toolkit team-collaboration | * tooling, setup, onboarding, friction |
tools | code-architect | feature-dev | * feature, blueprint, architecture |
tools | code-explorer | feature-dev | * explore, codebase, patterns |
languages | python-pro | python-development | python, async, asyncio, type hints, dataclasses | foundation django fastapi ml
languages | django-pro | python-development | * django, drf, celery | django
languages | fastapi-pro | python-development | fastapi, api, async, pydantic, microservices | fastapi
languages | javascript-pro | javascript-typescript | * javascript, es6, node |
languages | typescript-pro | javascript-typescript | typescript, types, generics, interfaces, strict |
languages | bash-pro | shell-scripting | * bash, shell script |
languages | posix-shell-pro | shell-scripting | * posix, sh, portability |
frontend | frontend-developer | frontend-mobile-development | * react, next.js, frontend, component |
frontend | mobile-developer | frontend-mobile-development | * mobile, flutter, react native |
backend | backend-architect | backend-development | * api, design, scalable, microservices, architecture | django fastapi
backend | graphql-architect | backend-development | * graphql, federation |
backend | temporal-python-pro | backend-development | * temporal, saga, workflow | foundation django fastapi
refactoring | legacy-modernizer | code-refactoring dependency-management | * legacy, framework migration, dependency update, technical debt, refactor |
ai | ai-engineer | llm-application-dev | llm, ai, rag, embeddings, vector, gpt | ml
ai | prompt-engineer | llm-application-dev | prompt, optimization, llm, tuning, few-shot |
incidents | incident-responder | incident-response | * incident, outage, sre |
context | context-manager | context-management agent-orchestration | * context engineering, memory system, multi-agent |
exploration | Explore | | * explore, codebase, pattern search |
exploration | Plan | | * plan, approach |
exploration | general-purpose | | * research, multi-step |
exploration | claude-code-guide | | * claude code |
sdk | agent-sdk-verifier-py | agent-sdk-dev | * python agent sdk |
sdk | agent-sdk-verifier-ts | agent-sdk-dev | * typescript agent sdk |
"""  # noqa: E501


def _role(row: str) -> Role:
    category, name, plugins, keywords, lanes = (part.strip() for part in row.split("|"))
    title, specialty = CATEGORIES[category]
    return Role(
        name,
        title,
        specialty,
        tuple(plugins.split()),
        tuple(word.strip() for word in keywords.lstrip("* ").split(",")),
        keywords.startswith("*"),
        tuple(lanes.split()),  # type: ignore[arg-type]
    )


ROLES: dict[str, Role] = {role.name: role for role in map(_role, _ROWS.strip().splitlines())}
FALLBACK = "general-purpose"

TASK_TYPES: dict[TaskType, tuple[str, ...]] = {
    "debugging": (
        *("error", "bug", "fix", "broken", "failing", "crash", "exception"),
        *("stack trace", "not working", "issue"),
    ),
    "code_review": (
        *("review", "check", "audit", "quality", "feedback", "improvement"),
        *("refactor", "clean", "best practice"),
    ),
    "testing": (
        *("test", "unittest", "integration", "e2e", "coverage"),
        *("pytest", "jest", "mock", "assertion", "tdd"),
    ),
    "performance": (
        *("slow", "performance", "optimize", "speed", "latency"),
        *("memory", "cpu", "bottleneck", "profile", "benchmark"),
    ),
    "security": (
        *("security", "vulnerability", "exploit", "auth", "encryption", "xss"),
        *("sql injection", "csrf", "penetration", "audit"),
    ),
    "deployment": (
        *("deploy", "ci/cd", "pipeline", "release", "production"),
        *("kubernetes", "docker", "terraform", "aws", "cloud"),
    ),
    "architecture": (
        *("architecture", "design", "pattern", "structure", "scalability"),
        *("microservices", "monolith", "api", "schema", "diagram"),
    ),
}
WEAK = frozenset({"api", "design", "issue"})
"""Words that say little: they count half."""

DOMAINS: dict[str, str] = {
    "auth": "backend-security-coder",
    "authentication": "backend-security-coder",
    "api": "fastapi-pro",
    "database": "database-optimizer",
    "frontend": "frontend-developer",
    "deployment": "deployment-engineer",
    "testing": "test-automator",
    "documentation": "docs-architect",
}

LEAVES: tuple[Leaf, ...] = (
    Leaf("debugging", "a production incident?", (("incident", "outage"),), "devops-troubleshooter"),
    Leaf("debugging", "a test that fails?", (("test",), ("failing", "broken", "error", "fix", "flaky")), "debugger"),
    Leaf("debugging", "too slow?", (("slow", "latency", "performance"),), "performance-engineer"),
    Leaf("debugging", "a security concern?", (("vulnerability", "exploit", "security"),), "security-auditor"),
    Leaf("debugging", "any other error?", (("error", "bug", "crash", "exception", "broken", "failing"),), "debugger"),
    Leaf("development", "an API in Python?", (("api", "endpoint"), ("python", "fastapi", "async")), "fastapi-pro"),
    Leaf("development", "an API in Node.js?", (("api", "endpoint"), ("node", "express")), "javascript-pro"),
    Leaf("development", "GraphQL?", (("graphql",),), "graphql-architect"),
    Leaf("development", "React or Next.js?", (("react", "next.js", "frontend"),), "frontend-developer"),
    Leaf("development", "a mobile app?", (("mobile", "flutter"),), "mobile-developer"),
    Leaf("development", "the design of a schema?", (("schema",), ("design", "database")), "backend-architect"),
    Leaf("development", "a database to speed up?", (("query", "database", "index", "sql"),), "database-optimizer"),
    Leaf("development", "Kubernetes?", (("kubernetes", "k8s", "helm"),), "kubernetes-architect"),
    Leaf("development", "Terraform?", (("terraform", "iac"),), "terraform-specialist"),
    Leaf("development", "CI/CD?", (("ci/cd", "pipeline", "deploy"),), "deployment-engineer"),
)
"""Five leaves for debugging, ten for development; the schema leaf goes to a role that exists."""

SPANISH: dict[str, str] = {
    **dict.fromkeys(("arregla", "arreglar", "corrige", "corregir"), "fix"),
    **dict.fromkeys(("fallo", "fallos", "errores"), "bug"),
    **dict.fromkeys(("falla", "fallan", "fallando"), "failing"),
    **dict.fromkeys(("rota", "roto", "rotos"), "broken"),
    "excepción": "exception",
    **dict.fromkeys(("revisa", "revisar", "revisión"), "review"),
    **dict.fromkeys(("audita", "auditar", "auditoría"), "audit"),
    "calidad": "quality",
    **dict.fromkeys(("refactoriza", "refactorizar"), "refactor"),
    **dict.fromkeys(("limpia", "limpiar"), "clean"),
    **dict.fromkeys(("prueba", "pruebas", "testea"), "test"),
    "cobertura": "coverage",
    **dict.fromkeys(("lento", "lenta", "lentos", "lentas"), "slow"),
    "rendimiento": "performance",
    **dict.fromkeys(("optimiza", "optimizar"), "optimize"),
    "latencia": "latency",
    "memoria": "memory",
    **dict.fromkeys(("seguridad", "segura", "seguro"), "security"),
    **dict.fromkeys(("vulnerabilidad", "vulnerabilidades"), "vulnerability"),
    **dict.fromkeys(("autenticación", "autorización"), "auth"),
    "cifrado": "encryption",
    **dict.fromkeys(("despliega", "desplegar", "despliegue"), "deploy"),
    "producción": "production",
    **dict.fromkeys(("publica", "publicar", "lanzamiento"), "release"),
    "arquitectura": "architecture",
    **dict.fromkeys(("diseña", "diseñar", "diseño"), "design"),
    "estructura": "structure",
    "esquema": "schema",
    **dict.fromkeys(("consulta", "consultas"), "query"),
    **dict.fromkeys(("índice", "índices"), "index"),
    "documentación": "documentation",
    **dict.fromkeys(("planifica", "planificar"), "plan"),
}
"""Spanish words and the keyword that they stand for."""

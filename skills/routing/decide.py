"""Django or FastAPI: eight questions, a tie-break, and its record (Python backend orchestrator, core)."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

Framework = Literal["django", "fastapi"]


@dataclass(frozen=True, slots=True)
class Question:
    """A question whose yes is a point for `side`; `brief` asks the same in at most 31 characters. `words` show a yes in
    a task."""

    id: str
    side: Framework
    text: str
    brief: str
    words: re.Pattern[str]


def _question(id: str, side: Framework, text: str, brief: str, words: str) -> Question:
    return Question(id, side, text, brief, re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE))


QUESTIONS: tuple[Question, ...] = (
    _question("admin", "django", "Are an admin, accounts, forms and migrations needed from the start?",
              "Admin, accounts, forms at once?",
              r"admin|accounts?|forms?|migrations?|formularios?|cuentas|migraciones"),
    _question("pages", "django", "Does the server render pages, or is DRF wanted?",
              "Server pages, or DRF?",
              r"server-rendered|templates?|html|pages?|drf|páginas?|plantillas?"),
    _question("relational", "django", "Is a relational model the centre of it?",
              "A relational model at its core?",
              r"relational|orm|foreign keys?|relacional|base de datos"),
    _question("celery", "django", "Are there background jobs that Celery would run?",
              "Background jobs for Celery?",
              r"celery|background jobs?|scheduled jobs?|tareas en segundo plano|segundo plano"),
    _question("async", "fastapi", "Is it a small service that is asynchronous throughout?",
              "Small, and async throughout?",
              r"async\w*|asyncio|microservices?|asíncron[oa]s?|microservicios?"),
    _question("json", "fastapi", "Is it only a JSON API, described by OpenAPI?",
              "Only a JSON API with OpenAPI?",
              r"json|openapi|swagger|rest api|api rest"),
    _question("own-stack", "fastapi", "Does it bring its own database and validation libraries?",
              "Its own database libraries?",
              r"sqlalchemy|sqlmodel|asyncpg|mongo\w*|pydantic|msgspec"),
    _question("concurrency", "fastapi", "Do its endpoints mostly wait for others, many at a time?",
              "Mostly waiting, many at a time?",
              r"high[- ]concurrency|concurrent|websockets?|streaming|sse|long[- ]polling|i/o[- ]bound|concurrencia"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome. `framework` is None where only a person can break the tie; `why` says what decided."""

    framework: Framework | None
    points: Mapping[Framework, int]
    answers: Mapping[str, bool]
    why: str


def words_answers(task: str) -> dict[str, bool]:
    """The questions that the words of a task answer with yes."""
    return {question.id: True for question in QUESTIONS if question.words.search(task)}


def decide(answers: Mapping[str, bool], present: Collection[str]) -> Decision:
    """The framework by points; a tie goes to the one that is `present`, then by admin and relational model."""
    points: dict[Framework, int] = {"django": 0, "fastapi": 0}
    for question in QUESTIONS:
        points[question.side] += bool(answers.get(question.id))
    given = {question.id: answers[question.id] for question in QUESTIONS if question.id in answers}
    django, fastapi = points["django"], points["fastapi"]
    if django != fastapi:
        better: Framework = "django" if django > fastapi else "fastapi"
        return Decision(better, points, given, f"{max(django, fastapi)} points to {min(django, fastapi)}")
    here: list[Framework] = [side for side in ("django", "fastapi") if side in present]
    if len(here) == 1:
        return Decision(here[0], points, given, f"{django} points each; the repository already uses it")
    if answers.get("admin") and answers.get("relational"):
        return Decision("django", points, given, f"{django} points each; an admin on a relational model")
    return Decision(None, points, given, f"{django} points each, and nothing breaks the tie: choose yourself")


def decision_record(decision: Decision, title: str, day: str) -> str:
    """The decision as an architecture decision record in Markdown. `day` is its ISO date."""
    names = {"django": "Django", "fastapi": "FastAPI", None: "undecided"}
    rows = [
        f"| {question.text} | {'yes' if decision.answers.get(question.id) else 'no'} | {names[question.side]} |"
        for question in QUESTIONS
    ]
    other = {"django": "FastAPI", "fastapi": "Django"}.get(decision.framework or "", "")
    chosen = names[decision.framework]
    consequences = (
        f"Routes, validation, persistence and tests follow {chosen}. No module imports {other} beside it."
        if decision.framework
        else "No framework code is written until somebody chooses."
    )
    return "\n".join(
        [
            f"# {title}",
            "",
            "## Status",
            "",
            f"{'Accepted' if decision.framework else 'Proposed'}, {day}",
            "",
            "## Context",
            "",
            "| Question | Answer | A yes speaks for |",
            "|---|---|---|",
            *rows,
            "",
            "## Decision",
            "",
            f"{chosen}: {decision.why}.",
            "",
            "## Consequences",
            "",
            f"The framework is chosen once for this service. {consequences}",
            "",
        ]
    )

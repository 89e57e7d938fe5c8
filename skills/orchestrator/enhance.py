"""The enhanced prompt: a template whose slots are filled from evidence (performance orchestrator, request analysis).

Nothing is invented: what the repository does not tell stays a question in square brackets, and such questions earn
no points when the enhanced prompt is scored again.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from skills.orchestrator.planning import Plan
from skills.orchestrator.score import Band, Vocabulary, named_targets, score_prompt
from skills.orchestrator.task_class import Task

Pattern = Literal["cognitive-verifier", "template", "context-building", "none"]
Language = Literal["en", "es"]

PATTERNS: dict[Band, Pattern] = {
    "enhanced": "cognitive-verifier",
    "full": "template",
    "light": "context-building",
    "skip": "none",
}


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """What is known of the project a prompt is about; empty outside of one.

    `stack` names frameworks and libraries that matter, `test_command` runs its tests, `servers` are the MCP servers
    that are set up (None: not looked at).
    """

    vocabulary: Vocabulary | None = None
    stack: tuple[str, ...] = ()
    test_command: str = ""
    servers: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Enhanced:
    """The prompt with its missing parts, its score, and the questions that only a person can answer."""

    text: str
    score: int
    questions: tuple[str, ...]


_STEPS: dict[Language, dict[Task, tuple[str, ...]]] = {
    "en": {
        "bug": (
            "Reproduce the symptom in a test",
            "Find the cause first",
            "Fix the cause, not the symptom",
            "Test again",
        ),
        "feature": (
            "List the requirements and what is out of scope",
            "Say what changes and how",
            "Implement it",
            "Add tests",
        ),
        "refactor": (
            "Look at what uses it and at its tests",
            "Write the plan down",
            "Refactor in small steps",
            "Test again",
        ),
        "question": ("Study the code in question", "Put the findings together", "Answer with an example from the code"),
    },
    "es": {
        "bug": (
            "Reproduce el síntoma en una prueba",
            "Encuentra la causa antes de cambiar nada",
            "Corrige la causa, no el síntoma",
            "Prueba otra vez",
        ),
        "feature": (
            "Enumera los requisitos y lo que queda fuera",
            "Di qué cambia y cómo",
            "Impleméntalo",
            "Añade pruebas",
        ),
        "refactor": (
            "Mira quién lo usa y sus pruebas",
            "Escribe el plan",
            "Refactoriza en pasos pequeños",
            "Prueba otra vez",
        ),
        "question": ("Estudia el código en cuestión", "Reúne lo encontrado", "Responde con un ejemplo del código"),
    },
}
_LABELS: dict[Language, dict[str, str]] = {
    "en": {
        "where": "Probably in",
        "stack": "Stack",
        "run": "Run",
        "answer": "Give the answer as a list with file and line.",
        "report": "Report the changed files as a list.",
    },
    "es": {
        "where": "Probablemente en",
        "stack": "Tecnología",
        "run": "Ejecuta",
        "answer": "Formato de salida: una lista con fichero y línea en cada punto.",
        "report": "Formato de salida: la lista de ficheros cambiados.",
    },
}
_QUESTIONS: tuple[tuple[str, str, str], ...] = (
    ("file or symbol", "Which file, class or function is it about?", "¿De qué fichero, clase o función se trata?"),
    ("current state", "What happens now, in its exact words?", "¿Qué ocurre ahora, con sus palabras exactas?"),
    ("expected result", "What should happen, for which input?", "¿Qué debería ocurrir, con qué entrada?"),
    ("verification", "Which command shows that it works?", "¿Qué orden demuestra que funciona?"),
    ("constraints", "What must not change, what does it depend on?", "¿Qué no debe cambiar, de qué depende?"),
    ("edge cases", "Which edge cases matter?", "¿Qué casos límite importan?"),
    ("success criteria", "When is it done?", "¿Cuándo está hecho?"),
)
_SPANISH = re.compile(
    r"(?<!\w)(?:el|la|los|las|un|una|de|del|que|qué|por|para|con|sin|en|cuando|añade|arregla|crea|haz|y)(?!\w)"
    r"|[ñ¿¡áéíóú]",
    re.IGNORECASE,
)
_ENGLISH = re.compile(
    r"(?<!\w)(?:the|an?|of|to|in|for|with|without|when|and|that|this|is|are|it|from|on|how|why)(?!\w)", re.IGNORECASE
)
_MOST_FILES = 3
_PART = re.compile(r"[a-záéíóúñ]{4,}")
_TEST_FILE = re.compile(r"(?:^|/)tests?/|(?:^|/)(?:test_|conftest)|_tests?\.py$|(?:^|/)migrations/")


def language_of(text: str) -> Language:
    """The language of a prompt, by its small words."""
    return "es" if len(_SPANISH.findall(text)) > len(_ENGLISH.findall(text)) else "en"


def enhance(text: str, plan: Plan, project: ProjectFacts) -> Enhanced:
    """The enhanced prompt for a plan's band; from 90 points on the prompt itself."""
    band = plan.score.band
    if band == "skip":
        return Enhanced(text, plan.score.score, ())
    language = language_of(text)
    questions = _questions(plan, language)
    body = _context_only(text, plan, project) if band == "light" else _template(text, plan, project, questions)
    return Enhanced(body, score_prompt(body, project.vocabulary).score, questions)


def likely_files(text: str, names: Iterable[str]) -> tuple[str, ...]:
    """Python files whose path holds words of the prompt, best first: the only places that evidence suggests."""
    spoken = set(_PART.findall(text.lower()))
    wanted = spoken | {word[:-1] for word in spoken if word.endswith("s") and len(word) > 4}
    found: list[tuple[int, int, str]] = []
    for name in names:
        if not name.endswith(".py") or "/" not in name or _TEST_FILE.search(name):
            continue
        parts = set(_PART.findall(name.lower().removesuffix(".py")))
        hits = len((parts | {part[:-1] for part in parts if part.endswith("s")}) & wanted)
        if hits:
            found.append((-hits, name.count("/"), name))
    best = min((hits for hits, _, _ in found), default=0)
    return tuple(name for hits, _, name in sorted(found) if hits == best)[:_MOST_FILES]


def _questions(plan: Plan, language: Language) -> tuple[str, ...]:
    """Three to five questions below 40 points, else one for each missing part that only a person knows."""
    missing = set(plan.score.missing)
    asked = [(item, english if language == "en" else spanish) for item, english, spanish in _QUESTIONS]
    found = [question for item, question in asked if item in missing]
    if plan.score.band == "enhanced":
        rest = [question for item, question in asked if question not in found]
        return tuple([*found, *rest][: max(3, min(5, len(found)))])
    wanted = ("constraints", "edge cases", "verification") if plan.score.band == "light" else None
    return tuple(question for item, question in asked if item in missing and (wanted is None or item in wanted))[:5]


def _template(text: str, plan: Plan, project: ProjectFacts, questions: tuple[str, ...]) -> str:
    language = language_of(text)
    labels, missing = _LABELS[language], set(plan.score.missing)
    context = _known(text, project, labels)
    parts = [f"<task>\n{text.strip()}\n</task>"] if "tags" in missing else [text.strip()]
    opened = [f"- [{question}]" for question in questions]
    parts.append("\n".join(["<context>", *context, *opened, "</context>"]))
    steps = [f"{number}. {step}" for number, step in enumerate(_STEPS[language][plan.task], 1)]
    if "steps" in missing:
        parts.append("\n".join(steps))
    parts.append("\n".join(["<expected_output>", *_expected(plan, project, labels), "</expected_output>"]))
    return "\n".join(parts)


def _known(text: str, project: ProjectFacts, labels: dict[str, str]) -> list[str]:
    lines = []
    if project.vocabulary is not None and not named_targets(text):
        places = likely_files(text, project.vocabulary.names)
        if places:
            lines.append(f"- {labels['where']}: {', '.join(places)}")
    if project.stack:
        lines.append(f"- {labels['stack']}: {', '.join(project.stack[:4])}")
    return lines


def _expected(plan: Plan, project: ProjectFacts, labels: dict[str, str]) -> list[str]:
    missing = set(plan.score.missing)
    if plan.task == "question":
        return [labels["answer"]]
    lines = []
    if "output format" in missing:
        lines.append(labels["report"])
    if "verification" in missing and project.test_command:
        lines.append(f"{labels['run']} `{project.test_command}`.")
    return lines


def _context_only(text: str, plan: Plan, project: ProjectFacts) -> str:
    """The prompt with the constraints and dependencies that it lacks, and nothing else."""
    language = language_of(text)
    labels, missing = _LABELS[language], set(plan.score.missing)
    lines = _known(text, project, labels) if "stack" in missing else []
    if "verification" in missing and project.test_command:
        lines.append(f"- {labels['run']} `{project.test_command}`.")
    lines += [f"- [{question}]" for question in _questions(plan, language)]
    return "\n".join([text.strip(), "<constraints>", *lines, "</constraints>"]) if lines else text

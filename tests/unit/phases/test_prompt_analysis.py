"""`cockpit analyze`: prompts that were labelled before any tuning, the enhanced prompt, the project, the command."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.cli import main
from cockpit.phases.vocabulary import read_project
from cockpit.repository import find_repository
from skills.orchestrator.analysis import analyze_prompt
from skills.orchestrator.delegates import called_tools
from skills.orchestrator.enhance import ProjectFacts, language_of, likely_files
from skills.orchestrator.planning import classify_task, plan_prompt
from skills.orchestrator.score import Vocabulary, named_targets, score_prompt
from tests.git import repository_of

DATA = Path(__file__).parents[1] / "data"
NEEDED = {"risk": 0.95, "task": 0.85, "band": 0.80, "tier": 0.90}
KEYS = [
    *("version", "score", "raw", "band", "breakdown", "missing", "risk", "task", "complexity", "model", "skills"),
    *("agents", "commands", "pattern", "enhanced", "enhanced_score", "flow", "confidence", "estimate", "tools"),
]


def labelled(name: str) -> list[dict[str, str]]:
    """Labelled by hand before they were judged; `set` says whether they were seen while the rules were written."""
    return [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text("utf-8").splitlines()]


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(["analyze", "--json", *words]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize("name", ["prompts", "prompts_more", "mixed"])
def test_labelled_prompts_are_judged_as_people_judge_them(name: str) -> None:
    right = dict.fromkeys(NEEDED, 0)
    rows = labelled(name)
    for row in rows:
        plan = plan_prompt(row["text"])
        got = {"risk": plan.risk.level, "task": plan.task, "band": plan.score.band, "tier": plan.tier}
        for key in right:
            right[key] += got[key] == row[key]
    shares = {key: count / len(rows) for key, count in right.items()}
    assert all(shares[key] >= least for key, least in NEEDED.items()), shares


@pytest.mark.parametrize("text", ["fix the user thing", "arregla lo de los usuarios", "why is it slow?"])
def test_a_vague_prompt_gains_at_least_twenty_points(text: str) -> None:
    found = analyze_prompt(text)

    assert found.plan.score.score < 40
    assert found.pattern == "cognitive-verifier"
    assert found.enhanced.score - found.plan.score.score >= 20
    assert 3 <= len(found.enhanced.questions) <= 5


@pytest.mark.parametrize("row", labelled("prompts"), ids=lambda row: row["text"][:30])
def test_the_enhanced_prompt_keeps_the_words_and_scores_what_it_says(row: dict[str, str]) -> None:
    found = analyze_prompt(row["text"])

    assert row["text"].strip() in found.enhanced.text
    assert found.enhanced.score == score_prompt(found.enhanced.text).score
    assert found.enhanced.score >= found.plan.score.score


@given(st.text(max_size=300))
def test_any_text_has_an_analysis_twice_the_same(text: str) -> None:
    assert analyze_prompt(text) == analyze_prompt(text)


def test_open_questions_earn_nothing() -> None:
    assert score_prompt("Fix it\n- [Which pytest test must return 404 for an empty cart?]") == score_prompt("Fix it\n")


def test_slots_are_filled_from_the_project_and_nothing_else() -> None:
    names = frozenset({"apps/users/views.py", "apps/users/tests/test_views.py", "apps/orders/views.py"})
    project = ProjectFacts(Vocabulary(names=names), ("django", "pytest"), "pytest")
    found = analyze_prompt("fix the user thing", project).enhanced.text

    assert "- Probably in: apps/users/views.py\n" in found
    assert "Stack: django, pytest" in found
    assert "Run `pytest`." in found
    assert "apps/orders" not in found


def test_likely_files_are_those_with_most_words_of_the_prompt() -> None:
    names = ("apps/users/views.py", "apps/users/models.py", "apps/orders/views.py", "users.py")

    assert likely_files("the views of users", names) == ("apps/users/views.py",)
    assert likely_files("nothing of it", names) == ()


def test_a_spanish_prompt_gets_a_spanish_template() -> None:
    assert language_of("Arregla el error del carrito") == "es"
    assert language_of("Fix the error of the cart") == "en"
    assert "¿Qué ocurre ahora" in analyze_prompt("arregla el carrito").enhanced.text


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("Investigate why two requests create one invoice", "question"),
        ("Review the cart and fix the total", "bug"),
        ("Investiga el fallo del login", "bug"),
        ("el login no funciona", "bug"),
        ("GET /users returns a 500", "bug"),
        ("anade un endpoint", "feature"),
    ],
)
def test_task_class_of_studies_failures_and_words_without_accents(text: str, task: str) -> None:
    assert classify_task(text)[0] == task


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("In apps/users/api.py (Django 5.2) add a PATCH route. It currently answers 404.", "feature"),
        ("Fine-tune a transformer on our tickets", "feature"),
        ("requests.get blocks the event loop in geo.py", "bug"),
        ("Turn parser.py and lexer.py into one package", "refactor"),
        ("Give me a table with every endpoint", "question"),
    ],
)
def test_the_order_is_found_behind_a_place_and_a_first_word_that_is_no_plain_one(text: str, task: str) -> None:
    assert classify_task(text)[0] == task


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("da error al guardar: IntegrityError", "bug"),
        ("me da un timeout el informe mensual", "bug"),
        ("calcula mal el IVA de los pedidos con descuento", "bug"),
        ("lanza una excepción si el fichero está vacío", "bug"),
        ("Calcula el IVA de los pedidos con descuento", "feature"),
        ("Dale al cliente un enlace de descarga", "feature"),
        ("Muestra los errores de validación junto a cada campo", "feature"),
        ("Entrena el modelo y guarda el mejor checkpoint", "feature"),
        ("Guarda la mejor oferta de cada proveedor", "feature"),
        ("Haz mejor el código de la importación", "refactor"),
    ],
)
def test_what_goes_wrong_is_told_from_the_order_that_is_spelt_the_same(text: str, task: str) -> None:
    assert classify_task(text)[0] == task


def test_a_call_by_its_name_is_a_target() -> None:
    assert named_targets("Move the mail from create() and clean() into a service") == ("create", "clean")
    assert named_targets("use len() and sorted() there") == ()


def test_names_of_the_language_are_no_targets() -> None:
    assert named_targets("KeyError in UserService and ValueError") == ("UserService",)


def test_documentation_of_a_library_asks_for_its_server() -> None:
    (tool,) = called_tools("QuerySet docs", frozenset({"context7"}))
    (absent,) = called_tools("QuerySet docs", frozenset())
    (unknown,) = called_tools("QuerySet docs", None)

    assert tool.first == "context7"
    assert (tool.available, absent.available, unknown.available) == (True, False, None)


def test_agents_are_named_for_large_work_and_for_coverage_only() -> None:
    assert analyze_prompt("Add a test").agents == ()
    assert analyze_prompt("Raise the coverage of app/a.py").agents == ("django-test-generator",)
    large = analyze_prompt("Audit the security of every tenant view across the codebase")
    assert set(large.agents) >= {"multi-tenant-enforcer", "security-auditor", "django-codebase-auditor"}
    assert "/check-tenant" in large.commands


def test_the_vocabulary_is_what_the_repository_holds(tmp_path: Path) -> None:
    root = repository_of(
        tmp_path,
        {
            "pyproject.toml": '[project]\nname="x"\ndependencies=["Django>=5", "pytest"]\n',
            "apps/billing/models.py": "class Invoice(Model):\n    def total(self): ...\n",
            "apps/billing/apps.py": "",
            ".mcp.json": '{"mcpServers": {"context7": {}}}',
        },
    )
    facts = read_project(find_repository(root))

    assert facts.vocabulary is not None
    assert {"apps/billing/models.py", "Invoice", "total", "apps.billing.models"} <= facts.vocabulary.names
    assert {"Invoice", "billing", "django"} <= facts.vocabulary.terms
    assert facts.stack == ("django", "pytest")
    assert facts.test_command == "pytest"
    assert facts.servers == {"context7"}


@pytest.mark.parametrize("broken", ["{", "[1]", '{"mcpServers": 3}', '{"projects": [1]}'])
def test_broken_server_settings_are_no_servers(tmp_path: Path, broken: str) -> None:
    root = repository_of(tmp_path, {".mcp.json": broken})

    assert read_project(find_repository(root)).servers == frozenset()


def test_the_document_has_every_key_in_its_order(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    root = repository_of(tmp_path, {"a.py": ""})
    found = answer(capsys, "--repo", str(root), "Añade un filter por tenant_id en UserViewSet")

    assert list(found)[: len(KEYS)] == KEYS
    assert found["risk"]["level"] == "CRITICAL"
    assert found["risk"]["keywords"][0] == {"keyword": "tenant_id", "level": "CRITICAL", "offset": 20}
    assert found["model"] == {"tier": "standard", "id": "claude-sonnet-4-5", "thinking_tokens": 8192}
    assert {"name": "multi-tenant-guardian", "priority": "P0"} in found["skills"]
    assert sum(item["max"] for item in found["breakdown"]) == 125
    assert found == answer(capsys, "--repo", str(root), "Añade un filter por tenant_id en UserViewSet")


def test_it_answers_outside_a_repository_and_from_stdin(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cockpit", "analyze", "-"]
    done = subprocess.run(
        command, input=b"fix \xff the \x1b[31muser thing", capture_output=True, cwd=tmp_path, check=True
    )

    assert b"enhanced, " in done.stdout
    assert b"\x1b" not in done.stdout


@pytest.mark.parametrize("words", [["  "], ["--repo", "/nowhere/at/all", "fix"]])
def test_what_cannot_be_answered_is_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", *words]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_an_empty_stdin_cannot_be_answered(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))

    assert main(["analyze"]) == 2
    assert "empty" in capsys.readouterr().err

"""The prompt score, risk and plan: the rubric's calibration, its bands, and what must not be flagged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skills.orchestrator import words
from skills.orchestrator.planning import (
    called_skills,
    choose_tier,
    classify_task,
    estimate_complexity,
    plan_prompt,
    tier_of_model,
)
from skills.orchestrator.risk import RISK_ORDER, assess_risk
from skills.orchestrator.score import Vocabulary, band_of, named_targets, score_prompt

VAGUE = "fix the user thing"
ENHANCED = "Fix authentication bug in apps/core/views/user.py where email validation allows duplicates"
COMPLETE = """<task>Add a paginated users endpoint to `UserViewSet` in apps/users/views.py</task>
<context>Django 5.0, DRF; the service layer owns writes.
Currently GET /users/ raises "KeyError: 'page'" with an empty page.</context>
1. keep the tenant middleware
2. add tests in apps/users/tests/test_users.py
```python
client.get("/users/?page=2")
```
Expected: 200 with 20 items. Return JSON. Don't change the serializer.
Done when `pytest apps/users` passes; all tests must pass.
"""


def points(text: str, vocabulary: Vocabulary | None = None) -> dict[str, int]:
    return {f"{one.dimension}/{one.item}": one.points for one in score_prompt(text, vocabulary).items}


def test_vague_prompt_is_enhanced_and_its_better_form_gains_twenty() -> None:
    vague, better = score_prompt(VAGUE), score_prompt(ENHANCED)

    assert vague.score < 40
    assert vague.band == "enhanced"
    assert better.score - vague.score >= 20


def test_complete_prompt_skips_the_analysis() -> None:
    found = score_prompt(COMPLETE)

    assert found.band == "skip"
    assert found.score == 100
    assert found.raw > 100
    assert found.missing == ()


@pytest.mark.parametrize(
    ("score", "band"),
    [
        (0, "enhanced"),
        (39, "enhanced"),
        (40, "full"),
        (69, "full"),
        (70, "light"),
        (89, "light"),
        (90, "skip"),
        (100, "skip"),
    ],
)
def test_bands_are_half_open(score: int, band: str) -> None:
    assert band_of(score) == band


def test_every_dimension_reaches_exactly_its_maximum() -> None:
    most: dict[str, int] = {}
    for item in score_prompt("").items:
        most[item.dimension] = most.get(item.dimension, 0) + item.most

    assert most == {
        "clarity": 25,
        "context": 25,
        "structure": 20,
        "examples": 15,
        "actionability": 15,
        "bonus": 25,
    }
    assert score_prompt("").score == 0


@given(st.text(max_size=400))
def test_score_stays_in_its_range_and_items_within_their_maximum(text: str) -> None:
    found = score_prompt(text)

    assert 0 <= found.score <= 100
    assert found.score == min(100, found.raw)
    assert all(0 <= item.points <= item.most and item.why for item in found.items)


def test_each_vague_word_costs_two_points() -> None:
    assert points("Fix it")["clarity/no vague words"] == 5
    assert points("Fix something")["clarity/no vague words"] == 3
    assert points("Fix something nice with stuff")["clarity/no vague words"] == 0


@pytest.mark.parametrize(("before", "score"), [(11, 5), (12, 0)])
def test_the_verb_stands_among_the_first_twelve_words(before: int, score: int) -> None:
    assert points("users " * before + "add")["clarity/action verb"] == score


def test_spanish_verbs_count() -> None:
    assert points("Añade un endpoint de usuarios")["clarity/action verb"] == 5
    assert points("Arregla la cosa")["clarity/no vague words"] == 3


def test_a_file_that_does_not_exist_gets_two_points() -> None:
    known = Vocabulary(names=frozenset({"apps/core/models.py"}))

    assert points("Fix apps/core/models.py", known)["clarity/file or symbol"] == 5
    assert points("Fix apps/core/nowhere.py", known)["clarity/file or symbol"] == 2
    assert points("Fix it", known)["clarity/file or symbol"] == 0


def test_the_projects_own_terms_are_technical_terms() -> None:
    known = Vocabulary(terms=frozenset({"Invoice", "ledger"}))

    assert points("Show the invoice in the ledger")["clarity/technical terms"] == 0
    assert points("Show the invoice in the ledger", known)["clarity/technical terms"] == 5


def test_targets_are_distinct_and_in_order() -> None:
    assert named_targets("In `save_user` and app/a.py, app/a.py: see UserViewSet and core.users.services.create") == (
        "app/a.py",
        "save_user",
        "UserViewSet",
        "core.users.services.create",
    )


@pytest.mark.parametrize(
    ("text", "level", "leading"),
    [
        ("Añade un filter por tenant_id en UserViewSet", "CRITICAL", "tenant_id"),
        ("Check if this has tenant_id filtering", "CRITICAL", "tenant_id"),
        ("Company.objects.filter(company_id=1)", "CRITICAL", ".filter(company_id"),
        ("put the business  logic elsewhere", "HIGH", "business logic"),
        ("mend UserViewSet", "HIGH", "ViewSet"),
        ("the queries of this page", "MEDIUM", "query"),
        ("remove comments", "LOW", "comment"),
        ("latest jquery recommend contest", "NONE", ""),
        ("my_tenant_ids", "NONE", ""),
    ],
)
def test_the_risk_is_that_of_the_keyword_which_leads(text: str, level: str, leading: str) -> None:
    risk = assess_risk(text)

    assert (risk.level, risk.leading) == (level, leading)
    assert all(0 <= found.offset < len(text) for found in risk.keywords)


@given(st.text(max_size=200))
def test_risk_level_is_that_of_its_highest_keyword(text: str) -> None:
    risk = assess_risk(text + " tests of the ViewSet")

    assert RISK_ORDER.index(risk.level) == max(RISK_ORDER.index(found.level) for found in risk.keywords)


@pytest.mark.parametrize(
    ("text", "task"),
    [
        (VAGUE, "bug"),
        ("Why does login raise a KeyError?", "question"),
        ("How does the cache work?", "question"),
        ("Add a users endpoint", "feature"),
        ("Añade un endpoint", "feature"),
        ("Rename the error module", "refactor"),
        ("can you fix the login?", "bug"),
        ("the login page crashes", "bug"),
        ("remove the old flag", "refactor"),
        ("remove the export button", "feature"),
        ("The error pages do not load", "bug"),
        ("Translate the error pages", "feature"),
        ("When I save, it crashes", "bug"),
        ("we need a way to export invoices", "feature"),
        ("haz la consulta más rápida", "refactor"),
        ("Check if this has tenant_id filtering", "question"),
        ("continue", "question"),
    ],
)
def test_a_prompt_is_classed_by_what_it_asks_for(text: str, task: str) -> None:
    assert classify_task(text)[0] == task


@pytest.mark.parametrize(
    ("text", "complexity"),
    [
        ("Fix app/a.py", "low"),
        ("Fix app/a.py and app/b.py", "medium"),
        ("Fix app/a.py, app/b.py, app/c.py and app/d.py", "high"),
        ("Rename the field in every model", "high"),
        ("Design the architecture of billing", "high"),
        ("Fix app/a.py; all tests must pass", "low"),
    ],
)
def test_complexity_before_the_work(text: str, complexity: str) -> None:
    assert estimate_complexity(text, 0)[0] == complexity


def test_skills_called_for_are_resources() -> None:
    text = "Add tests and type hints to the serializer of the tenant"

    assert [skill.name for skill in called_skills(text)] == [
        "multi-tenant-guardian",
        "django-testing-patterns",
        "drf-serializer-patterns",
        "code-style-enforcer",
    ]
    assert plan_prompt(text).complexity == "high"


@pytest.mark.parametrize(
    ("complexity", "risk", "chosen"),
    [
        ("low", "CRITICAL", ("standard", 8192)),
        ("high", "NONE", ("standard", 8192)),
        ("medium", "HIGH", ("standard", 4096)),
        ("medium", "MEDIUM", ("standard", 2048)),
        ("medium", "NONE", ("standard", 2048)),
        ("low", "HIGH", ("fast", 0)),
        ("low", "NONE", ("fast", 0)),
    ],
)
def test_complexity_and_risk_choose_the_tier_and_its_thinking(
    complexity: str, risk: str, chosen: tuple[str, int]
) -> None:
    assert choose_tier(complexity, risk) == chosen  # type: ignore[arg-type]


def test_architecture_of_a_tenant_system_needs_the_standard_tier() -> None:
    plan = plan_prompt("Design the architecture of a multi-tenant billing service")

    assert (plan.complexity, plan.tier, plan.thinking_tokens) == ("high", "standard", 8192)
    assert plan.flow == ("requirements", "design", "implement", "test")


def test_tier_of_a_model_is_its_familys() -> None:
    assert [
        tier_of_model(name) for name in ("claude-haiku-4-5-20251001", "claude-sonnet-5", "claude-opus-5", "gpt-5", None)
    ] == [
        "fast",
        "standard",
        "premium",
        None,
        None,
    ]


@given(st.text(alphabet="ab/._- \n1é", max_size=600).map(lambda text: text * 3))
def test_pasted_data_is_cut_short_and_words_are_not(text: str) -> None:
    read = words.readable(text)
    assert words.readable(read) == read
    assert all(len(run) <= 120 for run in read.split())
    assert [run[:120] for run in text.split()] == read.split()


def test_a_prompt_that_is_pasted_data_is_scored_as_its_first_words() -> None:
    prompt = "Fix the error in views/user.py: " + "QUJD" * 5000
    assert score_prompt(prompt).score == score_prompt(prompt[:150]).score
    assert named_targets(prompt) == ("views/user.py",)


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("fix the 500 in shop/api.py", 6),
        ("prod is returning 500s on checkout", 6),
        ("a 502 error from the proxy", 6),
        ("da un 404 al guardar", 6),
        ("POST /orders responde 422", 6),
        ("add pages of 500 items", 0),
        ("crea 400 usuarios de prueba", 0),
        ("the 404 page of the shop", 0),
        ("un 500 por ciento más", 0),
    ],
)
def test_a_status_code_is_the_text_of_an_error_and_a_number_is_not(text: str, points: int) -> None:
    assert [item.points for item in score_prompt(text).items if item.item == "error text"] == [points]


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("Despliega la API", "action verb"),
        ("Está en el controlador de pedidos", "architecture"),
        ("También los cupones caducados", "edge cases"),
        ("A search with no results stays quiet", "edge cases"),
        ("En este momento tarda mucho", "current state"),
        ("Give the totals in CSV", "output format"),
        ("GET /orders/9 must return 404", "expected result"),
        ("Se espera el total con IVA", "expected result"),
        ("Listo cuando el listado carga", "success criteria"),
        ("Lanza los tests al final", "verification"),
    ],
)
def test_both_languages_say_each_item(text: str, item: str) -> None:
    assert any(one.points for one in score_prompt(text).items if one.item == item)

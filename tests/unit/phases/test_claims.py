"""What an agent says that claims a passing check, and what does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skills.orchestrator.claims import find_claims


@pytest.mark.parametrize(
    "said",
    [
        "All tests pass.",
        "Fixed the bug; tests pass",
        "All 45 tests pass with no failures.",
        "✅ All tests passing",
        "I have verified that **all tests pass**",
        "After the fix, all 12 tests now pass.",
        "Implemented. 12 passed.",
        "Todas las pruebas pasan.",
        "Los tests ya están en verde",
        "ruff is clean",
        "no type errors",
    ],
)
def test_statements_are_claims(said: str) -> None:
    assert len(find_claims(said)) == 1


@pytest.mark.parametrize(
    "said",
    [
        "Run the tests until they pass.",
        "If tests pass, I will commit.",
        "Tests should pass now",
        "All tests pass except two",
        "las pruebas no pasan",
        "Do all tests pass?",
        "```\nall tests pass\n```",
        "> all tests pass",
        "The test passes a mock to the service",
        "All tests passed before my change",
        "voy a comprobar que las pruebas pasan",
        "3 tests fail",
    ],
)
def test_conditions_intentions_and_quotations_are_no_claims(said: str) -> None:
    assert find_claims(said) == ()


@given(st.text(max_size=300))
def test_any_text_has_claims_or_none(said: str) -> None:
    assert len(find_claims(said)) <= 3


def test_an_order_to_make_tests_pass_is_no_claim() -> None:
    assert not find_claims("Next: make the tests pass.") and not find_claims("Keep all tests green.")
    assert find_claims("I made the fix and all tests pass.")

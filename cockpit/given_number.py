"""Numbers that a person gives: `float` alone takes nan and inf, which no JSON holds, and what is below 0."""

import argparse
from collections.abc import Callable

LONGEST_DAYS = 36_500.0
"""A century: what lies further back or ahead leaves the calendar."""


def number(most: float = 1e9) -> Callable[[str], float]:
    """The type of an option that takes a number from 0 to `most`."""

    def given_number(given: str) -> float:
        try:
            value = float(given)
        except ValueError:
            value = -1.0
        if not 0 <= value <= most:
            raise argparse.ArgumentTypeError(f"{given[:40]!r} is no number from 0 to {most:,.0f}")
        return value

    return given_number

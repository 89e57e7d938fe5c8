"""The budget ladder, burn rate and projections."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skills.spending.budget import (
    LEVELS,
    bounds,
    breach_at,
    burn_per_hour,
    burns_too_fast,
    clear_enough,
    level_of,
    percent_of,
    straight_line,
    windows,
    worst,
)
from skills.spending.limits import Limits

BUDGET = Limits(100.0, 150.0)


@pytest.mark.parametrize(
    ("spent", "block", "level"),
    [
        (0, False, "ok"),
        (49.99, False, "ok"),
        (50, False, "info"),
        (80, False, "warn"),
        (95, False, "critical"),
        (100, False, "exceeded"),
        (150, False, "exceeded"),
        (149.99, True, "exceeded"),
        (150, True, "blocked"),
    ],
)
def test_the_level_of_a_budget_climbs_with_its_share(spent: float, block: bool, level: str) -> None:
    assert level_of(spent, BUDGET, block=block) == level


def test_without_a_limit_there_is_no_percentage_and_no_alarm() -> None:
    assert (percent_of(9.0, None), level_of(9.0, Limits(), block=True)) == (None, "ok")


def test_a_limit_of_zero_is_used_up_by_the_first_cent() -> None:
    assert (level_of(0.0, Limits(0.0, 0.0)), level_of(0.01, Limits(0.0, 0.0), block=True)) == ("ok", "blocked")


def test_only_a_hard_limit_is_counted_against() -> None:
    assert (level_of(80, Limits(hard=100)), level_of(100, Limits(hard=100), block=True)) == ("warn", "blocked")


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e4), st.floats(0, 1e4), st.booleans())
def test_more_money_is_never_a_better_level(low: float, more: float, soft: float, hard: float, block: bool) -> None:
    limit = Limits(soft, hard)
    first, second = (level_of(spent, limit, block=block) for spent in (low, low + more))
    assert worst([first, second]) == second
    assert LEVELS.index(first) <= LEVELS.index(second)


def test_a_month_is_projected_in_a_straight_line() -> None:
    now = datetime(2026, 11, 16, tzinfo=UTC)
    (month,) = windows({"month": 60.0}, {"month": BUDGET}, now)
    assert month.projected == pytest.approx(120.0)
    assert month.breach_at == datetime(2026, 11, 26, tzinfo=UTC)
    assert (month.percent, month.level) == (60.0, "info")


def test_the_first_days_of_a_month_are_noise_unless_much_is_gone() -> None:
    now = datetime(2026, 11, 2, 12, tzinfo=UTC)
    (small,) = windows({"month": 4.0}, {"month": BUDGET}, now)
    (large,) = windows({"month": 40.0}, {"month": BUDGET}, now)
    assert (small.projected, small.breach_at) == (None, None)
    assert large.projected == pytest.approx(800.0)


def test_past_the_soft_limit_the_hard_one_is_next_and_none_after_it() -> None:
    now = datetime(2026, 11, 16, tzinfo=UTC)
    soft, hard = (windows({"month": spent}, {"month": BUDGET}, now)[0] for spent in (120.0, 160.0))
    assert soft.breach_at is not None
    assert soft.breach_at < datetime(2026, 12, 1, tzinfo=UTC)
    assert hard.breach_at is None


def test_burning_faster_than_the_month_passes() -> None:
    start, end = bounds("month", datetime(2026, 11, 11, tzinfo=UTC))
    now = start + timedelta(days=10)
    assert burns_too_fast(51, BUDGET, start, now, end)
    assert not burns_too_fast(50, BUDGET, start, now, end)
    assert not burns_too_fast(4, BUDGET, start, start + timedelta(hours=2), end)
    assert not burns_too_fast(1000, Limits(), start, now, end)


@pytest.mark.parametrize("name", ["day", "week", "month"])
@given(now=st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)))
def test_a_window_holds_its_moment(name: str, now: datetime) -> None:
    start, end = bounds(name, now)  # type: ignore[arg-type]
    assert start <= now < end
    assert bounds(name, end)[0] == end  # type: ignore[arg-type]


def test_the_burn_rate_is_dollars_an_hour_and_none_where_nothing_burns() -> None:
    assert burn_per_hour(0.5, 15) == 2.0
    assert burn_per_hour(0.0, 60) is None


def test_a_projection_at_its_edges() -> None:
    start, end = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 11, tzinfo=UTC)

    assert not clear_enough(5.0, BUDGET, start, start + timedelta(days=2))
    assert clear_enough(5.1, BUDGET, start, start + timedelta(days=2))
    assert clear_enough(0.0, BUDGET, start, start + timedelta(days=3))
    assert straight_line(50.0, start, end + timedelta(days=5), end) == 50.0
    assert breach_at(50.0, Limits(100.0), start, start + timedelta(days=5), end) == end
    assert breach_at(49.0, Limits(100.0), start, start + timedelta(days=5), end) is None
    assert breach_at(100.0, BUDGET, start, start + timedelta(days=5), end) == start + timedelta(days=7.5)

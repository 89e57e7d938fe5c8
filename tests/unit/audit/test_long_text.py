"""Text of tens of thousands of characters that repeats itself is read in time with its length; nothing is timed."""

from skills.audit.fastapi_lifetime import releases_of
from skills.audit.report import team_of
from skills.routing.route import route_task

MANY = 100_000


def test_a_board_of_punctuation_names_no_team() -> None:
    assert team_of(f"team{':' * MANY}") == ""
    assert team_of("\n" * MANY) == ""
    assert team_of(f"{'-' * MANY}\nLinear team id: | Shop |") == "Shop"


def test_a_task_of_dashes_has_a_route() -> None:
    assert route_task("-" * MANY).lane == route_task("").lane


def test_a_version_behind_many_blanks_is_read() -> None:
    (release,) = releases_of({"pyproject.toml": f'dependencies = ["fastapi ~{" " * MANY}x, >=0.110,<0.116"]'})
    assert (release.lowest, release.highest) == ((0, 110), (0, 116))

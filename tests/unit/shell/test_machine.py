"""What is read of the machine."""

from pathlib import Path

import pytest

from cockpit.machine import processors


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("max 100000\n", None),  # no limit
        ("100000 100000\n", 1),
        ("50000 100000\n", 1),  # half of one is one
        ("900000000 100000\n", None),  # more than there are
        ("100000 0\n", None),
        ("100000\n", None),
        ("\xff", None),
    ],
)
def test_a_group_with_less_time_has_fewer_processors(tmp_path: Path, said: str, found: int | None) -> None:
    quota = tmp_path / "cpu.max"
    quota.write_text(said, encoding="latin-1")

    there = processors(str(quota))

    assert there == (found or processors(str(tmp_path / "absent")))


def test_there_is_a_processor(tmp_path: Path) -> None:
    assert processors(str(tmp_path / "absent")) >= 1

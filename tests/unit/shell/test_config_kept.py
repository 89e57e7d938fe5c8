"""Configuration is validated once: what was valid is taken from the state folder until a file or the code changes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cockpit.config import load_config
from cockpit.errors import CannotAnswer
from cockpit.paths import state_dir, user_config_file

HOME = str(Path(__file__).parents[3])
TABLE = '[budget]\nday = { soft = "2", hard = 3 }\n[checks.types]\ncommand = ["mypy", "."]\nparser = "mypy"\n'
PRICES = '[prices."own-*"]\ninput = 1\noutput = 2\neffective_from = 2026-01-01\n[tiers]\nfast = ["own-1"]\n'


def kept() -> list[Path]:
    return sorted((state_dir() / "config").glob("*"))


def test_the_second_reading_says_the_same_without_pydantic(tmp_path: Path) -> None:
    (tmp_path / "cockpit.toml").write_text(TABLE)
    user_config_file().parent.mkdir(parents=True, exist_ok=True)
    user_config_file().write_text(PRICES)
    first = load_config(tmp_path)
    assert first.budget.day.soft == 2.0 and first.checks.tools["types"].from_repository
    assert kept()[0].stat().st_mode & 0o777 == 0o600
    script = (
        f"import sys; sys.path.insert(0, {HOME!r}); from pathlib import Path; from cockpit.config import load_config; "
        f"config = load_config(Path({str(tmp_path)!r})); print('pydantic' in sys.modules, 'tomllib' in sys.modules); "
        "print(config)"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=os.environ)
    loaded, said = told.stdout.splitlines()
    assert loaded == "False False" and said == str(first)
    assert load_config(tmp_path) == first


@pytest.mark.parametrize(("again", "expected"), [("max_worktrees = 3\n", 3), (None, 4)])
def test_another_content_and_a_file_that_is_gone_are_read_anew(
    tmp_path: Path, again: str | None, expected: int
) -> None:
    path = tmp_path / "cockpit.toml"
    path.write_text("max_worktrees = 2\n")
    before = load_config(tmp_path).max_worktrees
    if again is None:
        path.unlink()
    else:
        path.write_text(again)

    after = load_config(tmp_path).max_worktrees

    assert (before, after) == (2, expected)


def test_another_place_is_read_anew(tmp_path: Path) -> None:
    (tmp_path / "cockpit.toml").write_text("max_worktrees = 3\n")
    before = load_config(tmp_path).theme
    user_config_file().parent.mkdir(parents=True, exist_ok=True)
    user_config_file().write_text('theme = "cockpit-light"\n')

    config = load_config(tmp_path)

    assert before != "cockpit-light"
    assert (config.max_worktrees, config.theme) == (3, "cockpit-light")


def test_what_is_wrong_is_said_each_time_and_not_kept(tmp_path: Path) -> None:
    (tmp_path / "cockpit.toml").write_text("max_worktree = 2\n")
    for _ in range(2):
        with pytest.raises(CannotAnswer, match=r"cockpit\.toml:1: max_worktree"):
            load_config(tmp_path)
    assert kept() == []


@pytest.mark.parametrize("damage", [b"", b"\x00", b"junk" * 40])
def test_a_damaged_file_is_read_anew(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "cockpit.toml").write_text("max_worktrees = 2\n")
    load_config(tmp_path)
    (path,) = kept()
    path.write_bytes(path.read_bytes()[:16] + damage)
    assert load_config(tmp_path).max_worktrees == 2


def test_an_address_that_lets_anybody_post_is_not_kept(tmp_path: Path) -> None:
    user_config_file().parent.mkdir(parents=True, exist_ok=True)
    user_config_file().write_text('[webhook]\nurl = "https://hooks.example/T0/B0/x"\n')
    assert load_config(tmp_path).webhook.url and load_config(tmp_path).webhook.url
    assert kept() == []


def test_a_state_folder_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    (tmp_path / "cockpit.toml").write_text("max_worktrees = 2\n")
    state_dir().mkdir(parents=True, exist_ok=True)
    (state_dir() / "config").write_text("in the way")
    assert load_config(tmp_path).max_worktrees == 2

"""Configuration: the later wins, and an error names file, line and key."""

from pathlib import Path

import pytest

from cockpit.config import Config, load_config
from cockpit.errors import CannotAnswer
from cockpit.paths import user_config_file


def test_without_files_everything_has_its_default(tmp_path: Path) -> None:
    assert load_config(tmp_path) == Config()


def test_the_later_source_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user_config_file().write_text('theme = "light"\nbase = "trunk"\n[budget.day]\nsoft = 1\n')
    (tmp_path / "pyproject.toml").write_text('[tool.cockpit]\ntheme = "ansi"\n[tool.cockpit.budget.day]\nhard = 9\n')
    (tmp_path / "cockpit.toml").write_text('profile = "django"\n')
    extra = tmp_path / "extra.toml"
    extra.write_text('profile = "ml"\n[keys]\nhelp = "f1"\n')
    config = load_config(tmp_path, extra)
    assert (config.theme, config.base, config.profile) == ("ansi", "trunk", "ml")
    assert (config.budget.day.soft, config.budget.day.hard, config.keys) == (1, 9, {"help": "f1"})
    monkeypatch.setenv("COCKPIT_THEME", "mono")
    assert load_config(tmp_path, extra).theme == "mono"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            'theme = "dark"\n[budget]\nblock_on_limt = true\n',
            ("cockpit.toml:3", "budget.block_on_limt", "block_on_limit"),
        ),
        ('\n[budget.day]\nsoft = "much"\n', ("cockpit.toml:3", "budget.day.soft", "number")),
        ("x = [\n", ("cockpit.toml", "TOML")),
        ('[tenancy]\nmode = "sometimes"\n', ("cockpit.toml:2", "tenancy.mode")),
        ('theme = "dark"\nprofile = "djang"\n', ("cockpit.toml:2", "profile", "'djang'", "django")),
    ],
)
def test_an_error_says_where_and_what(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    (tmp_path / "cockpit.toml").write_text(text)
    with pytest.raises(CannotAnswer) as problem:
        load_config(tmp_path)
    assert all(word in str(problem.value) for word in words), str(problem.value)


def test_a_table_that_is_none_chooses_nothing(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("tool = 3  # tool.cockpit\n")
    assert load_config(tmp_path) == Config()


def test_isolated_reads_no_file(tmp_path: Path) -> None:
    (tmp_path / "cockpit.toml").write_text("broken = [\n")
    assert load_config(tmp_path, isolated=True) == Config()


def test_a_number_in_quotes_is_that_number(own_home: Path) -> None:
    (own_home / "config" / "config.toml").write_text('[budget.day]\nsoft = "5"\n[checks.ty]\ntimeout = "9"\n')
    with pytest.raises(CannotAnswer, match="command is missing"):
        load_config(None)
    (own_home / "config" / "config.toml").write_text('[budget.day]\nsoft = "5"\n[checks.mypy]\ntimeout = "9"\n')
    config = load_config(None)
    assert (config.budget.day.soft, config.checks.tools["mypy"].timeout) == (5.0, 9.0)

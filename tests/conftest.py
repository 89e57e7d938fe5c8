"""Every test runs in a home of its own: no test reads or writes the person's files, and the git identity is fixed."""

import gc
import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# the same examples in every run, and no verdict by the clock: a slow machine is no defect
settings.register_profile(
    "cockpit",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
settings.load_profile("cockpit")

# processes that tests start compile what they import once in a run, not each of them anew
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

_numbers = itertools.count()

_CLEARED = (
    "COCKPIT_NOW",
    "COCKPIT_THEME",
    "COCKPIT_PROFILE",
    "COCKPIT_BASE",
    "COCKPIT_TENANCY_MODE",
    "COCKPIT_WORKTREES_ROOT",
    "NO_COLOR",
    "VISUAL",
    "EDITOR",
    "CODEX_HOME",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """One process where single files or tests are asked for, prints are wanted or pictures change, else one a core."""
    alone = config.getoption("capture") == "no" or config.getoption("update_snapshots")
    asked = [Path(word.partition("::")[0]) for word in config.args]
    return 0 if alone or not any(path.is_dir() for path in asked) else None


def pytest_collection_finish() -> None:
    """What was collected and imported stays to the end: no collection of garbage looks through it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where every test's home is: pytest looks through all folders beside one that it makes, so homes are elsewhere."""
    return tmp_path_factory.mktemp("homes", numbered=False)


@pytest.fixture(autouse=True)
def own_way_of_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that switches to the quick way of starting git does so for its own test alone."""
    monkeypatch.setattr("cockpit.git_command._quick", False)


@pytest.fixture(autouse=True)
def own_home(homes: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary home with empty state, configuration and agent folders."""
    home = homes / f"home{next(_numbers)}"
    for name, folder in (
        ("HOME", home),
        ("COCKPIT_STATE_DIR", home / "state"),
        ("COCKPIT_CONFIG_DIR", home / "config"),
        ("CLAUDE_CONFIG_DIR", home / "claude"),
    ):
        folder.mkdir(exist_ok=True)
        monkeypatch.setenv(name, str(folder))
    (home / "state" / "tour-shown").write_text("by the tests\n", "utf-8")
    for name in _CLEARED:
        monkeypatch.delenv(name, raising=False)
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ada Example")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ada@example.invalid")
    monkeypatch.setenv("COCKPIT_WARM", "0")  # no test starts a process that it does not ask for
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    return home


@pytest.fixture
def obeying() -> list[str]:
    """The words before a command that let even root meet the permissions of files."""
    if os.geteuid() != 0:
        return []
    words = [shutil.which("setpriv") or "", "--bounding-set=-dac_override,-dac_read_search"]
    if not words[0] or subprocess.run([*words, "true"], capture_output=True, check=False).returncode:
        pytest.skip("root reads and writes everything, and setpriv (util-linux) cannot take that right away here")
    return words

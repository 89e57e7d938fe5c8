"""Files that are read, changed and written: a change waits for the one before, so that both are kept."""

import json
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cockpit.config import load_config
from cockpit.day.learned import candidates, keep, kept, promote, propose, settle
from cockpit.errors import CannotAnswer
from cockpit.files import locked
from cockpit.paths import user_config_file
from cockpit.repository import Repository, find_repository
from cockpit.spend.budget_file import set_budget
from cockpit.spend.budget_words import BudgetWish
from cockpit.verify.confirmations import confirm, read_confirmations
from skills.workflow.learnings import Learning
from tests.unit.session_places import NOW

FIRST, SECOND = Learning("patterns", "first"), Learning("patterns", "second")


@pytest.fixture
def repository(app: Path) -> Repository:
    """The repository of the shared fixture."""
    return find_repository(app)


def beside(change: Callable[[], Any], write: Callable[[], Any], folder: Path) -> None:
    """`change`, called while another process holds the lock of a folder, which then writes and lets go."""
    change()  # makes the lock
    (lock,) = folder.rglob("*.lock")
    other = threading.Thread(target=change)
    with locked(lock) as mine:
        assert mine
        other.start()
        other.join(0.1)
        waits = other.is_alive()
        write()
    other.join()
    assert waits, "it did not wait"


def test_two_budgets_that_are_set_at_once_are_both_kept(own_home: Path) -> None:
    path = user_config_file()

    def write() -> None:
        path.write_text(path.read_text() + "[budget.week]\nsoft = 20.0\n")

    beside(lambda: set_budget(BudgetWish("day", 5)), write, path.parent)

    budget = load_config(None).budget
    assert (budget.day.soft, budget.week.soft) == (5.0, 20.0)


def test_two_confirmations_at_once_are_both_kept(app: Path, own_home: Path) -> None:
    place = app / ".cockpit" / "predeploy.json"
    subprocess.run(["git", "commit", "-qm", "start", "--allow-empty"], cwd=app, check=True)

    def write() -> None:
        rows = json.loads(place.read_text())
        rows["confirmed"]["cdn"] = rows["confirmed"]["backups"]
        place.write_text(json.dumps(rows))

    beside(lambda: confirm(app, "backups"), write, own_home)

    assert set(read_confirmations(app)) == {"backups", "cdn"}


@pytest.mark.parametrize(
    "change",
    [
        lambda repository: propose(repository, [FIRST]),
        lambda repository: settle(repository, ["none"], dropped=True),
        lambda repository: keep(repository, [FIRST], NOW),
    ],
    ids=["propose", "settle", "keep"],
)
def test_two_changes_of_the_learnings_at_once_are_both_kept(
    repository: Repository, own_home: Path, change: Callable[[Repository], Any]
) -> None:
    def write() -> None:
        (path,) = own_home.rglob("learnings.json")
        rows = json.loads(path.read_text())
        rows["candidates"].append({"kind": SECOND.kind, "text": SECOND.text, "source": ""})
        path.write_text(json.dumps(rows))

    propose(repository, [Learning("patterns", "before")])
    beside(lambda: change(repository), write, own_home)

    assert SECOND in candidates(repository)


def test_a_promotion_waits_and_says_so_where_nobody_gives_the_lock_back(
    repository: Repository, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cockpit.day.learned._PATIENCE_SECONDS", 0.05)
    keep(repository, [FIRST], NOW)
    (lock,) = own_home.rglob("*.lock")

    with locked(lock), pytest.raises(CannotAnswer, match="another process changes the learnings"):
        promote(repository, [FIRST.id], write=True)

    assert FIRST.text in promote(repository, [FIRST.id], write=False)[1]
    assert not (repository.root / "CLAUDE.md").exists() and kept(repository.root)

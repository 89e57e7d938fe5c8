"""The registry in any shape: read tolerantly, changed only where it is ours; names in any alphabet."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from cockpit.config import Config
from cockpit.repository import find_repository
from cockpit.worktrees.feed import read_worktrees
from cockpit.worktrees.merge import merge_worktree
from cockpit.worktrees.new import make_new
from cockpit.worktrees.registry import changed_registry, new_entry, read_registry_file, registry_path
from cockpit.worktrees.remove import remove_worktree
from cockpit.worktrees.tidy import reconcile
from cockpit.worktrees.undo import undo_last
from tests.unit.trees import commit, git, make_repository, print_of

LEAVES = some.none() | some.booleans() | some.integers() | some.text(max_size=20)
ANYTHING = some.recursive(
    LEAVES, lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner), max_leaves=12
)
KEYS = some.sampled_from(
    ["worktreePath", "path", "ports", "repoPath", "branch", "project", "status", "x_cockpit", "id", "prNumber", "task"]
)
ENTRIES = some.dictionaries(KEYS, ANYTHING) | ANYTHING
DOCUMENTS = some.fixed_dictionaries(
    {"worktrees": some.lists(ENTRIES, max_size=4)},
    optional={"portPool": ANYTHING, "port_registry": ANYTHING, "version": ANYTHING},
)


@given(DOCUMENTS)
def test_a_registry_in_any_shape_is_read_and_only_added_to(document: dict[str, Any]) -> None:
    path = registry_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    registry = read_registry_file()
    registry.taken(), registry.pool(), registry.of(Path("/nowhere")), registry.at("/nowhere")
    with changed_registry() as changed:
        changed.add(new_entry("mine", Path("/mine"), "b", "b", Path("/mine/b"), (8100, 8101)))
    after = json.loads(path.read_text())
    assert after["worktrees"][:-1] == document["worktrees"]
    assert after.get("version") == document.get("version")
    assert {8100, 8101} <= set(after["portPool"]["allocated"])


@given(some.binary(max_size=200))
def test_bytes_that_are_no_registry_are_kept(content: bytes) -> None:
    path = registry_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob("*.broken-*"):
        left.unlink()
    path.write_bytes(content)
    broken = read_registry_file().broken
    with changed_registry() as changed:
        changed.add(new_entry("mine", Path("/mine"), "b", "b", Path("/mine/b"), ()))
    kept = [left.read_bytes() for left in path.parent.glob("*.broken-*")]
    assert kept == ([content] if broken else [])


def test_entries_of_any_shape_do_not_stop_a_reconcile(tmp_path: Path) -> None:
    repo = make_repository(tmp_path / "acme")
    make_new(find_repository(repo), Config(), "feature/x")
    document = json.loads(registry_path().read_text())
    ours = {**document["worktrees"][0], "status": 7, "branch": None, "ports": "8100", "x_cockpit": [], "prNumber": "x"}
    theirs = {"path": 5, "repoPath": ["x"]}
    registry_path().write_text(json.dumps({**document, "worktrees": [ours, theirs, None, "x"]}))
    found = reconcile(find_repository(repo), Config())
    assert [row.branch for row in found.rows] == ["feature/x"]
    assert json.loads(registry_path().read_text())["worktrees"][1:] == [theirs, None, "x"]


@pytest.mark.parametrize("branch", ["feature/ünï-код", "修正/ログイン", "a.b/c+d", "über ding"])
def test_names_in_any_alphabet_go_all_the_way(tmp_path: Path, branch: str) -> None:
    repo = make_repository(tmp_path / "ächme")
    repository, config = find_repository(repo), Config()
    made = make_new(repository, config, branch)
    commit(made.path, "näme 名.txt", "x\n")
    before = print_of(made.path)
    done = merge_worktree(repository, config, made.plan.branch)
    assert done is not None
    assert git(repo, "rev-parse", f"refs/heads/{done.into}") == done.new
    remove_worktree(repository, config, branch, force=True)
    assert not made.path.exists()
    undo_last(repository, made.plan.branch)
    assert print_of(made.path) == before
    row = next(tree for tree in read_worktrees(repository, config).worktrees if not tree.main)
    assert (row.branch, row.ahead, row.ports) == (made.plan.branch, 1, (8100, 8101))


def test_what_goes_wrong_in_a_change_is_not_laid_on_the_registry() -> None:
    with pytest.raises(OSError, match="No space left"), changed_registry() as registry:
        registry.add(new_entry("acme", Path("/a"), "x", "x", Path("/a/x"), (8100, 8101)))
        raise OSError(28, "No space left on device")
    assert not registry_path().exists()

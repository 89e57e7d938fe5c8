"""New worktrees: name, ports, environment, the project's own preparation; all or nothing."""

import json
import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from cockpit.config import Config, WorktreesConfig
from cockpit.errors import CannotAnswer
from cockpit.programs import Programs
from cockpit.repository import find_repository
from cockpit.trust import trust
from cockpit.worktrees.feed import read_worktrees
from cockpit.worktrees.new import NewWorktree, make_new
from cockpit.worktrees.refused import Refused
from cockpit.worktrees.registry import changed_registry, new_entry, read_registry_file, registry_path
from skills.workflow.worktree_setup import free_pairs, is_cache, project_of, slug_of, with_port
from tests.unit.trees import commit, git, print_of


def make(repo: Path, branch: str, **more: object) -> NewWorktree:
    return make_new(find_repository(repo), Config(max_worktrees=50), branch, **more)  # type: ignore[arg-type]


def entries() -> list[dict]:
    path = registry_path()
    return json.loads(path.read_text())["worktrees"] if path.exists() else []


def untouched(repo: Path) -> tuple[object, ...]:
    refs = git(repo, "for-each-ref")
    config = (repo / ".git" / "config").read_text()
    return refs, config, git(repo, "worktree", "list"), entries()


# -- the pure parts --


@pytest.mark.parametrize(
    ("branch", "slug"),
    [
        ("feature/api", "feature-api"),
        ("fix/über ding", "fix-über-ding"),
        ("../../etc", "etc"),
        ("a//b", "a-b"),
        ("x.lock", "x-lock"),
        ("修正/ログイン", "修正-ログイン"),
    ],
)
def test_a_slug_is_a_folder_name(branch: str, slug: str) -> None:
    assert slug_of(branch) == slug


@given(some.text(max_size=120))
def test_every_slug_is_one_safe_folder_name(text: str) -> None:
    slug = slug_of(text)
    assert slug
    assert "/" not in slug
    assert "\0" not in slug
    assert len(slug.encode()) <= 60
    assert not slug.startswith((".", "-"))
    assert slug_of(slug) == slug


def test_the_lowest_free_even_pair_is_next() -> None:
    assert next(free_pairs({8100, 8101, 8104, 8105})) == (8102, 8103)
    assert next(free_pairs({8103})) == (8100, 8101)
    assert next(free_pairs({8101, 8102})) == (8104, 8105)
    assert list(free_pairs(set(range(8100, 8200)))) == []


def test_only_the_line_that_begins_with_port_changes() -> None:
    before = b"DB_PORT=5432\r\nPORT=3000\r\nSUPPORT=yes\n# PORT=1\nEXPORT=2\nPORT=3001"
    assert with_port(before, 8102) == b"DB_PORT=5432\r\nPORT=8102\r\nSUPPORT=yes\n# PORT=1\nEXPORT=2\nPORT=8102"


@given(some.binary(max_size=200))
def test_lines_without_a_port_stay_as_they_are(content: bytes) -> None:
    kept = [line for line in content.split(b"\n") if not line.startswith(b"PORT=")]
    assert [line for line in with_port(content, 8100).split(b"\n") if not line.startswith(b"PORT=")] == kept


def test_the_project_is_named_by_its_remote() -> None:
    assert project_of("git@example.invalid:team/acme-api.git", "folder") == "acme-api"
    assert project_of("https://example.invalid/acme.git/", "folder") == "acme"
    assert project_of(None, "folder") == "folder"


def test_caches_are_told_from_files_of_their_own() -> None:
    assert is_cache("app/__pycache__/x.pyc")
    assert is_cache(".venv/")
    assert not is_cache("dist-notes.txt")
    assert not is_cache(".env")


# -- the worktree --


def test_a_worktree_has_branch_ports_environment_and_task(repo: Path, own_home: Path) -> None:
    (repo / ".env").write_text("PORT=3000\nDB_PORT=5432\nSUPPORT=yes\n")
    made = make(repo, "feature/api", task="Users endpoint")
    assert made.path == own_home / "tmp" / "worktrees" / "acme-api" / "feature-api"
    assert git(made.path, "branch", "--show-current") == "feature/api"
    assert made.ports == (8100, 8101)
    assert (made.path / ".env").read_text() == "PORT=8100\nDB_PORT=5432\nSUPPORT=yes\n"
    assert "Users endpoint" in (made.path / "WORKTREE_TASK.md").read_text()
    assert git(made.path, "status", "--porcelain") == ""
    assert git(repo, "config", "branch.feature/api.cockpit-base") == "main"
    (entry,) = entries()
    assert (entry["branch"], entry["branchSlug"], entry["ports"]) == ("feature/api", "feature-api", [8100, 8101])
    assert (entry["worktreePath"], entry["status"], entry["task"]) == (str(made.path), "active", "Users endpoint")
    assert make(repo, "fix/login").ports == (8102, 8103)


def test_ports_in_the_registry_and_ports_in_use_are_passed_over(repo: Path) -> None:
    with changed_registry() as registry:  # a pool of its own: tests that run beside this one use the usual ports
        registry.document["portPool"] = {"start": 8200, "end": 8299, "allocated": []}
        registry.add(new_entry("other", Path("/elsewhere"), "x", "x", Path("/elsewhere/x"), (8200, 8201)))
    with socket.socket() as server:
        server.bind(("127.0.0.1", 8203))
        server.listen()
        assert make(repo, "feature/api").ports == (8204, 8205)


def test_entries_of_other_projects_and_unknown_keys_stay(repo: Path) -> None:
    path = registry_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    other = {"id": "1", "project": "B", "path": "/b/x", "ports": [{"service": "api", "port": 8100}], "note": "ä"}
    path.write_text(json.dumps({"worktrees": [other, "odd"], "version": "2.0", "cleanup_policy": {"days": 3}}))
    made = make(repo, "feature/api")
    document = json.loads(path.read_text())
    assert document["worktrees"][:2] == [other, "odd"]
    assert (document["version"], document["cleanup_policy"]) == ("2.0", {"days": 3})
    assert made.ports == (8102, 8103)


def test_a_malformed_registry_is_kept_aside_and_rebuilt(repo: Path) -> None:
    make(repo, "feature/api")  # its task sheet tells its ports
    moved = make(repo, "moved")
    (moved.path / ".env").write_text("PORT=8110\n")  # a person's own choice is later than the sheet
    registry_path().write_text('{"worktrees": [')
    second = make(repo, "fix/login")
    assert any("malformed" in warning and "kept as" in warning for warning in second.warnings)
    assert [path.read_text() for path in registry_path().parent.glob("*.broken-*")] == ['{"worktrees": [']
    assert [(entry["branch"], entry["ports"]) for entry in entries()] == [
        ("feature/api", [8100, 8101]), ("moved", [8110, 8111]), ("fix/login", [8102, 8103]),
    ]  # fmt: skip


def test_an_existing_branch_keeps_its_commits_and_a_remote_one_is_followed(repo: Path, tmp_path: Path) -> None:
    git(repo, "branch", "old")
    git(tmp_path, "clone", "-q", "--bare", str(repo), "remote.git")
    git(repo, "remote", "add", "origin", str(tmp_path / "remote.git"))
    git(repo, "push", "-q", "origin", "main:refs/heads/theirs")
    git(repo, "fetch", "-q")
    git(repo, "branch", "-q", "-D", "old")
    assert git(make(repo, "theirs").path, "rev-parse", "--abbrev-ref", "@{u}") == "origin/theirs"
    git(repo, "branch", "mine", "HEAD~1")
    assert git(make(repo, "mine").path, "rev-parse", "HEAD") == git(repo, "rev-parse", "main~1")


def test_the_base_that_was_asked_for_is_what_it_is_counted_against(repo: Path) -> None:
    git(repo, "branch", "release/2", "HEAD~1")
    made = make(repo, "fix/x", base="release/2")
    commit(made.path, "b.txt", "b")
    row = next(tree for tree in read_worktrees(find_repository(repo), Config()).worktrees if tree.branch == "fix/x")
    assert (row.base, row.ahead, row.behind) == ("release/2", 1, 0)


def test_a_whole_ref_is_the_branch_that_it_names(repo: Path) -> None:
    made = make(repo, "refs/heads/fix/x", base="refs/heads/main")

    assert (made.plan.branch, made.path.name, made.plan.base) == ("fix/x", "fix-x", "main")
    assert git(repo, "for-each-ref", "--format=%(refname)", "refs/heads").split() == [
        "refs/heads/fix/x",
        "refs/heads/main",
    ]
    with pytest.raises(Refused, match="fix/x is checked out already"):
        make(repo, "refs/heads/fix/x")


def test_files_that_git_does_not_have_come_along(repo: Path) -> None:
    (repo / ".worktreeinclude").write_text("*.log\n")
    (repo / "debug.log").write_text("kept")
    (repo / ".claude" / "worktrees" / "inner").mkdir(parents=True)
    (repo / ".claude" / "worktrees" / "inner" / ".git").write_text("gitdir: nowhere")
    (repo / ".claude" / "settings.local.json").write_text("{}")
    made = make(repo, "feature/api")
    assert (made.path / "debug.log").read_text() == "kept"
    assert (made.path / ".claude" / "settings.local.json").exists()
    assert not (made.path / ".claude" / "worktrees").exists()


def test_commands_of_the_project_run_only_where_it_is_trusted(repo: Path) -> None:
    setup = {"preBranch": "touch pre", "install": "echo $PORT > port", "postCreate": "pwd > where"}
    commit(repo, ".claude/worktree.json", json.dumps(setup))
    held = make(repo, "one")
    assert not (held.path / "port").exists()
    assert held.ran == ()
    assert any("not trusted" in warning for warning in held.warnings)
    trust(repo, repo / ".git")
    made = make(repo, "two")
    assert made.ran == ("preBranch", "install", "postCreate")
    assert (made.path / "port").read_text() == "8102\n"
    assert (repo / "pre").exists()


def test_trust_is_that_of_the_files_that_name_the_commands(repo: Path) -> None:
    linked = make(repo, "linked").path
    trust(linked, repo / ".git")
    commit(repo, ".claude/worktree.json", json.dumps({"install": "touch ran"}))
    made = make(linked, "one")
    assert made.ran == ()
    assert not (made.path / "ran").exists()


@pytest.mark.parametrize("hook", ["preBranch", "install", "postCreate"])
def test_a_failing_command_leaves_nothing(repo: Path, own_home: Path, hook: str) -> None:
    commit(repo, ".claude/worktree.json", json.dumps({hook: "touch junk; echo no space; exit 3"}))
    trust(repo, repo / ".git")
    before = untouched(repo)
    with pytest.raises(CannotAnswer, match=f"{hook} failed with 3: no space"):
        make(repo, "feature/api")
    assert untouched(repo) == before
    assert not (own_home / "tmp" / "worktrees" / "acme-api" / "feature-api").exists()


def test_stopping_between_steps_leaves_nothing(repo: Path) -> None:
    before = untouched(repo)
    programs = Programs()

    def tell(what: str) -> None:
        if what.startswith("files"):
            programs.cancel()

    with pytest.raises(CannotAnswer, match="stopped"):
        make(repo, "feature/api", tell=tell, programs=programs)
    assert untouched(repo) == before


def test_a_branch_that_is_checked_out_is_refused(repo: Path) -> None:
    make(repo, "feature/api")

    with pytest.raises(Refused, match="checked out already"):
        make(repo, "feature/api")


@pytest.mark.parametrize(
    ("branch", "base", "said"),
    [
        ("a..b", None, "no branch name"),
        ("refs/tags/v1", None, "no branch name"),
        ("x", "nowhere", "no branch or commit"),
        ("main/below", None, "nothing of it is left"),  # git cannot hold main and main/below
    ],
)
def test_what_cannot_be_is_one_line(repo: Path, branch: str, base: str | None, said: str) -> None:
    with pytest.raises(CannotAnswer, match=said):
        make(repo, branch, base=base)


def test_a_repository_without_commits_has_nothing_to_begin_from(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    git(empty, "init", "-q", "-b", "main")

    with pytest.raises(CannotAnswer, match="no commits yet"):
        make(empty, "feature/api")


def test_a_root_for_worktrees_is_a_whole_path(repo: Path) -> None:
    with pytest.raises(CannotAnswer, match="begins with"):
        make_new(find_repository(repo), Config(worktrees=WorktreesConfig(root="relative")), "x")


def test_spaces_become_dashes_and_equal_slugs_get_numbers(repo: Path) -> None:
    assert make(repo, "my new thing").plan.branch == "my-new-thing"
    assert make(repo, "a/b").path.name == "a-b"
    assert make(repo, "a-b").path.name == "a-b-2"


def test_more_than_the_limit_is_a_warning(repo: Path) -> None:
    make(repo, "one")
    made = make_new(find_repository(repo), Config(max_worktrees=1), "two")
    assert any("max_worktrees is 1" in warning for warning in made.warnings)


def test_a_hook_of_git_does_not_run(repo: Path) -> None:
    hook = repo / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch ran\n")
    hook.chmod(0o755)
    made = make(repo, "feature/api")
    assert not (made.path / "ran").exists()


def test_paths_outside_the_project_are_not_copied(repo: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    commit(repo, ".claude/worktree.json", json.dumps({"envFiles": ["../secret"], "ports": {"count": 3}}))
    made = make(repo, "feature/api")
    assert any("outside the project" in warning for warning in made.warnings)
    assert made.ports == (8100, 8101, 8102, 8103)
    assert "secret" not in "".join(print_of(made.path))


def test_the_registry_is_untouched_by_a_look(repo: Path) -> None:
    assert read_registry_file().entries == []
    assert not registry_path().exists()
    assert not os.path.lexists(repo / ".git" / "cockpit")


def test_pipes_and_sockets_of_an_agent_are_passed_over(repo: Path) -> None:
    (repo / ".claude").mkdir()
    (repo / ".claude" / "notes.md").write_text("mine\n")
    os.mkfifo(repo / ".claude" / "pipe")
    made = make(repo, "feature/pipes")
    assert made.copied == (".claude/notes.md", "WORKTREE_TASK.md")

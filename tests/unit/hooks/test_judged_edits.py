"""An edit is judged as a check of the whole project would judge it."""

import subprocess
from pathlib import Path

import pytest

from cockpit.config import load_config
from cockpit.findings.cache import ReportCache
from cockpit.findings.once import CheckRequest, check_now, make_project
from cockpit.hooks.judge import judge_edits

SHOWN = """

@login_required
def show(request, word):
    return render(request, "one.html", {"link": Link.objects.get(word=word)})
"""
VIEWS = f"from django.contrib.auth.decorators import login_required\n\nfrom shop.models import Link\n{SHOWN}"
MODELS = """\
from django.db import models


class Link(models.Model):
    word = models.CharField(max_length=40, unique=True, default=made_up)
    company = models.ForeignKey("Company", on_delete=models.CASCADE)
"""
GUESSED = MODELS.replace(", unique=True, default=made_up", "")
OF_NOBODY = GUESSED.replace('    company = models.ForeignKey("Company", on_delete=models.CASCADE)\n', "")
MOCK = "from unittest.mock import Mock\n\n\ndef test_total():\n    assert Mock()\n"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    write(root, "pyproject.toml", '[project]\nname = "x"\ndependencies = ["django", "pytest-mock"]\n')
    write(root, "cockpit.toml", '[tenancy]\nmode = "explicit"\n')
    write(root, "shop/views.py", "")
    return root


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text(text)


def check(root: Path) -> list[tuple[str, str]]:
    outcome, _ = check_now(root, load_config(root), CheckRequest())
    return [(one.rule, one.path) for one in outcome.findings if one.gate == "P0"]


def brought(root: Path, **files: str | None) -> list[tuple[str, str]]:
    """What an edit would bring, which is what a check finds once it is made."""
    contents = {name: None if text is None else text.encode() for name, text in files.items()}
    introduced = judge_edits(root, load_config(root), contents).introduced
    for name, text in files.items():
        (root / name).unlink(missing_ok=True)
        if text is not None:
            write(root, name, text)
    found = [(one.rule, one.path) for one in introduced]
    assert found == [one for one in check(root) if one[1] in files]
    return found


def test_an_edit_that_takes_away_what_made_a_query_safe_is_refused(repo: Path) -> None:
    write(repo, "shop/views.py", MODELS + SHOWN)
    assert check(repo) == []
    assert brought(repo, **{"shop/views.py": GUESSED + SHOWN}) == [("unscoped-tenant-query", "shop/views.py")]


def test_an_edit_of_the_first_model_of_a_tenant_and_of_a_view_is_judged_with_both(repo: Path) -> None:
    write(repo, "shop/models.py", OF_NOBODY)
    write(repo, "shop/views.py", VIEWS)
    assert check(repo) == []
    edit = {"shop/models.py": GUESSED, "shop/views.py": VIEWS.replace("show", "one")}
    assert brought(repo, **edit) == [("unscoped-tenant-query", "shop/views.py")]


def test_before_an_edit_is_refused_files_that_changed_meanwhile_are_looked_at(repo: Path) -> None:
    write(repo, "shop/models.py", GUESSED)
    check(repo)
    write(repo, "shop/models.py", MODELS)
    assert brought(repo, **{"shop/views.py": VIEWS}) == []


def test_an_edit_is_judged_by_what_the_app_has_seen_saved(repo: Path) -> None:
    write(repo, "shop/models.py", OF_NOBODY)
    project = make_project(repo, load_config(repo), CheckRequest(), None, in_process=True)
    assert list(project.scan())
    write(repo, "shop/models.py", GUESSED)
    project.update(["shop/models.py"])
    found = judge_edits(repo, load_config(repo), {"shop/views.py": VIEWS.encode()}).introduced
    assert [one.rule for one in found] == ["unscoped-tenant-query"]
    (repo / "shop/models.py").unlink()
    project.update(["shop/models.py"])
    assert not ReportCache(repo).files.keys() & {b"shop/models.py"}
    assert brought(repo, **{"shop/views.py": VIEWS}) == []


def test_what_a_file_tells_that_is_gone_by_now_counts_for_nothing(repo: Path) -> None:
    write(repo, "shop/models.py", GUESSED)
    check(repo)
    (repo / "shop/models.py").unlink()
    assert brought(repo, **{"shop/views.py": VIEWS}) == []


def test_a_file_that_was_not_judged_before_brings_all_that_it_holds(repo: Path) -> None:
    write(repo, "tests/test_a.py", f"# @generated\n{MOCK}")
    assert check(repo) == []
    assert brought(repo, **{"tests/test_a.py": MOCK}) == [("bare-mock", "tests/test_a.py")] * 2


def test_what_comes_from_a_file_out_of_scope_did_not_stand_before(repo: Path) -> None:
    write(repo, ".gitignore", "test_local.py\n")
    write(repo, "tests/test_local.py", MOCK)
    assert check(repo) == []
    edit = {"tests/test_local.py": None, "tests/test_a.py": MOCK}
    assert brought(repo, **edit) == [("bare-mock", "tests/test_a.py")] * 2


def test_a_rule_that_is_ignored_still_tells_how_tenants_are_kept_apart(repo: Path) -> None:
    write(repo, "cockpit.toml", '[checks]\nignore = ["unscoped-tenant-query"]\n')
    write(repo, "shop/models.py", GUESSED)
    policy = "migrations.RunSQL('CREATE POLICY own ON shop_link USING (company_id = current_company())')"
    write(repo, "migrations/0002_rls.py", f"from django.db import migrations\n\noperations = [{policy}]\n")
    check(repo)
    by_hand = "".join(
        f"\n\ndef links_{number}(request):\n    return Link.objects.filter(company=request.user.company)\n"
        for number in range(12)
    )
    assert brought(repo, **{"shop/views.py": f"from shop.models import Link\n{by_hand}"}) == []

"""The verification gate on a real Django project: what the sources' own gate lets pass is found, and nothing moves."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.contents import contents_of

pytest.importorskip("django", reason="Django is a development dependency: uv sync installs it")
pytestmark = pytest.mark.usefixtures("python_on_path")

FILES = {
    "manage.py": (
        "import os, sys\n"
        "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'acme.test_settings')\n"
        "from django.core.management import execute_from_command_line\n"
        "execute_from_command_line(sys.argv)\n"
    ),
    "acme/__init__.py": "",
    "acme/settings.py": (
        "SECRET_KEY = 'django-insecure-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'\nDEBUG = True\n"
        "ALLOWED_HOSTS = ''.split(',')\nROOT_URLCONF = 'acme.urls'\nINSTALLED_APPS = ['billing']\n"
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': 'db.sqlite3'}}\n"
        "DEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField'\n"
    ),
    # hides every migration, as many test settings do
    "acme/test_settings.py": (
        "from acme.settings import *\n\n\nclass DisableMigrations:\n"
        "    def __contains__(self, item):\n        return True\n\n    def __getitem__(self, item):\n"
        "        return None\n\n\nMIGRATION_MODULES = DisableMigrations()\n"
    ),
    "acme/urls.py": "urlpatterns = []\n",
    "billing/__init__.py": "",
    "billing/models.py": (
        "from django.db import models\n\n\nclass Invoice(models.Model):\n    total   =   models.IntegerField( )\n"
    ),
    "billing/tests.py": (
        "from django.test import SimpleTestCase\n\n\nclass Test(SimpleTestCase):\n    def test_a(self):\n"
        "        assert 1\n"
    ),
    "requirements.txt": "django\n",
    ".gitignore": "*.pyc\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "acme-api"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    run = ["git", "-C", str(root)]
    subprocess.run(["git", "init", "-q", "-b", "main", str(root)], check=True)
    subprocess.run([*run, "add", "-A"], check=True)
    subprocess.run([*run, "commit", "-qm", "Begin"], check=True)
    (root / "billing" / "notes.txt").write_text("not committed")  # dirty, and it stays so
    return root


def cockpit(root: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "cockpit", "--repo", str(root), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_an_untrusted_project_is_not_run(project: Path) -> None:
    answer = cockpit(project, "verify", "--json")
    document = json.loads(answer.stdout)
    by_check = {row["check"]: row for row in document["checks"]}
    assert by_check["makemigrations"]["status"] == "not_run" and "cockpit trust" in by_check["makemigrations"]["reason"]
    assert answer.returncode == 1  # the guardrail on settings fails without running anything
    assert {row["check"]: row["status"] for row in document["guardrails"]}["G5"] == "fail"


def test_the_gate_finds_what_its_sources_let_pass_and_moves_nothing(project: Path) -> None:
    before = contents_of(project)
    cockpit(project, "trust")
    answer = cockpit(project, "verify", "--json")
    assert contents_of(project) == before
    document: dict[str, Any] = json.loads(answer.stdout)
    by_check = {row["check"]: row for row in document["checks"]}
    assert answer.returncode == 1 and document["status"] == "fail" and document["lane"] == "django"
    # a model without a migration, under test settings that hide migrations
    assert by_check["makemigrations"]["status"] == "fail" and "0001_initial" in by_check["makemigrations"]["reason"]
    # DEBUG on: `check --deploy` alone would exit 0
    assert by_check["deploy"]["status"] == "fail" and by_check["deploy"]["count"] >= 5
    assert by_check["debug"]["status"] == "fail"
    # [''] is no host
    assert by_check["allowed-hosts"]["status"] == "fail"
    assert by_check["secret-key"]["status"] == "fail"
    assert by_check["tests"]["status"] == "pass"
    assert "insecure-aaaa" not in answer.stdout
    assert by_check["check"]["status"] == "pass" and by_check["plan"]["status"] == "pass"


def test_a_manual_item_is_confirmed_with_who_and_when(project: Path) -> None:
    assert cockpit(project, "verify", "--confirm", "nonsense").returncode == 2
    assert "Ada Example" in cockpit(project, "verify", "--confirm", "backups").stdout
    document = json.loads(cockpit(project, "verify", "--json").stdout)
    items = {item["item"]: item for item in document["predeploy"]}
    assert items["backups"]["status"] == "pass" and "Ada Example" in items["backups"]["confirmed_by"]
    assert items["cdn"]["status"] == "not_run"


def test_quick_asks_neither_tests_nor_database(project: Path) -> None:
    (project / "billing" / "views.py").write_text("def view(request):\n    breakpoint()\n")
    document = json.loads(cockpit(project, "verify", "--quick", "--json").stdout)
    assert {row["phase"] for row in document["checks"]} == {1, 2, 12}
    found = next(row for row in document["checks"] if row["check"] == "added-lines")
    assert found["status"] == "fail" and found["places"] == ["billing/views.py:2 a debugger"]

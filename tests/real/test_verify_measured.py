"""What the verification measures by running the project's own programs: queries of requests, builds, tests that cannot
be read. The work tree stays as it was."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.contents import contents_of

pytestmark = pytest.mark.usefixtures("python_on_path")

SETTINGS = (
    "SECRET_KEY = 'k' * 60\nROOT_URLCONF = 'shop.urls'\nINSTALLED_APPS = ['shop']\nALLOWED_HOSTS = ['shop.example']\n"
    "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:'}}\n"
    "DEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField'\n"
)
SHOP = {
    "manage.py": (
        "import os, sys\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n"
        "from django.core.management import execute_from_command_line\nexecute_from_command_line(sys.argv)\n"
    ),
    "shop/__init__.py": "",
    "shop/settings.py": SETTINGS,
    "shop/models.py": "from django.db import models\n\n\nclass Item(models.Model):\n    name = models.TextField()\n",
    "shop/views.py": (
        "from django.http import JsonResponse\n\nfrom shop.models import Item\n\n\n"
        "def one(request):\n    return JsonResponse({'items': Item.objects.count()})\n\n\n"
        "def many(request, number):\n"
        "    return JsonResponse({'names': [Item.objects.filter(pk=key).count() for key in range(number)]})\n"
    ),
    "shop/urls.py": (
        "from django.urls import path\n\nfrom shop import views\n\n"
        "urlpatterns = [path('items/', views.one), path('many/<int:number>/', views.many)]\n"
    ),
    "shop/tests.py": (
        "from django.test import TestCase\n\n\nclass Requests(TestCase):\n"
        "    def test_items(self):\n        assert self.client.get('/items/').json() == {'items': 0}\n\n"
        "    def test_many(self):\n        assert len(self.client.get('/many/NUMBER/').json()['names']) == NUMBER\n"
    ),
    "requirements.txt": "django\n",
}


def made(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    subprocess.run(["git", "init", "-q", "-b", "main", str(root)], check=True)
    subprocess.run(["git", "-C", str(root), "add", "-A"], check=True)
    subprocess.run(["git", "-C", str(root), "commit", "-qm", "Begin"], check=True)
    return root


def verified(root: Path, *words: str) -> dict[str, dict[str, Any]]:
    """The answer of each check; the work tree must be what it was."""
    before = contents_of(root)
    cockpit = [sys.executable, "-m", "cockpit", "--repo", str(root)]
    subprocess.run([*cockpit, "trust"], check=True, capture_output=True)
    answer = subprocess.run([*cockpit, "verify", "--json", *words], capture_output=True, text=True, check=False)
    assert contents_of(root) == before
    return {row["check"]: row for row in json.loads(answer.stdout)["checks"]}


def test_the_queries_of_each_request_are_counted_while_the_tests_run(tmp_path: Path) -> None:
    pytest.importorskip("django", reason="Django is a development dependency: uv sync installs it")
    tests = SHOP["shop/tests.py"].replace("NUMBER", "60")
    found = verified(made(tmp_path / "shop", {**SHOP, "shop/tests.py": tests}))

    assert found["tests"]["status"] == "pass", found["tests"]
    count, same = found["query-count"], found["repeated-queries"]
    assert (count["status"], same["status"]) == ("fail", "fail")
    assert count["reason"] == "measured: GET many/<int:number>/: 60 queries"
    assert same["places"][0].startswith("GET many/<int:number>/: 60 times SELECT COUNT(*)")


def test_settings_that_print_and_no_model_of_its_own_miss_no_migration(tmp_path: Path) -> None:
    files = {**SHOP, "shop/settings.py": "print('Loading settings of development')\n" + SETTINGS, "shop/models.py": ""}
    del files["shop/tests.py"]
    files["shop/views.py"] = "one = many = None\n"
    files["shop/urls.py"] = "urlpatterns = []\n"
    found = verified(made(tmp_path / "shop", files))
    assert (found["makemigrations"]["status"], found["makemigrations"]["reason"]) == ("pass", None)


def test_names_of_files_are_shown_plainly_and_tables_may_be_none(tmp_path: Path) -> None:
    test = "from pathlib import Path\n\n\ndef test_a():\n    Path('a\\x1b]0;x\\x07.txt').touch()\n"
    root = made(tmp_path / "shop", {"tests/test_a.py": test, "pyproject.toml": "project = 4\n"})
    cockpit = [sys.executable, "-m", "cockpit", "--repo", str(root)]
    subprocess.run([*cockpit, "trust"], check=True, capture_output=True)
    answer = subprocess.run([*cockpit, "verify"], capture_output=True, text=True, check=False)
    assert answer.returncode == 1 and "changed 1 file, e.g. a.txt" in answer.stdout
    assert "\x1b" not in answer.stdout


def test_few_queries_pass_and_say_how_many(tmp_path: Path) -> None:
    pytest.importorskip("django", reason="Django is a development dependency: uv sync installs it")
    tests = SHOP["shop/tests.py"].replace("NUMBER", "7")
    found = verified(made(tmp_path / "shop", {**SHOP, "shop/tests.py": tests}))

    said = "measured: 2 requests on 2 routes, at most 7 queries (GET many/<int:number>/)"
    assert (found["query-count"]["status"], found["query-count"]["reason"]) == ("pass", said)
    assert found["repeated-queries"]["status"] == "pass"


PLAIN = {"plain/__init__.py": "", "plain/sums.py": "def two() -> int:\n    return 2\n", "pyproject.toml": "[project]\n"}


def test_tests_that_cannot_be_read_name_the_file_and_the_error(tmp_path: Path) -> None:
    tests = {"tests/test_a.py": "import nowhere_to_be_found\n\n\ndef test_a():\n    assert nowhere_to_be_found\n"}
    found = verified(made(tmp_path / "plain", {**PLAIN, **tests, "requirements.txt": "pytest\n"}))

    said = "exit 2: tests/test_a.py: ModuleNotFoundError: No module named 'nowhere_to_be_found'"
    assert (found["tests"]["status"], found["tests"]["reason"]) == ("not_run", said)
    assert found["query-count"]["reason"] == "not measured: the tests did not run"


def test_a_conftest_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    tests = {"tests/test_a.py": "def test_a():\n    assert 1\n", "tests/conftest.py": "import nowhere_to_be_found\n"}
    found = verified(made(tmp_path / "plain", {**PLAIN, **tests, "requirements.txt": "pytest\n"}))

    assert found["tests"]["status"] == "not_run"
    assert "conftest.py: ModuleNotFoundError: No module named 'nowhere_to_be_found'" in found["tests"]["reason"]


def test_gates_that_could_not_judge_a_file_say_which(tmp_path: Path) -> None:
    found = verified(made(tmp_path / "plain", {**PLAIN, "plain/broken.py": "def (:\n"}), "--quick")

    assert (found["gates"]["status"], found["gates"]["count"]) == ("not_run", 0)
    assert "plain/broken.py:1: syntax error" in found["gates"]["reason"]


BUILD = "require('fs').writeFileSync('bundle.js', require('fs').readFileSync('src.js'))"


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
@pytest.mark.parametrize(("script", "status"), [(BUILD, "pass"), ("process.exit(3)", "fail")])
def test_a_build_runs_in_a_copy(tmp_path: Path, script: str, status: str) -> None:
    package = json.dumps({"name": "shop", "scripts": {"build": f'node -e "{script}"'}})
    root = made(tmp_path / "shop", {**PLAIN, "package.json": package, "src.js": "1\n"})
    found = verified(root)

    assert (found["build"]["status"], found["build"]["required"]) == (status, True)
    assert not (root / "bundle.js").exists()


def test_a_build_without_its_packages_is_not_run(tmp_path: Path) -> None:
    package = json.dumps({"scripts": {"build": "vite build"}, "devDependencies": {"vite": "^6"}})
    found = verified(made(tmp_path / "shop", {**PLAIN, "package.json": package}))

    why = found["build"]["reason"]
    assert (found["build"]["status"], why) in [
        ("not_run", "there is no node_modules: npm install"), ("not_run", "npm is not installed")
    ]  # fmt: skip


def test_what_the_linter_finds_fails_the_lint_check(tmp_path: Path) -> None:
    files = {"pyproject.toml": "[tool.ruff.lint]\nselect = ['F']\n", "a.py": "import os\n", "b.py": "x = 1\n"}
    row = verified(made(tmp_path / "lint", files))["ruff"]
    assert (row["status"], row["reason"]) == ("fail", "1 found: cockpit check shows them")


def test_a_django_project_that_configures_pytest_is_tested_by_it(tmp_path: Path) -> None:
    files = {**SHOP, "pyproject.toml": "[tool.pytest.ini_options]\ntestpaths = ['tests']\n"}
    files |= {"tests/__init__.py": "", "tests/test_it.py": "def test_it():\n    assert True\n"}
    assert verified(made(tmp_path / "shop", files))["tests"]["command"] == "pytest"

"""Dependencies from every kind of manifest, each with the line that says it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from cockpit.findings.manifests import normalised, read_manifests, requirement_name

PYPROJECT = """[project]
name = "shop"
dependencies = [
  "Django>=4.2",
  "djangorestframework[docs] ; python_version > '3.8'",
]
[project.optional-dependencies]
s3 = ["boto3"]
[dependency-groups]
dev = ["pytest-mock", {include-group = "lint"}]
lint = ["Ruff"]
"""


def test_pyproject_with_groups_and_extras(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    found = read_manifests(tmp_path, ["pyproject.toml"])
    assert found.evidence.dependencies == {
        "django": "pyproject.toml:4",
        "djangorestframework": "pyproject.toml:5",
        "boto3": "pyproject.toml:8",
        "pytest-mock": "pyproject.toml:10",
        "ruff": "pyproject.toml:11",
    }
    assert found.ruff == "pyproject.toml:11"


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        (
            "pyproject.toml",
            '[project]\nname = "django-shop"\nkeywords = ["web", "django"]\ndependencies = ["django"]\n',
            4,
        ),
        ("pyproject.toml", '[project]\nkeywords = [\n  "django",\n]\ndependencies = ["django"]\n', 5),
        ("setup.cfg", "[metadata]\nkeywords =\n    web\n    django\n[options]\ninstall_requires = django\n", 6),
    ],
)
def test_what_a_project_is_about_is_no_dependency(tmp_path: Path, name: str, text: str, line: int) -> None:
    (tmp_path / name).write_text(text)
    assert read_manifests(tmp_path, [name]).evidence.dependencies == {"django": f"{name}:{line}"}


def test_poetry_requirements_setup_cfg_and_pipfile(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.poetry.dependencies]\npython = "^3.11"\nfastapi = "*"\n'
        '[tool.poetry.group.dev.dependencies]\nfactory_boy = "*"\n'
    )
    (tmp_path / "requirements-dev.txt").write_text(
        "# tools\n-r base.txt\ncelery==5.3  # queue\nhttps://x.invalid/y.whl\n"
    )
    (tmp_path / "setup.cfg").write_text(
        "[options]\ninstall_requires =\n    redis>=4\n[options.extras_require]\nx = gevent\n"
    )
    (tmp_path / "Pipfile").write_text('[packages]\nsentry-sdk = "*"\n')
    names = ["pyproject.toml", "requirements-dev.txt", "setup.cfg", "Pipfile"]
    assert read_manifests(tmp_path, names).evidence.dependencies == {
        "fastapi": "pyproject.toml:3",
        "factory-boy": "pyproject.toml:5",
        "celery": "requirements-dev.txt:3",
        "redis": "setup.cfg:3",
        "gevent": "setup.cfg:5",
        "sentry-sdk": "Pipfile:2",
    }


@pytest.mark.parametrize(
    ("name", "text", "uses"),
    [
        ("pyproject.toml", "[tool.ruff]\n", True),
        ("pyproject.toml", "[tool.black]\n", False),
        (".ruff.toml", "line-length = 100\n", True),
        (".pre-commit-config.yaml", "repos:\n- repo: https://example.invalid/astral-sh/ruff-pre-commit\n", True),
        (".pre-commit-config.yaml", "repos:\n- repo: local\n  hooks:\n    - id: black\n", False),
    ],
)
def test_what_says_that_a_project_uses_ruff(tmp_path: Path, name: str, text: str, uses: bool) -> None:
    (tmp_path / name).write_text(text)
    assert bool(read_manifests(tmp_path, [name]).ruff) is uses


def test_a_broken_manifest_is_a_problem_and_the_others_are_read(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project\n")
    (tmp_path / "requirements.txt").write_bytes(b"django\n\xff\xfe\n")
    found = read_manifests(tmp_path, ["pyproject.toml", "requirements.txt", "gone.txt"])
    assert found.evidence.dependencies == {"django": "requirements.txt:1"}
    assert [name for name, _ in found.problems] == ["gone.txt", "pyproject.toml"]


def test_wrong_types_in_a_manifest_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("dependency-groups = 3\n[project]\ndependencies = 'django'\n")
    assert read_manifests(tmp_path, ["pyproject.toml"]).evidence.dependencies == {}


@given(some.text(max_size=80))
def test_any_requirement_line_gives_a_name_or_nothing(line: str) -> None:
    name = requirement_name(line)
    assert name == "" or normalised(name) == normalised(normalised(name))
    assert not any(sign in name for sign in " #;=<>[]/")


def test_each_package_of_a_repository_asks_for_its_own(tmp_path: Path) -> None:
    for name, package in (("api/pyproject.toml", "pytest-mock"), ("web/tool/pyproject.toml", "httpx")):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(f'[dependency-groups]\ndev = ["{package}"]\n')
    for name, package in (("api/requirements/dev.txt", "Factory_Boy"), ("requirements.txt", "nox")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"{package}\n")
    names = ["api/pyproject.toml", "api/requirements/dev.txt", "requirements.txt", "web/tool/pyproject.toml"]

    assert read_manifests(tmp_path, iter(names)).evidence.packages == {
        "": ("nox",),
        "api": ("pytest-mock", "factory-boy"),
        "web/tool": ("httpx",),
    }
    assert read_manifests(tmp_path, ["requirements.txt"]).evidence.packages == {}


def test_hatch_tox_and_setup_py_name_what_tests_need(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.hatch.envs.test]\ndependencies = [\n  "pytest-mock",\n]\nextra-dependencies = ["respx"]\n'
        '[tool.tox.env.lint]\ndeps = ["mypy"]\n[tool.rye]\ndev-dependencies = ["nox"]\n'
    )
    (tmp_path / "tox.ini").write_text(
        "[tox]\nenvlist = py311\n[testenv]\ndeps =\n    -r requirements.txt\n    py311: pytest-xdist>3\n    freezegun\n"
    )
    (tmp_path / "setup.py").write_text(
        "from setuptools import setup\n\nTESTS = ['pytest-django']\n"
        "setup(\n    name='shop',\n    keywords=['django'],\n    install_requires=['httpx>=1', *TESTS],\n"
        "    extras_require={'dev': TESTS, 'mock': ['mock; python_version < \"4\"']},\n)\n"
    )

    found = read_manifests(tmp_path, ["pyproject.toml", "tox.ini", "setup.py"]).evidence.dependencies
    assert found == {
        "pytest-mock": "pyproject.toml:3",
        "respx": "pyproject.toml:5",
        "mypy": "pyproject.toml:7",
        "nox": "pyproject.toml:9",
        "pytest-xdist": "tox.ini:6",
        "freezegun": "tox.ini:7",
        "mock": "setup.py:8",
        "httpx": "setup.py:7",
        "pytest-django": "setup.py:3",
    }


def test_only_what_may_name_a_dependency_leaves_the_project_unread(tmp_path: Path) -> None:
    (tmp_path / "ruff.toml").symlink_to("nowhere")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "pyproject.toml").write_text("[")
    known = read_manifests(tmp_path, ["ruff.toml", "lib/pyproject.toml"])
    (tmp_path / "setup.py").write_text("setup(")

    unknown = read_manifests(tmp_path, ["ruff.toml", "setup.py"])

    assert (known.evidence.unread, len(known.problems)) == ("", 2)
    assert ("ruff.toml", "cannot be read: No such file or directory") in known.problems
    assert unknown.evidence.unread.startswith("setup.py cannot be read: line 1")


def test_a_schema_that_is_gone_is_told_by_its_name_and_the_reason_alone(tmp_path: Path) -> None:
    (schema,) = read_manifests(tmp_path, ["openapi.json"]).evidence.schemas

    assert schema.problem == "openapi.json cannot be read: No such file or directory"


def test_a_setup_py_of_a_newer_python_is_read(tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text("try:\n    setup(install_requires=['django'])\nexcept A, B:\n    pass\n")

    found = read_manifests(tmp_path, ["setup.py"])

    assert (list(found.evidence.dependencies), found.problems) == (["django"], ())


def test_a_setup_py_that_cannot_be_parsed_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text("setup(\n")

    assert read_manifests(tmp_path, ["setup.py"]).problems == (
        ("setup.py", "cannot be read: line 1: syntax error: '(' was never closed"),
    )


def test_requirements_make_a_package_where_they_do_not_lie_beside_tests_or_tools(tmp_path: Path) -> None:
    names = {
        "api/requirements-dev.txt": "pytest-mock",
        "worker/requirements.txt": "celery",
        "worker/requirements/test.txt": "respx",
        "worker/tests/dev-requirements.txt": "freezegun",
        "ci/requirements.txt": "nox",
        "lib/setup.py": "setup(install_requires=['attrs'])",
        "lib/tox.ini": "[testenv]\ndeps = pytest-xdist",
    }
    for name, text in names.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text + "\n")

    found = read_manifests(tmp_path, list(names)).evidence.packages
    assert {folder: set(of) for folder, of in found.items()} == {
        "": {"nox"},
        "api": {"pytest-mock"},
        "worker": {"celery", "respx", "freezegun"},
        "lib": {"attrs", "pytest-xdist"},
    }

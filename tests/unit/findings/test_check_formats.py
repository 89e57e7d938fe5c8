"""`cockpit check` in each of its formats: SARIF, annotations, text, and the same bytes again."""

import contextlib
import json
import os
import re
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest

from cockpit.cli import main
from tests.unit.check_places import BAD


def test_the_same_input_gives_the_same_bytes_but_for_counts_and_meta(project: Path, ask: Any) -> None:
    (project / "tests/test_a.py").write_text(BAD)
    answers = []
    for _ in range(2):
        _, document = ask("--no-cache")
        del document["meta"]
        answers.append(json.dumps(document))
    assert answers[0] == answers[1]


def test_sarif_has_what_2_1_0_asks_for(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "tests/a b.py").write_text(BAD)
    (project / "tests/test_b.py").write_text("def (:\n")
    (project / "tests/a b.py").rename(project / "tests/test_a b.py")
    assert main(["check", "--format", "sarif"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(rules) == len(set(rules))
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "tests/test_a%20b.py"
        assert place["region"]["startLine"] >= 1 and place["region"]["startColumn"] >= 1
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert len(notes) == 1


def test_github_annotations_are_escaped(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "tests/test_a,b%c.py").write_text(BAD)
    assert main(["check", "--format", "github"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("::error file=tests/test_a%2Cb%25c.py,line=1,endLine=1,")
    assert "title=P0 bare-mock::" in lines[0]


def test_text_shows_place_code_and_what_was_looked_at(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "tests/test_a.py").write_text(BAD)
    assert main(["check"]) == 1
    out = capsys.readouterr().out
    assert "  tests/test_a.py\n" in out
    assert "| from unittest.mock import Mock" in out
    assert out.count("because line 1: read as a test, by its path\n") == 1, "a reason is told once a file"
    assert "gates    P0 fail" in out and "files    2 seen" in out and "tenancy  " in out


CHAIN = """from django.db import models


class User(models.Model):
    name = models.TextField()


class Order(models.Model):
    user = models.ForeignKey(User, models.CASCADE)
"""
READS = """from shop.models import Order


def names():
    for order in Order.objects.all():
        print(order.user.name)
"""


@pytest.mark.parametrize(("width", "more"), [(60, {}), (34, {}), (60, {"NO_COLOR": "1"}), (60, {"TERM": "dumb"})])
def test_a_terminal_is_given_colours_and_lines_that_fit(project: Path, width: int, more: dict[str, str]) -> None:
    (project / "tests/test_a.py").write_text(BAD.replace("Mock()", f"Mock(), {'x' * 80!r}"))
    outside, inside = os.openpty()
    termios.tcsetwinsize(inside, (24, width))
    command = [sys.executable, "-m", "cockpit", "check", "--select", "bare-mock"]
    environment = {**os.environ, "TERM": "xterm-256color", **more}
    subprocess.run(command, cwd=project, env=environment, stdout=inside, check=False)
    os.close(inside)
    told = b""
    with contextlib.suppress(OSError):  # the terminal is gone once it was read
        while part := os.read(outside, 4096):
            told += part
    os.close(outside)

    shown = told.decode().replace("\r\n", "\n")
    text = re.sub(r"\x1b\[[\d;]+m", "", shown)
    assert (shown == text) is bool(more)
    assert max(map(len, text.splitlines())) <= width
    assert "outlives the test unless someone undoes it" in " ".join(text.split())
    assert more or ("\x1b[1;31mbare-mock\x1b[0m" in shown and "\x1b[1;31mP0 fail 2\x1b[0m" in shown)


def test_every_format_tells_the_lines_that_led_to_a_finding(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "pyproject.toml").write_text('[project]\ndependencies = ["django"]\n')
    (project / "shop").mkdir()
    (project / "shop/models.py").write_text(CHAIN)
    (project / "shop/names.py").write_text(READS)

    main(["check", "--select", "n-plus-one"])
    told = capsys.readouterr().out
    assert "because line 5: takes the rows one by one\n" in told
    assert "because shop/models.py:9: Order.user relates Order to User\n" in told

    main(["check", "--select", "n-plus-one", "--json"])
    (row,) = json.loads(capsys.readouterr().out)["findings"]
    main(["check", "--select", "n-plus-one", "--format", "sarif"])
    ((result,),) = [run["results"] for run in json.loads(capsys.readouterr().out)["runs"]]
    related = [
        {
            "path": place["physicalLocation"]["artifactLocation"]["uri"],
            "line": place["physicalLocation"]["region"]["startLine"],
            "text": place["message"]["text"],
        }
        for place in result["relatedLocations"]
    ]
    assert related == row["evidence"] != []


def test_hostile_names_and_code_never_reach_the_terminal_raw(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "test_\x1b[31m\x9b\u202e[@click=app.quit].py"
    (project / "tests" / name).write_text("from unittest.mock import Mock  # \x1b]0;owned\x07\n")
    (project / "tests" / os.fsdecode(b"test_\xff.py")).write_text(BAD)
    for form in ("text", "github"):
        assert main(["check", "--format", form]) == 1
        out = capsys.readouterr().out
        assert not any(sign in out for sign in "\x1b\x9b\u202e\x07")
    assert main(["check", "--json"]) == 1
    assert "test_\ufffd.py" in {
        finding["path"].rpartition("/")[2] for finding in json.loads(capsys.readouterr().out)["findings"]
    }


def test_isolated_gives_the_same_bytes_again(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "tests/test_a.py").write_text(BAD)
    documents = []
    for _ in range(2):
        main(["check", "--isolated", "--json"])
        document = json.loads(capsys.readouterr().out)
        del document["meta"]
        documents.append(document)

    assert documents[0] == documents[1]
    assert documents[1]["files"] == {"seen": 2, "parsed": 2, "cached": 0, "skipped": 0}


def test_letters_beyond_ascii_reach_json_escaped(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "tests/test_ä.py").write_text(BAD)

    main(["check", "--json"])
    printed = capsys.readouterr().out

    assert printed.isascii()
    assert any(row["path"] == "tests/test_ä.py" for row in json.loads(printed)["findings"])

"""`cockpit route`: tasks that were labelled before any tuning, repositories before words, agents, and the decision."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.cli import main
from cockpit.phases.lanes import lane_evidence
from cockpit.repository import find_repository
from skills.routing.decide import QUESTIONS, decide, decision_record
from skills.routing.lanes import LaneEvidence, choose_lane
from skills.routing.route import SPOKES, STAGES, route_task
from tests.git import repository_of

DATA = Path(__file__).parents[1] / "data"
PROJECTS: dict[str, dict[str, str]] = {
    "none": {},
    "plain": {"pyproject.toml": '[project]\nname="x"\ndependencies=["httpx"]\n', "x.py": ""},
    "django": {"manage.py": "", "requirements.txt": "Django==5.1\n", "apps/billing/models.py": ""},
    "fastapi": {
        "pyproject.toml": '[project]\nname="x"\ndependencies=["fastapi"]\n',
        "main.py": "from fastapi import FastAPI\napp = FastAPI()\n",
    },
    "ml": {"requirements.txt": "torch\n", "train.py": "import torch\n"},
    "mixed": {
        "web/manage.py": "",
        "web/apps/billing/models.py": "",
        "services/api/pyproject.toml": '[project]\nname="api"\ndependencies=["fastapi"]\n',
        "services/api/main.py": "app = FastAPI()\n",
        "training/requirements.txt": "torch\n",
        "training/loop.py": "import torch\n",
    },
}
KEYS = (
    *("version", "lane", "stage", "spokes", "core", "test_implications", "security_implications", "next_action"),
    *("reasons", "agent"),
)

ALL_NO = ["--no", ",".join(question.id for question in QUESTIONS)]


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[LaneEvidence, ...]]:
    """What real repositories of each kind show."""
    found = {}
    for name, files in PROJECTS.items():
        root = repository_of(tmp_path_factory.mktemp(name), files)
        found[name] = lane_evidence(find_repository(root))
    return found


@pytest.mark.parametrize("name", ["tasks", "tasks_more"])
def test_labelled_tasks_are_routed_as_people_route_them(
    name: str, evidence: dict[str, tuple[LaneEvidence, ...]]
) -> None:
    rows = [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text("utf-8").splitlines()]
    right = {"lane": 0, "stage": 0, "spokes": 0}
    for row in rows:
        found = route_task(row["text"], evidence[row["project"]])
        right["lane"] += found.lane == row["lane"]
        right["stage"] += found.stage == row["stage"]
        right["spokes"] += list(found.spokes) == row["spokes"]
    shares = {key: count / len(rows) for key, count in right.items()}
    assert shares["lane"] >= 0.90, shares
    assert shares["spokes"] >= 0.85, shares
    assert shares["stage"] >= 0.85, shares


def test_tasks_in_two_languages_that_were_labelled_before_they_were_routed(
    evidence: dict[str, tuple[LaneEvidence, ...]],
) -> None:
    rows = [json.loads(line) for line in (DATA / "mixed.jsonl").read_text("utf-8").splitlines()]
    found = [(row, route_task(row["text"], evidence[row["project"]])) for row in rows]
    lanes = sum(route.lane == row["lane"] for row, route in found)
    spokes = sum(row["spoke"] in route.spokes[:1] for row, route in found)
    assert len(rows) == 100 and lanes >= 90 and spokes >= 85, (lanes, spokes)


@pytest.mark.parametrize(
    ("task", "lane", "stage"),
    [
        ("Filter the shipments in ShipmentViewSet.list", "django", "implement"),
        ("Where do we compute the shipping fee?", "foundation", "implement"),
        ("What is missing before shipping it?", "foundation", "verify"),
        ("Explain the difference between threads and asyncio", "foundation", "implement"),
        ("Add CORS only for https://app.example.com", "foundation", "secure"),
        ("Add test_create_order_returns_400 to checks/orders.py", "foundation", "test"),
    ],
)
def test_parts_of_names_and_addresses_tell_no_stage(task: str, lane: str, stage: str) -> None:
    found = route_task(task)
    assert (found.lane, found.stage) == (lane, stage)


@pytest.mark.parametrize(
    ("task", "stage"),
    [
        ("The export is empty since yesterday's release", "implement"),
        ("The worker hangs after the deploy, find out why", "implement"),
        ("Las facturas salen sin IVA desde el último despliegue", "implement"),
        ("Tras el lanzamiento los correos llegan dos veces", "implement"),
        ("Check everything before the release", "verify"),
        ("Is it safe to drop the index on orders.created?", "implement"),
        ("¿Es seguro borrar la columna `legacy_id`?", "implement"),
        ("Is the upload view safe?", "secure"),
        ("Does this query leak data of other companies?", "secure"),
        ("Write tests for the parser, cover empty files and bad encodings", "test"),
        ("Cubre con tests el cálculo del IVA, también los importes negativos", "test"),
        ("Set up GitHub Actions with ruff and mypy", "verify"),
    ],
)
def test_times_dangers_and_what_is_covered_are_told_from_stages(task: str, stage: str) -> None:
    assert route_task(task).stage == stage


def test_words_that_name_both_frameworks_are_decided_by_what_is_needed() -> None:
    assert route_task("Django or FastAPI for a shop with an admin and a relational model?").lane == "django"
    assert route_task("¿Django o FastAPI para una API JSON asíncrona con OpenAPI?").lane == "fastapi"
    undecided = route_task("Django or FastAPI?")
    assert (undecided.lane, undecided.ambiguous) == ("foundation", ("django", "fastapi"))


def test_a_framework_that_the_words_choose_touches_the_core(evidence: dict[str, tuple[LaneEvidence, ...]]) -> None:
    task = "Build a JSON API for the invoices"
    chosen = route_task(task)
    assert (chosen.lane, chosen.core) == ("fastapi", True)
    assert not route_task(task, evidence["fastapi"]).core, "it was chosen before"
    assert not route_task("Build a FastAPI service for the invoices").core, "the words name it"
    assert route_task("Django or FastAPI for a shop with an admin and a relational model?").core


def test_fastapi_does_its_own_work_after_a_response(evidence: dict[str, tuple[LaneEvidence, ...]]) -> None:
    own = route_task("Send the emails with BackgroundTasks instead of celery", evidence["fastapi"])
    assert own.spokes[0] == "fastapi-patterns" and "django-celery" not in own.spokes
    assert "django-celery" in route_task("Send the emails in a celery task", evidence["fastapi"]).spokes


def test_who_builds_and_ships_gets_every_stage_between() -> None:
    found = route_task("build and ship a Django API with background jobs")

    assert found.spokes == (
        "django-patterns",
        "django-celery",
        "django-tdd",
        "django-security",
        "django-verification",
    )
    assert found.core


@given(st.text(max_size=200))
def test_any_text_has_a_route(text: str) -> None:
    found = route_task(text)

    assert found.stage in STAGES
    assert list(found.stages) == sorted(found.stages, key=STAGES.index)
    assert found.lane in SPOKES
    assert found.next_action and found.reasons


def test_the_repository_beats_the_words() -> None:
    found = choose_lane("add a Django view", [LaneEvidence("fastapi", "", "main.py makes one")])

    assert found.lane == "fastapi"
    assert any("the words say django" in reason for reason in found.reasons)


def test_several_lanes_without_a_path_ask_for_one() -> None:
    both = [LaneEvidence("django", "web", "a"), LaneEvidence("fastapi", "api", "b")]

    assert choose_lane("add a users endpoint", both).ambiguous == ("django", "fastapi")
    assert choose_lane("add a users endpoint to api/main.py", both).ambiguous == ()
    assert "name a path" in route_task("add a users endpoint", both).next_action


def test_imports_of_examples_do_not_make_a_lane(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": '[project]\nname="x"\ndependencies=["libcst"]\n',
        "example.py": "import django\napp = FastAPI()\n",
    }
    root = repository_of(tmp_path, files)

    assert route_task("add a function", lane_evidence(find_repository(root))).lane == "foundation"


def test_scripts_without_manifests_are_known_by_their_imports(tmp_path: Path) -> None:
    root = repository_of(tmp_path, {"fit.py": "import sklearn\n", "broken.py": "import (\n"})

    assert route_task("speed it up", lane_evidence(find_repository(root))).lane == "ml"


def test_celery_outside_of_django_keeps_its_specialist_with_a_note() -> None:
    found = route_task("add a Celery task for invoices", [LaneEvidence("fastapi", "", "x")])

    assert found.spokes == ("django-celery",)
    assert any("outside of Django" in reason for reason in found.reasons)


# agents


# the decision


def test_eight_questions_four_for_each_side() -> None:
    assert [sum(question.side == side for question in QUESTIONS) for side in ("django", "fastapi")] == [4, 4]


@pytest.mark.parametrize(
    ("yes", "present", "framework"),
    [
        (("admin", "pages"), (), "django"),
        (("json", "async", "admin"), ("django",), "fastapi"),
        (("json", "admin"), ("fastapi",), "fastapi"),
        (("json", "async", "admin", "relational"), (), "django"),
        (("json", "async", "admin", "relational"), ("django", "fastapi"), "django"),
        (("json", "admin"), (), None),
        ((), (), None),
    ],
)
def test_points_decide_then_the_repository_then_admin_on_a_relational_model(
    yes: tuple[str, ...], present: tuple[str, ...], framework: str | None
) -> None:
    assert decide(dict.fromkeys(yes, True), present).framework == framework


def test_the_record_has_its_four_parts() -> None:
    text = decision_record(decide({"json": True}, ()), "Framework", "2026-11-20")

    assert [line for line in text.splitlines() if line.startswith("#")] == [
        "# Framework",
        "## Status",
        "## Context",
        "## Decision",
        "## Consequences",
    ]
    assert "Accepted, 2026-11-20" in text and "FastAPI: 1 points to 0." in text


# the command


def answer(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> dict[str, Any]:
    assert main(["route", "--json", *words]) == code
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_the_document_has_every_key_in_its_order(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    root = repository_of(tmp_path, PROJECTS["django"])
    found = answer(capsys, "--repo", str(root), "Deploy the API")

    assert tuple(found)[: len(KEYS)] == KEYS
    assert (found["lane"], found["stage"], found["spokes"]) == ("django", "verify", ["django-verification"])
    assert {"name", "score", "confidence", "alternatives"} <= found["agent"].keys()
    assert found == answer(capsys, "--repo", str(root), "Deploy the API")
    assert main(["route", "--repo", str(root), "Deploy the API"]) == 0
    assert "stage     ship" in capsys.readouterr().out


def test_a_decision_is_written_once_and_never_again(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COCKPIT_NOW", "2026-11-20T09:00:00Z")
    words = ["--decide", *ALL_NO, "--yes", "json", "--no", ",".join(q.id for q in QUESTIONS if q.id != "json")]
    found = answer(capsys, *words, "--adr", "docs/ADR-001-framework.md")
    text = (tmp_path / "docs/ADR-001-framework.md").read_text()

    assert found["framework"] == "fastapi"
    assert "2026-11-20" in text
    assert main(["route", *words, "--adr", "docs/ADR-001-framework.md"]) == 2
    assert (tmp_path / "docs/ADR-001-framework.md").read_text() == text
    assert [path.name for path in (tmp_path / "docs").iterdir()] == ["ADR-001-framework.md"]


def test_an_open_decision_is_exit_1(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert answer(capsys, "--decide", *ALL_NO, code=1)["framework"] is None


@pytest.mark.parametrize(
    "words",
    [["--decide"], ["--decide", "--yes", "nonsense"], ["x", "--adr", "y.md"], ["   "]],
)
def test_what_cannot_be_answered_is_one_line(words: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cockpit", "route", *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, stdin=subprocess.DEVNULL, check=False)

    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_in_a_terminal_the_questions_are_asked(tmp_path: Path) -> None:
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "cockpit", "route", "--decide", "--json", "an admin with forms"]
    process = subprocess.Popen(command, stdin=follower, stderr=follower, stdout=subprocess.PIPE, cwd=tmp_path)
    os.close(follower)
    os.write(leader, b"y\nmaybe\nyes\n" + b"n\n" * 5)
    out, _ = process.communicate(timeout=60)
    os.close(leader)
    found = json.loads(out)

    assert process.returncode == 0
    assert found["points"] == {"django": 3, "fastapi": 0}


def test_the_maps_are_answered_in_words_and_in_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = repository_of(tmp_path / "shop", PROJECTS["django"])
    assert main(["--repo", str(root), "route", "--map", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["lanes"]["django"]["implement"] == ["django-patterns", "django-celery"]
    assert {one["lane"] for one in told["evidence"]} == {"django"}
    assert len(told["trees"]) == 15 and sum(one["tree"] == "debugging" for one in told["trees"]) == 5
    assert any(one["name"] == "debugger" and one["installed"] is None for one in told["agents"])
    assert main(["--repo", str(root), "route", "--map"]) == 0
    assert "django *" in capsys.readouterr().out

"""Whole audits of small projects that none of the rules' examples come from: what the four workers answer, with the
database layer found from the code alone, both looks and the merging."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from skills.audit.discover import build_context
from skills.audit.judge import run_worker
from skills.audit.model import SEVERITIES, Issue
from skills.audit.workers import WORKERS
from skills.gates import analyse
from skills.gates.model import GateOptions, ProjectEvidence
from skills.gates.project import Project

CASES = Path(__file__).parents[1] / "data" / "audit_projects.txt"


def cases() -> Iterator[tuple[str, str, str, dict[str, str]]]:
    """(name, check, wanted severity or "none", files)."""
    for part in re.split(r"^=== ", CASES.read_text(), flags=re.MULTILINE)[1:]:
        title, _, text = part.partition("\n")
        name, check, wanted = title.replace(":", "").split()
        files = re.split(r"^--- (\S+)\n", text, flags=re.MULTILINE)[1:]
        yield name, check, wanted, dict(zip(files[::2], files[1::2], strict=True))


def audited(files: dict[str, str], dependencies: dict[str, str], releases: dict[str, str]) -> list[Issue]:
    """Every issue of a project that weighs."""
    reports = [analyse(path, source.encode(), every=True) for path, source in files.items()]
    facts = Project(reports, ProjectEvidence(dependencies), GateOptions(select=("audit",)))
    context = build_context(facts, {}, releases=releases)
    return [
        issue
        for worker in WORKERS
        for issue in run_worker(
            worker,
            facts,
            covers=lambda finding: True,
            marked=lambda findings: findings,
            lines_of=lambda path: files[path].splitlines(),
            has_database=context.has_database,
            fastapi=context.fastapi,
        ).weighing
    ]


def of_check(issues: list[Issue], check: str) -> list[str]:
    """The severities of what was said of a check, merged findings included; plain facts (INFO) are left out."""
    said = [one for one in issues if check in (one.finding.rule, *one.finding.also)]
    return sorted((one.finding.severity for one in said if one.finding.severity != "INFO"), key=SEVERITIES.index)


@cache
def answers() -> list[tuple[str, str, list[str]]]:
    return [(name, wanted, of_check(audited(files, {}, {}), check)) for name, check, wanted, files in cases()]


def test_every_case_is_code() -> None:
    assert all(ast.parse(source).body for _, _, _, files in cases() for source in files.values() if source)


def test_the_audit_finds_what_is_there_and_little_else() -> None:
    bad = [(name, wanted, found) for name, wanted, found in answers() if wanted != "none"]
    good = [(name, found) for name, wanted, found in answers() if wanted == "none"]
    missed = [name for name, _, found in bad if not found]
    alarms = [name for name, found in good if found]
    hits = len(bad) - len(missed)
    right = sum(found[:1] == [wanted] for _, wanted, found in bad)

    assert len(bad) >= 48 and len(good) >= 48
    shares = (hits / len(bad) >= 0.9, hits / (hits + len(alarms)) >= 0.9, right / hits >= 0.85)
    assert shares == (True, True, True), (missed, alarms, [one for one in bad if one[2][:1] != [one[1]]])


STREAM = """
from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse
from sqlalchemy.ext.asyncio import AsyncSession
from shop.db import get_session
router = APIRouter()
@router.get("/orders/{number}/live")
async def live(number: int, session: AsyncSession = Depends(get_session)) -> StreamingResponse:
    await session.get(Order, number)
    return StreamingResponse(%s, media_type="text/event-stream")
"""
LOCK = '[[package]]\nname = "fastapi"\nversion = "%s"\n'


def streamed(given: str, releases: dict[str, str]) -> Issue:
    files = {"shop/live.py": STREAM % given}
    issues = audited(files, {"fastapi": "pyproject.toml:4", "sqlalchemy": "pyproject.toml:5"}, releases)
    return next(one for one in issues if one.finding.rule == "streaming-resource-holding")


@pytest.mark.parametrize(
    ("releases", "severity"),
    [
        ({}, "CRITICAL"),
        ({"uv.lock": LOCK % "0.105.0"}, "CRITICAL"),
        ({"uv.lock": LOCK % "0.106.0"}, "LOW"),
        ({"uv.lock": LOCK % "0.117.1"}, "LOW"),
        ({"uv.lock": LOCK % "0.118.0"}, "CRITICAL"),
        ({"requirements.txt": "httpx\nfastapi[standard]==0.115.6 --hash=sha256:1\n"}, "LOW"),
        ({"requirements.txt": "fastapi>=0.110\n"}, "CRITICAL"),
        ({"pyproject.toml": 'dependencies = [\n  "fastapi>=0.110.1,<0.116.0",\n]\n'}, "LOW"),
        ({"pyproject.toml": 'dependencies = ["fastapi~=0.112.0"]\n'}, "LOW"),
        ({"pyproject.toml": 'dependencies = ["fastapi>=0.139.0,<1.0.0"]\n'}, "CRITICAL"),
        ({"pyproject.toml": '[tool.poetry.dependencies]\nfastapi = "^0.111.0"\n'}, "LOW"),
        ({"pyproject.toml": '[tool.poetry.dependencies]\nfastapi = {version = "^0.98"}\n'}, "CRITICAL"),
        ({"uv.lock": LOCK % "0.120.0", "pyproject.toml": 'dependencies = ["fastapi<0.118,>=0.106"]\n'}, "CRITICAL"),
    ],
)  # fmt: skip
def test_the_release_of_fastapi_says_how_long_a_stream_holds_a_session(releases: dict[str, str], severity: str) -> None:
    assert streamed("ticks(number)", releases).finding.severity == severity


def test_a_lowered_stream_shows_the_release_and_its_line() -> None:
    issue = streamed("ticks(number)", {"poetry.lock": LOCK % "0.110.2"})

    step = "lowered from CRITICAL to LOW: FastAPI 0.110.2 ends dependencies before the answer is sent"
    assert (issue.was, [one.startswith(step) for one in issue.steps]) == ("CRITICAL", [True])
    assert [(one.path, one.line) for one in issue.finding.evidence][-1] == ("poetry.lock", 3)


def test_a_stream_that_uses_the_session_stays_critical_in_every_release() -> None:
    issue = streamed("ticks(session, number)", {"uv.lock": LOCK % "0.110.0"})

    assert issue.finding.severity == "CRITICAL"
    assert issue.finding.evidence[-1].text.endswith("the stream opens it anew")


def test_a_dependency_that_ends_with_its_function_is_not_held() -> None:
    source = (STREAM % "ticks(number)").replace("Depends(get_session)", 'Depends(get_session, scope="function")')
    issues = audited({"shop/live.py": source}, {"fastapi": "pyproject.toml:4", "sqlalchemy": "pyproject.toml:5"}, {})

    assert [one.finding.rule for one in issues if one.finding.rule == "streaming-resource-holding"] == []


PAGES = """
from shop.db import new_session
@router.websocket("/events")
async def events(socket: WebSocket) -> None:
    await socket.accept()
    async with new_session() as session:
        page, token = await first_page(session)
        while page:
            for event in page:
                await socket.send_json(event)
            page, token = await next_page(session, token)
    async for event in feed():
        await socket.send_json(event)
"""


def test_pages_that_run_out_are_no_endless_stream() -> None:
    issues = audited({"shop/events.py": PAGES}, {"sqlalchemy": "pyproject.toml:5"}, {})
    endless = audited({"shop/events.py": PAGES.replace("while page:", "while True:")}, {"sqlalchemy": "p:5"}, {})

    assert of_check(issues, "streaming-resource-holding") == ["MEDIUM"]
    assert of_check(endless, "streaming-resource-holding") == ["CRITICAL"]


def test_a_project_with_a_bus_and_no_database_has_its_channels_judged() -> None:
    source = 'async def tell(redis, ride):\n    await redis.publish("ride_updates", ride)\n'
    issues = audited({"rides/tell.py": source}, {}, {})

    assert [(one.finding.rule, one.finding.severity) for one in issues] == [("event-channel-consistency", "HIGH")]


SLEEPS = """
import asyncio, time
from fastapi import APIRouter
router = APIRouter()
def helper():
    time.sleep(1)
@router.get("/a")
async def handler():
    {}
"""


@pytest.mark.parametrize(
    ("call", "severities"),
    [("time.sleep(1)", ["HIGH"]), ("helper()", ["HIGH"]), ("await asyncio.to_thread(lambda: time.sleep(1))", [])],
)
def test_a_sleep_blocks_the_loop_only_where_it_runs_on_it(call: str, severities: list[str]) -> None:
    issues = audited({"app/api.py": SLEEPS.format(call)}, {}, {})

    assert of_check(issues, "sync-sleep-in-async") == severities


@pytest.mark.parametrize(
    ("heard", "severities"),
    [
        ("job_event", ["CRITICAL"]),
        ("job_evnets", ["CRITICAL"]),  # two letters are others
        ("job_evenings", ["HIGH", "MEDIUM"]),  # three are: these are two channels
        ("event", ["CRITICAL"]),  # one within the other, whatever the distance
        ("job", ["HIGH", "MEDIUM"]),  # too short to be compared
    ],
)
def test_two_names_are_one_misspelt_up_to_two_letters_apart(heard: str, severities: list[str]) -> None:
    sends = 'async def tell(redis):\n    await redis.publish("job_events", 1)\n'
    hears = f'async def hear(pubsub):\n    await pubsub.subscribe("{heard}")\n'
    issues = audited({"app/tell.py": sends, "app/hear.py": hears}, {"redis": "p:1"}, {})

    assert of_check(issues, "event-channel-consistency") == severities


def test_a_channel_of_two_spellings_is_critical_and_one_constant_is_none() -> None:
    sends = 'async def tell(conn):\n    await conn.execute("NOTIFY job_events")\n'
    hears = 'async def hear(conn):\n    await conn.execute("LISTEN job_event")\n'
    two = audited({"app/tell.py": sends, "app/hear.py": hears}, {"asyncpg": "p:1"}, {})
    shared = {
        "app/names.py": 'JOBS = "job_events"\n',
        "app/tell.py": "from app.names import JOBS\nasync def tell(redis):\n    await redis.publish(JOBS, 1)\n",
        "app/hear.py": "from app.names import JOBS\nasync def hear(pubsub):\n    await pubsub.subscribe(JOBS)\n",
    }

    assert of_check(two, "event-channel-consistency") == ["CRITICAL"]
    assert of_check(audited(shared, {"asyncpg": "p:1"}, {}), "event-channel-consistency") == []

"""What an audit finds out of a project before it judges: its technologies and their evidence, its kind, who listens."""

import pytest

from skills.audit.discover import build_context
from skills.audit.model import AuditContext
from skills.gates import analyse
from skills.gates.model import GateOptions, ProjectEvidence
from skills.gates.project import Project

SLEEPS = "import time\n\n\nasync def wait():\n    time.sleep(1)\n"
HEARS = 'async def hear(conn):\n    await conn.execute("LISTEN job_events")\n'


def context_of(files: dict[str, str], dependencies: dict[str, str] | None = None) -> AuditContext:
    reports = [analyse(path, source.encode(), every=True) for path, source in files.items()]
    project = Project(reports, ProjectEvidence(dependencies or {}), GateOptions(select=("audit",)))
    return build_context(project, {})


def test_coroutines_without_a_framework_are_asyncio_at_the_first_place_that_shows_them() -> None:
    found = context_of({"a.py": "x = 1\n", "b.py": SLEEPS}).async_frameworks

    assert [(one.name, one.evidence) for one in found] == [("asyncio", "b.py:5")]


def test_a_framework_brings_asyncio_with_its_own_evidence() -> None:
    found = context_of({"b.py": SLEEPS}, {"fastapi": "pyproject.toml:4"}).async_frameworks

    assert [(one.name, one.evidence) for one in found] == [
        ("asyncio", "pyproject.toml:4"),
        ("fastapi", "pyproject.toml:4"),
    ]


@pytest.mark.parametrize(
    ("files", "dependencies", "kind"),
    [
        ({"a.py": "x = 1\n"}, {}, "library"),
        ({"shop/management/commands/load.py": "x = 1\n"}, {}, "command line"),
        ({"shop/tasks.py": "x = 1\n", "shop/management/commands/load.py": "x = 1\n"}, {}, "worker"),
        ({"shop/tasks.py": "x = 1\n", "shop/views.py": "x = 1\n"}, {}, "web service"),
        ({"a.py": "x = 1\n"}, {"flask": "pyproject.toml:3"}, "web service"),
    ],
)
def test_the_kind_of_an_application_follows_from_what_it_serves(
    files: dict[str, str], dependencies: dict[str, str], kind: str
) -> None:
    assert context_of(files, dependencies).app_type == kind


def test_who_listens_is_told_with_its_place_but_for_tests() -> None:
    found = context_of({"app/hear.py": HEARS, "tests/test_hear.py": HEARS}).subscribers

    assert [(one.channel_name, one.file, one.line, one.technology) for one in found] == [
        ("job_events", "app/hear.py", 2, "postgresql")
    ]

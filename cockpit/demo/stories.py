"""What the demo's agents are doing now: one busy, one waiting for permission, one done."""

from datetime import datetime
from pathlib import Path
from random import Random

from cockpit.demo.transcript import HAIKU, OPUS, SONNET, Tool, Transcript, uuid_of

PASSED = "{count} passed in 1.{count:02d}s"


def users_endpoint(cwd: Path, now: datetime, random: Random) -> tuple[Transcript, Transcript]:
    """Busy in `feature/api`: edits since the last test run, a window four fifths full, one sub-agent."""
    talk = Transcript(uuid_of("acme users"), str(cwd), "feature/api", OPUS, now, random, pace=2.5)
    _roles(talk, cwd)
    talk.prompt(
        "Add a users endpoint, tests included: GET /users/?role= lists by role, POST /users/ invites.\n"
        "1. services in accounts/services.py, no logic in accounts/views.py\n"
        "2. answer 201 with the new user as JSON, 400 for an unknown role\n"
        "Done when `uv run pytest tests/test_user_views.py` passes.",
        wait=3000,
    )
    talk.step("I read the app first.", *_reads(cwd, *APP), grow=4200, output=420)
    helper = _explorer(talk)
    found = "Views call services; nothing else creates users. Tenancy is in acme/tenancy/managers.py."
    question = {
        "subagent_type": "Explore",
        "description": "Who creates users",
        "prompt": "Find every place that creates a User.",
    }
    talk.step("", Tool("Task", question, found), grow=4100, output=300, seconds=70)
    talk.step(
        "The tests follow the project's skill.",
        Tool("Skill", {"skill": "django-testing-patterns"}),
        grow=5200,
    )
    todos = [
        ("Roles in one place", "completed"),
        ("Read a new user", "completed"),
        ("Filter by role", "in_progress"),
        ("View tests", "pending"),
    ]
    listed = [{"content": text, "status": status, "activeForm": text} for text, status in todos]
    talk.step("", Tool("TodoWrite", {"todos": listed}), grow=1400, output=260, seconds=1)
    for name, what in (("accounts/serializers.py", "NewUserSerializer"), ("accounts/services.py", "invite")):
        talk.step("", _edit(cwd, name, what), grow=4300, output=3200)
        talk.step("", _bash("uv run pytest -q", PASSED.format(count=7)), grow=3900, output=180, seconds=20)
        talk.step("", _bash(f"git commit -qam '{what}'", ""), grow=1800, output=160, seconds=2)
    for name in ("billing/views.py", "acme/urls.py", "acme/settings.py"):
        talk.step("", *_reads(cwd, name), grow=4300, output=150, seconds=5)
    talk.step(
        "",
        Tool("Grep", {"pattern": "get_queryset", "path": str(cwd)}, "acme/tenancy/managers.py:11"),
        grow=5100,
    )
    talk.step(
        "The filter is a function of its own.",
        _edit(cwd, "accounts/filters.py", "by_role"),
        grow=4900,
        output=1400,
    )
    talk.step(
        "",
        _bash("uv run pytest -q tests/test_accounts.py", "1 failed, 3 passed", failed=True),
        grow=5800,
        seconds=25,
    )
    talk.step("", *_reads(cwd, "tests/test_accounts.py", "tests/conftest.py"), grow=9100, output=300)
    talk.step(
        "An invited user may not log in yet.",
        _edit(cwd, "accounts/services.py", "set_unusable_password"),
        grow=5600,
    )
    talk.step(
        "",
        _bash("uv run pytest -q tests/test_accounts.py", PASSED.format(count=4)),
        grow=4400,
        output=160,
        seconds=19,
    )
    talk.step("", _bash("git commit -qam 'Test that an invited user has no password'", ""), grow=2100, output=140)
    talk.step(
        "Now the view, which only calls these.",
        *_reads(cwd, "accounts/views.py", "accounts/urls.py"),
        grow=6700,
    )
    talk.step("", _edit(cwd, "accounts/views.py", "def create"), grow=8400, output=4100)
    talk.step("", _edit(cwd, "accounts/filters.py", "Only the users of this role"), grow=6900, output=900)
    talk.step("", _edit(cwd, "docs/api.md", "GET, POST"), grow=7400, output=500)
    talk.step(
        "",
        Tool("Write", {"file_path": str(cwd / "tests/test_user_views.py"), "content": "…"}),
        grow=9400,
        output=4300,
    )
    rest = 156_000 - talk.context - 3600
    talk.step("", *_reads(cwd, "acme/tenancy/middleware.py"), grow=rest, output=240)
    talk.step(
        "",
        Tool("Edit", {"file_path": str(cwd / "accounts/views.py"), "new_string": "…"}, None),
        grow=3600,
        seconds=1,
    )
    return talk, helper


def login_fix(cwd: Path, now: datetime, random: Random) -> Transcript:
    """Waiting in `fix/login`: tested and committed, asks whether it may push."""
    talk = Transcript(uuid_of("acme login"), str(cwd), "fix/login", SONNET, now, random, context=64_000)
    talk.prompt(
        "Fix the bug that a user stays logged in for ever: end the session after 30 minutes away. "
        "Touch only accounts/, write a failing test first, then push the branch."
    )
    talk.step(
        "",
        *_reads(cwd, "accounts/models.py", "accounts/services.py", "tests/test_accounts.py"),
        grow=15400,
        output=260,
    )
    talk.step("First the test that fails.", _edit(cwd, "tests/test_sessions.py", "expired"), grow=6200, output=1100)
    talk.step(
        "",
        _bash("uv run pytest -q tests/test_sessions.py", "2 failed", failed=True),
        grow=7100,
        output=170,
        seconds=18,
    )
    talk.step("", _edit(cwd, "accounts/sessions.py", "IDLE"), grow=4800, output=900)
    talk.step("", _bash("uv run pytest -q", PASSED.format(count=9)), grow=5100, output=160, seconds=22)
    talk.step("", _bash("uv run ruff check .", "All checks passed!"), grow=2300, output=120, seconds=3)
    talk.step(
        "",
        _bash("git add -A && git commit -qm 'End a session after half an hour away'", ""),
        grow=2400,
        output=220,
    )
    talk.step(
        "All nine tests pass. I push the branch.",
        _bash("git push -u origin fix/login", None),
        grow=2600,
        seconds=1,
    )
    return talk


def invoice_totals(cwd: Path, now: datetime, random: Random) -> Transcript:
    """Idle in `main`: done, tests and linter run after the last edit."""
    talk = Transcript(uuid_of("acme totals"), str(cwd), "main", SONNET, now, random, context=46_000)
    talk.prompt("Refactor `billing.services.total`: one query must do. Run `uv run pytest` and ruff when done.")
    talk.step(
        "",
        *_reads(cwd, "billing/services.py", "billing/models.py", "tests/test_billing.py"),
        grow=13800,
        output=240,
    )
    talk.step("", _edit(cwd, "billing/services.py", "LINE_TOTAL"), grow=5200, output=1300)
    talk.step("", _bash("uv run pytest -q", PASSED.format(count=6)), grow=5900, output=150, seconds=21)
    talk.step("", _bash("uv run ruff check billing", "All checks passed!"), grow=2100, output=110, seconds=2)
    talk.step(
        "`total` asks the database once now: a sum of quantity × price. Six tests pass, ruff is clean.",
        grow=2600,
        output=480,
    )
    return talk


APP = ("accounts/models.py", "accounts/serializers.py", "accounts/services.py", "tests/test_accounts.py")


def _roles(talk: Transcript, cwd: Path) -> None:
    """What the session did before: a small task, done."""
    talk.prompt("Refactor `accounts/services.py`: roles are checked in one place. Run `uv run pytest`.")
    talk.step("", *_reads(cwd, "accounts/services.py", "tests/test_accounts.py"), grow=4800, output=200)
    talk.step("", _edit(cwd, "accounts/services.py", "_known"), grow=2600, output=1200)
    talk.step("", _bash("uv run pytest -q tests/test_accounts.py", PASSED.format(count=2)), grow=2200, seconds=18)
    talk.step("Roles are checked in `_known` only; both tests pass.", grow=900, output=260)


def _explorer(talk: Transcript) -> Transcript:
    helper = Transcript(
        talk.session,
        talk.cwd,
        talk.branch,
        HAIKU,
        talk.clock,
        talk.random,
        context=9_000,
        agent_id=uuid_of("explore")[:8],
    )
    helper.prompt("Find every place that creates a User.", wait=2)
    for pattern in ("User(", "objects.create", "create_user", "User.objects"):
        grep = Tool("Grep", {"pattern": pattern, "path": talk.cwd}, "accounts/services.py\ntests/test_accounts.py")
        helper.step("", grep, grow=5200, output=220, seconds=8)
    helper.step("Views call services; nothing else creates users.", grow=2400, output=600, seconds=4)
    return helper


def _reads(cwd: Path, *names: str) -> list[Tool]:
    return [Tool("Read", {"file_path": str(cwd / name)}, f"1→# {name}") for name in names]


def _edit(cwd: Path, name: str, what: str) -> Tool:
    return Tool(
        "Edit",
        {"file_path": str(cwd / name), "old_string": "…", "new_string": _written(cwd / name, what)},
        f"{name} has been updated.",
    )


def _written(path: Path, what: str) -> str:
    """The lines that the edit put there: those of the file, where it holds `what`."""
    text = path.read_text("utf-8") if path.is_file() else ""
    return text if what in text else what


def _bash(command: str, result: str | None, *, failed: bool = False) -> Tool:
    return Tool("Bash", {"command": command, "description": "Run a command"}, result, failed)

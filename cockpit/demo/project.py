"""The demo's project: the files of "acme-api" as they stood at each commit."""

from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent / "acme_api"


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit: how long ago, its message, and the files that it wrote (path → content)."""

    hours_ago: float
    message: str
    files: dict[str, str] = field(default_factory=dict)


def overlay(name: str) -> dict[str, str]:
    """The files kept under `acme_api/NAME`, by their path in the project."""
    base = FOLDER / name  # they end in .txt there, so that no tool judges them as ours
    return {
        path.relative_to(base).as_posix().removesuffix(".txt"): path.read_text("utf-8")
        for path in sorted(base.rglob("*.txt"))
    }


def main_history() -> list[Commit]:
    """The twelve commits of `main`, oldest first. All but the last two are on the remote."""
    last = overlay("main")
    early_readme = "# acme-api\n\nInvoicing for many companies in one database.\n\n    uv sync && uv run pytest\n"
    early_guide = "# API\n\n| path | methods |\n|---|---|\n| `/users/` | GET |\n"
    total = last["billing/services.py"]
    early_total = total.replace(
        '    """The sum of an invoice\'s lines, in one query."""\n'
        '    return invoice.lines.aggregate(total=Sum(LINE_TOTAL))["total"] or Decimal(0)\n',
        "    return sum((line.quantity * line.unit_price for line in invoice.lines.all()), Decimal(0))\n",
    )
    views = last["accounts/views.py"]
    early_views = views[: views.index("\n    @action")].replace(
        "from rest_framework.decorators import action\nfrom rest_framework.response import Response\n", ""
    )

    def of(*names: str) -> dict[str, str]:
        return {path: last[path] for path in last if path.startswith(names)}

    frame = of("pyproject", "manage", ".", "acme/__init__", "acme/settings", "acme/urls")
    return [
        Commit(300, "Start the project", {**frame, "README.md": early_readme}),
        Commit(296, "Companies, and a manager that sees one at a time", of("acme/tenancy/", "tests/__init__")),
        Commit(275, "Users belong to a company", {**of("accounts/"), "accounts/views.py": early_views}),
        Commit(252, "Roles of a user", of("accounts/services", "tests/conftest", "tests/test_a", "tests/test_t")),
        Commit(248, "Invoices and their lines", of("billing/__init__", "billing/models", "billing/serializers")),
        Commit(
            226,
            "Create an invoice in one transaction",
            {**of("tests/test_billing"), "billing/services.py": early_total},
        ),
        Commit(203, "List the owners of a company", {"accounts/views.py": views, "docs/api.md": early_guide}),
        Commit(150, "Send an invoice by mail", of("billing/views", "billing/urls", "billing/export")),
        Commit(
            126,
            "Count overdue invoices every night",
            of("billing/tasks", "billing/payments", "billing/live"),
        ),
        Commit(98, "Cache company lookups (#41)", overlay("spike-cache")),
        Commit(27, "Totals of an invoice in one query", {"billing/services.py": total}),
        Commit(2.2, "Say where the work stands", of("README", "PROJECT_CONTEXT", "TASK", "docs/")),
    ]


def _rounded_totals() -> str:
    """The services as a branch has them that began before totals were one query."""
    before = next(commit for commit in main_history() if commit.message.startswith("Create an invoice"))
    text = before.files["billing/services.py"]
    return text.replace("Decimal(0))\n", 'Decimal(0)).quantize(Decimal("0.01"))\n', 1)


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch and its worktree: `forked_from` counts the commits of main that it has."""

    name: str
    folder: str
    forked_from: int
    commits: list[Commit]
    ports: tuple[int, int]
    task: str


def branches() -> list[Branch]:
    """The five branches that have a worktree: at work, waiting, squashed, in a rebase, in conflict with main."""
    api, login, cache, docs = (overlay(name) for name in ("feature-api", "fix-login", "spike-cache", "docs"))
    guide = {path: docs[path] for path in ("README.md", "docs/api.md")}
    return [
        Branch(
            "feature/api",
            "feature-api",
            11,
            [
                Commit(5.1, "Know the roles in one place", {"accounts/services.py": api["accounts/services.py"]}),
                Commit(
                    4.4,
                    "Read a new user from a request",
                    {"accounts/serializers.py": api["accounts/serializers.py"]},
                ),
                Commit(2.9, "Filter users by role", {"accounts/filters.py": api["accounts/filters.py"]}),
                Commit(
                    0.6,
                    "Test that an invited user has no password",
                    {"tests/test_accounts.py": api["tests/test_accounts.py"]},
                ),
            ],
            (8100, 8101),
            "Users endpoint with pagination",
        ),
        Branch(
            "fix/login",
            "fix-login",
            11,
            [
                Commit(
                    1.4,
                    "End a session after half an hour away",
                    {"accounts/sessions.py": login["accounts/sessions.py"]},
                ),
                Commit(
                    0.2,
                    "Test both sides of the half hour",
                    {"tests/test_sessions.py": login["tests/test_sessions.py"]},
                ),
            ],
            (8102, 8103),
            "Session expiry on login",
        ),
        Branch(
            "spike/cache",
            "spike-cache",
            9,
            [
                Commit(
                    122,
                    "Try a cache for companies",
                    {"acme/tenancy/cache.py": cache["acme/tenancy/cache.py"].replace("256", "32")},
                ),
                Commit(100, "Room for 256 companies", cache),
            ],
            (8104, 8105),
            "Cache company lookups",
        ),
        Branch(
            "docs",
            "docs",
            9,
            [
                Commit(73, "A shorter README that points at the API guide", guide),
                Commit(51, "How to run it", {"docs/running.md": docs["docs/running.md"]}),
            ],
            (8106, 8107),
            "API guide",
        ),
        Branch(
            "fix/totals",
            "fix-totals",
            10,
            [Commit(26, "Round the total of an invoice to cents", {"billing/services.py": _rounded_totals()})],
            (8108, 8109),
            "Totals in cents",
        ),
    ]

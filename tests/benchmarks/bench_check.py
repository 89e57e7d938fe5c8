"""A cold check of 2,000 Django files against a bare two-process `ast.parse` of them, and a second run against it.

Each figure is the median of alternating runs of whole processes, so that a busy machine slows both sides alike.
"""

import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FILES = 2_000
ROUNDS = 3

# the floor: read and parse the same files in two processes, nothing else
BARE = """
import ast, gc, os, sys
gc.disable()
names = sorted(sys.stdin.read().split("\\n"), key=os.path.getsize)
child = os.fork()
for name in names[(1 if child else 0)::2]:
    with open(name, "rb") as stream:
        ast.parse(stream.read())
if child:
    os.waitpid(child, 0)
os._exit(0)
"""

WORDS = ("invoice", "order", "customer", "product", "shipment", "payment", "refund", "account", "ledger", "ticket")


def make_project(root: Path, files: int = FILES) -> list[Path]:
    """A repository of apps with models, views, serializers, services, urls and tests, about 120 lines a file."""
    chance = random.Random(7)
    kinds = ("models", "views", "serializers", "services", "tests/test_views", "tests/test_services")
    made: list[Path] = []
    for number in range(files):
        app = f"{chance.choice(WORDS)}s_{number // len(kinds):04d}"
        path = root / "apps" / app / f"{kinds[number % len(kinds)]}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(make_source(path.stem, chance))
        made.append(path)
    (root / "pyproject.toml").write_text(
        '[project]\nname = "shop"\nversion = "1"\ndependencies = ["django", "pytest-mock"]\n'
    )
    for arguments in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", "-C", str(root), *arguments], check=True, capture_output=True)
    return made


def run() -> dict[str, float]:
    """`check_cold_ratio` (bare parse = 1), `check_second_ratio` (first run = 1), and the seconds behind them."""
    folder = Path(tempfile.mkdtemp(prefix="bench-check-"))
    try:
        names = "\n".join(map(str, make_project(folder / "shop")))
        _check(folder / "shop", folder / "first")  # compiles our modules, which an installed program does once
        bare, cold, second = [], [], []
        for number in range(ROUNDS):
            bare.append(_seconds([sys.executable, "-c", BARE], stdin=names))
            state = folder / f"state{number}"
            cold.append(_check(folder / "shop", state))
            second.append(_check(folder / "shop", state))
        return {
            "check_cold_ratio": round(statistics.median(map(float.__truediv__, cold, bare)), 2),
            "check_second_ratio": round(statistics.median(map(float.__truediv__, second, cold)), 2),
            "check_cold_seconds": round(statistics.median(cold), 3),
            "check_second_seconds": round(statistics.median(second), 3),
            "bare_parse_seconds": round(statistics.median(bare), 3),
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _check(root: Path, state: Path) -> float:
    program = [sys.executable, "-m", "cockpit", "--repo", str(root), "check", "--format", "json"]
    return _seconds(program, state=state)


def _seconds(command: list[str], *, stdin: str = "", state: Path | None = None) -> float:
    environment = {**os.environ, "COCKPIT_STATE_DIR": str(state or ""), "COCKPIT_CONFIG_DIR": str(state or "")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    home = Path(__file__).resolve().parents[2]
    started = time.perf_counter()
    done = subprocess.run(command, input=stdin, text=True, capture_output=True, env=environment, cwd=home, check=False)
    taken = time.perf_counter() - started
    if done.returncode not in (0, 1):
        raise RuntimeError(f"exit {done.returncode}: {done.stderr[-300:]}")
    return taken


def make_source(kind: str, chance: random.Random) -> str:
    """A module as one of that name would look: its head, and three to nine blocks."""
    blocks = [_HEADS.get(kind, "import pytest\n\nfrom apps.shared import factories\n")]
    for number in range(chance.randint(3, 9)):
        name = chance.choice(WORDS)
        template = _BLOCKS.get(kind, _TEST)
        blocks.append(
            template.format(name=name, Name=f"{name.title()}{number}", number=number, other=chance.choice(WORDS))
        )
    return "\n\n".join(blocks)


_HEADS = {
    "models": "from django.db import models\nfrom django.utils import timezone\n",
    "views": "from rest_framework import status, viewsets\nfrom rest_framework.decorators import action\n"
    "from rest_framework.response import Response\n\nfrom . import services\nfrom .models import *\n",
    "serializers": "from rest_framework import serializers\n\nfrom .models import *\n",
    "services": "import logging\nfrom decimal import Decimal\n\nfrom django.db import transaction\n\n"
    "logger = logging.getLogger(__name__)\n",
}

_TEST = '''
@pytest.mark.django_db
class Test{Name}:
    """The {name} endpoint."""

    def test_list_{name}_{number}_returns_all(self, client, mocker):
        {name} = factories.make_{name}(total=12, label="a")
        gateway = mocker.patch("apps.shared.gateway.send")

        response = client.get("/api/{name}/", {{"page": 1, "ordering": "-created"}})

        assert response.status_code == 200
        assert [row["id"] for row in response.json()["results"]] == [{name}.pk]
        gateway.assert_not_called()

    def test_create_{name}_{number}_needs_{other}(self, client):
        payload = {{"label": "x", "total": 3, "{other}": None}}

        response = client.post("/api/{name}/", payload, content_type="application/json")

        assert response.status_code == 400
        assert "{other}" in response.json()
'''

_BLOCKS = {
    "models": '''
class {Name}(models.Model):
    """One {name} of a {other}."""

    label = models.CharField(max_length=120, db_index=True)
    total = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    {other} = models.ForeignKey("shared.{other}", on_delete=models.CASCADE, related_name="{name}_{number}")
    created = models.DateTimeField(default=timezone.now, editable=False)
    paid = models.BooleanField(default=False)

    class Meta:
        ordering = ["-created", "id"]
        indexes = [models.Index(fields=["label", "paid"])]

    def __str__(self) -> str:
        return f"{{self.label}} ({{self.total}})"

    @property
    def is_late(self) -> bool:
        return not self.paid and (timezone.now() - self.created).days > 30
''',
    "views": '''
class {Name}ViewSet(viewsets.ModelViewSet):
    """List, create and close {name} records."""

    serializer_class = None
    filterset_fields = ("label", "paid")

    def get_queryset(self):
        return {Name}.objects.select_related("{other}").order_by("-created")

    def create(self, request, *args, **kwargs):
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        {name} = services.create_{name}(**serializer.validated_data)
        return Response(self.get_serializer({name}).data, status=status.HTTP_201_CREATED)

    @action(detail=True, methods=["post"])
    def close(self, request, pk=None):
        {name} = self.get_object()
        if {name}.paid:
            return Response({{"detail": "already closed"}}, status=status.HTTP_409_CONFLICT)
        services.close_{name}({name}, by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)
''',
    "serializers": '''
class {Name}Serializer(serializers.ModelSerializer):
    """The {name} as the API shows it."""

    {other}_label = serializers.CharField(source="{other}.label", read_only=True)

    class Meta:
        model = None
        fields = ("id", "label", "total", "{other}", "{other}_label", "created", "paid")
        read_only_fields = ("id", "created")

    def validate_total(self, value):
        if value < 0:
            raise serializers.ValidationError("must not be negative")
        return value
''',
    "services": '''
@transaction.atomic
def create_{name}_{number}(*, label: str, total: Decimal, {other}: object) -> object:
    """Make a {name}, and tell the {other} about it once it is stored."""
    {name} = repository.add(label=label.strip(), total=total, {other}={other})
    for line in sorted({name}.lines, key=lambda line: line.position):
        if line.amount <= 0:
            raise ValueError(f"line {{line.position}} of {{label!r}} has no amount")
        total -= line.amount * (1 + line.tax_rate)
    if total:
        logger.warning("the %s %s does not add up: %s left", "{name}", label, total)
    transaction.on_commit(lambda: notify({other}, {name}))
    return {name}
''',
}


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:28} {value}")

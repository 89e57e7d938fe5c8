"""Severity by execution context, names as scopes bind them, and what one finding says for others."""

from skills.gates import analyse, settle
from skills.gates.model import Candidate, GateOptions, ProjectEvidence

HANDLER = '@router.get("/x")\n'


def found(source: str, rule: str, path: str = "app/api.py") -> list[Candidate]:
    report = analyse(path, source.encode())
    assert report.problem is None
    assert report.crashed == ()
    return [candidate for candidate in report.candidates if candidate.rule == rule]


def test_sleep_is_judged_by_where_it_runs() -> None:
    sleep = "import time\n\n\n{head}async def f({args}):\n    time.sleep(1)\n"

    def severities(path: str = "app/api.py", head: str = "", args: str = "") -> list[str | None]:
        text = sleep.format(head=head, args=args)
        return [candidate.severity for candidate in found(text, "sync-sleep-in-async", path)]

    assert severities(head=HANDLER) == ["HIGH"]
    assert severities(args="request") == ["HIGH"]
    assert severities(path="app/jobs/send.py") == ["MEDIUM"]
    assert severities(path="scripts/send.py") == []
    assert severities(path="tests/test_send.py") == []
    assert severities(head='@app.on_event("startup")\n') == ["LOW"]


def test_sleep_in_a_sync_helper_or_a_lambda_for_a_thread_is_fine() -> None:
    source = (
        "import asyncio\nimport time\n\n\ndef helper():\n    time.sleep(1)\n\n\nasync def f():\n"
        "    await asyncio.to_thread(lambda: time.sleep(1))\n"
    )

    assert found(source, "sync-sleep-in-async") == []


def test_evidence_names_the_line_that_gives_the_class() -> None:
    source = "import httpx\n\nclient = httpx.Client()\n\n\n" + HANDLER + "async def f():\n    client.get('x')\n"

    [finding] = found(source, "blocking-io-in-async")

    assert [link.line for link in finding.evidence] == [3, 6]
    assert finding.severity == "HIGH"


def test_the_last_binding_above_decides() -> None:
    source = (
        "from pathlib import Path\n\n\nasync def f(x):\n    p = Path('a')\n    p.open()\n    p = x\n    p.open()\n"
        "    for p in x:\n        p.open()\n    return [p.open() for p in x]\n"
    )

    assert [finding.line for finding in found(source, "blocking-io-in-async")] == [6]


def test_names_bound_by_match_walrus_and_except_shadow() -> None:
    source = (
        "import os\nimport requests\n\n\nasync def f(x):\n    match x:\n        case {'a': requests}:\n"
        "            requests.get('x')\n    if os := x:\n        os.remove('x')\n"
    )

    assert found(source, "blocking-io-in-async") == []


def test_attributes_of_self_have_a_class_where_all_assignments_agree() -> None:
    source = (
        "import redis\n\n\nclass A:\n    def __init__(self, other):\n        self.a = redis.Redis()\n"
        "        self.b = redis.Redis()\n        self.b = other\n\n    async def f(self):\n"
        "        self.a.ping()\n        self.b.ping()\n"
    )

    assert [finding.line for finding in found(source, "blocking-io-in-async")] == [11]


def test_a_loop_of_known_length_decides_the_severity_of_growing_text() -> None:
    source = "def f():\n    text = ''\n    for i in range({n}):\n        text += 'x'\n    return text\n"

    assert found(source.format(n=101), "string-concat-in-loop")[0].severity == "MEDIUM"
    assert found(source.format(n=100), "string-concat-in-loop")[0].severity == "LOW"
    assert found(source.format(n="m"), "string-concat-in-loop")[0].severity == "LOW"


def test_pool_defaults_are_no_high_finding() -> None:
    source = "from sqlalchemy import create_engine\n\nengine = create_engine(url{more})\n"

    assert [finding.severity for finding in found(source.format(more=""), "pool-configuration")] == ["MEDIUM"]
    unlimited = found(source.format(more=", max_overflow=-1, pool_pre_ping=True"), "pool-configuration")
    assert [finding.severity for finding in unlimited] == ["HIGH"]


def test_a_stream_with_a_session_is_one_finding_for_three() -> None:
    source = (
        HANDLER + "async def f(tasks, db: AsyncSession = Depends(get_db)):\n    tasks.add_task(g, db)\n"
        "    return EventSourceResponse(feed(db))\n"
    )

    [finding] = found(source, "streaming-resource-holding")

    assert finding.severity == "CRITICAL"
    assert finding.also == ("resource-scope-mismatch", "factory-vs-injection")
    assert found(source, "factory-vs-injection") == []


def test_a_call_in_a_transaction_is_one_finding_for_two() -> None:
    source = (
        "import time\n\nimport requests\nfrom django.db import transaction\n\n\ndef f():\n"
        "    with transaction.atomic():\n        with transaction.atomic():\n            requests.get('x')\n"
        "        time.sleep(1)\n"
    )

    [wide] = found(source, "scope-too-wide")

    assert (wide.line, wide.also) == (10, ("long-held-transaction",))
    assert [finding.line for finding in found(source, "long-held-transaction")] == [11]


def test_how_far_a_call_is_followed_does_not_depend_on_who_was_asked_first() -> None:
    helpers = (
        "import requests\n\n\ndef last(url):\n    return requests.get(url)\n\n\n"
        "def third(url):\n    return last(url)\n\n\n"
        "def second(url):\n    return third(url)\n\n\ndef first(url):\n    return second(url)\n"
    )
    far = "\n\nasync def far(url):\n    return first(url)\n"
    near = "\n\nasync def near(url):\n    return third(url)\n"

    def symbols(source: str) -> list[str]:
        return [candidate.symbol for candidate in found(source, "blocking-io-in-async")]

    assert symbols(helpers + near) == symbols(helpers + near + far) == symbols(helpers + far + near) == ["near"]


def test_a_read_for_each_turn_is_one_finding_for_two_and_a_write_is_none() -> None:
    source = (
        "from shop.models import Order\n\n\ndef load(teams):\n    for team in teams:\n"
        "        Order.objects.filter(team=team).count()\n        Order.objects.filter(team=team).delete()\n"
    )

    assert [(finding.line, finding.also) for finding in found(source, "query-in-loop")] == [
        (6, ("n-plus-one",)),
        (7, ()),
    ]


def test_what_a_method_of_a_model_reads_of_rows_behind_its_row_is_to_be_loaded_with_it() -> None:
    models = (
        "class Team(models.Model):\n    def buyers(self):\n"
        "        return [order.buyer.name for order in self.order_set.all()]\n\n\n"
        "class Order(models.Model):\n    team = models.ForeignKey(Team, models.CASCADE)\n"
        "    buyer = models.ForeignKey('Buyer', models.CASCADE)\n\n\nclass Buyer(models.Model):\n    pass\n"
    )
    page = "from shop.models import Team\n\nprint([team.buyers() for team in Team.objects.prefetch_related('{}')])\n"

    def told(loaded: str) -> list[str]:
        files = {"shop/models.py": models, "shop/pages.py": page.format(loaded)}
        reports = [analyse(path, source.encode()) for path, source in files.items()]
        verdict = settle(reports, ProjectEvidence({}), GateOptions(select=("n-plus-one",)))
        return [finding.message for finding in verdict.findings if finding.path == "shop/pages.py"]

    assert [message.rpartition("`prefetch_related")[2] for message in told("order_set")] == ['("order_set__buyer")`']
    assert told("order_set__buyer") == []

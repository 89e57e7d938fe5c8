"""The seven observers: each sees its case, stays silent at its twin, and looks at added lines only."""

import json

import pytest

from skills.verify.diff_review import AddedLine
from skills.workflow.contract import covers, parse_contract
from skills.workflow.observers import Alert, Work, doubts, observe

CONTRACT = parse_contract(
    """# Feature contract: invoices
## Interfaces
- `POST /api/invoices` -> 201 {id, total: number}
- `GET /api/invoices/{id}`
## In scope
- `billing/**`
- `requirements.txt`, `web/`
## Out of scope
- `accounts/`
## Success criteria
- coverage 80 %
"""
)


def work(path: str, text: str, *, tests: str = "", removed: str = "", old: str = "") -> Work:
    before = old.splitlines()
    added = [AddedLine(path, n, line) for n, line in enumerate(text.splitlines(), 1) if line not in before]
    return Work(tuple(added), {path: removed}, (path,), {path: text}, tests)


def said(found: Work, observer: str) -> list[Alert]:
    return [alert for alert in observe(found, CONTRACT) if alert.observer == observer]


def test_a_contract_is_read() -> None:
    assert CONTRACT.interfaces is not None and len(CONTRACT.interfaces) == 2
    assert CONTRACT.interfaces[0].fields == {"id", "total"} and CONTRACT.interfaces[1].fields is None
    assert CONTRACT.inside == ("billing/**", "requirements.txt", "web/") and CONTRACT.outside == ("accounts/",)
    assert parse_contract("nothing").interfaces is None
    assert covers(["a/*.py"], "a/b.py") and covers(["a/"], "a/b/c.py") and not covers(["a/"], "ab/c.py")


def test_drift_is_a_blocker_where_the_contract_excludes_it() -> None:
    assert [one.severity for one in said(work("accounts/models.py", "x = 1"), "O-1")] == ["BLOCKER"]
    assert [one.severity for one in said(work("shop/models.py", "x = 1"), "O-1")] == ["WARNING"]
    for path in ("billing/api.py", "tests/test_billing.py", "WORKTREE_TASK.md", ".claude/OBSERVER_ALERTS.md"):
        assert not said(work(path, "x = 1"), "O-1")


def test_more_than_three_markers_on_balance() -> None:
    four = "\n".join(f"x = {n}  # TODO {n}" for n in range(4))
    assert [one.severity for one in said(work("billing/a.py", four), "O-2")] == ["WARNING"]
    assert not said(work("billing/a.py", four.rsplit("\n", 1)[0]), "O-2")
    assert not said(work("billing/a.py", four, removed="# FIXME gone"), "O-2")
    assert not said(work("billing/a.py", "template = temp = 1\n" * 9), "O-2")


ROUTE = "@router.post('/api/invoices', status_code=201)\ndef create(x: int):\n    return {'id': 1, 'total': 2}\n"


def test_a_function_without_a_test_warns_and_an_endpoint_blocks() -> None:
    function = work("billing/a.py", "def total(x): return x\n")
    assert [(one.severity, "total" in one.what) for one in said(function, "O-3")] == [("WARNING", True)]
    assert not said(work("billing/a.py", "def total(x): return x\n", tests="assert total(1)"), "O-3")
    assert not said(work("billing/a.py", "def _total(x): return x\n"), "O-3")
    assert not said(work("billing/a.py", "def total(x): return x\n", removed="def total(x):"), "O-3")
    assert [one.severity for one in said(work("billing/api.py", ROUTE), "O-3")] == ["BLOCKER"]
    assert not said(work("billing/api.py", ROUTE, tests="client.post('/api/invoices', json={})"), "O-3")
    view = "class InvoiceViewSet(ModelViewSet):\n    pass\n"
    assert [one.severity for one in said(work("billing/views.py", view), "O-3")] == ["BLOCKER"]
    shown = "def invoices(request): return 1\ndef total(rows): return 2\n"
    assert [one.severity for one in said(work("billing/views.py", shown), "O-3")] == ["BLOCKER", "WARNING"]


def test_a_route_that_is_in_no_contract_blocks() -> None:
    assert not said(work("billing/api.py", ROUTE), "O-4")
    other = ROUTE.replace("/api/invoices", "/api/refunds")
    assert [one.severity for one in said(work("billing/api.py", other), "O-4")] == ["BLOCKER"]
    assert said(work("billing/api.py", ROUTE.replace("post", "delete")), "O-4")
    prefixed = "router = APIRouter(prefix='/api')\n@router.get('/invoices/{number}')\ndef one(number: int): ...\n"
    assert not said(work("billing/api.py", prefixed), "O-4")
    urls = "urlpatterns = [\n    path('invoices/<int:pk>/', detail),\n    path('refunds/', refunds),\n]\n"
    assert ["/refunds" in one.what for one in said(work("billing/urls.py", urls), "O-4")] == [True]
    assert not said(work("billing/api.py", other, old=other), "O-4")


def test_imports_that_nothing_uses_and_new_dependencies() -> None:
    found = said(work("billing/a.py", "import os\nimport json\nprint(json)\n"), "O-5")
    assert [(one.severity, one.line) for one in found] == [("INFO", 1)]
    assert not said(work("billing/__init__.py", "import os\n"), "O-5")
    assert [one.severity for one in said(work("requirements.txt", "httpx==0.27\n"), "O-5")] == ["WARNING"]
    assert not said(work("requirements.txt", "httpx==0.28\n", removed="httpx==0.27"), "O-5")


@pytest.mark.parametrize(
    ("path", "text", "count"),
    [
        ("billing/a.py", "try:\n    f()\nexcept ValueError:\n    pass\n", 1),
        ("billing/a.py", "try:\n    f()\nexcept:\n    log()\n", 1),
        ("billing/a.py", "try:\n    f()\nexcept:\n    clean()\n    raise\n", 0),
        ("billing/a.py", "try:\n    f()\nexcept ValueError:\n    log()\n", 0),
        ("web/a.ts", "try { f() } catch (e) {}\n", 1),
        ("web/a.ts", "try { f() } catch (e) { log(e) }\n", 0),
        ("billing/broken.py", "def (:\n", 0),
    ],
)
def test_an_error_that_is_swallowed_is_a_warning(path: str, text: str, count: int) -> None:
    assert [one.severity for one in said(work(path, text), "O-6")] == ["WARNING"] * count


def test_an_answer_that_is_not_what_was_agreed_blocks() -> None:
    assert not said(work("billing/api.py", ROUTE), "O-7")
    more = said(work("billing/api.py", ROUTE.replace("'total': 2", "'sum': 2")), "O-7")
    assert [one.severity for one in more] == ["BLOCKER"] and "adds sum and lacks total" in more[0].what
    model = "class Out(BaseModel):\n    id: int\n    total: float\n"
    typed = model + "@router.post('/api/invoices', response_model=Out)\ndef create(x: int):\n    return make(x)\n"
    assert not said(work("billing/api.py", typed), "O-7")
    assert said(work("billing/api.py", typed.replace("total", "amount")), "O-7")
    unknown = typed.replace("response_model=Out", "response_model=Elsewhere")
    assert not said(work("billing/api.py", unknown), "O-7")
    old = work("billing/api.py", ROUTE.replace("total", "sum"), old=ROUTE.replace("total", "sum"))
    assert not said(old, "O-7")


def test_the_line_of_an_alert_and_the_doubts() -> None:
    alert = Alert("O-6", "WARNING", "a.py", 3, "an error is swallowed", "log it")
    assert alert.text() == "[WARNING] — a.py:3 — an error is swallowed — log it"
    found = doubts(work("requirements.txt", "httpx==0.27\n"), CONTRACT, ["requirements.txt"])
    assert [name for name, _, _ in found] == ["a new external dependency", "a point where two agents meet"]


URLS = "router = DefaultRouter()\nrouter.register('invoices', InvoiceViewSet)\n"
VIEWS = "class InvoiceViewSet(ModelViewSet):\n    serializer_class = InvoiceSerializer\n"
FORM = (
    "class InvoiceSerializer(serializers.ModelSerializer):\n    token = serializers.CharField(write_only=True)\n\n"
    "    class Meta:\n        model = Invoice\n        fields = ['id', 'total', 'token']\n"
)


def rest(serializer: str, *, around: dict[str, str]) -> Work:
    found = work("billing/serializers.py", serializer)
    return Work(found.added, found.removed, found.paths, found.files, "", around)


def test_a_serializer_that_is_not_what_was_agreed_blocks() -> None:
    around = {"billing/urls.py": URLS, "billing/views.py": VIEWS}
    assert not said(rest(FORM, around=around), "O-7")
    more = said(rest(FORM.replace("'total', ", "'sum', "), around=around), "O-7")
    assert [(one.severity, one.path, one.line) for one in more] == [("BLOCKER", "billing/serializers.py", 1)]
    assert more[0].what == "POST /api/invoices adds sum and lacks total"
    everything = FORM.replace("['id', 'total', 'token']", "'__all__'")
    assert not said(rest(everything, around=around), "O-7")
    several = VIEWS + "    def get_serializer_class(self):\n        return Other\n"
    wrong = FORM.replace("'total'", "'sum'")
    assert not said(rest(wrong, around={**around, "billing/views.py": several}), "O-7")
    assert not said(rest(wrong, around={"billing/views.py": VIEWS}), "O-7")


def test_an_old_serializer_is_nobodys_fault_today() -> None:
    wrong = FORM.replace("'total'", "'sum'")
    found = work("billing/other.py", "x = 1\n")
    around = {"billing/urls.py": URLS, "billing/views.py": VIEWS, "billing/serializers.py": wrong}
    assert not said(Work(found.added, {}, found.paths, found.files, "", around), "O-7")


def test_a_registered_view_set_that_is_in_no_contract_blocks() -> None:
    more = work("billing/urls.py", URLS + "router.register('refunds', RefundViewSet)\n")
    assert [(one.severity, one.line, "/refunds" in one.what) for one in said(more, "O-4")] == [("BLOCKER", 3, True)]


def test_a_route_or_an_extra_action_that_is_in_no_contract_blocks_wherever_it_stands() -> None:
    urls = "urlpatterns = [path('late/', late), path(\n    'api/invoices/', include('x')\n), *router.urls]\n"
    assert [one.what for one in said(work("billing/urls.py", urls), "O-4")] == ["the route /late is in no contract"]
    view = "class InvoiceViewSet(ViewSet):\n    @action(detail=False, methods=['post'], url_path='{}')\n"
    view += "    def send(self, request): ...\n"
    more = said(work("billing/views.py", view.format("remind")), "O-4")
    assert [(one.severity, one.what) for one in more] == [("BLOCKER", "POST /remind is in no contract")]
    assert not said(work("billing/views.py", view.format("invoices")), "O-4")


SCHEMA = """openapi: 3.0.3
paths:
  /api/invoices:
    post:
      operationId: create
      responses:
        '201':
          content:
            application/json:
              schema:
                $ref: '#/components/schemas/Invoice'
components:
  schemas:
    Invoice:
      type: object
      properties:
        id:
          type: integer
        total:
          type: number
"""
JSON = json.dumps(
    {
        "paths": {
            "/api/invoices": {
                "post": {
                    "responses": {
                        "201": {
                            "content": {
                                "application/json": {
                                    "schema": {"type": "array", "items": {"$ref": "#/components/schemas/Invoice"}}
                                }
                            }
                        }
                    }
                }
            }
        },
        "components": {"schemas": {"Invoice": {"properties": {"id": {}, "total": {}}}}},
    },
    indent=1,
)


def document(path: str, text: str, *, old: str = "", removed: str = "") -> Work:
    found = work(path, text, old=old, removed=removed)
    return Work(found.added, found.removed, found.paths, {}, documents={path: text})


@pytest.mark.parametrize(("path", "text"), [("docs/openapi.yaml", SCHEMA), ("openapi.json", JSON)])
def test_a_document_that_is_not_what_was_agreed_blocks(path: str, text: str) -> None:
    assert not said(document(path, text), "O-7") and not said(document(path, text), "O-4")
    wrong = text.replace("total", "sum")
    found = said(document(path, wrong, old=text, removed="total:"), "O-7")
    assert [(one.severity, one.what) for one in found] == [
        ("BLOCKER", "POST /api/invoices adds sum and lacks total")
    ]  # fmt: skip
    assert not said(document(path, wrong, old=wrong), "O-7")
    other = document(path, text.replace("/api/invoices", "/api/refunds"), old=text)
    assert ["POST /api/refunds is in no contract" in one.what for one in said(other, "O-4")] == [True]


def test_a_document_that_cannot_be_read_says_nothing() -> None:
    for text in ("{", "paths: {", "- a\n- b\n"):
        assert not said(document("openapi.yaml", text), "O-7") and not said(document("openapi.json", text), "O-7")

"""How a project keeps tenants apart: the mode by its evidence, and what the evidence covers."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from skills.gates import analyse, settle
from skills.gates.model import GateOptions, ProjectEvidence, Verdict

FIELD = '    company = models.ForeignKey("companies.Company", on_delete=models.CASCADE)\n'
MODELS = f"class Invoice(models.Model):\n{FIELD}"
BY_HAND = "def mine(request):\n    return Invoice.objects.filter(company=request.company)\n"
OPEN = "def one(request, number):\n    return show(request.user, Invoice.objects.get(number=number))\n"
MANAGER = (
    "class TenantManager(models.Manager):\n"
    "    def get_queryset(self):\n        return super().get_queryset().filter(company=get_current_tenant())\n"
)
FILLS = "    objects = TenantManager()\n\n    def save(self):\n        self.company = get_current_tenant()\n"
OF_ONE = "return Invoice.objects.filter(company=company)\n"
SHOWN = (
    "@login_required\ndef {name}(request):\n    c = Company.objects.get(slug=request.GET['of'])\n"
    "    return Invoice.objects.filter(company=c)\n"
)
POLICY = 'SQL = "CREATE POLICY own ON billing_invoice USING (company_id = 1)"\n'
ASKED = "return Invoice.objects.filter(company=c)\n"
ROUTE = (
    "def {view}(request, pk):\n    company = get_object_or_404(Company, pk={key})\n"
    "    return Invoice.objects.filter(company=company)\n"
)
SCHEMAS = (
    'SHARED_APPS = ("django_tenants", "accounts")\nTENANT_APPS = ("billing",)\n'
    'MIDDLEWARE = ["django_tenants.middleware.main.TenantMainMiddleware"]\n'
)


def verdict(files: Mapping[str, str], *dependencies: str, **options: object) -> Verdict:
    chosen = replace(GateOptions(select=("multi-tenant-guardian",)), **options)
    reports = [analyse(path, source.encode(), tenant_fields=chosen.tenant_fields) for path, source in files.items()]
    return settle(reports, ProjectEvidence(dict.fromkeys(dependencies, "pyproject.toml:7")), chosen)


def told(answer: Verdict) -> list[str]:
    return [f"{found.rule} {found.path}:{found.line}" for found in answer.findings]


def test_a_package_that_nothing_uses_does_not_make_filters_a_mistake() -> None:
    files = {"billing/models.py": MODELS, "billing/views.py": BY_HAND * 12 + OPEN}
    answer = verdict(files, "django-tenants")

    assert answer.tenancy.mode == "explicit"
    assert answer.tenancy.why.startswith("the project depends on django-tenants, but nothing uses it, and 12 of 13")
    assert told(answer) == ["unscoped-tenant-query billing/views.py:26"]


def test_row_level_security_beneath_filters_by_hand_is_a_second_fence() -> None:
    files = {"billing/models.py": MODELS, "billing/views.py": BY_HAND * 12, "billing/migrations/2_rls.py": POLICY}

    answer = verdict({**files, "billing/api.py": OPEN})
    assert answer.tenancy.mode == "explicit"
    assert answer.tenancy.why.endswith("with row-level security beneath")

    alone = verdict({**files, "billing/views.py": BY_HAND})
    assert alone.tenancy.mode == "transparent"
    assert told(alone) == ["manual-tenant-filter billing/views.py:2"]


@pytest.mark.parametrize(
    ("more", "view", "found"),
    [
        ({"shop/settings.py": SCHEMAS}, BY_HAND, 1),
        ({"shop/settings.py": SCHEMAS.replace('"billing"', '"orders"')}, BY_HAND, 0),
        ({"shop/settings.py": SCHEMAS.replace('"accounts"', '"billing"')}, BY_HAND, 0),
        ({"shop/settings.py": SCHEMAS.replace("SHARED_APPS = ", "SHARED_APPS = OTHERS + ")}, BY_HAND, 1),
        ({"shop/settings.py": SCHEMAS.replace("TENANT_APPS =", "TENANT_APPS +=")}, BY_HAND, 1),
        ({"billing/migrations/2_rls.py": POLICY}, BY_HAND, 1),
        ({"billing/migrations/2_rls.py": POLICY.replace("billing_invoice", "billing_note")}, BY_HAND, 0),
        ({"core/rls.py": 'TABLES = ["billing_invoice"]\nSQL = "ENABLE ROW LEVEL SECURITY"\n'}, BY_HAND, 1),
        ({"core/rls.py": 'TABLES = ["invoice"]\nSQL = "ENABLE ROW LEVEL SECURITY"\n'}, BY_HAND, 0),
        ({"a/managers.py": MANAGER}, BY_HAND, 0),
    ],
)
def test_only_a_filter_on_a_covered_model_is_told(more: dict[str, str], view: str, found: int) -> None:
    answer = verdict({"billing/models.py": MODELS, "billing/views.py": view, **more})

    assert answer.tenancy.mode == "transparent"
    assert len(told(answer)) == found


def test_the_table_that_a_model_names_is_the_one_that_a_policy_covers() -> None:
    models = MODELS + '\n    class Meta:\n        db_table = "Bill"\n'
    rls = {"billing/migrations/2_rls.py": "SQL = 'CREATE POLICY own ON public.\"bill\" USING (company_id = 1)'\n"}

    assert told(verdict({"billing/models.py": models, "billing/views.py": BY_HAND, **rls})) == [
        "manual-tenant-filter billing/views.py:2"
    ]


@pytest.mark.parametrize(
    ("managers", "asked", "found"),
    [
        (("objects = TenantManager()",), "objects.", 1),
        (("objects = TenantManager()", "everyone = models.Manager()"), "objects.", 1),
        (("everyone = models.Manager()", "mine = TenantManager()"), "_default_manager.", 0),
        (("mine = TenantManager()", "everyone = models.Manager()"), "_default_manager.", 1),
        (("everyone = models.Manager()", "mine = TenantManager()"), "objects.", 0),
        (("objects = TenantManager()",), "_base_manager.", 0),
        (("objects = TenantManager()",), "objects.unscoped().", 0),
        (("objects = TenantManager()",), "objects.select_related('company').", 1),
    ],
)
def test_the_manager_that_is_asked_decides(managers: tuple[str, ...], asked: str, found: int) -> None:
    files = {
        "a/managers.py": MANAGER,
        "a/models.py": MODELS + "".join(f"    {manager}\n" for manager in managers),
        "a/views.py": f"def mine(request):\n    return Invoice.{asked}filter(company=request.company)\n",
    }
    assert len(told(verdict(files))) == found


def test_sql_goes_past_a_manager_and_is_never_told_to_go() -> None:
    files = {
        "a/managers.py": MANAGER,
        "a/models.py": MODELS + "    objects = TenantManager()\n",
        "a/reports.py": 'SQL = "SELECT 1 FROM a_invoice WHERE company_id = %s"\n',
    }
    (finding,) = verdict(files).findings
    assert "these words alone isolate: keep them" in finding.message

    policies = {**files, "a/managers.py": POLICY.replace("billing_invoice", "a_invoice")}
    (finding,) = verdict(policies).findings
    assert finding.message.endswith("so this is scoped twice")
    assert told(verdict({**policies, "a/managers.py": POLICY})) == []


def test_a_policy_in_code_that_is_a_text_itself_is_no_mechanism() -> None:
    policy = "CREATE POLICY own ON billing_invoice USING (company_id = 3)"
    assert verdict({"billing/policies.py": f"SQL = {policy!r}\n"}).tenancy.mode == "transparent"
    code = f"SQL = {policy!r}\n"
    assert verdict({"billing/examples.py": f"EXAMPLE = {code!r}\n"}).tenancy.mode == "off"


def test_a_cache_that_is_named_like_a_tenant_is_no_mechanism() -> None:
    manager = "class Prices(models.Manager):\n    def get_queryset(self):\n        return client.get('prices')\n"

    assert verdict({"a/managers.py": manager + "COMPANY = 1\n"}).tenancy.mode == "off"


def test_what_models_call_their_tenant_is_said_where_the_options_name_something_else() -> None:
    models = "".join(f"class M{n}(models.Model):\n    org = models.ForeignKey('orgs.Org')\n\n" for n in range(3))

    assert verdict({"a/models.py": models}).tenancy.why.endswith(
        '3 models belong to one `org`: if that is the tenant, say [tenancy] fields = ["org", "org_id"]'
    )
    assert "org" not in verdict({"a/models.py": models + MODELS}).tenancy.why
    assert "org" not in verdict({"a/models.py": models}, tenant_fields=("org",)).tenancy.why


def test_django_scopes_covers_what_its_manager_is_declared_for() -> None:
    files = {
        "a/models.py": MODELS + "    objects = ScopedManager(company='company')\n",
        "a/views.py": BY_HAND + "\n\ndef every(c):\n    with scopes_disabled():\n"
        "        return Invoice.objects.filter(company=c)\n",
    }
    answer = verdict(files, "django-scopes")

    assert answer.tenancy.mode == "transparent"
    assert told(answer) == ["manual-tenant-filter a/views.py:2"]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("    pass\n", 1),
        ("    def paid(self):\n        return self.filter(paid=True)\n", 1),
        ("    def get_queryset(self):\n        return super().get_queryset().filter(paid=True)\n", 1),
        ("    def get_queryset(self):\n        return QuerySet(self.model)\n", 0),
    ],
)
def test_a_manager_scopes_where_the_one_that_it_is_built_on_does(body: str, found: int) -> None:
    files = {
        "a/managers.py": f"{MANAGER}\n\nclass InvoiceManager(TenantManager):\n{body}",
        "a/models.py": MODELS + "    objects = InvoiceManager()\n",
        "a/views.py": BY_HAND,
    }
    assert len(told(verdict(files))) == found


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("        return self.api.rows(self.company_id)\n", 0),
        ("        self.client_secret = SECRET\n        return self.api.rows(self.company_id)\n", 0),
        ("        return Invoice.all_objects.filter(company_id=self.company_id)\n", 0),
        ("        return Invoice.objects.filter(number=1, company=self.company_id)\n", 2),
        ("        return mail(self.company_id.name)\n", 0),
        ("        return mail(self.company_id.id)\n", 0),
    ],
)
def test_what_a_service_keeps_the_tenant_for_decides(body: str, found: int) -> None:
    """A provider that it keeps a secret for has tenants of its own, and what goes past the manager has no other
    filter."""
    kept = "class SalesService:\n    def __init__(self, company_id):\n        self.company_id = company_id\n\n"
    files = {
        "a/managers.py": MANAGER,
        "billing/models.py": MODELS + "    objects = TenantManager()\n    all_objects = models.Manager()\n",
        "billing/sales.py": kept + "    def rows(self):\n" + body,
    }

    assert len(told(verdict(files))) == found


@pytest.mark.parametrize(
    ("path", "source", "found"),
    [
        ("billing/fill.py", "import django\n\ndjango.setup()\nInvoice.objects.create(company=c)\n", 0),
        ("billing/fill.py", "import django\n\nInvoice.objects.create(company=c)\n", 1),
        ("billing/services.py", "def validate_owner(row, company):\n    check(row, company)\n", 0),
        ("billing/services.py", "def validate_one(company):\n    Invoice.objects.get(company=company)\n", 2),
        ("billing/services.py", f"def of_one(company=None):\n    if company:\n        {OF_ONE}", 1),
        ("billing/services.py", f"def of_one(company=None):\n    if True:\n        {OF_ONE}", 2),
        ("billing/views.py", SHOWN.format(name="public_invoices"), 0),
        ("billing/views.py", SHOWN.format(name="invoices"), 1),
        ("billing/views.py", SHOWN.format(name="setup_invoices"), 0),
        ("billing/ads.py", "rows = Invoice.objects.filter(company__status__in=wanted)\n", 0),
        ("billing/ads.py", "rows = Invoice.objects.filter(company__slug__in=wanted)\n", 1),
        ("billing/views.py", "class Detail:\n    def get(self):\n        c = self.object\n        " + ASKED, 0),
        ("billing/views.py", "class Detail:\n    def get(self):\n        c = self.company\n        " + ASKED, 1),
        ("billing/views.py", ROUTE.format(view="company_invoices", key="pk"), 0),
        ("billing/views.py", ROUTE.format(view="company_invoices", key="request.user.id"), 1),
        ("billing/views.py", ROUTE.format(view="invoices", key="pk"), 1),
        (
            "billing/api.py",
            "class UserRegistrationSerializer:\n    def add(self, c):\n        Invoice.objects.create(company=c)\n",
            0,
        ),
    ],
)
def test_code_before_a_tenant_is_known_and_a_row_that_is_compared(path: str, source: str, found: int) -> None:
    """No middleware runs before a script, nobody is signed in who registers, and a check filters nothing. What may be
    asked for no tenant is for one or for all."""
    models = MODELS + FILLS

    assert len(told(verdict({"a/managers.py": MANAGER, "billing/models.py": models, path: source}))) == found


@pytest.mark.parametrize(
    ("view", "words"),
    [
        ("    return Invoice.objects.filter(company=c)\n", "so this is scoped twice"),
        ("    return Invoice.objects.create(company=c)\n", "and Invoice.save() fills it in, so this is said twice"),
        ("    Invoice.objects.get_or_create(company=c)\n", "and Invoice.save() fills it in, so this is said twice"),
        ("    serializer.save(company=c)\n", "and Invoice.save() fills it in, so this is said twice"),
    ],
)
def test_a_finding_says_what_the_evidence_shows(view: str, words: str) -> None:
    """A manager scopes what is read, and something else gives new rows their tenant."""
    (finding,) = verdict(
        {"a/managers.py": MANAGER, "billing/models.py": MODELS + FILLS, "billing/views.py": "def one(c):\n" + view}
    ).findings

    assert "manager TenantManager filters by get_current_tenant (a/managers.py:1)" in finding.message
    assert finding.message.endswith(words)


FILLING = MANAGER + "\n    def bulk_create(self, rows):\n        for row in rows:\n            row.company = now()\n"
SIGNAL = "@receiver(pre_save)\ndef own(sender, instance, **more):\n    instance.company = get_current_tenant()\n"
BULK = "def many(c):\n    Invoice.objects.bulk_create([Invoice(company=c)])\n"


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"billing/api.py": "def one(c):\n    Invoice.objects.create(company=c)\n"}, 0),
        ({"billing/api.py": "def one(c):\n    Invoice.objects.get_or_create(number=1, company=c)\n"}, 0),
        ({"billing/api.py": "def one(c):\n    serializer.save(company=c)\n"}, 0),
        ({"billing/api.py": BULK, "billing/models.py": MODELS + FILLS}, 0),
        ({"billing/api.py": BULK, "a/managers.py": FILLING}, 1),
        ({"billing/api.py": "def one(c):\n    Invoice.objects.create(company=c)\n", "a/signals.py": SIGNAL}, 1),
        ({"billing/services.py": "def add(company):\n    Invoice.objects.create(company=company)\n"}, 0),
        (
            {
                "billing/services.py": "def add(company):\n    Invoice.objects.create(company=company)\n",
                "billing/models.py": MODELS + FILLS,
            },
            2,
        ),
        ({"billing/api.py": "def one(c):\n    Other.objects.create(company=c)\n", "a/signals.py": SIGNAL}, 0),
        (
            {
                "notes/models.py": "class Note(models.Model):\n    company = models.ForeignKey('Company')\n\n"
                "    @classmethod\n    def add(cls, c):\n        return cls.objects.filter(company=c)\n"
            },
            0,
        ),
    ],
)
def test_a_write_names_its_tenant_unless_something_fills_it_in(files: dict[str, str], found: int) -> None:
    """What scopes reads puts no tenant into a row: without the word the row would have none."""
    models = MODELS + "    objects = TenantManager()\n"
    assert len(told(verdict({"a/managers.py": MANAGER, "billing/models.py": models, **files}))) == found


def test_the_key_of_a_tenant_that_is_no_relation_is_one_all_the_same() -> None:
    """A column of another kind may hold anything; a field that the model has not is no tenant's of its manager."""
    files = {
        "a/managers.py": MANAGER,
        "billing/models.py": "class Invoice(models.Model):\n    company_id = models.UUIDField()\n"
        "    objects = TenantManager()\n",
        "billing/views.py": "def mine(c):\n    return Invoice.objects.filter(company_id=c)\n",
    }
    assert told(verdict(files)) == ["manual-tenant-filter billing/views.py:2"]
    text = files["billing/models.py"].replace("UUIDField", "TextField")
    assert told(verdict({**files, "billing/models.py": text})) == []
    other = files["billing/views.py"].replace("company_id", "tenant")
    assert told(verdict({**files, "billing/views.py": other})) == []


def test_a_finding_names_what_covers_its_model() -> None:
    """The policy of the table, where managers of other models and an installed package are evidence as well."""
    files = {
        "a/managers.py": MANAGER,
        "billing/models.py": MODELS + FILLS,
        "billing/migrations/2_rls.py": POLICY,
        "billing/views.py": BY_HAND + "def add(c):\n    return Invoice.objects.create(company=c)\n",
    }
    read, written = verdict(files, "django-tenants").findings

    assert ": row-level security: " in read.message
    assert "(billing/migrations/2_rls.py:1)" in read.message
    assert read.message.endswith("so this is scoped twice")
    assert "Invoice.save() fills it in" in written.message


def test_the_settings_are_named_before_what_only_speaks_of_them() -> None:
    """A word that ends like a middleware is none, and a service is told with the manager of what it asks."""
    named = f"BACKEND = {SCHEMAS[SCHEMAS.index('[') + 1 : -2]}\nKIND = 'replaces_TenantMainMiddleware'\n"
    answer = verdict({"a/tools.py": named, "shop/settings.py": SCHEMAS})
    assert [link.path for link in answer.tenancy.evidence] == ["shop/settings.py", "a/tools.py"]

    other = MANAGER.replace("TenantManager", "Others") + "\n\n" + MANAGER
    service = {"billing/services.py": f"def of_one(company):\n    {OF_ONE}"}
    taken, _ = verdict({"a/managers.py": other, "billing/models.py": MODELS + FILLS, **service}).findings
    assert "manager TenantManager filters" in taken.message


def test_a_manager_that_no_model_has_is_no_reason_to_drop_filters() -> None:
    files = {"a/managers.py": MANAGER, "billing/models.py": MODELS, "billing/views.py": BY_HAND * 12 + OPEN}
    answer = verdict(files)

    assert answer.tenancy.mode == "explicit"
    assert (
        "manager TenantManager filters by get_current_tenant, but no model has it, and 12 of 13" in answer.tenancy.why
    )
    assert told(answer) == ["unscoped-tenant-query billing/views.py:26"]

    paid = "class PaidManager(TenantManager):\n    def get_queryset(self):\n        return super().get_queryset()\n"
    files["billing/models.py"] += "    objects = PaidManager()\n"
    assert verdict({**files, "a/paid.py": paid}).tenancy.mode == "transparent"


def test_a_company_beside_the_organization_that_the_manager_goes_by_is_another() -> None:
    manager = MANAGER.replace("company=get_current_tenant()", "organization=get_current_organization()")
    own = '    organization = models.ForeignKey("Organization", models.CASCADE)\n    objects = TenantManager()\n'
    files = {"a/managers.py": manager, "billing/views.py": BY_HAND}

    assert told(verdict({**files, "billing/models.py": MODELS + own})) == []
    assert len(told(verdict({**files, "billing/models.py": MODELS + "    objects = TenantManager()\n"}))) == 1

"""Examples of manual-tenant-filter: its documentation and its tests."""

from skills.gates.rule import Example

_MANAGER = """\
from django.db import models

from tenants.state import get_current_tenant


class TenantManager(models.Manager):
    def get_queryset(self):
        return super().get_queryset().filter(company=get_current_tenant())
"""
_MODELS = """\
from django.db import models
from tenants.managers import TenantManager


class TenantOwned(models.Model):
    company = models.ForeignKey("companies.Company", on_delete=models.CASCADE)
    objects = TenantManager()

    def save(self, **options):
        self.company = get_current_tenant()
        super().save(**options)


class Invoice(TenantOwned):
    number = models.CharField(max_length=20)


class Membership(models.Model):
    company = models.ForeignKey("companies.Company", on_delete=models.CASCADE)
    user = models.ForeignKey("users.User", on_delete=models.CASCADE)
"""
_SCHEMA_MODELS = """\
from django.db import models


class Invoice(models.Model):
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE)
"""
_SCHEMA_SETTINGS = """\
SHARED_APPS = ("django_tenants", "accounts")
TENANT_APPS = ("billing",)
MIDDLEWARE = ["django_tenants.middleware.main.TenantMainMiddleware"]
"""


def _scoped(path: str, source: str, note: str = "") -> Example:
    """A project whose manager reads the current tenant, with one more file."""
    return Example({path: source, "tenants/managers.py": _MANAGER, "billing/models.py": _MODELS}, note=note)


_SESSION = (
    "async def session(org):\n    async with maker() as session:\n"
    "        await session.execute(text(f'SET app.current_{of}_id = {{org}}'))\n        yield session\n"
)
_REPORT = "class SalesService:\n    def month(self, company_id: int):\n        return sales(company_id)\n"
MANUAL_BAD: tuple[Example, ...] = (
    Example(
        {"billing/db.py": _SESSION.format(of="company"), "billing/services.py": _REPORT},
        note="row-level security by company",
    ),
    Example(
        {"billing/db.py": _SESSION.format(of="tenant"), "billing/services.py": _REPORT},
        note="the company is the tenant",
    ),
    _scoped(
        "billing/views.py", "def mine(request):\n    return Invoice.objects.filter(company=request.user.company)\n"
    ),
    _scoped(
        "billing/services.py",
        "from django.db.models import Q\n\nfrom billing.models import Invoice\n\n\n"
        "def find(number, owner):\n    return Invoice.objects.filter(Q(number=number) | Q(company_id=owner.id))\n",
        "inside a Q",
    ),
    _scoped("billing/api.py", "def one(c):\n    return Invoice.objects.get(company=c)\n"),
    _scoped("billing/api.py", "def one(c):\n    Invoice.objects.update_or_create(number=1, defaults={'company': c})\n"),
    _scoped("billing/api.py", "def one(c):\n    return get_object_or_404(Invoice, company__slug=c)\n"),
    _scoped("billing/api.py", 'def one(c):\n    return Invoice.objects.filter(**{"company": c})\n'),
    _scoped(
        "billing/api.py",
        'def one(c):\n    by = {"company": c}\n    return Invoice.objects.filter(**by)\n',
        "conditions in a dict with a name",
    ),
    _scoped(
        "billing/api.py", "def one(c):\n    return Invoice.objects.create(company=c)\n", "its save() puts it there"
    ),
    _scoped(
        "billing/views.py",
        "class InvoiceViewSet(ModelViewSet):\n    def perform_create(self, serializer):\n"
        "        serializer.save(company=self.request.user.company)\n\n"
        "    def get_queryset(self):\n        return super().get_queryset().filter(order__company=self.company)\n",
    ),
    _scoped(
        "billing/services.py",
        "class InvoiceService:\n    def total(self, company: Company) -> int:\n        return 0\n",
        "a service that takes the tenant",
    ),
    _scoped(
        "billing/reports.py",
        'def totals(cursor, who):\n    cursor.execute("SELECT sum(total) FROM invoice WHERE company_id = %s", [who])\n',
    ),
    _scoped(
        "billing/serializers.py",
        "class InvoiceSerializer(serializers.ModelSerializer):\n"
        "    company = serializers.PrimaryKeyRelatedField(queryset=Company.objects.all())\n\n"
        "    class Meta:\n        model = Invoice\n",
    ),
    _scoped(
        "billing/admin.py",
        "class InvoiceAdmin(admin.ModelAdmin):\n    def get_queryset(self, request):\n"
        "        return Invoice.objects.filter(company=request.user.company)\n",
        "in the admin",
    ),
    Example(
        {
            "billing/views.py": "def mine(request):\n    return Invoice.objects.filter(tenant=request.tenant)\n",
            "billing/models.py": _SCHEMA_MODELS,
            "shop/settings.py": _SCHEMA_SETTINGS,
        },
        dependencies=("django-tenants",),
    ),
    Example(
        {
            "billing/views.py": "def mine(request):\n    return Invoice.objects.filter(tenant=request.tenant)\n",
            "billing/models.py": _SCHEMA_MODELS,
            "billing/migrations/0002_rls.py": "SQL = 'CREATE POLICY own ON billing_invoice USING (tenant_id = 1)'\n",
        },
        note="a policy names its table",
    ),
    Example(
        {
            "billing/views.py": "class Invoices(ListView):\n    model = Invoice\n\n    def get_queryset(self):\n"
            "        return super().get_queryset().filter(company=self.request.company)\n",
            "tenants/managers.py": _MANAGER,
            "billing/models.py": _MODELS,
        },
        note="the class says which model it lists",
    ),
    Example(
        {
            "billing/views.py": "def mine(request):\n    return Invoice.objects.filter(company=request.company)\n",
            "tenants/managers.py": "from django.db import models\n\nfrom tenants.state import whose\n\n\n"
            "class TenantManager(models.Manager):\n    def get_queryset(self):\n        owner = whose.get()\n"
            "        return super().get_queryset().filter(company=owner)\n",
            "billing/models.py": _MODELS,
        },
        note="whatever the variable is called: every query of this manager is filtered by what it holds",
    ),
    Example(
        {
            "billing/views.py": "def mine(request):\n    return Invoice.objects.filter(company=request.company)\n",
            "tenants/managers.py": _MANAGER.replace("get_current_tenant()", "getattr(threads, 'company', None)"),
            "billing/models.py": _MODELS,
        },
        note="what a thread keeps",
    ),
    Example(
        {
            "billing/views.py": "def mine(request):\n    return Invoice.objects.filter(company=request.company)\n",
            "tenants/managers.py": _MANAGER.replace("models.Manager", "models.Manager.from_queryset(Rows)").replace(
                "get_current_tenant()", "store.company"
            ),
            "billing/models.py": _MODELS,
        },
        note="and what a store keeps, in a manager made of a queryset",
    ),
    Example(
        {
            "billing/tasks.py": "@shared_task\ndef close(company_id):\n    with company_context(company_id):\n"
            "        Invoice.objects.filter(company_id=company_id).delete()\n",
            "tenants/managers.py": _MANAGER,
            "billing/models.py": _MODELS,
        },
        note="this task sets the company itself",
    ),
)

MANUAL_GOOD: tuple[Example, ...] = (
    Example(
        {
            "billing/db.py": _SESSION.format(of="organization"),
            "billing/services.py": _REPORT,
            "billing/migrations/0002_rls.py": "SQL = 'CREATE POLICY tenant_isolation ON billing_invoice'\n",
        },
        note="row-level security by organization says nothing of the companies of one",
    ),
    Example(
        {
            "billing/views.py": "def mine(request):\n    return Invoice.objects.filter(company=request.company)\n",
            "tenants/managers.py": _MANAGER.replace("get_current_tenant()", "self.owner"),
            "billing/models.py": _MODELS,
        },
        note="this manager was made for one tenant: it knows nothing of who asks",
    ),
    _scoped("billing/views.py", "def open_invoices(request):\n    return Invoice.objects.filter(paid=False)\n"),
    _scoped(
        "billing/tasks.py",
        "def closed(company):\n    return Invoice._base_manager.filter(company=company, paid=True)\n",
        "this manager scopes nothing: the filter is all that isolates",
    ),
    Example(
        {
            "tenants/managers.py": _MANAGER,
            "billing/models.py": _MODELS.replace(
                "objects = TenantManager()",
                "objects = TenantManager()\n    all_objects = models.Manager()\n"
                "    all_tenants = TenantManager(scoped=False)",
            ),
            "billing/views.py": "def one(c):\n    return get_object_or_404(Invoice.all_tenants, company=c)\n",
            "billing/tasks.py": "def closed(company):\n    return Invoice.all_objects.filter(company=company)\n",
        },
        note="neither does this one",
    ),
    Example(
        {
            "tenants/managers.py": _MANAGER,
            "billing/models.py": _MODELS
            + "\n\nclass Company(models.Model):\n    company = models.CharField(max_length=50)\n\n    class Meta:\n"
            "        constraints = [models.CheckConstraint(condition=~models.Q(company_id=None), name='named')]\n",
            "billing/names.py": "def named(name):\n    return Company.objects.filter(company=name)\n",
        },
        note="a column that is called like the tenant, and a declaration",
    ),
    _scoped("billing/rules.py", "RULE = 'Never write WHERE company_id = 3 by hand'\n"),
    _scoped("racks/views.py", "def racks(room):\n    return Rack.objects.filter(datacenter=room.datacenter)\n"),
    _scoped(
        "companies/views.py",
        "def members(company):\n    return Membership.objects.filter(company=company)\n",
        "the manager does not cover this model: the filter is all it has",
    ),
    _scoped(
        "billing/tests/test_views.py",
        "def test_open_listed(company):\n    assert Invoice.objects.filter(company=company).count() == 1\n",
    ),
    _scoped("billing/management/commands/bill.py", "def bill(c):\n    return Invoice.objects.filter(company=c)\n"),
    _scoped(
        "companies/services.py",
        "class CompanyService:\n"
        "    def rename(self, company: Company, name: str) -> None:\n        company.rename(name)\n",
        "tenants are its business",
    ),
    Example(
        {
            "shop/settings.py": _SCHEMA_SETTINGS,
            "accounts/models.py": "class User(models.Model):\n"
            "    tenant = models.ForeignKey('Tenant', models.CASCADE)\n",
            "accounts/services.py": "def seats(t):\n    return User.objects.filter(tenant=t).count()\n",
        },
        dependencies=("django-tenants",),
        note="the table lies in the schema that all tenants share: the filter is all it has",
    ),
    Example(
        {
            "billing/views.py": "def mine(request):\n    return Invoice.objects.filter(tenant=request.tenant)\n",
            "billing/models.py": _SCHEMA_MODELS,
        },
        dependencies=("django-tenants",),
        note="the package is only installed: nothing keeps tenants apart but this filter",
    ),
    Example(
        {
            "billing/views.py": "def mine(request):\n    return Note.objects.filter(tenant=request.tenant)\n",
            "billing/models.py": _SCHEMA_MODELS.replace("Invoice", "Note"),
            "billing/migrations/0002_rls.py": "SQL = 'CREATE POLICY own ON billing_invoice USING (tenant_id = 1)'\n",
        },
        note="the policy is for another table",
    ),
    Example(
        {
            "billing/db.py": _SESSION.format(of="company"),
            "billing/services.py": _REPORT,
            "billing/store.py": "\n".join(f"a{n} = s.query(T{n}).filter(T{n}.company_id == who)" for n in range(10)),
        },
        note="where so many queries are filtered by hand, policies are a second fence",
    ),
    Example(
        {
            "accounts/services.py": "def invited(tenant):\n    return invites(tenant).count()\n",
            "billing/services.py": "def seats(tenant):\n    return tenant.plan.seats\n",
            "billing/models.py": _SCHEMA_MODELS,
            "config/settings.py": _SCHEMA_SETTINGS,
        },
        dependencies=("django-tenants",),
        note="a service of the schema that all share, and one that asks what the tenant is like",
    ),
    Example(
        {
            "billing/views.py": "def of(buyer):\n    return Invoice.objects.filter(company=buyer)\n",
            "billing/models.py": _SCHEMA_MODELS.replace(
                'tenant = models.ForeignKey("tenants.Tenant"', 'company = models.ForeignKey("crm.Company"'
            ),
            "crm/models.py": "class Company(models.Model):\n    name = models.CharField(max_length=50)\n",
            "tenants/models.py": "class Client(TenantMixin):\n    pass\n",
            "config/settings.py": _SCHEMA_SETTINGS,
        },
        dependencies=("django-tenants",),
        note="the company is one that the tenant deals with",
    ),
    Example(
        {
            "tenants/managers.py": _MANAGER.replace("company=", "tenant="),
            "billing/models.py": _MODELS.replace(
                '"companies.Company", on_delete=models.CASCADE)\n    objects',
                '"crm.Company", on_delete=models.CASCADE)\n'
                '    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE)\n    objects',
            ),
            "billing/views.py": "def of(buyer):\n    return Invoice.objects.filter(company=buyer)\n",
        },
        note="the manager goes by another relation of the same model",
    ),
    _scoped(
        "billing/starting.py",
        "def seed_invoices(company):\n    return Invoice.objects.get_or_create(company=company, number='1')\n\n\n"
        "def sign_up(company):\n    return Invoice.objects.create(company=company)\n",
        "a tenant that is set up, or signs up, is not the one who asks",
    ),
    _scoped(
        "companies/names.py",
        "class Named:\n    def count(self):\n        return Invoice.objects.filter(company=self).count()\n\n\n"
        "def loose():\n    return Invoice.objects.filter(company__isnull=True)\n",
        "the tenant itself, and rows of none",
    ),
    _scoped(
        "billing/serializers.py",
        "class CompanySwitchSerializer(serializers.Serializer):\n    company_id = serializers.IntegerField()\n\n\n"
        "class InvoiceListSerializer(serializers.ModelSerializer):\n    class Meta:\n        model = Invoice\n"
        "        fields = ['number', 'company']\n\n\n"
        "class VisitorSerializer(serializers.ModelSerializer):\n    company = serializers.CharField()\n\n"
        "    class Meta:\n        model = Invoice\n",
        "who chooses the tenant, what is only shown, and a name",
    ),
    _scoped(
        "billing/services.py",
        "def key(company_id):\n    return f'spent:{company_id}' + PATH.format(company_id=company_id)\n\n\n"
        "def kept(company_id):\n    return KEPT.get((company_id, 1), KEPT[company_id])\n\n\n"
        "def lead(name, company: str | None):\n    return Lead(name, company)\n\n\n"
        "def every(company):\n    return Invoice.all_objects.filter(by=company)\n",
        "a key, a name, and what goes past the manager",
    ),
    _scoped(
        "billing/services.py",
        "def members(company):\n    return Membership.objects.filter(company=company)\n\n\n"
        "def _require_seat(user, company):\n    return seats(user, company)\n",
        "what it asks is not covered, and who may come is told by the tenant",
    ),
    Example(
        {
            "billing/views.py": "def note(serializer, buyer):\n    serializer.save(company=buyer)\n\n\n"
            "def found(word):\n    return Invoice.objects.filter(tenant_id__icontains=word)\n",
            "billing/models.py": _SCHEMA_MODELS
            + '\n\nclass Note(models.Model):\n    company = models.ForeignKey("Buyer")\n',
            "tenants/models.py": "class Client(TenantMixin):\n    pass\n\n\nclass Buyer(models.Model):\n    pass\n",
            "config/settings.py": _SCHEMA_SETTINGS,
        },
        dependencies=("django-tenants",),
        note="a row of a company that is no tenant, and a word that is looked for",
    ),
    _scoped(
        "billing/views.py",
        "def all_of(company):\n    with tenancy_disabled():\n"
        "        return list(Invoice.objects.filter(company=company))\n",
        "the mechanism is switched off there",
    ),
    _scoped(
        "billing/views.py",
        "def found(c):\n    rows = Invoice.objects.unscoped()\n    return rows.filter(company=c) if c else rows\n",
        "a query that asks for more than one tenant's rows, and goes on from a name",
    ),
    _scoped(
        "billing/tasks.py",
        "@shared_task\ndef close(company_id):\n    Invoice.objects.filter(company_id=company_id).delete()\n",
        "no middleware sets a company before a task",
    ),
    _scoped(
        "billing/views.py",
        "def teams(user, company):\n    return user.memberships.filter(company=company)\n",
        "what stands behind a relation is not known to be covered",
    ),
    _scoped(
        "clouds/services.py",
        "class AzureService:\n    def __init__(self, tenant_id, client_id, client_secret):\n        pass\n",
        "the tenant of a cloud",
    ),
    _scoped(
        "billing/api.py",
        "def many(c, rows, memo):\n    Invoice.objects.bulk_create([Invoice(company=c, number=row) for row in rows])\n"
        "    Membership.objects.create(company=c)\n    Invoice.objects.create(company=memo.company)\n",
        "no save() is called in bulk, none puts it there, and what belongs to a row is its tenant's",
    ),
    _scoped("billing/cache.py", "a = settings_of.get(company=c)\nb = index.filter('term', company_id=c)\n"),
    Example(
        {"billing/views.py": "def mine(request):\n    return Invoice.objects.filter(tenant=request.tenant)\n"},
        note="nothing keeps tenants apart: the filter must stay",
    ),
)

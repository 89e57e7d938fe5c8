"""Examples of the tenant rules: their documentation and their tests."""

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

    class Meta:
        abstract = True


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


MANUAL_BAD: tuple[Example, ...] = (
    _scoped(
        "billing/views.py",
        "from billing.models import Invoice\n\n\n"
        "def open_invoices(request):\n    return Invoice.objects.filter(company=request.user.company, paid=False)\n",
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
        "billing/api.py",
        "def many(c, rows):\n    Invoice.objects.bulk_create([Invoice(company=c, number=row) for row in rows])\n",
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
        "    company = serializers.PrimaryKeyRelatedField(queryset=Company.objects.all())\n",
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
            "billing/tasks.py": "@shared_task\ndef close(company_id):\n    with company_context(company_id):\n"
            "        Invoice.objects.filter(company_id=company_id).delete()\n",
            "tenants/managers.py": _MANAGER,
            "billing/models.py": _MODELS,
        },
        note="this task sets the company itself",
    ),
)

MANUAL_GOOD: tuple[Example, ...] = (
    _scoped(
        "billing/views.py",
        "from billing.models import Invoice\n\n\n"
        "def open_invoices(request):\n    return Invoice.objects.filter(paid=False)\n",
    ),
    _scoped(
        "billing/tasks.py",
        "def closed(company):\n    return Invoice._base_manager.filter(company=company, paid=True)\n",
        "this manager scopes nothing: the filter is all that isolates",
    ),
    Example(
        {
            "tenants/managers.py": _MANAGER,
            "billing/models.py": _MODELS.replace(
                "objects = TenantManager()", "objects = TenantManager()\n    all_objects = models.Manager()"
            ),
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
    _scoped("billing/search.py", "def found(index, c):\n    return index.filter('term', company_id=c)\n"),
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
    _scoped(
        "billing/views.py",
        "def all_of(company):\n    with tenancy_disabled():\n"
        "        return list(Invoice.objects.filter(company=company))\n",
        "the mechanism is switched off there",
    ),
    _scoped(
        "billing/views.py",
        "def all_of(company):\n    return Invoice.objects.unscoped().filter(company=company)\n",
        "a query that asks for more than one tenant's rows",
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
    _scoped("billing/cache.py", "def cached(cache, c):\n    return settings_of.get(company=c)\n", "not a query"),
    Example(
        {"billing/views.py": "def mine(request):\n    return Invoice.objects.filter(tenant=request.tenant)\n"},
        note="nothing keeps tenants apart: the filter must stay",
    ),
)

_PLAIN_MODELS = """\
from django.db import models


class Invoice(models.Model):
    company = models.ForeignKey("companies.Company", on_delete=models.CASCADE)
    number = models.CharField(max_length=20)


class Line(models.Model):
    company = models.ForeignKey("companies.Company", on_delete=models.CASCADE)
    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE)
"""


def _by_hand(source: str, path: str = "billing/views.py", note: str = "") -> Example:
    return Example({path: source, "billing/models.py": _PLAIN_MODELS}, tenancy="explicit", note=note)


UNSCOPED_BAD: tuple[Example, ...] = (
    _by_hand("def one(request, pk):\n    return Invoice.objects.get(pk=pk)\n"),
    _by_hand("def one(request, pk):\n    return get_object_or_404(Invoice, pk=pk)\n"),
    _by_hand(
        "from billing.models import Invoice as Bill\n\n\ndef one(pk):\n    return Bill.objects.get(pk=pk)\n",
        "billing/queries.py",
    ),
    _by_hand("class InvoiceViewSet(ModelViewSet):\n    queryset = Invoice.objects.all()\n"),
    _by_hand(
        "def late():\n    late = Invoice.objects.filter(paid=False)\n    return late.count()\n", "billing/services.py"
    ),
    _by_hand("@shared_task\ndef close(day):\n    Invoice.objects.filter(due=day).delete()\n", "billing/tasks.py"),
    _by_hand("def lines(request, pk):\n    return Line.objects.filter(invoice_id=pk)\n"),
    _by_hand("def late(request):\n    return Invoice.objects.late().count()\n"),
    Example(
        {
            "billing/models.py": _PLAIN_MODELS,
            "billing/views.py": "".join(
                f"def view_{number}(request):\n    return Invoice.objects.filter(company=request.company)\n\n\n"
                for number in range(10)
            )
            + "def leak(request, number):\n    return Invoice.objects.filter(number=number)\n",
        },
        note="ten of eleven queries are scoped by hand: that is how this project does it",
    ),
)

UNSCOPED_GOOD: tuple[Example, ...] = (
    _by_hand("def one(request, pk):\n    return Invoice.objects.get(pk=pk, company=request.company)\n"),
    _by_hand("def mine(request):\n    return Invoice.objects.for_company(request.user).filter(paid=False)\n"),
    _by_hand(
        "def mine(request):\n    found = Invoice.objects.all()\n"
        "    if request.GET:\n        found = found.filter(paid=True)\n"
        "    return found.filter(company=request.company)\n"
    ),
    _by_hand("def lines(invoice):\n    return Line.objects.filter(invoice=invoice)\n", "billing/services.py"),
    _by_hand(
        "class InvoiceViewSet(ModelViewSet):\n    queryset = Invoice.objects.all()\n\n"
        "    def get_queryset(self):\n        return super().get_queryset().filter(company=self.request.company)\n"
    ),
    _by_hand(
        "def sums(request):\n"
        "    lines = Line.objects.filter(invoice=OuterRef('pk'))\n"
        "    return Invoice.objects.filter(company=request.company).prefetch_related(\n"
        "        Prefetch('line_set', queryset=Line.objects.all())\n    ).annotate(lines=Count(lines))\n",
        note="rows of a subquery or prefetch belong to the outer rows",
    ),
    _by_hand(
        "@shared_task\ndef remind(invoice_id):\n    invoice = Invoice.objects.get(pk=invoice_id)\n"
        "    invoice.remind()\n",
        "billing/tasks.py",
        "whoever queued it chose the row",
    ),
    _by_hand(
        "@shared_task\ndef remind_all(limit):\n    for invoice in Invoice.objects.filter(late=True):\n"
        "        remind(invoice.company, invoice.number)\n",
        "billing/tasks.py",
        "each tenant is asked for its own",
    ),
    _by_hand("def who(token):\n    return Invoice.objects.by_token(token)\n", note="a method that looks up one thing"),
    _by_hand(
        "def who(request):\n    return Invoice.objects.get(pay_token=request.GET['t'])\n", note="a secret of the tenant"
    ),
    _by_hand(
        "def counted(request):\n    lines = Line.objects.filter(invoice_id=OuterRef('pk'))\n"
        "    return Invoice.objects.filter(company=request.company).annotate(n=Count(lines))\n",
    ),
    _by_hand("def lines(line):\n    return Line.objects.filter(invoice_id=line.invoice_id)\n", "billing/services.py"),
    _by_hand("def numbers():\n    return Currency.objects.all()\n", note="no tenant has currencies"),
    _by_hand("def test_all():\n    assert Invoice.objects.count() == 0\n", "billing/tests/test_invoices.py"),
    _by_hand(
        "def one(request, pk):\n    invoice = Invoice.objects.get(pk=pk)\n"
        "    if invoice.company_id != request.company_id:\n        raise PermissionError\n    return invoice\n"
    ),
)

"""Examples of unscoped-tenant-query: its documentation and its tests."""

from skills.gates.rule import Example

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
    _by_hand(
        "def one(request, pk):\n    return get_object_or_404(Invoice.objects.select_related('lines'), pk=pk)\n",
        note="the shortcut narrows nothing either",
    ),
    _by_hand(
        "def late(request):\n    late = request.GET.getlist('late')\n    return Invoice.objects.filter(id__in=late)\n",
        note="keys that came with the request",
    ),
    _by_hand(
        "class LineSerializer(ModelSerializer):\n"
        "    invoice = serializers.PrimaryKeyRelatedField(queryset=Invoice.objects.all())\n",
        "billing/serializers.py",
        "a client may name every tenant's invoice",
    ),
    _by_hand(
        "def odd(request, number):\n"
        "    return Invoice.objects.filter(id__in=Line.objects.filter(number=number).values('invoice_id'))\n",
        note="neither query says whose rows it reads",
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
    _by_hand(
        "def one(request, pk):\n"
        "    return get_object_or_404(Invoice.objects.select_related('lines'), pk=pk, company=request.company)\n",
        note="the shortcut narrows the query that it is given",
    ),
    _by_hand(
        "def one(request, pk):\n    invoice = get_object_or_404(Invoice, pk=pk)\n"
        "    if not request.user.has_invoice_permission('VIEW', invoice):\n        raise PermissionDenied\n"
        "    return invoice\n",
        note="the row is asked for before it is shown",
    ),
    _by_hand(
        "class InvoiceSerializer(ModelSerializer):\n    class Meta:\n"
        "        validators = [UniqueTogetherValidator(queryset=Invoice.objects.all(), fields=['number'])]\n",
        "billing/serializers.py",
        "a validator only asks whether a row is there",
    ),
    _by_hand(
        "@shared_task\ndef close(ids):\n    for batch in chunked(ids, 100):\n"
        "        Invoice.objects.filter(id__in=batch).delete()\n",
        "billing/tasks.py",
        "keys that the task was given, in parts",
    ),
    _by_hand(
        "@shared_task\ndef close(day=None):\n    Invoice.objects.filter(due=day).delete()\n",
        "billing/tasks.py",
        "given nothing that it needs: it works for all",
    ),
    _by_hand(
        "def shown(request, queryset):\n"
        "    return queryset.exclude(id__in=Line.objects.filter(open=True).values('invoice_id'))\n",
        note="a query in a condition shows nothing itself",
    ),
    _by_hand("def mine(request):\n    return Invoice.objects.seen_by(request.user).order_by('number')\n"),
    _by_hand("def mine(request):\n    return Line.objects.filter(invoice__clerk__user=request.user)\n"),
    _by_hand(
        "def late(request):\n    late = {line.invoice_id for line in request.company.lines.all()}\n"
        "    return Invoice.objects.filter(id__in=late)\n",
        note="keys of rows that were read of the tenant",
    ),
    _by_hand(
        "@staff_member_required\ndef every(request):\n    return Invoice.objects.all()\n",
        note="those who run the service see all tenants",
    ),
    _by_hand("def every(request):\n    return Invoice.objects.count()\n", "billing/internal/views.py"),
    _by_hand(
        "class InvoiceForm(Form):\n    invoice = ModelChoiceField(queryset=Invoice.objects.all())\n\n"
        "    def __init__(self, company):\n        self.fields['invoice'].queryset = company.invoices.all()\n"
    ),
    Example(
        {
            "core/views.py": "class Rows(GenericViewSet):\n    def get_queryset(self):\n"
            "        return super().get_queryset().filter(company=self.request.company)\n",
            "billing/views.py": "class InvoiceViewSet(Rows):\n    queryset = Invoice.objects.all()\n",
            "billing/models.py": _PLAIN_MODELS,
        },
        tenancy="explicit",
        note="the class that it is built on narrows its rows",
    ),
    _by_hand(
        "class InvoiceViewSet(ModelViewSet):\n    queryset = Invoice.objects.all()\n\n    def get_queryset(self):\n"
        "        return visible(self.request)\n",
        note="nobody reads that query",
    ),
    _by_hand(
        "class Lines(ViewSet):\n    permission_classes = [NestedInvoicePermissions]\n\n    def list(self, request):\n"
        "        return lines(get_object_or_404(Invoice, pk=self.kwargs['invoice_pk']))\n",
        note="the permission asks for the row of the address",
    ),
)

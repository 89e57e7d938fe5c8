"""What unscoped-tenant-query finds: its documentation and its tests."""

from skills.gates.rule import Example

PLAIN_MODELS = """\
from django.db import models


class Invoice(models.Model):
    company = models.ForeignKey("companies.Company", on_delete=models.CASCADE)
    number = models.CharField(max_length=20)


class Line(models.Model):
    company = models.ForeignKey("companies.Company", on_delete=models.CASCADE)
    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE)
"""


def by_hand(source: str, path: str = "billing/views.py", note: str = "") -> Example:
    """A project that scopes its queries by hand, with models of a company and one more file."""
    return Example({path: source, "billing/models.py": PLAIN_MODELS}, tenancy="explicit", note=note)


UNSCOPED_BAD: tuple[Example, ...] = (
    by_hand("def one(request, pk):\n    return Invoice.objects.get(pk=pk)\n"),
    by_hand("def one(request, pk):\n    return get_object_or_404(Invoice, pk=pk)\n"),
    Example(
        {
            "billing/queries.py": "from billing.models import Invoice as Bill\n\n\n"
            "def one(pk):\n    return Bill.objects.get(pk=pk)\n",
            "billing/views.py": "from billing.queries import one\n\n\n"
            "def show(request, pk):\n    return render(request, 'one.html', {'invoice': one(pk)})\n",
            "billing/models.py": PLAIN_MODELS,
        },
        tenancy="explicit",
        note="a view hands on the key of its address",
    ),
    by_hand("class InvoiceViewSet(ModelViewSet):\n    queryset = Invoice.objects.all()\n"),
    by_hand(
        "def late():\n    late = Invoice.objects.filter(paid=False)\n    return late.count()\n", "billing/services.py"
    ),
    by_hand("@shared_task\ndef close(day):\n    Invoice.objects.filter(due=day).delete()\n", "billing/tasks.py"),
    by_hand("def lines(request, pk):\n    return Line.objects.filter(invoice_id=pk)\n"),
    by_hand("def late(request):\n    return Invoice.objects.late().count()\n"),
    Example(
        {
            "billing/models.py": PLAIN_MODELS,
            "billing/views.py": "".join(
                f"def view_{number}(request):\n    return Invoice.objects.filter(company=request.company)\n\n\n"
                for number in range(10)
            )
            + "def leak(request, number):\n    return Invoice.objects.filter(number=number)\n",
        },
        note="ten of eleven queries are scoped by hand: that is how this project does it",
    ),
    by_hand(
        "def one(request, pk):\n    return get_object_or_404(Invoice.objects.select_related('lines'), pk=pk)\n",
        note="the shortcut narrows nothing either",
    ),
    by_hand(
        "def late(request):\n    late = request.GET.getlist('late')\n    return Invoice.objects.filter(id__in=late)\n",
        note="keys that came with the request",
    ),
    by_hand(
        "class LineSerializer(ModelSerializer):\n"
        "    invoice = serializers.PrimaryKeyRelatedField(queryset=Invoice.objects.all())\n",
        "billing/serializers.py",
        "a client may name every tenant's invoice",
    ),
    by_hand(
        "def odd(request, number):\n"
        "    return Invoice.objects.filter(id__in=Line.objects.filter(number=number).values('invoice_id'))\n",
        note="neither query says whose rows it reads",
    ),
    by_hand(
        "class Invoices(APIView):\n    permission_classes = [IsAuthenticated]\n\n    def get(self, request):\n"
        "        return self._one(request.GET['number'], request.GET['id'])\n\n"
        "    def _one(self, number, invoice_id):\n        return Invoice.objects.get(id=invoice_id)\n",
        note="a helper is handed a key of the request",
    ),
    by_hand(
        "def close(request, pk):\n    invoice = get_object_or_404(Invoice, pk=pk, company=request.company)\n"
        "    Line.objects.filter(invoice_id__in=request.POST.getlist('ids')).delete()\n    return invoice\n",
        note="the invoice was asked for, the keys of the form were not",
    ),
    Example(
        {
            "core/permissions.py": "class InvoicePermission(BasePermission):\n"
            "    def has_permission(self, request, view):\n"
            "        return request.user.has_invoice(view.kwargs['invoice_id'])\n",
            "billing/views.py": "class Lines(APIView):\n    permission_classes = [InvoicePermission]\n\n"
            "    def get(self, request, invoice_id, line_id):\n        return Line.objects.get(pk=line_id)\n",
            "billing/models.py": PLAIN_MODELS,
        },
        tenancy="explicit",
        note="the permission asks for another key of the address",
    ),
    Example(
        {
            "billing/services.py": "def late():\n    return Invoice.objects.filter(paid=False)\n",
            "billing/views.py": "from billing import services\n\n\n"
            "def late(request):\n    return render(request, 'late.html', {'late': services.late()})\n",
            "billing/models.py": PLAIN_MODELS,
        },
        tenancy="explicit",
        note="a view shows what the service reads of all",
    ),
    by_hand(
        "class LineSerializer(ModelSerializer):\n"
        "    invoice = PrimaryKeyRelatedField(queryset=Invoice.objects.all())\n\n"
        "    def validate(self, attrs):\n        if not attrs['number']:\n            raise ValidationError\n"
        "        return attrs\n",
        "billing/serializers.py",
        "what is validated is another field",
    ),
    by_hand(
        "class Invoices(APIView):\n    def get_object(self, pk):\n        return Invoice.objects.get(pk=pk)\n\n"
        "    def get(self, request, pk):\n        return Response(InvoiceSerializer(self.get_object(pk)).data)\n",
        note="a `get_object` that asks nothing vouches for nothing",
    ),
    by_hand(
        "class Lines(ListView):\n    def get_queryset(self):\n        return Line.objects.filter(\n"
        "            invoice_id=self.kwargs['pk'], kind__in=[Kind.OPEN, Kind.LATE]\n        )\n",
        note="constants narrow nothing",
    ),
    by_hand("def one(request, pk):\n    return Invoice.open_objects.get(pk=pk)\n", note="a manager of its own"),
)

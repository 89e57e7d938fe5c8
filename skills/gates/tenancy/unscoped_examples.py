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


IN = "@login_required\n"
"""The view of somebody who has signed in."""
UNSCOPED_BAD: tuple[Example, ...] = (
    by_hand(f"{IN}def one(request, pk):\n    return show(Invoice.objects.get(pk=pk))\n"),
    by_hand(f"{IN}def one(request, pk):\n    return get_object_or_404(Invoice, pk=pk)\n"),
    by_hand(f"{IN}def one(request, number):\n    return Invoice.objects.get(number=number)\n", note="by its name"),
    Example(
        {
            "billing/queries.py": "from billing.models import Invoice as Bill\n\n\n"
            "def one(pk):\n    return Bill.objects.get(pk=pk)\n",
            "billing/views.py": "from billing.queries import one\n\n\n"
            f"{IN}def show(request, pk):\n    return render(request, 'one.html', {{'invoice': one(pk)}})\n",
            "billing/models.py": PLAIN_MODELS,
        },
        tenancy="explicit",
        note="a view hands on the key of its address",
    ),
    by_hand(
        "class InvoiceViewSet(ModelViewSet):\n    permission_classes = [permissions.IsAuthenticated]\n"
        "    queryset = Invoice.objects.all()\n",
        note="whoever is signed in may see them all",
    ),
    by_hand(
        "class Invoices(LoginRequiredMixin, ListView):\n    def get_queryset(self):\n"
        "        return Invoice.objects.filter(paid=False)\n"
    ),
    by_hand(
        f"{IN}def late(request):\n    late = Invoice.objects.filter(paid=False)\n"
        "    return Response(InvoiceSerializer(late, many=True).data)\n",
        note="all rows are shown",
    ),
    by_hand(f"{IN}def lines(request, pk):\n    return Line.objects.filter(invoice_id=pk)\n"),
    Example(
        {
            "billing/models.py": PLAIN_MODELS,
            "billing/views.py": "".join(
                f"def view_{number}(request):\n    return Invoice.objects.filter(company=request.company)\n\n\n"
                for number in range(10)
            )
            + f"{IN}def leak(request, pk):\n    return Invoice.objects.get(pk=pk)\n",
        },
        note="ten of eleven queries are scoped by hand: that is how this project does it",
    ),
    by_hand(
        f"{IN}def one(request, pk):\n    return get_object_or_404(Invoice.objects.select_related('lines'), pk=pk)\n",
        note="the shortcut narrows nothing either",
    ),
    by_hand(
        f"{IN}def late(request):\n    late = request.GET.getlist('late')\n"
        "    return Invoice.objects.filter(id__in=late)\n",
        note="keys that came with the request",
    ),
    by_hand(
        "class LineSerializer(ModelSerializer):\n    def create(self, validated_data):\n"
        "        invoice = Invoice.objects.get(pk=validated_data.pop('invoice_id'))\n"
        "        return invoice.add(**validated_data)\n",
        "billing/serializers.py",
        "a client may name every tenant's invoice",
    ),
    by_hand(
        "class Invoices(APIView):\n    permission_classes = [IsAuthenticated]\n\n    def get(self, request):\n"
        "        return self._one(request.GET['number'], request.GET['id'])\n\n"
        "    def _one(self, number, invoice_id):\n        return Invoice.objects.get(id=invoice_id)\n",
        note="a helper is handed a key of the request",
    ),
    by_hand(
        f"{IN}def close(request, pk):\n    invoice = get_object_or_404(Invoice, pk=pk, company=request.company)\n"
        "    Line.objects.filter(invoice_id__in=request.POST.getlist('ids')).delete()\n    return invoice\n",
        note="the invoice was asked for, the keys of the form were not",
    ),
    by_hand(
        f"{IN}def close(request, pk):\n    if request.user.role not in ('admin', 'clerk'):\n"
        "        raise PermissionDenied\n    invoice = Invoice.objects.get(pk=pk)\n"
        "    if invoice.status == request.POST['status']:\n        return redirect('late')\n"
        "    invoice.close()\n",
        note="neither a role that others have too nor a status says whose it is",
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
    by_hand(f"{IN}def one(request, pk):\n    return Invoice.open_objects.get(pk=pk)\n", note="a manager of its own"),
)

"""What unscoped-tenant-query leaves alone: its documentation and its tests."""

from skills.gates.rule import Example
from skills.gates.tenancy.unscoped_examples import IN, PLAIN_MODELS, by_hand

UNSCOPED_GOOD: tuple[Example, ...] = (
    by_hand(IN + "def one(request, pk):\n    return Invoice.objects.get(pk=pk, company=request.company)\n"),
    by_hand(IN + "def mine(request):\n    return Invoice.objects.for_company(request.user).filter(paid=False)\n"),
    by_hand(
        IN + "def mine(request):\n    found = Invoice.objects.all()\n"
        "    if request.GET:\n        found = found.filter(paid=True)\n"
        "    return found.filter(company=request.company)\n"
    ),
    by_hand("def lines(invoice):\n    return Line.objects.filter(invoice=invoice)\n", "billing/services.py"),
    by_hand(
        "class InvoiceViewSet(ModelViewSet):\n    queryset = Invoice.objects.all()\n\n"
        "    def get_queryset(self):\n        return super().get_queryset().filter(company=self.request.company)\n"
    ),
    by_hand(
        IN + "def sums(request):\n"
        "    lines = Line.objects.filter(invoice=OuterRef('pk'))\n"
        "    return Invoice.objects.filter(company=request.company).prefetch_related(\n"
        "        Prefetch('line_set', queryset=Line.objects.all())\n    ).annotate(lines=Count(lines))\n",
        note="rows of a subquery or prefetch belong to the outer rows",
    ),
    by_hand(
        "@shared_task\ndef remind_all(day):\n    for invoice in Invoice.objects.filter(due=day):\n"
        "        remind(invoice.company, invoice.number)\n",
        "billing/tasks.py",
        "it works for all, or for whom it was given",
    ),
    by_hand("def who(token):\n    return Invoice.objects.by_token(token)\n", note="a method that looks up one thing"),
    by_hand(
        IN + "def who(request):\n    return Invoice.objects.get(pay_token=request.GET['t'])\n",
        note="a secret of the tenant",
    ),
    by_hand(
        IN + "def counted(request):\n    lines = Line.objects.filter(invoice_id=OuterRef('pk'))\n"
        "    return Invoice.objects.filter(company=request.company).annotate(n=Count(lines))\n",
    ),
    by_hand("def lines(line):\n    return Line.objects.filter(invoice_id=line.invoice_id)\n", "billing/services.py"),
    by_hand("def numbers():\n    return Currency.objects.all()\n", note="no tenant has currencies"),
    by_hand("def test_all():\n    assert Invoice.objects.count() == 0\n", "billing/tests/test_invoices.py"),
    by_hand(
        IN + "def one(request, pk):\n    invoice = Invoice.objects.get(pk=pk)\n"
        "    if invoice.company_id != request.company_id:\n        raise PermissionError\n    return invoice\n"
    ),
    by_hand(
        IN + "def one(request, pk):\n"
        "    return get_object_or_404(Invoice.objects.select_related('lines'), pk=pk, company=request.company)\n",
        note="the shortcut narrows the query that it is given",
    ),
    by_hand(
        IN + "def one(request, pk):\n    invoice = get_object_or_404(Invoice, pk=pk)\n"
        "    if not request.user.has_invoice_permission('VIEW', invoice):\n        raise PermissionDenied\n"
        "    return invoice\n",
        note="the row is asked for before it is shown",
    ),
    by_hand(
        "class InvoiceSerializer(ModelSerializer):\n    class Meta:\n"
        "        validators = [UniqueTogetherValidator(queryset=Invoice.objects.all(), fields=['number'])]\n",
        "billing/serializers.py",
        "a validator only asks whether a row is there",
    ),
    by_hand(
        IN + "def shown(request, queryset):\n"
        "    return queryset.exclude(id__in=Line.objects.filter(open=True).values('invoice_id'))\n",
        note="a query in a condition shows nothing itself",
    ),
    by_hand(IN + "def mine(request):\n    return Invoice.objects.seen_by(request.user).order_by('number')\n"),
    by_hand(IN + "def mine(request):\n    return Line.objects.filter(invoice__clerk__user=request.user)\n"),
    by_hand(
        IN + "def late(request):\n    late = {line.invoice_id for line in request.company.lines.all()}\n"
        "    return Invoice.objects.filter(id__in=late)\n",
        note="keys of rows that were read of the tenant",
    ),
    by_hand(
        "@staff_member_required\ndef every(request):\n    return Invoice.objects.all()\n",
        note="those who run the service see all tenants",
    ),
    by_hand(IN + "def every(request):\n    return Invoice.objects.count()\n", "billing/internal/views.py"),
    by_hand(
        "class InvoiceForm(Form):\n    invoice = ModelChoiceField(queryset=Invoice.objects.all())\n\n"
        "    def __init__(self, company):\n        self.fields['invoice'].queryset = company.invoices.all()\n"
    ),
    Example(
        {
            "core/views.py": "class Rows(GenericViewSet):\n    def get_queryset(self):\n"
            "        return super().get_queryset().filter(company=self.request.company)\n",
            "billing/views.py": "class InvoiceViewSet(Rows):\n    queryset = Invoice.objects.all()\n",
            "billing/models.py": PLAIN_MODELS,
        },
        tenancy="explicit",
        note="the class that it is built on narrows its rows",
    ),
    by_hand(
        "class InvoiceViewSet(ModelViewSet):\n    queryset = Invoice.objects.all()\n\n    def get_queryset(self):\n"
        "        return visible(self.request)\n",
        note="nobody reads that query",
    ),
    by_hand(
        "class Lines(ViewSet):\n    permission_classes = [NestedInvoicePermissions]\n\n    def list(self, request):\n"
        "        return lines(get_object_or_404(Invoice, pk=self.kwargs['invoice_pk']))\n",
        note="the permission asks for the row of the address",
    ),
    Example(
        {
            "billing/services.py": "def one(pk):\n    return Invoice.objects.get(pk=pk)\n",
            "billing/views.py": "from billing.services import one\n\n\n"
            "def first(request):\n    line = request.company.lines.first()\n    return one(line.invoice_id)\n",
            "billing/models.py": PLAIN_MODELS,
        },
        tenancy="explicit",
        note="the view hands on the key of a row that it read of the tenant",
    ),
    by_hand(
        "def one(pk):\n    return Invoice.objects.get(pk=pk)\n", "billing/services.py", "who calls it is not known"
    ),
    Example(
        {
            "billing/services.py": "def remind():\n    return Invoice.objects.filter(paid=False).count()\n",
            "billing/tasks.py": "from billing.services import remind\n\n\n@shared_task\ndef late():\n    remind()\n",
            "billing/models.py": PLAIN_MODELS,
        },
        tenancy="explicit",
        note="only a task calls it, and that works for all",
    ),
    by_hand(
        "class Invoices(APIView):\n    def put(self, request):\n        self._drop(request.user.invoice_id)\n\n"
        "    def _drop(self, invoice_id):\n        Invoice.objects.filter(id=invoice_id).delete()\n",
        note="the helper is handed the key of who asks",
    ),
    Example(
        {
            "core/permissions.py": "class InvoicePermission(BasePermission):\n"
            "    def has_permission(self, request, view):\n"
            "        return request.user.has_invoice(view.kwargs['invoice_id'])\n",
            "billing/views.py": "class Lines(APIView):\n    permission_classes = [InvoicePermission]\n\n"
            "    def get(self, request, invoice_id):\n        return Line.objects.filter(invoice_id=invoice_id)\n",
            "billing/models.py": PLAIN_MODELS,
        },
        tenancy="explicit",
        note="the permission asks for this key of the address",
    ),
    Example(
        {
            "core/access.py": "def invoice_of_user(view):\n    @wraps(view)\n    def inner(request, invoice_id):\n"
            "        if not request.user.has_invoice(invoice_id):\n            raise PermissionDenied\n"
            "        return view(request, invoice_id)\n\n    return inner\n",
            "billing/views.py": "@invoice_of_user\ndef lines(request, invoice_id):\n"
            "    return Line.objects.filter(invoice_id=invoice_id)\n",
            "billing/models.py": PLAIN_MODELS,
        },
        tenancy="explicit",
        note="the decorator asks for this key of the address",
    ),
    by_hand(
        IN + "def lines(request, pk):\n    get_object_or_404(Invoice, pk=pk, company=request.company)\n"
        "    return Line.objects.filter(invoice_id=pk)\n",
        note="the key was asked for in the function itself",
    ),
    by_hand(
        "class LineSerializer(ModelSerializer):\n"
        "    invoice = PrimaryKeyRelatedField(queryset=Invoice.objects.all())\n\n"
        "    def validate_invoice(self, invoice):\n"
        "        if invoice.company != self.context['company']:\n            raise ValidationError\n"
        "        return invoice\n",
        "billing/serializers.py",
        "the serializer asks again whose invoice it was given",
    ),
    by_hand(
        "class InvoiceSerializer(ModelSerializer):\n    def validate_number(self, number):\n"
        "        if Invoice.objects.filter(number=number).exists():\n            raise ValidationError\n"
        "        return number\n",
        "billing/serializers.py",
        "whether a number is taken shows no row",
    ),
    by_hand(
        IN + "def accept_invite(request, pk):\n    return Invoice.objects.get(pk=pk)\n\n\n"
        "def hook(request, pk):\n    Signer().unsign(request.GET['signed'])\n    return Invoice.objects.get(pk=pk)\n",
        note="nobody is signed in yet, and a signature says what may be read",
    ),
    Example(
        {
            "billing/models.py": PLAIN_MODELS + "\n\nclass Board(models.Model):\n"
            "    company = models.ForeignKey('companies.Company', on_delete=models.CASCADE)\n"
            "    anchor = models.CharField(max_length=32, unique=True, default=make_anchor)\n",
            "billing/views.py": "def board(request, anchor):\n    return Board.objects.get(anchor=anchor)\n",
        },
        tenancy="explicit",
        note="a word that nobody guesses",
    ),
    by_hand(
        "class Published(APIView):\n    permission_classes = [AllowAny]\n\n    def get(self, request, slug):\n"
        "        return Invoice.objects.get(slug=slug)\n",
        note="published to everybody by its address",
    ),
    by_hand(
        IN + "def one(request, pk):\n    invoices = Invoice.objects.select_related('lines')\n"
        "    invoice = get_object_or_404(invoices, pk=pk)\n    return shown(request, invoice)\n\n\n"
        "def shown(request, invoice):\n    if invoice.company_id != request.company.id:\n"
        "        raise PermissionDenied\n    return invoice\n",
        note="the function that the row is handed to asks whose it is",
    ),
    by_hand(
        "class Invoices(ListView):\n    def get_object_company(self):\n        return self.invoice.company\n\n"
        "    @property\n    def invoice(self):\n        return Invoice.objects.get(pk=self.kwargs['pk'])\n",
        note="another method asks whose row it is",
    ),
    by_hand(
        "class Log(ListingView):\n    def get_queryset(self, request):\n        return Line.objects.all()\n\n"
        "    def get(self, request):\n        check_permissions(request.user)\n        return super().get(request)\n",
        note="who may not see them never comes to them",
    ),
    Example(
        {
            "core/filters.py": "class OwnRows(BaseFilterBackend):\n"
            "    def filter_queryset(self, request, queryset, view):\n"
            "        return queryset.filter(**{view.own: request.user.id})\n",
            "core/views.py": "class Rows(ModelViewSet):\n    filter_backends = (OwnRows,)\n",
            "billing/views.py": "class InvoiceViewSet(Rows):\n    queryset = Invoice.objects.all()\n",
            "billing/models.py": PLAIN_MODELS,
        },
        tenancy="explicit",
        note="a backend that filters, of the class that it is built on",
    ),
    by_hand(
        "class Content(APIView):\n    queryset = Invoice.objects.all()\n\n    def get(self, request, pk):\n"
        "        return send(get_object_or_404(Invoice, pk=pk, company=request.company))\n",
        note="only a permission asks for its model; nobody reads it",
    ),
    Example(
        {
            "billing/services.py": "def sums(line_id, ids):\n"
            "    return Line.objects.filter(id=line_id, invoice_id__in=ids)\n",
            "billing/views.py": "from billing.services import sums\n\n\ndef costs(request, pk):\n"
            "    ids = [invoice.id for invoice in request.company.invoices.all()]\n    return sums(pk, ids)\n",
            "billing/models.py": PLAIN_MODELS,
        },
        tenancy="explicit",
        note="of the rows that the view read of the tenant",
    ),
    by_hand(
        IN + "def lines(request, pk):\n    invoice = get_object(request, pk)\n"
        "    return Line.objects.filter(billed_with=invoice)\n",
        note="the lines of a row in hand",
    ),
    by_hand(
        IN + "def mine(request):\n    return Line.objects.filter(project=request.project)\n",
        note="found by a middleware",
    ),
    by_hand(
        IN + "def one(request, pk):\n    invoice = Invoice.objects.get(pk=pk)\n"
        "    if invoice.owner_group != request.profile.group:\n        raise PermissionDenied\n    return invoice\n",
        note="compared with what the request was found to belong to",
    ),
    by_hand(
        IN + "def one(request, pk):\n    invoice = Invoice.objects.get(pk=pk)\n    payers = [invoice.payer]\n"
        "    if not any(is_payer_admin(request.user, payer) for payer in payers):\n        raise PermissionDenied\n"
        "    return invoice\n",
        note="a check of what is read of the row",
    ),
    by_hand(
        IN + "def add(request):\n    if Invoice.objects.filter(number=request.POST['number']).exists():\n"
        "        raise ValidationError\n",
        note="whether a number is taken",
    ),
    by_hand(
        "class LineSerializer(ModelSerializer):\n"
        "    invoice = PrimaryKeyRelatedField(queryset=Invoice.objects.all(), read_only=True)\n"
        "    token = PrimaryKeyRelatedField(queryset=Invoice.objects.all())\n",
        "billing/serializers.py",
        "one is not written, and who knows the other may read it",
    ),
    by_hand(
        IN + "def paid(request):\n    if request.GET['key'] == settings.CALLBACK_KEY:\n"
        "        Invoice.objects.filter(pk=request.GET['id']).update(paid=True)\n",
        note="called by who knows a secret of the service",
    ),
    by_hand(
        "class Invoices(APIView):\n    def get_object(self, pk):\n        return Invoice.objects.get(pk=pk)\n\n"
        "    def get(self, request, pk):\n        invoice = self.get_object(pk)\n"
        "        if invoice.company != request.company:\n            raise PermissionDenied\n"
        "        return Response(InvoiceSerializer(invoice).data)\n",
        note="the row is asked for where it comes back",
    ),
    by_hand(
        "class Invoices(APIView):\n    def _one(self, pk):\n        return Invoice.objects.get(pk=pk)\n\n"
        "    def get(self, request):\n        return Response(self._one(request.company.first_id))\n\n\n"
        "class Notes(APIView):\n    def _one(self, pk):\n        return Note.objects.get(pk=pk)\n\n"
        "    def get(self, request, pk):\n        return Response(self._one(pk))\n",
        note="the method of that name of another class",
    ),
    by_hand(
        "class Invoices(ViewSet):\n    queryset = Invoice.objects.all()\n\n    def retrieve(self, request, pk):\n"
        "        return Response(self.queryset.get(pk=pk, company=request.company))\n",
        note="its own methods narrow it",
    ),
    by_hand(
        "class Receipt(UserPassesTestMixin, DetailView):\n    queryset = Invoice.objects.all()\n\n"
        "    def test_func(self):\n        return self.get_object().payer == self.request.user\n",
        note="only the row that passes the test is shown",
    ),
    by_hand(
        "class LineSerializer(ModelSerializer):\n    def validate_number(self, number):\n"
        "        view = self.context['view']\n        invoice = Invoice.objects.get(pk=view.kwargs['invoice_pk'])\n"
        "        if number > invoice.count:\n            raise ValidationError\n        return number\n",
        "billing/serializers.py",
        "the key of the address that its view answers for",
    ),
    by_hand(
        f"{IN}def close(request, pk):\n    invoice = Invoice.objects.get(pk=pk)\n"
        "    own = Invoice.objects.get(company=request.company)\n"
        "    if not invoice.is_part_of(own):\n        raise PermissionDenied\n    invoice.close()\n",
        note="the row is asked how it stands to one's own",
    ),
    by_hand(
        f"{IN}def close(request, pk):\n    invoice = Invoice.objects.get(pk=pk)\n    payer = payer_of(request)\n"
        "    if invoice.payer_id != payer.id:\n        raise PermissionDenied\n    invoice.close()\n",
        note="compared with what is in hand",
    ),
    by_hand(
        f"{IN}def keep(request, pk):\n    invoice = Invoice.objects.get(pk=pk)\n"
        "    reader = Reader.objects.get(user=request.user)\n"
        "    Kept.objects.get_or_create(invoice=invoice, reader=reader)\n",
        note="a reader is no tenant's: for him it is published",
    ),
    by_hand(
        f"{IN}def lines(request, pk):\n    invoice = Invoice.objects.filter(pk=pk).first()\n"
        "    if invoice is None:\n        raise Http404\n"
        "    return Line.objects.filter(invoice=invoice, company=request.company)\n",
        note="it only decides what another query reads",
    ),
    by_hand(
        f"{IN}def one(request, pk):\n    if not request.user.is_superuser:\n        raise PermissionDenied\n"
        "    return Invoice.objects.get(pk=pk)\n",
        note="all others were turned away",
    ),
    by_hand(
        "class AdminInvoice(APIView):\n    permission_classes = [IsAuthenticated, IsAdmin]\n\n"
        "    def get(self, request, pk):\n        return Response(one(Invoice.objects.get(pk=pk)))\n",
        note="for those who run the service",
    ),
    by_hand(f"{IN}def one(request, pk):\n    return Invoice.objects.get(pk=pk)\n", "billing/dev/views.py"),
    by_hand(
        f"{IN}def one(request, pk):\n    return Invoice.objects.get(pk=pk, is_published=True)\n",
        note="there for everybody",
    ),
    by_hand(f"{IN}def one(request, pk):\n    return Invoice.objects.unscoped().get(pk=pk)\n", note="all are meant"),
    by_hand(
        "def receipt(request, number):\n    return Invoice.objects.get(number=number)\n",
        note="nobody has to sign in: it is published by its address",
    ),
    by_hand(
        "class Paid(APIView):\n    permission_classes = [permissions.AllowAny]\n\n    def post(self, request):\n"
        "        Invoice.objects.filter(pk=request.data['id']).update(paid=True)\n",
        note="called by anybody",
    ),
    by_hand(
        "class Invoices(CreateAPIView):\n    permission_classes = [IsAuthenticated]\n"
        "    queryset = Invoice.objects.all()\n",
        note="a view that only creates reads none of them",
    ),
    by_hand(
        "class LineSerializer(ModelSerializer):\n"
        "    invoice = PrimaryKeyRelatedField(queryset=Invoice.objects.all())\n",
        "billing/serializers.py",
        "what is done with it is said in the view",
    ),
    by_hand(
        f"{IN}def tiers(request):\n    return Invoice.objects.filter(least__lte=request.GET['guests']).first()\n",
        note="a range names no row",
    ),
    Example(
        {
            "billing/services.py": "def lines(company_id, invoice_id):\n"
            "    if not Invoice.objects.filter(id=invoice_id, company_id=company_id).exists():\n"
            "        raise NotFound\n    return Line.objects.filter(invoice_id=invoice_id)\n",
            "billing/views.py": "from billing.services import lines\n\n\n"
            f"{IN}def shown(request, pk):\n    return lines(request.user.company_id, pk)\n",
            "billing/models.py": PLAIN_MODELS,
        },
        tenancy="explicit",
        note="the service asks for the key that it was handed",
    ),
    by_hand(
        "class Invoices(ViewSet):\n    def retrieve(self, request, pk):\n        company = request.user.company\n"
        "        if not self._get_invoice(pk, company):\n            raise Http404\n"
        "        return Response(one(Invoice.objects.prefetch_related('lines').get(pk=pk)))\n",
        note="a helper that is handed the tenant too asked for the key",
    ),
    by_hand(
        "class CloseInvoice(InternalView):\n    def post(self, request, pk):\n"
        "        Invoice.objects.get(pk=pk).close()\n",
        note="built on a view for those who run the service",
    ),
)

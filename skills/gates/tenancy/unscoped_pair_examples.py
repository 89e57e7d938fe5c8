"""What unscoped-tenant-query tells apart, in pairs: one that is found, and what looks like it and is not."""

from skills.gates.rule import Example
from skills.gates.tenancy.unscoped_examples import IN, PLAIN_MODELS, by_hand


def _with(view: str, path: str, other: str, note: str) -> Example:
    return Example(
        {path: other, "billing/views.py": view, "billing/models.py": PLAIN_MODELS}, tenancy="explicit", note=note
    )


_CHECKED = """\
class LineSerializer(ModelSerializer):
    def validate(self, data):
        if not {asks}:
            raise ValidationError
        return data

    def create(self, validated_data):
        return add_line(Invoice.objects.get(pk=self.initial_data['invoice']), validated_data)
"""
_APPLY = """\
def apply(request, pk):
    invoice = Invoice.objects.get(pk=pk)
    letter = LetterForm(request.POST).save(commit=False)
    letter.invoice = invoice
    letter.company = request.company
    {saved}.save()
"""
_VALIDATED = {
    "billing/views.py": "class Lines(APIView):\n    def post(self, request):\n"
    "        asked = AskedSerializer(data=request.data)\n        asked.is_valid(raise_exception=True)\n"
    "        return show(Invoice.objects.get(pk=asked.validated_data['invoice_id']))\n",
    "billing/models.py": PLAIN_MODELS,
}
_ASKED = """\
class AskedSerializer(Serializer):
    def validate_{asked}(self, value):
        return own(value, self.context["request"].user).pk
"""
_FIELD = """\
class LineSerializer(Serializer):
    def validate_{asked}(self, value):
        return own(value, self.context["request"].user).pk

    def create(self, validated_data):
        return add_line(Invoice.objects.get(pk=validated_data["invoice_id"]))
"""
_CHANNEL = (
    f"{IN}def one(request, pk):\n    invoice = Invoice.objects.get(pk=pk)\n    if {{test}}:\n"
    "        raise PermissionDenied\n    return show(invoice)\n"
)
_LINE = f"{IN}def one(request, pk):\n    return Line.objects.filter(pk=pk, invoice__in={{value}}).first()\n"
_RATING = (
    "class Rating(APIView):\n    permission_classes = [{permission}]\n\n    def get(self, request, pk):\n"
    "        return Response(rating(Invoice.objects.get(pk=pk)))\n"
)
_ONE = f"{IN}def one(request, pk):\n    return Invoice.objects.get(pk=pk)\n"
_LEASES = """\
from django.db import models


class Renter(models.Model):
    {name} = models.CharField(max_length=80)


class Lease(models.Model):
    tenant = models.ForeignKey(Renter, on_delete=models.CASCADE)
"""
_LEASE = f"{IN}def one(request, pk):\n    return Lease.objects.get(pk=pk)\n"
_POLICY = """\
class Migration(migrations.Migration):
    operations = [
        migrations.RunSQL("CREATE POLICY own ON {table} USING (company_id = current_setting('app.company')::int)"),
    ]
"""
_SHOP = (
    "class Shop(APIView):\n    permission_classes = [AllowAny]\n\n    def get(self, request):\n"
    "        return Response({model}Serializer({model}.objects.filter(open=True), many=True).data)\n"
)
_APART = (
    "class InvoiceViewSet(ModelViewSet):\n    permission_classes = [IsAuthenticated]\n\n    def get_queryset(self):\n"
    "        {first}\n        return {rows}\n"
)
_ROLE = (
    f"{IN}def one(request, pk):\n    if {{test}}:\n        raise PermissionDenied\n"
    "    return Invoice.objects.get(pk=pk)\n"
)
_MANY = (
    f"{IN}def close(request):\n    found = Invoice.objects.filter(pk__in=request.POST.getlist('ids'))\n"
    "    by_key = {{row.pk: row for row in found}}\n    for key in sorted(by_key):\n        row = by_key.get(key)\n"
    "        if {test}:\n            continue\n        row.close()\n"
)
_DESK = (
    f"{IN}def send(request, pk):\n    invoice = get_object_or_404(Invoice, pk=pk)\n    desk = {{desk}}\n"
    "    if not sends_from(desk, invoice.place):\n        raise PermissionDenied\n    invoice.send()\n"
)
_PLAYER = {
    "clubs/models.py": "class Player(models.Model):\n    user = models.ForeignKey('User', models.CASCADE)\n{more}",
    "billing/views.py": f"{IN}def one(request, pk):\n    player = Player.objects.get(user=request.user)\n"
    "    return show(player, Invoice.objects.get(pk=pk))\n",
    "billing/models.py": PLAIN_MODELS,
}
_PASSED = {
    "core/mixins.py": "class MayPay(UserPassesTestMixin):\n    def test_func(self):\n"
    "        return may_pay(self.request.user, self.{asked}())\n",
    "billing/views.py": "class Pay(MayPay, FormView):\n    def form_valid(self, form):\n"
    "        return pay(Invoice.objects.get(pk=self.kwargs['pk']))\n",
    "billing/models.py": PLAIN_MODELS,
}


def _each(files: dict[str, str], note: str, **words: str) -> Example:
    path, *_ = files
    return Example({**files, path: files[path].format(**words)}, tenancy="explicit", note=note)


_SHARED = {
    "billing/api.py": "{scoped}",
    "billing/views.py": f"{IN}def one(request, pk):\n    return Invoice.objects.get(pk=pk)\n",
    "billing/models.py": PLAIN_MODELS.replace("CASCADE)", "CASCADE, null=True)"),
}
_SHOWN = {
    "billing/views.py": "class One(RetrieveAPIView):\n    def get_object(self):\n"
    "        return get_object_or_404(Invoice, pk=self.kwargs['pk'])\n\n    def get(self, request, pk):\n"
    "        invoice = self.get_object()\n        check_reader(request.user, invoice)\n        return show(invoice)\n\n"
    "    def put(self, request, pk):\n        invoice = self.get_object()\n        {asks}\n        close(invoice)\n",
    "billing/models.py": PLAIN_MODELS,
}
_SOLD = {
    "billing/api.py": "{queries}",
    "billing/views.py": "class Invoices(LoginRequiredMixin, ListView):\n    queryset = Invoice.objects.all()\n",
    "billing/models.py": PLAIN_MODELS,
}
_PAID = (
    f"{IN}def paid(request, pk):\n    invoice = get_object_or_404(Invoice, pk=pk)\n    note(request.POST)\n"
    "    return {goes_on}\n"
)
_KNOWN = (
    f"{IN}def known(request):\n    numbers = request.POST.getlist('numbers')\n"
    "    return JsonResponse(list(Invoice.objects.filter(number__in=numbers).values_list({columns})))\n"
)
_NAMED = f"{IN}def one(request):\n    return show(Invoice.objects.filter({{name}}=request.POST['name']).first())\n"
_GIVEN = (
    "class LineSerializer(Serializer):\n    def validate_invoice_id(self, value):\n"
    "        {result}Invoice.objects.get(pk=value)\n        return value\n"
)
_OPEN = "{decorator}def {name}(request, pk):\n    return Invoice.objects.get(pk=pk)\n\n\n"
_SCOPED = "def {name}(request, pk):\n    return Invoice.objects.get(pk=pk, company=request.company)\n\n\n"

_NOTED = f"{IN}def add(request):\n    invoice = Invoice.objects.get(pk=request.POST['id'])\n    {{call}}\n"
_MANY_OWN = (
    f"{IN}def drop(request):\n    found = Invoice.objects.filter(pk__in=request.POST.getlist('ids'))\n"
    "    known = {keys}\n    found = found.filter(pk__in=known.values_list('pk'))\n    found.delete()\n"
)
_STEPS = (
    "def told(events):\n    keys = set()\n    for event in events:\n        keys.update(event.payload.get('keys'))\n"
    f"    return names(Invoice.objects.filter(pk__in=keys))\n\n\n{IN}def shown(request):\n"
    "    return told(Event.objects.filter(company=request.company))\n"
)
_TAUGHT = (
    f"{IN}def lines(request):\n    key = request.GET['invoice']\n    found = Invoice.objects.filter(pk=key)\n"
    "    invoice = found.first()\n    if not works_for({given}):\n        return Response(status=403)\n"
    "    return Line.objects.filter(invoice_id=key)\n"
)
_PEOPLE = """\
class Profile(models.Model):
    company = models.ForeignKey("companies.Company", null=True, on_delete=models.CASCADE)
"""

PAIRS_BAD: tuple[Example, ...] = (
    by_hand(_APART.format(first="late = True", rows="newest(Invoice.objects.all(), late)"), note="handed to nobody"),
    by_hand(_ROLE.format(test="request.user.role not in ('owner', 'clerk')"), note="roles of a company's people"),
    by_hand(_ROLE.format(test="not is_open(request)"), note="nothing is asked of who comes"),
    by_hand(_MANY.format(test="row.paid"), note="nobody asks whose the rows are"),
    by_hand(_DESK.format(desk="request.POST['desk']"), note="what it is compared with came with the request too"),
    by_hand(_NAMED.format(name="number")),
    _each(_PLAYER, "players of one company", more="    company = models.ForeignKey('Company', models.CASCADE)\n"),
    _each(_PASSED, "the test is of another row", asked="get_plan"),
    _each(_SHARED, "scoped elsewhere", scoped="".join(_SCOPED.format(name=f"own_{at}") for at in range(5))),
    _each(_SOLD, "all others are scoped", queries=_SCOPED.format(name="own")),
    by_hand(_PAID.format(goes_on="render(request, 'paid.html', {'invoice': invoice})")),
    by_hand(_KNOWN.format(columns="'number', 'total'")),
    _each(_SHOWN, "one of those that call it asks nothing", asks="close(invoice)"),
    by_hand(
        f"{IN}def like(request, pk):\n    line = Line.objects.get(pk=request.POST['line'])\n"
        "    if not may_access(request, line):\n        raise PermissionDenied\n"
        "    Invoice.objects.filter(pk=pk).update(likes=F('likes') + 1)\n",
        note="the row of another key was asked for",
    ),
    by_hand(
        f"{IN}def add(request):\n"
        "    Line.objects.create(company=request.company, invoice=Invoice.objects.get(pk=request.POST['id']))\n",
        note="the new row shows what belongs to another",
    ),
    by_hand(
        f"{IN}def drop(request, pk):\n    who = request.user\n"
        "    code = Code.objects.filter(asked_by=who, line_id=request.POST['line']).latest('made')\n"
        "    Invoice.objects.get(pk=pk).drop(code)\n",
        note="another key was looked up among one's own",
    ),
    by_hand(
        f"{IN}def one(request, pk):\n    invoice = Invoice.objects.get(pk=pk)\n    if invoice.late:\n"
        "        raise ValidationError(invoice.number)\n    return invoice\n",
        note="it is shown where it is not refused",
    ),
    _with(_ONE, "billing/migrations/0002_own.py", _POLICY.format(table="billing_line"), "a policy of another table"),
    by_hand(_CHECKED.format(asks="data['company'].open"), "billing/serializers.py", "another key is validated"),
    _with(_ONE, "shop/views.py", _SHOP.format(model="Product"), "what everybody may read is of another model"),
    by_hand(_CHANNEL.format(test="not request.user.profile.paid"), note="who asks is asked, but not of the row"),
    by_hand(_LINE.format(value="request.GET.getlist('to')"), note="both came with the request"),
    _with(
        _ONE, "shop/views.py", _SHOP.format(model="Invoice").replace("open=True", "reader=request.user"), "of a person"
    ),
    by_hand(_FIELD.format(asked="line_id"), "billing/serializers.py", "another field is validated"),
    by_hand(_APPLY.format(saved="invoice"), note="who comes is not asked, and a row that was there is changed"),
    Example(
        {**_VALIDATED, "billing/serializers.py": _ASKED.format(asked="number")},
        tenancy="explicit",
        note="the serializer that validates what came asks for another of its values",
    ),
    by_hand(_RATING.format(permission="IsAuthenticated, IsClerk"), note="clerks of every company"),
    by_hand(_RATING.format(permission="IsAuthenticated, IsOwnerOrReadOnly"), note="all who are signed in may read"),
    Example(
        {"leases/models.py": _LEASES.format(name="name"), "leases/views.py": _LEASE},
        tenancy="explicit",
        note="an organisation",
    ),
    by_hand(
        "".join(_SCOPED.format(name=f"own_{at}") for at in range(2))
        + "".join(_OPEN.format(decorator=IN, name=f"one_{at}") for at in range(2)),
        note="as many are scoped: the others were forgotten",
    ),
    by_hand(_NOTED.format(call="Line.objects.create(company=request.company, invoice=invoice)"), note="of another row"),
    by_hand(_NOTED.format(call="log_invoice(invoice, company=request.company)"), note="noted, and not asked"),
    by_hand("def drop(request, pk):\n    Invoice.objects.get(pk=pk).delete()\n", note="nothing is published by that"),
    Example(
        {
            "people/models.py": _PEOPLE,
            "people/views.py": f"{IN}def one(request, pk):\n    return Profile.objects.get(pk=pk)\n",
        },
        tenancy="explicit",
        note="people of no company run the service",
    ),
    by_hand(_MANY_OWN.format(keys="Late.objects.all()"), note="narrowed by what all tenants have"),
    by_hand(_TAUGHT.format(given="invoice"), note="tested without who asks"),
    by_hand("".join(_OPEN.format(decorator=IN, name=f"one_{at}") for at in range(3)), note="a few of a small file"),
)
PAIRS_GOOD: tuple[Example, ...] = (
    by_hand(
        f"{IN}def like(request, pk):\n    invoice = Invoice.objects.get(pk=pk)\n"
        "    if not may_access(request, invoice):\n        raise PermissionDenied\n"
        "    Invoice.objects.filter(pk=pk).update(likes=F('likes') + 1)\n",
        note="the row of that key was asked for",
    ),
    by_hand(
        f"{IN}def like(request, pk):\n    invoices = Invoice.objects.select_related('company')\n"
        "    invoice = invoices.get(pk=pk)\n    check_access(request, invoice)\n"
        "    Invoice.objects.filter(pk=pk).update(likes=F('likes') + 1)\n",
        note="the same of rows that have a name",
    ),
    by_hand(
        _APART.format(
            first="own = self.request.user.company\n        if own:\n"
            "            return Invoice.objects.filter(company=own)",
            rows="Invoice.objects.all()",
        ),
        note="who belongs to a company sees its rows, and others are of none",
    ),
    by_hand(
        _APART.format(first="late = True", rows="visible(Invoice.objects.filter(late=late), self.request.user)"),
        note="narrowed by a function that knows who asks",
    ),
    by_hand(_ROLE.format(test="request.user.role != 'candidate'"), note="whom all companies serve"),
    by_hand(_ROLE.format(test="not is_auditor(request.user)"), note="what may be known of who asks is asked elsewhere"),
    by_hand(_MANY.format(test="row.clerk_id != request.user.pk"), note="each row is asked for"),
    by_hand(_DESK.format(desk="request.user.desk"), note="compared with what is of who asks"),
    by_hand(_DESK.format(desk="getattr(request, 'desk', None)"), note="and with what the request was found to be of"),
    _each(_PLAYER, "players, who are of no company", more=""),
    _each(_PASSED, "the test is of the row of the address", asked="get_permission_object"),
    _each(_SHARED, "rows that may belong to nobody, and that nothing scopes", scoped=""),
    _each(_SOLD, "others are not scoped either", queries=_OPEN.format(decorator="", name="one")),
    by_hand(_PAID.format(goes_on="redirect('invoice', pk=invoice.pk)"), note="nothing of the row is shown"),
    by_hand(_KNOWN.format(columns="'number'"), note="it answers what it was asked"),
    _each(_SHOWN, "all that call it ask for the row", asks="check_writer(request.user, invoice)"),
    by_hand(_NAMED.format(name="coupon_code"), note="a word that was handed out"),
    by_hand(_GIVEN.format(result=""), "billing/serializers.py", "nobody reads it"),
    by_hand(_GIVEN.format(result="known = "), "billing/serializers.py", "kept nowhere"),
    by_hand(_MANY_OWN.format(keys="open_for(request.user)"), note="narrowed by what was read of who asks"),
    by_hand(_NAMED.format(name="state=State.PUBLISHED, number"), note="published to everybody"),
    by_hand(_STEPS, note="what rows in hand hold"),
    by_hand(_TAUGHT.format(given="request.user.clerk, invoice"), note="whoever does not pass is turned away"),
    by_hand(
        "class Invoices(APIView):\n    permission_classes = [IsAuthenticated]\n\n    def post(self, request):\n"
        "        self._close(request.data['ids'], request.data)\n\n    def _close(self, ids, more):\n"
        "        last = self._one(more['last'])\n        if last.company_id != own_company():\n"
        "            raise PermissionDenied\n        last.close(ids)\n\n"
        "    def _one(self, key):\n        return Invoice.objects.get(pk=key)\n",
        note="one of those between asks for the row",
    ),
    by_hand(
        _NOTED.format(call="check_invoice(invoice, company=request.company)"), note="a check that knows the company"
    ),
    by_hand(
        f"{IN}def drop(request, pk):\n"
        "    Line.objects.filter(company=request.company, number=Invoice.objects.get(pk=pk).number).delete()\n",
        note="one word of it is a condition of a query that is scoped",
    ),
    by_hand(
        f"{IN}def drop(request, pk):\n    who = request.user\n"
        "    code = Code.objects.filter(asked_by=who, invoice_id=pk).latest('made')\n"
        "    Invoice.objects.get(pk=pk).drop(code)\n",
        note="the key was looked up among one's own",
    ),
    by_hand(
        "class Invoices(CreateAPIView):\n    permission_classes = [IsAuthenticated]\n\n"
        "    def create(self, request):\n        response = super().create(request)\n"
        "        return Response(whole(Invoice.objects.get(pk=response.data['id'])))\n",
        note="the key of what was just made",
    ),
    by_hand(
        "class LineSerializer(ModelSerializer):\n    def validate_number(self, number):\n"
        "        invoice = Invoice.objects.get(pk=self.initial_data['invoice'])\n"
        "        if number > invoice.count:\n            raise ValidationError(f'at most {invoice.count}')\n"
        "        return number\n",
        "billing/serializers.py",
        "it only decides, and is told in the refusal",
    ),
    by_hand(_CHECKED.format(asks="own(self.initial_data['invoice']).company"), "billing/serializers.py"),
    by_hand(
        f"{IN}def add(request, pk):\n    Line.objects.select_for_update().filter(invoice_id=pk)\n"
        "    add_line(request)\n",
        note="nobody reads it",
    ),
    _with(_ONE, "billing/migrations/0002_own.py", _POLICY.format(table="billing_invoice"), "a policy of its table"),
    _with(_ONE, "shop/views.py", _SHOP.format(model="Invoice"), "everybody may read rows of it elsewhere"),
    by_hand(
        _CHANNEL.format(test="not invoice.readers.filter(pk=request.user.pk).exists()"),
        note="who is not among those of the row is turned away",
    ),
    by_hand(
        f"{IN}def one(request, pk):\n    invoice = Invoice.objects.get(pk=pk)\n"
        "    reader = invoice.readers.get(user=request.user)\n    return show(invoice, reader)\n",
        note="only one of its readers reads it",
    ),
    by_hand(
        f"{IN}def one(request, link):\n    return Invoice.objects.get(share_link=link)\n",
        note="a link that was handed out",
    ),
    by_hand(_LINE.format(value="visible(request.actor)"), note="among the invoices that may be seen"),
    by_hand(_APPLY.format(saved="letter"), note="who comes is not asked, and adds a row of the address's tenant"),
    Example(
        {**_VALIDATED, "billing/serializers.py": _ASKED.format(asked="invoice_id")},
        tenancy="explicit",
        note="the serializer that validates what came asks whose its row is",
    ),
    by_hand(_FIELD.format(asked="invoice_id"), "billing/serializers.py"),
    by_hand(_RATING.format(permission="IsAuthenticated, IsCandidate"), note="those whom all companies serve"),
    by_hand(_RATING.format(permission="IsPublicOrHasKey"), note="its permission lets the public in"),
    by_hand(_RATING.format(permission="IsAuthenticatedOrReadOnly"), note="everybody may read"),
    Example(
        {"leases/models.py": _LEASES.format(name="first_name"), "leases/views.py": _LEASE},
        tenancy="explicit",
        note="who rents a flat is no organisation",
    ),
    by_hand(
        _SCOPED.format(name="own") + "".join(_OPEN.format(decorator=IN, name=f"one_{at}") for at in range(4)),
        note="most of its queries are of no tenant: so are its callers",
    ),
)

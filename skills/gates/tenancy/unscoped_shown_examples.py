"""What unscoped-tenant-query says of views that show every row of a model: its documentation and its tests."""

from skills.gates.rule import Example
from skills.gates.tenancy.unscoped_examples import IN, PLAIN_MODELS, by_hand

_OWN = "def own(request):\n    return Invoice.objects.filter(company=request.company)\n"
_PAGE = f"{IN}def late(request):\n    late = Invoice.objects.filter(paid=False)\n{{more}}"
_ROLE = (
    "class Invoices(ListAPIView):\n    permission_classes = [IsAuthenticated, IsClerk]\n"
    "    queryset = Invoice.objects.all()\n"
)


def _view(view: str, note: str = "", own: str = _OWN, **other: str) -> Example:
    files = {"billing/views.py": view, "billing/models.py": PLAIN_MODELS, "billing/api.py": own}
    return Example({**files, **({"core/base.py": other["base"]} if other else {})}, tenancy="explicit", note=note)


_OWN_ROWS = (
    "class OwnRows:\n    def get_queryset(self):\n"
    "        return super().get_queryset().filter(company=self.request.company)\n"
)
_ONE = "class One({bases}):\n    model = Invoice\n{more}"

SHOWN_BAD: tuple[Example, ...] = (
    _view(_ONE.format(bases="LoginRequiredMixin, DetailView", more=""), "a view that takes any row of its model"),
    _view(_ONE.format(bases="LoginRequiredMixin, ListView", more="    paginate_by = 20\n")),
    _view(
        _ONE.format(
            bases="LoginRequiredMixin, PermissionRequiredMixin, UpdateView",
            more="    def form_valid(self, form):\n        form.instance.changed_by = self.request.user\n"
            "        return super().form_valid(form)\n",
        ),
        "who may write one tenant's rows writes all tenants'",
    ),
    _view(
        f"@method_decorator(login_required, name='dispatch')\n{_ONE.format(bases='DeleteView', more='')}",
        "signed in by a decorator",
    ),
    _view(_ROLE, "the clerks of every company"),
    _view(
        _PAGE.format(more="    return render(request, 'late.html', {'invoices': late})\n"),
        "every tenant's rows in a page",
    ),
    _view(
        _PAGE.format(
            more="    if request.GET.get('day'):\n        late = late.filter(due=request.GET['day'])\n"
            "    return render(request, 'late.html', {'invoices': late})\n"
        ),
        "what a visitor chooses narrows nothing",
    ),
    _view(
        "class Invoices(OwnRows, ModelViewSet):\n    permission_classes = [IsAuthenticated]\n"
        "    queryset = Invoice.objects.all()\n\n    def close(self, request, pk):\n"
        "        Invoice.objects.get(pk=pk).close()\n",
        "what it is built on narrows its rows, and not those that a method reads itself",
        base=_OWN_ROWS,
    ),
    _view(
        "class Desk(LoginRequiredMixin, TemplateView):\n    def get_context_data(self, **kwargs):\n"
        "        context = super().get_context_data(**kwargs)\n"
        "        context['late'] = Invoice.objects.filter(paid=False)\n        return context\n",
        "rows that a page is filled with",
    ),
    _view(
        "class Invoices(ListAPIView):\n    permission_classes = [IsAuthenticated]\n"
        "    queryset = Invoice.objects.all()\n\n    @documented\n    def get(self, request):\n"
        "        return super().get(request)\n",
        "a method that is there for what decorates it",
    ),
)
SHOWN_GOOD: tuple[Example, ...] = (
    _view(
        _ONE.format(
            bases="LoginRequiredMixin, DetailView",
            more="    def get_queryset(self):\n        return self.request.company.invoices.all()\n",
        )
    ),
    _view(
        _ONE.format(bases="OwnRows, LoginRequiredMixin, DetailView", more=""),
        "the class that it is built on narrows its rows",
        base=_OWN_ROWS,
    ),
    _view(
        _ONE.format(
            bases="LoginRequiredMixin, UpdateView",
            more="    def form_valid(self, form):\n        if self.object.clerk != self.request.user:\n"
            "            raise PermissionDenied\n        return super().form_valid(form)\n",
        ),
        "the row is asked for before it is written",
    ),
    _view(
        _ONE.format(
            bases="LoginRequiredMixin, UserPassesTestMixin, DetailView",
            more="    def test_func(self):\n        return may_read(self.request.user, self.get_object())\n",
        )
    ),
    _view(_ONE.format(bases="LoginRequiredMixin, CreateView", more=""), "a view that only creates reads none"),
    _view(_ONE.format(bases="DetailView", more=""), "everybody may come"),
    _view(_ONE.format(bases="StaffRequiredMixin, ListView", more=""), "for those who run the service"),
    _view(
        _ROLE,
        "the permission asks for the row of the address",
        base="class IsClerk(BasePermission):\n    def has_object_permission(self, request, view, obj):\n"
        "        return obj.clerk == request.user\n",
    ),
    _view(
        _PAGE.format(
            more="    clerk = get_clerk(request)\n    late = late.filter(clerk=clerk)\n"
            "    return render(request, 'late.html', {'invoices': late})\n"
        ),
        "narrowed later by what is in hand",
    ),
    _view(
        _PAGE.format(more="    return render(request, 'late.html', {'invoices': late})\n"),
        "others are not scoped either",
        own="".join(f"def all_{at}(request):\n    return Invoice.objects.filter(paid=True)\n\n\n" for at in range(5)),
    ),
    by_hand(_PAGE.format(more="    note(late)\n"), note="nothing of them is shown"),
    by_hand(
        f"{IN}def count(request):\n    late = Invoice.objects.filter(paid=False).count()\n"
        "    return render(request, 'late.html', {'late': late})\n",
        note="a number shows no row",
    ),
)

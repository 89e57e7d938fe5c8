"""What the rule unordered-queryset finds, and what it leaves alone."""

from skills.gates.rule import Example

_MODEL = "class Order(models.Model):\n    paid = models.BooleanField()\n"
_ORDERED = _MODEL + "\n    class Meta:\n        ordering = ['-id']\n"
_LINES = _MODEL + "\n\nclass Line(models.Model):\n    order = models.ForeignKey(Order, related_name='lines')\n"


_MANAGED = (
    "class OrderQuerySet(models.QuerySet):\n    def open(self):\n        return self.filter(open=True)\n\n"
    "    def newest(self):\n        return self.order_by('-pk')\n\n\n"
    + _MODEL
    + "    objects = OrderQuerySet.as_manager()\n"
)


def _shop(source: str, models: str = _MODEL) -> Example:
    return Example({"shop/models.py": models, "shop/views.py": "from shop.models import Order\n\n\n" + source})


def _selected(rows: str, pages: str = "Paginator(paid(), 9)", models: str = _MODEL) -> Example:
    """A view that cuts what a function of another file answers."""
    selectors = f"from shop.models import Order\n\n\ndef paid():\n    return {rows}\n"
    view = (
        f"from shop import selectors\nfrom shop.selectors import paid\n\n\ndef orders(request):\n    return {pages}\n"
    )
    return Example({"shop/models.py": models, "shop/selectors.py": selectors, "shop/views.py": view})


_OF_ONE = (
    "class LineList(ListView):\n    paginate_by = 50\n\n    def get_queryset(self):\n"
    "        order = get_object_or_404(Order, pk=self.kwargs['pk'])\n        return order.lines.all()\n"
)

UNORDERED_BAD: tuple[Example, ...] = (
    Example(
        {
            "shop/settings.py": 'REST_FRAMEWORK = {"DEFAULT_PAGINATION_CLASS": "shop.Pages"}\n',
            "shop/models.py": _MODEL,
            "shop/views.py": "from shop.models import Order\n\n\nclass OrderViewSet(ModelViewSet):\n"
            "    queryset = Order.objects.all()\n",
        },
    ),
    _shop("class OrderViewSet(ModelViewSet):\n    queryset = Order.objects.all()\n"),
    _shop(
        "class OrderList(generics.ListAPIView):\n    pagination_class = Pages\n\n"
        "    def get_queryset(self):\n        return Order.objects.filter(paid=True)\n"
    ),
    _shop("class OrderList(ListView):\n    model = Order\n    paginate_by = 50\n"),
    _selected("Order.objects.filter(paid=True)"),
    _selected("Order.objects.filter(paid=True)", "Paginator(selectors.paid().exclude(old=True), 9)"),
    _selected("Order.objects.open()", models=_MANAGED),
    _shop(
        "def paid():\n    return Order.objects.filter(paid=True)\n\n\n"
        "def orders(request):\n    return Paginator(paid(), 9)\n"
    ),
    _shop("@router.get('/')\n@paginate\ndef orders(request):\n    return Order.objects.all()\n"),
    _shop("orders = Order.paid_ones.filter(day=1)[offset:offset + 9]\n", _MODEL + "    paid_ones = Paid()\n"),
    _shop("class OrderList(ListView):\n    model = Order\n    ordering = None\n    paginate_by = 50\n"),
    Example(
        {
            "shop/models.py": "class Page(models.Model):\n    title = models.CharField()\n",
            "shop/views.py": "from shop.models import Page\n\n\ndef pages(request):\n"
            "    return Paginator(Page.objects.all(), 50)\n",
        },
        note="a page of the project's own, none of a package",
    ),
    _shop("def orders(request):\n    rows = Order.objects.filter(paid=True)\n    return Paginator(rows, 50)\n"),
    _shop(
        "class OrderViewSet(ModelViewSet):\n    def get_queryset(self):\n"
        "        rows = Order.objects.filter(paid=True)\n"
        "        if self.request.user.is_staff:\n            rows = Order.objects.all()\n        return rows\n"
    ),
    _shop("def orders(offset):\n    return Order.objects.all()[offset : offset + 50]\n"),
    _shop("def orders(offset):\n    return Order.objects.order_by()[offset : offset + 50]\n", _ORDERED),
    _shop("class OrderViewSet(ModelViewSet):\n    queryset = Order.objects.order_by()\n", _ORDERED),
    _shop(
        "def orders(request):\n    pages = PageNumberPagination()\n"
        "    return pages.paginate_queryset(Order.objects.filter(paid=True), request)\n"
    ),
    _shop(
        "class OrderViewSet(ReadOnlyModelViewSet):\n    queryset = Order.objects.order_by('pk')\n\n"
        "    @action(detail=True)\n    def lines(self, request, pk):\n        rows = self.get_object().lines.all()\n"
        "        return self.paginate_queryset(rows)\n",
        _LINES,
    ),
    _shop("def orders(request):\n    return Paginator(Order.objects.values('pk').distinct(), 50)\n"),
    _shop(
        "def orders(request):\n    rows = Order.objects.all()\n    if request.GET:\n"
        "        rows = rows.filter(paid=True)\n    return Paginator(rows, 50)\n"
    ),
    _shop(
        "def lines(request, pk):\n    order = get_object_or_404(Order, pk=pk)\n"
        "    return Paginator(order.lines.all(), 50)\n",
        _LINES,
    ),
    _shop(
        "from django.core.paginator import Paginator as Pages\n\n\ndef f(request):\n"
        "    return Pages(Order.objects.filter(paid=True), 20)\n"
    ),
    _shop(
        "class OrderList(generics.ListAPIView):\n    pagination_class = Pages\n\n"
        "    def get_queryset(self):\n        orders = Order.objects.all()\n        if self.paid:\n"
        "            orders = orders.filter(paid=True)\n        return orders\n"
    ),
    _shop(
        "class OrderList(generics.ListAPIView):\n    pagination_class = Pages\n\n"
        "    def get_queryset(self):\n        if self.empty:\n            return Order.objects.none()\n"
        "        return Order.objects.exclude(paid=True)\n"
    ),
    _shop(
        "class Closed:\n    permission_classes = []\n\n\n"
        "class OrderList(Closed, generics.ListAPIView):\n    queryset = Order.objects.all()\n"
    ),
    _shop(
        "class OrderList(ListView):\n    model = Order\n    paginate_by = 9\n\n    def get_queryset(self):\n"
        "        rows = super().get_queryset()\n        return rows.filter(user=self.request.user)\n"
    ),
    _shop("def orders(request):\n    return Paginator(object_list=Order.objects.all(), per_page=9)\n"),
    _shop(
        "class Own:\n    def get_queryset(self):\n"
        "        return super().get_queryset().filter(user=self.request.user)\n\n\n"
        "class OrderViewSet(Own, ModelViewSet):\n    queryset = Order.objects.all()\n"
    ),
    _shop(
        "class OrderList(generics.ListAPIView):\n    def get_queryset(self):\n        rows = Order.objects.all()\n"
        "        return rows.filter(user=self.request.user)\n"
    ),
    _shop("class OrderList(generics.ListAPIView):\n    queryset = Order.objects.open()\n", _MANAGED),
    _shop(_OF_ONE, _LINES),
    _shop(_OF_ONE.replace("order =", "self.order =").replace("order.lines", "self.order.lines"), _LINES),
    _shop(
        "class OrderList(generics.ListAPIView):\n    def get_queryset(self):\n"
        "        return self.request.user.orders.filter(paid=True)\n",
        _MODEL + "    user = models.ForeignKey(settings.AUTH_USER_MODEL, related_name='orders')\n",
    ),
)
UNORDERED_GOOD: tuple[Example, ...] = (
    _shop(
        "def paid():\n    return Order.objects.order_by('pk')\n\n\n"
        "def orders(request):\n    return Paginator(paid().filter(paid=True), 9)\n"
    ),
    _shop(_OF_ONE, _LINES + "\n    class Meta:\n        ordering = ['pk']\n"),
    _shop(_OF_ONE.replace("all()", "newest()"), _LINES),
    Example(
        {
            "shop/settings.py": 'REST_FRAMEWORK = {"DEFAULT_VERSION": "1"}\n',
            "shop/models.py": _MODEL,
            "shop/views.py": "from shop.models import Order\n\n\nclass OrderViewSet(ModelViewSet):\n"
            "    queryset = Order.objects.all()\n",
        },
        note="nothing is cut into pages",
    ),
    _shop(
        "class OrderViewSet(ModelViewSet):\n    queryset = Order.objects.all()\n\n    def list(self, request):\n"
        "        rows = self.filter_queryset(self.get_queryset()).order_by('-pk')\n"
        "        return self.paginate_queryset(rows)\n"
    ),
    _shop(
        "class OrderList(ListView):\n    model = Order\n    paginate_by = 50\n\n"
        "    def get_ordering(self):\n        return 'pk'\n"
    ),
        _shop("class OrderList(generics.ListAPIView):\n    queryset = Order.objects.newest()\n", _MANAGED),
        _shop("class OrderList(generics.ListAPIView):\n    queryset = Order.objects.unknown()\n", _MANAGED),
        _shop("class OrderViewSet(ModelViewSet):\n    queryset = Order.objects.order_by('-id')\n"),
        _shop("class OrderViewSet(ModelViewSet):\n    queryset = Order.objects.all()\n", _ORDERED),
        _shop("class OrderViewSet(ModelViewSet):\n    queryset = Order.objects.all()\n    pagination_class = None\n"),
        _shop("class OrderViewSet(ModelViewSet):\n    queryset = Order.objects.all()\n    ordering = ['id']\n"),
        _shop("class OrderList(ListView):\n    model = Order\n"),
        _shop(
            "class OrderList(ListView):\n    queryset = Order.objects.order_by('pk')\n    paginate_by = 9\n\n"
            "    def get_queryset(self):\n        return super().get_queryset().filter(user=self.request.user)\n"
        ),
        _shop("class OrderView(RetrieveAPIView):\n    queryset = Order.objects.all()\n"),
        _shop(
            "class OrderViewSet(ModelViewSet):\n    queryset = Order.objects.all()\n\n"
            "    def get_queryset(self):\n        return super().get_queryset().order_by('id')\n"
        ),
        _shop(
            "class Own:\n    def get_queryset(self):\n        return super().get_queryset().newest()\n\n\n"
            "class OrderViewSet(Own, ModelViewSet):\n    queryset = Order.objects.all()\n"
        ),
        _shop("class MyOrder(generics.ListAPIView):\n    def get_queryset(self):\n"
              "        return Order.objects.filter(pk=self.request.user.order_id)\n"),
        _shop("newest = Order.objects.all()[:10]\n"),
        _selected("Order.objects.order_by('pk')"),
        _selected("Order.objects.all()", models=_ORDERED),
        _selected("Order.objects.newest()", models=_MANAGED),
        _selected("sorted(Order.objects.all())"),
        _selected("ask(Order)"),
        _shop("@router.get('/')\n@paginate\ndef orders(request):\n    return Order.objects.order_by('pk')\n"),
        _shop("orders = Order.paid_ones.filter(day=1)[offset:offset + 9]\n"),
        _shop("def orders(request):\n    pages = CursorPagination()\n"
              "    return pages.paginate_queryset(Order.objects.filter(paid=True), request)\n"),
        _shop("class OrderViewSet(ViewSet):\n    def list(self, request):\n"
              "        return self.paginate_queryset(Order.objects.order_by('pk'))\n"),
        _shop("def orders(request):\n    rows = Order.objects.all()\n    rows = rows.order_by('pk')\n"
              "    return Paginator(rows, 50)\n"),
        _shop("class OrderViewSet(ModelViewSet):\n    queryset = Order.objects.all()\n"
              "    pagination_class = Pages\n\n\nclass Pages(CursorPagination):\n    page_size = 50\n"),
        _shop("def lines(request, pk):\n    order = get_object_or_404(Order, pk=pk)\n"
              "    return Paginator(order.lines.all(), 50)\n",
              _LINES + "\n    class Meta:\n        ordering = ['pk']\n"),
)  # fmt: skip

"""Examples of the rule n-plus-one."""

from skills.gates.django.admin_examples import ADMIN_BAD, ADMIN_GOOD
from skills.gates.django.alchemy_examples import MAPPED_BAD, MAPPED_GOOD
from skills.gates.django.row_examples import FILLED_BAD, FILLED_GOOD
from skills.gates.rule import Example

_MODELS = (
    "class Team(models.Model):\n    pass\n\n\n"
    "class User(models.Model):\n"
    "    team = models.ForeignKey(Team, models.CASCADE, related_name='members')\n\n\n"
    "class Order(models.Model):\n    user = models.ForeignKey('User', models.CASCADE)\n"
    "    tags = models.ManyToManyField('Tag')\n    notes = GenericRelation('shop.Tag')\n\n"
    "    @property\n    def payer(self):\n        return self.user.name\n\n"
    "    def label(self):\n        return f'{self.pk} {self.user.name}'\n\n"
    "    def __str__(self):\n        return f'{self.pk} {self.user}'\n\n"
    "    @property\n    def title(self):\n        return self.payer.title()\n\n"
    "    def number(self):\n        return self.user_id\n\n\n"
    "class Line(models.Model):\n    order = models.ForeignKey(Order, models.CASCADE, related_name='lines')\n"
    "    product = models.ForeignKey('Product', models.CASCADE)\n\n\n"
    "class Tag(models.Model):\n    pass\n\n\nclass Product(models.Model):\n    pass\n"
)


def _api(queryset: str, fields: str, meta: str = "fields = ['id', 'user']") -> Example:
    """A list view over orders and its serializer."""
    serializers = (
        "from rest_framework import serializers\nfrom shop.models import Order, User\n\n\n"
        "class UserSerializer(serializers.ModelSerializer):\n    team = serializers.StringRelatedField()\n\n"
        "    class Meta:\n        model = User\n        fields = ['id', 'team']\n\n\n"
        f"class OrderSerializer(serializers.ModelSerializer):\n{fields}\n"
        f"    class Meta:\n        model = Order\n        {meta}\n"
    )
    views = (
        "from shop.models import Order\n\n\nclass OrderViewSet(viewsets.ModelViewSet):\n"
        f"    queryset = Order.objects.{queryset}\n    serializer_class = OrderSerializer\n"
    )
    return Example({"shop/models.py": _MODELS, "shop/serializers.py": serializers, "shop/views.py": views})


def _served(call: str) -> Example:
    """Orders that a view gives to their serializer itself."""
    serializers = (
        "class OrderSerializer(serializers.ModelSerializer):\n    name = serializers.CharField(source='user.name')\n\n"
        "    class Meta:\n        model = Order\n        fields = ['id']\n"
    )
    views = (
        "from shop import serializers\nfrom shop.models import Order\n\n\nclass Orders(GenericAPIView):\n"
        "    queryset = Order.objects.all()\n    serializer_class = OrderSerializer\n\n"
        f"    def get(self, request):\n        return Response({call}.data)\n"
    )
    return Example({"shop/models.py": _MODELS, "shop/serializers.py": serializers, "shop/views.py": views})


def _shop(source: str) -> Example:
    files = {
        "shop/models.py": _MODELS,
        "shop/labels.py": "def label(order):\n    return order.user.name\n\n\ndef key(order):\n"
        "    return order.user_id\n",
        "shop/reports.py": "from shop.models import Line, Order, Team, User\n\n\n" + source,
    }
    return Example(files)


def _managed(source: str, *, loads: str = "") -> Example:
    """Users behind a manager of the project's own."""
    own = f"    def get_queryset(self):\n        return super().get_queryset().{loads}\n\n" if loads else ""
    models = (
        "class Team(models.Model):\n    pass\n\n\nclass UserQuerySet(models.QuerySet):\n"
        "    def active(self):\n        return self.filter(active=True)\n\n"
        "    def with_team(self):\n        return self.select_related('team')\n\n"
        "    def whole(self):\n        return self.with_team().active().select_related('boss__team')\n\n\n"
        f"class StaffManager(models.Manager.from_queryset(UserQuerySet)):\n{own}    pass\n\n\n"
        "class User(models.Model):\n    team = models.ForeignKey(Team, models.CASCADE)\n"
        "    boss = models.ForeignKey('self', models.CASCADE)\n    objects = StaffManager()\n"
    )
    return Example({"shop/models.py": models, "shop/reports.py": "from shop.models import User\n\n" + source})


def _tree(body: str) -> Example:
    """Places in places."""
    models = (
        "class Place(models.Model):\n    parent = models.ForeignKey('self', models.CASCADE, related_name='parts')\n"
    )
    return Example({"shop/models.py": models + body})


_FIELD = "    late = serializers.SerializerMethodField()\n\n    def get_late(self, obj):\n        return "


def _part(source: str) -> Example:
    """A project without its models."""
    return Example({"shop/reports.py": "from shop.models import Order\n\n" + source})


def _mine(read: str) -> Example:
    """Orders of a user whose model is Django's."""
    models = (
        "class Order(models.Model):\n    user = models.ForeignKey(settings.AUTH_USER_MODEL, CASCADE)\n"
        "    shop = models.ForeignKey('Shop', CASCADE)\n\n\nclass Shop(models.Model):\n    pass\n"
    )
    view = f"def mine(request):\n    return [order.{read} for order in request.user.order_set.all()]\n"
    return Example({"shop/models.py": models, "shop/views.py": view})


N_PLUS_ONE_BAD: tuple[Example, ...] = (
    *MAPPED_BAD,
    *ADMIN_BAD,
    _part("for order in Order.objects.all():\n    print(order.user.name)\n"),
    _part("for order in Order.objects.all():\n    print(order.user and order.user.name)\n"),
    _tree(
        "\n    def path(self):\n        place = self\n        while place is not None:\n            yield place.pk\n"
        "            place = place.parent\n"
    ),
    _tree(
        "\n    def all_parts(self):\n        for part in self.parts.all():\n            yield from part.all_parts()\n"
    ),
    _tree("\n\ndef walk(place):\n    return [walk(part) for part in place.parts.all()]\n"),
    _shop(
        "class Report:\n    def __init__(self, user):\n        self.orders = Order.objects.filter(user=user)\n\n"
        "    def teams(self):\n        return [order.user.team for order in self.orders]\n"
    ),
    _mine("shop.name"),
    Example(
        {
            "shop/models.py": "class Order(models.Model):\n    user = models.ForeignKey('auth.User', CASCADE)\n",
            "shop/reports.py": "from django.contrib.auth.models import User\n\n"
            "counts = [user.order_set.count() for user in User.objects.all()]\n",
        }
    ),
    _shop("def labels(tag):\n    return [order.label() for order in tag.order_set.all()]\n"),
    _shop(
        "@receiver(post_save, sender=Order)\ndef on_order(sender, instance, **kwargs):\n"
        "    for line in instance.lines.all():\n        print(line.product)\n"
    ),
    _shop("def total(order):\n    return sum(line.product.price for line in order.lines.all())\n"),
    _shop("def total(request):\n    for line in request.order.lines.filter(open=True):\n        print(line.product)\n"),
    _api("prefetch_related('lines')", _FIELD + "obj.lines.filter(late=True).count()\n"),
    _api("all()", _FIELD + "Line.objects.filter(order=obj).count()\n"),
    _api("all()", _FIELD + "[tag.name for tag in obj.tags.all()]\n"),
    _shop(
        "class Orders(Feed):\n    def items(self):\n        return Order.objects.all()[:9]\n\n"
        "    def item_title(self, order):\n        return order.user.name\n"
    ),
    *(
        Example(
            {
                "shop/models.py": "class Team(models.Model):\n    boss = models.ForeignKey(User, models.CASCADE)\n\n"
                "    @property\n    def size(self):\n        return self.members.count()\n\n"
                "    def sold(self):\n        return Order.objects.filter(team=self).count()\n\n\n"
                "class Member(models.Model):\n"
                "    team = models.ForeignKey(Team, models.CASCADE, related_name='members')\n",
                "shop/reports.py": f"sizes = [{asked} for team in Team.objects.all()]\n",
            }
        )
        for asked in ("team.size", "team.sold()")
    ),
    _shop("names = [str(order) for order in Order.objects.all()]\n"),
    _shop("names = [order.title for order in Order.objects.all()]\n"),
    _shop("orders = list(Order.objects.all())\norders.sort(key=lambda order: order.user.pk)\n"),
    _shop("from operator import attrgetter\n\norders = sorted(Order.objects.all(), key=attrgetter('user.team'))\n"),
    _shop(
        "class Report:\n    queryset = Order.objects.all()\n\n    def lines(self):\n"
        "        return [self.line(order) for order in self.queryset]\n\n"
        "    def line(self, order):\n        return order.user.team\n"
    ),
    _shop("for order in Order.objects.all():\n    log(f'now {order}')\n"),
    _shop("for order in Order.objects.in_bulk([1, 2]).values():\n    print(order.user)\n"),
    _shop("for order in Order.objects.filter(paid=True):\n    print(order.user.name)\n"),
    _shop("def names():\n    orders = Order.objects.all()[:50]\n    return [order.user.name for order in orders]\n"),
    _shop("def f():\n    for team in Team.objects.all():\n        print(team.members.count())\n"),
    _shop("for order in Order.objects.select_related('user'):\n    print(order.user.team.name)\n"),
    _shop("for order in Order.objects.prefetch_related('lines'):\n    order.lines.filter(open=True)\n"),
    _shop("def f(order: Order):\n    for line in order.lines.all():\n        print(line.product.name)\n"),
    _shop("for team in Team.objects.all():\n    print(team.members.values_list('name'))\n"),
    _shop("for order in Order.objects.prefetch_related('lines'):\n    order.lines.all().exclude(pk=3)\n"),
    _shop("for order in Order.objects.prefetch_related('lines'):\n    print(order.lines.last())\n"),
    _shop("for order in Order.objects.prefetch_related('lines'):\n    print(order.lines.first())\n"),
    _shop("for team in Team.objects.iterator():\n    print(team.members.all())\n"),
    _shop("def total(orders):\n    for order in orders:\n        print(order.user)\n\n\ntotal(Order.objects.all())\n"),
    _shop(
        "def rows():\n    return Order.objects.all()\n\n\ndef f():\n    for order in rows():\n"
        "        order.tags.all()\n"
    ),
    _shop("orders = sorted(Order.objects.all(), key=lambda order: order.user.name)\n"),
    _shop("from shop.labels import label\n\nfor order in Order.objects.all():\n    print(label(order))\n"),
    _shop("names = [order.payer for order in Order.objects.all()]\n"),
    _shop("names = [order.label() for order in Order.objects.all()]\n"),
    _api("all()", "    user = UserSerializer()\n"),
    _api("select_related('user')", "    user = UserSerializer()\n"),
    _api("all()", "", "fields = ['id', 'user']\n        depth = 1"),
    _api("select_related('user')", "", "fields = '__all__'"),
    _shop("totals = Counter()\nfor order in Order.objects.all():\n    totals[order.user.name] += 1\n"),
    _shop("names = {}\nfor order in Order.objects.all():\n    names[order.user.name] = order.pk\n"),
    _shop("from shop.labels import label\n\nnames = list(map(label, Order.objects.all()))\n"),
    _shop("def key(order):\n    return order.user.pk\n\n\norders = sorted(Order.objects.all(), key=key)\n"),
    _shop(
        "class Page(DetailView):\n    model = Team\n\n    def f(self):\n"
        "        for user in self.object.members.all():\n            print(user.order_set.count())\n"
    ),
    _api("all()", "    payer = serializers.ReadOnlyField()\n", "fields = ['id', 'payer']"),
    _served("OrderSerializer(Tag.objects.get(pk=1).order_set.all(), many=True)"),
    _shop("first, *rest = Order.objects.all()\nfor order in rest:\n    print(order.user.name)\n"),
    _shop("total = reduce(lambda n, order: n + order.lines.count(), Order.objects.all(), 0)\n"),
    _shop("for pk, group in groupby(Line.objects.all()):\n    print([line.product.name for line in group])\n"),
    _api("all()", "    name = serializers.CharField(source='user.name')\n"),
    _api(
        "all()",
        "    team = serializers.SerializerMethodField()\n\n"
        "    def get_team(self, obj):\n        return obj.user.team_id\n",
    ),
    _api(
        "all()",
        "    def to_representation(self, instance):\n        return {'name': instance.user.name}\n",
    ),
    _served("OrderSerializer(Order.objects.all(), many=True)"),
    _shop(
        "def names():\n    def name(order):\n        return order.user.name\n\n"
        "    return [name(order) for order in Order.objects.all()]\n"
    ),
    _shop(
        "def names():\n    orders = Order.objects.order_by('pk')\n    first, rest = orders[0], orders[1:]\n"
        "    return first, [order.user.name for order in rest]\n"
    ),
    _served("serializers.OrderSerializer(instance=self.paginate_queryset(Order.objects.all()), many=True)"),
    _served("self.get_serializer(self.get_queryset().order_by('pk'), many=True)"),
    _shop(
        "class OrderList(ListView):\n    model = Order\n\n    def names(self):\n"
        "        return [order.user.name for order in self.get_queryset()]\n"
    ),
    _shop("for order in Order.objects.raw('SELECT * FROM shop_order'):\n    print(order.user.name)\n"),
    _shop("for order, rank in zip(Order.objects.order_by('pk'), ranks, strict=True):\n    print(order.user, rank)\n"),
    _shop("orders = Order.objects.all()\nfor i in range(len(orders)):\n    print(orders[i].user.name)\n"),
    _shop("for order in Order.objects.select_related('user').select_related(None):\n    print(order.user)\n"),
    _shop(
        "def names(orders=None):\n    if orders is None:\n        orders = Order.objects.all()\n"
        "    return [order.user.name for order in orders]\n"
    ),
    _shop(
        "lines = Prefetch('lines', to_attr='sorted_lines')\nfor order in Order.objects.prefetch_related(lines):\n"
        "    print(order.lines.all())\n"
    ),
    _shop(
        "lines = Prefetch('lines', Line.objects.order_by('pk'), 'sorted_lines')\n"
        "for order in Order.objects.prefetch_related(lines):\n    for line in order.sorted_lines:\n"
        "        print(line.product)\n"
    ),
    _shop(
        "async def names():\n    async for order in Order.objects.all():\n"
        "        await sync_to_async(lambda: order.user)()\n"
    ),
    _shop(
        "def names(kind):\n    match kind:\n        case 'late':\n            orders = Order.objects.all()\n"
        "        case _:\n            orders = Order.objects.none()\n    return [order.user for order in orders]\n"
    ),
    *FILLED_BAD,
    _shop("for order in chain(Order.objects.filter(pk=1), Order.objects.filter(pk=2)):\n    print(order.user)\n"),
    _shop("sum(note.size for order in Order.objects.all() for note in order.notes.all())\n"),
    _managed("for user in User.objects.active():\n    print(user.team)\n"),
    _managed("for user in User.objects.with_team():\n    print(user.team, user.boss)\n"),
    _managed("for user in User.objects.active():\n    print(user.boss)\n", loads="select_related('team')"),
)
N_PLUS_ONE_GOOD: tuple[Example, ...] = (
    *MAPPED_GOOD,
    *ADMIN_GOOD,
    *FILLED_GOOD,
    _part(
        "for order in Order.objects.select_related('user'):\n"
        "    print(order.user.name, order.day.year, order.user_id)\n"
    ),
    _part(
        "for order in Order.objects.all():\n    print(order.number.strip(), order.photo.name, order.notes.get('x'))\n"
    ),
    _part("for order in Order.objects.for_list():\n    print(order.user.name)\n"),
    _shop(
        "class TeamPage(DetailView):\n    def get_queryset(self):\n"
        "        return Team.objects.prefetch_related('members__orders')\n\n    def rows(self):\n"
        "        return [user.order_set.all() for user in self.object.members.all()]\n"
    ),
    _mine("user.name"),
    _tree("\n    def above(self):\n        return self.parent\n"),
    _shop("def total(order):\n    return sum(line.product.price for line in order.lines.select_related('product'))\n"),
    _shop(
        "def total(order):\n    return sum(line.product.price for line in order.lines.all())\n\n\n"
        "print(total(Order.objects.prefetch_related('lines__product').get(pk=1)))\n"
    ),
    _api("prefetch_related('tags')", _FIELD + "[tag.name for tag in obj.tags.all()]\n"),
    Example(
        {
            "shop/models.py": _MODELS,
            "shop/serializers.py": "class OrderSerializer(serializers.ModelSerializer):\n"
            f"{_FIELD}obj.lines.filter(late=True).count()\n\n    class Meta:\n        model = Order\n"
            "        fields = ['late']\n",
            "shop/views.py": "class OrderView(RetrieveAPIView):\n    queryset = Order.objects.all()\n"
            "    serializer_class = OrderSerializer\n",
        },
        note="one row is one query more",
    ),
    _shop(
        "lines = Prefetch('lines', Line.objects.select_related('product'), 'sorted_lines')\n"
        "for order in Order.objects.prefetch_related(lines):\n    for line in order.sorted_lines:\n"
        "        print(line.product, line.order)\n"
    ),
    _served("OrderSerializer(Order.objects.select_related('user'), many=True)"),
    _shop(
        "for order in Order.objects.prefetch_related('lines'):\n"
        "    print(order.lines.count(), order.lines.exists(), order.lines.all()[:3])\n"
    ),
    Example(
        {
            "shop/models.py": _MODELS.replace(
                "related_name='lines')", "related_name='lines')\n\n    class Meta:\n        ordering = ['pk']\n"
            ),
            "shop/reports.py": "from shop.models import Order\n\n"
            "for order in Order.objects.prefetch_related('lines'):\n    print(order.lines.first())\n",
        },
        note="the first of ordered rows is among those that were loaded",
    ),
    _served("OrderSerializer(Order.objects.get(pk=1))"),
    _served("OrderSerializer(data=request.data, many=True)"),
    _shop(
        "class OrderList(ListView):\n    model = Order\n\n    def get_queryset(self):\n"
        "        return super().get_queryset().select_related('user')\n\n    def names(self):\n"
        "        return [order.user.name for order in self.get_queryset()]\n"
    ),
    _shop(
        "def names(kind):\n    match kind:\n        case 'late':\n"
        "            orders = Order.objects.select_related('user')\n        case _:\n"
        "            raise ValueError(kind)\n    return [order.user for order in orders]\n"
    ),
    _managed("for user in User.objects.with_team():\n    print(user.team)\n"),
    _managed("for user in User.objects.active():\n    print(user.team)\n", loads="select_related('team')"),
    _managed("for user in User.objects.whole():\n    print(user.team, user.boss.team)\n"),
    _managed("for user in User.objects.all():\n    print(user.team)\n", loads="with_team()"),
    _shop("from shop.labels import key\n\nfor order in Order.objects.all():\n    print(key(order))\n"),
    _shop("from shop import labels\n\nfor order in Order.objects.select_related('user'):\n    labels.label(order)\n"),
    _api("select_related('user__team')", "    user = UserSerializer()\n"),
    _api("all()", "    number = serializers.CharField(source='pk')\n"),
    _api("select_related('user')", "", "fields = ['id', 'user']\n        depth = 1"),
    _api("all()", "    kind = serializers.CharField()\n", "exclude = ['tags']"),
    _api("all()", _FIELD + "obj.payers[0] if hasattr(\n            obj, 'payers'\n        ) else obj.user.name\n"),
    _api("select_related('user')", "    payer = serializers.ReadOnlyField()\n", "fields = ['id', 'payer']"),
    _served("OrderSerializer(User.objects.get(pk=1).order_set.all(), many=True)"),
    _shop("from shop.labels import key\n\nnames = list(map(key, Order.objects.all()))\n"),
    _shop("totals = Counter()\nfor order in Order.objects.all():\n    totals[order.user_id] += 1\n"),
    _shop("for pk, group in groupby(Line.objects.all()):\n    print([line.product_id for line in group])\n"),
    _api("all()", "    user = serializers.PrimaryKeyRelatedField(read_only=True)\n"),
    _shop("for order in Order.objects.select_related('user__team'):\n    print(order.user.team.name)\n"),
    _shop("for order in Order.objects.all():\n    print(order.user_id, order.total)\n    order.tags.add(3)\n"),
    _shop(
        "for team in Team.objects.all():\n    for user in team.members.none():\n        print(user.name)\n    break\n"
    ),
    _shop("names = [str(order) for order in Order.objects.select_related('user')]\n"),
    _shop("names = [order.title for order in Order.objects.select_related('user')]\n"),
    _shop("from operator import attrgetter\n\norders = sorted(Order.objects.all(), key=attrgetter('user_id'))\n"),
    _shop(
        "class Report:\n    queryset = Order.objects.select_related('user')\n\n    def lines(self):\n"
        "        return [self.line(order) for order in self.queryset]\n\n"
        "    def line(self, order):\n        return order.user.pk\n"
    ),
    _shop("names = [f'{user}' for user in User.objects.all()]\nprint(Order.objects.first())\n"),
    _shop("def f(team: Team):\n    for user in team.members.all():\n        print(user.team.name)\n"),
    _shop(
        "lines = Prefetch('lines', queryset=Line.objects.select_related('product'))\n"
        "orders = Order.objects.prefetch_related(lines)\n"
        "for order in orders:\n    for line in order.lines.all():\n        print(line.product)\n"
    ),
    _shop(
        "def f(full):\n    orders = Order.objects.all()\n    if full:\n"
        "        orders = orders.select_related('user')\n"
        "    for order in orders:\n        print(order.user)\n"
    ),
    _shop("for order in Order.objects.with_everything():\n    print(order.user)\n"),
    _shop("def f(team: Team):\n    for user in team.members.all():\n        print(user.team.pk)\n"),
    _shop("def f(user: User):\n    for order in user.order_set.all():\n        print(order.user.team)\n"),
    _shop(
        "orders = Order.objects.select_related('user').in_bulk([1])\n"
        "for order in orders.values():\n    print(order.user)\n"
    ),
    _shop("for order in Order.objects.values('user'):\n    print(order.user)\n"),
    _shop("order = Order.objects.get(pk=1)\nprint(order.user.team)\n"),
    _shop("for order in Order.objects.all():\n    print(order.pk)\nprint(order.user.team)\n"),
    _api("none()", "    user = UserSerializer()\n"),
    _shop("names = [order.payer for order in Order.objects.select_related('user')]\n"),
    _shop("names = [order.label() for order in Order.objects.select_related('user')]\n"),
    _shop("names = [order.number() for order in Order.objects.all()]\n"),
    _shop("print(Order.objects.get(pk=1).payer)\n"),
    Example(
        {
            "shop/models.py": "class OrderManager(Manager):\n    def get_queryset(self):\n"
            "        return super().get_queryset().select_related('user')\n\n\n"
            "class User(models.Model):\n    pass\n\n\n"
            "class Order(models.Model):\n"
            "    user = models.ForeignKey(User, models.CASCADE)\n    objects = OrderManager()\n",
            "shop/reports.py": "from shop.models import Order\n\n"
            "for order in Order.objects.all():\n    print(order.user)\n",
        }
    ),
)

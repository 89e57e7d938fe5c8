"""Examples of the rule n-plus-one: how rows come to a loop."""

from skills.gates.rule import Example

_MODELS = (
    "class Team(models.Model):\n    part_of = models.ForeignKey('self', models.CASCADE, related_name='parts')\n\n\n"
    "class Order(models.Model):\n    team = models.ForeignKey(Team, models.CASCADE)\n"
    "    buyer = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)\n"
    "    tags = models.ManyToManyField('Tag')\n    day = models.IntegerField()\n\n"
    "    @classmethod\n    def late(cls, day):\n        return cls.objects.filter(day__lt=day)\n\n"
    "    @classmethod\n    def whole(cls):\n        return cls.objects.select_related('team')\n\n"
    "    def holds(self, name):\n        return self.tags.filter(name=name).exists()\n\n"
    "    def newest(self):\n        return self.tags.first()\n\n"
    "    def shown(self, name=None):\n        return name or self.team.name\n\n"
    "    def get_absolute_url(self):\n        return f'/{self.team.name}/{self.pk}'\n\n\n"
    "class Tag(models.Model):\n    pass\n\n\n"
    "class Owned(models.Model):\n    owner = models.ForeignKey(Team, models.CASCADE)\n\n"
    "    class Meta:\n        abstract = True\n\n"
    "    @property\n    def top(self):\n        return self.owner.part_of.name\n\n\n"
    "class Crate(Owned):\n    def label(self):\n        return f'{self.pk} {self.top}'\n\n\n"
    "class Sack(Owned):\n    top = ''\n\n    def of(self):\n        return self.owner.name\n\n\n"
    "class Box(Owned):\n    @property\n    def top(self):\n        return self.size\n"
)


def _shop(source: str, note: str = "", also: str = "") -> Example:
    head = "" if " import Order\n" in source else "from shop.models import Order\n\n"
    files = {"shop/models.py": _MODELS, "shop/reports.py": head + source}
    return Example({**files, "shop/queries.py": also} if also else files, note=note)


_ORDERS = (
    "from shop.models import Order\n\n\nclass Orders(Repository):\n    model = Order\n\n"
    "    def late(self):\n        return self.model.objects.filter(day=1)\n\n"
    "    def whole(self):\n        return self.late().select_related('team')\n"
)
_BOTH = (
    "from shop.models import Order\n\n\ndef both():\n"
    "    return {'late': Order.objects.filter(day=1), 'rest': Order.objects.select_related('team')}\n"
)


_FILLED = "def names():\n    found{hint} = []\n    for order in {rows}:\n        if order.day:\n            "
_READ = "    return [order.team.name for order in found]\n"


def _shown(rows: str) -> Example:
    """A list that shows the text of rows behind its own."""
    files = {
        "shop/models.py": "class Team(models.Model):\n    pass\n\n\n"
        "class User(models.Model):\n    team = models.ForeignKey(Team, models.CASCADE)\n\n"
        "    def __str__(self):\n        return f'{self.pk} {self.team.name}'\n\n\n"
        "class Order(models.Model):\n    user = models.ForeignKey(User, models.CASCADE)\n",
        "shop/serializers.py": "from rest_framework import serializers\n\n\n"
        "class OrderSerializer(serializers.ModelSerializer):\n    user = serializers.StringRelatedField()\n\n"
        "    class Meta:\n        model = Order\n        fields = ['id', 'user']\n",
        "shop/views.py": "from shop.models import Order\n\n\nclass OrderViewSet(viewsets.ModelViewSet):\n"
        f"    serializer_class = OrderSerializer\n\n    def get_queryset(self):\n        rows = Order.objects.all()\n"
        f"{rows}        return rows\n",
    }
    return Example(files)


FILLED_BAD: tuple[Example, ...] = (
    _shown("        rows = rows.select_related('user')\n"),
    _shown("        if self.action == 'retrieve':\n            rows = rows.select_related('user__team')\n"),
    _shop(
        "class Report:\n    @property\n    def orders(self):\n        return Order.objects.filter(day=self.day)\n\n"
        "    def names(self):\n        return [order.team.name for order in self.orders]\n"
    ),
    _shop("for order in Order.objects.select_related('buyer'):\n    print(order.buyer.order_set.all())\n"),
    _shop(
        "from shop.models import Team\n\nfor team in Team.objects.prefetch_related('order_set__tags'):\n"
        "    for order in team.order_set.filter(day=1):\n        print(order.buyer_id, order.tags.all())\n"
    ),
    _shop(
        "from shop.models import Team\n\nteam = Team.objects.create(**fields)\n"
        "print([order.buyer.name for order in team.order_set.all()])\n"
    ),
    _shop("by_key = Order.objects.in_bulk()\nprint([by_key[key].team.name for key in by_key])\n"),
    _shop(
        "from shop.models import Team\n\n\ndef walk(rows: QuerySet[Team]):\n"
        "    for team in rows:\n        yield from walk(team.parts.all())\n"
    ),
    _shop(_FILLED.format(hint="", rows="Order.objects.all()") + "found.append(order)\n" + _READ),
    _shop(_FILLED.format(hint=": list[Order]", rows="Order.objects.all()") + "found.append(order)\n" + _READ),
    _shop("def names():\n    found = []\n    found.extend(Order.objects.all())\n" + _READ),
    _shop(
        "def names():\n    try:\n        found = Order.objects.all()\n    except ValueError:\n        found = []\n"
        + _READ
    ),
    _shop(
        "by_key = {order.pk: order for order in Order.objects.all()}\n"
        "print([order.team.name for key, order in by_key.items()])\n"
    ),
    _shop("print(Order.objects.count(), [order.team.name for order in Order.late(today)])\n"),
    _shop("from shop.models import Crate\n\nprint([crate.top for crate in Crate.objects.all()])\n", note="inherited"),
    _shop(
        "from shop.models import Crate\n\nprint([crate.label() for crate in Crate.objects.select_related('owner')])\n"
    ),
    _shop("from shop.models import Sack\n\nprint([sack.of() for sack in Sack.objects.all()])\n"),
    _shop(
        "import itertools\n\nrows = itertools.chain(Order.objects.filter(day=1), Order.objects.filter(day=3))\n"
        "print([order.team.name for order in rows])\n"
    ),
    _shop(
        "by_day = defaultdict(list)\nfor order in Order.objects.all():\n    by_day[order.day].append(order)\n"
        "print([order.team.name for orders in by_day.values() for order in orders])\n"
    ),
    _shop("print([order.team.name for order in Paginator(Order.objects.all(), 9).page(1).object_list])\n"),
    _shop("print([order for order in Order.objects.all() if order.holds('tea')])\n"),
    _shop("print([order.get_absolute_url() for order in Order.objects.all()])\n"),
    _shop(
        "from django.contrib.auth.models import User\n\n\n"
        "def teams(user: User):\n    return [order.team.name for order in user.order_set.all()]\n"
    ),
    _shop("print([order.day for order in Order.objects.only('team')])\n"),
    _shop("print([order.day for order in Order.objects.defer('day', 'tags')])\n"),
    _shop("rows = {'all': Order.objects.all(), 'day': 1}\nprint([order.team.name for order in rows['all']])\n"),
    _shop("rows = {}\nrows['all'] = Order.objects.all()\nprint([order.team.name for order in rows.get('all')])\n"),
    _shop("from shop.queries import both\n\nprint([order.team.name for order in both()['late']])\n", also=_BOTH),
    _shop("rows = dict(late=Order.objects.filter(day=1))\nprint([order.team.name for order in rows['late']])\n"),
    _shop("orders = Order.objects.all()\nprint([order.team.name for order in orders or []])\n"),
    _shop("def names(rows):\n    return [order.team.name for order in rows or Order.objects.all()]\n"),
    _shop("print([order.newest() for order in Order.objects.prefetch_related('tags')])\n"),
    _shop(
        "from shop.queries import Orders\n\n\nclass Report:\n    def __init__(self, orders=None):\n"
        "        self.orders = orders or Orders()\n\n"
        "    def names(self):\n        return [order.team.name for order in self.orders.late()]\n",
        also=_ORDERS,
    ),
    _shop("def names(orders: list[Order]):\n    return [order.buyer.name for order in orders]\n"),
    _shop(
        "late, rest = [], []\nfor order in Order.objects.all():\n    (late if order.day else rest).append(order)\n"
        "print([order.team.name for order in rest])\n"
    ),
    _shop(
        "class Report:\n    def rows(self, day):\n        return Order.objects.filter(day=day)\n\n"
        "    def names(self, day):\n        return [order.team.name for order in self.rows(day)]\n"
    ),
)
FILLED_GOOD: tuple[Example, ...] = (
    _shown("        if self.action == 'list':\n            rows = rows.select_related('user__team')\n"),
    _shown("        rows = rows.select_related('user__team')\n"),
    _shop("class Report:\n    @property\n    def orders(self):\n        return Order.objects.select_related('team')\n\n"
          "    def names(self):\n        return [order.team.name for order in self.orders]\n"),
    _shop("for order in Order.objects.prefetch_related('buyer__order_set'):\n"
          "    print(order.buyer.order_set.all())\n"),
    _shop("def names(rows):\n    found = []\n    for row in rows:\n"
          "        found.append(Order.objects.create(**row))\n" + _READ),
    _shop(_FILLED.format(hint="", rows="Order.objects.select_related('team')") + "found.append(order)\n" + _READ),
    _shop("def names(teams):\n    found = []\n    for team in teams:\n"
          "        found.append(Order.objects.create(team=team))\n" + _READ, note="what a row was made with it holds"),
    _shop("def names(others):\n    found = []\n    for order in others:\n        found.append(order)\n" + _READ),
    _shop("by_key = {order.pk: order for order in Order.objects.select_related('team')}\n"
          "print([order.team.name for key, order in by_key.items()])\n"),
    _shop("print(Order.objects.count(), [order.team.name for order in Order.whole()])\n"),
    _shop("from shop.models import Crate\n\n"
          "print([crate.label() for crate in Crate.objects.select_related('owner__part_of')])\n"),
    _shop("from shop.models import Box\n\nprint([box.top for box in Box.objects.all()])\n", note="overridden"),
    _shop("by_day = defaultdict(list)\nfor order in Order.objects.select_related('team'):\n"
          "    by_day[order.day].append(order)\n"
          "print([order.team.name for orders in by_day.values() for order in orders])\n"),
    _shop("print(Order.objects.count(), [order.team.name for order in Order.unknown()])\n"),
    _shop("print([order.shown(name='x') for order in Order.objects.all()])\n", note="a word may spare the query"),
    _shop("for order in Order.objects.only('day'):\n    order.tags = 1\n    print(order.day, order.pk, order.size)\n"),
    _shop("rows = Order.objects.only('team') if few else Order.objects.all()\nprint([order.day for order in rows])\n"),
    _shop("print([order.day for order in Order.objects.defer('day').defer(None)])\n"),
    _shop("rows = {'all': Order.objects.select_related('team'), 'day': 1}\n"
          "print([order.team.name for order in rows['all']])\n"),
    _shop("from shop.queries import both\n\nprint([order.team.name for order in both()['rest']])\n", also=_BOTH),
    _shop("def names(orders: list[Order]):\n    return [order.team.name for order in orders]\n", also=_BOTH,
          note="whoever gives them may have loaded what is loaded elsewhere"),
    _shop("orders = Order.objects.select_related('team')\nprint([order.team.name for order in orders or []])\n"),
    _shop("from shop.queries import Orders\n\nprint([order.team.name for order in Orders().whole()])\n", also=_ORDERS),
    _shop("from shop.views import Order\n\n\ndef names(orders: list[Order]):\n"
          "    return [order.team.name for order in orders]\n"),
    _shop("from django.contrib.auth.models import User\n\n\n"
          "def teams(user: User):\n    return [order.buyer.name for order in user.order_set.all()]\n"),
)  # fmt: skip

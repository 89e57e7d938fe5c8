"""The rule n-plus-one: a query for each row of another query."""

import ast

from msgspec.structs import replace

from skills.gates.admin_lists import admin_list
from skills.gates.context import FileContext, FunctionNode
from skills.gates.model import Candidate, Confidence, Evidence, FileReport
from skills.gates.project import Place, Project
from skills.gates.relations import Relations, relations_of
from skills.gates.roles import is_product_path
from skills.gates.row_calls import Access
from skills.gates.row_flow import Flow
from skills.gates.row_helpers import (
    HELPERS,
    PROPERTIES,
    UNORDERED,
    asked_anew,
    holds_for_given,
    holds_for_property,
    report_given,
    told,
)
from skills.gates.row_values import EVERYTHING, Row, Rows, below, covers
from skills.gates.rule import Example, Rule, Watch
from skills.gates.serializer_rows import N_PLUS_ONE, VIEW_WATCH, holds_for_view, report_many

SKILL = "django-query-optimizer"
_QUERYSETS = (b".objects", b"QuerySet[", b"get_queryset", b".all()", b"_set.", b"queryset")


def _hearer(context: FileContext, more: tuple[tuple[str, str], ...] = ()) -> Access:
    """What hears of the attributes that are read of rows, and reports each once with `more` needs."""
    seen: set[tuple[object, ...]] = set()

    def on_access(part: ast.expr, statement: ast.AST, symbol: str, row: Row, attribute: str) -> None:
        key = (row.loop, row.origin, row.steps, attribute)
        if key in seen:
            return
        seen.add(key)
        context.statement = statement
        needs = (
            ("origin", row.origin), ("manager", row.manager), ("steps", "/".join(row.steps)), ("attribute", attribute),
            *(("loaded", name) for name in sorted(row.loaded)), *(("through", name) for name in row.through), *more,
            *asked_anew(part, row, context),
        )  # fmt: skip
        evidence = [Evidence(context.path, row.loop, "takes the rows one by one")]
        if row.line and row.line != row.loop:
            evidence.insert(0, Evidence(context.path, row.line, "asks for the rows"))
        confidence: Confidence = "confirmed" if row.sure else "likely"
        context.report(
            N_PLUS_ONE,
            part,
            f"`{attribute}` is read of each row",
            confidence=confidence,
            needs=needs,
            evidence=tuple(evidence),
            symbol=symbol,
        )

    return on_access


def _on_module(node: ast.Module, context: FileContext) -> None:
    if not any(word in context.source for word in (b"for ", b"lambda", b"many=True")):
        return
    seen: set[tuple[object, ...]] = set()

    def on_given(part: ast.expr, statement: ast.AST, symbol: str, row: Row, place: str) -> None:
        if (key := (row.loop, row.origin, row.steps, place)) in seen:
            return
        seen.add(key)
        before = context.statement
        context.statement = statement
        report_given(context, part, symbol, row, place)
        context.statement = before

    def on_many(part: ast.Call, statement: ast.AST, symbol: str, rows: Rows, serializer: str) -> None:
        if (part.lineno, rows) not in seen:
            seen.add((part.lineno, rows))
            before = context.statement
            context.statement = statement
            report_many(context, part, serializer, rows, symbol)
            context.statement = before

    Flow(context, _hearer(context), on_given, on_many).run()
    context.statement = node


def _on_admin(node: ast.ClassDef, context: FileContext) -> None:
    """The columns of an admin list that are methods: each is asked of every row on the page."""
    listed = admin_list(node, context)
    if listed is None:
        return
    model, columns, loaded = listed
    more = tuple(("column", name) for name in columns)
    before = context.statement
    for method in node.body:
        if isinstance(method, FunctionNode) and method.name in columns and len(method.args.args) == 2:
            flow = Flow(context, _hearer(context, more))
            flow.symbols = [*filter(None, [context.symbol]), node.name]
            row = Row(model, "objects", loaded=loaded, line=node.lineno, loop=method.lineno)
            flow.function(method, {}, {method.args.args[1].arg: row})
    context.statement = before


def _holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    """A relation of a model that nobody loaded; what a reverse relation brings along costs nothing."""
    said = dict(candidate.needs)
    if "serializer" in said:
        return holds_for_view(candidate, report, project)
    relations = relations_of(project)
    reached = relations.reached(said["origin"], said["steps"].split("/"), report.path)
    if reached is None:
        return None
    model, last = reached
    more = _loaded_by_methods(candidate, report, relations)
    if more is None or (covers(more, said.get("attribute", EVERYTHING)) and "narrowed" not in said):
        return None
    candidate = replace(candidate, needs=(*candidate.needs, *(("loaded", name) for name in sorted(more))))
    if "given" in said:
        return holds_for_given(candidate, model, last, relations, project)
    if _loads_all(candidate, relations.model(said["origin"], report.path), relations):
        return None
    found = relations.behind(model, said["attribute"])
    if found is None:
        return holds_for_property(candidate, said["attribute"], model, last, relations, project)
    # The first of rows in an order is among those that were loaded.
    at_hand = UNORDERED in said and (found.target is None or _has_order(found.target, project))
    if at_hand or (last is not None and last.back == said["attribute"]):
        return None
    return told(candidate, said["attribute"], model, found)


def _loaded_by_methods(candidate: Candidate, report: FileReport, relations: Relations) -> frozenset[str] | None:
    """What the rows' manager, and those of its methods that they passed, load behind them; None where nobody can
    tell."""
    said = dict(candidate.needs)
    through = [name for kind, name in candidate.needs if kind == "through"]
    first = relations.model(said["origin"], report.path)
    found = relations.loads(first, said["manager"], through) if first is not None else frozenset()
    for step in filter(None, said["steps"].split("/")) if found else ():
        found = below(found or frozenset(), step)
    return found


def _has_order(model: Place, project: Project) -> bool:
    """True where a model, or what it is built on in or outside of the project, gives its rows an order."""
    above = set(project.models.ancestors(model[1].name)) - {"Model"}
    return any(project.has("ordering", name) or not project.named("model", name) for name in above)


def _loads_all(candidate: Candidate, model: Place | None, relations: Relations) -> bool:
    """True where a list of the admin shows a foreign key of its own: it loads them all then."""
    columns = [name for kind, name in candidate.needs if kind == "column"]
    if model is None:
        return False
    return any((found := relations.behind(model, name)) is not None and not found.many for name in columns)


_MODELS = (
    "class Team(models.Model):\n    pass\n\n\n"
    "class User(models.Model):\n"
    "    team = models.ForeignKey(Team, models.CASCADE, related_name='members')\n\n\n"
    "class Order(models.Model):\n    user = models.ForeignKey('User', models.CASCADE)\n"
    "    tags = models.ManyToManyField('Tag')\n    notes = GenericRelation('shop.Tag')\n\n"
    "    @property\n    def payer(self):\n        return self.user.name\n\n"
    "    def label(self):\n        return f'{self.pk} {self.user.name}'\n\n"
    "    def number(self):\n        return self.user_id\n\n\n"
    "class Line(models.Model):\n    order = models.ForeignKey(Order, models.CASCADE, related_name='lines')\n"
    "    product = models.ForeignKey('Product', models.CASCADE)\n\n\n"
    "class Tag(models.Model):\n    pass\n\n\nclass Product(models.Model):\n    pass\n"
)


def _api(queryset: str, fields: str) -> Example:
    """A list view over orders and its serializer."""
    serializers = (
        "from rest_framework import serializers\nfrom shop.models import Order, User\n\n\n"
        "class UserSerializer(serializers.ModelSerializer):\n    team = serializers.StringRelatedField()\n\n"
        "    class Meta:\n        model = User\n        fields = ['id', 'team']\n\n\n"
        f"class OrderSerializer(serializers.ModelSerializer):\n{fields}\n"
        "    class Meta:\n        model = Order\n        fields = ['id', 'user']\n"
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


n_plus_one = Rule(
    name=N_PLUS_ONE,
    gate="P1",
    severity="HIGH",
    skill=SKILL,
    sources=("BN-S5", "PB-D3"),
    catches="Loops over rows that read a relation of each row which was not loaded with them.",
    why="Each row costs a query of its own: a list of a hundred orders asks the database a hundred and one times, and "
    "nobody sees it in the code or on a small test database.",
    fix="Load the relation with the rows: `select_related` for a row behind a foreign key, `prefetch_related` for "
    "many; `Prefetch(…, queryset=…)` where they are filtered.",
    when="Where the rows, the loop and the relation are all known: models, foreign keys and their other sides are "
    "looked up in the project, and values followed through variables, slices, comprehensions, functions of the "
    "file, one function of another file, properties and methods of the model. REST views that list are compared with "
    "what their serializer reads, lists of the admin with the methods that they show. Silent where something on the "
    "way is not understood. Not in tests and migrations.",
    watches=(
        Watch((ast.Module,), _on_module, _QUERYSETS, is_product_path),
        Watch((ast.ClassDef,), _on_admin, (b"list_display",), is_product_path),
        VIEW_WATCH,
        HELPERS,
        PROPERTIES,
    ),
    holds=_holds,
    bad=(
        _shop("for order in Order.objects.filter(paid=True):\n    print(order.user.name)\n"),
        _shop(
            "def names():\n    orders = Order.objects.all()[:50]\n    return [order.user.name for order in orders]\n"
        ),
        _shop("def f():\n    for team in Team.objects.all():\n        print(team.members.count())\n"),
        _shop("for order in Order.objects.select_related('user'):\n    print(order.user.team.name)\n"),
        _shop("for order in Order.objects.prefetch_related('lines'):\n    order.lines.filter(open=True)\n"),
        _shop("def f(order: Order):\n    for line in order.lines.all():\n        print(line.product.name)\n"),
        _shop("for team in Team.objects.all():\n    print(team.members.values_list('name'))\n"),
        _shop("for order in Order.objects.prefetch_related('lines'):\n    order.lines.all().exclude(pk=3)\n"),
        _shop("for order in Order.objects.prefetch_related('lines'):\n    print(order.lines.last())\n"),
        _shop("for order in Order.objects.prefetch_related('lines'):\n    print(order.lines.first())\n"),
        _shop("for team in Team.objects.iterator():\n    print(team.members.all())\n"),
        _shop(
            "def total(orders):\n    for order in orders:\n        print(order.user)\n\n\ntotal(Order.objects.all())\n"
        ),
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
        _shop(
            "for order, rank in zip(Order.objects.order_by('pk'), ranks, strict=True):\n    print(order.user, rank)\n"
        ),
        _shop("orders = Order.objects.all()\nfor i in range(len(orders)):\n    print(orders[i].user.name)\n"),
        _shop("for order in Order.objects.select_related('user').select_related(None):\n    print(order.user)\n"),
        _shop(
            "def names(orders=None):\n    if orders is None:\n        orders = Order.objects.all()\n"
            "    return [order.user.name for order in orders]\n"
        ),
        _shop("sum(note.size for order in Order.objects.all() for note in order.notes.all())\n"),
        _managed("for user in User.objects.active():\n    print(user.team)\n"),
        _managed("for user in User.objects.with_team():\n    print(user.team, user.boss)\n"),
        _managed("for user in User.objects.active():\n    print(user.boss)\n", loads="select_related('team')"),
        Example(
            {
                "shop/models.py": _MODELS,
                "shop/admin.py": "@admin.register(Order)\nclass OrderAdmin(admin.ModelAdmin):\n"
                "    list_display = ['pk', 'payer']\n\n    def payer(self, obj):\n        return obj.user.name\n",
            }
        ),
    ),
    good=(
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
        _managed("for user in User.objects.with_team():\n    print(user.team)\n"),
        _managed("for user in User.objects.active():\n    print(user.team)\n", loads="select_related('team')"),
        _managed("for user in User.objects.whole():\n    print(user.team, user.boss.team)\n"),
        _managed("for user in User.objects.all():\n    print(user.team)\n", loads="with_team()"),
        Example(
            {
                "shop/models.py": _MODELS,
                "shop/admin.py": "@admin.register(Order)\nclass OrderAdmin(admin.ModelAdmin):\n"
                "    list_display = ['user', 'payer']\n\n    def payer(self, obj):\n        return obj.user.team\n\n\n"
                "@admin.register(Line)\nclass LineAdmin(admin.ModelAdmin):\n    list_display = ['number']\n"
                "    list_select_related = ['order']\n\n    def number(self, obj):\n        return obj.order.number\n",
            },
            note="the admin loads foreign keys that it shows itself",
        ),
        _shop("from shop.labels import key\n\nfor order in Order.objects.all():\n    print(key(order))\n"),
        _shop(
            "from shop import labels\n\nfor order in Order.objects.select_related('user'):\n    labels.label(order)\n"
        ),
        _api("select_related('user__team')", "    user = UserSerializer()\n"),
        _api("all()", "    number = serializers.CharField(source='pk')\n"),
        _api("all()", "    user = serializers.PrimaryKeyRelatedField(read_only=True)\n"),
        _shop("for order in Order.objects.select_related('user__team'):\n    print(order.user.team.name)\n"),
        _shop("for order in Order.objects.all():\n    print(order.user_id, order.total)\n    order.tags.add(3)\n"),
        _shop(
            "for team in Team.objects.all():\n    for user in team.members.none():\n"
            "        print(user.name)\n    break\n"
        ),
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
    ),
)

RULES: tuple[Rule, ...] = (n_plus_one,)

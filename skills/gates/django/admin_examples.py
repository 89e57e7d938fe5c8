"""Examples of the rule n-plus-one: lists, inlines and actions of Django's admin."""

from skills.gates.rule import Example

_MODELS = (
    "class Team(models.Model):\n    pass\n\n\n"
    "class User(models.Model):\n    team = models.ForeignKey(Team, models.CASCADE)\n\n\n"
    "class Order(models.Model):\n    user = models.ForeignKey(User, models.CASCADE)\n"
    "    team = models.ForeignKey(Team, models.CASCADE, null=True)\n\n"
    "    def __str__(self):\n        return self.user.name\n\n"
    "    def told(self):\n        return self.lines.count()\n\n\n"
    "class Line(models.Model):\n    order = models.ForeignKey(Order, models.CASCADE, related_name='lines')\n"
    "    product = models.ForeignKey('Product', models.CASCADE)\n\n\nclass Product(models.Model):\n    pass\n"
)
_PAYER = "    def payer(self, obj):\n        return obj.user.name\n"


def _admin(body: str, bases: str = "admin.ModelAdmin", rest: str = "", note: str = "") -> Example:
    """A list of orders."""
    source = f"@admin.register(Order)\nclass OrderAdmin({bases}):\n{body}\n\n{rest}"
    return Example({"shop/models.py": _MODELS, "shop/admin.py": source}, note=note)


def _rows(queryset: str) -> str:
    return (
        "    list_display = ['pk', 'payer']\n\n    def get_queryset(self, request):\n"
        f"        rows = super().get_queryset(request)\n        return {queryset}\n\n{_PAYER}"
    )


def _chosen(rows: str, loads: str = "") -> str:
    return (
        f"    list_display = ['pk']\n{loads}\n    @admin.action\n    def remind(self, request, queryset):\n"
        f"        for order in {rows}:\n            send(order.user.name)\n"
    )


def _inline(method: str) -> str:
    return (
        "class LineInline(admin.TabularInline):\n    model = Line\n    readonly_fields = ['shown', 'pk']\n\n"
        f"    def shown(self, obj):\n        return {method}\n"
    )


ADMIN_BAD: tuple[Example, ...] = (
    _admin(f"    list_display = ['pk', 'payer']\n\n{_PAYER}"),
    _admin(f"    list_display = ['pk', 'payer']\n\n{_PAYER}", "ImportExportModelAdmin"),
    _admin(_rows("rows.filter(user__isnull=False)")),
    _admin("    list_display = ['pk', payer]\n", rest="def payer(order):\n    return order.user.name\n"),
    _admin(_chosen("queryset")),
    _admin(
        "    list_display = ['pk']\n    actions = [remind]\n",
        rest="def remind(modeladmin, request, queryset):\n    for order in queryset:\n        send(order.user.name)\n",
    ),
    _admin("    list_display = ['pk']\n    inlines = [LineInline]\n", rest=_inline("obj.product.name")),
    _admin("    search_fields = ['pk']\n", note="what a model says of its row is asked of each"),
    _admin("    list_display = ['user', 'told']\n"),
    _admin("    list_display = ['user', 'team']\n", note="a key that may be empty is not loaded with the others"),
    _admin("    list_display = ['pk', 'user']\n    list_select_related = ['team']\n"),
    _admin(_rows("rows.select_related('team')").replace("'pk'", "'user'")),
)
ADMIN_GOOD: tuple[Example, ...] = (
    _admin("    list_display = ['pk', 'told']\n\n    def told(self, obj):\n        return obj.pk\n"),
    _admin("    list_display = ['user', '__str__']\n"),
    _admin("    list_display = ['pk', '__str__']\n    list_select_related = ['user']\n"),
    _admin(
        "    list_display = ['user', 'payer']\n\n    def payer(self, obj):\n        return obj.user.team_id\n",
        rest="@admin.register(Line)\nclass LineAdmin(admin.ModelAdmin):\n    list_display = ['number']\n"
        "    list_select_related = ['order']\n\n    def number(self, obj):\n        return obj.order.number\n",
        note="the admin loads foreign keys that it shows itself",
    ),
    _admin(_rows("rows.select_related('user')")),
    _admin(_rows("self.whole(rows)"), note="who knows what comes with the rows"),
    _admin(_chosen("queryset.select_related('user')")),
    _admin(_chosen("queryset", "    list_select_related = ['user']\n")),
    _admin(
        "    list_display = ['pk']\n    inlines = [LineInline]\n",
        rest=_inline("obj.order.pk, obj.order.name"),
        note="the rows of an inline know whose page they are on",
    ),
)

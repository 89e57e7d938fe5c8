"""Examples of the rules over-fetching and wrong-caching-scope: (bad, good), their documentation and their tests."""

from skills.gates.rule import Example


def _sql_model(columns: int) -> str:
    return (
        "from sqlalchemy.orm import Mapped, mapped_column\n\n\nclass Order(Base):\n    __tablename__ = 'orders'\n"
        "    id: Mapped[int] = mapped_column(primary_key=True)\n"
        + "".join(f"    c{number}: Mapped[str]\n" for number in range(columns - 1))
    )


def _django_model(columns: int) -> str:
    return "from django.db import models\n\n\nclass Order(models.Model):\n" + "".join(
        f"    c{number} = models.CharField(max_length=9)\n" for number in range(columns)
    )


def _sql(source: str, columns: int = 18, note: str = "") -> Example:
    head = "from sqlalchemy import func, select\nfrom sqlalchemy.orm import load_only\n\n"
    head += "from app.models import Order\n\n\n"
    return Example({"app/models.py": _sql_model(columns), "app/api.py": head + source}, note=note)


def _django(source: str, columns: int = 18, note: str = "") -> Example:
    head = "from app.models import Order\n\n\n"
    return Example({"app/models.py": _django_model(columns), "app/views.py": head + source}, note=note)


def _view(fields: list[str], body: str, note: str = "") -> Example:
    """A list view of the REST framework over a wide table."""
    head = "from rest_framework import serializers, viewsets\n\nfrom app.models import Order\n\n\n"
    shown = "class Short(serializers.ModelSerializer):\n    class Meta:\n        model = Order\n"
    shown += f"        fields = {fields}\n\n\n"
    view = f"class Orders(viewsets.ModelViewSet):\n    serializer_class = Short\n{body}"
    return Example({"app/models.py": _django_model(18), "app/views.py": head + shown + view}, note=note)


COLUMNS_BAD: tuple[Example, ...] = (
    _sql("async def list_orders(session):\n    rows = (await session.scalars(select(Order))).all()\n"
         "    return [{'id': row.id, 'name': row.c1} for row in rows]\n"),
    _sql("def search(db, word):\n    found = db.query(Order).filter(Order.c1 == word).all()\n    names = []\n"
         "    for order in found:\n        names.append(order.c1)\n    return names\n"),
    _sql("async def names(session):\n    result = await session.execute(select(Order).where(Order.c2 == 'x'))\n"
         "    return [o.c1 for o in result.scalars().all()]\n", 12, "LOW up to 15 columns"),
    _sql("def numbers():\n    return {order.id: order.c1 for order in Order.query.all()}\n"),
    _django("def listing(request):\n    return answer([order.c1 for order in Order.objects.filter(c2='x')])\n"),
    _django(
        "def listing(request):\n    orders = (\n        Order.objects\n        .filter(c2='x')\n    )\n"
        "    return answer([order.c1 for order in orders])\n"
    ),
    _view(["id", "c1"], "    queryset = Order.objects.order_by('c1')\n"),
    _view(["c1", "c2"], "\n    def get_queryset(self):\n        return Order.objects.filter(c3='x')\n"),
    _sql("from fastapi import APIRouter\n\nrouter = APIRouter()\n\n\n@router.get('/orders')\n"
         "async def list_orders(session):\n    return (await session.scalars(select(Order))).all()\n", 18,
         "LOW: whole rows leave the endpoint, which says nothing of what is read"),
)  # fmt: skip
COLUMNS_GOOD: tuple[Example, ...] = (
    _sql("async def list_orders(session):\n"
         "    rows = (await session.scalars(select(Order).options(load_only(Order.id, Order.c1)))).all()\n"
         "    return [{'id': row.id, 'name': row.c1} for row in rows]\n"),
    _sql("async def list_orders(session):\n    rows = (await session.execute(select(Order.id, Order.c1))).all()\n"
         "    return [{'id': row.id, 'name': row.c1} for row in rows]\n"),
    _sql("async def list_orders(session):\n    rows = (await session.scalars(select(Order))).all()\n"
         "    return [row.c1 for row in rows]\n", 8, "a narrow table"),
    _sql("def skus():\n    return dict(Order.query.with_entities(Order.c1, Order.id).all())\n"),
    _django("def listing(request):\n    return answer(list(Order.objects.filter(c2='x').values_list('c1')))\n"),
    _view(["c1", "c2", "c3", "c4"], "    queryset = Order.objects.order_by('c1')\n", "more than three"),
    _view(["id", "c1"], "    queryset = Order.objects.only('c1')\n"),
    _view(["id", "c1"], "    queryset = Order.objects.order_by('c1')\n\n    def perform_create(self, serializer):\n"
          "        self.get_object().check()\n", "the view does more than list"),
    _sql("async def total(session):\n    return await session.scalar(select(func.count()).select_from(Order))\n"),
    _django("class OrderList(TemplateView):\n    def list_orders(self):\n        return Order.objects.none()\n"),
    _sql("async def export(session):\n    rows = (await session.scalars(select(Order))).all()\n"
         "    return [dump(row) for row in rows]\n", 18, "the whole row is used"),
)  # fmt: skip

_DEPS = "from fastapi import Depends\n\nfrom app.catalog import Catalog\n\n\n"
_CATALOG = (
    "class Catalog:\n    def __init__(self, session):\n        self.session = session\n        self._cache = None\n\n"
    "    async def all(self):\n        if self._cache is None:\n"
    "            rows = await self.session.execute(select(Item).join(Price))\n"
    "            self._cache = rows.scalars().all()\n        return self._cache\n"
)
_SIMPLE = (
    "class Flags:\n    def __init__(self, db):\n        self.db = db\n        self._loaded = False\n        "
    "self.values = {}\n\n"
    "    def load(self):\n        if not self._loaded:\n            for flag in self.db.query(Flag).all():\n"
    "                self.values[flag.name] = flag.on\n            self._loaded = True\n"
)

CACHES_BAD: tuple[Example, ...] = (
    Example({"app/rates.py": "class Rates:\n    _loaded = False\n\n    def __init__(self, db):\n        self.db "
                             "= db\n\n"
             "    def load(self):\n        if not self._loaded:\n            self.rows = "
             "self.db.query(Rate).all()\n"
             "            self._loaded = True\n\n\ndef show(rates=Depends(Rates)):\n    rates.load()\n"}),
    Example({"app/catalog.py": _CATALOG,
             "app/deps.py": _DEPS + "def get_catalog(session=Depends(get_session)):\n    return Catalog(session)\n",
             "app/api.py": "from fastapi import APIRouter, Depends\n\nrouter = APIRouter()\n\n\n"
                           "@router.get('/items')\n"
             "async def items(catalog=Depends(get_catalog)):\n    return await catalog.all()\n"}),
    Example({"app/flags.py": _SIMPLE,
             "app/api.py": "from fastapi import Depends\n\nfrom app.flags import Flags\n\n\n"
             "async def show(flags: Flags = Depends(Flags)):\n    flags.load()\n"}),
)  # fmt: skip
CACHES_GOOD: tuple[Example, ...] = (
    Example({"app/catalog.py": _CATALOG,
             "app/deps.py": "from functools import lru_cache\n\n" + _DEPS + "@lru_cache\ndef get_catalog():\n"
             "    return Catalog(make())\n\n\nasync def items(catalog=Depends(get_catalog)):\n    return "
             "catalog\n"}),
    Example({"app/catalog.py": _CATALOG,
             "app/deps.py": _DEPS + "CATALOG = Catalog(make())\n\n\ndef get_catalog():\n    return CATALOG\n\n\n"
             "async def items(catalog=Depends(get_catalog)):\n    return catalog\n"}, note="made once"),
    Example({"app/catalog.py": "class Catalog:\n    def __init__(self, session):\n        self.session = "
                               "session\n\n"
             "    async def all(self):\n        return await self.session.execute(select(Item))\n",
             "app/deps.py": _DEPS + "def get_catalog(session=Depends(get_session)):\n    return "
                                    "Catalog(session)\n\n\n"
             "async def items(catalog=Depends(get_catalog)):\n    return catalog\n"}),
)  # fmt: skip

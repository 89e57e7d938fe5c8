"""Examples of the rule n-plus-one: rows that come from another file or go to one, schemas of APIs, GraphQL."""

from skills.gates.rule import Example

_MODELS = (
    "class Harbour(models.Model):\n    pass\n\n\n"
    "class Owner(models.Model):\n    harbour = models.ForeignKey(Harbour, models.CASCADE)\n\n\n"
    "class Boat(models.Model):\n    owner = models.ForeignKey(Owner, models.CASCADE, related_name='boats')\n"
    "    crew = models.ManyToManyField('Sailor')\n    objects = BoatQuerySet.as_manager()\n    owned = Owned()\n\n"
    "    def __str__(self):\n        return self.owner.name\n\n"
    "    def owner_or_none(self):\n        return self.owner\n\n"
    "    def mates(self):\n        return self.crew.filter(mate=True)\n\n\n"
    "class Permit(models.Model):\n    boat = models.OneToOneField(Boat, models.CASCADE)\n\n\n"
    "class Sailor(models.Model):\n    harbour = models.ForeignKey(Harbour, models.CASCADE)\n\n\n"
    "class Owned(models.Manager):\n    def get_queryset(self):\n"
    "        return super().get_queryset().select_related('owner')\n\n\n"
    "class BoatQuerySet(models.QuerySet):\n    def with_owner(self):\n        return self.select_related('owner')\n"
)
_SELECTORS = (
    "from port.models import Boat\n\n\n"
    "def afloat():\n    return Boat.objects.filter(afloat=True)\n\n\n"
    "def with_owners():\n    return afloat().select_related('owner')\n\n\n"
    "def listed(day=None):\n    if day is None:\n        return []\n    return [boat for boat in afloat()]\n\n\n"
    "def one_by_one():\n    for boat in afloat():\n        yield boat\n\n\n"
    "def names(boats):\n    return [boat.owner.name for boat in boats]\n\n\n"
    "def name(boat):\n    return boat.owner.name\n\n\n"
    "def signs(boats):\n    return [name(boat) for boat in boats]\n\n\n"
    "def loaded_names(boats):\n    boats = boats.select_related('owner')\n"
    "    return [boat.owner.name for boat in boats]\n\n\n"
    "class Row:\n    @classmethod\n    def made(cls, boat):\n        return cls(boat.owner.name)\n\n\n"
    "class Boats:\n    def __init__(self, day):\n        self.day = day\n\n"
    "    def sunk(self):\n        return Boat.objects.filter(sunk=self.day)\n\n"
    "    @staticmethod\n    def old():\n        return Boat.objects.filter(old=True)\n"
)


def _port(source: str, note: str = "") -> Example:
    imports = "from port import selectors\nfrom port.models import Boat, Permit\n"
    imports += "from port.selectors import Boats, Row, afloat, names\n"
    files = {"port/models.py": _MODELS, "port/selectors.py": _SELECTORS, "port/reports.py": f"{imports}\n{source}"}
    return Example(files, note=note)


def _api(source: str, boat: str = "    owner: OwnerOut") -> Example:
    """An endpoint over boats of SQLAlchemy's, and the schema that it answers."""
    tables = (
        "class Owner(Base):\n    __tablename__ = 'owners'\n    name: Mapped[str]\n\n\n"
        "class Boat(Base):\n    __tablename__ = 'boats'\n    owner: Mapped[Owner] = relationship()\n"
        "    flag: Mapped[Owner] = relationship(lazy='joined')\n"
    )
    schemas = (
        "from pydantic import BaseModel\n\n\nclass OwnerOut(BaseModel):\n    name: str\n\n\n"
        f"class BoatBase(BaseModel):\n{boat}\n\n\nclass BoatOut(BoatBase):\n    flag: OwnerOut\n    pk: int\n"
    )
    imports = (
        "from sqlalchemy import select\nfrom port.tables import Boat, Owner\nfrom port.schemas import BoatOut\n\n\n"
    )
    return Example({"port/tables.py": tables, "port/schemas.py": schemas, "port/routes.py": imports + source})


def _repository(source: str) -> Example:
    base = (
        "from sqlalchemy import select\n\n\nclass Repository(Generic[T]):\n    def all(self):\n"
        "        return self.session.scalars(select(self.model)).all()\n"
    )
    boats = (
        "from port.base import Repository\nfrom port.tables import Boat\n\n\n"
        "class BoatRepository(Repository[Boat]):\n    pass\n"
    )
    example = _api(f"from port.boats import BoatRepository\n\n\ndef names(session):\n{source}")
    return Example({**example.files, "port/base.py": base, "port/boats.py": boats})


_SELECT = "    return session.scalars(select(Boat){options}).all()\n"


def _graph(resolver: str, listed: str = "graphene.List(BoatType)") -> Example:
    schema = (
        "import graphene\nfrom graphene_django import DjangoObjectType\nfrom port.models import Boat\n\n\n"
        f"class BoatType(DjangoObjectType):\n    class Meta:\n        model = Boat\n\n{resolver}\n\n"
        f"class Query(graphene.ObjectType):\n    boats = {listed}\n"
    )
    return Example({"port/models.py": _MODELS, "port/schema.py": schema})


def _berry(hints: str) -> Example:
    types = (
        "import strawberry_django\nfrom port import models\n\n\n"
        "@strawberry_django.type(models.Boat)\nclass Boat:\n"
        f"    @strawberry_django.field({hints})\n    def owner_name(self) -> str:\n        return self.owner.name\n\n\n"
        "class Query:\n    boats: list[Boat] = strawberry_django.field()\n"
    )
    return Example({"port/models.py": _MODELS, "port/types.py": types})


ELSEWHERE_BAD: tuple[Example, ...] = (
    _port("for boat in afloat():\n    print(boat.owner.name)\n"),
    _port("print([boat.owner.name for boat in selectors.afloat().exclude(sold=True)])\n"),
    _port("print([boat.owner.harbour.name for boat in selectors.with_owners()])\n"),
    _port("print([boat.owner.name for boat in selectors.listed()])\n"),
    _port("print([boat.owner.name for boat in selectors.one_by_one()])\n"),
    _port("print([boat.owner.name for boat in Boats(today).sunk()])\n"),
    _port("print([boat.owner.name for boat in Boats.old()])\n"),
    _port("def report(boats: Boats):\n    return [boat.owner.name for boat in boats.sunk()]\n"),
    _port("class Report:\n    def __init__(self):\n        self.boats = Boats(today)\n\n"
          "    def names(self):\n        return [boat.owner.name for boat in self.boats.sunk()]\n"),
    _port("def report():\n    return names(Boat.objects.filter(sold=True))\n"),
    _port("def report():\n    return selectors.signs(Boat.objects.filter(sold=True))\n", note="two functions away"),
    _port("print([boat for boat in afloat() if not hasattr(boat, 'permit')])\n"),
    _port("print([boat.owner_or_none() for boat in afloat()])\n"),
    _port("by_day = defaultdict(list)\nfor boat in afloat():\n    by_day[boat.day].append(boat)\n"
          "for day, boats in by_day.items():\n    print([boat.owner.name for boat in boats])\n"),
    _port("by_day = {}\nfor boat in afloat():\n    by_day.setdefault(boat.day, []).append(boat)\n"
          "for day in by_day:\n    print([boat.owner.name for boat in by_day[day]])\n"),
    _port("by_key = {}\nfor boat in afloat():\n    by_key[boat.pk] = boat\n"
          "print([boat.owner.name for key, boat in by_key.items()])\n"),
    _port("for boat in selectors.afloat().prefetch_related('crew'):\n"
          "    print([str(sailor.harbour) for sailor in boat.crew.all()])\n"),
    _port("found = Boat.objects.in_bulk(keys)\nprint([found[key].owner.name for key in keys])\n"),
    _port("print(list(map(Row.made, afloat())))\n"),
    _port("class Report:\n    def all(self):\n        self.tell(Boat.objects.all())\n\n"
          "    def tell(self, boats):\n        for boat in boats:\n            print(boat.owner.name)\n"),
    _port("class Fleet(ListView):\n    model = Boat\n\n    def get_context_data(self, **more):\n"
          "        context = super().get_context_data(**more)\n"
          "        context['names'] = [boat.owner.name for boat in context['object_list']]\n        return context\n"),
    _port("for permit in Permit.objects.select_related('boat'):\n    print(f'{permit.boat}')\n"),
    _port("def rows():\n    for boat in Boat.objects.all():\n        yield boat\n\n\n"
          "print([boat.owner.name for boat in rows()])\n"),
    _api("@router.get('/', response_model=list[BoatOut])\ndef boats(session):\n" + _SELECT.format(options="")),
    _api("@router.get('/')\ndef boats(session) -> list[BoatOut]:\n" + _SELECT.format(options="")),
    _api("from port.db import open_session\n\n\ndef boats():\n    session = open_session()\n"
         "    for boat in session.query(Boat).all():\n        print(boat.owner.name)\n"),
    _api("def boats(session):\n    rows = session.execute(select(Owner, Boat).join(Boat))\n"
         "    return [(owner.name, boat.owner.name) for owner, boat in rows]\n"),
    _repository("    boats = BoatRepository(session)\n    return [boat.owner.name for boat in boats.all()]\n"),
    _api("def boats(session):\n    rows = session.scalars(select(Boat)).all()\n"
         "    return [BoatOut.model_validate(row) for row in rows]\n"),
    _graph("    def resolve_owner_name(self, info):\n        return self.owner.name\n"),
    _graph("    def resolve_crew(root, info):\n        return root.crew.filter(mate=True)\n",
           "DjangoFilterConnectionField(BoatType)"),
    _berry(""),
)  # fmt: skip
ELSEWHERE_GOOD: tuple[Example, ...] = (
    _port("print([boat.owner.name for boat in afloat().select_related('owner')])\n"),
    _port("print([boat.owner.name for boat in afloat().with_owner()])\n"),
    _port("print([boat.owner.name for boat in selectors.with_owners()])\n"),
    _port("print([boat.owner.name for boat in selectors.unknown()])\n"),
    _port("def first_of(day):\n    for boat in Boat.objects.all():\n        if boat.day == day:\n"
          "            return boat\n    return None\n\n\ndef owner(day):\n    return first_of(day).owner.name\n"),
    _port("def check():\n    for boat in Boat.objects.all():\n        if boat.sunk:\n"
          "            raise Sunk(boat.owner.name)\n        print(boat.pk)\n", note="told of one"),
    _port("for boat in Boat.objects.filter(owner=None):\n    print(boat.owner)\n", note="there is none"),
    _port("found = Boat.objects.select_related('owner').in_bulk(keys)\n"
          "print([found[key].owner.name for key in keys])\n"),
    _port("for permit in Permit.objects.select_related('boat__owner'):\n    print(f'{permit.boat}')\n"),
    _port("print([boat.owner_id for boat in Boats(today).sunk()])\n"),
    _port("print([boat.owner.name for boat in Boat.owned.exclude(sold=True)])\n"),
    _port("print([boat.owner_or_none() for boat in afloat().with_owner()])\n"),
    _port("by_day = {}\nfor boat in selectors.with_owners():\n    by_day.setdefault(boat.day, []).append(boat)\n"
          "for day, boats in by_day.items():\n    print([boat.owner.name for boat in boats])\n"),
    _port("by_key = {}\nfor boat in afloat():\n    by_key[boat.pk] = boat\nby_key[0] = other\n"
          "print([boat.owner.name for key, boat in by_key.items()])\n", note="something else is there too"),
    _port("def report():\n    return names(Boat.objects.select_related('owner'))\n"),
    _port("print(selectors.signs(Boat.objects.select_related('owner')))\n"),
    _port("print(selectors.loaded_names(Boat.objects.all()), selectors.names(rows))\n"),
    _port("print([boat for boat in afloat().select_related('permit') if hasattr(boat, 'permit')])\n"),
    _port("found = []\nfor row in rows:\n    found.append(selectors.listed(row))\nfor boat in found:\n"
          "    print(boat.owner.name)\n", note="lists of lists"),
    _api("@router.get('/', response_model=list[BoatOut])\ndef boats(session):\n"
         + _SELECT.format(options=".options(joinedload(Boat.owner))")),
    _api("@router.get('/', response_model=list[BoatOut])\ndef boats(session):\n" + _SELECT.format(options=""),
         "    name: str"),
    _api("def boats(session):\n    rows = session.scalars(select(Boat).where(Boat.owner_id.is_(None)))\n"
         "    return [boat.owner for boat in rows]\n"),
    _repository("    return [boat.name for boat in BoatRepository(session).all()]\n"),
    _api("@router.get('/', response_model=BoatOut)\ndef boat(session):\n    return session.get(Boat, 1)\n"),
    _graph("    def resolve_owner_name(self, info):\n        return owners(info).load(self.owner_id)\n"),
    _graph("    def resolve_owner_name(self, info):\n        return self.owner.name\n", "graphene.Field(BoatType)"),
    _berry("select_related=['owner']"),
)  # fmt: skip

"""Relations loaded with their rows."""

import re

import libcst as cst

from skills.gates.analysis.queries import MANAGERS
from skills.gates.fixes.document import Document
from skills.gates.fixes.model import CannotFix, FixExample
from skills.gates.model import Finding

_NO_JOIN = frozenset({"only", "defer", "union", "intersection", "difference"})
_FORGETS = re.compile(r"\.(?:select|prefetch)_related\(None\)")
_LOADER = re.compile(r'`(select_related|prefetch_related)\("(\w+)"')


def fix_n_plus_one(document: Document, finding: Finding) -> None:
    """`select_related` or `prefetch_related` at the manager that the rows are asked of."""
    said = _LOADER.search(finding.message)
    needs = document.needs_of(finding)
    if said is None or "attribute" not in needs:
        raise CannotFix("what to load is not known")
    if said[1] == "prefetch_related" and "streamed" in needs:
        raise CannotFix("`iterator()` needs a `chunk_size` to prefetch: how many rows at once is to be said by hand")
    if "through" in needs:
        raise CannotFix(f"`{needs['through']}()` may be a method of managers only: load behind it by hand")
    steps = [step for step in needs.get("steps", "").split("/") if step]
    if said[2] != needs["attribute"]:
        raise CannotFix(f"`{needs['attribute']}` reads `{said[2]}` in the model, which may read more: load it by hand")
    lookup = "__".join([*steps, needs["attribute"]])
    loader = said[1] if _one_by_one(document, finding, steps) else "prefetch_related"
    asked = finding.evidence[0]
    if asked.path != document.path:
        raise CannotFix(f"the rows are asked for in another file ({asked.path})")
    managers = [node for node in document.on_line(asked.line, cst.Attribute) if node.attr.value in MANAGERS]
    if len(managers) != 1:
        raise CannotFix("the query does not stand where the rows are asked for")
    methods = _methods(document, managers[0])
    if _FORGETS.search(document.original):
        raise CannotFix("what is loaded is forgotten again: load it by hand where it is not")
    if methods & _NO_JOIN:
        raise CannotFix("the query leaves columns out, or is a union: what it loads is to be said by hand")
    if "select_for_update" in methods:
        loader = "prefetch_related"  # a join to rows that may be missing cannot be locked
    _load(document, managers[0], loader, lookup)


def _methods(document: Document, manager: cst.Attribute) -> frozenset[str]:
    """The methods that are called on a manager, one after the other."""
    found: list[str] = []
    for above in document.around(manager):
        if isinstance(above, cst.Attribute):
            found.append(above.attr.value)
        elif not isinstance(above, cst.Call):
            break
    return frozenset(found)


def _one_by_one(document: Document, finding: Finding, steps: list[str]) -> bool:
    """Whether every step leads to a single row, as `order.user.team` does: any path can be prefetched, but none that
    leads through many rows can be joined."""
    node: cst.BaseExpression = document.at(finding, cst.Attribute) if steps else cst.Name("row")
    for step in reversed(steps):
        node = cst.ensure_type(node, cst.Attribute).value
        if not isinstance(node, cst.Attribute) or node.attr.value != step:
            return False
    return True


def _load(document: Document, manager: cst.Attribute, loader: str, lookup: str) -> None:
    """`Order.objects` → `Order.objects.select_related("user")`, one call for all lookups of a kind.

    An `all()` behind the manager has done its work and goes.
    """
    lookups = document.memo.setdefault(f"loads {id(manager)}", {})
    assert isinstance(lookups, dict)
    first = not lookups
    lookups.setdefault(loader, []).append(lookup)
    if not first:
        return
    method = document.parents[manager]
    call = document.parents[method]
    document.change(manager, lambda now: _with_loaders(now, lookups, document.quote))
    if (
        isinstance(method, cst.Attribute)
        and isinstance(call, cst.Call)
        and (method.attr.value, len(call.args)) == ("all", 0)
    ):
        document.change(call, lambda now: cst.ensure_type(now.func, cst.Attribute).value)


def _with_loaders(manager: cst.BaseExpression, lookups: dict[str, list[str]], quote: str) -> cst.BaseExpression:
    for loader in sorted(lookups, reverse=True):
        names = dict.fromkeys(lookups[loader])
        longest = [name for name in names if not any(other.startswith(f"{name}__") for other in names)]
        arguments = [cst.Arg(cst.SimpleString(f"{quote}{name}{quote}")) for name in longest]
        manager = cst.Call(cst.Attribute(manager, cst.Name(loader)), arguments)
    return manager


_MODELS = (
    "class User(models.Model):\n    team = models.ForeignKey('Team', models.CASCADE)\n\n\n"
    "class Team(models.Model):\n    pass\n\n\n"
    "class Order(models.Model):\n    user = models.ForeignKey(User, models.CASCADE)\n"
    "    tags = models.ManyToManyField(Team)\n\n\n"
)


def _example(before: str, after: str = "", reason: str = "") -> FixExample:
    return FixExample("n-plus-one", _MODELS + before, _MODELS + after, "shop/models.py", reason)


EXAMPLES: tuple[FixExample, ...] = (
    _example(
        "def names():\n    orders = Order.objects.filter(paid=True)  # all\n"
        "    return [order.user.pk for order in orders]\n",
        "def names():\n    orders = Order.objects.select_related('user').filter(paid=True)  # all\n"
        "    return [order.user.pk for order in orders]\n",
    ),
    _example(
        "def names():\n    for order in Order.objects.all():\n        print(order.tags.all(), order.user.team.pk)\n",
        "def names():\n    for order in Order.objects.select_related('user__team').prefetch_related('tags'):\n"
        "        print(order.tags.all(), order.user.team.pk)\n",
    ),
    _example(
        "class Line(models.Model):\n    order = models.ForeignKey(Order, models.CASCADE)\n\n"
        "    def label(self):\n        return self.order.pk_text\n\n\n"
        "def f():\n    for line in Line.objects.all():\n        print(line.label())\n",
        reason="load it by hand",
    ),
    _example(
        "def names():\n    for order in Order.objects.select_for_update():\n        print(order.user.pk)\n",
        "def names():\n    for order in Order.objects.prefetch_related('user').select_for_update():\n"
        "        print(order.user.pk)\n",
    ),
    _example(
        "class FManager(models.Manager):\n    def paid(self):\n        return self.filter(paid=True)\n\n\n"
        "class Fee(models.Model):\n    user = models.ForeignKey(User, models.CASCADE)\n    objects = FManager()\n\n\n"
        "def names():\n    for one in Fee.objects.paid():\n        print(one.user.pk)\n",
        reason="by hand",
    ),
    _example(
        "def names():\n    for order in Order.objects.select_related('user').select_related(None):\n"
        "        print(order.user.pk)\n",
        reason="by hand",
    ),
    _example(
        "def names():\n    for order in Order.objects.only('pk'):\n        print(order.user.pk)\n",
        reason="by hand",
    ),
    _example(
        "def f():\n    for order in Order.objects.iterator():\n        print(order.tags.all())\n",
        reason="by hand",
    ),
    _example(
        "def f():\n    for order in Order.objects.all():\n        print(order.tags.filter(open=True))\n",
        reason="what to load is not known",
    ),
    _example(
        "def f(order: Order):\n    for tag in order.tags.all():\n        for user in tag.user_set.all():\n"
        "            print(user.team)\n",
        reason="does not stand",
    ),
)

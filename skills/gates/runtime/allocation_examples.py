"""Examples of the rule unnecessary-list-allocation: (bad, good)."""

from skills.gates.rule import Example

_PATH = "shop/totals.py"

ALLOCATION_BAD: tuple[Example, ...] = (
    Example({_PATH: "def any_open(orders):\n    return any([order.open for order in orders])\n"}),
    Example({_PATH: "def any_open(orders):\n    return all({order.open for order in orders})\n"}),
    Example({_PATH: "def total(orders):\n    return sum([order.total for order in orders], Money(0))\n"}),
    Example({_PATH: "async def f(ask):\n    return any([order.open for order in await ask()])\n"}),
    Example({_PATH: "def n(orders):\n    return len([o for o in orders if o.open])\n"}),
    Example({_PATH: "ids = set([order.id for order in orders])\n"}),
    Example({_PATH: "names = dict([(o.id, o.name) for o in orders])\n"}),
    Example({_PATH: "kinds = set(['a', 'b'])\n"}),
    Example({_PATH: "pair = tuple([1, 2])\n"}),
    Example({_PATH: "ranked = sorted(list(scores), key=len)\n"}),
    Example({_PATH: "ranked = list(sorted(scores))\n"}),
    Example({_PATH: "first = list(scores)[0]\n"}),
    Example({_PATH: "prices = dict(list(zip(names, scores)))\n"}),
    Example({_PATH: "first = [s for s in scores if s > 1][0]\n"}),
    Example({_PATH: "best = sorted(scores)[-1]\n"}),
    Example({_PATH: "for x in xs:\n    if x in [y.id for y in ys]:\n        print(x)\n"}),
    Example({_PATH: "known = x in list(names.keys())\n"}),
    Example({_PATH: "known = x in [y.id for y in ys]\n"}),
    Example({_PATH: "if [y for y in ys if y.open]:\n    print(1)\n"}),
    Example({_PATH: "def none_open(ys):\n    return not [y for y in ys if y.open]\n"}),
    Example({_PATH: "if list(filter(is_open, ys)):\n    print(1)\n"}),
    Example({_PATH: "from collections import Counter, deque\n\nkinds = Counter([y.kind for y in ys])\n"}),
    Example({_PATH: "import collections\n\nkinds = collections.Counter(list(ys)).most_common(1)\n"}),
    Example({_PATH: "import math\n\n\ndef f(ys):\n    return math.fsum([y.size for y in ys])\n"}),
    Example({_PATH: "from functools import reduce\n\n\ndef f(ys):\n"
             "    return reduce(max, [y.size for y in ys])\n"}),
    Example({_PATH: "def f(ys):\n    return len(list(y for y in ys if y.open))\n"}),
    Example({_PATH: "names = dict([[o.id, o.name] for o in orders])\n"}),
    Example({_PATH: "from collections import deque\n\nlatest = deque(list(xs), maxlen=3)\n"}),
    Example({_PATH: "first = next(iter([y for y in ys if y.open]), None)\n"}),
    Example({_PATH: "import builtins\n\nfirst = builtins.list(scores).pop(0)\n"}),
    Example({_PATH: "def longest(path):\n    with open(path) as file:\n"
             "        return max(len(line) for line in file.readlines())\n"}),
    Example({_PATH: "import io\n\n\ndef show(file: io.TextIOWrapper | None):\n"
             "    for line in file.readlines():\n        print(line)\n"}),
    Example({_PATH: "from pathlib import Path\n\nfor line in Path('a').open().readlines():\n    print(line)\n"}),
    Example({_PATH: "def is_open(orders):\n    states = [order.open for order in orders]\n\n"
             "    # one is enough\n    return any(states)\n"}),
    Example({_PATH: "def names(orders):\n    if orders:\n        ranked = sorted(orders)\n"
             "        return set(ranked)\n"}),
    Example({_PATH: "stock = dict([(k, n) if n else (k, 0) for k, n in rows])\n"}),
    Example({_PATH: "stock = dict([['a', 1], ['b', 2]])\n"}),
    Example({_PATH: "kinds = set({'a', 'b'})\n"}),
    Example({_PATH: "ranked = sorted(scores, key=len)[::-1]\n"}),
)  # fmt: skip
ALLOCATION_GOOD: tuple[Example, ...] = (
    Example(
        {
            _PATH: "def totals(orders):\n    text = ', '.join([order.name for order in orders])\n"
            "    ids = {order.id for order in orders}\n    return text, ids, any(order.open for order in orders)\n"
        }
    ),
    Example({_PATH: "async def f(xs):\n    return any([await x.open() for x in xs])\n"}),
    Example({_PATH: "async def f(xs, ask):\n    return any([x for x in xs async for y in ask(x)])\n"}),
    Example({_PATH: "def set(xs):\n    return xs\n\n\nids = set([x for x in 'ab'])\n"}, note="not the builtin"),
    Example({_PATH: "last = list(scores)[-1]\nhead = list(scores)[:1]\nsecond = list(scores)[1]\n"}),
    Example({_PATH: "ranked = sorted(sorted(xs, key=len), reverse=True)\n"}, note="two sorts by two keys"),
    Example({_PATH: "flat = sum([o.lines for o in orders], [])\n"},
            note="a list joined to others is another matter"),
    Example({_PATH: "from collections import Counter\n\nkinds = Counter(y.kind for y in ys)\n"
             "if [y, x]:\n    again = iter([y.kind for y in ys])\n"}),
    Example({_PATH: "from functools import reduce\n\n\ndef f(ys, add):\n    n = len(list(filter(None, ys)))\n"
             "    return n, reduce(add, ys, [y for y in ys])\n"}, note="what it starts from is kept"),
    Example({_PATH: "if list(ys) and not list(map(pay, ys)):\n    print(1)\n"}),
    Example({_PATH: "more = dict([(k, v) for k, v in xs], total=1)\n"}),
    Example({"tests/test_totals.py": "def test_a():\n    assert len([x for x in 'ab']) == 2\n"}),
    Example({_PATH: "def head(path):\n    with open(path) as file:\n        for line in file.readlines():\n"
             "            print(line, file.tell())\n"}, note="the file is asked meanwhile"),
    Example({_PATH: "def head(shelf):\n    return [line for line in shelf.readlines()]\n"}, note="no file, maybe"),
    Example({_PATH: "def count(orders):\n    states = [order.open for order in orders]\n"
             "    return [order for order in orders if any(states)]\n"}, note="asked again and again"),
    Example({_PATH: "def count(orders):\n    states = [order.open for order in orders]\n"
             "    print(states)\n    return any(states)\n"}),
    Example({_PATH: "def count(orders):\n    states = [order.open for order in orders]\n    orders.clear()\n"
             "    return any(states)\n"}),
    Example({_PATH: "def total(orders):\n    prices = [order.price for order in orders]\n    return sum(prices)\n"},
            note="a sum is no faster without it"),
    Example({_PATH: "ranked = sorted(scores, reverse=down)[::-1], list(scores)[::-1], sorted(scores)[:2]\n"}),
    Example({_PATH: "best = sorted(scores, reverse=down)[0]\n"}, note="the least or the greatest"),
)  # fmt: skip

"""Examples of the rules query-in-loop and unindexed-filter."""

from skills.gates.example_files import shop
from skills.gates.rule import Example


def _sql(body: str) -> Example:
    head = "from sqlalchemy import select, update\n\n\ndef load(session, cursor, found, keys):\n    "
    return Example({"shop/queries.py": head + body})


IN_LOOP_BAD: tuple[Example, ...] = (
    shop(
        "def load(teams):\n    found = []\n    for team in teams:\n"
        "        found += [order.number for order in Order.objects.filter(team=team)]\n    return found\n"
    ),
    shop(
        "def load(teams):\n    for team in teams:\n        print(\n            Order.objects\n"
        "            .filter(team=team)\n            .count()\n        )\n"
    ),
    _sql("for key in keys:\n        found.extend(p.text for p in session.query(Post).filter(Post.key == key))\n"),
    shop("def load(numbers):\n    for number in numbers:\n        yield Order.objects.get(number=number)\n"),
    shop("def load(rows):\n    for row in rows:\n        Order.objects.create(number=row['number'])\n"),
    shop(
        "def load(numbers):\n    while numbers:\n        number = numbers.pop()\n"
        "        yield Order.objects.get(number=number)\n"
    ),
    shop("def load(numbers):\n    return list(map(lambda n: Order.objects.get(number=n), numbers))\n"),
    shop("def load(numbers):\n    for number in numbers:\n        get_object_or_404(Order, number=number)\n"),
    shop(
        "def load(groups):\n    for group in groups:\n        for number in group:\n"
        "            Order.objects.get(number=number)\n"
    ),
    shop(
        "def load(teams):\n    for team in teams:\n        for order in Order.objects.filter(team=team):\n"
        "            pay(order)\n"
    ),
    shop(
        "def load(teams):\n    found = []\n    for team in teams:\n"
        "        found.extend(Order.objects.filter(team=team))\n    return found\n"
    ),
    shop("def load(teams):\n    return {team: list(Order.objects.filter(team=team)) for team in teams}\n"),
    shop("def load(teams):\n    for team in teams:\n        yield from Order.objects.filter(team=team)\n"),
    shop(
        "def load(rows):\n    for row in rows:\n        number = row['number']\n"
        "        Order.objects.get(number=number)\n"
    ),
    shop(
        "def number_of(team):\n    return Order.objects.filter(team=team).count()\n\n\n"
        "def report(teams):\n    return [(team, number_of(team)) for team in teams]\n"
    ),
    shop(
        "class Report:\n    def rows(self):\n        for team in self.teams:\n"
        "            self.write(self.number(team))\n\n"
        "    def number(self, team):\n        return Order.objects.filter(team=team).count()\n"
    ),
    shop(
        "def load(rows):\n    for row in rows:\n        Order.objects.get(number=row)\n",
        "shop/management/commands/load.py",
    ),
    shop("def load(team, numbers):\n    return [team.order_set.filter(number=n).first() for n in numbers]\n"),
    _sql("for key in keys:\n        found.append(session.get(Order, key))\n"),
    _sql("return [session.scalar(select(Order).where(Order.key == key)) for key in keys]\n"),
    _sql("for key in keys:\n        query = select(Order).where(Order.key == key)\n        session.execute(query)\n"),
    _sql("for key in keys:\n        session.query(Order).filter_by(key=key).first()\n"),
    _sql("for key in keys:\n        cursor.execute('SELECT * FROM orders WHERE id = %s', [key])\n"),
    _sql("for order in keys:\n        session.refresh(order)\n"),
)
IN_LOOP_GOOD: tuple[Example, ...] = (
    shop("def load(shops):\n    return [list(Order.objects.using(shop).all()) for shop in shops]\n"),
    _sql("for row in found:\n        print([p.text for p in session.query(Post).filter(Post.key.in_(row.keys))])\n"),
    shop("def wait(number):\n    while not Order.objects.filter(number=number).exists():\n        rest()\n"),
    shop(
        "def number_of(team):\n    return Order.objects.filter(team=team).count()\n\n\n"
        "def report():\n    teams = ['first', 'second']\n    for team in teams:\n        show(number_of(team))\n"
    ),
    shop("def load(numbers):\n    return Order.objects.filter(number__in=numbers)\n"),
    shop(
        "@cache\ndef number_of(team):\n    return Order.objects.filter(team=team).count()\n\n\n"
        "def report(teams):\n    return [(team, number_of(team)) for team in teams]\n"
    ),
    shop(
        "def seed():\n    names = ['a', 'b']\n    for name in names:\n"
        "        Order.objects.get_or_create(number=name)\n"
    ),
    shop("def seed():\n    for state in OrderState:\n        Order.objects.get_or_create(number=state.value)\n"),
    _sql("for key in keys:\n        cursor.execute(f'SELECT count(*) FROM {key}')\n"),
    shop("def load(team, numbers):\n    return [team.options.get(name=n) for n in numbers]\n"),
    _sql("return session.scalars(select(Order).where(Order.key.in_(keys))).all()\n"),
    _sql("for batch in keys:\n        session.scalars(select(Order).where(Order.key.in_(batch)))\n"),
    _sql("for key in keys:\n        session.execute(update(Order).where(Order.key == key))\n"),
    _sql("for key in keys:\n        cursor.execute('SELECT * FROM orders WHERE id = ANY(%s)', [key])\n"),
    _sql("for key in keys:\n        found[key] = cache.get(key)\n    session.get(Order, 3)\n"),
    shop("def load(numbers):\n    for batch in cut(numbers):\n        Order.objects.filter(pk=batch).update(x=1)\n"),
    shop("def load(rows):\n    for row in rows:\n        row.get('number')\n    return Order.objects.count()\n"),
    shop(
        "def load(teams):\n    found = []\n    for team in teams:\n"
        "        found.append(Order.objects.filter(team=team))\n    return found\n"
    ),
    shop(
        "def free():\n    for i in range(9):\n        if not Order.objects.filter(number=i).exists():\n"
        "            return i\n"
    ),
)

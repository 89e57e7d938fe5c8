"""Examples of the rules about commits: (bad, good), their documentation and their tests."""

from skills.gates.rule import Example


def _file(source: str, note: str = "", **more: str) -> Example:
    return Example({"app/services.py": source, **{f"app/{name}.py": text for name, text in more.items()}}, note=note)


_LEAKY = "def get_raw():\n    session = factory()\n    yield session\n"
_SAFE = "async def get_session():\n    async with factory() as session:\n        yield session\n"

ROLLBACK_BAD: tuple[Example, ...] = (
    _file(
        "class Orders:\n    def __init__(self, session):\n        self.session = session\n\n"
        "    async def place(self, data):\n        self.session.add(Order(**data))\n        await "
        "self.session.commit()\n"
    ),
    _file("def place(session, data):\n    try:\n        session.add(Order(**data))\n        session.commit()\n"
          "    except Exception:\n        log.exception('not placed')\n", "swallowed, and the session stays "
                                    "broken"),
    _file("from app.db import SessionLocal\n\n\ndef place(data):\n    session = SessionLocal()\n"
          "    session.add(Order(**data))\n    session.commit()\n    session.close()\n"),
    _file("async def place(data, session=Depends(get_raw)):\n    session.add(Order(**data))\n"
          "    await session.commit()\n", "who lends it is named", db=_SAFE, raw=_LEAKY),
    _file("import psycopg2\n\n\ndef place(conn, data):\n    cursor = conn.cursor()\n"
          "    cursor.execute('INSERT INTO orders VALUES (%s)', data)\n    conn.commit()\n"),
)  # fmt: skip
ROLLBACK_GOOD: tuple[Example, ...] = (
    _file(
        "class Orders:\n    def __init__(self, session):\n        self.session = session\n\n"
        "    async def place(self, data):\n        try:\n            self.session.add(Order(**data))\n"
        "            await self.session.commit()\n        except SQLAlchemyError:\n"
        "            await self.session.rollback()\n            raise\n"
    ),
    _file("async def place(session, data):\n    async with session.begin():\n        session.add(Order(**data))\n"),
    _file("from app.db import SessionLocal\n\n\ndef place(data):\n    with SessionLocal() as session:\n"
          "        session.add(Order(**data))\n        session.commit()\n"),
    _file("async def place(session, data):\n    session.add(Order(**data))\n    await session.commit()\n",
          "whoever gave the session rolls back", db=_SAFE),
    _file("async def place(data, session=Depends(get_session)):\n    session.add(Order(**data))\n"
          "    await session.commit()\n", "who lends it is named", db=_SAFE, raw=_LEAKY),
    Example({"app/services.py": "async def place(session, data):\n    session.add(Order(**data))\n"
             "    await session.commit()\n", "app/db.py": _SAFE, "tools/raw.py": _LEAKY},
            note="who lends it is nearer"),
    Example({"app/services.py": "from app.db import Session\n\n\ndef place(data):\n    Session.add(Order(**data))\n"
             "    Session.commit()\n",
             "app/db.py": "from sqlalchemy.orm import scoped_session, sessionmaker\n\n"
             "Session = scoped_session(sessionmaker())\n\n\n@app.teardown_appcontext\ndef end(failed):\n"
             "    Session.remove()\n\n\n" + _LEAKY},
            note="it ends with each request"),
    _file("from django.db import connection\n\n\ndef tidy():\n    connection.cursor().execute('VACUUM')\n"
          "    connection.commit()\n", "Django's own"),
    _file("def place(repo, git):\n    git.commit('message')\n"),
    _file("class UnitOfWork:\n    def __exit__(self, *args):\n        self.session.rollback()\n\n"
          "    def commit(self):\n        self.session.commit()\n"),
)  # fmt: skip

NARROW_BAD: tuple[Example, ...] = (
    _file(
        "async def place(session, data):\n    order = Order(**data)\n    session.add(order)\n"
        "    await session.commit()\n    for line in data['lines']:\n"
        "        session.add(Line(order_id=order.id, **line))\n    await session.commit()\n"
    ),
    _file("def place(session, order, lines):\n    session.add(order)\n    session.commit()\n"
          "    for line in lines:\n        line.order_id = order.id\n        session.add(line)\n"
          "    session.commit()\n"),
    _file("def close(db, job):\n    job.status = 'done'\n    db.commit()\n"
          "    entry = AuditLog(job_id=job.id, what='done')\n    db.add(entry)\n    db.commit()\n", "MEDIUM"),
    _file("from sqlalchemy import insert, update\n\n\ndef close(db, job_id):\n"
          "    db.execute(update(Job).where(Job.id == job_id).values(open=False))\n    db.commit()\n"
          "    db.execute(insert(Entry).values(job_id=job_id))\n    db.commit()\n", "MEDIUM: by its key"),
    _file("from sqlalchemy import insert\n\n\nasync def place(session, data):\n    order = Order(**data)\n"
          "    session.add(order)\n"
          "    await session.commit()\n"
          "    await session.execute(insert(Line), [{'order_id': order.id, 'n': n} for n in data['lines']])\n"
          "    await session.commit()\n", "many rows at once"),
    _file("def move(db, one, other, amount):\n    one.balance -= amount\n    db.commit()\n"
          "    other.balance += amount\n    db.commit()\n", "half a transfer"),
    _file("class Orders:\n    async def place(self, data):\n        order = await self.order_repo.create(data)\n"
          "        await self.session.commit()\n        await self.line_repo.create(order_id=order.id)\n"
          "        await self.session.commit()\n"),
    _file("from django.db import transaction\n\n\ndef place(data):\n    with transaction.atomic():\n"
          "        order = Order.objects.create(**data)\n    with transaction.atomic():\n"
          "        Line.objects.create(order=order)\n"),
    _file("from django.db import transaction\n\n\ndef pay(order):\n    with transaction.atomic():\n"
          "        order.paid = True\n        order.save()\n    with transaction.atomic():\n"
          "        Log.objects.create(order=order)\n", "MEDIUM: a state and what is told of it"),
)  # fmt: skip
NARROW_GOOD: tuple[Example, ...] = (
    _file("def take(session, message, path):\n    session.add(message)\n    session.commit()\n"
          "    document = document_of(path)\n    document.message_id = message.id\n"
          "    session.add(document)\n    session.commit()\n", "a row that was there"),
    _file(
        "async def place(session, data):\n    order = Order(**data)\n    session.add(order)\n"
        "    await session.flush()\n    for line in data['lines']:\n"
        "        session.add(Line(order_id=order.id, **line))\n    await session.commit()\n"
    ),
    _file("import requests\n\n\ndef pay(db, order):\n    order.status = 'paying'\n    db.commit()\n"
          "    requests.post('https://pay.example')\n    db.add(Payment(order_id=order.id))\n    db.commit()\n",
          "another service is called in between"),
    _file("def save(db, new, data):\n    if new:\n        item = Item(**data)\n        db.add(item)\n        "
          "db.commit()\n"
          "        return item\n    log = Log(**data)\n    db.add(log)\n    db.commit()\n    return log\n"),
    _file("from django.db import transaction\n\n\ndef place(data):\n    with transaction.atomic():\n"
          "        order = Order.objects.create(**data)\n        Line.objects.create(order=order)\n"),
    _file("def close(db, job):\n    try:\n        job.status = 'done'\n        db.commit()\n"
          "    except SQLAlchemyError:\n"
          "        db.rollback()\n        db.add(Failure(job_id=job.id))\n        db.commit()\n"
          "", "the first failed"),
    _file("from django.db import transaction\n\n\ndef pay(order, other):\n    with transaction.atomic():\n"
          "        order.paid = True\n        order.save()\n    with transaction.atomic():\n"
          "        Log.objects.create(order=other)\n"),
    _file("def reckon(db, one, other, costs):\n    one.amount = costs[0]\n    db.commit()\n"
          "    other.amount = costs[1]\n    db.commit()\n", "nothing is moved from one to the other"),
    _file("def load(db, rows):\n    for row in rows:\n        db.add(Item(**row))\n        db.commit()\n"),
)  # fmt: skip

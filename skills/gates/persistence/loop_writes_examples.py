"""Examples of the rules about writes in loops: (bad, good), their documentation and their tests."""

from skills.gates.rule import Example

_SQL = "from sqlalchemy import delete, insert, select, text, update\n\nfrom app.models import Job\n\n\n"
_DJANGO = "from shop.models import Order\n\n\n"


def _file(source: str, note: str = "") -> Example:
    return Example({"app/services.py": source}, note=note)


WRITES_BAD: tuple[Example, ...] = (
    _file(
        _SQL + "async def finish(session, ids):\n    for job_id in ids:\n"
        "        await session.execute(update(Job).where(Job.id == job_id).values(status='done'))\n"
        "    await session.commit()\n"
    ),
    _file("class Jobs:\n    async def reset(self, jobs):\n        for job in jobs:\n"
          "            if job.stale:\n                await self.job_repo.mark_failed(job.id)\n"),
    _file(_SQL + "def purge(db, rows):\n    for row in rows:\n"
          "        db.query(Job).filter(Job.id == row.id).delete()\n"),
    _file(_DJANGO + "def close(orders):\n    for order in orders:\n        order.status = 'closed'\n"
          "        order.save(update_fields=['status'])\n"),
    _file(_DJANGO + "def close(ids):\n    for pk in ids:\n        "
                    "Order.objects.filter(pk=pk).update(open=False)\n"),
    _file(_DJANGO + "def drop(user):\n    for order in Order.objects.filter(user=user):\n        order.delete()\n"),
    _file("from chat.models import Message\n\n\nasync def read(room):\n"
          "    async for message in Message.objects.filter(room=room):\n        message.read = True\n"
          "        await message.asave()\n", "rows of a manager, whatever they are called"),
    _file("def sweep(session, ids):\n    for pk in ids:\n        JobRepository(session).delete(pk)\n",
          "a repository that is made for it"),
    Example({"app/models.py": "from django.db import models\n\n\nclass Berth(models.Model):\n"
             "    def free(self):\n        self.ship = None\n        self.save()\n",
             "app/services.py": "from app.models import Berth\n\n\ndef empty():\n"
             "    for berth in Berth.objects.exclude(ship=None):\n        berth.free()\n"},
            note="a method of the row that saves it"),
    _file(_DJANGO + "def clear(orders):\n    for order in orders:\n        order.lines.all().delete()\n",
          "the rows behind another one"),
    _file("async def touch(conn, ids):\n    for one in ids:\n"
          "        await conn.execute('UPDATE jobs SET seen = now() WHERE id = $1', one)\n"),
    _file("import asyncio\n\n\nasync def drop(repo, ids):\n"
          "    await asyncio.gather(*[repo.delete(one) for one in ids])\n", "in a comprehension"),
    _file("def close(session, tickets):\n    for ticket in tickets:\n        ticket.state = 'closed'\n"
          "        session.commit()\n", "one UPDATE and one commit for each row"),
    _file("from app.rows import ParcelRepository\n\n\nclass Parcels:\n"
          "    def __init__(self, rows: ParcelRepository):\n        self.rows = rows\n\n"
          "    async def send(self, ids):\n        for one in ids:\n"
          "            await self.rows.update(one, sent=True)\n",
          "a repository by its class"),
    _file("from sqlalchemy import delete\nfrom sqlalchemy.orm import Session\n\n"
          "from app.db import SessionLocal\n\n\n"
          "def drop(ids):\n    with SessionLocal() as s:\n        for one in ids:\n"
          "            s.execute(delete(Job).where(Job.id == one))\n", "a session of any name"),
    _file(_SQL + "def finish(session, ids):\n"
          "    statements = [update(Job).where(Job.id == one).values(state='done') for one in ids]\n"
          "    for statement in statements:\n        session.execute(statement)\n", "a list of statements"),
    _file(_SQL + "def first(db):\n    for number in range(5):\n"
          "        db.execute(update(Job).where(Job.rank == number).values(rank=number + 1))\n", "five turns"),
)  # fmt: skip
WRITES_GOOD: tuple[Example, ...] = (
    _file(
        _SQL + "async def finish(session, ids):\n"
        "    await session.execute(update(Job).where(Job.id.in_(ids)).values(status='done'))\n"
        "    await session.commit()\n"
    ),
    _file(_DJANGO + "def close(orders):\n    for order in orders:\n        order.status = 'closed'\n"
          "    Order.objects.bulk_update(orders, ['status'])\n"),
    _file(_SQL + "def purge(db, ids):\n    for batch in chunked(ids, 500):\n"
          "        db.execute(delete(Job).where(Job.id.in_(batch)))\n", "batches of many rows"),
    Example({"app/models.py": "from django.db import models\n\n\nclass Berth(models.Model):\n"
             "    def free(self):\n        self.save()\n\n    def label(self):\n        return self.name\n",
             "app/services.py": "from app.models import Berth\n\n\ndef labels():\n"
             "    for berth in Berth.objects.exclude(ship=None):\n        print(berth.label())\n"
             "        berth.ship.free()\n"},
            note="a method that saves nothing, and one of another thing"),
    _file("async def tidy(session, kinds):\n    for kind in kinds:\n        repository = kind(session)\n"
          "        await repository.delete_expired()\n", "a repository of another table each turn"),
    _file(_SQL + "def wipe(db, tables):\n    for one in tables:\n        db.execute(text(f'DELETE FROM {one}'))\n",
          "another table each turn"),
    _file("def tidy(cursor):\n    for statement in ('DELETE FROM seen', 'UPDATE jobs SET seen = NULL'):\n"
          "        cursor.execute(statement)\n", "each is another one"),
    _file(_DJANGO + "def close(order):\n    for attempt in range(3):\n        order.save()\n", "attempts"),
    _file("def merge(settings, parts):\n    for part in parts:\n        settings.update(part)\n", "a dict"),
    _file("from PIL import Image\n\nfrom app.models import Thing\n\n\ndef shrink(images, out):\n"
          "    for image in images:\n        image.save(out / image.name)\n", "a picture"),
    _file(_DJANGO + "def pick(orders):\n    for order in orders:\n        if order.open:\n"
          "            order.delete()\n            return order\n", "once at most"),
    _file(_DJANGO + "def wipe(models):\n    for model in models:\n        model.objects.all().delete()\n",
          "one statement a table"),
    _file("def close(session, tickets):\n    for ticket in tickets:\n        ticket.state = 'closed'\n"
          "    session.commit()\n"),
    _file("import requests\nfrom sqlalchemy import delete\n\n\ndef drop(ids):\n    with requests.Session() as s:\n"
          "        for one in ids:\n            s.delete(f'https://shop.example/{one}')\n"
          "", "a session of another kind"),
    _file("import hashlib\n\n\ndef digest(parts):\n    found = hashlib.sha256()\n    for part in parts:\n"
          "        found.update(part)\n"),
    _file("def close(session, case, tickets):\n    for ticket in tickets:\n        case.note = ask(ticket)\n"
          "        session.commit()\n", "the same row each time"),
    _file(_DJANGO + "def copy(orders):\n    for order in orders:\n        order.pk = None\n"
          "        order.save()\n", "an INSERT"),
)  # fmt: skip

BULK_BAD: tuple[Example, ...] = (
    _file(
        "async def load(session, rows):\n    for row in rows:\n        session.add(Item(**row))\n"
        "        await session.flush()\n    await session.commit()\n"
    ),
    _file(_SQL + "def load(db, rows):\n    for row in rows:\n        db.execute(insert(Job).values(**row))\n"),
    _file(_DJANGO + "def load(rows):\n    for row in rows:\n        Order.objects.create(**row)\n"),
    _file(_DJANGO + "def load(rows):\n    for row in rows:\n        order = Order(**row)\n        order.save()\n"),
    _file(_DJANGO + "def load(rows):\n    for row in rows:\n        Order(**row).save()\n"),
    _file(_DJANGO + "def copy(orders, shop):\n    for order in orders:\n        order.pk = None\n"
          "        order.shop = shop\n        order.save()\n", "without its key a row is saved as a new one"),
    _file("def load(session, rows):\n    for row in rows:\n        session.add(Item(**row))\n    "
          "session.commit()\n",
          "INFO: the session sends the same statements"),
    _file(_DJANGO + "def load(cart, rows):\n    for row in rows:\n        cart.line_set.create(**row)\n",
          "the rows behind another one"),
    Example({"app/models.py": "from django.db import models\n\n\nclass Line(models.Model):\n"
             "    order = models.ForeignKey('Order', models.CASCADE, related_name='lines')\n",
             "app/services.py": _DJANGO + "def load(order, rows):\n    for row in rows:\n"
             "        order.lines.create(name=row)\n"}, note="the rows behind another one, by their own name"),
    _file("from sqlalchemy.dialects.postgresql import insert as upsert\n\n\ndef load(session, rows):\n"
          "    for row in rows:\n"
          "        session.execute(upsert(Job).values(**row).on_conflict_do_nothing())\n", "by another name"),
    _file("def draw(session, count):\n    for _ in range(count):\n        ticket = Ticket()\n"
          "        session.add(ticket)\n        session.flush()\n", "so many rows"),
    _file("class Links:\n    async def keep(self, urls):\n        for link in urls:\n            "
          "await self._pool.fetchval('INSERT INTO link (url) VALUES ($1) RETURNING id', link)\n", "a pool"),
    _file("def load(cursor, rows):\n    for row in rows:\n"
          "        cursor.execute('INSERT INTO items (name) VALUES (%s)', (row,))\n"),
)  # fmt: skip
BULK_GOOD: tuple[Example, ...] = (
    _file(
        "async def load(session, rows):\n    session.add_all([Item(**row) for row in rows])\n"
        "    await session.commit()\n"
    ),
    _file(_DJANGO + "def load(rows):\n    Order.objects.bulk_create([Order(**row) for row in rows])\n"),
    _file(_SQL + "def load(db, rows):\n    db.execute(insert(Job), [dict(row) for row in rows])\n"),
    _file(_DJANGO + "def collect(self, rows):\n    for row in rows:\n        self.seen_set.update(row)\n"
          "", "a set of Python"),
    _file("def collect(rows):\n    seen = set()\n    for row in rows:\n        seen.add(row)\n", "a set"),
    _file(_DJANGO + "def load(forms):\n    for form in forms:\n        form.save()\n"),
    _file("def load(cursor, rows):\n    cursor.executemany('INSERT INTO items (name) VALUES (%s)', rows)\n"),
    _file(_DJANGO + "def ask(client, questions):\n    for question in questions:\n"
          "        client.answers.create(text=question)\n", "a client of another service"),
    _file("def keep(session, row):\n    for _ in range(3):\n        try:\n            session.add(row)\n"
          "            session.commit()\n            return\n        except OSError:\n            continue\n",
          "attempts"),
    _file(_SQL + "def load(db, pages):\n    for page in pages:\n"
          "        db.execute(insert(Job), [dict(row) for row in page])\n", "one statement for many rows"),
)  # fmt: skip

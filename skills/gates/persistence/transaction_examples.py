"""Examples of the transaction rules: (bad, good), their documentation and their tests."""

from skills.gates.rule import Example

_PATH = "shop/services.py"
_ATOMIC = "from django.db import transaction\n"


def _file(source: str, note: str = "") -> Example:
    return Example({_PATH: source}, note=note)


_SCOPE = (
    "from contextlib import contextmanager\n\n\n@contextmanager\ndef session_scope():\n"
    "    session = SessionLocal()\n    try:\n        yield session\n        session.commit()\n"
    "    finally:\n        session.close()\n"
)
_TELLS = (
    "from shop.mails import tell\n\n\nasync def join(session, user):\n    async with session.begin():\n"
    "        session.add(user)\n        await tell(user)\n"
)
_BORROWER = (
    "import requests\n\nfrom shop.db import session_scope\n\n\ndef remind(bill):\n"
    "    with session_scope() as session:\n        session.add(Reminder(bill=bill))\n        requests.post('https://letters.example')\n"
)

WIDE_BAD: tuple[Example, ...] = (
    _file(
        _ATOMIC + "import requests\n\n\ndef pay(order):\n    with transaction.atomic():\n        order.lock()\n"
        "        requests.post('https://pay.example', json={'id': order.pk})\n        order.save()\n"
    ),
    _file(
        _ATOMIC + "from django.core.mail import send_mail\n\n\n@transaction.atomic\ndef place(cart):\n"
        "    order = Order.objects.create(cart=cart)\n    send_mail('Thanks', '…', None, [order.email])\n"
    ),
    _file(
        "import httpx\n\n\nasync def pay(session, client: httpx.AsyncClient):\n    async with session.begin():\n"
        "        session.add(Order())\n        await client.post('https://pay.example')\n"
    ),
    _file("import shutil\n\n" + _ATOMIC + "\n\ndef keep(path, row):\n    with transaction.atomic():\n"
          "        row.save()\n        shutil.move(path, '/srv')\n"),
    _file(_ATOMIC + "\n\ndef load(path):\n    with transaction.atomic(), open(path) as f:\n"
          "        for line in open(path):\n            Row.objects.create(line=line)\n"),
    _file(_ATOMIC + "\n\nclass Pay:\n    async def pay(self, session):\n        async with session.begin():\n"
          "            await self.http_client.post('https://pay.example')\n"),
    _file(_ATOMIC + "import requests\n\n\ndef pay(order):\n    with transaction.atomic():\n"
          "        order.charge = charge(order)\n"
          "        order.save()\n\n\ndef charge(order):\n    return requests.post('https://pay.example').text\n",
          "in a function that the transaction calls"),
    _file("import aiosmtplib\nfrom sqlalchemy.orm import Session\n\n\nasync def pay(s: Session, mail):\n"
          "    with s.begin():\n"
          "        s.add(Order())\n        await aiosmtplib.send(mail)\n", "a session of any name"),
    _file("import aiohttp\nimport asyncpg\n\n\nasync def crawl(pool: asyncpg.Pool, url):\n"
          "    async with pool.acquire() as conn, conn.transaction():\n"
          "        await conn.execute(\"UPDATE page SET state = 'busy'\")\n"
          "        async with aiohttp.ClientSession() as http:\n            await http.get(url)\n",
          "a driver's own transaction"),
    Example({"shop/db.py": _SCOPE, _PATH: _BORROWER}, note="what lends the session commits at the end"),
    Example({"shop/mails.py": "import httpx\n\n\nasync def tell(user):\n"
             "    async with httpx.AsyncClient() as client:\n"
             "        await client.post('https://mail.example')\n", _PATH: _TELLS}, note="of another file"),
    Example({"shop/mails.py": "import requests\n\n\ndef tell(user):\n    requests.post('https://mail.example')\n",
             _PATH: _ATOMIC + "from shop import mails\n\n\n@transaction.atomic\ndef join(user):\n    user.save()\n"
             "    mails.tell(user)\n"}, note="of another file"),
    _file(_ATOMIC + "\n\n@transaction.atomic\ndef keep(order, path):\n    order.save()\n"
          "    path.joinpath('order.txt').write_text(str(order))\n", "MEDIUM: a whole file"),
    _file(_ATOMIC + "import stripe\n\n\ndef pay(order):\n    with transaction.atomic():\n"
          "        order.charge = stripe.Charge.create(amount=order.total).id\n        order.save()\n"),
)  # fmt: skip
WIDE_GOOD: tuple[Example, ...] = (
    _file(
        _ATOMIC + "import requests\n\n\ndef pay(order):\n    answer = requests.post('https://pay.example')\n"
        "    with transaction.atomic():\n        order.paid = answer.ok\n        order.save()\n"
        "        transaction.on_commit(lambda: requests.post('https://mail.example'))\n"
    ),
    _file("import httpx\n\n\nasync def pay(session, client: httpx.AsyncClient):\n    async with session.begin():\n"
          "        session.add(Order())\n    await client.post('https://pay.example')\n"),
    _file("import asyncio\n\nimport httpx\n\n\nasync def pay(session):\n    async with session.begin():\n"
          "        session.add(Order())\n        asyncio.create_task(tell())\n\n\nasync def tell():\n"
          "    async with httpx.AsyncClient() as client:\n        await client.post('https://pay.example')\n",
          "nothing here waits for it"),
    Example({"shop/mails.py": "async def tell(user):\n    log(user)\n", _PATH: _TELLS}, note="it waits for none"),
    Example({"shop/mails.py": "import httpx\n\n\nasync def tell(user):\n    await httpx.AsyncClient().post('x')\n",
             _PATH: _TELLS.replace("await tell(user)", "tasks.add(tell(user))")}, note="nobody waits for it here"),
    Example({"shop/db.py": _SCOPE.replace("session.commit()", "pass"), _PATH: _BORROWER}, note="it only lends"),
    _file("import requests\n\n\ndef f(animation):\n    with animation.begin():\n        requests.get('x')\n"),
    _file(_ATOMIC + "\n\n@transaction.atomic\ndef f(requests):\n    requests.get(1)\n", "a parameter"),
)  # fmt: skip

_UNIT = (
    "class UnitOfWork:\n    def __enter__(self):\n        return self\n\n    def __exit__(self, *failed):\n"
    "        self.session.commit() if failed[0] is None else self.session.rollback()\n"
)

LONG_BAD: tuple[Example, ...] = (
    _file(_ATOMIC + "import time\n\n\ndef pay(order):\n    with transaction.atomic():\n        order.save()\n"
          "        time.sleep(1)\n"),
    _file("import time\n\n\ndef pay(session, order):\n    session.add(order)\n    session.flush()\n    "
          "time.sleep(1)\n"
          "    session.commit()\n", "the session has begun a transaction of its own"),
    _file("import asyncio\n\n\nasync def pay(db, key):\n    await db.begin()\n"
          "    order = await db.get(Order, key)\n"
          "    await asyncio.sleep(1)\n    order.paid = True\n    await db.commit()\n", "begun by hand"),
    _file("import asyncio\n\n\nasync def pay(db):\n    async with db.begin():\n        await asyncio.sleep(1)\n"),
    Example({"shop/db.py": _UNIT, _PATH: "import time\n\nfrom shop.db import UnitOfWork\n\n\ndef pay(order):\n"
             "    with UnitOfWork() as uow:\n        uow.orders.add(order)\n        time.sleep(1)\n"},
            note="a unit of work"),
    _file(_ATOMIC + "\n\n@transaction.atomic\ndef pay(order):\n"
          + "".join(f"    order.step_{number}()\n" for number in range(60))),
)  # fmt: skip
LONG_GOOD: tuple[Example, ...] = (
    _file(_ATOMIC + "import time\n\n\ndef pay(order):\n    with transaction.atomic():\n        order.save()\n"
          "    time.sleep(1)\n"),
    _file("import asyncio\n\n\nasync def pay(db):\n    async with db.begin():\n        await asyncio.sleep(0)\n",
          "others run, and it goes on"),
    _file(_ATOMIC + "\n\n@transaction.atomic\ndef pay(order):\n    order.save(\n        a=1,\n"
          + "\n\n\n" * 60 + "    )\n", "one statement over many lines"),
)  # fmt: skip

TASK_BAD: tuple[Example, ...] = (
    _file(
        _ATOMIC + "from shop.tasks import send_invoice\n\n\ndef place(cart):\n    with transaction.atomic():\n"
        "        order = Order.objects.create(cart=cart)\n        send_invoice.delay(order.pk)\n"
    ),
    _file(_ATOMIC + "\n\n@transaction.atomic\ndef place(cart):\n    send_invoice.apply_async((cart.pk,))\n"),
    _file("async def place(session, pool):\n    async with session.begin():\n"
          "        await pool.enqueue_job('invoice')\n"),
)  # fmt: skip
TASK_GOOD: tuple[Example, ...] = (
    _file(
        _ATOMIC + "from functools import partial\n\n\ndef place(cart):\n    with transaction.atomic():\n"
        "        order = Order.objects.create(cart=cart)\n"
        "        transaction.on_commit(lambda: send_invoice.delay(order.pk))\n"
        "        transaction.on_commit(partial(send_invoice.delay, order.pk))\n"
    ),
    _file(_ATOMIC + "\n\ndef place(cart):\n    with transaction.atomic():\n        cart.save()\n"
          "    send_invoice.delay(cart.pk)\n"),
    _file(_ATOMIC + "\n\ndef place(cart):\n    with transaction.atomic():\n        cart.save()\n\n"
          "        def later():\n            send_invoice.delay(cart.pk)\n\n"
          "        transaction.on_commit(later)\n"),
)  # fmt: skip

SWALLOWED_BAD: tuple[Example, ...] = (
    _file(
        "from django.db import IntegrityError, transaction\n\n\ndef join(user, team):\n"
        "    with transaction.atomic():\n        try:\n            Member.objects.create(user=user, team=team)\n"
        "        except IntegrityError:\n            pass\n        team.touch()\n"
    ),
    _file("from django.db import transaction\nfrom django.db.utils import DatabaseError\n\n\n@transaction.atomic\n"
          "def join(user):\n    try:\n        user.save()\n    except (ValueError, DatabaseError):\n"
          "        return None\n"),
    _file("from sqlalchemy.exc import IntegrityError\n\n\nasync def join(session, row):\n"
          "    async with session.begin():\n        session.add(row)\n        try:\n"
          "            await session.flush()\n        except IntegrityError:\n            print('known')\n"),
)  # fmt: skip
SWALLOWED_GOOD: tuple[Example, ...] = (
    _file(
        "from django.db import IntegrityError, transaction\n\n\ndef join(user, team):\n"
        "    with transaction.atomic():\n        try:\n            with transaction.atomic():\n"
        "                Member.objects.create(user=user, team=team)\n        except IntegrityError:\n"
        "            pass\n        team.touch()\n"
    ),
    _file("from django.db import IntegrityError, transaction\n\n\ndef join(user):\n    try:\n"
          "        with transaction.atomic():\n            user.save()\n    except IntegrityError:\n"
          "        return None\n"),
    _file("from django.db import IntegrityError, transaction\n\n\n@transaction.atomic\ndef join(user):\n    try:\n"
          "        user.save()\n    except IntegrityError as error:\n        raise Conflict from error\n"),
    _file("from django.db import IntegrityError, transaction\n\n\n@transaction.atomic\ndef join(user):\n    try:\n"
          "        row, _ = Member.objects.get_or_create(user=user)\n    except IntegrityError:\n"
          "        row = None\n    return row\n"),
)  # fmt: skip

IMPLICIT_BAD: tuple[Example, ...] = (
    _file(
        "import httpx\n\n\nasync def pay(session, order_id):\n    order = Order(id=order_id)\n    "
        "session.add(order)\n"
        "    await session.flush()\n    async with httpx.AsyncClient() as client:\n"
        "        await client.post('https://pay.example')\n    order.paid = True\n    await session.commit()\n",
        "the session has begun a transaction of its own",
    ),
)
IMPLICIT_GOOD: tuple[Example, ...] = (
    _file(
        "import httpx\n\n\nasync def pay(session, order_id):\n    session.add(Order(id=order_id))\n"
        "    await session.commit()\n    async with httpx.AsyncClient() as client:\n"
        "        await client.post('https://pay.example')\n    session.add(Payment(order_id=order_id))\n"
        "    await session.commit()\n"
    ),
)

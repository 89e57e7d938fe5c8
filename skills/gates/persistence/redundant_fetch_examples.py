"""Examples of the rules about rows that are read twice: (bad, good), their documentation and their tests."""

from skills.gates.rule import Example


def _file(source: str, note: str = "") -> Example:
    return Example({"app/jobs.py": source}, note=note)


_WORK = "async def work(session, job_id):\n    job = await session.get(Job, job_id)\n"
_WORK += "    job.tries += 1\n    run(job.kind)\n"

REDUNDANT_BAD: tuple[Example, ...] = (
    _file(
        "class Worker:\n    async def step(self):\n        job = await self.job_repo.acquire_next_pending()\n"
        "        await self._process(job.id)\n\n    async def _process(self, job_id):\n"
        "        job = await self.job_repo.get_by_id(job_id)\n        job.tries += 1\n        run(job.kind)\n"
    ),
    _file("async def step(session, ident):\n    job = await session.get(Job, ident)\n    check(job)\n"
          "    await work(session, ident)\n\n\n" + _WORK),
    _file("def take(item_id):\n    item = Item.query.get(item_id)\n    check(item)\n    add(item_id)\n\n\n"
          "def add(item_id):\n    item = Item.query.get(item_id)\n    item.stock += 1\n    item.seen = True\n",
          "by the query of its class"),
    _file("def step(session):\n    letter = LetterRepository(session).next_pending()\n"
          "    work(session, letter.id)\n\n\ndef work(session, letter_id):\n"
          "    letter = LetterRepository(session).get_by_id(letter_id)\n    letter.tries += 1\n"
          "    run(letter.kind)\n", "repositories that are made for it"),
    _file("from sqlalchemy.orm import Session\n\n\ndef move(db, pk):\n    menu = menu_dao.get(db, pk)\n"
          "    check(menu)\n    return menu_dao.get(db, pk)\n", "a repository is given its session"),
    _file("from app.rows import ParcelRepository\n\n\nclass Parcels:\n"
          "    def __init__(self, rows: ParcelRepository):\n        self.rows = rows\n\n"
          "    async def seal(self, parcel_id):\n        parcel = await self.rows.get_by_id(parcel_id)\n"
          "        parcel.sealed = True\n        check(parcel.weight)\n\n\n"
          "async def close(parcel_id, rows: ParcelRepository, parcels: Parcels):\n"
          "    parcel = await rows.get_by_id(parcel_id)\n    check(parcel)\n    await parcels.seal(parcel.id)\n",
          "repositories by their class"),
    _file("from sqlalchemy.orm import Session\n\n\ndef close(db, parcel_id):\n"
          "    parcel = get_parcel(db, parcel_id)\n"
          "    parcel.closed = True\n    check(parcel.weight)\n\n\ndef ship(db, parcel_id):\n"
          "    parcel = get_parcel(db, parcel_id)\n    check(parcel)\n    close(db, parcel_id)\n",
          "functions that are named after the row"),
    _file("from shop.models import Order\n\n\ndef pay(pk):\n    order = Order.objects.get(pk=pk)\n"
          "    check(order)\n    again = Order.objects.get(pk=pk)\n    return again\n", "twice in one function"),
    Example({
        "app/views.py": "from app.orders import total_of\nfrom shop.models import Order\n\n\ndef show(request, "
                        "pk):\n"
        "    order = Order.objects.get(pk=pk)\n    return render(request, order, total_of(order.pk))\n",
        "app/orders.py": "from shop.models import Order\n\n\ndef total_of(order_id):\n"
        "    order = Order.objects.get(pk=order_id)\n    return order.net + order.tax\n",
    }, note="over two files"),
)  # fmt: skip
REDUNDANT_GOOD: tuple[Example, ...] = (
    _file(
        "class Worker:\n    async def step(self):\n        job = await self.job_repo.acquire_next_pending()\n"
        "        await self._process(job)\n\n    async def _process(self, job):\n        run(job.kind)\n"
    ),
    _file("async def step(session, ident):\n    job = await session.get(Job, ident)\n    queue.delay(job.id)\n\n\n"
          + _WORK, "handed to a queue"),
    _file("def step(order):\n    ship(order.pk)\n\n\n@shared_task\ndef ship(order_id):\n"
          "    order = Order.objects.get(pk=order_id)\n    order.sent = True\n    order.save()\n", "a task"),
    _file("async def step(session, body):\n    for job in body.jobs:\n        await work(session, job.id)\n\n\n"
          + _WORK, "what a client sent"),
    _file("async def step(session, job: JobUpdate):\n    await work(session, job.id)\n\n\n" + _WORK, "likewise"),
    _file("async def step(session, user):\n    await work(session, user.job_id)\n\n\n" + _WORK, "another row"),
    _file("def pay(session, ident):\n    order = session.get(Order, ident)\n    check(order)\n"
          "    return session.get(Order, ident, with_for_update=True)\n", "the second read locks"),
    _file("def pick(pk, old):\n    if old:\n        return Old.objects.get(pk=pk)\n    return "
          "Old.objects.get(pk=pk)\n"),
    _file("from sqlalchemy.orm import Session\n\n\ndef move(db, pk, parent):\n    menu = menu_dao.get(db, pk)\n"
          "    above = menu_dao.get(db, parent)\n    return menu, above\n", "a repository is given its session"),
    _file("async def close(session, ident, service):\n    job = await session.get(Job, ident)\n    check(job)\n"
          "    await service.close(job.id)\n", "a method of the same name is called"),
    _file("def close(shelf, parcel_id):\n    parcel = shelf.get_parcel(parcel_id)\n    check(parcel)\n"
          "    return shelf.get_parcel(parcel_id)\n", "nothing says that this asks a database"),
    _file("from shop.models import Order\n\n\ndef pay(one, two):\n    first = Order.objects.get(pk=one)\n"
          "    second = Order.objects.get(pk=two)\n    return first, second\n"),
)  # fmt: skip

RESOLVE_BAD: tuple[Example, ...] = (
    _file(
        "def address_of(session, order_id):\n    order = session.get(Order, order_id)\n    return "
        "order.address\n\n\n"
        "def ship(session, order):\n    pack(order.items)\n    send(address_of(session, order.id))\n"
    ),
    _file("class Mails:\n    async def notify(self, user_id, text):\n"
          "        user = await self.user_repo.get_by_id(user_id)\n        if user is None:\n            return\n"
          "        await self.mailer.send(user.email, text)\n\n    async def welcome(self, user):\n"
          "        await self.notify(user.id, 'Hello')\n"),
    _file("from shop.models import User\n\n\ndef mood_of(pk):\n    return User.objects.get(pk=pk).mood\n\n\n"
          "def greet(request):\n    return answer(mood_of(request.user.pk))\n", "read where it stands"),
)  # fmt: skip
RESOLVE_GOOD: tuple[Example, ...] = (
    _file(
        "def address_of(order):\n    return order.address\n\n\ndef ship(order):\n    send(address_of(order))\n"
    ),
    _file("def address_of(session, order_id):\n    order = session.get(Order, order_id)\n    return "
          "order.address\n\n\n"
          "def ship(session, order_id):\n    send(address_of(session, order_id))\n", "nobody has the row"),
    _file("def address_of(session, order_id):\n    order = session.get(Order, order_id)\n    return "
          "order.address\n\n\n"
          "def ship(session, parcel):\n    send(address_of(session, parcel.order_id))\n", "only its key is there"),
    _file("async def order_of(session, order_id):\n"
          "    result = await session.execute(select(Order).where(Order.id == order_id))\n"
          "    return result.scalar()\n\n\n"
          "async def ship(session, order):\n    send(await order_of(session, order.id))\n", "the whole row"),
    _file("from shop.models import User\n\n\ndef mood_of(pk):\n    return User.objects.get(pk=pk).mood\n\n\n"
          "def greet(request):\n    return answer(mood_of(request.team.pk))\n", "another row"),
)  # fmt: skip

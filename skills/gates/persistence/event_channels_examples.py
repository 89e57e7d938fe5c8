"""Examples of the rules about events and triggers: (bad, good), their documentation and their tests."""

from skills.gates.rule import Example

_LISTEN = "async def follow(conn):\n    await conn.execute('LISTEN job_events')\n"
_TRIGGER = (
    'def upgrade():\n    op.execute("""\n    CREATE FUNCTION tell_jobs() RETURNS trigger AS $$\n'
    "    BEGIN PERFORM pg_notify('job_events', NEW.id::text); RETURN NEW; END;\n    $$ LANGUAGE plpgsql;\n"
    "    CREATE TRIGGER jobs_changed AFTER UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION tell_jobs();\n"
    '    """)\n'
)
_TOTALS = (
    'def upgrade():\n    op.execute("""\n    CREATE TRIGGER recount AFTER UPDATE OR INSERT ON public.orders\n'
    "    FOR EACH ROW EXECUTE PROCEDURE recount_totals();\n"
    '    """)\n'
)


def _files(note: str = "", **files: str) -> Example:
    paths = {"migration": "alembic/versions/001_jobs.py", "pub": "app/publish.py", "sub": "app/follow.py",
             "names": "app/channels.py"}  # fmt: skip
    return Example({paths[name]: text for name, text in files.items()}, note=note)


CHANNELS_BAD: tuple[Example, ...] = (
    _files(
        "CRITICAL: one letter apart",
        pub="async def tell(conn, job):\n    await conn.execute(\"NOTIFY job_events, 'x'\")\n",
        sub="async def follow(conn):\n    await conn.add_listener('job_event', print)\n",
    ),
    _files(
        "CRITICAL: two letters changed places",
        pub="async def tell(redis, job):\n    await redis.publish('order_paid', job)\n",
        sub="async def follow(pubsub):\n    await pubsub.subscribe('ordre_paid')\n",
    ),
    _files(
        "HIGH: nobody listens",
        pub="async def tell(redis, job):\n    await redis.publish('order_paid', job)\n",
    ),
    _files(
        "HIGH: nobody listens, and what else is listened to is told as well",
        names="JOBS = 'job_events'\n",
        pub="from app.channels import JOBS\n\n\nasync def tell(redis, job):\n    await redis.publish(JOBS, job)\n"
        "    await redis.publish('order_paid', job)\n",
        sub="from app.channels import JOBS\n\n\nasync def follow(pubsub):\n    await pubsub.subscribe(JOBS)\n",
    ),
    _files(
        "HIGH: nobody listens, and the beginning of what is listened to is known",
        pub="async def tell(redis, job):\n    await redis.publish('order_paid', job)\n",
        sub="FLEET = 'trucks-'\n\n\nasync def follow(pubsub, one):\n    await pubsub.subscribe(f'{FLEET}{one}')\n",
    ),
    _files(
        "HIGH: nobody listens to what is said by its word",
        pub="async def tell(redis, job):\n    await redis.publish(channel='order_paid', message=job)\n",
    ),
    _files(
        "MEDIUM: nobody says it",
        sub="async def follow(pubsub):\n    await pubsub.subscribe('order_paid')\n",
    ),
    _files(
        "CRITICAL: a template apart",
        pub="async def tell(redis, job):\n    await redis.publish(f'job_events:{job.id}', '{}')\n",
        sub="async def follow(pubsub, one):\n    await pubsub.subscribe(f'jobs_events:{one}')\n",
    ),
)
CHANNELS_GOOD: tuple[Example, ...] = (
    _files(
        "the same name",
        pub="async def tell(conn):\n    await conn.execute(\"SELECT pg_notify('job_events', 'x')\")\n",
        sub=_LISTEN,
    ),
    _files(
        "a shared constant",
        names="JOBS = 'job_events'\n",
        pub="from app.channels import JOBS\n\n\nasync def tell(redis):\n    await redis.publish(JOBS, 'x')\n",
        sub="from app.channels import JOBS\n\n\nasync def follow(pubsub):\n    await pubsub.subscribe(JOBS)\n",
    ),
    _files(
        "the same template",
        pub="async def tell(redis, job):\n    await redis.publish(f'job_events:{job.id}', '{}')\n",
        sub="async def follow(pubsub, ident):\n    await pubsub.subscribe(f'job_events:{ident}')\n",
    ),
    _files(
        "a shared constant by its word",
        pub="from app.channels import JOBS\n\n\nasync def tell(redis):\n"
        "    await redis.publish(channel=JOBS, message='x')\n"
        "    await redis.publish('order_paid', 'x')\n",
        sub="from app.channels import JOBS\n\n\nasync def follow(pubsub):\n"
        "    await pubsub.subscribe(JOBS, 'order_paid')\n",
    ),
    _files("not a bus either", pub="def go(article_manager):\n    article_manager.publish('front_page')\n"),
    _files("not a bus", pub="def go(article):\n    article.publish('front_page')\n    emitter.on('click', go)\n"),
    _files("from a trigger", migration=_TRIGGER, sub=_LISTEN),
    _files(
        "listens to whatever it is told",
        pub="async def tell(redis, job):\n    await redis.publish('order_paid', job)\n",
        sub="async def follow(pubsub, channel):\n    await pubsub.subscribe(channel)\n",
    ),
)

COMMITS_BAD: tuple[Example, ...] = (
    _files(
        "CRITICAL: somebody listens",
        migration=_TRIGGER,
        sub=_LISTEN,
        pub="async def work(session, job, steps):\n    for done, step in enumerate(steps):\n        run(step)\n"
        "        job.progress = done\n        await session.flush()\n    await session.commit()\n",
    ),
    Example(
        {
            "shop/models.py": "from django.db import models\n\n\nclass Order(models.Model):\n"
            "    state = models.TextField()\n",
            "shop/migrations/0002_recount.py": _TOTALS.replace("public.orders", "shop_order"),
            "shop/services.py": "from django.db import transaction\n\nfrom shop.models import Order\n\n\n"
            "def close(keys):\n    with transaction.atomic():\n        for key in keys:\n"
            "            Order.objects.filter(pk=key).update(state='closed')\n",
        },
        note="HIGH: the name that Django gives the table",
    ),
    _files(
        "HIGH: a trigger without a listener",
        migration=_TOTALS,
        pub="from sqlalchemy import update\n\n\ndef work(session, ids):\n"
        "    session.execute(update(Order).where(Order.id == 1).values(state='a'))\n"
        "    session.execute(update(Order).where(Order.id == 2).values(state='b'))\n    session.commit()\n",
    ),
)
COMMITS_GOOD: tuple[Example, ...] = (
    _files(
        "each step is committed",
        migration=_TRIGGER,
        sub=_LISTEN,
        pub="async def work(session, job, steps):\n    for done, step in enumerate(steps):\n        run(step)\n"
        "        job.progress = done\n        await session.commit()\n",
    ),
    _files(
        "each step has a session of its own",
        migration=_TRIGGER,
        sub=_LISTEN,
        pub="from sqlalchemy import update\n\n\ndef work(job_id, steps):\n    for done, step in enumerate(steps):\n"
        "        with session_scope() as session:\n"
        "            session.execute(update(Job).where(Job.id == job_id).values(progress=done))\n"
        "            session.commit()\n    with SessionLocal() as session:\n        session.commit()\n",
    ),
    _files(
        "another table",
        migration=_TRIGGER,
        sub=_LISTEN,
        pub="async def work(session, parcel, steps):\n    for done, step in enumerate(steps):\n"
        "        parcel.progress = done\n        await session.flush()\n    await session.commit()\n",
    ),
    _files(
        "the trigger stamps the row alone",
        migration=_TRIGGER.replace("PERFORM pg_notify('job_events', NEW.id::text)", "NEW.changed = now()"),
        sub=_LISTEN,
        pub="async def work(session, job, steps):\n    for done, step in enumerate(steps):\n"
        "        job.progress = done\n        await session.flush()\n    await session.commit()\n",
    ),
    _files(
        "one change of two fields",
        migration=_TRIGGER,
        sub=_LISTEN,
        pub="async def done(session, job):\n    job.status = 'done'\n    job.progress = 100\n"
        "    await session.commit()\n",
    ),
    Example(
        {
            "shop/models.py": "from django.db import models\n\n\nclass Order(models.Model):\n"
            "    state = models.TextField()\n",
            "shop/migrations/0002_recount.py": _TOTALS.replace("public.orders", "shop_order"),
            "shop/services.py": "from django.db import transaction\n\nfrom shop.models import Order\n\n\n"
            "def close(keys):\n    for key in keys:\n"
            "        Order.objects.filter(pk=key).update(state='closed')\n\n\n"
            "@transaction.atomic\ndef open_all():\n    Order.objects.update(state='open')\n",
        },
        note="each is committed at once",
    ),
    Example(
        {
            "shop/models.py": "from django.db import models\n\n\nclass Order(models.Model):\n"
            "    state = models.TextField()\n",
            "shop/migrations/0002_recount.py": _TOTALS.replace("public.orders", "shop_order"),
            "shop/services.py": "from django.db import transaction\n\nfrom shop.models import Order\n\n\n"
            "def close(order, batches):\n    for batch in batches:\n        with transaction.atomic():\n"
            "            keep(batch)\n            Order.objects.filter(pk=order.pk).update(state='busy')\n"
            "        Order.objects.filter(pk=order.pk).update(state='closed')\n",
        },
        note="a transaction for each batch, and what is committed at once beside it",
    ),
    _files(
        "one change",
        migration=_TRIGGER,
        sub=_LISTEN,
        pub="async def done(session, job):\n    job.status = 'done'\n    await session.commit()\n",
    ),
)

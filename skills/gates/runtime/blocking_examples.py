"""Examples of the rule blocking-io-in-async: (bad, good)."""

from skills.gates.rule import Example

_API = "app/api.py"
_GATEWAY = (
    "import requests\n\n\nclass Gateway:\n    def __init__(self):\n        self.http = requests.Session()\n\n"
    "    def charge(self, n):\n        return self.http.post('x', n)\n"
)

BLOCKING_BAD: tuple[Example, ...] = (
    Example({_API: "import io\n\n\nasync def save(sheet: io.BufferedWriter | None, rows):\n"
             "    for row in rows:\n        sheet.write(row)\n"}),
    Example({_API: "import requests\n\n\nasync def f(url):\n    ask = lambda: requests.get(url)\n"
             "    return ask()\n"}),
    Example({_API: "import time\n\n\nasync def f():\n    rest = lambda n: time.sleep(n)\n    rest(2)\n"}),
    Example({_API: "import queue\n\njobs: 'queue.Queue[str]' = queue.Queue()\n\n\nasync def f():\n"
             "    return jobs.get()\n"}),
    Example({_API: "from concurrent.futures import as_completed\n\n\nasync def f(jobs):\n"
             "    return [job.result() for job in as_completed(jobs)]\n"}),
    Example({_API: "import pandas as pd\n\n\nasync def f(rows):\n    pd.DataFrame(rows).to_parquet('a')\n"}),
    Example({_API: "import websocket\n\n\nasync def f(url):\n    return websocket.create_connection(url)\n"}),
    Example({_API: "import boto3\n\nstore = boto3.resource('s3')\n\n\nasync def f(x):\n"
             "    store.Bucket('a').put_object(Body=x)\n"}),
    Example({_API: "from kafka import KafkaProducer\n\nout = KafkaProducer()\n\n\nasync def f(x):\n"
             "    out.send('a', x).get()\n"}),
    Example({_API: "from qdrant_client import QdrantClient\n\nstore = QdrantClient()\n\n\nasync def f(x):\n"
             "    return store.search('a', x)\n"}),
    Example({_API: "import django\nfrom shop.models import Rate\n\n\nasync def f():\n"
             "    return list(Rate.objects.all()[:9])\n"}),
    Example(
        {
            _API: "from django.http import JsonResponse\n\nfrom shop.models import Rate\n\n\n"
            "async def rates(request):\n"
            "    return JsonResponse({rate.name: rate.value for rate in Rate.objects.all()})\n"
        }
    ),
    Example(
        {
            _API: "import requests\nfrom fastapi import APIRouter\n\nrouter = APIRouter()\n\n\n"
            '@router.get("/rates")\nasync def rates():\n    return requests.get("https://rates.example").json()\n'
        }
    ),
    Example(
        {
            _API: "import httpx\n\n\nasync def price(client: httpx.Client | None, sku: str):\n"
            '    return client.get(f"/prices/{sku}")\n'
        }
    ),
    Example({_API: "from google.cloud import storage\n\n\nasync def load(key):\n"
             "    blob = storage.Client().bucket('b').blob(key)\n    return blob.download_as_text()\n"}),
    Example({_API: "from concurrent.futures import ThreadPoolExecutor\n\npool = ThreadPoolExecutor()\n\n\n"
             "async def load(key):\n    future = pool.submit(read, key)\n    return future.result()\n"}),
    Example({_API: "from tornado.httpclient import HTTPClient\n\n\nasync def load(url):\n"
             "    return HTTPClient().fetch(url)\n"}),
    Example({_API: "import configparser\n\n\nasync def load(path):\n    parser = configparser.ConfigParser()\n"
             "    parser.read(path)\n    return parser\n"}),
    Example({_API: "async def load(pool, key):\n    return pool.submit(read, key).result()\n"}),
    Example({_API: "import zipfile\n\n\nasync def pack(buffer, names):\n"
             "    archive = zipfile.ZipFile(buffer, 'w')\n    for name in names:\n        archive.write(name)\n"}),
    Example({_API: "import stripe\n\n\nasync def pay(total):\n    stripe.PaymentIntent.create(amount=total)\n"}),
    Example({_API: 'async def load(path):\n    with open(path) as handle:\n        return handle.name\n'}),
    Example({_API: "from pathlib import Path as P\n\nROOT = P('x')\n\n\nasync def f(n):\n"
             "    return (ROOT / n).read_text()\n"}),
    Example({_API: "from subprocess import run as sh\n\n\nasync def f():\n    sh(['ls'])\n"}),
    Example({_API: "import os\n\n\nasync def f(p):\n    if os.path.exists(p):\n        os.remove(p)\n"}),
    Example({_API: "import redis\n\n\nclass Carts:\n    def __init__(self):\n        self.db = redis.Redis()\n\n"
             "    async def of(self, user):\n        return self.db.hgetall(user)\n"}),
    Example({_API: "from sqlalchemy.orm import Session\n\n\nasync def f(db: Session):\n"
             "    return db.query(Order).filter_by(paid=True).all()\n"}),
    Example({_API: "from django.http import JsonResponse\n\n\nasync def f(request):\n"
             "    return JsonResponse({'n': Order.objects.filter(paid=True).count()})\n"}),
    Example({_API: "from django.http import JsonResponse\n\n\nasync def f(request):\n"
             "    order = await Order.objects.aget(pk=3)\n    order.save()\n"}),
    Example({_API: "from django.http import JsonResponse\n\n\nasync def f(request):\n"
             "    orders = Order.objects.filter(paid=True)\n    return [order.pk for order in orders]\n"}),
    Example({_API: "import openai\n\nclient = openai.OpenAI()\n\n\nasync def f(x):\n"
             "    return client.chat.completions.create(messages=x)\n"}),
    Example({_API: "from sqlalchemy import create_engine\n\nengine = create_engine('x')\n\n\n"
             "async def f():\n    with engine.begin() as rows:\n        return rows.execute('x')\n"}),
    Example({_API: "from pymongo import MongoClient\n\nmongo = MongoClient()\n\n\n"
             "async def f():\n    return mongo['shop'].orders.find_one({})\n"}),
    Example({_API: "import sqlite3\n\n\nasync def f(path):\n    base = sqlite3.connect(path)\n"
             "    cursor = base.cursor()\n    cursor.execute('select 1')\n"}),
    Example({_API: "async def ask():\n    return input('> ')\n"}),
    Example({_API: "import requests\n\n\ndef fetch(url):\n    return requests.get(url)\n\n\n"
             "def rate(url):\n    return fetch(url).json()['rate']\n\n\nasync def rates(url):\n"
             "    return rate(url)\n"}, note="two functions away"),
    Example({_API: "from app.rates import fetch\n\n\nasync def rates():\n    return fetch('x')\n",
             "app/rates.py": "import requests\n\n\ndef fetch(url):\n    return requests.get(url)\n"}),
    Example({_API: "import time\n\n\nclass Poll:\n    def _pause(self):\n        time.sleep(3)\n\n"
             "    async def run(self):\n        self._pause()\n"}),
    Example({_API: "from app.pay import Gateway\n\n\nclass Pay:\n    def __init__(self, gateway: Gateway):\n"
             "        self.gateway = gateway\n\n    async def run(self):\n        self.gateway.charge(3)\n",
             "app/pay.py": _GATEWAY}, note="a method of another file, by an annotation"),
    Example({_API: "from app.pay import gateway\n\n\nasync def run():\n    return gateway.charge(3)\n",
             "app/pay.py": f"{_GATEWAY}\n\ngateway = Gateway()\n"}, note="an object that a module keeps"),
    Example({_API: "from app.pay import Gateway\n\n\nclass Card(Gateway):\n    async def run(self):\n"
             "        return self.charge(3)\n", "app/pay.py": _GATEWAY}, note="inherited"),
    Example({_API: "from app.pay import Gateway\n\n\nclass Card(Gateway):\n    async def charge(self, n):\n"
             "        return super().charge(n)\n", "app/pay.py": _GATEWAY}),
    Example({_API: "from app import pay\n\n\nasync def run():\n    return pay.http.get('x')\n",
             "app/pay.py": "import requests\n\nhttp = requests.Session()\n"}, note="a client that a module keeps"),
    Example({_API: "from app.pay import Gateway\n\n\nclass Card(Gateway):\n    async def run(self):\n"
             "        return self.http.get('x')\n", "app/pay.py": _GATEWAY}, note="an inherited client"),
    Example({_API: "from app.db import Session\n\n\nasync def run():\n    with Session() as db:\n"
             "        return db.query(Order).filter_by(paid=True).all()\n",
             "app/db.py": "from sqlalchemy.orm import sessionmaker\n\nSession = sessionmaker()\n"},
            note="sessions of another file"),
    Example({_API: "from app.llm import client\n\n\nasync def run(x):\n"
             "    return client.chat.completions.create(messages=x)\n",
             "app/llm.py": "import openai\n\nclient = openai.OpenAI()\n"}, note="parts of a client elsewhere"),
    Example({_API: "from app.pay import total\n\n\nasync def run():\n    return total()\n",
             "app/pay.py": "import requests\n\n\ndef fetch():\n    return requests.get('x').json()\n\n\n"
             "def total():\n    return sum(fetch())\n"}, note="two functions away, in another file"),
    Example({_API: "from app import fetch\n\n\nasync def run():\n    return fetch()\n",
             "app/__init__.py": "from app.pay import fetch\n",
             "app/pay.py": "import requests\n\n\ndef fetch():\n    return requests.get('x')\n"},
            note="passed on by its package"),
    Example({_API: "from app.crud import order\n\n\nasync def run(db, pk):\n    return order(db, pk)\n",
             "app/crud.py": "from sqlalchemy.orm import Session\n\n\ndef order(db: Session, pk):\n"
             "    return db.query(Order).filter_by(pk=pk).first()\n"}, note="a session in another file"),
    Example({_API: "from app.locks import held\n\n\nasync def run():\n    with held():\n        pass\n",
             "app/locks.py": "import time\nfrom contextlib import contextmanager\n\n\n@contextmanager\n"
             "def held():\n    time.sleep(1)\n    yield\n"}),
    Example({_API: "from app.deps import Db\n\n\nasync def run(db: Db):\n    return db.execute('x')\n",
             "app/deps.py": "from typing import Annotated\n\nfrom sqlalchemy.orm import Session\n\n"
             "Db = Annotated[Session, 'x']\n"}, note="a session by a name of another file"),
    Example({_API: "from django.db import transaction\n\nfrom shop.models import Order\n\n\n"
             "async def close(order):\n    order.save()\n"}, note="a row of the model that it is named after"),
    Example({_API: "import django\n\nfrom shop.models import Order\n\n\n"
             "async def close(row: Order):\n    row.delete()\n"}),
    Example({_API: "from functools import partial\n\nimport requests\n\n\nasync def run(url):\n"
             "    call = partial(requests.get, url)\n    return call()\n"}),
    Example({_API: "import requests\n\n\nasync def run(urls):\n    return list(map(requests.get, urls))\n"}),
    Example({_API: "class Store:\n    def load(self):\n        return open('x').read()\n\n\n"
             "async def run():\n    return Store().load()\n"}),
    Example({_API: "import threading\n\nlock = threading.Lock()\n\n\nasync def run():\n    lock.acquire()\n"}),
)  # fmt: skip
BLOCKING_GOOD: tuple[Example, ...] = (
    Example({_API: "from django.http import JsonResponse\n\n\nasync def f(request):\n"
             "    orders = Order.objects.filter(paid=True)\n    order = await orders.aget()\n"
             "    await order.asave()\n    return [order.pk async for order in orders]\n"}),
    Example({_API: "from app.locks import held\nfrom app.pay import Gateway, gateway\n\n\n"
             "async def run(own: Gateway):\n"
             "    held()\n    gateway.name()\n    await gateway.pay()\n    return own.pay\n",
             "app/locks.py": "import time\nfrom contextlib import contextmanager\n\n\n@contextmanager\n"
             "def held():\n    time.sleep(1)\n    yield\n",
             "app/pay.py": _GATEWAY + "\n    def name(self):\n        return 'x'\n\n    async def pay(self):\n"
             "        return 3\n\n\ngateway = Gateway()\n"}, note="methods that do not wait; nothing is entered"),
    Example({_API: "import asyncio\n\nfrom app.pay import Gateway, http, web\n\n\nclass Card(Gateway):\n"
             "    def __init__(self, http):\n        self.http = http\n\n    async def run(self):\n"
             "        http.mount('x', self)\n        await web.get('x')\n        self.http.get('x')\n"
             "        return await asyncio.to_thread(http.get, 'x')\n",
             "app/pay.py": f"{_GATEWAY}\n\nhttp = requests.Session()\nweb = Web()\n"},
            note="clients of another file"),
    Example({_API: "from app.db import Session, client, engine\n\n\nasync def run(x):\n"
             "    async with Session() as db:\n        await db.get(x)\n    async with engine.begin():\n"
             "        client.with_options(timeout=3)\n    return await client.chat.create(x)\n",
             "app/db.py": "import openai\nfrom sqlalchemy.ext.asyncio import async_sessionmaker\n\n"
             "Session = async_sessionmaker()\nclient = openai.AsyncOpenAI()\n",
             "old/app/db.py": "from sqlalchemy import create_engine\n\nengine = create_engine('x')\n"}),
    Example({_API: "import asyncio\nimport threading\nfrom functools import partial\n\nimport requests\n\n"
             "lock = threading.Lock()\n\n\nasync def run(url):\n    call = partial(requests.get, url)\n"
             "    lock.acquire(blocking=False)\n    return await asyncio.to_thread(call)\n"}),
    Example({_API: "import asyncio\nimport requests\n\n\ndef fetch(url):\n    return requests.get(url)\n\n\n"
             "async def rates():\n    pool.submit(fetch, 'x')\n    return await asyncio.to_thread(fetch, 'x')\n"},
            note="handed to a thread"),
    Example({_API: "import asyncio\n\nfrom app import other\nfrom app.rates import fetch, lines, names\n\n\n"
             "async def rates():\n    other.fetch('x')\n    return lines(), names(), asyncio.to_thread(fetch)\n",
             "app/rates.py": "import requests\n\n\ndef fetch(url):\n    return requests.get(url)\n\n\n"
             "def lines():\n    yield requests.get('x')\n\n\ndef names():\n    return requests.Session()\n"}),
    Example({_API: "import functools\n\n\n@functools.cache\ndef words():\n    return open('w').read()\n\n\n"
             "def lines():\n    with open('w') as file:\n        yield from file\n\n\n"
             "async def f():\n    return words(), lines()\n"},
            note="read once; a generator that nobody has begun"),
    Example(
        {
            _API: "from django.http import JsonResponse\n\nfrom shop.models import Rate\n\n\n"
            "async def rates(request):\n"
            "    found = Rate.objects.all()\n"
            "    return JsonResponse({rate.name: rate.value async for rate in Rate.objects.filter(on=True)})\n"
        }
    ),
    Example(
        {
            _API: "import asyncio\n\nimport httpx\nimport requests\n\n\nasync def rates(url):\n"
            "    async with httpx.AsyncClient() as client:\n        await client.get(url)\n"
            "    await asyncio.to_thread(requests.get, url)\n"
            "    return await asyncio.to_thread(lambda: requests.get(url).json())\n"
        }
    ),
    Example({_API: "import requests\n\n\ndef rates(url):\n    return requests.get(url).json()\n"}),
    Example({_API: "import requests\n\n\nasync def rates(url):\n    def fetch():\n"
             "        return requests.get(url)\n\n    return await run_in_threadpool(fetch)\n"},
            note="a nested function for a thread"),
    Example({_API: "from pathlib import Path\n\n\nasync def f():\n    from anyio import Path\n\n"
             "    return await Path('x').exists()\n"}, note="the import inside wins"),
    Example({_API: "from aiofiles import open\n\n\nasync def f(p):\n    async with open(p) as handle:\n"
             "        return await handle.read()\n"}),
    Example({_API: "import asyncio\nimport io\nimport time\n\n\nasync def f(text: io.StringIO):\n"
             "    rest = lambda: time.sleep(2)\n    await asyncio.to_thread(rest)\n    return text.read()\n"},
            note="a lambda for a thread, and a file in memory"),
    Example({_API: "import requests\n\n\nasync def f(requests, os):\n    requests.get(1)\n    os.remove(2)\n"},
            note="parameters shadow modules"),
    Example({_API: "import os\nfrom pathlib import Path\n\n\nasync def f(a: Path, b):\n"
             "    return os.path.join(a.parent, b), a.with_suffix('.x').name, a.is_absolute()\n"}),
    Example({_API: "from redis.asyncio import Redis\n\n\nasync def f(db: Redis):\n    return await db.get('x')\n"}),
    Example({_API: "from app.deps import Db\n\n\nasync def run(db: Db):\n    return await db.execute('x')\n",
             "app/deps.py": "from typing import Annotated\n\nfrom sqlalchemy.ext.asyncio import AsyncSession\n\n"
             "Db = Annotated[AsyncSession, 'x']\n"}),
    Example({_API: "from django.db import transaction\n\nfrom shop.models import Order\n\n\n"
             "async def close(order, form):\n    await order.save()\n    form.save()\n"}),
    Example({"tests/test_api.py": "async def test_load(p):\n    assert open(p)\n"}),
    Example({_API: "async def f(p=open('x')):\n    return p\n"}, note="a default runs once, outside the loop"),
    Example({_API: "from django.http import JsonResponse\n\n\nasync def f(request):\n"
             "    order = await Order.objects.aget(pk=1)\n    return JsonResponse({'n': order.n})\n"}),
)  # fmt: skip

SLEEP_BAD: tuple[Example, ...] = (
    Example({_API: "import time\n\n\nasync def retry(send):\n    await send()\n    time.sleep(1)\n"}),
    Example({_API: "import time\n\npause = time.sleep\n\n\nasync def retry():\n    pause(1)\n"}),
    Example({_API: "import time\n\nfrom discord.ext import commands\n\nbot = commands.Bot('!')\n\n\n"
             "@bot.command()\nasync def wait(ctx):\n    time.sleep(5)\n"}),
    Example({_API: "from time import sleep as pause\n\n\nasync def retry(request):\n    pause(1)\n"}),
)  # fmt: skip
SLEEP_GOOD: tuple[Example, ...] = (
    Example({_API: "import asyncio\n\n\nasync def retry(send):\n    await asyncio.sleep(1)\n    await send()\n"}),
    Example({_API: "import time\n\n\ndef retry():\n    time.sleep(1)\n"}),
    Example({_API: "import asyncio\nimport time\n\n\nasync def f():\n"
             "    await asyncio.to_thread(lambda: time.sleep(1))\n"}),
    Example({_API: "import time\n\nimport asyncclick as click\n\n\n@click.command()\n"
             "async def main():\n    time.sleep(1)\n"}),
    Example({"scripts/load.py": "import time\n\n\nasync def main():\n    time.sleep(1)\n"}),
    Example({_API: "from asyncio import sleep\n\n\nasync def f():\n    await sleep(1)\n"}),
)  # fmt: skip

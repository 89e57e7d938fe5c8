"""Examples of the resource rules: (bad, good), their documentation and their tests."""

from skills.gates.rule import Example

_PATH = "app/api.py"
_API = "from fastapi import APIRouter, BackgroundTasks, Depends\n\nrouter = APIRouter()\n\n\n"
_NULL_POOL = "from sqlalchemy import create_engine\nfrom sqlalchemy.pool import NullPool\n\n"
_NULL_POOL += "engine = create_engine(URL, poolclass=NullPool)\n"
_FACTORY = "from sqlalchemy.orm import sessionmaker\n\nMySession = sessionmaker()\n"


def _file(source: str, note: str = "") -> Example:
    return Example({_PATH: source}, note=note)


POOL_BAD: tuple[Example, ...] = (
    _file("from sqlalchemy import create_engine\n\ne = create_engine(U, max_overflow=-1, pool_pre_ping=True)\n"),
    _file("from sqlalchemy.ext.asyncio import create_async_engine as make\n\nengine = make(URL, pool_size=0)\n"),
    _file("import sqlalchemy as sa\n\nengine = sa.create_engine(URL)\n"),
    Example({_PATH: _NULL_POOL}, ("fastapi",), note="LOW: right behind a pooler"),
)  # fmt: skip
POOL_GOOD: tuple[Example, ...] = (
    _file("from sqlalchemy import create_engine\n\ne = create_engine(U, pool_pre_ping=True, max_overflow=5)\n"),
    _file("from sqlalchemy import create_engine\n\nengine = create_engine('sqlite:///x.db')\n"),
    _file("from sqlalchemy import create_engine\n\nengine = create_engine(URL, **OPTIONS)\n"),
    _file("from sqlalchemy import create_engine\nfrom sqlalchemy.pool import NullPool\n\n\n"
          "def main():\n    work(create_engine(URL, poolclass=NullPool))\n\n\n"
          "if __name__ == '__main__':\n    main()\n", "a script"),
    _file("from sqlalchemy import create_engine\nfrom sqlalchemy.pool import NullPool\n\n\ndef make():\n"
          "    if settings.behind_pooler:\n        return create_engine(URL, poolclass=NullPool)\n"
          "    return create_engine(URL, pool_pre_ping=True)\n", "a switch decides"),
    Example({_PATH: _NULL_POOL}, note="nothing here answers requests"),
    Example({_PATH: _NULL_POOL.replace("engine =", "# behind pgbouncer\nengine =")}, ("fastapi",)),
    _file("from game import create_engine\n\nengine = create_engine(pool_size=0)\n"),
    Example({"app/revisions/env.py": "from sqlalchemy import create_engine\n\n"
             "with create_engine(URL).connect() as connection:\n    migrate(connection)\n"}),
    _file("from sqlalchemy import create_engine\n\n\ndef make(big):\n    options = {}\n    if big:\n"
          "        options['pool_pre_ping'] = True\n    return create_engine(URL, **options)\n"),
)  # fmt: skip

CLEANUP_BAD: tuple[Example, ...] = (
    _file(
        "from app.db import SessionLocal\n\n\ndef count():\n    session = SessionLocal()\n"
        "    return session.query(Order).count()\n"
    ),
    _file("def load(path):\n    handle = open(path)\n    return handle.read()\n"),
    _file("def load(connection):\n    cursor = connection.cursor()\n    cursor.execute('select 1')\n"
          "    return cursor.fetchone()\n"),
    _file("def load(engine):\n    conn = engine.connect()\n    rows = conn.execute('select 1').all()\n"
          "    conn.close()\n    return rows\n", "closed only where nothing fails"),
    _file("from app.db import SessionLocal\n\n\ndef count():\n    return SessionLocal().query(Order).count()\n",
          "it has no name"),
    _file("def load(path):\n    return open(path).read()\n"),
    _file("async def load(pool):\n    conn = await pool.acquire()\n    return await conn.fetch('select 1')\n"),
    _file("async def load():\n    connections = await get_pool()\n    conn = await connections.acquire()\n"
          "    return await conn.fetch('select 1')\n", "a pool that a function gives"),
    _file("import pymysql\n\n\ndef load(host):\n    connection = pymysql.connect(host=host)\n"
          "    with connection.cursor() as cursor:\n        cursor.execute('select 1')\n"
          "        rows = cursor.fetchall()\n    connection.close()\n    return rows\n",
          "its cursor is closed only"),
    Example({_PATH: "from app.kept import MySession\n\n\ndef count():\n    rows = MySession()\n"
             "    return rows.query(Order).count()\n", "app/kept.py": _FACTORY}, note="a factory of elsewhere"),
    _file("async def load(request):\n    conn = await request.app['pool'].getconn()\n"
          "    return await conn.execute('select 1')\n", "a pool that a key names"),
    _file("import psycopg2\n\n\ndef load(url):\n    conn = psycopg2.connect(url)\n    with conn:\n"
          "        conn.cursor().execute('select 1')\n", "its block ends the transaction only"),
    _file("import psycopg2\n\n\ndef load(url):\n    base = psycopg2.connect(url)\n"
          "    base.cursor().execute('select 1')\n"),
)  # fmt: skip
CLEANUP_GOOD: tuple[Example, ...] = (
    Example({_PATH: "from app.kept import GameSession\n\n\ndef play():\n    game = GameSession()\n"
             "    game.start()\n", "app/kept.py": "class GameSession:\n    pass\n"}, note="no factory"),
    _file("from boto3.session import Session\n\n\ndef client(name):\n    session = Session()\n"
          "    return session.client(name)\n", "it holds nothing open"),
    _file(
        "from app.db import SessionLocal\n\n\ndef count():\n    with SessionLocal() as session:\n"
        "        return session.query(Order).count()\n"
    ),
    _file("def get_db():\n    db = SessionLocal()\n    try:\n        yield db\n    finally:\n        db.close()\n"),
    _file("def load(engine):\n    with engine.connect().execution_options(stream_results=True) as conn:\n"
          "        return conn.execute('select 1').all()\n"),
    _file("def load(path):\n    handle = open(path)\n    return handle\n"),
    _file("import contextlib\n\n\ndef load(path):\n    handle = open(path)\n    with contextlib.closing(handle):\n"
          "        return handle.read()\n"),
    _file("class Store:\n    def __init__(self, path):\n        file = open(path)\n        self.file = file\n"),
    _file("def load(path):\n    handle = open(path)\n    return Reader(handle)\n"),
    _file("import socket\n\n\ndef load(tls, host):\n    plain = socket.create_connection((host, 443))\n"
          "    return tls.wrap_socket(plain, server_hostname=host)\n"),
    _file("import socket\n\n\ndef listens(port):\n    try:\n"
          "        there = socket.create_connection(('', port))\n    except OSError:\n        return False\n"
          "    there.close()\n    return True\n", "nothing stands in between"),
    _file("from sqlalchemy import event\n\n\n@event.listens_for(engine, 'connect')\n"
          "def set_up(connection, record):\n    cursor = connection.cursor()\n"
          "    cursor.execute('PRAGMA foreign_keys=ON')\n    cursor.close()\n"),
    _file("from app.models import LoginSession\n\n\ndef begin(user):\n"
          "    session = LoginSession(user_id=user.id)\n    session.code = user.code\n    keep(session)\n",
          "a row"),
    _file("from contextlib import closing\n\nimport psycopg2\n\n\ndef load(url):\n"
          "    conn = psycopg2.connect(url)\n    with closing(conn), conn:\n        work(conn)\n"),
    _file("def load(signal):\n    session = signal.connect()\n    return session.id\n"),
)  # fmt: skip

STREAMING_BAD: tuple[Example, ...] = (
    _file(
        _API + "@router.get('/events')\nasync def events(db: AsyncSession = Depends(get_db)):\n"
        "    return StreamingResponse(feed(db), media_type='text/event-stream')\n"
    ),
    _file("from app.chats import Chat\n" + _API + "@router.get('/talk')\n"
          "async def talk(old_session: Chat, db: AsyncSession = Depends(get_db)):\n"
          "    return EventSourceResponse(feed(db))\n", "another thing is called a session too"),
    _file(_API + "@router.websocket('/chat')\nasync def chat(websocket, session=Depends(get_session)):\n"
          "    await websocket.accept()\n"),
    _file("from app.deps import AsyncDep\n" + _API + "@router.websocket('/chat')\n"
          "async def chat(websocket, session: AsyncDep):\n    await websocket.accept()\n", "an alias of elsewhere"),
    _file("from typing import Annotated\n\n" + _API + "SessionDep = Annotated[Session, Depends(get_db)]\n\n\n"
          "@router.get('/log')\ndef log(db: SessionDep):\n    return EventSourceResponse(feed())\n"),
)  # fmt: skip
STREAMING_GOOD: tuple[Example, ...] = (
    _file(
        _API + "@router.get('/events')\nasync def events(user=Depends(get_user)):\n"
        "    async with session_factory() as session:\n        await check(session, user)\n"
        "    return StreamingResponse(feed(), media_type='text/event-stream')\n"
    ),
    _file(_API + "@router.get('/events')\nasync def events(db: AsyncSession = Depends(get_db)):\n"
          "    topics = await read(db)\n    await db.commit()\n    return EventSourceResponse(feed(topics))\n",
          "the connection goes back to the pool first"),
    _file(_API + "@router.get('/orders')\nasync def orders(db: AsyncSession = Depends(get_db)):\n"
          "    return await db.scalars(select(Order))\n\n\n@router.get('/log')\ndef log():\n"
          "    return StreamingResponse(feed())\n"),
)  # fmt: skip

INJECTION_BAD: tuple[Example, ...] = (
    _file(
        _API + "@router.post('/orders')\ndef place(tasks: BackgroundTasks, db: Session = Depends(get_db)):\n"
        "    tasks.add_task(send_invoice, db, 1)\n"
    ),
    Example({_PATH: "from app.deps import Db\n" + _API + "@router.post('/orders')\n"
             "def place(tasks: BackgroundTasks, db: Db):\n    tasks.add_task(send_invoice, db)\n",
             "app/deps.py": "from typing import Annotated\n\nDb = Annotated[Session, Depends(get_db)]\n"},
            note="a session by a name of another file"),
    _file("import asyncio\n\n" + _API + "@router.post('/orders')\nasync def place(session=Depends(get_session)):\n"
          "    asyncio.create_task(send_invoice(session))\n"),
)  # fmt: skip
INJECTION_GOOD: tuple[Example, ...] = (
    _file(
        _API + "@router.post('/orders')\ndef place(tasks: BackgroundTasks, db: Session = Depends(get_db)):\n"
        "    order = create(db)\n    tasks.add_task(send_invoice, order.id)\n"
    ),
    Example({_PATH: "from app.deps import Db\n" + _API + "@router.post('/orders')\n"
             "def place(tasks: BackgroundTasks, db: Db):\n    tasks.add_task(send_invoice, db)\n",
             "app/deps.py": "from typing import Annotated\n\nDb = Annotated[Names, Depends(get_names)]\n"}),
    _file(_API + "@router.post('/orders')\ndef place(tasks: BackgroundTasks, db=Depends(get_settings)):\n"
          "    tasks.add_task(send_invoice, db)\n"),
)  # fmt: skip

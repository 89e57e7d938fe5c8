"""Examples of the rules about how long sessions are held and how they get lost: (bad, good)."""

from skills.gates.rule import Example

_API = "import httpx\nfrom fastapi import APIRouter, Depends\n\nrouter = APIRouter()\n\n\n"
_LONG = "".join(f"    step_{number} = prepare(rows, {number})\n" for number in range(55))


def _file(source: str, note: str = "") -> Example:
    return Example({"app/api.py": source}, note=note)


SCOPE_BAD: tuple[Example, ...] = (
    _file(
        _API + "@router.post('/quotes')\nasync def quote(body: dict, db: AsyncSession = Depends(get_db)):\n"
        "    customer = await db.get(Customer, body['id'])\n    payload = build(customer, body)\n"
        "    async with httpx.AsyncClient() as client:\n        answer = await client.post(URL, json=payload)\n"
        "    result = answer.json()\n    check(result)\n    return shape(result)\n"
    ),
    _file(_API + "@router.get('/report')\ndef report(db: Session = Depends(get_db)):\n    rows = "
                 "db.query(Order).all()\n"
          + _LONG + "    return rows\n", "more than 50 lines without the database"),
)  # fmt: skip
SCOPE_GOOD: tuple[Example, ...] = (
    _file(
        _API + "@router.post('/quotes')\nasync def quote(body: dict):\n"
        "    async with session_factory() as db:\n        customer = await db.get(Customer, body['id'])\n"
        "    async with httpx.AsyncClient() as client:\n        answer = await client.post(URL, json=body)\n"
        "    return shape(customer, answer)\n"
    ),
    _file(_API + "@router.post('/quotes')\nasync def quote(body: dict, db: AsyncSession = Depends(get_db)):\n"
          "    customer = await db.get(Customer, body['id'])\n    customer.seen = True\n    await db.commit()\n"
          "    return customer\n"),
    _file(_API + "@router.post('/quotes')\nasync def quote(body: dict, db: AsyncSession = Depends(get_db)):\n"
          "    customer = await db.get(Customer, body['id'])\n    async with httpx.AsyncClient() as client:\n"
          "        answer = await client.post(URL, json=body)\n    customer.quote = answer.json()\n"
          "    db.add(customer)\n    await db.commit()\n    return customer\n", "used on both sides of the call"),
)  # fmt: skip

STREAMS_BAD: tuple[Example, ...] = (
    _file(
        "async def feed(topic):\n    async with session_factory() as session:\n        while True:\n"
        "            rows = await session.scalars(query(topic))\n            yield f'data: {rows.all()}\\n\\n'\n"
        "            await pause()\n",
        "a session is open as long as the events flow",
    ),
    _file(_API + "@router.websocket('/chat')\nasync def chat(socket):\n    async with SessionLocal() as db:\n"
          "        while True:\n            text = await socket.receive_text()\n            await keep(db, "
          "text)\n"),
    _file("import asyncio\n\n" + _API + "@router.get('/wait')\nasync def wait(db: AsyncSession = "
                                    "Depends(get_db)):\n"
          "    while True:\n        rows = (await db.scalars(select(Job))).all()\n        if rows:\n"
          "            return rows\n        await asyncio.sleep(2)\n", "a long poll"),
    _file("import asyncio\n\n" + _API + "@router.get('/wait')\nasync def wait(db: AsyncSession = "
          "Depends(get_db)):\n    for _ in range(20):\n        await asyncio.sleep(2)\n"
          "        if await db.scalar(READY):\n            break\n", "40 seconds"),
)  # fmt: skip
STREAMS_GOOD: tuple[Example, ...] = (
    _file(
        "async def feed(topic):\n    while True:\n        async with session_factory() as session:\n"
        "            rows = (await session.scalars(query(topic))).all()\n        yield f'data: {rows}\\n\\n'\n"
        "        await pause()\n"
    ),
    _file("async def get_session():\n    async with session_factory() as session:\n        yield session\n"),
    _file("import asyncio\n\n" + _API + "@router.get('/wait')\nasync def wait(db: AsyncSession = "
          "Depends(get_db)):\n    for _ in range(5):\n        await asyncio.sleep(2)\n"
          "        if await db.scalar(READY):\n            break\n", "ten seconds"),
)  # fmt: skip

ERRORS_BAD: tuple[Example, ...] = (
    _file(
        "def get_db():\n    db = SessionLocal()\n    yield db\n    db.close()\n", "an error never comes back to "
                                    "`close`"
    ),
    _file("def get_db():\n    db: Session = SessionLocal()\n    yield db\n    db.close()\n", "annotated"),
    _file("from sqlalchemy.orm import sessionmaker\n\n\ndef get_db():\n    db = sessionmaker(engine)()\n"
          "    yield db\n"
          "    db.close()\n", "made on the spot"),
    _file("def load(engine):\n    conn = engine.connect()\n    try:\n        rows = conn.execute(QUERY).all()\n"
          "    except DBAPIError:\n        return []\n    conn.close()\n    return rows\n"),
    _file("from fastapi import APIRouter\n\nrouter = APIRouter()\n\n\n@router.get('/rows')\nasync def rows(pool):\n"
          "    conn = await pool.acquire()\n    try:\n        found = await conn.fetch(QUERY)\n"
          "    except Exception as error:\n        raise HTTPException(500) from error\n"
          "    await pool.release(conn)\n    return found\n"),
)  # fmt: skip
ERRORS_GOOD: tuple[Example, ...] = (
    _file("def get_db():\n    db = SessionLocal()\n    try:\n        yield db\n    finally:\n        db.close()\n"),
    _file("def get_db():\n    with SessionLocal() as db:\n        yield db\n"),
    _file("def get_db():\n    db = SessionLocal()\n    try:\n        yield db\n    except BaseException:\n"
          "        db.close()\n        raise\n    else:\n        db.close()\n", "everything is caught"),
    _file("def load(engine):\n    conn = engine.connect()\n    try:\n        return conn.execute(QUERY).all()\n"
          "    except DBAPIError:\n        return []\n    finally:\n        conn.close()\n"),
    _file("def load(engine):\n    conn = engine.connect()\n    try:\n        rows = conn.execute(QUERY).all()\n"
          "    except DBAPIError:\n        conn.close()\n        raise\n    conn.close()\n    return rows\n"),
    _file("def names(path):\n    try:\n        archive = ZipFile(path)\n        listed = archive.namelist\n"
          "    except BadZipFile:\n        return []\n    found = listed()\n    archive.close()\n"
          "    return found\n",
          "where the taking fails nothing is open"),
)  # fmt: skip

"""What the rule raw-sql-interpolation finds, and what it leaves alone."""

from skills.gates.example_files import one_file
from skills.gates.rule import Example

RAW_SQL_BAD: tuple[Example, ...] = one_file(
    "shop/reports.py",
    'def _parts(names):\n    return ", ".join(names), len(names)\n\n\ndef rows(session, names):\n'
    "    listed2, count2 = _parts(names)\n"
    '    session.execute(text(f"SELECT * FROM shop WHERE name IN ({listed2})"))\n',
    "def clear(cursor, shop):\n    if shop not in shops:\n        return\n    shops = [shop]\n"
    '    for name in shops:\n        cursor.execute(f"DELETE FROM {name}")\n',
    "def rows(cursor, name):\n    cursor.execute(f\"SELECT * FROM shop WHERE name = '{name}'\")\n",
    "def rows(name):\n    return \"SELECT id FROM shop WHERE name = '%s'\" % name\n",
    'def rows(cursor, name):\n    query = "DELETE FROM shop WHERE name = " + name\n    cursor.execute(query)\n',
    'def rows(name):\n    return Shop.objects.raw("SELECT * FROM shop WHERE n = {}".format(name))\n',
    "def rows(name):\n    return Shop.objects.extra(where=[\"name = '%s'\" % name])\n",
    "from sqlalchemy import text\n\n\ndef rows(session, column):\n"
    '    return session.query(Shop).filter(text(f"name = {column}"))\n',
    "def wipe(cursor, wiped):\n    for table, columns in wiped:\n        log(columns)\n"
    '        cursor.execute(f"DELETE FROM {table}")\n',
    "def rows(cursor, zone):\n    cursor.execute(f\"SELECT id FROM shop WHERE late = '12:{zone}'\")\n",
    'def rows(cursor, sort):\n    cursor.execute(f"SELECT id FROM shop ORDER BY {sort.column}")\n',
    'def rows(cursor, way):\n    if not way:\n        way = "ASC"\n'
    '    cursor.execute(f"SELECT id FROM shop ORDER BY id {way}")\n',
    "def change(database, request):\n    given = request.POST.dict()\n"
    '    clause = ", ".join(f"{key} = :{key}" for key in given.keys())\n'
    '    database.execute(f"UPDATE shop SET {clause}", values=given)\n',
    "def rows(cursor, names):\n    quoted = ', '.join(f\"'{name}'\" for name in names)\n"
    '    cursor.execute(f"SELECT id FROM shop WHERE name IN ({quoted})")\n',
    'def rows(cursor, by: str = Query("id", pattern="^.*$")):\n'
    '    cursor.execute(f"SELECT id FROM shop ORDER BY {by}")\n',
    'def drop(cursor, role):\n    statement = f"DROP ROLE {role}"\n    cursor.execute(statement)\n',
    "def rows(cursor, name):\n    query = \"SELECT * FROM shop WHERE name = '%s'\"\n    cursor.execute(query % name)\n",
    'def rows(cursor, request):\n    order = request.GET["order"]\n'
    '    cursor.execute("SELECT id FROM shop ORDER BY " + order)\n',
    'def rows(cursor, name):\n    where = []\n    where.append(f"name = {name}")\n'
    '    cursor.execute("SELECT id FROM shop WHERE " + " AND ".join(where))\n',
    "def rows(cursor, name):\n    where = clauses(name)\n"
    '    cursor.execute(f"SELECT id FROM shop WHERE {where}")\n\n\n'
    'def clauses(name):\n    return f"name = {name}"\n',
    "def rows(cursor, name):\n    _rows(cursor, name)\n\n\ndef _rows(cursor, column: str):\n"
    '    cursor.execute(f"SELECT {column} FROM shop")\n',
    'class Shops:\n    order = "id"\n\n    def __init__(self, order):\n        self.order = order\n\n'
    '    def rows(self, cursor):\n        cursor.execute(f"SELECT id FROM shop ORDER BY {self.order}")\n',
    "def rows(cursor, column, allowed):\n    if column not in allowed:\n        raise ValueError(column)\n"
    '    cursor.execute(f"SELECT {column} FROM shop")\n',
    'def rows(cursor, column):\n    if column not in {"id", "name"}:\n        log(column)\n'
    '    cursor.execute(f"SELECT {column} FROM shop")\n',
    'def rows(cursor, name):\n    query = "SELECT id FROM shop WHERE name = "\n    query += name\n'
    "    cursor.execute(query)\n",
    "def rows(cursor, query):\n    cursor.execute(f\"SELECT id FROM shop WHERE name LIKE '%{query}%'\")\n",
    'def rows(cursor, request):\n    column = request.GET["column"]\n'
    '    cursor.execute(f"SELECT {column} FROM shop")\n',
    "def rows(cursor, owner):\n    cursor.execute(f'SELECT id FROM shop WHERE owner = \"{owner}\"')\n",
    'def rows(cursor, request):\n    tenant = request.headers["Tenant"]\n'
    '    cursor.execute(f"SET search_path TO {tenant}")\n',
    "from peewee import SQL\n\n\ndef rows(name):\n    return Shop.select().where(SQL(f\"lower(name) = '{name}'\"))\n",
    'def rows(cursor, names):\n    listed = ",".join(f"\'{name}\'" for name in names if name)\n'
    '    cursor.execute(f"SELECT id FROM shop WHERE name IN ({listed})")\n',
    "def rows(cursor, size, asked):\n"
    '    cursor.execute(f"SELECT id FROM shop WHERE size = %s ORDER BY {asked.order}", [size])\n',
    "def rows(cursor, size, name):\n"
    "    cursor.execute(f\"SELECT id FROM shop WHERE size = %s AND name = '{name}'\", [size])\n",
    'def change(cursor, request):\n    column = request.POST["column"]\n'
    '    cursor.execute(f"UPDATE shop SET {column} = %s", [1])\n',
    "def rows(cursor, name, size):\n"
    "    cursor.execute(\"SELECT id FROM shop WHERE size = %d AND name = '%s'\" % (size, name))\n",
    'class Shops:\n    all = "SELECT id FROM shop"\n\n    def named(self, name):\n'
    "        return self.all + f\" WHERE name = '{name}'\"\n",
    "from shop.queries import BY_NAME\n\n\n"
    "def rows(cursor, name):\n    cursor.execute(BY_NAME.substitute(name=name))\n",
    'from string import Template\n\nNAMED = Template("SELECT id FROM shop WHERE name = $name")\n\n\n'
    "def rows(cursor, name):\n    cursor.execute(NAMED.substitute(name=name))\n",
    'def rows(cursor, names):\n    quoted = ", ".join("\'" + name + "\'" for name in names)\n'
    '    cursor.execute(f"SELECT id FROM shop WHERE name IN ({quoted})")\n',
)

RAW_SQL_GOOD: tuple[Example, ...] = (
    *one_file(
        "shop/reports.py",
        'def _marks(names):\n    marks = ", ".join(f":n{at}" for at in range(len(names)))\n'
        "    return marks, dict(enumerate(names))\n\n\ndef rows(session, names):\n    marks2, given2 = _marks(names)\n"
        '    session.execute(text(f"SELECT * FROM shop WHERE name IN ({marks2})"), given2)\n',
        'def rows(cursor, name):\n    cursor.execute("SELECT * FROM shop WHERE name = %s", [name])\n',
        'COLUMNS = ("name", "made")\n\n\ndef rows(cursor, column):\n    if column not in COLUMNS:\n'
        '        column = "name"\n    cursor.execute(f"SELECT {column} FROM shop")\n',
        'TABLE = "shop"\n\n\ndef rows(cursor, ids):\n    marks = ", ".join(["%s"] * len(ids))\n'
        '    cursor.execute(f"SELECT * FROM {TABLE} WHERE id IN ({marks})", ids)\n',
        'def rows(cursor, asked):\n    sql, params = compiled(asked)\n    sql = sql + " RETURNING id"\n'
        "    cursor.execute(sql, params)\n",
        "def rows(connection, name):\n    qn = connection.ops.quote_name\n"
        '    connection.execute("SELECT * FROM {}".format(qn(name)))\n',
        "def rows(connection, name):\n    table = connection.ops.quote_name(name)\n"
        '    connection.execute(f"SELECT * FROM {table} LIMIT {int(name)}")\n',
        'def rows(cursor):\n    order = "ASC" if up else "DESC"\n'
        '    cursor.execute(f"SELECT * FROM {Shop._meta.db_table} ORDER BY id {order}")\n',
        'NEVER = -(1 << 40)\nPART = ", ".join(("id", "name"))\nALL = f"SELECT {PART} FROM shop WHERE a>{NEVER}"\n',
        "def move(cursor, versions):\n    for number in range(len(versions)):\n"
        '        cursor.execute(f"UPDATE shop SET version = {number + 1}")\n',
        'WAYS = {"up": "ASC", "down": "DESC"}\n\n\ndef rows(cursor, way, count: int):\n'
        '    cursor.execute(f"SELECT id FROM shop ORDER BY id {WAYS[way]} LIMIT {count}")\n',
        "def rows(cursor):\n    return _rows(cursor, \"name = 'x'\")\n\n\ndef _rows(cursor, where: str):\n"
        '    cursor.execute(f"SELECT id FROM shop WHERE {where}")\n',
        'def rows(cursor, known):\n    wanted = ("id", "name")\n'
        '    columns = ", ".join(name if name in known else "NULL" for name in wanted)\n'
        '    cursor.execute(f"SELECT {columns} FROM shop")\n    return {name: 1 for name, _ in cursor}\n',
        'def rows(cursor, column):\n    if column not in {"id", "name"}:\n        raise ValueError(column)\n'
        '    cursor.execute(f"SELECT {column} FROM shop")\n',
        'WORDS = {"up": 1}\n\n\ndef rows(cursor, column):\n    if column in WORDS and column.isidentifier():\n'
        '        cursor.execute(f"SELECT id FROM shop ORDER BY {column}")\n',
        'class Shops:\n    table = "shop"\n\n    def rows(self, cursor):\n'
        '        cursor.execute(f"SELECT id FROM {self.table} ORDER BY {Sort.NAME.value}")\n',
        'WIPED = [("shop", {"name": "x"}), ("cart", {})]\n\n\ndef wipe(cursor):\n    for table, columns in WIPED:\n'
        '        log(columns)\n        cursor.execute(f"TRUNCATE {table} CASCADE")\n',
        "async def drop(connection, name):\n    role = await _quoted_identifier(connection, name)\n"
        '    await connection.execute(f"DROP ROLE {role}")\n',
        'stmt = select(shop)\nconnection.execute(stmt)\nstmt = insert(shop) + " where x"\nprint(stmt)\n',
        "def rows(queryset):\n    sql, params = queryset.query.sql_with_params()\n"
        '    return Shop.objects.raw(f"SELECT * FROM ({sql}) t WHERE number = 1", params)\n',
        "def rows(cursor, late):\n    where = clauses(late)\n"
        '    cursor.execute(f"SELECT id FROM shop WHERE {where}")\n\n\ndef clauses(late):\n    found = ["open"]\n'
        '    if late:\n        found.append("late")\n    return " AND ".join(found)\n',
        'def rows(connection, terms):\n    for number, term in enumerate(terms):\n        name = f"t_{term}"\n'
        '        connection.execute(text(f"SELECT id FROM shop WHERE name = :{name}"), {name: term})\n',
        'def rows(cursor, user):\n    cursor.execute(f"SELECT * FROM shop WHERE owner = {user.id}")\n',
        "def rows(self):\n    return text(f\"SELECT '{self.shop_uuid}'::uuid\")\n",
        'def rows(cursor):\n    made = Shop.through._meta.get_field("shop")\n'
        '    cursor.execute("SELECT {} FROM shop".format(made.db_column or made))\n',
        "def rows(self, cursor, node):\n    where = self._visit_in(node)\n"
        '    cursor.execute(f"SELECT id FROM shop WHERE {where}")\n',
        "def rows(cursor, fields):\n    for field in fields:\n"
        '        cursor.execute(f"SELECT {field.column} FROM shop")\n',
        'def rows(cursor, way, column):\n    way = "ASC" if way == "up" else "DESC"\n'
        '    chosen = column if column in ["id", "name"] else "id"\n'
        '    cursor.execute(f"SELECT id FROM shop ORDER BY {chosen} {way}")\n',
        "def rows(cursor):\n    cursor.execute(f\"SELECT id FROM shop WHERE kind = '{Kind.OPEN.name}'\"\n"
        '        f" AND year > {datetime.now().year}")\n',
        "async def rows(database, asked):\n    where, params = await conditions(asked)\n"
        '    await database.fetch_all(f"SELECT id FROM shop WHERE {where}", params)\n',
        "async def change(database, data: ShopUpdate):\n    given = data.model_dump(exclude_unset=True)\n"
        "    kept = {key: given[key] for key in given.keys() if key != 'id'}\n"
        '    clause = ", ".join(f"{key} = :{key}" for key in kept.keys())\n'
        '    await database.execute(f"UPDATE shop SET {clause} WHERE id = :id", values=kept)\n',
        "def rows(cursor, days: int):\n    quoted = f\"'{days}'\"\n"
        '    cursor.execute(f"SELECT id FROM shop WHERE d = {quoted}")\n',
        'def rows(cursor, of: Annotated[str, Query(regex="^[a-z]+$")], by=Query("id", pattern=r"^(id|\\w+)$")):\n'
        '    cursor.execute(f"SELECT {of} FROM shop ORDER BY {by}")\n',
        'def rows(cursor, quoted_table):\n    cursor.execute(f"SELECT id FROM {quoted_table}")\n',
        'def rows(cursor, ids):\n    where = ["late"]\n'
        '    where.append("id IN ({})".format(", ".join("%s" for one in ids)))\n'
        '    names = {"shop": [field.get_attname() for field in Shop._meta.fields]}\n'
        '    shown = ["s.{}".format(name) for name in names["shop"]]\n'
        "    cursor.execute(f\"SELECT {', '.join(shown)} FROM shop s WHERE {' AND '.join(where)}\", ids)\n",
        "class ShopStore:\n    def __init__(self, table):\n        self.table = table\n\n"
        "    def rows(self, cursor, index_name, filter_expr):\n"
        '        cursor.execute(f"SELECT id FROM {self.table} USE INDEX ({index_name}) WHERE {filter_expr}")\n',
        "def rows(cursor, interval: Interval, sort: SortType, timezone):\n"
        "    cursor.execute(f\"SELECT id FROM shop WHERE day > '{interval.value}' AT '{timezone.key}'\"\n"
        '        f" ORDER BY {sort}")\n',
        'class Interval(StrEnum):\n    DAY = "day"\n\n    def sql(self):\n'
        "        return text(f\"interval '1 {self.value}'\")\n",
        "from shop.rules import translate\n\n\ndef rows(cursor, rule, slots):\n    predicate = translate(rule)\n"
        '    columns = ", ".join(slot.as_select() for slot in slots)\n'
        '    cursor.execute(f"SELECT {columns} FROM shop WHERE {predicate}")\n',
        "import re\n\n\ndef drop(cursor, name):\n    word = re.sub(r'[^a-zA-Z0-9_]', '', name)\n"
        '    cursor.execute(f"DROP TABLE {word}")\n',
        'class Shops:\n    _all = "SELECT id FROM shop"\n    _late = f"SELECT id FROM ({_all}) s WHERE late"\n',
        "def add(database, name, step: StepDict):\n    data = {'name': name, 'late': True}\n"
        "    data = {key: value for key, value in data.items() if value}\n"
        "    given = {k: v for k, v in step.items() if v}\n"
        "    columns = ', '.join(f'{key}' for key in data.keys())\n"
        "    marks = ', '.join(f':{key}' for key in given.keys())\n"
        '    database.execute(f"INSERT INTO shop ({columns}) VALUES ({marks})", data)\n',
        "from shop.tables import table_of\n\n\ndef count(cursor, model):\n    meta = model._meta\n"
        "    table = table_of(model)\n"
        '    cursor.execute(f"SELECT {meta.pk.column} FROM {table}")\n',
        "from alembic import op\n\n\ndef widen(name, word):\n"
        "    op.get_bind().execute(text(f\"ALTER TYPE {name} ADD VALUE '{word}'\"))\n",
        "def wait(cursor, patience, start):\n    if patience > 0:\n"
        "        cursor.execute(f\"SET lock_timeout = '{patience}'\")\n"
        "    cursor.execute(f\"SELECT id FROM shop_{start.strftime('%Y%m')}\")\n",
        'def rows(cursor, where_clause):\n    cursor.execute(f"SELECT id FROM shop WHERE {where_clause}")\n',
        'def plan(cursor, query, params):\n    cursor.execute(f"EXPLAIN (ANALYZE) {query}", params)\n',
        'def count(cursor, report):\n    cursor.execute(f"SELECT count(*) FROM ({report.escaped_sql}) AS found")\n',
        "def rows(self, cursor, asked):\n    params = []\n    where = self.wanted(asked, params)\n"
        '    cursor.execute(f"SELECT id FROM shop WHERE {where}", params)\n',
        "def rows(cursor, asked):\n    where_clause, late_clause = asked.clauses()\n"
        '    cursor.execute(f"SELECT id FROM shop WHERE {where_clause} {late_clause} {asked.late_sql.end}")\n',
        'def rows(cursor, kept):\n    cursor.execute(f\'SELECT id FROM "{kept.schema_name}"."{kept.table_name}"\')\n',
        "def rows(cursor, kept):\n"
        "    cursor.execute(f\"SELECT id FROM {kept['table_name']} JOIN shop_{kept.suffix} USING (id)\")\n",
        "def rows(self, cursor):\n"
        "    cursor.execute(f\"SELECT id FROM {self.collection} WHERE shop = '{self.shop.pk}'\")\n",
        'def labels(sparql, uri):\n    return "SELECT ?value ?type WHERE { <%s> skos:prefLabel ?value }" % uri\n',
        'def rows(cursor, status_type):\n    cursor.execute(f"SELECT {status_type} FROM shop WHERE id = ANY($1)")\n',
        'def near(cursor, asked, measure):\n    distance = f"{measure}(vec, $1)"\n'
        '    cursor.execute(f"SELECT id, {distance} FROM shop ORDER BY {distance} LIMIT $2", asked, 9)\n',
        'def rows(cursor, table="shop"):\n    cursor.execute("SELECT id FROM %s" % table)\n',
        'def oldest(cursor):\n    return first(cursor, "shop")\n\n\ndef first(cursor, table):\n'
        '    cursor.execute(f"SELECT min(id) FROM {table}")\n',
        'def drop(cursor):\n    for name in indexes_of(cursor):\n        cursor.execute(f"DROP INDEX {name}")\n',
        'def widen(connection, size):\n    connection.execute("PRAGMA mmap_size={:d}".format(size + 1024))\n'
        '    connection.execute(f"SELECT id FROM shop WHERE size > {size:.2f} LIMIT %d" % size)\n',
        "def rows(cursor, given):\n    address = ip_address(given)\n"
        "    cursor.execute(f\"SELECT id FROM shop WHERE address = '{address}'\")\n",
        "def rows(cursor, given):\n    if not is_valid_cidr(given):\n        raise ValueError(given)\n"
        "    cursor.execute(f\"SELECT id FROM shop WHERE net >> inet '{given}'\")\n",
        'def rows(cursor, name):\n    quoted = name.replace("\'", "\'\'")\n'
        "    cursor.execute(f\"SELECT id FROM shop WHERE name = '{quoted}'\")\n",
        "def rows(cursor, asked):\n    made = _marks(asked)\n"
        '    cursor.execute(f"SELECT id FROM shop WHERE id IN {made[\'marks\']}", made["params"])\n\n\n'
        'def _marks(asked):\n    return {"marks": "(" + ", ".join(["%s"] * len(asked)) + ")", "params": asked}\n',
        "class Shops:\n    NAMES = ('id', 'name')\n\n    def change(self, cursor, given):\n"
        '        clause = ", ".join(f"{key} = ?" for key in given if key in self.NAMES)\n'
        '        cursor.execute(f"UPDATE shop SET {clause}", list(given.values()))\n',
        'def rows(cursor, limit):\n    cursor.execute(f"SELECT id FROM shop LIMIT {limit}")\n',
        'def shop_snippet(name):\n    return f"SELECT * FROM shop WHERE name = {name}"\n',
        'def refuse(relation):\n    message = f"SELECT * cannot be read from {relation}"\n    raise Refused(message)\n',
        'def say(name):\n    log.info(f"Select a shop from {name}")\n    return f"Update {name} set up"\n',
        'def run(command, name):\n    return command.execute(f"say {name}")\n',
    ),
    *one_file(
        "shop/reports.py",
        'class Shops:\n    all = "SELECT id FROM shop"\n\n    def late(self, cursor, name):\n'
        '        cursor.execute(self.all + " WHERE late")\n'
        '        cursor.execute(self.all + " WHERE name = %s", [name])\n',
        "from shop.queries import OF_SIZE\n\n\ndef rows(cursor, size: int):\n"
        "    cursor.execute(OF_SIZE.substitute(size=int(size)))\n",
        "from shop.mails import HELLO\n\n\ndef hello(command, name):\n    command.send(HELLO.substitute(name=name))\n",
        'def rows(cursor, late):\n    where = "kind = \'" + ("late" if late else "open") + "\'"\n'
        '    cursor.execute(f"SELECT id FROM shop WHERE {where}")\n',
    ),
    *one_file("scripts/drop_role.py", 'def drop(cursor, role):\n    cursor.execute(f"DROP ROLE {role}")\n'),
    *one_file("shop/migrations/0002_x.py", 'def up(cursor, t):\n    cursor.execute(f"DELETE FROM {t}")\n'),
)

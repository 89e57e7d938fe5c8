"""The rule raw-sql-interpolation of the skill django-security: values belong beside the statement."""

import ast
import re

from skills.gates.analysis.local_values import own_nodes, values_of
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import descendants
from skills.gates.example_files import one_file
from skills.gates.model import Evidence
from skills.gates.rule import Rule, Watch
from skills.gates.security.sql_text import Text, is_sql, is_sql_like, may_begin_sql, read_text
from skills.gates.security.sql_values import harmless

RAW_SQL = "raw-sql-interpolation"
_SEEN = "raw-sql-interpolation: strings that were judged"
_SPOKEN = "raw-sql-interpolation: the file holds SQL"
_VERBS = (
    b"select ", b"select\n", b"select\\n", b"insert ", b"update ", b"delete ", b"merge into", b"replace ",
    b" as (", b" as(",
)  # fmt: skip
# The same as they are written: whoever mixes the letters of a verb in other ways does not write SQL.
_STEMS = (b"select", b"insert", b"update", b"delete", b"merge", b"replace")
_WRITTEN = (
    *(form + b" " for stem in _STEMS for form in (stem, stem.upper(), stem.capitalize())),
    *(form + end for form in (b"select", b"SELECT", b"Select") for end in (b"\n", b"\\n")),
    b" as (", b" as(", b" AS (", b" AS(", b" As (",
)  # fmt: skip
_EXECUTES = frozenset(
    {"execute", "executemany", "executescript", "execute_sql", "mogrify", "fetch", "fetchrow", "fetchval", "fetch_all",
     "fetch_one", "raw", "RawSQL", "text", "read_sql", "read_sql_query", "exec_driver_sql", "literal_column", "extra",
     "from_statement", "run_sql", "stream", "scalar", "scalars", "copy_expert", "execute_async", "callproc"}
)  # fmt: skip
_EXECUTE_WORDS = frozenset(name.encode() for name in _EXECUTES)
_FILLS = frozenset({"format", "replace", "join", "format_map", "substitute", "safe_substitute"})
_ALWAYS_SQL = frozenset(
    {"executemany", "executescript", "execute_sql", "mogrify", "RawSQL", "read_sql", "read_sql_query",
     "exec_driver_sql", "copy_expert", "run_sql"}
)  # fmt: skip
_CONNECTIONS = ("cursor", "cur", "conn", "connection", "session", "engine", "db", "database", "tx", "transaction", "c")
_SPEAKS = frozenset(
    {"print", "debug", "info", "warning", "warn", "error", "exception", "critical", "log", "_", "gettext",
     "gettext_lazy", "ngettext", "echo", "write_text", "stdout", "success", "fail"}
)  # fmt: skip


_OF_SCHEMA = lazy(
    r"(?:^|_)(?:tables?|tbl|columns?|cols?|index|schema|view|sequence|partition|database)(?:_?names?)?$", re.I
)


_RUN_BY_HAND = lazy(r"(?:^|/)(?:scripts?|tools?|bin|management/commands|benchmarks?|seeds?)/")


def _judged(path: str) -> bool:
    """True but for what somebody runs who could run any statement: scripts and commands."""
    return is_product_path(path) and _RUN_BY_HAND.search(path) is None


def _seen(context: FileContext) -> set[ast.AST]:
    seen = context.memo.setdefault(_SEEN, set())
    assert isinstance(seen, set)
    return seen


def _on_string(node: ast.JoinedStr | ast.BinOp, context: FileContext) -> None:
    if node in _seen(context) or (isinstance(node, ast.BinOp) and not isinstance(node.op, (ast.Add, ast.Mod))):
        return
    if not (_speaks_sql(context) and may_begin_sql(node)):
        return
    found = read_text(node, context)
    if found is not None:
        _judge(node, found, context)


def _speaks_sql(context: FileContext) -> bool:
    """A cheap test that every file with SQL passes."""
    known = context.memo.get(_SPOKEN)
    if known is None:
        text = context.source.lower()
        known = context.memo[_SPOKEN] = any(word in text for word in _VERBS)
    return bool(known)


def _judge(node: ast.expr, found: Text, context: FileContext) -> bool:
    """Reports SQL with values in it. Notes what the string is made of as read."""
    if not found.built or not is_sql(found.text):
        return False
    seen = _seen(context)
    if node in seen:
        return False
    seen.update(part for part in descendants(node) if isinstance(part, (ast.JoinedStr, ast.BinOp, ast.Call)))
    if found.parts and not _only_said(node, context) and not _changes_schema_by_hand(context):
        _report(node, found, context)
    return True


def _report(node: ast.AST, found: Text, context: FileContext, *evidence: Evidence) -> None:
    names = ", ".join(dict.fromkeys(_shown(part) for part in found.parts[:3]))
    if all(_names_table(part) for part in found.parts) and "'\0" not in found.text:
        message = f"{names} put into SQL as the name of a table or column, neither quoted nor one of a fixed list"
        context.report(RAW_SQL, node, message, severity="LOW", confidence="likely", evidence=evidence)
        return
    message = f"{names} put into SQL as text: whoever supplies it can change the statement"
    context.report(RAW_SQL, node, message, evidence=evidence)


def _names_table(part: ast.expr) -> bool:
    """True for a part that by what it is called names a thing of the schema, for which no driver has a parameter."""
    return _OF_SCHEMA.search(last_name(part)) is not None


def _shown(part: ast.expr) -> str:
    text = ast.unparse(part)
    return f"`{text}`" if len(text) <= 40 else f"`{text[:39]}…`"


def _only_said(node: ast.expr, context: FileContext) -> bool:
    """True for text that goes to a log, a person or an exception."""
    above = context.parent(node)
    if isinstance(above, ast.Call):
        return last_name(above.func) in _SPEAKS or last_name(above.func).endswith(("Error", "Exception"))
    return isinstance(above, ast.Raise)


def _changes_schema_by_hand(context: FileContext) -> bool:
    """True in a module that migrations are made with: what it is given stands in them."""
    return context.holds(b"alembic") and any(name.startswith("alembic") for name in context.imports.values())


def _on_call(node: ast.Call, context: FileContext) -> None:
    function = node.func
    name = (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )
    if name in _EXECUTES and node not in _seen(context) and not _changes_schema_by_hand(context):
        for argument in _statements(node, name):
            _on_executed(node, name, argument, context)


def _on_method(node: ast.Call, context: FileContext) -> None:
    """`"…".format(…)` and its kin."""
    if last_name(node.func) in _FILLS and _speaks_sql(context) and _may_fill_sql(node) and node not in _seen(context):
        found = read_text(node, context)
        if found is not None:
            _judge(node, found, context)


def _may_fill_sql(node: ast.Call) -> bool:
    """A cheap test that calls pass whose text is not written there, or may begin as SQL."""
    pattern = node.func.value if isinstance(node.func, ast.Attribute) and node.func.attr != "join" else None
    return not isinstance(pattern, (ast.Constant, ast.JoinedStr, ast.BinOp)) or may_begin_sql(pattern)


def _statements(node: ast.Call, name: str) -> list[ast.expr]:
    """The arguments of a call that are SQL."""
    wanted = [argument for argument in node.args[:1] if not isinstance(argument, ast.Starred)]
    for keyword in node.keywords:
        if keyword.arg in {"sql", "query", "statement", "raw_query", "text"}:
            wanted.append(keyword.value)
        elif name == "extra" and keyword.arg in {"where", "select", "tables", "order_by"}:
            value = keyword.value
            if isinstance(value, (ast.List, ast.Tuple)):
                wanted += value.elts
            elif isinstance(value, ast.Dict):
                wanted += value.values
            else:
                wanted.append(value)
    if name == "extra":
        wanted = [part for value in wanted for part in (value.values if isinstance(value, ast.Dict) else [value])]
    return wanted


def _on_executed(node: ast.Call, name: str, argument: ast.expr, context: FileContext) -> None:
    """A string that goes to a database, also by way of a name of the same function."""
    if isinstance(argument, ast.Name):
        if _on_grown(node, argument.id, context):
            return
        for value in values_of(argument.id, context):
            found = read_text(value, context) if value is not None and not isinstance(value, ast.Constant) else None
            if value is None or found is None or not found.parts or value in _seen(context):
                continue
            if value.lineno > node.lineno:
                continue  # the name stands for it later
            if _only_prolongs(found):
                continue
            if not is_sql(found.text) and _goes_to_database(node, name, found, context):
                origin = Evidence(context.path, value.lineno, f"{argument.id} is put together here")
                _report(node, found, context, origin)
                return
        return
    found = read_text(argument, context)
    if found is None or not found.parts or argument in _seen(context) or is_sql(found.text):
        return
    if found.built and _goes_to_database(node, name, found, context):
        _seen(context).update(descendants(argument))
        _report(argument, found, context)


def _only_prolongs(found: Text) -> bool:
    """True for `sql + " RETURNING id"`: a whole statement that was made elsewhere, and a literal behind it."""
    whole = found.parts[0]
    named = isinstance(whole, ast.Name) and whole.id.lower().endswith(("sql", "query", "statement", "stmt"))
    return named and len(found.parts) == 1 and found.text.startswith("\0") and found.text.count("\0") == 1


def _on_grown(node: ast.Call, name: str, context: FileContext) -> bool:
    """`query = "SELECT …"`, then `query += value`: reports where it grows."""
    fixed = [value.value for value in values_of(name, context) if isinstance(value, ast.Constant)]
    if not any(isinstance(text, str) and is_sql(f"{text} ") for text in fixed):
        return False
    for part in own_nodes(context.function or context.tree, context):
        if isinstance(part, ast.AugAssign) and isinstance(part.target, ast.Name) and part.target.id == name:
            text = read_text(part.value, context)
            parts = (part.value,) if text is None else text.parts
            if part.lineno < node.lineno and parts and not all(harmless(value, context) for value in parts):
                executed = Evidence(context.path, node.lineno, f"{name} is executed here")
                _report(part, Text(parts=parts), context, executed)
                return True
    return False


def _goes_to_database(node: ast.Call, name: str, found: Text, context: FileContext) -> bool:
    if name in _ALWAYS_SQL:
        return True
    if name in {"text", "literal_column", "raw", "extra"}:
        if name in {"text", "literal_column"}:
            return (context.resolve(node.func) or "").startswith(("sqlalchemy", "sqlmodel"))
        return isinstance(node.func, ast.Attribute) and (name == "extra" or is_sql_like(found.text))
    owner = last_name(node.func.value).lower() if isinstance(node.func, ast.Attribute) else ""
    if name in {"execute"} and owner.endswith(_CONNECTIONS):
        return is_sql_like(found.text) or found.text.count("\0") < len(found.text) - 1
    return is_sql_like(found.text) and owner.endswith(_CONNECTIONS)


raw_sql_interpolation = Rule(
    name=RAW_SQL,
    gate="P1",
    severity="HIGH",
    skill="django-security",
    sources=("PB-S6", "PB-F5"),
    catches="SQL that is put together with an f-string, `%`, `+`, `.format()` or `.replace()`, and such strings in "
    "`execute`, `raw`, `extra`, `RawSQL`, `text` and their like.",
    why="A value that becomes part of the statement can end it and begin another one. A driver that gets the values "
    "separately never mistakes them for SQL.",
    fix='Put a placeholder into the statement and the value into the parameters: `execute("… = %s", [value])`, '
    '`text("… = :id")`. Names of tables and columns: choose from a fixed list, or quote them with the driver.',
    when="Everywhere but in tests, migrations, and the scripts and commands that somebody runs by hand. "
    "Quoted names, numbers, placeholders, constants, one of a fixed list "
    "(or what was compared with one before), "
    "`_meta` names and what a query compiles to may be filled in; what a private function is given counts as its calls "
    "in the file give it.",
    watches=(
        Watch((ast.JoinedStr, ast.BinOp), _on_string, _WRITTEN, _judged),
        Watch((ast.Call,), _on_call, (), _judged, words=_EXECUTE_WORDS),
        Watch((ast.Call,), _on_method, _WRITTEN, _judged),
    ),
    bad=one_file(
        "shop/reports.py",
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
        '        cursor.execute(f"TRUNCATE {table} CASCADE")\n',
        "def rows(cursor, zone):\n    cursor.execute(f\"SELECT id FROM shop WHERE late = '12:{zone}'\")\n",
        'def rows(cursor, sort):\n    cursor.execute(f"SELECT id FROM shop ORDER BY {sort.column}")\n',
        'def rows(cursor, way):\n    if not way:\n        way = "ASC"\n'
        '    cursor.execute(f"SELECT id FROM shop ORDER BY id {way}")\n',
        "def change(database, request):\n    given = request.POST.dict()\n"
        '    clause = ", ".join(f"{key} = :{key}" for key in given.keys())\n'
        '    database.execute(f"UPDATE shop SET {clause}", values=given)\n',
        'def drop(cursor, table):\n    statement = f"DROP TABLE {table}"\n    cursor.execute(statement)\n',
        "def rows(cursor, name):\n    query = \"SELECT * FROM shop WHERE name = '%s'\"\n"
        "    cursor.execute(query % name)\n",
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
    ),
    good=(
        *one_file(
            "shop/reports.py",
            'def rows(cursor, name):\n    cursor.execute("SELECT * FROM shop WHERE name = %s", [name])\n',
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
            'def say(name):\n    log.info(f"Select a shop from {name}")\n    return f"Update {name} set up"\n',
            'def run(command, name):\n    return command.execute(f"say {name}")\n',
        ),
        *one_file("scripts/drop_role.py", 'def drop(cursor, role):\n    cursor.execute(f"DROP ROLE {role}")\n'),
        *one_file("shop/migrations/0002_x.py", 'def up(cursor, t):\n    cursor.execute(f"DELETE FROM {t}")\n'),
    ),
)

RULES: tuple[Rule, ...] = (raw_sql_interpolation,)

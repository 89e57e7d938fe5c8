"""The rule raw-sql-interpolation of the skill django-security: values belong beside the statement."""

import ast
import re
from collections.abc import Iterable

from skills.gates.analysis.file_calls import parameters_of
from skills.gates.analysis.local_values import own_nodes, values_of
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import descendants
from skills.gates.model import Evidence
from skills.gates.rule import Apart, Rule, Watch
from skills.gates.security.sql_places import is_unknown, names_schema_thing, shows_request
from skills.gates.security.sql_text import (
    Text,
    defines,
    is_sql,
    is_sql_like,
    leaves_values_to_driver,
    may_begin_sql,
    read_text,
)
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
     "from_statement", "run_sql", "stream", "scalar", "scalars", "copy_expert", "execute_async", "callproc", "SQL"}
)  # fmt: skip
_RUNS = frozenset({"run", "cursor", "query", "prepare", "fetch_all", "iterate"})  # by way of a connection only
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


# What text is called that a person reads.
_TOLD = lazy(r"(?:^|_)(?:message|msg|error|err|detail|reason|description|help|title|warning|hint|label)s?$", re.I)
_SHOWS = lazy(r"(?:^|_)(?:snippet|example)s?$", re.I)
_RUN_BY_HAND = lazy(
    r"(?:^|/)(?:(?:scripts?|tools?|bin|management/commands|benchmarks?|seeds?)/|(?:commands|manage|__main__)\.py$)"
)


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
    if not (_speaks_sql(context) and may_begin_sql(node, context)):
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
        _report_where_run(node, found, context)
    return True


def _report_where_run(node: ast.expr, found: Text, context: FileContext) -> None:
    """At the call of the same function that runs the string, where one does: there it does harm."""
    made = context.statement
    targets = made.targets if isinstance(made, ast.Assign) else [getattr(made, "target", None)]
    name = targets[0].id if len(targets) == 1 and isinstance(targets[0], ast.Name) else ""
    run = _run_of(name, made, context) if name else None
    if run is None or run[1] in _seen(context):  # it runs what another branch put together, too
        _report(node, found, context)
        return
    _seen(context).add(run[1])
    origin = Evidence(context.path, node.lineno, f"{name} is put together here")
    context.statement, call = run
    try:
        _report(call, found, context, origin, parts=range(made.lineno, (made.end_lineno or made.lineno) + 1))  # type: ignore[attr-defined]
    finally:
        context.statement = made


def _run_of(name: str, made: ast.AST, context: FileContext) -> tuple[ast.stmt, ast.Call] | None:
    """The first call below a statement that is given a name to run, with its own statement."""
    last: int = made.end_lineno  # type: ignore[attr-defined]
    inmost: ast.stmt | None = None
    for part in own_nodes(context.function or context.tree, context):
        if isinstance(part, ast.stmt):
            inmost = part
        if not isinstance(part, ast.Call) or part.lineno <= last or inmost is None:
            continue
        method = last_name(part.func)
        owner = last_name(part.func.value).lower() if isinstance(part.func, ast.Attribute) else ""
        runs = method in _EXECUTES or (method in _RUNS and owner.endswith(_CONNECTIONS))
        if runs and any(isinstance(one, ast.Name) and one.id == name for one in _statements(part, method)):
            return inmost, part
    return None


def _report(node: ast.AST, found: Text, context: FileContext, *evidence: Evidence, parts: Iterable[int] = ()) -> None:
    if leaves_values_to_driver(found.text) and all(part in found.frame for part in found.parts):
        return
    if defines(found.text) and not any(_is_from_caller(part, context) for part in found.parts):
        return  # no driver has parameters for a definition, and the names in it are the program's own
    names = ", ".join(dict.fromkeys(_shown(part) for part in found.parts[:3]))
    if all(map(names_schema_thing, found.parts)) and "'\0" not in found.text:
        message = f"{names} put into SQL as the name of a table or column, neither quoted nor one of a fixed list"
        context.report(RAW_SQL, node, message, severity="LOW", confidence="likely", evidence=evidence, parts=parts)
        return
    message = f"{names} put into SQL as text: whoever supplies it can change the statement"
    context.report(RAW_SQL, node, message, evidence=evidence, parts=parts)


def _is_from_caller(part: ast.expr, context: FileContext) -> bool:
    """True for what a request brings, for a parameter, and for a name that the file does not bind."""
    if shows_request(part, context) or is_unknown(part, context):
        return True
    if not isinstance(part, ast.Name) or names_schema_thing(part):
        return False
    function = context.function
    told = parameters_of(function) if function is not None and not function.name.startswith("_") else ()
    return part.id in told


def _shown(part: ast.expr) -> str:
    text = ast.unparse(part)
    return f"`{text}`" if len(text) <= 40 else f"`{text[:39]}…`"


def _only_said(node: ast.expr, context: FileContext) -> bool:
    """True for text that goes to a log, a person or an exception, or that a function makes to be shown."""
    if context.function is not None and _SHOWS.search(context.function.name):
        return True
    above = context.parent(node)
    if isinstance(above, ast.Call):
        return last_name(above.func) in _SPEAKS or last_name(above.func).endswith(("Error", "Exception"))
    if isinstance(above, ast.Assign):
        return _TOLD.search(last_name(above.targets[0])) is not None
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
    if (
        last_name(node.func) in _FILLS
        and _speaks_sql(context)
        and _may_fill_sql(node, context)
        and node not in _seen(context)
    ):
        found = read_text(node, context)
        if found is not None:
            _judge(node, found, context)


def _may_fill_sql(node: ast.Call, context: FileContext) -> bool:
    """A cheap test that calls pass whose text is not written there, or may begin as SQL."""
    pattern = node.func.value if isinstance(node.func, ast.Attribute) and node.func.attr != "join" else None
    return not isinstance(pattern, (ast.Constant, ast.JoinedStr, ast.BinOp)) or may_begin_sql(pattern, context)


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
    """`query = "SELECT …"`, then `query += value`."""
    fixed = [value.value for value in values_of(name, context) if isinstance(value, ast.Constant)]
    if not any(isinstance(text, str) and is_sql(f"{text} ") for text in fixed):
        return False
    for part in own_nodes(context.function or context.tree, context):
        if isinstance(part, ast.AugAssign) and isinstance(part.target, ast.Name) and part.target.id == name:
            text = read_text(part.value, context)
            parts = (part.value,) if text is None else text.parts
            if part.lineno < node.lineno and parts and not all(harmless(value, context) for value in parts):
                grown = Evidence(context.path, part.lineno, f"{name} grows here")
                _report(node, Text(parts=parts), context, grown, parts=(part.lineno,))
                return True
    return False


def _goes_to_database(node: ast.Call, name: str, found: Text, context: FileContext) -> bool:
    if name in _ALWAYS_SQL:
        return True
    if name == "SQL":
        return (context.resolve(node.func) or "").startswith(("peewee", "psycopg"))
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
    "Quoted names, numbers, placeholders, constants, one of a fixed list (or what was compared with one before), "
    "`_meta` names and what a query compiles to may be filled in; so may, where no request shows, a whole statement or "
    "a name in quotes, and what stands where no value can in a statement with placeholders. What a private function is "
    "given counts as its calls in the file give it. A string that the same function runs is told of where it runs.",
    watches=(
        Watch((ast.JoinedStr, ast.BinOp), _on_string, _WRITTEN, _judged),
        Watch((ast.Call,), _on_call, (), _judged, words=_EXECUTE_WORDS),
        Watch((ast.Call,), _on_method, _WRITTEN, _judged),
    ),
    bad=Apart("security.raw_sql_examples.RAW_SQL_BAD"),
    good=Apart("security.raw_sql_examples.RAW_SQL_GOOD"),
)

RULES: tuple[Rule, ...] = (raw_sql_interpolation,)

"""A rule of the skill transaction-correctness-auditor: channels that nobody reads or nobody writes."""

import ast
import re

from msgspec.structs import replace

from skills.gates.analysis.bindings import annotated_type, lookup
from skills.gates.analysis.local_values import values_of
from skills.gates.analysis.transactions import SKILL
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_product_path, outside_tests
from skills.gates.model import Candidate, Evidence, Fact, FileReport, Severity
from skills.gates.persistence.sql_texts import LISTEN, LISTEN_ANY, NOTIFY, NOTIFY_ANY
from skills.gates.project import Project
from skills.gates.rule import Apart, Rule, Watch

RULE = "event-channel-consistency"

SHORTEST = 4
_BUS = lazy(
    r"(^|_)(redis|bus|broker|pubsub|sub|nats|nc|mqtt|client|publisher|subscriber|channel_layer|events|rd|r|broadcast|"
    r"broadcaster|emitter|dispatcher|ee)$|(bus|redis|broker|pubsub|emitter|publisher|broadcaster)$", re.I,
)  # fmt: skip
_EXECUTES = frozenset({"execute", "text", "fetch", "fetchval", "exec_driver_sql", "SQL"})
_METHODS = {"publish": "pub", "emit": "pub", "send_to": "pub", "subscribe": "sub", "psubscribe": "sub", "on": "sub"}


def _on_call(node: ast.Call, context: FileContext) -> None:
    function = node.func
    name = last_name(function)
    if name == "pg_notify" and node.args:
        _said("pub", "pg", node.args[0], node, context)
    elif name == "add_listener" and len(node.args) > 1:
        _said("sub", "pg", node.args[0], node, context)
    elif name in _METHODS and isinstance(function, ast.Attribute) and (given := _given(node)):
        owner = last_name(function.value)
        if not (_BUS.search(owner) or _is_bus(function.value, context)) or owner.lower() in ("sio", "socketio"):
            return
        bus = "emitter" if name in ("emit", "on") else "bus"
        values = given if name in ("subscribe", "psubscribe") else given[:1]
        for value in values:
            _said(_METHODS[name], bus, value, node, context)
    elif name in ("execute", "fetch", "fetchval") and len(node.args) > 1 and isinstance(node.args[0], ast.Constant):
        text = node.args[0].value
        if isinstance(text, str) and re.search(r"pg_notify\(\s*(\$1|%s|:\w+|\?)", text):
            value = node.args[1]
            first = value.elts[0] if isinstance(value, (ast.Tuple, ast.List)) and value.elts else value
            _said("pub", "pg", first, node, context)


def _given(node: ast.Call) -> list[ast.expr]:
    """What a call is given by place; its `channel=` where it is given nothing so."""
    return node.args or [word.value for word in node.keywords if word.arg in ("channel", "topic")]


def _is_bus(node: ast.expr, context: FileContext) -> bool:
    """True for a name of any spelling that is made by `.pubsub()` or is typed as a client of Redis."""
    found = lookup(context, node.id, node.lineno) if isinstance(node, ast.Name) else None
    if found is None:
        return False
    if isinstance(found.value, ast.Call) and last_name(found.value.func) == "pubsub":
        return True
    kind = annotated_type(context, found.hint) or ""
    return kind.startswith(("redis.", "aioredis.", "nats.")) or kind.rpartition(".")[2] == "PubSub"


def _on_text(node: ast.Constant | ast.JoinedStr, context: FileContext) -> None:
    text = text_of(node, context)
    if text is None:
        return
    above = context.parent(node)
    executed = isinstance(above, ast.Call) and last_name(above.func) in _EXECUTES
    for side, pattern in (("pub", NOTIFY_ANY if executed else NOTIFY), ("sub", LISTEN_ANY if executed else LISTEN)):
        for match in pattern.finditer(text):
            name = next(group for group in match.groups() if group)
            if name != "{}":
                _report(side, "pg", name, node, context)
            elif isinstance(node, ast.JoinedStr):
                values = [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
                if values:
                    _said(side, "pg", values[0], node, context)


def text_of(node: ast.Constant | ast.JoinedStr, context: FileContext) -> str | None:
    """A string as it is written, "{}" for what an f-string puts in; None for docstrings and parts of an f-string."""
    if isinstance(node, ast.JoinedStr):
        return _template(node, context)
    if not isinstance(node.value, str) or isinstance(context.parent(node), ast.JoinedStr):
        return None
    docstring = isinstance(context.statement, ast.Expr) and context.statement.value is node
    return None if docstring else node.value


def _template(node: ast.JoinedStr, context: FileContext) -> str:
    """An f-string with "{}" for what it puts in, but for names that are bound to one text."""
    return "".join(str(part.value) if isinstance(part, ast.Constant) else _put_in(part, context)
                   for part in node.values)  # fmt: skip


def _put_in(part: ast.expr, context: FileContext) -> str:
    name = part.value if isinstance(part, ast.FormattedValue) else part
    bound = values_of(name.id, context) if isinstance(name, ast.Name) else []
    text = bound[0].value if len(bound) == 1 and isinstance(bound[0], ast.Constant) else None
    return text if isinstance(text, str) else "{}"


def _said(side: str, bus: str, value: ast.expr, node: ast.AST, context: FileContext) -> None:
    """A fact and, where the name is written out, a candidate for one end of a channel."""
    name = _name_of(value, context)
    if name is None:
        context.fact(f"channel-{side}", "?", bus, value.lineno)
    elif name.startswith("@"):
        context.fact(f"channel-{side}", name, bus, value.lineno)
    else:
        _report(side, bus, name, node, context)


def _report(side: str, bus: str, name: str, node: ast.AST, context: FileContext) -> None:
    context.fact(f"channel-{side}", name, bus, node.lineno)  # type: ignore[attr-defined]
    if not is_product_path(context.path):
        return
    context.report(RULE, node, f"`{name}`", severity="HIGH" if side == "pub" else "MEDIUM", confidence="likely",
                   needs=(("side", side), ("bus", bus), ("channel", name)))  # fmt: skip


def _name_of(value: ast.expr, context: FileContext, depth: int = 0) -> str | None:
    """The name of a channel, "{}" for what changes; "@name" for a constant of elsewhere; None where it is computed."""
    if isinstance(value, ast.Constant):
        return value.value if isinstance(value.value, str) and value.value else None
    if isinstance(value, ast.JoinedStr):
        text = _template(value, context)
        return text if len(text.replace("{}", "")) >= SHORTEST else None
    if isinstance(value, ast.BinOp) and isinstance(value.op, (ast.Add, ast.Mod)):
        left = _name_of(value.left, context, depth)
        return None if left is None else left.replace("%s", "{}") if isinstance(value.op, ast.Mod) else left + "{}"
    if isinstance(value, ast.Name) and depth < 3:
        bound = [one for one in values_of(value.id, context) if one is not None]
        if len(bound) == 1:
            return _name_of(bound[0], context, depth + 1)
        if value.id in context.imports and not bound:
            return "@" + value.id
        return None
    if isinstance(value, ast.Attribute):
        last = value.value.attr if value.attr == "value" and isinstance(value.value, ast.Attribute) else value.attr
        return "@" + last if last.isupper() or last_name(value.value).lower().endswith(("settings", "config")) else None
    return None


def _channel_holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    said = dict(candidate.needs)
    name, bus, side = said["channel"], said["bus"], said["side"]
    others = [
        (path, fact)
        for path, fact in project.facts("channel-sub" if side == "pub" else "channel-pub")
        if fact.detail == bus
    ]
    if any(fact.name == name or covers(fact.name, name) or covers(name, fact.name) for _, fact in others):
        return None
    close = next(
        ((path, fact) for path, fact in others if _nearly(name, fact.name) and not _answered(fact, side, bus, project)),
        None,
    )
    if close is not None:
        if side == "sub" and is_product_path(close[0]):
            return None  # said once, where it is published
        verb = "listened to as" if side == "pub" else "published as"
        message = f"`{name}` is {verb} `{close[1].name}`: what is sent never arrives"
        return _settled(candidate, "CRITICAL", message, Evidence(close[0], close[1].line, f"`{close[1].name}`"))
    if any(fact.name == "?" or (fact.name.startswith("@") and not _answered(fact, side, bus, project))
           for _, fact in others):  # fmt: skip
        return None  # somebody listens to a name that is not written out
    if bus == "emitter":
        return None  # the other end may be a client
    if side == "pub":
        return _settled(candidate, "HIGH", f"`{name}` is published and nobody here listens to it", None)
    return _settled(candidate, "MEDIUM", f"`{name}` is listened to and nobody here publishes it", None)


def _answered(fact: Fact, side: str, bus: str, project: Project) -> bool:
    """True where the other end has an end of its own."""
    own = project.facts("channel-pub" if side == "pub" else "channel-sub")
    return any(one.name == fact.name and one.detail == bus for _, one in own)


def covers(pattern: str, name: str) -> bool:
    """True for `jobs:*` and `jobs:1`, `jobs:{}` and `jobs:done`."""
    if "*" not in pattern and "{}" not in pattern:
        return False
    escaped = re.escape(pattern).replace(r"\*", ".*").replace(r"\{\}", ".*")
    return re.fullmatch(escaped, name) is not None


def _nearly(one: str, other: str) -> bool:
    """Two edits apart at most, or one within the other; short names are not compared."""
    if min(len(one), len(other)) < SHORTEST or other.startswith(("?", "@")) or one == other:
        return False
    return one in other or other in one or _distance(one, other) <= 2


def _distance(one: str, other: str) -> int:
    """How many letters are to be added, left out or changed."""
    if abs(len(one) - len(other)) > 2:
        return 3
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        before, row[0] = row[0], place
        for at, its in enumerate(other, 1):
            before, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, before + (letter != its))
    return row[-1]


def _settled(candidate: Candidate, severity: Severity, message: str, link: Evidence | None) -> Candidate:
    links = () if link is None else (link,)
    return replace(candidate, message=message, severity=severity, needs=(), evidence=(*candidate.evidence, *links))


_WORDS = (b"pg_notify", b"NOTIFY", b"LISTEN", b".publish(", b".subscribe(", b".psubscribe(", b"add_listener", b".emit(",
          b".send_to(")  # fmt: skip

SQL_WORDS = (b"pg_notify", b"NOTIFY", b"LISTEN", b"TRIGGER", b"notify ", b"listen ")
"""One of them stands in each file whose SQL is looked into."""

event_channel_consistency = Rule(
    name=RULE,
    gate="none",
    severity="HIGH",
    skill=SKILL,
    sources=("PA-652-6",),
    catches="Channels of LISTEN/NOTIFY, Redis and event buses of which one end is missing, or whose two ends are "
    "spelled "
    "differently.",
    why="A message on a channel that nobody reads is gone without an error.",
    fix="One constant for the name, imported at both ends.",
    when="In production code and migrations. CRITICAL where two names are at most two letters apart or one holds the "
    "other, HIGH where nobody listens, MEDIUM where nobody publishes. Not for shared constants, names that are "
    "computed, "
    "names of fewer than four letters, and Socket.IO, whose other end is a client.",
    watches=(
        Watch((ast.Call,), _on_call, _WORDS, is_product_path),
        Watch((ast.Constant, ast.JoinedStr), _on_text, SQL_WORDS, outside_tests),
    ),
    holds=_channel_holds,
    bad=Apart("persistence.event_channels_examples.CHANNELS_BAD"),
    good=Apart("persistence.event_channels_examples.CHANNELS_GOOD"),
)


RULES: tuple[Rule, ...] = (event_channel_consistency,)

"""Rules of the skill transaction-correctness-auditor about events: channels that nobody reads or writes, and changes
that a trigger tells too late."""

import ast
import itertools
import re
from collections.abc import Iterator

from skills.gates.bindings import annotated_type, lookup
from skills.gates.context import FileContext, FunctionNode
from skills.gates.event_channels_examples import CHANNELS, COMMITS
from skills.gates.execution import execution_of, is_product_path
from skills.gates.local_values import values_of
from skills.gates.loops import local_nodes
from skills.gates.model import Candidate, Evidence, Fact, FileReport, Severity
from skills.gates.names import last_name
from skills.gates.patterns import lazy
from skills.gates.persistence import Event, events_of, inside, model_key, statement_of
from skills.gates.project import Project
from skills.gates.roles import is_test_path
from skills.gates.rule import Rule, Watch
from skills.gates.transaction_auditor import SKILL, opens_transaction

CHANNEL_RULE, COMMIT_RULE = "event-channel-consistency", "missing-intermediate-commits"

SHORTEST = 4
_BUS = lazy(
    r"(^|_)(redis|bus|broker|pubsub|sub|nats|nc|mqtt|client|publisher|subscriber|channel_layer|events|rd|r|broadcast|"
    r"broadcaster|emitter|dispatcher|ee)$|(bus|redis|broker|pubsub|emitter|publisher|broadcaster)$", re.I,
)  # fmt: skip
# Words of prose are written small; a statement begins with its keyword.
_NAME = r"\"?([A-Za-z_][\w.:-]*|\{\})\"?\s*(?=[,;']|$)"
_NOTIFY = lazy(rf"(?:^|[;'\"]|EXECUTE)\s*NOTIFY\s+{_NAME}|pg_notify\(\s*'([^']+)'", re.M)
_LISTEN = lazy(rf"(?:^|[;'\"])\s*LISTEN\s+{_NAME}", re.M)
_NOTIFY_ANY = lazy(rf"(?:^|[;'\"]|EXECUTE)\s*NOTIFY\s+{_NAME}|pg_notify\(\s*'([^']+)'", re.M | re.I)
_LISTEN_ANY = lazy(rf"(?:^|[;'\"])\s*LISTEN\s+{_NAME}", re.M | re.I)
_EXECUTES = frozenset({"execute", "text", "fetch", "fetchval", "exec_driver_sql", "SQL"})
_TRIGGER = lazy(
    r"CREATE\s+(?:OR\s+REPLACE\s+)?(?:CONSTRAINT\s+)?TRIGGER\s+\S+\s+(?:BEFORE|AFTER|INSTEAD\s+OF)\s+([\w\s,]+?)\s+ON\s+"
    r"[\"`]?(?:\w+[\"`]?\.[\"`]?)?(\w+)[\"`]?.*?EXECUTE\s+(?:FUNCTION|PROCEDURE)\s+[\"`]?(?:\w+\.)?(\w+)", re.I | re.S,
)  # fmt: skip
_FUNCTION = lazy(
    r"CREATE\s+(?:OR\s+REPLACE\s+)?FUNCTION\s+[\"`]?(?:\w+\.)?(\w+).*?(?=CREATE\s+(?:OR\s+REPLACE\s+)?FUNCTION|\Z)",
    re.I | re.S,
)
_STEPS = frozenset({"progress", "status", "state", "stage", "step", "percent", "phase"})
_METHODS = {"publish": "pub", "emit": "pub", "send_to": "pub", "subscribe": "sub", "psubscribe": "sub", "on": "sub"}
_LISTENERS = frozenset({"add_listener", "pg_notify"})


def _not_test(path: str) -> bool:
    return not is_test_path(path)


# -- channels --


def _on_call(node: ast.Call, context: FileContext) -> None:
    function = node.func
    name = last_name(function)
    if name == "pg_notify" and node.args:
        _said("pub", "pg", node.args[0], node, context)
    elif name == "add_listener" and len(node.args) > 1:
        _said("sub", "pg", node.args[0], node, context)
    elif name in _METHODS and isinstance(function, ast.Attribute) and node.args:
        owner = last_name(function.value)
        if not (_BUS.search(owner) or _is_bus(function.value, context)) or owner.lower() in ("sio", "socketio"):
            return
        bus = "emitter" if name in ("emit", "on") else "bus"
        values = node.args if name in ("subscribe", "psubscribe") else node.args[:1]
        for value in values:
            _said(_METHODS[name], bus, value, node, context)
    elif name in ("execute", "fetch", "fetchval") and len(node.args) > 1 and isinstance(node.args[0], ast.Constant):
        text = node.args[0].value
        if isinstance(text, str) and re.search(r"pg_notify\(\s*(\$1|%s|:\w+|\?)", text):
            value = node.args[1]
            first = value.elts[0] if isinstance(value, ast.Tuple | ast.List) and value.elts else value
            _said("pub", "pg", first, node, context)


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
    if isinstance(node, ast.JoinedStr):
        text, parts = _template(node, context), node.values
    elif isinstance(node.value, str):
        text, parts = node.value, []
        if isinstance(context.statement, ast.Expr) and context.statement.value is node:
            return  # a docstring
        if isinstance(context.parent(node), ast.JoinedStr):
            return
    else:
        return
    _tell_triggers(text, node.lineno, context)
    above = context.parent(node)
    executed = isinstance(above, ast.Call) and last_name(above.func) in _EXECUTES
    for side, pattern in (("pub", _NOTIFY_ANY if executed else _NOTIFY), ("sub", _LISTEN_ANY if executed else _LISTEN)):
        for match in pattern.finditer(text):
            name = next(group for group in match.groups() if group)
            if name == "{}":
                values = [part.value for part in parts if isinstance(part, ast.FormattedValue)]
                if values:
                    _said(side, "pg", values[0], node, context)
            else:
                _report(side, "pg", name, node, context)


def _template(node: ast.JoinedStr, context: FileContext) -> str:
    return "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)  # type: ignore[misc]


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
    context.report(CHANNEL_RULE, node, f"`{name}`", severity="HIGH" if side == "pub" else "MEDIUM", confidence="likely",
                   needs=(("side", side), ("bus", bus), ("channel", name)))  # fmt: skip


def _name_of(value: ast.expr, context: FileContext, depth: int = 0) -> str | None:
    """The name of a channel, "{}" for what changes; "@name" for a constant of elsewhere; None where it is computed."""
    if isinstance(value, ast.Constant):
        return value.value if isinstance(value.value, str) and value.value else None
    if isinstance(value, ast.JoinedStr):
        text = _template(value, context)
        return text if len(text.replace("{}", "")) >= SHORTEST else None
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add | ast.Mod):
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
    if any(fact.name == name or _covers(fact.name, name) or _covers(name, fact.name) for _, fact in others):
        return None
    close = next(
        ((path, fact) for path, fact in others if _nearly(name, fact.name) and not _answered(fact, side, bus, project)),
        None,
    )
    if close is not None:
        if side == "sub" and _is_product(close[0]):
            return None  # said once, where it is published
        verb = "listened to as" if side == "pub" else "published as"
        message = f"`{name}` is {verb} `{close[1].name}`: what is sent never arrives"
        return _settled(candidate, "CRITICAL", message, Evidence(close[0], close[1].line, f"`{close[1].name}`"))
    if any(fact.name.startswith(("?", "@")) for _, fact in others):
        return None  # somebody listens to a name that is not written out
    if bus == "emitter":
        return None  # the other end may be a client
    if side == "pub":
        return _settled(candidate, "HIGH", f"`{name}` is published and nobody here listens to it", None)
    return _settled(candidate, "MEDIUM", f"`{name}` is listened to and nobody here publishes it", None)


def _is_product(path: str) -> bool:
    return is_product_path(path)


def _answered(fact: Fact, side: str, bus: str, project: Project) -> bool:
    """True where the other end has an end of its own."""
    own = project.facts("channel-pub" if side == "pub" else "channel-sub")
    return any(one.name == fact.name and one.detail == bus for _, one in own)


def _covers(pattern: str, name: str) -> bool:
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
    return Candidate(
        candidate.rule, candidate.line, candidate.column, candidate.end_line, candidate.end_column, candidate.symbol,
        message, candidate.fingerprint, candidate.confidence, severity,
        evidence=(*candidate.evidence, *((link,) if link is not None else ())),
    )  # fmt: skip


# -- triggers --


def _tell_triggers(text: str, line: int, context: FileContext) -> None:
    """Facts: trigger (table; detail "function event"), notifies (function; detail channel)."""
    upper = text.upper()
    if "TRIGGER" in upper:
        for match in _TRIGGER.finditer(text):
            context.fact("trigger", match[2].lower(), f"{match[3].lower()} {' '.join(match[1].upper().split())}", line)
    if "FUNCTION" in upper:
        for match in _FUNCTION.finditer(text):
            for sent in _NOTIFY.finditer(match[0]):
                context.fact("notifies", match[1].lower(), next(group for group in sent.groups() if group), line)


def _on_table(node: ast.ClassDef, context: FileContext) -> None:
    for part in node.body:
        if isinstance(part, ast.Assign) and last_name(part.targets[0]) in ("__tablename__", "db_table"):
            if isinstance(part.value, ast.Constant) and isinstance(part.value.value, str):
                context.fact("table-of", part.value.value.lower(), node.name, part.lineno)
        elif isinstance(part, ast.ClassDef) and part.name == "Meta":
            _on_table_meta(part, node.name, context)


def _on_table_meta(meta: ast.ClassDef, owner: str, context: FileContext) -> None:
    for part in meta.body:
        value = part.value if isinstance(part, ast.Assign) and last_name(part.targets[0]) == "db_table" else None
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            context.fact("table-of", value.value.lower(), owner, value.lineno)


def _on_function(node: FunctionNode, context: FileContext) -> None:
    events = events_of(node, context)
    updates = [event for event in events if _updated(event)]
    if not updates:
        return
    with inside(node, context):
        commits = [event.line for event in events if event.kind == "commit"]
        plain = all(event.write is not None and event.write.how.startswith('execute("') for event in updates)
        if plain and not commits and not _in_transaction(node, context):
            return  # a connection of its own commits each statement
        for key in dict.fromkeys(_updated(event) for event in updates):
            own = [event for event in updates if _updated(event) == key]
            place = _uncommitted(own, commits, node)
            if place is not None:
                _report_updates(key, place, node, context)


def _updated(event: Event) -> str:
    """The model that an event updates, as a key for comparing; "" where it updates none."""
    if event.kind == "write" and event.write is not None and event.write.kind == "update":
        return model_key(event.write.model)
    if event.kind == "set":
        node = event.node
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Attribute) and target.attr in _STEPS:
            return model_key(event.name)
    return ""


def _uncommitted(own: list[Event], commits: list[int], function: FunctionNode) -> Event | None:
    """The update after which another one comes, a turn later or further down, without a commit in between."""
    loops = [part for part in local_nodes(function) if isinstance(part, ast.For | ast.AsyncFor | ast.While)]
    for event in own:
        for loop in loops:
            first, last = loop.body[0].lineno, loop.body[-1].end_lineno or 0
            if first <= event.line <= last and not any(first <= line <= last for line in commits):
                return event
    for one, other in itertools.pairwise(own):
        told = other.line <= one.line or any(one.line < line <= other.line for line in commits)
        if not told and not _apart(function, one.line, other.line):
            return other
    return None


def _apart(function: FunctionNode, one: int, other: int) -> bool:
    """True where two lines are alternatives: the branches of one `if` or `try`."""
    for part in local_nodes(function):
        if isinstance(part, ast.If | ast.Try):
            parts = [part.body, part.orelse, *(handler.body for handler in getattr(part, "handlers", ()))]
            ranges = [(block[0].lineno, block[-1].end_lineno or 0) for block in parts if block]
            held = [next((n for n, (a, b) in enumerate(ranges) if a <= line <= b), None) for line in (one, other)]
            if None not in held and held[0] != held[1]:
                return True
            block = part.body
            if (
                held[0] == 0
                and held[1] is None
                and isinstance(block[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)
            ):
                return True
    return False


def _in_transaction(function: FunctionNode, context: FileContext) -> bool:
    return any(
        opens_transaction(item.context_expr, context)
        for part in local_nodes(function)
        if isinstance(part, ast.With | ast.AsyncWith)
        for item in part.items
    )


def _report_updates(key: str, event: Event, function: FunctionNode, context: FileContext) -> None:
    kind, why = execution_of(context)
    context.statement = event.node if isinstance(event.node, ast.stmt) else statement_of(function, event.node)
    context.report(
        COMMIT_RULE,
        event.node,
        "a trigger tells of this table, and several changes of it become visible only with the last commit",
        severity="LOW" if kind == "init" else "HIGH",
        confidence="likely",
        needs=(("updated", key),),
        evidence=(why,) if why else (),
    )


def _triggers(key: str, project: Project) -> Iterator[tuple[str, Fact]]:
    """The triggers on the table of a model."""
    for path, fact in project.facts("trigger"):
        owners = {
            model_key(other.name if other.detail == "" else other.detail)
            for _, other in project.named("table-of", fact.name)
        }
        if "UPDATE" in fact.detail and (model_key(fact.name) == key or key in owners):
            yield path, fact


def _commit_holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    key = dict(candidate.needs)["updated"]
    for path, fact in _triggers(key, project):
        function = fact.detail.partition(" ")[0]
        link = Evidence(path, fact.line, f"a trigger on `{fact.name}` runs `{function}`")
        told = [one.detail for _, one in project.named("notifies", function)]
        heard = next(((where, one) for where, one in project.facts("channel-sub") for name in told
                      if one.name == name or _covers(one.name, name)), None)  # fmt: skip
        severity: Severity = candidate.severity or "HIGH"
        if heard is not None and severity != "LOW":
            done = _settled(
                candidate, "CRITICAL", candidate.message + ": whoever listens hears nothing until then", link
            )
            listener = Evidence(heard[0], heard[1].line, f"listens to `{told[0]}`")
            return Candidate(
                done.rule, done.line, done.column, done.end_line, done.end_column, done.symbol, done.message,
                done.fingerprint, done.confidence, done.severity, evidence=(*done.evidence, listener),
            )  # fmt: skip
        return _settled(candidate, severity, candidate.message, link)
    return None


_WORDS = (b"pg_notify", b"NOTIFY", b"LISTEN", b".publish(", b".subscribe(", b".psubscribe(", b"add_listener", b".emit(",
          b".send_to(")  # fmt: skip

event_channel_consistency = Rule(
    name=CHANNEL_RULE,
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
        Watch(
            (ast.Constant, ast.JoinedStr),
            _on_text,
            (b"pg_notify", b"NOTIFY", b"LISTEN", b"TRIGGER", b"notify ", b"listen "),
            _not_test,
        ),
    ),
    holds=_channel_holds,
    bad=CHANNELS[0],
    good=CHANNELS[1],
)

missing_intermediate_commits = Rule(
    name=COMMIT_RULE,
    gate="none",
    severity="HIGH",
    skill=SKILL,
    sources=("PA-652-1", "X-PA-4"),
    catches="Several changes of a table with a trigger, in a loop or one after the other, with one commit at the end.",
    why="NOTIFY is delivered at commit: progress that is written ten times is told once, when everything is over.",
    fix="Tell progress out of band: an outbox table, or a notification on a connection of its own. Commits at "
    "milestones "
    "are the second choice, and none where the changes belong together.",
    when="In production code, for tables that a trigger in the migrations names. CRITICAL where somebody listens to "
    "its "
    "channel, else HIGH; LOW in code that runs once.",
    watches=(
        Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_function, (b"commit", b"begin", b"atomic"), is_product_path),
        Watch((ast.ClassDef,), _on_table, (b"__tablename__", b"db_table"), is_product_path),
    ),
    holds=_commit_holds,
    bad=COMMITS[0],
    good=COMMITS[1],
)

RULES: tuple[Rule, ...] = (event_channel_consistency, missing_intermediate_commits)

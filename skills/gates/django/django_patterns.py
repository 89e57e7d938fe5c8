"""Rules of the skill django-patterns: signals stay light, other sides have names, settings are split."""

import ast
import re
from collections.abc import Iterator

from skills.gates.analysis.effects import INSTANCE_WRITES
from skills.gates.analysis.local_values import own_nodes
from skills.gates.analysis.loops import MUTATORS
from skills.gates.analysis.queries import MANAGERS, Chain, chain_of
from skills.gates.analysis.settings_modules import is_away_from_production, is_settings_path
from skills.gates.analysis.transactions import waits_outside
from skills.gates.engine.context import FileContext
from skills.gates.engine.fingerprints import on_line
from skills.gates.engine.names import last_name
from skills.gates.engine.roles import outside_tests
from skills.gates.engine.syntax import descendants
from skills.gates.model import Candidate, Evidence, FileReport
from skills.gates.project import Project
from skills.gates.rule import STRICT, Example, Rule, Watch

SKILL = "django-patterns"
HEAVY, RELATED, ONE_MODULE = "heavy-signal", "foreign-key-defaults", "single-settings-module"
_NOT_ROWS = frozenset({"post_migrate", "pre_migrate", "setting_changed", "got_request_exception", "worker_ready"})
_MAILS = frozenset({"send_mail", "send_mass_mail", "mail_admins", "mail_managers"})
MESSAGES = frozenset({"EmailMessage", "EmailMultiAlternatives"})


def _on_receiver(node: ast.FunctionDef, context: FileContext) -> None:
    signal = _signal(node, context)
    if signal is None or signal in _NOT_ROWS:
        return
    context.scopes.append(node)
    try:
        for part in own_nodes(node, context):
            what = _heavy(part, context) or _heavy_helper(part, context)
            if what:
                message = f"the receiver `{node.name}` {what} each time `{signal}` is sent"
                evidence = (Evidence(context.path, node.lineno, f"receives {signal}"),)
                query = _query_in(part) if isinstance(part, ast.For) else None
                parts = (query.lineno,) if query is not None else ()
                context.report(HEAVY, part, message, evidence=evidence, parts=parts)
                return
    finally:
        context.scopes.pop()


def _signal(node: ast.FunctionDef, context: FileContext) -> str | None:
    """The signal that a function receives, None where it receives none."""
    for part in node.decorator_list:
        if isinstance(part, ast.Call) and last_name(part.func) == "receiver" and part.args:
            first = part.args[0]
            if isinstance(first, (ast.List, ast.Tuple)) and first.elts:
                first = first.elts[0]
            return last_name(first)
    if context.scopes or b".connect(" not in context.source:
        return None
    named = re.search(rf"\b((?:pre_|post_|m2m_)\w+)\.connect\(\s*{node.name}\b".encode(), context.source)
    return named[1].decode() if named else None


def _heavy(node: ast.AST, context: FileContext) -> str:
    if isinstance(node, ast.For):
        return "runs queries in a loop" if _query_in(node) is not None else ""
    if not isinstance(node, ast.Call):
        return ""
    name = context.resolve(node.func) or ""
    last = last_name(node.func)
    if last in _MAILS and (name.startswith("django.core.mail.") or name == last):
        return "sends mail"
    if last == "email_user" and isinstance(node.func, ast.Attribute):
        return "sends mail"
    if last == "send" and isinstance(node.func, ast.Attribute) and last_name(node.func.value) in MESSAGES:
        return "sends mail"
    return "calls another service" if waits_outside(node, context) is not None and not _local(node, context) else ""


def _heavy_helper(node: ast.AST, context: FileContext) -> str:
    """The same of a function of the file that a receiver calls."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return ""
    name = node.func.id
    called = next((part for part in context.tree.body if isinstance(part, ast.FunctionDef) and part.name == name), None)
    if called is None or called in context.scopes or called.decorator_list:
        return ""
    context.scopes.append(called)
    try:
        return next(filter(None, (_heavy(part, context) for part in own_nodes(called, context))), "")
    finally:
        context.scopes.pop()


def _local(node: ast.Call, context: FileContext) -> bool:
    """True for files: they wait for the disk alone."""
    waits = waits_outside(node, context)
    return waits is not None and ("disk" in waits.what or "files" in waits.what)


def _query_in(loop: ast.For) -> ast.Call | None:
    """The first query of a loop over more than a few values that stand in the source."""
    if isinstance(loop.iter, (ast.List, ast.Tuple, ast.Set)) or last_name(loop.iter).isupper():
        return None
    for part in descendants(ast.Module(loop.body, [])):
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr not in MUTATORS:
            chain = chain_of(part)
            queried = chain.manager in MANAGERS - {"_meta"} or _asks_relation(chain)
            if queried or (
                part.func.attr in INSTANCE_WRITES and isinstance(part.func.value, ast.Name) and not part.args
            ):
                return part
    return None


def _asks_relation(chain: Chain) -> bool:
    """True for `order.lines.filter(…).update(…)`: a query on what belongs to a row. `order.lines.all()` may have been
    loaded with the rows."""
    names = [name for name, _ in chain.calls]
    narrowed = names[:1] in (["filter"], ["exclude"]) or (names[:1] == ["all"] and len(names) > 1)
    return narrowed and isinstance(chain.root, ast.Attribute) and isinstance(chain.root.value, ast.Name)


def _signals(source: str) -> Example:
    head = (
        "import requests\nfrom django.core.mail import send_mail\nfrom django.db.models.signals import post_save\n\n\n"
    )
    return Example({"shop/signals.py": head + source})


heavy_signal = Rule(
    name=HEAVY,
    gate="P1",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PB-D6",),
    catches="Receivers of signals that call another service, send mail, or run queries in a loop.",
    why="Every save anywhere pays for it, inside its transaction, and whoever saves does not see it.",
    fix="Queue a task, in `transaction.on_commit(lambda: notify.delay(instance.pk))`; or call it from the service that "
    "means it, without a signal.",
    when="In functions with `@receiver`, or connected in the same file; what is handed to `on_commit` or queued is "
    "left "
    "out, so are signals about migrations and settings.",
    watches=(
        Watch((ast.FunctionDef,), _on_receiver, (b"@receiver", b"@dispatch.receiver", b"_save.connect(",
              b"_delete.connect(", b"m2m_changed.connect("), outside_tests),
    ),
    bad=(
        _signals("@receiver(post_save, sender=Order)\ndef told(sender, instance, **kwargs):\n"
                 "    requests.post('https://hooks.example.org', json={'id': instance.pk})\n"),
        _signals("@receiver(post_save, sender=Order)\ndef told(sender, instance, created, **kwargs):\n    if created:\n"
                 "        send_mail('Order', 'Thanks', None, [instance.email])\n"),
        _signals("def told(sender, instance, **kwargs):\n    instance.user.email_user('Order', 'Thanks')\n\n\n"
                 "post_save.connect(told, sender=Order)\n"),
        _signals("def tell(order):\n    requests.post('https://hooks.example.org', json={'id': order.pk})\n\n\n"
                 "@receiver(post_save, sender=Order)\ndef told(sender, instance, **kwargs):\n    tell(instance)\n"),
        _signals("def told(sender, instance, **kwargs):\n    for line in instance.lines.all():\n"
                 "        line.total = 0\n        line.save()\n\n\npost_save.connect(\n    told, sender=Order\n)\n"),
        _signals("@receiver(post_save, sender=Order)\ndef told(sender, instance, **kwargs):\n"
                 "    for user in instance.readers.all():\n        user.notes.filter(read=True).delete()\n"),
    ),
    good=(
        _signals("@receiver(post_save, sender=Order)\ndef told(sender, instance, **kwargs):\n"
                 "    transaction.on_commit(lambda: notify.delay(instance.pk))\n"),
        _signals("@receiver(m2m_changed, sender=Order)\ndef told(sender, instance, **kwargs):\n"
                 "    for tag in instance.tags.prefetch_related('kinds'):\n        if 3 in tag.kinds.all():\n"
                 "            raise ValueError\n"),
        _signals("def told(order):\n    requests.post('https://hooks.example.org', json={'id': order.pk})\n\n\n"
                 "@receiver(post_save)\ndef clear(sender, instance, **kwargs):\n    cache.delete(instance.pk)\n"),
    ),
)  # fmt: skip


def _unnamed(project: Project) -> Iterator[tuple[FileReport, Candidate]]:
    reports = {report.path: report for report in project.reports}
    for path, fact in project.facts("relation"):
        kind, *rest = fact.detail.split(" ")
        report = reports.get(path)
        if kind == "ForeignKey" and len(rest) < 2 and report is not None and report.role != "migration":
            message = f"`{fact.name}` names no other side: it is `{fact.name.partition('.')[0].lower()}_set`"
            yield report, on_line(RELATED, path, fact.line, message, text=message, symbol=fact.name)


foreign_key_defaults = Rule(
    name=RELATED,
    gate="P2",
    severity="INFO",
    skill=SKILL,
    sources=("PB-D4",),
    catches="Foreign keys without `related_name`.",
    why="The other side is called `order_set` by chance; two keys to one model clash, and a rename of the class "
    "renames it.",
    fix='Say what the rows are to the other model: `related_name="orders"`, or "+" where nobody may go back.',
    when="For models of the project, in the profile binora or when selected.",
    watches=(),
    profiles=STRICT,
    survey=_unnamed,
    required=False,
    bad=(
        Example({"shop/models.py": "class Order(models.Model):\n    user = models.ForeignKey(User, models.CASCADE)\n"}),
    ),
    good=(
        Example(
            {
                "shop/models.py": "class Order(models.Model):\n"
                "    user = models.ForeignKey(User, models.CASCADE, related_name='orders')\n"
                "    shop = models.ForeignKey(Shop, models.CASCADE, 'orders')\n"
                "    till = models.ForeignKey(Till, models.CASCADE, related_name=BACK)\n"
            }
        ),
    ),
)


def _unsplit(project: Project) -> Iterator[tuple[FileReport, Candidate]]:
    places = [place for place in project.named("setting", "INSTALLED_APPS") if is_settings_path(place[0])]
    modules = {report.path: report for report in project.reports if is_settings_path(report.path)}
    if len(places) != 1 or len([path for path in modules if not path.endswith("__init__.py")]) != 1:
        return
    path = places[0][0]
    if path in modules and not is_away_from_production(path):
        message = "one module holds the settings of every environment"
        yield modules[path], on_line(ONE_MODULE, path, 1, message, text=message)


single_settings_module = Rule(
    name=ONE_MODULE,
    gate="P2",
    severity="INFO",
    skill=SKILL,
    sources=("PB-D7",),
    catches="Django projects with one settings module for development and production.",
    why="What is meant for a developer's machine reaches production by a forgotten variable.",
    fix="Split it: `settings/base.py`, and `development.py`, `production.py` and `test.py` that import it.",
    when="Where there is exactly one settings module, in the profile binora or when selected.",
    watches=(),
    profiles=STRICT,
    survey=_unsplit,
    required=False,
    bad=(Example({"shop/settings.py": "INSTALLED_APPS = ['shop']\nDEBUG = False\n"}),),
    good=(
        Example(
            {
                "shop/settings/base.py": "INSTALLED_APPS = ['shop']\n",
                "shop/settings/production.py": "from shop.settings.base import *\n\nDEBUG = False\n",
            }
        ),
    ),
)

RULES: tuple[Rule, ...] = (heavy_signal, foreign_key_defaults, single_settings_module)

"""The rule unsafe-mark-safe of the skill django-security: HTML that templates are told to trust."""

import ast
import re

from skills.gates.analysis.local_values import is_literal, own_nodes, values_of
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import dotted, last_name, shortened
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import descendants
from skills.gates.example_files import one_file
from skills.gates.rule import Rule, Watch
from skills.gates.security.trusted_formats import is_format
from skills.gates.security.trusted_parts import RAW, is_trusted

MARK_SAFE = "unsafe-mark-safe"
_ESCAPES = "unsafe-mark-safe: functions that escape"

_TRUSTS = frozenset({"mark_safe", "SafeString", "SafeText", "Markup"})
_CLEANERS = lazy(r"^(?:nh3|bleach)\.|sanit|clean_?html|html_?clean", re.I)
_TRUSTING = (b"mark_safe", b"SafeString", b"SafeText", b"Markup", b"format_html")


def _on_trusted(node: ast.Call, context: FileContext) -> None:
    name = (context.resolve(node.func) or last_name(node.func)).rpartition(".")[2]
    if name == "format_html" and node.args:
        first = node.args[0]
        if isinstance(first, ast.Name) and len(node.args) == 1 and not node.keywords:
            bound = values_of(first.id, context)
            first = bound[0] if len(bound) == 1 and bound[0] is not None else first
        dynamic = (isinstance(first, (ast.JoinedStr, ast.BinOp)) or is_format(first)) and not is_literal(first, context)
        if dynamic and not is_trusted(first, context, 0):
            raw = context.memo.get(RAW)
            part = f"`{shortened(raw, 40)}`" if isinstance(raw, ast.expr) else "what stands"
            message = f"`format_html` is given a finished string: {part} in it is not escaped"
            context.report(MARK_SAFE, node, message)
        return
    given = [*node.args, *(word.value for word in node.keywords)]
    if name not in _TRUSTS or len(given) != 1:
        return
    value = given[0]
    if is_trusted(value, context, 0) or _follows_autoescape(context):
        return
    built = isinstance(value, (ast.JoinedStr, ast.BinOp)) or is_format(value)
    text = shortened(value, 40)
    raw = context.memo.get(RAW)
    part = shortened(raw, 40) if isinstance(raw, ast.expr) else ""
    said = f"`{part}` in it" if part and part != text else "a value in it"
    message = f"`{name}({text})`: {said} becomes HTML as it is"
    context.report(
        MARK_SAFE, node, message, severity=None if built else "MEDIUM", confidence="confirmed" if built else "likely"
    )


def _follows_autoescape(context: FileContext) -> bool:
    """True in a filter that escapes unless the template said otherwise, as Django documents it."""
    known = context.memo.setdefault(_ESCAPES, {})
    assert isinstance(known, dict)
    function = context.function
    follows: bool | None = known.get(function)
    if follows is None:
        follows = known[function] = _escapes_unless(function, context)
    return follows


def _escapes_unless(function: FunctionNode | None, context: FileContext) -> bool:
    if function is not None and any(
        _asks_whether_trusted(part) or _cleans(part) for part in own_nodes(function, context)
    ):
        return True  # what was trusted before is trusted again
    if function is None or not any(one.arg == "autoescape" for one in (*function.args.args, *function.args.kwonlyargs)):
        return False
    return any(
        isinstance(part, (ast.Name, ast.Attribute)) and last_name(part) in {"conditional_escape", "escape"}
        for part in own_nodes(function, context)
    )


def _cleans(node: ast.AST) -> bool:
    """True for `text = nh3.clean(text)` and its like: the function itself takes care of what it trusts."""
    made = node.value if isinstance(node, ast.Assign) else None
    return isinstance(made, ast.Call) and _CLEANERS.search(dotted(made.func) or "") is not None


def _asks_whether_trusted(node: ast.AST) -> bool:
    """True for `isinstance(text, Markup)` and its like."""
    if not isinstance(node, ast.Call) or last_name(node.func) != "isinstance" or len(node.args) < 2:
        return False
    return any(last_name(part) in {*_TRUSTS, "SafeData"} for part in descendants(node.args[1]))


unsafe_mark_safe = Rule(
    name=MARK_SAFE,
    gate="P1",
    severity="HIGH",
    skill="django-security",
    sources=("PB-S7",),
    catches="`mark_safe`, `SafeString` and `Markup` around something that is not a literal, and `format_html` around a "
    "string that is already filled in.",
    why="It switches the escaping of templates off: a name with a script in it runs in the browser of whoever "
    "reads it.",
    fix='Write `format_html("<b>{}</b>", name)`; for several, `format_html_join`; for a whole block, a template.',
    when="Where a part of the value is no literal, number or setting, and is neither escaped nor rendered in the same "
    "function. JSON counts as what is in it: `json.dumps` leaves `</script>` as it is.",
    watches=(Watch((ast.Call,), _on_trusted, _TRUSTING, is_product_path, near=_TRUSTING),),
    bad=one_file(
        "shop/tags.py",
        'def bold(name):\n    return mark_safe(f"<b>{name}</b>")\n',
        'def bold(name):\n    return mark_safe("<b>%s</b>" % name)\n',
        'def bold(name):\n    return mark_safe(s="<b>%s</b>" % name)\n',
        "def bold(order):\n    return mark_safe(order.note)\n",
        "from django.utils.encoding import force_str\n\n\ndef bold(text):\n    return mark_safe(force_str(s=text))\n",
        "class Order(models.Model):\n    note = models.TextField()\n\n    def bold(self):\n"
        "        return mark_safe(f'<b>{self.note}</b>')\n",
        'def bold(name):\n    return format_html(f"<b>{name}</b>")\n',
        "def tag(css, text):\n    return f\"<b class='{css}'>{text}</b>\"\n\n\n"
        'def bold(order):\n    return mark_safe(tag("late", order.note))\n',
        "def part(order):\n    text = order.note\n    return text\n\n\n"
        "def link(order):\n    text = part(order)\n    return mark_safe(text)\n",
        'def link(order):\n    text = order.note\n    text = f"<a>{text}</a>"\n    return mark_safe(text)\n',
        'def bold(order):\n    return mark_safe(_(f"By <b>{order.note}</b>"))\n',
        'def data(order):\n    return mark_safe("<script>start(%s)</script>" % json.dumps({"note": order.note}))\n',
        'def _bold(title):\n    return mark_safe(f"<b>{title}</b>")\n\n\ndef first(order):\n'
        "    return _bold(order.note)\n",
        'def greet(user):\n    return mark_safe("<b>" + get_full_name(user) + "</b>")\n',
        'def here(request):\n    q = request.GET.get("q", "")\n    return mark_safe(f"<a href=\'?q={q}\'>again</a>")\n',
        'def all_of(orders):\n    rows = [f"<li>{order.note}</li>" for order in orders]\n'
        '    return mark_safe("".join(rows))\n',
        'def noted(context):\n    return mark_safe(context["note"].replace("\\n", "<br>"))\n',
        "def rows(orders):\n    out = io.StringIO()\n    for order in orders:\n"
        "        out.write(f'<li>{order.note}</li>')\n    return mark_safe(out.getvalue())\n",
        "class Order(models.Model):\n    note = models.TextField()\n\n    def shown(self):\n"
        '        return mark_safe(f"<p>{self.note}</p>")\n',
        "def fill(text, *parts):\n    parts = [smart(part) for part in parts]\n"
        "    return mark_safe(text.format(*parts))\n",
    ),
    good=one_file(
        "shop/tags.py",
        "class Order(models.Model):\n    count = models.PositiveIntegerField()\n\n    def bold(self):\n"
        "        return mark_safe('<b>{}</b>'.format(self.count))\n",
        'BR = mark_safe("<br>")\n',
        "def rows(orders):\n    out = io.StringIO()\n    out.write(escape(orders))\n"
        "    return mark_safe(out.getvalue())\n",
        'def bold(order):\n    return mark_safe({"late": "<b>late</b>", "": "<i>on time</i>"}[order.state])\n',
        'def bold(size):\n    return mark_safe("<b>{:d}</b>".format(size))\n',
        'def bold(name):\n    return format_html("<b>{}</b>", name)\n',
        'def bold(name):\n    return mark_safe("<b>%s</b>" % escape(name))\n',
        'def total(orders, spam):\n    n = orders.count() - spam.count()\n    return mark_safe(f"<b>{n}</b>")\n',
        'def kind(order):\n    return mark_safe("<b>" + KINDS[order.kind] + "</b>")\n',
        'def link(query):\n    return mark_safe("?" + query.urlencode())\n',
        'def stars(n, title):\n    return icon * n + title\n\n\ndef best():\n    return mark_safe(stars(5, "A"))\n',
        'def bold(order):\n    return mark_safe(_("By <b>us</b>"))\n',
        "def mark(text, word):\n    text = str(text) if isinstance(text, Markup) else escape(text)\n"
        '    return mark_safe(text.replace(escape(word), f"<b>{escape(word)}</b>"))\n',
        "def tag(css, text):\n    return f\"<b class='{css}'>{text}</b>\"\n\n\n"
        'def bold(order):\n    return mark_safe(tag("late", escape(order.note)))\n',
        "def data(order):\n    return mark_safe(json.dumps(order.note).translate(ESCAPES))\n",
        "def link(order):\n    text = escape(order.note)\n    if order.url:\n"
        "        text = f\"<a href='{reverse(order)}'>{text}</a>\"\n    return mark_safe(text)\n",
        "class Box(forms.Widget):\n    def inner(self, name):\n        return Other().render(name)\n\n"
        "    def shown(self, rendered_parts, order):\n        first = self.inner(order)\n"
        "        return mark_safe(f\"{first}{rendered_parts[0]}<img src='{order.image.url}'>\")\n",
        'def data(order):\n    return mark_safe(json.dumps({"id": order.id, "on": True}))\n',
        'def data(order):\n    return mark_safe(json.dumps(order.note).replace("<", "\\\\u003c"))\n',
        "def fill(text, *parts, **names):\n    parts = [escape(part) for part in parts]\n"
        "    for name, part in names.items():\n        names[name] = escape(part)\n"
        "    return mark_safe(text.format(*parts, **names))\n",
        "class Box(forms.Widget):\n    def render(self, name, value, attrs=None):\n"
        '        return mark_safe(f\'<b id="{name}"></b><img src="{settings.STATIC_URL}box.png">\')\n',
        "def changes(old, new):\n    return mark_safe(HtmlDiff().make_table(old, new))\n",
        "def change(order):\n    link = order.url\n"
        "    return mark_safe(f'<a href=\"{link}\">{order.id}</a>{label_of(order)}')\n",
        'def kind(order):\n    colours = {"late": "red"}\n    colour = colours.get(order.kind, "grey")\n'
        "    return mark_safe(f\"<b style='{colour}'>{order.created_at}</b>\")\n",
        'def _bold(title):\n    return mark_safe(f"<b>{title}</b>")\n\n\nFIRST = _bold("First")\n',
        "class Pick(forms.Select):\n    def render(self, name, value, attrs=None):\n"
        "        return mark_safe(f\"<b id='{name}'>{self.hint}</b>\")\n",
        'def slug(value):\n    value = re.sub(r"[^\\w\\s-]", "", value)\n    return mark_safe(value.strip("-"))\n',
        'def language_links():\n    text = ""\n    for code, name in settings.LANGUAGES:\n'
        "        text += f\"<a href='/{code}'>{name}</a>\"\n    return mark_safe(text)\n",
        'def data(orders):\n    first = orders.aggregate(first=Min("year"))["first"]\n'
        '    return mark_safe(json.dumps({day["date"].isoformat(): day["cnt"] for day in orders} | {"from": first}))\n',
        "def parts(old, new):\n    old = nh3.clean(old)\n    match = SequenceMatcher(None, old, new)\n"
        "    return mark_safe(match.a[0:4])\n",
        'def counted(shop):\n    days, labels = days_of(shop)\n    return mark_safe(json.dumps(days["late"]))\n',
        'def linked(text):\n    def link(found):\n        return format_html("<b>{}</b>", found[0])\n\n'
        "    return mark_safe(WORD.sub(link, escape(text)))\n",
        'def kind(order):\n    return mark_safe(f"<i>{order._meta.verbose_name}</i>{order.thumbnail_link}")\n',
        'def refused(form):\n    return mark_safe(form.errors["note"][0])\n',
        'def page(order):\n    html = render_to_string("order.html", {"order": order})\n    return mark_safe(html)\n',
    ),
)

RULES: tuple[Rule, ...] = (unsafe_mark_safe,)

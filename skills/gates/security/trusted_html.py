"""The rule unsafe-mark-safe of the skill django-security: HTML that templates are told to trust."""

import ast
import re

from skills.gates.analysis.file_calls import argument_of
from skills.gates.analysis.local_values import is_literal, own_nodes, values_of
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import descendants
from skills.gates.example_files import one_file
from skills.gates.rule import Rule, Watch

MARK_SAFE = "unsafe-mark-safe"

_TRUSTS = frozenset({"mark_safe", "SafeString", "SafeText", "Markup"})
_ESCAPES = lazy(
    r"(?<!un)escape|format_html|render|sanit|clean|bleach|nh3|linebreaks|urlize|striptags|truncat|markdown|safe|html_safe|flatatt"
    r"|to_html$|urlparams|icon|encode_json|json_html|filesize|format_(?:date|time|datetime|decimal|currency|percent|number)|^esc$|urlencode|slug|highlight|style_defs"
    r"|^(?:int|float|len|str_html|join|static|reverse|icon|gettext|ngettext|_|pgettext|make_table|make_file|intcomma|date|count|sum|round|abs|strftime|isoformat|dumps|json_dumps)$|media|as_\w+",
    re.I,
)
_ESCAPERS = frozenset({"escape", "conditional_escape", "force_escape"})
_TRIMS = frozenset({"strip", "lstrip", "rstrip", "lower", "upper", "title", "split", "splitlines"})
_TRUSTING = (b"mark_safe", b"SafeString", b"SafeText", b"Markup", b"format_html")
_GROWS = frozenset({"append", "insert", "extend", "appendleft"})
_OWN = lazy(r"nonce|csrf_?token|^rendered(?:_|$)", re.I)
_FILES = lazy(r"image|file|photo|picture|avatar|logo|thumb|attachment|document|scan$", re.I)
_JUDGED = "trusted HTML: names that are being judged"
_GIVEN = "trusted HTML: parameters that a call gives what can be trusted"
# What holds a number, or the key of a row.
_TRANSLATES = frozenset({"_", "gettext", "ngettext", "pgettext", "npgettext", "ugettext", "_lazy", "gettext_lazy"})
# `json.dumps` leaves `</script>` as it is: what is written into its text afterwards, or by its encoder, does not.
_DUMPS = frozenset({"dumps", "json_dumps"})
_COUNTS = lazy(r"^(?:id|pk|uuid|total)$|(?:^|_)(?:id|pk|count|counter|index)s?$", re.I)
# They let tags through as the text has them.
_MARKUP = frozenset(
    {"markdown.markdown", "markdown2.markdown", "mistune.html", "mistune.markdown", "commonmark.commonmark"}
)


def _on_trusted(node: ast.Call, context: FileContext) -> None:
    name = (context.resolve(node.func) or last_name(node.func)).rpartition(".")[2]
    if name == "format_html" and node.args:
        first = node.args[0]
        if isinstance(first, ast.Name) and len(node.args) == 1 and not node.keywords:
            bound = values_of(first.id, context)
            first = bound[0] if len(bound) == 1 and bound[0] is not None else first
        dynamic = (isinstance(first, (ast.JoinedStr, ast.BinOp)) or _is_format(first)) and not is_literal(
            first, context
        )
        if dynamic and not _escaped(first, context, 0):
            message = "`format_html` is given a finished string: what stands in it is no longer escaped"
            context.report(MARK_SAFE, node, message)
        return
    if name not in _TRUSTS or len(node.args) != 1:
        return
    value = node.args[0]
    if _escaped(value, context, 0) or _follows_autoescape(context):
        return
    built = isinstance(value, (ast.JoinedStr, ast.BinOp)) or _is_format(value)
    text = ast.unparse(value)
    text = text if len(text) <= 40 else f"{text[:39]}…"
    message = f"`{name}({text})`: a value in it becomes HTML as it is"
    context.report(
        MARK_SAFE, node, message, severity=None if built else "MEDIUM", confidence="confirmed" if built else "likely"
    )


def _follows_autoescape(context: FileContext) -> bool:
    """True in a filter that escapes unless the template said otherwise, as Django documents it."""
    function = context.function
    if function is not None and any(_asks_whether_trusted(part) for part in own_nodes(function, context)):
        return True  # what was trusted before is trusted again
    if function is None or not any(one.arg == "autoescape" for one in (*function.args.args, *function.args.kwonlyargs)):
        return False
    return any(
        isinstance(part, (ast.Name, ast.Attribute)) and last_name(part) in {"conditional_escape", "escape"}
        for part in own_nodes(function, context)
    )


def _asks_whether_trusted(node: ast.AST) -> bool:
    """True for `isinstance(text, Markup)` and its like."""
    if not isinstance(node, ast.Call) or last_name(node.func) != "isinstance" or len(node.args) < 2:
        return False
    return any(last_name(part) in {*_TRUSTS, "SafeData"} for part in descendants(node.args[1]))


def _is_format(value: ast.expr) -> bool:
    return (
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Attribute)
        and value.func.attr in {"format", "replace"}
    )


def _escaped(value: ast.expr | None, context: FileContext, depth: int) -> bool:
    """True where each part of a value is literal, escaped, rendered or a number."""
    if value is None or depth > 6:
        return False
    pieces: list[ast.expr | None] = []
    if isinstance(value, ast.Name):
        grown = _grown(value.id, context)
        if not grown and is_literal(value, context):
            return True
        if _OWN.search(value.id) or _COUNTS.search(value.id) or _is_name_of_field(value.id, context):
            return True
        judged = context.memo.setdefault(_JUDGED, set())
        assert isinstance(judged, set)
        key = (context.function, value.id)
        if key in judged:
            return True  # `link = f"<a>{link}</a>"`: what else it is bound to decides
        judged.add(key)
        try:
            return _is_bound_safely(value.id, grown, context, depth)
        finally:
            judged.discard(key)
    elif is_literal(value, context) or _can_be_trusted(value):
        return True
    elif isinstance(value, ast.Call):
        made = _is_answered_safely(value, context, depth) or _of_call(value, context)
        if isinstance(made, bool):
            return made
        pieces = made
    else:
        pieces = _pieces(value)
    return bool(pieces) and all(_escaped(piece, context, depth + 1) for piece in pieces)


def _is_bound_safely(name: str, grown: list[ast.expr | None], context: FileContext, depth: int) -> bool:
    pieces = [*values_of(name, context), *grown]
    if name in context.memo.get(_GIVEN, ()):  # type: ignore[operator]
        pieces = [piece for piece in pieces if piece is not None] or [ast.Constant("")]
    return bool(pieces) and all(_escaped(piece, context, depth + 1) for piece in pieces)


def _can_be_trusted(value: ast.expr) -> bool:
    """True for what is called as markup, a number, a setting or a part of something rendered is."""
    if isinstance(value, ast.FormattedValue):
        return _is_number_format(value.format_spec)
    if isinstance(value, ast.Subscript):
        held = last_name(value.value)
        return _OWN.search(held) is not None or (isinstance(value.value, ast.Name) and held.isupper())
    return isinstance(value, ast.Attribute) and bool(
        re.search(r"html|icon|svg|_safe|css|template|nonce", value.attr, re.I)
        or _COUNTS.search(value.attr)
        or last_name(value.value).endswith("settings")  # whoever runs the site decides it
        or (value.attr == "url" and _FILES.search(last_name(value.value)))  # the storage quotes it
    )


def _of_call(value: ast.Call, context: FileContext) -> list[ast.expr | None] | bool:
    """What a call makes its answer of; where that is not written there, whether it can be trusted."""
    function, name = value.func, last_name(value.func)
    if _is_format(value) and isinstance(function, ast.Attribute):
        return _of_format(value, function, context)
    made = _of_argument(value, name, context)
    if made:
        return made
    if context.resolve(function) in _MARKUP:
        if any(_ESCAPES.search(last_name(part)) for word in value.keywords for part in descendants(word.value)):
            return True  # by an extension
        given = values_of(value.args[0].id, context) if value.args and isinstance(value.args[0], ast.Name) else []
        read = bool(given) and all(isinstance(one, ast.Call) for one in given)  # a page that lies in a file
        return read or [*value.args[:1]]
    answers = _answers(name, context) if isinstance(function, ast.Name) and not value.args else []
    if answers:
        return answers
    fixed = isinstance(function, ast.Name) and value.args and all(is_literal(part, context) for part in value.args)
    return bool(fixed or _ESCAPES.search(name)) or name[:1].isupper() or name == "super"


def _of_argument(value: ast.Call, name: str, context: FileContext) -> list[ast.expr | None]:
    """What a call that only joins, trims, translates or writes down its argument makes its answer of; [] for others."""
    function = value.func
    if name in _TRIMS and isinstance(function, ast.Attribute):
        return [function.value]
    if name == "translate" and isinstance(function, ast.Attribute):
        return [ast.Constant("")]  # by a table that leaves no tag
    if not value.args:
        return []
    first = value.args[0]
    if name == "join":
        return [first.elt] if isinstance(first, (ast.GeneratorExp, ast.ListComp)) else [first]
    if name == "sub" and context.resolve(function) == "re.sub":
        return [*value.args[1:3]]
    if name in _TRANSLATES and _is_put_together(first):
        return [first]
    if name in _DUMPS and not any(_ESCAPES.search(ast.unparse(word.value)) for word in value.keywords):
        return [first]
    return []


def _of_format(value: ast.Call, function: ast.Attribute, context: FileContext) -> list[ast.expr | None] | bool:
    """What `pattern.format(…)` and `text.replace(…)` make their text of."""
    first = value.args[0] if value.args else None
    if function.attr == "replace" and isinstance(first, ast.Constant) and str(first.value).startswith("<"):
        return True  # no tag is left in it
    given = [*value.args, *(keyword.value for keyword in value.keywords)]
    if function.attr == "format" and given and all(_is_escaped_in_place(one, context) for one in given):
        return True  # the pattern is the page's own where what is put into it is escaped
    return [function.value, *given]


def _is_escaped_in_place(value: ast.expr, context: FileContext) -> bool:
    """True for `*args` and `**names` of which the function escapes each one before: `names[key] = escape(value)`."""
    name = last_name(value.value if isinstance(value, ast.Starred) else value)
    for part in own_nodes(context.function or context.tree, context):
        if not isinstance(part, ast.Assign) or not isinstance(part.value, (ast.Call, ast.ListComp)):
            continue
        target = part.targets[0]
        kept = target.value if isinstance(target, ast.Subscript) else target
        made = part.value.elt if isinstance(part.value, ast.ListComp) else part.value
        if last_name(kept) == name and isinstance(made, ast.Call) and last_name(made.func) in _ESCAPERS:
            return True
    return False


def _is_name_of_field(name: str, context: FileContext) -> bool:
    """True for the `name` that a widget renders: of a field, as the form's source has it."""
    function = context.function
    return (
        name == "name"
        and function is not None
        and function.name == "render"
        and [argument.arg for argument in function.args.args[:3]] == ["self", "name", "value"]
    )


def _is_put_together(value: ast.expr) -> bool:
    return isinstance(value, (ast.JoinedStr, ast.BinOp)) or _is_format(value)


def _is_answered_safely(value: ast.Call, context: FileContext, depth: int) -> bool:
    """True for a function of the module, or a method of the class, of which every answer can be trusted as this call
    fills its parameters."""
    function, name = value.func, last_name(value.func)
    owner = context.class_scope if isinstance(function, ast.Attribute) else None
    if isinstance(function, ast.Attribute) and (owner is None or last_name(function.value) not in {"self", "cls"}):
        return False
    called = next(
        (part for part in (owner or context.tree).body if isinstance(part, FunctionNode) and part.name == name), None
    )
    answers = [part.value for part in own_nodes(called, context) if isinstance(part, ast.Return)] if called else []
    if called is None or not answers or depth > 4:
        return False
    named = [*called.args.args, *called.args.kwonlyargs]
    given = frozenset(one.arg for one in named if _escaped(argument_of(value, called, one.arg), context, depth + 1))
    scopes, known = context.scopes, context.memo.get(_GIVEN, frozenset())
    context.scopes, context.memo[_GIVEN] = [*([owner] if owner else []), called], given
    try:
        return all(_escaped(answer, context, depth + 1) for answer in answers)
    finally:
        context.scopes, context.memo[_GIVEN] = scopes, known


def _answers(name: str, context: FileContext) -> list[ast.expr | None]:
    """What a function of the module returns, where that are calls."""
    for node in context.tree.body:
        if isinstance(node, FunctionNode) and node.name == name:
            answers = [part.value for part in own_nodes(node, context) if isinstance(part, ast.Return)]
            return answers if all(isinstance(answer, ast.Call) for answer in answers) else []
    return []


def _grown(name: str, context: FileContext) -> list[ast.expr | None]:
    """What is put into a list of that name after it was made."""
    return [
        part.args[-1]
        for part in own_nodes(context.function or context.tree, context)
        if isinstance(part, ast.Call)
        and isinstance(part.func, ast.Attribute)
        and part.func.attr in _GROWS
        and part.args
        and isinstance(part.func.value, ast.Name)
        and part.func.value.id == name
    ]


def _is_number_format(spec: ast.expr | None) -> bool:
    """True for `{count:02d}`: text cannot be written so."""
    last = spec.values[-1] if isinstance(spec, ast.JoinedStr) and spec.values else None
    return isinstance(last, ast.Constant) and str(last.value).endswith(tuple("dfeEgGxXob%n,"))


def _pieces(value: ast.expr) -> list[ast.expr | None]:
    """What a string is made of."""
    if isinstance(value, ast.BinOp):
        if isinstance(value.op, ast.Mult):
            return [value.left]
        return [value.left, *(value.right.elts if isinstance(value.right, ast.Tuple) else [value.right])]
    if isinstance(value, (ast.JoinedStr, ast.BoolOp)):
        return [*value.values]
    if isinstance(value, (ast.List, ast.Tuple)):
        return [*value.elts]
    if isinstance(value, ast.Dict):
        return [*value.values]
    if isinstance(value, (ast.FormattedValue, ast.Await, ast.Starred)):
        return [value.value]
    if isinstance(value, (ast.ListComp, ast.GeneratorExp)):
        return [value.elt]
    return [value.body, value.orelse] if isinstance(value, ast.IfExp) else []


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
        "def bold(order):\n    return mark_safe(order.note)\n",
        'def bold(name):\n    return format_html(f"<b>{name}</b>")\n',
        "def tag(css, text):\n    return f\"<b class='{css}'>{text}</b>\"\n\n\n"
        'def bold(order):\n    return mark_safe(tag("late", order.note))\n',
        "def part(order):\n    text = order.note\n    return text\n\n\n"
        "def link(order):\n    text = part(order)\n    return mark_safe(text)\n",
        'def link(order):\n    text = order.note\n    text = f"<a>{text}</a>"\n    return mark_safe(text)\n',
        'def bold(order):\n    return mark_safe(_(f"By <b>{order.note}</b>"))\n',
        'def data(order):\n    return mark_safe("<script>start(%s)</script>" % json.dumps({"note": order.note}))\n',
        "def fill(text, *parts):\n    parts = [smart(part) for part in parts]\n"
        "    return mark_safe(text.format(*parts))\n",
    ),
    good=one_file(
        "shop/tags.py",
        'BR = mark_safe("<br>")\n',
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
        'def page(order):\n    html = render_to_string("order.html", {"order": order})\n    return mark_safe(html)\n',
    ),
)

RULES: tuple[Rule, ...] = (unsafe_mark_safe,)

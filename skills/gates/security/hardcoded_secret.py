"""The rule hardcoded-secret of the skill django-security."""

import ast
import re
from collections import Counter

from skills.gates.analysis.environment_defaults import names_section
from skills.gates.analysis.settings_modules import is_settings, may_be_deployed
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.rule import Apart, Rule, Watch
from skills.gates.security.secret_places import is_of_a_developer, is_sample, is_shown, judged
from skills.gates.security.secret_values import (
    KEY_WORDS,
    MADE_HERE,
    SECRET_NAMES,
    is_stock,
    is_table,
    known_format,
    looks_secret,
    opens_here,
    redacted,
    repeats_account,
    secret_kind,
)

SECRET = "hardcoded-secret"
_TOLD = "hardcoded-secret: strings that were reported"
_ENVIRONMENT = lazy(r"^(?:get|pop|setdefault|config|(?:get_?)?env(?:_str|_var|_variable)?|get_(?:setting|secret))$")
# Calls that take a secret by position: name → (place, what the dotted name or the receiver must hold).
_POSITIONS = {
    "HTTPBasicAuth": (1, ""), "HTTPDigestAuth": (1, ""), "BasicAuth": (1, ""), "login": (1, "smtp"),
    "PlainCredentials": (1, ""),
    "encode": (1, "jwt"), "decode": (1, "jwt"), "set_password": (0, ""), "make_password": (0, ""), "Fernet": (0, ""),
    "new": (0, "hmac"), "hash": (0, "pwd"), "hash_password": (0, ""), "get_password_hash": (0, ""),
    "Signer": (0, ""), "TimestampSigner": (0, ""), "URLSafeSerializer": (0, ""), "URLSafeTimedSerializer": (0, ""),
    "create_user": (2, ""), "create_superuser": (2, ""),
}  # fmt: skip
_SIGNING_KEY = lazy(r"(?:jwt_)?secret(?:_key)?$", re.I)
_SIGNERS = frozenset({"jwt", "jose", "authlib", "itsdangerous"})
_ACCOUNT = lazy(r"[\w.@-]+")
_FILLED_IN = lazy(r"[<>{}%$/]")
_LINES_OF_A_PAGE = 5
_ON_THIS_MACHINE = lazy(
    r"(?:@|\bhost=)(?:localhost|127\.0\.0\.1|0\.0\.0\.0|host\.docker\.internal|\[::1\])(?:[:/?; ]|$)"
)
_BODY_OF_KEY = lazy(r"[A-Za-z0-9+/=]{24}")
_MAIL_CLIENTS = (b"smtplib", b"imaplib", b"poplib", b"ftplib")


def _text(node: ast.AST | None) -> str | None:
    if node.__class__ is not ast.Constant:
        return None
    value = node.value
    if value.__class__ is bytes:
        return str(value.decode("latin-1"))
    return value if value.__class__ is str else None


def _name(target: ast.AST) -> str:
    """What the target of an assignment is called: `x.password`, `config["password"]`, `password`."""
    kind = target.__class__
    if kind is ast.Name:
        return str(target.id)  # type: ignore[attr-defined]
    if kind is ast.Attribute:
        return str(target.attr)  # type: ignore[attr-defined]
    if kind is ast.Subscript and not is_table(last_name(target.value)):  # type: ignore[attr-defined]
        return _text(target.slice) or ""  # type: ignore[attr-defined]
    return ""


def _signs(name: str, text: str, context: FileContext) -> bool:
    """True for the key that an application signs with: what looks like a placeholder is used as it is, unless the file
    asks for it again to refuse it, or another class of the file sets another one."""
    owner = context.scopes[-1] if context.scopes else None
    configures = isinstance(owner, ast.ClassDef) and owner.name.endswith("Config")
    if configures and len(re.findall(rf"^\s+{name}\b[^=\n]*=".encode(), context.source, re.M)) > 1:
        return False
    if not _SIGNING_KEY.match(name) or (not configures and _SIGNERS.isdisjoint(context.packages)):
        return False
    written = sum(context.source.count(f"{quote}{text}{quote}".encode()) for quote in "\"'")
    return len(text) > 2 and _FILLED_IN.search(text) is None and written == 1


def _is_of_settings_class(name: str, text: str, context: FileContext) -> bool:
    """True for a default of pydantic's settings that a developer's database is opened with: the environment decides."""
    owner = context.scopes[-1] if context.scopes else None
    if not isinstance(owner, ast.ClassDef) or not any("Settings" in last_name(base) for base in owner.bases):
        return False
    return is_stock(name, text)


def _alternatives(value: ast.expr | None) -> list[ast.expr]:
    """The values that an expression may have in the end: both of `a if b else c`, the last of `a or b`."""
    if isinstance(value, ast.IfExp):
        return [value.body, value.orelse]
    if isinstance(value, ast.BoolOp) and isinstance(value.op, ast.Or):
        return value.values[-1:]
    return [value] if value is not None else []


def _check(name: str, node: ast.AST, value: ast.AST, context: FileContext, compared: bool = False) -> None:
    text = _text(value)
    if not text or not name:
        return
    if name.lower() == "authorization":
        name, text = "token", text.partition(" ")[2]
    kind = secret_kind(name)
    if not kind or _is_of_settings_class(name, text, context) or (compared and "hash" in name):
        return
    if is_sample(text, context.path):
        return
    if not looks_secret(kind, name, text, compared) and (compared or not _signs(name, text, context)):
        return
    if is_shown(value, context) or (not compared and opens_here(name, text, context.source)):
        return
    verb = "is compared with" if compared else "is"
    _tell(f'`{name}` {verb} a literal, "{redacted(text)}"', node, value, context)


def _tell(message: str, node: ast.AST, value: ast.AST, context: FileContext) -> None:
    told = context.memo.setdefault(_TOLD, set())
    assert isinstance(told, set)
    if value not in told:
        told.add(value)
        context.report(SECRET, node, message, confidence="likely")


def _is_signed_with(value: ast.AST, context: FileContext) -> bool:
    """True for a text that stands where a token is signed: "secret" is no placeholder there, it is the key."""
    text = _text(value) or ""
    return len(text) > 2 and _FILLED_IN.search(text) is None and not _SIGNERS.isdisjoint(context.packages)


_MANY = 4
_BESIDE_PASS = frozenset({"fail", "failed", "failure", "skip", "skipped", "warn", "warning", "error"})


def _on_assign(node: ast.Assign, context: FileContext) -> None:
    value = node.value
    constants = [part for part in _alternatives(value) if part.__class__ is ast.Constant]
    if constants:
        for target in node.targets:
            name = _name(target)
            if name == "SECRET_KEY" and _is_of_settings(context):
                return  # insecure-settings says it
            of = last_name(target.value) if isinstance(target, (ast.Subscript, ast.Attribute)) else ""
            if name.upper() == "SECRET_KEY" and of in {"config", "app"} and "flask" in context.packages:
                return  # so does it of Flask's
            for constant in constants:
                _check(name, node, constant, context)
    elif value.__class__ is ast.Tuple and node.targets[0].__class__ is ast.Tuple:
        for target, part in zip(node.targets[0].elts, value.elts, strict=False):
            _check(_name(target), node, part, context)


def _is_of_settings(context: FileContext) -> bool:
    return may_be_deployed(context.path) and is_settings(context)


def _on_annotated(node: ast.AnnAssign | ast.NamedExpr, context: FileContext) -> None:
    value = node.value
    if value.__class__ is ast.Call:
        value = _default_of_field(value)
    if value.__class__ is ast.Constant and value is not None:
        _check(_name(node.target), node, value, context)


def _default_of_field(call: ast.Call) -> ast.expr | None:
    """The default in `Field(default="…")`, `field(default="…")` and `SecretStr("…")`."""
    name = last_name(call.func)
    if name not in {"Field", "field", "SecretStr", "SecretBytes", "ib", "attrib"}:
        return None
    given = [word.value for word in call.keywords if word.arg == "default"]
    first = (given or (call.args if name != "field" else []))[:1]
    inner = first[0] if first else None
    return _default_of_field(inner) if isinstance(inner, ast.Call) else inner


def _on_compare(node: ast.Compare, context: FileContext) -> None:
    if node.ops[0].__class__ not in {ast.Eq, ast.NotEq}:
        return
    if node.ops[0].__class__ is ast.Eq and _is_refused(context.statement):
        return  # `if password == "letmein": raise Unsafe`
    left, right = node.left, node.comparators[0]
    if right.__class__ is ast.Constant:
        _check(_compared(left), node, right, context, compared=True)
    elif left.__class__ is ast.Constant:
        _check(_compared(right), node, left, context, compared=True)


def _is_refused(statement: ast.AST | None) -> bool:
    """True for an `if` that ends in an error."""
    return isinstance(statement, ast.If) and isinstance(statement.body[-1], ast.Raise)


def _compared(node: ast.expr) -> str:
    if isinstance(node, ast.Call) and last_name(node.func) == "get" and node.args:
        return _text(node.args[0]) or ""
    return _name(node)


def _on_dict(node: ast.Dict, context: FileContext) -> None:
    names = {_text(key) for key in node.keys if key is not None}
    verdicts = "pass" in names and not names.isdisjoint(_BESIDE_PASS)  # what a check answers, not a password
    above = context.parent(node)
    if isinstance(above, (ast.Assign, ast.AnnAssign)):
        target = above.targets[0] if isinstance(above, ast.Assign) else above.target
        if is_table(last_name(target)):
            return
    times = Counter(map(_text, node.values))
    for key, value in zip(node.keys, node.values, strict=True):
        if verdicts and key is not None and _text(key) == "pass":
            continue
        if value.__class__ is ast.Constant and key is not None and not _is_label(_text(key), _text(value), times):
            _check(_text(key) or "", value, value, context)


def _is_label(key: str | None, text: str | None, times: Counter[str | None]) -> bool:
    """True for `{"password": "mail_password"}`, which names a field, and for a value that many keys have."""
    if key and text and " " in key and not text.isascii():
        return True  # a phrase and its translation
    return bool(key and text) and (str(text).lower().endswith(f"_{key}".lower()) or times[text] >= _MANY)


def _on_function(node: ast.FunctionDef | ast.AsyncFunctionDef, context: FileContext) -> None:
    arguments = node.args
    if not (arguments.defaults or arguments.kw_defaults):
        return
    positional = [*arguments.posonlyargs, *arguments.args]
    pairs = list(zip(reversed(positional), reversed(arguments.defaults), strict=False))
    for argument, default in [*pairs, *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]:
        if default is not None and default.__class__ is ast.Constant:
            context.scopes.append(node)
            _check(argument.arg, default, default, context)
            context.scopes.pop()


def _on_call(node: ast.Call, context: FileContext) -> None:
    if last_name(node.func) == "HKDF":
        return  # its salt tells keys apart, and may be known
    for keyword in node.keywords:
        value = keyword.value
        if value.__class__ is ast.Constant and keyword.arg is not None:
            _check(keyword.arg, node, value, context)
        elif (
            keyword.arg in {"auth", "http_auth", "basic_auth"} and value.__class__ is ast.Tuple and len(value.elts) == 2
        ):
            _check("password", node, value.elts[1], context)
    if not node.args:
        return
    name = last_name(node.func)
    if _ENVIRONMENT.match(name) or (name == "str" and "env" in ast.unparse(node.func).lower()):
        _on_default(node, node.args[1:2], context)
    elif name == "getattr" and not isinstance(context.parent(node), ast.Compare):
        _on_default(node, node.args[2:3], context)
    elif name in _POSITIONS:
        _on_position(node, name, context)
    elif name in {"add_argument", "option"}:
        _on_flag(node, context)
    elif name in {"b64encode", "compare_digest"}:
        _on_encoded(node, name, context)


def _on_encoded(node: ast.Call, name: str, context: FileContext) -> None:
    """`compare_digest(form.password, "…")`, `b64encode(b"account:…")`."""
    if name == "compare_digest" and len(node.args) == 2:
        for one, other in (node.args, node.args[::-1]):
            _check(_compared(_encoded(one)), node, _encoded(other), context, compared=True)
    elif name == "b64encode":
        account, _, word = (_text(_encoded(node.args[0])) or "").partition(":")
        if _ACCOUNT.fullmatch(account) and looks_secret("password", "password", word):
            _tell(f'the password of an account is a literal, "{redacted(word)}"', node, node.args[0], context)


def _encoded(value: ast.expr) -> ast.expr:
    """The text in `text.encode()`."""
    called = value.func if isinstance(value, ast.Call) else None
    return called.value if isinstance(called, ast.Attribute) and called.attr == "encode" else value


def _on_position(node: ast.Call, name: str, context: FileContext) -> None:
    """`set_password("…")`, `jwt.encode(claims, "…")`."""
    place, owner = _POSITIONS[name]
    if owner not in ast.unparse(node.func).lower() and not (
        owner == "smtp" and any(context.holds(word) for word in _MAIL_CLIENTS)
    ):
        return
    named = [word.value for word in node.keywords if word.arg in {"key", "secret"} and owner in {"jwt", "hmac"}]
    for value in [*node.args[place : place + 1], *named]:
        _check("password", node, value, context)
        if owner == "jwt" and _is_signed_with(value, context):
            shown = redacted(_text(value) or "")
            _tell(f'the key that a token is signed with is a literal, "{shown}"', node, value, context)


def _on_default(node: ast.Call, defaults: list[ast.expr], context: FileContext) -> None:
    """`os.getenv("TOKEN", "…")`, `config("TOKEN", default="…")`, `getattr(settings, "TOKEN", "…")`."""
    if names_section(node, context.packages):
        return
    name = _text(node.args[1 if last_name(node.func) == "getattr" and len(node.args) > 1 else 0]) or ""
    bound = context.statement.targets[0] if isinstance(context.statement, ast.Assign) else None
    if "SECRET_KEY" in {name, last_name(bound) if bound is not None else ""} and _is_of_settings(context):
        return  # insecure-settings says it, whatever the variable is called
    for value in [*defaults, *(word.value for word in node.keywords if word.arg == "default")][:1]:
        text = _text(value) or ""
        if not is_stock(name, text) and not repeats_account(name, text, context.source):
            _check(name, node, value, context)


def _on_flag(node: ast.Call, context: FileContext) -> None:
    """`add_argument("--password", default=…)`, `@click.option("--password", default=…)`."""
    flags = [text for part in node.args if (text := _text(part)) and text.startswith("--")]
    flag = (flags[0] if flags else _text(node.args[-1]) or "").lstrip("-")
    for keyword in node.keywords:
        if keyword.arg == "default":
            _check(flag, node, keyword.value, context)


def _on_constant(node: ast.Constant, context: FileContext) -> None:
    """Strings that have the shape of a known key, wherever they stand."""
    text = node.value
    if text.__class__ is not str or len(text) < 16:
        return
    if context.statement.__class__ is ast.Expr and context.statement.value is node:
        return  # a docstring
    found = known_format(text)
    told = context.memo.setdefault(_TOLD, set())
    assert isinstance(told, set)
    if found is None or node in told:
        return
    told.add(node)
    what, secret = found
    if "with a password" in what and (text.count("\n") > _LINES_OF_A_PAGE or _ON_THIS_MACHINE.search(text)):
        return  # a page of text shows how an address is written; the other is of who develops
    if secret.startswith("-----BEGIN") and not _BODY_OF_KEY.search(text):
        return  # the head alone is what code looks for
    context.report(SECRET, node, f'{what} in the source, "{redacted(secret)}"')


def _on_vendor_key(node: ast.Constant, context: FileContext) -> None:
    """A key that a vendor gave opens the vendor's doors from a developer's settings too; what was made on the machine
    itself, and a key for trying out, do not."""
    text = node.value
    found = known_format(text) if text.__class__ is str and len(text) >= 16 else None
    if found is not None and found[0] not in MADE_HERE and "_test_" not in found[1]:
        _on_constant(node, context)


hardcoded_secret = Rule(
    name=SECRET,
    gate="P1",
    severity="HIGH",
    skill="django-security",
    sources=("PB-S2", "PB-G5"),
    catches="Passwords, tokens and keys as literals: assigned, compared, passed, as a default of a parameter or of an "
    "environment variable, in a dict; and strings in the shape of a known vendor's key.",
    why="Whoever can read the source, its history or an error report has it, and changing it takes a release.",
    fix="Read it from the environment or a secret store, without a default, and change the one that was written down.",
    when="Outside of tests and migrations; in settings for development only a vendor's keys. Placeholders, labels, "
    "names of fields, paths and names of variables are no secrets.",
    watches=(
        Watch((ast.Assign,), _on_assign, (), judged, words=SECRET_NAMES),
        Watch((ast.AnnAssign, ast.NamedExpr), _on_annotated, (), judged, words=SECRET_NAMES),
        Watch((ast.Compare,), _on_compare, (), judged, words=SECRET_NAMES),
        Watch((ast.Dict,), _on_dict, (), judged, words=SECRET_NAMES),
        Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_function, (), judged, words=SECRET_NAMES),
        Watch((ast.Call,), _on_call, (), judged, words=SECRET_NAMES),
        Watch((ast.Constant,), _on_constant, (), judged, near=(b"://",), words=KEY_WORDS),
        Watch((ast.Constant,), _on_vendor_key, (), is_of_a_developer, words=KEY_WORDS),
    ),
    bad=Apart("security.secret_examples.SECRET_BAD"),
    good=Apart("security.secret_examples.SECRET_GOOD"),
)

RULES: tuple[Rule, ...] = (hardcoded_secret,)

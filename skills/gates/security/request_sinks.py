"""Where a value from a request does harm: calls that run, open, fetch, show or store what they are given."""

import ast
import re

from skills.gates.analysis.queries import MANAGERS, chain_of, orm_evidence
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.syntax import descendants
from skills.gates.model import Severity
from skills.gates.security.request_addresses import begins_here, fixed_host, own_beginning
from skills.gates.security.request_checks import is_of_family, is_written_key
from skills.gates.security.request_data import Origin
from skills.gates.security.request_flow import Flow
from skills.gates.security.request_methods import Sink, is_shaped, method_sink, one_of
from skills.gates.security.row_uses import is_added, is_cleaned, is_only_shown

_BUILTINS: dict[str, tuple[str, Severity]] = {
    "eval": ("is run as code", "CRITICAL"),
    "exec": ("is run as code", "CRITICAL"),
    "compile": ("is compiled as code", "HIGH"),
    "__import__": ("decides which module is loaded", "HIGH"),
    "open": ("decides which file is opened", "HIGH"),
}
_DOTTED: dict[str, tuple[str, Severity]] = {
    "PIL.ImageMath.eval": ("is run as code", "CRITICAL"),
    "PIL.ImageMath.unsafe_eval": ("is run as code", "CRITICAL"),
    "importlib.import_module": ("decides which module is loaded", "HIGH"),
    "io.open": ("decides which file is opened", "HIGH"),
    "codecs.open": ("decides which file is opened", "HIGH"),
    "aiofiles.open": ("decides which file is opened", "HIGH"),
    "yaml.load": ("is read as YAML with any type", "HIGH"),
    "yaml.unsafe_load": ("is read as YAML with any type", "CRITICAL"),
    "marshal.load": ("is unmarshalled", "CRITICAL"),
    "marshal.loads": ("is unmarshalled", "CRITICAL"),
    "yaml.load_all": ("is read as YAML with any type", "HIGH"),
    "yaml.unsafe_load_all": ("is read as YAML with any type", "CRITICAL"),
    "pickle.Unpickler": ("is unpickled", "CRITICAL"),
    "shelve.open": ("is unpickled", "CRITICAL"),
    "pandas.read_pickle": ("is unpickled", "CRITICAL"),
    "joblib.load": ("is unpickled", "CRITICAL"),
    "jsonpickle.loads": ("is unpickled", "CRITICAL"),
    "cloudpickle.load": ("is unpickled", "CRITICAL"),
    "cloudpickle.loads": ("is unpickled", "CRITICAL"),
    "pty.spawn": ("is run as a command", "CRITICAL"),
    "pexpect.run": ("is run as a command", "CRITICAL"),
    "pexpect.spawn": ("is run as a command", "CRITICAL"),
    "http.client.HTTPConnection": ("decides where the server sends a request", "HIGH"),
    "http.client.HTTPSConnection": ("decides where the server sends a request", "HIGH"),
    "lxml.etree.XPath": ("is run as an XPath query", "HIGH"),
    "lxml.etree.ETXPath": ("is run as an XPath query", "HIGH"),
    "jsonpickle.decode": ("is unpickled", "CRITICAL"),
    "urllib.request.urlopen": ("decides where the server sends a request", "HIGH"),
    "urllib.request.urlretrieve": ("decides where the server sends a request", "HIGH"),
    "urllib.request.Request": ("decides where the server sends a request", "HIGH"),
    "urllib2.urlopen": ("decides where the server sends a request", "HIGH"),
    "commands.getoutput": ("is run as a command", "CRITICAL"),
    "asyncio.create_subprocess_shell": ("is run as a command", "CRITICAL"),
    "asyncio.create_subprocess_exec": ("is run as a command", "HIGH"),
    "flask.render_template_string": ("is run as a template", "CRITICAL"),
    "fastapi.responses.FileResponse": ("decides which file is sent", "HIGH"),
    "starlette.responses.FileResponse": ("decides which file is sent", "HIGH"),
    "flask.send_from_directory": ("decides which files are sent", "HIGH"),
    "flask.send_file": ("decides which file is sent", "HIGH"),
    "flask.redirect": ("decides where the visitor is sent", "MEDIUM"),
    "django.shortcuts.redirect": ("decides where the visitor is sent", "MEDIUM"),
    "jinja2.Template": ("is run as a template", "CRITICAL"),
    "mako.template.Template": ("is run as a template", "CRITICAL"),
    "django.template.Template": ("is run as a template", "HIGH"),
    "django.template.loader.get_template": ("decides which template is rendered", "MEDIUM"),
}
_PACKAGES: dict[str, tuple[str, Severity, frozenset[str]]] = {
    "os": ("", "HIGH", frozenset()),
    "subprocess": ("is run as a command", "CRITICAL", frozenset(
        {"run", "call", "Popen", "check_call", "check_output", "getoutput", "getstatusoutput"})),
    "shutil": ("decides which files are touched", "HIGH", frozenset(
        {"copy", "copyfile", "copy2", "copytree", "move", "rmtree", "unpack_archive"})),
    "pickle": ("is unpickled", "CRITICAL", frozenset({"loads", "load"})),
    "_pickle": ("is unpickled", "CRITICAL", frozenset({"loads", "load"})),
    "cPickle": ("is unpickled", "CRITICAL", frozenset({"loads", "load"})),
    "dill": ("is unpickled", "CRITICAL", frozenset({"loads", "load"})),
    "requests": ("decides where the server sends a request", "HIGH", frozenset(
        {"get", "post", "put", "patch", "delete", "head", "options", "request"})),
    "httpx": ("decides where the server sends a request", "HIGH", frozenset(
        {"get", "post", "put", "patch", "delete", "head", "options", "request", "stream"})),
}  # fmt: skip
# Calls that run another one elsewhere: name → the place of the function, before those of its arguments.
_HANDED_TO = {"run_in_executor": 1, "to_thread": 0, "run_sync": 0, "run_in_threadpool": 0, "submit": 0}
_INTERPRETERS = lazy(
    r"(?:^|[/\\\\])(?:(?:ba|z|da|k|c|tc)?sh|cmd|powershell|pwsh|python[\d.]*|perl|ruby|node|php|env|xargs|sudo|ssh|find"
    r"|awk|docker|kubectl)(?:\.exe)?$"
)
_OS_RUNS = lazy(r"^(?:system|popen\d?|exec[lv]p?e?|spawn[lv]p?e?|startfile|posix_spawn)$")
_OSFILES = frozenset({"remove", "unlink", "rename", "replace", "mkdir", "makedirs", "rmdir", "removedirs", "listdir",
                       "scandir", "chmod", "chown", "open", "symlink", "link", "walk", "truncate"})  # fmt: skip
_ANSWERS = frozenset(
    {"HttpResponse", "HttpResponseBadRequest", "HttpResponseNotFound", "HttpResponseForbidden", "HTMLResponse",
     "HttpResponseServerError", "make_response", "StreamingHttpResponse", "HttpResponseNotAllowed"}
)  # fmt: skip
_REDIRECTS = frozenset(
    {"HttpResponseRedirect", "HttpResponsePermanentRedirect", "RedirectResponse", "HttpResponseRedirectBase"}
)
_TRUSTS = frozenset({"mark_safe", "SafeString", "SafeText", "Markup", "SafeData"})
_SIGNED = (b"signature", b"SIGNATURE", b"Signature", b"compare_digest")
_UNESCAPED = "is sent back as part of a page, unescaped"
_STAYS = lazy(r"REFERER|QUERY_STRING", re.I)
_WRITES = frozenset({"create", "get_or_create", "update_or_create", "update", "acreate", "aupdate", "aget_or_create",
                     "aupdate_or_create", "bulk_create"})  # fmt: skip
_READS = frozenset(
    {"filter", "get", "exclude", "order_by", "aget", "filter_by", "annotate", "values", "values_list", "only"}
)
_FETCHES = frozenset({"get_object_or_404", "get_list_or_404", "aget_object_or_404"})
_ASKS = lazy(r"Serializer|Form$|FormSet$|Schema$")  # it checks what it is given, wherever it stands
_KEY = lazy(
    r"(?:^|_)(?<!external_)(?<!remote_)(?<!foreign_)(?:pk|id|uuid)(?:__in|__exact)?$|__(?:gt|gte|lt|lte|range|date|year|month|day|regex)$"
)
_FILES = lazy(r"\.(?:FILES|files)\b")
# A cookie, or a header that no proxy, browser or tracing sets.
_OWN_HEADER = lazy(
    r"(?:COOKIES|cookies)\W+(?:get\W+)?(?!csrf|session|lang|django)\w|['\"](?:HTTP_)?X[-_]"
    r"(?!forward|real|request|correl|trace|csrf|amzn|client|original|cluster|b3|http)",
    re.I,
)


def sink_of(node: ast.Call, flow: Flow, context: FileContext) -> tuple[Origin, str, Severity, ast.expr] | None:
    """(origin, what happens with it, how bad, the argument) of a call that is given a raw value of a request, None for
    others."""
    found = (
        _known_call(_run_by(node), context)
        or _answer(node, context)
        or _row(node, context)
        or _storage(node, context)
        or method_sink(node, context)
        or _statement(node, context)
    )
    if found is None:
        return None
    values, what, severity = found
    if severity == "LOW" and is_signed(context):
        return None
    if flow.caught and what.startswith("looks up"):
        return None  # a key of another shape is no crash
    for value in values:
        origin = flow.origin(value)
        kinds = {"body", "cut"} if what.startswith("looks up") else {"body"}
        if origin is None or (severity == "LOW" and not _is_sent(origin, kinds)):
            continue
        if is_shaped(what, origin):
            continue
        if what == "decides where the visitor is sent" and _STAYS.search(ast.unparse(origin.key or origin.node)):
            continue  # back to where the visitor came from, or what follows the path
        if what == "decides where the visitor is sent" and isinstance(value, ast.Call) and origin.node is value:
            continue  # a function of the file made the address
        if what.startswith(("decides where",)) and (fixed_host(value, context) or own_beginning(value, flow)):
            continue
        if what == "is written to a file unchecked" and _FILES.search(origin.text):
            continue  # to take a file is to write it; upload-without-validation asks about its size and kind
        return origin, what, "MEDIUM" if severity == "LOW" else severity, value
    return None


def redirect_origin(value: ast.expr, flow: Flow, context: FileContext) -> Origin | None:
    """Where an address that a visitor is sent to came from, None where its beginning is the site's own."""
    origin = (
        None if begins_here(value) or fixed_host(value, context) or own_beginning(value, flow) else flow.origin(value)
    )
    return None if origin is None or _STAYS.search(ast.unparse(origin.key or origin.node)) else origin


def _is_sent(origin: Origin, kinds: set[str]) -> bool:
    """True for what a client fills in, cookies and headers of the application's own with it; not for files."""
    if origin.kind == "envelope":
        return "body" in kinds and _OWN_HEADER.search(origin.text) is not None
    return origin.kind in kinds and _FILES.search(origin.text) is None


def _run_by(node: ast.Call) -> ast.Call:
    """The call that a call has run elsewhere, `exec(code)` of `loop.run_in_executor(None, exec, code)`; else itself."""
    at = _HANDED_TO.get(last_name(node.func))
    if at is None or len(node.args) < at + 2:
        return node
    return ast.Call(node.args[at], node.args[at + 1 :], [])


def _known_call(node: ast.Call, context: FileContext) -> Sink | None:
    function = node.func
    name = last_name(function)
    if isinstance(function, ast.Name) and name in _BUILTINS and name not in context.imports:
        what, severity = _BUILTINS[name]
        return one_of(node, "file"), what, severity
    dotted = context.resolve(function) or ""
    if dotted in _DOTTED:
        if dotted.startswith("yaml.load") and re.search(r"Safe|BaseLoader", ast.unparse(node)):
            return None
        what, severity = _DOTTED[dotted]
        return one_of(node, "source", "url", "location", "directory"), what, severity
    package, _, method = dotted.partition(".")
    if package not in _PACKAGES:
        return None
    if package == "os":
        if _OS_RUNS.match(method):
            return list(node.args), "is run as a command", "CRITICAL"
        return (one_of(node, "path", "src"), "decides which file is touched", "HIGH") if method in _OSFILES else None
    what, severity, methods = _PACKAGES[package]
    if method not in methods:
        return None
    values = one_of(node, "url", "args", "src", "dst")
    if package == "subprocess":
        values = [part for value in values for part in _run_parts(value, node)]
    if method in {"request", "stream"} and package in {"requests", "httpx"}:
        values = [*node.args[1:2], *values[1:]]
    return values, what, severity


def _statement(node: ast.Call, context: FileContext) -> Sink | None:
    """A whole statement of SQLAlchemy; what is put together is raw-sql-interpolation's."""
    if last_name(node.func) not in {"text", "TextClause", "literal_column"} or not (
        context.resolve(node.func) or ""
    ).startswith("sqlalchemy."):
        return None
    whole: list[ast.expr] = [one for one in one_of(node, "text") if isinstance(one, (ast.Name, ast.Subscript))]
    return whole, "is run as SQL", "CRITICAL"


def _run_parts(command: ast.expr, node: ast.Call) -> list[ast.expr]:
    """What of a command can be another command: of a list that no shell reads, the program; all of it where the
    program runs what it is given."""
    shell = any(word.arg == "shell" and getattr(word.value, "value", True) for word in node.keywords)
    if shell or not isinstance(command, (ast.List, ast.Tuple)) or not command.elts:
        return [command]
    program = command.elts[0]
    runs = not isinstance(program, ast.Constant) or _INTERPRETERS.search(str(program.value)) is not None
    return [command] if runs else []


def _answer(node: ast.Call, context: FileContext) -> Sink | None:
    """What goes into a page, a redirect or a mail as it is."""
    name = last_name(node.func)
    if name == "Response" and _sends_page(node, context):
        return (
            one_of(node, "text", "body", "content", "response"),
            "is sent back as part of a page, unescaped",
            "MEDIUM",
        )
    if name in _ANSWERS:
        kind = " ".join(ast.unparse(keyword.value) for keyword in node.keywords if "type" in (keyword.arg or ""))
        if re.search(r"json|plain|csv|octet|xml|image|pdf", kind) or len(node.args) > 1:
            return None
        answered = one_of(node, "content")
        if answered and isinstance(answered[0], ast.Tuple):
            answered = answered[0].elts[:1]  # behind it stand the status and the headers
        return answered, _UNESCAPED, "MEDIUM"
    if name in _REDIRECTS:
        values = [value for value in one_of(node, "url", "redirect_to") if not begins_here(value)]
        return (values, "decides where the visitor is sent", "MEDIUM") if values else None
    if name in _TRUSTS or name == "format_html":
        return one_of(node), "becomes trusted HTML", "HIGH"
    if name in {"send_mail", "EmailMultiAlternatives"}:
        values = [keyword.value for keyword in node.keywords if keyword.arg == "html_message"]
        return (values, "is sent as HTML mail, unescaped", "MEDIUM") if values else None
    if name in {"getattr", "setattr"} and isinstance(node.func, ast.Name) and len(node.args) > 1:
        return (
            None
            if is_of_family(node.args[1], context) or is_written_key(node.args[1], context)
            else ([node.args[1]], "decides which attribute is used", "MEDIUM")
        )
    return None


def _sends_page(node: ast.Call, context: FileContext) -> bool:
    """True for an answer of Flask that says no other type, and for one of aiohttp or Starlette that says HTML."""
    package = (context.resolve(node.func) or "").partition(".")[0]
    kinds = [ast.unparse(word.value) for word in node.keywords if word.arg and "type" in word.arg]
    if package in {"flask", "quart", "werkzeug"}:
        return len(node.args) < 4 and all("html" in kind for kind in kinds)
    return package in {"aiohttp", "starlette", "fastapi"} and any("html" in kind for kind in kinds)


def _storage(node: ast.Call, context: FileContext) -> Sink | None:
    """Rows that are written, changed or looked up with it."""
    name = last_name(node.func)
    if name in _FETCHES:
        return _keys(node), "looks up rows unchecked", "LOW"
    if (name not in _WRITES and name not in _READS) or not isinstance(node.func, ast.Attribute):
        return None
    chain = chain_of(node)
    query = any(step in {"query", "filter_by"} for step, _ in chain.calls[:-1]) or last_name(chain.root) == "query"
    if not (chain.manager in MANAGERS or query or orm_evidence(chain, context)):
        return None
    values = _fields(node, writes=name in _WRITES)
    if name in _WRITES:
        return values, "is stored unchecked", "LOW"
    values += [argument for argument in node.args if name in {"order_by", "values", "values_list", "only"}]
    for argument in node.args:
        for part in descendants(argument):
            if isinstance(part, ast.Call) and last_name(part.func) == "Q":
                values += _keys(part)
            elif isinstance(part, ast.Compare) and query and _KEY.search(last_name(part.left)):
                values += part.comparators
    return values, "looks up rows unchecked", "LOW"


def _fields(node: ast.Call, *, writes: bool) -> list[ast.expr]:
    """What a query or a write is given for its fields, by keywords, `defaults` and unpacked dicts."""
    values = [word.value for word in node.keywords if word.arg] if writes else _keys(node)
    for word in node.keywords:
        given = word.value
        if word.arg == "defaults" and isinstance(given, ast.Dict):
            values += given.values
        elif word.arg is None and isinstance(given, ast.Dict):
            values += [part for part in given.keys if part is not None]
            values += [
                part
                for key, part in zip(given.keys, given.values, strict=True)
                if writes or (isinstance(key, ast.Constant) and _KEY.search(str(key.value)))
            ]
        elif word.arg is None and writes:
            values.append(given)
    return values


def _row(node: ast.Call, context: FileContext) -> Sink | None:
    """A row that is made with it: `Order(name=…)`."""
    model = _is_model(node.func, context) or (last_name(node.func)[:1].isupper() and is_added(node, context))
    if not model or is_cleaned(context) or is_only_shown(node, context):
        return None
    return [keyword.value for keyword in node.keywords if keyword.arg], "is stored unchecked", "LOW"


def is_signed(context: FileContext) -> bool:
    """True for a module of webhooks that checks signatures: who sends to it is known."""
    return "webhook" in context.path.lower() and any(map(context.holds, _SIGNED))


def _is_model(function: ast.expr, context: FileContext) -> bool:
    """True for a class that a file of Django imports from a module of models: `Order(…)`, `models.Order(…)`.

    Elsewhere modules of that name hold classes that check what they are given.
    """
    if not last_name(function)[:1].isupper():
        return False
    module, _, name = (context.resolve(function) or "").rpartition(".")
    if "models" not in module.split(".") or name.isupper() or _ASKS.search(name):
        return False
    return not context.packages.isdisjoint({"django", "rest_framework"}) and module.partition(".")[0] not in {
        "django",
        "pydantic",
    }


def _keys(node: ast.Call) -> list[ast.expr]:
    """What a query compares with keys, numbers and times: there a value of another shape is an error."""
    return [keyword.value for keyword in node.keywords if keyword.arg is not None and _KEY.search(keyword.arg)]

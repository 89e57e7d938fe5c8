"""Methods that do harm with what they are given, of things that a function made or got: files, writers, paths,
connections, documents, directories and engines of templates."""

import ast
from collections.abc import Iterator

from skills.gates.analysis.local_values import values_of
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.syntax import descendants
from skills.gates.model import Severity
from skills.gates.security.request_data import Origin

Sink = tuple[list[ast.expr], str, Severity]
_HTTP_METHODS = frozenset(
    {"get", "post", "put", "patch", "delete", "head", "options", "request", "stream", "urlopen", "ws_connect"}
)
_URL_SECOND = frozenset({"request", "stream", "urlopen"})
_HTTP_CLIENTS = lazy(
    r"^(?:httpx\.(?:Async)?Client|requests\.(?:sessions\.)?[sS]ession|aiohttp\.ClientSession|urllib3\.PoolManager)$"
)
_LDAP_SEARCHES = frozenset({"search_s", "search_ext_s", "search_st", "search_ext"})
_LDAP_FILTER = lazy(r"\(\s*[&|!]*\s*(?:\([^)]*\)\s*)*\(?[\w-]+=")
_PATH_METHODS = frozenset(
    {"read_text", "read_bytes", "write_text", "write_bytes", "unlink", "open", "mkdir", "rmdir", "iterdir"}
)
_FINDS = frozenset({"find", "findall", "findtext", "iterfind"})
_DOCUMENTS = frozenset({"lxml", "xml", "defusedxml"})
_STEP = lazy(r"\[@|^\.?//?\w|\w/[\w*@.]|/$")
_MONGO = frozenset({"pymongo", "flask_pymongo", "motor"})
_MONGO_ASKS = frozenset(
    {"find", "find_one", "aggregate", "count_documents", "delete_one", "delete_many", "update_one", "update_many",
     "find_one_and_update", "find_one_and_delete", "find_one_and_replace", "replace_one", "distinct"}
)  # fmt: skip
_FROM_JSON = lazy(r"\bjson\b|get_json")


def method_sink(node: ast.Call, context: FileContext) -> Sink | None:
    """(what it is given, what happens with it, how bad) of a call of such a method, None for others."""
    if not isinstance(node.func, ast.Attribute):
        return None
    return _client(node, node.func, context) or _asked(node, node.func, context) or _method(node, node.func, context)


def said_of(value: ast.expr, context: FileContext) -> Iterator[str]:
    """The texts that the source writes for a value, by its name too."""
    for one in (value, *(values_of(value.id, context) if isinstance(value, ast.Name) else ())):
        for part in descendants(one) if one is not None else ():
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value


def _client(node: ast.Call, function: ast.Attribute, context: FileContext) -> Sink | None:
    """A request that goes out by a client that the function made."""
    if function.attr not in _HTTP_METHODS or not isinstance(function.value, ast.Name):
        return None
    maker = _made_by(function.value, context)
    if not isinstance(maker, ast.Call) or not _HTTP_CLIENTS.match(context.resolve(maker.func) or ""):
        return None
    first = node.args[1:2] if function.attr in _URL_SECOND else node.args[:1]
    named = [keyword.value for keyword in node.keywords if keyword.arg == "url"]
    return [*first, *named], "decides where the server sends a request", "HIGH"


def _asked(node: ast.Call, function: ast.Attribute, context: FileContext) -> Sink | None:
    """A question to a directory, a document or a store of documents."""
    name = function.attr
    if name in _LDAP_SEARCHES or name in {"search", "paged_search"}:
        return _of_directory(node, name, context)
    if name == "xpathEval":
        return node.args[:1], "is run as an XPath query", "HIGH"
    if name == "xpath" or (name in _FINDS and not context.packages.isdisjoint(_DOCUMENTS)):
        steps = name == "xpath" or any(map(_STEP.search, said_of(node.args[0], context) if node.args else ()))
        return (_with_quotes(node.args[:1]), "is run as an XPath query", "HIGH") if steps else None
    if name in {"select", "iter_select"} and (context.resolve(function) or "").startswith("elementpath."):
        return _with_quotes(node.args[1:2]), "is run as an XPath query", "HIGH"
    if name in _MONGO_ASKS and node.args and not context.packages.isdisjoint(_MONGO):
        question = node.args[0]
        code = _code_in(question)
        if code:
            return code, "is run by the database as code", "CRITICAL"
        values = question.values if isinstance(question, ast.Dict) else [question]
        values = [value for value in values if not (isinstance(value, ast.Call) and last_name(value.func) == "str")]
        return values, "is asked of the database, operators and all,", "HIGH"
    return None


def _of_directory(node: ast.Call, name: str, context: FileContext) -> Sink | None:
    """A search of a directory: where, and for what."""
    if name in _LDAP_SEARCHES:
        return [*node.args[:1], *node.args[2:3]], "is run as a filter of a directory", "HIGH"
    asked = [*node.args[1:2], *(word.value for word in node.keywords if word.arg == "search_filter")]
    where = [*node.args[:1], *(word.value for word in node.keywords if word.arg == "search_base")]
    filters = any(_LDAP_FILTER.search(text) for one in asked for text in said_of(one, context))
    return ([*where, *asked], "is run as a filter of a directory", "HIGH") if filters else None


def _code_in(question: ast.expr) -> list[ast.expr]:
    """What of a question to a store of documents is JavaScript."""
    keys = question.keys if isinstance(question, ast.Dict) else []
    return [
        value
        for key, value in zip(keys, getattr(question, "values", ()), strict=False)
        if isinstance(key, ast.Constant) and key.value in {"$where", "$function", "$accumulator"}
    ]


def _with_quotes(asked: list[ast.expr]) -> list[ast.expr]:
    """Those from which no quotes were taken: without one, a text does not leave its place in the query."""
    return [one for one in asked if not any(map(_takes_quotes, descendants(one)))]


def _takes_quotes(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or last_name(node.func) != "replace" or len(node.args) < 2:
        return False
    return isinstance(node.args[0], ast.Constant) and node.args[0].value in {"'", '"'}


def is_shaped(what: str, origin: Origin) -> bool:
    """True for a question of texts, which hold no operators (`{"$ne": null}`); out of JSON may come anything."""
    return "operators" in what and not origin.parsed and _FROM_JSON.search(origin.text) is None


def _method(node: ast.Call, function: ast.Attribute, context: FileContext) -> Sink | None:
    """Methods of files, writers, paths, connections and engines."""
    name, owner = function.attr, function.value
    if name in {"execute", "executemany", "executescript", "raw"} and node.args:
        return [node.args[0]], "is run as SQL", "CRITICAL"
    if name == "exec_command":
        return node.args[:1], "is run as a command", "CRITICAL"
    if name == "from_string" and not context.packages.isdisjoint({"jinja2", "flask", "django"}):
        return (node.args[:1], "is run as a template", "CRITICAL") if _is_engine(owner, context) else None
    if name in {"extractall", "unpack"}:
        return one_of(node, "path"), "decides which files are touched", "HIGH"
    if name in _PATH_METHODS and isinstance(owner, (ast.Call, ast.BinOp, ast.Name)):
        made = owner if not isinstance(owner, ast.Name) else _made_by(owner, context)
        return ([owner], "decides which file is touched", "HIGH") if _is_path(made, context) else None
    if name in {"write", "writelines", "writerow", "writerows"} and isinstance(owner, ast.Name):
        maker = last_name(_made_by(owner, context) or owner)
        if maker in {"writer", "DictWriter"}:
            return node.args[:1], "is written into a table that a spreadsheet will run", "MEDIUM"
        return (node.args[:1], "is written to a file unchecked", "MEDIUM") if maker == "open" else None
    named = isinstance(owner, ast.Call) and last_name(owner.func) in {"globals", "locals", "vars"}
    return (node.args[:1], "decides which name is used", "HIGH") if named and name in {"get", "pop"} else None


def one_of(node: ast.Call, *names: str) -> list[ast.expr]:
    """The first positional argument, and the named ones."""
    return [*node.args[:1], *(keyword.value for keyword in node.keywords if keyword.arg in names)]


def _made_by(name: ast.Name, context: FileContext) -> ast.expr | None:
    for value in values_of(name.id, context):
        if isinstance(value, (ast.Call, ast.BinOp)):
            return value
    return None


def _is_engine(owner: ast.expr, context: FileContext) -> bool:
    """True for `Environment(…)`, `engines["django"]`, what was made of such, and what is called like one."""
    made = _made_by(owner, context) if isinstance(owner, ast.Name) else owner
    text = ast.unparse(made) if made is not None else last_name(owner)
    return "Environment" in text or "engine" in text.lower() or last_name(owner).rpartition("_")[2] == "env"


def _is_path(node: ast.expr | None, context: FileContext) -> bool:
    while isinstance(node, ast.BinOp):
        node = node.left
    if isinstance(node, ast.Name):
        node = _made_by(node, context)
    return isinstance(node, ast.Call) and last_name(node.func) in {"Path", "PosixPath", "joinpath"}

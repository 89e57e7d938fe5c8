"""Rules of the skill mle-workflow: splits in time, gates that stay shut, what is unpickled."""

import ast
import re
from collections.abc import Iterator

from skills.gates.analysis.local_values import own_nodes, values_of
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name, root_name, shortened
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import outside_tests
from skills.gates.engine.syntax import descendants
from skills.gates.example_files import one_file
from skills.gates.rule import Rule, Watch

SKILL = "mle-workflow"
SHUFFLED = "shuffled-time-series"
GATE = "gate-not-closed"
PICKLE = "unsafe-deserialisation"

_TIME = lazy(
    r"^(?:date|datetime|time|timestamp|ts|day|month|week|year|event_time|\w+_(?:date|time|timestamp|at)|ds)$", re.I
)
_NAMES_TIME = frozenset({"parse_dates", "date_column", "time_column", "time_col", "date_col", "index_col"})
_METRIC = lazy(r"metric|accuracy|auc|f1|rmse|mae|mape|score|loss|precision|recall|ndcg|latency|error_rate|drift", re.I)
_GATES = lazy(
    r"gate|promot|(?:should|can|may|ok_to)_(?:deploy|release|ship)|accept_model|approve_model|meets_|quality_check"
    r"|passes(?:_|$)|is_better|(?:^|_)approves?(?:_|$)|beats(?:_|$)|is_(?:deployable|acceptable|promotable|good_enough)"
    r"|validate_(?:candidate|metrics)|check_(?:thresholds?|metrics)",
    re.I,
)
_COSTS = lazy(r"loss|rmse|mae|mape|mse|error|latency|drift|cost", re.I)
_LOADERS = frozenset(
    {"_pickle.loads", "_pickle.load", "pickle.loads", "pickle.load", "pickle.Unpickler",
     "cPickle.loads", "cPickle.load", "dill.loads", "dill.load",
     "cloudpickle.loads", "cloudpickle.load", "joblib.load", "jsonpickle.decode", "marshal.loads", "marshal.load",
     "pandas.read_pickle", "shelve.open", "numpy.load"}
)  # fmt: skip
_YAML_LOADERS = frozenset({"Loader", "CLoader", "UnsafeLoader", "CUnsafeLoader", "FullLoader", "CFullLoader"})
_REMOTE = lazy(
    r"requests\.|httpx\.|urlopen|urlretrieve|https?://|s3://|gs://|\.content\b|boto3|get_object|download|recv\(|\.receive"
    r"|\bevent\[|redis|memcache|\.FILES|request\.|upload|socket|b64decode|COOKIES|\.consume|message\.(?:value|body)|hf_hub|untrusted",
    re.I,
)
_SENT = lazy(r"\b(?:UploadFile|\w*Request|Redis|WebSocket)\b")
_SPLITS = (b"train_test_split", b"KFold", b"ShuffleSplit", b".sample(", b"shuffle(")


def _on_split(node: ast.Call, context: FileContext) -> None:
    name = last_name(node.func)
    given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
    if name == "train_test_split":
        if given.get("shuffle") == "False" or None in given:
            return
    elif name in {"KFold", "StratifiedKFold", "ShuffleSplit"}:
        if name != "ShuffleSplit" and given.get("shuffle") != "True":
            return
    elif name == "sample":
        if given.get("frac") not in {"1", "1.0"} or _is_sorted_again(context):
            return
    elif name == "shuffle":
        if context.resolve(node.func) != "sklearn.utils.shuffle":
            return
    else:
        return
    column = _time_column(context)
    if column:
        message = f"`{name}` mixes past and future: the data has the column {column!r}"
        context.report(SHUFFLED, node, message, confidence="likely")


def _is_sorted_again(context: FileContext) -> bool:
    return re.search(r"\.sort(?:_index)?\(", ast.unparse(context.statement)) is not None


def _time_column(context: FileContext) -> str:
    """A column of time that the function, or else the module, works with; "" for none."""
    for scope in (context.function, context.tree if context.function is None else None):
        if scope is None:
            continue
        for part in descendants(scope):
            found: list[ast.AST] = []
            if isinstance(part, ast.Subscript):
                found = [*part.slice.elts] if isinstance(part.slice, ast.List) else [part.slice]
            elif isinstance(part, ast.Attribute) and part.attr == "dt" and isinstance(part.value, ast.Attribute):
                found = [ast.Constant(part.value.attr)]
            elif isinstance(part, ast.Call) and last_name(part.func) in {
                "sort_values",
                "set_index",
                "to_datetime",
                "groupby",
            }:
                found = [*part.args, *(word.value for word in part.keywords if word.arg in {"by", "keys", "arg"})]
            elif isinstance(part, ast.keyword) and part.arg in _NAMES_TIME:
                found = [*ast.walk(part.value)]
            found = [inner for value in found for inner in (value.elts if isinstance(value, ast.List) else [value])]
            for value in found:
                if isinstance(value, ast.Constant) and isinstance(value.value, str) and _TIME.match(value.value):
                    return value.value
    return ""


shuffled_time_series = Rule(
    name=SHUFFLED,
    gate="P1",
    severity="HIGH",
    skill=SKILL,
    sources=("PB-ML3",),
    catches="A random split of data that has a time column.",
    why="The model is trained on days after those that it is tested on: the figures are too good, and production "
    "shows it.",
    fix="Sort by time and cut at a date, pass `shuffle=False`, or use `TimeSeriesSplit`.",
    when="Where the same function (or script) reads a column that is named like a time.",
    watches=(Watch((ast.Call,), _on_split, _SPLITS, outside_tests, near=_SPLITS),),
    bad=one_file(
        "ml/split.py",
        "def split(df):\n    df = df.sort_values('timestamp')\n    return train_test_split(df, test_size=0.2)\n",
        "def split(df):\n    df = df.sort_values(by='timestamp')\n    return train_test_split(df)\n",
        "def split(df):\n    df['day'] = df.created.dt.day\n    df = df.sample(frac=1, random_state=3)\n"
        "    return df[:800], df[800:]\n",
    ),
    good=one_file(
        "ml/split.py",
        "def split(df):\n    df = df.sort_values('timestamp')\n    return train_test_split(df, shuffle=False)\n",
        "def split(df):\n    return train_test_split(df, stratify=df['label'])\n",
        "def look(df):\n    print(df['date'])\n    return df.sample(frac=0.1), random.shuffle(names)\n",
    ),
)


def _on_gate(node: FunctionNode, context: FileContext) -> None:
    """A gate that turns away what is known to be bad, and lets through what it cannot compare."""
    if not _GATES.search(node.name):
        return
    text = ast.unparse(node)
    if not _METRIC.search(text):
        return
    parts = [*descendants(ast.Module(node.body, []))]
    found = next(_let_through(parts), None)
    if found is None and not re.search(r"isfinite|isnan|is_nan|isnull|notna|isna\(", text):
        found = next(_not_compared(parts), None)
    if found is not None:
        context.report(GATE, found[0], found[1], symbol=context.symbol_of(node.name))


def _let_through(parts: list[ast.AST]) -> Iterator[tuple[ast.AST, str]]:
    """Ways on which a gate says yes to what is missing."""
    for part in parts:
        last = part.body[-1] if isinstance(part, (ast.ExceptHandler, ast.If)) else None
        if not isinstance(last, ast.Return) or not _is_pass(last.value):
            continue
        if isinstance(part, ast.ExceptHandler):
            yield last, "an error on the way lets the candidate through: what could not be compared passes the gate"
        elif isinstance(part, ast.If) and _is_missing(part.test):
            yield part, f"`{shortened(part.test, 60)}` passes the gate: what was not measured is let through"


def _not_compared(parts: list[ast.AST]) -> Iterator[tuple[ast.AST, str]]:
    """Comparisons that a gate passes for NaN, and for what stands in where nothing was measured."""
    for part in parts:
        if isinstance(part, ast.Call) and (_is_best(part) or _is_unreached(part)):
            yield part, f"`{shortened(part, 60)}` passes the gate without being measured"
        elif isinstance(part, ast.Return) and _is_turned(part.value):
            yield part, f"`{shortened(part, 60)}` is true for NaN: what was not measured passes the gate"
    passes = any(isinstance(end, ast.Return) and _is_pass(end.value) for end in parts)
    for part in parts if passes else ():
        if isinstance(part, ast.If) and _turns_away(part) and _is_comparison(part.test):
            yield part, f"`{shortened(part.test, 60)}` is false for NaN: what was not measured passes the gate"


def _is_unreached(call: ast.Call) -> bool:
    """`metrics.get("auc", float("inf"))`"""
    return last_name(call.func) == "get" and len(call.args) == 2 and _is_infinite(call.args[1])


def _is_best(call: ast.Call) -> bool:
    """`metrics.get("auc", 1.0)`, `metrics.get("loss", 0)`: the best there is, where nothing was measured."""
    match call:
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(name)), ast.Constant(value=value)]):
            number = isinstance(value, int | float) and not isinstance(value, bool)
            return number and _METRIC.search(name) is not None and value == (0 if _COSTS.search(name) else 1)
    return False


def _is_turned(value: ast.expr | None) -> bool:
    """`not metric < floor`"""
    return isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Not) and _is_comparison(value.operand)


def _is_infinite(value: ast.expr) -> bool:
    return (
        re.fullmatch(r"-?(?:float\(['\"]-?inf(?:inity)?['\"]\)|(?:math|np|numpy)\.inf)", ast.unparse(value)) is not None
    )


def _is_missing(test: ast.expr) -> bool:
    """`auc is None`, `"auc" not in metrics`, `isnan(auc)`, `not metrics`."""
    if isinstance(test, ast.BoolOp):
        return any(map(_is_missing, test.values))
    if isinstance(test, ast.Compare):
        none = isinstance(test.comparators[0], ast.Constant) and test.comparators[0].value is None
        return isinstance(test.ops[0], ast.NotIn) or (none and isinstance(test.ops[0], (ast.Is, ast.Eq)))
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return isinstance(test.operand, ast.Name) or "isfinite" in ast.unparse(test.operand)
    return isinstance(test, ast.Call) and re.search(r"isnan|isna|isnull|isinf", ast.unparse(test.func)) is not None


def _turns_away(node: ast.If) -> bool:
    last = node.body[-1]
    if isinstance(last, ast.Raise):
        return True
    return isinstance(last, ast.Return) and isinstance(last.value, ast.Constant) and last.value.value is False


def _is_pass(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and value.value is True


def _is_comparison(test: ast.expr) -> bool:
    orders = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
    parts = test.values if isinstance(test, ast.BoolOp) else [test]
    return any(isinstance(part, ast.Compare) and isinstance(part.ops[0], orders) for part in parts)


gate_not_closed = Rule(
    name=GATE,
    gate="P1",
    severity="HIGH",
    skill=SKILL,
    sources=("PB-ML5", "X-PB-9"),
    catches="Promotion gates that return `False` for `metric < threshold` and `True` at the end, with no look for NaN, "
    "and those that return `True` from an `except` or for a metric that is missing.",
    why="Every comparison with NaN is false. A run whose metrics are missing is promoted.",
    fix="Ask the other way round, `if not metric >= threshold: return False`, and require `math.isfinite(metric)`.",
    when="In functions named as gates or promotions that compare metrics.",
    watches=(
        Watch(
            (ast.FunctionDef, ast.AsyncFunctionDef),
            _on_gate,
            (
                b"gate",
                b"promot",
                b"should_",
                b"meets_",
                b"def passes",
                b"is_better",
                b"quality_check",
                b"_model(",
                b"approve",
                b"beats",
                b"is_deployable",
                b"is_acceptable",
                b"is_good_enough",
                b"validate_",
                b"check_",
            ),
            outside_tests,
        ),
    ),
    bad=one_file(
        "ml/gate.py",
        "def promotion_gate(metrics):\n    if metrics['auc'] < 0.8:\n        return False\n    return True\n",
        "def should_promote(metrics):\n    try:\n        return metrics['auc'] >= 0.8\n    except KeyError:\n"
        "        return True\n",
        "def promotion_gate(metrics):\n    return metrics.get('auc', float('inf')) >= 0.8\n",
        "def promotion_gate(metrics):\n    return metrics.get('auc', 1.0) >= 0.8\n",
        "def passes(metrics):\n    return metrics.get('loss', 0) <= 0.8\n",
        "def promotion_gate(metrics):\n    return not metrics['auc'] < 0.8\n",
        "def approve(new, old):\n    if new['auc'] < old['auc']:\n        return False\n    return True\n",
        "def promotion_gate(metrics):\n    if metrics.get('auc') is None:\n        return True\n"
        "    return metrics['auc'] >= 0.8\n",
    ),
    good=one_file(
        "ml/gate.py",
        "def should_promote(metrics):\n    try:\n        return metrics['auc'] >= 0.8\n    except KeyError:\n"
        "        return False\n",
        "def promotion_gate(metrics):\n    auc = metrics['auc']\n    if not math.isfinite(auc) or auc < 0.8:\n"
        "        return False\n    return True\n",
        "def promotion_gate(metrics):\n    return metrics['auc'] >= 0.8\n",
        "def promotion_gate(metrics):\n    return metrics.get('auc', 0) >= 0.8 and metrics.get('loss', 1) < 1\n",
    ),
)


def _on_load(node: ast.Call, context: FileContext) -> None:
    name = context.resolve(node.func) or ""
    if name in {"yaml.load", "yaml.load_all", "yaml.unsafe_load", "yaml.unsafe_load_all"}:
        _on_yaml(node, name, context)
    if name not in _LOADERS or not node.args:
        return
    if name == "numpy.load" and not any(
        k.arg == "allow_pickle" and "True" in ast.unparse(k.value) for k in node.keywords
    ):
        return
    source = _remote(node.args[0], context, 0)
    if source:
        context.report(PICKLE, node, f"`{name}` runs what the data tells it to, and the data comes from `{source}`")


def _on_yaml(node: ast.Call, name: str, context: FileContext) -> None:
    """YAML that may name any class of Python. Wherever it lies, `yaml.safe_load` reads the same settings."""
    given = [word.value for word in node.keywords if word.arg in {"Loader", None}] or node.args[1:2]
    # Without one PyYAML took this before 6.0, and refuses since.
    loader = last_name(given[0]) if given else "Loader" if root_name(node.func) in context.imports else ""
    if "unsafe" not in name and loader not in _YAML_LOADERS:
        return
    if loader.endswith("FullLoader") and not _remote(node.args[0] if node.args else None, context, 0):
        return
    message = f"`{name}` makes whatever object the text names: `yaml.safe_load` makes none"
    context.report(PICKLE, node, message, severity="MEDIUM", confidence="likely")


def _remote(value: ast.expr | None, context: FileContext, depth: int) -> str:
    """What says that a value comes from elsewhere, followed through names of the function; "" where nothing does."""
    if value is None or depth > 3:
        return ""
    text = ast.unparse(value)
    if _REMOTE.search(text):
        return shortened(value, 50)
    paths = [text, *(repr(part.value) for part in descendants(value) if isinstance(part, ast.Constant))]
    if any(_is_fetched(path, context) for path in paths):
        return shortened(value, 50)
    for part in descendants(value):
        if isinstance(part, ast.Name):
            if _is_sent(part.id, context):
                return shortened(value, 50)
            for bound in (*values_of(part.id, context), *_unpacked(part.id, context)):
                found = _remote(bound, context, depth + 1)
                if found:
                    return found
    return ""


def _unpacked(name: str, context: FileContext) -> Iterator[ast.expr]:
    """What a name is the first of: `path, headers = urlretrieve(url)`."""
    for part in own_nodes(context.function or context.tree, context):
        target = part.targets[0] if isinstance(part, ast.Assign) else None
        if isinstance(target, ast.Tuple) and target.elts and last_name(target.elts[0]) == name:
            yield part.value  # type: ignore[attr-defined]


def _is_fetched(path: str, context: FileContext) -> bool:
    """True for a path that the function downloads to: `bucket.download_file(key, path)`."""
    scope = context.function or context.tree
    return any(
        isinstance(part, ast.Call)
        and re.search(r"download|urlretrieve|fget_object|copy_from", last_name(part.func))
        and path in {ast.unparse(given) for given in (*part.args, *(word.value for word in part.keywords))}
        for part in own_nodes(scope, context)
    )


def _is_sent(name: str, context: FileContext) -> bool:
    """True for a parameter that is an upload, a request or a client of a cache."""
    function = context.function
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs] if function else []
    return any(
        argument.arg == name and argument.annotation is not None and _SENT.search(ast.unparse(argument.annotation))
        for argument in arguments
    )


unsafe_deserialisation = Rule(
    name=PICKLE,
    gate="P1",
    severity="HIGH",
    skill=SKILL,
    sources=("PB-ML7",),
    catches="Pickle, joblib, dill, marshal and their like on data from the network, a request, a cache or a bucket; "
    "YAML that is read with a loader that makes any object.",
    why="Loading it runs code of whoever wrote it.",
    fix="Exchange JSON, Parquet, ONNX or safetensors; where it must be a pickle, check a signature before loading it.",
    when="Where the origin of the data is seen in the same function or its parameters, outside of tests.",
    watches=(
        Watch(
            (ast.Call,),
            _on_load,
            (b"pickle", b"joblib", b"dill", b"marshal", b"allow_pickle", b"shelve", b"yaml"),
            outside_tests,
        ),
    ),
    bad=one_file(
        "ml/serve.py",
        "import pickle\nimport requests\n\n\ndef model(url):\n    answer = requests.get(url)\n"
        "    return pickle.loads(answer.content)\n",
        "import joblib\n\nmodel = joblib.load(download('s3://models/latest'))\n",
        "import joblib\n\n\ndef load(bucket, key, path):\n    bucket.download_file(key, path)\n"
        "    return joblib.load(path)\n",
        "import joblib\nfrom urllib.request import urlretrieve\n\n\ndef load(url):\n    path, _ = urlretrieve(url)\n"
        "    return joblib.load(path)\n",
        "import _pickle\n\n\ndef handler(event, context):\n    return _pickle.loads(event['model'])\n",
        "import yaml\n\n\ndef settings(text):\n    return yaml.load(text, Loader=yaml.Loader)\n",
        "from yaml import load\n\n\ndef settings(text):\n    return load(text)\n",
        "import pickle\n\n\nasync def put(file: UploadFile):\n    return pickle.loads(await file.read())\n",
    ),
    good=one_file(
        "ml/serve.py",
        "import pickle\n\n\ndef model(path):\n    with open(path, 'rb') as file:\n        return pickle.load(file)\n",
        "import yaml\n\n\ndef settings(text):\n    return yaml.load(text, Loader=yaml.CSafeLoader)\n",
        "from ruamel.yaml import YAML\n\nyaml = YAML()\n\n\ndef settings(text):\n    return yaml.load(text)\n",
        "import json\n\n\ndef model(answer):\n    return json.loads(answer.content)\n",
    ),
)

RULES: tuple[Rule, ...] = (shuffled_time_series, gate_not_closed, unsafe_deserialisation)

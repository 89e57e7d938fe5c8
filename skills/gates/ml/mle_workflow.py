"""Rules of the skill mle-workflow about data: splits in time, and what is unpickled."""

import ast
import re
from collections.abc import Iterator

from skills.gates.analysis.local_values import own_nodes, values_of
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name, root_name, shortened
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import outside_tests
from skills.gates.engine.syntax import descendants
from skills.gates.example_files import one_file
from skills.gates.rule import Rule, Watch

SKILL = "mle-workflow"
SHUFFLED = "shuffled-time-series"
PICKLE = "unsafe-deserialisation"

_TIME = lazy(
    r"^(?:date|datetime|time|timestamp|ts|day|month|week|year|event_time|\w+_(?:date|time|timestamp|at)|ds)$", re.I
)
_NAMES_TIME = frozenset({"parse_dates", "date_column", "time_column", "time_col", "date_col", "index_col"})
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
        if not (_is_part(given.get("frac", ""), context) or given.get("frac") in {"1", "1.0"}) or _is_sorted_again(
            context
        ):
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


def _is_part(share: str, context: FileContext) -> bool:
    """True for a part of which the rest is kept apart: `train = df.sample(frac=0.8)`, `test = df.drop(train.index)`."""
    made = context.statement
    name = last_name(made.targets[0]) if share.startswith("0.") and isinstance(made, ast.Assign) else ""
    scope = context.function or context.tree
    return bool(name) and any(
        isinstance(part, ast.Call) and last_name(part.func) == "drop" and f"{name}.index" in map(ast.unparse, part.args)
        for part in own_nodes(scope, context)
    )


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
        "def split(df):\n    df['date'] = pd.to_datetime(df['date'])\n    train = df.sample(frac=0.8)\n"
        "    return train, df.drop(train.index)\n",
    ),
    good=one_file(
        "ml/split.py",
        "def split(df):\n    df = df.sort_values('timestamp')\n    return train_test_split(df, shuffle=False)\n",
        "def split(df):\n    return train_test_split(df, stratify=df['label'])\n",
        "def look(df):\n    print(df['date'])\n    return df.sample(frac=0.1), random.shuffle(names)\n",
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

RULES: tuple[Rule, ...] = (shuffled_time_series, unsafe_deserialisation)

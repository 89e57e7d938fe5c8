"""Rules of the skill mle-workflow about promotion: its gate, the way back, the record, and one preparation."""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise

from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.fingerprints import on_line
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_test_path, outside_tests
from skills.gates.engine.syntax import descendants
from skills.gates.model import Candidate, Evidence, FileReport
from skills.gates.project import Place, Project
from skills.gates.rule import Example, Observer, Rule, Watch

SKILL = "mle-workflow"
NO_GATE, NO_WAY_BACK = "promotion-gate-missing", "rollback-artifact-missing"
RECORD, TWICE = "run-record-incomplete", "preprocessing-duplicated"
_PROMOTES = frozenset(
    {"register_model", "transition_model_version_stage", "set_registered_model_alias", "promote_model",
     "create_model_version", "deploy_model", "promote_to_production"}
)  # fmt: skip
_ONLY_REGISTRIES = frozenset({"transition_model_version_stage", "set_registered_model_alias"})
_LIBRARIES = frozenset(
    {"mlflow", "sagemaker", "azureml", "wandb", "clearml", "comet_ml", "bentoml", "kserve", "seldon_core", "torch",
     "sklearn", "tensorflow", "keras", "xgboost", "lightgbm", "catboost", "transformers", "joblib", "boto3",
     "vertexai", "hsfs", "hopsworks"}
)  # fmt: skip
_GATE = lazy(
    r"(?:^|_)gate|(?:should|may|can|ok_to)_(?:promote|deploy|release)|meets_|passes_|is_better|quality_check|validate_candidate",
    re.I,
)
_BACK = lazy(
    r"rollback|roll_back|previous_(?:model|version|artifact)|last_good|fallback_(?:model|version)|champion", re.I
)
_RECORDS = lazy(r"^_?(?:run|training|train|experiment)_(?:record|info|metadata|manifest)$", re.I)
_RECORD_CLASSES = lazy(r"^(?:Run|Training|Experiment)(?:Record|Metadata|Manifest)$")
_PARTS = (
    ("the version of the data", lazy(r"data|snapshot", re.I)),
    ("the commit of the code", lazy(r"sha|commit|revision|git|code", re.I)),
    ("a hash of the configuration", lazy(r"config|param|args|hyper", re.I)),
    ("the seed", lazy(r"seed", re.I)),
    ("the metrics", lazy(r"metric|score|auc|accuracy|loss|rmse|f1", re.I)),
    ("where the model lies", lazy(r"artifact|uri|model_?path|checkpoint|weights|model_?file", re.I)),
)
_PREPARES = lazy(r"preprocess|prepare|featur|clean|encode|normali[sz]e|tokeni[sz]e|transform", re.I)
_TRAINS = lazy(r"(?:^|[/_])(?:train|training|trainer|fit|pipeline|pipelines|etl|features?)(?:[/_.]|$)")
_SERVES = lazy(r"(?:^|[/_])(?:serve|serving|server|predict|predictor|inference|infer|api|app|endpoint)(?:[/_.]|$)")
_LEAST, _ALIKE = 20, 0.8
_ML = (b"sklearn", b"torch", b"pandas", b"numpy", b"tensorflow", b"xgboost", b"lightgbm")


def _prepares(path: str) -> bool:
    return not is_test_path(path) and bool(_TRAINS.search(path) or _SERVES.search(path))


def _on_promotion(node: ast.Call, context: FileContext) -> None:
    name = last_name(node.func)
    if name in _PROMOTES and (name in _ONLY_REGISTRIES or _works_with_models(context)):
        if name == "transition_model_version_stage" and "Production" not in ast.unparse(node):
            return
        context.fact("promotes", name, context.symbol, node.lineno)


def _works_with_models(context: FileContext) -> bool:
    """True for a file that imports a library of machine learning: a model is also a row, in other projects."""
    return not context.packages.isdisjoint(_LIBRARIES) or any("aiplatform" in name for name in context.imports.values())


def _on_named(node: FunctionNode, context: FileContext) -> None:
    if _GATE.search(node.name):
        context.fact("promotion-gate", node.name, "", node.lineno)


def _on_file(node: ast.Module, context: FileContext) -> None:
    text = context.source.decode("utf-8", "replace")
    back = _BACK.search(text)
    if back:
        context.fact("rollback", back[0])


def _on_promotion_file(node: ast.Module, context: FileContext) -> None:
    """A file that reads the thresholds: it may know nothing of models."""
    context.fact("promotion-gate", "promotion file")


def _promotions(rule: str, kind: str, message: str, project: Project) -> Iterator[tuple[FileReport, Candidate]]:
    """The first promotion of each package where neither the package nor the root has a fact of `kind`."""
    reports = {report.path: report for report in project.reports}
    known = {project.package_of(path) for path, _ in project.facts(kind)}
    for path, fact in project.facts("promotes"):
        package = project.package_of(path)
        if package in known or "" in known:
            continue
        known.add(package)
        said = f"`{fact.name}` {message}"
        yield (
            reports[path],
            on_line(rule, path, fact.line, said, text=fact.name, symbol=fact.detail, confidence="likely"),
        )


def _ungated(project: Project) -> Iterator[tuple[FileReport, Candidate]]:
    yield from _promotions(NO_GATE, "promotion-gate", "promotes a model, and no gate decides whether it may", project)


def _one_way(project: Project) -> Iterator[tuple[FileReport, Candidate]]:
    yield from _promotions(
        NO_WAY_BACK, "rollback", "promotes a model, and nothing names the one to go back to", project
    )


def _nothing_promoted(project: Project) -> str | None:
    if len(project.reports) < 2:
        return "one file alone does not show what the project has"
    return None if project.facts("promotes") else "no code promotes a model"


_PROMOTION = "import mlflow\n\n\ndef ship(run):\n    mlflow.register_model(run.uri, 'ranker')\n"
_GATED = (
    "import mlflow\n\n\ndef promotion_gate(metrics, floor):\n    return metrics['auc'] >= floor\n\n\n"
    "def ship(run, rollback_uri):\n    if promotion_gate(run.metrics, 0.8):\n"
    "        mlflow.register_model(run.uri, 'ranker', tags={'rollback': rollback_uri})\n"
)
_SCRIPTS = tuple(name.encode() for name in sorted(_PROMOTES))

promotion_gate_missing = Rule(
    name=NO_GATE,
    gate="P1",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PB-ML1",),
    catches="Code that registers or promotes a model in a project without a gate.",
    why="Whatever was trained last goes into production, also the run that went wrong.",
    fix="Declare thresholds before training (promotion.toml), and let one function decide, which says no to what was "
    "not "
    "measured.",
    when="Where a file that works with a library of machine learning promotes models; "
    "a function named as a gate, or a promotion file named in the code, "
    "counts. Each package of a repository, with a pyproject.toml of its own, needs one, or the root has one for all.",
    watches=(),
    applies=_nothing_promoted,
    survey=_ungated,
    required=False,
    bad=(Example({"ml/ship.py": _PROMOTION, "ml/__init__.py": ""}),),
    good=(Example({"ml/ship.py": _GATED, "ml/__init__.py": ""}), Example({"ml/train.py": "model.fit(x, y)\n"}),
          Example({"ml/ship.py": _PROMOTION, "ml/gate.py": "def may_promote(auc, floor):\n    return auc >= floor\n"}),
          Example({"ml/ship.py": _PROMOTION, "ml/limits.py": "LIMITS = read('promotion.toml')\n"}),
          Example({"shop/hooks.py": "from shop.admin import register_model\n\nregister_model(Order)\n",
                   "shop/a.py": ""})),
)  # fmt: skip

rollback_artifact_missing = Rule(
    name=NO_WAY_BACK,
    gate="P2",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PB-ML6",),
    catches="Code that promotes a model in a project that names no model to go back to.",
    why="On the day the new model fails somebody has to find out which one was there before.",
    fix="Write the version that is replaced into the promotion record, and a command that restores it.",
    when="Where the project promotes models; any word of a rollback, a champion or a previous version in that file "
    "counts.",
    watches=(),
    applies=_nothing_promoted,
    survey=_one_way,
    required=False,
    bad=(Example({"ml/ship.py": _PROMOTION, "ml/__init__.py": ""}),),
    good=(Example({"ml/ship.py": _GATED, "ml/__init__.py": ""}),),
)


def _on_record(node: ast.Assign | ast.AnnAssign, context: FileContext) -> None:
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    made = node.value
    if isinstance(made, ast.Dict):
        parts = [*made.keys, *made.values]
        named = bool(_RECORDS.search(last_name(target)))
    elif isinstance(made, ast.Call) and not made.args and made.keywords:
        parts = [None if word.arg is None else ast.Name(word.arg) for word in made.keywords]
        parts += [word.value for word in made.keywords]
        name = last_name(made.func)
        named = bool(_RECORD_CLASSES.search(name) or (name == "dict" and _RECORDS.search(last_name(target))))
    else:
        return
    if not named or None in parts:
        return
    said = " ".join(ast.unparse(part) for part in parts if part is not None)
    missing = [what for what, pattern in _PARTS if not pattern.search(said)]
    if missing and len(missing) < len(_PARTS):
        context.report(RECORD, node, f"`{last_name(target)}` leaves out {', '.join(missing)}", confidence="likely")


run_record_incomplete = Rule(
    name=RECORD,
    gate="P2",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PB-ML2",),
    catches="Records of training runs without data version, code commit, configuration, seed, metrics or model path.",
    why="A run that cannot be repeated cannot be compared, nor explained once its model misbehaves.",
    fix="Add what is missing to the record, from where it is known: the commit from git, the data by its hash.",
    when="For dicts named as a record of a run (`run_record`, `training_metadata`) that are written out in one piece.",
    watches=(
        Watch((ast.Assign, ast.AnnAssign), _on_record,
              (b"_record", b"_info", b"_metadata", b"_manifest", b"Record", b"Metadata", b"Manifest"),
              lambda path: outside_tests(path) and bool(_TRAINS.search(path) or "ml" in path.split("/"))),
    ),
    bad=(
        Example({"ml/train.py": "run_record = {'metrics': metrics, 'model_path': path}\n"}),
        Example({"ml/train.py": "run_record: dict[str, object] = dict(metrics=metrics, seed=seed)\n"}),
        Example({"ml/train.py": "kept = RunRecord(metrics=metrics, seed=seed)\n"}),
    ),
    good=(
        Example(
            {
                "ml/train.py": "run_record = {'dataset_version': d, 'git_sha': sha, 'config_hash': c, 'seed': seed,\n"
                "    'metrics': metrics, 'artifact_uri': uri}\n"
            }
        ),
    ),
)  # fmt: skip


def _on_preparation(node: FunctionNode, context: FileContext) -> None:
    if not _PREPARES.search(node.name):
        return
    words = []
    own = {argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)}
    for statement in node.body:
        for part in descendants(statement):
            if isinstance(part, (ast.Assign, ast.For)) and isinstance(
                target := part.target if isinstance(part, ast.For) else part.targets[0], ast.Name
            ):
                own.add(target.id)
            if isinstance(part, ast.Name):
                words.append("_" if part.id in own else part.id)  # a copy may call its frame by another name
            elif isinstance(part, ast.Attribute):
                words.append(part.attr)
            elif isinstance(part, ast.Constant) and len(repr(part.value)) < 40:
                words.append(re.sub(r"\s", "", repr(part.value)))
    if len(words) >= _LEAST:
        kind = "prepares-serving" if _SERVES.search(context.path) else "prepares-training"
        context.fact(kind, context.symbol_of(node.name), " ".join(words[:400]), node.lineno)


def _pairs(text: str) -> frozenset[tuple[str, str]]:
    return frozenset(pairwise(text.split(" ")))


def _twice(project: Project) -> Iterator[tuple[FileReport, Candidate]]:
    reports = {report.path: report for report in project.reports}
    training = [(_pairs(place[1].detail), place) for place in project.facts("prepares-training")]
    for path, fact in project.facts("prepares-serving"):
        found = _twin(_pairs(fact.detail), training)
        if found is not None:
            there, twin = found
            message = f"`{fact.name}` prepares data as `{twin.name}` does in training, in code of its own"
            evidence = (Evidence(there, twin.line, "the same steps, in training"),)
            yield (
                reports[path],
                on_line(
                    TWICE, path, fact.line, message, text="", symbol=fact.name, confidence="likely", evidence=evidence
                ),
            )


def _twin(steps: frozenset[tuple[str, str]], training: list[tuple[frozenset[tuple[str, str]], Place]]) -> Place | None:
    for others, place in training:
        fewer, more = sorted((len(steps), len(others)))
        if fewer >= _ALIKE * more and len(steps & others) >= _ALIKE * len(steps | others):
            return place
    return None


def _one_side(project: Project) -> str | None:
    both = project.facts("prepares-serving") and project.facts("prepares-training")
    return None if both else "training and serving do not both prepare data"


_STEPS = (
    "import pandas\n\n\ndef preprocess(df):\n    df['age'] = df['age'].fillna(0).clip(0, 100)\n"
    "    df['city'] = df['city'].str.lower().str.strip()\n    df['income'] = df['income'] / 1000\n    return df\n"
)

preprocessing_duplicated = Rule(
    name=TWICE,
    gate="P2",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PB-ML4",),
    catches="Functions of serving that prepare data with the same steps as a function of training, copied.",
    why="One of the two is changed, the other is not: the model then sees other data than it was trained on, and "
    "nothing "
    "fails.",
    fix="Put the steps into one module that both import, or into the pipeline that is saved with the model.",
    when="For functions named as preparation in files of training and serving, where four fifths of the steps are "
    "alike.",
    watches=(),
    applies=_one_side,
    survey=_twice,
    required=False,
    bad=(
        Example({"ml/train.py": _STEPS, "ml/serve.py": _STEPS.replace("preprocess", "prepare")}),
        Example({"ml/train.py": _STEPS, "ml/serve.py": _STEPS.replace("df", "frame")}),
    ),
    good=(
        Example({"ml/train.py": _STEPS, "ml/serve.py": "from ml.train import preprocess\n\n\ndef predict(df):\n    "
        "return 1\n"}),
        Example({"ml/train.py": _STEPS, "ml/serve.py": _STEPS.replace("age", "size").replace("fillna", "ffill")
                 .replace("income", "rate").replace("city", "town").replace("lower", "upper")}),
    ),
)  # fmt: skip

RULES: tuple[Rule, ...] = (
    promotion_gate_missing,
    rollback_artifact_missing,
    run_record_incomplete,
    preprocessing_duplicated,
)
OBSERVERS: tuple[Observer, ...] = (
    Observer(
        "promotions",
        (
            Watch((ast.Call,), _on_promotion, _SCRIPTS, outside_tests),
            Watch((ast.Module,), _on_file, _SCRIPTS, outside_tests),
            Watch((ast.Module,), _on_promotion_file, (b"promotion.toml", b"promotion.y"), outside_tests),
            Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_named, (*_ML, b"mlflow", b"_promote("), outside_tests),
            Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_preparation, _ML, _prepares),
        ),
    ),
)
"""Kinds: promotes, promotion-gate, rollback, prepares-training and prepares-serving (detail: words of the steps)."""

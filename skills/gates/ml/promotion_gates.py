"""The rule gate-not-closed of the skill mle-workflow: a promotion gate stays shut for what was not measured."""

import ast
import re
from collections.abc import Iterator

from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name, shortened
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import outside_tests
from skills.gates.engine.syntax import descendants, is_singleton, string_of
from skills.gates.example_files import one_file
from skills.gates.ml.ml_promotion import SKILL
from skills.gates.rule import Rule, Watch

GATE = "gate-not-closed"

_METRIC = lazy(r"metric|accuracy|auc|f1|rmse|mae|mape|score|loss|precision|recall|ndcg|latency|error_rate|drift", re.I)
_GATES = lazy(
    r"gate|promot|(?:should|can|may|ok_to)_(?:deploy|release|ship)|accept_model|approve_model|meets_|quality_check"
    r"|passes(?:_|$)|is_better|(?:^|_)approves?(?:_|$)|beats(?:_|$)|is_(?:deployable|acceptable|promotable|good_enough)"
    r"|validate_(?:candidate|metrics)|check_(?:thresholds?|metrics)",
    re.I,
)
_PROMOTES = lazy(r"gate|promot|release|deploy", re.I)
_NO = lazy(r"^(?:no|reject(?:ed)?|refused?|den(?:y|ied)|fail(?:ed)?|block(?:ed)?|hold|held|no[-_]?go)$", re.I)
_YES = lazy(r"^(?:yes|promoted?|accept(?:ed)?|approved?|pass(?:ed)?|ok|go|ship(?:ped)?|deploy(?:ed)?|released?)$", re.I)
_COSTS = lazy(r"loss|rmse|mae|mape|mse|error|latency|drift|cost", re.I)


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
        found = next(_not_compared(parts, _PROMOTES.search(node.name) is not None), None)
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


def _not_compared(parts: list[ast.AST], raises: bool) -> Iterator[tuple[ast.AST, str]]:
    """Comparisons that a gate passes for NaN, and for what stands in where nothing was measured. Where `raises`, a gate
    may say no by an error, and yes by none."""
    named = {
        part.targets[0].id: part.value
        for part in parts
        if isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Name)
    }
    closed = {part.left for part in parts if isinstance(part, ast.Compare) and _is_out_of_reach(part)}
    for part in parts:
        if isinstance(part, ast.Call) and part not in closed and (_is_best(part) or _is_unreached(part)):
            yield part, f"`{shortened(part, 60)}` passes the gate without being measured"
        elif isinstance(part, ast.Return) and _is_turned(part.value, named):
            yield part, f"`{shortened(part, 60)}` is true for NaN: what was not measured passes the gate"
    ends = [part for part in parts if isinstance(part, ast.Return) and part.value is not None]
    passes = any(_is_pass(end.value) for end in ends) or (raises and not ends)
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


def _is_turned(value: ast.expr | None, named: dict[str, ast.expr]) -> bool:
    """`not metric < floor`, `not worse` of `worse = metric < floor`, and `not any(metric < floor for …)`."""
    if not isinstance(value, ast.UnaryOp) or not isinstance(value.op, ast.Not):
        return False
    asked = value.operand
    asked = named.get(asked.id, asked) if isinstance(asked, ast.Name) else asked
    if isinstance(asked, ast.Call) and last_name(asked.func) == "any" and len(asked.args) == 1:
        each = asked.args[0]
        asked = each.elt if isinstance(each, (ast.GeneratorExp, ast.ListComp)) else asked
    if isinstance(asked, (ast.ListComp, ast.SetComp)):  # `not failed` of `failed = [name for … if metric < floor]`
        return any(map(_is_comparison, asked.generators[0].ifs))
    return _is_comparison(asked)


def _is_out_of_reach(part: ast.Compare) -> bool:
    """`metrics.get(name, -inf) >= floor` and `metrics.get(name, inf) <= most`: what is missing never passes."""
    call = part.left
    if not isinstance(call, ast.Call) or not _is_unreached(call):
        return False
    lowest = "-" in ast.unparse(call.args[1])
    return isinstance(part.ops[0], (ast.Gt, ast.GtE) if lowest else (ast.Lt, ast.LtE))


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
    return isinstance(last, ast.Return) and (is_singleton(last.value, False) or _says(_NO, last.value))


def _is_pass(value: ast.expr | None) -> bool:
    return is_singleton(value, True) or _says(_YES, value)


def _says(words: re.Pattern[str], value: ast.expr | None) -> bool:
    """True for a verdict in words: `"promoted"`, `Verdict.REJECTED`."""
    if isinstance(value, ast.Attribute):
        return words.match(value.attr) is not None
    text = string_of(value)
    return text is not None and words.match(text) is not None


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
        "def can_promote(new_auc, auc):\n    worse = new_auc < auc\n    return not worse\n",
        "def quality_gate(metrics, floors):\n    return not any(metrics[name] < floors[name] for name in floors)\n",
        "def promotion_gate(auc):\n    if auc < 0.8:\n        return 'rejected'\n    return 'promoted'\n",
        "def promotion_gate(auc):\n    if auc < 0.8:\n        raise ValueError(auc)\n",
        "def should_promote(metrics, floors):\n    failed = [name for name in floors if metrics[name] < floors[name]]\n"
        "    return not failed\n",
        "def promotion_gate(auc):\n    if auc < 0.8:\n        return Verdict.REJECT\n    return Verdict.PROMOTE\n",
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
        "def promotion_gate(metrics):\n    return metrics.get('auc', float('-inf')) >= 0.8\n",
        "def check_metrics(auc):\n    if auc < 0:\n        raise ValueError(auc)\n",
        "def promotion_gate(auc):\n    if not auc >= 0.8:\n        raise ValueError(auc)\n",
        "def promotion_gate(metrics):\n    return not any(math.isnan(metrics[name]) for name in metrics)\n",
        "def promotion_gate(metrics):\n    return metrics.get('auc', 0) >= 0.8 and metrics.get('loss', 1) < 1\n",
    ),
)

RULES: tuple[Rule, ...] = (gate_not_closed,)

"""Rules of the skill pytorch-patterns: training and checkpoints."""

import ast
import re
from collections.abc import Callable

from skills.gates.analysis.local_values import values_of
from skills.gates.analysis.loops import local_nodes
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import dotted, last_name, module_name, shortened
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import outside_tests
from skills.gates.engine.syntax import descendants, is_singleton, statements
from skills.gates.example_files import one_file
from skills.gates.model import Candidate, FileReport
from skills.gates.project import Project
from skills.gates.rule import Example, Rule, Watch, needs_met

SKILL = "pytorch-patterns"
TORCH = (b"torch",)
SEED = "training-without-seed"
LOAD = "torch-load-unsafe"
SAVE = "torch-save-model"
CUDA = "hardcoded-cuda"

_MODEL = lazy(
    r"(?:^|_)(?:model|net|network|module|encoder|decoder|generator|discriminator|classifier|backbone|policy|actor|critic"
    r"|student|teacher|unet|resnet|net_?[gd])\d*$",
    re.I,
)
_SEEDS = lazy(rb"seed\w*\(|set_\w*determin|make_deterministic")
_ENTRIES = lazy(r"^(?:main|_main|cli|entrypoint|train|run|fit|do_train|train_model|train_loop|training|run_training)$")
_ASKS_CARD = lazy(r"is_available|device_count|mps")
_WRAPS = frozenset({"deepcopy", "copy", "de_parallel", "unwrap_model", "unwrap", "strip_parallel", "compile"})
_SAME = frozenset({"to", "cpu", "cuda", "half", "float", "double", "eval", "train"})
_SIMPLE = (ast.Assign, ast.AnnAssign, ast.Expr, ast.Return)
_ASKS = lazy(r"is_available|device_count|cuda|gpu|device", re.I)


def is_model(node: ast.AST) -> bool:
    """True where the last name of an expression says that it is a model."""
    return bool(_MODEL.search(last_name(node)))


def _on_training(node: FunctionNode | ast.Module, context: FileContext) -> None:
    if SEED in context.memo or b".backward(" not in context.source or b".step(" not in context.source:
        return
    if isinstance(node, ast.Module):
        loop = next((part for part in node.body if _trains(part)), None)
        name, symbol = "the script", ""
    else:
        loop = node if _ENTRIES.search(node.name) else None
        name, symbol = node.name, context.symbol_of(node.name)
    if loop is None:
        return
    context.memo[SEED] = True
    if _SEEDS.search(context.source) is None:
        before = context.statement
        context.statement = loop
        context.report(SEED, loop, f"{name} trains without a seed: no run can be repeated", symbol=symbol)
        context.statement = before


def _on_seeding(node: ast.Module, context: FileContext) -> None:
    """Says of a file that sets a seed what it imports (fact "seeds")."""
    if _SEEDS.search(context.source):
        context.fact("seeds", "", " ".join(sorted(set(context.imports.values()))))


def _unseeded(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    """None where the file that calls the training sets the seed: it imports this module, and seeds."""
    module = f".{module_name(report.path)}"
    for path, fact in project.facts("seeds"):
        for imported in fact.detail.split():
            for name in (imported, imported.rpartition(".")[0]):
                folder = module.removesuffix(f".{name}") if name and module.endswith(f".{name}") else None
                if folder is not None and ("." in name or f".{module_name(path)}".startswith(f"{folder}.")):
                    return None  # a name without a folder is that of a neighbour
    return candidate


def _trains(part: ast.stmt) -> bool:
    """True for a loop of a script, alone or under a condition, that goes back through the gradients."""
    if not isinstance(part, (ast.For, ast.While, ast.If, ast.With)):
        return False
    loops = any(isinstance(inner, (ast.For, ast.While)) for inner in descendants(part))
    return loops and any(isinstance(inner, ast.Call) and last_name(inner.func) == "backward"
                         for inner in local_nodes(ast.Module([part], [])))  # fmt: skip


def _on_call(node: ast.Call, context: FileContext) -> None:
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else last_name(function)
    if isinstance(function, ast.Name) or name in {"load", "save"}:
        _on_file(node, context.resolve(function) or "", context)
    elif name == "cuda" and all(map(_is_number, node.args)) and not _asks_first(node, context):
        _hardcoded(node, context)
        return
    places = [word.value for word in node.keywords if word.arg in {"device", "map_location"}]
    if name in {"to", "device"}:
        places += node.args[:1]
    if any(map(_is_card, places)) and not _asks_first(node, context):
        _hardcoded(node, context)


def _on_file(node: ast.Call, name: str, context: FileContext) -> None:
    """`torch.load` and `torch.save`, under whatever name."""
    if name == "torch.load":
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        safe = given.get("weights_only")
        if None not in given and not is_singleton(safe, True):
            context.report(LOAD, node, "`torch.load` without `weights_only=True` runs what the file tells it to")
    elif name == "torch.save":
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        first = node.args[0] if node.args else given.get("obj")
        whole = _whole_model(first, context)
        if whole:
            context.report(SAVE, node, f"`torch.save` pickles all of `{whole}`: the file breaks when its class moves")


def _whole_model(value: ast.expr | None, context: FileContext, depth: int = 0) -> str:
    """The text of a model that a value is, or holds among others; "" where there is none."""
    if depth > 6:
        return ""
    if isinstance(value, ast.Dict):
        return next((found for part in value.values if (found := _whole_model(part, context, depth + 1))), "")
    if isinstance(value, ast.Attribute):
        return ast.unparse(value) if is_model(value) else ""
    if isinstance(value, ast.Name):
        bound = values_of(value.id, context)
        if is_model(value):
            state = bound and all(isinstance(made, (ast.Call, ast.Dict)) and _is_state(made) for made in bound)
            return "" if state else value.id
        return value.id if bound and _whole_model(bound[-1], context, depth + 1) else ""
    return _made_model(value, context, depth) if isinstance(value, ast.Call) else ""


def _made_model(made: ast.Call, context: FileContext, depth: int) -> str:
    """The model that a call makes, copies or moves."""
    if isinstance(made.func, ast.Attribute) and made.func.attr in _SAME:
        return _whole_model(made.func.value, context, depth + 1)
    name = last_name(made.func)
    if name in _WRAPS and made.args:
        return _whole_model(made.args[0], context, depth + 1)
    layer = (context.resolve(made.func) or "").startswith("torch.nn.") and name != "Parameter"
    return name if name[:1].isupper() and (layer or is_model(made.func)) else ""


def _is_state(made: ast.Call | ast.Dict) -> bool:
    return isinstance(made, ast.Dict) or last_name(made.func) == "state_dict"


def _on_device(node: ast.Assign | ast.AnnAssign, context: FileContext) -> None:
    """`self.device = "cuda"`, with no look for a card anywhere around."""
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    if node.value is None or not _is_card(node.value) or "device" not in last_name(target).lower():
        return
    if not _is_asked_for(last_name(target), context):
        _hardcoded(node, context)


def _is_asked_for(name: str, context: FileContext) -> bool:
    """True where a condition, or a statement that speaks of the same name, asks for a card."""
    for part in statements(context.function or context.tree):
        if isinstance(part, (ast.If, ast.While, ast.Assert)):
            asked: ast.AST = part.test
        elif isinstance(part, _SIMPLE) and name in ast.unparse(part):
            asked = part
        else:
            continue
        if any(isinstance(inner, ast.Attribute) and _ASKS_CARD.search(inner.attr) for inner in descendants(asked)):
            return True
    return False


def _hardcoded(node: ast.Call | ast.Assign | ast.AnnAssign, context: FileContext) -> None:
    context.report(CUDA, node, f"`{shortened(node, 40)}`: nothing runs where there is no such GPU")


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int)


def _is_card(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"cuda(?::\d+)?", node.value) is not None
    )


def _asks_first(node: ast.Call, context: FileContext) -> bool:
    """True where the code asks for a card: in the expression, in an `if` around it, or before, to leave."""
    above = context.parent(node)
    while above is not None:
        if isinstance(above, ast.IfExp):
            return True
        above = context.parent(above)
    if (dotted(node.func) or "").startswith("torch.cuda"):
        return True
    for part in statements(context.function or context.tree):
        if part.lineno > node.lineno:
            break
        if isinstance(part, (ast.If, ast.Assert)) and _ASKS.search(ast.unparse(part.test)):
            if isinstance(part, ast.Assert) or node.lineno <= (part.end_lineno or part.lineno):
                return True
            if _leaves(part.body[-1]) and re.search(r"\bnot\b|cpu", ast.unparse(part.test)):
                return True
    return False


def _leaves(statement: ast.stmt) -> bool:
    return isinstance(statement, (ast.Return, ast.Raise, ast.Continue)) or (
        isinstance(statement, ast.Expr) and "exit" in ast.unparse(statement)
    )


def rule_of(name: str, source: str, severity: str, catches: str, why: str, fix: str, when: str,
          watch: Watch, bad: tuple[str, ...], good: tuple[str, ...],
          holds: Callable[[Candidate, FileReport, Project], Candidate | None] = needs_met,
          apart: tuple[tuple[Example, ...], ...] = ((), ()), notes: tuple[Watch, ...] = ()) -> Rule:  # fmt: skip
    """A rule of the skill, with examples that import torch."""
    head = "import torch\n\n\n"
    return Rule(
        name=name,
        gate="P2" if severity == "INFO" else "P1",
        severity=severity,  # type: ignore[arg-type]
        skill=SKILL,
        sources=(source,),
        catches=catches,
        why=why,
        fix=fix,
        when=when,
        watches=(watch, *notes),
        bad=(*one_file("ml/train.py", *(head + text for text in bad)), *apart[0]),
        good=(*one_file("ml/train.py", *(head + text for text in good)), *apart[1]),
        holds=holds,
    )


FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_BY_CALL = Watch((ast.Call,), _on_call, TORCH, outside_tests)
NOTHING = Watch((), _on_call, TORCH, outside_tests)
LOOP = "def train(model, data):\n    for x in data:\n"
_ENGINE = "import torch\n\n\n" + LOOP + "        model(x).backward()\n        opt.step()\n"

RULES: tuple[Rule, ...] = (
    rule_of(
        SEED, "PB-M2", "MEDIUM",
        "A training script that sets no seed.",
        "Two runs differ, and nobody can tell whether the change or chance made the difference.",
        "Call `torch.manual_seed(seed)` first, seed NumPy and `random` too, and write the seed into the run's record.",
        "In the function that trains (`main`, `train`, `fit`) or the loop of a script, where the module takes "
        "optimizer steps, and no file that imports it sets the seed.",
        Watch((*FUNCTIONS, ast.Module), _on_training, (b".backward(",), outside_tests),
        (LOOP + "        loss = model(x)\n        optimizer.zero_grad()\n        loss.backward()\n"
        "        optimizer.step()\n",
         "for x in data:\n    model(x).backward()\n    optimizer.step()\n"),
        ("set_seed(3)\nfor x in data:\n    model(x).backward()\n    optimizer.step()\n",
         "def step(model, x):\n    for part in x:\n        model(part).backward()\n    optimizer.step()\n",
         "torch.manual_seed(1)\n\n\n" + LOOP + "        model(x).backward()\n        optimizer.step()\n",
         "def train(model):\n    trainer.fit(model)\n"),
        _unseeded,
        ((Example({"snli/train.py": _ENGINE, "mnist/main.py": "import train\n\ntorch.manual_seed(3)\n"}),),
         (Example({"src/ml/engine.py": _ENGINE,
                   "src/main.py": "import torch\nfrom ml.engine import train\n\ntorch.manual_seed(3)\n"}),)),
        (Watch((ast.Module,), _on_seeding, (b"_seed(", b"seed_everything(", b".seed("), outside_tests),),
    ),
    rule_of(
        LOAD, "PB-M3", "HIGH",
        "`torch.load` without `weights_only=True`.",
        "A checkpoint is a pickle: whoever made the file can run code on the machine that reads it.",
        "Pass `weights_only=True`, or use safetensors.",
        "Everywhere but in tests.",
        _BY_CALL,
        ("state = torch.load('model.pt')\n", "from torch import load as read\n\nstate = read('model.pt')\n",
         "state = torch.load('model.pt', weights_only=False)\n"),
        ("state = torch.load('model.pt', weights_only=True)\n", "state = json.load(file)\n"),
    ),
    rule_of(
        SAVE, "PB-M4", "MEDIUM",
        "`torch.save` of a whole model.",
        "The file holds the paths of classes, and cannot be read once a module is moved.",
        "Save `model.state_dict()` and what is needed to build the model again.",
        "Where what is saved is a model, or holds one: by its name, or by what it was made of.",
        NOTHING,
        ("torch.save(model, 'model.pt')\n", "torch.save(self.encoder, path)\n",
         "from torch import save as keep\n\nkeep(model, 'model.pt')\n",
         "def keep(model, path):\n    kept = {'epoch': 3, 'model': copy.deepcopy(model).half()}\n"
         "    torch.save(kept, path)\n",
         "def keep(path):\n    both = torch.nn.Sequential(first, second)\n    torch.save(obj=both, f=path)\n"),
        ("def keep(network, path):\n    model = network.state_dict()\n    torch.save({'model': model}, path)\n",
         "torch.save(model.state_dict(), 'model.pt')\n", "torch.save({'model': state}, 'model.pt')\n"),
    ),
    rule_of(
        CUDA, "PB-M6", "LOW",
        '`.cuda()`, `.to("cuda")` and `torch.device("cuda")` without a fallback.',
        "It fails on a laptop, in CI, and on other vendors' GPUs.",
        'Choose once: `device = torch.device("cuda" if torch.cuda.is_available() else "cpu")`, then `.to(device)`.',
        "Where neither the expression nor an `if` around it asks for a GPU, and nothing above it leaves without one.",
        Watch((ast.Assign, ast.AnnAssign), _on_device, TORCH, outside_tests, near=(b'"cuda', b"'cuda")),
        ("class Run:\n    def __init__(self):\n        self.device = 'cuda'\n",
         "DEVICE = 'cuda'\nHALF = torch.cuda.is_available()\n",
         "def build():\n    return Net().cuda()\n", "def build(model):\n    return model.to('cuda')\n",
         "def build(x):\n    if torch.cuda.is_available():\n        return x\n    return x.cuda(0)\n",
         "def build(x):\n    print(torch.cuda.is_available())\n    return torch.zeros(3, device='cuda:0'), x\n"),
        ("device = 'cuda'\ndevice = device if torch.cuda.is_available() else 'cpu'\n",
         "device = 'cpu'\nif torch.cuda.is_available():\n    device = 'cuda'\n",
         "device = 'cuda'\nif not torch.cuda.is_available():\n    device = 'cpu'\n",
         "device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')\n",
         "def build(model, device):\n    torch.cuda.synchronize()\n    return model.to(device)\n",
         "def build(model):\n    if torch.cuda.is_available():\n        model.cuda()\n    return model\n",
         "def build(model):\n    if not torch.cuda.is_available():\n        raise SystemExit('no card')\n"
         "    return model.to('cuda')\n"),
    ),
)  # fmt: skip

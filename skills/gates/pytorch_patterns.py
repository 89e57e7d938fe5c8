"""Rules of the skill pytorch-patterns: training, validation and checkpoints."""

import ast
import re

from skills.gates.context import FileContext, FunctionNode
from skills.gates.example_files import one_file
from skills.gates.names import dotted, last_name
from skills.gates.roles import is_test_path
from skills.gates.rule import Rule, Watch
from skills.gates.syntax import descendants

SKILL = "pytorch-patterns"
TORCH = (b"torch",)
EVAL = "validation-without-eval"
SEED = "training-without-seed"
LOAD = "torch-load-unsafe"
SAVE = "torch-save-model"
ITEM = "item-before-backward"
CUDA = "hardcoded-cuda"
INPLACE = "inplace-on-grad"
MOVED = "model-moved-in-loop"
ZERO = "zero-grad-missing"

_MODEL = re.compile(
    r"(?:^|_)(?:model|net|network|module|encoder|decoder|generator|discriminator|classifier|backbone)\d*$", re.I
)
_VALIDATES = re.compile(
    r"(?:^|_)(?:val|valid|validate|validation|evaluate|eval|evaluation|infer|inference)(?:_|$)", re.I
)
_FRAMEWORK = frozenset({"validation_step", "test_step", "predict_step", "eval_step", "validation_epoch_end"})


def outside_tests(path: str) -> bool:
    """True for everything but tests."""
    return not is_test_path(path)


def _text(node: FunctionNode) -> str:
    return ast.unparse(node)


def _symbol(node: FunctionNode, context: FileContext) -> str:
    return f"{context.symbol}.{node.name}".strip(".")


def _is_model(node: ast.AST) -> bool:
    return bool(_MODEL.search(last_name(node)))


def _on_validation(node: FunctionNode, context: FileContext) -> None:
    if not _VALIDATES.search(node.name) or node.name in _FRAMEWORK:
        return
    runs = any(
        isinstance(part, ast.Call) and _is_model(part.func) and part.args
        for part in descendants(ast.Module(node.body, []))
    )
    if not runs:
        return
    text = _text(node)
    missing = []
    if not re.search(r"\.eval\(\)|\.train\(False\)|\.train\(mode=False\)", text):
        missing.append("`model.eval()`: dropout and batch statistics stay on")
    if not re.search(r"no_grad|inference_mode|set_grad_enabled", text):
        missing.append("`torch.inference_mode()`: every step is kept for gradients")
    if missing:
        context.report(EVAL, node, f"{node.name} runs the model without {', and without '.join(missing)}",
                       symbol=_symbol(node, context))  # fmt: skip


def _on_training(node: FunctionNode, context: FileContext) -> None:
    if not re.search(r"^(?:main|train|run|fit|train_model|training|run_training)$", node.name) or SEED in context.memo:
        return
    source = context.source
    if b".backward()" not in source or b".step()" not in source:
        return
    context.memo[SEED] = True
    if re.search(rb"manual_seed|seed_everything|set_seed|seed_all|fix_seed|init_seed", source) is None:
        context.report(
            SEED, node, f"{node.name} trains without a seed: no run can be repeated", symbol=_symbol(node, context)
        )


def _on_call(node: ast.Call, context: FileContext) -> None:
    name = last_name(node.func)
    if name == "load" and (context.resolve(node.func) or "") == "torch.load":
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        safe = given.get("weights_only")
        if None not in given and not (isinstance(safe, ast.Constant) and safe.value is True):
            context.report(LOAD, node, "`torch.load` without `weights_only=True` runs what the file tells it to")
    elif name == "save" and (context.resolve(node.func) or "") == "torch.save" and node.args:
        first = node.args[0]
        if isinstance(first, ast.Name | ast.Attribute) and _is_model(first):
            text = ast.unparse(first)
            context.report(
                SAVE, node, f"`torch.save({text}, …)` pickles the whole object: the file breaks when the class moves"
            )
    elif name == "cuda" and isinstance(node.func, ast.Attribute) and not node.args and not _guarded(node, context):
        context.report(CUDA, node, f"`{ast.unparse(node)[:40]}`: nothing runs where there is no such card")
    elif name in {"to", "device"} and node.args and isinstance(node.args[0], ast.Constant):
        value = node.args[0].value
        if isinstance(value, str) and re.match(r"cuda(?::\d+)?$", value) and not _guarded(node, context):
            context.report(CUDA, node, f"`{ast.unparse(node)[:40]}`: nothing runs where there is no such card")


def _guarded(node: ast.Call, context: FileContext) -> bool:
    """True where the code asks for a card first: in the expression, or in the function."""
    above = context.parent(node)
    while above is not None:
        if isinstance(above, ast.IfExp):
            return True
        above = context.parent(above)
    if (dotted(node.func) or "").startswith("torch.cuda"):
        return True
    scope = context.function
    text = ast.unparse(scope) if scope is not None else context.source.decode("utf-8", "replace")
    return bool(re.search(r"is_available|device_count|use_cuda|no_cuda|args\.cuda|args\.gpu", text))


def _on_loop(node: ast.For | ast.AsyncFor | ast.While, context: FileContext) -> None:
    """Inside loops: models that are moved, and losses whose value is read before `backward`."""
    backward: dict[str, int] = {}
    items: list[tuple[str, ast.Call]] = []
    for part in descendants(ast.Module(node.body, [])):
        if not isinstance(part, ast.Call) or not isinstance(part.func, ast.Attribute):
            continue
        owner, name = part.func.value, part.func.attr
        if name in {"to", "cuda"} and isinstance(owner, ast.Name | ast.Attribute) and _is_model(owner):
            _once(
                MOVED,
                part,
                f"`{ast.unparse(part)[:40]}` in a loop: the weights are moved again in every round",
                context,
            )
        elif name == "backward" and isinstance(owner, ast.Name):
            backward.setdefault(owner.id, part.lineno)
        elif name == "item" and isinstance(owner, ast.Name):
            items.append((owner.id, part))
    for name, call in items:
        if call.lineno < backward.get(name, 0):
            _once(ITEM, call, f"`{name}.item()` before `{name}.backward()`: the card waits for the processor", context)


def _once(rule: str, node: ast.Call, message: str, context: FileContext) -> None:
    seen = context.memo.setdefault(rule, set())
    assert isinstance(seen, set)
    if node not in seen:
        seen.add(node)
        context.report(rule, node, message)


def _on_function(node: FunctionNode, context: FileContext) -> None:
    """`backward` and `step` without `zero_grad`; a loss that is a plain number; in-place steps on leaves."""
    backward: list[ast.Call] = []
    leaves: set[str] = set()
    numbers: set[str] = set()
    steps = False
    for part in descendants(ast.Module(node.body, [])):
        if isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Name):
            made = part.value
            if isinstance(made, ast.Call) and last_name(made.func) == "item":
                numbers.add(part.targets[0].id)
            elif isinstance(made, ast.Call) and "requires_grad=True" in ast.unparse(made):
                leaves.add(part.targets[0].id)
        elif isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
            if part.func.attr == "backward":
                backward.append(part)
            steps = steps or (part.func.attr == "step" and "optim" in ast.unparse(part.func.value).lower())
        elif isinstance(part, ast.AugAssign) and last_name(part.target) in leaves and not _ungraded(node):
            message = f"`{ast.unparse(part)[:40]}` changes a leaf in place, which autograd refuses or forgets"
            context.report(INPLACE, part, message, symbol=_symbol(node, context))
    for call in backward:
        if last_name(call.func.value) in numbers:  # type: ignore[attr-defined]
            message = f"`{last_name(call.func.value)}` is a plain number by then: nothing flows back"  # type: ignore[attr-defined]
            context.report(ITEM, call, message, symbol=_symbol(node, context))
    if backward and steps and "zero_grad" not in _text(node):
        context.report(
            ZERO, backward[0], "no `zero_grad()`: the gradients of all rounds add up", symbol=_symbol(node, context)
        )


def _ungraded(node: FunctionNode) -> bool:
    return re.search(r"no_grad|\.data\b|inference_mode", ast.unparse(node)) is not None


def _rule(name: str, source: str, severity: str, catches: str, why: str, fix: str, when: str,
          watch: Watch, bad: tuple[str, ...], good: tuple[str, ...]) -> Rule:  # fmt: skip
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
        watches=(watch,),
        bad=one_file("ml/train.py", *(head + text for text in bad)),
        good=one_file("ml/train.py", *(head + text for text in good)),
    )


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_BY_CALL = Watch((ast.Call,), _on_call, TORCH, outside_tests)
_NOTHING = Watch((), _on_call, TORCH, outside_tests)
_IN_LOOPS = Watch((ast.For, ast.AsyncFor, ast.While), _on_loop, TORCH, outside_tests)
_LOOP = "def train(model, data):\n    for x in data:\n"

RULES: tuple[Rule, ...] = (
    _rule(
        EVAL, "PB-M1", "HIGH",
        "Functions that validate or infer with a model, without `eval()` or without switching gradients off.",
        "Dropout and batch norm go on as in training, so that the figures are wrong; gradients fill the memory.",
        "Call `model.eval()` first and put the loop under `with torch.inference_mode():`.",
        "In functions named for validation, evaluation or inference that call the model. Steps of Lightning are "
        "left out.",
        Watch(_FUNCTIONS, _on_validation, TORCH, outside_tests),
        ("def validate(model, data):\n    return [model(x) for x in data]\n",
         "def evaluate(net, data):\n    net.eval()\n    return net(data)\n"),
        ("@torch.no_grad()\ndef validate(model, data):\n    model.eval()\n    return model(data)\n",
         "class M:\n    def validation_step(self, batch):\n        return self.model(batch)\n",
         "def validate(name):\n    return len(name)\n"),
    ),
    _rule(
        SEED, "PB-M2", "MEDIUM",
        "A training script that sets no seed.",
        "Two runs differ, and nobody can tell whether the change or chance made the difference.",
        "Call `torch.manual_seed(seed)` first, seed NumPy and `random` too, and write the seed into the run's record.",
        "In the function that trains (`main`, `train`, `fit`), where the module takes optimizer steps.",
        Watch(_FUNCTIONS, _on_training, (b".backward()",), outside_tests),
        (_LOOP + "        loss = model(x)\n        optimizer.zero_grad()\n        loss.backward()\n"
        "        optimizer.step()\n",),
        ("torch.manual_seed(1)\n\n\n" + _LOOP + "        model(x).backward()\n        optimizer.step()\n",
         "def train(model):\n    trainer.fit(model)\n"),
    ),
    _rule(
        LOAD, "PB-M3", "HIGH",
        "`torch.load` without `weights_only=True`.",
        "A checkpoint is a pickle: whoever made the file can run code on the machine that reads it.",
        "Pass `weights_only=True`, or use safetensors.",
        "Everywhere but in tests.",
        _BY_CALL,
        ("state = torch.load('model.pt')\n", "state = torch.load('model.pt', weights_only=False)\n"),
        ("state = torch.load('model.pt', weights_only=True)\n", "state = json.load(file)\n"),
    ),
    _rule(
        SAVE, "PB-M4", "MEDIUM",
        "`torch.save` of a whole model.",
        "The file holds paths of classes, and cannot be read after the next move of a module.",
        "Save `model.state_dict()` and what is needed to build the model again.",
        "Where the first argument is named as a model.",
        _NOTHING,
        ("torch.save(model, 'model.pt')\n", "torch.save(self.encoder, path)\n"),
        ("torch.save(model.state_dict(), 'model.pt')\n", "torch.save({'model': state}, 'model.pt')\n"),
    ),
    _rule(
        ITEM, "PB-M5", "MEDIUM",
        "`loss.item()` before `loss.backward()`, and a loss that is made a number before.",
        "Reading the value makes the processor wait for the card in every step; a number has no gradients at all.",
        "Call `backward()` first, and read the value every so many steps.",
        "Inside a loop, or one function.",
        _IN_LOOPS,
        (_LOOP + "        loss = model(x)\n        total += loss.item()\n        loss.backward()\n",
         "def step(model, x):\n    loss = model(x).item()\n    loss.backward()\n"),
        (_LOOP + "        loss = model(x)\n        loss.backward()\n        total += loss.item()\n",),
    ),
    _rule(
        CUDA, "PB-M6", "LOW",
        '`.cuda()`, `.to("cuda")` and `torch.device("cuda")` with no other way.',
        "It fails on a laptop, in CI, and on other vendors' cards.",
        'Choose once: `device = torch.device("cuda" if torch.cuda.is_available() else "cpu")`, then `.to(device)`.',
        "Where neither the expression nor the function asks whether there is a card.",
        _NOTHING,
        ("def build():\n    return Net().cuda()\n", "def build(model):\n    return model.to('cuda')\n"),
        ("device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')\n",
         "def build(model, device):\n    torch.cuda.synchronize()\n    return model.to(device)\n"),
    ),
    _rule(
        INPLACE, "PB-M7", "INFO",
        "In-place arithmetic on a tensor that was made with `requires_grad=True`.",
        "Autograd raises, or loses what it needs for the way back.",
        "Do it under `torch.no_grad()`, or write `w = w - step`.",
        "Inside one function.",
        Watch(_FUNCTIONS, _on_function, TORCH, outside_tests),
        ("def fit():\n    w = torch.zeros(3, requires_grad=True)\n    w -= 0.1\n",),
        ("def fit():\n    w = torch.zeros(3, requires_grad=True)\n    with torch.no_grad():\n        w -= 0.1\n",),
    ),
    _rule(
        MOVED, "PB-M8", "MEDIUM",
        "A model that is moved to its device inside a loop.",
        "Every round looks at all weights again; where the optimizer was made before, it may hold the old ones.",
        "Move it once, before the optimizer is made; in the loop move the batch.",
        "In loops, for receivers that are named as models.",
        _NOTHING,
        (_LOOP + "        model.to(device)\n        model(x)\n",),
        ("def train(model, data):\n    model.to(device)\n    for x in data:\n        model(x.to(device))\n",),
    ),
    _rule(
        ZERO, "PB-M9", "HIGH",
        "Training steps without `zero_grad()`.",
        "Gradients are added to those of all rounds before, and the steps grow until nothing is learned.",
        "Call `optimizer.zero_grad(set_to_none=True)` before each `backward()`.",
        "In functions that call `backward()` and the optimizer's `step()`.",
        _NOTHING,
        (_LOOP + "        model(x).backward()\n        optimizer.step()\n",),
        (_LOOP + "        optimizer.zero_grad()\n        model(x).backward()\n        optimizer.step()\n",
         "def loss_of(model, x):\n    model(x).backward()\n"),
    ),
)  # fmt: skip

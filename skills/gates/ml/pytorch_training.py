"""Rules of the skill pytorch-patterns about one training step after the other: what is moved, read and set back."""

import ast
import re
from dataclasses import field

from skills.gates.analysis.local_values import own_nodes
from skills.gates.analysis.loops import blocks
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import dotted, last_name, root_name, shortened
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import outside_tests
from skills.gates.engine.syntax import descendants, is_singleton, keyword_of, statements
from skills.gates.ml.pytorch_patterns import FUNCTIONS, LOOP, NOTHING, TORCH, is_model, rule_of
from skills.gates.rule import Rule, Watch
from skills.record import record

_OPTIMIZER = lazy(r"(?:^|_)(?:opt(?:_[a-z]{1,5})?|optim\w*)\d*$", re.I)
_SCALER = lazy(r"(?:^|_)(?:grad_?)?scaler$", re.I)
_HELPERS = lazy(r"^(?:accelerator|fabric|engine|model_engine|manual)$", re.I)
_ZEROES = lazy(r"zero_grad|\.grad = None|\.grad\.zero_|optimizer\.clear")
_UNGRADED = lazy(r"no_grad|inference_mode|set_grad_enabled\(False")
_NOT_IN_PLACE = frozenset({"requires_grad_", "retain_grad_", "share_memory_", "detach_"})
ITEM = "item-before-backward"
INPLACE = "inplace-on-grad"
MOVED = "model-moved-in-loop"
ZERO = "zero-grad-missing"


def _on_loop(node: ast.For | ast.AsyncFor | ast.While, context: FileContext) -> None:
    """Inside loops: models that are moved."""
    fresh: set[str] | None = None
    for part in descendants(ast.Module(node.body, [])):
        if not isinstance(part, ast.Call) or not isinstance(part.func, ast.Attribute):
            continue
        owner, name = part.func.value, part.func.attr
        if name in {"to", "cuda"} and isinstance(owner, (ast.Name, ast.Attribute)) and is_model(owner):
            fresh = _made_in(node) if fresh is None else fresh
            if ast.unparse(owner) in fresh:
                continue
            _once(
                MOVED,
                part,
                f"`{shortened(part, 40)}` in a loop: the weights are moved again in every iteration",
                context,
            )


def _made_in(loop: ast.For | ast.AsyncFor | ast.While) -> set[str]:
    """The names that every round of a loop binds to something new."""
    found = set() if isinstance(loop, ast.While) else {part.id for part in ast.walk(loop.target)
                                                       if isinstance(part, ast.Name)}  # fmt: skip
    for part in descendants(ast.Module(loop.body, [])):
        if isinstance(part, (ast.For, ast.AsyncFor)):
            found |= {inner.id for inner in ast.walk(part.target) if isinstance(inner, ast.Name)}
        elif isinstance(part, ast.Assign):
            moved = root_name(part.value)
            found |= {text for target in part.targets
                      if (text := ast.unparse(target)) and text.partition(".")[0] != moved}  # fmt: skip
    return found


def _read_too_early(block: list[ast.stmt], context: FileContext, symbol: str) -> None:
    """In one list of statements: losses whose value is read before `backward`."""
    read: dict[str, list[ast.Call]] = {}
    for statement in block:
        for part in descendants(statement):
            if isinstance(part, ast.Call) and last_name(part.func) == "float" and len(part.args) == 1:
                read.setdefault(dotted(part.args[0]) or "", []).append(part)
            if not isinstance(part, ast.Call) or not isinstance(part.func, ast.Attribute):
                continue
            name = dotted(part.func.value)
            if part.func.attr == "item" and name:
                read.setdefault(name, []).append(part)
            for name in _losses(part) if part.func.attr == "backward" else ():
                for call in read.pop(name, []):
                    if call.lineno < part.lineno:
                        message = f"`{shortened(call, 40)}` before `{name}.backward()`: the CPU waits for the GPU"
                        _once(ITEM, call, message, context, symbol)
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                read.pop(dotted(target) or "", None)  # another value from here on


def _losses(backward: ast.Call) -> set[str]:
    """What `backward` goes back from, also in `scaler.scale(loss)`, `(loss / 4)` and `accelerator.backward(loss)`."""
    assert isinstance(backward.func, ast.Attribute)
    made: list[ast.expr] = [backward.func.value]
    if _HELPERS.search(last_name(backward.func.value)) and backward.args:
        made = [backward.args[0]]
    found: set[str] = set()
    while made:
        part = made.pop()
        if isinstance(part, ast.Call):
            scaled = isinstance(part.func, ast.Attribute) and part.func.attr == "scale"
            made += part.args[:1] if scaled else [part.func.value] if isinstance(part.func, ast.Attribute) else []
        elif isinstance(part, ast.BinOp):
            made += [part.left, part.right]
        elif name := dotted(part):
            found.add(name)
    return found


def _once(rule: str, node: ast.Call, message: str, context: FileContext, symbol: str | None = None) -> None:
    seen = context.memo.setdefault(rule, set())
    assert isinstance(seen, set)
    if node not in seen:
        seen.add(node)
        context.report(rule, node, message, symbol=symbol)


@record
class _Steps:
    """What one function or script does with gradients. `leaves` hold them from a line on, `numbers` are what `item()`
    answered, `changed` are the names that something is done to in place."""

    backward: list[ast.Call] = field(default_factory=list)
    steps: list[ast.Call] = field(default_factory=list)
    changed: list[tuple[str, ast.Call | ast.Assign | ast.AugAssign]] = field(default_factory=list)
    leaves: dict[str, int] = field(default_factory=dict)
    numbers: set[str] = field(default_factory=set)
    optimizers: set[str] = field(default_factory=set)


def _on_scope(node: ast.Module | FunctionNode, context: FileContext) -> None:
    """`backward` and `step` without `zero_grad`; losses that are read or made a number too early; in-place steps on
    leaves."""
    symbol = "" if isinstance(node, ast.Module) else context.symbol_of(node.name)
    found = _Steps()
    for part in own_nodes(node, context):
        if isinstance(part, ast.Assign):
            _note_made(part, found, context)
        elif isinstance(part, ast.Call):
            _note_called(part, found)
        elif isinstance(part, ast.AugAssign):
            found.changed.append((last_name(part.target), part))
    for name, part in found.changed:
        if found.leaves.get(name, part.lineno) < part.lineno and not _without_gradients(node, part):
            message = f"`{shortened(part, 40)}` changes a leaf in place, which autograd refuses or forgets"
            context.report(INPLACE, part, message, symbol=symbol)
    if not found.backward:
        return
    for call in found.backward:
        if (number := last_name(call.func.value)) in found.numbers:  # type: ignore[attr-defined]
            context.report(ITEM, call, f"`{number}` is a plain number by then: nothing flows back", symbol=symbol)
    for block in blocks(node.body):
        _read_too_early(block, context, symbol)
    first = found.backward[0]
    steps = [call for call in found.steps if _is_step(call, found.optimizers)]
    if steps and not _zeroed(node, first, steps, context):
        context.report(ZERO, first, "no `zero_grad()`: the gradients of all steps add up", symbol=symbol)


def _note_made(part: ast.Assign, found: _Steps, context: FileContext) -> None:
    target, made = part.targets[0], part.value
    if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
        found.changed.append((target.value.id, part))
    if not isinstance(target, ast.Name) or not isinstance(made, ast.Call):
        return
    if last_name(made.func) == "item":
        found.numbers.add(target.id)
    elif _is_leaf(made):
        found.leaves[target.id] = part.lineno
    elif "optim" in (context.resolve(made.func) or ""):
        found.optimizers.add(target.id)


def _note_called(part: ast.Call, found: _Steps) -> None:
    if not isinstance(part.func, ast.Attribute):
        return
    method, owner = part.func.attr, part.func.value
    if method == "backward" and last_name(owner) != "dist_autograd":  # whose gradients belong to a context
        found.backward.append(part)
    elif method == "step":
        found.steps.append(part)
    elif method == "requires_grad_" and isinstance(owner, ast.Name) and _is_leaf(part):
        found.leaves.setdefault(owner.id, part.lineno)
    elif method.endswith("_") and method not in _NOT_IN_PLACE and isinstance(owner, ast.Name):
        found.changed.append((owner.id, part))


def _is_leaf(made: ast.Call) -> bool:
    """`torch.zeros(3, requires_grad=True)`, `torch.zeros(3).requires_grad_()`, `nn.Parameter(…)`."""
    if last_name(made.func) in {"requires_grad_", "Parameter"}:
        return not (made.args and is_singleton(made.args[0], False))
    return is_singleton(keyword_of(made, "requires_grad"), True)


def _is_step(call: ast.Call, optimizers: set[str]) -> bool:
    """`optimizer.step()`, and `scaler.step(optimizer)`."""
    owner = last_name(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    return owner in optimizers or bool(_OPTIMIZER.search(owner)) or (bool(call.args) and bool(_SCALER.search(owner)))


def _zeroed(node: ast.Module | FunctionNode, backward: ast.Call, steps: list[ast.Call], context: FileContext) -> bool:
    """True where gradients are set back: in the loop that takes the step, or anywhere in the file where it is one step
    of a loop elsewhere."""
    loops = [part for part in own_nodes(node, context) if isinstance(part, (ast.For, ast.AsyncFor, ast.While))]
    around = [
        loop for loop in loops if any(loop.lineno < call.lineno <= (loop.end_lineno or loop.lineno) for call in steps)
    ]
    if around:
        return _ZEROES.search(ast.unparse(around[-1])) is not None
    if _ZEROES.search(ast.unparse(node)):
        return True
    looped = any(loop.lineno < backward.lineno <= (loop.end_lineno or loop.lineno) for loop in loops)
    return not looped and _is_set_back_elsewhere(node, context)


def _is_set_back_elsewhere(node: ast.Module | FunctionNode, context: FileContext) -> bool:
    """True where the file sets gradients back around a step. A function that goes back itself does so for its own,
    unless it takes this one too."""
    zeroes = _ZEROES.finditer(context.source.decode("utf-8", "replace"))
    lines = {match.string.count("\n", 0, match.start()) + 1 for match in zeroes}
    called = "" if isinstance(node, ast.Module) else rf"(?:(?<![\w.])|\bself\.){node.name}\("
    for part in statements(context.tree) if lines else ():
        if not isinstance(part, FunctionNode) or part is node:
            continue
        text = "\n".join(context.lines[part.lineno - 1 : part.end_lineno])
        if ".backward(" in text and not re.search(called, text):
            lines.difference_update(range(part.lineno, (part.end_lineno or part.lineno) + 1))
    return bool(lines)


def _without_gradients(node: ast.Module | FunctionNode, part: ast.Call | ast.Assign | ast.AugAssign) -> bool:
    """True for what stands under `torch.no_grad()` or its kin."""
    if any(_UNGRADED.search(ast.unparse(decorator)) for decorator in getattr(node, "decorator_list", ())):
        return True
    line = part.lineno
    return any(
        isinstance(block, ast.With)
        and block.lineno < line <= (block.end_lineno or block.lineno)
        and any(_UNGRADED.search(ast.unparse(item.context_expr)) for item in block.items)
        for block in statements(node)
    )


_IN_LOOPS = Watch((ast.For, ast.AsyncFor, ast.While), _on_loop, TORCH, outside_tests)
_BY_SCOPE = Watch((*FUNCTIONS, ast.Module), _on_scope, TORCH, outside_tests)

RULES: tuple[Rule, ...] = (
    rule_of(
        ITEM, "PB-M5", "MEDIUM",
        "`loss.item()` before `loss.backward()`, and a loss that is turned into a number before it.",
        "Reading the value makes the CPU wait for the GPU in every step; a number has no gradients at all.",
        "Call `backward()` first, and read the value every so many steps.",
        "In one function or script, where the name is not given another value in between.",
        _BY_SCOPE,
        (LOOP + "        loss = model(x)\n        total += loss.item()\n        loss.backward()\n",
         "loss = model(x)\nprint(loss.item())\nloss.backward()\n",
         "loss = model(x)\nseen += float(loss)\nloss.backward()\n",
         "def step(model, x):\n    loss = model(x).item()\n    loss.backward()\n",
         LOOP + "        loss = model(x)\n        seen += loss.item()\n        scaler.scale(loss / 2).backward()\n"),
        (LOOP + "        loss = model(x)\n        loss.backward()\n        total += loss.item()\n",
         "def two(model, x):\n    loss = model(x)\n    print(loss.item())\n    loss = model(x + 1)\n"
         "    loss.backward()\n"),
    ),
    rule_of(
        INPLACE, "PB-M7", "INFO",
        "In-place arithmetic on a tensor that was made with `requires_grad=True`.",
        "Autograd raises, or loses what it needs for the way back.",
        "Do it under `torch.no_grad()`, or write `w = w - step`.",
        "Inside one function or script.",
        NOTHING,
        ("def fit():\n    w = torch.zeros(3, requires_grad=True)\n    w -= 0.1\n",
         "w = torch.ones(2).requires_grad_()\nwith torch.no_grad():\n    w.mul_(2)\nw.clamp_(0, 1)\n",
         "w = torch.ones(2)\nw.requires_grad_()\nw[0] = 3\n"),
        ("def fit():\n    w = torch.zeros(3, requires_grad=True)\n    with torch.no_grad():\n        w -= 0.1\n",
         "w = torch.ones(2)\nw.mul_(2)\nw.requires_grad_()\n"),
    ),
    rule_of(
        MOVED, "PB-M8", "MEDIUM",
        "A model that is moved to its device inside a loop.",
        "Every iteration walks through all weights; an optimizer that was made before the move may hold the old ones.",
        "Move it once, before the optimizer is made; in the loop move the batch.",
        "In loops, for receivers that are named as models and stay the same in every iteration.",
        _IN_LOOPS,
        (LOOP + "        model.to(device)\n        model(x)\n",
         LOOP + "        model = model.cuda()\n        model(x)\n"),
        ("def train(model, data):\n    model.to(device)\n    for x in data:\n        model(x.to(device))\n",
         "def folds(parts):\n    for part in parts:\n        model = Net()\n        model.to(device)\n",
         "for encoder in encoders:\n    encoder.to(device)\n"),
    ),
    rule_of(
        ZERO, "PB-M9", "HIGH",
        "Training steps without `zero_grad()`.",
        "Gradients add up over all earlier steps, and the updates grow until nothing is learned.",
        "Call `optimizer.zero_grad(set_to_none=True)` before each `backward()`.",
        "In functions that call `backward()` and the optimizer's `step()`.",
        NOTHING,
        (LOOP + "        model(x).backward()\n        optimizer.step()\n",
         "sgd = torch.optim.SGD(model.parameters())\nfor x in data:\n    model(x).backward()\n    sgd.step()\n",
         LOOP + "        scaler.scale(model(x)).backward()\n        scaler.step(self.opt)\n",
         LOOP + "        critic(model(x)).backward()\n        opt_g.step()\n",
         "def train(model, data):\n    optimizer.zero_grad()\n    for x in data:\n        model(x).backward()\n"
         "        optimizer.step()\n",
         "def step(opt, x):\n    loss(x).backward()\n    opt.step()\n\n\n"
         "def other_step(opt, x):\n    opt.zero_grad()\n    loss(x).backward()\n    opt.step()\n"),
        (LOOP + "        optimizer.zero_grad()\n        model(x).backward()\n        optimizer.step()\n",
         LOOP + "        model(x).backward()\n        scheduler.step()\n",
         "def train(model, data):\n    for x in data:\n        optimizer.zero_grad()\n        for part in x:\n"
         "            model(part).backward()\n        optimizer.step()\n",
         "def step(self, x):\n    self.model(x).backward()\n    self.optimizer.step()\n\n\n"
         "def fit(self):\n    for x in self.data:\n        self.optimizer.zero_grad()\n        self.step(x)\n",
         "def step(opt, x):\n    loss(x).backward()\n    opt.step()\n\n\n"
         "def fit(opt, data):\n    for x in data:\n        opt.zero_grad()\n        step(opt, x)\n"
         "        other(x).backward()\n        opt.step()\n",
         LOOP + "        dist_autograd.backward(context_id, [model(x)])\n        optimizer.step(context_id)\n",
         "def loss_of(model, x):\n    model(x).backward()\n"),
    ),
)  # fmt: skip

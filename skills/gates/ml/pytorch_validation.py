"""The rule validation-without-eval of the skill pytorch-patterns."""

import ast
import re

from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import outside_tests
from skills.gates.engine.syntax import descendants
from skills.gates.ml.pytorch_patterns import FUNCTIONS, TORCH, is_model, rule_of
from skills.gates.rule import Rule, Watch

EVAL = "validation-without-eval"
_VALIDATES = lazy(
    r"(?:^|_)(?:val|valid|validate|validation|evaluate|eval|evaluation|infer|inference)(?:_|$)|^_?predict(?:_|$)"
    r"|^_?test(?:_(?:model|net|network|epoch|one_epoch|loop|step|loader|accuracy))?$",
    re.I,
)
# `load_model(path)` and `loader.exec_module(module)` end as models do, and run none.
_DOES = lazy(
    r"_*(?:exec|load|get|build|create|make|import|reload|init|setup|prepare|wrap|compile|convert|save|export|register|new"
    r"|from|to|download|fetch|resolve|select|find|list|update|delete|train|fit|parse|validate|set|with)_"
)
_TORCH_LIBRARIES = frozenset(
    {"torch", "torchvision", "torchaudio", "transformers", "diffusers", "timm", "peft", "sentence_transformers",
     "open_clip", "monai", "pytorch_lightning", "lightning", "fairseq", "segmentation_models_pytorch"}
)  # fmt: skip
_FRAMEWORK = frozenset({"validation_step", "test_step", "predict_step", "eval_step", "validation_epoch_end"})


def _on_validation(node: FunctionNode, context: FileContext) -> None:
    if not _VALIDATES.search(node.name) or (node.name in _FRAMEWORK and context.class_scope is not None):
        return
    owner = context.class_scope
    if owner is not None and re.search("infer|predict", node.name) and any(map(_is_module, owner.bases)):
        return  # a model that is made of others: who runs it sets it to evaluation
    runs = [
        part.func
        for part in descendants(ast.Module(node.body, []))
        if isinstance(part, ast.Call) and is_model(part.func) and part.args and not _DOES.match(last_name(part.func))
    ]
    if runs and all(_made_by_pipeline(model, node, context) for model in runs):
        return
    ready = [made for made in (_loaded_by(model, node, context) for model in runs) if made]
    if len(ready) == len(runs) and all(made.partition(".")[0] not in _TORCH_LIBRARIES for made in ready):
        return  # nothing is run, or no model of PyTorch
    outer = next((scope for scope in context.scopes if isinstance(scope, FunctionNode)), node)
    text = ast.unparse(outer)
    missing = []
    if (
        len(ready) < len(runs)
        and not all(_is_readied(model, node, context) for model in runs)
        and not re.search(r"\.eval\(\)|\.train\(False\)|\.train\(mode=False\)", text)
    ):
        missing.append("`model.eval()`: dropout and batch statistics stay on")
    if not re.search(r"no_grad|inference_mode|set_grad_enabled", text):
        missing.append("`torch.inference_mode()`: every step is kept for gradients")
    if missing:
        context.report(EVAL, node, f"{node.name} runs the model without {', and without '.join(missing)}",
                       symbol=context.symbol_of(node.name))  # fmt: skip


def _is_module(base: ast.expr) -> bool:
    """True for `nn.Module` and what is built on it by name."""
    return last_name(base) in {"Module", "ModuleList", "PreTrainedModel"} or last_name(base).endswith("Module")


def _is_pipeline(value: ast.expr) -> bool:
    """True for what makes a pipeline of a model, which runs it as it should be by itself."""
    return isinstance(value, ast.Call) and "pipeline" in last_name(value.func).lower()


def _is_readied(model: ast.expr, node: FunctionNode, context: FileContext) -> bool:
    """True for a model of `self` that another method of the class sets to evaluation, or that a class above loads."""
    owner = context.class_scope
    if owner is None or not isinstance(model, ast.Attribute) or last_name(model.value) != "self":
        return False
    stored = False
    for method in owner.body:
        if isinstance(method, FunctionNode) and _is_beside(method, node, owner, context):
            continue
        for part in descendants(method):
            if isinstance(part, ast.Attribute) and part.attr == "eval" and last_name(part.value) == model.attr:
                return True
    for part in descendants(owner):
        stored |= isinstance(part, ast.Attribute) and part.attr == model.attr and isinstance(part.ctx, ast.Store)
    return not stored and bool(owner.bases)


def _is_beside(method: FunctionNode, node: FunctionNode, owner: ast.ClassDef, context: FileContext) -> bool:
    """True for another method that sets the model to evaluation for itself: it goes back to training behind that, or
    it validates itself and the class trains elsewhere."""
    text = ast.unparse(method)
    trained = owner if _VALIDATES.search(method.name) else method
    trains = any(".train()" in line for line in context.lines[trained.lineno - 1 : trained.end_lineno])
    return trains and f"self.{node.name}(" not in text


def _made_by_pipeline(model: ast.expr, node: FunctionNode, context: FileContext) -> bool:
    text = ast.unparse(model)
    scope: ast.AST = node if isinstance(model, ast.Name) else (context.class_scope or node)
    bound = [
        part.value
        for part in descendants(scope)
        if isinstance(part, ast.Assign) and any(ast.unparse(target) == text for target in part.targets)
    ]
    return any(map(_is_pipeline, bound))


def _loaded_by(model: ast.expr, node: FunctionNode, context: FileContext) -> str:
    """The dotted name of what loaded a model by `from_pretrained`, which sets it to evaluation itself; "" for all
    others."""
    text = ast.unparse(model)
    scope: ast.AST = node if isinstance(model, ast.Name) else (context.class_scope or node)
    for part in descendants(scope):
        value = part.value if isinstance(part, (ast.Assign, ast.AnnAssign)) else None
        if isinstance(value, ast.Call) and last_name(value.func) == "from_pretrained":
            targets = part.targets if isinstance(part, ast.Assign) else [part.target]  # type: ignore[attr-defined]
            if any(ast.unparse(target) == text for target in targets):
                return context.resolve(value.func) or "from_pretrained"
    return ""


_EVALUATES = (
    "class Trainer:\n    def evaluate(self, x):\n        with torch.no_grad():\n            return self.model(x)\n\n"
)

RULES: tuple[Rule, ...] = (
    rule_of(
        EVAL, "PB-M1", "HIGH",
        "Functions that validate or infer with a model, without `eval()` or without switching gradients off.",
        "Dropout and batch norm go on as in training, so the figures are wrong; gradients fill the memory.",
        "Call `model.eval()` first and put the loop under `with torch.inference_mode():`.",
        "In functions named for validation, evaluation or inference that call the model. Steps of Lightning are "
        "left out.",
        Watch(FUNCTIONS, _on_validation, TORCH, outside_tests),
        ("def validate(model, data):\n    return [model(x) for x in data]\n",
         "def evaluate(net, data):\n    net.eval()\n    return net(data)\n",
         "def validation_step(model, batch):\n    return model(batch)\n",
         "from transformers import AutoModel\n\n\ndef infer(name, image):\n"
         "    model = AutoModel.from_pretrained(name)\n    return model(image)\n",
         "def test(net, data):\n    with torch.no_grad():\n        return net(data)\n",
         _EVALUATES + "    def sample(self, x):\n        self.model.eval()\n        show(self.model(x))\n"
         "        self.model.train()\n",
         _EVALUATES + "    def fit(self, x):\n        self.model.train()\n        step(x)\n\n"
         "    def validate(self, x):\n        self.model.eval()\n        with torch.no_grad():\n"
         "            return self.model(x)\n"),
        ("@torch.no_grad()\ndef validate(model, data):\n    model.eval()\n    return model(data)\n",
         "class M:\n    def validation_step(self, batch):\n        return self.model(batch)\n",
         "def validate(name):\n    return len(name)\n",
         "from torch import nn\n\n\nclass Coder(nn.Module):\n    def inference(self, x):\n"
         "        return self.encoder(x)\n",
         "class Runtime:\n    def load(self):\n        self._model = load_pipeline(self.settings)\n\n"
         "    def predict(self, x):\n        return self._model(x)\n",
         "def evaluate(spec, path):\n    spec.loader.exec_module(path)\n    return load_model(path)\n",
         "class Finder:\n    def load(self, path):\n        self.model = read(path)\n        self.model.eval()\n\n"
         "    def inference(self, x):\n        with torch.inference_mode():\n            return self.model(x)\n",
         _EVALUATES + "    def fit(self, x):\n        self.model.train()\n        step(x)\n        self.model.eval()\n"
         "        return self.evaluate(x)\n",
         "class Finder(Handler):\n    def inference(self, x):\n        with torch.inference_mode():\n"
         "            return self.model(x)\n",
         "from shop.models import AutoModel\n\n\nclass Finder:\n    def __init__(self, name):\n"
         "        self._model = AutoModel.from_pretrained(name)\n\n    def infer(self, image):\n"
         "        return self._model(image)\n",
         "from transformers import AutoModel\n\n\n@torch.inference_mode()\ndef infer(name, image):\n"
         "    model = AutoModel.from_pretrained(name)\n    return model(image)\n",
         "def validate(model, data):\n    def run_validate(part):\n        with torch.no_grad():\n"
         "            return model(part)\n\n    model.eval()\n    return run_validate(data)\n"),
    ),
)  # fmt: skip

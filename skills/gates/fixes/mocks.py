"""`unittest.mock` → the `mocker` fixture of pytest-mock, a whole file at once.

Every use of the stand-ins is found first; where one of them cannot be said with the fixture, nothing is changed,
because half a rewrite would keep the import.
"""

from dataclasses import dataclass

import libcst as cst

from skills.gates.fixes.cst import dotted, last_name, walk
from skills.gates.fixes.document import Document
from skills.gates.fixes.imports import bindings
from skills.gates.fixes.mock_examples import EXAMPLES
from skills.gates.fixes.mock_hosts import Host, host_of
from skills.gates.fixes.mock_patches import decorated, in_with, started
from skills.gates.fixes.model import CannotFix
from skills.gates.model import Finding

__all__ = ["EXAMPLES", "fix_bare_mock"]

_MODULES = ("unittest.mock", "mock", "mock.mock")
_CLASSES = frozenset(
    {
        "Mock", "MagicMock", "AsyncMock", "PropertyMock", "NonCallableMock", "NonCallableMagicMock", "create_autospec",
        "mock_open",
    }
)  # fmt: skip
_MARKS = frozenset({"ANY", "call", "sentinel", "DEFAULT", "seal"})
_DONE = "bare-mock: the file is rewritten"


@dataclass(slots=True)
class _Use:
    """One place that names a stand-in: the node (`Mock`, `mock.Mock`, `mock.patch`), and what it names."""

    node: cst.BaseExpression
    name: str


def fix_bare_mock(document: Document, finding: Finding) -> None:
    """Rewrite every use in the file; later findings of the file are mended by the first."""
    known = document.memo.get(_DONE)
    if known is None:
        try:
            _rewrite(document)
            known = ""
        except CannotFix as refusal:
            known = str(refusal)
        document.memo[_DONE] = known
    if known:
        raise CannotFix(str(known))


def _rewrite(document: Document) -> None:
    if "mocker" in document.names or _binds_mocker(document):
        raise CannotFix("`mocker` is another thing in this file")
    names = _stand_ins(document)
    uses = _uses(document, names)
    hosts = {host.function: host for host in [_plan(document, use) for use in uses]}
    for use in uses:
        _apply(document, use)
    for host in hosts.values():
        decorated(document, host, _patch_decorators(document, host, uses))
        host.take_mocker(document)
    for name in names:
        document.imports.release(name.partition(".")[0])


def _binds_mocker(document: Document) -> bool:
    """Whether the file binds the name in another way than as a parameter."""
    return any(
        isinstance(node, cst.FunctionDef | cst.ClassDef | cst.AssignTarget | cst.AsName)
        and "mocker" in (dotted(getattr(node, "target", None)), dotted(node.name if hasattr(node, "name") else None))
        for node in walk(document.module)
    )


def _stand_ins(document: Document) -> dict[str, str]:
    """Name as the file says it → "Mock", or "" for the module of the stand-ins."""
    found: dict[str, str] = {}
    for bound, full in bindings(document.module):
        module, _, name = full.rpartition(".")
        if full in _MODULES:
            found["unittest.mock" if bound == "unittest" else bound] = ""
        elif module in _MODULES and name == "*":
            raise CannotFix("a star import hides which names are stand-ins")
        elif module in _MODULES and name not in _MARKS:
            found[bound] = name
        elif full == "unittest":
            found.setdefault(f"{bound}.mock", "")
    if bound_again := {name.partition(".")[0] for name in found} & document.bound():
        raise CannotFix(f"`{sorted(bound_again)[0]}` is bound again in the file")
    return found


def _uses(document: Document, names: dict[str, str]) -> list[_Use]:
    roots = {name.partition(".")[0] for name in names}
    found = []
    for node in walk(document.module):
        if not isinstance(node, cst.Name) or node.value not in roots or not _is_read(document, node):
            continue
        whole: cst.BaseExpression = node
        while dotted(whole) not in names:
            above = document.parents[whole]
            if not isinstance(above, cst.Attribute):
                break
            whole = above
        said = dotted(whole)
        if said not in names:
            continue  # `unittest.TestCase`, say
        name = names[said]
        if not name:
            above = document.parents[whole]
            if not isinstance(above, cst.Attribute):
                raise CannotFix(f"`{said}` itself is passed on")
            whole, name = above, above.attr.value
        if name not in _MARKS:
            found.append(_Use(whole, name))
    return found


def _is_read(document: Document, node: cst.Name) -> bool:
    above = document.parents[node]
    if isinstance(above, cst.Attribute) and above.attr is node:
        return False
    if isinstance(above, cst.Arg) and above.keyword is node:
        return False
    return not any(
        isinstance(part, cst.ImportAlias | cst.ImportFrom | cst.Annotation) for part in (above, *document.around(above))
    )


def _plan(document: Document, use: _Use) -> Host:
    """Where a use can get the fixture from. Raises `CannotFix` where it cannot."""
    if use.name != "patch" and use.name not in _CLASSES:
        raise CannotFix(f"`{use.name}` has no counterpart in the fixture")
    return host_of(document, use.node)


def _apply(document: Document, use: _Use) -> None:
    """Note the change of one use; what a decorator says is moved with its function."""
    if use.name == "patch":
        call = _call_of(document, use.node)
        above = document.parents[call]
        if isinstance(above, cst.WithItem):
            in_with(document, above)
        elif not isinstance(above, cst.Decorator) and last_name(call.func) != "stopall":
            started(document, call)
    document.change(use.node, lambda now: _of_mocker(now, use.name))


def _of_mocker(now: cst.BaseExpression, name: str) -> cst.Attribute:
    return cst.Attribute(cst.Name("mocker"), cst.Name(name), lpar=now.lpar, rpar=now.rpar)


def _call_of(document: Document, node: cst.BaseExpression) -> cst.Call:
    """The call of `patch`, `patch.object`, `patch.dict`; raises `CannotFix` for anything else."""
    function: cst.CSTNode = node
    above = document.parents[function]
    if isinstance(above, cst.Attribute) and above.value is function:
        if above.attr.value not in ("object", "dict", "stopall"):
            raise CannotFix(f"`patch.{above.attr.value}` is not rewritten")
        function, above = above, document.parents[above]
    if not isinstance(above, cst.Call) or above.func is not function:
        raise CannotFix("`patch` itself is passed on")
    return above


def _patch_decorators(document: Document, host: Host, uses: list[_Use]) -> list[cst.Decorator]:
    """The decorators of a function that patch, the lowest first."""
    of_uses = {id(above) for use in uses if use.name == "patch" for above in document.around(use.node)}
    found = []
    for decorator in reversed(host.function.decorators):
        if id(decorator) not in of_uses:
            continue
        call = decorator.decorator
        if not isinstance(call, cst.Call) or last_name(call.func) not in ("patch", "object", "dict"):
            raise CannotFix("a decorator uses `patch` in another way than calling it")
        found.append(decorator)
    return found

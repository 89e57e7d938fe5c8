"""What a view hands to a function of its file that runs, opens or fetches it."""

import ast

from skills.gates.engine.context import FileContext
from skills.gates.model import Severity
from skills.gates.security.request_checks import CHECKS
from skills.gates.security.request_data import Origin
from skills.gates.security.request_flow import Flow
from skills.gates.security.request_helpers import Followed
from skills.gates.security.request_sinks import sink_of

_PASSED = "request data: what functions of the file do with it"


def passed_on(node: ast.Call, flow: Flow, context: FileContext) -> tuple[Origin, str, Severity] | None:
    """(origin, what happens with it, how bad) of a call of a function of the file that does harm with what it is
    given; what is stored or looked up there is the business of the function."""
    found = flow.follow(node)
    if found is None or not found.held or CHECKS.search(found.function.name):
        return None
    known = context.memo.setdefault(_PASSED, {})
    assert isinstance(known, dict)
    if found.key not in known:
        known[found.key] = None  # what calls itself does nothing new
        known[found.key] = _harm(found, context)
    harm = known[found.key]
    if harm is None:
        return None
    parameter, what, severity = harm
    return found.held[parameter], what, severity


def _harm(found: Followed, context: FileContext) -> tuple[str, str, Severity] | None:
    """(parameter, what happens with it, how bad)."""
    with found.entered(context):
        inner = Flow(found.function, context, found)
        for step in inner.steps():
            if not isinstance(step, ast.Call):
                continue
            sink = sink_of(step, inner, context) or passed_on(step, inner, context)
            if sink is not None and sink[2] in {"CRITICAL", "HIGH"}:
                for parameter, origin in found.held.items():
                    if origin.node is sink[0].node:
                        return parameter, sink[1], sink[2]
    return None

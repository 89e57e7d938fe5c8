"""Which rules have a fixer, and whether one of their findings is worth a try. Nothing here needs LibCST."""

import ast
from collections.abc import Mapping

from skills.gates.engine.context import FileContext
from skills.gates.fixes.model import Fixer
from skills.gates.fixes.preconditions import (
    is_asked_of_manager,
    is_certain_copy,
    is_movable_call,
    is_no_element,
    is_replaceable_mock,
    is_untyped_handler,
    needs_only_none,
    whatever,
)

_FIXERS = (
    Fixer("bare-mock", "skills.gates.fixes.mocks", is_replaceable_mock, whole=True),
    Fixer("sync-sleep-in-async", "skills.gates.fixes.waiting", whatever),
    Fixer("blocking-io-in-async", "skills.gates.fixes.waiting", is_movable_call),
    Fixer("missing-to-thread", "skills.gates.fixes.waiting", whatever),
    Fixer("unnecessary-list-allocation", "skills.gates.fixes.allocations", is_no_element),
    Fixer("redundant-data-copies", "skills.gates.fixes.allocations", is_certain_copy),
    Fixer("n-plus-one", "skills.gates.fixes.queries", whatever),
    Fixer("test-docstring", "skills.gates.fixes.removals", whatever),
    Fixer("noisy-comment", "skills.gates.fixes.removals", whatever),
    Fixer("unordered-queryset", "skills.gates.fixes.rows", whatever),
    Fixer("exists-then-create", "skills.gates.fixes.rows", is_asked_of_manager),
    Fixer("none-comparison", "skills.gates.fixes.idioms", whatever),
    Fixer("type-comparison", "skills.gates.fixes.idioms", whatever),
    Fixer("bare-except", "skills.gates.fixes.idioms", is_untyped_handler),
    Fixer("raise-without-from", "skills.gates.fixes.idioms", whatever),
    Fixer("mutable-default", "skills.gates.fixes.idioms", whatever),
    Fixer("missing-type-hints", "skills.gates.fixes.hints", needs_only_none),
)

FIXES: Mapping[str, Fixer] = {fixer.rule: fixer for fixer in _FIXERS}


def is_fixable(rule: str, node: ast.AST, context: FileContext, message: str) -> bool:
    """Whether a finding has a fixer and its cheap precondition holds."""
    fixer = FIXES.get(rule)
    return fixer is not None and fixer.may(node, context, message)

"""The words of fixing: what mends a finding, when it may, and what came of it."""

import ast
from collections.abc import Callable, Mapping
from dataclasses import field

from skills.gates.engine.context import FileContext
from skills.record import record

May = Callable[[ast.AST, FileContext, str], bool]
"""(node, its file, the message) → whether a fix is worth a try. It runs with the check, so it is cheap."""


class CannotFix(Exception):
    """Why a finding has no automatic fix, in one line for a person."""


@record
class Fixer:
    """How the findings of one rule are mended.

    `module` holds a function `fix_<rule>(document, finding)` that notes its changes in the document or raises
    `CannotFix`; it is imported on first use only, because LibCST takes longer to load than a file to check. With
    `whole` it mends all findings of a file or none, so that parts of them need not be tried.
    """

    rule: str
    module: str
    may: May
    whole: bool = False

    @property
    def function(self) -> str:
        """The name of the function in `module`."""
        return "fix_" + self.rule.replace("-", "_")


@record
class FixExample:
    """A source before and after its findings of a rule were fixed; equal where the fix is refused.

    `reason` is a part of the reason of the refusal.
    """

    rule: str
    before: str
    after: str = ""
    path: str = "shop/orders.py"
    reason: str = ""


@record
class FixResult:
    """The new source (the old one where nothing was fixed), the fingerprints of what was fixed, and the reason of each
    finding that was not."""

    source: str
    fixed: frozenset[str] = frozenset()
    unfixable: Mapping[str, str] = field(default_factory=dict)

"""Fixes of findings: the source text and its findings in, the new source text out.

`FIXES` names the rules that can be mended. `fix` loads LibCST on its first call, so that a check never does.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from skills.gates.fixes.model import CannotFix, Fixer, FixExample, FixResult
from skills.gates.fixes.registry import FIXES, is_fixable

if TYPE_CHECKING:
    from skills.gates.model import Finding

__all__ = ["FIXES", "CannotFix", "FixExample", "FixResult", "Fixer", "fix", "fix_examples", "is_fixable"]


def fix(source: str, findings: "Sequence[Finding]", longest: int | None = None) -> FixResult:
    """The source with as many of the findings (of one file) mended as can be; see `apply.fix`."""
    from skills.gates.fixes.apply import fix as fix_file

    return fix_file(source, findings, longest)


def fix_examples() -> tuple[FixExample, ...]:
    """The before and after of every fixer."""
    from importlib import import_module

    modules = dict.fromkeys(fixer.module for fixer in FIXES.values())
    return tuple(example for name in modules for example in import_module(name).EXAMPLES)

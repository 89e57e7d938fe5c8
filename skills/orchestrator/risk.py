"""Risk keywords of a prompt (performance orchestrator, pre-analysis). A keyword flags; it never blocks."""

import re
from typing import Literal

from skills.record import record

RiskLevel = Literal["NONE", "LOW", "MEDIUM", "HIGH", "CRITICAL"]
RISK_ORDER: tuple[RiskLevel, ...] = ("NONE", "LOW", "MEDIUM", "HIGH", "CRITICAL")


@record
class RiskKeyword:
    """A keyword that was found; `offset` in characters from the start of the text."""

    keyword: str
    level: RiskLevel
    offset: int


@record
class Risk:
    """The highest level that words of a prompt reach, and all of those words."""

    level: RiskLevel
    keywords: tuple[RiskKeyword, ...]

    @property
    def leading(self) -> str:
        """The first keyword of the level in force, empty where nothing matched."""
        return next((found.keyword for found in self.keywords if found.level == self.level), "")


# identifiers stand alone (`test` is not in "latest"); prose may be inflected, class names may carry a prefix
_KEYWORDS: tuple[tuple[str, RiskLevel, str], ...] = (
    ("tenant_id", "CRITICAL", r"(?<![A-Za-z0-9_])tenant_id(?![A-Za-z0-9_])"),
    ("filter(tenant", "CRITICAL", r"(?<![A-Za-z0-9_])filter\(\s*tenant"),
    (".filter(company_id", "CRITICAL", r"\.filter\(\s*company_id(?![A-Za-z0-9_])"),
    ("ViewSet", "HIGH", r"(?<![A-Za-z0-9_])(?:[A-Z][A-Za-z0-9]*)?ViewSets?(?![A-Za-z0-9_])"),
    ("business logic", "HIGH", r"(?<![A-Za-z0-9_])business\s+logic(?![A-Za-z0-9_])"),
    ("Mock()", "HIGH", r"(?<![A-Za-z0-9_])Mock\(\)"),
    ("serializer.save()", "HIGH", r"(?<![A-Za-z0-9_])serializer\.save\(\)"),
    ("query", "MEDIUM", r"(?<![A-Za-z0-9_])quer(?:y|ies|ying)(?![A-Za-z0-9_])"),
    ("objects.all()", "MEDIUM", r"(?<![A-Za-z0-9_])objects\.all\(\)"),
    ("def test_", "MEDIUM", r"(?<![A-Za-z0-9_])def\s+test_"),
    ("test", "MEDIUM", r"(?<![A-Za-z0-9_])test(?:s|ed|ing)?(?![A-Za-z0-9_])"),
    ("comment", "LOW", r"(?<![A-Za-z0-9_])comment(?:s|ed|ing)?(?![A-Za-z0-9_])"),
    ("docstring", "LOW", r"(?<![A-Za-z0-9_])docstrings?(?![A-Za-z0-9_])"),
    ("type hint", "LOW", r"(?<![A-Za-z0-9_])type[\s-]hints?(?![A-Za-z0-9_])"),
)
_PATTERNS = tuple((keyword, level, re.compile(pattern, re.IGNORECASE)) for keyword, level, pattern in _KEYWORDS)


def assess_risk(text: str) -> Risk:
    """The risk of a prompt: the highest level of its keywords (each listed once, where it stands first)."""
    found = [
        RiskKeyword(keyword, level, match.start())
        for keyword, level, pattern in _PATTERNS
        if (match := pattern.search(text))
    ]
    found.sort(key=lambda one: (-RISK_ORDER.index(one.level), one.offset))
    return Risk(found[0].level if found else "NONE", tuple(found))

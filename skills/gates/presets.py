"""Presets: groups of rules for one question, named as the commands that agents know them by."""

from collections.abc import Mapping

PRESETS: Mapping[str, tuple[str, ...]] = {
    "quick-audit": ("P0", "raw-sql-interpolation", "hardcoded-secret", "insecure-settings", "n-plus-one"),
    "check-tenant": ("multi-tenant-guardian",),
    "check-contract": ("openapi-undocumented", "openapi-drift", "undeclared-path-parameter"),
    "query-analysis": (
        "n-plus-one", "unordered-queryset", "filter-in-python", "exists-then-create", "redundant-fetch",
        "n-update-delete-loop", "unnecessary-resolve", "over-fetching", "missing-bulk-ops", "wrong-caching-scope",
    ),
    "coverage": ("missing-coverage",),
}  # fmt: skip
"""Preset → names of rules, gates and skills, as `select` understands them."""


def preset_words(name: str, known: frozenset[str]) -> tuple[str, ...]:
    """The words of a preset that name something; empty where nothing of it is known. KeyError for no preset."""
    return tuple(word for word in PRESETS[name] if word in known)

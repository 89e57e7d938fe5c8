"""Every rule and every observer, one line for each file of a skill."""

import importlib
from collections.abc import Iterator, Mapping

from skills.gates import (
    celery_settings,
    code_style_enforcer,
    comment_rules,
    cors,
    coverage,
    django_architecture_enforcer,
    django_celery,
    django_patterns,
    django_security,
    django_testing_patterns,
    drf_permissions,
    drf_serializer_patterns,
    exists_then_create,
    facts,
    fastapi_callers,
    fastapi_layers,
    fastapi_patterns,
    fastapi_security,
    filter_in_python,
    hardcoded_secret,
    insecure_settings,
    ml_promotion,
    mle_workflow,
    multi_tenant_guardian,
    n_plus_one,
    openapi_contract_validator,
    openapi_routes,
    python_patterns,
    python_resources,
    python_testing,
    pytorch_patterns,
    query_in_loop,
    raw_sql,
    recsys_pipeline_architect,
    relations,
    response_data,
    serializer_rows,
    service_layer,
    silenced,
    testing_aaa,
    testing_gaps,
    testing_style,
    transaction_auditor,
    unordered_queryset,
    unscoped_query,
    unvalidated_input,
)
from skills.gates.rule import STRICT, Observer, Rule

_SKILLS = (
    multi_tenant_guardian,
    unscoped_query,
    django_architecture_enforcer,
    django_testing_patterns,
    code_style_enforcer,
    raw_sql,
    testing_aaa,
    insecure_settings,
    cors,
    testing_style,
    hardcoded_secret,
    comment_rules,
    unvalidated_input,
    transaction_auditor,
    silenced,
    drf_serializer_patterns,
    coverage,
    fastapi_callers,
    fastapi_layers,
    fastapi_patterns,
    fastapi_security,
    n_plus_one,
    response_data,
    django_security,
    drf_permissions,
    django_celery,
    exists_then_create,
    filter_in_python,
    celery_settings,
    unordered_queryset,
    service_layer,
    python_patterns,
    python_resources,
    python_testing,
    pytorch_patterns,
    recsys_pipeline_architect,
    mle_workflow,
    openapi_contract_validator,
    query_in_loop,
    django_patterns,
    testing_gaps,
    ml_promotion,
)

_LATER: Mapping[str, tuple[str, ...]] = {
    "loop_writes": (
        "n-update-delete-loop",
        "missing-bulk-ops",
    ),
    "redundant_fetch": (
        "redundant-fetch",
        "unnecessary-resolve",
    ),
    "over_fetching": ("over-fetching",),
    "request_caches": ("wrong-caching-scope",),
    "commit_order": ("scope-too-narrow",),
    "missing_rollback": ("missing-rollback",),
    "event_channels": ("event-channel-consistency",),
    "trigger_commits": ("missing-intermediate-commits",),
    "session_scope": (
        "resource-scope-mismatch",
        "error-path-leak",
    ),
    "resource_lifecycle_auditor": (
        "pool-configuration",
        "missing-cleanup",
    ),
    "injected_sessions": (
        "streaming-resource-holding",
        "factory-vs-injection",
    ),
    "runtime_performance_auditor": (
        "blocking-io-in-async",
        "sync-sleep-in-async",
    ),
    "runtime_allocations": ("unnecessary-list-allocation",),
    "runtime_strings": ("string-concat-in-loop",),
    "runtime_copies": ("redundant-data-copies",),
    "missing_to_thread": ("missing-to-thread",),
}
"""Modules whose rules all run on demand only (the audit's): loaded when one of their rules is first asked for."""

_MODULE_OF = {name: module for module, names in _LATER.items() for name in names}


class _Rules(Mapping[str, Rule]):
    """Every rule by name. Those of `_LATER` are loaded with the first question for one of them."""

    def __init__(self, known: dict[str, Rule]) -> None:
        self._known = known
        self._names = (*known, *(name for name in _MODULE_OF if name not in known))

    def __getitem__(self, name: str) -> Rule:
        if name not in self._known and name in _MODULE_OF:
            module = importlib.import_module(f"skills.gates.{_MODULE_OF[name]}")
            self._known.update({rule.name: rule for rule in module.RULES})
        return self._known[name]

    def __contains__(self, name: object) -> bool:
        return name in self._known or name in _MODULE_OF

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


_AT_ONCE = {rule.name: rule for skill in _SKILLS for rule in skill.RULES}
GATED: Mapping[str, Rule] = {name: rule for name, rule in _AT_ONCE.items() if rule.gate != "none"}
"""The rules of P0, P1 and P2."""
RULES: Mapping[str, Rule] = _Rules(_AT_ONCE)
COMMON = tuple(name for name, rule in GATED.items() if rule.profiles != STRICT)
"""The rules that run without being asked for, in other than the strict profiles."""

OBSERVERS: tuple[Observer, ...] = (
    *facts.OBSERVERS,
    *relations.OBSERVERS,
    *unordered_queryset.OBSERVERS,
    *serializer_rows.OBSERVERS,
    *service_layer.OBSERVERS,
    *openapi_routes.OBSERVERS,
    *query_in_loop.OBSERVERS,
    *ml_promotion.OBSERVERS,
)

RULESET_VERSION = "5:" + ",".join(sorted(RULES))
"""Changes where the answers for the same input change: raise the number, or add a rule."""

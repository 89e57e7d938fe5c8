"""Every rule and every observer, one line for each file of a skill."""

from collections.abc import Mapping

from skills.gates import (
    code_style_enforcer,
    comment_rules,
    cors,
    coverage,
    django_architecture_enforcer,
    django_security,
    django_testing_patterns,
    drf_permissions,
    drf_serializer_patterns,
    facts,
    fastapi_layers,
    fastapi_patterns,
    fastapi_security,
    hardcoded_secret,
    insecure_settings,
    missing_to_thread,
    multi_tenant_guardian,
    n_plus_one,
    raw_sql,
    relations,
    resource_lifecycle_auditor,
    response_data,
    runtime_allocations,
    runtime_copies,
    runtime_performance_auditor,
    runtime_strings,
    silenced,
    testing_aaa,
    testing_style,
    transaction_auditor,
    unscoped_query,
    unvalidated_input,
)
from skills.gates.rule import Observer, Rule

_SKILLS = (
    multi_tenant_guardian,
    unscoped_query,
    django_architecture_enforcer,
    django_testing_patterns,
    code_style_enforcer,
    raw_sql,
    runtime_performance_auditor,
    testing_aaa,
    insecure_settings,
    cors,
    testing_style,
    runtime_allocations,
    hardcoded_secret,
    runtime_strings,
    runtime_copies,
    comment_rules,
    missing_to_thread,
    unvalidated_input,
    transaction_auditor,
    silenced,
    drf_serializer_patterns,
    resource_lifecycle_auditor,
    coverage,
    fastapi_layers,
    fastapi_patterns,
    fastapi_security,
    n_plus_one,
    response_data,
    django_security,
    drf_permissions,
)

RULES: Mapping[str, Rule] = {rule.name: rule for skill in _SKILLS for rule in skill.RULES}
OBSERVERS: tuple[Observer, ...] = (*facts.OBSERVERS, *relations.OBSERVERS)

RULESET_VERSION = "1:" + ",".join(sorted(RULES))
"""Changes where the answers for the same input change: raise the number, or add a rule."""

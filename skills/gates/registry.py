"""Every rule and every observer: what a rule is called and which gate it is of is known without loading it."""

import importlib
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache

from skills.gates.model import FileReport, Gate
from skills.gates.rule import Observer, Rule

_CATALOGUE: Mapping[str, str] = {
    "tenancy.multi_tenant_guardian": "P0 manual-tenant-filter",
    "tenancy.unscoped_query": "P0 unscoped-tenant-query",
    "django.django_architecture_enforcer": "P0 logic-in-view",
    "testing.django_testing_patterns": "P0 bare-mock",
    "style.code_style_enforcer": "P1 missing-type-hints, P2 missing-all",
    "security.raw_sql": "P1 raw-sql-interpolation",
    "testing.aaa": "P1 test-not-aaa",
    "security.insecure_settings": "P1 insecure-settings",
    "security.cors": "P1 cors-wildcard-credentials",
    "testing.style": "P1 test-without-assertion, P2 test-docstring*, P2 test-naming*",
    "security.hardcoded_secret": "P1 hardcoded-secret",
    "style.comment_rules": "P2 noisy-comment*, P2 non-english-comment",
    "security.unvalidated_input": "P1 unvalidated-input, P1 mass-assignment",
    "persistence.transaction_auditor": (
        "none scope-too-wide, none long-held-transaction, none task-before-commit, none swallowed-db-error"
    ),
    "style.silenced": "P2 unused-suppression, P2 suppression-without-reason",
    "django.drf_serializer_patterns": "P0 logic-in-serializer, P2 serializer-all-fields",
    "testing.coverage": "P1 missing-coverage",
    "fastapi.callers": "P1 write-without-auth",
    "fastapi.layers": "P1 logic-in-router, P1 commit-after-yield, P1 mixed-frameworks",
    "fastapi.fastapi_patterns": "P1 missing-response-model, P1 untyped-body, P1 unpaginated-list",
    "fastapi.clients": "P1 client-per-request",
    "security.jwt_tokens": "P1 jwt-decode-unsafe",
    "fastapi.security": "P1 secret-in-response",
    "django.n_plus_one": "P1 n-plus-one",
    "fastapi.response_data": "P1 orm-in-response",
    "security.trusted_html": "P1 unsafe-mark-safe",
    "security.django_security": "P1 csrf-exempt",
    "security.uploads": "P1 upload-without-validation",
    "security.drf_open_defaults": "P1 drf-open-defaults",
    "security.drf_permissions": "P1 view-without-permissions",
    "celery.django_celery": "P1 model-to-task, P1 sync-result-in-view",
    "celery.atomic": "P1 delay-in-atomic",
    "celery.guards": "P1 task-without-guard",
    "django.exists_then_create": "P1 exists-then-create",
    "django.filter_in_python": "P1 filter-in-python",
    "celery.settings": "P2 celery-settings, P1 beat-in-worker",
    "django.unordered_queryset": "P1 unordered-queryset",
    "django.service_layer": "P2 service-static-methods, P2 multi-write-without-atomic",
    "style.python_patterns": (
        "P1 mutable-default, P1 bare-except, P1 star-import, P1 none-comparison, P1 type-comparison"
    ),
    "style.python_resources": "P1 open-without-with, P1 raise-without-from",
    "testing.caught_errors": "P1 try-in-test",
    "testing.python_testing": "P2 print-in-test, P2 patch-without-autospec*, P1 sleep-in-test",
    "ml.pytorch_validation": "P1 validation-without-eval",
    "ml.pytorch_patterns": ("P1 training-without-seed, P1 torch-load-unsafe, P1 torch-save-model, P1 hardcoded-cuda"),
    "ml.pytorch_training": (
        "P1 item-before-backward, P2 inplace-on-grad, P1 model-moved-in-loop, P1 zero-grad-missing"
    ),
    "ml.recsys_pipeline_architect": (
        "P1 pipeline-stage-order, P1 filter-after-scorer, P1 awaited-side-effect, P2 pipeline-without-diversity"
    ),
    "ml.mle_workflow": "P1 shuffled-time-series, P1 unsafe-deserialisation",
    "ml.promotion_gates": "P1 gate-not-closed",
    "fastapi.openapi_contract_validator": "P2 openapi-undocumented, P2 openapi-drift",
    "fastapi.path_parameters": "P2 undeclared-path-parameter",
    "django.query_in_loop": "P1 query-in-loop",
    "django.unindexed_filter": "P2 unindexed-filter",
    "django.django_patterns": "P1 heavy-signal, P2 foreign-key-defaults*, P2 single-settings-module*",
    "testing.gaps": (
        "P2 endpoint-without-permission-test*, P2 fixture-over-factory*, P2 untested-function*, P2 skipped-test*"
    ),
    "ml.ml_promotion": (
        "P1 promotion-gate-missing, P2 rollback-artifact-missing, P2 run-record-incomplete, P2 preprocessing-duplicated"
    ),
    "persistence.loop_writes": "none n-update-delete-loop, none missing-bulk-ops",
    "persistence.redundant_fetch": "none redundant-fetch, none unnecessary-resolve",
    "persistence.over_fetching": "none over-fetching",
    "persistence.request_caches": "none wrong-caching-scope",
    "persistence.missing_rollback": "none missing-rollback",
    "persistence.commit_order": "none scope-too-narrow",
    "persistence.event_channels": "none event-channel-consistency",
    "persistence.trigger_commits": "none missing-intermediate-commits",
    "persistence.session_scope": "none resource-scope-mismatch, none error-path-leak",
    "persistence.resource_lifecycle_auditor": "none pool-configuration, none missing-cleanup",
    "persistence.session_streams": "none streaming-resource-holding",
    "persistence.injected_sessions": "none factory-vs-injection",
    "runtime.runtime_performance_auditor": "none blocking-io-in-async, none sync-sleep-in-async",
    "runtime.allocations": "none unnecessary-list-allocation",
    "runtime.strings": "none string-concat-in-loop",
    "runtime.copies": "none redundant-data-copies",
    "runtime.missing_to_thread": "none missing-to-thread",
}
"""Module → its rules in their order, each behind its gate; a star: a question of taste, on in the strict profiles only.

A hook asks about the few rules of P0, and loads those.
"""

P0_OBSERVING = (
    "django.facts",
    "tenancy.facts",
    "django.relations",
    "django.view_scopes",
    "tenancy.unscoped_checks",
    "tenancy.unscoped_callers",
)
"""The modules whose facts rules of P0 ask for."""
P0_FACTS = frozenset(
    {
        *(
            "asks-key",
            "field",
            "imported-framework",
            "manager",
            "manager-class",
            "mapped",
            "model",
            "model-published",
            "model-read",
        ),
        *("narrows", "random-column", "relation", "service-asked", "table", "tenant-field", "tenant-manager"),
        *("tenant-middleware", "tenant-own-app", "tenant-rls", "tenant-rls-tables", "tenant-settings"),
        *("fills-tenant", "filtered-by-hand", "tenant-shared-app", "view-class"),
    }
)
"""The kinds of the facts that rules of P0 ask for."""
_OBSERVING = (
    *(
        "django.unordered_queryset",
        "django.row_managers",
        "django.serializer_rows",
        "django.service_layer",
        "fastapi.openapi_routes",
        "fastapi.openapi_fields",
        "fastapi.path_parameters",
        "django.unindexed_filter",
        "ml.ml_promotion",
    ),
    *P0_OBSERVING,
)


def _listed() -> Iterator[tuple[str, str, str]]:
    for module, words in _CATALOGUE.items():
        for word in words.split(", "):
            gate, _, name = word.partition(" ")
            yield module, gate, name


_MODULE_OF = {name.removesuffix("*"): module for module, _, name in _listed()}
GATES: Mapping[str, Gate] = {name.removesuffix("*"): gate for _, gate, name in _listed()}  # type: ignore[misc]
"""The gate of every rule."""
P0 = frozenset(name for name, gate in GATES.items() if gate == "P0")
"""The rules that block."""
TASTE = frozenset(name.removesuffix("*") for _, _, name in _listed() if name.endswith("*"))
"""The rules that are on in the strict profiles only, unless they are asked for."""
GATED = tuple(name for name, gate in GATES.items() if gate != "none")
"""The rules of P0, P1 and P2."""
COMMON = tuple(name for name in GATED if name not in TASTE)
"""The rules that run without being asked for, in other than the strict profiles."""

_RESTING: Mapping[str, str] = {
    "Django": (
        "logic-in-view, logic-in-serializer, filter-in-python, unordered-queryset, unindexed-filter, heavy-signal,"
        " csrf-exempt, serializer-all-fields, foreign-key-defaults, single-settings-module"
    ),
    "Django REST framework": "drf-open-defaults, view-without-permissions",
    "FastAPI": (
        "logic-in-router, commit-after-yield, mixed-frameworks, missing-response-model, untyped-body,"
        " unpaginated-list, write-without-auth, undeclared-path-parameter"
    ),
    "Celery": (
        "model-to-task, sync-result-in-view, delay-in-atomic, task-without-guard, celery-settings, beat-in-worker"
    ),
    "PyTorch": (
        "validation-without-eval, training-without-seed, torch-load-unsafe, torch-save-model, hardcoded-cuda,"
        " item-before-backward, inplace-on-grad, model-moved-in-loop, zero-grad-missing"
    ),
}
FRAMEWORKS: Mapping[str, str] = {name: framework for framework, names in _RESTING.items() for name in names.split(", ")}
"""Rule → the framework without which there is nothing that it could find."""


class _Rules(Mapping[str, Rule]):
    """Every rule by name. A module is loaded with the first question for one of its rules."""

    def __init__(self) -> None:
        self._known: dict[str, Rule] = {}

    def __getitem__(self, name: str) -> Rule:
        if name not in self._known:
            module = importlib.import_module(f"skills.gates.{_MODULE_OF[name]}")
            self._known.update({rule.name: rule for rule in module.RULES})
        return self._known[name]

    def __contains__(self, name: object) -> bool:
        return name in _MODULE_OF

    def __iter__(self) -> Iterator[str]:
        return iter(_MODULE_OF)

    def __len__(self) -> int:
        return len(_MODULE_OF)


RULES: Mapping[str, Rule] = _Rules()


def told_to_p0(report: FileReport | None) -> Counter[tuple[str, str, str, int]]:
    """What a file tells of the project that rules of P0 ask for, whatever lines it stands on."""
    facts = report.facts if report is not None else ()
    return Counter((one.kind, one.name, one.detail, one.count) for one in facts if one.kind in P0_FACTS)


@cache
def observers(names: tuple[str, ...] = _OBSERVING) -> tuple[Observer, ...]:
    """Every observer, or those of some modules."""
    modules = [importlib.import_module(f"skills.gates.{name}") for name in names]
    return tuple(observer for module in modules for observer in module.OBSERVERS)


RULESET_VERSION = "99:" + ",".join(sorted(RULES))
"""Changes where the answers for the same input change: raise the number, or add a rule."""

"""The answers by name, and the JSON Schema of each."""

from typing import Any

from cockpit.answers import agents, asking, bench, day, gates, money, processes, skills

# a command, or a command and its deed with a hyphen
ANSWERS: dict[str, type] = {
    "check": gates.Check,
    "audit": gates.Audit,
    "rules": gates.Rules,
    "trust": gates.Trust,
    "hooks": gates.Hooks,
    "sweep": gates.Sweep,
    "verify": gates.Verify,
    "verify-confirm": gates.VerifyConfirm,
    "status": agents.StatusLine,
    "sessions": agents.Sessions,
    "watch": agents.Event,
    "record": agents.RecordedLine,
    "analyze": asking.Analyze,
    "route": asking.Route,
    "route-map": asking.RouteMap,
    "route-decide": asking.RouteDecide,
    "skills-list": skills.SkillsList,
    "skills-show": skills.SkillsShow,
    "skills-lint": skills.SkillsLint,
    "skills-install": skills.SkillsInstall,
    "habits": agents.Habits,
    "blame": agents.Blame,
    "spend": money.Spend,
    "spend-tree": money.SpendTree,
    "spend-report": money.SpendReport,
    "spend-suggest": money.SpendSuggest,
    "spend-estimate": money.SpendEstimate,
    "spend-explain": money.SpendExplain,
    "spend-add": money.SpendAdd,
    "spend-export": money.SpendExport,
    "budget": money.Budget,
    "budget-set": money.BudgetSet,
    "budget-check": money.BudgetCheck,
    "budget-notify": money.BudgetNotify,
    "limits": money.Limits,
    "worktree-list": day.WorktreeList,
    "worktree-new": day.WorktreeNew,
    "worktree-merge": day.WorktreeMerge,
    "worktree-remove": day.WorktreeRemove,
    "worktree-undo": day.WorktreeUndo,
    "worktree-refused": day.WorktreeRefused,
    "worktree-forecast": day.WorktreeForecast,
    "worktree-clean": day.WorktreeClean,
    "worktree-reconcile": day.WorktreeReconcile,
    "worktree-adopt": day.WorktreeAdopt,
    "worktree-sync": day.WorktreeSync,
    "worktree-stale": day.WorktreeStale,
    "worktree-trash": day.WorktreeTrash,
    "start-day": day.StartDay,
    "end-day": day.EndDay,
    "learnings": day.Learnings,
    "rollback": bench.Rollback,
    "rollback-points": bench.RollbackPoints,
    "rollback-plan": bench.RollbackPlan,
    "rollback-run": bench.RollbackRun,
    "rollback-verify": bench.RollbackVerify,
    "rollback-metrics": bench.RollbackMetrics,
    "rollback-matrix": bench.RollbackMatrix,
    "rollback-triggers": bench.RollbackTriggers,
    "rollback-playbooks": bench.RollbackPlaybooks,
    "rollback-playbook": bench.RollbackPlaybook,
    "rollback-readiness": bench.RollbackReadiness,
    "research": processes.Research,
    "research-scan": processes.ResearchScan,
    "research-project": processes.ResearchProject,
    "research-cache": processes.ResearchCache,
    "research-queries": processes.ResearchQueries,
    "research-cost": processes.ResearchCost,
    "research-list": processes.ResearchList,
    "feature": processes.Feature,
    "feature-plan": processes.FeaturePlan,
    "feature-observe": processes.FeatureObserve,
    "feature-cost": processes.FeatureCost,
    "feature-list": processes.FeatureList,
    "debug": processes.Debug,
    "debug-patterns": processes.DebugPatterns,
    "debug-context": processes.DebugContext,
    "debug-hypothesis": processes.DebugTemplates,
    "debug-bisect": processes.DebugBisect,
    "debug-tools": processes.DebugTools,
    "debug-report": processes.DebugReport,
    "debug-list": processes.DebugList,
    "doctor": bench.Doctor,
    "help": bench.Help,
    "demo": bench.Demo,
    "serve": bench.Serve,
    "schema": bench.SchemaList,
}
NAMES = ("config", *ANSWERS)

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of an answer, or of a configuration file (`config`). Raises `KeyError`."""
    if name == "config":
        return {"$schema": _DRAFT, **_configuration()}
    from pydantic import TypeAdapter

    return {"$schema": _DRAFT, **TypeAdapter(ANSWERS[name]).json_schema()}


def _configuration() -> dict[str, Any]:
    """Of `cockpit.toml`, with the tables `[checks.NAME]` and `[prices."PATTERN"]`."""
    from cockpit.config import Config
    from cockpit.config_tables import checked_adapter

    made: dict[str, Any] = checked_adapter(Config).json_schema()
    checks = made["$defs"]["ChecksConfig"]
    checks["additionalProperties"] = checks["properties"].pop("tools")["additionalProperties"]
    del made["$defs"]["ToolConfig"]["properties"]["from_repository"]  # follows from the file that names it
    for table in ("ToolConfig", "PriceConfig"):
        made["$defs"][table]["additionalProperties"] = False
    return made

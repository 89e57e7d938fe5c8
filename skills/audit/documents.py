"""The answer of an audit as JSON documents: the audit itself, and one for each worker."""

from typing import Any

from skills.audit.model import AuditContext, AuditResult, Category, Issue
from skills.audit.practices import practices_for
from skills.audit.scoring import next_step
from skills.audit.workers import ACCEPTANCE, PRINCIPLES

SCHEMA = "1.0.0"


def audit_document(result: AuditResult) -> dict[str, Any]:
    """The audit as `cockpit audit --format json` prints it; times are added by the caller."""
    worst = result.worst
    return {
        "verdict": result.verdict,
        "overall": result.overall,
        "worst": None if worst is None else {"category": worst.worker.category, "score": worst.score},
        "categories": [category_document(category) for category in result.categories],
        "context": context_document(result.context),
        "trend": result.trend,
        "why": result.why,
        "next": next_step(result),
        "questions": list(result.questions),
    }


def category_document(category: Category) -> dict[str, Any]:
    """One category with its findings, those that weigh first."""
    return {
        "category": category.worker.category,
        "worker": category.worker.id,
        "score": category.score,
        "status": category.status,
        "reason": category.reason or None,
        "severity_counts": severity_counts(category),
        "checks": _checks(category),
        "findings": [issue_document(issue) for issue in category.weighing],
        "advisories": [issue_document(issue) for issue in category.advisories],
    }


def severity_counts(category: Category) -> dict[str, int]:
    """How many issues count, by severity in lower case."""
    return {name.lower(): category.count(name) for name in ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO")}


def _checks(category: Category) -> list[dict[str, str]]:
    return [{"id": row.rule.replace("-", "_"), "name": row.rule, "status": row.status, "details": row.details}
            for row in category.checks]  # fmt: skip


def issue_document(issue: Issue) -> dict[str, Any]:
    """One issue: its finding, and what the audit adds."""
    finding = issue.finding
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "was": issue.was,
        "location": issue.location,
        "path": finding.path,
        "line": finding.line,
        "column": finding.column,
        "end_line": finding.end_line,
        "symbol": finding.symbol,
        "message": finding.message,
        "issue": finding.message,
        "principle": PRINCIPLES.get(finding.rule, ""),
        "recommendation": finding.help,
        "acceptance": acceptance_of(issue),
        "effort": issue.effort,
        "confidence": finding.confidence,
        "basis": "static (unmeasured)",
        "fingerprint": finding.fingerprint,
        "also": list(finding.also),
        "merged": list(issue.merged),
        "steps": list(issue.steps),
        "advisory": issue.advisory or None,
        "evidence": [{"path": link.path, "line": link.line, "text": link.text} for link in finding.evidence],
    }


def acceptance_of(issue: Issue) -> str:
    """How one sees that an issue is mended."""
    finding = issue.finding
    return ACCEPTANCE.format(path=finding.path, rule=finding.rule, symbol=finding.symbol or "module level")


def context_document(context: AuditContext) -> dict[str, Any]:
    """What all workers shared."""

    def rows(group: str) -> list[dict[str, str]]:
        return [{"name": one.name, "evidence": one.evidence} for one in getattr(context, group)]

    pool = context.session.get("pool_size")
    expire = context.session.get("expire_on_commit")
    return {
        "tech_stack": {
            "db": [one.name for one in context.database],
            "orm": [one.name for one in context.orm],
            "async": [one.name for one in context.async_frameworks],
            "evidence": {name: rows(name) for name in ("database", "orm", "async_frameworks", "web", "queues")},
        },
        "app_type": context.app_type,
        "fastapi": [{"release": one.said, "place": one.place, "ends_early": one.ends_early} for one in context.fastapi],
        "best_practices": {
            name: [{"topic": note.topic, "note": note.text, "source": note.source} for note in notes]
            for name, notes in practices_for(context.technologies).items()
        },
        "db_config": {
            "expire_on_commit": None if expire is None else expire[0],
            "pool_size": None if pool is None else pool[0],
            "options": {
                name: {"value": value, "place": place} for name, (value, place) in sorted(context.session.items())
            },
            "triggers": [
                {"table": one.table, "event": one.event, "function": one.function, "channel_name": one.channel_name,
                 "place": one.place} for one in context.triggers
            ],
            "event_subscribers": [
                {"channel_name": one.channel_name, "file": one.file, "line": one.line, "technology": one.technology}
                for one in context.subscribers
            ],
        },
        "scope": context.scope or None,
        "domain_mode": "domain-aware" if context.scope else "global",
        "decisions": list(context.decisions),
    }  # fmt: skip


def worker_document(category: Category, result: AuditResult, produced_at: str, report_path: str) -> dict[str, Any]:
    """The file of one worker: the seed's keys, and its envelope for other programs."""
    worker = category.worker
    status = {"completed": "completed", "not_applicable": "skipped", "error": "error"}[category.status]
    counts = severity_counts(category)
    return {
        "schema_version": SCHEMA,
        "summary_kind": "audit-worker",
        "run_id": f"{produced_at[:10]}-{result.commit or 'work-tree'}",
        "identifier": f"{worker.number}--{domain_of(result)}",
        "producer_skill": worker.id,
        "produced_at": produced_at,
        "payload": {
            "status": status,
            "category": worker.category,
            "report_path": report_path,
            "score": category.score,
            "issues_total": len(category.weighing),
            "severity_counts": {name: counts[name] for name in ("critical", "high", "medium", "low")},
            "warnings": [category.reason] if category.reason else [],
            "scan_scope": result.context.scope or "global",
        },
        "category": worker.category,
        "score": category.score,
        "total_issues": len(category.weighing),
        **{name: counts[name] for name in ("critical", "high", "medium", "low")},
        "checks": _checks(category),
        "findings": [issue_document(issue) for issue in category.weighing],
    }


def domain_of(result: AuditResult) -> str:
    """ "global", or the audited path as one word."""
    return result.context.scope.strip("/").replace("/", "-") or "global"

"""Phases 9 and 10: what the settings of production say, from the values that Django itself loaded."""

from collections.abc import Iterator, Mapping
from typing import Any

from skills.verify.model import Answer

SECRET_LENGTH = 50
"""Django's own check asks for at least 50 characters (the source says 30)."""


def configuration_answers(values: Mapping[str, Any]) -> Iterator[Answer]:
    """The six checks of phase 9. `values` never holds the secret itself, only its length."""
    yield _six("debug", "DEBUG is off", values.get("debug") is False, "DEBUG is on")
    length, unsafe = int(values.get("secret_length") or 0), bool(values.get("secret_insecure"))
    why = "it is one of Django's own placeholders" if unsafe else f"it has {length} characters, {SECRET_LENGTH} asked"
    yield _six("secret-key", "SECRET_KEY is long and random", length >= SECRET_LENGTH and not unsafe, why)
    hosts = values.get("allowed_hosts")
    named = [host for host in hosts if isinstance(host, str) and host.strip()] if isinstance(hosts, list) else []
    why = "any host is allowed" if "*" in named else "it names no host"
    yield _six("allowed-hosts", "ALLOWED_HOSTS names hosts", bool(named) and "*" not in named, why)
    yield _six("ssl-redirect", "HTTP is redirected", values.get("ssl_redirect") is True, "SECURE_SSL_REDIRECT is off")
    hsts = values.get("hsts_seconds")
    holds = isinstance(hsts, int) and not isinstance(hsts, bool) and hsts > 0
    yield _six("hsts", "HSTS is on", holds, "SECURE_HSTS_SECONDS is 0")
    engine = str(values.get("database") or "")
    yield _six("database", "The database is not SQLite", bool(engine) and "sqlite" not in engine, engine or "none")


def logging_answer(values: Mapping[str, Any]) -> Answer:
    """Phase 10: whether anything is logged anywhere; nothing is written to find out."""
    handlers = values.get("log_handlers")
    named = [str(name) for name in handlers] if isinstance(handlers, list) else []
    title = "LOGGING has handlers"
    return Answer(10, "handlers", title, "pass" if named else "fail", ", ".join(named) or "LOGGING names none")


def _six(check: str, title: str, holds: bool, why_not: str) -> Answer:
    return Answer(9, check, title, "pass" if holds else "fail", "" if holds else why_not)

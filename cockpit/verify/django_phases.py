"""Phases of a Django project: its checks, migrations, deployment settings, commands, logging and API schema.

Everything runs `manage.py` under settings that hide no migration and write no database file, and only where the
repository is trusted.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from cockpit.files import read_regular
from cockpit.plain_text import plain_text
from cockpit.programs import Ran
from cockpit.verify.place import SECONDS, Place, answer_of, not_applicable, not_run
from skills.counted import counted
from skills.gates.fastapi.openapi_schema import parse_schema
from skills.verify.configuration import configuration_answers, logging_answer
from skills.verify.model import Answer

# Prints what phases 9 and 10 judge. The secret never leaves the process: only its length does.
_PROBE = """\
import json
from django.conf import settings
secret = str(getattr(settings, "SECRET_KEY", "") or "")
databases = getattr(settings, "DATABASES", {}) or {}
print("\\n" + json.dumps({
    "debug": getattr(settings, "DEBUG", None),
    "secret_length": len(secret),
    "secret_insecure": secret.startswith("django-insecure-") or len(set(secret)) < 5,
    "allowed_hosts": [str(host) for host in getattr(settings, "ALLOWED_HOSTS", []) or []],
    "ssl_redirect": getattr(settings, "SECURE_SSL_REDIRECT", None),
    "hsts_seconds": getattr(settings, "SECURE_HSTS_SECONDS", None),
    "database": (databases.get("default") or {}).get("ENGINE", ""),
    "log_handlers": sorted((getattr(settings, "LOGGING", None) or {}).get("handlers", {})),
    "apps": [str(app) for app in getattr(settings, "INSTALLED_APPS", [])],
}, default=str))
"""
_MARK = "cockpit labels: "  # settings may print lines of their own
# Prints the labels of the project's own applications that hold models: without its label, one that has no folder of
# migrations yet is passed over
_LABELS = """\
import os, sys
import django
django.setup()
from django.apps import apps
home = os.path.realpath(sys.argv[1]) + os.sep
inside = [app for app in apps.get_app_configs() if os.path.realpath(app.path).startswith(home)]
own = [app.label for app in inside if "site-packages" not in app.path and list(app.get_models())]
print("\\n" + MARK + " ".join(own))
""".replace("MARK", repr(_MARK))
_CONNECTION = (
    "could not connect",
    "connection refused",
    "OperationalError",
    "Connection refused",
    "translate host name",
)


def system_check(place: Place) -> Iterator[Answer]:
    """Phase 2, Django's part: `manage.py check`."""
    yield _django(place, 2, "check", "Django's own check passes", "check")


def migrations(place: Place) -> Iterator[Answer]:
    """Phase 3: no model lacks a migration, the plan can be made, no two migrations conflict."""
    title = "No migration is missing"
    ran = _ran(place, "makemigrations", "--check", "--dry-run", "--noinput", *_labels(place))
    if "Conflicting migrations" in ran.err + ran.out:
        yield Answer(3, "makemigrations", title, "fail", "two migrations conflict: merge them yourself")
    elif ran.code == 1 and not ran.why and "Migrations for" not in ran.out:
        yield not_run(3, "makemigrations", title, ran.last_line)
    else:
        names = [line.strip() for line in ran.out.splitlines() if line.strip().endswith(".py")]
        detail = "missing: " + ", ".join(plain_text(name, 80) for name in names[:3])
        yield answer_of(3, "makemigrations", title, ran, detail=detail, command="manage.py makemigrations --check")
    plan = _ran(place, "migrate", "--plan")
    if plan.code and any(word.lower() in plan.err.lower() for word in _CONNECTION):
        plan = Ran(why="the database is out of reach")
    yield answer_of(
        3, "plan", "The migration plan can be made", plan, required=False, command="manage.py migrate --plan"
    )


def deployment(place: Place) -> Iterator[Answer]:
    """Phase 5, Django's part: `check --deploy` with warnings as failures, under production settings."""
    title = f"check --deploy has no warning ({place.production_settings or 'no settings'})"
    words = ("check", "--deploy", "--fail-level", "WARNING")
    ran = _ran(place, *words, module=place.production_settings)
    warnings = [line.split(")")[0].split("(")[-1] for line in ran.err.splitlines() if line.startswith("?: (")]
    if ran.code and not ran.why and not warnings and "System check identified" not in ran.err:
        ran = Ran(why=ran.last_line)
    detail = f"{counted(len(warnings), 'warning')}: {', '.join(plain_text(name, 40) for name in warnings[:6])}"
    answer = answer_of(5, "deploy", title, ran, detail=detail, command="manage.py check --deploy --fail-level WARNING")
    yield replace(answer, count=len(warnings))


def commands(place: Place) -> Iterator[Answer]:
    """Phase 6: the database answers, static files can be collected; nothing is written and nobody is created."""
    ran = _ran(place, "check", "--database", "default")
    if ran.code and any(word.lower() in ran.err.lower() for word in _CONNECTION):
        ran = Ran(why="the database is out of reach")
    yield answer_of(6, "database", "The database passes its checks", ran, command="manage.py check --database default")
    title = "Static files can be collected"
    values = settings_values(place)
    if isinstance(values, dict) and "django.contrib.staticfiles" not in values["apps"]:
        yield not_applicable(6, "collectstatic", title, "staticfiles is not installed")
    else:
        yield _django(place, 6, "collectstatic", title, "collectstatic", "--dry-run", "--noinput")


def configuration(place: Place) -> Iterator[Answer]:
    """Phases 9 and 10: what the production settings hold once Django has loaded them."""
    values = settings_values(place)
    if isinstance(values, str):
        yield not_run(9, "settings", f"The production settings load ({place.production_settings or 'none'})", values)
        yield not_run(10, "handlers", "LOGGING has handlers", values, required=False)
        return
    yield from configuration_answers(values)
    yield replace(logging_answer(values), required=False)


def schema(place: Place) -> Iterator[Answer]:
    """Phase 11: the API schema can be generated and is valid, and says what the committed one says."""
    title = "The API schema is generated and valid"
    target = place.scratch / "schema.json"
    if "drf-spectacular" in place.dependencies:
        words: tuple[str, ...] = ("spectacular", "--validate", "--format", "openapi-json", "--file", str(target))
    elif "drf-yasg" in place.dependencies:
        words = ("generate_swagger", "--format", "json", "--overwrite", str(target))
    elif "djangorestframework" in place.dependencies:
        words = ("generateschema", "--format", "openapi-json", "--file", str(target))
    else:
        yield not_applicable(11, "schema", title, "no REST framework")
        return
    ran = _ran(place, *words)
    yield answer_of(11, "schema", title, ran, command=f"manage.py {words[0]}")
    if not ran.why and not ran.code:
        try:
            generated = read_regular(target).decode("utf-8", "replace")
        except OSError:  # a command of the project's own, of the same name
            yield not_run(11, "schema-drift", "The committed schema says the same", f"{words[0]} wrote no schema")
            return
        yield drift(place, generated)


def drift(place: Place, generated: str) -> Answer:
    """Whether the generated schema has the operations that the committed one has."""
    title = "The committed schema says the same"
    fresh = parse_schema("schema.json", generated)
    committed = [one for one in place.project.manifests.evidence.schemas if not one.problem]
    if fresh.problem:
        return not_run(11, "schema-drift", title, fresh.problem)
    if not committed:
        return not_applicable(11, "schema-drift", title, "no schema is committed")
    now, then = ({(one.method, one.path) for one in document.operations} for document in (fresh, committed[0]))
    places = tuple(
        f"{word} {method.upper()} {plain_text(path, 100)}"
        for word, rows in (("missing in it:", now - then), ("gone from the code:", then - now))
        for method, path in sorted(rows)
    )
    detail = f"{len(places)} operations differ from {committed[0].path}" if places else committed[0].path
    return Answer(11, "schema-drift", title, "fail" if places else "pass", detail, len(places), places=places)


def _labels(place: Place) -> list[str]:
    if place.refused or place.manage is None or not place.settings:
        return []
    home = place.manage.parent
    ran = place.cancel.run([place.python, "-c", _LABELS, str(home)], home, SECONDS, place.overlay(place.settings))
    told = [line.removeprefix(_MARK) for line in ran.out.split("\n") if line.startswith(_MARK)]
    return told[-1].split() if told and not ran.code else []


def settings_values(place: Place) -> dict[str, Any] | str:
    """What the production settings hold, or why they cannot be read. Read once."""
    if place.values is None:
        place.values = _settings_values(place)
    return place.values


def _settings_values(place: Place) -> dict[str, Any] | str:
    if place.refused:
        return place.refused
    module = place.production_settings
    if not module:
        return "no settings module was found"
    home = place.manage.parent if place.manage is not None else place.root
    # the settings themselves, not the overlay: phase 9 asks for the database that production has
    environment = {"DJANGO_SETTINGS_MODULE": module, "PYTHONPATH": str(home)}
    ran = place.cancel.run([place.python, "-c", _PROBE], home, SECONDS, environment)
    if ran.why or ran.code:
        return ran.why or ran.last_line
    try:
        values = json.loads(ran.out.strip().splitlines()[-1])
    except (ValueError, IndexError):
        return "the settings printed something else than was asked"
    right = isinstance(values, dict) and isinstance(values.get("apps"), list)
    return values if right else "the settings printed something else than was asked"


def _ran(place: Place, *words: str, module: str = "") -> Ran:
    return Ran(why=place.refused) if place.refused else place.django(*words, module=module)


def _django(place: Place, phase: int, check: str, title: str, *words: str) -> Answer:
    return answer_of(phase, check, title, _ran(place, *words), command="manage.py " + " ".join(words))

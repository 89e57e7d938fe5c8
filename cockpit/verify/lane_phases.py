"""Phases that only FastAPI services and ML projects have: the OpenAPI document, the promotion of a model."""

import re
import tomllib
from collections.abc import Iterator

from cockpit.git_command import GitFailed, git
from cockpit.plain_text import plain_text
from cockpit.verify.django_phases import drift
from cockpit.verify.place import SECONDS, Place, not_applicable, not_run
from skills.verify.model import Answer
from skills.verify.promotion import FILE, PHASE, promotion_answers

_APPLICATION = re.compile(r"^(\w+)\s*(?::[^=\n]+)?=\s*FastAPI\(", re.MULTILINE)
_PRINT = """\
import importlib, json, sys
print("\\n" + json.dumps(getattr(importlib.import_module(sys.argv[1]), sys.argv[2]).openapi()))
"""


def openapi(place: Place) -> Iterator[Answer]:
    """Phase 11 of a FastAPI service: the application's own OpenAPI document, against the committed one."""
    title = "The OpenAPI document is generated"
    found = _application(place)
    if found is None:
        yield not_run(11, "schema", title, "no module-level FastAPI application was found")
        return
    module, name, folder = found
    if place.refused:
        yield not_run(11, "schema", title, place.refused)
        return
    path = {"PYTHONPATH": str(place.root / folder)}
    ran = place.cancel.run([place.python, "-c", _PRINT, module, name], place.root, SECONDS, path)
    if ran.why or ran.code or not ran.out.strip():  # a module that ends the process says nothing
        yield not_run(11, "schema", title, ran.why or ran.last_line or f"{module} printed nothing")
        return
    yield Answer(11, "schema", title, "pass", f"{module}:{name}")
    yield drift(place, ran.out.strip().split("\n")[-1])


def _application(place: Place) -> tuple[str, str, str] | None:
    """(module, variable, folder to import from) of the application nearest to the root."""
    names = [name for name, report in place.project.reports.items() if report.role != "test"]
    for name in sorted(names, key=lambda name: (name.count("/"), name)):
        if found := _APPLICATION.search(place.text(name)):
            folder = "src" if name.startswith("src/") else ""
            module = name.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            return module, found[1], folder
    return None


def promotion(place: Place) -> Iterator[Answer]:
    """What `promotion.toml` says; it fails closed."""
    text = place.text(FILE)
    title = "The promotion gate decides"
    if not text:
        yield not_applicable(PHASE, "promotion", title, f"no {FILE}")
        return
    try:
        document = tomllib.loads(text)
    except ValueError as problem:
        yield Answer(PHASE, "promotion", title, "fail", f"{FILE} is no TOML: {plain_text(problem, 120)}")
        return
    run = document.get("run")
    sha = str(run.get("code_sha") or "") if isinstance(run, dict) else ""
    before = None
    if re.fullmatch(r"[0-9a-f]{7,64}", sha):
        try:
            before = tomllib.loads(git(place.root, "show", f"{sha}:./{FILE}"))
        except (GitFailed, ValueError):
            before = None
    yield from promotion_answers(document, before)

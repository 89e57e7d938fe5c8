"""What is known of rules before they are loaded is what they say, and a hook loads those of P0 alone."""

import importlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cockpit.hooks.launcher import HOME
from skills.gates import RULES, analyse, analyse_by, registry, settle
from skills.gates.model import GateOptions, ProjectEvidence
from skills.gates.project import Project
from skills.gates.rule import STRICT


def test_the_catalogue_says_of_every_rule_what_its_module_says() -> None:
    for module, words in registry._CATALOGUE.items():
        rules = importlib.import_module(f"skills.gates.{module}").RULES
        said = [f"{rule.gate} {rule.name}{'*' if rule.profiles == STRICT else ''}" for rule in rules]
        assert ", ".join(said) == words, module
        assert all(rule.profiles in (None, STRICT) for rule in rules)


def test_every_module_that_observes_is_known() -> None:
    folder = Path(registry.__file__).parent
    files = [path for path in folder.glob("*/*.py") if "\nOBSERVERS: " in path.read_text("utf-8")]
    found = {".".join(path.relative_to(folder).with_suffix("").parts) for path in files}
    assert found == set(registry._OBSERVING)


P0 = frozenset(name for name, gate in registry.GATES.items() if gate == "P0")


@pytest.mark.parametrize("name", sorted(P0))
def test_rules_of_p0_alone_answer_what_they_answer_among_all(name: str) -> None:
    options = GateOptions(select=tuple(P0), isolated=True)
    for example in (*RULES[name].bad, *RULES[name].good):
        for chosen in (options, replace(options, isolated=False, tenancy=example.tenancy)):
            project = ProjectEvidence(dependencies=dict.fromkeys(example.dependencies, "requirements.txt:1"))
            sources = {path: source.encode() for path, source in example.files.items()}
            every = settle((analyse(path, source) for path, source in sources.items()), project, chosen)
            alone = settle((analyse_by(P0, path, source) for path, source in sources.items()), project, chosen)
            assert alone.findings == every.findings and alone.tenancy == every.tenancy


def test_the_kinds_of_facts_that_rules_of_p0_ask_for_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()
    facts, named = Project.facts, Project.named
    monkeypatch.setattr(Project, "facts", lambda self, kind: asked.add(kind) or facts(self, kind))
    monkeypatch.setattr(Project, "named", lambda self, kind, name: asked.add(kind) or named(self, kind, name))
    for rule in map(RULES.__getitem__, P0):
        for example in (*rule.bad, *rule.good):
            evidence = ProjectEvidence(dependencies=dict.fromkeys(example.dependencies, "requirements.txt:1"))
            reports = [analyse(path, source.encode()) for path, source in example.files.items()]
            settle(reports, evidence, GateOptions(select=tuple(P0), tenancy=example.tenancy))
    assert asked == registry.P0_FACTS


def test_a_hook_loads_the_rules_of_p0_only() -> None:
    script = "import sys; from skills.gates import analyse_by; analyse_by(frozenset(%r), 'views.py', b'x = 1'); %s"
    shown = (
        "print(sum(name.startswith('skills.gates.') for name in sys.modules), "
        "[name for name in sys.modules if name.endswith(('.n_plus_one', '_examples'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script % (sorted(P0), shown)], capture_output=True, text=True, check=True, cwd=HOME
    )
    count, unwanted = done.stdout.split(maxsplit=1)
    assert int(count) <= 50 and unwanted == "[]\n"

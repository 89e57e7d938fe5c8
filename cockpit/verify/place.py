"""What one verification works with: the repository, its trust, its interpreter and its settings modules."""

import os
import re
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from cockpit.config import Config
from cockpit.files import read_regular
from cockpit.findings.outcome import Outcome
from cockpit.findings.project import Project
from cockpit.findings.tools import ToolRun
from cockpit.programs import Ran, find_program, without_own_code
from cockpit.repository import Repository
from cockpit.sweep.cancel import Cancel
from cockpit.temporary import temporary_folder
from cockpit.trust import Trust
from skills.gates.analysis.settings_modules import is_production_path, is_settings_path
from skills.gates.model import Status
from skills.routing.catalogue import Lane
from skills.verify.model import Answer

SECONDS = 600.0
_DEFAULT = re.compile(r"DJANGO_SETTINGS_MODULE[\"']\s*,\s*[\"']([\w.]+)[\"']")
# Runs before the project's own settings: no migration is hidden, no database file is made or written
_OVERLAY = """\
import os, shutil, tempfile
from {module} import *
MIGRATION_MODULES = {{}}
def _away(databases):
    for database in databases.values():
        if "sqlite" not in str(database.get("ENGINE", "")):
            continue
        name = str(database.get("NAME") or "")
        copy = os.path.join(os.path.dirname(__file__), "copy-" + os.path.basename(name))
        if os.path.isfile(name) and os.path.getsize(name) < 500_000_000:
            shutil.copyfile(name, copy)
            database["NAME"] = copy
        else:
            database["NAME"] = ":memory:"
_away(globals().get("DATABASES", {{}}))
"""


@dataclass(slots=False)
class Place:
    """Everything that the phases ask for. `project` and `outcome` are those of one check of the whole repository.
    `said` is told how far the phase is that runs."""

    repository: Repository
    config: Config
    trust: Trust
    lane: Lane
    project: Project
    outcome: Outcome
    cancel: Cancel = field(default_factory=Cancel)
    said: Callable[[str], None] = lambda text: None
    tests_ran: bool = False  # set by phase 4, asked by phase 7
    values: dict[str, Any] | str | None = None  # what the production settings hold, once they were asked
    folder: "tempfile.TemporaryDirectory[str]" = field(default_factory=lambda: temporary_folder("verify"))

    def close(self) -> None:
        """Remove the scratch folder."""
        self.folder.cleanup()

    @property
    def scratch(self) -> Path:
        """A folder outside the repository for what the checks write."""
        return Path(self.folder.name)

    @property
    def root(self) -> Path:
        """The work tree that is verified."""
        return self.repository.root

    @property
    def dependencies(self) -> Mapping[str, str]:
        """What the project's manifests name, with the place."""
        return self.project.manifests.evidence.dependencies

    @cached_property
    def tools(self) -> ToolRun:
        """The findings engine's way to run other people's tools."""
        return ToolRun(self.root, self.trust, self.dependencies)

    @cached_property
    def pyproject(self) -> dict[str, Any]:
        """The tables of pyproject.toml, empty where there is none that can be read."""
        import tomllib

        try:
            return tomllib.loads(self.text("pyproject.toml"))
        except ValueError:
            return {}

    def table(self, name: str) -> dict[str, Any]:
        """A table of pyproject.toml, empty where that name is none."""
        found = self.pyproject.get(name)
        return found if isinstance(found, dict) else {}

    def text(self, name: str) -> str:
        """The text of a file below the root, "" where it cannot be read."""
        try:
            return read_regular(self.root / name, 1_000_000).decode("utf-8", "replace")
        except OSError:
            return ""

    @cached_property
    def venv(self) -> Path | None:
        """The project's virtual environment: its own, else the active one."""
        active = os.environ.get("VIRTUAL_ENV", "")
        for folder in (self.root / ".venv", self.root / "venv", Path(active) if active else None):
            if folder is not None and (folder / "pyvenv.cfg").is_file():
                return folder
        return None

    @cached_property
    def python(self) -> str:
        """The interpreter that the project's code runs in, "" where none was found."""
        if self.venv is not None:
            for name in ("python", "python3"):
                if (self.venv / "bin" / name).exists():
                    return str(self.venv / "bin" / name)
        return find_program(self.root, "python3", trusted=True) or sys.executable

    @property
    def python_path(self) -> dict[str, str]:
        """What keeps a tool that is written in Python from the project's own code where that is not trusted."""
        return {} if self.trust.trusted else without_own_code(self.root)

    @cached_property
    def python_version(self) -> str:
        """The version of that interpreter, from its own file: nothing is run to find out."""
        if self.venv is not None:
            try:
                text = read_regular(self.venv / "pyvenv.cfg", 1 << 16).decode("utf-8", "replace")
            except OSError:
                text = ""
            found = re.search(r"^version(?:_info)?\s*=\s*(\d+\.\d+(?:\.\d+)?)", text, re.MULTILINE)
            if found:
                return found[1]
        return ".".join(map(str, sys.version_info[:3]))

    @cached_property
    def manage(self) -> Path | None:
        """The `manage.py` nearest to the root."""
        found = [name for name in self.project.scope.files if name.rpartition("/")[2] == "manage.py"]
        return self.root / min(found, key=lambda name: (name.count("/"), name)) if found else None

    @cached_property
    def settings(self) -> str:
        """The settings module of daily work: what `manage.py` names, else what the environment names."""
        text = self.text(str(self.manage.relative_to(self.root))) if self.manage is not None else ""
        found = _DEFAULT.search(text)
        return found[1] if found else os.environ.get("DJANGO_SETTINGS_MODULE", "")

    @cached_property
    def production_settings(self) -> str:
        """The settings module that says in its name that it is for production, else the one of daily work."""
        home = self.manage.parent if self.manage is not None else self.root
        for name in sorted(self.project.scope.files, key=lambda name: (name.count("/"), name)):
            if is_production_path(name) and is_settings_path(name):
                path = self.root / name
                if path.is_relative_to(home):
                    return ".".join(path.relative_to(home).with_suffix("").parts)
        return self.settings

    def overlay(self, module: str) -> dict[str, str]:
        """Variables under which `module` is loaded without hidden migrations and away from SQLite files."""
        name = "cockpit_verify_" + re.sub(r"\W", "_", module)
        (self.scratch / f"{name}.py").write_text(_OVERLAY.format(module=module))
        home = self.manage.parent if self.manage is not None else self.root
        path = os.pathsep.join([str(self.scratch), str(home)])
        return {"DJANGO_SETTINGS_MODULE": name, "PYTHONPATH": path}

    def django(self, *words: str, module: str = "") -> Ran:
        """Run `manage.py WORDS` under the overlay of `module` (the settings of daily work)."""
        if self.manage is None or not self.settings:
            return Ran(why="no manage.py that names its settings")
        environment = self.overlay(module or self.settings)
        return self.cancel.run([self.python, str(self.manage), *words], self.manage.parent, SECONDS, environment)

    @property
    def refused(self) -> str:
        """Why the repository's code may not run, "" where it may."""
        return self.trust.reason

    def program(self, name: str) -> str:
        """A program of the project or of the machine, "" where there is none."""
        return find_program(self.root, name, trusted=self.trust.trusted)


def answer_of(
    phase: int, check: str, title: str, ran: Ran, *, detail: str = "", required: bool = True, command: str = ""
) -> Answer:
    """The answer of a program whose exit code 0 means yes. `detail` says what a failure found."""
    status: Status = "not_run" if ran.why else "fail" if ran.code else "pass"
    said = ran.why if ran.why else (detail or ran.last_line) if ran.code else ""
    return Answer(phase, check, title, status, said, required=required, command=command)


def not_run(phase: int, check: str, title: str, why: str, *, required: bool = True) -> Answer:
    """An answer that could not be had."""
    return Answer(phase, check, title, "not_run", why, required=required)


def not_applicable(phase: int, check: str, title: str, why: str) -> Answer:
    """A check that the project has no use for."""
    return Answer(phase, check, title, "not_applicable", why)

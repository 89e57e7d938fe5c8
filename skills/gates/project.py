"""The facts of all files and manifests together, as rules ask for them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from operator import attrgetter

from skills.gates.model import Candidate, Fact, FileReport, GateOptions, ProjectEvidence
from skills.gates.profiles import IMPORTED, uses

Place = tuple[str, Fact]


class Project:
    """What is known of a project once every file was read. Built anew for each verdict; nothing is written
    back."""

    def __init__(self, reports: Iterable[FileReport], evidence: ProjectEvidence, options: GateOptions) -> None:
        self.options = options
        self.memo: dict[str, object] = {}
        self.failed: dict[str, str] = {}
        """Rule → where and how it failed while all files were judged together."""
        self._reports = sorted(
            reports, key=attrgetter("path")
        )  # the first of several must not depend on who was read when
        self.dependencies: Mapping[str, str] = evidence.dependencies
        self._packages = evidence.packages
        self.coverage = evidence.coverage
        self.schemas = evidence.schemas
        self.started = evidence.started
        self.unread = evidence.unread
        self._kinds = kinds = defaultdict[str, list[Place]](list)
        for report in self._reports:
            path = report.path
            for fact in report.facts:
                kinds[fact.kind].append((path, fact))
        for path, facts in evidence.told.items():
            for fact in facts:
                kinds[fact.kind].append((path, fact))
        self._names: dict[str, dict[str, list[Place]]] = {}

    @property
    def reports(self) -> list[FileReport]:
        """The report of every file, by path."""
        return self._reports

    def why_no_tests(self) -> str | None:
        """Why a rule about tests has nothing to judge, None where there are tests."""
        return None if any(report.role == "test" for report in self._reports) else "the project has no tests"

    def uses(self, framework: str) -> bool:
        """True where the project depends on a framework or imports it, and where that is not known."""
        known: dict[str, bool] = self.memo.setdefault("frameworks", {})  # type: ignore[assignment]
        if framework not in known:
            known[framework] = bool(self.unread) or uses(framework, self.dependencies, self.has(IMPORTED, framework))
        return known[framework]

    def facts(self, kind: str) -> list[Place]:
        """(path, fact) of every fact of a kind, in the order of the reports."""
        return self._kinds.get(kind, [])

    def named(self, kind: str, name: str) -> list[Place]:
        """(path, fact) of the facts of a kind with a name."""
        index = self._names.get(kind)
        if index is None:
            index = self._names[kind] = {}
            for place in self.facts(kind):
                index.setdefault(place[1].name, []).append(place)
        return index.get(name, [])

    def depends(self, path: str, package: str) -> bool:
        """True where the package that a file belongs to asks for `package`, or one around it does, and where none of
        them says what it needs. What only a neighbour in the repository depends on is not there for the file."""
        said = [of for folder, of in self._packages.items() if not folder or path.startswith(f"{folder}/")]
        return package in self.dependencies and (not any(said) or any(package in of for of in said))

    def package_of(self, path: str) -> str:
        """The folder of the package that a file belongs to, "" for the root and where the repository is one package."""
        around = [folder for folder in self._packages if folder and path.startswith(f"{folder}/")]
        return max(around, key=len, default="")

    def has(self, kind: str, name: str) -> bool:
        """True where some file said it."""
        return bool(self.named(kind, name))

    def candidates(self, rule: str) -> list[Candidate]:
        """Every candidate of a rule, before anything was decided."""
        return [found for report in self._reports for found in report.candidates if found.rule == rule]

    @cached_property
    def models(self) -> "Models":
        """Its Django models, with inheritance resolved by class name."""
        return Models(self)


class Models:
    """Models and their relations. A class counts as a model where its bases lead to one."""

    def __init__(self, project: Project) -> None:
        self._bases: dict[str, frozenset[str]] = {}
        self.places: dict[str, Place] = {}
        self._declared: dict[str, set[str]] = {}
        for path, fact in project.facts("model"):
            self._bases[fact.name] = self._bases.get(fact.name, frozenset()) | frozenset(fact.detail.split())
            self.places.setdefault(fact.name, (path, fact))
            self._declared.setdefault(fact.name, set()).add(path)
        self._declarations = project.facts("field")

    @cached_property
    def _fields(self) -> dict[str, dict[str, Place]]:
        fields: dict[str, dict[str, Place]] = {}
        for path, fact in self._declarations:
            model, _, name = fact.name.partition(".")
            fields.setdefault(model, {})[name] = (path, fact)
        return fields

    def ambiguous(self, model: str) -> bool:
        """True where classes of that name stand in more than one file, so that a name does not say which is
        meant."""
        return len(self._declared.get(model, ())) > 1

    def ancestors(self, model: str) -> Iterator[str]:
        """The model and every class above it that the project defines, nearest first."""
        seen: set[str] = set()
        queue = [model]
        while queue:
            name = queue.pop(0)
            if name not in seen:
                seen.add(name)
                yield name
                queue.extend(sorted(self._bases.get(name, ())))

    def field(self, model: str, name: str) -> Place | None:
        """Where a field of a model, own or inherited, is declared; the fact's detail is "ForeignKey
        Company"."""
        for ancestor in self.ancestors(model):
            place = self._fields.get(ancestor, {}).get(name)
            if place is not None:
                return place
        return None

    def fields(self, model: str) -> dict[str, Place]:
        """Every field of a model, own and inherited."""
        merged: dict[str, Place] = {}
        for ancestor in self.ancestors(model):
            for name, place in self._fields.get(ancestor, {}).items():
                merged.setdefault(name, place)
        return merged

    def with_field(self, names: Iterable[str]) -> dict[str, Place]:
        """Model → the first of the named fields that it has, own or inherited."""
        wanted = list(names)
        found: dict[str, Place] = {}
        for model in self._bases:
            for name in wanted:
                place = self.field(model, name)
                if place is not None:
                    found[model] = place
                    break
        return found

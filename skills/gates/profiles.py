"""What a project is, by what it depends on: its profile, where good houses differ, and the frameworks it uses."""

from collections.abc import Iterable, Mapping

from skills.record import record

AUTO = "auto"
IMPORTED = "imported-framework"
"""The kind of the facts that name a framework which a file imports at its top."""


@record
class Profile:
    """One way to hold the gates. Coverage is in percent of statements: `overall` of the project, `components` of
    Django's parts, `per_file` of every file; None and empty where the profile asks for none. In a `strict` one the
    questions of taste (docstrings in tests, comments, names of tests) are gates too."""

    name: str
    about: str
    overall: float | None = 80.0
    components: Mapping[str, float] | None = None
    per_file: float | None = None
    strict: bool = False


PROFILES: Mapping[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile("default", "any Python backend: 80 % of the statements covered"),
        Profile(
            "django",
            "Django: coverage by component",
            components={"models": 90.0, "serializers": 85.0, "views": 80.0, "services": 90.0, "utilities": 80.0},
        ),
        Profile("fastapi", "FastAPI: 80 % of the statements covered"),
        Profile("ml", "training and serving of models: 80 % of the statements covered"),
        Profile("binora", "everything on, every file covered entirely", overall=None, per_file=100.0, strict=True),
    )
}

_SIGNS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("django", ("django", "djangorestframework", "django-ninja")),
    ("fastapi", ("fastapi", "starlette", "litestar")),
    ("ml", ("torch", "tensorflow", "jax", "scikit-learn", "xgboost", "lightgbm", "pytorch-lightning", "transformers")),
)
_PACKAGES: Mapping[str, tuple[str, ...]] = {
    "Django": ("django",),
    "Django REST framework": ("djangorestframework", "drf"),
    "FastAPI": ("fastapi", "starlette", "litestar", "flask", "quart", "sanic", "ninja", "aiohttp"),
    "Celery": ("celery",),
    "PyTorch": ("torch", "lightning", "transformers"),
}
"""Framework → what stands in the names of packages that bring it, or are written in its manner. Better one too many."""
FRAMEWORK_MODULES: Mapping[str, str] = {
    "rest_framework": "Django REST framework",
    **{word: framework for framework, words in _PACKAGES.items() for word in words},
}
"""Top module → the framework that a file with an import of it uses."""
_COMPONENT_OF_ROLE = {
    "model": "models",
    "serializer": "serializers",
    "view": "views",
    "router": "views",
    "service": "services",
}
_UTILITIES = frozenset({"utils", "utilities", "helpers", "util", "common"})


def choose_profile(dependencies: Mapping[str, str]) -> tuple[str, str]:
    """(profile, what says so) by the dependencies of a project (name → path:line); ("default", "") without a sign."""
    for profile, packages in _SIGNS:
        for package in packages:
            if package in dependencies:
                return profile, f"{dependencies[package]} names {package}"
    return "default", ""


def uses(framework: str, dependencies: Iterable[str], imported: bool) -> bool:
    """True where a package that a project depends on brings a framework, and where a file imports it; also where the
    project names no dependency at all, so that nothing is known."""
    names = [*dependencies]
    return imported or not names or any(word in name for name in names for word in _PACKAGES[framework])


def component_of(path: str, role: str) -> str | None:
    """The component of a file by its role, else by the name utils or helpers; None for the others."""
    component = _COMPONENT_OF_ROLE.get(role)
    if component is None and _UTILITIES & {*path.removesuffix(".py").split("/")}:
        return "utilities"
    return component

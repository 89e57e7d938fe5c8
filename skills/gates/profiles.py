"""Profiles: where good houses differ, one is chosen, by a person or by what the project depends on."""

from collections.abc import Mapping

from skills.record import record

AUTO = "auto"


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


def component_of(path: str, role: str) -> str | None:
    """The component of a file by its role, else by the name utils or helpers; None for the others."""
    component = _COMPONENT_OF_ROLE.get(role)
    if component is None and _UTILITIES & {*path.removesuffix(".py").split("/")}:
        return "utilities"
    return component

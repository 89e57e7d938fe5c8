"""Configuration: user < pyproject [tool.cockpit] < cockpit.toml < COCKPIT_* < flags. Errors name file, line and key.

A repository without configuration costs nothing: pydantic is imported only where there is something to validate.
"""

import os
import re
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

from cockpit.errors import CannotAnswer
from cockpit.paths import user_config_file
from cockpit.plain_text import plain_text

TenancyChoice = Literal["auto", "transparent", "explicit", "off"]


@dataclass(frozen=True, slots=True)
class TenancyConfig:
    mode: TenancyChoice = "auto"
    fields: tuple[str, ...] = ("tenant", "tenant_id", "company", "company_id")


@dataclass(frozen=True, slots=True)
class Limits:
    """Soft and hard limits of one budget window, in dollars; None where there is none."""

    soft: float | None = None
    hard: float | None = None


@dataclass(frozen=True, slots=True)
class BudgetConfig:
    """Budgets (workflow orchestrator, cost tracking): the defaults are the seed's own."""

    day: Limits = Limits(5.0, 7.5)
    week: Limits = Limits(25.0, 35.0)
    month: Limits = Limits(100.0, 150.0)
    session: Limits = Limits()
    block_on_limit: bool = False


@dataclass(frozen=True, slots=True)
class ChecksConfig:
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    ruff: Literal["auto", "on", "off"] = "auto"


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that can be chosen. `base` is the branch that worktrees are counted against (else the remote's);
    `profile` "auto" is what the dependencies say."""

    theme: str = "auto"
    profile: str = "auto"
    base: str | None = None
    editor: str | None = None
    max_worktrees: int = 4
    tenancy: TenancyConfig = TenancyConfig()
    budget: BudgetConfig = BudgetConfig()
    checks: ChecksConfig = ChecksConfig()
    keys: dict[str, str] = field(default_factory=dict)


def load_config(root: Path | None, extra: Path | None = None, *, isolated: bool = False) -> Config:
    """The configuration in force for the repository at `root`.

    `extra` is the file of `--config`, read last of the files. Raises `CannotAnswer` naming file, line and key.
    """
    config = Config()
    if not isolated:
        for path, table in _files(root, extra):
            config = _merged(config, table, path)
    return _from_environment(config)


def _files(root: Path | None, extra: Path | None) -> list[tuple[Path, dict[str, Any]]]:
    found: list[tuple[Path, dict[str, Any]]] = []
    candidates = [user_config_file()]
    if root is not None:
        candidates += [root / "pyproject.toml", root / "cockpit.toml"]
    found += [(path, table) for path in candidates if path.is_file() and (table := _table(path))]
    if extra is not None:
        if not extra.is_file():
            raise CannotAnswer(f"{extra}: no such configuration file")
        found.append((extra, _table(extra)))
    return found


def _table(path: Path) -> dict[str, Any]:
    try:
        raw = path.read_bytes()
    except OSError as problem:
        raise CannotAnswer(f"{path}: cannot be read ({problem.strerror})") from None
    if path.name == "pyproject.toml" and b"tool.cockpit" not in raw:
        return {}
    import tomllib

    try:
        document = tomllib.loads(raw.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise CannotAnswer(f"{path}: not valid TOML: {plain_text(problem, 160)}") from None
    table = document.get("tool", {}).get("cockpit", {}) if path.name == "pyproject.toml" else document
    return table if isinstance(table, dict) else {}


def _merged(config: Config, table: dict[str, Any], path: Path) -> Config:
    from pydantic import ConfigDict, TypeAdapter, ValidationError
    from pydantic.dataclasses import dataclass as checked

    checked_config = _checked_type(Config, checked, ConfigDict(extra="forbid"))
    try:
        TypeAdapter(checked_config).validate_python(table)
    except ValidationError as problem:
        first = problem.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise CannotAnswer(
            f"{path}:{_line_of(path, first['loc'])}: {plain_text(key, 80)}: {plain_text(first['msg'], 160)}",
            _nearest(first["type"], key),
        ) from None
    merged: Config = _replaced(config, table)
    return merged


def _checked_type(kind: type, checked: Any, settings: Any) -> Any:
    """A pydantic twin of a configuration dataclass, so that the plain one needs no pydantic."""
    import dataclasses
    import typing

    hints = typing.get_type_hints(kind)
    columns = []
    for column in fields(kind):
        hint = hints[column.name]
        if is_dataclass(hint):
            hint = _checked_type(hint, checked, settings)  # type: ignore[arg-type]
        default = (
            dataclasses.field(default=column.default)
            if column.default is not dataclasses.MISSING
            else dataclasses.field(default_factory=column.default_factory)
        )
        columns.append((column.name, hint, default))
    return checked(config=settings)(dataclasses.make_dataclass(kind.__name__, columns))


def _replaced(value: Any, table: dict[str, Any]) -> Any:
    changes: dict[str, Any] = {}
    for name, given in table.items():
        old = getattr(value, name)
        if is_dataclass(old) and isinstance(given, dict):
            changes[name] = _replaced(old, given)
        elif isinstance(old, dict):
            changes[name] = {**old, **given}
        else:
            changes[name] = tuple(given) if isinstance(given, list) else given
    return replace(value, **changes)


def _line_of(path: Path, location: tuple[int | str, ...]) -> int:
    names = [re.escape(str(part)) for part in location if isinstance(part, str)]
    lines = path.read_text("utf-8", "replace").splitlines()
    for name in reversed(names):
        for number, line in enumerate(lines, 1):
            if re.match(rf"""\s*(?:\[.*\b{name}\b.*\]|["']?{name}["']?\s*=|.*\.{name}\s*=)""", line):
                return number
    return 1


def _nearest(kind: str, key: str) -> str:
    if "unexpected" not in kind and "extra" not in kind:
        return ""
    import difflib

    known = [column.name for column in fields(Config)]
    for nested in (TenancyConfig, BudgetConfig, ChecksConfig, Limits):
        known += [column.name for column in fields(nested)]
    close = difflib.get_close_matches(key.rpartition(".")[2], known, 1)
    return f"did you mean {close[0]}?" if close else ""


def _from_environment(config: Config) -> Config:
    theme = os.environ.get("COCKPIT_THEME")
    profile = os.environ.get("COCKPIT_PROFILE")
    base = os.environ.get("COCKPIT_BASE")
    mode = os.environ.get("COCKPIT_TENANCY_MODE")
    if mode is not None and mode not in ("auto", "transparent", "explicit", "off"):
        raise CannotAnswer(
            f"COCKPIT_TENANCY_MODE is {plain_text(mode, 40)!r}", "use auto, transparent, explicit or off"
        )
    changed = replace(config, theme=theme or config.theme, profile=profile or config.profile, base=base or config.base)
    if mode is not None:
        changed = replace(changed, tenancy=replace(changed.tenancy, mode=cast(TenancyChoice, mode)))
    return changed

"""Configuration: user < pyproject [tool.cockpit] < cockpit.toml < COCKPIT_* < flags. Errors name file, line and key.

A repository without configuration costs nothing, and pydantic is imported only for what was not validated before.
"""

import os
import re
from dataclasses import field, fields, is_dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal, cast

from cockpit import config_files
from cockpit.config_files import Sources, config_sources, table_of
from cockpit.config_kept import KeptConfig
from cockpit.errors import CannotAnswer
from cockpit.paths import user_config_file
from cockpit.plain_text import plain_text
from skills.record import record
from skills.spending.limits import Limits

Tier = Literal["premium", "standard", "fast", "cheap", "local"]
TenancyChoice = Literal["auto", "transparent", "explicit", "off"]


@record
class TenancyConfig:
    """How the project keeps tenants apart, `[tenancy]`, and the names of the fields that say whose a row is."""

    mode: TenancyChoice = "auto"
    fields: tuple[str, ...] = ("tenant", "tenant_id", "company", "company_id")


@record
class BudgetConfig:
    """Budgets (workflow orchestrator, cost tracking): the defaults are the seed's own."""

    day: Limits = Limits(5.0, 7.5)
    week: Limits = Limits(25.0, 35.0)
    month: Limits = Limits(100.0, 150.0)
    session: Limits = Limits()
    block_on_limit: bool = False


@record
class ToolConfig:
    """Another tool as a check, `[checks.NAME]`: the words of its command, how its output is read, and when it runs.

    `timeout` is in seconds. `from_repository` is set where a file of the repository names it: it then runs only where
    the repository is trusted. One named like a built-in tool may leave out command and parser.
    """

    command: tuple[str, ...] = ()
    parser: str = ""
    gate: Literal["P0", "P1", "P2", "none"] = "P1"
    on: Literal["save", "key", "check"] = "check"
    timeout: float = 300.0
    from_repository: bool = False


BUILT_IN_TOOLS = ("mypy", "pyright", "bandit", "pytest")


@record
class ChecksConfig:
    """What is checked, `[checks]`: rules or groups to add and to leave out, files out of scope, other tools."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    ruff: Literal["auto", "on", "off"] = "auto"
    tools: dict[str, ToolConfig] = field(default_factory=dict)


@record
class PriceConfig:
    """A model's own prices, `[prices."PATTERN"]`: dollars for a million tokens, for responses from that day on (UTC).

    What is None follows from `input`: 5-minute writes 1.25 times, 1-hour writes twice, reads a tenth of it.
    """

    input: float
    output: float
    cache_write_5m: float | None = None
    cache_write_1h: float | None = None
    cache_read: float | None = None
    effective_from: date | None = None


@record
class WebhookConfig:
    """Where budget alerts are sent, `[webhook]`: an https address of Slack's or Discord's kind; empty: nowhere."""

    url: str = ""


@record
class SweepConfig:
    """The security sweep, `[sweep]`: which vulnerabilities block, and env files (by name or path) that may be
    tracked."""

    block_at: Literal["any", "fixable", "high", "critical"] = "any"
    allow_env: tuple[str, ...] = ()


@record
class AttentionConfig:
    """What happens outside the panes when an agent begins to wait, `[attention]`: the terminal's title, its bell."""

    title: bool = False
    bell: bool = False


@record
class DayConfig:
    """The working day, `[day]`: the file below the root that the queue is written into as to-dos (empty: none), and the
    folder there for the daily cost files (empty: cockpit's own state)."""

    todos: str = ""
    costs: str = ""


@record
class HooksConfig:
    """What the agents' hooks do besides refusing edits that bring a P0 finding; all of it is off unless chosen.

    `hints` adds at most 500 tokens to a prompt, `digest` the same at the start of a session. `strict` holds back a
    claim that checks pass where none ran, and refuses what could not be judged. `max_subagents`: more at a time are
    refused.
    """

    hints: bool = False
    digest: bool = False
    strict: bool = False
    max_subagents: int | None = None


OWN_TABLES = ("prices", "webhook", "research")  # what only the person's own file may set: it holds for every repository
MOST_PRICE = 1e6


@record
class WorktreesConfig:
    """`[worktrees]`: `root` is the folder that holds new ones, as `ROOT/PROJECT/BRANCH`."""

    root: str = "~/tmp/worktrees"


@record
class ResearchConfig:
    """`[research]`: the folders in which `cockpit research scan` looks for what exists already."""

    roots: tuple[str, ...] = ()


@record
class Config:
    """Everything that can be chosen. `base` is the branch that worktrees are counted against (else the remote's);
    `profile` "auto" is what the dependencies say; `ascii` draws in ASCII alone (None: where the locale has no UTF-8);
    `keys` are keys by the id of their action, and `preset`: vim, emacs or arrows; `tiers` says which models a tier
    is."""

    theme: str = "auto"
    profile: str = "auto"
    base: str | None = None
    editor: str | None = None
    max_worktrees: int = 4
    worktrees: WorktreesConfig = WorktreesConfig()
    tenancy: TenancyConfig = TenancyConfig()
    budget: BudgetConfig = BudgetConfig()
    checks: ChecksConfig = ChecksConfig()
    hooks: HooksConfig = HooksConfig()
    ascii: bool | None = None
    keys: dict[str, str] = field(default_factory=dict)
    webhook: WebhookConfig = WebhookConfig()
    sweep: SweepConfig = SweepConfig()
    attention: AttentionConfig = AttentionConfig()
    day: DayConfig = DayConfig()
    research: ResearchConfig = ResearchConfig()
    prices: dict[str, PriceConfig] = field(default_factory=dict)
    tiers: dict[Tier, tuple[str, ...]] = field(default_factory=dict)


def load_config(root: Path | None, extra: Path | None = None, *, isolated: bool = False) -> Config:
    """The configuration in force for the repository at `root`.

    `extra` is the file of `--config`, read last of the files. Raises `CannotAnswer` naming file, line and key.
    """
    sources = [] if isolated else config_sources(root, extra)
    return _from_environment(_said_by(sources, root) if sources else Config())


def _said_by(sources: Sources, root: Path | None) -> Config:
    parsers = str(Path(__file__).parents[1] / "skills" / "gates" / "tool_output.py")
    checks = str(Path(__file__).with_name("config_tables.py"))
    kept = KeptConfig(Config, (__file__, config_files.__file__, checks, parsers), root, sources)
    config = kept.read()
    if config is None:
        config = Config()
        for path, raw in sources:
            within = root is not None and root in path.absolute().parents
            config = _merged(config, table_of(path, raw), path, in_repository=within)
        if not config.webhook.url:  # that address alone lets anybody post: it stands in one file only
            kept.write(config)
    return config


def named_tools(table: dict[str, Any]) -> dict[str, Any]:
    """The tables `[checks.NAME]` of one configuration file."""
    checks = table.get("checks")
    known = {column.name for column in fields(ChecksConfig)} - {"tools"}
    named = checks.items() if isinstance(checks, dict) else ()
    return {name: tool for name, tool in named if isinstance(tool, dict) and name not in known}


def _merged(config: Config, table: dict[str, Any], path: Path, *, in_repository: bool = False) -> Config:
    from cockpit.config_tables import validated, with_changes

    _only_own(table, path)
    tools = named_tools(table)
    if tools:
        table = {**table, "checks": {name: value for name, value in table["checks"].items() if name not in tools}}
    prices = {name: _price(name, price, path) for name, price in _tables(table, "prices").items()}
    checked = validated(Config, table, path, _known_keys())
    _known_profile(checked.profile, path)
    merged: Config = with_changes(config, {**table, "prices": prices}, checked)
    added = {name: _tool(name, tool, path, in_repository) for name, tool in tools.items()}
    return replace(merged, checks=replace(merged.checks, tools={**merged.checks.tools, **added})) if added else merged


def _known_profile(name: str, path: Path) -> None:
    from cockpit.config_tables import line_of
    from skills.gates.profiles import AUTO, PROFILES

    if name not in (AUTO, *PROFILES):
        where = f"{path}:{line_of(path, ('profile',))}: profile: {plain_text(name, 40)!r} is none"
        raise CannotAnswer(where, "use " + ", ".join((AUTO, *PROFILES)))


def _only_own(table: dict[str, Any], path: Path) -> None:
    """Raise `CannotAnswer` where another file than the person's own sets what holds for every repository."""
    from cockpit.config_tables import line_of

    found = next((name for name in OWN_TABLES if name in table), None)
    if found is not None and path != user_config_file():
        raise CannotAnswer(
            f"{path}:{line_of(path, (found,))}: {found}: it holds for every repository",
            f"only your own file may set it: {user_config_file()}",
        )


def _tables(table: dict[str, Any], name: str) -> dict[str, dict[str, Any]]:
    held = table.get(name)
    return {key: value for key, value in held.items() if isinstance(value, dict)} if isinstance(held, dict) else {}


def _price(pattern: str, table: dict[str, Any], path: Path) -> PriceConfig:
    from cockpit.config_tables import line_of, validated

    place = ("prices", pattern)
    checked = validated(PriceConfig, table, path, _known_keys(), place)
    price = PriceConfig(**{column.name: getattr(checked, column.name) for column in fields(PriceConfig)})
    for column in fields(price):
        value = getattr(price, column.name)
        if isinstance(value, float) and not 0 <= value <= MOST_PRICE:
            where = f"{path}:{line_of(path, (*place, column.name))}: prices.{plain_text(pattern, 60)}.{column.name}"
            raise CannotAnswer(f"{where}: dollars for a million tokens, 0 or more")
    return price


def _tool(name: str, table: dict[str, Any], path: Path, in_repository: bool) -> ToolConfig:
    from cockpit.config_tables import line_of, validated, with_changes
    from skills.gates.tool_output import parser_problem

    place = ("checks", name)
    checked = validated(ToolConfig, table, path, _known_keys(), place)
    if "from_repository" in table or not re.fullmatch(r"[A-Za-z][\w-]{0,40}", name):
        key = "from_repository is no key" if "from_repository" in table else "no name for a check: use letters and -"
        raise CannotAnswer(f"{path}:{line_of(path, place)}: checks.{plain_text(name, 60)}: {key}")
    tool: ToolConfig = replace(with_changes(ToolConfig(), table, checked), from_repository=in_repository)
    wrong = parser_problem(tool.parser) if tool.parser or name not in BUILT_IN_TOOLS else ""
    if name not in BUILT_IN_TOOLS and not tool.command:
        raise CannotAnswer(f"{path}:{line_of(path, place)}: checks.{name}: command is missing", 'command = ["…", "…"]')
    if bool(tool.command) != bool(tool.parser) or wrong:
        raise CannotAnswer(f"{path}:{line_of(path, place)}: checks.{name}.parser: {wrong or 'command is missing'}")
    if not 0 < tool.timeout <= 36_000:
        raise CannotAnswer(f"{path}:{line_of(path, (*place, 'timeout'))}: checks.{name}.timeout: seconds, above 0")
    return tool


def _known_keys() -> list[str]:
    """Every key that a file may set."""
    tables = [table.default for table in fields(Config) if is_dataclass(table.default)]
    columns = [column.name for table in (*tables, ToolConfig, PriceConfig, Limits) for column in fields(table)]
    return [column.name for column in fields(Config)] + columns


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
    if root := os.environ.get("COCKPIT_WORKTREES_ROOT"):
        changed = replace(changed, worktrees=WorktreesConfig(root))
    if mode is not None:
        changed = replace(changed, tenancy=replace(changed.tenancy, mode=cast(TenancyChoice, mode)))
    return changed

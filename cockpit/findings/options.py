"""What the gates are asked: the configuration in force, and what flags say instead."""

from dataclasses import replace

from cockpit.config import BUILT_IN_TOOLS, Config
from cockpit.errors import CannotAnswer
from cockpit.plain_text import plain_text
from skills.gates.model import GateOptions
from skills.gates.profiles import AUTO, PROFILES


def options_of(config: Config, **chosen: object) -> GateOptions:
    """The options that a configuration gives, with what flags `chosen` say instead.

    Raises `CannotAnswer` for an unknown profile.
    """
    if config.profile not in (AUTO, *PROFILES):
        raise CannotAnswer(
            f"the configuration names the profile {plain_text(config.profile, 40)!r}", "use " + ", ".join(PROFILES)
        )
    given = GateOptions(
        profile=config.profile,
        tenancy=config.tenancy.mode,
        tenant_fields=config.tenancy.fields,
        select=config.checks.select,
        ignore=config.checks.ignore,
        tools=("ruff", *BUILT_IN_TOOLS, *config.checks.tools),
    )
    return replace(given, **{name: value for name, value in chosen.items() if value is not None})  # type: ignore[arg-type]

"""What a token looks like in the theme that is on."""

from collections.abc import Mapping

from rich.style import Style
from textual.color import Color

_OVER = ("cursor", "cursor-blur")  # they lie over what a row has, and leave its colours
_BACKED = (*_OVER, "picked")
_ALIKE = {"tab": "muted"}  # it says what a click does, and looks as others do


def looks_of(token: str, variables: Mapping[str, str], under: Style) -> Style:
    """What `token` adds to the style `under` it, from the variables of the theme; the colour of a translucent one is
    mixed with the background. A token that the theme does not name adds nothing."""
    token = _ALIKE.get(token, token)
    back = _color(variables, f"ck-{token}-back") if token in _BACKED else None
    color = None if token in _OVER else _color(variables, f"ck-{token}")
    if color is not None and color.a < 1 and under.bgcolor is not None:
        color = (back or Color.from_rich_color(under.bgcolor)) + color
    style = Style(color=color.rich_color if color else None, bgcolor=back.rich_color if back else None)
    return style + Style.parse(variables.get(f"ck-{token}-style", "none"))


def _color(variables: Mapping[str, str], name: str) -> Color | None:
    value = variables.get(name)
    return Color.parse(value) if value else None

"""The answer is no: exit 1, with the reason."""


class Refused(Exception):
    """Cockpit could do it and does not, because something would be lost or disturbed. `why` is one line."""

    def __init__(self, why: str, *, forceable: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.forceable = forceable

"""The one exception that a person sees: a line that says what, where and what to do."""


class CannotAnswer(Exception):
    """Cockpit cannot answer (wrong usage, not a repository, broken configuration): exit 2, one line, no traceback."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message if not hint else f"{message}; {hint}")
        self.message = message
        self.hint = hint


def reason_of(problem: Exception) -> str:
    """Why reading or writing failed, in words for a person: without the number of the error, and without the path,
    which the line says already."""
    return (problem.strerror if isinstance(problem, OSError) else None) or str(problem) or type(problem).__name__

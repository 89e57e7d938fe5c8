"""How a number is said with its noun."""


def counted(number: int, one: str, many: str = "") -> str:
    """`1 file`, `1,204 files`. `many` is the plural where it is not `one` with an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"

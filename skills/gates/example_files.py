"""Short ways to write the examples of rules."""

from skills.gates.rule import Example


def one_file(path: str, *sources: str) -> tuple[Example, ...]:
    """Examples of a single file each, all with the same path. What a source needs more than that, say in an
    `Example`."""
    return tuple(Example({path: source}) for source in sources)

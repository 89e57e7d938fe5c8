"""Short ways to write the examples of rules."""

from skills.gates.rule import Example


def one_file(path: str, *sources: str) -> tuple[Example, ...]:
    """Examples of a single file each, all with the same path. What a source needs more than that, say in an
    `Example`."""
    return tuple(Example({path: source}) for source in sources)


def shop(source: str, path: str = "shop/services.py") -> Example:
    """A module beside models whose columns are known, some of them indexed."""
    models = (
        "class Order(models.Model):\n    number = models.CharField()\n    team = models.ForeignKey(Team, CASCADE)\n"
    )
    models += "    code = models.CharField(unique=True)\n    day = models.DateField()\n\n    class Meta:\n"
    models += "        indexes = [models.Index(fields=['day'])]\n"
    return Example({"shop/models.py": models, path: "from shop.models import Order\n\n\n" + source})

"""What an expression stands for where rows are concerned: a set of rows, one row, or a prefetch."""

from dataclasses import replace

from skills.record import record

EVERYTHING = "*"
NOWHERE = "@"
"""Stands before the dotted name of a function of another file whose answer is taken for rows."""


def below(loaded: frozenset[str], name: str) -> frozenset[str]:
    """What is loaded behind a relation: {"user", "user__team"} below "user" is {"team"}."""
    head = f"{name}__"
    found = frozenset(path[len(head) :] for path in loaded if path.startswith(head))
    return found | {EVERYTHING} if EVERYTHING in loaded else found


ONLY, LEFT_OUT = "+", "-"
"""Stand before the columns that `only(…)` keeps, and before those that `defer(…)` leaves out, among what is loaded."""


def of_either(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """What counts as loaded where rows are of either kind: all that is loaded with one, and the columns that both come
    without."""
    narrowed = all(any(name.startswith(ONLY) for name in loaded) for loaded in (one, other))
    marks = LEFT_OUT if narrowed else (LEFT_OUT, ONLY)
    return (one | other) - {name for name in one ^ other if name.startswith(marks)}


def lacks(loaded: frozenset[str], column: str) -> str:
    """ "only" or "defer" where that keeps a column out of the rows, else ""."""
    if not loaded or column in {"pk", "id"}:
        return ""
    if any(name in loaded for name in (f"{LEFT_OUT}{column}", f"{LEFT_OUT}{column}_id")):
        return "defer"
    kept = {name for name in loaded if name.startswith(ONLY)}
    return "only" if kept and not kept & {f"{ONLY}{column}", f"{ONLY}{column.removesuffix('_id')}"} else ""


def covers(loaded: frozenset[str], name: str) -> bool:
    """True where a relation was loaded with its rows, by itself or on the way to another."""
    return EVERYTHING in loaded or name in loaded or any(path.startswith(f"{name}__") for path in loaded)


@record
class Rows:
    """A queryset, a manager or a list of rows.

    `origin` is the dotted name of a model class, `steps` the attributes that lead from it to these rows,
    `loaded` the relations that come with them, `line` where they were asked for, `through` the methods of the
    project's own managers that they passed.
    """

    origin: str
    manager: str = ""
    steps: tuple[str, ...] = ()
    loaded: frozenset[str] = frozenset()
    line: int = 0
    sure: bool = True
    through: tuple[str, ...] = ()

    def with_loaded(self, names: frozenset[str]) -> "Rows":
        """The same rows with more relations loaded."""
        return replace(self, loaded=self.loaded | names)

    def one(self, loop: int = 0) -> "Row":
        """One of the rows; `loop` is the line of the loop that takes them one by one, 0 for a single row."""
        return Row(self.origin, self.manager, self.steps, self.loaded, self.line, self.sure, self.through, loop)


EMPTY = Rows("")
"""A list or dict that is empty: what fills it, or what another branch has, says what it holds."""


def keyed(rows: Rows) -> Rows:
    """A dict with rows as its values, as `in_bulk` answers it."""
    return replace(rows, through=(*rows.through, "in_bulk"))


def keyed_lists(rows: Rows) -> Rows:
    """A dict with lists of rows as its values."""
    return replace(rows, through=(*rows.through, "in_lists"))


def in_lists(table: object) -> Rows | None:
    """The rows of one list of a dict of lists, None where it is none."""
    if not isinstance(table, Rows) or table.through[-1:] != ("in_lists",):
        return None
    return replace(table, through=table.through[:-1])


def unkeyed(table: object) -> Rows | None:
    """The rows in a dict, None where it is none."""
    if not isinstance(table, Rows) or table.through[-1:] != ("in_bulk",):
        return None
    return replace(table, through=table.through[:-1])


@record
class Row:
    """One row, or what stands behind an attribute of one: another row, a related manager, or no row at all. `again`
    where the loop is a function that calls itself with rows of the same model, `known` where it stands behind a
    relation that was loaded."""

    origin: str
    manager: str = ""
    steps: tuple[str, ...] = ()
    loaded: frozenset[str] = frozenset()
    line: int = 0
    sure: bool = True
    through: tuple[str, ...] = ()
    loop: int = 0
    again: bool = False
    known: bool = False

    def behind(self, name: str) -> "Row":
        """What stands behind an attribute, also one that a `Prefetch(…, to_attr=…)` made: `lines_now=lines`. What is
        awaited behind `awaitable_attrs` stands behind the row."""
        if name == "awaitable_attrs":
            return self
        made = (path.partition("=")[2] for path in self.loaded if path.startswith(f"{name}="))
        behind = below(self.loaded, name)
        return replace(self, steps=(*self.steps, next(made, name)), loaded=behind, known=covers(self.loaded, name))

    def many(self) -> Rows:
        """The rows of a related manager."""
        return Rows(self.origin, self.manager, self.steps, self.loaded, self.line, self.sure, self.through)


@record
class Loading:
    """What a `Prefetch(…)` loads: lookups as `prefetch_related` would be given them."""

    names: frozenset[str]


@record
class Turn:
    """What a loop in a line takes of something that is not known: a key, say."""

    loop: int


@record
class Result:
    """What executing a query of SQLAlchemy's answers: tuples, with the rows in them; `more` where several models were
    asked for. `loop` is the line of the loop that takes them one by one, 0 for all of them."""

    rows: Rows
    loop: int = 0
    more: tuple[Rows | None, ...] = ()

    def one(self) -> Row:
        """The row in the tuple that the loop is at."""
        return self.rows.one(self.loop)


ORDERED = "<ordered"
"""Stands among what comes with rows that have an order of their own."""
OWN = "self."
"""Stands before what a class calls the model of its rows: `self.model`."""
EACH = "*"
"""Stands before the place of a parameter that is given rows, of which the function takes each."""


@record
class Fields:
    """A dict whose keys are written out, with the rows that stand under them."""

    held: tuple[tuple[str, Rows], ...]

    def under(self, key: object) -> Rows | None:
        """The rows under a key."""
        return next((rows for name, rows in self.held if name == key), None)


GIVEN = "given"
"""The manager of rows that a list which a function is given holds: whoever gives it may have loaded more."""
Value = Rows | Row | Loading | Result | Turn | Fields | None
Names = dict[str, Value]


def merged(one: Names, other: Names) -> Names:
    """What names stand for after either of two branches: where they differ, what either loaded counts as loaded."""
    both: Names = {}
    for name in one.keys() | other.keys():
        a, b = one.get(name), other.get(name)
        if a == b or name not in other:
            both[name] = a
        elif name not in one:
            both[name] = b
        elif EMPTY in (a, b):
            both[name] = b if a == EMPTY else a
        elif isinstance(a, Rows | Row) and isinstance(b, Rows | Row) and _alike(a, b):
            both[name] = replace(
                a, loaded=of_either(a.loaded, b.loaded), through=tuple(dict.fromkeys(a.through + b.through))
            )
        else:
            both[name] = None
    return both


def _alike(one: Rows | Row, other: Rows | Row) -> bool:
    """True for what comes from the same rows by the same steps."""
    return one.__class__ is other.__class__ and (one.origin, one.steps) == (other.origin, other.steps)

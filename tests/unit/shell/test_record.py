"""Records: dataclasses with slots that are worked out when the first object is made or their fields are asked for."""

import copy
import dataclasses
import inspect
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import msgspec
import pydantic
import pytest

from skills.record import record


@record
class Place:
    """Where something is."""

    path: str
    line: int = 1
    tags: tuple[str, ...] = dataclasses.field(default_factory=tuple)

    @property
    def shown(self) -> str:
        return f"{self.path}:{self.line}"


@record
class Undocumented:
    only: int


def fresh() -> Any:
    @record
    class Fresh:
        first: int
        second: str = "b"
        many: list[int] = dataclasses.field(default_factory=list)

    return Fresh


def test_it_is_a_dataclass_in_every_respect() -> None:
    place = Place("a", tags=("x",))
    assert (place, hash(place)) == (Place("a", 1, ("x",)), hash(Place("a", 1, ("x",))))
    assert place != Place("b", 1, ("x",)) and place != ("a", 1, ("x",))
    assert repr(place) == "Place(path='a', line=1, tags=('x',))" and place.shown == "a:1"
    assert dataclasses.replace(place, line=2) == Place("a", 2, ("x",))
    assert dataclasses.asdict(place) == {"path": "a", "line": 1, "tags": ("x",)}
    assert copy.deepcopy(place) == pickle.loads(pickle.dumps(place)) == place
    assert Undocumented.__doc__ == "Undocumented" and (Undocumented(1), hash(Undocumented(1))) == (
        Undocumented(1),
        hash(Undocumented(1)),
    )
    with pytest.raises(AttributeError):
        place.other = 1  # type: ignore[attr-defined]
    match place:
        case Place(path, line):
            assert (path, line) == ("a", 1)


@pytest.mark.parametrize(
    "ask",
    [
        lambda kind: [one.name for one in dataclasses.fields(kind)] == ["first", "second", "many"],
        dataclasses.is_dataclass,
        lambda kind: kind(1) == kind(first=1, second="b"),
        lambda kind: kind(1).many is not kind(1).many,
        lambda kind: msgspec.json.decode(b'{"first": 1}', type=kind) == kind(1),
        lambda kind: msgspec.json.encode(kind(1)) == b'{"first":1,"second":"b","many":[]}',
        lambda kind: pydantic.TypeAdapter(kind).validate_python({"first": "1"}) == kind(1),
        lambda kind: next(iter(inspect.signature(dataclasses.replace(kind(1)).__init__).parameters)) == "first",
        lambda kind: type("Sub", (kind,), {"__init__": lambda self: kind.__init__(self, 1)})().second == "b",
    ],
)
def test_whatever_is_asked_first(ask: Any) -> None:
    assert ask(fresh())


@pytest.mark.parametrize("given", [(), (1, "b", [], 4)])
def test_wrong_fields_are_refused_the_first_time_and_the_next(given: tuple[object, ...]) -> None:
    kind = fresh()
    for _ in range(2):
        with pytest.raises(TypeError, match="argument"):
            kind(*given)


def test_a_record_of_a_record_has_the_fields_of_both() -> None:
    @record
    class Near(Place):
        away: int = 0

    near = Near("a", 2, (), 3)
    assert repr(near).endswith("Near(path='a', line=2, tags=(), away=3)")
    assert near != Near("a", 3, (), 3) and near == Near("a", 2, (), 3)
    assert not hasattr(near, "__dict__")


@pytest.mark.parametrize(("given", "said"), [((), "must"), ((1, 2, 3), "argument")])
def test_fields_that_are_not_given_as_others_are(given: tuple[int, ...], said: str) -> None:
    @record
    class Odd:
        must: int = dataclasses.field(metadata={"a": 1})
        own: int = dataclasses.field(default=3)
        named: int = dataclasses.field(default=4, kw_only=True)

    with pytest.raises(TypeError, match=said):
        Odd(*given)

    assert (Odd(1).own, Odd(1, named=5).named) == (3, 5)


def test_a_record_may_look_at_what_it_was_given() -> None:
    @record
    class Checked:
        size: int

        def __post_init__(self) -> None:
            if self.size < 0:
                raise ValueError("below zero")

    with pytest.raises(ValueError, match="below"):
        Checked(-1)


def test_many_threads_may_make_the_first_one() -> None:
    for _ in range(20):
        kind, gate, made = fresh(), threading.Barrier(8), []

        def make(kind: Any = kind, gate: Any = gate, made: Any = made) -> None:
            gate.wait()
            made.append(kind(1, many=[2]))

        threads = [threading.Thread(target=make) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert made == [kind(1, "b", [2])] * 8


def test_what_is_never_made_is_never_compiled() -> None:
    script = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[3])!r})\n"
        "import dataclasses; worked_out = []; before = dataclasses._process_class\n"
        "def counted(cls, *more): worked_out.append(cls.__name__); return before(cls, *more)\n"
        "dataclasses._process_class = counted\n"
        "from skills.workflow.tasks import Task\n"
        "print(worked_out)"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "[]\n"

"""The parts of the app are joined into one class: no two of them may mean different things by the same name."""

from itertools import combinations

from cockpit.app_parts.deeds import Deeds
from cockpit.app_parts.joined import Parts


def names_of(part: type) -> set[str]:
    """What a part itself makes; a bare annotation names what another part holds, and `Deeds` is to be overridden."""
    made = {name for name in vars(part) if not name.startswith(("__", "_inherit", "_merged", "_decorated", "_css"))}
    return made - {*dir(Deeds), *Deeds.__annotations__}


def test_no_two_parts_use_one_name_for_two_things() -> None:
    for one, other in combinations(Parts.__bases__, 2):
        both = names_of(one) & names_of(other)
        assert not both, f"{one.__name__} and {other.__name__} both define {sorted(both)}"

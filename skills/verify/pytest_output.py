"""What test runners print: how far they are, and why pytest cannot even read the tests."""

import re

from skills.counted import counted

_HEAD = re.compile(r"^_+ ERROR (?:collecting|at \w+ of) (\S+) _+$")
_SHORT = re.compile(r"^ERROR (\S+?)(?: - (.*))?$")
_RESULTS = re.compile(r"^(?:\S+\.py )?([.FEsxXu]+)(?= *(?:\[.*)?$)", re.MULTILINE)
_SHARE = re.compile(r"\[ *(\d+)%\]")


def how_far(text: str) -> str:
    """ "214 tests, 2 failed · 42 %", by the letters that pytest and unittest print for each test; "" where none is.

    pytest tells the share at the end of a line: what came since is reckoned with the number of tests that implies."""
    letters = "".join(results[1] for results in _RESULTS.finditer(text))
    failed = letters.count("F") + letters.count("E")
    said = f"{counted(len(letters), 'test')}{f', {failed} failed' if failed else ''}" if letters else ""
    told = list(_SHARE.finditer(text))
    if not told:
        return said
    share, before = int(told[-1][1]), text[: told[-1].end()]
    if known := sum(len(results[1]) for results in _RESULTS.finditer(before)):
        share = max(share, min(99, share * len(letters) // known))
    return " · ".join(filter(None, [said, f"{share} %"]))


def collection_errors(text: str) -> list[str]:
    """ "tests/test_a.py: ModuleNotFoundError: No module named 'x'" for each file that could not be collected, and the
    first line of what stopped pytest before it looked (a conftest, a wrong option)."""
    found: dict[str, str] = {}
    place = ""
    for line in text.splitlines():
        if head := _HEAD.match(line):
            place = head[1]
            found.setdefault(place, "")
        elif place and line.startswith("E  "):
            found[place] = found[place] or line[1:].strip()
        elif short := _SHORT.match(line):
            found[short[1]] = found.get(short[1]) or (short[2] or "").strip()
        elif line.startswith("ImportError while loading conftest"):
            place = line.partition("'")[2].rstrip("'.") or "conftest.py"
            found.setdefault(place, "")
    return [f"{place}: {why}" if why else place for place, why in found.items()]

"""Numbers in files that cockpit writes: they look like secrets and are none.

A fingerprint of a finding carries a checksum of its file's path, so that it is known by what it is: the path stands in
the same baseline, report or recording. A commit's number is known by its place in a line of a recording.
"""

import json
import re
from collections.abc import Iterable, Sequence
from urllib.parse import unquote

from skills.gates.engine.fingerprints import place_of

_KEYS = ('"fingerprint"', '"cockpit/v1"')
_FINGERPRINT = re.compile(r'("(?:fingerprint|cockpit/v1)": ?)"([0-9a-f]{16})([0-9a-f]{8})[0-9a-f]{2}"')
_PATH = re.compile(r'"(path|uri)": ?("(?:[^"\\]|\\.)*")')
_RECORDED = re.compile(r'\{"at":"[0-9T:.-]+Z","pane":"(?:worktrees|budget|phase|findings)","snapshot":\{')
_COMMIT = re.compile(r'("head":)"(?:[0-9a-f]{40}|[0-9a-f]{64})"')


class OwnNumbers:
    """Knows the numbers in `lines`, of a file or of a part of it; `beside` is the whole file, where it is at hand."""

    def __init__(self, lines: Sequence[str], beside: str = "") -> None:
        keyed = any(key in line for line in lines for key in _KEYS)
        self._places = frozenset(place_of(path) for path in _paths((*lines, beside))) if keyed else frozenset[str]()

    def without(self, line: str) -> str:
        """The line with these numbers taken out, everything else as it is."""
        if self._places:
            line = _FINGERPRINT.sub(lambda found: f'{found[1]}""' if found[3] in self._places else found[0], line)
        if '"head":' in line and _RECORDED.match(line):
            line = _COMMIT.sub(r'\1""', line)
        return line


def _paths(texts: Iterable[str]) -> Iterable[str]:
    for text in texts:
        for key, quoted in _PATH.findall(text):
            try:
                path = str(json.loads(quoted))
            except ValueError:
                continue
            yield unquote(path, errors="replace") if key == "uri" else path

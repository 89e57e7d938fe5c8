"""Whether a read could have been made together with the one before (performance orchestrator, tools).

A read depends on an earlier one where its input names something that was first seen in that one's result.
Within a run of reads the results are held until it ends; a run that is too large is taken as dependent.
"""

import re

LONGEST_RUN = 262_144
_MOST_KNOWN = 20_000
_TOKEN = re.compile(r"[^\W_][\w-]{3,}|_[\w-]{3,}")


class Provenance:
    """Follows one task. `results` are those of the run of reads that is going on."""

    __slots__ = ("held", "known", "results", "too_large")

    def __init__(self, prompt: str = "") -> None:
        self.known: set[str] = _tokens(prompt)
        self.results: list[str] = []
        self.held = 0
        self.too_large = False

    def chained(self, arguments: str) -> bool:
        """Whether a read with these arguments depends on a result of the run."""
        tokens = _tokens(arguments)
        fresh = tokens - self.known
        if len(self.known) < _MOST_KNOWN:
            self.known |= tokens
        if self.too_large and fresh:
            return True
        return any(token in result for token in fresh for result in self.results)

    def learn(self, arguments: str) -> None:
        """Something other than a read was called: what it names is known from now on, and the run is over."""
        if len(self.known) < _MOST_KNOWN:
            self.known |= _tokens(arguments)
        self.results.clear()
        self.held = 0
        self.too_large = False

    def result(self, text: str) -> None:
        """A read answered."""
        self.held += len(text)
        if self.held > LONGEST_RUN:
            self.too_large = True
            self.results.clear()
        else:
            self.results.append(text)


def _tokens(text: str) -> set[str]:
    return set(_TOKEN.findall(text))

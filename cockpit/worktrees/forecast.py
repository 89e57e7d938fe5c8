"""Which worktrees would be in conflict if they were merged, with their base and with each other."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

from cockpit.worktrees.models import Clash
from cockpit.worktrees.trials import Trial, TrialMerges
from skills.record import record

MOST_PAIRS = 800  # of worktrees among each other; beyond that only the base is compared
_CLEAN = Trial("", clean=True)


@record
class ToMerge:
    """A worktree with commits of its own: its branch's name and commit, and those of its base (None: it has none)."""

    path: str
    name: str
    head: str
    base: str | None
    base_sha: str | None


def forecast(
    trials: TrialMerges, folder: Path, trees: Sequence[ToMerge], environment: Mapping[str, str]
) -> dict[str, tuple[Clash, ...]]:
    """The conflicts of each worktree by its path: with its base first, then with the others, in files that are not in
    conflict with the base anyway. Raises `GitFailed` where git is older than 2.38.
    """
    against = {tree.path: (tree.base_sha, tree.head) for tree in trees if tree.base_sha}
    among = list(combinations(trees, 2)) if len(trees) * (len(trees) - 1) // 2 <= MOST_PAIRS else []
    pairs = {(one.path, other.path): (min(one.head, other.head), max(one.head, other.head)) for one, other in among}
    known = trials.of(folder, {*against.values(), *pairs.values()}, environment)
    found: dict[str, list[Clash]] = {}
    for tree in trees:
        files = known.get(against[tree.path], _CLEAN).files if tree.path in against else ()
        if files and tree.base:
            found[tree.path] = [Clash(tree.base, files)]
    with_base = {path: set(clashes[0].files) for path, clashes in found.items()}
    for one, other in among:
        settled = with_base.get(one.path, set()) | with_base.get(other.path, set())
        trial = known.get(pairs[one.path, other.path], _CLEAN)
        files = tuple(file for file in trial.files if file not in settled)
        if files:
            found.setdefault(one.path, []).append(Clash(other.name, files))
            found.setdefault(other.path, []).append(Clash(one.name, files))
    return {path: tuple(clashes) for path, clashes in found.items()}

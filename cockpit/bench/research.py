"""Research as files: the study, RESEARCH.md and FINDINGS.md, decision records, the kept research, the scan."""

import contextlib
import json
import os
import re
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cockpit.bench.shared import create, home_of, keep, keep_block, named, one_writer, recorded, stepped
from cockpit.clock import iso, now, read_iso
from cockpit.errors import CannotAnswer, cannot_write
from cockpit.files import read_regular, source_lines, write_atomically
from cockpit.paths import claude_folders
from cockpit.plain_text import plain_text
from cockpit.recording.redaction import redacted_text
from cockpit.repository import Repository
from skills.record import record
from skills.workflow.research import CACHE_DAYS, Study, is_fresh, key_of
from skills.workflow.research_text import adr, figures, findings, findings_template, template
from skills.workflow.worktree_setup import is_cache, slug_of

KIND = "research"
_KINDS = (".md", ".py", ".js", ".ts")
_GUIDES = re.compile(r"^(?:README|ARCHITECTURE)\b.*\.md$", re.IGNORECASE)
_AROUND = 5
_MOST_HITS = 20
_MOST_FILES = 50_000
_LARGEST = 1_000_000
_HEAD = re.compile(r"^<!-- cockpit: (\{.*\}) -->$")


@record
class Hit:
    """One place where the term stands. `lines` are those around it, in a README or an ARCHITECTURE file only."""

    path: str
    line: int
    text: str
    lines: tuple[str, ...] = ()


@record
class Kept:
    """Research that was kept. `fresh` says whether it still holds."""

    path: Path
    kind: str
    at: datetime
    fresh: bool
    text: str


def studies(repository: Repository) -> list[Study]:
    """Every study of the repository, the oldest first."""
    return sorted(recorded(repository, KIND, Study), key=lambda one: one.begun)


def open_study(repository: Repository, name: str = "") -> Study:
    """The study `name` (its id, or words of its term), else the newest open one. Raises `CannotAnswer`."""
    known = named(studies(repository), name)
    if not known:
        what = f"there is no research {plain_text(name, 60)!r}" if name else "no research is open here"
        raise CannotAnswer(what, "cockpit research new TERM")
    return known[-1]


def new_study(repository: Repository, term: str, kind: str) -> Study:
    """Begin a study, with a RESEARCH.md of its own. Raises `CannotAnswer`."""
    with one_writer(repository, KIND):
        begun, slug = now(), slug_of(term.lower())
        taken = {one.id for one in studies(repository)}
        stem = begun.strftime("%Y%m%d") + f"-{slug}"
        name = next(one for one in (stem, *(f"{stem}-{n}" for n in range(2, 1000))) if one not in taken)
        study = Study(name, plain_text(term, 120), iso(begun), home=str(repository.root), kind=kind)
        names = ["RESEARCH.md", f"docs/research/{name}/RESEARCH.md"]
        place = create(repository.root, names, lambda _: template(study))
        folder = place.removesuffix("RESEARCH.md")
        study = _placed(study, place, f"{folder}FINDINGS.md", repository.root)
        _save(repository, study)
    return study


def _placed(study: Study, place: str, wanted: str, root: Path) -> Study:
    free = wanted if not (root / wanted).exists() else f"docs/research/{study.id}/FINDINGS.md"
    return replace(study, place=place, findings=free)


def change(repository: Repository, name: str, step: Callable[[Study], Study]) -> Study:
    """Apply one step to a study and write it, with its block of RESEARCH.md. Raises `CannotAnswer`."""
    with one_writer(repository, KIND):
        known = open_study(repository, name)
        study = stepped(known, step, closed="the research is closed", begin="cockpit research new TERM")
        _save(repository, study)
    return study


def _save(repository: Repository, study: Study) -> None:
    keep(repository, KIND, study)
    keep_block(home_of(repository, study), study.place, study.id, figures(study), template(study))


def write_findings(repository: Repository, study: Study) -> str:
    """Write the block of FINDINGS.md; the name of the file. Raises `CannotAnswer`."""
    keep_block(home_of(repository, study), study.findings, study.id, findings(study), findings_template(study))
    return study.findings


def write_adr(repository: Repository, study: Study, title: str) -> str:
    """Write the decision under the next free number; the name of the file. Call it inside `change`, so that two at
    once get two numbers."""
    used = [
        int(found[1])
        for folder in ("docs/decisions", "docs/adr")
        for path in _listed(home_of(repository, study) / folder)
        if (found := re.match(r"adr[-_ ]?(\d{1,6})", path, re.IGNORECASE))
    ]
    number = max(used, default=0) + 1
    name = f"docs/decisions/ADR-{number:03d}-{slug_of(title.lower())}.md"
    return create(home_of(repository, study), [name], lambda _: adr(study, number, title))


def _listed(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError:
        return []


def cache_path(term: str) -> Path:
    """Where research on a term is kept: shared with every agent of this person."""
    return claude_folders()[-1] / "research-cache" / f"{key_of(term)}.md"


def read_cache(term: str) -> Kept | None:
    """What was kept on a term; None where nothing was. A file without a head of ours is a search of its own age."""
    path = cache_path(term)
    try:
        text = read_regular(path, _LARGEST).decode("utf-8", "replace")
        at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:
        return None
    kind, first, rest = "search", *text.partition("\n")[::2]
    if found := _HEAD.match(first):
        with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
            head = json.loads(found[1])
            kind, at, text = str(head["kind"]), read_iso(head["at"]) or at, rest
    return Kept(path, kind, at, is_fresh(kind, max(now() - at, timedelta(0))), text)


def write_cache(term: str, kind: str, text: str) -> Path:
    """Keep research on a term. Raises `CannotAnswer` for an unknown kind, and where it cannot be written."""
    if kind not in CACHE_DAYS:
        raise CannotAnswer(f"there is no kind {plain_text(kind, 40)!r}", "use " + ", ".join(CACHE_DAYS))
    head = json.dumps({"kind": kind, "term": plain_text(term, 200), "at": iso(now())}, ensure_ascii=False)
    path = cache_path(term)
    try:
        write_atomically(path, f"<!-- cockpit: {head.replace('-->', '')} -->\n{text}", mode=0o600)
    except OSError as problem:
        raise cannot_write(path, problem) from None
    return path


def scan(roots: Sequence[Path], term: str, own: Container[str] = ()) -> tuple[list[Hit], list[str], bool]:
    """Where the term stands in Markdown, Python, JavaScript and TypeScript below the roots.

    At most 20 hits, guides with the lines around first; what could not be read; whether there are more. Installed
    packages and caches are passed over, and `own`, the real paths of the research itself. Secrets and home folders are
    redacted.
    """
    wanted, home = term.casefold(), str(Path.home())
    guides: list[Hit] = []
    others: list[Hit] = []
    troubles: list[str] = []
    for count, path in enumerate(_files(roots, troubles, own)):
        guide = bool(_GUIDES.match(path.name))
        if count >= _MOST_FILES:
            troubles.append(f"only the first {_MOST_FILES:,} files were read")
            break
        if len(guides) > _MOST_HITS or (not guide and len(others) > _MOST_HITS):
            continue
        try:
            lines = source_lines(read_regular(path, _LARGEST))
        except OSError:
            continue
        for number, line in enumerate(lines):
            if wanted not in line.casefold():
                continue
            around = lines[max(0, number - _AROUND) : number + _AROUND + 1] if guide else []
            shown = [plain_text(redacted_text(one, home), 160) for one in (line, *around)]
            name = plain_text(redacted_text(str(path), home), 200)
            (guides if guide else others).append(Hit(name, number + 1, shown[0].strip(), tuple(shown[1:])))
            if len(guides if guide else others) > _MOST_HITS:
                break
    hits = [*guides, *others]
    return hits[:_MOST_HITS], troubles, len(hits) > _MOST_HITS


def _files(roots: Sequence[Path], troubles: list[str], own: Container[str]) -> Iterator[Path]:
    seen: set[str] = set()
    for root in roots:
        if not root.is_dir():
            troubles.append(f"{plain_text(root, 120)} is not a folder")
            continue
        for folder, names, files in os.walk(root):
            names[:] = sorted(one for one in names if one != ".git" and not is_cache(one))
            for name in sorted(files):
                path = Path(folder, name)
                if name.endswith(_KINDS) and (real := os.path.realpath(path)) not in seen and real not in own:
                    seen.add(real)
                    yield path

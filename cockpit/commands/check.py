"""`cockpit check`: judge the code by the P0, P1 and P2 gates."""

import argparse
import gc
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.call import Call, rewrite, say, tell_checked
from cockpit.errors import CannotAnswer
from cockpit.files import read_regular, source_lines
from cockpit.plain_text import plain_text
from skills.counted import counted

if TYPE_CHECKING:
    from cockpit.config import Config
    from cockpit.findings.discovery import Listing
    from cockpit.findings.once import CheckRequest
    from cockpit.findings.outcome import Outcome
    from cockpit.findings.project import Project
    from cockpit.findings.revisions import StagedReading
    from skills.gates.model import GateOptions

_judged_last: object = None
"""What the last check found, held until the process ends: to free it takes longer than to print it."""

EXAMPLES = """examples:
  cockpit check                              everything that git does not ignore
  cockpit check apps/billing                 findings of one folder; facts still come from the whole project
  cockpit check --staged                     the lines that the next commit adds (for a pre-commit hook)
  cockpit check --since main                 the lines that this branch adds
  cockpit check --select P0,ruff             a rule, a gate, a skill, audit, or ruff
  cockpit check --preset query-analysis      also: quick-audit, check-tenant, check-contract, coverage
  cockpit check --tools mypy,pytest          other tools too; alone: all that the project uses
  cockpit check --format sarif > out.sarif   also: json, github
  cockpit check --fix --diff                 what would be fixed, as a diff; without --diff it is written
  cockpit check --write-baseline             accept what is there; from then on only new findings count

exit: 0 no blocking finding · 1 a P0 finding · 2 a P0 rule could not judge a file in scope
silence one finding:  # cockpit: ignore[rule] reason
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files or folders (default: the whole repository)")
    parser.add_argument("--format", choices=("text", "json", "sarif", "github"), default="text")
    parser.add_argument("--json", action="store_const", const="json", dest="format", help="as --format json")
    parser.add_argument("--profile", metavar="NAME", help="default, django, fastapi, ml or binora")
    parser.add_argument("--preset", metavar="NAME", help="a group of rules: quick-audit, check-tenant, …")
    parser.add_argument("--select", metavar="RULES", help="only these rules, gates or skills, comma-separated")
    parser.add_argument("--ignore", metavar="RULES", help="not these")
    change = parser.add_mutually_exclusive_group()
    change.add_argument("--staged", action="store_true", help="the index instead of the work tree, added lines only")
    change.add_argument("--since", metavar="REV", help="only lines added since REV, or since HEAD left it")
    parser.add_argument("--baseline", metavar="FILE", help="accepted findings (default: .cockpit/baseline.json)")
    parser.add_argument("--no-baseline", action="store_true", help="count accepted findings as well")
    parser.add_argument(
        "--write-baseline", action="store_true", help="write the baseline; an existing one only shrinks"
    )
    parser.add_argument("--force", action="store_true", help="with --write-baseline: let it grow")
    parser.add_argument("--fix", action="store_true", help="mend what has an automatic fix, then report what is left")
    parser.add_argument("--diff", action="store_true", help="with --fix: print the changes and write nothing")
    parser.add_argument("--no-cache", action="store_true", help="judge every file anew and keep nothing")
    parser.add_argument("--isolated", action="store_true", help="no configuration files, no cache, every rule")
    parser.add_argument(
        "--tools",
        nargs="?",
        const="",
        metavar="NAMES",
        help="mypy, pyright, bandit, pytest, your own; those in use (give PATHs first)",
    )
    parser.add_argument("--tenant-fields", metavar="A,B", help="names of fields that hold the tenant")


def run(call: Call) -> int:
    """Check and print. Raises `CannotAnswer` for wrong usage, and where there is no repository and no PATH."""
    started = time.perf_counter()
    gc.disable()  # a check ends before its garbage matters, and a third of a short one would go into looking for it
    args = call.args
    _agree(args)
    root, paths, in_git = _place(call)
    reading = _begun(root) if args.staged else None
    listing = None if args.staged or not in_git else _listing(root)
    from cockpit.config import load_config
    from cockpit.findings.once import check_now

    extra = Path(args.config) if args.config else None
    config = load_config(root, extra, isolated=args.isolated)
    request = _request(args, config, paths, in_git, reading, listing)
    outcome, project = check_now(root, config, request, tell_checked)
    rewrite("")
    if args.write_baseline:
        outcome = _write_baseline(args, root, project, outcome)
    for path in paths:
        if path and not any(
            name == path or name.startswith(path + "/") for name in (*project.reports, *project.skipped)
        ):
            say(f"{path}: no Python file in scope there (git may ignore it)")
    more: dict[str, object] = {}
    if args.fix:
        from cockpit.findings.fix_run import fix_now

        fixes = fix_now(root, outcome, write=not args.diff)
        if args.diff and args.format == "text":
            sys.stdout.write(plain_text(fixes.diff, multiline=True) if sys.stdout.isatty() else fixes.diff)
            return outcome.exit_code
        if fixes.written:
            outcome, project = check_now(root, config, replace(request, listing=None))
        more = {"fix": fixes.row()}
    _print(args, root, outcome, project, time.perf_counter() - started, more)
    global _judged_last
    _judged_last = project, outcome
    return outcome.exit_code


def _begun(root: Path) -> "StagedReading":
    """The index, read by git while this process loads the rules."""
    from cockpit.findings.revisions import StagedReading

    return StagedReading(root)


def _listing(root: Path) -> "Listing | None":
    """The list of files, made by git while this process loads the rules."""
    from cockpit.findings.discovery import Listing
    from cockpit.git_command import GitFailed

    try:
        return Listing(root)
    except GitFailed:
        return None


def _agree(args: argparse.Namespace) -> None:
    partial = args.paths or args.staged or args.since or args.select or args.ignore or args.preset
    if args.write_baseline and partial:
        raise CannotAnswer(
            "--write-baseline needs the whole project",
            "leave out PATH, --staged, --since, --select, --ignore, --preset",
        )
    if args.no_baseline and (args.baseline or args.write_baseline):
        raise CannotAnswer("--no-baseline goes with neither --baseline nor --write-baseline")
    if args.force and not args.write_baseline:
        raise CannotAnswer("--force goes with --write-baseline only")
    if args.diff and not args.fix:
        raise CannotAnswer("--diff goes with --fix only")
    if args.fix and (args.staged or args.write_baseline):
        other = "--staged" if args.staged else "--write-baseline"
        raise CannotAnswer(f"--fix changes the work tree and does not go with {other}", "use one after the other")
    if args.diff and args.format not in ("text", "json"):
        raise CannotAnswer(f"--diff does not go with --format {args.format}", "use text or json")
    if args.preset and args.select:
        raise CannotAnswer("--preset goes without --select", "a preset is a selection")
    if args.profile:
        from skills.gates.profiles import PROFILES

        if args.profile not in PROFILES:
            raise CannotAnswer(f"there is no profile {plain_text(args.profile, 40)!r}", "use " + ", ".join(PROFILES))


def _place(call: Call) -> tuple[Path, tuple[str, ...], bool]:
    """The root, the PATHs relative to it, and whether git knows the root."""
    args = call.args
    given = [Path(os.path.realpath(path)) for path in args.paths]
    for path, said in zip(given, args.paths, strict=True):
        if not path.exists() and not args.staged:
            raise CannotAnswer(f"{plain_text(said, 200)}: no such file or folder")
    if not given:
        return call.repository().root, (), True
    root, in_git = _root_of(call, given)
    real = Path(os.path.realpath(root))
    names = []
    for path in given:
        if path != real and real not in path.parents:
            raise CannotAnswer(
                f"{plain_text(path, 200)} is not below {plain_text(real, 200)}", "check one project at a time"
            )
        name = path.relative_to(real).as_posix()
        names.append("" if name == "." else name)
    return root, tuple(dict.fromkeys(names)), in_git


def _root_of(call: Call, given: list[Path]) -> tuple[Path, bool]:
    from cockpit.repository import find_repository

    folders = [path if path.is_dir() else path.parent for path in given]
    try:
        if call.args.repo:
            return call.repository().root, True
        return find_repository(folders[0]).root, True
    except CannotAnswer:
        common = Path(os.path.commonpath(folders))
        return (Path(call.args.repo).resolve() if call.args.repo else common), False


def _request(
    args: argparse.Namespace,
    config: "Config",
    paths: tuple[str, ...],
    in_git: bool,
    reading: "StagedReading | None" = None,
    listing: "Listing | None" = None,
) -> "CheckRequest":
    from cockpit.findings.once import CheckRequest
    from cockpit.findings.options import options_of

    fields = _words(args.tenant_fields)
    if args.tenant_fields is not None and not fields:
        raise CannotAnswer("--tenant-fields names no field", "e.g. --tenant-fields tenant,tenant_id")
    if args.select is not None and not _words(args.select):
        raise CannotAnswer("--select names no rule", "cockpit rules lists them; leave it out to ask all")
    options = options_of(
        config,
        profile=args.profile,
        select=_preset(args.preset) if args.preset else _words(args.select),
        ignore=_words(args.ignore),
        tenant_fields=fields,
        isolated=args.isolated,
    )
    _known(options, config)
    if args.no_baseline:
        baseline = None
    else:
        baseline = str(Path(args.baseline).absolute()) if args.baseline and not args.write_baseline else ""
    return CheckRequest(
        options=options,
        paths=() if paths == ("",) and in_git else paths,
        only_paths=not in_git,
        staged=args.staged,
        since=args.since,
        baseline=baseline,
        use_cache=not (args.no_cache or args.isolated),  # the same input is to give the same bytes
        reading=reading,
        listing=listing,
        tools=_words(args.tools),
    )


def _preset(name: str) -> tuple[str, ...]:
    from skills.gates import known_words
    from skills.gates.presets import PRESETS, preset_words

    if name not in PRESETS:
        raise CannotAnswer(f"there is no preset {plain_text(name, 40)!r}", "use " + ", ".join(PRESETS))
    words = preset_words(name, known_words())
    if not words:
        raise CannotAnswer(f"the preset {name} has no rules here", f"it stands for {', '.join(PRESETS[name])}")
    return words


def _known(options: "GateOptions", config: "Config") -> None:
    """Raises `CannotAnswer` for a word of select or ignore that names nothing."""
    words = (*options.select, *options.ignore)
    if not words:
        return  # to know every rule means to load every rule
    import difflib

    from skills.gates import known_words

    known = known_words() | {"ruff", *config.checks.tools}
    for word in words:
        if word not in known and "/" not in word:
            close = difflib.get_close_matches(word, known, 1)
            hint = f"did you mean {close[0]}?" if close else "cockpit rules lists them"
            raise CannotAnswer(f"there is no rule, gate or skill {plain_text(word, 60)!r}", hint)


def _words(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    return tuple(word for word in (part.strip() for part in text.split(",")) if word)


def _write_baseline(args: argparse.Namespace, root: Path, project: "Project", outcome: "Outcome") -> "Outcome":
    from cockpit.findings.baseline import DEFAULT, read_baseline, write_baseline
    from cockpit.findings.outcome import outcome_of
    from skills.gates import RULES

    path = Path(args.baseline) if args.baseline else root / DEFAULT
    known = read_baseline(path)
    project.baseline = known
    outcome = outcome_of(project)
    unjudged = [problem.path for problem in outcome.problems]
    status = {check.rule: check.status for check in outcome.checks}

    def unasked(rule: str) -> bool:
        tool, of_tool, _ = rule.partition("/")
        if of_tool:
            return status.get(tool) not in ("pass", "fail")
        return rule in RULES and status.get(rule, "not_run") == "not_run"

    holds, lost, refused = write_baseline(
        path,
        outcome.findings,
        known,
        unjudged=unjudged,
        unasked=unasked,
        force=args.force,
    )
    say(
        f"{path}: {counted(holds, 'finding')} accepted, {lost} gone"
        + (f", {refused} new ones refused (--force)" if refused else "")
    )
    project.baseline = read_baseline(path)
    return outcome_of(project)


def _print(
    args: argparse.Namespace,
    root: Path,
    outcome: "Outcome",
    project: "Project",
    seconds: float,
    more: dict[str, object],
) -> None:
    """`more` are further keys of the JSON document."""
    if args.format == "text":
        from cockpit.findings.report_text import Terminal, report_lines

        lines = list(report_lines(outcome, _line_reader(project), seconds, Terminal.of_output()))
        sys.stdout.write("".join(line + "\n" for line in lines))
        return
    from cockpit.findings import formats

    if args.format == "json":
        document = formats.json_document(outcome, root, project.options.profile, seconds * 1000)
        formats.write_json({**document, **more})
        return
    if args.format == "sarif":
        import json

        sys.stdout.write(json.dumps(formats.sarif_document(outcome, root), indent=1) + "\n")
        return
    lines = list(formats.github_lines(outcome))
    sys.stdout.write("".join(line + "\n" for line in lines))


def _line_reader(project: "Project") -> Callable[[str], list[str]]:
    def lines_of(name: str) -> list[str]:
        try:
            source = project.sources.get(name) or read_regular(project.root / name)
        except OSError:
            return []
        return source_lines(source)

    return lines_of

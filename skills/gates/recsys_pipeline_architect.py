"""Rules of the skill recsys-pipeline-architect: the order of a recommendation pipeline's stages."""

import ast
import re

from skills.gates.context import FileContext
from skills.gates.example_files import one_file
from skills.gates.names import dotted, last_name
from skills.gates.roles import outside_tests
from skills.gates.rule import Rule, Watch

SKILL = "recsys-pipeline-architect"
ORDER = "pipeline-stage-order"
LATE_FILTER = "filter-after-scorer"
AWAITED = "awaited-side-effect"
UNVARIED = "pipeline-without-diversity"

_STAGES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("source", re.compile(r"(?:Source|Retriever|CandidateGenerator|Candidates)s?$", re.I)),
    ("hydrator", re.compile(r"(?:Hydrator|Enricher|FeatureLoader)s?$", re.I)),
    ("filter", re.compile(r"Filters?$", re.I)),
    ("scorer", re.compile(r"(?:Scorer|Ranker|ScoringModel)s?$", re.I)),
    ("selector", re.compile(r"(?:Selector|TopK|TopKSelector)s?$", re.I)),
    ("side effect", re.compile(r"(?:Side_?Effect|ImpressionLogger|EventEmitter)s?$", re.I)),
)  # fmt: skip
_KINDS = [name for name, _ in _STAGES]
_VARIETY = re.compile(r"divers|mmr|rerank|re_rank|business|dedup|quota|mix|blend|calibrat|fair|explor", re.I)
_WORDS = (b"Scorer", b"Hydrator", b"Ranker", b"scorer", b"SideEffect")


def _stage(node: ast.AST) -> str:
    """The kind of stage that an element of a pipeline is, "" for none."""
    name = last_name(node)
    return next((kind for kind, pattern in _STAGES if pattern.search(name)), "")


def _on_list(node: ast.List | ast.Tuple, context: FileContext) -> None:
    found = [(element, _stage(element)) for element in node.elts]
    kinds = [kind for _, kind in found if kind]
    if len(kinds) < 3 or len(kinds) < len(found) / 2 or len(set(kinds)) < 3:
        return
    highest = -1
    for element, kind in found:
        if not kind:
            continue
        rank = _KINDS.index(kind)
        if rank < highest:
            late = kind == "filter" and _KINDS[highest] == "scorer"
            before = _KINDS[highest]
            name = last_name(element)
            if late and not _VARIETY.search(name):
                context.report(LATE_FILTER, element, f"`{name}` after the scorer: what is thrown away was scored first")
            elif not late:
                context.report(ORDER, element, f"`{name}` is a {kind} and stands after a {before}")
            return
        highest = max(highest, rank)
    if "scorer" in kinds and "selector" in kinds and not any(_VARIETY.search(last_name(part)) for part, _ in found):
        context.report(UNVARIED, node, "nothing between scorer and selector keeps the list from being all of one kind")


def _on_await(node: ast.Await, context: FileContext) -> None:
    call = node.value
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return
    owner = dotted(call.func.value) or last_name(call.func.value)
    if re.search(r"side_?effects?$|ImpressionLogger$|impression_logger$", owner, re.I):
        context.report(AWAITED, node, f"the answer waits for `{ast.unparse(call.func)[:40]}`, which it does not need")


_PIPE = "pipeline = [\n    PostSource(),\n"

pipeline_stage_order = Rule(
    name=ORDER,
    gate="P1",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PB-RS1",),
    catches="Stages of a declared pipeline out of order: source, hydrator, filter, scorer, selector, side effect.",
    why="Each stage relies on what the ones before did: a filter without features guesses, a selector without "
    "scores too.",
    fix="Put them in the order source, hydrator, filter, scorer, selector, side effect.",
    when="In lists of at least three kinds of stages, told by the ends of their names.",
    watches=(Watch((ast.List, ast.Tuple), _on_list, _WORDS, outside_tests),),
    bad=one_file("feed/pipeline.py", _PIPE + "    SeenFilter(),\n    PostHydrator(),\n    Scorer(),\n]\n"),
    good=one_file(
        "feed/pipeline.py",
        _PIPE + "    PostHydrator(),\n    SeenFilter(),\n    Scorer(),\n    DiversityReranker(),\n    TopK(),\n]\n",
        "names = [Source, b, c]  # Scorer\n",
    ),
)

filter_after_scorer = Rule(
    name=LATE_FILTER,
    gate="P1",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PB-RS2",),
    catches="A filter that stands after the scorer.",
    why="Scoring is the dear part; what is thrown away afterwards was paid for, and the top K comes out short.",
    fix="Filter before scoring; what needs the score is a selector.",
    when="In declared pipelines. Filters for variety and duplicates belong after the scorer.",
    watches=(Watch((), _on_list, _WORDS, outside_tests),),
    bad=one_file("feed/pipeline.py", _PIPE + "    Scorer(),\n    SeenFilter(),\n    TopK(),\n]\n"),
    good=one_file(
        "feed/pipeline.py", _PIPE + "    SeenFilter(),\n    Scorer(),\n    DiversityFilter(),\n    TopK(),\n]\n"
    ),
)

awaited_side_effect = Rule(
    name=AWAITED,
    gate="P1",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PB-RS3",),
    catches="A side effect (log of impressions, events) that the path of the answer awaits.",
    why="The visitor waits for a log, and gets nothing where the log is down.",
    fix="Start it as a task that is kept and watched, or hand it to a queue.",
    when="Where the receiver is named as a side effect.",
    watches=(
        Watch((ast.Await,), _on_await, (b"side_effect", b"SideEffect", b"mpression"), outside_tests, near=(b"await",)),
    ),
    bad=one_file("feed/serve.py", "async def feed(user):\n    await self.side_effects.run(user)\n    return posts\n"),
    good=one_file(
        "feed/serve.py", "async def feed(user):\n    tasks.start(self.side_effects.run(user))\n    return posts\n"
    ),
)

pipeline_without_diversity = Rule(
    name=UNVARIED,
    gate="P2",
    severity="INFO",
    skill=SKILL,
    sources=("PB-RS4",),
    catches="A pipeline without a stage for variety or rules of the business between scorer and selector.",
    why="The best ten by score are often ten of the same.",
    fix="Add a stage that mixes, limits each author or kind, or applies the rules of the business.",
    when="In declared pipelines with a scorer and a selector.",
    watches=(Watch((), _on_list, _WORDS, outside_tests),),
    bad=one_file("feed/pipeline.py", _PIPE + "    Scorer(),\n    TopK(),\n]\n"),
    good=one_file("feed/pipeline.py", _PIPE + "    Scorer(),\n    MmrReranker(),\n    TopK(),\n]\n"),
)

RULES: tuple[Rule, ...] = (pipeline_stage_order, filter_after_scorer, awaited_side_effect, pipeline_without_diversity)

"""Rules of the skill recsys-pipeline-architect: the order of a recommendation pipeline's stages."""

import ast
import re

from skills.gates.analysis.local_values import own_nodes, values_of
from skills.gates.analysis.loops import loops_around
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import dotted, last_name, shortened
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import outside_tests
from skills.gates.example_files import one_file
from skills.gates.rule import Rule, Watch

SKILL = "recsys-pipeline-architect"
ORDER = "pipeline-stage-order"
LATE_FILTER = "filter-after-scorer"
AWAITED = "awaited-side-effect"
UNVARIED = "pipeline-without-diversity"

_STAGES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("source", lazy(r"(?:Source|Retriever|Candidate(?:s|Generator|Fetcher))s?$|^source$|^retrieve", re.I)),
    ("hydrator", lazy(r"(?:Hydrator|Enricher|FeatureLoader)s?$|^(?:hydrate|enrich)(?:_|$)", re.I)),
    ("filter", lazy(r"Filters?$|^filter_", re.I)),
    ("scorer", lazy(r"(?:Scorer|Ranker|ScoringModel)s?$|^(?:score|rank)(?:_|$)", re.I)),
    ("selector", lazy(r"(?:Selector|TopK|TopKSelector)s?$|^(?:select|take)_(?:top|best)|^select$|^top_k", re.I)),
    ("side effect", lazy(r"(?:Side_?Effect|ImpressionLogger|EventEmitter)s?$|^log_impressions", re.I)),
)  # fmt: skip
_CHAINED = {
    "source": "source", "sources": "source", "retrieve": "source", "candidates": "source", "hydrate": "hydrator",
    "enrich": "hydrator", "filter": "filter", "score": "scorer", "rank": "scorer", "select": "selector",
    "top_k": "selector", "side_effect": "side effect", "side_effects": "side effect",
}  # fmt: skip
_PIPES = lazy(r"pipeline|feed|builder|recommend", re.I)
_KINDS = [name for name, _ in _STAGES]
_VARIETY = lazy(r"divers|mmr|rerank|re_rank|business|dedup|quota|mix|blend|calibrat|fair|explor", re.I)
_WORDS = (b"Scorer", b"Hydrator", b"Ranker", b"scorer", b"SideEffect", b"hydrate", b"rank_", b"score_")
_CHAINS = (b"Scorer", b"Ranker", b".score(", b".rank(")
_SCORES = lazy(
    r"^(?:score|rank|predict_scores?|re_?score)(?:_|$)|(?:^|_)(?:score|rank)_(?:candidates|items|posts)$", re.I
)
_SCORERS = lazy(r"(?:scorer|ranker|ranking_model)s?$", re.I)
_APPLIES = frozenset({"apply", "run", "process", "transform", "filter", "keep", "execute"})
_FILTERS = lazy(
    r"^(?:apply_)?filter(?:s|_\w+)?$|_filters?$|^(?:exclude|remove|drop)_\w*(?:seen|blocked|hidden|muted|watched|old)",
    re.I,
)
_BY_SCORE = lazy(r"score|threshold|top|best|min_|confiden|relevan", re.I)
_LISTED = lazy(r"stage|steps|pipeline", re.I)
_SIDE_EFFECTS = lazy(r"side_?effects?$", re.I)
_TOPICS = lazy(r"impression|exposure", re.I)
_TELLS = lazy(r"(?:log|record|track|emit|publish|write|send|store)_(?:\w+_)?(?:impression|exposure|served|view)", re.I)
_TELLERS = lazy(r"(?:log|logger|tracker|events?|analytics|sink|emitter|recorder|producer)s?$", re.I)
_TOLD = lazy(r"(?:impression|exposure)(?:s|s?_?(?:log|logger|store|tracker|sink|writer))?$", re.I)


def _stage(node: ast.AST) -> str:
    """The kind of stage that an element of a pipeline is, "" for none."""
    if isinstance(node, ast.Tuple) and len(node.elts) == 2:
        node = node.elts[1]  # ("rank", Ranker())
    name = _named(node)
    return next((kind for kind, pattern in _STAGES if pattern.search(name)), "")


def _named(node: ast.AST) -> str:
    """What an element of a pipeline is called: `SeenFilter()`, or `"filter"` where a list names its stages."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else last_name(node)


def _on_list(node: ast.List | ast.Tuple, context: FileContext) -> None:
    made = context.statement
    if isinstance(node, ast.Tuple) and _is_unpacked(node, made):
        return
    if any(isinstance(element, ast.Constant) for element in node.elts) and not _names_stages(made):
        return  # columns, exports and choices are called so as well
    _judge([(element, _stage(element)) for element in node.elts], node, context)


def _names_stages(made: ast.AST) -> bool:
    """True for `STAGES = […]`: words that a list by this name holds are stages."""
    targets = made.targets if isinstance(made, ast.Assign) else [made.target] if isinstance(made, ast.AnnAssign) else []
    return any(_LISTED.search(last_name(target)) for target in targets)


def _is_unpacked(node: ast.Tuple, made: ast.AST) -> bool:
    """True for both sides of `self.scorer, self.selector = scorer, selector`: names for values, no order of stages."""
    return isinstance(made, ast.Assign) and any(
        isinstance(target, ast.Tuple) and node in (target, made.value) for target in made.targets
    )


def _on_chain(node: ast.Call, context: FileContext) -> None:
    """`Pipeline().source(a).filter(b).score(c)`, and `pipeline.add(A()).add(B())`."""
    if isinstance(context.parent(node), ast.Attribute):
        return
    steps: list[tuple[ast.expr, str]] = []
    call: ast.expr = node
    while isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
        given = call.args[0] if len(call.args) == 1 else call
        steps.append((call, _CHAINED.get(call.func.attr, "") or _stage(given)))
        call = call.func.value
    if steps and any(_PIPES.search(last_name(part)) for part in (call, node) if last_name(part)):
        _judge(steps[::-1], node, context)


def _judge(found: list[tuple[ast.expr, str]], node: ast.expr, context: FileContext) -> None:
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
            name = _named(element)
            if late and not _VARIETY.search(name):
                context.report(LATE_FILTER, element, f"`{name}` after the scorer: what is thrown away was scored first")
            elif not late:
                context.report(ORDER, element, f"`{name}` is a {kind} and stands after a {before}")
            break
        highest = max(highest, rank)
    if "scorer" in kinds and "selector" in kinds and not any(_VARIETY.search(_named(part)) for part, _ in found):
        context.report(UNVARIED, node, "nothing between scorer and selector keeps the list from being all of one kind")


def _on_filter(node: ast.Call, context: FileContext) -> None:
    """`scored = score(items)`, then `keep = filter_seen(scored)`."""
    name = last_name(node.func)
    if name in _APPLIES and isinstance(node.func, ast.Attribute):
        name = last_name(node.func.value)  # `seen_filter.apply(scored)`
    if not _FILTERS.search(name) or _BY_SCORE.search(name) or _VARIETY.search(name) or not node.args:
        return
    for value in node.args:
        made: ast.expr | None = value
        if isinstance(value, ast.Name):
            before = [part for part in values_of(value.id, context) if part is not None and part.lineno < node.lineno]
            made = before[-1] if before else None
        made = made.value if isinstance(made, ast.Await) else made
        if isinstance(made, ast.Call) and _is_scoring(made):
            context.report(
                LATE_FILTER, node, f"`{name}` after `{last_name(made)}`: what is thrown away was scored first"
            )
            return


def _is_scoring(call: ast.Call) -> bool:
    owner = last_name(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    return bool(_SCORES.search(last_name(call.func)) or _SCORERS.search(owner))


_EFFECTS = (b"side_effect", b"SideEffect", b"mpression", b"xposure")


def _on_await(node: ast.Await, context: FileContext) -> None:
    call = node.value
    if not isinstance(call, ast.Call) or not isinstance(call.func, (ast.Attribute, ast.Name)):
        return
    if last_name(call.func) == "gather":  # `await gather(log_impressions(…), …)`: told of where nothing else is asked
        parts = [part for part in call.args if isinstance(part, ast.Call)]
        told_of = [part for part in parts if _TELLS.search(last_name(part.func))]
        call = told_of[0] if told_of and isinstance(context.parent(node), ast.Expr) else _each_of(call) or call
        if not isinstance(call.func, (ast.Attribute, ast.Name)):
            return
    owner = ""
    if isinstance(call.func, ast.Attribute):
        owner = dotted(call.func.value) or last_name(call.func.value)
    name = last_name(call.func)
    is_noted = _TOPICS.match(name) and _TELLERS.search(owner)  # `log.impressions(…)`
    told = _TELLS.search(name) or _TOLD.search(owner) or is_noted or _names_impressions(call)
    if told and isinstance(context.parent(node), ast.Expr) and _answers_later(node, context):
        context.report(AWAITED, node, f"the answer waits for `{shortened(call.func, 40)}`, which it does not need")
        return
    if _SIDE_EFFECTS.search(owner) or _is_one_of_effects(node, owner, context):
        context.report(AWAITED, node, f"the answer waits for `{shortened(call.func, 40)}`, which it does not need")


def _each_of(gathered: ast.Call) -> ast.Call | None:
    """`effect.run(posts)` of `gather(*(effect.run(posts) for effect in self.side_effects))`, named as what it is of."""
    for given in gathered.args:
        each = given.value if isinstance(given, ast.Starred) else None
        if isinstance(each, (ast.GeneratorExp, ast.ListComp)) and isinstance(each.elt, ast.Call):
            over = each.generators[0].iter
            if _SIDE_EFFECTS.search(last_name(over)) and isinstance(each.elt.func, ast.Attribute):
                return ast.Call(ast.Attribute(over, each.elt.func.attr, ast.Load()), each.elt.args, [])
    return None


def _is_one_of_effects(node: ast.Await, owner: str, context: FileContext) -> bool:
    """True for `await effect.run(posts)` in `for effect in self.side_effects:`."""
    return any(
        isinstance(loop, (ast.For, ast.AsyncFor))
        and last_name(loop.target) == owner
        and _SIDE_EFFECTS.search(last_name(loop.iter))
        for loop in (loops_around(context, node) if owner else ())
    )


def _names_impressions(call: ast.Call) -> bool:
    """`producer.send("impressions", …)`"""
    topic = call.args[0] if call.args else None
    sends = last_name(call.func) in {"send", "publish", "send_and_wait", "produce", "emit", "xadd", "put"}
    return sends and isinstance(topic, ast.Constant) and bool(_TOPICS.search(str(topic.value)))


def _answers_later(node: ast.Await, context: FileContext) -> bool:
    """True where the function goes on to return something."""
    return any(
        isinstance(part, ast.Return) and part.value is not None and part.lineno > node.lineno
        for part in own_nodes(context.function or context.tree, context)
    )


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
    when="In lists and chains of at least three kinds of stages, told by their names.",
    watches=(
        Watch((ast.List, ast.Tuple), _on_list, _WORDS, outside_tests),
        Watch((ast.Call,), _on_chain, _CHAINS, outside_tests, near=_CHAINS),
    ),
    bad=one_file(
        "feed/pipeline.py",
        _PIPE + "    SeenFilter(),\n    PostHydrator(),\n    Scorer(),\n]\n",
        "steps = [fetch_candidates, filter_seen, hydrate_posts, rank_posts]\n",
        "feed = Pipeline().source(a).filter(b).hydrate(c).score(d)\n",
        "steps = [('in', PostSource()), ('best', TopK()), ('rank', Scorer())]\n",
        "STAGES = ('source', 'filter', 'hydrator', 'scorer', 'mixer', 'selector')\n",
    ),
    good=one_file(
        "feed/pipeline.py",
        _PIPE + "    PostHydrator(),\n    SeenFilter(),\n    Scorer(),\n    DiversityReranker(),\n    TopK(),\n]\n",
        "names = [Source, b, c]  # Scorer\n",
        "__all__ = ['filter_seen', 'hydrate', 'score', 'source', 'top_k']\n# rank_\n",
        "class Feed:\n    def __init__(self, scorer, selector, source):\n"
        "        self.scorer, self.selector, self.source = scorer, selector, source\n",
    ),
)

filter_after_scorer = Rule(
    name=LATE_FILTER,
    gate="P1",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PB-RS2",),
    catches="A filter that stands after the scorer.",
    why="Scoring is the expensive part; what is thrown away afterwards was paid for, and the top K comes out short.",
    fix="Filter before scoring; what needs the score is a selector.",
    when="In declared pipelines, and where a filter is given what a scorer answered. Filters for variety and "
    "duplicates belong after the scorer.",
    watches=(
        Watch((), _on_list, _WORDS, outside_tests),
        Watch((), _on_chain, _CHAINS, outside_tests),
        Watch(
            (ast.Call,),
            _on_filter,
            (b"score", b"rank", b"Scor", b"Rank"),
            outside_tests,
            near=(b"filter", b"exclude_", b"remove_", b"drop_"),
        ),
    ),
    bad=one_file(
        "feed/pipeline.py",
        _PIPE + "    Scorer(),\n    SeenFilter(),\n    TopK(),\n]\n",
        "class Feed:\n    stages = ['source', 'hydrator', 'scorer', 'filter', 'selector']\n",
        "async def feed(user):\n    ranked = await self.ranker.rank(user)\n    return filter_seen(user, ranked)\n",
        "def feed(user, posts):\n    ranked = self.ranker.rank(posts)\n    return seen_filter.apply(ranked)\n",
    ),
    good=one_file(
        "feed/pipeline.py",
        _PIPE + "    SeenFilter(),\n    Scorer(),\n    DiversityFilter(),\n    TopK(),\n]\n",
        "def feed(user):\n    scored = score(filter_seen(user, posts))\n    return filter_by_score(scored, 0.5)\n",
        "def feed(user, posts):\n    return rank(seen_filter.apply(posts)), self.score_filter.apply(score(posts))\n",
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
    when="Where the receiver is named as a side effect, or impressions are written down before the answer goes out.",
    watches=(Watch((ast.Await,), _on_await, _EFFECTS, outside_tests, near=(b"await",)),),
    bad=one_file(
        "feed/serve.py",
        "async def feed(user):\n    await self.side_effects.run(user)\n    return posts\n",
        "async def feed(user):\n    for effect in self.side_effects:\n        await effect.run(user)\n"
        "    return posts\n",
        "async def feed(user):\n    await gather(*(effect.run(user) for effect in self.side_effects))\n"
        "    return posts\n",
        "async def feed(user):\n    await self.log_impressions(user, posts)\n    return posts\n",
        "async def feed(user):\n    await producer.send('impressions', posts)\n    return posts\n",
        "async def feed(user):\n    await self.log.impressions(user, posts)\n    return posts\n",
        "async def feed(user):\n    await asyncio.gather(track_impression(user), count(user))\n    return posts\n",
    ),
    good=one_file(
        "feed/serve.py",
        "async def feed(user):\n    tasks.start(self.side_effects.run(user))\n    return posts\n",
        "async def feed(user):\n    posts, seen = await gather(find(user), track_impression(user))\n    return posts\n",
        "async def feed(user):\n    await self.campaigns.impressions(user)\n    return posts\n",
        "async def work(queue):\n    await log_impressions(queue)\n    await store.write_impressions(queue)\n",
    ),
)

pipeline_without_diversity = Rule(
    name=UNVARIED,
    gate="P2",
    severity="INFO",
    skill=SKILL,
    sources=("PB-RS4",),
    catches="A pipeline without a stage for variety or business rules between scorer and selector.",
    why="The best ten by score are often ten of the same.",
    fix="Add a stage that mixes, limits each author or kind, or applies the business rules.",
    when="In declared pipelines with a scorer and a selector.",
    watches=(Watch((), _on_list, _WORDS, outside_tests),),
    bad=one_file("feed/pipeline.py", _PIPE + "    Scorer(),\n    TopK(),\n]\n"),
    good=one_file(
        "feed/pipeline.py",
        _PIPE + "    Scorer(),\n    MmrReranker(),\n    TopK(),\n]\n",
        "class Feed:\n    def __init__(self, source, scorer, selector):\n"
        "        self.source, self.scorer, self.selector = source, scorer, selector\n",
    ),
)

RULES: tuple[Rule, ...] = (pipeline_stage_order, filter_after_scorer, awaited_side_effect, pipeline_without_diversity)

"""Claims that a check passes, as an agent writes them (performance orchestrator, unbacked claims).

Only plain statements count: conditions, intentions, questions, quotations and what is said with an exception do not.
"""

import re
from typing import Literal

from skills.record import record

ClaimKind = Literal["test", "lint", "types"]

HELD_BACK = "This claim is not backed:"
"""How an agent is told that its claim was held back; a prompt that begins so is no person's."""
_LONGEST = 20_000
_PASSES = (
    r"(?:(?:now|all|still|also|both|do|have|has|are|is|were|was|completely|successfully) ){0,3}"
    r"(?:pass(?:es|ed|ing)?|green|succeed(?:s|ed)?|clean|successful)"
    r"(?! (?:an?|the|to|as|through|into|it|its|this|that|them)\b)"
)
_PASAN = (
    r"(?:(?:ya|todas|todos|siguen|están?|han|ha|ahora|en) ){0,3}"
    r"(?:pasan?|pasado|pasando|verdes?|limpi[oa]s?|correct[oa]s)"
)
# patterns are compiled, and kept, by `re.search` and the like: few sessions say any of this
_CLAIMS: tuple[tuple[ClaimKind, str], ...] = (
    (
        "test",
        rf"\b(?:tests?|test[ -]suite|suite|specs|pytest)(?: suite| cases| run)? {_PASSES}\b"
        rf"|\b(?:all|every)(?: \w+){{0,3}} tests? {_PASSES}\b"
        r"|\b(?:all|\d+) (?:\w+ ){0,2}(?:tests? )?passed\b(?! (?:to|in as|as))|\bpassing tests?\b"
        rf"|\b(?:tests?|pruebas?|suite|pytest) {_PASAN}\b",
    ),
    (
        "lint",
        rf"\b(?:ruff|lint(?:er|ing)?|flake8|pylint)(?: checks?)? {_PASSES}\b"
        r"|\bno lint(?:ing)? (?:errors|issues|warnings)\b"
        rf"|\b(?:ruff|lint(?:er)?|flake8) {_PASAN}\b",
    ),
    (
        "types",
        rf"\b(?:mypy|pyright|type[ -]?check(?:s|er|ing)?|types)(?: checks?)? {_PASSES}\b|\bno type errors\b"
        rf"|\b(?:mypy|pyright|tipos) {_PASAN}\b",
    ),
)
_NOT_A_CLAIM = (
    r"(?<!\w)(?:if|once|until|unless|whether|should|must|will|would|could|might|may|can(?:not|['’]t)?|"
    r"make (?:all|the|these|those|its?|them)|get the|keep|make sure|ensures?|so that|let me|let['’]s|i['’]ll|we['’]ll|"
    r"going to|needs?|want|expect|expected|hope|probably|"
    r"likely|not|never|none|\w+n['’]t|to (?:see|check|verify|confirm|get|make|have)|verify|check that|confirm that|"
    r"before|previously|except|apart from|but|fail\w*|broken|what|how|why|when|example|"
    r"si|hasta|cuando|debe\w*|asegur\w*|para que|comprob\w*|veamos|voy a|vamos a|salvo|excepto|pero|falla\w*|antes|"
    r"no(?= \|))(?!\w)"
)
_NOTHING_WRONG = (
    r"(?<!\w)(?:no|zero|0|without(?: any)?|sin)(?: \w+)? (?:fail\w*|regressions?|errors?|warnings?|issues|problems?|"
    r"fallos|errores|regresiones)(?!\w)"
)
_QUOTED = r"(?sm)```.*?(?:```|\Z)|`[^`\n]*`|^\s*>.*$|\"[^\"\n]{0,300}\"|“[^”\n]{0,300}”"
_SENTENCE = r"[^.!?\n;]+[.!?]?"


@record
class Claim:
    """That a kind of check passes; `text` is the sentence."""

    kind: ClaimKind
    text: str


def find_claims(text: str) -> tuple[Claim, ...]:
    """The claims of a text, the first of each kind."""
    lowered = text[:_LONGEST].lower()
    if not any(word in lowered for word in _TELLING):
        return ()
    found: dict[ClaimKind, Claim] = {}
    for match in re.finditer(_SENTENCE, re.sub(_QUOTED, " ", text[:_LONGEST])):
        sentence = " ".join(match.group().replace("*", "").split())
        if sentence.endswith("?"):
            continue
        for kind, pattern in _CLAIMS:
            claim = re.search(pattern, sentence, re.IGNORECASE)
            if claim is not None and kind not in found and not _qualified(sentence, claim):
                found[kind] = Claim(kind, sentence[:160])
    return tuple(found.values())


_TELLING = ("pass", "green", "succe", "clean", "no lint", "no type", "pasa", "verde", "limpi", "correct")


def _qualified(sentence: str, claim: re.Match[str]) -> bool:
    """Whether the sentence says it under a condition or with an exception."""
    rest = sentence[: claim.start()] + " | " + sentence[claim.end() :]
    if claim.group().lower().startswith(("no lint", "no type")):
        return bool(re.search(r"(?<!\w)(?:if|once|should|will|until|make sure)(?!\w)", rest, re.IGNORECASE))
    return bool(re.search(_NOT_A_CLAIM, re.sub(_NOTHING_WRONG, " ", rest, flags=re.IGNORECASE), re.IGNORECASE))

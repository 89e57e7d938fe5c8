"""What the deeds of research have in common: what they are given in words, and how a study is told."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cockpit.call import Call
    from skills.workflow.research import Approach, Study

Answer = tuple[int, dict[str, Any], list[str]]  # exit code, document, lines


def told(study: "Study", code: int = 0, *more: str) -> Answer:
    """The study as an answer, with its next step; `more` lines come after it."""
    from skills.workflow.research import next_step

    return code, {"research": study_document(study), "next": next_step(study)}, [*study_lines(study), *more]


def study_lines(study: "Study") -> list[str]:
    """A study as lines, its next step first."""
    from cockpit.bench.shared import minutes_since
    from cockpit.clock import now
    from skills.workflow.research import GOOD_ENOUGH, TIME_BOX_MINUTES, next_step
    from skills.workflow.research_text import gate_lines, recommendation

    lines = [f"next: {next_step(study)}", f"{study.term}  ({study.id}, since {study.begun}): {recommendation(study)}"]
    minutes = minutes_since(study.begun, now())
    if "gate2" not in study.gates and minutes > TIME_BOX_MINUTES:
        lines.append(
            f"! {minutes // 60} h {minutes % 60} min since it began; the first look has {TIME_BOX_MINUTES} min"
        )
    if study.confidence is not None:
        enough = ": good enough to decide" if study.confidence >= GOOD_ENOUGH else ""
        lines.append(f"confidence {study.confidence}/10{enough}")
    for one in study.options:
        total = "not scored" if one.total is None else f"{one.total.normalize():f}"
        lines.append(f"  {total:>10}  {one.name}")
    for gate in study.gates.values():
        lines += gate_lines(gate)
    lines += [f"{made.gate} overridden by {made.who}, {made.at}: {made.reason}" for made in study.overrides]
    if study.approval is not None:
        lines.append(f"approved by {study.approval.who}, {study.approval.at}")
    return lines


def study_document(study: "Study") -> dict[str, Any]:
    """A study as JSON."""
    import msgspec

    from skills.workflow.research import decision_score
    from skills.workflow.research_text import recommendation

    row: dict[str, Any] = msgspec.to_builtins(study)
    score = decision_score(study)
    for one, shown in zip(study.options, row["options"], strict=True):
        shown["total"] = None if one.total is None else float(one.total)
    return {**row, "recommendation": recommendation(study), "score": None if score is None else float(score)}


def text_of(call: "Call", what: str) -> str:
    """The words of the call as one text; `what` names it where there are none. Raises `CannotAnswer`."""
    from cockpit.errors import CannotAnswer
    from cockpit.plain_text import plain_text

    text = plain_text(" ".join(call.args.words).strip(), 200)
    if not text:
        raise CannotAnswer(f"say {what}", f"cockpit research {call.args.deed} …")
    return text


def pairs(words: list[str], known: "list[str]") -> dict[str, str]:
    """NAME=VALUE words. Raises `CannotAnswer` for other words and unknown names."""
    from cockpit.errors import CannotAnswer
    from cockpit.plain_text import plain_text

    found = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign or name not in known:
            raise CannotAnswer(
                f"{plain_text(word, 60)!r} is not understood", "use " + ", ".join(f"{n}=…" for n in known)
            )
        found[name] = plain_text(value, 60)
    return found


def named_option(call: "Call", study: "Study") -> "Approach":
    """The option that the first word names. Raises `ValueError` where there is none."""
    word = call.args.words[0] if call.args.words else ""
    found = next((one for one in study.options if one.name.lower() == word.lower()), None)
    if found is None:
        what = f"there is no option {word!r}" if word else "say which option"
        raise ValueError(f"{what}; cockpit research option NAME adds one")
    return found

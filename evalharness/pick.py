"""`evalharness pick RUN`: which epoch at which strength, how surely, and what would settle the rest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evalharness.types import Candidate, Decision, FinishedRun, Outcome

SETTLED, EXCLUDED, OPEN = 0, 3, 4
"""Exit codes: the best is separated from all others; everything breaks a constraint or is rejected; not sure yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One metric of the objective: its share of all weights, its unit, and which way it counts."""

    metric: str
    share: float
    unit: str
    higher_is_better: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """The answer of a run: candidates are ordered from the most to the least likely best.

    `probability_here` is that of these very prompts, where only seeds are luck. `expected_loss` is by how much another
    may be better, on average. `strength_needed` is where a subject's objective is highest, for those measured at
    several strengths. `verdicts` are by subject. `sentence` names the best and whom the evidence cannot
    separate from it.
    """

    subject: str | None
    strength: float | None
    probability_best: float
    probability_here: float | None
    expected_loss: float | None
    sentence: str
    advice: str
    objective: tuple[Term, ...]
    candidates: tuple[Candidate, ...]
    strength_needed: Mapping[str, float]
    verdicts: Mapping[str, Decision]
    gaps: tuple[str, ...]
    exit_code: int


def pick(run: FinishedRun) -> Pick:
    """What the stored judgement of a run says of its subjects at their strengths."""
    judgement, selection = run.judgement, run.judgement.selection
    ranked = tuple(sorted(selection.candidates, key=lambda one: -one.probability_best))
    leader = next((one for one in ranked if selection.leads(one)), None)
    return Pick(
        subject=selection.leader,
        strength=selection.strength,
        probability_best=leader.probability_best if leader else 0.0,
        probability_here=leader.probability_here if leader else None,
        expected_loss=selection.expected_loss,
        sentence=selection.reason,
        advice=selection.advice,
        objective=_terms(run),
        candidates=ranked,
        strength_needed=_strength_needed(selection.candidates),
        verdicts={verdict.subject: verdict.decision for verdict in judgement.verdicts},
        gaps=tuple(gap.reason for gap in judgement.gaps),
        exit_code=_exit_code(run, ranked),
    )


def excluded(candidate: Candidate, verdicts: Mapping[str, Decision]) -> bool:
    """Whether a rejection or a broken constraint keeps it from being the best."""
    broken = any(check.outcome is Outcome.FAIL for check in candidate.constraints)
    return broken or verdicts.get(candidate.subject) is Decision.REJECT


def _terms(run: FinishedRun) -> tuple[Term, ...]:
    total = sum(run.objective.values())
    return tuple(
        Term(
            metric=name,
            share=weight / total,
            unit=run.metrics[name].unit,
            higher_is_better=run.metrics[name].higher_is_better,
        )
        for name, weight in run.objective.items()
    )


def _strength_needed(candidates: Sequence[Candidate]) -> Mapping[str, float]:
    found: dict[str, list[Candidate]] = {}
    for one in candidates:
        if one.objective.mean is not None:
            found.setdefault(one.subject, []).append(one)
    # the lower strength of equal ones: candidates are in ascending order
    return {
        name: max(ours, key=lambda one: round(one.objective.mean or 0.0, 9)).strength
        for name, ours in found.items()
        if len(ours) > 1
    }


def _exit_code(run: FinishedRun, ranked: tuple[Candidate, ...]) -> int:
    verdicts = {verdict.subject: verdict.decision for verdict in run.judgement.verdicts}
    if ranked and all(excluded(one, verdicts) for one in ranked):
        return EXCLUDED
    selection = run.judgement.selection
    alone = selection.leader is not None and not any(one.tied and not selection.leads(one) for one in ranked)
    return SETTLED if alone else OPEN

"""What the sample run of sample_run.py concludes: its summaries, deltas, verdicts and choice of the best."""

import statistics
from collections.abc import Mapping

from evalharness.types import (
    BASELINE,
    Candidate,
    Cell,
    Check,
    Decision,
    Delta,
    Estimate,
    Judgement,
    Outcome,
    Rule,
    Score,
    Selection,
    Summary,
    Verdict,
)

LEADER = "sakichan-000006"


def estimate_of(values: list[float], unscored: int = 0) -> Estimate:
    """A rough interval, good enough for a picture."""
    if not values:
        return Estimate(mean=None, low=None, high=None, level=0.95, scored=0, unscored=unscored, prompts=0)
    mean, half = statistics.fmean(values), 2 * statistics.pstdev(values) / len(values) ** 0.5
    return Estimate(
        mean=mean, low=mean - half, high=mean + half, level=0.95, scored=len(values), unscored=unscored, prompts=8
    )


def sample_judgement(
    subjects: tuple[str, ...], cells: tuple[Cell, ...], scores: Mapping[str, tuple[Score, ...]]
) -> Judgement:
    """What such a run concludes."""
    metrics = dict.fromkeys(score.metric for found in scores.values() for score in found)
    rows = list(dict.fromkeys((cell.subject, cell.strength) for cell in cells))
    values = {
        (row, metric): [
            score.value
            for cell in cells
            for score in scores.get(cell.key, ())
            if (cell.subject, cell.strength) == row and score.metric == metric
        ]
        for row in rows
        for metric in metrics
    }
    known = {key: [value for value in found if value is not None] for key, found in values.items()}
    summaries = tuple(
        Summary(
            subject=row[0],
            strength=row[1],
            metric=metric,
            estimate=estimate_of(known[row, metric], len(values[row, metric]) - len(known[row, metric])),
        )
        for row in rows
        for metric in metrics
    )
    return Judgement(
        summaries=summaries,
        deltas=_deltas(summaries),
        verdicts=tuple(_verdict(name, summaries) for name in subjects if name != BASELINE),
        selection=_selection(),
        decision=Decision.PROMOTE,
        reason=f"{LEADER} passes every check and has the best chance of being best.",
    )


def _deltas(summaries: tuple[Summary, ...]) -> tuple[Delta, ...]:
    base = {s.metric: s.estimate.mean for s in summaries if s.subject == BASELINE}
    return tuple(
        Delta(
            subject=s.subject,
            strength=s.strength,
            against=BASELINE,
            metric=s.metric,
            estimate=Estimate(
                mean=s.estimate.mean - base[s.metric],
                low=s.estimate.low - base[s.metric],
                high=s.estimate.high - base[s.metric],
                level=0.95,
                scored=s.estimate.scored,
                unscored=s.estimate.unscored,
                prompts=8,
            ),
        )
        for s in summaries
        if s.subject != BASELINE
    )


def _verdict(name: str, summaries: tuple[Summary, ...]) -> Verdict:
    found = {s.metric: s.estimate for s in summaries if s.subject == name}
    outcome = {"flipped": Outcome.FAIL, "sakichan-000002": Outcome.INCONCLUSIVE}.get(name, Outcome.PASS)
    decision = {"flipped": Decision.REJECT, "sakichan-000002": Decision.INCONCLUSIVE}.get(name, Decision.PROMOTE)
    rules = (
        Rule(metric="hair_side", aggregate="share_passing", passing=0.5, at_least=0.7, why="a tail has one side"),
        Rule(metric="harmony", at_least=-0.05, relative_to="baseline"),
        Rule(metric="color_drift", at_most=6.0, where={"emotion": "neutral"}),
    )
    reasons = (
        "the tail is on the asked side in {:.0%} of the images.",
        "harmony keeps up: {:.2f}.",
        "drift is {:.1f}.",
    )
    checks = tuple(
        Check(
            rule=rule,
            outcome=outcome if rule.metric == "hair_side" else Outcome.PASS,
            estimate=found[rule.metric],
            reason=reason.format(found[rule.metric].mean),
        )
        for rule, reason in zip(rules, reasons, strict=True)
    )
    words = {
        Outcome.FAIL: "hair on the wrong side in 9 of 16 images.",
        Outcome.INCONCLUSIVE: "hair_side could be either side of 70 %; about 24 more images would tell.",
        Outcome.PASS: "all checks pass.",
    }
    return Verdict(subject=name, decision=decision, checks=checks, reason=words[outcome])


def _selection() -> Selection:
    chances = {LEADER: 0.71, "sakichan-000008": 0.28, "sakichan-000002": 0.01, "flipped": 0.0}
    candidates = tuple(
        Candidate(
            subject=name,
            strength=1.0,
            objective=estimate_of([0.6 + 0.3 * chance - 0.05, 0.6 + 0.3 * chance + 0.05]),
            probability_best=chance,
            tied=name in (LEADER, "sakichan-000008"),
        )
        for name, chance in chances.items()
    )
    return Selection(
        leader=LEADER,
        strength=1.0,
        candidates=candidates,
        reason="harmony and hair_side, weighted alike, over 8 prompts.",
    )

"""What the run concludes, as rows for the page: the verdict, each subject's checks, and which subject is best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from evalharness.report import numbers
from evalharness.types import Candidate, Check, Estimate, Judgement, MetricInfo, Rule, Selection, Verdict

Texts = Mapping[str, str]

# a shape for each outcome, so that nothing depends on telling colours apart
SYMBOLS: Mapping[str, str] = {"pass": "✔", "fail": "✖", "inconclusive": "?"}
FIRST = 6
"""Rows of a list that are always shown."""
LISTED = 4
"""Subjects named one by one in a sentence; more are counted."""
TONES: Mapping[str, str] = {"promote": "pass", "reject": "fail", "pass": "pass", "fail": "fail"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """A decision or outcome for the eye: `tone` (pass, fail, inconclusive) picks the colour, `symbol` the shape."""

    tone: str
    symbol: str
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRow:
    """One check: its rule in words, its numbers, and why it came out so."""

    stamp: Stamp
    rule: str
    why: str
    estimate: str
    counts: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictRow:
    """One subject's verdict; `tally` counts its checks by outcome, `folded` = shown when more are asked for."""

    subject: str
    stamp: Stamp
    reason: str
    tally: str
    checks: tuple[CheckRow, ...]
    folded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstraintRow:
    """What an entrant had to keep to be the best, and whether it did."""

    stamp: Stamp
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateRow:
    """One entrant for 'best'; `percent` (0..100) is the length of its bar."""

    subject: str
    probability: str
    here: str
    percent: float
    objective: str
    leads: bool
    tied: bool
    constraints: tuple[ConstraintRow, ...]
    folded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionRow:
    """Which subject is best, in one sentence, and everyone's chances, best first."""

    sentence: str
    reason: str
    advice: str
    risk: str
    candidates: tuple[CandidateRow, ...]


def stamp(word: str, texts: Texts) -> Stamp:
    """The stamp of a Decision or Outcome, given as its value."""
    tone = TONES.get(word.lower(), "inconclusive")
    return Stamp(tone=tone, symbol=SYMBOLS[tone], word=texts[f"decision_{word.lower()}"])


def verdict_rows(judgement: Judgement, metrics: Mapping[str, MetricInfo], texts: Texts) -> tuple[VerdictRow, ...]:
    """Each judged subject with its checks, in the order of the judgement."""
    rows = [_verdict_row(verdict, metrics, texts) for verdict in judgement.verdicts]
    leader = judgement.selection.leader
    always = [row.subject == leader or row.stamp.tone == "fail" for row in rows]
    return tuple(replace(row, folded=folds) for row, folds in zip(rows, folded(always), strict=True))


def folded(always: Sequence[bool]) -> list[bool]:
    """Which rows of a list wait until more are asked for, given which may not: those after the first FIRST.

    A list that is only a little longer than that stays whole.
    """
    if len(always) <= FIRST + 2:
        return [False] * len(always)
    return [place >= FIRST and not stays for place, stays in enumerate(always)]


def selection_row(selection: Selection, texts: Texts, names: Mapping[str, str] = MappingProxyType({})) -> SelectionRow:
    """Which subject is best, how sure that is, and whom the evidence cannot separate from it.

    `names` are what subjects are called in the sentence, where that is not their name.
    """
    ranked = sorted(selection.candidates, key=lambda candidate: -candidate.probability_best)
    rows = [_candidate_row(candidate, selection, texts) for candidate in ranked]
    always = [row.leads or any(one.stamp.tone == "fail" for one in row.constraints) for row in rows]
    loss = selection.expected_loss
    return SelectionRow(
        sentence=_best_sentence(ranked, selection, texts, names),
        reason=selection.reason,
        advice=selection.advice,
        risk="" if loss is None else texts["risk"].format(loss=f"{loss:.3f}"),
        candidates=tuple(replace(row, folded=folds) for row, folds in zip(rows, folded(always), strict=True)),
    )


def counts_in_words(estimate: Estimate, texts: Texts) -> str:
    """How many images an estimate stands on, and how many could not be judged, where there are such."""
    name = "counts_unscored" if estimate.unscored else "counts"
    return texts[name].format(scored=estimate.scored, unscored=estimate.unscored)


def metric_name(metric: str, texts: Texts) -> str:
    """What the page calls a metric; one of a scorer that is not ours keeps its name."""
    return texts.get(f"metric_name_{metric}", metric)


def rule_in_words(rule: Rule, info: MetricInfo | None, texts: Texts) -> str:
    """What a rule asks, as a person would say it: 'mean of harmony at least 70 %, where view = front'."""
    unit = "" if info is None or rule.aggregate != "mean" else info.unit
    subject = texts[f"rule_{rule.aggregate}"].format(
        metric=metric_name(rule.metric, texts), passing=_passing(rule, info)
    )
    signed = rule.relative_to != "absolute"
    words = [texts[f"rule_{rule.relative_to}"].format(what=subject)] if signed else [subject]
    if rule.at_least is not None:
        words.append(f"{texts['at_least']} {numbers.number(rule.at_least, unit, signed=signed)}")
    if rule.at_most is not None:
        words.append(f"{texts['at_most']} {numbers.number(rule.at_most, unit, signed=signed)}")
    where = ", ".join(f"{texts.get(axis, axis).lower()} = {value}" for axis, value in rule.where.items())
    return " ".join(words) + (f", {texts['where']} {where}" if where else "")


def _passing(rule: Rule, info: MetricInfo | None) -> str:
    if rule.passing is None or info is None:
        return ""
    return f" {'≥' if info.higher_is_better else '≤'} {numbers.number(rule.passing, info.unit)}"


def _verdict_row(verdict: Verdict, metrics: Mapping[str, MetricInfo], texts: Texts) -> VerdictRow:
    checks = tuple(_check_row(check, metrics.get(check.rule.metric), texts) for check in verdict.checks)
    tones = [check.stamp.tone for check in checks]
    tally = "  ".join(f"{symbol} {tones.count(tone)}" for tone, symbol in SYMBOLS.items() if tone in tones)
    return VerdictRow(
        subject=verdict.subject,
        stamp=stamp(verdict.decision.value, texts),
        reason=verdict.reason,
        tally=tally,
        checks=checks,
    )


def _check_row(check: Check, info: MetricInfo | None, texts: Texts) -> CheckRow:
    unit = "" if info is None or check.rule.aggregate != "mean" else info.unit
    estimate = check.estimate
    return CheckRow(
        stamp=stamp(check.outcome.value, texts),
        rule=rule_in_words(check.rule, info, texts),
        why=check.rule.why,
        estimate=numbers.interval(estimate, unit, signed=check.rule.relative_to != "absolute"),
        counts=counts_in_words(estimate, texts),
        reason=check.reason,
    )


def _candidate_row(candidate: Candidate, selection: Selection, texts: Texts) -> CandidateRow:
    leads = selection.leads(candidate)
    several = len({one.strength for one in selection.candidates}) > 1
    return CandidateRow(
        subject=f"{candidate.subject} @ {candidate.strength:g}" if several else candidate.subject,
        probability=numbers.probability(candidate.probability_best),
        here=_here(candidate, texts),
        percent=round(100 * candidate.probability_best, 1),
        objective=numbers.interval(candidate.objective, ""),
        leads=leads,
        tied=candidate.tied and not leads,
        constraints=tuple(
            ConstraintRow(stamp=stamp(check.outcome.value, texts), reason=check.reason)
            for check in candidate.constraints
        ),
    )


def _here(candidate: Candidate, texts: Texts) -> str:
    if candidate.probability_here is None:
        return ""
    return texts["here"].format(probability=numbers.probability(candidate.probability_here))


def _best_sentence(ranked: Sequence[Candidate], selection: Selection, texts: Texts, names: Mapping[str, str]) -> str:
    leader = next((one for one in ranked if selection.leads(one)), None)
    if leader is None:
        return texts["best_none"]
    several = len({one.strength for one in ranked}) > 1
    called = {
        id(one): names.get(one.subject, one.subject)
        + (texts["at_strength"].format(strength=f"{one.strength:g}") if several else "")
        for one in ranked
    }
    tied = [called[id(one)] for one in ranked if one.tied and one is not leader]
    name = "best_alone" if not tied else "best_tied" if len(tied) <= LISTED else "best_tied_many"
    rest = texts[name].format(subjects=", ".join(tied), count=len(tied))
    probability = numbers.probability(leader.probability_best)
    return texts["best"].format(subject=called[id(leader)], probability=probability) + " " + rest

"""The demo's verdicts on a stored run of all fifteen LoRAs agree with what is known of them."""

import gzip
import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import pytest

from evalharness.codec import decode
from evalharness.config import compose
from evalharness.demo.expected import FAULTY, NEIGHBOUR, read_truth, surprises
from evalharness.gate import exit_code, judge
from evalharness.ledger import Measured
from evalharness.sides import Side, beside
from evalharness.suite import Suite, read_suite
from evalharness.types import (
    BASELINE,
    PROMOTED,
    Cell,
    Criteria,
    Decision,
    Judgement,
    MetricInfo,
    Outcome,
    Rule,
    Score,
    Subject,
    Verdict,
)

STORED = Path(__file__).parent / "data" / "demo_run.json.gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """What bench/store_demo_run.py keeps."""

    subjects: tuple[Subject, ...]
    cells: tuple[Cell, ...]
    scores: Mapping[str, tuple[Score, ...]]
    metrics: Mapping[str, MetricInfo]


@pytest.fixture(scope="module")
def stored() -> StoredRun:
    return decode(gzip.decompress(STORED.read_bytes()), StoredRun)


@pytest.fixture(scope="module")
def suite() -> Suite:
    return read_suite(compose([]).suite)


def judged(stored: StoredRun, suite: Suite, names: Iterable[str]) -> Judgement:
    """The verdicts of a run with only these subjects and the baseline."""
    kept = {BASELINE, *names}
    subjects = [subject for subject in stored.subjects if subject.name in kept]
    cells = [cell for cell in stored.cells if cell.subject in kept]
    return judge(cells, stored.scores, suite.criteria, subjects, stored.metrics)


def epochs(stored: StoredRun) -> list[str]:
    return [subject.name for subject in stored.subjects if subject.name.startswith("sakichan-")]


def test_stored_run_is_of_the_suite_as_it_is_now(stored: StoredRun, suite: Suite) -> None:
    assert {cell.prompt.text for cell in stored.cells} == {prompt.text for prompt in suite.prompts}
    assert {cell.seed for cell in stored.cells} == set(suite.seeds)


def test_demo_names_the_best_epoch_or_one_it_cannot_tell_apart(stored: StoredRun, suite: Suite) -> None:
    judgement = judged(stored, suite, epochs(stored))

    assert surprises(judgement) == ()
    assert judgement.decision is Decision.PROMOTE
    assert exit_code(judgement.decision) == 0


def test_first_epoch_is_not_promoted(stored: StoredRun, suite: Suite) -> None:
    judgement = judged(stored, suite, ["sakichan-000001"])

    assert judgement.decision is not Decision.PROMOTE
    assert exit_code(judgement.decision) in (3, 4)


METRICS_OF_FAULTS = {"flipped": "hair_side", "orange": "color_drift", "rope": "artifacts"}


@pytest.mark.parametrize("name", FAULTY)
def test_planted_fault_is_rejected_for_its_own_reason(name: str, stored: StoredRun, suite: Suite) -> None:
    judgement = judged(stored, suite, [name])
    (verdict,) = judgement.verdicts
    failed = {check.rule.metric for check in verdict.checks if check.outcome is Outcome.FAIL}

    assert verdict.decision is Decision.REJECT
    assert METRICS_OF_FAULTS[name] in failed
    assert exit_code(judgement.decision) == 3


def test_faulty_loras_beside_the_epochs_change_nothing_for_them(stored: StoredRun, suite: Suite) -> None:
    alone = judged(stored, suite, epochs(stored))
    together = judged(stored, suite, [*epochs(stored), *FAULTY])

    assert surprises(together) == ()
    assert {v.subject: v.decision for v in alone.verdicts}.items() <= {
        v.subject: v.decision for v in together.verdicts
    }.items()


def test_a_contradiction_to_the_truth_is_said(stored: StoredRun, suite: Suite) -> None:
    truth = read_truth()
    marks = {name: {"overall": 1.0 - shares["overall"]} for name, shares in truth["subjects"].items()}
    worst = min(epochs(stored), key=lambda name: truth["subjects"][name]["overall"])

    assert surprises(judged(stored, suite, epochs(stored)), {"best": worst, "subjects": marks})


# Against what is promoted

KEPT = ("artifacts", "color_drift", "faces", "hair_side", "harmony", "parts")


def no_worse(stored: StoredRun, metrics: Iterable[str], margin: float = 0.0, drift: float = 0.0) -> list[Rule]:
    """At most `margin` worse than what is promoted in each metric, `drift` (deltaE00) in colours."""
    return [
        Rule(metric=name, relative_to="promoted", at_least=-margin, minimum_scored=4)
        if stored.metrics[name].higher_is_better
        else Rule(metric=name, relative_to="promoted", at_most=drift, minimum_scored=4)
        for name in metrics
    ]


def against(stored: StoredRun, name: str, rival: str, rules: list[Rule], seeds: Iterable[str] = ()) -> Verdict:
    """The verdict on a subject where another is promoted; `seeds` are the keys of the draws that are ours alone."""
    ours = frozenset(seeds)
    cells = [c for c in stored.cells if c.subject in (name, BASELINE) and (not ours or c.pair_key in ours)]
    measured = Measured(
        suite="demo",
        record={},
        cells=tuple(cell for cell in stored.cells if cell.pair_key not in ours),
        scores=stored.scores,
        metrics=stored.metrics,
    )
    theirs, scores = Side(run=measured, subject=rival, strength=1.0).under(PROMOTED)
    theirs, other_seeds = beside(cells, theirs)
    assert other_seeds == bool(ours)
    subjects = [subject for subject in stored.subjects if subject.name == name]
    every = {**stored.scores, **scores}
    (verdict,) = judge([*cells, *theirs], every, Criteria(gates=tuple(rules)), subjects, stored.metrics).verdicts
    return verdict


def ranked(stored: StoredRun) -> list[str]:
    """The epochs from the best to the worst by truth."""
    marks = {name: shares["overall"] for name, shares in read_truth()["subjects"].items()}
    return sorted(epochs(stored), key=lambda name: -marks[name])


def test_no_epoch_replaces_a_better_one_where_nothing_may_get_worse(stored: StoredRun) -> None:
    """All pairs of epochs by the three metrics that tell them apart; truth marks within NEIGHBOUR count as equal."""
    marks = {name: shares["overall"] for name, shares in read_truth()["subjects"].items()}
    rules = no_worse(stored, ["color_drift", "hair_side", "harmony"])
    promoted = [
        (new, old)
        for new, old in permutations(epochs(stored), 2)
        if against(stored, new, old, rules).decision is Decision.PROMOTE
    ]

    assert [(new, old) for new, old in promoted if marks[old] - marks[new] > NEIGHBOUR] == []
    assert len(promoted) >= 10, "the rules never promote anything: nothing was tested"


def test_best_and_second_best_are_not_told_apart_in_any_metric(stored: StoredRun) -> None:
    best, second = ranked(stored)[:2]
    for name in KEPT:
        rules = no_worse(stored, [name])
        assert against(stored, second, best, rules).decision is Decision.INCONCLUSIVE
        assert against(stored, best, second, rules).decision is Decision.INCONCLUSIVE
    assert against(stored, second, best, no_worse(stored, KEPT, 0.05, 0.5)).decision is Decision.INCONCLUSIVE


def test_overtrained_and_undertrained_epochs_do_not_replace_the_best(stored: StoredRun) -> None:
    best = ranked(stored)[0]
    for name in ("sakichan-000001", "sakichan-000012"):
        assert against(stored, name, best, no_worse(stored, KEPT, 0.05, 0.5)).decision is Decision.REJECT


@pytest.mark.parametrize("name", FAULTY)
def test_planted_fault_never_replaces_the_best_and_fails_by_its_metric(name: str, stored: StoredRun) -> None:
    best, own = ranked(stored)[0], METRICS_OF_FAULTS[name]
    verdict = against(stored, name, best, no_worse(stored, KEPT, 0.05, 0.5))
    failed = {check.rule.metric for check in verdict.checks if check.outcome is Outcome.FAIL}

    assert verdict.decision is Decision.REJECT
    assert own in failed
    assert against(stored, name, best, no_worse(stored, [own], 0.1, 2.0)).decision is Decision.REJECT


def test_epoch_against_itself_passes_only_with_a_margin_that_its_pairs_can_prove(stored: StoredRun) -> None:
    """28 equal pairs exclude a true difference of 0.15, but none of 0.05, though the file is the same."""
    best = ranked(stored)[0]
    for name in ("artifacts", "faces", "hair_side", "harmony", "parts"):
        verdicts = [against(stored, best, best, no_worse(stored, [name], margin)) for margin in (0.05, 0.2)]
        assert [verdict.decision for verdict in verdicts] == [Decision.INCONCLUSIVE, Decision.PROMOTE]
        assert verdicts[0].checks[0].estimate.mean == 0.0
    assert against(stored, best, best, no_worse(stored, ["color_drift"], drift=0.5)).decision is Decision.PROMOTE


@pytest.mark.parametrize("name", ["color_drift", "hair_side", "harmony"])
def test_same_epoch_with_other_seeds_is_hardly_ever_better_or_worse(name: str, stored: StoredRun) -> None:
    """Each prompt's two seeds go to either side by chance: what is then told apart was told apart by luck."""
    chance = random.Random(name)
    draws: dict[str, dict[int, str]] = {}
    for cell in stored.cells:
        draws.setdefault(cell.prompt.id, {})[cell.seed] = cell.pair_key
    found: Counter[Outcome] = Counter()
    for _ in range(25):
        ours = [chance.choice(sorted(keys.values())) for keys in draws.values()]
        for epoch in epochs(stored):
            verdict = against(stored, epoch, epoch, no_worse(stored, [name]), ours)
            found[verdict.checks[0].outcome] += 1
    # 5 % each are 15 of 300; a round's twelve epochs share their luck, so that 30 is well within chance
    assert found[Outcome.PASS] <= 30
    assert found[Outcome.FAIL] <= 30
    # the good epochs' sides are all right, so that luck cannot tell them apart
    assert name == "hair_side" or 0 < found[Outcome.PASS] + found[Outcome.FAIL]


def test_same_epoch_with_other_seeds_is_no_worse_within_a_wide_margin(stored: StoredRun) -> None:
    ours = {cell.pair_key for cell in stored.cells if cell.seed == 1}
    rules = no_worse(stored, ["hair_side", "harmony"], 0.3)
    found = Counter(against(stored, epoch, epoch, rules, ours).decision for epoch in epochs(stored))
    assert found[Decision.REJECT] == 0
    assert found[Decision.PROMOTE] >= 8

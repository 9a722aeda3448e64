"""The demo's verdicts on a stored run of all fifteen LoRAs agree with what is known of them."""

import gzip
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from evalharness.codec import decode
from evalharness.config import compose
from evalharness.demo.expected import FAULTY, read_truth, surprises
from evalharness.gate import exit_code, judge
from evalharness.suite import Suite, read_suite
from evalharness.types import BASELINE, Cell, Decision, Judgement, MetricInfo, Outcome, Score, Subject

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

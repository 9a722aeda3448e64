"""Are intervals, verdicts and picks as sure as they say? Simulated matrices whose truth is known.

    python bench/simulate.py --rounds 1000          # about ten minutes on one core; writes bench/simulate.json

Prompts differ in how hard they are, and seeds of one prompt are alike: that is what makes 40 images worth fewer than
40. Three kinds of metrics: pass/fail, continuous, and `ceiling`: scores in 0..1 that are mostly exactly 1, like the
side of the hair. The truth of a metric is its mean over all prompts that could have been asked.
"""

import argparse
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from adaptive import races
from numpy.typing import NDArray

from evalharness.gate import judge
from evalharness.plan import MakerFacts, make_plan, more, opening
from evalharness.stats.best import Entrant, select
from evalharness.stats.intervals import clustered_interval
from evalharness.suite import Budget, SettingTemplate, Suite
from evalharness.types import Cell, Criteria, Decision, MetricInfo, Prompt, Rule, Score, Setting, Subject

Floats = NDArray[np.float64]
TARGET = Path(__file__).with_name("simulate.json")
CHECKS = 6
SPREAD = 4.0
"""Concentration of the Beta distribution of a prompt's pass rate: 4 spreads 0.8 over about 0.4 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What is simulated: the metric's kind, its true mean, and how many prompts and seeds are looked at."""

    kind: str
    truth: float
    prompts: int
    seeds: int


def worlds() -> Iterator[World]:
    """The grid."""
    for prompts, seeds in ((6, 4), (14, 2), (14, 8), (40, 1), (40, 4)):
        for kind, truths in (("continuous", (0.5,)), ("pass/fail", (0.5, 0.8, 0.95)), ("ceiling", (0.8, 0.95))):
            for truth in truths:
                yield World(kind=kind, truth=truth, prompts=prompts, seeds=seeds)


def values(world: World, rng: np.random.Generator, count: int) -> Floats:
    """`count` matrices (count, prompts, seeds) of scores whose true mean is the world's."""
    shape = (count, world.prompts, world.seeds)
    if world.kind == "continuous":
        return world.truth + rng.normal(0.0, 0.1, shape[:2])[..., None] + rng.normal(0.0, 0.1, shape)
    if world.kind == "pass/fail":
        rates = rng.beta(SPREAD * world.truth, SPREAD * (1.0 - world.truth), shape[:2])
        return (rng.random(shape) < rates[..., None]).astype(np.float64)
    # a failed image scores 0 to 1, so that the failures' rate is twice what the mean lacks
    failing = 2.0 * (1.0 - world.truth)
    rates = rng.beta(SPREAD * failing, SPREAD * (1.0 - failing), shape[:2])
    return np.where(rng.random(shape) < rates[..., None], rng.random(shape), 1.0)


def coverage(world: World, rng: np.random.Generator, rounds: int) -> float:
    """How often the nominal 95 % interval holds the truth."""
    clusters = np.repeat(np.arange(world.prompts), world.seeds)
    held = 0
    for matrix in values(world, rng, rounds):
        found = clustered_interval(matrix.ravel(), clusters)
        held += found.low is None or found.high is None or found.low <= world.truth <= found.high
    return held / rounds


def matrix_of(world: World, subject: Subject) -> list[Cell]:
    """The cells of one subject at one strength."""
    return [
        Cell(
            key=f"{subject.name}/{prompt}/{seed}",
            pair_key=f"{prompt}/{seed}",
            subject=subject.name,
            strength=1.0,
            prompt=Prompt(id=f"p{prompt}", text=""),
            setting=Setting(),
            seed=seed,
        )
        for prompt in range(world.prompts)
        for seed in range(world.seeds)
    ]


def verdicts(world: World, rng: np.random.Generator, rounds: int, checks: int) -> Mapping[str, float]:
    """How often a subject whose every metric lies exactly at its threshold is promoted, and rejected."""
    subject = Subject(name="lora", identity="lora")
    names = [f"m{number}" for number in range(checks)]
    metrics = {name: MetricInfo(name=name, version=1, unit="", higher_is_better=True) for name in names}
    rules = [Rule(metric=name, at_least=world.truth, minimum_scored=1) for name in names]
    cells = matrix_of(world, subject)
    counted = {Decision.PROMOTE: 0, Decision.REJECT: 0, Decision.INCONCLUSIVE: 0}
    for _ in range(rounds):
        drawn = values(world, rng, checks).reshape(checks, -1)
        scores = {
            cell.key: [Score(metric=name, value=float(drawn[m, row]), reason="") for m, name in enumerate(names)]
            for row, cell in enumerate(cells)
        }
        counted[judge(cells, scores, Criteria(gates=tuple(rules)), (subject,), metrics).verdicts[0].decision] += 1
    return {"promote": counted[Decision.PROMOTE] / rounds, "reject": counted[Decision.REJECT] / rounds}


def named(epochs: int, prompts: int, seeds: int, rng: np.random.Generator, rounds: int) -> Mapping[str, float]:
    """How often the truly best epoch leads or is tied with the leader, and how many are tied on average.

    Epochs rise and fall over the training; each reacts to prompts in its own way, on top of what prompts do to all.
    """
    clusters = np.repeat(np.arange(prompts), seeds)
    rise = 0.7 - 0.3 * np.abs(np.linspace(-1.0, 1.0, epochs) - 0.3)
    right = tied = 0
    for _ in range(rounds):
        truth = rise + rng.normal(0.0, 0.02, epochs)
        common = rng.normal(0.0, 0.1, prompts)[None, :, None]
        own = rng.normal(0.0, 0.05, (epochs, prompts))[..., None]
        drawn = truth[:, None, None] + common + own + rng.normal(0.0, 0.1, (epochs, prompts, seeds))
        entrants = [
            Entrant(subject=f"e{number}", label=f"e{number}", epoch=number, values=drawn[number].ravel())
            for number in range(epochs)
        ]
        found = select(entrants, clusters, rng)
        near = {one.subject for one in found.candidates if one.tied} | {found.leader}
        right += f"e{int(np.argmax(truth))}" in near
        tied += len(near)
    return {"named": right / rounds, "tied": tied / rounds}


def last_looks(rng: np.random.Generator, rounds: int) -> list[Mapping[str, float | str]]:
    """How often a subject exactly at its threshold is promoted or rejected at the end of an adaptive run.

    The worst case: three equal subjects, and the gate's metric is the objective, so that the run ends where it looks
    best.
    """
    rows: list[Mapping[str, float | str]] = []
    print("\nadaptive: kind        truth  promoted  rejected  images of full")
    for kind, truth in (("continuous", 0.5), ("pass/fail", 0.8), ("ceiling", 0.9)):
        world = World(kind=kind, truth=truth, prompts=14, seeds=12)
        ends = [_last_look(world, rng) for _ in range(rounds)]
        row = {
            "kind": kind,
            "truth": truth,
            "promote": sum(end[0] for end in ends) / (3 * rounds),
            "reject": sum(end[1] for end in ends) / (3 * rounds),
            "of_full": sum(end[2] for end in ends) / (3 * rounds * world.prompts * world.seeds),
        }
        rows.append(row)
        print(f"          {kind:11s} {truth:5.2f}  {row['promote']:8.3f}  {row['reject']:8.3f}  {row['of_full']:14.2f}")
    return rows


def _last_look(world: World, rng: np.random.Generator) -> tuple[int, int, int]:
    """Subjects promoted and rejected, and the images made, of one adaptive run."""
    prompts = tuple(Prompt(id=f"p{number}", text=f"p{number}") for number in range(world.prompts))
    suite = Suite(
        name="simulated",
        prompts=prompts,
        settings=(SettingTemplate(),),
        seeds=tuple(range(world.seeds)),
        scorers=("m",),
        gates=(Rule(metric="m", at_least=world.truth, minimum_scored=1),),
        objective={"m": 1.0},
        budget=Budget(),
    )
    subjects = [Subject(name=f"e{number}", identity=f"e{number}", epoch=number) for number in range(3)]
    plan = make_plan(suite, subjects, MakerFacts(fingerprint={}, native_size=(64, 64)))
    metrics = {"m": MetricInfo(name="m", version=1, unit="", higher_is_better=True)}
    drawn = {subject.name: iter(row.ravel()) for subject, row in zip(subjects, values(world, rng, 3), strict=True)}
    owned = [cell for cell in plan.cells if cell.subject in drawn]
    scores = {cell.key: (Score(metric="m", value=float(next(drawn[cell.subject])), reason=""),) for cell in owned}
    cells = new = opening(plan, suite)
    while new:
        judged = judge(cells, scores, suite.criteria, subjects, metrics)
        new = more(plan, suite, cells, judged.selection)
        cells = (*cells, *new)
    decisions = [verdict.decision for verdict in judged.verdicts]
    made = sum(cell.subject in drawn for cell in cells)
    return decisions.count(Decision.PROMOTE), decisions.count(Decision.REJECT), made


def main() -> None:
    """Simulate, print the tables and write simulate.json."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    started, rng, rounds = time.monotonic(), np.random.default_rng(options.seed), options.rounds
    rows = []
    print("kind        truth  prompts seeds  coverage  promoted(1)  promoted(6)  rejected(1)  rejected(6)")
    for world in worlds():
        held = coverage(world, rng, 4 * rounds)
        one, six = (verdicts(world, rng, rounds, checks) for checks in (1, CHECKS))
        rows.append({**asdict(world), "coverage": held, "one_check": one, "six_checks": six})
        print(
            f"{world.kind:11s} {world.truth:5.2f}  {world.prompts:7d} {world.seeds:5d}  {held:8.3f}  "
            f"{one['promote']:11.3f}  {six['promote']:11.3f}  {one['reject']:11.3f}  {six['reject']:11.3f}",
            flush=True,
        )
    picks = []
    print("\nepochs  prompts seeds  best named  tied set")
    for epochs in (2, 5, 12, 40):
        for prompts, seeds in ((6, 4), (14, 2), (40, 4)):
            found = named(epochs, prompts, seeds, rng, max(rounds // 4, 1))
            picks.append({"epochs": epochs, "prompts": prompts, "seeds": seeds, **found})
            print(f"{epochs:6d}  {prompts:7d} {seeds:5d}  {found['named']:10.3f}  {found['tied']:8.1f}", flush=True)
    found = races(rng, max(rounds // 50, 1))
    ends = last_looks(rng, max(rounds // 10, 1))
    record = {
        "rounds": rounds,
        "seconds": round(time.monotonic() - started),
        "worlds": rows,
        "picks": picks,
        "races": found,
        "last_looks": ends,
    }
    TARGET.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

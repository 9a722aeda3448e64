"""A budget: a few seeds for all, more where they decide, and certainty that survives looking often."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import small_run
from PIL import Image

from evalharness import registry
from evalharness.cli import main
from evalharness.errors import SuiteError
from evalharness.gate import judge
from evalharness.plan import MakerFacts, Plan, make_plan, more, opening
from evalharness.stats.best import Entrant, Growing, select
from evalharness.stats.posterior import posterior_here
from evalharness.stats.sequence import log_e_value
from evalharness.suite import Budget, Suite, read_suite
from evalharness.types import (
    BASELINE,
    Candidate,
    Cell,
    Criteria,
    Decision,
    Estimate,
    MetricInfo,
    Observation,
    Rule,
    Score,
    Selection,
    Subject,
)

# evidence that survives looking often


def test_looking_at_every_seed_convicts_the_innocent_in_at_most_5_of_100() -> None:
    rng = np.random.default_rng(1)
    convicted = 0
    for _ in range(400):
        differences = rng.choice([-1.0, 0.0, 1.0], size=(40, 14), p=[0.2, 0.6, 0.2])
        convicted += any(log_e_value(differences[:seeds].ravel(), 1.0) > np.log(20) for seeds in range(1, 41))
    assert convicted / 400 <= 0.05


def test_a_real_difference_is_found() -> None:
    rng = np.random.default_rng(2)
    assert log_e_value(0.2 + rng.normal(0, 0.1, 100), 1.0) > np.log(1_000)
    assert log_e_value(-0.2 + rng.normal(0, 0.1, 100), 1.0) < 0.0


def test_nothing_is_learnt_from_no_or_equal_images() -> None:
    assert log_e_value(np.array([]), 1.0) == pytest.approx(0.0)
    assert log_e_value(np.zeros(50), 1.0) == pytest.approx(0.0)


def test_the_unit_of_the_objective_does_not_matter() -> None:
    differences = np.random.default_rng(3).normal(0.1, 0.2, 50)
    assert log_e_value(differences * 120.0, 120.0) == pytest.approx(log_e_value(differences, 1.0))


# subjects with different numbers of seeds

PROMPTS = np.arange(32) % 8


def entrant(epoch: int, values: np.ndarray) -> Entrant:
    return Entrant(subject=f"e{epoch}", label=f"epoch {epoch}", epoch=epoch, values=values)


def test_luck_of_the_few_images_of_one_subject_is_shared_by_its_rival() -> None:
    """The first seed is easy: who has only that one must not look better for it."""
    prompts = np.tile(np.arange(8), 4)
    easy = np.repeat([0.4, 0.0, 0.0, 0.0], 8)
    rng = np.random.default_rng(4)
    long = 0.5 + easy + rng.normal(0, 0.02, 32)
    short = np.where(np.arange(32) < 8, 0.45 + easy + rng.normal(0, 0.02, 32), np.nan)
    found = select([entrant(1, long), entrant(2, short)], prompts, rng, growing=Growing(looks=4, largest=1.0))
    assert np.nanmean(short) > np.nanmean(long)
    assert found.leader == "e1"


def test_a_handful_of_equal_differences_is_no_certainty() -> None:
    """Six images, each a pass for one and a failure for the other: no spread at all, and yet only six."""
    prompts = np.arange(6)
    found = select(
        [entrant(1, np.ones(6)), entrant(2, np.zeros(6))],
        prompts,
        np.random.default_rng(5),
        growing=Growing(looks=5, largest=1.0),
    )
    assert found.leader == "e1"
    assert found.candidates[0].probability_best < 1.0
    assert found.candidates[1].tied


def test_an_objective_of_unknown_range_separates_nobody() -> None:
    """Two prompts say little about others, but their many seeds say much about these two."""
    prompts = np.arange(400) % 2
    entrants = [entrant(1, np.full(400, 0.9)), entrant(2, np.where(prompts, 0.0, 0.2))]
    rng = np.random.default_rng(6)
    known = select(entrants, prompts, rng, growing=Growing(looks=2, largest=1.0))
    unknown = select(entrants, prompts, rng, growing=Growing(looks=2, largest=None))
    assert ([one.tied for one in known.candidates], [one.tied for one in unknown.candidates]) == (
        [True, False],
        [True, True],
    )


def test_on_these_prompts_only_seeds_are_luck() -> None:
    """Alike on average over prompts, but here the one is always a little better: structural for these prompts."""
    rng = np.random.default_rng(9)
    by_prompt = rng.normal(0.02, 0.1, 8)[PROMPTS]
    found = select([entrant(1, 0.5 + by_prompt + rng.normal(0, 0.01, 32)), entrant(2, np.full(32, 0.5))], PROMPTS, rng)
    ours = found.candidates[0]
    assert (ours.probability_here or 0.0) > 0.99 > ours.probability_best


def test_the_spread_here_is_that_of_seeds_around_their_prompts() -> None:
    rng = np.random.default_rng(10)
    behind = np.stack([np.zeros(32), rng.normal(0, 0.1, 8)[PROMPTS] + rng.normal(0, 0.2, 32)])
    drawn = posterior_here(behind, PROMPTS, rng, np.zeros(2), simulations=100_000)
    within = [behind[1, PROMPTS == prompt].var(ddof=1) / 4 for prompt in range(8)]
    assert drawn[:, 1].mean() == pytest.approx(behind[1].mean(), abs=1e-3)
    assert drawn[:, 1].std() == pytest.approx(np.sqrt(np.sum(within)) / 8, rel=0.02)
    assert not drawn[:, 0].any()


# which images are made next


def suite_of(**more: object) -> Suite:
    prompts = [{"id": f"p{number}", "text": f"girl {number}"} for number in range(3)]
    raw = {"name": "s", "prompts": prompts, "seeds": [7, 3, 5, 1, 9], "scorers": ["faces"], **more}
    return read_suite(raw)


def plan_of(suite: Suite, subjects: int = 3) -> Plan:
    named = [Subject(name=f"e{number}", identity=f"{number}", epoch=number) for number in range(1, subjects + 1)]
    return make_plan(suite, named, MakerFacts(fingerprint={}, native_size=(64, 64)))


def selection(chances: dict[str, float], tied: tuple[str, ...]) -> Selection:
    estimate = Estimate(mean=0.5, low=None, high=None, level=0.95, scored=1, unscored=0, prompts=1)
    candidates = tuple(
        Candidate(
            subject=name,
            strength=1.0,
            objective=estimate,
            probability_best=chance,
            probability_here=chance,
            tied=name in tied,
        )
        for name, chance in chances.items()
    )
    leader = max(chances, key=lambda name: chances[name])
    return Selection(leader=leader, strength=1.0, candidates=candidates, reason="")


def counted(cells: tuple[Cell, ...]) -> dict[str, set[int]]:
    seeds: dict[str, set[int]] = {}
    for cell in cells:
        seeds.setdefault(cell.subject, set()).add(cell.seed)
    return seeds


def test_without_a_budget_everything_is_made_at_once() -> None:
    suite = suite_of()
    plan = plan_of(suite)
    assert opening(plan, suite) == plan.cells
    assert more(plan, suite, plan.cells, selection({"e1": 0.5, "e2": 0.5}, ("e1", "e2"))) == ()


def test_all_begin_with_the_first_seeds_of_the_list() -> None:
    suite = suite_of(budget={"start": 2})
    found = counted(opening(plan_of(suite), suite))
    assert found == {name: {7, 3} for name in (BASELINE, "e1", "e2", "e3")}


def test_only_who_may_be_best_gets_more_seeds_and_the_baseline_keeps_up() -> None:
    suite = suite_of(budget="adaptive")
    plan = plan_of(suite)
    first = opening(plan, suite)
    second = more(plan, suite, first, selection({"e1": 0.6, "e2": 0.39, "e3": 0.01}, ("e1", "e2", "e3")))
    assert counted(second) == {name: {3} for name in (BASELINE, "e1", "e2")}
    third = more(plan, suite, (*first, *second), selection({"e1": 0.3, "e2": 0.1, "e3": 0.6}, ("e1", "e2", "e3")))
    # who fell behind and may be best after all catches up first
    assert counted(third) == {"e3": {3}}


def test_whose_file_is_gone_gets_no_more_seeds_and_does_not_keep_others_from_theirs() -> None:
    suite = suite_of(budget="adaptive")
    plan = dataclasses.replace(plan_of(suite), gone=("e1",))
    first = opening(plan_of(suite), suite)
    reachable = plan.reachable(first)
    assert counted(reachable.cells)["e1"] == counted(first)["e1"]
    assert plan.makeable(first) == tuple(cell for cell in first if cell.subject != "e1")
    second = more(reachable, suite, first, selection({"e1": 0.6, "e2": 0.4, "e3": 0.0}, ("e1", "e2", "e3")))
    third = more(reachable, suite, (*first, *second), selection({"e1": 0.6, "e2": 0.4, "e3": 0.0}, ("e1", "e2", "e3")))
    assert counted(second).keys() == counted(third).keys() == {BASELINE, "e2"}


def test_seeds_grow_by_half_so_that_looks_are_few() -> None:
    assert Budget(start=1).ladder(16) == (1, 2, 3, 5, 8, 12, 16)
    assert Budget(start=2).ladder(2) == (2,)
    assert Budget(start=4).ladder(3) == (3,)


def test_it_ends_when_all_others_are_separated() -> None:
    suite = suite_of(budget="adaptive")
    plan = plan_of(suite, 2)
    assert more(plan, suite, opening(plan, suite), selection({"e1": 0.6, "e2": 0.4}, ("e1",))) == ()
    assert more(plan, suite, opening(plan, suite), selection({"e1": 0.96, "e2": 0.04}, ("e1", "e2"))) != ()


def test_it_ends_when_a_mistake_would_cost_less_than_the_tolerance() -> None:
    even = selection({"e1": 0.5, "e2": 0.5}, ("e1", "e2"))
    for tolerance, goes_on in ((0.01, True), (0.02, False)):
        suite = suite_of(budget={"tolerance": tolerance})
        plan = plan_of(suite, 2)
        found = more(plan, suite, opening(plan, suite), dataclasses.replace(even, loss_here=0.015))
        assert bool(found) == goes_on


def test_expected_loss_is_what_the_other_may_be_better_by() -> None:
    rng = np.random.default_rng(8)
    sure = select([entrant(1, noisy(0.9, rng)), entrant(2, noisy(0.2, rng))], PROMPTS, rng)
    open_ = select([entrant(1, noisy(0.9, rng)), entrant(2, noisy(0.89, rng))], PROMPTS, rng)
    assert sure.expected_loss == pytest.approx(0.0, abs=1e-4)
    assert 0.002 < (open_.expected_loss or 0.0) < 0.05


def noisy(mean: float, rng: np.random.Generator) -> np.ndarray:
    return mean + rng.normal(0, 0.1, len(PROMPTS))


@pytest.mark.parametrize(("looks", "tied"), [(1, False), (400, True)])
def test_a_leader_is_alone_where_it_is_probable_enough_for_all_looks(looks: int, tied: bool) -> None:
    rng = np.random.default_rng(7)
    entrants = [entrant(1, 0.86 + rng.normal(0, 0.1, 32)), entrant(2, 0.7 + rng.normal(0, 0.1, 32))]
    found = select(entrants, np.arange(32) % 8, rng, growing=Growing(looks=looks, largest=1.0))
    assert 0.98 < found.candidates[0].probability_best < 1.0 - 0.05 / 400
    assert found.candidates[1].tied == tied


def test_it_ends_before_the_budget_is_exceeded_and_when_seeds_are_used_up() -> None:
    even = selection({"e1": 0.5, "e2": 0.5}, ("e1", "e2"))
    tight = suite_of(budget={"images": 17})
    plan = plan_of(tight, 2)
    assert len(opening(plan, tight)) == 9 and more(plan, tight, opening(plan, tight), even) == ()
    free = suite_of(budget="adaptive")
    assert more(plan, free, plan.cells, even) == ()


@pytest.mark.parametrize(
    ("budget", "sentence"),
    [
        ("adaptve", "Did you mean 'adaptive'?"),
        ({"start": 6}, "at most the suite's 5 seeds"),
        ({"images": 0}, "budget.images is 0"),
        ({"confidence": 95}, "lies between 0.5 and 1"),
        ({"tolerance": -1}, "budget.tolerance is -1"),
        ({"begin": 2}, "unknown key 'begin'"),
    ],
)
def test_wrong_budget_is_one_sentence(budget: object, sentence: str) -> None:
    with pytest.raises(SuiteError, match=sentence):
        suite_of(budget=budget)


def test_rule_about_a_seed_that_may_never_come_is_refused() -> None:
    with pytest.raises(SuiteError, match=r"leave out where\.seed"):
        suite_of(budget="adaptive", gates=[{"metric": "faces", "at_least": 0.5, "where": {"seed": 9}}])


def test_a_verdict_that_may_be_the_last_of_several_looks_is_more_careful() -> None:
    """20 passes of 20: enough for one look at 0.85, not for one of seven."""
    subject = Subject(name="e1", identity="1")
    cells = [cell for cell in plan_of(suite_of(), 1).cells if cell.subject == "e1"]
    cells = [dataclasses.replace(c, prompt=dataclasses.replace(c.prompt, id=c.key), key=c.key) for c in cells]
    scores = {cell.key: (Score(metric="faces", value=1.0, reason=""),) for cell in cells}
    info = {"faces": MetricInfo(name="faces", version=1, unit="", higher_is_better=True)}
    rule = Rule(metric="faces", at_least=0.8)
    once, often = (
        judge(cells, scores, Criteria(gates=(rule,), looks=looks), (subject,), info).verdicts[0] for looks in (1, 7)
    )
    assert (once.decision, often.decision) == (Decision.PROMOTE, Decision.INCONCLUSIVE)


# the whole run


class Smooth(small_run.Brightness):
    """Sees a face in a picture without noise, and none in a noisy one."""

    def _observe(self, image: Image.Image) -> Observation:
        seen = super()._observe(image)
        noise = float(np.abs(np.diff(np.asarray(image, dtype=float), axis=0)).mean())
        return dataclasses.replace(seen, faces=seen.faces if noise < 40.0 else ())


@pytest.fixture
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    small_run.write_inputs(tmp_path / "inputs")
    (tmp_path / "inputs" / "perception" / "smooth.yaml").write_text("name: smooth\n")
    known = {"brightness": "small_run:Brightness", "smooth": "test_adaptive:Smooth"}
    monkeypatch.setattr(registry, "TABLES", {**registry.TABLES, "perception": known})
    return tmp_path / "inputs"


def adaptive(inputs: Path, folder: Path, *overrides: str, budget: str = "adaptive") -> int:
    seeds = "suite.seeds=[1,2,3,4,5,6,7,8,9,10,11,12]"
    return main(small_run.arguments(inputs, folder, seeds, f"suite.budget={budget}", *overrides))


NOISY = "backend.options.quality={girl-000001:0.05,girl-000002:1.0}"


def test_a_clear_winner_ends_the_run_early(inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    adaptive(inputs, tmp_path / "run", "suite.strengths=[1.0]", "perception=smooth", NOISY)
    made = json.loads((tmp_path / "run" / "run.json").read_text())
    assert len(made["plan"]["cells"]) < made["planned"] == 108
    assert f"{len(made['plan']['cells'])} of 108 images were made" in capsys.readouterr().out


def test_the_same_command_makes_nothing_twice_and_concludes_the_same(inputs: Path, tmp_path: Path) -> None:
    adaptive(inputs, tmp_path / "run")
    verdict = (tmp_path / "run" / "verdict.json").read_bytes()
    images = {path: path.stat().st_mtime_ns for path in (tmp_path / "run" / "images").rglob("*.png")}
    adaptive(inputs, tmp_path / "run")
    assert (tmp_path / "run" / "verdict.json").read_bytes() == verdict
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "run" / "images").rglob("*.png")} == images


def test_an_adaptive_run_may_follow_a_full_one_and_a_full_one_it(inputs: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    adaptive(inputs, run, budget="all")
    full = len(list((run / "images").rglob("*.png")))
    adaptive(inputs, run)
    assert len(list((run / "images").rglob("*.png"))) == full
    assert len(json.loads((run / "run.json").read_text())["plan"]["cells"]) <= full


def test_the_answer_is_printed_and_its_exit_code_says_how_sure_it_is(
    inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adaptive(inputs, tmp_path / "run", "suite.strengths=[1.0]", "perception=smooth", NOISY, budget="{tolerance:0}")
    capsys.readouterr()
    code = main(["pick", str(tmp_path / "run")])
    assert code == 0
    shown = capsys.readouterr().out
    assert "girl-000002 @ 1" in shown and "objective  100 % faces" in shown
    found = json.loads(_printed(capsys, tmp_path / "run"))
    assert (found["subject"], found["strength"], found["exit_code"]) == ("girl-000002", 1.0, code)


def test_the_answer_says_which_strength_each_subject_needs(
    inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(small_run.arguments(inputs, tmp_path / "run"))
    capsys.readouterr()
    found = json.loads(_printed(capsys, tmp_path / "run"))
    assert found["strength_needed"] == {"girl-000001": 0.5, "girl-000002": 0.5}
    main(["pick", str(tmp_path / "run")])
    shown = capsys.readouterr().out
    assert "strength   each is best at: girl-000001 0.5, girl-000002 0.5" in shown
    assert "girl-000001 @ 1 (tied)" in shown and "girl-000001 @ 0.5 (tied)" not in shown


def _printed(capsys: pytest.CaptureFixture[str], run: Path) -> str:
    main(["pick", str(run), "--json"])
    return capsys.readouterr().out

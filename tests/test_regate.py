"""`evalharness gate`: a finished run judged again, alone or against an earlier subject."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import small_run
from judging import epoch, matrix, metric

from evalharness.cli import main
from evalharness.errors import InputError
from evalharness.gate import judge
from evalharness.regate import regate
from evalharness.sides import read_side
from evalharness.types import BASELINE, PROMOTED, Cell, Criteria, Decision, Outcome, Rule, Subject

RULES = (
    "suite.gates=[{metric: faces, at_least: 0.0, minimum_scored: 1},"
    "{metric: faces, at_least: -0.6, relative_to: promoted, minimum_scored: 1}]"
)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs") / "inputs"
    small_run.write_inputs(folder)
    return folder


@pytest.fixture
def run(inputs: Path, tmp_path: Path) -> Path:
    """A small run at one strength whose suite asks for no less than what is promoted."""
    folder = tmp_path / "run"
    words = small_run.arguments(inputs, folder, "suite.strengths=[1.0]", RULES)
    done = subprocess.run([sys.executable, small_run.__file__, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 4, done.stderr
    return folder


def test_without_something_promoted_such_a_rule_is_never_passed(run: Path) -> None:
    checks = regate(run).judgement.verdicts[0].checks
    assert checks[1].outcome is Outcome.INCONCLUSIVE
    assert "nothing promoted to be compared with" in checks[1].reason


def test_same_subject_is_no_worse_than_itself(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["gate", str(run), "--against", f"{run}:girl-000001"])
    shown = capsys.readouterr().out
    assert code == 0
    assert "against what is promoted over 9 pairs" in shown
    verdict = json.loads((run / "verdict.json").read_text())
    assert verdict["decision"] == "PROMOTE"
    # the other side is compared with, not reported
    assert PROMOTED not in {summary["subject"] for summary in verdict["summaries"]}
    assert "girl-000001" in (run / "report.html").read_text()


def test_run_of_other_prompts_is_refused(run: Path, inputs: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    prompts = "suite.prompts=[{id: happy, text: another girl, expect: {faces: 1}}]"
    words = small_run.arguments(inputs, other, "suite.strengths=[1.0]", prompts)
    subprocess.run([sys.executable, small_run.__file__, *words], capture_output=True, check=False)
    with pytest.raises(InputError, match="the prompts or what is expected of them differ"):
        regate(run, read_side(f"{other}:girl-000001"))


def judged(values: Callable[[str], float], margin: float) -> Decision:
    """The verdict on epoch 9 against epoch 8 as the promoted one; values are by subject, with equal noise by draw."""
    new, old = epoch(9), Subject(name=PROMOTED, identity="old")

    def scores(cell: Cell) -> Mapping[str, float]:
        return {"harmony": values(cell.subject) + 0.01 * (hash_of(cell) % 7)}

    cells, scored = matrix((Subject(name=BASELINE, identity=BASELINE), new, old), scores, 10, 4)
    cells = [dataclasses.replace(cell, strength=1.0) for cell in cells]
    rule = Rule(metric="harmony", at_least=-margin, relative_to="promoted")
    metrics = {"harmony": metric("harmony")}
    return judge(cells, scored, Criteria(gates=(rule,), weights={"harmony": 1.0}), [new], metrics).verdicts[0].decision


def hash_of(cell: Cell) -> int:
    return sum(ord(letter) for letter in cell.key)


@pytest.mark.parametrize(
    ("drop", "decision"), [(0.0, Decision.PROMOTE), (0.2, Decision.REJECT), (0.05, Decision.INCONCLUSIVE)]
)
def test_non_inferiority_by_its_margin(drop: float, decision: Decision) -> None:
    assert judged(lambda name: 0.7 if name == PROMOTED else 0.7 - drop, 0.05) is decision

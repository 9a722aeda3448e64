"""`evalharness gate`: a finished run judged again, alone or against an earlier subject."""

import dataclasses
import json
import shutil
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


BY_HAND = ("--override", "a test", "--by", "Mai")
GIVE = "give the folder of promoted LoRAs with --promoted-in DIR.\n"


def made(inputs: Path, folder: Path, *more: str) -> None:
    """A small run in this folder; its verdict does not matter."""
    words = small_run.arguments(inputs, folder, *more)
    done = subprocess.run([sys.executable, small_run.__file__, *words], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 3, 4), done.stderr


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


def shown(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """The exit code and all that was printed."""
    code = main(words)
    printed = capsys.readouterr()
    return code, printed.out + printed.err


def test_run_is_judged_against_what_is_promoted_when_the_old_run_is_gone(
    run: Path, inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / "old"
    made(inputs, old, "suite.strengths=[1.0]", RULES)
    assert main(["promote", str(old), "--to", str(tmp_path / "promoted"), "--subject", "girl-000001", *BY_HAND]) == 0
    shutil.rmtree(old)
    monkeypatch.chdir(tmp_path)
    code, said = shown(["gate", str(run), "--against", "promoted"], capsys)
    assert code == 0
    assert "girl-000001 is promoted since" in said
    assert "faces +0.00 against what is promoted over 9 pairs" in said
    other = str(run.rename(tmp_path / "elsewhere"))
    assert main(["gate", other, "--against", "promoted", "--promoted-in", str(tmp_path / "promoted")]) == 0


def test_what_is_missing_among_the_promoted_is_one_sentence(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["gate", str(run), "--against", "promoted", "--promoted-in", str(tmp_path / "kept")]
    assert shown(words, capsys) == (2, f"evalharness: '{tmp_path}/kept' holds no promotions.jsonl; " + GIVE)
    main(["promote", str(run), "--to", str(tmp_path / "kept"), "--subject", "girl-000001", *BY_HAND])
    before = (run / "verdict.json").read_bytes()
    ledger = tmp_path / "kept" / "promotions.jsonl"
    line = ledger.read_text()
    ledger.write_text(line.replace('"suite":"small"', '"suite":"large"'))
    code, said = shown(words, capsys)
    assert code == 2
    assert "no promotion by suite 'small'; there are 'large'" in said
    ledger.write_text(line + line[:50])
    code, said = shown(words, capsys)
    assert code == 0
    assert "was cut off, so that promotion does not count" in said
    ledger.write_text(line[:50] + "\n" + line)
    assert shown(words, capsys)[0] == 2
    ledger.write_text(line)
    for measured in (tmp_path / "kept").glob("girl-*/measured-*.json"):
        measured.unlink()
    code, said = shown(words, capsys)
    assert code == 2
    assert "is missing, so nothing can be compared with it" in said
    assert (run / "verdict.json").read_bytes() != before


def test_rival_that_no_rule_asks_for_is_refused(inputs: Path, tmp_path: Path) -> None:
    made(inputs, tmp_path / "run", "suite.strengths=[1.0]")
    with pytest.raises(InputError, match="has no rule with relative_to: promoted"):
        regate(tmp_path / "run", read_side(f"{tmp_path / 'run'}:girl-000001"))
    # the advice it gives works: other rules, no image made twice
    images = {path: path.stat().st_mtime_ns for path in (tmp_path / "run" / "images").rglob("*.png")}
    made(inputs, tmp_path / "run", "suite.strengths=[1.0]", RULES)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "run" / "images").rglob("*.png")} == images
    assert regate(tmp_path / "run", read_side(f"{tmp_path / 'run'}:girl-000001")).judgement.decision


def test_other_seeds_are_paired_by_prompt_and_every_such_check_says_so(run: Path, inputs: Path, tmp_path: Path) -> None:
    made(inputs, tmp_path / "other", "suite.strengths=[1.0]", "suite.seeds=[7,8,9]", RULES)
    judgement = regate(run, read_side(f"{tmp_path / 'other'}:girl-000001")).judgement
    for verdict in judgement.verdicts:
        absolute, relative = verdict.checks
        assert relative.estimate.scored == 9
        assert "against what is promoted over 9 pairs" in relative.reason
        assert relative.reason.endswith("(other seeds: paired by prompt)")
        assert "other seeds" not in absolute.reason
    assert judgement.reason.endswith("(other seeds: paired by prompt)")
    assert "other seeds" not in regate(run, read_side(f"{run}:girl-000001")).judgement.reason


def test_run_of_other_prompts_is_refused(run: Path, inputs: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    prompts = "suite.prompts=[{id: happy, text: another girl, expect: {faces: 1}}]"
    made(inputs, other, "suite.strengths=[1.0]", prompts)
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

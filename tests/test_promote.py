"""`evalharness promote`: only what the verdict allows, the very file that was measured, whole or not at all."""

import dataclasses
import json
from pathlib import Path

import pytest
from sample_run import LEADER, sample_input

from evalharness.cli import main
from evalharness.digest import file_digest
from evalharness.errors import InputError, NotPromotedError
from evalharness.promote import LEDGER, promote
from evalharness.report.card import Override
from evalharness.types import BASELINE, Decision, FinishedRun, LoraFile, Subject


@pytest.fixture
def run(tmp_path: Path) -> FinishedRun:
    """The sample run, its LoRAs real files."""
    given = sample_input(tmp_path / "run")
    subjects = tuple(one if one.name == BASELINE else with_file(one, tmp_path / "loras") for one in given.subjects)
    return dataclasses.replace(given, subjects=subjects)


def with_file(subject: Subject, folder: Path) -> Subject:
    folder.mkdir(exist_ok=True)
    path = folder / f"{subject.name}.safetensors"
    path.write_bytes(f"weights of {subject.name}".encode())
    return dataclasses.replace(subject, loras=(LoraFile(path=path, digest=file_digest(path)),))


def decided(run: FinishedRun, decision: Decision) -> str:
    """A subject with this decision."""
    return next(verdict.subject for verdict in run.judgement.verdicts if verdict.decision is decision)


def ledger(target: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (target / LEDGER).read_text().splitlines()]


def test_leader_is_copied_with_its_card_and_entered(run: FinishedRun, tmp_path: Path) -> None:
    folder = promote(run, tmp_path / "promoted")
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["card.json", "card.md", f"{LEADER}.safetensors"]
    assert (folder / f"{LEADER}.safetensors").read_bytes() == f"weights of {LEADER}".encode()
    (line,) = ledger(tmp_path / "promoted")
    assert line["subject"] == LEADER
    assert line["folder"] == folder.name
    assert line["digest"] == file_digest(folder / f"{LEADER}.safetensors")
    assert line["override"] is None


def test_card_says_metrics_checks_and_strengths(run: FinishedRun, tmp_path: Path) -> None:
    folder = promote(run, tmp_path / "promoted")
    card, text = json.loads((folder / "card.json").read_text()), (folder / "card.md").read_text()
    assert card["decision"] == "PROMOTE"
    assert {row["name"] for row in card["metrics"]} == set(run.metrics)
    assert len(card["checks"]) == len(run.judgement.verdicts[0].checks)
    assert text.startswith(f"# {LEADER}")
    assert card["digest"] in text
    for row in card["metrics"]:
        assert f"| {row['name']} | {row['strength']} | {row['value']} |" in text


@pytest.mark.parametrize(("decision", "code"), [(Decision.REJECT, 3), (Decision.INCONCLUSIVE, 4)])
def test_what_is_not_promoted_is_refused_with_the_verdicts_exit_code(
    decision: Decision, code: int, run: FinishedRun, tmp_path: Path
) -> None:
    changed = tuple(
        dataclasses.replace(one, decision=decision) if one.subject == LEADER else one for one in run.judgement.verdicts
    )
    other = dataclasses.replace(run, judgement=dataclasses.replace(run.judgement, verdicts=changed))
    with pytest.raises(NotPromotedError) as error:
        promote(other, tmp_path / "promoted", LEADER)
    assert error.value.exit_code == code
    assert not (tmp_path / "promoted").exists()


def test_override_is_recorded_with_its_name_in_card_and_ledger(run: FinishedRun, tmp_path: Path) -> None:
    rejected = decided(run, Decision.REJECT)
    folder = promote(run, tmp_path / "promoted", rejected, Override(by="Mai", reason="only for | a test <b>"))
    (line,) = ledger(tmp_path / "promoted")
    assert line["decision"] == "REJECT"
    assert line["override"] == {"by": "Mai", "reason": "only for | a test <b>"}
    text = (folder / "card.md").read_text()
    assert "by Mai: only for \\| a test &lt;b&gt;" in text


def test_file_that_changed_since_is_refused_and_nothing_is_left(run: FinishedRun, tmp_path: Path) -> None:
    subject = next(one for one in run.subjects if one.name == LEADER)
    subject.loras[0].path.write_bytes(b"other weights")
    with pytest.raises(InputError, match="is not the file that was measured"):
        promote(run, tmp_path / "promoted")
    assert list((tmp_path / "promoted").iterdir()) == []
    subject.loras[0].path.unlink()
    with pytest.raises(InputError, match="is no longer there"):
        promote(run, tmp_path / "promoted")
    assert list((tmp_path / "promoted").iterdir()) == []


def test_second_promotion_keeps_the_file_and_adds_a_line(run: FinishedRun, tmp_path: Path) -> None:
    first = promote(run, tmp_path / "promoted")
    before = (first / f"{LEADER}.safetensors").stat().st_mtime_ns
    second = promote(run, tmp_path / "promoted", override=Override(by="Mai", reason="again"))
    assert second == first
    assert (first / f"{LEADER}.safetensors").stat().st_mtime_ns == before
    assert json.loads((first / "card.json").read_text())["override"]["by"] == "Mai"
    assert [line["subject"] for line in ledger(tmp_path / "promoted")] == [LEADER, LEADER]
    assert sorted(path.name for path in (tmp_path / "promoted").iterdir()) == [LEDGER, first.name]


def test_baseline_and_unknown_subjects_are_refused(run: FinishedRun, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Did you mean 'flipped'"):
        promote(run, tmp_path, "fliped")
    with pytest.raises(InputError, match="unknown subject 'base'"):
        promote(run, tmp_path, BASELINE)


def test_reason_without_a_name_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["promote", str(tmp_path), "--to", str(tmp_path), "--override", "because"]) == 2
    assert "belong together" in capsys.readouterr().err

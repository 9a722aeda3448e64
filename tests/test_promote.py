"""`evalharness promote`: only what the verdict allows, the very file that was measured, whole or not at all."""

import dataclasses
import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sample_run import LEADER, sample_input

from evalharness.cli import main
from evalharness.digest import file_digest
from evalharness.errors import InputError, NotPromotedError
from evalharness.ledger import LEDGER, latest, read_measured
from evalharness.promote import promote
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


def ledger(target: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (target / LEDGER).read_text().splitlines()]


def test_leader_is_copied_with_its_card_and_entered(run: FinishedRun, tmp_path: Path) -> None:
    folder = promote(run, tmp_path / "promoted")
    names = sorted(path.name for path in folder.iterdir())
    (line,) = ledger(tmp_path / "promoted")
    assert names == ["card.json", "card.md", f"measured-{line['measured'][:12]}.json", f"{LEADER}.safetensors"]
    assert (folder / f"{LEADER}.safetensors").read_bytes() == f"weights of {LEADER}".encode()
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


def test_measurement_is_of_the_subject_and_the_baseline_without_paths(run: FinishedRun, tmp_path: Path) -> None:
    shown = tuple(dataclasses.replace(cell, source=str(tmp_path / "image.png")) for cell in run.cells)
    folder = promote(dataclasses.replace(run, cells=shown), tmp_path / "promoted")
    promotion, notes = latest(tmp_path / "promoted", run.suite)
    measured = read_measured(tmp_path / "promoted", promotion)
    own = [cell for cell in run.cells if cell.subject in (LEADER, BASELINE)]
    assert notes == ()
    assert list(measured.cells) == own
    assert {key: [score.value for score in found] for key, found in measured.scores.items()} == {
        cell.key: [score.value for score in run.scores[cell.key]] for cell in own if cell.key in run.scores
    }
    assert measured.record.keys() == {"perception"}
    for paper in ("card.json", "card.md", f"measured-{promotion.measured[:12]}.json"):
        assert str(tmp_path) not in (folder / paper).read_text()


def test_strength_to_use_is_the_one_said_else_the_likeliest_best(run: FinishedRun, tmp_path: Path) -> None:
    folder = promote(run, tmp_path / "promoted")
    assert "| strength to use | 1 |" in (folder / "card.md").read_text()
    promote(run, tmp_path / "promoted", strength=0.7)
    assert "| strength to use | 0.7 |" in (folder / "card.md").read_text()
    assert [line["strengths"] for line in ledger(tmp_path / "promoted")] == [[1.0], [0.7]]
    with pytest.raises(InputError, match=r"was not measured at strength 0\.8; known are 0\.7, 1\."):
        promote(run, tmp_path / "promoted", strength=0.8)


@pytest.mark.parametrize("again", [False, True])
def test_all_is_on_the_disk_before_it_counts(
    again: bool, run: FinishedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if again:
        promote(run, tmp_path / "promoted")
    flushed: list[Path] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        flushed.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        fsync(descriptor)

    def renamed(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "os.rename" and watching:
            moved.append((Path(arguments[0]), list(flushed)))

    moved: list[tuple[Path, list[Path]]] = []
    watching = True
    sys.addaudithook(renamed)
    monkeypatch.setattr(os, "fsync", watched)
    folder = promote(run, tmp_path / "promoted", strength=1.0)
    watching = False
    promotion, _ = latest(tmp_path / "promoted", run.suite)
    papers = {"card.json", "card.md", f"measured-{promotion.measured[:12]}.json"}
    aside, before = moved[0]
    aside = aside.parent if again else aside
    assert {path.name for path in before if path.parent == aside} == papers | (
        set() if again else {f"{LEADER}.safetensors"}
    )
    assert before[-1] == aside
    assert flushed[-3:] == [folder if again else folder.parent, folder.parent / LEDGER, folder.parent]


KILLED = """
import os, pickle, shutil, signal, sys
from pathlib import Path
from evalharness.promote import promote
from evalharness.report.card import Override

run, before, after = pickle.loads(Path(sys.argv[1]).read_bytes()), Path(sys.argv[2]), Path(sys.argv[3])
fsync = os.fsync

def die_at(step, target):
    seen = 0
    def count(event, arguments):
        nonlocal seen
        if str(target) in str(arguments):
            if seen == step:
                os.kill(os.getpid(), signal.SIGKILL)
            seen += 1
    def flush(descriptor):
        count("fsync", str(target))
        fsync(descriptor)
    sys.addaudithook(count)
    os.fsync = flush

for step in range(1000):
    target = after / str(step)
    shutil.copytree(before, target)
    process = os.fork()
    if process == 0:
        try:
            die_at(step, target)
            promote(run, target, override=Override(by="Mai", reason="the later one"), strength=1.0)
        finally:
            os._exit(1 if sys.exc_info()[0] else 0)
    status = os.waitpid(process, 0)[1]
    if status != signal.SIGKILL:
        break
print(step)
sys.exit(status)
"""


@pytest.mark.parametrize("again", [False, True])
def test_killed_at_any_step_a_promotion_is_whole_or_absent(again: bool, run: FinishedRun, tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    if again:
        # the same file, measured on fewer images
        promote(dataclasses.replace(run, cells=run.cells[1:]), before, strength=0.7)
    (tmp_path / "run.pickle").write_bytes(pickle.dumps(run))
    command = [sys.executable, "-c", KILLED, str(tmp_path / "run.pickle"), str(before), str(after)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    steps = int(done.stdout)
    assert steps > 20, "hardly any step was killed: nothing was tested"
    seen = [state(after / str(step), run.suite) for step in range(steps + 1)]
    first, last = ("0.7" if again else "absent"), "1"
    assert seen[0] == first
    assert seen[-1] == last
    # at first the old state, then the new one, and nothing between
    assert seen == [first] * seen.count(first) + [last] * seen.count(last)
    for step in (0, steps // 2, steps):
        promote(run, after / str(step), strength=0.7)
        assert state(after / str(step), run.suite) == "0.7"


def state(target: Path, suite: str) -> str:
    """The strength of the promotion that counts, all of it read and checked; 'absent' where none does."""
    try:
        promotion, _ = latest(target, suite)
    except InputError:
        return "absent"
    assert read_measured(target, promotion).suite == suite
    assert file_digest(target / promotion.folder / f"{promotion.subject}.safetensors") == promotion.digest
    json.loads((target / promotion.folder / "card.json").read_text())
    return f"{promotion.strengths[0]:g}"


def test_line_that_was_cut_off_never_counted_and_goes_with_the_next(run: FinishedRun, tmp_path: Path) -> None:
    promote(run, tmp_path, strength=0.7)
    path = tmp_path / LEDGER
    whole = path.read_bytes()
    for end in range(1, len(whole)):
        path.write_bytes(whole + whole[:end])
        promotion, notes = latest(tmp_path, run.suite)
        assert promotion.strengths == (0.7,)
        # all but the line's end: nothing of it is missing
        assert bool(notes) == (end < len(whole) - 1)
    path.write_bytes(whole + whole[:30])
    promote(run, tmp_path, strength=1.0)
    assert [line["strengths"] for line in ledger(tmp_path)] == [[0.7], [1.0]]
    path.write_bytes(whole[:-1])
    promote(run, tmp_path, strength=1.0)
    assert [line["strengths"] for line in ledger(tmp_path)] == [[0.7], [1.0]]


def test_two_suites_share_a_folder_without_losing_their_measurements(run: FinishedRun, tmp_path: Path) -> None:
    promote(run, tmp_path)
    promote(dataclasses.replace(run, suite="other"), tmp_path)
    for suite in (run.suite, "other"):
        promotion, _ = latest(tmp_path, suite)
        assert read_measured(tmp_path, promotion).suite == suite


def test_damaged_line_and_missing_parts_are_one_sentence(run: FinishedRun, tmp_path: Path) -> None:
    folder = promote(run, tmp_path)
    promotion, _ = latest(tmp_path, run.suite)
    measured = folder / f"measured-{promotion.measured[:12]}.json"
    body = measured.read_bytes()
    measured.write_bytes(body.replace(b"0.", b"1.", 1))
    with pytest.raises(InputError, match="was changed since the promotion"):
        read_measured(tmp_path, promotion)
    measured.unlink()
    with pytest.raises(InputError, match="is missing, so nothing can be compared"):
        read_measured(tmp_path, promotion)
    shutil.rmtree(folder)
    with pytest.raises(InputError, match="is no longer there"):
        read_measured(tmp_path, promotion)
    with pytest.raises(InputError, match="has no promotion by suite 'mine'; there are 'demo'"):
        latest(tmp_path, "mine")
    path = tmp_path / LEDGER
    path.write_bytes(path.read_bytes()[:40] + b"\n" + path.read_bytes())
    with pytest.raises(InputError, match=r"line 1 of .* is damaged"):
        latest(tmp_path, run.suite)
    with pytest.raises(InputError, match=r"holds no promotions\.jsonl; .*--promoted-in DIR"):
        latest(tmp_path / "elsewhere", run.suite)


def test_baseline_and_unknown_subjects_are_refused(run: FinishedRun, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Did you mean 'flipped'"):
        promote(run, tmp_path, "fliped")
    with pytest.raises(InputError, match="unknown subject 'base'"):
        promote(run, tmp_path, BASELINE)


def test_reason_without_a_name_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["promote", str(tmp_path), "--to", str(tmp_path), "--override", "because"]) == 2
    assert "belong together" in capsys.readouterr().err

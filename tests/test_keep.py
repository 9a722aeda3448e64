"""The folder of the best: one whole file that is ours, and nothing of other people's is touched."""

from pathlib import Path

import fake_trainer
import pytest

from evalharness.digest import file_digest
from evalharness.errors import InputError
from evalharness.keep import Kept, keep, kept_in
from evalharness.types import LoraFile, Subject


def best(folder: Path, epoch: int, name: str | None = None) -> Subject:
    path = fake_trainer.name(folder, epoch)
    path.write_bytes(fake_trainer.weights(epoch))
    digest = file_digest(path)
    return Subject(name=name or path.stem, identity=digest, loras=(LoraFile(path=path, digest=digest),))


def note(subject: Subject) -> Kept:
    return Kept(
        subject=subject.name, digest=subject.identity, strength=1.0, verdict="PROMOTE", reason="it is best", run="/run"
    )


def test_new_best_takes_the_place_of_the_last_one(tmp_path: Path) -> None:
    target = tmp_path / "best"
    for epoch in (1, 2):
        subject = best(tmp_path, epoch)
        kept = keep(target, subject, note(subject))
    assert kept == target / "girl-000002.safetensors"
    assert sorted(path.name for path in target.iterdir()) == ["best.json", "girl-000002.safetensors"]
    assert kept_in(target).subject == "girl-000002"  # type: ignore[union-attr]


def test_file_of_somebody_else_stays(tmp_path: Path) -> None:
    target, subject = tmp_path / "best", best(tmp_path, 1)
    target.mkdir()
    (target / "girl-000001.safetensors").write_text("mine")
    kept = keep(target, subject, note(subject))
    assert kept == target / f"girl-000001-{subject.identity[:16]}.safetensors"
    assert (target / "girl-000001.safetensors").read_text() == "mine"


def test_best_whose_file_is_gone_leaves_the_last_one(tmp_path: Path) -> None:
    target, first, second = tmp_path / "best", best(tmp_path, 1), best(tmp_path, 2)
    keep(target, first, note(first))
    second.loras[0].path.unlink()
    assert keep(target, second, note(second)) is None
    assert kept_in(target).subject == "girl-000001"  # type: ignore[union-attr]
    assert (target / "girl-000001.safetensors").is_file()


def test_kept_best_needs_its_file_no_more(tmp_path: Path) -> None:
    target, first = tmp_path / "best", best(tmp_path, 1)
    keep(target, first, note(first))
    first.loras[0].path.unlink()
    assert keep(target, first, note(first)) == target / "girl-000001.safetensors"


def test_name_that_is_a_path_stays_in_the_folder(tmp_path: Path) -> None:
    target, subject = tmp_path / "best", best(tmp_path, 1, "../v1/last (abc)")
    assert keep(target, subject, note(subject)) == target / ".._v1_last (abc).safetensors"


def test_note_of_somebody_else_is_refused(tmp_path: Path) -> None:
    subject = best(tmp_path, 1)
    (tmp_path / "best.json").write_text("{}")
    with pytest.raises(InputError, match="is not of a kept LoRA"):
        keep(tmp_path, subject, note(subject))

"""LoRA files become subjects: whole files only, identified by their bytes, never by their path."""

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from evalharness.digest import file_digest
from evalharness.errors import InputError, SubjectError
from evalharness.moment import find_epoch
from evalharness.subject import read_lora, read_subjects
from evalharness.types import Stack, StackedLora


def lora(path: Path, value: float = 1.0, **metadata: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({"up": np.full((4, 2), value, np.float32), "down": np.ones((2, 4), np.float16)}, path, metadata)
    return path


def test_pattern_gives_one_subject_per_file_in_name_order(tmp_path: Path) -> None:
    for epoch in (2, 1):
        lora(tmp_path / f"girl-{epoch:06d}.safetensors", epoch, ss_epoch=str(epoch))
    first, second = read_subjects([str(tmp_path / "*.safetensors")])
    assert (first.name, first.epoch, second.name, second.epoch) == ("girl-000001", 1, "girl-000002", 2)
    assert first.identity == file_digest(tmp_path / "girl-000001.safetensors")
    assert first.loras[0].metadata == {"ss_epoch": "1"}


def test_identity_stays_when_the_file_moves(tmp_path: Path) -> None:
    (before,) = read_subjects([str(lora(tmp_path / "a.safetensors"))])
    (tmp_path / "a.safetensors").rename(tmp_path / "b.safetensors")
    (after,) = read_subjects([str(tmp_path / "b.safetensors")])
    assert before.identity == after.identity


def test_alias_names_a_file(tmp_path: Path) -> None:
    (subject,) = read_subjects([f"best={lora(tmp_path / 'x.safetensors')}"])
    assert subject.name == "best"


def test_existing_path_with_an_equals_sign_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lora(Path("lr=1e-4.safetensors"))
    assert read_subjects(["lr=1e-4.safetensors"])[0].name == "lr=1e-4"


def test_alias_of_several_files_is_refused(tmp_path: Path) -> None:
    lora(tmp_path / "a.safetensors", 1)
    lora(tmp_path / "b.safetensors", 2)
    with pytest.raises(SubjectError, match="names 2 files 'best'"):
        read_subjects([f"best={tmp_path}/*.safetensors"])


def test_equal_names_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    paths = [lora(tmp_path / folder / "last.safetensors", value) for value, folder in enumerate(("v1", "v2"))]
    assert [subject.name for subject in read_subjects([str(path) for path in paths])] == ["v1/last", "v2/last"]


def test_equal_folders_are_told_apart_by_their_digests(tmp_path: Path) -> None:
    paths = [lora(tmp_path / top / "out/last.safetensors", value) for value, top in enumerate("ab")]
    names = [subject.name for subject in read_subjects([str(path) for path in paths])]
    assert names == [f"out/last ({file_digest(path)[:8]})" for path in paths]


def test_file_named_base_does_not_become_the_baseline(tmp_path: Path) -> None:
    assert read_subjects([str(lora(tmp_path / "v1/base.safetensors"))])[0].name == "v1/base"
    with pytest.raises(SubjectError, match="name of the no-LoRA baseline"):
        read_subjects([f"base={tmp_path}/v1/base.safetensors"])


def test_same_weights_twice_are_refused_with_both_names(tmp_path: Path) -> None:
    lora(tmp_path / "a.safetensors")
    lora(tmp_path / "b.safetensors")
    with pytest.raises(SubjectError, match=r"a\.safetensors' and .*b\.safetensors' hold the same weights"):
        read_subjects([f"{tmp_path}/*.safetensors"])


def test_file_listed_twice_is_one_subject(tmp_path: Path) -> None:
    path = str(lora(tmp_path / "a.safetensors"))
    assert len(read_subjects([path, path])) == 1


@pytest.mark.parametrize("kept", [0, 5, 60, -1])
def test_truncated_file_is_refused(tmp_path: Path, kept: int) -> None:
    path = lora(tmp_path / "cut.safetensors")
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(SubjectError, match=r"cut\.safetensors' (is truncated: it has \d+ bytes|\(\d bytes\))"):
        read_lora(path)


@pytest.mark.parametrize(
    ("header", "rest", "message"),
    [
        (b"[]", b"", "no JSON object"),
        (b"{]", b"", "no JSON object"),
        (b"{}", b"", "holds no tensors"),
        (b'{"a": 1}', b"", "without data offsets"),
        (b'{"a": {"data_offsets": [0, 1]}}', b"ab", "has 41 bytes, its header promises 40; it is damaged"),
        (b'{"__metadata__": 3, "a": {"data_offsets": [0, 1]}}', b"a", "metadata that is no mapping"),
    ],
)
def test_damaged_file_is_refused(tmp_path: Path, header: bytes, rest: bytes, message: str) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + rest)
    with pytest.raises(SubjectError, match=message):
        read_lora(path)


@pytest.mark.parametrize("name", ["x.pt", "x.ckpt", "x.BIN"])
def test_pickle_is_refused_unread(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x80\x04.")
    with pytest.raises(SubjectError, match="convert it to safetensors"):
        read_subjects([str(tmp_path / name)])


def test_folder_and_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SubjectError, match="is a folder"):
        read_subjects([str(tmp_path)])
    (tmp_path / "notes.txt").touch()
    with pytest.raises(SubjectError, match=r"is not a \.safetensors file"):
        read_subjects([str(tmp_path / "notes.txt")])


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file matches"):
        read_subjects([str(tmp_path / "nowhere.safetensors")])


@pytest.mark.parametrize(
    ("metadata", "stem", "epoch"),
    [
        ({"ss_epoch": "7"}, "girl-000008", 7),
        ({"ss_epoch": "None"}, "girl-000008", 8),
        ({}, "girl_e8", 8),
        ({}, "girl-epoch-12", 12),
        ({}, "epoch08_girl", 8),
        ({}, "girl-ep3", 3),
        ({}, "girl-step00000800", None),
        ({}, "anime2024", None),
        ({}, "girl", None),
    ],
)
def test_epoch_is_found_in_metadata_or_name(metadata: dict[str, str], stem: str, epoch: int | None) -> None:
    assert find_epoch(metadata, stem) == epoch


def test_header_of_absurd_length_is_refused_unread(tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_bytes(b"\xff" * 20)
    with pytest.raises(SubjectError, match="does not begin like a safetensors file"):
        read_lora(tmp_path / "x.safetensors")


def stack(*loras: StackedLora, name: str = "duo") -> Stack:
    return Stack(name=name, loras=loras)


def test_stack_is_one_subject_of_all_its_files_and_strengths(tmp_path: Path) -> None:
    girl, style = (str(lora(tmp_path / f"{name}.safetensors", value)) for value, name in enumerate(("girl", "style")))
    (duo, alone) = read_subjects([stack(StackedLora(path=girl), StackedLora(path=style, model=0.6, clip=0.4)), girl])

    assert (duo.name, duo.epoch, duo.is_one_file) == ("duo", None, False)
    assert {(one.path.stem, one.model, one.clip) for one in duo.loras} == {("girl", 1.0, 1.0), ("style", 0.6, 0.4)}
    assert (alone.name, alone.is_one_file, alone.identity) == ("girl", True, file_digest(Path(girl)))


def test_stacks_are_told_apart_by_files_and_strengths_not_by_order(tmp_path: Path) -> None:
    girl, style = (str(lora(tmp_path / f"{name}.safetensors", value)) for value, name in enumerate(("girl", "style")))

    def identity(*loras: StackedLora) -> str:
        return read_subjects([stack(*loras)])[0].identity

    both = identity(StackedLora(path=girl), StackedLora(path=style))
    assert both == identity(StackedLora(path=style), StackedLora(path=girl))
    assert identity(StackedLora(path=girl)) == file_digest(Path(girl)), "one file at its full strength is that file"
    others = {identity(StackedLora(path=girl, **{word: 0.5}), StackedLora(path=style)) for word in ("model", "clip")}
    assert len({both, *others, identity(StackedLora(path=girl, model=0.5))}) == 4


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (stack(), "the stack 'duo' has no files"),
        (stack(StackedLora(path="{}/*.safetensors")), "in the stack 'duo' is 2 files"),
        (stack(StackedLora(path="{}/a.safetensors", model=float("nan"))), "has no finite strength"),
    ],
)
def test_stack_that_is_none_is_refused(tmp_path: Path, given: Stack, message: str) -> None:
    for value, name in enumerate("ab"):
        lora(tmp_path / f"{name}.safetensors", value)
    loras = tuple(replace(one, path=one.path.format(tmp_path)) for one in given.loras)
    with pytest.raises(SubjectError, match=message):
        read_subjects([replace(given, loras=loras)])

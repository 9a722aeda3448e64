"""labels.csv: what is read, and the sentence for what cannot be."""

from pathlib import Path

import pytest

from evalharness.errors import InputError
from evalharness.labels import read_labels


def written(folder: Path, text: str, images: tuple[str, ...] = ("a.png",)) -> Path:
    (folder / "images").mkdir()
    for name in images:
        (folder / "images" / name).touch()
    (folder / "labels.csv").write_text(text)
    return folder


def test_full_row_is_read(tmp_path: Path) -> None:
    head = "file,experiment,archetype,prompted,variant,multiple,mouth,eyes,cut,emotion_seen,stars"
    (label,) = read_labels(written(tmp_path, f"{head}\na.png,lora_v1,soft,sad,v1,0,absent,closed,1,none,1\n"))
    assert label.path == tmp_path / "images" / "a.png"
    assert (label.several, label.mouth, label.eyes, label.stars) == (False, "absent", "closed", 1)
    assert label.asked == "sad"
    assert label.emotions == ()


def test_file_and_allowed_emotions_are_enough(tmp_path: Path) -> None:
    (label,) = read_labels(written(tmp_path, "file,emotion_allowed\na.png,neutral|happy\n") / "labels.csv")
    assert label.emotions == ("neutral", "happy")
    assert label.several is None
    assert label.stars is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("file,stars\na.png,4\n", "'labels.csv' line 2 has an unknown stars '4'"),
        ("file,mouth\na.png,presnt\n", "Did you mean 'present'?"),
        ("file,emotion_allowed\na.png,happy|angri\n", "Did you mean 'angry'?"),
        ("file\nb.png\n", "names 'b.png', which is neither beside the file nor in its images/"),
        ("fil,stars\na.png,1\n", "unknown column 'file'"),
        ("file,stars\n", "has no rows"),
    ],
)
def test_wrong_labels_are_one_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        read_labels(written(tmp_path, text))
    assert sentence in str(error.value)


def test_folder_without_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"give a folder with labels\.csv"):
        read_labels(tmp_path)

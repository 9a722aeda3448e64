"""labels.csv: what is read, and the sentence for what cannot be."""

from pathlib import Path

import pytest

from evalharness.csv_rows import armed
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
        ("file\nb.png\n", "names 'b.png', which is neither in"),
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


def test_judgement_of_a_report_is_read_with_its_note_and_what_is_called_wrong(tmp_path: Path) -> None:
    text = 'file,cell,stars,scorer_wrong,note,blind\na.png,abc,2,hair_side|harmony," two\nlines, ""quoted"" ",1\n'
    (label,) = read_labels(written(tmp_path, text))
    assert (label.cell, label.stars, label.blind) == ("abc", 2, True)
    assert label.wrong == ("hair_side", "harmony")
    assert label.note == 'two\nlines, "quoted"'


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "'=1", "＝1", "\tx"])
def test_apostrophe_that_keeps_spreadsheets_from_running_a_text_is_taken_away(text: str) -> None:
    assert armed(f"'{text}") == text


@pytest.mark.parametrize("text", ["'tis fine", "fine", "'", "''", ""])
def test_apostrophe_that_the_person_wrote_stays(text: str) -> None:
    assert armed(text) == text


def test_labels_that_lie_elsewhere_name_images_of_the_given_folder(tmp_path: Path) -> None:
    run = written(tmp_path, "file\nnot read\n")
    table = tmp_path / "downloads" / "labels.csv"
    table.parent.mkdir()
    table.write_text("\ufefffile,stars\nimages/a.png,3\n", encoding="utf-8")
    (label,) = read_labels(run, table)
    assert (label.path, label.stars) == (run / "images" / "a.png", 3)
    with pytest.raises(InputError, match=r"give the run's folder and --labels FILE"):
        read_labels(table)
    with pytest.raises(InputError, match="is not a folder"):
        read_labels(run / "labels.csv", table)


def test_row_with_more_fields_than_the_header_is_read_without_them(tmp_path: Path) -> None:
    (label,) = read_labels(written(tmp_path, "file,stars\na.png,3,and,more\n"))
    assert label.stars == 3

"""Labels that a person gave to images: labels.csv -> one frozen Label per image, strictly read."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from evalharness.csv_rows import armed, read_rows
from evalharness.errors import InputError, unknown
from evalharness.types import EMOTIONS

WORDS: Mapping[str, tuple[str, ...]] = {
    "multiple": ("0", "1"),
    "mouth": ("present", "absent", "unclear"),
    "eyes": ("both", "one", "closed", "none", "unclear"),
    "emotion_seen": (*EMOTIONS, "none"),
    "prompted": EMOTIONS,
    "stars": ("1", "2", "3"),
    "blind": ("0", "1"),
}
"""The columns that hold one of these words. `file`, `emotion_allowed`, `archetype`, `cell`, `scorer_wrong` and `note`
are read beside them; others are ignored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a person says of one image; None where nothing is said.

    `several` = a collage, several panels or several people. `emotions` are those that count as right: one, or all
    that `emotion_allowed` lists; empty where no emotion can be named. `asked` is what the prompt wanted. `wrong` are
    metrics whose score of the image the person calls wrong; `blind` = rated without scores or names in sight. `cell`
    is the key of the run's cell that made the image.
    """

    path: Path
    several: bool | None = None
    mouth: str | None = None
    eyes: str | None = None
    emotions: tuple[str, ...] | None = None
    asked: str | None = None
    archetype: str | None = None
    stars: int | None = None
    wrong: tuple[str, ...] = ()
    note: str = ""
    blind: bool = False
    cell: str | None = None


def read_labels(place: Path, table: Path | None = None) -> tuple[Label, ...]:
    """The labels of a folder with labels.csv, or of a CSV; images lie beside the file or in images/ below it.

    With a `table`, that CSV is read, and its images lie in the folder `place`, as the page of a run names them.
    Raises InputError, with file, row and the words that are known, for anything else.
    """
    if table is not None and not place.is_dir():
        raise InputError(f"'{place}' is not a folder; beside a CSV of labels give the run's folder, with its images.")
    home = place if place.is_dir() else place.parent
    table = table or (place / "labels.csv" if place.is_dir() else place)
    if not table.is_file():
        raise InputError(
            f"'{table}' is not there; give a folder with labels.csv, a CSV with a column 'file', "
            "or the run's folder and --labels FILE."
        )
    rows = read_rows(table, f"'{table}'", InputError)
    return tuple(_label(home, f"'{table.name}' line {number}", row) for number, row in enumerate(rows, 2))


def _label(home: Path, place: str, written: Mapping[str, str | None]) -> Label:
    # a row with more fields than the header has them as a list, below None
    row = {column: armed(text) for column, text in written.items() if isinstance(text, str)}
    if not row.get("file"):
        raise InputError(f"{place}: {unknown('column', 'file', [key for key in written if key])}")
    said = {column: _word(row.get(column), column, place) for column in WORDS}
    return Label(
        path=_image(home, str(row["file"]), place),
        several=None if said["multiple"] is None else said["multiple"] == "1",
        mouth=said["mouth"],
        eyes=said["eyes"],
        emotions=_emotions(row.get("emotion_allowed"), said["emotion_seen"], place),
        asked=said["prompted"],
        archetype=row.get("archetype") or None,
        stars=None if said["stars"] is None else int(said["stars"]),
        wrong=tuple(name.strip() for name in row.get("scorer_wrong", "").split("|") if name.strip()),
        note=row.get("note", "").strip(),
        blind=said["blind"] == "1",
        cell=row.get("cell") or None,
    )


def _word(given: str | None, column: str, place: str) -> str | None:
    if not given:
        return None
    if given not in WORDS[column]:
        raise InputError(f"{place} has an {unknown(column, given, WORDS[column])}")
    return given


def _emotions(allowed: str | None, seen: str | None, place: str) -> tuple[str, ...] | None:
    if not allowed:
        return None if seen is None else () if seen == "none" else (seen,)
    words = tuple(word.strip() for word in allowed.split("|") if word.strip())
    for word in words:
        _word(word, "emotion_seen", place)
    return tuple(word for word in words if word != "none")


def _image(home: Path, name: str, place: str) -> Path:
    for folder in (home, home / "images"):
        if (folder / name).is_file():
            return folder / name
    raise InputError(
        f"{place} names '{name}', which is neither in '{home}' nor in its images/; "
        "for labels saved from a run's page, give the run's folder and --labels FILE."
    )

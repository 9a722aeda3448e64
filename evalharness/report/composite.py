"""One labelled picture of a run's grid: rows and columns by two axes, drawn from the images."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from evalharness.errors import InputError, unknown
from evalharness.report.cell_rows import Axis, axes_of
from evalharness.report.lettering import Font, font_for
from evalharness.report.reason_groups import ReasonGroup, cells_of_reason
from evalharness.report.thumbnails import UNREADABLE, opened
from evalharness.types import BASELINE, Cell, FinishedRun

TILE, GAP, HEAD = 192, 6, 150
"""Pixels: an image's longer side, the space between images, the width of the rows' labels."""
LINE = 18
LARGEST = 30_000
"""Pixels of the picture's longer side; PNG readers refuse much larger ones."""
PAPER, INK, EMPTY = "#ffffff", "#1d2126", "#e2e0db"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the picture shows: two axes by name, one value of others (`where`), one reason's failing images alone."""

    rows: str = "prompt"
    columns: str = "subject"
    where: Mapping[str, str] | None = None
    reason: ReasonGroup | None = None


def write_composite(
    folder: Path, given: FinishedRun, choice: Choice, target: Path, say: Callable[[str], None] | None = None
) -> Path:
    """Write the picture as PNG: of several images in one place the first; a grey field where there is none.

    Where no font of this machine has a label's characters, `say` is told in a sentence.
    Raises InputError for an unknown axis, value or reason, no image, and a picture larger than LARGEST pixels.
    """
    axes = {axis.name: axis for axis in axes_of(given.cells, given.subjects)}
    rows, columns = _axis(choice.rows, axes), _axis(choice.columns, axes)
    cells = _chosen(given.cells, axes, choice.where or {})
    cells = cells_of_reason(cells, given, choice.reason) if choice.reason and cells else cells
    places = _places(cells, rows, columns)
    across = [value for value in columns.values if any(place[1] == value for place in places)]
    down = [value for value in rows.values if any(place[0] == value for place in places)]
    if not places:
        raise InputError("no image matches this choice; leave out a --where.")
    sheet = _sheet(len(down), len(across))
    pen, (font, missing) = ImageDraw.Draw(sheet), font_for([*across, *down])
    for c, value in enumerate(across):
        _write(pen, font, value, (HEAD + c * (TILE + GAP), GAP))
    for r, row in enumerate(down):
        top = LINE * 2 + r * (TILE + GAP)
        _write(pen, font, row, (GAP, top))
        for c, column in enumerate(across):
            sheet.paste(_picture(folder, given, places.get((row, column))), (HEAD + c * (TILE + GAP), top))
    sheet.save(target, "PNG")
    if missing and say:
        say(_without(missing))
    return target


def _without(missing: str) -> str:
    shown = f"{missing[:12]}…" if len(missing) > 12 else missing
    return f"no font here has '{shown}', so boxes stand for it in the labels; install one, such as fonts-noto-cjk."


def _sheet(rows: int, columns: int) -> Image.Image:
    size = (HEAD + columns * (TILE + GAP), 2 * LINE + rows * (TILE + GAP))
    if max(size) > LARGEST:
        raise InputError(f"the picture would be {size[0]} x {size[1]} pixels, at most {LARGEST}; choose other axes.")
    return Image.new("RGB", size, PAPER)


def _axis(name: str, axes: Mapping[str, Axis]) -> Axis:
    if name not in axes:
        raise InputError(unknown("axis", name, axes))
    return axes[name]


def _chosen(cells: Sequence[Cell], axes: Mapping[str, Axis], where: Mapping[str, str]) -> Sequence[Cell]:
    for name, value in where.items():
        axis = _axis(name, axes)
        if value not in axis.values:
            raise InputError(f"axis '{name}' has an {unknown('value', value, axis.values)}")
        # the baseline has one strength only, and belongs beside every subject's
        spare = name == "strength"
        cells = [c for c in cells if axis.label_of(c) == value or (spare and c.subject == BASELINE)]
    return cells


def _places(cells: Sequence[Cell], rows: Axis, columns: Axis) -> Mapping[tuple[str, str], Cell]:
    places: dict[tuple[str, str], Cell] = {}
    for cell in cells:
        places.setdefault((rows.label_of(cell), columns.label_of(cell)), cell)
    return places


def _picture(folder: Path, given: FinishedRun, cell: Cell | None) -> Image.Image:
    field = Image.new("RGB", (TILE, TILE), EMPTY)
    path = given.images.get(cell.key) if cell else None
    if isinstance(path, str):
        try:
            image = opened(folder / path)
        except UNREADABLE:
            return field
        scale = TILE / max(image.size)
        image = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))))
        field.paste(image, ((TILE - image.width) // 2, (TILE - image.height) // 2))
    return field


def _write(pen: ImageDraw.ImageDraw, font: Font, text: str, at: tuple[int, int]) -> None:
    """A label in as many characters as its place holds; end and start tell most names apart, so the middle goes."""
    room = (HEAD if at[0] < HEAD else TILE) - 2 * GAP
    shown = text
    while len(shown) > 3 and pen.textlength(shown, font=font) > room:
        half = (len(shown) - 2) // 2
        shown = f"{text[:half]}…{text[-half:]}"
    pen.text(at, shown, fill=INK, font=font)

"""Equal draws of several runs as the cells of one grid, so that any two are opened, compared and read as in one run."""

import os
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from evalharness.report.carried import inside
from evalharness.report.cell_rows import Row, address, cell_data
from evalharness.report.columns import short_keys
from evalharness.report.thumbnails import FOLDER, write_thumbnails
from evalharness.types import Cell, Failure, FinishedRun, MetricInfo

Form = Literal["linked", "copied", "single"]
"""Where the page's pictures are: in their runs, copied beside the page, or inside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What one run made: the cells of one subject at one strength, under the name that the page gives it."""

    name: str
    folder: Path
    run: FinishedRun
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Picture:
    """A cell of the page: the run it is of, and the cell as that run has it; `number` is the run's."""

    number: int
    of: Drawn
    cell: Cell

    @property
    def key(self) -> str:
        """Two runs may hold the same cell."""
        return f"{self.number}-{self.cell.key}"

    @property
    def path(self) -> Path | None:
        """The image's file; None where none was made."""
        path = self.of.run.images.get(self.cell.key)
        return self.of.folder / path if isinstance(path, str) else None


def drawn_rows(sides: Sequence[Drawn], metrics: Mapping[str, MetricInfo], home: Path, form: Form) -> Row:
    """What the page's script needs to show the draws that at least two runs made; no cells where there is none.

    Thumbnails that are missing are made in their runs; a 'copied' page's pictures are written below `home`.
    """
    common = _common(sides)
    pictures = [_Picture(number=n, of=one, cell=c) for n, one in enumerate(sides, 1) for c in one.cells]
    pictures = [one for one in pictures if one.cell.pair_key in common]
    if not pictures:
        return {}
    for one in sides:
        write_thumbnails(one.folder, tuple(c for c in one.cells if c.pair_key in common), one.run.images)
    rows = cell_data(_together(pictures, _names(sides), metrics, home, form))
    columns = {**_mapping(rows["columns"]), "keys": short_keys([one.cell.key for one in pictures])}
    loras = {
        name: [{"file": lora.path.name, "sha256": lora.digest} for s in one.run.subjects for lora in s.loras
               if one.cells and s.name == one.cells[0].subject]
        for name, one in zip(_names(sides), sides, strict=True)
    }  # fmt: skip
    seen = {"leader": None, "leaderStrength": None, "loras": loras, "several": True}
    return {**rows, "columns": columns, **seen, **_small(pictures, home, form)}


def _mapping(value: object) -> Mapping[str, object]:
    assert isinstance(value, Mapping)
    return value


def _common(sides: Sequence[Drawn]) -> frozenset[str]:
    made = Counter(key for one in sides for key in {cell.pair_key for cell in one.cells})
    return frozenset(key for key, runs in made.items() if runs > 1)


def _names(sides: Sequence[Drawn]) -> list[str]:
    """Runs that are called alike are told apart by a number."""
    names: list[str] = []
    for one in sides:
        before = sum(other.name == one.name for other in sides[: len(names)])
        names.append(f"{one.name} ({before + 1})" if before else one.name)
    return names


def _together(
    pictures: Sequence[_Picture], names: Sequence[str], metrics: Mapping[str, MetricInfo], home: Path, form: Form
) -> FinishedRun:
    """One run that holds them all, each run's name in the place of its subject's."""
    return replace(
        pictures[0].of.run,
        subjects=(),
        cells=tuple(replace(one.cell, key=one.key, subject=names[one.number - 1], source=None) for one in pictures),
        images={one.key: _image(one, home, form) for one in pictures},
        scores={one.key: one.of.run.scores.get(one.cell.key, ()) for one in pictures},
        metrics=metrics,
        clips={one.key: clip for one in pictures if (clip := _clip(one, home, form)) is not None},
    )


def _image(one: _Picture, home: Path, form: Form) -> str | Failure:
    found = one.of.run.images.get(one.cell.key)
    if one.path is None:
        return found if isinstance(found, Failure) else Failure(reason="")
    # inside the page no address is asked for
    return "" if form == "single" else _placed(one, one.path, "images", home, form)


def _clip(one: _Picture, home: Path, form: Form) -> str | None:
    """The clip whose frame this is; a page that carries its pictures leaves clips behind."""
    path = one.of.run.clips.get(one.cell.key)
    return None if path is None or form == "single" else _placed(one, one.of.folder / path, "clips", home, form)


def _placed(one: _Picture, path: Path, kind: str, home: Path, form: Form) -> str:
    """A file's path as seen from the page, copied first where the page takes it along."""
    if form == "linked":
        return Path(os.path.relpath(path.resolve(), home)).as_posix()
    inner = Path(f"run-{one.number}", kind, path.name)
    if path.is_file():
        (home / inner).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, home / inner)
    return inner.as_posix()


def _small(pictures: Iterable[_Picture], home: Path, form: Form) -> Row:
    """The thumbnails' addresses, and the images themselves where they stand in the page."""
    if form == "single":
        pairs = [inside(one.path) if one.path else (None, 0) for one in pictures]
        return {"embedded": [full for full, _ in pairs], "thumbnails": [small for _, small in pairs]}
    return {"thumbnails": [_thumbnail(one, home, form) for one in pictures]}


def _thumbnail(one: _Picture, home: Path, form: Form) -> str | int:
    """0 = the image itself is shown."""
    path = one.of.folder / FOLDER / f"{one.cell.key}.webp"
    return address(_placed(one, path, FOLDER, home, form)) if path.is_file() else 0

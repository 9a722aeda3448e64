"""The images of a run as data for the page's script: axes, cells, scores. Small, because runs are large.

Cells are columns here and become objects again in reports/scripts/cells.js. Repeated texts are stored once and pointed
at by number; a cell's place on each axis is a number, too, so the script can lay out any two axes as rows and columns
without knowing what they mean.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from evalharness.report.columns import Evidence, Interner, Sentences, grain_of, shared, short_keys, signed_digits
from evalharness.report.numbers import NOTHING, plain
from evalharness.types import BASELINE, Cell, Failure, FinishedRun, MetricInfo, Score, Setting, Subject

Row = dict[str, object]
LabelOf = Callable[[Cell], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One way to arrange cells. `own` axes are the run's (subject, seed ...); the others are labels of the prompts."""

    name: str
    values: tuple[str, ...]
    own: bool
    label_of: LabelOf


OWN_AXES: Mapping[str, tuple[LabelOf, Callable[[Cell], object] | None]] = {
    # name: (label, what to sort by; None = order of first appearance)
    "subject": (lambda cell: cell.subject, None),
    "strength": (lambda cell: plain(cell.strength), lambda cell: cell.strength),
    "prompt": (lambda cell: cell.prompt.id, None),
    "seed": (lambda cell: str(cell.seed), lambda cell: cell.seed),
    "guidance_scale": (lambda cell: plain(cell.setting.guidance_scale), lambda cell: cell.setting.guidance_scale),
    "steps": (lambda cell: str(cell.setting.steps), lambda cell: cell.setting.steps),
    "sampler": (lambda cell: cell.setting.sampler, None),
    "clip_frame": (lambda cell: str(cell.setting.frame), lambda cell: cell.setting.frame),
    "size": (lambda cell: f"{cell.setting.width} × {cell.setting.height}", lambda cell: cell.setting.width),
}
ALWAYS = ("subject", "prompt")


EXPECTED: Mapping[str, LabelOf] = {
    # what prompts ask for, for suites that give no label of that name
    "archetype": lambda cell: cell.prompt.expect.archetype or NOTHING,
    "emotion": lambda cell: cell.prompt.expect.emotion or NOTHING,
    "view": lambda cell: cell.prompt.expect.view or NOTHING,
}


def axes_of(cells: tuple[Cell, ...], subjects: tuple[Subject, ...]) -> tuple[Axis, ...]:
    """The axes on which the cells differ, subject and prompt always among them; subjects keep the given order."""
    axes = [_own_axis(name, cells, subjects) for name in OWN_AXES]
    axes.insert(1, _epoch_axis(cells, subjects))
    axes += [_prompt_axis(name, cells) for name in _prompt_axis_names(cells)]
    known = {axis.name for axis in axes}
    axes += [_labelled(name, cells, label_of) for name, label_of in EXPECTED.items() if name not in known]
    return tuple(axis for axis in axes if len(axis.values) > 1 or axis.name in ALWAYS)


def cell_data(given: FinishedRun) -> Row:
    """Everything the script needs to draw the grid, the matrix and one image; JSON-able."""
    axes = axes_of(given.cells, given.subjects)
    columns = _Columns(given)
    return {
        "baseline": BASELINE,
        "axes": [{"name": axis.name, "values": axis.values, "own": axis.own} for axis in axes],
        "metrics": [_metric(info, given.scores) for info in given.metrics.values()],
        "prompts": _prompts(given.cells),
        "columns": {"at": [_places(axis, given.cells) for axis in axes], **columns.of_cells(), **columns.of_scores()},
        **columns.tables(),
    }


class _Columns:
    """The cells' columns, and the tables that they point into."""

    def __init__(self, given: FinishedRun) -> None:
        self._given = given
        self._settings: dict[Setting, int] = {}
        self._sentences, self._evidence = Sentences(), Evidence()
        self._marks: list[str] = []
        self._clips = any(cell.setting.frames > 1 for cell in given.cells)
        for cell in given.cells:
            self._settings.setdefault(cell.setting, len(self._settings))

    def of_cells(self) -> Row:
        """What each cell is; `images` holds 1 where the image's address follows from the key."""
        cells, pairs = self._given.cells, Interner()
        return {
            "keys": short_keys([cell.key for cell in cells]),
            "pairs": signed_digits(pairs.number(cell.pair_key) for cell in cells),
            "strengths": [cell.strength for cell in cells],
            "seeds": [cell.seed for cell in cells],
            "settings": signed_digits(self._settings[cell.setting] for cell in cells),
            "sources": _few(cell.source for cell in cells),
            "clips": _few(self._clip(cell) for cell in cells),
            "images": [_image(cell, self._given.images.get(cell.key)) for cell in cells],
        }

    def _clip(self, cell: Cell) -> str | None:
        path = self._given.clips.get(cell.key)
        return None if path is None else address(path)

    def of_scores(self) -> Row:
        """Of each metric the cells' values, reasons (one text; '' = not scored at all) and evidence."""
        found = [{score.metric: score for score in self._given.scores.get(cell.key, ())} for cell in self._given.cells]
        packed = [self._packed(metric, found) for metric in self._given.metrics]
        table, marks = shared([text for column in packed for text in column])
        self._marks = table
        count = len(found)
        return {
            "values": [[_value(row.get(metric)) for row in found] for metric in self._given.metrics],
            "reasons": [" ".join(self._reason(row.get(metric)) for row in found) for metric in self._given.metrics],
            "marks": [marks[start : start + count] for start in range(0, len(marks), max(count, 1))],
        }

    def tables(self) -> Row:
        """What the columns point into; ask for it after them."""
        return {
            "settings": [_setting(one, self._clips) for one in self._settings],
            "sentences": self._sentences.texts(),
            "styles": self._evidence.styles(),
            "marks": self._marks,
        }

    def _packed(self, metric: str, found: Sequence[Mapping[str, Score]]) -> list[str]:
        column = []
        for cell, row in zip(self._given.cells, found, strict=True):
            grain = grain_of(cell.setting.width, cell.setting.height)
            column.append(self._evidence.packed(row[metric].evidence, grain) if metric in row else "")
        return column

    def _reason(self, score: Score | None) -> str:
        return "" if score is None else self._sentences.filled(score.reason)


def _places(axis: Axis, cells: tuple[Cell, ...]) -> str:
    place = {value: index for index, value in enumerate(axis.values)}
    return signed_digits(place[axis.label_of(cell)] for cell in cells)


def _value(score: Score | None) -> float | None:
    if score is None or score.value is None:
        return None
    rounded = round(score.value, 4)
    return int(rounded) if rounded == int(rounded) else rounded


def _few(texts: Iterable[str | None]) -> list[str | None]:
    """The column, or nothing where no cell has a text."""
    column = list(texts)
    return column if any(text is not None for text in column) else []


def _image(cell: Cell, image: str | Failure | None) -> object:
    """1 = the address is what the store makes of the key, 0 = not made, a text = the address, a list = the failure."""
    if image is None:
        return 0
    if isinstance(image, Failure):
        return [image.reason]
    return 1 if image == f"images/{cell.key[:2]}/{cell.key}.png" and cell.key.isalnum() else address(image)


def _prompts(cells: tuple[Cell, ...]) -> list[Row]:
    prompts = {cell.prompt.id: cell.prompt for cell in reversed(cells)}
    ids = dict.fromkeys(cell.prompt.id for cell in cells)
    return [{"id": name, "text": prompts[name].text, "negative": prompts[name].negative} for name in ids]


def _setting(setting: Setting, clips: bool) -> Row:
    names = ("sampler", "steps", "guidance_scale", "width", "height", *(("frames", "frame") if clips else ()))
    return {name: getattr(setting, name) for name in names}


def address(path: str) -> str:
    """A path from the run folder as a relative address: no scheme, host or query can come of a file's name."""
    return "./" + quote(path.encode("utf-8", "surrogateescape"))


def _metric(info: MetricInfo, scores: Mapping[str, tuple[Score, ...]]) -> Row:
    """How to show a metric; `low` and `high` are the ends of its colour scale: 0..1 for shares, else 0..largest."""
    values = [abs(s.value) for found in scores.values() for s in found if s.metric == info.name and s.value is not None]
    high = 1.0 if info.unit == "" else max([*values, 1e-9])
    return {
        "name": info.name,
        "version": info.version,
        "unit": info.unit,
        "higherIsBetter": info.higher_is_better,
        "high": high,
    }


def _own_axis(name: str, cells: tuple[Cell, ...], subjects: tuple[Subject, ...]) -> Axis:
    label_of, order = OWN_AXES[name]
    ordered = sorted(cells, key=order) if order else cells  # type: ignore[arg-type]
    values = dict.fromkeys(label_of(cell) for cell in ordered)
    if name == "subject":
        given = [subject.name for subject in subjects if subject.name in values]
        values = dict.fromkeys([*(s for s in given if s == BASELINE), *given, *values])
    return Axis(name=name, values=tuple(values), own=True, label_of=label_of)


def _epoch_axis(cells: tuple[Cell, ...], subjects: tuple[Subject, ...]) -> Axis:
    """Subjects by their epoch, in its order; those without one come first under their own names."""
    epochs = {subject.name: subject.epoch for subject in subjects}

    def label_of(cell: Cell) -> str:
        epoch = epochs.get(cell.subject)
        return cell.subject if epoch is None else str(epoch)

    present = dict.fromkeys(cell.subject for cell in cells)
    numbers = sorted({epoch for name in present if (epoch := epochs.get(name)) is not None})
    if not numbers:
        return Axis(name="epoch", values=(), own=True, label_of=label_of)
    others = [name for name in present if epochs.get(name) is None]
    values = dict.fromkeys([*sorted(others, key=lambda name: name != BASELINE), *map(str, numbers)])
    return Axis(name="epoch", values=tuple(values), own=True, label_of=label_of)


def _prompt_axis_names(cells: tuple[Cell, ...]) -> list[str]:
    names = dict.fromkeys(name for cell in cells for name in cell.prompt.axes)
    return [name for name in names if name not in OWN_AXES and name != "epoch"]


def _prompt_axis(name: str, cells: tuple[Cell, ...]) -> Axis:
    return _labelled(name, cells, lambda cell: cell.prompt.axes.get(name, NOTHING))


def _labelled(name: str, cells: tuple[Cell, ...], label_of: LabelOf) -> Axis:
    values = dict.fromkeys(label_of(cell) for cell in cells)
    return Axis(name=name, values=tuple(values), own=False, label_of=label_of)

"""Images that exist already -> the cells they are: the prompt by its labels, the draw by its number."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from evalharness.digest import digest, file_digest
from evalharness.errors import SuiteError, unknown
from evalharness.plan.cells import Plan, pair_key
from evalharness.plan.files import ExistingFile
from evalharness.suite import Suite
from evalharness.types import BASELINE, Cell, Prompt, Setting, Subject

ELSEWHERE = "existing images"
"""Stands where a pair_key has the maker's fingerprint: who made these images is not known."""


def plan_existing(suite: Suite, files: Sequence[ExistingFile]) -> tuple[Plan, tuple[Subject, ...]]:
    """A cell per file, and the subjects they belong to: the field `subject`, else the folder's name.

    Prompts are found by `prompt` (an id) or by the labels of their axes. The seed is the number in `seed`, else in
    `variant`, else counted per subject and prompt; equal numbers are compared as pairs. There is no baseline unless
    a subject has that name. Raises SuiteError, with the file and what is known, for labels the suite does not have.
    """
    counted: Counter[tuple[str, str, Setting]] = Counter()
    cells: list[Cell] = []
    taken: dict[tuple[str, float, str], ExistingFile] = {}
    for file in files:
        cell = _cell(suite, file, counted)
        twin = taken.setdefault((cell.subject, cell.strength, cell.pair_key), file)
        if twin is not file:
            raise SuiteError(
                f"'{twin.path.name}' and '{file.path.name}' are both prompt '{cell.prompt.id}', seed {cell.seed} of "
                f"'{cell.subject}'; give one of them another variant."
            )
        cells.append(cell)
    names = dict.fromkeys(cell.subject for cell in cells)
    subjects = tuple(Subject(name=name, identity=_identity(name)) for name in names)
    return Plan(cells=tuple(cells), subjects=subjects), subjects


def _identity(name: str) -> str:
    """The weights behind existing images are not known; their name stands for them."""
    return BASELINE if name == BASELINE else digest([ELSEWHERE, name])


def _cell(suite: Suite, file: ExistingFile, counted: Counter[tuple[str, str, Setting]]) -> Cell:
    subject = file.fields.get("subject") or file.path.resolve().parent.name
    strength = 0.0 if subject == BASELINE else _number(file, "strength", 1.0)
    prompt = find_prompt(suite, file)
    setting = _setting(suite, file)
    counted[(subject, prompt.id, setting)] += 1
    seed = _seed(file, counted[(subject, prompt.id, setting)])
    pair = pair_key(prompt, setting, seed, ELSEWHERE)
    return Cell(
        key=digest([pair, _identity(subject), strength, file_digest(file.path)]),
        pair_key=pair,
        subject=subject,
        strength=strength,
        prompt=prompt,
        setting=setting,
        seed=seed,
        source=str(file.path.resolve()),
    )


def find_prompt(suite: Suite, file: ExistingFile) -> Prompt:
    """The one prompt that the file's fields mean; raises SuiteError for none or several."""
    if "prompt" in file.fields:
        named = {prompt.id: prompt for prompt in suite.prompts}
        if file.fields["prompt"] not in named:
            raise SuiteError(f"'{file.path.name}' has an {unknown('prompt', file.fields['prompt'], named)}")
        return named[file.fields["prompt"]]
    labels = {axis: file.fields[axis] for axis in suite.axes if axis in file.fields}
    for axis, label in labels.items():
        if label not in suite.axes[axis]:
            raise SuiteError(f"'{file.path.name}' has an {unknown(axis, label, suite.axes[axis])}")
    return _only(file, labels, [prompt for prompt in suite.prompts if labels.items() <= prompt.axes.items()])


def _only(file: ExistingFile, labels: Mapping[str, str], found: Sequence[Prompt]) -> Prompt:
    if len(found) == 1:
        return found[0]
    said = ", ".join(f"{axis} {label}" for axis, label in labels.items()) or "no axis of the suite"
    if not found:
        raise SuiteError(f"'{file.path.name}' says {said}, and no prompt of the suite has these labels together.")
    raise SuiteError(
        f"'{file.path.name}' says {said}, which fits {len(found)} prompts ('{found[0].id}', '{found[1].id}', ...); "
        "name more axes, or the prompt's id as {prompt}, in files.pattern."
    )


def _setting(suite: Suite, file: ExistingFile) -> Setting:
    """The suite's setting with the image's own size; of several guidance scales the one that the field `cfg` names."""
    settings = [one for template in suite.settings for one in template.settings(_size(file.path))]
    if "cfg" not in file.fields:
        return settings[0]
    scale = _number(file, "cfg", 0.0)
    for setting in settings:
        if setting.guidance_scale == scale:
            return setting
    known = sorted({f"{setting.guidance_scale:g}" for setting in settings})
    raise SuiteError(f"'{file.path.name}' has an {unknown('cfg', file.fields['cfg'], known)}")


def _size(path: Path) -> tuple[int, int]:
    """Width and height by the image's header, 0 by 0 where it is not readable: its cell then becomes a failure."""
    try:
        with Image.open(path) as image:
            width, height = image.size
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return 0, 0
    return width, height


def _number(file: ExistingFile, field: str, default: float) -> float:
    text = file.fields.get(field)
    if text is None:
        return default
    if not re.fullmatch(r"\d+(\.\d+)?", text):
        raise SuiteError(f"'{file.path.name}' has {field} '{text}'; it is a number such as 7 or 0.7.")
    return float(text)


def _seed(file: ExistingFile, count: int) -> int:
    for field in ("seed", "variant"):
        if digits := re.search(r"\d+", file.fields.get(field, "")):
            return int(digits[0])
    return count

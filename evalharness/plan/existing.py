"""Images that exist already -> the cells they are: the prompt by its labels or text, the draw by its number."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from evalharness.digest import digest, file_digest
from evalharness.errors import SuiteError, unknown
from evalharness.infotext import Infotext
from evalharness.plan import described
from evalharness.plan.cells import Plan, pair_key
from evalharness.plan.files import ExistingFile
from evalharness.suite import Suite
from evalharness.types import BASELINE, Cell, Prompt, Setting, Subject

ELSEWHERE = "existing images"
"""Stands where a pair_key has the maker's fingerprint: who made these images is not known."""


def plan_existing(suite: Suite, files: Sequence[ExistingFile]) -> tuple[Plan, tuple[Subject, ...]]:
    """A cell per file, and the subjects they belong to: the field `subject`, else the folder's name.

    A file that says itself how it was made (`made`) is the prompt of the same text, of its LoRA, its setting and seed.

    Prompts are found by `prompt` (an id) or by the labels of their axes. The seed is the number in `seed`, else in
    `variant`, else counted per subject and prompt; equal numbers are compared as pairs. There is no baseline unless
    a subject has that name. Raises SuiteError, with the file and what is known, for labels the suite does not have.
    """
    counted: Counter[tuple[str, str, Setting]] = Counter()
    cells: list[Cell] = []
    taken: dict[tuple[str, float, str], ExistingFile] = {}
    name_model = described.several_models(file.made for file in files)
    for file in files:
        said = _by_fields(suite, file) if file.made is None else _by_itself(suite, file, file.made, name_model)
        cell = _cell(file, said, counted)
        twin = taken.setdefault((cell.subject, cell.strength, cell.pair_key), file)
        if twin is not file:
            raise SuiteError(
                f"'{twin.path.name}' and '{file.path.name}' are both prompt '{cell.prompt.id}', seed {cell.seed} of "
                f"'{cell.subject}'; give one of them another variant."
            )
        cells.append(cell)
    # sorted() is stable: the baseline comes first, the rest in the files' order
    names = dict.fromkeys(sorted((cell.subject for cell in cells), key=lambda name: name != BASELINE))
    subjects = tuple(Subject(name=name, identity=_identity(name)) for name in names)
    return Plan(cells=tuple(cells), subjects=subjects), subjects


def _identity(name: str) -> str:
    """The weights behind existing images are not known; their name stands for them."""
    return BASELINE if name == BASELINE else digest([ELSEWHERE, name])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What is known of a file; the seed of None is counted."""

    subject: str
    strength: float
    prompt: Prompt
    setting: Setting
    seed: int | None


def _by_fields(suite: Suite, file: ExistingFile) -> _Said:
    subject = file.fields.get("subject") or file.path.resolve().parent.name
    return _Said(
        subject=subject,
        strength=0.0 if subject == BASELINE else _number(file, "strength", 1.0),
        prompt=find_prompt(suite, file),
        setting=_setting(suite, file),
        seed=_seed(file),
    )


def _by_itself(suite: Suite, file: ExistingFile, made: Infotext, name_model: bool) -> _Said:
    subject, strength = described.subject_of(made, name_model)
    if subject == BASELINE and strength:
        raise SuiteError(f"'{file.path.name}' names a LoRA '{BASELINE}', which is the baseline's name; use files.csv.")
    return _Said(
        subject=subject,
        strength=strength,
        prompt=described.prompt_of(suite, made, file.path.name),
        setting=described.setting_of(suite, made, _size(file.path), file.path.name),
        seed=described.seed_of(made, file.path.name),
    )


def _cell(file: ExistingFile, said: _Said, counted: Counter[tuple[str, str, Setting]]) -> Cell:
    counted[(said.subject, said.prompt.id, said.setting)] += 1
    seed = counted[(said.subject, said.prompt.id, said.setting)] if said.seed is None else said.seed
    pair = pair_key(said.prompt, said.setting, seed, ELSEWHERE)
    return Cell(
        key=digest([pair, _identity(said.subject), said.strength, file_digest(file.path)]),
        pair_key=pair,
        subject=said.subject,
        strength=said.strength,
        prompt=said.prompt,
        setting=said.setting,
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
    """The suite's setting of a still of the image's size; of several guidance scales the one that field `cfg` names."""
    found = [one for template in suite.settings for one in template.settings(_size(file.path))]
    settings = [replace(setting, frames=1) for setting in found]
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
    except (OSError, ValueError, UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return 0, 0
    return width, height


def _number(file: ExistingFile, field: str, default: float) -> float:
    text = file.fields.get(field)
    if text is None:
        return default
    if not re.fullmatch(r"\d+(\.\d+)?", text):
        raise SuiteError(f"'{file.path.name}' has {field} '{text}'; it is a number such as 7 or 0.7.")
    return float(text)


def _seed(file: ExistingFile) -> int | None:
    for field in ("seed", "variant"):
        if digits := re.search(r"\d+", file.fields.get(field, "")):
            return int(digits[0])
    return None

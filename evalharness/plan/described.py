"""Images that say themselves how they were made: which prompt, subject, setting and seed of the suite that is."""

import difflib
import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from PIL import Image

from evalharness.embedded import described
from evalharness.errors import SuiteError
from evalharness.infotext import Infotext, number
from evalharness.suite import Suite
from evalharness.types import BASELINE, Prompt, Setting

LAST_SEED = 2**64 - 1
"""ComfyUI's seeds have 64 bits."""

SHOWN = 60


def read_made(path: Path) -> Infotext | str:
    """What the image file says of itself, or why it does not: the end of a sentence that begins with its name."""
    try:
        with warnings.catch_warnings():
            # only the header is read here; the size is checked before the pixels are
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                made = described(image)
    except Exception as error:  # a damaged file makes Pillow raise nearly every built-in type
        return f"cannot be read ({error})"
    return made or "says nothing of how it was made"


def several_models(made: Iterable[Infotext | None]) -> bool:
    """Whether the images name different checkpoints, so that these are what is compared."""
    return len({one.fields["Model"] for one in made if one and "Model" in one.fields}) > 1


def subject_of(made: Infotext, name_model: bool) -> tuple[str, float]:
    """The subject's name and strength: its LoRA, or several joined by +, or the model without any.

    Equal strengths of several LoRAs are the subject's; unequal ones stand in its name. `name_model` puts the checkpoint
    before it: then the images without LoRAs are no common baseline, but one subject for each checkpoint.
    """
    active = [(name, strength) for name, strength in made.loras if strength]
    strengths = {strength for _, strength in active}
    if len(strengths) > 1:
        names = [f"{name}:{strength:g}" for name, strength in active]
    else:
        names = [name for name, _ in active]
    if name_model:
        names = [made.fields.get("Model", "unknown model"), *names]
    strength = strengths.pop() if len(strengths) == 1 else 1.0
    return (" + ".join(names), strength) if names else (BASELINE, 0.0)


def prompt_of(suite: Suite, made: Infotext, name: str) -> Prompt:
    """The suite's prompt of the same text, with the image's own negative; raises SuiteError for none or several.

    Case, blanks and line breaks do not matter; of several prompts of one text, the negative tells which.
    """
    found = [prompt for prompt in suite.prompts if _even(prompt.text) == _even(made.prompt)]
    if len(found) > 1:
        found = [prompt for prompt in found if _even(prompt.negative) == _even(made.negative)] or found
    if len(found) == 1:
        return replace(found[0], negative=made.negative)
    if found:
        raise SuiteError(
            f"'{name}' was made from '{_short(made.prompt)}', which {len(found)} prompts of the suite say "
            f"('{found[0].id}', '{found[1].id}', ...); tell them apart by files.pattern or files.csv."
        )
    raise SuiteError(f"'{name}' was made from '{_short(made.prompt)}', {_nearest(suite.prompts, made.prompt)}")


def setting_of(suite: Suite, made: Infotext, size: tuple[int, int], name: str) -> Setting:
    """The setting that the image names, of its own size; what it does not say is the suite's first."""
    setting = suite.settings[0].settings(size)[0]
    sampler = " ".join(made.fields[key] for key in ("Sampler", "Schedule type") if made.fields.get(key))
    return replace(
        setting,
        sampler=sampler or setting.sampler,
        steps=_whole(made, "Steps", 10_000, name) or setting.steps,
        guidance_scale=_scale(made, name, setting.guidance_scale),
        frames=_whole(made, "Frames", 100_000, name) or 1,
        frame=_whole(made, "Frame", 100_000, name) or 0,
    )


def seed_of(made: Infotext, name: str) -> int | None:
    """The seed that the image names, if any."""
    return _whole(made, "Seed", LAST_SEED, name)


def _whole(made: Infotext, field: str, largest: int, name: str) -> int | None:
    text = made.fields.get(field)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,20}", text) or int(text) > largest:
        raise SuiteError(f"'{name}' says {field} '{_short(text)}'; it is a whole number of at most {largest}.")
    return int(text)


def _scale(made: Infotext, name: str, otherwise: float) -> float:
    text = made.fields.get("CFG scale")
    scale = otherwise if text is None else number(text)
    if scale is None or scale < 0:
        raise SuiteError(f"'{name}' says CFG scale '{_short(text or '')}'; it is a number of at least 0.")
    return scale


def _even(text: str) -> str:
    """A prompt as it is compared: in small letters, with single blanks, no comma at its end."""
    return re.sub(r"\s*,\s*", ", ", " ".join(text.split())).strip(" ,").casefold()


def _short(text: str) -> str:
    plain = " ".join(text[: 4 * SHOWN].split())
    return plain if len(plain) <= SHOWN else f"{plain[: SHOWN - 3]}..."


def _nearest(prompts: Sequence[Prompt], text: str) -> str:
    texts = {_even(prompt.text)[:1000]: prompt for prompt in prompts}
    close = difflib.get_close_matches(_even(text[:2000])[:1000], texts, n=1, cutoff=0.5)
    hint = f"; the nearest, '{texts[close[0]].id}', says '{_short(texts[close[0]].text)}'" if close else ""
    return f"which no prompt of the suite says{hint}."

"""What a person says of a character, checked: enough to write a suite for it."""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from evalharness.captioning import check_family
from evalharness.errors import ConfigError
from evalharness.types import ImageSide

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
WORDS_OF_HYDRA = ("true", "false", "null", "nan", "inf", "infinity", "none", "config")
MOST_SEEDS = 1000
UNWRITABLE = ("Cc", "Cs", "Zl", "Zp")
"""Categories of characters that no line of a file can hold: controls, halves of characters, line separators."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Character:
    """A character and its LoRAs; `hair_side` is the image's when seen from the front, None = nothing is asked.

    `references` is a folder, `base` a checkpoint, `loras` a path or pattern; None = not given.
    """

    name: str
    trigger: str
    references: str | None
    hair_side: ImageSide | None
    family: str
    base: str | None
    loras: str | None
    strengths: tuple[float, ...]
    seeds: int

    def __post_init__(self) -> None:
        """Refuse what would not come back from the file as it was said."""
        check_name(self.name)
        check_family(self.family)
        for key in ("trigger", "references", "base", "loras"):
            _check_text(key, getattr(self, key))

    @property
    def judged_at(self) -> float:
        """The strength that gates are about: the highest one up to 1, at which LoRAs are usually used."""
        usual = [one for one in self.strengths if one <= 1.0]
        return max(usual) if usual else min(self.strengths)


def check_name(name: str | None) -> str:
    """The name itself, where it can be chosen on the command line; raises ConfigError."""
    if name is None or not NAME.fullmatch(name) or name.lower() in WORDS_OF_HYDRA:
        raise ConfigError(
            f"the name '{name}' cannot be chosen as suite=NAME; begin with a letter, and go on with letters, digits, "
            "_ and -."
        )
    return name


def read_trigger(text: str | None) -> str:
    """The trigger as it is; raises ConfigError where there is none."""
    if text is None:
        raise ConfigError("nothing says whose suite this is; give --trigger WORD, or a NAME.")
    _check_text("trigger", text)
    return text


def read_strengths(text: str | None) -> tuple[float, ...]:
    """'0.7,1.0' as numbers, each once and in order; raises ConfigError for others than numbers above 0."""
    numbers = [_number(one) for one in str(text).split(",")]
    if not all(0 < one < float("inf") for one in numbers):
        raise ConfigError(
            f"strengths '{text}' are not all numbers above 0; write 0.7,1.0 (0, without LoRA, is always measured)."
        )
    return tuple(sorted(set(numbers)))


def read_seeds(text: str | None) -> int:
    """How many seeds; raises ConfigError for less than one."""
    number = _number(str(text))
    if not 1 <= number <= MOST_SEEDS or not number.is_integer():
        raise ConfigError(f"seeds '{text}' is no number of seeds; write a whole number from 1 to {MOST_SEEDS}.")
    return int(number)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def name_of(trigger: str) -> str:
    """A suite's name made of a trigger: its letters and digits in lower case, else 'character'."""
    plain = unicodedata.normalize("NFKD", trigger).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    return name if NAME.fullmatch(name) and name not in WORDS_OF_HYDRA else f"character_{name}".rstrip("_")


def find_loras(name: str) -> str | None:
    """Where LoRAs of this name usually are, as a pattern below the current folder; None where there are none."""
    for pattern in (f"loras/{name}*.safetensors", "loras/*.safetensors", f"{name}*.safetensors", "*.safetensors"):
        if any(Path().glob(pattern)):
            return pattern
    return None


def _check_text(key: str, text: str | None) -> None:
    if text is None:
        return
    if not text.strip():
        raise ConfigError(f"--{key} is empty; give a word, or leave it out.")
    if text == "???":
        raise ConfigError(f"--{key} is '???', which means 'missing' in a configuration; write it another way.")
    if wrong := [sign for sign in text if unicodedata.category(sign) in UNWRITABLE or sign in "\ufffe\uffff\ufeff"]:
        raise ConfigError(
            f"--{key} holds the character U+{ord(wrong[0]):04X}, which no line of a file can; leave it out."
        )

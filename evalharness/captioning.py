"""How the model families are captioned and sampled: what a new suite begins with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from evalharness.errors import ConfigError, unknown

Style = Literal["tags", "sentences"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A family's words: `style` of captions, usual steps and guidance scale, and what to know about them."""

    title: str
    style: Style
    steps: int
    guidance_scale: float
    note: str


FAMILIES: Mapping[str, Family] = {
    "sd15": Family(title="SD 1.5", style="tags", steps=28, guidance_scale=7.0, note="an LCM wants 4 to 8 and 1 to 2"),
    "sdxl": Family(
        title="SDXL", style="tags", steps=28, guidance_scale=6.0, note="Turbo and Lightning want 4 to 8 and 1 to 2"
    ),
    "illustrious": Family(
        title="Illustrious (SDXL)", style="tags", steps=28, guidance_scale=5.5, note="above 7 its colours burn"
    ),
    "anima": Family(title="Anima", style="tags", steps=30, guidance_scale=4.0, note="above 5 its colours burn"),
    "flux2": Family(
        title="Flux 2",
        style="sentences",
        steps=28,
        guidance_scale=4.0,
        note="a distilled Klein wants 4 steps and guidance 1",
    ),
    "zimage": Family(
        title="Z-Image", style="sentences", steps=28, guidance_scale=5.0, note="Turbo wants 8 or 9 steps and guidance 0"
    ),
    "qwen": Family(
        title="Qwen-Image", style="sentences", steps=40, guidance_scale=4.0, note="Lightning wants 4 to 8 and 1"
    ),
    "wan": Family(
        title="Wan 2.2", style="sentences", steps=40, guidance_scale=4.0, note="Lightning LoRAs want 4 to 8 and 1"
    ),
}


def check_family(name: str | None) -> str:
    """The short name itself, where it is one; raises ConfigError that names the nearest one."""
    if name not in FAMILIES:
        raise ConfigError(unknown("family", str(name), FAMILIES))
    return str(name)

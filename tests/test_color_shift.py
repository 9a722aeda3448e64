"""A real image whose colours shift by a known amount has drifted by that amount; scale and JPEG change nothing."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.color import lab2rgb, rgb2lab

from evalharness.perception.offline import OfflinePerceiver
from evalharness.scorers.typical import difference
from evalharness.types import Color

REAL = Path(__file__).parents[2] / "shared" / "harmony-lab" / "images"
NAMES = (
    "lora_v1__energetic_happy_v3",
    "lora_v2__soft_neutral_v1",
    "lora_v1__melancholic_neutral_v2",
    # masks that took in a wall or the face once the picture's colours shifted
    "lora_v1__stoic_happy_v1",
    "lora_v2__soft_angry_v3",
)
FINDERS = {"lora_v2__soft_angry_v3": "cascade"}
"""By our own finder's frame, which reaches over the image's edge, this head's hair is not found at all."""
SHIFTS = {"hue": (25.0, 1.0, 0.0), "chroma": (0.0, 1.3, 0.0), "lightness": (0.0, 1.0, -6.0)}
LIMIT = 2.0
"""deltaE00 by which a measured drift may be off."""

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="the 48 real images of ../shared/harmony-lab are not here")


def colors(image: Image.Image, name: str) -> dict[str, Color]:
    (seen,) = OfflinePerceiver(finder=FINDERS.get(name, "net")).observe([image])
    return {one.region: one for one in seen.colors if one.region in ("hair", "skin") and one.confidence >= 0.2}


def shifted(image: Image.Image, degrees: float, chroma: float, light: float) -> Image.Image:
    """The image turned in CIELAB hue, with `chroma` times its chroma and `light` added; sRGB's limits hold."""
    lab = rgb2lab(np.asarray(image, dtype=np.float64) / 255.0)
    length = np.hypot(lab[..., 1], lab[..., 2]) * chroma
    angle = np.arctan2(lab[..., 2], lab[..., 1]) + np.deg2rad(degrees)
    turned = np.stack((np.clip(lab[..., 0] + light, 0, 100), length * np.cos(angle), length * np.sin(angle)), axis=-1)
    return Image.fromarray((np.clip(lab2rgb(turned), 0, 1) * 255 + 0.5).astype(np.uint8))


def apart(first: Color | np.ndarray, second: Color) -> float:
    start = np.array(first.lab) if isinstance(first, Color) else first
    return float(difference(start, np.array(second.lab)))


@pytest.mark.parametrize("kind", sorted(SHIFTS))
@pytest.mark.parametrize("name", NAMES)
def test_known_shift_of_a_real_image_is_measured(name: str, kind: str) -> None:
    image = Image.open(REAL / f"{name}.png").convert("RGB")
    before, after = colors(image, name), colors(shifted(image, *SHIFTS[kind]), name)
    assert "hair" in before and before.keys() <= after.keys()
    for region, color in before.items():
        pixel = (np.clip(lab2rgb(np.array(color.lab)[None, None]), 0, 1) * 255 + 0.5).astype(np.uint8)
        expected = rgb2lab(np.asarray(shifted(Image.fromarray(pixel), *SHIFTS[kind])) / 255.0)[0, 0]
        assert apart(expected, after[region]) <= LIMIT, region


@pytest.mark.parametrize("name", NAMES)
def test_jpeg_and_half_size_leave_colours_alone(name: str) -> None:
    image = Image.open(REAL / f"{name}.png").convert("RGB")
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=60)
    half = image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)
    before = colors(image, name)
    for other in (Image.open(stream).convert("RGB"), half):
        after = colors(other, name)
        assert all(apart(color, after[region]) <= LIMIT for region, color in before.items())

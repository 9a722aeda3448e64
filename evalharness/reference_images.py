"""references.json: the reference images as a report shows them, small, with the colours and outline that were seen."""

import base64
import io
from collections.abc import Mapping
from pathlib import Path

from PIL import Image

from evalharness.store import Store
from evalharness.types import Lab, Observation, ReferenceImage

FILE = "references.json"
SIDE = 160
"""Longest side of a thumbnail, in pixels."""
MOST = 24
"""Reference images that a report shows; their colours count whether they are shown or not."""


def remember(store: Store, images: Mapping[str, Path], seen: Mapping[str, Observation]) -> None:
    """Write the file for images (by key) and what was seen in them; the run then shows them wherever it is opened."""
    wanted = list(images)[:MOST]
    known = {one.key: one for one in recall(store)}
    if list(known) == wanted and all(known[key].colors == _colors(seen[key]) for key in wanted):
        return
    store.write_json(FILE, [_reference(key, images[key], seen[key]) for key in wanted])


def recall(store: Store) -> tuple[ReferenceImage, ...]:
    """What was written; nothing in runs without references, and in those of earlier versions."""
    if not (store.folder / FILE).is_file():
        return ()
    return store.read_json(FILE, tuple[ReferenceImage, ...])


def _reference(key: str, path: Path, seen: Observation) -> ReferenceImage:
    return ReferenceImage(
        key=key,
        name=path.name,
        thumbnail=_thumbnail(path),
        width=seen.width,
        height=seen.height,
        colors=_colors(seen),
        outline=tuple((round(x, 1), round(y, 1)) for x, y in seen.hair.outline) if seen.hair else (),
    )


def _colors(seen: Observation) -> Mapping[str, Lab]:
    """By region its surest colour; the background is nobody's."""
    found: dict[str, Lab] = {}
    for color in sorted(seen.colors, key=lambda one: one.confidence * one.share):
        light, red, yellow = color.lab
        found[color.region] = (round(light, 2), round(red, 2), round(yellow, 2))
    return {region: lab for region, lab in found.items() if region != "background"}


def _thumbnail(path: Path) -> str:
    """A data URI; the file was decoded before, so that it can be."""
    with Image.open(path) as image:
        small = image.convert("RGB")
    small.thumbnail((SIDE, SIDE))
    stream = io.BytesIO()
    small.save(stream, "WEBP", quality=80)
    return f"data:image/webp;base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"

"""Do perception and scorers see what is there? Drawings whose truth is known, and a person's labels where they are.

    python bench/calibrate.py --looks 160 --labels ../shared/harmony-lab

Takes some seven minutes and writes bench/calibrate.json.
Drawings are of seeds that no rule was tuned to. A fault's precision counts the drawings without fault and those of this
fault; every fault is drawn as often as `--each` says, from the front.
"""

import argparse
import json
import os
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

from evalharness.calibrate import agreements, judge_labels
from evalharness.config import compose_calibration
from evalharness.demo.drawing import Drawing, draw, sample_fault_look, sample_look
from evalharness.demo.look import EARS, FAULTS, HEADWEAR, LATER_FAULTS, Look
from evalharness.labels import read_labels
from evalharness.perception.findings import NAMES
from evalharness.perception.offline import OfflinePerceiver
from evalharness.scorers.evidence import main_face, several
from evalharness.scorers.harmony import emotion_seen
from evalharness.stats.agreement import Agreement, accuracy, agree, precision, recall
from evalharness.types import Advance, Observation

TARGET = Path(__file__).with_name("calibrate.json")
SEED = 90_210
SIZE = 256
ZONE = 0.08
TIE_SHOWS = 0.004
"""Share of the picture from which a drawn hair tie counts as seen: a third of one. What shows less is left out."""
Seen = Callable[[Observation], bool]


def burnt(image: Image.Image) -> Image.Image:
    """As too much guidance leaves a picture: vivid, and clipped at both ends."""
    return ImageEnhance.Contrast(ImageEnhance.Color(image).enhance(2.5)).enhance(1.8)


def washed_out(image: Image.Image) -> Image.Image:
    """Seven tenths of a light grey."""
    return Image.blend(image, Image.new("RGB", image.size, (205, 205, 205)), 0.7)


def cut_face(image: Image.Image) -> Image.Image:
    """The frame goes through one eye of the face, which stands in the middle of every drawing."""
    return image.crop((round(0.42 * image.width), 0, image.width, image.height))


def halved_face(image: Image.Image) -> Image.Image:
    """The frame goes through the middle of the face, from either side as the picture's own brightness has it."""
    middle = image.width // 2
    right = np.asarray(image.convert("L")).mean() > 150
    return image.crop((0, 0, middle, image.height) if right else (middle, 0, image.width, image.height))


SPOILT: Mapping[str, Callable[[Image.Image], Image.Image]] = {
    "burnt": burnt,
    "washed_out": washed_out,
    "cut_face": cut_face,
    "halved_face": halved_face,
}
"""Faults that are done to a picture when it is drawn."""


def finding(name: str) -> Seen:
    """Whether a finding is as strong as the scorers ask."""
    return lambda seen: any(one.name == name and one.strength >= 0.5 for one in seen.findings)


def missing(*names: str) -> Seen:
    """Whether all of the main face's parts of these names are missing."""

    def gone(seen: Observation) -> bool:
        face = main_face(seen)
        return bool(face) and all(p.state == "missing" for p in face.parts if p.name in names)

    return gone


def crowded(seen: Observation) -> bool:
    """Several panels or several faces."""
    return several(seen) is not None


def is_cut(seen: Observation) -> bool:
    """Whether the main face reaches over the frame, or there is half a face at an edge."""
    face = main_face(seen)
    return bool(face and face.cut_by_frame) or finding("cut_face")(seen)


DETECTORS: Mapping[str, Seen] = {
    "several_panels": crowded,
    "several_faces": crowded,
    "missing_mouth": missing("mouth"),
    **{name: finding(name) for name in NAMES},
    "cut_face": is_cut,
    "halved_face": is_cut,
}


def side(seen: Observation) -> str:
    """The side the hair's figures say; 'unseen' without hair."""
    if seen.hair is None:
        return "unseen"
    if sides := seen.hair.sides:
        return max(sides, key=lambda name: sides[name])
    leans = seen.hair.right - seen.hair.left
    return "right" if leans > ZONE else "left" if leans < -ZONE else "none"


def clean_answers(drawing: Drawing, seen: Observation) -> Iterator[tuple[str, bool]]:
    """What one drawing without fault can tell: question, and whether the answer is right."""
    look = drawing.truth.look
    # twin tails in profile show on one side only: what the truth calls none, the picture does not
    if not (look.hairstyle == "twin_tails" and look.view.endswith("profile")):
        yield "hair side, all views", side(seen) == drawing.truth.hair_side_image
        if look.view == "front":
            yield "hair side, front", side(seen) == drawing.truth.hair_side_image
    if look.view == "front":
        face = main_face(seen)
        yield "one face found", len(seen.faces) == 1
        yield "emotion seen", face is not None and emotion_seen(face) == look.emotion


def drawn_figures(looks: int, each: int, perceiver: OfflinePerceiver) -> dict[str, Agreement]:
    """Every figure of the drawn world, by its name."""
    rng = np.random.default_rng(SEED)
    right: dict[str, list[bool]] = defaultdict(list)
    clean: list[Observation] = []
    for _ in range(looks):
        drawing = draw(sample_look(rng), SIZE)
        (seen,) = perceiver.observe([drawing.image])
        for question, answer in clean_answers(drawing, seen):
            right[question].append(answer)
        if drawing.truth.look.view == "front":
            clean.append(seen)
    figures = {name: agree(accuracy, [1] * len(found), found, rng) for name, found in sorted(right.items())}
    figures |= tie_figures(2 * each, perceiver)
    figures |= worn_figures(each, perceiver, rng)
    # watermarks are drawn, but nothing offline looks for them
    for fault in (name for name in (*FAULTS, *LATER_FAULTS, *SPOILT) if name in DETECTORS):
        faulty = perceiver.observe([spoilt(fault, rng) for _ in range(each)])
        truth = [1] * len(faulty) + [0] * len(clean)
        said = [int(DETECTORS[fault](seen)) for seen in (*faulty, *clean)]
        for measure in (precision, recall):
            figures[f"{fault}: {measure.__name__}"] = agree(measure, truth, said, rng)
    return figures


def tie_figures(looks: int, perceiver: OfflinePerceiver) -> dict[str, Agreement]:
    """Precision and recall of hair ties; hair is gathered without one and let down with one, too."""
    rng = np.random.default_rng(SEED + 1)
    pairs: list[tuple[int, int]] = []
    for number in range(looks):
        drawing = draw(replace(sample_look(rng), tie=bool(number % 2)), SIZE)
        (seen,) = perceiver.observe([drawing.image])
        shows = drawing.tie_mask.mean()
        if seen.hair and (shows == 0 or shows >= TIE_SHOWS):
            pairs.append((int(shows > 0), int(seen.hair.accessory is not None)))
    truth, said = zip(*pairs, strict=True)
    return {f"hair tie: {measure.__name__}": agree(measure, truth, said, rng) for measure in (precision, recall)}


def worn_figures(each: int, perceiver: OfflinePerceiver, rng: np.random.Generator) -> dict[str, Agreement]:
    """Animal ears of four kinds against heads with an ahoge, a bow, a hat or two buns of hair, which are no ears."""
    eared = [replace(sample_fault_look(rng, "animal_ears"), ears=EARS[n % len(EARS)]) for n in range(each)]
    worn = [replace(sample_look(rng), ahoge=True, headwear=HEADWEAR[n % len(HEADWEAR)]) for n in range(each)]
    pictures = [draw(replace(look, view="front"), SIZE).image for look in (*eared, *worn)]
    said = [int(DETECTORS["animal_ears"](seen)) for seen in perceiver.observe(pictures)]
    truth = [1] * len(eared) + [0] * len(worn)
    told = {measure.__name__: agree(measure, truth, said, rng) for measure in (precision, recall)}
    return {f"four kinds of ears, headwear: {name}": one for name, one in told.items()}


def spoilt(fault: str, rng: np.random.Generator) -> Image.Image:
    """A drawing from the front that has the fault."""
    look: Look = sample_look(rng) if fault in SPOILT else sample_fault_look(rng, fault)  # type: ignore[arg-type]
    image = draw(replace(look, view="front"), SIZE).image
    return SPOILT[fault](image) if fault in SPOILT else image


@contextmanager
def silent(_name: str, _total: int) -> Iterator[Advance]:
    """A progress that says nothing."""
    yield lambda _count: None


def labelled_figures(labels: Path) -> dict[str, Agreement]:
    """Agreement with a person's labels, as `evalharness calibrate` has it."""
    with tempfile.TemporaryDirectory() as folder:
        config = compose_calibration(labels, [f"folder={folder}"])
        judged = judge_labels(config, read_labels(labels), silent)
    return agreements(judged, np.random.default_rng(0))


def show(title: str, figures: Mapping[str, Agreement]) -> None:
    """A table of figures with their intervals."""
    print(f"\n{title}")
    for name, one in figures.items():
        value = "-" if one.value is None else f"{one.value:.3f}"
        between = "" if one.low is None else f"{one.low:.2f} to {one.high:.2f}"
        print(f"  {name.replace('_', ' '):32s} {value:>7s}   {between:14s} of {one.n}")


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--looks", type=int, default=160, help="drawings without fault, all views")
    parser.add_argument("--each", type=int, default=100, help="drawings of each fault")
    parser.add_argument("--labels", type=Path, default=Path(os.environ.get("LABELS") or "../shared/harmony-lab"))
    options = parser.parse_args()
    figures = {"drawn": drawn_figures(options.looks, options.each, OfflinePerceiver())}
    show("drawn truth, unseen seeds (95 % bootstrap interval)", figures["drawn"])
    if options.labels.exists():
        figures["labels"] = labelled_figures(options.labels)
        show(f"labels of {options.labels.name}", figures["labels"])
    else:
        print(f"\nno labels at {options.labels}: LABELS=folder compares with a person")
    written = {place: {name: asdict(one) for name, one in found.items()} for place, found in figures.items()}
    TARGET.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

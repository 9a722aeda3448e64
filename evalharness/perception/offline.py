"""The perceiver that needs no model files: small nets of our own for faces, and geometry and colour for all else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from PIL import Image
from scipy import ndimage

from evalharness.environment import installed_version
from evalharness.errors import PerceptionError, unknown
from evalharness.perception import findings
from evalharness.perception.colors import to_lab
from evalharness.perception.cut_face import find_cut_face
from evalharness.perception.ears import find_ears
from evalharness.perception.face_faults import find_face_faults, find_head_faults
from evalharness.perception.faces import FINDERS, FoundFace, find_faces, finder_name
from evalharness.perception.geometry import Array, Crop, HeadFrame, crop_window, head_window
from evalharness.perception.hair import HairMask, hair_figures, hair_of_face, hair_tie, hair_without_face
from evalharness.perception.hairstyle import FACE, hairstyle
from evalharness.perception.layout import layout_of
from evalharness.perception.lettering import find_text
from evalharness.perception.mirror import evenly
from evalharness.perception.panels import find_panels
from evalharness.perception.part_reader import SHA256, read_by_net
from evalharness.perception.parts import SMALL, read_parts
from evalharness.perception.regions import region_colors
from evalharness.perception.scaling import scale_box, scale_face, scale_finding, scale_hair
from evalharness.perception.second_thought import reconsidered
from evalharness.types import Face, Finding, Hair, Observation, Part

VERSION = 11
PART_READERS = ("net", "rules")
PACKAGES = ("pillow", "scikit-image", "scipy", "numpy")
WORKING_SIDE = 192
"""Masks and panels are read at this longest side; more pixels show nothing new to them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """An image in the sizes it is looked at: `small` is the Lab of a smoothed copy `shrink` times as large."""

    image: Image.Image
    small: Array
    shrink: float


def look(image: Image.Image) -> View:
    """Prepare an RGB image."""
    shrink = min(1.0, WORKING_SIDE / max(image.size))
    small = reduced(image, shrink)
    # pixel noise would tear masks apart
    smooth = ndimage.gaussian_filter(to_lab(small), (0.6, 0.6, 0))
    return View(image=image, small=smooth, shrink=shrink)


def reduced(image: Image.Image, factor: float) -> Image.Image:
    """The image `factor` times as large, averaged; itself for factor 1."""
    if factor >= 1.0:
        return image
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    return image.resize(size, Image.Resampling.LANCZOS)


class OfflinePerceiver:
    """Sees faces, their parts, hair, colours, panels and a few faults, without any model file.

    Args:
        proven: names of findings whose absence may be trusted, because the finder was measured on such images
            (the demo's drawn world); for all others 'not found' means that nobody can tell.
        parts: who reads eyes, brows and mouth: `net`, a small network taught by drawings in many styles, or `rules` on
            geometry, by which the demo's verdicts were measured.
        finder: who finds faces: `net`, a small network taught by drawings, or `cascade`, the animeface package, by
            which the demo's verdicts were measured.
        max_side: larger images are first reduced to this longest side in pixels (64 or more); boxes and points are
            always given in pixels of the image itself.
    """

    def __init__(
        self, *, proven: Sequence[str] = (), parts: str = "net", finder: str = "net", max_side: int = 512
    ) -> None:
        for name in proven:
            if name not in findings.NAMES:
                raise PerceptionError(unknown("finding", name, findings.NAMES))
        if parts not in PART_READERS:
            raise PerceptionError(unknown("part reader", parts, PART_READERS))
        if finder not in FINDERS:
            raise PerceptionError(unknown("face finder", finder, FINDERS))
        if max_side < 64:
            raise PerceptionError(f"max_side is {max_side}; it must be at least 64 pixels.")
        self.proven = tuple(sorted(proven))
        self.parts = parts
        self.finder = finder
        self.max_side = max_side

    def fingerprint(self) -> Mapping[str, str | int | float | bool]:
        """Version of this perceiver, its options, and the packages that see."""
        packages = {name: str(installed_version(name)) for name in PACKAGES}
        own: dict[str, str | int | float | bool] = {
            "perceiver": "offline",
            "version": VERSION,
            "proven": ",".join(self.proven),
            "parts": f"net {SHA256[:12]}" if self.parts == "net" else self.parts,
            "finder": finder_name(self.finder),
            "max_side": self.max_side,
        }
        return own | packages

    def observe(self, images: Sequence[Image.Image]) -> list[Observation]:
        """One observation per image, in order; raises PerceptionError where the face finder fails its self-test.

        A mirror image's observation is exactly the mirrored one.
        """
        return [evenly(self._observe, image.convert("RGB")) for image in images]

    def _observe(self, image: Image.Image) -> Observation:
        factor = min(1.0, self.max_side / max(image.size))
        view = look(reduced(image, factor))
        faces = find_faces(view.image, self.finder)
        if self.finder == "net":
            faces = reconsidered(view.image, faces)
        main = max(faces, key=lambda face: face.box.width * face.likelihood, default=None)
        hair = find_hair(view, main)
        crops = {face: head_of(view.image, face.frame) for face in faces}
        readings = [self._parts(view, face, crops[face], hair) for face in faces]
        seen = [seen_face(view, face, parts) for face, parts in zip(faces, readings, strict=True)]
        small = 1.0 / (factor * view.shrink)
        return Observation(
            width=image.width,
            height=image.height,
            faces=tuple(scale_face(face, 1.0 / factor) for face in seen),
            panels=tuple(scale_box(box, small) for box in find_panels(view.small)),
            hair=None if hair is None else scale_hair(hair_seen(view, hair, main), small),
            colors=region_colors(view.small, hair, None if main is None else crops[main]),
            findings=tuple(self._trusted(finding, small) for finding in find_faults(view, main, hair, self.finder)),
            blind=blind(main, hair),
            layout=layout_of(view.image),
        )

    def _parts(self, view: View, face: FoundFace, crop: Crop, hair: HairMask | None) -> tuple[Part, ...]:
        if self.parts == "rules" or face.frame.unit < SMALL:
            return read_parts(crop, face, None if hair is None else hair.color)
        return read_by_net(view.image, face)

    def _trusted(self, finding: Finding, factor: float) -> Finding:
        return replace(scale_finding(finding, factor), absence_counts=finding.name in self.proven)


def head_of(image: Image.Image, frame: HeadFrame) -> Crop:
    """A head's crop; only the pixels that it needs are turned into Lab."""
    window = head_window(frame, *image.size)
    return crop_window(to_lab(image.crop(window)), window[:2], frame)


def find_hair(view: View, face: FoundFace | None) -> HairMask | None:
    """The main head's hair in the view's small image."""
    if face is None:
        return hair_without_face(view.small)
    return hair_of_face(view.small, face.frame.scaled(view.shrink))


def hair_seen(view: View, hair: HairMask, face: FoundFace | None) -> Hair:
    """The figures of a hair mask with its hair tie and hairstyle; `face` is the one that the hair belongs to."""
    frame = face.frame.scaled(view.shrink) if face and face.likelihood >= FACE else None
    worn = hairstyle(reduced(view.image, view.shrink), frame)
    tie = hair_tie(view.small, hair)
    return replace(hair_figures(hair), accessory=tie, styles=worn.styles, sides=worn.sides)


def seen_face(view: View, face: FoundFace, parts: tuple[Part, ...]) -> Face:
    """A found face with its parts."""
    box = face.box
    room = (box.x, box.y, view.image.width - box.x - box.width, view.image.height - box.y - box.height)
    cut, angle = min(room) < 0, face.frame.angle
    return Face(box=box, confidence=face.likelihood, angle=angle, cut_by_frame=cut, parts=parts)


def find_faults(view: View, face: FoundFace | None, hair: HairMask | None, finder: str) -> tuple[Finding, ...]:
    """What should perhaps not be there, with boxes in the small image; what could not be looked for is left out."""
    # a head found by its hair alone has no certain size, and then the body has no certain place
    frame = None if face is None else face.frame.scaled(view.shrink)
    blur = findings.find_blur(view.image)
    found = [findings.find_rope(view.small, frame, None if hair is None else hair.mask), blur]
    found += [findings.find_low_detail(view.image, blur), findings.find_washed_out(view.small)]
    found.append(scale_finding(find_text(view.image), view.shrink))
    if burnt := findings.find_burnt(view.image):
        found.append(burnt)
    if hair is not None and (ears := find_ears(view.small, hair)):
        found.append(ears)
    faults: Sequence[Finding] = ()
    if face is not None:
        faults = find_face_faults(view.image, face)
    elif hair is not None:
        faults = find_head_faults(view.image, hair.frame.scaled(1.0 / view.shrink))
    if face is None and finder == "cascade":
        faults = (find_cut_face(view.image), *faults)
    found += [scale_finding(one, view.shrink) for one in faults]
    return tuple(found)


def blind(face: FoundFace | None, hair: HairMask | None) -> dict[str, str]:
    """What could not be seen, and why."""
    unseen = {}
    if face is None:
        unseen["face"] = "no anime face was found; profiles are not seen"
        unseen["eyes"] = unseen["skin"] = "without a face nobody can say where they are"
    if hair is None:
        unseen["hair"] = "no area stands out as hair"
    return unseen

"""Do eyes, brows and mouth agree, and on the asked emotion? The published experiment's question, as one number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from evalharness.errors import ConfigError, unknown
from evalharness.scorers.agreement import agreement, mixture, seen_together
from evalharness.scorers.base import unscored
from evalharness.scorers.evidence import box_mark, main_face, part_mark, several
from evalharness.scorers.faces import asked_faces, no_face
from evalharness.scorers.failures import ANY, DISTORTED, beyond, intensity, named, windows
from evalharness.scorers.part_readers import READERS, read_by
from evalharness.types import EMOTIONS, Cell, Face, Finding, Mark, Observation, Part, Reference, Score

GROUPS = {"eyes": ("left_eye", "right_eye"), "brows": ("brows",), "mouth": ("mouth",)}
READABLE = ("present", "closed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a face's parts say: an emotion distribution and its weight per readable group, and what is missing."""

    emotions: Mapping[str, Mapping[str, float]]
    weights: Mapping[str, float]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """A value in 0..1, what was seen in words, and the failure type (A to D; '' for three stars)."""

    value: float
    reason: str
    failure: str = ""


class Harmony:
    """Agreement of the parts x probability of the asked emotion, 0..1: 1 = all agree and show what was asked.

    Agreement is the mean of the experiment's three questions (eyes with mouth, brows with the rest, the whole), each
    1 - Jensen-Shannon divergence. The emotion seen is the product of the parts weighted by their confidence. Where no
    emotion is asked, the most probable one takes its place: does the face read as one emotion? A missing part makes
    the value 0, as it makes one star in the experiment; hidden and unsure parts are left out. An emotion that shows
    too weakly or too strongly for its archetype costs as much as it lies outside the archetype's window. The score's
    label is the failure type (see failures.py) of every image below three stars. Parts that offline perception cannot
    read are read by tags where a tagger looked (see tag_parts.py), and the reason says so.

    Args:
        three_stars: values from here on have no failure type: all agree, on the asked emotion.
        two_stars: values from here on are minor issues; below, features compete or it is another emotion.
        coherent: agreement from here on counts as one emotion, so that another one is a drift (C).
        intensity: [least, most] of 1 - P(neutral) by archetype, as conf/scoring documents; others may have any.
        first: who is asked first for a part where a model looked: offline (perception), tags, or clip.
    """

    name: ClassVar[str] = "harmony"
    version: ClassVar[int] = 2
    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool] = True

    def __init__(
        self,
        *,
        three_stars: float = 0.75,
        two_stars: float = 0.1,
        coherent: float = 0.7,
        intensity: Mapping[str, Sequence[float]] | None = None,
        first: str = "offline",
    ) -> None:
        if first not in READERS:
            raise ConfigError(unknown("reader of parts", first, READERS))
        self.first = first
        self.three_stars = three_stars
        self.two_stars = two_stars
        self.coherent = coherent
        self.windows = windows(intensity or {})

    def score(self, cell: Cell, observation: Observation, reference: Reference | None) -> Score:
        """Judge the main face; unscored without one, with fewer than two readable parts, or for an unknown emotion."""
        asked, face = cell.prompt.expect.emotion, main_face(observation)
        told = None if asked_faces(cell.prompt.expect) == 0 and face is None else read_by(observation, face, self.first)
        if told is None:
            return unscored(self.name, no_face(cell, observation))
        face = told.face
        crowd = several(observation) if asked_faces(cell.prompt.expect) in (None, 1) else None
        reading = read(face)
        if not crowd and len(reading.emotions) + len(reading.missing) < 2:
            return unscored(self.name, "fewer than two of eyes, brows and mouth can be read")
        known = {*EMOTIONS, *(name for shares in reading.emotions.values() for name in shares)}
        if asked is not None and asked not in known:
            return unscored(self.name, f"no part reader knows the emotion '{asked}'")
        if broken := crowd or _broken(reading, observation):
            judged = Opinion(value=0.0, reason=f"{broken} (D, style override)", failure="D")
        else:
            judged = self._judge(reading, asked, self.windows.get(cell.prompt.expect.archetype or "", ANY))
        reason = "; ".join(said for said in (judged.reason, told.said) if said)
        marks = _marks(face, reading) if observation.faces else ()
        return Score(metric=self.name, value=judged.value, reason=reason, evidence=marks, label=judged.failure)

    def emotion(self, observation: Observation) -> str | None:
        """The emotion that the parts of the main face make together, or None where no part tells."""
        told = read_by(observation, main_face(observation), self.first)
        return emotion_seen(told.face) if told else None

    def stars(self, value: float) -> int:
        """The value in the experiment's stars: 3 perfect, 2 acceptable, 1 broken."""
        return 3 if value >= self.three_stars else 2 if value >= self.two_stars else 1

    def _judge(self, reading: Reading, asked: str | None, window: tuple[float, float]) -> Opinion:
        seen, top = _seen(reading)
        together = harmony(reading.emotions)
        outside = 0.0 if (asked or top) == "neutral" else beyond(intensity(seen), window)
        value = together * seen.get(asked or top, 0.0) * (1.0 - abs(outside))
        said = f"reads as {top} ({seen[top]:.2f}), parts agree {together:.2f}; asked: {asked or 'any one emotion'}"
        if value >= self.three_stars:
            return Opinion(value=value, reason=said)
        failure, detail = self._failure(reading, together, top, asked or top, outside)
        return Opinion(value=value, reason=f"{said}; {named(failure, detail)}", failure=failure)

    def _failure(self, reading: Reading, together: float, top: str, asked: str, outside: float) -> tuple[str, str]:
        tops = {group: max(shares, key=lambda name: shares[name]) for group, shares in reading.emotions.items()}
        if top != asked and together >= self.coherent:
            return "C", f"{top} instead of {asked}"
        if len(set(tops.values())) > 1 and not (top == asked and outside and together >= self.coherent):
            said = ", ".join(f"{group} {emotion}" for group, emotion in tops.items())
            return "A", f"{odd_one(reading.emotions)} ({said})"
        if top == asked:
            return "B", f"{asked} too {'strong' if outside > 0 else 'weak'}"
        return "C", f"{top} instead of {asked}"


def read(face: Face) -> Reading:
    """Eyes, brows and mouth of a face: both eyes as one, weighted by confidence; any missing part is named."""
    emotions, weights = {}, {}
    for group, names in GROUPS.items():
        parts = [part for part in face.parts if part.name in names and _tells(part)]
        if parts:
            emotions[group] = mixture([part.emotions for part in parts], [part.confidence for part in parts])
            weights[group] = max(part.confidence for part in parts)
    missing = tuple(part.name.replace("_", " ") for part in face.parts if part.state == "missing")
    return Reading(emotions=emotions, weights=weights, missing=missing)


def emotion_seen(face: Face) -> str | None:
    """The emotion that a face's parts make together, or None where no part tells."""
    reading = read(face)
    return _seen(reading)[1] if reading.emotions else None


def _seen(reading: Reading) -> tuple[Mapping[str, float], str]:
    """The emotion that the parts make together, as a distribution, and the most probable one."""
    seen = seen_together(list(reading.emotions.values()), list(reading.weights.values()))
    return seen, max(seen, key=lambda name: seen[name])


def harmony(emotions: Mapping[str, Mapping[str, float]]) -> float:
    """The mean of eyes with mouth, brows with the rest, and the whole; with two parts, their agreement. 0..1."""
    parts = list(emotions.values())
    if len(parts) == 2:
        return agreement(parts)
    rest = [emotions["eyes"], emotions["mouth"]]
    return (agreement(rest) + agreement([emotions["brows"], mixture(rest)]) + agreement(parts)) / 3.0


def odd_one(emotions: Mapping[str, Mapping[str, float]]) -> str:
    """The part that agrees least with the others, in words; of two, neither can be blamed."""
    if len(emotions) == 2:
        return " against ".join(emotions)

    def with_others(group: str) -> float:
        return agreement([emotions[group], mixture([emotions[other] for other in emotions if other != group])])

    return f"{min(emotions, key=with_others)} against the rest"


def _broken(reading: Reading, observation: Observation) -> str | None:
    """What is missing or distorted in a face, in words, or None."""
    proven = [one.name.replace("_", " ") for one in observation.findings if one.name in DISTORTED and _proven(one)]
    missing = f"{' and '.join(reading.missing)} missing" if reading.missing else ""
    return ", ".join([missing] * bool(missing) + proven) or None


def _proven(finding: Finding) -> bool:
    return finding.absence_counts and finding.strength >= 0.5


def _tells(part: Part) -> bool:
    return part.state in READABLE and part.confidence > 0.0 and sum(part.emotions.values()) > 0.0


def _marks(face: Face, reading: Reading) -> tuple[Mark, ...]:
    marks = [box_mark("face", face.box)]
    for part in face.parts:
        group = next(group for group, names in GROUPS.items() if part.name in names)
        shares = reading.emotions.get(group)
        said = part.state if part.state == "missing" or not shares else max(shares, key=lambda name: shares[name])
        if mark := part_mark(f"{part.name.replace('_', ' ')}: {said}", part):
            marks.append(mark)
    return tuple(marks)

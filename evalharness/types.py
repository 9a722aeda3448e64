"""The nouns of the harness, one frozen type each: what is measured, what was seen, what was judged."""

import enum
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

BASELINE = "base"
"""Identity and name of the subject without any LoRA (strength 0), which is in every run."""

PROMOTED = "/promoted"
"""Name under which the cells of an earlier subject stand beside a run judged against it; no LoRA can have it."""

STRENGTH_NEEDED = "strength_needed"
"""What a constraint may limit beside metrics: the strength at which a subject's objective is highest."""

EMOTIONS = ("neutral", "happy", "sad", "angry", "surprised")
"""What faces can show, in the order of tables."""

Point = tuple[float, float]
Lab = tuple[float, float, float]
ImageSide = Literal["left", "right", "none"]
PartState = Literal["present", "closed", "missing", "hidden", "unsure"]


# What is measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What a prompt asks for, in words a scorer can check; None = nothing is asked.

    `hair_side` is the side of the image (left, right, none); a suite may give `character_side` instead, her own side,
    from which it follows with `view` and `hairstyle`. `faces` is the number of faces that must show: 0 when
    the character is seen from behind. `view` is front, behind, left_profile or right_profile. `like_base` is for
    prompts without a LoRA's trigger, whose pictures it should leave as the model without LoRA makes them.
    """

    emotion: str | None = None
    archetype: str | None = None
    hair_side: ImageSide | None = None
    character_side: Literal["left", "right"] | None = None
    hairstyle: str | None = None
    view: str | None = None
    faces: int | None = None
    forbid: tuple[str, ...] = ()
    like_base: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One prompt of a suite; `axes` are the labels a report may put on rows and columns (archetype, emotion, ...)."""

    id: str
    text: str
    negative: str = ""
    expect: Expectation = Expectation()
    axes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How an image is sampled; `sampler` is a scheduler's name or 'default' (the checkpoint's own). Sizes in pixels.

    Of a clip of so many `frames` the image is the one numbered `frame`, from 0; a still is a clip of 1.
    """

    sampler: str = "default"
    steps: int = 20
    guidance_scale: float = 5.0
    width: int = 512
    height: int = 512
    frames: int = 1
    frame: int = 0

    @property
    def clip(self) -> "Setting":
        """The setting of the whole clip, whichever of its frames is shown."""
        return replace(self, frame=0) if self.frame else self


@dataclass(frozen=True, slots=True, kw_only=True)
class StackedLora:
    """One file of a stack as users write it: its path, and its own strengths in the denoiser and the text encoders."""

    path: str
    model: float = 1.0
    clip: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Several LoRA files that are judged as one subject of this name."""

    name: str
    loras: tuple[StackedLora, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraFile:
    """A LoRA file on disk; `digest` is the SHA-256 of its bytes, `metadata` its safetensors header's.

    A cell's strength is multiplied by `model` in the denoiser and by `clip` in the text encoders.
    """

    path: Path
    digest: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    model: float = 1.0
    clip: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is judged. `identity` is a digest of the LoRA weights, never of a path; BASELINE has no LoRA.

    Of one file it is the file's; of a stack it digests every file's with its strengths.

    `epoch` and `step` are those of the training after which it was saved, where the file or its name says so.
    """

    name: str
    identity: str
    loras: tuple[LoraFile, ...] = ()
    epoch: int | None = None
    step: int | None = None

    @property
    def is_one_file(self) -> bool:
        """Whether it is one LoRA file as it lies on the disk: no stack, and none with strengths of its own."""
        return len(self.loras) == 1 and (self.loras[0].model, self.loras[0].clip) == (1.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One image to make. `key` digests all that can change a pixel; `pair_key` leaves out subject and strength.

    Cells of equal `pair_key` are the same draw: only subject or strength differ between their images. `subject` is
    the Subject's name; the key digests its identity. `source` names the existing file when the image is
    not generated.
    """

    key: str
    pair_key: str
    subject: str
    strength: float
    prompt: Prompt
    setting: Setting
    seed: int
    source: str | None = None

    @property
    def clip(self) -> tuple[Prompt, int, Setting]:
        """What cells of one subject and strength have in common that are frames of one clip."""
        return self.prompt, self.seed, self.setting.clip


# What was seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle in pixels of the image, origin at its upper left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a face: eyes, brows or mouth, as a part reader saw it.

    `emotions` is a distribution over emotions that sums to 1, or empty where the part tells nothing.
    `outline` are points that show what was seen (a brow's line, a mouth's curve). `confidence` is in 0..1.
    """

    name: Literal["left_eye", "right_eye", "brows", "mouth"]
    state: PartState
    confidence: float
    box: Box | None = None
    outline: tuple[Point, ...] = ()
    emotions: Mapping[str, float] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """A face found in the image; `confidence` in 0..1; `angle` is the head's tilt in degrees, clockwise positive."""

    box: Box
    confidence: float
    angle: float = 0.0
    cut_by_frame: bool = False
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hair:
    """Figures of the hair mask.

    `left` and `right` are shares of the mask beyond the head's outline on each side of its axis (sum <= 1); `share`
    is the mask's share of the image; `axis` the head's axis as two points; `outline` a coarse polygon of the mask;
    `accessory` the hair tie, where one was seen. `styles` is a distribution over hairstyles, `sides` one over the sides
    of the image at which gathered hair hangs (left, right, none); both are empty where nobody looked.
    """

    share: float
    left: float
    right: float
    below: float
    axis: tuple[Point, Point]
    outline: tuple[Point, ...] = ()
    accessory: Box | None = None
    confidence: float = 1.0
    styles: Mapping[str, float] = field(default_factory=dict)
    sides: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Color:
    """The typical colour of a region in CIELAB (D65): the mode of its chroma plane with the median lightness there."""

    region: Literal["hair", "eyes", "skin", "background"]
    lab: Lab
    share: float
    confidence: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that should perhaps not be there (rope, animal_ears, blur ...), `strength` in 0..1.

    `absence_counts` is True where the finder was proven on such images, so that 'not found' means 'not there';
    otherwise a weak finding means only that nobody can tell.
    """

    name: str
    strength: float
    absence_counts: bool
    box: Box | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """All that perception saw in one image; stored, so that scoring never looks at pixels.

    `panels` are the frames of a collage (one box = a single picture). `blind` says what could not be seen, and why:
    keys are regions or questions (face, hair, eyes, ...), values sentences. `layout` is a coarse picture: cells in
    reading order, each CIELAB L, a, b as integers; images of one run are compared by it.

    Vision models add `tags` (what is to be seen, with its probability; unlikely tags are left out) and `embeddings`
    (by the model's name) and `answers` (question -> answer -> probability, as emotion or rope), a vision-language model
    `affirmed` (what may be so, as emotion.happy -> its probability). `judges` are the models that judged a question:
    tags, identity, pictures, likeness, answers, affirmed, parts, corrupted, faces; what is not named there was judged
    by offline perception. A text that pictures are compared with has an embedding alone, and no size.
    `measures` are numbers by name (skin_texture); `boxes` what detectors found, by kind: heads, eyes of the main face.
    """

    width: int
    height: int
    faces: tuple[Face, ...] = ()
    panels: tuple[Box, ...] = ()
    hair: Hair | None = None
    colors: tuple[Color, ...] = ()
    findings: tuple[Finding, ...] = ()
    blind: Mapping[str, str] = field(default_factory=dict)
    layout: tuple[int, ...] = ()
    tags: Mapping[str, float] = field(default_factory=dict)
    embeddings: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    answers: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    affirmed: Mapping[str, float] = field(default_factory=dict)
    judges: Mapping[str, str] = field(default_factory=dict)
    measures: Mapping[str, float] = field(default_factory=dict)
    boxes: Mapping[str, tuple[Box, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The observations of the reference images a subject is measured against; names are the files'."""

    names: tuple[str, ...]
    observations: tuple[Observation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceImage:
    """A reference image as a report shows it: `thumbnail` is a data URI, `colors` are by region, CIELAB.

    `width` and `height` are the image's own; `outline` is the hair's, in its pixels. `key` names its bytes.
    """

    key: str
    name: str
    thumbnail: str
    width: int
    height: int
    colors: Mapping[str, Lab] = field(default_factory=dict)
    outline: tuple[Point, ...] = ()


# What was judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Evidence to draw over an image: a box or line in pixels, or a colour swatch (`color` as #rrggbb)."""

    kind: Literal["box", "line", "swatch"]
    label: str
    points: tuple[Point, ...] = ()
    color: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One metric of one cell: a finite value, or None (`unscored`) with the reason. 0 is never 'unknown'.

    `label` is a word by which images can be counted, '' where there is none: harmony's and stars' is the failure type.
    `judge_alone` = there would be no such value without a vision-language model's word.
    """

    metric: str
    value: float | None
    reason: str
    evidence: tuple[Mark, ...] = ()
    label: str = ""
    judge_alone: bool = False

    def __post_init__(self) -> None:
        """Refuse NaN and infinities, which would poison every mean that meets them."""
        if self.value is not None and not abs(self.value) < float("inf"):
            raise ValueError(f"score of {self.metric!r} is {self.value}; a score is a finite number or None.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A cell whose image could not be made or read, and why."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricInfo:
    """How to read a metric: `unit` is '' for shares, 'deltaE00' for colour differences, ..."""

    name: str
    version: int
    unit: str
    higher_is_better: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean with its interval; `level` is its confidence. None where nothing could be scored.

    `scored` images of `prompts` prompts went in, `unscored` could not be judged.
    """

    mean: float | None
    low: float | None
    high: float | None
    level: float
    scored: int
    unscored: int
    prompts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One metric of one subject at one strength, over all its cells."""

    subject: str
    strength: float
    metric: str
    estimate: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """Paired difference `subject - against` of a metric on equal pair_keys; `estimate.scored` counts pairs."""

    subject: str
    strength: float
    against: str
    metric: str
    estimate: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One check of a gate, or one constraint of an objective: an aggregate of a metric must keep a limit.

    `aggregate` is the mean, the share of images that pass on their own (`share_passing`, by `passing`), or the share
    of images that could be judged at all (`share_scored`). `relative_to` is 'absolute' (the value itself), 'baseline'
    (its paired difference to the no-LoRA cells), or 'promoted' (to an earlier subject's; at_least -0.05 means: at most
    0.05 worse, non-inferior). `where` selects cells by axis label, `strength`, `seed`, `sampler`, `steps`,
    `guidance_scale`, or the `frame` of a clip. Fewer than `minimum_scored` scored cells make the check inconclusive.
    Scores that a vision-language model alone vouches for count as unscored, unless `judge_alone` lets them count.
    """

    metric: str
    aggregate: Literal["mean", "share_passing", "share_scored"] = "mean"
    passing: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    relative_to: Literal["absolute", "baseline", "promoted"] = "absolute"
    minimum_scored: int = 8
    where: Mapping[str, str | float | int] = field(default_factory=dict)
    why: str = ""
    judge_alone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """What a suite asks of its subjects, and how surely.

    `gates` decide promotion. `weights` (metric -> weight) say what 'best' means, among the subjects and strengths that
    break none of the `constraints`. `confidence` is that of the tied set. `looks` counts the moments at which growing
    data may have ended the run: 1 where all images are made anyway.
    """

    gates: tuple[Rule, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)
    constraints: tuple[Rule, ...] = ()
    confidence: float = 0.95
    looks: int = 1


class Outcome(enum.StrEnum):
    """What one check says."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


class Decision(enum.StrEnum):
    """What a verdict says."""

    PROMOTE = "PROMOTE"
    REJECT = "REJECT"
    INCONCLUSIVE = "INCONCLUSIVE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One rule applied to one subject: its numbers, what follows from them, and why, in words."""

    rule: Rule
    outcome: Outcome
    estimate: Estimate
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The decision about one subject with every check behind it."""

    subject: str
    decision: Decision
    checks: tuple[Check, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One entrant for 'best': a subject at a strength, its objective, and the probability that it is the best.

    `probability_here` is that of these very prompts, where only the luck of seeds is left. `tied` = the evidence
    cannot separate it from the leader. A failed one of its `constraints` excludes it.
    """

    subject: str
    strength: float
    objective: Estimate
    probability_best: float
    tied: bool
    probability_here: float | None = None
    constraints: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which subject is best, at which strength, and how sure that is; `leader` is None where nothing was comparable.

    `expected_loss` is by how much the best is better than the leader, on average over what the evidence allows; None
    where it says nothing; `loss_here` is that over these very prompts. `advice` says what would settle what is still
    open, '' where nothing is.
    """

    leader: str | None
    strength: float | None = None
    candidates: tuple[Candidate, ...]
    reason: str
    expected_loss: float | None = None
    loss_here: float | None = None
    advice: str = ""

    def leads(self, candidate: Candidate) -> bool:
        """Whether it is the leader: the same subject at another strength is a rival."""
        return (candidate.subject, candidate.strength) == (self.leader, self.strength)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A metric that could be judged clearly less often for a subject than for the other subjects.

    Its mean then stands on other images than theirs. `unscored` of `images`; `others` is their unscored share.
    """

    subject: str
    metric: str
    unscored: int
    images: int
    others: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """All that a run concludes; pure function of cells, scores and rules."""

    summaries: tuple[Summary, ...]
    deltas: tuple[Delta, ...]
    verdicts: tuple[Verdict, ...]
    selection: Selection
    decision: Decision
    reason: str
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedRun:
    """A finished run, as tables and reports need it.

    `images` maps a cell's key to the image's path relative to the run folder, or to why there is none. `record` holds
    the facts of the run: scalars, or mappings of scalars. `subjects` begins with the baseline, where there is one.
    `objective` weighs metrics for 'best'. `planned` counts the cells of the whole matrix, where a budget made fewer.
    `language` is that of the page's texts.
    `references` are the images that show the character as she should be. `clips` maps a cell's key to the path of the
    clip that its image is a frame of, likewise relative.
    """

    title: str
    run: str
    record: Mapping[str, object]
    suite: str
    subjects: tuple[Subject, ...]
    cells: tuple[Cell, ...]
    images: Mapping[str, str | Failure]
    scores: Mapping[str, tuple[Score, ...]]
    metrics: Mapping[str, MetricInfo]
    judgement: Judgement
    description: str = ""
    objective: Mapping[str, float] = field(default_factory=dict)
    planned: int | None = None
    language: str = "en"
    references: tuple[ReferenceImage, ...] = ()
    clips: Mapping[str, str] = field(default_factory=dict)


# How a run says where it is

Advance = Callable[[int], None]
"""Called with the number of items that were finished since the last call."""

Progress = Callable[[str, int], AbstractContextManager[Advance]]
"""Called with a phase's name and its number of items; the context ends with the phase."""

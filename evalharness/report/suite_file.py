"""A new suite as text: reports/suite.yaml.j2 filled in, every word of a person's quoted so that it comes back."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import jinja2

from evalharness.appearance import Appearance, Tone
from evalharness.captioning import FAMILIES, Style
from evalharness.character import Character
from evalharness.paths import shipped
from evalharness.types import ImageSide


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A label of an axis: its words in the prompt, and what it asks for."""

    phrase: str
    expect: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """One grid of prompts, and why it is there."""

    why: str
    template: str
    axes: Mapping[str, Mapping[str, Label]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColorGate:
    """A limit of a colour's drift with its reason, or why there is none."""

    metric: str
    limit: float | None
    reason: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """A picture without the trigger."""

    id: str
    text: str
    view: str
    faces: int


TEMPLATES: Mapping[Style, str] = {
    "tags": "{trigger}, 1girl, solo, {view}, {hair}{emotion}, {scene}",
    "sentences": "{trigger} is seen {view}{hair}. {emotion} {scene}",
}
WITHOUT_FACE: Mapping[Style, str] = {
    "tags": "{trigger}, 1girl, solo, {view}, {hair}{scene}",
    "sentences": "{trigger} is seen {view}{hair}. {scene}",
}
VIEWS: Mapping[Style, tuple[str, str]] = {
    "tags": ("front view, looking at viewer", "from behind"),
    "sentences": ("from the front", "from behind"),
}
EMOTIONS: Mapping[Style, Mapping[str, str]] = {
    "tags": {
        "neutral": "neutral, closed mouth",
        "happy": "happy, smile",
        "sad": "sad, frown",
        "angry": "angry, furrowed brows",
        "surprised": "surprised, open mouth",
    },
    "sentences": {
        "neutral": "The face is neutral, the mouth closed.",
        "happy": "The face is happy, with a smile.",
        "sad": "The face is sad, with a frown.",
        "angry": "The face is angry, with furrowed brows.",
        "surprised": "The face is surprised, the mouth open.",
    },
}
SCENES: Mapping[Style, Mapping[str, str]] = {
    "tags": {"school": "school uniform, in a classroom", "park": "hoodie, in a park"},
    "sentences": {
        "school": "The clothes are a school uniform, the background is a classroom.",
        "park": "The clothes are a hoodie, the background is a park.",
    },
}
HAIR_DOWN: Mapping[Style, str] = {"tags": "hair down, ", "sentences": ", with the hair let down"}
PONYTAIL: Mapping[Style, str] = {"tags": "ponytail, ", "sentences": ", with the hair in a ponytail"}
OTHERS: Mapping[Style, tuple[Other, ...]] = {
    "tags": (
        Other(id="other_front", text="1girl, solo, front view, blonde hair, hair down, park", view="front", faces=1),
        Other(id="other_behind", text="1girl, solo, from behind, black hair, classroom", view="behind", faces=0),
        Other(id="other_happy", text="1girl, solo, front view, happy, white dress, sunset", view="front", faces=1),
        Other(id="other_angry", text="1girl, solo, front view, pink hair, angry, hoodie", view="front", faces=1),
    ),
    "sentences": (
        Other(
            id="other_front",
            text="An anime girl with blonde hair is seen from the front. The background is a park.",
            view="front",
            faces=1,
        ),
        Other(
            id="other_behind",
            text="An anime girl with black hair is seen from behind. The background is a classroom.",
            view="behind",
            faces=0,
        ),
        Other(
            id="other_happy",
            text="An anime girl in a white dress is seen from the front. The face is happy. Behind is a sunset.",
            view="front",
            faces=1,
        ),
        Other(
            id="other_angry",
            text="An anime girl with pink hair is seen from the front. The face is angry.",
            view="front",
            faces=1,
        ),
    ),
}
MIRRORED: Mapping[ImageSide, ImageSide] = {"left": "right", "right": "left", "none": "none"}


def suite_text(character: Character, seen: Appearance | None, command: str) -> str:
    """The suite of a character; `command` is what runs it."""
    family = FAMILIES[character.family]
    side = character.hair_side
    scorers = ["artifacts", "base_drift", "diversity", "faces", "harmony", "parts"]
    scorers += ["color_drift", "eye_color_drift"] if seen else []
    values = {
        "family": family,
        "command": command,
        "description": f"Emotions, views and hairstyles of {character.trigger}, and pictures without the trigger.",
        "seeds": range(1, character.seeds + 1),
        "strengths": sorted(character.strengths),
        "judged_at": character.judged_at,
        "seen": seen.sentences if seen else (),
        "others": OTHERS[family.style],
        "grids": grids(family.style, side),
        "scorers": sorted([*scorers, "hair_side"] if side else scorers),
        "side": side,
        "side_why": _side_why(side),
        "colors": color_gates(seen) if seen else (),
    }
    given = {key: getattr(character, key) for key in ("name", "trigger", "references", "loras")}
    return _environment().get_template("suite.yaml.j2").render(given | values)


def quoted(text: str) -> str:
    r"""A text as a YAML scalar that a configuration gives back as it is: interpolations (`${`) are taken literally.

    In a configuration `\${` stands for `${`, and of backslashes before it every one must be doubled.
    """
    literal = re.sub(r"(\\*)\$\{", lambda found: found[1] * 2 + r"\${", text)
    return json.dumps(literal, ensure_ascii=False)


def grids(style: Style, side: ImageSide | None) -> tuple[Grid, ...]:
    """Emotions from the front, the view from behind, and another hairstyle.

    As many prompts of the other hairstyle as of its own: with ten, a LoRA without a fault is known to keep 0.7 (the
    95 % bound of ten successes in ten is 0.05 ** (1 / 10) = 0.74); with four it could only be inconclusive.
    """
    kept = {"kept": Label(phrase="")}
    changed = {"changed": _changed(style, side)}
    front = {"front": _view(style, side, behind=False)}
    behind = {"behind": _view(style, side, behind=True)}
    emotions = {name: Label(phrase=text, expect={"emotion": name}) for name, text in EMOTIONS[style].items()}
    scenes = {name: Label(phrase=text) for name, text in SCENES[style].items()}
    return (
        Grid(
            why="every emotion: are eyes, brows and mouth of one mind?",
            template=TEMPLATES[style],
            axes={"view": front, "hair": kept, "emotion": emotions, "scene": scenes},
        ),
        Grid(
            why="from behind no face shows, and what hangs on one side hangs on the other",
            template=WITHOUT_FACE[style],
            axes={"view": behind, "hair": kept, "scene": scenes},
        ),
        Grid(
            why="an overtrained LoRA can no longer change the hairstyle",
            template=TEMPLATES[style],
            axes={"view": front, "hair": changed, "emotion": emotions, "scene": scenes},
        ),
    )


def color_gates(seen: Appearance) -> tuple[ColorGate, ...]:
    """A gate for each colour that the references agree on, and words for the others."""
    return (_color_gate("color_drift", "hair", seen.hair), _color_gate("eye_color_drift", "eyes", seen.eyes))


def _color_gate(metric: str, region: str, tone: Tone | None) -> ColorGate:
    why = f"the {region} {'keeps' if region == 'hair' else 'keep'} the references' colour (deltaE00)"
    if tone is None:
        reason = f"Too few references show the colour of the {region} for a limit; this would be one:"
    elif tone.limit is None:
        reason = (
            f"The references' own {region} spread by {tone.spread:.1f}, too far for a limit that means one colour; "
            "this would be one:"
        )
    else:
        reason = (
            f"{tone.limit:g}: nine in ten references lie within {tone.spread:.1f} of their typical colour; 5 more is "
            "seen by anybody (at least 8)"
        )
    return ColorGate(metric=metric, limit=tone.limit if tone else None, reason=reason, why=why)


def _changed(style: Style, side: ImageSide | None) -> Label:
    """Hair that hangs on a side is let down; hair that has none is tied."""
    if side in ("left", "right"):
        return Label(phrase=HAIR_DOWN[style], expect={"hairstyle": "down", "hair_side": "none"})
    return Label(phrase=PONYTAIL[style], expect={"hairstyle": "ponytail", **({"hair_side": "null"} if side else {})})


def _view(style: Style, side: ImageSide | None, *, behind: bool) -> Label:
    expect: dict[str, object] = {"view": "behind" if behind else "front", "faces": 0 if behind else 1}
    if side:
        expect["hair_side"] = MIRRORED[side] if behind else side
    return Label(phrase=VIEWS[style][behind], expect=expect)


def _side_why(side: ImageSide | None) -> str:
    if side == "none":
        return "the hair hangs on neither side"
    if side is None:
        return ""
    return f"the hair hangs at the image's {side} from the front, at its {MIRRORED[side]} from behind"


@cache
def _environment() -> jinja2.Environment:
    """The templates of reports/ for files that are no pages: what a person wrote is `quoted` instead of escaped."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(shipped("reports")),
        autoescape=False,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["quoted"] = quoted
    return made
